#!/usr/bin/env bash
# Several hosts: ts-share hands tasks out, ts-work does them. A host is a ts-work here, with a command of its own.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

redis_start --appendonly yes --dir "$tmp" --loglevel warning || exit 1

# A command in place of ts-fetch | ts-store: each task is stored at once; what it was given stands in the
# file that SEEN names. One whose symbol is STICKS is held until the file `go` is there, POISON ends it.
cat >worker <<'END'
#!/usr/bin/env bash
stored() {
	local line=${1/\"task\"/\"stored\"}
	printf '%s\n' "${line%\}},\"bars\":1,\"inserted\":1,\"updated\":0,\"unchanged\":0,\"rejected\":0}"
}
while IFS= read -r line; do
	echo "$line" >>"$1"
	case $line in
	*'"type":"cancel"'*) ;;
	*'"STICKS'*) (until [ -e go ]; do sleep 0.02; done; stored "$line") & ;;
	*'"POISON"'*) exit 9 ;;
	*) stored "$line" ;;
	esac
done
wait
END
chmod +x worker

# job ID SYMBOL...: its header and a task for each.
job() {
	local id=$1 s
	shift
	echo "{\"type\":\"job\",\"job_id\":\"$id\",\"symbols\":$#,\"timeframes\":[\"day\"],\"tasks\":$#,\"received_at\":\"2025-12-16T17:00:30Z\"}"
	for s in "$@"; do
		echo "{\"type\":\"task\",\"job_id\":\"$id\",\"symbol\":\"$s\",\"timeframe\":\"day\",\"from\":\"2025-12-15\",\"to\":\"2025-12-16\"}"
	done
}
# host NAME [OPTION...]: starts one; its tasks are in NAME.tasks, its pid is in $!.
host() {
	start ts-work "${@:2}" "./worker $1.tasks" 2>>"$1.log"
}
given() {
	[ "$(grep -c '"task"' "$1.tasks" 2>/dev/null)" -ge "$2" ]
}
# head_of NAME: a head with the tasks of NAME.in; its verdicts are in NAME.out, its log in NAME.err, its pid in $head.
head_of() {
	ts-share <"$1.in" >"$1.out" 2>"$1.err" &
	head=$!
	started+=("$head")
}
verdicts() {
	grep -c '"type":"stored"\|"type":"failed"' "$1"
}
has_verdicts() {
	[ "$(verdicts "$1" 2>/dev/null)" -ge "$2" ]
}
no_keys() {
	[ -z "$(redis --raw keys 'tickstock.share*')" ]
}
stop() {
	kill -TERM "$1" 2>/dev/null
	wait "$1"
}
tasks_key() {
	redis --raw keys "tickstock.share:{*$1.*}:tasks"
}
in_hand() {
	[ "$(redis xpending "$(tasks_key "$1")" work | sed 1q)" = "$2" ]
}

bad_input ts-share
bad_output ts-share

# A command that nothing but death ends, and what it has started beside itself: looked at when all else is done.
# shellcheck disable=SC2016 # for the shell of the command
ts-work -j 1 'trap "" TERM; (trap "" TERM; echo $BASHPID >stubborn.pid; exec sleep 600) & while :; do sleep 1; done' 2>stubborn.err &
stubborn=$!
started+=("$stubborn")
wait_for 5 test -s stubborn.pid
kill -TERM $stubborn

