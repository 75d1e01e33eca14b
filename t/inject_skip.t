#!/usr/bin/perl

# What is injected into and what goes out as it came, and $cx_injected, which
# says why.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Compress::Gzip qw(gzip);
use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;
use Test::Cx;
use Test::Cx::Pages;

my $t = Test::Cx->new;

my $page = "<!DOCTYPE html>\n<html><head><title>t</title></head>"
    . '<body><p>' . 'some words ' x 60 . "</p></body></html>\n";
my $div = '<div>a piece of a page</div>';
gzip \$page, \my $gz;

my $html = 'text/html; charset=utf-8';
my @document = ('Sec-Fetch-Dest' => 'document');
my %of = (          # path: status, headers, body
    html => [200, [], $page],
    upper => [200, ['Content-Type' => 'Text/HTML;charset=UTF-8'], $page],
    chunked => [200, ['Transfer-Encoding' => 'chunked'], $page],
    xhtml => [200, ['Content-Type' => 'application/xhtml+xml'], $page],
    json => [200, ['Content-Type' => 'application/json'], '{"a":"<head>"}'],
    text => [200, ['Content-Type' => 'text/plain'], $page],
    untyped => [200, ['Content-Type' => undef], $page],
    gzip => [200, ['Content-Encoding' => 'gzip'], $gz],
    notransform => [200, ['Cache-Control' => 'public, No-Transform'], $page],
    maxage => [200, ['Cache-Control' => 'public, max-age=9'], $page],
    attachment => [200, ['Content-Disposition' =>
                         'Attachment; filename="a.html"'], $page],
    inline => [200, ['Content-Disposition' => 'inline'], $page],
    fragment => [200, [], $div],
    chunkedfragment => [200, ['Transfer-Encoding' => 'chunked'], $div],
    words => [200, [], 'just words'],
    204 => [204, ['Content-Length' => undef, 'Content-Type' => undef], ''],
    206 => [206, ['Content-Range' => 'bytes 0-' . (length($page) - 1) . '/'
                  . 2 * length $page], $page],
    301 => [301, [Location => '/x'], $page],
    304 => [304, ['Content-Length' => undef], ''],
    empty => [200, [], ''],
    csp => [200, ['Content-Security-Policy' =>
                  "script-src 'nonce-abc' 'strict-dynamic'"], $page],
    404 => [404, [], $page],
    500 => [500, [], $page],
    etag => [200, [ETag => '"abc"', 'Last-Modified' =>
                   'Sat, 01 Jan 2022 00:00:00 GMT'], $page],
    ranges => [200, ['Accept-Ranges' => 'bytes'], $page],
    short => [200, [], $page],
    veryshort => [200, [], $page],
    shortchunked => [200, ['Transfer-Encoding' => 'chunked'], $page],
    long => [200, [], $page],
    cached => [200, ['Cache-Control' => 'max-age=60'], $page],
    accel => [200, ['X-Accel-Redirect' => '/static.html'], ''],
);

my $origin = $t->origin(sub {
    my ($req, $c) = @_;
    my ($name) = $req->{path} =~ m{([^/]+)$};
    my ($status, $headers, $body) = @{$of{$name}};
    my %h = ('Content-Type' => $html, 'Content-Length' => length $body,
             @$headers);
    if ($h{'Transfer-Encoding'}) {
        delete $h{'Content-Length'};
        my $half = int(length($body) / 2);
        $body = join '', map { sprintf "%x\r\n%s\r\n", length $_, $_ }
            substr($body, 0, $half), substr $body, $half;
        $body .= "0\r\n\r\n";
    }
    my $all = http_head($status, map { $_ => $h{$_} } sort keys %h);
    $all .= $body if $req->{method} ne 'HEAD';
    $all .= 'and more' if $name eq 'long';
    substr($all, -100) = '' if $name =~ /^short/;
    substr($all, 15 - length $body) = '' if $name eq 'veryshort';
    send_split($c, $all);
    return $name !~ /short|long/;
});

my $http = <<"EOT";
    log_format cx '\$request_uri|\$cx_injected';
    access_log logs/cx.log cx;
    upstream o { server @{[ $origin->addr ]}; }
    proxy_http_version 1.1;
    proxy_cache_path tmp/cache keys_zone=c:1m;
