#!/usr/bin/perl

# Injection oracle: real pages, and awkward ones, cut into buffers at every
# place; what comes out is the page and one script in head, nothing else.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Pages;

use constant BUFFER => 1024;     # proxy_buffer_size of the cutting locations

my $t = Test::Cx->new;

my @corpus = corpus(40);
cmp_ok scalar @corpus, '>=', 20, 'real pages to inject into';

# name, page, what must become of it: tag, or same (white space may follow)
my @awkward = (
    ['bom', "\xEF\xBB\xBF<!DOCTYPE html><html><head><title>x</title>"],
    ['bom, text', "\xEF\xBB\xBFhello"],
    ['head in comment', '<!-- <head> --><!doctype html><html><head><p>x'],
    ['comments all over', '<!-- a --><!doctype html><!-- b --><html><!-- c -->'
        . '<head><!-- d --><title>x</title>'],
    ['> in quotes', '<!doctype html><html a="x>y" b=\'<head>\'><head c=">">x'],
    ['> right after =', '<html a=><head>x'],
    ['quote in unquoted value', '<html a=x"y><head>x'],
    ['slash in html', '<html/><head/><title>x</title>'],
    ['odd attributes', "<html =a b/c d = e><head\n\tf=g >x"],
    ['no head', '<!doctype html><html><title>x</title><p>y'],
    ['no html', '<!doctype html><title>x</title><p>y'],
    ['no doctype', '<head><title>x</title></head>y'],
    ['body first', '<body class="a">x'],
    ['comment, body', '<!doctype html><html><!-- c --><body>x'],
    ['text only', 'just words'],
    ['text after space', " \t\r\n\f just words"],
    ['text after html', '<html> just words'],
    ['entity', '&nbsp;x'],
    ['less-than text', '<3 you'],
    ['less-than less-than', '<<head>'],
    ['upper case', '<!DOCTYPE HTML><HTML LANG="EN"><HEAD><TITLE>X</TITLE>'],
    ['mixed case', '<hTmL><hEaD>x'],
    ['header first', '<!doctype html><header>x</header>'],
    ['heading', '<!doctype html><html><headline>x'],
    ['he first', '<!doctype html><he>x'],
    ['htmlx first', '<!doctype html><htmlx>x'],
    ['h1 first', '<h1>x</h1>'],
    ['frameset', '<html><frameset cols="*,*"><frame src="a"></frameset>'],
    ['frameset with head', '<head></head><frameset><frame></frameset>'],
    ['stray end tags', '</p></div><!doctype html></b><html></i></head>x'],
    ['end of head', '<!doctype html><html></head><body>x'],
    ['end of br', '<!doctype html></br>x'],
    ['end of body', '<html></body>x'],
    ['end of html', '</html>x'],
    ['end tag with attributes', '</p a=">"><head>x'],
    ['empty end tag', '</><html><head>x'],
    ['bogus end tag', '</ head><html><head>x'],
    ['nameless end tag', '</3 x><html><head>x'],
    ['abrupt comment', '<!--><head>x'],
    ['abrupt comment 2', '<!---><head>x'],
    ['comment with dashes', '<!-- a -- b --- c --><head>x'],
    ['comment ends by --!>', '<!-- a --!><head>x--><head>'],
    ['comment -- >', '<!-- a -- ><head> --><html><head>x'],
    ['comment <!--', '<!-- <!-- a --><head>x'],
    ['comment <!-->', '<!--a<!--><head>x'],
    ['bogus comment', '<!bogus "x>"><head>x'],
    ['one dash', '<!-x><head>x'],
    ['cdata', '<![CDATA[ <head> ]]><html><head>x'],
    ['xml declaration', '<?xml version="1.0" encoding="UTF-8"?>'
        . '<!DOCTYPE html><html><head><title>x</title>'],
    ['> in processing instruction', '<?php echo ">" ?><html><head>x'],
    ['doctype, > in id', '<!DOCTYPE html PUBLIC "a>b"><html><head>x'],
    ['doctype, no name', '<!DOCTYPE><html><head>x'],
    ['doctype, no space', '<!DOCTYPEhtml><html><head>x'],
    ['doctype, internal subset', '<!DOCTYPE html [<!ENTITY a "b">]><head>x'],
    ['doctype twice', '<!doctype html><!doctype html><html><head>x'],
    ['doctype in comment', '<!--<!doctype html>--><html><head>x'],
    ['html twice', '<html a=1><html b=2><head>x'],
    ['space and lines', "\n\n<!doctype html>\r\n\n<html>\n\n\t<head>\n  x"],
    ['script first', '<!doctype html><script>"<head>"</script><head>'],
    ['noscript first', '<noscript><p>x</noscript>'],
    ['template first', '<!doctype html><template><head></template>'],
    ['base first', '<!doctype html><base href="/x/"><link rel=a href=b>'],
    ['policy', '<head><meta http-equiv="Content-Security-Policy" '
        . 'content="script-src \'self\'">x'],
    ['svg first', '<svg><head></svg>x'],
    ['table first', '<table><tr><td>x</table>'],
    ['own script', '<head><script src="/a.js"></script>'],

    ['white space only', "\n\n  \n", 'same'],
    ['comment only', '<!-- nothing -->', 'same'],
    ['doctype only', "<!doctype html>\n", 'same'],
    ['open comment', '<!doctype html><!-- never ends <head>', 'same'],
    ['open tag', '<!doctype html><html class="a', 'same'],
    ['cut head', '<!doctype html><hea', 'same'],
    ['one byte', '<', 'same'],
    ['nul', "<!doctype html>\0<html><head>x", 'same'],
    ['utf-16', "\xFF\xFE<\0h\0e\0a\0d\0>\0x\0", 'same'],
    ['utf-16 be', "\xFE\xFF\0<\0h\0e\0a\0d\0>\0x", 'same'],
);
my $comment = '<!-- ' . 'long words ' x 900 . '-->';
my @long = (
    ['long comment', "<!doctype html>$comment<html><head><p>x", 'any'],
    ['long attribute', '<html a="' . 'x' x 9000 . '"><head><p>x', 'any'],
    ['long white space', ' ' x 9000 . '<html><head><p>x', 'any'],
);