# The whole way, by two hosts, each command with no more rights than its page asks for.
acl() {
	# shellcheck disable=SC2046 # words
	redis acl setuser "$1" reset on '>geheim' $(sed -n '/^ACL SETUSER/,/^\.Ed/p' "$top/doc/$1.1" | grep -v '^\.' |
		sed 's/^ACL SETUSER [^ ]* on >PASSWORD//')
}
is "$(acl ts-share)/$(acl ts-work)" OK/OK "the pages' access lists are taken"
as() {
	echo "unix://$1:geheim@$tmp/redis.sock"
}
anybody=$REDIS_URL
REDIS_URL=$(as ts-work)
host a
a=$!
host b
b=$!
job one $(seq -f S%g 40) >one.in
REDIS_URL=$(as ts-share)
ts-share <one.in >one.out 2>one.err
is $? 0 "a job that two hosts worked on: exit 0"
is "$(grep '"type":"stored"' one.out | jq -r .symbol | sort)" "$(seq -f S%g 40 | sort)" "one verdict for each task"
is "$(head -n 1 one.out)" "$(head -n 1 one.in)" "what is not a task is copied"
is "$(cat a.tasks b.tasks 2>/dev/null | jq -r .symbol | sort)" "$(seq -f S%g 40 | sort)" "no task was given to two hosts"
no_keys
ok $? "a job that is over leaves no key behind"
REDIS_URL=$anybody
redis sadd tickstock.share.jobs 1:ghost >/dev/null
wait_for 5 no_keys
ok $? "the name of one whose streams have expired is taken away by a host"
REDIS_URL=$(as ts-share)
ts-share -l >out 2>>one.err
is "$?/$(cat out)" "0/no job is shared" "-l without a job"
REDIS_URL=$anybody
unlike "$(cat one.err a.log b.log)" 'NOPERM|refuses|can.t run' "the access lists have all that is needed"
unlike "$(cat one.err)" 'append-only' "a server with an append-only file is not warned of"
stop $a
is $? 0 "a host that is told to stop: exit 0"
stop $b

# A head that dies goes on where it was: its verdicts are kept, and nothing is handed out twice.
job two A B C STICKS D >two.in
head_of two
host c
c=$!
wait_for 5 has_verdicts two.out 4
ok $? "four of five have their verdict"
verdicts_kept() {
	redis --raw xrange "$(redis --raw keys 'tickstock.share:{*two.*}:verdicts')" - +
}
is "$(verdicts_kept | grep -c '"stored"')/$(verdicts_kept | grep -c job_id)/$(grep '"A"' two.out | grep stored)" \
	'4/0/{"type":"stored","job_id":"two","symbol":"A","timeframe":"day","from":"2025-12-15","to":"2025-12-16","bars":1,"inserted":1,"updated":0,"unchanged":0,"rejected":0}' \
	"the server does not keep the job_id with each; out they come as they were"
kill -KILL $head
wait $head 2>/dev/null
rm -f two.out
# As ts-expand does with a spool, one that has its verdict is left out.
{ sed -n 1p two.in; sed -n '4,$p' two.in; } >again.in
: >go
ts-share <again.in >two.out 2>two.err
is "$?/$(verdicts two.out)" 0/5 "the head that comes after it is given every verdict"
is "$(jq -r 'select(.type == "task") | .symbol' c.tasks | sort | xargs)" "A B C D STICKS" "and no task was done twice"
no_keys
ok $? "nor is a key left behind"
rm go

# The same job once more, accepted at another time: what is left of the run before is not its own.
run() {
	job again A STICKS | sed "1s/}\$/,\"run\":\"$1\"}/"
}
before=$(wc -l <c.tasks)
mkfifo open
ts-share <open >two.out 2>two.err &
head=$!
exec 8>open
run 1 >&8
started+=("$head")
wait_for 5 has_verdicts two.out 1
kill -STOP $head
: >go
all_done() {
	[ "$(redis --raw xlen "$(tasks_key again)")" = 0 ]
}
wait_for 5 all_done
kill -KILL $head
wait $head 2>/dev/null
exec 8>&-
[ -n "$(tasks_key again)" ]
ok $? "a head that dies at the end of a job leaves its keys"
# behind N COMMAND...: what it writes, once the N verdicts of what went before are there.
behind() {
	wait_for 5 has_verdicts two.out "$1"
	"${@:2}"
}
run 2 | ts-share >two.out 2>two.err
is "$?/$(verdicts two.out)" 0/2 "a job that is accepted again after a crash at its end has its verdicts"
is "$(($(wc -l <c.tasks) - before))" 4 "and they are of its own run: each task was done in both"
rm two.out
{ run 3; behind 2 run 4; } | ts-share >two.out 2>two.err
is "$?/$(verdicts two.out)" 0/4 "nor is one that comes right behind the end of the last taken for that"
redis flushall >/dev/null
rm two.out
{ job plain A B; behind 2 job plain A B; } | ts-share >two.out 2>two.err
is "$?/$(verdicts two.out)" 0/4 "nor one without a run, while the same head lives"
rm go
{ job undone STICKS0; echo '{"type":"cancel","job_id":"undone"}'; job undone A B; } | ts-share >two.out 2>two.err
is "$?/$(verdicts two.out)/$(grep '"stored"' two.out | jq -r .symbol | xargs)" "0/2/A B" "nor one that comes right behind the cancel of the last"
no_keys
ok $? "all that leaves no key"

