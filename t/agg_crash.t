#!/usr/bin/perl

# Exactly once: two aggregators on one stream, one of them killed at random
# moments again and again while entries arrive, and what Redis says to commits
# of the other often lost on its way; every counter then equals what was
# produced.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use POSIX ();
use Time::HiRes qw(time sleep);

use Test::Cx;
use Test::Cx::Relay;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my $s     = Test::Cx::Stream->new($redis, 'shop');
my $relay = Test::Cx::Relay->new($t, $redis, lose => qr/\r\nEXEC\r\n/,
                                 odds => 0.3);
my @via   = ($redis->url, $relay->url);
my @flags = ('--interval', '20ms', '--site', 'shop',
             '--score-interval', '50ms', '--batch', '700');

my $seed = $ENV{CX_SEED} // time ^ $$;
srand $seed;
note "CX_SEED=$seed";

# what was produced, by page and field
my (%want, %visit, %site, %answers, %choice, $entries);
my ($offers, $drawn) = (0, 0);
my @used = qw(error_page slow_page aborted_wait reload rage_click dead_click
              js_error);
my $table = read_file($t->root . '/include/cx_signal.h');
my (%cap, %strength, @order);
while ($table =~ /^ +S\(\w+, "(\w+)", \w+, ([\d.]+), (\d+),/mg) {
    my ($name, $b, $cap) = ($1, $2, $3);
    next if !grep { $_ eq $name } @used;
    push @order, $name;
    @cap{$name} = $cap;
    $strength{$name} = $b;
}
is "@order", "@used", 'the table of signals';

sub count { $want{$_[0]}{$_[1]} += $_[2] // 1 }

sub seen {
    my ($page, $v) = @_;
    count($page, 'visits') if !$visit{"$v $page"};
    return $visit{"$v $page"} //= { page => $page, n => {} };
}

# a visit to the site: its worst page, and the one viewed last
sub moment {
    my ($page, $v, $view) = @_;
    my $s = $site{$v} //= { end => $page, x => {}, peak => 0 };
    $s->{end} = $page if $view;
    my $n = $visit{"$v $page"}{n};
    my $x = 0;
    $x += $strength{$_} * ($n->{$_} > $cap{$_} ? $cap{$_} : $n->{$_})
        for keys %$n;
    $s->{x}{$page} = $x;
    @$s{qw(peak worst)} = ($x, $page) if $x > $s->{peak} + 1e-9;
    return;
}

# the chance of a struggle in percent, rounded up to tens
sub tens { 10 * POSIX::ceil(10 * (1 - exp -$_[0]) - 1e-9) }

sub produce {
    my ($n) = @_;
    for (1 .. $n) {
        $entries++;
        my $page = '/p' . int(rand(1) ** 2 * 60);
        my $v = sprintf '%02x%014x', rand 256, rand 900;
        my $roll = rand;
        if ($roll < 0.55) {
            $s->view($page, visit => $v);
            seen($page, $v);
            moment($page, $v, 1);
            count($page, 'views');
            count($page, 'apdex:satisfied');
        } elsif ($roll < 0.9) {
            my $name = $order[rand @order];
            my $c = 1 + int rand 2;
            $s->signal($page, $name, visit => $v, count => $c);
            seen($page, $v)->{n}{$name} += $c;
            moment($page, $v);
            count($page, "signal:$name", $c);
        } elsif ($roll < 0.92) {
            $s->signal($page, 'rage_click', visit => $v, seen => 0);
            count($page, 'unseen:rage_click');
        } elsif ($roll < 0.97) {
            my $first = int rand 2;
            $s->add('leave', $page, visit => $v, visible_ms => 10, seen => 1,
                    $first ? (first => 1, view_ts => $s->now) : ());
            seen($page, $v);
            moment($page, $v);
            count($page, 'views_browser') if $first;
            count($page, 'leaves');
            count($page, 'visible_ms', 10);
        } else {
            my $id = sprintf '%08x', rand 300;
            my $choice = join ',', grep { rand > 0.5 } 0 .. 3;
            $s->answer($page, $id, 'ces', 1 + int rand 7, visit => $v,
                       version => '1a2b3c4d', choice => $choice);
            count($answers{$id} = $page, 'answered') if !$answers{$id};
            $choice{$id} = $choice if $choice ne '';
            $s->offer($page, 's-ces@1a2b3c4d=' . ($roll > 0.985 ? 1 : 0));
            $s->refused('s-ces', '1a2b3c4d', 'token', 2);
            $entries += 2;
            $offers++;
            $drawn++ if $roll > 0.985;
        }
    }
    $s->send;
}

sub pattern {
    my ($n) = @_;
    my @p = map { my $c = $n->{$_} // 0; $c = $cap{$_} if $c > $cap{$_};
                  $c ? "$_=$c" : () } @order;
    return @p ? join ',', @p : 'none';
}

sub agg { $t->aggregator('--redis', $via[$_[0]], @flags) }

my @agg = map { agg($_) } 0, 1;
my ($kills, $end) = (0, time + 9);

# on a busy machine it may take longer until enough has gone wrong
while (time < $end
       || ($kills < 6 || !$relay->count) && time < $end + 30) {
    produce(400 + rand 1200);
    sleep rand 0.06;
    next if rand > 0.7;
    my $i = rand 2;
    $agg[$i]->kill9;
    $kills++;
    $agg[$i] = agg($i);

    # nobody waits for a lease to run out
    $redis->cmd('DEL', $s->key('lease'));
}

ok $kills > 5, "killed $kills times";
ok $relay->count > 0, $relay->count . ' replies to commits were lost';
$relay->stop;
my $caught = wait_for(sub { ($s->checkpoint->{entries} // 0) >= $entries }, 8);
ok $caught, "all $entries entries were read";
is $s->checkpoint->{entries}, $entries, 'and each of them once';
sleep 1;    # the one that was started last may not hear signals yet
is $_->stop, 0, 'SIGTERM ends with status 0' for @agg;
is $s->checkpoint->{$_}, 0, "none $_" for qw(rejected late lost);
is $s->checkpoint->{answers}, scalar keys %answers, 'distinct answers';

# a quota is the only thing that is written as an increment
is $s->hash('quota')->{'s-ces'}, scalar keys %answers, 'quota';
is $s->hash('quota')->{'s-ces:' . $s->day}, scalar keys %answers, 'of the day';
my $survey = $s->hash('survey', 'd', $s->day, 's-ces@1a2b3c4d');
is_deeply [@$survey{qw(eligible sampled refused:token answered)}],
    [$offers, $drawn, 2 * $offers, scalar keys %answers], 'the funnel';
my @chosen = (0) x 4;
$chosen[$_]++ for map { split /,/ } values %choice;
is_deeply [map { $survey->{"choice:$_"} // 0 } 0 .. 3], \@chosen,
    'choices, after all corrections';

my ($status, undef, $err) = $t->aggregate('--redis', $redis->url, @flags,
                                          '--once');
is $status, 0, 'one more run, to score what the last kill left';

my (%kinds, @wrong, $checked, %total);
$kinds{$_->{page}}{pattern($_->{n})}++ for values %visit;

for my $v (values %site) {
    my $x = $v->{x}{$v->{end}} // 0;
    $total{sessions}++;
    $total{'end:' . tens($x)}++ if $x;
    $total{'peak:' . tens($v->{peak})}++ if $v->{peak};
    count($v->{end}, 'ends') if $x;
    count($v->{worst}, 'peaks') if $v->{peak};
}

for my $page (sort keys %want) {
    my $got = $s->hash(page => 'd', $s->day, $page);
    for my $f (sort keys %{$want{$page}}) {
        $checked++;
        push @wrong, "$page $f: $got->{$f}, want $want{$page}{$f}"
            if ($got->{$f} // 0) != $want{$page}{$f};
        $total{$f} += $want{$page}{$f};
    }
    for my $f (qw(peaks ends)) {
        push @wrong, "$page $f: $got->{$f}, want none"
            if $got->{$f} && !$want{$page}{$f};
    }

    # explicit patterns are exact; what fell into classes is the rest
    my ($sum, $rest) = (0, 0);
    for my $f (grep { /^pattern:/ } keys %$got) {
        my ($p) = $f =~ /^pattern:(.*)/;
        $sum += $got->{$f};
        if ($p =~ /^other=/) { $rest += $got->{$f}; next }
        $checked++;
        push @wrong, "$page $f: $got->{$f}, want at most "
                     . ($kinds{$page}{$p} // 0)
            if $got->{$f} > ($kinds{$page}{$p} // 0) || $got->{$f} < 0
               || (!grep({ /other=/ } keys %$got)
                   && $got->{$f} != ($kinds{$page}{$p} // 0));
    }
    push @wrong, "$page: patterns add up to $sum" if $sum != $got->{visits};
}

is "@wrong[0 .. ($#wrong > 9 ? 9 : $#wrong)]", '',
   "$checked counters are what was produced";

my $total = $s->hash(total => 'd', $s->day);
is_deeply { map { $_ => $total->{$_} } keys %total }, \%total,
    'so is the site';
is join(' ', grep { /^(?:peak|end):/ && $total->{$_} && !$total{$_} }
             sort keys %$total), '', 'no visit to the site in another bin';
cmp_ok $total->{ends}, '<=', $total->{sessions}, 'ends of visits to the site';
cmp_ok $total->{ends}, '>', 0, 'of which there are some';
is $redis->cmd('SCARD', $s->key('dirty')), 0, 'all is scored';
ok $redis->cmd('XLEN', $s->key('events')) <= 100,
    'the stream is trimmed behind the checkpoint';

$t->done;
