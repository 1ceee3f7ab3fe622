#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2119 # a function that takes options is called without any
# ts-fetch -d: hours made of minutes, weeks and months of days. The tables are those of a direct load, whatever
# the days are like and whatever goes wrong, and requests are saved.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

now=2026-01-15T17:15:13Z
all=1min,hour,day,week,month
printf 'AAPL split 2025-12-10 4:1\nREACH reach 90\n' >events
: >faults
# market FLAG...: a simulator with no fault.
market() {
	[ -z "${sim_pid-}" ] || sim_stop
	: >faults
	sim_start "$@" -f faults || exit 1
}
market -N $now -e events
pg_start || exit 1
ts-store -i </dev/null 2>/dev/null

# store: out into the tables; rows: all that they hold, as text; table: that of out alone.
store() {
	ts-store -j 1 <out 2>store.err >stored
}
rows() {
	for t in 1min:timestamp hourly:timestamp daily:date weekly:date monthly:date; do
		echo "COPY (SELECT symbol, ${t#*:}, open, high, low, close, volume FROM ohlcv_${t%:*} ORDER BY 1, 2) TO STDOUT;"
	done | psql -X -q
}
table() {
	empty
	store || cat store.err
	rows
}
# result: bars and verdicts of out, in order, numbers as numbers where they may be made. verdicts: these alone.
result() {
	{
		grep '"type":"bar",.*"timeframe":"1min"' out
		grep -v '"type":"bar",.*"timeframe":"1min"' out | jq -c 'select(.type != "loading") | del(.bytes)'
	} | sort
}
verdicts() {
	jq -c 'select(.type == "fetched" or .type == "failed") | del(.bytes)' out | sort
}
# same FLAG... NAME: the tasks with and without -d give the same, whatever else is set.
same() {
	load "${@:1:$#-1}"
	result >direct
	load -d "${@:1:$#-1}"
	diff <(result) direct >differs
	ok $? "${*: -1}"
}
# spans SPAN [SYMBOL]: the requests for that span.
spans() {
	requests "/ticker/${2:-[^/]*}/range/1/$1/"
}
counts() {
	sed -n 's/ grouped=0//; s/.* end .*\(derived=.*\) seconds=.*/\1/p' err
}
# expand FROM[..TO] TIMEFRAMES SYMBOL...: the tasks.
expand() {
	local range=(-F "${1%..*}")
	[ "${1#*..}" = "$1" ] || range+=(-T "${1#*..}")
	ts-expand -N $now "${range[@]}" -t "$2" "${@:3}" >tasks
}

# Half days, the end of daylight saving time, a split in the middle, fractions of shares from January on.
expand 2025-10-30 $all AAPL EXP1 LATE1 NONE1 SPARSE1 THIN1
load
direct=$asked
verdicts >direct.verdicts
table >direct.rows
load -d
is "$code/$(counts)" "0/derived=13 sampled=3 differing=0 saved=$((direct - asked))" "what was derived, compared and saved is counted"
table | cmp - direct.rows
ok $? "the tables are those of a direct load"
diff <(verdicts) direct.verdicts
ok $? "and so are the verdicts"
is "$(jq -r 'select(.type == "loading") | "\(.symbol) \(.timeframe)"' out | sort | uniq -c | awk '$1 != 1 || NR == 30')" \
	"      1 THIN1 week" "each task begins to load once"
is "$(spans hour)/$(spans week AAPL)$(spans month AAPL)/$(spans week LATE1)" "1/11/1" \
	"the first of each timeframe is asked for as well, and the first week where its first day is missing"

# The same in another order, with extended hours as they were traded, with pages of few bars, one by one, and with
# more samples.
expand 2025-11-26..2025-12-12 month,hour,week,1min,day AAPL MSFT
same -x -a "-x and -a: extended hours, not adjusted"
like "$(counts)" '^derived=3 sampled=3 ' "the order of the timeframes does not matter"
is "$(spans hour AAPL)/$(spans hour MSFT)" "1/0" "minutes serve the hours in front of them"
load -d -e 1
like "$(counts)" '^derived=0 sampled=6 differing=0 saved=0$' "-e 1: each is asked for as well"
expand 2026-01-08 day,week A B C D E F G H
load -d -e 3
is "$(counts)" "derived=5 sampled=3 differing=0 saved=5" "-e 3: the first, and one in three after it"
expand 2026-01-05..2026-01-09 1min,hour NONE1 NONE2 S1 S2
load -d -j 1
is "$(counts)/$(spans hour S2)" "derived=1 sampled=3 differing=0 saved=1/0" "a series without bars proves nothing: the next one is compared"
market -N $now -e events -b 700
expand 2025-12-29 $all AAPL SPARSE1
same "pages of 700 bars"
same -j 1 "the same one by one"

# A plan that reaches back 90 days gives its first week and month whole.
market -N $now -e events
expand 2025-07-15 day,week,month MSFT REACH
same "a plan that ends in the middle of a week and a month: they are asked for"
is "$(spans week REACH)$(spans month REACH)" 11 "only these"

