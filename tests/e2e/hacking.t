#!/usr/bin/env bash
# HACKING.md against the tree: every room is in its lists, every #include goes down them, and no two rooms have one name.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# arrows TREE: what is wrong, a line each. A room is a file's name without its ending.
arrows() {
	(cd "$1" && perl - HACKING.md <<'END'
use strict;
use warnings;
my (%floor, %object, %owner, $part, $n);
open my $page, '<', 'HACKING.md' or die;
while (<$page>) {
	$part = $1 if /^(ts-\w+|common)$/;
	$part = undef if /^(#|[A-Z])/;
	next unless defined $part && /^    (\S.*)/;
	$n++;
	for my $object (split ' ', (split /   /, $1)[0]) {
		$floor{$part}{$_} = $n and $object{$part}{$_} = $object for split /\+/, $object;
	}
}
for my $dir (<cmd/*>, 'common') {
	my $part = $dir =~ s{.*/}{}r;
	my %room = map { s{^\Q$dir\E/}{}r =~ s/\.[ch]$//r => $_ } glob("$dir/*.[ch] $dir/*/*.[ch]");
	for my $room (sort keys %room) {
		my $name = $room =~ s{.*/}{}r;
		print "$room of $part has the name of a room of $owner{$name}\n"
			if $owner{$name} && $name !~ /^(main|input)$/;
		$owner{$name} //= $part;
		print "HACKING.md does not name $room of $part\n" unless $floor{$part}{$room};
	}
	for my $room (sort keys %{ $floor{$part} }) {
		print "HACKING.md names $room of $part, which is gone\n" unless $room{$room};
	}
	my (%text, %defined);
	for my $file (sort glob("$dir/*.c $dir/*/*.c")) {
		open my $in, '<', $file or die;
		local $/;
		my $from = $file =~ s{^\Q$dir\E/}{}r =~ s/\.c$//r;
		$text{$from} = <$in> =~ s{/\*.*?\*/|"[^"\n]*"}{}gsr;
		$defined{$_} = $from for $text{$from} =~ /^(?!static)\w[^;{}()\n]*\n(\w+)\(/mg;
	}
	for my $from (sort keys %text) {
		my %to = map { $defined{$_} => $_ } grep { defined $defined{$_} } $text{$from} =~ /\b(\w+)\(/g;
		for my $to (sort keys %to) {
			next if $to eq $from || ($object{$part}{$to} // 1) eq ($object{$part}{$from} // 2);
			print "$dir/$from.c calls $to{$to} of $to\n" if ($floor{$part}{$to} // 0) <= ($floor{$part}{$from} // 0);
		}
	}
	for my $file (sort glob("$dir/*.[ch] $dir/*/*.[ch]")) {
		my $from = $file =~ s{^\Q$dir\E/}{}r =~ s/\.[ch]$//r;
		open my $in, '<', $file or die;
		while (<$in>) {
			next unless /^\s*#\s*include "([^"]+)"/;
			my $header = $1;
			if ($header =~ m{\.\.|ts-}) {
				print "$file goes to $header of another command\n";
				next;
			}
			my $to = $header =~ s/\.h$//r;
			$to = ($from =~ m{^(.*/)})[0] . $to if $from =~ m{/} && -e "$dir/" . ($from =~ m{^(.*/)})[0] . $header;
			if (!-e "$dir/$to.h") {
				# The other floor below a command; what the build makes stands nowhere.
				print "$file: $header is of no floor below\n"
					if $header !~ /^(schema|catalogue|statements)\.h$/ && ($part eq 'common' || !-e "common/$header");
				next;
			}
			next if $to eq $from || ($object{$part}{$to} // 1) eq ($object{$part}{$from} // 2);
			print "$file goes up to $to\n" if ($floor{$part}{$to} // 0) <= ($floor{$part}{$from} // 0);
		}
	}
}
END
	)
}
is "$(arrows "$top")" "" "every include and every call goes down the lists of HACKING.md, and no two rooms have one name" ||
	echo "# add a new room to the list of its command, below all that include it"
cp -R "$top/cmd" "$top/common" "$top/HACKING.md" .
echo '#include "expand.h"' >>cmd/ts-expand/window.c
echo '#include "../ts-store/batch.h"' >>cmd/ts-fetch/bars.c
echo '#include "record.h"' >>common/buffer.c
echo 'int room;' >common/room.c
echo 'int hash;' >cmd/ts-store/hash.c
printf 'static void\ncall_up(void)\n{\n\t(void)expand_job();\n}\n' >>cmd/ts-expand/job.c
is "$(arrows .)" "cmd/ts-expand/job.c calls expand_job of expand
cmd/ts-expand/window.c goes up to expand
cmd/ts-fetch/bars.c goes to ../ts-store/batch.h of another command
HACKING.md does not name hash of ts-store
hash of common has the name of a room of ts-store
HACKING.md does not name room of common
common/buffer.c goes up to record" "an arrow that goes up, or to another command, a room that is not named and a name given twice would be seen"

# What it names is there.
is "$(grep -oE '\b(doc|tests|cmd|common|mk)/[A-Za-z0-9_./-]*[A-Za-z0-9]' "$top/HACKING.md" | grep -v NAME | sort -u | while read -r a; do
	[ -e "$top/$a" ] || echo "$a"
done)" "" "every path that it names is there"
is "$(grep -oE 'make [a-z-]+' "$top/HACKING.md" | sort -u | while read -r _ a; do
	grep -q "^$a:" "$top/Makefile" "$top"/mk/*.mk || echo "$a"
done)" "" "and every target of make"
done_testing
