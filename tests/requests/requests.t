#!/usr/bin/env bash
# How many requests jobs of the usual sizes take with ts-fetch -d and -g, that the plan says so before, and that the
# tables are those of a load without them, byte for byte.
# shellcheck source=tests/requests/requests.sh
. "$(dirname "${BASH_SOURCE[0]}")/requests.sh"
pg_start || exit 1
ts-store -i </dev/null 2>/dev/null

# tables: out into them, made anew; then all that they hold.
tables() {
	sql "TRUNCATE ohlcv_1min, ohlcv_hourly, ohlcv_daily, ohlcv_weekly, ohlcv_monthly"
	ts-store <out 2>store.err >stored || cat store.err
	for t in 1min:timestamp hourly:timestamp daily:date weekly:date monthly:date; do
		psql -X -q -c "COPY (SELECT symbol, ${t#*:}, open, high, low, close, volume FROM ohlcv_${t%:*} ORDER BY 1, 2) TO STDOUT" | md5sum
	done
}
# near WHAT: whether the plan of these flags is within 5 per cent of what was asked.
near() {
	local plan
	plan=$(planned "$@")
	[ $((asked * 100)) -ge $((plan * 95)) ] && [ $((asked * 100)) -le $((plan * 105)) ]
	ok $? "planned with $*: $plan requests, made: $asked"
}

job 30 1 $all
load
plain=$asked
tables >direct
load -d
[ "$asked" -le 145 ]
ok $? "30 symbols in 5 timeframes, a year: $asked requests instead of $plain, 145 at most"
near -d
tables | cmp - direct
ok $? "the tables are those of a direct load, byte for byte"
load -d -j 1
[ "$asked" -le 145 ]
ok $? "one by one: $asked"

job 30 0.003 $all
load -d -g
near -d -g
[ "$asked" -le 80 ]
ok $? "a night of 30 symbols: $asked requests"

job 5000 0.003 day 10
before=$(wc -l <"$sim_log")
ts-fetch -v -g <tasks >out 2>err &
pid=$!
while kill -0 $pid 2>/dev/null; do
	awk '/^VmHWM/ { print $2 }' /proc/$pid/status >peak.new 2>/dev/null && [ -s peak.new ] && mv peak.new peak
	sleep 0.02
done
wait $pid
is "$?/$(($(wc -l <"$sim_log") - before))" "0/$((1 + 50 + 10))" "a session of 5000 symbols: 1, one in a hundred, and the absent"
[ "$(cat peak)" -lt 65536 ]
ok $? "ts-fetch takes $(cat peak) kB of memory, 64 MB at most"

done_testing
