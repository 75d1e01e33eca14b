#!/usr/bin/perl

# The daemon: several sites, SIGTERM, --rebuild-scores, caps, gaps, late hours,
# Redis that goes away or refuses.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Test::Cx;
use Test::Cx::Relay;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my @redis = ('--redis', $redis->url);
my @fast  = (@redis, '--interval', '20ms', '--score-interval', '20ms');

sub site { Test::Cx::Stream->new($redis, $_[0]) }
sub views { $_[0]->hash('total', 'd', $_[0]->day)->{views} // 0 }

# every site that has a stream, also one that comes later
my ($a, $b, $c) = map { site($_) } qw(a.example b/2 c);
$a->view('/1')->send;
$b->view('/1')->view('/2')->send;
$redis->cmd('SET', 'cx:{x}:events', 'not a stream');
my $agg = $t->aggregator(@fast);
ok wait_for(sub { views($a) == 1 && views($b) == 2 }, 5), 'two sites found';
$c->view('/1')->view('/1')->view('/3')->send;
ok wait_for(sub { views($c) == 3 }, 5), 'a third one later';
$a->view('/1')->send;
ok wait_for(sub { views($a) == 2 }, 5), 'the first goes on';

# SIGTERM: what was read is counted and scored
$a->view('/term') for 1 .. 3000;
$a->send;
my $begin = time;
is $agg->stop, 0, 'SIGTERM: status 0';
cmp_ok time - $begin, '<', 2, 'soon';
my $left = 3002 - $a->checkpoint->{entries};
is views($a) + $left, 3002, 'a whole number of batches';
is $redis->cmd('SCARD', $a->key('dirty')), 0, 'scored';
is +($t->aggregate(@redis, '--once'))[0], 0, '--once';
is views($a), 3002, 'counts the rest';

# only the sites that are named
$b->view('/1')->send;
$c->view('/1')->send;
is +($t->aggregate(@redis, '--once', '--site', 'c'))[0], 0, '--site';
is_deeply [views($b), views($c)], [2, 4], 'only that one';
is +($t->aggregate(@redis, '--once'))[0], 0, 'the others another time';

# scores can be thrown away and made again
my $s = site('scores');
for my $i (1 .. 300) {
    my $v = sprintf '%016x', $i;
    my $page = '/' . $i % 4;
    $s->view($page, visit => $v);
    $s->signal($page, 'rage_click', visit => $v) if $i % 4 == 1 && $i % 3;
    $s->answer($page, $v, qw(csat nps ces)[$i % 3], 1 + $i % 5, visit => $v)
        if $i % 5;
}
$s->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'scored';

sub scores {
    my %got;
    for my $key (grep { /:(?:score|rank):/ }
                 @{$redis->cmd('KEYS', 'cx:{scores}:*')}) {
        $got{$key} = $key =~ /:score:/
            ? { @{$redis->cmd('HGETALL', $key)} }
            : { @{$redis->cmd('ZRANGE', $key, 0, -1, 'WITHSCORES')} };
        cmp_ok $redis->cmd('TTL', $key), '>', 86400, "$key expires"
            if $_[0];
    }
    return \%got;
}

my $before = scores();
is scalar(grep { /:rank:/ } keys %$before), 8, 'four ranks of hour and day';
is scalar(grep { /:score:/ } keys %$before), 8, 'scores of four pages';
$redis->cmd('DEL', keys %$before);
$redis->cmd('ZADD', $s->key('rank', 'effort', 'd', $s->day), 99, '/gone');
is +($t->aggregate(@redis, '--rebuild-scores', '--site', 'scores'))[0], 0,
    '--rebuild-scores';
is_deeply scores(1), $before, 'the same again, and no page that is gone';

# left dirty by a crash: whoever comes next scores it
$redis->cmd('DEL', keys %$before);
$redis->cmd('SADD', $s->key('dirty'), map { ("d:" . $s->day . ":/$_",
            "h:" . $s->hour . ":/$_") } 0 .. 3);
$redis->cmd('SADD', $s->key('dirty'), 'd:20010101:/x', 'nonsense');
is +($t->aggregate(@redis, '--once'))[0], 0, 'after a crash';
is_deeply scores(), $before, 'scored from the list of dirty pages';
is $redis->cmd('SCARD', $s->key('dirty')), 0, 'which is empty now';

# caps: the first ten pages of a window, then (other); also after a restart
$s = site('cap');
$s->view("/$_") for 1 .. 25;
$s->send;
my @cap = (@redis, '--once', '--pages', 10, '--site', 'cap');
is +($t->aggregate(@cap))[0], 0, 'a cap';
$s->view("/$_") for 5 .. 30;
$s->send;
is +($t->aggregate(@cap))[0], 0, 'a restart';
my $pages = $s->zset('pages', 'd', $s->day);
is_deeply $pages, { '(other)' => 35, map { ("/$_" => $_ < 5 ? 1 : 2) }
                                     1 .. 10 }, 'ten pages and (other)';
is $s->hash('page', 'd', $s->day, '(other)')->{views}, 35, 'with counters';

# late: older than hours are kept counts in its day only
$s = site('late');
my $old = $s->now - 9 * 86400_000;
$s->view('/', ts => $old)->view('/', ts => $old - 400 * 86400_000)->view('/');
$s->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'late events';
is $s->hash('page', 'd', $s->day($old), '/')->{views}, 1, 'in its day';
is $redis->cmd('EXISTS', $s->key('page', 'h', $s->hour($old), '/')), 0,
    'its hour is over';
is $s->checkpoint->{late}, 1, 'one too late for both';

# into windows that are over but kept: they change, and are scored again
my $ago = $s->now - 3 * 3600_000;
$s->view('/', ts => $ago) for 1 .. 2;
$s->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'an hour that is over';
is $s->hash('score', 'h', $s->hour($ago), '/')->{views}, 2, 'scored';
$s->view('/', ts => $ago)->view('/', ts => $old)
    ->view('/', ts => $old - 400 * 86400_000)->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'changes';
is $s->hash('page', 'h', $s->hour($ago), '/')->{views}, 3, 'counted';
is $s->hash('score', 'h', $s->hour($ago), '/')->{views}, 3, 'scored again';
is $s->hash('page', 'd', $s->day($old), '/')->{views}, 2, 'so is its day';
is_deeply [@{$s->checkpoint}{qw(entries late rejected lost)}], [8, 2, 0, 0],
    'the other one is late';

# entries that somebody else trimmed before they were read
$s = site('gap');
$s->view('/') for 1 .. 10;
$s->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'ten entries';
$s->view('/') for 1 .. 20;
$s->send;
$redis->cmd('XTRIM', $s->key('events'), 'MAXLEN', 5);
my ($status, undef, $err) = $t->aggregate(@redis, '--once');
is $status, 0, 'twenty more, but only five are left';
my $tells = $redis->major >= 7;     # how many entries were ever added
my $gone = $tells ? 15 : 0;
like $err, $tells ? qr/error: site gap: 15 entries about \S+ were trimmed/
                  : qr/error: site gap: entries behind \S+ were trimmed/, 'said';
is_deeply [@{$s->checkpoint}{qw(entries lost gaps)}], [15, $gone, 1],
    'counted';
$s->view('/')->send;
($status, undef, $err) = $t->aggregate(@redis, '--once');
unlike $err, qr/trimmed/, 'once';
is_deeply [@{$s->checkpoint}{qw(lost gaps)}], [$gone, 1], 'only';
$redis->cmd('DEL', $s->key('events'));
$s->view('/') for 1 .. 3;
$s->send;
($status, undef, $err) = $t->aggregate(@redis, '--once');
is_deeply [@{$s->checkpoint}{qw(entries lost)}], [19, $gone],
    'a stream that was begun anew is no gap';

# Redis goes away and comes back empty
$s = site('away');
$agg = $t->aggregator(@fast, '--site', 'away', '--timeout', '500ms');
$s->view('/') for 1 .. 50;
$s->send;
ok wait_for(sub { views($s) == 50 }, 5), 'works';
$redis->stop;
ok wait_for(sub { $agg->err =~ /error: unix:/ }, 5), 'trouble is said';
sleep 0.5;
$redis->start;
$s->view('/') for 1 .. 7;
$s->send;
ok wait_for(sub { views($s) == 7 }, 8), 'goes on by what is in Redis';
ok wait_for(sub { $agg->err =~ /works again after/ }, 2), 'said as well';
is scalar(() = $agg->err =~ /error: unix:/g), 1, 'once each';

# Redis refuses to write: nothing is lost, nothing half done
$redis->cmd('CONFIG', 'SET', 'maxmemory', 1);
$s->{redis} = $redis;
$redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
$s->view('/refused') for 1 .. 10;
$redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
$agg->pause;
$s->send;
$redis->cmd('CONFIG', 'SET', 'maxmemory', 1);
$agg->cont;
ok wait_for(sub { $agg->err =~ /error: unix:.*OOM/ }, 5), 'OOM is said';
is views($s), 7, 'nothing counted';
$redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
ok wait_for(sub { views($s) == 17 }, 8),
    'all of it later';
is $agg->stop, 0, 'ends well';

# replies that are not what was asked for
$s->view('/odd', visit => '00000000000000aa');
$s->send;
for my $odd (["\$4\r\nview\r\n", ":1234567\r\n"],   # a number, no string
             ["\$4\r\ntype\r\n", "*1\r\n*0\r\n\r\n"],
             ["*2\r\n\$15\r\n", "*3\r\n\$15\r\n"],
             ["*1\r\n*2\r\n\$", "*1\r\n*0\r\n\$"],
             ["}:events\r\n", "}:evenTs\r\n"])
{
    my $relay = Test::Cx::Relay->new($t, $redis, rename => $odd);
    ($status, undef, $err) = $t->aggregate('--redis', $relay->url, '--once',
                                           '--timeout', '500ms', '--site',
                                           $s->{site});
    is $status, 1, 'an odd reply';
    like $err, qr/error: .*(unexpected reply|rotocol error|timed out)/, 'said';
    is views($s), 17, 'nothing counted';
    $relay->stop;
}

# --once: a read that is refused because of one site is not the end of all
$redis->cmd('SET', 'cx:{nostream}:events', 'text');
($status, undef, $err) = $t->aggregate('--redis', $redis->url, '--once',
                                       '--site', $s->{site},
                                       '--site', 'nostream');
is $status, 1, '--once with a key that is no stream fails';
like $err, qr/error: site nostream: WRONGTYPE/, 'said';
$redis->cmd('DEL', 'cx:{nostream}:events');

# no Redis at all
($status, undef, $err) = $t->aggregate('--redis', 'unix:/nonexistent',
                                       '--once');
is $status, 1, '--once without Redis fails';
like $err, qr/\Acx-aggregator: error: unix:\/nonexistent: [^\n]+\n\z/,
    'in one line';

$t->done;
