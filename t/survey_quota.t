#!/usr/bin/perl

# Daily caps and total quotas: of all workers and hosts, through Redis.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(strftime);
use Test::More;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $surveys = Test::Cx::Http::encode({ version => 1, surveys => [
    { id => 'total', metric => 'nps', total => 5 },
    { id => 'daily', metric => 'nps', daily => 3 },
    { id => 'free', metric => 'nps' },
    { id => 'all', metric => 'nps', total => 20, daily => 10 },
] });

my $t = Test::Cx->new;
my $redis = $t->redis;
my %conf = (redis => $redis, cx => 1, http => "cx_queue flush=20ms;\n",
            server => 'cx_surveys surveys.json;',
            files => { 'conf/surveys.json' => $surveys });
my $ngx = $t->nginx(%conf, workers => 2);
my $key = 'cx:{localhost}:quota';
my $n = 0;

sub surveys {
    my (%o) = @_;
    my $host = $o{ngx} // $ngx;
    my $got = json($host->get('/_cx/surveys?page=/a', 'User-Agent' =>
        $o{agent} // 'Mozilla/5.0 Quota/' . ++$n)->{body});
    return map { $_->{id} => $_ } @{$got->{surveys}};
}

sub offered { my %s = surveys(@_); join ' ', sort keys %s }

sub answer {
    my ($s, $score, %o) = @_;
    return ($o{ngx} // $ngx)->post('/_cx/events', { v => 1, page => '/a',
        token => $s->{token}, events => [ { type => 'answer',
            survey => $s->{id}, version => $s->{version},
            answer => $s->{answer}, score => $score } ] })->{status};
}

is offered(), 'all daily free total', 'all at first';

# taken here: both workers know at once; nobody counts in Redis yet
my %s = surveys();
is answer($s{total}, $_), 204, "total: sent $_ times" for 1 .. 8;
is offered(), 'all daily free total', 'one answer, however often it is sent';
for (1 .. 3) { my %s = surveys(); answer($s{total}, 9) }
is scalar(grep { offered() !~ /total/ } 1 .. 10), 0, '4 of 5: still offered';
%s = surveys();
answer($s{total}, 9);
is scalar(grep { offered() =~ /total/ } 1 .. 20), 0,
    '5 of 5: not any more, by any worker';
is answer($s{total}, 3), 204, 'what is open may still be changed';

# a form that is over
is $ngx->get('/_cx/survey/total')->{status}, 410, 'nor as a form';
is $ngx->get('/_cx/survey/free')->{status}, 200, 'another one is';

# Redis counts them: they are not counted twice
$redis->cmd('HSET', $key, 'total', 5);
%s = surveys();
answer($s{all}, 5);
sleep 3;
$redis->cmd('HSET', $key, 'all', 1);
sleep 3;
for (1 .. 8) { my %s = surveys(); answer($s{all}, 5) }
like offered(), qr/\ball\b/, '9 of 10 a day';
%s = surveys();
answer($s{all}, 5);
unlike offered(), qr/\ball\b/, '10 of 10 a day';

# other hosts
my $today = strftime '%Y%m%d', gmtime;
like offered(), qr/\bdaily\b/, 'daily: offered';
$redis->cmd('HSET', $key, "daily:$today", 3, 'daily', 3);
ok wait_for(sub { offered() !~ /\bdaily\b/ }, 5),
    'other hosts took the rest: not any more';
my $other = $t->nginx(%conf);
ok wait_for(sub { offered(ngx => $other) eq 'all free' }, 5),
    'a host that starts knows what Redis counted';

# a new day, a reset
$redis->cmd('HDEL', $key, "daily:$today");
ok wait_for(sub { offered(ngx => $other) =~ /\bdaily\b/ }, 5),
    'no answers today: offered again';

# answers that were taken and counted before Redis said anything for the first
# time: not twice
my $first = 'cx:{first}:quota';
$redis->cmd('SET', $first, 'no hash');
my $early = $t->nginx(%conf, server => 'cx_site first; ' . $conf{server});
for (1 .. 3) { my %s = surveys(ngx => $early); answer($s{total}, 9,
                                                      ngx => $early) }
$redis->cmd('HSET', "$first:ready", 'total', 3, "total:$today", 3,
            'daily', 3, "daily:$today", 3);
$redis->cmd('RENAME', "$first:ready", $first);
ok wait_for(sub { offered(ngx => $early) !~ /\bdaily\b/ }, 5),
    'Redis has been heard';
like offered(ngx => $early), qr/\btotal\b/, '3 of 5';
%s = surveys(ngx => $early);
answer($s{total}, 9, ngx => $early);
like offered(ngx => $early), qr/\btotal\b/, '4 of 5';
%s = surveys(ngx => $early);
answer($s{total}, 9, ngx => $early);
unlike offered(ngx => $early), qr/\btotal\b/, '5 of 5';

# the aggregator
$redis->cmd('DEL', $key);
my $host = $t->nginx(%conf, server => 'cx_site counted; ' . $conf{server});
for (1 .. 5) {
    my %s = surveys(ngx => $host);
    answer($s{total}, $_, ngx => $host);
    answer($s{total}, $_ + 1, ngx => $host);
}
unlike offered(ngx => $host), qr/total/, 'before the aggregator';
my ($status, undef, $err) = $t->aggregate('--once', '--redis', $redis->url,
                                         '--site', 'counted');
is $status, 0, 'cx-aggregator --once' or diag $err;
is $redis->cmd('HGET', 'cx:{counted}:quota', 'total'), 5,
    'the aggregator counts answers, not events';
is $redis->cmd('HGET', 'cx:{counted}:quota', "total:$today"), 5,
    'of the day, too';
sleep 2.5;
unlike offered(ngx => $host), qr/total/, 'after it';

# completing an answer is no answer, however many came between
my $busy = $t->nginx(%conf, files => { 'conf/surveys.json' =>
    Test::Cx::Http::encode({ version => 1, surveys => [ { id => 'busy',
        metric => 'nps', total => 100, follow_up => \1 } ] }) });
my @busy = map { json($busy->get('/_cx/surveys?page=/a', 'User-Agent' =>
    "Mozilla/5.0 Quota/$_")->{body})->{surveys}[0] } 1 .. 60;
for my $text (undef, 'good') {
    for my $s (@busy) {
        $busy->post('/_cx/events', { v => 1, page => '/a',
            view => '00000000000000f1', token => $s->{token},
            events => [ { type => 'answer', survey => 'busy', score => 9,
                          version => $s->{version}, answer => $s->{answer},
                          defined $text ? (text => $text) : () } ] });
    }
}
is scalar @{json($busy->get('/_cx/surveys?page=/a', 'User-Agent' =>
    'Mozilla/5.0 Quota/61')->{body})->{surveys}}, 1, '60 of 100, and completed';
$busy->quit;

# a zone that is too small says so
for (['64k', 14, qr/20 surveys have a quota, and cx_zone has room for .* 14/],
     ['2m', 27, undef]) {
    my ($size, $room, $says) = @$_;
    my $small = $t->nginx(%conf, http => "cx_zone cx:$size;\n",
        files => { 'conf/surveys.json' => Test::Cx::Http::encode({
            version => 1, surveys => [ map { { id => "q$_", metric => 'nps',
                                               daily => 5 } } 1 .. 20 ] }) });
    my $log = join '', grep { /surveys have a quota/ }
        split /^/, $small->error_log;
    $says ? like($log, $says, "$size: $room quotas")
          : is($log, '', "$size: $room quotas");
    $small->allow(qr/surveys have a quota/);
    $small->quit;
}

# Redis away: what is known holds
$redis->pause;
unlike offered(ngx => $host), qr/total/, 'without Redis: what was known';
$redis->cont;

$t->done;
