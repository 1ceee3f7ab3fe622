#!/usr/bin/env bash
# shellcheck disable=SC2119 # a function that takes options is called without any
# ts-fetch -g: the whole market's days, date by date. What is written is what each symbol would have had, whatever
# the pages are like, and requests are saved.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

now=2026-06-10T17:15:13Z
printf 'AAPL split 2026-06-02 4:1\n' >events
: >faults
# In no order, with tickers that nobody asks for.
{ printf '%s\n' THIN1 MSFT OTC1 AAPL LATE1 GONE1 FOREIGN I:SPX; seq -f S%g 60; } >universe
{ grep -v FOREIGN universe; echo NONE1; } | sort >symbols
sim_start -N $now -e events -f faults -g universe || exit 1

# hasty FLAG...: the same, with a page that is tried again soon.
hasty() {
	PATH=$build/stop/obj:$PATH load "$@"
}
# result: bars and verdicts of out, in order, numbers as numbers.
result() {
	jq -c 'select(.type != "loading") | del(.bytes)' out | sort
}
counts() {
	sed -n 's/.* end .*\(derived=.*\) seconds=.*/\1/p' err
}
expand() {
	ts-expand -N $now -y "$1" -t "$2" -l "${3:-symbols}" >tasks
}

# 68 symbols, 7 sessions over a split.
expand 0.03 day
load
result >direct
load -g
is "$code/$(counts)" "0/derived=0 grouped=63 sampled=1 differing=0 saved=56" "what was grouped and compared is counted"
is "$(requests '/v2/aggs/grouped/locale/us/market/stocks/2026-0.-..?adjusted=true$')/$(requests /ticker/)" 7/5 \
	"a request for each session, one for a sample, one for each that is in none"
is "$(tail -n "$asked" "$sim_log" | sed -n 's|.*/ticker/\([^/]*\)/.*|\1|p' | sort | tr '\n' ' ')" "AAPL GONE1 I:SPX NONE1 OTC1 " \
	"before it is called empty a symbol is asked for by itself"
diff <(result) direct >differs
ok $? "the bars and verdicts are those of a direct load"
is "$(jq -r 'select(.type == "loading") | .symbol' out | sort | uniq -d | wc -l)" 0 "each task begins to load once"
load -g -e 10
like "$(counts)" 'sampled=7 differing=0' "-e 10: one in ten is asked for as well"
head -n 8 symbols >few
expand 0.03 day few
load -g
is "$(requests /grouped/)/$(requests /ticker/)" 7/5 "more symbols than sessions: grouped"
head -n 7 symbols >few
expand 0.03 day few
load -g
is "$(requests /grouped/)/$(requests /ticker/)" 0/7 "no more than sessions: one by one"

# What is stamped otherwise, not adjusted, or refused for a while.
expand 0.03 day
echo 'GROUPED day otherhour' >faults
load -g
is "$(requests /grouped/)/$(diff <(result) direct)" 7/ "a row is of the date of its stamp in New York, whatever its hour"
printf 'GROUPED day delayed 3\nGROUPED day 429 2\n' >faults
hasty -g
is "$code/$(requests /grouped/)/$(diff <(result) direct)" 0/9/ "refused in the middle: it goes on from there"
: >faults
load -a
result >direct
load -g -a
is "$(requests 'adjusted=false')/$(requests /grouped/)/$(diff <(result) direct)" "$asked/7/" "-a: not adjusted"

# With weeks and months, and pages that are not right at first.
expand 0.03 day,week,month
load
result >direct
# Of retries three lines are told.
printf 'GROUPED day %s 1\n' dup otherday norows 429 otheradjusted >faults
hasty -g -d
is "$code/$(requests /grouped/)/$(requests /week/)$(requests /month/)" "0/32/22" "with -d weeks and months come of them"
diff <(result) direct >differs
ok $? "pages that are not right are asked for again: the result is that of a direct load"
for why in 'a ticker occurs twice' 'a row of another date'; do
	is "$(grep -c "try=. .*bad page: $why" err)" 1 "told: $why"
done

# A market's day that is another one than the symbols', on the first date or in the middle.
echo 'GROUPED day restated' >faults
load -g -d
is "$code/$(grep -c 'warning: symbol=[A-Z0-9]* timeframe=day: the API.s bar at 2026-0.-.. is not that of its grouped day' err)" 0/1 \
	"a difference is told, with the bar"
diff <(result | grep -v '"bar"') <(grep -v '"bar"' direct) >differs
ok $? "days are asked for one by one from there on: the verdicts are those of a direct load, no bar counts twice"
is "$(grep -c '"type":"bar"' out)" "$(jq -s 'map(.bars // 0) | add' direct)" "and so is the number of bars that are written"

