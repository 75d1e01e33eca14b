package Test::Cx::Drill;

# A drill: nginx with a spool, Redis and the aggregator, people that visit, one
# fault at a time, and the books: what was acknowledged, what is in the stream
# and what in the rollups.
#
#   my $d = Test::Cx::Drill->new($t, redis => $redis);
#   my $row = $d->fault('redis killed', sub { $d->redis->kill9; ... });
#   $row->{lost}, $row->{signals}, $row->{doubled}, $row->{wrong}
#
# options: redis (also a cluster or what Sentinels watch), shards, workers,
# spool (directory), spool_size, queue (cx_queue's words), http, aggregators

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(time sleep);
use Test::Cx::Drill::Client;

# s that a signal may be in a worker's memory: it is spooled when it is older
# than 1 s, which a worker notices by its timers
use constant BOUND => 1.5;

use constant SITE => 'drill';

my @visitors = (['signal', 0.004], ['signal', 0.004], ['view', 0.02],
                ['answer', 0.01], ['answer', 0.01]);

sub new {
    my ($class, $t, %o) = @_;
    my $d = bless { t => $t, shards => 1, workers => 2, aggregators => 1,
                    spool => $t->subdir('spool'), spool_size => '64m',
                    queue => 'flush=20ms', http => '', %o,
                    round => 0, began => time, agg => [],
                    seen => {}, last => {}, rows => [] }, $class;
    $d->start_aggregator for 1 .. $d->{aggregators};
    $d->{ngx} = $t->nginx(redis => $d->{redis}, cx => 1, daemon => 1,
        workers => $d->{workers}, http => <<"EOT", server => <<'EOT',
    cx_spool $d->{spool} max_size=$d->{spool_size};
    cx_queue $d->{queue};
    cx_site drill shards=$d->{shards};
    cx_zone cx:4m;
    $d->{http}
EOT
        keepalive_requests 1000000;
        cx_surveys surveys.json;
        location /v/ { cx_page $arg_p; }
EOT
        files => { 'html/v/page.html' => '<!doctype html><html><head><p>x',
                   'conf/surveys.json' => '{ "version": 1, "surveys": [
            { "id": "nps", "metric": "nps", "question": "Again?" } ] }' });
    Test::Cx::wait_for(sub { $d->{ngx}->get('/v/page.html?p=/up')->{status}
                             == 200 }, 5);
    return $d;
}

sub nginx { $_[0]{ngx} }
sub redis { $_[0]{redis} }
sub alerts { $_[0]{ngx}->alerts }
sub aggregators { @{$_[0]{agg}} }

sub start_aggregator {
    my ($d) = @_;
    push @{$d->{agg}}, $d->{t}->aggregator('--redis', $d->{redis}->url,
        '--interval', '50ms', '--score-interval', '500ms', '--pages', 100000,
        '--keep-stream', '1d');
    return $d->{agg}[-1];
}

# ends one and takes it off the list
sub end_aggregator {
    my ($d, $agg, $how) = @_;
    $agg->$how;
    $d->{agg} = [grep { $_ != $agg } @{$d->{agg}}];
}

# names of the streams, and the node that has one
sub streams {
    my ($d) = @_;
    return $d->{shards} == 1 ? SITE
        : map { SITE . "/$_" } 0 .. $d->{shards} - 1;
}

sub node {
    my ($d, $stream) = @_;
    my $redis = $d->{redis};
    return $redis->can('node_of') ? $redis->node_of("{$stream}")
        : $redis->can('master') ? $redis->master : $redis;
}

# the workers' memory is gone from now on: signals sent until now, and not
# longer ago than the bound, may be lost
sub memory_lost {
    my ($d) = @_;
    push @{$d->{gaps}}, [time - BOUND, time];
}

# signals of this fault may be lost: who could tell how many were dropped is
# killed
sub may_lose { $_[0]{may_lose} = 1 }

# signals may be dropped if they are counted so
sub may_drop { $_[0]{may_drop} = 1 }

