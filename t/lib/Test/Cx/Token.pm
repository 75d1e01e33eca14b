package Test::Cx::Token;

# Tokens of answers, made as include/cx_token.h says, with the secret that all
# servers of the harness have: so a test can send answers of any id.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 hmac_sha256_hex);
use Time::HiRes ();

our $SECRET = "the secret of all tests: no other one has it\n";

sub key { hmac_sha256('cx tokens', $_[0] // $SECRET) }

# site, survey, version ('': of a link), answer id, expiry, secret; the last two
# may be left out
sub make {
    my ($site, $survey, $version, $answer, $expiry, $secret) = @_;
    my $hex = sprintf '%08x', $expiry // int(Time::HiRes::time()) + 3600;
    my $text = join '', map { "$_\n" } 'token', $site, $survey, $version,
        $answer, $hex;
    return join '.', $hex, $answer,
        substr hmac_sha256_hex($text, key($secret)), 0, 16;
}

# puts versions and tokens into the answers of a beacon; versions: { survey =>
# version }
sub sign {
    my ($beacon, $versions, $site) = @_;
    my @tokens;
    for my $e (grep { ref eq 'HASH' } @{$beacon->{events}}) {
        next if !defined $e->{survey};
        $e->{version} //= $versions->{$e->{survey}} // '0' x 8;
        push @tokens, make($site // 'localhost', $e->{survey}, $e->{version},
                           $e->{answer}) if ($e->{type} // '') eq 'answer';
    }
    $beacon->{token} //= join ' ', @tokens if @tokens;
    return $beacon;
}

1;
