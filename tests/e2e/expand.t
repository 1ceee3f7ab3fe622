#!/usr/bin/env bash
# ts-expand: jobs become tasks, bad jobs become failures with a name, and nothing else changes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

job='{"job_id":"e33cca95","job_type":"csv_universe_load","source":"DIA","universe_key":"DIA","symbols":["AAPL","MSFT","INTC"],"timeframes":["1min","hour","day","week","month"],"years":0.003,"run_analysis_after_import":false,"requested_by":"admin","timestamp":"2025-12-23T12:15:13.634000","received_at":"2025-12-23T17:15:13Z"}'

# expect NAME INPUT JQ WANT: what jq makes of the output for this input.
expect() {
	is "$(printf '%s\n' "$2" | ts-expand 2>err | jq -c "$3")" "$4" "$1"
}

bad_input ts-expand
bad_output ts-expand

out=$(printf '%s\n' "$job" | ts-expand)
is "$(head -n 1 <<<"$out")" \
	'{"type":"job","job_id":"e33cca95","source":"DIA","symbols":3,"timeframes":["1min","hour","day","week","month"],"tasks":15,"received_at":"2025-12-23T17:15:13Z","timestamp":"2025-12-23T12:15:13.634000"}' \
	"the header says what was asked"
is "$(grep -c '"type":"task"' <<<"$out")" 15 "a task for each symbol and timeframe"
is "$(jq -r 'select(.type == "task").symbol' <<<"$out" | uniq | tr '\n' ' ')" "AAPL INTC MSFT " \
	"symbols come in ascending order"
is "$(sed -n 4p <<<"$out")" \
	'{"type":"task","job_id":"e33cca95","symbol":"AAPL","timeframe":"day","from":"2025-12-22","to":"2025-12-22"}' \
	"a task is written as the page says"

for tz in America/Chicago Asia/Tokyo UTC America/New_York; do
	is "$(printf '%s\n' "$job" | TZ=$tz ts-expand)" "$out" "TZ=$tz changes nothing"
done
is "$(printf '%s\n' "$job" | ts-expand)" "$out" "the same job expands to the same tasks"
TZDIR=/nonexistent ts-expand AAPL >out 2>err
is "$?/$(cat out)" 100/ "missing time zone data end it at the start"
like "$(cat err)" 'America/New_York' "missing time zone data are named"

# The jobs that cannot be used, and those that can in part.
base='"received_at":"2025-12-23T17:15:13Z","years":1'
fails() {
	expect "$1" "$2" '[.type, .job_id, .stage, .error]' "[\"failed\",\"j\",\"expand\",\"$3\"]"
}
fails "a job without symbols" '{"job_id":"j","csv_file":"dow.csv",'"$base"'}' "no symbols in the job"
fails "a job of a universe_type" '{"job_id":"j","universe_type":"etf",'"$base"'}' "no symbols in the job"
fails "an empty list of symbols" '{"job_id":"j","symbols":[],'"$base"'}' "no symbols in the job"
fails "null for symbols" '{"job_id":"j","symbols":null,'"$base"'}' "no symbols in the job"
fails "symbols in a string" '{"job_id":"j","symbols":"AAPL",'"$base"'}' "symbols is not a list of strings"
fails "a number among the symbols" '{"job_id":"j","symbols":["A",1],'"$base"'}' "symbols is not a list of strings"
fails "no years" '{"job_id":"j","symbols":["A"]}' "no years in the job"
fails "years in a string" '{"job_id":"j","symbols":["A"],"years":"1"}' "years is not a number"
for years in 0 -1 50.01 1e9; do
	fails "years of $years" '{"job_id":"j","symbols":["A"],"years":'$years'}' \
		"years is not a number above 0 and at most 50"
done
fails "timeframes in a string" '{"job_id":"j","symbols":["A"],"timeframes":"day",'"$base"'}' \
	"timeframes is not a list of strings"
fails "a time that is none" '{"job_id":"j","symbols":["A"],"years":1,"received_at":"yesterday"}' \
	"received_at is not a UTC time such as 2025-12-23T17:15:13Z"
for message in '{"symbols":["A"],"years":1}' '{"symbols":["A"],"years":1,"job_id":7}' \
	'{"symbols":["A"],"years":1,"job_id":""}'; do
	printf '%s\n' "$message" | ts-expand >out 2>err
	is "$?/$(cat out)" 1/ "dropped: $message"
	like "$(cat err)" 'line 1: .*job_id' "named: $message"
