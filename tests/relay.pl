#!/usr/bin/perl
# A wire under a test's control: TCP on 127.0.0.1 from port-file to a unix socket.
# usage: relay.pl port-file socket <commands
#   freeze         nothing goes either way any more, and nothing is told of it: all sockets stay open.
#                  The kernel still takes new connections, which are not answered
#   freeze-at X    the same as soon as a client sends X, which does not reach the server
#   freeze-after X the same, but X does; only the answer does not come
#   freeze-past N  the same when clients have sent so many bytes more, which reach the server
#   thaw           all goes on from where it was
#   abandon        what is open stays silent for ever, at both ends; new connections are served
# Each command is answered by its own line when it is done, and a freeze that comes later by "frozen".
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;

my ($port_file, $path) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64, ReuseAddr => 1) or die "listen: $!\n";
my (%peer, %is_client, $frozen, $trigger, $passes, $room);
my $select = IO::Select->new(\*STDIN, $listener);
$| = 1;
$SIG{PIPE} = 'IGNORE';
open my $out, '>', "$port_file.new" or die "$port_file: $!\n";
print $out $listener->sockport, "\n";
close $out;
rename "$port_file.new", $port_file or die "$port_file: $!\n";

sub freeze {
	$frozen = 1;
	undef $trigger;
	undef $room;
	$select->remove($listener, map { $_->[1] } values %peer);
}

sub thaw {
	$frozen = 0;
	$select->add($listener, map { $_->[1] } values %peer);
}

my @abandoned; # held, so that no end is told
my $typed = '';

sub command {
	my ($line) = @_;
	if ($line eq 'freeze') {
		freeze();
	} elsif ($line =~ /^freeze-(at|after) (.+)$/) {
		($trigger, $passes) = ($2, $1 eq 'after');
	} elsif ($line =~ /^freeze-past (\d+)$/) {
		($room, $passes) = ($1, 1);
	} elsif ($line eq 'thaw') {
		thaw();
	} elsif ($line eq 'abandon') {
		freeze();
		push @abandoned, map { $_->[1] } values %peer;
		%peer = %is_client = ();
		thaw();
	} else {
		die "no such command: $line\n";
	}
	print "$line\n";
}

sub take {
	my $client = $listener->accept or return;
	my $server = IO::Socket::UNIX->new(Peer => $path) or return;
	# By the one that speaks: where it goes, and itself.
	$peer{$client} = [$server, $client];
	$peer{$server} = [$client, $server];
	$is_client{$client} = 1;
	$select->add($client, $server);
}

sub carry {
	my ($from) = @_;
	my ($to) = @{$peer{$from}};
	my $n = sysread $from, my $data, 65536;
	if (!$n) {
		$select->remove($from, $to);
		delete @peer{$from, $to};
		delete @is_client{$from, $to};
		close $_ for $from, $to;
		return;
	}
	my $hit = $is_client{$from} && (defined $trigger && index($data, $trigger) >= 0 ||
		defined $room && ($room -= $n) <= 0);
	if (!$hit || $passes) {
		for (my $at = 0; $at < $n;) {
			my $written = syswrite $to, $data, $n - $at, $at;
			last if !$written;
			$at += $written;
		}
	}
	return if !$hit;
	freeze();
	print "frozen\n";
}

while (1) {
	for my $from ($select->can_read) {
		if ($from == \*STDIN) {
			exit if !sysread STDIN, $typed, 4096, length $typed;
			command($1) while $typed =~ s/^(.*)\n//;
			last;
		} elsif ($from == $listener) {
			take();
		} elsif ($peer{$from}) {
			carry($from);
			last if $frozen;
		}
	}
}
