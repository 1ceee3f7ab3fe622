#!/usr/bin/env bash
# Servers that drip, at full length: no byte, hardly any, and as few as are let pass for 5 minutes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
# shellcheck source=tests/e2e/nginx.sh
. "$here/nginx.sh"

tasks 1 >task
head=$'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n{'
drip body "$head" 1 1
drip header $'HTTP/1.1 200 OK\r\nX-Long: ' 1 1
drip nothing "$head" 1000 1
drip long "$head" 1 2000
# Until the first try is given up.
for name in body header nothing long; do
	ts-fetch -u "http://127.0.0.1:$(cat $name.port)" <task >$name.out 2>$name.err &
	started+=($!)
	eval "${name}_pid=$!"
done
# given_up NAME SECONDS WORDS
given_up() {
	local pid=${1}_pid
	wait_for $(($2 - SECONDS + 60)) grep -q ' retry ' "$1.err"
	kill -TERM "${!pid}"
	wait "${!pid}"
	like "$(grep ' retry ' "$1.err")" "try=1 more=0 .* transfer failed: $3\$" "$1: $3"
	[ "$SECONDS" -ge "$2" ]
	ok $? "$1: not before $2 s"
}
given_up body 30 'less than 1 kB/s for 30 s'
given_up header 30 'no whole header for 30 s'
given_up nothing 30 'no byte for 30 s'
given_up long 300 'not complete after 5 minutes'
done_testing
