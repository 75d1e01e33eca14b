#!/usr/bin/perl

# Tests for the texts of surveys: standard wording in all languages that are
# built in, which language a visitor gets, what is put into texts, what makes a
# new version, and who gets a survey at all.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Test::Cx;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $t = Test::Cx->new;
my $json = JSON::PP->new->utf8->canonical;
my $words = $json->decode(read_file(
    "$FindBin::Bin/../ngx_cx_module/languages.json"));

sub file {
    my (@surveys) = @_;
    my $n = 0;
    return $json->encode({ version => 1,
        surveys => [map { { id => 's' . ++$n, metric => 'nps', %$_ } }
                    @surveys] });
}

# each file is that of a location of its own, whose pages name it
my %files;

sub same { { metric => 'nps', question => 'q', labels => { low => 'l',
             high => 'h' }, @_ } }

$files{standard} = file(map { { metric => $_ } } qw(nps csat csat7 ces psat
                                                    psat5));
$files{named} = file(
    (map { { metric => $_, name => { '*' => 'Acme' } } }
         qw(nps csat csat7 ces psat psat5)),
    { metric => 'ces', name => { en => 'Acme' },
      task => { en => 'pay', de => 'zu zahlen', 'pt-BR' => 'pagar' } },
    { metric => 'ces', task => { en => 'pay', de => 'zu zahlen' } },
);
$files{own} = file(
    { language => 'de', question => { en => 'Q', de => 'F', 'pt-BR' => 'P' },
      thanks => { en => 'T', de => 'D', pt => 'O' } },
    { question => { en => 'Q', de => 'F', fr => 'G' },
      follow_up => { any => { en => 'W', de => 'W' } } },
    { language => 'fi', question => 'K', labels => { low => 'a', high => 'b' },
      thanks => 'c' },
    { language => 'fa', question => 'K', labels => { low => 'a', high => 'b' },
      thanks => 'c' },
);
$files{piped} = file(
    { name => 'Acme', task => 'pay', question =>
      'Is {name} {name}, to {task}, on {title}, at {touchpoint}? {} {1} {x y}',
      labels => { low => '{name} no', high => 'ä "{title}"' },
      follow_up => { detractor => '{task}?', any => '{name}?' } },
    { question => 'About {name}?' },
    { question => { de => 'Über {name}?' } },
);
$files{steps} = file(
    { metric => 'csat', look => 'faces', follow_up => JSON::PP::true,
      more => [ { kind => 'choice', if => ['neutral', 'dissatisfied'],
                  question => 'Which?', options => ['One', 'Two', 'Three'] } ],
      thanks => { link => { url => '/a?b', label => 'Read' } },
      when => { delay => 20, after => ['rage_click'], exit => JSON::PP::false,
                views => 2 },
      often => { showings => 5 }, sample => 100 },
    { metric => 'choices', question => 'Q', options => ['a', 'b'],
      follow_up => { any => 'W' }, place => 'inline', corner => 'left',
      dry_run => JSON::PP::true, priority => 1 },
    { metric => 'text', question => 'Q', place => 'tab', priority => 2,
      more => [ { kind => 'choices', question => 'R', options => ['a', 'b'],
                  offer => JSON::PP::false } ] },
    { metric => 'psat', follow_up => { up => 'U', down => 'D', any => 'A' } },
);
$files{who} = file(map { { question => 'Q', %$_ } }
    { where => { pages => ['/a/*', '/b'] } },
    { where => { touchpoints => ['pay', 'buy'] } },
    { where => { stages => ['use'] } },
    { where => { devices => ['phone', 'tablet'] } },
    { where => { visitors => 'new' } },
    { where => { visitors => 'returning' } },
    { from => '2026-01-01', until => '2099-12-31' },
    { from => '2099-12-31' },
    { until => '2026-01-01' },
    { retired => JSON::PP::true },
    { sample => 0 },
);
$files{day} = file({ question => 'Q' }, { question => 'Q', until => day(0) },
    { question => 'Q', until => day(-1) }, { question => 'Q', from => day(0) },
    { question => 'Q', from => day(1) });

