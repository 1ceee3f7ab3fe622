# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# The torture itself: the service under restart while its stages, and with $servers Postgres and Redis,
# are killed at random. Sourced by torture.t after lib.sh.
#
# A round publishes all jobs, does harm until they are done, and compares with what an undisturbed run
# left. What is wrong goes to the file problems, a line each.

now=2025-12-16T17:00:30Z
secret_key=key-0a9b8c7d secret_pg=pgpass-1b2c3d redis_password=redpass-4e5f6a
jobs="t1 t2 t3 t4 t5"
channel=tickstock.jobs.data_load
# What the server has not been told to write it writes late: an immediate stop loses all that was committed
# without waiting for the disk.
pg_options=(-c wal_writer_delay=10s -c wal_writer_flush_after=1GB -c wal_buffers=32MB)
kills=0
lives=0
cores=0
servers=
whole=  # the service that had all its stages
slot=-1 # of the service's pid in started

torture_faults() {
	cat <<-'END'
		A1 * 500 1
		A2 minute reset 1
		A3 minute badrow=hl
		A4 day 404
		B1 * cutjson 1
		B2 hour 400
		C1 week 429retry=1 =1
		C2 minute page2-500 1
		C3 minute otherticker
	END
}

# Jobs of disjoint symbols, so that a request tells whose it is. Each has some that cannot be done.
torture_job() {
	local letter n
	case $1 in
	t1) letter=A n=16 ;;
	t2) letter=B n=12 ;;
	t3) letter=C n=24 ;;
	t4) letter=D n=3 ;;
	*) letter=E n=8 ;;
	esac
	jq -nc --arg id "$1" --arg l "$letter" --arg now "$now" --argjson n $n '{job_id: $id, source: "torture",
		symbols: ([range($n) | $l + "\(.)"] + ["NONE" + $l, "B AD" + $l, $l + "\u00e9"]),
		timeframes: ["1min", "hour", "day", "week", "month", "2min"], years: 0.02, received_at: $now}'
}

