#!/usr/bin/env bash
# What the server does behind ts-store's back: triggers and policies that drop or change rows, slow tables,
# keys that go away. Whatever it is, the counts are what the table then shows.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# bars SYMBOL COUNT [CLOSE]: so many daily bars, and their fetched record.
bars() {
	jq -nrc --arg s "$1" --argjson n "$2" --argjson c "${3:-2}" '(range($n) | {type: "bar", symbol: $s, timeframe: "day",
		date: (1009756800 + 86400 * . | todate | .[:10]), open: 1.5, high: 2.55, low: 1.25, close: $c, volume: .}),
		{type: "fetched", job_id: "j", symbol: $s, timeframe: "day", from: "f", to: "t", bars: $n}'
}
# counts: of each verdict, by symbol.
counts() {
	jq -r '"\(.symbol) \(.type) \(.inserted)/\(.updated)/\(.unchanged)/\(.rejected)\(if .reason // .error then ": " + (.reason // .error) else "" end)"' out | sort
}
pg_start || exit 1
ts-store -i </dev/null 2>err || exit 1
dropped='a trigger or policy of the table dropped it'

sql "CREATE FUNCTION drop_msft() RETURNS trigger LANGUAGE plpgsql AS 'begin if new.symbol = ''MSFT'' then return null; end if; return new; end';
	CREATE TRIGGER t BEFORE INSERT ON ohlcv_daily FOR EACH ROW EXECUTE FUNCTION drop_msft()"
{ bars AAPL 50; bars MSFT 50; bars NVDA 50; } >in
ts-store -R refused <in >out 2>err
is "$?/$(counts)" "1/AAPL stored 50/0/0/0
MSFT failed null/null/null/null: $dropped
NVDA stored 50/0/0/0" "a trigger that drops what is inserted: those bars are rejected"
is "$(sql "SELECT count(*) FROM ohlcv_daily")/$(jq -r '.symbol + .error' refused | sort | uniq -c | tr -s ' ')" "100/ 50 MSFT$dropped" \
	"the table and the file of rejects agree"
ts-store -b 40 <in >out 2>err
is "$(counts)" "AAPL stored 0/0/50/0
MSFT failed null/null/null/null: $dropped
NVDA stored 0/0/50/0" "and again, in smaller batches"
sql "DROP TRIGGER t ON ohlcv_daily; CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS 'begin return null; end';
	CREATE TRIGGER t BEFORE UPDATE ON ohlcv_daily FOR EACH ROW EXECUTE FUNCTION keep_history()"
{ bars AAPL 60; bars NVDA 50; } | jq -c 'if .type == "bar" and .symbol == "AAPL" and .volume < 3 then .close = 1.75 else . end' | ts-store >out 2>err
is "$?/$(counts)" "1/AAPL stored 10/0/47/3: $dropped
NVDA stored 0/0/50/0" "a trigger that drops corrections: they are rejected"
sql "DROP TRIGGER t ON ohlcv_daily; CREATE FUNCTION round_close() RETURNS trigger LANGUAGE plpgsql AS 'begin new.close := round(new.close, 1); return new; end';
	CREATE TRIGGER t BEFORE INSERT OR UPDATE ON ohlcv_daily FOR EACH ROW EXECUTE FUNCTION round_close()"
bars ODD 10 2.54 >in
for want in 10/0/0/0 0/10/0/0; do
	ts-store -j 1 -b 4 <in >out 2>err
	is "$?/$(counts)/$(grep -c 'warning: table ohlcv_daily: a trigger changes the values of bars' err)" "0/ODD stored $want/1" \
		"a trigger that changes values is told once ($want)"
done
bars EVEN 10 2.5 | ts-store >out 2>err
is "$?/$(counts)/$(grep -c trigger err)" "0/EVEN stored 10/0/0/0/0" "and not of bars that come out as they went in"
for want in 1 0; do
	is "$(ts-store -n </dev/null 2>&1 | grep -c 'table ohlcv_daily: .*; rows go through a trigger, so they are inserted')" $want \
		"that inserts are slower is told, unless the trigger is TimescaleDB's own ($want)"
	[ $want = 0 ] || sql "CREATE SCHEMA _timescaledb_functions; ALTER FUNCTION round_close() SET SCHEMA _timescaledb_functions"
