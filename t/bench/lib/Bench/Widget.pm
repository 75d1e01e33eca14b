package Bench::Widget;

# What the widget costs a page, beside PostHog and SurveyJS from npm: bytes and
# requests of a first visit, script on the main thread at a quarter of the
# machine's speed, time until a survey can be seen, layout shift.  One page, one
# nginx and one browser for all.  The same NPS survey with a follow-up is due on
# one page, so it is shown at once, and not on the other.
#
# Files of the peers go out as brotli -q 11 made them, as ours do, what their
# servers would answer as it stands here, as our answers do.

use strict;
use warnings;

use IPC::Open2;
use List::Util ();
use Test::Cx;

# variant, directory of its pages, label, what it does
my @ROWS = (
    [alone => 'alone', 'page alone',
     'no script but one line: what is not theirs'],
    [cx => 'cx', 'cx', 'signals, web vitals, surveys'],
    [again => 'cx', 'cx again (A/A)', 'the same'],
    [surveys => 'posthog-surveys', 'PostHog, surveys',
     'slim build with surveys, all else off'],
    [posthog => 'posthog', 'PostHog, defaults',
     'signals, web vitals, surveys; no session recording'],
    [surveyjs => 'surveyjs', 'SurveyJS',
     "a survey; when it is due is the site's own business"],
);

my @SCORE = ('How likely are you to recommend us?', 'Not at all', 'Extremely');
my $WHY = 'Why?';
my $TEXT = ('<p>words' . ' and words' x 40 . "</p>\n") x 8;


sub new {
    my ($class, $b) = @_;
    my $w = bless { b => $b, www => $b->helper('peers/www') }, $class;
    my $build = $b->t->build;
    system($ENV{MAKE} // 'make', '-s', '-f', 't/bench/Makefile',
           "BUILD=$build", 'peers') == 0 or die "widget: no peers\n";
    $w->{redis} = $b->redis;
    $w->{ngx} = $b->nginx($w->_server);
    local $ENV{CX_BUILD} = $build;
    open2($w->{from}, $w->{to}, 'node', 't/bench/widget/visit.mjs');
    $w->_visit(qw(cx due));             # the first start of all
    return $w;
}

# ---- the pages, and what they ask for ----

sub _page {
    my ($head) = @_;
    return '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        . '<meta name="viewport" content="width=device-width">'
        . '<title>t</title><link rel="icon" href="data:,">' . $head
        . "</head><body>$TEXT<div id=\"survey\"></div></body></html>\n";
}

sub _pages {
    my %head = (cx => '', alone => '<script>"none"</script>');
    $head{$_} = "<script async src=\"/peers/$_.js\"></script>"
        for qw(posthog posthog-surveys);
    $head{surveyjs} = '<link rel="stylesheet" href="/peers/surveyjs.css">'
        . '<script defer src="/peers/surveyjs.js"></script>';
    return map {
        ("html/$_/due.html" => _page($head{$_}),
         "html/$_/none.html" => _page($head{$_}))
    } keys %head;
}

sub _survey {
    return { version => 1, surveys => [{
        id => 'nps', metric => 'nps', question => $SCORE[0],
        labels => { low => $SCORE[1], high => $SCORE[2] },
        follow_up => { any => $WHY }, where => { pages => ['/cx/due.html'] },
    }] };
}

sub _posthog_surveys {
    return { surveys => [{
        id => 'nps', name => 'nps', type => 'popover',
        start_date => '2026-01-01T00:00:00Z',
        conditions => { url => '/due.html', urlMatchType => 'icontains' },
        questions => [
            { type => 'rating', display => 'number', scale => 10,
              question => $SCORE[0], lowerBoundLabel => $SCORE[1],
              upperBoundLabel => $SCORE[2] },
            { type => 'open', question => $WHY, optional => JSON::PP::true },
        ],
    }] };
}