my @page = (@corpus, @awkward, @long);


# path: /<on|off>/<how>/<page>/<cut>
my $origin = $t->origin(sub {
    my ($req, $c) = @_;
    my (undef, undef, $how, $n, $cut) = split m{/}, $req->{path};
    my $body = $page[$n][1];
    my @head = ('Content-Type' => 'text/html');

    if ($how eq 'cut') {
        # head and first bytes fill nginx's buffer, so that the cut is exact;
        # by turns with length and chunked
        my $first = $cut;
        if ($cut % 2) {
            push @head, 'Content-Length' => length $body;
        } else {
            $body = sprintf "%x\r\n%s\r\n0\r\n\r\n", length $body, $body;
            $first += index($body, "\r\n") + 2;
            push @head, 'Transfer-Encoding' => 'chunked';
        }
        my $size = length http_head(200, @head, 'X-Pad' => '');
        push @head, 'X-Pad' => 'x' x (BUFFER - $size - $first);
        return send_split($c, http_head(200, @head) . $body);
    }
    if ($how eq 'bytes') {
        # each chunk becomes a buffer of its own
        my $text = '';
        my $one = length $body < 700 ? length $body : 700;
        $text .= "1\r\n" . substr($body, $_, 1) . "\r\n" for 0 .. $one - 1;
        my $rest = substr $body, $one;
        $text .= sprintf "%x\r\n%s\r\n", length $rest, $rest if $rest ne '';
        return send_split($c, http_head(200, @head, 'Transfer-Encoding' =>
                                        'chunked') . $text . "0\r\n\r\n");
    }
    push @head, 'Content-Length' => length $body;
    my $head = http_head(200, @head);
    return send_split($c, $head . $body) if $how eq 'plain';

    # packets
    my $l = length $head;
    return send_split($c, $head . $body, $l, map { $l + $_ } split /,/, $cut);
});

