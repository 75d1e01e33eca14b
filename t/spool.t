#!/usr/bin/perl

# An answer that got 204 reaches Redis once, whatever dies in between: Redis, a
# worker, nginx.  What does not fit into the spool is refused or counted.

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
    my ($options, %o) = @_;
    return $t->nginx(redis => $redis, cx => 1,
        http => "cx_queue flush=20ms; cx_spool spool $options;",
        server => 'cx_surveys surveys.json; keepalive_requests 100000;',
        files => { 'html/a.html' => '<!doctype html><html><head>',
                   'conf/surveys.json' => SURVEYS }, %o);
}

# answers that were taken, n of them
sub answers {
    my ($ngx, $n, $token) = @_;
    my $c = $ngx->connect;
    my @ids;
    for (1 .. $n) {
        my ($status, $id) = answer($c, $token);
        push @ids, $id if $status == 204;
    }
    return @ids;
}

# all of them are in Redis, once and in this order
sub arrive {
    my ($name, $ids, $marks, %o) = @_;
    my (@ids, @marks);
    wait_for {
        @ids = answers_of($redis);
        @marks = marks_of($redis);
        @ids >= @$ids && @marks >= @$marks;
    } 15;
    if ($o{any_order}) { @$_ = sort @$_ for \@ids, \@marks, $ids, $marks }
    is "@ids", "@$ids", "$name: " . @$ids . ' answers, each once'
        . ($o{any_order} ? '' : ', in order');
    is "@marks", "@$marks", "$name: " . @$marks . ' signals, each once'
        . ($o{any_order} ? '' : ', in order') if @$marks;
}
sub forget { $redis->cmd('DEL', 'cx:{localhost}:events') }
# that Redis is back a worker knows by an attempt, 5 s or more after the last
sub empty {
    my ($ngx) = @_;
    return wait_for { !segments($ngx->dir . '/spool') } 10;
}

# ---- mistakes ----

for (['spool max_size=1023k', qr/"max_size=1023k": expected a size of at least 1m/],
     ['spool max_size=x', qr/"max_size=x": expected a size/],
     ['spool sync=yes', qr/"sync=yes": expected sync=off, sync=interval or/],
     ['spool size=1m', qr/"size=1m": expected max_size= or sync=/],
     ['""', qr/"cx_spool": expected a directory/],
     ['a; cx_spool b', qr/"cx_spool" directive is duplicate/])
{
    my ($words, $error) = @$_;
    my ($status, $out) = $t->nginx_test(http => "cx_spool $words;");
    ok $status ne '0' && $out =~ $error, "cx_spool $words: refused"
        or diag $out;
}
is(($t->nginx_test(http => 'cx_spool off;'))[0], '0', 'cx_spool off');

# ---- one worker: order, files, damage ----

my $ngx = nginx('max_size=4m', workers => 1);
my $dir = $ngx->dir . '/spool';
my $token = token($ngx);
is sprintf('%o', (stat $dir)[2] & 07777), '700', 'the directory is private';
is scalar(() = glob "$dir/*"), 0, 'and empty while Redis is well';

my (@ids, @marks);
my $c = $ngx->connect;
for my $n (1 .. 300) {
    push @marks, map { substr $_, 0, 8 } signals($c, 3);
    push @ids, answers($ngx, 1, $token) if $n % 10 == 0;
    $redis->kill9 if $n == 100;
    sleep 0.005;
}
is scalar @ids, 30, 'Redis killed under load: all answers get 204';
is scalar @marks, 900, 'and all signals';
ok wait_for(sub { segments($dir) >= 2 }, 3), 'they are in the spool';
my @names = map { s{.*/}{}r } glob "$dir/*";
is scalar(grep { !/^[0-9a-f]{16}(?:\.lock|-[sa]-[0-9a-f]{8}\.\d+)$/ } @names),
    0, 'with nothing but numbers in their names';
is join(' ', grep { $_ ne '600' } map { sprintf '%o', (stat $_)[2] & 07777 }
             glob "$dir/*"), '', 'and readable by nobody else';
my $status = $ngx->status;
cmp_ok $status->{spool_bytes}, '>', 1000, 'their size is told';
# with what the survey asks, and that it was offered when a token was wanted
is $status->{spool_events} + $status->{queue_depth}
    + $status->{delivered_events}, 932, 'each event is in one place';
