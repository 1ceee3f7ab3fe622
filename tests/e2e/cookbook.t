#!/usr/bin/env bash
# shellcheck disable=SC2016
# Every block of ts-cookbook(7) is run as it stands there, in the order of the page, and does what is
# said of it. A block without a name, or one that is not run here, fails this test.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/pages.sh
. "$here/pages.sh"

page=$top/doc/ts-cookbook.7
# block NAME [PAGE]: the text of the block below the comment "block NAME".
block() {
	awk -v name="$1" '/^\.\\" block / {n = $3} /^\.Ed/ {n = ""; b = 0} b && n == name; /^\.Bd/ {b = 1}' "${2:-$page}" |
		unroff
}
# names [PAGE]: of all blocks; what has none, or one that another block has, is called nameless.
names() {
	awk '/^\.\\" block / {n = $3; next} /^\.Bd/ {print (n == "" || seen[n]++ ? "nameless" : n)} {n = ""}' "${1:-$page}"
}
: >ran
# cook NAME: runs the block.
cook() {
	echo "$1" >>ran
	block "$1" >text
	[ -s text ] || ok 1 "the page has the block $1"
	run "$(cat text)"
}
# cooked NAME WANT GOT: it ended well, and what came of it.
cooked() {
	is "$code/$3" "0/$2" "$1" || sed 's/^/# /' err
}
count() {
	sql "SELECT count(*) FROM ohlcv_$1 WHERE ${2:-true}"
}
# bars_of TABLE: what it holds, digit by digit.
bars_of() {
	sql "SELECT * FROM (SELECT symbol, ${2:-date}, open, high, low, close, volume FROM ohlcv_$1) t ORDER BY 1, 2" | paste -s -d ' '
}

now=2025-12-16T17:00:30Z
pg_start || exit 1
redis_start --loglevel warning || exit 1
sim_start -N "$now" || exit 1
clock $now
stand_in redis-cli <<END
#!/bin/sh
exec $(command -v redis-cli) -s $tmp/redis.sock "\$@"
END
stand_in sudo <<'END'
#!/bin/sh
[ "$1" != -u ] || shift 2
exec "$@"
END
ln -s "$top/pipeline.sh" bin/ts-pipeline
ln -s "$top/ts-sync" bin/
job() {
	printf '{"job_id":"ex","symbols":%s,"timeframes":%s,"years":0.02}\n' "$1" "$2" >job.json
}
day_bar() {
	printf '{"symbol":"%s","timeframe":"day","date":"%s","open":5,"high":6,"low":4,"close":5,"volume":1}\n' "$@"
}

# Start from nothing: the address that the block exports serves from here on.
cook database
cooked "a role, a database and the tables" "" "$(cat out)"
eval "$(block database | grep ^export)"
export PGUSER=tickstock PGDATABASE=tickstock
is "$(sql "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = 'tickstock'")" 5 "they are the role's"
cook first-load
cooked "a first load is shown" "250|250 5" "$(count daily "symbol = 'AAPL'")|$(count daily "symbol = 'MSFT'") $(grep -c '^ AAPL' out)"

# The first job by Redis.
empty
start ts-pipeline >pipeline.out 2>pipeline.err
service=$!
wait_for 10 listening
cook publish
cooked "a job is published, and heard" 1 "$(cat out)"
wait_for 10 eval 'redis exists tickstock.jobs.status:first-1 | grep -q 1'
cook watch
cooked "and watched to its end" completed/100 "$(tail -n 3 out | head -n 2 | paste -s -d /)"
cook cancel
cooked "a cancel is heard" 1 "$(cat out)"
kill -TERM $service
wait $service