my $http = <<"EOT";
    upstream o { server @{[ $origin->addr ]}; keepalive 8; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_hide_header X-Pad;
EOT
my $server = <<"EOT";
        location /on/ { proxy_pass http://o; }
        location /off/ { proxy_pass http://o; proxy_buffering off; }
        location /on/cut/ {
            proxy_pass http://o;
            proxy_buffer_size @{[ BUFFER ]};
            proxy_buffers 8 4k;
        }
        location /off/cut/ {
            proxy_pass http://o;
            proxy_buffering off;
            proxy_buffer_size @{[ BUFFER ]};
        }
EOT

my $ngx = $t->nginx(redis => $t->redis, cx => 1, http => $http,
                    server => "keepalive_requests 100000;\n$server");
my $c = $ngx->connect;
my @plain;

sub fetch {
    my ($path, $n) = @_;
    my @dest = $n >= @corpus ? ('Sec-Fetch-Dest' => 'document') : ();
    my $r = $c->get($path, @dest);
    $c = $ngx->connect if !$r->{complete};
    return $r;
}

# what is wrong with an answer, or ''
sub wrong {
    my ($r, $n) = @_;
    my ($name, $page, $want) = @{$page[$n]};
    return "status $r->{status}" if $r->{status} != 200;
    return 'incomplete' if !$r->{complete};
    my ($rest) = one_tag($r->{body});
    if (($want // 'tag') ne 'tag' && !defined $rest) {
        return padded($page, $r->{body}) ? '' : 'not the page';
    }
    return 'injected' if ($want // '') eq 'same';
    return 'no tag' if !defined $rest;
    return $rest eq $page ? '' : 'not the page';
}

my @bad;
for my $n (0 .. $#page) {
    for my $mode ('on', 'off') {
        my $r = fetch("/$mode/plain/$n/0", $n);
        my $wrong = wrong($r, $n);
        push @bad, "$page[$n][0]: $mode: $wrong" if $wrong;
        $plain[$n]{$mode} = $r->{body};
    }
}
is "@bad[0 .. ($#bad > 9 ? 9 : $#bad)]", '',
    scalar @page . ' pages minus the tag are the pages';

# tags name the page they are on, so that only the rest can be compared
sub same_place {
    my ($body, $n) = @_;
    my @a = one_tag($body);
    my @b = one_tag($plain[$n]{on});
    return "@a[2 .. $#a]" eq "@b[2 .. $#b]";
}

my @trees = map { [$page[$_][0], $page[$_][1], $plain[$_]{on}] }
    grep { defined((one_tag($plain[$_]{on}))[0]) } 0 .. $#page;
my @differ = tree_compare($t, @trees);
is scalar @differ, 0, scalar @trees . ' trees have one script more in head'
    or diag(join "\n", @differ[0 .. ($#differ > 9 ? 9 : $#differ)]);

sub all_of {
    my ($what, @requests) = @_;
    my @bad;
    for (@requests) {
        my ($path, $n) = @$_;
        my $r = fetch($path, $n);
        my $wrong = wrong($r, $n);
        $wrong ||= 'another place' if !same_place($r->{body}, $n);
        push @bad, "$page[$n][0] $path: $wrong" if $wrong;
    }
    is scalar @bad, 0, "$what: " . @requests
        or diag(join "\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]);
}

my @by_size = sort { length $page[$a][1] <=> length $page[$b][1] }
    grep { length $page[$_][1] > 2000 } 0 .. $#corpus;
my @three = @by_size[0, @by_size / 3, @by_size / 2];
for my $mode ('on', 'off') {
    all_of("every cut of the first 512 bytes, proxy_buffering $mode",
           map { my $n = $_; map { ["/$mode/cut/$n/$_", $n] } 1 .. 512 }
               @three);
    all_of("one byte a buffer, proxy_buffering $mode",
           map { ["/$mode/bytes/$_/0", $_] } 0 .. $#page);
}
all_of('every cut of the awkward pages',
       map { my $n = $_;
             my $last = length($page[$n][1]) - 1;
             map { ["/off/cut/$n/$_", $n] } 1 .. ($last > 80 ? 80 : $last) }
           @corpus .. @corpus + $#awkward);
all_of('packets', map { my $n = $_;
                        map { ["/$_/packets/$n/1,20,21,60,300,511", $n] }
                            'on', 'off' } @by_size[0 .. 7], @corpus + 3);

$t->done;
