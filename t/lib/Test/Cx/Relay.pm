package Test::Cx::Relay;

# Stands between a client and Redis, on a unix socket, and spoils what passes.
#
#   my $relay = Test::Cx::Relay->new($t, $redis, rename => ['abc', 'xyz']);
#   $t->aggregator('--redis', $relay->url);
#
# options:
#   rename => [from, to]   in replies; of the same length
#   lose   => qr/EXEC/     a request that matches is passed on; when its reply
#                          has come the connection is closed instead
#   stall  => qr/EXEC/     the same, but the connection hangs for ever
#   odds   => 0.3          for so many of them (default: all)
#
# What it spoils is counted: ->count.

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;

sub new {
    my ($class, $t, $redis, %opt) = @_;
    my $dir = $t->subdir('relay');
    my $r = bless { sock => "$dir/s", log => "$dir/log", redis => $redis->sock,
                    %opt }, $class;
    my $listen = IO::Socket::UNIX->new(Local => $r->{sock}, Listen => 16)
        or die "relay: $!";
    $r->{proc} = $t->spawn(name => 'relay', out => "$dir/out",
                           err => "$dir/err",
                           code => sub { $r->_serve($listen) });
    return $r;
}

sub url   { "unix:$_[0]{sock}" }
sub stop  { $_[0]{proc}->kill9 }
sub count { my $n = () = Test::Cx::read_file($_[0]{log}) =~ /\n/g; $n }

sub _serve {
    my ($r, $listen) = @_;
    $SIG{PIPE} = 'IGNORE';
    srand;
    my $select = IO::Select->new($listen);
    my (%peer, %client, %spoil);
    while (1) {
        for my $s ($select->can_read) {
            if ($s == $listen) {
                my $c = $listen->accept or next;
                my $up = IO::Socket::UNIX->new(Peer => $r->{redis});
                next if !$up;
                @peer{$c, $up} = ($up, $c);
                $client{$c} = 1;
                $select->add($c, $up);
                next;
            }
            my $to = $peer{$s} or next;
            my $n = sysread $s, my $data, 1 << 20;
            my $end = !$n;
            if (!$end && $client{$s}) {
                for my $how (qw(lose stall)) {
                    $spoil{$s} = $how if $r->{$how} && $data =~ $r->{$how}
                        && rand() < ($r->{odds} // 1);
                }
            } elsif (!$end && (my $how = delete $spoil{$to})) {
                open my $log, '>>', $r->{log};
                print $log "$how\n";
                close $log;
                next if $how eq 'stall' && $select->remove($s);
                $end = 1;
            } elsif (!$end && $r->{rename}) {
                my ($from, $new) = @{$r->{rename}};
                $data =~ s/\Q$from\E/$new/g;
            }
            if (!$end) {
                my $done = 0;
                while ($done < length $data) {
                    my $w = syswrite $to, $data, length($data) - $done, $done;
                    last if !$w;
                    $done += $w;
                }
                next;
            }
            for my $gone ($s, $to) {
                $select->remove($gone);
                delete $peer{$gone};
                delete $client{$gone};
                delete $spoil{$gone};
                close $gone;
            }
        }
    }
}

1;
