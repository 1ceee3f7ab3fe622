# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154 # pg_up and sim_go are called without their options; now is the test's
# What the end-to-end tests share: TAP, a folder of their own, private servers. Source it first.
# Everything is found from here, so a test runs by itself and from any folder; everything started is ended
# at exit, whose status is 0 when each test passed and the last line was reached.
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${TS_BUILD:-$top/build}
shared=${TS_SHARED:-$top/../shared}
# How many times as long as usual anything may take: a machine may be busy, programs under valgrind are slow.
patience=${TS_PATIENCE:-5}
PATH=$build:$PATH
export TS_BUILD=$build LC_ALL=C.UTF-8 TERM=xterm SHELL=/bin/sh
# Nothing of the caller's reaches a program under test: no database, no Redis, no key, no proxy, no option.
unset TZ DATABASE_URL "${!PG@}" "${!REDIS@}" "${!MASSIVE_@}" "${!PARALLEL@}" CURL_CA_BUNDLE "${!SSL_CERT_@}"
unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY
for name in "${!TS_@}"; do
	case $name in
	TS_BUILD | TS_SHARED | TS_PATIENCE | TS_JOBS | TS_PG_BIN) ;;
	*) unset "$name" ;;
	esac
done

tmp=$(mktemp -d "${TMPDIR:-/tmp}/ts-test.XXXXXX") || exit 1
chmod 755 "$tmp"
cd "$tmp" || exit 1
export HOME=$tmp
started=()
tests=0
failures=0
finished=

# Ends what start() and the servers began, by pid, newest first.
finish() {
	local i j pid
	for ((i = ${#started[@]} - 1; i >= 0; i--)); do
		pid=${started[i]}
		kill -TERM "$pid" 2>/dev/null || continue
		for ((j = 0; j < 100 * patience; j++)); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.05
		done
		kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	cd / && rm -rf "$tmp"
	# A test that stopped half way has failed, whatever its last command said.
	[ $tests -eq 0 ] || [ -n "$finished" ] || exit 1
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# ok STATUS NAME: one test, passed when STATUS is 0.
ok() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $2"
	fi
	[ "$1" -eq 0 ]
}

# is GOT WANT NAME: equal strings.
is() {
	[ "$1" = "$2" ]
	ok $? "$3" && return
	printf '%s\n' "got:  $1" "want: $2" | cut -c 1-2000 | sed 's/^/# /'
	return 1
}

# like TEXT REGEX NAME, unlike TEXT REGEX NAME: extended regular expressions.
like() {
	grep -Eq -- "$2" <<<"$1"
	ok $? "$3" && return
	printf '%s\n' "got:  $1" "want: /$2/" | cut -c 1-2000 | sed 's/^/# /'
	return 1
}
unlike() {
	! grep -Eq -- "$2" <<<"$1"
	ok $? "$3" && return
	printf '%s\n' "got:  $1" "not wanted: /$2/" | cut -c 1-2000 | sed 's/^/# /'
	return 1
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests # SKIP $1"
}

# The last line of every test file.
done_testing() {
	echo "1..$tests"
	finished=1
	[ "$failures" -eq 0 ]
	exit
}

# wait_for SECONDS COMMAND...: until it succeeds; fails when the time is over, SECONDS x patience, and ten are the
# least: who waits for what will come need not be in a hurry. within: no longer than that.
wait_for() {
	within $(($1 < 10 ? 10 : $1)) "${@:2}"
}
within() {
	local i n=$(($1 * 50 * patience))
	shift
	for ((i = 0; i < n; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.02
	done
	echo "# waited in vain for: $*"
	return 1
}

# start COMMAND...: in the background, ended at exit; its pid is in $!.
start() {
	"$@" &
	started+=($!)
}

# free_port: below those that the kernel gives to whoever names none, so nobody else will take it.
free_port() {
	local port
	while :; do
		port=$((10000 + SRANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo $port
}

ended() {
	! kill -0 "$1" 2>/dev/null
}

# logged PATTERN: whether it stands in err. lines_are COUNT [FILE]: of out.
logged() {
	grep -Eq -- "$1" err
}
lines_are() {
	[ "$(wc -l <"${2:-out}")" -eq "$1" ]
}

# Postgres refuses to run as root, so root's tests run it as a user that owns nothing.
spare() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"
	else
		"$@"
	fi
}

pg_bin=${TS_PG_BIN:-$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)}

# A private Postgres on a unix socket in $tmp/pg, with pg_options; sets PGHOST and its like, and DATABASE_URL.
pg_options=()
pg_start() {
	mkdir -p "$tmp/pg"
	[ "$(id -u)" -ne 0 ] || chown nobody:nogroup "$tmp/pg"
	if [ ! -d "$tmp/pg/data" ]; then
		spare "$pg_bin/initdb" -D "$tmp/pg/data" -U postgres -A trust -E UTF8 --locale=C --no-sync \
			>"$tmp/pg.initdb" 2>&1 || { cat "$tmp/pg.initdb" >&2; return 1; }
	fi
	pg_up
	export PGHOST=$tmp/pg PGUSER=postgres PGDATABASE=postgres
	export DATABASE_URL="postgresql:///postgres?host=$tmp/pg&user=postgres"
	wait_for 20 "$pg_bin/pg_isready" -q
}
# pg_up [OPTION...]: starts it again, with other settings where they are given.
pg_up() {
	# A relative folder keeps the name of the socket under its limit of 107 bytes.
	(cd "$tmp/pg" && spare_exec "$pg_bin/postgres" -D "$tmp/pg/data" -k "$tmp/pg" -c listen_addresses= \
		-c fsync=off -c max_wal_size=2GB -c shared_buffers=64MB "${pg_options[@]}" "$@" >>"$tmp/pg.log" 2>&1) &
	pg_pid=$!
	started+=("$pg_pid")
}
spare_exec() {
	if [ "$(id -u)" -eq 0 ]; then
		exec setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"
	fi
	exec "$@"
}

# The five tables; all of them emptied; whether so many connections of ts-store are there.
tables="ohlcv_1min ohlcv_hourly ohlcv_daily ohlcv_weekly ohlcv_monthly"
empty() {
	sql "TRUNCATE ${tables// /, }"
}
backends_are() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ts-store'")" -eq "$1" ]
}
sql() {
	psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"
}

# alone: whether none of the stages is connected, for wait_for.
alone() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'ts-%'")" -eq 0 ]
}

# hold SQL: a transaction that is left open; let_go: commits it. Whether somebody waits for a lock.
hold() {
	rm -f holder held
	mkfifo holder
	psql -X -q -A -t -v ON_ERROR_STOP=1 <holder >held &
	holder=$!
	exec {holding}>holder
	printf 'BEGIN; %s; SELECT 1;\n' "$1" >&"$holding"
	wait_for 5 test -s held
}
let_go() {
	# What was started meanwhile may hold the fifo open, so no end of input will come.
	printf 'COMMIT;\n\\q\n' >&"$holding"
	exec {holding}>&-
	wait "$holder"
}
held_up() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")" -ge 1 ]
}