done
printf '{\n"job_id": "j"\n}\n' | ts-expand >out 2>err
like "$(cat err)" 'jq -c \.' "a job typed over several lines gets a hint"

expect "one unknown timeframe fails its own tasks, by name" \
	'{"job_id":"j","symbols":["A","B"],"timeframes":["day","2min","week"],'"$base"'}' \
	'select(.type != "job") | [.type, .symbol, .timeframe, .error]' \
	'["task","A","day",null]
["failed","A","2min","unknown timeframe: want 1min, hour, day, week or month; a view over them makes others, see ts-cookbook(7)"]
["task","A","week",null]
["task","B","day",null]
["failed","B","2min","unknown timeframe: want 1min, hour, day, week or month; a view over them makes others, see ts-cookbook(7)"]
["task","B","week",null]'
expect "one impossible symbol fails its own tasks" \
	'{"job_id":"j","symbols":["A B","BRK.B",".X","X:BTCUSD","TWENTYONECHARACTERSXX","","CpS","CPS"],'"$base"'}' \
	'select(.type != "job") | [.type, .symbol]' \
	'["failed","(empty)"]
["failed",".X"]
["failed","A B"]
["task","BRK.B"]
["task","CPS"]
["task","CpS"]
["failed","TWENTYONECHARACTERSXX"]
["task","X:BTCUSD"]'
expect "symbols are trimmed and counted once" \
	'{"job_id":"j","symbols":[" AAPL","AAPL ","\tAAPL\n","MSFT","AAPL"],"timeframes":["day","day"],'"$base"'}' \
	'if .type == "job" then [.symbols, .tasks] else .symbol end' \
	'[2,2]
"AAPL"
"MSFT"'
expect "timeframes missing means day" '{"job_id":"j","symbols":["A"],'"$base"'}' '.timeframe // .timeframes' \
	'["day"]
"day"'
expect "timespan of a historical_load means one timeframe" \
	'{"job_id":"j","job_type":"historical_load","symbols":["A"],"timespan":"minute",'"$base"'}' \
	'select(.type == "task").timeframe' '"1min"'
expect "a failed task keeps its window" '{"job_id":"j","symbols":["A B"],'"$base"'}' \
	'select(.type == "failed") | [.from, .to]' '["2024-12-23","2025-12-22"]'
