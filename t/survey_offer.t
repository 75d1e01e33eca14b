#!/usr/bin/perl

# GET <prefix>surveys: which surveys a visit gets, in which language and order,
# what comes with them, and the offers that are recorded.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(strftime);
use Test::More;
use Test::Cx;
use Time::HiRes qw(sleep);

sub day { strftime '%Y-%m-%d', gmtime time + 86400 * shift }

my @surveys = (
    { id => 'low', metric => 'nps', priority => 1 },
    { id => 'high', metric => 'csat', priority => 50, question => 'Happy?',
      where => { pages => ['/a', '/docs/*'] } },
    { id => 'german', metric => 'psat', where => { pages => ['/lang'] },
      language => 'de', question => { de => 'Gut?', fr => 'Bon ?' } },
    { id => 'phone', metric => 'ces', where => { pages => ['/device'],
      devices => ['phone'] } },
    { id => 'desk', metric => 'ces', where => { pages => ['/device'],
      devices => ['desktop'] } },
    { id => 'tab', metric => 'ces', where => { pages => ['/device'],
      devices => ['tablet'] } },
    { id => 'fresh', metric => 'nps', where => { pages => ['/who'],
      visitors => 'new' } },
    { id => 'again', metric => 'nps', where => { pages => ['/who'],
      visitors => 'returning' } },
    { id => 'soon', metric => 'nps', where => { pages => ['/date'] },
      from => day(1) },
    { id => 'today', metric => 'nps', where => { pages => ['/date'] },
      from => day(0), until => day(0) },
    { id => 'over', metric => 'nps', where => { pages => ['/date'] },
      until => day(-1) },
    { id => 'dry', metric => 'nps', where => { pages => ['/life'] },
      dry_run => \1 },
    { id => 'gone', metric => 'nps', where => { pages => ['/life'] },
      retired => \1 },
    { id => 'half', metric => 'nps', where => { pages => ['/half'] },
      sample => 50 },
    { id => 'never', metric => 'nps', where => { pages => ['/half'] },
      sample => 0 },
    { id => 'gold', metric => 'nps', where => { pages => ['/seg'],
      segments => ['gold'] } },
    { id => 'pay', metric => 'nps', where => { pages => ['/tp'],
      touchpoints => ['pay'], stages => ['buy'] } },
    { id => 'after', metric => 'nps', where => { pages => ['/after'] },
      when => { after => ['error_page'] } },
    map { { id => sprintf('crowd-%026d', $_), metric => 'nps',
            where => { pages => ['/crowd'] }, sample => $_ % 2 * 100 } } 1 .. 40
);

my $t = Test::Cx->new;
my $redis = $t->redis;
my $ngx = $t->nginx(redis => $redis, cx => 1,
    http => "cx_queue flush=20ms;\n",
    server => 'cx_surveys surveys.json; cx_segment $http_x_segment;
               location = /boom { return 500; }',
    files => { 'conf/surveys.json' =>
                   Test::Cx::Http::encode({ version => 1,
                                            surveys => \@surveys }),
               map { ("html/$_" => '<!doctype html><html><head>') }
                   qw(after.html other.html) });

my $n = 0;

sub get {
    my ($args, %o) = @_;
    $o{'User-Agent'} //= 'Mozilla/5.0 Visitor/' . ++$n;
    return json($ngx->get("/_cx/surveys?$args", %o)->{body});
}

sub ids { join ' ', grep { $_ ne 'low' } map { $_->{id} } @{get(@_)->{surveys}} }

# order and shape
my $got = get('page=/a');
is join(' ', map { $_->{id} } @{$got->{surveys}}), 'high low',
    'highest priority first';
is $got->{v}, 1, 'version of the answer';
my $high = $got->{surveys}[0];
like $high->{version}, qr/^[0-9a-f]{8}$/, 'version of the survey';
like $high->{answer}, qr/^[0-9a-f]{16}$/, 'answer id';
like $high->{token}, qr/^[0-9a-f]{8}\.$high->{answer}\.[0-9a-f]{16}$/,
    'token of it';
