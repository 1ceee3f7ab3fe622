#!/usr/bin/env bash
# Redis as people run it: TLS, access lists, sentinels, a server that hangs up on a slow reader.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

jobs=tickstock.jobs.data_load
# server NAME ARGUMENT...: a Redis of its own, its log in NAME.log; sets server_pid and server_port. PORT
# stands for a port that was free; where it is taken a moment later, another.
server() {
	local name=$1
	shift
	mkdir -p "$name.d"
	for _ in {1..5}; do
		server_port=$(free_port)
		redis-server --save '' --bind 127.0.0.1 --dir "$tmp/$name.d" "${@/#PORT/$server_port}" >"$name.log" 2>&1 &
		server_pid=$!
		started+=("$server_pid")
		wait_for 5 grep -Eq 'Ready to accept|Address already in use' "$name.log"
		grep -q 'Ready to accept' "$name.log" && break
	done
}
# listen: ts-listen in the background, its output in out, its log in err; sets pid.
listen() {
	: >err
	ts-listen "$@" >out 2>err &
	pid=$!
	started+=("$pid")
}
end() {
	kill -TERM "$pid"
	wait "$pid"
}
# job ID STORED: a job of three tasks, of which so many are stored.
job() {
	echo "{\"type\":\"job\",\"job_id\":\"$1\",\"symbols\":3,\"tasks\":3,\"received_at\":\"2025-12-23T17:15:13Z\"}"
	verdicts "$1" 1 "$2"
}
verdicts() {
	local i
	for ((i = $2; i <= $3; i++)); do
		echo "{\"type\":\"stored\",\"job_id\":\"$1\",\"symbol\":\"S$i\",\"timeframe\":\"day\",\"from\":\"f\",\"to\":\"t\",\"bars\":1}"
	done
}

# ---- A subscriber that Redis hangs up on because it reads too slowly.
server slow --port PORT --client-output-buffer-limit 'pubsub 256kb 128kb 1'
slow=$server_port
mkfifo slow.fifo
REDIS_URL=redis://127.0.0.1:$slow ts-listen >slow.fifo 2>slow.err &
slow_pid=$!
started+=("$slow_pid")
exec {slow_in}<slow.fifo
wait_for 5 grep -q 'listening on' slow.err
# flood FIRST LAST: so many jobs at once.
flood() {
	redis-cli -p "$slow" eval 'local x = string.rep("x", 80000)
		for i = ARGV[1], ARGV[2] do
			redis.call("publish", KEYS[1], "{\"job_id\":\"" .. i .. "\",\"symbols\":[\"" .. x .. "\"]}")
		end' 1 $jobs "$1" "$2" >/dev/null
}
# Those that fill the pipe, and that are more than Redis keeps for one who does not read.
flood 1 3
blocked() {
	[[ $(cat "/proc/$slow_pid/wchan") =~ pipe ]]
}
within 1 blocked || sleep 1
begun=$(date +%s)
flood 4 300
wait_for 10 grep -q 'scheduled to be closed ASAP for overcoming of output buffer limits' slow.log
ok $? "Redis hangs up on a subscriber that does not read"

# ---- TLS, while that one is not read.
# cert NAME SUBJECT: NAME.pem and NAME.key, signed by ca.
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca >/dev/null 2>&1
cert() {
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" >/dev/null 2>&1
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" \
		-extfile <(echo "subjectAltName=$2") >/dev/null 2>&1
}
cert here IP:127.0.0.1
cert client DNS:client
server tls --port 0 --tls-port PORT --tls-auth-clients no --tls-cert-file "$tmp/here.pem" \
	--tls-key-file "$tmp/here.key" --tls-ca-cert-file "$tmp/ca.pem"
tls=$server_port
over_tls() {
	redis-cli --raw -p "$tls" --tls --cacert "$tmp/ca.pem" --cert "$tmp/client.pem" --key "$tmp/client.key" "$@"
}
export REDIS_CA_FILE=$tmp/ca.pem
REDIS_URL=rediss://127.0.0.1:$tls listen
wait_for 5 logged 'listening on'
ok $? "rediss:// is listened to"
over_tls publish $jobs '{"job_id":"small","symbols":[]}' >/dev/null
{ printf '{"job_id":"large","symbols":["'; head -c 900000 /dev/zero | tr '\0' x; printf '"]}'; } |
	over_tls -x publish $jobs >/dev/null
