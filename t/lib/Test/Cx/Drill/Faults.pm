package Test::Cx::Drill::Faults;

# The faults of the drill: what is done to real servers while people visit.
# Each is a name and code that is given the drill and a pace, 1 in a short
# drill: times that a fault lasts are multiplied by it.

use strict;
use warnings;

use Time::HiRes qw(time sleep);

# group => what its servers are, see t/faults; faults in this order
my @groups = (redis => [
    ['none', sub { sleep 0.5 }],
    ['redis SIGKILL, restart', sub {
        my ($d, $pace) = @_;
        for (1 .. 2) {
            down($d, sub { sleep 0.3 * $pace });
            sleep 0.6;
        }
    }],
    ['redis SIGKILL, 2 s away', sub {
        my ($d, $pace) = @_;
        down($d, sub { sleep 2 * $pace });
    }],
    ['redis SIGSTOP 1 s', sub { frozen($_[0]->redis, 1 * $_[1]) }],
    ['redis SIGSTOP 5 s', sub { frozen($_[0]->redis, 5 * $_[1]) }],
    ['redis SIGSTOP 2 s, then SIGKILL', sub {
        my ($d, $pace) = @_;
        $d->redis->pause;
        sleep 2 * $pace;
        $d->redis->kill9;
        $d->redis->start(1);
    }],
    ['redis restart in good order', sub {
        my ($d, $pace) = @_;
        $d->redis->stop;
        sleep 0.5 * $pace;
        $d->redis->start(1);
    }],
    ['redis CLIENT PAUSE 2 s', sub {
        my ($d, $pace) = @_;
        $d->redis->cmd('CLIENT', 'PAUSE', int(2000 * $pace), 'ALL');
        sleep 2.2 * $pace;
    }],
    ['redis out of memory', sub {
        my ($d, $pace) = @_;
        $d->redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'noeviction',
                       'maxmemory', 1);
        sleep 1.8 * $pace;
        $d->redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
    }],
    ['redis READONLY', sub {
        my ($d, $pace) = @_;
        $d->redis->cmd('REPLICAOF', '127.0.0.1', Test::Cx::free_port());
        sleep 1.8 * $pace;
        $d->redis->cmd('REPLICAOF', 'NO', 'ONE');
    }],
    ['connections cut, every 0.3 s', sub {
        my ($d, $pace) = @_;
        for (1 .. 5 * $pace) {
            sleep 0.3;
            $d->redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal',
                           'SKIPME', 'yes');
        }
    }],
    ['replies lost, taken batches', sub {
        my ($d, $pace) = @_;
        for (1 .. 3 * $pace) {
            my $redis = $d->redis;
            $redis->cmd('PING');
            $redis->pause;
            sleep 0.3;
            $redis->send('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
            $redis->cont;
            $redis->reply;
            sleep 0.2;
        }
    }],
    ['scripts flushed', sub {
        my ($d, $pace) = @_;
        for (1 .. 5 * $pace) {
            $d->redis->cmd('SCRIPT', 'FLUSH');
            sleep 0.2;
        }
    }],
], nginx => [
    ['worker SIGKILL, redis up', sub {
        my ($d, $pace) = @_;
        for (1 .. 3 * $pace) { kill_worker($d); sleep 0.5 }
    }],
    ['worker SIGKILL, redis down', sub {
        my ($d, $pace) = @_;
        down($d, sub {
            sleep 1.8 * $pace;
            kill_worker($d);
            sleep 0.6;
        });
    }],
    ['nginx SIGKILL, redis down', sub {
        my ($d, $pace) = @_;
        down($d, sub {
            sleep 1.8 * $pace;
            kill_nginx($d);
            $d->nginx->start;
            sleep 0.6;
        });
    }],
    ['nginx SIGKILL, torn segments', sub {
        my ($d, $pace) = @_;
        down($d, sub {
            sleep 1.8 * $pace;
            kill_nginx($d);
            $d->{note} = tear($d) . ' segments torn';
            $d->nginx->start;
            sleep 0.6;
        });
    }],
    ['reload, every 0.5 s', sub {
        my ($d, $pace) = @_;
        for (1 .. 5 * $pace) { reload($d); sleep 0.5 }
    }],
    ['reload, redis down, 3 to 1 workers', sub {
        my ($d, $pace) = @_;
        reload($d, workers => 3);
        down($d, sub {
            sleep 1.5 * $pace;
            reload($d, workers => 1);
            sleep 0.5;
        });
        reload($d, workers => 2);
    }],
    ['binary upgrade', sub {
        my ($d) = @_;
        $d->nginx->upgrade(sub { sleep 0.4 }) or die "no upgrade\n";
    }],
    ['binary upgrade, redis down', sub {
        my ($d, $pace) = @_;
        down($d, sub {
            sleep 1.2 * $pace;
            $d->nginx->upgrade(sub { sleep 0.4 }) or die "no upgrade\n";
        });
    }],
    ['fast quit and start', sub {
        my ($d) = @_;
        $d->nginx->stop(10);
        $d->nginx->start;
    }],
    ['fast quit and start, redis down', sub {
        my ($d, $pace) = @_;
        down($d, sub {
            sleep 1.2 * $pace;
            $d->nginx->stop(10);
            $d->nginx->start;
            sleep 0.3;
        });
    }],
    ['graceful quit, start, then redis', sub {
        my ($d, $pace) = @_;
        down($d, sub {
            sleep 0.3;
            $d->nginx->quit(15) // die "it does not quit\n";
            $d->nginx->start;
            sleep 0.5 * $pace;
        });
    }],
], aggregator => [
    ['aggregator SIGKILL', sub {
        my ($d, $pace) = @_;
        for (1 .. 4 * $pace) {
            sleep 0.3;
            $d->end_aggregator(($d->aggregators)[0], 'kill9');
            $d->start_aggregator;
        }
    }],
    ['two aggregators', sub {
        my ($d, $pace) = @_;
        $d->start_aggregator;
        sleep 1 * $pace;
        $d->end_aggregator(($d->aggregators)[0], 'stop');
        sleep 0.3;
    }],
    ['aggregator SIGSTOP, another, SIGCONT', sub {
        my ($d, $pace) = @_;
        my ($zombie) = $d->aggregators;
        $zombie->pause;
        $d->start_aggregator;
        sleep 6 * $pace;
        $zombie->cont;
        sleep 0.5;
        $d->end_aggregator($zombie, 'kill9');
    }],
    ['aggregator SIGSTOP 1 s, redis SIGKILL', sub {
        my ($d, $pace) = @_;
        my ($agg) = $d->aggregators;
        $agg->pause;
        down($d, sub { sleep 0.5 * $pace });
        $agg->cont;
    }],
    ['all of it', sub {
        my ($d, $pace) = @_;
        my $end = time + 4 * $pace;
        while (time < $end) {
            my $what = int rand 5;
            if ($what == 0) { down($d, sub { sleep rand 1 }) }
            if ($what == 1) { kill_worker($d) }
            if ($what == 2) { reload($d, workers => 1 + int rand 3) }
            if ($what == 3) { frozen($d->redis, rand 1) }
            if ($what == 4) {
                $d->end_aggregator(($d->aggregators)[0], 'kill9');
                $d->start_aggregator;
            }
            sleep rand 0.5;
        }
    }],
], cluster => [
    ['cluster: none', sub { sleep 0.3 }],
    ['cluster: slots move', sub {
        my ($d, $pace) = @_;
        my $c = $d->redis;
        for my $stream (($d->streams)[0 .. ($pace > 1 ? 3 : 1)]) {
            my $slot = $c->slot("{$stream}");
            my $from = $c->node_of_slot($slot);
            my ($to) = grep { $_ != $from } $c->masters;
            $c->move_slot($slot, $to, sub { sleep 0.02 });
        }
    }],
    ['cluster: node lost, failover', sub {
        my ($d) = @_;
        my $c = $d->redis;
        my $old = $c->node_of('{' . ($d->streams)[0] . '}');
        $c->kill($old);
        $c->wait_ok(30) or die "no failover\n";

        # its replica refuses writes for want of a replica until it is back
        $c->start($old);
        $c->wait_ok(30) or die "the old node does not join\n";
    }],
    ['cluster: node SIGSTOP, failover, SIGCONT', sub {
        my ($d) = @_;
        my $c = $d->redis;
        my $old = $c->node_of('{' . ($d->streams)[-1] . '}');
        $old->pause;
        my $ok = $c->wait_ok(30);
        $old->cont;
        die "no failover\n" if !$ok;
        $c->wait_ok(30) or die "the old node does not join\n";
    }],
], sentinel => [
    ['sentinel: failover in good order', sub { $_[0]->redis->failover }],
    ['sentinel: master SIGKILL', sub {
        my ($d) = @_;
        my $old = $d->redis->kill_master;
        sleep 0.5;
        $old->start(1);
    }],
    ['sentinel: master SIGSTOP, SIGCONT', sub {
        my ($d) = @_;
        my $s = $d->redis;
        my $old = $s->master;
        $old->pause;
        my $new = $s->wait_other($old);
        $old->cont;
        die "no failover\n" if !$new;

        # it believes to be the master for a while; then, as Sentinels do
        sleep 1.5;
        $old->cmd('REPLICAOF', '127.0.0.1', $new->port);
    }],
], disk => [
    ['full disk', sub {
        my ($d, $pace) = @_;
        $d->may_drop;
        down($d, sub {
            sleep 1.6;
            fill($d->{spool});
            until_dropped($d);
            sleep 1 * $pace;
        });
        unlink "$d->{spool}/ballast";
    }],
    ['full disk, nginx SIGKILL', sub {
        my ($d, $pace) = @_;
        down($d, sub {
            sleep 1.6;
            fill($d->{spool});
            $d->may_lose;
            sleep 1 * $pace;
            kill_nginx($d);
            $d->nginx->start;
            sleep 1;
        });
        unlink "$d->{spool}/ballast";
    }],
], full => [
    ['full spool', sub {
        my ($d, $pace) = @_;
        $d->may_drop;
        down($d, sub { until_dropped($d); sleep 1 * $pace });
    }],
]);

