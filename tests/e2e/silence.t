#!/usr/bin/env bash
# Servers that take a connection and then say nothing: at its beginning, in mid-statement, at its end; and
# connections whose other end is gone without a word. Every wait has a deadline, the trouble is told once
# and its end once, and nothing is lost or doubled. A relay between the commands and their servers does
# it, over TCP; the commands are copies whose deadlines are seconds.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PATH=$build/stop/impatient/obj:$PATH
pg_start || exit 1
redis_start --loglevel warning || exit 1
ts-store -i </dev/null 2>store.log || exit 1

# relay SOCKET: a relay to it; sets port and the descriptor relay. Its answers are in relay.out.
relay() {
	rm -f relay.port relay.in
	mkfifo relay.in
	perl "$here/../relay.pl" relay.port "$1" <relay.in >>relay.out &
	started+=($!)
	exec {relay}>relay.in
	wait_for 5 test -s relay.port
	port=$(cat relay.port)
}
relay_end() {
	exec {relay}>&-
}
# wire COMMAND...: told to the relay, and done.
wire() {
	: >relay.out
	echo "$*" >&"$relay"
	wait_for 5 grep -qxF "$*" relay.out
}
# told NAME GONE BACK: each of these lines stands in err once.
told() {
	is "$(grep -Ec "$2" err)/$(grep -Ec "$3" err)" 1/1 "$1: told once when it goes, once when it is back"
}

# ---- ts-store and Postgres

# bars SYMBOL COUNT: so many bars, and their fetched record.
bars() {
	jq -nrc --arg s "$1" --argjson n "$2" '(range($n) | {type: "bar", symbol: $s, timeframe: "1min",
		timestamp: (1766413800 + 60 * . | todate), open: 1.5, high: 2.5, low: 1.25, close: 2, volume: .}),
		{type: "fetched", job_id: "j", symbol: $s, timeframe: "1min", from: "f", to: "t", bars: $n}'
}
gone='warning: Postgres: '
back='Postgres is back after'
# store [OPTION...]: ts-store by the relay, its input in the descriptor feed.
store() {
	rm -f feed.in
	mkfifo feed.in
	DATABASE_URL="postgresql://postgres@127.0.0.1:$port/postgres" ts-store "$@" <feed.in >out 2>err &
	store=$!
	started+=("$store")
	exec {feed}>feed.in
}
# stored NAME SYMBOLS COUNT: it ends well, with a verdict on each, and each bar stands there once.
stored() {
	exec {feed}>&-
	wait_for 30 ended "$store" || kill -KILL "$store"
	wait "$store"
	is "$?/$(jq -r 'select(.type != "waiting" and .bars == .inserted + .unchanged) | "\(.type) \(.bars)"' out | sort | uniq -c | xargs)" \
		"0/$2 stored $3" "$1: every task has its verdict"
	is "$(sql 'SELECT count(*), count(DISTINCT symbol) FROM ohlcv_1min')" "$(($2 * $3))|$2" "$1: every bar is there"
	told "$1" "$gone" "$back"
	sql "SET lock_timeout = '5s'; TRUNCATE ohlcv_1min"
}
verdicts() {
	[ "$(wc -l <out)" -eq "$1" ]
}

relay "$tmp/pg/.s.PGSQL.5432"
name="Postgres does not answer a connection"
wire freeze
store
bars A 100 >&"$feed"
wait_for 5 logged "$gone"'the server does not answer'
ok $? "$name: that has a deadline"
sleep 2
wire thaw
stored "$name" 1 100

# What the server has of a COPY that never ends keeps its locks, unless somebody ends it. It takes in
# rows by the thousand, here of some 60 bytes.
name="Postgres is silent in mid-COPY"
store -b 5000
bars A 4000 >&"$feed"
wait_for 5 verdicts 1
wire freeze-past 130000
bars B 4000 >&"$feed"
wait_for 5 grep -q frozen relay.out
# Where the second connection met the frozen server already, these wait for the first.
bars C 4000 >&"$feed" &
started+=($!)
wait_for 6 logged "$gone"'the server gives no sign of life'
ok $? "$name: that has a deadline"
# Who is to end it is not answered at first, and does not forget.
: >relay.out
printf '%s\n' abandon 'freeze-at pg_terminate_backend' >&"$relay"
wait_for 5 grep -q frozen relay.out
wire abandon
stored "$name" 3 4000

name="Postgres is silent after COMMIT"
store
bars A 10 >&"$feed"
wait_for 5 verdicts 1
wire freeze-after COMMIT
bars B 10 >&"$feed"
wait_for 6 logged "$gone"'the server gives no sign of life'
ok $? "$name: that has a deadline"
wire abandon
bars C 10 >&"$feed"
stored "$name" 3 10

name="the other end is gone while nothing is to do"
store
bars A 10 >&"$feed"
wait_for 5 verdicts 1
wire abandon
bars B 10 >&"$feed"
stored "$name" 2 10

relay_end

# ---- ts-listen, ts-status and Redis

jobs=tickstock.jobs.data_load
listen() {
	: >err
	REDIS_URL=redis://127.0.0.1:$port ts-listen >out 2>err &
	listen=$!
	started+=("$listen")
}
listen_end() {
	kill -TERM "$listen"
	wait "$listen"
}
# say ID: published past the relay.
say() {
	redis publish $jobs "{\"job_id\":\"$1\",\"symbols\":[]}" >/dev/null
}
# heard NAME LINES: jobs by id, and gaps, in the order in which they came.
heard() {
	is "$(jq -r '.job_id // .type' out | xargs)" "$2" "$1: $2"
}