# What failed, and what is missing.
empty
redis rpush tickstock.jobs.failed:first-1 '{"type":"failed","job_id":"first-1","symbol":"AAPL","timeframe":"day","from":"2025-12-09","to":"2025-12-15","stage":"store","error":"made up"}' >/dev/null
cook failed-service
cooked "what failed in a job of the service, again" "5 completed" "$(rows) $(jq -r .status out)"
empty
job '["AAPL","MSFT","NO WAY"]' '["day","week"]'
cook record
is "$code/$(rows)" "1/12" "a run is recorded"
cook failed
cooked "what failed and why" "NO WAY day|NO WAY week" "$(cut -f 1,2 out | tr '\t' ' ' | paste -s -d '|')"
like "$(cut -f 3 out)" 'symbol' "with its reason"
sed -i '0,/"type":"stored"/s/"type":"stored"/"type":"failed","stage":"store","error":"made up"/' run.log
cook again
is "$code/$(jq -r '[.tasks, .stored, .failed] | @csv' out)" "1/3,1,2" "only that again"
job '["AAPL","MSFT"]' '["day","week"]'
sql "DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-12-12'"
cook missing
is "$code/$(tail -n 1 out | cut -d : -f 1)" "1/3 of 4 complete" "what is missing is named"
cook fill
is "$code/$(rows)/$(jq -r .stored out)" 0/12/1 "and loaded"

# Every night: cron gives a shell, the variables of its table, and little else.
sql "DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-12-12'"
echo nightly >>ran
cron=$(block nightly | sed -n 's/^PATH=//p')
block nightly | tail -n 1 | sed -E 's/^([^ ]+ ){6}//' | sed "s|/etc/tickstock|$tmp|g" >text
like "$(block nightly | tail -n 1)" '^[0-9]+ [0-9]+ \* \* 2-6 tickstock set -a; . /etc/tickstock/env; ts-sync ' "a line of cron.d: five fields, an account, a command"
printf 'MASSIVE_API_KEY=key\nDATABASE_URL=%s\nMASSIVE_URL=%s\nPGHOST=%s\n' "$DATABASE_URL" "$MASSIVE_URL" "$PGHOST" >./env
mkdir night
printf '#!/bin/sh\necho %s\n' $now >night/date
chmod 755 night/date
env -i HOME="$tmp" LOGNAME=tickstock SHELL=/bin/sh PATH="$tmp/night:$tmp/bin:$build:$cron" sh -c "$(cat text)" >out 2>err
is "$?/$(rows)/$(cat out err | grep -v fsync=off)" "0/12/" "what is missing is loaded at night, and cron has nothing to mail"
# The timer: systemd gives the unit's command its file of settings. make systemd types this under a real one.
sql "DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-12-12'"
echo nightly-systemd >>ran
stand_in systemctl <<END
#!/bin/sh
echo "\$*" >>$tmp/units
[ "\$*" != "start ts-sync" ] || exec env -i HOME="$tmp" PATH="$tmp/night:$tmp/bin:$build:$cron" sh -c 'set -a; . $tmp/env; $(
	sed -n "s|/etc/ts-sync|$tmp/jobs|; s|^ExecStart=.*exec /usr/local/bin/\(.*\)'|\1|p" "$top/doc/systemd/ts-sync.service"
)'
END
block nightly-systemd | sed "s|/etc/ts-sync|$tmp/jobs|" >text
run "$(cat text)"
is "$code/$(rows)/$(grep -v fsync=off err)" "0/12/" "and so by the timer's unit, which says nothing"
is "$(paste -s -d '|' units)" "enable --now ts-sync.timer|start ts-sync|list-timers ts-sync.timer" "which is enabled, and shown"

cook plan
cooked "what a plan costs" "3 requests, 36 s" "$(tail -n 1 out)"
job '["AAPL"]' '["day"]'
cook free
cooked "the job at that pace" completed "$(jq -r .status out)"

# One symbol.
empty
cook range
cooked "days of one symbol between two dates" "2025-12-01 2025-12-02 2025-12-03 2025-12-04 2025-12-05" \
	"$(sql 'SELECT date FROM ohlcv_daily ORDER BY 1' | paste -s -d ' ')"
cook pre-market
like "$code/$(PGTZ=America/New_York sql 'SELECT count(*) > 0, min(timestamp)::time >= $$08:30$$, max(timestamp)::time < $$09:30$$ FROM ohlcv_1min')" \
	'^0/t\|t\|t$' "and the minutes before the session opens"

# A universe.
empty
sql "CREATE TABLE members (universe text, symbol text, added date, removed date);
	INSERT INTO members VALUES ('DIA', 'MSFT', '1999-11-01', NULL), ('DIA', 'XOM', '1928-10-01', '2020-08-31'),
		('DIA', 'CRM', '2020-08-31', NULL), ('QQQ', 'AAPL', '1999-01-01', NULL), ('DIA', 'GE', '1907-11-07', '2018-06-26')"
