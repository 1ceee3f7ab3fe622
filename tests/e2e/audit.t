#!/usr/bin/env bash
# shellcheck disable=SC2119 # a function that takes options is called without any
# ts-audit: what is missing is named, what is named is missing, and the fill brings exactly that back.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The lines of start and end are told, as in a service.
export TS_SERVICE=1

bad_input ts-audit -J
bad_input ts-audit -m
bad_output ts-audit -m

now=2025-12-23T17:15:13Z
frames='["1min","hour","day","week","month"]'

job() { # SYMBOLS YEARS [TIMEFRAMES]
	printf '{"job_id":"j","source":"x","symbols":%s,"timeframes":%s,"years":%s,"received_at":"%s"}\n' \
		"$1" "${3:-$frames}" "$2" "$now"
}
load() {
	ts-fetch 2>/dev/null | ts-store 2>/dev/null >stored
}
# dump: every row of every table.
dump() {
	local t
	for t in $tables; do
		sql "SELECT '$t', symbol, t.* FROM (SELECT * FROM $t) t ORDER BY 2, 4" | sed 's/|[^|]*$//'
	done
}
# hurt SQL: all five tables in one transaction.
hurt() {
	sql "BEGIN; $1; COMMIT"
}
# missing: "symbol timeframe from to" of each run.
missing() {
	jq -r '. as $a | .missing[]? | "\($a.symbol) \($a.timeframe) \(.[0]) \(.[1])"' | sort
}

# ---- without a database

ts-audit -J -m </dev/null 2>err
is $? 100 "-J and -m exclude each other"
for wrong in -1 101 x ""; do
	ts-audit -l "$wrong" </dev/null 2>err
	is $? 100 "refused: -l '$wrong'"
done
ts-audit extra </dev/null 2>err
is $? 100 "operands are refused"
ts-audit -u postgresql://u:hush@host/db </dev/null 2>err
is "$?/$(grep -c hush err)" 100/0 "a password in -u is refused, and not repeated"
like "$(cat err)" DATABASE_URL "and where to put it is told"
DATABASE_URL='postgresql://%zz:hush@x' ts-audit </dev/null 2>err
is "$?/$(grep -c hush err)" 100/0 "a URL that cannot be read is not repeated"
ts-audit </dev/null >out 2>err
is "$?/$(cat out)" "1/0 of 0 complete" "nothing to audit is no certificate"
printf '%s\n' '{"type":"task","job_id":"j","symbol":"A","timeframe":"day","from":"2025-01-01"}' \
	'{"type":"task","job_id":"j","symbol":"A","timeframe":"2min","from":"2025-01-01","to":"2025-01-02"}' \
	'{"type":"task","job_id":"j","symbol":"A B","timeframe":"day","from":"2025-01-01","to":"2025-01-02"}' \
	'{"type":"task","job_id":"j","symbol":"A","timeframe":"day","from":"2025-01-03","to":"2025-01-02"}' \
	'{"type":"task","job_id":"j","symbol":"A","timeframe":"hour","from":"2025-01-02","to":"2025-01-02"}' |
	ts-audit -J >out 2>err
is "$?/$(cat out)/$(grep -c 'warning: line [1-5]: ' err)" 1//5 "tasks that cannot be are refused, each with its line"
yes '{"type":"task","symbol":1}' | head -n 150 | ts-audit -J >out 2>err
is "$?/$(grep -c ': line ' err)/$(grep -c 'more than 100 lines are refused' err)/$(grep -c ' refused=150 ' err)" 1/100/1/1 \
	"a hundred refused lines are told, all are counted"
# So much that the header's place is taken by what comes after it.
printf '%s\n' '{"type":"job","job_id":"j","source":"x","symbols":1,"timeframes":["day"],"tasks":1,"run":"r-1"}' \
	"{\"type\":\"failed\",\"job_id\":\"j\",\"symbol\":\"A\",\"stage\":\"expand\",\"error\":\"$(printf '%0200000d' 1)\"}" | ts-audit -m >out 2>err
is "$?/$(head -n 1 out)" '0/{"type":"job","job_id":"j","source":"x","symbols":1,"timeframes":["day"],"tasks":1,"run":"r-1"}' \
	"-m: a header that is held until its tasks have come is as it was"
mkfifo idle
rm -f out err
ts-audit -v <idle >out 2>err &
pid=$!
exec {fd}>idle
wait_for 5 grep -q start err
kill -TERM $pid
wait_for 1 ended $pid
ok $? "SIGTERM ends it within a second when idle"
wait $pid
is "$?/$(cat out)" 1/ "without a certificate, and not with 0"
exec {fd}>&-

pg_start || exit 1
sim_start -N "$now" || exit 1
DATABASE_URL="${DATABASE_URL%user=*}user=nobody_such" ts-audit <<<"$(job '["A"]' 1 | ts-expand)" >out 2>err
is "$?" 100 "a user that does not exist is exit 100"

# ---- complete

