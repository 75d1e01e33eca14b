package Test::Cx::Cluster;

# A private Redis Cluster.
#
#   my $c = $t->cluster(masters => 3, replicas => 1);
#   $t->nginx(redis => $c, ...);
#   $c->cmd('XLEN', 'cx:{shop}:events');      # goes where its key is
#   $c->kill($c->node_of('cx:{shop}:events'));
#   $c->wait_ok;                              # a replica took over
#   $c->move_slot($c->slot('cx:{shop}:x'), $c->node(2));
#
# options: masters (3), replicas of each (0), timeout of nodes in ms (2000), and
# those of Test::Cx::Redis.  Slots that nobody serves do not stop the others.

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw(time sleep);

use constant SLOTS => 16384;

sub new {
    my ($class, $t, %opt) = @_;
    my $masters = delete $opt{masters} // 3;
    my $replicas = delete $opt{replicas} // 0;
    my $timeout = delete $opt{timeout} // 2000;
    my $c = bless { t => $t, n => $masters, password => $opt{password} },
        $class;
    my $conf = join "\n", 'cluster-enabled yes',
        "cluster-node-timeout $timeout", 'cluster-require-full-coverage no',
        'cluster-replica-validity-factor 0', 'repl-diskless-sync-delay 0',
        ($opt{password} ? "masterauth $opt{password}" : ()),
        $opt{conf} // '';
    $c->{nodes} = [ map { Test::Cx::Redis->new($t, %opt, cluster => 1,
                                               conf => $conf) }
                    1 .. $masters * (1 + $replicas) ];
    $c->_join;
    return $c;
}

# with room for the port of the cluster's bus
sub free_port {
    for (1 .. 1000) {
        my $port = 20000 + int rand 35000;
        my @s = map { IO::Socket::INET->new(Listen => 1, Proto => 'tcp',
                          LocalAddr => '127.0.0.1', LocalPort => $_) }
            $port, $port + 10000;
        return $port if $s[0] && $s[1];
    }
    die "no port\n";
}

sub nodes { @{$_[0]{nodes}} }
sub node  { $_[0]{nodes}[$_[1]] }

sub _join {
    my ($c) = @_;
    my @nodes = $c->nodes;
    my @masters = @nodes[0 .. $c->{n} - 1];
    $c->id($_) for @nodes;
    for my $i (0 .. $#nodes) {
        $nodes[$i]->cmd('CLUSTER', 'SET-CONFIG-EPOCH', $i + 1);
        $nodes[$i]->cmd('CLUSTER', 'MEET', '127.0.0.1', $nodes[0]->port)
            if $i;
    }
    for my $i (0 .. $#masters) {
        $masters[$i]->cmd('CLUSTER', 'ADDSLOTS',
            int(SLOTS * $i / @masters) .. int(SLOTS * ($i + 1) / @masters) - 1);
    }
    my $known = sub {
        my ($node) = @_;
        my @lines = grep { !/handshake/ }
            split /\n/, $node->cmd('CLUSTER', 'NODES');
        return @lines == @nodes;
    };
    Test::Cx::wait_for(sub { !grep { !$known->($_) } @nodes }, 15)
        or die "the cluster's nodes do not find each other\n";
    for my $i (@masters .. $#nodes) {
        $nodes[$i]->cmd('CLUSTER', 'REPLICATE', $c->id($nodes[$i % @masters]));
    }
    $c->wait_ok(20) or die "the cluster is not complete\n";
}

