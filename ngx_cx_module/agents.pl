#!/usr/bin/perl
# agents.pl crawler-user-agents.json : C tables for core/cx_agent.c
#
# Patterns of the list become words in lower case to look for: alternatives
# are written out, and of what stands around a part that varies the longest
# piece stays.  Where that leaves nothing, and where agents that the list
# quotes are missed, standard error says so.
use strict;
use warnings;
use JSON::PP;

my $file = shift // die "usage: agents.pl crawler-user-agents.json\n";

# health checks and uptime monitors, looked at first

my @health = (
    'kube-probe', 'elb-healthchecker', 'googlehc', 'googlestackdrivermonitoring',
    'amazon-route53-health-check', 'consul health check', 'envoy/hc', 'haproxy',
    'edge health probe', 'traffic manager', 'cloudflare-healthchecks',
    'digitalocean uptime', 'health check', 'health-check', 'healthcheck',
    'internal dummy connection', 'alwayson', 'uptime', 'pingdom', 'statuscake',
    'blackbox-exporter', 'blackbox exporter', 'blackbox_exporter',
    'newrelicpinger', 'newrelicsynthetics', 'new relic pinger',
    'datadogsynthetics', 'datadog/synthetics', 'ruxitsynthetic', 'site24x7',
    'betterstack', 'better stack', 'hetrixtools', 'zabbix', 'nagios',
    'check_http', 'icinga', 'prtg network monitor', 'nodeping', 'freshping',
    'checkly', 'updown.io', 'uptrends', 'uptimia', 'montastic', 'gatus',
    'monit/', 'jetmon', 'hosttracker', 'oh dear', 'ohdear', 'watchmouse',
    'alertsite', 'server density', 'synthetic-monitoring-agent', 'gomezagent',
    'dynatracesynthetic', 'dejaclick', 'prometheus/', 'munin/', 'collectd/',
    'xymon',
);

# what the list does not know yet calls itself so; "bot" only as a word's end

my @bots = (
    'bot', 'bots', 'crawl', 'spider', 'scrap', 'slurp', 'http://', 'https://',
    'headless', 'phantomjs', 'lighthouse', 'preview', 'monitor', 'archiver',
    'validator', 'fetcher', 'scanner', 'checker', 'analyzer', 'extractor',
    'detector', 'audit', 'google-', 'cloudflare', 'python', 'curl/', 'wget',
    'go-http-client', 'okhttp', 'java/1', 'java/2', 'httpclient', 'grpc-',
    'rest-client', 'restsharp', 'libwww-perl', 'guzzle', 'node-', 'undici',
    'postmanruntime', 'apachebench', 'selenium', 'webdriver', 'cypress/',
    'jndi:',
);

# what people use and calls itself so: telephones, mostly

my @people = ('cubot', 'idbot', 'id bot', 'm bot', 'm_bot', 'b bot', 'c bot',
              'vr bot', 'power bot', 'xbot', 'camscanner');

# patterns that people's agents have in them, and what stands for them here

my %instead = (
    'AP3A\.240617\.008' => [],             # the Android 15 of many phones
    'MetaIAB Facebook'  => [],             # Facebook's browser in its app
    'Fluid'             => [],             # a browser for one site
    'Sogou'             => [],             # a browser too; "spider" tells
    'speedy'            => [],             # telephones; "spider" tells
    'Butterfly'         => ['butterfly/'],                     # HTC Butterfly
    'Fever'             => ['fever/'],                         # Wiko Fever
    'Sonic'             => ['ranksonic', 'sonic/'],            # O+ Sonic
    'Expanse'           => ['expanse,'],                       # a telephone
    'coccoc'            => ['^coccoc', 'imagecoccoc', '; coccoc/'], # a browser
    'Viber'             => ['^viber'],                         # its browser
    'WhatsApp'          => ['^whatsapp'],
    '008\/'             => ['^008/'],                          # TS1008/1.0
);

# what most browsers say: none of it makes a good key