job '["AAPL","MSFT","BRK.B"]' 0.6 >job.json
ts-expand <job.json >tasks
ts-audit <tasks >out 2>err
is "$?/$(tail -n 1 out | cut -d : -f 1)/$(grep -c 'does not exist' err)" "1/0 of 15 complete/5" "missing tables are empty, and named once"
ts-store -i </dev/null 2>/dev/null
load <tasks
# Rows of the table that were read for anybody; a connection has told them before it is gone.
rows_read() {
	wait_for 10 alone
	sql "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'ohlcv_1min'"
}
read_before=$(rows_read)
ts-audit <tasks >out 2>err
is "$?/$(tail -n 1 out)" "0/15 of 15 complete" "what was loaded is certified"
is "$(($(rows_read) - read_before))" "$(sql 'SELECT count(*) FROM ohlcv_1min')" "counting and comparing takes one look at each minute"
like "$(cat out)" '^AAPL     1min        [0-9]+/[0-9]+ +[0-9]+  100%  2025-05-[0-9]+ 2025-12-23 complete$' "a row of the table"
is "$(awk '/1min|hour|day/ { split($3, s, "/"); print (s[1] == s[2] && $5 == "100%") }' out | sort -u)" 1 \
	"every session has all its bars: half days and the session under way are counted right"
like "$(cat err)" 'end series=15 complete=15 holes=0 differs=0 outside=0 empty=0 unusable=0 failed=0 refused=0 tasks=0 ' "the end line counts"
ts-audit -m <tasks >out 2>err
is "$?/$(cat out)" 0/ "-m: of a complete job nothing is written"
TZ=Asia/Tokyo ts-audit -l 100 <tasks >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/15 of 15 complete" "-l 100: every minute is there, whatever TZ says"

# ---- any 1 % of all rows

dump >before
hurt "SELECT setseed(0.17); $(for t in $tables; do echo "DELETE FROM $t WHERE random() < 0.01;"; done)
	DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date IN ('2025-07-03', '2025-07-07', '2025-12-22');
	DELETE FROM ohlcv_weekly WHERE symbol = 'MSFT' AND date IN ('2025-07-06', '2025-07-13', '2025-11-23');
	DELETE FROM ohlcv_monthly WHERE symbol = 'MSFT' AND date = '2025-08-01';
	DELETE FROM ohlcv_1min WHERE symbol = 'MSFT' AND (timestamp AT TIME ZONE 'America/New_York')::date IN ('2025-07-03', '2025-10-15');
	DELETE FROM ohlcv_hourly WHERE symbol = 'AAPL' AND (timestamp AT TIME ZONE 'America/New_York')::date = '2025-11-28'"
dump >after
# What the dumps say is gone: rows of day, week and month; sessions of 1min and hour with no row left.
lost() {
	perl -MPOSIX -e '
		my %tf = (ohlcv_1min => "1min", ohlcv_hourly => "hour", ohlcv_daily => "day", ohlcv_weekly => "week", ohlcv_monthly => "month");
		my %n;
		for my $side (0, 1) {
			open my $in, "<", $ARGV[$side] or die;
			# No session in regular hours crosses midnight UTC, so the date stands as it is.
			while (<$in>) { my @f = split /\|/; $n{"$f[1] $tf{$f[0]} " . substr $f[3], 0, 10}[$side]++ }
		}
		for (sort keys %n) { print "$_\n" if $n{$_}[0] && !$n{$_}[1] }' before after
}
lost >want
ts-audit -p -J <tasks >out 2>err
is "$?" 1 "holes show in the exit status"
# A list of dates again, by the sessions that the dump had.
jq -r 'select(.type == "audit") | . as $a | .missing[] | "\($a.symbol) \($a.timeframe) \(.[0]) \(.[1])"' out |
	while read -r symbol tf from to; do
		awk -v s="$symbol" -v tf="$tf" -v a="$from" -v b="$to" -F'|' '
			BEGIN { name["ohlcv_1min"] = "1min"; name["ohlcv_hourly"] = "hour"; name["ohlcv_daily"] = "day"; name["ohlcv_weekly"] = "week"; name["ohlcv_monthly"] = "month" }
			$2 == s && name[$1] == tf { d = substr($4, 1, 10); if (d >= a && d <= b && !seen[d]++) print s, tf, d }' before
	done | sort >got
sort want | cmp -s - got
ok $? "exactly the lost sessions, days, weeks and months are named"
[ "$(wc -l <want)" -ge 10 ]
ok $? "of which there are some ($(wc -l <want))"
like "$(grep '"MSFT","timeframe":"week"' tasks | ts-audit 2>/dev/null)" '^MSFT +week +[0-9/]+ +[0-9]+ +[0-9]+%.* holes .*2025-07-06\.\.2025-07-13' "the table shows runs joined"
ts-audit -p -m <tasks 2>err >fill
is "$?" 0 "-m: tasks that were written are no failure"
is "$(jq -r 'select(.type == "task") | "\(.symbol) \(.timeframe)"' fill | grep -vc ' 1min$')" \
	"$(jq -r 'select(.type == "audit" and .timeframe != "1min" and .missing != []) | .symbol' out | wc -l)" \
	"-m: what one request can bring is one task"
is "$(head -n 1 fill | jq -c '[.type, .job_id, .source, .tasks, .symbols]')" \
	"[\"job\",\"j\",\"x\",$(grep -c '"type":"task"' fill),$(jq -r 'select(.type == "task").symbol' fill | sort -u | wc -l)]" \
	"-m: the header counts the tasks and symbols"