# one fault: people visit, after a while the code is called, then they go on a
# while; the row of the table
sub fault {
    my ($d, $name, $code, %o) = @_;
    $d->{round}++;
    my $round = "f$d->{round}";
    @$d{qw(gaps may_drop may_lose note)} = ([], 0, 0, '');
    my $dropped = $d->counter('dropped_events');
    my $spooled = $d->counter('spooled_events');
    my $stop = $d->{t}->dir . "/stop.$round";
    my $n = 0;
    my $start = time;
    my @files;
    my @people = map {
        my ($kind, $pause) = @$_;
        my $visitor = Test::Cx::Drill::Client->new(kind => $kind, n => ++$n,
            round => $round, pause => $pause, stop => $stop,
            port => $d->{ngx}->port, file => "$stop.$n");
        push @files, "$stop.$n";
        $d->{t}->spawn(name => $kind, weak => 1, err => "$stop.err",
                       code => sub { $visitor->run });
    } @visitors;
    sleep $o{before} // 0.4;
    my $ok = eval { $code->($d); 1 };
    my $why = $@;
    sleep $o{after} // 0.4;
    Test::Cx::write_file($stop, '');
    defined $_->wait_exit(30) or $_->kill9 for @people;
    my $book = _book(map { Test::Cx::read_file($_) } @files);
    my $row = $d->_settle($round, $book, $o{settle} // 30, $dropped);
    $row->{wrong} = "the fault failed: $why$row->{wrong}" if !$ok;
    for my $agg ($d->aggregators) {
        next if $agg->running;
        $row->{wrong} .= '; an aggregator ended: ' . substr $agg->err, -200;
    }
    $row->{wrong} =~ s/^; |\s+$//g;
    $row->{wrong} =~ s/\s+/ /g;
    $row->{name} = $name;
    $spooled = $d->counter('spooled_events') - $spooled;
    $row->{note} = join ', ', grep { length } $d->{note},
        $row->{age} ? sprintf('lost: at most %.2f s old', $row->{age}) : (),
        $spooled > 0 ? "$spooled spooled" : ();
    $row->{seconds} = time - $start;
    push @{$d->{rows}}, $row;
    return $row;
}

# what nginx counted since it was started
sub counter {
    my ($d, $family) = @_;
    return eval { $d->{ngx}->counter($family) } // 0;
}

# what the clients noted: id -> { kind page time ok tries }
sub _book {
    my %book;
    for (map { split /\n/ } @_) {
        my ($time, $kind, $page, $what, $result) = split / /;
        next if !defined $result;
        for my $id (split /,/, $what) {
            my $e = $book{$id} //= { kind => $kind, page => $page,
                                     tries => 0 };
            $e->{tries}++;
            $e->{time} = $time;
            $e->{ok} ||= $result eq 'ok';
        }
    }
    return \%book;
}

# entries that came since the last call: id -> times they are in the stream
sub _read {
    my ($d) = @_;
    my $n = 0;
    for my $stream ($d->streams) {
        my $node = $d->node($stream) or next;
        while (1) {
            my $from = $d->{last}{$stream} ? "($d->{last}{$stream}" : '-';
            my $rows = $node->cmd('XRANGE', "cx:{$stream}:events", $from, '+',
                                  'COUNT', 2000);
            last if !@$rows;
            $n += @$rows;
            $d->{last}{$stream} = $rows->[-1][0];
            for (@$rows) {
                my %e = @{$_->[1]};
                my $id = $e{type} eq 'view' ? $e{page}
                    : $e{type} eq 'answer' ? $e{answer}
                    : $e{type} eq 'signal' ? $e{target} : '';
                $d->{seen}{$id}++;
            }
        }
    }
    return $n;
}

sub _chunk {
    my ($n, @list) = @_;
    my @chunks;
    push @chunks, [splice @list, 0, $n] while @list;
    return @chunks;
}

# replies of a command for each key, over all shards: [[...], ...]
sub _each {
    my ($d, $make, @keys) = @_;
    my @sets;
    for my $stream ($d->streams) {
        my $node = $d->node($stream) or die "no node for $stream\n";
        my @all;
        for my $chunk (_chunk(500, @keys)) {
            $node->send($make->("cx:{$stream}", $_)) for @$chunk;
            push @all, map { $node->reply } @$chunk;
        }
        push @sets, \@all;
    }
    return @sets;
}

