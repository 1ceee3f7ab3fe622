#!/usr/bin/env bash
# shellcheck disable=SC2016
# ts-fetch -d: hours made of minutes, weeks and months of days. The tables are those of a direct load, whatever
# the days are like and whatever goes wrong, and requests are saved.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

now=2026-01-15T17:15:13Z
all=1min,hour,day,week,month
printf 'AAPL split 2025-12-10 4:1\nREACH reach 90\n' >events
: >faults
sim_start -N $now -e events -f faults || exit 1
pg_start || exit 1

# table DATABASE: out into its tables, made anew; then all that they hold, as text.
table() {
	psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1" 2>/dev/null
	DATABASE_URL="postgresql:///$1?host=$tmp/pg&user=postgres" ts-store -i -j 1 <out 2>store.err >stored || cat store.err
	for t in 1min hourly daily weekly monthly; do
		psql -X -q -d "$1" -c "COPY (SELECT (to_jsonb(t) - 'id' - 'created_at' - 'updated_at')::text AS r FROM ohlcv_$t t ORDER BY 1) TO STDOUT"
	done
}
# verdicts: those of out, in order.
verdicts() {
	jq -c 'select(.type == "fetched" or .type == "failed") | del(.bytes)' out | sort
}
# spans SPAN [SYMBOL]: the requests for that span.
spans() {
	requests "/ticker/${2:-[^/]*}/range/1/$1/"
}
end() {
	sed -n 's/ grouped=0//; s/.* end //p' err
}
expand() {
	ts-expand -N $now -y "$1" -t "$2" "${@:3}" >tasks
}

# Half days, the end of daylight saving time, a split in the middle, fractions of shares from January on.
expand 0.25 $all AAPL EXP1 LATE1 MSFT NONE1 SPARSE1 THIN1
load
direct=$asked
verdicts >direct.verdicts
table direct >direct.rows
load -d
is "$code/$(end | grep -o 'derived=.*differing=[0-9]*')" "0/derived=16 sampled=3 differing=0" \
	"what was derived and compared is counted"
is "$(end | grep -o 'saved=[0-9]*')" "saved=$((direct - asked))" "so are the requests that were not made"
table derived >derived.rows
cmp direct.rows derived.rows
ok $? "the tables are those of a direct load"
diff <(verdicts) direct.verdicts
ok $? "and so are the verdicts"
is "$(jq -r 'select(.type == "loading") | "\(.symbol) \(.timeframe)"' out | sort | uniq -c | awk '$1 != 1 || NR == 35')" \
	"      1 THIN1 week" "each task begins to load once"
is "$(spans hour)/$(spans week AAPL)$(spans month AAPL)/$(spans week LATE1)" "1/11/1" \
	"the first of each timeframe is asked for as well, and the first week where its first day is missing"

# The same in another order, with pages of few bars, one by one, and with more samples.
ts-expand -N $now -y 0.1 -t month,hour,week,1min,day AAPL MSFT >tasks
load -d
like "$(end)" ' derived=3 sampled=3 ' "the order of the timeframes does not matter"
is "$(spans hour AAPL)/$(spans hour MSFT)" "1/0" "minutes serve the hours in front of them"
load -d -e 1
like "$(end)" ' derived=0 sampled=6 differing=0 saved=0 ' "-e 1: each is asked for as well"
sim_stop
sim_start -N $now -e events -f faults -b 700 || exit 1
expand 0.25 $all AAPL SPARSE1
for flags in '' '-j 1'; do
	# shellcheck disable=SC2086
	load -d $flags
	table paged | grep -e AAPL -e SPARSE1 | cmp - <(grep -e AAPL -e SPARSE1 direct.rows)
	ok $? "the same of pages of 700 bars${flags:+ with $flags}"
done
sim_stop
sim_start -N $now -e events -f faults || exit 1

# A plan that reaches back 90 days gives its first week and month whole.
expand 0.5 day,week,month MSFT REACH
load
verdicts >direct.verdicts
table direct >direct.rows
load -d
table derived | cmp - direct.rows
ok $? "a plan that ends in the middle of a week and a month: they are asked for"
is "$(spans week REACH)$(spans month REACH)" 11 "only these"

# An API whose hours are not made of all minutes.
echo '* hour otherhours' >faults
expand 0.1 $all AAPL IBM MSFT
load
table direct >direct.rows
load -d
is "$code/$(grep -c 'warning: symbol=AAPL timeframe=hour: the API.s bar at 2025-12-09T14:00:00Z is not' err)/$(end |
	grep -o 'derived=.*differing=1')" "0/1/derived=4 sampled=3 differing=1" "a difference is told, with its first bar"