is "$(grep '"MSFT","timeframe":"1min"' fill | cut -d , -f 5-)" '"from":"2025-07-02T08:00:00Z","to":"2025-07-03T21:00:00Z"}
"from":"2025-10-14T08:00:00Z","to":"2025-10-16T00:00:00Z"}' "-m: a session is asked for from 04:00 to the end of its extended hours, with the one before it"
: >"$sim_log"
load <fill
is "$(grep -c /v2/aggs "$sim_log")" "$(grep -c '"type":"task"' fill)" "the fill asks for nothing else"
ts-audit -p <tasks >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/15 of 15 complete; presence only" "after the fill all is present"
# What is left is single minutes and hours, which the other timeframe misses, except before 10:00.
ts-audit -m <tasks >fill 2>/dev/null
[ -s fill ]
ok $? "-p: and that is not all"
load <fill
ts-audit <tasks >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/15 of 15 complete" "after the fill of what differs all is complete"
ts-audit -p -l 100 -m <tasks 2>/dev/null | load
dump | cmp -s - before
ok $? "and with -l 100 the tables are byte for byte as they were"
hurt "DELETE FROM ohlcv_1min WHERE symbol = 'AAPL' AND timestamp = '2025-10-15 15:00Z'"
ts-audit -p -l 100 <tasks >out 2>/dev/null
is "$?/$(tail -n 1 out)" "1/14 of 15 complete: AAPL 1min holes; presence only" "-l 100 misses a single minute"
ts-audit -p <tasks >out 2>/dev/null
is "$?" 0 "which is no hole without -l"
ts-audit -p -l 100 -m <tasks 2>/dev/null | load

# ---- what else can be wrong with rows

hurt "UPDATE ohlcv_1min SET close = NULL WHERE symbol = 'AAPL' AND timestamp = '2025-10-15 15:00Z';
	UPDATE ohlcv_daily SET high = low - 1 WHERE symbol = 'MSFT' AND date = '2025-07-03';
	INSERT INTO ohlcv_daily SELECT symbol, '2025-07-04', open, high, low, close, volume FROM ohlcv_daily WHERE symbol = 'MSFT' AND date = '2025-07-07';
	INSERT INTO ohlcv_weekly SELECT symbol, date + 1, open, high, low, close, volume FROM ohlcv_weekly WHERE symbol = 'MSFT' AND date = '2025-07-06';
	INSERT INTO ohlcv_1min SELECT symbol, '2025-07-03 17:00Z', open, high, low, close, volume FROM ohlcv_1min WHERE symbol = 'BRK.B' AND timestamp = '2025-07-03 16:59Z'"
ts-audit -p -J <tasks 2>/dev/null >out
is "$(jq -r 'select(.nulls + .crossed + .outside > 0) | "\(.symbol) \(.timeframe) \(.verdict) \(.nulls) \(.crossed) \(.outside) \(.missing | tostring)"' out)" \
	'AAPL 1min holes 1 0 0 [["2025-10-15","2025-10-15"]]
MSFT day holes 0 1 1 [["2025-07-03","2025-07-03"]]
MSFT week outside 0 0 1 []' "NULLs, high below low, and rows outside of sessions: a holiday, a Monday; not 13:00 on a half day"
like "$(grep '"MSFT","timeframe":"day"' tasks | ts-audit -p 2>/dev/null)" 'holes 2025-07-03; 1 with high below low; 1 outside of sessions$' "the table tells them, too"
ts-audit -m <tasks 2>/dev/null | load
hurt "DELETE FROM ohlcv_daily WHERE date = '2025-07-04'; DELETE FROM ohlcv_weekly WHERE extract(dow FROM date) <> 0;
	DELETE FROM ohlcv_1min WHERE timestamp = '2025-07-03 17:00Z'"
dump | cmp -s - before
ok $? "the fill mends what was wrong"

sql "INSERT INTO ohlcv_daily SELECT 'I:SPX', date, open, high, low, close, NULL FROM ohlcv_daily WHERE symbol = 'MSFT'"
ts-expand -N "$now" -y 0.6 -t day I:SPX | ts-audit >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/1 of 1 complete; presence only" "the bar of an index has no volume, and is whole"
sql "DELETE FROM ohlcv_daily WHERE symbol LIKE 'I:%'"

# ---- the timeframes check each other

times4="open = open * 4, high = high * 4, low = low * 4, close = close * 4"
hurt "DELETE FROM ohlcv_1min WHERE symbol = 'AAPL' AND timestamp >= '2025-08-12 15:00Z' AND timestamp < '2025-08-12 16:00Z';
	DELETE FROM ohlcv_1min WHERE symbol = 'AAPL' AND timestamp >= '2025-08-14 13:30Z' AND timestamp < '2025-08-14 14:10Z';
	DELETE FROM ohlcv_1min WHERE symbol = 'AAPL' AND timestamp = '2025-08-18 17:23Z';
	UPDATE ohlcv_1min SET high = high * 1.03 WHERE symbol = 'AAPL' AND timestamp = '2025-08-20 17:23Z';
	UPDATE ohlcv_1min a SET open = b.open, high = b.high, low = b.low, close = b.close FROM ohlcv_1min b
		WHERE a.symbol = 'MSFT' AND b.symbol = 'BRK.B' AND a.timestamp = b.timestamp
		AND a.timestamp >= '2025-09-10 13:30Z' AND a.timestamp < '2025-09-10 20:00Z';
	UPDATE ohlcv_daily SET high = open * 1.0001, low = open * 0.9999, close = open, volume = volume / 3 WHERE symbol = 'BRK.B' AND date = '2025-09-12';
	UPDATE ohlcv_weekly SET high = high + 0.01 WHERE symbol = 'MSFT' AND date = '2025-09-21';
	UPDATE ohlcv_monthly SET close = close - 0.01 WHERE symbol = 'MSFT' AND date = '2025-10-01';
	INSERT INTO ohlcv_daily SELECT symbol, '2025-11-02', open, high, low, close, volume FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-10-31';
	UPDATE ohlcv_1min SET $times4 WHERE symbol = 'BRK.B' AND timestamp < '2025-07-15';
	UPDATE ohlcv_hourly SET $times4 WHERE symbol = 'MSFT' AND timestamp < '2025-06-15';
	UPDATE ohlcv_1min SET open = high + 1 WHERE symbol = 'MSFT' AND timestamp = '2025-11-12 17:31Z'"
