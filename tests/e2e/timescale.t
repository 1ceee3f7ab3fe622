#!/usr/bin/env bash
# ts-store and ts-audit on real hypertables, compressed ones too: whoever has TimescaleDB proves it
# with this one file.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -e "$("${pg_bin:-/nowhere}/pg_config" --pkglibdir 2>/dev/null)/timescaledb.so" ] ||
	{ skip "TimescaleDB is not installed for the Postgres in $pg_bin"; done_testing; }
pg_start || exit 1
kill -INT "$pg_pid" && wait "$pg_pid"
pg_up -c shared_preload_libraries=timescaledb -c timescaledb.telemetry_level=off
wait_for 20 "$pg_bin/pg_isready" -q || exit 1
sql "SET client_min_messages = error; CREATE EXTENSION timescaledb" 2>err ||
	{ skip "TimescaleDB cannot be created: $(tail -n 1 err)"; done_testing; }

# bars EVERY: three weeks of minutes of four symbols, and their fetched records; the volume of each
# EVERY-th bar is another.
bars() {
	perl -MPOSIX=strftime -e 'my ($every) = @ARGV; my $n = 0;
		for my $s ("A" .. "D") {
			for my $day (map { my $w = $_; map { 7 * $w + $_ } 0 .. 4 } 0 .. 2) {
				for my $m (870 .. 1259) {
					printf qq({"type":"bar","symbol":"%s","timeframe":"1min","timestamp":"%s","open":%d.5,"high":%d.75,"low":%d.25,"close":%d.5,"volume":%d}\n),
						$s, strftime("%Y-%m-%dT%H:%M:00Z", gmtime(1704067200 + 86400 * $day + 60 * $m)),
						(100 + $m % 50) x 4, 1000 + $m + ($every && ++$n % $every == 0);
				}
			}
			print qq({"type":"fetched","job_id":"j","symbol":"$s","timeframe":"1min","from":"f","to":"t","bars":5850}\n);
		}' "$1"
}
# sums: what became of the bars, by the verdicts.
sums() {
	jq -s -c 'map(select(.type == "stored")) | [length, (map(.inserted) | add), (map(.updated) | add), (map(.unchanged) | add)]' out
}
# load FILE WANT NAME: is loaded, with these sums.
load() {
	ts-store <"$1" >out 2>err
	is "$?/$(sums)" "0/$2" "$3" || sed 's/^/# /' err
}
# contents: every value of the table.
contents() {
	sql "SELECT md5(string_agg(concat_ws(' ', symbol, timestamp, open, high, low, close, volume), ',' ORDER BY symbol, timestamp)) FROM ohlcv_1min"
}
compress() {
	sql "SELECT count(compress_chunk(c)) FROM show_chunks('ohlcv_1min') c" 2>/dev/null
}
# limit ROWS: what one statement may decompress.
limit() {
	sql "ALTER DATABASE postgres SET timescaledb.max_tuples_decompressed_per_dml_transaction = $1"
}

bars 0 >plain
bars 50 >corrected
{ grep -vxFf corrected plain | awk 'NR % 50 == 1'; grep fetched plain; } >scattered
ts-store -i <plain >out 2>err
is "$?/$(sums)" '0/[4,23400,0,0]' "-i with bars"
is "$(sql "SELECT count(*) FROM timescaledb_information.hypertables")/$(sql "SELECT count(*) FROM pg_indexes WHERE tablename ~ '^ohlcv'")" 5/5 \
	"makes five hypertables, each with one index"
is "$(sql "SELECT count(*) <= 4 FROM show_chunks('ohlcv_1min')")" t "in chunks that fit"
for day in $(seq 8000 80 20000); do
	printf '{"type":"bar","symbol":"A","timeframe":"day","date":"%s","open":1,"high":2,"low":1,"close":2,"volume":3}\n' "$(date -u -d "@$((day * 86400))" +%F)"
done >days
ts-store <days >out 2>err
is "$?/$(sql "SELECT count(*) <= 9 FROM show_chunks('ohlcv_daily')")" 0/t "33 years of days, too"
whole=$(contents)
load plain '[4,0,0,23400]' "the same again"
load corrected '[4,0,468,22932]' "2 % corrected"
right=$(contents)
load plain '[4,0,468,22932]' "and back"
is "$(contents)" "$whole" "each value is what came"

sql "ALTER TABLE ohlcv_1min SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol', timescaledb.compress_orderby = 'timestamp')" 2>/dev/null
[ "$(compress)" -ge 3 ]
ok $? "compressed"
load plain '[4,0,0,23400]' "compressed: the same again"
is "$(sql "SELECT count(*) FROM timescaledb_information.chunks c, LATERAL (SELECT 1 FROM hypertable_compression_stats('ohlcv_1min')) x WHERE hypertable_name = 'ohlcv_1min' AND NOT is_compressed")" 0 \
	"compressed: reading opens no chunk for good"
# A statement that is planned for other chunks waits for none of this one's locks.
first=$(sql "SELECT min(c::text) FROM show_chunks('ohlcv_1min', older_than => '2024-01-05'::timestamptz) c")
grep -v '"2024-01-0[1-5]' corrected >later
hold "LOCK TABLE $first IN ACCESS EXCLUSIVE MODE"
wait_for 10 test -s held
awk 'NR % 300 == 7 || /fetched/' later >far
timeout -s KILL 25 ts-store <far >out 2>err
is "$?/$(jq -s 'map(select(.type == "stored")) | length' out)" 0/4 "compressed: a chunk that holds none of the bars is not even locked"
printf '{"type":"task","job_id":"j","symbol":"%s","timeframe":"1min","from":"2024-01-16T14:30:00Z","to":"2024-01-19T21:00:00Z"}\n' A B |
	timeout 25 ts-audit >audited 2>err