is "$(printf '%s\n' '{"type":"cancel","job_id":"j"}' '{"event_type":"x"}' "$job" | ts-expand | head -n 3 | cut -c 1-25)" \
	'{"type":"cancel","job_id"
{"event_type":"x"}
{"type":"job","job_id":"e' "other records pass in order"

# The command line.
is "$(ts-expand -N 2025-12-23T17:15:13Z -y 0.003 -t day,hour MSFT AAPL | jq -c '[.type, .job_id, .symbol, .timeframe, .from]')" \
	'["job","cli-2025-12-23T17:15:13Z",null,null,null]
["task","cli-2025-12-23T17:15:13Z","AAPL","day","2025-12-22"]
["task","cli-2025-12-23T17:15:13Z","AAPL","hour","2025-12-22T09:00:00Z"]
["task","cli-2025-12-23T17:15:13Z","MSFT","day","2025-12-22"]
["task","cli-2025-12-23T17:15:13Z","MSFT","hour","2025-12-22T09:00:00Z"]' "operands make one job"
is "$(ts-expand -N 2025-12-23T17:15:13Z AAPL | jq -r 'select(.type == "task").from')" 2024-12-23 \
	"operands without -y mean a year"
is "$(ts-expand -N 2025-12-23T17:15:13Z -y 0.003 -p -t day,week,month AAPL | jq -r 'select(.type == "task").to' | tr '\n' ' ')" \
	"2025-12-23 2025-12-27 2025-12-31 " "-p adds the unfinished day, week and month"
is "$(printf '%s\n' "$job" | ts-expand -N 2025-12-24T17:15:13Z | jq -r 'select(.timeframe == "day").from' | uniq)" \
	2025-12-23 "-N serves jobs that carry a moment too"
is "$(printf '{"job_id":"j","symbols":["A"],"received_at":"2025-12-23T17:15:13Z"}\n' | ts-expand -y 0.003 -t week | jq -r 'select(.type == "task").to')" \
	2025-12-20 "-y and -t serve jobs that say nothing of it"
is "$(ts-expand -t day,dayly A 2>&1 | sed 1q)" "ts-expand: error: dayly: unknown timeframe: want 1min, hour, day, week or month; the nearest is day" \
	"a word that is none is refused, by name, with the nearest"
for word in dya:day 1D:day Hours:hour 1W:week wk:week mnth:month mins:1min; do
	like "$(ts-expand -t "${word%:*}" A 2>&1 | sed 1q)" "the nearest is ${word#*:}$" "the nearest of ${word%:*}"
done
for word in 5min 15m 4h 10; do
	like "$(ts-expand -t $word A 2>&1 | sed 1q)" ' month; a view over them makes others, see ts-cookbook\(7\)$' "$word is told how it is made"
done
for word in x 1M q; do
	like "$(ts-expand -t $word A 2>&1 | sed 1q)" 'error: .{1,2}: unknown timeframe: want 1min, hour, day, week or month$' "nothing is nearest to $word"
done
for wrong in "-y 0" "-y 51" "-y x" "-t 2min" "-t day," "-N tomorrow" "-N 2040-01-01T00:00:00"; do
	# shellcheck disable=SC2086
	ts-expand $wrong AAPL >out 2>err
	is "$?/$(wc -c <out)" 100/0 "refused: $wrong"
	like "$(sed 1q err)" "^ts-expand: error: (${wrong%% *}|${wrong#-t }): [a-z]" "and named: $wrong"
done
ts-expand -y 1 -N 2040-01-01T00:00:00Z AAPL >out 2>err
is "$?/$(jq -r .error out)" "1/received_at lies outside of the exchange calendar, 2000 to 2035" \
	"a moment beyond the calendar fails the job"

# A job of many symbols, and one of the longest line.
is "$(jq -nc '{job_id: "j", years: 1, symbols: [range(504) | "S\(.)"], timeframes: ["1min","hour","day","week","month"]}' |
	ts-expand | jq -r .type | sort | uniq -c | tr -s ' ' | tr '\n' ';')" " 1 job; 2520 task;" "504 symbols x 5"
jq -nc '{job_id: "j", years: 1, symbols: [range(100000) | "S\(.)"]}' >long
[ "$(wc -c <long)" -lt 1048576 ]
ok $? "100000 symbols fit one line"
is "$(ts-expand <long | grep -c '"type":"task"')" 100000 "and all become tasks"

# A recorded run: what failed becomes a job of its own, by the last verdict.
cat >run.log <<'LOG'
{"type":"job","job_id":"j","source":"DIA","symbols":3,"timeframes":["day","2min"],"tasks":6,"received_at":"2025-12-23T17:15:13Z"}
{"type":"loading","job_id":"j","symbol":"A","timeframe":"day"}
{"type":"failed","job_id":"j","symbol":"A","timeframe":"day","from":"2025-12-01","to":"2025-12-22","stage":"fetch","error":"HTTP 500"}
{"type":"failed","job_id":"j","symbol":"B","timeframe":"day","from":"2025-12-01","to":"2025-12-22","stage":"fetch","error":"HTTP 500"}
{"type":"failed","job_id":"j","symbol":"B","timeframe":"2min","stage":"expand","error":"unknown timeframe: want 1min, hour, day, week or month; a view over them makes others, see ts-cookbook(7)"}
{"type":"stored","job_id":"j","symbol":"C","timeframe":"day","from":"2025-12-01","to":"2025-12-22","bars":0,"inserted":0,"updated":0,"unchanged":0,"rejected":0}
{"type":"stored","job_id":"j","symbol":"B","timeframe":"day","from":"2025-12-01","to":"2025-12-22","bars":0,"inserted":0,"updated":0,"unchanged":0,"rejected":0}
{"type":"stored","job_id":"fine","symbol":"B","timeframe":"day","from":"2025-12-01","to":"2025-12-22","bars":0,"inserted":0,"updated":0,"unchanged":0,"rejected":0}
{"type":"failed","job_id":"whole","stage":"expand","error":"no symbols in the job"}
LOG
ts-expand -f <run.log >out 2>err
is "$?" 1 "-f: what fails again shows in the exit status"
is "$(cat out)" '{"type":"job","job_id":"j.retry","source":"DIA","symbols":2,"timeframes":["day","2min"],"tasks":2,"received_at":"2025-12-23T17:15:13Z"}
{"type":"task","job_id":"j.retry","symbol":"A","timeframe":"day","from":"2025-12-01","to":"2025-12-22"}
{"type":"failed","job_id":"j.retry","symbol":"B","timeframe":"2min","stage":"expand","error":"unknown timeframe: want 1min, hour, day, week or month; a view over them makes others, see ts-cookbook(7)"}
{"type":"failed","job_id":"whole.retry","stage":"expand","error":"no symbols in the job"}' "-f: the failed tasks, and only they, become a job"
grep -v whole run.log | grep -v 2min | ts-expand -f >out 2>err
is "$?" 0 "-f: nothing but tasks is exit 0"
ts-expand -f AAPL >out 2>err
is "$?" 100 "-f takes no symbols"

