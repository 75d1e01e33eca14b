package Test::Cx::Visit;

# Visits without JavaScript, and the signals that come of them: a plain HTTP
# client that sends what a browser sends, an origin that answers as it is told,
# and a clock that only moves when it is told to, so that a threshold is met to
# the millisecond without waiting.
#
#   my $e = Test::Cx::Visit->new($t, server => 'location ...');
#   $e->visit('a page that fails', sub {
#       my ($v) = @_;
#       $v->open('/pay', do => 'status=500');
#   } => '1 view', 'error_page /pay =500');
#   $e->check;
#
# A signal is written as
#
#   name page[@touchpoint/stage][ -> target][ =value][ xcount][ up][ unseen]
#
# count unless 1; up: upstream_ms is told; unseen: seen is not 1.  "N views" among them asks for the
# number of view events.  check() compares each visit's signals, in order, and
# that there is none that belongs to no visit.

use strict;
use warnings;

use Fcntl qw(O_CREAT O_WRONLY);
use Time::HiRes qw(sleep);
use Test::More ();
use Test::Cx ();
use Test::Cx::Http;

# as $t->nginx; %%ORIGIN%% is the origin's address
sub new {
    my ($class, $t, %o) = @_;
    my $e = bless { t => $t, redis => $t->redis, n => 0, visits => [],
                    clock => $t->dir . '/clock' }, $class;
    $e->{origin} = $t->origin(sub { $e->_answer(@_) });
    local @ENV{qw(CX_PRELOAD CX_CLOCK)} = ($e->_preload, $e->{clock});
    my $http = $o{http} // '';
    my $server = $o{server} // '';
    my $addr = $e->{origin}->addr;
    s/%%ORIGIN%%/$addr/g for $http, $server;
    $e->{ngx} = $t->nginx(cx => 1, %o, redis => $e->{redis},
        http => <<"EOT", server => <<"EOT");
    log_format visit '\$http_x_visitor \$request_uri';
    access_log logs/visit.log visit;
    cx_queue flush=20ms;
    cx_segment \$http_x_visitor;
    proxy_read_timeout 20s;
    $http
EOT
        keepalive_requests 10000;
        location / { proxy_pass http://$addr; }
        location /pay/ {
            cx_touchpoint pay; cx_stage buy; proxy_pass http://$addr;
        }
$server
EOT
    return $e;
}

# the library that nginx takes the time of day from, made here
sub _preload {
    my ($e) = @_;
    my $t = $e->{t};
    my $cc = $ENV{CC} // 'cc';
    my $so = $t->dir . '/clock.so';
    my ($status, undef, $err) = $t->run('/bin/sh', '-c',
        "$cc -shared -fPIC -O2 -o '$so' '" . $t->root
        . "/t/lib/Test/Cx/clock.c'");
    die "clock: $err" if $status ne '0';
    $e->_set(1795262400_000);              # 2026-11-21 12:00 UTC
    return $so if !$ENV{CX_ASAN};
    chomp(my $asan = `$cc -print-file-name=libasan.so`);
    return "$asan $so";
}

sub nginx { $_[0]{ngx} }
sub redis { $_[0]{redis} }

# the clock moves on
sub pass {
    my ($e, $ms) = @_;
    $e->_set($e->now + $ms);
}

# Unix time in ms on that clock
sub now {
    my ($e) = @_;
    return unpack 'q', Test::Cx::read_file($e->{clock});
}

# in place, as nginx has the file mapped
sub _set {
    my ($e, $ms) = @_;
    sysopen my $f, $e->{clock}, O_WRONLY | O_CREAT or die "clock: $!";
    syswrite $f, pack 'q', $ms;
}

# The origin does what X-Do says: status=, type=, to= (Location), length= (of
# the body), after= (ms that pass before the first byte), hang (no answer),
# half (a part of one), more=name:value (a header)
sub _answer {
    my ($e, $req, $c) = @_;
    my %do = map { /^([^=]+)=?(.*)/ } split ' ', $req->{headers}{'x-do'} // '';
    my $page = '<!doctype html><html><head><title>t</title></head><p>x';
    $page .= 'x' x ($do{length} - length $page) if $do{length};
    $e->pass($do{after}) if $do{after};
    sleep 30 if exists $do{hang};
    my ($name, $value) = split /:/, $do{more} // '';
    my $status = $do{status} // 200;
    my $head = Test::Cx::http_head($status,
        'Content-Type' => $do{type} // 'text/html',
        'Content-Length' => $status == 304 ? undef : length $page,
        Location => $do{to}, defined $name ? ($name => $value) : ());
    if (exists $do{half}) {
        $head =~ s/\r\n/\r\nX-Accel-Buffering: no\r\n/;
        Test::Cx::send_split($c, $head . substr $page, 0, 30);
        sleep 30;
    }
    return Test::Cx::send_split($c, $head . ($status == 304 ? '' : $page));
}

# one visit, told apart by its agent; options before the code: agent, from,
# told => 0 (an old browser, without Sec-Fetch-*)
sub visit {
    my ($e, $what, @rest) = @_;
    my %o;
    while (!ref $rest[0]) { my $k = shift @rest; $o{$k} = shift @rest }
    my ($code, @expected) = @rest;
    my $v = Test::Cx::Visitor->new($e, what => $what, %o,
                                   expected => \@expected);
    $code->($v);
    $e->pass(10);
    return $v;
}

# a visitor whose steps mix with those of others
sub visitor {
    my ($e, $what, %o) = @_;
    return Test::Cx::Visitor->new($e, what => $what, %o);
}

sub _text {
    my ($s) = @_;
    my $place = join '/', grep { length } @$s{qw(touchpoint stage)};
    return join '', "$s->{name} $s->{page}", length $place ? "\@$place" : '',
        length $s->{target} ? " -> $s->{target}" : '',
        length $s->{value} ? " =$s->{value}" : '',
        $s->{count} ne 1 ? " x$s->{count}" : '',
        length $s->{upstream_ms} ? ' up' : '',
        $s->{seen} ne 1 ? ' unseen' : '';
}

# all that was recorded so far, of all sites' streams here
sub events {
    my ($e) = @_;
    my $mark = '/end-of-events/' . ('a' .. 'z')[$e->{marks}++ // 0];
    $e->{ngx}->get($mark, 'X-Visitor' => 'mark',
                   'User-Agent' => "Mozilla/5.0 $mark");
    $e->{redis}->wait_events(1, filter => sub { $_[0]{page} eq $mark });
    return $e->{redis}->events;
}

sub check {
    my ($e) = @_;
    my (%signals, %views, @stray);
    for my $ev ($e->events) {
        my $segment = $ev->{segment};
        $views{$segment}++ if $ev->{type} eq 'view';
        next if $ev->{type} ne 'signal';
        push @{$signals{$segment}}, $ev;
    }
    for my $v (@{$e->{visits}}) {
        my @got = @{delete $signals{$v->{name}} // []};
        $v->{signals} = \@got;
        my @expected = @{$v->{expected}};
        my ($n) = map { /^(\d+) views?$/ ? $1 : () } @expected;
        @expected = grep { !/^\d+ views?$/ } @expected;
        my @text = map { _text($_) } @got;
        Test::More::is_deeply([@text, defined $n
                               ? ($views{$v->{name}} // 0) . ' views' : ()],
                              [@expected, defined $n ? "$n views" : ()],
                              $v->{what})
            or Test::More::diag(map { "  $_\n" } @text,
                                ($views{$v->{name}} // 0) . ' views');
        push @stray, grep { $_->{source} ne 'edge' } @got;
    }
    delete $signals{mark};
    Test::More::is_deeply([(map { _text($_) } map { @$_ } values %signals),
                           map { _text($_) } @stray], [],
                          'no signal belongs to nobody');
    $e->{visits} = [];
}


package Test::Cx::Visitor;

use Test::Cx::Http;

sub new {
    my ($class, $e, %o) = @_;
    my $n = ++$e->{n};
    my $v = bless { e => $e, name => "v$n", expected => [],
                    agent => "Mozilla/5.0 (X11; Linux x86_64) Visitor/$n",
                    told => 1, %o }, $class;
    push @{$e->{visits}}, $v;
    return $v;
}

# what must have come of the visitor's steps
sub expect { my ($v, @texts) = @_; push @{$v->{expected}}, @texts }

sub pass { $_[0]{e}->pass($_[1]) }

# headers of a page that a person asks for; names as in Test::Cx::Http, and:
# do => 'status=500 ...' for the origin, ref => page of this site that links
sub _headers {
    my ($v, %o) = @_;
    my %h = ('User-Agent' => $v->{agent}, 'X-Visitor' => $v->{name},
             Accept => 'text/html,application/xhtml+xml,*/*;q=0.8',
             ($v->{told} ? ('Sec-Fetch-Dest' => 'document',
                            'Sec-Fetch-Mode' => 'navigate',
                            'Sec-Fetch-Site' => $o{ref} ? 'same-origin'
                                                        : 'none',
                            'Sec-Fetch-User' => '?1') : ()));
    $h{'X-Do'} = delete $o{do} if defined $o{do};
    $h{Referer} = "http://localhost$o{ref}" if defined $o{ref};
    delete $o{ref};
    return (%h, %o);
}

sub _connection {
    my ($v) = @_;
    return $v->{c} //= $v->{e}{ngx}->connect(
        $v->{from} ? (from => $v->{from}) : ());
}

# open('/a'), open('/a', ref => '/b')
sub open {
    my ($v, $path, %o) = @_;
    my $r = $v->_connection->request($path, $v->_headers(%o));
    delete $v->{c} if ($r->{headers}{connection} // '') eq 'close'
        || !$r->{complete};
    return $r;
}

# one after the other, at more than the pace of a double click
sub pages {
    my ($v, $first, @more) = @_;
    $v->open($first);
    for (@more) { $v->pass(700); $v->open($_) }
}

sub post {
    my ($v, $path, $body, %o) = @_;
    return $v->open($path, body => $body,
        'Content-Type' => 'application/x-www-form-urlencoded', %o);
}

# what is not a page: an image, a script, a fetch()
sub asset {
    my ($v, $path, $dest, %o) = @_;
    return $v->open($path, Accept => '*/*', 'Sec-Fetch-User' => undef,
        ($v->{told} ? ('Sec-Fetch-Dest' => $dest,
                       'Sec-Fetch-Mode' => 'no-cors') : ()), %o);
}

# asks, lets ms pass once the origin has the request, and is gone
sub give_up {
    my ($v, $path, $ms, %o) = @_;
    my $e = $v->{e};
    my $log = $e->{origin}{log};
    my $had = -s $log // 0;
    my $logged = sub {
        return scalar(() = $e->{ngx}->file('logs/visit.log')
                      =~ /^$v->{name} \Q$path\E$/mg);
    };
    my $lines = $logged->();
    my $c = $e->{ngx}->connect($v->{from} ? (from => $v->{from}) : ());
    $c->send(Test::Cx::Http::build($path, $v->_headers(do => 'hang', %o)));
    Test::Cx::wait_for(sub { (-s $log // 0) > $had });
    $c->_more(Time::HiRes::time() + 5) if ($o{do} // '') =~ /half/;
    $v->pass($ms);
    $c->close;
    return Test::Cx::wait_for(sub { $logged->() > $lines });
}

1;
