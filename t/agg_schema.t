#!/usr/bin/perl

# Versions of the rollups: an older one is upgraded by the next commit, a newer
# minor is kept, a newer major is left alone, also when it comes up while the
# aggregator is at work; other sites go on.  And what Redis may throw away.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my @redis = ('--redis', $redis->url);
my @fast  = (@redis, '--interval', '20ms', '--score-interval', '20ms');
my ($ours) = read_file($t->root . '/include/cx_keys.h')
    =~ /CX_ROLLUP_SCHEMA\s+"([\d.]+)"/;
my ($major, $minor) = split /\./, $ours;
my ($a, $b) = map { Test::Cx::Stream->new($redis, $_) } qw(a b);

sub total { $_[0]->hash('total', 'd', $_[0]->day)->{views} // 0 }
sub schema { $_[0]->checkpoint->{schema} }

# new, older, newer minor
$a->view('/')->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'a new site';
is schema($a), $ours, 'has our version';
$redis->cmd('HDEL', $a->key('checkpoint'), 'schema');
$a->view('/')->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'one of before there were any';
is schema($a), $ours, 'is upgraded';
is total($a), 2, 'and goes on';
my $newer = "$major." . ($minor + 1);
$redis->cmd('HSET', $a->key('checkpoint'), 'schema', $newer);
$a->view('/')->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'with fields that we do not know';
is schema($a), $newer, 'it stays so';
is total($a), 3, 'and goes on';

# surveys as 1.1 had them, while one of that time is at work: no versions, no
# page view of an answer, no language of its text
my $c = Test::Cx::Stream->new($redis, 'c');
my @day = ('d', $c->day);
my $old = 'aaaaaaaa00000001';
$c->view('/')->answer('/', $old, 'nps', 3, text => 'why');
$c->view('/', visit => 'a100000000000001')->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'counted';
$redis->cmd('HDEL', $_, 'text:other')
    for grep { /:(?:page|total|survey):/ } @{$redis->cmd('KEYS', $c->key('*'))};
$redis->cmd('DEL', $c->key('quota'), $c->key('definitions'));
my $daemon = $t->aggregator(@fast, '--site', 'c');
ok wait_for(sub { $daemon->err =~ /reading on from/ }, 5), 'at work';
$redis->cmd('HSET', $c->key('checkpoint'), 'schema', '1.1');
my @new = (version => '1a2b3c4d', view => '00000000000000f1');
$c->answer('/', $old, 'nps', 9, @new, text => 'well', done => 1);
$c->answer('/', 'aaaaaaaa00000002', 'nps', 10, @new, text => 'so', lang => 'de');
$c->define('s-nps', '1a2b3c4d', '{"metric":"nps"}')->send;
ok wait_for(sub { ($c->checkpoint->{answers} // 0) == 2 }, 5),
    'a newer module beside older rollups';
is $daemon->stop, 0, 'ends';
is schema($c), $ours, 'upgraded while it was at work';
my $of = sub { my $h = $c->hash('survey', @day, $_[0]);
               +{ map { $_ => $h->{$_} } grep { $h->{$_} } keys %$h } };
is_deeply $of->('s-nps'), { answered => 1, 'answers:asked' => 1, 'nps:9' => 1,
                            text => 1, done => 1 },
    'an older answer stays where it was given, and counts once';
is_deeply $of->('s-nps@1a2b3c4d'), { answered => 1, 'answers:asked' => 1,
    'nps:10' => 1, text => 1, 'text:de' => 1 }, 'a newer one has a version';
is_deeply $c->hash('quota'), { 's-nps' => 1, 's-nps:' . $c->day => 1 },
    'a quota counts from then on';
my ($checked, $told) = $t->ctl('check', @redis, '--site', 'c');
is $checked, 0, 'cxctl check' or diag $told;

# a newer major
my $above = ($major + 1) . '.0';
$redis->cmd('HSET', $a->key('checkpoint'), 'schema', $above);
$_->view('/')->send for $a, $b;
my ($status, undef, $err) = $t->aggregate(@redis, '--once');
is $status, 1, 'a newer major: status 1';
like $err, qr/ error: site a: left alone: rollups are of version \Q$above\E, /,
    'said';
like $err, qr/, this aggregator knows \Q$ours\E: /, 'and which one is ours';
is total($a), 3, 'nothing is counted there';
is schema($a), $above, 'nothing is written';
is total($b), 1, 'the other site is';
($status, undef, $err) = $t->aggregate(@redis, '--rebuild-scores');
is $status, 1, 'no scores either';
is scalar(() = $err =~ /left alone/g), 1, 'said';
my $agg = $t->aggregator(@fast);
$b->view('/')->send;
ok wait_for(sub { total($b) == 2 }, 5), 'a daemon goes on with the others';
sleep 1.5;
is scalar(() = $agg->err =~ / error: /g), 1, 'one line';
is $redis->cmd('GET', $a->key('lease')), undef, 'no lease is held';
is $agg->stop, 0, 'ends';

# while it is at work
$redis->cmd('HSET', $a->key('checkpoint'), 'schema', $ours);
$agg = $t->aggregator(@fast);
ok wait_for(sub { total($a) == 4 }, 5), 'at work';
$redis->cmd('HSET', $a->key('checkpoint'), 'schema', $above);
$a->view('/')->send;
ok wait_for(sub { $agg->err =~ /site a: left alone/ }, 5), 'noticed';
is total($a), 4, 'before anything is written';
$b->view('/')->send;
ok wait_for(sub { total($b) == 3 }, 5), 'the other one goes on';
is schema($a), $above, 'not touched';
is $agg->stop, 0, 'ends';
$redis->cmd('HSET', $a->key('checkpoint'), 'schema', $ours);
is +($t->aggregate(@redis, '--once'))[0], 0, 'set back by hand';
is total($a), 5, 'all is counted';

# what Redis throws away when it is full
sub warned {
    my ($url) = @_;
    my (undef, undef, $err) = $t->aggregate('--redis', $url // $redis->url,
                                            '--once');
    return join '', grep { /warn|error/ } split /^/m, $err;
}

is warned(), '', 'no limit: nothing is said';
$redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
is warned(), '', 'a policy without a limit';
$redis->cmd('CONFIG', 'SET', 'maxmemory', '500mb');
my $policy = qr/maxmemory-policy is allkeys-lru: when its 500 MB are full/;
like warned(), qr/\A\S+ warn: unix:\S+ $policy [^\n]+ noeviction[^\n]+\n\z/,
    'a limit, too: one line';
$redis->cmd(qw(ACL SETUSER agg on >pw ~* &* +@all -config));
like warned('redis://agg:pw@127.0.0.1:' . $redis->port),
    qr/warn: .* $policy/, 'without CONFIG';
$redis->cmd(qw(ACL SETUSER agg -info));
is warned('redis://agg:pw@127.0.0.1:' . $redis->port), '',
    'without INFO: nothing is known';
$redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
is warned(), '', 'noeviction';

# scripts are flushed: nothing that we need is kept there
$agg = $t->aggregator(@fast);
$b->view('/')->send;
ok wait_for(sub { total($b) == 4 }, 5), 'at work';
$redis->cmd('SCRIPT', 'FLUSH');
$b->view('/')->send;
ok wait_for(sub { total($b) == 5 }, 5), 'SCRIPT FLUSH';
sleep 1.2;
unlike $agg->err, qr/error/, 'is not noticed';
is $agg->stop, 0, 'ends';

$t->done;
