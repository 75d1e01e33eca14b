#!/usr/bin/perl

# A browser's report meets what the edge saw: by view id, page and time, within
# one visit.  What was joined carries the server's side of the page view.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Visit;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;

# status= and after= (s) in the query
my $page = '<!doctype html><html><head><title>t</title></head><p>x';
my $origin = $t->origin(sub {
    my ($req, $c) = @_;
    my ($status) = ($req->{query} // '') =~ /status=(\d+)/;
    my ($after) = ($req->{query} // '') =~ /after=([\d.]+)/;
    sleep $after if $after;
    return send_split($c, http_head($status // 200, 'Content-Type' =>
        'text/html', 'Content-Length' => length $page) . $page);
});

my $surveys = '{ "version": 1, "surveys": [
    { "id": "nps", "metric": "nps", "question": "Recommend?" } ] }';

sub server {
    return <<"EOT";
        keepalive_requests 10000;
        cx_surveys surveys.json;
        location / { proxy_pass http://@{[ $origin->addr ]}; }
        location /cached/ {
            proxy_pass http://@{[ $origin->addr ]}; proxy_cache c;
        }
        location /static/ { try_files /a.html =404; }
        location /pay/ {
            cx_touchpoint pay; cx_stage buy; try_files /a.html =404;
        }
        location /gold/ { cx_segment gold; try_files /a.html =404; }
EOT
}

my %common = (redis => $redis, cx => 1, http => <<'EOT', server => server(),
    cx_queue flush=20ms;
    proxy_cache_path tmp/cache keys_zone=c:1m;
    proxy_cache_valid 200 1m;
EOT
    files => { 'conf/surveys.json' => $surveys, 'html/a.html' => $page });

my $ngx = $t->nginx(%common, servers => <<'EOT');
    server {
        listen 127.0.0.1:%%PORT:off%%;
        server_name offsite; root html; cx on; cx_visitor off;
        location /_cx/ { cx_endpoint; }
    }
EOT

my $n = 0;
sub agent { 'Mozilla/5.0 (X11; Linux x86_64) Visitor/' . ++$n }
sub view  { sprintf '%08x00112233', ++$n }

# a page, and when it was asked for
sub open_page {
    my ($agent, $path, %o) = @_;
    my $at = time;
    $ngx->get($path, 'User-Agent' => $agent, Accept => 'text/html', %o);
    return $at;
}

sub age { int((time - $_[0]) * 1000) }

# posts events; what is in the stream of them then
sub beacon {
    my ($agent, $page, %o) = @_;
    my $events = delete $o{events} // [{ type => 'leave' }];
    my %opt = %{delete $o{opt} // {}};
    my $site = delete $opt{site};
    my $nginx = delete $opt{ngx} // $ngx;
    $o{view} //= view();
    delete $o{view} if $o{view} eq '';
    my $end = 'end-' . ++$n;
    my $b = { v => 1, page => $page, %o, events => [@$events,
        { type => 'signal', name => 'js_error', count => 0,
          target => $end }] };
    my $r = $nginx->post('/_cx/events', $b, 'User-Agent' => $agent, %opt);
    is $r->{status}, 204, "$page: taken" or diag $r->{body};
    my ($last) = $redis->wait_events(1, site => $site,
        filter => sub { ($_[0]{target} // '') eq $end });
    my @all = $redis->wait_events(0, site => $site);
    return grep { $_->{type} ne 'view' && ($_->{target} // '') ne $end
                  && ($_->{source} // '') ne 'edge'
                  && $_->{visit} eq $last->{visit}
                  && $_->{ts} == $last->{ts} } @all;
}

sub leave { my @e = grep { $_->{type} eq 'leave' } beacon(@_); return $e[-1] }

sub views {
    my ($path, $count) = @_;
    return $redis->wait_events($count // 1, filter => sub {
        $_[0]{type} eq 'view' && $_[0]{page} eq $path });
}

my @server = qw(status request_ms first_ms upstream_ms cache);
sub joined {
    my ($event, $view, $name) = @_;
    is_deeply [@$event{'view_ts', @server}], [@$view{'ts', @server}],
        "$name: has the server's side of the view";
}
sub not_joined {
    my ($event, $name) = @_;
    is_deeply [@$event{'view_ts', @server}], [('') x (1 + @server)],
        "$name: not joined";
}

# the server's side, and when it is the first report
my $agent = agent();
my $view = view();
my $at = open_page($agent, '/first?status=203&after=0.12');
my $e = leave($agent, '/first', age => age($at), view => $view);
my ($v) = views('/first');
joined($e, $v, 'leave');
is $e->{status}, 203, 'status';
cmp_ok $e->{$_}, '>=', 115, "$_: $e->{$_}"
    for qw(first_ms upstream_ms request_ms);
is $e->{visit}, $v->{visit}, 'one visit';
is $e->{seen}, 1, 'seen';
is $e->{first}, 1, 'first report of this view';
$e = leave($agent, '/first', view => $view);
joined($e, $v, 'bound to this view id, without age');
is $e->{first}, '', 'not the first any more';
$e = leave($agent, '/first', view => $view, age => 20);
joined($e, $v, 'bound to this view id, whatever the age');
my @two = grep { $_->{type} eq 'leave' } beacon($agent, '/first',
    view => view(), age => age(open_page($agent, '/first')),
    events => [{ type => 'leave' }, { type => 'leave' }]);
is_deeply [map { $_->{first} } @two], [1, ''], 'one of two leaves is first';

# cache status, no upstream, segment
$agent = agent();
for my $cache ('MISS', 'HIT') {
    $at = open_page($agent, '/cached/a');
    $e = leave($agent, '/cached/a', age => age($at));
    is $e->{cache}, $cache, "cache: $cache";
    is $e->{upstream_ms} eq '', $cache eq 'HIT', "upstream_ms: $cache";
}
$at = open_page($agent, '/gold/');
$e = leave($agent, '/gold/', age => age($at));
is $e->{upstream_ms}, '', 'no upstream';
is $e->{segment}, 'gold', 'the segment of the visit';

# two tabs with the same page, told apart by their age
$agent = agent();
my $first = open_page($agent, '/tab?status=201');
sleep 0.3;
my $second = open_page($agent, '/tab?status=202');
my @tab = views('/tab', 2);
joined(leave($agent, '/tab', age => age($second)), $tab[1], 'second tab');
joined(leave($agent, '/tab', age => age($first)), $tab[0], 'first tab');
$e = leave($agent, '/tab', age => age($first));
not_joined($e, 'third tab, of which there is no view');
is $e->{first}, '', 'third tab: not a first one';
is $e->{seen}, 1, 'third tab: of a page that was served';

# what cannot be joined
$agent = agent();
$at = open_page($agent, '/here');
$e = leave($agent, '/here');
not_joined($e, 'by no request');
is $e->{seen}, 1, 'by no request: of a page that was served';
not_joined(leave($agent, '/here', age => 60_000), 'a minute older');
$e = leave($agent, '/never', age => age($at));
not_joined($e, 'a page never served');
is $e->{seen}, 0, 'a page never served: not seen';
($e) = beacon($agent, '/never', age => 5, events => [
    { type => 'signal', name => 'rage_click', count => 1 }]);
is_deeply [@$e{qw(source seen)}], ['browser', 0], 'nor is its signal';
($e) = beacon($agent, '/here', age => 5, events => [
    { type => 'signal', name => 'rage_click', count => 1 }]);
is $e->{seen}, 1, 'a signal on a page that was served';
is $e->{upstream_ms}, '', 'with no upstream of its own';
$e = leave(agent(), '/here', age => age($at));
not_joined($e, 'another visit');
is $e->{seen}, 0, 'another visit: not seen';
is $e->{signals}, '', 'another visit: no signals';
$e = leave($agent, '/here', age => age($at), view => '');
not_joined($e, 'without view id');
is $e->{seen}, 1, 'without view id: seen';

# the visit's signals so far, on all pages, with those of the beacon itself
$agent = agent();
open_page($agent, '/from');
open_page($agent, '/gone?status=404', Referer => 'http://localhost/from');
$at = open_page($agent, '/sig');
$e = leave($agent, '/sig', age => age($at), events => [
    { type => 'signal', name => 'rage_click', count => 2 },
    { type => 'signal', name => 'dead_click' }, { type => 'leave' }]);
is $e->{signals}, 'broken_link=1,rage_click=2,dead_click=1',
    'signals of the visit';
my $versions = $ngx->versions(paths => ['/_cx/surveys?page=/sig']);

# an answer with its version, and token
sub answer {
    my ($id) = @_;
    my $b = Test::Cx::Token::sign({ events => [ { type => 'answer',
        answer => $id, survey => 'nps', score => 3 } ] }, $versions);
    return ($b->{events}[0], token => $b->{token});
}
my ($answer, @token) = answer('a' x 16);
($e) = beacon($agent, '/sig', @token, age => age($at), events => [
    { type => 'signal', name => 'rage_click' }, $answer ]);
is $e->{type}, 'answer', 'an answer';
like $e->{signals}, qr/^broken_link=1,rage_click=3,dead_click=1(?:,|$)/,
    'answer: signals';
is_deeply [@$e{'view_ts', @server}], [('') x (1 + @server)],
    'answer: the view belongs to another view id';
$at = open_page($agent, '/asked?status=203&after=0.05');
($answer, @token) = answer('b' x 16);
($e) = beacon($agent, '/asked', @token, age => age($at),
              events => [ $answer ]);
joined($e, (views('/asked'))[0], 'answer');

# vitals are judged here: strictly above, once a view
sub judged {
    my ($agent, $page, $leave, %o) = @_;
    my @e = beacon($agent, $page, %o,
                   events => [{ type => 'leave', %$leave }]);
    return join ' ', map { "$_->{name}=$_->{value}" }
        grep { $_->{type} eq 'signal' } @e;
}
my @vitals = (
    [lcp_ms => 4000, 'late_paint'], [inp_ms => 500, 'unresponsive'],
    [cls_milli => 250, 'layout_shift'],
);
for (@vitals) {
    my ($field, $limit, $name) = @$_;
    $agent = agent();
    $view = view();
    $at = open_page($agent, "/$name");
    is judged($agent, "/$name", { $field => $limit }, age => age($at),
        view => $view), '', "$name: not at the threshold";
    is judged($agent, "/$name", { $field => $limit + 1 }, view => $view),
        "$name=" . ($limit + 1), "$name: above it";
    is judged($agent, "/$name", { $field => $limit + 9 }, view => $view), '',
        "$name: once a view";
    $e = leave($agent, "/$name", view => $view);
    is $e->{signals}, "$name=1", "$name: counts for the visit";
    is judged($agent, "/$name", { $field => $limit + 2 }),
        "$name=" . ($limit + 2), "$name: a view of no request";
    my ($s) = grep { $_->{name} } beacon($agent, "/$name",
        touchpoint => 'pay', stage => 'buy', view => $view = view(),
        age => age(open_page($agent, "/$name")),
        events => [{ type => 'leave', $field => $limit + 3 }]);
    is_deeply [@$s{qw(page touchpoint stage view source name count seen
                      target)}],
        ["/$name", 'pay', 'buy', $view, 'browser', $name, 1, 1, ''],
        "$name: where, and who says so";
    my $r = $ngx->post('/_cx/events', { v => 1, page => '/', events => [
        { type => 'signal', name => $name }] });
    is $r->{status}, 400, "$name: no beacon may name it";
    is json($r->{body})->{error}, 'bad_value', "$name: why";
}
is judged($agent, '/never', { map { $_->[0] => 99999 } @vitals }),
    'unresponsive=99999 late_paint=99999 layout_shift=99999',
    'all of them at once';

# way back from the back-forward cache: on the page in between
$agent = agent();
open_page($agent, '/pay/a');
sleep 0.1;
open_page($agent, '/pay/b');
sleep 0.2;
my @back = ({ type => 'signal', name => 'quick_back', value => 205,
              target => 'made up' });
($e) = beacon($agent, '/pay/a', touchpoint => 'other', stage => 'other',
              events => \@back);
is_deeply [@$e{qw(page target touchpoint stage view seen value)}],
    ['/pay/b', '/pay/a', 'pay', 'buy', '', 1, 205],
    'quick_back: on the page between, by its place';
$agent = agent();
open_page($agent, '/pay/a');
sleep 0.2;
($e) = beacon($agent, '/pay/a', touchpoint => 'pay', events => [
    { type => 'signal', name => 'quick_back', value => 100 }]);
is_deeply [@$e{qw(page target touchpoint seen)}], ['/pay/a', '', 'pay', 1],
    'quick_back from elsewhere: stays';

# a page fetched ahead is a view once it is shown
for my $how (['Sec-Purpose' => 'prefetch'],
             ['Sec-Purpose' => 'prefetch;prerender']) {
    my $name = $how->[1] =~ /prerender/ ? 'prerender' : 'prefetch';
    $agent = agent();
    $at = open_page($agent, "/$name?status=203&after=0.05", @$how);
    open_page($agent, "/$name-unseen", @$how);
    my $shown = $ngx->counter('views_shown') // 0;
    my $views = $ngx->counter('views');
    $view = view();
    $e = leave($agent, "/$name", age => age($at), view => $view);
    my @v = views("/$name");
    is scalar @v, 1, "$name: a view when it is shown";
    is_deeply [@{$v[0]}{qw(method status bytes ref view cache)}],
        ['GET', 203, '', '', '', ''], "$name: as remembered";
    cmp_ok $v[0]{first_ms}, '>=', 45, "$name: its times";
    is $v[0]{visit}, $e->{visit}, "$name: its visit";
    joined($e, $v[0], $name);
    is_deeply [@$e{qw(first seen)}], [1, 1], "$name: joined";
    $e = leave($agent, "/$name", view => $view);
    is $e->{first}, '', "$name: reports again";
    is scalar(views("/$name")), 1, "$name: one view only";
    is scalar(views("/$name-unseen", 0)), 0, "$name: none if never shown";
    is $ngx->counter('views_shown') - $shown, 1, "$name: counted as shown";
    is $ngx->counter('views') - $views, 1, "$name: counted as a view";
}
my ($order) = grep { $_->{page} eq '/prerender' } $redis->events;
is $order->{type}, 'view', 'the view comes first';

# where visits are not told apart
my %off = (site => 'offsite', port => $ngx->port('off'), Host => 'offsite');
$ngx->get('/a.html', %off{'port', 'Host'});
$e = leave(agent(), '/a.html', age => 10, opt => { %off });
is_deeply [@$e{qw(visit seen first signals)}], [('') x 4],
    'cx_visitor off: nothing is known';
not_joined($e, 'cx_visitor off');

# counted
my %joined = map { $_ => $ngx->counter('beacons_joined', $_) } qw(yes no);
$agent = agent();
$at = open_page($agent, '/counted');
leave($agent, '/counted', age => age($at));
leave($agent, '/uncounted');
is $ngx->counter('beacons_joined', $_) - $joined{$_}, 1, "counted: $_"
    for qw(yes no);

# a restart forgets
$agent = agent();
$at = open_page($agent, '/before');
$ngx->reload;
$view = view();
joined(leave($agent, '/before', age => age($at), view => $view),
       (views('/before'))[0], 'a reload forgets nothing');
$ngx->quit;
is scalar($ngx->alerts), 0, 'no alert before the restart';
unlink $ngx->dir . '/logs/error.log';
$ngx->start;
$e = leave($agent, '/before', age => age($at), view => $view);
not_joined($e, 'a restart');
is_deeply [@$e{qw(seen first signals)}], [0, '', ''], 'a restart: not seen';

# thresholds of one's own
my $own = $t->nginx(%common, http => "cx_thresholds own.conf;\n$common{http}",
    files => { %{$common{files}}, 'conf/own.conf' =>
        "late_paint_ms 2500\nunresponsive_ms 200 # good\n" });
$agent = agent();
$ngx = $own;
is judged($agent, '/own', { lcp_ms => 2500, inp_ms => 200, cls_milli => 250 }),
    '', 'own thresholds: not at them';
is judged($agent, '/own', { lcp_ms => 2501, inp_ms => 201, cls_milli => 250 }),
    'unresponsive=201 late_paint=2501', 'own thresholds: above them';

# reports keep a visit alive, and do not bring it back
my $clock = Test::Cx::Visit->new($t);
($ngx, $redis) = ($clock->nginx, $clock->redis);
$agent = agent();
$view = view();
open_page($agent, '/long');
for (1 .. 3) {
    $clock->pass(29 * 60_000);
    $e = leave($agent, '/long', view => $view,
               $_ == 1 ? (age => 29 * 60_000) : ());
    is $e->{seen}, 1, "reports keep a visit alive ($_)";
    like $e->{view_ts}, qr/^\d+$/, "and are joined ($_)";
}
$clock->pass(30 * 60_000 + 1000);
for (1, 2) {
    $e = leave($agent, '/long', view => $view);
    is $e->{seen}, 0, "an ended visit stays so ($_)";
    not_joined($e, "an ended visit ($_)");
}

$t->done;
