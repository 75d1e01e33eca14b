package Bench::Aggregate;

# cx-aggregator over a stream that the module wrote, beside a consumer that
# reads, acknowledges and throws away.

use strict;
use warnings;

use Bench::Ingest;
use Test::Cx;

my $KEPT = 'cx:{bench}:kept';
my ($CLIENT_AIM, $REDIS_AIM) = (0.6, 0.8);


sub new {
    my ($class, $b) = @_;
    my $i = bless { b => $b, redis => $b->redis,
                    n => $b->quick ? 20_000 : 100_000 }, $class;
    $i->_fill;
    return $i;
}

sub _fill {
    my ($i) = @_;
    my ($b, $redis) = @$i{qw(b redis)};
    my ($lines, $files) = Bench::Ingest::visits(2500);
    my $ngx = $b->nginx(cx => 1, files => $files, http => $b->cx_http($redis));
    my $got = $b->load($ngx, what => 'filling the stream', c => 16, v => 4,
        file => $b->requests_file(@$lines), n => $i->{n} / 2, r => 15000,
        t => 30_000, headers => [$b->visit_headers]);
    Test::Cx::wait_for(sub {
        $b->added($redis) + $b->dropped($ngx) >= $i->{n};
    }, 5);
    $b->account('filling the stream', $got->{requests} * 2, $b->added($redis),
                $b->dropped($ngx));
    $i->{views} = $ngx->counter('views');
    $i->{n} = $redis->cmd('XLEN', $b->stream);
    $ngx->quit;
    $redis->cmd('RENAME', $b->stream, $KEPT);
    return;
}

# the stream as the module left it, and nothing else
sub _restore {
    my ($i) = @_;
    my $redis = $i->{redis};
    my @old = grep { $_ ne $KEPT } @{$redis->cmd('KEYS', '*')};
    while (my @some = splice @old, 0, 500) { $redis->cmd('DEL', @some) }
    $redis->cmd('COPY', $KEPT, $i->{b}->stream);
    return;
}

sub _price {
    my ($i, $round, $variant, @cmd) = @_;
    my $b = $i->{b};
    open my $err, '>&', \*STDERR or die;
    open STDERR, '>', "$b->{t}{dir}/agg.err" or die;
    my %got = eval { $b->measure('price', '-w', 'redis:' . $i->{redis}->pid,
                                 '--', @cmd) };
    my $failed = $@;
    open STDERR, '>&', $err or die;
    my $said = Test::Cx::read_file("$b->{t}{dir}/agg.err");
    if ($failed || $got{status}) {
        $b->wrong("$variant: status " . ($got{status} // $failed) . ": $said");
        return $said;
    }
    return $said if $round < 0;
    $b->note('client', $variant, $round, $got{cpu_client} / $i->{n});
    $b->note('redis', $variant, $round, $got{cpu_redis} / $i->{n});
    $b->note('rate', $variant, $round, $i->{n} / $got{secs});
    return $said;
}

sub round {
    my ($i, $round) = @_;
    my ($b, $redis) = @$i{qw(b redis)};
    for my $variant (qw(discard again)) {
        $i->_restore;
        $redis->cmd('XGROUP', 'CREATE', $b->stream, 'g', 0);
        my $said = $i->_price($round, $variant, $b->helper('discard'),
                              $redis->sock, $b->stream, 'g');
        if ($said !~ /^entries=$i->{n}$/m) {
            $b->wrong("discard: not $i->{n} entries: $said");
        }
    }
    $i->_restore;
    $i->_price($round, 'cx', "$b->{t}{build}/cx-aggregator", '--once',
               '--redis', $redis->url, '--site', 'bench');
    $i->_check;
    return;
}

# every entry is counted, once
sub _check {
    my ($i) = @_;
    my ($b, $redis) = @$i{qw(b redis)};
    my %done = @{$redis->cmd('HGETALL', 'cx:{bench}:checkpoint')};
    my $views = 0;
    for my $key (@{$redis->cmd('KEYS', 'cx:{bench}:total:d:*')}) {
        $views += $redis->cmd('HGET', $key, 'views') // 0;
    }
    my ($entries, $rejected, $late) =
        map { $done{$_} // 0 } qw(entries rejected late);
    if ($entries != $i->{n} || $rejected || $late || $views != $i->{views}) {
        $b->wrong("aggregate: $entries of $i->{n} entries, $rejected rejected,"
                  . " $late late, $views of $i->{views} views");
    }
    return;
}

sub report {
    my ($i) = @_;
    my $b = $i->{b};
    my @rows = ['', 'client us/event', 'x', 'target', 'Redis us/event', 'x',
                'target', 'events/s'];
    for my $row ([discard => 'XREADGROUP, XACK, discard'],
                 [again => 'the same again (A/A)'],
                 [cx => 'cx-aggregator --once', $CLIENT_AIM, $REDIS_AIM])
    {
        my ($id, $name, @aim) = @$row;
        push @rows, [$name, (map {
            (sprintf('%.2f', $b->figure($_, $id)),
             $b->against($b->ratio($_, $id, 'discard'), shift @aim,
                         $b->ratio($_, 'again', 'discard'), 1))
        } 'client', 'redis'), sprintf('%.0f', $b->figure('rate', $id))];
    }
    $b->table("Aggregate: $i->{n} events ($i->{views} views) as the module"
              . ' wrote them', @rows);
    return;
}

1;
