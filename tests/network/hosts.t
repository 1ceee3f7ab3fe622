#!/usr/bin/env bash
# A rate that two and four hosts share: in no window, wherever it begins, are there more requests than it says.
# Meanwhile a host whose command hangs; then a large job, and a host that stops while Postgres does not answer.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

redis_start --loglevel warning || exit 1
task='{"type":"task","job_id":"hang","symbol":"A","timeframe":"day","from":"2025-12-15","to":"2025-12-16"}'
ts-share <<<"$task" >verdict 2>share.err &
share=$!
started+=("$share")
ts-work -w 1 'cat >/dev/null' 2>work.err &
work=$!
started+=("$work")
# most LOG MS: the most requests that a window of so many ms has; the log's first column is in ms.
most() {
	sort -n "$1" | awk -v w="$2" '{at[NR] = $1; while (at[NR] - at[first + 1] >= w) first++; if (NR - first > most) most = NR - first} END {print most + 0}'
}
# shared NAME HOSTS RATE TASKS: so many hosts with so many tasks each, with a simulator of their own.
shared() {
	local name=$1 hosts=$2 rate=$3 tasks=$4 h
	sim_start -N 2025-12-16T17:00:30Z -l "$tmp/$name.log" || exit 1
	for ((h = 1; h <= hosts; h++)); do
		for ((i = 1; i <= tasks; i++)); do
			echo "{\"type\":\"task\",\"job_id\":\"j\",\"symbol\":\"H${h}S$i\",\"timeframe\":\"day\",\"from\":\"2025-12-15\",\"to\":\"2025-12-16\"}"
		done >"$name$h.in"
		ts-fetch -r "$rate@$name" <"$name$h.in" >"$name$h.out" 2>"$name$h.err" &
		started+=($!)
		pids+=($!)
	done
}
pids=()
shared slow2 2 5/m 30
shared slow4 4 5/m 30
slow=("${pids[@]}")
pids=()
shared fast2 2 20/s 200
shared fast4 4 20/s 100
for pid in "${pids[@]}"; do
	wait "$pid" || bad=1
done
ok "${bad-0}" "the hosts of the fast rates end well"
for n in 2 4; do
	is "$(wc -l <fast$n.log)" 400 "$n hosts at 20/s: each task is one request"
	[ "$(most fast$n.log 1000)" -le 20 ]
	ok $? "$n hosts at 20/s: $(most fast$n.log 1000) requests in the busiest second"
done
# The seventh of 5 a minute comes after 72 s.
seven() {
	[ "$(wc -l <slow2.log)" -ge 7 ] && [ "$(wc -l <slow4.log)" -ge 7 ]
}
wait_for 120 seven
ok $? "the slow rates go on"
for n in 2 4; do
	[ "$(most slow$n.log 60000)" -le 5 ]
	ok $? "$n hosts at 5/m: $(most slow$n.log 60000) requests in the busiest minute"
	[ "$(cut -d ' ' -f 2- slow$n.log | grep -o 'H[0-9]*S' | sort -u | wc -l)" -ge 2 ]
	ok $? "$n hosts at 5/m: more than one of them has its turn"
done
kill -TERM "${slow[@]}" 2>/dev/null
wait "${slow[@]}"
wait_for 90 ended $work
wait $work
like "$?/$(xargs -d '\n' <work.err)" '^111/.*error: no verdict for 1 minutes: the command hangs' "a command that gives no verdict for a minute is stopped, with -w 1"
is "$(redis --raw xpending "$(redis --raw keys 'tickstock.share:*:tasks')" work - + 1 | sed -n 4p)" 1 "that it had the task counts as a try"
start ts-work 'sed -u "s/\"task\"/\"stored\"/; s/}\$/,\"bars\":1}/"' 2>/dev/null
wait $share
is "$?/$(wc -l <verdict)" 0/1 "and another host does it, at once"
# A job of 50,000 tasks, of an identifier, a range and counts as they are: all of its verdicts are there in the end.
memory() {
	redis info memory | tr -d '\r' | sed -n "s/^$1://p"
}
redis flushall >/dev/null
redis config resetstat >/dev/null
id=3f2b8c1e-5d7a-4e60-9b1f-0c2d4e6f8a90
before=$(memory used_memory)
seq 50000 | sed "s/.*/{\"type\":\"task\",\"job_id\":\"$id\",\"symbol\":\"S&\",\"timeframe\":\"hour\",\"from\":\"2024-12-16T09:00:00Z\",\"to\":\"2025-12-16T17:00:00Z\"}/" >large.in
counts='\"bars\":1743,\"first\":\"2024-12-16T14:00:00Z\",\"last\":\"2025-12-16T16:00:00Z\",\"inserted\":1743,\"updated\":0,\"unchanged\":0,\"rejected\":0,\"bytes\":60532'
start ts-work -j 64 "sed -u 's/\"task\"/\"stored\"/; s/}\$/,${counts//\\/}}/'" 2>/dev/null
ts-share <large.in >large.out 2>large.err
is "$?/$(wc -l <large.out)" 0/50000 "50,000 tasks have their verdicts"
took=$(($(memory used_memory_peak) - before))
[ $took -lt 20000000 ]
ok $? "they take $took bytes of Redis at most, less than 20 MB"
# A host whose ts-store waits for Postgres when it is told to stop: the second word ends it, and nobody need be killed.
pg_start || exit 1
ts-store -i </dev/null 2>/dev/null
sim_start -N 2025-12-16T17:00:30Z || exit 1
hold 'LOCK TABLE ohlcv_daily IN ACCESS EXCLUSIVE MODE'
ts-work 'ts-fetch | ts-store' 2>work.err &
work=$!
started+=("$work")
ts-share <<<"$task" >verdict 2>share.err &
share=$!
started+=("$share")
wait_for 10 held_up
kill -TERM $work
wait_for 30 ended $work
wait $work
is "$?/$(grep -o 'told to stop: going on to the end of input\|told again\|killed' work.err | xargs -d '\n')" \
	"0/told to stop: going on to the end of input told again" "a ts-store that waits for a lock ends at the second word"
let_go
start ts-work 'ts-fetch | ts-store' 2>/dev/null
wait $share
is "$?/$(jq 'select(.type == "stored").bars' verdict)/$(sql 'SELECT count(*) FROM ohlcv_daily')" 0/2/2 "and another host does its task"
# The measure can fail: two rates of 5/m that nobody shares.
seq 0 12 120 | sed 's/$/000/' | awk '{print; print $1 + 500}' >twice.log
is "$(most twice.log 60000)" 10 "two hosts that do not share would be seen"
done_testing