# What cannot be asked for by the market's day is asked for one by one: a plan without it, a day that fails, or one
# on which the exchange was closed though no calendar knows. It is told once.
for fault in 403plan 404 500 norows dup; do
	echo "GROUPED day $fault" >faults
	hasty -g -d
	is "$code/$(grep -c 'warning: grouped day 2026-05-01: HTTP .*; the days of 68 symbols are asked for one by one' err)/$(grep -c 'warning: failed' err)" 0/1/0 \
		"$fault of a grouped day: its symbols are asked for one by one, that is told once"
	diff <(result) direct >differs
	ok $? "$fault: the result is that of a direct load"
done
# In the middle, when four dates of the tasks are written.
printf 'GROUPED day delayed 24\nGROUPED day 404\n' >faults
hasty -g -d
is "$code/$(requests /grouped/)/$(grep -c 'warning: grouped day 2026-06-05: HTTP 404.* asked for one by one' err)" 0/25/1 \
	"a date that fails behind four that are written: told"
diff <(result) direct >differs
ok $? "no bar counts twice, and none is missing: the result is that of a direct load"
printf 'AAPL day 404\n' >faults
load -g
is "$code/$(result | jq -r 'select(.error) | .symbol + " " + .timeframe' | tr '\n' ' ')" "1/AAPL day " "a sample that fails fails alone"
: >faults
mkfifo lines
sim_hold 2
ts-fetch -v -g -d <lines >out 2>err &
pid=$!
exec {fd}>lines
cat tasks >&"$fd"
wait_for 20 grep -q '"bar"' out
jq -c 'select(.type == "job") | {type: "cancel", job_id}' tasks >&"$fd"
wait_for 20 grep -q '"cancel"' out
exec {fd}>&-
sim_go
wait $pid
is "$?/$(jq -s 'map(select(.type == "fetched")) | length' out)/$(sed -n 's/.* end .*tasks=204 .* cancelled=\([0-9]*\) .*/\1/p' err)" \
	"0/1/203" "a cancel ends the group and all that was to be made of it"
sim_hold 4
{ ts-fetch -g -d <tasks >out 2>/dev/null & pid=$!; wait_for 20 grep -q '"bar"' out; kill -9 $pid; wait $pid; } 2>/dev/null
sim_go
load -g -d
diff <(result) direct >differs
ok $? "killed and begun again: the same"

# A session that no calendar knows to be closed.
sim_stop
echo '* gone 2026-06-05' >>events
sim_start -N $now -e events -g universe || exit 1
echo '2026-06-05 closed' >closures
export TS_CLOSURES=$tmp/closures
expand 0.03 day
load
result >direct
load -g
is "$code/$(requests /grouped/)/$(requests 2026-06-05?)/$(diff <(result) direct)" 0/6/0/ "a day in TS_CLOSURES is not asked for"

# A service whose ts-fetch is killed in the middle of a market's days.
pg_start && redis_start || exit 1
ts-store -i </dev/null 2>/dev/null
rows() {
	for t in daily weekly; do
		psql -X -q -c "COPY (SELECT symbol, date, open, high, low, close, volume FROM ohlcv_$t ORDER BY 1, 2) TO STDOUT"
	done
}
answered() {
	[ "$(($(wc -l <"$sim_log") - before))" -ge "$1" ]
}
job=$(jq -R . symbols | jq -s -c --arg now $now '{job_id: "night", source: "x", symbols: ., timeframes: ["day", "week"], years: 0.03, received_at: $now}')
ts-expand <<<"$job" | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
rows >direct
empty
export TS_SPOOL=$tmp/spool TS_FETCH_FLAGS='-d -g'
sim_hold 4
before=$(wc -l <"$sim_log")
serve
publish "$job"
wait_for 20 answered 4
kill -KILL "$(pgrep -P "$service_pid" -x ts-fetch)"
wait "$service_pid"
sim_go
serve
wait_for 20 over night
serve_end
is "$(hash night status)/$(rows | cmp - direct)" completed/ "killed and begun again by the service: the tables are those of a direct load"
[ $(($(wc -l <"$sim_log") - before)) -lt 60 ]
ok $? "with few requests ($(($(wc -l <"$sim_log") - before)))"
unset TS_CLOSURES TS_SPOOL TS_FETCH_FLAGS

# A night of 1000 symbols: the market's day, one in a hundred, and those that are not in it.
{ seq -f N%g 990; seq -f OTC%g 10; } >universe
sim_stop
sim_start -N $now -g universe || exit 1
expand 0.003 day universe
load -g
is "$code/$asked" "0/$((1 + 10 + 10))" "1000 symbols, one session: 1, 1 % and the absent"

done_testing
