#!/usr/bin/env bash
# ts-status: the hash that the admin page reads, the done records, the meter; and that neither the page's
# late "submitted" nor an absent Redis leaves a wrong status behind.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# header ID SYMBOLS TASKS
header() {
	printf '{"type":"job","job_id":"%s","source":"DIA","symbols":%d,"timeframes":["1min","day"],"tasks":%d,"received_at":"2025-12-23T17:15:13Z"}\n' "$@"
}
# stored ID SYMBOL TIMEFRAME BARS [REJECTED]
stored() {
	printf '{"type":"stored","job_id":"%s","symbol":"%s","timeframe":"%s","from":"2025-12-22","to":"2025-12-22","bars":%d,"inserted":%d,"updated":0,"unchanged":0,"rejected":%d}\n' \
		"$1" "$2" "$3" "$4" "$4" "${5:-0}"
}
# failed ID SYMBOL TIMEFRAME ERROR
failed() {
	printf '{"type":"failed","job_id":"%s","symbol":"%s","timeframe":"%s","from":"2025-12-22","to":"2025-12-22","stage":"fetch","error":"%s"}\n' "$@"
}
cancel() {
	printf '{"type":"cancel","job_id":"%s"}\n' "$1"
}
# A job of four tasks: one failed, one empty, one late, one with a rejected bar.
mixed() {
	header "$1" 2 4
	printf '{"type":"loading","job_id":"%s","symbol":"AAPL","timeframe":"1min"}\n' "$1"
	printf '{"type":"stored","job_id":"%s","symbol":"AAPL","timeframe":"1min","from":"2025-12-01T14:30:00Z","to":"2025-12-22T21:00:00Z","bars":1170,"first":"2025-12-15T14:30:00Z","last":"2025-12-22T20:59:00Z","inserted":1170,"rejected":2,"extra":12,"restated":1100,"factor":4}\n' "$1"
	stored "$1" AAPL day 1
	failed "$1" XYZ day 'HTTP 403: not entitled'
	stored "$1" XYZ 1min 0
}

# open [ARGUMENT...]: ts-status in the background, its input at descriptor $in; sets pid.
open() {
	rm -f fifo
	mkfifo fifo
	: >out
	: >err
	ts-status "$@" <fifo >out 2>err &
	pid=$!
	started+=("$pid")
	exec {in}>fifo
}
# shut: end of input; sets code and ms, how long it took.
shut() {
	local begun
	begun=$(date +%s%N)
	exec {in}>&-
	wait_for 20 ended "$pid" || kill -KILL "$pid"
	wait "$pid"
	code=$?
	ms=$((($(date +%s%N) - begun) / 1000000))
}
key() {
	echo "tickstock.jobs.status:$1"
}
# submitted ID: what the page writes behind its publish.
submitted() {
	redis hset "$(key "$1")" status submitted progress 0 message 'Job submitted' \
		submitted_at 2025-12-23T12:15:12.5 timestamp 2025-12-23T12:15:13.634000 job_type csv_universe_load >/dev/null
}

bad_input ts-status -u none
bad_output ts-status -u none

redis_start --loglevel warning || exit 1

# One that finds the heartbeat of a loader that has died a moment ago, and what that has left.
redis-server --port 0 --unixsocket "$tmp/stale.sock" --save '' >stale.redis 2>&1 &
started+=($!)
stale() {
	redis-cli --raw -s "$tmp/stale.sock" "$@"
}
wait_for 5 stale ping
stale set tickstockpl:heartbeat 2025-12-23T12:15:13 EX 30 >/dev/null
stale hset "$(key dead)" status running loader 'ts-status 0' timestamp 2025-12-23T12:15:13 >/dev/null
mkfifo stale.in
ts-status -u "unix://$tmp/stale.sock" <stale.in >stale.out 2>stale.err &
stale_pid=$!
started+=("$stale_pid")
exec {stale_in}>stale.in

