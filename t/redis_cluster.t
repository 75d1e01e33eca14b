#!/usr/bin/perl

# Redis Cluster: each shard of a site is where its slot is, wherever that
# moves; each event arrives once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Load;
use Time::HiRes qw(time sleep);

use constant SHARDS => 8;

my $t = Test::Cx->new;
my $c = $t->cluster(masters => 3, replicas => 1, timeout => 1000,
                    appendonly => 'yes');

sub nginx_to {
    my ($words, %o) = @_;
    return $t->nginx(cx => 1, http => "cx_redis $words;\n"
        . 'cx_queue size=32m flush=20ms batch=20; '
        . 'cx_site shop shards=' . SHARDS . ';',
        server => 'keepalive_requests 1000000;', %o);
}

my $serial = 0;

# beacons of many visits; marks that got 204
sub burst {
    my ($ngx, $n) = @_;
    my $con = $ngx->connect;
    my @marks;
    for (1 .. $n) {
        my $mark = 'm' . ++$serial;
        my $r = $con->post('/_cx/events', { v => 1, page => '/a', events => [
            { type => 'signal', name => 'js_error', target => $mark } ] },
            'User-Agent' => 'Mozilla/5.0 Test ' . $serial % 50);
        push @marks, $mark if $r->{status} == 204;
    }
    return @marks;
}

sub load_for {
    my ($ngx, $seconds) = @_;
    my $end = time + $seconds;
    my @marks;
    while (time < $end || (@marks && @marks <= 20)) {    # a busy machine
        last if time > $end + 10;
        push @marks, burst($ngx, 10);
        sleep 0.02;
    }
    return @marks;
}

sub key { "cx:{shop/$_[0]}:events" }