sub groups { grep { !ref } @groups }
sub of     { my ($group) = @_; my %g = @groups; return @{$g{$group} // []} }


# redis is killed, comes back when the code is done
sub down {
    my ($d, $code) = @_;
    $d->redis->kill9;
    my $ok = eval { $code->(); 1 };
    my $why = $@;
    $d->redis->start(1);
    die $why if !$ok;
}

sub frozen {
    my ($proc, $seconds) = @_;
    $proc->pause;
    sleep $seconds;
    $proc->cont;
}

sub reload {
    my ($d, %o) = @_;
    $d->nginx->reload(%o) or die "no reload\n";
}

# one worker; its master starts another
sub kill_worker {
    my ($d) = @_;
    my ($pid, @others) = $d->nginx->workers;
    return if !$pid;
    $d->memory_lost;
    kill 'KILL', $pid;
    $d->memory_lost;
    $d->nginx->allow(qr/worker process $pid exited on signal 9/);
    Test::Cx::wait_for(sub {
        my @now = grep { $_ != $pid } $d->nginx->workers;
        @now > @others;
    }, 5);
}

sub kill_nginx {
    my ($d) = @_;
    my @pids = ($d->nginx->workers, $d->nginx->workers(1));
    $d->memory_lost;
    $d->nginx->{proc}->kill9;
    kill 'KILL', @pids;
    $d->memory_lost;
    Test::Cx::wait_for(sub { !grep { kill 0, $_ } @pids }, 3);
}

# as a crash of the machine would leave segments: zeros at the end, a part of
# a record, bytes without sense; how many
sub tear {
    my ($d) = @_;
    my $n = 0;
    for my $file (glob "$d->{spool}/*") {
        next if $file !~ /\.\d+\z/;
        my $bytes = Test::Cx::read_file($file);
        my $head = 8 + 32 + unpack 'V', substr $bytes, 8, 4;
        my @tails = ("\0" x 100, substr($bytes, $head, 50), "\x5a\x01" x 30);
        open my $f, '>>:raw', $file or die "$file: $!\n";
        print $f $tails[$n++ % 3];
        close $f;
    }
    return $n;
}

# until nginx drops signals, which takes longer where all is slow; but not for
# ever, as its memory holds some, too
sub until_dropped {
    my ($d) = @_;
    my $was = $d->counter('dropped_events');
    Test::Cx::wait_for(sub { $d->counter('dropped_events') > $was }, 8);
}

# takes the rest of a small file system
sub fill {
    my ($dir) = @_;
    open my $f, '>:raw', "$dir/ballast" or die "$dir: $!\n";
    1 while syswrite $f, 'x' x 4096;
    close $f;
}

1;