# One that lives through all of this with a Redis of its own, and with a job that makes no progress.
redis-server --port 0 --unixsocket "$tmp/pulse.sock" --save '' >pulse.redis 2>&1 &
started+=($!)
alone() {
	redis-cli --raw -s "$tmp/pulse.sock" "$@"
}
wait_for 5 alone ping
mkfifo pulse.in
TZ=Asia/Tokyo ts-status -u "unix://$tmp/pulse.sock" <pulse.in >pulse.out 2>pulse.err &
pulse=$!
started+=("$pulse")
exec {pulse_in}>pulse.in
header pulse 1 2 >&"$pulse_in"
pulse_is() {
	[ "$(alone hget "$(key pulse)" status)" = "$1" ]
}
wait_for 3 pulse_is running
ok $? "a job is running as soon as its header came"
like "$(alone get tickstockpl:heartbeat)" "^$(TZ=Asia/Tokyo date +%Y-%m-%dT%H:)[0-5][0-9]:[0-5][0-9]$" \
	"the heartbeat is the local time"
ttl=$(alone ttl tickstockpl:heartbeat)
[ "$ttl" -gt 20 ] && [ "$ttl" -le 30 ]
ok $? "and lives 30 seconds"
alone del tickstockpl:heartbeat >/dev/null

# One that finds no Redis at the end of its input.
mixed gone | { ts-status -u "unix://$tmp/gone.sock" >gone.out 2>gone.err; echo $? >gone.code; } &
wait_for 2 grep -q 'cannot connect' gone.err
is "$(pgrep -f -- "$tmp/gone.sock" | wc -l)" 1 "with Redis gone it does not end at once"
gone=$(pgrep -f -- "$tmp/gone.sock")

# The whole hash.
redis hset "$(key a)" status submitted job_type csv_universe_load completed_at long_ago >/dev/null
{ printf '{"type":"fetched","x":1}\r\n'; mixed a; } >a.ndjson
TZ=America/Chicago ts-status <a.ndjson >out 2>err
is $? 1 "tasks that failed show in the exit status"
is "$(head -n 1 out | tr '\r' R)" '{"type":"fetched","x":1}R' "records of others are copied"
is "$(tail -n 1 out)" '{"type":"done","job_id":"a","status":"completed_with_errors","tasks":4,"stored":3,"failed":1,"empty":1,"bars":1169,"seconds":0}' \
	"done has the counts"
declare -A want=([status]=completed_with_errors [progress]=100 [total_symbols]=2 [processed_symbols]=2
	[total_tasks]=4 [stored_tasks]=3 [failed_tasks]=1 [empty_tasks]=1 [bars_loaded]=1169 [extra]=12 [restated]=1100
	[successful_symbols]='[]' [failed_symbols]='["AAPL","XYZ"]' [current_symbol]=XYZ
	[current_timeframe]=1min [job_type]=csv_universe_load [submitted_at]=2025-12-23T11:15:13
	[errors]='["AAPL 1min: 2 bars rejected","XYZ day: HTTP 403: not entitled"]'
	[message]='Loaded 3 of 4 tasks, 1,169 bars; 1 failed: XYZ day (HTTP 403: not entitled); 1 empty: XYZ 1min; 1 task begins more than 5 sessions after asked: AAPL 1min (2025-12-15T14:30:00Z); 1 task lost bars: AAPL 1min (2 bars rejected); 1 task has rows that the API does not have: AAPL 1min (12); 1 task has restated rows: AAPL 1min (1,100)')
for field in "${!want[@]}"; do
	is "$(hash a "$field")" "${want[$field]}" "the hash's $field"
done
for field in started_at completed_at timestamp; do
	t=$(hash a $field)
	is "${#t}/$(($(TZ=America/Chicago date +%s) - $(TZ=America/Chicago date -d "$t" +%s) < 5))" 19/1 \
		"$field is local time without a zone"
