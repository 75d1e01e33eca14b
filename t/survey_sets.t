#!/usr/bin/perl

# Tests for cx_surveys in locations: a page gets the surveys of its own
# location, which its tag names, whatever stands at the endpoint's; those of
# another site are nobody's business here.

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
               location /both/ { cx_surveys a.json; }
               cx_debug 1;',
    servers => 'server {
        listen 127.0.0.1:%%PORT:other%%; root html; cx on; cx_site other;
        location /a/ { cx_surveys c.json; }
        location /_cx/ { cx_endpoint; }
    }',
    files => {
        'conf/a.json' => file(survey('one', 'nps'), survey('two', 'ces'),
                              survey('same', 'nps')),
        'conf/b.json' => file(survey('three', 'csat'), survey('same', 'csat')),
        'conf/c.json' => file(survey('theirs', 'nps')),
        map { ("html/$_/x.html" => $page) } qw(a b both c),
    });

sub key {
    my ($path, @o) = @_;
    return ($ngx->get($path, @o)->{body}
            =~ /data-surveys="([0-9a-f]{8})"/)[0];
}

sub surveys {
    JSON::PP::decode_json($ngx->get("/_cx/surveys?page=/x$_[0]")->{body});
}

sub ids { join ' ', map { $_->{id} } @{surveys($_[0])->{surveys}} }

my ($a, $b) = (key('/a/x.html'), key('/b/x.html'));

ok $a && $b && $a ne $b, 'each location has its surveys';
is key('/both/x.html'), $a, 'one file is one set';
is key('/c/x.html'), undef, 'none elsewhere';

is ids("&surveys=$a"), 'one two same', 'the surveys of the first location';
is ids("&surveys=$b"), 'three same', 'of the second';
is ids(''), '', 'a page without a key gets those of the endpoint: none';
is ids('&surveys=00000000'), '', 'so does one with an unknown key';

sub post {
    my ($token, @events) = @_;
    return $ngx->post('/_cx/events', { v => 1, page => '/b/x.html',
        $token ? (token => $token) : (), events => \@events })->{status};
}

sub answer {
    my ($s, %o) = @_;
    return post($s->{token}, { type => 'answer', answer => $s->{answer},
        survey => $s->{id}, version => $s->{version}, score => 4, %o });
}

sub answers { grep { $_->{type} eq 'answer' } $redis->events('localhost') }

my ($three, $same) = @{surveys("&surveys=$b")->{surveys}};
is answer($three), 204, 'an answer to a survey of a location';
is +(answers())[-1]{metric}, 'csat', 'its metric is that of its file';

# one id in two files
my ($first) = grep { $_->{id} eq 'same' }
    @{surveys("&surveys=$a")->{surveys}};
isnt $same->{version}, $first->{version}, 'one id in two files: two versions';
is answer($same, score => 5), 204, 'an answer to the second';
is +(answers())[-1]{metric}, 'csat', 'is of its metric';
is answer($same, score => 6), 400, 'and scale';
is answer($first, score => 10), 204, 'an answer to the first';
is +(answers())[-1]{metric}, 'nps', 'is of its own';
is post(undef, map { { type => 'shown', survey => 'same',
                       version => $_->{version} } } $same, $first), 204,
    'both were shown';
my @shown = $redis->wait_events(2, filter => sub { $_[0]{type} eq 'shown' });
is scalar(@shown), 2, 'and both are recorded';

# the metric has changed since
for (['1', 'csat', 5, 6], ['3', 'ces', 7, 8], ['4', 'psat', 1, 2]) {
    my ($digit, $metric, $in, $out) = @$_;
    my %old = (%$first, version => $digit . '0c0ffee',
               answer => "$digit" x 16);
    $old{token} = Test::Cx::Token::make('localhost', @old{qw(id version
                                                             answer)});
    is answer(\%old, score => $out), 400, "it was $metric: not $out";
    is answer(\%old, score => $in), 204, "it was $metric: $in";
    is +(answers())[-1]{metric}, $metric, 'and is recorded as that';
}

# another site
my $c = key('/a/x.html', port => $ngx->port('other'));
ok $c && $c ne $a, 'another site has its own';
is ids("&surveys=$c"), '', 'which are not offered here';
is $ngx->get('/_cx/survey/theirs')->{status}, 404, 'nor as a form';
is $ngx->get('/_cx/survey/theirs', port => $ngx->port('other'))->{status}, 200,
    'but there';
is post(undef, { type => 'shown', survey => 'theirs', version => '0' x 8 }),
    400, 'nor taken';
my $preview = $ngx->get('/_cx/preview')->{body};
like $preview, qr/>a\.json<.*>b\.json</s, 'a preview shows all of a site';
unlike $preview, qr/c\.json|theirs/, 'and none of another one';

$t->done;
