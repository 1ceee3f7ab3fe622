#!/usr/bin/env bash
# ts-store: after a verdict the table holds in the task's range what the API has, or the verdict says what
# more it holds; nothing is deleted unless asked for and safe; a restatement is told.
# shellcheck disable=SC2086,SC2046 # words
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The lines of start and end are told, as in a service.
export TS_SERVICE=1

pg_start || exit 1
ts-store -i </dev/null 2>/dev/null
# days PRICE DATE ...: day bars of AAPL. at TIMEFRAME INSTANT ...: minutes or hours.
days() {
	local price=$1
	shift
	for d; do
		printf '{"symbol":"AAPL","timeframe":"day","date":"%s","open":%s,"high":%s,"low":%s,"close":%s,"volume":9}\n' "$d" "$price" "$price" "$price" "$price"
	done
}
at() {
	local tf=$1
	shift
	for t; do
		printf '{"symbol":"AAPL","timeframe":"%s","timestamp":"%sZ","open":1,"high":1,"low":1,"close":1,"volume":9}\n' "$tf" "$t"
	done
}
# task TIMEFRAME FROM TO [MEMBERS]: closes what comes on stdin with the fetched record of a task.
task() {
	awk -v tf="$1" -v from="$2" -v to="$3" -v more="${4-}" '{ print } END {
		printf "{\"type\":\"fetched\",\"job_id\":\"j\",\"symbol\":\"AAPL\",\"timeframe\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"bars\":%d%s}\n", tf, from, to, NR, more }'
}
# store WANT NAME [OPTIONS]: what the verdict says of the image.
store() {
	local want=$1 name=$2
	shift 2
	ts-store "$@" >out 2>err
	is "$?/$(jq -r '[.extra, .deleted, .older, .restated, .factor] | map(. // 0) | @csv' out)" "$want" "$name" || sed 's/^/# /' err
}
rows() {
	sql "SELECT count(*) FROM ohlcv_${1:-daily}"
}
december=$(printf '2025-12-%02d ' 1 2 3 4 5 8 9 10 11 12)
set -f
shopt -s lastpipe
# shellcheck disable=SC2086
some() {
	days 5 $december | grep -v "$1"
}

# ---- what is extra

days 5 2025-11-28 $december 2025-12-15 | task day 2025-11-28 2025-12-15 | store 0/0,0,0,0,0 "a fresh load has nothing but itself"
some '12-03\|12-04' | task day 2025-12-01 2025-12-12 | store 0/2,0,0,0,0 "rows that the API did not send are counted"
like "$(cat err)" 'AAPL day: the table has 2 rows that the API does not have, the first at 2025-12-03: -d deletes them' "and told, with what to do"
is "$(jq -c . out)" '{"type":"stored","job_id":"j","symbol":"AAPL","timeframe":"day","from":"2025-12-01","to":"2025-12-12","bars":8,"first":"2025-12-01","last":"2025-12-12","inserted":0,"updated":0,"unchanged":8,"rejected":0,"extra":2}' \
	"the verdict as ts-records(5) has it"
like "$(cat err)" ' extra=2 deleted=0 ' "and in the end line"
is "$(rows)" 12 "nothing is deleted unless asked for"
some '12-01\|12-02' | task day 2025-11-01 2025-12-12 | store 0/0,0,3,0,0 "what is before the first bar is older, not extra"
some '12-01\|12-02' | task day 2025-12-02 2025-12-12 | store 0/0,0,1,0,0 "but only from the task's first date on"
some '12-04' | { cat; some '12-04'; } | task day 2025-12-01 2025-12-12 | store 0/1,0,0,0,0 "a bar that came twice counts once"
# shellcheck disable=SC2086
days 5 $(tr ' ' '\n' <<<"$december" | tac) | task day 2025-12-01 2025-12-12 | store 0/0,0,0,0,0 "in any order"
some '12-04' | sed '1d' | task day 2025-12-01 2025-12-12 ',"bars":9' | jq -c . | store 0/0,0,0,0,0 "bars that were taken out on the way make nothing extra" -d
is "$(rows)" 12 "and delete nothing"
some '12-04' | sed '2s/"open":5/"open":-5/' | task day 2025-12-01 2025-12-12 | store 1/0,0,0,0,0 "nor do bars that were rejected" -d
is "$(rows)" 12 "which delete nothing either"

