#!/usr/bin/perl

# cxctl: each command, for people and for programs, and its exit status.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep);
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my $s     = Test::Cx::Stream->new($redis, 'shop');
my @redis = ('--redis', $redis->url);

sub ctl { $t->ctl($_[0], @redis, @_[1 .. $#_]) }

sub data {
    my ($status, $out, $err) = ctl(@_, '--json');
    is $err, '', "@_ --json: quiet";
    return json($out);
}

# nothing there
my ($status, $out, $err) = ctl('pages');
is $status, 2, 'no site: status 2';
like $err, qr/^cxctl: unix:\S+: no site has any events\n\z/, 'said';

# a troubled page, a good one, one that is rarely seen but angry
sub visit { sprintf '%016x', $_[0] }
for my $i (1 .. 40) {
    $s->view('/pay', visit => visit($i));
    $s->signal('/pay', 'error_page', visit => visit($i)) if $i % 2;
    $s->view('/', visit => visit($i));
    $s->view('/', visit => visit($i));
    $s->add('leave', '/', visit => visit($i), visible_ms => 100, seen => 1,
            first => 1, view_ts => $s->now);
    $s->answer('/', visit($i), 'csat', 5, visit => visit($i)) if $i <= 8;
    $s->answer('/pay', visit(1000 + $i), 'csat', $i % 5 ? 1 : 5,
               visit => visit($i)) if $i <= 10;
    $s->add('shown', '/pay', visit => visit($i), survey => 's-csat');
}
$s->view('/angry', visit => visit(99));
$s->signal('/angry', 'rage_click', visit => visit(99), count => 9);
$s->answer('/angry', visit(2000), 'nps', 0, visit => visit(99),
           text => "line one\nline two \x{c3}\x{a9}");
$s->add('dismiss', '/', visit => visit(3), survey => 's-nps', how => 'close');
$s->view('/slow', visit => visit(98), first_ms => $_) for 800, 801, 3201;
$s->signal('/slow', 'dead_click', visit => visit(97), seen => 0, count => 3);
$s->view('/slow');
my $n = $s->send;

# lag before and after
my $lag = data('lag')->[0];
is $lag->{unread}, $n, 'lag: all unread';
is $lag->{checkpoint}, '0-0', 'no checkpoint';
($status, $out) = ctl('lag');
is $status, 0, 'young events are no reason for an alarm';
like $out, qr/^shop +$n +\d+\.\d s +never /m, 'table';
sleep 1.2;
is +(ctl('lag', '--max', 1))[0], 1, 'old ones are: status 1';
is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
$lag = data('lag')->[0];
is_deeply [@$lag{qw(unread behind_ms entries)}], [0, 0, $n], 'nothing unread';
is +(ctl('lag', '--max', 0))[0], 0, 'status 0';
is_deeply [@$lag{qw(shard lease lease_seen_ms aggregators)}],
    [undef, undef, undef, 0], 'nobody is at work';

# lag for monitors: limits, who is at work, Prometheus
{
    my $agg = $t->aggregator(@redis);
    ok Test::Cx::wait_for(sub { data('lag')->[0]{lease} }, 10), 'at work';
    my $lag = data('lag')->[0];
    is $lag->{aggregators}, 1, 'one';
    cmp_ok $lag->{lease_seen_ms}, '<', 5000, 'just seen';
    ($status, $out) = ctl('lag');
    like $out, qr/^shop +0 .* 1  \S+:\d+:[0-9a-f]{8}, seen \d\.\d s ago$/m,
        'table';
    is $agg->stop, 0, 'ends';
}
$redis->cmd('XADD', $s->key('events'), '*', 'type', 'nonsense') for 1 .. 3;
($status) = ctl('lag', '--max-entries', 3);
is $status, 0, 'as many unread as is all right';
is +(ctl('lag', '--max-entries', 2))[0], 1, 'one more: status 1';
is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
is +(ctl('lag', '--max-entries', 0, '--max-rejected', 3))[0], 0, 'three';
($status, $out, $err) = ctl('lag', '--max-rejected', 2, '--prometheus');
is $status, 1, 'more rejected than is all right: status 1';
is $err, '', 'quiet';
like $out, qr/^# HELP cx_aggregator_$_->[0] \S.*\.\n# TYPE cx_aggregator_$_->[0] $_->[1]\ncx_aggregator_$_->[0]\{site="shop",shard=""\} $_->[2]$/m,
    $_->[0]
    for ['lag_entries', 'gauge', 0], ['lag_seconds', 'gauge', '0\.000'],
    ['rejected_total', 'counter', 3], ['lost_total', 'counter', 0],
    ['gaps_total', 'counter', 0], ['entries_total', 'counter', $n + 3],
    ['updated_timestamp_seconds', 'gauge', '\d{10}\.\d{3}'],
    ['instances', 'gauge', 0], ['lease_held', 'gauge', 0];
my @families = $out =~ /^# TYPE (\S+)/mg;
is scalar @families, 10, 'each family once';
is scalar(grep { !/^(?:# (?:HELP|TYPE) )?cx_aggregator_\w+[ {]/ }
          split /\n/, $out), 0, 'nothing else';
($status, undef, $err) = $t->ctl('lag', '--redis', 'unix:/nonexistent',
                                 '--prometheus');
is $status, 2, 'cannot tell: status 2';
like $err, qr/\Acxctl: [^\n]+\n\z/, 'said';

# pages
my $pages = data('pages');
is_deeply [map { $_->{page} } @{$pages->{pages}}],
    ['/pay', '/', '/slow', '/angry'], 'worst first; not the one angry click';
my ($pay, $home, $slow, $angry) = @{$pages->{pages}};
is_deeply [@$pay{qw(rank views visitors)}], [1, 40, 40], 'counts';
my ($b) = map { $_->{strength} } grep { $_->{name} eq 'error_page' }
    @{data('signals')->{signals}};
cmp_ok abs($pay->{inferred} - 50 * (1 - exp(-$b))), '<', 0.01, 'effort';
ok $pay->{effort_lo} < $pay->{effort} && $pay->{effort} < $pay->{effort_hi},
    'interval';
ok !defined $angry->{rank} && $angry->{effort} > 90
    && $angry->{effort_lo} == 0, 'effort of one visit, not ranked';
ok exists $angry->{satisfaction} && !defined $angry->{satisfaction},
    'no answers: null';
is $pages->{total}{views}, 125, 'total';
is $home->{coverage}, 50, 'coverage: 40 of 80 views';
is $pages->{total}{coverage}, 32.26, 'coverage: of those told apart';
is $slow->{apdex}, 0.625, 'Apdex: two satisfied, one tolerating, one not';
ok $slow->{apdex_lo} < 0.625 && $slow->{apdex_hi} > 0.625, 'interval';
is $slow->{apdex_n}, 4, 'views it rests on';

# visits to the site: 20 fail at /pay and go on, one ends angry
is $pages->{total}{sessions}, 42, 'visits to the site';
my $peak = (20 * 55 + 95) / 42;             # middles of the bins
my $end  = 95 / 42;
cmp_ok abs($pages->{total}{remembered} - ($peak + $end) / 2), '<', 0.01,
    'remembered: mean of peak and end';
ok $pages->{total}{remembered_lo} < $pages->{total}{remembered}
    && $pages->{total}{remembered} < $pages->{total}{remembered_hi},
    'interval';
is $pages->{window}, $s->day, 'window';
is data('pages', '--by', 'satisfaction')->{pages}[0]{page}, '/pay',
    'by satisfaction';
is data('pages', '--by', 'views')->{pages}[0]{page}, '/', 'by views';
is scalar @{data('pages', '--limit', 1)->{pages}}, 1, '--limit';
is data('pages', '--window', 'h')->{window}, $s->hour, 'the hour';
is scalar @{data('pages', '--window', '20010101')->{pages}}, 0, 'long ago';
($status, $out) = ctl('pages');
like $out, qr/^1  \/pay +40 +40 +\d+ \(\d+\.\.\d+\) /m, 'table';
like $out, qr/^-  \/angry /m, 'not ranked';
like $out, qr/^   all pages +125 +42 /m, 'total';
like $out, qr/^ +\S+ +\/slow .* 0%? +0\.62$|^\S+ +\/slow .* 0\.62$/m, 'Apdex';
like $out, qr/^42 visits to the site began, remembered friction 15 \(\d+\.\.\d+\)/m,
    'what is remembered';

# page
my $page = data('page', '/pay');
is $page->{counters}{'signal:error_page'}, 20, 'page: counters';
is_deeply $page->{patterns}, { none => 20, 'error_page=1' => 20 }, 'patterns';
is $page->{figures}{inferred_n}, 40, 'figures';
is $page->{visitors}, 40, 'visitors';
($status, $out) = ctl('page', '/pay');
like $out, qr/^signal:error_page +20$/m, 'table';
like $out, qr/^peaks +20$/m, 'the worst page of 20 visits to the site';
unlike $out, qr/unseen/i, 'nothing that was not seen';
is_deeply [grep { /^(?:sessions|peak:|end:)/ } keys %{$page->{counters}}], [],
    'what only a site has';
$page = data('page', '/slow');
is_deeply [@{$page->{counters}}{'unseen:dead_click', 'signal:dead_click'}],
    [3, 0], 'signals of visits that were not served the page';
($status, $out) = ctl('page', '/slow');
like $out, qr/^apdex +0\.625\n.*^Reported by browsers in visits that were not [^\n]*\n\n[^\n]*\ndead_click +3\n\z/ms,
    'apart';
unlike $out, qr/^unseen:/m, 'only there';
($status, $out) = ctl('page', '/angry');
like $out, qr/^peaks +1\nends +1$/m, 'peak and end';
is +(ctl('page', '/nowhere'))[0], 1, 'unknown page: status 1';

# surveys
my ($csat, $nps) = @{data('surveys')->{surveys}};
is_deeply [@$csat{qw(survey metric shown answered)}],
    ['s-csat', 'csat', 40, 18], 'surveys';
is_deeply $csat->{scores}, { 1 => 8, 2 => 0, 3 => 0, 4 => 0, 5 => 10 },
    'scores';
cmp_ok abs($csat->{figures}{satisfaction} - 1000 / 18), '<', 0.01, 'figure';
is $nps->{dismissed}, 1, 'dismissed';
($status, $out) = ctl('surveys');
like $out, qr/^s-csat +csat +0 +0 +40 +0 +18 +45\.0% +0 +0 +0\.0%  satisfied % 56 \(/m,
    'table';
is +(ctl('surveys', '--window', 'h'))[0], 2, 'by day only';

# verbatims; what would do harm on a terminal does not
my $v = data('verbatims')->{verbatims};
is_deeply [@{$v->[0]}{qw(page metric score text)}],
    ['/angry', 'nps', 0, "line one\nline two \x{e9}"], 'verbatims';
$redis->cmd('HSET', $s->key('answer', visit(2000)), text =>
            "\e]0;x\a red\x{c2}\x{9b}31m \x{e2}\x{80}\x{ae}txt \x{7f}end");
($status, $out) = ctl('verbatims');
like $out, qr/  \/angry +s-nps +nps 0 +asked +(\S.*)\n\z/, 'table';
like $out, qr/\Q\x1b]0;x\x07 red\xc2\x9b31m \xe2\x80\xaetxt \x7fend\E$/,
    'escaped';
unlike $out, qr/[\x00-\x09\x0b-\x1f\x7f]/, 'no control bytes';

# tail
my @tail = map { $t->spawn(name => 'tail', out => $t->dir . "/tail$_->[0]",
    cmd => [$t->build . '/cxctl', 'tail', @redis, '--limit', 2, @$_[1 .. $#$_]])
} [0], [1, '--json'];
sleep 0.5;
$s->view('/tail', visit => visit(5));
$s->answer('/tail', visit(3000), 'ces', 7, text => "a\nb");
$s->view('/more')->send;
is $_->wait_exit(5), 0, 'tail ends at its limit' for @tail;
my @lines = split /\n/, $tail[0]->out;
is scalar @lines, 2, 'two lines';
like $lines[0], qr/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  view +\/tail  visit=0+5 .*status=200 /,
    'an event';
like $lines[1], qr/  answer  \/tail .*text=a\\nb/, 'escaped';
my @json = map { json($_) } split /\n/, $tail[1]->out;
is_deeply [map { $_->{type} } @json], ['view', 'answer'], 'a JSON text each';
is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';

# check: finds what does not agree
($status, $out) = ctl('check');
is $status, 0, 'check: fine' or diag $out;
like $out, qr/^site shop: ok: 2 windows, 12 pages, 0 problems$/, 'said';
my @day = ('d', $s->day);
for (
    [['HINCRBY', $s->key('page', @day, '/'), 'views', 1],
     qr/d \d+ \/: 81 views, the index says 80/],
    [['HINCRBY', $s->key('page', @day, '/'), 'pattern:none', 1],
     qr/patterns add up to 41 of 40 visits/],
    [['HINCRBY', $s->key('total', @day), 'leaves', 1],
     qr/leaves of the site is 41, its pages add up to 40/],
    [['HINCRBY', $s->key('page', @day, '/'), 'csat:1', 1],
     qr/\/: nps:0 to psat5:5 add up to 9 of 8 answered/],
    [['HINCRBY', $s->key('page', @day, '/slow'), 'apdex:satisfied', 1],
     qr/\/slow: apdex:satisfied to apdex:frustrated add up to 5 of 4 views/],
    [['HINCRBY', $s->key('page', @day, '/'), 'views_browser', 41],
     qr/\/: views_browser to views_untold add up to 81 of 80 views/],
    [['HINCRBY', $s->key('page', @day, '/pay'), 'peaks', 21],
     qr/\/pay: peaks is 41, visits only 40/],
    [['HINCRBY', $s->key('page', @day, '/angry'), 'ends', 1],
     qr/\/angry: ends is 2, visits only 1/],
    [['HINCRBY', $s->key('page', @day, '/angry'), 'sessions', 1],
     qr/d \d+: its pages have sessions/],
    [['HINCRBY', $s->key('page', @day, '/pay'), 'visits_signal:error_page', 1],
     qr/\/pay: visits_signal:error_page is 21, patterns say 20/],
    [['HINCRBY', $s->key('total', @day), 'peak:60', 22],
     qr/d \d+: of 42 sessions 43 have a peak, and 1 an end with friction/],
    [['HINCRBY', $s->key('total', @day), 'end:100', 21],
     qr/d \d+: of 42 sessions 21 have a peak, and 22 an end with friction/],
    [['HINCRBY', $s->key('total', 'h', $s->hour), 'sessions', 1],
     qr/sessions of the site is 42, its hours add up to 43/],
    [['HINCRBY', $s->key('total', 'h', $s->hour), 'leaves', 1],
     qr/leaves of the site is 40, its hours add up to 41/],
    [['HSET', $s->key('score', @day, '/pay'), 'effort', '1.00'],
     qr/\/pay: effort is "1.00", should be "\d/],
    [['ZADD', $s->key('rank', 'effort', @day), 99, '/pay'],
     qr/\/pay: its rank by effort is 99, should be/],
    [['ZADD', $s->key('rank', 'effort', @day), 99, '/angry'],
     qr/\/angry: must not be ranked by effort/],
    [['ZREM', $s->key('rank', 'impact', @day), '/pay'],
     qr/\/pay: is not ranked by impact/],
    [['HSET', $s->key('checkpoint'), 'id', '99999999999999-0'],
     qr/checkpoint 99999999999999-0 \d+ is ahead of the stream|checkpoint .*is ahead/],
) {
    my ($cmd, $re) = @$_;
    my $dump = $redis->cmd('DUMP', $cmd->[1]);
    $redis->cmd(@$cmd);
    my ($status, $out) = ctl('check');
    is $status, 1, "@$cmd: status 1";
    like $out, $re, 'found';
    my $ttl = $redis->cmd('PTTL', $cmd->[1]);
    $redis->cmd('RESTORE', $cmd->[1], $ttl < 0 ? 0 : $ttl, $dump, 'REPLACE');
}
my $check = data('check')->[0];
ok $check->{ok} && $check->{pages} == 12, 'all put back';

# strengths are those of the aggregator's file
my $strong = write_file($t->dir . '/strong', "error_page.strength 2\n");
ok !data('check', '--thresholds', $strong)->[0]{ok},
    'other strengths: figures do not agree';
is +($t->aggregate(@redis, '--rebuild-scores', '--thresholds', $strong))[0],
    0, 'scored anew';
ok data('check', '--thresholds', $strong)->[0]{ok}, 'now they do';
is +(ctl('check'))[0], 1, 'and not with the defaults';
is +($t->aggregate(@redis, '--rebuild-scores'))[0], 0, 'scored anew';
is +(ctl('check'))[0], 0, 'as before';

# while the aggregator is at work
my $agg = $t->aggregator(@redis, '--interval', '20ms', '--score-interval',
                         '20ms');
my $bad = 0;
for (1 .. 15) {
    $s->view('/busy' . int(rand 20), visit => visit(int rand 500))
        for 1 .. 200;
    $s->send;
    ($status, $out) = ctl('check');
    $bad++, diag $out if $status;
}
is $bad, 0, 'check is right under load';
is $agg->stop, 0, 'ends';

# several sites, and mistakes
Test::Cx::Stream->new($redis, 'blog')->view('/')->send;
($status, undef, $err) = ctl('pages');
is $status, 2, 'which site?';
like $err, qr/^cxctl: which --site: blog shop\n\z/, 'said';
is scalar @{data('lag')}, 2, 'lag asks all';
($status, $out) = ctl('lag', '--prometheus');
is scalar(() = $out =~ /^# TYPE /mg), 10, 'a family is told once';
like $out, qr/^(cx_aggregator_lag_entries)\{site="blog",shard=""\} 1\n\1\{site="shop",/m,
    'of all sites together';
is data('pages', '--site', 'shop')->{site}, 'shop', '--site';
for (
    [['nonsense'], qr/unknown command "nonsense"/],
    [['pages', '--windov', 'd'], qr/unknown option "--windov"/],
    [['pages', '--window', '20260231'], qr/--window "20260231": expected/],
    [['pages', '--by', 'luck'], qr/--by "luck": expected/],
    [['pages', '--limit', 'x'], qr/--limit "x": expected a number/],
    [['pages', '--limit'], qr/option "--limit": needs a value/],
    [['pages', 'x'], qr/argument "x": is one too many/],
    [['pages', '--site', 'a b'], qr/--site "a b": expected/],
    [['page'], qr/needs a page key/],
    [['pages', '--redis', 'rediss://h verify=no'], qr/verify=off/],
    [['pages', '--redis', 'unix:/nonexistent'], qr/No such file/],
) {
    my ($args, $re) = @$_;
    my ($status, undef, $err) = $t->ctl($args->[0], @redis,
                                        @$args[1 .. $#$args]);
    is $status, 2, "@$args: status 2";
    like $err, qr/\Acxctl: [^\n]*$re[^\n]*\n\z/, 'said';
}
is +($t->ctl('--help'))[0], 0, '--help';
like +($t->ctl('--version'))[1], qr/^cxctl \d/, '--version';

$t->done;