EOT
my $server = <<'EOT';
        location /o/ { proxy_pass http://o; }
        location /u/ { proxy_pass http://o; proxy_buffering off; }
        location /gzip/ { proxy_pass http://o; gzip on; gzip_min_length 1; }
        location /gunzip/ { proxy_pass http://o; gunzip on; }
        location /own/ {
            proxy_pass http://o; proxy_set_header Accept-Encoding br;
        }
        location /cache/ { proxy_pass http://o; proxy_cache c; }
        location /sub/ {
            proxy_pass http://o;
            sub_filter_once off; sub_filter words wordies;
        }
        location /off/ { cx off; proxy_pass http://o; }
        location /nonce/ { cx_nonce $arg_n; proxy_pass http://o; }
        location /dnt/ { cx_privacy off; proxy_pass http://o; }
        location /ssi/ { ssi on; }
        location /addition/ {
            add_before_body /inc.html; add_after_body /inc.html;
        }
        location /auth/ { auth_request /inc.html; }
        location /mirror/ { mirror /o/html; }
        location /mirrored/ { mirror /o/html; proxy_pass http://o; }
        location /return { default_type text/html; return 200 '<html>hi'; }
        location /list/ { autoindex on; }
        location /try/ { try_files /nothing /static.html; }
        location /rewrite/ { rewrite ^ /static.html last; }
        location /errors/ { error_page 404 /static.html; }
        location /errors404/ { error_page 404 =200 /static.html; }
        location /intercept/ {
            proxy_pass http://o; proxy_intercept_errors on;
            error_page 404 500 @named;
        }
        location @named { rewrite ^ /static.html break; }
        location /down/ { proxy_pass http://127.0.0.1:%%PORT:none%%; }
EOT
my $inc = '<html><head><title>included</title></head>in</html>';
my %files = (
    'html/static.html' => $page,
    'html/inc.html' => $inc,
    'html/index.html' => $page,
    'html/list/a.txt' => 'x',
    'html/ssi/a.html' => "<html><head><!--#include virtual=\"/inc.html\" -->"
        . 'x<!--# include virtual="/inc.html" --></html>',
    'html/ssi/top.html' => "<!--#include virtual=\"/inc.html\" --><p>x",
    'html/addition/a.html' => $page,
    'html/auth/a.html' => $page,
    'html/mirror/a.html' => $page,
);
my $ngx = $t->nginx(redis => $t->redis, cx => 1, http => $http,
                    server => $server, files => \%files);

# $cx_injected of the last request for a path
sub outcome {
    my ($path) = @_;
    return wait_for {
        my @lines = grep { index($_, "$path|") == 0 }
            split /\n/, $ngx->file('logs/cx.log');
        @lines ? ($lines[-1] =~ /\|(.*)/)[0] : undef;
    } 2;
}

my $serial = 0;

# one request, unlike all others in the log; its answer and outcome
sub ask {
    my ($path, @headers) = @_;
    my $uri = $path . ($path =~ /\?/ ? '&' : '?') . 'i=' . ++$serial;
    my $r = $ngx->get($uri, @headers);
    return ($r, outcome($uri) // '');
}

sub injected {
    my ($name, $path, $want, @headers) = @_;
    my ($r, $outcome) = ask($path, @headers);
    my ($rest, $tag) = one_tag($r->{body});
    ok defined $rest && $r->{complete}, "$name: one tag";
    is $rest, $want, "$name: and the page" if defined $want;
    is $outcome, 'injected', "$name: \$cx_injected";
    is $r->{headers}{'content-length'}, length $r->{body}, "$name: length"
        if !$r->{chunked} && $name ne 'HTTP/1.0';
    return $r;
}

sub untouched {
    my ($name, $path, $why, @headers) = @_;
    my ($r, $outcome) = ask($path, @headers);
    my ($key) = $path =~ m{([^/?]+)(?:\?|$)};
    my $want = $of{$key}[2];
    $want = '' if $r->{status} =~ /^(?:204|304)$/;
    is $r->{body}, $want, "$name: as it came";
    like $outcome, qr/^(?:$why)$/, "$name: \$cx_injected";
    is $r->{headers}{'content-length'}, length $want, "$name: length"
        if length $want && !$r->{chunked};
    return $r;
}

# what is a page
injected('document', '/o/html', $page, @document);
injected('no Sec-Fetch-Dest', '/o/html', $page);
injected('frame', '/o/html', $page, 'Sec-Fetch-Dest' => $_)
    for 'iframe', 'frame';
injected('unbuffered', '/u/html', $page);
injected('type in capitals', '/o/upper', $page);
injected('chunked', '/o/chunked', $page);
injected('inline', '/o/inline', $page);
injected('Cache-Control', '/o/maxage', $page);
injected('fragment as document', '/o/fragment', $div, @document);
injected('words as document', '/o/words', 'just words', @document);
injected('POST', '/o/html', $page, method => 'POST', body => 'a=b');
injected('HTTP/1.0', '/o/chunked', $page, http => '1.0');

# what is none
untouched($_->[0], $_->[1], $_->[2], @$_[3 .. $#$_]) for (
    ['XHTML', '/o/xhtml', 'type', @document],
    ['JSON', '/o/json', 'type', @document],
    ['text', '/o/text', 'type', @document],
    ['no type', '/o/untyped', 'type', @document],
    ['encoded', '/o/gzip', 'encoded', @document],
    ['encoded, unbuffered', '/u/gzip', 'encoded', @document],
    ['no-transform', '/o/notransform', 'no_transform', @document],
    ['attachment', '/o/attachment', 'attachment', @document],
    ['fetch', '/o/html', 'dest', 'Sec-Fetch-Dest' => 'empty'],
    ['script', '/o/html', 'dest', 'Sec-Fetch-Dest' => 'script'],
    ['fragment', '/o/fragment', 'fragment'],
    ['fragment, unbuffered', '/u/fragment', 'fragment'],
    ['chunked fragment', '/o/chunkedfragment', 'fragment'],
    ['words', '/o/words', 'fragment'],
    ['204', '/o/204', 'status|type', @document],
    ['206', '/o/206', 'range', @document],
    ['301', '/o/301', 'status', @document],
    ['304', '/o/304', 'status', @document],
    ['empty', '/o/empty', 'empty', @document],
    ['GPC', '/o/html', 'privacy', 'Sec-GPC' => 1],
    ['DNT', '/o/html', 'privacy', DNT => 1],
    ['opted out', '/o/html', 'privacy', Cookie => 'a=b; cx_opt_out=1'],
    ['strict-dynamic', '/o/csp', 'csp', @document],
    ['off', '/off/html', '-|off', @document],
);
is((ask('/gunzip/gzip', @document))[0]{body}, $page, 'gunzip: no tag');

# what decided is named in Vary, whatever it decided
for (['injected', '/o/html'], ['GPC', '/o/html', 'Sec-GPC' => 1],
     ['DNT', '/o/html', DNT => 1]) {
    my ($name, $path, @headers) = @$_;
    my ($r) = ask($path, @headers);
    my $vary = lc($r->{headers}{vary} // '');
    like $vary, qr/\bsec-gpc\b/, "$name: Vary names Sec-GPC";
    like $vary, qr/\bdnt\b/, "$name: Vary names DNT";
}
my ($r) = ask('/o/html', Cookie => 'cx_opt_out=1; a=b');
like $r->{headers}{vary}, qr/\bcookie\b/i, 'opted out: Vary names Cookie';
injected($_, '/o/html', $page, Cookie => $_)
    for 'cx_opt_out=0', 'cx_opt_out=11', 'xcx_opt_out=1', 'a=cx_opt_out=1';
($r) = ask('/o/html', Cookie => 'a=b');
unlike $r->{headers}{vary}, qr/\bcookie\b/i, 'another cookie: Vary does not';
injected('cx_privacy off, a cookie', '/dnt/html', $page, Cookie => 'a=b');
untouched('cx_privacy off, opted out', '/dnt/html', 'privacy',
          Cookie => 'cx_opt_out=1');
($r) = ask('/o/html', 'Sec-Fetch-Dest' => 'empty');
like $r->{headers}{vary} // '', qr/\bsec-fetch-dest\b/i,
    'Vary names Sec-Fetch-Dest';
($r) = ask('/off/html');
is $r->{headers}{vary}, undef, 'off: no Vary';
injected('cx_privacy off, GPC', '/dnt/html', $page, 'Sec-GPC' => 1, DNT => 1);

# headers that no longer hold
$r = injected('validators', '/o/etag', $page);
like $r->{headers}{etag}, qr/^W\/"abc"$/, 'the upstream entity tag is weak';
$r = injected('ranges', '/o/ranges', $page);
is $r->{headers}{'accept-ranges'}, undef, 'no ranges promised';
($r) = ask('/o/html', method => 'HEAD', @document);
my ($get) = ask('/o/html', @document);
is $r->{headers}{'content-length'}, $get->{headers}{'content-length'},
    'HEAD of an upstream: length as GET';

# nonce
$r = injected('nonce', '/nonce/html?n=r4nd0m', $page);
like $r->{body}, qr/<script [^>]*nonce="r4nd0m"/, 'nonce in the tag';
$r = injected('nonce and strict-dynamic', '/nonce/csp?n=abc', $page);
$r = injected('no nonce', '/nonce/html', $page);
unlike $r->{body}, qr/ nonce=/, 'empty nonce: no attribute';
$r = injected('nonce with quotes', '/nonce/html?n=%22><b>', $page);
unlike $r->{body}, qr/nonce=""|<b>/, 'a nonce cannot leave its quotes';

# nginx's own ways
injected('return', '/return', '<html>hi', @document);
injected('index', '/', $page);
injected('try_files', '/try/x', $page);
injected('rewrite', '/rewrite/x', $page);
injected('X-Accel-Redirect', '/o/accel', $page);
injected('autoindex', '/list/', undef);
injected('sub_filter', '/sub/html', $page =~ s/words/wordies/gr);
for (["nginx's 404", '/nothing', 404], ["nginx's 502", '/down/x', 502],
     ['error_page', '/errors/x', 404, $page],
     ['error_page =200', '/errors404/x', 200, $page],
     ["upstream's 404", '/o/404', 404, $page],
     ["upstream's 500", '/o/500', 500, $page],
     ['intercepted', '/intercept/500', 500, $page]) {
    my ($name, $path, $status, $want) = @$_;
    is injected($name, $path, $want, @document)->{status}, $status,
        "$name: status";
}

# subrequests stay as they are
injected('SSI', '/ssi/a.html', "<html><head>${inc}x$inc</html>");
injected('SSI first', '/ssi/top.html', "$inc<p>x", @document);
injected('addition', '/addition/a.html', "$inc$page$inc");
injected('auth_request', '/auth/a.html', $page);
injected('mirror', '/mirror/a.html', $page);
injected('mirror and proxy', '/mirrored/html', $page);

# encodings: identity from upstream, gzip for the client
my $ae = 'gzip, deflate, br';
sub upstream_got { (($origin->requests)[-1])->{headers}{'accept-encoding'} }

ask('/o/html', 'Accept-Encoding' => $ae, @document);
is upstream_got(), 'identity', 'document: upstream is asked for identity';
ask('/o/html', 'Accept-Encoding' => $ae, Accept => 'text/html,*/*;q=0.8');
is upstream_got(), 'identity', 'by Accept: upstream is asked for identity';
ask('/o/html', 'Accept-Encoding' => $ae, 'Sec-Fetch-Dest' => 'script');
is upstream_got(), $ae, 'script: upstream sees what the client sent';
ask('/off/html', 'Accept-Encoding' => $ae, @document);
is upstream_got(), $ae, 'off: upstream sees what the client sent';
ask('/o/html', 'Accept-Encoding' => $ae, @document, 'Sec-GPC' => 1);
is upstream_got(), $ae, 'GPC: upstream sees what the client sent';
ask('/own/html', 'Accept-Encoding' => $ae, @document);
is upstream_got(), 'br', 'proxy_set_header wins';
ask('/o/html', @document);
is upstream_got(), undef, 'no Accept-Encoding is made up';
($r) = ask('/gzip/html', 'Accept-Encoding' => $ae, @document);
is $r->{headers}{'content-encoding'}, 'gzip', 'the client gets gzip';
gunzip \$r->{body}, \my $plain;
is((one_tag($plain))[0], $page, 'and in it the page and the tag');

# the cache holds the page as it was
for my $status ('MISS', 'HIT') {
    ($r) = ask('/cache/cached');
    $r = $ngx->get('/cache/cached');
    is((one_tag($r->{body}))[0], $page, "proxy_cache, $status");
}
is $ngx->get('/cache/cached', 'Sec-GPC' => 1)->{body}, $page,
    'from the cache without the tag';

# what is cut stays cut, what is too long is not longer
for my $how ('o', 'u') {
    for my $name ('short', 'veryshort', 'shortchunked') {
        for my $dest ('document', undef) {
            $r = $ngx->get("/$how/$name", 'Sec-Fetch-Dest' => $dest);
            ok !$r->{complete} && $r->{eof}, "/$how/$name: cut";
            my ($rest) = one_tag($r->{body});
            $rest //= $r->{body};
            is $rest, substr($page, 0, length $rest),
                "/$how/$name: the page so far";
        }
    }
    $r = $ngx->get("/$how/long", @document);
    is((one_tag($r->{body}))[0], $page, "/$how/long: ends as promised");
}

# thresholds that the browser needs to know
my %tune = ("slow_page_ms 900\nreload.cap 3\n" => undef,
            "rage_clicks 5\n" => qr/^\d+=5$/,
            "dead_click_ms 2000\nslow_page_ms 900\nrage_clicks 6\n"
                => qr/^\d+=6 \d+=2000$/);
for my $text (sort keys %tune) {
    my $n = $t->nginx(redis => $t->redis, cx => 1,
        http => 'cx_thresholds tuned.conf;',
        server => 'location /pay/ { cx_touchpoint pay; }',
        files => { 'conf/tuned.conf' => $text, 'html/a.html' => $page,
                   'html/pay/a.html' => $page });
    for my $path ('/a.html', '/pay/a.html') {
        my ($rest, $tag) = one_tag($n->get($path)->{body});
        is $rest, $page, "thresholds: one tag";
        my ($tune) = $tag =~ / data-tune="([^"]*)"/;
        defined $tune{$text} ? like $tune, $tune{$text}, "data-tune: $tune"
            : is $tune, undef, 'no data-tune where the browser needs none';
    }
}

$t->done;
