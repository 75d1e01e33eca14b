#!/usr/bin/perl

# cxctl asks the right node while slots move, and says what it cannot know:
# shards that nobody has noted yet, sites that are none, output that is lost.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep);
use Test::Cx;
use Test::Cx::Stream;

my $t = Test::Cx->new;

sub feed {
    my ($redis, $site, $n) = @_;
    my $s = Test::Cx::Stream->new($redis, $site);
    $s->view('/' . $_ % 7, visit => sprintf '%016x', $_) for 1 .. $n;
    $s->send;
    return $s;
}

sub ask {
    my ($redis, @words) = @_;
    my ($status, $out, $err) = $t->ctl(@words, '--redis', $redis, '--json');
    return ($status, $out =~ /^[\[\{]/ ? json($out) : $out, $err);
}

# site or shard => unread
sub unread {
    my ($redis, @words) = @_;
    my ($status, $rows, $err) = ask($redis, 'lag', @words);
    return [$status, { map { my $shard = $_->{shard};
                             (defined $shard ? "$_->{site}/$shard"
                                             : $_->{site}) => $_->{unread} }
                       ref $rows ? @$rows : () }, $err];
}

# ---- what is not noted, and what is not ----

{
    my $redis = $t->redis;
    my $url = $redis->url;
    feed($redis, 'shop', 10);
    is +($t->aggregate('--redis', $url, '--once'))[0], 0, 'counted';
    is_deeply unread($url, '--site', 'shop'), [0, { shop => 0 }, ''], 'lag';
    feed($redis, 'shop/1', 20);
    feed($redis, 'shop/5', 30);
    my $split = [0, { 'shop' => 0, 'shop/1' => 20, 'shop/5' => 30 }, ''];
    is_deeply unread($url, '--site', 'shop'), $split,
        'a site that was just split: shards that nobody has noted';
    is_deeply unread($url), $split, 'without its name as well';
    is +($t->ctl('lag', '--redis', $url, '--site', 'shop', '--max-entries',
                 29))[0], 1, 'monitors see them';

    my @lag = ('lag', '--redis', $url, '--site');
    my ($status, $out, $err) = $t->ctl(@lag, 'sohp');
    is $status, 2, 'a site that is none is not well';
    is $err, "cxctl: site sohp has no events, nor ever had\n", 'said';
    ($status, undef, $err) = $t->ctl(@lag, 'shop/1');
    is $status, 2, 'a shard is no site';
    like $err, qr{without a shard's /number\n\z}, 'said';
    is $redis->cmd('DEL', 'cx:{shop}:events'), 1, 'a stream that is gone';
    is +($t->ctl('lag', '--redis', $url, '--site', 'shop'))[0], 0,
        'is a site all the same';

    feed($redis, "many$_", 1) for 1 .. 300;
    my $all = unread($url);
    is scalar(grep { /^many/ } keys %{$all->[1]}), 300, 'many sites: all';

    SKIP: {
        skip 'no /dev/full', 4 if !-c '/dev/full';
        ($status, undef, $err) = $t->run('/bin/sh', '-c',
            "'" . $t->build . "/cxctl' lag --redis '$url' > /dev/full");
        is $status, 2, 'what cannot be written is not done';
        is $err, "cxctl: what it says could not be written\n", 'said';
        my $tail = $t->spawn(name => 'tail', out => '/dev/full',
            cmd => [$t->build . '/cxctl', 'tail', '--redis', $url, '--site',
                    'shop', '--limit', 9]);
        ok wait_for(sub { feed($redis, 'shop/1', 1); !$tail->running }, 5),
            'tail ends';
        is $tail->wait_exit(1), 2, 'status 2';
    }

    # what is in the stream cannot reach the terminal, whoever wrote it
    my $dir = $t->subdir('tail');
    my $tail = $t->spawn(name => 'tail', out => "$dir/out", cmd =>
        [$t->build . '/cxctl', 'tail', '--redis', $url, '--site', 'odd',
         '--limit', 1]);
    ok wait_for(sub {
        $redis->cmd('XADD', 'cx:{odd}:events', '*', 'type', "\e[31m",
                    'page', "\e[32m", "\e[33m", "\e[34m");
        return !$tail->running;
    }, 5), 'tail shows an entry';
    is scalar(() = $tail->out =~ /\\x1b\[3\d/g), 4, 'all of it';
    unlike $tail->out, qr/\e/, 'made harmless';
    $redis->stop;
}

# ---- slots that move ----

my $c = $t->cluster(masters => 3);
my $url = $c->url;
my $at = sub { $c->node_of("cx:{$_[0]}:events") };
my @sites = ('shop', map { "shop/$_" } 0 .. 3);
feed($at->($_), $_, 40) for @sites;
is +($t->aggregate('--redis', $url, '--once'))[0], 0, 'counted';
feed($at->('shop/2'), 'shop/2', 5);
my $slot = $c->slot('cx:{shop/2}:events');
my $from = $at->('shop/2');
my ($to) = grep { $_ != $from } $c->nodes;
my @questions = (['lag', '--site', 'shop'], ['pages', '--site', 'shop'],
                 ['page', '/1', '--site', 'shop'],
                 ['surveys', '--site', 'shop'],
                 ['verbatims', '--site', 'shop']);
my $steady = sub {
    my @got = map { [ask($url, @$_)] } @questions;
    delete @$_{qw(updated lease_seen_ms behind_ms)} for @{$got[0][1]};
    return \@got;
};
my $want = $steady->();
is_deeply [map { @$_[0, 2] } @$want], [(0, '') x @questions], 'answers';

# some of its keys are at the one node, some at the other
my $steps = 0;
$c->move_slot($slot, $to, sub {
    return if $steps++ > 6;
    is_deeply $steady->(), $want, "the slot moves: the same, step $steps";
});
is_deeply $steady->(), $want, 'moved: the same';

# amidst of it
my $dir = $t->subdir('tail');
my $tail = $t->spawn(name => 'tail', out => "$dir/out", err => "$dir/err",
    cmd => [$t->build . '/cxctl', 'tail', '--redis', $url, '--site', 'shop',
            '--limit', 12, '--json']);
sleep 1;
feed($to, 'shop/2', 4);
ok wait_for(sub { 4 == grep { /\n/ } split /^/, $tail->out }, 10),
    'tail: before';
$c->move_slot($slot, $from);
feed($from, 'shop/2', 4);
ok wait_for(sub { 8 == grep { /\n/ } split /^/, $tail->out }, 10),
    'tail follows the slot' or diag $tail->err;
feed($from, 'shop/2', 4);
is $tail->wait_exit(10), 0, 'to its end' or diag $tail->err;
is $tail->err, '', 'quiet';

# nobody has it
my ($none) = grep { $c->slot("cx:{$_}:x") != $slot } map { "x$_" } 1 .. 9;
feed($at->($none), $none, 3);
my $other = $c->slot("cx:{$none}:x");
my $owner = $at->($none);
$_->cmd('CLUSTER', 'DELSLOTS', $other) for $c->nodes;
my ($status, undef, $err) = ask($url, 'lag', '--site', $none);
is $status, 2, 'a slot that nobody has';
like $err, qr/\Acxctl: [^\n]*slot[^\n]*\n\z/i, 'one sentence';

$t->done;
