#!/usr/bin/perl

# Tokens: an answer gets in only with one that was given out for it, and those
# that do not are counted and told to the analyst.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $surveys = Test::Cx::Http::encode({ version => 1, surveys => [
    { id => 'nps', metric => 'nps', follow_up => { any => 'Why?' } },
    { id => 'csat', metric => 'csat' },
    { id => 'pick', metric => 'choice', question => 'Which?',
      options => [qw(a b c)] },
    { id => 'picks', metric => 'choices', question => 'Which?',
      options => [qw(a b c)], follow_up => { any => 'Why?' } },
    { id => 'say', metric => 'text', question => 'What?' },
] });

my $t = Test::Cx->new;
my $redis = $t->redis;
my %conf = (cx => 1, http => "cx_queue flush=20ms;\n",
            server => 'cx_surveys surveys.json;',
            files => { 'conf/surveys.json' => $surveys });
my $ngx = $t->nginx(redis => $redis, %conf,
    http => "cx_queue flush=20ms;\n"
        . 'limit_req_zone $http_x_slow zone=slow:1m rate=1r/m;' . "\n",
    server => $conf{server} . ' limit_req_status 429;
        location = /_cx/events { cx_endpoint; limit_req zone=slow; }
        location /_cx/survey/ { cx_endpoint; limit_req zone=slow; }');

my $n = 0;

# surveys of a new visit, by id
sub served {
    my (%o) = @_;
    $o{'User-Agent'} //= 'Mozilla/5.0 Visitor/' . ++$n;
    my $got = json(($o{ngx} // $ngx)->get('/_cx/surveys?page=/a',
        'User-Agent' => $o{'User-Agent'})->{body});
    return map { $_->{id} => $_ } @{$got->{surveys}};
}

sub event {
    my ($s, %o) = @_;
    return { type => 'answer', survey => $s->{id}, version => $s->{version},
             answer => $s->{answer}, %o };
}

sub post {
    my ($token, @events) = @_;
    my %o = ref $events[-1] eq 'ARRAY' ? @{pop @events} : ();
    return ($o{ngx} // $ngx)->post('/_cx/events', { v => 1, page => '/a',
        defined $token ? (token => $token) : (), events => \@events }, %o);
}

