#!/usr/bin/perl

# Whatever Redis answers: each event arrives exactly once, and the log says
# once that trouble starts and once that it is over.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Load;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis(appendonly => 'yes');

sub nginx_on {
    my ($redis, %o) = @_;
    return $t->nginx(redis => $redis, cx => 1,
        http => 'cx_queue flush=20ms batch=20;',
        server => 'keepalive_requests 1000000;', %o);
}
my $ngx = nginx_on($redis, workers => 2);
my @marks;

sub kill_clients {
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}

# more load, until the workers have met the trouble
sub meet {
    my ($kind) = @_;
    my @more;
    Test::Cx::wait_for(sub {
        push @more, load($ngx, 0.1);
        $ngx->counter('redis_troubles', $kind);
    }, 8);
    return @more;
}

# read-only
@marks = load($ngx, 0.4, sub {
    $redis->cmd('REPLICAOF', '127.0.0.1', Test::Cx::free_port());
});
push @marks, meet('readonly');
$redis->cmd('REPLICAOF', 'NO', 'ONE');
once('READONLY', $redis, @marks, load($ngx, 0.2));
logged_once('READONLY', $ngx, 'readonly');

# out of memory
@marks = load($ngx, 0.4, sub {
    $redis->cmd('CONFIG', 'SET', 'maxmemory', '100kb');
});
push @marks, meet('oom');
$redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
once('OOM', $redis, @marks, load($ngx, 0.2));
logged_once('OOM', $ngx, 'oom');

# password asked for
@marks = load($ngx, 0.4, sub {
    $redis->cmd('CONFIG', 'SET', 'requirepass', 'secret');
    kill_clients();
});
push @marks, meet('auth');
$redis->cmd('CONFIG', 'SET', 'requirepass', '');
once('NOAUTH', $redis, @marks, load($ngx, 0.2));
logged_once('NOAUTH', $ngx, 'auth');

# script forgotten: not even a reason to wait
@marks = ();
push @marks, load($ngx, 0.1, sub { $redis->cmd('SCRIPT', 'FLUSH') })
    for 1 .. 5;
once('NOSCRIPT', $redis, @marks);
news($ngx);

# loading: a snapshot that takes its time
my $slow = $t->redis(conf => "loading-process-events-interval-bytes 1024\n"
                     . "enable-debug-command yes\n");
my $n2 = nginx_on($slow);
once('another Redis', $slow, load($n2, 0.3));
$slow->cmd('DEBUG', 'POPULATE', 3000, 'fill', 64);
$slow->cmd('SAVE');
$slow->kill9;
news($n2);
$slow->{opt}{conf} .= "key-load-delay 400\n";
$slow->start(1);
like((eval { $slow->cmd('XLEN', 'x') } // $@), qr/LOADING/, 'it is loading');
once('LOADING', $slow, load($n2, 0.4));
logged_once('LOADING', $n2, undef);
cmp_ok $n2->counter('redis_troubles', 'loading')
    + $n2->counter('redis_troubles', 'connect')
    + $n2->counter('redis_troubles', 'closed'), '>=', 1, 'LOADING: counted';

# one stream that is no stream holds up nobody else
my $two = nginx_on($redis, servers => 'server { listen 127.0.0.1:%%PORT:b%%; '
    . 'server_name b; cx on; location /_cx/ { cx_endpoint; } }');
sub post_b {
    my ($mark) = @_;
    return $two->post('/_cx/events', { v => 1, page => '/b', events => [
        { type => 'signal', name => 'js_error', target => $mark } ] },
        port => $two->port('b'));
}
$redis->cmd('SET', 'cx:{b}:events', 'no stream');
my @b = map { "b$_" } 1 .. 300;
post_b($_)->{status} == 204 or diag "$_ was refused" for @b;
ok wait_for(sub { $two->counter('redis_troubles', 'refused') }, 5),
    'WRONGTYPE: counted';
once('beside WRONGTYPE', $redis, load($two, 1));
my @wrong = news($two);
is scalar(grep { /WRONGTYPE/ } @wrong), 1, 'WRONGTYPE: logged once'
    or diag join "\n", @wrong;
like join(' ', @wrong), qr/cx:\{b\}:events/, 'WRONGTYPE: with the key';
is scalar @wrong, 1, 'WRONGTYPE: and nothing else is wrong';
$redis->cmd('DEL', 'cx:{b}:events');
my %b;
wait_for {
    %b = ();
    $b{$_->{target} // ''}++ for $redis->events('b');
    !grep { !$b{$_} } @b;
} 10;
is scalar(grep { ($b{$_} // 0) != 1 } @b), 0, 'WRONGTYPE: then each once';
is join(' ', map { $_->{target} } $redis->events('b')), "@b", 'in order';
ok wait_for(sub { grep { /is back/ } news($two) }, 3), 'and is over';
is $two->counter('redis_connects'), 1, 'on one connection all the time';

# a password that is right, and one that is wrong
my $locked = $t->redis(password => 's3cret');
my $right = $t->nginx(cx => 1, http => 'cx_redis redis://:s3cret@127.0.0.1:'
    . $locked->port . '; cx_queue flush=20ms;');
once('password', $locked, load($right, 0.2));
is scalar(news($right)), 0, 'password: nothing in the log';
my $wrong = $t->nginx(cx => 1, http => 'cx_redis redis://:wr0ng@127.0.0.1:'
    . $locked->port . '; cx_queue flush=20ms;');
load($wrong, 1);
my @lines = news($wrong);
is scalar @lines, 1, 'wrong password: logged once' or diag @lines;
unlike $wrong->error_log, qr/wr0ng/, 'a password is never logged';

# another database
my $second = $t->nginx(cx => 1, http => 'cx_redis ' . $redis->url
    . '?db=3; cx_queue flush=20ms;');
@marks = load($second, 0.2);
$redis->cmd('SELECT', 3);
once('database 3', $redis, @marks);
$redis->cmd('SELECT', 0);

$t->done;
