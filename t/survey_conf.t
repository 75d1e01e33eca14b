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
  "theme": {
    "accent": "#0b57d0", "background": "#fff",
    "text": "#1f1f1f", "muted": "#5f6368", "border": "#747775",
    "radius": 12, "font": "inherit",
    "dark": { "accent": "#a8c7fa", "background": "#1f1f1f", "text": "#eee" }
  },
  "surveys": [
    {
      "id": "docs-nps",
      "metric": "nps",
      "question": "How likely are you to recommend {name}?",
      "labels": { "low": "Not at all", "high": "Very" },
      "follow_up": { "detractor": "What?", "any": "Why?" },
      "thanks": "Thank you",
      "where": {
        "pages": ["/docs/*", "/help"],
        "touchpoints": ["pay"],
        "stages": ["buy"],
        "segments": ["gold"],
        "devices": ["phone", "desktop"],
        "visitors": "returning"
      },
      "when": {
        "delay": 3, "scroll": 50,
        "exit": true, "dwell": 30, "idle": 20,
        "click": "#buy > a", "after": ["rage_click", "error_page"],
        "views": 2, "visits": 3
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
      "question": { "en": "Easy to {task}?", "pt-BR": "Simples?" },
      "task": { "en": "pay", "de": "zu zahlen" },
      "follow_up": { "hard": "What?", "neutral": "Why?", "easy": "Good?" }
    },
    {
      "id": "third",
      "metric": "csat",
      "question": "Happy?",
      "sample": 12.5
    },
    {
      "id": "fourth", "metric": "psat", "look": "thumbs",
      "name": { "*": "Acme" },
      "follow_up": { "down": "What?", "up": "Why?" },
      "thanks": {
        "text": "Thanks",
        "link": { "url": "https://a.example/x?y=1#z", "label": "Read on" }
      }
    },
    {
      "id": "fifth",
      "metric": "choices", "language": "fi",
      "question": "Miksi?", "thanks": "Kiitos",
      "options": ["Yksi {title}", "Kaksi {touchpoint}"],
      "follow_up": { "any": "Mihin?" },
      "place": "tab", "corner": "left",
      "tab": "Palaute",
      "from": "2026-02-28", "until": "2028-02-29",
      "daily": 100, "total": 1000, "priority": 10,
      "owner": "Research", "purpose": "To know",
      "dry_run": true, "retired": false
    },
    {
      "id": "sixth", "metric": "csat7", "look": "stars",
      "follow_up": true,
      "more": [ {
        "kind": "choice",
        "if": ["dissatisfied", "neutral"],
        "question": "Which?",
        "options": ["One", { "en": "Two" }],
        "offer": false
      } ],
      "when": { "ask": true, "views": 2 }
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

    ['theme no object', qr/"theme": \{.*?\n  \}/s, '"theme": "dark"', 'theme'],
    ['unknown colour', '"muted": "#5f6368"', '"mute": "#5f6368"', 'mute'],
    ['colour by name', '"accent": "#0b57d0"', '"accent": "blue"',
     'accent: .*#06c'],
    ['colour of 5 digits', '"accent": "#0b57d0"', '"accent": "#0b57d"',
     'accent'],
    ['colour of no digits', '"background": "#fff"', '"background": "#ffg"',
     'background'],
    ['text too pale', '"text": "#1f1f1f"', '"text": "#7f7f7f"',
     'theme/text: .*4\.5:1.*#7f7f7f on #ffffff, is 4\.00:1'],
    ['muted too pale, only just', '"muted": "#5f6368"', '"muted": "#777777"',
     'theme/muted: .*4\.5:1.*is 4\.47:1'],
    ['accent too pale', '"accent": "#0b57d0"', '"accent": "#fc0"',
     'theme/accent: .*3\.0:1.*#ffcc00 on #ffffff, is 1\.5\d:1'],
    ['border too pale', '"border": "#747775"', '"border": "#ccc"',
     'theme/border: .*3\.0:1.*is 1\.60:1'],
    ['background too pale for what is left out', '"background": "#1f1f1f"',
     '"background": "#555"', 'theme/dark/background: .*muted on background'],
    ['radius as text', '"radius": 12', '"radius": "12px"', 'radius'],
    ['unknown font', '"font": "inherit"', '"font": "Arial"',
     'font: .*inherit or system-ui'],
    ['radius by night', '"dark": { ', '"dark": { "radius": 2, ',
     'dark/radius'],

    ['no id', qq("id": "third",\n), '', 'id', -1],
    ['bad id', '"id": "third"', '"id": "a b"', 'id'],
    ['empty id', '"id": "third"', '"id": ""', 'id'],
    ['long id', '"id": "third"', '"id": "' . 'x' x 33 . '"', 'id'],
    ['id as number', '"id": "third"', '"id": 3', 'id'],
    ['id twice', '"id": "third"', '"id": "second"', 'id: .*no other'],
    ['no metric', '"metric": "csat",', '', 'metric', -2],
    ['unknown metric', '"metric": "csat"', '"metric": "stars"',
     'nps, csat, csat7, ces, psat, psat5, choice, choices or text'],
    ['metric as number', '"metric": "csat"', '"metric": 5', 'metric'],
    ['no question of a choice', '"question": "Miksi?", ', '',
     'question.*only scores', -3],
    ['empty question', '"Happy?"', '""', 'question'],
    ['question as list', '"Happy?"', '["a"]', 'question'],
    ['question too long', '"Happy?"', '"' . 'x' x 5000 . '"', 'question'],
    ['question in no language', '"Happy?"', '{}', 'question'],
    ['question in what is no language', '"Happy?"', '{ "english": "Happy?" }',
     'question/english: .*de or pt-BR'],
    ['question in the same language twice', '"Happy?"',
     '{ "de": "a", "DE": "b" }', 'question/DE: .*once'],
    ['a line feed in a language', '"Happy?"', '{ "en": "a\nb" }',
     'question/en'],
    ['unknown word', '"Happy?"', '"Happy, {user}?"',
     '\{name\}, \{task\}, \{title\} and \{touchpoint\}'],
    ['a name in braces within a name', '"Acme"', '"{name}"',
     'name/\*: .*\{title\} and \{touchpoint\}'],
    ['a task that is not given', '"Happy?"', '"Easy to {task}?"',
     'question: .*"task" in en'],
    ['a task in another language', '"Simples?"', '"Simples {task}?"',
     'question/pt-BR: .*"task" in pt-br'],
    ['a name in another language', '"Simples?" },',
     '"Simples {name}?" }, "name": "Acme",', 'question/pt-BR: .*"name"'],
    ['any language of a question', '"Happy?"', '{ "*": "Happy?" }',
     'question/\*'],
    ['too long with all words put in', '"Happy?"',
     '"' . '{name}' x 10 . '", "name": "' . 'x' x 100 . '"', 'at most'],
    ['no language has all texts', '"thanks": "Kiitos"',
     '"thanks": { "sv": "Tack" }', 'fi has no thanks', -3],
    ['labels of a language that is not built in', '"question": "Happy?"',
     '"question": { "fi": "No?" }', 'language', -3],
    ['unknown language', '"language": "fi"', '"language": "finnish"',
     'language: .*de or pt-BR'],

    ['unknown look', '"look": "stars"', '"look": "hearts"',
     'look: .*numbers or stars'],
    ['faces of seven', '"look": "stars"', '"look": "faces"',
     'numbers or stars'],
    ['stars of thumbs', '"look": "thumbs"', '"look": "stars"',
     'look: .*thumbs'],
    ['look of an nps', '"metric": "nps",', '"metric": "nps", "look": "stars",',
     'look: .*nps'],
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
    ['follow_up by bucket of a choice', '"any": "Mihin?"', '"up": "Mihin?"',
     'follow_up/up: .*keys any'],
    ['follow_up true of a choice', '{ "any": "Mihin?" }', 'true', 'any'],
    ['follow_up of a text', qr/"choices"(.*)"options": \["Yksi.*?\],\n/s,
     '"text", "language": "fi", "question": "a", "thanks": "b",' . "\n",
     'follow_up: .*text', 1],
    ['labels of a choice', '"options": ["Yksi',
     '"labels": {}, "options": ["Yksi', 'labels: .*score'],

    ['options of a score', '"metric": "csat",',
     '"metric": "csat", "options": ["a", "b"],', 'options: .*choice'],
    ['one option', qr/\["Yksi.*?\]/, '["Yksi"]', 'options: .*2 to 12'],
    ['thirteen options', qr/\["Yksi.*?\]/,
     '[' . join(', ', ('"a"') x 13) . ']', 'options: .*2 to 12'],
    ['no options', qr/"options": \["Yksi.*?\],\n/, '', 'key "options"', -4],
    ['option as number', '"Yksi {title}"', '1', 'options/0'],
    ['empty option', '"en": "Two"', '"en": ""', 'options/1/en'],

    ['more no list', qr/"more": \[.*?\} \],/s, '"more": {},', 'more'],
    ['more than three steps', qr/"more": \[.*?\} \],/s, '"more": [1, 2, 3],',
     'more: .*at most 2'],
    ['step no object', qr/"more": \[.*?\} \],/s, '"more": [1],', 'more/0'],
    ['unknown kind of step', '"kind": "choice"', '"kind": "nps"',
     'kind: .*choice, choices or text'],
    ['a text after a text', '"kind": "choice"', '"kind": "text"',
     'more/0/kind: .*another kind'],
    ['a choice after a choice', '"follow_up": { "any": "Mihin?" }',
     '"more": [ { "kind": "choice", "question": "a" } ]',
     'more/0/kind: .*text'],
    ['unknown bucket', '["dissatisfied", "neutral"]', '["neutral", "up"]',
     'if/1: .*dissatisfied, neutral or satisfied'],
    ['no bucket', '["dissatisfied", "neutral"]', '[]', 'if'],
    ['a bucket without a score', '"follow_up": { "any": "Mihin?" }',
     '"more": [ { "kind": "text", "question": "a", "if": ["up"] } ]',
     'if: .*no score'],
    ['step without a question', qr/"question": "Which\?",\n/, '',
     'key "question"', -3],
    ['step without options', qr/"options": \["One".*?\],\n/, '',
     'key "options"', -4],
    ['options of a text', '"follow_up": { "any": "Mihin?" }',
     '"more": [ { "kind": "text", "question": "a", "options": ["b", "c"] } ]',
     'more/0/options: .*only of choice'],
    ['offer as text', '"offer": false', '"offer": "no"', 'offer'],
    ['unknown key of a step', '"offer": false', '"offers": false', 'offers'],

    ['unknown key of thanks', '"text": "Thanks"', '"test": "Thanks"', 'test'],
    ['link without a label', ', "label": "Read on"', '', 'label'],
    ['link that is a script', 'https://a.example/x?y=1#z',
     'javascript:alert(1)', 'url: .*https'],
    ['link that is data', 'https://a.example/x?y=1#z', 'data:text/html,x',
     'url'],
    ['link to another host in short', 'https://a.example/x?y=1#z',
     '//a.example', 'url'],
    ['link to no host', 'https://a.example/x?y=1#z', 'https:///x', 'url'],
    ['link with a quote', 'https://a.example/x?y=1#z', '/x\"onclick=',
     'url'],
    ['link without a scheme', 'https://a.example/x?y=1#z', 'a.example', 'url'],

    ['where no object', qr/"where": \{.*?\}/s, '"where": "/docs"', 'where'],
    ['unknown place', '"stages": ["buy"]', '"stage": ["buy"]', 'stage'],
    ['pages no list', '["/docs/*", "/help"]', '"/docs/*"', 'pages'],
    ['page as number', '["/docs/*", "/help"]', '["/a", 1]', 'pages'],
    ['page without slash', '["/docs/*", "/help"]', '["docs/*"]', 'pages'],
    ['bad touchpoint', '["pay"]', '["no way"]', 'touchpoint'],
    ['bad stage', '["buy"]', '[""]', 'stage'],
    ['bad segment', '["gold"]', '[null]', 'segment'],
    ['unknown device', '["phone", "desktop"]', '["phone", "watch"]',
     'devices/1: .*phone, tablet or desktop'],
    ['unknown visitors', '"visitors": "returning"', '"visitors": "all"',
     'visitors: .*new or returning'],

    ['when no object', qr/"when": \{.*?\}/s, '"when": 3', 'when'],
    ['unknown trigger', '"exit": true', '"leave": true', 'leave'],
    ['delay as text', '"delay": 3', '"delay": "3s"', 'delay'],
    ['delay negative', '"delay": 3', '"delay": -1', 'delay'],
    ['scroll over 100', '"scroll": 50', '"scroll": 101', 'scroll'],
    ['exit as text', '"exit": true', '"exit": "yes"', 'exit'],
    ['views 0', '"views": 2', '"views": 0', 'views'],
    ['views as text', '"views": 2', '"views": "2"', 'views'],
    ['visits 0', '"visits": 3', '"visits": 0', 'visits'],
    ['dwell 0', '"dwell": 30', '"dwell": 0', 'dwell'],
    ['idle of a day', '"idle": 20', '"idle": 86400', 'idle'],
    ['click on a number', '"click": "#buy > a"', '"click": 1', 'click'],
    ['unknown signal', '"error_page"', '"rage"', 'after/1: .*cxctl signals'],
    ['no signal', '["rage_click", "error_page"]', '[]', 'after'],
    ['ask and delay', '"ask": true', '"ask": true, "delay": 2',
     'when/delay: .*ask'],
    ['ask as text', '"ask": true', '"ask": "yes"', 'ask'],

    ['often no object', qr/"often": \{.*?\}/s, '"often": "daily"', 'often'],
    ['unknown limit', '"showings": 2', '"shows": 2', 'shows'],
    ['days as text', '"answered_days": 90', '"answered_days": "90"',
     'answered_days'],
    ['days negative', '"between_days": 7', '"between_days": -7',
     'between_days'],
    ['showings 0', '"showings": 2', '"showings": 0', 'showings'],

    ['no date', '"2026-02-28"', '"28.2.2026"', 'from: .*2026-12-31'],
    ['a day that is none', '"2026-02-28"', '"2026-02-29"', 'from'],
    ['a month that is none', '"2026-02-28"', '"2026-13-01"', 'from'],
    ['until before from', '"2028-02-29"', '"2026-02-27"',
     'until: .*not before'],
    ['daily 0', '"daily": 100', '"daily": 0', 'daily'],
    ['total as text', '"total": 1000', '"total": "1000"', 'total'],
    ['priority over 100', '"priority": 10', '"priority": 101', 'priority'],
    ['unknown place', '"place": "tab"', '"place": "popup"',
     'place: .*card, inline or tab'],
    ['unknown corner', '"corner": "left"', '"corner": "top"',
     'corner: .*right or left'],
    ['the tab of a card', '"place": "tab", ', '"place": "card", ',
     'tab: .*"place" is "tab"', 1],
    ['owner as list', '"Research"', '["Research"]', 'owner'],
    ['purpose of two lines', '"To know"', '"To\nknow"', 'purpose'],
    ['dry_run as number', '"dry_run": true', '"dry_run": 1', 'dry_run'],
    ['retired as text', '"retired": false', '"retired": "no"', 'retired'],
    ['more text than a definition holds',
     qr/"question": "Miksi\?"(.*)"To know"/s,
     '"question": "' . 'x' x 300 . '", "thanks": "a", "options": ['
     . join(', ', ('"' . 'x' x 120 . '"') x 12) . '], "purpose": "'
     . 'x' x 200 . '"', 'at most 2000', -3],

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
     ['the least', '{"version":1,"surveys":[{"id":"a","metric":"nps"}]}'],
     ['the built-in theme', '{"version":1,"theme":{},"surveys":[]}'],
     ['a theme at its limits', '{"version":1,"theme":{"muted":"#767676",'
      . '"accent":"#949494","border":"#949494"},"surveys":[]}'])
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
