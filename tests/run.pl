#!/usr/bin/perl
# Runs TAP programs and scripts two at a time and ends with a line that a person can read.
use strict;
use warnings;
use FindBin;
use TAP::Harness;

$ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
my $harness = TAP::Harness->new({
	jobs => $ENV{TS_JOBS} // 2,
	merge => 0,
	exec => sub {
		my ($harness, $file) = @_;
		return $file =~ /\.t$/ ? ['bash', $file] : [$file];
	},
});
my $result = $harness->runtests(@ARGV);
my $failed = $result->failed + $result->parse_errors;
$failed = 1 if !$failed && !$result->all_passed;
printf "%d passed, %d failed%s\n", scalar $result->passed - scalar $result->skipped, $failed,
	$result->skipped ? ', ' . scalar($result->skipped) . ' skipped' : '';
exit($failed ? 1 : 0);
