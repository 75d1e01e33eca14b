#!/usr/bin/perl

# Tests for cx_surveys in locations: a page gets the surveys of its own
# location, which its tag names, whatever stands at the endpoint's.

use strict;
use warnings;
use lib 't/lib';
use Test::More;
use JSON::PP ();
use Test::Cx;

sub survey {
    my ($id, $metric) = @_;
    return { id => $id, metric => $metric, question => "About $id?" };
}

sub file { JSON::PP::encode_json({ version => 1, surveys => [@_] }) }

my $page = '<!DOCTYPE html><html><head></head><body>page</body></html>';

my $t = Test::Cx->new;
my $redis = $t->redis;
my $ngx = $t->nginx(redis => $redis, cx => 1,
    server => 'location /a/ { cx_surveys a.json; }
               location /b/ { cx_surveys b.json; }
               location /both/ { cx_surveys a.json; }',
    files => {
        'conf/a.json' => file(survey('one', 'nps'), survey('two', 'ces')),
        'conf/b.json' => file(survey('three', 'csat')),
        map { ("html/$_/x.html" => $page) } qw(a b both c),
    });

sub key { ($ngx->get($_[0])->{body} =~ /data-surveys="([0-9a-f]{8})"/)[0] }

sub surveys {
    JSON::PP::decode_json($ngx->get("/_cx/surveys?page=/x$_[0]")->{body});
}

sub ids { join ' ', map { $_->{id} } @{surveys($_[0])->{surveys}} }

my ($a, $b) = (key('/a/x.html'), key('/b/x.html'));

ok $a && $b && $a ne $b, 'each location has its surveys';
is key('/both/x.html'), $a, 'one file is one set';
is key('/c/x.html'), undef, 'none elsewhere';

is ids("&surveys=$a"), 'one two', 'the surveys of the first location';
is ids("&surveys=$b"), 'three', 'of the second';
is ids(''), '', 'a page without a key gets those of the endpoint: none';
is ids('&surveys=00000000'), '', 'so does one with an unknown key';

my $token = surveys("&surveys=$b")->{token};
my $r = $ngx->post('/_cx/events', JSON::PP::encode_json({
    v => 1, page => '/b/x.html', token => $token,
    events => [ { type => 'answer', answer => 'ab' x 8, survey => 'three',
                  score => 4 } ] }), 'Content-Type' => 'application/json');
is $r->{status}, 204, 'an answer to a survey of a location';
my ($answer) = grep { $_->{type} eq 'answer' } $redis->events('localhost');
is $answer->{metric}, 'csat', 'its metric is that of its file';

$t->done;
