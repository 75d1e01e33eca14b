#!/usr/bin/perl

# What a connection to Redis meets besides Redis: nobody, somebody else, one
# who hangs up, too many, no connection to be had.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use Test::Cx;
use Test::Cx::Load;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;

sub nginx_to {
    my ($words, %o) = @_;
    return $t->nginx(cx => 1, http => "cx_redis $words;\n"
        . 'cx_queue size=16m flush=20ms;',
        server => 'keepalive_requests 1000000;', %o);
}

# answers each connection, by a process of its own, until the test ends
sub stranger {
    my ($code) = @_;
    my $l = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1',
                                  ReuseAddr => 1) or die "listen: $!";
    my $port = $l->sockport;
    my $file = $t->dir . "/stranger$port";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        $SIG{PIPE} = 'IGNORE';
        alarm 60;
        my @held;
        while (my $c = $l->accept) {
            open my $fh, '>>', $file;
            print $fh "x";
            close $fh;
            push @held, $code->($c);
        }
        POSIX::_exit(0);
    }
    return ($port, $pid, sub { -s $file || 0 });
}

# what is said is said once, while it is tried again
sub meets {
    my ($name, $text, $code) = @_;
    my ($port, $pid, $tries) = stranger($code);
    my $ngx = nginx_to("redis://127.0.0.1:$port");
    my $begun = time;
    load($ngx, 0.3);
    my @lines;
    wait_for(sub { push @lines, news($ngx); @lines && $tries->() >= 3 }, 10);
    push @lines, news($ngx);
    is scalar @lines, 1, "$name: logged once" or diag @lines;
    like $lines[0] // '', $text, "$name: says why";
    cmp_ok $tries->(), '>=', 3, "$name: tried again";
    cmp_ok $tries->(), '<=', 12 * (time - $begun + 1), "$name: not too often";
    my $quit = time;
    is $ngx->quit(6), 0, "$name: the worker goes";
    cmp_ok time - $quit, '<', 4, "$name: in time";
    kill 'KILL', $pid;
    waitpid $pid, 0;
}

meets('hangs up', qr/connection lost/, sub { close $_[0]; () });
meets('no Redis', qr/does not speak the protocol/, sub {
    syswrite $_[0], "HTTP/1.1 400 Bad Request\r\n\r\n";
    $_[0];
});
meets('too eager', qr/unexpected reply|protocol/, sub {
    syswrite $_[0], "+OK\r\n" x 9;
    $_[0];
});
meets('too many', qr/max number of clients/, sub {
    syswrite $_[0], "-ERR max number of clients reached\r\n";
    close $_[0];
    ();
});
meets('odd reply', qr/unexpected reply/, sub {
    my ($c) = @_;
    sysread $c, my $buf, 65536;
    syswrite $c, "\$3\r\nabc\r\n";
    sysread $c, $buf, 65536;
    syswrite $c, "*1\r\n:1\r\n";
    $c;
});
meets('a reply in many pieces, half a reply', qr/connection lost/, sub {
    my ($c) = @_;
    sysread $c, my $buf, 65536;
    for (split //, "\$3\r\nabc\r\n*2\r\n:1") {
        syswrite $c, $_;
        sleep 0.002;
    }
    sleep 0.05;
    close $c;
    ();
});

# silence: within 3 s, and an exiting worker does not wait for it
my ($port, $pid) = stranger(sub { $_[0] });
my $silent = nginx_to("redis://127.0.0.1:$port");
load($silent, 0.2);
ok wait_for(sub { $silent->error_log =~ /no reply within 3000 ms/ }, 5),
    'silent: is told';
load($silent, 0.2);
is $silent->quit(6), 0, 'silent: the worker goes';
kill 'KILL', $pid;
waitpid $pid, 0;

# no connection to be had
my $ngx = nginx_to($redis->tcp, main => "worker_rlimit_nofile 512;\n"
                   . 'events { worker_connections 20; }');
$ngx->allow(qr/worker_connections are not enough/,
            qr/reuse connections/);
my $body = Test::Cx::Http::encode({ v => 1, page => '/a', events => [
    { type => 'signal', name => 'js_error', target => 'full' } ] });
my $post = IO::Socket::INET->new('127.0.0.1:' . $ngx->port);
syswrite $post, "POST /_cx/events HTTP/1.1\r\nHost: localhost\r\n"
    . "User-Agent: Mozilla/5.0 Test\r\nContent-Type: text/plain\r\n";
sleep 0.1;
my @raw;
for (1 .. 30) {
    my $c = IO::Socket::INET->new('127.0.0.1:' . $ngx->port) or last;
    syswrite $c, "GET / HTTP/1.1\r\n";
    push @raw, $c;
    sleep 0.02;               # one that has sent nothing yet makes room
}
sleep 0.2;

# with half a request behind it, so that nginx does not close the connection to
# make room
syswrite $post, 'Content-Length: ' . length($body) . "\r\n\r\n$body"
    . "GET / HTTP/1.1\r\n";
sysread $post, my $answer, 4096;
like $answer, qr{^HTTP/1.1 204}, 'no connection left: a beacon is taken';
ok wait_for(sub { $ngx->error_log =~ /no worker_connections left/ }, 3),
    '... and it is told';
close $_ for $post, @raw;
ok wait_for(sub { grep { ($_->{target} // '') eq 'full' } $redis->events }, 8),
    '... it arrives when there are some again';

# a host that is looked up while nginx runs, by one that does not answer
my $dns = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1');
my $named = nginx_to('redis://redis.example', http => 'resolver 127.0.0.1:'
    . $dns->sockport . ' ipv6=off; cx_redis redis://redis.example; '
    . 'cx_queue flush=20ms;');
load($named, 0.2);
ok wait_for(sub { $named->error_log
                      =~ /"redis\.example" could not be resolved/ }, 5),
    'no answer of the resolver: is told';
load($named, 0.2);
is $named->quit(6), 0, 'no answer of the resolver: the worker goes';

# answers at last
my $found = nginx_to('redis://redis.example', http => 'resolver 127.0.0.1:'
    . $dns->sockport . ' ipv6=off; cx_redis redis://redis.example:'
    . $redis->port . '; cx_queue flush=20ms;');
my @marks = load($found, 0.3);
my $end = time + 5;
while (time < $end) {
    my $rin = '';
    vec($rin, fileno $dns, 1) = 1;
    select($rin, undef, undef, 0.1) or next;
    my $peer = recv $dns, my $query, 512, 0;
    my $question = substr $query, 12, length($query) - 12;
    send $dns, substr($query, 0, 2) . pack('n5', 0x8180, 1, 1, 0, 0)
        . $question . pack('n3NnC4', 0xc00c, 1, 1, 60, 4, 127, 0, 0, 1), 0,
        $peer;
    last if $found->counter('redis_connects');
}
once('by name', $redis, @marks, load($found, 0.2));

$t->done;