# A host that dies: others take over when the lease is over. One that was only stopped meets a shut gate.
stop $c
job three STICKS1 >three.in
head_of three
host d -l 1
d=$!
wait_for 5 given d 1
kill -STOP $d
host e -l 1
e=$!
wait_for 10 given e 1
ok $? "the tasks of a host that says nothing go to another"
: >go
wait_for 5 has_verdicts three.out 1
wait $head
is "$?/$(verdicts three.out)" 0/1 "whose verdict counts"
kill -CONT $d
wait_for 5 grep -q 'verdict was dropped\|cancelled job_id=three' d.log
ok $? "that of the one that wakes up is dropped"
no_keys
ok $? "and makes no key anew"
stop $d
rm go

# A clean stop gives tasks back at once, and that they were taken does not count.
stop $e
job 'es\u001b[2Jc' A >esc.in
head_of esc
listed() {
	ts-share -l >out && grep -q ' 1 tasks waiting' out
}
wait_for 5 listed
redis xgroup createconsumer "$(tasks_key Jc)" work $'\033h' >/dev/null
ts-share -l >out
is "$(sed 's/:.*//; s/  *0 in hand.*//' out | xargs -d '\n')" 'job es\x1b[2Jc     \x1bh' "-l: a terminal obeys no name of a job or a host"
kill -KILL $head
wait $head 2>/dev/null
redis --raw keys 'tickstock.share*' | while read -r key; do redis del "$key"; done >/dev/null
job four STICKS2 STICKS3 >four.in
head_of four
host f
f=$!
wait_for 5 given f 2
is "$(ts-share -l | grep -c 'in hand, idle')/$(ts-share -l | sed -n 's/^job four: //p')" \
	"1/0 tasks waiting, 2 in hand, 0 done" "-l shows the job and who works on it"
like "$(ts-share -l | sed -n 2p)" '^    [^ ]+:[0-9]+:[0-9]+ +2 in hand, idle [0-9]+ s, deliveries 1, seen [0-9]+ s ago$' "with what a host has in hand, for how long and how often"
kill -TERM $f
host g
g=$!
wait_for 10 given g 2
ok $? "tasks of a host that is told to stop are taken at once by another, long before the lease is over"
is "$(redis --raw xpending "$(tasks_key four)" work - + 10 | sed -n '4~4p' | xargs)" "1 1" "as if for the first time"
: >go
wait $head
is "$?/$(verdicts four.out)" 0/2 "each has one verdict"
wait $f
rm go

# Tasks that are on their way to a host which is told to stop meanwhile go back as well.
stop $g
job late A B >late.in
head_of late
waiting_are() {
	[ "$(redis xlen "$(tasks_key "$1")")" = "$2" ]
}
wait_for 5 waiting_are late 2
redis client pause 60000 write >/dev/null
host f
f=$!
asks() {
	redis client list | grep -q 'cmd=eval'
}
wait_for 5 asks
kill -TERM $f
redis client unpause >/dev/null
wait $f
is "$?/$(redis --raw xpending "$(tasks_key late)" work - + 10 | sed -n '4~4p' | xargs)" "0/0 0" "what a host is given after it was told to stop was not a try"
host g
g=$!
wait $head
is "$?/$(verdicts late.out)" 0/2 "and is another's at once"

# Cancel: the tasks are taken back from all hosts.
{ job five $(seq -f STICKS5%g 20); sleep 600 & echo $! >sleeper; wait; } | ts-share >five.out 2>five.err &
head=$!
started+=("$head")
host h -j 1
h=$!
wait_for 5 in_hand five 18
is "$?/$(grep -c five g.tasks)/$(grep -c five h.tasks)" 0/16/2 "a job is in the hands of two hosts"
kill "$(cat sleeper)" $head 2>/dev/null
wait $head 2>/dev/null
{ sed -n 1p four.in; echo '{"type":"cancel","job_id":"five"}'; } | ts-share >five.out 2>five.err
is "$(grep -c cancel five.out)" 1 "a cancel is passed on"
no_keys
ok $? "the job's keys are gone"
begun=$(date +%s%N)
wait_for 5 grep -q '"cancel"' g.tasks
wait_for 5 grep -q '"cancel"' h.tasks
[ $((($(date +%s%N) - begun) / 1000000)) -le $((1000 * patience)) ]
ok $? "and the commands of both are told within a second"
stop $g
stop $h

