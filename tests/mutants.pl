#!/usr/bin/perl
# usage: mutants.pl TABLE [NAME...]   plants each break of the table in a copy of the sources, builds it and
# runs the tests that should notice. Exit 1 where one survives, 2 where the table does not fit the sources.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use File::Path qw(make_path remove_tree);

my $top = abs_path(dirname(__FILE__) . '/..');
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

sub build {
	my @unit = map { "build/$_" } grep { m{^unit/} } @_;
	return system("make -s -C '$copy' all build/ts-sim @unit >'$copy/make.log' 2>&1") == 0;
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
			exec 'timeout', $limit, @command;
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
remove_tree($copy);
make_path($copy);
system("cd '$top' && cp -a Makefile mk VERSION README.md HACKING.md NEWS.md pipeline.sh ts-sync cmd common doc pkg tests '$copy'") == 0 or exit 2;
my %tests = map { $_ => 1 } map { split ' ', $_->{tests} } @all;
build(sort keys %tests) or die slurp("$copy/make.log");
my $no = noticed(sort keys %tests);
die "without any break: $no\n" if defined $no;

my ($survive, $unfit, $n) = (0, 0, 0);
for my $m (@all) {
	my @t = split ' ', $m->{tests};
	my $path = "$copy/$m->{file}";
	my $was = slurp($path);
	my ($is, $with) = ($was, $m->{with});
	$with =~ s/\\n/\n/g;
	$with =~ s/\\t/\t/g;
	my $found = () = $was =~ /$m->{find}/g;
	$n++;
	if ($found != 1) {
		print "unfit     $m->{name}: $m->{file}: found $found times: $m->{find}\n";
		$unfit++;
		next;
	}
	$is =~ s/$m->{find}/$with/;
	spit($path, $is);
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
printf "%d breaks: %d noticed, %d survive, %d do not fit the sources\n", $n, $n - $survive - $unfit, $survive, $unfit;
exit($unfit ? 2 : $survive ? 1 : 0);
