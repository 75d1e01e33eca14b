package Test::Cx::Daemon;

# A program that is not our child, known by its pid file: as Test::Cx::Proc.

use strict;
use warnings;

use parent -norequire, 'Test::Cx::Proc';
use Time::HiRes qw(time sleep);
use Test::Cx::Proc;

sub new {
    my ($class, $name, $file) = @_;
    my ($pid) = Test::Cx::read_file($file) =~ /^(\d+)$/m
        or die "no pid in $file\n";
    return bless { name => $name, pid => $pid, owner => $$ }, $class;
}

sub _gone {
    my ($p) = @_;
    my ($state) = Test::Cx::read_file("/proc/$p->{pid}/stat") =~ /\) (\w)/;
    return !defined $state || $state eq 'Z';
}

# 0 when it is gone, whatever its status was
sub wait_exit {
    my ($p, $seconds) = @_;
    return $p->{status} if defined $p->{status};
    my $end = time + ($seconds // 5);
    while (1) {
        return $p->{status} = 0 if $p->_gone;
        return if time >= $end;
        sleep 0.005;
    }
}

1;
