#!/usr/bin/env bash
# Nothing is lost, doubled or miscounted, wherever death strikes; and the checks that say so can fail:
# twins that break one promise each must be caught.
# TORTURE_KILLS deaths are wanted, but it ends when TORTURE_SECONDS of harm are over; TORTURE_SEED makes
# other choices, make torture those of chance; TORTURE_KEEP names a folder for what a bad round leaves.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/torture.sh
. "$here/torture.sh"

most=${TORTURE_KILLS:-60}
seed=${TORTURE_SEED:-7}
seconds=${TORTURE_SECONDS:-$((most <= 60 ? 90 : 2 * most))}
# Where make check shows it.
echo "TORTURE_SEED=$seed TORTURE_KILLS=$most, at most $seconds s" >&2
RANDOM=$seed

bin=$build/stop/obj
pg_start || exit 1
DATABASE_URL="postgresql://postgres:$secret_pg@/postgres?host=$tmp/pg"
torture_redis || exit 1
ts-store -i </dev/null 2>store.log || exit 1
# What is told stored is on the disk whatever the role is set to: the server is stopped at once below.
sql "ALTER ROLE postgres SET synchronous_commit = off" || exit 1
export TS_STATUS_FLAGS=-q TS_FETCH_FLAGS='-j 4' TS_STORE_FLAGS='-R rejects' MASSIVE_API_KEY=$secret_key
# Core files are wanted, where the stages run: they must not hold a secret. Elsewhere nobody looks.
ulimit -c unlimited 2>/dev/null
pattern=$(cat /proc/sys/kernel/core_pattern 2>/dev/null)
[[ $pattern == core* ]] || echo "# core files are not looked at: they go to $pattern"

torture_undisturbed || { tail torture.log >&2; exit 1; }
is "$(jq -s 'map(.total_tasks | tonumber) | add' want.counts)/$(jq -s 'map(.stored_tasks | tonumber) | min > 0' want.counts)" \
	468/true "an undisturbed run to compare with"

# rounds KILLS SECONDS WHAT: rounds of torture until there were so many deaths.
rounds() {
	local until=$((kills + $1)) n=0 bad=0 end=$((SECONDS + $2))
	while [ $n -eq 0 ] || { [ "$kills" -lt $until ] && [ $SECONDS -lt $end ]; } ||
		{ [ "$planned" -eq 1 ] && [ $SECONDS -lt $((end + 120)) ]; }; do
		n=$((n + 1))
		torture_round $until $((end - SECONDS)) && continue
		bad=$((bad + 1))
		sed 's/^/# /' problems | cut -c 1-500 | sort | uniq -c | head -n 30 >&2
		[ -z "${TORTURE_KEEP-}" ] || cp -r "$tmp" "$TORTURE_KEEP"
	done
	is $bad 0 "$3: $n rounds, as if nothing had happened (TORTURE_SEED=$seed)"
	echo "$kills deaths, $lives lives, $cores core files, $SECONDS s" >&2
}

rounds $((most * 2 / 3)) $((seconds * 2 / 3)) "stages killed"
is "$planned" 0 "each stop point was died at"
servers=1
rounds $((most - most * 2 / 3)) $((seconds - seconds * 2 / 3)) "stages killed, Postgres and Redis restarted"
servers=

# The order in which a job is kept. TWIN: "." is the command as it is.
kept_in_order() {
	rm -rf spool trace
	TS_STOP_TRACE=$tmp/trace start "$build/stop/$1/obj/ts-listen" -s spool >listen.out 2>listen.log
	wait_for 10 grep -q 'listening on' listen.log
	redis -x publish $channel <job.t1 >/dev/null
	wait_for 10 test -s listen.out
	kill "$!"
	wait "$!"
	tr '\n' ';' <trace | tr -s ' ' | grep -q '^write file ;fsync file ;rename folder t1[^;]*job;fsync folder ;write [a-z]* out;'
}
kept_in_order .
ok $? "a job is written, synced, named, its name synced, and then passed on"
for twin in spool-unsynced spool-unnamed listen-early; do
	! kept_in_order $twin
	ok $? "and $twin is caught"
done

