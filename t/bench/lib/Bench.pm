package Bench;

# One run of the bench: the servers' places, load in cells, medians of ratios
# taken round by round, tables.

use strict;
use warnings;

use POSIX ();
use Test::Cx;

my $FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101'
    . ' Firefox/128.0 @VISITOR';

# quick, rounds
sub new {
    my ($class, %opt) = @_;
    my $b = bless { %opt, t => Test::Cx->new, wrong => [], cell => {} },
        $class;
    my $cpus = grep { /^processor\b/ } split /^/m,
        Test::Cx::read_file('/proc/cpuinfo');
    $b->{pin} = $cpus > 1;
    return $b;
}

sub t      { $_[0]{t} }
sub rounds { $_[0]{rounds} }
sub quick  { $_[0]{quick} }
sub helper { "$_[0]{t}{build}/bench/$_[1]" }

# the server under test has cpu 0 for itself, all else runs on cpu 1
sub server_main {
    my ($b, $cpu) = @_;
    return join "\n", 'error_log logs/error.log error;',
        'worker_processes 1;', 'worker_rlimit_nofile 4096;',
        $b->{pin} ? 'worker_cpu_affinity ' . ($cpu ? '10' : '01') . ';' : ();
}

sub server_http {
    return "access_log off; keepalive_requests 100000000;\n"
        . "keepalive_timeout 600; tcp_nodelay on;\n"
        . "client_body_buffer_size 16k;\n";
}

# nginx with one worker; cpu, main, http, server as in Test::Cx::Nginx
sub nginx {
    my ($b, %o) = @_;
    $o{main} = $b->server_main($o{cpu} // 0) . "\n" . ($o{main} // '');
    $o{http} = $b->server_http . ($o{http} // '');
    my $ngx = $b->t->nginx(%o, workers => 1);
    ($ngx->{worker}) = $ngx->workers;
    return $ngx;
}

sub redis {
    my ($b) = @_;
    return $b->t->redis($b->{pin} ? (conf => 'server_cpulist 1') : ());
}

# what the module needs beside "cx on"; a queue that is emptied soon lets the
# cost of the last events be counted within the cell
sub cx_http {
    my ($b, $redis) = @_;
    return 'cx_redis ' . $redis->tcp . "; cx_site bench;\n"
        . "cx_queue flush=20ms;\n";
}

sub requests_file {
    my ($b, @lines) = @_;
    my $dir = $b->t->subdir('requests');
    return Test::Cx::write_file("$dir/list", join '', map { "$_\n" } @lines);
}

# headers of a browser that asks for a page, or posts
sub page_headers {
    return ('Host: bench.local', "User-Agent: $FIREFOX",
            'Accept: text/html,application/xhtml+xml,*/*;q=0.8',
            'Sec-Fetch-Dest: document');
}

sub post_headers {
    return ('Host: bench.local', "User-Agent: $FIREFOX",
            'Content-Type: text/plain', 'Origin: http://bench.local',
            'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Dest: empty');
}

# runs a helper: its line of key=value as a hash
sub measure {
    my ($b, $name, @args) = @_;
    my @cmd = ($b->helper($name), $b->{pin} ? ('-C', 1) : (), @args);
    open my $out, '-|', @cmd or die "$cmd[0]: $!\n";
    my $line = <$out>;
    close $out or die "@cmd: failed\n";
    return map { split /=/, $_, 2 } split ' ', $line;
}

# load on a server; the cell's figure is microseconds of CPU a request
sub load {
    my ($b, $ngx, %o) = @_;
    my %got = $b->measure('load', '-p', $ngx->port, '-f', $o{file},
        '-w', "server:$ngx->{worker}",
        ($o{redis} ? ('-w', 'redis:' . $o{redis}->pid) : ()),
        (map { ('-H', $_) } @{$o{headers}}),
        map { ("-$_", $o{$_}) }
        grep { length == 1 && defined $o{$_} } sort keys %o);
    $got{us} = $got{cpu_server} / ($got{requests} || 1);
    if ($got{bad} || !$got{requests}) {
        $b->wrong("$o{what}: $got{bad} of $got{requests} answers are wrong");
    }
    return \%got;
}

sub wrong {
    my ($b, $text) = @_;
    push @{$b->{wrong}}, $text;
    print "WRONG: $text\n";
    return;
}

# ---- figures ----

sub note {
    my ($b, $row, $variant, $round, $value) = @_;
    $b->{cell}{$row}{$variant}[$round] = $value;
    return;
}

sub median {
    my @v = sort { $a <=> $b } grep { defined } @_;
    return if !@v;
    return @v % 2 ? $v[$#v / 2] : ($v[@v / 2 - 1] + $v[@v / 2]) / 2;
}

sub figure {
    my ($b, $row, $variant) = @_;
    return median(@{$b->{cell}{$row}{$variant} // []});
}

# median over the rounds of variant : base
sub ratio {
    my ($b, $row, $variant, $base) = @_;
    my ($x, $y) = @{$b->{cell}{$row}}{$variant, $base};
    return median(map { $y->[$_] && defined $x->[$_] ? $x->[$_] / $y->[$_]
                                                     : undef } 0 .. $#$y);
}

# A ratio and its limit: ("1.07", "1.08 met").  Over the limit, but by less than
# two servers that are the same differ: unclear
sub against {
    my ($b, $x, $limit, $same, $aim) = @_;
    my $shown = sprintf '%.2f', $x;
    return ($shown, '') if !defined $limit;
    my $verdict = $shown <= $limit ? 'met'
        : $shown <= $limit * (1 + abs 1 - $same) ? 'unclear' : 'MISSED';
    return ($shown, sprintf '%s%.2f %-7s', $aim ? '*' : ' ', $limit, $verdict);
}

# first row: the columns' names; the first column is left-aligned
sub table {
    my ($b, $title, @rows) = @_;
    my @width;
    for my $row (@rows) {
        for my $i (0 .. $#$row) {
            my $n = length $row->[$i];
            $width[$i] = $n if $n > ($width[$i] // 0);
        }
    }
    print "\n$title\n";
    for my $row (@rows) {
        my $line = join '  ', map {
            sprintf $_ ? '%*s' : '%-*s', $width[$_], $row->[$_]
        } 0 .. $#$row;
        $line =~ s/ +$//;
        print "  $line\n";
    }
    return;
}

# ---- events ----

sub stream { 'cx:{bench}:events' }

# entries ever added to the stream
sub added {
    my ($b, $redis) = @_;
    my $info = eval { $redis->cmd('XINFO', 'STREAM', stream()) } or return 0;
    my %info = @$info;
    return $info{'entries-added'} // $info{length};
}

# every event is in the stream, or dropped and counted; the share that arrived
sub account {
    my ($b, $what, $sent, $arrived, $dropped) = @_;
    if ($arrived + $dropped != $sent) {
        $b->wrong("$what: $sent events sent, $arrived arrived, "
                  . "$dropped counted as dropped");
    }
    return $sent ? $arrived / $sent : 0;
}

sub dropped { $_[1]->counter('dropped_events') // 0 }

1;
