#!/usr/bin/env perl
# bars.pl FORM SYMBOLS DAYS FIRST [CORRECTED]: 390 one-minute bars of each symbol and day, from day
# number FIRST on, symbols in ascending order. FORM is json (records) or tsv (for COPY). CORRECTED is
# how many bars of a thousand have another close.
use strict;
use warnings;
use POSIX 'strftime';
my ($form, $symbols, $days, $first, $corrected) = (@ARGV, 0);
my @time;
for my $d ($first .. $first + $days - 1) {
	my $open = 1577975400 + 86400 * $d;
	push @time, map { strftime '%Y-%m-%dT%H:%M:%SZ', gmtime $open + 60 * $_ } 0 .. 389;
}
for my $s (1 .. $symbols) {
	my $symbol = sprintf 'S%03d', $s;
	for my $i (0 .. $#time) {
		my $cents = 20000 + ($s * 7919 + $first * 31 + $i * 13) % 9000;
		my $open = sprintf '%.2f', $cents / 100;
		my $high = sprintf '%.2f', ($cents + 37) / 100;
		my $low = sprintf '%.2f', ($cents - 41) / 100;
		my $close = sprintf '%.2f', ($cents + ($i * 7 % 1000 < $corrected ? 5 : 11)) / 100;
		my $volume = 1000 + ($i * 7 + $s) % 900000;
		if ($form eq 'tsv') {
			print "$symbol\t$time[$i]\t$open\t$high\t$low\t$close\t$volume\n";
		} else {
			print qq({"type":"bar","symbol":"$symbol","timeframe":"1min","timestamp":"$time[$i]",),
				qq("open":$open,"high":$high,"low":$low,"close":$close,"volume":$volume}\n);
		}
	}
	next if $form eq 'tsv';
	my $n = @time;
	print qq({"type":"fetched","job_id":"bench","symbol":"$symbol","timeframe":"1min","from":"$time[0]",),
		qq("to":"$time[-1]","bars":$n,"first":"$time[0]","last":"$time[-1]"}\n);
}
