package Bench::Hang;

# How long a page takes that has nothing to do with cx, from a worker that takes
# beacons at the same time: without cx, with Redis well, and with Redis hanging
# while the spool is written.  Redis and who asks for the pages share a CPU: one
# that hangs leaves more of it.

use strict;
use warnings;

use Bench::Ingest;
use List::Util ();
use Test::Cx;
use Time::HiRes qw(sleep);

my $PAGE = '<!doctype html><title>t</title>' . '<p>words</p>' x 80;
my $RATE = 1000;         # of pages, and of beacons of three events

# variant, server, Redis hangs, label
my @ROWS = (
    [none => 'none', 0, 'no cx: beacons are read'],
    [again => 'none', 0, 'the same again (A/A)'],
    [interval => 'interval', 0, 'sync=interval, Redis well'],
    [interval_hang => 'interval', 1, 'sync=interval, Redis hangs'],
    [always => 'always', 0, 'sync=always, Redis well'],
    [always_hang => 'always', 1, 'sync=always, Redis hangs'],
);

# s from the moment when Redis hangs: signals are spooled when they wait for
# longer than one
my $BEFORE = 0.8;


sub new {
    my ($class, $b) = @_;
    my $i = bless { b => $b, seconds => $b->quick ? 1.5 : 3 }, $class;
    my %page = (files => { 'html/plain/a.html' => $PAGE });
    $i->{server}{none} = $b->nginx(no_module => 1, %page,
        main => 'load_module ' . $b->helper('ngx_http_read204_module.so') . ';',
        server => 'location /_cx/ { read204; }');
    for my $sync (qw(interval always)) {
        $i->{redis}{$sync} = $b->redis;
        $i->{server}{$sync} = $b->nginx(cx => 1, %page,
            http => $b->cx_http($i->{redis}{$sync}, "sync=$sync"),
            server => 'location /plain/ { cx off; }');
    }
    $i->{pages} = $b->requests_file('GET /plain/a.html');
    $i->{beacons} = $b->requests_file(map { "POST /_cx/events\t$_" }
                                      Bench::Ingest::bodies(1000));
    return $i;
}

sub round {
    my ($i, $round) = @_;
    $i->_cell($round, $_) for @ROWS;
    return;
}

sub _cell {
    my ($i, $round, $row) = @_;
    my ($id, $server, $hang, $name) = @$row;
    my ($b, $redis, $ngx) = ($i->{b}, $i->{redis}{$server},
                             $i->{server}{$server});
    my $before = $redis && $b->books($ngx);
    my $load = $b->load_start($ngx, what => "$name, beacons", s => 204,
        c => 16, v => 4, r => $RATE, t => 1000 * ($i->{seconds} + 1.2),
        file => $i->{beacons}, headers => [$b->post_headers]);
    sleep 0.2;
    $redis->pause if $hang;
    sleep $BEFORE;
    my $got = $b->load($ngx, what => "$name, pages", s => 200, c => 16,
        x => length $PAGE, r => $RATE, t => 1000 * $i->{seconds}, latency => 1,
        file => $i->{pages}, headers => [$b->page_headers]);
    $b->load_end($load);
    $redis->cont if $hang;
    $i->_account($name, $hang, $redis, $ngx, $before) if $redis;
    return if $round < 0;
    $b->note($_, $id, $round, $got->{$_}) for qw(p50 p99 max);
    return;
}

# the spool was written, or not; all is delivered before the next cell
sub _account {
    my ($i, $name, $hang, $redis, $ngx, $before) = @_;
    my $b = $i->{b};
    my (%n, $done);
    Test::Cx::wait_for(sub {
        my $s = $b->books($ngx);
        %n = map { $_ => $s->{$_} - $before->{$_} }
            qw(queue_events delivered_events spooled_events dropped);
        return $n{delivered_events} + $n{dropped} >= $n{queue_events};
    }, 20);
    $b->account_all($name, @n{qw(queue_events delivered_events dropped)});
    if ($hang && $n{spooled_events} < $n{queue_events} / 2) {
        $b->wrong("$name: only $n{spooled_events} of $n{queue_events} events "
                  . 'were spooled');
    }
    $redis->cmd('XTRIM', $b->stream, 'MAXLEN', 0);
    return;
}

# of the round that was disturbed least, and against the others' least
sub _least {
    my ($i, $id, $well) = @_;
    my ($least, $none, $base) = map {
        List::Util::min(@{$i->{b}{cell}{p99}{$_}})
    } $id, 'none', $well || $id;
    return (sprintf('%.0f', $least), sprintf('%.2f', $least / $none),
            $well ? sprintf('%.2f', $least / $base) : '');
}

sub report {
    my ($i) = @_;
    my $b = $i->{b};
    my @rows = ['', (map { ($_, 'x no cx', 'x Redis well') }
                     'p50 us', 'p99 us', 'least p99'), 'longest us'];
    for my $row (@ROWS) {
        my ($id, $server, $hang, $name) = @$row;
        push @rows, [$name, (map {
            (sprintf('%.0f', $b->figure($_, $id)),
             sprintf('%.2f', $b->ratio($_, $id, 'none')),
             $hang ? sprintf('%.2f', $b->ratio($_, $id, $server)) : '')
        } 'p50', 'p99'), $i->_least($id, $hang && $server),
        sprintf('%.0f', $b->figure('max', $id))];
    }
    $b->table("Hang: time of a static page with cx off, $RATE a second beside "
              . "$RATE beacons a second, one worker", @rows);
    chomp(my $disk = `stat -f -c %T "$b->{t}{dir}"`);
    my $nginx = Test::Cx::Nginx::binary();
    printf "  us: of time, median of the rounds; least: lowest of them, noise"
        . " only adds\n  the spool is on %s, written by %s\n", $disk,
        `"$nginx" -V 2>&1` =~ /--with-threads/ ? 'a thread' : 'the event loop';
    return;
}

1;
