#!/usr/bin/env bash
# The stages together: what is stored, what is claimed, and how they stop.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

now=2025-12-16T17:00:30Z

pg_start || exit 1
ts-store -i </dev/null 2>store.log || exit 1

# Every value of every row, in an order that does not depend on how they came.
dump() {
	local t
	for t in $tables; do
		sql "SELECT '$t', symbol, ${t/ohlcv_*/key}, open, high, low, close, volume FROM (SELECT *, $(key "$t") AS key FROM $t) t ORDER BY 2, 3"
	done
}
key() {
	case $1 in
	ohlcv_1min | ohlcv_hourly) echo 'extract(epoch FROM timestamp)' ;;
	*) echo date ;;
	esac
}
# Where each row lies and which transaction wrote it.
places() {
	local t
	for t in $tables; do
		sql "SELECT '$t', symbol, $(key "$t"), ctid, xmin FROM $t ORDER BY 2, 3"
	done
}
# run JOB...: through pipeline.sh without Redis; what ts-status says of it is in done.json.
run() {
	printf '%s\n' "$@" | TS_STATUS_FLAGS='-u none -q' "$top/pipeline.sh" - >done.json 2>log
}

sim_start -N "$now" || exit 1
all='["1min","hour","day","week","month"]'

# The same job wherever the host thinks it is.
job tz '["AAPL","MSFT"]' "$all" 0.02 >job.json
for tz in America/New_York America/Chicago Asia/Tokyo UTC; do
	empty
	TZ=$tz run "$(cat job.json)"
	is "$?/$(jq -r .status done.json)" 0/completed "TZ=$tz: completed"
	dump >"dump.${tz##*/}"
done
[ "$(wc -l <dump.UTC)" -gt 4000 ]
ok $? "there is something to compare"
for tz in Chicago Tokyo UTC; do
	cmp -s dump.New_York dump.$tz
	ok $? "TZ of $tz leaves identical tables"
done

# A second time nothing is written, and a corrected bar replaces the old one alone.
places >before
ts-expand <job.json | ts-fetch 2>/dev/null | tee bars.ndjson | ts-store 2>/dev/null >again
is "$(jq -s -c 'map(select(.type == "stored")) | [length, (map(.inserted) | add), (map(.updated) | add), (map(.unchanged) == map(.bars))]' again)" \
	'[10,0,0,true]' "a second time: inserted 0, updated 0"
places >after
cmp -s before after
ok $? "and no row has another ctid or xmin"
sim_stop
echo '* * restated' >faults
sim_start -N "$now" -f faults
ts-expand <job.json | ts-fetch 2>/dev/null | tee restated.ndjson | ts-store 2>/dev/null >again
changed=$(diff <(jq -c 'select(.type == "bar")' bars.ndjson | sort) <(jq -c 'select(.type == "bar")' restated.ndjson | sort) | grep -c '^>')
[ "$changed" -gt 20 ]
ok $? "the simulator corrected some bars"
is "$(jq -s -c 'map(select(.type == "stored")) | [(map(.inserted) | add), (map(.updated) | add)]' again)" \
	"[0,$changed]" "exactly the corrected bars are updated"
places >last
is "$(diff after last | grep -c '^>')" "$changed" "and no other row is written"
ts-store <restated.ndjson >again 2>/dev/null
dump >dump.restated
empty
ts-store <restated.ndjson >/dev/null 2>&1
dump | cmp -s - dump.restated
ok $? "the tables hold the corrected values"
sim_stop

# A task that was cancelled in the middle, and comes again: its bars count once.
sim_start -N "$now"
empty
mkfifo twice
ts-fetch -j 1 <twice 2>/dev/null | ts-store >out 2>err &
started+=($!)
both=$!
exec {twice}>twice
task='{"type":"task","job_id":"j","symbol":"TWICE","timeframe":"1min","from":"2025-07-16T09:00:00Z","to":"2025-12-16T17:00:00Z"}'
sim_hold 1
echo "$task" >&"$twice"
some_rows() {
	[ "$(sql "SELECT count(*) FROM ohlcv_1min")" -gt 0 ]
}
wait_for 10 some_rows
printf '{"type":"cancel","job_id":"j"}\n%s\n' "$task" >&"$twice"
wait_for 5 grep -q cancel out
sim_go
exec {twice}>&-
wait $both
is "$(jq 'select(.type == "stored") | .bars - .inserted - .unchanged, .bars' out | xargs)" "0 $(sql "SELECT count(*) FROM ohlcv_1min")" \
	"a task that is cancelled in the middle and comes again: each bar counts once"
