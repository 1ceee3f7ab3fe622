#!/usr/bin/env bash
# Every malloc, write, fsync, rename and read of the commands fails once, on small inputs: the first
# of a run, then the second of the next run, and so on. Whatever fails, the exit status is one of the
# contract (0, 1 with a verdict for everything, 111), something is said, and only what is whole ends with
# 0. Of the many calls inside the libraries NTH_LIBRARY (40) of each kind are taken, evenly spread.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

now=2025-12-16T17:00:30Z
pg_start || exit 1
redis_start --loglevel warning || exit 1
sim_start -N "$now" || exit 1
ts-store -i </dev/null 2>log || exit 1
printf '{"job_id":"n","source":"test","symbols":["AAPL","MSFT"],"timeframes":["day","hour"],"years":0.02,"received_at":"%s"}\n' \
	$now >job.json
ts-expand <job.json >tasks 2>log && ts-fetch <tasks >bars 2>log && ts-store <bars >verdicts 2>log || exit 1
# The spool as ts-listen leaves it.
mkdir -m 700 kept
ts-listen -s kept >out 2>log &
pid=$!
wait_for 10 grep -q 'listening on' log
redis publish tickstock.jobs.data_load "$(cat job.json)" >/dev/null
wait_for 10 test -s out
kill "$pid" && wait "$pid" || exit 1
bars_in() {
	jq -s 'map(select(.type == "stored") | .bars) | add // 0' "$1"
}
in_tables() {
	sql 'SELECT (SELECT count(*) FROM ohlcv_daily) + (SELECT count(*) FROM ohlcv_hourly)'
}
whole_bars=$(bars_in verdicts)
# In place of the shell that calls it.
preload() {
	exec timeout $((20 * patience)) env LD_PRELOAD="$build/nth.so" "$@"
}

# For each command: prepare; run, with output in out; lines: what of the output must be the same;
# holds: whether its effect is what the output says.
prepare_ts-expand() { :; }
run_ts-expand() (preload ts-expand <job.json)
lines_ts-expand() { cat "$1"; }
holds_ts-expand() { :; }
verdicts_ts-expand() { :; }

prepare_ts-fetch() { :; }
run_ts-fetch() (preload ts-fetch -j 2 <tasks)
lines_ts-fetch() { sort "$1"; }
holds_ts-fetch() { :; }
verdicts_ts-fetch() { [ "$(grep -cE '"type":"(fetched|failed)"' out)" -eq 4 ]; }

prepare_ts-store() { sql 'TRUNCATE ohlcv_daily, ohlcv_hourly'; }
run_ts-store() (preload ts-store <bars)
lines_ts-store() { grep '"stored"' "$1" | jq -c '[.symbol, .timeframe, .bars]' | sort; }
holds_ts-store() { [ "$(bars_in out)" -le "$(in_tables)" ] && { [ "$code" -ne 0 ] || [ "$(in_tables)" -eq "$whole_bars" ]; }; }
verdicts_ts-store() { [ "$(grep -cE '"type":"(stored|failed)"' out)" -eq 4 ]; }

prepare_ts-status() {
	rm -rf spool
	cp -a kept spool
	redis flushall >/dev/null
	# Where the page's own word is seen, it is not waited for.
	redis hset tickstock.jobs.status:n status submitted >/dev/null
}
run_ts-status() (preload ts-status -q -s spool <verdicts)
lines_ts-status() { jq -c 'del(.seconds)' "$1"; }
holds_ts-status() { [ "$code" -ne 0 ] || { hash_is n status completed && [ -z "$(ls spool)" ]; }; }
verdicts_ts-status() { :; }

