#!/usr/bin/perl

# What is where, and who may know whom.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find;
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $root = $t->root;

# the top level
my %allowed = map { $_ => 1 } qw(ngx_cx_module include conf t config README.md
                                 Makefile LICENSE CHANGES build);
opendir my $dir, $root or die "$root: $!";
my @top = grep { !/^\./ } readdir $dir;
is join(' ', grep { !$allowed{$_} } sort @top), '', 'nothing else at the top';
ok -e "$root/$_", "$_ is there" for grep { $_ ne 'build' } sort keys %allowed;

my @files;
find({ no_chdir => 1, wanted => sub {
    if (-d && (m{/\.git$} || m{^\Q$root\E/build$} || m{/node_modules$})) {
        $File::Find::prune = 1;
        return;
    }
    return if m{^\Q$root\E/\.git$};     # a file, in a work tree
    push @files, substr $_, length($root) + 1 if -f;
} }, $root);
my %text = map { $_ => read_file("$root/$_") } @files;
delete $text{$_} for grep { $text{$_} =~ /\0/ } keys %text;

# one version
my ($version) = ($text{'include/cx_version.h'} // '') =~ /"(\d+\.\d+\.\d+)"/;
ok $version, 'include/cx_version.h has the version';
like $text{'CHANGES'} // '', qr/\A\s*Changes with ngx_cx \Q$version\E\s/,
    'CHANGES begins with it';
my @others = map { my $f = $_;
                   map { "$f: $_" } $text{$f} =~ /ngx_cx[ \/](\d+\.\d+\.\d+)/g }
    grep { $_ ne 'CHANGES' } sort keys %text;
is join(', ', grep { !/\Q$version\E$/ } @others), '', 'no other version';

# marks of work not done, and of the machine it was done on
my $todo = join '|', 'TO' . 'DO', 'FIX' . 'ME', 'XX' . 'X', 'HA' . 'CK';
my $here = join '|', '/wo' . 'rk/', '/ro' . 'ot/', '/ho' . 'me/\w',
    'registry\.' . 'npm', 'pypi\.' . 'org', 'proxy\.golang';
my @marks;
for my $file (sort keys %text) {
    next if $file =~ /^LICENSE$/;
    my $n = 0;
    for (split /\n/, $text{$file}) {
        $n++;
        push @marks, "$file:$n: $_" if /\b(?:$todo)\b/ || m{(?:$here)};
    }
}
is scalar @marks, 0, 'no forbidden marks' or diag join "\n", @marks;

# whitespace and width
my @white;
for my $file (sort keys %text) {
    next if $file !~ /\.(?:[ch]|mjs|js|pl|pm|t|lua|conf)$|^config$/;
    my $n = 0;
    for (split /\n/, $text{$file}) {
        $n++;
        push @white, "$file:$n" if /[ \t]$/ || /\r/;
        push @white, "$file:$n" if /\t/ && $file =~ /\.(?:[ch]|pm|t|lua)$/;
        my $wide = $_;
        utf8::decode($wide);
        push @white, "$file:$n" if length $wide > 80 && $file =~ /\.[ch]$/;
    }
}
is join(' ', @white), '', 'no stray white space, tabs or long lines';

# includes: what each room may know besides its own files and the core's
my %may = (
    'include' => qr/^cx_\w+\.h$/,
    'ngx_cx_module/core' => qr/^cx_\w+\.h$/,
    'ngx_cx_module/http' => qr/^(?:ngx_http_cx\w*|cx_\w+)\.h$/,
    'ngx_cx_module/aggregator' => qr/^cx_\w+\.h$/,
    'ngx_cx_module/ctl' => qr/^(?:cxctl\w*|cx_\w+)\.h$/,
);
my %never = (
    'include' => qr/^cx_agg/,
    'ngx_cx_module/core' => qr/^(?:cx_agg|cx_\w+_lua)/,
    'ngx_cx_module/http' => qr/^(?:cx_agg|cx_score|cx_rollup|cx_commit)/,
    'ngx_cx_module/aggregator' => qr/^cx_produce/,
    'ngx_cx_module/ctl' => qr/_lua\.h$/,
);
my @arrows;
for my $file (grep { /\.[ch]$/ } sort keys %text) {
    my ($room) = $file =~ m{^(include|ngx_cx_module/\w+)/};
    next if !$room || $file eq 'include/ngx_http_cx.h';
    push @arrows, map { "$file includes $_" }
        grep { $_ !~ $may{$room} || $_ =~ $never{$room} }
        $text{$file} =~ /^#include "([^"]+)"/mg;
}
is join(', ', @arrows), '', 'includes go one way';
my @pure = grep { m{^ngx_cx_module/core/} && $text{$_} =~
                  /<hiredis|<sys\/socket|<ngx_|\btime\(|gettimeofday|\bfopen\(/ }
    sort keys %text;
is "@pure", '', 'the core knows no socket, clock or file';
my @hiredis = grep { m{^ngx_cx_module/http/} && $text{$_} =~ /<hiredis/ }
    sort keys %text;
cmp_ok scalar @hiredis, '<=', 1, "one file of the module knows hiredis";

# config names every file of the module, and of the core what there is
my %named = map { $_ => 1 } $text{config} =~ m{\$cx_dir/(\w+/\w+\.[ch])}g;
is join(' ', grep { !$named{$_} } map { m{^ngx_cx_module/(http/.*\.[ch])$} }
        sort keys %text), '', 'config names all of http/';
is join(' ', grep { !-e "$root/ngx_cx_module/$_" } sort keys %named), '',
    'config names nothing that is not there';

# what the module shows to nginx and to other modules
SKIP: {
    my $so = $t->build . '/ngx_http_cx_module.so';
    my ($status, $out) = $t->run('/usr/bin/env', 'nm', '-D',
                                 '--defined-only', $so);
    skip 'no module built', 1 if $status ne '0';
    my @names = $out =~ /^\S+ [A-Z] (\S+)$/mg;
    my @strange = grep {
        !/^(?:ngx_http_cx_|ngx_modules?(?:_|$)|cx_)/
            && !/^(?:_init|_fini|_edata|_end|__bss_start|__asan|__ubsan|__odr)/
    } @names;
    is "@strange", '', 'every exported symbol has our prefix';
}

$t->done;
