#!/usr/bin/env bash
# ts-listen: what a message becomes, what is dropped, and that no fault of Redis, of the reader or of a
# signal finds it asleep.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The lines of start and end are told, as in a service.
export TS_SERVICE=1

jobs=tickstock.jobs.data_load
control=tickstock.jobs.control
secret='s3cr3t/w:rd'

# listen [OPTION...]: ts-listen in the background, its output in out, its log in err; sets pid.
# shellcheck disable=SC2120
listen() {
	: >err
	ts-listen "$@" >out 2>err &
	pid=$!
	started+=("$pid")
	wait_for 5 grep -q 'listening on' err
}
# stop: sets code and how long it took, in ms.
stop() {
	local begun
	begun=$(date +%s%N)
	kill -TERM "$pid"
	wait_for 5 ended "$pid" || kill -KILL "$pid"
	wait "$pid"
	code=$?
	ms=$((($(date +%s%N) - begun) / 1000000))
}
# say CHANNEL TEXT
say() {
	redis publish "$1" "$2" >/dev/null
}
count_log() {
	grep -c -- "$1" err
}

ts-listen operand >out 2>err
is "$?/$(wc -l <err)" 100/2 "an operand is exit 100, one line and the usage"
ts-listen -c a -k a >out 2>err
is $? 100 "one name for both channels is refused"
ts-listen -x '' >out 2>err
is $? 100 "a stream without a name is refused"

redis_start --loglevel warning || exit 1

# A server that stops answering, without a word: found out while the other tests run.
redis-server --port 0 --unixsocket "$tmp/half.sock" --save '' >half.redis 2>&1 &
half_redis=$!
started+=("$half_redis")
wait_for 5 redis-cli -s "$tmp/half.sock" ping
ts-listen -u "unix://$tmp/half.sock" >half.out 2>half.err &
half=$!
started+=("$half")
wait_for 5 grep -q 'listening on' half.err
kill -STOP "$half_redis"

# Jobs.
listen
say "$jobs" '{"job_id":"a", "symbols":["A\u00e9\n"] ,
	"years":1.50}
'
wait_for 2 lines_are 1
like "$(cat out)" '^\{"job_id":"a", "symbols":\["A\\u00e9\\n"\] ,  "years":1.50,"received_at":"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z"\}$' \
	"a job becomes one line, as it was, with received_at as its last member"
at=$(date -u -d "$(jq -r .received_at out)" +%s)
[ $(($(date +%s) - at)) -le $((2 * patience)) ]
ok $? "received_at is now, in UTC"
say "$jobs" '{"received_at":"2025-12-23T17:15:13Z","job_id":"b","symbols":[]}'
say "$jobs" '{"job_id":"c","csv_file":"dow.csv"}'
wait_for 2 lines_are 3
is "$(sed -n 2p out)" '{"received_at":"2025-12-23T17:15:13Z","job_id":"b","symbols":[]}' \
	"a job that has a received_at keeps it"
is "$(sed -n 3p out | jq -r .csv_file)" dow.csv "a job without symbols is passed on"
redis eval 'for i = 1, 100 do redis.call("publish", KEYS[1], "{\"job_id\":\"n" .. i .. "\",\"symbols\":[]}") end' \
	1 "$jobs" >/dev/null
wait_for 2 lines_are 103
is "$(tail -n 100 out | jq -r .job_id | tr '\n' ' ')" "$(printf 'n%d ' {1..100})" \
	"a hundred messages at once come in order"
long=$(head -c 300 /dev/zero | tr '\0' i)
say "$jobs" "{\"job_id\":\"$long\",\"symbols\":[]}"
wait_for 2 lines_are 104
is "$(tail -n 1 out | jq -r .job_id)" "$long" "a job_id of 300 bytes is passed on"

# Control.
say "$control" '{"action":"cancel","job_id":"a\"b","by":"admin"}'
wait_for 2 lines_are 105
is "$(tail -n 1 out)" '{"type":"cancel","job_id":"a\"b"}' "a cancel becomes a record"