unlike "$(cat err)" 'bars arrived' "without a warning"
empty
sim_stop

# Stages compose.
sim_start -N "$now"
empty
ts-expand -N "$now" -y 1 -t day AAPL | ts-fetch 2>/dev/null | jq -c 'select(.volume>1e6)' | ts-store 2>log
is "$?" 0 "a filter of jq in the middle"
sql "SELECT count(*), min(volume) > 1000000 FROM ohlcv_daily" >got
like "$(cat got)" '^2[0-9][0-9]\|t$' "stores what the filter let through"
grep '"type":"bar"' bars.ndjson | sed 's/"type":"bar",//' >onlybars
empty
ts-store <onlybars 2>log
is "$?/$(sql 'SELECT count(*) FROM ohlcv_1min')" "0/$(grep -c '"1min"' onlybars)" "a file of nothing but bars is stored"
empty
gzip -c bars.ndjson | zcat | ts-store 2>/dev/null | jq -r .type | sort | uniq -c | tr -s ' ' | tr '\n' ';' >got
is "$(cat got)" " 1 job; 10 loading; 10 stored;" "a recorded run is replayed"
dump | cmp -s - dump.UTC
ok $? "and leaves the same tables"

# Recorded replies of the real API, digit by digit.
if [ -d "$shared/fixtures/massive" ]; then
	sim_stop
	sim_start -N 2026-01-01T00:00:00Z -r "$shared/fixtures/massive"
	empty
	task() {
		printf '{"type":"task","job_id":"r","symbol":"AAPL","timeframe":"%s","from":"%s","to":"%s"}\n' "$@"
	}
	{
		task day 2019-01-01 2019-02-01
		task day 2023-01-01 2023-01-10
		task week 2021-06-27 2021-07-24
		task hour 2024-03-25T04:00:00Z 2024-03-26T00:00:00Z
		task 1min 2023-07-31T08:00:00Z 2023-08-01T00:00:00Z
	} >tasks
	ts-fetch -x <tasks 2>log | ts-store 2>>log >stored
	is "$(jq -s -c 'map([.type, .bars]) | sort' stored)" \
		'[["loading",null],["loading",null],["loading",null],["loading",null],["loading",null],["stored",4],["stored",6],["stored",10],["stored",16],["stored",21]]' \
		"recorded replies: every row is stored"
	# The text of each price as it stands in the reply, its number of t beside it.
	texts() {
		tr -d ' \n\r' <"$1" | grep -o '{"v":[^}]*}' |
			sed 's/.*"o":\([^,}]*\).*"c":\([^,}]*\).*"h":\([^,}]*\).*"l":\([^,}]*\).*"t":\([0-9]*\)000[,}].*/\5|\1|\3|\4|\2/'
	}
	for pair in day_2019-01-01_2019-02-01_exponent:ohlcv_daily day_2023-01-01_2023-01-10_exponent:ohlcv_daily \
		week_2021-06-27_2021-07-18:ohlcv_weekly hour_2024-03-25_delayed:ohlcv_hourly \
		minute_2023-07-31_limit10_next_url:ohlcv_1min; do
		file=$shared/fixtures/massive/aapl_${pair%:*}.json
		table=${pair#*:}
		texts "$file" | sort >want
		case $table in
		ohlcv_1min | ohlcv_hourly) at='extract(epoch FROM timestamp)::bigint' ;;
		*) at="extract(epoch FROM date::timestamp AT TIME ZONE 'America/New_York')::bigint" ;;
		esac
		sql "SELECT * FROM (SELECT $at AS at, open, high, low, close FROM $table) t
			WHERE at BETWEEN $(head -n 1 want | cut -d '|' -f 1) AND $(tail -n 1 want | cut -d '|' -f 1) ORDER BY 1" |
			sort >got
		cmp -s want got && [ -s want ]
		ok $? "recorded ${pair%:*}: prices digit by digit"
	done
	is "$(sql "SELECT volume FROM ohlcv_daily WHERE date = '2023-01-03'")" 112117471 "1.12117471e+08 shares"
	sim_stop
else
	skip "no recorded replies here"
fi

