#!/usr/bin/perl

# Redis behind Sentinels: whoever is master gets the events, each once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Cx;
use Test::Cx::Load;
use Time::HiRes qw(time sleep);

my $t = Test::Cx->new;

my $s = $t->sentinel(replicas => 2, appendonly => 'yes',
    password => 's3cret', sentinel_password => 'gu4rd');

sub nginx_to {
    my ($words, %o) = @_;
    return $t->nginx(cx => 1, http => "cx_redis $words;\n"
        . 'cx_queue size=32m flush=50ms batch=20;',
        server => 'keepalive_requests 1000000;', %o);
}

# lines since the last call, each worker's trouble begins once and ends
sub trouble_over {
    my ($ngx, $name) = @_;
    my (@lines, %n, %open);
    wait_for(sub {
        push @lines, news($ngx);
        %open = %n = ();
        for (@lines) {
            my ($pid, $who, $text)
                = /\] (\d+)#\d+: cx: redis "([^" ]+).*?": (.*)/ or next;
            $n{"$pid $who $text"}++;
            $open{"$pid $who"}++;
        }
        for (@lines) {
            delete $open{"$1 $2"}
                if /\] (\d+)#\d+: cx: redis "([^" ]+).* is back/;
        }
        return %n && !%open;
    }, 10);
    ok %n && !%open, "$name: trouble is told, and that it is over"
        or diag join "\n", @lines;
    is join("\n", grep { $n{$_} > 1 } keys %n), '', "$name: each once";
    return @lines;
}

my $ngx = nginx_to($s->url, workers => 2);
once('well', $s, load($ngx, 0.5));
is scalar(news($ngx)), 0, 'well: nothing in the log';

# in good order: a master that has lost a replica takes nothing, as Redis would
# lose it
$s->master->cmd('CONFIG', 'SET', 'min-replicas-to-write', 2);
my @marks = load($ngx, 1.5, sub { $s->failover });
once('failover', $s, @marks, load($ngx, 0.5));
trouble_over($ngx, 'failover');
ok wait_for(sub { $s->in_step }, 20), 'failover: the others follow';
$_->cmd('CONFIG', 'SET', 'min-replicas-to-write', 0) for $s->nodes;

# nothing is on its way, neither to the master nor to its replicas
sub settled {
    my $master = $s->master;
    wait_for(sub { $ngx->status->{queue_depth} == 0 && $s->level($master) },
             20) or die "the replicas do not follow\n";
    return $master;
}

# killed: what was acknowledged has reached a replica
my $old;
@marks = load($ngx, 1, sub { ($old = settled())->kill9 });
push @marks, load($ngx, 1);
ok $s->wait_other($old), 'a replica takes over';
once('killed', $s, @marks, load($ngx, 0.5));
trouble_over($ngx, 'killed');
cmp_ok $ngx->counter('dropped_events'), '==', 0, 'killed: none dropped';

# back as a replica
$old->start(1);
ok wait_for(sub { $s->in_step }, 15), 'the old master follows';
once('as replica', $s, load($ngx, 0.5));
is scalar(news($ngx)), 0, 'as replica: nothing in the log';

# frozen, then awake again as a master that nobody asked
@marks = load($ngx, 1, sub { ($old = settled())->pause });
push @marks, load($ngx, 0.5);
ok $s->wait_other($old), 'another takes over from a frozen one';
push @marks, load($ngx, 0.3);
ok wait_for(sub { my %seen = map { ($_->{target} => 1) } $s->events;
                  !grep { !$seen{$_} } @marks }, 10),
    'frozen: all at the other one, before it wakes up';
$old->cont;
once('frozen', $s, @marks, load($ngx, 0.5));
ok wait_for(sub { $s->in_step }, 20), 'frozen: it follows';
news($ngx);

# Sentinels may go or hang, as long as one is left when it is needed
my $master = $s->master;
my @sentinels = $s->sentinels;
my $one = nginx_to($s->url);
my $cut = sub {
    $master->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
};
$_->pause for @sentinels[0, 1];
once('one Sentinel', $master, load($one, 1, $cut), load($one, 0.5));
$_->kill9 for @sentinels;
once('no Sentinel', $master, load($one, 0.5));
$cut->();
@marks = load($one, 0.5);
ok wait_for(sub { $one->error_log =~ /nobody tells the way, .* failed/ }, 5),
    'no Sentinel: is told';
$_->start for @sentinels;
once('Sentinels are back', $s, @marks, load($one, 0.3));
trouble_over($one, 'Sentinels are back');
unlike $one->error_log, qr/s3cret|gu4rd/, 'no password in the log';

# what they cannot tell
my @words = $s->words;
s/master=.*/master=other/ for @words;
my $unknown = nginx_to("@words");
load($unknown, 0.3);
ok wait_for(sub { $unknown->error_log =~ /knows no master of this name/ }, 5),
    'unknown name: is told';
$unknown->stop;
s/gu4rd/wr0ng/ for @words = $s->words;
my $locked = nginx_to("@words");
load($locked, 0.3);
ok wait_for(sub { $locked->error_log =~ /WRONGPASS/ }, 5),
    'wrong password of Sentinels: is told';
cmp_ok $locked->counter('redis_troubles', 'auth'), '>=', 1, '... and counted';
unlike $locked->error_log, qr/wr0ng/, '... without it';
$locked->stop;

# over TLS
my $tls = $t->sentinel(replicas => 1, sentinels => 1, tls => 1);
my $over = nginx_to($tls->url);
once('over TLS', $tls, load($over, 0.4));
@marks = load($over, 1, sub { sleep 0.3; $tls->kill_master });
once('over TLS, killed', $tls, @marks, load($over, 0.4));

$t->done;
