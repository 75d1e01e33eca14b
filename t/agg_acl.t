#!/usr/bin/perl

# The least that the aggregator's user of Redis must be allowed, as
# conf/cx-aggregator.conf says: it does, and each part of it is needed.

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
my $conf  = read_file($t->root . '/conf/cx-aggregator.conf');
my ($rules) = $conf =~ /ACL SETUSER cx-aggregator on >secret (.*?)\nredis =/s
    or die 'no rules';
my @rules = split ' ', $rules =~ s/\n#//gr;
cmp_ok scalar @rules, '>', 30, 'rules';
my $n = 0;

sub user { $redis->cmd('ACL', 'SETUSER', $_[0], 'reset', 'on', '>pw',
                       @_[1 .. $#_]) }
sub flags { ('--redis', "redis://$_[0]:pw\@127.0.0.1:" . $redis->port,
             '--interval', '20ms', '--score-interval', '20ms') }

# everything that it ever does, in sites of their own; what it said of trouble
sub all {
    my ($user, $longer) = @_;
    $redis->cmd('FLUSHALL');
    my @s = map { Test::Cx::Stream->new($redis, $_) } qw(a b/0);
    $redis->cmd('HSET', $_->key('quota'), 's-csat:20200101', 1) for @s;
    my $feed = sub {
        for my $s (@s) {
            my $v = '00000000000000a1';
            $n++;
            $s->view('/', visit => $v);
            $s->signal('/', 'rage_click', visit => $v);
            $s->answer('/', sprintf('%08x', $n), 'csat', 4, visit => $v,
                       text => 'words');
            $s->raw('XADD', $s->key('events'), '*', 'type', 'nonsense');
            $s->send;
        }
    };
    my $said = sub { join "", grep { / (?:error|warn): / && !/set aside/ }
                              split /^/m, $_[0] };
    my @flags = flags($user);
    for my $more (['--once'], ['--once', '--site', 'b', '--site', 'a'],
                  ['--rebuild-scores']) {
        $feed->();
        my ($status, undef, $err) = $t->aggregate(@flags, @$more);
        return $said->($err) if $status || $said->($err);
    }

    # two that do not see the same, and one that sees a lost race
    my $agg = $t->aggregator(@flags);
    $feed->();
    $redis->cmd('SADD', $s[0]->key('dirty'), 'nonsense');
    my $done = wait_for(sub {
        return 1 if $said->($agg->err);
        return !grep { ($_->checkpoint->{entries} // 0) < 16 } @s;
    }, 3);
    if ($done && !$said->($agg->err)) {
        $agg->pause;
        $feed->();
        my ($status, undef, $err) = $t->aggregate(@flags, '--once');
        return $said->($err) if $status || $said->($err);
        $agg->cont;
        $feed->();
        my $more = $longer ? 1.5 : 0.3;
        wait_for(sub { $said->($agg->err) }, $more);
    }
    my $status = $agg->stop;
    return $said->($agg->err) || ($done && !$status ? '' : 'nothing done');
}

user('least', @rules);
$redis->cmd('CONFIG', 'SET', 'maxmemory', '1gb');
$redis->cmd('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
my ($status, undef, $err) = $t->aggregate(flags('least'), '--once');
like $err, qr/warn: .*maxmemory-policy/, 'it may look at the policy';
$redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
is all('least'), '', 'the least is enough';

for my $rule (@rules) {
    my @less = grep { $_ ne $rule } @rules;
    next if $rule eq '+config|get' || $rule eq '+info';
    user('less', @less);
    like all('less', $rule eq '+pexpire'),
        qr/NOPERM|can't run|permission|nothing done/i, "without $rule";
}
user('less', grep { !/config|info\z/ } @rules);
is all('less'), '', 'without +config|get and +info all is done';

$t->done;
