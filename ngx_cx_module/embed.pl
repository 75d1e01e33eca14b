#!/usr/bin/perl
# embed.pl NAME=FILE ... : C header with each file's bytes as an array
#   static const unsigned char NAME[] = { ... };  #define NAME_LEN n
use strict;
use warnings;

for (@ARGV) {
    my ($name, $file) = /^(\w+)=(.+)$/ or die "usage: embed.pl NAME=FILE ...\n";
    open my $fh, '<:raw', $file or die "$file: $!\n";
    my $bytes = do { local $/; <$fh> };
    my @row = unpack '(a12)*', $bytes;
    print "static const unsigned char  $name\[] = {\n";
    print '    ', join(' ', map { sprintf '0x%02x,', $_ } unpack 'C*', $_), "\n"
        for @row;
    printf "};\n\n#define %s_LEN  %d\n\n", uc $name, length $bytes;
}
