#!/usr/bin/env bash
# The tables that people have, one after the other: what ts-store makes of each, and that ts-audit,
# which judges by the same reader, does not certify what ts-store refuses.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The lines of start and end are told, as in a service.
export TS_SERVICE=1

pg_start || exit 1

# Ten daily bars of two symbols, the same with another close in one of them; the tasks they belong to.
perl -MPOSIX=strftime -e 'for my $s ("AAPL", "MSFT") {
	for my $d (5 .. 9) {
		printf qq({"type":"bar","symbol":"%s","timeframe":"day","date":"2026-01-%02d","open":272.86,"high":273.88,"low":270.1,"close":270.97,"volume":%d}\n), $s, $d, 36571800 + $d;
	}
	print qq({"type":"fetched","job_id":"j","symbol":"$s","timeframe":"day","from":"2026-01-05","to":"2026-01-09","bars":5}\n);
}' >plain
sed '3s/270.97/270.98/' plain >corrected
printf '{"type":"task","job_id":"j","symbol":"%s","timeframe":"day","from":"2026-01-05","to":"2026-01-09"}\n' AAPL MSFT >tasks
p='open numeric, high numeric, low numeric, close numeric'

# sums: status, inserted, updated, unchanged, rejected of the tasks stored.
sums() {
	echo "$?/$(jq -s -r 'map(select(.type == "stored")) | [(map(.inserted, 0) | add), (map(.updated, 0) | add), (map(.unchanged, 0) | add), (map(.rejected, 0) | add)] | join(" ")' out)"
}
fresh() {
	sql "SET client_min_messages = error; DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s"
	sql "SET client_min_messages = error; SET search_path = s, public; $1" 2>err || cat err
}
export DATABASE_URL=$DATABASE_URL'&options=-csearch_path%3Ds,public'

# serves NAME DDL [TOLD]: the bars go in, the same again change nothing, one is corrected; the close
# of that is what came; ts-audit certifies; and TOLD is told once.
serves() {
	local ran
	fresh "$2"
	ts-store <plain >out 2>err
	ran=$(sums)
	like "$(grep -c "${3:-: start }" err)" '^1$' "$1: ${3:-nothing more} is told once" || sed 's/^/# /' err
	ts-store <plain >out 2>err
	ran+=", $(sums)"
	ts-store <corrected >out 2>err
	ran+=", $(sums)"
	is "$ran/$(sql "SELECT count(*) FROM s.ohlcv_daily WHERE symbol = 'AAPL' AND close::numeric(9,2) = 270.98")" \
		"0/10 0 0 0, 0/0 0 10 0, 0/0 1 9 0/1" "$1: loaded, reloaded, corrected" || sed 's/^/# /' err
	is "$(ts-audit <tasks 2>err | tail -n 1 | cut -d ';' -f 1)" "2 of 2 complete" "$1: certified" || sed 's/^/# /' err
}
# refuses NAME DDL WHY: both say why, and neither calls it stored or complete.
refuses() {
	fresh "$2"
	ts-store <plain >out 2>err
	is "$?/$(jq -r 'select(.type == "failed").error' out | sort -u)" "1/table ohlcv_daily: $3" "$1: ts-store says why"
	ts-audit <tasks >out 2>err
	is "$?/$(grep -c " of 2 complete" out)/$(grep -cF "table ohlcv_daily: $3" err)" 1/1/1 "$1: so does ts-audit" ||
		sed 's/^/# /' out err
}

serves "the owner's" "CREATE TABLE ohlcv_daily (symbol varchar, date date, $p, volume bigint, created_at timestamptz DEFAULT now(), PRIMARY KEY (symbol, date))"
serves "varchar(10), numeric(10,2), integer" \
	"CREATE TABLE ohlcv_daily (symbol varchar(10), date date, open numeric(10,2), high numeric(10,2), low numeric(10,2), close numeric(10,2), volume integer, PRIMARY KEY (symbol, date))"
serves "numeric(12,1)" \
	"CREATE TABLE ohlcv_daily (symbol text, date date, $p, volume bigint, PRIMARY KEY (date, symbol)); ALTER TABLE ohlcv_daily ALTER open TYPE numeric(12,1)" \
	'column open holds 1 decimals'
serves "double precision" \
	"CREATE TABLE ohlcv_daily (symbol text, date date, open float8, high float8, low float8, close float8, volume float8, PRIMARY KEY (symbol, date))" \
	'table ohlcv_daily: the nearest binary number is stored, not each decimal: open double precision, high'