# Every value of every row, and the job's final counts. The order of arrival does not show.
torture_dump() {
	local t key
	for t in $tables; do
		key="date"
		[[ $t =~ min|hour ]] && key=timestamp
		echo "SELECT '$t', symbol, $key, open, high, low, close, volume FROM $t ORDER BY symbol COLLATE \"C\", $key;"
	done | psql -X -q -A -t -v ON_ERROR_STOP=1 -f -
}
torture_counts() {
	# shellcheck disable=SC2086 # a list
	printf 'hgetall tickstock.jobs.status:%s\n' $jobs | redis --json | jq -cS '{status, progress, total_symbols,
		processed_symbols, total_tasks, stored_tasks, failed_tasks, empty_tasks, bars_loaded,
		successful_symbols: (.successful_symbols // "[]" | fromjson | sort),
		failed_symbols: (.failed_symbols // "[]" | fromjson | sort)}'
}
# `done` of each job may come again after a death behind it, but never otherwise.
torture_done() {
	jq -R -c 'fromjson? | select(.type == "done") | del(.seconds)' <"$1" | sort -u
}

torture_serve() {
	TS_STOP=${1-} TS_BUILD=$bin TS_SPOOL=$tmp/spool "$top/pipeline.sh" >>torture.out 2>>torture.log &
	service_pid=$!
	lives=$((lives + 1))
	# A slot of its own in the list of what is ended at exit: a pid of old may be another's now.
	[ "$slot" -ge 0 ] || slot=${#started[@]}
	started[slot]=$service_pid
}
# Those that live: one that died may stay in the list until it is waited for.
torture_stages() {
	pgrep -r D,R,S -P "$service_pid" '^ts-'
}
torture_heard() {
	[ "$(redis --raw pubsub numsub $channel | tail -n 1)" -gt 0 ]
}
torture_kept() {
	compgen -G "spool/$1.*.job" >/dev/null
}
# What Redis says of all jobs, in status, message and told (verdicts), by job.
torture_look() {
	local id i=0 line
	# shellcheck disable=SC2086 # a list
	mapfile -t line < <(printf 'hmget tickstock.jobs.status:%s status message stored_tasks failed_tasks\n' $jobs |
		redis --raw)
	[ ${#line[@]} -eq 20 ] || return 1
	for id in $jobs; do
		status[$id]=${line[i]} message[$id]=${line[i + 1]}
		told[$id]=$((line[i + 2] + line[i + 3]))
		i=$((i + 4))
	done
}
torture_over() {
	local id
	! compgen -G 'spool/*.job' >/dev/null && torture_look || return 1
	for id in $jobs; do
		# What nobody heard is to be published again.
		[[ ${status[$id]} =~ ^(completed|failed) && ${message[$id]} != *"no listener ran" ]] || return 1
	done
	! compgen -G 'spool/*.notes' >/dev/null
}

# Publishes as the page does. What was heard by nobody who lived to keep it is published again.
torture_publish() {
	local id=$1 at
	[ -s "job.$id" ] || torture_job "$id" >"job.$id"
	[ "$(redis -x publish $channel <"job.$id")" -gt 0 ] || return 0
	printf -v at '%(%FT%T)T.%s' -1 "${EPOCHREALTIME#*.}"
	redis hset "tickstock.jobs.status:$id" status submitted progress 0 message 'Job submitted' \
		submitted_at "$at" >/dev/null
	published[$id]=$SECONDS
}
torture_publish_some() {
	local id
	torture_look || return 0
	for id in $jobs; do
		if [ -z "${published[$id]-}" ]; then
			[ $((RANDOM % 3)) -ne 0 ] || torture_publish "$id"
		elif [ $((SECONDS - published[$id])) -ge 2 ] && ! torture_kept "$id" &&
			[[ ${status[$id]}/${message[$id]} =~ ^(submitted|/|.*no\ listener\ ran) ]]; then
			torture_publish "$id"
		fi
	done
}

# What a death left: each verdict that anybody heard of is noted, and what is noted now must not be
# asked for again. Called between two lives.
torture_inspect() {
	local id at n
	at=$(wc -l <"$sim_log")
	compgen -G 'spool/*.notes' >/dev/null && cat spool/*.notes |
		jq -R -r --arg at "$at" 'fromjson? | "\($at) \(.job_id) \(.symbol | gsub(" "; "_")) \(.timeframe)"' |
		sort -u >notes.now
	cat notes.now >>noted
	torture_look || echo "Redis does not tell of all jobs"
	for id in $jobs; do
		if torture_kept "$id"; then
			seen[$id]=1
			n=$(grep -c " $id " notes.now)
			[ "${told[$id]}" -le "$n" ] || echo "job $id: ${told[$id]} verdicts are told, but $n noted"
		elif [ -n "${seen[$id]-}" ]; then
			# Once kept and kept no more: done.
			echo "$at $id * *" >>noted
		fi
	done
	: >notes.now
} >>problems

# Requests for what was noted before. A request is logged before its reply, so all that led to a
# verdict stand in front.
torture_repeated() {
	perl -e '
		my %span = (minute => "1min", hour => "hour", day => "day", week => "week", month => "month");
		my %job = (A => "t1", B => "t2", C => "t3", D => "t4", E => "t5");
		my %noted;
		open my $n, "<", "noted" or exit;
		while (<$n>) {
			my ($at, $job, $symbol, $tf) = split;
			$noted{"$job $symbol $tf"} //= $at;
		}
		open my $log, "<", $ARGV[0] or die;
		while (<$log>) {
			m{/ticker/((?:NONE)?([A-E])[^/]*)/range/1/(\w+)/} or next;
			my $job = $job{$2};
			for my $key ("$job $1 $span{$3}", "$job * *") {
				print "asked again for what was noted: $1 $3\n" if exists $noted{$key} && $. > $noted{$key};
			}
		}' "$sim_log"
}

# Whether a process would leave no core file, or is no more.
torture_coreless() {
	! grep -q 'Max core file size  *[1-9u]' "/proc/$1/limits"
}
torture_secrets() {
	local pid name wrong
	for pid in $(torture_stages); do
		name=$(cat "/proc/$pid/comm" 2>/dev/null)
		case $name in
		ts-listen | ts-status) wrong="$secret_key|$secret_pg" ;;
		ts-expand) wrong="$secret_key|$secret_pg|$redis_password" ;;
		ts-fetch) wrong="$secret_pg|$redis_password" ;;
		ts-store) wrong="$secret_key|$redis_password" ;;
		*) continue ;;
		esac
		grep -Eaq "$secret_key|$secret_pg|$redis_password" "/proc/$pid/cmdline" 2>/dev/null &&
			echo "a secret in the arguments of $name"
		# Between fork and exec it is still the script's.
		grep -Eaq "$wrong" "/proc/$pid/environ" 2>/dev/null && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$name" ] &&
			grep -Eaq "$wrong" "/proc/$pid/environ" 2>/dev/null && echo "a secret in the environment of $name"
		# One that has just begun may not have come so far.
		wait_for 5 torture_coreless "$pid" || echo "$name would leave a core"
	done
	return 0
}

# At once, so that none sees another's death and ends in peace.
torture_kill_all() {
	kill -STOP "$@"
	kill -KILL "$@"
} 2>/dev/null

# kill -9, as many as there are: mostly one, often all. Or one ends as in a crash, which leaves a core
# file where it may.
torture_kill() {
	local pids pid
	mapfile -t pids < <(torture_stages)
	[ ${#pids[@]} -gt 0 ] || return 0
	kills=$((kills + 1))
	struck=1
	pid=${pids[RANDOM % ${#pids[@]}]}
	case $((RANDOM % 6)) in
	0 | 1)
		torture_kill_all "${pids[@]}"
		;;
	2)
		wait_for 5 torture_coreless "$pid" >>problems
		kill -ABRT "$pid" 2>/dev/null
		;;
	*)
		kill -KILL "$pid" 2>/dev/null
		;;
	esac
	return 0
}

# No secret in what the stages of a life have written, and in what is left of them.
torture_search() {
	local core
	for core in core* spool/core*; do
		[ -f "$core" ] || continue
		cores=$((cores + 1))
		grep -Eaq "$secret_key|$secret_pg|$redis_password" "$core" && echo "a secret in a core file"
		rm "$core"
	done
	grep -Erlaq "$secret_key|$secret_pg|$redis_password" torture.out torture.log spool rejects 2>/dev/null &&
		echo "a secret in a log, in the rejects or in the spool"
	return 0
} >>problems

# The password is no affair of the service's environment, but for the URL.
redis() {
	REDISCLI_AUTH=$redis_password redis-cli -s "$tmp/redis.sock" "$@"
}
# When one of five has died at its stop point, the others need not take their time.
torture_bury() {
	local pids
	mapfile -t pids < <(torture_stages)
	sleep 0.1
	if [ ${#pids[@]} -eq 5 ]; then
		whole=$service_pid
	elif [ "$whole" = "$service_pid" ] && [ ${#pids[@]} -gt 0 ]; then
		kill -KILL "${pids[@]}" 2>/dev/null
	fi
	return 0
}

torture_redis() {
	redis_start --loglevel warning --dir "$tmp" --appendonly yes --appendfsync always --requirepass "$redis_password"
	export REDIS_URL=unix://:$redis_password@$tmp/redis.sock
}
torture_restart_server() {
	kills=$((kills + 1))
	if [ $((RANDOM % 2)) -eq 0 ]; then
		kill -QUIT "$pg_pid"
		wait "$pg_pid" 2>/dev/null
		sleep "0.$((RANDOM % 5))"
		pg_up
		wait_for 30 "$pg_bin/pg_isready" -q
	else
		kill -KILL "$redis_pid"
		wait "$redis_pid" 2>/dev/null
		sleep "0.$((RANDOM % 5))"
		torture_redis
	fi
	struck=1
}

# torture_begin [MILLISECONDS]: all as at first; a reply of the API takes so long.
torture_begin() {
	wait_for 30 sql "TRUNCATE ${tables// /, }"
	redis flushall >/dev/null
	[ -z "${sim_pid-}" ] || sim_stop
	rm -rf spool torture.out torture.log rejects noted "$tmp/sim.log"
	torture_faults >faults
	: >problems
	: >torture.out
	: >noted
	: >notes.now
	sim_start -N "$now" -d "${1:-15}" -k "$secret_key" -f faults
	unset published seen status message told
	declare -gA published=() seen=() status=() message=() told=()
}

# torture_undisturbed: the run that all others must equal; in want.dump, want.counts, want.done.
torture_undisturbed() {
	local id
	torture_begin
	torture_serve
	wait_for 20 grep -q 'listening on' torture.log
	for id in $jobs; do
		torture_publish "$id"
	done
	wait_for 60 torture_over || return 1
	serve_end
	torture_dump >want.dump
	torture_counts >want.counts
	torture_done torture.out >want.done
}

stop_points=(listen-kept store-committed status-noted status-final before-rename after-rename after-unlink)
point=0   # the next of them
planned=1 # whether each is to be had once before chance decides

# The stop point that the next life is to die at, or none, in stop.
torture_choose_stop() {
	stop=
	if [ "$planned" -eq 1 ]; then
		stop=${stop_points[point]}:$((RANDOM % 2 + 1))
	elif [ $((RANDOM % 3)) -eq 0 ]; then
		stop=${stop_points[RANDOM % ${#stop_points[@]}]}:$((RANDOM % 20 + 1))
	fi
}

# A life is over, or another is to begin.
torture_live() {
	local code
	wait "$service_pid"
	code=$?
	case $code in
	0 | 1 | 111 | 134 | 137 | 141) ;;
	*) echo "the service ended with $code" >>problems ;;
	esac
	if [ $code -eq 137 ] && [ -n "$stop" ] && [ -z "$struck" ]; then
		kills=$((kills + 1))
		if [ "$planned" -eq 1 ]; then
			point=$((point + 1))
			[ "$point" -lt ${#stop_points[@]} ] || planned=0
		fi
	fi
	torture_inspect
	torture_search
	stop=
	struck=
	torture_over && return
	{ [ "$kills" -ge "$most" ] && [ "$planned" -eq 0 ]; } || torture_choose_stop
	torture_serve "$stop"
}

# torture_round KILLS [SECONDS]: until all jobs are done, with harm until there were so many deaths or
# the time for it is over.
torture_round() {
	local most=$1 harm=$((SECONDS + ${2:-30})) stop struck=
	local deadline=$((harm + 90 * patience))
	torture_begin
	torture_choose_stop
	torture_serve "$stop"
	while [ $SECONDS -lt $deadline ]; do
		[ $SECONDS -lt $harm ] || most=0
		ended "$service_pid" && torture_live
		torture_over && break
		torture_publish_some
		[ $((RANDOM % 8)) -ne 0 ] || torture_secrets >>problems
		# Whoever is to die at a stop point is left in peace until then.
		if [ -n "$stop" ] && [ "$planned" -eq 1 ]; then
			torture_bury
			continue
		fi
		sleep "0.$((RANDOM % 4))"
		[ "$kills" -lt "$most" ] || continue
		if [ -n "$servers" ] && [ $((RANDOM % 3)) -eq 0 ]; then
			torture_restart_server
		else
			torture_kill
		fi
	done
	torture_over || echo "not all jobs are done in time" >>problems
	serve_end 2>/dev/null
	torture_finish
}

# What must hold at the end of a round.
torture_finish() {
	torture_dump >got.dump
	cmp -s got.dump want.dump || {
		echo "other rows than an undisturbed run:"
		diff want.dump got.dump | head -n 3
	} >>problems
	torture_counts >got.counts
	diff want.counts got.counts | head -n 6 >>problems
	torture_done torture.out >got.done
	{
		diff want.done got.done | head -n 6
		torture_repeated | sort | uniq -c | head -n 5
		find spool -type f ! -name '.*.lock' ! -name .listening | sed 's/^/left in the spool: /'
	} >>problems
	for pid in $(pgrep '^ts-'); do
		[[ $(readlink "/proc/$pid/exe") != "$bin"/* ]] || echo "left running: $(cat "/proc/$pid/comm")"
	done >>problems
	torture_search
	[ -s rejects ] || echo "no bar was rejected" >>problems
	[ ! -s problems ]
}