# ---- what is deleted

some '12-0[1-4]' | task day 2025-12-01 2025-12-12 | store 0/0,0,4,0,0 "never before the first bar" -d
some '12-03\|12-04\|12-05' | task day 2025-12-01 2025-12-12 | store 0/3,0,0,0,0 "more than a fifth of the range is left" -d
like "$(cat err)" '3 rows .* 2025-12-03: more than a fifth of the range, so none is deleted' "which is told"
is "$(rows)" 12 "they are all there"
some '12-03\|12-04' | task day 2025-12-01 2025-12-12 | store 0/0,2,0,0,0 "what the API does not have is deleted" -d
like "$(cat err)" 'AAPL day: deleted 2 rows that the API does not have, the first at 2025-12-03' "and told"
is "$(rows)/$(sql "SELECT min(date), max(date) FROM ohlcv_daily")" "10/2025-11-28|2025-12-15" "nothing before the first or behind the last"
some '12-03\|12-04' | task day 2025-12-01 2025-12-12 | store 0/0,0,0,0,0 "then the table is the image" -d
sql "CREATE ROLE loader LOGIN; GRANT ALL ON SCHEMA public TO loader; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO loader"
days 5 2025-12-03 | ts-store 2>/dev/null
some '12-03\|12-04' | task day 2025-12-01 2025-12-12 | DATABASE_URL=${DATABASE_URL/user=postgres/user=loader} store 0/1,0,0,0,0 "without the right to delete the task is stored" -d
like "$(cat err)" 'rows that the API did not send cannot be deleted: .*permission denied' "and that is told"
is "$(rows)" 11 "and nothing happens"

# ---- what cannot be a bar

weeks() {
	days 5 "$@" | sed 's/"day"/"week"/'
}
weeks 2025-11-{02,09,16,23,30} | ts-store 2>/dev/null
sql "INSERT INTO ohlcv_weekly SELECT symbol, date + 1, open, high, low, close, volume FROM ohlcv_weekly"
weeks 2025-11-{02,09,16,23,30} | task week 2025-11-01 2025-12-06 | store 0/0,5,0,0,0 "weeks that are there twice, by their Monday: any share" -d
is "$(sql "SELECT count(*), count(*) FILTER (WHERE extract(dow FROM date) = 0) FROM ohlcv_weekly")" "5|5" "and none but these"

sql "CREATE TABLE gone (x xid8); CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO gone VALUES (pg_current_xact_id()); RETURN NULL; END';
	CREATE TRIGGER gone AFTER DELETE ON ohlcv_daily EXECUTE FUNCTION gone()"
{ some '12-03\|12-04'; days 5 2025-12-15 2025-12-16 2025-12-17; } | task day 2025-12-01 2025-12-17 | store 0/0,1,0,0,0 "rows are deleted" -d -j 4 -b 4
is "$(sql "SELECT string_agg(date::text, ' ' ORDER BY date) FROM ohlcv_daily t, gone WHERE t.xmin::text = x::text")" "2025-12-16 2025-12-17" \
	"in the transaction in which the task's last bars came"
sql "DROP TRIGGER gone ON ohlcv_daily; CREATE TABLE kept (symbol text, date date, FOREIGN KEY (symbol, date) REFERENCES ohlcv_daily DEFERRABLE INITIALLY DEFERRED);
	INSERT INTO kept VALUES ('AAPL', '2025-12-16')"
{ some '12-03\|12-04'; days 5 2025-12-15; days 5.01 2025-12-17; } | task day 2025-12-01 2025-12-17 | store 0/1,0,0,0,0 "what the COMMIT does not let go stays" -d
is "$(jq -c '[.updated, .rejected]' out)/$(rows)" '[1,0]/12' "and costs no bar"
like "$(cat err)" 'cannot be deleted: 23503: ' "which is told"
sql "DROP TABLE kept; DELETE FROM ohlcv_daily WHERE date > '2025-12-15'"

# ---- the order of batches

