package Test::Cx::Drill::Client;

# Visitors of the drill, each a process of its own that notes in a file what it
# sent and what came back:
#
#   <Unix time> <kind> <page> <what> <result>
#
#   signal  page of some beacons, marks of two signals, comma between
#   view    a page that is asked for once
#   answer  page of one client's answers, answer id; once for each attempt
#
# result: ok (204, or a whole page), no (another status), cut (no answer, so it
# may have been taken)

use strict;
use warnings;

use Time::HiRes qw(time sleep);

# drill's name of this round, kind, number; port, file, stop (a file that ends
# it), pause between requests in s
sub new {
    my ($class, %o) = @_;
    return bless { %o, i => 0 }, $class;
}

sub run {
    my ($v) = @_;
    open $v->{out}, '>>', $v->{file} or die "$v->{file}: $!\n";
    my $step = $v->can("_$v->{kind}");
    while (!-e $v->{stop}) {
        $step->($v, ++$v->{i});
        sleep $v->{pause};
    }
    $v->_finish if $v->{kind} eq 'answer';
}

sub _note {
    my ($v, $start, @words) = @_;
    syswrite $v->{out}, sprintf("%.3f %s %s\n", $start, $v->{kind}, "@words");
}

# one request over a kept connection: the response, or undef
sub _ask {
    my ($v, $path, %o) = @_;
    my $r = eval {
        $v->{c} //= Test::Cx::Http->new($v->{port}, timeout => 15);
        $v->{c}->request($path, %o);
    };
    if (!$r || !$r->{complete} || $r->{eof}) {
        delete $v->{c};
        sleep 0.02;
    }
    return $r && $r->{complete} ? $r : undef;
}

sub _result {
    my ($r, $status) = @_;
    return !$r ? 'cut' : $r->{status} == $status ? 'ok' : 'no';
}

# several people, so that all shards have some
sub _agent {
    my ($n) = @_;
    return 'User-Agent' => "Mozilla/5.0 (X11; Linux x86_64) Drill/$n";
}

sub _beacon {
    my ($v, $agent, $page, $token, @events) = @_;
    return $v->_ask('/_cx/events', _agent($agent),
        'Content-Type' => 'application/json',
        body => Test::Cx::Http::encode({ v => 1, page => $page,
            ($token ? (token => $token) : ()), events => \@events }));
}

sub _signal {
    my ($v, $i) = @_;
    my $name = "$v->{round}-s$v->{n}";
    my $page = "/$v->{round}/s$v->{n}/" . int($i / 50);
    my @marks = map { "$name-$i-$_" } 1, 2;
    my $start = time;
    my $r = $v->_beacon("s$v->{n}." . $i % 8, $page, undef, map {
        { type => 'signal', name => 'js_error', target => $_ } } @marks);
    $v->_note($start, $page, join(',', @marks), _result($r, 204));
}

sub _view {
    my ($v, $i) = @_;
    my $page = "/$v->{round}/v$v->{n}/$i";
    my $start = time;
    my $r = $v->_ask("/v/page.html?p=$page", _agent("$v->{round}.$i"),
                     Accept => 'text/html');
    $v->_note($start, $page, $page, _result($r, 200));
}

# the same answer again, as the widget does, until it is taken
sub _answer {
    my ($v, $i) = @_;
    my $page = "/$v->{round}/a$v->{n}";
    my $id = sprintf '%02x%06x', $v->{n}, $i;
    $id = substr '0' x 16 . unpack('H*', $v->{round}) . $id, -16;
    my $tries = 0;
    while ($tries++ < 200) {
        my $agent = "a$v->{n}." . $i % 8;
        my $result = 'no';
        my $start = time;
        if (!$v->{token}) {
            my $r = $v->_ask("/_cx/surveys?page=$page", _agent($agent));
            my $got = $r && Test::Cx::Http::json($r->{body});
            ($v->{token}) = map { $_->{version} } @{$got->{surveys}} if $got;
        }
        if ($v->{token}) {
            my $b = Test::Cx::Token::sign({ events => [
                { type => 'answer', survey => 'nps', answer => $id,
                  score => $i % 11 } ] }, { nps => $v->{token} });
            my $r = $v->_beacon($agent, $page, $b->{token}, @{$b->{events}});
            $result = _result($r, 204);
            delete $v->{token} if $r && $r->{status} =~ /^4/;
            $v->_note($start, $page, $id, $result);
        }
        return if $result eq 'ok';
        return if -e $v->{stop} && time > ($v->{end} //= time + 4);
        sleep 0.1;
    }
}

# a last one, on what is there after the fault
sub _finish {
    my ($v) = @_;
    $v->_answer(++$v->{i});
}

1;
