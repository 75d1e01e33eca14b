package Bench::Inject;

# Pages through plain nginx, sub_filter and cx: static, proxied, compressed.

use strict;
use warnings;

use IO::Uncompress::Gunzip ();
use Test::Cx;

my $DOC = '/usr/share/doc';

# real pages of Debian packages: about 5, 40 and 700 KB
my @PAGES = (
    [small  => '5 KB',   "$DOC/libffi8/html/Introduction.html"],
    [medium => '40 KB',  "$DOC/python3-doc/html/library/shelve.html"],
    [large  => '700 KB', "$DOC/python3-doc/html/library/stdtypes.html"],
);

my $SUB = '<script src="/cx.js" async></script>';
my $TAG = qr{<script async src="/_cx/cx\.js\?[^<>]*></script>};

# family, location, upper limits by size of the tag alone and with a view; an
# aim is no target of the product yet
my @FAMILIES = (
    [p => 'proxied', [1.08, 1.05, 1.05], [1.15, 1.08, 1.05], 0, 1],
    [s => 'static, sendfile', [1.5, 1.5, 1.5], [1.5, 1.5, 1.5], 0, 0],
    [z => 'proxied, gzip 1', [1.04, 1.04, 1.04], [1.04, 1.04, 1.04], 1, 1],
);

my @VARIANTS = qw(plain again sub tag view);


sub new {
    my ($class, $b) = @_;
    my $i = bless { b => $b, sent => 0 }, $class;
    my %files = map {
        my $text = Test::Cx::read_file($_->[2]);
        if ($text eq '') {
            die "no $_->[2]: install python3-doc and libffi-dev\n";
        }
        ("html/$_->[0].html" => $text)
    } @PAGES;
    $i->{files} = \%files;
    $i->{redis} = $b->redis;
    $i->{origin} = $b->nginx(cpu => 1, no_module => 1, files => \%files,
        server => 'sendfile on; tcp_nopush on;');
    $i->{server}{$_} = $i->_server($_) for @VARIANTS;
    $i->check;
    return $i;
}

sub _server {
    my ($i, $variant) = @_;
    my $b = $i->{b};
    my $cx = $variant eq 'tag' || $variant eq 'view';
    my $filter = $variant eq 'sub' ? "sub_filter '</head>' '$SUB</head>';"
        : $variant eq 'tag' ? 'cx_sample 0;' : '';
    my $proxy = 'proxy_pass http://origin/; proxy_http_version 1.1; '
        . 'proxy_set_header Connection ""; proxy_max_temp_file_size 0; '
        . $filter;
    my $server = <<"CONF";
        location /p/ { $proxy }
        location /z/ { $proxy gzip on; gzip_proxied any; gzip_comp_level 1; }
        location /s/ { alias html/; sendfile on; tcp_nopush on; $filter }
CONF
    $server .= "cx_visitor off;\n" if $variant eq 'tag';
    return $b->nginx(files => $i->{files}, server => $server,
        $cx ? (cx => 1) : (no_module => 1),
        http => 'upstream origin { server 127.0.0.1:' . $i->{origin}->port
            . "; keepalive 64; }\n" . ($cx ? $b->cx_http($i->{redis}) : ''));
}

sub _headers {
    my ($i, $gzip) = @_;
    return ($i->{b}->page_headers, $gzip ? 'Accept-Encoding: gzip' : ());
}

# exactly the tag was added and no other byte changed; the length on the wire
sub _check {
    my ($i, $variant, $path, $page, $gzip) = @_;
    my %headers = map { /^([^:]+): (.*)/ } $i->_headers($gzip);
    my $got = $i->{server}{$variant}->get($path, %headers);
    my $body = $got->{body};
    if ($gzip) {
        my $raw = $body;
        if (($got->{headers}{'content-encoding'} // '') ne 'gzip'
            || !IO::Uncompress::Gunzip::gunzip(\$raw => \$body))
        {
            $body = '';
        }
    }
    my $tag = $variant eq 'sub' ? qr/\Q$SUB\E/
        : $variant =~ /tag|view/ ? $TAG : undef;
    my $n = $tag ? $body =~ s/$tag//g || 0 : 1;
    if ($got->{status} != 200 || $n != 1
        || $body ne $i->{files}{"html/$page.html"})
    {
        $i->{b}->wrong("$variant $path: status $got->{status}, "
            . ($tag ? "$n tags, " : '') . 'page '
            . ($body eq $i->{files}{"html/$page.html"} ? 'same' : 'changed'));
    }
    $i->{sent}++ if $variant eq 'view';
    return $gzip ? undef : length $got->{body};
}

sub _each {
    my ($i, $code) = @_;
    for my $family (@FAMILIES) {
        for my $page (@PAGES) {
            $code->($family, $_, $page, "/$family->[0]/$page->[0].html")
                for @VARIANTS;
        }
    }
    return;
}

sub check {
    my ($i) = @_;
    $i->_each(sub {
        my ($family, $variant, $page, $path) = @_;
        $i->{length}{$variant}{$path} =
            $i->_check($variant, $path, $page->[0], $family->[0] eq 'z');
    });
    return;
}

sub round {
    my ($i, $round) = @_;
    my $b = $i->{b};
    $i->_each(sub {
        my ($family, $variant, $page, $path) = @_;
        my $got = $b->load($i->{server}{$variant}, what => "$variant $path",
            file => $i->{list}{$path} //= $b->requests_file("GET $path"),
            headers => [$i->_headers($family->[0] eq 'z')], s => 200,
            x => $i->{length}{$variant}{$path}, c => 16, v => 2,
            t => $b->quick ? 40 : 70);
        $i->{sent} += $got->{requests} if $variant eq 'view';
        $b->note($path, $variant, $round, $got->{us}) if $round >= 0;
    });
    return;
}

sub report {
    my ($i) = @_;
    my $b = $i->{b};
    my $view = $i->{server}{view};
    $i->check;
    Test::Cx::wait_for(sub {
        $b->added($i->{redis}) + $b->dropped($view) >= $i->{sent};
    }, 5);
    my $arrived = $b->account('views', $i->{sent}, $b->added($i->{redis}),
                              $b->dropped($view));
    my @rows = ['page', 'plain us', 'A/A', 'sub_filter', 'tag', 'target',
                'tag+view', 'target'];
    for my $family (@FAMILIES) {
        my ($id, $name, $tag, $both, $tag_aim, $both_aim) = @$family;
        for my $n (0 .. $#PAGES) {
            my $path = "/$id/$PAGES[$n][0].html";
            my %x = map { $_ => $b->ratio($path, $_, 'plain') } @VARIANTS;
            push @rows, ["$name, $PAGES[$n][1]",
                sprintf('%.1f', $b->figure($path, 'plain')),
                sprintf('%.2f', $x{again}), sprintf('%.2f', $x{sub}),
                $b->against($x{tag}, $tag->[$n], $x{again}, $tag_aim),
                $b->against($x{view}, $both->[$n], $x{again}, $both_aim)];
        }
    }
    $b->table('Inject: CPU of the worker a request, x plain nginx', @rows);
    printf "  views in the stream: %.3f of those sent\n", $arrived;
    return;
}

1;
