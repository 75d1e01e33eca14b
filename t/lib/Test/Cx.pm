package Test::Cx;

# The test harness of ngx_cx: private nginx, redis-server, aggregator and fake
# upstreams on free loopback ports in a temporary directory, all of them ended
# by pid when the test ends.  Core Perl only.
#
#   use Test::Cx;
#   my $t     = Test::Cx->new;
#   my $redis = $t->redis;
#   my $ngx   = $t->nginx(redis => $redis, server => 'cx on; ...',
#                         files => { 'html/a.html' => '<html>...' });
#   is $ngx->get('/a.html')->{status}, 200;
#   $t->done;                  # ends everything, checks the logs, done_testing
#
# Environment: CX_BUILD (build directory), CX_NGINX (binary), CX_ASAN=1 or
# CX_PRELOAD=/path/lib.so (preloaded into nginx), CX_KEEP=1 (keep files),
# CX_REDIS_SERVER (redis-server or valkey-server of another version).

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Scalar::Util qw(weaken);
use Test::More ();
use Time::HiRes qw(time sleep);

use Test::Cx::Certs;
use Test::Cx::Cluster;
use Test::Cx::Http;
use Test::Cx::Nginx;
use Test::Cx::Origin;
use Test::Cx::Proc;
use Test::Cx::Redis;
use Test::Cx::Sentinel;

our @EXPORT = qw(wait_for free_port read_file write_file send_split
                 http_head json);

my @contexts;           # weak: what END must stop

sub send_split { goto &Test::Cx::Origin::send_split }
sub http_head  { goto &Test::Cx::Origin::http_head }
sub json       { goto &Test::Cx::Http::json }