is $high->{question}, 'Happy?', 'question';
is $high->{metric}, 'csat', 'metric';
ok $got->{ui}{send} && $got->{ui}{never}, 'wording of the widget';
ok !exists $high->{ui}, 'once, if all are in one language';
ok !exists $got->{signals}, 'no signals, as nobody asks for them';
is ids('page=/docs/x'), 'high', 'by pattern';
is ids('page=/nope'), '', 'not elsewhere';
is ids('path=/docs/x?q=1'), 'high', 'by path';
my $r = $ngx->get('/_cx/surveys');
is $r->{status}, 400, 'no page';
is $ngx->get('/_cx/surveys?page=/a&width=x')->{status}, 400, 'no width';
is $ngx->get('/_cx/surveys?page=/a&new=2')->{status}, 400, 'new is 0 or 1';
is $ngx->head('/_cx/surveys?page=/a')->{status}, 200, 'HEAD';

# languages
is ids('page=/lang', 'Accept-Language' => 'fr;q=0.5, de-AT'), 'german',
    'in the language of the browser';
$got = get('page=/lang', 'Accept-Language' => 'fr;q=0.5, de-AT');
my ($german) = grep { $_->{id} eq 'german' } @{$got->{surveys}};
is $german->{lang}, 'de', 'the wish with the highest q';
is $german->{question}, 'Gut?', 'its question';
$got = get('page=/lang&lang=fr-CH', 'Accept-Language' => 'de');
($german) = grep { $_->{id} eq 'german' } @{$got->{surveys}};
is $german->{question}, 'Bon ?', 'the page goes before the browser';
is ids('page=/lang', 'Accept-Language' => 'ja'), '', 'not in others';
$got = get('page=/nope', 'Accept-Language' => 'ar');
is $got->{surveys}[0]{lang}, 'ar', 'standard wording in Arabic';
is $got->{surveys}[0]{dir}, 'rtl', 'from right to left';
isnt $got->{ui}{send}, get('page=/nope', 'Accept-Language' => 'en')
    ->{ui}{send}, 'the widget speaks it, too';
$got = get('page=/lang&lang=de', 'Accept-Language' => 'de');
is_deeply [map { $_->{lang} } @{$got->{surveys}}], ['de', 'de'],
    'one language for all';

# device, new and known
is ids('page=/device&touch=1&width=390'), 'phone', 'phone';
is ids('page=/device&touch=1&width=820'), 'tab', 'tablet';
is ids('page=/device&touch=1&width=1400'), 'desk', 'a large screen to touch';
is ids('page=/device&touch=0&width=390'), 'desk', 'a small window';
is ids('page=/device'), '', 'not known';
is ids('page=/who&new=1'), 'fresh', 'new';
is ids('page=/who&new=0'), 'again', 'returning';
is ids('page=/who'), '', 'who knows';

# dates, life
is ids('page=/date'), 'today', 'until is inclusive';
is ids('page=/life'), 'dry', 'retired: never';
my ($dry) = grep { $_->{id} eq 'dry' } @{get('page=/life')->{surveys}};
is $dry->{dry}, 1, 'a dry run says so';

# segment, touchpoint, stage
is ids('page=/seg', 'X-Segment' => 'gold'), 'gold', 'segment';
is ids('page=/seg', 'X-Segment' => 'tin'), '', 'another segment';
is ids('page=/tp&touchpoint=pay&stage=buy'), 'pay', 'touchpoint and stage';
is ids('page=/tp&touchpoint=pay'), '', 'not without its stage';

# not asked
is_deeply get('page=/a', 'Sec-GPC' => 1)->{surveys}, [], 'GPC';
is_deeply get('page=/a', Cookie => 'cx_opt_out=1')->{surveys}, [], 'opted out';
is_deeply get('page=/a', 'User-Agent' => 'Googlebot/2.1')->{surveys}, [], 'bot';

# the same visit gets the same answer id all day, another one another
my @same = map { get('page=/a', 'User-Agent' => 'Mozilla/5.0 Same')
                     ->{surveys}[0] } 1, 2;
is $same[0]{answer}, $same[1]{answer}, 'same visit, same answer id';
isnt $same[0]{answer}, $high->{answer}, 'another visit, another one';
my $both = get('page=/a', 'User-Agent' => 'Mozilla/5.0 Same')->{surveys};
isnt $both->[0]{answer}, $both->[1]{answer}, 'another survey, another one';

