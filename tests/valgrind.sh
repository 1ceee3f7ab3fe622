#!/bin/sh
# usage: valgrind.sh DIR BUILD PROGRAM...   makes a folder of programs that run under valgrind
#        valgrind.sh -c DIR                 says what valgrind found meanwhile; 1 if it found anything
# What it finds goes into logs: the tests look at exit statuses that valgrind's own would hide, and not
# at every one.
set -eu

# findings LOG: the paragraphs that tell of something wrong. No finding is a descriptor that a program
# was given by its parent, or the pipe by which it hears of signals as long as it lives, or what the
# libraries of Kerberos and TLS keep once they were used. A program that a signal ends at once gives
# nothing back, but what it did until then counts.
findings() {
	sed 's/^==[0-9]*== \{0,1\}//' "$1" | awk -v RS= '
		/^(Memcheck, |Command: |HEAP SUMMARY:|LEAK SUMMARY:|All heap blocks were freed|For lists of|ERROR SUMMARY: )/ { next }
		/^Process terminating with default action of signal (1|2|13|15) / { ended = 1; next }
		sub(/^FILE DESCRIPTORS: [^\n]*\n?/, "") && $0 == "" { next }
		/ still reachable in / && /^[^\n]*\n[^\n]*alloc [^\n]*\n(   by [^\n]*: strdup [^\n]*\n)?[^\n]* \(in [^\n]*\/lib(crypto|gnutls|gssapi_krb5|k5crypto|krb5|krb5support|p11-kit)\.so/ { next }
		# It ended while a name was looked up.
		/^Open / && / start_lookup / { ended = 1; next }
		/^Open / && (/<inherited from parent>/ || / signals_init /) { next }
		{ text[++n] = $0 }
		END {
			for (i = 1; i <= n; i++) {
				if (!ended || text[i] !~ /^Open |in loss record /)
					print text[i] "\n"
			}
		}'
}

if [ "$1" = -c ]; then
	runs=0 found=0
	for log in "$2"/log/*; do
		[ -e "$log" ] || continue
		runs=$((runs + 1))
		findings "$log" >"$2/findings"
		[ -s "$2/findings" ] || continue
		found=$((found + 1))
		echo "${log##*/}:" >&2
		head -n 20 "$2/findings" >&2
	done
	echo "valgrind: $runs runs, $found with errors, leaks or open descriptors"
	[ $found -eq 0 ] && [ $runs -gt 0 ] || exit 1
	exit 0
fi

dir=$1
build=$2
shift 2
rm -rf "$dir"
mkdir -p "$dir/log" "$dir/as"
# Programs under test run as any user.
chmod 1777 "$dir/log"
dir=$(cd "$dir" && pwd)
# Without the launcher, by a link of the program's name: so its processes have that name, by which the
# tests look for them.
launcher=$(command -v valgrind)
# shellcheck disable=SC2016 # the inner shell's
tool=$(valgrind -q sh -c 'readlink /proc/$$/exe; :')
for program in "$@"; do
	name=${program##*/}
	ln -s "$tool" "$dir/as/$name"
	mkdir -p "$(dirname "$dir/$program")"
	cat >"$dir/$program" <<-END
		#!/bin/sh
		export VALGRIND_LAUNCHER=$launcher
		# Opened here, as a descriptor that no program expects to be closed.
		exec "$dir/as/$name" --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all \\
			--track-fds=yes --child-silent-after-fork=yes --vgdb=no --log-fd=9 "$build/$program" "\$@" \\
			9>>"$dir/log/$name.\$\$"
	END
	chmod +x "$dir/$program"
done
# Not under test.
ln -s "$build/ts-sim" "$dir/ts-sim"
ln -s "$build/stop" "$dir/stop"
