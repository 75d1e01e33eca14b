package Test::Cx::Sentinel;

# A private master with replicas, and Sentinels that watch them.
#
#   my $s = $t->sentinel(replicas => 1);
#   $t->nginx(redis => $s, ...);
#   $s->cmd('XLEN', $key);             # at the master
#   $s->failover;                      # in good order, loses nothing
#   my $old = $s->kill_master;         # SIGKILL; returns when another serves
#   $old->start;                       # comes back as a replica
#
# options: replicas (1), sentinels (3), name (mymaster), down: ms until a node
# counts as gone (500), sentinel_password, and those of Test::Cx::Redis.

use strict;
use warnings;

use Time::HiRes qw(time sleep);

sub new {
    my ($class, $t, %opt) = @_;
    my %own = (replicas => 1, sentinels => 3, name => 'mymaster', down => 700,
               map { exists $opt{$_} ? ($_ => delete $opt{$_}) : () }
               qw(replicas sentinels name down sentinel_password));
    my $s = bless { t => $t, opt => \%opt, own => \%own }, $class;
    my $conf = join "\n", 'repl-diskless-sync-delay 0',
        'repl-ping-replica-period 1', $opt{conf} // '',
        ($opt{password} ? "masterauth $opt{password}" : ());
    my $master = Test::Cx::Redis->new($t, %opt, conf => $conf);
    $s->{nodes} = [$master, map {
        Test::Cx::Redis->new($t, %opt, conf => $conf, replicaof => $master)
    } 1 .. $own{replicas}];
    $s->_wait_replicas or die "the replicas do not follow\n";
    $s->{sentinels} = [map { $s->_sentinel($master, $_) } 1 .. $own{sentinels}];
    Test::Cx::wait_for(sub { !grep { !$s->_knows($_) } @{$s->{sentinels}} },
                       15) or die "the Sentinels do not find each other\n";
    return $s;
}

# The first one notices, and the others vote for it.  Where all notice at once
# two may be elected, each makes another master, and what the first of these
# took is gone, by Redis's own rules.
sub _sentinel {
    my ($s, $master, $n) = @_;
    my ($own, $opt) = @$s{qw(own opt)};
    my $name = $own->{name};
    my $down = $own->{down} * (1 + 4 * ($n - 1));
    my $password = $own->{sentinel_password};
    return Test::Cx::Redis->new($s->{t}, sentinel => 1,
        ($opt->{tls} ? (tls => $opt->{tls},
                        client_cert => $opt->{client_cert}) : ()),
        ($password ? (password => $password) : ()), conf => join "\n",
        "sentinel monitor $name 127.0.0.1 " . $master->port . ' 1',
        "sentinel down-after-milliseconds $name $down",
        "sentinel failover-timeout $name 4000",
        ($opt->{password} ? "sentinel auth-pass $name $opt->{password}" : ()),
        ($password ? "sentinel sentinel-pass $password" : ()));
}

