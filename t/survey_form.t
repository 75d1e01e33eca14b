#!/usr/bin/perl

# <prefix>survey/<id>: a survey without any script, from a page or from a link.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Time::HiRes qw(time sleep);

my $bad = '<script>"&\'x';
my $surveys = Test::Cx::Http::encode({ version => 1, surveys => [
    { id => 'nps', metric => 'nps', follow_up => {
          detractor => 'What went wrong on {title}?', any => 'Why?' },
      more => [ { kind => 'choice', if => ['detractor'],
                  question => 'What was it?', options => ['slow', 'broken'] } ],
      thanks => { text => 'Thanks <you>',
                  link => { url => '/next?a=1&b=2', label => 'Go on' } } },
    { id => 'xss', metric => 'csat', question => "Q $bad",
      labels => { low => "L $bad", high => "H $bad" },
      follow_up => { any => "W $bad" }, thanks => "T $bad" },
    { id => 'picks', metric => 'choices', question => 'Which?',
      options => ["o $bad", 'two', 'three'] },
    { id => 'pick', metric => 'choice', question => 'Which?',
      options => ['one', 'two'] },
    { id => 'say', metric => 'text', question => 'What?' },
    { id => 'thumb', metric => 'psat' },
    { id => 'gone', metric => 'nps', retired => \1 },
    { id => 'late', metric => 'nps', until => '2020-01-01' },
    { id => 'two', metric => 'nps', language => 'de',
      question => { de => 'Gut?', ar => 'Jayid?' },
      labels => { low => { de => 'nein', ar => 'la' },
                  high => { de => 'ja', ar => 'naam' } } },
] });

my $t = Test::Cx->new;
my $redis = $t->redis;
my $ngx = $t->nginx(redis => $redis, cx => 1,
    http => "cx_queue flush=20ms;\n",
    server => 'cx_surveys surveys.json; cx_segment $http_x_segment;',
    files => { 'conf/surveys.json' => $surveys });

sub form {
    my ($path, %o) = @_;
    return $ngx->get("/_cx/survey/$path", %o);
}

sub quote { my ($s) = @_; $s =~ s/([^A-Za-z0-9._-])/sprintf '%%%02X', ord $1/ge;
            $s }

sub field { my ($r, $name) = @_;
            $r->{body} =~ /name="\Q$name\E" value="([^"]*)"/ ? $1 : undef }

# posts a form as a browser would, with what was filled in
sub fill {
    my ($id, $r, $fields, %o) = @_;
    my %hidden = map { $_ => field($r, $_) } qw(t lang page);
    my @pairs = ((map { [$_, $hidden{$_}] } sort keys %hidden), @$fields);
    my %last;
    $last{$_->[0]} = $_->[1] for @$fields;
    my $body = join '&', map { "$_->[0]=" . quote($_->[1]) }
        grep { defined $_->[1] && !($hidden{$_->[0]} && exists $last{$_->[0]}
                                    && $_->[1] ne $last{$_->[0]}) } @pairs;
    return $ngx->post("/_cx/survey/$id", $body,
        'Content-Type' => 'application/x-www-form-urlencoded', %o);
}

sub answers { grep { $_->{type} eq 'answer' } $redis->events }

# the page
my $r = form('nps?score=9', 'Accept-Language' => 'en');
is $r->{status}, 200, 'a form';
is $r->{headers}{'content-type'}, 'text/html; charset=utf-8', 'HTML';
is $r->{headers}{'content-security-policy'}, "default-src 'none'; style-src "
    . "'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'strict policy';
ok !exists $r->{headers}{'set-cookie'}, 'no cookie';
like $r->{headers}{'cache-control'}, qr/no-store/, 'not stored';
unlike $r->{body}, qr/<script|style=| on\w+=/i, 'nothing that the policy forbids';
like $r->{body}, qr/<html lang="en" dir="ltr">/, 'language and direction';
like $r->{body}, qr/<legend><h1>How likely are you to recommend/, 'question';
is scalar(() = $r->{body} =~ /type="radio" name="score"/g), 11, '11 scores';
like $r->{body}, qr/value="9" checked>/, 'the score of the link is chosen';
is scalar(() = $r->{body} =~ /checked/g), 1, 'no other';
like $r->{body}, qr/<label for="text">Why\?</, 'why, as for any';
unlike $r->{body}, qr/What was it/, 'not what is for others';
like form('nps?score=2')->{body}, qr/went wrong on localhost\?.*What was it\?/s,
    'for detractors there is more';
