#!/usr/bin/perl

# Who works on which site: shares, take-over after a crash and after a clean
# end, giving back, leases that are deleted or set by hand, aggregators that
# stand still for longer than a lease.  Counters stay exact in all of it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my @flags = ('--redis', $redis->url, '--interval', '20ms', '--score-interval',
             '50ms');
my @sites = map { Test::Cx::Stream->new($redis, "s$_") } 1 .. 5;
my $n     = 0;

sub agg { $t->aggregator(@flags) }

sub feed {
    for my $s (@sites) {
        $s->view('/' . $_ % 3, visit => sprintf '%016x', $_) for 1 .. 20;
        $s->send;
    }
    $n += 20;
}

sub counted {
    my ($seconds) = @_;
    return wait_for(sub {
        !grep { ($_->checkpoint->{entries} // 0) < $n } @sites;
    }, $seconds // 5);
}

sub exact {
    my ($what) = @_;
    is join(' ', map { $_->hash('total', 'd', $_->day)->{views} } @sites),
        join(' ', ($n) x @sites), "each view once: $what";
}

sub owners {
    my %of;
    for my $s (@sites) {
        my $id = $redis->cmd('GET', $s->key('lease')) // '';
        $of{$1}++ if $id =~ /:(\d+):\w{8}$/;
    }
    return \%of;
}

sub split_as {
    my (@want) = @_;
    return wait_for(sub {
        "@want" eq join ' ', sort { $a <=> $b } values %{owners()};
    }, 10);
}

# alone: all of it
my $a = agg();
feed();
ok counted(), 'one counts all';
is_deeply owners(), { $a->pid => 5 }, 'and has all leases';
cmp_ok $redis->cmd('PTTL', $sites[0]->key('lease')), '<=', 5000,
    'which do not last';
cmp_ok $redis->cmd('PTTL', $sites[0]->key('lease')), '>', 2500,
    'but are renewed';
is $redis->cmd('ZCARD', $sites[0]->key('aggregators')), 1, 'it is seen';
cmp_ok $redis->cmd('TTL', $sites[0]->key('aggregators')), '>', 80000,
    'for a day';

# a second one gets its share, and a third one
my $b = agg();
ok split_as(2, 3), 'two share';
my $before = owners();
is $before->{$a->pid}, 3, 'the first keeps what it may';
feed();
ok counted(), 'both count';
exact('two aggregators');
my $c = agg();
ok split_as(1, 2, 2), 'three share';
feed();
ok counted(), 'all count';
my $settled = join ' ', map { $redis->cmd('GET', $_->key('lease')) } @sites;
sleep 4;
is join(' ', map { $redis->cmd('GET', $_->key('lease')) } @sites), $settled,
    'nothing goes to and fro';

# SIGKILL: its sites are taken over when the leases have run out
my $dead = (grep { owners()->{$_->pid} == 2 } $a, $b, $c)[0];
my @live = grep { $_ != $dead } $a, $b, $c;
feed();
$dead->kill9;
my $begin = time;
feed();
ok counted(9), 'killed: the others take over';
cmp_ok time - $begin, '<', 7.5, 'within about five seconds';
exact('after SIGKILL');
ok split_as(2, 3), 'shared again';

# SIGTERM: at once
$begin = time;
is $live[0]->stop, 0, 'one ends';
feed();
ok counted(), 'the last one takes over';
cmp_ok time - $begin, '<', 3, 'at once';
is_deeply owners(), { $live[1]->pid => 5 }, 'all is its';
is $redis->cmd('ZCARD', $sites[0]->key('aggregators')), 2,
    'who ended is not listed, who was killed is';
exact('after SIGTERM');

# leases deleted by hand, while two are at work
my $d = agg();
ok split_as(2, 3), 'two share';
for (1 .. 15) {
    $redis->cmd('DEL', map { $_->key('lease') } @sites);
    feed();
    sleep 0.1;
}
ok counted(), 'leases that vanish';
exact('leases deleted');

# one stands still for longer than its leases
for my $still ($d, $live[1]) {
    ok wait_for(sub { owners()->{$still->pid} }, 10), 'it has some';
    feed();
    $still->pause;
    feed();
    ok counted(9), 'the other one takes over';
    feed();
    $still->cont;
    feed();
    ok counted(), 'both awake';
    exact('stood still');
}
ok split_as(2, 3), 'shared again';

# a lease that nobody renews and that does not end, or not soon
is $_->stop, 0, 'end' for $d, $live[1];
$redis->cmd('SET', $sites[0]->key('lease'), 'me');
$redis->cmd('SET', $sites[1]->key('lease'), 'me', 'PX', 3600_000);
$redis->cmd('SET', $sites[2]->key('lease'), 'me', 'PX', 1500);
feed();
my $e = agg();
ok counted(5), 'set by hand';
like $e->err, qr/site s3: another aggregator is at work \(me\), standing by/,
    'said';
like $e->err, qr/site s3: taking over at/, 'as well';
unlike $e->err, qr/site s[1245]: (?:another|taking)/, 'only of that';

# --once counts in spite of leases, and leaves them alone
feed();
$e->pause;
$redis->cmd('PEXPIRE', $_->key('lease'), 60000) for @sites;
feed();
is +($t->aggregate(@flags, '--once'))[0], 0, '--once';
ok counted(0), 'counts';
is_deeply owners(), { $e->pid => 5 }, 'and leaves leases alone';
$e->cont;
feed();
ok counted(), 'the other goes on';
exact('--once beside');

# a key of the wrong type stops its own site only
$redis->cmd('DEL', $sites[4]->key('aggregators'));
$redis->cmd('SET', $sites[4]->key('aggregators'), 'x');
ok wait_for(sub { $e->err =~ /error: site s5: WRONGTYPE/ }, 5), 'said';
feed();
ok wait_for(sub { !grep { $_->checkpoint->{entries} < $n } @sites[0 .. 3] },
            5), 'the others go on';
$redis->cmd('DEL', $sites[4]->key('aggregators'));
ok counted(8), 'mended';
ok wait_for(sub { $e->err =~ /warn: site s5: works again/ }, 2), 'said';
exact('in the end');
is $e->stop, 0, 'ends well';
my ($status, $out) = $t->ctl('check', '--redis', $redis->url);
is $status, 0, 'cxctl check' or diag $out;

$t->done;
