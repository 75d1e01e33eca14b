#!/usr/bin/perl

# Surveys in the rollups: the funnel, versions, choices that are corrected,
# text by language, refusals, definitions and quotas; figures by hand.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use POSIX ();
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my $s     = Test::Cx::Stream->new($redis, 'shop');
my @flags = ('--redis', $redis->url, '--site', 'shop', '--once');
my ($day, $hour) = ($s->day, $s->hour);
my ($v1, $v2) = ('1a2b3c4d', '5e6f7a8b');
my @at = (survey => 'nps', version => $v1);
my $visit = 'a100000000000001';

sub nonzero { my $h = shift; +{ map { $_ => $h->{$_} }
                                grep { $h->{$_} ne '0' } keys %$h } }
sub of { nonzero($s->hash('survey', 'd', $day, $_[0])) }
sub day_before { POSIX::strftime('%Y%m%d', gmtime($s->now / 1000 - 86400 * $_[0])) }

sub run {
    my ($name) = @_;
    $s->send;
    is +($t->aggregate(@flags))[0], 0, $name // 'aggregated';
}

# what an answer has, by its id
sub answer {
    my ($id, $page, %v) = @_;
    $s->add('answer', $page, answer => $id, visit => $visit, @at, %v);
}

# a definition is kept as it is, and only written when it is another one
my $json = '{"metric":"nps","question":"How likely?","owner":"docs"}';
$s->define('nps', $v1, $json);
$s->define('nps', $v2, $json);
$s->define('nps', $v1, '{"metric":"nps","retired":true}');
$s->define('nps', $v1, $json);
run('definitions');
is_deeply $s->hash('definitions'), { "nps\@$v1" => $json, "nps\@$v2" => $json },
    'are there';
ok !$redis->cmd('EXISTS', $s->key('total', 'd', $day)), 'and nothing else is';
my $writes = sub { my ($n) = $redis->cmd('INFO', 'commandstats')
    =~ /cmdstat_hset:calls=(\d+)/; $n };
my $before = $writes->();
$s->define('nps', $v1, $json);
run('the same once more');
is $writes->() - $before, 1, 'moves the checkpoint, and writes no more';

# the head of the funnel is of no page, and opens no window of pages
$s->offer('/a', "nps\@$v1=1,nps\@$v2=0,old=1", visit => $visit);
$s->offer('/a', "nps\@$v1=0");
run('offers');
is_deeply of("nps\@$v1"), { eligible => 2, sampled => 1 }, 'of a version';
is_deeply of("nps\@$v2"), { eligible => 1 }, 'of another one';
is_deeply of('old'), { eligible => 1, sampled => 1 }, 'of none';
is $redis->cmd('EXISTS', map { $s->key($_, 'd', $day) } 'total', 'pages'), 0,
    'no page, no site';
is_deeply $s->hash('visits', $hour, 'a'), {}, 'no visit';

# the rest: a dry run is not a showing
$s->view('/a', visit => $visit);
$s->add('shown', '/a', visit => $visit, @at, trigger => 'exit', chance => 2500);
$s->add('shown', '/a', visit => $visit, survey => 'nps', version => $v2,
        dry => 1);
$s->add('start', '/a', visit => $visit, @at);
$s->add('dismiss', '/a', visit => $visit, @at, how => 'never');
run('a survey');
is_deeply of("nps\@$v1"), { eligible => 2, sampled => 1, shown => 1,
    started => 1, dismissed => 1, never => 1 }, 'shown, begun, closed';
is_deeply of("nps\@$v2"), { eligible => 1, would_show => 1 }, 'a dry run';
my $a = $s->hash('page', 'h', $hour, '/a');
is_deeply [@$a{qw(shown would_show started dismissed)}], [1, 1, 1, 1],
    'on the page';
ok $redis->cmd('TTL', $s->key('pages', 'd', $day)) > 0,
    'the index of pages, which came later, ends';

