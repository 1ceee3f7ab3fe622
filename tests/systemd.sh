#!/usr/bin/env bash
# The package and its units under a systemd that runs: a Debian 12 of its own, made by debootstrap and kept in
# FOLDER, is booted in a container without a network, on a layer that is thrown away. Needs root.
# usage: systemd.sh FOLDER
# shellcheck disable=SC2016
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/e2e/lib.sh"
# shellcheck source=tests/e2e/pages.sh
. "$here/pages.sh"

case ${1?} in /*) folder=$1 ;; *) folder=$OLDPWD/$1 ;; esac
root=$folder/root
now=2025-12-16T17:00:30Z
mkdir -p "$folder"
if [ ! -e "$folder/made" ]; then
	rm -rf "$root"
	debootstrap --variant=minbase --include=systemd-sysv,dbus,postgresql,redis-server,jq,procps,libcurl4,libdeflate0,libhiredis0.14,libmicrohttpd12,tzdata \
		bookworm "$root" >"$folder/log" 2>&1 || { tail "$folder/log" >&2; exit 1; }
	touch "$folder/made"
fi
cp "$build"/tickstock-loader_*.deb "$root/root/loader.deb"
cp "$build/ts-sim" "$top/tests/sim/calendar.tsv" "$root/root/"

systemd-nspawn --register=no --keep-unit --private-network --volatile=overlay -D "$root" --boot >boot.log 2>&1 </dev/null &
container=$!
started+=("$container")
# inside COMMAND...: in the container, as its root.
inside() {
	local leader
	leader=$(pgrep -P $container -x systemd) || return
	nsenter -t "$leader" -a -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}
# property NAME [UNIT]
property() {
	inside systemctl show -p "$1" --value "${2:-ts-pipeline}"
}
property_is() {
	[ "$(property "$1" "${3:-ts-pipeline}")" = "$2" ]
}
field() {
	inside redis-cli --raw hget "tickstock.jobs.status:$1" "$2"
}
ended_as() {
	[ "$(field "$1" status)" = "$2" ]
}
# load ID COUNT: a job of so many symbols.
load() {
	inside redis-cli publish tickstock.jobs.data_load "$(jq -nc --arg id "$1" --arg now $now --argjson n "$2" \
		'{job_id: $id, source: "test", symbols: [range($n) | "\($id)\(.)" | ascii_upcase], timeframes: ["day", "hour"], years: 0.02, received_at: $now}')" >/dev/null
}
# sim PATH: what the simulator is told.
sim() {
	inside bash -c "exec 3<>/dev/tcp/127.0.0.1/\$(cat /run/sim.port) && printf 'GET /sim/$1 HTTP/1.0\r\n\r\n' >&3 && cat <&3" >/dev/null
}
journal() {
	inside journalctl -u "$1" --no-pager -q -o cat
}
db() {
	inside su postgres -c "psql -X -q -A -t -d tickstock -c \"$1\""
}
# typed PAGE BLOCK: as root types it; what asks for a password is given PASSWORD twice.
typed() {
	awk -v name="$2" '/^\.\\" block / {n = $3} /^\.Ed/ {n = ""; b = 0} b && n == name; /^\.Bd/ {b = 1}' "$top/doc/$1" |
		sed 's/^# //; s/^sudo //' | unroff >steps
	[ -s steps ] || echo false >steps
	printf 'PASSWORD\nPASSWORD\n' | inside setsid -w sh -e -c "cd / && $(cat steps)" >typed.log 2>&1
}

up() {
	[ "$(inside systemctl is-system-running)" = running ] || ended "$container"
}
wait_for 60 up
is "$(inside systemctl is-system-running)" running "systemd runs" || { tail boot.log; inside systemctl --failed; exit 1; }
inside dpkg -i /root/loader.deb >dpkg.log 2>&1
ok $? "the package installs" || sed 's/^/# /' dpkg.log
for unit in ts-pipeline.service ts-sync.service ts-sync.timer ts-work@1.service; do
	is "$(inside systemd-analyze verify --man=no $unit 2>&1)" "" "systemd-analyze has nothing against $unit"
	case $unit in
	*.timer) ;;
	*) like "$(inside systemd-analyze security --no-pager $unit | tail -n 1)" 'level for .*: 1\.[0-2] OK' "its exposure is 1.2 of 10" ;;
	esac
done
inside sh -c "setsid /root/ts-sim -P /run/sim.port -c /root/calendar.tsv -N $now -d 20 -l /run/sim.log >/dev/null 2>&1 </dev/null &"
wait_for 10 inside test -s /run/sim.port

typed ts-pipeline.7 systemd-service
is "$?/$(property ActiveState)" 0/active "the steps of the page end in a running service" || sed 's/^/# /' typed.log
wait_for 15 inside ts-health ts-pipeline.service
is "$(inside ts-health ts-pipeline.service)" well "which is well"
inside sh -c 'printf "MASSIVE_URL=http://127.0.0.1:%s\nTS_DONE=/usr/local/bin/told\n" "$(cat /run/sim.port)" >>/etc/ts-pipeline.env
	printf "#!/bin/sh\nexec logger -t told\n" >/usr/local/bin/told; chmod 755 /usr/local/bin/told'
inside systemctl restart ts-pipeline
wait_for 15 eval 'inside pgrep -x ts-listen'
main=$(property MainPID)
is "$(inside sh -c "grep -hE '^(NoNewPrivs|CapEff)' /proc/$main/status; ps -o uid= --ppid $main | sort -u | grep -c -x ' *0'" | tr -d '\n' | tr '\t' ' ')" \
	"CapEff: 0000000000000000NoNewPrivs: 10" "no stage is root's, has a capability or can get one"
unlike "$(inside sh -c "cat /proc/$main/environ /proc/[0-9]*/cmdline" | tr '\0' '\n')" '^KEY$|=KEY$' "the key is a credential, not in an environment or an argument"

