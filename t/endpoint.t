#!/usr/bin/perl

# The requests below cx_prefix: widget, surveys, methods, origins, and the one
# shape of an error.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;
use Test::Cx;
use Test::Cx::Pages;

my $t = Test::Cx->new;
my $redis = $t->redis;

my $surveys = <<'EOT';
{ "version": 1, "surveys": [
  { "id": "docs-nps", "metric": "nps", "question": "Recommend <us>?",
    "labels": { "low": "Never", "high": "Always" },
    "follow_up": { "detractor": "What is missing?", "any": "Why?" },
    "thanks": "Thank you",
    "where": { "pages": ["/docs/*"] },
    "when": { "delay": 3, "scroll": 50, "exit": true, "views": 2 },
    "often": { "answered_days": 60, "dismissed_days": 20, "showings": 1,
               "between_days": 3 } },
  { "id": "pay-ces", "metric": "ces", "question": "Easy?",
    "where": { "touchpoints": ["pay"] } },
  { "id": "buy-csat", "metric": "csat", "question": "Happy?",
    "where": { "stages": ["buy"] } },
  { "id": "gold-psat", "metric": "psat", "question": "Good?",
    "where": { "segments": ["gold"], "pages": ["/gold"] } },
  { "id": "never", "metric": "psat", "question": "Never?", "sample": 0 }
] }
EOT
my $page = '<!doctype html><html><head><title>t</title></head><p>x';
my %files = ('conf/surveys.json' => $surveys, 'html/a.html' => $page);

my $ngx = $t->nginx(redis => $redis, files => \%files, cx => 1,
    http => "cx_queue flush=20ms;\n"
        . "limit_req_zone \$http_x_limit zone=l:1m rate=1r/m;\n",
    server => <<'EOT', servers => <<'EOT');
        cx_surveys surveys.json;
        cx_allowed_origins https://shop.example http://localhost:8080;
        cx_segment $http_x_segment;
        limit_req zone=l;
        limit_req_status 429;
        location /docs/ { try_files /a.html =404; }
        location /gold { try_files /a.html =404; }
        location /pay/ {
            cx_touchpoint pay; cx_stage buy; try_files /a.html =404;
        }
EOT
    server {
        listen 127.0.0.1:%%PORT:moved%%;
        server_name moved; root html; cx on; cx_prefix /feedback/;
        location /feedback/ { cx_endpoint; }
    }
    server {
        listen 127.0.0.1:%%PORT:plain%%;
        server_name plain; root html; cx on;
        location /_cx/ { cx_endpoint; client_max_body_size 1k; }
    }
EOT

# widget
my ($src) = $ngx->get('/a.html')->{body} =~ m{<script async src="([^"]+)"};
like $src, qr{^/_cx/cx\.js\?[0-9a-f]{16}$}, 'the tag names the widget';
my $r = $ngx->get($src);
is $r->{status}, 200, 'widget';
like $r->{headers}{'content-type'}, qr{^(?:text|application)/javascript},
    'widget: type';
like $r->{headers}{'cache-control'}, qr/max-age=31536000.*immutable/,
    'widget: immutable';
like $r->{headers}{vary}, qr/Accept-Encoding/, 'widget: Vary';
is $r->{headers}{'content-encoding'}, undef, 'widget: plain';
is $r->{headers}{'content-length'}, length $r->{body}, 'widget: length';
my $script = $r->{body};
cmp_ok length $script, '>', 1000, 'widget: a script';
my $etag = $r->{headers}{etag};
is $ngx->get($src, 'If-None-Match' => $etag)->{status}, 304, 'widget: 304';
my $head = $ngx->head($src);
is $head->{headers}{'content-length'}, length $script, 'widget: HEAD';
is $head->{rest}, '', 'widget: HEAD has no body';

