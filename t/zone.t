#!/usr/bin/perl

# The shared zone: a full one forgets who was here longest ago and nobody else,
# room is used again, and neither a worker that is killed while it changes the
# zone nor a reload that fails late takes the others with it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(sleep time);

my $t = Test::Cx->new;
my $redis = $t->redis;
my $busy = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                                 LocalPort => 0);
my $taken = $busy->sockport;
my $http = 'cx_queue flush=20ms;';
my $ngx = $t->nginx(redis => $redis, cx => 1, http => "$http cx_zone cx:64k;",
    server => 'keepalive_requests 1000000;',
    files => { 'html/a.html' =>
               '<!doctype html><html><head><title>t</title></head><p>x' });

# a visitor is its agent
my $c;
sub ask {
    my ($who, $path, %o) = @_;
    $c = $ngx->connect if !$c || $c->{eof};
    return $c->request($path, 'User-Agent' => "Mozilla/5.0 $who", %o);
}
sub open_page { ask($_, '/a.html') for @_ }

# those who are known to have seen the page that they say they come from
sub known {
    my ($mark, @who) = @_;              # -1: not all were recorded
    ask($_, "/$mark", Referer => 'http://localhost/a.html') for @who;
    my @seen = $redis->wait_events(scalar @who, seconds => 20, filter => sub {
        ($_[0]{name} // '') eq 'broken_link' && $_[0]{target} eq "/$mark" });
    my %visit = map { $_->{visit} => $_->{seen} } @seen;
    my $n = grep { $_ } values %visit;
    return keys %visit == @who ? $n : -1;
}

my ($room) = $ngx->error_log =~ /has room for (\d+) visits/;
cmp_ok $room, '>', 20, "a small zone: $room visits";
sub names { my ($p, $n) = @_; map { $p . $_ } 'aaa' .. (map { my $x = 'aaa';
    $x++ for 2 .. $_; $x } $n)[0] }

# full to the last, and one too many
my @first = names('f', $room);
open_page(@first);
is $ngx->counter('visits_evicted'), 0, 'a full zone: nobody had to go';
is known('full', @first), $room, 'a full zone: all are known';
open_page('one-more');
is $ngx->counter('visits_evicted'), 1, 'one more: one had to go';
is known('oldest', $first[0]), 0, 'one more: the one idle longest';
is known('others', @first[2 .. $#first]), $room - 2, 'one more: no other';

# who opts out leaves room
my @gone = @first[5 .. 14];
my $evicted = $ngx->counter('visits_evicted');
ask($_, '/_cx/opt-out', body => 'choice=out',
    'Content-Type' => 'application/x-www-form-urlencoded') for @gone;
open_page(names('n', scalar @gone));
is $ngx->counter('visits_evicted'), $evicted, 'room that was left is used';
is known('gone', @gone), 0, 'those who opted out are forgotten';

# all of it many times and mixed, then it holds as many as at first
srand 1;
my @many = names('m', 3 * $room);
for (1 .. 20 * $room) {
    my $who = $many[rand @many];
    if (rand() < 0.2) {
        ask($who, '/_cx/opt-out', body => 'choice=out',
            'Content-Type' => 'application/x-www-form-urlencoded');
    } else {
        open_page($who);
    }
}
my @last = names('l', $room);
open_page(@last);
is known('churn', @last), $room, 'after much coming and going: all are known';

# a worker is killed while it has the zone locked: the lock is the first word
# of the zone, and holds its pid
sub locked {
    my ($pid) = @_;
    for (split /\n/, read_file("/proc/$pid/maps")) {
        my ($from, $to) = m{^([0-9a-f]+)-([0-9a-f]+) rw-s .*/dev/zero} or next;
        no warnings 'portable';
        next if hex($to) - hex($from) != 65536;
        open my $f, '<:raw', "/proc/$pid/mem" or return;
        sysseek $f, hex $from, 0;
        sysread($f, my $word, 8) == 8 or return;
        return unpack('Q', $word) == $pid ? 1 : 0;
    }
    return;
}

my ($pid) = $ngx->workers;
SKIP: {
    skip 'the memory of workers may not be read here', 5
        if !defined locked($pid);
    my $stop = $t->dir . '/stop';
    my @load = map {
        my $n = $_;
        $t->spawn(name => 'load', code => sub {
            while (!-e $stop) {
                eval {
                    my $c = $ngx->connect;
                    my $r;
                    do {
                        $c->send(join '', map { Test::Cx::Http::build('/a.html',
                            'User-Agent' => "Mozilla/5.0 $n " . int rand 300)
                            } 1 .. 20);
                        $r = $c->response for 1 .. 20;
                    } while $r->{complete} && !-e $stop;
                };
                sleep 0.01;
            }
        });
    } 1, 2;
    # a worker that has just taken the lock, or is about to give it back, has
    # changed nothing: then it is the turn of the one that takes its place
    my ($held, $told, @killed);
    my $end = time + 60;
    while (!$told && time < $end) {
        kill STOP => $pid;
        $held = locked($pid);
        kill $held ? 'KILL' : 'CONT', $pid;
        sleep 0.001 + rand 0.002;
        next if !$held;
        push @killed, $pid;
        $ngx->allow(qr/exited on signal 9|zone "cx" was locked by $pid/);
        wait_for { ($pid) = $ngx->workers; $pid && $pid != $killed[-1] } 5
            or last;
        eval { $ngx->get('/a.html') };
        $told = $ngx->error_log =~ /a worker died while it changed the zone/;
    }
    write_file($stop, '');
    $_->wait_exit(5) for @load;
    ok scalar @killed, 'a worker is killed while it has the zone locked';
    ok wait_for(sub { grep { $_ ne $killed[-1] } $ngx->workers }, 5),
        'killed: another one takes its place';
    is eval { $ngx->get('/a.html')->{status} }, 200, 'killed: it answers';
    ok $told, 'killed: the log says so';
    $c = undef;
    @last = names('k', $room);
    open_page(@last);
    is known('killed', @last), $room, 'killed: the zone is whole again';
}

# a reload that fails after the zones are made, and a worker that dies then
for my $size (qw(64k 128k)) {
    my ($from, @old) = (length $ngx->error_log, $ngx->workers);
    write_file($ngx->dir . '/conf/nginx.conf', $ngx->config(
        http => "$http cx_zone cx:$size;",
        servers => "server { listen 127.0.0.1:$taken; cx on; "
                 . 'location /_cx/ { cx_endpoint; } }'));
    $ngx->signal('HUP');
    ok wait_for(sub { substr($ngx->error_log, $from)
                      =~ /still could not bind/ }, 10),
        "a reload to $size that fails";
    $ngx->allow(qr/bind\(\) to|still could not bind|exited on signal 9/);
    kill KILL => @old;
    ok wait_for(sub {
        my ($new) = $ngx->workers;
        $new && $new != $old[0];
    }, 5), "$size: another worker";
    is eval { $ngx->get('/a.html', 'User-Agent' => "Mozilla/5.0 $_")->{status}
        }, 200, "$size: it answers" for 1 .. 3;
}

$t->done;