# The plan.
printf '%s\n' '{"type":"cancel","job_id":"j"}' "$job" | sed 's/0.003/1/' | ts-expand -n -r 5/m >out 2>err
is "$?" 0 "-n plans"
is "$(cat out)" 'job e33cca95: 3 symbols
timeframe   tasks  from        to         sessions        bars  pages  requests
1min            3  2024-12-23  2025-12-23      251      291375    3.6        11
hour            3  2024-12-23  2025-12-23      251        5232    3.6        11
day             3  2024-12-23  2025-12-22      250         750    1.0         3
week            3  2024-12-22  2025-12-20       52         156    1.0         3
month           3  2024-12-01  2025-11-30       12          36    1.0         3
297549 rows, about 11 MB to download, 35 MB of disk
31 requests, 7 min' "-n: a table in place of records"
is "$({ printf '%s\n' "$job" "$job"; } | ts-expand -n | tail -n 1)" "30 requests" "-n: several jobs have one sum; no rate, no time"
printf '%s\n' '{"job_id":"j","symbols":["A","B C"],"timeframes":["day","2min"],'"$base"'}' '{"job_id":"k",'"$base"'}' |
	ts-expand -n -r 50/s >out 2>err
is "$?/$(grep -v '^timeframe' out)" '1/job j: 2 symbols
day             1  2024-12-23  2025-12-22      250         250    1.0         1
3 tasks that can never be done: unknown timeframe, no symbol, or no final bar
job k: can never be done: no symbols in the job
250 rows, about 6.8 kB to download, 29 kB of disk
1 request, 1 s' "-n: what cannot be done is told"
# 250 sessions lie between 2022-12-27 and 2023-12-22.
is "$(ts-expand -n -P free -N 2025-12-23T17:15:13Z -F 2022-12-27 -t day AAPL MSFT | tail -n 2)" \
	'500 of the rows are older than the two years of a free plan
2 requests, 24 s' "-P free: what a free plan leaves out, at its rate"
like "$(ts-expand -n -P free -N 2025-12-23T17:15:13Z -y 1 -t 1min AAPL | tail -n 2 | head -n 1)" '^97125 rows, ' "which is nothing of a year"
for wrong in "-d -t day A" "-g -t day A" "-P free" "-n -P paid" "-r 5/m" "-n -r 5" "-n -r 0/m" "-n -r 5/d"; do
	# shellcheck disable=SC2086
	ts-expand $wrong AAPL >out 2>err
	is "$?/$(wc -c <out)" 100/0 "refused: $wrong"
done
is "$(ts-expand -n -d -g -r 5/m -N 2025-12-23T17:15:13Z -y 1 -t 1min,hour,day,week,month $(seq -f S%g 300) | tail -n 8 | grep -v rows)" \
	'1min          300  2024-12-23  2025-12-23      251    29137500    3.6      1071
hour          300  2024-12-23  2025-12-23      251      523200    3.6        11
day           300  2024-12-23  2025-12-22      250       75000    1.0       268
week          300  2024-12-22  2025-12-20       52       15600    1.0         3
month         300  2024-12-01  2025-11-30       12        3600    1.0         3
1686 of 3042 requests are saved by ts-fetch -d -g
1356 requests, 4 h 32 min' "-n -d -g: the plan of a ts-fetch that derives and groups"
ts-expand -n -f </dev/null >out 2>err
is $? 100 "-n plans no recorded run"
# Against what is asked in truth, for symbols that trade every minute.
sim_start -N 2025-12-23T17:15:13Z || exit 1
liquid="AAPL AMGN AXP BA CAT CRM CSCO CVX DIS GS HD HON IBM INTC JNJ JPM KO MCD MMM MSFT"
# shellcheck disable=SC2086
for years in 0.02 0.5 1; do
	: >"$sim_log"
	ts-expand -N 2025-12-23T17:15:13Z -y $years -t hour,day,week,month $liquid | ts-fetch 2>err >/dev/null
	asked=$(grep -c /v2/aggs "$sim_log")
	planned=$(ts-expand -n -N 2025-12-23T17:15:13Z -y $years -t hour,day,week,month $liquid | tail -n 1 | cut -d ' ' -f 1)
	[ $((asked * 100)) -ge $((planned * 95)) ] && [ $((asked * 100)) -le $((planned * 105)) ]
	ok $? "-n, $years years: $planned requests planned, $asked made"