$r = $ngx->get($src, 'Accept-Encoding' => 'gzip, deflate');
is $r->{headers}{'content-encoding'}, 'gzip', 'widget: gzip';
gunzip \$r->{body}, \my $plain;
is $plain, $script, 'widget: gzip holds the same';
isnt $r->{headers}{etag}, $etag, 'widget: gzip has its own entity tag';
my $gzip = length $r->{body};
$r = $ngx->get($src, 'Accept-Encoding' => 'gzip, deflate, br');
is $r->{headers}{'content-encoding'}, 'br', 'widget: brotli';
cmp_ok length $r->{body}, '<', $gzip, 'widget: brotli is smaller';
my (undef, $br) = $t->run('/usr/bin/env', 'node', '-e',
    'process.stdout.write(require("zlib").brotliDecompressSync('
    . 'require("fs").readFileSync(process.argv[1])))',
    write_file($t->dir . '/br', $r->{body}));
is $br, $script, 'widget: brotli holds the same';
for (['br;q=0, gzip', 'gzip'], ['br;q=0.0,gzip;q=0', undef], ['', undef],
     ['brx, gzipped', undef], ['BR', 'br']) {
    is $ngx->get($src, 'Accept-Encoding' => $_->[0])->{headers}
        {'content-encoding'}, $_->[1], "widget: Accept-Encoding $_->[0]";
}
for ('/_cx/cx.js', '/_cx/cx.js?0123456789abcdef') {
    $r = $ngx->get($_);
    is $r->{body}, $script, "$_: the widget of today";
    unlike $r->{headers}{'cache-control'}, qr/immutable/, "$_: not for ever";
}
is $ngx->get($src, 'Sec-Fetch-Site' => 'cross-site')->{status}, 200,
    'widget: for other sites too';

# surveys
sub ids {
    my ($query, @headers) = @_;
    my $r = $ngx->get("/_cx/surveys?$query", @headers);
    my $json = json($r->{body}) or return "status $r->{status}";
    return join ' ', map { $_->{id} } @{$json->{surveys}};
}

$r = $ngx->get('/_cx/surveys?page=/docs/intro');
is $r->{status}, 200, 'surveys';
is $r->{headers}{'content-type'}, 'application/json', 'surveys: type';
like $r->{headers}{'cache-control'}, qr/no-store/, 'surveys: not kept';
my $json = json($r->{body});
ok delete $json->{ui}, 'surveys: wording of the widget';
my $first = $json->{surveys}[0];
like delete $first->{token}, qr/^[0-9a-f.]{42}$/, 'surveys: token';
like delete $first->{answer}, qr/^[0-9a-f]{16}$/, 'surveys: answer id';
like delete $first->{version}, qr/^[0-9a-f]{8}$/, 'surveys: version';
is_deeply $json, { v => 1, surveys => [ {
    id => 'docs-nps', metric => 'nps', question => 'Recommend <us>?',
    lang => 'en', low => 'Never', high => 'Always',
    steps => [ { kind => 'text', by => { detractor => 'What is missing?',
                                         any => 'Why?' } } ],
    thanks => 'Thank you',
    when => { delay => 3, scroll => 50, exit => JSON::PP::true(),
              views => 2 },
    often => { answered => 60, dismissed => 20, showings => 1,
               between => 3 },
    chance => 10000 } ] }, 'surveys: all the widget needs';
is ids('page=/docs/a/b'), 'docs-nps', 'surveys: page pattern';
is ids('page=/docsx'), '', 'surveys: no page';
is ids('path=/docs/12/x'), 'docs-nps', 'surveys: path';
is ids('page=%2Fdocs%2Fa%20b'), 'docs-nps', 'surveys: escaped page';
is ids('page=/x&touchpoint=pay'), 'pay-ces', 'surveys: touchpoint';
is ids('page=/x&stage=buy'), 'buy-csat', 'surveys: stage';
is ids('page=/docs/&touchpoint=pay&stage=buy'), 'docs-nps pay-ces buy-csat',
    'surveys: all that match, in order';
is ids('page=/gold'), '', 'surveys: no segment';
my @gold = ('X-Segment' => 'gold');
is ids('page=/gold', @gold), 'gold-psat', 'surveys: segment of the request';
is ids('page=/gold&segment=gold'), '', 'surveys: a segment is not asked for';
$r = $ngx->head('/_cx/surveys?page=/x');
is $r->{status}, 200, 'surveys: HEAD';
for ('', '?page=', '?page=' . 'x' x 300, '?page=%00') {
    $r = $ngx->get("/_cx/surveys$_");
    is $r->{status}, 400, 'surveys: bad page ' . substr $_, 0, 12;
    ok json($r->{body})->{error}, 'and why';
}

