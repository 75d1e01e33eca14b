#!/usr/bin/perl

# Each mistake in the surveys file is one sentence of nginx -t, with its file,
# its line and what would have been right.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;

my $good = <<'EOT';
{
  "version": 1,
  "surveys": [
    {
      "id": "docs-nps",
      "metric": "nps",
      "question": "How likely are you to recommend us?",
      "labels": { "low": "Not at all", "high": "Very" },
      "follow_up": { "detractor": "What?", "any": "Why?" },
      "thanks": "Thank you",
      "where": {
        "pages": ["/docs/*", "/help"],
        "touchpoints": ["pay"],
        "stages": ["buy"],
        "segments": ["gold"]
      },
      "when": {
        "delay": 3, "scroll": 50,
        "exit": true,
        "views": 2
      },
      "often": {
        "answered_days": 90, "dismissed_days": 30,
        "showings": 2, "between_days": 7
      },
      "sample": 100
    },
    {
      "id": "second",
      "metric": "ces",
      "question": "Easy?",
      "follow_up": { "hard": "What?", "neutral": "Why?", "easy": "Good?" }
    },
    {
      "id": "third",
      "metric": "csat",
      "question": "Happy?",
      "sample": 12.5
    },
    {
      "id": "fourth", "metric": "psat", "question": "Good?",
      "follow_up": { "down": "What?", "up": "Why?" }
    }
  ]
}
EOT

sub surveys_test {
    my ($json) = @_;
    return $t->nginx_test(http => 'cx_redis redis://127.0.0.1:1;', cx => 1,
        server => 'cx_surveys s.json;', files => { 'conf/s.json' => $json });
}

# what, text that is replaced, by what, what the error says; the line is that
# of the replacement's "@", if there is one, else of its beginning
my @bad = (
    ['version 2', '"version": 1', '"version": 2', 'version'],
    ['version as text', '"version": 1', '"version": "1"', 'version'],
    ['unknown key', '"version": 1,', qq("version": 1,\n"colour": 1,),
     'colour', 1],
    ['no surveys', qr/"surveys": .*(?=\n})/s, '"survey": []', 'survey'],
    ['surveys no list', qr/"surveys": .*(?=\n})/s, '"surveys": {}', 'list|array'],
    ['survey no object', qr/\{\n      "id": "third".*?\}/s, '17', 'object'],

    ['no id', qq("id": "third",\n), '', 'id', -1],
    ['bad id', '"id": "third"', '"id": "a b"', 'id'],
    ['empty id', '"id": "third"', '"id": ""', 'id'],
    ['long id', '"id": "third"', '"id": "' . 'x' x 33 . '"', 'id'],
    ['id as number', '"id": "third"', '"id": 3', 'id'],
    ['id twice', '"id": "third"', '"id": "second"', 'id: .*no other'],
    ['no metric', '"metric": "csat",', '', 'metric', -2],
    ['unknown metric', '"metric": "csat"', '"metric": "stars"',
     'nps, csat, ces or psat'],
    ['metric as number', '"metric": "csat"', '"metric": 5', 'metric'],
    ['no question', '"question": "Happy?",', '', 'question', -3],
    ['empty question', '"Happy?"', '""', 'question'],
    ['question as list', '"Happy?"', '["a"]', 'question'],
    ['question too long', '"Happy?"', '"' . 'x' x 5000 . '"', 'question'],
    ['unknown key of a survey', '"sample": 12.5', '"sampel": 12.5', 'sampel'],

    ['labels no object', qr/"labels": \{.*?\}/, '"labels": "low"', 'labels'],
    ['unknown label', '"low": "Not at all"', '"mid": "Hm"', 'mid'],
    ['label as number', '"low": "Not at all"', '"low": 1', 'low'],
    ['follow_up of another metric', '"detractor": "What?"', '"easy": "What?"',
     'easy'],
    ['follow_up as number', '"detractor": "What?"', '"detractor": 1',
     'detractor'],
    ['follow_up no object', qr/"follow_up": \{ "det.*?\}/, '"follow_up": "x"',
     'follow_up'],
    ['thanks as list', '"Thank you"', '[]', 'thanks'],

    ['where no object', qr/"where": \{.*?\}/s, '"where": "/docs"', 'where'],
    ['unknown place', '"stages": ["buy"]', '"stage": ["buy"]', 'stage'],
    ['pages no list', '["/docs/*", "/help"]', '"/docs/*"', 'pages'],
    ['page as number', '["/docs/*", "/help"]', '["/a", 1]', 'pages'],
    ['page without slash', '["/docs/*", "/help"]', '["docs/*"]', 'pages'],
    ['bad touchpoint', '["pay"]', '["no way"]', 'touchpoint'],
    ['bad stage', '["buy"]', '[""]', 'stage'],
    ['bad segment', '["gold"]', '[null]', 'segment'],

    ['when no object', qr/"when": \{.*?\}/s, '"when": 3', 'when'],
    ['unknown trigger', '"exit": true', '"leave": true', 'leave'],
    ['delay as text', '"delay": 3', '"delay": "3s"', 'delay'],
    ['delay negative', '"delay": 3', '"delay": -1', 'delay'],
    ['scroll over 100', '"scroll": 50', '"scroll": 101', 'scroll'],
    ['exit as text', '"exit": true', '"exit": "yes"', 'exit'],
    ['views 0', '"views": 2', '"views": 0', 'views'],
    ['views as text', '"views": 2', '"views": "2"', 'views'],

    ['often no object', qr/"often": \{.*?\}/s, '"often": "daily"', 'often'],
    ['unknown limit', '"showings": 2', '"shows": 2', 'shows'],
    ['days as text', '"answered_days": 90', '"answered_days": "90"',
     'answered_days'],
    ['days negative', '"between_days": 7', '"between_days": -7',
     'between_days'],
    ['showings 0', '"showings": 2', '"showings": 0', 'showings'],

    ['sample over 100', '"sample": 100', '"sample": 101', 'sample'],
    ['sample negative', '"sample": 100', '"sample": -1', 'sample'],
    ['sample as text', '"sample": 100', '"sample": "all"', 'sample'],

    ['comma missing', qr/"id": "third",/, '"id": "third"', '', 1],
    ['comma too many', '"sample": 12.5', '"sample": 12.5,', '', 1],
    ['key twice', '"metric": "csat"', qq("id": "third",\n"metric": "csat"),
     ''],
    ['no UTF-8', '"Happy?"', qq("Happ\xff?"), ''],
    ['comment', '"version": 1,', '"version": 1, // one', ''],
);

