#!/usr/bin/perl

# The wall clock of an aggregator stands still, goes back a month or ahead by
# weeks while it works: commits, scores and leases go on, nothing is refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my @sites = map { Test::Cx::Stream->new($redis, $_) } qw(a b);
my $s     = $sites[0];
my $views = 0;
my $DAY   = 86400_000;

my $cc = $ENV{CC} // 'cc';
my $so = $t->dir . '/clock.so';
my ($status, undef, $err) = $t->run('/bin/sh', '-c',
    "$cc -shared -fPIC -O2 -o '$so' '" . $t->root . "/t/lib/Test/Cx/clock.c'");
is $status, 0, 'a clock' or diag $err;
if ($ENV{CX_ASAN}) {
    chomp(my $asan = `$cc -print-file-name=libasan.so`);
    $so = "$asan $so";
}

# in place: it is mapped
sub set {
    my ($file, $ms) = @_;
    write_file($file, pack 'q', 0) if !-e $file;
    open my $f, '+<:raw', $file or die "$file: $!";
    syswrite $f, pack 'q', $ms;
    close $f;
}

sub agg {
    my ($clock, $ms) = @_;
    set($clock, $ms);
    my $dir = $t->subdir('agg');
    return $t->spawn(name => 'cx-aggregator',
        env => { LD_PRELOAD => $so, CX_CLOCK => $clock },
        cmd => [$t->build . '/cx-aggregator', '--redis', $redis->url,
                '--interval', '20ms', '--score-interval', '50ms'],
        out => "$dir/out", err => "$dir/err");
}

sub scored {
    my ($site) = @_;
    my $score = $site->hash('score', 'd', $site->day, '/');
    return ($score->{views} // 0) == $views;
}

sub goes_on {
    my ($what) = @_;
    for my $site (@sites) {
        $site->{ts} = int(time * 1000);
        $site->view('/', visit => sprintf '%016x', $views) for 1 .. 10;
        $site->send;
    }
    $views += 10;
    my $begin = time;
    ok wait_for(sub { scored($sites[0]) && scored($sites[1]) }, 4),
        "$what: counted and scored";
    cmp_ok time - $begin, '<', 3, 'soon';
    is "$_->{rejected} $_->{late}", '0 0', 'nothing refused, nothing late'
        for map { $_->checkpoint } @sites;
}

my ($clock, $now) = ($t->dir . '/one', int(time * 1000));
my $agg = agg($clock, $now);
goes_on('stands still');
sleep 2;
goes_on('stands still for a while');
for ([-30 * $DAY, 'a month back'], [0, 'right'], [5 * $DAY, 'days ahead'],
     [-1000, 'a second back'], [-400 * $DAY, 'a year back'],
     [0, 'right again']) {
    my ($step, $what) = @$_;
    set($clock, int(time * 1000) + $step);
    goes_on($what);
    cmp_ok $redis->cmd('PTTL', $s->key('lease')), '>', 2000,
        'the lease is renewed';
}
cmp_ok $redis->cmd('TTL', (sort @{$redis->cmd('KEYS', 'cx:{a}:visits:*')})[0]),
    '>', 3 * 3600, 'visits are kept';

# another one whose clock is wrong by a day takes its share, and the rest
my $other = agg($t->dir . '/two', int(time * 1000) - $DAY);
my $held = sub {
    my %of;
    $of{$redis->cmd('GET', $_->key('lease')) // ''}++ for @sites;
    return join ' ', values %of;
};
ok wait_for(sub { $held->() eq '1 1' }, 8), 'two share';
goes_on('both');
set($clock, int(time * 1000) + 2 * $DAY);
goes_on('one of them steps');
sleep 4;
is $held->(), '1 1', 'still shared';
is $agg->stop, 0, 'one ends';
goes_on('the other one');
is $other->stop, 0, 'ends';

# further ahead than hours are kept: they count in their days, as late ones do
$agg = agg($clock, int(time * 1000) + 20 * $DAY);
$s->view('/')->send;
$views++;
ok wait_for(sub { $s->hash('total', 'd', $s->day)->{views} == $views }, 5),
    'weeks ahead: the day counts';
is $s->checkpoint->{late}, 0, 'and is not late';
is $agg->stop, 0, 'ends';

$t->done;