# The worst stage decides the exit status, and the log says how each ended.
sim_start -N "$now" -k sesame
empty
run "$(job nokey '["AAPL"]' '["day"]' 0.02)"
is "$?/$(jq -r .status done.json)" 1/failed "without a key the job fails"
like "$(tail -n 1 log)" 'cat=0 ts-expand=0 ts-fetch=1 ts-store=0 ts-status=1' "the log has every stage's exit status"
MASSIVE_API_KEY=sesame run "$(job key '["AAPL"]' '["day"]' 0.02)"
is "$?/$(jq -r .status done.json)" 0/completed "with a key it is completed"
"$top/pipeline.sh" /nonexistent/job.json 2>log
is $? 100 "a job file that is not there is exit 100"
"$top/pipeline.sh" -x 2>log
is $? 100 "an unknown option is exit 100"
job file '["MSFT"]' '["day"]' 0.02 >one.json
MASSIVE_API_KEY=sesame TS_STATUS_FLAGS='-u none -q' "$top/pipeline.sh" one.json one.json >done.json 2>log
is "$(jq -r .job_id done.json | head -n 1)" file "job files as operands"
DATABASE_URL='postgresql:///nosuch?host=/nonexistent' MASSIVE_API_KEY=sesame TS_STATUS_FLAGS='-u none -q' \
	TS_STORE_FLAGS=-Z "$top/pipeline.sh" one.json >done.json 2>log
is $? 100 "a stage that is misconfigured decides"

# The script's own words, and what it does where something is missing.
like "$("$top/pipeline.sh" -h | head -n 1)" '^usage: pipeline.sh' "-h gives the usage"
mkdir -p inst
cp "$top/pipeline.sh" inst/ts-pipeline
is "$(inst/ts-pipeline --version)/$(inst/ts-pipeline --help | head -n 1 | cut -d ' ' -f 2)" \
	"ts-pipeline $(cat "$top/VERSION")/ts-pipeline" "the installed one calls itself ts-pipeline"
: >empty.json
TS_STATUS_FLAGS='-u none -q' "$top/pipeline.sh" empty.json >done.json 2>log
is "$?/$(wc -c <done.json)" 1/0 "no job in the file: exit 1"
like "$(cat log)" 'ts-expand: .*no job came' "and that is said"
TS_STATUS_FLAGS='-u none -q' MASSIVE_API_KEY=sesame "$top/pipeline.sh" one.json >done.json 2>log <&-
is "$?/$(jq -r .status done.json)" 0/completed "a job file needs no stdin"
"$top/pipeline.sh" - 2>log <&-
like "$?/$(cat log)" '^100/pipeline: error: -: stdin is closed$' "but - does"
"$top/pipeline.sh" one.json 2>log >&-
like "$?/$(cat log)" '^111/pipeline: error: stdout is closed$' "a closed stdout is said"
(ulimit -n 20 && exec "$top/pipeline.sh" one.json) >done.json 2>log
like "$?/$(cat log)" '^111/pipeline: error: only 20 open files' "few descriptors are said"
TMPDIR=$tmp/nowhere "$top/pipeline.sh" one.json >done.json 2>log
like "$?/$(tail -n 1 log)" '^111/pipeline: error: cannot make a temporary folder' "so is a folder that cannot be made"
mkdir sparse
for tool in sh mkfifo rm cat sleep; do
	ln -s "$(command -v $tool)" sparse/
done
PATH=$tmp/sparse sh "$top/pipeline.sh" one.json >done.json 2>log
like "$?/$(cat log)" '^100/pipeline: error: mktemp is not installed' "so is a missing mktemp"

# Interrupted is not done: with work left 130 or 143. Nothing is left behind, whatever the signal.
sim_stop
sim_start -N "$now" -d 150 -k sesame
job many "$(jq -nc '[range(60) | "S\(.)"]')" '["day"]' 0.02 >many.json
asked() {
	[ "$(grep -c ticker "$sim_log")" -ge 5 ]
}
for signal in INT:130 TERM:143 HUP:129 QUIT:131; do
	: >"$sim_log"
	# As a terminal gives it: bash would have it ignored in the background.
	# shellcheck disable=SC2016 # perl's
	TS_STATUS_FLAGS='-u none -q' MASSIVE_API_KEY=sesame perl -e '$SIG{$_} = "DEFAULT" for qw(INT QUIT HUP); exec @ARGV' \
		"$top/pipeline.sh" many.json >done.json 2>log &
	pid=$!
	started+=("$pid")
	wait_for 10 asked
	stages=$(pgrep -d ' ' -P "$pid" '^ts-')
	kill -s "${signal%:*}" "$pid"
	wait "$pid"
	like "$?/$(wc -w <<<"$stages")" "^${signal#*:}/[34]\$" "SIG${signal%:*} with work left: exit ${signal#*:}"
	is "$(for p in $stages; do ended "$p" || echo "$p"; done)" "" "and no stage is left behind"
