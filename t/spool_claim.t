#!/usr/bin/perl

# Who takes over what a dead producer left holds its lock until the last of it
# is delivered, also when some of its files have no records at all.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Spool;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;

# it may hold its socket until it is waited for
sub running {
    my ($pid) = @_;
    return -e "/proc/$pid" && read_file("/proc/$pid/stat") !~ /\) Z /;
}

# the file system says which one is looked at first: so each is emptied once
for my $lane (qw(s a)) {
    my $ngx = $t->nginx(redis => $redis, cx => 1, workers => 2,
        http => 'cx_queue flush=20ms; cx_spool spool;',
        server => 'cx_surveys surveys.json;',
        files => { 'html/a.html' => '<!doctype html><html><head>',
                   'conf/surveys.json' => SURVEYS });
    my $dir = $ngx->dir . '/spool';
    my $token = token($ngx);
    my $c = $ngx->connect;
    $redis->stop;

    my @marks = map { signals($c, 5) } 1 .. 4;
    my @ids;
    for (1 .. 3) {
        my ($status, $id) = answer($c, $token);
        push @ids, $id if $status == 204;
    }
    is scalar @ids, 3, "$lane: answers get 204";
    ok wait_for(sub { @marks + @ids == grep { defined } map {
        map { @{$_->{marks}} } @{read_segment(read_file("$dir/$_"))->{records}}
    } segments($dir) }, 6), 'both lanes are on disk';
    my @workers = $ngx->workers;
    $ngx->{proc}->kill9;
    wait_for { !grep { running($_) } @workers };

    my ($empty) = grep { /-$lane-/ } segments($dir);
    my $data = read_file("$dir/$empty");
    write_file("$dir/$empty", substr $data, 0,
               read_segment($data)->{records}[0]{at});
    my ($producer) = $empty =~ /^([0-9a-f]{16})/;

    # longer than two looks of each worker
    $ngx->start;
    ok wait_for(sub { ! -e "$dir/$empty" }, 5), 'a file without records goes';
    ok -e "$dir/$producer.lock", 'the lock stays';
    sleep 5.5;
    ok -e "$dir/$producer.lock", 'the lock is still there';
    is $ngx->counter('spool_claims'), 1, 'and nobody else takes it over';

    $redis->start;
    ok wait_for(sub { !segments($dir) }, 10), 'the rest is delivered';
    ok wait_for(sub { ! -e "$dir/$producer.lock" }, 3), 'then the lock goes';
    is join(' ', answers_of($redis)), $lane eq 'a' ? '' : "@ids",
        'answers, each once';
    is join(' ', marks_of($redis)), $lane eq 's' ? '' : "@marks",
        'signals, each once';
    $redis->cmd('DEL', 'cx:{localhost}:events');
    $ngx->quit(5);
}

$t->done;
