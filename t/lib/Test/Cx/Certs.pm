package Test::Cx::Certs;

# A certificate authority of this test's own.
#
#   $t->certs->ca                  file of its certificate
#   $t->certs->cert('server')      for localhost, 127.0.0.1 and ::1
#   $t->certs->key('server')
#   $t->certs->cert('client')
#   $t->certs->issue('db', 'DNS:db.example')     any other
#   $t->certs->stranger            file of an authority that signed none

use strict;
use warnings;

sub new {
    my ($class, $t) = @_;
    my $c = bless { t => $t, dir => $t->subdir('certs') }, $class;
    $c->_authority('ca');
    $c->issue('server', 'DNS:localhost,IP:127.0.0.1,IP:::1');
    $c->issue('client', 'DNS:client');
    return $c;
}

sub ca   { "$_[0]{dir}/ca.pem" }
sub cert { "$_[0]{dir}/$_[1].pem" }
sub key  { "$_[0]{dir}/$_[1].key" }

sub stranger {
    my ($c) = @_;
    $c->_authority('stranger') if !-e $c->cert('stranger');
    return $c->cert('stranger');
}

sub _openssl {
    my ($c, @args) = @_;
    my ($status, undef, $err) = $c->{t}->run('/usr/bin/env', 'openssl', @args);
    die "openssl @args: $err" if $status ne '0';
}

my @new = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);

sub _authority {
    my ($c, $name) = @_;
    $c->_openssl('req', '-x509', @new, '-days', 2, '-subj', "/CN=test $name",
                 '-keyout', $c->key($name), '-out', $c->cert($name));
}

# signed by ca; names: subjectAltName; its file
sub issue {
    my ($c, $name, $names) = @_;
    my $base = "$c->{dir}/$name";
    $c->_openssl('req', '-new', @new, '-subj', "/CN=$name",
                 '-keyout', "$base.key", '-out', "$base.csr");
    Test::Cx::write_file("$base.ext", "subjectAltName=$names\n");
    $c->_openssl('x509', '-req', '-in', "$base.csr", '-days', 2,
                 '-CA', $c->ca, '-CAkey', $c->key('ca'), '-CAcreateserial',
                 '-extfile', "$base.ext", '-out', "$base.pem");
    return "$base.pem";
}

1;
