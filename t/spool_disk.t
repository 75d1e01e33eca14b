#!/usr/bin/perl

# sync= means what it says, and a slow disk holds up nobody but those who wait
# for it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Spool;
use Time::HiRes qw(time sleep);

plan skip_all => 'a sanitizer is preloaded already'
    if $ENV{CX_ASAN} || $ENV{CX_PRELOAD};

my $t = Test::Cx->new;
my $disk = $t->subdir('disk');
my ($built, undef, $errors) = $t->run('/usr/bin/env',
    split(' ', $ENV{CC} // 'cc'), qw(-shared -fPIC -Wall -o), "$disk/disk.so",
    "$FindBin::Bin/lib/Test/Cx/disk.c", '-ldl');
is $built, '0', 'a disk that can fail is built' or diag $errors;
$ENV{CX_PRELOAD} = "$disk/disk.so";
$ENV{CX_DISK} = $disk;

my $redis = $t->redis;

sub nginx {
    my ($sync) = @_;
    unlink map { "$disk/$_" } qw(synced fails slow full);
    $redis->start if !$redis->running;
    my $ngx = $t->nginx(redis => $redis, cx => 1, workers => 1,
        main => 'env CX_DISK; env LD_PRELOAD;',
        http => "cx_queue flush=20ms; cx_spool spool sync=$sync;",
        server => 'cx_surveys surveys.json; keepalive_requests 100000;',
        files => { 'html/a.txt' => 'no page',
                   'conf/surveys.json' => SURVEYS });
    my $token = token($ngx);
    $redis->stop;
    return ($ngx, $token);
}
sub synced { -s "$disk/synced" // 0 }
sub touch { write_file("$disk/$_[0]", '') }

# off
my ($ngx, $token) = nginx('off');
my $c = $ngx->connect;
my @ids = (answer($c, $token))[1];
sleep 1.5;
is synced(), 0, 'sync=off: never';
$ngx->quit(10);
is synced(), 0, 'nor at the end';

# nearly full: small writes do well between large ones
($ngx, $token) = nginx('off');
touch('full');
my $large = $ngx->connect;
$large->send(Test::Cx::Http::build('/_cx/events', 'Content-Type' =>
    'text/plain', body => Test::Cx::Http::encode(
        signed($token, 'b' x 16, 'x' x 1900))));
$c = $ngx->connect;
my @small = map { sleep 0.2; signals($c, 1) } 1 .. 20;
is $large->response->{status}, 503, 'nearly full: a long answer is refused';
cmp_ok $ngx->status->{spool_events}, '>', 0, 'signals have room';
is scalar(() = $ngx->error_log =~ /\[error\].*cx: spool: /g), 1,
    'that is one trouble, and said once';
unlink "$disk/full";
$ngx->quit(10);

# interval
($ngx, $token) = nginx('interval');
$c = $ngx->connect;
for (1 .. 10) {
    my ($status, $id) = answer($c, $token);
    is $status, 204, 'sync=interval: an answer is taken' if $_ == 1;
}
cmp_ok synced(), '<=', 1, 'without waiting for the disk';
ok wait_for(sub { synced() }, 2), 'which gets it within a second or so';
my $n = synced();
sleep 1.5;
is synced(), $n, 'once';
touch('fails');
is((answer($c, $token))[0], 204, 'the disk fails: an answer is taken');
ok wait_for(sub { $ngx->error_log =~ /\[error\].*fdatasync\(\)/ }, 3),
    'and the log says it';
$ngx->quit(10);

# always
($ngx, $token) = nginx('always');
$c = $ngx->connect;
my @synced;
for (1 .. 10) {
    my $before = synced();
    my ($status) = answer($c, $token);
    push @synced, $_ if $status == 204 && synced() > $before;
}
is scalar @synced, 10, 'sync=always: on disk before each 204';
touch('fails');
is((answer($c, $token))[0], 503, 'the disk fails: not acknowledged');
like $ngx->error_log, qr/\[error\].*cx: spool: fdatasync\(\)/,
    'and the log says it';
unlink "$disk/fails";
sleep 1.2;
is((answer($c, $token))[0], 204, 'it works again: acknowledged');
ok wait_for(sub { $ngx->error_log =~ /cx: spool .* can be used again/ }, 3),
    'and the log says it';
$redis->start;
ok wait_for(sub { !segments($ngx->dir . '/spool') }, 15), 'all is delivered';
my @there = answers_of($redis);
is_deeply \@there, [ sort @there ], 'in order';
is scalar(@there), 12, 'what was taken, and what was refused, once';
is $ngx->counter('spool_damages'), 0, 'no file is damaged';
$redis->stop;

# a slow disk and a page
touch('slow');
my ($most, $answered, $pages) = (0, 0, 0);
my $start = time;
my $page = $ngx->connect;
$c->send(Test::Cx::Http::build('/_cx/events', 'Content-Type' => 'text/plain',
    body => Test::Cx::Http::encode(signed($token, 'a00000000000ffff'))));
while (time - $start < 2) {
    my $from = time;
    $pages++ if $page->get('/a.txt')->{status} == 200;
    $most = time - $from if time - $from > $most;
}
is $c->response(timeout => 10)->{status}, 204,
    'a disk that takes 1.2 s: the answer waits for it';
cmp_ok $most, '<', 0.6, sprintf '%d requests meanwhile do not: %.1f ms at '
    . 'most', $pages, 1000 * $most;

$t->done;