done
sql "DROP TRIGGER t ON ohlcv_daily; TRUNCATE ohlcv_daily"

# Row security: COPY is not for it; without a policy for UPDATE nothing is corrected.
sql "CREATE ROLE app LOGIN; GRANT SELECT, INSERT, UPDATE ON ohlcv_daily TO app; ALTER TABLE ohlcv_daily ENABLE ROW LEVEL SECURITY;
	CREATE POLICY s ON ohlcv_daily FOR SELECT USING (true); CREATE POLICY i ON ohlcv_daily FOR INSERT WITH CHECK (symbol <> 'NO')"
app=${DATABASE_URL%user=*}user=app
{ bars AAPL 20; bars NO 2; } | DATABASE_URL=$app ts-store >out 2>err
is "$?/$(counts)" "1/AAPL stored 20/0/0/0
NO failed null/null/null/null: 42501: new row violates row-level security policy for table \"ohlcv_daily\"" \
	"row security: rows go in by statements, and a policy costs its bars alone"
bars AAPL 20 | jq -c 'if .volume == 7 then .close = 1.75 else . end' | DATABASE_URL=$app ts-store >out 2>err
is "$?/$(counts)" "1/AAPL stored 0/0/19/1: $dropped" "a correction that no policy lets through is rejected"
sql "ALTER TABLE ohlcv_daily DISABLE ROW LEVEL SECURITY"

# What a trigger raises for one bar costs that bar, whatever its class.
sql "TRUNCATE ohlcv_daily; CREATE FUNCTION oops() RETURNS trigger LANGUAGE plpgsql AS 'begin if new.volume = 7 then perform nonsense(); end if; return new; end';
	CREATE TRIGGER t BEFORE INSERT ON ohlcv_daily FOR EACH ROW EXECUTE FUNCTION oops()"
bars AAPL 20 | ts-store >out 2>err
is "$?/$(counts)" "1/AAPL stored 19/0/0/1: 42883: function nonsense() does not exist" "an error of class 42 in a trigger costs its bar alone"
sql "DROP TRIGGER t ON ohlcv_daily; TRUNCATE ohlcv_daily"

# A table that takes 4 ms a row, and a server that gives half a second.
sql "CREATE FUNCTION sleepy() RETURNS trigger LANGUAGE plpgsql AS 'begin perform pg_sleep(0.004); return new; end';
	CREATE TRIGGER t BEFORE INSERT ON ohlcv_daily FOR EACH ROW EXECUTE FUNCTION sleepy(); ALTER ROLE app SET statement_timeout = '500ms'"
# In one batch: from a file nothing comes late.
bars AAPL 300 >in
DATABASE_URL=$app ts-store -v <in >out 2>err
is "$?/$(counts)" "0/AAPL stored 300/0/0/0" "a slow table is loaded in smaller transactions"
like "$(cat err)" '57014: .*: goes on with 150 rows at once' "by halves"
unlike "$(cat err)" 'trying again' "and at once"
# One that takes longer than it may for a single row, but no longer for many.
sql "DROP TRIGGER t ON ohlcv_daily; TRUNCATE ohlcv_daily; CREATE OR REPLACE FUNCTION sleepy() RETURNS trigger LANGUAGE plpgsql AS 'begin perform pg_sleep(0.3); return null; end';
	CREATE TRIGGER t BEFORE INSERT ON ohlcv_daily EXECUTE FUNCTION sleepy(); ALTER ROLE app SET statement_timeout = '100ms'"