sub day {
    my @t = gmtime time + 86400 * $_[0];
    return sprintf '%04d-%02d-%02d', $t[5] + 1900, $t[4] + 1, $t[3];
}

# what makes a version, one thing after the other
my %versions = (
    same => same(),
    owner => same(owner => 'x', purpose => 'y', thanks => 'z',
                  when => { delay => 9 }, often => { showings => 9 },
                  sample => 100, place => 'inline', corner => 'left',
                  until => '2099-01-01', daily => 7, total => 9,
                  priority => 3, dry_run => JSON::PP::true,
                  where => { pages => ['*'] }, language => 'en'),
    'question' => same(question => 'Q'),
    'low' => same(labels => { low => 'L', high => 'h' }),
    'high' => same(labels => { low => 'l', high => 'H' }),
    'language' => same(question => { en => 'q', de => 'q' }),
    'metric' => same(metric => 'csat'),
    'metric of another scale' => same(metric => 'csat7'),
    'look' => same(metric => 'csat', look => 'stars'),
    'follow_up' => same(follow_up => { any => 'w' }),
    'follow_up of a bucket' => same(follow_up => { passive => 'w' }),
    'more' => same(more => [ { kind => 'text', question => 'm' } ]),
    'options' => same(more => [ { kind => 'choice', question => 'm',
                                  options => ['a', 'b'] } ]),
    'their order' => same(more => [ { kind => 'choice', question => 'm',
                                      options => ['b', 'a'] } ]),
    'kind' => same(more => [ { kind => 'choices', question => 'm',
                               options => ['b', 'a'] } ]),
);
my @versions = sort keys %versions;
$files{version} = file(@versions{@versions});

my $redis = $t->redis;
my $ngx = $t->nginx(redis => $redis, cx => 1,
    server => join('', map { "location /$_/ { cx_surveys $_.json; }\n" }
                       sort keys %files),
    files => { map { ("conf/$_.json" => $files{$_},
                      "html/$_/x.html" => '<!DOCTYPE html><head>') }
               keys %files });
my %key = map { $_ => $ngx->get("/$_/x.html")->{body}
                      =~ /data-surveys="(\w+)"/ } keys %files;

