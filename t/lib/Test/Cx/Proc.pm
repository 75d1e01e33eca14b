package Test::Cx::Proc;

# One program: started without a shell, known by its pid, reaped here.

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(time sleep);

# name, cmd => [...], out, err => files, env => { }, dir
sub start {
    my ($class, %opt) = @_;
    my $p = bless { name => $opt{name}, out => $opt{out}, err => $opt{err},
                    owner => $$ }, $class;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE CHLD ALRM);
        if ($opt{code}) {
            eval { $opt{code}->(); 1 } or print STDERR $@;
            POSIX::_exit(0);
        }
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $opt{out} // '/dev/null';
        open STDERR, '>>', $opt{err} // '/dev/null';
        chdir $opt{dir} if $opt{dir};
        my %env = %{$opt{env} // {}};
        @ENV{keys %env} = values %env;
        { no warnings 'exec'; exec { $opt{cmd}[0] } @{$opt{cmd}}; }
        print STDERR "cannot run $opt{cmd}[0]: $!\n";
        POSIX::_exit(127);
    }
    $p->{pid} = $pid;
    return $p;
}

sub pid { $_[0]{pid} }
sub out { Test::Cx::read_file($_[0]{out} // '/dev/null') }
sub err { Test::Cx::read_file($_[0]{err} // '/dev/null') }

sub signal {
    my ($p, $name) = @_;
    return 0 if defined $p->{status} || $p->{owner} != $$;
    return kill $name, $p->{pid};
}

# exit status (128 + signal if killed), undef if it still runs after that long
# 1 unless it is gone, or dead and waits for whoever adopted it
sub lives {
    my ($pid) = @_;
    my ($state) = Test::Cx::read_file("/proc/$pid/stat") =~ /\) (\w)/;
    return $state && $state ne 'Z';
}

sub wait_exit {
    my ($p, $seconds) = @_;
    return $p->{status} if defined $p->{status};
    return if $p->{owner} != $$;
    my $end = time + ($seconds // 5);
    while (1) {
        my $got = waitpid $p->{pid}, POSIX::WNOHANG();
        if ($got != 0) {
            my $s = $got < 0 ? 0 : $?;
            return $p->{status} = $s & 127 ? 128 + ($s & 127) : $s >> 8;
        }
        return if time >= $end;
        sleep 0.005;
    }
}

sub running { !defined $_[0]->wait_exit(0) }
sub pause   { $_[0]->signal('STOP') }
sub cont    { $_[0]->signal('CONT') }

# with its children, which would be left behind
sub kill9 {
    my ($p) = @_;
    my @kids = split ' ',
        Test::Cx::read_file("/proc/$p->{pid}/task/$p->{pid}/children");
    $p->signal('KILL') and kill 'KILL', @kids;
    my $status = $p->wait_exit(5);
    my $end = time + 5;

    # their sockets are theirs until they are gone
    for my $kid (@kids) {
        sleep 0.005 while time < $end && lives($kid);
    }
    return $status;
}

# SIGTERM, after so many seconds SIGKILL; the exit status
sub stop {
    my ($p, $seconds) = @_;
    $p->signal('TERM');
    return $p->wait_exit($seconds // 5) // $p->kill9;
}

sub DESTROY {
    my ($p) = @_;
    local ($., $@, $!, $^E, $?);
    return if $p->{owner} != $$ || !$p->running;
    $p->signal('CONT');
    $p->kill9;
}

1;
