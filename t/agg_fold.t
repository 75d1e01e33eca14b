#!/usr/bin/perl

# From a stream written by hand to every key of the schema, figures worked out
# by hand.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my $s     = Test::Cx::Stream->new($redis, 'shop');
my @flags = ('--redis', $redis->url, '--site', 'shop', '--once');

my ($ann, $bob) = ('a100000000000001', 'b200000000000002');

# Ann: two views and a rage click on /pay, an answer that is completed
$s->view('/pay', visit => $ann, first_ms => 120, bytes => 500);
$s->view('/pay', visit => $ann, first_ms => 2000, bytes => 700,
         status => 502, upstream_ms => 1900);
$s->signal('/pay', 'rage_click', visit => $ann, count => 2);
$s->signal('/pay', 'slow_page', visit => $ann, value => 2000);
$s->add('leave', '/pay', visit => $ann, visible_ms => 4000, scroll_pct => 60,
        lcp_ms => 2600, inp_ms => 90, cls_milli => 300, seen => 1,
        first => 1, view_ts => $s->now, status => 502, first_ms => 2000);
$s->add('shown', '/pay', visit => $ann, survey => 's-ces', trigger => 'load',
        chance => 5000);
$s->answer('/pay', 'aaaaaaaa00000001', 'ces', 3, visit => $ann,
           source => 'asked', trigger => 'load', chance => 5000,
           view_ts => $s->now, status => 502, request_ms => 2001,
           first_ms => 2000, upstream_ms => 1900, cache => 'MISS',
           signals => 'slow_page=1,rage_click=2');
$s->answer('/pay', 'aaaaaaaa00000001', 'ces', 2, visit => $ann,
           text => "two\nlines");

# Bob: one view of /pay and of /, a dismissal for good, a volunteered answer
$s->view('/pay', visit => $bob, ref => '/');
$s->view('/', visit => $bob, first_ms => 40000);
$s->add('dismiss', '/', visit => $bob, survey => 's-nps', how => 'never');
$s->answer('/', 'bbbbbbbb00000002', 'csat', 5, visit => $bob,
           source => 'volunteered');
$s->answer('/', 'bbbbbbbb00000002', 'csat', 5, visit => $bob,
           source => 'volunteered');

# pages that the edge never served to Bob: no visit, an answer all the same
$s->signal('/ghost', 'dead_click', visit => $bob, count => 4, seen => 0);
$s->add('leave', '/ghost', visit => $bob, seen => 0, visible_ms => 9);
$s->answer('/ghost', 'dddddddd00000004', 'psat', 1, visit => $bob);

# nobody we can tell apart
$s->view('/');

# what cannot be read, what comes too late
$s->raw('XADD', $s->key('events'), '*', 'type', 'click', 'page', '/');
$s->raw('XADD', $s->key('events'), '*', 'page', '/');
$s->view('/', ts => 'yesterday');
$s->signal('/', 'dance');
$s->answer('/', 'cccccccc00000003', 'ces', 8);
$s->view('/', ts => $s->now - 401 * 86400_000);
my $n = $s->send;

my ($status, $out, $err) = $t->aggregate(@flags);
is $status, 0, 'drained';
is $out, '', 'nothing on stdout';