# What is dropped, each with one line of log; then what is ignored, with none.
before=$(wc -l <err)
say "$jobs" 'not json'
say "$jobs" '["job_id"]'
say "$jobs" '{"job_id":"a","symbols":[],"job_id":"b"}'
say "$jobs" '{"symbols":["A"]}'
say "$jobs" '{"job_id":7,"symbols":["A"]}'
say "$jobs" '{"job_id":"","symbols":["A"]}'
say "$jobs" "{\"job_id\":\"${long}x\",\"symbols\":[]}"
say "$jobs" '{"job_id":"nul\u0000","symbols":[]}'
say "$jobs" '{"type":"stored","job_id":"a","symbols":[]}'
say "$jobs" '{"job_id":"a","symbol":"A","timeframe":"day","open":1}'
printf '{"job_id":"nul \0","symbols":[]}' | redis -x publish "$jobs" >/dev/null
printf '{"job_id":"utf \xff","symbols":[]}' | redis -x publish "$jobs" >/dev/null
{ printf '{"job_id":"big","x":"'; head -c 2097152 /dev/zero | tr '\0' x; printf '"}'; } |
	redis -x publish "$jobs" >/dev/null
say "$control" '{"job_id":"a","action":"pause"}'
say "$control" '{"action":"cancel"}'
say "$control" 'cancel'
say "$control" '{"hello":"world"}'
say "$jobs" '{"event_type":"job_progress","job_id":"a","symbols":[]}'
say "$jobs" '{"hello":"world"}'
say "$control" '{"event_type":"x"}'
say "$jobs" '{"job_id":"last","symbols":[]}'
wait_for 2 lines_are 106
is "$(tail -n 1 out | jq -r .job_id)" last "what cannot be used is dropped, and what follows is not"
is "$(($(wc -l <err) - before))" 17 "each message dropped is one line of log; those of others are none"
is "$(count_log 'warning: job dropped: ')" 13 "dropped jobs are named so"
is "$(count_log 'control message dropped: ')" 4 "dropped control messages are named so"
like "$(cat err)" 'over 1 MiB' "a message over 1 MiB is dropped"
like "$(cat err)" 'job_id is over 300 bytes' "a long job_id is dropped"
like "$(cat err)" 'stands twice' "a duplicate key is named"
is "$(awk 'length >= 1000' err)" "" "no line of log has 1000 bytes"
# The largest message that still makes a line of 1 MiB, and one byte more.
room=$((1048576 - 59))
for n in $room $((room + 1)); do
	{ printf '{"job_id":"%s","x":"' "$((n - room))"; head -c "$n" /dev/zero | tr '\0' x; printf '"}'; } |
		redis -x publish "$jobs" >/dev/null
done
say "$jobs" '{"job_id":"end","symbols":[]}'
wait_for 2 lines_are 108
is "$(tail -n 2 out | cut -c 1-14 | tr '\n' ' ')/$(tail -n 2 out | head -n 1 | wc -c)" \
	'{"job_id":"0", {"job_id":"end /1048576' "a line has 1 MiB at most"

# Redis comes and goes.
redis shutdown nosave 2>/dev/null
wait_for 5 logged 'lost Redis'
sleep 1.2
is "$(count_log 'lost Redis')" 1 "that Redis is gone is logged once"
redis_start --loglevel warning
wait_for 6 lines_are 109
like "$(tail -n 1 out)" '^\{"type":"gap","from":"[0-9T:-]{19}Z","to":"[0-9T:-]{19}Z"\}$' \
	"the gap is told with start and end"
from=$(date -d "$(tail -n 1 out | jq -r .from)" +%s)
to=$(date -d "$(tail -n 1 out | jq -r .to)" +%s)
[ $((to - from)) -ge 1 ] && [ $((to - from)) -le $((12 * patience)) ]
ok $? "and spans the time when nobody listened"
is "$(count_log 'listening on')/$(count_log 'warning: gap from=')" 2/1 "both ends are logged"
say "$jobs" '{"job_id":"after","symbols":[]}'
wait_for 2 lines_are 110
is "$(tail -n 1 out | jq -r .job_id)" after "it listens again"
# A publisher that has gone mad. The minute may change once in the middle of it.
before=$(count_log 'message dropped: ')
yes "publish $control x" | head -n 300 | redis >/dev/null
say "$jobs" '{"job_id":"calm","symbols":[]}'
wait_for 5 lines_are 111
told=$(($(count_log 'message dropped: ') - before))
[ $told -ge 80 ] && [ $told -le 200 ] && logged 'warning: more than 100 messages dropped'
ok $? "of many messages that cannot be used a hundred a minute are told, $told here"

