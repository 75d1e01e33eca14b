#!/usr/bin/perl

# Sentinels and name servers that do not answer at all, as where packets are
# dropped: what works goes on with the address that is known, leases last, the
# watchdog is told, and nobody is asked all the time.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use IO::Select;
use Socket;
use Time::HiRes qw(sleep time);
use Test::Cx;
use Test::Cx::Stream;

my $t    = Test::Cx->new;
my @fast = ('--interval', '20ms', '--score-interval', '50ms');
my $slow = $ENV{CX_ASAN} ? 2 : 1;

sub total { $_[0]->hash('total', 'd', $_[0]->day)->{views} // 0 }
sub feed  { my ($s, $n) = @_; $s->view('/') for 1 .. $n; $s->send }

# feeds and watches for so long: the shortest life that the lease had left, and
# the longest time until something was counted
sub watch {
    my ($s, $seconds) = @_;
    my ($life, $wait, $end, $sent) = (5000, 0, time + $seconds, 0);
    my $want = total($s);
    while (time < $end || total($s) < $want) {
        if (total($s) >= $want) {
            $wait = time - $sent if $sent && time - $sent > $wait;
            feed($s, 1);
            ($want, $sent) = ($want + 1, time);
        }
        my $left = $s->{redis}->cmd('PTTL', $s->key('lease'));
        $life = $left if $left < $life;
        last if time > $end + 15;
        sleep 0.02;
    }
    return ($life, $wait);
}

sub cut {
    my ($redis) = @_;
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}

# ---- Sentinels that hang while the master does well ----

{
    my $set = $t->sentinel(replicas => 0, sentinels => 3, down => 60_000);
    my $s = Test::Cx::Stream->new($set->master, 'shop');
    my $agg = $t->aggregator('--redis', $set->url, @fast);
    feed($s, 10);
    ok wait_for(sub { total($s) == 10 }, 10), 'Sentinels: counted';
    $_->pause for $set->sentinels;
    cut($s->{redis});
    feed($s, 10);
    ok wait_for(sub { total($s) == 20 }, 15), 'Sentinels hang: counted';
    ok wait_for(sub { $s->{redis}->cmd('PTTL', $s->key('lease')) > 3000 }, 10),
        'a lease again';
    my ($life, $wait) = watch($s, 12);
    cmp_ok $life, '>', 1000, 'it lasts';
    cmp_ok $wait, '<', 2.5 * $slow, 'nothing waits for long';
    my @lines = $agg->err =~ /^.* (?:error|warn): .*sentinel.*$/mg;
    is scalar @lines, 1, 'said once' or diag @lines;
    $_->cont for $set->sentinels;
    ok wait_for(sub { $agg->err =~ / warn: sentinel.*works again/ }, 12),
        'they are back: said';
    is $agg->stop, 0, 'ends';

    # from the beginning
    $_->pause for $set->sentinels;
    my $began = time;
    my ($status, undef, $err) = $t->ctl('lag', '--redis', $set->url);
    is $status, 2, 'cxctl gives up';
    like $err, qr/^cxctl: sentinel:\S+: timed out$/, 'and says why';
    cmp_ok time - $began, '<', 11 * $slow, 'after a while';
    $_->cont for $set->sentinels;
    $t->stop_all;
}

# ---- name servers that hang ----

my $cc = $ENV{CC} // 'cc';
my $so = $t->dir . '/names.so';
my ($built, undef, $why) = $t->run({ timeout => 120 }, '/bin/sh', '-c',
    "$cc -shared -fPIC -O2 -o '$so' '" . $t->root
    . "/t/lib/Test/Cx/names.c' -ldl");
is $built, 0, 'a name server' or diag $why;
if ($ENV{CX_ASAN}) {
    chomp(my $asan = `$cc -print-file-name=libasan.so`);
    $so = "$asan $so";
}
my $dir = $t->subdir('names');
my %env = (LD_PRELOAD => $so, CX_NAMES => $dir);
my $redis = $t->redis;
my $s = Test::Cx::Stream->new($redis, 'shop');
my $url = 'redis://redis.test:' . $redis->port;

sub flag   { write_file("$dir/$_[0]", '') }
sub unflag { unlink "$dir/$_[0]" }

sub agg {
    my ($more, @flags) = @_;
    my $dir = $t->subdir('agg');
    return $t->spawn(name => 'cx-aggregator', env => { %env, %$more },
                     cmd => [$t->build . '/cx-aggregator', '--redis', $url,
                             @fast, @flags],
                     out => "$dir/out", err => "$dir/err");
}

my $path = $t->dir . '/notify';
socket my $notify, PF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
bind $notify, pack_sockaddr_un($path) or die "bind: $!";
my @watchdog = { NOTIFY_SOCKET => $path, WATCHDOG_USEC => 2_000_000 };

# messages in so many seconds, and the longest silence
sub alive {
    my ($seconds) = @_;
    my ($text, $longest, $last, $end) = ('', 0, time, time + $seconds);
    while (time < $end) {
        IO::Select->new($notify)->can_read($end - time) or next;
        recv $notify, my $more, 4096, 0;
        $text .= "$more\n";
        $longest = time - $last if time - $last > $longest;
        $last = time;
    }
    $longest = time - $last if time - $last > $longest;
    return ($text, $longest);
}

my $agg = agg(@watchdog, '--timeout', '1s');
feed($s, 10);
ok wait_for(sub { total($s) == 10 }, 5), 'a name: counted';
flag('hang');
cut($redis);
feed($s, 10);
ok wait_for(sub { total($s) == 20 }, 5 * $slow),
    'no name server: counted with the last address';
ok wait_for(sub { $redis->cmd('PTTL', $s->key('lease')) > 3000 }, 10),
    'with a lease';
cut($redis);
my ($life) = watch($s, 4);
cmp_ok $life, '>', 1000, 'which is kept over connections that are lost';
unflag('hang');
is $agg->stop, 0, 'ends';

# a name that is gone is another thing: its last address is nobody's
$agg = agg({}, '--timeout', '1s');
feed($s, 10);
my $last = $redis->cmd('XREVRANGE', $s->key('events'), '+', '-', 'COUNT', 1);
ok wait_for(sub { $s->checkpoint->{id} eq $last->[0][0] }, 10), 'another one';
flag('gone');
cut($redis);
my $n = total($s);
feed($s, 5);
sleep 2;
is total($s), $n, 'the name is gone: its last address is not used';
unflag('gone');
ok wait_for(sub { $agg->err =~ /warn: redis:\S+ works again/ }, 20), 'and back';
ok wait_for(sub { total($s) == $n + 5 }, 10), 'counted';
is $agg->stop, 0, 'ends';

# from the beginning
flag('hang');
1 while IO::Select->new($notify)->can_read(0) && recv $notify, my $x, 4096, 0;
$agg = agg(@watchdog, '--timeout', '1s');
my ($text, $longest) = alive(5);
like $text, qr/^READY=1$/m, 'no name server from the beginning: ready';
like $text, qr/waiting for Redis$/m, 'it waits';
cmp_ok $longest, '<', 2 * $slow, 'and says so, again and again';
like $agg->err, qr/error: redis:\S+ host not found: timed out/, 'and why';
$n = total($s);
feed($s, 7);
unflag('hang');
ok wait_for(sub { total($s) == $n + 7 }, 20), 'it answers: counted';
flag('hang');
cut($redis);
sleep 0.3;
my $began = time;
is $agg->stop(8), 0, 'ends';
cmp_ok time - $began, '<', 4 * $slow, 'at once, though an answer is to come';

# who cannot try again
my ($status, undef, $err) = $t->run('/usr/bin/env',
    (map { "$_=$env{$_}" } sort keys %env), $t->build . '/cxctl', 'lag',
    '--redis', $url, '--site', 'shop');
is $status, 2, 'cxctl';
like $err, qr/^cxctl: redis:\S+ host not found: timed out$/, 'says why';

$t->done;
