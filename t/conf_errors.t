#!/usr/bin/perl

# Each mistake in nginx.conf is one sentence of nginx -t with file and line.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $redis = 'cx_redis redis://127.0.0.1:1;';
my $endpoint = 'location /_cx/ { cx_endpoint; }';

sub conf_test {
    my (%o) = @_;
    $o{http} = "$redis\n$o{http}" if !$o{no_redis};
    $o{server} = "cx on;\n$endpoint\n$o{server}" if !$o{no_cx};
    return $t->nginx_test(%o);
}

# http {} directive, what the error says
my @http = (
    ['cx_queue what=1', 'invalid parameter "what=1": expected size='],
    ['cx_queue size=1k', 'expected a size of at least 512k'],
    ['cx_queue size=x', 'expected a size'],
    ['cx_queue batch=0', 'expected 1 to 1000 events'],
    ['cx_queue batch=1001', 'expected 1 to 1000 events'],
    ['cx_queue flush=0', 'expected a time from 1ms to 60s'],
    ['cx_queue flush=2m', 'expected a time from 1ms to 60s'],
    ['cx_queue inflight=65', 'expected 1 to 64 batches'],
    ['cx_queue stream=1', 'expected at least 1000 entries'],
    ['cx_queue', 'invalid number of arguments in "cx_queue"'],
    ['cx_queue batch=2; cx_queue batch=3', '"cx_queue" directive is duplicate'],
    ['cx_zone cx', 'cx_zone|zone size'],
    ['cx_zone :1m', 'cx_zone|zone'],
    ['cx_zone cx:1', 'cx_zone|zone'],
    ['cx_zone cx:much', 'cx_zone|zone'],
    ['cx_zone cx:1m; cx_zone cy:1m', 'duplicate'],
    ['cx_thresholds none.conf', 'none\.conf" failed'],
    ['cx_thresholds a.conf b.conf', 'invalid number of arguments'],
    ['cx_thresholds off; cx_thresholds off', 'duplicate'],
    ['cx_role form', '"cx_role" directive is not allowed here'],
    ['cx_ignore', 'invalid number of arguments in "cx_ignore"'],
    ['cx maybe', 'invalid value "maybe" in "cx" directive'],
    ['cx on off', 'invalid number of arguments'],
    ['cx_touchpoint a', '"cx_touchpoint" directive is not allowed here'],
    ['cx_endpoint', '"cx_endpoint" directive is not allowed here'],
    ['cx_status', '"cx_status" directive is not allowed here'],
);
my @redis = map { ["cx_redis $_", 'cx_redis'] } (
    'http://127.0.0.1', 'redis://', 'redis://127.0.0.1:99999',
    'redis://127.0.0.1:0', 'redis://127.0.0.1/x', 'redis://127.0.0.1:6379/-1',
    'unix:', 'unix:relative', 'redis://user@127.0.0.1', '127.0.0.1:6379',
    'nonsense', '""',
);
push @redis, ["$redis $redis", '"cx_redis" directive is duplicate'];
my @server = (
    ['cx_site "a b"', 'expected a name of 1 to \d+ letters'],
    ['cx_site ""', 'expected a name'],
    ['cx_site "a{b}"', 'expected a name'],
    ['cx_site ' . 'x' x 100, 'expected a name'],
    ['cx_site a; cx_site b', 'is duplicate'],
    ['cx_site a shards=0', 'expected shards=1 to shards=256'],
    ['cx_site a shards=257', 'expected shards=1 to shards=256'],
    ['cx_site a shards=x', 'expected shards=1 to shards=256'],
    ['cx_site a pieces=2', 'expected shards=1 to shards=256'],
    ['cx_site a shards=2 shards=2', 'invalid number of arguments'],
    ['cx_site a/1', 'expected a name'],
    ['cx_visitor fingerprint', 'invalid value "fingerprint"'],
    ['cx_sample 101', 'expected a percentage from 0 to 100'],
    ['cx_sample -1', 'expected a percentage'],
    ['cx_sample half', 'expected a percentage'],
    ['cx_sample 0.123', 'expected a percentage'],
    ['cx_sample ""', 'expected a percentage'],
    ['cx_privacy maybe', 'invalid parameter "maybe": expected "off"'],
    ['cx_privacy off gpc', 'invalid parameter "off"'],
    ['cx_privacy consent=yes', 'invalid parameter "consent=yes"'],
    ['cx_prefix _cx', 'expected a path that starts and ends with "/"'],
    ['cx_prefix /_cx', 'expected a path'],
    ['cx_prefix _cx/', 'expected a path'],
    ['cx_prefix "/a b/"', 'expected a path'],
    ['cx_prefix /<b>/', 'expected a path'],
    ['cx_prefix /', 'expected a path'],
    ['cx_allowed_origins example.com', 'expected an origin such as'],
    ['cx_allowed_origins https://a.b/c', 'expected an origin'],
    ['cx_allowed_origins https://*.a.b', 'expected an origin'],
    ['cx_allowed_origins https://', 'expected an origin'],
    ['cx_allowed_origins http://a.b ftp://a.b', 'expected an origin'],
    ['cx_role formular', 'invalid parameter "formular": expected "off"'],
    ['cx_role form off', 'invalid parameter "off"'],
    ['cx_role off help', 'invalid parameter "off"'],
    ['cx_role form form', 'invalid parameter "form": expected .* each once'],
    ['cx_role search', 'invalid parameter "search"'],
    ['cx_role search=', 'invalid parameter "search="'],
    ['cx_role search=a&b', 'invalid parameter "search=a&b"'],
    ['cx_role search=a search=b', 'invalid parameter "search=b"'],
    ['cx_role form; cx_role help', '"cx_role" directive is duplicate'],
    ['cx_role', 'invalid number of arguments in "cx_role"'],
    ['cx_thresholds a.conf', '"cx_thresholds" directive is not allowed here'],
    ['cx_ignore a; cx_ignore b', '"cx_ignore" directive is duplicate'],
    ['cx_stage a', '"cx_stage" directive is not allowed here'],
    ['cx_redis redis://127.0.0.1', '"cx_redis" directive is not allowed here'],
    ['cx_zone cx:1m', '"cx_zone" directive is not allowed here'],
    ['cx_nonce', 'invalid number of arguments in "cx_nonce"'],
    ['cx_page a b', 'invalid number of arguments in "cx_page"'],
    ['cx_surveys none.json', 'none\.json'],
    ['location /a { cx_touchpoint "no way"; }', 'expected a name of 1 to 32'],
    ['location /a { cx_stage "?"; }', 'expected a name of 1 to 32'],
    ['location /a { cx_endpoint; cx_endpoint; }', 'is duplicate'],
    ['location /a { cx_endpoint on; }', 'invalid number of arguments'],
    ['location /a { cx_site b; }', '"cx_site" directive is not allowed here'],
);

