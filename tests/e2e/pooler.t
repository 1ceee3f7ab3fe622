#!/usr/bin/env bash
# ts-store and ts-audit behind PgBouncer in each of its modes, with few server connections that all
# share: the loads are whole, and nothing of ours is left on a connection for the application beside.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v pgbouncer >/dev/null || { skip "no pgbouncer"; done_testing; }
pg_start || exit 1
ts-store -i </dev/null 2>err || exit 1
bouncer=$tmp/pg
cat >pgbouncer.ini <<-EOF
	[databases]
	session = host=$tmp/pg dbname=postgres user=postgres pool_mode=session pool_size=6
	transaction = host=$tmp/pg dbname=postgres user=postgres pool_mode=transaction pool_size=2
	statement = host=$tmp/pg dbname=postgres user=postgres pool_mode=statement pool_size=2
	[pgbouncer]
	listen_port = 6432
	listen_addr =
	unix_socket_dir = $bouncer
	auth_type = any
	ignore_startup_parameters = extra_float_digits
EOF
chmod 644 pgbouncer.ini
spare_exec pgbouncer -q "$tmp/pgbouncer.ini" >pgbouncer.log 2>&1 &
started+=($!)
# by MODE: the database behind it.
by() {
	echo "postgresql:///$1?host=$bouncer&port=6432&user=postgres"
}
wait_for 10 psql -X -q -c 'SELECT 1' "$(by session)" || { cat pgbouncer.log pgbouncer.ini; exit 1; }

for s in A B C D E F; do
	jq -nrc --arg s $s '(range(3000) | {type: "bar", symbol: $s, timeframe: "1min",
		timestamp: (1766413800 + 60 * . | todate), open: 1.5, high: 2.5, low: 1.25, close: 2, volume: .}),
		{type: "fetched", job_id: "j", symbol: $s, timeframe: "1min", from: "f", to: "t", bars: 3000}'
done >in
sed 's/\("volume":[0-9]*\)7}/\18}/' in >corrected
# counts: what became of the bars, by the verdicts.
counts() {
	jq -s -c 'map(select(.type == "stored")) | [length, (map(.inserted) | add), (map(.updated) | add), (map(.unchanged) | add)]' out
}
# What one of the application's own transactions finds on a connection that ours had before.
left='SELECT current_setting(n) FROM unnest(ARRAY['"'default_transaction_read_only', 'statement_timeout', 'lock_timeout',
	'enable_seqscan', 'enable_sort', 'plan_cache_mode', 'jit']"') n
	UNION ALL SELECT count(*)::text FROM pg_prepared_statements
	UNION ALL SELECT count(*)::text FROM pg_class WHERE relpersistence = '"'t'"
clean=$(psql -X -A -t -c "$left" "$DATABASE_URL")
for mode in session transaction; do
	sql "TRUNCATE ohlcv_1min"
	for run in 'in 18000,0,0' 'in 0,0,18000' 'corrected 0,1800,16200'; do
		DATABASE_URL=$(by $mode) ts-store -j 3 -b 500 <"${run% *}" >out 2>err
		is "$?/$(counts)" "0/[6,${run#* }]" "$mode mode: ${run% *}"
	done
	for s in A B C; do
		echo '{"type":"task","job_id":"j","symbol":"'$s'","timeframe":"1min","from":"2025-12-22T14:30:00Z","to":"2025-12-22T21:00:00Z"}'
	done | DATABASE_URL=$(by $mode) ts-audit >out 2>err
	like "$?/$(tail -n 1 out)" "^0/3 of 3 complete" "$mode mode: ts-audit"
	for n in 1 2 3; do
		psql -X -A -t -c "$left" "$(by $mode)"
	done | sort | uniq -c >found
	is "$(cat found)" "$(for n in 1 2 3; do echo "$clean"; done | sort | uniq -c)" "$mode mode: nothing is left for the application"
	psql -X -q -c "CREATE TEMP TABLE x (y int); INSERT INTO ohlcv_daily (symbol, date) VALUES ('APP', '2025-12-22') ON CONFLICT DO NOTHING" \
		"$(by $mode)"
	ok $? "$mode mode: the application writes beside it"
done
for command in ts-store ts-audit; do
	echo '{"type":"task","job_id":"j","symbol":"A","timeframe":"1min","from":"2025-12-22T14:30:00Z","to":"2025-12-22T21:00:00Z"}' |
		DATABASE_URL=$(by statement) $command >out 2>err
	is "$?/$(grep -c 'the pooler is in statement mode.*: use transaction or session mode' err)" 100/1 "statement mode: $command refuses it at once"
done

done_testing
