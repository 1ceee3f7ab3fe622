#!/usr/bin/env bash
# The command lines: every letter is explained, is in the page, and is refused where it does not belong.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for name in ts-listen ts-expand ts-fetch ts-store ts-status ts-audit ts-share ts-work; do
	options $name
done
PATH=$top:$PATH
options ts-sync
options ts-health
ln -s "$top/pipeline.sh" ts-pipeline
is "$(./ts-pipeline -V)/$(./ts-pipeline --version)" "$(ts-listen -V | sed 's/listen/pipeline/')/$(./ts-pipeline -V)" "the installed pipeline.sh calls itself so"
is "$(./ts-pipeline --help | sed 1q)" "usage: ts-pipeline [-hV] [job-file ...]" "in its usage"
is "$(./ts-pipeline --zzz 2>&1 | sed 1q)" "ts-pipeline: error: --zzz: unknown option" "and in its errors"

# refuses WHAT COMMAND...: exit 100 at once, with that sentence and the usage.
refuses() {
	"${@:2}" </dev/null >out 2>err
	is "$?/$(wc -c <out)/$(sed 1q err)" "100/0/$2: error: $1" "${*:2}: $1"
}
refuses '-y: options come before operands' ts-expand AAPL -y 1
refuses '-t: its argument is missing' ts-expand -t
refuses '-j: wants a number from 1 to 8' ts-store -n -j 9
refuses '-b: wants a number from 1 to 100000' ts-store -n -b 0
refuses '-j: wants a number from 1 to 64' ts-fetch -j x
refuses '-l: wants a number from 0 to 100' ts-audit -l 101
refuses 'no operands are taken' ts-store -n postgres://u:secret@h/d
refuses 'no operands are taken' ts-fetch AAPL
refuses 'no operands are taken' ts-share AAPL
refuses "one command is wanted, such as 'ts-fetch | ts-store'" ts-work
refuses '-j: options come before operands' ts-work ts-fetch -j
is "$(ts-expand -y 1 -- AAPL 2>&1 | jq -r 'select(.type == "task") | .symbol')" AAPL "-- ends the options"
is "$(ts-expand -- -y 2>/dev/null | jq -r 'select(.type == "failed") | .symbol')" -y \
	"what stands behind -- is an operand"

# -q: nothing but trouble, so that cron mails nothing else.
ts-expand -q -t day AAPL >out 2>err
is "$?/$(cat err)" 0/ "ts-expand -q says nothing of what went well"
echo '{"symbol":"A","timeframe":"day","date":"2025-12-19","open":1,"high":1,"low":1,"close":1,"volume":1}' >bar
ts-store -n -q <bar 2>err
is "$?/$(cat err)" 0/ "nor does ts-store"
sed 's/"low":1/"low":2/' bar | ts-store -n -q 2>err
is "$?/$(cat err)" "1/ts-store: warning: line 1: A day 2025-12-19: high is below low: rejected" "but trouble is told"
echo '{"type":"job","job_id":"j","symbols":1,"timeframes":["day"],"tasks":1,"received_at":"2025-12-16T17:00:30Z"}' >job
{ cat job; echo '{"type":"stored","job_id":"j","symbol":"A","timeframe":"day","from":"2025-12-15","to":"2025-12-16","bars":1,"inserted":1,"updated":0,"unchanged":0,"rejected":0}'; } |
	ts-status -q -u none >out 2>err
is "$?/$(cat err)" 0/ "nor does ts-status of a job that went well"
{ cat job; echo '{"type":"failed","job_id":"j","symbol":"A","timeframe":"day","from":"2025-12-15","to":"2025-12-16","stage":"fetch","error":"made up"}'; } |
	ts-status -q -u none >out 2>err
like "$?/$(cat err)" '^1/ts-status: warning: job failed id=j: .*made up' "and of one that failed it does"

