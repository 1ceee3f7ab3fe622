#!/usr/bin/env bash
# The benchmark: run.sh [SECTION...] measures the sections a to h (default: all) and writes
# doc/benchmarks.md, or $BENCH_OUT. What is compared is run in turn, BENCH_RUNS times (5), and told as
# the median and the range. A rate is told only of rows that were found right: their number, and a
# hash over all of them. BENCH_PIPELINE_RUNS is for section c, whose runs are long; BENCH_BIG=1 adds the
# table of 30 million rows to section f. Section t wants TimescaleDB and is measured only where it is named, last.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
bench=$top/tests/bench
runs=${BENCH_RUNS:-5}
pipeline_runs=${BENCH_PIPELINE_RUNS:-$runs}
out=${BENCH_OUT:-$top/doc/benchmarks.md}
report=$tmp/report.md
# The one that has the modules of Debian's packages.
python=/usr/bin/python3
now=2025-12-23T17:15:13Z
[ $# -gt 0 ] || set -- a b c d e f g h

die() {
	echo "bench: $*" >&2
	exit 1
}

# Postgres as its package configures it: fsync on, all defaults; the socket alone is ours.
bench_pg() {
	mkdir -p "$tmp/pg"
	[ "$(id -u)" -ne 0 ] || chown nobody:nogroup "$tmp/pg"
	spare "$pg_bin/initdb" -D "$tmp/pg/data" -U postgres -A trust -E UTF8 --locale=C >"$tmp/pg.initdb" ||
		die "initdb failed"
	(cd "$tmp/pg" && spare_exec "$pg_bin/postgres" -D "$tmp/pg/data" -k "$tmp/pg" -c listen_addresses= \
		>>"$tmp/pg.log" 2>&1) &
	pg_pid=$!
	started+=("$pg_pid")
	export PGHOST=$tmp/pg PGUSER=postgres PGDATABASE=postgres
	export DATABASE_URL="postgresql:///postgres?host=$tmp/pg&user=postgres"
	wait_for 20 "$pg_bin/pg_isready" -q || die "Postgres does not start"
	ts-store -i </dev/null 2>/dev/null
}

# What a table holds: the number of rows, and a hash over them whatever their order. Floats, which
# Python makes of prices, lose the zeros at their end.
content() {
	sql "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM (SELECT symbol, timestamp, trim_scale(open), trim_scale(high), trim_scale(low), trim_scale(close), volume FROM ohlcv_1min) t"
}
empty() {
	sql "TRUNCATE ohlcv_1min, ohlcv_hourly, ohlcv_daily, ohlcv_weekly, ohlcv_monthly"
	sql CHECKPOINT
}
# CPU seconds of all backends that have ended.
backend_cpu() {
	awk -v hz="$(getconf CLK_TCK)" '{ print ($16 + $17) / hz }' "/proc/$pg_pid/stat"
}
wal() {
	sql "SELECT pg_current_wal_lsn() - '0/0'"
}

# timed NAME ROWS WANT COMMAND...: one run, noted as "NAME rate wal cpu backend-cpu" in results if the
# table then holds WANT.
timed() {
	local name=$1 rows=$2 want=$3 before after lsn backend
	shift 3
	# The last backend must be gone, or its CPU would count here.
	wait_for 5 quiet
	lsn=$(wal) backend=$(backend_cpu) before=$EPOCHREALTIME
	{ TIMEFORMAT='%U %S'; time "$@" >"$tmp/run.out" 2>"$tmp/run.err"; } 2>"$tmp/run.cpu" ||
		die "$name failed: $(tail -n 3 "$tmp/run.err")"
	after=$EPOCHREALTIME
	wait_for 5 quiet
	[ "$want" = - ] || [ "$(content)" = "$want" ] || die "$name: the table does not hold what it should"
	awk -v OFS='\t' -v name="$name" -v rows="$rows" -v t="$after" -v s="$before" \
		-v lsn="$lsn" -v end="$(wal)" -v b="$backend" -v e="$(backend_cpu)" \
		'{ print name, rows / (t - s) / 1000, (end - lsn) / 1e6, ($1 + $2) / rows * 1e6, (e - b) / rows * 1e6, t - s }' \
		"$tmp/run.cpu" >>"$tmp/results"
	tail -n 1 "$tmp/results" >&2
}
quiet() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")" -eq 1 ]
}

