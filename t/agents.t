#!/usr/bin/perl

# Who is taken for a crawler and who for a health check: all that the installed
# list quotes, browsers of all kinds, and what agents.pl makes of patterns.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $root = $t->root;
my $list = "$root/build/npm/node_modules/crawler-user-agents"
           . '/crawler-user-agents.json';
my $browsers = ($ENV{CX_NODE_MODULES} // "$root/build/node/node_modules")
               . '/top-user-agents/src/index.json';

# what the list quotes and people have: patterns by why
my %people = (
    'AP3A\.240617\.008' => 'the Android 15 of many telephones',
    'MetaIAB Facebook'  => "Facebook's browser in its app",
    'Fluid'             => 'a browser for one site',
);

my %said;
my $group = '';
while (my $line = <DATA>) {
    chomp $line;
    if ($line =~ /^# (\w+)/) { $group = $1 }
    elsif ($line ne '') { push @{ $said{$group} }, $line }
}

my $program = build("$root/build/gen", 'agent');

subtest 'the list' => sub {
    my (@agents, @pattern);
    for my $row (@{ decode_json(read_file($list)) }) {
        for my $agent (@{ $row->{instances} }) {
            utf8::encode(my $bytes = $agent);
            push @agents, $bytes;
            push @pattern, $row->{pattern};
        }
    }
    my @who = ask($program, @agents);
    my %missed = map { $pattern[$_] => $agents[$_] }
        grep { $who[$_] eq 'person' } 0 .. $#agents;

    cmp_ok scalar @agents, '>', 2000, 'agents are quoted';
    ok defined delete $missed{$_}, "$_: $people{$_}" for sort keys %people;
    is join("\n", map { "$_: $missed{$_}" } sort keys %missed), '',
        sprintf '%d of %d are recognised, all but those',
                scalar(grep { $_ ne 'person' } @who), scalar @agents;
};

for my $group (qw(person bot health)) {
    subtest $group => sub {
        my @agents = @{ $said{$group} };
        my @who = ask($program, @agents);
        is $who[$_], $group, $agents[$_] for 0 .. $#agents;
        done_testing;
    };
}

subtest 'whatever their case' => sub {
    my @agents = map { @{ $said{$_} } } qw(person bot health);
    my @who = ask($program, @agents);
    is join(' ', ask($program, map { lc } @agents)), "@who", 'lower';
    is join(' ', ask($program, map { uc } @agents)), "@who", 'upper';
};

SKIP: {
    skip 'no top-user-agents: make node', 2 if !-f $browsers;
    my @agents = @{ decode_json(read_file($browsers)) };
    my @who = ask($program, @agents);
    cmp_ok scalar @agents, '>=', 50, 'most used browsers';
    is join("\n", map { $agents[$_] } grep { $who[$_] ne 'person' }
                  0 .. $#agents), '', 'none of them a crawler';
}

# the generator: patterns in, words out

my @filler = map { { pattern => "filler$_", instances => [] } } 100 .. 599;

subtest 'patterns' => sub {
    my @rows = (
        ['[wW]zzet', 'WZZET/1'],
        ['^zzfirst', 'zzfirst 1'],
        ['zzend$', '(zzend'],
        ['zzcolou?r\/', 'a zzcolor/', 'a zzcolour/'],
        ['(zza|ZZB) [cC]rate', 'ZZA crate', 'zzb Crate'],
        ['zzx[\s\S]*zzlonger', 'zzx then zzlonger'],
        ['zzver\/\d\.\d+', 'zzver/1.22'],
        ['(^| )zzsentry\/', 'zzsentry/1', 'a zzsentry/1'],
        ['zzinner', 'xzzinner'],
        ['zz\.io\/\+x', 'zz.io/+x'],
        ["zzn\xf6rd", "zzn\xf6rd 1"],
    );
    my @words = map { { pattern => $_->[0],
                        instances => [@$_[1 .. $#$_]] } } @rows;
    my ($status, undef, $err) = generate([@filler, @words], "gen.words");
    is $status, 0, 'made';
    unlike $err, qr/cannot be put|taken for people/, 'all of them';

    my $own = build($t->dir . '/gen.words', 'agent.words');
    my @agents = map { utf8::encode(my $a = $_); $a } map { @$_[1 .. $#$_] } @rows;
    my @who = ask($own, @agents);
    is $who[$_], 'bot', $agents[$_] for 0 .. $#agents;
    my @near = ('a zzfirst', 'zzend x', 'zzcolouur/', 'zzc crate', 'zzx zzlong',
                'a-zzsentry/', 'zzxio/+x', 'xzzver/1.2', 'maffiller100');
    @who = ask($own, @near);
    is $who[$_], 'person', "not $near[$_]" for 0 .. $#near;
};

subtest 'what cannot be done is said' => sub {
    my ($status, undef, $err) = generate([@filler,
        { pattern => 'z.z.z', instances => ['zAzBz'] },
        { pattern => '(?=zz)zzz', instances => [] },
        { pattern => '(zzz', instances => [] }], 'gen.lost');
    is $status, 0, 'the build goes on';
    like $err, qr/^agents\.pl: patterns that cannot be put as words: 3$/m, 'how many';
    like $err, qr/^ +\Qz.z.z\E: nothing fixed/m, 'which, and why';
    like $err, qr/ agents of the list taken for people: 1\n.*zazbz/, 'agents';
};

subtest 'not the list' => sub {
    my %texts = (
        'not JSON' => '[', 'no array' => '{}', 'few' => '[]',
        'no patterns' => encode_json([map { { instances => [] } } @filler]),
        'no agents' => encode_json([map { { pattern => 'xxx' } } @filler]),
    );
    for my $name (sort keys %texts) {
        my ($status, $out, $err) = generate($texts{$name}, 'gen.bad');
        isnt $status, 0, "$name fails";
        is $out, '', 'and makes nothing';
        like $err, qr/^agents\.pl: \S+ is not the list that it was: [^\n]+\n\z/,
            'and says so';
    }
    my ($status, $out, $err) = $t->run($^X, "$root/ngx_cx_module/agents.pl",
                                       $t->dir . '/none');
    isnt $status, 0, 'no file fails';
    like $err, qr/^agents\.pl: \S+none: [^\n]+ is the npm package [^\n]+\n\z/,
        'and says so';
};

subtest 'the same each time' => sub {
    my @out = map {
        my (undef, $out) = $t->run('/usr/bin/env', "PERL_HASH_SEED=$_", $^X,
                                   "$root/ngx_cx_module/agents.pl", $list);
        $out;
    } 1, 2;
    ok $out[0] eq $out[1], 'tables';
    ok $out[0] eq read_file("$root/build/gen/cx_agents.h"), 'as built';
};

$t->done;


sub build {
    my ($gen, $name) = @_;
    my $out = $t->dir . "/$name.run";
    my ($status, undef, $err) = $t->run({ timeout => 120 }, '/usr/bin/env',
        split(' ', $ENV{CC} || 'cc'), qw(-std=gnu11 -g -O1 -Wall -Wextra
        -Werror), "-I$root/include", "-I$gen", split(' ', $ENV{CX_CFLAGS} || ''),
        '-o', $out, "$root/t/unit/agent.c",
        "$root/ngx_cx_module/core/cx_agent.c");
    is $status, 0, "$name builds" or BAIL_OUT($err);
    return $out;
}

# "person", "bot" or "health" for each agent
sub ask {
    my ($run, @agents) = @_;
    my $file = $t->dir . '/agents.txt';
    open my $fh, '>:raw', $file or die "$file: $!";
    print $fh map { "$_\n" } @agents;
    close $fh;
    open my $pipe, '-|', "'$run' read < '$file'" or die "$run: $!";
    chomp(my @who = <$pipe>);
    close $pipe or die "$run: status $?";
    die "$run: not one answer an agent" if @who != @agents;
    return @who;
}

# agents.pl for a list, given as rows or as text, into a directory
sub generate {
    my ($rows, $name) = @_;
    my $file = $t->dir . "/$name.json";
    open my $fh, '>:raw', $file or die "$file: $!";
    print $fh ref $rows ? encode_json($rows) : $rows;
    close $fh;
    my ($status, $out, $err) = $t->run($^X, "$root/ngx_cx_module/agents.pl",
                                       $file);
    mkdir $t->dir . "/$name";
    open $fh, '>:raw', $t->dir . "/$name/cx_agents.h" or die $!;
    print $fh $out;
    close $fh;
    return ($status, $out, $err);
}

__DATA__
# person
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/49.0.2623.112 Safari/537.36
Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US) AppleWebKit/525.13 (KHTML, like Gecko) Chrome/0.2.149.27 Safari/525.13
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36
Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36
Mozilla/5.0 (X11; Linux aarch64) AppleWebKit/537.36 (KHTML, like Gecko) Ubuntu Chromium/112.0.5615.49 Chrome/112.0.5615.49 Safari/537.36
Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 4.4.2; Nexus 5 Build/KOT49H) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/34.0.1847.114 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1
Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0
Mozilla/5.0 (Windows NT 6.1; WOW64; rv:52.0) Gecko/20100101 Firefox/52.0
Mozilla/5.0 (Windows; U; Windows NT 5.1; de; rv:1.8.1.20) Gecko/20081217 Firefox/2.0.0.20
Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0
Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0
Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0
Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0
Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15
Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0
Mozilla/5.0 (X11; U; Linux i686; en-US; rv:1.9.1.16) Gecko/20110429 Iceweasel/3.5.16 (like Firefox/3.5.16)
Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0 SeaMonkey/2.53.20
Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Goanna/6.7 Firefox/102.0 PaleMoon/33.3.1
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15
Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10_6_8; en-us) AppleWebKit/533.21.1 (KHTML, like Gecko) Version/5.0.5 Safari/533.21.1
Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1
Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1
Mozilla/5.0 (iPod; U; CPU iPhone OS 3_0 like Mac OS X; en-us) AppleWebKit/528.18 (KHTML, like Gecko) Version/4.0 Mobile/7A341 Safari/528.16
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763
Mozilla/5.0 (Linux; Android 10; HD1913) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36 EdgA/137.0.0.0
Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/137.3296.65 Mobile/15E148 Safari/605.1.15
Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko
Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0; SLCC2; .NET CLR 2.0.50727; .NET CLR 3.5.30729; Media Center PC 6.0)
Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)
Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0; ARM; Touch; NOKIA; Lumia 920)
Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063
Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 5.0.2; SAMSUNG SM-G925F Build/LRX22G) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/4.0 Chrome/44.0.2403.133 Mobile Safari/537.36
Mozilla/5.0 (Linux; U; Android 2.3.4; en-us; GT-I9100 Build/GINGERBREAD) AppleWebKit/533.1 (KHTML, like Gecko) Version/4.0 Mobile Safari/533.1
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 OPR/121.0.0.0
Mozilla/5.0 (Linux; Android 10; M2006C3LG) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36 OPR/89.0.0.0
Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18
Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54
Opera/9.80 (Android; Opera Mini/36.2.2254/191.283; U; ru) Presto/2.12.423 Version/12.16
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1 OPT/5.2.1
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36 OPR/119.0.0.0 (Edition Yx GX)
Mozilla/5.0 (Linux; U; Android 12; en-US; RMX3085 Build/SP1A.210812.016) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.4.0.1306 Mobile Safari/537.36
UCWEB/2.0 (MIDP-2.0; U; Adr 4.4.2; en-US; XT1033) U2/1.0.0 UCBrowser/10.7.6.805 U2/1.0.0 Mobile
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 YaBrowser/25.4.0.0 Safari/537.36
Mozilla/5.0 (Linux; arm_64; Android 13; M2101K6G) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 YaBrowser/25.2.5.111.00 SA/3 Mobile Safari/537.36
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_2) AppleWebKit/537.36 (KHTML, like Gecko) brave/0.7.7 Chrome/47.0.2526.73 Electron/0.36.2 Safari/537.36
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Brave/1 Mobile/15E148 Safari/E7FBAF
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Vivaldi/7.0.3495.6
Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile DuckDuckGo/5 Safari/537.36
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15 Ddg/17.5
Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/337.0.677018539 Mobile/15E148 Safari/604.1
Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 GSA/15.24.28.29.arm64
Mozilla/5.0 (Linux; Android 12; ELS-NX9 Build/HUAWEIELS-N39) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/15.0.8.303 Mobile Safari/537.36
Mozilla/5.0 (Linux; U; Android 11; zh-cn; Redmi K30 Build/RKQ1.200826.002) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/89.0.4389.116 Mobile Safari/537.36 XiaoMi/MiuiBrowser/16.8.30
Mozilla/5.0 (Linux; U; Android 13; zh-CN; V2183A Build/TP1A.220624.014) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/87.0.4280.141 Mobile Safari/537.36 VivoBrowser/15.6.0.3
Mozilla/5.0 (Linux; U; Android 13; zh-cn; PHB110 Build/SKQ1.221119.001) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/90.0.4430.61 Mobile Safari/537.36 HeyTapBrowser/40.8.9.1
Mozilla/5.0 (Linux; U; Android 9; zh-cn; MI 8 Build/PKQ1) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/66.0.3359.126 MQQBrowser/9.6 Mobile Safari/537.36
Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.149 Safari/537.36 SE 2.X MetaSr 1.0
Mozilla/5.0 (Linux; Android 10; TLA001 Build/QP1A.190711.020; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/80.0.3987.132 Safari/537.36 SogouMSE,SogouMobileBrowser/6.1.5
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/115.0.156 Chrome/109.0.5414.156 Safari/537.36
Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/33.0.1750.157 CoRom/33.0.1750.157 CocCoc/33.0.1750.157 Safari/537.36
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 Whale/3.20.182.14 Safari/537.36
Mozilla/5.0 (iPhone; CPU iPhone OS 16_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/13.4.0
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15 Epiphany/605.1.15
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Falkon/23.08.5 QtWebEngine/5.15.16 Chrome/87.0.4280.144 Safari/537.36
Mozilla/5.0 (X11; Linux) KHTML/4.14.1 (like Gecko) Konqueror/4.14
Mozilla/5.0 (X11; NetBSD amd64; rv:91.0) Gecko/20100101 Firefox/91.0
Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.7.8
w3m/0.5.3+git20230121
Links (2.28; Linux 6.1.0 x86_64; GNU C 12.2; text)
ELinks/0.16.1.1 (textmode; Linux 6.1.0 x86_64; 80x24-2)
Emacs-w3m/1.4.632 w3m/0.5.3
Dillo/3.1.0
NetSurf/3.10 (Linux)
Mozilla/5.0 (Linux; Android 12; SM-G991B Build/SP1A.210812.016; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/110.0.5481.153 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/403.0.0.27.81;]
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 [FBAN/FBIOS;FBAV/468.0.0.35.108;FBBV/609421546;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/17.5.1;FBSS/3;FBID/phone;FBLC/en_US;FBOP/5]
Mozilla/5.0 (Linux; Android 16; Pixel 9 Build/BP2A.250605.031; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 MetaIAB Facebook
Mozilla/5.0 (Linux; Android 15; CPH2581 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/137.0.7151.115 Mobile Safari/537.36 Instagram 385.0.0.47.74 Android (35/15; 480dpi; 1080x2412; OnePlus; CPH2581; OP5929L1; qcom; en_IN; 744990230)
Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/20G75 Instagram 302.0.0.23.113 (iPhone14,5; iOS 16_6; en_US; en; scale=3.00; 1170x2532; 520797856)
Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN
Mozilla/5.0 (Linux; Android 13; 22081212C Build/TKQ1.220829.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F36) WeChat/arm64 Weixin NetType/4G Language/zh_CN ABI/arm64
Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UD1A.230803.041; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/122.0.6261.64 Mobile Safari/537.36 TikTok 33.5.4 musical_ly_2023305040 BytedanceWebview/d8a21c6
Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 Twitter for iPhone/10.38
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [LinkedInApp]/9.29.7443
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F79 [Pinterest/iOS]
Mozilla/5.0 (Linux; Android 13; SM-A528B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/113.0.5672.131 Mobile Safari/537.36 Snapchat/12.35.0.45 (SM-A528B; Android 13#A528BXXS2EWD2#33; gzip; )
Mozilla/5.0 (Linux; Android 9; SM-G950F Build/PPR1.180610.011; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/79.0.3945.79 Mobile Safari/537.36 Viber/12.0.0.4
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) WhatsApp/2.2017.6 Chrome/76.0.3809.146 Electron/6.1.9 Safari/537.36
Mozilla/5.0 (Linux; Android 12; SM-N976N Build/SP1A.210812.016; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/105.0.5195.136 Mobile Safari/537.36 NAVER(inapp; search; 1010; 11.16.4)
Mozilla/5.0 (Linux; Android 13; SM-S908N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/114.0.5735.196 Mobile Safari/537.36;KAKAOTALK 2410240
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Teams/24193.1805.3040.8975 Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0
Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.39.90 Chrome/126.0.6478.114 Electron/31.2.1 Safari/537.36
Mozilla/5.0 (Windows; U; Windows NT 10.0; en-US; Valve Steam GameOverlay/1721173382; ) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.5414.120 Safari/537.36
Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10_5_6; en-us) AppleWebKit/528.16 (KHTML, like Gecko) Fluid/0.9.6 Safari/528.16
Mozilla/5.0 (Macintosh; Intel Mac OS X 10.14; rv:60.0) Gecko/20100101 Thunderbird/60.6.1 Lightning/6.2.6.1
Mozilla/5.0 (Linux; Android 13; Cubot X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 7.0; CUBOT NOTE Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.110 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 9; CUBOT_P30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.104 Mobile Safari/537.36
Mozilla/5.0 (Linux; U; Android 4.2.2; it-it; S222 Build/CUBOT) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30
Mozilla/5.0 (Linux; Android 9; X20 PRO Build/P00610; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/101.0.4951.61 Mobile Safari/537.36 Instagram 237.0.0.14.102 Android (28/9; 480dpi; 1080x2340; CUBOT; X20 PRO; X20_PRO; mt6771; de_DE)
Mozilla/5.0 (Linux; Android 7.0; M bot 60 Build/NRD90M) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/58.0.3029.83 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 7.1.2; M_bot_tab_71 Build/NHG47K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/58.0.3029.83 Safari/537.36
Mozilla/5.0 (Linux; Android 7.0; C Bot Tab 100) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/74.0.3729.157 Safari/537.36
Mozilla/5.0 (Linux; Android 6.0; IDbot553 Build/MRA58K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/59.0.3071.125 Mobile Safari/537.36
Mozilla/5.0 (X11; Linux x86_64; openSUSE 13.1 (Bottle) (x86_64)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/33.0.1750.0 Safari/537.36
Mozilla/5.0 (Linux; Android 4.2.2; HTC Butterfly Build/JDQ39) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/31.0.1650.59 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 8.1.0; FEVER_PLUS_H) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.110 Safari/537.36
Mozilla/5.0 (Linux; Android 8.0.0; Expanse) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.99 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 5.1; O+ Sonic) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.162 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 6.0; SMART 4G Speedy 5.0 Plus Build/MRA58K) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/44.0.2403.119 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 13; 2201116SI Build/TKQ1.221114.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 CamScanner/4.5.0.2305051722
Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5
Mozilla/5.0 (SymbianOS/9.4; Series60/5.0 NokiaN97-1/20.0.019; Profile/MIDP-2.1 Configuration/CLDC-1.1) AppleWebKit/525 (KHTML, like Gecko) BrowserNG/7.1.18124
SonyEricssonK800i/R1ED Browser/NetFront/3.3 Profile/MIDP-2.0 Configuration/CLDC-1.1
LG/KF750/v10a Browser/Obigo-Q05A/3.12 MMS/LG-MMS-V1.0/1.2 Java/ASVM/1.1 Profile/MIDP-2.1 Configuration/CLDC-1.1
DESAY TS1008/1.0 Release/07.12.2013 Mozilla/5.0 (Linux; U; Android 4.0.3; zh-cn) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30
Mozilla/5.0 (BB10; Touch) AppleWebKit/537.35+ (KHTML, like Gecko) Version/10.3.3.3216 Mobile Safari/537.35+
BlackBerry9700/5.0.0.862 Profile/MIDP-2.1 Configuration/CLDC-1.1 VendorID/120
Mozilla/5.0 (PlayStation; PlayStation 5/9.40) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15
Mozilla/5.0 (PlayStation 4 11.50) AppleWebKit/605.1.15 (KHTML, like Gecko)
Mozilla/5.0 (PLAYSTATION 3 4.91) AppleWebKit/531.22.8 (KHTML, like Gecko)
Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edge/44.18363.8131
Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) NF/6.0.2.21.3 NintendoBrowser/5.1.0.22474
Mozilla/5.0 (Nintendo WiiU) AppleWebKit/536.30 (KHTML, like Gecko) NX/3.0.4.2.13 NintendoBrowser/4.3.2.11274.US
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/33.0.0.17.73 Chrome/124.0.6367.207 VR Safari/537.36
Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.5) AppleWebKit/537.36 (KHTML, like Gecko) 85.0.4183.93/6.5 TV Safari/537.36
Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager
HbbTV/1.4.1 (+DRM;Panasonic;TX-50GXW804;3.200;0071-3600 0000-0000;com.panasonic.tv2019;) Chrome/66.0.3359.181
Freetime/1.0 (freetime); (Panasonic, 2014, idtv, medium, wired); (PRO4, 16306); Mozilla/5.0 (FreeBSD; U; Viera; xx) AppleWebKit/537.11 (KHTML, like Gecko) Viera/3.7.0 Chrome/23.0.1271.97 Safari/537.11
Mozilla/5.0 (Linux; Android 11; BRAVIA 4K VH2 Build/RTM4.210322.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.6099.230 Safari/537.36
Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7279; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/108.0.5359.160 Mobile Safari/537.36 Silk/108.4.6 like Chrome/108.0.5359.160
Mozilla/5.0 (X11; GNU/Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chromium/79.0.3945.130 Chrome/79.0.3945.130 Safari/537.36 Tesla/2024.20.9-2f5d0f1b9a
Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ (KHTML, like Gecko) Version/5.0 Safari/533.2+ Kindle/3.0+
Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/126.2.1 like Chrome/126.0.6478.134 Safari/537.36
Mozilla/5.0 (Linux; U; Android 2.0; en-us;) AppleWebKit/538.1 (KHTML, like Gecko) Version/4.0 Mobile Safari/538.1 (Kobo Touch 0377/4.38.21908)
Mozilla/5.0 (Linux; Android 8.1.0; PocketBook InkPad) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/78.0.3904.96 Safari/537.36
Mozilla/5.0 (Linux; Android 14; KAYAK) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 KAYAK/209.1
Mozilla/4.0 (compatible; Dolphin http 7.0; Guide Connect; Windows NT 6.1) WebbIE/4.7
Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/7.0; WebbIE 4; .NET CLR 3.5.30729)

# bot
Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.126 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.0.0 Safari/537.36
Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1
facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)
WhatsApp/2.23.20.0 A
Viber
coccoc/1.0
curl/8.5.0
Wget/1.21.4
python-requests/2.31.0
Python/3.11 aiohttp/3.9.1
Go-http-client/2.0
Java/17.0.9
Java/21.0.2
Apache-HttpClient/4.5.14 (Java/17.0.9)
okhttp/4.12.0
node-fetch/1.0 (+https://github.com/bitinn/node-fetch)
undici
axios/1.6.8
libwww-perl/6.72
GuzzleHttp/7
Ruby rest-client/2.1.0
PostmanRuntime/7.39.0
Scrapy/2.11.2 (+https://scrapy.org)
ApacheBench/2.3
SomethingNewBot/0.1
some new crawler
Mozilla/5.0 (compatible; SomethingScanner/1.0)
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko; Google Search Console) Google-Something/1.0

# health
kube-probe/1.29
ELB-HealthChecker/2.0
GoogleHC/1.0
GoogleStackdriverMonitoring-UptimeChecks(https://cloud.google.com/monitoring)
Amazon-Route53-Health-Check-Service (ref 1234abcd-0000-1111-2222-333344445555; report http://amzn.to/1vsZADi)
Amazon Route 53 Health Check Service; ref:1234abcd; report http://amzn.to/1vsZADi
Consul Health Check
Envoy/HC
HAProxy/health-check
Edge Health Probe
Mozilla/5.0 (Windows NT 6.1) Azure Traffic Manager Endpoint Monitor
Mozilla/5.0 (compatible;Cloudflare-Healthchecks/1.0;+https://www.cloudflare.com/; healthcheck-id: e645d1e65d3b18b4)
DigitalOcean Uptime Probe 0.22.0 (https://digitalocean.com)
Apache/2.4.57 (Debian) (internal dummy connection)
AlwaysOn
Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)
Uptime-Kuma/1.23.13
Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)
Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/534.34 (KHTML, like Gecko) PingdomTMS/0.8.5 Safari/534.34
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/98 Safari/537.36 (StatusCake)
Blackbox-Exporter/0.25.0
Blackbox Exporter/0.24.0
Prometheus/2.53.0
NewRelicPinger/1.0 (1234567)
Site24x7
Better Uptime Bot Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/74.0.3729.169 Safari/537.36
Better Stack Better Uptime Bot Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36
HetrixTools Uptime Monitoring Bot. https://hetrix.tools/uptime-monitoring-bot.html
Zabbix 6.0.30
check_http/v2.3.3 (monitoring-plugins 2.3.3)
Nagios-Plugins
Monit/5.33.0
NodePing
updown.io daemon 2.11
Mozilla/5.0 (compatible; PRTG Network Monitor (www.paessler.com); Windows)
Datadog/Synthetics
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/113.0.5672.126 Safari/537.36 RuxitSynthetic/1.0 v6191106029376332690