done
[ "$(redis ttl "$(key a)")" -gt 86380 ]
ok $? "the hash lives a day"
like "$(cat err)" 'job completed_with_errors id=a: Loaded 3 of 4' "the last message is logged"
unlike "$(cat err)" ': (start|end|job start) ' "start and end are told to nobody who does not ask"
# Where "submitted" was seen, nobody waits for it: quicker tests.
for id in c ok no auth b early term; do
	submitted $id
done
mixed c | TS_SERVICE=1 ts-status -C completed >out 2>err
like "$(cat err)" "start version=[^ ]+ redis=unix://$tmp/redis.sock partial=completed" "the start line has the settings, in a service"
like "$(cat err)" '^ts-status: job start id=c source=DIA' "where the start of a job is told, too"
is "$(hash c status)/$(jq -r .status out)" completed/completed "-C calls a partly failed job completed"
submitted f
mixed f | ts-status -q -C failed >out 2>err
is "$?/$(hash f status)/$(jq -r .status out)/$(hash f message)" "1/failed/failed/$(hash c message)" \
	"or failed, with the message that a page then shows"
is "$(ts-status -C "done" </dev/null 2>&1 | head -n 1)" "ts-status: error: -C: want completed_with_errors, completed or failed" \
	"and nothing that no page knows"
{ header ok 1 1; stored ok AAPL day 1; } | ts-status >out 2>err
is "$?/$(hash ok status)/$(hash ok message)" "0/completed/Loaded 1 of 1 tasks, 1 bar" "all stored: completed, exit 0"
{ header no 1 1; failed no AAPL day why; } | ts-status -C completed -q >out 2>err
is "$?/$(hash no status)/$(hash no progress)" 1/failed/100 "nothing stored: failed"

# A string at the key, of an older version.
redis set "$(key string)" '{"status":"submitted"}' >/dev/null
{ header string 1 1; stored string AAPL day 1; } | ts-status >out 2>err
is "$(hash string status)" completed "a string at the key is replaced"
[ "$(redis ttl "$(key string)")" -gt 86380 ]
ok $? "and the hash lives a day"

# Jobs that went wrong before they had tasks; a job twice; verdicts twice; a cancel for nobody; a gap.
submitted whole
{
	printf '{"type":"failed","job_id":"whole","stage":"expand","error":"no symbols in the job"}\n'
	header b 1 2
	stored b AAPL day 1
	header b 9 9
	stored b AAPL day 1
	printf '{"type":"failed","job_id":"b","stage":"expand","error":"years is not a number"}\n'
	stored b AAPL 1min 390
	cancel nobody
	printf '{"type":"gap","from":"2025-12-23T17:15:13Z","to":"2025-12-23T17:15:19Z"}\n'
	printf '{"type":"stored","job_id":"b","symbol":"AAPL"}\n'
} | ts-status >out 2>err
is $? 1 "what is refused shows in the exit status"
is "$(hash whole status)/$(hash whole message)" "failed/no symbols in the job" "a job that failed as a whole has its reason"
is "$(head -n 1 out)" '{"type":"done","job_id":"whole","status":"failed","tasks":0,"stored":0,"failed":0,"empty":0,"bars":0,"seconds":0}' \
	"and is done with no tasks"
is "$(hash b status)/$(hash b stored_tasks)/$(hash b bars_loaded)/$(hash b total_tasks)" completed/2/391/2 \
	"a verdict that is repeated counts once, a second job of the same id not at all"
is "$(grep -c 'job id=b refused: a job with this id is in progress' err)" 2 "the second job is refused with a line"
like "$(cat err)" 'cancel for a job that is not known: id=nobody' "a cancel for an unknown job is a line"
like "$(cat err)" 'gap from=2025-12-23T17:15:13Z to=2025-12-23T17:15:19Z' "a gap is logged"
like "$(cat err)" 'line 10: timeframe is missing' "a record without a field is named"
# What is wrong a thousand times.
{
	yes '{"type":"stored","job_id":"b","symbol":"AAPL"}' | head -n 1000
	header late 1 1
	stored late A day 1
} | ts-status -v -u none >out 2>err
is "$?/$(grep -c 'warning: line' err)/$(grep -c 'warning: more than 100 lines are refused' err)" 1/100/1 \
	"of a thousand refused lines a hundred are told"
