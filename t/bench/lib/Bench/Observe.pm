package Bench::Observe;

# What remembering visits costs: a small static page with cx off, and with cx
# on beside ever more visits in the zone.  The zone is full of visits before
# the first round, so that every new one makes another leave.

use strict;
use warnings;

use Test::Cx;

my $PAGE = '<!doctype html><html><head><title>t</title></head><body>'
    . '<p>words</p>' x 80 . '</body></html>';

my $KEPT = 100_000_000;  # requests of one visitor: always the same one


# rows: visits to fill the zone with; its size follows from what the module
# says it holds
sub new {
    my ($class, $b) = @_;
    my $o = bless { b => $b, sent => 0, redis => $b->redis }, $class;
    my @fill = (0, 10_000, $b->quick ? 100_000 : 1_000_000);
    $o->{server}{off} = $o->_nginx(server => 'location / { cx off; }');
    $o->{server}{again} = $o->_nginx(server => 'location / { cx off; }');
    my $probe = $o->_nginx(zone => '16m',
                           main => 'error_log logs/info.log info;');
    my ($room) = Test::Cx::read_file($probe->dir . '/logs/info.log')
        =~ /has room for (\d+) visits/ or die "no room for visits\n";
    $o->{per_visit} = 16 * 2 ** 20 / $room;
    $probe->stop;
    for my $n (@fill) {
        my $size = int($n * $o->{per_visit} * 1.05 / 1024) + 128;
        $o->{server}{$n} = $o->_nginx(zone => "${size}k");
        push @{$o->{rows}}, $n;
        $o->_fill($n);
    }
    return $o;
}

sub _nginx {
    my ($o, %c) = @_;
    my $b = $o->{b};
    my $zone = $c{zone} ? "cx_zone z:$c{zone};" : '';
    # the stream is cut short: what matters here comes before it
    (my $http = $b->cx_http($o->{redis})) =~ s/flush=/stream=10000 flush=/;
    return $b->nginx(cx => 1, main => $c{main} // '', files => { 'html/a.html' => $PAGE },
                     http => "$http $zone", server => $c{server} // '');
}

sub _load {
    my ($o, $n, $visitor, %more) = @_;
    my $b = $o->{b};
    my $got = $b->load($o->{server}{$n}, what => "$n visits",
        file => $o->{list} //= $b->requests_file('GET /a.html'),
        headers => [$b->page_headers], s => 200, c => 16, v => $visitor,
        %more);
    return $got;
}

sub _fill {
    my ($o, $n) = @_;
    return if !$n;
    my $server = $o->{server}{$n};
    my $in = sub {
        ($server->counter('visits_new') // 0)
            - ($server->counter('visits_evicted') // 0)
    };
    for (1 .. 40) {
        last if $in->() >= $n;
        $o->_load($n, 1, t => 20_000, n => $n);
    }
    $o->{b}->wrong("$n visits: only " . $in->() . ' are in the zone')
        if $in->() < $n;
    return;
}

sub round {
    my ($o, $round) = @_;
    my $b = $o->{b};
    my $ms = $b->quick ? 60 : 120;
    for my $n (qw(off again), @{$o->{rows}}) {
        for (['new', 2], ['same', $KEPT]) {
            my ($row, $visitor) = @$_;
            my $got = $o->_load($n, $visitor, t => $ms);
            $b->note($row, $n, $round, $got->{us}) if $round >= 0;
        }
    }
    return;
}

sub report {
    my ($o) = @_;
    my $b = $o->{b};
    my @rows = ['visits in the zone', 'new visitors us', 'x', 'same visitor us',
                'x'];
    for my $n (qw(off again), @{$o->{rows}}) {
        my $name = $n eq 'off' ? 'cx off' : $n eq 'again' ? 'cx off, A/A' : $n;
        push @rows, [$name, map {
            (sprintf('%.2f', $b->figure($_, $n)),
             sprintf('%.2f', $b->ratio($_, $n, 'off')))
        } qw(new same)];
    }
    $b->table('Observe: CPU of the worker a page view, x cx off; two views of '
              . 'each new visitor', @rows);
    printf "  memory: %.0f bytes of the zone a visit, its share of the pages "
        . "included\n", $o->{per_visit};
    return;
}

1;