sub ask {
    my ($set, $args, @headers) = @_;
    my $r = $ngx->get("/_cx/surveys?surveys=$key{$set}&page=/x"
                      . ($args // ''), @headers);
    is $r->{status}, 200, "$set " . ($args // '') or diag $r->{body};
    return $json->decode($r->{body});
}

sub by_id { map { $_->{id} => $_ } @{$_[0]{surveys}} }
sub ids { join ' ', sort map { $_->{id} } @{$_[0]{surveys}} }

# standard wording

my %about = (nps => 'nps', csat => 'csat', csat7 => 'csat', ces => 'ces',
             psat => 'psat', psat5 => 'psat5');
my @metrics = qw(nps csat csat7 ces psat psat5);

for my $tag (sort keys %$words) {
    my $all = ask('standard', "&lang=$tag");
    my %standard = by_id($all);
    my %named = by_id(ask('named', "&lang=$tag"));
    my @bad;

    for my $n (1 .. 6) {
        my $metric = $metrics[$n - 1];
        my $w = $words->{$tag}{$about{$metric}};
        my %w = (%{$words->{$tag}{csat}}, %$w);
        my $s = $standard{"s$n"};
        my $question = $w{here_bare} // $w{here};
        push @bad, "$metric here"
            if ($s->{question} // '') ne $question || $s->{lang} ne $tag
               || $s->{low} ne $w{low} || $s->{high} ne $w{high}
               || $s->{thanks} ne $words->{$tag}{words}{thanks};

        ($question = $w{question_bare} // $w{question}) =~ s/\{name\}/Acme/;
        push @bad, "$metric named"
            if ($named{"s$n"}{question} // '') ne $question;
        push @bad, "$metric dir"
            if ($s->{dir} // 'ltr') ne $words->{$tag}{dir};
    }

    is "@bad", '', "$tag: standard wording";
    my %ui = %{$words->{$tag}{words}};
    delete @ui{qw(closed again)};
    is_deeply $all->{ui}, \%ui, "$tag: the widget's words";
}

my %en = by_id(ask('named', '&lang=en'));
is $en{s4}{question}, 'Acme made it easy for me to do what I came for.',
    'CES without a task';
is $en{s7}{question}, 'Acme made it easy for me to pay.', 'CES with a task';
is $en{s8}{question}, 'This site made it easy for me to pay.',
    'CES with a task and without a name';
my %de = by_id(ask('named', '&lang=de'));
is $de{s7}, undef, 'not in a language that the name is not in';
is $de{s8}{question}, 'Diese Website hat es mir leicht gemacht, zu zahlen.',
    'the task in its language';

# the language of page and browser

sub lang { my %s = by_id(ask('standard', @_)); $s{s1} ? $s{s1}{lang} : '' }

is lang('&lang=de'), 'de', 'the language of the page';
is lang('&lang=DE-at'), 'de', 'of its first part';
is lang('&lang=pt-PT'), 'pt-pt', 'of the whole tag';
is lang('&lang=pt-AO'), 'pt', 'of the first part, where there are several';
is lang('&lang=de', 'Accept-Language' => 'fr'), 'de',
    'that of the page before that of the browser';
is lang('&lang=xx', 'Accept-Language' => 'en;q=0.5, fr'), 'fr',
    'that of the browser where the page speaks another';
is lang('', 'Accept-Language' => 'xx, ja-JP;q=0.9, de;q=0.8'), 'ja',
    'by the order of the browser';
is lang('', 'Accept-Language' => 'xx'), '', 'none that the visitor reads';
is lang('&lang=xx'), '', 'nor the page';
is lang(''), 'en', 'the own one where nobody says anything';

# own wording

my %s = by_id(ask('own', '&lang=en'));
is join(' ', sort keys %s), 's1 s2', 'those in English';
is $s{s1}{question} . $s{s1}{thanks}, 'QT', 'in English';
is $s{s1}{low}, $words->{en}{nps}{low}, 'with standard labels';
%s = by_id(ask('own', '&lang=pt-BR'));
is $s{s1}{question} . $s{s1}{thanks}, 'PO', 'a text of the first part';
is $s{s1}{lang}, 'pt-br', 'in the tag of the other';
is $s{s1}{low}, $words->{pt}{nps}{low}, 'standard labels of the first part';
is ids(ask('own', '&lang=fr')), '', 'not where one text is missing';
%s = by_id(ask('own', ''));
is $s{s1}{lang}, 'de', 'the own language first';
my $fi = ask('own', '&lang=fi');
%s = by_id($fi);
is join(' ', sort keys %s), 's3', 'one that is not built in';
is $fi->{ui}{close}, 'Close', 'with the words of English';
is $s{s3}{dir}, undef, 'from left to right';
%s = by_id(ask('own', '&lang=fa'));
is $s{s4}{dir}, 'rtl', 'from right to left';

# what is put in

%s = by_id(ask('piped', '&lang=en'));
is $s{s1}{question},
    'Is Acme Acme, to pay, on {title}, at {touchpoint}? {} {1} {x y}',
    'name and task are put in, title and touchpoint left to the browser';
is $s{s1}{low}, 'Acme no', 'in labels';
is $s{s1}{high}, 'ä "{title}"', 'as they are';
is_deeply $s{s1}{steps}, [ { kind => 'text', by => { detractor => 'pay?',
                                                     any => 'Acme?' } } ],
    'in follow-ups';
is $s{s2}{question}, 'About this site?', 'a name that is not given';
%s = by_id(ask('piped', '&lang=de'));
is $s{s3}{question}, 'Über diese Website?', 'in its language';
unlike $ngx->get("/_cx/surveys?surveys=$key{piped}&page=/x&lang=en")->{body}
    =~ /("surveys":.*)/ ? $1 : "\x80", qr/[^ -~\n]/, 'surveys in ASCII';

# all that a browser gets

my $steps = ask('steps', '&lang=en');
is join(' ', map { $_->{id} } @{$steps->{surveys}}), 's3 s2 s1 s4',
    'highest priority first, then as in the file';
%s = by_id($steps);

for (values %s) {
    like delete $_->{version}, qr/^[0-9a-f]{8}$/, "$_->{id} has a version";
    like delete $_->{answer}, qr/^[0-9a-f]{16}$/, "$_->{id} has an answer id";
    ok delete $_->{token}, "$_->{id} has a token";
}

my %often = (often => { answered => 90, dismissed => 30, showings => 2,
                        between => 7 }, chance => 10000, lang => 'en');
my $thanks = $words->{en}{words}{thanks};

is_deeply $s{s1}, {
    id => 's1', metric => 'csat', look => 'faces', %often,
    question => 'How satisfied are you with this site?',
    low => 'Very dissatisfied', high => 'Very satisfied',
    steps => [
        { kind => 'text', by => { any => $words->{en}{csat}{why} } },
        { kind => 'choice', if => ['neutral', 'dissatisfied'], offer => 1,
          question => 'Which?', options => ['One', 'Two', 'Three'] } ],
    thanks => $thanks, link => { url => '/a?b', label => 'Read' },
    when => { delay => 20, after => ['rage_click'], views => 2 },
    often => { %{$often{often}}, showings => 5 },
}, 'a score with two steps';
is_deeply $s{s2}, {
    id => 's2', metric => 'choices', %often, question => 'Q',
    options => ['a', 'b'], steps => [{ kind => 'text', by => { any => 'W' } }],
    thanks => $thanks, place => 'inline', corner => 'left', dry => 1,
}, 'a choice with a step';
is_deeply $s{s3}, {
    id => 's3', metric => 'text', %often, question => 'Q',
    steps => [{ kind => 'choices', question => 'R', options => ['a', 'b'] }],
    thanks => $thanks, place => 'tab', tab => 'Feedback',
}, 'a text with a step';
is_deeply $s{s4}, {
    id => 's4', metric => 'psat', look => 'thumbs', %often,
    question => 'Was this helpful?', low => 'No', high => 'Yes',
    steps => [{ kind => 'text', by => { up => 'U', down => 'D', any => 'A' } }],
    thanks => $thanks,
}, 'thumbs with a step by bucket';

# who gets it

sub who {
    my ($args, $want, $what) = @_;
    my $got = ids($json->decode(
        $ngx->get("/_cx/surveys?surveys=$key{who}&$args")->{body}));
    is $got, join(' ', sort split ' ', $want), $what;
}

who('page=/x', 's7', 'nobody but whom all is for');
who('page=/a/b', 's1 s7', 'a pattern of pages');
who('page=/b', 's1 s7', 'a page');
who('page=/b/', 's7', 'not another page');
who('page=/x&touchpoint=pay', 's2 s7', 'a touchpoint');
who('page=/x&touchpoint=paying', 's7', 'not another');
who('page=/x&stage=use', 's3 s7', 'a stage');
who('page=/x&touch=1&width=400', 's4 s7', 'a telephone');
who('page=/x&touch=1&width=1000', 's4 s7', 'a tablet');
who('page=/x&touch=1&width=1400', 's7', 'not a desktop with touch');
who('page=/x&touch=0&width=400', 's7', 'nor one in a small window');
who('page=/x&new=1', 's5 s7', 'a new visitor');
who('page=/x&new=0', 's6 s7', 'a returning one');
is ids(ask('day')), 's1 s2 s4', 'from the first day to the last, in UTC';

# versions

%s = by_id(ask('version'));
my %version;
$version{$versions[$_]} = $s{'s' . ($_ + 1)}{version} for 0 .. $#versions;
is $version{owner}, $version{same}, 'what nobody reads makes no version';
my %seen;
push @{$seen{$version{$_}}}, $_ for grep { $_ ne 'owner' } @versions;
is join(', ', map { "@$_" } grep { @$_ > 1 } values %seen), '',
    'each change of what people read makes one';

$t->done;