like "$?/$(tail -n 1 audited)" '^0/2 of 2 complete' "compressed: nor by ts-audit" || sed "s|^|# |" audited err
let_go
load plain "$(sums | jq -c '[4, 0, .[2], 23400 - .[2]]')" "compressed: and back"
is "$(contents)" "$whole" "compressed: each value is what came"
compress >/dev/null
limit 3000
load corrected '[4,0,468,22932]' "compressed: 2 % corrected, within the limit of decompression"
is "$(contents)" "$right" "compressed: each value is what came"
compress >/dev/null
limit 0
sql "DELETE FROM ohlcv_1min WHERE extract(minute FROM timestamp) = 7"
limit 3000
gone=$((23400 - $(sql "SELECT count(*) FROM ohlcv_1min")))
compress >/dev/null
load corrected "[4,$gone,0,$((23400 - gone))]" "compressed: what was lost comes back"
is "$(contents)" "$right" "compressed: each value is what came"
compress >/dev/null
limit 10
ts-store <scattered >out 2>err
is "$?/$(jq -r 'select(.type == "failed").error' out | sort -u | grep -c 'timescaledb.max_tuples_decompressed_per_dml_transaction')/$(sums | jq '.[0]')" \
	1/1/0 "compressed: where the limit is too small for one bar the task fails, and the setting is named"
limit 100000

# ---- the work of the database beside it

sql "CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT symbol, time_bucket('1 hour', timestamp) AS hour,
	sum(volume) AS volume FROM ohlcv_1min GROUP BY 1, 2 WITH NO DATA" 2>err
sql "CALL refresh_continuous_aggregate('hourly', NULL, NULL)"
load plain '[4,0,468,22932]' "under a continuous aggregate"
sql "CALL refresh_continuous_aggregate('hourly', NULL, NULL)"
is "$(sql "SELECT sum(volume) FROM hourly")" "$(sql "SELECT sum(volume) FROM ohlcv_1min")" "which sees what was corrected"
sql "SELECT add_compression_policy('ohlcv_1min', INTERVAL '1 day')" >job 2>err
{
	for _ in 1 2 3 4 5 6; do
		psql -X -q -c "CALL run_job($(cat job))" 2>>policy
	done
} &
policy=$!
for _ in 1 2; do
	load corrected '[4,0,468,22932]' "while a compression policy works"
	load plain '[4,0,468,22932]' "and back"
done
wait $policy
is "$(contents)" "$whole" "each value is what came"
sql "SELECT remove_compression_policy('ohlcv_1min')" >/dev/null
rm -f out err
ts-store -b 500 <corrected >out 2>err &
pid=$!
for _ in 1 2 3 4 5 6 7 8; do
	psql -X -q -A -t -c "SELECT count(drop_chunks('ohlcv_1min', older_than => '2024-01-10'::timestamptz))" >>dropped 2>&1
done
wait $pid
is "$?/$(sums | jq '.[0]')" 0/4 "chunks dropped in mid-load cost no task"
ts-store <corrected >out 2>err
is "$?/$(contents)" "0/$right" "and the next load brings back what they took"

# ---- certified and filled

printf '%s\n' A B C D | sed 's/.*/{"type":"task","job_id":"j","symbol":"&","timeframe":"1min","from":"2024-01-02T14:30:00Z","to":"2024-01-05T21:00:00Z"}/' >tasks
compress >/dev/null
ts-audit <tasks >out 2>err
like "$?/$(tail -n 1 out)" '^0/4 of 4 complete' "ts-audit: compressed chunks are certified"
sql "DELETE FROM ohlcv_1min WHERE symbol = 'C' AND timestamp::date = '2024-01-03'"
ts-audit -m <tasks 2>err | jq -r 'select(.type == "task") | "\(.symbol) \(.from)"' >out
is "$(cat out)" "C 2024-01-02T14:30:00Z" "ts-audit -m: what is missing of them is asked for, with the session before"
grep '"C".*2024-01-03' corrected | ts-store >/dev/null 2>err
ts-audit <tasks >out 2>err
like "$?/$(tail -n 1 out)" '^0/4 of 4 complete' "and after it came all is certified"

# ---- timeframes against each other, of compressed minutes

sql "INSERT INTO ohlcv_hourly SELECT symbol, date_trunc('hour', timestamp), (array_agg(open ORDER BY timestamp))[1], max(high), min(low),
	(array_agg(close ORDER BY timestamp DESC))[1], sum(volume) FROM ohlcv_1min WHERE timestamp < '2024-01-06' GROUP BY 1, 2"
[ "$(compress)" -ge 3 ]
ok $? "compressed once more"
sed 's/1min/hour/' tasks | cat tasks - >both
ts-audit <both >out 2>err
like "$?/$(tail -n 1 out)" '^0/8 of 8 complete' "ts-audit: compressed minutes and their hours agree" || sed 's/^/# /' out err
sql "UPDATE ohlcv_hourly SET high = 2 * high WHERE symbol = 'B' AND timestamp = '2024-01-03T16:00:00Z'"
ts-audit <both >out 2>err
is "$?/$(tail -n 1 out)" "1/6 of 8 complete: B 1min differs, B hour differs" "and where they do not, that is told"

done_testing