# A private Redis on a unix socket in $tmp; sets REDIS_URL.
redis_start() {
	redis-server --port 0 --unixsocket "$tmp/redis.sock" --save '' --appendonly no \
		--daemonize no "$@" >>"$tmp/redis.log" 2>&1 &
	redis_pid=$!
	started+=("$redis_pid")
	export REDIS_URL=unix://$tmp/redis.sock
	wait_for 10 redis ping
}
redis() {
	redis-cli -s "$tmp/redis.sock" "$@"
}

# The simulator of the API; sets MASSIVE_URL and sim_log. Options are passed on.
sim_start() {
	sim_log=$tmp/sim.log
	rm -f "$tmp/sim.port"
	ts-sim -P "$tmp/sim.port" -c "$here/../sim/calendar.tsv" -l "$sim_log" "$@" >/dev/null &
	sim_pid=$!
	started+=("$sim_pid")
	wait_for 10 test -s "$tmp/sim.port" || return 1
	MASSIVE_URL=http://127.0.0.1:$(cat "$tmp/sim.port")
	export MASSIVE_URL
}
# sim_now MOMENT: what the simulator is asked from here on is asked at that moment.
sim_now() {
	curl -sS -o /dev/null --fail "$MASSIVE_URL/sim/now/$1"
}
# sim_hold COUNT: so many requests are answered, all others wait; sim_go: no longer. What happens between
# them finds the work half done, however slow this shell is. Another simulator's address may be given.
sim_hold() {
	curl -sS -o /dev/null --fail "${2:-$MASSIVE_URL}/sim/hold/$1"
}
sim_go() {
	curl -sS -o /dev/null --fail "${1:-$MASSIVE_URL}/sim/go"
}
# load FLAG...: the file tasks through ts-fetch; leaves out, err, its status in $code, and how many requests that
# were in $asked. requests PATTERN: how many of these went there.
load() {
	local before
	before=$(wc -l <"$sim_log")
	ts-fetch -v "$@" <tasks >out 2>err
	code=$?
	asked=$(($(wc -l <"$sim_log") - before))
}
requests() {
	tail -n "$asked" "$sim_log" | grep -c -- "$1"
}
sim_stop() {
	kill "$sim_pid" 2>/dev/null
	wait "$sim_pid" 2>/dev/null
}

