#!/usr/bin/env bash
# Memory and descriptors do not grow with the work. TS_MEMORY_YEARS makes the large job larger.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

now=2025-12-16T17:00:30Z
years=${TS_MEMORY_YEARS:-0.02}
many=${TS_MEMORY_JOBS:-3000}
stages="ts-listen ts-expand ts-fetch ts-store ts-status"
servers -d 0 || exit 1
export TS_SPOOL=$tmp/spool TS_STATUS_FLAGS=-q
serve || exit 1

# loaded JOB... [SECONDS]: publishes it and waits for its end.
loaded() {
	publish "$(job "$@")"
	wait_for $((60 + ${5:-0})) over "$1"
}
# The most memory that a stage ever had, in kB; how many descriptors it has open.
peak() {
	awk '/VmHWM/ {print $2}' "/proc/$(pgrep -P "$service_pid" -x "$1")/status"
}
descriptors() {
	find "/proc/$(pgrep -P "$service_pid" -x "$1")/fd" -mindepth 1 | wc -l
}
declare -A before filled open
note() {
	# shellcheck disable=SC2178 # an array of the name given
	local -n into=$1
	local name
	for name in $stages; do
		# shellcheck disable=SC2034 # see above
		into["$name"]=$($2 "$name")
	done
}
# flat STAGE WAS WHAT: its peak is now less than 25 % above WAS.
flat() {
	local is
	is=$(peak "$1")
	[ $((is * 100)) -lt $(($2 * 125)) ]
	ok $? "$1: $3: $2 kB, then $is kB"
}

loaded small '["AAPL"]' '["1min"]' 0.003
is "$(hash small status)" completed "1 symbol, 1 day"
note before peak
# One that fills the page of each transfer.
loaded filling "$(jq -nc '[range(50) | "F\(.)"]')" '["1min","hour","day","week","month"]' "$years" 1800
note filled peak
note open descriptors

loaded large "$(jq -nc '[range(500) | "S\(.)"]')" '["1min","hour","day","week","month"]' "$years" 1800
is "$(hash large status)/$(hash large stored_tasks)" completed/2500 "500 symbols x 5, $years years"
bars=$(hash large bars_loaded)
[ "$bars" -gt 1000000 ]
ok $? "$bars bars"
for name in ts-listen ts-expand ts-store ts-status; do
	flat $name "${before[$name]}" "one day of a symbol, and all that"
	[ "$(peak $name)" -lt $((16 * 1024)) ]
	ok $? "$name: below 16 MB"
done
flat ts-fetch "${filled[ts-fetch]}" "a full page a transfer, and all that"
[ "$(peak ts-fetch)" -lt $((64 * 1024)) ]
ok $? "ts-fetch: below 64 MB"

# Many small jobs: nothing is left open behind them, and nothing remembered.
# shellcheck disable=SC2317 # by wait_for
done_jobs() {
	[ "$(grep -c '"type":"done","job_id":"many' pipeline.out)" -ge "$1" ]
}
many_jobs() {
	local i=$1
	for ((; i < $2; i++)); do
		printf "publish tickstock.jobs.data_load '{\"job_id\":\"many %d\",\"symbols\":[\"AAPL\",\"NONE1\"],\"timeframes\":[\"day\"],\"years\":0.003,\"received_at\":\"%s\"}'\n" \
			"$i" "$now"
	done | redis >/dev/null
	wait_for 900 done_jobs "$2"
}
many_jobs 0 $((many / 2))
note filled peak
many_jobs $((many / 2)) "$many"
is "$(grep -c '"type":"done","job_id":"many' pipeline.out)" "$many" "$many small jobs are done"
for name in $stages; do
	[ "$(descriptors "$name")" -le "${open[$name]}" ]
	ok $? "$name: no descriptor is left open"
	[ "$name" = ts-status ] ||
		flat "$name" "${filled[$name]}" "half of the small jobs, and all of them"
done
# It looks at the hash of a job again for some seconds after its end, and keeps the last state of a thousand
# jobs for an hour, for a server that comes back without it. Alone it takes 4 MB.
[ "$(peak ts-status)" -lt $((4096 + 3 * many)) ]
ok $? "ts-status: $(peak ts-status) kB with all small jobs at hand, below 3 kB each"
serve_end
is $? 0 "told to stop, it exits 0"
done_testing
