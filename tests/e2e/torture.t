#!/usr/bin/env bash
# Nothing is lost, doubled or miscounted, wherever death strikes; and the checks that say so can fail:
# twins that break one promise each must be caught.
# TORTURE_KILLS deaths are wanted, but it ends when TORTURE_SECONDS of harm are over; TORTURE_SEED
# repeats the choices, though not the moments; TORTURE_KEEP names a folder for what a bad round leaves.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/torture.sh
. "$here/torture.sh"

most=${TORTURE_KILLS:-60}
seed=${TORTURE_SEED:-$((SRANDOM % 32768))}
seconds=${TORTURE_SECONDS:-$((most <= 60 ? 40 : 2 * most))}
echo "# TORTURE_SEED=$seed TORTURE_KILLS=$most, at most $seconds s"
RANDOM=$seed

bin=$build/stop/obj
pg_start || exit 1
DATABASE_URL="postgresql://postgres:$secret_pg@/postgres?host=$tmp/pg"
torture_redis || exit 1
ts-store -i </dev/null 2>store.log || exit 1
export TS_STATUS_FLAGS=-q TS_FETCH_FLAGS='-j 4' MASSIVE_API_KEY=$secret_key
ulimit -c unlimited 2>/dev/null

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
		sed 's/^/# /' problems | cut -c 1-500
		[ -z "${TORTURE_KEEP-}" ] || cp -r "$tmp" "$TORTURE_KEEP"
	done
	is $bad 0 "$3: $n rounds, as if nothing had happened"
	echo "# $kills deaths, $lives lives, $SECONDS s"
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

# caught TWIN REGEX: the torture finds it.
caught() {
	bin=$build/stop/$1/obj
	planned=0
	for _ in 1 2 3; do
		torture_round $((kills + 6)) 20
		grep -Eq "$2" problems && break
	done
	like "$(cat problems)" "$2" "$1 is caught"
}
caught status-forgets 'verdicts are told, but'
caught store-early 'other rows'
done_testing