# told NAME...: the results so far as lines of a table; the first is what the others are compared with.
told() {
	local name
	for name in "$@"; do
		grep -q -F "$name	" "$tmp/results" || continue
		awk -F '\t' -v name="$name" -v first="$1" '
			function median(v, n,  i, j, x) {
				for (i = 2; i <= n; i++)
					for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) { x = v[j]; v[j] = v[j - 1]; v[j - 1] = x }
				return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
			}
			$1 == first { base[++m] = $2 }
			$1 == name { rate[++n] = $2; wal[n] = $3; cpu[n] = $4; back[n] = $5 }
			END {
				b = median(base, m); r = median(rate, n)
				printf "| %s | %.1f [%.1f-%.1f] | %.2f | %.1f | %.2f | %.2f | %d |\n", name, r,
					rate[1], rate[n], r / b, median(wal, n), median(cpu, n), median(back, n), n
			}' "$tmp/results"
	done >>"$report"
}
table() {
	printf '\n### %s\n\n%s\n\n' "$1" "$2"
	echo '| what | k rows/s, median [range] | ratio | WAL MB | CPU µs a row | backend µs a row | runs |'
	echo '|---|---|---|---|---|---|---|'
}

# Reference content of a file of rows, from psql.
reference() {
	empty
	psql -X -q -c "\\copy ohlcv_1min (symbol, timestamp, open, high, low, close, volume) from '$1'"
	content
}
bars() {
	perl "$bench/bars.pl" "$@"
}
store() {
	ts-store "${@:2}" <"$1"
}
copy_text() {
	psql -X -q -c "\\copy ohlcv_1min (symbol, timestamp, open, high, low, close, volume) from '$1'"
}
copy_binary() {
	psql -X -q -c "\\copy ohlcv_1min (symbol, timestamp, open, high, low, close, volume) from '$1' (format binary)"
}
handler() {
	"$python" "$bench/handler.py" "$@"
}
have_python() {
	"$python" -c 'import psycopg2, requests' 2>/dev/null
}

prepare_rows() {
	[ ! -e "$tmp/in.json" ] || return 0
	days=${BENCH_DAYS:-50}
	rows=$((30 * days * 390))
	bars json 30 "$days" 0 >"$tmp/in.json"
	bars tsv 30 "$days" 0 >"$tmp/in.tsv"
	bars json 30 "$days" 0 20 >"$tmp/corrected.json"
	bars tsv 30 "$days" 0 20 >"$tmp/corrected.tsv"
	sort -s -t '	' -k 2,2 "$tmp/in.tsv" >"$tmp/time.tsv"
	grep '"type":"bar"' "$tmp/in.json" | sort -s -t , -k 4,4 >"$tmp/time.json"
	corrected=$(reference "$tmp/corrected.tsv")
	fresh=$(reference "$tmp/in.tsv")
	psql -X -q -c "\\copy (SELECT symbol, timestamp, open, high, low, close, volume FROM ohlcv_1min) to '$tmp/in.bin' (format binary)"
}