sub refused {
    my ($directive, $message, %o) = @_;
    $directive .= ';' if $directive !~ /\}$/;
    for (qw(http server)) { $o{$_} =~ s/DIRECTIVE/$directive/ if $o{$_} }
    my ($status, $out) = conf_test(%o);
    my $n = Test::Cx::Nginx->new($t, %o,
        http => ($o{no_redis} ? '' : "$redis\n") . $o{http},
        server => "cx on;\n$endpoint\n$o{server}");
    my @lines = split /\n/, $n->config;
    my ($line) = grep { $lines[$_ - 1] eq $directive } 1 .. @lines;
    my @emerg = $out =~ /\[emerg\] (.*)/g;
    is $status, 1, "$directive: refused";
    is scalar @emerg, 1, "$directive: one sentence" or diag $out;
    like $emerg[0] // '', qr/$message/, "$directive: what is wrong";
    like $emerg[0] // '', qr/ in \S+nginx\.conf:$line$/,
        "$directive: file and line";
}

refused(@$_, http => 'DIRECTIVE', server => '') for @http;
refused(@$_, http => 'DIRECTIVE', server => '', no_redis => 1) for @redis;
refused(@$_, http => '', server => 'DIRECTIVE') for @server;

# thresholds: file, line, what stands there and what was expected
for (["# none\nslow_pages 900\n", 2, 'slow_pages', 'expected '],
     ["slow_page_ms 900\n\nslow_page_ms 900\n", 3, 'slow_page_ms',
      'expected '],
     ['slow_page_ms fast', 1, 'fast', 'expected .*20.*60000'],
     ['reload.strength 11', 1, '11', 'expected .*10'],
     ['reload.cap 0', 1, '0', 'expected .*1'],
     ["\0\x1b[1mslow\n", 1, '', 'expected '])
{
    my ($text, $line, $there, $expected) = @$_;
    my ($status, $out) = conf_test(http => 'cx_thresholds bad.conf;',
        server => '', files => { 'conf/bad.conf' => $text });
    is $status, 1, "cx_thresholds: line $line: refused";
    my @emerg = $out =~ /\[emerg\] (.*)/g;
    is scalar @emerg, 1, "cx_thresholds: line $line: one sentence";
    like $emerg[0] // '', qr/bad\.conf":$line: "[^"]*\Q$there\E[^"]*": $expected/,
        "cx_thresholds: line $line: what is wrong";
    like $emerg[0] // '', qr/ in \S+nginx\.conf:\d+$/,
        "cx_thresholds: line $line: named where";
    unlike $out, qr/[\0\x1b]/, "cx_thresholds: line $line: printable";
}
for (["x" x 70_000, 'expected a file of at most 64 KiB']) {
    my ($status, $out) = conf_test(http => 'cx_thresholds bad.conf;',
        server => '', files => { 'conf/bad.conf' => $_->[0] });
    is $status, 1, 'cx_thresholds: too large: refused';
    like $out, qr/$_->[1]/, 'cx_thresholds: too large: so it says';
}

