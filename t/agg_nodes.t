#!/usr/bin/perl

# Where Redis is lost, moves or is many: replies to commits that do not come,
# a failover among Sentinels, a cluster with a node that hangs or dies, with
# shards, and with slots that move.  Everything counts once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Test::Cx;
use Test::Cx::Relay;
use Test::Cx::Stream;

my $t    = Test::Cx->new;
my @fast = ('--interval', '20ms', '--score-interval', '50ms');

sub total { $_[0]->hash('total', 'd', $_[0]->day)->{views} // 0 }
sub views {
    my ($s, $n) = @_;
    $s->view('/') for 1 .. $n;
    $s->send;
}

# ---- replies to commits ----

{
    my $redis = $t->redis;
    my $s = Test::Cx::Stream->new($redis, 'shop');
    for my $how (qw(lose stall)) {
        my $relay = Test::Cx::Relay->new($t, $redis,
            $how => qr/\r\nHSET\r\n.*\r\nEXEC\r\n/s);
        my $before = total($s);
        my $agg = $t->aggregator('--redis', $relay->url, '--timeout', '300ms',
                                 @fast);
        views($s, 100);
        ok wait_for(sub { total($s) == $before + 100 }, 8),
            "$how: counted though no reply comes";
        views($s, 50);
        ok wait_for(sub { total($s) == $before + 150 }, 12), 'again';
        ok wait_for(sub { $relay->count >= 3 }, 5), 'every one was spoilt';
        is total($s), $before + 150, 'once';
        is scalar(() = $agg->err =~ / error: /g), 1, 'one line';
        is $agg->stop(8), 0, 'ends';
        $relay->stop;
        is +($t->aggregate('--redis', $redis->url, '--once'))[0], 0, '--once';
        is total($s), $before + 150, 'nothing was left';
        is $s->checkpoint->{entries}, $before + 150, 'in step';
    }
    $redis->stop;
}

# ---- Sentinels ----

{
    my $set = $t->sentinel(replicas => 1);
    my $at = sub { $set->master };
    my $s = Test::Cx::Stream->new($at->(), 'shop');
    my $agg = $t->aggregator('--redis', $set->url, '--timeout', '1s', @fast);
    views($s, 30);
    ok wait_for(sub { total($s) == 30 }, 5), 'Sentinels name the master';
    ok wait_for(sub { $at->()->cmd('WAIT', 1, 100) }, 5), 'replicated';
    $set->kill_master;
    $s->{redis} = $at->();
    views($s, 20);
    ok wait_for(sub { total($s) == 50 }, 20), 'failover';
    is $s->checkpoint->{entries}, 50, 'each once';
    ok wait_for(sub { $agg->err =~ / warn: .*others have taken over/ }, 5),
        'said';
    is $agg->stop, 0, 'ends';
    $t->stop_all;
}

# ---- a cluster ----

my $c = $t->cluster(masters => 3, timeout => 1500);
my %site;
for my $i (1 .. 200) {
    my $node = $c->node_of("cx:{s$i}:events");
    $site{$node->port} //= Test::Cx::Stream->new($node, "s$i");
    last if keys %site == 3;
}
my @sites = map { $site{$_} } sort keys %site;
is scalar @sites, 3, 'a site on each node';
my @agg = $t->aggregator('--redis', $c->url, '--timeout', '1s', @fast);
views($_, 40) for @sites;
ok wait_for(sub { !grep { total($_) != 40 } @sites }, 8), 'all are counted';

# shards of a site, each where its slot is
my @shards = map { my $name = "split/$_";
    Test::Cx::Stream->new($c->node_of("cx:{$name}:events"), $name) } 0 .. 7;
views($_, 10) for @shards;
ok wait_for(sub { !grep { total($_) != 10 } @shards }, 8), 'shards';
ok wait_for(sub { 8 == $c->cmd('SCARD', 'cx:{split}:shards') }, 3), 'noted';
is join(' ', sort @{$c->cmd('SMEMBERS', 'cx:{split}:shards')}), "@{[0 .. 7]}",
    'each of them';
views($_, 1) for @shards;
is +($t->aggregate('--redis', $c->url, '--once', '--site', 'split'))[0], 0,
    'a split site by its name';
is join(' ', map { total($_) } @shards), "@{[(11) x 8]}", 'with its shards';

# a slot that moves, of a shard that could be but is not: no trouble for a node
{
    my $slot = $c->slot('cx:{split/100}:events');
    my $from = $c->node_of('cx:{split/100}:events');
    my ($to) = grep { $_ != $from } $c->nodes;
    $from->cmd('CLUSTER', 'SETSLOT', $slot, 'MIGRATING',
               $to->cmd('CLUSTER', 'MYID'));
    views($_, 1) for @shards;
    my ($status, undef, $err) = $t->aggregate('--redis', $c->url, '--once',
                                              '--site', 'split');
    is $status, 0, 'a slot without the shard moves' or diag $err;
    $from->cmd('CLUSTER', 'SETSLOT', $slot, 'STABLE');
    is join(' ', map { total($_) } @shards), "@{[(12) x 8]}", 'all the same';
}

# two share them
push @agg, $t->aggregator('--redis', $c->url, '--timeout', '1s', @fast);
my $split = sub {
    my %n;
    $n{$c->cmd('GET', $_->key('lease')) // ''}++ for @sites, @shards;
    return join ' ', sort { $a <=> $b } values %n;
};
ok wait_for(sub { $split->() eq '5 6' }, 15), 'two share sites and shards';
views($_, 8) for @shards;
views($_, 10) for @sites;
ok wait_for(sub { !grep({ total($_) != 20 } @shards)
                  && !grep({ total($_) != 50 } @sites) }, 8), 'both count';
is $agg[1]->stop, 0, 'one ends';

# a node that hangs, then one that is gone: the others go on
my ($bad, @good) = @sites;
$bad->{redis}->pause;
sleep 0.5;
my $began = time;
views($_, 10) for @good;
ok wait_for(sub { !grep { total($_) != 60 } @good }, 8), 'a node hangs';
views($_, 10) for @good;
ok wait_for(sub { !grep { total($_) != 70 } @good }, 3), 'others go on';
my ($first) = sort { $a <=> $b } map { $_ // 0 } map {
    my $s = $_; $s->{redis}->cmd('PTTL', $s->key('lease')) } @good;
cmp_ok $first, '>', 1000, 'their leases are kept';
$bad->{redis}->cont;
views($bad, 20);
ok wait_for(sub { total($bad) == 70 }, 12), 'awake: counted';
$bad->{redis}->kill9;
views($_, 10) for @good;
ok wait_for(sub { !grep { total($_) != 80 } @good }, 5), 'a node dies';
my $port = $bad->{redis}->port;
my @lines = grep { / error: / } split /^/m, $agg[0]->err;
ok wait_for(sub { $agg[0]->err =~ / error: redis:\S+:$port\b/ }, 5), 'said';
is $agg[0]->stop, 0, 'ends';

# slots that move while events come
my $s = $good[0];
my $slot = $c->slot($s->key('events'));
my ($to) = grep { $_->running && $_ != $s->{redis} } $c->nodes;
my $d = $t->aggregator('--redis', $c->url, '--timeout', '1s', @fast, '--site',
                       $s->{site});
views($s, 10);
ok wait_for(sub { total($s) == 90 }, 8), 'before it moves';
$c->move_slot($slot, $to);
$s->{redis} = $to;
views($s, 10);
ok wait_for(sub { total($s) == 100 }, 10), 'where it is now';
is $s->checkpoint->{entries}, 100, 'each once';

# a slot that nobody has
$_->cmd('CLUSTER', 'DELSLOTS', $slot) for $c->up;
ok wait_for(sub { $d->err =~
    / error: site $s->{site}: no node of the cluster holds slot $slot/ }, 12),
    'nobody has the slot: said';
$to->cmd('CLUSTER', 'ADDSLOTS', $slot);
$to->cmd('CLUSTER', 'BUMPEPOCH');
ok wait_for(sub { eval { views($s, 1); 1 } }, 10), 'somebody has it';
ok wait_for(sub { total($s) == 101 }, 12), 'counted';
ok wait_for(sub { $d->err =~ / warn: site $s->{site}: works again/ }, 3), 'said';
is $d->stop, 0, 'ends';

$t->done;
