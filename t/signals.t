#!/usr/bin/perl

# The one table of signals and thresholds, include/cx_signal.h: cxctl signals
# and conf/signals.md print it, every row has code that it is about, and nginx,
# the aggregator and cxctl take and refuse the same files of other numbers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $root = $t->root;

# rows of a macro table: an id, then numbers, words and texts
sub rows {
    my ($name) = @_;
    my ($text) = read_file("$root/include/cx_signal.h")
        =~ /^#define \Q$name\E\(\w\)[ ]*\\\n(.*?[^\\])\n/ms or die $name;
    $text =~ s/\\\n/\n/g;
    $text =~ s/"\s*"//g;
    my @rows;
    while ($text =~ /\b[ST]\((\w+),((?:[^"()]|"(?:[^"\\]|\\.)*")*)\)/g) {
        my ($id, $rest) = ($1, $2);
        my @cells;
        push @cells, $1 // $2
            while $rest =~ /"((?:[^"\\]|\\.)*)"|([\w.]+)/g;
        push @rows, [$id, @cells];
    }
    return @rows;
}

my @signals    = rows('CX_SIGNALS');      # id name seen b cap rule source
my @thresholds = rows('CX_THRESHOLDS');   # id name value min max seen what src
cmp_ok scalar @signals, '>=', 30, 'signals';
cmp_ok scalar @thresholds, '>=', 38, 'thresholds';
my %value = map { $_->[1] => $_->[2] } @thresholds;

sub signals { $t->ctl('signals', @_) }

# all rows, with the numbers in the rules
my %seen = (EDGE => ['edge'], BROWSER => ['browser'],
            BOTH => ['edge', 'browser'], VITALS => ['vitals']);
my ($status, $out, $err) = signals('--json');
is $status, 0, 'cxctl signals needs no Redis';
is $err, '', 'quiet';
my $table = json($out);
for my $row (@signals) {
    my ($id, $name, $seen, $b, $cap, $rule, $source) = @$row;
    my $used = 0;
    $rule =~ s/\{(\w+)\}/$used++; $value{$1} \/\/ "?$1"/ge;
    my $got = shift @{$table->{signals}};
    is_deeply [@$got{qw(name seen_by cap cap_default rule source)}],
        [$name, $seen{$seen}, $cap, $cap, $rule, $source], "signal $name";
    ok abs($got->{strength} - $b) < 1e-9 && $b > 0, "strength of $name";
    unlike $got->{rule}, qr/[{}]/, "rule of $name is filled in";
}
is_deeply $table->{signals}, [], 'no other';
for my $row (@thresholds) {
    my ($id, $name, $value, $min, $max, $seen, $what, $source) = @$row;
    my $got = shift @{$table->{thresholds}};
    is_deeply [@$got{qw(name value default min max used_by what source)}],
        [$name, $value, $value, $min, $max, $seen{$seen}, $what, $source],
        "threshold $name";
    ok $min <= $value && $value <= $max, "$name: default within its range";
}
is_deeply $table->{thresholds}, [], 'no other';

# for people, and as the document
($status, $out) = signals();
is $status, 0, 'text';
like $out, qr/^$_->[1], seen by /m, "text has $_->[1]" for @signals;
like $out, qr/^$_->[1] $_->[2], /m, "text has $_->[1]" for @thresholds;
is +(grep { length > 80 } split /\n/, $out), 0, 'at most 80 columns';
($status, $out) = signals('--markdown');
is $status, 0, 'Markdown';
ok $out eq read_file("$root/conf/signals.md"),
    'conf/signals.md is what cxctl signals --markdown prints';
is scalar(() = $out =~ /^\| `\w+` \|/mg), @signals + @thresholds,
    'a line for each row';

# each signal has code that tells it
sub code {
    return join '', map { read_file($_) }
        map { glob "$root/ngx_cx_module/$_" } @_;
}
my $edge   = code('core/cx_edge*.c', 'core/cx_visit*.c');
my $http   = code('http/*.c');
my $widget = code('widget/*.js');
my $vitals = code('http/ngx_http_cx_join*.c', 'http/ngx_http_cx_collect*.c',
                  'core/cx_visit*.c', 'core/cx_vital*.c');
