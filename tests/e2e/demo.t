#!/usr/bin/env bash
# make demo from an unpacked tarball in a folder with a space in its name, with everything in the
# environment that might lead it to somebody's servers; and what deps.sh does before.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL

# The victims: a database with real prices, a Redis, an API that would be charged for.
pg_start || exit 1
redis_start --loglevel warning || exit 1
sim_start -d 0 || exit 1
ts-store -i </dev/null 2>log || exit 1
sql "INSERT INTO ohlcv_daily (symbol, date, open, high, low, close, volume)
	SELECT 'AAPL', CURRENT_DATE - n, 1, 1, 1, 1, 1 FROM generate_series(0, 40) n"
victim() {
	sql "SELECT md5(string_agg(d::text, ';' ORDER BY date)) FROM ohlcv_daily d"
	sql "SELECT (SELECT count(*) FROM ohlcv_1min), (SELECT sum(n_tup_upd + n_tup_ins + n_tup_del) FROM pg_stat_user_tables)"
	redis dbsize
	wc -l <"$sim_log"
}
victim >before
export MASSIVE_API_KEY=sesame TS_STORE_FLAGS="-u $DATABASE_URL" TS_STATUS_FLAGS="-u $REDIS_URL" TS_SPOOL=$tmp/spool
# Where nobody listens: whoever takes notice of it fails.
export PGHOSTADDR=127.0.0.1 PGPORT=1 REDISCLI_AUTH=wrong
make -s -C "$top" B="$tmp" dist >dist.log 2>&1
mkdir 'a space'
tar xzf "tickstock-loader-$(cat "$top/VERSION").tar.gz" -C 'a space' --strip-components 1
make -s -C 'a space' CFLAGS=-O0 demo >demo.out 2>demo.err
is "$?/$(tail -n 1 demo.out | cut -c 1-10)" "0/published " "make demo works in a folder with a space" || tail -n 5 demo.err
unset PGHOSTADDR PGPORT REDISCLI_AUTH
victim >after
is "$(cat after)" "$(cat before)" "it touches no database, Redis and API that it did not make"
[ ! -e "$tmp/spool" ]
ok $? "and no spool"
like "$(head -n 2 demo.out | tr '\n' ' ')" 'installs.*builds.*starts.*loads' "it says beforehand what it will do"
is "$(grep -c 'ohlcv_.* 30 ' demo.out)" 5 "and shows 30 symbols in each table"

# A real run has its own words, and then only with a key.
demo() {
	env -u MASSIVE_API_KEY "$@" bash "$top/tests/demo.sh" >out 2>err </dev/null
}
demo DEMO_DATABASE="$DATABASE_URL" DEMO_REDIS="$REDIS_URL"
like "$?/$(cat err)" '^100/demo: error: .*MASSIVE_API_KEY' "without a key it is refused"
demo DEMO_DATABASE="$DATABASE_URL" MASSIVE_API_KEY=k
like "$?/$(cat err)" '^100/demo: error: .*both' "so is one server alone"
redis-cli -s "$tmp/redis.sock" subscribe tickstock.jobs.data_load >sub 2>&1 &
started+=($!)
wait_for 5 grep -q subscribe sub
demo DEMO_DATABASE="$DATABASE_URL" DEMO_REDIS="$REDIS_URL" MASSIVE_API_KEY=k
like "$?/$(cat err)" '^100/demo: error: a loader listens' "and a Redis that a loader listens on"
kill "${started[-1]}"
wait "${started[-1]}" 2>/dev/null
victim >after
is "$(cat after)" "$(cat before)" "nothing is touched"
unset TS_STORE_FLAGS TS_STATUS_FLAGS TS_SPOOL
demo DEMO_DATABASE="$DATABASE_URL" DEMO_REDIS="$REDIS_URL" MASSIVE_API_KEY=k MASSIVE_URL="$MASSIVE_URL"
is "$?/$(sql 'SELECT count(DISTINCT symbol) FROM ohlcv_daily')" 0/30 "with all three it loads" || tail -n 5 err

# The install phase, with a machine that is not this one.
mkdir bin etc etc/systemd etc/systemd/system etc/systemd/system/multi-user.target.wants
stub() {
	printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
	chmod 755 "bin/$1"
}
# shellcheck disable=SC2016 # the stubs'
{
	stub id 'echo 0'
	stub dpkg-query 'case $* in *jq*) echo "install ok installed" ;; esac'
	stub update-rc.d 'echo "$@" >>update-rc.d.log'
	stub apt-get 'echo "$@" >>apt.log
	case $* in
	*--print-uris*) echo "'\''http://x/a.deb'\'' a.deb 123456789 SHA256:x" ;;
	*install*)
		cp policy policy.seen
		./policy; echo $? >policy.says
		for s in redis-server postgresql; do
			ln -sf /lib/systemd/system/$s.service etc/systemd/system/multi-user.target.wants/
		done
		[ ! -e slow ] || { : >installing; exec sleep 60; }
		[ ! -e broken ] || exit 100
		;;
	esac'
}
deps() {
	PATH=$tmp/bin:$PATH DEPS_POLICY=$tmp/policy DEPS_ETC=$tmp/etc sh "$top/tests/deps.sh" "$@" >out 2>err
}
deps demo
is "$?/$(cat policy.says)" 0/101 "while it installs, no server is started"
is "$(find etc -type l)/$(cut -d ' ' -f 2 update-rc.d.log | sort -u)" "/disable" "and none at the next boot"
[ ! -e policy ]
ok $? "the policy is gone afterwards"
unlike "$(cat apt.log)" 'clang|valgrind|shellcheck|mandoc| jq' "the demo installs no tools of developers, and nothing twice"
like "$(cat apt.log)" 'postgresql.*redis-server' "but what it needs"
like "$(cat err)" 'missing.*gcc' "what is installed is said before"
like "$(cat err)" '123 MB.*minutes' "with how much and how long it takes"
sh policy.seen
is $? 0 "a policy that was left behind forbids nothing"
: >slow
# In the terminal's way: to all processes of a group of their own.
perl -e 'setpgrp; $SIG{INT} = "DEFAULT"; exec @ARGV' env PATH="$tmp/bin:$PATH" DEPS_POLICY="$tmp/policy" DEPS_ETC="$tmp/etc" \
	sh "$top/tests/deps.sh" demo >out 2>err &
pid=$!
started+=("$pid")
wait_for 10 test -e installing
[ -e policy ]
ok $? "the policy is there in its time"
kill -INT -- "-$pid"
wait "$pid"
code=$?
[ ! -e policy ]
is "$?/$code" 0/130 "Ctrl-C leaves no policy"
rm slow
: >broken
deps demo
like "$?/$(tail -n 1 err)" '^1/.*by hand.*redis-server' "where nothing can be installed, what is missing is told"
deps nonsense
is $? 100 "an unknown set is refused"
done_testing