done
sim_stop

# TS_DONE gets each done record, and is in nobody's way.
sim_start -N "$now" -k sesame
printf '#!/bin/sh\ncat >>%s/hook.out\nenv | grep -c MASSIVE_API_KEY >>%s/hook.env\nexit 3\n' "$tmp" "$tmp" >hook
chmod 755 hook
TS_DONE=$tmp/hook TS_STATUS_FLAGS='-u none -q' MASSIVE_API_KEY=sesame "$top/pipeline.sh" one.json >done.json 2>log
is "$?/$(cat hook.out)" "0/$(cat done.json)" "TS_DONE gets the done record, which still goes to stdout"
is "$(cat hook.env)/$(grep -c 'warning: TS_DONE: .* ended with 3' log)" 0/1 "without secrets; its failure is told and no more"
# One that hangs and ignores SIGTERM: its 10 seconds are over here when it has read, its 2 are 0.2.
mkdir short
cat >short/timeout <<END
#!/bin/sh
[ "\$1 \$2 \$3" = '-k 2 10' ] || exit
shift 3
exec 3<&0
$(command -v timeout) -k 0.2 60 "\$@" <&3 &
# It sleeps once it knows whom it has started; before that it would die of the signal by itself.
until { [ -s '$tmp/hung' ] && grep -q '^State:.S' /proc/\$!/status; } || ! kill -0 \$!; do sleep 0.02; done
kill \$!
wait \$!
END
printf '#!/bin/sh\ntrap "" TERM\nsed "w %s/hung"\nwhile :; do sleep 0.1; done\n' "$tmp" >hook
chmod 755 short/timeout
PATH=$tmp/short:$PATH TS_DONE=$tmp/hook TS_STATUS_FLAGS='-u none -q' MASSIVE_API_KEY=sesame "$top/pipeline.sh" one.json >done.json 2>log
is "$?/$(cat hung)" "0/$(cat done.json)" "one that hangs holds up neither the record nor the end"
like "$(cat log)" "warning: TS_DONE: $tmp/hook ended with 137" "it is killed, which is told"
is "$(pgrep -f "$tmp/hook")" "" "and gone"
TS_DONE=$tmp/nosuch "$top/pipeline.sh" one.json 2>log
is $? 100 "a TS_DONE that is no program is refused"

# Secrets: in no argument, environment of strangers, log, record or status.
redis_start --requirepass redissecret || exit 1
secret_redis() {
	REDISCLI_AUTH=redissecret redis-cli --no-auth-warning -s "$tmp/redis.sock" "$@"
}
sql "CREATE ROLE loader LOGIN SUPERUSER PASSWORD 'pgsecret'"
export REDIS_URL=unix://:redissecret@$tmp/redis.sock
(
	export MASSIVE_API_KEY=sesame
	export DATABASE_URL="postgresql://loader:pgsecret@/postgres?host=$tmp/pg"
	exec "$top/pipeline.sh" >pipeline.out 2>pipeline.log
) &
service_pid=$!
started+=("$service_pid")
wait_for 10 grep -q 'listening on' pipeline.log
ok $? "the service listens, with passwords"
secret_redis publish tickstock.jobs.data_load "$(job secret '["AAPL","NONE"]' '["day","1min"]' 0.02)" >/dev/null
stages_run() {
	[ "$(pgrep -c -P "$service_pid" '^ts-')" -eq 5 ]
}
wait_for 10 stages_run
for pid in "$service_pid" $(pgrep -P "$service_pid"); do
	tr '\0' '\n' <"/proc/$pid/cmdline"
done >arguments
like "$(cat arguments)" ts-store "the stages are seen"
wait_for 10 grep -q '"done"' pipeline.out
secret_redis hgetall tickstock.jobs.status:secret >status
like "$(cat status)" 'completed' "the job is completed"
kill -TERM "$service_pid"
wait "$service_pid"
is $? 0 "and the service stops with 0"
is "$(grep -l -e sesame -e pgsecret -e redissecret arguments pipeline.log pipeline.out status)" "" \
	"no secret in arguments, log, records and status"
done_testing
