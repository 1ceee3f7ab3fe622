#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2119,SC2317
# The service folder under a real runsvdir: up, down, killed, misconfigured.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if ! command -v runsvdir >/dev/null; then
	skip "runit is not installed"
	done_testing
fi

now=2025-12-16T17:00:30Z
pg_start || exit 1
redis_start --loglevel warning --unixsocketperm 777 || exit 1
sim_start -N "$now" -d 20 || exit 1

# Installed as the page says, with a configuration of our own.
unset MAKEFLAGS MFLAGS MAKELEVEL
make -s -C "$top" B="$build" PREFIX="$tmp/usr" SVDIR="$tmp/sv" install install-runit >install.log 2>&1
ok $? "make install install-runit" || cat install.log >&2
sv=$tmp/sv/ts-pipeline
log=$tmp/log
mkdir "$log" "$tmp/service"
sed -i "s|^logs=.*|logs=$log|; s|^user=.*|user=nobody|; s|^loguser=.*|loguser=nobody|; s|^patience=.*|patience=1|" "$sv/conf"
# A sanitizer maps more than any limit allows.
! grep -q __asan_init "$build/ts-listen" || sed -i 's| -d [0-9]*||' "$sv/conf"
is "$(sed -n 's/^PATH=//p' "$sv/conf")" "$tmp/usr/bin:\$PATH" "the service finds the programs in PREFIX"
# As root types it in the page, but for the folders of services and for who is asked to be whom. The last step
# starts it, further below.
mkdir bin
printf '#!/bin/sh\necho useradd "$*" >>%s/typed\n' "$tmp" >bin/useradd
printf '#!/bin/sh\necho su $1 >>%s/typed\nexport PGUSER=$1\nshift\n[ "$1" != -s ] || shift 2\nexec sh -c "$2"\n' "$tmp" >bin/su
chmod 755 bin/*
awk '/^\.\\" block runit-service/ {n = 1} n && /^\.Ed/ {exit} n && b {print} n && /^\.Bd/ {b = 1}' "$top/doc/ts-pipeline.7" |
	sed "s/^# //; s|/etc/sv/ts-pipeline|$sv|; s|/etc/service|$tmp/service|" >steps
sed '$d' steps >first
PATH=$tmp/bin:$tmp/usr/bin:$pg_bin:$PATH sh -e first >steps.log 2>&1
is "$?/$(grep -v fsync=off steps.log)/$(paste -s -d ' ' typed)" "0//useradd --system tickstock su postgres su postgres su tickstock" \
	"the steps of the page end well, without a word"
is "$(cd "$sv/env" && head -n 1 DATABASE_URL TS_SPOOL MASSIVE_API_KEY | grep -v '^$')" "==> DATABASE_URL <==
postgresql:///tickstock
==> TS_SPOOL <==
/var/lib/ts-pipeline
==> MASSIVE_API_KEY <==
KEY" "and set the database, the spool and the key"
export PGDATABASE=tickstock
DATABASE_URL="postgresql:///tickstock?host=$tmp/pg&user=tickstock"
is "$(sql "SELECT count(*) FROM pg_tables WHERE tableowner = 'tickstock'")" 5 "which has its tables"
setting() {
	printf '%s\n' "$2" >"$sv/env/$1"
}
setting REDIS_URL "$REDIS_URL"
setting DATABASE_URL "$DATABASE_URL"
setting MASSIVE_URL "$MASSIVE_URL"
mkdir "$tmp/var"
setting TS_SPOOL "$tmp/var/spool"

# Whatever happens, nothing stays: runsv takes the stages with it, and who holds the lock is one of them.
down() {
	local fd runsv
	runsv=$(pgrep -P "${runsvdir_pid-0}")
	[ -z "${runsvdir_pid-}" ] || kill -HUP "$runsvdir_pid" 2>/dev/null
	for fd in /proc/[0-9]*/fd/*; do
		[ "$(readlink "$fd")" != "$sv/lock" ] || { fd=${fd#/proc/}; kill -TERM "${fd%%/*}"; }
	done 2>/dev/null
	[ ! -e "$sv/supervise" ] || wait_for 12 chpst -L "$sv/supervise/lock" true
	[ -z "$runsv" ] || kill -KILL "$runsv" 2>/dev/null
	finish
}
trap down EXIT
unset TS_BUILD
start runsvdir "$tmp/service"
runsvdir_pid=$!
service() {
	sv "$@" "$sv"
}
logged() {
	cat "$log"/@* "$log"/current 2>/dev/null | grep -- "$1"
}
well() {
	(cd "$sv" && ./check)
}
main_pid() {
	cat "$sv/supervise/pid"
}
# Ended, though perhaps not yet waited for by the machine's first process.
gone() {
	[[ $(ps -o stat= -p "$1") =~ ^(Z.*)?$ ]]
}
runs() {
	[ -n "$(main_pid)" ] && [ "$(pgrep -c -P "$(main_pid)" '^ts-(listen|expand|fetch|store|status)$')" -eq 5 ]
}

# Up, and a job loads.
well 2>err
is "$?/$(cat err)" "1/not subscribed yet" "not well before it runs"
is "$(tail -n 1 steps)" "ln -s $sv $tmp/service/" "the last step is the link"
sh -e <(tail -n 1 steps)
wait_for 10 well
ok $? "the service comes up and is well" || cat "$log/current" >&2
like "$(service check)" '^ok: run: ' "sv check says so"
publish "$(job one '["AAPL","MSFT"]' '["day","hour"]')"
wait_for 10 over one
is "$(hash one status)/$(hash one stored_tasks)" completed/4 "a job loads"
if [ "$(id -u)" -eq 0 ]; then
	is "$(ps -o user= -g "$(main_pid)" | sort -u)" nobody "no stage runs as root"
	is "$(stat -c %U/%a "$tmp/var/spool")" nobody/700 "the spool is the user's"
fi
is "$(stat -c %a "$sv/env")/$(stat -c %a "$sv/env/TS_SPOOL")" 700/600 "the settings are not for others"
like "$(tr '\0' '\n' <"/proc/$(pgrep -P "$(main_pid)" -x ts-store)/limits")" 'Max core file size +0 ' "the limits are set"
ps -o pgid= -p "$(main_pid)" | grep -qw "$(main_pid)"
ok $? "the stages are a process group of their own"

# The check can fail: no heartbeat, no subscription, no Redis.
redis del tickstockpl:heartbeat >/dev/null
well 2>err
like "$?/$(cat err)" '^1/no heartbeat' "without a heartbeat it is not well"
touch -d '1 minute ago' "$tmp/var/spool/.listening"
well 2>err
like "$?/$(cat err)" '^1/not subscribed for [0-9]+ s' "without a subscription it is not well"
setting REDIS_URL unix:///nonexistent.sock
touch "$tmp/var/spool/.listening"
well 2>err
like "$?/$(cat err)" '^1/no heartbeat: .*(connect|No such)' "without Redis it is not well"
setting REDIS_URL "$REDIS_URL"
setting DATABASE_URL "postgresql:///nowhere?host=$tmp/pg&user=tickstock"
wait_for 15 eval '[ "$(redis ttl tickstockpl:heartbeat)" -gt 0 ]'
wait_for 15 eval 'well 2>&1 | grep -q "^cannot store: .*nowhere"'
ok $? "nor without its database"
setting DATABASE_URL "$DATABASE_URL"
wait_for 15 well
is "$("$tmp/usr/bin/ts-health" "$sv" 2>&1)" well "ts-health says so of the folder, too"
printf '#!/bin/sh\ncase $1 in\nis-active) cat state; [ "$(cat state)" = active ] ;;\n*) echo "$PWD/unit.env (ignore_errors=yes)" ;;\nesac\n' >bin/systemctl
chmod 755 bin/systemctl
printf 'REDIS_URL=%s\nDATABASE_URL=%s\nTS_SPOOL=%s\n' "$REDIS_URL" "$DATABASE_URL" "$tmp/var/spool" >unit.env
echo active >state
is "$(PATH=$tmp/bin:$PATH "$tmp/usr/bin/ts-health" ts-pipeline.service 2>&1)" well "and of a unit of systemd"
echo failed >state
is "$(PATH=$tmp/bin:$PATH "$tmp/usr/bin/ts-health" ts-pipeline.service 2>&1)/$?" "the unit is failed/1" "one that gave up is not well"
printf '#!/bin/sh\nprintf "Not booted with systemd as init.\\nHost is down\\n" >&2\nexit 1\n' >bin/systemctl
is "$(PATH=$tmp/bin:$PATH "$tmp/usr/bin/ts-health" ts-pipeline.service 2>&1)/$?" "Not booted with systemd as init./1" "without systemd systemctl's words stand there once"

# Killed, stage by stage and the script too, while a job runs.
publish "$(job crash "$(jq -nc '[range(800) | "S\(.)"]')" '["day","hour"]')"
wait_for 5 hash_is crash status running
for name in ts-fetch ts-store ts-status ts-expand ts-pipeline ts-listen; do
	wait_for 10 runs
	main=$(main_pid)
	group=$(pgrep -g "$main")
	if [ $name = ts-pipeline ]; then
		kill -KILL "$main"
	else
		kill -KILL "$(pgrep -P "$main" -x $name)"
	fi
	wait_for 20 eval '[ "$(main_pid)" != "$main" ] && runs'
	ok $? "kill -9 of $name: the service starts again"
	for pid in $group; do
		gone "$pid" || echo "# $pid of the group before is still there"
	done | tee left
	[ ! -s left ]
	ok $? "and nothing of the old one is left"
done
wait_for 20 over crash
is "$(hash crash status)/$(hash crash stored_tasks)/$(hash crash failed_tasks)" completed/1600/0 \
	"after six deaths the job is complete"
is "$(hash crash bars_loaded)" \
	"$(sql "SELECT (SELECT count(*) FROM ohlcv_daily WHERE symbol LIKE 'S%') + (SELECT count(*) FROM ohlcv_hourly WHERE symbol LIKE 'S%')")" \
	"and its bars are those in the tables"
like "$(logged 'service: warning')" 'exit 137 after [0-9]+ s; starts again in 1 s' "the log says what happened"
like "$(logged 'service: warning')" 'signal 9 after' "also of the script"

# Down is a drain: what is in flight is finished, the rest waits for the next start.
sim_hold 100
publish "$(job drain "$(jq -nc '[range(300) | "T\(.)"]')" '["day","hour"]')"
wait_for 5 hash_is drain status running
service down
sim_go
service -w 60 down >/dev/null
is "$?" 0 "sv down"
like "$(service status)" '^down: ' "it is down"
like "$(logged 'pipeline: end' | tail -n 1)" 'ts-listen=(0|141) ts-expand=(0|141) ts-fetch=(0|143) ts-store=0 ts-status=0' "all stages ended well"
like "$(hash drain message)" '^interrupted: [0-9]+ of 600 tasks are left' "the status says what is left"
sleep 1.2
like "$(service status)" '^down: ' "it stays down"
service up
wait_for 20 over drain
is "$(hash drain status)/$(hash drain stored_tasks)" completed/600 "up again, it does the rest"

# A stage that gives up (exit 111) is started again.
chmod 0 "$tmp/var/spool"
service term
wait_for 10 logged 'exit 111 after'
ok $? "exit 111: it is tried again"
chmod 700 "$tmp/var/spool"
wait_for 10 runs
ok $? "until it works"

# Wrong settings: it stays down and the log says why.
# wrong NAME REGEX: after a restart
wrong() {
	rm -f "$sv/reason"
	service term
	service up
	wait_for 10 test -s "$sv/reason"
	wait_for 5 eval 'service status | grep -q ^down:'
	sleep 1.2
	like "$(service status)" '^down: ' "$1: it stays down"
	like "$(tail -n 20 "$log/current")" "$2" "$1: the log says why"
	like "$(tail -n 1 "$log/current")" 'service: error: exit 100: .*stays down until: sv up' "$1: and what to do"
	like "$(well 2>&1)" '^exit 100: wrong' "$1: so does the check"
	"$tmp/usr/bin/ts-health" "$sv" >/dev/null 2>&1
	is $? 1 "$1: ts-health is red, though sv check of a service that is down is not"
}
setting REDIS_URL http://somewhere
wrong "a wrong REDIS_URL" 'ts-listen: error: REDIS_URL: '
setting REDIS_URL "$REDIS_URL"
sed -i 's/^user=.*/user=nosuchuser/' "$sv/conf"
if [ "$(id -u)" -eq 0 ]; then
	wrong "a wrong user" 'service: error: the user nosuchuser does not exist'