sub _fields {
    my ($s, $sentinel) = @_;
    my $row = eval { $sentinel->cmd('SENTINEL', 'MASTER', $s->{own}{name}) };
    return { @{$row // []} };
}

sub _knows {
    my ($s, $sentinel) = @_;
    my $f = $s->_fields($sentinel);
    return ($f->{'num-slaves'} // 0) >= $s->{own}{replicas}
        && $f->{'num-other-sentinels'} == $s->{own}{sentinels} - 1;
}

sub _wait_replicas {
    my ($s) = @_;
    return Test::Cx::wait_for(sub { $s->in_step }, 15);
}

# those nodes that run: one master, the others follow it
sub in_step {
    my ($s) = @_;
    my @up = grep { $_->up } $s->nodes;
    return eval {
        my $masters = grep { $_->info('replication', 'role') eq 'master' } @up;
        my $linked = grep { ($_->info('replication', 'master_link_status')
                             // '') eq 'up' } @up;
        $masters == 1 && $linked == @up - 1;
    };
}

# as cx_redis takes it
sub words {
    my ($s) = @_;
    my $own = $s->{own};
    my $scheme = $s->{opt}{tls} ? 'sentinels' : 'sentinel';
    my $user = $own->{sentinel_password} ? ":$own->{sentinel_password}@" : '';
    return ((map { "$scheme://$user" . $_->addr } $s->sentinels),
            "master=$own->{name}",
            ($s->{opt}{password} ? "password=$s->{opt}{password}" : ()),
            $s->node(0)->tls_words);
}
sub url { join ' ', $_[0]->words }

sub nodes     { @{$_[0]{nodes}} }
sub node      { $_[0]{nodes}[$_[1]] }
sub sentinels { @{$_[0]{sentinels}} }

# the master, as the Sentinels say
sub master {
    my ($s) = @_;
    for my $sentinel (grep { $_->running } $s->sentinels) {
        my $addr = eval { $sentinel->cmd('SENTINEL', 'GET-MASTER-ADDR-BY-NAME',
                                         $s->{own}{name}) } or next;
        return +(grep { $_->port == $addr->[1] } $s->nodes)[0];
    }
    return;
}

sub replicas {
    my ($s) = @_;
    my $master = $s->master;
    return grep { $_->up && $_ != $master } $s->nodes;
}

# sent again when the connection is cut, as on any change of roles: maybe twice
sub cmd {
    my ($s, @args) = @_;
    my $end = time + 10;
    while (1) {
        my $master = $s->master;
        my $value = eval {
            die "redis: no master\n" if !$master;
            $master->cmd(@args);
        };
        return $value if $@ eq '';
        die $@ if $@ !~ /^(?:redis:|READONLY|LOADING)/ || time > $end;
        sleep 0.05;
    }
}

sub events { goto &Test::Cx::Redis::events }
sub xlen   { goto &Test::Cx::Redis::xlen }
sub wait_events { goto &Test::Cx::Redis::wait_events }

# another node than this one is master and says so; it
sub wait_other {
    my ($s, $old, $seconds) = @_;
    return Test::Cx::wait_for(sub {
        my $now = $s->master;
        return $now && $now != $old && $now->up
            && (eval { $now->cmd('ROLE')->[0] } // '') eq 'master' ? $now : 0;
    }, $seconds // 20);
}

# orderly: the new master.  Without a pause, what the old one acknowledges and
# does not replicate before the change is lost; with one, writes wait until
# the replicas have all.
sub failover {
    my ($s) = @_;
    my $old = $s->master;
    $old->cmd('CLIENT', 'PAUSE', 5000, 'WRITE');
    Test::Cx::wait_for(sub { $s->level($old) }, 3)
        or die "the replicas do not follow\n";
    Test::Cx::wait_for(sub {
        eval { ($s->sentinels)[0]->cmd('SENTINEL', 'FAILOVER',
                                       $s->{own}{name}) };
    }, 10) or die "no failover: $@";
    my $new = $s->wait_other($old) or die "no failover\n";

    # as Sentinels do themselves, some 10 s later
    $old->cmd('REPLICAOF', '127.0.0.1', $new->port);
    $old->cmd('CLIENT', 'UNPAUSE');
    return $new;
}

# the replicas follow this master, no other, and have read all that it wrote
sub level {
    my ($s, $master) = @_;
    my $of = sub { $_[0]->info('replication', $_[1]) // '' };
    my $offset = $of->($master, 'master_repl_offset');
    my $history = $of->($master, 'master_replid');
    return !grep { $of->($_, 'master_link_status') ne 'up'
                       || $of->($_, 'master_port') != $master->port
                       || $of->($_, 'master_replid') ne $history
                       || $of->($_, 'slave_repl_offset') < $offset }
        $s->replicas;
}

# the node that was killed
sub kill_master {
    my ($s) = @_;
    my $old = $s->master;
    $old->kill9;
    $s->wait_other($old) or die "no failover\n";
    return $old;
}

1;