cook universe-sql
cooked "the universe as of a date" "MSFT XOM" "$(paste -s -d ' ' universe.txt)"
cook universe-file
cooked "a universe of a file is loaded" "500 2" "$(count daily) $(jq -r .stored out)"

# CSV.
empty
cat >bars.csv <<'END'
date,symbol,close,"open",low,high,volume,name
2025-12-19,600519,1415.50,1410.10,1400.000000000000000001,1420.00,100,"Kweichow, Moutai"
2025-12-19,1E5,1.15,1.10,1.00,1.20,1.2e+06,x
2025-12-19,00700,0.0012,"0.0012",0.0012,0.0012,7,x
2025-12-22,00700,null,null,null,null,null,x
2025-12-23,NAN,1,1,1,1,"1,200",x
END
cook csv
is "$code/$(bars_of daily)" "1/00700|2025-12-19|0.0012|0.0012|0.0012|0.0012|7 1E5|2025-12-19|1.10|1.20|1.00|1.15|1200000 600519|2025-12-19|1410.10|1420.00|1400.000000000000000001|1415.50|100" \
	"CSV by the names of the columns: symbols stay symbols, digits digits"
like "$(cat err)" 'line 4: 00700 day 2025-12-22: .*rejected' "a row without prices is named"
like "$(cat err)" 'line 5: NAN day 2025-12-23: volume .*rejected' "and so is a number with a comma"
empty
cat >vendor.csv <<'END'
Date,Open,High,Low,Close,Adj Close,Volume
2025-12-19,272.14,274.60,269.90,273.67,273.67,144632000
2025-12-22,272.86,273.88,270.51,270.97,270.97,36571800
"12/23/2025",null,null,null,null,null,null
8/9/2024,212.10,216.78,211.97,216.24,215.21,42201600
END
cook csv-vendor
is "$code/$(bars_of daily)" "1/AAPL|2024-08-09|212.10|216.78|211.97|216.24|42201600 AAPL|2025-12-19|272.14|274.60|269.90|273.67|144632000 AAPL|2025-12-22|272.86|273.88|270.51|270.97|36571800" \
	"the file of a vendor, with dates of the US"
like "$(cat err)" 'line 3: AAPL day 2025-12-23: .*rejected' "and the row that has no prices is named"
empty
printf '%s\n' time,symbol,open,high,low,close,volume '2025-12-22 09:30,AAPL,1.10,1.20,1.00,1.15,9' \
	'2025-07-22 15:59,AAPL,1.10,1.20,1.00,1.15,9' >minutes.csv
cook csv-local
cooked "local times of New York, winter and summer" \
	"AAPL|2025-07-22 19:59:00+00|1.10|1.20|1.00|1.15|9 AAPL|2025-12-22 14:30:00+00|1.10|1.20|1.00|1.15|9" \
	"$(PGTZ=UTC bars_of 1min timestamp)"
empty
printf '%s\n' symbol,date,open,high,low,close,volume 1E5,20251219,1.10,1.20,1.00,1.15,9 >dates.csv
cook csv-yyyymmdd
cooked "dates without dashes" "1E5|2025-12-19|1.10|1.20|1.00|1.15|9" "$(bars_of daily)"

# What else bars come as.
empty
printf '%s\n' ticker,volume,open,close,high,low,window_start,transactions \
	AAPL,4930,200.29,200.5,200.63,200.29,1766413800000000000,129 | gzip >2025-12-22.csv.gz
cook flat-file
minute="AAPL|2025-12-22 14:30:00+00|200.29|200.63|200.29|200.5|4930"
cooked "a flat file" "$minute" "$(PGTZ=UTC bars_of 1min timestamp)"
empty
page_of() {
	printf '{"ticker":"AAPL","adjusted":true,"status":"OK","resultsCount":1,"results":[{"v":4930,"vw":200.4,"o":200.29,"c":200.5,"h":200.63,"l":200.29,"t":%s,"n":129}]}\n' "$1"
}
page_of 1766413800000 >minutes.json
cook raw-minutes
cooked "a page of minutes" "$minute" "$(PGTZ=UTC bars_of 1min timestamp)"
for a in 1751342400000/2025-07-01 1766379600000/2025-12-22; do
	empty
	page_of "${a%/*}" >days.json
	cook raw-days
	cooked "a page of days, ${a#*/}" "AAPL|${a#*/}|200.29|200.63|200.29|200.5|4930" "$(bars_of daily)"
