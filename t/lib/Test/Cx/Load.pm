package Test::Cx::Load;

# Load on the way to Redis, and what must come of it.

use strict;
use warnings;

use Exporter 'import';
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(load once news logged_once);

use constant ENOUGH => 20;

my $serial = 0;
my %read;                # bytes of the error log read so far, by nginx


# sends beacons of 3 marked events for so many seconds, on a busy machine until
# there are enough, half way through calls the code; the marks that got 204
sub load {
    my ($ngx, $seconds, $code) = @_;
    my @c = map { $ngx->connect } 1 .. 4;
    my @marks;
    my $end = time + $seconds;
    my $half = time + $seconds / 2;
    while (time < $end || (@marks && @marks <= ENOUGH && time < $end + 10)) {
        if ($code && time > $half) { $code->(); $code = undef }
        my @m = map { 'm' . ++$serial } 1 .. 3;
        my $r = $c[$serial % @c]->post('/_cx/events', { v => 1, page => '/a',
            events => [ map { { type => 'signal', name => 'js_error',
                                target => $_ } } @m ] });
        push @marks, @m if $r->{status} == 204;
        sleep 0.002;
    }
    return @marks;
}

# each mark arrives, and once
sub once {
    my ($name, $redis, @marks) = @_;
    my %n;
    Test::Cx::wait_for(sub {
        %n = ();
        $n{$_->{target} // ''}++ for eval { $redis->events };
        !grep { !$n{$_} } @marks;
    }, 15);
    my @lost = grep { !$n{$_} } @marks;
    my @twice = grep { ($n{$_} // 0) > 1 } @marks;
    cmp_ok scalar @marks, '>', ENOUGH, "$name: " . @marks . ' events';
    is scalar @lost, 0, "$name: none lost" or diag "@lost[0 .. 5]";
    is scalar @twice, 0, "$name: none twice" or diag "@twice[0 .. 5]";
    $redis->cmd('XTRIM', 'cx:{localhost}:events', 'MAXLEN', 0);
}

# lines about Redis since the last call; "is LOADING" may follow "is down"
sub news {
    my ($ngx) = @_;
    my $log = $ngx->error_log;
    my $new = substr $log, $read{$ngx->dir} // 0;
    $read{$ngx->dir} = length $log;
    return grep { /\bcx\b.*redis/i && !/\[(?:info|debug)\]/ } split /\n/, $new;
}

# trouble that starts and ends: one line each and worker, and a counter
sub logged_once {
    my ($name, $ngx, $reason) = @_;
    my (@lines, %by);
    Test::Cx::wait_for(sub {
        push @lines, news($ngx);
        grep { /is back/ } @lines;
    }, 3);
    sleep 0.3;
    push @lines, news($ngx);
    for (@lines) {
        my ($pid, $text) = /\] (\d+)#\d+: (.*)/;
        $by{$pid}{$text =~ /is back/ ? 'is back' : $text}++;
    }
    my @twice = grep { $_ > 1 } map { values %$_ } values %by;
    my @lasting = grep { !$_->{'is back'} || keys %$_ < 2 } values %by;
    ok !@twice && !@lasting,
        "$name: each reason once, and one line when it is over"
        or diag join "\n", @lines;
    cmp_ok scalar(keys %by), '>', 0, "$name: is logged";
    is join(' ', grep { /answered/ && !/ answered "\Q$name\E [^"]*[^"\s]", / }
                 @lines), '', "$name: with Redis's words and no more";
    cmp_ok $ngx->counter('redis_troubles', $reason), '>=', 1,
        "$name: is counted as $reason" if $reason;
}

1;
