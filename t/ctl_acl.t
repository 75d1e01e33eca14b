#!/usr/bin/perl

# The least that a user of Redis must be allowed for cxctl, as
# conf/redis-keys.md says: with it every command works, and each part of it is
# needed by one of them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Stream;

my $t = Test::Cx->new;
my $redis = $t->redis;
my ($rules) = read_file($t->root . '/conf/redis-keys.md')
    =~ /^ +ACL SETUSER analyst on >secret (.*)$/m or die 'no rules';
my @rules = split ' ', $rules;
my ($major) = $redis->cmd('INFO', 'server') =~ /redis_version:(\d+)/;
s/^%R~/~/ for grep { $major < 7 } @rules;

# a site, and one that is split
for my $site ('shop', 'big/0', 'big/1') {
    my $s = Test::Cx::Stream->new($redis, $site);
    $s->view('/', visit => sprintf '%016x', $_) for 1 .. 12;
    $s->answer('/', sprintf('%08x', $_), 'csat', 4, version => '1a2b3c4d',
               text => 'words') for 1 .. 12;
    $s->send;
}
is +($t->aggregate('--redis', $redis->url, '--once'))[0], 0, 'aggregated';
my $file = $t->dir . '/surveys.json';
write_file($file, '{"version":1,"surveys":[{"id":"s-csat","metric":"csat",'
                  . '"total":9}]}');

sub user { $redis->cmd('ACL', 'SETUSER', $_[0], 'reset', 'on', '>pw',
                       @_[1 .. $#_]) }

# what went wrong of everything that can be asked
sub all {
    my ($user) = @_;
    my @wrong;
    for my $site (qw(shop big)) {
        for (['pages'], ['page', '/'], ['surveys'], ['verbatims'], ['check'],
             ['lag'], ['surveys', 'why', '/', '--file', $file]) {
            my ($status, $out, $err) = $t->ctl(@$_, '--site', $site,
                '--redis', "redis://$user:pw\@127.0.0.1:" . $redis->port);
            push @wrong, "@$_: $status $err" if $status || $err ne '';
        }
    }
    my ($status, $out, $err) = $t->ctl('lag', '--redis',
        "redis://$user:pw\@127.0.0.1:" . $redis->port);
    push @wrong, "lag: $status $err" if $status || $out !~ /^big/m;
    my $tail = $t->spawn(name => 'tail', out => $t->subdir('tail') . '/out',
        cmd => [$t->build . '/cxctl', 'tail', '--site', 'shop', '--limit', 1,
                '--redis', "redis://$user:pw\@127.0.0.1:" . $redis->port]);
    my $s = Test::Cx::Stream->new($redis, 'shop');
    my $ended = Test::Cx::wait_for(sub {
        $s->view('/tail')->send;
        return !$tail->running;
    }, 5);
    push @wrong, 'tail: ' . $tail->out if !$ended || $tail->out !~ m{/tail};
    return join '', @wrong;
}

user('least', @rules);
is all('least'), '', 'the least is enough';
my @not = map { eval { $redis->cmd('ACL', 'DRYRUN', 'least', @$_) } // $@ }
    ['HSET', 'cx:{shop}:quota', 'a', 1], ['XADD', 'cx:{shop}:events', '*', 'a', 1],
    ['DEL', 'cx:{shop}:quota'], ['GET', 'salt'];
is scalar(grep { !/ACL|permission/ } @not), $major < 7 ? 4 : 0,
    'and nothing is changed with it' or diag @not;

for my $rule (@rules) {
    user('less', grep { $_ ne $rule } @rules);
    isnt all('less'), '', "without $rule";
}

$t->done;
