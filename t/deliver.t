#!/usr/bin/perl

# Whatever happens on the way to Redis: each event arrives exactly once, and
# the log says once that it starts and once that it is over.

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

once('at rest', $redis, load($ngx, 0.5));
is scalar(news($ngx)), 0, 'at rest: nothing in the log';

# stopped and continued
my $pid = $redis->pid;
my @marks = load($ngx, 0.8, sub {
    $redis->pause;
    $t->spawn(name => 'later', code => sub { sleep 0.6; kill 'CONT', $pid });
});
once('paused', $redis, @marks);
news($ngx);

# down and up, orderly and not
@marks = load($ngx, 0.6, sub { $redis->stop });
sleep 0.5;
$redis->start;
once('down and up', $redis, @marks, load($ngx, 0.3));
logged_once('down and up', $ngx, undef);
for (1 .. 2) {
    @marks = load($ngx, 0.4, sub { $redis->kill9 });
    $redis->start;
    push @marks, load($ngx, 0.2);
    once("killed, $_", $redis, @marks);
}
news($ngx);

# connections cut
sub kill_clients {
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}
@marks = ();
push @marks, load($ngx, 0.1, \&kill_clients) for 1 .. 8;
once('connections cut', $redis, @marks);
sleep 0.3;
news($ngx);

# Batches that were taken, but whose replies were lost: a stopped Redis finds
# them and then the order to cut their connection.
my $again = $ngx->counter('duplicate_batches');
@marks = ();
for my $round (1 .. 20) {
    last if $round > 5 && $ngx->counter('duplicate_batches') > $again;
    push @marks, load($ngx, 0.05);
    sleep 0.1;
    $redis->pause;
    push @marks, load($ngx, 0.1);
    sleep 0.1;
    $redis->send('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    $redis->cont;
    $redis->reply;
}
once('replies lost', $redis, @marks);
cmp_ok $ngx->counter('duplicate_batches') - $again, '>=', 1,
    'replies lost: batches were sent again';
sleep 0.3;
news($ngx);

$t->done;