sub why { my ($r) = @_; my $j = json($r->{body}) // {};
          join ' ', $r->{status}, $j->{error} // (), $j->{field} // () }

# good ones
my %s = served();
my $r = post($s{nps}{token}, event($s{nps}, score => 9));
is $r->{status}, 204, 'a token of its own';
$r = post("$s{nps}{token} $s{csat}{token}", event($s{nps}, score => 9, done => 1),
          event($s{csat}, score => 3));
is $r->{status}, 204, 'two of a beacon';
$r = post("$s{csat}{token} $s{nps}{token}", event($s{nps}, score => 8));
is $r->{status}, 204, 'in any order';
my @got = $redis->wait_events(4, filter => sub { $_[0]{type} eq 'answer' });
is join(' ', map { "$_->{survey}=$_->{score}" } @got),
    'nps=9 nps=9 csat=3 nps=8', 'all are there';
is $got[1]{done}, 1, 'done';
is $got[0]{version}, $s{nps}{version}, 'version';

# what an answer must be
my $pair = join ' ', map { $s{$_}{token} } qw(pick picks say);
for ([pick => { choice => '0' }, '204'], [pick => { choice => '2' }, '204'],
     [pick => { choice => '3' }, '400 bad_value choice'],
     [pick => { choice => '0,1' }, '400 bad_value choice'],
     [pick => {}, '400 bad_value choice'],
     [pick => { score => 1 }, '400 bad_value score'],
     [pick => { choice => '1', text => 'x' }, '400 bad_value text'],
     [picks => { choice => '0,2' }, '204'],
     [picks => { choice => '0,2', text => 'because' }, '204'],
     [picks => { choice => '2,0' }, '400 bad_value choice'],
     [picks => { choice => '0,0' }, '400 bad_value choice'],
     [picks => { choice => '0,' }, '400 bad_value choice'],
     [picks => { choice => ',0' }, '400 bad_value choice'],
     [picks => { choice => '00' }, '400 bad_value choice'],
     [picks => { choice => 'a' }, '400 bad_value choice'],
     [picks => { choice => '-1' }, '400 bad_value choice'],
     [say => { text => 'hello' }, '204'],
     [say => {}, '400 bad_value text'],
     [say => { choice => '0' }, '400 bad_value choice']) {
    my ($id, $fields, $want) = @$_;
    is why(post($pair, event($s{$id}, %$fields))), $want,
        "$id " . Test::Cx::Http::encode($fields);
}
is why(post($s{nps}{token}, event($s{nps}))), '400 bad_value score',
    'no score';
is why(post($s{nps}{token}, event($s{nps}, score => 11))),
    '400 bad_value score', 'score out of range';

# bad ones
my $make = \&Test::Cx::Token::make;
my ($id, $v) = @{$s{nps}}{qw(answer version)};
my %x = served();
sub flip { my ($c, $at) = @_;
           substr($c, $at, 1) = substr($c, $at, 1) eq '0' ? '1' : '0'; $c }
for (['no token', undef, qr/^400 missing_field/],
     ['made up', 'x' x 42, qr/^403 token/],
     ['too short', substr($s{nps}{token}, 0, 41), qr/^403 token/],
     ['changed mac', flip($s{nps}{token}, 41), qr/^403 token/],
     ['changed expiry', flip($s{nps}{token}, 7), qr/^403 token/],
     ['of another survey', $s{csat}{token}, qr/^403 token/],
     ['of another visit', $x{nps}{token}, qr/^403 token/],
     ['of another site', $make->('other', 'nps', $v, $id), qr/^403 token/],
     ['of another version', $make->('localhost', 'nps', '0' x 8, $id),
      qr/^403 token/],
     ['of a link', $make->('localhost', 'nps', '', $id), qr/^403 token/],
     ['of another secret', $make->('localhost', 'nps', $v, $id, undef,
                                   'x' x 40), qr/^403 token/],
     ['as the 17th', join(' ', ($x{nps}{token}) x 16, $s{nps}{token}),
      qr/^40/],
     ['expired', $make->('localhost', 'nps', $v, $id, time - 5),
      qr/^403 expired/]) {
    my ($name, $token, $want) = @$_;
    like why(post($token, event($s{nps}, score => 5))), $want, $name;
}
is why(post($make->('localhost', 'nps', $v, $id), event($s{nps}, score => 5))),
    '204', 'one made as the formula says';
my $long = 'ab' x 16;
is why(post($make->('localhost', 'nps', $v, substr($long, 0, 16)),
            event($s{nps}, answer => $long, score => 5))), '403 token',
    'an answer id that is longer';
$r = post($x{nps}{token}, event($x{nps}, score => 1),
          event($s{nps}, score => 5));
is why($r), '403 token', 'one of two';
is json($r->{body})->{event}, 1, 'says which';
sleep 0.1;
my @five = grep { $_->{type} eq 'answer' && $_->{score} eq '5' } $redis->events;
is scalar @five, 1, 'nothing else of it was recorded';

# a wording that was served and has changed since
my $old = 'deadbeef';
is why(post($make->('localhost', 'nps', $old, $id),
            event($s{nps}, version => $old, score => 6))), '204',
    'an answer to an older wording';
my ($older) = $redis->wait_events(1,
    filter => sub { ($_[0]{version} // '') eq $old });
is $older->{score}, 6, 'is taken, with its version';
is why(post(undef, { type => 'shown', survey => 'nps' })),
    '400 missing_field version', 'a version must be there';
is why(post(undef,
            { type => 'shown', survey => 'nps', version => $old },
            { type => 'start', survey => 'nps', version => $v },
            { type => 'signal', name => 'js_error', target => 'mark' })),
    '204', 'showings of an older wording';
$redis->wait_events(1, filter => sub { ($_[0]{target} // '') eq 'mark' });
is join(' ', map { $_->{type} } grep { $_->{type} =~ /^(?:shown|start)$/ }
        $redis->events), 'start', 'are left out';

# versions are easily made up: they are not told
for my $made (map { sprintf '%08x', $_ } 1 .. 3) {
    is why(post($make->('localhost', 'nps', $made, $id, undef, 'x' x 40),
                event($s{nps}, version => $made, score => 5))), '403 token',
        "an answer to version $made";
}

# floods
my @flood = grep { $_ == 429 } map { $ngx->post('/_cx/events',
    { v => 1, page => '/a', events => [] }, 'X-Slow' => 'me')->{status} }
    1 .. 6;
cmp_ok scalar @flood, '>=', 5, 'answers that come too often';

# to look at a form is no answer; to send it is
my $looks = () = grep { $_ == 429 }
    map { $ngx->get('/_cx/survey/nps', 'X-Slow' => 'you')->{status} } 1 .. 6;
cmp_ok $looks, '>=', 5, 'forms that are looked at too often';
my @sent = grep { $_ == 429 } map { $ngx->post('/_cx/survey/nps', 'score=1',
    'Content-Type' => 'application/x-www-form-urlencoded',
    'X-Slow' => 'them')->{status} } 1 .. 4;

# what is told
my @refused = $redis->wait_events(4, seconds => 9,
    filter => sub { $_[0]{type} eq 'refused' });
my %count;
$count{$_->{reason}} += $_->{count} for @refused;
is $count{expired}, 1, 'refused: expired';
is $count{token}, 16, 'refused: token'
    or diag join "\n", map { "$_->{reason} $_->{survey} $_->{version} "
                             . $_->{count} } @refused;
is $count{flood} // 0, @flood + @sent, 'refused: flood';
cmp_ok scalar @refused, '<', 8, 'a few events of it';
is_deeply { map { $_->{version} => $_->{count} }
            grep { $_->{reason} eq 'token' } @refused }, { $v => 13, '' => 3 },
    'none to a version that is not known';
my ($expired) = grep { $_->{reason} eq 'expired' } @refused;
is_deeply [@$expired{qw(survey version)}], ['nps', $v], 'of a survey';
is $ngx->counter('beacons_rejected', 'expired'), 1, 'counted: expired';
is $ngx->counter('beacons_rejected', 'token'), $count{token},
    'counted: token';
is $ngx->counter('beacons_rejected', 'flood'), $count{flood},
    'counted: flood';

# cx_secret: the same on all hosts
my $other = $t->nginx(redis => $redis, %conf);
my %there = served(ngx => $other);
is why(post($there{nps}{token}, event($there{nps}, score => 7))), '204',
    'a token of another host with the same secret';
my $own = $t->nginx(redis => $redis, %conf, no_secret => 1);
my %alone = served(ngx => $own);
is why(post($alone{nps}{token}, event($alone{nps}, score => 7))), '403 token',
    'not of one without';
is why(post($alone{nps}{token}, event($alone{nps}, score => 7),
            [ngx => $own])), '204', 'which takes its own';
$own->reload;
is why(post($alone{nps}{token}, event($alone{nps}, score => 7),
            [ngx => $own])), '204', 'also after a reload';

# cx_secret: mistakes
for (['short', 'x' x 31, qr/31 bytes: expected a file of 32 to 4096 random bytes/],
     ['long', 'x' x 4097, qr/4097 bytes: expected a file of 32 to 4096/],
     ['missing', undef, qr/cx_secret: .*open\(\).* failed/]) {
    my ($name, $text, $want) = @$_;
    my ($status, $out) = $t->nginx_test(redis => $redis, cx => 1,
        http => 'cx_secret my.secret;',
        files => { defined $text ? ('conf/my.secret' => $text) : () });
    isnt $status, 0, "$name: refused";
    like $out, $want, "$name: says why";
    like $out, qr/my\.secret/, "$name: says which file";
}
for my $size (32, 4096) {
    my ($status) = $t->nginx_test(redis => $redis, cx => 1,
        http => 'cx_secret my.secret;',
        files => { 'conf/my.secret' => 'x' x $size });
    is $status, 0, "$size bytes are right";
}

$t->done;
