#!/bin/sh
# The five stages joined. Without operands: serve the jobs published on Redis until told to stop.
# With operands: run these files of jobs (- is stdin) and end. See ts-pipeline(7).
#
# Each stage is a child of this script with a pipe of its own, so that a stop can be sent to the two
# stages that start work and every stage's exit status can be told. With TS_SHARE=1 the tasks are done by the
# hosts that run ts-work, and ts-share stands for ts-fetch and ts-store.
set -u

name=${0##*/}
me=${name%.sh}
usage() {
	cat <<-END
		usage: $name [-hV] [job-file ...]
		  -h  this help
		  -V  the version
		job-file: jobs, one JSON object a line; - is stdin. Without: serve the jobs published on Redis.
	END
}
fail() {
	status=$1
	shift
	echo "$me: error: $*" >&2
	exit "$status"
}
# shellcheck disable=SC3045 # each sh of today has it
files=$(ulimit -n)
[ "$files" = unlimited ] || [ "$files" -ge 32 ] || fail 111 "only $files open files are allowed: ulimit -n 256"
# Whatever is closed would be the number of something else soon.
{ true 9>&2; } 2>/dev/null || exec 2>/dev/null
{ true 9>&1; } 2>/dev/null || fail 111 "stdout is closed"
stdin=open
{ true 9<&0; } 2>/dev/null || { stdin='closed' && exec </dev/null; }

version=
case ${1-} in
-h | --help)
	usage || exit 111
	exit 0
	;;
-V | --version) version=1 ;;
--) shift ;;
-?*)
	echo "$me: error: $1: unknown option" >&2
	usage >&2
	exit 100
	;;
esac
if [ -z "$version" ]; then
	for file in "$@"; do
		if [ "$file" = - ]; then
			[ $stdin = open ] || fail 100 "-: stdin is closed"
		elif [ ! -r "$file" ]; then
			fail 100 "cannot read $file"
		fi
	done
fi

