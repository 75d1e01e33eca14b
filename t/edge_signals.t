#!/usr/bin/perl

# The edge's signals over the wire, without a line of JavaScript: each fires as
# its rule in include/cx_signal.h says, on the page that is to blame, at the
# threshold and not one below.  The way from page to page is in edge_path.t,
# forms, searches and the visit's end in edge_forms.t, what must not fire in
# edge_quiet.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Visit;

my $t = Test::Cx->new;
my $e = Test::Cx::Visit->new($t, http => <<'EOT', server => <<'EOT',
    limit_req_zone $http_x_visitor zone=often:1m rate=1r/m;
    limit_conn_zone $http_x_visitor zone=many:1m;
EOT
        location /named/ { cx_page /one-name; try_files /a.html =404; }
        location /static/ { }
        location /dead/ { proxy_pass http://127.0.0.1:%%PORT:dead%%; }
        location /often/ { limit_req zone=often; try_files /a.html =404; }
        location /often429/ {
            limit_req zone=often; limit_req_status 429;
            try_files /a.html =404;
        }
        location /many/ { limit_conn many 1; proxy_pass http://%%ORIGIN%%; }
        location /help/ { cx_role help; proxy_pass http://%%ORIGIN%%; }
        location /custom/ { error_page 404 /sorry.html; try_files $uri =404; }
EOT
    files => {
        'html/a.html' => '<!doctype html><title>t</title><p>x',
        'html/sorry.html' => '<!doctype html><title>t</title><p>sorry' });

sub visit { $e->visit(@_) }

# error_page
for my $status (400, 402, 404, 405, 410, 418, 451, 500, 502, 503, 504) {
    visit "error_page: $status", sub { $_[0]->open('/x', do => "status=$status") }
        => '1 view', "error_page /x =$status";
}
for my $status (200, 203, 304, 401, 403, 422) {
    visit "error_page: not $status",
        sub { $_[0]->open('/x', do => "status=$status") } => '1 view';
}
visit 'error_page: knows its place', sub {
    $_[0]->open('/pay/', ref => '/', do => 'status=500');
} => 'error_page /pay/@pay/buy =500';
visit 'error_page: of nginx itself', sub {
    $_[0]->open('/static/missing');
} => '1 view', 'error_page /static/missing =404';
visit 'error_page: with a page of its own', sub {
    $_[0]->open('/custom/missing');
} => '1 view', 'error_page /custom/missing =404';
visit 'error_page: an upstream that is down', sub {
    $_[0]->open('/dead/');
} => '1 view', 'error_page /dead/ =502';
visit 'error_page: a post', sub {
    $_[0]->post('/x', 'a=b', do => 'status=500');
} => '1 view', 'error_page /x =500';
visit 'error_page: an old browser', told => 0, sub {
    $_[0]->open('/x', do => 'status=500');
} => 'error_page /x =500';

# broken_link
for my $status (404, 410) {
    visit "broken_link: $status", sub {
        my ($v) = @_;
        $v->open('/pay/');
        $v->open("/gone/8123", ref => '/pay/?secret=1#f',
                 do => "status=$status");
    } => '2 views', "broken_link /pay/\@pay/buy -> /gone/:id =$status";
}
visit 'broken_link: who linked was not seen in this visit', sub {
    $_[0]->open('/gone', ref => '/orders/77/', do => 'status=404');
} => 'broken_link /orders/:id/ -> /gone =404 unseen';
visit 'broken_link: a link from elsewhere is not ours to mend', sub {
    $_[0]->open('/gone', Referer => 'http://elsewhere/a', do => 'status=404');
} => 'error_page /gone =404';
visit 'broken_link: other errors blame their page', sub {
    $_[0]->open('/x', ref => '/pay/', do => 'status=500');
} => 'error_page /x =500';

# broken_asset
for my $dest (qw(image script style font)) {
    visit "broken_asset: $dest", sub {
        my ($v) = @_;
        $v->open('/pay/');
        $v->asset("/static/x", $dest, ref => '/pay/');
    } => '1 view', 'broken_asset /pay/@pay/buy -> /static/x =404';
}
for my $status (400, 410, 500, 503) {
    visit "broken_asset: $status", sub {
        my ($v) = @_;
        $v->open('/a');
        $v->asset('/x.png', 'image', ref => '/a', do => "status=$status");
    } => '1 view', "broken_asset /a -> /x.png =$status";
}
visit 'broken_asset: an old browser, by the name', told => 0, sub {
    my ($v) = @_;
    $v->open('/a');
    $v->asset('/static/x.css', '', ref => '/a');
} => '1 view', 'broken_asset /a -> /static/x.css =404';
for my $status (200, 206, 301, 304, 401, 403, 429) {
    visit "broken_asset: not $status", sub {
        my ($v) = @_;
        $v->open('/a');
        $v->asset('/x.png', 'image', ref => '/a', do => "status=$status");
    } => '1 view';
}

# slow_page, T = 800 ms
visit 'slow_page: 800 ms are well', sub {
    $_[0]->open('/pay/', do => 'after=800');
} => '1 view';
visit 'slow_page: 801 ms are not', sub {
    $_[0]->open('/pay/', do => 'after=801');
} => 'slow_page /pay/@pay/buy =801 up';
visit 'slow_page: 3200 ms are tolerated', sub {
    $_[0]->open('/pay/', do => 'after=3200');
} => 'slow_page /pay/@pay/buy =3200 up';
visit 'slow_page: 3201 ms count twice', sub {
    $_[0]->open('/pay/', do => 'after=3201');
} => 'slow_page /pay/@pay/buy =3201 x2 up';

# aborted_wait, 1000 ms
visit 'aborted_wait: 999 ms', sub { $_[0]->give_up('/pay/', 999) } => '1 view';
visit 'aborted_wait: 1000 ms', sub { $_[0]->give_up('/pay/', 1000) }
    => '1 view', 'aborted_wait /pay/@pay/buy =1000 up';
visit 'aborted_wait: half of the page was there', sub {
    $_[0]->give_up('/x', 1000, do => 'half');
} => '1 view', 'aborted_wait /x =1000 up';

# auth_loop, 3 within 60 s
sub refused {
    my ($gap, @statuses) = @_;
    return sub {
        my ($v) = @_;
        my $n = 0;
        for my $status (@statuses) {
            $v->pass($gap) if $n;
            $v->open('/pay/' . ('a' .. 'e')[$n++], do => "status=$status");
        }
    };
}
visit 'auth_loop: twice', refused(1000, 401, 403) => '2 views';
visit 'auth_loop: three times', refused(30_000, 401, 403, 401)
    => '3 views', 'auth_loop /pay/c@pay/buy =401';
visit 'auth_loop: in 60.002 s', refused(30_001, 403, 403, 403) => '3 views';
visit 'auth_loop: another page between', refused(1000, 401, 401, 200, 401)
    => '4 views';

# rate_limited
visit 'rate_limited: 429', sub { $_[0]->open('/pay/', do => 'status=429') }
    => '1 view', 'rate_limited /pay/@pay/buy =429';
visit 'rate_limited: by limit_req', sub { $_[0]->pages('/often/a', '/often/b') }
    => '2 views', 'rate_limited /often/b =503';
visit 'rate_limited: by limit_req, with 429', sub {
    $_[0]->pages('/often429/a', '/often429/b');
} => '2 views', 'rate_limited /often429/b =429';
visit 'rate_limited: by limit_conn', sub {
    my ($v) = @_;
    my $c = $e->nginx->connect;
    my $log = -s $e->{origin}{log};
    $c->send(Test::Cx::Http::build('/many/a', $v->_headers(do => 'hang')));
    wait_for { -s $e->{origin}{log} > $log };
    $v->open('/many/b');
} => 'rate_limited /many/b =503';

# help_seek, 120 s
sub opens {
    my ($path, @gaps) = @_;
    return sub {
        my ($v) = @_;
        for my $gap (0, @gaps) { $v->pass($gap); $v->open($path) }
    };
}

sub redirects {
    my ($n, $page) = @_;
    return sub {
        my ($v) = @_;
        for my $i (1 .. $n) {
            my $to = $i < $n || !$page ? "/r/" . ('a' .. 'z')[$i] : $page;
            $v->open('/r/' . ('a' .. 'z')[$i - 1], do => "status=302 to=$to");
        }
        $v->open($page) if $page;
    };
}

for ([ 120_000 => 'help_seek /pay/@pay/buy -> /help/ =120' ], [ 120_001 ]) {
    my ($ms, @more) = @$_;
    visit "help_seek: $ms ms after an error", sub {
        my ($v) = @_;
        $v->open('/pay/', do => 'status=500');
        $v->pass($ms);
        $v->open('/help/');
    } => '2 views', 'error_page /pay/@pay/buy =500', @more;
}
my @trouble = (
    [ 'broken_link /a -> /gone =404' => '/a', sub {
        $_[0]->open('/a');
        $_[0]->open('/gone', ref => '/a', do => 'status=404') } ],
    [ 'reload /x =3' => '/x', opens('/x', 500, 900) ],
    [ 'navigation_loop /a -> /b' => '/a', sub {
        for ('/a', '/b', '/a', '/b') { $_[0]->open($_); $_[0]->pass(15_000) }
        } ],
    [ 'form_resubmit /f =422' => '/f', sub {
        for (1, 2) {
            $_[0]->pass(500);
            $_[0]->post('/f', 'a=b', do => 'status=422');
        } } ],
    [ 'auth_loop /pay/c@pay/buy =401' => '/pay/c@pay/buy',
      refused(10, 401, 401, 401) ],
    [ 'redirect_chain /x =4' => '/x', redirects(4, '/x') ],
    [ 'rate_limited /x =429' => '/x',
      sub { $_[0]->open('/x', do => 'status=429') } ],
);
for (@trouble) {
    my ($signal, $page, $code) = @$_;
    my ($name) = $signal =~ /^(\w+)/;
    my $s = $name eq 'navigation_loop' ? 15 : 0;
    visit "help_seek: after $name", sub {
        $code->($_[0]);
        $_[0]->open('/help/');
    } => $signal, "help_seek $page -> /help/ =$s";
}
visit 'help_seek: not when help is what failed', sub {
    my ($v) = @_;
    $v->open('/help/', do => 'status=500');
    $v->pass(5000);
    $v->open('/help/');
} => '2 views', 'error_page /help/ =500';
visit 'help_seek: not after a wait', sub {
    my ($v) = @_;
    $v->open('/x', do => 'after=900');
    $v->give_up('/y', 1000);
    $v->open('/help/');
} => 'slow_page /x =900 up', 'aborted_wait /y =1000 up';
visit 'help_seek: not without trouble', sub {
    $_[0]->pages('/x', '/help/', '/y');
} => '3 views';

# repeat_failure
visit 'repeat_failure: the same again', sub {
    my ($v) = @_;
    $v->open('/pay/?a=1', do => 'status=500');
    $v->open('/x');
    $v->open('/pay/?a=1', do => 'status=500');
} => '3 views', 'error_page /pay/@pay/buy =500', 'error_page /pay/@pay/buy =500',
    'repeat_failure /pay/@pay/buy =500';
visit 'repeat_failure: nothing went well between', sub {
    $_[0]->open('/x', do => 'status=500') for 1, 2;
} => ('error_page /x =500') x 2;
visit 'repeat_failure: another status', sub {
    my ($v) = @_;
    $v->open('/x', do => 'status=500');
    $v->open('/y');
    $v->open('/x', do => 'status=503');
} => 'error_page /x =500', 'error_page /x =503';
visit 'repeat_failure: another address', sub {
    my ($v) = @_;
    $v->open('/x?a=1', do => 'status=500');
    $v->open('/y');
    $v->open('/x?a=2', do => 'status=500');
} => ('error_page /x =500') x 2;

$e->check;

# the entry
my ($raw) = grep { { @{$_->[1]} }->{type} eq 'signal' }
    @{$e->redis->cmd('XRANGE', 'cx:{localhost}:events', '-', '+')};
my @names = map { $raw->[1][2 * $_] } 0 .. $#{$raw->[1]} / 2;
is_deeply \@names, [qw(type ts page visit touchpoint stage segment view source
                       name count target value upstream_ms seen)],
    'fields of a signal, in order';
my $all = join ' ', map { values %$_ } $e->redis->events;
unlike $all, qr/127\.0\.0|Mozilla|secret|\?/, 'no address, agent, query';

# the log and the status page say the same
my %sum;
$sum{$_->{name}}++ for grep { $_->{type} eq 'signal' } $e->redis->events;
is_deeply { map { $_ => $e->nginx->counter('signals', $_) } keys %sum },
    \%sum, 'the status page counts them';

$t->done;