# Told to stop while idle.
stop
is $code 0 "SIGTERM while idle: exit 0"
[ $ms -lt $((1000 * patience)) ]
ok $? "within a second"
like "$(tail -n 1 err)" 'end resumed=0 jobs=109 cancels=1 ignored=3 dropped=318 gaps=1' "the counts are told at the end"

# Other channels.
: >err
# A shell's background job ignores SIGINT, and so would the stage.
env --default-signal=INT ts-listen -c my.jobs -k my.control >out 2>err &
pid=$!
started+=("$pid")
wait_for 5 logged 'listening on'
say my.jobs '{"job_id":"mine","symbols":[]}'
say "$jobs" '{"job_id":"other","symbols":[]}'
say my.control '{"job_id":"mine","action":"cancel"}'
wait_for 2 lines_are 2
is "$(jq -r .job_id out | tr '\n' ' ')" "mine mine " "-c and -k name the channels"
say my.jobs '{"job_id":"one","symbols":[]}'
say my.jobs '{"job_id":"two","symbols":[]}'
wait_for 2 lines_are 4
say my.control '{"command":"cancel_all"}'
wait_for 2 lines_are 6
is "$(tail -n 2 out | tr -d '\n')" '{"type":"cancel","job_id":"one"}{"type":"cancel","job_id":"two"}' \
	"cancel_all is one cancel for each job that was not cancelled"
like "$(cat err)" "start version=[^ ]+ redis=unix://$tmp/redis.sock channel=my.jobs control=my.control" \
	"the start line has the settings"
kill -INT "$pid"
wait_for 2 ended "$pid"
wait "$pid"
is $? 0 "SIGINT is taken like SIGTERM"

# A clock that was ahead has left a stamp that is yet to come.
listen -s "$tmp/ahead"
stop
touch -d '1 hour' "$tmp/ahead/.listening"
listen -s "$tmp/ahead"
wait_for 5 lines_are 1
like "$(cat out)" '^\{"type":"gap","to":"20[0-9T:-]*Z"\}$' "a stamp from the future: a gap without a beginning, and none that ends before it starts"
like "$(cat err)" 'warning: gap from=\? to=20' "which is told"
stop

# Nobody there at first.
: >err
ts-listen -u "unix://$tmp/later.sock" >out 2>err &
pid=$!
wait_for 2 logged 'cannot connect'
sleep 0.5
is "$(count_log 'cannot connect')" 1 "that there is no Redis yet is logged once"
redis-server --port 0 --unixsocket "$tmp/later.sock" --save '' >later.redis 2>&1 &
started+=($!)
wait_for 5 logged 'listening on'
like "$(cat out)" '"type":"gap"' "that nobody listened since the start is a gap, too"
stop
: >err
ts-listen -u redis://127.0.0.1:1 >out 2>err &
pid=$!
wait_for 2 logged 'cannot connect'
stop
[ "$code/$((ms < 1000 * patience))" = 0/1 ]
ok $? "SIGTERM while it waits to connect: exit 0 within a second"
: >err
ts-listen -u redis://no-such-host.invalid >out 2>err &
pid=$!
wait_for 1 logged 'start version'
stop
[ "$code/$((ms < 1000 * patience))" = 0/1 ]
ok $? "SIGTERM while it looks up a name: exit 0 within a second"

# The output.
say_until() {
	say "$jobs" '{"job_id":"x","symbols":[]}'
	ended "$pid"
}
: >err
ts-listen >/dev/full 2>err &
pid=$!
wait_for 5 logged 'listening on'
wait_for 2 say_until
wait "$pid"
is $? 111 "a full disk is exit 111"
like "$(cat err)" 'No space left' "a full disk is named"
: >err
ts-listen >&- 2>err &
pid=$!
wait_for 5 logged 'listening on'
wait_for 2 say_until
wait "$pid"
is $? 111 "a closed stdout is exit 111"
mkfifo pipe
: >err
{ ts-listen >pipe 2>err; echo $? >code; } &
exec {fd}<pipe
wait_for 5 logged 'listening on'
exec {fd}<&-
wait_for 1 test -s code
is "$(cat code)" 141 "the reader goes away while it is idle: 141 within a second"
# A reader that takes nothing: the pipe fills up, and then comes the signal.
: >err
ts-listen >pipe 2>err &
pid=$!
exec {fd}<pipe
wait_for 5 logged 'listening on'
for _ in 1 2 3; do
	{ printf '{"job_id":"big","symbols":["'; head -c 500000 /dev/zero | tr '\0' x; printf '"]}'; } |
		redis -x publish "$jobs" >/dev/null