# page -> what the rollups count on it
sub _rollups {
    my ($d, @pages) = @_;
    my %n;
    my ($first, $last) = map { POSIX::strftime('%Y%m%d', gmtime $_) }
        $d->{began}, time;
    for my $day ($first eq $last ? $first : ($first, $last)) {
        for my $set ($d->_each(sub {
            my ($site, $page) = @_;
            return ('HMGET', "$site:page:d:$day:$page", 'views',
                    'signal:js_error', 'unseen:js_error', 'answered');
        }, @pages)) {
            for my $i (0 .. $#pages) {
                my ($views, @rest) = map { $_ // 0 } @{$set->[$i]};
                $n{$pages[$i]} += $_ for $views, @rest;
            }
        }
    }
    return \%n;
}

# answer id -> hashes it has
sub _answers {
    my ($d, @ids) = @_;
    my %n;
    for my $set ($d->_each(sub { ('EXISTS', "$_[0]:answer:$_[1]") }, @ids)) {
        $n{$ids[$_]} += $set->[$_] for 0 .. $#ids;
    }
    return \%n;
}

# segments that wait in the spool
sub spooled {
    my ($d) = @_;
    opendir my $dir, $d->{spool} or return 0;
    return scalar grep { /\.\d+\z/ } readdir $dir;
}

# waits until the books are right, or for so long; the row
sub _settle {
    my ($d, $round, $book, $seconds, $dropped) = @_;
    my $end = time + $seconds;
    my $quiet = time;
    my $row;
    while (1) {
        $quiet = time if eval { $d->_read };
        my $failed = $@;
        my $late = time >= $end;
        if ($late || (!$failed && !$d->spooled && time > $quiet + 0.3)) {
            $row = eval { $d->_balance($book, $dropped) };
            $row //= { wrong => "no balance: $@" };
            last if $late || ($row->{wrong} eq '' && ($row->{signals} == 0
                                                     || time > $quiet + 1.5));
        }
        sleep 0.1;
    }
    my $left = $d->spooled;
    $row->{wrong} .= "; $left segments are left in the spool" if $left;
    push @{$d->{books}}, $book;
    return $row;
}

sub _balance {
    my ($d, $book, $dropped) = @_;
    my (%in, %pages, %lost, @twice);
    my %row = map { $_ => 0 } qw(produced acked stream rollups lost signals
                                 doubled);
    for my $id (keys %$book) {
        my $e = $book->{$id};
        my $n = $d->{seen}{$id} // 0;
        $row{produced}++;
        $row{acked}++ if $e->{ok};
        $pages{$e->{page}} //= 0;
        if ($n) {
            $row{stream}++;
            $pages{$e->{page}}++;
        } elsif ($e->{ok}) {
            push @{$lost{$e->{kind} eq 'answer' ? 'answers'
                         : $d->_allowed($e) ? 'allowed' : 'others'}}, $id;
        }
        # an answer that was sent again is told apart by its id, later
        push @twice, $id
            if $n > ($e->{kind} eq 'answer' ? $e->{tries} : 1);
    }

    my @pages = sort keys %pages;
    my $got = $d->_rollups(@pages);
    my (@less, @more);
    for my $page (@pages) {
        $row{rollups} += $got->{$page};
        my $diff = $got->{$page} - $pages{$page};
        push @less, "$page by " . -$diff if $diff < 0;
        push @more, "$page by $diff" if $diff > 0;
        $row{lost} -= $diff if $diff < 0;
        $row{doubled} += $diff if $diff > 0;
    }
    my @answers = grep { $book->{$_}{kind} eq 'answer' && $book->{$_}{ok} }
        keys %$book;
    my $there = $d->_answers(@answers);
    my @gone = grep { !$there->{$_} && $d->{seen}{$_} } @answers;
    $row{lost} += @gone;

    my @others = @{$lost{others} // []};
    if ($d->{may_drop}) {
        my $counted = $d->counter('dropped_events') - $dropped;
        if (@others <= $counted) {
            $d->{note} = scalar(@others) . " lost, $counted counted as dropped";
            push @{$lost{allowed}}, @others;
            @others = ();
        }
    }
    $row{lost} += @{$lost{answers} // []} + @others;
    $row{signals} = @{$lost{allowed} // []};
    $row{age} = $d->_age(map { $book->{$_}{time} } @{$lost{allowed} // []});
    $row{doubled} += @twice;
    $row{wrong} = join '; ', map { my ($what, @ids) = @$_;
        @ids ? @ids . " $what: @ids[0 .. ($#ids > 2 ? 2 : $#ids)]" : () }
        ['answers lost', @{$lost{answers} // []}],
        ['signals lost', $d->_when($book, @others)],
        ['answers without a record', @gone], ['twice in the stream', @twice],
        ['pages count less', @less], ['pages count more', @more];
    return \%row;
}

sub _allowed {
    my ($d, $e) = @_;
    return $d->{may_lose}
        || grep { $e->{time} >= $_->[0] && $e->{time} <= $_->[1] }
               @{$d->{gaps}};
}

# how old the oldest was of what memory lost, in s
sub _age {
    my ($d, @times) = @_;
    my $most = 0;
    for my $time (@times) {
        my ($age) = sort { $a <=> $b } grep { $_ >= 0 }
            map { $_->[1] - $time } @{$d->{gaps}};
        $most = $age if defined $age && $age > $most;
    }
    return $most;
}

# ids with s since the drill began
sub _when {
    my ($d, $book, @ids) = @_;
    return map { sprintf '%s at %.2f', $_, $book->{$_}{time} - $d->{began} }
        sort { $book->{$a}{time} <=> $book->{$b}{time} } @ids;
}

# after the last fault: all rows as one, as something may have come later
sub again {
    my ($d) = @_;
    $d->_read;
    my %row = (name => 'all of it, once more', seconds => 0,
               map { $_ => 0 } qw(signals produced acked stream rollups lost
                                  doubled));
    my %all = map { %$_ } @{$d->{books}};
    @$d{qw(gaps may_drop may_lose)} = ([], 0, 1);
    my $row = $d->_balance(\%all, 0);
    return { %row, %$row };
}

1;
