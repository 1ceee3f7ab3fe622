#!/usr/bin/env bash
# A year of 30 symbols in 5 timeframes over TLS and HTTP/2 through nginx, which is reloaded, ended in peace
# and started again, and stopped at once, each in the middle of the load: the same rows, and no task lost.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
# shellcheck source=tests/e2e/nginx.sh
. "$here/nginx.sh"

now=2025-12-16T17:00:30Z
sim_start -N "$now" -d 50 -m 500 || exit 1
h2=$(free_port)
authority || exit 1
nginx_conf "server { listen 127.0.0.1:$h2 ssl http2; $tls location / { proxy_pass $MASSIVE_URL; } }"
nginx_up "$h2" || exit 1
export SSL_CERT_FILE=$tmp/ca.pem
mapfile -t symbols < <(printf 'S%02d\n' {1..30})
ts-expand -N "$now" -y 1 -t 1min,hour,day,week,month "${symbols[@]}" >tasks 2>expand.err
is "$(grep -c '"task"' tasks)" 150 "150 tasks"

# load NAME: its bars become a number and a sum that does not depend on their order, in NAME.sum.
load() {
	ts-fetch -u "https://localhost:$h2" <tasks 2>"$1.err" |
		SUM=$1.sum perl -MDigest::MD5=md5 -ne 'if (/"type":"bar"/) { $n++; $sum ^= md5($_) } else { print }
			END { open S, ">", $ENV{SUM}; print S "$n ", unpack "H*", $sum }' >"$1.out"
}
# shellcheck disable=SC2317 # by wait_for
asked() {
	[ "$(wc -l <nginx.log)" -ge "$1" ]
}
whole() {
	is "$(count "$1" fetched)/$(count "$1" failed)/$(cat "$1.sum")" "150/0/$(cat quiet.sum)" \
		"$1: $(count "$1" bars) bars in $(count "$1" seconds) s, the same as of an undisturbed load"
	echo "# $1: $(count "$1" requests) requests, $(count "$1" retries) of them again"
}
load quiet
all=$(count quiet requests)
echo "# undisturbed: $(cat quiet.sum), $all requests, $(count quiet seconds) s; load average $(cut -d ' ' -f 1 /proc/loadavg)"

# disturbed NAME COMMAND: at a quarter, a half and three quarters of the requests.
disturbed() {
	local i
	: >nginx.log
	load "$1" &
	load_pid=$!
	for i in 1 2 3; do
		wait_for 60 asked $((i * all / 4))
		"$2"
	done
	wait "$load_pid"
	whole "$1"
}
reload() {
	kill -HUP "$nginx_pid"
}
# again SIGNAL: it is ended, and once it is over another one.
again() {
	kill "-$1" "$nginx_pid"
	wait "$nginx_pid"
	nginx_up "$h2"
}
quit() { again QUIT; }
restart() { again TERM; }
disturbed reload reload
is "$(count reload retries)/$(grep -c unreachable reload.err)" 0/0 "reload: no try is counted, and no outage is told"
disturbed quit quit
unlike "$(grep ' retry ' quit.err)" 'HTTP/2|stream|GOAWAY|Send failure|died' "quit: none for a connection that ended in peace"
disturbed restart restart
done_testing
