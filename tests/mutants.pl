#!/usr/bin/perl
# usage: mutants.pl [-n] TABLE [NAME...]   plants each break of the table in a copy of the sources, builds it
# and runs the tests that should notice. Exit 1 where one survives, 2 where the table does not fit the
# sources: with -n nothing but that is looked at.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use File::Path qw(make_path remove_tree);

$| = 1;
my $top = abs_path(dirname(__FILE__) . '/..');
my $only_fit = @ARGV && $ARGV[0] eq '-n' && shift @ARGV;
my ($table, @names) = @ARGV;
my $copy = "$top/build/mutants/tree";
my $limit = $ENV{MUTANT_SECONDS} // 300;

# Paragraphs of lines "key: value": name, file, find, with, tests.
sub mutants {
	open my $in, '<', $table or die "$table: $!\n";
	local $/ = '';
	my @all;
	while (my $text = <$in>) {
		$text =~ s/^#.*\n//mg;
		my %m = $text =~ /^(\w+): ?(.*)$/mg or next;
		for my $key (qw(name file find with tests)) {
			die "$table: $key is missing: $text" if !defined $m{$key};
		}
		push @all, \%m if !@names || grep { $_ eq $m{name} } @names;
	}
	return @all;
}

# Finds a text however its lines are broken.
sub pattern {
	my $text = shift;
	$text =~ s/\s+//g;
	return join '\s*', map { quotemeta } split //, $text;
}

sub slurp {
	open my $f, '<', $_[0] or die "$_[0]: $!\n";
	local $/;
	return scalar <$f>;
}

sub spit {
	open my $f, '>', $_[0] or die "$_[0]: $!\n";
	print $f $_[1];
	close $f or die "$_[0]: $!\n";
}

# What the tests need. Some of e2e/ have a command in a hurry.
sub build {
	my @made = ('all', map { m{^unit/} ? "build/$_" : 'build/ts-sim' } @_);
	push @made, 'build/stop/built' if grep { m{^e2e/(fetch|grouped|listen|network|silence)\.t$} } @_;
	return system("env -u MAKEFLAGS make -s -C '$copy' TWINS=impatient @made >'$copy/make.log' 2>&1") == 0;
}

# How often the file of a break has its text, and the file with the break in it.
sub plant {
	my $m = shift;
	my $text = -e "$top/$m->{file}" ? slurp("$top/$m->{file}") : '';
	my $pattern = pattern($m->{find});
	my $found = () = $text =~ /$pattern/g;
	my $with = $m->{with};
	$with =~ s/\\n/\n/g;
	$with =~ s/\\t/\t/g;
	$text =~ s/$pattern/$with/;
	return ($found, $text);
}

# The first line that says no, or undef when all tests pass. The test is ended there.
sub noticed {
	for my $test (@_) {
		my @command = $test =~ m{^unit/} ? ("$copy/build/$test") : ('bash', "$copy/tests/$test");
		my $pid = open(my $out, '-|') // die "fork: $!\n";
		if ($pid == 0) {
			open STDERR, '>', '/dev/null';
			$ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
			$ENV{TS_BUILD} = "$copy/build";
			exec 'timeout', '-k', 10, $limit, @command;
		}
		my $no;
		while (my $line = <$out>) {
			if ($line =~ /^not ok \S+ *-? *(.*)/) {
				$no = "$test: $1";
				kill 'TERM', $pid;
				last;
			}
		}
		local $SIG{PIPE} = 'IGNORE';
		close $out;
		return $no if defined $no;
		return "$test: ended with " . ($? >> 8 || $? & 127) if $?;
	}
	return undef;
}

my @all = mutants();
my ($survive, $unfit) = (0, 0);
my @fit;
for my $m (@all) {
	my ($found) = plant($m);
	push @fit, $m if $found == 1;
	next if $found == 1;
	print "unfit     $m->{name}: $m->{file} has it $found times: $m->{find}\n";
	$unfit++;
}
exit($unfit ? 2 : 0) if $only_fit;

remove_tree($copy);
make_path($copy);
system("cd '$top' && cp -a Makefile mk VERSION README.md HACKING.md NEWS.md pipeline.sh ts-sync ts-health cmd common doc pkg tests '$copy'") == 0 or exit 2;
my %tests = map { $_ => 1 } map { split ' ', $_->{tests} } @fit;
build(sort keys %tests) or die slurp("$copy/make.log");
my $no = noticed(sort keys %tests);
die "without any break: $no\n" if defined $no;

for my $m (@fit) {
	my @t = split ' ', $m->{tests};
	my $path = "$copy/$m->{file}";
	my $was = slurp($path);
	spit($path, (plant($m))[1]);
	if (!build(@t)) {
		print "unfit     $m->{name}: does not build\n", slurp("$copy/make.log");
		$unfit++;
	} elsif (defined($no = noticed(@t))) {
		print "noticed   $m->{name} by $no\n";
	} else {
		print "SURVIVES  $m->{name}: $m->{file}\n";
		$survive++;
	}
	spit($path, $was);
}
remove_tree($copy);
printf "%d breaks: %d noticed, %d survive, %d do not fit the sources\n", scalar @all,
	@all - $survive - $unfit, $survive, $unfit;
exit($unfit ? 2 : $survive ? 1 : 0);