wait_for 5 grep -q '"large"' out
is "$(jq -r 'select(.job_id) | "\(.job_id) \(.symbols[0] | length)"' out | xargs)" "small 0 large 900000" "messages of any size come through TLS"
end
is $? 0 "told to stop, it ends"
{ job tls 3; } | REDIS_URL=rediss://127.0.0.1:$tls ts-status -q >out 2>err
is "$?/$(over_tls hget tickstock.jobs.status:tls status)" 0/completed "a hash is written through TLS"
# Tasks that are shared, done by a command that has their verdict at once, or when the file `go` is there.
task() {
	echo "{\"type\":\"task\",\"job_id\":\"$1\",\"symbol\":\"$2\",\"timeframe\":\"day\",\"from\":\"2025-12-15\",\"to\":\"2025-12-16\"}"
}
# shellcheck disable=SC2016 # for the command's shell
answer='while read -r l; do l=${l/\"task\"/\"stored\"}; until [ -e go ]; do sleep 0.05; done; echo "${l%\}},\"bars\":1}"; done'
: >go
export REDIS_URL=rediss://127.0.0.1:$tls
ts-work "$answer" 2>work.err &
work=$!
started+=("$work")
{ task shared A; task shared B; } | ts-share >out 2>err
is "$?/$(jq -r .symbol out | sort | xargs)" "0/A B" "tasks are handed out and done through TLS"
kill -TERM $work
wait $work
is $? 0 "and the host ends well"
unset REDIS_URL
REDIS_CA_FILE='' REDIS_URL=rediss://127.0.0.1:$tls ts-share -l >out 2>err
like "$?/$(cat err)" '^100/.*Redis: the certificate of 127.0.0.1 is not trusted: ' "a certificate of an unknown authority is refused by ts-share, too"
REDIS_CA_FILE='' REDIS_URL=rediss://127.0.0.1:$tls ts-work cat 2>err
like "$?/$(cat err)" '^100/.*Redis: the certificate of 127.0.0.1 is not trusted: ' "and by ts-work"
rm go
# refused URL REGEX NAME: exit 100, and why.
refused() {
	REDIS_URL=$1 timeout 20 ts-listen >out 2>err
	is $? 100 "$3: exit 100"
	like "$(cat err)" "$2" "$3: in words that help"
}
refused "rediss://localhost:$tls" 'Redis refuses: the certificate of localhost is not trusted: .*mismatch' "a certificate for another host"
# hinted URL REGEX NAME: what may be wrong is said, and tried again.
hinted() {
	REDIS_URL=$1 listen
	wait_for 8 logged "$2"
	ok $? "$3: in words that help"
	end
}
hinted "redis://127.0.0.1:$tls" 'speaks TLS: use rediss://|does it want TLS \(rediss://\)' "redis:// to a port with TLS"
hinted "rediss://127.0.0.1:$slow" 'does not speak TLS: use redis://|does the server speak TLS' "rediss:// to a port without"
REDIS_CA_FILE='' refused "rediss://127.0.0.1:$tls" 'the certificate of 127.0.0.1 is not trusted: ' "a certificate of an unknown authority"
REDIS_CA_FILE=$tmp/none.pem refused "rediss://127.0.0.1:$tls" 'REDIS_CA_FILE: .*none.pem' "a file of authorities that is not there"
web=$(free_port)
# shellcheck disable=SC2016 # for perl
start perl -MIO::Socket::INET -e 'my $l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0],
	ReuseAddr => 1); while (my $c = $l->accept) { sysread $c, my $x, 99; print $c "HTTP/1.1 400 Bad Request\r\n\r\n"; close $c }' "$web"
