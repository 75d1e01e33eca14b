package Test::Cx::Stream;

# Writes events into a site's stream as the module does, and reads the
# aggregator's keys back: for tests of the aggregator and of cxctl.
#
#   my $s = Test::Cx::Stream->new($redis, 'shop');
#   $s->view('/a', visit => $v, ts => $ms);
#   $s->add('answer', '/a', answer => $id, ...);     # queued
#   $s->send;                                        # pipelined
#   $s->hash(page => 'd', '20261121', '/a')->{views};

use strict;
use warnings;

use IO::Socket::UNIX;
use POSIX ();

my @common = qw(ts page visit touchpoint stage segment view);
my @server = qw(view_ts status request_ms first_ms upstream_ms cache signals);
my %fields = (
    view    => [@common, qw(method status request_ms first_ms upstream_ms
                            cache bytes ref)],
    signal  => [@common, qw(source name count target value upstream_ms seen)],
    leave   => [@common, qw(visible_ms scroll_pct lcp_ms inp_ms cls_milli seen
                            first), @server],
    shown   => [@common, qw(survey version trigger chance dry)],
    start   => [@common, qw(survey version)],
    dismiss => [@common, qw(survey version how)],
    answer  => [@common, qw(answer survey version metric score choice text done
                            lang source trigger chance), @server],
    offer   => [@common, qw(surveys)],
    refused => [@common, qw(survey version reason count)],
    survey  => [@common, qw(survey version definition)],
);
my %edge = map { $_ => 1 } qw(error_page broken_link broken_asset slow_page
    aborted_wait reload quick_back navigation_loop form_resubmit form_abandon
    search_refine auth_loop redirect_chain rate_limited help_seek
    repeat_failure);

sub new {
    my ($class, $redis, $site) = @_;
    return bless { redis => $redis, site => $site, out => '', n => 0,
                   ts => POSIX::floor(Time::HiRes::time() * 1000) }, $class;
}

# ms now, taken once: windows are made of it
sub now  { $_[0]{ts} }
sub key  { my $s = shift; join ':', "cx:{$s->{site}}", @_ }
sub hour { POSIX::strftime('%Y%m%d%H', gmtime(($_[1] // $_[0]{ts}) / 1000)) }
sub day  { POSIX::strftime('%Y%m%d', gmtime(($_[1] // $_[0]{ts}) / 1000)) }

sub raw {
    my ($s, @args) = @_;
    $s->{out} .= '*' . @args . "\r\n"
        . join '', map { '$' . length($_) . "\r\n$_\r\n" } @args;
    $s->{n}++;
    return $s;
}

sub add {
    my ($s, $type, $page, %v) = @_;
    $v{page} = $page;
    $v{ts} //= $s->{ts};
    for my $name (keys %v) {
        die "no field $name in $type" if !grep { $_ eq $name }
                                         @{$fields{$type}};
    }
    return $s->raw('XADD', $s->key('events'), '*', type => $type,
                   map { $_ => $v{$_} // '' } @{$fields{$type}});
}

sub view {
    my ($s, $page, %v) = @_;
    return $s->add('view', $page, method => 'GET', status => 200,
                   first_ms => 20, bytes => 1000, %v);
}

sub signal {
    my ($s, $page, $name, %v) = @_;
    return $s->add('signal', $page, name => $name, count => 1,
        $edge{$name} ? (source => 'edge')
                     : (source => 'browser', seen => $v{visit} ? 1 : ''), %v);
}

sub answer {
    my ($s, $page, $id, $metric, $score, %v) = @_;
    return $s->add('answer', $page, answer => $id, survey => "s-$metric",
                   metric => $metric, score => $score, %v);
}

# what the edge says of surveys: a list that was offered, a definition; answers
# that it refused
sub offer {
    my ($s, $page, $list, %v) = @_;
    return $s->add('offer', $page, surveys => $list, %v);
}

sub define {
    my ($s, $survey, $version, $definition) = @_;
    return $s->add('survey', '', survey => $survey, version => $version,
                   definition => $definition);
}

sub refused {
    my ($s, $survey, $version, $reason, $count) = @_;
    return $s->add('refused', '', survey => $survey, version => $version,
                   reason => $reason, count => $count);
}

# writes what is queued; how many entries that were
sub send {
    my ($s) = @_;
    my ($n, $buf, $done) = ($s->{n}, '', 0);
    my $c = IO::Socket::UNIX->new(Peer => $s->{redis}->sock)
        or die "redis: $!";
    my $password = $s->{redis}{opt}{password};
    $s->{out} = '*2' . join('', map { "\r\n\$" . length($_) . "\r\n$_" }
                            'AUTH', $password) . "\r\n$s->{out}"
        if defined $password;
    my $got = 0;
    while ($got < $n) {
        if ($done < length $s->{out}) {
            my $w = syswrite $c, $s->{out}, 60000, $done;
            die "redis: $!" if !$w;
            $done += $w;
            next if $done < length $s->{out} && $done % 600000;
        }
        sysread $c, my $more, 1 << 20 or die 'redis: closed';
        die $more if $more =~ /^-/m;
        $got += () = $more =~ /^\$/mg;
    }
    @$s{qw(out n)} = ('', 0);
    return $n;
}

sub hash {
    my ($s, @key) = @_;
    return { @{$s->{redis}->cmd('HGETALL', $s->key(@key))} };
}

sub zset {
    my ($s, @key) = @_;
    return { @{$s->{redis}->cmd('ZRANGE', $s->key(@key), 0, -1,
                                'WITHSCORES')} };
}

sub checkpoint { $_[0]->hash('checkpoint') }

1;
