#!/usr/bin/perl

# A pass of scoring that takes longer than a lease lasts: leases are renewed
# and the watchdog is told meanwhile, of a site and of one that is split.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Socket;
use Time::HiRes qw(sleep time);
use Test::Cx;
use Test::Cx::Relay;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;

my $path = $t->dir . '/notify';
socket my $notify, PF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
bind $notify, pack_sockaddr_un($path) or die "bind: $!";

sub messages {
    my $text = '';
    while (1) {
        recv $notify, my $more, 4096, MSG_DONTWAIT;
        return $text if !length $more;
        $text .= "$more\n";
    }
}

sub agg {
    my ($url) = @_;
    my $dir = $t->subdir('agg');
    return $t->spawn(name => 'cx-aggregator',
        env => { NOTIFY_SOCKET => $path, WATCHDOG_USEC => 2_000_000 },
        cmd => [$t->build . '/cx-aggregator', '--redis', $url, '--interval',
                '20ms', '--score-interval', '20ms', '--keep-hours', '4d'],
        out => "$dir/out", err => "$dir/err");
}

# pages of many hours that are counted, but not scored: who did died
sub prepare {
    my (@s) = @_;
    my $hours = 40;
    for my $s (@s) {
        $s->view("/p$_", ts => $s->now - 3600_000 * $_) for 1 .. $hours;
        $s->send;
    }
    my $agg = $t->aggregator('--redis', $redis->url, '--interval', '20ms',
        '--score-interval', '1h', '--keep-hours', '4d');
    my $marked = sub {
        my $n = 0;
        $n += $redis->cmd('SCARD', $_->key('dirty')) for @s;
        return $n;
    };
    ok wait_for(sub { $s[0]->checkpoint->{entries}
                      && $redis->cmd('EXISTS', map { $_->key('lease') } @s)
                         == @s }, 10), 'counted';
    $agg->kill9;
    $redis->cmd('DEL', map { $_->key('lease') } @s);
    $redis->cmd('SADD', $_->key('dirty'),
        map { ('h:' . $s[0]->hour($s[0]->now - 3600_000 * $_) . ":/p$_") }
        1 .. $hours) for @s;
    return $marked;
}

# every request of this kind takes so long
sub drill {
    my ($what, $slow, @s) = @_;
    my $marked = prepare(@s);
    my $all = $marked->();
    cmp_ok $all, '>=', 40 * @s, "$what: to be scored";
    my $relay = Test::Cx::Relay->new($t, $redis,
        lose => qr/$slow(?{ sleep 0.25 })(*FAIL)/);
    messages();
    my $agg = agg($relay->url);
    ok wait_for(sub { @s == grep { $redis->cmd('PTTL', $_->key('lease')) > 0 }
                      @s }, 15), 'leases';
    my ($life, $silence, $last) = (5000, 0, time);
    my $began = time;
    while ($marked->() && time < $began + 60) {
        for (@s) {
            my $left = $redis->cmd('PTTL', $_->key('lease'));
            $life = $left if $left < $life;
        }
        if (messages() =~ /WATCHDOG=1/) {
            $silence = time - $last if time - $last > $silence;
            $last = time;
        }
        sleep 0.02;
    }
    is $marked->(), 0, 'all is scored';
    cmp_ok time - $began, '>', 6, 'by one pass that lasted';
    cmp_ok $life, '>', 1000, 'leases were kept';
    cmp_ok $silence, '<', 2.5, 'the watchdog was told';
    is $agg->stop(15), 0, 'ends';
    unlike $agg->err, qr/ (?:warn|error): /, 'without trouble';
    is +($t->ctl('check', '--redis', $redis->url))[0], 0, 'figures are right';
    $relay->stop;
}

drill('a site', qr/\r\nZRANGE\r\n[^\r]+\r\n[^\r]+:pages:h:/,
      Test::Cx::Stream->new($redis, 'shop'));
drill('a split site', qr/\r\nINCR\r\n[^\r]+\r\ncx:\{big\}:scored/,
      map { Test::Cx::Stream->new($redis, "big/$_") } 0, 1);

$t->done;
