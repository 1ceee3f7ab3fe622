#!/usr/bin/env bash
# shellcheck disable=SC2119 # a function that takes options is called without any
# What outlives a crash: the spool, and the gaps in which nobody listened.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

now=2025-12-16T17:00:30Z
servers -d 20 || exit 1
export TS_SPOOL=$tmp/spool TS_STATUS_FLAGS=

kept() {
	find "$TS_SPOOL" -type f ! -name '.*' | wc -l
}
nothing_kept() {
	[ "$(kept)" -eq 0 ]
}
asked_for() {
	[ "$(wc -l <"$sim_log")" -ge "$1" ]
}
both_kept() {
	[ "$(kept)" -eq 2 ]
}
jobs_done() {
	[ "$(grep -c '"done"' pipeline.out)" -ge "$1" ]
}

# Killed in the middle, the service goes on where it was.
sim_hold 41
serve
publish "$(job crash "$(jq -nc '[range(40) | "S\(.)"] + ["NONE1", "B AD"]')" '["1min","day","2min"]')"
# 41 that the API answered, and 44 that can never be done.
noted() {
	[ "$(grep -c . "$TS_SPOOL"/*.notes)" -eq 85 ]
}
wait_for 10 noted
for pid in $(pgrep -P "$service_pid"); do
	kill -KILL "$pid" 2>/dev/null
done
wait "$service_pid"
is $? 137 "all stages killed: the service ends with 137"
is "$(kept)" 2 "the job and its notes are in the spool"
sim_go
is "$(grep -c . "$TS_SPOOL"/*.notes)" 85 "85 of 126 verdicts are noted"
printf '{"type":"stored","job_id":"cra' >>"$(ls "$TS_SPOOL"/*.notes)"
asked=$(wc -l <"$sim_log")
serve
wait_for 20 over crash
is "$(hash crash status)/$(hash crash total_tasks)/$(hash crash stored_tasks)/$(hash crash failed_tasks)/$(hash crash empty_tasks)" \
	completed_with_errors/126/82/44/2 "after a restart the counts are those of an undisturbed run"
is "$(hash crash bars_loaded)" "$(sql 'SELECT (SELECT count(*) FROM ohlcv_1min) + (SELECT count(*) FROM ohlcv_daily)')" \
	"and the bars those in the tables"
# What was in flight at the death may be answered behind it.
[ $(($(wc -l <"$sim_log") - asked)) -le $((41 + 8)) ]
ok $? "what was noted is not asked for again"
wait_for 3 nothing_kept
ok $? "a finished job leaves nothing in the spool"

# A second pipeline on the same spool.
"$top/pipeline.sh" >second.out 2>second.log
is $? 111 "a second pipeline on the spool does not start"
like "$(cat second.log)" 'ts-listen: error: spool .*another pipeline works on it' "and says why"

# A job of the same id while one is in progress; ids that would lead elsewhere.
sim_hold 10
publish "$(job twice "$(jq -nc '[range(300) | "T\(.)"]')" '["day"]')"
publish "$(job twice '["X"]' '["day"]')"
wait_for 5 grep -q 'dropped: a job with this id is in progress' pipeline.log
ok $? "a second job of the same id is refused while the first is in the spool"
sim_go
long=$(printf 'x%.0s' {1..300})
for id in ../../escape "$long" 'é/\u0001\n"' . ..; do
	redis publish tickstock.jobs.data_load "$(jq -nc --arg id "$id" --arg now "$now" \
		'{job_id: $id, symbols: ["AAPL"], timeframes: ["day"], years: 0.02, received_at: $now}')" >/dev/null
done
wait_for 15 jobs_done 7
ok $? "jobs of strange ids are done"
wait_for 3 nothing_kept
ok $? "and leave nothing behind"
is "$(find "$tmp" -name '*escape*')" "" "and nothing elsewhere"
is "$(hash "$long" status)" completed "a job_id of 300 bytes works"

# Told to stop, what is not begun stays in the spool.
sim_hold 100
publish "$(job stop "$(jq -nc '[range(600) | "U\(.)"]')" '["day","hour"]')"
wait_for 5 hash_is stop status running
kill -TERM "$service_pid"
sim_go
wait "$service_pid"
is $? 0 "told to stop, it exits 0"
like "$(hash stop status)/$(hash stop message)" '^running/interrupted: [0-9]+ of 1200 tasks are left for the next start' \
	"the status says how many tasks are left"
serve
wait_for 20 over stop
is "$(hash stop status)/$(hash stop stored_tasks)" completed/1200 "the next start does the rest"