is "$(sql "SELECT bool_and(open = 272.86::float8 AND high = 273.88::float8 AND volume = 36571800 + extract(day FROM date)) FROM s.ohlcv_daily")" t \
	"double precision: what Postgres itself makes of the decimals"
serves "real, char(8), numeric(12,-3)" \
	"CREATE TABLE ohlcv_daily (symbol char(8), date date, open real, high real, low real, close real, volume numeric(12,-3), UNIQUE (date, symbol))" \
	'the nearest binary number is stored'
is "$(sql "SELECT bool_and(open = 272.86::real AND volume = 36572000) FROM s.ohlcv_daily")" t "real: what Postgres itself makes of the decimals"
serves "double precision beside numeric" \
	"CREATE TABLE ohlcv_daily (symbol text, date date, open float8, high numeric, low numeric, close real, volume real, PRIMARY KEY (symbol, date))" \
	'stored, not each decimal: open double precision, close real, volume real$'
serves "volume numeric" "CREATE TABLE ohlcv_daily (symbol text, date date, $p, volume numeric, PRIMARY KEY (symbol, date))"
serves "domains, and domains over them" \
	"CREATE DOMAIN d1 AS numeric(12,4) CHECK (value > 0); CREATE DOMAIN d2 AS d1 NOT NULL; CREATE DOMAIN ticker AS varchar(12); CREATE DOMAIN day AS date;
	CREATE TABLE ohlcv_daily (symbol ticker, date day, open d1, high d2, low d1, close d2, volume bigint, PRIMARY KEY (symbol, date))"
serves "domains over double precision" \
	"CREATE DOMAIN price AS float8; CREATE TABLE ohlcv_daily (symbol text, date date, open price, high price, low price, close price, volume bigint, PRIMARY KEY (symbol, date))" \
	'the nearest binary number'
# one_key NAME DDL: symbols of two spellings are one key there; the one that was first stays.
one_key() {
	local twin='table ohlcv_daily takes it for the same symbol as' flags
	serves "$1" "$2" 'are one key: of two spellings one is refused'
	fresh "$2"
	sed 's/AAPL/aapl/; s/MSFT/AAPL/; /aapl/s/"volume":365/"volume":465/' plain >twins
	for flags in '-b 20' '-b 2 -j 3'; do
		# shellcheck disable=SC2086
		ts-store $flags <twins >out 2>err
		is "$?/$(jq -r '[.symbol, .type, .error] | join(" ")' out | sort)/$(sql "SELECT symbol, count(*), min(volume) FROM s.ohlcv_daily GROUP BY symbol")" \
			"1/AAPL stored 
aapl failed $twin AAPL, whose bars it would replace/AAPL|5|36571805" "$1: aapl beside AAPL is told, and replaces nothing ($flags)"
	done
	sql "UPDATE s.ohlcv_daily SET symbol = 'aapl'"
	ts-store <plain >out 2>err
	is "$?/$(jq -r '[.symbol, .type, .error] | join(" ")' out | sort)" "1/AAPL failed $twin aapl, whose bars it would replace
MSFT stored " "$1: nor does AAPL where the table has aapl"
}
sql "CREATE EXTENSION citext" 2>err && one_key "citext" \
	"CREATE TABLE ohlcv_daily (symbol citext, date date, $p, volume bigint, PRIMARY KEY (symbol, date))"
if sql "CREATE COLLATION public.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)" 2>err; then
	one_key "a collation without case" \
		"CREATE TABLE ohlcv_daily (symbol text COLLATE public.nocase, date date, $p, volume bigint, PRIMARY KEY (date, symbol))"
	one_key "partitions, in such a collation" \
		"CREATE TABLE ohlcv_daily (symbol varchar COLLATE public.nocase, date date, $p, volume bigint, PRIMARY KEY (symbol, date)) PARTITION BY RANGE (date);
		CREATE TABLE p1 PARTITION OF ohlcv_daily FOR VALUES FROM ('2026-01-01') TO ('2026-01-07'); CREATE TABLE p2 PARTITION OF ohlcv_daily DEFAULT"
else
	skip "a Postgres without ICU has no collation without case"
fi
serves "names that need quotes" \
	"CREATE TABLE ohlcv_daily (symbol text, \"Day %s of\" date, $p, volume bigint, \"select\" int DEFAULT 1, PRIMARY KEY (\"Day %s of\", symbol))"
serves "extra, generated and identity columns" \
	"CREATE TABLE ohlcv_daily (id bigint GENERATED ALWAYS AS IDENTITY, symbol text, date date, $p, volume bigint, mid numeric GENERATED ALWAYS AS ((high + low) / 2) STORED, PRIMARY KEY (symbol, date))"
