#!/usr/bin/perl

# A site that is split: each visit in one of its streams, and each answer, all
# of them in use, and each event once.

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
my $site = 'cx_site shop shards=4; keepalive_requests 1000000; '
    . 'cx_surveys surveys.json;';
my %files = ('html/a.html' => '<!doctype html><html><head>',
             'conf/surveys.json' => '{ "version": 1, "surveys": [
        { "id": "nps", "metric": "nps", "question": "Recommend?" } ] }');
my $ngx = $t->nginx(redis => $redis, cx => 1, workers => 2,
    http => 'cx_queue flush=20ms batch=20; cx_spool spool;',
    server => $site, files => \%files);

sub streams { map { "shop/$_" } 0 .. 3 }
sub events { grep { $_->{type} ne 'offer' } $redis->events(@_) }
sub all { map { events($_) } streams() }
sub agent { ('User-Agent' => "Mozilla/5.0 (X11; Linux x86_64) Visit$_[0]") }

# views and beacons of many visits
my $c = $ngx->connect;
for my $n (1 .. 60) {
    $c->request('/a.html', agent($n), Accept => 'text/html');
    $c->post('/_cx/events', { v => 1, page => '/a.html', events => [
        { type => 'signal', name => 'js_error', target => "visit$n" } ] },
        agent($n));
}
wait_for { all() >= 120 } 5;
my (%stream, %view, %signal, %n);
for my $stream (streams()) {
    for my $e ($redis->events($stream)) {
        $stream{$e->{visit}}{$stream} = 1;
        $n{$stream}++;
        $view{$e->{visit}}++ if $e->{type} eq 'view';
        $signal{$e->{target}}++ if $e->{type} eq 'signal';
    }
}
is scalar(keys %view), 60, 'all visits are there';
is scalar(keys %signal), 60, 'all signals are there';
is scalar(grep { $_ != 1 } values %view, values %signal), 0, 'each once';
is scalar(grep { keys %$_ > 1 } values %stream), 0, 'a visit is in one stream';
is scalar(keys %n), 4, 'all four are in use';
is $redis->cmd('EXISTS', 'cx:{shop}:events'), 0, 'and no fifth';
is scalar(grep { !/^cx:\{shop\/[0-3]\}:(?:events|producer:[0-9a-f]{16})$/ }
          @{$redis->cmd('KEYS', 'cx:*')}), 0, 'keys are in the hash tag'
    or diag "@{$redis->cmd('KEYS', '*')}";

# the same streams after a restart
my %before = map { $_ => (keys %{$stream{$_}})[0] } keys %stream;
$redis->cmd('DEL', map { "cx:{$_}:events" } streams());
$ngx->reload;
$c = $ngx->connect;
$c->post('/_cx/events', { v => 1, page => '/a.html', events => [
    { type => 'signal', name => 'js_error', target => "again$_" } ] },
    agent($_)) for 1 .. 60;
wait_for { all() >= 60 } 5;
my $moved = 0;
for my $stream (streams()) {
    $moved += ($before{$_->{visit}} ne $stream) for events($stream);
}
is scalar(all()), 60, 'after a reload: all there';
is $moved, 0, 'after a reload: where they were';

# an answer, and an outage
my $versions = $ngx->versions;
$redis->stop;
my @marks;
$c = $ngx->connect;
for my $n (1 .. 60) {
    my $r = $c->post('/_cx/events', { v => 1, page => '/a.html', events => [
        { type => 'signal', name => 'js_error', target => "down$n" } ] },
        agent($n));
    push @marks, "down$n" if $r->{status} == 204;
}
my $r = $ngx->post('/_cx/events', Test::Cx::Token::sign({ v => 1, page => '/a',
    view => '0123456789abcdef', events => [ { type => 'answer', survey => 'nps',
    score => 8, answer => 'a' x 16 } ] }, $versions, 'shop'),
                  agent(7));
is $r->{status}, 204, 'Redis down: the spool takes an answer';
wait_for { $ngx->counter('spooled_events') >= 61 } 5;
$redis->start;
my %got;
wait_for {
    %got = ();
    $got{$_->{target} || $_->{answer} || ''}++ for all();
    !grep { !$got{$_} } @marks, 'a' x 16;
} 10;
is scalar @marks, 60, 'Redis down: all events taken';
is scalar(grep { ($got{$_} // 0) != 1 } @marks, 'a' x 16), 0,
    'Redis up again: each once';
$moved = 0;
for my $stream (streams()) {
    $moved += ($before{$_->{visit}} ne $stream)
        for grep { $_->{type} ne 'answer' } events($stream);
}
is $moved, 0, 'each where its visit belongs';

# whoever completes an answer may have another visit key by then: it is one
$redis->cmd('DEL', map { "cx:{$_}:events" } streams());
my @half = map { sprintf '%016x', $_ } 1 .. 40;
for my $done (0, 1) {
    for my $n (0 .. $#half) {
        $ngx->post('/_cx/events', Test::Cx::Token::sign({ v => 1,
            page => '/a', view => '0123456789abcdef', events => [
            { type => 'answer', survey => 'nps', answer => $half[$n],
              score => 8, $done ? (done => 1) : () } ] }, $versions, 'shop'),
            agent(2 * $n + $done));
    }
}
wait_for { all() >= 80 } 5;
my (%in, %by);
for my $stream (streams()) {
    for my $e (grep { $_->{type} eq 'answer' } events($stream)) {
        $in{$e->{answer}}{$stream}++;
        $by{$e->{answer}}{$e->{visit}}++;
    }
}
is scalar(grep { keys %{$by{$_} // {}} == 2 } @half), 40,
    'answers of two visits each';
is scalar(grep { keys %{$in{$_} // {}} == 1 } @half), 40,
    'an answer is in one stream';
is scalar(keys %{{ map { %{$in{$_}} } @half }}), 4, 'they are in all of them';

my ($ended) = $t->aggregate('--once', '--redis', $redis->url);
is $ended, 0, 'the aggregator has read them';
my $answered = 0;
for my $key (@{$redis->cmd('KEYS', 'cx:{shop/*}:survey:d:*:nps@*')}) {
    $answered += $redis->cmd('HGET', $key, 'answered') // 0;
}
is $answered, 40, 'each is counted once';

# the same number wherever a site is named
my $where = sub {
    my ($first, $second) = @_;
    return $t->nginx_test(redis => $redis, cx => 1, server => $first,
        servers => 'server { listen 127.0.0.1:%%PORT:b%%; server_name b; '
            . "cx on; location /_cx/ { cx_endpoint; } $second }");
};
my ($status, $out) = $where->('cx_site s shards=4;', 'cx_site s shards=8;');
isnt $status, 0, 'two numbers of shards: refused';
like $out, qr/cx_site s.*shards=4 .*shards=8 /, 'with both numbers';
($status, $out) = $where->('cx_site s shards=4;', 'cx_site s;');
isnt $status, 0, 'no shards elsewhere: refused';
like $out, qr/shards=4 .*shards=1 /, 'with both numbers';
($status, $out) = $where->('cx_site s shards=4;', 'cx_site s shards=4;');
is $status, 0, 'the same number twice' or diag $out;
($status, $out) = $where->('cx_site b shards=4;', '');
is $status, 0, 'a site by its server_name goes with cx_site' or diag $out;
($status, $out) = $where->('cx_site s shards=256;', 'cx_site u shards=256;');
is $status, 0, '512 streams' or diag $out;

$t->done;
