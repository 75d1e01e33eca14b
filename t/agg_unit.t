#!/usr/bin/perl

# The pure parts of the aggregator: builds t/unit/agg/*.c, each with the files
# that its "link:" line names, and runs each program as a subtest.  CC and
# CX_CFLAGS from the environment, as in unit.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $root = $t->root;
my @cc = (split(' ', $ENV{CC} || 'cc'), qw(-std=gnu11 -g -O1 -Wall -Wextra
          -Werror), map { "-I$root/$_" } qw(include t/unit
          ngx_cx_module/aggregator));

for my $source (sort glob "$root/t/unit/agg/*.c") {
    my ($name) = $source =~ m{([^/]+)\.c$};
    my ($link) = read_file($source) =~ m{\A/\* link: (.*?) \*/}s;
    my @link = map { /^-/ ? $_ : "$root/ngx_cx_module/$_" }
        split ' ', $link =~ s/\n \*//gr;
    my $program = $t->dir . "/$name";

    subtest $name => sub {
        my ($status, undef, $err) = $t->run({ timeout => 60 }, '/usr/bin/env',
            @cc, split(' ', $ENV{CX_CFLAGS} || ''), '-o', $program, $source,
            @link);
        is $status, 0, 'builds' or return diag $err;
        ($status, my $out, $err) = $t->run($program);
        my $count = 0;
        for (split /\n/, $out) {
            next if !/^(not )?ok \d+ - (.*)/;
            $count++;
            ok !$1, $2;
        }
        my ($plan) = $out =~ /^1\.\.(\d+)$/m;
        is $count, $plan // -1, 'came to its end' or diag $err;
        is $err, '', 'quietly' or diag $err;
        cmp_ok $status, '<=', 1, 'did not crash';
    };
}

$t->done;