# Poison: exactly the task that ends its hosts is failed, and the innocent are not.
# A command that is set wrong: no task has a part in that.
job wrong A B >wrong.in
head_of wrong
wait_for 5 waiting_are wrong 2
for _ in 1 2 3 4 5; do
	timeout $((10 * patience)) ts-work '{ read -r _; exit 100; } | cat' 2>err
	echo $?
done >codes
is "$(xargs <codes)/$(redis --raw xpending "$(tasks_key wrong)" work - + 10 | sed -n '4~4p' | sort -u)" "100 100 100 100 100/0" \
	"a first stage that ends with 100: so does ts-work, and that its tasks were taken does not count"
like "$(cat err)" 'error: the command ended with 100' "and says so"
ts-work 'ts-fetch -r 5/m@ | cat' 2>err
like "$?/$(xargs -d '\n' <err)" '^100/.*ts-fetch: error: -r: .*the command ended with 100' "as with an option that ts-fetch does not take"
MASSIVE_API_KEY_FILE=$tmp/none ts-work 'ts-fetch | cat' 2>err
like "$?/$(xargs -d '\n' <err)" '^100/.*ts-fetch: error: .*/none.*the command ended with 100' "or without its key"
host r
r=$!
wait $head
is "$?/$(verdicts wrong.out)" 0/2 "a host that is set right does them"
stop $r
job six $(seq -f T%g 12) POISON $(seq -f U%g 12) >six.in
head_of six
for _ in 1 2 3 4 5; do
	host p
	p=$!
	wait_for 10 eval "ended $p || ended $head"
	ended $head && break
done
wait $head
is "$?/$(verdicts six.out)" 1/25 "a poison task: each task has its verdict, and the exit status shows a failure"
is "$(jq -r 'select(.type == "failed") | [.symbol, .stage, .error] | @tsv' six.out)" \
	"POISON	work	delivered 4 times, and each host that tried it before ended without a verdict" "exactly it is failed, by name"
stop "$p"
is "$(grep -c POISON p.tasks)" 3 "after three tries"
is "$(grep -o '"[TU][0-9]*"' p.tasks | sort | uniq -c | awk '$1 > 3' | wc -l)" 0 "the innocent were not condemned with it"

# Fairness: a job of one task behind one of many.
job seven A1 A2 $(seq -f STICKS%g 498) >seven.in
job eight Z >eight.in
head_of seven
seven=$head
host q
q=$!
wait_for 5 given q 18
wait_for 5 has_verdicts seven.out 2
timeout $((10 * patience)) ts-share <eight.in >eight.out 2>eight.err
is "$?/$(verdicts eight.out)/$(verdicts seven.out)" 0/1/2 "a job of one task behind one of 500 is done first"
is "$(grep -c STICKS q.tasks)" 16 "a host holds twice as many tasks as its command works on"

# Redis dies and comes back with its file: all goes on.
redis shutdown nosave
wait_for 5 ended "$redis_pid"
: >go
redis_start --appendonly yes --dir "$tmp" --loglevel warning
wait $seven
is "$?/$(verdicts seven.out)" 0/500 "Redis dies in the middle: one verdict for each task, those before that included"
is "$(jq -r 'select(.type == "stored") | .symbol' seven.out | sort -u | wc -l)" 500 "each of another task"
rm go

# A host that is without Redis for half of its lease lets go of what it has, and takes it again.
stop $q
job ten STICKS1 >ten.in
head_of ten
ten=$head
host t -l 2
t=$!
wait_for 5 given t 1
redis shutdown nosave
wait_for 5 grep -q '"cancel"' t.tasks
ok $? "without Redis for half of its lease a host lets go of what it has"
redis_start --appendonly yes --dir "$tmp" --loglevel warning
wait_for 10 given t 2
ok $? "and is given it again"
: >go
wait $ten
is "$?/$(verdicts ten.out)" 0/1 "it has one verdict"
stop $t
rm go
host q
q=$!

# Emptied, it is given again what is outstanding.
job nine STICKS1 STICKS2 >nine.in
head_of nine
nine=$head
wait_for 5 in_hand nine 2
redis flushall >/dev/null
wait_for 10 grep -q 'has lost 2 tasks' nine.err
ok $? "a server that was emptied is found out"
: >go
wait_for 10 has_verdicts nine.out 2 || kill $nine
wait $nine
is "$?/$(verdicts nine.out)" 0/2 "and given the tasks again"
stop $q
rm go

