#!/usr/bin/perl

# make install into a directory: every file where Debian would put it, and
# what is installed works from there.

use strict;
use warnings;

use File::Find;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Cx;

my $t = Test::Cx->new;

# (files below the directory, sorted) of an installation with these settings,
# of what is built already
sub install {
    my ($dest, @set) = @_;
    my ($status, $out, $err) = $t->run({ env => { MAKEFLAGS => '' } },
        '/usr/bin/env', 'make', '-s', '-o', 'all', '-C', $t->root, 'install',
        'BUILD=' . $t->build, "DESTDIR=$dest", @set);
    is $status, 0, "make install @set" or diag $out, $err;
    my @files;
    find({ no_chdir => 1, wanted => sub { push @files, $_ if -f } }, $dest);
    s/^\Q$dest\E// for @files;
    return sort @files;
}

my $dest = $t->subdir('dest');
my @doc = map { "share/doc/ngx-cx/$_" }
    qw(CHANGES LICENSE README.md conf/cx-thresholds.conf
       conf/demo/screenshot.png conf/demo/surveys.json conf/nginx.conf
       conf/delivery.md conf/redis-keys.md conf/signals.md
       conf/surveys.md);
my @rest = qw(bin/cxctl lib/nginx/modules/ngx_http_cx_module.so
    lib/systemd/system/cx-aggregator.service sbin/cx-aggregator
    share/nginx/modules-available/mod-http-cx.conf);

is_deeply [ install($dest) ],
    [ sort '/etc/cx-aggregator.conf', map { "/usr/$_" } @doc, @rest ],
    'these files, no other';

my $line = read_file("$dest/usr/share/nginx/modules-available/mod-http-cx.conf");
is $line, "load_module modules/ngx_http_cx_module.so;\n", 'as Debian writes it';

my $unit = read_file("$dest/usr/lib/systemd/system/cx-aggregator.service");
my ($exec, $conf) = $unit =~ /^ExecStart=(\S+) --config (\S+)$/m;
ok -x "$dest$exec", "the unit starts an installed program: $exec";
ok -e "$dest$conf", "with the installed file: $conf";

is(((stat "$dest$_->[0]")[2] & 07777), $_->[1], "mode of $_->[0]")
    for [ '/usr/bin/cxctl', 0755 ], [ '/usr/sbin/cx-aggregator', 0755 ],
        [ '/usr/lib/nginx/modules/ngx_http_cx_module.so', 0644 ],
        [ '/etc/cx-aggregator.conf', 0644 ];

for my $program ([ "$dest/usr/bin/cxctl", '--version' ],
                 [ "$dest/usr/sbin/cx-aggregator", '--config',
                   "$dest/etc/cx-aggregator.conf", '--check-config' ]) {
    my ($status, $out, $err) = $t->run(@$program);
    is $status, 0, "@$program[1 .. $#$program]" or diag $err;
}

# the file says load_module relative to nginx's prefix, here $dest
write_file("$dest/usr/share/nginx/probe.conf",
           "pid logs/p; $line events { } http { server { listen "
           . '127.0.0.1:' . free_port() . '; } }');
mkdir "$dest/usr/share/nginx/logs";
symlink '../../lib/nginx/modules', "$dest/usr/share/nginx/modules";
{
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/sbin";
    my %env;
    if ($ENV{CX_ASAN}) {
        chomp($env{LD_PRELOAD} = $ENV{CX_PRELOAD}
              || `\${CC:-gcc} -print-file-name=libasan.so`);
        $env{ASAN_OPTIONS} = 'detect_leaks=0';
    }
    my ($status, $out, $err) = $t->run({ env => \%env }, '/usr/bin/env',
        'nginx', '-t', '-p', "$dest/usr/share/nginx/", '-c', 'probe.conf',
        '-e', 'stderr');
    is $status, 0, 'nginx loads the installed module' or diag $err;
}

# settings of the administrator stay
write_file("$dest/etc/cx-aggregator.conf", "batch = 5\n");
install($dest);
is read_file("$dest/etc/cx-aggregator.conf"), "batch = 5\n",
    'a second installation keeps /etc/cx-aggregator.conf';

# another prefix
$dest = $t->subdir('dest');
is_deeply [ install($dest, 'PREFIX=/opt/cx', 'SYSCONFDIR=/opt/cx/etc') ],
    [ sort '/opt/cx/etc/cx-aggregator.conf',
      map { "/opt/cx/$_" } @doc, @rest ], 'below PREFIX';
is read_file("$dest/opt/cx/share/nginx/modules-available/mod-http-cx.conf"),
    "load_module /opt/cx/lib/nginx/modules/ngx_http_cx_module.so;\n",
    'an absolute path where nginx would not look';
like read_file("$dest/opt/cx/lib/systemd/system/cx-aggregator.service"),
    qr{^ExecStart=/opt/cx/sbin/cx-aggregator\ --config
       \ /opt/cx/etc/cx-aggregator\.conf$}mx, 'the unit knows both';

$t->done;