done
empty
printf '%s\n' '{"T":"subscription","bars":["AAPL"]}' \
	'{"T":"b","S":"AAPL","o":200.29,"h":200.63,"l":200.29,"c":200.5,"v":4930,"t":"2025-12-22T14:30:00Z","n":129,"vw":200.4}' >stream.ndjson
cook alpaca-stream
cooked "Alpaca's stream" "$minute" "$(PGTZ=UTC bars_of 1min timestamp)"
printf '{"bars":{"AAPL":[{"t":"2025-12-22T05:00:00Z","o":200.29,"h":200.63,"l":200.29,"c":200.5,"v":4930,"n":129,"vw":200.4}]},"next_page_token":null}\n' >alpaca.json
cook alpaca-days
cooked "and an answer of its API" "AAPL|2025-12-22|200.29|200.63|200.29|200.5|4930" "$(bars_of daily)"

# Bars out.
empty
ts-expand -y 1 -t day AAPL MSFT | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
cook csv-out
cooked "CSV of the database" "symbol,date,open,high,low,close,volume/251" "$(head -n 1 aapl.csv)/$(wc -l <aapl.csv)"
cook csv-direct
cooked "CSV of the API" "symbol,timeframe,date,open,high,low,close,volume/251" "$(head -n 1 aapl.csv)/$(wc -l <aapl.csv)"
cook ndjson-out
want=$(bars_of daily | cksum)
empty
ts-store <days.ndjson 2>err
is "$?/$(wc -l <days.ndjson)/$(bars_of daily | cksum)" "0/500/$want" "lines of the database are bars, digit by digit"

printf '{"symbol":"%s","timeframe":"1min","timestamp":"2025-12-22T14:30:00Z","open":%s,"high":6,"low":4,"close":5,"volume":7}\n' AAPL 5.10 1E5 5 |
	ts-store >/dev/null 2>&1
cook parquet
cooked "minutes for Parquet: the same members in each line, each of one type" \
	'2 symbol:string timeframe:string timestamp:string open:number high:number low:number close:number volume:number 2025-12-22T14:30:00Z' \
	"$(wc -l <minutes.ndjson) $(jq -r 'to_entries | map(.key + ":" + (.value | type)) | join(" ")' minutes.ndjson | sort -u) $(jq -r .timestamp minutes.ndjson | sort -u)"
is "$(ts-store -n <minutes.ndjson 2>&1 | tail -n 1 | cut -d ' ' -f 1-4)" "ts-store: end checked: bars=2" "and ts-store reads them again"
# Debian has no DuckDB: what it would be given names the members of these lines.
stand_in duckdb <<'END'
#!/bin/sh
printf '%s\n' "$2" >statement
END
cook duckdb
cooked "and DuckDB is told their columns" "$(jq -r 'keys_unsorted[]' minutes.ndjson | head -n 8 | paste -s -d ' ') minutes.ndjson" \
	"$(grep -o '[a-z]*: ' statement | tr -d ':\n' | sed 's/ $//') $(grep -o 'minutes.ndjson' statement)"
sql "TRUNCATE ohlcv_1min"

# Five minutes.
for ((i = 30; i < 40; i++)); do
	printf '{"symbol":"AAPL","timeframe":"1min","timestamp":"2025-12-22T14:%d:00Z","open":%d,"high":%d,"low":%d,"close":%d.5,"volume":3000000000}\n' $i $i $((i + 2)) $((i - 2)) $i
done | ts-store 2>/dev/null
cook five-minutes
cooked "a view of five minutes" "AAPL|2025-12-22 14:30:00+00|30|36|28|34.5|15000000000 AAPL|2025-12-22 14:35:00+00|35|41|33|39.5|15000000000" \
	"$(PGTZ=UTC bars_of 5min timestamp)"

