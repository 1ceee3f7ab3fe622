#!/usr/bin/env bash
# Thirty symbols over two years: clean data gives no finding, and neither do recorded pages of the real API; each
# damage of a list is found and named, and nothing else is.
# shellcheck source=tests/nights/nights.sh
. "$(dirname "${BASH_SOURCE[0]}")/nights.sh"

now=2025-12-24T03:00:00Z
tables_start
sim_start -N $now || exit 1
symbols=$(seq -f S%02g 30)
# shellcheck disable=SC2086
ts-expand -N $now -y 2 -t 1min,hour,day,week,month $symbols >tasks
ts-fetch <tasks 2>/dev/null | ts-store >/dev/null 2>&1
sql ANALYZE
ts-audit -J <tasks >out 2>/dev/null
is "$?/$(jq -r 'select(.type == "audit") | [.verdict, (.differs | length), .outside, .odd] | @csv' out | sort | uniq -c | tr -s ' ')" \
	'0/ 150 "complete",0,0,0' "clean data gives no finding"
is "$(jq -r 'select(.type == "audit" and .compared == 0) | .symbol' out | wc -l)" 0 "and all of it was compared"
hurt=
# damage SYMBOL WANT SQL: what the audit is to say of the symbol, in the order of its lines.
damage() {
	want+="$1 $2"$'\n'
	hurt+="$3;"
}
want=
day() { # SYMBOL DATE: minutes in regular hours
	echo "symbol = '$1' AND timestamp >= '$2 13:00Z' AND timestamp < '$2 21:30Z'"
}
damage S01 '1min holes 2025-03-12 hours 2025-03-12' "DELETE FROM ohlcv_1min WHERE symbol = 'S01' AND timestamp >= '2025-03-12 15:00Z' AND timestamp < '2025-03-12 16:00Z'"
damage S02 '1min holes 2024-05-14 hours 2024-05-14' "DELETE FROM ohlcv_1min WHERE symbol = 'S02' AND timestamp >= '2024-05-14 13:30Z' AND timestamp < '2024-05-14 15:00Z'"
damage S03 '1min differs hours 2024-09-18' "DELETE FROM ohlcv_1min WHERE symbol = 'S03' AND timestamp = '2024-09-18 17:23Z'"
damage S04 '1min differs hours 2025-08-20 range 2025-08-20' "UPDATE ohlcv_1min SET high = high * 1.03 WHERE symbol = 'S04' AND timestamp = '2025-08-20 17:23Z'"
damage S05 '1min differs basis 2025-09-10' "UPDATE ohlcv_1min a SET open = b.open, high = b.high, low = b.low, close = b.close, volume = b.volume FROM ohlcv_1min b WHERE a.symbol = 'S05' AND b.symbol = 'S30' AND a.timestamp = b.timestamp AND a.timestamp >= '2025-09-10 13:30Z' AND a.timestamp < '2025-09-10 20:00Z'"
damage S06 'day differs range 2025-02-12 volume 2025-02-12' "UPDATE ohlcv_daily SET high = open * 1.0001, low = open * 0.9999, close = open, volume = volume / 3 WHERE symbol = 'S06' AND date = '2025-02-12'"
damage S07 'week differs roll-up 2024-10-20' "UPDATE ohlcv_weekly SET high = high + 0.01 WHERE symbol = 'S07' AND date = '2024-10-20'"
damage S08 'day outside' "INSERT INTO ohlcv_daily SELECT symbol, '2025-11-02', open, high, low, close, volume FROM ohlcv_daily WHERE symbol = 'S08' AND date = '2025-10-31'"
damage S09 '1min differs basis 2023-12-26' "UPDATE ohlcv_1min SET open = open * 4, high = high * 4, low = low * 4, close = close * 4 WHERE symbol = 'S09' AND timestamp < '2024-07-15'"
damage S10 'hour differs basis 2024-02-01' "UPDATE ohlcv_hourly SET open = open * 1.05, high = high * 1.05, low = low * 1.05, close = close * 1.05 WHERE symbol = 'S10' AND timestamp BETWEEN '2024-02-01' AND '2024-02-29'"
damage S11 'hour differs basis 2024-03-01' "UPDATE ohlcv_hourly SET open = open * 1.005, high = high * 1.005, low = low * 1.005, close = close * 1.005 WHERE symbol = 'S11' AND timestamp BETWEEN '2024-03-01' AND '2024-04-30'"
damage S12 'day holes 2025-06-12' "DELETE FROM ohlcv_daily WHERE symbol = 'S12' AND date = '2025-06-12'"
damage S13 'month differs roll-up 2025-04-01' "UPDATE ohlcv_monthly SET open = open - 0.01 WHERE symbol = 'S13' AND date = '2025-04-01'"
damage S14 'hour holes 2025-07-22 hours 2025-07-22' "DELETE FROM ohlcv_hourly WHERE $(day S14 2025-07-22) AND timestamp > '2025-07-22 16:30Z'"
sql "BEGIN; $hurt COMMIT"
ts-audit -J <tasks >out 2>/dev/null
is "$?" 1 "then some is not complete"
# All that is said of a symbol, its timeframes one after the other.
said() {
	jq -r --arg s "$1" 'select(.type == "audit" and .symbol == $s and .verdict != "complete") |
		([.timeframe, .verdict] + [.missing[] | .[0]] + [.differs[] | .[0], .[1]]) | join(" ")' out | tr '\n' ';'
}
while read -r symbol text; do
	grep -qF -- "$text" <<<"$(said "$symbol")"
	ok $? "$symbol: $text ($(said "$symbol"))"
done <<<"${want%$'\n'}"
is "$(jq -r 'select(.type == "audit" and .verdict != "complete") | .symbol' out | sort -u | tr '\n' ' ')" "$(seq -f S%02g -s ' ' 14) " "and nothing of others"
ts-audit -m <tasks 2>/dev/null | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
ts-audit <tasks >out 2>/dev/null
is "$?/$(tail -n 1 out)" "1/149 of 150 complete: S08 day outside" "-m mends all but what is to be deleted"

# ---- recorded pages

if [ -d "$shared/fixtures/massive" ]; then
	sim_stop
	sim_start -N 2026-01-01T00:00:00Z -r "$shared/fixtures/massive"
	sql "$(for t in $tables; do echo "TRUNCATE $t;"; done)"
	while read -r tf from to; do
		printf '{"type":"task","job_id":"r","symbol":"AAPL","timeframe":"%s","from":"%s","to":"%s"}\n' "$tf" "$from" "$to"
	done >tasks <<-'END'
		day 2019-01-01 2019-02-01
		day 2023-01-01 2023-01-10
		week 2021-06-27 2021-07-24
		hour 2024-03-25T04:00:00Z 2024-03-26T00:00:00Z
		1min 2023-07-31T08:00:00Z 2023-08-01T00:00:00Z
	END
	ts-fetch -x <tasks 2>/dev/null | ts-store >/dev/null 2>&1
	ts-audit -J <tasks >out 2>/dev/null
	is "$(jq -r 'select(.type == "audit") | [.differs == [], .outside, .odd, .nulls, .crossed] | @csv' out | sort | uniq -c | tr -s ' ')" \
		' 5 true,0,0,0,0' "recorded pages of the real API give no finding"
	is "$(for t in $tables; do sql "SELECT count(*) FROM $t"; done | awk '{ n += $1 } END { print n }')" 57 "and all of them are there"
else
	skip "no recorded replies here"
fi
done_testing