done
sleep 0.2
stop
[ "$code/$((ms < 1500 * patience))" = 143/1 ]
ok $? "SIGTERM while stdout is blocked: ended within a second"
like "$(cat err)" 'output is incomplete' "and what was not written is told"
exec {fd}<&-
rm pipe

# Jobs of a stream wait there while nobody listens.
stream=tickstock.jobs.stream
# add JOB_ID...: jobs, one an entry.
add() {
	local id
	for id; do redis xadd $stream '*' job "{\"job_id\":\"$id\",\"symbols\":[\"A\"]}" >/dev/null; done
}
pending_is() {
	[ "$(redis --raw xpending $stream listen | sed 1q)" = "$1" ]
}
listens_again() {
	[ "$(count_log 'listening on')" -eq 2 ]
}
ids() {
	jq -r '.job_id // .type' out | xargs
}
add x1 x2
listen -s "$tmp/x" -x $stream
wait_for 5 lines_are 2
is "$(ids)" "x1 x2" "jobs that were added to the stream while nobody listened are taken, in order"
add x3
wait_for 5 lines_are 3
say "$jobs" '{"job_id":"y","symbols":[]}'
wait_for 5 lines_are 4
is "$(ids)" "x1 x2 x3 y" "so are those that are added later, and those of the channel"
like "$(sed -n 3p out)" '^\{"job_id":"x3","symbols":\["A"\],"received_at":"20.*Z"\}$' "one of the stream is written as one of the channel"
wait_for 5 pending_is 0
is "$?/$(find x -name '*.job' | wc -l)" 0/4 "what the spool keeps is acknowledged"
add x3
redis xadd $stream '*' job 'not json' >/dev/null
redis xadd $stream '*' other x >/dev/null
add x4
wait_for 5 lines_are 5
wait_for 5 pending_is 0
is "$?/$(ids)/$(count_log 'job with this id is in progress')/$(count_log 'job dropped: ')/$(count_log 'dropped: it has no field job')" \
	"0/x1 x2 x3 y x4/1/2/1" "what cannot be used is dropped by name, and acknowledged"
redis del $stream >/dev/null
add x5
wait_for 5 lines_are 6
is "$?/$(tail -n 1 out | jq -r .job_id)" 0/x5 "a stream that was removed is made anew"
redis shutdown nosave 2>/dev/null
wait_for 5 logged 'what is added to the stream waits there, trying again'
redis_start --loglevel warning
wait_for 10 listens_again
add x6
wait_for 5 grep -q x6 out
ok $? "Redis comes back: what is added then is taken"
rm -r x
add x7
wait_for 5 grep -q x7 out
wait_for 5 logged 'job_id=x7 goes on, but would not survive'
is "$?/$(pending_is 1; echo $?)" 0/0 "a job that cannot be kept is not acknowledged"
stop
is $code 0 "it is told to stop while it waits for entries: exit 0"
listen -s "$tmp/x" -x $stream
wait_for 5 lines_are 1
wait_for 5 pending_is 0
is "$?/$(ids)" 0/x7 "and is delivered again at the next start"
stop
# Killed: what was not kept comes again, what was kept comes from the spool alone.
# killed POINT: dies there, with a spool that is empty at first.
killed() {
	TS_STOP=$1 start "$build/stop/obj/ts-listen" -s "$tmp/x" -x $stream >killed.out 2>>err
	wait_for 10 ended $!
}
rm -r x
add x8
killed before-rename:1
pending_is 1
is "$?/$(find x -name '*.job' | wc -l)/$(grep -c x8 killed.out)" 0/0/0 "killed between the read and the keeping: it is pending"
killed listen-kept:1
pending_is 1
is "$?/$(find x -name '*.job' | wc -l)/$(grep -c x8 killed.out)" 0/1/0 "the next life is given it, keeps it, and is killed"
listen -s "$tmp/x" -x $stream
wait_for 5 pending_is 0
add x9
wait_for 5 grep -q x9 out
is "$(ids | sed 's/gap //')" "x8 x9" "and the one after that does it once"
stop
listen -x $stream
add x10
wait_for 5 lines_are 1
wait_for 5 pending_is 0
ok $? "without a spool a job is acknowledged when it is written"
stop
redis del $stream >/dev/null
redis set $stream text >/dev/null
ts-listen -x $stream >out 2>err
like "$?/$(xargs -d '\n' <err)" '^100/.*Redis refuses: WRONGTYPE' "a key that is not a stream is refused"
redis del $stream >/dev/null

