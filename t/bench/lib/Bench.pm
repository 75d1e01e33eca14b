package Bench;

# One run of the bench: the servers' places, load in cells, medians of ratios
# taken round by round, tables.

use strict;
use warnings;

use POSIX ();
use Test::Cx;
use Time::HiRes ();

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
    my ($b, %o) = @_;
    return $b->t->redis(%o, $b->{pin} ? (conf => 'server_cpulist 1') : ());
}

# for the site of the bench, beside Redis
sub aggregator {
    my ($b, $redis) = @_;
    my $dir = $b->t->subdir('agg');
    return $b->t->spawn(name => 'cx-aggregator',
        cmd => ['/usr/bin/env', $b->{pin} ? qw(taskset -c 1) : (),
                "$b->{t}{build}/cx-aggregator", '--redis', $redis->url,
                '--site', 'bench'],
        out => "$dir/out", err => "$dir/err");
}

# what the module needs beside "cx on"; a queue that is emptied soon lets the
# cost of the last events be counted within the cell.  With a spool if its
# options are given, maybe none
sub cx_http {
    my ($b, $redis, $spool) = @_;
    return 'cx_redis ' . $redis->tcp . "; cx_site bench;\n"
        . "cx_queue flush=20ms;\n"
        . (defined $spool ? "cx_spool spool $spool;\n" : '');
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

# of one who does both
sub visit_headers {
    return (grep({ !/^(?:Sec-Fetch-Dest|Content-Type)/ } post_headers()),
            'Content-Type: text/plain', 'Accept: text/html,*/*;q=0.8');
}

sub helper_cmd {
    my ($b, $name, @args) = @_;
    return ($b->helper($name), $b->{pin} ? ('-C', 1) : (), @args);
}

# a line of key=value as a hash
sub fields { return map { split /=/, $_, 2 } split ' ', $_[0] }

# runs a helper: its line
sub measure {
    my ($b, $name, @args) = @_;
    my @cmd = $b->helper_cmd($name, @args);
    open my $out, '-|', @cmd or die "$cmd[0]: $!\n";
    my $line = <$out>;
    close $out or die "@cmd: failed\n";
    return fields($line);
}

# CPU time of a process, all its threads: its number of the clock that Linux
# has for that, see clock_getcpuclockid(3)
sub cpu_us {
    my ($pid) = @_;
    return 1e6 * Time::HiRes::clock_gettime(-8 * ($pid + 1) + 2);
}

sub _load_args {
    my ($ngx, %o) = @_;
    return ('-p', $ngx->port, '-f', $o{file}, $o{latency} ? '-l' : (),
            (map { ('-H', $_) } @{$o{headers}}),
            map { ("-$_", $o{$_}) }
            grep { length == 1 && defined $o{$_} } sort keys %o);
}

sub _load_check {
    my ($b, $what, $got) = @_;
    if ($got->{bad} || !$got->{requests}) {
        $b->wrong("$what: $got->{bad} of $got->{requests} answers are wrong");
    }
    return $got;
}

# load on a server; the cell's figure is microseconds of CPU a request
sub load {
    my ($b, $ngx, %o) = @_;
    my %got = $b->measure('load', _load_args($ngx, %o),
        '-w', "server:$ngx->{worker}",
        $o{redis} ? ('-w', 'redis:' . $o{redis}->pid) : ());
    $got{us} = $got{cpu_server} / ($got{requests} || 1);
    return $b->_load_check($o{what}, \%got);
}

# load beside something else, until it is over: then load_end()
sub load_start {
    my ($b, $ngx, %o) = @_;
    my $dir = $b->t->subdir('load');
    return $b->t->spawn(name => $o{what}, weak => 1, out => "$dir/out",
        err => "$dir/err",
        cmd => [$b->helper_cmd('load', _load_args($ngx, %o))]);
}

sub load_end {
    my ($b, $load) = @_;
    my $status = $load->wait_exit(1000) // 'no end';
    die "$load->{name}: load: $status: " . $load->err if $status ne '0';
    return $b->_load_check($load->{name}, { fields($load->out) });
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

# entries that are in the rollups
sub counted {
    my ($b, $redis) = @_;
    my ($entries, @not) = map { $_ // 0 } @{$redis->cmd('HMGET',
        'cx:{bench}:checkpoint', qw(entries rejected late))};
    $b->wrong("@not entries are rejected or late") if grep { $_ } @not;
    return $entries;
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

# the same where nothing must be dropped
sub account_all {
    my ($b, $what, $sent, $arrived, $dropped) = @_;
    my $share = $b->account($what, $sent, $arrived, $dropped);
    $b->wrong("$what: $dropped of $sent events were dropped") if $dropped;
    return $share;
}

sub dropped { $_[1]->counter('dropped_events') // 0 }

# status page, with the sum of what was dropped as {dropped}
sub books {
    my ($b, $ngx) = @_;
    my $s = $ngx->status;
    $s->{dropped} += $_ for values %{$s->{dropped_events}};
    return $s;
}

1;
