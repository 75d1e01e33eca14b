#!/usr/bin/perl

# A cluster whose nodes come and go for years: more of them than there are
# places for at a time, and new ones are found all the same.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Load;
use Time::HiRes qw(sleep);

use constant { GONE => 120, ROUNDS => 3, STREAM => 'cx:{localhost}:events' };

my $t = Test::Cx->new;

# a node that is never called lost, as those that are gone shall stay in its map
my $c = $t->cluster(masters => 1, timeout => 3_600_000, appendonly => 'yes');
my $first = $c->node(0);
my $slot = $c->slot(STREAM);

# the first node starts again and knows masters, one slot each, at addresses
# where nobody is: they were there while nginx did not look
sub strangers {
    my ($round, $n) = @_;
    my $file = $first->dir . '/nodes.conf';
    $first->stop;
    my @theirs = grep { $_ != $slot } 0 .. $n;
    $#theirs = $n - 1;
    my @mine = runs(grep { my $s = $_; !grep { $s == $_ } @theirs } 0 .. $n);
    my ($myself) = grep { /\bmyself\b/ } split /\n/, read_file($file);
    $myself =~ s/ connected\K.*//;
    write_file($file, join "\n", "$myself @mine " . ($n + 1) . '-16383',
        (map { sprintf '%040x 127.7.%d.%d:%d@%d master - 0 0 %d connected %d',
                   $round << 16 | $_ + 1, $round, $_ % 200 + 1, 7000 + $_,
                   17000 + $_, 0, $theirs[$_] } 0 .. $n - 1),
        "vars currentEpoch 9 lastVoteEpoch 0\n");
    $first->start;
    wait_for(sub { $first->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/ }, 20);
    my %seen = map { join(':', @{$_->[2]}[0, 1]) => 1 }
        @{$first->cmd('CLUSTER', 'SLOTS')};
    return scalar keys %seen;
}

sub runs {
    my @runs;
    for (@_) {
        if (@runs && $runs[-1][1] == $_ - 1) { $runs[-1][1] = $_ }
        else { push @runs, [$_, $_] }
    }
    return map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0]-$_->[1]" } @runs;
}

my $ngx = $t->nginx(cx => 1, http => 'cx_redis ' . $first->tcp . " cluster;\n"
    . 'cx_queue size=16m flush=20ms;',
    server => 'keepalive_requests 1000000;');

once('at first', $c, load($ngx, 0.5));

for my $round (1 .. ROUNDS) {
    is strangers($round, GONE), GONE + 1, "round $round: other nodes";
    once("round $round", $c, load($ngx, 0.5));
}

# of more than there are places for, some slots are nowhere, but not ours
is strangers(ROUNDS + 1, 300), 301, 'more than there is room for';
once('too many', $c, load($ngx, 0.5));
sleep 1.2;
once('too many, later', $c, load($ngx, 0.5));

# and now one that is there
is strangers(ROUNDS + 2, GONE), GONE + 1, 'fewer again';
my $second = Test::Cx::Redis->new($t, %{$first->{opt}});
push @{$c->{nodes}}, $second;
$second->cmd('CLUSTER', 'SET-CONFIG-EPOCH', 100);
$first->cmd('CLUSTER', 'MEET', '127.0.0.1', $second->port);
my $id = $c->id($second);
ok wait_for(sub {
    my ($there) = grep { /^$id / } split /\n/, $first->cmd('CLUSTER', 'NODES');
    $there && $there !~ /handshake/
        && $second->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/
        && grep { $_->[0] <= $slot && $_->[1] >= $slot }
               @{$second->cmd('CLUSTER', 'SLOTS')};
}, 20), 'a new node comes';
once('while a slot moves to it', $c, load($ngx, 1.5, sub {
    $c->move_slot($slot, $second);
}));
ok $second->cmd('EXISTS', STREAM), 'the stream is there';
cmp_ok $ngx->counter('redis_redirects'), '>=', 1, 'nginx was sent there';

$t->done;
