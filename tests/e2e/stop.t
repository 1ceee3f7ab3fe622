#!/usr/bin/env bash
# Signals at random moments, to the script and to the stages in every order: all end in time, and the
# next start does the rest. TORTURE_SEED makes other moments and orders.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The lines of start and end are told, as in a service.
export TS_SERVICE=1

now=2025-12-16T17:00:30Z
seed=${TORTURE_SEED:-7}
echo "# TORTURE_SEED=$seed"
RANDOM=$seed
servers -d 20 || exit 1
export TS_SPOOL=$tmp/spool TS_EXPAND_FLAGS=-v

# The service with signals as a terminal gives them: bash would have SIGINT ignored in the background.
begin() {
	: >pipeline.log
	# shellcheck disable=SC2016 # perl's
	perl -e '$SIG{$_} = "DEFAULT" for qw(INT HUP); exec @ARGV' "$top/pipeline.sh" >>pipeline.out 2>pipeline.log &
	service_pid=$!
	started[slot]=$service_pid
	wait_for 20 up
}
# Whoever is told to stop before it has said this much knows nothing of signals yet.
# shellcheck disable=SC2317 # by wait_for
up() {
	[ "$(grep -c ': start \|debug: start \|listening on' pipeline.log)" -eq 6 ]
}
slot=${#started[@]}
stage() {
	pgrep -P "$service_pid" -x "$1"
}

# ends NAME STATUSES: within 12 seconds, with one of these statuses and the stages' as documented.
ends() {
	local begun=$SECONDS code
	wait_for 12 ended "$service_pid"
	ok $? "$1: all ended after $((SECONDS - begun)) s" || pkill -KILL -P "$service_pid"
	wait "$service_pid"
	code=$?
	like "$code" "^($2)\$" "$1: exit $code"
	like "$(tail -n 1 pipeline.log)" \
		'^pipeline: end ts-listen=(0|141) ts-expand=(0|1|141) ts-fetch=(0|141|143) ts-store=[01] ts-status=[01]$' \
		"$1: so do the stages say"
	unlike "$(cat pipeline.log)" ': error: ' "$1: nothing is an error"
}
moment() {
	sleep "0.$((RANDOM % 8))$((RANDOM % 10))"
}

begin || exit 1
publish "$(jq -nc --arg now "$now" '{job_id: "stopped", source: "test", symbols: ([range(900) | "S\(.)"] + ["B AD"]),
	timeframes: ["day", "hour"], years: 0.02, received_at: $now}')"
wait_for 20 hash_is stopped status running

for signal in TERM INT HUP; do
	moment
	kill -$signal "$service_pid"
	ends "SIG$signal to the script" 0
	begin
done
for signal in TERM INT; do
	moment
	kill -$signal "$(stage ts-listen)" "$(stage ts-fetch)"
	# A background job of a shell ignores SIGINT: the terminal's goes to the script as well.
	[ $signal = TERM ] || kill -INT "$service_pid"
	ends "SIG$signal to ts-listen and ts-fetch" '0|1|141'
	begin
done
for name in ts-listen ts-fetch; do
	moment
	kill -TERM "$(stage $name)"
	ends "SIGTERM to $name alone" '0|1|141'
	begin
done
# These go on to the end of their input, and that is not yet.
for name in ts-store ts-status; do
	kill -TERM "$(stage $name)"
	moment
	[ -n "$(stage $name)" ]
	ok $? "SIGTERM to $name alone: it goes on"
	kill -TERM "$service_pid"
	ends "and then to the script" '0'
	begin
done
for i in 1 2 3 4 5; do
	mapfile -t order < <(printf '%s\n' ts-listen ts-expand ts-fetch ts-store ts-status | shuf --random-source=<(yes "$seed $i"))
	moment
	for name in "${order[@]}"; do
		pid=$(stage "$name") && kill -TERM "$pid"
		[ $((RANDOM % 2)) -eq 0 ] || sleep "0.0$((RANDOM % 10))"
	done
	ends "SIGTERM to ${order[*]}" '0|1|141'
	begin
done
# A second signal ends it at once.
moment
kill -TERM "$service_pid"
sleep 0.2
kill -TERM "$service_pid" 2>/dev/null
wait_for 5 ended "$service_pid"
ok $? "a second signal ends it at once"
wait "$service_pid"
like $? '^(0|137)$' "with its status"
begin
wait_for 60 over stopped
is "$(hash stopped status)/$(hash stopped total_tasks)/$(hash stopped stored_tasks)/$(hash stopped failed_tasks)" \
	completed_with_errors/1802/1800/2 "the starts between them did all of the job"
is "$(hash stopped bars_loaded)" "$(sql 'SELECT (SELECT count(*) FROM ohlcv_hourly) + (SELECT count(*) FROM ohlcv_daily)')" \
	"and its count of bars is that of the rows"
is "$(jq -R 'fromjson? | select(.type == "done") | .job_id' <pipeline.out)" '"stopped"' "its end is told once"
serve_end
is $? 0 "told to stop, it exits 0"
is "$(find "$TS_SPOOL" -type f ! -name '.*')" "" "the spool is empty"
is "$(sort "$sim_log" | sed 's/.* //' | sort | uniq -c | awk '$1 > 2' | wc -l)" 0 \
	"no request was made three times: what is in flight is finished"
done_testing