like "$(tail -n 1 err)" ' refused=1000 ' "and all are counted"

# A zone that does not exist would be taken for UTC.
for zone in TZ=Mars/Olympus TS_PAGE_TZ=America TZ=/etc/passwd TS_PAGE_TZ=X; do
	env "$zone" ts-status -u none </dev/null >out 2>err
	is "$?/$(cat err)" "100/ts-status: error: ${zone%=*}: the time zone ${zone#*=} does not exist" \
		"$zone is refused"
done
for zone in TZ=UTC TZ= TS_PAGE_TZ= TZ='<+03>-3' TZ=EST5 TS_PAGE_TZ=:Asia/Tokyo; do
	env "$zone" ts-status -q -u none </dev/null >out 2>err
	is "$?/$(cat err)" 0/ "$zone is not"
done

# While it runs. The key has an old end.
redis hset "$(key live)" status completed completed_at long_ago >/dev/null
open
header live 2 4 >&"$in"
wait_for 2 hash_is live status running
ok $? "running"
stored live AAPL day 1 >&"$in"
wait_for 1 hash_is live message 'Loaded day for AAPL (1/4)'
ok $? "the message tells the task"
is "$(hash live progress)/$(hash live current_symbol)/$(hash live current_timeframe)/$(hash live processed_symbols)" \
	25/AAPL/day/0 "so do the other fields"
is "$(hash live completed_at)" "" "it has no completed_at"
printf '{"type":"loading","job_id":"live","symbol":"MSFT","timeframe":"1min"}\n' >&"$in"
wait_for 1 hash_is live message 'Loading 1min for MSFT'
ok $? "a task that begins is told"
{ stored live AAPL 1min 390; failed live MSFT day why; } >&"$in"
wait_for 1 hash_is live message 'Failed day for MSFT (3/4)'
ok $? "and one that failed"
is "$(hash live progress)" 75 "progress is floored"
is "$(redis --raw lrange tickstock.jobs.failed:live 0 -1)" "$(failed live MSFT day why)" "what failed stands in a list at once"
sleep 0.2
stored live MSFT 1min 390 >&"$in"
begun=$(date +%s%N)
wait_for 1 hash_is live status completed_with_errors
[ $((($(date +%s%N) - begun) / 1000000)) -lt $((500 * patience)) ]
ok $? "the last verdict is in the hash at once"
# The page is late: after 0.2 s, and again after 1.5 s.
sleep 0.2
submitted live
wait_for 1 hash_is live status completed_with_errors
ok $? "a late submitted is put right"
is "$(hash live progress)/$(hash live job_type)/$(hash live submitted_at)" \
	100/csv_universe_load/2025-12-23T12:15:12.5 "with all fields, and the page's own kept"
sleep 1.2
submitted live
wait_for 3 hash_is live status completed_with_errors
ok $? "also once more"
# While it runs, too: without any news of the job.
header early 1 2 >&"$in"
wait_for 1 hash_is early status running
submitted early
wait_for 3 hash_is early status running
ok $? "a submitted behind the first write is put right while the job runs"
# Redis forgets all of it: submitted_at is what the job says itself, or what the page had written.
header stamped 1 2 | sed 's/}$/,"timestamp":"2025-12-23T12:15:13.634000"}/' >&"$in"
header paged 1 2 >&"$in"
wait_for 1 hash_is stamped status running
wait_for 1 hash_is paged status running
submitted paged
wait_for 3 hash_is paged status running
is "$(hash stamped submitted_at)" 2025-12-23T12:15:13.634000 "where the page has written nothing, submitted_at is the job's own timestamp"
for job in stamped paged; do
	submitted=$(hash $job submitted_at)
	redis del "$(key $job)" >/dev/null
	stored $job A day 1 >&"$in"
	wait_for 5 hash_is $job submitted_at "$submitted"
	ok $? "$job: after a FLUSHALL it is what it was, $submitted"
	stored $job A 1min 1 >&"$in"
	wait_for 5 hash_is $job status completed