# of a project with all signals and without recordings
sub _posthog_config {
    my ($yes, $no) = (JSON::PP::true, JSON::PP::false);
    return { surveys => $yes, heatmaps => $yes, captureDeadClicks => $yes,
             autocaptureExceptions => $yes, autocapture_opt_out => $no,
             capturePerformance => { web_vitals => $yes },
             sessionRecording => $no, hasFeatureFlags => $no,
             supportedCompression => ['gzip', 'gzip-js'] };
}

sub _answer {
    my ($path, $type, $text) = @_;
    return "location $path { default_type $type; return 200 '$text'; }";
}

sub _json {
    my ($path, $answer) = @_;
    return _answer($path, 'application/json', Test::Cx::Http::encode($answer));
}

sub _static {
    my ($path, $files) = @_;
    return "location $path { alias $files; add_header Content-Encoding br; }";
}

sub _server {
    my ($w) = @_;
    my $config = Test::Cx::Http::encode(_posthog_config());
    return (
        cx => 1,
        files => { _pages(), 'conf/surveys.json' =>
                             Test::Cx::Http::encode(_survey()) },
        http => $w->{b}->cx_http($w->{redis}) . 'cx_surveys surveys.json;',
        server => join "\n",
            'location ~ ^/(?:alone|posthog|surveyjs) { cx off; }',
            'location ~ ^/(?:peers|api)/ {', 'cx off;',
            _static('~ ^/peers/(?<peer>.+)', "$w->{www}/\$peer"),
            _static('~ ^/api/static/[\d.]+/(?<part>.+)', "$w->{www}/\$part"),
            _answer('~ ^/api/array/bench/config', 'application/javascript',
                    'window._POSTHOG_REMOTE_CONFIG='
                    . "{bench:{config:$config,siteApps:[]}}"),
            _json('~ ^/api/api/surveys/', _posthog_surveys()),
            _json('~ ^/api/flags/', { flags => {} }),
            _json('~ ^/api/(?:e|i)/', { status => 'Ok' }), '}');
}

# ---- visits ----

sub _visit {
    my ($w, $dir, $page) = @_;
    printf {$w->{to}} "http://127.0.0.1:%d/%s/%s.html\n", $w->{ngx}->port,
        $dir, $page;
    $w->{to}->flush;
    my $line = readline $w->{from};
    die "widget: the browser's script ended\n" if !defined $line;
    my $got = Test::Cx::json($line);
    my @wrong = @{$got->{wrong}};
    push @wrong, 'no survey is seen' if $page eq 'due' && !$got->{seen};
    push @wrong, 'a survey is seen' if $page eq 'none' && $got->{seen};
    $w->{b}->wrong("/$dir/$page.html: $_") for @wrong;
    $got->{late} = $got->{seen} - $got->{load} if $got->{seen};
    return $got;
}

# which pages tell something that another row does not
sub _pages_of {
    my ($id) = @_;
    return $id eq 'alone' ? 'none' : $id eq 'again' ? 'due' : qw(due none);
}

sub round {
    my ($w, $round) = @_;
    return if $round < 0;
    my $b = $w->{b};
    for my $row (@ROWS) {
        my ($id, $dir) = @$row;
        for my $page (_pages_of($id)) {
            my $got = $w->_visit($dir, $page);
            $b->note("$page $_", $id, $round, $got->{$_})
                for qw(wire raw requests script longest inp seen late shift);
            next if $id ne 'cx';
            $b->note("$page file", $_, $round, $got->{files}{$_})
                for keys %{$got->{files}};
        }
    }
    return;
}

# ---- tables ----

sub _least {
    my ($b, $row, $id) = @_;
    return List::Util::min(grep { defined } @{$b->{cell}{$row}{$id}});
}

# a figure, its ratio to ours, and of the visit that was disturbed least
sub _against {
    my ($b, $row, $id, $least) = @_;
    my $digits = $least ? '%.1f' : '%.0f';
    return (sprintf($digits, $b->figure($row, $id)),
            sprintf('%.1f', $b->ratio($row, $id, 'cx')),
            $least ? sprintf($digits, _least($b, $row, $id)) : ());
}