section_a() {
	prepare_rows
	local i
	for ((i = 0; i < runs; i++)); do
		empty
		timed "psql \\copy text, fresh" "$rows" "$fresh" copy_text "$tmp/in.tsv"
		empty
		timed "psql \\copy binary, fresh" "$rows" "$fresh" copy_binary "$tmp/in.bin"
		empty
		timed "ts-store -j 2, fresh" "$rows" "$fresh" store "$tmp/in.json" -j 2
		empty
		timed "ts-store -j 1, fresh" "$rows" "$fresh" store "$tmp/in.json" -j 1
		timed "ts-store -j 1, identical reload" "$rows" "$fresh" store "$tmp/in.json" -j 1
		timed "ts-store -j 2, identical reload" "$rows" "$fresh" store "$tmp/in.json" -j 2
		timed "ts-store -j 1, 2 % corrected" "$rows" "$corrected" store "$tmp/corrected.json" -j 1
		timed "ts-store -j 2, 2 % corrected back" "$rows" "$fresh" store "$tmp/in.json" -j 2
		empty
		timed "psql \\copy text, by time" "$rows" "$fresh" copy_text "$tmp/time.tsv"
		empty
		timed "ts-store -j 1, by time" "$rows" "$fresh" store "$tmp/time.json" -j 1
		empty
		timed "ts-store -j 2, by time" "$rows" "$fresh" store "$tmp/time.json" -j 2
	done
	table "a. ts-store" "$rows one-minute bars of 30 symbols in ascending order, against psql \\copy of the same rows." >>"$report"
	told "psql \\copy text, fresh" "psql \\copy binary, fresh" "ts-store -j 1, fresh" "ts-store -j 2, fresh" \
		"ts-store -j 1, identical reload" "ts-store -j 2, identical reload" \
		"ts-store -j 1, 2 % corrected" "ts-store -j 2, 2 % corrected back"
	table "The same rows in the order of time" "The 30 symbols take turns with every row." >>"$report"
	told "psql \\copy text, by time" "ts-store -j 1, by time" "ts-store -j 2, by time"
}

# Each run adds the next day, so that a day is new to the table each time.
section_added() {
	local i d=251 rows=$((30 * 390))
	empty
	bars tsv 30 251 0 >"$tmp/year.tsv"
	copy_text "$tmp/year.tsv"
	sql "VACUUM ANALYZE ohlcv_1min"
	rm "$tmp/year.tsv"
	for ((i = 0; i < runs; i++)); do
		bars tsv 30 1 $d >"$tmp/day.tsv"
		timed "psql \\copy text, one day more" "$rows" - copy_text "$tmp/day.tsv"
		bars json 30 1 $((d + 1)) >"$tmp/day.json"
		timed "ts-store -j 1, one day more" "$rows" - store "$tmp/day.json" -j 1
		bars json 30 1 $((d + 2)) >"$tmp/day.json"
		timed "ts-store -j 2, one day more" "$rows" - store "$tmp/day.json" -j 2
		d=$((d + 3))
	done
	[ "$(sql "SELECT count(*) FROM ohlcv_1min")" -eq $((d * rows)) ] || die "days are missing"
	table "One day added to 251" "$rows bars onto a table of $((251 * rows)) and more, another day each time." >>"$report"
	told "psql \\copy text, one day more" "ts-store -j 1, one day more" "ts-store -j 2, one day more"
}

section_b() {
	local i n=117000 want
	bars json 10 30 0 >"$tmp/slice.json"
	bars tsv 10 30 0 >"$tmp/slice.tsv"
	want=$(reference "$tmp/slice.tsv")
	tr '\t' , <"$tmp/slice.tsv" >"$tmp/slice.csv"
	cat >"$tmp/csv.load" <<-END
		LOAD CSV FROM '$tmp/slice.csv' (symbol, timestamp, open, high, low, close, volume)
		INTO postgresql://postgres@unix:$tmp/pg:5432/postgres TARGET TABLE public.ohlcv_1min
		(symbol, timestamp, open, high, low, close, volume) WITH fields terminated by ',';
	END
	for ((i = 0; i < runs; i++)); do
		empty
		timed "ts-store, a slice" $n "$want" store "$tmp/slice.json"
		if have_python; then
			empty
			timed "Python handler: executemany" $n "$want" handler -f "$tmp/slice.json"
			empty
			timed "Python handler: COPY and staging" $n "$want" handler -c -f "$tmp/slice.json"
		fi
		if command -v pgloader >/dev/null; then
			empty
			timed "pgloader, CSV" $n "$want" pgloader -q "$tmp/csv.load"
		fi
	done
	{
		table "b. Peers" "$n bars of 10 symbols, start of the programs included."
		have_python || echo "| Python handler | not installed: make bench-deps |"
		command -v pgloader >/dev/null || echo "| pgloader | not installed: make bench-deps |"
	} >>"$report"
	told "Python handler: executemany" "Python handler: COPY and staging" "pgloader, CSV" "ts-store, a slice"
}