ts-audit -J <tasks >out 2>/dev/null
is "$(jq -r 'select(.type == "audit" and .verdict != "complete") |
	"\(.symbol) \(.timeframe) \(.verdict) \(.missing | map(.[0]) | join(" ")) \(.odd) \(.outside)",
	(.differs[] | "\t" + (map(tostring) | join(" ")))' out)" "AAPL 1min holes 2025-08-12 2025-08-14 0 0
	hours 2025-08-12 2025-08-12
	hours 2025-08-14 2025-08-14
	hours 2025-08-18 2025-08-18
	hours 2025-08-20 2025-08-20
	range 2025-08-20 2025-08-20
AAPL hour differs  0 0
	hours 2025-08-12 2025-08-12
	hours 2025-08-14 2025-08-14
	hours 2025-08-18 2025-08-18
	hours 2025-08-20 2025-08-20
AAPL day differs  0 1
	range 2025-08-20 2025-08-20
BRK.B 1min differs  0 0
	basis 2025-05-19 2025-07-14 4
BRK.B day differs  0 0
	range 2025-09-12 2025-09-12
	volume 2025-09-12 2025-09-12
BRK.B week differs  0 0
	roll-up 2025-09-07 2025-09-13
MSFT 1min differs  1 0
	basis 2025-09-10 2025-09-10 6.14691
MSFT hour differs  0 0
	basis 2025-05-19 2025-06-13 4
MSFT week differs  0 0
	roll-up 2025-09-21 2025-09-27
MSFT month differs  0 0
	roll-up 2025-10-01 2025-10-31" "a lost hour, front and minute, a wrong minute, another ticker's session, a half-grown day, a cent more, a weekend row, a scaled stretch"
ts-audit <tasks >out 2>/dev/null
is "$?/$(tail -n 1 out)" "1/5 of 15 complete: AAPL 1min holes, AAPL hour differs, AAPL day differs, \
BRK.B 1min differs: prices before 2025-07-15 are 4 times the days', BRK.B day differs, BRK.B week differs, \
MSFT 1min differs: prices of 2025-09-10 are 6.147 times the days', \
MSFT hour differs: prices before 2025-06-16 are 4 times the days', MSFT week differs, MSFT month differs" "the certificate names them"
like "$(cat out)" "^AAPL +1min .* holes 2025-08-12, 2025-08-14; hours and minutes differ 2025-08-12, 2025-08-14, 2025-08-18, 2025-08-20; prices outside of the day's 2025-08-20$" "a row tells which sessions"
ts-audit -m <tasks 2>/dev/null >fill
is "$(grep '"BRK.B","timeframe":"1min"' fill | cut -d , -f 5-)" '"from":"2025-05-19T08:00:00Z","to":"2025-07-15T00:00:00Z"}' "-m: a stretch on another basis is one task"
load <fill
hurt "DELETE FROM ohlcv_daily WHERE date = '2025-11-02'"
dump | cmp -s - before
ok $? "the fill mends all but the weekend row"
ts-audit -J <tasks 2>/dev/null >out
is "$(jq -r 'select(.type == "audit") | .verdict' out | sort -u)" complete "and then nothing is found"
is "$(jq -c 'select(.symbol == "MSFT" and .timeframe == "1min") | .extremes | [.basis, .range, .hour, .hour_volume]' out)" \
	'[[1,1],0,0,0]' "-J: what was measured"

# ---- where there is nothing to compare with

sql "TRUNCATE ohlcv_daily, ohlcv_hourly"
grep '"1min"' tasks | ts-audit >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/3 of 3 complete; presence only" "minutes without days or hours are certified by presence only"
grep '"MSFT","timeframe":"\(1min\|hour\)"' tasks | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
grep '"1min"' tasks | ts-audit >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/3 of 3 complete; of 2 presence only: AAPL 1min, BRK.B 1min" "those that hours stand beside are not among them"
grep '"week"' tasks | ts-audit >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/3 of 3 complete; presence only" "nor are weeks without days compared"
grep '"day"' tasks | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
grep '"1min"\|"day"' tasks | ts-audit >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/6 of 6 complete" "with the days all are compared, and so are the days"

# ---- a load that was killed

job '["AAPL","MSFT","BRK.B","IBM"]' 0.08 | ts-expand >killed
ts-fetch <killed 2>/dev/null >bars
contents() {
	dump | md5sum
}
some_rows() {
	[ "$(sql 'SELECT count(*) FROM ohlcv_1min')" -gt "$1" ]
}
restore() {
	ts-audit -m <killed 2>/dev/null | ts-fetch 2>/dev/null | ts-store >/dev/null 2>&1
}
empty
ts-store <bars >/dev/null 2>&1
whole=$(contents)
rows=$(sql 'SELECT count(*) FROM ohlcv_1min')
# Slow enough to be killed on the way.
dawdle
for n in 0 5000 15000; do
	empty
	sql "ALTER TABLE ohlcv_1min ENABLE TRIGGER dawdle"
	ts-store -j 4 -b 700 <bars >/dev/null 2>&1 &
	pid=$!
	wait_for 10 some_rows $n
	kill -KILL $pid
	wait $pid 2>/dev/null
	wait_for 10 alone
	sql "ALTER TABLE ohlcv_1min DISABLE TRIGGER dawdle"
	some_rows $((rows - 1))
	is $? 1 "kill -9 of ts-store -j 4 behind $n minutes comes before the end"
	restore
	is "$(contents)" "$whole" "and -m brings back the rest: the tables are byte for byte as those of a load that was not killed"