for my $row (@signals) {
    my ($id, $name, $seen) = @$row;
    like $edge, qr/\bCX_SIG_$id\b/, "$name: a rule of the edge"
        if $seen eq 'EDGE' || $seen eq 'BOTH';
    like $widget, qr/(["'`])$name\1/, "$name: the widget tells it"
        if $seen eq 'BROWSER' || $seen eq 'BOTH';
    unlike $widget, qr/(["'`])$name\1/, "$name: not the widget"
        if $seen eq 'EDGE' || $seen eq 'VITALS';
    like $vitals, qr/\bCX_SIG_$id\b/, "$name: judged at the edge"
        if $seen eq 'VITALS';
}

# each threshold is used by those that it says, and the widget has its defaults
my $c = $edge . $http . $vitals . code('aggregator/*.c');
for my $row (@thresholds) {
    my ($id, $name, $seen) = @$row[0, 1, 5];
    $seen = $row->[5];
    like $c, qr/\bCX_T_$id\b/, "$name: used by the edge"
        if $seen eq 'EDGE' || $seen eq 'BOTH';
    like $widget, qr/\bCX_T_$id\b/, "$name: used by the widget"
        if $seen eq 'BROWSER' || $seen eq 'BOTH';
}
my @defaults = map { $_->[2] }
    grep { $_->[5] eq 'BROWSER' || $_->[5] eq 'BOTH' } @thresholds;
my $list = join ',', map {
    my ($head, $zeros) = /^(\d+?)(0*)$/;
    length $zeros > 2 ? "(?:$_|${head}e" . length($zeros) . ')' : $_;
} @defaults;
like read_file("$root/build/widget/cx.js"), qr/\[$list\]/,
    'the built widget has the defaults, in order';

# files of other numbers: all three programs say the same
my $n = 0;
sub three {
    my ($text) = @_;
    my $file = write_file($t->dir . '/tuning' . ++$n . '.conf', $text);
    my @got = (
        [$t->nginx_test(http => "cx_thresholds $file;")],
        [$t->aggregate('--check-config', '--thresholds', $file)],
        [signals('--thresholds', $file, '--json')]);
    return map {
        my ($status, @text) = @$_;
        my ($why) = join('', @text)
            =~ /tuning$n\.conf"?:(\d+: "[^\n]*": expected [^\n]*?)(?: in \/\S+:\d+)?$/m;
        [$status ? 1 : 0, $why // '', $text[0]];
    } @got;
}

for my $case (
    ['slow_page_ms 801', [slow_page_ms => 801]],
    ["# a comment\n\n  slow_page_ms\t20 # too\r\nreload.cap 100\n"
     . "reload.strength 0\nrage_click.strength 2.75",
     [slow_page_ms => 20], ['reload.cap' => 100], ['reload.strength' => 0],
     ['rage_click.strength' => 2.75]],
    ['', [slow_page_ms => 800]],
    ['dead_swipe_ms 10000', [dead_swipe_ms => 10000]],
) {
    my ($text, @expected) = @$case;
    my @got = three($text);
    (my $what = $text) =~ s/\s+/ /g;
    is_deeply [map { $_->[0] } @got], [0, 0, 0], "taken: $what"
        or diag map { "$_->[1]\n" } @got;
    my $table = json($got[2][2]);
    my %got = ((map { $_->{name} => $_->{value} } @{$table->{thresholds}}),
               map { ("$_->{name}.cap" => $_->{cap},
                      "$_->{name}.strength" => $_->{strength}) }
               @{$table->{signals}});
    is $got{$_->[0]}, $_->[1], "$_->[0]" for @expected;
}
my ($rule) = grep { $_->{name} eq 'rage_click' } @{json((signals('--json',
    '--thresholds', write_file($t->dir . '/rage', "rage_clicks 7\n")))[1])
    ->{signals}};
like $rule->{rule}, qr/^7 clicks within 30 px/, 'in force, in the rule';
like +(signals('--thresholds', $t->dir . '/rage'))[1],
    qr/^rage_clicks 7 \(default 4\), 3 to 20/m, 'and what the default was';

for my $case (
    ['slow_page_ms', 1, ''], ['slow_page_ms x', 1, 'x'],
    ['slow_page_ms 19', 1, '19'], ['slow_page_ms 60001', 1, '60001'],
    ['slow_page_ms 1.5', 1, '1.5'], ['slow_page_ms -1', 1, '-1'],
    ['slow_page_ms 99999999999999999999', 1],
    ["slow_page_ms 1 2", 1], ["\n\nnonsense 1", 3, 'nonsense'],
    ["reload.cap 1\nreload.cap 1", 2, 'reload.cap'],
    ['reload.cap 0', 1, '0'], ['reload.cap 101', 1, '101'],
    ['reload.strength 10.1', 1, '10.1'], ['reload.strength 1e3', 1],
    ['reload.strength nan', 1, 'nan'], ['reload.weight 1', 1, 'reload.weight'],
    ["bad\x01\e[31m\xff 1", 1], ['x' x 5000 . ' 1', 1],
) {
    my ($text, $line, $shown) = @$case;
    my @got = three($text);
    my $what = substr $text =~ s/[^ -~]+/ /gr, 0, 40;
    is_deeply [map { $_->[0] } @got], [1, 1, 1], "refused: $what";
    like $got[2][1], qr/^$line: "[ -~]*": expected \S/, 'where, and why';
    like $got[2][1], qr/: "\Q$shown\E": /, 'what stands there'
        if defined $shown;
    is $got[$_][1], $got[2][1], "$what: the same is said" for 0, 1;
}
for my $args (['--thresholds', $t->dir . '/none'], ['--thresholds', $t->dir]) {
    my ($status, undef, $err) = signals(@$args);
    is $status, 2, "$args->[1]: status 2";
    like $err, qr/\Acxctl: [^\n]*\Q$args->[1]\E: [A-Z][^\n]*\n\z/, 'said';
}
{
    local $ENV{CX_THRESHOLDS} = $t->dir . '/rage';
    like +(signals())[1], qr/^rage_clicks 7 /m, 'CX_THRESHOLDS';
}

$t->done;
