#!/usr/bin/perl

# Requests that are nobody's: crawlers, health checks, prefetches, our own
# traffic, whoever does not want to be recorded.  Each is counted by its reason
# and leaves nothing in the stream; so are their POSTs.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $redis = $t->redis;
my $page = '<!doctype html><html><head><title>t</title></head><p>x';
my $ngx = $t->nginx(redis => $redis, cx => 1, files => {
        'html/a.html' => $page, 'html/sampled/a.html' => $page,
        'html/consent/a.html' => $page, 'html/dnt/a.html' => $page },
    http => <<'EOT', server => <<'EOT');
    cx_queue flush=20ms;
    geo $own { default ""; 127.0.0.9 1; 127.0.0.8 0; }
EOT
        cx_ignore $own;
        location /sampled/ { cx_sample 0; }
        location /consent/ { cx_privacy consent=$cookie_agreed; }
        location /dnt/ { cx_privacy dnt; }
EOT

my $chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like '
    . 'Gecko) Chrome/126.0.0.0 Safari/537.36';
my @reasons = qw(bot health_check prefetch prerender cx_ignore privacy opt_out
                 sampled_out);

sub counts {
    my ($family) = @_;
    return map { $_ => $ngx->counter($family, $_) // 0 } @reasons;
}

# a GET of the page raises this counter by one, and no other
sub skipped {
    my ($reason, $what, @headers) = @_;
    my $path = $reason =~ s/^(.*) // ? $1 : '/a.html';
    my %before = counts('views_skipped');
    $ngx->get($path, 'User-Agent' => $chrome, @headers);
    my %after = counts('views_skipped');
    my @grown = map { my $r = $_; ($r) x ($after{$r} - $before{$r}) } @reasons;
    is "@grown", $reason, "$reason: $what";
}

# who says so
my %agent = (
    bot => [
        'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
        'Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/'
        . '537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 '
        . '(compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
        'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
        'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; '
        . 'GPTBot/1.2; +https://openai.com/gptbot)',
        'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; '
        . 'ClaudeBot/1.0; +claudebot@anthropic.com)',
        'Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)',
        'Mozilla/5.0 (compatible; Baiduspider/2.0)',
        'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)',
        'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 '
        . '(KHTML, like Gecko) Version/17.4 Safari/605.1.15 (Applebot/0.1)',
        'Twitterbot/1.0', 'Slackbot-LinkExpanding 1.0', 'ia_archiver',
        'curl/7.88.1', 'Wget/1.21.3', 'python-requests/2.31.0',
        'Go-http-client/1.1', 'okhttp/4.12.0', 'Java/17.0.2',
        'Apache-HttpClient/4.5.14 (Java/17)', 'axios/1.6.2',
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) '
        . 'HeadlessChrome/126.0.0.0 Safari/537.36',
        undef, '',
    ],
    health_check => [
        'kube-probe/1.29', 'ELB-HealthChecker/2.0', 'GoogleHC/1.0',
        'Amazon-Route53-Health-Check-Service (ref x; report http://amzn.to/x)',
        'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)',
        'Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)',
    ],
);
for my $reason (sort keys %agent) {
    skipped($reason, $_ // 'no User-Agent', 'User-Agent' => $_)
        for @{$agent{$reason}};
}

# who only looks like it
my @people = (
    $chrome,
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 '
    . 'Firefox/127.0',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/'
    . '605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
    'Mozilla/5.0 (Linux; Android 12; CUBOT X50) AppleWebKit/537.36 (KHTML, like '
    . 'Gecko) Chrome/125.0.0.0 Mobile Safari/537.36',
    'Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like '
    . 'Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36',
    'Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Chrome/126.0.0.0 '
    . 'Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/468.0.0.0;]',
    'Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18',
    'Lynx/2.9.0dev.10 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.7.1',
    'Mozilla/5.0 (X11; Linux x86_64) WebKitGTK Epiphany/44.0',
);
skipped('', $_, 'User-Agent' => $_) for @people;

# what nobody has asked for yet
skipped('prefetch', 'Sec-Purpose', 'Sec-Purpose' => 'prefetch');
skipped('prefetch', 'by a private proxy', 'Sec-Purpose'
        => 'prefetch;anonymous-client-ip');
skipped('prefetch', 'Purpose', Purpose => 'prefetch');
skipped('prefetch', 'X-Moz', 'X-Moz' => 'prefetch');
skipped('prefetch', 'X-Purpose', 'X-Purpose' => 'preview');
skipped('prerender', 'Sec-Purpose', 'Sec-Purpose' => 'prefetch;prerender');

# our own people
skipped('cx_ignore', 'a value', from => '127.0.0.9');
skipped('', 'cx_ignore of 0', from => '127.0.0.8');

# who does not want it
skipped('privacy', 'GPC', 'Sec-GPC' => 1);
skipped('privacy', 'DNT', DNT => 1);
skipped('', 'GPC: 0', 'Sec-GPC' => 0);
skipped('/dnt/a.html ', 'cx_privacy dnt, GPC', 'Sec-GPC' => 1);
skipped('/consent/a.html privacy', 'no consent');
skipped('/consent/a.html privacy', 'consent 0', Cookie => 'agreed=0');
skipped('/consent/a.html ', 'consent', Cookie => 'agreed=yes');
skipped('opt_out', 'its cookie', Cookie => 'a=b; cx_opt_out=1; c=d');
skipped('opt_out', 'under consent too', Cookie => 'cx_opt_out=1; agreed=1');
skipped('', 'the cookie with another value', Cookie => 'cx_opt_out=0');
skipped('', 'another cookie', Cookie => 'xcx_opt_out=1');
skipped('/sampled/a.html sampled_out', 'cx_sample 0');

# the page does not change for those who are only not recorded
my $tagged = $ngx->get('/a.html', 'User-Agent' => $chrome)->{body};
like $tagged, qr/cx\.js/, 'a person gets the tag';
is $ngx->get('/a.html', @$_)->{body}, $tagged, "... so does $$_[0] $$_[1]"
    for [ 'User-Agent' => 'Googlebot/2.1' ], [ 'Sec-Purpose' => 'prefetch' ],
        [ from => '127.0.0.9' ];
unlike $ngx->get('/a.html', @$_)->{body}, qr/cx\.js/, "no tag: $$_[0]"
    for [ 'Sec-GPC' => 1 ], [ DNT => 1 ], [ Cookie => 'cx_opt_out=1' ];

# their POSTs
my $beacon = { v => 1, page => '/posted', events => [
    { type => 'signal', name => 'js_error' } ] };

sub ignored {
    my ($reason, @headers) = @_;
    my %before = counts('beacons_ignored');
    my $r = $ngx->post('/_cx/events', $beacon, 'User-Agent' => $chrome,
                       @headers);
    my %after = counts('beacons_ignored');
    my @grown = map { my $n = $_; ($n) x ($after{$n} - $before{$n}) } @reasons;
    is "$r->{status} @grown", "204 $reason", "POST: $reason";
}
ignored('bot', 'User-Agent' => 'Googlebot/2.1');
ignored('health_check', 'User-Agent' => 'kube-probe/1.29');
ignored('cx_ignore', from => '127.0.0.9');
ignored('privacy', 'Sec-GPC' => 1);
ignored('opt_out', Cookie => 'cx_opt_out=1');

# nothing of it is in the stream: the people and the tagged page are
my @events = $redis->wait_events(@people + 7);
is scalar(@events), @people + 7, 'only people are in the stream';
is_deeply [ grep { $_->{type} ne 'view' } @events ], [], 'and all are views';
is $ngx->counter('views'), scalar @events, 'views recorded';
my %total = counts('views_skipped');
cmp_ok $total{$_}, '>', 0, "$_ is counted" for @reasons;

$t->done;
