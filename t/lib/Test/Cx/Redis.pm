package Test::Cx::Redis;

# A private redis-server and a small RESP client, which always comes by the
# unix socket.

use strict;
use warnings;

use IO::Socket::UNIX;
use Socket qw(MSG_DONTWAIT MSG_PEEK);
use Time::HiRes qw(time sleep);

# options: appendonly => 'yes', conf => "more lines", port, password.  With
# appendonly and without fsync all that was acknowledged survives SIGKILL; with
# everysec Redis may acknowledge before it has written.
#
#   users      => ['cx on >secret ~cx:* +@all', ...]    ACL
#   auth       => [user, password] of the client here; default: password
#   tls        => 1     no plain port; see Test::Cx::Certs
#   client_cert => 1    Redis asks for one, and url() names it
#   replicaof  => another one of these
#   cluster, sentinel: see Test::Cx::Cluster, Test::Cx::Sentinel
sub new {
    my ($class, $t, %opt) = @_;
    my $r = bless { t => $t, dir => $t->subdir('redis'), opt => \%opt },
        $class;
    return $r->start;
}

sub sock { "$_[0]{dir}/s" }
sub port { $_[0]{port} }
sub pid  { $_[0]{proc}->pid }
sub addr { "127.0.0.1:$_[0]{port}" }
sub log  { Test::Cx::read_file("$_[0]{dir}/log") }
sub dir  { $_[0]{dir} }

# as cx_redis takes it: a unix socket, or over TLS with ca= and the like
sub url  {
    my ($r) = @_;
    return $r->{opt}{tls} ? join ' ', $r->tcp, $r->tls_words
                          : 'unix:' . $r->sock;
}