# the tag says where a survey may be
sub tag { (one_tag($ngx->get($_[0])->{body}))[1] // '' }
like tag('/pay/'), qr/ data-touchpoint="pay" data-stage="buy" data-surveys="[0-9a-f]{8}">/,
    'tag: touchpoint, stage, surveys';
like tag('/docs/x'), qr/ data-page="\/docs\/x" data-surveys="[0-9a-f]{8}">/, 'tag: page';
like tag('/a.html'), qr/ data-page="\/a.html" data-surveys>/,
    'tag: surveys, but none for this page';
unlike +(one_tag($ngx->get('/a.html', port => $ngx->port('plain'),
                           Host => 'plain')->{body}))[1], qr/data-surveys/,
    'tag: a location without surveys';
like tag('/docs/%22%3E%3Cb%3E'), qr/ data-page="\/docs\/[^"<>]*" /,
    'tag: a page key cannot leave its quotes';

# one shape of errors
sub refused {
    my ($name, $r, $status, $error) = @_;
    is $r->{status}, $status, "$name: status";
    is $r->{headers}{'content-type'}, 'application/json', "$name: type";
    like $r->{body}, qr/\A[^\n]+\n\z/, "$name: one line";
    my $json = json($r->{body}) // {};
    is $json->{error}, $error, "$name: what is wrong";
    return $json;
}

my $beacon = { v => 1, page => '/a.html', view => '0123456789abcdef',
               events => [{ type => 'signal', name => 'js_error' }] };
is $ngx->post('/_cx/events', $beacon)->{status}, 204, 'events';

refused("unknown $_", $ngx->get("/_cx/$_"), 404, 'not_found')
    for '', 'x', 'events/', 'cx.jsx', 'surveys/x', 'opt-out/', 'optout', 'cx-',
        'cx-none.js', 'cx-/cx.js', 'cx-ask.jsx', 'x/cx-ask.js';
my ($query) = $src =~ /(\?.*)/;
is $ngx->get("/_cx/cx-$_.js$query")->{status}, 200, "part: $_"
    for qw(survey ask more forms touch vitals);
for (['events', 'POST', qw(GET HEAD PUT DELETE PATCH)],
     ['surveys', 'GET, HEAD', qw(POST PUT)], ['cx.js', 'GET, HEAD', 'POST'],
     ['opt-out', 'GET, HEAD, POST', qw(PUT DELETE)])
{
    my ($name, $allow, @methods) = @$_;
    for my $method (@methods) {
        $r = $ngx->get("/_cx/$name", method => $method);
        is $r->{headers}{allow}, $allow, "$method $name: Allow";
        refused("$method $name", $r, 405, 'method') if $method ne 'HEAD';
    }
}
$r = $ngx->get('/_cx/events', method => 'TRACE');
is $r->{status}, 405, 'TRACE';

# origins: refused alike for what is read and what is written
for my $how (['Sec-Fetch-Site' => 'cross-site'],
             [Origin => 'https://evil.example'],
             [Origin => 'null'],
             [Origin => 'http://localhost.evil.example'],
             [Origin => 'http://localhost:81'],
             [Origin => 'http://xlocalhost'],
             [Origin => 'https://shop.example.evil.example'],
             [Origin => 'https://other.example',
              'Sec-Fetch-Site' => 'same-site'],
             [Origin => 'localhost'])
{
    my $name = "@$how";
    $r = $ngx->post('/_cx/events', $beacon, @$how);
    refused("events, $name", $r, 403, 'origin');
    is $r->{headers}{'access-control-allow-origin'}, undef, "$name: no CORS";
    is $ngx->get('/_cx/surveys?page=/x', @$how)->{status}, 403,
        "surveys, $name";
}
for my $how ([], [Origin => 'http://localhost'], [Origin => 'https://localhost'],
             [Origin => 'http://localhost:80'],
             [Origin => 'https://LOCALHOST', 'Sec-Fetch-Site' => 'same-origin'],
             ['Sec-Fetch-Site' => 'same-origin'],
             ['Sec-Fetch-Site' => 'none'])
{
    $r = $ngx->post('/_cx/events', $beacon, @$how);
    is $r->{status}, 204, "events, same origin @$how";
}
my @shop = (Origin => 'https://shop.example', 'Sec-Fetch-Site' => 'cross-site');
$r = $ngx->post('/_cx/events', $beacon, @shop);
is $r->{status}, 204, 'events, allowed origin';
is $r->{headers}{'access-control-allow-origin'}, 'https://shop.example',
    'allowed origin: CORS';
