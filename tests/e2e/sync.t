#!/usr/bin/env bash
# ts-sync: after a split between two nights all stands on one basis, whatever was killed meanwhile, and no
# certificate says so before.
# shellcheck source=tests/nights/nights.sh
. "$(dirname "${BASH_SOURCE[0]}")/../nights/nights.sh"

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

# afresh NAME: empty tables, and nothing was asked lately.
afresh() {
	sql "$(for t in $tables; do echo "TRUNCATE $t;"; done)"
	TS_SYNC_STATE=$tmp/$1/asked
}
# touched: changes whenever a row was written.
touched() {
	for t in $tables; do sql "SELECT sum(xmin::text::int8), count(*) FROM $t"; done
}
# most: the requests of the symbol that cost most of them.
most() {
	sed -n 's,.*/v2/aggs/ticker/\([^/]*\)/.*,\1,p' "$sim_log" | sort | uniq -c | sort -n | awk '{ n = $1 } END { print n + 0 }'
}

# ---- two loads, so that there are rows before the window

ts-sync -N 2025-12-09T03:00:00Z job.json >out 2>err
is "$?/$(tail -n 1 out)" "0/25 of 25 complete" "an empty database is loaded"
sim_now 2025-12-23T03:00:00Z
ts-sync -N 2025-12-23T03:00:00Z job.json >out 2>err
is "$?/$(tail -n 1 out)" "0/25 of 25 complete" "and what is new on the next night"
fresh_load 2025-12-23T03:00:00Z 0.3
is "$(image)" 0 "all is as a load that is made now"

# ---- the split, and death

sim_now 2025-12-24T03:00:00Z
fresh_load 2025-12-24T03:00:00Z 0.3
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

before=$(touched)
: >"$sim_log"
ts-sync -N 2025-12-24T03:00:00Z job.json >out 2>err
is "$?/$(tail -n 1 out)" "0/25 of 25 complete" "a second time"
[ "$(most)" -le 5 ]
ok $? "it asks no more than 5 times for a symbol ($(most))"
is "$(touched)" "$before" "and touches no row"
ts-sync -N 2025-12-24T19:00:00Z job.json >out 2>err
like "$(cat err)" 'session of 2025-12-24 is not final before 17:00 in New York' "before the day is final it says so"

# ---- symbols that came late or trade little

afresh little
job '["LATE1","THIN1","THIN2","SPARSE1"]' 1 >job.json
sim_now 2025-12-23T03:00:00Z
ts-sync -N 2025-12-23T03:00:00Z job.json >out 2>err
code=$?
[ $code -le 1 ]
ok $? "a first load ($code, $(tail -n 1 out))"
before=$(touched)
: >"$sim_log"
ts-sync -N 2025-12-23T03:00:00Z job.json >out 2>err
[ "$(most)" -le 5 ]
ok $? "a second time they cost no more than others ($(most) requests for one of them)"
is "$(touched)" "$before" "and no row is touched"
sim_now 2025-12-24T03:00:00Z
: >"$sim_log"
ts-sync -N 2025-12-24T03:00:00Z job.json >out 2>err
[ "$(most)" -le 5 ]
ok $? "nor on the next night ($(most))"

# ---- one at a time

exec 8>>"$TS_SYNC_STATE.lock"
flock 8
: >"$sim_log"
ts-sync -q -N 2025-12-24T03:00:00Z job.json >out 2>err
is "$?/$(cat out)/$(wc -l <"$sim_log")" 111//0 "a second one at the same time does nothing"
like "$(cat err)" 'another ts-sync is at work' "and says why, with -q too"
exec 8>&-

# ---- days on which nothing was traded, and a session that is withdrawn

afresh two
job '["HELD","BACK"]' 0.06 >job.json
sim_now 2025-12-23T03:00:00Z
for night in first next; do
	ts-sync -N 2025-12-23T03:00:00Z job.json >out 2>err
	like "$?/$(tail -n 1 out)" '^0/10 of 10 complete; .*; 3 sessions, weeks or months that the API does not have$' \
		"a day without trades is asked for, and then no hole: the $night run"
done
like "$(cat out)" '^HELD +1min .* complete; the API has no more of 2025-12-15$' "a row names it"
sim_now 2025-12-24T03:00:00Z
fresh_load 2025-12-24T03:00:00Z 0.1
ts-sync -N 2025-12-24T03:00:00Z job.json >out 2>err
like "$?/$(tail -n 1 out)" '^1/.*: BACK day outside, BACK week differs; .*; rows that the API does not have: 1 \(ts-sync -d deletes them\)$' \
	"rows that the API does not have cost the certificate, whose last words say how to go on"
like "$(cat out)" '^BACK +day .* outside; 1 that the API does not have$' "and are named"
[ "$(image)" -gt 390 ]
ok $? "they are left"
ts-sync -d -q -N 2025-12-24T03:00:00Z job.json >out 2>err
is "$?/$(cat out err)" 0/ "-d: deletes them, and what they were made of"
is "$(image)" 0 "as a load that is made now"
done_testing