# Passwords.
for _ in {1..20}; do
	port=$(free_port)
	printf 'port %d\nbind 127.0.0.1\nsave ""\nrequirepass %s\nuser ann on >%s ~* &* +@all\n' "$port" "$secret" \
		"$secret" | redis-server - >tcp.redis 2>&1 &
	tcp=$!
	started+=("$tcp")
	wait_for 5 grep -q 'Ready to accept' tcp.redis && break
done
escaped=$(printf %s "$secret" | sed 's,/,%2F,; s,:,%3A,')
REDIS_URL=redis://:$escaped@127.0.0.1:$port/2 listen
ok $? "a password from REDIS_URL is taken, percent escapes decoded"
unlike "$(tr '\0' ' ' <"/proc/$pid/cmdline")" 's3cr3t' "it stands in no argument"
REDISCLI_AUTH=$secret redis-cli -p "$port" publish "$jobs" '{"job_id":"tcp","symbols":[]}' >/dev/null
wait_for 2 lines_are 1
is "$(jq -r .job_id out)" tcp "TCP, a password and a database work"
cat err >all.err
stop
REDIS_URL=redis://ann:$escaped@localhost:$port listen
ok $? "so do a user and a host name"
cat err >>all.err
stop
for url in "redis://:wrong$escaped@127.0.0.1:$port" "redis://127.0.0.1:$port" "redis://ann:x$escaped@127.0.0.1:$port"; do
	REDIS_URL=$url timeout $((5 * patience)) ts-listen >out 2>err
	is "$?" 100 "a wrong password is exit 100: $(tail -n 2 err | head -n 1 | cut -c 1-60)"
	cat err >>all.err
done
REDIS_URL=redis://:$escaped@127.0.0.1:$port/99 timeout $((5 * patience)) ts-listen >out 2>err
is $? 100 "a database that does not exist is exit 100"
cat err >>all.err
for url in "redis://:$escaped@127.0.0.1" "redis://u:$escaped@[::1" "http://:$escaped@h"; do
	ts-listen -u "$url" >out 2>err
	is "$?/$(wc -l <err)" 100/2 "exit 100 for -u $(cut -d: -f1 <<<"$url")://...: $(head -n 1 err | cut -c 12-70)"
	cat err >>all.err
done
ts-listen -u "redis://:$escaped@127.0.0.1:$port" >out 2>err
like "$(cat err)" 'put it in REDIS_URL' "a password in -u is refused with advice"
REDIS_URL=redis://:%zz$escaped@h ts-listen >out 2>err
is $? 100 "a bad REDIS_URL is exit 100"
cat err >>all.err
unlike "$(cat all.err)" 's3cr3t' "no log has a password"

# The server that stopped answering at the start of all this. What is published to it meanwhile waits in
# its socket; to a connection that was closed it would not be delivered.
wait_for 12 grep -q 'warning: Redis does not answer' half.err
ok $? "a server that hangs is found out"
timeout 20 redis-cli -s "$tmp/half.sock" publish "$jobs" '{"job_id":"hang","symbols":[]}' >half.heard &
publisher=$!
sleep 0.5
kill -CONT "$half_redis"
wait_for 6 grep -q 'Redis answers again on the same' half.err
ok $? "and that it is awake again"
wait $publisher
wait_for 2 lines_are 1 half.out
is "$(jq -r .job_id half.out)/$(cat half.heard)" hang/1 "what was published meanwhile is heard, once, and there is no gap"
is "$(grep -c 'does not answer' half.err)/$(grep -c 'answers again' half.err)/$(grep -c 'lost Redis' half.err)" 1/1/0 \
	"each is told once"
redis-cli -s "$tmp/half.sock" publish "$jobs" '{"job_id":"after","symbols":[]}' >/dev/null
wait_for 2 lines_are 2 half.out
is "$(tail -n 1 half.out | jq -r .job_id)" after "it goes on listening"
kill "$half"
done_testing