like $r->{headers}{vary} // '', qr/Origin/, 'allowed origin: Vary';
is $r->{headers}{'access-control-allow-credentials'}, undef,
    'allowed origin: never with credentials';
$r = $ngx->get('/_cx/surveys?page=/docs/x', @shop);
is $r->{headers}{'access-control-allow-origin'}, 'https://shop.example',
    'surveys, allowed origin';
$r = $ngx->post('/_cx/events', '{', @shop);
refused('an error for an allowed origin', $r, 400, 'bad_json');
is $r->{headers}{'access-control-allow-origin'}, 'https://shop.example',
    'an error can be read there';
is $ngx->post('/_cx/events', $beacon, Origin => 'http://localhost:8080')
    ->{status}, 204, 'allowed origin with port';
is $ngx->post('/_cx/events', $beacon, port => $ngx->port('plain'), @shop)
    ->{status}, 403, 'another server allows its own only';

# preflight
my @ask = ('Access-Control-Request-Method' => 'POST',
           'Access-Control-Request-Headers' => 'content-type');
$r = $ngx->get('/_cx/events', method => 'OPTIONS', @shop, @ask);
is $r->{status}, 204, 'preflight';
is $r->{headers}{'access-control-allow-origin'}, 'https://shop.example',
    'preflight: origin';
like $r->{headers}{'access-control-allow-methods'}, qr/\bPOST\b/,
    'preflight: method';
like $r->{headers}{'access-control-allow-headers'}, qr/\bcontent-type\b/i,
    'preflight: header';
like $r->{headers}{'access-control-max-age'}, qr/^\d+$/, 'preflight: age';
$r = $ngx->get('/_cx/events', method => 'OPTIONS',
               Origin => 'https://evil.example', @ask);
is $r->{status}, 403, 'preflight from elsewhere';
is $r->{headers}{'access-control-allow-origin'}, undef,
    'preflight from elsewhere: no CORS';

# what nginx itself refuses has the same shape
$r = $ngx->post('/_cx/events', 'x' x 2000, port => $ngx->port('plain'),
                Host => 'plain');
refused('client_max_body_size', $r, 413, 'size');
is $ngx->post('/_cx/events', $beacon, 'X-Limit' => 'a')->{status}, 204,
    'limit_req: first';
$r = $ngx->post('/_cx/events', $beacon, 'X-Limit' => 'a');
refused('limit_req', $r, 429, 'too_many_requests');
like $r->{headers}{'retry-after'}, qr/^\d+$/, 'limit_req: Retry-After';

# elsewhere
my @moved = (port => $ngx->port('moved'), Host => 'moved');
($src) = $ngx->get('/a.html', @moved)->{body} =~ m{src="([^"]+)"};
like $src, qr{^/feedback/cx\.js\?}, 'cx_prefix: tag';
is $ngx->get($src, @moved)->{body}, $script, 'cx_prefix: widget';
is $ngx->post('/feedback/events', $beacon, @moved)->{status}, 204,
    'cx_prefix: events';
like $ngx->post('/_cx/events', $beacon, @moved)->{status}, qr/^40[45]$/,
    'cx_prefix: no longer there';

# a connection lives on after a refusal, whatever was sent with it
my $c = $ngx->connect;
for (1 .. 3) {
    is $c->post('/_cx/events', $beacon, Origin => 'null')->{status}, 403,
        'kept: 403';
    is $c->get('/_cx/events', method => 'PUT', body => 'x' x 3000)->{status},
        405, 'kept: 405';
    is $c->post('/_cx/nothing', 'x' x 3000)->{status}, 404, 'kept: 404';
    is $c->post('/_cx/events', '{"v":2}')->{status}, 400, 'kept: 400';
    is $c->post('/_cx/events', $beacon)->{status}, 204, 'kept: 204';
}

$t->done;
