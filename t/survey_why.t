#!/usr/bin/perl

# <prefix>why says of each survey why it is shown or not, <prefix>preview shows
# all; both only where cx_debug allows it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $surveys = Test::Cx::Http::encode({ version => 1, surveys => [
    { id => 'ok', metric => 'nps', when => { delay => 20, scroll => 50 } },
    { id => 'page', metric => 'nps', where => { pages => ['/x', '/y/*'] } },
    { id => 'touchpoint', metric => 'nps', where => { touchpoints => ['pay'] } },
    { id => 'stage', metric => 'nps', where => { stages => ['buy'] } },
    { id => 'segment', metric => 'nps', where => { segments => ['gold'] } },
    { id => 'device', metric => 'nps', where => { devices => ['phone'] } },
    { id => 'visitor', metric => 'nps', where => { visitors => 'new' } },
    { id => 'language', metric => 'psat', language => 'de',
      question => { de => 'Gut?' } },
    { id => 'sample', metric => 'nps', sample => 0 },
    { id => 'early', metric => 'nps', from => '2126-01-02' },
    { id => 'late', metric => 'nps', until => '2020-12-31' },
    { id => 'retired', metric => 'nps', retired => \1 },
    { id => 'dry', metric => 'nps', dry_run => \1 },
    { id => 'total', metric => 'nps', total => 1 },
] });

my $t = Test::Cx->new;
my $redis = $t->redis;
my $ngx = $t->nginx(redis => $redis, cx => 1,
    http => 'geo $debug { default 0; 127.0.0.1 1; }' . "\n",
    server => 'cx_surveys surveys.json; cx_debug $debug$http_x_more;
               cx_ignore $http_x_own;',
    servers => <<'EOT',
    server {
        listen 127.0.0.1:%%PORT:off%%; root html;
        location /_cx/ { cx_endpoint; cx_surveys surveys.json;
                         cx_debug $http_x_debug; }
    }
    server {
        listen 127.0.0.1:%%PORT:none%%; root html;
        location /_cx/ { cx_endpoint; cx_surveys surveys.json; }
    }
EOT
    files => { 'conf/surveys.json' => $surveys });

my @en = ('Accept-Language' => 'en', 'User-Agent' => 'Mozilla/5.0 Why');

sub why {
    my ($args, @headers) = @_;
    my $got = json($ngx->get("/_cx/why?$args", @en, @headers)->{body});
    return map { $_->{id} => $_ } @{$got->{surveys}};
}

# one of a total of one
my ($total) = grep { $_->{id} eq 'total' } @{json($ngx->get(
    '/_cx/surveys?page=/a', @en)->{body})->{surveys}};
is $ngx->post('/_cx/events', { v => 1, page => '/a', token => $total->{token},
    events => [ { type => 'answer', survey => 'total', score => 9,
                  version => $total->{version}, answer => $total->{answer} } ] },
    @en)->{status}, 204, 'an answer';

my %w = why('page=/a&touch=0&width=1200&new=0&touchpoint=t&stage=s');
my %want = (
    ok => qr/^it is offered in en, and waits for: .*20.*50/,
    page => qr{^not on this page, only on /x or /y/\*$},
    touchpoint => qr/^the touchpoint is "t", not pay$/,
    stage => qr/^the stage is "s", not buy$/,
    segment => qr/^the segment is "", not gold$/,
    device => qr/^the device is desktop, not phone$/,
    visitor => qr/^only for new visitors$/,
    language => qr/^not in the language .*"en".* it has de$/,
    sample => qr/^sampled out: 0\.00 % get it, and this visit drew \d+\.\d\d$/,
    early => qr/^not before 2126-01-02/,
    late => qr/^not after 2020-12-31/,
    retired => qr/^it is retired$/,
    dry => qr/^dry run: it is only counted/,
    total => qr/^the quota of 1 answers is reached$/,
);
for (sort keys %want) {
    like $w{$_}{reason}, $want{$_}, "why: $_";
    is $w{$_}{shows}, $_ eq 'ok' ? 1 : 0, "shows: $_";
}
is scalar(keys %w), scalar(keys %want), 'all of them';
my %shown = map { $_->{id} => 1 } @{json($ngx->get('/_cx/surveys?page=/a&touch=0'
    . '&width=1200&new=0&touchpoint=t&stage=s', @en)->{body})->{surveys}};