# What a run begins and ends with is for who asks, by -v or as a service; -q has nothing of it even then. A job
# whose only record is its failure, which every stage passes on, is something for each of them to begin and end.
echo '{"type":"cancel","job_id":"j"}' >line
redis_start --loglevel warning --appendonly yes --dir "$tmp" || exit 1
export MASSIVE_API_KEY=k MASSIVE_URL=http://127.0.0.1:1
for a in ts-expand ts-fetch ts-store\ -n ts-status\ -u\ none ts-share; do
	for b in '' -q; do
		# The last line of a check is its result.
		[ "$a$b" != 'ts-store -n' ] || continue
		# shellcheck disable=SC2086 # options
		is "$($a $b <line 2>&1 >out | grep -cE ': (start|end) ')" 0 "$a $b: no line of start or end"
	done
	# shellcheck disable=SC2086
	is "$($a -v <line 2>&1 >out | grep -cE ': (start|end) ')$(TS_SERVICE=1 $a <line 2>&1 >out | grep -cE ': (start|end) ')" 22 \
		"$a -v, and in a service: both"
done
# work [OPTION]: a host comes up and is told to stop; what it has said of that.
work() {
	ts-work "$@" 'cat >/dev/null' 2>work.log &
	# shellcheck disable=SC2016
	wait_for 10 eval '[ "$(redis client list | wc -l)" -ge 2 ]'
	kill -TERM $!
	wait $!
	grep -cE ': (start|end) ' work.log
}
is "$(work)$(work -v)$(work -q)" 020 "ts-work says it with -v alone, too"

# What no waiting mends is refused, not retried for half a minute and called a service that failed.
port=$(free_port)
pg_options=(-c listen_addresses=127.0.0.1 -c "port=$port")
export PGPORT=$port
pg_start || exit 1
DATABASE_URL="postgresql://postgres@127.0.0.1:$port/postgres?sslmode=require" ts-store </dev/null 2>err
is "$?/$(grep -c 'error: .*server does not support SSL' err)" 100/1 "sslmode=require against a server without TLS"
DATABASE_URL="postgresql://postgres@127.0.0.1:$port/postgres?sslmode=prefer" ts-store -q </dev/null 2>err
is $? 0 "which is well without it"
ts-expand -q AAPL | DATABASE_URL="postgresql://postgres@127.0.0.1:$port/nonsense" ts-audit >out 2>err
is "$?/$(grep -c 'error: .*nonsense' err)" 100/1 "a database name that is nonsense"
unset DATABASE_URL PGPORT

# A stage holds no secret but its own, not even where /proc shows what it was started with, and leaves none
# in a core file.
ulimit -c unlimited 2>/dev/null
secret='TS_SEEN=:secret-Z@ MASSIVE_API_KEY=k:secret-MASSIVE_API_KEY@ PGPASSWORD=:secret-PGPASSWORD@
	DATABASE_URL=postgres://u:secret-DATABASE_URL@127.0.0.1:1/d REDIS_URL=redis://:secret-REDIS_URL@127.0.0.1:1'
# holds WHAT COMMAND...: starts it, looks, and ends it. Z is no secret: with it, what is seen is the stage itself and not
# the shell from which it comes.
holds() {
	mkfifo idle
	# shellcheck disable=SC2086 # a list of words
	env $secret "${@:2}" <>idle >/dev/null 2>&1 &
	started+=($!)
	wait_for 5 eval "[ \"\$(tr '\0' '\n' </proc/$!/environ | sed -n 's/.*:secret-\([A-Z_]*\)@.*/\1/p' | sort | xargs)\" = '${1:+$1 }Z' ]"
	ok $? "$2 holds ${1:-no secret}${1:+ and no other secret}"
	like "$(grep 'core file' /proc/$!/limits)" ' 0 +0 ' "$2 leaves no core file"
	kill $!
	rm idle
}
holds '' ts-expand
holds 'MASSIVE_API_KEY REDIS_URL' ts-fetch
holds 'DATABASE_URL PGPASSWORD' ts-store -n
holds REDIS_URL ts-status
holds REDIS_URL ts-listen
holds REDIS_URL ts-share

done_testing