# While the first batch waits for a row that somebody else holds, no later one of its series is committed.
mkfifo hold
psql -q -X "$DATABASE_URL" <hold >hold.out 2>&1 &
holder=$!
exec {held}>hold
echo "BEGIN; INSERT INTO ohlcv_1min VALUES ('AAPL', '2025-12-01 15:00Z', 1, 1, 1, 1, 1); SELECT 'holds';" >&$held
wait_for 10 grep -q holds hold.out
at 1min 2025-12-01T{15,16}:{00..19}:00 | task 1min 2025-12-01 2025-12-01 >in
ts-store -v -j 4 -b 10 <in >out 2>err &
loader=$!
# A later batch was sent: it waits, or is through.
sent() {
	grep -q 'waits for an earlier batch' err || [ "$(rows 1min)" -gt 0 ]
}
wait_for 10 sent
ok $? "a later batch is on its way"
is "$(rows 1min)" 0 "but not committed before the first"
echo "ROLLBACK;" >&$held
exec {held}>&-
wait "$loader" "$holder"
is "$(jq -c '[.bars, .inserted]' out)/$(rows 1min)" "[40,40]/40" "then all are"
empty
# Killed at any moment, each series ends somewhere and has no hole.
perl -MPOSIX=strftime -e 'for my $part (0 .. 9) { for my $s ("A" .. "D") { for my $i (0 .. 299) {
	printf qq({"symbol":"%s","timeframe":"1min","timestamp":"%s","open":1,"high":1,"low":1,"close":1,"volume":9}\n),
		$s, strftime("%Y-%m-%dT%H:%M:00Z", gmtime(1764547200 + 60 * (300 * $part + $i))); } } }' >in
some_rows() {
	[ "$(rows 1min)" -gt "$1" ]
}
nobody() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ts-store'")" -eq 0 ]
}
dawdle
for n in 0 1000 3000 6000; do
	ts-store -j 4 -b 250 <in >out 2>err &
	loader=$!
	wait_for 10 some_rows $n
	kill -KILL $loader
	wait $loader 2>/dev/null
	wait_for 10 nobody
	sql "SELECT symbol FROM ohlcv_1min GROUP BY symbol HAVING count(*) <> 1 + extract(epoch FROM max(timestamp) - '2025-12-01 00:00Z') / 60"
done >holes
sql "DROP TRIGGER dawdle ON ohlcv_1min"
is "$(cat holes)" "" "a kill leaves no hole in any series"
ts-store -j 4 <in 2>/dev/null
is "$(rows 1min)" 12000 "and what is missing is loaded by the next run"
empty
# shellcheck disable=SC2086
days 5 2025-11-28 $december 2025-12-15 | ts-store 2>/dev/null

# ---- hours

at 1min 2025-12-22T{09:00,14:{29,30,31,32,33,34,35,36},20:59,21:00}:00 2025-12-24T{17:59,18:00}:00 >minutes
ts-store <minutes 2>/dev/null
grep -v 'T09:00\|T14:29\|T21:00\|T18:00' minutes | task 1min 2025-12-22 2025-12-24 | store 0/0,0,0,0,0 "minutes outside regular hours are another task's" -d
is "$(rows 1min)" 13 "and stay"
grep -v 'T14:33' minutes | task 1min 2025-12-22 2025-12-24 ',"hours":"extended"' | store 0/1,0,0,0,0 "with extended hours all are looked at"
grep -v 'T14:33\|T09:00\|T14:29\|T21:00\|T18:00' minutes | task 1min 2025-12-22 2025-12-24 | store 0/0,1,0,0,0 "a minute that was withdrawn" -d -b 2 -j 4

# ---- rows between bars
# An hour of minutes on each of two days, in batches that end within an hour; a row may stand anywhere.
at 1min 2025-12-{29,30}T15:{0,1,2,3,4,5}{0,1,2,3,4,5,6,7,8,9}:00 >hours
task 1min 2025-12-29 2025-12-30 <hours | store 0/0,0,0,0,0 "two hours are loaded" -b 50
row() {
	sql "INSERT INTO ohlcv_1min SELECT symbol, '$1', open, high, low, close, volume FROM ohlcv_1min WHERE symbol = 'AAPL' LIMIT 1"
}
for stray in 29T15:20:30 29T15:29:20 29T15:49:40 29T16:00:00 29T16:00:30 30T14:59:00 30T14:59:30 30T15:00:01; do
	row "2025-12-${stray}Z"
	task 1min 2025-12-29 2025-12-30 <hours | store 0/1,0,0,0,0 "a row at $stray is found" -b 30
	task 1min 2025-12-29 2025-12-30 <hours | store 0/1,0,0,0,0 "also where a batch holds bars of both days" -b 50
	sql "DELETE FROM ohlcv_1min WHERE timestamp = '2025-12-${stray}Z'"
