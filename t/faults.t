#!/usr/bin/perl

# The short drill of t/faults: nothing that was acknowledged is lost, and
# nothing counts twice, whatever dies.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

$ENV{CX_TIMEOUT} //= 400;
my $t = Test::Cx->new;
my ($status, $out, $err) = $t->run({ timeout => 380 }, $^X,
    "$FindBin::Bin/faults", '--short', '--jobs', $ENV{CX_JOBS} // 2);
my $head = qr/^fault +produced/;
for my $line (split /\n/, $out) {
    next if $line =~ $head || $line =~ /^(?:not what|all accounted)/;
    if ($line =~ /^# /) { diag $line; next }
    my ($name) = $line =~ /^(.*?)  +\d/;
    unlike $line, qr/NOT OK/, $name // $line;
    note $line;
}
is $status, 0, 'the drill' or diag $out, $err;

$t->done;
