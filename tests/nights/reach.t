#!/usr/bin/env bash
# A vendor whose reach moves, two years back from now, over a table of three: sixty nights of ts-sync -d delete
# nothing of the older year, a restatement of what the vendor still has included.
# shellcheck source=tests/nights/nights.sh
. "$(dirname "${BASH_SOURCE[0]}")/nights.sh"

frames='["hour","day","week","month"]'
tables_start
echo 'A split 2025-11-03 2:1' >events
sim_start -N 2025-10-01T01:00:00Z -e events || exit 1
job '["A","B"]' 3 | ts-expand -N 2025-10-01T01:00:00Z | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
older() {
	for t in ohlcv_hourly ohlcv_daily ohlcv_weekly ohlcv_monthly; do
		key="date"
		[ $t = ohlcv_hourly ] && key=timestamp
		sql "SELECT count(*), sum(hashtext((symbol, $key, close)::text)::int8) FROM $t WHERE $key < '2023-09-01'"
	done
}
before=$(older)
sim_stop
echo '* reach 730' >>events
sim_start -N 2025-10-01T01:00:00Z -e events || exit 1
job '["A","B"]' 1 >job.json
bad=0
for ((night = 1; night <= 60; night++)); do
	now=$(date -u -d "2025-10-01 + $night days" +%Y-%m-%d)T01:00:00Z
	sim_now "$now"
	ts-sync -d -N "$now" job.json >out 2>err
	code=$?
	[ "$(older)" = "$before" ] || { bad=$((bad + 1)); echo "# $now: $(older | tr '\n' ' ')"; }
	if [ "$now" = 2025-11-02T01:00:00Z ]; then
		like "$code/$(tail -n 1 out)" '^0/8 of 8 complete; .*[0-9]+ bars older than the API reaches$' \
			"what is older than the API reaches is told, and is no fault"
	elif [ "$now" = 2025-11-05T01:00:00Z ]; then
		like "$code/$(tail -n 1 out)" '^1/4 of 8 complete: A hour differs: prices before 2023-1[01]-[0-9]+ are on another basis, [0-9.]+ times, and older than the API reaches' \
			"after a split what the API cannot restate is on another basis, which costs the certificate"
	fi
done
is "$bad" 0 "in 60 nights nothing of the older year was deleted or changed"
like "$(tail -n 1 out)" '^4 of 8 complete: A hour differs: prices before 2023-1[01]-' "and what is on another basis is still told weeks later"
done_testing