symbols() {
	local i
	for ((i = 1; i <= $1; i++)); do
		printf 'S%03d ' "$i"
	done
}
# pipeline YEARS SYMBOLS: all of it but ts-listen; Redis only has a name to be polled.
pipeline() {
	# shellcheck disable=SC2046
	ts-expand -N "$now" -y "$1" -t 1min,hour,day,week,month $(symbols "$2") | ts-fetch |
		ts-store | ts-status -q -u none
}
all_rows() {
	sql "SELECT (SELECT count(*) FROM ohlcv_1min) + (SELECT count(*) FROM ohlcv_hourly) + (SELECT count(*) FROM ohlcv_daily) + (SELECT count(*) FROM ohlcv_weekly) + (SELECT count(*) FROM ohlcv_monthly)"
}

section_c() {
	local i ms n years=${BENCH_YEARS:-1} recorded=$tmp/recorded.json want hn
	local -A url
	# One that has made all replies before serves them from memory: a real API has processors of its own.
	for ms in 0 50 200; do
		sim_start -N "$now" -m 2000 -d $ms
		# shellcheck disable=SC2046
		ts-expand -N "$now" -y "$years" -t 1min,hour,day,week,month $(symbols 30) | ts-fetch >"$recorded"
		url[$ms]=$MASSIVE_URL
	done
	n=$(grep -c '"type":"bar"' "$recorded")
	empty
	ts-store <"$recorded" >"$tmp/run.out"
	want=$(content)
	[ "$(all_rows)" -eq "$n" ] || die "what was recorded is not what was stored"
	for ((i = 0; i < pipeline_runs; i++)); do
		empty
		timed "ts-store alone, recorded bars" "$n" "$want" store "$recorded"
		for ms in 0 50 200; do
			MASSIVE_URL=${url[$ms]}
			empty
			timed "pipeline, $ms ms" "$n" "$want" pipeline "$years" 30
			[ "$(all_rows)" -eq "$n" ] || die "the pipeline lost rows"
		done
	done
	rm "$recorded"
	table "c. The whole pipeline" "ts-expand | ts-fetch | ts-store | ts-status: $n bars, 30 symbols in 5 timeframes, $years year; the simulator, which has made all replies before, and Postgres run on the same processors. Seconds, median: $(for ms in 0 50 200; do
		printf '%s ms %.1f; ' $ms "$(awk -F '\t' -v n="pipeline, $ms ms" '$1 == n { print $6 }' "$tmp/results" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
	done)" >>"$report"
	told "ts-store alone, recorded bars" "pipeline, 0 ms" "pipeline, 50 ms" "pipeline, 200 ms"
	have_python || return 0
	sim_start -N "$now" -m 2000
	for ((i = 0; i < pipeline_runs; i++)); do
		empty
		timed "Python handler, slice" 1 - handler 2025-11-17 2025-12-22 S001 S002 S003 S004 S005 S006
		hn=$(all_rows)
		sed -i "\$s/.*/$(awk -F '\t' -v OFS='\t' -v n="$hn" 'END { print $1, $2 * n, $3, $4 / n, $5 / n, $6 }' "$tmp/results")/" "$tmp/results"
		empty
		timed "pipeline, slice" 1 - pipeline 0.1 6
		hn=$(all_rows)
		sed -i "\$s/.*/$(awk -F '\t' -v OFS='\t' -v n="$hn" 'END { print $1, $2 * n, $3, $4 / n, $5 / n, $6 }' "$tmp/results")/" "$tmp/results"
	done
	table "The pipeline and the Python handler, API included" "6 symbols in 5 timeframes, five weeks; 0 ms. Python computes the regular hours anew for each bar." >>"$report"
	told "Python handler, slice" "pipeline, slice"
	sim_stop
}

