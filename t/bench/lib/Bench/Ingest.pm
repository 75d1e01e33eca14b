package Bench::Ingest;

# A beacon of three signals: the reader of bodies beside cx with a real Redis.

use strict;
use warnings;

use List::Util ();
use Test::Cx;

# row, label, options of the load
my @ROWS = (
    [full => 'saturated, 32 connections', {}],
    [rate => '2000 beacons a second', { r => 2000 }],
);
my $LIMIT = 2;
my $EVENTS = 3;


sub new {
    my ($class, $b) = @_;
    my $i = bless { b => $b }, $class;
    my %stick = (no_module => 1,
        main => 'load_module ' . $b->helper('ngx_http_read204_module.so') . ';',
        server => 'location /_cx/ { read204; }');
    $i->{redis} = $b->redis;
    $i->{server} = {
        read => $b->nginx(%stick),
        again => $b->nginx(%stick),
        cx => $b->nginx(cx => 1, http => $b->cx_http($i->{redis})),
    };
    $i->{list} = $b->requests_file(map { "POST /_cx/events\t$_" } bodies(1000));
    return $i;
}

# n beacons of some 350 bytes, of pages that are visited unequally
sub bodies {
    my ($n) = @_;
    srand 20;
    my @pages = map { my $dir = $_; map { "/docs/$dir/page-$_.html" } 1 .. 60 }
        qw(library tutorial reference howto faq);
    return map {
        my $page = $pages[int @pages * rand() ** 3];
        my @events = map {
            { type => 'signal', name => $_, count => 1 + int rand 8,
              target => sprintf 'main > ul.nav > li:nth-child(%d)', rand 30 }
        } qw(rage_click dead_click js_error);
        Test::Cx::Http::encode({ v => 1, page => $page, events => \@events,
            view => join '', map { sprintf '%04x', rand 65536 } 1 .. 4 });
    } 1 .. $n;
}

# n times a view and then a beacon, of visits of two pages with "v => 4":
# lines of requests, and the pages as files of nginx
sub visits {
    my ($n) = @_;
    my (@lines, %files);
    for my $body (bodies($n)) {
        my $page = Test::Cx::json($body)->{page};
        $files{"html$page"} = "<!DOCTYPE html><title>$page</title>\n";
        push @lines, "GET $page", "POST /_cx/events\t$body";
    }
    return (\@lines, \%files);
}

sub round {
    my ($i, $round) = @_;
    my $b = $i->{b};
    for my $row (@ROWS) {
        my ($id, $name, $load) = @$row;
        for my $variant (qw(read again cx)) {
            my $cx = $variant eq 'cx';
            my $ngx = $i->{server}{$variant};
            my @before = $cx ? ($b->added($i->{redis}), $b->dropped($ngx)) : ();
            my $got = $b->load($ngx, what => "$variant, $name", %$load,
                file => $i->{list}, headers => [$b->post_headers], s => 204,
                c => 32, v => 4, t => $b->quick ? 100 : 200,
                $cx ? (redis => $i->{redis}) : ());
            $b->note($id, $variant, $round, $got->{us}) if $round >= 0;
            $i->_account($id, $name, $round, $got, @before) if $cx;
        }
    }
    $i->{redis}->cmd('XTRIM', $b->stream, 'MAXLEN', 0);
    return;
}

sub _account {
    my ($i, $id, $name, $round, $got, $added, $dropped) = @_;
    my $b = $i->{b};
    my ($redis, $ngx) = ($i->{redis}, $i->{server}{cx});
    my $sent = $got->{requests} * $EVENTS;
    Test::Cx::wait_for(sub {
        $b->added($redis) - $added + $b->dropped($ngx) - $dropped >= $sent;
    }, 5);
    my $share = $b->account("beacons, $name", $sent,
        $b->added($redis) - $added, $b->dropped($ngx) - $dropped);
    if ($id eq 'rate' && $share < 1) {
        $b->wrong("beacons, $name: events were dropped");
    }
    return if $round < 0;
    $b->note($id, 'share', $round, $share);
    $b->note($id, 'redis', $round, $got->{cpu_redis} / $sent);
    return;
}

sub report {
    my ($i) = @_;
    my $b = $i->{b};
    my @rows = ['beacon of three events', 'read204 us', 'A/A', 'cx us', 'cx',
                'target', 'arrived', 'Redis us/event'];
    for my $row (@ROWS) {
        my ($id, $name) = @$row;
        my $least = List::Util::min(@{$b->{cell}{$id}{share}});
        my $same = $b->ratio($id, 'again', 'read');
        push @rows, [$name,
            sprintf('%.1f', $b->figure($id, 'read')),
            sprintf('%.2f', $same),
            sprintf('%.1f', $b->figure($id, 'cx')),
            $b->against($b->ratio($id, 'cx', 'read'), $LIMIT, $same),
            sprintf('%.3f', $least),
            sprintf('%.2f', $b->figure($id, 'redis'))];
    }
    $b->table('Ingest: CPU of the worker a beacon, x a handler that only reads'
              . ' the body', @rows);
    return;
}

1;
