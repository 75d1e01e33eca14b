#!/usr/bin/perl

# The queue is bounded, and what it drops is counted; workers that leave take
# the time to deliver, but not for ever.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $serial = 0;
my $long = 'x' x 100;

sub nginx_on {
    my ($redis, %o) = @_;
    my $queue = delete $o{queue} // 'flush=20ms';
    return $t->nginx(redis => $redis, cx => 1, http => "cx_queue $queue;",
        server => 'keepalive_requests 1000000; cx_surveys surveys.json;',
        files => { 'conf/surveys.json' => '{ "version": 1, "surveys": [
            { "id": "nps", "metric": "nps", "question": "Recommend?" } ] }' },
        %o);
}

# beacons of so many marked events each; the marks that got 204
sub post {
    my ($c, $beacons, $events) = @_;
    my @marks;
    for (1 .. $beacons) {
        my @m = map { $long . ++$serial } 1 .. $events;
        my $r = $c->post('/_cx/events', { v => 1, page => '/a', events => [
            map { { type => 'signal', name => 'js_error', target => $_ } } @m
        ] });
        push @marks, @m if $r->{status} == 204;
    }
    return @marks;
}

sub present {
    my ($redis) = @_;
    my %n;
    $n{$_->{target} // ''}++
        for grep { $_->{type} ne 'offer' } eval { $redis->events };
    return \%n;
}

# full
my $redis = $t->redis(appendonly => 'yes');
my $ngx = nginx_on($redis, queue => 'size=512k flush=20ms');
my $c = $ngx->connect;
my @before = post($c, 2, 10);
$redis->wait_events(20);
my $versions = $ngx->versions;
wait_for { $ngx->counter('queue_events') == $ngx->counter('delivered_events') }
    5;                                      # the offer of them, too
$redis->stop;
my $answer = $ngx->connect;
$answer->send(Test::Cx::Http::build('/_cx/events', 'Content-Type' =>
    'text/plain', body => Test::Cx::Http::encode(Test::Cx::Token::sign(
    { v => 1, page => '/a', events => [ { type => 'answer', survey => 'nps',
    score => 1, answer => 'a' x 16 } ] }, $versions))));
sleep 0.1;
my @marks = post($c, 80, 50);
cmp_ok $ngx->counter('dropped_events', 'queue_full'), '>', 0,
    'full: what is dropped is counted';
my $rss = (read_file('/proc/' . ($ngx->workers)[0] . '/statm') =~ /\S+ (\d+)/)
    [0] * 4;
cmp_ok $rss, '<', 40_000, "full: memory is bounded ($rss KB)";
is $answer->response->{status}, 503, 'full: an answer cannot be promised';
$redis->start;
wait_for {
    $ngx->counter('queue_events') == $ngx->counter('delivered_events')
        + $ngx->counter('dropped_events')
} 10;
my $there = present($redis);
is scalar(grep { $there->{$_} > 1 } keys %$there), 0, 'full: none twice';
my $got = grep { $there->{$_} } @marks;
my $dropped = $ngx->counter('dropped_events', 'queue_full');
is $got + $dropped, scalar @marks,
    "full: $got delivered and $dropped dropped are all";
ok $there->{$marks[-1]}, 'full: the newest are kept';
ok !$there->{$marks[300]}, 'full: the oldest go';
is scalar(grep { ($_->{answer} // '') eq 'a' x 16 } $redis->events), 1,
    'full: answers are kept';
is scalar(grep { $there->{$_} } @before), scalar @before,
    'full: what was delivered before is there';

# while Redis is away memory holds events, not batches that are nearly empty
$redis->stop;
my @few;
for (1 .. 60) {
    push @few, post($c, 1, 1);
    sleep 0.03;
}
$redis->start;
wait_for { $there = present($redis); !grep { !$there->{$_} } @few } 10;
is scalar(grep { ($there->{$_} // 0) == 1 } @few), 60,
    'a little at a time: nothing is dropped'
    or diag scalar(@few), ' taken, ', scalar(grep { $there->{$_} } @few),
        " there; ", map { "$_ " . ($ngx->counter($_) // '') . '; ' }
        qw(queue_events delivered_events dropped_events queue_depth);

# quit right after the last event
my @m = post($c, 5, 20);
my $start = time;
is $ngx->quit(5), 0, 'quit: clean';
cmp_ok time - $start, '<', 1.5, 'quit: at once';
$there = present($redis);
is scalar(grep { ($there->{$_} // 0) == 1 } @m), 100, 'quit: all are there';

# quit while Redis is away for a moment
$ngx = nginx_on($redis);
@m = post($ngx->connect, 5, 20);
$redis->pause;
push @m, post($ngx->connect, 5, 20);
my $pid = $redis->pid;
$t->spawn(name => 'later', code => sub { sleep 0.7; kill 'CONT', $pid });
is $ngx->quit(5), 0, 'quit, Redis away: clean';
$there = present($redis);
is scalar(grep { ($there->{$_} // 0) == 1 } @m), 200,
    'quit, Redis away: all are there';

# quit while Redis is gone, and knows what the survey asks
$ngx = nginx_on($redis);
wait_for { $ngx->counter('delivered_events') } 5;
$redis->stop;
post($ngx->connect, 3, 10);
$start = time;
is $ngx->quit(8), 0, 'quit, Redis gone: clean';
cmp_ok time - $start, '<', 5, 'quit, Redis gone: in bounded time';
my @lost = $ngx->error_log =~ /(\d+) events[^\n]*lost/g;
is "@lost", 30, 'quit, Redis gone: says how many are lost';

# stop while Redis is gone: at once
$ngx = nginx_on($redis);
post($ngx->connect, 3, 10);
$start = time;
is $ngx->stop(5), 0, 'stop, Redis gone: clean';
cmp_ok time - $start, '<', 1, 'stop, Redis gone: at once';

# connection kept open by a client does not hold the events back
$redis->start;
$ngx = nginx_on($redis);
my $idle = $ngx->connect;
@m = post($idle, 2, 10);
is $ngx->quit(5), 0, 'quit with a kept connection: clean';
$there = present($redis);
is scalar(grep { ($there->{$_} // 0) == 1 } @m), 20,
    'quit with a kept connection: all are there';

# the last resort: a bound on the stream, counted
$redis->cmd('DEL', 'cx:{localhost}:events');
$ngx = nginx_on($redis, queue => 'stream=1000 flush=20ms');
post($ngx->connect, 50, 60);
wait_for { $ngx->counter('delivered_events') == 3001 } 5;
my $len = $redis->xlen;
ok $len >= 1000 && $len <= 1300, "stream bound: $len entries";
is $ngx->counter('trimmed_entries'), 3001 - $len, 'stream bound: counted';

$t->done;
