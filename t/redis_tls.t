#!/usr/bin/perl

# TLS to Redis: who may be talked to, what is said of who may not, and that
# nothing is lost on the way.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Load;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $certs = $t->certs;
my $redis = $t->redis(tls => 1, appendonly => 'yes');

sub nginx_to {
    my ($words, %o) = @_;
    return $t->nginx(cx => 1, http => "cx_redis $words;\n"
        . 'cx_queue flush=20ms batch=20;',
        server => 'keepalive_requests 1000000;', %o);
}

# events wait: what is logged meanwhile
sub refused {
    my ($name, $words, $text, $reason) = @_;
    my $ngx = nginx_to($words);
    load($ngx, 0.3);
    my @lines;
    wait_for(sub { push @lines, news($ngx); $ngx->error_log =~ $text }, 8);
    sleep 0.5;
    push @lines, news($ngx);
    is scalar @lines, 1, "$name: logged once" or diag @lines;
    like $lines[0], $text, "$name: says why";
    cmp_ok $ngx->counter('redis_troubles', $reason // 'tls'), '>=', 1,
        "$name: counted";
    is $ngx->counter('delivered_events'), 0, "$name: nothing was delivered";
    $ngx->stop;
    return $ngx;
}

# all is well
my $ngx = nginx_to($redis->url, workers => 2);
once('verified', $redis, load($ngx, 0.5));
is scalar(news($ngx)), 0, 'verified: nothing in the log';

# it goes and comes
once('killed clients', $redis, load($ngx, 0.5, sub {
    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}));
my @marks = load($ngx, 0.6, sub { $redis->kill9 });
$redis->start;
once('restarted', $redis, @marks, load($ngx, 0.3));
news($ngx);

# large batches are written in pieces
my $big = nginx_to($redis->url, http => 'cx_redis ' . $redis->url . ";\n"
                   . 'cx_queue flush=300ms batch=500;');
$redis->pause;
@marks = load($big, 1.2);
$redis->cont;
once('large batches', $redis, @marks);
news($big);

# it does not answer
$redis->pause;
my $frozen = refused('frozen', $redis->url,
                     qr/no TLS handshake within 3000 ms/);
$redis->cont;

# not to be trusted
(my $port = $redis->tcp) =~ s/127\.0\.0\.1/localhost/;
my $ca = 'ca=' . $certs->ca;
refused('wrong authority', $redis->tcp . ' ca=' . $certs->stranger,
        qr/certificate verify failed: .*certificate/);
refused("the system's authorities", $redis->tcp,
        qr/certificate verify failed: .*certificate/);
refused('wrong name', $redis->tcp . " $ca name=db.example",
        qr/certificate verify failed: it is not for "db\.example"/);

my $by_name = nginx_to("$port $ca");
once('by name', $redis, load($by_name, 0.2));
my $unverified = nginx_to($redis->tcp . ' verify=off');
once('not verified', $redis, load($unverified, 0.2));

$certs->issue('db', 'DNS:db.example');
my $db = $t->redis(tls => 'db');
refused('no address in it', $db->tcp . " $ca",
        qr/certificate verify failed: it is not for "127\.0\.0\.1"/);
my $named = nginx_to($db->tcp . " $ca name=db.example");
once('name=', $db, load($named, 0.2));
is scalar(news($named)), 0, 'name=: nothing in the log';

# Redis asks who we are
my $asks = $t->redis(tls => 1, client_cert => 1, password => 's3cret');
my $client = nginx_to($asks->tcp(':s3cret@') . ' '
                      . join ' ', $asks->tls_words);
once('client certificate', $asks, load($client, 0.3));
is scalar(news($client)), 0, 'client certificate: nothing in the log';
my $without = refused('without client certificate',
                      $asks->tcp(':s3cret@') . " $ca",
                      qr/(?:TLS|handshake).*(?:certificate|alert)/i);
unlike $without->error_log, qr/s3cret/, 'no password in the log';

# one speaks TLS and the other does not
my $plain = $t->redis;
refused('plain Redis', 'rediss://' . $plain->addr . " $ca",
        qr/TLS handshake/);
refused('plain nginx', 'redis://' . $redis->addr, qr/connection lost/,
        'closed');

# the name that is asked for: only by it the server shows the right certificate
my $sni = free_port();
$t->spawn(name => 'openssl', cmd => ['/usr/bin/env', 'openssl', 's_server',
    '-accept', "127.0.0.1:$sni", '-www', '-servername', 'localhost',
    '-cert', $certs->cert('db'), '-key', $certs->key('db'),
    '-cert2', $certs->cert('server'), '-key2', $certs->key('server')],
    out => $t->dir . '/sni', err => $t->dir . '/sni.err');
wait_for(sub { IO::Socket::INET->new("127.0.0.1:$sni") }, 5);
my $asked = nginx_to("rediss://localhost:$sni $ca");
load($asked, 0.3);
ok wait_for(sub { $asked->error_log =~ /no reply within/ }, 8),
    'SNI: past the handshake, with one that is not Redis';
unlike $asked->error_log, qr/certificate verify failed/,
    'SNI: the name goes along';
$asked->stop;

# mistakes are told by nginx -t
for (["ca=$certs->{dir}/none", qr/none.*No such file/s],
     ["ca=" . $certs->key('server'), qr/\[emerg\]/],
     ["$ca cert=" . $certs->cert('client'), qr/cert=file and key=file/],
     ["$ca cert=" . $certs->cert('client') . ' key=' . $certs->key('db'),
      qr/key values mismatch/]) {
    my ($words, $text) = @$_;
    my ($status, $out) = $t->nginx_test(cx => 1,
        http => 'cx_redis ' . $redis->tcp . " $words;");
    ok $status ne '0', "$words: refused";
    like $out, $text, "$words: says why";
}

$t->done;
