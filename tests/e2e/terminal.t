#!/usr/bin/env bash
# shellcheck disable=SC2016
# One terminal for all stages: the meter of ts-status and the lines of everybody, as a person sees them.
# A screen is kept of what a pseudo terminal was sent, and compared.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# screen COLUMNS <BYTES: the rows that a terminal shows; rows that only the width has parted are joined.
screen() {
	perl -e '
		use strict;
		use warnings;
		local $/;
		my ($cols, $x, $y, @row, @soft) = ($ARGV[0], 0, 0);
		my $in = <STDIN>;
		while ($in =~ /\G(?:\e\[8;;(\d+)t|(\e\[K)|(\r)|(\n)|(\e.*)|(.))/gs) {
			if (defined $1) { $cols = $1 }
			elsif (defined $2) { $row[$y] = substr($row[$y] // "", 0, $x) }
			elsif (defined $3) { $x = 0 }
			elsif (defined $4) { $y++ }
			elsif (defined $5) { die "what escape is this?\n" }
			else {
				if ($x >= $cols) { $soft[$y++] = 1; $x = 0 }
				$row[$y] //= "";
				$row[$y] .= " " x ($x - length $row[$y]) if $x > length $row[$y];
				substr($row[$y], $x++, 1) = $6;
			}
		}
		print $row[$_] // "", $soft[$_] ? "" : "\n" for 0 .. $#row' "$1"
}
is "$(printf 'abc\r\nabcdef\rxy\033[Kz\r\nmeter\r\033[Kline that is long\r\n\033[8;;20tabcdefghijkl\r\n' | screen 10)" \
	'abc
xyz
line that is long
abcdefghijkl' "the screen of this test wraps, clears and grows"

job='{"type":"job","job_id":"j","source":"DIA","symbols":2,"timeframes":["1min","day"],"tasks":4,"received_at":"2025-12-16T17:00:30Z"}'
stored() {
	printf '{"type":"stored","job_id":"j","symbol":"%s","timeframe":"%s","from":"2025-12-15","to":"2025-12-16","bars":%d,"inserted":%d,"updated":0,"unchanged":0,"rejected":0}\n' \
		"$1" "$2" "$3" "$3"
}
{
	echo "$job"
	stored AAPL 1min 390
	stored AAPL day 1
} >part
{
	stored MSFT 1min 390
	stored MSFT day 1
} >rest
# drawn WORD [WIDTH]: waits for the meter to be drawn again, with WORD in it.
cat >drawn <<'END'
frames() { tr '\r' '\n' <sent | grep -c "$1"; }
was=$(frames "$1")
for i in $(seq 300); do
	[ "$(frames "$1")" -eq "$was" ] || exit 0
	sleep 0.05
done
END
# Another stage has something to say while the meter stands there, again and again.
cat >scene <<'END'
cat part
for i in 1 2 3; do
	$wait
	[ "$i" != 2 ] || eval "${MIDDLE-}"
	echo bad | ts-expand
done
$wait
cat rest
END
# show COLUMNS [ENVIRONMENT...]: the scene, and its screen in seen; all that the terminal was sent in sent.
show() {
	local cols=$1
	shift
	: >sent
	env TERM=xterm wait="bash drawn 2/4" "$@" script -qefc "stty cols $cols; bash scene | ts-status -u none" /dev/null >sent </dev/null
	screen "$cols" <sent >seen
}
bad=$(echo bad | ts-expand 2>&1 >/dev/null)
want=$bad$'\n'$bad$'\n'$bad'
ts-status: job completed id=j: Loaded 4 of 4 tasks, 782 bars
{"type":"done","job_id":"j","status":"completed","tasks":4,"stored":4,"failed":0,"empty":0,"bars":782,"seconds":S}'
# What is seen, but for what no two runs have in common.
seen() {
	sed -E 's/(seconds"?[:=])[0-9.]+/\1S/; s/version=[^ ]+/version=V/' seen
}
for a in 40 80 120; do
	show $a
	is "$(seen)" "$want" "$a columns: each line is whole, and the meter is gone at the end"
	[ "$(tr '\r' '\n' <sent | grep -c '^DIA .*2/4')" -ge 2 ]
	ok $? "$a columns: the meter is drawn again after the lines of others"
	is "$(tr '\r' '\n' <sent | sed 's/\x1b\[K//' | awk -v a=$a '/^DIA / && length >= a')" "" "$a columns: and fits"
done
show 120 MIDDLE="stty cols 40 </dev/tty; printf '\\033[8;;40t' >/dev/tty; bash drawn 2/4"
is "$(seen)" "$want" "resized meanwhile: each line is whole"
is "$(tr '\r' '\n' <sent | sed '1,/\[8;;40t/d; s/\x1b\[K//' | awk '/^DIA / && length >= 40')" "" "and the meter fits from then on"
for a in dumb ''; do
	show 80 TERM=$a wait=
	is "$(grep -c $'\033' sent)/$(seen)" "0/$want" "TERM=$a: no escape, and each line is whole"
done
wait="" bash scene 2>all | ts-status -u none 2>>all >out
is "$(grep -c $'[\033\r]' all)/$(grep -c '^ts-expand: ' all)" "0/3" "redirected: plain lines"
# Two jobs are one line.
cat >scene <<'END'
cat part
sed 's/"j"/"k"/' part rest | sed '$d'
bash drawn 5/8
cat rest
sed 's/"j"/"k"/' rest | tail -n 1
END
show 120
like "$(tr '\r' '\n' <sent | grep jobs | tail -n 1)" '^2 jobs 62% 5/8 tasks, 1,172 bars, .* left, MSFT 1min' "several jobs are one line of all"
show 40
like "$(tr '\r' '\n' <sent | grep jobs | tail -n 1)" '^2 jobs 62% 5/8, .* left' "which fits, too"
is "$(grep -c '^{"type":"done"' seen)/$(grep -c jobs seen)" 2/0 "and is gone at the end"
done_testing
