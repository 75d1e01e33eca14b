#!/usr/bin/perl

# The opt-out page: what it says, what its button does, and that whoever
# pressed it is not recorded.

use strict;
use warnings;

use Digest::SHA qw(sha256_base64);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;
my $page = '<!doctype html><html><head><title>t</title></head><p>x';
my $key = $t->subdir('tls');
my ($tls) = $t->run('/usr/bin/env', 'openssl', 'req', '-x509', '-newkey',
    'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', 2,
    '-subj', '/CN=localhost', '-keyout', "$key/key.pem", '-out',
    "$key/cert.pem");

my $ngx = $t->nginx(redis => $redis, cx => 1,
    http => "cx_queue flush=20ms;\n",
    server => 'keepalive_requests 10000; '
        . 'cx_allowed_origins https://shop.example;',
    servers => <<"EOT", files => { 'html/a.html' => $page });
    server {
        listen 127.0.0.1:%%PORT:off%%;
        server_name off; root html; cx on; cx_privacy off; cx_visitor off;
        location /_cx/ { cx_endpoint; }
    }
    server {
        listen 127.0.0.1:%%PORT:ask%%;
        server_name ask; root html; cx on; cx_privacy consent=\$cookie_ok;
        cx_prefix /feedback/;
        location /feedback/ { cx_endpoint; }
    }
    server {
        listen 127.0.0.1:%%PORT:h2%% http2;
        server_name localhost; root html; cx on;
        location /_cx/ { cx_endpoint; }
    }
@{[ $tls ? '' : <<"TLS" ]}
    server {
        listen 127.0.0.1:%%PORT:tls%% ssl;
        ssl_certificate $key/cert.pem; ssl_certificate_key $key/key.pem;
        server_name localhost; root html; cx on;
        location /_cx/ { cx_endpoint; }
    }
TLS
EOT

