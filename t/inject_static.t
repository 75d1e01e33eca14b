#!/usr/bin/perl

# Injection into static files: every way nginx reads and sends them, and what
# becomes of length, validators and ranges.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;
use Test::Cx;
use Test::Cx::Pages;
use Time::HiRes qw(sleep);

my $t = Test::Cx->new;

# bytes that differ everywhere, so that a wrong offset shows
sub page {
    my ($size, $start) = @_;
    my $text = $start;
    for (my $i = 0; length $text < $size; $i++) {
        $text .= sprintf "<p>%07d %s</p>\n", $i, $i * 7919 % 1000003;
    }
    return substr $text, 0, $size;
}

my $start = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>t</title>\n";
my %page = (
    'small.html' => page(5_000, $start),
    'large.html' => page(700_000, $start),
    'exact.html' => "<!doctype html><html><head>",
    'nohead.html' => page(40_000, "<!doctype html>\n<p>no head here\n"),
    'none.html' => '<!doctype html><html><!-- and that was it -->',
    'late.html' => page(40_000, "<!--" . 'c' x 3000 . "-->$start"),
);
my %files = map { ("html/$_" => $page{$_}) } keys %page;

my %way = (
    sendfile => 'sendfile on;',
    chunk => 'sendfile on; sendfile_max_chunk 16k; tcp_nopush on;',
    read => 'sendfile off;',
    threads => 'sendfile off; aio threads;',
    sendthreads => 'sendfile on; aio threads;',
    direct => 'directio 512; output_buffers 2 32k;',
    directthreads => 'directio 512; aio threads;',
    cache => 'sendfile on; open_file_cache max=10;',
    tiny => 'sendfile off; output_buffers 1 1k;',
    rate => 'limit_rate 20m;',
    postpone => 'postpone_output 0; sendfile on;',
);
my $server = join '', map { "location /$_/ { alias html/; $way{$_} }\n" }
    sort keys %way;
$server .= "location /gzip/ { alias html/; gzip on; gzip_min_length 1; }\n";
$server .= "location /etagoff/ { alias html/; etag off; }\n";

my $ngx = $t->nginx(redis => $t->redis, cx => 1, files => \%files,
    server => 'listen 127.0.0.1:%%PORT%%; '
        . "listen 127.0.0.1:%%PORT:slow%% sndbuf=8k;\n$server");

sub right {
    my ($name, $body) = @_;
    return padded($page{$name}, $body) ? 'same' : 0 if $name eq 'none.html';
    my ($rest) = one_tag($body);
    return defined $rest && $rest eq $page{$name} ? 'tag' : 0;
}

for my $way (sort keys %way) {
    my $c = $ngx->connect;
    my @bad;
    for my $name (sort keys %page) {
        my @dest = ('Sec-Fetch-Dest' => 'document');
        my $r = $c->get("/$way/$name", @dest);
        push @bad, "$name: bytes" if !right($name, $r->{body});
        push @bad, "$name: incomplete" if !$r->{complete};
        push @bad, "$name: chunked" if $r->{chunked};
        my ($rest, $tag) = one_tag($r->{body});
        $tag = substr $r->{body}, length $page{$name} if $name eq 'none.html';
        push @bad, "$name: length"
            if $r->{headers}{'content-length'}
               != length($page{$name}) + length $tag;

        my $head = $c->request("/$way/$name", method => 'HEAD', @dest);
        for ($head, $r) { delete $_->{headers}{date} }
        is_deeply $head->{headers}, $r->{headers}, "$way/$name: HEAD as GET";
    }
    push @bad, "$_: without Sec-Fetch-Dest"
        for grep { !right($_, $c->get("/$way/$_")->{body}) } sort keys %page;
    is "@bad", '', "$way: every page";
}

# HTTP/1.0, with and without keep-alive
my $r = $ngx->get('/sendfile/small.html', http => '1.0', Connection => undef);
ok right('small.html', $r->{body}), 'HTTP/1.0';
ok $r->{headers}{'content-length'} && $r->{eof}, 'HTTP/1.0: length, closed';
my $c = $ngx->connect;
for (1, 2) {
    $r = $c->get('/read/large.html', http => '1.0',
                 Connection => 'keep-alive');
    ok right('large.html', $r->{body}), "HTTP/1.0 kept alive, request $_";
}

# requests sent all at once
$c = $ngx->connect;
my @names = ('small.html', 'none.html', 'large.html', 'nohead.html');
$c->send(join '', map { Test::Cx::Http::build("/sendfile/$_") } @names);
ok right($_, $c->response->{body}), "pipelined $_" for @names;