my ($hour, $day) = ($s->hour, $s->day);
my %pay = (
    views => 3, visits => 2, views_browser => 1, peaks => 1, ends => 1,
    'status:2xx' => 2, 'status:5xx' => 1, bytes => 2200,
    'apdex:satisfied' => 2, 'apdex:frustrated' => 1, 'slow:upstream' => 1,
    'first_ms:20' => 1, 'first_ms:120' => 1, 'first_ms:3000' => 1,
    leaves => 1, visible_ms => 4000, 'scroll:75' => 1,
    'lcp:needs' => 1, 'inp:good' => 1, 'cls:poor' => 1,
    'signal:rage_click' => 2, 'visits_signal:rage_click' => 1,
    'signal:slow_page' => 1, 'visits_signal:slow_page' => 1,
    'pattern:none' => 1, 'pattern:slow_page=1,rage_click=2' => 1,
    shown => 1, answered => 1, text => 1, 'text:other' => 1,
    'answers:asked' => 1, 'ces:2' => 1,
);
my %root = (
    views => 2, visits => 2, views_untold => 1, 'status:2xx' => 2,
    'apdex:satisfied' => 1, 'apdex:frustrated' => 1, 'slow:edge' => 1,
    bytes => 2000, 'first_ms:20' => 1, 'first_ms:more' => 1,
    'pattern:none' => 2, dismissed => 1, never => 1, answered => 1,
    'answers:volunteered' => 1, 'csat:5' => 1,
);
my %ghost = (
    'unseen:dead_click' => 4, leaves => 1, visible_ms => 9, answered => 1,
    'answers:asked' => 1, 'psat:1' => 1,
);

# Ann's visit: x = 0.15 + 2 * 0.9, a chance of 85.8 %
my %site = (sessions => 2, 'peak:90' => 1, 'end:90' => 1);
for my $page (\%pay, \%root, \%ghost) {
    $site{$_} += $page->{$_} for keys %$page;
}

sub nonzero { my $h = shift; +{ map { $_ => $h->{$_} }
                                grep { $h->{$_} ne '0' } keys %$h } }

for my $w ([h => $hour], [d => $day]) {
    is_deeply nonzero($s->hash('page', @$w, '/pay')), \%pay, "@$w /pay";
    is_deeply nonzero($s->hash('page', @$w, '/')), \%root, "@$w /";
    is_deeply nonzero($s->hash('page', @$w, '/ghost')), \%ghost,
        "@$w /ghost";
    is_deeply nonzero($s->hash('total', @$w)), \%site, "@$w site";
    is_deeply $s->zset('pages', @$w), { '/pay' => 3, '/' => 2, '/ghost' => 0 },
        "@$w index: nothing of what was refused or late";
    is $redis->cmd('PFCOUNT', $s->key('visitors', @$w, '/pay')), 2,
        "@$w visitors of /pay";
    is $redis->cmd('PFCOUNT', $s->key('visitors', @$w, '/')), 1,
        "@$w visitors of /";
    is $redis->cmd('PFCOUNT', $s->key('everybody', @$w)), 2,
        "@$w visitors of the site";
}

# surveys, by day
is_deeply $s->zset('surveys', 'd', $day),
    { 's-ces' => 1, 's-csat' => 1, 's-psat' => 1, 's-nps' => 0 }, 'surveys';
is_deeply nonzero($s->hash('survey', 'd', $day, 's-ces')),
    { shown => 1, answered => 1, text => 1, 'text:other' => 1,
      'answers:asked' => 1, 'ces:2' => 1 }, 'a survey';
is_deeply nonzero($s->hash('survey', 'd', $day, 's-nps')),
    { dismissed => 1, never => 1 }, 'one that nobody answered';

# answers
is_deeply $s->hash('answer', 'aaaaaaaa00000001'),
    { ts => $s->now, page => '/pay', survey => 's-ces', metric => 'ces',
      score => 2, text => "two\nlines", source => 'asked', trigger => 'load',
      chance => 5000, view_ts => $s->now, status => 502, request_ms => 2001,
      first_ms => 2000, upstream_ms => 1900, cache => 'MISS',
      signals => 'slow_page=1,rage_click=2', other => 0,
      said => $s->now },
    'an answer: what the edge knew, no visit key, no view';
is_deeply $s->zset('verbatims'), { aaaaaaaa00000001 => $s->now }, 'verbatims';

# the checkpoint, and what was set aside
my $c = $s->checkpoint;
my ($last) = @{$redis->cmd('XREVRANGE', $s->key('events'), '+', '-',
                           'COUNT', 1)};
