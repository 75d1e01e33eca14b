#!/usr/bin/perl

# A site that is split into shards reads as if it were not: figures, counters,
# surveys, lag and check of the same events are the same, on one Redis and on a
# cluster, whoever scores, and in whatever order.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep);
use Test::Cx;
use Test::Cx::Relay;
use Test::Cx::Stream;

my $t = Test::Cx->new;
my $shards = 4;

my $clock = Test::Cx::Stream->new(undef, 'clock');
my $ts = $clock->now - $clock->now % 3600_000 - 1800_000;    # in one hour

sub visit { sprintf '%016x', $_[0] * 7919 % 65536 }
sub shard { my ($n) = @_; $n * 7919 % 65536 % $shards }

my ($v1, $v2) = ('1a2b3c4d', '5e6f7a8b');
my @v1 = (version => $v1);
my $file = $t->dir . '/surveys.json';
write_file($file, '{"version":1,"surveys":[' . join(',', map {
    '{"id":"' . $_ . '","metric":"nps","total":100000,"daily":9000}' }
    qw(s-csat s-nps s-ces)) . ']}');

# events of visits $from to $to: [visit, type, page, fields]
sub events {
    my ($ts, $from, $to) = @_;
    my @e;
    for my $i ($from .. $to) {
        my @v = (visit => visit($i), ts => $ts + $i);
        push @e, [$i, view => '/', @v],
            [$i, view => "/p" . $i % 7, @v, first_ms => 10 * $i % 4000],
            [$i, view => '/p' . $i % 3, @v],
            [$i, leave => '/', @v, visible_ms => $i, seen => 1, first => 1,
                view_ts => $ts + $i, lcp_ms => 20 * $i],
            [$i, shown => '/', @v, survey => 's-csat', @v1],
            [$i, offer => '/', @v, surveys => "s-csat\@$v1=" . $i % 2
                . ",s-nps=1"];
        push @e, [$i, refused => '', survey => 's-csat', @v1, count => $i,
                  reason => $i % 2 ? 'token' : 'expired', ts => $ts],
            [$i, start => '/', @v, survey => 's-csat', @v1] if $i % 3 == 1;
        push @e, [$i, survey => '', survey => 's-csat', version => $_,
                  ts => $ts, definition => qq({"metric":"csat","n":$i})]
            for $i == 20 ? $v1 : $i == 21 ? $v2 : ();
        push @e, [$i, signal => '/p' . $i % 7, @v, name => 'error_page']
            if $i % 5 == 0;
        push @e, [$i, signal => '/p' . $i % 3, @v, name => 'rage_click',
                  count => 1 + $i % 3] if $i % 3 == 0;
        my $id = visit(100_000 + $i);
        push @e, [$i, answer => '/p' . $i % 7, @v, answer => $id,
                  metric => 'csat', survey => 's-csat',
                  version => $i % 8 ? $v1 : $v2, lang => 'de',
                  choice => $i % 3 ? '0,' . (1 + $i % 4) : '',
                  text => $i % 6 ? '' : 'ja',
                  score => 1 + $i % 5] if $i % 4 == 0;
        push @e, [$i, answer => '/', @v, answer => $id, metric => 'nps',
                  survey => 's-nps', score => $i % 11, text => "text $i"]
            if $i % 4 == 1;
        push @e, [$i, answer => '/p' . $i % 3, @v, answer => $id,
                  metric => 'ces', survey => 's-ces', score => 1 + $i % 7]
            if $i % 4 == 2;
    }
    return @e;
}

# a site's streams: whole, or by visit
sub fill {
    my ($at, $site, $n, @events) = @_;
    my %s;
    for (@events) {
        my ($visit, $type, $page, %v) = @$_;
        my $name = $n ? "$site/" . shard($visit) : $site;
        my $s = $s{$name} //= Test::Cx::Stream->new($at->($name), $name);
        $type eq 'view' ? $s->view($page, %v)
            : $type eq 'signal' ? $s->signal($page, delete $v{name}, %v)
            : $s->add($type, $page, %v);
    }
    $_->send for values %s;
    return scalar @events;
}