done
sql "DROP TRIGGER dawdle ON ohlcv_1min"
hurt "DELETE FROM ohlcv_1min WHERE symbol = 'IBM' AND timestamp >= '2025-12-10 20:59Z'; DELETE FROM ohlcv_hourly WHERE symbol = 'IBM'"
restore
is "$(contents)" "$whole" "a last minute before the rest is lost with it, and comes back with it"

# ---- what is not compared, and many symbols over many years

ts-fetch -x <killed 2>/dev/null | ts-store >/dev/null 2>&1
hurt "UPDATE ohlcv_1min SET high = high * 2, volume = volume * 100 WHERE timestamp::time < '14:30';
	DELETE FROM ohlcv_1min WHERE timestamp::time > '23:00'"
ts-audit <killed >out 2>/dev/null
is "$?/$(tail -n 1 out | cut -d : -f 1)" "0/20 of 20 complete; of 4 presence only" "extended hours are not compared"
hurt "DELETE FROM ohlcv_1min WHERE timestamp::time NOT BETWEEN '14:30' AND '20:59'; DELETE FROM ohlcv_hourly WHERE timestamp::time NOT BETWEEN '14:00' AND '20:00'"
# So many sessions that one query takes three symbols.
grep '"1min"' killed | sed 's/"from":"20../"from":"2004/' >long
is "$(ts-audit -J <long 2>/dev/null | jq -c 'select(.type == "audit") | [.symbol, .bars, .compared]')" \
	"$(ts-audit -J <killed 2>/dev/null | jq -c 'select(.timeframe == "1min") | [.symbol, .bars, .compared]')" "each symbol is counted once"

# ---- the same in columns of other types

# typed NAME SYMBOL PRICE VOLUME: a schema with the same bars, so dear and in such volumes that REAL rounds them.
typed() {
	local t key volume
	sql "CREATE SCHEMA $1"
	for t in $tables; do
		key="date" volume='volume * 1000'
		[[ $t =~ 1min|hourly ]] && key=timestamp
		[ "$t" = ohlcv_hourly ] && volume="(SELECT sum(volume) * 1000 FROM ohlcv_1min m WHERE m.symbol = t.symbol AND m.timestamp >= t.timestamp AND m.timestamp < t.timestamp + interval '1 hour')"
		echo "CREATE TABLE $1.$t (LIKE public.$t INCLUDING ALL);"
		for column in open high low close; do echo "ALTER TABLE $1.$t ALTER $column TYPE $3;"; done
		echo "ALTER TABLE $1.$t ALTER symbol TYPE $2, ALTER volume TYPE $4;"
		echo "INSERT INTO $1.$t SELECT symbol, $key, open * 20, high * 20, low * 20, close * 20, $volume FROM public.$t t;"
	done | psql -X -q -v ON_ERROR_STOP=1
}
checked() { # NAME
	local url=$DATABASE_URL
	url+="&options=-csearch_path%3D$1,public"
	DATABASE_URL=$url ts-audit <killed >out 2>err
	# The days do not begin with a month.
	is "$?/$(tail -n 1 out)" "0/20 of 20 complete; of 4 presence only: AAPL month, BRK.B month, IBM month, MSFT month" \
		"$1: all that can be is compared, and nothing found" || sed 's/^/# /' err
	sql "BEGIN; DELETE FROM $1.ohlcv_1min WHERE symbol = 'AAPL' AND timestamp = '2025-12-10 17:23Z';
		UPDATE $1.ohlcv_1min SET high = high * 1.03 WHERE symbol = 'MSFT' AND timestamp = '2025-12-10 17:23Z';
		UPDATE $1.ohlcv_hourly SET volume = volume * 1.001 WHERE symbol = 'BRK.B' AND timestamp = '2025-12-11 17:00Z';
		UPDATE $1.ohlcv_daily SET open = open * 4, high = high * 4, low = low * 4, close = close * 4 WHERE symbol = 'IBM' AND date < '2025-12-10';
		UPDATE $1.ohlcv_weekly SET high = high + 0.01 WHERE symbol = 'MSFT' AND date = '2025-12-07'; COMMIT"
	DATABASE_URL=$url ts-audit -J <killed 2>/dev/null >out
	is "$(jq -r 'select(.type == "audit") | . as $a | .differs[] | "\($a.symbol) \($a.timeframe) \(.[0]) \(.[1])"' out)" "AAPL 1min hours 2025-12-10
AAPL hour hours 2025-12-10
BRK.B 1min hours 2025-12-11
BRK.B hour hours 2025-12-11
IBM 1min basis 2025-11-24
IBM hour basis 2025-11-24
IBM week roll-up 2025-11-23
MSFT 1min hours 2025-12-10
MSFT 1min range 2025-12-10
MSFT hour hours 2025-12-10
MSFT day range 2025-12-10
MSFT week roll-up 2025-12-07" "$1: what is wrong is found"
}
typed doubles 'char(12)' 'double precision' 'double precision'
checked doubles
sql "UPDATE doubles.ohlcv_1min SET volume = 1.7e308 WHERE symbol = 'AAPL'"
DATABASE_URL="$DATABASE_URL&options=-csearch_path%3Ddoubles,public" ts-audit -J <killed 2>err |
	jq -r 'select(.type == "audit" and .timeframe == "1min") | "\(.symbol) \(.verdict) \(.compared)"' | sort >out