# the page
my $r = $ngx->get('/_cx/opt-out');
is $r->{status}, 200, 'page';
is $r->{headers}{'content-type'}, 'text/html; charset=utf-8', 'page: type';
is $r->{headers}{'content-length'}, length $r->{body}, 'page: length';
like $r->{headers}{'cache-control'}, qr/no-store/, 'page: not kept';
is $r->{headers}{'x-robots-tag'}, 'noindex', 'page: not indexed';
is $r->{headers}{'referrer-policy'}, 'same-origin', 'page: referrer';
is $r->{headers}{'set-cookie'}, undef, 'page: sets no cookie';
is $r->{headers}{'x-content-type-options'}, 'nosniff', 'page: nosniff';
my $html = $r->{body};
like $html, qr/\A<!doctype html>\n<html lang="en">/, 'page: language';
like $html, qr/<meta name="viewport"/, 'page: for small screens';
like $html, qr{<title>[^<]+</title>}, 'page: title';
like $html, qr/prefers-color-scheme:\s*dark/, 'page: dark';
like $html, qr/Recording is on in this browser/, 'page: recording is on';
is scalar(() = $html =~ /<button/g), 1, 'page: one button';
like $html, qr{<form method="post">}, 'page: a form that posts to itself';
unlike $html, qr/<script|<link|<img|\son\w+=|src=|url\(|https?:/i,
    'page: no script, nothing from elsewhere';
like $html, qr{</html>\n\z}, 'page: all of it';
for my $tag (qw(html head body main h1 h2 p ul li form button div strong
                code style title)) {
    is scalar(() = $html =~ /<$tag[\s>]/g), scalar(() = $html =~ m{</$tag>}g),
        "page: $tag ends";
}
my ($style) = $html =~ m{<style>(.*?)</style>}s;
my $hash = sha256_base64($style);
$hash .= '=' while length($hash) % 4;
my %csp = map { /^\s*(\S+)\s*(.*)$/ } split /;/,
    $r->{headers}{'content-security-policy'};
is $csp{'default-src'}, "'none'", 'policy: nothing by default';
is $csp{'style-src'}, "'sha256-$hash'", 'policy: its own style by hash';
is $csp{'form-action'}, "'self'", 'policy: its own form';
my $head = $ngx->head('/_cx/opt-out');
is $head->{headers}{'content-length'}, length $html, 'HEAD: length';
is $head->{rest}, '', 'HEAD: no body';
is $ngx->get('/_cx/opt-out', 'Sec-Fetch-Site' => 'cross-site')->{status}, 200,
    'others may link to it';

# what it says
my @opted = (Cookie => 'a=b; cx_opt_out=1; c=d');
$html = $ngx->get('/_cx/opt-out', @opted)->{body};
like $html, qr/Recording is off in this browser.*You have opted out/s,
    'opted out: says so';
like $html, qr/<button [^>]*value="in"/, 'opted out: the way back';
$html = $ngx->get('/_cx/opt-out', 'Sec-GPC' => 1)->{body};
like $html, qr/Recording is off .*Global Privacy Control.*off already/s,
    'GPC: off already';
unlike $html, qr/You have opted out|consent/, 'GPC: nothing else';
like $html, qr/<button [^>]*value="out"/, 'GPC: the button is there';
like $ngx->get('/_cx/opt-out', DNT => 1)->{body},
    qr/Recording is off .*Do Not Track.*off already/s, 'DNT: off already';
my @off = (port => $ngx->port('off'), Host => 'off');
$html = $ngx->get('/_cx/opt-out', 'Sec-GPC' => 1, @off)->{body};
like $html, qr/Recording is on/, 'cx_privacy off: GPC does not say it is off';
unlike $html, qr/Global Privacy Control/, 'cx_privacy off: no word of it';
like $html, qr/Visits are not told apart/, 'cx_visitor off: says so';
my @ask = (port => $ngx->port('ask'), Host => 'ask');
like $ngx->get('/feedback/opt-out', @ask)->{body},
    qr/Recording is off .*only with your consent/s, 'no consent: says so';
like $ngx->get('/feedback/opt-out', @ask, Cookie => 'ok=1')->{body},
    qr/Recording is on/, 'consent: recording is on';

# the button
my $agent = 'Mozilla/5.0 (X11; Linux x86_64) Button';
my @form = ('Content-Type' => 'application/x-www-form-urlencoded',
            'User-Agent' => $agent);
sub press { my ($choice, @more) = @_;
            $ngx->post('/_cx/opt-out', $choice, @form, @more) }
$r = press('choice=out', Origin => 'http://localhost',
           'Sec-Fetch-Site' => 'same-origin');
is $r->{status}, 303, 'out: see other';
is $r->{headers}{location}, 'opt-out', 'out: the page again';
is $r->{headers}{'set-cookie'},
    'cx_opt_out=1; Path=/; Max-Age=31536000; SameSite=Lax', 'out: cookie';
like $r->{headers}{'cache-control'}, qr/no-store/, 'out: not kept';
is $r->{body}, '', 'out: no body';
$r = press('choice=in', @opted);
is $r->{status}, 303, 'in: see other';
is $r->{headers}{'set-cookie'}, 'cx_opt_out=; Path=/; Max-Age=0; SameSite=Lax',
    'in: the cookie goes';
is $ngx->counter('opt_outs', $_), 1, "counted: $_" for qw(out in);
$r = $ngx->post('/feedback/opt-out', 'choice=out', @form, @ask);
is $r->{headers}{location}, 'opt-out', 'cx_prefix: the page again';
$r = $ngx->h2('/_cx/opt-out', port => $ngx->port('h2'), @form,
              body => 'choice=out');
is $r->{status}, 303, 'HTTP/2';
like $r->{headers}{'set-cookie'}, qr/^cx_opt_out=1;/, 'HTTP/2: cookie';
SKIP: {
    skip 'no openssl', 1 if $tls;
    my (undef, $out) = $t->run('/usr/bin/env', 'curl', '-sk', '-i',
        '--max-time', 10, '-d', 'choice=out',
        'https://127.0.0.1:' . $ngx->port('tls') . '/_cx/opt-out');
    like $out, qr/^Set-Cookie: cx_opt_out=1; .*; Secure\r$/mi, 'TLS: Secure';
}

# who may not press it
for my $how ([Origin => 'https://evil.example'], [Origin => 'null'],
             ['Sec-Fetch-Site' => 'cross-site']) {
    $r = press('choice=out', @$how);
    is $r->{status}, 403, "@$how: refused";
    is json($r->{body})->{error}, 'origin', "@$how: why";
    is $r->{headers}{'set-cookie'}, undef, "@$how: no cookie";
}
my @bad = (
    ['choice=maybe', 400, 'bad_value'], ['', 400, 'bad_value'],
    ['choice=out&choice=in', 400, 'bad_value'], ['choice=outer', 400,
     'bad_value'], ['x' x 1025, 413, 'size'],
);
for (@bad) {
    my ($body, $status, $error) = @$_;
    my $name = substr $body, 0, 20;
    $r = press($body);
    is $r->{status}, $status, "'$name': status";
    is json($r->{body})->{error}, $error, "'$name': why";
    is $r->{headers}{'set-cookie'}, undef, "'$name': no cookie";
}
$r = $ngx->get('/_cx/opt-out', method => 'POST', @form,
    'Transfer-Encoding' => 'chunked', body => "7d0\r\n" . 'x' x 2000
    . "\r\n0\r\n\r\n", 'Content-Length' => undef);
is $r->{status}, 413, 'chunked and too large';
for ('text/plain', 'application/json', undef) {
    $r = press('choice=out', 'Content-Type' => $_);
    is $r->{status}, 415, 'type ' . ($_ // 'missing');
    is $r->{headers}{'set-cookie'}, undef, 'no cookie';
}
for (qw(PUT DELETE OPTIONS PATCH)) {
    $r = $ngx->get('/_cx/opt-out', method => $_);
    is $r->{status}, 405, "$_: refused";
    is $r->{headers}{allow}, 'GET, HEAD, POST', "$_: Allow";
}
for ('', '?choice=out', '?choice=in') {
    $r = $ngx->get("/_cx/opt-out$_", @opted, 'Sec-Purpose' => 'prefetch');
    is $r->{headers}{'set-cookie'}, undef, "GET$_ changes nothing";
}
is $ngx->counter('opt_outs', 'out'), 3 + ($tls ? 0 : 1),
    'only what was done is counted';

# what comes of it
sub get_page { $ngx->get('/a.html', 'User-Agent' => $agent,
                         Accept => 'text/html', @_) }
sub post { $ngx->post('/_cx/events', { v => 1, page => '/a.html',
    view => '0123456789abcdef', age => 5, events => [{ type => 'leave',
    scroll_pct => $_[0] }] }, 'User-Agent' => $agent, @_[1 .. $#_]) }
$agent = 'Mozilla/5.0 (X11; Linux x86_64) Visitor';
@form = ('Content-Type' => 'application/x-www-form-urlencoded',
         'User-Agent' => $agent);
$r = get_page();
like $r->{body}, qr/<script/, 'before: the tag';
post(1);
my ($leave) = $redis->wait_events(1, filter => sub {
    $_[0]{type} eq 'leave' });
is $leave->{seen}, 1, 'before: the page is seen';
my $skipped = $ngx->counter('views_skipped', 'opt_out');
my $ignored = $ngx->counter('beacons_ignored', 'opt_out');
press('choice=out');
my $before = $redis->xlen;
for my $cookie ('cx_opt_out=1', 'x=1; cx_opt_out=1', 'cx_opt_out=1; y=2') {
    $r = get_page(Cookie => $cookie);
    is $r->{body}, $page, "$cookie: the page as it is";
    like $r->{headers}{vary} // '', qr/\bCookie\b/i, "$cookie: Vary";
    is post(2, Cookie => $cookie)->{status}, 204, "$cookie: beacon: 204";
}
is $ngx->counter('views_skipped', 'opt_out') - $skipped, 3,
    'views are counted as skipped';
is $ngx->counter('beacons_ignored', 'opt_out') - $ignored, 3,
    'beacons are counted as ignored';
sleep 0.15;
is $redis->xlen, $before, 'nothing is recorded';
for my $cookie ('cx_opt_out=0', 'cx_opt_out=', 'xcx_opt_out=1',
                'a="cx_opt_out=1"') {
    like get_page(Cookie => $cookie)->{body}, qr/<script/,
        "$cookie: not opted out";
}
$redis->wait_events($before + 4);
press('choice=out');
post(3);
($leave) = $redis->wait_events(1, filter => sub {
    $_[0]{type} eq 'leave' && $_[0]{scroll_pct} eq 3 });
is $leave->{seen}, 0, 'the visit before is forgotten';
get_page();
post(4);
($leave) = $redis->wait_events(1, filter => sub {
    $_[0]{type} eq 'leave' && $_[0]{scroll_pct} eq 4 });
is $leave->{seen}, 1, 'recorded again without the cookie';

# the endpoint's own page is no page of the site
$before = $redis->xlen;
my $views = $ngx->counter('views');
$skipped = $ngx->counter('views_skipped');
my @browser = (Accept => 'text/html', 'Sec-Fetch-Dest' => 'document',
               'Sec-Fetch-Mode' => 'navigate', 'User-Agent' => $agent);
for (1 .. 4) {
    unlike $ngx->get('/_cx/opt-out', @browser)->{body}, qr/<script/,
        "no tag in it ($_)";
    press('choice=out', @browser);
    press('wrong', @browser);
    $ngx->get('/_cx/nothing', @browser);
}
sleep 0.15;
is $redis->xlen, $before, 'neither view nor signal comes of it';
is $ngx->counter('views'), $views, 'no view is counted';
is $ngx->counter('views_skipped'), $skipped, 'nor skipped';

$t->done;