prepare_ts-listen() {
	rm -rf spool
	mkdir -m 700 spool
}
# Published until it is passed on: while nobody listened, nobody has heard of it.
passed_on() {
	grep -q '"job_id"' out || ended "$listen_pid" && return
	redis publish tickstock.jobs.data_load "$(jq -c 'del(.received_at)' job.json)" >/dev/null
	false
}
run_ts-listen() {
	(preload ts-listen -s spool </dev/null) &
	listen_pid=$!
	wait_for 10 passed_on >/dev/null
	# timeout passes it on.
	kill -TERM "$listen_pid" 2>/dev/null
	wait "$listen_pid"
	code=$?
	# A job that came again while it was told to stop.
	[ "$code" -ne 143 ] || code=0
	return "$code"
}
lines_ts-listen() { jq -c 'select(.job_id) | del(.received_at)' "$1"; }
# What cannot be kept goes on all the same, which is said.
holds_ts-listen() {
	! grep -q '"job_id"' out || [ "$(find spool -name '*.job' | wc -l)" -eq 1 ] || grep -q 'would not survive' err
}
verdicts_ts-listen() { :; }

# All is there, so whatever it says but that is untrue.
prepare_ts-audit() { [ "$(in_tables)" -eq "$whole_bars" ] || ts-store <bars >again 2>log; }
run_ts-audit() (preload ts-audit <tasks)
lines_ts-audit() { cat "$1"; }
holds_ts-audit() { :; }
verdicts_ts-audit() { false; }

# once COMMAND CALL FROM N: one run.
once() {
	rm -f nth.failed out err
	"prepare_$1"
	NTH_CALL=$2 NTH_FROM=$3 NTH=$4 NTH_COUNT=$tmp/nth.count NTH_FAILED=$tmp/nth.failed \
		"run_$1" >out 2>err
	code=$?
}
# judge COMMAND: what is wrong with the last run, or nothing.
judge() {
	case $code in
	0) [ "$("lines_$1" out)" = "$("lines_$1" "good.$1")" ] || echo "exit 0 and the output is not whole" ;;
	1)
		[ -z "$(tail -c 1 out)" ] || echo "exit 1 and the last line is cut"
		"verdicts_$1" || echo "exit 1 and not every task has a verdict"
		;;
	111) ;;
	124) echo "it hangs" ;;
	*) echo "exit $code" ;;
	esac
	[ "$code" -eq 0 ] || [ -s err ] || echo "exit $code and not a word"
	# What is short of memory is not somebody's mistake.
	! grep -E 'no time zone data|is not Redis|DATABASE_URL|REDIS_URL|stands twice|not JSON' err
	"holds_$1" || echo "exit $code and what was done is not what was said"
}

for command in ${NTH_COMMANDS:-ts-expand ts-fetch ts-store ts-status ts-listen ts-audit}; do
	# What the run without a fault gives.
	once "$command" none any 0
	mv out "good.$command"
	cp "good.$command" out
	is "$code/$([ -s out ] && judge "$command")" 0/ "$command: a run without a fault"
	for call in malloc write fsync rename read; do
		for from in program any; do
			[ $call = malloc ] || [ $from = any ] || continue
			once "$command" $call $from 0
			count=$(cat nth.count)
			step=1
			[ $from = program ] || step=$((1 + count / ${NTH_LIBRARY:-40}))
			runs=0 bad=0
			for ((n = 1; n <= count; n += step)); do
				once "$command" $call $from $n
				[ -e nth.failed ] || continue
				runs=$((runs + 1))
				why=$(judge "$command" 2>&1)
				[ -z "$why" ] && continue
				bad=$((bad + 1))
				[ $bad -gt 5 ] || printf '# %s %s: %s\n# %s\n' "$call" $n "$why" "$(grep -v ' start ' err | tail -n 2)"
			done
			[ $bad -eq 0 ]
			ok $? "$command: $call of the $from fails once, $runs of $count times"
		done
	done
done

# The judge is no yes-man: a cut output with exit 0, a strange status, silence.
[ -e good.ts-fetch ] || { once ts-fetch none any 0 && mv out good.ts-fetch; }
head -n -1 good.ts-fetch >out
: >err
code=0
like "$(judge ts-fetch)" 'not whole' "an output that lacks its end is not taken for whole"
code=139
like "$(judge ts-fetch)" '^exit 139' "a crash is not taken for an end"
code=111
like "$(judge ts-fetch)" 'not a word' "nor silence for a reason"
done_testing
