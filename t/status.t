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
# no pages and counted as such, so these two are left out.
sub prometheus {
    my %v;
    for (split /\n/, $ngx->get('/cx_status?format=prometheus')->{body}) {
        next if /^#/;
        my ($name, $label, $value) = /^cx_(\w+?)(?:_total)?(?:\{\w+="(\w+)"\})?
                                      \ (\d+)$/x or return { wrong => $_ };
        $v{defined $label ? "$name $label" : $name} = $value;
    }
    delete @v{'pages type', 'pages status'};
    return \%v;
}

# the same from the JSON
sub flat {
    my $s = json($ngx->get('/cx_status')->{body});
    delete $s->{version};
    delete @{$s->{pages}}{'type', 'status'};
    return { map { my $k = $_;
        ref $s->{$k} ? map { ("$k $_" => $s->{$k}{$_}) } keys %{$s->{$k}}
                     : ($k => $s->{$k}) } keys %$s };
}

is_deeply prometheus(), flat(), 'JSON and Prometheus agree at rest';
my $before = flat();

# what is to be counted
my $token = json($ngx->get('/_cx/surveys?page=/a')->{body})->{token};
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
sub beacon { { v => 1, page => '/a', token => $token, events => [@_] } }
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
wait_for { $redis->xlen == 20 } 3;
wait_for { flat()->{queue_depth} == 0 } 3;

my $after = flat();
is_deeply prometheus(), $after, 'JSON and Prometheus agree';
my %d = map { ($after->{$_} - ($before->{$_} // 0))
              ? ($_ => $after->{$_} - ($before->{$_} // 0)) : () }
    keys %$after;
delete $d{$_} for 'batches', 'redis_connects';
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
    queue_events => 20,
    delivered_events => 20,
}, 'everything is counted once';
is $redis->xlen, 20, 'what is delivered is what is in Redis';

# the text format of Prometheus
$r = $ngx->get('/cx_status?format=prometheus');
like $r->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4},
    'Prometheus: type';
my (%help, %type, %seen, @wrong);
for (split /\n/, $r->{body}) {
    if (/^# HELP (\S+) \S.*$/) { push @wrong, $_ if $help{$1}++ }
    elsif (/^# TYPE (\S+) (?:counter|gauge)$/) { push @wrong, $_ if $type{$1}++ }
    elsif (/^((cx_\w+)(?:\{\w+="[^"]*"\})?) \d+$/) {
        push @wrong, $_ if $seen{$1}++ || !$help{$2} || !$type{$2};
    } else { push @wrong, $_ }
}
is "@wrong", '', 'Prometheus: each sample once, below its HELP and TYPE';
like $r->{body}, qr/\n\z/, 'Prometheus: ends with a line feed';

# other requests
is $ngx->get('/cx_status?format=xml')->{status}, 400, 'unknown format';
is $ngx->get('/cx_status', method => 'POST', body => 'x')->{status}, 405,
    'POST';
is $ngx->head('/cx_status')->{status}, 200, 'HEAD';
is $ngx->get('/elsewhere', method => 'DELETE')->{status}, 403,
    'an ordinary location';

$t->done;
