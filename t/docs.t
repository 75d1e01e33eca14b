#!/usr/bin/perl

# README.md and conf/ say what the code does: each name and number that stands
# in a table of the sources stands in the README, and the other way round; the
# examples are taken by nginx.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $root = $t->root;
my $readme = read_file("$root/README.md");
my $module = read_file("$root/ngx_cx_module/http/ngx_http_cx_module.c");
my $schema = read_file("$root/include/cx_schema.h");

# a macro table's text: string pieces joined, line continuations gone
sub table {
    my ($file, $name) = @_;
    my $text = read_file("$root/include/$file");
    my ($rows) = $text =~ /^#define \Q$name\E\(\w+\)[ ]*\\\n(.*?[^\\])\n/ms
        or die "$file has no $name";
    $rows =~ s/\\\n/\n/g;
    $rows =~ s/"\s+"//g;
    return $rows;
}

# cells of the table of the README that begins with this cell
sub rows {
    my ($first) = @_;
    my ($text) = $readme =~ /^\| \Q$first\E \|[^\n]*\n\|[ \-|]+\n((?:\|[^\n]*\n)+)/m
        or die "README has no table $first";
    return map { s/^\| | \|$//g; [ split / \| / ] } split /\n/, $text;
}

sub unquoted { my ($s) = @_; $s =~ s/`//g; return $s }

# directives: names, contexts, and that each has its three
my %context = (NGX_HTTP_MAIN_CONF => 'http', NGX_HTTP_SRV_CONF => 'server',
               NGX_HTTP_LOC_CONF => 'location');
my (%code, %text);
while ($module =~ /\{ ngx_string\("(cx\w*)"\),\s+([A-Z0-9_|\s]+?),\s+(?:ngx|\w)/g) {
    my ($name, $flags) = ($1, $2);
    $code{$name} = join ', ', grep { $_ } map { $context{$_} }
        split /[|\s]+/, $flags;
}
ok keys %code > 10, 'the module has directives';
while ($readme =~ /^### (cx\w*)\nSyntax: \*\*(\w+)\*\*([^;]*); Default:\s(.*?); Context:\s([\w, \n]+?)\n\n/msg) {
    my ($name, $again, $context) = ($1, $2, $5);
    is $again, $name, "syntax of $name is its own";
    ($text{$name} = $context) =~ s/\s+/ /g;
}
is_deeply \%text, \%code, 'directives and contexts';

# defaults that are numbers
my %queue = map { $_->[0] => $module =~ /init_\w+\(cxmcf->$_->[1], ([\d *]+)\)/
                    ? eval($1) : undef }
    [ size => 'queue_size' ], [ batch => 'queue_batch' ],
    [ flush => 'queue_flush' ], [ inflight => 'queue_inflight' ],
    [ stream => 'stream_max' ];
my ($shown) = $readme =~ /\*\*cx_queue\*\* `([^`]*)`/;
my %shown;
while ($shown =~ /\[(\w+)=(\d+)(ms|m|)\]/g) {
    $shown{$1} = $2 * ($3 eq 'm' ? 1048576 : 1);
}
is_deeply \%shown,
    \%queue, 'defaults of cx_queue';
like $module, qr/merge_uint_value\(conf->sample, prev->sample, 10000\)/,
    'default of cx_sample';
like $module, qr{merge_str_value\(conf->prefix, prev->prefix, "/_cx/"\)},
    'default of cx_prefix';
like read_file("$root/ngx_cx_module/http/ngx_http_cx_zone.c"),
    qr/ZONE_SIZE\s+\(16 \* 1024 \* 1024\)/, 'default of cx_zone';

# variables
my $variables = read_file("$root/ngx_cx_module/http/ngx_http_cx_variables.c");
is_deeply [ sort map { unquoted($_->[0]) } rows('variable') ],
    [ sort map { "\$$_" } $variables =~ /\{ ngx_string\("(cx_\w+)"\)/g ],
    'variables';
my %known = map { $_ => 1 } $variables =~ /ngx_string\("(cx_\w+)"\)/g,
    'cx_consent';
is join(' ', grep { !$known{$_} } $readme =~ /\$(cx_\w+)/g), '',
    'no other $cx_ variable is mentioned';

# outcomes
is_deeply [ sort map { unquoted($_->[0]) } rows('value') ],
    [ sort { $a cmp $b } table('ngx_http_cx.h', 'NGX_HTTP_CX_OUTCOMES')
           =~ /O\(\w+, "(\w+)"/g ], 'values of $cx_injected';

# signals: each is named where it is seen
my (%by, %told, %signal, %threshold);
my $signals = table('cx_signal.h', 'CX_SIGNALS');
while ($signals =~ /S\(\w+, "(\w+)", (\w+), ([\d.]+), (\d+),/g) {
    $signal{$1} = { strength => $3, cap => $4 };
    $by{nginx}{$1} = 1 if $2 eq 'EDGE' || $2 eq 'BOTH';
    $by{browser}{$1} = 1 if $2 ne 'EDGE';
}
for my $row (rows('seen by')) {
    my ($who) = $row->[0] =~ /^(\w+):/;
    $told{$who}{$_} = 1 for $row->[1] =~ /`(\w+)`/g;
}
is_deeply \%told, \%by, 'signals, by who sees them';
my ($ours, $theirs) = $readme =~ /(\d+) signals that nginx sees\s[^,]*, and (\d+) that/;
is "$ours $theirs", keys(%{$by{nginx}}) . ' ' . keys(%{$by{browser}}),
    '... as many';
like $readme, qr{\]\(conf/signals\.md\)}, 'the table has a page of its own';

# thresholds: the sample has all of them, each commented out, as built in
my $sample = read_file("$root/conf/cx-thresholds.conf");
my %shown_as = $sample =~ /^#([a-z_]+(?:\.\w+)?) ([\d.]+)$/mg;
my $thresholds = table('cx_signal.h', 'CX_THRESHOLDS');
while ($thresholds =~ /T\(\w+, "(\w+)", (\d+), (\d+), (\d+),/g) {
    $threshold{$1} = $2;
    like $sample, qr/; $3\s(?:# )?to(?:\n#)? $4\n#$1 /, "range of $1";
}
for my $name (keys %signal) {
    $threshold{"$name.$_"} = $signal{$name}{$_} for qw(strength cap);
}
is_deeply \%shown_as, \%threshold, 'conf/cx-thresholds.conf has the defaults';
unlike $sample, qr/^[^#\n]/m, '... all of them commented out';
my ($idle) = read_file("$root/include/cx_signal.h")
    =~ /SESSION_IDLE_S\s+(\d+)/;
is $idle, 30 * 60, 'a visit ends after 30 minutes';
like $readme, qr/ends\s+after 30 minutes/, '... says the README';
like $readme, qr/`cx_opt_out=1`/, 'the cookie of the opt-out';
like read_file("$root/include/ngx_http_cx.h"), qr/OPT_OUT_COOKIE  "cx_opt_out"/,
    '... is called so';

# reasons why a view is not recorded
my $counters = table('ngx_http_cx.h', 'NGX_HTTP_CX_COUNTERS');
my ($reasons) = $readme =~ /`views_skipped`:\s(.*?);/s;
is_deeply [ $reasons =~ /`(\w+)`/g ],
    [ $counters =~ /"views_skipped", "(\w+)"/g ], 'reasons';

# limits
my %limit = $schema =~ /^#define (CX_\w+)\s+(\d+)/mg;
is $limit{CX_BODY_MAX}, 64 * 1024, 'over 64 KiB';
for ([ CX_PAGE_MAX => 'page key, up to %d bytes' ],
     [ CX_SITE_MAX => 'up to %d letters' ],
     [ CX_NAME_MAX => 'audience, up to %d bytes' ])
{
    my ($name, $phrase) = @$_;
    my $words = join '\s+', map { quotemeta }
        split / /, sprintf $phrase, $limit{$name};
    like $readme, qr/$words/i, "$name in the README";
}
my ($wait) = read_file("$root/ngx_cx_module/http/ngx_http_cx_collect.h")
    =~ /COLLECT_WAIT\s+(\d+)/;
is $wait, 3000, 'an answer within 3 s';
my ($ttl) = read_file("$root/ngx_cx_module/http/ngx_http_cx_token.c")
    =~ /TOKEN_TTL\s+(\d+)/;
is $ttl, 86400, 'tokens last a day';
my ($marks) = read_file("$root/ngx_cx_module/http/ngx_http_cx_channel.c")
    =~ /CHANNEL_MARK\s+(\d+)/;
is $marks, 30 * 86400, 'marks of batches 30 days';

# endpoint: statuses of the table are those that are sent
my %status = map { $_ => 1 } map { $_->[0] =~ /\d+/g } rows('status');
is_deeply [ sort keys %status ], [ qw(400 403 404 405 413 415 503) ],
    'statuses';

# programs
my ($exit, $help) = $t->run($t->build . '/cx-aggregator', '--help');
for ([ 'keep-hours' => '8 days', '8d' ], [ 'keep-days' => '400 days', '400d' ],
     [ 'keep-answers' => '90 days', '90d' ], [ pages => '5000', '5000' ])
{
    my ($name, $says, $is) = @$_;
    like $help, qr/^  --$name\b.*\(\Q$is\E\)$/m, "--$name is $is";
    like $readme, qr/\Q$says\E/, "README says $says";
}
like $help, qr/^  --\Q$_\E\b/m, "cx-aggregator --$_"
    for qw(config check-config once rebuild-scores keep-stream thresholds);
($exit, $help) = $t->run($t->build . '/cxctl', '--help');
my ($commands) = $help =~ /usage:[^\n]*\n\n(.*?)\n\n/s;
my ($reads) = $readme =~ /^`cxctl` reads:(.*?)\n\n/ms;
like $reads, qr/`\Q$_\E(?: [A-Z]+)*`/, "cxctl $_"
    for map { s/ [A-Z].*//r } $commands =~ /^  (\w+(?: [a-z]+\b(?= [A-Z]))?)/mg;
like $readme, qr/redis-cli[^\n]*rank:impact:d:\d{8}/, 'keys by hand';
for my $id (qw(PAGE SCORE RANK)) {
    my ($grammar) = table('cx_keys.h', 'CX_KEYS') =~ /K\($id, "([^"]+)"/;
    (my $re = quotemeta $grammar) =~ s/\\%[gwn]/[^':]+/g;
    like $readme, qr/'cx:\{[^}]+\}:$re'/, "a key like $grammar";
}

# conf/surveys.md: every key of the file, with its range, and no other
my $surveys = read_file("$root/conf/surveys.md");
my $http = "$root/ngx_cx_module/http";
my $grammar = join '', map { read_file($_) } glob "$http/ngx_http_cx_survey_*.c";
my %is = (%limit, CX_SIG_N => scalar(keys %signal),
          $grammar =~ /^#define (NGX_HTTP_CX_SURVEYS_MAX)\s+(\d+)/m);
my %heading = (file => 'the file', '' => 'a survey', label => 'labels');

sub value_of {
    my ($n) = @_;
    return $n =~ /^\d+$/ ? $n : $is{$n} // die "what is $n?";
}

# what the row of a key must say, by its line in the sources
sub demands {
    my ($kind, $min, $max, $words) = @_;
    ($min, $max) = map { value_of($_) } $min, $max;
    return "$min to $max" if $kind eq 'INT' && $min != $max;
    return $min if $kind eq 'INT';
    return $min ? "list of $min to $max" : "list of at most $max"
        if $kind eq 'LIST';
    return join ', ', map { "`$_`" } split ' ', $words if $kind eq 'WORD';
    return { BOOL => '`true` or `false`', SHARE => 'percent, 0 to 100',
             COLOUR => 'colour', DATE => 'day', TAG => 'language tag',
             OBJECT => '', LATER => '', NAME => '', URL => "at most $max bytes",
             LINE => "$min to $max bytes" }->{$kind} // die "what is $kind?";
}

my %used;
my %tables;
while ($grammar =~ /ngx_http_cx_survey_(?:(\w+)_)?keys\[\] = \{(.*?)\n\};/sg) {
    my ($table, $rows) = ($1 // '', $2);
    my $of = $heading{$table} // $table;
    my ($text) = $surveys =~ /^### \Q$of\E\n\| key \| value \|\n.*\n((?:\|.*\n)+)/m;
    my %row = map { /^\| `(\w+)`( \+)? \| (.*) \|$/
                        ? ($1 => [ $2 ? 1 : 0, $3 ]) : ($_ => [ 0, '' ]) }
        split /\n/, $text // '';
    my %key;
    while ($rows =~ /\{\s"(\w+)",\sNGX_HTTP_CX_SURVEY_(\w+),\s(\w+),\s(\w+),
                     \s(\d),\s+(?:"([^"]*)"|NULL)\s\}/xg) {
        my ($name, $required) = ($1, $5);
        my $says = demands($2, $3, $4, $6);
        $key{$name} = $required;
        $used{"$of/$name"} = 0;
        my ($req, $cell) = @{$row{$name} // [ '', 'nothing' ]};
        is $req, $required, "$of/$name: required?";
        like $cell, qr/(?<!\d)\Q$says\E(?!\d)/i, "$of/$name: $says";
    }
    is join(' ', sort keys %row), join(' ', sort keys %key), "keys of $of";
    $tables{$of} = 1;
}
is scalar(keys %tables), scalar(() = $surveys =~ /^\| key \| value \|$/mg),
    'a table for each object of the file, ' . keys %tables;
for ([ QUESTION => 'question', 'thanks' ], [ NOUN => 'name', 'task' ],
     [ LABEL => 'low', 'high', 'label', 'tab' ], [ OPTION => 'options' ]) {
    my ($id, @keys) = @$_;
    my ($most) = read_file("$http/ngx_http_cx_survey_conf.h")
        =~ /NGX_HTTP_CX_SURVEY_$id\s+(\d+)/;
    for my $key (@keys) {
        my @rows = $surveys =~ /^\| `$key`(?: \+)? \| (.*texts? of .*) \|$/mg;
        ok @rows > 0, "$key is a text";
        is scalar(grep { !/1 to $most bytes/ } @rows), 0, "... of $most bytes";
    }
}
my ($languages) = read_file("$http/ngx_http_cx_survey.h")
    =~ /SURVEY_LANGUAGES\s+(\d+)/;
like $surveys, qr/At most $languages languages\./, 'languages of a survey';

# rows of the first table of surveys.md that begins so
sub told {
    my ($first) = @_;
    my ($text) = $surveys =~ /^\| \Q$first\E \|[^\n]*\n\|[ \-|]+\n((?:\|[^\n]*\n)+)/m
        or die "conf/surveys.md has no table $first";
    return map { cells($_) } split /\n/, $text;
}

sub cells {
    my ($row) = @_;
    return [ split /\s*\|\s*/, $row =~ s/^\|\s*|\s*\|$//gr, -1 ];
}

# cells of every table of surveys.md that begins with this cell
sub told_all {
    my ($first) = @_;
    return map { cells($_) } map { split /\n/ }
        $surveys =~ /^\| \Q$first\E \| default \|[^\n]*\n\|[ \-|]+\n((?:\|[^\n]*\n)+)/mg;
}

# metrics: scale, buckets, looks; of card and form alike
my (%metric, %said, %form, %card);
while ($grammar =~ /\{\sngx_string\("(\w+)"\),\s(\d+),\s(\d+),
                    \sNGX_HTTP_CX_ASKS_\w+,\s[\w-]+,
                    \s+(?:"([^"]*)"|NULL),\s+(?:"([^"]*)"|NULL)\s\}/xg) {
    $metric{$1} = $4 ? [ $2, $3, $4, $5 // '' ] : [ '-', '-', '', '' ];
}
my $scales = read_file("$http/ngx_http_cx_form_page.c");
$form{$1} = [ $2, $3 ]
    while $scales =~ /\{ ngx_string\("(\w+)"\), (\d+), (\d+),/g;
$scales = read_file("$root/ngx_cx_module/widget/steps.js");
$card{$1} = "$2 $3 " . ($4 + 1) . ' ' . ($5 + 1)
    while $scales =~ /^  (\w+): \[(\d+), (\d+), (\d+), (\d+), /mg;
cmp_ok scalar(keys %metric), '>=', 9, 'metrics';
for my $row (told('metric')) {
    my ($name, $scores, $buckets, $looks) = map { s/`//gr } @$row;
    $said{$name} = 1;
    my ($min, $max, $names, $known) = @{$metric{$name} // [ ('') x 4 ]};
    is $scores, $names ? "$min to $max" : '-', "$name: scores";
    my @names = split ' ', $names;
    if (@names) {
        my ($middle, $top) = @{$form{$name}};
        is $card{$name}, "$min $max $middle $top", "$name: card and form agree";
        my @from = ($min, $middle, $top);
        my @to = ($middle - 1, $top - 1, $max);
        splice @from, 1, 1 if @names == 2;
        splice @to, 1, 1 if @names == 2;
        is $buckets, join(', ', map { "$names[$_] " . ($from[$_] == $to[$_]
                ? $to[$_] : "$from[$_]-$to[$_]") } 0 .. $#names),
            "$name: buckets";
        is $looks, $known || 'numbers', "$name: looks";
        is scalar(() = $row->[3] =~ /`/g), 2 * split(' ', $known),
            "... of which it may choose";
    }
}
is_deeply \%said, { map { $_ => 1 } keys %metric }, 'all metrics';

# languages and wording
my $words = json(read_file("$root/ngx_cx_module/languages.json"));
is_deeply { map { (unquoted($_->[0]) => $_->[2]) } told('tag') },
    { map { $_ => $words->{$_}{dir} } keys %$words }, 'languages';
my @wording = $surveys =~ /^\| metric \| question .*\n.*\n((?:\|.*\n)+)/m;
my %wording = map { my ($of, @c) = @{cells($_)};
                    map { $_ => [ @c ] } split /, /, $of }
    split /\n/, $wording[0];
my %en = %{$words->{en}};
$en{csat7} = $en{csat};
$en{psat5} = { %{$en{csat}}, %{$en{psat5}} };
is_deeply delete $wording{'`ces` without `task`'},
    [ @{$en{ces}}{qw(question_bare here_bare low high why)} ],
    'standard wording: ces without a task';
is_deeply { map { s/`//gr => $wording{$_} } keys %wording },
    { map { $_ => [ @{$en{$_}}{qw(question here low high why)} ] }
      grep { $metric{$_}[2] } keys %metric }, 'standard wording';

# triggers, counters of the funnel, frequency, what is stored, window.cx
my ($triggers) = ($schema =~ s/" \\\n\s*"|"\\\n\s*"//gr)
    =~ /what showed it: (.*?), or the signal/;
is join(' ', sort map { $_->[0] =~ /`(\w+)`/g } told('`trigger`')),
    join(' ', sort split /, /, $triggers), 'triggers';
my $names = read_file("$root/include/cx_keys.h");
my ($funnel) = $names =~ /(R\(ELIGIBLE,.*?R\(REFUSED_FLOOD[^\n]*)/s;
is_deeply [ sort map { unquoted($_->[0]) } told('counter') ],
    [ sort $funnel =~ /R\(\w+, "([\w:]+)"/g ], 'counters of the funnel';
my %share = map { unquoted($_->[0]) => $_->[2] } told('counter');
my $steps = read_file("$root/ngx_cx_module/ctl/cxctl_survey.c");
while ($steps =~ /^    \{ "(\w+)", CX_R_\w+, CX_R_\w+,\s+-?\w+, (?:"(\w+)"|NULL) \}/mg) {
    my ($step, $whole) = ($1, $2);
    $whole ? like($share{$step} // '', qr/\bof `$whole`/, "$step of $whole")
           : is($share{$step}, '', "$step of nothing");
}
my %often = $grammar =~ /\{ "(\w+)", "\w+", (\d+) \}/g;
is_deeply { map { (unquoted($_->[0]) => $_->[1]) }
            grep { exists $often{unquoted($_->[0])} } told_all('key') }, \%often,
    'defaults of "often"';

my ($store) = read_file("$root/ngx_cx_module/widget/store.js") =~ m{/\*(.*?)\*/}s;
my ($stored) = $surveys =~ /^In localStorage.*?\n\n(\|.*?)\n\n/ms;
is join(' ', sort $stored =~ /^\| `(\w)` \|/mg),
    join(' ', sort grep { !/^[nad]$/ } $store =~ /"(\w)":/g),
    'what is stored in the browser';
my ($api) = read_file("$root/ngx_cx_module/widget/cx.js")
    =~ /^const api = \{(.*?)^\};/ms;
is join(' ', sort $surveys =~ /^\| `cx\.(\w+)/mg),
    join(' ', sort $api =~ /^  (\w+):/mg), 'window.cx';

# why it is not shown: each sentence begins as one in the sources
sub begins {
    my ($s) = @_;
    $s =~ s/\s*(?:%|\.\.\.|\\").*//s;
    return $s =~ s/(?:[,:;(\s]|(?<=,)\snot\sbefore)+\z//r;
}
my $why = read_file("$http/ngx_http_cx_why.c");
$why =~ s/"\s*\n\s*"//g;
my ($sentences) = $why =~ /(ngx_http_cx_why_unwanted\(ngx_int_t reason\)\n.*?)^ngx_http_cx_why_list\(/ms;
my @server = map { begins($_) } $sentences =~ /return "([^"]+)"/g,
    grep { /^\w/ && !/^(?:s|:|,|new|returning)\b/ }
    $sentences =~ /slprintf\(p, last, "((?:[^"\\]|\\.)+)"/g,
    $sentences =~ /\? "(dry run[^"]*)"/g, $sentences =~ /: "(it is offered[^"]*)"/g;
is_deeply [ sort map { begins($_->[0]) } told('sentence') ], [ sort @server ],
    'what the server says';
my %fits = map { $_ => 1 } read_file("$http/ngx_http_cx_survey.h")
    =~ /^    NGX_HTTP_CX_SURVEY_(\w+),?\s/mg;
cmp_ok scalar(keys %fits), '==', @server - 6, 'a sentence for each reason';
my ($browser) = $surveys =~ /^The browser says[^|]*\n\| sentence [^\n]*\n[^\n]*\n((?:\|[^\n]*\n)+)/m;
my @browser = map { begins($_) } $browser =~ /^\| (.+?) \|/mg;
my %js = map { $_ => read_file("$root/ngx_cx_module/widget/$_.js") }
    qw(cx often survey);
my @js = map { begins($_) } $js{cx} =~ /"([^"]*\b(?:yet|meant)\b[^"]*)"/g,
    (grep { / / && !/not before|times/ } $js{often} =~ /"([a-z][^"]* [^"]*)"/g),
    $js{often} =~ /until\([^)]*?"(\w+)"\)/g, $js{often} =~ /"(shown )"/g,
    grep { / / } $js{survey} =~ /"([A-Za-z][^"]* [^"]*)"/g;
is_deeply [ sort @browser ],
    [ sort keys %{{ map { $_ => 1 } grep { $_ ne 'of' } @js }} ],
    'what the browser says';

# the theme: names on the element, and defaults
my (%light, %dark, @colours);
my $built_in = read_file("$root/include/cx_theme.h");
while ($built_in =~ /C\(\w+, "(\w+)", "(#\w+)", "(#\w+)"\)/g) {
    push @colours, $1;
    ($light{$1}, $dark{$1}) = ($2, $3);
}
is scalar(@colours), 5, 'colours of the theme';
my ($theme) = $surveys =~ /^\| key \| on the element .*\n.*\n((?:\|.*\n)+)/m;
my %theme = map { my ($name, @c) = map { unquoted($_) } @{cells($_)};
                  ($name => \@c) } split /\n/, $theme;
for my $name (@colours) {
    like $theme{$name}[0], qr/^--cx-$name\b/, "$name is --cx-$name";
    is "@{$theme{$name}}[1, 2]", "$light{$name} $dark{$name}", "... by default";
}
for (qw(radius font on-accent)) {
    like $grammar, qr/--cx-$_\b/, "--cx-$_ is set";
    like $surveys, qr/`--cx-$_`/, "... and told";
}
my ($radius) = $built_in =~ /CX_THEME_RADIUS\s+(\d+)/;
is $theme{radius}[1], $radius, 'radius by default';
like $grammar, qr/SURVEY_TEXT_RATIO\s+4\.5\b.*SURVEY_EDGE_RATIO\s+3\.0\b/s,
    'ratios of contrast';
like $surveys, qr/at least 4\.5:1\s\(1\.4\.3\).*at least 3:1\s\(1\.4\.11\)/s,
    '... are told';

# examples: each key of the grammar is in one of them
my ($example) = $readme =~ /^```json\n(.*?)^```/ms;
my @examples = $surveys =~ /^```json\n(.*?)^```/msg;
cmp_ok scalar @examples, '>', 6, 'examples of surveys';
my %within = map { $_ => $_ } qw(where when often labels theme dark link more);

sub note_keys {
    my ($of, $object) = @_;
    for my $key (keys %$object) {
        my $value = $object->{$key};
        $used{"$of/$key"}++ if exists $used{"$of/$key"};
        my $in = $of eq 'the file' && $key eq 'surveys' ? 'a survey'
            : $key eq 'thanks' ? 'thanks' : $within{$key};
        note_keys($in, $_)
            for grep { $in && ref eq 'HASH' } ref $value eq 'ARRAY' ? @$value : $value;
    }
}
note_keys('the file', json($_)) for @examples;
is join(' ', grep { !$used{$_} } sort keys %used), '',
    'each key stands in an example';

# the configurations
my $so = $t->build . '/ngx_http_cx_module.so';
my $root_dir = $t->subdir('www');

sub taken {
    my ($what, $conf, $surveys, %more) = @_;
    my $port = free_port();
    $conf =~ s{modules/ngx_http_cx_module\.so}{$so};
    $conf =~ s{/var/www/shop}{$root_dir}g;
    $conf =~ s{/etc/nginx/surveys\.json}{surveys.json};
    $conf =~ s{listen 80;}{listen 127.0.0.1:$port;};
    $conf =~ s{server_name}{listen 127.0.0.1:$port; server_name}
        if $conf !~ /listen/;
    $conf .= "events { }\n" if $conf !~ /^events/m;
    my ($status, $out) = $t->nginx_test(conf => $conf, files => {
        'conf/surveys.json' => $surveys, %more,
        'conf/cx.secret' => 'x' x 32,
        'conf/mime.types' => 'types { text/html html; }' });
    is $status, 0, "nginx takes $what" or diag $out;
}

my ($least) = $readme =~ /^```nginx\n(.*?)^```/ms;
taken('the least one writes', $least, $example);
taken('conf/nginx.conf', read_file("$root/conf/nginx.conf"), $example);
(my $all = read_file("$root/conf/nginx.conf"))
    =~ s/^(\s*)#(cx_(?!redis)|set_real|real_ip)/$1$2/mg;
(my $tuned = $sample) =~ s/^#(?=[a-z_.]+ [\d.]+$)//mg;
taken('conf/nginx.conf with its alternatives', $all, $example,
      'conf/cx-thresholds.conf' => $sample);
taken('conf/cx-thresholds.conf, nothing commented out', $all, $example,
      'conf/cx-thresholds.conf' => $tuned);
my $file = write_file($t->dir . '/tuned', $tuned);
is(($t->aggregate('--check-config', '--thresholds', $file))[0], 0,
   '... which cx-aggregator takes as well');
taken("the demo's surveys", $least,
      read_file("$root/conf/demo/surveys.json"));
taken("example $_ of conf/surveys.md", $least, $examples[$_ - 1])
    for 1 .. @examples;

# mistakes, as they are told
for my $line ($surveys =~ /^    (?:nginx: .*?: )?((?:surveys|theme)\/\S+: expected .*)$/mg) {
    my ($path, $is) = $line =~ /^(\S+): expected (?:.*, (#\w+) on #\w+, is)?/;
    my $wrong = '{ "version": 1, "surveys": [{ "id": "a", "metric": "nps", '
        . '"when": { "scroll": 0 } }] }';
    $wrong = qq({ "version": 1, "theme": { "muted": "$is" }, "surveys": [] })
        if $is;
    my $port = free_port();
    (my $conf = $least) =~ s{modules/ngx_http_cx_module\.so}{$so};
    $conf =~ s{/var/www/shop}{$root_dir};
    $conf =~ s{/etc/nginx/surveys\.json}{surveys.json};
    $conf =~ s{server_name}{listen 127.0.0.1:$port; server_name};
    my ($status, $out) = $t->nginx_test(conf => $conf . "events { }\n",
        files => { 'conf/surveys.json' => $wrong });
    isnt $status, 0, "nginx refuses $path";
    like $out, qr/: \Q$line\E/, '... in these words';
}

# room in the default zone
my $ngx = $t->nginx(cx => 1, redis => $t->redis);
my ($visits, $pages) = $ngx->error_log =~ /room for (\d+) visits and (\d+) pages/;
(my $say = ($readme =~ /16m\shave\sroom\sfor\s([^:.]*?pages)/)[0] // '')
    =~ s/\s+/ /g;
is $say, int($visits / 1000) * 1000 . ' visits and ' . int($pages / 500) * 500
    . ' pages', 'room in cx_zone';
my ($bytes) = $readme =~ /A\svisit\stakes\ssome\s(\d+)\sbytes/;
cmp_ok abs(16 * 1048576 * 7 / 8 / $visits / $bytes - 1), '<', 0.03,
    'bytes of a visit';

# bytes of the widget as they are sent: 5 % more or less are no other figure
my ($weight) = $readme =~ /^\*\*Weight\*\*(.*?)\n\n/ms;
my %bytes = $weight =~ /`(cx[\w-]*\.js)`\s(\d+)/g;
my ($hash) = $ngx->get('/')->{body} =~ /cx\.js(\?[0-9a-f]+)/;
my $sum = 0;
my $widget = read_file("$http/ngx_http_cx_widget.c");
for my $file ($widget =~ /WIDGET_FILE\("(cx[\w-]*\.js)"/g) {
    my $n = length $ngx->get("/_cx/$file$hash", 'Accept-Encoding' => 'br')
        ->{body};
    $sum += $n;
    cmp_ok abs(($bytes{$file} // 0) - $n), '<', 0.05 * $n, "bytes of $file: $n";
}
my ($together) = $weight =~ /All\sof\sthem:\s(\d+)/;
cmp_ok abs($together - $sum), '<', 0.05 * $sum, "... of all: $sum";

# every route
my $routes = read_file("$http/ngx_http_cx_endpoint.c");
for my $route ($routes =~ /^    \{ ngx_string\("([^"]+)"\)/mg) {
    next if $route =~ /^cx-/;
    like $readme, qr{^\|[^|]*/_cx/\Q$route\E}m, "/_cx/$route in the README";
}

# links and size
for my $link ($readme =~ /\]\(([^)#][^)]*)\)/g) {
    ok -e "$root/$link", "link to $link";
}
for ($readme, $surveys) {
    my %anchor = map { (lc =~ s/[^\w -]//gr =~ s/ /-/gr) => 1 } /^#+ (.+)$/mg;
    ok $anchor{$_}, "link to #$_" for /\]\(#([^)]+)\)/g;
}
for my $link ($surveys =~ /\]\(([^)#][^)#]*)/g) {
    ok -e "$root/conf/$link", "link to $link in conf/surveys.md";
}
cmp_ok scalar(() = $readme =~ /\n/g), '<=', 450, 'ten minutes to read';
cmp_ok -s "$root/conf/demo/screenshot.png", '<', 120 * 1024, 'small screenshot';

$t->done;
