#!/usr/bin/perl

# The status page: JSON and Prometheus say the same, and the sums are right.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;
my $page = '<!doctype html><html><head><title>t</title></head><p>x';
my $ngx = $t->nginx(redis => $redis, cx => 1, workers => 2,
    http => 'cx_queue flush=20ms;', server => <<'EOT',
        cx_surveys surveys.json;
        location /off/ { cx off; alias html/; }
        location = /elsewhere { cx_status; limit_except GET { deny all; } }
EOT
    files => { 'html/a.html' => $page, 'html/none.html' => '<!-- nothing -->',
               'html/part.html' => '<div>', 'html/a.json' => '{}',
               'conf/surveys.json' => '{ "version": 1, "surveys": [
                   { "id": "nps", "metric": "nps", "question": "q" } ] }' });

# at rest
my $r = $ngx->get('/cx_status');
is $r->{status}, 200, 'JSON';
is $r->{headers}{'content-type'}, 'application/json', 'JSON: type';
like $r->{headers}{'cache-control'}, qr/no-store/, 'JSON: not kept';
my $status = json($r->{body});
is ref $status, 'HASH', 'JSON: an object';
my ($version) = read_file($t->root . '/include/cx_version.h') =~ /"([\d.]+)"/;
is $status->{version}, $version, 'JSON: version';

# Counters by name or "name label".  The answers of the status page itself are
# no pages and counted as such, so these two are left out.  The age of the
# spool is in seconds here, and an error is no number.
sub prometheus {
    my %v;
    for (split /\n/, $ngx->get('/cx_status?format=prometheus')->{body}) {
        next if /^#/;
        my ($name, $label, $value) = /^cx_(\w+?)(?:_total)?(?:\{\w+="(\w+)"\})?
                                      \ ([\d.]+)$/x or return { wrong => $_ };
        $v{defined $label ? "$name $label" : $name} = $value;
    }
    delete @v{'pages type', 'pages status'};
    $v{spool_age_ms} = 1000 * delete $v{spool_age_seconds};
    return \%v;
}

# the same from the JSON
sub flat {
    my $s = json($ngx->get('/cx_status')->{body});
    delete @{$s}{'version', 'last_error'};
    delete @{$s->{pages}}{'type', 'status'};
    return { map { my $k = $_;
        ref $s->{$k} ? map { ("$k $_" => $s->{$k}{$_}) } keys %{$s->{$k}}
                     : ($k => $s->{$k}) } keys %$s };
}

is_deeply prometheus(), flat(), 'JSON and Prometheus agree at rest';
my $before = flat();

# what is to be counted
my $versions = $ngx->versions;
for (1 .. 5) {
    $ngx->get('/a.html');
    sleep 0.55 if $_ < 3;                  # sooner is a double click
}
$ngx->get('/none.html', 'Sec-Fetch-Dest' => 'document');
$ngx->get('/part.html');
$ngx->get('/a.json');
$ngx->get('/missing.html');
$ngx->get('/off/a.html');
$ngx->get('/a.html', 'Sec-Fetch-Dest' => 'empty');
$ngx->get('/a.html', 'Sec-GPC' => 1);
$ngx->get('/a.html', 'User-Agent' => 'Googlebot/2.1');
$ngx->get('/a.html', 'Sec-Purpose' => 'prefetch');
sub beacon {
    return Test::Cx::Token::sign({ v => 1, page => '/a', events => [@_] },
                                 $versions);
}
my $event = { type => 'signal', name => 'js_error' };
my $answer = { type => 'answer', survey => 'nps', score => 1,
               answer => 'a' x 16 };
$ngx->post('/_cx/events', beacon($event, $event, { type => 'leave' }))
    for 1 .. 3;