fetch_one() {
	ts-expand -N "$now" -y 1 -t 1min S001 | ts-fetch
}
# The same pages by curl and jq, one after the other, extended hours included.
curl_one() {
	local next="$MASSIVE_URL/v2/aggs/ticker/S001/range/1/minute/2024-12-24/2025-12-22?adjusted=true&sort=asc&limit=50000"
	while [ -n "$next" ]; do
		curl -s --compressed "$next" >"$tmp/page.json"
		jq -c '.results[] | {type: "bar", symbol: "S001", timeframe: "1min", timestamp: (.t / 1000 | todate), open: .o, high: .h, low: .l, close: .c, volume: .v}' "$tmp/page.json"
		# It may name another host.
		next=$(jq -r '.next_url // "" | sub("^.*/v2/"; "/v2/")' "$tmp/page.json")
		next=${next:+$MASSIVE_URL$next}
	done
}
section_d() {
	local i n m
	sim_start -N "$now"
	n=$(fetch_one 2>/dev/null | grep -c '"type":"bar"')
	m=$(curl_one | wc -l)
	for ((i = 0; i < runs; i++)); do
		timed "curl and jq" "$m" - curl_one
		timed "ts-fetch" "$n" - fetch_one
		[ "$(grep -c '"type":"bar"' "$tmp/run.out")" -eq "$n" ] || die "ts-fetch lost bars"
	done
	sim_stop
	table "d. ts-fetch alone" "One symbol, one year of one-minute bars: $n of regular hours for ts-fetch, which reads and checks the $m of the pages; curl and jq write all $m. Rates are of bars written." >>"$report"
	told "curl and jq" "ts-fetch"
}

# Peak of the resident memory of each stage, read while they run.
peaks() {
	local years=$1 count=$2 dir=$tmp/peaks pid name
	rm -rf "$dir" && mkdir "$dir" && mkfifo "$dir"/{1,2,3}
	empty
	# shellcheck disable=SC2046
	ts-expand -N "$now" -y "$years" -t 1min,hour,day,week,month $(symbols "$count") >"$dir/1" 2>/dev/null &
	echo $! ts-expand >"$dir/pids"
	ts-fetch <"$dir/1" >"$dir/2" 2>/dev/null &
	echo $! ts-fetch >>"$dir/pids"
	ts-store <"$dir/2" >"$dir/3" 2>/dev/null &
	echo $! ts-store >>"$dir/pids"
	ts-status -q -u none <"$dir/3" >"$dir/done" 2>/dev/null &
	echo $! ts-status >>"$dir/pids"
	while kill -0 "$!" 2>/dev/null; do
		while read -r pid name; do
			awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" >"$dir/now" 2>/dev/null && [ -s "$dir/now" ] &&
				mv "$dir/now" "$dir/$name"
		done <"$dir/pids"
		sleep 0.02
	done
	wait "$!" || die "peaks: ts-status failed"
	for name in ts-expand ts-fetch ts-store ts-status; do
		awk '{ printf "| %.1f ", $1 / 1024 }' "$dir/$name"
	done
}
section_e() {
	local line
	sim_start -N "$now"
	{
		printf '\n### e. Peak of resident memory\n\nMiB, of the pipeline run once; shared libraries count in full. '
		printf 'What a stage holds that ends at once cannot be seen to its end.\n\n'
		echo '| job | bars | ts-expand | ts-fetch | ts-store | ts-status |'
		echo '|---|---|---|---|---|---|'
	} >>"$report"
	for line in "1 1" "0.2 30" "0.02 500"; do
		# shellcheck disable=SC2086
		set -- $line
		row=$(peaks "$1" "$2")
		echo "| $2 symbols, $1 years | $(all_rows) $row|" >>"$report"
	done
	sim_stop
}