is "$(cat out)/$(grep -c 'ohlcv_1min cannot be compared: 22003: ' err)/$(grep -c error: err)" "AAPL complete 0
BRK.B complete 0
IBM complete 0
MSFT complete 0/1/0" "a sum that the server refuses costs the comparison of its table, not the count"
typed reals varchar real real
sql "CREATE EXTENSION citext" 2>err && sql "$(for t in $tables; do echo "ALTER TABLE reals.$t ALTER symbol TYPE citext;"; done)"
checked reals
typed mixed varchar numeric numeric
sql "ALTER TABLE mixed.ohlcv_hourly ALTER open TYPE real, ALTER high TYPE double precision, ALTER volume TYPE real; ALTER TABLE mixed.ohlcv_1min ALTER close TYPE real;
	ALTER TABLE mixed.ohlcv_daily ALTER open TYPE real, ALTER close TYPE real"
checked mixed

# ---- days that begin or end within a week

sql "DELETE FROM ohlcv_daily WHERE date < '2025-12-03' OR date > '2025-12-17'"
grep '"\(week\|month\)"' killed | ts-audit -J >out 2>/dev/null
is "$(jq -c 'select(.type == "audit" and .symbol == "IBM") | [.timeframe, .verdict, .compared, .differs]' out)" '["week","complete",1,[]]
["month","complete",0,[]]' "do not make it"

# ---- a load at midday, and the night after it

empty
job '["AAPL","MSFT","BRK.B"]' 0.2 | tee job.json | ts-expand | load
# Of the days and weeks more, for what comes below.
ts-expand -N "$now" -y 0.6 -t day,week AAPL MSFT | load
sim_stop
sim_start -N 2025-12-24T03:00:00Z
ts-expand -N 2025-12-24T03:00:00Z <job.json >night
ts-audit -J <night >out 2>/dev/null
is "$(missing <out | grep 1min)" "AAPL 1min 2025-12-23 2025-12-23
BRK.B 1min 2025-12-23 2025-12-23
MSFT 1min 2025-12-23 2025-12-23" "a session that was loaded while it was under way is missing the night after"
ts-audit -m <night 2>/dev/null | load
ts-audit -l 100 <night >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/15 of 15 complete" "-m is the nightly load"
for at in 14:59:00 15:00:00; do
	is "$(ts-expand -N "2025-12-24T${at}Z" -t 1min -y 0.003 AAPL | ts-audit -J 2>/dev/null | jq -c 'select(.type == "audit") | [.expected, .expected_bars]')" \
		"$([ $at = 14:59:00 ] && echo '[1,390]' || echo '[2,420]')" "at $at the half hour is $([ $at = 14:59:00 ] && echo not yet) over"
done

# ---- thin, late and unknown symbols; failed tasks; several jobs

ts-expand -N 2025-12-24T03:00:00Z -y 1 -t 1min,hour,day,week THIN1 NONE1 LATE1 >tasks
load <tasks
ts-audit -J <tasks 2>/dev/null >out
is "$(jq -r 'select(.type == "audit" and .symbol == "NONE1") | .verdict' out | sort -u)" empty "an unknown symbol is empty"
is "$(jq -c 'select(.symbol == "LATE1" and .timeframe == "day") | [.verdict, .missing]' out)" \
	'["holes",[["2024-12-24","2025-11-10"]]]' "a symbol listed late lacks one run"