# The source.
cook count
cooked "how much there is" 2 "$(grep -c '250 .*2024-12-.*2025-12-' out)"
cook compare
cooked "no difference from the source" "" "$(cat out)"
sql "UPDATE ohlcv_daily SET close = close + 0.01 WHERE date = '2025-12-01' AND symbol = 'AAPL'"
cook compare
is "$code/$(grep -c '^[<>]' out)/$(grep -o '2025-12-..' out | sort -u)" 1/2/2025-12-01 "a value that differs is shown"
sql "DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-12-05'"
cook coverage
cooked "a cell of the picture for each month" "1 3 1/AAPL 1min 0" \
	"$(awk -F '\t' '$1 == "AAPL day"' coverage.tsv | cut -f 14,24,26 | tr '\t' ' ')/$(awk -F '\t' '$1 == "AAPL 1min" {print $1, $24}' coverage.tsv)"
is "$(for a in '215, *25, *28' '253, *174, *97' '26, *150, *65' 'AAPL 1min' '2025-10'; do grep -c "$a" coverage.svg; done | grep -c -v '^0')" 5 \
	"and it has the three colours, the series and the months" || grep -o 'fill[^>]*' coverage.svg | sort | uniq -c | head -n 20
cook delete
is "$code/$(count daily "symbol = 'AAPL'")/$(bars_of daily | cksum)" "0/250/$want" "deleted and loaded again"

# Elsewhere.
PGUSER=postgres PGDATABASE=postgres sql "CREATE DATABASE second OWNER tickstock"
export SECOND_URL="postgresql:///second?user=tickstock"
job '["AAPL","MSFT"]' '["day","week"]'
cook replay
cooked "recorded here, stored there" 10/2 "$(PGDATABASE=second sql 'SELECT (SELECT count(*) FROM ohlcv_daily), (SELECT count(*) FROM ohlcv_weekly)' | tr '|' /)"
job "$(printf 'S%d\n' {1..30} | jq -R . | jq -s -c .)" '["day"]'
empty
stand_in ssh <<END
#!/bin/sh
shift
[ "\$1" != -- ] || shift
echo "\$*" >>$tmp/logins
exec sh -c "\$*"
END
cook second-host
is "$(grep -c . logins)/$(grep -c GNU_Parallel_worker logins)" 1/1 "one login at the other host, and that for tasks"
cooked "two hosts" "completed 30/30" "$(jq -r .status out) $(sql 'SELECT count(DISTINCT symbol) FROM ohlcv_daily')/$(jq -r .stored out)"

# Several hosts.
empty
echo host >>ran
bash -c "exec $(block host)" 2>host.log &
host=$!
started+=("$host")
cook share
cooked "a job by another host" "completed 30" "$(jq -r .status out) $(sql 'SELECT count(DISTINCT symbol) FROM ohlcv_daily')"
sql "DELETE FROM ohlcv_daily WHERE symbol IN ('S3', 'S7')"
cook share-missing
cooked "what a job lacks by another host" "completed 2 30" "$(jq -r '"\(.status) \(.tasks)"' out) $(sql 'SELECT count(DISTINCT symbol) FROM ohlcv_daily')"
kill "$host"

# An alert.
stand_in alert <<END
#!/bin/sh
cat >>$tmp/alerts
END
echo alert >>ran
: >alerts
bash -c "$(block alert)" 2>err </dev/null &
service=$!
started+=("$service")
wait_for 10 listening
publish '{"job_id":"good","symbols":["AAPL"],"timeframes":["day"],"years":0.02}'
publish '{"job_id":"bad","symbols":["NO WAY"],"timeframes":["day"],"years":0.02}'
wait_for 15 test -s alerts
wait_for 15 over good
kill -TERM "$(pgrep -P "$service" -f bin/ts-pipeline || echo "$service")"
wait "$service"
is "$(jq -r '.job_id + " " + .status' alerts)" "bad failed" "the alert is of the job that failed, and of no other"

