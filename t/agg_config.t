#!/usr/bin/perl

# Configuration of the aggregator: file, environment, flags, and each mistake
# in one line.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $t    = Test::Cx->new;
my $file = $t->dir . '/agg.conf';
my $exe  = $t->build . '/cx-aggregator';

sub conf { write_file($file, $_[0]) }

sub check {
    my ($env, @flags) = @_;
    my ($status, $out, $err) = $t->run({ env => $env }, $exe,
                                       '--check-config', @flags);
    return ($status, $out . $err);
}

# the example is right, and says the defaults
my ($status, $defaults) = check({});
is $status, 0, 'no configuration at all is right';
($status, my $out) = check({}, '--config',
                           $t->root . '/conf/cx-aggregator.conf');
is $status, 0, 'so is the example' or diag $out;
my %want = $defaults =~ /^(\S+) = (\S+) /mg;
my %got = $out =~ /^(\S+) = (\S+) /mg;
is_deeply \%got, \%want, 'which says the defaults';
my $example = read_file($t->root . '/conf/cx-aggregator.conf');
like $example, qr/^#?\s*\Q$_\E = /m, "it has $_"
    for (keys %want, 'site', 'thresholds');
($status, my $help) = $t->run($exe, '--help');
is $status, 0, '--help';
like $help, qr/^  --\Q$_\E\s/m, "--help has $_"
    for keys %want, 'site', 'thresholds';

# later sources win
conf("redis = unix:/file\nbatch = 10\nkeep-hours = 2h # no comment here\n");
($status, $out) = check({}, '--config', $file);
like $out, qr/^cx-aggregator: \Q$file\E:3: keep-hours "2h # no comment here": expected a time like[^\n]*\n\z/,
    'a bad value: file, line and expectation';
is $status, 2, 'status 2';
conf("# comment\n\n  redis = unix:/file\nbatch=10\nkeep_hours = 36h\n"
     . "site = a\nsite = b\n");
($status, $out) = check({}, '--config', $file);
is $status, 0, 'a file';
like $out, qr/^batch = 10  # file$/m, 'number';
like $out, qr/^keep-hours = 129600000ms  # file$/m, 'time, _ or -';
like $out, qr/^redis = unix:\/file  # file$/m, 'url';
like $out, qr/^site = a .*\nsite = b /m, 'a list';
my %env = (CX_AGG_BATCH => 20, CX_AGG_SITE => 'c d', CX_AGG_KEEP_HOURS => '3d');
($status, $out) = check(\%env, '--config', $file);
like $out, qr/^batch = 20  # environment$/m, 'the environment wins';
like $out, qr/^keep-hours = 259200000ms  # environment$/m, 'any name';
is join(' ', $out =~ /^site = (\w)/mg), 'c d', 'and replaces the list';
($status, $out) = check(\%env, '--batch', 30, "--config=$file",
                        '--site=e', '--site', 'f');
like $out, qr/^batch = 30  # flag$/m, 'flags win over both';
is join(' ', $out =~ /^site = (\w)/mg), 'e f', 'of lists, too';
($status, $out) = check({}, '--redis',
                        'redis://me:se%40cret@[::1]:7000/3');
like $out, qr/^redis = redis:\/\/me:\.\.\.@\[::1\]:7000\/3  # flag$/m,
    'no password is shown';
unlike $out, qr/cret/, 'nowhere';
($status, $out) = check({ CX_AGG_REDIS => 'redis://a  redis://b:7001' });
like $out,
    qr/^redis = redis:\/\/a:6379 redis:\/\/b:7001 cluster  # environment$/m,
    'seeds of a cluster';
conf('redis = rediss://:x@a cluster ca=/ca.pem cert=/c.pem key=/k.pem name=db'
     . "\n");