my $usual = lc join '  ',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/',
    'Mozilla/5.0 (X11; Ubuntu; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
    'Chrome/138.0.0.0 Mobile Safari/537.36 Edg/135.0 OPR/120.0 YaBrowser/',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15',
    '(iPhone; CPU iPhone OS 18_6 like Mac OS X) Mobile/15E148 Instagram CriOS/ GSA/',
    '(iPad; CPU OS FBAN/FBIOS;FBAV/;FBBV/;FBDV/;FBMD/;FBSN/iOS;FBSV/;FBSS/;FBID/phone;',
    '(Linux; Android 10; K; SM-S918B Build/UP1A; wv) [FB_IAB/FB4A;FBAV/] SamsungBrowser/',
    'en-us zh-cn; compatible; MSIE Trident/7.0; Redmi Note Xiaomi HUAWEI',
    '.0.0 .1.1 .2.2 .3.3 .4.4 .5.5 /10 /11 /12 /13 /14 /15 /16 100 200';

my $SLOT_BITS = 14;
my $BUCKET_BITS = 10;

# where a word must stand, as in cx_agent.c

my %FLAG = (first => 1, last => 2, begin => 4, end => 8, names => 16);


# ---- patterns to words ----

# A small regular expression as a list of alternatives, each one string:
# letters, "\x01" where something may vary, "\x02" for ^ and "\x03" for $.

sub expand {
    my ($text) = @_;
    my @all = alternatives(\$text);

    die "a bracket too many\n" if length $text;

    return @all;
}

sub alternatives {
    my ($text) = @_;
    my @all = sequence($text);

    push @all, sequence($text) while $$text =~ s/^\|//;

    return @all;
}

sub sequence {
    my ($text) = @_;
    my @all = ('');

    while ($$text =~ /^[^|)]/) {
        my @next = atom($text);

        @next = ('', @next) if $$text =~ s/^\?//;
        @next = ("\x01", map { "$_\x01" } @next) if $$text =~ s/^\*\??//;
        @next = map { "$_\x01" } @next
            if $$text =~ s/^\+\??// || $$text =~ s/^\{[1-9][\d,]*\}//;

        die "repeated how?\n" if $$text =~ /^[*+?{]/;

        @all = map { my $head = $_; map { "$head$_" } @next } @all;

        die "too many alternatives\n" if @all > 64;
    }

    return @all;
}

sub atom {
    my ($text) = @_;

    if ($$text =~ s/^\((?:\?:)?(?!\?)//) {
        my @all = alternatives($text);
        $$text =~ s/^\)// or die "a bracket is open\n";
        return @all;
    }

    return one_of($1) if $$text =~ s/^\[((?:\\.|[^\]\\])+)\]//;
    return "\x02" if $$text =~ s/^\^//;
    return "\x03" if $$text =~ s/^\$//;
    return "\x01" if $$text =~ s/^\.// || $$text =~ s/^\\[dDsSwW]//;
    return lc $1 if $$text =~ s/^\\([^a-zA-Z0-9])//;
    return lc $1 if $$text =~ s/^([^\\()\[\]*+?{])//;

    die "not understood: $$text\n";
}

sub one_of {
    my ($set) = @_;

    return "\x01" if $set =~ /^\^|\\[a-zA-Z]|.-./ || length $set > 8;

    my %seen;
    return grep { !$seen{$_}++ } map { lc } $set =~ /\\?(.)/g;
}

# the longest piece of an alternative without a "\x01" in it

sub word {
    my ($text, @flags) = @_;
    my ($longest) = sort { length $b <=> length $a } split /\x01/, $text;

    $longest //= '';

    push @flags, 'first' if $longest =~ s/^\x02//;
    push @flags, 'last' if $longest =~ s/\x03$//;

    die "an anchor in the middle\n" if $longest =~ /[\x02\x03]/;
    die "nothing fixed of three bytes\n" if length $longest < 3;

    # what begins with a letter begins a word: not "sonic" of Panasonic
    push @flags, 'begin'
        if $longest =~ /^[a-z0-9]/ && !grep { $_ eq 'first' } @flags;

    return { text => $longest, flags => { map { $_ => 1 } @flags } };
}


# ---- what a word says, as a regular expression ----

my $people = join '|', map { '[^a-z0-9]' . quotemeta } @people;

