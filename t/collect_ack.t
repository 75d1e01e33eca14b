#!/usr/bin/perl

# An answer that got 204 is in Redis; where Redis cannot say so in time the
# browser is told to come again, and the same answer id does so safely.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis(appendonly => 'yes');
my $ngx = $t->nginx(redis => $redis, cx => 1, http => 'cx_queue flush=50ms;',
    server => 'cx_surveys surveys.json; keepalive_requests 100000;',
    servers => <<'EOT',
    server {
        listen 127.0.0.1:%%PORT:h2%% http2;
        server_name localhost; root html; cx on; cx_surveys surveys.json;
        location /_cx/ { cx_endpoint; }
    }
EOT
    files => { 'html/a.html' => '<!doctype html><html><head>',
               'conf/surveys.json' => '{ "version": 1, "surveys": [
        { "id": "nps", "metric": "nps", "question": "Recommend?" } ] }' });
my $versions = $ngx->versions;
my $serial = 0;

# a beacon with one answer, and further events
sub answer {
    my (@more) = @_;
    return Test::Cx::Token::sign({ v => 1, page => '/a',
        view => '0123456789abcdef', events => [
        { type => 'answer', answer => sprintf('%016x', ++$serial),
          survey => 'nps', score => 8 }, @more ] }, $versions);
}
sub id { $_[0]{events}[0]{answer} }
sub entries {
    my ($id) = @_;
    return scalar grep { ($_->{answer} // '') eq $id } $redis->events;
}
sub marked { { type => 'signal', name => 'js_error', target => $_[0] } }
sub marks {
    my ($mark) = @_;
    return scalar grep { ($_->{target} // '') eq $mark } $redis->events;
}

# 204 says that it is there
my $c = $ngx->connect;
my @missing;
my $start = time;
for (1 .. 50) {
    my $b = answer();
    my $r = $c->post('/_cx/events', $b);
    push @missing, id($b) if $r->{status} != 204 || !entries(id($b));
}
is "@missing", '', 'when 204 comes, the answer is in Redis';
cmp_ok time - $start, '<', 4, 'which does not wait for a flush time';

# a short absence only takes time
sub later {
    my ($seconds, $code) = @_;
    return $t->spawn(name => 'later', code => sub {
        sleep $seconds;
        $code->();
    });
}
$redis->pause;
my $pid = $redis->pid;
later(0.5, sub { kill 'CONT', $pid });
my $b = answer(marked('short'));
$start = time;
my $r = $c->post('/_cx/events', $b);
is $r->{status}, 204, 'Redis away for half a second: 204';
cmp_ok time - $start, '>', 0.4, 'after that half second';
is entries(id($b)), 1, 'and the answer is there once';
ok wait_for(sub { marks('short') }, 2), 'so are the events beside it';

# longer than that: 503, come again
$redis->pause;
$start = time;
my $plain = $ngx->connect->post('/_cx/events',
    { v => 1, page => '/a', events => [marked('aside')] });
is $plain->{status}, 204, 'Redis away: a beacon without answer does not wait';
cmp_ok time - $start, '<', 0.5, 'at all';
my @late = map { { c => $ngx->connect, b => answer(marked("late$_")) } }
    1 .. 3;
$start = time;
$_->{c}->send(Test::Cx::Http::build('/_cx/events', 'Content-Type' =>
    'text/plain', body => Test::Cx::Http::encode($_->{b}))) for @late;
my $gone = pop @late;
sleep 0.2;
$gone->{c}->close;
for (@late) {
    my $r = $_->{c}->response(timeout => 15);
    is $r->{status}, 503, 'Redis away: 503';
    like $r->{headers}{'retry-after'} // '', qr/^\d+$/, 'Retry-After';
    like $r->{body}, qr/\A\{"error":"[^\n]+\}\n\z/, 'one line of JSON';
}
cmp_ok time - $start, '<', 10, 'in bounded time';
$redis->cont;
for (@late) {
    is $_->{c}->post('/_cx/events', $_->{b})->{status}, 204,
        'the same answer again, on the same connection: 204';
    cmp_ok entries(id($_->{b})), '>=', 1, 'the answer is there';
}
ok wait_for(sub { marks('late2') }, 2), 'events beside it are there';
sleep 0.2;
is marks("late$_"), 1, 'once, though they were sent twice' for 1, 2;
ok wait_for(sub { entries(id($gone->{b})) }, 2),
    'who did not wait gave his answer all the same';
is marks('aside'), 1, 'what did not wait is there once';
cmp_ok $ngx->counter('answers_late'), '>=', 2, 'late answers are counted';

# what it says of the visit counts once, however often it comes
my @browser = ('User-Agent' => 'Mozilla/5.0 (X11; Linux x86_64) Twice');
$ngx->get('/a.html', @browser, Accept => 'text/html');
$b = answer(marked('joined'), { type => 'leave', lcp_ms => 9000 });
@$b{qw(page age)} = ('/a.html', 10);
$redis->pause;
is $ngx->connect->post('/_cx/events', $b, @browser, timeout => 15)->{status},
    503, 'a joined beacon: 503';
$redis->cont;
$b->{age} += 5000;
is $ngx->connect->post('/_cx/events', $b, @browser)->{status}, 204,
    'a joined beacon again: 204';
my @joined = $redis->wait_events(3, filter => sub {
    $_[0]{type} ne 'view' && $_[0]{page} eq '/a.html'
        && $_[0]{type} ne 'answer' });
my ($leave) = grep { $_->{type} eq 'leave' } @joined;
is_deeply [sort map { $_->{name} // $_->{type} } @joined],
    [qw(js_error late_paint leave)], 'each event of it once';
is_deeply [@$leave{qw(seen first status)}], [1, 1, 200],
    'it is still the first report of its view';
is $leave->{signals}, 'js_error=1,late_paint=1', 'its signals count once';

# Redis down
$redis->stop;
$b = answer();
$r = $ngx->connect->post('/_cx/events', $b);
is $r->{status}, 503, 'Redis down: 503';
$redis->start;
my $tries = 0;
wait_for { $tries++; $c->post('/_cx/events', $b)->{status} == 204 } 10;
is entries(id($b)) > 0, 1, "Redis up again: the answer is there ($tries)";

# by HTTP/2 as well
$redis->pause;
later(0.3, sub { kill 'CONT', $pid = $redis->pid });
$b = answer();
is $ngx->h2('/_cx/events', port => $ngx->port('h2'),
    'Content-Type' => 'text/plain', body => Test::Cx::Http::encode($b))
    ->{status}, 204, 'HTTP/2: 204';
is entries(id($b)), 1, 'HTTP/2: the answer is there';

# requests behind one that waits
$redis->pause;
later(0.3, sub { kill 'CONT', $redis->pid });
$c = $ngx->connect;
my @two = (answer(), answer());
$c->send(join '', map { Test::Cx::Http::build('/_cx/events', 'Content-Type' =>
    'text/plain', body => Test::Cx::Http::encode($_)) } @two);
is $c->response->{status}, 204, 'pipelined answers: 204' for @two;
is entries(id($_)), 1, 'pipelined answers are there' for @two;

# Redis killed under load: what got 204 is there
my @acked;
my $killer = later(0.2, sub { kill 'KILL', $redis->pid });
$start = time;
while (time - $start < 0.6) {
    my $b = answer();
    $c = $ngx->connect if $c->{eof};
    my $r = $c->post('/_cx/events', $b, timeout => 0.3);
    if ($r->{status} == 204) { push @acked, id($b) }
    else { $c = $ngx->connect }
}
$redis->kill9;
$redis->start;
my %there = map { $_->{answer} => 1 } grep { $_->{answer} } $redis->events;
is scalar(grep { !$there{$_} } @acked), 0,
    scalar @acked . ' answers with 204 survive a killed Redis';
cmp_ok scalar @acked, '>', 10, 'which were some';

# a worker that leaves lets its answers in first
$redis->pause;
later(0.5, sub { kill 'CONT', $redis->pid });
$b = answer();
$c = $ngx->connect;
$c->send(Test::Cx::Http::build('/_cx/events', 'Content-Type' => 'text/plain',
    body => Test::Cx::Http::encode($b)));
sleep 0.1;
$ngx->signal('QUIT');
is $c->response->{status}, 204, 'quit: the answer is still taken';
is $ngx->wait_exit(5), 0, 'quit: clean';
is entries(id($b)), 1, 'quit: the answer is there';

$t->done;