unlike form('nps?score=11')->{body}, qr/checked/, 'no such score: none chosen';
unlike form('nps?score=%22%3E')->{body}, qr/checked/, 'no score: none chosen';
my $css = $ngx->get(($r->{body} =~ /href="([^"]*form\.css[^"]*)"/)[0]);
is $css->{status}, 200, 'its style';
is $css->{headers}{'content-type'}, 'text/css; charset=utf-8', 'as CSS';
$r = $ngx->head('/_cx/survey/nps?score=9');
is $r->{status}, 200, 'HEAD';
$ngx->get('/_cx/survey/nps?score=9', 'Sec-Purpose' => 'prefetch') for 1 .. 3;
sleep 0.2;
is scalar(answers()), 0, 'to look at it is no answer';
is form('nope')->{status}, 404, 'unknown';
is $ngx->get('/_cx/survey/')->{status}, 404, 'none';
is $ngx->get('/_cx/survey')->{status}, 404, 'no slash';
is form('gone')->{status}, 410, 'retired';
is form('late')->{status}, 410, 'over';
is $ngx->get('/_cx/survey/nps', method => 'PUT')->{status}, 405, 'PUT';

# an answer
my @me = ('User-Agent' => 'Mozilla/5.0 Me', 'X-Segment' => 'gold',
          Referer => 'http://localhost/docs/8123?x=1');
my $page = form('nps?score=2', @me);
is field($page, 'page'), '/docs/:id', 'the page that led here';
$r = fill('nps', $page, [[score => 3], [choice => 1],
    [text => "a\r\nb joe\@example.com"]], @me);
is $r->{status}, 200, 'taken';
like $r->{body}, qr/Thanks &lt;you&gt;/, 'thanks, escaped';
like $r->{body}, qr/href="\/next\?a=1&amp;b=2"/, 'a link to go on';
my ($a) = answers();
is_deeply [@$a{qw(page segment survey metric score choice text done lang source
                  trigger chance)}],
    ['/docs/:id', 'gold', 'nps', 'nps', 3, 1, "a\nb [email]", 1, 'en',
     'volunteered', 'form', ''], 'as it was filled in';
like $a->{visit}, qr/^[0-9a-f]{16}$/, 'of a visit';
is $a->{answer}, (split /\./, field($page, 't'))[1], 'with its id';
fill('nps', $page, [[score => 10]], @me);
my @a = answers();
is $a[1]{answer}, $a[0]{answer}, 'sent again: the same answer id';
$page = form('nps', @me);
is((split /\./, field($page, 't'))[1], $a->{answer},
    'a new form of the same visit: the same, too');
isnt((split /\./, field(form('nps', 'User-Agent' => 'Mozilla/5.0 You'), 't'))[1],
    $a->{answer}, 'another visitor: another one');
is field(form('nps'), 'page'), '/_cx/survey/nps', 'no page led here';
is field(form('nps', Referer => 'http://other.example/x'), 'page'),
    '/_cx/survey/nps', 'a page of others';

# what is missing
my $before = @{[answers()]};
$r = fill('nps', $page, [[text => 'only <this>']], @me);
is $r->{status}, 422, 'no score';
like $r->{body}, qr/role="alert">Please choose an answer\./, 'says so';
like $r->{body}, qr/only &lt;this&gt;<\/textarea>/, 'keeps the text';
$r = fill('nps', $r, [[score => 7], [text => 'only <this>']], @me);
is $r->{status}, 200, 'then it is taken';
is(((answers())[-1])->{text}, 'only <this>', 'with the text');
for (['picks', [], 422], ['picks', [[choice => 0], [choice => 2]], 200, '0,2'],
     ['picks', [[choice => 3]], 400], ['picks', [[choice => 'x']], 400],
     ['pick', [], 422], ['pick', [[choice => 1]], 200, '1'],
     ['pick', [[choice => 0], [choice => 1]], 400],
     ['pick', [[score => 1]], 400], ['nps', [[score => 11]], 400],
     ['nps', [[score => 'x']], 400], ['thumb', [[score => 0]], 200, ''],
     ['say', [], 422], ['say', [[text => " \r\n "]], 422],
     ['say', [[text => "a\0b\x0bc\xc2\x85d\x7fe"]], 200, ''],
     ['say', [[text => 'hello']], 200, ''],
     ['say', [[text => "\x01"]], 422], ['say', [[text => "\xff"]], 400],
     ['say', [[text => 'x' x 2000 . "\xc3\xa4"]], 200, ''],
     ['pick', [[choice => 1], [text => 'x']], 400],
     ['nps', [[score => 1], [page => "\x02"]], 400]) {
    my ($id, $fields, $status, $choice) = @$_;
    my $name = "$id " . join ' ', map { "$_->[0]=" . quote(substr $_->[1], 0, 8) }
        @$fields;
    my $f = form($id, @me);
    my $r = fill($id, $f, $fields, @me);
    is $r->{status}, $status, $name;
    is(((answers())[-1])->{choice}, $choice, "$name: choice")
        if defined $choice;
}
is +(grep { $_->{survey} eq 'say' } answers())[0]{text}, 'a b c d e',
    'control characters are spaces';
