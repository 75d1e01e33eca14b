#!/usr/bin/perl

# POST <prefix>events: what is taken reaches the stream as sent, what is not is
# refused with its reason, however the body arrives.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;

my $surveys = <<'EOT';
{ "version": 1, "surveys": [
  { "id": "nps", "metric": "nps", "question": "Recommend?",
    "follow_up": { "any": "Why?" } },
  { "id": "csat", "metric": "csat", "question": "Happy?" },
  { "id": "ces", "metric": "ces", "question": "Easy?",
    "follow_up": { "any": "Why?" } },
  { "id": "psat", "metric": "psat", "question": "Good?" }
] }
EOT
my $ngx = $t->nginx(redis => $redis, cx => 1,
    http => "cx_queue flush=20ms;\n",
    server => 'cx_surveys surveys.json; keepalive_requests 100000; '
        . 'cx_segment $http_x_segment; cx_ignore $http_x_own;',
    servers => <<'EOT',
    server {
        listen 127.0.0.1:%%PORT:h2%% http2;
        server_name localhost; root html; cx on;
        location /_cx/ { cx_endpoint; }
    }
    server {
        listen 127.0.0.1:%%PORT:tiny%%;
        server_name localhost; root html; cx on;
        location /_cx/ { cx_endpoint; client_body_buffer_size 1k; }
    }
    server {
        listen 127.0.0.1:%%PORT:file%%;
        server_name localhost; root html; cx on;
        location /_cx/ { cx_endpoint; client_body_in_file_only clean; }
    }
EOT
    files => { 'conf/surveys.json' => $surveys,
               'html/a.html' => '<!doctype html><html><head>' });
my $port = $ngx->port;
my $c = $ngx->connect(port => $port);
my $view = '0123456789abcdef';
my $serial = 0;

sub post {
    my ($body, %o) = @_;
    my $r = $c->post('/_cx/events', $body, %o);
    $c = $ngx->connect(port => $port) if $r->{eof} || !$r->{complete};
    return $r;
}

# a beacon of these events
sub beacon { { v => 1, page => '/a.html', view => $view, events => [@_] } }

# a signal event with a mark, and the mark
sub marked {
    my $mark = 'm' . ++$serial;
    return ({ type => 'signal', name => 'js_error', target => $mark }, $mark);
}

