#!/usr/bin/env bash
# A first load killed at forty moments: whatever ts-store -j 4 has committed by then, ts-audit -m names the rest,
# and ts-fetch and ts-store bring it back, until the tables are byte for byte as those of a load that was left alone.
# shellcheck source=tests/nights/nights.sh
. "$(dirname "${BASH_SOURCE[0]}")/nights.sh"

now=2025-12-24T03:00:00Z
tables_start
sim_start -N $now || exit 1
job '["A","B","C","D","SPARSE","THIN"]' 0.4 | ts-expand -N $now >tasks
ts-fetch <tasks 2>/dev/null >bars
contents() {
	local t key
	for t in $tables; do
		key="date"
		[[ $t =~ 1min|hourly ]] && key=timestamp
		sql "SELECT '$t', count(*), md5(string_agg(concat_ws(' ', symbol, $key, open, high, low, close, volume), ',' ORDER BY symbol, $key)) FROM $t"
	done
}
total() {
	local t
	for t in $tables; do sql "SELECT count(*) FROM $t"; done | awk '{ n += $1 } END { print n }'
}
gone_so_far() {
	ended "$1" || [ "$(total)" -gt "$2" ]
}
ts-store <bars >/dev/null 2>&1
whole=$(contents)
rows=$(total)
RANDOM=${SEED:-17}
rounds=${ROUNDS:-40}
midway=0
# Slow enough to be killed on the way.
dawdle
for ((i = 1; i <= rounds; i++)); do
	empty
	sql "ALTER TABLE ohlcv_1min ENABLE TRIGGER dawdle"
	n=$((RANDOM * rows / 32768))
	# From a file and from the API, in small batches and in those of a service.
	if ((i % 2)); then
		ts-store -j 4 -b $((RANDOM % 2 ? 1000 : 4000)) <bars >/dev/null 2>&1 &
		pid=$!
	else
		mkfifo pipe
		ts-fetch <tasks 2>/dev/null >pipe &
		ts-store -j 4 -b 1000 <pipe >/dev/null 2>&1 &
		pid=$!
	fi
	wait_for 60 gone_so_far $pid $n
	kill -KILL $pid 2>/dev/null
	wait 2>/dev/null $pid
	rm -f pipe
	wait_for 20 backends_are 0
	left=$(total)
	[ "$left" -eq "$rows" ] || midway=$((midway + 1))
	sql "ALTER TABLE ohlcv_1min DISABLE TRIGGER dawdle"
	ts-audit -m <tasks 2>/dev/null | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
	is "$(contents)" "$whole" "killed at $left of $rows rows: the rest comes back"
done
[ $((midway * 2)) -ge "$rounds" ]
ok $? "$midway of them were killed on the way"
done_testing