serves "a unique index beside a primary key of its own" \
	"CREATE TABLE ohlcv_daily (id bigserial PRIMARY KEY, symbol text, date date, $p, volume bigint, UNIQUE (symbol, date))"
serves "partitions" \
	"CREATE TABLE ohlcv_daily (symbol text, date date, $p, volume bigint, PRIMARY KEY (symbol, date)) PARTITION BY RANGE (date);
	CREATE TABLE p1 PARTITION OF ohlcv_daily FOR VALUES FROM ('2026-01-01') TO ('2026-01-07'); CREATE TABLE p2 PARTITION OF ohlcv_daily DEFAULT"
# What is planned without the other partition waits for none of its locks, be it read, inserted or corrected.
sql "DELETE FROM s.p1 WHERE symbol = 'MSFT'"
hold "LOCK TABLE s.p2 IN ACCESS EXCLUSIVE MODE"
sed '/"bar"/{/2026-01-0[789]/d}; 1s/270.97/270.98/; s/2026-01-09","bars":5/2026-01-06","bars":2/' plain | timeout -s KILL 20 ts-store >out 2>err
is "$(sums)" "0/2 1 1 0" "partitions: bars of one are stored while another is locked" || sed 's/^/# /' err
sed 's/2026-01-09/2026-01-06/' tasks | timeout 20 ts-audit >out 2>err
is "$?/$(tail -n 1 out | cut -d ';' -f 1)" "0/2 of 2 complete" "partitions: and certified" || sed 's/^/# /' err
let_go
serves "partitions by symbol" \
	"CREATE TABLE ohlcv_daily (symbol text, date date, $p, volume bigint, PRIMARY KEY (symbol, date)) PARTITION BY HASH (symbol);
	CREATE TABLE p1 PARTITION OF ohlcv_daily FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE p2 PARTITION OF ohlcv_daily FOR VALUES WITH (MODULUS 2, REMAINDER 1)"

refuses "a column of another type" "CREATE TABLE ohlcv_daily (symbol text, date date, open money, high numeric, low numeric, close numeric, volume bigint, PRIMARY KEY (symbol, date))" \
	"column open is money, not numeric"
refuses "a timestamp as key" "CREATE TABLE ohlcv_daily (symbol text, date timestamptz, $p, volume bigint, PRIMARY KEY (symbol, date))" \
	"its key column date is timestamp with time zone, not date"
refuses "no key" "CREATE TABLE ohlcv_daily (symbol text, date date, $p, volume bigint)" \
	"has no primary key or unique constraint over symbol and one date column"
refuses "a partial unique index" "CREATE TABLE ohlcv_daily (symbol text, date date, $p, volume bigint); CREATE UNIQUE INDEX ON ohlcv_daily (symbol, date) WHERE volume > 0" \
	"has no primary key or unique constraint over symbol and one date column"
refuses "a deferrable key" "CREATE TABLE ohlcv_daily (symbol text, date date, $p, volume bigint, PRIMARY KEY (symbol, date) DEFERRABLE)" \
	"its key over symbol and date is deferrable, by which no conflict is found: make it NOT DEFERRABLE"
refuses "a view" "CREATE TABLE t (symbol text, date date, $p, volume bigint, PRIMARY KEY (symbol, date)); CREATE VIEW ohlcv_daily AS SELECT * FROM t" \
	"is not a table"
refuses "a key for the end of the period" "CREATE TABLE ohlcv_daily (symbol text, day_ending date, $p, volume bigint, PRIMARY KEY (symbol, day_ending))" \
	"its key column day_ending is called for the end of the period, but keys are its start"
refuses "another schema" "CREATE SCHEMA IF NOT EXISTS elsewhere; CREATE TABLE elsewhere.ohlcv_daily (symbol text, date date, $p, volume bigint, PRIMARY KEY (symbol, date))" \
	"is in schema elsewhere, which is not in the search_path"
sql "DROP SCHEMA elsewhere CASCADE" 2>err

# ---- rights, by name

