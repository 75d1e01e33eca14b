#!/usr/bin/perl

# make demo DRIVE=1: the rollups, asked of Redis itself, are what conf/demo's
# visitors did, counted here by hand.  And nothing is left behind.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Cx;

plan skip_all => 'needs chromium' if !-x '/usr/bin/chromium';

my %one = (views => 1, visits => 1);

# counters of each page that are not 0, of these kinds; the story is told in
# conf/demo/drive.mjs
my $kinds = qr/^(?:views|visits|visits_signal:.*|status:[45]xx|signal:.*
                 |shown|dismissed|never|answered|text|answers:.*
                 |(?:nps|csat|ces|psat):.*)$/x;

my %hand = (
    '/python/index.html' => { %one },

    # two visitors, two answers
    '/python/tutorial/index.html' => {
        views => 2, visits => 2, shown => 2, answered => 2, text => 2,
        'answers:asked' => 2, 'nps:9' => 1, 'nps:3' => 1 },

    # one answers 4, one closes the card
    '/python/library/functions.html' => {
        views => 2, visits => 2, shown => 2, answered => 1, text => 1,
        'answers:asked' => 1, 'csat:4' => 1, dismissed => 1 },

    # seven fast clicks on a dead menu: one burst, and one click waited for
    '/sqlite/howtocorrupt.html' => {
        %one, 'signal:rage_click' => 1, 'visits_signal:rage_click' => 1,
        'signal:dead_click' => 1, 'visits_signal:dead_click' => 1 },

    # the page that linked to the 404, and the 404
    '/sqlite/atomiccommit.html' => {
        %one, 'signal:broken_link' => 1, 'visits_signal:broken_link' => 1 },
    '/sqlite/section_3_2' => { %one, 'status:4xx' => 1 },

    '/sqlite/lang_select.html' => {
        %one, shown => 1, answered => 1, text => 1, 'answers:asked' => 1,
        'ces:2' => 1 },

    # at once; after 6 s, which counts twice; given up, status 499, the third
    # within a minute
    '/python/py-modindex.html' => {
        views => 3, visits => 1, 'status:4xx' => 1,
        (map { ("signal:$_" => 1, "visits_signal:$_" => 1) }
            qw(slow_page aborted_wait reload)), 'signal:slow_page' => 2 },

    # opened, and three times reloaded
    '/python/whatsnew/index.html' => {
        views => 4, visits => 1, 'signal:reload' => 1,
        'visits_signal:reload' => 1 },

    '/libffi/index.html' => {
        %one, shown => 1, answered => 1, text => 1, 'answers:asked' => 1,
        'psat:1' => 1 },
);

# 100 (1 - e^-x), x by the strengths of include/cx_signal.h; the answer 2 of 7
# is 500/6 of effort beside 20 visits' worth of behaviour without any
my %effort = (
    '/sqlite/howtocorrupt.html' => '72.75',        # x = 0.9 + 0.4
    '/sqlite/atomiccommit.html' => '55.07',        # x = 0.8
    '/python/py-modindex.html' => '75.34',         # x = 2 * 0.15 + 0.7 + 0.4
    '/python/whatsnew/index.html' => '32.97',      # x = 0.4
    '/sqlite/lang_select.html' => '3.97',          # 83.33 / 21
    '/python/index.html' => '0.00',
);

my $t = Test::Cx->new;
my $asan = '';
if ($ENV{CX_ASAN}) {
    chomp($asan = $ENV{CX_PRELOAD} || `\${CC:-gcc} -print-file-name=libasan.so`);
}

# run.sh in the background: (process, directory of its servers)
sub demo {
    my (%env) = @_;
    my $out = $t->subdir('demo') . '/out';
    my $proc = $t->spawn(name => 'demo',
        cmd => ['/bin/bash', $t->root . '/conf/demo/run.sh'],
        env => { BUILD => $t->build, PORT => free_port(), DRIVE => '',
                 CX_PRELOAD => $asan, ASAN_OPTIONS => 'detect_leaks=0',
                 %env },
        out => $out, err => $out);
    wait_for { $proc->out =~ m{redis-cli -s \S+} || !$proc->running } 60;
    my ($dir) = $proc->out =~ m{redis-cli -s (\S+)/redis\.sock};
    return ($proc, $dir);
}

