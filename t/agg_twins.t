#!/usr/bin/perl

# Two aggregators at work on one stream: one counts, the other stands by; when
# the first ends the other takes over; nothing counts twice, also where both
# believe that the stream is theirs.

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
my @flags = ('--redis', $redis->url, '--interval', '20ms', '--batch', '500',
             '--score-interval', '20ms');
my @agg   = map { $t->aggregator(@flags) } 1, 2;
my $n     = 0;
my %people;

# visits to the site, and those that ended on a page with friction
sub sessions {
    my $total = $s->hash('total', 'd', $s->day);
    my $bins = 0;
    $bins += $total->{$_} for grep { /^end:/ } keys %$total;
    return "$total->{sessions} " . ($total->{ends} // 0) . " $bins";
}

sub burst {
    my ($bursts, $meanwhile) = @_;
    for my $turn (1 .. $bursts) {
        $meanwhile->($turn) if $meanwhile;
        for (1 .. 500) {
            my $v = sprintf '%016x', $n % 1000;
            $s->view('/p' . $n % 7, visit => $v);
            $people{$v} = 1;
            $n++;
        }
        $s->send;
        sleep 0.02;
    }
    return wait_for(sub { ($s->checkpoint->{entries} // 0) >= $n }, 20);
}

ok burst(60), 'read all';
is $s->hash('total', 'd', $s->day)->{views}, $n, 'each view once';
my @standby = grep { $_->err =~ /standing by/ } @agg;
ok scalar @standby, 'one of them noticed the other';

# who is at work, by the lease
sub owner {
    my $id = $redis->cmd('GET', $s->key('lease')) // '';
    return grep { $id =~ /:${\$_->pid}:\w+$/ } @_;
}

# end whoever is at work, without warning
my ($busy) = owner(@agg);
$busy->kill9;
ok burst(20), 'the other goes on';
is $s->hash('total', 'd', $s->day)->{views}, $n, 'each view once';
is sessions(), scalar(keys %people) . ' 0 0', 'each visit to the site once';

# both out, both in
$agg[$_]->stop for 0, 1;
@agg = map { $t->aggregator(@flags) } 1 .. 3;
ok burst(30), 'three of them';
is $s->hash('total', 'd', $s->day)->{views}, $n, 'each view once';

# two believe that it is theirs: the lease vanishes, is given to another one by
# hand, or its owner stands still for longer than that lasts
ok burst(40, sub { $redis->cmd('DEL', $s->key('lease')) if $_[0] % 5 == 0 }),
    'leases that vanish';
is $s->hash('total', 'd', $s->day)->{views}, $n, 'each view once';
my @ids = grep { my $id = $_; grep { $id =~ /:${\$_->pid}:/ } @agg }
    @{$redis->cmd('ZRANGE', $s->key('aggregators'), 0, -1)};
is scalar @ids, 3, 'all three are seen';
ok burst(60, sub {
    $redis->cmd('SET', $s->key('lease'), $ids[$_[0] / 4 % 3], 'PX', 5000)
        if $_[0] % 4 == 0;
}), 'leases that change hands';
is $s->hash('total', 'd', $s->day)->{views}, $n, 'each view once';
my ($still) = owner(@agg);
ok burst(60, sub {
    $still->pause if $_[0] == 20;
    $redis->cmd('DEL', $s->key('lease')) if $_[0] == 25;
    $still->cont if $_[0] == 45;
}), 'one stands still';
$still->pause;
ok burst(20), 'for longer than a lease lasts';
$still->cont;
ok burst(20), 'and is back';
is $s->hash('total', 'd', $s->day)->{views}, $n, 'each view once';
is sessions(), scalar(keys %people) . ' 0 0', 'each visit to the site once';

for my $v (map { sprintf '%016x', $_ } 0 .. 199) {
    $s->view('/end', visit => $v);
    $s->signal('/end', 'error_page', visit => $v);
    $n += 2;
}
ok burst(1), 'some with trouble at the end, and more views by others';
is $s->hash('page', 'd', $s->day, '/end')->{peaks}, 200, 'the worst moment';
my $gone = grep { $_ < 200 } map { ($n - 500 + $_) % 1000 } 0 .. 499;
is sessions(), keys(%people) . ' ' . (200 - $gone) . ' ' . (200 - $gone),
    'still each visit once, and its end moved once';
is $_->stop, 0, 'ends well' for @agg;
is +($t->aggregate(@flags, '--once'))[0], 0, 'scored';
my ($status, $out) = $t->ctl('check', '--redis', $redis->url);
is $status, 0, 'cxctl check' or diag $out;

$t->done;