# The service of the head.
TS_SPOOL=$tmp/spool TS_SHARE=1 serve
publish '{"job_id":"served","source":"test","symbols":["AAPL","MSFT"],"timeframes":["day","week"],"years":0.02,"received_at":"2025-12-16T17:00:30Z"}'
shared_as() {
	[[ $(redis --raw smembers tickstock.share.jobs) =~ $1 ]]
}
wait_for 10 shared_as '^[0-9]{19}:served$'
ok $? "a job in the spool is shared under the moment of its acceptance"
host s
s=$!
wait_for 10 over served
is "$(hash served status)/$(hash served stored_tasks)/$(grep -c served s.tasks)" completed/4/4 "TS_SHARE=1: the tasks of the service are done by a host"
serve_end
is $? 0 "and it stops well"
like "$(tail -n 1 pipeline.log)" 'end ts-listen=(0|141) ts-expand=(0|141) ts-share=0 ts-status=0' "and tells the status of each stage"
stop $s

# A lease is renewed for as long as the command works on a task; looked at when some of them are over.
job held STICKS1 >held.in
head_of held
held=$head
host v -l 1
v=$!
wait_for 5 given v 1
host w -l 1
w=$!
# So is a task that somebody takes out of its stream.
job lost STICKS2 >lost.in
head_of lost
lost=$head
wait_for 5 in_hand lost 1
redis srem tickstock.share.jobs :lost >/dev/null
is "$(redis xack "$(tasks_key lost)" work 1-0)$(redis xdel "$(tasks_key lost)" 1-0)" 11 "an entry is taken out by hand"

# A rate that hosts share: their requests together are as far apart as those of one.
sim_start -N 2025-12-16T17:00:30Z -f <(printf 'RETRY day 429retry=4 =1\n') || exit 1
job rate $(seq -f R%g 6) | grep task >rate.in
ts-fetch -r 10/s@x <rate.in >/dev/null 2>rate1.err &
started+=($!)
ts-fetch -r 10/s@x <rate.in >/dev/null 2>rate2.err
wait $!
is "$?/$(wc -l <"$sim_log")" 0/12 "two hosts share a rate"
[ "$(sort -n "$sim_log" | awk 'NR == 1 {from = $1} END {print $1 - from}')" -ge 660 ]
ok $? "12 requests at 10/s take a second, whoever makes them"
paused() {
	[ "$(redis get tickstock.share.rate:x)" -gt "$(($(redis --raw time | sed 1q) + 1))000000" ]
}
job rate RETRY | grep task | ts-fetch -r 10/s@x >/dev/null 2>&1 &
retry=$!
wait_for 5 paused
ok $? "a 429 of one host is told to all"
job rate R1 | grep task | ts-fetch -r 10/s@x >/dev/null 2>&1
wait $retry
[ "$(awk '/RETRY/ && !at {at = $1} /R1\// {last = $1} END {print last - at}' "$sim_log")" -ge 1500 ]
ok $? "and another one pauses, too"
job rate R1 R2 | grep task | REDIS_URL=unix://$tmp/nobody ts-fetch -r 100/s@x >/dev/null 2>err
like "$?/$(xargs -d '\n' <err)" '^0/.*without Redis the rate is a sixteenth' "without Redis a host goes on at a sixteenth, and says so"
is "$(redis --raw xpending "$(tasks_key held)" work - + 1 | sed -n 4p)/$(grep -s held w.tasks)" 1/ "a lease is renewed while the command works"
wait_for 10 grep -q 'has lost 1 tasks' lost.err
ok $? "an entry that is gone without a verdict is found out"
: >go
wait $held
wait_for 10 has_verdicts lost.out 1 || kill $lost
wait $lost
is "$?/$(verdicts lost.out)" 0/1 "and handed out again under another number"
stop $v
stop $w
rm go
ts-fetch -r 5/m@ </dev/null 2>err
like "$?/$(sed 1q err)" '^100/.*50/s@NAME' "a rate without its name is refused"
sim_stop

