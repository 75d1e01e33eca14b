#!/usr/bin/perl

# The least that the module's user of Redis must be allowed, and that each part
# of it is needed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Load;
use Time::HiRes qw(time sleep);

my @keys = ('~cx:{*}:events', '~cx:{*}:producer:*');
my @commands = qw(+script|load +evalsha +get +set +xadd +xtrim);

my $t = Test::Cx->new;
my $redis = $t->redis;

sub user {
    my ($name, @rules) = @_;
    $redis->cmd('ACL', 'SETUSER', $name, 'reset', 'on', '>s3cret', @rules);
}

sub nginx_as {
    my ($words) = @_;
    return $t->nginx(cx => 1,
                     http => "cx_redis $words; cx_queue flush=20ms;");
}

sub as { nginx_as($redis->tcp("$_[0]:s3cret\@")) }

user('least', @keys, @commands);
my $ngx = as('least');
once('least', $redis, load($ngx, 0.4));
is scalar(news($ngx)), 0, 'least: nothing in the log';

# the script is brought again without further rights
$redis->cmd('SCRIPT', 'FLUSH');
once('least, script forgotten', $redis, load($ngx, 0.2));
is scalar(news($ngx)), 0, 'script forgotten: nothing in the log';

# it may not look, delete or touch anything else
$redis->cmd('AUTH', 'least', 's3cret');
for (['XRANGE', 'cx:{localhost}:events', '-', '+'],
     ['DEL', 'cx:{localhost}:events'], ['SET', 'other', 1], ['KEYS', '*'],
     ['SET', 'cx:{localhost}:checkpoint', 1], ['CONFIG', 'GET', '*'],
     ['FLUSHALL']) {
    eval { $redis->cmd(@$_) };
    like $@, qr/NOPERM/, "not allowed: @$_";
}
$redis->cmd('AUTH', 'default', 'any');

# each rule is needed: without it nothing arrives, and the log says why once
for my $rule (@keys, @commands) {
    user('less', grep { $_ ne $rule } @keys, @commands);
    my $less = as('less');
    load($less, 0.2);
    my @lines;
    wait_for(sub { push @lines, news($less); @lines }, 5);
    sleep 0.3;
    push @lines, news($less);
    like $lines[0] // '', qr/NOPERM|can't run|can't access|permission/,
        "without $rule: says why";
    if ($rule ne '+xtrim') {           # which comes last
        is scalar @lines, 1, "without $rule: logged once" or diag @lines;
        is $less->counter('delivered_events'), 0,
            "without $rule: nothing arrives";
    }
    cmp_ok $less->counter('redis_troubles', 'auth'), '>=', 1,
        "without $rule: counted as auth";
    $less->stop;
}

# given later, it goes on by itself
user('less', @keys, grep { $_ ne '+xadd' } @commands);
my $less = as('less');
my @marks = load($less, 0.3);
$redis->cmd('ACL', 'SETUSER', 'less', '+xadd');
once('given later', $redis, @marks, load($less, 0.2));
wait_for(sub { $less->error_log =~ /is back/ }, 3);
is scalar(grep { /is back/ } news($less)), 1, 'given later: that is told';

# a database of its own
user('select', @keys, @commands, '+select');
my $db = nginx_as($redis->tcp('select:s3cret@') . '/2');
@marks = load($db, 0.3);
$redis->cmd('SELECT', 2);
once('+select', $redis, @marks);
$redis->cmd('SELECT', 0);

# with Sentinels, which have users of their own
my $rules = "on >s3cret @keys @commands";
my $s = $t->sentinel(sentinels => 1, conf => "user cx $rules +role");
($s->sentinels)[0]->cmd('ACL', 'SETUSER', 'ask', 'on', '>gu4rd',
                        '+sentinel|get-master-addr-by-name');
my $sentinel = nginx_as('sentinel://ask:gu4rd@' . ($s->sentinels)[0]->addr
                        . ' master=mymaster user=cx password=s3cret');
once('Sentinels', $s, load($sentinel, 0.4));
is scalar(news($sentinel)), 0, 'Sentinels: nothing in the log';

# with a cluster
my $c = $t->cluster(conf => "user cx $rules +cluster|slots +asking");
my $cluster = nginx_as(join(' ', map { $_->tcp('cx:s3cret@') } $c->nodes)
                       . ' cluster');
once('cluster', $c, load($cluster, 0.4));
my $key = 'cx:{localhost}:events';
my $from = $c->node_of($key);
my ($to) = grep { $_ != $from } $c->masters;
@marks = ();
$c->move_slot($c->slot($key), $to,
              sub { push @marks, load($cluster, 0.3) });
once('a slot moves', $c, @marks);
is scalar(news($cluster)), 0, 'cluster: nothing in the log';

$t->done;
