package Bench::Outage;

# Redis is away for a while and comes back: how long until the spool is empty
# and the rollups have all, while requests go on as before.

use strict;
use warnings;

use Bench::Ingest;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $RATE = 1000;         # requests/s: 500 views, 500 beacons of three events


sub new {
    my ($class, $b) = @_;
    my $i = bless { b => $b, seconds => $ENV{LONG} ? 600 : $b->quick ? 8 : 30 },
        $class;
    my ($lines, $files) = Bench::Ingest::visits(2500);

    # its data must outlive it
    $i->{redis} = $b->redis(appendonly => 'yes');
    $i->{agg} = $b->aggregator($i->{redis});
    $i->{ngx} = $b->nginx(cx => 1, files => $files,
        http => $b->cx_http($i->{redis}, 'max_size=1g'));
    $i->{list} = $b->requests_file(@$lines);
    return $i;
}

# a second as usual, the outage, a tail to catch up in; nothing to warm up
sub round {
    my ($i, $round) = @_;
    return if $round < 0;
    my ($b, $redis, $ngx) = @$i{qw(b redis ngx)};
    my $seconds = $i->{seconds};
    my $counted = $b->counted($redis);
    my $before = $b->books($ngx);
    my $load = $b->load_start($ngx, what => 'outage', c => 16, v => 4,
        file => $i->{list}, headers => [$b->visit_headers], r => $RATE,
        t => 1000 * (1 + $seconds + 2 + $seconds / 5));
    sleep 1;
    my $gone = time;
    $redis->stop;
    sleep $seconds;

    my %row = (away => time - $gone);
    my $then = $ngx->status;
    @row{qw(bytes events)} = @$then{qw(spool_bytes spool_events)};
    $redis->start;
    $i->_catch_up(\%row, $then, $then->{queue_events} - $before->{queue_events}
                                + $counted);
    my $got = $b->load_end($load);
    $i->_account(\%row, $got, $before, $counted);
    push @{$i->{rows}}, \%row;
    return;
}

# s since Redis is back until the spool is empty, and until the rollups have
# what was sent before
sub _catch_up {
    my ($i, $row, $then, $all) = @_;
    my ($b, $redis, $ngx) = @$i{qw(b redis ngx)};
    my $start = time;
    Test::Cx::wait_for(sub {
        if (!defined $row->{empty}) {
            my $s = $ngx->status;
            if ($s->{spool_events} == 0) {
                $row->{empty} = time - $start;
                $row->{replayed} =
                    $s->{replayed_events} - $then->{replayed_events};
            }
        }
        $row->{rollups} //= time - $start if $b->counted($redis) >= $all;
        return defined $row->{empty} && defined $row->{rollups};
    }, 60 + $i->{seconds});
    return;
}

# what was sent arrived, all of it
sub _account {
    my ($i, $row, $got, $before, $counted) = @_;
    my ($b, $redis, $ngx) = @$i{qw(b redis ngx)};
    my $arrived = 0;
    my $after = $b->books($ngx);
    my ($sent, $dropped) = map { $after->{$_} - $before->{$_} }
        qw(queue_events dropped);
    Test::Cx::wait_for(sub {
        $arrived = $b->counted($redis) - $counted;
        return $arrived >= $sent - $dropped;
    }, 20);
    $b->account_all('outage', $sent, $arrived, $dropped);
    if ($sent < $got->{requests} * 2 - 2) {
        $b->wrong("outage: $got->{requests} requests, $sent events");
    }
    @$row{qw(sent arrived)} = ($sent, $arrived);
    $row->{done} = $row->{events} && defined $row->{empty}
        && defined $row->{rollups};
    $b->wrong('outage: nothing was spooled, or not replayed') if !$row->{done};
    return;
}

sub report {
    my ($i) = @_;
    my $b = $i->{b};
    my @rows = ['Redis away s', 'events spooled', 'spool MB', 'bytes/event',
                'spool empty s', 'rollups s', 'replay events/s', 'sent',
                'arrived'];
    for my $row (grep { $_->{done} } @{$i->{rows}}) {
        push @rows, [sprintf('%.1f', $row->{away}), $row->{events},
            sprintf('%.1f', $row->{bytes} / 1e6),
            sprintf('%.0f', $row->{bytes} / $row->{events}),
            sprintf('%.2f', $row->{empty}), sprintf('%.2f', $row->{rollups}),
            sprintf('%.0f', $row->{replayed} / $row->{empty}),
            @$row{qw(sent arrived)}];
    }
    $b->table("Outage: $RATE requests a second go on, of two events each on "
              . 'average; times since Redis serves again', @rows);
    print "  spool empty: of what came since as well; rollups: have what came",
        " before\n";
    print "  $i->{seconds} s each; LONG=1 is ten minutes\n" if !$ENV{LONG};
    return;
}

1;