# what is missing
for (['cx on', "cx on;\n$endpoint", 1, 'need "cx_redis" in the http block'],
     ['cx_endpoint', $endpoint, 1, 'need "cx_redis" in the http block'],
     ['cx on', 'cx on;', 0, 'location /_cx/ \{ cx_endpoint; \}'])
{
    my ($name, $server, $no_redis, $message) = @$_;
    my ($status, $out) = conf_test(no_cx => 1, http => '', server => $server,
                                   no_redis => $no_redis);
    is $status, 1, "$name alone: refused";
    my @emerg = $out =~ /\[emerg\] (.*)/g;
    is scalar @emerg, 1, "$name alone: one sentence";
    like $emerg[0] // '', qr/$message/, "$name alone: what is missing";
}

# what is right
my @good = (
    ['the least', '', ''],
    ['names', 'cx_site a.b:c-d_E;', 'location /p/ { cx_touchpoint pay; '
        . 'cx_stage buy; cx_segment $http_x; cx_page /p; cx_nonce $arg_n; }'],
    ['limits', 'cx_queue size=512k batch=1000 flush=60s inflight=64 '
        . 'stream=1000; cx_zone edge:128k;', 'cx_sample 12.5;'],
    ['percent', '', 'cx_sample 100%; cx_visitor off;'],
    ['privacy', 'cx_privacy off;', 'cx_privacy gpc consent=$cookie_ok;'],
    ['roles', 'cx_ignore $cookie_staff;', 'cx_role off; location /f/ { '
        . 'cx_role form help search=q; cx_ignore off; }'],
    ['thresholds', 'cx_thresholds off;', ''],
    ['thresholds of a file', 'cx_thresholds good.conf;', ''],
    ['elsewhere', 'cx_prefix /feedback/;', 'cx_allowed_origins '
        . 'https://www.example.com http://localhost:8080; '
        . 'location /feedback/ { cx_endpoint; }'],
);
for (@good) {
    my ($name, $http, $server) = @$_;
    my ($status, $out) = conf_test(http => $http, server => $server,
        files => { 'conf/good.conf' => "# ours\n\nslow_page_ms 900 # late\n"
            . "reload.strength 0.5\nreload.cap 3\nrage_clicks 5\n" });
    is $status, 0, "$name: right" or diag $out;
    unlike $out, qr/\[(?:warn|error)\]/, "$name: without warnings";
}
for my $url ('redis://127.0.0.1', 'redis://127.0.0.1:6380/3',
             'redis://:secret@127.0.0.1', 'redis://user:se%40cret@localhost:1',
             'redis://[::1]:6379', 'unix:/tmp/none.sock',
             'unix:/tmp/none.sock?db=2')
{
    my ($status, $out) = conf_test(http => "cx_redis $url;", server => '',
                                   no_redis => 1);
    is $status, 0, "cx_redis $url: right" or diag $out;
}
my ($status, $out) = conf_test(no_redis => 1, no_cx => 1, http => '',
                               server => '');
is $status, 0, 'only loaded' or diag $out;
my $so = $t->build . '/ngx_http_cx_module.so';
($status, $out) = $t->nginx_test(conf =>
    "load_module $so;\nerror_log logs/error.log;\nevents { }\n");
is $status, 0, 'without http block' or diag $out;

$t->done;