done
sim_stop

# Stopping.
mkfifo idle
rm -f out err
ts-expand -v <idle >out 2>err &
pid=$!
exec 4>idle
wait_for 5 grep -q start err
kill -TERM $pid
wait_for 1 ended $pid
ok $? "SIGTERM ends it within a second when idle"
wait $pid
is $? 0 "and with nothing left it exits 0"
exec 4>&-
rm err
yes "$job" | ts-expand -v >/dev/null 2>err &
pid=$!
wait_for 5 grep -q start err
sleep 0.1
kill -TERM $pid
wait_for 1 ended $pid
ok $? "SIGTERM ends it within a second amid a stream"
wait $pid
is $? 143 "and with input left it exits 143"
mkfifo stuck
rm err
yes "$job" | ts-expand -v >stuck 2>err &
pid=$!
exec 4<stuck
wait_for 5 grep -q start err
sleep 0.2
kill -TERM $pid
wait_for 3 ended $pid
ok $? "SIGTERM ends it when its reader takes nothing"
exec 4<&-
wait $pid 2>/dev/null
is $? 143 "and exits 143 then too"

# Input that is not for it, and input that rightly only passes through.
kind() {
	printf '%s' "$3" | ts-expand >out 2>err
	is "$?/$(sed '/: start /d; /: end /d; s/.*warning: //; s/ (.*//' err)" "$1" "$2"
}
kind '1/no job came' "an empty input is not a job done" ''
TS_SERVICE=1 kind 0/ "but for a service that nobody asks for anything" ''
kind '1/not one job among 1 lines; the first is a task: ts-fetch makes bars of it' "tasks are named" \
	'{"type":"task","job_id":"j","symbol":"A","timeframe":"day","from":"2025-12-22","to":"2025-12-22"}
'
kind '1/not one job among 2 lines; the first is of no known type: see ts-records(5)' "so is what nobody knows" '{"ticker":"A"}
{"type":"cancel","job_id":"j"}
{"type":"bar","symbol":"A"}
'
kind 0/ "a cancel alone passes through" '{"type":"cancel","job_id":"j"}
'
kind 0/ "so does a job that was expanded" "$(ts-expand -N 2025-12-23T17:15:13Z '?' 2>/dev/null)
"
is "$(printf '%s\n' "$job" | ts-expand -f 2>&1 | sed 's/.*warning: //')" \
	"not one verdict among 1 lines; the first is a job: ts-expand makes tasks of it" "-f names what is not a recorded run"

# ---- ranges of dates, words of the trade, symbols

# tasks OPTION...: what the tasks of the command line are, at a moment within a session.
tasks() {
	ts-expand -q -N 2025-12-16T17:00:30Z "$@" 2>err |
		jq -r 'select(.type != "job") | "\(.symbol) \(.timeframe) \(.from // "-") \(.to // "-") \(.error // "")"'
}
is "$(tasks -F 2021-03-01 -T 2021-03-31 -t 1m,60min,daily,weekly,1mo GME)" \
	"GME 1min 2021-03-01T09:00:00Z 2021-04-01T00:00:00Z 
GME hour 2021-03-01T09:00:00Z 2021-04-01T00:00:00Z 
GME day 2021-03-01 2021-03-31 
GME week 2021-02-28 2021-03-27 
GME month 2021-03-01 2021-03-31 " "a month of one symbol, by the words of the trade"
is "$(tasks -F 2003-09-10 -t day A)" "A day 2003-09-10 2025-12-15 " "to is the last final bar's date"
is "$(tasks -F yesterday -T yesterday -t day A)" "A day 2025-12-15 2025-12-15 " "yesterday"
is "$(tasks -F today -t 1min,day A)" "A 1min 2025-12-16T09:00:00Z 2025-12-16T17:00:00Z 
A day - - no final bar in the range" "today has minutes, and no day as yet"
is "$(tasks -p -F today -t day,week A)" "A day 2025-12-16 2025-12-16 
A week 2025-12-14 2025-12-20 " "-p adds what is under way"
is "$(tasks -F 2025-12-08 -T 2025-12-11 -t week A)" "A week - - no final bar in the range" \
	"a week that does not close inside the range is not in it"