sub taken {
    my ($name, $mark) = @_;
    my @e = $redis->wait_events(1, seconds => 2,
        filter => sub { ($_[0]{target} // '') eq $mark });
    is scalar @e, 1, "$name: in the stream, once";
    return $e[0];
}

# the visitor has been here, with a segment
$ngx->get('/a.html', port => $port, 'X-Segment' => 'gold');
my ($page) = $redis->wait_events(1);
my $versions = $ngx->versions(paths => ['/_cx/surveys?page=/a.html'],
                              port => $port);
my $sign = \&Test::Cx::Token::sign;

# each type with all its fields
my $start = time;
my %full = (
    signal => { name => 'rage_click', count => 4, target => 'button#pay',
                value => 7 },
    leave => { visible_ms => 1234, scroll_pct => 80, lcp_ms => 900,
               inp_ms => 45, cls_milli => 12 },
    shown => { survey => 'nps', trigger => 'scroll', chance => 5000,
               dry => 1 },
    dismiss => { survey => 'nps', how => 'never' },
    start => { survey => 'nps' },
    answer => { answer => 'aaaaaaaaaaaaaaaa', survey => 'ces', score => 7,
                text => "line one\nline \xe4\xbd\xa0 two", lang => 'de-AT',
                done => 1, source => 'asked', trigger => 'delay', chance => 10000 },
);
my $all = { v => 1, page => '/a.html', view => $view, touchpoint => 'pay',
            stage => 'buy', events => [
    map { { type => $_, %{$full{$_}} } } sort keys %full ] };
$sign->($all, $versions);
$all->{events}[0]{text} = "line one\nline \x{4f60} two";
is post($all)->{status}, 204, 'all types, all fields';
my @got = $redis->wait_events(6,
    filter => sub { ($_[0]{touchpoint} // '') eq 'pay' });
is join(' ', map { $_->{type} } @got), 'answer dismiss leave shown signal start',
    'in the order they were sent';
my @server = qw(view_ts status request_ms first_ms upstream_ms cache signals);
my %order = (
    signal => [qw(source name count target value upstream_ms seen)],
    leave => [qw(visible_ms scroll_pct lcp_ms inp_ms cls_milli seen first),
              @server],
    shown => [qw(survey version trigger chance dry)],
    start => [qw(survey version)],
    dismiss => [qw(survey version how)],
    answer => [qw(answer survey version metric score choice text done lang
                  source trigger chance), @server],
);
my %raw = map { my %h = @{$_->[1]}; ($h{type} => $_->[1]) }
    @{$redis->cmd('XRANGE', 'cx:{localhost}:events', '-', '+')};
for my $e (@got) {
    my $type = $e->{type};
    is $e->{$_}, $full{$type}{$_}, "$type: $_" for sort keys %{$full{$type}};
    is_deeply [@$e{qw(page view touchpoint stage segment visit)}],
        ['/a.html', $view, 'pay', 'buy', 'gold', $page->{visit}],
        "$type: what it belongs to";
    cmp_ok abs($e->{ts} / 1000 - $start), '<', 3, "$type: ts";
    is_deeply [map { $raw{$type}[2 * $_] } 0 .. $#{$raw{$type}} / 2],
        [qw(type ts page visit touchpoint stage segment view),
         @{$order{$type}}], "$type: fields in order";
}
my %of = map { $_->{type} => $_ } @got;
is $of{answer}{metric}, 'ces', 'the metric is that of the survey';
is $of{signal}{source}, 'browser', 'a signal says who saw it';
is $of{$_}{seen}, 1, "$_: the page was served to this visit"
    for qw(signal leave);
is $of{$_}{signals}, 'rage_click=4', "$_: signals of the visit"
    for qw(leave answer);

# what may be left out
my ($event, $mark) = marked();
post($sign->(beacon($event, { type => 'leave' },
                    { type => 'shown', survey => 'nps' }), $versions));
my $e = taken('least', $mark);
is $e->{$_}, '', "no $_" for qw(touchpoint stage count value);
($event, $mark) = marked();
is post({ v => 1, path => '/orders/8123/?x=1', events => [$event] })->{status},
    204, 'path';
is taken('path', $mark)->{page}, '/orders/:id/', 'a path is folded';
($event, $mark) = marked();
post({ v => 1, page => '/orders/8123', events => [$event] });
is taken('page', $mark)->{page}, '/orders/8123', 'a page key is kept';

# answers
sub answer {
    my (%o) = @_;
    my $b = beacon({ type => 'answer', survey => 'nps', score => 9,
                     answer => sprintf('%016x', ++$serial), %o });
    return $sign->($b, $versions);
}
my $b = answer(text => 'mail joe.doe@example.com or call +43 660 1234567, '
               . 'card 4111 1111 1111 1111, order 12345');
is post($b)->{status}, 204, 'answer';
my ($a) = $redis->wait_events(1,
    filter => sub { ($_[0]{answer} // '') eq $b->{events}[0]{answer} });
is $a->{text}, 'mail [email] or call [phone], card [card], order 12345',
    'personal data is masked';
for (['nps', 0, 10, 11], ['csat', 1, 5, 6], ['csat', 1, 5, 0],
     ['ces', 1, 7, 8], ['ces', 1, 7, 0], ['psat', 0, 1, 2]) {
    my ($survey, $low, $high, $bad) = @$_;
    is post(answer(survey => $survey, score => $_))->{status}, 204,
        "$survey $_" for $low, $high;
    my $r = post(answer(survey => $survey, score => $bad));
    is $r->{status}, 400, "$survey $bad";
    is json($r->{body})->{field}, 'score', "$survey $bad: says which field";
}

# refusals: body, status, error, event, field
sub with { my ($e) = marked(); return { %$e, @_ } }
my $good = with();
my @bad = (
    ['no JSON', 'hello', 400, 'bad_json'],
    ['empty', '', 400, 'bad_json'],
    ['cut JSON', '{"v":1,"page":"/a","events":[', 400, 'bad_json'],
    ['two values', '{"v":1}{}', 400, 'bad_json'],
    ['doubled key', '{"v":1,"v":1,"page":"/a","events":[{"type":"leave"}]}',
     400, 'bad_json'],
    ['no UTF-8', qq({"v":1,"page":"/\xff","events":[{"type":"leave"}]}), 400,
     'bad_json'],
    ['NUL', '{"v":1,"page":"/\u0000","events":[{"type":"leave"}]}', 400,
     'bad_json'],
    ['an array', '[]', 400, 'bad_shape'],
    ['a number', '1', 400, qr/bad_shape|bad_json/],
    ['deep', '[' x 5000, 400, qr/bad_shape|bad_json/],
    ['many', '{"v":1,"page":"/","events":[' . '[],' x 1000 . '1]}', 400,
     'bad_count'],
    ['no version', '{"page":"/a","events":[{"type":"leave"}]}', 400,
     'bad_shape', undef, 'v'],
    ['version 2', { %{beacon($good)}, v => 2 }, 400, 'unknown_version', undef,
     'v'],
    ['no page', { v => 1, events => [$good] }, 400, 'missing_field', undef,
     'page'],
    ['page and path', { %{beacon($good)}, path => '/a' }, 400,
     'unknown_field', undef, 'path'],
    ['unknown beside', { %{beacon($good)}, colour => 'red' }, 400,
     'unknown_field', undef, 'colour'],
    ['page too long', { %{beacon($good)}, page => '/' x 201 }, 400,
     'bad_value', undef, 'page'],
    ['bad view', { %{beacon($good)}, view => 'XYZ' }, 400, 'bad_value', undef,
     'view'],
    ['bad touchpoint', { %{beacon($good)}, touchpoint => 'a b' }, 400,
     'bad_value', undef, 'touchpoint'],
    ['no events', { v => 1, page => '/a' }, 400, qr/missing_field|bad_shape|bad_count/,
     undef, 'events'],
    ['no event', beacon(), 400, 'bad_count', undef, 'events'],
    ['101 events', beacon(map { with() } 1 .. 101), 400, 'bad_count', undef,
     'events'],
    ['events no list', { %{beacon($good)}, events => {} }, 400,
     qr/bad_shape|bad_value/, undef, 'events'],
    ['event no object', beacon($good, 1), 400, qr/bad_shape|bad_value/, 1],
    ['no type', beacon($good, { name => 'js_error' }), 400, 'missing_field',
     1, 'type'],
    ['unknown type', beacon($good, $good, { type => 'click' }), 400,
     'unknown_type', 2],
    ['type of the edge', beacon({ type => 'view' }), 400, 'unknown_type', 0],
    ['unknown field', beacon($good, $good, with(foo => 1)), 400,
     'unknown_field', 2, 'foo'],
    ['field of the edge', beacon(with(ts => 1)), 400, 'unknown_field', 0,
     'ts'],
    ['field of another type', beacon(with(score => 1)), 400, 'unknown_field',
     0, 'score'],
    ['visit from outside', beacon(with(visit => '0' x 16)), 400,
     'unknown_field', 0, 'visit'],
    ['missing field', beacon({ type => 'signal' }), 400, 'missing_field', 0,
     'name'],
    ['signal of the edge', beacon(with(name => 'error_page')), 400,
     'bad_value', 0, 'name'],
    ['unknown signal', beacon(with(name => 'angry_click')), 400, 'bad_value',
     0, 'name'],
    ['a vital, which the edge judges', beacon(with(name => 'unresponsive')),
     400, 'bad_value', 0, 'name'],
    ['who saw it', beacon({ type => 'leave', seen => 1 }), 400,
     'unknown_field', 0, 'seen'],
    ['first leave', beacon({ type => 'leave', first => 1 }), 400,
     'unknown_field', 0, 'first'],
    ['status of the view', beacon({ type => 'leave', status => 200 }), 400,
     'unknown_field', 0, 'status'],
    ['signals of the visit', answer(signals => 'rage_click=1'), 400,
     'unknown_field', 0, 'signals'],
    ['negative age', { %{beacon($good)}, age => -1 }, 400, 'bad_value', undef,
     'age'],
    ['age of more than a day', { %{beacon($good)}, age => 86400001 }, 400,
     'bad_value', undef, 'age'],
    ['age as text', { %{beacon($good)}, age => '5' }, 400, 'bad_value', undef,
     'age'],
    ['age in fractions', { %{beacon($good)}, age => 1.5 }, 400, 'bad_value',
     undef, 'age'],
    ['count too large', beacon(with(count => 1001)), 400, 'bad_value', 0,
     'count'],
    ['negative', beacon(with(count => -1)), 400, 'bad_value', 0, 'count'],
    ['fraction', beacon(with(count => 1.5)), 400, 'bad_value', 0, 'count'],
    ['string for number', beacon(with(count => '3')), 400, 'bad_value', 0,
     'count'],
    ['number for string', beacon(with(target => 3)), 400, 'bad_value', 0,
     'target'],
    ['null', beacon(with(target => undef)), 400, 'bad_value', 0, 'target'],
    ['control character', beacon(with(target => "a\tb")), 400, 'bad_value', 0,
     'target'],
    ['line feed in a line', beacon(with(target => "a\nb")), 400, 'bad_value',
     0, 'target'],
    ['target too long', beacon(with(target => 'x' x 201)), 400, 'bad_value',
     0, 'target'],
    ['text too long', answer(text => 'x' x 2001), 400, 'bad_value', 0, 'text'],
    ['huge integer', '{"v":1,"page":"/","events":[{"type":"leave",'
     . '"lcp_ms":99999999999999999999999}]}', 400, qr/bad_\w+/],
);
my $before = grep { $_->{type} ne 'refused' } $redis->events;
for (@bad) {
    my ($name, $body, $status, $error, $event, $field) = @$_;
    my $r = post($body);
    is $r->{status}, $status, "$name: status";
    like $r->{body}, qr/\A\{[^\n]+\}\n\z/, "$name: one line";
    my $json = json($r->{body}) // {};
    like $json->{error} // '', qr/^(?:$error)$/, "$name: error";
    is $json->{event}, $event, "$name: event" if defined $event;
    is $json->{field}, $field, "$name: field" if defined $field;
}
# tokens and surveys
for (['no token', sub { undef }], ['a token made up', sub { 'x' x 42 }],
     ['a token changed', sub { s/(.)$/$1 eq 'a' ? 'b' : 'a'/er }],
     ['a token of later', sub { s/^./f/r }]) {
    my $b = answer();
    my $change = $_->[1];
    ($b->{token}) = map { $change->() } $b->{token};
    delete $b->{token} if !defined $b->{token};
    my $r = post($b);
    like $r->{status}, qr/^40[03]$/, "$_->[0]: refused";
    like json($r->{body})->{error} // $r->{body}, qr/token|missing/,
        "$_->[0]: why";
}
my $r = post(answer(survey => 'nope'));
is $r->{status}, 400, 'unknown survey';
like $r->{body}, qr/survey/, 'unknown survey: why';
sleep 0.2;
is scalar(grep { $_->{type} ne 'refused' } $redis->events), $before,
    'nothing of a refused beacon is recorded';

# types of content
for ('text/plain', 'text/plain;charset=UTF-8', 'application/json',
     'Application/JSON; charset=utf-8') {
    ($event, $mark) = marked();
    is post(beacon($event), 'Content-Type' => $_)->{status}, 204, $_;
    taken($_, $mark);
}
for ('application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
     'application/jsonx', 'text/html', 'text', undef) {
    $r = post(beacon($good), 'Content-Type' => $_);
    is $r->{status}, 415, 'type ' . ($_ // 'missing');
    ok json($r->{body})->{error}, 'and why';
}

# sizes
my $body = Test::Cx::Http::encode(beacon($good));
is post($body . ' ' x (65536 - length $body))->{status}, 204, '64 KiB';
$r = post($body . ' ' x (65537 - length $body));
is $r->{status}, 413, 'one more';
is json($r->{body})->{error}, 'size', 'one more: why';
$c = $ngx->connect;
$r = post('x', 'Content-Length' => 1_000_000_000);
is $r->{status}, 413, 'said to be huge: refused at once';
$c = $ngx->connect;
is post(beacon(map { with() } 1 .. 100))->{status}, 204, '100 events';

# ways a body arrives
sub raw_post {
    my ($port, $headers, @pieces) = @_;
    my $c = $ngx->connect(port => $port);
    $c->send("POST /_cx/events HTTP/1.1\r\nHost: localhost\r\n"
        . "User-Agent: Mozilla/5.0 Raw\r\nContent-Type: text/plain\r\n"
        . "$headers\r\n\r\n");
    for (@pieces) { sleep 0.01; $c->send($_) }
    return ($c->response, $c);
}

sub arrives {
    my ($name, $port, $way) = @_;
    my ($event, $mark) = marked();
    my $body = Test::Cx::Http::encode(beacon($event, map { with() } 1 .. 30));
    my ($r, $c) = $way->($port, $body);
    is $r->{status}, 204, "$name: taken";
    taken($name, $mark);
    is $c->post('/_cx/events', beacon(with()))->{status}, 204, "$name: kept"
        if $c;
}

my %way = (
    'at once' => sub {
        my ($port, $body) = @_;
        raw_post($port, 'Content-Length: ' . length $body, $body);
    },
    'in packets' => sub {
        my ($port, $body) = @_;
        raw_post($port, 'Content-Length: ' . length $body,
                 unpack '(a300)*', $body);
    },
    'chunked' => sub {
        my ($port, $body) = @_;
        raw_post($port, 'Transfer-Encoding: chunked',
            (map { sprintf "%x\r\n%s\r\n", length $_, $_ }
             unpack '(a500)*', $body), "0\r\n\r\n");
    },
    'chunked, at once' => sub {
        my ($port, $body) = @_;
        raw_post($port, 'Transfer-Encoding: chunked', join '',
            (map { sprintf "%x\r\n%s\r\n", length $_, $_ }
             unpack '(a7)*', $body), "0\r\n\r\n");
    },
);
for my $where ('', 'tiny', 'file') {
    arrives("$_, $where", $ngx->port($where), $way{$_}) for sort keys %way;
}
my ($big) = raw_post($port, 'Transfer-Encoding: chunked',
    map { sprintf "%x\r\n%s\r\n", length $_, $_ } (' ' x 10000) x 7, '');
is $big->{status}, 413, 'chunked and too large';
($event, $mark) = marked();
$body = Test::Cx::Http::encode(beacon($event));
my $x = $ngx->connect(port => $port);
$x->send("POST /_cx/events HTTP/1.1\r\nHost: localhost\r\n"
    . "User-Agent: Mozilla/5.0 Raw\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\n"
    . 'Content-Length: ' . length($body) . "\r\n\r\n");
sleep 0.05;
$x->send($body);
is $x->response->{status}, 204, 'Expect: 100-continue';
taken('Expect: 100-continue', $mark);
($event, $mark) = marked();
is $ngx->h2('/_cx/events', port => $ngx->port('h2'),
    'Content-Type' => 'text/plain',
    body => Test::Cx::Http::encode(beacon($event)))->{status}, 204, 'HTTP/2';
taken('HTTP/2', $mark);

# many at once on one connection
my @marks;
my $many = '';
for (1 .. 20) {
    my ($event, $mark) = marked();
    push @marks, $mark;
    $many .= Test::Cx::Http::build('/_cx/events', 'Content-Type' =>
        'text/plain', body => Test::Cx::Http::encode(beacon($event)));
}
$c->send($many);
is join(' ', map { $c->response->{status} } 1 .. 20), join(' ', (204) x 20),
    'pipelined';
taken('pipelined', $_) for @marks[0, 19];

# who is not to be recorded
$before = $ngx->counter('beacons_ignored');
($event, $mark) = marked();
my @unwanted = (
    [privacy => 'Sec-GPC' => 1], [privacy => DNT => 1],
    [bot => 'User-Agent' => 'Googlebot/2.1'],
    [health_check => 'User-Agent' => 'kube-probe/1.27'],
    [opt_out => Cookie => 'cx_opt_out=1'], [cx_ignore => 'X-Own' => 'yes'],
);
for (@unwanted) {
    my ($reason, @headers) = @$_;
    my $had = $ngx->counter('beacons_ignored', $reason);
    is post(beacon($event), @headers)->{status}, 204, "@headers: 204";
    is $ngx->counter('beacons_ignored', $reason) - $had, 1,
        "@headers: counted as $reason";
}
is $ngx->counter('beacons_ignored') - $before, scalar @unwanted,
    'ignored and counted';
($event, $mark) = marked();
is post(beacon($event), 'X-Own' => '0')->{status}, 204, 'cx_ignore 0: taken';
taken('cx_ignore 0', $mark);
($event, $mark) = marked();
post(beacon($event), Cookie => 'cx_opt_out=1');
post(beacon(my $last = with()));
taken('last', $last->{target});
is scalar(grep { ($_->{target} // '') eq $mark } $redis->events), 0,
    'not recorded';

# whatever comes, it is never a 5xx
srand 1;
my $template = Test::Cx::Http::encode(answer(text => 'x', lang => 'de'));
my %seen;
my @odd = ('[', '{', '"', '\\', '}', ']', ',', ':', '1e999', '\ud800');
my ($pid) = $ngx->workers;
for (1 .. 1500) {
    my $text = $template;
    for (0 .. rand 3) {
        my $at = int rand length $text;
        my $what = int rand 4;
        if ($what == 0) { substr($text, $at, 1) = chr int rand 256 }
        elsif ($what == 1) { substr($text, $at, int rand 20) = '' }
        elsif ($what == 2) { substr($text, $at, 0) = substr $text, 0, $at }
        else { substr($text, $at, 0) = $odd[rand @odd] }
    }
    $seen{post($text)->{status}}++;
}
is join(' ', grep { !/^(?:204|40[03])$/ } sort keys %seen), '',
    'broken beacons: no other status';
is(($ngx->workers)[0], $pid, 'broken beacons: the worker lives');

$t->done;