# An API whose hours, weeks or months are not made of what it has for minutes and days.
for fault in 'hour otherhours 1min 2025-12-29T14:00:00Z' 'week badrow=hl day 2025-12-28' 'month badrow=noc day 2025-12-01'; do
	read -r span kind base first <<<"$fault"
	expand 2025-12-29 "$base,hour,week,month" AAPL IBM MSFT
	echo "* $span $kind" >faults
	same "$span: what comes is that of a direct load"
	is "$code/$(grep -c "warning: symbol=AAPL timeframe=$span: the API.s bar at $first is not what its $base bars make" err)/$(counts | grep -o 'derived=.*differing=1')" \
		"0/1/derived=$([ "$base" = day ] && echo 2 sampled=2 || echo 0 sampled=1) differing=1" "a difference is told, with its first bar"
	is "$(grep -c 'is not what' err)/$(spans "$span")" 1/3 "once; from then on ${span}s are asked for"
done

expand 2025-12-29 $all AAPL IBM MSFT
# A base that fails, one with a bar that is none, one of another try; the API asks for patience.
printf 'IBM minute 403plan\nMSFT minute badrow=hl\nMSFT day 500 1\nAAPL minute 429 1\nIBM day 429 1\nAAPL day 404\n' >faults
load -d
is "$code/$(verdicts | jq -r 'select(.error) | .symbol + " " + .timeframe + " " + .error' | cut -c 1-40)" \
	"1/AAPL day HTTP 404: Data not found.
AAPL month day failed: HTTP 404: Data no
AAPL week day failed: HTTP 404: Data not
IBM 1min HTTP 403: Your plan doesn't inc
IBM hour 1min failed: HTTP 403: Your pla" "what fails fails what was to be made of it, by name"
is "$(spans hour MSFT)/$(spans hour AAPL)/$(verdicts | wc -l)" "1/1/15" "a bad minute: its hours are asked for"
others() {
	result | grep -v -E '"AAPL","timeframe":"(day|week|month)"|"IBM","timeframe":"(1min|hour)"|"MSFT","timeframe":"1min"'
}
others >derived
: >faults
load
diff derived <(others) >differs
ok $? "what did not fail is that of a direct load"
result >direct

# Tasks of a symbol that come one by one; a cancel; kill -9; jobs that take turns.
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
is "$?/$(sed -n 's/.* end .*\(tasks=.*cancelled=[0-9]*\).*/\1/p' err)" "0/tasks=10 fetched=5 failed=0 cancelled=5" \
	"a cancel ends what was to be made, too"
sim_hold 2
ts-fetch -d <tasks >out 2>/dev/null &
pid=$!
wait_for 20 grep -q '"bar"' out
{ kill -9 $pid && wait $pid; } 2>/dev/null
sim_go
empty
store
is "$(rows | grep -c .)" "$(grep -c '"bar".*}$' out)" "killed in the middle: what was written is stored"
load -d
store
rows >derived.rows
load
table | cmp - derived.rows
ok $? "begun again, the tables are those of a direct load"
for job in A B; do
	ts-expand -N $now -F 2026-01-13 -t 1min,hour,day "${job}1" "${job}2" | sed "s/\"job_id\":\"[^\"]*\"/\"job_id\":\"$job\"/"
done >tasks
load -d -j 1
is "$(tail -n "$asked" "$sim_log" | sed -n 's,.*/ticker/\(.\).*,\1,p' | head -n 8 | tr -d '\n')" ABABABAB "a request of each job in turn"

# Every night by ts-sync: what changed is asked for with few requests, and the tables are those of a direct load.
night=2025-12-11T05:00:00Z
seq -f S%g 12 >universe
market -N 2025-12-10T05:00:00Z -g universe
jq -cn --argjson s "$(jq -R . universe | jq -s .)" \
	'{job_id: "j", source: "x", symbols: $s, timeframes: ["1min", "hour", "day", "week", "month"], years: 0.03}' >job.json
ts-expand -N 2025-12-10T05:00:00Z <job.json >tasks
load -d -g
empty
store
sim_now $night
before=$(wc -l <"$sim_log")
TS_SYNC_STATE=$tmp/state/asked TS_FETCH_FLAGS='-d -g' "$top/ts-sync" -q -N $night job.json >sync.out 2>sync.err
is "$?/$(($(wc -l <"$sim_log") - before))" "0/27" "ts-sync with -d -g: 12 of minutes and of days, and 3 samples instead of 60"
rows >nightly.rows
# What is missing is filled with few requests, too.
sql "DELETE FROM ohlcv_daily WHERE date = '2025-12-08'; DELETE FROM ohlcv_1min WHERE symbol = 'S3' AND timestamp > '2025-12-10'; DELETE FROM ohlcv_hourly WHERE symbol = 'S3' AND timestamp > '2025-12-10'"
ts-expand -N $night <job.json | ts-audit -m 2>/dev/null >tasks
load -d -g
store
rows | cmp - nightly.rows
is "$?/$code/$(requests /grouped/)/$(requests /ticker/)" 0/0/1/3 \
	"ts-audit -m: a session that all lack is a market's day and its sample; the hours come with the minutes, and a sample"
ts-expand -N $night -F 2025-12-01 -t 1min,hour,day -l universe >tasks
load
table | grep -F -x -v -f nightly.rows | grep -c . >missing
is "$(cat missing)/$(test -s nightly.rows && echo rows)" "0/rows" "each row of a direct load is there, the same"
done_testing
