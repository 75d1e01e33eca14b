#!/usr/bin/perl

# Tests for ngx_cx_module/languages.pl: a language that lacks a text, or has
# one that nobody asks for, does not get into a build.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Test::Cx;

my $t = Test::Cx->new;
my $root = "$FindBin::Bin/..";
my $json = JSON::PP->new->utf8->canonical;
my $good = read_file("$root/ngx_cx_module/languages.json");
my $file = $t->subdir('languages') . '/languages.json';

sub made {
    my ($text) = @_;
    Test::Cx::write_file($file, $text);
    return $t->run($^X, "$root/ngx_cx_module/languages.pl", $file);
}

my ($status, $out, $err) = made($good);
is $status, 0, 'the languages of the module';
like $out, qr/\A.*\n\nconst cx_language_t  cx_languages\[\] = \{\n    \{ "en",/,
    'English first';
like $out, qr/ \\324\\337|\\303\\237/, 'bytes that are not ASCII are escaped';

# what, what is done to a language, what the error says
my @bad = (
    ['a word is missing', sub { delete $_[0]{words}{close} },
     'words/close: a line'],
    ['a word is empty', sub { $_[0]{words}{close} = '' }, 'words/close'],
    ['a word ends with a space', sub { $_[0]{words}{close} .= ' ' },
     'words/close'],
    ['a word of two lines', sub { $_[0]{words}{close} = "a\nb" },
     'words/close'],
    ['a word is a list', sub { $_[0]{words}{close} = [] }, 'words/close'],
    ['a word too many', sub { $_[0]{words}{open} = 'x' },
     'words: open: nobody'],
    ['what is put in is missing', sub { $_[0]{words}{of} = '{n} von' },
     'words/of: \{n\} in it, expected \{last n\}'],
    ['what is put in is too much', sub { $_[0]{words}{yes} = 'Ja {name}' },
     'words/yes'],
    ['a question without a name', sub { $_[0]{nps}{question} = 'Und?' },
     'nps/question'],
    ['a question here with a name', sub { $_[0]{nps}{here} = 'Und {name}?' },
     'nps/here'],
    ['a CES without a task', sub { $_[0]{ces}{here} = 'Leicht.' },
     'ces/here'],
    ['an NPS with a bare question', sub { $_[0]{nps}{here_bare} = 'Und?' },
     'nps/here_bare: nobody'],
    ['a label is missing', sub { delete $_[0]{csat}{low} }, 'csat/low'],
    ['a metric is missing', sub { delete $_[0]{ces} }, 'ces: an object'],
    ['a metric too many', sub { $_[0]{sus} = {} }, 'sus: nobody'],
    ['no direction', sub { delete $_[0]{dir} }, 'dir: ltr or rtl'],
    ['another direction', sub { $_[0]{dir} = 'ttb' }, 'dir: ltr or rtl'],
);

for (@bad) {
    my ($name, $change, $says) = @$_;
    my $all = $json->decode($good);
    $change->($all->{de});
    ($status, $out, $err) = made($json->encode($all));
    isnt $status, 0, "$name: refused";
    like $err, qr{\Q$file\E: de/?.*$says}, "$name: says where";
}

my $all = $json->decode($good);
$all->{DE} = delete $all->{de};
($status, $out, $err) = made($json->encode($all));
isnt $status, 0, 'a tag in capitals: refused';
like $err, qr/DE: a tag in lower case/, 'a tag in capitals: says so';

$t->done;