# Cancelled jobs do not come back.
cancel() {
	redis publish tickstock.jobs.control "{\"job_id\":\"$1\",\"action\":\"cancel\"}" >/dev/null
}
sim_hold 50
publish "$(job cancelled "$(jq -nc '[range(200) | "V\(.)"]')" '["day","hour"]')"
wait_for 5 hash_is cancelled status running
cancel cancelled
sim_go
wait_for 3 hash_is cancelled status cancelled
wait_for 3 nothing_kept
ok $? "a cancelled job is not kept"
cancel stop
cancel nobody
wait_for 3 grep -q 'cancel for a job that is not known: id=nobody' pipeline.log
ok $? "a cancel for a job that is not kept goes its way"
is "$(kept)" 0 "and is not kept either"
serve_end

# A cancel that was heard, but has come no farther than ts-listen when all stages die.
export TS_FETCH_FLAGS='-j 2'
serve
publish "$(job late "$(jq -nc '[range(400) | "W\(.)"]')" '["day","hour"]')"
some_noted() {
	[ "$(cat "$TS_SPOOL"/*.notes | grep -c .)" -ge 10 ]
}
wait_for 5 some_noted
kill -STOP "$(pgrep -P "$service_pid" ts-expand)"
cancel late
cancel_heard() {
	compgen -G "$TS_SPOOL/*.cancel"
}
wait_for 5 cancel_heard
is "$(cat "$TS_SPOOL"/*.cancel)" '{"type":"cancel","job_id":"late"}' "a cancel is kept beside its job"
mapfile -t pids < <(pgrep -P "$service_pid" '^ts-')
kill -STOP "${pids[@]}"
kill -KILL "${pids[@]}"
wait "$service_pid"
noted=$(grep -c . "$TS_SPOOL"/*.notes)
asked=$(wc -l <"$sim_log")
cp "$TS_SPOOL"/*.cancel "$TS_SPOOL/gone.0123456789abcdef.cancel"
serve
wait_for 20 over late
is "$(hash late status)/$(hash late total_tasks)" cancelled/800 "after a restart the job is cancelled"
stored=$(hash late stored_tasks)
[ "$stored" -ge "$noted" ] && [ "$stored" -le $((noted + 100)) ]
ok $? "its verdicts are counted, $noted of before and $stored in all"
is "$(hash late failed_tasks)" 0 "and no others"
sleep 0.5
[ $(($(wc -l <"$sim_log") - asked)) -le 100 ]
ok $? "the rest is not asked for"
wait_for 8 nothing_kept
ok $? "and nothing is left in the spool, not even a cancel without its job"
serve_end
unset TS_FETCH_FLAGS

# A disk that is full: the job goes on, and it is told what that costs.
mkdir "$tmp/small"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=512k small "$tmp/small" 2>/dev/null; then
	trap 'umount -l "$tmp/small"; finish' EXIT
	spool=$TS_SPOOL
	TS_SPOOL=$tmp/small/spool
	serve
	head -c 1m /dev/zero >"$tmp/small/filler" 2>/dev/null
	publish "$(job unkept '["AAPL","MSFT"]' '["day"]')"
	wait_for 10 over unkept
	is "$(hash unkept status)/$(hash unkept stored_tasks)" completed/2 "the disk is full: a job that cannot be kept is done"
	is "$(grep -c 'ts-listen: error: spool: No space left on device: job_id=unkept goes on, but' pipeline.log)" 1 \
		"the disk is full: which is told, by name"
	is "$(find "$TS_SPOOL" -name .new)" "" "the disk is full: nothing half written is left"
	rm "$tmp/small/filler"
	sim_hold 10
publish "$(job unnoted "$(jq -nc '[range(300) | "W\(.)"]')" '["day"]')"
	wait_for 10 both_kept
	ok $? "with room again, the next job is kept, and its verdicts are noted"
	head -c 1m /dev/zero >"$tmp/small/filler" 2>/dev/null
	sim_go
	wait_for 10 over unnoted
	is "$(hash unnoted status)/$(hash unnoted stored_tasks)" completed/300 "the disk is full: what cannot be noted is counted"
	wait_for 3 nothing_kept
	ok $? "the disk is full: the job leaves nothing behind"
	rm "$tmp/small/filler"
	publish "$(job noted '["AAPL"]' '["day"]')"
	wait_for 10 over noted
	is "$(grep -c 'ts-status: error: spool: No space left on device: verdicts cannot be noted' pipeline.log)/$(grep -c 'ts-status: spool: verdicts are noted again' pipeline.log)" \
		1/1 "the disk is full: told once when it is, and once when there is room"
	serve_end
	is $? 0 "the disk is full: told to stop, it exits 0"
	umount "$tmp/small"
	trap finish EXIT
	TS_SPOOL=$spool
else
	skip "a full disk: no file system may be mounted here"
fi

# One odd entry costs only itself.
mkdir -p "$TS_SPOOL/x.job"
mkfifo "$TS_SPOOL/y.job"
ln -s /etc/hostname "$TS_SPOOL/z.job"
echo '{"job_id":"renamed","symbols":["AAPL"]}' >"$TS_SPOOL/moved.job"
echo 'not json' >"$TS_SPOOL/garbage.job"
truncate -s 3G "$TS_SPOOL/large.job"
serve
publish "$(job odd '["AAPL"]' '["day"]')"
wait_for 10 over odd
is "$(hash odd status)" completed "among odd entries the spool works"
is "$(grep -c 'ts-listen: error: spool: [a-z]*.job .*: set aside as \*.bad' pipeline.log)" 6 "each is told by name and set aside"
is "$(find "$TS_SPOOL" -name '*.bad' | wc -l)/$(find "$TS_SPOOL" -name '*.job' | wc -l)" 6/0 "and is not met again"
unlike "$(cat pipeline.log pipeline.out)" "$(head -n 1 /etc/hostname)|not json" "nothing of them is read out"
# Everybody, taken together.
sim_hold 50
publish "$(job all1 "$(jq -nc '[range(400) | "Y\(.)"]')" '["day","hour"]')"
publish "$(job all2 "$(jq -nc '[range(400) | "Z\(.)"]')" '["day","hour"]')"
wait_for 5 hash_is all2 status running
redis publish tickstock.jobs.control '{"command":"cancel_all"}' >/dev/null
wait_for 5 hash_is all1 status cancelled
wait_for 5 hash_is all2 status cancelled
is "$(hash all1 status)/$(hash all2 status)" cancelled/cancelled "cancel_all cancels all jobs"
is "$(grep -c 'cancelled all jobs: 2' pipeline.log)" 1 "and none that is over"
sim_go
mv "$TS_SPOOL" "$TS_SPOOL.away"
wait_for 12 grep -q 'the spool was taken away' pipeline.log
ok $? "a spool that is taken away under a running service is told"
mv "$TS_SPOOL.away" "$TS_SPOOL"
serve_end
rm -r "$TS_SPOOL"/*.bad
chmod g+w "$TS_SPOOL"
"$top/pipeline.sh" >second.out 2>second.log
is $? 111 "a spool that others may write to is refused"
like "$(cat second.log)" 'ts-listen: error: spool .*others may write to it: chmod go-w it' "and why is said"
chmod g-w "$TS_SPOOL"

# What is published while nobody listens.
publish "$(job lost '["AAPL"]' '["day"]')"
redis hset tickstock.jobs.status:older status submitted submitted_at 2020-01-01T00:00:00 >/dev/null
# Another loader lives on this Redis, so the gap alone is searched.
while sleep 0.2; do redis set tickstockpl:heartbeat "another $SRANDOM" EX 30; done >/dev/null &
beating=$!
started+=("$beating")
sleep 1.2
serve
wait_for 6 hash_is lost status failed
is "$(hash lost status)/$(hash lost message)" "failed/published while no listener ran" \
	"a job that nobody heard of is failed"
is "$(hash older status)" submitted "one from before the gap is left alone"
kill "$beating"
like "$(cat pipeline.log)" 'ts-listen: warning: gap from=' "the gap is logged"
redis del tickstock.jobs.status:older >/dev/null
serve_end
like "$(tail -n 1 pipeline.log)" 'end ts-listen=(0|141) ts-expand=(0|141) ts-fetch=0 ts-store=0 ts-status=0' \
	"all stages ended well"

# A run in the foreground has no next start: what is cut short is over, and whoever waits for it is told.
job cut "$(jq -nc '[range(900) | "C\(.)"]')" '["day","hour"]' >cut.json
TS_STATUS_FLAGS='' "$top/pipeline.sh" cut.json >pipeline.out 2>pipeline.log &
run=$!
started+=("$run")
cut_begun() {
	[ "$(hash cut stored_tasks)" -ge 1 ]
}
wait_for 10 cut_begun
kill -TERM "$run"
wait "$run"
is $? 143 "a run in the foreground that is cut short exits 143"
like "$(hash cut status)/$(hash cut message)" '^cancelled/interrupted: [0-9]+ of 1800 tasks have no verdict; loaded [0-9,]+ of 1,800 tasks' \
	"its job is cancelled, and how many tasks have no verdict is said"
is "$(jq -r 'select(.type == "done").status' pipeline.out)" cancelled "so says the done record"
like "$(cat pipeline.log)" 'ts-status: job cancelled id=cut: interrupted: ' "and the log"
done_testing
