package Test::Cx::Nginx;

# A private nginx with the module loaded.

use strict;
use warnings;

use Time::HiRes qw(time sleep);
use Test::Cx::Daemon;
use Test::Cx::Http;
use Test::Cx::Token;

# main, http, server: text for these blocks; servers: more server blocks;
# files: { 'html/a.html' => text }; workers; redis: adds cx_redis for it; cx:
# adds cx on, an endpoint and a status page; listen: 'http2' and the like;
# conf: the whole file instead;
# no_secret: not that of Test::Cx::Token;
# daemon: not our child, as in production, so that upgrade() works.  In all of
# them %%PORT%% is the port, %%PORT:x%% a further one, %%DIR%% the directory.
sub new {
    my ($class, $t, %opt) = @_;
    my $n = bless { t => $t, dir => $t->subdir('nginx'), opt => \%opt,
                    port => {}, allow => [] }, $class;
    mkdir "$n->{dir}/$_" for qw(conf html logs tmp);
    my %files = ('conf/secret' => $Test::Cx::Token::SECRET,
                 %{$opt{files} // {}});
    Test::Cx::write_file("$n->{dir}/$_", $files{$_}) for sort keys %files;
    return $n;
}

sub dir       { $_[0]{dir} }
sub pid       { $_[0]{proc}->pid }
sub error_log { Test::Cx::read_file("$_[0]{dir}/logs/error.log") }
sub stderr    { Test::Cx::read_file("$_[0]{dir}/logs/stderr") }
sub file      { Test::Cx::read_file("$_[0]{dir}/$_[1]") }

sub port {
    my ($n, $name) = @_;
    return $n->{port}{$name // ''} //= Test::Cx::free_port();
}

# an alert, emerg or crit line that is meant to be there
sub allow { my ($n, @re) = @_; push @{$n->{allow}}, @re; return $n }

sub config {
    my ($n, %o) = @_;
    %o = (%{$n->{opt}}, %o);
    my $so = "$n->{t}{build}/ngx_http_cx_module.so";
    my ($main, $http, $server) = map { $_ // '' } @o{qw(main http server)};
    my $text = $o{conf} // join "\n",
        ($> == 0 ? 'user root;' : ()),
        'daemon ' . ($o{daemon} ? 'on' : 'off') . ';',
        'pid logs/nginx.pid;',
        ($main =~ /error_log/ ? () : 'error_log logs/error.log info;'),
        ($main =~ /worker_processes/ ? ()
         : 'worker_processes ' . ($o{workers} // 1) . ';'),
        ($o{no_module} ? () : "load_module $so;"),
        $main,
        ($main =~ /^\s*events\s*\{/m ? ()
         : 'events { worker_connections 512; }'),
        'http {',
        ($http =~ /access_log/ ? () : '    access_log logs/access.log;'),
        '    client_body_temp_path tmp/b; proxy_temp_path tmp/p;',
        '    fastcgi_temp_path tmp/f; uwsgi_temp_path tmp/u;',
        '    scgi_temp_path tmp/s;',
        ($http =~ /^\s*types\s*\{/m ? ()
         : '    types { text/html html htm; application/xhtml+xml xhtml; '
           . 'text/plain txt; application/json json; text/css css; '
           . 'application/javascript js; image/png png; }'),
        ($o{redis} ? '    cx_redis ' . $o{redis}->url . ';' : ()),
        ($o{no_module} || $o{no_secret} || $http =~ /cx_secret/ ? ()
         : '    cx_secret secret;'),
        $http,
        ($o{no_server} ? () : ('    server {',
        ($server =~ /^\s*listen\s/m ? ()
         : '        listen 127.0.0.1:%%PORT%% ' . ($o{listen} // '') . ';'),
        ($server =~ /^\s*server_name\s/m ? ()
         : '        server_name localhost;'),
        ($server =~ /^\s*root\s/m ? () : '        root html;'),
        ($o{cx} ? ('        cx on;',
                   '        location /_cx/ { cx_endpoint; }',
                   '        location = /cx_status { cx_status; }') : ()),
        $server,
        '    }')),
        $o{servers} // '',
        "}\n";
    $text =~ s/%%DIR%%/$n->{dir}/g;
    $text =~ s/%%PORT%%/$n->port/ge;
    $text =~ s/%%PORT:(\w+)%%/$n->port($1)/ge;
    return $text;
}

sub _env {
    my $preload = $ENV{CX_PRELOAD};
    if (!$preload && $ENV{CX_ASAN}) {
        chomp($preload = `\${CC:-gcc} -print-file-name=libasan.so`);
    }
    return {} if !$preload;
    return { LD_PRELOAD => $preload,
             ASAN_OPTIONS => $ENV{ASAN_OPTIONS} // 'detect_leaks=0',
             UBSAN_OPTIONS => $ENV{UBSAN_OPTIONS} // 'print_stacktrace=1' };
}

sub binary { $ENV{CX_NGINX} // 'nginx' }

sub _cmd {
    my ($n, @more) = @_;
    my $binary = binary();
    if ($binary !~ m{/}) {             # an upgrade needs the path
        ($binary) = grep { -x } map { "$_/$binary" } split /:/, $ENV{PATH};
    }
    return ['/usr/bin/env', $binary // binary(), '-p', "$n->{dir}/", '-c',
            "$n->{dir}/conf/nginx.conf", '-e', "$n->{dir}/logs/error.log",
            @more];
}

sub start {
    my ($n) = @_;
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/sbin";
    for my $try (1 .. 3) {
        Test::Cx::write_file("$n->{dir}/conf/nginx.conf", $n->config);
        unlink "$n->{dir}/logs/nginx.pid";
        my $had = -s "$n->{dir}/logs/error.log" || 0;
        $n->{proc} = $n->{t}->spawn(name => 'nginx', cmd => $n->_cmd,
            out => "$n->{dir}/logs/stderr", err => "$n->{dir}/logs/stderr",
            env => _env());
        $n->_daemon if $n->{opt}{daemon};
        Test::Cx::wait_for(sub {
            !$n->{proc}->running || (-s "$n->{dir}/logs/nginx.pid"
                                     && $n->workers);
        }, 10);
        sleep 0.02;
        if (substr($n->error_log, $had) =~ /worker process \d+ exited/) {
            $n->{proc}->kill9;
            die "workers of nginx die at once:\n" . $n->stderr
                . $n->error_log;
        }
        return $n if $n->{proc}->running;
        last if $n->stderr !~ /bind\(\) .* failed/;

        # somebody took the port between our look and nginx's bind
        $n->{port} = {};
        unlink map { "$n->{dir}/logs/$_" } qw(stderr error.log);
    }
    die "nginx does not start:\n" . $n->stderr . $n->config;
}

# what was started goes, and leaves the one whose pid is in the file
sub _daemon {
    my ($n) = @_;
    my $status = $n->{proc}->wait_exit(10) // 'no end';
    $n->_adopt if $status eq '0';
}

sub _adopt {
    my ($n) = @_;
    my $file = "$n->{dir}/logs/nginx.pid";
    return if !Test::Cx::wait_for(sub { -s $file }, 5);
    $n->{proc} = Test::Cx::Daemon->new('nginx', $file);
    push @{$n->{t}{procs}}, $n->{proc};
    Scalar::Util::weaken($n->{t}{procs}[-1]);
}

# SIGUSR2: a new master beside the old one, which then goes; code is called
# while both have workers
sub upgrade {
    my ($n, $code) = @_;
    my $old = $n->{proc};
    my $file = "$n->{dir}/logs/nginx.pid";
    $old->signal('USR2');
    Test::Cx::wait_for(sub { -s "$file.oldbin" && -s $file }, 10)
        or return 0;
    $n->_adopt;
    Test::Cx::wait_for(sub { $n->workers }, 10) or return 0;
    $code->() if $code;
    $old->signal('WINCH');
    Test::Cx::wait_for(sub { !_children($old->pid) }, 10) or return 0;
    $old->signal('QUIT');
    return defined $old->wait_exit(10);
}

# pids of a master's workers
sub _children {
    my ($master) = @_;
    return grep {
        Test::Cx::read_file("/proc/$_/cmdline") =~ /^nginx: worker process/
    } split ' ', Test::Cx::read_file("/proc/$master/task/$master/children");
}

# nginx -t: (exit status, output)
sub test {
    my ($n, %o) = @_;
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/sbin";
    Test::Cx::write_file("$n->{dir}/conf/nginx.conf", $n->config(%o));
    my ($status, $out, $err) = $n->{t}->run({ env => _env() },
                                            @{$n->_cmd('-t')});
    unlink "$n->{dir}/logs/error.log" if !$n->{proc};
    return ($status, $out . $err);
}

# pids of the workers that take requests, or with 1 of those leaving
sub workers {
    my ($n, $leaving) = @_;
    return grep {
        Test::Cx::read_file("/proc/$_/cmdline") =~ /is shutting down/
            ? $leaving : !$leaving;
    } _children($n->{proc}->pid);
}

# SIGHUP with, if given, changed parts; true when new workers are up
sub reload {
    my ($n, %o) = @_;
    $n->{opt} = { %{$n->{opt}}, %o };
    Test::Cx::write_file("$n->{dir}/conf/nginx.conf", $n->config);
    my %old = map { $_ => 1 } $n->workers;
    $n->{proc}->signal('HUP');
    return Test::Cx::wait_for(sub {
        my @now = $n->workers;
        return @now && !grep { $old{$_} } @now;
    }, 10);
}

sub signal    { $_[0]{proc}->signal($_[1]) }
sub wait_exit { my $n = shift; $n->{proc}->wait_exit(@_) }
sub stop      { my $n = shift; $n->{proc}->stop(@_) }

# graceful end; the exit status, undef if it had to be stopped hard
sub quit {
    my ($n, $seconds) = @_;
    return if !$n->{proc};
    $n->{proc}->signal('QUIT');
    my $status = $n->{proc}->wait_exit($seconds // 10);
    $n->{proc}->stop if !defined $status;
    return $status;
}

sub alerts {
    my ($n) = @_;
    return grep {
        my $line = $_;
        $line =~ /\[(?:alert|emerg|crit)\]/
            && !grep { $line =~ $_ } @{$n->{allow}};
    } split /^/m, $n->error_log;
}

# reports of a sanitizer, each with its stack
sub sanitizer {
    my ($n) = @_;
    my $left = 0;
    return grep { $left = 25 if /ERROR: \w+Sanitizer|runtime error:/;
                  $left-- > 0 }
        split /^/m, $n->error_log . $n->stderr;
}

# a kept connection; see Test::Cx::Http
sub connect {
    my ($n, %o) = @_;
    return Test::Cx::Http->new($o{port} // $n->port,
        map { $_ => $o{$_} } grep { exists $o{$_} } qw(from timeout addr));
}

# one request on a connection of its own; from, port as for connect
sub get {
    my ($n, $path, %o) = @_;
    return $n->connect(%o)->request($path, Connection => 'close', %o);
}

sub head { my $n = shift; $n->get(shift, method => 'HEAD', @_) }

sub post {
    my ($n, $path, $body, %o) = @_;
    return $n->connect(%o)->post($path, $body, Connection => 'close', %o);
}

# a request by HTTP/2 without TLS through curl; server with listen => 'http2'
sub h2 {
    my ($n, $path, %o) = @_;
    my $dir = $n->{t}->subdir('h2');
    my @cmd = ('/usr/bin/env', 'curl', '-s', '--http2-prior-knowledge',
               '--max-time', 20, '-o', "$dir/body", '-D', "$dir/head");
    push @cmd, '-A', 'Mozilla/5.0 Test' if !$o{'User-Agent'};
    push @cmd, '-I' if ($o{method} // '') eq 'HEAD';
    push @cmd, '--data-binary', $o{body} if defined $o{body};
    push @cmd, '-H', "$_: $o{$_}" for grep { /^[A-Z]/ } sort keys %o;
    my ($exit) = $n->{t}->run(@cmd, 'http://127.0.0.1:' . ($o{port} // $n->port) . $path);
    my $head = Test::Cx::read_file("$dir/head");
    my %h;
    for (split /\r?\n/, $head) {
        $h{lc $1} = $2 if /^([^:]+):\s*(.*)$/;
    }
    my ($status) = $head =~ m{^HTTP/2 (\d+)};
    my $body = ($o{method} // '') eq 'HEAD' ? ''
        : Test::Cx::read_file("$dir/body");
    return { status => $status // 0, headers => \%h, head => $head,
             body => $body, exit => $exit, complete => $exit == 0 };
}

# versions of the surveys that their files define: { survey => version }; what
# is recorded of the request has left when it returns
sub versions {
    my ($n, %o) = @_;
    my %version;
    for my $path (@{$o{paths} // ['/_cx/surveys?page=/a']}) {
        my $got = Test::Cx::Http::json($n->get($path, %o)->{body}) // {};
        $version{$_->{id}} = $_->{version} for @{$got->{surveys} // []};
    }
    Test::Cx::wait_for(sub { !($n->status // {})->{queue_depth} }, 1);
    return \%version;
}

# a counter of the status page: ('views_skipped', 'bot'); without a label, the
# sum of the family
sub counter {
    my ($n, $family, $label) = @_;
    my $text = $n->get('/cx_status?format=prometheus')->{body};
    my $sum;
    while ($text =~ /^cx_\Q$family\E_total(?:\{([^}]*)\})? (\d+)$/mg) {
        my ($labels, $value) = ($1 // '', $2);
        next if defined $label && $labels !~ /="\Q$label\E"/;
        $sum = ($sum // 0) + $value;
    }
    return $sum;
}

# cx_status as a structure, from /cx_status or the path given
sub status {
    my ($n, $path) = @_;
    return Test::Cx::Http::json($n->get($path // '/cx_status')->{body});
}

1;
