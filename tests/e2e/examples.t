#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2317
# Every example of every page and of the README is run as it stands there, and does what is said of it.
# An example that is not run here fails this test.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/pages.sh
. "$here/pages.sh"

# examples FILE: the commands that a page shows, one a line, in the words of a shell.
examples() {
	case $1 in
	# The last chapter shows folders.
	*.md) sed -n '/^## The house/q; s/^    //p' "$1" ;;
	*.7) awk '/^\.Bd/ {b = 1; next} /^\.Ed/ {b = 0} b || /^\.Dl/' "$1" ;;
	*) awk '/^\.Sh/ {e = /EXAMPLES/} /^\.Bd/ {b = 1; next} /^\.Ed/ {b = 0} e && (b || /^\.Dl/)' "$1" ;;
	esac | sed 's/^\.Dl //; s/^[$#] //' | unroff
}
: >ran
# unseen PAGE...: examples that were not run.
unseen() {
	local page
	for page in "$@"; do
		examples "$page" | grep -vxFf ran | sed "s|^|${page##*/}: |"
	done
}
# The cookbook has a test of its own.
pages=("$top"/doc/*.[15] "$top/doc/ts-pipeline.7" "$top/README.md")
for page in "${pages[@]}"; do
	examples "$page"
done >all

# try EXAMPLE: runs it as run() does.
try() {
	printf '%s\n' "$1" >>ran
	grep -qxF -- "$1" all || ok 1 "some page has the example: $1"
	run "$1"
}
# seen EXAMPLE...: run by other tests, as they are.
elsewhere() {
	printf '%s\n' "$@" >>ran
}

now=2025-12-16T17:00:30Z
PATH=$top:$PATH
export TS_SYNC_STATE=$tmp/asked
pg_start || exit 1
redis_start --loglevel warning || exit 1
sim_start -N "$now" || exit 1
sql "CREATE DATABASE second"
SECOND_URL="postgresql:///second?host=$tmp/pg&user=postgres"
export SECOND_URL TS_EXPAND_FLAGS='' TS_STATUS_FLAGS=
ts-store -u "$SECOND_URL" -i </dev/null 2>log || exit 1
printf '{"job_id":"ex","source":"test","symbols":["AAPL","MSFT"],"timeframes":["1min","hour","day","week","month"],"years":0.02,"received_at":"%s"}\n' \
	$now >job.json
clock $now

# small, whole: what job.json asks for.
job() {
	printf '{"job_id":"ex","source":"test","symbols":%s,"timeframes":%s,"years":0.02,"received_at":"%s"}\n' "$1" "$2" "$now" >job.json
}
whole() {
	job '["AAPL","MSFT"]' '["1min","hour","day","week","month"]'
}
# stored NAME: the last example ended well and the tables hold what the job's bars are.
stored() {
	is "$code/$(rows)" "0/$bars" "$1" || sed 's/^/# /' err
}
seconds() {
	psql -X -q -A -t "$SECOND_URL" -c "SELECT (SELECT count(*) FROM ohlcv_1min) + (SELECT count(*) FROM ohlcv_daily)"
}

# The tables are missing at first.
whole
ts-expand <job.json | ts-fetch 2>/dev/null >bars.ndjson
bars=$(grep -c '"type":"bar"' bars.ndjson)
gzip -k bars.ndjson
try 'ts-store -i <bars.ndjson'
stored "a recorded run is stored, the tables first"
is "$(types)" "1 job, 10 loading, 10 stored" "with a verdict for each task"

# Tasks.
try 'ts-expand -y 1 -t day AAPL'
is "$code/$(types)/$(jq -r 'select(.type == "task") | .symbol + .timeframe' out)" "0/1 job, 1 task/AAPLday" "a year of one symbol, as tasks"
try "ts-expand <job.json | grep '\"timeframe\":\"1min\"'"
is "$code/$(jq -r 'select(.type == "task") | .symbol' out | tr '\n' ' ')" "0/AAPL MSFT " "what a job asks for in one timeframe"
try 'ts-expand -n -r 5/m -d -g <job.json'
is "$code/$(tail -n 1 out)" '0/7 requests, 84 s' "what a job will cost"
jq . job.json >job.tmp && mv job.tmp job.json
try 'jq -c . job.json | ts-expand'
is "$code/$(types)" "0/1 job, 10 task" "a job typed over several lines"
whole

# Bars.
try "ts-expand -y 1 -t day AAPL | ts-fetch | jq -c 'select(.volume > 1e6)'"
like "$code/$(wc -l <out)/$(jq -s 'map(.volume) | min > 1000000' out)" '^0/2[0-9][0-9]/true' "the days of more than a million shares"
try "ts-fetch <<'END'
{\"type\":\"task\",\"job_id\":\"1\",\"symbol\":\"AAPL\",\"timeframe\":\"day\",\"from\":\"2025-12-15\",\"to\":\"2025-12-19\"}
END"
is "$code/$(types)" "0/2 bar, 1 fetched, 1 loading" "one task by hand"
rm bars.ndjson.gz
try 'ts-expand <job.json | ts-fetch | gzip >bars.ndjson.gz'
is "$code/$(zcat bars.ndjson.gz | grep -c '"type":"bar"')" "0/$bars" "bars recorded by gzip"
cp bars.ndjson want
try 'ts-expand <job.json | ts-fetch >bars.ndjson'
is "$code/$(sort bars.ndjson | cksum)" "0/$(sort want | cksum)" "bars recorded in a file"

# Stored.
empty
try 'zcat bars.ndjson.gz | ts-store -n'
is "$code/$(rows)" 0/0 "a file checked by gzip and -n writes nothing"
try 'ts-store -n <bars.ndjson'
is "$code/$(rows)" 0/0 "so does a file"
try 'zcat bars.ndjson.gz | ts-store'
stored "what gzip recorded is stored"
empty
try 'ts-store <bars.ndjson'
stored "what was recorded is stored"
for a in "jq -c 'select(.volume > 1e6)'" "jq -c 'select(.volume>1e6)'"; do
	empty
	try "ts-expand -y 1 -t day AAPL | ts-fetch | $a | ts-store"
	like "$code/$(sql 'SELECT count(*), min(volume) > 1000000 FROM ohlcv_daily')" '^0/2[0-9][0-9]\|t$' "$a stores the busy days"
done
printf '%s\n' '{"symbol":"WRNG","timeframe":"day","date":"2025-12-12","open":5,"high":6,"low":7,"close":5.5,"volume":1}' >>bars.ndjson
empty
try 'ts-store -R rejects.ndjson <bars.ndjson'
is "$code/$(rows)/$(jq -r .symbol rejects.ndjson)" "1/$bars/WRNG" "what is refused is kept"
try "jq -c 'select(.low > .high) | .low = .open' rejects.ndjson | ts-store"
is "$code/$(sql "SELECT low FROM ohlcv_daily WHERE symbol = 'WRNG'")" 0/5 "and stored when mended"
grep -v WRNG want >bars.ndjson

# The meter and what it came to.
empty
for a in 'ts-expand -y 1 -t day AAPL MSFT | ts-fetch | ts-store | ts-status -u none' \
	'ts-expand -y 1 -t day AAPL MSFT | ts-fetch | ts-store -i | ts-status -u none' \
	'ts-expand -y 1 AAPL MSFT | ts-fetch | ts-store | ts-status -u none'; do
	try "$a"
	is "$code/$(jq -r '.status, .stored' out | tr '\n' ' ')/$(sql 'SELECT count(DISTINCT symbol) FROM ohlcv_daily')" "0/completed 2 /2" "$a"
done
empty
try 'ts-expand <job.json | ts-fetch | ts-store | tee run.log | ts-status -u none'
stored "a run is recorded by tee"
is "$(types run.log)" "1 job, 10 loading, 10 stored" "with its verdicts"
try 'ts-status -q -u none <run.log'
is "$code/$(jq -r .status out)" 0/completed "what a recorded run came to"
sed -i '0,/"type":"stored"/s/"type":"stored"/"type":"failed","stage":"ts-store","error":"made up"/' run.log
empty
try 'ts-expand -f <run.log | ts-fetch | ts-store'
is "$code/$(types)" "0/1 job, 1 loading, 1 stored" "what failed is done once more"
job '["AAPL"]' '["day"]'
try "ts-expand <job.json | ts-fetch -r 5/m -d -g | ts-store | ts-status -u none"
is "$code/$(jq -r .status out)" 0/completed "at the pace of a free plan"
job '["AAPL"]' '["day","hour"]'
empty
try "ts-expand <job.json | grep '\"timeframe\":\"day\"' | ts-fetch -r 5/m -d -g | ts-store"
is "$code/$(sql 'SELECT (SELECT count(*) FROM ohlcv_daily), (SELECT count(*) FROM ohlcv_hourly)')" "0/5|0" "the tasks of one timeframe"

# The gallery.
whole
empty
if command -v zstd >/dev/null; then
	try 'ts-expand <job.json | ts-fetch | tee >(zstd -q >bars.ndjson.zst) | ts-store'
	stored "recorded while it is stored"
	wait_for 5 zstd -q -t bars.ndjson.zst
	empty
	try 'zstdcat bars.ndjson.zst | ts-store'
	stored "and replayed"
	empty
	try "zstdcat bars.ndjson.zst | grep -E '\"symbol\":\"(AAPL|MSFT)\"' | ts-store"
	stored "some symbols of a recorded run"
else
	elsewhere "$(grep -F zst all)"
	skip "zstd is not installed"
fi
empty
try "jq -c '.symbols -= [\"MSFT\"]' job.json | ts-expand | ts-fetch | ts-store"
is "$code/$(sql 'SELECT DISTINCT symbol FROM ohlcv_1min')" 0/AAPL "some symbols of a job"
empty
try 'ts-expand <job.json | ts-fetch | tee >(ts-store -u "$SECOND_URL" >second.log) | ts-store'
stored "two databases: the first"
wait_for 5 eval '[ "$(seconds)" = "$(sql "SELECT (SELECT count(*) FROM ohlcv_1min) + (SELECT count(*) FROM ohlcv_daily)")" ]'
ok $? "and the second"
empty
# A host works until it is told to stop.
host="ts-work 'ts-fetch -r 50/s | ts-store'"
elsewhere "$host"
start bash -c "exec $host" 2>host.log
host_pid=$!
try 'ts-expand <job.json | ts-share | ts-status -u none'
stored "a job by another host"
kill "$host_pid"
empty
try 'ts-expand <job.json | ts-fetch | ssh dbhost ts-store | ts-status -u none'
stored "a database behind another host (a shell of this host stands for it)"
is "$(jq -r .status out)" completed "with the verdicts coming back"

# What is missing.
try 'ts-expand <job.json | ts-audit'
like "$code/$(tail -n 1 out)" '^0/10 of 10 complete' "the audit of a complete job"
sql "DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-12-12'"
try "$(grep 'ts-audit -J' all)"
is "$code/$(head -n 1 out | cut -c 1-7)" '1/["AAPL"' "the audit names the dates"
try 'ts-expand <job.json | ts-audit -r -b | ts-fetch | ts-store'
is "$(rows)" "$bars" "a refresh brings a lost day back"
sql "DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-12-12'"
asked=$(wc -l <"$sim_log")
try 'ts-expand <job.json | ts-audit -m | ts-fetch | ts-store'
is "$(rows)/$(($(wc -l <"$sim_log") - asked))" "$bars/1" "what is missing is loaded, and nothing else"
sql "DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-12-12'"
try 'ts-sync job.json'
like "$code/$(rows)/$(tail -n 1 out)" "^0/$bars/10 of 10 complete" "ts-sync certifies"
sql "DELETE FROM ohlcv_daily WHERE symbol = 'AAPL' AND date = '2025-12-12'"
a=$(grep -m 1 '^30 21' all)
printf '%s\n' "$a" >>ran
like "$a" '^([0-9]+|\*) ([0-9]+|\*) \* \* 1-5 cd /etc/tickstock && ts-sync' "the line for cron has five fields and a command"
code=$(sh -c "$(cut -d ' ' -f 6- <<<"$a" | sed "s|/etc/tickstock|$tmp|")" >out 2>err; echo $?)
stored "and it loads what is missing"

# What serves until it is stopped.
# serves EXAMPLE FOLDER: started; published to; stopped.
serves() {
	local pid folder=${2-$tmp} id=ex$RANDOM
	printf '%s\n' "$1" >>ran
	: >out
	(cd "$folder" && exec bash -c "$1; exit") >out 2>err </dev/null &
	pid=$!
	started+=("$pid")
	wait_for 10 listening
	publish "$(jq -c --arg id $id '.job_id = $id' job.json)"
	id_now=$id
	case $1 in
	# jq writes at its end where no terminal sees it.
	*jq*) sleep 0.3 ;;
	*) wait_for 15 over $id ;;
	esac
	ok $? "$1: works on what is published"
	case $1 in
	*pipeline.sh) kill -TERM "$(pgrep -P "$pid" -f pipeline.sh || echo "$pid")" ;;
	*) kill -TERM "$(pgrep -P "$pid" -x ts-listen)" ;;
	esac
	wait "$pid"
	is $? 0 "$1: and stops"
}
job '["AAPL"]' '["day","week"]'
serves 'ts-listen | jq -c .'
is "$(jq -r .job_id out)" "$id_now" "and shows the job"
serves 'ts-listen | ts-expand | ts-fetch | ts-store | ts-status'
is "$(hash "$id_now" status)" completed "the stages by hand"
serves 'ts-listen -s spool -x tickstock.jobs.stream | ts-expand -s spool | ts-fetch | ts-store | ts-status -s spool'
serves 'ts-listen | tee -a jobs.ndjson | ts-expand | ts-fetch | ts-store | ts-status'
is "$(jq -r .job_id jobs.ndjson)" "$id_now" "every job is kept in a file"
PATH=$top:$PATH serves pipeline.sh
serves ./pipeline.sh "$top"
like "$(cat err)" 'pipeline: end ts-listen=(0|141) ts-expand=(0|141) ts-fetch=0 ts-store=0 ts-status=0' "the service ends well"

# The two commands of the README: this is part of one, and demo.t runs the other.
elsewhere 'make check' 'make demo'
# They change the machine; the test of the service does the same in a folder of its own.
elsewhere 'useradd --system tickstock' 'echo KEY >/etc/sv/ts-pipeline/env/MASSIVE_API_KEY' 'ln -s /etc/sv/ts-pipeline /etc/service/'
# A host as a service: share.t.
elsewhere "echo 'ts-fetch -r 20/s@massive | ts-store' >/etc/sv/ts-work/env/TS_WORK" 'ln -s /etc/sv/ts-work /etc/service/'
# Steps of the page that runit.t types, with its own folders and server.
for a in "su postgres -c 'createuser tickstock'" "su postgres -c 'createdb -O tickstock tickstock'" \
	"su tickstock -s /bin/sh -c 'ts-store -q -i -u postgresql:///tickstock </dev/null'" \
	'echo postgresql:///tickstock >/etc/sv/ts-pipeline/env/DATABASE_URL' 'echo /var/lib/ts-pipeline >/etc/sv/ts-pipeline/env/TS_SPOOL'; do
	elsewhere "$a"
done
# Steps that need a running systemd: make systemd types them.
for a in "su postgres -c 'createuser -P tickstock'" 'umask 077' 'echo KEY >/etc/ts-pipeline.key' 'db=postgresql://tickstock:PASSWORD@localhost/tickstock' \
	'echo "DATABASE_URL=$db" >/etc/ts-pipeline.env' \
	'DATABASE_URL=$db ts-store -q -i </dev/null' 'systemctl enable --now ts-pipeline' \
	'ts-health ts-pipeline.service'; do
	elsewhere "$a"
done
# Nobody is told of a service that is well, and somebody of one that is not there.
stand_in mail <<'END'
#!/bin/sh
echo "$@" >mailed
END
try 'ts-health /etc/sv/ts-pipeline || mail -s sick root </dev/null'
is "$(cat mailed)" '-s sick root' "a service that is not there is not well"
elsewhere 'ts-health /etc/sv/ts-pipeline'

# The first five minutes, as they are typed, in an empty database.
sed -n '/^## The first five/,/^## Pipe/s/^    //p' "$top/README.md" >minutes
cat minutes >>ran
sql "CREATE DATABASE tickstock"
mkdir five
(cd five && TS_EXPAND_FLAGS='' bash -e -c "$(sed 's/KEY=\.\.\./KEY=key/' ../minutes)") >out 2>err
is "$?/$(grep '"done"' out | jq -r .status)/$(PGDATABASE=tickstock sql 'SELECT count(DISTINCT symbol) FROM ohlcv_daily')" 0/completed/2 \
	"the first five minutes load two symbols" || sed 's/^/# /' err

# What the exchange decides outside its calendar.
a=$(grep -x -A 2 mourning all)
printf '%s\n' "$a" >>ran
printf '# %s\n' "$a" >closures
is "$(TS_CLOSURES=closures ts-expand -N 2026-03-20T12:00:00Z -n -F 2026-03-09 -T 2026-03-13 -t day AAPL | awk '$1 == "day" {print $5}')" 4 \
	"a file of closures is read: a week of four sessions"

# None is left out.
is "$(unseen "${pages[@]}")" "" "every example of every page was run"
printf '.Sh EXAMPLES\n.Dl ts-expand -y 7 NEW\n.Bd -literal\nts-store -n <\\(dqnew\\(dq\n.Ed\n' >page.1
is "$(unseen page.1 | tr '\n' ';')" 'page.1: ts-expand -y 7 NEW;page.1: ts-store -n <"new";' "one that is not would be seen"
done_testing