done
redis del "$(key stamped)" >/dev/null
wait_for 5 hash_is stamped submitted_at 2025-12-23T12:15:13.634000
ok $? "also after its end"
# A burst is merged.
header trickle 40 40 >&"$in"
wait_for 1 hash_is trickle status running
redis config resetstat >/dev/null
begun=$(date +%s%N)
for i in {1..40}; do
	stored trickle "S$i" day 1 >&"$in"
	sleep 0.005
done
wait_for 1 hash_is trickle status completed
ms=$((($(date +%s%N) - begun) / 1000000))
sets=$(redis info commandstats | sed -n 's/^cmdstat_hset:calls=\([0-9]*\),.*/\1/p')
# One in 100 ms, and some at the edges.
[ "$sets" -gt 1 ] && [ "$sets" -lt $((8 + ms / 100)) ]
ok $? "verdicts in quick succession are merged, $sets writes for 40"
{ header burst 3000 3000; for i in {1..2999}; do echo "{\"type\":\"stored\",\"job_id\":\"burst\",\"symbol\":\"S$i\",\"timeframe\":\"day\",\"from\":\"2025-12-22\",\"to\":\"2025-12-22\",\"bars\":1}"; done; } >burst.ndjson
cat burst.ndjson >&"$in"
wait_for 2 hash_is burst stored_tasks 2999
ok $? "a burst of verdicts is counted"
is "$(hash burst progress)" 99 "99 until the last verdict"

# Redis goes away and comes back empty.
redis shutdown nosave 2>/dev/null
wait_for 3 logged 'lost Redis'
stored burst LAST day 1 >&"$in"
sleep 0.5
# What is started here must not hold the inputs open.
eval "redis_start --loglevel warning $in>&- $pulse_in>&- $stale_in>&-"
wait_for 6 hash_is burst status completed
ok $? "what came while Redis was away is written when it is back"
is "$(hash burst stored_tasks)/$(hash early status)" 3000/running "so are all jobs that are known"
is "$(grep -c 'lost Redis' err)/$(grep -c 'Redis is back' err)" 1/1 "each is logged once"
stored early AAPL day 1 >&"$in"
submitted burst
shut
is "$code/$(hash burst status)" 1/completed "a submitted that comes at the end of input is put right"
is "$(hash early message)" "stopped: 1 of 2 tasks have no verdict; loaded 1 of 2 tasks, 1 bar" "a job that did not end says so"
is "$(hash early status)/$(hash early progress)" completed_with_errors/50 "and is not completed"
like "$(cat err)" 'warning: job id=early stopped: 1 of 2 tasks have no verdict' "it is logged"
is "$(jq -r 'select(.type == "done") | .job_id' out | tr '\n' ' ')" "live stamped paged trickle burst early " "each job is done once"

