#!/usr/bin/perl

# Streams that somebody else trims, deletes, begins anew or puts an old copy in
# the place of: found, counted and said, and what comes later counts.  The same
# with a Redis that does not tell how many entries were ever added.

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
my $old   = Test::Cx::Relay->new($t, $redis,
                                 rename => ['entries-added', 'entries-addxx']);
my $tells = $redis->major >= 7;     # how many entries were ever added
my $made  = 0;

sub views {
    my ($s, $n) = @_;
    $s->view('/') for 1 .. $n;
    $s->send;
}

# one run over a site; what it said of trouble
sub run {
    my ($s, $url) = @_;
    my ($status, undef, $err) = $t->aggregate('--redis', $url // $redis->url,
        '--once', '--site', $s->{site});
    is $status, 0, 'status 0' or diag $err;
    return join '', grep { /error|warn/ } split /^/m, $err;
}

sub life { my $c = $_[0]->checkpoint;
           "$c->{entries} read $c->{lost} lost $c->{gaps} gaps" }
sub total { $_[0]->hash('total', 'd', $_[0]->day)->{views} // 0 }

for my $url ($redis->url, $tells ? $old->url : ()) {
    my $is_old = !$tells || $url eq $old->url;
    my $which = $is_old ? 'Redis before 7' : 'Redis';
    my $site = sub { Test::Cx::Stream->new($redis, 'g' . ++$made) };
    my $key;

    # nothing done by others is no gap, whatever was trimmed by us
    my $s = $site->();
    for (1 .. 3) {
        views($s, 150);
        is run($s, $url), '', "$which: quiet";
    }
    is life($s), '450 read 0 lost 0 gaps', 'all read';

    # trimmed unread
    $s = $site->();
    $key = $s->key('events');
    views($s, 10);
    run($s, $url);
    views($s, 20);
    $redis->cmd('XTRIM', $key, 'MAXLEN', 5);
    like run($s, $url), $is_old ? qr/^\S+ error: .*how many, only Redis 7/
                                : qr/^\S+ error: .*: 15 entries about/,
        "$which: trimmed";
    is life($s), $is_old ? '15 read 0 lost 1 gaps' : '15 read 15 lost 1 gaps',
        'counted';
    views($s, 5);
    is run($s, $url), '', 'said once';

    # all of it, unread
    views($s, 7);
    $redis->cmd('XTRIM', $key, 'MAXLEN', 0);
    like run($s, $url), qr/ error: .*trimmed by somebody/, "$which: all of it";
    is run($s, $url), '', 'said once';
    is life($s), $is_old ? '20 read 0 lost 2 gaps' : '20 read 22 lost 2 gaps',
        'counted';
    views($s, 3);

    # Redis before 7: nothing is left that would say that none is missing
    my $again = run($s, $url);
    is $again, '', 'goes on' if !$is_old;
    is total($s), 23, 'what is there counts';

    # deleted and begun anew
    views($s, 4);
    $redis->cmd('DEL', $key);
    views($s, 6);
    like run($s, $url), $is_old ? qr/ error: .*trimmed by somebody/
                                : qr/ error: .*deleted and begun anew/,
        "$which: begun anew";
    like life($s), $is_old ? qr/^29 read .* 4 gaps/ : qr/^29 read .* 3 gaps/,
        'counted';
    is run($s, $url), '', 'said once';
    views($s, 6);
    $redis->cmd('XTRIM', $key, 'MAXLEN', 2);
    run($s, $url);
    like life($s), $is_old ? qr/^31 read 0 lost 5/ : qr/^31 read 26 lost 4/,
        'and trimmed: counted';

    # an old copy is put in its place: what is in it may be counted already
    $s = $site->();
    $key = $s->key('events');
    views($s, 30);
    my $copy = $redis->cmd('DUMP', $key);
    sleep 0.01;
    views($s, 5);
    run($s, $url);
    $redis->cmd('DEL', $key);
    $redis->cmd('RESTORE', $key, 0, $copy);
    like run($s, $url), qr/ error: .*ends at .*, before the checkpoint/,
        "$which: an old copy";
    is life($s), '35 read 30 lost 1 gaps', 'left out, counted';
    is total($s), 35, 'nothing counts twice';
    is run($s, $url), '', 'said once';
    views($s, 4);
    is run($s, $url), '', 'what comes then counts';
    is total($s), 39, 'and nothing else';

    # the same entry by entry, as a dump in the form of commands does it
    my @entries = @{$redis->cmd('XRANGE', $key, '-', '+')};
    $redis->cmd('DEL', $key);
    for my $i (0, 10, 20) {
        for my $e (@entries[$i .. $i + 9]) {
            $redis->cmd('XADD', $key, $e->[0], @{$e->[1]});
        }
        run($s, $url);
        is total($s), 39, "$which: entry by entry: nothing counts twice";
    }
    is life($s), '39 read 60 lost 4 gaps', 'left out, each counted once';
    views($s, 2);
    run($s, $url);
    is total($s), 41, 'goes on';

    # a clock that went back: its ids are before the checkpoint, and counts
    $s = $site->();
    $key = $s->key('events');
    $redis->cmd('XADD', $key, '9000000000000-5', qw(type view page /x ts),
                $s->now);
    run($s, $url);
    is $s->checkpoint->{id}, '9000000000000-5', 'by a clock far ahead';
    $redis->cmd('DEL', $key);
    views($s, 3);
    like run($s, $url), qr/ error: .*clock set back; its 3 entries/,
        "$which: the clock went back";
    views($s, 8);
    is run($s, $url), '', 'goes on';
    is life($s), '9 read 3 lost 1 gaps', 'from there';

    # entries that are deleted one by one
    $s = $site->();
    $key = $s->key('events');
    views($s, 6);
    run($s, $url);
    views($s, 6);
    my @ids = map { $_->[0] } @{$redis->cmd('XRANGE', $key,
                                            '(' . $s->checkpoint->{id}, '+')};
    $redis->cmd('XDEL', $key, @ids[1, 2]);
    my $said = run($s, $url);
    like $said, qr/: 2 entries about/, 'XDEL' if !$is_old;
    is life($s), $is_old ? '10 read 0 lost 0 gaps' : '10 read 2 lost 1 gaps',
        'counted where that can be known';
}

# whatever was done: all that is behind the checkpoint counts, and nothing else
for my $url ($redis->url, $tells ? $old->url : ()) {
    my $s = Test::Cx::Stream->new($redis, 'g' . ++$made);
    my $key = $s->key('events');
    my $seed = $ENV{CX_SEED} // int rand 1e9;
    my ($copy, $sum, $can, @did);
    srand $seed;
    my %do = (
        add  => sub { views($s, 1 + int rand 8) },
        trim => sub { $redis->cmd('XTRIM', $key, 'MAXLEN', int rand 10) },
        del  => sub { $redis->cmd('DEL', $key) },
        xdel => sub {
            my @e = @{$redis->cmd('XRANGE', $key, '-', '+')};
            $redis->cmd('XDEL', $key, $e[rand @e][0]) if @e;
        },
        dump => sub { $copy = $redis->cmd('DUMP', $key) // $copy },
        back => sub {
            $redis->cmd('RESTORE', $key, 0, $copy, 'REPLACE') if $copy;
        },
    );
    my @names = (('add') x 5, sort keys %do);
    views($s, $sum = 5);
    run($s, $url);
    for (1 .. 20) {
        for my $name (map { $names[rand @names] } 0 .. rand 4) {
            push @did, $name;
            $do{$name}->();
        }
        $can = @{$redis->cmd('XRANGE', $key, '(' . $s->checkpoint->{id}, '+')};
        push @did, "read $can";
        run($s, $url);
        $sum += $can;
        last if $s->checkpoint->{entries} != $sum;
    }
    is total($s), $sum, 'all that can be read counts, once'
        or diag "CX_SEED=$seed: @did";
}

# one that runs notices by itself, also what it had read behind the gap before
# it looked, where Redis tells, and a stream that fell back
my $s = Test::Cx::Stream->new($redis, 'daemon');
my $key = $s->key('events');
my $agg = $t->aggregator('--redis', $redis->url, '--interval', '20ms',
                         '--score-interval', '20ms', '--site', 'daemon');
views($s, 40);
ok wait_for(sub { total($s) == 40 }, 15), 'a daemon';
$agg->pause;
views($s, 20);
$redis->cmd('XTRIM', $key, 'MAXLEN', 5);
$agg->cont;
ok wait_for(sub { total($s) >= 45 }, 15), 'reads on behind the gap';
my $read = total($s);                  # one may have been on its way
my $lost = $tells ? 60 - $read : 0;
if ($tells) {
    ok wait_for(sub { $agg->err =~ /1[45] entries about/ }, 15),
        'which it notices';
    ok wait_for(sub { $s->checkpoint->{lost} == $lost }, 15), 'read or lost';
}
my $id = $s->checkpoint->{id};
$redis->cmd('DEL', $key);
$redis->cmd('XADD', $key, '1000000000000-1', qw(type view page /x ts), $s->now);
ok wait_for(sub { $agg->err =~ /before the checkpoint/ }, 15), 'falls back';
is $s->checkpoint->{id}, $id, 'the checkpoint stays: the clock is ahead of it';
views($s, 1);
$read++;
$lost++;
ok wait_for(sub { total($s) == $read }, 15), 'what comes then counts';
is life($s), "$read read $lost lost " . ($tells ? 2 : 1) . ' gaps',
    'and all of it is counted';

# an entry far ahead, and all begins anew under the clock as it is
$redis->cmd('XADD', $key, '9000000000000-5', qw(type view page /x ts), $s->now);
ok wait_for(sub { $s->checkpoint->{id} eq '9000000000000-5' }, 15), 'far ahead';
$redis->cmd('DEL', $key);
views($s, 1);
ok wait_for(sub { $s->checkpoint->{id} lt '9' }, 15), 'the checkpoint follows';
views($s, 2);
ok wait_for(sub { total($s) == $read + 2 }, 15), 'what comes then counts';
is $agg->stop, 0, 'ends well';

# Two are at work, one sleeps.  The stream falls back to where it fell asleep:
# what it knows is of that id, but not of now.
$s = Test::Cx::Stream->new($redis, 'asleep');
$key = $s->key('events');
views($s, 1);
my $ahead = $s->now + 3600000;
$redis->cmd('XADD', $key, "$ahead-5", qw(type view page / ts), $s->now);
$agg = $t->aggregator('--redis', $redis->url, '--interval', '20ms',
                      '--score-interval', '20ms', '--site', 'asleep');
ok wait_for(sub { total($s) == 2 }, 15), 'one reads';
sleep 0.3;
$agg->pause;
$redis->cmd('XADD', $key, "$ahead-9", qw(type view page / ts), $s->now);
run($s);
is total($s), 3, 'another one reads on';
$redis->cmd('DEL', $key);
$redis->cmd('XADD', $key, "$ahead-5", qw(type view page / ts), $s->now);
like run($s), qr/before the checkpoint/, 'and the stream falls back';
is $s->checkpoint->{id}, "$ahead-5", 'to where the first one was';
$redis->cmd('XADD', $key, "$ahead-6", qw(type view page / ts), $s->now);
$agg->cont;
ok wait_for(sub { $s->checkpoint->{id} eq "$ahead-6" }, 10), 'it wakes';
is total($s), 4, 'and loads what was counted';
is life($s), '4 read 1 lost 1 gaps', 'with its lifetime counters';
is $agg->stop, 0, 'ends well';

$t->done;