# A thin symbol: missing are the days that have no bar at all, and only these.
sql "SELECT count(DISTINCT (timestamp AT TIME ZONE 'America/New_York')::date) FROM ohlcv_1min WHERE symbol = 'THIN1'" >want
is "$(jq -r 'select(.symbol == "THIN1" and .timeframe == "1min") | .present' out)" "$(cat want)" "minutes without trades are no holes"
is "$(jq -r 'select(.symbol == "THIN1" and .timeframe == "week") | .verdict' out)" complete "a thin symbol's weeks are complete"
job '["AAPL","A B"]' 0.02 '["day","2min"]' | ts-expand >tasks
ts-audit <tasks >out 2>/dev/null
is "$?/$(tail -n 1 out)" "1/1 of 4 complete: A B day failed, A B 2min failed, AAPL 2min failed; presence only" "tasks that failed before are not complete"
like "$(cat out)" '^AAPL     2min .* failed: unknown timeframe: .*' "and are shown with their reason"
ts-audit -m <tasks 2>/dev/null >out
is "$(head -n 1 out | jq .tasks)/$(grep -c '"failed"' out)" 3/3 "-m: they pass and are counted"
sql "DELETE FROM ohlcv_daily WHERE date = '2025-12-22'"
{ job '["AAPL"]' 0.02 '["day"]'; job '["AAPL","MSFT"]' 0.02 '["day"]' | sed 's/"j"/"k"/'; } | ts-expand >tasks
is "$(ts-audit -m <tasks 2>/dev/null | cut -d , -f 1-3)" '{"type":"job","job_id":"j","source":"x"
{"type":"task","job_id":"j","symbol":"AAPL"
{"type":"job","job_id":"k","source":"x"
{"type":"task","job_id":"k","symbol":"AAPL"
{"type":"task","job_id":"k","symbol":"MSFT"' "two jobs of one window: each has its header and its tasks"
is "$(ts-audit -m <tasks 2>/dev/null | ts-fetch 2>/dev/null | ts-store 2>/dev/null | ts-status -u none -q 2>/dev/null | jq -c '[.job_id, .status, .stored]')" \
	'["j","completed",1]
["k","completed",2]' "the fill goes through ts-status"
grep '"task"' tasks | ts-audit -m 2>/dev/null | wc -l >out
is "$(cat out)" 0 "-m: tasks without a header, all complete"

# ---- a day on which the exchange was closed

sim_stop
printf '%s\n' '* gone 2025-12-10' 'REUSED reuse 2025-10-15' >events
sim_start -N 2025-12-24T03:00:00Z -e events
closing() { # HOW MANY SYMBOLS
	ts-expand -N 2025-12-24T03:00:00Z -y 0.06 -t day $(seq -f C%g "$1")
}
closing 20 | load
closing 19 | ts-audit >out 2>/dev/null
like "$?/$(tail -n 1 out)" '^1/0 of 19 complete: C1 day holes' "a session that 19 symbols lack is a hole of each"
closing 20 | ts-audit >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/20 of 20 complete; presence only; closed? 2025-12-10" "one that 20 lack is not, and told once"
echo '2025-12-10 closed' >closures
closing 20 | TS_CLOSURES=closures ts-audit >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/20 of 20 complete; presence only" "with TS_CLOSURES there is nothing to ask"
echo '2025-12-09 13:00' >closures
TS_CLOSURES=closures ts-expand -F 2025-12-09 -T 2025-12-09 -t 1min C1 | tee half | TS_CLOSURES=closures ts-fetch 2>/dev/null >out
is "$(grep -c '"open"' out)/$(TS_CLOSURES=closures ts-audit -J <half 2>/dev/null | jq -r 'select(.type == "audit") | .expected_bars')" \
	210/210 "a day that ended at 13:00 is fetched and audited as one"
for stage in "ts-expand AAPL" ts-fetch ts-store ts-audit "ts-status -u none"; do
	# shellcheck disable=SC2086 # a list of words
	TS_CLOSURES=nosuch $stage </dev/null >out 2>err
	is "$?/$(cat out)/$(tail -n 1 err)" "100//${stage%% *}: error: TS_CLOSURES: No such file or directory" "$stage: TS_CLOSURES that cannot be read"
done
closing 20 | ts-audit -m -k state 2>/dev/null >out
is "$(grep -c '"task"' out)" 20 "-m asks for it all the same"
closing 20 | ts-audit -m -k state 2>err >out
is "$(cat out)/$(grep -c 'still as it was: 20 ' err)" "/1" "-k: once"
sed -i 's/[0-9]*$/1/' state
closing 20 | ts-audit -m -k state 2>/dev/null | grep -c '"task"' >out
is "$(cat out)" 20 "and again when 20 hours have passed"
sql "DELETE FROM ohlcv_daily WHERE date = '2025-12-23' AND symbol LIKE 'C%'"
closing 20 | ts-audit >out 2>/dev/null
like "$?/$(tail -n 1 out)" '^1/0 of 20 complete: C1 day holes' "the last session is a hole, whoever lacks it"

# ---- a ticker that was given to another security

echo "2025-12-10 closed" >closures
ts-expand -N 2025-12-24T03:00:00Z -y 0.5 -t hour,day,week REUSED >reused
load <reused
grep -v '"job"' reused | TS_CLOSURES=closures ts-audit >out 2>/dev/null
is "$?/$(tail -n 1 out)" "0/3 of 3 complete; two securities? REUSED" "a long gap with another price level behind it is told, and is no hole"
is "$(grep -c ' complete; two securities? no bars 2025-09-0[0-9]\.\.2025-10-[01][0-9]$' out)" 3 "in each timeframe, with its dates"
TS_CLOSURES=closures ts-audit -m <reused >out 2>/dev/null
is "$?/$(cat out)" 0/ "-m does not ask for it"
sql "UPDATE ohlcv_daily SET open = open / 5, high = high / 5, low = low / 5, close = close / 5 WHERE symbol = 'REUSED' AND date < '2025-10-01'"
TS_CLOSURES=closures ts-audit <reused >out 2>/dev/null
like "$?/$(cat out)" '^1/.*' "on one level it is a hole"
like "$(cat out)" '^REUSED +day .* holes 2025-09-0[0-9]\.\.2025-10-1[0-9]' "that is named"

# ---- tables as they are

sql "CREATE SCHEMA odd; CREATE TABLE odd.ohlcv_weekly (LIKE ohlcv_weekly INCLUDING ALL);
	ALTER TABLE odd.ohlcv_weekly RENAME date TO \"Week Start\"; ALTER TABLE odd.ohlcv_weekly ALTER symbol TYPE char(12);
	INSERT INTO odd.ohlcv_weekly SELECT * FROM ohlcv_weekly;
	CREATE TABLE odd.ohlcv_daily (symbol text, date date, open numeric, high numeric, low numeric, close numeric, volume int)"
odd=$DATABASE_URL'&options=-csearch_path%3Dodd'
ts-expand -N 2025-12-24T03:00:00Z -y 0.6 -t week AAPL | DATABASE_URL=$odd ts-audit >out 2>err
is "$?/$(tail -n 1 out)" "0/1 of 1 complete; presence only" "a key of any name, symbols of char(n)"
ts-expand -N 2025-12-24T03:00:00Z -y 0.6 -t week,day AAPL | DATABASE_URL=$odd ts-audit >out 2>err
is "$?/$(tail -n 1 out)" "1/1 of 2 complete: AAPL day unusable; presence only" "a table without a key costs its own series alone"
like "$(cat err)" 'table ohlcv_daily: has no primary key' "and says why"
sql "CREATE ROLE stranger LOGIN"
ts-expand -t day AAPL | DATABASE_URL="${DATABASE_URL%user=*}user=stranger" ts-audit >out 2>err
is "$?/$(tail -n 1 out)" "1/0 of 1 complete: AAPL day unusable" "so does one that may not be read"
like "$(cat err)" 'table ohlcv_daily: SELECT not granted to stranger' "and says why"

# refuses CODE POLICY: a query that ends so costs its own table alone.
sql "CREATE SCHEMA broken; GRANT USAGE ON SCHEMA broken TO stranger; CREATE TABLE broken.secret (a int);
	CREATE TABLE broken.ohlcv_weekly (LIKE ohlcv_weekly INCLUDING ALL); CREATE TABLE broken.ohlcv_daily (LIKE ohlcv_daily INCLUDING ALL);
	INSERT INTO broken.ohlcv_weekly SELECT * FROM ohlcv_weekly; INSERT INTO broken.ohlcv_daily SELECT * FROM ohlcv_daily;
	GRANT SELECT ON broken.ohlcv_daily, broken.ohlcv_weekly TO stranger; ALTER TABLE broken.ohlcv_daily ENABLE ROW LEVEL SECURITY;
	CREATE FUNCTION broken.breaks(code text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''broken'' USING ERRCODE = code; END';
	CREATE FUNCTION broken.writes() RETURNS boolean LANGUAGE sql VOLATILE SECURITY DEFINER AS 'INSERT INTO broken.secret VALUES (1) RETURNING true'"
ts-expand -N 2025-12-24T03:00:00Z -y 0.6 -t week,day AAPL >tasks 2>/dev/null
refuses() {
	sql "SET client_min_messages = error; DROP POLICY IF EXISTS p ON broken.ohlcv_daily; CREATE POLICY p ON broken.ohlcv_daily USING ($2)"
	DATABASE_URL="${DATABASE_URL%user=*}user=stranger&options=-csearch_path%3Dbroken" ts-audit <tasks >out 2>err
	is "$?/$(tail -n 1 out)/$(grep -c 'error: table ohlcv_daily: '"$1: " err)/$(grep -c 'error: \|cannot be compared' err)" \
		"1/1 of 2 complete: AAPL day unusable; presence only/1/1" "so does one whose rows the server refuses with $1" || sed 's/^/# /' err
}
refuses 22012 "1 / (volume - volume) > 0"
refuses 42501 "EXISTS (SELECT FROM broken.secret)"
refuses 53400 "broken.breaks('53400')"
refuses XX000 "broken.breaks('XX000')"
refuses 25006 "broken.writes()"
if sql "SELECT 'a'::citext" >out 2>&1; then
	sql "CREATE SCHEMA cased; CREATE TABLE cased.ohlcv_daily (LIKE ohlcv_daily INCLUDING ALL); ALTER TABLE cased.ohlcv_daily ALTER symbol TYPE citext;
		INSERT INTO cased.ohlcv_daily SELECT lower(symbol), date, open, high, low, close, volume FROM ohlcv_daily WHERE symbol IN ('AAPL', 'MSFT')"
	for symbols in AAPL "aapl msft"; do
		# shellcheck disable=SC2086 # a list of words
		ts-expand -N 2025-12-24T03:00:00Z -y 0.6 -t day $symbols | DATABASE_URL="$DATABASE_URL&options=-csearch_path%3Dcased,public" ts-audit >out 2>err
		is "$?/$(tail -n 1 out)/$(grep -c 'warning: table ohlcv_daily takes aapl for the same symbol as one that was asked for' err)" \
			"$([ "$symbols" = AAPL ] && echo '1/0 of 1 complete: AAPL day empty/1' || echo '0/2 of 2 complete; presence only/0')" \
			"rows of another spelling are told, as ts-store refuses to replace them: $symbols"
	done
fi

# ---- stopped and lost

sql "CREATE TABLE slow (LIKE ohlcv_daily INCLUDING ALL)"
ts-expand -N 2025-12-24T03:00:00Z -y 0.02 -t day AAPL >tasks
hold 'LOCK TABLE ohlcv_daily'
rm -f out err
ts-audit <tasks >out 2>err &
pid=$!
wait_for 5 held_up
kill -TERM $pid
wait_for 1 ended $pid
ok $? "SIGTERM ends it within a second while the server works"
wait $pid
is "$?/$(cat out)" 1/ "without a certificate"
let_go
kill -INT "$pg_pid"
wait "$pg_pid" 2>/dev/null
rm -f out err
ts-audit <tasks >out 2>err &
pid=$!
wait_for 5 grep -q 'trying again' err
ok $? "a server that is not there is told"
pg_up
wait $pid
is "$?/$(tail -n 1 out)" "0/1 of 1 complete; presence only" "and when it is back the audit goes on"
done_testing