# What cannot work is refused in words.
redis config set maxmemory-policy allkeys-lru >/dev/null
ts-share <eight.in >out 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*maxmemory-policy is allkeys-lru.*set it to noeviction' "a server that evicts is refused"
ts-work true 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*noeviction' "by a host as well"
redis config set maxmemory-policy noeviction >/dev/null
redis config set appendonly no >/dev/null
ts-share -l >out 2>err

like "$(cat err)" 'append-only file' "no append-only file is a warning"
ts-work cat </dev/null 2>err &
started+=($!)
w=$!
ts-share <eight.in >out 2>err &
started+=($!)
wait_for 5 in_hand eight 1
stop $!
is $? 143 "a head that is told to stop with work left: exit 143"
stop $w
redis flushall >/dev/null
ts-work 'exit 7' 2>err
like "$?/$(xargs -d "\n" <err)" '^111/.*the command ended with 7' "a command that ends: exit 111"
ts-work /nonexistent 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*the command ended with 127' "one that is not there: exit 100"
ts-work 'echo "{\"type\":\"fetched\",\"job_id\":\"j\"}"; cat >/dev/null' 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*ts-store must stand at its end' "one without ts-store: exit 100"
no_keys
ok $? "no key is left"


# What a job of 50,000 tasks takes, with identifiers and a range as the page makes them.
memory() {
	redis info memory | tr -d '\r' | sed -n 's/^used_memory://p'
}
id=3f2b8c1e-5d7a-4e60-9b1f-0c2d4e6f8a90
before=$(memory)
seq 50000 | sed "s/.*/{\"type\":\"task\",\"job_id\":\"$id\",\"symbol\":\"S&\",\"timeframe\":\"hour\",\"from\":\"2024-12-16T09:00:00Z\",\"to\":\"2025-12-16T17:00:00Z\"}/" >large.in
{ cat large.in; sleep 600 & echo $! >sleeper; wait; } | ts-share >/dev/null 2>err &
head=$!
started+=("$head")
wait_for 20 waiting_are $id 50000
took=$(($(memory) - before))
[ $took -lt 20000000 ]
ok $? "a job of 50,000 tasks takes $took bytes of Redis, less than 20 MB"
kill "$(cat sleeper)" $head 2>/dev/null
wait $head
redis flushall >/dev/null

# A cluster: one node that has all slots will do; where the keys of a job and the list of jobs are apart, it will not.
answer='sed -u "s/\"task\"/\"stored\"/; s/}\$/,\"bars\":1}/"'
node() {
	mkdir "node$1"
	for _ in {1..5}; do
		node_port=$(free_port)
		redis-server --port "$node_port" --bind 127.0.0.1 --cluster-enabled yes --save '' --appendonly yes --dir "$tmp/node$1" >"node$1.log" 2>&1 &
		started+=($!)
		wait_for 5 grep -Eq 'Ready to accept|in use' "node$1.log"
		grep -q 'Ready to accept' "node$1.log" && break
	done
}
of_node() {
	redis-cli --raw -p "$@"
}
node 1
one=$node_port
of_node "$one" cluster addslots $(seq 0 16383) >/dev/null
cluster_ok() {
	of_node "$1" cluster info | grep -q 'cluster_state:ok'
}
wait_for 10 cluster_ok "$one"
export REDIS_URL=redis://127.0.0.1:$one
ts-work "$answer" 2>w.log &
w=$!
started+=("$w")
ts-share <eight.in >out 2>err
is "$?/$(verdicts out)" 0/1 "a cluster of one node that has all slots will do"
stop $w
node 2
two=$node_port
of_node "$one" cluster meet 127.0.0.1 "$two" >/dev/null
both_known() {
	[ "$(of_node "$1" cluster nodes | grep -c connected)" -eq 2 ] && ! of_node "$1" cluster nodes | grep -q handshake
}
wait_for 10 both_known "$one"
wait_for 10 both_known "$two"
slot=$(of_node "$one" cluster keyslot tickstock.share.jobs)
id=$(of_node "$two" cluster myid)
is "$(of_node "$two" cluster setslot "$slot" node "$id")$(of_node "$one" cluster setslot "$slot" node "$id")" OKOK "a cluster of two nodes"
ts-share <eight.in >out 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*one of a cluster and other keys are elsewhere: what works is' "is refused in words by the head"
ts-work "$answer" 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*one of a cluster and other keys are elsewhere: what works is' "and by a host"

