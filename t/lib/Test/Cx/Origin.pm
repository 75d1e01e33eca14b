package Test::Cx::Origin;

# A fake upstream.  The handler gets (request, socket), writes whatever it
# likes to the socket and returns true to keep the connection.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep);

# request: method, path, query, headers (lower-case names), body, n (number of
# this request on its connection, from 1)
sub new {
    my ($class, $t, $handler) = @_;
    my $s = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1',
        LocalPort => 0, ReuseAddr => 1) or die "listen: $!";
    my $o = bless { port => $s->sockport, t => $t,
                    log => $t->subdir('origin') . '/requests' }, $class;
    $o->{proc} = $t->spawn(name => 'origin',
                           code => sub { $o->_serve($s, $handler) });
    close $s;
    return $o;
}

sub port { $_[0]{port} }
sub addr { "127.0.0.1:$_[0]{port}" }
sub stop { $_[0]{proc}->stop }

# the requests seen so far
sub requests {
    my ($o) = @_;
    return map { JSON::PP::decode_json($_) }
        split /^/m, Test::Cx::read_file($o->{log});
}

sub _serve {
    my ($o, $listen, $handler) = @_;
    my $owner = getppid;
    my %kids;
    $SIG{PIPE} = 'IGNORE';
    $SIG{CHLD} = sub {
        while ((my $pid = waitpid -1, POSIX::WNOHANG()) > 0) {
            delete $kids{$pid};
        }
    };
    $SIG{TERM} = sub { kill 'TERM', keys %kids; POSIX::_exit(0) };
    while (getppid == $owner) {
        my $c = $listen->accept or next;
        my $pid = fork // next;
        if ($pid) {
            # it may have ended, and been waited for, already
            $kids{$pid} = 1;
            delete $kids{$pid} if waitpid($pid, POSIX::WNOHANG()) != 0;
            close $c;
            next;
        }
        $SIG{$_} = 'DEFAULT' for 'TERM', 'CHLD';
        close $listen;
        setsockopt $c, IPPROTO_TCP, TCP_NODELAY, 1;
        alarm 120;
        $o->_connection($c, $handler);
        POSIX::_exit(0);
    }
}

sub _connection {
    my ($o, $c, $handler) = @_;
    my ($buf, $n) = ('', 0);
    while (1) {
        while ((my $at = index $buf, "\r\n\r\n") < 0) {
            sysread($c, $buf, 65536, length $buf) or return;
        }
        my ($head, $rest) = split /\r\n\r\n/, $buf, 2;
        my ($line, @lines) = split /\r\n/, $head;
        my ($method, $uri) = split / /, $line;
        my ($path, $query) = split /\?/, $uri, 2;
        my %h = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } @lines;
        my $len = $h{'content-length'} // 0;
        while (length $rest < $len) {
            sysread($c, $rest, 65536, length $rest) or return;
        }
        my %req = (method => $method, path => $path, query => $query // '',
                   headers => \%h, body => substr($rest, 0, $len),
                   n => ++$n);
        $buf = substr $rest, $len;
        if (open my $f, '>>', $o->{log}) {
            syswrite $f, JSON::PP->new->latin1->encode(\%req) . "\n";
        }
        $handler->(\%req, $c) or return;
    }
}

# Writes bytes cut at the given offsets, one packet each.  A last argument
# { pause => seconds } rests between the pieces (default 2 ms); each => n cuts
# every n bytes instead.
sub send_split {
    my ($c, $bytes, @at) = @_;
    my %o = (pause => 0.002, @at && ref $at[-1] ? %{pop @at} : ());
    if ($o{each}) {
        @at = map { $_ * $o{each} } 1 .. int(length($bytes) / $o{each});
    }
    my $from = 0;
    for my $to ((grep { $_ < length $bytes } @at), length $bytes) {
        next if $to <= $from;
        while ($from < $to) {
            my $n = syswrite $c, $bytes, $to - $from, $from or return 0;
            $from += $n;
        }
        sleep $o{pause} if $o{pause} && $from < length $bytes;
    }
    return 1;
}

# a response head: http_head(200, 'Content-Type' => 'text/html', ...)
sub http_head {
    my ($status, @h) = @_;
    my $text = "HTTP/1.1 $status X\r\n";
    while (my ($name, $value) = splice @h, 0, 2) {
        $text .= "$name: $value\r\n" if defined $value;
    }
    return "$text\r\n";
}

1;
