package Test::Cx::Http;

# A plain HTTP/1 client over raw sockets: what arrives is kept byte for byte.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

# JSON text -> Perl, undef if it is none
sub json { scalar eval { JSON::PP->new->utf8->decode($_[0]) } }

sub encode { JSON::PP->new->utf8->canonical->encode($_[0]) }

# one connection, kept alive between requests; from: local address
sub new {
    my ($class, $port, %opt) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => $opt{addr} // '127.0.0.1',
        PeerPort => $port, Proto => 'tcp', Timeout => 5,
        ($opt{from} ? (LocalAddr => $opt{from}) : ()))
        or die "connect to port $port: $!\n";
    setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;
    return bless { s => $s, buf => '', timeout => $opt{timeout} // 10 },
        $class;
}

sub socket { $_[0]{s} }
sub close  { CORE::close $_[0]{s} }

# Names of headers begin with a capital, options with a small letter: method,
# body, http ('1.0'), host, timeout, head_only.  A header of undef is left out.
sub build {
    my ($path, %o) = @_;
    my $method = $o{method} // (defined $o{body} ? 'POST' : 'GET');
    my $http = $o{http} // '1.1';
    my %h = (Host => $o{host} // 'localhost',
             'User-Agent' => 'Mozilla/5.0 (X11; Linux x86_64) Test');
    $h{'Content-Length'} = length $o{body} if defined $o{body};
    $h{$_} = $o{$_} for grep { /^[A-Z]/ } keys %o;
    my $text = "$method $path HTTP/$http\r\n";
    for my $name (sort { ($a ne 'Host') <=> ($b ne 'Host') || $a cmp $b }
                  keys %h) {
        next if !defined $h{$name};
        $text .= "$name: $_\r\n"
            for ref $h{$name} ? @{$h{$name}} : $h{$name};
    }
    return "$text\r\n" . ($o{body} // '');
}

sub send {
    my ($c, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $done = 0;
    while ($done < length $bytes) {
        my $n = syswrite $c->{s}, $bytes, length($bytes) - $done, $done;
        last if !$n;
        $done += $n;
    }
    return $done;
}

sub request {
    my ($c, $path, %o) = @_;
    $c->send(build($path, %o));
    return $c->response(%o);
}
sub get { goto &request }

sub post {
    my ($c, $path, $body, %o) = @_;
    return $c->request($path, 'Content-Type' => 'application/json',
        body => ref $body ? encode($body) : $body, %o);
}

# reads more; false at the end of the stream or after the deadline
sub _more {
    my ($c, $end) = @_;
    my $rin = '';
    my $left = $end - time;
    return 0 if $left <= 0;
    vec($rin, fileno $c->{s}, 1) = 1;
    if (!select $rin, undef, undef, $left) { $c->{late} = 1; return 0 }
    my $n = sysread $c->{s}, $c->{buf}, 262144, length $c->{buf};
    return 1 if $n;
    $c->{eof} = 1;
    return 0;
}

# one response: status, line, headers (lower-case names, repeated ones joined
# by ", "), head, body (decoded), raw (as it came), chunked, complete (it
# ended as it said), eof (the connection was closed), rest (what came behind it
# before that), late (time was up)
sub response {
    my ($c, %o) = @_;
    my $end = time + ($o{timeout} // $c->{timeout});
    my %r = (status => 0, headers => {}, body => '', raw => '', head => '',
             complete => 0, chunked => 0);
    while ((my $at = index $c->{buf}, "\r\n\r\n") < 0) {
        if (!$c->_more($end)) {
            return { %r, eof => $c->{eof}, late => $c->{late},
                     raw => $c->{buf} };
        }
    }
    my $at = index($c->{buf}, "\r\n\r\n") + 4;
    $r{head} = substr $c->{buf}, 0, $at;
    substr($c->{buf}, 0, $at) = '';
    my ($line, @lines) = split /\r\n/, $r{head};
    $r{line} = $line;
    ($r{status}) = $line =~ m{^HTTP/\S+ (\d+)};
    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*)$/ or next;
        $name = lc $name;
        push @{$r{list}}, [$name, $value];
        $r{headers}{$name} = exists $r{headers}{$name}
            ? "$r{headers}{$name}, $value" : $value;
    }
    if (($r{status} // 0) == 100) { return $c->response(%o) }
    my $h = $r{headers};
    my $bodiless = ($o{method} // '') eq 'HEAD' || $o{head_only}
        || $r{status} == 204 || $r{status} == 304;
    if ($bodiless) {
        $r{complete} = 1;

    } elsif (lc($h->{'transfer-encoding'} // '') eq 'chunked') {
        $r{chunked} = 1;
        $c->_chunked(\%r, $end);

    } elsif (defined(my $n = $h->{'content-length'})) {
        while (length $c->{buf} < $n) { last if !$c->_more($end) }
        $r{body} = substr $c->{buf}, 0, $n, '';
        $r{complete} = length $r{body} == $n;
        $r{raw} = $r{body};

    } else {
        while ($c->_more($end)) { }
        $r{body} = $r{raw} = $c->{buf};
        $c->{buf} = '';
        $r{complete} = $c->{eof} ? 1 : 0;
    }
    $r{late} = $c->{late};
    if ($r{complete} && lc($h->{connection} // '') eq 'close') {
        $c->closed(2);
        $r{rest} = $c->{buf};
        CORE::close $c->{s};         # or nginx lingers on its side
    }
    $r{eof} = $c->{eof};
    return \%r;
}

sub _chunked {
    my ($c, $r, $end) = @_;
    while (1) {
        while (index($c->{buf}, "\r\n") < 0) { return if !$c->_more($end) }
        my ($size) = $c->{buf} =~ /^([0-9a-f]+)[^\r]*\r\n/i or return;
        my $head = index($c->{buf}, "\r\n") + 2;
        my $n = hex $size;
        while (length $c->{buf} < $head + $n + 2) {
            if (!$c->_more($end)) {
                $r->{body} .= substr $c->{buf}, $head, $n;
                $r->{raw} .= $c->{buf};
                return;
            }
        }
        my $piece = substr $c->{buf}, 0, $head + $n + 2, '';
        $r->{raw} .= $piece;
        push @{$r->{chunks}}, $n;
        if ($n == 0) { $r->{complete} = 1; return }
        $r->{body} .= substr $piece, $head, $n;
    }
}

# nothing more arrives within so many seconds and the peer has closed
sub closed {
    my ($c, $seconds) = @_;
    my $end = time + ($seconds // 1);
    while ($c->_more($end)) { }
    return $c->{eof} ? 1 : 0;
}

1;
