#!/usr/bin/env bash
# Three hosts and a head under restart, while hosts, their stages, stages of the head and Redis are killed at random.
# Each round publishes jobs, does harm until they are over, and compares tables and counts with those of an
# undisturbed run on one host; at the end no key of theirs is left.
# usage: share-torture.sh   TORTURE_KILLS=300 TORTURE_SEED=n TORTURE_KEEP=folder for what is left of a failure
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/e2e/lib.sh"

kills_wanted=${TORTURE_KILLS:-300}
RANDOM=${TORTURE_SEED:-1}
now=2025-12-16T17:00:30Z
export TS_SPOOL=$tmp/spool TS_STATUS_FLAGS='' TS_FETCH_FLAGS=''

# shellcheck disable=SC2119
pg_start || exit 1
redis_start --appendonly yes --dir "$tmp" --loglevel warning || exit 1
ts-store -i </dev/null 2>store.log || exit 1
sim_start -N "$now" -d 300 -f <(printf 'A3 minute badrow=hl\nB2 day 404\nC1 week 429retry=1 =1\n') || exit 1
tables="ohlcv_1min ohlcv_hourly ohlcv_daily ohlcv_weekly ohlcv_monthly"
jobs="j1 j2 j3"

job() {
	local letter n
	case $1 in j1) letter=A n=14 ;; j2) letter=B n=10 ;; *) letter=C n=4 ;; esac
	jq -nc --arg id "$1" --arg l "$letter" --arg now "$now" --argjson n $n '{job_id: $id, source: "torture",
		symbols: ([range($n) | $l + "\(.)"] + ["NONE" + $l, "B AD" + $l]),
		timeframes: ["1min", "hour", "day", "week", "month"], years: 0.02, received_at: $now}'
}
dump() {
	local t key id
	for t in $tables; do
		key="date"
		[[ $t =~ min|hour ]] && key=timestamp
		sql "SELECT '$t', symbol, $key, open, high, low, close, volume FROM $t ORDER BY symbol COLLATE \"C\", $key"
	done
	for id in $jobs; do
		redis --raw hmget "tickstock.jobs.status:$id" status total_tasks stored_tasks failed_tasks empty_tasks bars_loaded |
			paste -s -d ' '
	done
}
clear() {
	sql "TRUNCATE ${tables// /, }"
	for id in $jobs; do
		redis del "tickstock.jobs.status:$id" "tickstock.jobs.failed:$id" >/dev/null
	done
}
all_over() {
	local id
	for id in $jobs; do
		over "$id" || return 1
	done
}
publish_all() {
	local id
	for id in $jobs; do
		publish "$(job "$id")"
	done
}
left() {
	redis --raw keys 'tickstock.share*' | while read -r key; do
		[ -z "$key" ] || [ "$(redis ttl "$key")" -ne -1 ] || echo "$key"
	done
}

nothing_left() {
	[ -z "$(left)" ]
}

# A job that stands in the spool is one that goes on: published again it would be dropped.
none_kept() {
	! compgen -G "$TS_SPOOL/*.job"
}

# Supervisors: whatever dies is started again. The pid of what runs is in NAME.pid.
keep() {
	local name=$1
	shift
	while [ -e running ]; do
		setsid "$@" >>"$name.out" 2>>"$name.log" &
		echo $! >"$name.pid"
		wait $!
		sleep 0.1
	done
}
redis_again() {
	keep redis redis-server --port 0 --unixsocket "$tmp/redis.sock" --save '' --appendonly yes --dir "$tmp" --loglevel warning
}
# All that may be killed, a pid a line: hosts and their stages, stages of the head, Redis.
victims() {
	local n
	for n in 1 2 3; do
		cat "host$n.pid"
		pgrep -P "$(cat "host$n.pid")" | while read -r group; do pgrep -g "$group"; done
	done
	pgrep -P "$(cat head.pid)"
	cat redis.pid
}
finish_torture() {
	local n
	rm -f running
	for n in host1 host2 host3 head redis; do
		[ ! -e "$n.pid" ] || kill -TERM "$(cat "$n.pid")" 2>/dev/null
	done
	sleep 1
}

serve
publish_all
wait_for 60 all_over || exit 1
serve_end
dump >want
is "$(grep -c '^completed' want)" 3 "an undisturbed run of one host ends well"
clear

stop_redis() {
	redis shutdown nosave 2>/dev/null
	wait_for 5 ended "$redis_pid"
}
stop_redis
: >running
trap 'finish_torture; finish' EXIT
redis_again &
wait_for 10 redis ping
for n in 1 2 3; do
	mkdir -p "host$n"
	keep "host$n" ts-work -j 4 -l 2 -p 50 "cd $tmp/host$n && ts-fetch -j 4 | ts-store" &
done
TS_SHARE=1 keep head "$top/pipeline.sh" &

killed=0
rounds=0
listening() {
	[ "$(redis pubsub numsub tickstock.jobs.data_load | sed -n 2p)" = 1 ]
}
while [ $killed -lt "$kills_wanted" ]; do
	rounds=$((rounds + 1))
	wait_for 20 listening || break
	publish_all
	began=$SECONDS
	until all_over 2>/dev/null; do
		if [ $((SECONDS - began)) -gt $((60 * patience)) ]; then
			echo "# round $rounds is not over"
			break 2
		fi
		# A while without harm at the end, so that a round ends.
		if [ $((SECONDS - began)) -lt 20 ]; then
			victims 2>/dev/null >pids
			n=$(wc -l <pids)
			[ "$n" -eq 0 ] || {
				pid=$(sed -n "$((RANDOM % n + 1))p" pids)
				kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
			}
		fi
		sleep "0.$((RANDOM % 5 + 1))"
	done
	wait_for 20 redis ping
	dump >got
	if ! cmp -s got want; then
		diff want got | grep '^[0-9]' | sed 's/^/# /'
		diff want got | grep -v ohlcv_1min | head -n 20 | sed 's/^/# /'
		[ -z "${TORTURE_KEEP-}" ] || cp -r "$tmp" "$TORTURE_KEEP"
		break
	fi
	wait_for 20 none_kept || break
	wait_for 20 nothing_left || { left | sed 's/^/# left: /'; break; }
	clear
done
cmp -s got want
ok $? "after $rounds rounds and $killed deaths tables and counts are those of an undisturbed run"
[ $killed -ge "$kills_wanted" ]
ok $? "and as many died as wanted"
is "$(left)" "" "no key is left that does not vanish by itself"
done_testing