sub data {
    my ($cmd, $redis, @args) = @_;
    my ($status, $out, $err) = $t->ctl($cmd, '--redis', $redis, '--json',
                                       @args);
    is $err, '', "$cmd @args: quiet";
    my $data = $out =~ /^[\[\{]/ ? json($out) : {};
    delete $data->{site} if ref $data eq 'HASH';
    return $data;
}

# takes them out: HyperLogLogs of many shards err apart
sub visitors {
    my ($data) = @_;
    return map { ref ? visitors($_) : () } @$data if ref $data eq 'ARRAY';
    return if ref $data ne 'HASH';    # a JSON boolean
    my @own = grep { defined } delete $data->{visitors};
    return @own, map { ref $data->{$_} ? visitors($data->{$_}) : () }
        sort keys %$data;
}

# all that can be asked of two sites is the same
sub same {
    my ($what, $redis, $one, $other) = @_;
    for my $args (['pages', '--by', 'effort', '--limit', 0],
                  ['pages', '--by', 'satisfaction'], ['pages', '--by', 'nps'],
                  ['pages', '--window', 'h', '--limit', 3],
                  ['page', '/'], ['page', '/p1'], ['page', '/p6'],
                  ['surveys'], ['surveys', 'why', '/', '--file', $file],
                  ['verbatims', '--limit', 7]) {
        my ($cmd, @args) = @$args;
        my @window = ('--window', (grep { $_ eq 'h' } @args)
                      ? $clock->hour($ts) : $clock->day($ts));
        my @got = map { data($cmd, $redis, '--site', $_, @args, @window) }
            $one, $other;
        my @visitors = map { [visitors($_)] } @got;
        is_deeply $got[0], $got[1], "$what: $cmd @args";
        is scalar(grep { abs($visitors[0][$_] - $visitors[1][$_])
                         > 1 + $visitors[0][$_] / 50 } 0 .. $#{$visitors[0]}),
            0, 'visitors, as far as they are estimated';
    }
    my %n;
    for my $site ($one, $other) {
        for my $row (@{data('lag', $redis, '--site', $site)}) {
            $n{$site}{$_} += $row->{$_}
                for qw(unread entries rejected late answers lost gaps);
        }
    }
    is_deeply $n{$one}, $n{$other}, "$what: lag";
    my ($status, $out) = $t->ctl('check', '--redis', $redis);
    is $status, 0, "$what: check" or diag $out;
    unlike $out, qr/not scored|too fast/, 'all of it';
    my ($ok, @more) = map { join ' ', /: (\d+ windows, \d+ pages), / }
        grep { /^site (?:\Q$one\E|\Q$other\E):/ } split /\n/, $out;
    is $more[0], $ok, 'of the same';
}

sub drained {
    my ($redis) = @_;
    return Test::Cx::wait_for(sub {
        my ($status, $out) = $t->ctl('lag', '--redis', $redis, '--json');
        return 0 if $status ne '0' || grep { $_->{unread} } @{json($out)};
        my ($bad, $told) = $t->ctl('check', '--redis', $redis);
        return $told !~ /not scored|too fast/;
    }, 20);
}

sub drill {
    my ($what, $redis, $at) = @_;
    my @redis = ('--redis', $redis);

    # counted once, by one that knows nothing before
    my @events = events($ts, 1, 200);
    fill($at, 'one', 0, @events);
    my $n = fill($at, 'shop', $shards, @events);
    my $lag = data('lag', $redis, '--site', 'shop');
    is_deeply [map { $_->{shard} } @$lag], [0 .. $shards - 1],
        "$what: lag has a row per shard, before any aggregator";
    my $unread = 0;
    $unread += $_->{unread} for @$lag;
    is $unread, $n, 'all unread';
    is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
    same("$what, once", $redis, 'one', 'shop');
    my $surveys = data('surveys', $redis, '--site', 'shop', '--window',
                       $clock->day($ts));
    my %of = map { $_->{survey} => $_ } @{$surveys->{surveys}};
    is_deeply [map { [@$_{qw(eligible sampled shown started answered)},
                      $_->{definition} ? $_->{definition}{n} : undef] }
               @of{"s-csat\@$v1", "s-csat\@$v2", 's-nps'}],
        [[200, 100, 200, 67, 25, 20], [0, 0, 0, 0, 25, 21],
         [200, 200, 0, 0, 50, undef]], 'versions, each with its definition';
    my $why = data('surveys', $redis, '--site', 'shop', 'why', '/', '--file',
                   $file);
    is join(' ', map { $_->{conditions} =~ /total quota \((\d+) of/ }
            @{$why->{surveys}}), '50 50 50', 'quotas, added up';
    my ($status, undef, $err) = $t->ctl('pages', @redis);
    like $err, qr/^cxctl: which --site: one shop\n/, 'a split site is one';

    # two at once, with more to come
    my @agg = map { $t->aggregator(@redis, '--interval', '20ms',
                                   '--score-interval', '20ms') } 1, 2;
    for my $i (1 .. 10) {
        @events = events($ts, 200 + 20 * $i, 219 + 20 * $i);
        fill($at, 'one', 0, @events);
        fill($at, 'shop', $shards, @events);
        sleep 0.05;
    }
    ok drained($redis), "$what: two aggregators: all counted and scored";
    same("$what, two at once", $redis, 'one', 'shop');

    # many times the same pages in all shards at the same moment
    my $stale = 0;
    for my $round (1 .. 6) {
        @events = map { [$_, view => '/race' . int($_ / $shards) % 60,
                         visit => visit(5000 + 300 * $round + $_),
                         ts => $ts] } 1 .. 240;
        fill($at, $_->[0], $_->[1], @events) for ['shop', $shards],
            ['one', 0];
        my $ok = drained($redis);
        my ($status, $out) = $t->ctl('check', @redis);
        $stale++, diag $out if !$ok || $status;
    }
    is $stale, 0, "$what: whoever scores last has seen all";

    # one answer moves the site's share: figures of all pages with answers
    @events = ([1, answer => '/p4', visit => visit(1), ts => $ts,
                answer => visit(200_001), metric => 'csat',
                survey => 's-csat', score => 5]);
    fill($at, $_->[0], $_->[1], @events) for ['shop', $shards], ['one', 0];
    ok drained($redis), "$what: an answer";
    same("$what, another share", $redis, 'one', 'shop');

    is $_->stop, 0, 'ends' for @agg;

    # two that do not know of each other's leases, in turns
    for my $round (1 .. 3) {
        @events = events($ts, 500 + 20 * $round, 519 + 20 * $round);
        fill($at, 'one', 0, @events);
        fill($at, 'shop', $shards, @events);
        my @once = map { $t->spawn(name => 'once', out => $t->dir . "/once$_",
            cmd => [$t->build . '/cx-aggregator', @redis, '--once']) } 1, 2;
        is $_->wait_exit(20), 0, 'done' for @once;
    }
    is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
    same("$what, twins", $redis, 'one', 'shop');

    # what is wrong is found, and made again
    my $root = Test::Cx::Stream->new($at->('shop'), 'shop');
    my @day = ('d', $root->day($ts));
    for ([['HSET', $root->key('score', @day, '/p1'), 'effort', '1.00'],
          qr/d \d+ \/p1: effort is "1.00", should be "\d/],
         [['ZREM', $root->key('rank', 'impact', @day), '/'],
          qr/d \d+ \/: is not ranked by impact/]) {
        $at->('shop')->cmd(@{$_->[0]});
        my ($status, $out) = $t->ctl('check', @redis, '--site', 'shop');
        is $status, 1, "$what: check finds it";
        like $out, $_->[1], 'says it';
    }
    $at->('shop/1')->cmd('HINCRBY', "cx:{shop/1}:total:d:$day[1]", 'leaves', 1);
    like +($t->ctl('check', @redis, '--site', 'shop'))[1],
        qr/leaves of the site is \d+, its pages add up to/, 'in a shard, too';
    $at->('shop/1')->cmd('HINCRBY', "cx:{shop/1}:total:d:$day[1]", 'leaves', -1);
    is +($t->aggregate(@redis, '--rebuild-scores'))[0], 0, 'made again';
    same("$what, rebuilt", $redis, 'one', 'shop');

    # a site that is split when it has counters already
    @events = events($ts, 1, 60);
    fill($at, 'old', 0, @events);
    fill($at, 'new', 0, @events);
    is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
    @events = events($ts, 61, 120);
    fill($at, 'old', 0, @events);
    fill($at, 'new', $shards, @events);
    is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
    same("$what, split later", $redis, 'old', 'new');
    my @rows = map { $_->{shard} } @{data('lag', $redis, '--site', 'new')};
    is_deeply \@rows, [undef, 0 .. $shards - 1], 'its own and its shards';

    # tail sees all of them
    my $tail = $t->spawn(name => 'tail', out => $t->subdir('tail') . '/out',
        cmd => [$t->build . '/cxctl', 'tail', @redis, '--site', 'shop',
                '--limit', 8, '--json']);
    sleep 0.7;
    @events = map { [$_, view => "/tail$_", visit => visit($_), ts => $ts] }
        1 .. 8;
    fill($at, 'shop', $shards, @events);
    fill($at, 'one', 0, @events);
    is $tail->wait_exit(10), 0, "$what: tail ends at its limit";
    is_deeply [sort map { json($_)->{page} } split /\n/, $tail->out],
        [map { "/tail$_" } 1 .. 8], 'all shards';
}

my $redis = $t->redis;
drill('one Redis', $redis->url, sub { $redis });

# between the reads of one aggregator and its write another one counts a view of
# the same page in another shard, and scores it: what the first was about to
# write is old
{
    my $s = Test::Cx::Stream->new($redis, 'shop/0');
    my $late = Test::Cx::Stream->new($redis, 'shop/1');
    my @run = ($t->build . '/cx-aggregator', '--once', '--redis', $redis->url,
               '--log-level', 'error');
    my $done = 0;
    my $code = sub {
        return if $done++;
        $late->view('/p1', visit => visit(9001), ts => $ts)->send;
        system(@run) == 0 or die "aggregator: $?\n";
    };
    # a request that matches would be spoiled; this one never does, but runs
    my $relay = Test::Cx::Relay->new($t, $redis,
        lose => qr/INCR\r\n\$\d+\r\ncx:\{shop\}:scored\r(?{ $code->() })(*FAIL)/);
    $s->view('/p1', visit => visit(9000), ts => $ts)->send;
    is +($t->aggregate('--once', '--redis', $relay->url))[0], 0, 'overtaken';
    my ($status, $out) = $t->ctl('check', '--redis', $redis->url);
    is $status, 0, 'what is written last is of all that is counted'
        or diag $out;
    is scalar @{$redis->cmd('XRANGE', $late->key('events'),
        '(' . $late->checkpoint->{id}, '+')}, 0, 'the other one has counted';
    unlike $out, qr/not scored/, 'and nothing is left to do';
}

my $c = $t->cluster(masters => 3);
my %nodes = map { $c->node_of("cx:{$_}:events")->port => 1 }
    'shop', map { "shop/$_" } 0 .. $shards - 1;
cmp_ok scalar keys %nodes, '>', 1, 'shards are at several nodes';
drill('cluster', join(' ', $c->words), sub { $c->node_of("cx:{$_[0]}:events") });

# the node of the figures is away, shards at others are counted all the same
my $root = $c->node_of('cx:{shop}:x');
my @away = grep { $c->node_of("cx:{shop/$_}:x") == $root } 0 .. $shards - 1;
my @there = grep { $c->node_of("cx:{shop/$_}:x") != $root } 0 .. $shards - 1;
my @redis = ('--redis', join ' ', $c->words);
cmp_ok scalar @there, '>', 0, 'there are others';
my $agg = $t->aggregator(@redis, '--interval', '20ms', '--score-interval',
                         '20ms', '--timeout', '1s');
ok drained($redis[1]), 'nothing is left';
$root->pause;
my @events = grep { my $e = $_; grep { shard($e->[0]) == $_ } @there }
    events($ts, 601, 640);
my $at = sub { $c->node_of("cx:{$_[0]}:x") };
fill($at, 'shop', $shards, @events);
ok Test::Cx::wait_for(sub {
    !grep { my $s = Test::Cx::Stream->new($at->("shop/$_"), "shop/$_");
            my $last = $s->{redis}->cmd('XREVRANGE', $s->key('events'), '+',
                                        '-', 'COUNT', 1)->[0][0];
            ($s->checkpoint->{id} // '') ne $last } @there
}, 20), 'counted while the node of the figures hangs';
my $marks = 0;
$marks += $at->("shop/$_")->cmd('SCARD', "cx:{shop/$_}:dirty") for @there;
cmp_ok $marks, '>', 0, 'and still marked as dirty';
my ($status) = $t->ctl('lag', @redis, '--site', 'shop');
is $status, 2, 'lag cannot tell: status 2';
$root->cont;
ok $c->wait_ok(20), 'it is back';
ok drained($redis[1]), 'scored';
fill($at, 'one', 0, @events);
ok drained($redis[1]), 'in the other site as well';
same('after that', $redis[1], 'one', 'shop');
is $agg->stop, 0, 'ends';
like $agg->err, qr{site shop/\d: figures wait: redis://}, 'said';

$t->done;
