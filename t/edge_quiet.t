#!/usr/bin/perl

# What must not fire: visits that look like trouble and are none.  Each is
# recorded, where it is one of pages, and has no signal at all.

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
EOT
        cx_ignore $cookie_staff;
        location /find/ { cx_role search=q; proxy_pass http://%%ORIGIN%%; }
        location /form/ { cx_role form; proxy_pass http://%%ORIGIN%%; }
        location /help/ { cx_role help; proxy_pass http://%%ORIGIN%%; }
        location /often/ { limit_req zone=often; proxy_pass http://%%ORIGIN%%; }
        location /archive/ {
            types { application/zip zip; } proxy_pass http://%%ORIGIN%%;
        }
        location /files/ { types { application/zip zip; } }
EOT
    files => { 'html/files/a.zip' => 'PK' x 100_000 });

sub quiet {
    my ($what, @rest) = @_;
    return $e->visit($what, @rest);
}

# all that would fire, if a person did it
sub trouble {
    my ($v, %o) = @_;
    $v->open('/a', %o);
    $v->open('/gone', %o, ref => '/a', do => 'status=404');
    $v->open('/x', %o, do => 'status=500');
    $v->open('/y', %o);
    $v->open('/x', %o, do => 'status=500');
    $v->asset('/x.png', 'image', %o, ref => '/a', do => 'status=404');
    $v->open('/slow', %o, do => 'after=5000');
    $v->give_up('/wait', 2000, %o);
    for ('/wait', '/wait', '/wait', '/wait', '/a', '/b', '/a', '/b') {
        $v->open($_, %o);
        $v->pass(900);
    }
    for (1 .. 3) {
        $v->pass(900);
        $v->post('/f', 'a=b', %o, do => 'status=422');
    }
    $v->open("/find/?q=$_", %o) for 'a' .. 'd';
    $v->open("/own/$_", %o, do => 'status=401') for 'a' .. 'd';
    $v->open("/r/$_", %o, do => "status=302 to=/r/$_") for 'a' .. 'f';
    $v->open('/often/', %o) for 1, 2;
    $v->open('/help/', %o);
}

# so that we know it would
my $person = $e->visitor('somebody who has all of it');
trouble($person);
my %all = map { $_->{name} => 1 } grep { $_->{type} eq 'signal' } $e->events;
is join(' ', sort keys %all), join(' ', sort qw(error_page broken_link
    broken_asset slow_page aborted_wait reload quick_back navigation_loop
    form_resubmit search_refine auth_loop redirect_chain rate_limited
    help_seek repeat_failure)), 'all of it fires';
$e->{visits} = [];
$e->redis->cmd('DEL', 'cx:{localhost}:events');

# pages that ask for themselves
for ([ 'meta refresh', 'Sec-Fetch-User' => undef ]) {
    my ($what, @headers) = @$_;
    for my $seconds (1, 5, 30) {
        quiet "polling every $seconds s: $what", sub {
            my ($v) = @_;
            for (1 .. 8) {
                $v->open('/queue', @headers);
                $v->pass($seconds * 1000);
            }
        } => '8 views';
    }
}
quiet 'polling by an old browser, every 5 s', told => 0, sub {
    my ($v) = @_;
    for (1 .. 8) { $v->open('/queue'); $v->pass(5000 + 40 * ($_ % 3)) }
} => '8 views';

# downloads
my @attach = (do => 'more=Content-Disposition:attachment');
quiet 'a download, again and again', sub {
    $_[0]->open('/report', @attach) for 1 .. 5;
} => '0 views';
quiet 'a download that fails and is taken up again', told => 0, sub {
    my ($v) = @_;
    $v->open('/files/a.zip', Range => "bytes=$_-", Accept => '*/*')
        for 0, 1000, 50_000, 199_000;
} => '0 views';
quiet 'a part of a page, again and again', sub {
    $_[0]->open('/x', Range => 'bytes=0-9',
                do => 'status=206 more=Content-Range:bytes') for 1 .. 5;
} => '0 views';
quiet 'an archive that is stopped', sub {
    my ($v) = @_;
    $v->give_up('/archive/big.zip', 5000) for 1, 2;
} => '0 views';
quiet 'an attachment that is stopped half way', sub {
    $_[0]->give_up('/report', 5000,
                   do => 'half more=Content-Disposition:attachment');
} => '0 views';

# scripts of pages
quiet 'a single-page application and its API', sub {
    my ($v) = @_;
    $v->open('/app');
    for my $status (200, 401, 401, 401, 403, 404, 422, 429, 500, 500) {
        $v->asset('/api/items', 'empty', ref => '/app',
                  Accept => 'application/json', 'Sec-Fetch-Mode' => 'cors',
                  do => "status=$status type=application/json");
    }
} => '1 view';
quiet 'the same, by an old browser', told => 0, sub {
    my ($v) = @_;
    $v->open('/app');
    for my $status (200, 401, 401, 401, 403, 404, 422, 429, 500, 500) {
        $v->open('/api/items', ref => '/app', Accept => 'application/json',
                 do => "status=$status type=application/json");
    }
} => '1 view';
quiet 'posts by fetch() that are refused', sub {
    my ($v) = @_;
    $v->open('/app');
    $v->asset('/api/save', 'empty', ref => '/app', body => '{"a":1}',
              do => "status=$_ type=application/json")
        for 422, 422, 422, 500, 500, 404;
} => '1 view';
quiet 'HTML that a script asks for', sub {
    my ($v) = @_;
    $v->open('/app');
    $v->asset('/fragment', 'empty', ref => '/app', do => "status=$_")
        for 200, 200, 200, 404, 500;
} => '1 view';
quiet 'fetch() that a slow network or a new page stops', sub {
    my ($v) = @_;
    $v->open('/app');
    $v->give_up('/api/slow', 5000, 'Sec-Fetch-Dest' => 'empty',
                'Sec-Fetch-Mode' => 'cors', Accept => '*/*');
    $v->asset('/api/slow', 'empty', do => 'after=9000');
} => '1 view';

# one address, two people: each does half
my @pair = map { $e->visitor("one of two behind one address: $_") } 1, 2;
for my $step (
    sub { $_[0]->open('/x') },
    sub { $_[0]->open('/x') },
    sub { $_[0]->open($_[1] == 1 ? '/a' : '/b') },
    sub { $_[0]->open($_[1] == 1 ? '/a?n=2' : '/b?n=2') },
    sub { $_[0]->pages(map { "/find/?q=$_[1]$_" } 'a', 'b') },
    sub { $_[0]->open('/own/' . ('a' .. 'f')[$_], do => 'status=401') for 1, 2 },
    sub { $_[0]->open("/r/$_", do => 'status=302 to=/r') for 1, 2 },
    sub { $_[0]->post('/f', 'a=b', do => 'status=422') },
) {
    for (1, 2) { $step->($pair[$_ - 1], $_); $e->pass(1100) }
}
my @same = map { $e->visitor("one agent, two addresses: $_",
                             agent => 'Mozilla/5.0 Same', from => "127.0.0.$_")
               } 2, 3;
$_->open('/x'), $e->pass(900) for @same, @same;
$_->open('/own/a', do => 'status=403'), $e->pass(900) for @same, @same;

# who is no visitor
quiet 'a crawler', agent => 'Mozilla/5.0 (compatible; Googlebot/2.1; '
    . '+http://www.google.com/bot.html)', told => 0, \&trouble => '0 views';
quiet 'an HTTP library', agent => 'python-requests/2.31.0', told => 0,
    \&trouble => '0 views';
quiet 'a health check', agent => 'kube-probe/1.29', told => 0, \&trouble
    => '0 views';
quiet 'our own people', sub { trouble($_[0], Cookie => 'staff=1') } => '0 views';
quiet 'GPC', sub { trouble($_[0], 'Sec-GPC' => 1) } => '0 views';
quiet 'DNT', sub { trouble($_[0], DNT => 1) } => '0 views';
quiet 'opted out', sub { trouble($_[0], Cookie => 'cx_opt_out=1') } => '0 views';

# pages that nobody has seen yet
quiet 'prefetched', sub {
    trouble($_[0], 'Sec-Purpose' => 'prefetch', 'Sec-Fetch-User' => undef);
} => '0 views';
quiet 'prerendered', sub {
    trouble($_[0], 'Sec-Purpose' => 'prefetch;prerender',
            'Sec-Fetch-User' => undef);
} => '0 views';
quiet 'prefetched links between pages that are seen', sub {
    my ($v) = @_;
    $v->open('/a');
    $v->open($_, 'Sec-Purpose' => 'prefetch', ref => '/a',
             'Sec-Fetch-User' => undef) for '/b', '/c', '/a', '/b';
    $v->pass(12_000);
    $v->open('/b', ref => '/a');
} => '2 views';

# what people do
quiet 'post, redirect, get; three times', sub {
    my ($v) = @_;
    for (1 .. 3) {
        $v->open('/basket');
        $v->pass(11_000);
        $v->post('/basket/add', 'item=1', do => 'status=303 to=/basket');
    }
    $v->open('/basket');
} => '4 views';
quiet 'the same, within seconds', sub {
    my ($v) = @_;
    for (1 .. 3) {
        $v->open('/basket');
        $v->pass(900);
        $v->post('/basket', 'item=1', do => 'status=303 to=/basket');
    }
    $v->open('/basket');
} => '4 views';
quiet 'a form of three steps at one address', sub {
    my ($v) = @_;
    $v->open('/form/');
    $v->post('/form/', "step=$_&" . 'x' x (10 * $_)) for 1 .. 2;
    $v->post('/form/', 'step=3', do => 'status=303 to=/done');
    $v->open('/done');
} => '4 views';
quiet 'leafing through a list', sub {
    for my $n (1 .. 9) { $_[0]->open("/list?page=$n"); $_[0]->pass(4000) }
} => '9 views';
quiet 'leafing back and forth, and sorting', sub {
    for my $by (1, 2, 1, 2, 1) { $_[0]->open("/list?by=$by"); $_[0]->pass(4000) }
} => '5 views';
quiet 'leafing through results of one search', sub {
    for my $n (1 .. 9) { $_[0]->open("/find/?q=red&page=$n"); $_[0]->pass(4000) }
} => '9 views';
quiet 'ids that are folded to one page', sub {
    for my $n (1 .. 9) { $_[0]->open("/orders/$n"); $_[0]->pass(4000) }
} => '9 views';
quiet 'a list and its things, each looked at', sub {
    my ($v) = @_;
    for my $n (1 .. 4) {
        $v->open('/orders');
        $v->pass(15_000);
        $v->open("/orders/$n", ref => '/orders');
        $v->pass(20_000);
    }
} => '8 views';
quiet 'links opened in several tabs', sub {
    my ($v) = @_;
    $v->open('/a');
    $v->pass(3000);
    for ('/b', '/c', '/d') { $v->open($_, ref => '/a'); $v->pass(300) }
    $v->pass(5000);
    $v->open('/e', ref => '/b');
    $v->open('/f', ref => '/a');
} => '6 views';
quiet 'a link clicked twice', sub {
    my ($v) = @_;
    $v->open('/a');
    $v->give_up('/b', 180, ref => '/a');
    $v->open('/b', ref => '/a');
} => '3 views';
quiet 'a form sent by a double click', sub {
    my ($v) = @_;
    $v->open('/form/');
    $v->give_up('/form/', 150, body => 'a=b', ref => '/form/');
    $v->post('/form/', 'a=b', ref => '/form/', do => 'status=303 to=/done');
    $v->open('/done');
} => '3 views';
quiet 'signing in, by three redirects', sub {
    my ($v) = @_;
    $v->open('/own', do => 'status=302 to=/login');
    $v->open('/login');
    $v->pass(8000);
    $v->post('/login', 'a=b', do => 'status=303 to=/back');
    $v->open('/back', do => 'status=302 to=/own');
    $v->open('/own');
} => '2 views';
quiet 'one challenge for a password', sub {
    my ($v) = @_;
    $v->open('/own', do => 'status=401');
    $v->open('/own', Authorization => 'Basic dTpw');
    $v->open('/own/b', Authorization => 'Basic dTpw');
} => '3 views';
quiet 'an icon that is not there', sub {
    my ($v) = @_;
    $v->open('/a');
    $v->asset('/favicon.ico', 'image', ref => '/a', do => 'status=404');
    $v->asset('/apple-touch-icon.png', 'image', ref => '/a',
              do => 'status=404') for 1, 2;
} => '1 view';
quiet 'assets of pages elsewhere', sub {
    my ($v) = @_;
    $v->asset('/x.png', 'image', Referer => 'http://elsewhere/',
              do => 'status=404');
    $v->asset('/x.png', 'image', do => 'status=404');
} => '0 views';
quiet 'reading, back and forth', sub {
    my ($v) = @_;
    for ('/a', '/b', '/a', '/c', '/a') { $v->open($_); $v->pass(25_000) }
} => '5 views';
quiet 'a page that the browser has already', sub {
    my ($v) = @_;
    for (1 .. 3) { $v->open('/news', do => 'status=304'); $v->pass(45_000) }
} => '3 views';
quiet 'a help page, after a while without trouble', sub {
    my ($v) = @_;
    $v->open('/a');
    $v->open('/slow', do => 'after=700');
    $v->pages('/help/', '/help/contact');
} => '4 views';

$e->check;
is scalar(grep { $_->{type} eq 'signal' } $e->events), 0, 'none at all';

$t->done;
