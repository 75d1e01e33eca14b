#!/usr/bin/perl

# The pure C core: builds t/unit/*.c into build/unit/ and runs each program as
# a subtest.  CC and CX_CFLAGS from the environment, e.g. for sanitizers.

use warnings;
use strict;

use Test::More;
use FindBin;
use File::Path qw/ make_path /;

my $root = "$FindBin::Bin/..";
my $out = "$root/build/unit";

my @units = map { m{([^/]+)\.c$} } sort glob "$root/t/unit/*.c";
my @core = sort glob "$root/ngx_cx_module/core/*.c";

my @cc = (split(' ', $ENV{CC} || 'cc'), qw/ -std=gnu11 -g -O1 -Wall -Wextra
          -Werror /, "-I$root/include", "-I$root/build/gen",
          split(' ', $ENV{CX_CFLAGS} || ''));

plan tests => scalar @units;

make_path($out);

subtest $_ => \&unit, $_ for @units;


sub unit {
    my ($name) = @_;

    # an own name, as another run may be at it
    my $program = "$out/$name.$$";

    system(@cc, '-o', $program, "$root/t/unit/$name.c", @core, '-ljansson',
           '-lcrypto', '-lm') == 0
        or return ok(0, "$name builds");

    open my $pipe, '-|', $program or die "cannot run $program: $!";

    my ($count, $planned) = (0, -1);

    while (my $line = <$pipe>) {
        chomp $line;

        if ($line =~ /^(not )?ok \d+ - (.*)/) {
            $count++;
            ok(!$1, $2);

        } elsif ($line =~ /^1\.\.(\d+)$/) {
            $planned = $1;

        } else {
            diag($line);
        }
    }

    close $pipe;
    my $status = $?;

    is($count, $planned, 'came to its end');
    ok($count > 0 && $status >> 8 <= 1 && ($status & 127) == 0,
       'did not crash');

    rename $program, "$out/$name";
}
