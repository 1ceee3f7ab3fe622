#!/usr/bin/env bash
# shellcheck disable=SC2119 # a function that takes options is called without any
# Postgres, Redis and the API go away and come back in the middle of jobs: told once when they go and
# once when they are back, and nothing is lost or doubled. What is silent for longer than a command's
# patience is silence.t's affair.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

now=2025-12-16T17:00:30Z
port=$(free_port)
servers -d 20 -p "$port" || exit 1
export TS_SPOOL=$tmp/spool TS_STATUS_FLAGS=
serve || exit 1
mark=0
job=0

# shellcheck disable=SC2317 # by wait_for
under_way() {
	[ "$(hash "job $job" stored_tasks)" -gt 20 ]
}
# Redis forgets what is published while ts-listen is still on its way back.
# shellcheck disable=SC2317 # by wait_for
heard() {
	[ "$(redis --raw pubsub numsub tickstock.jobs.data_load | tail -n 1)" -eq 1 ]
}
# begin: a job, some of it done and the rest held up, so that what happens does not find it over; the log
# from here on is its own. What is on its way through the pipe goes on.
begin() {
	job=$((job + 1))
	wait_for 20 heard
	sim_hold 80
	mark=$(wc -l <pipeline.log)
	sql 'TRUNCATE ohlcv_daily, ohlcv_hourly'
	publish "$(jq -nc --arg id "job $job" --arg now "$now" '{job_id: $id, source: "test", symbols: ([range(120) | "S\(.)"] + ["B AD"]),
		timeframes: ["day", "hour"], years: 0.02, received_at: $now}')"
	wait_for 20 under_way
}
# said REGEX: lines of this job's log, but for its end, since two of its tasks can never be done.
said() {
	tail -n +$((mark + 1)) pipeline.log | grep -v 'ts-status: warning: job completed_with' | grep -Ec "$1"
}
# warnings: what this job's log has of them but for how it ended.
warnings() {
	tail -n +$((mark + 1)) pipeline.log | grep 'warning: ' | grep -v 'warning: job completed_with_errors '
}
# hear REGEX: waits for such a line.
# shellcheck disable=SC2317 # by wait_for
heard_of() {
	[ "$(said "$1")" -gt 0 ]
}
hear() {
	wait_for 20 heard_of "$1"
}
# message REGEX: whether the job's message in the hash is such a one.
# shellcheck disable=SC2317 # by wait_for
message() {
	hash "job $job" message | grep -Eq "$1"
}
# all NAME: every task has its verdict and every bar is there once.
all() {
	wait_for 60 over "job $job"
	is "$(hash "job $job" status)/$(hash "job $job" stored_tasks)/$(hash "job $job" failed_tasks)" \
		completed_with_errors/240/2 "$1: every task has its verdict"
	is "$(hash "job $job" bars_loaded)/$(sql 'SELECT count(*) FROM ohlcv_daily')/$(sql 'SELECT count(*) FROM ohlcv_hourly')" \
		5160/600/4560 "$1: every bar is there"
	wait_for 5 grep -q "\"type\":\"done\",\"job_id\":\"job $job\"" pipeline.out
	is "$(grep -c "\"type\":\"done\",\"job_id\":\"job $job\"" pipeline.out)" 1 "$1: its end is told once"
	unlike "$(tail -n +$((mark + 1)) pipeline.log)" ' error: ' "$1: no error"
}
# once NAME GONE BACK: each of these lines stands in the log once.
once() {
	is "$(said "$2")/$(said "$3")" 1/1 "$1: told once when it goes, once when it is back"
}
backends() {
	echo "$pg_pid"
	pgrep -P "$pg_pid"
}
pg_down() {
	kill "-$1" "$pg_pid"
	wait "$pg_pid" 2>/dev/null
}
pg_again() {
	pg_up
	wait_for 30 "$pg_bin/pg_isready" -q
}
# As the administrator, whom read-only does not bind.
admin() {
	PGOPTIONS='-c default_transaction_read_only=off' sql "$1"
}

# Postgres.
gone='ts-store: warning: Postgres: '
back='ts-store: Postgres is back'

begin
pg_down QUIT
pg_again
sim_go
all "Postgres restarts at once"
once "Postgres restarts at once" "$gone" "$back"

begin
pg_down INT
sim_go
hear "$gone"
wait_for 20 message '^Waiting until 20[0-9T:-]*Z: Postgres: .'
is $? 0 "Postgres refuses connections: the job's message says so meanwhile" || hash "job $job" message | sed 's/^/# /'
pg_again
all "Postgres refuses connections"
once "Postgres refuses connections" "$gone" "$back"

