package Bench::Deliver;

# The whole way of an event: nginx, Redis, rollup, and what it costs each of the
# three; with a spool and without, while Redis is well.

use strict;
use warnings;

use Bench::Ingest;
use Test::Cx;
use Time::HiRes qw(time sleep);

# row, label, what is asked for, options of the load
my @ROWS = (
    [view_full => 'view, saturated', 'view', {}],
    [view_rate => 'view, 2000 a second', 'view', { r => 2000 }],
    [post_full => 'signal of a beacon, saturated', 'post', {}],
    [post_rate => 'signal, 2000 beacons a second', 'post', { r => 2000 }],
);
my %EVENTS = (view => 1, post => 3);

# s after the last commit: pages are scored at most a second later
my $SCORED = 1.1;


sub new {
    my ($class, $b) = @_;
    my $i = bless { b => $b, redis => $b->redis }, $class;
    my ($lines, $files) = Bench::Ingest::visits(1000);
    $i->{agg} = $b->aggregator($i->{redis});
    my %spool = (spool => '');
    for my $variant (qw(none again spool)) {
        $i->{server}{$variant} = $b->nginx(cx => 1, files => $files,
            http => $b->cx_http($i->{redis}, $spool{$variant}));
    }
    $i->{load}{view} = { headers => [$b->page_headers], s => 200,
        file => $b->requests_file(grep { /^GET/ } @$lines) };
    $i->{load}{post} = { headers => [$b->post_headers], s => 204,
        file => $b->requests_file(grep { /^POST/ } @$lines) };
    return $i;
}

sub round {
    my ($i, $round) = @_;
    for my $row (@ROWS) {
        $i->_cell($round, $row, $_) for qw(none again spool);
    }
    return;
}

sub _cell {
    my ($i, $round, $row, $variant) = @_;
    my ($id, $name, $kind, $load) = @$row;
    my ($b, $redis, $ngx) = ($i->{b}, $i->{redis}, $i->{server}{$variant});
    my $before = $b->books($ngx);
    my $counted = $b->counted($redis);
    my %pid = (worker => $ngx->{worker}, redis => $redis->pid,
               aggregator => $i->{agg}->pid);
    my %us = map { $_ => Bench::cpu_us($pid{$_}) } keys %pid;

    my $start = time;
    my $got = $b->load($ngx, what => "$variant, $name", %{$i->{load}{$kind}},
        %$load, c => 32, v => 4, redis => $redis,
        t => $b->quick ? 400 : $load->{r} ? 1000 : 2000);
    my $after = $b->books($ngx);
    my ($sent, $dropped, $spooled) = map { $after->{$_} - $before->{$_} }
        qw(queue_events dropped spooled_events);
    my $arrived = 0;
    Test::Cx::wait_for(sub {
        $arrived = $b->counted($redis) - $counted;
        return $arrived >= $sent - $dropped;
    }, 20);
    my $secs = time - $start;
    sleep $SCORED;

    $us{$_} = Bench::cpu_us($pid{$_}) - $us{$_} for keys %pid;
    my $account = $load->{r} ? 'account_all' : 'account';
    my $share = $b->$account($name, $sent, $arrived, $dropped);
    if ($sent < $got->{requests} * $EVENTS{$kind}) {
        $b->wrong("$name: $got->{requests} requests, $sent events");
    }
    return if $round < 0;
    $b->note("$id $_", $variant, $round, $us{$_} / $arrived) for keys %pid;
    $b->note("$id rate", $variant, $round, $arrived / $secs);
    $b->note("$id share", $variant, $round, $share);
    $b->note("$id spooled", $variant, $round, $spooled / $sent);
    return;
}

sub report {
    my ($i) = @_;
    my $b = $i->{b};
    my @rows = ['', 'events/s', 'arrived', 'worker us', 'A/A', 'spool x',
                'Redis us', 'A/A', 'spool x', 'aggregator us', 'spooled'];
    for my $row (@ROWS) {
        my ($id, $name, $kind, $load) = @$row;
        push @rows, [$name, $load->{r} ? ''
                : sprintf('%.0f', $b->figure("$id rate", 'none')),
            sprintf('%.3f', $b->figure("$id share", 'none')),
            (map {
                (sprintf('%.2f', $b->figure("$id $_", 'none')),
                 sprintf('%.2f', $b->ratio("$id $_", 'again', 'none')),
                 sprintf('%.2f', $b->ratio("$id $_", 'spool', 'none')))
            } 'worker', 'redis'),
            sprintf('%.2f', $b->figure("$id aggregator", 'none')),
            sprintf('%.3f', $b->figure("$id spooled", 'spool'))];
    }
    $b->table('Deliver: CPU of each process an event, from the request to the '
              . 'score; spool x: with cx_spool, x without it', @rows);
    print "  events/s: from the first request until the rollups have all;"
        . " Redis, aggregator\n  and who asks share a CPU\n";
    return;
}

1;
