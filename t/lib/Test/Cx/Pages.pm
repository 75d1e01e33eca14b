package Test::Cx::Pages;

# Pages to inject into, and what is right for the outcome.

use strict;
use warnings;

use Cwd ();
use Exporter 'import';

our @EXPORT = qw(corpus one_tag padded tree_compare $TAG);

our $TAG = qr{<script\ async\ src="[^"<>]*cx\.js\?[0-9a-f]+"[^<>]*></script>}x;


# Real pages nobody here wrote: HTML of the Debian packages that make deps
# installs (DEBS_PAGES); other packages may bring fragments as well.
# The choice depends on what is installed only: per package the smallest, the
# largest below 1 MB and some between.  ([name, bytes], ...), at most n
sub corpus {
    my ($n) = @_;
    my %of;
    for my $dir (sort glob '/usr/share/doc/*') {
        next if -l $dir;
        my ($package) = $dir =~
            m{/((?:python3|libffi|sqlite3|libjansson|debian-faq|nginx)[^/]*)$}
            or next;
        my @todo = $dir;
        while (defined(my $d = shift @todo)) {
            opendir my $h, $d or next;
            for my $name (sort grep { !/^\./ } readdir $h) {
                my $file = "$d/$name";
                next if -l $file;
                if (-d _) { push @todo, $file }
                elsif ($name =~ /\.html?$/ && -s _ && -s _ < 1_000_000) {
                    push @{$of{$package}}, [-s _, $file];
                }
            }
        }
    }
    my @turns;
    for my $package (sort keys %of) {
        my @files = sort { $a->[0] <=> $b->[0] || $a->[1] cmp $b->[1] }
            @{$of{$package}};
        my %seen;
        my @at = grep { !$seen{$_}++ }
            map { int($_ * $#files) } 0, 1, 0.5, 0.25, 0.75, 0.9, 0.1, 0.6,
                                      0.35, 0.85, 0.05, 0.45;
        push @{$turns[$_]}, $files[$at[$_]][1] for 0 .. $#at;
    }
    my @files = map { @$_ } @turns;
    splice @files, $n if @files > $n;
    return map { [$_, Test::Cx::read_file($_)] } @files;
}

# body -> (body without the tag, tag, offset), nothing unless there is just one
sub one_tag {
    my ($body) = @_;
    my @at;
    while ($body =~ /$TAG/g) { push @at, [$-[0], $+[0]] }
    return if @at != 1;
    my ($from, $to) = @{$at[0]};
    my $tag = substr $body, $from, $to - $from;
    return (substr($body, 0, $from) . substr($body, $to), $tag, $from);
}

# the body is the page and then white space only
sub padded {
    my ($page, $body) = @_;
    return length $body >= length $page
        && substr($body, 0, length $page) eq $page
        && substr($body, length $page) =~ /^[ \n]*$/;
}

# Compares ([name, page, body], ...) by parse5 in one run: the names whose
# trees differ by anything but one script in head, with what differs
sub tree_compare {
    my ($t, @pages) = @_;
    my $dir = $t->subdir('tree');
    my $list = Test::Cx::Http::encode([ map {
        Test::Cx::write_file("$dir/$_.in", $pages[$_][1]);
        Test::Cx::write_file("$dir/$_.out", $pages[$_][2]);
        { name => "$pages[$_][0]", in => "$dir/$_.in", out => "$dir/$_.out" }
    } 0 .. $#pages ]);
    Test::Cx::write_file("$dir/list", $list);
    my ($status, $out, $err) = $t->run({ timeout => 120 }, '/usr/bin/env',
        'node', $t->root . '/t/js/tree.mjs', "$dir/list");
    return ("tree.mjs: $err") if $status ne '0';
    return @{Test::Cx::json($out)};
}

1;