is $c->{id}, $last->[0], 'the checkpoint is the last entry';
is_deeply { map { $_ => $c->{$_} } qw(entries rejected late answers completed
                                      duplicates lost gaps) },
    { entries => $n, rejected => 5, late => 1, answers => 3, completed => 1,
      duplicates => 1, lost => 0, gaps => 0 }, 'lifetime counters';
my @aside = map { +{ @{$_->[1]} } }
    @{$redis->cmd('XRANGE', $s->key('rejected'), '-', '+')};
is_deeply [map { $_->{reason} } @aside],
    ['unknown type', 'no type', 'bad ts', 'unknown signal',
     'bad metric or score'], 'why';
is $aside[3]{name}, 'dance', 'with the fields they had';
like $aside[3]{id}, qr/^\d+-\d+$/, 'and their id';

# open visits: those to pages, those to the site
my @at = ($s->now) x 2;
my $ended = $s->hour((split /-/, $c->{id})[0]);
is_deeply { map { %{$s->hash('visits', $ended, $_)} } 'a', 'b' },
    { "$ann /pay" => "@at 0 slow_page=1,rage_click=2",
      "$bob /pay" => "@at 0 none", "$bob /" => "@at 0 none",
      $ann => "$at[0] 0 0 1950 0 0 1950 0 0\t/pay\t/pay",
      $bob => "$at[0] 0 0 0 0 0 0 0 0\t/\t" }, 'open visits';

# figures: I = 100 (1 - e^-(0.15 + 2 * 0.9)) / 2, CES 2 is 83.33
my $score = $s->hash('score', 'd', $day, '/pay');
my $i = 100 * (1 - exp(-1.95)) / 2;
is $score->{inferred}, sprintf('%.2f', $i), 'inferred effort';
is $score->{effort}, sprintf('%.2f', (20 * $i + 500 / 6) / 21), 'effort';
is $score->{coverage}, '33.33', 'coverage';
is "@$score{qw(apdex apdex_n)}", '0.667 3', 'Apdex';
is $score->{ces_n}, 1, 'n';
ok !exists $score->{satisfaction} && !exists $score->{nps},
    'what nobody answered is absent';
is $s->hash('score', 'd', $day, '/')->{satisfaction}, '100.00',
    'satisfaction';
is $s->hash('score', 'd', $day, '/')->{coverage}, '0.00',
    'no coverage of what could be joined';
ok !exists $s->hash('score', 'd', $day, '/ghost')->{$_},
    "$_ of a page without views is absent" for qw(coverage apdex inferred);
is $redis->cmd('EXISTS', map { $s->key('rank', $_, 'd', $day) }
               qw(effort satisfaction nps impact)), 0,
    'nothing is ranked on so little';