section_f() {
	local size i days first chunk=7 rows=$((30 * 7 * 390)) names=()
	for size in 300000 3000000 ${BENCH_BIG:+30000000}; do
		empty
		days=$((size / 30 / 390))
		bars tsv 30 "$days" 0 >"$tmp/base.tsv"
		copy_text "$tmp/base.tsv"
		rm "$tmp/base.tsv"
		sql "VACUUM ANALYZE ohlcv_1min"
		# What the load of the base has left to be written is no matter of its size.
		sql CHECKPOINT
		first=$days
		names+=("onto $size rows")
		for ((i = 0; i < runs; i++)); do
			bars json 30 $chunk "$first" >"$tmp/chunk.json"
			first=$((first + chunk))
			timed "onto $size rows" "$rows" - store "$tmp/chunk.json"
			[ "$(sql "SELECT count(*) FROM ohlcv_1min")" -eq $((first * 30 * 390)) ] || die "rows are missing"
		done
	done
	table "f. Growth" "$rows new bars of 30 symbols, behind what the table has of each." >>"$report"
	told "${names[@]}"
}

# Counts, not seconds.
section_g() {
	{
		# shellcheck disable=SC2016
		printf '\n### g. Requests\n\nOf ts-fetch, by the log of the simulator; the same by themselves: `bash tests/requests/table.sh`.\n\n'
		bash "$top/tests/requests/table.sh" || die "requests could not be counted"
	} >>"$report"
}

# audit [OPTION]: of all that was loaded; the simulator's bars agree, and its holes are told by both alike.
audit() {
	ts-audit "$@" <"$tmp/tasks" >"$tmp/audit.out" 2>"$tmp/audit.err"
	[ $? -le 1 ]
}
section_h() {
	local i n count=${BENCH_SYMBOLS:-104}
	empty
	sim_start -N "$now"
	# shellcheck disable=SC2046
	ts-expand -N "$now" -y 2 -t 1min,hour,day,week,month $(symbols "$count") >"$tmp/tasks"
	ts-fetch <"$tmp/tasks" 2>/dev/null | ts-store >"$tmp/run.out" 2>/dev/null
	sim_stop
	sql "VACUUM ANALYZE"
	n=$(sql "SELECT count(*) FROM ohlcv_1min")
	for ((i = 0; i < runs; i++)); do
		timed "ts-audit -p" "$n" - audit -p
		timed "ts-audit" "$n" - audit
	done
	# shellcheck disable=SC2016 # awk's
	table "h. Audit" "$count symbols, 2 years, five timeframes: $n minutes in Postgres; presence alone, and values. $(
		awk -F '\t' '$1 == "ts-audit -p" { p = $6 } $1 == "ts-audit" { printf "%.2f %.1f %.1f\n", $6 / p, p, $6 }' "$tmp/results" |
			sort -n | awk '{ line[NR] = $0 } END { split(line[int((NR + 1) / 2)], v)
				printf "The middle pair of runs took %s s and %s s: %s times as long.", v[2], v[3], v[1] }'
	)" >>"$report"
	told "ts-audit -p" ts-audit
}