# processes that have the directory in their command line
sub left {
    my ($dir) = @_;
    return grep { read_file("$_/cmdline") =~ /\Q$dir\E/ } glob '/proc/[0-9]*';
}

my $dir;

sub redis {
    my ($status, $out) = $t->run('/usr/bin/env', 'redis-cli', '-s',
                                 "$dir/redis.sock", '--raw', @_);
    return split /\n/, $out, -1;
}

# fields of all keys that begin so, added up: of two days if it is midnight
sub sums {
    my ($prefix) = @_;
    my %sum;
    for my $key (grep { length } redis('--scan', '--pattern', "$prefix*")) {
        my ($page) = $key =~ /^\Q$prefix\E\d+:(.*)$/ or next;
        my @list = redis('HGETALL', $key);
        while (@list > 1) {
            my ($name, $n) = splice @list, 0, 2;
            $sum{$page}{$name} += $n if $name =~ $kinds && $n;
        }
    }
    return \%sum;
}

(my $proc, $dir) = demo(DRIVE => 1, KEEP => 1);
ok $dir, 'the demo starts' or BAIL_OUT($proc->out);

wait_for { $proc->out =~ /^driven:/m || !$proc->running } 240;
like $proc->out, qr/^driven: exit status 0$/m, 'the browser did it all'
    or diag $proc->out;

is_deeply sums('cx:{demo}:page:d:'), \%hand, 'counters of each page, by day';
is_deeply sums('cx:{demo}:page:h:'), \%hand, 'by hour';

my ($day) = grep { length } redis('--scan', '--pattern', 'cx:{demo}:total:d:*');
$day =~ s/.*://;
is((redis('PFCOUNT', "cx:{demo}:everybody:d:$day"))[0], 2, 'two visitors');

for my $page (sort keys %effort) {
    is((redis('HGET', "cx:{demo}:score:d:$day:$page", 'effort'))[0],
       $effort{$page}, "effort of $page");
}

is((redis('HGET', "cx:{demo}:score:d:$day:/python/tutorial/index.html",
          'nps'))[0], '0.00', 'NPS of a 9 and a 3');

my %text = map { $_ => 1 }
    map { redis('HGET', "cx:{demo}:answer:$_", 'text') }
    grep { length } redis('ZRANGE', 'cx:{demo}:verbatims', 0, -1);
delete $text{''};
is_deeply [ sort keys %text ], [
    'How a join is spelled. Nothing about LATERAL.',
    'Keep the table on top.',
    'Short chapters. Questions to [email]',
    'The list of chapters',
    'Too small to read',
], 'what was written, the address masked';

# cxctl tells the same
my ($status, $out) = $t->ctl('pages', '--json', '--limit', 0, '--redis',
                             "unix:$dir/redis.sock", '--site', 'demo');
is $status, 0, 'cxctl pages';
like $out, qr/"\Q$_\E"/, "cxctl knows $_" for sort keys %hand;

for my $metric (qw(nps csat ces psat)) {
    my $file = $t->build . "/demo/$metric.png";
    my $png = read_file($file);
    ok $png =~ /^\x89PNG/ && length $png > 10_000 && -M $file < 0,
        "a new screenshot of the $metric prompt";
}

unlike read_file("$dir/error.log"), qr/\[(?:alert|emerg|crit|error)\]/,
    'nothing in the error log'
    or diag read_file("$dir/error.log");
unlike read_file("$dir/$_.out"), qr/Sanitizer|runtime error:/,
    "nothing from a sanitizer in $_" for qw(nginx aggregator);

ok left($dir) >= 3, 'servers run';
$proc->signal('TERM');
is $proc->wait_exit(20), 143, 'ended by TERM';
ok !-e $dir, 'no directory is left';
is_deeply [ left($dir) ], [], 'no process is left';

# without a browser, ended as by Ctrl-C
($proc, $dir) = demo();
ok wait_for(sub { $proc->out =~ /views/i }, 20), 'plain lines without a tty';
$proc->signal('INT');
is $proc->wait_exit(20), 130, 'ended by INT';
ok !-e $dir, 'no directory is left';
is_deeply [ left($dir) ], [], 'no process is left';

$t->done;