is "$(grep -c 'is not what' err)/$(spans hour)" 1/3 "once; from then on hours are asked for"
table derived | cmp - direct.rows
ok $? "the tables are those of a direct load"

# A base that fails, one with a bar that is none, one of another try.
printf 'IBM minute 403plan\nMSFT minute badrow=hl\nMSFT day 500 1\nAAPL minute 429 1\n' >faults
load -d
is "$code/$(verdicts | jq -r 'select(.error) | .symbol + " " + .timeframe + " " + .error' | cut -c 1-44)" \
	"1/IBM 1min HTTP 403: Your plan doesn't include
IBM hour 1min failed: HTTP 403: Your plan do" "what fails fails what was to be made of it, by name"
is "$(spans hour MSFT)/$(spans hour AAPL)/$(verdicts | wc -l)" "1/1/15" "a bad minute: its hours are asked for"

# Tasks of a symbol that come one by one; a cancel; kill -9.
: >faults
mkfifo lines
ts-fetch -v -d <lines >out 2>err &
pid=$!
exec {fd}>lines
before=$(wc -l <"$sim_log")
head -n 1 tasks >&"$fd"
grep MSFT tasks | while read -r line; do echo "$line"; sleep 0.01; done >&"$fd"
wait_for 20 eval '[ "$(grep -c \"fetched\" out)" -eq 5 ]'
asked=$(($(wc -l <"$sim_log") - before))
is "$(spans minute)/$(spans day)" 1/1 "tasks that come within a moment are one family"
sim_hold 0
grep IBM tasks >&"$fd"
wait_for 20 eval '[ "$(grep -c loading.*IBM out)" -eq 5 ]'
jq -c '{type: "cancel", job_id: .job_id}' tasks | head -n 1 >&"$fd"
wait_for 20 grep -q '"cancel"' out
exec {fd}>&-
sim_go
wait $pid
is "$?/$(end | grep -o 'tasks=.*cancelled=[0-9]*')" "0/tasks=10 fetched=5 failed=0 cancelled=5" \
	"a cancel ends what was to be made, too"
sim_hold 2
ts-fetch -d <tasks >out 2>/dev/null &
pid=$!
wait_for 20 eval '[ "$(grep -c \"bar\" out)" -ge 1 ]'
{ kill -9 $pid && wait $pid; } 2>/dev/null
sim_go
load -d
table derived >derived.rows
load
table direct | cmp - derived.rows
ok $? "killed and begun again, all is there"

# Every night by ts-sync: what changed is asked for with few requests, and the tables are those of a direct load.
sim_stop
seq -f S%g 12 >universe
sim_start -N 2025-12-10T05:00:00Z -g universe || exit 1
jq -cn --argjson s "$(jq -R . universe | jq -s .)" \
	'{job_id: "j", source: "x", symbols: $s, timeframes: ["1min", "hour", "day", "week", "month"], years: 0.03}' >job.json
ts-expand -N 2025-12-10T05:00:00Z <job.json >tasks
load -d -g
table nightly >/dev/null
sim_now 2025-12-11T05:00:00Z
before=$(wc -l <"$sim_log")
DATABASE_URL="postgresql:///nightly?host=$tmp/pg&user=postgres" TS_SYNC_STATE=$tmp/state/asked TS_FETCH_FLAGS='-d -g' \
	"$top/ts-sync" -q -N 2025-12-11T05:00:00Z job.json >sync.out 2>sync.err
is "$?/$(($(wc -l <"$sim_log") - before))" "0/27" "ts-sync with -d -g: 12 of minutes and of days, and 3 samples instead of 60"
# What the database holds against what a load of the whole range gives now.
rows() {
	for t in hourly:timestamp daily:date weekly:date monthly:date 1min:timestamp; do
		psql -X -q -d "$1" -c "COPY (SELECT symbol, ${t#*:}, open, high, low, close, volume FROM ohlcv_${t%:*} WHERE ${t#*:} >= '2025-12-01' ORDER BY 1, 2) TO STDOUT"
	done
}
rows nightly >nightly.rows
ts-expand -N 2025-12-11T05:00:00Z -F 2025-12-01 -t 1min,hour,day -l universe >tasks
load
table direct >/dev/null
rows direct >direct.rows
grep -F -x -v -f nightly.rows direct.rows | grep -c . >missing
is "$(cat missing)/$(test -s nightly.rows && echo rows)" "0/rows" "each row of a direct load is there, the same"
done_testing
