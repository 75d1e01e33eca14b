#!/usr/bin/perl

# What the edge sees without a line of JavaScript: views and their fields,
# visits, variables, thresholds of a file, a full zone.  Its signals:
# edge_signals.t, edge_path.t, edge_forms.t, edge_quiet.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;

my $page = '<!doctype html><html><head><title>t</title></head><p>x';
my $origin = $t->origin(sub {
    my ($req, $c) = @_;
    my $head = http_head($req->{path} =~ /(4\d\d|5\d\d)$/ ? $1 : 200,
        'Content-Type' => $req->{path} =~ /json/ ? 'application/json'
            : 'text/html', 'Content-Length' => length $page);
    sleep 0.1 if $req->{path} =~ /tenth/;
    sleep 0.3 if $req->{path} =~ /slow/;
    sleep 0.7 if $req->{path} =~ /slower/;
    sleep 5 if $req->{path} =~ /wait/;
    return send_split($c, $head . $page);
});

my $http = <<'EOT';
    log_format cx '$request_uri|$cx_page|$cx_visit|$cx_signals';
    access_log logs/cx.log cx;
    proxy_cache_path tmp/cache keys_zone=c:1m;
    proxy_cache_valid 200 1m;
    cx_queue flush=50ms;
EOT
my $server = <<"EOT";
        error_page 418 /teapot.html;
        location /o/ { proxy_pass http://@{[ $origin->addr ]}; }
        location /cached/ {
            proxy_pass http://@{[ $origin->addr ]}; proxy_cache c;
        }
        location /orders/ { try_files /a.html =404; }
        location /pay/ {
            cx_touchpoint pay; cx_stage buy; cx_segment \$http_x_segment;
            try_files /a.html =404;
        }
        location /named/ { cx_page /one-name; try_files /a.html =404; }
        location /arg/ { cx_page \$arg_p; try_files /a.html =404; }
        location /none/ { cx_sample 0; try_files /a.html =404; }
        location /off/ { cx off; try_files /a.html =404; }
        location /untold/ { try_files /a.html =404; }
        location /ssi/ { ssi on; }
EOT
my $ngx = $t->nginx(redis => $redis, cx => 1, http => $http,
    server => $server, files => {
        'html/a.html' => $page,
        'html/b.html' => $page,
        'html/ssi/a.html' => "$page<!--#include virtual=\"/b.html\" -->",
        'html/data.json' => '{}',
    },
    servers => <<'EOT');
    server {
        listen 127.0.0.1:%%PORT:other%%;
        server_name other; root html; cx on; location /_cx/ { cx_endpoint; }
    }
    server {
        listen 127.0.0.1:%%PORT:off%%;
        server_name offsite; root html; cx on; cx_visitor off;
        location /_cx/ { cx_endpoint; }
    }
EOT

sub of_type {
    my ($type, @events) = @_;
    return grep { $_->{type} eq $type } @events;
}

my $start = time;
my $sent = $ngx->get('/a.html?secret=1');

# each request has a path of its own, by which its events are found
$ngx->get('/o/tenth');
$ngx->get('/cached/a');
$ngx->get('/cached/a');
$ngx->get('/orders/8123?x=1');
$ngx->get('/orders/3f2504e0-4f89-41d3-9a0c-0305e82c3301');
$ngx->get('/pay/', 'X-Segment' => 'gold');
$ngx->get('/pay/bad', 'X-Segment' => 'x' x 100);
$ngx->get('/named/x');
$ngx->get('/arg/x?p=/given');
$ngx->get('/arg/unfit?p=');
$ngx->get('/o/post', method => 'POST', body => 'a=b');
$ngx->get('/o/fromhere', Referer => 'http://localhost/a.html?q=1#f');
$ngx->get('/o/fromids', Referer => 'http://localhost/orders/77/');
$ngx->get('/o/fromelse', Referer => 'http://elsewhere/a.html');
$ngx->get('/ssi/a.html');
$ngx->get('/o/utf8/%C3%A9/%0A%FFx');

# no view: other things than pages, bots, prefetches, private, switched off
$ngx->get('/data.json');
$ngx->get('/o/json');
$ngx->get('/o/untold/fetch', 'Sec-Fetch-Dest' => 'empty');
$ngx->get('/untold/bot', 'User-Agent' => 'Mozilla/5.0 (compatible; '
          . 'Googlebot/2.1; +http://www.google.com/bot.html)');
$ngx->get('/untold/curl', 'User-Agent' => 'curl/7.88.1');
$ngx->get('/untold/noagent', 'User-Agent' => undef);
$ngx->get('/untold/prefetch', 'Sec-Purpose' => 'prefetch;prerender');
$ngx->get('/untold/purpose', Purpose => 'prefetch');
$ngx->get('/untold/gpc', 'Sec-GPC' => 1);
$ngx->get('/untold/dnt', DNT => 1);
$ngx->get('/none/untold');
$ngx->get('/off/untold');

# visits
my @agent = ('User-Agent' => 'Mozilla/5.0 Another');
$ngx->get('/o/visit1');
$ngx->get('/o/visit2', @agent);
$ngx->get('/o/visit3', from => '127.0.0.2');
$ngx->get('/o/visit4');
$ngx->get('/b.html', port => $ngx->port('other'), Host => 'other');
$ngx->get('/b.html', port => $ngx->port('off'), Host => 'offsite');

$ngx->get('/missing');
$ngx->get('/o/last');

$redis->wait_events(1, filter => sub { $_[0]{page} eq '/o/last' });
my @events = $redis->events;
my %view;
push @{$view{$_->{page}}}, $_ for of_type('view', @events);

# fields
my $raw = $redis->cmd('XRANGE', 'cx:{localhost}:events', '-', '+', 'COUNT',
                      1)->[0][1];
is_deeply [map { $raw->[2 * $_] } 0 .. $#$raw / 2],
    [qw(type ts page visit touchpoint stage segment view method status
        request_ms first_ms upstream_ms cache bytes ref)],
    'fields of a view, in order';
my $v = $view{'/a.html'}[0];
is $v->{status}, 200, 'status';
is $v->{method}, 'GET', 'method';
is $v->{bytes}, length($sent->{head}) + length $sent->{body}, 'bytes';
like $v->{visit}, qr/^[0-9a-f]{16}$/, 'visit';
cmp_ok abs($v->{ts} / 1000 - $start), '<', 5, 'ts is in ms';
like $v->{$_}, qr/^\d{1,3}$/, $_ for 'request_ms', 'first_ms';
is $v->{$_}, '', "no $_" for qw(upstream_ms cache touchpoint stage segment
                                view ref);
$v = $view{'/o/tenth'}[0];
ok $v->{$_} >= 95 && $v->{$_} < 1500, "$_: $v->{$_}"
    for qw(request_ms first_ms upstream_ms);
is_deeply [map { $_->{cache} } @{$view{'/cached/a'}}], ['MISS', 'HIT'],
    'cache status';
is scalar @{$view{'/orders/:id'} // []}, 2, 'ids are folded';
is scalar @{$view{'/one-name'} // []}, 1, 'cx_page, a name';
is scalar @{$view{'/given'} // []}, 1, 'cx_page, a variable';
is scalar @{$view{'/arg/unfit'} // []}, 1, 'cx_page, empty: the path';
$v = $view{'/pay/'}[0];
is_deeply [@$v{qw(touchpoint stage segment)}], ['pay', 'buy', 'gold'],
    'touchpoint, stage, segment';
is $view{'/pay/bad'}[0]{segment}, '', 'a segment too long is none';
is $view{'/o/post'}[0]{method}, 'POST', 'POST';
is $view{'/o/fromhere'}[0]{ref}, '/a.html', 'ref without query';
is $view{'/o/fromids'}[0]{ref}, '/orders/:id/', 'ref, ids folded';
is $view{'/o/fromelse'}[0]{ref}, '', 'no ref from elsewhere';
is scalar @{$view{'/ssi/a.html'} // []}, 1, 'SSI: one view';
is $view{'/b.html'}, undef, 'SSI: none of the part';
ok((grep { m{^/o/utf8/\xC3\xA9/} && !/[\0-\x1f]/ } keys %view),
   'a page key is clean UTF-8');
is_deeply [grep { /untold|json|off|none/ } keys %view], [], 'no other views';
is $view{'/missing'}[0]{status}, 404, 'an error page is a view';

my $all = join ' ', map { values %$_ } @events;
unlike $all, qr/127\.0\.0|Mozilla|secret|\?/, 'no address, agent, query';

# visits
is $view{'/o/visit1'}[0]{visit}, $view{'/o/visit4'}[0]{visit}, 'one visit';
isnt $view{'/o/visit2'}[0]{visit}, $view{'/o/visit1'}[0]{visit},
    'another agent, another visit';
isnt $view{'/o/visit3'}[0]{visit}, $view{'/o/visit1'}[0]{visit},
    'another address, another visit';
my ($other) = $redis->wait_events(1, site => 'other');
is $other->{page}, '/b.html', 'a site has a stream of its own';
isnt $other->{visit}, $view{'/o/visit1'}[0]{visit},
    'another site, another visit';
my ($off) = $redis->wait_events(1, site => 'offsite');
is $off->{visit}, '', 'cx_visitor off: no visit';

# counted, not recorded: by reason in bots.t
is $ngx->counter('views_skipped'), 8, 'views that are not recorded';
is $ngx->counter('views'), scalar(of_type('view', @events)) + 2,
    'views recorded are those in the streams';

# variables
my %log = map { (split /\|/)[0] => $_ } split /\n/, $ngx->file('logs/cx.log');
like $log{'/orders/8123?x=1'}, qr{\|/orders/:id\|[0-9a-f]{16}\|},
    '$cx_page, $cx_visit';
is((split /\|/, $log{'/o/visit1'})[2], $view{'/o/visit1'}[0]{visit},
   '$cx_visit is the visit of the stream');
like $log{'/missing'}, qr/\|error_page$/, '$cx_signals';
like $log{'/o/visit1'}, qr/\|-?$/, '$cx_signals: none';

# thresholds of a file, and times on a real clock: what upstreams took of them
# is told apart
my $tuned = $t->nginx(redis => $redis, cx => 1, http => <<'EOT',
    cx_queue flush=50ms;
    cx_thresholds tuned.conf;
    limit_req_zone $binary_remote_addr zone=slow:1m rate=2r/s;
EOT
    server => <<"EOT",
        cx_site tuned;
        location /o/ { proxy_pass http://@{[ $origin->addr ]}; }
        location /delayed/ {
            limit_req zone=slow burst=9; proxy_pass http://@{[ $origin->addr ]}/o/;
        }
EOT
    files => { 'html/a.html' => $page, 'conf/tuned.conf' => <<'EOT' });
# less patience
slow_page_ms     200     # T
aborted_wait_ms  400

reload_views     2
slow_page.strength 0.2
slow_page.cap    3
EOT
my $late = $tuned->connect;
$late->send(Test::Cx::Http::build('/o/wait', Accept => 'text/html'));
my $hasty = $tuned->connect;
$hasty->send(Test::Cx::Http::build('/o/wait/hasty', Accept => 'text/html'));
sleep 0.05;
$hasty->close;
sleep 0.5;
$late->close;
$tuned->get('/o/slow');
$tuned->get('/o/slower');
$tuned->get('/delayed/b') for 1, 2;
$tuned->get('/a.html');
sleep 0.5;                              # sooner it is a double click
$tuned->get('/a.html');
$redis->wait_events(8, site => 'tuned',
                    filter => sub { $_[0]{type} eq 'view' });
my %of;
push @{$of{"$_->{name} $_->{page}"}}, $_
    for of_type('signal', $redis->events('tuned'));
is join(', ', sort keys %of), 'aborted_wait /o/wait, reload /a.html, '
    . 'slow_page /delayed/b, slow_page /o/slow, slow_page /o/slower',
    'cx_thresholds';
is_deeply [map { $of{"slow_page $_"}[0]{count} }
           '/o/slow', '/o/slower', '/delayed/b'], [1, 2, 1],
    'slow_page: later than T, later than 4 T';

sub between {
    my ($what, $v, $least, $most) = @_;
    ok $v =~ /^\d+$/ && $v >= $least && $v <= $most, "$what: $v ms";
}
my ($slow) = @{$of{'slow_page /o/slow'} // [{}]};
between('slow_page', $slow->{value}, 290, 800);
between('slow_page, upstream', $slow->{upstream_ms}, 290, 800);
my ($delayed) = @{$of{'slow_page /delayed/b'} // [{}]};
between('slow_page, held up by nginx', $delayed->{value}, 201, 800);
between('... and its upstream', $delayed->{upstream_ms}, 0, 190);
my ($abort) = @{$of{'aborted_wait /o/wait'} // [{}]};
between('aborted_wait', $abort->{value}, 400, 1500);
between('aborted_wait, upstream', $abort->{upstream_ms}, 400, 1500);

# a full zone evicts, counts and records all the same
my $small = $t->nginx(redis => $redis, http => 'cx_zone cx:64k;', cx => 1,
    server => 'cx_site small; keepalive_requests 100000;',
    files => { 'html/a.html' => $page });
my $c = $small->connect;
my @who = map { ['User-Agent' => "Mozilla/5.0 Number $_", Accept => 'text/html']
              } 0 .. 2000;
my %status;
for my $n (1 .. 2000) {
    $status{$c->get('/a.html', @{$who[$n]})->{status}}++;

    # one of them stays, whatever comes
    next if $n % 20;
    $status{$c->get($_, @{$who[0]})->{status}}++
        for $n == 1000 || $n == 1020 ? ('/again', '/a.html?x') : "/a.html?$n";
}
is_deeply \%status, { 200 => 2000 + 100, 404 => 2 }, 'zone full: all is answered';
my @small = $redis->wait_events(2102, site => 'small',
                                filter => sub { $_[0]{type} eq 'view' });
is scalar @small, 2102, 'zone full: all views are recorded';
cmp_ok $small->counter('visits_evicted'), '>', 1500, 'zone full: evictions';
is $small->counter('visits_new'), 2001, 'zone full: visits';
is_deeply [map { "$_->{name} $_->{page} $_->{visit}" }
           of_type('signal', $redis->events('small'))],
    [map { "$_ /again $small[20]{visit}" } 'error_page', 'error_page',
           'repeat_failure'], 'zone full: the visit that stays is remembered';

$t->done;
