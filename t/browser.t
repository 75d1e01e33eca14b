#!/usr/bin/perl

# The browser widget in Debian's Chromium: t/js/*.test.mjs, under node's test
# runner, each file with its own nginx, Redis and browser.  One TAP line here
# for each of theirs.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

my $here  = dirname(abs_path(__FILE__));
my $build = abs_path($ENV{CX_BUILD} // "$here/../build");
my $npm   = $ENV{CX_NODE_MODULES} // "$here/../build/node/node_modules";

my @missing = grep { !find($_) } 'node', $ENV{CX_CHROMIUM} // 'chromium',
    'redis-server', 'nginx';
push @missing, "$npm/playwright-core" if !-d "$npm/playwright-core";

if (@missing) {
    my $why = 'the browser tests need ' . join(', ', @missing)
              . ': make deps node';
    plan skip_all => $why if $ENV{CX_ALLOW_SKIP};
    plan tests => 1;
    fail $why;
    exit 1;
}

sub find {
    my ($program) = @_;
    return -x $program if $program =~ m{/};
    return grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin';
}

my @files = @ARGV ? @ARGV : sort glob "$here/js/*.test.mjs";

local $ENV{CX_BUILD}        = $build;
local $ENV{CX_NODE_MODULES} = abs_path($npm);

# a bound: a browser that hangs must not hang the suite

my $pid = open my $tap, '-|', 'node', '--test', '--test-reporter=tap',
    '--test-concurrency=1', @files
    or BAIL_OUT("cannot run node: $!");

local $SIG{ALRM} = sub { kill 'TERM', $pid; fail 'in time'; };
my $seconds = $ENV{CX_BROWSER_SECONDS} || 2400;
alarm $seconds;

my $totals = 'tests|suites|pass|fail|cancelled|skipped|todo|duration_ms';
my ($ran, $last, @detail, @failed) = (0);

while (my $line = <$tap>) {
    chomp $line;

    if ($line =~ /^\s*(not )?ok \d+ - (.*)/) {
        my ($not, $name) = ($1, $2);
        flush_detail();
        my $known = $name =~ s/ # todo (.*)//i ? $1 : undef;
        Test::More->builder->todo_start($known) if defined $known;
        $last = ok(!$not, $name) || defined $known;
        Test::More->builder->todo_end if defined $known;
        push @failed, $name if !$last;
        $ran++;

    } elsif ($line =~ /^# (?!Subtest|(?:$totals) )/) {
        diag substr $line, 2;

    } elsif (defined $last && !$last) {
        push @detail, $line;
    }
}

flush_detail();
alarm 0;
close $tap;
is $?, 0, 'node --test';
cmp_ok $ran, '>', @files, 'every file ran its tests';

# once more at the end, where somebody looks who has only the last lines
diag "failed: $_" for @failed;
done_testing;

sub flush_detail {
    diag $_ for grep { /\S/ && !/^\s*(\.\.\.|---|# Subtest)/ } @detail;
    @detail = ();
}
