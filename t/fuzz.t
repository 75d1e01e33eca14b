#!/usr/bin/perl

# Runs each fuzz target of t/fuzz/ for CX_FUZZ_SECONDS (3), from t/corpus/ if
# it has inputs there.

use warnings;
use strict;

use Test::More;
use FindBin;
use File::Path qw/ make_path /;
use File::Temp qw/ tempdir /;

my $root = "$FindBin::Bin/..";
my $out = "$root/build/fuzz";
my $seconds = $ENV{CX_FUZZ_SECONDS} || 3;

my $temp = tempdir(CLEANUP => 1);

my @targets = map { m{([^/]+)\.c$} } sort glob "$root/t/fuzz/*.c";
my @core = sort glob "$root/ngx_cx_module/core/*.c";

my @cc = (qw/ clang -std=gnu11 -g -O1 -Wall -Wextra -Werror
          -fno-sanitize-recover=all /,
          '-fsanitize=fuzzer,address,undefined', "-I$root/include",
          "-I$root/build/gen");

plan skip_all => 'needs clang with -fsanitize=fuzzer' unless fuzzer();
plan tests => 2 * @targets;

make_path($out);

fuzz($_) for @targets;


sub fuzzer {
    open my $file, '>', "$temp/probe.c" or die "probe.c: $!";
    print $file "int LLVMFuzzerTestOneInput(const char *p, unsigned long n);",
                "int LLVMFuzzerTestOneInput(const char *p, unsigned long n)",
                "{ return p && n == 1 ? 0 : 0; }\n";
    close $file;

    return system("clang -fsanitize=fuzzer,address -o $temp/probe "
                  . "$temp/probe.c >/dev/null 2>&1") == 0;
}


sub fuzz {
    my ($name) = @_;

    # an own name, as another run may be at it
    my $program = "$out/$name.$$";

    my $built = system(@cc, '-o', $program, "$root/t/fuzz/$name.c", @core,
                       '-ljansson', '-lcrypto', '-lm') == 0;

    ok($built, "$name builds") or return ok(0, "$name runs");

    mkdir "$temp/$name" or die "$temp/$name: $!";

    # inputs to begin with, where random ones would not come far
    my ($corpus) = grep { -d } "$root/t/corpus/$name";
    $corpus = $corpus ? "'$corpus'" : '';

    my $log = "$temp/$name.log";
    my $status = system("cd $temp && '$program' -max_total_time=$seconds "
                        . "-timeout=10 -max_len=4096 -print_final_stats=1 "
                        . "$temp/$name $corpus >$log 2>&1");

    open my $file, '<', $log or die "$log: $!";
    my @lines = <$file>;
    close $file;

    my ($runs) = map { /number_of_executed_units: (\d+)/ } @lines;

    ok($status == 0 && $runs, "$name runs, " . ($runs || 0) . ' inputs')
        or diag(@lines);

    rename $program, "$out/$name";
}
