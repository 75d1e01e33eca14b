#!/usr/bin/perl

# cx_privacy consent=$variable: nothing before it is given, all from then on
# in the same visit, nothing once it is taken back.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;
my $page = '<!doctype html><html><head><title>t</title></head><p>x';
my $surveys = '{ "version": 1, "surveys": [
    { "id": "nps", "metric": "nps", "question": "Recommend?" } ] }';
my $ngx = $t->nginx(redis => $redis, cx => 1,
    http => "cx_queue flush=20ms;\n",
    server => 'keepalive_requests 10000; cx_surveys surveys.json; '
        . 'cx_privacy consent=$cookie_consent; '
        . 'location /a/ { try_files /a.html =404; }',
    files => { 'html/a.html' => $page, 'conf/surveys.json' => $surveys });

my @visitor = ('User-Agent' => 'Mozilla/5.0 (X11; Linux x86_64) Visitor',
               Accept => 'text/html');
my $n = 0;

sub open_page { my ($path, @more) = @_; $ngx->get($path, @visitor, @more) }

# status, and the leave in the stream if one is awaited
sub leave {
    my ($awaited, $beacon, @more) = @_;
    my $mark = ++$n;
    my $r = $ngx->post('/_cx/events', { v => 1,
        view => sprintf('%016x', $mark << 32), %$beacon,
        events => [{ type => 'leave', visible_ms => $mark }] },
        @visitor, @more);
    return $r->{status} if !$awaited;
    my ($e) = $redis->wait_events(1, filter => sub {
        ($_[0]{visible_ms} // '') eq $mark });
    return ($r->{status}, $e // {});
}

sub views {
    my ($path, $count) = @_;
    return scalar $redis->wait_events($count, filter => sub {
        $_[0]{type} eq 'view' && $_[0]{page} eq $path });
}

# before
for ([], [Cookie => 'other=1'], [Cookie => 'consent=0'],
     [Cookie => 'consent=']) {
    my $name = "no consent, @$_";
    my $r = open_page('/a/before', @$_);
    is $r->{body}, $page, "$name: the page as it is";
    is leave(0, { page => '/a/before', age => 5 }, @$_), 204,
        "$name: a beacon gets 204";
}
is $ngx->counter('views_skipped', 'privacy'), 4, 'views are counted';
is $ngx->counter('beacons_ignored', 'privacy'), 4, 'beacons are counted';
sleep 0.15;
is scalar($redis->events), 0, 'nothing is recorded';
my $r = $ngx->get('/_cx/surveys?page=/a/before', @visitor);
is $r->{status}, 200, 'surveys: answered';
is_deeply json($r->{body})->{surveys}, [], 'surveys: none';

# it is given on a page: its banner adds the widget, by its plain name
my @yes = (Cookie => 'consent=yes');
$r = $ngx->get('/_cx/cx.js', @visitor, @yes);
is $r->{status}, 200, 'the widget by its plain name';
my ($age) = $r->{headers}{'cache-control'} =~ /max-age=(\d+)/;
ok defined $age && $age <= 3600, 'not kept for long';
unlike $r->{headers}{'cache-control'}, qr/immutable/, 'nor for ever';
my ($status, $e) = leave(1, { path => '/a/before', age => 5000 }, @yes);
is $status, 204, 'given: a beacon is taken';
is_deeply [@$e{qw(page seen first view_ts)}], ['/a/before', 0, '', ''],
    'given: of that page the edge has seen nothing';
my $visit = $e->{visit};
is json($ngx->get('/_cx/surveys?page=/a/before', @visitor, @yes)->{body})
    ->{surveys}[0]{id}, 'nps', 'given: surveys';

# from the next page on
$r = open_page('/a/next', @yes);
like $r->{body}, qr/<script async src="[^"]+" data-page="/, 'next page: tag';
is views('/a/next', 1), 1, 'next page: a view';
($status, $e) = leave(1, { page => '/a/next', age => 20 }, @yes);
is_deeply [@$e{qw(seen first status visit)}], [1, 1, 200, $visit],
    'next page: joined, in the same visit';
($status, $e) = leave(1, { page => '/a/before', age => 6000 }, @yes);
is $e->{seen}, 0, 'the page before stays unseen';

# taken back
my $before = $redis->xlen;
$r = open_page('/a/after');
is $r->{body}, $page, 'taken back: the page as it is';
is leave(0, { page => '/a/after', age => 5 }), 204, 'taken back: 204';
is leave(0, { page => '/a/next', age => 99 }), 204,
    'taken back: also on the page before';
sleep 0.15;
is $redis->xlen, $before, 'taken back: nothing is recorded';

# and given again
open_page('/a/again', @yes);
($status, $e) = leave(1, { page => '/a/again', age => 10 }, @yes);
is_deeply [@$e{qw(seen first)}], [1, 1], 'given again: recorded';
is views('/a/before', 0) + views('/a/after', 0), 0,
    'no view of the pages without consent';

$t->done;