done
for stray in 29T14:59:30 30T15:59:30; do
	row "2025-12-${stray}Z"
	task 1min 2025-12-29 2025-12-30 <hours | store 0/0,0,0,0,0 "and none before the first bar or behind the last: $stray" -b 30
done
row 2025-12-29T15:20:30Z
task 1min 2025-12-29 2025-12-30 <hours | store 0/0,1,0,0,0 "only what is between them is deleted" -b 30 -d
is "$(sql "SELECT count(*) FROM ohlcv_1min WHERE timestamp >= '2025-12-29'")" 122 "and nothing else"

at hour 2025-12-22T{13,14,15,20,21}:00:00 | ts-store 2>/dev/null
at hour 2025-12-22T{15,20}:00:00 | task hour 2025-12-22 2025-12-22 | store 0/0,0,0,0,0 "an hour before the first bar of the day is neither"
at hour 2025-12-22T{14,20}:00:00 | task hour 2025-12-22 2025-12-22 | store 0/0,1,0,0,0 "within a session any share is deleted" -d

# ---- an empty answer

: | task 1min 2025-12-22 2025-12-22 | store 0/0,0,0,0,0 "an empty answer alone says nothing"
days 5 2025-12-22 | ts-store 2>/dev/null
: | task 1min 2025-12-22 2025-12-22 | store 0/0,0,0,0,0 "nor where the days have a bar" -d
sql "DELETE FROM ohlcv_daily WHERE date = '2025-12-22'"
: | task 1min 2025-12-22 2025-12-24 | store 0/0,0,0,0,0 "nor over several sessions" -d
: | task 1min 2025-12-22T09:00:00Z 2025-12-22T20:00:00Z | store 0/0,0,0,0,0 "nor over a part of one" -d
sql "ALTER TABLE ohlcv_daily RENAME TO elsewhere; CREATE TABLE ohlcv_daily (LIKE elsewhere INCLUDING ALL)"
: | task 1min 2025-12-22 2025-12-22 | store 0/0,0,0,0,0 "nor where no days are stored" -d
sql "DROP TABLE ohlcv_daily; ALTER TABLE elsewhere RENAME TO ohlcv_daily"
: | task 1min 2025-12-22T09:00:00Z 2025-12-23T01:00:00Z | store 0/0,7,0,0,0 "a session without a day is withdrawn, by its instants" -d
ts-store <minutes 2>/dev/null
: | task 1min 2025-12-22 2025-12-22 | store 0/0,8,0,0,0 "a session without a day is withdrawn" -d

# ---- restatements

empty
# shellcheck disable=SC2086
days 8.72 2025-11-28 $december | ts-store 2>/dev/null
# shellcheck disable=SC2086
days 8.73 $december | task day 2025-12-01 2025-12-12 | store 0/0,0,0,0,0 "a correction is no restatement"
# shellcheck disable=SC2086
days 2.1825 $december | task day 2025-11-01 2025-12-12 | store 0/0,0,1,10,4 "a split is one, by its factor"
like "$(cat err)" 'AAPL day: 10 bars from 2025-12-01 to 2025-12-12 are restated: the old prices are the new ones times 4' "told once"
like "$(cat err)" 'AAPL day: 1 rows before them are older than the API reaches, and keep the old basis' "with what stays"
like "$(cat err)" ' restated=10 ' "and counted"
days 3 2025-12-12 | jq -c '.open = 2.1825 | .low = 2 | .volume = 99' | task day 2025-12-12 2025-12-12 | store 0/0,0,0,0,0 "a bar that was stored half-grown is none"
days 2.1825 2025-12-12 | ts-store 2>/dev/null
{ days 4.365 2025-12-01; days 21.825 2025-12-02; } | task day 2025-12-01 2025-12-02 | store 0/0,0,0,2,0 "two factors are none"
sql "ALTER TABLE ohlcv_daily ALTER open TYPE float8, ALTER high TYPE float4, ALTER low TYPE numeric(9,2)"
days 43.65 2025-12-02 2025-12-03 | ts-store 2>/dev/null
days 4.365 2025-12-02 2025-12-03 | task day 2025-12-02 2025-12-03 | store 0/0,0,0,2,10 "in binary columns too"
done_testing