for (@bad) {
    my ($name, $from, $to, $says, $shift) = @$_;
    my $re = ref $from ? $from : qr/\Q$from\E/;
    $good =~ $re or die "$name: not in the file";
    my $line = 1 + ($` =~ tr/\n//) + ($shift // 0);
    my $json = $good =~ s/$re/$to/r;
    my ($status, $out) = surveys_test($json);
    my @emerg = $out =~ /\[emerg\] (.*)/g;
    is $status, 1, "$name: refused";
    is scalar @emerg, 1, "$name: one sentence" or diag $out;
    like $emerg[0] // '', qr/s\.json":$line: /, "$name: file and line";
    like $emerg[0] // '', qr/$says/, "$name: says what it is about";
    like $emerg[0] // '', qr/expected/, "$name: says what would be right";
    cmp_ok length($emerg[0] // ''), '<', 400, "$name: in short";
}

# files that are no such thing at all
for (['empty', ''], ['an array', '[]'], ['cut', substr $good, 0, 700],
     ['a binary', "\0\1\2"], ['two values', '{} {}']) {
    my ($status, $out) = surveys_test($_->[1]);
    is $status, 1, "$_->[0]: refused";
    like $out, qr/\[emerg\].*s\.json":\d+: /, "$_->[0]: file and line";
}
my ($status, $out) = $t->nginx_test(http => 'cx_redis redis://127.0.0.1:1;',
    cx => 1, server => 'cx_surveys none.json;');
is $status, 1, 'no file: refused';
like $out, qr/\[emerg\].*none\.json.*No such file/, 'no file: says so';

# what is right
for (['all there is', $good],
     ['none', '{ "version": 1, "surveys": [] }'],
     ['the least', '{"version":1,"surveys":[{"id":"a","metric":"nps",'
      . '"question":"q"}]}'])
{
    ($status, $out) = surveys_test($_->[1]);
    is $status, 0, "$_->[0]: right" or diag $out;
}
($status, $out) = $t->nginx_test(http => 'cx_redis redis://127.0.0.1:1; '
    . 'cx_surveys s.json;', cx => 1,
    server => 'location /a { cx_surveys ./s.json; } '
        . 'location /b { cx_surveys %%DIR%%/conf/s.json; }',
    files => { 'conf/s.json' => $good });
is $status, 0, 'one file at several places' or diag $out;

$t->done;