bars AAPL 60 >in
DATABASE_URL=$app ts-store -v <in >out 2>err
is "$?/$(counts)" "0/AAPL stored 60/0/0/0" "where halves do not help, statements get more time"
like "$(cat err)" 'ts-store: Postgres: 57014: .*: trying again with 0.2 s$' "twice as much each time"
[ "$(sed -n 's/.*batch rows=60 .* transactions=//p' err)" -lt 30 ]
ok $? "and more rows at once, as long as they take no longer" || sed 's/^/# /' err
is "$(DATABASE_URL=$app psql -X -A -t -c 'SHOW statement_timeout' "$app")" 100ms "no longer than for the transaction"
sql "DROP TRIGGER t ON ohlcv_daily; TRUNCATE ohlcv_daily; ALTER ROLE app RESET statement_timeout"

# TimescaleDB's limit of what one transaction may decompress: the table is in parts, each statement is for one
# symbol, and there are fewer rows until they pass.
sql "SET client_min_messages = error; ALTER TABLE ohlcv_daily RENAME TO whole; CREATE TABLE ohlcv_daily (LIKE whole, PRIMARY KEY (symbol, date)) PARTITION BY RANGE (date);
	CREATE TABLE part PARTITION OF ohlcv_daily DEFAULT; CREATE TABLE most (n int); INSERT INTO most VALUES (8);
	CREATE FUNCTION opens() RETURNS trigger LANGUAGE plpgsql AS \$\$ begin
		if (select count(distinct symbol) from was) > 1 then raise exception 'two symbols'; end if;
		perform set_config('ts.opened', (coalesce(nullif(current_setting('ts.opened', true), ''), '0')::int + (select count(*) from was))::text, true);
		if current_setting('ts.opened')::int > (select n from most) then
			raise exception using errcode = '53400', message = 'tuple decompression limit exceeded by operation',
				hint = 'Consider increasing timescaledb.max_tuples_decompressed_per_dml_transaction or set to 0 (unlimited).';
		end if; return null; end \$\$;
	CREATE TRIGGER t AFTER UPDATE ON ohlcv_daily REFERENCING OLD TABLE AS was FOR EACH STATEMENT EXECUTE FUNCTION opens()"
{ bars AAPL 40; bars MSFT 40; } >in
jq -c 'if .type == "bar" and .volume % 2 == 0 then .close = 1.75 else . end' in >in2
ts-store <in >out 2>err
ts-store <in2 >out 2>err
is "$?/$(counts)/$(sql "SELECT count(*) FROM ohlcv_daily WHERE close = 1.75")/$(grep -c 'trying again' err)" "0/AAPL stored 0/20/20/0
MSFT stored 0/20/20/0/40/0" "where much must be decompressed less is done at once, each statement for one symbol"
sql "UPDATE most SET n = 0"
limit='53400: tuple decompression limit exceeded by operation: Consider increasing timescaledb.max_tuples_decompressed_per_dml_transaction or set to 0 (unlimited).'
ts-store <in >out 2>err
is "$?/$(counts)/$(grep -c 'trying again' err)" "1/AAPL failed null/null/null/null: $limit
MSFT failed null/null/null/null: $limit/0" "where one bar is too much its series fails, with the setting's name"
sql "DROP TABLE ohlcv_daily; ALTER TABLE whole RENAME TO ohlcv_daily; TRUNCATE ohlcv_daily"

# A query that fails, be it for that limit, costs ts-audit that table's series alone; in ts-store and ts-audit, one of the catalogue.
sql "SET client_min_messages = error; GRANT SELECT, INSERT, UPDATE ON ohlcv_weekly, ohlcv_hourly TO app; CREATE TABLE fails (state text); GRANT SELECT ON fails TO app;
	CREATE FUNCTION fails() RETURNS bool LANGUAGE plpgsql AS \$\$ begin raise exception using errcode = (select state from fails), message = 'as told'; end \$\$;
	ALTER TABLE ohlcv_daily ENABLE ROW LEVEL SECURITY; DROP POLICY s ON ohlcv_daily; CREATE POLICY s ON ohlcv_daily FOR SELECT USING (fails());
	INSERT INTO ohlcv_daily (symbol, date) VALUES ('AAPL', '2026-01-05')"