refused "redis://127.0.0.1:$web" 'what listens at this port is not Redis' "a port of another service"
over_tls config set tls-auth-clients yes >/dev/null
REDIS_CERT_FILE=$tmp/client.pem REDIS_KEY_FILE=$tmp/client.key REDIS_URL=rediss://127.0.0.1:$tls listen
wait_for 5 logged "listening on" || sed "s|^|# |" err
ok $? "a server that wants a certificate is given one"
end

# ---- The slow one reads again: what it got and the gap cover all that was published.
timeout 20 cat <&"$slow_in" >slow.out &
reader=$!
gap_told() {
	grep -q '"gap"' slow.out
}
wait_for 20 gap_told
ok $? "slow reader: it listens again, and tells the gap"
kill -TERM "$slow_pid"
wait "$slow_pid"
wait $reader
exec {slow_in}<&-
got=$(grep -c '"job_id"' slow.out)
[ "$got" -gt 0 ] && [ "$got" -lt 300 ]
ok $? "slow reader: some jobs are lost ($got of 300 were heard)"
from=$(date -d "$(jq -r 'select(.type == "gap").from' slow.out | head -n 1)" +%s)
[ "$from" -le $((begun + 1)) ]
ok $? "slow reader: the gap begins before the first that was lost, and not where old data were read"

# ---- An access list, as the pages have it.
redis_start --loglevel warning || exit 1
# acl PAGE: its rules, made a user of this Redis.
acl() {
	# shellcheck disable=SC2046 # words
	redis acl setuser "$1" reset on '>geheim' $(sed -n '/^ACL SETUSER/,/^\.Ed/p' "$top/doc/$1.1" | grep -v '^\.' |
		sed 's/^ACL SETUSER [^ ]* on >PASSWORD//; s/\\e$//; s/\\&//g') >acl.out
	cat acl.out
}
is "$(acl ts-listen)/$(acl ts-status)" OK/OK "the pages' access lists are taken"
as() {
	echo "unix://$1:geheim@$tmp/redis.sock"
}
redis hset tickstock.jobs.status:unheard status submitted submitted_at 2025-12-23T12:15:13 >/dev/null
redis set tickstock.jobs.status:acl string >/dev/null
REDIS_URL=$(as ts-listen) listen -x tickstock.jobs.stream
wait_for 5 logged 'listening on'
redis xadd tickstock.jobs.stream '*' job '{"job_id":"added","symbols":[]}' >/dev/null
wait_for 5 lines_are 1
ok $? "access list: a stream is read"
: >out
mkfifo feed
rm -f status.out status.err
REDIS_URL=$(as ts-status) ts-status -q <feed >status.out 2>status.err &
status_pid=$!
started+=("$status_pid")
exec {feed}>feed
job acl 1 >&"$feed"
echo '{"type":"failed","job_id":"acl","symbol":"S2","timeframe":"day","from":"f","to":"t","stage":"fetch","error":"x"}' >&"$feed"
redis publish $jobs '{"job_id":"x","symbols":[]}' >/dev/null
wait_for 5 lines_are 1
ok $? "access list: jobs are heard"
unheard_failed() {
	[ "$(hash unheard status)" = failed ]
}
wait_for 8 unheard_failed
verdicts acl 3 3 >&"$feed"
exec {feed}>&-
wait "$status_pid"
is "$?/$(hash acl status)/$(redis llen tickstock.jobs.failed:acl)" 1/completed_with_errors/1 "access list: hashes and lists are written"
end
unlike "$(cat err status.err)" 'NOPERM|refuses' "access list: nothing that is needed is missing"
redis acl setuser ts-status -scan -expire -hdel >/dev/null
redis del tickstockpl:heartbeat >/dev/null
mkfifo feed2
rm -f status.out status.err
REDIS_URL=$(as ts-status) ts-status -q <feed2 >status.out 2>status.err &
status_pid=$!
started+=("$status_pid")
exec {feed}>feed2
job acl2 2 >&"$feed"
said() {
	grep -Eq "$1" status.err
}
wait_for 8 said 'error: abandoned jobs cannot be looked for: NOPERM'
ok $? "access list: what is missing for SCAN is an error"
verdicts acl2 3 3 >&"$feed"
exec {feed}>&-
wait "$status_pid"
is "$(hash acl2 status)/$(grep -c 'warning: Redis refuses EXPIRE: NOPERM' status.err)/$(grep -c 'warning: Redis refuses HDEL: NOPERM' status.err)" \
	completed/1/1 "access list: each command that is refused is told once, by name"