# Cancelled.
submitted stop
open
{ header stop 3 3; stored stop AAPL day 1; cancel stop; } >&"$in"
wait_for 1 hash_is stop status cancelled
is "$?/$(hash stop stored_tasks)/$(hash stop progress)" 0/1/33 "a cancelled job says so at once, with its counts"
stored stop MSFT day 2 >&"$in"
wait_for 1 hash_is stop stored_tasks 2
is "$(hash stop status)/$(hash stop message)" "cancelled/Cancelled: loaded 2 of 3 tasks, 3 bars" "what was on its way is counted"
shut
is "$code/$(jq -c '[.status,.stored,.bars]' out)" '0/["cancelled",2,3]' "its done has the exact counts"
[ $ms -lt $((1000 * patience)) ]
ok $? "where the page's submitted was seen, nothing is waited for at the end"
# Told to stop: it runs to the end of its input.
open
header term 1 2 >&"$in"
wait_for 1 hash_is term status running
kill -TERM "$pid"
sleep 0.2
{ stored term AAPL day 1; stored term AAPL 1min 1; } >&"$in"
wait_for 2 hash_is term status completed
ok $? "after SIGTERM records are taken still"
shut
is "$code/$(jq -r .status out)" 0/completed "it ends with its input, exit 0"
# Also when the reader of its output is slow.
for i in {1..12000}; do
	echo "{\"type\":\"job\",\"job_id\":\"s$i\",\"symbols\":1,\"tasks\":1}"
	echo "{\"type\":\"stored\",\"job_id\":\"s$i\",\"symbol\":\"A\",\"timeframe\":\"day\",\"from\":\"2025-12-22\",\"to\":\"2025-12-22\",\"bars\":1}"
done >many.ndjson
mkfifo slow
: >err
ts-status -u none <many.ndjson >slow 2>err &
pid=$!
exec {in}<slow
wait_for 5 logged 'job completed'
sleep 0.2
kill -TERM "$pid"
sleep 1.5
is "$(wc -l <&"$in")" 12000 "SIGTERM while stdout is blocked: nothing is lost"
exec {in}<&-
wait "$pid"
is $? 0 "and it ends with exit 0"
open -u none
yes '{"type":"foreign"}' >fifo 2>yes.err &
yes=$!
wait_for 5 test -s out
kill -TERM "$pid"
sleep 0.1
kill "$yes"
shut
is "$code/$((ms < 1500 * patience))" 0/1 "SIGTERM in the middle of a stream: exit 0 at its end"

# Without a header; without Redis.
{ stored bare AAPL day 1; stored bare MSFT day 2; } | ts-status -u none >out 2>err
is "$?/$(cat out)" '0/{"type":"done","job_id":"bare","status":"completed","tasks":2,"stored":2,"failed":0,"empty":0,"bars":3,"seconds":0}' \
	"verdicts without a header are counted until the end"
redis exists "$(key bare)" >redis.out
is "$(cat redis.out)" 0 "-u none writes no hash"

# So many small jobs at once that those which are over cannot all be watched.
ts-status -q <many.ndjson >out 2>err
is "$?/$(wc -l <out)/$(redis --raw keys "$(key 's*')" | grep -c ':s[0-9]*$')/$(hash s12000 status)" 0/12000/12000/completed \
	"12,000 small jobs at once all have their status"

# The terminal.
mixed tty >tty.ndjson
head -n 4 tty.ndjson >tty.part
script -qec "stty cols 60; (cat tty.part; sleep 0.5) | ts-status -u none" /dev/null >tty.out </dev/null
like "$(tr '\r' '\n' <tty.out)" '^DIA 50% 2/4 tasks, 1,169 bars' "on a terminal there is a meter"
is "$(tr '\r' '\n' <tty.out | grep '^DIA' | sed 's/\x1b.*//' | awk 'length > 59')" "" "it fits the width"
like "$(tr -d '\n' <tty.out)" $'\r\x1b\[Kts-status' "it is wiped out before a line of log"
script -qec "(cat tty.part; sleep 0.5) | ts-status -q -u none" /dev/null >tty.out </dev/null
unlike "$(tr '\r' '\n' <tty.out)" '^DIA 50%' "-q: no meter"

# Configuration.
for url in 'redis://:s3cr3t@h' 'http://h' 'redis://' ; do
	ts-status -u "$url" <a.ndjson >out 2>err
	is "$?/$(wc -l <err)" 100/2 "exit 100 for -u ${url/s3cr3t/...}"
	cat err >>all.err
