#!/usr/bin/perl

# Whatever happens to the spool's files, what arrives is the longest valid
# prefix of each, in order, and nothing else: files that a real nginx left when
# it was killed, cut and changed at random.  CX_SEED repeats a run, CX_SECONDS
# makes it longer.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Spool;
use Time::HiRes qw(time sleep);

my $seed = $ENV{CX_SEED} // int(time * 1000) % 1_000_000;
my $seconds = $ENV{CX_SECONDS} // 15;
note "CX_SEED=$seed";
srand $seed;

my $t = Test::Cx->new;
my $redis = $t->redis;
my %common = (redis => $redis, cx => 1, workers => 1,
    server => 'cx_surveys surveys.json; keepalive_requests 100000;',
    files => { 'html/a.html' => '<!doctype html><html><head>',
               'conf/surveys.json' => SURVEYS });

# a few producers, each killed with several segments on disk
my (%pool, @lost);
my $fill = $t->nginx(%common,
    http => 'cx_queue flush=10ms batch=40; cx_spool spool max_size=1m;');
my $from = $fill->dir . '/spool';
my $token = token($fill);
$redis->stop;
for my $round (1 .. 4) {
    my $c = $fill->connect;
    my (@sent, $bytes);
    do {
        push @sent, signals($c, 20, 'x' x (1 + int rand 80));
        if (rand() < 0.2) {
            my ($status, $id) = answer($c, $token, 'y' x (1 + int rand 500));
            push @sent, $id if $status == 204;
        }
        sleep 0.002;
        $bytes = 0;
        $bytes += -s "$from/$_" // 0 for segments($from);
    } until $bytes > 150_000 * $round || @sent > 8000;
    sleep 1.2;
    my ($worker) = $fill->workers;
    kill 'KILL', $worker;
    wait_for { my @w = $fill->workers; @w && $w[0] != $worker };
}
$fill->{proc}->kill9;
$fill->allow(qr/exited on signal 9/);
$pool{$_} = read_file("$from/$_") for segments($from);
my @locks = map { s{.*/}{}r } glob "$from/*.lock";
cmp_ok scalar keys %pool, '>=', 8, keys(%pool) . ' segments of '
    . @locks . ' producers';
is scalar(grep { !read_segment($_)->{clean} } values %pool), 0,
    'SIGKILL leaves them whole';

# ways to damage a file
my @harm = (
    sub { $_[0] },
    sub { substr $_[0], 0, int rand length $_[0] },
    sub { flip($_[0], int rand 8 * length $_[0]) },
    sub { my $d = $_[0]; $d = flip($d, int rand 8 * length $d) for 1 .. 5; $d },
    sub { my $d = flip($_[0], int rand 8 * length $_[0]);
          substr $d, 0, int rand length $d },
    sub { $_[0] . join '', map { chr int rand 256 } 0 .. rand 300 },
    sub { my ($d, $n) = ($_[0], 1 + int rand 5000);
          substr($d, int rand length $d, $n) = "\0" x $n; $d },
    sub { my ($d, $at) = ($_[0], int rand length $_[0]);
          substr($d, $at, 1 + int rand 50) = ''; $d },
);

my $ngx;
my ($trials, $damaged, @wrong) = (0, 0);
my $dir = $t->subdir('spool');
chmod 0700, $dir;
my $end = time + $seconds;
while ((time < $end || $trials < 3) && !@wrong) {
    $trials++;

    my (%want, %clean);
    unlink glob "$dir/*";
    for my $name (sort keys %pool) {
        my $data = $harm[rand @harm]->($pool{$name});
        write_file("$dir/$name", $data);
        my $s = read_segment($data);
        my ($producer) = $name =~ /^(\S+)\./;
        push @{$want{$producer}}, map { @{$_->{marks}} } @{$s->{records}};
        $clean{$name} = $s->{clean};
        $damaged++ if !$s->{clean};
    }
    write_file("$dir/$_", '') for grep { rand() < 0.8 } @locks;

    $redis->start if !$redis->running;
    $redis->cmd('FLUSHALL');
    $ngx = $ngx ? $ngx->start
        : $t->nginx(%common, http => "cx_spool $dir max_size=1g;");

    my @left;
    wait_for { @left = segments($dir); !@left } 10;
    my %got;
    my %of = map { my $p = $_; map { $_ => $p } @{$want{$p}} } keys %want;
    for ($redis->events) {
        my ($mark) = map { /^(m\d{7}|a0\w{14})/ ? $1 : () }
            grep { defined } @$_{qw(target answer)};
        push @{$got{$of{$mark // ''} // 'nobody'}}, $mark // 'something';
    }
    push @wrong, "trial $trials: left: @left" if @left;
    push @wrong, "trial $trials: alien: @{$got{nobody}}" if $got{nobody};
    for my $p (sort keys %want) {
        my ($is, $should) = map { join ' ', @{$_->{$p} // []} } \%got, \%want;
        push @wrong, "trial $trials, $p: other than the prefixes, "
            . @{$got{$p} // []} . ' and not ' . @{$want{$p}}
            if $is ne $should;
    }

    # what is set aside was damaged, and as it was
    for my $bad (map { s{.*/}{}r } glob "$dir/*.bad") {
        my $name = $bad =~ s/\.bad$//r;
        push @wrong, "trial $trials: $bad" if $clean{$name};
    }
    push @wrong, "trial $trials: a lock is left"
        if !wait_for { !glob "$dir/*.lock" } 3;
    $ngx->{proc}->kill9;
}
is scalar @wrong, 0, "$trials times, $damaged damaged files: what arrives is "
    . 'the longest valid prefix of each segment'
    or diag join "\n", "CX_SEED=$seed", @wrong[0 .. ($#wrong > 9 ? 9 : $#wrong)];
cmp_ok $trials, '>=', 3, 'several times';

$t->done;
