#!/bin/sh
# The five stages joined. Without operands: serve the jobs published on Redis until told to stop.
# With operands: run these files of jobs (- is stdin) and end. See ts-pipeline(7).
#
# Each stage is a child of this script with a pipe of its own, so that a stop can be sent to the two
# stages that start work and every stage's exit status can be told.
set -u

usage() {
	echo "usage: pipeline.sh [job-file ...]"
}

case ${1-} in
-h)
	usage
	exit 0
	;;
-?*)
	usage >&2
	exit 100
	;;
esac
for file in "$@"; do
	if [ "$file" != - ] && [ ! -r "$file" ]; then
		echo "pipeline: error: cannot read $file" >&2
		exit 100
	fi
done

# The stages of a build beside this script come first, then the installed ones.
here=$(cd "$(dirname "$0")" && pwd)
[ -x "$here/build/ts-listen" ] && PATH=$here/build:$PATH
[ -n "${TS_BUILD-}" ] && PATH=$TS_BUILD:$PATH
for stage in ts-listen ts-expand ts-fetch ts-store ts-status; do
	if ! command -v $stage >/dev/null; then
		echo "pipeline: error: $stage is not installed" >&2
		exit 100
	fi
done

service=0
[ $# -gt 0 ] || service=1
told=0
pids=
sources=
status=
# Nothing new is begun from here on; the stages behind see the end of their input and finish.
stop() {
	told=$((told + 1))
	# shellcheck disable=SC2086 # lists of pids
	if [ $told -eq 1 ]; then
		# Whoever waits for a run is told that it was cut short: ts-status goes on to its end of input,
		# but is to know why that comes. Then the sources, one after the other, so that the stages
		# between them see the end of their input.
		[ $service -eq 1 ] || [ -z "$status" ] || kill -TERM "$status" 2>/dev/null
		for pid in $sources; do
			kill -TERM "$pid" 2>/dev/null
			sleep 0.1
		done
	else
		[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	fi
}
trap stop TERM INT HUP

# Opens the next pipe: 9 is its writing end, 8 its reading end. The names of all four are gone as soon
# as they are open, so that nothing is left behind, however this ends. Lower descriptors are left alone:
# a supervisor may hold a lock by one of them.
dir=$(mktemp -d) && mkfifo "$dir/1" "$dir/2" "$dir/3" "$dir/4" || exit 111
open() {
	# shellcheck disable=SC2094 # whoever opens one end waits for the other
	exec 9<>"$dir/$1" 8<"$dir/$1" 9>"$dir/$1"
}
# A stage that reads is there: the one before it writes to 7.
turn() {
	exec 7>&9 9>&- 8<&-
}

# Becomes a stage, which is given no secret but its own. The stages that keep, skip, note and remove
# jobs share the folder that outlives a crash.
run() {
	case $1 in
	ts-listen | ts-status) unset MASSIVE_API_KEY MASSIVE_API_KEY_FILE DATABASE_URL PGPASSWORD ;;
	ts-fetch) unset REDIS_URL DATABASE_URL PGPASSWORD ;;
	ts-store) unset MASSIVE_API_KEY MASSIVE_API_KEY_FILE REDIS_URL ;;
	*) unset MASSIVE_API_KEY MASSIVE_API_KEY_FILE REDIS_URL DATABASE_URL PGPASSWORD ;;
	esac
	# Without it ts-expand complains when no job came.
	[ $service -eq 0 ] || export TS_SERVICE=1
	case $1 in
	ts-listen | ts-expand | ts-status)
		[ $service -eq 1 ] && [ -n "${TS_SPOOL-}" ] && set -- "$@" -s "$TS_SPOOL"
		;;
	esac
	exec "$@"
}

# From the last to the first: when jobs are listened for, all are there. The flags of a stage are words:
# TS_FETCH_FLAGS="-j 4 -r 5/m".
# shellcheck disable=SC2086
{
	open 1
	run ts-status ${TS_STATUS_FLAGS-} <&8 3<&- 8<&- 9>&- &
	status=$!
	turn
	open 2
	run ts-store ${TS_STORE_FLAGS-} <&8 >&7 3<&- 8<&- 9>&- 7>&- &
	store=$!
	turn
	open 3
	run ts-fetch ${TS_FETCH_FLAGS-} <&8 >&7 3<&- 8<&- 9>&- 7>&- &
	fetch=$!
	turn
	open 4
	rm -r "$dir"
	run ts-expand ${TS_EXPAND_FLAGS-} <&8 >&7 3<&- 8<&- 9>&- 7>&- &
	expand=$!
	turn
	if [ $service -eq 1 ]; then
		run ts-listen ${TS_LISTEN_FLAGS-} </dev/null >&7 3<&- 7>&- &
		name=ts-listen
	else
		# The script's own stdin, which a background job would lose.
		run cat -- "$@" <&3 >&7 3<&- 7>&- &
		name="cat"
	fi
	first=$!
	exec 7>&-
} 3<&0
pids="$first $expand $fetch $store $status"
sources="$first $fetch"
# A signal may have come before there was anybody to pass it to.
[ $told -eq 0 ] || stop

# Waits for a child and sets code to its exit status. A signal interrupts wait, so wait again; a shell
# that has given the status already answers 127 then.
reap() {
	code=127
	while :; do
		seen=$told
		wait "$1"
		got=$?
		[ $got -eq 127 ] || code=$got
		[ "$told" -ne "$seen" ] || return 0
	done
}

# How bad a status is: what must not be restarted comes before what may, a cause before its effect.
rank() {
	case $1 in
	0) echo 0 ;;
	1) echo 1 ;;
	141) echo 2 ;;
	111) echo 3 ;;
	100) echo 5 ;;
	101) echo 6 ;;
	*) echo 4 ;;
	esac
}

worst=0
report=
note() {
	reap "$2"
	report="$report $1=$code"
	# Told to stop, ts-fetch may be gone before the stages ahead of it have seen their end of input. Of
	# work that is left only those who wait for it need to know: a service goes on with it.
	[ $told -eq 1 ] && case $service/$1=$code in
	?/cat=143 | ?/cat=141 | ?/ts-listen=141 | ?/ts-expand=141 | 1/*=143) code=0 ;;
	esac
	[ "$(rank "$code")" -le "$(rank "$worst")" ] || worst=$code
}
note $name $first
note ts-expand $expand
note ts-fetch $fetch
note ts-store $store
note ts-status $status
echo "pipeline: end$report" >&2

# What failed in the life of a service stands in each job's status; being stopped is no failure.
[ $service -eq 1 ] && [ $told -gt 0 ] && [ "$worst" -eq 1 ] && worst=0
exit "$worst"