done
redis config set requirepass s3cr3t/w >/dev/null
for url in "unix://$tmp/redis.sock" "unix://:wrong@$tmp/redis.sock"; do
	REDIS_URL=$url ts-status </dev/null >out 2>err
	is "$?" 100 "a wrong password is exit 100, also without input"
	like "$(cat err)" 'Redis refuses: (NOAUTH|WRONGPASS)' "and is named"
done
{ header auth 1 1; stored auth AAPL day 1; } |
	REDIS_URL=unix://:s3cr3t%2Fw@$tmp/redis.sock ts-status >out 2>err
is "$?/$(REDISCLI_AUTH=s3cr3t/w redis --raw hget "$(key auth)" status 2>/dev/null)" 0/completed "the right one is taken"
cat err >>all.err
unlike "$(cat all.err)" s3cr3t "no log has a password"
REDISCLI_AUTH=s3cr3t/w redis config set requirepass '' >/dev/null 2>&1

# What loaders that died have left behind. Nothing happens while another one lives: its heartbeat changes.
left_behind() {
	redis hset "$(key dead)" status running loader 'ts-status 0' timestamp 2025-12-23T12:15:13 total_tasks 150 \
		stored_tasks 30 failed_tasks 7 >/dev/null
	redis hset "$(key other)" status running timestamp 2025-12-23T12:15:13 >/dev/null
	redis hset "$(key fresh)" status running loader 'ts-status 0' timestamp "$(date +%Y-%m-%dT%H:%M:%S)" >/dev/null
	redis hset "$(key unheard)" status submitted submitted_at 2025-12-23T12:15:13.5 >/dev/null
	redis hset "$(key just)" status submitted submitted_at "$(date +%Y-%m-%dT%H:%M:%S.%6N)" >/dev/null
}
# And one that is in the spool, on its way.
ts-listen -s "$tmp/spool" >listen.out 2>listen.err &
listen=$!
started+=("$listen")
wait_for 5 grep -q 'listening on' listen.err
redis publish tickstock.jobs.data_load '{"job_id":"kept","symbols":["A"]}' >/dev/null
wait_for 5 test -s listen.out
kill "$listen"
wait "$listen"
redis hset "$(key kept)" status submitted submitted_at 2025-12-23T12:15:13.5 >/dev/null
left_behind
while sleep 0.2; do redis set tickstockpl:heartbeat "another $SRANDOM" EX 30; done >/dev/null &
beating=$!
started+=("$beating")
wait_for 5 redis exists tickstockpl:heartbeat
open
ours() {
	[[ $(redis get tickstockpl:heartbeat) =~ ^20 ]]
}
wait_for 9 ours
ok $? "the heartbeat of another loader is not taken for a dead one's"
sleep 2.5
is "$(hash dead status)/$(hash unheard status)" running/submitted "while another loader lives, no hash is taken for dead"
kill "$beating"
shut
redis del tickstockpl:heartbeat >/dev/null
open -s "$tmp/spool"
wait_for 9 hash_is dead status failed
is "$(hash dead status)/$(hash dead message)" 'failed/interrupted at 37 of 150 tasks: publish it again' \
	"a hash whose loader has died is failed, with its count"
wait_for 3 hash_is unheard status failed
is "$(hash unheard message)" 'published while no listener ran' "so is one that nobody has heard of"
is "$(hash other status)/$(hash fresh status)/$(hash just status)/$(hash kept status)" running/running/submitted/submitted \
	"those of others, those that are new and those in the spool are let alone"
redis del "$(key kept)" >/dev/null
wait_for 3 grep -q 'jobs were interrupted' err
like "$(cat err)" 'warning: 1 jobs were interrupted by the death of their loader' "which is told"
# The page's times may be those of another zone.
shut
redis del tickstockpl:heartbeat >/dev/null
redis hset "$(key zone)" status submitted submitted_at "$(TZ=Asia/Tokyo date -d '5 minutes ago' +%Y-%m-%dT%H:%M:%S)" >/dev/null
TS_PAGE_TZ=Asia/Tokyo open
wait_for 9 hash_is zone status failed
ok $? "TS_PAGE_TZ is the zone of the page's times"
shut