# What every stage promises of its input and output, whatever its work: bad_input COMMAND... feeds it
# lines that it must refuse one by one, between lines that it must copy.
bad_input() {
	local name=$1 foreign='{"type":"foreign","text":"copied \u00e9 byte for byte","n":1.50}'
	printf '%s\n' "$foreign" >want
	{
		printf '%s\n' "$foreign"
		printf '{"type":"foreign","type":"twice"}\n'
		printf '{"a":"nul \0 within"}\n'
		printf '{"a":"bad utf-8 \xff\xfe"}\n'
		printf '{"a":1,}\n{"a":1}{}\n{"a":01}\nnot json\n\n[1]\n'
		printf '{"a":"%s"}\n' "$(head -c 2097152 /dev/zero | tr '\0' x)"
		printf '%s\r\n' "$foreign"
		printf '%s' "$foreign"
	} >bad
	printf '%s\r\n' "$foreign" >>want
	"$@" <bad >got 2>err
	is $? 1 "$name: bad lines show in the exit status"
	cmp -s got want
	ok $? "$name: lines of others are copied byte for byte, bad ones are dropped"
	is "$(grep -c 'warning: line' err)" 11 "$name: each bad line is named"
	like "$(grep 'line 2:' err)" 'twice' "$name: a duplicate key is named"
	like "$(grep 'line 11:' err)" '1 MiB' "$name: a line of 2 MiB is refused"
	like "$(grep 'line 13:' err)" 'cut' "$name: a cut last line is refused"
	[ "$(awk 'length > 1000' err | wc -l)" -eq 0 ]
	ok $? "$name: no log line of 1000 bytes"
}

# Where the output goes wrong, or all of the input. Input is some line that the stage copies.
bad_output() {
	local name=$1 pid fd
	printf '{"type":"foreign"}\n' >line
	"$@" <line >/dev/full 2>err
	is $? 111 "$name: a full disk is exit 111"
	like "$(cat err)" 'No space left' "$name: a full disk is named"
	"$@" <. >/dev/null 2>err
	is "$?/$(grep -c 'error: reading stdin: Is a directory' err)" 111/1 "$name: input that cannot be read is exit 111, and named"
	"$@" <line >&- 2>err
	is $? 111 "$name: a closed stdout is exit 111"
	# The reader is gone, and then comes input without end.
	mkfifo busy
	yes '{"type":"foreign"}' 2>/dev/null | { "$@" >busy 2>err; echo $? >code; } &
	pid=$!
	head -n 1 <busy >/dev/null
	wait_for 5 ended $pid
	is "$(cat code)" 141 "$name: the reader goes away while the stage is busy"
	# The reader goes away while the stage waits for input.
	rm -f code busy
	mkfifo busy input
	{ "$@" <input >busy 2>err; echo $? >code; } &
	pid=$!
	exec {fd}>input
	cat line >&"$fd"
	head -n 1 <busy >/dev/null
	wait_for 5 test -s code
	is "$(cat code)" 141 "$name: the reader goes away while the stage is idle"
	exec {fd}>&-
	wait $pid
	rm -f code busy input
	like "$(cat err)" '^([^E]|E[^r])*$' "$name: a reader that goes away is no error to be told"
}

