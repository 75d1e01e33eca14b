#!/usr/bin/perl

# cxctl and aggregator ask the node that holds a site: sites of all nodes are
# found, slots that moved and nodes that are gone concern their own sites only.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Stream;

my $t = Test::Cx->new;

# site -> events not yet counted, of those asked for
sub lag {
    my ($words, @args) = @_;
    my ($status, $out, $err) = $t->ctl('lag', '--redis', "@$words", '--json',
                                       @args);
    my %unread = $status eq '0' ? map { $_->{site} => $_->{unread} }
                                      @{json($out)} : ();
    return ($status, \%unread, $err);
}

# events of six sites, at each node two
sub fill {
    my ($c) = @_;
    my (%at, %n);
    for my $i (1 .. 500) {
        my $site = "site$i";
        my $node = $c->node_of("cx:{$site}:events");
        next if keys %n == 6 || @{$at{$node->port} // []} == 2;
        push @{$at{$node->port}}, $site;
        my $s = Test::Cx::Stream->new($node, $site);
        $s->view("/$_") for 1 .. $i;
        $n{$site} = $s->send;
    }
    return (\%n, \%at);
}

my $c     = $t->cluster(masters => 3, replicas => 0, password => 'geheim');
my @words = $c->words;
my ($n, $at) = fill($c);
is scalar keys %$at, 3, 'sites at three nodes';
is_deeply [lag(\@words)], [0, $n, ''], 'all sites are found';
is_deeply [lag([$words[$_], 'cluster'])], [0, $n, ''], "by node $_ alone"
    for 0 .. 2;
for my $site (sort keys %$n) {
    is_deeply [lag(\@words, '--site', $site)], [0, { $site => $n->{$site} },
                                                ''], "$site alone";
}
my ($status, $out, $err) = $t->ctl('lag', '--redis',
                                   join ' ', map { s/geheim/laut/r } @words);
is $status, 2, 'a wrong password';
like $err, qr{\Acxctl: redis://\S+: WRONGPASS .*\n\z}, 'said';
my @alone = map { (lag([$words[0]], '--site', $_))[0] } sort keys %$n;
is scalar(grep { $_ eq '2' } @alone), 4, 'one node without "cluster" has two';
my $alone = $t->redis;
($status, $out, $err) = $t->ctl('lag', '--redis', $alone->tcp . ' cluster');
is $status, 2, 'no cluster at all';
like $err, qr/\Acxctl: redis:\S+: ERR .*cluster support disabled\n\z/, 'said';

# counts all of them, and what comes later
sub aggregator {
    my ($name, @words) = @_;
    return $t->spawn(name => 'aggregator', err => $t->dir . "/$name.err",
                     out => $t->dir . "/$name.out",
                     cmd => [$t->build . '/cx-aggregator', '--redis',
                             "@words", '--timeout', '2s']);
}

# a page's views, at whichever node the site is
sub views {
    my ($words, $site) = @_;
    my ($status, $out) = $t->ctl('pages', '--redis', "@$words", '--site',
                                 $site, '--limit', 0, '--json');
    my ($page) = $status eq '0' ? grep { $_->{page} eq '/1' }
                                       @{json($out)->{pages}} : ();
    return $page ? $page->{views} : 0;
}

sub more {
    my ($c, $site) = @_;
    my $s = Test::Cx::Stream->new($c->node_of("cx:{$site}:events"), $site);
    $s->view('/1');
    $s->send;
}

my %none = map { $_ => 0 } keys %$n;
my $agg  = aggregator('agg', $words[1], 'cluster');
ok wait_for(sub {
    my ($status, $unread) = lag(\@words);
    return $status eq '0' && !grep { $_ } values %$unread;
}, 15), 'all are counted' or diag $agg->err;

# a slot that moves
my $site = (sort keys %$n)[0];
my $from = $c->node_of("cx:{$site}:events");
my ($to) = grep { $_ != $from } $c->nodes;
$c->move_slot($c->slot("cx:{$site}:events"), $to);
is $c->node_of("cx:{$site}:events")->port, $to->port, 'moved';
is_deeply [lag(\@words)], [0, \%none, ''], 'found at the new node';
more($c, $site);
ok wait_for(sub { views(\@words, $site) == 2 }, 10),
    'the aggregator follows' or diag $agg->err;

# a slot that nobody holds, a node that is gone: of the others no harm
my $slot = $c->slot("cx:{$site}:events");
my ($keep) = grep { $c->node_of("cx:{$_}:events") != $to } sort keys %$n;
$to->kill9;
is_deeply [lag(\@words, '--site', $keep)], [0, { $keep => 0 }, ''],
    'a node is gone, not the site\'s';
more($c, $keep);
ok wait_for(sub { views(\@words, $keep) == 2 }, 10),
    'which goes on being counted' or diag $agg->err;
($status, undef, $err) = lag(\@words, '--site', $site);
is $status, 2, 'the site\'s';
my $port = $to->port;
like $err, qr{\Acxctl: redis://127\.0\.0\.1:$port: Connection refused\n\z},
    'said, which';
is +(lag(\@words))[0], 2, 'all sites cannot be told';
is_deeply [(lag(['redis://:geheim@127.0.0.1:1', @words], '--site', $keep))[0]],
    [0], 'a seed that is none';
my ($told) = $agg->err =~ /(.*:$port: .*)/;
like $told // '', qr/error: .*$port/, 'the aggregator says which node is gone';
$agg->stop;

# hidden behind TLS, with a replica that takes over
my $safe = $t->cluster(masters => 3, replicas => 1, tls => 1);
my @safe = $safe->words;
my ($m) = fill($safe);
is_deeply [lag(\@safe)], [0, $m, ''], 'over TLS';
($site) = sort keys %$m;
ok wait_for(sub { $safe->ok }, 15), 'replicas are in step';
$agg = aggregator('safe', @safe);
ok wait_for(sub { !grep { $_ } values %{(lag(\@safe))[1]} }, 15), 'counted'
    or diag $agg->err;
ok wait_for(sub { $safe->ok }, 15), 'replicas are in step again';
my $gone = $safe->node_of("cx:{$site}:events");
$gone->kill9;
my @got;
ok wait_for(sub { @got = lag(\@safe); $got[0] eq '0' && keys %{$got[1]} == 6 },
            30), 'a replica took over' or diag $got[2];
more($safe, $site);
ok wait_for(sub { views(\@safe, $site) == 2 }, 15),
    'the aggregator goes on there' or diag $agg->err;
is +($t->ctl('check', '--redis', "@safe", '--site', $site))[0], 0,
    'nothing is counted twice';
$agg->stop;
isnt $safe->node_of("cx:{$site}:events")->port, $gone->port, 'another node';

$t->done;