# A Redis of old, and one of which nothing can be learnt but that it has no streams.
# shellcheck disable=SC2016 # for perl
old() {
	old_port=$(free_port)
	start perl -MIO::Socket::INET -e 'my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], ReuseAddr => 1) or die;
		my $info = "redis_version:5.0.14\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";
		while (my $c = $l->accept) { while (<$c>) {
			if (/^PING/) { print $c "+PONG\r\n" }
			elsif (/^INFO/) { print $c $ARGV[1] ? "-NOPERM no\r\n" : sprintf "\$%d\r\n%s\r\n", length $info, $info }
			elsif (/^(XGROUP|SMEMBERS|SADD|XINFO|EVAL)/) { print $c "-ERR unknown command `$1`\r\n" }
		} }' "$old_port" "$1"
	wait_for 5 eval "(exec 3<>/dev/tcp/127.0.0.1/$old_port)"
	export REDIS_URL=redis://127.0.0.1:$old_port
}
old 0
ts-share <eight.in >out 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*no streams as they are needed: 6.2 or newer is' "Redis 5 is refused in words by the head"
ts-work "$answer" 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*no streams as they are needed: 6.2 or newer is' "and by a host"
old 1
ts-share <eight.in >out 2>err
like "$?/$(xargs -d "\n" <err)" '^100/.*no streams: 6.2 or newer is needed' "one that does not know what it is asked, too"
export REDIS_URL=$anybody

# A host as a service.
if command -v runsv >/dev/null && command -v chpst >/dev/null; then
	(unset MAKEFLAGS MFLAGS MAKELEVEL && make -s -C "$top" B="${build%/valgrind}" PREFIX="$tmp/usr" SVDIR="$tmp/sv" install install-runit >install.log 2>&1)
	ok $? "make install-runit"
	sv=$tmp/sv/ts-work
	mkdir log
	sed -i "s|^logs=.*|logs=$tmp/log|; s|^user=.*|user=$(id -un)|; s|^loguser=.*|loguser=$(id -un)|; s|^patience=.*|patience=1|; s|^flags=.*|flags='-j 2'|" "$sv/conf"
	! grep -q __asan_init "$build/ts-work" || sed -i 's| -d [0-9]*||' "$sv/conf"
	setting() {
		printf '%s\n' "$2" >"$sv/env/$1"
	}
	is "$(cat "$sv/env/TS_WORK")" "ts-fetch | ts-store" "its command is that of the page, unless set"
	setting REDIS_URL "$REDIS_URL"
	setting TS_WORK "$answer"
	start runsv "$sv"
	ts-share <eight.in >out 2>err
	is "$?/$(verdicts out)" 0/1 "a host as a service does tasks"
	told() {
		cat log/@* log/current 2>/dev/null | grep -q -- "$1"
	}
	wait_for 5 told 'ts-work: start .*parallel=2'
	ok $? "with the options of conf, and a log"
	before=$(cat "$sv/supervise/pid")
	kill -KILL "$before"
	again() {
		local pid
		pid=$(cat "$sv/supervise/pid")
		[ -n "$pid" ] && [ "$pid" != "$before" ]
	}
	wait_for 10 again
	ts-share <eight.in >out 2>err
	is "$?/$(verdicts out)" 0/1 "killed, it is started again"
	sv -w 20 down "$sv" >/dev/null
	told 'ts-work: end '
	ok $? "sv down stops it as SIGTERM does"
	setting TS_WORK 'exit 100'
	sv up "$sv" >/dev/null
	wait_for 10 told 'exit 100: .*it stays down'
	is "$?/$(cat "$sv/reason")" "0/exit 100: wrong usage, configuration or schema" "a command that is set wrong: it stays down, and says why"
	# An up is not passed on while it is still wanted up.
	is_down() {
		local status
		status=$(sv status "$sv")
		[[ $status == down:* && $status != *want* ]]
	}
	wait_for 10 is_down
	rm "$sv/env/TS_WORK" "$sv/reason"
	sv up "$sv" >/dev/null
	wait_for 10 told 'env/TS_WORK is missing'
	ok $? "without a command, too"
	sv -w 20 exit "$sv" >/dev/null
else
	skip "runit is not installed"
fi

wait_for 20 ended $stubborn
wait $stubborn
is "$(grep -o 'told again\|killed' stubborn.err | xargs)" "told again killed" "a command that does not end is told again, and killed"
wait_for 5 ended "$(cat stubborn.pid)"
ok $? "with all that it has started"
done_testing