# ---- Sentinels, and a failover in the middle of a job.
sentinel=$(free_port) && nobody=$(free_port)
server master --port PORT --repl-diskless-sync-delay 0
master_pid=$server_pid
master=$server_port
server replica --port PORT --replicaof 127.0.0.1 "$master"
replica=$server_port
on_replica() {
	redis-cli --raw -p "$replica" "$@"
}
linked() {
	on_replica info replication | grep -q master_link_status:up
}
wait_for 10 linked
printf 'port %d\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 %d 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n' \
	"$sentinel" "$master" >sentinel.conf
redis-sentinel sentinel.conf >sentinel.log 2>&1 &
started+=($!)
knows_replica() {
	redis-cli -p "$sentinel" sentinel replicas main | grep -qx "$replica"
}
wait_for 15 knows_replica
export REDIS_URL=redis+sentinel://127.0.0.1:$nobody,127.0.0.1:$sentinel/main
REDIS_URL=${REDIS_URL%main}other timeout 20 ts-status </dev/null >out 2>status.err &
other=$!
listen
mkfifo feed3
rm -f status.out status.err
ts-status -q <feed3 >status.out 2>status.err &
status_pid=$!
started+=("$status_pid")
exec {feed}>feed3
wait_for 5 logged 'listening on'
ok $? "sentinel: the master is found, though the first sentinel is not there"
job over 3 >&"$feed"
job mid 1 >&"$feed"
mid_is() {
	[ "$(on_replica hget tickstock.jobs.status:mid "$1")" = "$2" ]
}
wait_for 5 mid_is stored_tasks 1
ts-work "$answer" 2>work.err {feed}>&- &
work=$!
started+=("$work")
{ task shared A; task shared B; } | ts-share >share.out 2>share.err {feed}>&- &
share=$!
started+=("$share")
has_pending() {
	[ "$(redis-cli --raw -p "$1" xpending "$(redis-cli --raw -p "$1" keys 'tickstock.share:*:tasks')" work | sed 1q)" = 2 ]
}
wait_for 5 has_pending "$master"
wait_for 5 has_pending "$replica"
ok $? "sentinel: tasks are in the hand of a host, as both servers know"
# The last write of a job that is over may not have come so far.
on_replica replicaof no one >/dev/null
on_replica del tickstock.jobs.status:over >/dev/null
on_replica replicaof 127.0.0.1 "$master" >/dev/null
wait_for 10 linked
kill -KILL "$master_pid"
promoted() {
	on_replica role | grep -qx master
}
wait_for 20 promoted
ok $? "sentinel: the replica becomes the master"
on_replica del tickstock.jobs.status:over >/dev/null
verdicts mid 2 3 >&"$feed"
wait_for 15 mid_is status completed
ok $? "sentinel: the new master ends with the final hash"
over_is() {
	[ "$(on_replica hget tickstock.jobs.status:over status)" = completed ]
}
wait_for 10 over_is
ok $? "sentinel: and with that of a job that was over, which it did not have"
twice() {
	[ "$(grep -c 'listening on' err)" -ge 2 ]
}
wait_for 15 twice
on_replica publish $jobs '{"job_id":"new","symbols":[]}' >/dev/null
wait_for 5 lines_are 2
is "$(jq -r '.job_id // .type' out | xargs)" "gap new" "sentinel: ts-listen follows, and tells the gap"
exec {feed}>&-
wait "$status_pid"
is $? 0 "sentinel: ts-status ends well"
: >go
wait $share
is "$?/$(jq -r .symbol share.out | sort | xargs)" "0/A B" "sentinel: ts-share has the verdicts by the new master"
kill -TERM $work
wait $work
is "$?/$(on_replica keys 'tickstock.share*')" 0/ "sentinel: and so has ts-work, which leaves nothing there"
end
kill "$other" 2>/dev/null
wait "$other" 2>/dev/null
done_testing
