#!/usr/bin/perl

# The edge's signals of the way from page to page: reload, quick_back,
# navigation_loop, redirect_chain.  As edge_signals.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Visit;

my $t = Test::Cx->new;
my $e = Test::Cx::Visit->new($t);

sub visit { $e->visit(@_) }

# reload, 3 views within 60 s
sub opens {
    my ($path, @gaps) = @_;
    return sub {
        my ($v) = @_;
        for my $gap (0, @gaps) { $v->pass($gap); $v->open($path) }
    };
}
visit 'reload: two views', opens('/pay/', 900) => '2 views';
visit 'reload: three', opens('/pay/?a=1', 900, 2000)
    => '3 views', 'reload /pay/@pay/buy =3';
visit 'reload: three in 60 s', opens('/x', 20_000, 40_000) => 'reload /x =3';
visit 'reload: three in 60.001 s', opens('/x', 20_000, 40_001) => '3 views';
visit 'reload: by an old browser', told => 0, opens('/x', 5000, 9000)
    => 'reload /x =3';
visit 'reload: quickly and evenly', told => 0, opens('/x', 2999, 2999)
    => 'reload /x =3';
visit 'reload: four views, one signal', opens('/x', 900, 2000, 900)
    => '4 views', 'reload /x =3';
visit 'reload: six views, two signals', opens('/x', map { 900 * $_ } 1 .. 5)
    => '6 views', 'reload /x =3', 'reload /x =3';
visit 'reload: clicked three times', opens('/x', 499, 499) => '3 views';
visit 'reload: another page between', sub {
    $_[0]->pages('/x', '/x', '/y');
    $_[0]->pass(20_000);
    $_[0]->pages('/x');
} => '4 views';
visit 'reload: a post between', sub {
    my ($v) = @_;
    $v->pages('/x', '/x');
    $v->pass(900);
    $v->post('/x', 'a=b');
    $v->pass(900);
    $v->open('/x');
} => '4 views';
visit 'reload: another query between', sub {
    $_[0]->pages('/x?n=1', '/x?n=1', '/x?n=2', '/x?n=1');
} => '4 views';
for ([ 3000 => 'reload /pay/@pay/buy =1' ], [ 3001 ]) {
    my ($gap, @more) = @$_;
    visit "reload: asked again $gap ms after a wait", sub {
        my ($v) = @_;
        $v->give_up('/pay/', 1000);
        $v->pass($gap);
        $v->open('/pay/');
    } => '2 views', 'aborted_wait /pay/@pay/buy =1000 up', @more;
}

visit 'reload: another query after a wait', sub {
    my ($v) = @_;
    $v->give_up('/x?n=1', 1000);
    $v->open('/x?n=2');
} => '2 views', 'aborted_wait /x =1000 up';

# quick_back, 10 s
for ([ 9999 => 'quick_back /b -> /a =9999' ], [ 10_000 ]) {
    my ($ms, @more) = @$_;
    visit "quick_back: after $ms ms", sub {
        my ($v) = @_;
        $v->pages('/a', '/b');
        $v->pass($ms);
        $v->open('/a');
    } => '3 views', @more;
}
visit 'quick_back: counts where it was', sub {
    $_[0]->pages('/a', '/pay/', '/a');
} => 'quick_back /pay/@pay/buy -> /a =700';

visit 'quick_back: and there again', sub {
    for ('/a', '/b', '/a', '/b') { $_[0]->open($_); $_[0]->pass(900) }
} => 'quick_back /b -> /a =900', 'navigation_loop /a -> /b';
visit 'quick_back: not by a redirect', sub {
    my ($v) = @_;
    $v->pages('/a', '/b');
    $v->open('/home', do => 'status=302 to=/a');
    $v->open('/a');
} => '3 views';
visit 'quick_back: not after a post', sub {
    my ($v) = @_;
    $v->pages('/a', '/b');
    $v->pass(900);
    $v->post('/save', 'a=b', do => 'status=303 to=/saved');
    $v->pass(2001);
    $v->open('/a');
} => '3 views';

# navigation_loop, 120 s
for ([ 40_000 => 'navigation_loop /pay/@pay/buy -> /b' ], [ 40_001 ]) {
    my ($ms, @more) = @$_;
    visit "navigation_loop: three times $ms ms", sub {
        my ($v) = @_;
        for ('/pay/', '/b', '/pay/') { $v->open($_); $v->pass($ms) }
        $v->open('/b');
    } => '4 views', @more;
}

# redirect_chain, 4
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
visit 'redirect_chain: three', redirects(3, '/pay/') => '1 view';
visit 'redirect_chain: four', redirects(4, '/pay/')
    => '1 view', 'redirect_chain /pay/@pay/buy =4';
for ([ 2000 => 'redirect_chain /x =4' ], [ 2001 ]) {
    my ($ms, @more) = @$_;
    visit "redirect_chain: $ms ms between", sub {
        my ($v) = @_;
        redirects(2)->($v);
        $v->pass($ms);
        redirects(2, '/x')->($v);
    } => '1 view', @more;
}
visit 'redirect_chain: seven', redirects(7, '/x') => 'redirect_chain /x =7';
visit 'redirect_chain: nineteen without a page', redirects(19) => '0 views';
visit 'redirect_chain: twenty, and no page', redirects(20)
    => '0 views', 'redirect_chain /r/t =20';

$e->check;
$t->done;
