#!/usr/bin/env bash
# Limits on the rate that ts-fetch is not told: how long 150 tasks take, and how many requests are in vain.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
# shellcheck source=tests/e2e/nginx.sh
. "$here/nginx.sh"

sim_start -N 2025-12-16T17:00:30Z || exit 1
read -r limit429 limit503 half <<<"$(for _ in {1..3}; do free_port; done | xargs)"
nginx_conf "
	split_clients \$request_id \$refused { 50% 1; * 0; }
	server { listen 127.0.0.1:$limit429; location / { limit_req zone=a burst=3 nodelay; limit_req_status 429; proxy_pass $MASSIVE_URL; } }
	server { listen 127.0.0.1:$limit503; location / { limit_req zone=b burst=3 nodelay; proxy_pass $MASSIVE_URL; } }
	server { listen 127.0.0.1:$half; location / { if (\$refused) { return 429; } proxy_pass $MASSIVE_URL; } }"
nginx_up "$limit429" || exit 1
: >nginx.log
for n in 150 300; do
	tasks $n >tasks$n
done
# done_in NAME SECONDS TASKS: all are done, in that time.
done_in() {
	echo "# $1: $3 tasks in $(count "$1" seconds) s, $(count "$1" retries) requests in vain; load average $(cut -d ' ' -f 1 /proc/loadavg)"
	is "$(count "$1" fetched)/$(count "$1" failed)/$(grep -c unreachable "$1.err")" "$3/0/0" "$1: no task is lost"
	perl -e 'exit !($ARGV[0] <= $ARGV[1])' "$(count "$1" seconds)" "$(perl -e 'print $ARGV[0] * $ARGV[1]' "$2" "$patience")"
	ok $? "$1: $2 s at most"
}
# 4 at once and 20 a second: 7.3 s at best.
for name in limit429 limit503; do
	fetch $name "http://localhost:${!name}" tasks150
	done_in $name 12 150
done
# Half of all replies are a refusal whatever the pace, of each page the first one: as long as so many
# requests take at the rate of -r, and half as much again.
echo '* * 429 1' >faults
sim_start -N 2025-12-16T17:00:30Z -f faults || exit 1
fetch inturn "$MASSIVE_URL" tasks300 ts-fetch -r 20/s
done_in inturn 45 300
# The same by chance: there a row of refusals looks like a quota that is gone.
for parallel in 8 1; do
	name=bychance$parallel
	fetch $name "http://localhost:$half" tasks300 ts-fetch -j $parallel
	done_in $name 120 300
done
done_testing