sub _table_bytes {
    my ($b) = @_;
    my @rows = ['', map { ($_, 'x', 'raw', 'requests') } 'shown: B',
                'not due: B'];
    for my $row (@ROWS) {
        my ($id, undef, $label) = @$row;
        next if $id eq 'alone';
        push @rows, [$label, map {
            (_against($b, "$_ wire", $id),
             map { $b->figure($_, $id) } "$_ raw", "$_ requests")
        } _pages_of($id)];
    }
    $b->table('Widget: bytes of a first visit (brotli -q 11), survey shown, and'
              . ' not due', @rows);
    printf "  %-18s%s\n", $_->[2], $_->[3] for @ROWS;
    return;
}

sub _table_time {
    my ($b, $page, $title) = @_;
    my $shown = $page eq 'due';
    my @rows = ['', (map { ($_, 'x', 'least') } 'script ms', 'longest ms'),
                'INP ms',
                $shown ? ('seen ms', 'x', 'after load', 'shift') : ()];
    for my $row (@ROWS) {
        my ($id, undef, $label) = @$row;
        next if !$b->{cell}{"$page script"}{$id};
        push @rows, [$label, (map { _against($b, "$page $_", $id, 1) }
                              qw(script longest)),
            sprintf('%.0f', $b->figure("$page inp", $id)),
            $shown ? (_against($b, 'due seen', $id),
                      sprintf('%.0f', $b->figure('due late', $id)),
                      sprintf('%.3f', $b->figure('due shift', $id))) : ()];
    }
    $b->table("Widget: main thread at 4 x CPU slowdown, $title, "
              . $b->rounds . ' rounds', @rows);
    print '  cx by file: ', join(', ', map {
        sprintf '%s %.1f', $_, $b->figure("$page file", $_)
    } sort keys %{$b->{cell}{"$page file"}}), "\n";
    return;
}

# a row: figure, the least if there is one, limit; nothing is asserted by the
# clock, what is said here does not end the run
sub _budget {
    my ($what, $limit, $got, $least) = @_;
    my ($sign, $most) = split ' ', $limit;
    my $met = $sign eq '<' ? $got < $most : $got <= $most;
    return [$what, $got, $least // '', $limit, $met ? 'met' : 'NOT met'];
}

sub _budget_ms {
    my ($b, $what, $limit, $row) = @_;
    return _budget("$what, ms", $limit, map { sprintf '%.1f', $_ }
                   $b->figure($row, 'cx'), _least($b, $row, 'cx'));
}

sub _budgets {
    my ($w) = @_;
    my $b = $w->{b};
    my %size = map {
        my ($name) = m{([^/]+)$};
        $name => length $w->{ngx}->get("/_cx/$name",
                                       'Accept-Encoding' => 'br')->{body}
    } glob 'build/widget/cx*.js';
    $b->table('Widget: budgets of cx', ['', 'median', 'least', 'budget', ''],
        _budget('cx.js, brotli B', '<= 5120', $size{'cx.js'}),
        _budget('all its files, brotli B, a wish', '<= 9216',
                List::Util::sum(values %size)),
        (map {
            my ($name, $page) = @$_;
            (_budget_ms($b, "script, $name", '<= 25', "$page script"),
             _budget_ms($b, "longest slice, $name", '< 10', "$page longest"))
        } ['survey shown', 'due'], ['not due', 'none']),
        _budget_ms($b, 'survey seen after load', '< 500', 'due late'),
        _budget('layout shift', '<= 0', $b->figure('due shift', 'cx')));
    return;
}

sub report {
    my ($w) = @_;
    my $b = $w->{b};
    _table_bytes($b);
    _table_time($b, 'due', 'survey shown');
    _table_time($b, 'none', 'survey not due');
    $w->_budgets;
    print "  script: time of the thread at 4 x slowdown, layout that it forces"
        . " included; longest:\n  in one task; least: of the visit that was"
        . " disturbed least; INP: the\n  slowest of ten clicks on text, in"
        . " steps of 8 ms, none under 16\n";
    return;
}

1;