is length(((grep { $_->{survey} eq 'say' } answers())[-1])->{text}), 2000,
    'what is too long is cut at a character';
is form('say')->{body} =~ /<textarea[^>]*required>/ ? 1 : 0, 1,
    'text that must be there';

# escaping
for my $path ('xss', 'picks', 'xss?lang=' . quote($bad) . '&t=' . quote($bad)
              . '&score=' . quote($bad)) {
    my $r = form($path, Referer => "http://localhost/$bad",
                 'Accept-Language' => $bad);
    is $r->{status}, 200, "$path: 200";
    unlike $r->{body}, qr/<script|"&'/, "$path: escaped";
}
$r = fill('xss', form('xss'), [[text => $bad]]);
unlike $r->{body}, qr/<script|"&'/, 'what was sent comes back escaped';
unlike fill('xss', form('xss'), [[score => 1]])->{body}, qr/<script/,
    'thanks, escaped';

# languages
$r = form('two?lang=ar');
like $r->{body}, qr/<html lang="ar" dir="rtl">/, 'asked for: from right to left';
like $r->{body}, qr/Jayid\?/, 'in it';
is field($r, 'lang'), 'ar', 'kept';
like form('two', 'Accept-Language' => 'ar-EG, en')->{body}, qr/Jayid/,
    'the browser\'s';
like form('two', 'Accept-Language' => 'ja')->{body}, qr/Gut\?/,
    'none of them: the first';
is fill('two', $r, [[score => 5]])->{status}, 200, 'an answer in Arabic';
is(((answers())[-1])->{lang}, 'ar', 'says so');

# tokens
my $v = $a->{version};
my $make = \&Test::Cx::Token::make;
for (['expired', $make->('localhost', 'nps', $v, 'a' x 16, time - 5)],
     ['of another survey', field(form('say'), 't')], ['forged', 'x' x 42],
     ['', undef]) {
    my ($name, $token) = @$_;
    $before = @{[answers()]};
    my $r = $ngx->post('/_cx/survey/nps', 'score=4&text=kept'
        . (defined $token ? "&t=$token" : ''),
        'Content-Type' => 'application/x-www-form-urlencoded');
    is $r->{status}, 403, "token $name: refused";
    like $r->{body}, qr/role="alert">Your answer has not been saved yet\./,
        "token $name: says so";
    is scalar(answers()), $before, "token $name: not recorded";
    like $r->{body}, qr/value="4" checked>.*kept<\/textarea>/s,
        "token $name: what was filled in is kept";
    is fill('nps', $r, [[score => 4]])->{status}, 200,
        "token $name: pressed again, it is taken";
}
is $ngx->counter('beacons_rejected', 'expired'), 1, 'counted: expired';
is $ngx->counter('beacons_rejected', 'token'), 3, 'counted: token';

# a link
my $id = 'c0ffee' . '0' x 10;
my $link = $make->('localhost', 'nps', '', $id);
$before = @{[answers()]};
$r = form("nps?score=9&t=$link");
is $r->{status}, 200, 'a link';
is field($r, 't'), $link, 'its token stays';
is scalar(answers()), $before, 'to follow it is no answer';
is fill('nps', $r, [[score => 8]])->{status}, 200, 'confirmed by a click';
($a) = (answers())[-1];
is_deeply [@$a{qw(answer score source trigger visit page)}],
    [$id, 8, 'invited', 'link', '', '/_cx/survey/nps'], 'invited by a link';