table="CREATE TABLE ohlcv_daily (symbol text, date date, $p, volume bigint, PRIMARY KEY (symbol, date))"
sql "CREATE ROLE app LOGIN"
# As role app, which is neither owner nor superuser.
export DATABASE_URL=${DATABASE_URL/user=postgres/user=app}
refuses "no right to the schema" "$table" "is in schema s, on which USAGE is not granted to app"
# lacks NAME GRANTS MISSING: ts-store names what is missing, before it wrote a bar; ts-audit needs SELECT alone.
lacks() {
	fresh "$table; GRANT USAGE ON SCHEMA s TO app; $2"
	ts-store <plain >out 2>err
	is "$?/$(jq -r 'select(.type == "failed").error' out | sort -u)" \
		"1/table ohlcv_daily: $3 not granted to app: GRANT $3 ON s.ohlcv_daily TO app" "$1 missing: named"
	is "$(sql "SELECT count(*) FROM s.ohlcv_daily")" 0 "$1 missing: nothing is half done"
}
lacks "all rights" "" "SELECT, INSERT, UPDATE"
ts-audit <tasks >out 2>err
is "$?/$(grep -c 'SELECT not granted to app: GRANT SELECT ON s.ohlcv_daily TO app' err)" 1/1 "ts-audit names SELECT alone"
lacks "what corrections need" "GRANT SELECT, INSERT ON ohlcv_daily TO app" UPDATE
ts-audit <tasks >out 2>err
is "$?/$(tail -n 1 out | cut -d ';' -f 1)" "1/0 of 2 complete: AAPL day empty, MSFT day empty" "ts-audit needs no right to write"
columns="open, high, low, close, volume"
serves "rights to columns" "$table; GRANT USAGE ON SCHEMA s TO app; GRANT SELECT (symbol, date, $columns), INSERT (symbol, date, $columns), UPDATE ($columns) ON ohlcv_daily TO app"
serves "row security" "$table; GRANT USAGE ON SCHEMA s TO app; GRANT SELECT, INSERT, UPDATE ON ohlcv_daily TO app;
	ALTER TABLE ohlcv_daily ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON ohlcv_daily USING (symbol <> 'IBM')" \
	'row security is active, under which COPY is not possible: rows are inserted'

# ---- looked at before anything is fetched

fresh "$table; GRANT USAGE ON SCHEMA s TO app; GRANT SELECT, INSERT ON ohlcv_daily TO app"
mkfifo input
rm -f err
ts-store <input >out 2>err &
store=$!
started+=("$store")
exec {fd}>input
echo '{"type":"loading","job_id":"j","symbol":"AAPL","timeframe":"day","from":"2026-01-05","to":"2026-01-09"}' >&"$fd"
wait_for 10 grep -q 'error: table ohlcv_daily: UPDATE not granted to app' err
ok $? "a task that begins: what is wrong with its table is told before its bars come"
cat plain >&"$fd"
exec {fd}>&-
wait "$store"
is "$?/$(grep -c 'UPDATE not granted' err)/$(jq -r .type out | sort | uniq -c | tr -s ' \n' ' ')" "1/1/ 2 failed 1 loading " "once"

sql "SET client_min_messages = error; DROP SCHEMA s CASCADE; CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO app; SET search_path = s;
	CREATE TABLE ohlcv_daily (symbol text, date date, open numeric(9,2), high float8, low numeric, close numeric, volume bigint, PRIMARY KEY (symbol, date));
	CREATE TABLE ohlcv_weekly (LIKE ohlcv_daily INCLUDING ALL); GRANT SELECT, INSERT, UPDATE ON ohlcv_daily TO app" 2>err
ts-store -n <plain >out 2>err
is "$?/$(grep 'table ' err)" "0/ts-store: warning: table ohlcv_1min: does not exist; create it, or run ts-store -i
ts-store: warning: table ohlcv_hourly: does not exist; create it, or run ts-store -i
ts-store: table ohlcv_daily: s.ohlcv_daily (symbol text, open numeric(9,2), high double precision, low numeric, close numeric, volume bigint), key (symbol, date date); more decimals are rounded: open numeric(9,2); the nearest binary number is stored, not each decimal: high double precision
ts-store: warning: table ohlcv_weekly: SELECT, INSERT, UPDATE not granted to app: GRANT SELECT, INSERT, UPDATE ON s.ohlcv_weekly TO app
ts-store: warning: table ohlcv_monthly: does not exist; create it, or run ts-store -i" "ts-store -n tells each table as it is"
like "$(cat err)" 'end checked: bars=10' "and checks the bars"
ts-audit <tasks 2>&1 >out | grep 'ts-audit: table ohlcv_daily' >told
is "$(cat told)" "$(sed -n 's/^ts-store: table ohlcv_daily/ts-audit: table ohlcv_daily/p' err)" "ts-audit tells the same of those that it reads"
is "$(sql "SELECT count(*) FROM s.ohlcv_daily")" 0 "but stores none"

done_testing
