# shellcheck shell=bash disable=SC2034
# Jobs whose requests are counted, plain and with what ts-fetch has to make them fewer: by the simulator's log.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

now=2025-12-23T05:00:00Z
all=1min,hour,day,week,month

# job SYMBOLS YEARS TIMEFRAMES [ABSENT]: into tasks, so many of the symbols being traded over the counter, and a
# simulator whose market they are, with sim_options.
sim_options=()
job() {
	[ -z "${sim_pid-}" ] || sim_stop
	{ seq -f S%04g $(($1 - ${4:-0})); seq -f OTC%g "${4:-0}"; } >universe
	sim_start -N $now -g universe "${sim_options[@]}" || exit 1
	options=(-N "$now" -y "$2" -t "$3" -l universe)
	ts-expand -q "${options[@]}" >tasks
}
# planned FLAG...: the requests that ts-expand plans for the job.
planned() {
	ts-expand -n "${options[@]}" "$@" | sed -n 's/^\([0-9]*\) requests*$/\1/p'
}
