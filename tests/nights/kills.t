#!/usr/bin/env bash
# Four splits between two nights, and ts-sync killed at any request of the night after: no certificate while the
# tables are not what a fresh load gives, and in the end they are.
# shellcheck source=tests/nights/nights.sh
. "$(dirname "${BASH_SOURCE[0]}")/nights.sh"

printf '%s\n' 'FOUR split 2025-12-23 4:1' 'TENTH split 2025-12-23 1:10' 'SPARSE split 2025-12-23 3:2' \
	'CLOSE split 2025-12-23 21:20' 'CORR correct 2025-12-22' >events
tables_start
sim_start -N 2025-12-09T03:00:00Z -e events -d 5 || exit 1
job '["FOUR","TENTH","SPARSE","CLOSE","CORR"]' 0.15 >job.json
ts-sync -N 2025-12-09T03:00:00Z job.json >out 2>err
sim_now 2025-12-23T03:00:00Z
ts-sync -N 2025-12-23T03:00:00Z job.json >out 2>err
is "$?/$(tail -n 1 out)" "0/25 of 25 complete" "two nights before the split"
sim_now 2025-12-24T03:00:00Z
fresh_load 2025-12-24T03:00:00Z 0.3
for t in $tables; do sql "CREATE TABLE before_$t AS TABLE $t"; done
requests=0
while :; do
	requests=$((requests + 1))
	# From the start again, so that each request is one at which it can die.
	for t in $tables; do sql "TRUNCATE $t; INSERT INTO $t SELECT * FROM before_$t"; done
	rm -rf state
	: >"$sim_log"
	setsid ts-sync -N 2025-12-24T03:00:00Z job.json >out 2>err &
	pid=$!
	started+=("$pid")
	wait_for 20 eval "ended $pid || awk -v n=$requests 'END { exit NR < n }' '$sim_log'"
	ended $pid && break
	kill -KILL -- "-$pid"
	wait $pid 2>/dev/null
	wait_for 20 backends_are 0
	said=$(certificate 2025-12-24T03:00:00Z)
	differ=$(image)
	[ "$differ" = 0 ] || [ "$said" != "25 of 25 complete" ]
	ok $? "killed at request $requests, $differ rows differ: $(cut -c 1-60 <<<"$said")"
	ts-sync -q -N 2025-12-24T03:00:00Z job.json >out 2>err
	is "$?/$(cat out err)/$(image)" 0//0 "and the next run makes all of it whole"
done
wait "$pid" 2>/dev/null
[ $requests -gt 25 ]
ok $? "$requests moments"
done_testing