# an answer grows step by step: each thing counts once
my $id = 'aaaaaaaa00000001';
my @nps = (metric => 'nps', view => '00000000000000f1');
answer($id, '/a', @nps, score => 6);
answer($id, '/a', @nps, score => 9, choice => '0,11');
run('an answer');
is_deeply nonzero({ map { $_ => $s->hash('page', 'd', $day, '/a')->{$_} // 0 }
                    qw(nps:6 nps:9 choice:0 choice:1 choice:11 answered) }),
    { 'nps:9' => 1, 'choice:0' => 1, 'choice:11' => 1, answered => 1 },
    'a correction moves the score';
answer($id, '/a', @nps, score => 9, choice => '0,1', lang => 'de-AT',
       text => 'weil', done => 1);
answer($id, '/a', @nps, score => 9, choice => '0,1', lang => 'de-AT',
       text => 'weil', done => 1);
answer($id, '/a', @nps, score => 9, text => 'weil ja', lang => 'en', done => 0);
run('from Redis again');
my %nps = (eligible => 2, sampled => 1, shown => 1, started => 1,
    dismissed => 1, never => 1, answered => 1, 'answers:asked' => 1, text => 1,
    'text:de' => 1, done => 1, 'nps:9' => 1, 'choice:0' => 1, 'choice:1' => 1);
is_deeply of("nps\@$v1"), \%nps, 'choices move, text and the end count once';
my $stored = $s->hash('answer', $id);
is_deeply [@$stored{qw(choice text lang done version view)}],
    ['0,1', 'weil ja', 'de-AT', 1, $v1, '00000000000000f1'], 'as it is kept';

# a second answer of the same id from another view of a page
answer($id, '/b', metric => 'nps', score => 0, view => '00000000000000f2',
       text => 'stuffed', choice => '5', done => 1);
run('a second one');
is_deeply of("nps\@$v1"), { %nps, 'refused:repeat' => 1 },
    'is refused, and nothing else changes';
is $s->hash('answer', $id)->{text}, 'weil ja', 'nor does the answer';
is_deeply $s->hash('page', 'd', $day, '/b'), {}, 'nor any page';
is $s->hash('total', $_->[0], $_->[1])->{'refused:repeat'}, 1, "in @$_"
    for [h => $hour], [d => $day];
answer($id, '/b', metric => 'nps', score => 9);
run('without a view');
is of("nps\@$v1")->{'refused:repeat'}, 1, 'a form: is no second one';
my %was = %{of("nps\@$v1")};
answer($id, '/a', version => $v2, metric => 'nps', score => 9);
answer($id, '/a', version => $v2, metric => 'csat', score => 1);
run('who follows a link again, when the wording is another');
is_deeply of("nps\@$v1"), \%was, 'moves nothing of the old version';
is_deeply of("nps\@$v2"), { eligible => 1, would_show => 1,
    'refused:repeat' => 2 }, 'and is refused at the new one';
is $s->hash('answer', $id)->{version}, $v1, 'the answer stays what it was';
answer($id, '/a', @nps, score => 9, choice => '1,0');
answer($id, '/a', survey => 'ces', metric => 'ces', score => 1);
answer($id, '/a', metric => 'csat', score => 1);
run('a choice that is none, another survey, another metric');
sub aside { map { +{ @{$_->[1]} }->{reason} }
            @{$redis->cmd('XRANGE', $s->key('rejected'), '-', '+')} }
is_deeply [aside()], ['bad choice', ('answer of another survey') x 2],
    'set aside';

# what is set aside may be an answer: it is kept as long as one
my $keep = 90 * 86400;
my $ttl = sub { $redis->cmd('TTL', $s->key(@_)) };
cmp_ok abs($ttl->('rejected') - $keep), '<', 60, 'no longer than answers';
cmp_ok abs($ttl->('answer', $id) - $keep), '<', 60, 'which end';
cmp_ok abs($ttl->('verbatims') - $keep - 86400), '<', 60,
    'as does the list of them, for clocks that are ahead a day later';
my $then = $s->now - 1000 * $keep - 60_000;
$redis->cmd('DEL', $s->key('rejected'));
$redis->cmd('XADD', $s->key('rejected'), $_, reason => 'old')
    for "$then-0", $then + 120_000 . '-0';
answer($id, '/a', @nps, score => 9, choice => '1,0');
run('with old ones there');
is_deeply [aside()], ['old', 'bad choice'], 'what is older is gone';

# refusals of the edge, with and without a survey
$s->refused('nps', $v1, 'token', 3);
$s->refused('nps', $v1, 'expired', 2);
$s->refused('', '', 'token', 4);
$s->refused('', '', 'flood', 70);
$s->refused('nps', $v1, 'mood', 1);
run('refusals');
is_deeply { map { $_ => of("nps\@$v1")->{"refused:$_"} // 0 }
            qw(token expired repeat flood) },
    { token => 3, expired => 2, repeat => 1, flood => 0 }, 'of a survey';
is_deeply { map { $_ => $s->hash('total', 'd', $day)->{"refused:$_"} // 0 }
            qw(token expired repeat flood) },
    { token => 7, expired => 2, repeat => 3, flood => 70 }, 'of the site';

# a rollup of answers that Redis has wrong: no key is made of it
my $odd = 'eeeeeeee00000001';
$redis->cmd('HSET', $s->key('answer', $odd), ts => $s->now, page => '/a',
            survey => 'x' x 5000, version => 'y' x 5000, metric => 'nps',
            score => 1);
answer($odd, '/odd', metric => 'nps', score => 2);
run('an answer that cannot be read');
is $s->hash('page', 'd', $day, '/odd')->{'nps:2'}, 1, 'is as good as none';
$redis->cmd('HINCRBY', $s->key('quota'), $_, -1) for 'nps', "nps:$day";

# every metric; what has no score has none
my $n = 0;
my $csat = sub {
    my ($metric, $score, %v) = @_;
    $s->add('answer', '/m', answer => sprintf('cccccccc%08x', ++$n),
            survey => "s-$metric", version => $v1, metric => $metric,
            score => $score, %v);
};
$csat->('csat7', $_) for 5 .. 7;
$csat->('psat5', $_) for 3 .. 5;
$csat->('choice', '', choice => 2);
$csat->('choices', '', choice => '1,2', lang => 'he', text => 'x');
$csat->('text', '', text => 'only words', lang => 'da');
run('metrics');
my $m = nonzero($s->hash('page', 'd', $day, '/m'));
is_deeply $m, { answered => 9, 'answers:asked' => 9, text => 2,
    (map { ("csat7:$_" => 1) } 5 .. 7), (map { ("psat5:$_" => 1) } 3 .. 5),
    'choice:1' => 1, 'choice:2' => 2, 'text:he' => 1, 'text:other' => 1 },
    'each counts as what it is';
my $figures = $s->hash('score', 'd', $day, '/m');
is_deeply [@$figures{qw(satisfaction satisfaction_n)}], ['66.67', 6],
    'satisfied: 6 and 7 of 7, 4 and 5 of 5';

# quotas: distinct answers, all versions, by day; a week of days
is $s->hash('quota')->{nps}, 1, 'one answer, however often it was sent';
is $s->hash('quota')->{"nps:$day"}, 1, 'on its day';
my ($old, $kept, $strange, $dated) = map { "$_->[0]:" . day_before($_->[1]) }
    ['gone', 8], ['nps', 7], ['a:b', 9], ['spring', 9];
$redis->cmd('HSET', $s->key('quota'), $old, 5, $kept, 6, $strange, 7,
            'has:colon', 8, $dated, 9, gone => 5, 'a:b' => 7);
$s->add('answer', '/a', answer => 'dddddddd00000001', survey => 'nps',
        version => $v2, metric => 'nps', score => 1,
        ts => $s->now - 86400_000 * 7);
$s->add('answer', '/a', answer => 'dddddddd00000002', survey => 'nps',
        metric => 'nps', score => 1, ts => $s->now - 86400_000 * 30);
run('late ones');
my $quota = $s->hash('quota');
is $quota->{nps}, 3, 'all versions and days together';
is $quota->{$kept}, 7, 'of a week ago';
ok !exists $quota->{"nps:" . day_before(30)}, 'a month ago is no day';
ok !exists $quota->{$old} && !exists $quota->{$strange},
    'days before that are gone';
is $quota->{'has:colon'}, 8, 'a survey with a colon is not';
is $quota->{$dated}, 9, 'nor one whose id ends with a date';
is $redis->cmd('TTL', $s->key('quota')), -1, 'for good';

# begun before midnight, completed after it: it counts on the day it was begun
my $midnight = $s->now - $s->now % 86400_000;
my $yesterday = $s->day($midnight - 1);
my $late = 'ffffffff00000001';
my @late = (survey => 'late', metric => 'nps', version => $v1,
            view => '00000000000000f9');
answer($late, '/late', @late, score => 3, ts => $midnight - 1000);
run('before midnight');
answer($late, '/late', @late, score => 10, text => 'ja', lang => 'sv', done => 1,
       ts => $midnight + 1000);
run('after midnight');
is_deeply nonzero($s->hash('survey', 'd', $yesterday, "late\@$v1")),
    { answered => 1, 'answers:asked' => 1, 'nps:10' => 1, text => 1,
      'text:sv' => 1, done => 1 }, 'where it was begun';
is_deeply of("late\@$v1"), {}, 'not where it was completed';
is_deeply nonzero($s->hash('page', 'd', $yesterday, '/late')),
    { answered => 1, 'answers:asked' => 1, 'nps:10' => 1, text => 1,
      'text:sv' => 1, done => 1 }, 'the page, too';
is_deeply { map { $_ => $s->hash('quota')->{$_} }
            grep { /^late/ } keys %{$s->hash('quota')} },
    { late => 1, "late:$yesterday" => 1 }, 'and its quota';

# out of two spools, the later event first: what was said last holds
my ($two, @two) = ('ffffffff00000003', survey => 'two', version => $v1,
                   metric => 'choices', view => '00000000000000f9');
answer($two, '/two', @two, choice => '0,1', ts => $s->now - 1000);
answer($two, '/two', @two, choice => '0', ts => $s->now - 6000, lang => 'de');
run('the later one first');
is $s->hash('answer', $two)->{choice}, '0,1', 'an older event corrects nothing';
is $s->hash('answer', $two)->{lang}, 'de', 'but says what was not known';
answer($two, '/two', @two, choice => '1', ts => $s->now - 3000);
run('and one from between');
is $s->hash('answer', $two)->{choice}, '0,1', 'nor after a restart';
answer($two, '/two', @two, choice => '1', ts => $s->now);
run('a later one');
is_deeply of("two\@$v1"), { answered => 1, 'answers:asked' => 1,
                            'choice:1' => 1 }, 'a later one does';

# completed when its windows are closed: the answer grows, no figure moves
my ($old_id, $month) = ('ffffffff00000002', $s->now - 86400_000 * 30);
@flags = (@flags, '--keep-days', '10d');
answer($old_id, '/old', @late, survey => 'aged', score => 3, ts => $month);
run('given when its day is over');
answer($old_id, '/old', @late, survey => 'aged', score => 10, text => 'ja',
       ts => $month + 1000);
run('completed then');
is $s->hash('answer', $old_id)->{score}, 10, 'is known';
is scalar @{$redis->cmd('KEYS', $s->key('survey', 'd', '*', 'aged*'))}, 0,
    'and in no window';
is_deeply [map { $s->hash('quota')->{$_} } 'aged', 'aged:' . $s->day($month)],
    [1, undef], 'it is one of all that were given';
@flags = @flags[0 .. $#flags - 2];

# what cannot be
$s->offer('/a', $_) for 'nps', 'nps=2', 'nps=1,', '=1', "nps\@=1", 'a b=1',
    "nps\@1A2B3C4D=1", ',nps=1';
$s->send;
my $r0 = $s->checkpoint->{rejected};
run('bad lists');
is $s->checkpoint->{rejected} - $r0, 8, 'are set aside whole';
my ($status, $out) = $t->ctl('check', '--redis', $redis->url);
is $status, 0, 'cxctl check' or diag $out;

# a survey rollup that lost a count is found
$redis->cmd('HINCRBY', $s->key('survey', 'd', $day, "nps\@$v1"), 'started', 1);
($status, $out) = $t->ctl('check', '--redis', $redis->url);
is $status, 1, 'a counter that is wrong';
like $out, qr/started of the site is 1, its surveys add up to 2/, 'is found';

$t->done;
