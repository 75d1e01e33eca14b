#!/usr/bin/perl

# What the aggregator tells systemd, by a socket in its place: ready, alive,
# how far, stopping; also with an abstract name and while Redis is away.  And
# the unit file, as far as systemd itself can check it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use IO::Select;
use IO::Socket::UNIX;
use Socket;
use Time::HiRes qw(sleep time);
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my $s     = Test::Cx::Stream->new($redis, 'shop');

# a datagram socket of this name, a leading @ for an abstract one
sub listener {
    my ($name) = @_;
    (my $path = $name) =~ s/^\@/\0/;
    socket my $sock, PF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
    my $addr = pack('S', AF_UNIX) . $path;
    bind $sock, $addr or die "bind: $!";
    return $sock;
}

sub agg {
    my ($env, @flags) = @_;
    my $dir = $t->subdir('agg');
    return $t->spawn(name => 'cx-aggregator', env => $env,
                     cmd => [$t->build . '/cx-aggregator', @flags,
                             '--interval', '20ms'],
                     out => "$dir/out", err => "$dir/err");
}

sub message {
    my ($sock, $seconds) = @_;
    return '' if !IO::Select->new($sock)->can_read($seconds);
    recv $sock, my $text, 4096, 0;
    return $text;
}

for my $name ($t->dir . '/notify', "\@cx-test-$$-" . time) {
    my $kind = $name =~ /^\@/ ? 'abstract' : 'path';
    my $sock = listener($name);
    $s->view('/')->send;
    my $agg = agg({ NOTIFY_SOCKET => $name, WATCHDOG_USEC => 600_000 },
                  '--redis', $redis->url);
    my $text = message($sock, 5);
    like $text, qr/^READY=1$/m, "$kind: ready";
    like $text, qr/^STATUS=1 of 1 sites here, lag \d{1,3}\.\d s$/m,
        'with a status, of a site that has read nothing yet, too';
    my ($n, $longest, $last) = (0, 0, time);
    while ($n < 6) {
        $text = message($sock, 5);
        last if $text !~ /^WATCHDOG=1$/m || $text =~ /READY/;
        my $now = time;
        $longest = $now - $last if $now - $last > $longest;
        $last = $now;
        $n++;
    }
    is $n, 6, 'alive, again and again';
    cmp_ok $longest, '<', 1.5, 'often enough' if !$ENV{CX_ASAN};

    # one that hangs says nothing
    $agg->pause;
    sleep 0.2;
    while (message($sock, 0)) { }
    is message($sock, 1), '', 'silence when it hangs';
    $agg->cont;
    like message($sock, 5), qr/WATCHDOG=1/, 'alive again';
    is $agg->stop, 0, 'SIGTERM';
    my $all = '';
    while ($text = message($sock, 0)) { $all .= "$text\n" }
    like $all, qr/^STOPPING=1$/m, 'stopping';
    unlike $agg->err, qr/NOTIFY/, 'no complaint';
}

# Redis is away: ready and alive all the same, and it says why nothing happens
my $sock = listener($t->dir . '/away');
my $agg = agg({ NOTIFY_SOCKET => $t->dir . '/away', WATCHDOG_USEC => 600_000 },
              '--redis', 'unix:' . $t->dir . '/none');
my $text = message($sock, 5);
like $text, qr/^READY=1$/m, 'ready without Redis';
like $text, qr/^STATUS=.*, waiting for Redis$/m, 'which the status says';
like message($sock, 3), qr/^WATCHDOG=1$/m, 'alive';
is $agg->stop, 0, 'SIGTERM';

# for another process, or not at all
$agg = agg({ NOTIFY_SOCKET => $t->dir . '/away', WATCHDOG_USEC => 600_000,
             WATCHDOG_PID => 1 }, '--redis', $redis->url);
like message($sock, 5), qr/STOPPING/, 'the last word';
like message($sock, 5), qr/READY/, 'another one';
is message($sock, 1), '', 'a watchdog of another process is none';
is $agg->stop, 0, 'SIGTERM';
$agg = agg({ NOTIFY_SOCKET => '/nonexistent/x' }, '--redis', $redis->url);
ok wait_for(sub { $agg->err =~ /warn: NOTIFY_SOCKET/ }, 5), 'nobody listens';
is $agg->stop, 0, 'goes on';

# the unit
my $unit = read_file($t->root . '/conf/cx-aggregator.service');
like $unit, qr/^\Q$_\E/m, $_ for qw(Type=notify WatchdogSec= Restart=on-failure
    NoNewPrivileges=yes ProtectSystem=strict PrivateTmp=yes
    RestrictAddressFamilies= SystemCallFilter= MemoryMax=);
SKIP: {
    my ($verify) = grep { -x } map { "$_/systemd-analyze" } qw(/usr/bin /bin);
    skip 'no systemd-analyze', 1 if !$verify;
    my $binary = $t->build . '/cx-aggregator';
    $unit =~ s{^ExecStart=\S+}{ExecStart=$binary}m;
    my $file = write_file($t->dir . '/cx-aggregator.service', $unit);
    my ($status, $out, $err) = $t->run($verify, 'verify', '--man=no', $file);
    skip 'systemd-analyze does not work here', 1
        if "$out$err" =~ /Failed to (?:initialize|connect|create|set up)/i;
    my @said = grep { /cx-aggregator\.service/ } split /^/m, "$out$err";
    is "@said", '', 'systemd finds nothing wrong with it';
}

$t->done;