$ngx->post('/_cx/events', beacon($answer, $event));
$ngx->post('/_cx/events', beacon($event), DNT => 1);
$ngx->post('/_cx/events', beacon($event), 'User-Agent' => 'Googlebot/2.1');
$ngx->get('/_cx/events');
$ngx->post('/_cx/events', beacon($event), Origin => 'null');
$ngx->post('/_cx/events', beacon($event), 'Content-Type' => 'text/html');
$ngx->post('/_cx/events', 'x' x 70000);
$ngx->post('/_cx/events', '{');
$ngx->post('/_cx/events', '{"v":2}');
$ngx->post('/_cx/events', beacon({ type => 'shown', survey => 'none' }));
$ngx->post('/_cx/events', { %{beacon($answer)}, token => 'x' x 66 });
wait_for { $redis->xlen == 22 } 3;
wait_for { flat()->{queue_depth} == 0 } 3;
my $rest = flat();
is $rest->{$_}, 0, "at rest: $_"
    for qw(queue_depth inflight_batches spool_bytes spool_events spool_age_ms);
is $rest->{redis_connections}, $rest->{redis_connections_wanted},
    'at rest: all connections are there';
cmp_ok $rest->{redis_connections}, '>', 0, 'at rest: there are some';
is json($ngx->get('/cx_status')->{body})->{last_error}, undef,
    'at rest: no error';