sub new {
    my ($class, %opt) = @_;
    my $root = Cwd::abs_path(dirname(__FILE__) . '/../../..');
    my $build = $ENV{CX_BUILD} // 'build';
    $build = "$root/$build" unless $build =~ m{^/};

    # a short path: unix socket names are limited to 107 bytes
    my $dir = File::Temp->newdir('cx-XXXXXXXX', TMPDIR => 1,
                                 CLEANUP => !$ENV{CX_KEEP});
    chmod 0755, "$dir";
    Test::More::diag("files in $dir") if $ENV{CX_KEEP};

    my $t = bless { root => $root, build => $build, dir => $dir,
                    owner => $$, procs => [], nginx => [], n => 0 }, $class;
    push @contexts, $t;
    weaken $contexts[-1];

    # so that END runs, in bounded time
    $SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
    $SIG{ALRM} = sub { Test::More::diag('out of time'); exit 1 };
    alarm($ENV{CX_TIMEOUT} // 300);
    return $t;
}

sub dir   { "$_[0]{dir}" }
sub root  { $_[0]{root} }
sub build { $_[0]{build} }

sub subdir {
    my ($t, $name) = @_;
    my $dir = "$t->{dir}/" . $name . ++$t->{n};
    make_path($dir);
    return $dir;
}

# starts a program; it is ended with the test.  See Test::Cx::Proc
sub spawn {
    my ($t, %opt) = @_;
    my $proc = Test::Cx::Proc->start(%opt);
    push @{$t->{procs}}, $proc;
    weaken $t->{procs}[-1] if $opt{weak};
    return $proc;
}

sub redis    { my $t = shift; Test::Cx::Redis->new($t, @_) }
sub cluster  { my $t = shift; Test::Cx::Cluster->new($t, @_) }
sub sentinel { my $t = shift; Test::Cx::Sentinel->new($t, @_) }
sub certs    { my $t = shift; $t->{certs} //= Test::Cx::Certs->new($t) }
sub origin { my $t = shift; Test::Cx::Origin->new($t, @_) }

sub nginx {
    my $t = shift;
    my $ngx = Test::Cx::Nginx->new($t, @_);
    push @{$t->{nginx}}, $ngx;
    return $ngx->start;
}

# nginx -t on a configuration made of the same parts as nginx(): (exit, output)
sub nginx_test {
    my $t = shift;
    return Test::Cx::Nginx->new($t, @_)->test;
}

# starts build/cx-aggregator in the background; a Test::Cx::Proc: ->stop
# ->kill9 ->wait_exit ->pid ->err (what it wrote)
sub aggregator {
    my ($t, @flags) = @_;
    my $dir = $t->subdir('agg');
    return $t->spawn(name => 'cx-aggregator',
                     cmd => ["$t->{build}/cx-aggregator", @flags],
                     out => "$dir/out", err => "$dir/err");
}

# run to the end, at most 30 s: (exit status, stdout, stderr)
sub aggregate { my $t = shift; $t->run("$t->{build}/cx-aggregator", @_) }
sub ctl       { my $t = shift; $t->run("$t->{build}/cxctl", @_) }

sub run {
    my ($t, @cmd) = @_;
    my %opt = ref $cmd[0] ? %{shift @cmd} : ();
    my $dir = $t->subdir('run');
    my $proc = Test::Cx::Proc->start(name => $cmd[0], cmd => \@cmd, %opt,
                                     out => "$dir/out", err => "$dir/err");
    my $status = $proc->wait_exit($opt{timeout} // 30);
    if (!defined $status) {
        $proc->kill9;
        $status = 'timeout';
    }
    return ($status, $proc->out, $proc->err);
}

# ends everything, two checks per nginx as nginx-tests do, done_testing
sub done {
    my ($t) = @_;
    $_->quit(5) for @{$t->{nginx}};
    $t->stop_all;
    for my $ngx (@{$t->{nginx}}) {
        my @alerts = $ngx->alerts;
        Test::More::is(scalar @alerts, 0, 'no alert, emerg or crit in the log')
            or Test::More::diag(@alerts[0 .. ($#alerts > 9 ? 9 : $#alerts)]);
        my @san = $ngx->sanitizer;
        Test::More::is(scalar @san, 0, 'nothing from a sanitizer')
            or Test::More::diag(@san[0 .. ($#san > 30 ? 30 : $#san)]);
    }
    for my $proc (grep { $_ } @{$t->{procs}}) {
        my @san = grep { /Sanitizer|runtime error:/ } split /^/m, $proc->err;
        Test::More::fail("$proc->{name}: @san") if @san;
    }
    return Test::More::done_testing();
}

sub stop_all {
    my ($t) = @_;
    return if $t->{owner} != $$;
    my @left = grep { $_ && $_->running } @{$t->{procs}};
    $_->signal('CONT') for @left;
    $_->signal('TERM') for @left;
    $_->wait_exit(3) // $_->kill9 for @left;
}

sub DESTROY {
    my ($t) = @_;
    local ($., $@, $!, $^E, $?);
    $t->stop_all;
}

END {
    my $status = $?;
    for my $t (grep { $_ } @contexts) {
        $t->stop_all;
        delete $t->{dir};
    }
    $? = $status;
}

# calls code until it is true; its value, or false after so many seconds of a
# machine with nothing else to do, which three times as long is for one that has
use constant BUSY => 3;

sub wait_for(&;$) {
    my ($code, $seconds) = @_;
    my $end = time + BUSY * ($seconds // 5);
    my $pause = 0.005;
    while (1) {
        my $value = $code->();
        return $value if $value || time >= $end;
        sleep $pause;
        $pause *= 1.3 if $pause < 0.05;
    }
}

sub free_port {
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1',
                                  LocalPort => 0) or die "no port: $!";
    return $s->sockport;
}

sub read_file {
    my ($name) = @_;
    open my $f, '<:raw', $name or return '';
    local $/;
    return scalar(<$f>) // '';
}

sub write_file {
    my ($name, $text) = @_;
    make_path(dirname($name));
    open my $f, '>:raw', $name or die "$name: $!";
    print $f $text;
    close $f or die "$name: $!";
    return $name;
}

1;
