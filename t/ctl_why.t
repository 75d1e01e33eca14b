#!/usr/bin/perl

# cxctl surveys why says what <prefix>why says: the same surveys, in the same
# language, and not for the same reasons.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Test::Cx;

my @nps = (metric => 'nps');
my $tomorrow = POSIX::strftime('%Y-%m-%d', gmtime(time + 86400));
my $yesterday = POSIX::strftime('%Y-%m-%d', gmtime(time - 86400));
my @surveys = (

    # where and whom
    { id => 'all', @nps },
    { id => 'pages', @nps, where => { pages => ['/x', '/y/*', '*z'] } },
    { id => 'long', @nps, where => { segments =>
        [map { "\x{65e5}\x{672c}\x{8a9e}$_" } 1 .. 99] } },
    { id => 'touchpoint', @nps, where => { touchpoints => ['pay', 'buy'] } },
    { id => 'stage', @nps, where => { stages => ['buy'] } },
    { id => 'segment', @nps, where => { segments => ['gold', "g\x{f6}ld"] } },
    { id => 'device', @nps, where => { devices => ['tablet', 'phone'] } },
    { id => 'new', @nps, where => { visitors => 'new' } },
    { id => 'known', @nps, where => { visitors => 'returning' } },
    { id => 'two', @nps, where => { stages => ['buy'],
                                    touchpoints => ['pay'] } },
    { id => 'early', @nps, from => $tomorrow },
    { id => 'late', @nps, until => $yesterday },
    { id => 'retired', @nps, retired => \1, where => { pages => ['/x'] } },
    { id => 'dry', @nps, dry_run => \1 },
    { id => 'total', @nps, total => 5 },
    { id => 'daily', @nps, daily => 3, total => 9 },
    { id => 'both', @nps, daily => 2, total => 4 },

    # languages: of the texts, of their first parts, of standard wording
    { id => 'one', @nps, question => 'How?' },
    { id => 'own', @nps, language => 'de', question => 'Wie?' },
    { id => 'case', @nps, language => 'DE-at', question => 'Wie?' },
    { id => 'parts', @nps, question => { 'de-AT' => 'Wie?', en => 'How?' },
      labels => { low => { de => 'a', en => 'b' },
                  high => { de => 'a', 'en-GB' => 'b', 'de-CH' => 'c' } } },
    { id => 'first', @nps, language => 'fr',
      question => { fr => 'q', de => 'q', it => 'q' },
      thanks => { fr => 't', 'it-CH' => 't', it => 't' } },
    { id => 'strange', metric => 'text', language => 'de',
      question => { da => 'Hvad?', de => 'Was?' } },
    { id => 'thanked', metric => 'text', language => 'da',
      question => { da => 'Hvad?', de => 'Was?' },
      thanks => { da => 'Tak', de => 'Danke' } },
    { id => 'linked', metric => 'text', question => { en => 'q', de => 'q' },
      thanks => { text => { en => 't', de => 't' },
                  link => { url => '/', label => 'more' } } },
    { id => 'link', metric => 'text', question => { en => 'q', de => 'q' },
      thanks => { link => { url => '/', label => { en => 'm', de => 'm' } } } },
    { id => 'named', @nps, name => { en => 'the docs', de => 'die Doku' } },
    { id => 'name', @nps, name => 'the docs' },
    { id => 'brand', @nps, name => { '*' => 'Cx' } },
    { id => 'task', metric => 'ces', name => { '*' => 'Cx' },
      task => { en => 'find it', 'pt-BR' => 'achar', pt => 'achar' } },
    { id => 'bare', metric => 'ces' },
    { id => 'asked', metric => 'csat', follow_up => \1,
      question => { en => 'q', da => 'q', ja => 'q' } },
    { id => 'follow', metric => 'csat7', follow_up => {
        dissatisfied => { en => 'f', pl => 'f' }, any => { en => 'f' } } },
    { id => 'chosen', metric => 'choice', question => { en => 'q', he => 'q' },
      options => [{ en => 'a', he => 'a' }, { en => 'b', ar => 'b' }] },
    { id => 'more', metric => 'psat5', more => [
        { kind => 'choices', question => { en => 'q', nl => 'q', tr => 'q' },
          options => [{ en => 'a', nl => 'a' }, { nl => 'b', en => 'b' }] } ] },
    { id => 'tab', @nps, place => 'tab' },
    { id => 'tabs', @nps, place => 'tab',
      tab => { en => 'Say', 'zh-Hant' => 'x', zh => 'x' } },
    { id => 'psat', metric => 'psat', language => 'pt-BR' },
);

