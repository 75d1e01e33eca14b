#!/usr/bin/perl

# A reload forgets nothing and loses nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;
my $redis = $t->redis;

sub surveys {
    my ($id) = @_;
    return qq({ "version": 1, "surveys": [ { "id": "$id", "metric": "nps",
        "question": "Recommend?" } ] });
}
my $server = 'cx_surveys surveys.json; keepalive_requests 1000000; '
    . 'location = /visit { return 200 $cx_visit; }';
my $ngx = $t->nginx(redis => $redis, cx => 1, workers => 2,
    http => 'cx_queue flush=20ms;', server => $server,
    files => { 'html/a.html' => '<!doctype html><html><head>',
               'conf/surveys.json' => surveys('one') });

sub views {
    my ($n) = @_;
    return $redis->wait_events($n, filter => sub { $_[0]{type} eq 'view' });
}

# state of a visit
$ngx->get('/a.html');
sleep 0.55;                                # sooner is a double click
$ngx->get('/a.html');
views(2);
sleep 0.55;
my $surveys = json($ngx->get('/_cx/surveys?page=/a.html')->{body});
is $surveys->{surveys}[0]{id}, 'one', 'surveys as they were';
my $before = $ngx->counter('views');
write_file($ngx->dir . '/conf/surveys.json', surveys('two'));
ok $ngx->reload, 'reload';
$ngx->get('/a.html');
my @views = views(3);
is scalar @views, 3, 'views before and after';
is $views[2]{visit}, $views[0]{visit}, 'a visit keeps its key';
my @signals = $redis->wait_events(1,
    filter => sub { $_[0]{type} eq 'signal' });
is $signals[0]{name}, 'reload', 'the third view is known as such';
is $ngx->counter('views') - $before, 1, 'counters go on';
is json($ngx->get('/_cx/surveys?page=/a.html')->{body})->{surveys}[0]{id},
    'two', 'surveys are read anew';
my $one = $surveys->{surveys}[0];
my $two = json($ngx->get('/_cx/surveys?page=/a.html')->{body})->{surveys}[0];
my $answer = { v => 1, page => '/a', token => $two->{token}, events => [
    { type => 'answer', survey => 'two', version => $two->{version},
      score => 1, answer => $two->{answer} } ] };
ok $ngx->reload, 'reload';
is $ngx->post('/_cx/events', $answer)->{status}, 204,
    'a token from before the reload is good';

# the same key whatever else the configuration holds
my %key = ($ngx->get('/visit')->{body} => 1);
for my $n (1 .. 4) {
    $ngx->reload(servers => join "\n", map {
        my $name = 'x' x ($n * 9) . $_;
        "server { listen 127.0.0.1:%%PORT:more%%; server_name $name; cx on; "
            . 'location /_cx/ { cx_endpoint; } }' } 1 .. $n * 3);
    $key{$ngx->get('/visit')->{body}} = 1;
}
is scalar(keys %key), 1, 'a visit key depends on the visit only';
like +(keys %key)[0], qr/^[0-9a-f]{16}$/, 'and is one';
$ngx->reload(servers => '');

# a configuration that is wrong changes nothing
write_file($ngx->dir . '/conf/surveys.json', '{ "version": 2 }');
my @workers = $ngx->workers;
$ngx->signal('HUP');
ok wait_for(sub { $ngx->error_log =~ /\[emerg\].*surveys\.json/ }, 5),
    'a wrong surveys file is reported';
my %now = map { $_ => 1 } $ngx->workers;
is join(' ', grep { !$now{$_} } @workers), '', 'and the old workers go on';
$ngx->allow(qr/surveys\.json/);
write_file($ngx->dir . '/conf/surveys.json', surveys('three'));

# under load
my $marks = $t->dir . '/marks';
my @load = map {
    my $n = $_;
    $t->spawn(name => 'load', code => sub {
        open my $f, '>>', "$marks.$n";
        my $c;
        for (my $i = 0; !-e "$marks.stop"; $i++) {
            my @m = map { "m$n-$i-$_" } 1 .. 3;
            my $r = eval {
                $c = $ngx->connect if !$c || $c->{eof} || $n % 2;
                $c->post('/_cx/events', { v => 1, page => '/a', events => [
                    map { { type => 'signal', name => 'js_error',
                            target => $_ } } @m ] });
            };
            $c = undef if !$r || !$r->{complete};
            syswrite $f, ($r && $r->{status} == 204 ? 'ok' : 'unknown')
                . " @m\n";
            sleep 0.001;
        }
    });
} 1 .. 4;
for my $n (1 .. 6) {
    sleep 0.2;
    ok $ngx->reload(workers => 1 + $n % 3), "reload $n under load";
}
sleep 0.2;
write_file("$marks.stop", '');
$_->wait_exit(5) for @load;
my (@sure, @unsure);
for (map { split /\n/, read_file("$marks.$_") } 1 .. 4) {
    my ($what, @m) = split / /;
    push @{$what eq 'ok' ? \@sure : \@unsure}, @m;
}
my %n;
wait_for {
    %n = ();
    $n{$_->{target} // ''}++ for $redis->events;
    !grep { !$n{$_} } @sure;
} 10;
cmp_ok scalar @sure, '>', 300, 'load: ' . @sure . ' events';
is scalar(grep { !$n{$_} } @sure), 0, 'load: none is lost';
is scalar(grep { ($n{$_} // 0) > 1 } @sure, @unsure), 0, 'load: none twice';
ok wait_for(sub { !$ngx->workers(1) || 1 }, 1), 'old workers leave';
ok wait_for(sub {
    my %now = map { $_ => 1 } $ngx->workers;
    !grep { !$now{$_} } $ngx->workers(1);
}, 10), 'old workers are gone';

# another Redis: the old workers' events still go to the old one
my $other = $t->redis;
$ngx->post('/_cx/events', { v => 1, page => '/a', events => [
    { type => 'signal', name => 'js_error', target => 'to-old' } ] });
ok $ngx->reload(redis => $other), 'reload to another Redis';
$ngx->post('/_cx/events', { v => 1, page => '/a', events => [
    { type => 'signal', name => 'js_error', target => 'to-new' } ] });
sub marked { my ($m) = @_; sub { ($_[0]{target} // '') eq $m } }
is scalar($redis->wait_events(1, filter => marked('to-old'))), 1,
    'the old one has what came before';
is scalar($other->wait_events(1, filter => marked('to-new'))), 1,
    'the new one has what came after';
is scalar(grep { ($_->{target} // '') =~ /to-(?:new|old)/ }
          $redis->events, $other->events), 2, 'and none has both';

# switched off and on, another zone size
ok $ngx->reload(cx => 0, server => '', http => ''), 'reload without cx';
unlike $ngx->get('/a.html')->{body}, qr/script/, 'no tag';
ok $ngx->reload(cx => 1, server => $server, http => 'cx_zone cx:1m;'),
    'reload with another zone';
like $ngx->get('/a.html')->{body}, qr/script/, 'tag';

$t->done;