sub matches {
    my ($word, $agent) = @_;
    my $flags = $word->{flags};
    my $from = 0;

    while ((my $at = index $agent, $word->{text}, $from) >= 0) {
        my $end = $at + length $word->{text};
        my $head = $at ? substr $agent, 0, $at : '';

        return 1 if !($flags->{first} && $at > 0
                   || $flags->{last} && $end < length $agent
                   || $flags->{begin} && $head =~ /[a-z0-9]$/
                   || $flags->{end} && substr($agent, $end, 1) =~ /[a-z]/
                   || $flags->{names}
                      && substr($agent, 0, $end) =~ /(?:$people)$/);

        $from = $at + 1;
    }

    return 0;
}

# the words that can be in a text, found by its parts

my (%kept, @kept, %lengths);

sub keep {
    my ($word) = @_;

    push @kept, $word;
    push @{ $kept{$word->{text}} }, $word;
    $lengths{length $word->{text}} = 1;
}

sub known {
    my ($agent) = @_;

    for my $len (keys %lengths) {
        for my $at (0 .. length($agent) - $len) {
            my $words = $kept{substr $agent, $at, $len} or next;
            matches($_, $agent) and return 1 for @$words;
        }
    }

    return 0;
}

# A word is not needed where a shorter one is found in it, wherever it stands.
# It is taken to be followed by no letter, as names are by their version.

sub needless {
    my ($word) = @_;
    my $flags = $word->{flags};

    return known(($flags->{first} ? '' : $flags->{begin} ? ' ' : 'x')
                 . $word->{text} . ($flags->{last} ? '' : ' '));
}


# ---- the list ----

sub list {
    open my $fh, '<:raw', $file
        or die "agents.pl: $file: $!: is the npm package crawler-user-agents"
               . " installed?\n";
    my $list = eval { decode_json(do { local $/; <$fh> }) };

    my $good = ref $list eq 'ARRAY' && @$list >= 500;

    for my $row ($good ? @$list : ()) {
        $good &&= ref $row eq 'HASH' && length($row->{pattern} // '')
                  && !ref $row->{pattern} && ref $row->{instances} eq 'ARRAY';
    }

    for my $row ($good ? @$list : ()) {
        utf8::encode($_) for $row->{pattern}, @{ $row->{instances} };
    }

    die "agents.pl: $file is not the list that it was: a JSON array of"
        . " objects with \"pattern\" and \"instances\", 500 or more\n"
        if !$good;

    return $list;
}

sub warns {
    my ($what, @lines) = @_;

    print STDERR "agents.pl: $what: ", scalar @lines, "\n",
        map { "    $_\n" } @lines if @lines;
}

sub own {
    my ($class, @texts) = @_;

    for my $text (@texts) {
        my @flags = (grep { /\Q$text\E$/ } @people) ? 'names' : ();
        push @flags, 'end' if $text eq 'bot';
        push @flags, 'begin'
            if $text =~ m{^(?:java/|node-|alwayson|gatus|monit/)};

        my $word = { text => $text, class => $class,
                     flags => { map { $_ => 1 } @flags } };

        keep($word) if $class eq 'health' || !needless($word);
    }
}

sub agents {
    my ($row) = @_;

    return map { lc } @{ $row->{instances} };
}

my $list = list();
my (@lost, @words);

own(health => @health);
own(bot => @bots);

for my $row (@$list) {
    my $own = delete $instead{$row->{pattern}};

    # people's, and not missed
    if ($own && !@$own) {
        $row->{instances} = [];
        next;
    }

    my @found = eval {
        $own ? map { word(s/^\^/\x02/r) } @$own
             : map { word($_) } expand($row->{pattern});
    };

    if ($@) {
        push @lost, "$row->{pattern}: $@" =~ s/\s+\z//r;
        next;
    }

    push @words, map { { %$_, class => 'bot', row => $row } } @found;
}

for my $word (sort { length $a->{text} <=> length $b->{text}
                     || $a->{text} cmp $b->{text}
                     || keys %{ $a->{flags} } <=> keys %{ $b->{flags} } }
              @words) {
    # in the middle of a word too, if agents that the list quotes need it
    my @missed = grep { !known($_) && !matches($word, $_) }
        agents($word->{row});

    if ($word->{flags}{begin}
        && grep { index($_, $word->{text}) >= 0 } @missed) {
        delete $word->{flags}{begin};
    }

    keep($word) if !needless($word);
}

my @missed = map { my $row = $_; map { "$row->{pattern}: $_" }
                   grep { !known($_) } agents($row) } @$list;

warns('patterns that cannot be put as words', @lost);
warns('agents of the list taken for people', @missed);
warns('patterns that the list has no more', sort keys %instead);


# ---- keys and tables ----

sub slot {
    my ($key) = @_;
    my ($a, $b, $c) = map { ord() | 0x20 } split //, $key;

    return ((($a << 24 | $b << 16 | $c << 8) * 40503) & 0xffffffff)
           >> (32 - $SLOT_BITS);
}

my %bad = map { slot(substr $usual, $_, 3) => 1 } 0 .. length($usual) - 3;
my (%used, $poor);

for my $word (@kept) {
    my ($best) = sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] }
        map {
            my $slot = slot(substr $word->{text}, $_, 3);
            my $used = $used{$slot} // 0;

            # best one that is used already, but by few
            [($bad{$slot} ? 100 : 0) + ($used ? $used : 3), $_, $slot];
        } 0 .. length($word->{text}) - 3;

    @$word{qw/ key slot /} = @$best[1, 2];
    $used{$word->{slot}}++;
    $poor++ if $bad{$word->{slot}};
}

