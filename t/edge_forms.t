#!/usr/bin/perl

# The edge's signals of forms and searches, and the end of a visit: after 30
# minutes idle, on a clock that does not have to wait.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Visit;

my $t = Test::Cx->new;
my $e = Test::Cx::Visit->new($t, server => <<'EOT',
        location /form/ {
            cx_role form; cx_touchpoint pay; cx_stage buy;
            proxy_pass http://%%ORIGIN%%;
        }
        location /find/ { cx_role search=q; proxy_pass http://%%ORIGIN%%; }
        location /ask/ { cx_role form help search=q; proxy_pass http://%%ORIGIN%%; }
        location /ask/off/ { cx_role off; proxy_pass http://%%ORIGIN%%; }
        location /own/ {
            cx_role form; proxy_intercept_errors on; error_page 422 /sorry.html;
            proxy_pass http://%%ORIGIN%%;
        }
        location = /sorry.html { internal; }
EOT
    files => { 'html/sorry.html' => '<!doctype html><title>t</title><p>sorry' });

sub visit { $e->visit(@_) }

# form_resubmit, within 120 s
sub posts {
    my ($path, @posts) = @_;
    return sub {
        my ($v) = @_;
        my $n = 0;
        for my $post (@posts) {
            my ($do, $body, $gap) = @$post;
            $v->pass($gap // 500) if $n++;
            $v->post($path, $body // 'name=one', do => $do);
        }
    };
}
for my $status (400, 404, 409, 422) {
    visit "form_resubmit: after $status", posts('/f', ["status=$status"],
                                                ['status=303 to=/done'])
        => ($status == 422 ? () : "error_page /f =$status"),
           "form_resubmit /f =$status";
}
visit 'form_resubmit: after 500, at its place', posts('/pay/',
    ['status=500'], ['status=303 to=/done'])
    => 'error_page /pay/@pay/buy =500', 'form_resubmit /pay/@pay/buy =500';
visit 'form_resubmit: another body, after a refusal', posts('/f',
    ['status=422', 'a=1'], ['status=422', 'a=three']) => 'form_resubmit /f =422';
visit 'form_resubmit: a page, and the same again', posts('/f', [], [])
    => 'form_resubmit /f =200';
visit 'form_resubmit: a page, and then another body', posts('/f', [],
    [undef, 'name=three']) => '2 views';
visit 'form_resubmit: in 120 s', posts('/f', ['status=422'],
    ['status=422', undef, 120_000]) => 'form_resubmit /f =422';
visit 'form_resubmit: in 120.001 s', posts('/f', ['status=422'],
    ['status=422', undef, 120_001]) => '2 views';
visit 'form_resubmit: a double click', posts('/f', ['status=422'],
    ['status=422', undef, 499]) => '2 views';
visit 'form_resubmit: another form', sub {
    my ($v) = @_;
    $v->post('/f', 'a=b', do => 'status=422');
    $v->post('/g', 'a=b', do => 'status=422');
} => '2 views';
visit 'form_resubmit: corrected on its page', sub {
    my ($v) = @_;
    $v->open('/f');
    $v->post('/f', 'a=b', do => 'status=422');
    $v->open('/f');
    $v->pass(9000);
    $v->post('/f', 'a=bc', do => 'status=303 to=/done');
    $v->open('/done');
} => 'form_resubmit /f =422';
visit 'form_resubmit: refused with a page of nginx', posts('/own/f',
    ['status=422'], ['status=422']) => '2 views', 'form_resubmit /own/f =422';
visit 'form_resubmit: no form sends like this', sub {
    $_[0]->open('/own/f', method => 'DELETE', do => 'status=422');
} => '0 views';
visit 'form_resubmit: answered with a file of nginx', posts('/f',
    ['more=X-Accel-Redirect:/sorry.html'], ['more=X-Accel-Redirect:/sorry.html'])
    => '2 views', 'form_resubmit /f =200';
visit 'form_resubmit: twice, two signals', posts('/f', map { ['status=422'] }
                                                 1 .. 3)
    => ('form_resubmit /f =422') x 2;

# search_refine, 3 different queries within 120 s
sub queries {
    my ($gap, @queries) = @_;
    return sub {
        my ($v) = @_;
        for (@queries) { $v->open("/find/?$_"); $v->pass($gap) }
    };
}
visit 'search_refine: two', queries(1000, 'q=red', 'q=red+shoes') => '2 views';
visit 'search_refine: three', queries(60_000, 'q=red', 'x=1&q=red+shoes', 'q=boots')
    => '3 views', 'search_refine /find/ =3';
visit 'search_refine: three in 120.002 s', queries(60_001, 'q=a', 'q=b', 'q=c')
    => '3 views';
visit 'search_refine: the same again', queries(100, 'q=red', 'q=blue', 'q=red',
                                               'q=blue&page=2') => '4 views';
visit 'search_refine: case is no other query', queries(100, 'q=red', 'q=blue',
                                                       'q=RED') => '3 views';
visit 'search_refine: nothing is no query', queries(100, 'q=red', 'q=', 'x=1',
                                                    'q=blue') => '4 views';
visit 'search_refine: another argument', queries(100, 'p=a', 'p=b', 'p=c')
    => '3 views';
visit 'search_refine: another place', sub {
    $_[0]->pages('/x?q=a', '/x?q=b', '/x?q=c');
} => '3 views';
visit 'search_refine: a result looked at between', sub {
    my ($v) = @_;
    for ('/find/?q=a', '/r/a', '/find/?q=b', '/r/b', '/find/?q=c') {
        $v->open($_);
        $v->pass(11_000);
    }
} => '5 views', 'search_refine /find/ =3';

# several roles, and off
visit 'cx_role with three words', sub {
    my ($v) = @_;
    $v->open('/x', do => 'status=500');
    $v->pages('/ask/?q=a', '/ask/?q=b', '/ask/?q=c');
    $v->post('/ask/', 'a=b', do => 'status=303 to=/done');
} => 'error_page /x =500', 'help_seek /x -> /ask/ =0', 'search_refine /ask/ =3';
visit 'cx_role off', sub {
    my ($v) = @_;
    $v->open('/x', do => 'status=500');
    $v->pages('/ask/off/?q=a', '/ask/off/?q=b', '/ask/off/?q=c');
} => '4 views', 'error_page /x =500';

# form_abandon: by visits that end together
my $opened = $e->now;
my $left = visit 'form_abandon: a form, and no post', sub {
    $_[0]->open('/form/8123?secret=1');
} => '1 view', 'form_abandon /form/:id@pay/buy';
visit 'form_abandon: other pages after it', sub {
    $_[0]->pages('/form/', '/x', '/y');
} => '3 views', 'form_abandon /form/@pay/buy';
visit 'form_abandon: sent', sub {
    $_[0]->open('/form/');
    $_[0]->post('/form/', 'a=b', do => 'status=303 to=/done');
    $_[0]->open('/done');
} => '2 views';
visit 'form_abandon: sent, and answered with a file of nginx', sub {
    $_[0]->open('/form/');
    $_[0]->post('/form/', 'a=b', do => 'more=X-Accel-Redirect:/sorry.html');
} => '2 views';
visit 'form_abandon: sent to another address', sub {
    $_[0]->open('/form/');
    $_[0]->post('/take', 'a=b', do => 'status=303 to=/done', ref => '/form/');
} => '1 view';
visit 'form_abandon: sent by a script', sub {
    $_[0]->open('/form/');
    $_[0]->asset('/take', 'empty', body => 'a=b', ref => '/form/',
                 do => 'type=application/json');
} => '1 view';
visit 'form_abandon: never there', sub { $_[0]->open('/form/', do => 'status=404')
    } => '1 view', 'error_page /form/@pay/buy =404';
visit 'form_abandon: no form', sub { $_[0]->pages('/x', '/pay/') } => '2 views';

# a visit goes on for 30 minutes after its last request
my $on = $e->visitor('one visit: 29 minutes idle');
my $new = $e->visitor('two visits: 30 minutes idle');
for my $v ($on, $new) {
    $v->open('/x', do => 'status=500');
    $v->open('/y');
}
$on->expect('error_page /x =500', 'error_page /x =500', 'repeat_failure /x =500');
$new->expect('error_page /x =500', 'error_page /x =500');
$e->pass(1_799_000);
$on->open('/x', do => 'status=500');
$e->pass(1_500);
$new->open('/x', do => 'status=500');

# all others have ended, as has one that then begins again
my $back = $e->visitor('form_abandon: noticed when the visitor comes back');
$back->open('/form/');
$e->pass(1_801_000);
$back->open('/x', ref => '/form/');
$back->expect('2 views', 'form_abandon /form/@pay/buy');
wait_for { $e->nginx->counter('signals', 'form_abandon') == 3 } 5;
$e->check;

my ($abandon) = grep { $_->{name} eq 'form_abandon' } @{$left->{signals}};
cmp_ok abs($abandon->{ts} - $opened), '<', 10,
    'form_abandon belongs to the time when the form was seen';
is $abandon->{segment}, $left->{name}, '... and to its segment';
is join(' ', map { $_->{seen} } grep { $_->{name} eq 'form_abandon' }
        map { @{$_->{signals}} } $left, $back), '1 1', '... which was seen';
is join(' ', map { $_->{method} } grep { ($_->{page} // '') eq '/own/f' &&
        $_->{type} eq 'view' } $e->redis->events), 'POST POST',
    'a post stays one, whatever answers it';
cmp_ok $e->nginx->counter('visits_ended'), '>', 20, 'visits that ended';

my $all = join ' ', map { values %$_ } $e->redis->events;
unlike $all, qr/\b(?:red|shoes|boots|secret)\b/, 'no query is kept';

$t->done;