# The stages of a build beside this script come first, then the installed ones.
case $0 in
*/*) here=$(cd "${0%/*}" && pwd) ;;
*) here=. ;;
esac
[ -x "$here/build/ts-listen" ] && PATH=$here/build:$PATH
[ -n "${TS_BUILD-}" ] && PATH=$TS_BUILD:$PATH
stages='ts-fetch ts-store'
[ "${TS_SHARE-}" != 1 ] || stages=ts-share
for stage in ts-listen ts-expand $stages ts-status; do
	command -v "$stage" >/dev/null || fail 100 "$stage is not installed"
done
if [ -n "$version" ]; then
	was=$(ts-listen -V) || exit
	echo "$me ${was#* }"
	exit 0
fi
for tool in mktemp mkfifo rm sleep cat ${TS_DONE:+timeout}; do
	command -v "$tool" >/dev/null || fail 100 "$tool is not installed"
done
[ -z "${TS_DONE-}" ] || command -v "$TS_DONE" >/dev/null || fail 100 "TS_DONE: $TS_DONE is not a program"

service=0
[ $# -gt 0 ] || service=1
told=0
pids=
sources=
store=
status=
interrupted=0
started=
dir=
# Nothing new is begun from here on; the stages behind see the end of their input and finish.
pass_on() {
	# shellcheck disable=SC2086 # lists of pids
	if [ $told -eq 1 ]; then
		# Whoever waits for a run is told that it was cut short: ts-status goes on to its end of input,
		# but is to know why that comes. Then the sources, one after the other, so that the stages
		# between them see the end of their input; and ts-store, for which a Postgres that is away is
		# not to be waited for any more.
		[ $service -eq 1 ] || [ -z "$status" ] || kill -TERM "$status" 2>/dev/null
		for pid in $sources $store; do
			kill -TERM "$pid" 2>/dev/null
			sleep 0.1
		done
	else
		[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	fi
}
stop() {
	[ "$told" -gt 0 ] || interrupted=$1
	told=$((told + 1))
	[ -z "$started" ] || pass_on
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM
# At once, as a second signal does.
trap 'told=1; stop 131; interrupted=131' QUIT
# However a start fails, no stage is left behind. A shell that cannot open something ends with 2.
abandon() {
	code=$?
	[ -z "$dir" ] || rm -rf "$dir"
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	[ "$code" -ne 2 ] || code=111
	exit "$code"
}
trap abandon EXIT

# Opens the next pipe: 9 is its writing end, 8 its reading end. All the names are gone as soon
# as they are open, so that nothing is left behind, however this ends. Lower descriptors are left alone:
# a supervisor may hold a lock by one of them.
dir=$(mktemp -d) || fail 111 "cannot make a temporary folder"
mkfifo "$dir/1" "$dir/2" "$dir/3" "$dir/4" "$dir/5" || fail 111 "cannot make the pipes"
open() {
	# shellcheck disable=SC2094 # whoever opens one end waits for the other
	exec 9<>"$dir/$1" 8<"$dir/$1" 9>"$dir/$1"
}
# A stage that reads is there: the one before it writes to 7.
turn() {
	exec 7>&9 9>&- 8<&-
}

# Passes on each done record, and gives it to the program that TS_DONE names, for so many seconds at most.
tell() {
	unset MASSIVE_API_KEY MASSIVE_API_KEY_FILE DATABASE_URL PGPASSWORD REDIS_URL
	trap - EXIT
	while IFS= read -r line; do
		printf '%s\n' "$line"
		printf '%s\n' "$line" | timeout -k 2 10 "$TS_DONE" >&2 || echo "$me: warning: TS_DONE: $TS_DONE ended with $?" >&2
	done
}

# Becomes a stage, which is given no secret but its own. The stages that keep, skip, note and remove
# jobs share the folder that outlives a crash.
run() {
	case $1 in
	ts-listen | ts-share | ts-status) unset MASSIVE_API_KEY MASSIVE_API_KEY_FILE DATABASE_URL PGPASSWORD ;;
	ts-fetch)
		unset DATABASE_URL PGPASSWORD
		case " $* " in *@*) ;; *) unset REDIS_URL ;; esac
		;;
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
# TS_FETCH_FLAGS="-r 5/m -d -g".
# shellcheck disable=SC2086
{
	exec 7>&1
	if [ -n "${TS_DONE-}" ]; then
		open 5
		# By exec: a shell keeps a copy of what it closes for a function, here of the writing end.
		(exec <&8 3<&- 7>&- 8<&- 9>&- && tell) &
		hook=$!
		pids=$hook
		turn
	fi
	open 1
	run ts-status ${TS_STATUS_FLAGS-} <&8 >&7 3<&- 8<&- 9>&- 7>&- &
	status=$!
	pids="$pids $status"
	turn
	if [ "$stages" = ts-share ]; then
		open 3
		run ts-share ${TS_SHARE_FLAGS-} <&8 >&7 3<&- 8<&- 9>&- 7>&- &
	else
		open 2
		run ts-store ${TS_STORE_FLAGS-} <&8 >&7 3<&- 8<&- 9>&- 7>&- &
		store=$!
		pids="$pids $store"
		turn
		open 3
		run ts-fetch ${TS_FETCH_FLAGS-} <&8 >&7 3<&- 8<&- 9>&- 7>&- &
	fi
	fetch=$!
	pids="$pids $fetch"
	turn
	open 4
	rm -r "$dir"
	dir=
	run ts-expand ${TS_EXPAND_FLAGS-} <&8 >&7 3<&- 8<&- 9>&- 7>&- &
	expand=$!
	pids="$pids $expand"
	turn
	if [ $service -eq 1 ]; then
		run ts-listen ${TS_LISTEN_FLAGS-} </dev/null >&7 3<&- 7>&- &
		source=ts-listen
	else
		# The script's own stdin, which a background job would lose.
		run cat -- "$@" <&3 >&7 3<&- 7>&- &
		source="cat"
	fi
	first=$!
	exec 7>&-
} 3<&0
pids="$first $pids"
sources="$first $fetch"
started=1
trap - EXIT
# A signal may have come before there was anybody to pass it to.
[ $told -eq 0 ] || pass_on

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
	129 | 130 | 143) echo 3 ;;
	111) echo 4 ;;
	100) echo 6 ;;
	101) echo 7 ;;
	*) echo 5 ;;
	esac
}

worst=0
report=
note() {
	reap "$2"
	report="$report $1=$code"
	case $told/$1=$code in
	# Told to stop, ts-fetch may be gone before the stages ahead of it have seen their end of input.
	1/cat=141 | 1/ts-listen=141 | 1/ts-expand=141) code=0 ;;
	# A stage with work left. What a service leaves stands in its spool, or in each job's status.
	*=130 | *=143)
		if [ $service -eq 1 ]; then
			code=0
		elif [ "$interrupted" -gt 0 ]; then
			code=$interrupted
		fi
		;;
	esac
	[ "$(rank "$code")" -le "$(rank "$worst")" ] || worst=$code
}
note "$source" $first
note ts-expand $expand
note "${stages%% *}" $fetch
[ -z "$store" ] || note ts-store "$store"
note ts-status $status
[ -z "${hook-}" ] || reap "$hook"
# Of a run that went well each stage has said nothing, too.
[ $service -eq 0 ] && [ "$worst" -eq 0 ] || echo "$me: end$report" >&2

# Killed by a second signal or by SIGQUIT: by the first that came.
[ $told -lt 2 ] || [ $service -eq 1 ] || worst=$interrupted
# What failed in the life of a service stands in each job's status; being stopped is not a failure.
[ $service -eq 1 ] && [ $told -gt 0 ] && [ "$worst" -eq 1 ] && worst=0
exit "$worst"