($status, $out) = check({}, '--config', $file);
like $out, qr{^redis\ =\ rediss://:\.\.\.\@a:6379\ cluster\ ca=/ca\.pem
              \ cert=/c\.pem\ key=/k\.pem\ name=db\ \ \#\ file$}mx, 'TLS';
($status, $out) = check({}, '--redis', 'sentinel://s1 sentinel://:geheim@s2:99 '
                        . 'master=m user=u password=geheim db=4');
like $out, qr{^redis\ =\ sentinel://:\.\.\.\@s1:26379\ sentinel://:\.\.\.\@s2:99
              \ master=m\ user=u\ password=\.\.\.\ db=4\ \ }mx, 'Sentinels';
unlike $out, qr/geheim/, 'their passwords are not shown either';
my @seeds = map { "redis://host-number-$_.of-a-long.name.example.com:7000" }
    1 .. 16;
conf("redis = @seeds cluster\n");
($status, $out) = check({}, '--config', $file);
like $out, qr/^redis = @seeds cluster  /m, 'as many as there may be';

# the file of thresholds: the last source counts, only that one is read
my $tune = $t->dir . '/thresholds.conf';
write_file($tune, "# comment\n\nslow_page_ms 250\nreload.strength 0.25\n"
                  . "rage_click.cap 7\n");
conf("thresholds = /nonexistent\n");
($status, $out) = check({ CX_AGG_THRESHOLDS => $tune }, '--config', $file);
is $status, 0, 'a file of thresholds' or diag $out;
like $out, qr/^thresholds = \Q$tune\E  # environment$/m, 'who named it';
is_deeply [$out =~ /^#\s+(.*)$/mg],
    ['slow_page_ms 250  (800)', 'reload.strength 0.25  (0.4)',
     'rage_click.cap 7  (3)'], 'what it changes';
($status, $out) = check({}, '--config', $file, '--thresholds', '');
is $status, 0, 'none after all';
unlike $out, qr/thresholds/, 'nothing to show';
($status, $out) = check({}, '--config', $file);
is $status, 2, 'a file that is not there: status 2';
like $out, qr{^cx-aggregator: \Q$file\E:1: thresholds /nonexistent: No such[^\n]*\n\z},
    'said: who named it, and why';
for (
    ["slow_page_ms 250\nslow_page 3\n", qr/:2: "[^"]*slow_page[^"]*": expected /],
    ["slow_page_ms fast\n", qr/:1: "[^"]*fast[^"]*": expected /],
    ["rage_click.cap 0\n", qr/:1: "[^"]*0[^"]*": expected /],
    ["rage_click.strength -1\n", qr/:1: "[^"]*-1[^"]*": expected /],
) {
    my ($text, $re) = @$_;
    write_file($tune, $text);
    ($status, $out) = check({}, '--thresholds', $tune);
    is $status, 2, $text =~ /(.*)\n\z/ ? "$1: status 2" : $text;
    like $out, qr{^cx-aggregator: command line: thresholds \Q$tune\E$re\S[^\n]*\n\z},
        'file, line, found and expected, in one line';
}

# mistakes
my $where = quotemeta "$file:1";
for (
    ["batch", qr/^cx-aggregator: $where: setting "batch": expected "name = value"/],
    ["batsh = 1", qr/^cx-aggregator: $where: setting "batsh": is not known/],
    ["batch = 0", qr/$where: batch "0": expected a number from 1 to 200000/],
    ["batch = 7x", qr/batch "7x": expected/],
    ["batch =", qr/batch "": expected/],
    ["interval = 5y", qr/interval "5y": expected a time like 250ms/],
    ["keep-days = 99999999999999999999d", qr/keep-days "9+d": expected/],
    ["log-level = loud", qr/log-level "loud": expected error, warn, info or debug/],
    ["site = a b", qr/site "a b": expected 1 to 64/],
    ["site = a/1", qr{site "a/1": expected 1 to 64 .*, without a shard's}],
    ["redis = localhost", qr/redis "\.\.\.": expected redis:\/\//],
    ["redis = rediss://h verify=no", qr/redis "\.\.\.": expected verify=off/],
    ["redis = redis://a, redis://b", qr/redis "\.\.\.": expected a host name/],
    ["redis = redis://a unix:/b", qr/urls of two kinds/],
    ["redis = sentinel://a", qr/expected the name that the Sentinels know/],
    ["redis =", qr/redis "\.\.\.": expected redis:\/\//],
    ["redis = redis://a" . " cluster" x 60, qr/redis "\.\.\.": expected/],
    ["redis = redis://:6379", qr/host is missing/],
    ["redis = redis://h:99999", qr/port is no number from 1 to 65535/],
    ["redis = redis://h/x", qr/database is no number/],
    ["redis = redis://me\@h", qr/user without password/],
    ["redis = unix:rel", qr/unix: needs an absolute path/],
    ["redis = unix:/s?x=1", qr/only db=<number> is known/],
    ["x" x 5000, qr/line is too long/],
) {
    my ($text, $re) = @$_;
    conf("$text\n");
    my ($status, $out) = check({}, '--config', $file);
    my $name = substr $text, 0, 40;
    is $status, 2, "$name: status 2";
    like $out, $re, "$name: said";
    is scalar(() = $out =~ /\n/g), 1, "$name: in one line";
}

for (
    [['--nonsense'], qr/unknown argument "--nonsense", see --help/],
    [['batch'], qr/unknown argument "batch"/],
    [['--batch'], qr/--batch needs a value/],
    [['--config', '/nonexistent'], qr{^cx-aggregator: /nonexistent: No such}],
    [['--batch', '-1'], qr/command line: batch "-1"/],
) {
    my ($flags, $re) = @$_;
    my ($status, $out) = check({}, @$flags);
    is $status, 2, "@$flags: status 2";
    like $out, $re, "@$flags: said";
}
($status, $out) = check({ CX_AGG_PAGES => 'many' });
like $out, qr/environment CX_AGG_PAGES: pages "many"/, 'environment is named';
($status, $out) = $t->run($exe, '--version');
like $out, qr/^cx-aggregator \d+\.\d+\.\d+$/, '--version';

# a password that is wrong, and one that is right
my $redis = $t->redis(password => 'p@ss');
my $tcp = 'redis://:%s@127.0.0.1:' . $redis->port;
(my $st, undef, my $err) = $t->aggregate('--once', '--redis',
                                         sprintf $tcp, 'wrong');
is $st, 1, 'wrong password';
like $err, qr/WRONGPASS/, 'said';
unlike $err, qr/wrong\@/, 'not repeated';
is +($t->aggregate('--once', '--redis', sprintf $tcp, 'p%40ss'))[0], 0,
    'right password, escaped';
is +($t->aggregate('--once', '--redis', sprintf("$tcp/2", 'p%40ss')))[0], 0,
    'another database';

# a server that does not know AUTH repeats what came with it
my $mute = $t->redis(conf => "rename-command AUTH \"\"\n");
for my $login (':geheim', 'user:geheim') {
    ($st, undef, $err) = $t->aggregate('--once', '--redis',
        "redis://$login\@127.0.0.1:" . $mute->port);
    is $st, 1, 'no AUTH';
    like $err, qr/unknown command/, 'said';
    unlike $err, qr/geheim/, 'without the password';
}

$t->done;
