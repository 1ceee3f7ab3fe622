#!/usr/bin/env bash
# A database that another loader left, with mixed scales, rows a day early, doubles of weeks and half-grown days:
# all is found and named, and ts-sync -d heals it.
# shellcheck source=tests/nights/nights.sh
. "$(dirname "${BASH_SOURCE[0]}")/nights.sh"

now=2025-12-24T03:00:00Z
tables_start
sim_start -N $now || exit 1
job '["MIXED","SCALED","EARLY","DOUBLE","HALF","GAPS"]' 0.6 >job.json
ts-expand -N $now <job.json | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
is "$(certificate $now)" "30 of 30 complete" "before it all is well"
fresh_load $now 0.6
is "$(image)" 0 "as a fresh load"
scale="open = open * 4, high = high * 4, low = low * 4, close = close * 4"
sql "UPDATE ohlcv_1min SET $scale WHERE symbol = 'MIXED' AND timestamp < '2025-08-01';
	UPDATE ohlcv_hourly SET $scale WHERE symbol = 'MIXED' AND timestamp < '2025-09-01';
	UPDATE ohlcv_daily SET open = open / 10, high = high / 10, low = low / 10, close = close / 10 WHERE symbol = 'MIXED' AND date BETWEEN '2025-10-01' AND '2025-10-31';
	$(for t in ohlcv_1min ohlcv_hourly; do echo "UPDATE $t SET $scale WHERE symbol = 'SCALED' AND timestamp < '2025-10-01';"; done)
	$(for t in ohlcv_daily ohlcv_weekly ohlcv_monthly; do echo "UPDATE $t SET $scale WHERE symbol = 'SCALED' AND date < '2025-10-01';"; done)
	CREATE TEMP TABLE early AS SELECT * FROM ohlcv_daily WHERE symbol = 'EARLY' AND date > '2025-06-10';
	DELETE FROM ohlcv_daily WHERE symbol = 'EARLY' AND date > '2025-06-10';
	UPDATE early SET date = date - 1;
	INSERT INTO ohlcv_daily SELECT * FROM early ON CONFLICT DO NOTHING;
	INSERT INTO ohlcv_weekly SELECT symbol, date + 1, open, high, low, close, volume FROM ohlcv_weekly WHERE symbol = 'DOUBLE';
	UPDATE ohlcv_daily SET high = greatest(open, (open + close) / 2), low = least(open, (open + close) / 2), close = (open + close) / 2, volume = volume / 3
		WHERE symbol = 'HALF' AND extract(dow FROM date) = 3;
	DELETE FROM ohlcv_1min WHERE symbol = 'GAPS' AND timestamp::date IN ('2025-07-08', '2025-08-19', '2025-10-30') AND timestamp::time > '16:00';
	INSERT INTO ohlcv_1min SELECT symbol, timestamp + interval '7 seconds', open, high, low, close, volume FROM ohlcv_1min
		WHERE symbol = 'GAPS' AND timestamp BETWEEN '2025-09-09 15:00Z' AND '2025-09-09 16:00Z'"
ts-expand -N $now <job.json | ts-audit >out 2>/dev/null
is "$?" 1 "then it is not"
named() {
	like "$(grep "^$1 " out)" "$2" "$3"
}
named 'MIXED  *1min' 'differs; prices before 2025-08-01 are 4 times .*, prices from 2025-10-01 to 2025-10-31 are 10 times|differs; prices before 2025-08-01 are 4 times.*; prices from 2025-10-01 to 2025-10-31 are 10 times' "minutes on two scales"
named 'MIXED  *hour' 'prices before 2025-09-0[12] are 4 times' "hours on another"
named 'MIXED  *week' 'differs; not what the days make' "weeks that the days do not make"
named 'EARLY  *day' ' outside' "days on weekends"
named 'EARLY  *1min' 'differs' "days that are another one's"
named 'DOUBLE  *week' 'outside; [0-9]+ outside of sessions$' "weeks twice"
named 'HALF  *day' 'differs; .*more volume than the day' "days that had not grown up"
named 'GAPS  *1min' 'holes 2025-07-08, 2025-08-19, 2025-10-30' "halves of sessions"
named 'GAPS  *1min' '; 61 outside of sessions' "minutes off the grid"
ts-sync -d -N $now job.json >out 2>err
is "$?/$(tail -n 1 out)" "0/30 of 30 complete" "ts-sync -d heals it" || sed 's/^/# /' out err
is "$(image)" 0 "to what a fresh load gives"
before=$(for t in $tables; do sql "SELECT sum(xmin::text::int8), count(*) FROM $t"; done)
: >"$sim_log"
ts-sync -d -N $now job.json >out 2>err
asked=$(grep -c /v2/aggs "$sim_log")
[ "$asked" -le 30 ]
ok $? "a second time it asks $asked times for 6 symbols"
is "$(for t in $tables; do sql "SELECT sum(xmin::text::int8), count(*) FROM $t"; done)" "$before" "and touches no row"
done_testing