# every key is of the schema, has its type, and ends when it says
my $header = read_file($t->root . '/include/cx_keys.h') =~ s/"\s*\\\n\s*"//gr;
my @schema = $header =~ /^\s+K\(\w+, "([^"]+)", "([^"]+)",/mg;
my (@strange, %seen);
for my $key (sort @{$redis->cmd('KEYS', '*')}) {
    my $type = $redis->cmd('TYPE', $key);
    my $ttl = $redis->cmd('TTL', $key);
    my ($match) = grep {
        my $re = quotemeta $schema[$_];
        $re =~ s/\\%g/[hd]/; $re =~ s/\\%w/\\d{8}(?:\\d\\d)?/;
        $re =~ s/\\%n/.+/;
        $key =~ /^cx:\{shop\}:$re$/;
    } grep { $_ % 2 == 0 } 0 .. $#schema;
    my $want = defined $match ? $schema[$match + 1] : 'none';
    $want = 'string' if $want eq 'HyperLogLog';
    push @strange, "$key is $type, $want in the schema" if $type ne $want;
    $seen{$schema[$match]} = 1 if defined $match;
    my $end = $key =~ /:h:/ ? (8 + 1 / 24) * 86400
        : $key =~ /:d:/ ? 401 * 86400 : $key =~ /answer:|rejected/ ? 90 * 86400
        : $key =~ /verbatims/ ? 91 * 86400
        : $key =~ /visits:/ ? 4 * 3600 : 0;
    push @strange, "$key ends in $ttl s"
        if $end ? $ttl > $end + 1 || $ttl < $end - 86400 : $ttl != -1;
}
is "@strange", '', 'keys are those of the schema';
is join(' ', grep { !$seen{$_} } map { $schema[2 * $_] } 0 .. $#schema / 2),
    'producer:%n lease aggregators shards scored rated:%g:%w definitions '
    . 'rank:%n:%g:%w dirty',
    'and all are there, but marks of nginx, what daemons share, ranks, and '
    . 'what nginx says of its surveys';

# more of the same visit in another run: state comes back from Redis
$s->signal('/pay', 'rage_click', visit => $ann, count => 5);
$s->answer('/pay', 'aaaaaaaa00000001', 'ces', 7);
$s->view('/pay', visit => $bob);
$s->send;
is +($t->aggregate(@flags))[0], 0, 'a second run';
$pay{views} = 4; $pay{'status:2xx'} = 3; $pay{'first_ms:20'} = 2;
$pay{bytes} = 3200; $pay{'signal:rage_click'} = 7;
$pay{'apdex:satisfied'} = 3;
delete $pay{'pattern:slow_page=1,rage_click=2'};
$pay{'pattern:slow_page=1,rage_click=3'} = 1;
delete $pay{'ces:2'};
$pay{'ces:7'} = 1;
is_deeply nonzero($s->hash('page', 'd', $day, '/pay')), \%pay,
    'goes on where the first ended';
my $total = $s->hash('total', 'd', $day);
is_deeply { map { $_ => $total->{$_} } grep { /^(?:peak|end|session)/ }
            keys %$total },
    { sessions => 2, 'peak:90' => 0, 'end:90' => 0, 'peak:100' => 1,
      'end:100' => 1, peaks => 1, ends => 1 },
    'one visit to the site, worse than it was';
$s->view('/', visit => $ann);
$s->send;
is +($t->aggregate(@flags))[0], 0, 'a third run';
$total = $s->hash('total', 'd', $day);
is "@$total{qw(sessions peak:100 peaks end:100 ends)}", '2 1 1 0 0',
    'its end moves on to a page without friction';
is $s->hash('page', 'd', $day, '/pay')->{ends}, 0, 'away from the first';

# thresholds, strengths and caps from the file
my $file = $t->dir . '/thresholds.conf';
write_file($file, "slow_page_ms 100\nrage_click.cap 5 # more\n"
                  . "rage_click.strength 0.1\n");
my $x = Test::Cx::Stream->new($redis, 'tuned');
$x->view('/', visit => $ann, first_ms => $_) for 100, 101, 400, 401;
$x->signal('/', 'rage_click', visit => $ann, count => 9);
$x->send;
@flags = ('--redis', $redis->url, '--site', 'tuned', '--once');
is +($t->aggregate(@flags, '--thresholds', $file))[0], 0, 'with thresholds';
my $got = $x->hash('page', 'd', $x->day, '/');
is join(' ', map { $got->{"apdex:$_"} } qw(satisfied tolerating frustrated)),
    '1 2 1', 'T of Apdex';
is $got->{'pattern:rage_click=5'}, 1, 'a cap';
is $x->hash('total', 'd', $x->day)->{'peak:40'}, 1, 'a strength';
$score = $x->hash('score', 'd', $x->day, '/');
is $score->{inferred}, sprintf('%.2f', 100 * (1 - exp(-0.5))), 'and both';
$x->signal('/', 'rage_click', visit => $ann);
$x->send;
is +($t->aggregate(@flags))[0], 0, 'without them again';
$got = $x->hash('page', 'd', $x->day, '/');
is $got->{'pattern:rage_click=5'}, 1, 'what is stored stays';
$score = $x->hash('score', 'd', $x->day, '/');
is $score->{inferred}, sprintf('%.2f', 100 * (1 - exp(-2.7))),
    'and is scored by the default strength and cap';

$t->done;
