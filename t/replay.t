#!/usr/bin/perl

# cxctl replay finds in an access log what the module told of the same
# requests, and takes whatever else a log may be made of.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Visit;

my $t = Test::Cx->new;
my $n = 0;

sub file { write_file($t->dir . '/log' . ++$n, $_[0]) }

# (JSON, exit status, what it said) of logs by name
sub replay_files {
    my ($status, $out, $err) = $t->ctl('replay', '--json', '--limit', 0, @_);
    return ($out =~ /^\{/ ? json($out) : undef, $status, $err);
}

sub replay {
    my ($text, @options) = @_;
    my ($j, $status, $err) = replay_files(file($text), @options);
    is $err, '', 'quiet' if $err ne '';
    return wantarray ? ($j, $status) : $j;
}

# "name count[/visits]" of a page
sub told {
    my ($j, $page) = @_;
    my ($row) = grep { $_->{page} eq $page } @{$j->{pages}};
    return $row ? [map { my $s = $row->{signals}{$_};
                         "$_ $s->{count}" . ($s->{visits} != $s->{count}
                                             ? "/$s->{visits}" : '') }
                   sort keys %{$row->{signals}}] : undef;
}

sub views {
    my ($j) = @_;
    return { map { $_->{page} => $_->{views} } @{$j->{pages}} };
}

# ---- the same requests by the module and by its log ----

my %json = map { $_ => "\$$_" } qw(msec time_iso8601 remote_addr request status
    http_referer http_user_agent request_time upstream_response_time
    http_content_length http_sec_fetch_dest http_sec_fetch_user
    http_sec_fetch_site http_sec_purpose sent_http_content_type host cx_page
    limit_req_status limit_conn_status);
my $json = join ',', map { qq("$_":"$json{$_}") } sort keys %json;
my $e = Test::Cx::Visit->new($t, http => <<"EOT", server => <<'EOT');
    limit_req_zone \$http_x_visitor zone=often:1m rate=1r/m;
    log_format all escape=json '{$json}';
    log_format plain escape=json '{"time":0,"msec":"\$msec","remote_addr":'
        '"\$remote_addr","request_method":"\$request_method","request_uri":'
        '"\$request_uri","status":\$status,"http_user_agent":'
        '"\$http_user_agent","request_time":\$request_time}';
    log_format times '\$remote_addr - \$remote_user [\$time_local] "\$request" '
        '\$status \$body_bytes_sent "\$http_referer" "\$http_user_agent" '
        '\$request_time \$upstream_response_time';
    log_format named '\$remote_addr - \$remote_user [\$time_local] "\$request" '
        '\$status \$body_bytes_sent "\$http_referer" "\$http_user_agent" '
        '"\$http_x_forwarded_for" rt=\$request_time urt="\$upstream_response_time"';
    access_log logs/all.log all;
    access_log logs/plain.log plain;
    access_log logs/times.log times;
    access_log logs/named.log named;
    access_log logs/combined.log combined;
EOT
        location /form/ { cx_role form; proxy_pass http://%%ORIGIN%%; }
        location /find/ { cx_role search=q; proxy_pass http://%%ORIGIN%%; }
        location /help/ { cx_role help; proxy_pass http://%%ORIGIN%%; }
        location /often/ { limit_req zone=often; proxy_pass http://%%ORIGIN%%; }
        location /named/ { cx_page /one-name; proxy_pass http://%%ORIGIN%%; }
EOT

# a second passes before each: what a log of seconds can tell, too
sub later {
    my ($v, $code) = @_;
    $v->pass(1500);
    return $code->($v);
}

sub asks {
    my @steps = @_;
    return sub {
        my ($v) = @_;
        for my $step (@steps) {
            later($v, ref $step ? $step : sub { $_[0]->open($step) });
        }
    };
}

sub open_as { my @o = @_; return sub { $_[0]->open(@o) } }
sub post_as { my @o = @_; return sub { $_[0]->post(@o) } }
sub wait_as { my @o = @_; return sub { $_[0]->give_up(@o) } }

my @visits = (
    asks('/', '/x?a=1', open_as('/broken', do => 'status=500'), '/named/a'),
    asks('/a', open_as('/gone/81', ref => '/a?x=1', do => 'status=404')),
    asks('/a', sub { $_[0]->asset('/x.png', 'image', ref => '/a',
                                  do => 'status=404') }),
    asks(open_as('/slow', do => 'after=801')),
    asks(open_as('/slow', do => 'after=3301')),
    asks(wait_as('/wait', 2000), open_as('/else')),
    asks(wait_as('/wait', 2000), '/wait'),
    asks(('/reload?q=1') x 3),
    asks('/a', '/b', '/a'),
    asks(map { my $p = $_; sub { $_[0]->pass(15_000); $_[0]->open($p) } }
         '/a', '/b', '/a', '/b'),
    asks((post_as('/post', 'a=b', do => 'status=422')) x 2),
    asks((post_as('/post2', 'a=b')) x 2),
    asks('/form/8123'),
    asks('/form/', post_as('/form/', 'a=b', do => 'status=303 to=/done')),
    asks(map { "/find/?q=$_" } 'red', '%72%65d', 'Red+shoes', 'boots'),
    asks(map { open_as("/private/$_", do => 'status=403') } 1 .. 3),
    asks(map { my $i = $_; sub { $_[0]->open("/r/$i",
             do => 'status=302 to=/r/' . ($i + 1)) } } 1 .. 4),
    asks('/often/a', '/often/b'),
    asks(open_as('/limited', do => 'status=429')),
    asks(open_as('/broken', do => 'status=503'), '/help/me'),
    asks(open_as('/again', do => 'status=500'), '/x',
         open_as('/again', do => 'status=500')),
    asks(open_as('/data', do => 'type=application/json'),
         open_as('/file.pdf', do => 'type=application/pdf'),
         open_as('/soon', 'Sec-Purpose' => 'prefetch'),
         sub { $_[0]->asset('/fine.png', 'image',
                            do => 'type=image/png') },
         open_as('/utf8/%C3%A9/"%20x', do => 'status=410'),
         open_as('/auto', 'Sec-Fetch-User' => undef),
         open_as('/auto', 'Sec-Fetch-User' => undef),
         open_as('/auto', 'Sec-Fetch-User' => undef)),
);
my @chain = grep { $_ } map { $e->visit('a visit', $_) } @visits;
$e->nginx->get('/bot', 'User-Agent' => 'Mozilla/5.0 (compatible; Googlebot/2.1;'
    . ' +http://www.google.com/bot.html)');
$e->nginx->get('/again', 'User-Agent' => 'Mozilla/5.0 old "one"',
               'X-Do' => 'status=500');

# redirects are followed at once
my $hop = $e->visitor('redirects');
$hop->open("/hop/$_", do => 'status=302 to=/hop/' . ($_ + 1)) for 1 .. 4;
$hop->open('/hop/5');

# all visits end
$e->pass(1_801_000);
wait_for { $e->nginx->counter('signals', 'form_abandon') == 1 } 5;
my (%seen, %module, %visits);
for my $ev ($e->events) {
    $visits{$ev->{visit}} = 1;
    next if $ev->{page} =~ /^\/end-of-events/;
    utf8::decode($ev->{page});
    $module{views}{$ev->{page}}++ if $ev->{type} eq 'view';
    next if $ev->{type} ne 'signal';
    $module{signals}{$ev->{page}}{$ev->{name}} += $ev->{count};
    $seen{$ev->{name}}++;
}

# all that the edge alone sees
my @edge = map { $_->{name} }
    grep { $_->{seen_by}[0] eq 'edge' }
    @{json(($t->ctl('signals', '--json'))[1])->{signals}};
is_deeply [sort keys %seen], [sort @edge], 'each signal of the edge was told';
my @roles = ('--form', '/form/*', '--search', '/find/*:q', '--help-page',
             '/help/*');

sub of_log {
    my ($name, @options) = @_;
    my ($j, $status, $err) = replay_files(
        $e->nginx->{dir} . "/logs/$name.log", @options);
    is $status, 0, "$name: exit status";
    is $err, '', 'quiet';
    my %got;
    for my $row (@{$j->{pages}}) {
        next if $row->{page} =~ /^\/end-of-events/;
        $got{views}{$row->{page}} = $row->{views} if $row->{views};
        $got{signals}{$row->{page}}{$_} = $row->{signals}{$_}{count}
            for keys %{$row->{signals}};
    }
    return (\%got, $j);
}

my ($got, $j) = of_log('all', @roles);
is_deeply $got, \%module, 'JSON with all fields: as the module told';
is_deeply [@{$j->{lines}}{qw(not_understood bots prefetched)}], [0, 1, 1],
    'lines';
is_deeply [sort keys %{$j->{judged_coarsely}}], ['slow_page'],
    'only upstream_header_time is missing';
is scalar(grep { $_ ne 'slow_page' && exists $j->{not_judged}{$_} } @edge), 0,
    'all are judged';
is $j->{visits}, 1 + keys %visits, 'visits, and one of redirects only';

# without roles, and with all that is not in the line's format
($got) = of_log('all');
delete $_->{help_seek}, delete $_->{search_refine}, delete $_->{form_abandon}
    for values %{$module{signals}};
%{$module{signals}} = map { %{$module{signals}{$_}}
                            ? ($_ => $module{signals}{$_}) : () }
    keys %{$module{signals}};
is_deeply $got, \%module, 'JSON without roles';
for my $name ('times', 'named') {
    my %want = (signals => { %{$module{signals}} });
    delete $want{signals}{$_} for '/r/1', '/post2', '/often/b';
    my ($got, $j) = of_log($name, '--ignore', '/data', '--ignore', '/auto',
                           '--ignore', '/named/*', '--ignore', '/soon',
                           '--site-host', 'localhost');
    delete $got->{signals}{'/often/b'};     # its status is 503 here
    delete $got->{signals}{$_}{reload} for keys %{$got->{signals}};
    delete $want{signals}{$_}{reload} for keys %{$want{signals}};
    for my $s ($got->{signals}, $want{signals}) {
        %$s = map { %{$s->{$_}} ? ($_ => $s->{$_}) : () } keys %$s;
    }
    is_deeply $got->{signals}, $want{signals},
        "$name: what a log of seconds can tell";
    is_deeply [sort keys %{$j->{judged_coarsely}}], [sort qw(slow_page reload
        quick_back navigation_loop form_resubmit)], 'coarsely';
    is $j->{lines}{not_understood}, 0, 'all understood';
}
($got, $j) = of_log('combined');
ok exists $j->{not_judged}{$_}, "combined: $_ is not judged"
    for qw(slow_page aborted_wait form_abandon rage_click);
ok !exists $j->{not_judged}{broken_link}, 'but broken_link is';
($got, $j) = of_log('plain');
ok exists $j->{not_judged}{$_}, "few fields: $_ is not judged"
    for qw(broken_link broken_asset);
is_deeply $got->{signals}{'/wait'}, { aborted_wait => 2, reload => 1 },
    'few fields';
is $got->{signals}{'/gone/:id'}{error_page}, 1,
    'no referer: an error of the page itself';

# ---- formats of lines ----

my @day = ('Nov', 2026);
sub at { my ($s) = @_; sprintf '21/%s/%d:%02d:%02d:%02d +0000', @day,
         12 + int($s / 3600), $s / 60 % 60, $s % 60 }
sub line {
    my ($s, $uri, $status, $ref, $more, $agent) = @_;
    return '10.0.0.1 - - [' . at($s) . qq(] "GET $uri HTTP/1.1" $status 10 ")
        . ($ref // '-') . '" "' . ($agent // 'Mozilla/5.0 X') . '"'
        . (length($more // '') ? " $more" : '') . "\n";
}
my $story = join '', map { line(@$_) }
    [0, '/a', 200], [2, '/x.css', 404, 'http://h/a'], [3, '/a', 200],
    [9, '/a', 200, 'http://h/b', '2.000 2.000'];
is_deeply told(scalar(replay($story)), '/a'),
    ['broken_asset 1', 'reload 1', 'slow_page 1'], 'combined';
for (
    ['Windows line ends', sub { s/\n/\r\n/gr }],
    ['no line feed at the end', sub { s/\n\z//r }],
    ['empty user', sub { s/ - - / - a user \[x\] /gr }],
    ['IPv6', sub { s/10\.0\.0\.1/2001:db8::1/gr }],
    ['the server before it', sub { s/^/h:443 /gmr }],
    ['absolute addresses', sub { s/GET /GET http:\/\/h/gr }],
    ['a fragment', sub { s/ HTTP/#top HTTP/gr }],
    ['HTTP/2', sub { s/HTTP\/1\.1/HTTP\/2.0/gr }],
    ['Apache escapes', sub { s/Mozilla/Mo\\"z\\\\illa/gr }],
    ['another zone', sub { s/:12:(\d\d):(\d\d) \+0000/:14:$1:$2 +0200/gr }],
    ['X-Forwarded-For', sub { s/"( 2\.000 2\.000|)$/" "1.2.3.4, 5.6.7.8"$1/gmr }],
    ['gzip_ratio and lengths', sub { s/X"( 2\.000 2\.000|)$/X" "2.31" 1234$1/gmr }],
    ['rt=', sub { s/ 2\.000 2\.000/ rt=2.000 uct="0.001" uht="1.900" urt="2.000"/r }],
    ['uht= of several tries', sub { s/ 2\.000 2\.000/ rt=2.000 uht=0.9, 0.3 : - x=1/r }],
) {
    my ($what, $code) = @$_;
    my ($j, $status) = replay((map { $code->() } $story)[0]);
    is $status, 0, "$what: exit status";
    is_deeply told($j, '/a'), ['broken_asset 1', 'reload 1', 'slow_page 1'],
        $what or diag explain $j;
}
$j = replay($story =~ s/ "[^"]*" "Mozilla[^"]*"//gr);
is_deeply told($j, '/a'), ['reload 1', 'slow_page 1'],
    'common, with times';
is $j->{total}{visits}, 1, 'visits by address';
ok exists $j->{not_judged}{broken_asset}, 'no referer: not judged';
like +($t->ctl('replay', file($story =~ s/ "[^"]*" "Mozilla.*//gr)))[1],
    qr/^No user agents: visits are told apart by address only/m, 'said';

sub object {
    my (%o) = @_;
    return '{' . join(',', map { qq("$_":$o{$_}) } sort keys %o) . "}\n";
}
my %one = (time_iso8601 => '"2026-11-21T12:00:00+00:00"', status => 500,
           remote_addr => '"10.0.0.1"', request => '"GET /a HTTP/1.1"',
           http_user_agent => '"Mozilla/5.0 X"');
for (
    ['as it is', {}], ['text', { status => '"500"' }],
    ['msec', { time_iso8601 => undef, msec => 1795262400.123 }],
    ['msec as text', { time_iso8601 => undef, msec => '"1795262400.123"' }],
    ['time_local', { time_iso8601 => undef,
                     time_local => '"21/Nov/2026:12:00:00 +0000"' }],
    ['request_uri', { request => undef, request_method => '"GET"',
                      request_uri => '"/a?b"' }],
    ['uri', { request => undef, request_method => '"GET"', uri => '"/a"' }],
    ['other things', { x => '{"a":[1,{"b":null}]}', y => 'true', z => -1.5e3 }],
    ['escapes', { request => '"GET \/\u0061 HTTP/1.1"' }],
    ['not escaped as JSON', { x => '"\x22a\xC3\xA9\x5C"' }],
    ['bytes', { x => "\"\xff\xfe\"" }],
    ['dashes', { http_referer => '"-"', upstream_response_time => '"-"',
                 request_time => '""', cx_page => '"-"' }],
    ['tries', { upstream_header_time => '"0.001, 0.700 : 0.001"' }],
) {
    my ($what, $more) = @$_;
    my %o = (%one, %$more);
    delete $o{$_} for grep { !defined $o{$_} } keys %o;
    my ($j, $status) = replay(object(%o));
    is $status, 0, "JSON, $what: exit status";
    is_deeply told($j, '/a'), ['error_page 1'], "JSON, $what"
        or diag explain $j;
}

# ---- what is a page ----

sub kind {
    my ($line) = @_;
    my $j = replay($line);
    my @got = grep { $_ ne 'read' && $j->{lines}{$_} } keys %{$j->{lines}};
    return join ' ', @got;
}
for (
    ['/', 200, 'views'], ['/a.html', 304, 'views'], ['/a.php?x.png', 200, 'views'],
    ['/v1.2', 200, 'views'], ['/a', 404, 'views'], ['/a', 301, 'redirects'],
    ['/a', 204, 'other'], ['/a', 206, 'other'], ['/a', 101, 'other'],
    ['/a.png', 200, 'assets'], ['/a.WOFF2', 404, 'assets'],
    ['/a.js?x=1', 304, 'assets'], ['/a.zip', 200, 'other'],
    ['/robots.txt', 404, 'other'], ['/favicon.ico', 404, 'other'],
    ['/_cx/events', 200, 'other'], ['/x.y/z', 200, 'views'],
) {
    my ($uri, $status, $kind) = @$_;
    is kind(line(0, $uri, $status)), $kind, "$uri $status: $kind";
}
for (
    ['"POST /a HTTP/1.1"', 'views'], ['"HEAD /a HTTP/1.1"', 'other'],
    ['"OPTIONS * HTTP/1.0"', 'no_request'], ['"-"', 'no_request'],
    ['""', 'no_request'], ['"\x16\x03\x01"', 'no_request'],
    ['"GET /a b c HTTP/1.1"', 'views'], ['"GET /old"', 'views'],
    ['"CONNECT h:443 HTTP/1.1"', 'no_request'],
) {
    my ($request, $kind) = @$_;
    is kind(line(0, '/', 200) =~ s/"GET [^"]*"/$request/r), $kind,
        "$request: $kind";
}
for (
    ['/a', 200, 'application/json', '', 'other'],
    ['/a.png', 200, 'text/html; charset=utf-8', '', 'views'],
    ['/a', 200, 'image/png', '', 'assets'],
    ['/a.png', 404, 'text/html', '', 'assets'],
    ['/a', 500, 'application/json', '', 'other'],
    ['/a', 404, 'text/html', 'image', 'assets'],
    ['/a.png', 404, 'text/html', 'document', 'views'],
    ['/a', 200, 'text/html', 'empty', 'other'],
    ['/a', 200, 'application/pdf', 'document', 'other'],
    ['/a.pdf', 200, '', 'document', 'other'],
    ['/a', 302, 'text/html', 'iframe', 'redirects'],
) {
    my ($uri, $status, $type, $dest, $kind) = @$_;
    is kind(object(%one, request => "\"GET $uri HTTP/1.1\"", status => $status,
                   sent_http_content_type => "\"$type\"",
                   http_sec_fetch_dest => "\"$dest\"")), $kind,
        "$uri $status $type $dest: $kind";
}
is kind(line(0, '/a', 200, undef, undef, 'curl/8.0')), 'bots', 'a library';
is kind(line(0, '/a', 200, undef, undef, 'kube-probe/1.27')), 'health_checks',
    'a health check';
is replay(line(0, '/a', 200), '--ignore', '/*')->{lines}{ignored}, 1,
    '--ignore';
is_deeply views(scalar replay(join '', map { line(0, $_, 200) }
    '/orders/8123', '/orders/9', '/%C3%A9', '/\xC3\xA9', "/\xc3\xa9")),
    { '/orders/:id' => 2, "/\x{e9}" => 3 }, 'page keys';
is_deeply views(scalar replay(object(%one, cx_page => '"/named"'))),
    { '/named' => 1 }, 'cx_page';

# ---- whose pages link ----

my @own = map { line($_, "/p$_", 200, 'https://shop.example/p' . ($_ - 1)) }
    1 .. 5;
my @foreign = map { line(9, '/p1', 200, "https://search.example/?$_") } 1 .. 9;
$j = replay(join '', @own, @foreign,
            line(20, '/gone', 404, 'https://www.shop.example/p3'));
is $j->{host}, 'shop.example', 'the own host is the one whose pages are there';
is_deeply told($j, '/p3'), ['broken_link 1'], 'with or without www.';
$j = replay(join('', @own, line(20, '/gone', 404, 'https://b.example/x')),
            '--site-host', 'b.example');
is_deeply told($j, '/x'), ['broken_link 1'], '--site-host';
$j = replay(join('', @own, line(20, '/gone', 404, 'https://b.example/x')));
is_deeply told($j, '/gone'), ['error_page 1'], 'else it is a foreign link';
$j = replay(object(%one, status => 404, host => '"me:81"',
                   http_referer => '"http://ME:81/x?y"'));
is_deeply told($j, '/x'), ['broken_link 1'], 'the field host';
unlike +($t->ctl('replay', file(line(0, '/a', 200, "http://\e[31m\x{7}/a")
    . line(0, '/b.png', 200, "http://\e[31m\x{7}/a"))))[1], qr/[\e\x07]/,
    'what comes from the log does no harm on a terminal';

# ---- files ----

my @lines = map { line(1500 * $_, '/f', 200) } 0 .. 2;
my ($old, $new) = map { file($_) } $lines[0] . $lines[1], $lines[2];
($j) = replay_files($new, $old);
is_deeply [$j->{total}{visits}, $j->{visits}], [1, 1],
    'files in the order of their lines';
is $j->{from}, 1795262400_000, 'from';
is $j->{to}, 1795265400_000, 'to';
($j) = replay_files(file($lines[0] . line(1802, '/f', 200)));
is $j->{total}{visits}, 2, '30 minutes end a visit';
($j) = replay_files(file($lines[2] . $lines[0]));
is $j->{visits}, 2, 'time goes back: a new visit';
system 'gzip', '-k', $old;
my ($gz) = replay_files("$old.gz", $new);
is $gz->{total}{views}, 3, 'gzip';
my ($status, $out, $err) = $t->run('/bin/sh', '-c',
    'cat "$1" | "$0" replay --json - "$2"', $t->build . '/cxctl', $old, $new);
is json($out)->{total}{views}, 3, 'standard input';
my $damaged = write_file($t->dir . '/damaged.gz', substr read_file("$old.gz"),
                         0, 60);
($j, $status, $err) = replay_files($damaged);
is $status, 2, 'half a gzip file: status 2';
like $err, qr/^cxctl: \S+damaged\.gz: gzip could not read it to the end$/m,
    'said';
my $odd = write_file($t->dir . '/-rf $(touch x) \'".gz', '');
unlink $odd;
($j, $status) = replay_files($odd);
is $status, 2, 'a name is only a name';
for (
    [['/nonexistent'], qr/\/nonexistent: cannot be opened: No such file/],
    [[$t->dir], qr/: cannot be read: Is a directory/],
    [[], qr/needs files, or - for standard input/],
    [['-', '-'], qr/"-" is there twice/],
    [['--format', 'xml', $old], qr/--format "xml": expected combined or json/],
    [['--search', '/find', $old], qr/--search "\/find": expected a path and an/],
    [['--form', 'form', $old], qr/--form "form": expected a path like/],
) {
    my ($args, $re) = @$_;
    my ($status, undef, $err) = $t->ctl('replay', @$args);
    is $status, 2, "@$args: status 2";
    like $err, qr/^cxctl: [^\n]*$re[^\n]*\n\z/m, 'said';
}
is +(replay($lines[0], '--format', 'json'))[1], 1, '--format json';
is +(replay(object(%one), '--format', 'combined'))[1], 1, '--format combined';

# ---- what is not understood ----

my $good = line(0, '/a', 200);
for (
    ["\n", 'no address'], ["x\n", 'no \[day'],
    ["1.1.1.1 - - [21/Nov/2026:12:00:00] \"GET / HTTP/1.1\" 200 1\n", 'no \[day'],
    ["1.1.1.1 - - [31/Foo/2026:12:00:00 +0000] \"GET /\" 200 1\n", 'no \[day'],
    ["1.1.1.1 - - [21/Nov/2026:25:00:00 +0000] \"GET /\" 200 1\n", 'no \[day'],
    [substr($good, 0, 50), 'no request in quotes'],
    [substr($good, 0, 63), 'no bytes sent'],
    [substr($good, 0, -5) . "\n", 'no referer and user agent'],
    [$good =~ s/ 200 / OK /r, 'no status'], ["\0" x 100 . "\n", 'no \[day'],
    ["{\n", 'no JSON object'], ["{}\n", 'no time_iso8601'],
    [substr(object(%one), 0, -4), 'no JSON object'],
    [object(%one) =~ s/"status"/"stat"/r, 'no status'],
    [object(%one) =~ s/"remote_addr"/"addr"/r, 'no remote_addr'],
    [object(%one) =~ s/"request"/"req"/r, 'no request'],
    [object(%one) =~ s/2026-11-21T/2026-13-21T/r, 'no time_iso8601'],
    ['{"a":' x 100 . "\n", 'no JSON object'],
    ['x' x 1_100_000 . "\n", 'longer than 1 MB'],
) {
    my ($text, $why) = @$_;
    $text .= "\n" if $text !~ /\n\z/;
    my $what = substr $text =~ s/[^ -~]+/ /gr, 0, 40;
    my ($j, $status) = replay("$good$text$good");
    is $status, 0, "$what: the others count";
    is_deeply [@{$j->{lines}}{qw(read not_understood views)}], [3, 1, 2],
        'counted';
    my ($bad) = @{$j->{not_understood}};
    like "$bad->{file}:$bad->{line} $bad->{why}", qr/log$n:2 (?:$why)/,
        'where, and why';
    ($j, $status) = replay($text);
    is $status, 1, 'alone: status 1';
}
is +(replay(''))[1], 1, 'an empty log: status 1';
like +($t->ctl('replay', file("x\n" x 9)))[1],
    qr/^         9  not understood\n( +\S+log$n:[1-5]: no [^\n]*\n){5}\z/m,
    'the first five are shown';
($j) = replay($good =~ s/\/a/'\/' . 'long' x 50_000/er);
is $j->{lines}{views}, 1, 'a long line';
cmp_ok length $j->{pages}[0]{page}, '<=', 200, 'a page key is short';

# whatever changes in a line: no crash, and each line counts once
srand 7;
my @seeds = ($good, object(%one, http_referer => '"http://h/a"',
             upstream_header_time => '"0.1, 0.2"', msec => 1795262400.123),
             line(1, '/x.css', 404, 'http://h/a?b', 'rt=0.1 urt=0.1, 0.2 : 0.3'),
             "h:1 ::1 - - [21/Nov/2026:12:00:00 +0000] \"POST /b\" 302 -\n");
my $text = '';
for (1 .. 6000) {
    my $s = $seeds[rand @seeds];
    for (0 .. rand 4) {
        my $at = int rand length $s;
        my $what = int rand 5;
        if ($what == 0) { substr $s, $at, 1, chr int rand 256 }
        elsif ($what == 1) { substr $s, $at, 1 + int rand 20, '' }
        elsif ($what == 2) { substr $s, $at, 0, ('"', '\\x', ' ', '[', '{',
            '\\', '-', "\0", '%', ':', '=', ',', '9' x 30)[rand 13] }
        elsif ($what == 3) { $s .= substr $s, $at }
        else { $s = substr $s, $at }
        $s = $good if $s eq '';
    }
    $text .= "$s\n";
}
my ($sum) = replay($text);
is $sum->{lines}{read}, ($text =~ tr/\n//), 'all lines read';
my $parts = 0;
$parts += $sum->{lines}{$_} for grep { $_ ne 'read' } keys %{$sum->{lines}};
is $parts, $sum->{lines}{read}, 'each is one of the kinds';
cmp_ok $sum->{lines}{views}, '>', 500, 'many are views still';
cmp_ok $sum->{lines}{not_understood}, '>', 500, 'many are not understood';

# ---- in bounded memory ----

SKIP: {
    skip 'sanitizers need room', 1 if $ENV{CX_ASAN};
    my $log = $t->dir . '/big.log';
    open my $f, '>', $log or die $!;
    for my $i (1 .. 200_000) {
        my $s = $i / 20;
        printf $f '10.%d.%d.%d - - [%s] "GET /p%s HTTP/1.1" 200 9 "-" "M %s"'
            . "\n", $i >> 16, $i >> 8 & 255, $i & 255, at($s), $i, 'x' x 50;
    }
    close $f;
    my ($status, $out) = $t->run('/bin/sh', '-c',
        'ulimit -v 150000; exec "$0" replay --json --limit 1 "$1"',
        $t->build . '/cxctl', $log);
    is json($out)->{total}{views}, 200_000,
        '200000 visitors of as many pages in 150 MB';
}

$t->done;