fill('nps', form("nps?t=$link", @me), [[score => 1]], @me);
is(((answers())[-1])->{answer}, $id, 'from another device: the same answer');
is(((answers())[-1])->{page}, '/_cx/survey/nps', 'and the same page');
for (['expired', $make->('localhost', 'nps', '', $id, time - 5)],
     ['of another survey', $make->('localhost', 'say', '', $id)],
     ['of another site', $make->('x', 'nps', '', $id)]) {
    my ($name, $token) = @$_;
    my $r = form("nps?score=9&t=$token");
    isnt field($r, 't'), $token, "a link $name is a plain form";
    is fill('nps', $r, [[score => 9]])->{status}, 200, "$name: which is taken";
    is(((answers())[-1])->{trigger}, 'form', "$name: as that");
}
# a link is good for longer than the survey
for my $over ('gone', 'late') {
    $before = @{[answers()]};
    my $r = $ngx->post("/_cx/survey/$over", 'score=9&t='
        . $make->('localhost', $over, '', $id),
        'Content-Type' => 'application/x-www-form-urlencoded');
    is $r->{status}, 410, "a link to what is $over";
    is scalar(answers()), $before, 'is not taken';
}

# what is said in the language of the form
my $words = json(read_file($t->root . '/ngx_cx_module/languages.json'));
my @words;
for my $tag (sort keys %$words) {
    my ($closed, $again) = @{$words->{$tag}{words}}{qw(closed again)};
    utf8::encode($_) for $closed, $again;
    my $r = form("gone?lang=$tag");
    push @words, "$tag: closed" if index($r->{body}, "<h1>$closed</h1>") < 0
        || $r->{body} !~ /<html lang="\Q$tag\E"/;
    $r = $ngx->post('/_cx/survey/thumb', "score=1&lang=$tag",
        'Content-Type' => 'application/x-www-form-urlencoded');
    push @words, "$tag: again" if index($r->{body}, ">$again</p>") < 0;
}
cmp_ok scalar(keys %$words), '>=', 16, 'languages: ' . keys %$words;
is "@words", '', 'closed, and again, in all of them';
my ($status, $url, $err) = $t->ctl('link', '--secret',
    $ngx->dir . '/conf/secret', '--site', 'localhost', 'nps', 'joe@example.com',
    '10');
is $status, 0, 'cxctl link' or diag $err;
my ($made) = $url =~ /[?&]t=([^&\s]+)/;
$r = form("nps?score=10&t=" . ($made // ''));
is field($r, 't'), $made, 'what cxctl link makes is good';
unlike $url, qr/joe/, 'nobody is named in it';

# who
$before = @{[answers()]};
my @gpc = (@me, 'Sec-GPC' => 1);
is fill('nps', form('nps', @gpc), [[score => 6]], @gpc)->{status}, 200, 'GPC';
($a) = (answers())[-1];
is_deeply [@$a{qw(score visit segment)}], [6, '', ''],
    'the answer is taken, the visit is not';
my @bot = ('User-Agent' => 'Googlebot/2.1');
$before = @{[answers()]};
is fill('nps', form('nps', @bot), [[score => 6]], @bot)->{status}, 200, 'a bot';
sleep 0.1;
is scalar(answers()), $before, 'does not vote';
is fill('nps', form('nps'), [[score => 6]], Origin => 'http://evil.example')
    ->{status}, 403, 'not from another site';
is $ngx->post('/_cx/survey/nps', '{}')->{status}, 415, 'not JSON';
is fill('nps', form('nps'), [[text => 'x' x 33000]])->{status}, 413, 'too large';
is fill('say', form('say'), [[text => "\xe3\x81\x82" x 2000]])->{status}, 200,
    'as much as fits into the field, in Japanese'; # of which each byte is %XX

# a theme whose font is the page's: ours have none to take it from
my $themed = $t->nginx(redis => $redis, cx => 1, server => 'cx_surveys x.json;',
    files => { 'conf/x.json' => Test::Cx::Http::encode({ version => 1,
        theme => { font => 'inherit' },
        surveys => [ { id => 'x', metric => 'nps' } ] }) });
$css = $themed->get('/_cx/form.css')->{body};
is(($css =~ /--cx-font:([^;}]+)/g)[-1], 'system-ui', 'the font of a form');
is json($themed->get('/_cx/surveys?page=/a')->{body})
    ->{theme}{light}{'--cx-font'}, 'inherit', 'not that of the widget';

# Redis away: not lost silently
$page = form('nps', @me);
$redis->pause;
$r = fill('nps', $page, [[score => 5], [text => 'patience']], @me);
is $r->{status}, 503, 'Redis does not answer';
like $r->{body}, qr/patience<\/textarea>/, 'the form again, filled in';
like $r->{body}, qr/role="alert">Your answer has not been saved yet\./,
    'and it says why';
$redis->cont;
ok wait_for(sub { fill('nps', $page, [[score => 5]], @me)->{status} == 200 },
            10), 'then it is taken';

$t->done;