my $t = Test::Cx->new;
my $redis = $t->redis;
my $json = Test::Cx::Http::encode({ version => 1, surveys => \@surveys });
my $ngx = $t->nginx(redis => $redis, cx => 1,
    server => 'cx_surveys surveys.json; cx_debug 1; cx_segment $arg_segment;',
    files => { 'conf/surveys.json' => $json });
my $file = $t->dir . '/surveys.json';
write_file($file, $json);
my @agent = ('User-Agent' => 'Mozilla/5.0 Why');
my $key = 'cx:{localhost}:quota';
my $day = POSIX::strftime('%Y%m%d', gmtime);
$redis->cmd('HSET', $key, total => 5, daily => 8, "daily:$day" => 3,
            both => 4, "both:$day" => 2);

sub why {
    my ($page, %v) = @_;
    my %device = (phone => 'touch=1&width=300', tablet => 'touch=1&width=900',
                  desktop => 'touch=0&width=1400');
    my $args = join '&', "page=$page", $device{$v{device}},
        'new=' . ($v{visitors} eq 'new' ? 1 : 0),
        map { "$_=$v{$_}" } qw(lang touchpoint stage segment);
    my $got = json($ngx->get("/_cx/why?$args", @agent)->{body});
    return map { $_->{id} => $_ } @{$got->{surveys}};
}

sub ctl {
    my ($page, %v) = @_;
    my ($status, $out, $err) = $t->ctl('surveys', 'why', $page, '--json',
        '--file', $file, '--redis', $redis->url, '--site', 'localhost',
        map {; "--$_" => $v{$_} } sort keys %v);
    is "$status$err", 0, 'quiet';
    return map { $_->{id} => $_ } @{json($out)->{surveys}};
}

# the module has asked for the quotas
wait_for {
    my %w = why('/a', lang => 'en', touchpoint => '', stage => '',
                segment => '', device => 'desktop', visitors => 'new');
    !grep { $w{$_}{reason} !~ /reached/ } qw(total daily both);
} 6;

my %reasons;
my $compare = sub {
    my ($page, %v) = @_;
    my (%module, %ctl);
    my %w = why($page, %v);
    for (values %w) {
        $module{$_->{id}} = $_->{reason} =~ /^it is offered in ([\w-]+)$/
            || $_->{reason} =~ /^dry run: .* ([\w-]+)$/ ? "in $1"
            : $_->{reason};
    }
    my %c = ctl($page, %v);
    $ctl{$_->{id}} = $_->{matched} ? "in $_->{lang}" : $_->{reason}
        for values %c;
    is_deeply \%ctl, \%module, join ' ', $page, map { "$_=$v{$_}" }
        sort keys %v;
    $reasons{$_ =~ s/^(in |not |\w+ \w+).*/$1/sr}++ for values %ctl;
};
my %v = (touchpoint => 'read', stage => 'use', segment => 'free',
         device => 'desktop', visitors => 'returning');
$compare->('/a', lang => $_, %v) for qw(en en-GB EN de de-AT de-CH DE-at fr-CA
    it-CH it da nl pl pt pt-BR pt-PT zh zh-Hant zh-TW zh-Hans ja ar he tr sv
    xx);
$compare->($_, %v, lang => 'en') for '/x', '/y/1/2', '/y', '/a/z', '/xx';
$compare->('/a', %v, lang => 'en', device => $_) for qw(phone tablet);
$compare->('/a', lang => 'en', touchpoint => 'pay', stage => 'buy',
           segment => 'gold', device => 'phone', visitors => 'new');
$compare->('/a', %v, lang => 'en', touchpoint => 'pay');
cmp_ok scalar keys %reasons, '>=', 9, 'reasons of many kinds'
    or diag join ' | ', sort keys %reasons;

# what is too long ends with a whole character
my %long = why('/a', %v, lang => 'en');
like $long{long}{reason}, qr/^the segment is "free", not .{500,}$/,
    'a long reason';

# nobody says a language
my ($status, $out) = $t->ctl('surveys', 'why', '/a', '--file', $file,
    '--redis', $redis->url, '--json');
my %only = map { $_->{id} => $_->{conditions} } @{json($out)->{surveys}};
is $only{parts}, 'in de-at, en-gb', 'those that all texts have, in their order';
is $only{strange}, 'in de', 'without one that nothing standard has';

$t->done;
