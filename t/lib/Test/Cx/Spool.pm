package Test::Cx::Spool;

# Numbered events for tests of the spool, and a reader of its files that was
# written from the description of their format and not from the module.

use strict;
use warnings;

use Exporter 'import';
use Test::Cx;

our @EXPORT = qw(signals answer answers_of marks_of segments read_segment
                 token signed flip SURVEYS);

use constant SURVEYS => '{ "version": 1, "surveys": [ { "id": "nps",
    "metric": "nps", "question": "Recommend?",
    "follow_up": { "any": "Why?" } } ] }';

my $serial = 0;


# marks of n signals, in one beacon that was taken; none if it was not
sub signals {
    my ($c, $n, $filler) = @_;
    my @marks = map { sprintf 'm%07d%s', ++$serial, $filler // '' } 1 .. $n;
    my $r = $c->post('/_cx/events', { v => 1, page => '/a', events => [
        map { { type => 'signal', name => 'js_error', target => $_ } }
        @marks ] });
    return $r->{status} == 204 ? @marks : ();
}

# what an answer needs to get in
sub token { $_[0]->versions }

# a beacon with an answer of this id
sub signed {
    my ($token, $id, $text) = @_;
    return Test::Cx::Token::sign({ v => 1, page => '/a',
        view => '0123456789abcdef',
        events => [ { type => 'answer', answer => $id, survey => 'nps',
                      score => 8, defined $text ? (text => $text) : () } ] },
        $token);
}

# status and id of an answer with a text
sub answer {
    my ($c, $token, $text) = @_;
    my $id = sprintf 'a%015x', ++$serial;
    my $r = $c->post('/_cx/events', signed($token, $id, $text), timeout => 15);
    return ($r->{status}, $id);
}

# what arrived, in the stream's order
sub answers_of {
    return grep { /^a0/ } map { $_->{answer} // '' } $_[0]->events;
}

sub marks_of {
    return map { ($_->{target} // '') =~ /^(m\d{7})/ ? $1 : () }
        $_[0]->events;
}

sub segments {
    my ($dir) = @_;
    my @names = sort map { s{.*/}{}r } grep { /\.\d+$/ } glob "$dir/*";
    return @names;
}


# ---- the files ----

my @crc = map { my $c = $_; $c = $c & 1 ? $c >> 1 ^ 0x82f63b78 : $c >> 1
                for 1 .. 8; $c } 0 .. 255;

sub crc32c {
    my $crc = 0xffffffff;
    $crc = $crc[($crc ^ $_) & 255] ^ $crc >> 8 for unpack 'C*', $_[0];
    return $crc ^ 0xffffffff;
}

# one record at an offset: (payload, size, sequence) or nothing
sub _record {
    my ($data, $at) = @_;
    return if length($data) - $at < 32;
    my ($len, $crc, $seq) = unpack 'VVQ<', substr $data, $at, 16;
    return if $len > 1 << 20 || length($data) - $at - 32 < $len;
    return if crc32c(substr $data, $at + 8, 24 + $len) != $crc;
    return (substr($data, $at + 32, $len), 32 + $len, $seq);
}

# records of the longest valid prefix: { head => text or undef, records =>
# [ { at, seq, marks => [...] } ], at => where it ends, clean => 1 }
sub read_segment {
    my ($data) = @_;
    my %s = (records => [], at => 0);
    return \%s if $data !~ /\Acxspool1/;
    my ($head, $size) = _record($data, 8);
    return \%s if !defined $head || $head !~ /\A[0-9a-f]+ \d \S+ \d+\z/;
    $s{head} = $head;
    $s{at} = 8 + $size;
    while ($s{at} < length $data) {
        my ($payload, $size, $seq) = _record($data, $s{at});
        last if !defined $payload;
        push @{$s{records}}, { at => $s{at}, seq => $seq, marks => [
            $payload =~ /\r\n(m\d{7}|a0[0-9a-f]{14})/g ] };
        $s{at} += $size;
    }
    $s{clean} = $s{at} == length $data;
    return \%s;
}

# changes one bit of a string
sub flip {
    my ($data, $bit) = @_;
    vec($data, $bit, 1) ^= 1;
    return $data;
}

1;
