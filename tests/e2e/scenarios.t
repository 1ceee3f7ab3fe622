#!/usr/bin/env bash
# The three jobs that the platform's owner tries first, at the moments that used to go wrong: each must
# leave exactly the rows that it should. Through Redis, as the admin page publishes them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

dia='["AAPL","AMGN","AMZN","AXP","BA","CAT","CRM","CSCO","CVX","DIS","GS","HD","HON","IBM","JNJ","JPM","KO","MCD","MMM","MRK","MSFT","NKE","NVDA","PG","SHW","TRV","UNH","V","VZ","WMT"]'

pg_start || exit 1
redis_start --loglevel warning || exit 1
ts-store -i </dev/null 2>store.log
is $? 0 "ts-store -i makes the tables"
export TS_STATUS_FLAGS=-q

# count TABLE [CONDITION]
count() {
	sql "SELECT count(*) FROM $1 ${2:+WHERE $2}"
}
total() {
	local t n=0
	for t in $tables; do
		n=$((n + $(count "$t")))
	done
	echo $n
}

# job ID SYMBOLS TIMEFRAMES YEARS: publishes it as received at $now and waits for its end.
job() {
	publish "{\"job_id\":\"$1\",\"job_type\":\"csv_universe_load\",\"source\":\"test\",\"symbols\":$2,\"timeframes\":$3,\"years\":$4,\"received_at\":\"$now\"}"
	wait_for 20 over "$1"
}

# scenarios NAME MOMENT ANCHOR SESSIONS: ANCHOR is the last final session, SESSIONS how many there are
# in the 7 days that end with it.
scenarios() {
	local name=$1 anchor=$3 sessions=$4 open t
	now=$2
	sim_stop
	sim_start -N "$now" -p "$port"
	empty

	job "1 $name" '["AAPL"]' '["day"]' 0.02
	is "$(count ohlcv_daily)/$(total)" "$sessions/$sessions" "$name: AAPL, day, 0.02: $sessions rows and none elsewhere"
	is "$(sql 'SELECT max(date) FROM ohlcv_daily')" "$anchor" "$name: the last is the last final session"
	is "$(hash "1 $name" status)/$(hash "1 $name" progress)" completed/100 "$name: completed, 100"

	empty
	job "2 $name" '["AAPL","MSFT","INTC"]' '["hour","day","week"]' 0.02
	open="date_trunc('day', '$anchor'::timestamp - interval '6 days') AT TIME ZONE 'America/New_York'"
	is "$(count ohlcv_hourly "timestamp >= $open AND timestamp < ('$anchor'::timestamp + interval '1 day') AT TIME ZONE 'America/New_York'")" \
		$((21 * sessions)) "$name: $((21 * sessions)) hourly rows for the completed sessions"
	is "$(count ohlcv_daily)/$(count ohlcv_weekly)" "$((3 * sessions))/3" "$name: $((3 * sessions)) daily, 3 weekly"
	is "$(count ohlcv_hourly "timestamp + interval '1 hour' > '$now'")" 0 "$name: no unfinished hour"
	is "$(hash "2 $name" status)" completed "$name: completed"

	empty
	job "3 $name" "$dia" '["1min","hour","day","week","month"]' 0.003
	is "$(count ohlcv_1min "(timestamp AT TIME ZONE 'America/New_York')::date = '$anchor'")" 11700 \
		"$name: 11700 minutes of the completed session"
	is "$(count ohlcv_daily)/$(count ohlcv_weekly)/$(count ohlcv_monthly)" 30/30/30 \
		"$name: 30 rows each daily, weekly, monthly"
	for t in $tables; do
		sql "SELECT count(DISTINCT symbol) FROM $t"
	done | uniq -c | tr -s ' ' >symbols
	is "$(cat symbols)" " 5 30" "$name: all five tables hold 30 symbols"
	is "$(hash "3 $name" status)/$(hash "3 $name" stored_tasks)/$(hash "3 $name" failed_tasks)" \
		completed/150/0 "$name: completed, 150 tasks stored"
	is "$(hash "3 $name" bars_loaded)" "$(total)" "$name: as many bars reported as there are rows"
}

port=$(free_port)
sim_start -N 2025-12-16T17:00:00Z -p "$port" || exit 1
serve || { cat pipeline.log >&2; exit 1; }

scenarios "Tuesday noon" 2025-12-16T17:00:30Z 2025-12-15 5
scenarios "Tuesday evening" 2025-12-17T01:30:00Z 2025-12-16 5
scenarios "Saturday" 2025-12-13T17:00:00Z 2025-12-12 5
scenarios "Sunday" 2025-12-14T17:00:00Z 2025-12-12 5
scenarios "Monday before the open" 2025-12-15T13:00:00Z 2025-12-12 5
scenarios "after Thanksgiving, 14:00" 2025-11-28T19:00:00Z 2025-11-26 5
scenarios "first session of a year" 2026-01-02T17:00:00Z 2025-12-31 4
scenarios "summer time begins" 2025-03-11T16:00:00Z 2025-03-10 5
scenarios "summer time ends" 2025-11-04T17:00:00Z 2025-11-03 5

# A half day is 210 minutes and 4 hours, and ends at 13:00.
now=2025-11-29T17:00:00Z
sim_stop
sim_start -N "$now" -p "$port"
empty
job half '["AAPL"]' '["1min","hour"]' 0.003
is "$(count ohlcv_1min)/$(count ohlcv_hourly)" 210/4 "a half day has 210 minutes and 4 hours"
is "$(sql "SELECT max(timestamp AT TIME ZONE 'America/New_York')::time FROM ohlcv_1min")" 12:59:00 \
	"the last minute of a half day begins at 12:59"

serve_end
is $? 0 "told to stop, the service exits 0"
like "$(tail -n 1 pipeline.log)" 'ts-listen=(0|141) ts-expand=(0|141) ts-fetch=0 ts-store=0 ts-status=0' \
	"and says how each stage ended"
done_testing