cmp_ok $status->{spool_age_ms}, '>', 300, 'so is their age';
sleep 1.2;
$redis->start;
arrive('Redis is back', \@ids, \@marks);
ok empty($ngx), 'nothing is left in the spool';
$status = $ngx->status;
is $status->{$_}, 0, "$_ is 0" for qw(spool_bytes spool_events spool_age_ms);
is $status->{spooled_events}, $status->{replayed_events},
    'what went in came out';
is $status->{dropped_events}{$_}, 0, "none dropped: $_"
    for sort keys %{$status->{dropped_events}};
forget();

# SIGKILL of the worker, and of all, with a full spool
sub fill {
    my ($n) = @_;
    my $c = $ngx->connect;
    my (@ids, @marks);
    for (1 .. $n) {
        push @marks, map { substr $_, 0, 8 } signals($c, 20, 'x' x 60);
        push @ids, answers($ngx, 1, $token) if $_ % 10 == 0;
    }
    sleep 1.3;
    return (\@ids, \@marks);
}
$redis->stop;
my ($ids, $marks) = fill(100);
is scalar @$ids, 10, 'Redis away: answers get 204';
my ($worker) = $ngx->workers;
$ngx->allow(qr/exited on signal 9/);
kill 'KILL', $worker;
ok wait_for(sub { my @w = $ngx->workers; @w && $w[0] != $worker }, 5),
    'the worker is killed, another comes';