printf '{"type":"task","job_id":"j","symbol":"AAPL","timeframe":"%s","from":"2025-12-28","to":"2026-01-09"}\n' day week >tasks
for state in 53400 22012 42501 XX000; do
	sql "TRUNCATE fails; INSERT INTO fails VALUES ('$state')"
	DATABASE_URL=$app ts-audit <tasks >out 2>err
	is "$?/$(tail -n 1 out)/$(grep -c "error: table ohlcv_daily: $state: as told" err)" "1/0 of 2 complete: AAPL day unusable, AAPL week empty/1" \
		"a query that fails with $state costs ts-audit its own series" || sed 's/^/# /' out err
done
sql "DROP POLICY s ON ohlcv_daily; CREATE POLICY s ON ohlcv_daily FOR SELECT USING (true); ALTER TABLE ohlcv_daily DISABLE ROW LEVEL SECURITY; TRUNCATE ohlcv_daily;
	CREATE SCHEMA odd; CREATE FUNCTION odd.to_regclass(name text) RETURNS regclass STABLE LANGUAGE plpgsql AS \$\$ begin
		if name = 'ohlcv_daily' then raise exception using errcode = '22023', message = 'as told'; end if; return pg_catalog.to_regclass(name); end \$\$"
odd=$DATABASE_URL'&options=-csearch_path%3Dodd,public,pg_catalog'
{ bars AAPL 30; bars MSFT 30; bars AAPL 1 | sed 's/"day"/"week"/; s/2001-12-31/2001-12-30/'; } >in
DATABASE_URL=$odd ts-store -R refused2 <in >out 2>err
is "$?/$(counts)/$(wc -l <refused2)/$(grep -v fsync err)" "1/AAPL failed null/null/null/null: table ohlcv_daily: 22023: as told
AAPL stored 1/0/0/0
MSFT failed null/null/null/null: table ohlcv_daily: 22023: as told/60/ts-store: error: table ohlcv_daily: 22023: as told" \
	"a catalogue that cannot be read costs the table once, in one sentence"
DATABASE_URL=$odd ts-store -n </dev/null 2>err
is "$?/$(grep -c 'warning: table ohlcv_daily: 22023: as told' err)/$(grep -c 'table ohlcv_monthly: public.ohlcv_monthly' err)" 0/1/1 "-n tells it, too"
DATABASE_URL=$odd ts-audit <tasks >out 2>err
is "$?/$(tail -n 1 out)/$(grep -c 'error: table ohlcv_daily: 22023: as told' err)" "1/0 of 2 complete: AAPL day unusable, AAPL week empty/1" "and so does ts-audit"
sql "DROP SCHEMA odd CASCADE; TRUNCATE ohlcv_weekly" 2>/dev/null

# A table that is published without a key to tell its rows by: said before a bar is sent.
published() {
	bars AAPL 3 | ts-store >out 2>err
	is "$?/$(counts)/$(sql "SELECT count(*) FROM ohlcv_daily")" \
		"1/AAPL failed null/null/null/null: table ohlcv_daily: its updates are published, which needs a replica identity: ALTER TABLE public.ohlcv_daily REPLICA IDENTITY $1/0" \
		"a published table without replica identity: the sentence says what to do ($1)"
	sql "ALTER TABLE ohlcv_daily REPLICA IDENTITY $1"
	bars AAPL 3 | ts-store >out 2>err && bars AAPL 3 1.75 | ts-store >out 2>err
	is "$?/$(counts)" "0/AAPL stored 0/3/0/0" "and that is what it takes ($1)"
	sql "TRUNCATE ohlcv_daily; ALTER TABLE ohlcv_daily REPLICA IDENTITY ${2:-NOTHING}"
}
sql "SET client_min_messages = error; ALTER TABLE ohlcv_daily REPLICA IDENTITY NOTHING; CREATE PUBLICATION p FOR TABLE ohlcv_daily"
published DEFAULT
sql "ALTER TABLE ohlcv_daily DROP CONSTRAINT ohlcv_daily_pkey; CREATE UNIQUE INDEX by_day ON ohlcv_daily (date, symbol)"
published "USING INDEX by_day" DEFAULT
sql "ALTER TABLE ohlcv_daily ALTER symbol DROP NOT NULL"
published FULL DEFAULT
sql "DROP PUBLICATION p; DROP INDEX by_day; ALTER TABLE ohlcv_daily ADD PRIMARY KEY (symbol, date)"

