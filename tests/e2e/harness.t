#!/usr/bin/env bash
# The tests' own promise: each runs by itself, from any folder, and its exit status tells how it went.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2016 # as it stands in the files
source_line='^\. "\$\(dirname "\$\{BASH_SOURCE\[0\]\}"\)/(lib|\.\./nights/nights)\.sh"$'
is "$(grep -L -E "$source_line" "$here"/*.t)" "" "every test uses lib.sh, or what stands on it"
is "$(for t in "$here"/*.t; do [ "$(tail -n 1 "$t")" = done_testing ] || echo "$t"; done)" "" "and ends with done_testing"

# try NAME LINE...: a test of these lines; its output, and its status in code.
try() {
	local name=$1
	shift
	printf '%s\n' ". '$here/lib.sh'" "$@" >"$name.t"
	(cd / && env -u TS_BUILD -u TS_SHARED bash "$tmp/$name.t") >"$name.out" 2>&1
	code=$?
}
try good 'ok 0 one' 'ts-expand -V >out; is $? 0 two' 'done_testing'
is "$code/$(tail -n 1 good.out)" 0/1..2 "a test that passes ends with 0, from any folder"
try bad 'ok 0 one' 'is 1 2 two' 'ok 0 three' 'done_testing'
is "$code/$(grep -c '^not ok' bad.out)" 1/1 "one that fails ends with 1"
try half 'ok 0 one' 'true; exit'
is "$code" 1 "so does one that stops half way"
try leaves 'ok 0 one' 'start sleep 1000' "echo \"\$! \$tmp\" >'$tmp/left'" 'done_testing'
read -r pid folder <left
[ -n "$folder" ] && [ ! -e "$folder" ] && ended "$pid"
ok $? "nothing that a test started or wrote outlives it"
for t in good bad half; do
	perl "$top/tests/run.pl" "$t.t" >run.out 2>&1
	echo "$t $? $(tail -n 1 run.out)"
done >got
is "$(cat got)" "$(printf '%s\n' 'good 0 2 passed, 0 failed' 'bad 1 2 passed, 1 failed' 'half 1 1 passed, 1 failed')" \
	"the harness says the same"
perl "$top/tests/run.pl" good.t bad.t >run.out 2>&1
is "$(tail -n 4 run.out)" "$(printf '%s\n' 'bad.t: not ok 2 - two' '# got:  1' '# want: 2' '4 passed, 1 failed')" \
	"what failed, and how, stands in front of its last line"
printf '%s\n' ". '$here/lib.sh'" 'ok 0 one' 'echo no such thing >&2' 'kill -KILL $$' >dies.t
perl "$top/tests/run.pl" dies.t >run.out 2>&1
like "$(tail -n 4 run.out | tr '\n' ';')" 'no such thing;.*ended with status 9;' "and what was said before a test died"
unit=("$build"/unit/test_*)
"${unit[0]}" >unit.out 2>&1
code=$?
is "$code" 0 "a unit test runs by itself too" || cat unit.out
env -u CMOCKA_MESSAGE_OUTPUT "$build/unit/test_calendar" >unit.out 2>&1
is $? 0 "and finds what it compares with" || cat unit.out
done_testing