is join(' ', sort keys %shown), 'dry ok', 'as surveys are served';
my %late = why('page=/y/z&touch=1&width=1&new=1&touchpoint=pay&stage=buy');
is join(' ', sort grep { $late{$_}{shows} } keys %late),
    'device ok page stage touchpoint visitor', 'where they fit';
my %gpc = why('page=/a', 'Sec-GPC' => 1);
is scalar(grep { $_->{reason} !~ /GPC/ || $_->{shows} } values %gpc), 0,
    'GPC: one reason for all';
my %out = why('page=/a', Cookie => 'cx_opt_out=1');
like $out{ok}{reason}, qr/opted out/, 'opted out';
my %bot = why('page=/a', 'User-Agent' => 'Googlebot/2.1');
like $bot{ok}{reason}, qr/bot/, 'a bot';
my %own = why('page=/a', 'X-Own' => 1);
like $own{ok}{reason}, qr/cx_ignore/, 'cx_ignore';
my $r = $ngx->get('/_cx/why?page=' . '%22%3C%0A', @en);
is $r->{status}, 400, 'no page key';
$r = $ngx->get('/_cx/why?page=/%22%5C', @en);
is json($r->{body})->{page}, '/"\\', 'escaped';

# who may
my @off = (port => $ngx->port('off'));
for my $path ('why?page=/a', 'preview', 'preview?survey=ok') {
    is $ngx->get("/_cx/$path", @en)->{status}, 200, "$path: on";
    is $ngx->get("/_cx/$path", @en, 'X-Debug' => $_, @off)->{status}, 404,
        "$path: not with '$_'" for '', '0', 'off';
    is $ngx->get("/_cx/$path", @en, 'X-Debug' => 1, @off)->{status}, 200,
        "$path: with 1";
    is $ngx->get("/_cx/$path", @en, 'X-Debug' => 1,
                 port => $ngx->port('none'))->{status}, 404,
        "$path: not without cx_debug";
}

# preview
$r = $ngx->get('/_cx/preview', @en);
is $r->{headers}{'content-security-policy'}, "default-src 'none'; script-src "
    . "'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    . "form-action 'none'; frame-ancestors 'none'", 'strict policy';
unlike $r->{body}, qr/<script|style=/, 'the list needs no script';
my @links = $r->{body} =~ /href="([^"]*survey=[^"]*)"/g;
cmp_ok scalar @links, '>', 100, 'each survey in each language and theme';
for my $link (grep { /survey=(?:ok|retired|language)&/ } @links[0 .. 1],
              grep { /survey=language&/ } @links) {
    $link =~ s/&amp;/&/g;
    my $p = $ngx->get($link, @en);
    is $p->{status}, 200, $link;
    my ($json) = $p->{body} =~ /data-preview="([^"]+)"/;
    $json =~ s/&amp;/&/g;
    my $got = json($ngx->get($json, @en)->{body});
    is scalar @{$got->{surveys}}, 1, 'one survey';
    is_deeply [@{$got->{surveys}[0]}{qw(token answer)}], ['', ''],
        'nothing to answer it with';
    ok $got->{ui}{send}, 'and the wording of the widget';
}
is $ngx->get('/_cx/preview?survey=nope', @en)->{status}, 404, 'unknown survey';
like $ngx->get('/_cx/preview?theme=' . 'x' x 3000, @en)->{body}, qr/<h1>Preview/,
    'an argument that is too long is none';
my @offers = grep { $_->{type} eq 'offer' } $redis->events;
cmp_ok scalar @offers, '<=', 2, 'none of this is an offer';

$t->done;
