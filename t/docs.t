#!/usr/bin/perl

# README.md and conf/ say what the code does: each name and number that stands
# in a table of the sources stands in the README, and the other way round; the
# examples are taken by nginx.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $root = $t->root;
my $readme = read_file("$root/README.md");
my $module = read_file("$root/ngx_cx_module/http/ngx_http_cx_module.c");
my $schema = read_file("$root/include/cx_schema.h");

# a macro table's text: string pieces joined, line continuations gone
sub table {
    my ($file, $name) = @_;
    my $text = read_file("$root/include/$file");
    my ($rows) = $text =~ /^#define \Q$name\E\(\w+\)[ ]*\\\n(.*?[^\\])\n/ms
        or die "$file has no $name";
    $rows =~ s/\\\n/\n/g;
    $rows =~ s/"\s+"//g;
    return $rows;
}

# cells of the table of the README that begins with this cell
sub rows {
    my ($first) = @_;
    my ($text) = $readme =~ /^\| \Q$first\E \|[^\n]*\n\|[ \-|]+\n((?:\|[^\n]*\n)+)/m
        or die "README has no table $first";
    return map { s/^\| | \|$//g; [ split / \| / ] } split /\n/, $text;
}

sub unquoted { my ($s) = @_; $s =~ s/`//g; return $s }

# directives: names, contexts, and that each has its three
my %context = (NGX_HTTP_MAIN_CONF => 'http', NGX_HTTP_SRV_CONF => 'server',
               NGX_HTTP_LOC_CONF => 'location');
my (%code, %text);
while ($module =~ /\{ ngx_string\("(cx\w*)"\),\s+([A-Z0-9_|\s]+?),\s+(?:ngx|\w)/g) {
    my ($name, $flags) = ($1, $2);
    $code{$name} = join ', ', grep { $_ } map { $context{$_} }
        split /[|\s]+/, $flags;
}
ok keys %code > 10, 'the module has directives';
while ($readme =~ /^### (cx\w*)\nSyntax: \*\*(\w+)\*\*([^;]*); Default:\s(.*?); Context:\s([\w, \n]+?)\n\n/msg) {
    my ($name, $again, $context) = ($1, $2, $5);
    is $again, $name, "syntax of $name is its own";
    ($text{$name} = $context) =~ s/\s+/ /g;
}
is_deeply \%text, \%code, 'directives and contexts';

# defaults that are numbers
my %queue = map { $_->[0] => $module =~ /init_\w+\(cxmcf->$_->[1], ([\d *]+)\)/
                    ? eval($1) : undef }
    [ size => 'queue_size' ], [ batch => 'queue_batch' ],
    [ flush => 'queue_flush' ], [ inflight => 'queue_inflight' ],
    [ stream => 'stream_max' ];
my ($shown) = $readme =~ /\*\*cx_queue\*\* `([^`]*)`/;
my %shown;
while ($shown =~ /\[(\w+)=(\d+)(ms|m|)\]/g) {
    $shown{$1} = $2 * ($3 eq 'm' ? 1048576 : 1);
}
is_deeply \%shown,
    \%queue, 'defaults of cx_queue';
like $module, qr/merge_uint_value\(conf->sample, prev->sample, 10000\)/,
    'default of cx_sample';
like $module, qr{merge_str_value\(conf->prefix, prev->prefix, "/_cx/"\)},
    'default of cx_prefix';
like read_file("$root/ngx_cx_module/http/ngx_http_cx_zone.c"),
    qr/ZONE_SIZE\s+\(16 \* 1024 \* 1024\)/, 'default of cx_zone';

# variables
my $variables = read_file("$root/ngx_cx_module/http/ngx_http_cx_variables.c");
is_deeply [ sort map { unquoted($_->[0]) } rows('variable') ],
    [ sort map { "\$$_" } $variables =~ /\{ ngx_string\("(cx_\w+)"\)/g ],
    'variables';
my %known = map { $_ => 1 } $variables =~ /ngx_string\("(cx_\w+)"\)/g,
    'cx_consent';
is join(' ', grep { !$known{$_} } $readme =~ /\$(cx_\w+)/g), '',
    'no other $cx_ variable is mentioned';

# outcomes
is_deeply [ sort map { unquoted($_->[0]) } rows('value') ],
    [ sort { $a cmp $b } table('ngx_http_cx.h', 'NGX_HTTP_CX_OUTCOMES')
           =~ /O\(\w+, "(\w+)"/g ], 'values of $cx_injected';

# signals: each is named where it is seen
my (%by, %told, %signal, %threshold);
my $signals = table('cx_signal.h', 'CX_SIGNALS');
while ($signals =~ /S\(\w+, "(\w+)", (\w+), ([\d.]+), (\d+),/g) {
    $signal{$1} = { strength => $3, cap => $4 };
    $by{nginx}{$1} = 1 if $2 eq 'EDGE' || $2 eq 'BOTH';
    $by{browser}{$1} = 1 if $2 ne 'EDGE';
}
for my $row (rows('seen by')) {
    my ($who) = $row->[0] =~ /^(\w+):/;
    $told{$who}{$_} = 1 for $row->[1] =~ /`(\w+)`/g;
}
is_deeply \%told, \%by, 'signals, by who sees them';
my ($ours, $theirs) = $readme =~ /(\d+) signals that nginx sees\s[^,]*, and (\d+) that/;
is "$ours $theirs", keys(%{$by{nginx}}) . ' ' . keys(%{$by{browser}}),
    '... as many';
like $readme, qr{\]\(conf/signals\.md\)}, 'the table has a page of its own';

# thresholds: the sample has all of them, each commented out, as built in
my $sample = read_file("$root/conf/cx-thresholds.conf");
my %shown_as = $sample =~ /^#([a-z_]+(?:\.\w+)?) ([\d.]+)$/mg;
my $thresholds = table('cx_signal.h', 'CX_THRESHOLDS');
while ($thresholds =~ /T\(\w+, "(\w+)", (\d+), (\d+), (\d+),/g) {
    $threshold{$1} = $2;
    like $sample, qr/; $3\s(?:# )?to(?:\n#)? $4\n#$1 /, "range of $1";
}
for my $name (keys %signal) {
    $threshold{"$name.$_"} = $signal{$name}{$_} for qw(strength cap);
}
is_deeply \%shown_as, \%threshold, 'conf/cx-thresholds.conf has the defaults';
unlike $sample, qr/^[^#\n]/m, '... all of them commented out';
my ($idle) = read_file("$root/include/cx_signal.h")
    =~ /SESSION_IDLE_S\s+(\d+)/;
is $idle, 30 * 60, 'a visit ends after 30 minutes';
like $readme, qr/ends\s+after 30 minutes/, '... says the README';
like $readme, qr/`cx_opt_out=1`/, 'the cookie of the opt-out';
like read_file("$root/include/ngx_http_cx.h"), qr/OPT_OUT_COOKIE  "cx_opt_out"/,
    '... is called so';

# reasons why a view is not recorded
my $counters = table('ngx_http_cx.h', 'NGX_HTTP_CX_COUNTERS');
my ($reasons) = $readme =~ /`views_skipped`:\s(.*?);/s;
is_deeply [ $reasons =~ /`(\w+)`/g ],
    [ $counters =~ /"views_skipped", "(\w+)"/g ], 'reasons';

# limits
my %limit = $schema =~ /^#define (CX_\w+)\s+(\d+)/mg;
is $limit{CX_BODY_MAX}, 64 * 1024, 'over 64 KiB';
for ([ CX_PAGE_MAX => 'page key, up to %d bytes' ],
     [ CX_SITE_MAX => 'up to %d letters' ],
     [ CX_NAME_MAX => 'audience, up to %d bytes' ])
{
    my ($name, $phrase) = @$_;
    my $words = join '\s+', map { quotemeta }
        split / /, sprintf $phrase, $limit{$name};
    like $readme, qr/$words/i, "$name in the README";
}
my ($wait) = read_file("$root/ngx_cx_module/http/ngx_http_cx_collect.h")
    =~ /COLLECT_WAIT\s+(\d+)/;
is $wait, 3000, 'an answer within 3 s';
my ($ttl) = read_file("$root/ngx_cx_module/http/ngx_http_cx_token.c")
    =~ /TOKEN_TTL\s+(\d+)/;
is $ttl, 86400, 'tokens last a day';
my ($marks) = read_file("$root/ngx_cx_module/http/ngx_http_cx_channel.c")
    =~ /CHANNEL_MARK\s+(\d+)/;
is $marks, 30 * 86400, 'marks of batches 30 days';

# endpoint: statuses of the table are those that are sent
my %status = map { $_ => 1 } map { $_->[0] =~ /\d+/g } rows('status');
is_deeply [ sort keys %status ], [ qw(400 403 404 405 413 415 503) ],
    'statuses';

# programs
my ($exit, $help) = $t->run($t->build . '/cx-aggregator', '--help');
for ([ 'keep-hours' => '8 days', '8d' ], [ 'keep-days' => '400 days', '400d' ],
     [ 'keep-answers' => '90 days', '90d' ], [ pages => '5000', '5000' ])
{
    my ($name, $says, $is) = @$_;
    like $help, qr/^  --$name\b.*\(\Q$is\E\)$/m, "--$name is $is";
    like $readme, qr/\Q$says\E/, "README says $says";
}
like $help, qr/^  --\Q$_\E\b/m, "cx-aggregator --$_"
    for qw(config check-config once rebuild-scores keep-stream thresholds);
($exit, $help) = $t->run($t->build . '/cxctl', '--help');
my ($commands) = $help =~ /usage:[^\n]*\n\n(.*?)\n\n/s;
like $readme, qr/^`cxctl` reads:[^;]*`\Q$_\E(?: KEY| LOG)?`/m, "cxctl $_"
    for $commands =~ /^  (\w+)/mg;
like $readme, qr/redis-cli[^\n]*rank:impact:d:\d{8}/, 'keys by hand';
for my $id (qw(PAGE SCORE RANK)) {
    my ($grammar) = table('cx_keys.h', 'CX_KEYS') =~ /K\($id, "([^"]+)"/;
    (my $re = quotemeta $grammar) =~ s/\\%[gwn]/[^':]+/g;
    like $readme, qr/'cx:\{[^}]+\}:$re'/, "a key like $grammar";
}

# surveys: metrics, their buckets, and the keys of the example
my $keys = join '', map { read_file($_) }
    glob "$root/ngx_cx_module/http/ngx_http_cx_survey*.c";
my %buckets;
while ($keys =~ /survey_(nps|csat|ces|psat)_keys\[\] = \{(.*?)\n\};/sg) {
    my ($metric, $list) = ($1, $2);
    $buckets{$metric} = join ' ', $list =~ /\{ "(\w+)"/g;
}
is_deeply { map { (unquoted($_->[0]) => join ' ', $_->[2] =~ /`(\w+)`/g) }
            rows('metric') }, \%buckets, 'metrics and buckets';

my ($example) = $readme =~ /^```json\n(.*?)^```/ms;
for my $table (qw(survey label where when often)) {
    my ($list) = $keys =~ /survey_(?:${table}_)?keys\[\] = \{(.*?)\n\};/s
        if $table eq 'survey';
    ($list) = $keys =~ /survey_${table}_keys\[\] = \{(.*?)\n\};/s
        if $table ne 'survey';
    like $example, qr/"$_":/, "the example has $_" for $list =~ /\{ "(\w+)"/g;
}

# the configurations
my $so = $t->build . '/ngx_http_cx_module.so';
my $root_dir = $t->subdir('www');

sub taken {
    my ($what, $conf, $surveys, %more) = @_;
    my $port = free_port();
    $conf =~ s{modules/ngx_http_cx_module\.so}{$so};
    $conf =~ s{/var/www/shop}{$root_dir}g;
    $conf =~ s{/etc/nginx/surveys\.json}{surveys.json};
    $conf =~ s{listen 80;}{listen 127.0.0.1:$port;};
    $conf =~ s{server_name}{listen 127.0.0.1:$port; server_name}
        if $conf !~ /listen/;
    $conf .= "events { }\n" if $conf !~ /^events/m;
    my ($status, $out) = $t->nginx_test(conf => $conf, files => {
        'conf/surveys.json' => $surveys, %more,
        'conf/mime.types' => 'types { text/html html; }' });
    is $status, 0, "nginx takes $what" or diag $out;
}

my ($least) = $readme =~ /^```nginx\n(.*?)^```/ms;
taken('the least one writes', $least, $example);
taken('conf/nginx.conf', read_file("$root/conf/nginx.conf"), $example);
(my $all = read_file("$root/conf/nginx.conf"))
    =~ s/^(\s*)#(cx_(?!redis)|set_real|real_ip)/$1$2/mg;
(my $tuned = $sample) =~ s/^#(?=[a-z_.]+ [\d.]+$)//mg;
taken('conf/nginx.conf with its alternatives', $all, $example,
      'conf/cx-thresholds.conf' => $sample);
taken('conf/cx-thresholds.conf, nothing commented out', $all, $example,
      'conf/cx-thresholds.conf' => $tuned);
my $file = write_file($t->dir . '/tuned', $tuned);
is(($t->aggregate('--check-config', '--thresholds', $file))[0], 0,
   '... which cx-aggregator takes as well');
taken("the demo's surveys", $least,
      read_file("$root/conf/demo/surveys.json"));

# room in the default zone
my $ngx = $t->nginx(cx => 1, redis => $t->redis);
my ($visits, $pages) = $ngx->error_log =~ /room for (\d+) visits and (\d+) pages/;
(my $say = ($readme =~ /16m\shave\sroom\sfor\s([^:.]*?pages)/)[0] // '')
    =~ s/\s+/ /g;
is $say, int($visits / 1000) * 1000 . ' visits and ' . int($pages / 500) * 500
    . ' pages', 'room in cx_zone';
my ($bytes) = $readme =~ /A\svisit\stakes\ssome\s(\d+)\sbytes/;
cmp_ok abs(16 * 1048576 * 7 / 8 / $visits / $bytes - 1), '<', 0.03,
    'bytes of a visit';

# links and size
for my $link ($readme =~ /\]\(([^)#][^)]*)\)/g) {
    ok -e "$root/$link", "link to $link";
}
my %anchor = map { (lc) => 1 } $readme =~ /^#+ (\w+)$/mg;
ok $anchor{$_}, "link to #$_" for $readme =~ /\]\(#([^)]+)\)/g;
cmp_ok scalar(() = $readme =~ /\n/g), '<=', 450, 'ten minutes to read';
cmp_ok -s "$root/conf/demo/screenshot.png", '<', 120 * 1024, 'small screenshot';

$t->done;
