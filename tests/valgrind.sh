#!/bin/sh
# usage: valgrind.sh DIR BUILD COMMAND...   makes a folder of commands that run under valgrind
#        valgrind.sh -c DIR                 says what valgrind found meanwhile; 1 if it found anything
# A log that is not empty is a finding: the tests look at exit statuses that valgrind's own would hide.
set -eu

if [ "$1" = -c ]; then
	found=0
	for log in "$2"/log/*; do
		[ -s "$log" ] || continue
		found=$((found + 1))
		head -n 20 "$log" >&2
	done
	echo "valgrind: $(find "$2/log" -type f | wc -l) runs, $found with errors or leaks"
	[ $found -eq 0 ] || exit 1
	exit 0
fi

dir=$1
build=$2
shift 2
rm -rf "$dir"
mkdir -p "$dir/log"
dir=$(cd "$dir" && pwd)
for name in "$@"; do
	printf '#!/bin/sh\nexec valgrind -q --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all --track-fds=no --log-file=%s/log/%s.%%p %s/%s "$@"\n' \
		"$dir" "$name" "$build" "$name" >"$dir/$name"
	chmod +x "$dir/$name"
done
# Not under test.
ln -s "$build/ts-sim" "$dir/ts-sim"
