#!/usr/bin/perl

# conf/redis-keys.md says what include/cx_keys.h says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $header = read_file($t->root . '/include/cx_keys.h') =~ s/"\s*\\\n\s*"//gr;
my $signals = read_file($t->root . '/include/cx_signal.h');
my $doc = read_file($t->root . '/conf/redis-keys.md');

# keys with their types
my @keys = $header =~ /^ +K\((\w+), "([^"]+)", "([^"]+)"/mg;
cmp_ok scalar @keys, '>', 40, 'the header has keys';
while (my ($id, $grammar, $type) = splice @keys, 0, 3) {
    my $re = quotemeta $grammar;
    $re =~ s/\\%g/(?:<g>|d)/;
    $re =~ s/\\%w/<\\w+>/;
    $re =~ s/\\%n/<\\w+>/;
    like $doc, qr/^\| `$re` \| \Q$type\E \|/m, "$grammar is a $type";
}

# fields: those of each X-macro in the chapter about it
sub chapter { $doc =~ /^## \Q$_[0]\E.*?\n(.*?)(?=^## |\z)/ms; $1 }

my $counters = chapter('Counters of a page');
for ($header =~ /^ +R\(\w+, "([^"]+)"/mg) {
    my $name = $_;
    my ($head, $tail) = $name =~ /^(\w+)(:\w+)$/;
    ok $counters =~ /`\Q$name\E`/
        || ($tail && $counters =~ /`$head:\w+`(?: `:\w+`)* `\Q$tail\E`/)
        || ($head // '') eq 'status', "counter $name";
}
like $counters, qr/`(?:first_ms)?:$_`/, "bucket $_"
    for $header =~ /\bB\((\d+)\)/g, 'more';
for my $kind (qw(peak end)) {
    my ($cell) = $counters =~ /^\| (`$kind:\d.*?) \|/m;
    is join(' ', map { "`$kind:$_`" } ($cell // '') =~ /:(\d+)`/g),
        join(' ', map { "`$kind:$_`" } $header =~ /\bP\((\d+)\)/g),
        "bins of $kind";
}
like $counters, qr/`$_:<signal>`/, "$_ by signal"
    for qw(signal visits_signal unseen);
my %score;
$score{$1} = $2 while $header =~ /\bA\(\w+, "(\w+)", (\d+)\)/g;
like $counters, qr/`$_:\Q$score{$_}\E`/, "$_ up to $score{$_}"
    for sort keys %score;
my ($first, $last) = (sort { $a <=> $b } $header =~ /\bC\((\d+)\)/g)[0, -1];
like $counters, qr/`choice:$first` … `choice:$last`/, 'choices';
my @texts = $header =~ /\bT\(\w+, "(\w+)"\)/g;
my $all = join ' ', map { "`:$_`" } @texts;
like $counters, qr/^\| \Q`text@{[substr $all, 1]}\E \|/m, 'text by language';
my ($options) = read_file($t->root . '/include/cx_schema.h')
    =~ /CX_OPTIONS_MAX\s+(\d+)/;
is $last, $options - 1, 'as many choices as options';
my $spoken = json(read_file($t->root . '/ngx_cx_module/languages.json'));
my %primary = map { /^([a-z]+)/ => 1 } keys %$spoken;
is join(' ', sort @texts), join(' ', sort('other', keys %primary)),
    'a counter for each language that is built in, and one for the rest';
my ($max) = $header =~ /CX_PATTERNS_MAX\s+(\d+)/;
like $counters, qr/Beyond $max kinds/, 'kinds of visits';
my ($answer) = $header =~ /K\(ANSWER, .*?"one answer: (.*?), as in the stream/s;
my ($row) = $doc =~ /^\| `answer:<id>`(.*)$/m;
like $row, qr/`$_`/, "field $_ of an answer" for split ' ', $answer;

my $figures = chapter('Figures of a page');
like $figures, qr/`\Q$_\E`/, "figure $_"
    for $header =~ /^ +S\(\w+, "([^"]+)"/mg;
my $ranks = chapter('Ranks');
while ($header =~ /^ +M\(\w+, "(\w+)", "(\w+)", (\w+)\)/mg) {
    my ($name, $worst, $by) = ($1, $2, lc $3);
    like $ranks, qr/^\| `$name` \| $worst \| `$by` \|$/m, "rank $name";
}
my ($min) = $header =~ /CX_RANK_MIN\s+(\d+)/;
like $ranks, qr/at least $min visits/, 'least that is ranked';
my ($schema) = $header =~ /CX_ROLLUP_SCHEMA\s+"([\d.]+)"/;
like chapter('Version'), qr/`schema` of the checkpoint is `\Q$schema\E`/,
    'version of the rollups';
like chapter('Lifetime counters'), qr/`$_`/, "lifetime counter $_"
    for $header =~ /^ +L\(\w+, "(\w+)"/mg;

# and nothing that is not there
my %known = map { $_ => 1 } $header =~ /"([a-z_:0-9]+)"/g;
my @strange = grep { !$known{$_} && !/[<:%]/ }
    map { /`([a-z_]+)`/g } $counters =~ /^\| (`[^|]+) \|/mg,
    $figures =~ /^\| (`[^|]+) \|/mg;
is "@strange", '_lo _hi _n', 'nothing else';

$t->done;
