#!/usr/bin/perl

# A spool or a disk that is full: signals go first, the oldest first, then
# answers are refused.  Nothing that was acknowledged is lost.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Spool;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis(appendonly => 'yes');

sub nginx {
    my ($path, $options) = @_;
    return $t->nginx(redis => $redis, cx => 1, workers => 1,
        http => "cx_queue flush=20ms size=1m; cx_spool $path $options;",
        server => 'cx_surveys surveys.json; keepalive_requests 100000;',
        files => { 'html/a.txt' => 'no page, and so no event',
                   'conf/surveys.json' => SURVEYS });
}

sub disk {
    my ($dir) = @_;
    my $sum = 0;
    $sum += -s $_ // 0 for glob "$dir/*";
    return $sum;
}

# answers sent on several connections at a time, as those refused wait; ids by
# status
sub answers {
    my ($ngx, $token, $n, $text) = @_;
    my %by;
    my @c = map { $ngx->connect } 1 .. 20;
    while ($n > 0) {
        my @pending;
        for my $c (@c) {
            my $id = sprintf 'a0f%013x', $n-- + 1000 * int rand 1e9;
            $c->send(Test::Cx::Http::build('/_cx/events', 'Content-Type' =>
                'text/plain', body => Test::Cx::Http::encode(
                signed($token, $id, $text))));
            push @pending, [ $c, $id ];
        }
        push @{$by{$_->[0]->response(timeout => 20)->{status}}}, $_->[1]
            for @pending;
    }
    return \%by;
}

sub arrive {
    my ($name, @ids) = @_;
    my %n;
    wait_for {
        %n = ();
        $n{$_}++ for answers_of($redis);
        !grep { !$n{$_} } @ids;
    } 20;
    is scalar(grep { ($n{$_} // 0) != 1 } @ids), 0,
        "$name: " . @ids . ' acknowledged answers, each there once';
}

# ---- max_size ----

my $ngx = nginx('spool', 'max_size=1m');
my $dir = $ngx->dir . '/spool';
my $token = token($ngx);
$redis->stop;

my $c = $ngx->connect;
my @marks = map { substr $_, 0, 8 }
    map { signals($c, 50, 'x' x 100) } 1 .. 160;
sleep 1.5;
my $most = disk($dir);
for my $round (1 .. 20) {
    last if $round > 1
        && ($ngx->counter('dropped_events', 'spool_full') // 0) > 1000;
    push @marks, map { substr $_, 0, 8 }
        map { sleep 0.01; signals($c, 50, 'x' x 100) } 1 .. 40;
    sleep 1.5;
    $most = disk($dir) if disk($dir) > $most;
}
cmp_ok $most, '<=', 1 << 20, "$most bytes on disk are no more than max_size";
cmp_ok $most, '>', 750_000, 'but not far less';
my $dropped = $ngx->counter('dropped_events', 'spool_full') // 0;
my $evicted = $ngx->counter('dropped_events', 'queue_full') // 0;
cmp_ok $dropped, '>', 1000, "$dropped signals dropped and counted";
is scalar(() = $ngx->error_log =~ /cx: spool .* is full/g), 1, 'said once';

my ($status, $first) = answer($c, $token);
is $status, 204, 'an answer is taken all the same';
my $by = answers($ngx, $token, 1200, 'y' x 1900);
my @taken = ($first, @{$by->{204}});
cmp_ok scalar @{$by->{503} // []}, '>', 0, @taken . ' answers push all signals '
    . 'out, then ' . @{$by->{503} // []} . ' are refused';
is join(' ', sort keys %$by), '204 503', 'with 503, and nothing else';
cmp_ok disk($dir), '<=', 1 << 20, 'still no more than max_size';
is scalar(grep { /-s-/ } segments($dir)), 0, 'all of it answers';
is $ngx->get('/a.txt')->{status}, 200, 'pages are served';

$redis->start;
arrive('Redis is back', @taken);
ok wait_for(sub { !segments($dir) }, 10), 'the spool is empty';
my @got = marks_of($redis);
is_deeply \@got, [ sort @got ], 'what is left of the signals is in order';
my %got = map { $_ => 1 } @got;
is scalar(keys %got), scalar(@got), 'and there once';
my $counted = ($ngx->counter('dropped_events', 'spool_full') // 0)
    + ($ngx->counter('dropped_events', 'queue_full') // 0);
my $there = @got + keys %{{ map { $_ => 1 } answers_of($redis) }};
is $there + $counted, @marks + 1201, 'every event is there or was counted';

# ---- a disk of 700 KB ----

SKIP: {
    skip 'a small disk can only be mounted by root', 1 if $> != 0;
    my $disk = $t->subdir('disk');
    my ($mounted) = $t->run('/usr/bin/env', 'mount', '-t', 'tmpfs', '-o',
                            'size=700k,mode=0700', 'tmpfs', $disk);
    skip 'mount is not allowed here', 1 if $mounted ne '0';
    my $unmount = bless [ $t, $disk ], 'Unmount';

    $redis->cmd('FLUSHALL');
    my $ngx = nginx($disk, 'sync=always');
    my $token = token($ngx);
    $redis->stop;
    my $by = answers($ngx, $token, 600, 'y' x 1900);
    my @taken = @{$by->{204} // []};
    cmp_ok scalar @taken, '>', 100, 'full disk: ' . @taken . ' answers, then '
        . @{$by->{503} // []} . ' refused';
    cmp_ok scalar @{$by->{503} // []}, '>', 0, 'with 503';
    is scalar(() = $ngx->error_log =~ /\[error\].*cx: spool: /g), 1,
        'said once';
    like $ngx->error_log, qr/cx: spool: .*\Q$disk\E.* \(28: /,
        'with the file and the error';
    is $ngx->get('/a.txt')->{status}, 200, 'pages are served';

    # killed like that
    $ngx->{proc}->kill9;
    $ngx->start;
    ok wait_for(sub { $ngx->status->{spool_events} >= @taken }, 5),
        'a new one takes it over';
    $t->run('/usr/bin/env', 'mount', '-o', 'remount,size=8m', $disk);
    $token = token($ngx);
    my ($status, $id) = answer($ngx->connect, $token);
    is $status, 204, 'room again: an answer is taken';
    $redis->start;
    arrive('Redis is back', @taken, $id);
    ok wait_for(sub { !segments($disk) }, 10), 'the spool is empty';
    is scalar(() = glob "$disk/*.bad"), 0, 'nothing had to be set aside';
    is $ngx->counter('spool_damages', 'torn_tail'), 0, 'nor was cut off';
    $ngx->quit(10);
}

$t->done;

sub Unmount::DESTROY {
    my ($t, $disk) = @{$_[0]};
    local ($?, $@, $!);
    $t->run('/usr/bin/env', 'umount', '-l', $disk);
}