@kept = sort { $a->{slot} <=> $b->{slot} || $a->{text} cmp $b->{text} } @kept;

my (@bits, @first);
my $shift = $SLOT_BITS - $BUCKET_BITS;

$bits[$_] = 0 for 0 .. (1 << ($SLOT_BITS - 5)) - 1;
$bits[$_->{slot} >> 5] |= 1 << ($_->{slot} & 31) for @kept;

my $n = 0;

for my $bucket (0 .. 1 << $BUCKET_BITS) {
    $n++ while $n < @kept && $kept[$n]{slot} >> $shift < $bucket;
    push @first, $n;
}

sub rows {
    my ($format, $per_row, @values) = @_;

    while (my @row = splice @values, 0, $per_row) {
        print '    ', join(' ', map { sprintf "$format,", $_ } @row), "\n";
    }
}

sub flags {
    my ($word) = @_;
    my $sum = 0;

    $sum += $FLAG{$_} for keys %{ $word->{flags} };

    return $sum;
}

sub quoted {
    my ($text) = @_;

    $text =~ s/(["\\?])/\\$1/g;
    $text =~ s/([^ -~])/sprintf '\\%03o', ord $1/ge;

    return "\"$text\"";
}

printf "/*\n * Made by agents.pl: %d words for the %d patterns of the npm package\n"
    . " * crawler-user-agents (MIT) and for our own, %d of them with a usual key.\n"
    . " */\n\n", scalar @kept, scalar @$list, $poor // 0;

print "#define CX_AGENT_SLOT_BITS    $SLOT_BITS\n",
      "#define CX_AGENT_BUCKET_BITS  $BUCKET_BITS\n\n",
      map({ sprintf "#define CX_AGENT_%-12s %d\n", uc, $FLAG{$_} }
          sort { $FLAG{$a} <=> $FLAG{$b} } keys %FLAG),
      "\n\n";

print "/* text, length, where its key is, flags, what it tells; by slot */\n\n",
      "static const cx_agent_word_t  cx_agent_words[] = {\n";
printf "    { %s, %d, %d, %d, CX_AGENT_%s },\n", quoted($_->{text}),
    length $_->{text}, $_->{key}, flags($_), uc $_->{class} for @kept;
print "};\n\n";

print "/* the first word of each bucket of slots */\n\n",
      "static const unsigned short  cx_agent_first[] = {\n";
rows('%4d', 12, @first);
print "};\n\n";

print "/* slots that hold a word, a bit each */\n\n",
      "static const uint32_t  cx_agent_slots[] = {\n";
rows('0x%08x', 6, @bits);
print "};\n\n";

print "static const char *const  cx_agent_people[] = {\n",
      map({ '    ' . quoted($_) . ",\n" } @people), "};\n";
