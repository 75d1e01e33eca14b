#!/usr/bin/perl

# The produce script by itself: each batch once and in order, whatever is sent
# again, and a command that fails changes nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $redis = $t->redis;
my $script = read_file($t->root . '/ngx_cx_module/http/produce.lua');
my $sha = $redis->cmd('SCRIPT', 'LOAD', $script);
my ($stream, $mark) = ('cx:{p}:events', 'cx:{p}:producer:x');

# types of the schema with their fields
my $schema = read_file($t->root . '/include/cx_schema.h') =~ s/\\\n//gr;
my %macro;
$macro{$1} = $2 while $schema =~ /^#define (CX_\w+)\(F, T\)(.*)$/mg;
sub fields {
    my ($name) = @_;
    my @f;
    while ($macro{$name} =~ /(CX_\w+)\(F, T\)|F\(T, \w+, "(\w+)"/g) {
        push @f, $1 ? fields($1) : $2;
    }
    return @f;
}
my @types = map { [lc, fields("CX_FIELDS_$_")] }
    qw(VIEW SIGNAL LEAVE SHOWN DISMISS ANSWER);
is scalar(grep { @$_ > 8 } @types), 6, 'the schema has six types';

# a batch: number, number before it, events as [type, values ...]
sub args {
    my ($seq, $prev, @events) = @_;
    my (%code, @dict, @values);
    for (@events) {
        my ($type, @v) = @$_;
        if (!defined $code{$type}) {
            my ($row) = grep { $_->[0] eq $type } @types;
            my @names = $row ? ('type', @$row[1 .. $#$row]) : ('type', 'n');
            $code{$type} = keys %code;
            push @dict, $code{$type}, scalar @names, @names;
        }
        push @values, $code{$type}, $type, @v;
    }
    return ($sha, 2, $stream, $mark, $seq, $prev, 1000000, 2592000,
            scalar(keys %code), @dict, @values);
}
sub send_batch { $redis->cmd('EVALSHA', args(@_)) }
sub n { map { ['n', $_] } @_ }
sub got {
    return join ' ', map { my %e = @{$_->[1]}; $e{n} }
        @{$redis->cmd('XRANGE', $stream, '-', '+')};
}
sub clear { $redis->cmd('DEL', $stream, $mark) }

# names and values of every type
my @batch;
for my $row (@types) {
    my ($type, @names) = @$row;
    push @batch, [$type, map { "$type $names[$_]\r\n\0\xff$_" } 0 .. $#names],
                 [$type, map { $_ % 2 ? '' : $_ } 0 .. $#names];
}
is_deeply send_batch(1, 0, @batch), [1, 0], 'all types: taken';
my @entries = map { $_->[1] } @{$redis->cmd('XRANGE', $stream, '-', '+')};
is scalar @entries, 12, 'all types: all there';
for (@batch) {
    my ($type, @v) = @$_;
    my ($row) = grep { $_->[0] eq $type } @types;
    my @names = @$row[1 .. $#$row];
    is_deeply shift @entries,
        ['type', $type, map { $names[$_], $v[$_] } 0 .. $#names],
        "$type: names and values";
}
my $left = $redis->cmd('TTL', $mark);
cmp_ok $left, '>', 2591000, 'the number is kept for 30 days';
is $redis->cmd('TTL', $stream), -1, 'the stream for good';

# once, and in order
clear();
is_deeply send_batch(1, 0, n(1, 2)), [1, 0], 'first batch';
is_deeply send_batch(1, 0, n(1, 2)), [0, 1], 'again: already there';
is_deeply send_batch(2, 1, n(3)), [1, 0], 'second';
is_deeply send_batch(4, 3, n(5)), [-1, 2], 'overtook one: not taken';
is_deeply send_batch(3, 2, n(4)), [1, 0], 'that one';
is_deeply send_batch(4, 3, n(5)), [1, 0], 'then the other';
is_deeply send_batch($_, $_ - 1, n($_ + 1)), [0, 4], "$_ again"
    for 1 .. 4;
is got(), '1 2 3 4 5', 'each once, in order';

# numbers with holes
is_deeply send_batch(9, 4, n(9)), [1, 0], 'a hole, told of: taken';
is_deeply send_batch(12, 0, n(12)), [1, 0], 'a hole, first sent: taken';
is_deeply send_batch(10, 0, n(10)), [0, 12], 'what is older: not any more';

# a failover lost what was acknowledged
$redis->cmd('SET', $mark, 9);
is_deeply send_batch(14, 13, n(14)), [-1, 9], 'after a loss: not out of order';
is_deeply send_batch(13, 0, n(13)), [1, 0], 'first on a connection: taken';
is_deeply send_batch(14, 13, n(14)), [1, 0], 'the next one';
$redis->cmd('DEL', $mark);
is_deeply send_batch(15, 14, n(15)), [-1, 0], 'the number is lost as well';
is_deeply send_batch(15, 0, n(15)), [1, 0], 'first on a connection';
is got(), '1 2 3 4 5 9 12 13 14 15', 'in order';

# big numbers
is_deeply send_batch('9007199254740991', 0, n('big')), [1, 0], '2^53 - 1';
is_deeply send_batch('9007199254740990', 0, n('x')), [0, 9007199254740991],
    'and the one before';
is $redis->cmd('GET', $mark), '9007199254740991', 'kept digit by digit';

# two producers, one stream
clear();
my $other = $mark;
$_ % 2 ? ($mark = 'cx:{p}:producer:y') : ($mark = $other),
    send_batch(int($_ / 2) + 1, int($_ / 2), n($_)) for 0 .. 5;
$mark = $other;
is got(), '0 1 2 3 4 5', 'producers do not know of each other';

# many in one batch; MAXLEN
clear();
is_deeply send_batch(1, 0, n(1 .. 1000)), [1, 0], '1000 events';
is $redis->cmd('XLEN', $stream), 1000, 'all there';
my @small = args(2, 1, n(1001));
$small[6] = 500;
my $reply = $redis->cmd('EVALSHA', @small);
is $reply->[0], 1, 'MAXLEN: taken';
cmp_ok $reply->[1], '>', 300, "MAXLEN: says how many went ($reply->[1])";
is $redis->cmd('XLEN', $stream) + $reply->[1], 1001, 'MAXLEN: they add up';

# what fails, fails before it changes anything
sub state {
    return join ' ', map { my $v = eval { $redis->cmd(@$_) } // 'error';
                           ref $v ? join ',', map { @{$_->[1]} } @$v : $v }
        ['XRANGE', $stream, '-', '+'], ['GET', $mark];
}
sub fails {
    my ($name, $like, @batch) = @_;
    my $before = state();
    eval { send_batch(@batch) };
    like $@, $like, "$name: refused";
    is state(), $before, "$name: nothing changed";
}
for my $first (1, 0) {
    my $what = $first ? 'first batch' : 'a later one';
    my $seq = $first ? 1 : 2;
    clear();
    send_batch(1, 0, n(1)) if !$first;
    $redis->cmd('CONFIG', 'SET', 'maxmemory', '100kb');
    fails("OOM, $what", qr/OOM/, $seq, 0, n($seq));
    $redis->cmd('CONFIG', 'SET', 'maxmemory', 0);
    $redis->cmd('REPLICAOF', '127.0.0.1', free_port());
    fails("READONLY, $what", qr/READONLY/, $seq, 0, n($seq));
    $redis->cmd('REPLICAOF', 'NO', 'ONE');
    $redis->cmd('CONFIG', 'SET', 'min-replicas-to-write', 1);
    fails("NOREPLICAS, $what", qr/NOREPLICAS/, $seq, 0, n($seq));
    $redis->cmd('CONFIG', 'SET', 'min-replicas-to-write', 0);
    is_deeply send_batch($seq, 0, n($seq)), [1, 0], "$what: then it is taken";
}
clear();
send_batch(1, 0, n(1));
$redis->cmd('SET', $stream, 'x');
fails('WRONGTYPE, stream', qr/WRONGTYPE/, 2, 1, n(2));
is $redis->cmd('GET', $mark), 1, 'WRONGTYPE, stream: the number is as before';
$redis->cmd('DEL', $stream, $mark);
$redis->cmd('RPUSH', $mark, 'x');
fails('WRONGTYPE, number', qr/WRONGTYPE/, 1, 0, n(1));
is $redis->cmd('EXISTS', $stream), 0, 'WRONGTYPE, number: no stream';
clear();

# a user who may add entries but not keep the number
$redis->cmd('ACL', 'SETUSER', 'half', 'on', '>x', '~*', '+evalsha', '+get',
            '+xadd', '+xtrim');
$redis->cmd('AUTH', 'half', 'x');
eval { send_batch(1, 0, n(1)) };
like $@, qr/NOPERM|can't run this command|no permissions/i,
    'no SET: refused';
$redis->cmd('AUTH', 'default', '');
is $redis->cmd('EXISTS', $stream), 0, 'no SET: no entry that would come twice';

$t->done;