# Databases of others.
empty
sql "CREATE TABLE symbols (symbol varchar PRIMARY KEY); INSERT INTO symbols VALUES ('AAPL')"
job '["AAPL","MSFT","MSFT"]' '["day"]'
sql "ALTER TABLE ohlcv_daily ADD FOREIGN KEY (symbol) REFERENCES symbols"
cook foreign-key
cooked "symbols are registered once" "AAPL MSFT" "$(sql 'SELECT symbol FROM symbols ORDER BY 1' | paste -s -d ' ')"
ts-expand <job.json | ts-fetch 2>/dev/null | ts-store >out 2>err
is "$?/$(count daily)" 0/10 "and then the job is stored"
sql "TRUNCATE ${tables// /, }, symbols"
sql "ALTER TABLE ohlcv_daily DROP CONSTRAINT ohlcv_daily_symbol_fkey"
{
	day_bar AAPL 2025-12-12 MSFT 2025-12-14 MSFT 2025-12-12
	day_bar AAPL 2025-12-06 AAPL 2025-11-30 | sed '1s/day/week/; 2s/day/month/'
} >early.ndjson
# What another loader did: no check of ours comes between.
jq -r '"INSERT INTO ohlcv_" + {day: "daily", week: "weekly", month: "monthly"}[.timeframe] +
	" VALUES (\u0027" + .symbol + "\u0027, \u0027" + .date + "\u0027, 5, 6, 4, 5, 1);"' early.ndjson | psql -X -q
cook early
cooked "rows a day early are found" "day|MSFT|1 month|AAPL|1 week|AAPL|1" \
	"$(grep '|.*|' out | tail -n +2 | tr -d ' ' | sort | paste -s -d ' ')"
cook clear-early
cooked "and cleared" AAPL "$(sql 'SELECT symbol FROM ohlcv_daily')"
sql "ALTER TABLE ohlcv_daily DROP CONSTRAINT ohlcv_daily_pkey; INSERT INTO ohlcv_daily SELECT * FROM ohlcv_daily;
	INSERT INTO ohlcv_daily (symbol, date) VALUES ('MSFT', '2025-12-12')"
cook doubles
cooked "doubles are found" "AAPL|2025-12-12|2" "$(grep '|.*|' out | tail -n +2 | tr -d ' ')"
cook clear-doubles
cooked "and cleared" "AAPL MSFT" "$(sql 'SELECT symbol FROM ohlcv_daily ORDER BY 1' | paste -s -d ' ')"
day_bar AAPL 2025-12-15 | ts-store 2>err
ok $? "and the table is one that ts-store takes"

# ts-records(5) has a line of each record, with the members that the stages write, in their order.
lines() {
	awk '/^\.\\" a line of each/ {n = 1} n && /^\.Ed/ {exit} n && b {print} n && /^\.Bd/ {b = 1}' "$top/doc/ts-records.5" |
		unroff | perl -0pe 's/\\\n //g'
}
keys() {
	jq -r '.type + ": " + (keys_unsorted | join(" "))' | awk '!seen[$1]++' | sort
}
empty
empty
job '["AAPL","NO WAY"]' '["day"]'
jq -c '.source = "DIA"' job.json >named.json
ts-expand <named.json 2>/dev/null | tee r.1 | ts-fetch 2>/dev/null | tee r.2 | ts-store 2>/dev/null | tee r.3 | ts-status -u none 2>/dev/null >r.4
is "$(lines | keys | grep -vE '^(waiting|cancel|gap):')" "$(cat r.1 r.2 r.3 r.4 | keys)" "ts-records(5) shows each record as it is written"
is "$(lines | jq -r .type | sort | paste -s -d ' ')" \
	"$(sed -n 's/^\.Ss \([a-z]*\) (.*/\1/p' "$top/doc/ts-records.5" | grep -v audit | sort | paste -s -d ' ')" "and leaves out none"

# None is left out, and what is run is what a reader sees.
is "$(names | sort)" "$(sort -u ran)" "every block of the page has a name and was run"
mandoc -T utf8 -O width=140 "$page" | col -bx | sed 's/^ *//' >seen
for a in $(names); do
	block "$a"
done | sed 's/^ *//' | grep -vxFf seen >unseen
is "$(cat unseen)" "" "every line is what the page shows"
printf '.\\" block one\n.Bd -literal\n.Ed\n.Bd -literal\n.Ed\n.\\" block one\n.Bd -literal\n.Ed\n' >page.7
is "$(names page.7 | paste -s -d ' ')" "one nameless nameless" "a block without a name of its own would be seen"
done_testing