# signals that nginx saw
my @agent = ('User-Agent' => 'Mozilla/5.0 Unlucky');
sub told { join ' ', @{get("page=/after", @agent)->{signals} // []} }
$ngx->get("/other.html", @agent, Accept => 'text/html');
is told(), '', 'nothing happened yet';
$ngx->get('/boom', @agent, Accept => 'text/html');
is told(), 'error_page', 'on this page';
$ngx->get("/after.html", @agent, Accept => 'text/html');
is told(), 'error_page', 'on the page before';
$ngx->get("/other.html", @agent, Accept => 'text/html');
is told(), '', 'not any more';
ok !exists get('page=/a', @agent)->{signals}, 'only where somebody asks';

# the head of the funnel
my (%drawn, %stays);
for my $i (1 .. 200) {
    my @a = ('User-Agent' => "Mozilla/5.0 Half/$i");
    $drawn{$i} = ids('page=/half', @a) eq 'half';
    $stays{$i} = (ids('page=/half', @a) eq 'half') == $drawn{$i} if $i < 20;
}
my $share = grep { $_ } values %drawn;
cmp_ok abs($share - 100), '<', 40, "about half are drawn ($share of 200)";
is scalar(grep { !$_ } values %stays), 0, 'no reload draws again';
my @offers = $redis->wait_events(219, filter => sub {
    $_[0]{type} eq 'offer' && $_[0]{page} eq '/half' });
is scalar @offers, 219, 'an offer a request';
is scalar(grep { $_->{surveys} =~ /\bhalf\@[0-9a-f]{8}=1/ } @offers),
    $share + grep({ $drawn{$_} } keys %stays), 'drawn: =1';
is scalar(grep { $_->{surveys} =~ /\bnever\@[0-9a-f]{8}=0/ } @offers), 219,
    'not drawn: =0';
is scalar(grep { !$_->{visit} } @offers), 0, 'of a visit';
my ($one) = $redis->wait_events(1, filter => sub {
    $_[0]{type} eq 'offer' && $_[0]{page} eq '/tp'
        && $_[0]{surveys} =~ /pay/ });
is_deeply [@$one{qw(touchpoint stage)}], ['pay', 'buy'], 'of a place';
my @private = grep { $_->{type} eq 'offer' && $_->{page} eq '/life'
                     && $_->{surveys} =~ /gone/ } $redis->events;
is scalar @private, 0, 'a retired one is not offered';

# more surveys than an event has room for
my @crowd = @{get('page=/crowd')->{surveys}};
is scalar(grep { $_->{id} =~ /crowd/ } @crowd), 20, 'many surveys';
$redis->wait_events(3, filter => sub { $_[0]{page} eq '/crowd' });
my %told;
$told{$_}++ for map { split /,/, $_->{surveys} }
    grep { $_->{type} eq 'offer' && $_->{page} eq '/crowd' } $redis->events;
is scalar(grep { /^crowd/ } keys %told), 40, 'all of them are told';
is scalar(grep { /^crowd.*=1$/ } keys %told), 20, 'and which were drawn';
is scalar(grep { $_ != 1 } values %told), 0, 'once';
$ngx->head('/_cx/surveys?page=/crowd');

# what the surveys ask
my @defined = $redis->definitions;
is scalar @defined, scalar @surveys, 'each survey is defined, once';
my ($def) = grep { $_->{survey} eq 'high' } @defined;
is $def->{version}, $high->{version}, 'its version';
is json($def->{definition})->{metric}, 'csat', 'its metric';
my $two = $t->nginx(redis => $redis, cx => 1, workers => 2,
    server => 'cx_site two; cx_surveys surveys.json;
               location /sub/ { cx_surveys surveys.json; }',
    files => { 'conf/surveys.json' => Test::Cx::Http::encode({ version => 1,
        surveys => [$surveys[0]] }) });
sleep 0.7;
is scalar($redis->definitions('two')), 1,
    'by one of the workers, for one of the locations';

# versions
sub version_of {
    my ($survey) = @_;
    my $x = $t->nginx(redis => $redis, cx => 1,
        server => 'cx_surveys surveys.json;',
        files => { 'conf/surveys.json' => Test::Cx::Http::encode(
            { version => 1, surveys => [$survey] }) });
    my $v = $x->versions->{$survey->{id}};
    $x->quit;
    return $v;
}
my %base = (id => 'v', metric => 'nps', question => 'Q?');
my $v = version_of({ %base });
is version_of({ %base, owner => 'me', sample => 100, priority => 3,
                thanks => 'Thanks!', when => { delay => 3 } }), $v,
    'owner, thanks, when: the same version';
isnt version_of({ %base, question => 'Q!' }), $v, 'another wording: another';

$t->done;
