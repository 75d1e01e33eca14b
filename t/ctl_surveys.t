#!/usr/bin/perl

# cxctl surveys, surveys why and link.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(hmac_sha256);
use POSIX ();
use Test::More;
use Test::Cx;
use Test::Cx::Stream;

my $t     = Test::Cx->new;
my $redis = $t->redis;
my $s     = Test::Cx::Stream->new($redis, 'shop');
my @redis = ('--redis', $redis->url);
my $day   = $s->day;
my @nps   = (survey => 'docs-nps', version => '1a2b3c4d');
my @pick  = (survey => 'docs-pick', version => '5e6f7a8b');
my @mail  = (survey => 'sent', version => '99aabbcc');

sub ctl { $t->ctl(@_, @redis) }
sub data {
    my ($status, $out, $err) = ctl(@_, '--json');
    is "$status$err", 0, "@_: quiet";
    return json($out);
}

# a day of surveys
$s->define('docs-nps', '1a2b3c4d', '{"metric":"nps","language":"en",'
    . '"question":"How \u001b[31mlikely?","owner":"Docs team",'
    . '"purpose":"find gaps","options":["Speed","Gaps","Other"]}');
$s->define('docs-pick', '5e6f7a8b',
           '{"metric":"choice","question":"Why?","options":["A","B"],'
           . '"retired":true}');
$s->offer('/docs', 'docs-nps@1a2b3c4d=' . ($_ > 20 ? 0 : 1)) for 1 .. 80;
$s->add('shown', '/docs', @nps, trigger => 'exit') for 1 .. 16;
$s->add('start', '/docs', @nps) for 1 .. 10;
$s->add('dismiss', '/docs', @nps, how => $_ == 1 ? 'never' : 'close')
    for 1 .. 4;
$s->add('answer', '/docs', @nps, answer => sprintf('%016x', $_),
        metric => 'nps', score => $_ > 2 ? 10 : 3,
        choice => $_ > 6 ? '' : $_ > 2 ? 1 : '0,2',
        done => $_ > 4 ? 1 : '', lang => 'de', text => $_ > 5 ? 'ja' : '')
    for 1 .. 8;
$s->refused('docs-nps', '1a2b3c4d', 'token', 1);
$s->refused('docs-nps', '1a2b3c4d', 'expired', 1);
$s->refused('', '', 'flood', 9);
$s->add('shown', '/docs', @pick, dry => 1) for 1 .. 3;
$s->offer('/docs', 'sent@99aabbcc=1') for 1 .. 4;
$s->add('shown', '/docs', @mail, trigger => 'load') for 1 .. 4;
$s->add('answer', '/docs', @mail, answer => sprintf('%016x', 100 + $_),
        metric => 'psat', score => 1, $_ == 1 ? (source => 'asked')
        : $_ < 5 ? (source => 'invited', trigger => 'link')
        : (source => 'volunteered', trigger => 'form'))
    for 1 .. 6;
$s->view('/docs');
$s->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';

my $data = data('surveys');
my %of = map { $_->{id} => $_ } @{$data->{surveys}};
my ($one, $two, $sent) = @of{qw(docs-nps docs-pick sent)};
is_deeply [@$one{qw(survey id version metric)}],
    ['docs-nps@1a2b3c4d', 'docs-nps', '1a2b3c4d', 'nps'], 'a version';
is_deeply [@$one{qw(eligible sampled shown started dismissed never answered
                    text done)}], [80, 20, 16, 10, 4, 1, 8, 3, 4], 'counters';
my %step = map { $_->{step} => $_ } @{$one->{funnel}};
is_deeply [map { $_->{step} } @{$one->{funnel}}],
    [qw(eligible sampled would_show shown started answered text done
        dismissed)], 'the funnel in its order';