# a slow reader
for my $way ('read', 'sendfile', 'tiny', 'threads') {
    $c = $ngx->connect(port => $ngx->port('slow'));
    $c->send(Test::Cx::Http::build("/$way/large.html"));
    sleep 0.1;
    ok right('large.html', $c->response->{body}), "slow reader, $way";
}

# validators
$r = $ngx->get('/sendfile/small.html');
my $etag = $r->{headers}{etag};
like $etag, qr{^W/"[^"]+"$}, 'the entity tag is weak';
my $again = $ngx->get('/sendfile/small.html', 'If-None-Match' => $etag);
is $again->{status}, 304, 'If-None-Match: 304';
is $again->{body}, '', '304 has no body';
is $again->{headers}{'content-length'}, undef, '304 has no length';
is $again->{rest}, '', '304 is followed by nothing';
my $date = POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT',
    gmtime((stat $ngx->dir . '/html/small.html')[9]));
$again = $ngx->get('/sendfile/small.html', 'If-Modified-Since' => $date);
is $again->{status}, 304, 'If-Modified-Since: 304';
$again = $ngx->get('/sendfile/small.html', 'If-None-Match' => '"other"');
is $again->{status}, 200, 'another entity tag: 200';
ok right('small.html', $again->{body}), 'another entity tag: the page';
$r = $ngx->get('/etagoff/small.html');
ok right('small.html', $r->{body}), 'without entity tag';
is $r->{headers}{etag}, undef, 'no entity tag is made up';

# ranges: the whole page, or just what was asked for
for my $range ('bytes=0-99', 'bytes=20-400', 'bytes=-50', 'bytes=4990-',
               'bytes=0-9,4000-4009', 'bytes=999999-') {
    my $full = $ngx->get('/sendfile/small.html')->{body};
    $r = $ngx->get('/sendfile/small.html', Range => $range);
    if ($r->{status} == 206 && $range !~ /,/) {
        my ($from, $to) = $r->{headers}{'content-range'} =~ /(\d+)-(\d+)/;
        is $r->{body}, substr($full, $from, $to - $from + 1), "$range: 206";
    } else {
        is $r->{status}, 200, "$range: 200";
        is $r->{body}, $full, "$range: the whole page";
        ok !$r->{headers}{'accept-ranges'}, "$range: no ranges promised";
    }
}

# gzip by nginx comes after
for my $name (sort keys %page) {
    $r = $ngx->get("/gzip/$name", 'Accept-Encoding' => 'gzip');
    is $r->{headers}{'content-encoding'}, 'gzip', "$name: gzip";
    my $plain = '';
    gunzip \$r->{body}, \$plain;
    ok right($name, $plain), "$name: gzip holds the page";
    ok $r->{complete}, "$name: gzip is complete";
    my $head = $ngx->head("/gzip/$name", 'Accept-Encoding' => 'gzip',
                          'Sec-Fetch-Dest' => 'document');
    is $head->{headers}{'content-length'}, $r->{headers}{'content-length'},
        "$name: gzip, HEAD";
}

# HTTP/2
my $h2 = $t->nginx(redis => $t->redis, cx => 1, listen => 'http2',
                   server => $server, files => \%files);
for my $way ('sendfile', 'read', 'tiny', 'threads') {
    for my $name (sort keys %page) {
        $r = $h2->h2("/$way/$name");
        ok right($name, $r->{body}) && $r->{complete}, "h2 $way/$name";
        is $r->{headers}{'content-length'}, length $r->{body},
            "h2 $way/$name: length";
    }
}
$r = $h2->h2('/sendfile/small.html', method => 'HEAD',
             'Sec-Fetch-Dest' => 'document');
is $r->{headers}{'content-length'},
    length $h2->h2('/sendfile/small.html')->{body}, 'h2 HEAD: length';
$etag = $r->{headers}{etag};
is $h2->h2('/sendfile/small.html', 'If-None-Match' => $etag)->{status}, 304,
    'h2 304';

# what stands behind the insertion point is still sent from the file
SKIP: {
    my $debug = $t->nginx(redis => $t->redis, cx => 1, files => \%files,
        main => 'error_log logs/error.log debug;',
        server => 'location /sendfile/ { alias html/; sendfile on; }');
    $debug->get('/sendfile/large.html');
    skip 'nginx without --with-debug', 1 if $debug->error_log !~ /\[debug\]/;
    my $sent = 0;
    my $log = $debug->error_log;
    $sent += $1 while $log =~ /sendfile: (\d+) of \d+ \@\d+/g;
    cmp_ok $sent, '>', length($page{'large.html'}) - 5000, 'sendfile is kept';
}

$t->done;
