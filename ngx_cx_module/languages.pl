#!/usr/bin/perl
# languages.pl languages.json : C table for core/cx_language.c
#
# English comes first, then the others by tag.  A word that one language lacks,
# or has and nobody asks for, is an error, and so is a placeholder too many or
# too few.
use strict;
use warnings;
use JSON::PP;

my $file = shift // die "usage: languages.pl languages.json\n";

# CX_WORDS of include/cx_language.h, and what stands in braces there

my @words = qw(close next skip send never optional privacy one_more yes no
               feedback thanks announce up down this_site missing of closed
               again);
my %braces = (announce => 'question', of => 'last n');

my @texts = qw(question question_bare here here_bare low high why);
my %texts = (
    question      => 'name',
    question_bare => undef,
    here          => '',
    here_bare     => undef,
    map({ ($_ => '') } qw(low high why)),
);
my %ces = (
    question      => 'name task',
    question_bare => 'name',
    here          => 'task',
    here_bare     => '',
);
my @metrics = qw(nps csat ces psat psat5);

open my $fh, '<:raw', $file or die "languages.pl: $file: $!\n";
my $all = decode_json(do { local $/; <$fh> });
close $fh;

sub wrong { die "languages.pl: $file: @_\n" }

sub checked {
    my ($where, $text, $braces) = @_;

    if (!defined $braces) {
        wrong("$where: nobody asks for it") if defined $text;
        return undef;
    }

    wrong("$where: a line of text expected")
        if !defined $text || ref $text || $text !~ /^\P{Cc}+$/
           || $text =~ /^\s|\s$/;

    my $found = join ' ', sort $text =~ /\{(\w+)\}/g;
    wrong("$where: {$found} in it, expected {$braces}") if $found ne $braces;

    return $text;
}

sub known {
    my ($where, $object, @keys) = @_;
    my %keys = map { $_ => 1 } @keys;

    wrong("$where: an object expected") if ref $object ne 'HASH';
    wrong("$where: $_: nobody asks for it")
        for grep { !$keys{$_} } sort keys %$object;
}

sub literal {
    my ($text) = @_;

    return 'NULL' if !defined $text;

    utf8::encode($text);
    $text =~ s/(["\\?])/\\$1/g;
    $text =~ s/([^ -~])/sprintf '\\%03o', ord $1/ge;

    return qq("$text");
}

print "/* Made from languages.json by languages.pl. */\n\n",
      "const cx_language_t  cx_languages[] = {\n";

my @tags = sort { ($b eq 'en') - ($a eq 'en') || $a cmp $b } keys %$all;

for my $tag (@tags) {
    my $language = $all->{$tag};

    wrong("$tag: a tag in lower case expected")
        if $tag !~ /^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/ || length $tag > 16;
    known($tag, $language, 'dir', 'words', @metrics);
    known("$tag/words", $language->{words}, @words);
    wrong("$tag/dir: ltr or rtl expected")
        if ($language->{dir} // '') !~ /^(?:ltr|rtl)$/;

    # about a feature; all else is as for csat
    $language->{psat5} = { %{ $language->{csat} },
                           %{ $language->{psat5} // {} } };

    printf "    { %s, %d, {\n", literal($tag), $language->{dir} eq 'rtl';
    print map({ sprintf "        [CX_WORD_%s] = %s,\n", uc,
                    literal(checked("$tag/words/$_", $language->{words}{$_},
                                    $braces{$_} // '')) } @words),
          "    }, {\n";

    for my $metric (@metrics) {
        my $wording = $language->{$metric};
        my %want = (%texts, $metric eq 'ces' ? %ces : ());

        known("$tag/$metric", $wording, @texts);

        print "        [CX_WORDING_", uc $metric, "] = {\n",
              map({ sprintf "            .%s = %s,\n", $_,
                        literal(checked("$tag/$metric/$_", $wording->{$_},
                                        $want{$_})) } @texts),
              "        },\n";
    }

    print "    } },\n";
}

print "};\n\n",
      "const unsigned  cx_languages_n = ", scalar @tags, ";\n";