begin
mapfile -t pids < <(backends)
kill -STOP "${pids[@]}"
sim_go
sleep 2
kill -CONT "${pids[@]}"
all "Postgres hangs for a while"
is "$(said 'ts-store: warning')" 0 "Postgres hangs for a while: that is no more than a brake"

begin
admin 'ALTER SYSTEM SET default_transaction_read_only = on'
admin 'SELECT pg_reload_conf()' >/dev/null
sim_go
hear "$gone"
sleep 1
admin 'ALTER SYSTEM RESET default_transaction_read_only'
admin 'SELECT pg_reload_conf()' >/dev/null
all "Postgres is read-only"
once "Postgres is read-only" "$gone.*read-only" "$back"

mkdir "$tmp/small"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=6m,mode=777 small "$tmp/small" 2>/dev/null; then
	trap 'umount -l "$tmp/small"; finish' EXIT
	spare mkdir "$tmp/small/space"
	spare chmod 700 "$tmp/small/space"
	sql "CREATE TABLESPACE small LOCATION '$tmp/small/space'"
	sql 'ALTER TABLE ohlcv_hourly SET TABLESPACE small'
	sql 'ALTER INDEX ohlcv_hourly_pkey SET TABLESPACE small'
	begin
	head -c 100m /dev/zero >"$tmp/small/filler" 2>/dev/null
	sim_go
	hear "$gone.*No space"
	ok $? "out of disk: that is named"
	sleep 1
	rm "$tmp/small/filler"
	all "out of disk"
	once "out of disk" "$gone" "$back"
	sql 'ALTER TABLE ohlcv_hourly SET TABLESPACE pg_default'
	sql 'ALTER INDEX ohlcv_hourly_pkey SET TABLESPACE pg_default'
	sql 'DROP TABLESPACE small'
	umount "$tmp/small"
	trap finish EXIT
else
	skip "out of disk: no file system may be mounted here"
fi

# Redis, which forgets everything.
lost='ts-status: warning: lost Redis'
found='ts-status:.* Redis is back'
redis_again() {
	redis_start --loglevel warning
}
begin
kill -KILL "$redis_pid"
wait "$redis_pid" 2>/dev/null
redis_again
sim_go
all "Redis restarts without its data"
once "Redis restarts without its data" "$lost" "$found"
hear 'ts-listen: warning: gap'
is "$(said 'ts-listen: warning: lost Redis')/$(said 'ts-listen: warning: gap')" 1/1 \
	"Redis restarts without its data: ts-listen tells of the gap"

begin
kill -TERM "$redis_pid"
wait "$redis_pid" 2>/dev/null
sim_go
hear "$lost"
hear 'ts-listen: warning: lost Redis'
sleep 1
redis_again
all "Redis refuses connections"
once "Redis refuses connections" "$lost" "$found"

begin
kill -STOP "$redis_pid"
sim_go
from=$(date +%s)
sleep 2
kill -CONT "$redis_pid"
seconds=$(($(date +%s) - from))
all "Redis hangs for a while"
# Their patience is 5 seconds: a machine that lets this shell wait so long has shown another thing.
if [ "$seconds" -le 3 ]; then
	is "$(warnings)" '' "Redis hangs for a while: nobody minds"
else
	skip "Redis hung for $seconds seconds"
fi

begin
redis config set min-replicas-to-write 1 >/dev/null
sim_go
hear 'ts-status: warning: Redis refuses to write'
sleep 1
redis config set min-replicas-to-write 0 >/dev/null
all "Redis refuses writes"
once "Redis refuses writes" 'ts-status: warning: Redis refuses to write' 'ts-status:.* Redis takes writes again'

# The API.
begin
sim_stop
sleep 3
sim_start -N "$now" -d 30 -p "$port"
all "the API is down"

# The stages themselves.
for name in ts-listen ts-expand ts-fetch ts-store ts-status; do
	begin
	pid=$(pgrep -P "$service_pid" -x $name)
	kill -STOP "$pid"
	sim_go
	sleep 1
	kill -CONT "$pid"
	all "$name is stopped for a while"
	is "$(warnings)" '' "$name is stopped for a while: nobody minds"
done
serve_end
is $? 0 "told to stop, it exits 0"

# Nor is Postgres waited for then: what has no verdict is in the spool.
serve || exit 1
begin
pg_down INT
sim_go
hear "$gone"
kill -TERM "$service_pid"
wait_for 30 ended "$service_pid" || kill -TERM "$service_pid"
wait "$service_pid"
is "$?/$(grep -Eo 'ts-store: error: gave up on Postgres' pipeline.log)" "111/ts-store: error: gave up on Postgres" "told to stop while Postgres is away: it is not waited for"
pg_again
serve || exit 1
mark=0
all "Postgres is there again at the next start"
serve_end
is "$(find "$TS_SPOOL" -type f ! -name '.*')" "" "the spool is empty"
done_testing