# Jobs, and what kills them.
load one 2
wait_for 30 ended_as one completed
is "$(field one stored_tasks)" 4 "a job loads"
wait_for 10 eval 'inside journalctl --no-pager -q -o cat -t told | grep -q "\"job_id\":\"one\",\"status\":\"completed\""'
ok $? "and TS_DONE is told, within the unit's confinement"
sim hold/100
load crash 600
wait_for 20 ended_as crash running
inside sh -c "kill -KILL \$(pgrep -P $main -x ts-store)"
sim go
wait_for 60 ended_as crash completed
is "$(field crash stored_tasks)/$(property NRestarts)" 1200/1 "kill -9 of a stage: started again, and the job is complete"
sim hold/100
load drain 600
wait_for 20 ended_as drain running
inside systemctl stop --no-block ts-pipeline
wait_for 10 property_is ActiveState deactivating
sim go
wait_for 60 property_is ActiveState inactive
is "$(property ActiveState)/$(property Result)/$(property ExecMainStatus)" inactive/success/0 "systemctl stop is a drain"
like "$(field drain message)" '^interrupted: [0-9]+ of 1200 tasks are left for the next start' "and the status says what is left"
inside systemctl start ts-pipeline
wait_for 60 ended_as drain completed
is "$(field drain stored_tasks)" 1200 "started, it does the rest"
inside ts-health ts-pipeline.service >/dev/null
is $? 0 "and is well"

# A wrong setting: down, for good.
inside sh -c 'cp /etc/ts-pipeline.env /root/env; echo "TS_FETCH_FLAGS=-j none" >>/etc/ts-pipeline.env'
inside systemctl restart ts-pipeline
wait_for 20 property_is ActiveState failed
is "$(property ActiveState)/$(property SubState)/$(property ExecMainStatus)/$(property NRestarts)" failed/failed/100/0 "exit 100: it stays down"
is "$(inside ts-health ts-pipeline.service 2>&1)/$?" "exit 100: wrong usage, configuration or schema/1" "ts-health says why"
like "$(journal ts-pipeline | tail -n 20)" 'ts-fetch: error: ' "so does the journal"
inside sh -c 'mv /root/env /etc/ts-pipeline.env; systemctl start ts-pipeline'
wait_for 15 inside ts-health ts-pipeline.service
ok $? "mended and started, it is well"

# ts-sync, by its recipe and by its timer.
inside sh -c "printf '{\"job_id\":\"n\",\"symbols\":[\"AAPL\"],\"timeframes\":[\"day\",\"week\"],\"years\":0.02,\"received_at\":\"$now\"}\n' >/job.json"
typed ts-cookbook.7 nightly-systemd
is "$?/$(property Result ts-sync)/$(db 'SELECT count(*) FROM ohlcv_daily WHERE symbol = \$\$AAPL\$\$')" 0/success/5 "the recipe of the cookbook loads the night's job" ||
	{ sed 's/^/# /' typed.log; journal ts-sync; }
is "$(journal ts-sync | grep -cE '^ts-[a-z]+: ')" 0 "and has nothing to say"
like "$(inside env TZ=America/New_York systemctl list-timers --no-pager ts-sync.timer)" '(Mon|Tue|Wed|Thu|Fri) [0-9-]+ 21:[34][0-9]:' "the next time is a weekday's evening in New York"
inside sh -c 'echo "{\"job_id\":\"n\",\"symbols\":[\"NO WAY\"],\"timeframes\":[\"day\"],\"years\":0.02}" >/etc/ts-sync/wrong.json'
inside systemctl start ts-sync 2>/dev/null
is "$(property Result ts-sync)/$(property ExecMainStatus ts-sync)" exit-code/1 "a night that is not complete is a failed unit"

# A host.
inside systemctl start ts-work@1
wait_for 20 property_is ActiveState active ts-work@1
is "$(inside sh -c "ts-expand -N $now -y 0.02 IBM | timeout 60 ts-share -q" | grep -c '"stored"')" 1 "ts-work@1 does what ts-share hands out"
inside systemctl stop ts-work@1
is "$(property Result ts-work@1)/$(property ExecMainStatus ts-work@1)" success/0 "and stops"

# The end.
inside dpkg -r tickstock-loader >dpkg.log 2>&1
is "$?/$(inside pgrep -c -x ts-listen)" 0/0 "removing the package leaves nothing at work" || sed 's/^/# /' dpkg.log
done_testing