# -h, -V, wrong options: the same for all.
options() {
	local name=$1 c known='' page
	like "$("$name" -h)" "^usage: $name " "$name: -h gives the usage"
	is "$("$name" --help)" "$("$name" -h)" "$name: --help is -h"
	like "$("$name" -V)" "^$name [0-9]+\.[0-9]+" "$name: -V gives the version"
	is "$("$name" --version)" "$("$name" -V)" "$name: --version is -V"
	"$name" -h >/dev/full 2>err
	is $? 111 "$name: -h into a full disk is exit 111"
	"$name" -Z >out 2>err </dev/null
	is "$?/$(wc -c <out)" 100/0 "$name: an unknown option is exit 100, and nothing on stdout"
	is "$(sed 1q err)" "$name: error: -Z: unknown option" "$name: an unknown option is named"
	like "$(sed -n '2,$p' err)" "^usage: $name .*]" "$name: an unknown option shows the usage"
	"$name" --zzz >out 2>err </dev/null
	is "$?/$(sed 1q err)" "100/$name: error: --zzz: unknown option" "$name: an unknown long option is named"
	# What the program knows, what the usage shows, what -h explains and what the page tells are the same
	# letters. The -Z behind each keeps the program from starting.
	for c in {a..z} {A..Z}; do
		"$name" "-$c" 7 -Z </dev/null >/dev/null 2>err
		[ "$(sed 1q err)" = "$name: error: -$c: unknown option" ] || known+=$c
	done
	page=$(sed -n 's/^\.It Fl \([A-Za-z]\).*/\1/p' "$top/doc/$name.1" | LC_ALL=C sort | tr -d '\n')
	is "$("$name" -h | sed 1q | grep -o '\[-[^]]*\]' | sed 's/^\[-//; s/\]$//; s/^\(.\) .*/\1/' |
		tr -d '\n' | fold -w 1 | LC_ALL=C sort | tr -d '\n')" "$page" "$name: the usage has the options of the page"
	is "$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/s/^\.Op Fl \([A-Za-z]*\).*/\1/p' "$top/doc/$name.1" | tr -d '\n' |
		fold -w 1 | LC_ALL=C sort -u | tr -d '\n')" "$page" "$name: so does the page's synopsis"
	is "$("$name" -h | sed -n 's/^  -\(.\) .*/\1/p' | LC_ALL=C sort | tr -d '\n')" "$page" \
		"$name: -h explains the options of the page"
	is "$(fold -w 1 <<<"$known" | LC_ALL=C sort | tr -d '\n')" "$page" \
		"$name: the program takes the options of the page"
}

# servers [OPTION...]: what a service needs: Postgres with the tables, Redis, the simulator at $now.
servers() {
	pg_start && redis_start --loglevel warning && ts-store -i </dev/null 2>store.log && sim_start -N "$now" "$@"
}

# job ID SYMBOLS TIMEFRAMES [YEARS]: one that was received at $now.
job() {
	printf '{"job_id":"%s","source":"test","symbols":%s,"timeframes":%s,"years":%s,"received_at":"%s"}\n' \
		"$1" "$2" "$3" "${4:-0.02}" "$now"
}
# publish JOB: as the admin page does it: publish first, then write "submitted" with a day to live.
publish() {
	local id
	id=$(jq -r .job_id <<<"$1")
	redis publish tickstock.jobs.data_load "$1" >/dev/null
	redis hset "tickstock.jobs.status:$id" status submitted progress 0 message 'Job submitted' \
		submitted_at "$(date +%Y-%m-%dT%H:%M:%S.%6N)" job_type csv_universe_load >/dev/null
	redis expire "tickstock.jobs.status:$id" 86400 >/dev/null
}
# hash ID FIELD: one field of a job's status.
hash() {
	redis --raw hget "tickstock.jobs.status:$1" "$2"
}
hash_is() {
	[ "$(hash "$1" "$2")" = "$3" ]
}
# Whether a job's last status is written, and not overwritten by a late "submitted".
over() {
	[[ $(hash "$1" status) =~ ^(completed|failed|cancelled) ]]
}

# Inserts of minutes take a while each, one longer than the next.
dawdle() {
	sql "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1 * (nextval(''turns'') % 3)); RETURN NULL; END'; CREATE SEQUENCE turns;
		CREATE TRIGGER dawdle BEFORE INSERT ON ohlcv_1min EXECUTE FUNCTION dawdle()"
}

# The whole pipeline as a service, its log in pipeline.log; sets service_pid. Ended with serve_end.
serve() {
	# What an earlier one has said does not count.
	: >pipeline.log
	"$top/pipeline.sh" >pipeline.out 2>pipeline.log &
	service_pid=$!
	started+=("$service_pid")
	wait_for 10 grep -q 'listening on' pipeline.log
}
serve_end() {
	kill -TERM "$service_pid" 2>/dev/null
	wait "$service_pid"
}