is_deeply [map { [$_, $step{$_}{of}, $step{$_}{rate}] }
           qw(eligible sampled shown started answered text done dismissed)],
    [['eligible', undef, undef], ['sampled', 'eligible', 25],
     ['shown', 'sampled', 80], ['started', 'shown', 62.5],
     ['answered', 'shown', 50], ['text', 'answered', 37.5],
     ['done', 'answered', 50], ['dismissed', 'shown', 25]], 'rates';

# Wilson by hand: 16 of 20
my ($z, $x, $n) = (1.959963984540054, 16, 20);
my $mid = ($x + $z ** 2 / 2) / ($n + $z ** 2);
my $half = $z / ($n + $z ** 2) * sqrt($x * ($n - $x) / $n + $z ** 2 / 4);
cmp_ok abs($step{shown}{rate_lo} - 100 * ($mid - $half)), '<', 1e-6, 'lower';
cmp_ok abs($step{shown}{rate_hi} - 100 * ($mid + $half)), '<', 1e-6, 'upper';
is_deeply [@{$one->{refused}}{qw(n token expired repeat flood rate)}],
    [2, 1, 1, 0, 0, 20], 'refused, of all answers that came';
is_deeply [map { [@$_{qw(position label n rate)}] } @{$one->{choices}}],
    [[0, 'Speed', 2, 25], [1, 'Gaps', 4, 50], [2, 'Other', 2, 25]],
    'choices with their labels';
is_deeply $one->{text_by_language}, { de => 3 }, 'text by language';
is $one->{definition}{owner}, 'Docs team', 'definition';
is $one->{figures}{nps}, 50, 'figure';
is_deeply [@$two{qw(metric would_show shown)}, $two->{definition}{retired}],
    ['choice', 3, 0, json('true')], 'a dry run';
is_deeply [@$sent{qw(shown answered answers:asked answers:invited
                     answers:volunteered)}], [4, 6, 1, 3, 2], 'by source';
is_deeply [map { $_->{rate} } grep { $_->{step} eq 'answered' }
           @{$sent->{funnel}}], [25],
    'the rate is that of prompts: who was sent a link was not shown one';
is_deeply $data->{refused}, { token => 1, expired => 1, repeat => 0,
                              flood => 9 }, 'refused on the site';

