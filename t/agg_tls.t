#!/usr/bin/perl

# The client of aggregator and cxctl over TLS: whom it believes, what it shows
# of itself, and what it says when it is refused.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $certs = $t->certs;
my $ca    = 'ca=' . $certs->ca;

# status, events not yet counted or undef, message
sub lag {
    my ($words, @args) = @_;
    my ($status, $out, $err) = $t->ctl('lag', '--redis', $words, '--site',
                                       'shop', '--json', @args);
    return ($status, $status eq '0' ? json($out)->[0]{unread} : undef, $err);
}

sub works {
    my ($words, $n, $name) = @_;
    is_deeply [lag($words)], [0, $n, ''], $name;
}

sub refused {
    my ($words, $re, $name) = @_;
    my ($status, undef, $err) = lag($words);
    is $status, 2, "$name: refused";
    like $err, qr/\Acxctl: rediss?:[^\n]*: $re\n\z/, "$name: said";
}

my $redis = $t->redis(tls => 1);
my $s     = Test::Cx::Stream->new($redis, 'shop');
my $addr  = '127.0.0.1:' . $redis->port;
my $local = 'localhost:' . $redis->port;
$s->view("/page$_") for 1 .. 2000;
my $n = $s->send;

# the server's certificate
works("rediss://$addr $ca", $n, 'an address in the certificate');
works("rediss://$local $ca", $n, 'a name in it, whose addresses are tried');
works("rediss://$addr $ca name=localhost", $n, 'a name that was told');
works("rediss://$addr verify=off", $n, 'whoever it is');
refused("rediss://$addr", qr/TLS: the server's certificate is refused: .+/,
        'unknown to the system');
refused("rediss://$addr ca=" . $certs->stranger,
        qr/TLS: the server's certificate is refused: .+/, 'another authority');
refused("rediss://$addr $ca name=db.example",
        qr/TLS: the server's certificate is refused: [Hh]ostname mismatch/,
        'another name');
refused("rediss://$addr $ca name=127.0.0.2",
        qr/TLS: the server's certificate is refused: IP address mismatch/,
        'another address');
refused("rediss://$addr ca=/nonexistent/ca.pem",
        qr{TLS: ca "/nonexistent/ca\.pem": .+}, 'no file');
my $junk = $t->dir . '/junk.pem';
write_file($junk, "no certificate\n");
refused("rediss://$addr ca=$junk", qr{TLS: ca "\Q$junk\E": .+}, 'no PEM');

# a certificate for a name that DNS does not know
$certs->issue('db', 'DNS:db.example,DNS:*.wild.example');
my $named = $t->redis(tls => 'db');
my $at    = '127.0.0.1:' . $named->port;
$named->cmd('XADD', 'cx:{shop}:events', '*', 'type', 'view');
refused("rediss://$at $ca", qr/TLS: .*IP address mismatch/, 'only a name');
works("rediss://$at $ca name=db.example", 1, 'that name');
works("rediss://$at $ca name=a.wild.example", 1, 'any of many');
refused("rediss://$at $ca name=a.b.wild.example",
        qr/TLS: .*[Hh]ostname mismatch/, 'not below');

# the client's certificate
my $asks = $t->redis(tls => 1, client_cert => 1, password => 'geheim');
my $who  = '127.0.0.1:' . $asks->port;
$asks->cmd('XADD', 'cx:{shop}:events', '*', 'type', 'view');
my ($cert, $key) = ('cert=' . $certs->cert('client'),
                    'key=' . $certs->key('client'));
works("rediss://:geheim\@$who $ca $cert $key", 1, 'certificate and password');
refused("rediss://:geheim\@$who $ca", qr/TLS: failed: .*alert.*/,
        'no certificate');
refused("rediss://:wrong\@$who $ca $cert $key", qr/WRONGPASS .*/,
        'wrong password');
refused("rediss://:geheim\@$who $ca $cert key=" . $certs->key('server'),
        qr/TLS: key "\S+": .+/, 'the key of another');
refused("rediss://:geheim\@$who $ca cert=$junk $key", qr/TLS: cert "\S+": .+/,
        'no certificate in the file');
refused("rediss://:geheim\@$who $ca $cert key=/nonexistent",
        qr{TLS: key "/nonexistent": .+}, 'no key');
my ($lock) = $t->run('/usr/bin/env', 'openssl', 'ec', '-aes128', '-in',
                     $certs->key('client'), '-passout', 'pass:x', '-out',
                     $t->dir . '/locked.key');
is $lock, 0, 'a key with a password';
refused("rediss://:geheim\@$who $ca $cert key=" . $t->dir . '/locked.key',
        qr/TLS: key "\S+": .+/, 'nobody asks for the password of a key');

# who speaks no TLS, and who says nothing
my $plain = $t->redis;
refused("redis://$addr", qr/.+/, 'plain client');

sub once {
    my ($words) = @_;
    my $start = time;
    my ($status, undef, $err) = $t->aggregate('--once', '--timeout', '500ms',
                                              '--redis', $words);
    is $status, 1, 'an end';
    cmp_ok time - $start, '<', 5, 'in time';
    return $err;
}
like once("rediss://127.0.0.1:" . $plain->port . " $ca"),
    qr/TLS: handshake: timed out/, 'a plain server waits for a line, said';
$redis->pause;
like once("rediss://$addr $ca"), qr/TLS: handshake: timed out/,
    'a server that hangs, said';
$redis->cont;

# the same counters as without TLS
my $other = $t->redis;
my $twin  = Test::Cx::Stream->new($other, 'shop');
$twin->view("/page$_") for 1 .. 2000;
$twin->send;
is +($t->aggregate('--once', '--redis', $other->url))[0], 0, 'without TLS';
my ($st, undef, $said) = $t->aggregate('--once', '--redis', $redis->url);
is $st, 0, 'with TLS' or diag $said;
my @pages = map {
    my ($rc, $out) = $t->ctl('pages', '--redis', $_, '--limit', 0, '--json');
    [map { join ' ', @$_{qw(page views)} } @{json($out)->{pages}}];
} $redis->url, $other->url;
is scalar @{$pages[0]}, 2000, 'all pages';
is_deeply [sort @{$pages[0]}], [sort @{$pages[1]}], 'the same counters';
is +($t->ctl('check', '--redis', $redis->url))[0], 0, 'which agree';

# an authority that is renewed while the aggregator runs
my $file = $t->dir . '/renewed.pem';
write_file($file, read_file($certs->stranger));
my $agg = $t->spawn(name => 'aggregator', err => $t->dir . '/agg.err',
                    out => $t->dir . '/agg.out',
                    cmd => [$t->build . '/cx-aggregator', '--redis',
                            "rediss://$addr ca=$file", '--site', 'shop']);
ok wait_for(sub { $agg->err =~ /certificate is refused/ }, 10),
    'the aggregator refuses a server';
write_file($file, read_file($certs->ca));
$s->view('/page1');
$s->send;
ok wait_for(sub { (lag($redis->url))[1] == 0 }, 20),
    'and needs no restart when it may believe it' or diag $agg->err;
$agg->stop;

$t->done;