# Told to stop, with work left.
submitted cut
open
{ header cut 3 3; stored cut AAPL day 1; } >&"$in"
wait_for 2 hash_is cut stored_tasks 1
kill -TERM "$pid"
shut
is "$code/$(jq -r .status out)" 143/cancelled "interrupted with work left: exit 143, the job is done as cancelled"
is "$(hash cut status)/$(hash cut message)" \
	"cancelled/interrupted: 2 of 3 tasks have no verdict; loaded 1 of 3 tasks, 1 bar" "and its hash says so"
like "$(cat err)" 'job cancelled id=cut: interrupted: 2 of 3' "and so does the log"

# All that failed can be found and done again.
submitted many
{
	header many 130 130
	for i in {1..120}; do failed many "S$i" day "HTTP 500"; done
	for i in {121..130}; do stored many "S$i" day 1; done
} >failures.ndjson
ts-status -q <failures.ndjson >out 2>err
redis --raw lrange tickstock.jobs.failed:many 0 -1 >list
grep '"failed"' failures.ndjson | cmp -s - list
ok $? "the list holds every failed task as it was told"
[ "$(redis ttl tickstock.jobs.failed:many)" -gt 86380 ]
ok $? "and lives as long as the hash"
is "$(ts-expand -f <list 2>/dev/null | grep -c '"task"')" 120 "ts-expand -f makes tasks of it"
submitted many
{ header many 1 1; stored many S1 day 1; } | ts-status -q >out 2>err
is "$(redis exists tickstock.jobs.failed:many)/$(hash many status)" 0/completed "the next job of the same id begins without it"

# More jobs than can be pending.
{ for i in {1..10001}; do echo "{\"type\":\"job\",\"job_id\":\"p$i\",\"symbols\":1,\"tasks\":1}"; done; } | ts-status -q >out 2>err
is "$(hash p10001 status)/$(hash p10001 message)" 'failed/too many jobs at once: publish it again later' \
	"a job that is one too many is failed, by name"
is "$(jq -r 'select(.job_id == "p10001").status' out)/$(hash p10000 status)" failed/failed "and done"
# A verdict without a job makes no card that runs.
open
stored orphan AAPL day 1 >&"$in"
header known 1 1 >&"$in"
wait_for 5 hash_is known status running
is "$(redis exists "$(key orphan)")" 0 "a verdict without its job makes no hash that runs"
shut
is "$(hash orphan status)" completed "it is told when its input ends"

# Those from the beginning.
# Unless it has given up meanwhile.
kill -TERM "$gone" 2>/dev/null
wait_for 8 test -s gone.code
is "$(cat gone.code)/$(jq -r .status gone.out)" 111/completed_with_errors \
	"a final state that cannot be written is exit 111; done is written still"
is "$(grep -c 'cannot connect' gone.err)/$(grep -c 'could not be written' gone.err)" 1/1 "both are logged once"
beats() {
	[ "$(alone exists tickstockpl:heartbeat)" -eq 1 ]
}
wait_for 12 beats
ok $? "the heartbeat goes on"
from=$(date -d "$(alone hget "$(key pulse)" started_at)" +%s)
[ $(($(date -d "$(alone hget "$(key pulse)" timestamp)" +%s) - from)) -ge 5 ]
ok $? "a running job is written every 5 seconds"
is "$(stale hget "$(key dead)" status)" failed "a heartbeat that nobody renews holds up nothing for long"
exec {stale_in}>&-
exec {pulse_in}>&-
wait "$pulse"
is "$?/$(jq -r .status pulse.out)/$(alone hget "$(key pulse)" status)" 1/failed/failed "a job without any verdict is failed at the end of input"
done_testing