relay "$tmp/redis.sock"
name="Redis does not answer a connection"
wire freeze
listen
wait_for 5 logged 'warning: cannot connect to Redis: no connection'
ok $? "ts-listen: $name: that has a deadline"
sleep 1.5
wire thaw
wait_for 10 logged 'listening on'
say 1
wait_for 5 lines_are 2
heard "ts-listen: $name" "gap 1"
told "ts-listen: $name" 'warning: cannot connect' 'listening on'

name="Redis is silent and speaks again"
: >err
wire freeze
say 2
wait_for 5 logged 'Redis does not answer'
ok $? "ts-listen: $name: that has a deadline"
sleep 2.5
say 3
wire thaw
wait_for 5 logged 'Redis answers again on the same connection'
say 4
wait_for 5 lines_are 5
heard "ts-listen: $name" "gap 1 2 3 4"
told "ts-listen: $name" 'warning: ' 'Redis answers again'

name="the other end is gone"
: >err
wire abandon
say lost
from=$(date +%s)
wait_for 5 logged 'Redis does not answer'
ok $? "ts-listen: $name: that has a deadline"
wait_for 5 logged 'listening on'
say 5
wait_for 5 lines_are 7
heard "ts-listen: $name" "gap 1 2 3 4 gap 5"
told "ts-listen: $name" 'Redis does not answer' 'warning: gap '
[ "$(date -d "$(jq -r 'select(.type == "gap").from' out | tail -n 1)" +%s)" -le "$from" ] &&
	[ "$(date -d "$(jq -r 'select(.type == "gap").to' out | tail -n 1)" +%s)" -ge "$from" ]
ok $? "ts-listen: $name: the gap spans what was lost"

name="the server ends while it is silent"
: >err
wire freeze
wait_for 5 logged 'Redis does not answer'
kill -TERM "$redis_pid"
wait "$redis_pid" 2>/dev/null
redis_start --loglevel warning
wire thaw
wait_for 10 logged 'listening on'
say 6
wait_for 5 lines_are 9
heard "ts-listen: $name" "gap 1 2 3 4 gap 5 gap 6"
told "ts-listen: $name" 'warning: .*Redis' 'listening on'
listen_end
is $? 0 "ts-listen: told to stop, it exits 0"

# What is read late was sent when its request was. The answer to a PING waits in the wire, the server hangs up,
# and then comes a job: the gap begins before that. This one has its usual patience.
name="the answer to a PING is read late"
REDIS_URL=redis://127.0.0.1:$port "$build/ts-listen" >late.out 2>late.err &
listen=$!
started+=("$listen")
wait_for 10 grep -q 'listening on' late.err
wire freeze-after PING
wait_for 8 grep -q frozen relay.out
redis client kill type pubsub >/dev/null
say lost
from=$(date +%s)
sleep 1.2
wire thaw
wait_for 10 grep -q '"gap"' late.out
[ "$(date -d "$(jq -r .from late.out)" +%s)" -le "$from" ]
ok $? "ts-listen: $name: the gap begins before what was lost"
is "$(grep -c 'does not answer' late.err)" 0 "ts-listen: $name: that was no silence"
listen_end

# verdict N...: tasks of the job that are stored.
verdict() {
	local n
	for n in "$@"; do
		printf '{"type":"stored","job_id":"j","symbol":"S%s","timeframe":"day","from":"f","to":"t","bars":2,"inserted":2,"updated":0,"unchanged":0,"rejected":0}\n' "$n"
	done
}
# status: ts-status with a job of nine tasks, of which one is done.
status() {
	rm -f feed.in
	mkfifo feed.in
	redis flushall >/dev/null
	REDIS_URL=redis://127.0.0.1:$port ts-status <feed.in >out 2>err &
	status=$!
	started+=("$status")
	exec {feed}>feed.in
	printf '{"type":"job","job_id":"j","source":"t","symbols":9,"timeframes":["day"],"tasks":9,"received_at":"2025-12-16T17:00:30Z"}\n' >&"$feed"
	verdict 1 >&"$feed"
}
# counted NAME: the rest is done, and all of it is counted once.
counted() {
	verdict 6 7 8 9 >&"$feed"
	exec {feed}>&-
	wait_for 15 ended "$status" || kill -KILL "$status"
	wait "$status"
	is "$?/$(hash j status)/$(hash j stored_tasks)/$(hash j bars_loaded)/$(grep -c '"done"' out)" 0/completed/9/18/1 \
		"ts-status: $1: every verdict is counted once"
	told "ts-status: $1" 'warning: ' 'Redis is (back|there now)'
}
name="Redis does not answer a connection"
wire freeze
status
wait_for 5 logged 'warning: cannot connect to Redis: no connection'
ok $? "ts-status: $name: that has a deadline"
sleep 1.5
verdict 2 3 4 5 >&"$feed"
wire thaw
counted "$name"

for way in thaw abandon; do
	name="Redis is silent, then $way"
	status
	wait_for 5 hash_is j stored_tasks 1
	wire freeze
	verdict 2 3 4 5 >&"$feed"
	wait_for 5 logged 'warning: lost Redis: no answer'
	ok $? "ts-status: $name: that has a deadline"
	sleep 1.5
	wire $way
	wait_for 10 hash_is j stored_tasks 5
	counted "$name"
done
relay_end
done_testing
