#!/usr/bin/env bash
# ts-sync: after a split between two nights all stands on one basis, whatever was killed meanwhile, and no
# certificate says so before.
# shellcheck source=tests/nights/nights.sh
. "$(dirname "${BASH_SOURCE[0]}")/../nights/nights.sh"

export TS_SYNC_STATE=$tmp/asked

ts-sync >out 2>err
is "$?/$(sed 1q err)" "100/ts-sync: error: a file of jobs is wanted" "jobs are needed"
ts-sync nosuch.json 2>err
is "$?" 100 "a file that cannot be read is exit 100"

# What happens from 2025-12-23 on.
cat >events <<'END'
FOUR split 2025-12-23 4:1
TENTH split 2025-12-23 1:10
SPARSE split 2025-12-23 3:2
CLOSE split 2025-12-23 21:20
CORR correct 2025-12-22
HELD gone 2025-12-15
BACK gone 2025-12-17 2025-12-23
END
tables_start
sim_start -N 2025-12-09T03:00:00Z -e events -d 5 || exit 1
job '["FOUR","TENTH","SPARSE","CLOSE","CORR"]' 0.15 >job.json

# ---- two loads, so that there are rows before the window

ts-sync -N 2025-12-09T03:00:00Z job.json >out 2>err
is "$?/$(tail -n 1 out)" "0/25 of 25 complete" "an empty database is loaded"
sim_now 2025-12-23T03:00:00Z
ts-sync -N 2025-12-23T03:00:00Z job.json >out 2>err
is "$?/$(tail -n 1 out)" "0/25 of 25 complete" "and what is new on the next night"
sed 's/0\.15/0.3/' job.json | ts-expand -N 2025-12-23T03:00:00Z | ts-fetch 2>/dev/null |
	DATABASE_URL=$fresh ts-store >/dev/null 2>&1
is "$(image)" 0 "all is as a load that is made now"

# ---- the split, and death

sim_now 2025-12-24T03:00:00Z
sed 's/0\.15/0.3/' job.json | ts-expand -N 2025-12-24T03:00:00Z | ts-fetch 2>/dev/null |
	DATABASE_URL=$fresh ts-store >/dev/null 2>&1
[ "$(image)" -gt 10000 ]
ok $? "a split restates the history of four symbols"
like "$(certificate 2025-12-24T03:00:00Z)" '^0 of 25|^[1-9] of 25|^1[0-9] of 25' "which costs the certificate"
for requests in 3 9 17 26; do
	: >"$sim_log"
	setsid ts-sync -N 2025-12-24T03:00:00Z job.json >out 2>err &
	pid=$!
	started+=("$pid")
	wait_for 20 awk -v n=$requests 'END { exit NR < n }' "$sim_log"
	kill -KILL -- "-$pid"
	wait $pid 2>/dev/null
	# What was on its way may still be stored: until nobody else is connected.
	wait_for 10 backends_are 0
	said=$(certificate 2025-12-24T03:00:00Z)
	[ "$(image)" = 0 ] || [ "$said" != "25 of 25 complete" ]
	ok $? "killed at request $requests: no certificate while it is not so ($said)"
done
ts-sync -q -N 2025-12-24T03:00:00Z job.json >out 2>err
is "$?/$(cat out err)" 0/ "the next run ends complete, and -q says nothing"
is "$(image)" 0 "byte for byte as a load that is made now, rows before the window too"
is "$(certificate 2025-12-24T03:00:00Z)" "25 of 25 complete" "and is certified"

# ---- again

before=$(for t in $tables; do sql "SELECT sum(xmin::text::int8), count(*) FROM $t"; done)
: >"$sim_log"
ts-sync -N 2025-12-24T03:00:00Z job.json >out 2>err
is "$?/$(tail -n 1 out)" "0/25 of 25 complete" "a second time"
asked=$(grep -c /v2/aggs "$sim_log")
[ "$asked" -le 25 ]
ok $? "it asks no more than 5 times a symbol ($asked)"
is "$(for t in $tables; do sql "SELECT sum(xmin::text::int8), count(*) FROM $t"; done)" "$before" "and touches no row"
ts-sync -N 2025-12-24T19:00:00Z job.json >out 2>err
like "$(cat err)" 'session of 2025-12-24 is not final before 17:00 in New York' "before the day is final it says so"

# ---- one at a time

exec 8>>"$TS_SYNC_STATE.lock"
flock 8
: >"$sim_log"
ts-sync -q -N 2025-12-24T03:00:00Z job.json >out 2>err
is "$?/$(cat out)/$(wc -l <"$sim_log")" 111//0 "a second one at the same time does nothing"
like "$(cat err)" 'another ts-sync is at work' "and says why, with -q too"
exec 8>&-

# ---- days on which nothing was traded, and a session that is withdrawn

export TS_SYNC_STATE=$tmp/state/asked
sed 's/"symbols":.*/"symbols":["HELD","BACK"],"timeframes":["1min","hour","day","week","month"],"years":0.06}/' job.json >two.json
sim_now 2025-12-23T03:00:00Z
for night in first next; do
	ts-sync -N 2025-12-23T03:00:00Z two.json >out 2>err
	like "$?/$(tail -n 1 out)" '^0/10 of 10 complete; .*; 3 sessions, weeks or months that the API does not have$' \
		"a day without trades is asked for, and then no hole: the $night run"
done
like "$(cat out)" '^HELD +1min .* complete; the API has no more of 2025-12-15$' "a row names it"
sim_now 2025-12-24T03:00:00Z
sed 's/0\.06/0.1/' two.json | ts-expand -N 2025-12-24T03:00:00Z | ts-fetch 2>/dev/null | DATABASE_URL=$fresh ts-store >/dev/null 2>&1
ts-sync -N 2025-12-24T03:00:00Z two.json >out 2>err
like "$?/$(tail -n 1 out)" '^1/.*: BACK day outside, BACK week differs; ' "rows that the API does not have cost the certificate"
like "$(cat out)" '^BACK +day .* outside; 1 that the API does not have$' "and are named"
[ "$(image)" -gt 390 ]
ok $? "they are left"
ts-sync -d -q -N 2025-12-24T03:00:00Z two.json >out 2>err
is "$?/$(cat out err)" 0/ "-d: deletes them, and what they were made of"
is "$(image)" 0 "as a load that is made now"
done_testing