fi
sed -i 's/^user=.*/user=nobody/' "$sv/conf"
setting TS_FETCH_FLAGS '-j none'
wrong "a wrong option" 'ts-fetch: error: '
rm "$sv/env/TS_FETCH_FLAGS"
service up
wait_for 10 well
ok $? "mended, it comes up"

# The log is rotated.
for _ in 1 2 3; do
	before=$(find "$log" -name '@*' | wc -l)
	sv alarm "$sv/log"
	wait_for 5 eval '[ "$(find "$log" -name "@*" | wc -l)" -gt "$before" ] || [ ! -s "$log/current" ]'
done
is "$(cat "$log/config")" "$(cat "$top/doc/runit/log/config")" "the log has its limits"
[ "$(find "$log" -name '@*.s' | wc -l)" -ge 1 ]
ok $? "and is rotated"
like "$(logged 'ts-listen: start' | head -n 1)" '^20[0-9-]{8}_[0-9:.]+ ts-listen: ' "lines have their time"

# Installed once more, the settings stay.
make -s -C "$top" B="$build" PREFIX="$tmp/usr" SVDIR="$tmp/sv" install-runit >install.log 2>&1
is "$(cat "$sv/env/TS_SPOOL")/$(sed -n 's/^user=//p' "$sv/conf")" "$tmp/var/spool/nobody" \
	"a second make install-runit keeps the settings"

# The end of the supervisor: a drain too, and nothing stays.
group=$(pgrep -g "$(main_pid)")
kill -HUP "$runsvdir_pid"
for pid in $group; do
	wait_for 10 gone "$pid"
done
ok $? "the end of runsvdir ends the stages"
done_testing