# The key is dropped in mid-run.
mkfifo input
rm -f out err
ts-store <input >out 2>err &
store=$!
started+=("$store")
exec {fd}>input
bars AAPL 3 >&"$fd"
wait_for 5 grep -q stored out
sql "ALTER TABLE ohlcv_daily DROP CONSTRAINT ohlcv_daily_pkey"
gone() {
	bars AAPL 3 >&"$fd"
	sleep 0.3
	grep -q 'has no primary key' out
}
# Each look takes a third of a second.
wait_for 2 gone
ok $? "a key that is dropped in mid-run is noticed"
exec {fd}>&-
wait $store
is "$?" 1 "which shows in the exit status"

# Others at work: three loaders of the same bars, all of them serializable, a table that is written anew, locked and altered meanwhile.
sql "ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'; TRUNCATE ohlcv_daily; ALTER TABLE ohlcv_daily ADD PRIMARY KEY (symbol, date)"
for s in A B C D; do bars $s 2000; done >in
rm -f out? err?
loaders=()
for n in 1 2 3; do
	ts-store -j 2 -b 500 <in >out$n 2>err$n &
	loaders+=($!)
done
wait_for 10 grep -q stored out1
for n in 1 2; do
	sql "VACUUM FULL ohlcv_daily"
	sql "BEGIN; LOCK TABLE ohlcv_daily IN ACCESS EXCLUSIVE MODE; ALTER TABLE ohlcv_daily ADD COLUMN extra$n int DEFAULT $n; ALTER TABLE ohlcv_daily ALTER open TYPE numeric(12,$n); COMMIT"
done
codes=
for pid in "${loaders[@]}"; do
	wait "$pid"
	codes+=$?
done
is "$codes/$(cat out? | jq -s -c 'map(select(.type == "stored")) | [length, (map(.inserted) | add), (map(.bars - .inserted - .unchanged) | add)]')/$(sql "SELECT count(*), count(DISTINCT (symbol, date)) FROM ohlcv_daily WHERE open = 1.5 AND extra2 = 2")" \
	"000/[12,8000,0]/8000|8000" "three serializable loaders, VACUUM FULL, ACCESS EXCLUSIVE and ALTER TABLE: every bar is there once, and counted once" || sed 's/^/# /' err?
sql "ALTER DATABASE postgres RESET default_transaction_isolation"

# Encodings: what the database can write is stored as it is, what it cannot costs its bar.
sql "CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
latin=$DATABASE_URL'&dbname=latin'
{ bars BÄR 3; bars 日本 1; } >in
for want in 3/0/0/0 0/0/3/0; do
	DATABASE_URL=$latin ts-store -i <in >out 2>err
	like "$?/$(counts | paste -s -d ' ')" "^1/BÄR stored $want 日本 failed null/null/null/null: 22P05: .*LATIN1" "a database in LATIN1 ($want)"
done
is "$(PGDATABASE=latin sql "SELECT DISTINCT encode(convert_to(symbol, 'UTF8'), 'escape'), octet_length(symbol) FROM ohlcv_daily")" 'B\303\204R|3' "has it in its own encoding"

# Logins that never pass, and servers that never take a row.
sql "CREATE DATABASE other"
sql "REVOKE CONNECT ON DATABASE other FROM public; CREATE ROLE reader LOGIN; ALTER ROLE reader SET default_transaction_read_only = on"
ts-store -u "postgresql:///other?host=$tmp/pg&user=app" </dev/null 2>err
is "$?/$(grep -c 'permission denied for database' err)" 100/1 "no right to connect"
ts-store -u "postgresql:///postgres?host=$tmp/pg&user=reader" </dev/null 2>err
is "$?/$(grep -c 'the server is read-only: name the primary, or put target_session_attrs=read-write' err)" 100/1 "a read-only server at the start"

done_testing