my $after = flat();
is_deeply prometheus(), $after, 'JSON and Prometheus agree';
my %d = map { ($after->{$_} - ($before->{$_} // 0))
              ? ($_ => $after->{$_} - ($before->{$_} // 0)) : () }
    keys %$after;
delete $d{$_} for 'batches', 'redis_connects', 'redis_connections',
    'redis_connections_wanted';
is_deeply \%d, {
    views => 7,                            # 5 pages, 1 padded, 1 missing
    'views_skipped bot' => 1,
    'views_skipped prefetch' => 1,
    'views_skipped privacy' => 1,
    visits_new => 1,
    'pages injected' => 8,                 # 5, missing, bot, prefetch
    'pages padded' => 1,
    'pages fragment' => 1,
    'pages dest' => 1,
    'pages privacy' => 1,
    'signals error_page' => 1,
    'signals reload' => 1,
    'signals js_error' => 7,
    beacons => 4,
    'beacons_joined no' => 4,              # they tell no age
    events => 11,
    answers => 1,
    'beacons_ignored privacy' => 1,
    'beacons_ignored bot' => 1,
    map({ ("beacons_rejected $_" => 1) }
        qw(method origin content_type size json schema survey token)),
    queue_events => 21,                    # and an offer
    delivered_events => 21,
}, 'everything is counted once';
is $redis->xlen, 22, 'what is delivered is what is in Redis';

# the text format of Prometheus
$r = $ngx->get('/cx_status?format=prometheus');
like $r->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4},
    'Prometheus: type';
my (%help, %type, %seen, @wrong);
for (split /\n/, $r->{body}) {
    if (/^# HELP (\S+) \S.*$/) { push @wrong, $_ if $help{$1}++ }
    elsif (/^# TYPE (\S+) (counter|gauge)$/) {
        push @wrong, $_ if $type{$1};
        $type{$1} = $2;
    }
    elsif (/^((cx_\w+)(?:\{\w+="[^"]*"\})?) \d+(?:\.\d+)?$/) {
        push @wrong, $_ if $seen{$1}++ || !$help{$2} || !$type{$2};
    } else { push @wrong, $_ }
}
is "@wrong", '', 'Prometheus: each sample once, below its HELP and TYPE';
like $r->{body}, qr/\n\z/, 'Prometheus: ends with a line feed';
is $type{"cx_$_"}, 'gauge', "Prometheus: $_ is a gauge"
    for qw(queue_depth queue_bytes inflight_batches spool_bytes spool_events
           spool_age_seconds redis_connections redis_connections_wanted);

# other requests
is $ngx->get('/cx_status?format=xml')->{status}, 400, 'unknown format';
is $ngx->get('/cx_status', method => 'POST', body => 'x')->{status}, 405,
    'POST';
is $ngx->head('/cx_status')->{status}, 200, 'HEAD';
is $ngx->get('/elsewhere', method => 'DELETE')->{status}, 403,
    'an ordinary location';

# without Redis: what waits and why; two workers tell the sum
$ngx->allow(qr/Connection refused|redis/);
my $from = time;
$redis->stop;
$ngx->post('/_cx/events', beacon($event)) for 1 .. 60;
ok wait_for(sub { flat()->{queue_depth} == 60 }, 3), 'Redis is gone: all wait';
my $s = flat();
is $s->{redis_connections}, 0, 'Redis is gone: no connection';
cmp_ok $s->{redis_connections_wanted}, '>', 0, 'Redis is gone: they are wanted';
cmp_ok $s->{queue_bytes}, '>', 0, 'Redis is gone: memory is used';
ok wait_for(sub { $s = $ngx->status->{last_error} }, 3),
    'Redis is gone: the last error';
like $s->{text}, qr/^redis ".*": \w/, 'Redis is gone: which says what';
ok $s->{ts} >= $from * 1000 && $s->{ts} <= (time + 1) * 1000,
    'Redis is gone: and when';

# a worker that is killed takes what it held with it, and what it told
my @workers = $ngx->workers;
$ngx->allow(qr/exited on signal 9/);
kill KILL => @workers;
ok wait_for(sub { my %now = map { $_ => 1 } $ngx->workers;
                  keys %now == 2 && !grep { $now{$_} } @workers }, 5),
    'killed: other workers';
ok wait_for(sub { (eval { flat()->{queue_depth} } // -1) == 1 }, 5),
    'killed: nothing waits any more, but what the surveys ask';

# and one that goes in order
$ngx->post('/_cx/events', beacon($event)) for 1 .. 5;
ok wait_for(sub { flat()->{queue_depth} == 6 }, 3), 'reload: some wait';
$redis->start;
ok wait_for(sub { flat()->{queue_depth} == 0 }, 5), 'reload: none any more';
$ngx->reload;
ok wait_for(sub { my $s = flat();
                  $s->{queue_depth} == 0 && $s->{queue_bytes} == 0
                      && $s->{redis_connections_wanted} <= 2 }, 5),
    'reload: gauges of the new workers only';

# what is in the spool, and since when
my $later = $t->redis;
my $spool = $t->nginx(redis => $later, cx => 1, workers => 2,
    http => 'cx_queue flush=20ms; cx_spool spool;');
$spool->allow(qr/redis/);
$later->stop;
$spool->post('/_cx/events', { v => 1, page => '/a', events => [$event] })
    for 1 .. 30;
ok wait_for(sub { $s = $spool->status; $s->{spool_events} == 30 }, 5),
    'spool: holds all events' or diag explain $s;
is $s->{queue_depth}, 0, 'spool: memory holds none';
cmp_ok $s->{spool_bytes}, '>', 1000, 'spool: so many bytes';
my $age = $s->{spool_age_ms};
ok $age > 0 && $age < 60_000, 'spool: the age of the oldest event'
    or diag $age;
sleep 0.5;
cmp_ok $spool->status->{spool_age_ms}, '>=', $age + 400, 'spool: it grows';
like $spool->get('/cx_status?format=prometheus')->{body},
    qr/^cx_spool_age_seconds \d+\.\d{3}$/m, 'spool: in seconds';
my ($gone) = $spool->workers;
kill KILL => $gone;
$spool->allow(qr/exited on signal 9/);
wait_for { my @w = $spool->workers; @w == 2 && !grep { $_ == $gone } @w } 5;
ok wait_for(sub { (eval { $s = $spool->status; $s->{spool_events} } // 0)
                  == 30 }, 10),
    'spool: what a killed worker wrote is taken over' or diag explain $s;
$later->start;
ok wait_for(sub { $s = $spool->status; $s->{spool_events} == 0
                  && $s->{spool_bytes} == 0 && $s->{spool_age_ms} == 0 }, 10),
    'spool: empty again' or diag explain $s;
is $later->xlen, 30, 'spool: it went to Redis';

$t->done;