# The same server with TimescaleDB, and hypertables.
hypertables() {
	kill -INT "$pg_pid" && wait "$pg_pid"
	printf '%s\n' 'shared_preload_libraries = timescaledb' 'timescaledb.telemetry_level = off' >>"$tmp/pg/data/postgresql.conf"
	(cd "$tmp/pg" && spare_exec "$pg_bin/postgres" -D "$tmp/pg/data" -k "$tmp/pg" -c listen_addresses= >>"$tmp/pg.log" 2>&1) &
	pg_pid=$!
	started+=("$pg_pid")
	wait_for 20 "$pg_bin/pg_isready" -q || die "Postgres does not start with TimescaleDB"
	sql "SET client_min_messages = error; CREATE EXTENSION timescaledb" || die "TimescaleDB cannot be created"
	sql "DROP TABLE ohlcv_1min, ohlcv_hourly, ohlcv_daily, ohlcv_weekly, ohlcv_monthly"
	ts-store -i </dev/null 2>/dev/null
	sql "ALTER TABLE ohlcv_1min SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol', timescaledb.compress_orderby = 'timestamp')" 2>/dev/null
}
# in_chunks compress|decompress: all of them.
in_chunks() {
	local left
	sql "SELECT count(${1}_chunk(c, true)) FROM show_chunks('ohlcv_1min') c" >/dev/null 2>&1
	left=$(sql "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'ohlcv_1min' AND is_compressed <> ('$1' = 'compress')")
	[ "$left" = 0 ] || die "$left chunks are not ${1}ed"
	sql CHECKPOINT
}
section_t() {
	local i names=()
	prepare_rows
	hypertables
	for ((i = 0; i < runs; i++)); do
		empty
		timed "fresh" "$rows" "$fresh" store "$tmp/in.json"
		timed "identical reload" "$rows" "$fresh" store "$tmp/in.json"
		timed "2 % corrected" "$rows" "$corrected" store "$tmp/corrected.json"
		in_chunks compress
		timed "compressed: identical reload" "$rows" "$corrected" store "$tmp/corrected.json"
		in_chunks compress
		timed "compressed: 2 % corrected" "$rows" "$fresh" store "$tmp/in.json"
		in_chunks decompress
	done
	names=("identical reload" "fresh" "2 % corrected" "compressed: identical reload" "compressed: 2 % corrected")
	table "t. TimescaleDB $(sql "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")" "$rows one-minute bars of 30 symbols in $(sql "SELECT count(*) FROM show_chunks('ohlcv_1min')") chunks of a week, compressed by symbol or not, with the default limit of decompression." >>"$report"
	told "${names[@]}"
}

cp /proc/loadavg "$tmp/load"
bench_pg
: >"$tmp/results"
for section in "$@"; do
	"section_$section"
	[ "$section" != a ] || section_added
done
{
	echo '# Benchmarks'
	echo
	echo "Written by \`make bench\`; do not edit. $(date -u +%Y-%m-%d), $(nproc) processors ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)),"
	echo "$(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo) of memory, $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release), $("$pg_bin/postgres" --version), commit"
	echo "$(git -C "$top" rev-parse --short HEAD 2>/dev/null || echo unknown); load before: $(cut -d ' ' -f 1-3 "$tmp/load")."
	echo
	echo 'Postgres runs as its package configures it, fsync on, behind a unix socket, on the same processors as'
	echo 'everything else. The median of the runs, and their range; what is compared ran in turn. The first line of a'
	echo 'table is what the ratios refer to. CPU is that of the commands, backend that of Postgres'"'"' backends.'
	echo 'The rows were counted, and where the table is loaded afresh their hash was compared, before a rate was noted.'
	echo 'On a shared machine a run drifts by a quarter: only ratios within a table mean anything.'
	if awk '{ exit !($1 > 1) }' "$tmp/load"; then
		echo 'Other work was running on these processors: all rates are lower, and ranges wider, than they would be alone.'
	fi
	echo
	echo "Again: \`make bench BENCH_RUNS=$runs\`; some sections only: \`make bench BENCH='a d'\`."
	if [ -x "$build/parts" ]; then
		printf '\n### The common path, piece by piece\n\nCPU time, one thread.\n\n'
		"$build/parts"
	fi
	cat "$report"
} >"$tmp/benchmarks.md"
cp "$tmp/benchmarks.md" "$out"
