#!/usr/bin/perl

# What is ticked later counts, whichever worker's spool is emptied first.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Spool;
use Time::HiRes qw(sleep);

my $t = Test::Cx->new;
my $redis = $t->redis(appendonly => 'yes');
my $ngx = $t->nginx(redis => $redis, cx => 1, workers => 2,
    http => 'cx_queue flush=20ms; cx_spool spool max_size=4m;',
    server => 'cx_surveys surveys.json; keepalive_requests 100000;',
    files => { 'html/a.html' => '<!doctype html><html><head>',
               'conf/surveys.json' => '{ "version": 1, "surveys": [ {
        "id": "miss", "metric": "choices", "question": "What?",
        "options": ["a", "b", "c"] } ] }' });
my $token = token($ngx);

sub tick {
    my ($id, $choice) = @_;
    return $ngx->connect->post('/_cx/events', Test::Cx::Token::sign({ v => 1,
        page => '/a', view => '0123456789abcdef', events => [ {
            type => 'answer', answer => $id, survey => 'miss',
            choice => $choice } ] }, $token), timeout => 15)->{status};
}
my @ids = map { sprintf 'a%015x', $_ } 1 .. 24;
$redis->stop;
is join(' ', map { tick($_, '0') } @ids), join(' ', (204) x 24), 'first ticks';
sleep 1;
is join(' ', map { tick($_, '0,1') } @ids), join(' ', (204) x 24), 'more';
$redis->start;
ok wait_for(sub { 48 <= grep { ($_->{type} // '') eq 'answer' }
                  $redis->events }, 20), 'Redis has all';
is +($t->aggregate('--redis', $redis->url, '--site', 'localhost', '--once'))[0],
    0, 'counted';
my %choice = map { my $c = $redis->cmd('HGET', "cx:{localhost}:answer:$_",
                                       'choice'); $_ => $c // '-' } @ids;
is scalar(grep { $_ ne '0,1' } values %choice), 0, 'as ticked last';
$t->done;