# marks and how often they are there; how many in which shard
sub stored {
    my ($of, @shards) = @_;
    my (%n, %in);
    for my $k (@shards ? @shards : 0 .. SHARDS - 1) {
        for my $ev (eval { $of->events("shop/$k") }) {
            $n{$ev->{target} // ''}++;
            $in{$k}++;
        }
    }
    return (\%n, \%in);
}

sub all_once {
    my ($name, $of, @marks) = @_;
    my $n;
    wait_for(sub { ($n) = stored($of); !grep { !$n->{$_} } @marks }, 15);
    my @lost = grep { !$n->{$_} } @marks;
    my @twice = grep { ($n->{$_} // 0) > 1 } @marks;
    cmp_ok scalar @marks, '>', 20, "$name: " . @marks . ' events';
    is scalar @lost, 0, "$name: none lost" or diag "@lost[0 .. 5]";
    is scalar @twice, 0, "$name: none twice" or diag "@twice[0 .. 5]";
}

# spread
my $ngx = nginx_to($c->url, workers => 2);
my @all = load_for($ngx, 1);
all_once('well', $c, @all);
my (undef, $in) = stored($c);
is scalar(keys %$in), SHARDS, 'each shard has events';
my %nodes = map { ($c->node_of(key($_))->port => 1) } 0 .. SHARDS - 1;
cmp_ok scalar(keys %nodes), '>', 1, 'on several nodes';
is scalar(news($ngx)), 0, 'well: nothing in the log';

# a slot moves while events come, with workers that Redis knows and one that it
# does not
my $slot = $c->slot(key(0));
my $from = $c->node_of_slot($slot);
my ($to) = grep { $_ != $from } $c->masters;
my ($before, $new, @more) = ($ngx->counter('redis_redirects') // 0);
$c->move_slot($slot, $to, sub {
    my ($step) = @_;
    $new //= nginx_to($c->url);
    push @more, load_for($ngx, 0.4), burst($new, 50);
});
push @more, load_for($ngx, 0.3), burst($new, 50);
all_once('a slot moves', $c, @more);
is $c->node_of(key(0))->port, $to->port, 'it has moved';
cmp_ok $ngx->counter('redis_redirects'), '>', $before, 'redirects are counted';
is scalar(news($ngx)), 0, 'a slot moves: nothing in the log';
is scalar(news($new)), 0, '... of a new worker neither';
$new->quit;

# many at a time, as after a resharding
my @moving = map { $c->slot(key($_)) } 1 .. 4;
@more = ();
for (@moving) {
    my $at = $c->node_of_slot($_);
    my ($other) = grep { $_ != $at } $c->masters;
    $c->open_slot($_, $other);
    push @more, burst($ngx, 20);
    my @keys = @{$at->cmd('CLUSTER', 'GETKEYSINSLOT', $_, 100)};
    for my $key (@keys) {
        $at->cmd('MIGRATE', '127.0.0.1', $other->port, $key, 0, 5000);
        push @more, burst($ngx, 20);
    }
    $c->close_slot($_, $other);
    push @more, burst($ngx, 20);
}
push @more, load_for($ngx, 0.3);
all_once('resharding', $c, @more);
is scalar(news($ngx)), 0, 'resharding: nothing in the log';
$c->wait_ok;

# a node dies; what was acknowledged has reached its replica
sleep 0.3;
my $dead = $c->node_of(key(0));
my %there = map { ($_ => $c->node_of(key($_)) == $dead) } 0 .. SHARDS - 1;
my @others = grep { !$there{$_} } keys %there;
ok @others > 0, 'not all shards are on one node';
$c->kill($dead);
my @during = burst($ngx, 100);
my ($n, $killed) = ({}, time);
wait_for(sub { ($n) = stored($c, @others);
               grep({ $n->{$_} } @during) > 20 }, 3);
cmp_ok time - $killed, '<', 1, 'other shards do not wait for it';
push @during, load_for($ngx, 1);
ok $c->wait_ok(20), 'a replica takes over';
all_once('a node dies', $c, @during, load_for($ngx, 0.3));
my @lines = news($ngx);
cmp_ok scalar(grep { /\[error\]/ } @lines), '>=', 1, 'its end is told';
my %count;
$count{$_}++ for map { s/^.*?\] //r } grep { /\[error\]/ } @lines;
is scalar(grep { $_ > 1 } values %count), 0, '... once a worker'
    or diag @lines;
cmp_ok scalar(grep { /not needed any more|is back/ } @lines), '>=', 1,
    '... and that it is over';
cmp_ok $ngx->counter('dropped_events'), '==', 0, 'none dropped';

# it comes back as a replica
$c->start($dead);
ok $c->wait_ok(20), 'the node is back';
all_once('as replica', $c, load_for($ngx, 0.3));
news($ngx);

# one seed that is down, one that is up
my $nobody = free_port();
my ($seed) = $c->masters;
my $few = nginx_to("redis://127.0.0.1:$nobody " . $seed->tcp . ' cluster');
all_once('few seeds', $c, load_for($few, 0.5));
is scalar(news($few)), 0, 'few seeds: nothing in the log';
$few->quit;

# a slot that nobody has, while the others go on
my $lonely = $c->slot(key(5));
my $owner = $c->node_of_slot($lonely);
$_->cmd('CLUSTER', 'DELSLOTS', $lonely) for $c->masters;
@more = load_for($ngx, 0.5);
ok wait_for(sub { $ngx->error_log =~ /CLUSTERDOWN/ }, 5), 'CLUSTERDOWN: told';
($n) = stored($c, grep { $_ != 5 } 0 .. SHARDS - 1);
cmp_ok scalar(grep { $n->{$_} } @more), '>', 20, '... others go on';
my $error = $ngx->error_log;
my $lines = () = $error =~ /CLUSTERDOWN/g;
sleep 2;
my $later = () = $ngx->error_log =~ /CLUSTERDOWN/g;
cmp_ok $later, '<=', 2, '... once a worker';
$owner->cmd('CLUSTER', 'ADDSLOTS', $lonely);
$c->wait_ok;
all_once('served again', $c, @more, load_for($ngx, 0.3));
@lines = news($ngx);
cmp_ok scalar(grep { /is back/ } @lines), '>=', 1, '... and that is told'
    or diag @lines;

# a cluster taken for one node, one node taken for a cluster
my $single = nginx_to($seed->tcp);
load_for($single, 0.3);
ok wait_for(sub { $single->error_log
                      =~ /expected several urls or the word "cluster"/ }, 5),
    'a single node of a cluster: told';
$single->stop;
my $plain = $t->redis;
my $wrong = nginx_to($plain->tcp . ' cluster');
load_for($wrong, 0.3);
ok wait_for(sub { $wrong->error_log =~ /cluster support disabled/ }, 5),
    'no cluster: told';
$wrong->stop;

# names of nodes instead of addresses; before Redis 7 only the seed has one
if ($seed->major >= 7) {
    $_->cmd('CONFIG', 'SET', 'cluster-announce-hostname', 'localhost'),
        $_->cmd('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'hostname')
        for $c->nodes;
    sleep 1;
}
my $named = nginx_to('redis://localhost:' . $seed->port . ' cluster');
all_once('names', $c, load_for($named, 0.5));
is scalar(news($named)), 0, 'names: nothing in the log';
$named->quit;

# over TLS and with a password
my $tls = $t->cluster(masters => 3, tls => 1, password => 's3cret');
my $over = nginx_to($tls->url);
all_once('over TLS', $tls, load_for($over, 0.5));
is scalar(news($over)), 0, 'over TLS: nothing in the log';
unlike $over->error_log, qr/s3cret/, 'no password in the log';

$t->done;
