#!/usr/bin/env bash
# ts-store: what stands in the tables is what came, every bar is counted once, and nothing is called
# stored before it is committed.
# shellcheck disable=SC2001
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The lines of start and end are told, as in a service.
export TS_SERVICE=1

# bars SYMBOL TIMEFRAME COUNT [VOLUME]: so many bars in a row, and their fetched record.
bars() {
	perl -MPOSIX=strftime -e '
		my ($symbol, $tf, $n, $volume) = @ARGV;
		my ($at, $step, $key, $form) = $tf eq "1min" || $tf eq "hour" ?
			($tf eq "1min" ? (1766413800, 60) : (1766412000, 3600), "timestamp", "%Y-%m-%dT%H:%M:%SZ") :
			($tf eq "week" ? 1009670400 : 1009756800, 86400 * ($tf eq "week" ? 7 : 1), "date", "%Y-%m-%d");
		my ($first, $last);
		for my $i (0 .. $n - 1) {
			$last = strftime($form, gmtime($at + $i * $step));
			$last = sprintf("%d-%02d-01", 2002 + $i / 12, 1 + $i % 12) if $tf eq "month";
			$first = $last if $i == 0;
			printf qq({"type":"bar","symbol":"%s","timeframe":"%s","%s":"%s",) .
				qq("open":%d.5,"high":%d.86,"low":%d.25,"close":%d.75,"volume":%d}\n),
				$symbol, $tf, $key, $last, (100 + $i % 900) x 4, ($volume // 1000) + $i;
		}
		printf qq({"type":"fetched","job_id":"j","symbol":"%s","timeframe":"%s","from":"f","to":"t",) .
			qq("bars":%d%s}\n), $symbol, $tf, $n,
			$n ? qq(,"first":"$first","last":"$last") : "";' "$@"
}

# counts FILE: "bars inserted updated unchanged rejected" of each stored record, by symbol and timeframe.
counts() {
	jq -r 'select(.type == "stored") | "\(.symbol) \(.timeframe) \(.bars) \(.inserted) \(.updated) \(.unchanged) \(.rejected)"' \
		"$1" | sort
}

# ended_with FIELDS: the end line has these.
ended_with() {
	like "$(grep ': end ' err)" "$1" "$2"
}

# fingerprint TABLE...: where every row stands and who wrote it.
fingerprint() {
	local t
	for t in "$@"; do
		sql "SELECT count(*), md5(string_agg(ctid::text || xmin::text, ',' ORDER BY symbol, 2)) FROM (SELECT symbol, ctid, xmin FROM $t) x"
	done
}


pg_start || exit 1

bad_input ts-store
bad_output ts-store

# ---- tables

bars AAPL day 3 >in
ts-store <in >out 2>err
is "$?" 1 "a missing table shows in the exit status"
is "$(jq -c '[.type, .symbol, .timeframe, .stage, .error]' out)" \
	'["failed","AAPL","day","store","table ohlcv_daily: does not exist; create it, or run ts-store -i"]' \
	"a missing table fails its tasks by name"
is "$(grep -c 'table ohlcv_daily' err)" 1 "a missing table is named once"
ts-store -i </dev/null >out 2>err1 &
ts-store -i </dev/null >out 2>err2 &
wait -n; a=$?
wait -n; b=$?
is "$a$b" 00 "-i twice at once"
is "$(sql "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'ohlcv%'")" 5 "-i creates the five tables"
ts-store -i <in >out 2>err
is "$?/$(counts out)" "0/AAPL day 3 3 0 0 0" "-i goes on to store"
sql "CREATE ROLE reader LOGIN; GRANT SELECT, INSERT, UPDATE ON ${tables// /, } TO reader"
DATABASE_URL="${DATABASE_URL%user=*}user=reader" ts-store -i <in >out 2>err
is "$?/$(counts out)" "0/AAPL day 3 0 0 3 0" "-i needs no right to create what is there"
# What TimescaleDB has by this name, without what it does; on a database where nothing is yet.
hyper=$DATABASE_URL'&dbname=hyper'
sql "CREATE DATABASE hyper"
PGDATABASE=hyper sql "CREATE SCHEMA ts; CREATE FUNCTION ts.create_hypertable(relation regclass, time_column_name name,
	chunk_time_interval anyelement DEFAULT NULL::bigint, create_default_indexes bool DEFAULT true, if_not_exists bool DEFAULT false,
	migrate_data bool DEFAULT false) RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN
	EXECUTE format('COMMENT ON TABLE %s IS %L', \$1, concat_ws(' ', \$2, \$3, \$4, \$5, \$6)); END \$\$"
for tf in 1min hour day week month; do bars AAPL $tf 40; done >all
for again in '40 0 0 0' '0 0 40 0'; do
	DATABASE_URL=$hyper ts-store -i <all >out 2>err
	is "$?/$(counts out | cut -d ' ' -f 1,3- | uniq -c | tr -s ' ')" "0/ 5 AAPL 40 $again" "-i stores where TimescaleDB is there"
done
is "$(PGDATABASE=hyper sql "SELECT obj_description(t::regclass) FROM unnest(string_to_array('$tables', ' ')) t")" \
	"timestamp 7 days f t t
timestamp 90 days f t t
date 1826 days f t t
date 7305 days f t t
date 7305 days f t t" "and makes hypertables, in chunks that fit, without a second index"

# In a schema of its own, each with its fault.
sql "CREATE SCHEMA odd"
odd=$DATABASE_URL'&options=-csearch_path%3Dodd'
unusable() {
	sql "SET client_min_messages = error; DROP TABLE IF EXISTS odd.ohlcv_daily; DROP VIEW IF EXISTS odd.ohlcv_daily" 2>/dev/null ||
		sql "DROP VIEW odd.ohlcv_daily"
	sql "$1"
	DATABASE_URL=$odd ts-store <in >out 2>err
	is "$?/$(jq -r .error out)" "1/table ohlcv_daily: $2" "unusable: $2"
}
columns="open numeric, high numeric, low numeric, close numeric"
unusable "CREATE TABLE odd.ohlcv_daily (symbol text, date date, $columns, volume bigint)" \
	"has no primary key or unique constraint over symbol and one date column"
unusable "CREATE TABLE odd.ohlcv_daily (symbol text, date date, src int, $columns, volume bigint, PRIMARY KEY (symbol, date, src))" \
	"has no primary key or unique constraint over symbol and one date column"
unusable "CREATE TABLE odd.ohlcv_daily (symbol text, date date, $columns, PRIMARY KEY (symbol, date))" \
	"has no column volume"
unusable "CREATE TABLE odd.ohlcv_daily (symbol text, date timestamptz, $columns, volume bigint, PRIMARY KEY (symbol, date))" \
	"its key column date is timestamp with time zone, not date"
unusable "CREATE TABLE odd.ohlcv_daily (symbol text, date date, open money, high numeric, low numeric, close numeric, volume bigint, PRIMARY KEY (symbol, date))" \
	"column open is money, not numeric"
unusable "CREATE TABLE odd.ohlcv_daily (symbol text, date date, $columns, volume bigint, source text NOT NULL, PRIMARY KEY (symbol, date))" \
	"column source must not be null, and has no default"
unusable "CREATE TABLE odd.ohlcv_daily (symbol text, day_ending date, $columns, volume bigint, PRIMARY KEY (symbol, day_ending))" \
	"its key column day_ending is called for the end of the period, but keys are its start"