# user: "name:password@"
sub tcp {
    my ($r, $user) = @_;
    my $scheme = $r->{opt}{tls} ? 'rediss' : 'redis';
    return "$scheme://" . ($user // '') . $r->addr;
}

sub tls_words {
    my ($r) = @_;
    return if !$r->{opt}{tls};
    my $certs = $r->{t}->certs;
    return ('ca=' . $certs->ca,
            $r->{opt}{client_cert} ? ('cert=' . $certs->cert('client'),
                                      'key=' . $certs->key('client')) : ());
}

sub _conf {
    my ($r) = @_;
    my %opt = %{$r->{opt}};
    my $port = $opt{tls} ? "port 0\ntls-port" : 'port';
    my @lines = ('bind 127.0.0.1', "$port $r->{port}",
                 'unixsocket ' . $r->sock, "dir $r->{dir}",
                 'daemonize no', "logfile $r->{dir}/log");
    push @lines, 'save ""', 'appendonly ' . ($opt{appendonly} // 'no'),
        'appendfsync no' if !$opt{sentinel};
    push @lines, "requirepass $opt{password}" if $opt{password};
    push @lines, map { "user $_" } @{$opt{users} // []};
    if ($opt{tls}) {
        my $certs = $r->{t}->certs;
        my $name = $opt{tls} eq '1' ? 'server' : $opt{tls};
        push @lines, 'tls-ca-cert-file ' . $certs->ca,
            'tls-cert-file ' . $certs->cert($name),
            'tls-key-file ' . $certs->key($name),
            'tls-auth-clients ' . ($opt{client_cert} ? 'yes' : 'no'),
            'tls-replication yes', $opt{cluster} ? 'tls-cluster yes' : ();
    }
    push @lines, "replicaof 127.0.0.1 " . $opt{replicaof}->port,
        ($opt{password} ? "masterauth $opt{password}" : ())
        if $opt{replicaof};
    return join "\n", @lines, $opt{conf} // '', '';
}

# ready to serve, or with 1 at least loading its data
sub start {
    my ($r, $loading) = @_;
    my $ready = $loading ? qr/NOAUTH|LOADING/ : qr/NOAUTH/;
    my %opt = %{$r->{opt}};
    my @more = $opt{sentinel} ? '--sentinel' : ();
    for my $try (1 .. 3) {
        $r->{port} = $opt{port} || $r->{port}
            || ($opt{cluster} ? Test::Cx::Cluster::free_port()
                              : Test::Cx::free_port());
        my $file = "$r->{dir}/redis.conf";
        Test::Cx::write_file($file, $r->_conf)
            if !$opt{sentinel} || !-e $file;   # a Sentinel keeps state there
        $r->{proc} = $r->{t}->spawn(name => 'redis-server',
            cmd => ['/usr/bin/env', $ENV{CX_REDIS_SERVER} // 'redis-server', $file,
                    @more],
            out => "$r->{dir}/out", err => "$r->{dir}/err");
        my $up = Test::Cx::wait_for(sub {
            return 1 if !$r->{proc}->running;
            return eval { $r->cmd('PING') } || $@ =~ $ready;
        }, 10);
        return $r if $up && $r->{proc}->running;
        delete $r->{port};
        unlink $file;
    }
    die "redis-server does not start: " . $r->log;
}

sub stop  { my $r = shift; delete $r->{c}; $r->{proc}->stop(@_) }
sub kill9 { my $r = shift; delete @$r{qw(c held)}; $r->{proc}->kill9 }
sub pause { $_[0]{held} = 1; $_[0]{proc}->pause }
sub cont  { $_[0]{held} = 0; $_[0]{proc}->cont }
sub running { $_[0]{proc}->running }

# it would answer
sub up { my ($r) = @_; !$r->{held} && $r->running }

# a field of INFO
sub info {
    my ($r, $section, $field) = @_;
    return $r->cmd('INFO', $section) =~ /^\Q$field\E:(.*?)\r?$/m ? $1 : undef;
}

# of the Redis that it behaves as: Valkey 8.0 says 7
sub major { $_[0]{major} //= $_[0]->info('server', 'redis_version')
                                 =~ /^(\d+)/ ? $1 : die "no version\n" }

# one command over the object's own connection; dies with Redis's error
sub cmd {
    my ($r, @args) = @_;
    $r->send(@args);
    return $r->reply;
}

# Redis closed the connection while it was idle, as one does that becomes a
# replica
sub _closed {
    my ($r) = @_;
    return 0 if !$r->{c};
    my $got = recv $r->{c}, my $byte, 1, MSG_PEEK | MSG_DONTWAIT;
    return $r->{buf} eq '' && (defined $got ? $byte eq '' : !$!{EAGAIN});
}

# sends a command without waiting; its reply is to be read by reply()
sub send {
    my ($r, @args) = @_;
    $r->{c} = undef if $r->{c_pid} && $r->{c_pid} != $$ || $r->_closed;
    if (!$r->{c}) {
        $r->{c} = IO::Socket::UNIX->new(Peer => $r->sock, Timeout => 5)
            or die "redis: connect: $!\n";
        $r->{c_pid} = $$;
        $r->{buf} = '';
        my @auth = $r->{opt}{auth} ? @{$r->{opt}{auth}}
            : $r->{opt}{password} // ();
        $r->cmd('AUTH', @auth) if @auth;
    }
    my $out = '*' . @args . "\r\n";
    for my $arg (@args) {
        my $bytes = $arg;
        utf8::encode($bytes) if utf8::is_utf8($bytes);
        $out .= '$' . length($bytes) . "\r\n$bytes\r\n";
    }
    local $SIG{PIPE} = 'IGNORE';
    my $done = 0;
    while ($done < length $out) {
        my $n = syswrite $r->{c}, $out, length($out) - $done, $done;
        if (!$n) { $r->{c} = undef; die "redis: write: $!\n" }
        $done += $n;
    }
}

sub _fill {
    my ($r) = @_;
    my $rin = '';
    vec($rin, fileno $r->{c}, 1) = 1;
    my $n = select($rin, undef, undef, 10)
        ? sysread $r->{c}, $r->{buf}, 65536, length $r->{buf} : 0;
    if (!$n) { $r->{c} = undef; die "redis: connection lost\n" }
}

sub _line {
    my ($r) = @_;
    $r->_fill while index($r->{buf}, "\r\n") < 0;
    my $end = index $r->{buf}, "\r\n";
    my $line = substr $r->{buf}, 0, $end;
    substr($r->{buf}, 0, $end + 2) = '';
    return $line;
}

sub reply {
    my ($r) = @_;
    my ($kind, $rest) = $r->_line =~ /^(.)(.*)$/s;
    die "$rest\n" if $kind eq '-';
    return $rest if $kind eq '+' || $kind eq ':';
    return if $rest < 0;
    if ($kind eq '$') {
        $r->_fill while length $r->{buf} < $rest + 2;
        my $value = substr $r->{buf}, 0, $rest;
        substr($r->{buf}, 0, $rest + 2) = '';
        return $value;
    }
    # an error inside an array becomes its text
    return [ map { my $v = eval { $r->reply }; chomp(my $e = $@);
                   $e ne '' ? "-$e" : $v } 1 .. $rest ];
}

# the entries of a site, oldest first, as hashes; _id is the entry's id
sub entries {
    my ($r, $site) = @_;
    $site //= 'localhost';
    return map { +{ @{$_->[1]}, _id => $_->[0] } }
        @{$r->cmd('XRANGE', "cx:{$site}:events", '-', '+')};
}

# those that something happened for; what surveys ask is said at each start
sub events { grep { ($_->{type} // '') ne 'survey' } entries(@_) }

sub definitions { grep { ($_->{type} // '') eq 'survey' } entries(@_) }

sub xlen { my ($r, $site) = @_; $site //= 'localhost';
           $r->cmd('XLEN', "cx:{$site}:events") }

# waits until n events that pass the filter are there (default: any); all that
# pass it, possibly fewer or more than n
sub wait_events {
    my ($r, $n, %opt) = @_;
    my $filter = $opt{filter} // sub { 1 };
    my @got;
    Test::Cx::wait_for(sub {
        @got = grep { $filter->($_) } eval { $r->events($opt{site}) };
        return @got >= $n;
    }, $opt{seconds} // 5);
    return @got;
}

1;
