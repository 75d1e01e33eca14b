#!/usr/bin/perl

# A segment that is being written to is found corrupt: what was on its way into
# it goes elsewhere, in order, so that only what is counted is missing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Spool;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;
my $ngx = $t->nginx(redis => $redis, cx => 1, workers => 1,
    http => 'cx_queue flush=20ms batch=1; cx_spool spool sync=always;',
    server => 'cx_surveys surveys.json; keepalive_requests 100000;',
    files => { 'html/a.html' => '<!doctype html><html><head>',
               'conf/surveys.json' => SURVEYS });
my $dir = $ngx->dir . '/spool';
my $token = token($ngx);

# ids of each poster differ by their first digits
sub poster {
    my ($k) = @_;
    pipe my $in, my $out or die $!;
    my $pid = fork // die $!;
    return [ $pid, $in ] if $pid;
    close $in;
    my $c = $ngx->connect;
    my ($n, $end) = (0, time + 4);
    while (time < $end) {
        my $id = sprintf 'a%03d%012x', $k, ++$n;
        my $r = $c->post('/_cx/events', signed($token, $id),
                         timeout => 15);
        syswrite $out, "$id\n" if $r->{status} == 204;
    }
    close $out;
    require POSIX;
    POSIX::_exit(0);
}

$redis->stop;
my @posters = map { poster($_) } 1 .. 6;
my ($name, $s);
ok wait_for(sub {
    ($name) = grep { /-a-/ } segments($dir) or return;
    $s = read_segment(read_file("$dir/$name"));
    @{$s->{records}} > 20
}, 6), 'answers are on disk';

# one bit in the middle, the file itself stays
my $at = $s->{records}[10]{at} + 60;
open my $f, '+<:raw', "$dir/$name" or die "$dir/$name: $!";
sysseek $f, $at, 0;
sysread $f, my $byte, 1;
sysseek $f, $at, 0;
syswrite $f, chr(1 ^ ord $byte);
close $f;
$redis->start;

my @taken;
for (@posters) {
    my ($pid, $in) = @$_;
    push @taken, map { chomp; $_ } <$in>;
    waitpid $pid, 0;
}
cmp_ok scalar @taken, '>', 50, @taken . ' answers got 204';
ok wait_for(sub { !segments($dir) }, 15), 'all is delivered, or set aside';
ok -e "$dir/$name.bad", 'the segment is set aside';

my %there;
$there{$_}++ for answers_of($redis);
my $lost = $ngx->counter('dropped_events', 'spool_corrupt');
is scalar(grep { !$there{$_} } @taken), $lost,
    "only those $lost are missing that are counted";
is scalar(grep { $_ > 1 } values %there), 0, 'none is there twice';

$t->done;
