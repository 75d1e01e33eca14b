#!/usr/bin/perl

# cxctl and aggregator ask Sentinels for the master: any of them, over
# failovers, and never take a replica for it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Stream;

my $t = Test::Cx->new;

sub lag {
    my (@words) = @_;
    my ($status, $out, $err) = $t->ctl('lag', '--redis', "@words", '--json');
    return ($status, $status eq '0' ? json($out)->[0]{unread} : undef, $err);
}

sub refused {
    my ($re, $name, @words) = @_;
    my ($status, undef, $err) = lag(@words);
    is $status, 2, "$name: refused";
    like $err, qr/\Acxctl: $re\n\z/, "$name: said";
}

my $s     = $t->sentinel(replicas => 1, sentinels => 3, password => 'geheim',
                         sentinel_password => 'leise');
my @words = $s->words;
my $write = Test::Cx::Stream->new($s->master, 'shop');
$write->view("/$_") for 1 .. 10;
my $n = $write->send;
is_deeply [lag(@words)], [0, $n, ''], 'the master that Sentinels name';

# any Sentinel will do
my @urls  = grep { /^sentinel:/ } @words;
my @other = grep { !/^sentinel:/ } @words;
is_deeply [lag($urls[$_], @other)], [0, $n, ''], "Sentinel $_ alone" for 0 .. 2;
my ($first) = $s->sentinels;
$first->kill9;
is_deeply [lag(@words)], [0, $n, ''], 'one is down' for 1 .. 3;
refused(qr{sentinel://\S+: Connection refused}, 'only that one', $urls[0],
        @other);
$first->start;

# what they are told
refused(qr{sentinel://\S+: WRONGPASS .*}, 'a wrong password of Sentinels',
        map { s/leise/laut/r } @words);
refused(qr{redis://\S+: WRONGPASS .*}, 'a wrong password of Redis',
        map { s/geheim/laut/r } @words);
refused(qr{sentinel://\S+: this Sentinel knows no master "other"},
        'another name', @urls, 'master=other', 'password=geheim');
is_deeply [lag(@words, 'db=3')], [2, undef,
    "cxctl: sentinel://127.0.0.1:" . ($s->sentinels)[0]->port
    . " sentinel://127.0.0.1:" . ($s->sentinels)[1]->port
    . " sentinel://127.0.0.1:" . ($s->sentinels)[2]->port
    . " master=mymaster: no site has any events\n"], 'another database';

# a Sentinel that is wrong about who is master
my ($replica) = $s->replicas;
($s->sentinels)[1]->cmd('SENTINEL', 'MONITOR', 'wrong', '127.0.0.1',
                        $replica->port, 9);
my $port = $replica->port;
my $no = 'the Sentinels name it master, it says it is none';
refused(qr{redis://127\.0\.0\.1:$port: $no}, 'a replica', $urls[1],
        'master=wrong', 'password=geheim');

# failovers, with an aggregator that counts
my $agg = $t->spawn(name => 'aggregator', err => $t->dir . "/agg.err",
                    out => $t->dir . "/agg.out",
                    cmd => [$t->build . '/cx-aggregator', '--redis', "@words",
                            '--timeout', '2s']);

# all that was written is counted, once; for a while Sentinels may differ about
# who is master
sub counted {
    my ($total) = @_;
    my ($views, $err);
    ok wait_for(sub {
        (my $status, my $out, $err) = $t->ctl('pages', '--redis', "@words",
                                              '--json');
        $views = 0;
        return 0 if $status ne '0';
        $views += $_->{views} for @{json($out)->{pages}};
        return $views >= $total;
    }, 20), 'counted' or diag $err, $agg->err;
    is $views, $total, "$total views";
}
counted($n);
ok wait_for(sub { $s->in_step }, 15), 'the replica has it all';
my $old = $s->kill_master;
my $new = $s->master;
isnt $new->port, $old->port, 'another is master';
my @got;
ok wait_for(sub { @got = lag(@words); $got[0] eq '0' }, 10), 'cxctl finds it'
    or diag $got[2];
is $got[1], 0, 'with all that was counted';
$write = Test::Cx::Stream->new($new, 'shop');
$write->view("/$_") for 1 .. 10;
$n += $write->send;
counted($n);
$old->start;
ok wait_for(sub { $s->in_step }, 15), 'the old one follows';
is $s->failover->port, $old->port, 'and takes over again';
$write = Test::Cx::Stream->new($s->master, 'shop');
$write->view("/$_") for 1 .. 10;
$n += $write->send;
counted($n);
is +($t->ctl('check', '--redis', "@words"))[0], 0, 'counters and figures agree';
$agg->stop;

# all of it over TLS
my $safe = $t->sentinel(replicas => 1, sentinels => 1, tls => 1,
                        client_cert => 1);
$write = Test::Cx::Stream->new($safe->master, 'shop');
$write->view("/$_") for 1 .. 10;
$write->send;
@words = $safe->words;
like $words[0], qr/^sentinels:/, 'TLS';
is_deeply [lag(@words)], [0, 10, ''], 'of Sentinels and Redis';
refused(qr{sentinels://\S+: TLS: the server's certificate is refused: .+},
        'who is not trusted',
        (map { s/^ca=.*/'ca=' . $t->certs->stranger/er } @words));

$t->done;