ok wait_for(sub { ($ngx->counter('spool_claims') // 0) == 1 }, 5),
    'which takes its spool over';
is $ngx->status->{spool_events}, 2010, 'with all that is in it';
my ($more, $more_marks) = fill(20);
$redis->start;
arrive('worker killed', [ @$ids, @$more ], [ @$marks, @$more_marks ],
       any_order => 1);
ok empty($ngx), 'nothing is left';
is scalar(() = glob "$dir/*.lock"), 1, 'but the lock of the worker';
forget();

$redis->stop;
($ids, $marks) = fill(60);
$ngx->{proc}->kill9;
my ($torn) = grep { /-s-/ } segments($dir);
my $data = read_file("$dir/$torn");
write_file("$dir/$torn",
           $data . substr $data, read_segment($data)->{records}[0]{at}, 500);
$ngx->start;
$redis->start;
arrive('nginx killed, a record half written', $ids, $marks);
ok empty($ngx), 'nothing is left';
is $ngx->counter('spool_damages', 'torn_tail'), 1, 'the torn tail is counted';
is scalar(() = $ngx->error_log =~ /\Q$torn\E" is cut off at /g), 1,
    'and said once';
is scalar(() = glob "$dir/*.bad"), 0, 'nothing is set aside';
forget();

# corrupt in the middle
$redis->stop;
$token = token($ngx);
($ids, $marks) = fill(100);
$ngx->{proc}->kill9;
my ($bad, $good) = grep { /-s-/ } segments($dir);
$data = read_file("$dir/$bad");
my $s = read_segment($data);
my $n = @{$s->{records}} / 2;
my $at = $s->{records}[$n]{at} + 100;
write_file("$dir/$bad", $data = flip($data, 8 * $at));
my %lost = map { map { $_ => 1 } @{$_->{marks}} }
    @{$s->{records}}[$n .. $#{$s->{records}}];
ok $good, 'there is a segment behind it';
$ngx->start;
$redis->start;
arrive('a record changed', $ids, [ grep { !$lost{$_} } @$marks ]);
ok empty($ngx), 'nothing is left';
is read_file("$dir/$bad.bad"), $data, 'the segment is set aside as it was';
is $ngx->counter('spool_damages', 'corrupt'), 1, 'which is counted';
is $ngx->counter('dropped_events', 'spool_corrupt'), scalar(keys %lost),
    'so are the events that are lost';
is scalar(() = $ngx->error_log =~ /\Q$bad\E" is corrupt at /g), 1,
    'and said once, with the file and where';
sleep 2.5;
is read_file("$dir/$bad.bad"), $data, 'it is not tried again';
is answers_of($redis) + marks_of($redis), @$ids + @$marks - keys %lost,
    'nor delivered';
forget();

# nginx -t looks at nothing
my %before = map { $_ => -M $_ } glob "$dir/*";
is(($ngx->test)[0], '0', 'nginx -t while it runs');
is_deeply { map { $_ => -M $_ } glob "$dir/*" }, \%before, 'touches nothing';

# restart while Redis is away
$redis->stop;
$token = token($ngx);
($ids, $marks) = fill(30);
push @$ids, answers($ngx, 3, $token);
push @$marks, map { substr $_, 0, 8 } signals($ngx->connect, 20);
is $ngx->quit(10), 0, 'Redis away: nginx ends in time';
$ngx->start;
# and the offer of the survey, and what it asks, as nginx has started
wait_for { $status = $ngx->status;
           $status->{spool_events} + $status->{queue_depth}
               >= @$ids + @$marks + 2 } 10;
is $status->{spool_events} + $status->{queue_depth}, @$ids + @$marks + 2,
    'a new one has everything';
$redis->start;
arrive('restart', $ids, $marks);
ok empty($ngx), 'nothing is left';
$ngx->quit(5);
is scalar(() = glob "$dir/*.lock"), 0, 'a worker at its end leaves no lock';
forget();

# ---- two workers become one ----

$ngx = nginx('', workers => 3);
$dir = $ngx->dir . '/spool';
$token = token($ngx);
ok wait_for(sub { $redis->xlen == 2 }, 10), 'what the survey asks, its offer';
$redis->stop;
@ids = map { answers($ngx, 2, $token) } 1 .. 20;
@marks = map { map { substr $_, 0, 8 } signals($ngx->connect, 10) } 1 .. 20;
sleep 1.3;
ok $ngx->reload(workers => 1), 'three workers become one';
ok wait_for(sub { !$ngx->workers(1) }, 10), 'the old ones leave';
my $claims = wait_for { my $n = () = glob "$dir/*.lock";
                        my $s = $ngx->status;
                        # one of them is what the survey asks
                        $s->{spool_events} + $s->{queue_depth} == 241 && $n
                      } 10;
ok $claims, 'the new one has everything';
$redis->start;
arrive('reload to fewer workers', \@ids, \@marks, any_order => 1);
ok empty($ngx), 'nothing is left';
forget();

# two at a time want what one left
$ngx->reload(workers => 4);
$redis->stop;
$token = token($ngx);
@ids = map { answers($ngx, 2, $token) } 1 .. 20;
$ngx->allow(qr/exited on signal 9/);
kill 'KILL', $ngx->workers;
my $claimed = $ngx->counter('spool_claims') // 0;
$redis->start;
arrive('all workers killed', \@ids, [], any_order => 1);
ok empty($ngx), 'nothing is left';
is scalar(() = glob "$dir/*.bad"), 0, 'nor set aside';
forget();

# who takes over is killed as well, again and again
$redis->stop;
$token = token($ngx);
@ids = map { answers($ngx, 2, $token) } 1 .. 10;
for (1 .. 5) {
    my @old = $ngx->workers;
    sleep rand 0.4;
    kill 'KILL', @old;
    wait_for { my %old = map { $_ => 1 } @old;
               my @w = $ngx->workers; @w == 4 && !grep { $old{$_} } @w } 5;
}
$redis->start;
arrive('workers killed five times', \@ids, [], any_order => 1);
ok empty($ngx), 'nothing is left';
forget();

# many shards and few descriptors
my $many = nginx('', workers => 1, main => 'worker_rlimit_nofile 160;
    events { worker_connections 64; }',
    server => 'cx_site localhost shards=256; keepalive_requests 100000;');
$redis->stop;
$c = $many->connect;
$c->get('/a.html', 'User-Agent' => "Mozilla/5.0 (X11; Linux x86_64) Who/$_")
    for 1 .. 600;
wait_for { segments($many->dir . '/spool') > 180 } 10;
cmp_ok scalar(() = segments($many->dir . '/spool')), '>', 180,
    'many shards: each has a segment';
$redis->start;
ok wait_for(sub { !segments($many->dir . '/spool') }, 15), 'all is delivered';
my $sum = 0;
$sum += $redis->cmd('XLEN', "cx:{localhost/$_}:events") for 0 .. 255;
is $sum, 600, 'each event once, with few descriptors';
my ($one) = $many->workers;
cmp_ok scalar(() = glob "/proc/$one/fd/*"), '<', 40, 'which are closed again';

# a directory that is removed, and comes back
$redis->stop;
$token = token($ngx);
system 'rm', '-rf', $dir;
my ($refused) = answer($ngx->connect, $token);
is $refused, 503, 'no directory: an answer is not acknowledged';
is $ngx->get('/a.html')->{status}, 200, 'a page is';
like $ngx->error_log, qr/\[error\].*cx: spool: .*\Q$dir\E/, 'the log says it';
mkdir $dir;
ok wait_for(sub { (answer($ngx->connect, $token))[0] == 204 }, 10),
    'it is back: an answer is acknowledged';
$redis->start;
ok empty($ngx), 'and delivered';

$t->done;