my ($status, $out, $err) = ctl('surveys');
is $status, 0, 'for people';
like $out, qr/^docs-nps\@1a2b3c4d +nps +80 +20 +16 +10 +8 +50\.0% +3 +4 +20\.0%  NPS 50 \(/m,
    'table';
like $out, qr/^docs-nps\@1a2b3c4d: How \\x1b\[31mlikely\?\n  owner: Docs team\n  purpose: find gaps\n  eligible +80\n  sampled +20 +25\.0 % of eligible \(/m,
    'what it asks, harmless; the funnel';
like $out, qr/^  dismissed +4 +25\.0 % of shown \(10\.2\.\.49\.5\), 1 for good\n  refused +2 +20\.0 % of answers that came \(.*\): token 1, expired 1\n  option 0 +2 +25\.0 % of answered \(.*\)  Speed\n/m,
    'closed, refused, chosen';
like $out, qr/^  text by language: de 3$/m, 'languages';
like $out, qr/^docs-pick\@5e6f7a8b: Why\? \(retired\)\n  would_show +3\n/m,
    'retired';
like $out, qr/^  answered +6 +25\.0 % of shown \(.*\), 3 of them by a link, 2 of them volunteered$/m,
    'sources';
like $out, qr/^refused on the site: 1 with a forged .*^9 requests over a rate/ms,
    'the site';

# why
my $file = $t->dir . '/surveys.json';
my $tomorrow = POSIX::strftime('%Y-%m-%d', gmtime(time + 86400));
my $yesterday = POSIX::strftime('%Y-%m-%d', gmtime(time - 86400));
my $today = POSIX::strftime('%Y-%m-%d', gmtime(time));
write_file($file, <<"EOT");
{ "version": 1, "surveys": [
  { "id": "all", "metric": "nps", "sample": 12.5 },
  { "id": "paged", "metric": "nps", "where": { "pages": ["/shop/*", "/cart"] } },
  { "id": "touch", "metric": "csat", "where": { "touchpoints": ["pay"] } },
  { "id": "staged", "metric": "csat", "where": { "stages": ["buy"] } },
  { "id": "segment", "metric": "csat", "where": { "segments": ["pro"] } },
  { "id": "phone", "metric": "csat", "where": { "devices": ["phone", "tablet"] } },
  { "id": "news", "metric": "csat", "where": { "visitors": "new" } },
  { "id": "german", "metric": "choice", "question": { "de": "Warum?", "en": "Why?" },
    "options": [ { "de": "A", "en": "A" }, { "de": "B" } ] },
  { "id": "plain", "metric": "text", "language": "fr", "question": "Pourquoi ?" },
  { "id": "early", "metric": "nps", "from": "$tomorrow" },
  { "id": "late", "metric": "nps", "until": "$yesterday" },
  { "id": "dated", "metric": "nps", "from": "$today", "until": "$today" },
  { "id": "daily", "metric": "nps", "daily": 3 },
  { "id": "total", "metric": "nps", "total": 10 },
  { "id": "open", "metric": "nps", "total": 11, "daily": 4 },
  { "id": "gone", "metric": "nps", "retired": true },
  { "id": "dry", "metric": "nps", "dry_run": true }
] }
EOT
$redis->cmd('HSET', $s->key('quota'), 'daily' => 50, "daily:$day" => 3,
            'total' => 10, "total:$day" => 1, 'open' => 10, "open:$day" => 3);

sub why {
    my %by = map { $_->{id} => $_->{reason} // 'matched' }
        @{data('surveys', 'why', '--file', $file, @_)->{surveys}};
    return \%by;
}

is_deeply why('/docs', qw(--lang de-AT --touchpoint read --stage use --segment
                          free --device desktop --visitors returning)), {
    all => 'matched', paged => 'not on this page, only on /shop/* or /cart',
    touch => 'the touchpoint is "read", not pay',
    staged => 'the stage is "use", not buy',
    segment => 'the segment is "free", not pro',
    phone => 'the device is desktop, not phone, tablet',
    news => 'only for new visitors', german => 'matched',
    plain => 'not in the language of page or browser ("de-AT", ""); it has fr',
    early => "not before $tomorrow (UTC)",
    late => "not after $yesterday (UTC)", dated => 'matched',
    daily => 'the daily quota of 3 answers is reached',
    total => 'the quota of 10 answers is reached', open => 'matched',
    gone => 'it is retired', dry => 'matched',
}, 'each reason';
my $why = why('/shop/8123/x', qw(--lang en --touchpoint pay --stage buy
    --segment pro --device tablet --visitors new));
is_deeply [map { $why->{$_} } qw(paged touch staged segment phone news)],
    [('matched') x 6], 'and none';
like $why->{german}, qr/^not in the language of .*; it has de$/,
    'what all its texts have';
is data('surveys', 'why', '/orders/8123', '--file', $file)->{page},
    '/orders/:id', 'a path is folded';
($status, $out) = ctl('surveys', 'why', '/docs', '--file', $file);
is $status, 0, 'for people';
like $out, qr/^page \/docs\n/, 'the page';
like $out, qr/^all +matched: 12\.5 % of visits, in en, /m, 'the share';
like $out, qr/^phone +matched: 100 % of visits, only device phone, tablet, in /m,
    'what nobody said is a condition';
like $out, qr/^open +matched: .*, total quota \(10 of 11\), daily quota \(3 of 4\)$/m,
    'how full';
like $out, qr/^dry +matched: .*; dry run: counted, not shown$/m, 'a dry run';
like $out, qr/^cooling down and opted out are known to .*: \?cx_debug=1 there$/m,
    'what nobody here can know';

# without quotas there is no need of Redis
write_file("$file.2", '{"version":1,"surveys":[{"id":"a","metric":"nps"}]}');
($status) = $t->ctl('surveys', 'why', '/', '--file', "$file.2", '--redis',
                    'unix:/nonexistent');
is $status, 0, 'no quota, no Redis';
for (['why: a page', 'surveys', 'why'], ['no file', 'surveys', 'why', '/'],
     ['no such file', 'surveys', 'why', '/', '--file', '/nonexistent'],
     ['no such word', 'surveys', 'how'],
     ['no such device', 'surveys', 'why', '/', '--device', 'phon'],
     ['too much', 'surveys', 'why', '/', '/']) {
    my ($name, @args) = @$_;
    my ($status, undef, $err) = ctl(@args);
    is $status, 2, $name;
    like $err, qr/\Acxctl: [^\n]+\n\z/, 'said';
}
write_file("$file.3", "{\"version\":1,\n\"surveys\":[,]}");
($status, undef, $err) = ctl('surveys', 'why', '/', '--file', "$file.3");
like $err, qr/^cxctl: \S+: line 2: /, 'where a file is no JSON';

# link: the token is what another HMAC makes of the same
my $secret = join '', map { chr(33 + $_) } 0 .. 63;
my $keyfile = $t->dir . '/secret';
write_file($keyfile, $secret);
my $key = hmac_sha256('cx tokens', $secret);
sub hex16 { substr unpack('H*', $_[0]), 0, 16 }

sub token {
    my ($survey, $who, $expiry) = @_;
    my $id = hex16(hmac_sha256("link\nshop\n$survey\n"
                               . hmac_sha256($who, $key) . "\n", $key));
    return "$expiry.$id." . hex16(hmac_sha256(
        "token\nshop\n$survey\n\n$id\n$expiry\n", $key));
}

my @link = ('link', '--secret', $keyfile, '--site', 'shop');
($status, $out, $err) = $t->ctl(@link, 'docs-nps', 'ann@example.org');
is "$status$err", 0, 'link';
my ($prefix, $expiry) = $out =~ m{^(.*)\?t=(\w{8})\.\w{16}\.\w{16}\n\z};
is $prefix, '/_cx/survey/docs-nps', 'of the form';
is $out, "$prefix?t=" . token('docs-nps', 'ann@example.org', $expiry) . "\n",
    'its token';
cmp_ok abs(hex($expiry) - time - 30 * 86400), '<', 20, 'for 30 days';
unlike $out, qr/ann|example/, 'without the recipient';
($status, $out) = $t->ctl(@link, '--prefix', 'https://x.example/cx', '--days',
                          2, 'docs-nps', "b\x{c3}\x{b6}b", 9);
($expiry) = $out =~ m{^https://x\.example/cx/survey/docs-nps\?score=9&t=(\w{8})\.};
cmp_ok abs(hex($expiry // 0) - time - 2 * 86400), '<', 20, 'with all options';
like $out, qr/\Q@{[token('docs-nps', "b\x{c3}\x{b6}b", $expiry)]}\E$/,
    'any recipient';
for (['no secret', 'link', '--site', 'shop', 'a', 'b'],
     ['no site', 'link', '--secret', $keyfile, 'a', 'b'],
     ['no recipient', @link, 'a'], ['too much', @link, 'a', 'b', 1, 2],
     ['no survey', @link, 'a b', 'c'], ['no score', @link, 'a', 'b', 11],
     ['no days', @link, '--days', 0, 'a', 'b'],
     ['a short secret', 'link', '--site', 'shop', '--secret', "$file.2.short",
      'a', 'b']) {
    my ($name, @args) = @$_;
    write_file("$file.2.short", 'x' x 31);
    my ($status, $out, $err) = $t->ctl(@args);
    is "$status$out", 2, $name;
    like $err, qr/\Acxctl: [^\n]+\n\z/, 'said';
}

# verbatims and tail say the rest of an answer
($status, $out) = ctl('verbatims');
like $out, qr/  docs-nps\@1a2b3c4d  nps 10 #1 +de +asked +ja$/m, 'verbatims';
is data('verbatims')->{verbatims}[0]{done}, 1, 'as JSON';

# an answer, its figure and its interval; ces of one survey by hand
my @ces = (survey => 'ces', version => '11111111', metric => 'ces');
my $alone = Test::Cx::Stream->new($redis, "ces");
$alone->answer('/', sprintf('%016x', 100 + $_), 'ces', (7, 6, 7, 5)[$_], @ces)
    for 0 .. 3;
$alone->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
my ($ces) = @{data('surveys', '--site', 'ces')->{surveys}};
my @effort = map { (7 - $_) / 6 * 100 } 7, 6, 7, 5;
my ($sum, $squares) = (0, 0);
($sum, $squares) = ($sum + $_, $squares + $_ ** 2) for @effort, 0, 100;
my $error = sqrt(($squares - $sum ** 2 / 6) / 5 / 4);
my $mean = ($sum - 100) / 4;
my $upper = $mean + 2.77644511 * $error;    # Student's t, 4 degrees
is_deeply [map { sprintf '%.2f', $ces->{figures}{$_} }
           qw(ces effort effort_lo effort_hi)],
    [map { sprintf '%.2f', $_ } $mean, $mean, 0, $upper],
    'the mean, with an interval';
($status, $out) = ctl('surveys', '--site', 'ces');
like $out, qr/  effort 12 \(0\.\.\Q@{[sprintf '%.0f', $upper]}\E\)$/m, 'as text';

# columns stay where they are, whatever is written
my $wide = Test::Cx::Stream->new($redis, 'wide');
my @pages = ("/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",              # nihongo
             "/\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\xd6\xb7",          # shalom
             "/cafe\xcc\x81", "/\xf0\x9f\x98\x80", '/plain');
$wide->view($_) for @pages;
$wide->answer($pages[0], 'a' x 16, 'nps', 9, text => 'x', version => 'a' x 8);
$wide->define('s-nps', 'a' x 8, '{"metric":"nps","question":"'
    . "\xe6\x97\xa5\xd7\xa9" . '"}');
$wide->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
($status, $out) = ctl('pages', '--site', 'wide', '--by', 'effort');
for (["/\xe6\x97\xa5", 7], ["/\xd7\xa9", 5], ['/cafe', 5],
     ["/\xf0\x9f", 3], ['/plain', 6]) {
    my ($begin, $columns) = @$_;
    my ($space) = $out =~ /^-  \Q$begin\E\S*( +)1 /m;

    # as wide as "all pages", two columns, four of five of the number
    is length($space // ''), 9 - $columns + 2 + 4, "$columns columns"
        or diag $out;
}
($status, $out, $err) = ctl('surveys', '--site', 'wide');
is "$status$err", 0, 'a question in two directions';
like $out, qr/^s-nps\@a{8}: \xe6\x97\xa5\xd7\xa9$/m, 'at the end of its line';

# many surveys; a site that nobody knows
my $many = Test::Cx::Stream->new($redis, 'many');
for my $n (1 .. 230) {
    $many->offer('/', "s$n\@" . sprintf('%08x', $n) . '=1');
    $many->define("s$n", sprintf('%08x', $n), '{"metric":"nps","question":"'
        . 'q' x 1900 . '"}');
}
$many->send;
is +($t->aggregate(@redis, '--once'))[0], 0, 'aggregated';
my $all = data('surveys', '--site', 'many')->{surveys};
is scalar @$all, 201, 'so many are told apart';
my %eligible = map { $_->{survey} => $_->{eligible} } @$all;
is $eligible{'(other)'}, 30, 'the rest together';
is scalar(grep { $_->{definition} } @$all), 200, 'each with what it asks';
($status, $out, $err) = ctl('surveys', '--site', 'nobody');
is "$status$out", 2, 'a site that nobody knows';
like $err, qr/\Acxctl: site nobody has no events, nor ever had\n\z/, 'said';

$t->done;