unusable "CREATE VIEW odd.ohlcv_daily AS SELECT 1" "is not a table"
sql "DROP VIEW odd.ohlcv_daily;
	CREATE TABLE odd.ohlcv_daily (id serial, \"Trading Day\" date, close numeric(20,4), volume numeric, high numeric, low numeric,
		open numeric, symbol char(12), source text NOT NULL DEFAULT 'api', UNIQUE (\"Trading Day\", symbol));
	CREATE TABLE odd.ohlcv_weekly (LIKE public.ohlcv_weekly INCLUDING ALL);
	ALTER TABLE odd.ohlcv_weekly RENAME date TO week_start;
	CREATE TABLE odd.ohlcv_monthly (LIKE public.ohlcv_monthly INCLUDING ALL);
	ALTER TABLE odd.ohlcv_monthly RENAME date TO month_start"
{ bars AAPL day 3; bars AAPL week 3; bars AAPL month 2; bars AAPL hour 2; } >mixed
DATABASE_URL=$odd ts-store <mixed >out 2>err
is "$?" 1 "one missing table among others"
is "$(counts out)" "AAPL day 3 3 0 0 0
AAPL month 2 2 0 0 0
AAPL week 3 3 0 0 0" "keys of any name, columns in any order"
is "$(jq -r 'select(.type == "failed").timeframe' out)" hour "only the missing table's task fails"
is "$(sql "SELECT count(*) FROM odd.ohlcv_daily WHERE symbol = 'AAPL' AND source = 'api' AND close = 100.75 + id - 1")" 3 \
	"other columns have their defaults"
DATABASE_URL=$odd ts-store <mixed >out 2>err
is "$(counts out)" "AAPL day 3 0 0 3 0
AAPL month 2 0 0 2 0
AAPL week 3 0 0 3 0" "and again: nothing changes"

# ---- loads

empty
for tf in 1min hour day week month; do
	bars AAPL $tf 50
	bars MSFT $tf 40
	bars EMPTY $tf 0
done >in
echo '{"type":"loading","job_id":"j","symbol":"AAPL","timeframe":"day"}' >>in
ts-store <in >out 2>err
is "$?" 0 "a fresh load"
is "$(grep -c '"type":"stored"' out)" 15 "a verdict for each task"
is "$(grep -c '"type":"loading"' out)" 1 "lines of others are copied"
is "$(counts out | awk '$1 == "AAPL"' | cut -d ' ' -f 3- | sort -u)" "50 50 0 0 0" "all bars are inserted"
is "$(grep 'EMPTY.*1min' out)" \
	'{"type":"stored","job_id":"j","symbol":"EMPTY","timeframe":"1min","from":"f","to":"t","bars":0,"inserted":0,"updated":0,"unchanged":0,"rejected":0}' \
	"a task without bars is stored, too"
is "$(grep 'MSFT.*day' out)" \
	'{"type":"stored","job_id":"j","symbol":"MSFT","timeframe":"day","from":"f","to":"t","bars":40,"first":"2001-12-31","last":"2002-02-08","inserted":40,"updated":0,"unchanged":0,"rejected":0}' \
	"a verdict as ts-records(5) has it"
ended_with 'bars=450 inserted=450 updated=0 unchanged=0 rejected=0 dropped=0 refused=0 stored=15 failed=0 ' "the end line counts"
# shellcheck disable=SC2086
before=$(fingerprint $tables)
ts-store <in >out 2>err
is "$(counts out | awk '$1 == "AAPL"' | cut -d ' ' -f 3- | sort -u)" "50 0 0 50 0" "the same again is unchanged"
# shellcheck disable=SC2086
is "$(fingerprint $tables)" "$before" "and no row is written anew"
sed '3s/"open":[0-9.]*/"open":102.7/; 7s/"volume":[0-9]*/"volume":5/; 9s/"high":108.86/"high":108.860/' in | head -51 >corrected
sql "SELECT ctid, xmin, * FROM ohlcv_1min WHERE symbol = 'AAPL' ORDER BY timestamp" >rows1
ts-store <corrected >out 2>err
is "$(counts out)" "AAPL 1min 50 0 2 48 0" "corrected bars are updated"
sql "SELECT ctid, xmin, * FROM ohlcv_1min WHERE symbol = 'AAPL' ORDER BY timestamp" >rows2
is "$(diff rows1 rows2 | grep -c '^>')" 2 "exactly these rows change"
sql "UPDATE ohlcv_1min SET close = NULL WHERE symbol = 'MSFT' AND volume = 1003"
bars MSFT 1min 40 | ts-store 2>err >out
is "$(counts out)" "MSFT 1min 40 0 1 39 0" "a null in the table is replaced"

# Corrections in two tables, in one batch.
{ bars TWO 1min 3; bars TWO day 3; } | ts-store >out 2>err
{ bars TWO 1min 3 5000; bars TWO day 3 6000; } >in
timeout 60 ts-store <in >out 2>err
is "$(counts out)" "TWO 1min 3 0 3 0 0
TWO day 3 0 3 0 0" "bars of two tables are corrected in one batch"
is "$(sql "SELECT (SELECT sum(volume) FROM ohlcv_1min WHERE symbol = 'TWO'), (SELECT sum(volume) FROM ohlcv_daily WHERE symbol = 'TWO')")" "15003|18003" \
	"each in its own"

# A correction of any one value.
bars ONE day 5 | tee in | ts-store >out 2>err
sed '1s/"open":[0-9.]*/"open":100.7/; 2s/"high":[0-9.]*/"high":555/; 3s/"low":[0-9.]*/"low":1.5/; 4s/"close":[0-9.]*/"close":103.8/
	5s/"volume":[0-9]*/"volume":7/' in | ts-store >out 2>err
is "$(counts out)/$(sql "SELECT array_agg(ARRAY[open, high, low, close, volume] ORDER BY date) FROM ohlcv_daily WHERE symbol = 'ONE'")" \
	"ONE day 5 0 5 0 0/{{100.7,100.86,100.25,100.75,1000},{101.5,555,101.25,101.75,1001},{102.5,102.86,1.5,102.75,1002},{103.5,103.86,103.25,103.8,1003},{104.5,104.86,104.25,104.75,7}}" \
	"a correction of one value alone is seen, whichever it is"

# Duplicates, the last one wins; and the same over two batches.
empty
{ bars AAPL day 30 1; bars AAPL day 30 7000; } | grep -v fetched >in
bars AAPL day 60 | tail -n 1 >>in
ts-store <in >out 2>err
is "$(counts out)" "AAPL day 60 30 0 30 0" "a bar that another replaces counts as unchanged"
is "$(sql "SELECT min(volume), count(*) FROM ohlcv_daily")" "7000|30" "the last bar of a key wins"
empty
ts-store -b 7 <in >out 2>err
is "$(sql "SELECT min(volume), count(*) FROM ohlcv_daily")" "7000|30" "in batches of 7, too"
is "$(counts out)" "AAPL day 60 30 30 0 0" "where the second one is an update"

# Two tasks of one series one after the other, and a task that failed before.
empty
{
	bars AAPL day 5
	bars AAPL day 8
	bars AAPL day 3 | head -n 2
	echo '{"type":"failed","job_id":"j","symbol":"AAPL","timeframe":"day","from":"f","to":"t","stage":"fetch","error":"e"}'
	bars AAPL day 1
	bars AAPL day 0
} | ts-store >out 2>err
is "$(counts out)" "AAPL day 0 0 0 0 0
AAPL day 1 0 0 1 0
AAPL day 5 5 0 0 0
AAPL day 8 3 0 5 0" "each task has its own counts"
unlike "$(cat err)" 'warning: [^t]' "a failed record ends a task"
bars AAPL day 5 | sed 2d | ts-store >out 2>err
is "$(counts out)" "AAPL day 4 0 0 4 0" "what a filter took away is not counted"
like "$(cat err)" 'AAPL day: 4 bars arrived, its fetched record says 5' "but it is told"

# Nothing but bars; shuffled; digits.
empty
perl -e 'srand 5; for (1 .. 3000) {
	my @d = map { int rand 10 } 1 .. 12; my $p = join "", 1 + int rand 9, @d[0 .. int rand 5];
	$p .= "." . join "", @d[5 .. 5 + int rand 6] if rand() < 0.9;
	my $t = sprintf "2024-%02d-%02d %02d:%02d:00+00", 1 + int rand 12, 1 + int rand 28, int rand 24, int rand 60;
	next if $seen{$t}++;
	(my $u = $t) =~ s/ /T/; $u =~ s/\+00/Z/;
	print qq({"symbol":"SH","timeframe":"1min","timestamp":"$u","open":$p,"high":$p,"low":$p,"close":$p,"volume":$_}\n);
	print STDERR join("\t", "SH", $t, $p, $p, $p, $p, $_), "\n" }' >in 2>in.tsv
ts-store -b 100 <in >out 2>err
is "$?/$(cat out)" 0/ "nothing but bars, shuffled"
sql "CREATE TABLE copied (LIKE ohlcv_1min)"
psql -X -q -c "\\copy copied from 'in.tsv'"
for t in ohlcv_1min copied; do
	sql "SELECT * FROM $t ORDER BY symbol, timestamp" >$t
done
cmp -s ohlcv_1min copied
ok $? "every digit is as psql has it"
before=$(fingerprint ohlcv_1min)
sort -R --random-source=in.tsv in | ts-store -b 1000 >out 2>err
ended_with " inserted=0 updated=0 unchanged=$(wc -l <in) " "in another order nothing changes"
is "$(fingerprint ohlcv_1min)" "$before" "and no row is written anew"
ts-store <<<'{"symbol":"EXP","timeframe":"day","date":"2025-01-02","open":1.25e+1,"high":12345678901234567890.5,"low":1e-20,"close":0.0125E3,"volume":1.2e+06}' 2>err
is "$(sql "SELECT open, high, low, close, volume FROM ohlcv_daily WHERE symbol = 'EXP'")" \
	"12.5|12345678901234567890.5|0.00000000000000000001|12.5|1200000" "exponents and long numbers are exact"

# The words of the trade for the timeframes.
empty
{
	for word in 1min 1m minute hour 1h 60min hourly day 1d daily week 1w weekly month 1mo monthly 5min; do
		echo "{\"symbol\":\"S$word\",\"timeframe\":\"$word\",\"date\":\"2025-06-01\",\"timestamp\":\"2025-12-19T15:00:00Z\",\"open\":1,\"high\":1,\"low\":1,\"close\":1,\"volume\":1}"
	done
} | ts-store >out 2>err
is "$?/$(for t in $tables; do sql "SELECT string_agg(symbol, ' ' ORDER BY symbol) FROM $t"; done)" "1/S1m S1min Sminute
S1h S60min Shour Shourly
S1d Sdaily Sday
S1w Sweek Sweekly
S1mo Smonth Smonthly" "other words for a timeframe are taken"
like "$(cat err)" 'S5min 5min .*: unknown timeframe: want .* month; a view over them makes others, see ts-cookbook\(7\)' \
	"five minutes are rejected, with how they are made"

# ---- bars that are not stored

empty
bad='{"type":"bar","symbol":"AAPL","timeframe":"1min","timestamp":"2025-12-22T14:30:00Z","open":2,"high":3,"low":1,"close":2,"volume":1}'
{
	echo "$bad"
	echo "$bad" | sed 's/"high":3/"high":0.5/'
	echo "$bad" | sed 's/"open":2/"open":0/'
	echo "$bad" | sed 's/"open":2/"open":"2"/'
	echo "$bad" | sed 's/"low":1/"low":-1/'
	echo "$bad" | sed 's/,"volume":1//'
	echo "$bad" | sed 's/"volume":1/"volume":-1/'
	echo "$bad" | sed 's/"volume":1/"volume":null/'
	echo "$bad" | sed 's/"timestamp"/"date"/'
	echo "$bad" | sed 's/14:30:00Z/14:30:00/'
	echo "$bad" | sed 's/12-22/02-30/'
	echo "$bad" | sed 's/1min/2min/'
	echo "$bad" | sed 's/AAPL/A\\tB/'
	echo "$bad" | sed "s/AAPL/$(printf '%065d' 1)/"
	echo "$bad" | sed 's/"symbol":"AAPL",//'
	bars AAPL 1min 10 | tail -n 1
} >in
ts-store <in >out 2>err
is "$?" 1 "bad bars show in the exit status"
is "$(grep -c ': rejected$' err)" 14 "each is named"
is "$(counts out)" "AAPL 1min 11 1 0 0 10" "and counted where it belongs"
like "$(cat err)" 'line 2: AAPL 1min 2025-12-22T14:30:00Z: high is below low: rejected' "with line, bar and reason"
is "$(sql "SELECT count(*) FROM ohlcv_1min")" 1 "none is stored"
empty
ts-store -n <in >out 2>err
is "$?/$(cat out)" 1/ "-n checks, and claims nothing"
ended_with 'checked: bars=15 rejected=14 ' "-n counts"
is "$(sql "SELECT count(*) FROM ohlcv_1min")" 0 "-n writes nothing"
(unset DATABASE_URL PGHOST; bars A day 4 | grep -v fetched | ts-store -n 2>err)
is $? 0 "-n needs no server"
for ((i = 0; i < 150; i++)); do
	echo "$bad" | sed 's/"open":2/"open":0/'
done | ts-store 2>err
is "$(grep -c ': rejected$' err)" 100 "after 100 rejected bars the log is quiet"
ended_with ' rejected=150 ' "but all are counted"

# Keys off their grid, symbols with blanks, and what is stored but told.
empty
grid=$(for bar in 'week:2025-12-14' 'week:2025-12-15' 'month:2025-11-01' 'month:2025-11-30' 'hour:2025-12-19T14:00:00Z' \
	'hour:2025-12-19T14:30:00Z' '1min:2025-12-19T14:30:00Z' '1min:2025-12-19T14:30:59Z'; do
	key="date"
	[[ $bar = *T* ]] && key=timestamp
	echo "{\"symbol\":\"G\",\"timeframe\":\"${bar%%:*}\",\"$key\":\"${bar#*:}\",\"open\":10,\"high\":11,\"low\":9,\"close\":10,\"volume\":1}"
done)
{ echo "$grid"; sed -n 's/"G"/"G "/p' <<<"$grid" | head -n 1; } | ts-store -R refused >out 2>err
is "$?/$(jq -r .error refused)" "1/date is not a Sunday, on which weeks start
date is not the first of a month
timestamp is not on a full hour
timestamp is not on a full minute
symbol has a blank at its start or end" "a key off its grid is rejected by name, and so is a blank around the symbol"
is "$(for t in ohlcv_1min ohlcv_hourly ohlcv_weekly ohlcv_monthly; do sql "SELECT count(*) FROM $t"; done | tr '\n' ' ')" "1 1 1 1 " \
	"those on it are stored"
rm refused
{ bars ODD day 5 | sed '1s/"open":[0-9.]*/"open":200/; 2s/"close":[0-9.]*/"close":1/; 3s/"volume":[0-9]*/"volume":0.318/'
	bars I:SPX day 3 | sed 's/,"volume":[0-9]*//'; bars NONE day 1 | sed 's/,"volume":[0-9]*//'; } >in
ts-store <in >out 2>err
is "$(jq -c '[.symbol, .type, .inserted, .rounded, .odd, .error]' out | sort)" '["I:SPX","stored",3,null,null,null]
["NONE","failed",null,null,null,"volume is missing or null"]
["ODD","stored",5,1,2,null]' "odd and rounded bars are counted, and an index needs no volume"
like "$(cat err)" 'ODD day: 2 bars with open or close outside of low and high: stored as the vendor has it' "odd ones are warned of"
ended_with ' failed=1 rounded=1 odd=2 ' "the end line has them"
unlike "$(cat err)" 'of no task' "once"
grep '"timeframe":"day"' in | grep '"open"' | ts-store >out 2>err
like "$(grep -o 'warning: . bars* of no task.*' err | paste -s)" 'warning: 2 bars of no task with open or close outside.*1 bar of no task rounded' \
	"also those of no task"
is "$(sql "SELECT count(*) FROM ohlcv_daily WHERE symbol = 'I:SPX' AND volume IS NULL")" 3 "a volume that is not there is NULL"
ts-store <in >out 2>err
ended_with ' inserted=0 updated=0 unchanged=8 ' "the same again is unchanged"
sed '/"I:SPX"/s/"close":[0-9.]*/"close":100.6/' in | ts-store >out 2>err
is "$(counts out | grep SPX)/$(sql "SELECT count(*) FROM ohlcv_daily WHERE symbol = 'I:SPX' AND volume IS NULL AND close = 100.6")" \
	"I:SPX day 3 0 3 0 0/3" "and is corrected without one"
ts-store -n <in 2>err
ended_with ' rounded=1 odd=2 ' "-n counts them, too"
empty
sql "ALTER TABLE ohlcv_daily ALTER open TYPE numeric(10,2), ALTER close TYPE numeric(10,2)"
{
	bars PENNY day 2 | sed '1s/"open":[0-9.]*/"open":0.0012/; 1s/"low":[0-9.]*/"low":0.0011/'
	bars AAPL day 4 | sed '1s/"open":[0-9.]*/"open":100.8551/; 2s/"close":[0-9.]*/"close":101.7500/; 3s/"open":[0-9.]*/"open":102.505/'
} >in
for again in '4 0' '0 4'; do
	ts-store -R refused <in >out 2>err
	is "$(jq -c '[.symbol, .inserted, .unchanged, .rejected, .rounded, .reason]' out | grep AAPL)/$(jq -r .error refused)" \
		"[\"AAPL\",${again% *},${again#* },0,2,null]/open would be rounded to 0 by its column" \
		"a column that cannot hold the digits rounds, which is counted; nothing becomes 0 ($again)"
	rm refused
done
is "$(grep -c 'column open holds 2 decimals: prices with more are rounded' err)/$(grep -c 'column close' err)" 1/0 "it is told once"
is "$(sql "SELECT string_agg(open::text, ' ' ORDER BY date) FROM ohlcv_daily WHERE symbol = 'AAPL'")" "100.86 101.50 102.51 103.50" "as Postgres rounds"
sql "ALTER TABLE ohlcv_daily ALTER open TYPE numeric, ALTER close TYPE numeric"

# What only Postgres refuses.
sql "ALTER TABLE ohlcv_1min ADD CONSTRAINT lucky CHECK (volume <> 1234)"
{ bars AAPL 1min 500; bars MSFT 1min 500; } >in
ts-store <in >out 2>err
is "$?" 1 "a constraint of the table's"
is "$(counts out)" "AAPL 1min 500 499 0 0 1
MSFT 1min 500 499 0 0 1" "refuses exactly its bar"
like "$(cat err)" 'line 235: AAPL 1min 2025-12-22T18:24:00Z: 23514: .*lucky.*: rejected' "which is named with Postgres' words"
empty
ts-store -b 1 <in >out 2>err
is "$(counts out | head -n 1)" "AAPL 1min 500 499 0 0 1" "also when it stands alone"
sql "ALTER TABLE ohlcv_1min DROP CONSTRAINT lucky"
empty
sql "ALTER TABLE ohlcv_daily ALTER symbol TYPE varchar(5), ALTER volume TYPE integer, ALTER open TYPE numeric(8,1)"
{ bars AAPL day 500; bars TOOLONG day 2000; bars MSFT day 500; bars TOOLONG hour 5; bars BIG day 1 3000000000; } >in
ts-store <in >out 2>err
is "$?" 1 "a symbol that is too long for its column"
is "$(counts out)" "AAPL day 500 500 0 0 0
MSFT day 500 500 0 0 0
TOOLONG hour 5 5 0 0 0" "harms no other series"
is "$(jq -c 'select(.type == "failed") | [.symbol, .timeframe, .stage, .error]' out)" \
	'["TOOLONG","day","store","22001: value too long for type character varying(5)"]
["BIG","day","store","22003: volume is out of range for integer"]' "fails its task in Postgres' words, and so does a bar that was all its task had"
like "$(cat err)" 'TOOLONG day.*given up' "and is given up"
before=$(fingerprint ohlcv_daily)
ts-store <in >out 2>err
is "$(counts out | grep AAPL)" "AAPL day 500 0 0 500 0" "a column that rounds: unchanged"
is "$(fingerprint ohlcv_daily)" "$before" "and no row is written anew"
sql "ALTER TABLE ohlcv_daily ALTER symbol TYPE varchar, ALTER volume TYPE bigint, ALTER open TYPE numeric"
sql "REVOKE INSERT ON ohlcv_hourly FROM reader"
empty
{ bars AAPL hour 5; bars AAPL day 5; } |
	DATABASE_URL="${DATABASE_URL%user=*}user=reader" ts-store >out 2>err
is "$(counts out)/$(jq -r 'select(.type == "failed").error' out)" \
	"AAPL day 5 5 0 0 0/table ohlcv_hourly: INSERT not granted to reader: GRANT INSERT ON public.ohlcv_hourly TO reader" "a right that is missing"

# A symbol that another table does not know: each row is refused, though few enough to go on.
sql "CREATE TABLE symbols (symbol varchar PRIMARY KEY); INSERT INTO symbols VALUES ('AAPL');
	ALTER TABLE ohlcv_daily ADD CONSTRAINT known FOREIGN KEY (symbol) REFERENCES symbols"
empty
{
	echo '{"type":"job","job_id":"j","symbols":2,"timeframes":["day"],"tasks":2,"received_at":"2025-12-23T17:15:13Z"}'
	bars MSFT day 5
	bars AAPL day 5 | sed '2s/"high":[0-9.]*/"high":1/; 3s/"open":[0-9.]*/"open":0/'
} >in
fk='23503: insert or update on table \"ohlcv_daily\" violates foreign key constraint \"known\"'
ts-store <in >out 2>err
is "$?/$(jq -c 'select(.type == "failed") | [.symbol, .stage, .error]' out)" "1/[\"MSFT\",\"store\",\"$fk\"]" \
	"a task none of whose bars went in has failed, in Postgres' words"
is "$(jq -c 'select(.type == "stored") | [.symbol, .bars, .inserted, .rejected, .reason]' out)" '["AAPL",5,3,2,"high is below low"]' \
	"one that lost some is stored, and says why it lost the first"
bars X day 5 | sed 's/"open":[0-9.]*/"open":0/' | ts-store >out 2>err
is "$(jq -c '[.type, .symbol, .error]' out)" '["failed","X","open is not above 0"]' "also where no bar could be read"
sql "ALTER TABLE ohlcv_daily DROP CONSTRAINT known"

# ---- others at work

empty
for s in A B C D E F G H; do bars $s 1min 2000; done >in
for s in H G F E D C B A; do bars $s 1min 2000; done | sed 's/"volume":1/"volume":2/' >in2
ts-store -b 3000 <in >out1 2>err1 & a=$!
ts-store -b 3000 <in2 >out2 2>err2 & b=$!
wait $a; x=$?
wait $b
is "$x$?" 00 "two writers of the same bars in opposite order"
is "$(sql "SELECT count(*), count(DISTINCT (symbol, timestamp)) FROM ohlcv_1min")" "16000|16000" "every row once"
is "$(cat out1 out2 | jq -s 'map(select(.type == "stored")) | [length, (map(.inserted) | add), (map(.bars - .inserted - .updated - .unchanged - .rejected) | add)]' -c)" \
	"[16,16000,0]" "every row is inserted by one of them, and counts add up"
unlike "$(cat err1 err2)" 'deadlock|40P01' "no deadlock"

# Somebody writes a bar between the moment when the table is read and that when it is written.
empty
hold "INSERT INTO ohlcv_daily VALUES ('AAPL', '2002-01-02', 1, 1, 1, 1, 1), ('AAPL', '2002-01-03', 103.5, 103.86, 103.25, 103.75, 1003)"
bars AAPL day 6 >in
# What an earlier run has said must not be taken for this one's.
rm -f out err
ts-store -v <in >out 2>err &
store=$!
wait_for 5 held_up
let_go
wait $store
is "$(counts out)" "AAPL day 6 4 1 1 0" "a bar that another writer commits meanwhile is updated, or left"
like "$(cat err)" 'batch rows=6 series=1 transactions=2$' "at the second try"

# While one connection is held up, another one takes what it read of the table.
empty
sql "ALTER SYSTEM SET log_statement = 'all'"
sql "SELECT pg_reload_conf()" >/dev/null
hold "INSERT INTO ohlcv_daily VALUES ('AAPL', '2002-01-02', 1, 1, 1, 1, 1)"
rm -f out err feed
mkfifo feed
since=$(wc -l <pg.log)
begun=$SECONDS
ts-store -j 2 <feed >out 2>err &
store=$!
exec {feed}>feed
bars AAPL day 6 >&"$feed"
wait_for 5 held_up
bars MSFT day 6 >&"$feed"
wait_for 4 grep -q stored.*MSFT out
let_go
exec {feed}>&-
wait $store
is "$?/$(counts out | sort | tr '\n' /)" "0/AAPL day 6 5 1 0 0/MSFT day 6 6 0 0 0/" "it goes on beside it"
looks=$(tail -n +$((since + 1)) pg.log | grep -c 'The table of a timeframe')
[ "$looks" -gt 0 ] && [ "$looks" -le $((1 + (SECONDS - begun) / 5)) ]
ok $? "two connections look at the catalogue once in 5 seconds ($looks)"
sql "ALTER SYSTEM RESET log_statement"
sql "SELECT pg_reload_conf()" >/dev/null

# More series than are kept without need, while all workers are busy: none goes that a line is about.
empty
for s in {1..4000}; do
	echo '{"type":"bar","symbol":"S'$s'","timeframe":"day","date":"2025-12-22","open":2,"high":3,"low":1,"close":2,"volume":1}'
done >in
ts-store -j 2 -b 400 <in >out 2>err
is "$?/$(sed -n 's/.* end bars=\([0-9]*\) inserted=\([0-9]*\) .*/\1 \2/p' err)/$(sql "SELECT count(*) FROM ohlcv_daily")" "0/4000 4000/4000" "bars of many series"
for s in {1..1100}; do
	for bar in '"2025-12-22","open":2' '"2025-12-23","open":2.5'; do
		echo '{"type":"bar","symbol":"T'$s'","timeframe":"day","date":'$bar',"high":3,"low":1,"close":2,"volume":1}'
		[ "${bar:10:1}" = 2 ] || continue
		echo '{"type":"fetched","job_id":"many","symbol":"T'$s'","timeframe":"day","from":"2025-12-22","to":"2025-12-22","bars":1,"first":"2025-12-22","last":"2025-12-22"}'
	done
done >in
ts-store -j 2 -b 400 <in >out 2>err
is "$?/$(sed -n 's/.* end bars=\([0-9]*\) inserted=\([0-9]*\) .*/\1 \2/p' err)/$(grep -c '"type":"stored"' out)/$(sql "SELECT count(*) FROM ohlcv_daily WHERE symbol LIKE 'T%'")" \
	"0/2200 2200/1100/2200" "and bars behind their own fetched record"

# A batch that is nearly full ends where another series begins, of which it then has nothing.
empty
{ bars AAPL day 6; bars MSFT day 2; bars TSLA day 4; } >in
ts-store -v -j 1 -b 8 <in >out 2>err
is "$?/$(sed -n 's/.*batch rows=\([0-9]*\) series=\([0-9]*\) .*/\1:\2/p' err | paste -sd ' ')" "0/6:1 6:2" "batches end between series"

# TimescaleDB 2.17 ended ON CONFLICT DO NOTHING at the first row that was there: so does this table.
empty
sql "CREATE FUNCTION stops() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
	IF TG_LEVEL = 'STATEMENT' THEN PERFORM set_config('ts.stopped', '', true); RETURN NULL; END IF;
	IF EXISTS (SELECT FROM ohlcv_daily WHERE symbol = NEW.symbol AND date = NEW.date) THEN PERFORM set_config('ts.stopped', 't', true); END IF;
	IF current_setting('ts.stopped', true) = 't' THEN RETURN NULL; END IF; RETURN NEW; END \$\$;
	CREATE TRIGGER stops1 BEFORE INSERT ON ohlcv_daily FOR EACH STATEMENT EXECUTE FUNCTION stops();
	CREATE TRIGGER stops2 BEFORE INSERT ON ohlcv_daily FOR EACH ROW EXECUTE FUNCTION stops()"
hold "INSERT INTO ohlcv_daily VALUES ('AAPL', '2002-01-02', 1, 1, 1, 1, 1), ('AAPL', '2002-01-03', 103.5, 103.86, 103.25, 103.75, 1003)"
bars AAPL day 6 >in
rm -f out err
ts-store <in >out 2>err &
store=$!
wait_for 5 held_up
let_go
wait $store
is "$?/$(counts out)/$(sql "SELECT count(*) FROM ohlcv_daily")" "0/AAPL day 6 4 1 1 0/6" "an insert that ends at a row that is there loses none behind it"
sql "DROP TRIGGER stops1 ON ohlcv_daily; DROP TRIGGER stops2 ON ohlcv_daily"
# What a bar replaced that is refused then is not stored, and not called so.
empty
sql "ALTER TABLE ohlcv_daily ADD CONSTRAINT dislikes CHECK (volume <> 66)"
{ bars AAPL day 3 | sed '2p' | sed '3s/"volume":[0-9]*/"volume":66/' | sed '$s/"bars":3/"bars":4/'; } >in
ts-store -R doubles <in >out 2>err
is "$?/$(counts out)/$(jq -c .volume doubles | paste -s -d,)" "1/AAPL day 4 2 0 0 2/66,1001" "what a refused bar replaced is refused with it"
sql "ALTER TABLE ohlcv_daily DROP CONSTRAINT dislikes"
bars AAPL day 6 | ts-store 2>/dev/null >out

# Somebody deletes a bar that is to be corrected.
bars AAPL day 6 | sed '2s/"low":[0-9.]*/"low":1/' >in
hold "DELETE FROM ohlcv_daily WHERE volume = 1001"
rm -f out err
ts-store <in >out 2>err &
store=$!
wait_for 5 held_up
let_go
wait $store
is "$(counts out)/$(sql "SELECT low FROM ohlcv_daily WHERE volume = 1001")" "AAPL day 6 1 0 5 0/1" \
	"a bar that is deleted between reading and correcting is inserted"
# Somebody waits for what ts-store has, and has what it waits for: the deadlock ends with ts-store.
sql "CREATE FUNCTION take_turns() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END \$\$;
	CREATE TRIGGER turns BEFORE INSERT ON ohlcv_daily FOR EACH ROW EXECUTE FUNCTION take_turns()"
hold "SET LOCAL deadlock_timeout = '1min'; SELECT pg_advisory_xact_lock(7)"
bars DEAD day 1 | PGOPTIONS="-c deadlock_timeout=3s" ts-store >out 2>err &
store=$!
wait_for 5 held_up
echo 'LOCK TABLE ohlcv_daily IN EXCLUSIVE MODE; SELECT 2;' >&"$holding"
wait_for 20 grep -q 2 held
let_go
wait $store
is "$?/$(counts out)" "0/DEAD day 1 1 0 0 0" "a deadlock is no fault of the bar"
like "$(cat err)" 'Postgres: 40P01: .*: trying again' "which is said"
sql "DROP TRIGGER turns ON ohlcv_daily"

# A message that is longer than what is kept of it ends with a whole character.
for start in '' x; do
	sql "CREATE OR REPLACE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS
		\$\$ BEGIN RAISE EXCEPTION '%', '$start' || repeat('é', 400); END \$\$;
		CREATE OR REPLACE TRIGGER long BEFORE INSERT ON ohlcv_daily FOR EACH ROW EXECUTE FUNCTION complain()"
	bars LONG day 1 | ts-store -R refused >out 2>err
	grep -q "P0001: $start\(é\)*é\"}" out && cat out refused err | iconv -f UTF-8 -t UTF-8 >/dev/null
	ok $? "a message of Postgres is cut between two characters ('$start')"
	rm refused
done
sql "DROP TRIGGER long ON ohlcv_daily"

# Poison among 50,000 bars, at any place, is found by halves.
transactions() {
	sed -n 's/.*transactions=//p' err | awk '{ n += $1 } END { print n + 0 }'
}
# few N: transactions for one batch; where reading was slow there were more, each with one of its own.
few() {
	local n batches
	n=$(transactions)
	batches=$(sed -n 's/.* batches=\([0-9]*\) .*/\1/p' err)
	# On a slow machine what is odd may come in two batches.
	[ "$n" -le $(($1 * (batches > 1 ? 2 : 1) + batches - 1)) ] && return
	echo "# $n transactions for $batches batches"
	return 1
}
empty
sql "ALTER TABLE ohlcv_1min ADD CONSTRAINT lucky CHECK (volume <> 7), ALTER open TYPE numeric(10,4)"
bars AAPL 1min 50000 100000 >in
for place in 1 25000 50000; do
	for poison in '"volume":7' '"open":1234567'; do
		sed "${place}s/${poison%:*}:[0-9.]*/$poison/; ${place}s/\"high\":/&9/" in >in2
		ts-store -v -b 50000 -R refused <in2 >out 2>err
		is "$(jq -c '[.bars - .rejected, .rejected]' out)" "[49999,1]" "bar $place of 50000 with $poison is refused alone"
		few 36
		ok $? "in twice the logarithm of the batch"
		is "$(jq -c --slurp 'map(del(.error))' refused)" "$(sed -n "${place}p" in2 | jq -c --slurp .)" "and kept"
		rm refused
	done
done
sql "ALTER TABLE ohlcv_1min DROP CONSTRAINT lucky, ALTER open TYPE numeric, ALTER symbol TYPE varchar(5)"
empty
for s in {10..58}; do
	bars "S$s" 1min 1000
done >in
bars POISON 1min 1000 >in2
for place in 0 24 49; do
	{ head -n $((place * 1001)) in; cat in2; tail -n +$((place * 1001 + 1)) in; } >in3
	ts-store -v -b 50000 -R refused <in3 >out 2>err
	is "$(jq -c -s '[map(select(.type == "stored")) | length, (map(.bars - .rejected) | add)], map(select(.type == "failed") | .symbol)' out | tr -d '\n')" \
		'[49,49000]["POISON"]' "a symbol too long for its column, in place $place of 50, fails alone"
	few 48
	ok $? "in few transactions"
	is "$(sql "SELECT count(*) FROM ohlcv_1min")/$(jq -r .symbol refused | sort | uniq -c | tr -d ' ')" "49000/1000POISON" \
		"and all its bars are kept"
	rm refused
done
sql "ALTER TABLE ohlcv_1min ALTER symbol TYPE varchar; ALTER TABLE ohlcv_weekly RENAME TO gone"
{ bars AAPL 1min 30000; bars AAPL week 100; bars MSFT 1min 19900; } >in
ts-store -v -b 50000 -R refused <in >out 2>err
is "$(jq -c -s 'sort_by(.symbol, .timeframe) | map([.type, .symbol, .timeframe])' out)" \
	'[["stored","AAPL","1min"],["failed","AAPL","week"],["stored","MSFT","1min"]]' "a table that is missing fails its timeframe alone"
[ "$(transactions)" -le "$(sed -n 's/.* batches=\([0-9]*\) .*/\1/p' err)" ]
is "$?/$(wc -l <refused)" 0/100 "at once, and its bars are kept"
sql "ALTER TABLE gone RENAME TO ohlcv_weekly"
rm refused

# ---- rejects

empty
sql "ALTER TABLE ohlcv_1min ADD CONSTRAINT lucky CHECK (volume <> 1234)"
{
	bars AAPL 1min 500 | sed '10s/"low":[0-9.]*/"low" :1e9, "extra":[1,{"a":"}"}]/; 20s/"close":[0-9.]*/"close":"x"/;
		30s/,"volume":[0-9]*//; 40s/}$/,"error":"of \\"yore\\"","n":1} /; 40s/"high":[0-9.]*/"high":0.1/'
	bars MSFT day 100
} >in
ts-store -R refused <in >out 2>err
is "$?" 1 "-R"
is "$(counts out)" "AAPL 1min 500 495 0 0 5
MSFT day 100 100 0 0 0" "counts"
is "$(jq -r 'select(.symbol == "AAPL") | .volume' refused | tr '\n' ' ')" "1009 1019 null 1039 1234 " "the file has as many"
is "$(sed -n 1p refused)" "$(sed -n '10s/}$/,"error":"high is below low"}/p' in)" "a line is kept as it was, with the reason"
is "$(sed -n 4p refused)" "$(sed -n '40s/,"error":"of \\"yore\\"","n":1} $/,"n":1,"error":"high is below low"}/p' in)" \
	"an older reason is replaced"
like "$(sed -n 5p refused)" '^\{"type":"bar",.*"volume":1234,"error":"23514: .*lucky.*"\}$' "Postgres' refusals are there, too"
ts-store -R refused2 <refused >out 2>err
is "$?/$(jq -c -s 'map([.symbol, .volume, .error])' refused)" "1/$(jq -c -s 'map([.symbol, .volume, .error])' refused2)" \
	"not mended, they are refused again"
sql "ALTER TABLE ohlcv_1min DROP CONSTRAINT lucky"
jq -c '.high = 2e9 | .close = 3 | .volume //= 1029' refused | ts-store -R refused2 2>err
is "$?/$(sql "SELECT count(*) FROM ohlcv_1min")/$(wc -l <refused2)" 0/500/5 "mended, they are stored"
printf '{"cut' >refused2
sed -n 10p in | ts-store -R refused2 2>err
is "$(wc -l <refused2)/$(tail -n 1 refused2 | jq -r .error)" "2/high is below low" "a cut last line does not spoil the next"
{ printf '{"symbol":"L","timeframe":"day","open":1,"x":"'; head -c 1048520 /dev/zero | tr '\0' x; echo '"}'; } |
	ts-store -R refused3 2>err
is "$(jq -c . refused3)" '{"type":"bar","symbol":"L","timeframe":"day","open":1,"error":"date is missing"}' \
	"what would be too long is cut down to the bar"
# What is meant as a bar and cannot be read as one.
bar='"timeframe":"day","date":"2025-12-22","open":10,"high":11,"low":9,"close":10.5,"volume":100}'
page='{"ticker":"AAPL","resultsCount":1,"adjusted":true,"results":[{"v":1e3,"o":1.5,"c":1.25,"h":2,"l":1,"t":1766379600000}],"status":"OK"}'
meant() {
	cat <<-END
		{"symbol":"A",$bar
		{"symbol":"A","timeframe":"day","date":"2025-12-16","high":11,"low":9,"close":10.5,"volume":100}
		{"symbol":"A","timeframe":"day","date":"2025-12-17","open":NaN,"high":NaN,"low":NaN,"close":NaN,"volume":0}
		{"ticker":"A",$bar
		{"Symbol":"A",$bar
		{"symbol":"A","Date":"2025-12-22","Open":10,"High":11,"Low":9,"Close":10.5,"Volume":100}
		{"symbol":"A","date":"2025-12-22","open":10,"high":11,"low":9,"close":10.5,"volume":100}
		{"symbol":"A","timeframe":"1min","timestamp":1766413800,"open":10,"high":11,"low":9,"close":10.5,"volume":1}
		{"symbol":"A",${bar%?},"\u0063lose":8}
		{"\u0073ymbol":"A",$bar
		{"type":null,"symbol":"A",$bar
		$page
		[$page]
		Date,Open,High,Low,Close,Volume
		Date,Open,High,Low,Close,Volume
	END
}
rm -f refused5
meant | ts-store -n -R refused5 >out 2>err
is "$?/$(wc -c <out)" 1/0 "what is meant as a bar is not copied"
ended_with 'bars=11 rejected=8 refused=4' "each is counted"
is "$(wc -l <refused5)" 12 "and kept"
for want in '2: A day 2025-12-16: open is missing' '3: A day 2025-12-17: NaN or Infinity is not a JSON number' \
	'4: .*: symbol is missing: it is called "ticker"' '5: .*: symbol is missing: it is called "Symbol"' \
	'6: .*: open is missing: it is called "Open"' '7: .*: timeframe is missing' '8: A 1min: timestamp is a number' \
	'9: the key "close" stands twice' '12: a page of the API is not a bar' '13: not JSON' '14: not JSON'; do
	like "$(cat err)" "line $want" "told: $want"
done
is "$(grep -c 'hint: ' err)/$(grep -c 'hint: CSV' err)" 5/1 "each hint is given once"
hint=$(sed -n "s/.*hint: a page of the API becomes bars through jq -c '\(.*\)'; .*/\1/p" err)
is "$(jq -c "$hint" <<<"$page" | ts-store -n -R refused5 2>&1 | grep -o 'bars=1 rejected=0')" 'bars=1 rejected=0' \
	"and the one for a page makes bars of it"
printf '%s\n' '{"type":"task","job_id":"j","symbol":"A","timeframe":"day","from":"f","to":"t"}' | ts-store >out 2>err
is "$?/$(grep -c 'not one bar among 1 lines; the first is a task' err)" 1/1 "tasks alone are told and exit 1"
printf '%s\n' '{"type":"cancel","job_id":"j"}' | ts-store >out 2>err
is "$?" 0 "what rightly passes through is no ground for that"
printf '{"symbol":"\302\233A\342\200\256B","timeframe":"day","date":"2025-12-22","open":1,"high":1,"low":2,"close":1,"volume":1}\n' |
	ts-store -n 2>err
like "$(cat err)" '1: \\xc2\\x9bA\\xe2\\x80\\xaeB day' "C1 and bidi controls are escaped"
{ printf '{"a":1,"'; printf '\303\251%.0s' {1..600}; printf '":2,"'; printf '\303\251%.0s' {1..600}; printf '":2}\n'; } | ts-store -n 2>err
iconv -f utf-8 -t utf-8 err >/dev/null
ok $? "no line is cut within a character"
yes garbage 2>/dev/null | head -n 150 | ts-store -n 2>err
is "$(grep -c 'garbage\|: line ' err)/$(grep -c 'further ones are only counted' err)" 100/1 "lines that are refused are told a hundred times"

ts-store -n -R refused4 <in 2>err
is "$?/$(wc -l <refused4)" 1/4 "-n -R checks"
for file in nosuch/refused . ''; do
	ts-store -R "$file" </dev/null 2>err
	is "$?" 100 "-R '$file' cannot be"
done
ts-store -R /dev/full <in >out 2>err
is "$?/$(grep -c MSFT out)" 111/0 "a reject that cannot be kept has no verdict, and ends it"
is "$(grep -c 'writing /dev/full: No space left' err)" 1 "which is told once"
# A series that is given up, and what comes after it.
empty
sql "ALTER TABLE ohlcv_daily ADD CONSTRAINT lucky CHECK (symbol <> 'BAD')"
rm refused
{ bars GOOD day 50; bars BAD day 3000; bars GOOD hour 50; } >in
ts-store -b 100 -R refused <in >out 2>err
is "$(counts out)/$(wc -l <refused)/$(jq -r .error refused | cut -c 1-6 | uniq -c | tr -d ' ')" \
	"GOOD day 50 50 0 0 0
GOOD hour 50 50 0 0 0/3000/300023514:" "a series that is given up is kept whole"
# Batches that were under way or full when the first of them was refused are narrowed down each.
is "$(sed -n 's/.* inserted=100 .* rejected=\([0-9]*\) dropped=\([0-9]*\) .*/\1+\2/p' err | tr + "\n" | awk "{ n += \$1 } END { print n }")" 3000 "as counted"
sql "ALTER TABLE ohlcv_daily DROP CONSTRAINT lucky"
ts-store <refused 2>err
is "$?/$(sql "SELECT count(*) FROM ohlcv_daily")" 0/3050 "and can be stored from there"
# The status hash agrees.
# shellcheck disable=SC2119
if redis_start; then
	empty
	rm -f refused
	{
		echo '{"type":"job","job_id":"j","symbols":1,"timeframes":["day"],"tasks":1,"received_at":"2025-12-23T17:15:13Z"}'
		bars AAPL day 100 | sed '5s/"open":[0-9.]*/"open":0/; 50s/"low":/&9/'
	} | ts-store -R refused 2>err | tee out | ts-status -q >/dev/null 2>&1
	is "$(counts out)/$(wc -l <refused)/$(sql "SELECT count(*) FROM ohlcv_daily")/$(hash j errors)/$(hash j failed_symbols)" \
		'AAPL day 100 98 0 0 2/2/98/["AAPL day: 2 bars rejected: open is not above 0"]/["AAPL"]' "stored, the file, the table and the status hash agree"
fi

# ---- what lies between

# Two ends of a series whose middle is stored: as they come where a long range is fetched in pieces.
fetched_rows() {
	sql "SELECT coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'ohlcv_1min'"
}
empty
bars ENDS 1min 40000 | grep -v fetched >in
sed '2001,38000!d' in | ts-store 2>err
before=$(fetched_rows)
sed '2001,38000d' in | ts-store 2>err
ended_with ' inserted=4000 updated=0 unchanged=0 ' "the ends of a series are stored around its middle"
ts-store <in 2>err
ended_with ' inserted=0 updated=0 unchanged=40000 ' "and are read where they stand"
more_read() {
	[ "$(fetched_rows)" -ge $((before + 40000)) ]
}
wait_for 10 more_read
[ $(($(fetched_rows) - before)) -lt 50000 ]
ok $? "what lies between was not read with them"

# A task that is stored as it is costs one look at each row, however many batches it comes in.
index_rows() {
	sql "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'ohlcv_1min'"
}
gone() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")" -eq 1 ]
}
empty
bars ONCE 1min 6000 >in
ts-store <in >out 2>err
wait_for 10 gone
before=$(index_rows)
ts-store -b 2000 <in >out 2>err
wait_for 10 gone
ended_with ' unchanged=6000 ' "a task comes again in three batches"
like "$(cat out)" '"unchanged":6000,"rejected":0}' "and the table has nothing else"
is "$(($(index_rows) - before))" 6000 "which is seen as the bars are compared"
# Over nights and the longest weekend, too, wherever a batch ends.
empty
for day in 16 17 21 22 23; do
	for ((i = 810; i < 1200; i++)); do
		printf '{"type":"bar","symbol":"EASTER","timeframe":"1min","timestamp":"2025-04-%sT%02d:%02d:00Z","open":1,"high":1,"low":1,"close":1,"volume":1}\n' \
			$day $((i / 60)) $((i % 60))
	done
done >in
echo '{"type":"fetched","job_id":"j","symbol":"EASTER","timeframe":"1min","from":"2025-04-16T00:00:00Z","to":"2025-04-24T00:00:00Z","bars":1950}' >>in
ts-store <in >out 2>err
wait_for 10 gone
before=$(index_rows)
ts-store -b 750 <in >out 2>err
wait_for 10 gone
is "$(jq .unchanged out)/$(($(index_rows) - before))" 1950/1950 "nor is a row looked at twice over nights and days without a session"
# Nor where its pieces, each longer than a week, come in another order.
sed -n '$d; s/-04-16T/-05-16T/p; s/-04-17T/-05-19T/p' in >late
{ sed '$d; /-04-2[123]T/d' in && cat late && grep '"bar".*-04-2[123]T' in && sed -n '$s/1950/2730/p' in | sed 's/04-24/05-20/'; } >in2
ts-store -b 390 <in2 >out 2>err
wait_for 10 gone
before=$(index_rows)
ts-store -b 390 <in2 >out 2>err
wait_for 10 gone
is "$(jq .unchanged out)/$(($(index_rows) - before))" 2730/2730 "nor where pieces of a task come in another order"
sql "INSERT INTO ohlcv_1min SELECT symbol, '2025-04-18T15:00:00Z', open, high, low, close, volume FROM ohlcv_1min LIMIT 1"
ts-store -b 390 <in2 >out 2>err
is "$(jq -c '[.unchanged, .extra]' out)" '[2730,1]' "but what stands between two of them is found"

# ---- several connections

for n in 0 9 x ''; do
	ts-store -j "$n" </dev/null 2>err
	is "$?" 100 "-j '$n'"
done
empty
for s in A B C D E F; do bars $s 1min 4000; bars $s day 500; done >in
grep -v fetched in | sort -R --random-source=in >shuffled
grep fetched in >>shuffled
ts-store <in >out 2>err
for t in $tables; do
	sql "SELECT * FROM $t ORDER BY 1, 2"
done | sed 's/|20[^|]*$//' >rows1
for j in 2 8; do
	for file in in shuffled; do
		empty
		ts-store -v -j $j -b 500 <$file >out 2>err
		is "$?/$(counts out | grep -c -e '1min 4000 4000 0 0 0' -e 'day 500 500 0 0 0')" 0/12 "-j $j: every task has its counts ($file)"
		for t in $tables; do
			sql "SELECT * FROM $t ORDER BY 1, 2"
		done | sed 's/|20[^|]*$//' >rows2
		cmp -s rows1 rows2
		ok $? "-j $j: the tables are as with one connection ($file)"
		ts-store -j $j -b 500 <$file >out 2>err
		ended_with ' inserted=0 updated=0 unchanged=27000 ' "-j $j: the same again is unchanged ($file)"
	done
done
# Bars that come again and again: the last one wins, whoever stores it.
empty
for v in 1 2 3 4 5 6 7 8; do
	bars AAPL 1min 1000 ${v}000000 | grep -v fetched
done >in
ts-store -j 4 -b 600 <in >out 2>err
is "$(sql "SELECT count(*), min(volume) FROM ohlcv_1min")" "1000|8000000" "-j 4: the last bar of a key wins over batches"
ended_with ' inserted=1000 updated=7000 unchanged=0 ' "-j 4: each counted for what it was"
# Two tasks of one series; one that fails.
empty
{ bars AAPL day 500; bars MSFT day 500; bars AAPL day 800; } | ts-store -j 3 -b 100 >out 2>err
is "$(counts out)" "AAPL day 500 500 0 0 0
AAPL day 800 300 0 500 0
MSFT day 500 500 0 0 0" "-j 3: each task has its own counts"
empty
for s in A B C D E F G H; do bars $s 1min 2000; done >in
for s in H G F E D C B A; do bars $s 1min 2000; done | sed 's/"volume":1/"volume":2/' >in2
ts-store -j 2 -b 700 <in >out1 2>err1 & a=$!
ts-store -j 2 -b 700 <in2 >out2 2>err2 & b=$!
wait $a; x=$?
wait $b
is "$x$?" 00 "-j 2: two writers of the same bars in opposite order"
is "$(cat out1 out2 | jq -s 'map(select(.type == "stored")) | [length, (map(.inserted) | add), (map(.bars - .inserted - .updated - .unchanged - .rejected) | add)]' -c)/$(sql "SELECT count(*) FROM ohlcv_1min")" \
	"[16,16000,0]/16000" "-j 2: every row is inserted by one of them, and counts add up"
unlike "$(cat err1 err2)" 'deadlock|40P01|trying again' "-j 2: no deadlock"
# A verdict comes after all of its bars are committed: one connection is held up by a lock.
empty
hold "INSERT INTO ohlcv_1min VALUES ('A', '2025-12-22 14:30:00Z', 1, 1, 1, 1, 1)"
mkfifo slow
rm -f out err
ts-store -j 2 -b 1000 <slow >out 2>err &
store=$!
exec {fd}>slow
bars A 1min 600 >in4
{ head -n 300 in4; echo '{"type":"x"}'; } >&"$fd"
# All of them are read, and in the hands of a connection.
wait_for 5 grep -q '"x"' out && wait_for 5 held_up
bars B 1min 300 >&"$fd"
wait_for 5 grep -q '"symbol":"B"' out
ok $? "-j 2: one connection waits, the other goes on"
tail -n +301 in4 >&"$fd"
is "$(grep -c '"symbol":"A"' out)/$(sql "SELECT count(*) FROM ohlcv_1min WHERE symbol = 'A' AND volume > 1")" 0/0 \
	"-j 2: no verdict before the last commit, and nothing of a series before what came first"
let_go
wait_for 5 grep -q '"symbol":"A"' out
is "$(counts out)" "A 1min 600 599 1 0 0
B 1min 300 300 0 0 0" "-j 2: then it comes"
# One connection is ended; the other never notices.
sql "SELECT pg_terminate_backend(max(pid)) FROM pg_stat_activity WHERE application_name = 'ts-store'" >/dev/null
for s in C D E F; do bars $s 1min 3000; done >&"$fd"
exec {fd}>&-
wait $store
is "$?/$(counts out | grep -c ' 3000 3000 0 0 0')/$(sql "SELECT count(*) FROM ohlcv_1min")" 0/4/12900 "-j 2: a connection that is ended loses and doubles nothing"
like "$(grep -c 'trying again' err)/$(grep -c 'is back after' err)" '^([01])/\1$' \
	"-j 2: which is told once, if it is missed at all"
# A role that may have one connection only.
empty
sql "CREATE ROLE single LOGIN CONNECTION LIMIT 1; GRANT SELECT, INSERT, UPDATE ON ${tables// /, } TO single"
DATABASE_URL="${DATABASE_URL%user=*}user=single" ts-store -j 3 -b 500 <in >out 2>err
is "$?/$(counts out | grep -c ' 2000 2000 0 0 0')" 0/8 "-j 3: goes on with fewer connections"
like "$(cat err)" 'connection 2 of 3: .*too many connections.*: going on without it' "-j 3: and says so"
empty

# The server is restarted in mid-load, the hard way.
for s in A B C D E F G H; do bars $s 1min 5000; done >in
for j in 1 3; do
	empty
	{ head -n 15000 in; sleep 0.3; sed -n '15001,30000p' in; sleep 0.8; tail -n +30001 in; } |
		ts-store -j $j -b 500 >out 2>err &
	store=$!
	wait_for 10 grep -q stored out
	kill -QUIT "$pg_pid"
	wait "$pg_pid" 2>/dev/null
	pg_up
	wait $store
	is "$?" 0 "-j $j: Postgres dies in mid-load"
	is "$(sql "SELECT count(*) FROM ohlcv_1min")" 40000 "-j $j: no bar is lost"
	is "$(grep -c '"type":"stored"' out)" 8 "-j $j: no verdict is lost or doubled"
	is "$(jq -s 'map(select(.type == "stored") | .bars - .inserted - .unchanged) | add' out)" 0 "-j $j: counts add up"
	is "$(grep -c 'trying again' err)/$(grep -c 'is back after' err)" 1/1 \
		"-j $j: it is told once that it went, and once that it is back"
	for t in 1 2; do
		sql "SELECT * FROM ohlcv_1min ORDER BY symbol, timestamp" >rows$t
		[ $t -eq 2 ] || { empty; ts-store <in >out 2>err; }
	done
	cmp -s rows1 rows2
	ok $? "-j $j: the table is as after an undisturbed run"
done

# What a crash of the server takes along where the role does not wait for the disk.
kill -INT "$pg_pid"
wait "$pg_pid"
pg_up -c fsync=on -c wal_writer_delay=10s -c wal_writer_flush_after=1GB -c wal_buffers=32MB
wait_for 20 "$pg_bin/pg_isready" -q
empty
sql "CREATE ROLE lax LOGIN; GRANT SELECT, INSERT, UPDATE ON ${tables// /, } TO lax; ALTER ROLE lax SET synchronous_commit = off"
for s in A B C D E F G H; do bars $s day 70; done >in
mkfifo input
rm -f out err
DATABASE_URL="${DATABASE_URL%user=*}user=lax" ts-store -j 2 -b 100 <input >out 2>err &
store=$!
exec {fd}>input
cat in >&"$fd"
all_stored() {
	[ "$(grep -c stored out)" -eq 8 ]
}
wait_for 10 all_stored
kill -QUIT "$pg_pid"
wait "$pg_pid" 2>/dev/null
eval "pg_up -c full_page_writes=off $fd>&-"
wait_for 20 "$pg_bin/pg_isready" -q
exec {fd}>&-
wait $store
is "$?/$(sql "SELECT count(*) FROM ohlcv_daily")" 0/560 "what is told to be stored outlives the server, whatever the role's synchronous_commit"
is "$(grep -c 'synchronous_commit is off .*: taken as on' err)/$(grep -c warning err)" 1/0 "which is said once"
ts-store -j 2 -b 100 <in >out 2>err
is "$(grep -c 'warning: the server runs with fsync=off' err)/$(grep -c 'with full_page_writes=off' err)/$(grep -c synchronous_commit err)" 1/1/0 \
	"a server that does not write to the disk is told of once"
psql -X -q -c 'ALTER ROLE lax SET synchronous_commit = local' && bars A day 1 | DATABASE_URL="${DATABASE_URL%user=*}user=lax" ts-store 2>err >out
is "$(grep -c synchronous_commit err)" 0 "any other synchronous_commit is left alone"
rm input

# Two connections, of which one rests until the trouble that ended both is over.
both() {
	bars "S$((++series))" 1min 3000 >&"$fd"
	backends_are 2
}
empty
mkfifo input
rm -f out err
ts-store -j 2 -b 100 <input >out 2>err &
store=$!
exec {fd}>input
series=0
wait_for 10 both
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ts-store'" >/dev/null
wait_for 5 backends_are 0
bars AAPL day 3 >&"$fd"
wait_for 5 grep -q 'is back' err
wait_for 10 both
exec {fd}>&-
wait $store
is "$?/$(grep -c 'trying again' err)/$(grep -c 'is back after' err)" 0/1/1 \
	"-j 2: a connection that rested meanwhile is opened again without a word"
rm input

# An idle connection that was closed meanwhile.
mkfifo input
rm -f out err
ts-store <input >out 2>err &
store=$!
exec {fd}>input
bars AAPL day 3 >&"$fd"
wait_for 5 grep -q stored out
ok $? "a pause of the input is enough for a commit"
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ts-store'" >/dev/null
bars AAPL week 3 >&"$fd"
wait_for 5 grep -q week out
ok $? "a connection that was closed while idle is opened again"
kill -TERM $store
wait_for 5 grep -q 'told to stop' err
bars AAPL month 3 >&"$fd"
wait_for 5 grep -q month out
ok $? "SIGTERM: goes on to the end of input"
exec {fd}>&-
wait $store
is "$?" 0 "and exits 0"
rm -f out err
ts-store <input >out 2>err &
store=$!
exec {fd}>input
wait_for 5 grep -q start err
kill -TERM $store
wait_for 5 grep -q 'told to stop' err
kill -TERM $store
wait $store
is "$?" 143 "a second signal ends it at once"
exec {fd}>&-
{ cat in; kill -TERM "$(pgrep -n -x -P $$ ts-store)" 2>/dev/null; cat in; } | ts-store >out 2>err
is "$?/$(grep -c '"type":"stored"' out)" 0/16 "SIGTERM in mid-stream loses nothing"

# ---- secrets, and connections that will never do

secret=s3cr3t-passw0rd
rm -f out err
DATABASE_URL="postgresql://postgres:$secret@/postgres?host=$tmp/pg" ts-store -v <input >out 2>err &
store=$!
exec {fd}>input
bars AAPL day 3 >&"$fd"
wait_for 5 grep -q stored out
tr '\0' ' ' <"/proc/$store/cmdline" >cmdline
exec {fd}>&-
wait $store
unlike "$(cat out err cmdline)" "$secret" "a password shows nowhere"
ts-store -u "postgresql://postgres:$secret@/postgres" </dev/null >out 2>err
is "$?" 100 "a password in an argument is refused"
unlike "$(cat err)" "$secret" "and not repeated"
ts-store -u "host=$tmp/pg password='$secret'" </dev/null >out 2>err
is "$?" 100 "also in a conninfo string"
ts-store -u "postgresql:///nosuch?host=$tmp/pg" </dev/null 2>err
is "$?" 100 "no such database"
like "$(cat err)" '3D000.*nosuch' "which is named"
sed -i '1i local all locked scram-sha-256' "$tmp/pg/data/pg_hba.conf"
sql "CREATE ROLE locked LOGIN PASSWORD 'other'" && sql "SELECT pg_reload_conf()" >/dev/null
DATABASE_URL="postgresql://locked:$secret@/postgres?host=$tmp/pg" ts-store </dev/null 2>err
is "$?" 100 "a wrong password"
unlike "$(cat err)" "$secret" "is not repeated either"
DATABASE_URL="postgresql://locked@/postgres?host=$tmp/pg" ts-store </dev/null 2>err
is "$?" 100 "no password"
echo "*:*:*:locked:other" >.pgpass && chmod 600 .pgpass
printf '%s\n' '[bars]' "host=$tmp/pg" 'dbname=postgres' 'user=locked' >.pg_service.conf
DATABASE_URL="postgresql://locked@/postgres?host=$tmp/pg" ts-store </dev/null 2>err
is "$?/$(ts-store -u service=bars </dev/null 2>&1 | grep -c ' start .* user=locked ')" 0/1 "a password of .pgpass, a service of .pg_service.conf" || sed 's/^/# /' err
rm .pgpass .pg_service.conf
DATABASE_URL="postgresql://h:x/db" ts-store </dev/null 2>err
is "$?" 100 "a URL that libpq cannot read"
for u in "postgres:$secret@host/x" "dbname=postgres://u:$secret@h/x" "postgresql:///postgres%3A$secret@h" \
	"host=$tmp/pg dbname='postgres password=$secret'" "postgresql//u:$secret@h/x"; do
	DATABASE_URL=$u ts-store </dev/null 2>err
	is "$?/$(grep -c "$secret" err)/$(grep -c 'error: DATABASE_URL: ' err)" 100/0/1 "an address that would be taken for a name is not repeated"
done
PGDATABASE=postgres://u:$secret@h/x DATABASE_URL='' ts-store </dev/null 2>err
is "$?/$(grep -c "$secret" err)" 100/0 "and not from PGDATABASE"
ts-store -u postgres </dev/null 2>err
is "$?" 0 "-u takes the name of a database"
for b in 0 100001 x -1 ''; do
	ts-store -b "$b" </dev/null 2>err
	is "$?" 100 "-b '$b'"
done
ts-store -i -n </dev/null 2>err
is "$?" 100 "-i and -n"

done_testing