# The end of a job stands in Redis before the job is forgotten: it dies as it forgets.
dies_forgetting() {
	bin=$build/stop/$1/obj
	torture_begin
	torture_serve after-unlink:1
	wait_for 20 torture_heard
	torture_publish t4
	wait_for 20 ended "$service_pid"
	wait "$service_pid"
	[[ $(hash t4 status) =~ ^completed ]]
}
dies_forgetting .
ok $? "a job is forgotten when its end stands in Redis"
! dies_forgetting status-removes
ok $? "and status-removes is caught"

all_begun() {
	[ "$(torture_stages | wc -l)" -eq 5 ]
}
# crashes NAME...: stages that crash at work, when all have begun; the others are killed.
crashes() {
	local pid pids crash=() other=()
	bin=$build/stop/obj
	torture_begin
	torture_serve
	wait_for 20 all_begun
	mapfile -t pids < <(torture_stages)
	for pid in "${pids[@]}"; do
		if [[ " $* " == *" $(cat "/proc/$pid/comm") "* ]]; then
			wait_for 5 torture_coreless "$pid"
			crash+=("$pid")
		else
			other+=("$pid")
		fi
	done
	# At once, not one because of another.
	kill -STOP "${pids[@]}"
	kill -ABRT "${crash[@]}"
	[ ${#other[@]} -eq 0 ] || kill -KILL "${other[@]}"
	kill -CONT "${crash[@]}" 2>/dev/null
	wait "$service_pid"
	compgen -G 'core*' >left.now
	torture_search
	[ ! -s problems ] && [ ${#crash[@]} -eq $# ]
}
crashes ts-listen ts-expand ts-fetch ts-store ts-status && [ ! -s left.now ]
ok $? "no stage leaves a core file"

# dies_when MILLISECONDS JOB CONDITION...: with all stages, when that holds of the job; replies take so long.
dies_when() {
	local pids
	torture_begin "$1"
	torture_serve
	wait_for 20 torture_heard
	torture_publish "$2"
	wait_for 30 "${@:3}" "$2"
	mapfile -t pids < <(torture_stages)
	torture_kill_all "${pids[@]}"
	wait "$service_pid"
}

# Verdicts that are told are noted.
half_told() {
	torture_look && [ "${told[$1]}" -ge 20 ]
}
notes_what_it_tells() {
	bin=$build/stop/$1/obj
	dies_when 100 t3 half_told
	torture_inspect
	[ -n "${seen[t3]-}" ] && ! grep -q 'verdicts are told, but' problems
}
notes_what_it_tells .
ok $? "what is told is noted"
! notes_what_it_tells status-forgets
ok $? "and status-forgets is caught"

# cancelled_after TWIN STOP: a job whose cancel was heard comes to that, wherever all die then.
dying() {
	[ "$(torture_stages | wc -l)" -lt 5 ]
}
cancelled() {
	[ "$(hash t3 status)" = cancelled ] && ! compgen -G 'spool/t3.*'
}
cancelled_after() {
	local pids
	bin=$build/stop/$1/obj
	torture_begin 200
	torture_serve "$2:1"
	wait_for 20 all_begun
	wait_for 20 torture_heard
	torture_publish t3
	wait_for 30 half_told t3
	redis publish tickstock.jobs.control '{"job_id":"t3","action":"cancel"}' >/dev/null
	wait_for 20 dying
	mapfile -t pids < <(torture_stages)
	torture_kill_all "${pids[@]}"
	wait "$service_pid"
	torture_inspect
	torture_serve
	within "${3:-20}" cancelled
	code=$?
	mapfile -t pids < <(torture_stages)
	torture_kill_all "${pids[@]}"
	wait "$service_pid"
	[ $code -eq 0 ] && [ ! -s problems ]
}
cancelled_after . listen-cancelled
ok $? "a cancel outlives ts-listen"
cancelled_after . status-cancelled
ok $? "a cancel outlives ts-status"
! cancelled_after cancel-removes status-cancelled 1
ok $? "and cancel-removes is caught"

# Bars that are told as loaded are committed. All tasks of this job have some, also the last.
torture_job t4 | jq -c '.job_id = "t0" | .symbols |= .[:3]' >job.t0
commits_what_it_tells() {
	bin=$build/stop/$1/obj
	dies_when 15 t0 over
	torture_dump | grep '|D[0-9]' >got.dump
	grep '|D[0-9]' want.dump | cmp -s - got.dump
}
commits_what_it_tells .
ok $? "what is told as loaded is committed"
! commits_what_it_tells store-early
ok $? "and store-early is caught"
done_testing
