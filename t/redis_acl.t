#!/usr/bin/perl

# The least that the module's user of Redis must be allowed, as
# conf/delivery.md says, and that each part of it is needed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Load;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;

# what is only for quotas, and for a batch that is sent again, comes below
my ($said) = read_file($t->root . '/conf/delivery.md')
    =~ /^ +ACL SETUSER cx on >secret (~.*)$/m or die 'no rules';
my @all = split ' ', $said;
my $later = qr/quota|hmget|expire/;
my @keys = grep { /^~/ && !/$later/ } @all;
my @commands = grep { /^\+/ && !/$later/ } @all;
is "@keys @commands", '~cx:{*}:events ~cx:{*}:producer:* +script|load +evalsha '
    . '+get +set +xadd +xtrim', 'the rules';
is join(' ', grep { /$later/ } @all), '~cx:{*}:quota +expire +hmget',
    'and those for some';

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

# a batch that is sent again, as after a lost connection
my $sha = $redis->cmd('SCRIPT', 'LOAD',
                      read_file($t->root . '/ngx_cx_module/http/produce.lua'));
for my $more ('', '+expire') {
    user('again', @keys, @commands, $more || ());
    $redis->cmd('DEL', 'cx:{again}:events', 'cx:{again}:producer:x');
    $redis->cmd('AUTH', 'again', 's3cret');
    my @batch = ('EVALSHA', $sha, 2, 'cx:{again}:events',
                 'cx:{again}:producer:x', 1, 0, 1000, 60, 1, 0, 1, 'type',
                 0, 'n');
    is $redis->cmd(@batch)->[0], 1, "a batch, ${\($more || 'the least')}";
    my $reply = eval { $redis->cmd(@batch) };
    $more ? is($reply->[0], 0, "... again, $more")
          : like($@, qr/NOPERM|can't run/, '... again, without +expire');
    $redis->cmd('AUTH', 'default', 'any');
}

# quotas of surveys, of which Redis knows that they are reached
my $surveys = Test::Cx::Http::encode({ version => 1, surveys => [
    { id => 'few', metric => 'nps', total => 5 },
    { id => 'any', metric => 'nps' } ] });
$redis->cmd('HSET', 'cx:{localhost}:quota', 'few', 5);

sub offers {
    my ($ngx) = @_;
    my $got = json($ngx->get('/_cx/surveys?page=/a')->{body});
    return join ' ', sort map { $_->{id} } @{$got->{surveys}};
}

sub counts_as {
    user('quota', @_);
    return $t->nginx(cx => 1, server => 'cx_surveys surveys.json;',
        files => { 'conf/surveys.json' => $surveys },
        http => 'cx_redis ' . $redis->tcp('quota:s3cret@')
                . '; cx_queue flush=20ms;');
}

my $counts = counts_as(@all);
ok wait_for(sub { offers($counts) eq 'any' }, 5), 'a quota is known'
    or diag offers($counts), $counts->error_log;
unlike $counts->error_log, qr/quotas of surveys/, '... and nothing said';
$counts->stop;

for my $rule ('~cx:{*}:quota', '+hmget') {
    my $alone = counts_as(grep { $_ ne $rule } @all);
    my $says = qr/quotas of surveys are kept by this host alone/;
    ok wait_for(sub { $alone->error_log =~ $says }, 5), "without $rule: said";
    sleep 2.6;                         # the next poll
    is scalar(() = $alone->error_log =~ /$says/g), 1, '... once';
    is offers($alone), 'any few', '... by this host alone';
    once("without $rule", $redis, load($alone, 0.3));
    $alone->stop;
}

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
