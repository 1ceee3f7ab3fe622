#!/usr/bin/perl
# Runs TAP programs and scripts three at a time, since most of them mostly wait, and ends with a line that a
# person can read. What failed, and what was said of it, stands in front of that line: the tail of a log tells.
use strict;
use warnings;
use TAP::Harness;

# How many lines are kept of what a file said before a test that fails, and after it.
my ($before, $after) = (10, 10);
my (%failures, %tail);

# Keeps of a file's output what a report of its failures needs. What a script says beside TAP is shown at once.
sub listen_to {
	my ($parser, $job) = @_;
	my $file = $job->[0];
	my ($room, @heard) = (0);
	$parser->callback(ALL => sub {
		my $line = shift;
		if ($line->is_test) {
			$room = $line->is_ok ? 0 : $after;
			push @{$failures{$file}}, "$file: " . $line->as_string, @heard if !$line->is_ok;
			@heard = ();
		} elsif ($line->is_comment || $line->is_unknown) {
			my $text = substr($line->raw, 0, 500);
			print STDERR "$file: $text\n" if $line->is_unknown && $file =~ /\.t$/ && $text =~ /\S/;
			if ($room > 0) {
				$room--;
				push @{$failures{$file}}, $text;
			} else {
				push @heard, $text;
				shift @heard if @heard > $before;
			}
		}
		$tail{$file} = [@heard];
	});
}

# What is wrong with a file: its failed tests, or else how it ended and its last words.
sub report {
	my ($file, $parser) = @_;
	my @lines = @{$failures{$file} // []};
	my @errors = $parser->parse_errors;
	push @errors, sprintf 'ended with status %d', $parser->exit || $parser->wait if $parser->exit || $parser->wait;
	push @lines, @{$tail{$file} // []} if !@lines;
	push @lines, map { "$file: $_" } @errors if @errors && !$failures{$file};
	print map { "$_\n" } @lines;
}

$ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
# Whoever runs this in the background may ignore some, and a shell cannot take that back.
$SIG{$_} = 'DEFAULT' for qw(HUP INT QUIT TERM PIPE);
my $harness = TAP::Harness->new({
	jobs => $ENV{TS_JOBS} // 3,
	timer => 1,
	merge => 1,
	exec => sub {
		my ($harness, $file) = @_;
		return $file =~ /\.t$/ ? ['bash', $file] : $file =~ /\.sh$/ ? ['sh', $file] : [$file];
	},
});
$harness->callback(made_parser => \&listen_to);
my $result = $harness->runtests(@ARGV);
my $failed = $result->failed + $result->parse_errors;
$failed = 1 if !$failed && !$result->all_passed;
for my $file ($result->descriptions) {
	my ($parser) = $result->parsers($file);
	report($file, $parser) if $parser->has_problems;
}
printf "%d passed, %d failed%s\n", scalar $result->passed - scalar $result->skipped, $failed,
	$result->skipped ? ', ' . scalar($result->skipped) . ' skipped' : '';
exit($failed ? 1 : 0);