for bad in '2025-12-20:2025-12-21:from lies in the future' '2025-12-13:2025-12-14:no session in the range' \
	'2025-12-10:2025-12-01:to lies before from' '1999-12-31:2000-02-01:from lies before the exchange calendar' \
	'2025-02-30:2025-03-01:from is not a date' '2025-03-01:x:to is not a date'; do
	IFS=: read -r from to words <<<"$bad"
	like "$(ts-expand -q -N 2025-12-16T17:00:30Z -F "$from" -T "$to" A)" "\"failed\",.*$words" "$from to $to: $words"
done
ts-expand -y 1 -F today A >out 2>err
is "$?/$(grep -c 'error: -F: takes the place of years' err)" 100/1 "-F with -y is refused"
ts-expand -T today A >out 2>err
is "$?/$(grep -c 'error: -T: .* it needs -F' err)" 100/1 "-T without -F is refused"
range='"symbols":["A"],"timeframes":["1d"],"received_at":"2025-12-16T17:00:30Z"'
printf '%s\n' '{"job_id":"r","years":1,"from":"2021-03-01","to":"2021-03-31",'"$range"'}' \
	'{"job_id":"s","start_date":"2021-03-01","end_date":"2021-03-31",'"$range"'}' '{"job_id":"t","to":"2021-03-31",'"$range"'}' |
	ts-expand >out 2>err
is "$(jq -r 'select(.type == "task") | "\(.job_id) \(.timeframe) \(.from) \(.to)"' out)" "r day 2021-03-01 2021-03-31
s day 2021-03-01 2021-03-31" "a job's own range, by either name"
like "$(cat err)" 'job r: its range of dates is used, not its years' "which goes before its years, and that is said"
like "$(tail -n 1 out)" 'to without from' "to alone is refused"
like "$(printf '%s\n' '{"job_id":"h","timespan":"hourly","years":1,"symbols":["A"]}' | ts-expand -q)" '"timeframe":"hour"' \
	"timespan takes the words, too"
like "$(printf '%s\n' '{"job_id":"h","timeframes":["Weeks"],"years":1,"symbols":["A"]}' | ts-expand -q)" \
	'unknown timeframe: want 1min, hour, day, week or month; the nearest is week' "a word that is none is answered with the nearest"
printf 'MSFT AAPL # two\nBRK.B,V\n' >list
is "$(tasks -l list Z,A | cut -d ' ' -f 1 | tr '\n' ' ')" "A AAPL BRK.B MSFT V Z " "symbols of a file, and with commas"
is "$(tasks -l - <list | wc -l)" 4 "symbols of standard input"
tasks '^GSPC' >out
like "$(cat err)" '\^GSPC is not a symbol' "an impossible symbol is named"
ts-expand job.json >out 2>err
is "$?/$(grep -c 'error: job.json: .*ts-expand <job.json$' err)" 100/1 "a job as an operand is refused, with what to do"
ts-expand -l nosuch >out 2>err
is "$?/$(grep -c 'nosuch: No such file' err)" 100/1 "a list that is not there is told"
[ "$(ts-expand -q A | jq -r .job_id | tail -n 1)" != "$(ts-expand -q A | jq -r .job_id | tail -n 1)" ]
ok $? "two jobs of one second have different ids"

# ---- a small job cannot grow without bound

many() {
	jq -nc --argjson s "$1" --argjson t "$2" '{job_id:"m",years:1,symbols:[range($s)|"S\(.)"],timeframes:[range($t)|"\(.)x"]}'
}
is "$(many 4000 4000 | ts-expand -q | jq -r .error)" "more than 32 timeframes in the job" "a job of 4,000 timeframes is one failure"
is "$(many 8000 30 | ts-expand -q | jq -r .error)" "more than 200,000 tasks in the job: make several jobs of it" \
	"so is one of 240,000 tasks"

done_testing