# as cx_redis takes it
sub words {
    my ($c) = @_;
    my @nodes = $c->nodes;
    my $auth = $c->{password} ? ":$c->{password}@" : '';
    return ((map { $_->tcp($auth) } @nodes[0 .. ($#nodes > 15 ? 15 : $#nodes)]),
            'cluster', $nodes[0]->tls_words);
}
sub urls { goto &words }
sub url  { join ' ', $_[0]->words }

sub up { grep { $_->up } $_[0]->nodes }

# those that have slots
sub masters {
    my ($c) = @_;
    my ($node) = $c->up;
    my %id = map { $_->[2][2] => 1 } @{$node->cmd('CLUSTER', 'SLOTS')};
    return grep { $id{$c->id($_)} && $_->up } $c->nodes;
}

sub id { my ($c, $node) = @_; $node->{id} //= $node->cmd('CLUSTER', 'MYID') }

sub by_port {
    my ($c, $port) = @_;
    return +(grep { $_->port == $port } $c->nodes)[0];
}

# in CLUSTER SLOTS, too: a node that speaks TLS only may say there that its
# port is 0, as we ask without
sub by_id {
    my ($c, $id) = @_;
    return +(grep { $c->id($_) eq $id } $c->nodes)[0];
}

# CRC16 of the key or of its hash tag
sub slot {
    my ($c, $key) = @_;
    $key = $1 if $key =~ /^[^{]*\{([^}]+)\}/;
    my $crc = 0;
    for my $byte (unpack 'C*', $key) {
        $crc ^= $byte << 8;
        for (1 .. 8) {
            $crc = $crc & 0x8000 ? ($crc << 1) ^ 0x1021 : $crc << 1;
            $crc &= 0xffff;
        }
    }
    return $crc % SLOTS;
}

# the master that serves a slot, by what the nodes that run believe
sub node_of_slot {
    my ($c, $slot) = @_;
    for my $node ($c->up) {
        my $rows = eval { $node->cmd('CLUSTER', 'SLOTS') } // [];
        for my $row (@$rows) {
            next if $slot < $row->[0] || $slot > $row->[1];
            my $found = $c->by_id($row->[2][2]);
            return $found if $found && $found->up;
        }
    }
    return;
}

sub node_of { my ($c, $key) = @_; $c->node_of_slot($c->slot($key)) }

# the first word after the command is the key
sub cmd { my ($c, @args) = @_; $c->cmd_for($args[1], @args) }

sub cmd_for {
    my ($c, $key, @args) = @_;
    my $end = time + 10;
    my $node = $c->node_of($key);
    my $asking;
    while (1) {
        my $value = eval {
            die "CLUSTERDOWN no node for $key\n" if !$node;
            $node->cmd('ASKING') if $asking;
            $node->cmd(@args);
        };
        return $value if $@ eq '';
        die $@ if time > $end || $@ !~ /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN
                                          |READONLY|LOADING|redis:)/x;
        $asking = $@ =~ /^ASK /;
        if ($@ =~ /^(?:MOVED|ASK) \d+ \S*:(\d+)/) {
            $node = $c->by_port($1);
            next;
        }
        sleep 0.05;
        $node = $c->node_of($key);
    }
}

sub events { goto &Test::Cx::Redis::events }
sub xlen   { goto &Test::Cx::Redis::xlen }
sub wait_events { goto &Test::Cx::Redis::wait_events }

sub kill  { $_[1]->kill9 }
sub start { $_[1]->start(1) }

# all that run say ok, agree on who serves what, every slot is served by one
# that runs, and replicas that run are in step; how many may be missing is the
# caller's business
sub wait_ok {
    my ($c, $seconds) = @_;
    return Test::Cx::wait_for(sub { eval { $c->ok } }, $seconds // 20);
}

sub ok {
    my ($c) = @_;
    my $common;
    for my $node ($c->up) {
        my $info = eval { $node->cmd('CLUSTER', 'INFO') } // '';
        return 0 if $info !~ /cluster_state:ok/
            || $info !~ /cluster_slots_ok:16384/;
        my $map = join ' ', sort map { "@$_[0, 1]:$_->[2][2]" }
            @{$node->cmd('CLUSTER', 'SLOTS')};
        $common //= $map;
        return 0 if $map ne $common;
        return 0 if $node->info('replication', 'role') eq 'slave'
            && $node->info('replication', 'master_link_status') ne 'up';
    }
    for my $id (($common // '') =~ /:(\w+)/g) {
        my $node = $c->by_id($id);
        return 0 if !$node || !$node->up;
    }
    return defined $common;
}

# moves a slot with all its keys, in steps that clients see: between each
# step the code is called, if any
sub move_slot {
    my ($c, $slot, $to, $code) = @_;
    my $from = $c->node_of_slot($slot) or die "nobody has slot $slot\n";
    return if $from == $to;
    $c->open_slot($slot, $to);
    $code->('open') if $code;
    while (my @keys = @{$from->cmd('CLUSTER', 'GETKEYSINSLOT', $slot, 100)}) {
        $from->cmd('MIGRATE', '127.0.0.1', $to->port, '', 0, 10000,
                   ($c->{password} ? ('AUTH', $c->{password}) : ()),
                   'KEYS', @keys);
        $code->('moved') if $code;
    }
    $c->close_slot($slot, $to);
    return;
}

# the first half: keys that are not there are asked for at the new node
sub open_slot {
    my ($c, $slot, $to) = @_;
    my $from = $c->node_of_slot($slot);
    $to->cmd('CLUSTER', 'SETSLOT', $slot, 'IMPORTING', $c->id($from));
    $from->cmd('CLUSTER', 'SETSLOT', $slot, 'MIGRATING', $c->id($to));
    $c->{moving}{$slot} = $from;
}

# the second: the slot is the new node's
sub close_slot {
    my ($c, $slot, $to) = @_;
    my $from = delete $c->{moving}{$slot};
    my @rest = grep { $_ != $to && $_ != $from
                      && $_->info('replication', 'role') eq 'master' } $c->up;
    $_->cmd('CLUSTER', 'SETSLOT', $slot, 'NODE', $c->id($to))
        for $to, $from, @rest;
}

1;
