#!/usr/bin/env bash
# ts-fetch against the simulator: each fault of the API, fair turns, pacing, stopping, broken pipes and
# broken lines.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# The lines of start and end are told, as in a service.
export TS_SERVICE=1
fetch=$build/ts-fetch
export TS_TEST_TMP=$tmp
export MASSIVE_API_KEY=Key-Of-The-Test.1234
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

timeout() {
	command timeout $(($1 * patience)) "${@:2}"
}

# has FILE PATTERN NAME; hasnt: the opposite
has() {
	grep -q -- "$2" "$1"
	local s=$?
	ok $s "$3"
	[ $s -eq 0 ] || { echo "# no $2 in:"; head -5 "$1" | cut -c 1-300 | sed 's/^/# /'; }
}
hasnt() {
	! grep -q -- "$2" "$1"
	ok $? "$3"
}

# sim NAME OPTION...: starts a simulator; its address is then in $url.
sim() {
	local name=$1
	shift
	: >"$tmp/$name.log"
	"$build/ts-sim" -c "$here/../sim/calendar.tsv" -N 2025-12-23T17:15:13Z -P "$tmp/$name.port" \
		-l "$tmp/$name.log" "$@" >/dev/null 2>"$tmp/$name.sim" &
	started+=($!)
	for _ in $(seq 100); do
		[ -s "$tmp/$name.port" ] && break
		sleep 0.05
	done
	url=http://127.0.0.1:$(cat "$tmp/$name.port")
}

# task JOB SYMBOL TIMEFRAME FROM TO
task() {
	printf '{"type":"task","job_id":"%s","symbol":"%s","timeframe":"%s","from":"%s","to":"%s"}\n' "$@"
}

# A week of days; a session of minutes.
week() { task "$1" "$2" day 2025-12-15 2025-12-19; }
session() { task "$1" "$2" 1min 2025-12-22T14:30:00Z 2025-12-22T21:00:00Z; }

# verdict FILE SYMBOL: type and error or count of the record that ends a symbol's task
verdict() {
	grep -e '"type":"failed"' -e '"type":"fetched"' "$1" | grep "\"symbol\":\"$2\"" |
		sed -e 's/.*"type":"fetched".*"bars":\([0-9]*\).*/fetched \1/' \
			-e 's/.*"type":"failed".*"error":"\(.*\)"}$/failed \1/'
}

# How much was downloaded depends on how it was asked for: not to be compared.
unsized() { sed 's/,"bytes":[0-9]*}$/}/'; }

bars() { grep '"type":"bar"' "$1" | grep "\"symbol\":\"$2\""; }
# await FILE PATTERN: until the file has it, 10 s x patience at most
await() {
	local i
	for ((i = 0; i < 200 * patience; i++)); do
		grep -q -- "$2" "$1" 2>/dev/null && return
		sleep 0.05
	done
}
requests() { grep -c "/ticker/$2/" "$tmp/$1.log"; }
now_ms() { date +%s%3N; }

cat >"$tmp/faults" <<'END'
PLAN * 403plan
ENTL * 403entitled
FORB * 403forbidden
NOTF * 404
BADR * 400
NAUT * 200notauth
NFND * 200notfound
REDI * redirect
HUGE * huge
LOOP * loop
ENDL * endless
OHST * otherhost
EMPT * emptypage
DELA * delayed
DUPL * dup
BIGN * bignum
BHL * badrow=hl
BNOC * badrow=noc
BNUL * badrow=nullo
BNEG * badrow=negv
BSTR * badrow=strp
BNAS * badrow=nanstr
BHUG * badrow=huge
BHGV * badrow=hugev
A500 * 500
A502 * 502html
AERR * 200error
AHTM * html200
ACUJ * cutjson
AGAR * garbage
ACUT * cut
ARES * reset
AOTK * otherticker
AOAD * otheradjusted
AWCN * wrongcount
AUNS * unsorted
ANAN * badrow=nan
H500 * 500 2
H502 * 502html 2
HERR * 200error 2
HHTM * html200 2
HCUJ * cutjson 2
HGAR * garbage 2
HCUT * cut 2
HRES * reset 2
HOTK * otherticker 2
HOAD * otheradjusted 2
HWCN * wrongcount 2
HUNS * unsorted 2
HNAN * badrow=nan 2
P500 * page2-500 2
PCUT * page2-cut 2
PPLN * page2-403plan
R503 * 503retry=1 1
R429 * 429retry=1 1
S429 * 429 1
E429 * 429empty 1
D429 * 429retryday 1
L429 * 429retry=1
STAL * stall 1
SLOW * slow 1
END
sim main -k "$MASSIVE_API_KEY" -f "$tmp/faults"
main=$url
sim late -d 100
late=$url
sim plain
plain=$url
sim small -b 100
small=$url

# What takes long starts now and is looked at further down.
# One process for each: where several fail together it is the service's fault.
always="A500 A502 AERR AHTM ACUJ AGAR ACUT ARES AOTK AOAD AWCN AUNS ANAN REDI"
always_pids=
for s in $always; do
	week j "$s" | timeout 90 "$fetch" -u "$main" >"$tmp/$s.out" 2>"$tmp/$s.err" &
	always_pids="$always_pids $!"
done
# Those that fail for ever are the last of a job, in whatever way: each is its own.
printf '%s\n' 'B1 * 500' 'B2 * 502html' 'B3 * html200' 'B4 * cut' 'B5 * reset' 'B6 * redirect' >"$tmp/last.faults"
sim last -f "$tmp/last.faults"
{ for i in {1..20}; do week j "G$i"; done; for i in {1..6}; do week j "B$i"; done; } |
	timeout 90 "$fetch" -u "$url" >"$tmp/last.out" 2>"$tmp/last.err" &
last_pid=$!
hasty=$build/stop/impatient/obj/ts-fetch
# An API that is not there yet, and one whose gateway alone is.
sim absent -p "$(free_port)"
absent=$url
absent_pid=${started[-1]}
kill "$absent_pid"
wait "$absent_pid"
for s in AWY1 AWY2 AWY3; do week j $s; done |
	timeout 120 "$fetch" -u "$absent" >"$tmp/absent.out" 2>"$tmp/absent.err" &
away_pid=$!
# shellcheck disable=SC2094 # one waits for what the other writes
{
	week j GUP1
	session j GUP1
	wait_for 40 grep -q 'all pending tasks have failed' "$tmp/hasty.err" >&2
	week later GUP2
} | timeout 60 "$hasty" -j 1 -u http://127.0.0.1:1 >"$tmp/hasty.out" 2>"$tmp/hasty.err" &
hasty_pid=$!
echo '* * 502html' >"$tmp/gateway.faults"
sim gateway -f "$tmp/gateway.faults"
gateway=$url
for s in $(seq 20); do week j "GW$s"; done |
	timeout 120 "$fetch" -u "$gateway" >"$tmp/gateway.out" 2>"$tmp/gateway.err" &
gateway_pid=$!
(
	until grep -q 'API is unreachable' "$tmp/absent.err" && grep -q 'API is unreachable' "$tmp/gateway.err"; do
		sleep 0.1
	done
	sleep 10
	cat "$tmp/absent.out" "$tmp/gateway.out" | grep -v -c -e '"loading"' -e '"waiting"' >"$tmp/early"
	: >"$tmp/gateway.faults"
	exec "$build/ts-sim" -c "$here/../sim/calendar.tsv" -N 2025-12-23T17:15:13Z -p "${absent##*:}" >"$tmp/absent.sim" 2>&1
) &
started+=($!)
week j STAL | timeout 60 "$fetch" -v -u "$main" >"$tmp/stall.out" 2>"$tmp/stall.err" &
stall_pid=$!
week j ENDL | timeout 60 "$fetch" -u "$main" >"$tmp/endless.out" 2>"$tmp/endless.err" &
endless_pid=$!
for s in R429 S429 E429 D429; do
	{ week j $s; week j "O$s"; } | timeout 60 "$fetch" -u "$main" >"$tmp/$s.out" 2>"$tmp/$s.err" &
	eval "${s}_pid=$!"
done
{ week j L429; for i in 1 2 3 4; do week j "L429x$i"; done; } |
	timeout 60 "$hasty" -u "$main" >"$tmp/L429.out" 2>"$tmp/L429.err" &
L429_pid=$!
# A reader that takes nothing: after SIGTERM 10 s are granted, no more.
mkfifo "$tmp/stuck.fifo"
exec 5<>"$tmp/stuck.fifo"
{ for i in 1 2 3 4 5 6 7 8; do session j "K$i"; done; } >"$tmp/stuck.in"
"$fetch" -u "$plain" <"$tmp/stuck.in" >"$tmp/stuck.fifo" 2>"$tmp/stuck.err" &
stuck_pid=$!
started+=("$stuck_pid")
await "$tmp/plain.log" /ticker/K8/
sleep 0.7
stuck_start=$(now_ms)
kill -TERM $stuck_pid

# --- records -------------------------------------------------------------------------------------

{
	echo '{"type":"job","job_id":"j"}'
	week j AAPL
	session j AAPL
	task j AAPL hour 2025-12-22T14:00:00Z 2025-12-22T21:00:00Z
	task j AAPL week 2025-12-14 2025-12-20
	task j AAPL month 2025-11-01 2025-11-30
	week j NONE1
	week j NULL1
	week j EMPTYARR1
} | timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
is $? 0 "plain tasks: exit 0"
is "$(head -1 "$tmp/out")" '{"type":"job","job_id":"j"}' "other records pass through first"
is "$(grep -c '"type":"loading"' "$tmp/out")" 8 "loading for each task"
is "$(bars "$tmp/out" AAPL | grep -c '"day"')" 5 "5 daily bars"
is "$(bars "$tmp/out" AAPL | grep -c '"1min"')" 390 "390 minutes"
is "$(bars "$tmp/out" AAPL | grep -c '"hour"')" 7 "7 hours"
is "$(bars "$tmp/out" AAPL | grep -c '"date":"2025-12-14"')" 1 "the week is dated on its Sunday"
is "$(bars "$tmp/out" AAPL | grep -c '"date":"2025-11-01"')" 1 "the month is dated on its first"
has "$tmp/out" '^{"type":"fetched","job_id":"j","symbol":"AAPL","timeframe":"1min","from":"2025-12-22T14:30:00Z","to":"2025-12-22T21:00:00Z","bars":390,"first":"2025-12-22T14:30:00Z","last":"2025-12-22T20:59:00Z","bytes":[0-9]*}$' "fetched, as documented"
has "$tmp/out" '"symbol":"NONE1".*"bars":0,"bytes":[0-9]*}$' "no results key: fetched, 0 bars, no first and last"
is "$(verdict "$tmp/out" NULL1) $(verdict "$tmp/out" EMPTYARR1)" "fetched 0 fetched 0" "null and empty results"
grep '"bar"' "$tmp/out" | grep -vEq '^\{"type":"bar","symbol":"[A-Z]+","timeframe":"(1min|hour)","timestamp":"[0-9T:-]{19}Z","open":[0-9.]+,"high":[0-9.]+,"low":[0-9.]+,"close":[0-9.]+,"volume":[0-9]+\}$|^\{"type":"bar","symbol":"[A-Z]+","timeframe":"(day|week|month)","date":"[0-9-]{10}","open":[0-9.]+,"high":[0-9.]+,"low":[0-9.]+,"close":[0-9.]+,"volume":[0-9]+\}$'
is $? 1 "each bar has the documented form"
has "$tmp/err" '^ts-fetch: end tasks=8 fetched=8 failed=0 .* requests=8 retries=0' "the end line counts"
has "$tmp/plain.log" '/v2/aggs/ticker/AAPL/range/1/minute/1766413800000/1766437199999?adjusted=true&sort=asc&limit=50000$' "the request, as documented"
# Bars before their fetched.
perl -ne '/"symbol":"(\w+)","timeframe":"(\w+)"/ or next; my $k = "$1 $2";
	$done{$k} = 1 if /"fetched"/; $bad = 1 if /"type":"bar"/ && $done{$k}; $bad = 1 if /"type":"bar"/ && !$load{$k};
	$load{$k} = 1 if /"loading"/; END { exit($bad ? 1 : 0) }' "$tmp/out"
ok $? "bars come after their loading and before their fetched"

for tz in America/Chicago Asia/Tokyo UTC; do
	{ week j AAPL; session j AAPL; } | TZ=$tz timeout 20 "$fetch" -j 1 -u "$plain" 2>/dev/null | md5sum
done | sort -u >"$tmp/tz"
is "$(wc -l <"$tmp/tz")" 1 "the host's time zone does not matter"

session j AAPL | timeout 20 "$fetch" -x -u "$plain" >"$tmp/x.out" 2>/dev/null
is "$(bars "$tmp/x.out" AAPL | wc -l)" 390 "-x keeps to from and to"
task j AAPL 1min 2025-12-22T09:00:00Z 2025-12-23T01:00:00Z >"$tmp/long.in"
timeout 20 "$fetch" -x -u "$plain" <"$tmp/long.in" >"$tmp/x.out" 2>/dev/null
timeout 20 "$fetch" -u "$plain" <"$tmp/long.in" >"$tmp/r.out" 2>/dev/null
[ "$(bars "$tmp/x.out" AAPL | wc -l)" -gt 390 ]
ok $? "-x keeps extended hours"
is "$(bars "$tmp/r.out" AAPL | wc -l)" 390 "without -x regular hours only"
task j AAPL day 2020-08-24 2020-08-28 | timeout 20 "$fetch" -a -u "$plain" >"$tmp/a.out" 2>/dev/null
task j AAPL day 2020-08-24 2020-08-28 | timeout 20 "$fetch" -u "$plain" >"$tmp/b.out" 2>/dev/null
is "$(verdict "$tmp/a.out" AAPL) $(cmp -s "$tmp/a.out" "$tmp/b.out"; echo $?)" "fetched 5 1" "-a: other prices before a split"
has "$tmp/plain.log" 'adjusted=false' "-a asks for adjusted=false"

# --- pages ---------------------------------------------------------------------------------------

pages() {
	task j AAPL 1min 2025-12-18T14:30:00Z 2025-12-22T21:00:00Z
	task j MSFT hour 2025-12-01T14:00:00Z 2025-12-22T21:00:00Z
	task j INTC day 2024-01-01 2025-12-19
	task j CSCO week 2023-12-31 2025-12-20
}
pages | timeout 20 "$fetch" -u "$plain" 2>/dev/null | grep '"bar"' | sort >"$tmp/one"
pages | timeout 20 "$fetch" -v -u "$small" 2>"$tmp/err" | grep '"bar"' | sort >"$tmp/many"
cmp -s "$tmp/one" "$tmp/many"
ok $? "many pages give the same bars as one"
[ "$(requests small AAPL)" -gt 10 ]
ok $? "there were many pages"
task j AAPL day 2019-01-01 2020-12-31 | timeout 20 "$fetch" -a -u "$small" >"$tmp/out" 2>/dev/null
is "$(verdict "$tmp/out" AAPL)" "fetched 505" "-a over many pages"
{ week j OHST; week j EMPT; week j LOOP; week j P500; week j PCUT; week j PPLN; } |
	timeout 20 "$fetch" -u "$main" >"$tmp/out" 2>"$tmp/err"
is $? 1 "failed tasks: exit 1"
is "$(verdict "$tmp/out" OHST)" "fetched 5" "next_url on another host: the key goes to the configured one only"
is "$(verdict "$tmp/out" EMPT)" "fetched 5" "an empty page is not the last one"
is "$(verdict "$tmp/out" LOOP)" "failed page loop: the same next_url twice" "a loop of pages ends"
is "$(verdict "$tmp/out" P500) $(verdict "$tmp/out" PCUT)" "fetched 5 fetched 5" "a second page is retried"
is "$(bars "$tmp/out" P500 | sort -u | wc -l) $(bars "$tmp/out" P500 | wc -l)" "5 5" "and no bar is written twice"
has "$tmp/out" '"type":"failed".*"symbol":"PPLN".*HTTP 403' "a second page that is refused fails the task"

# --- long tasks, in pieces -----------------------------------------------------------------------

mkfifo "$tmp/in"
# 37 sessions: the clocks change among them, there are a holiday and a half day. A page of 2500 base bars
# holds three or four.
long() { task "$1" "$2" 1min 2024-10-21T04:00:00Z 2024-12-12T01:00:00Z; }
cat >"$tmp/cutfaults" <<'END'
Q403 * delayed 1
Q403 * 403plan
Q401 * delayed 1
Q401 * 401
Q500 * delayed 1
Q500 * 500 4
QUNS * unsorted 3
QWCN * wrongcount 3
QCUT * cut 3
QOHS * otherhost
QEMP * emptypage
QDEL * delayed
QLOP * loop
QEND * endless
Q5EV * delayed 1
Q5EV * 500
END
sim cut -b 2500 -f "$tmp/cutfaults"
cut=$url
sim cutlate -b 2500 -d 150
cutlate=$url
long j Q5EV | timeout 60 "$fetch" -u "$cut" >"$tmp/Q5EV.out" 2>"$tmp/Q5EV.err" &
Q5EV_pid=$!
long j QEND | timeout 60 "$fetch" -u "$cut" >"$tmp/QEND.out" 2>"$tmp/QEND.err" &
QEND_pid=$!

longs() {
	long j AAPL
	task j MSFT hour 2024-10-21T15:30:00Z 2024-12-12T20:30:00Z
	task j THIN1 1min 2024-10-01T13:45:30Z 2025-06-12T20:50:30Z
	task j INTC day 2015-01-01 2025-12-19
	task j NONE1 hour 2024-10-21T15:30:00Z 2024-12-12T20:30:00Z
}
for x in "" -x; do
	# shellcheck disable=SC2086 # no word for none
	longs | timeout 20 "$fetch" $x -u "$plain" 2>/dev/null | unsized | sort >"$tmp/whole"
	for j in 1 2 8 64; do
		# shellcheck disable=SC2086
		longs | timeout 20 "$fetch" $x -j $j -u "$cut" 2>/dev/null | unsized | sort >"$tmp/out"
		cmp -s "$tmp/whole" "$tmp/out"
		ok $? "pieces give what one page gives, each bar once${x:+, $x} -j $j"
	done
done
is "$(sort "$tmp/out" | uniq -d | wc -l)" 0 "no bar is there twice"
is "$(requests plain THIN1)" 2 "what fits a page is one request"
is "$(verdict "$tmp/whole" NONE1)" "fetched 0" "nothing comes whole"
longs | timeout 20 "$fetch" -u "$cut" 2>/dev/null >"$tmp/out"
is "$(grep -c '"type":"loading".*AAPL' "$tmp/out")" 1 "a task in pieces is loading once"
has "$tmp/out" '"fetched".*"AAPL".*"bars":14250,"first":"2024-10-21T13:30:00Z","last":"2024-12-11T20:59:00Z","bytes":[0-9]*}$' "first and last are the earliest and the latest, bars all of them"
has "$tmp/out" '"fetched".*"MSFT".*"first":"2024-10-21T16:00:00Z","last":"2024-12-12T19:00:00Z","bytes":[0-9]*}$' "hours too"

: >"$tmp/cutlate.log"
long j AAPL | timeout 20 "$fetch" -v -u "$cutlate" >"$tmp/out" 2>"$tmp/err"
grep '/ticker/AAPL/' "$tmp/cutlate.log" | sort -n >"$tmp/asked"
perl -ane 'push @t, $F[0]; END { $n = grep { $t[$_] - $t[$_ - 1] < 75 } 1 .. $#t; exit($n >= 5 ? 0 : 1) }' "$tmp/asked"
ok $? "pieces are asked for side by side"
TZ=America/New_York perl -ne 'm{/minute/(\d+)/(\d+)} or next; ($from, $to) = ($1, $2);
	if ($. == 1) { $bad = 1 if $from != 1729483200000 || $to != 1733965199999; next }
	@t = localtime($from / 1000); $bad = 1 if $t[2] || $t[1] || $t[0];
	@t = localtime(($to + 1) / 1000); $bad = 1 if ($t[2] || $t[1] || $t[0]) && $to != 1733965199999;
	$bad = 1 if /cursor/; $n++; END { exit($bad || $n < 5 ? 1 : 0) }' "$tmp/asked"
ok $? "the first request is for all of it, the others for days of New York"
task j INTC day 2015-01-01 2025-12-19 | timeout 20 "$fetch" -u "$cutlate" >"$tmp/out" 2>/dev/null
is "$(verdict "$tmp/out" INTC) $(grep /ticker/INTC/ "$tmp/cutlate.log" | grep -vc cursor)" "fetched 2759 1" "days are not cut"

# fetched_as NAME: the bars of a symbol from the faulty simulator are those that it has
fetched_as() {
	long j "$1" | timeout 30 "$fetch" -u "$cut" >"$tmp/out" 2>"$tmp/err"
	is "$?" 0 "$1: exit 0"
	long j "$1" | timeout 20 "$fetch" -u "$plain" 2>/dev/null | unsized | sort >"$tmp/good"
	unsized <"$tmp/out" | sort | cmp -s - "$tmp/good"
	ok $? "$1: all bars, each once"
}
for s in Q500 QUNS QWCN QCUT QOHS QEMP QDEL; do
	fetched_as $s
done
{ long j QLOP; } | timeout 30 "$fetch" -u "$cut" >"$tmp/out" 2>"$tmp/err"
is "$? $(verdict "$tmp/out" QLOP)" "1 failed page loop: the same next_url twice" "a loop behind the last page ends"

{ long j Q403; long j GOOD; } | timeout 20 "$fetch" -u "$cut" >"$tmp/out" 2>"$tmp/err"
is $? 1 "a piece is refused: exit 1"
is "$(verdict "$tmp/out" Q403)" "failed HTTP 403: Your plan doesn't include this data timeframe. Please upgrade your plan at https://massive.com/pricing" "its task fails, once"
is "$(sed -n '/"failed"/,$p' "$tmp/out" | grep -c '"Q403"')" 1 "and nothing more is written for it"
[ "$(requests cut Q403)" -le 9 ]
ok $? "and no more is asked than was in flight"
is "$(verdict "$tmp/out" GOOD)" "fetched 14250" "others go on"
{ long j Q401; for i in 1 2 3 4 5; do long j "W$i"; done; } | timeout 20 "$fetch" -j 4 -u "$cut" >"$tmp/out" 2>"$tmp/err"
is "$? $(grep -c '"type":"failed".*HTTP 401' "$tmp/out") $(grep -c '"type":"fetched"' "$tmp/out")" "1 6 0" "a piece meets 401: every task fails once"
is "$(sed -n '/"failed"/,$p' "$tmp/out" | grep -vc '"failed"')" 0 "and nothing follows"

timeout 20 "$fetch" -u "$cutlate" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
p=$!
exec 3>"$tmp/in"
# A page of all of it, and two of its pieces.
sim_hold 3 "$cutlate"
long gone CNCL >&3
await "$tmp/out" '"bar"'
{ echo '{"type":"cancel","job_id":"gone"}'; week stays AAPL; } >&3
await "$tmp/out" cancel
asked=$(requests cutlate CNCL)
sim_go "$cutlate"
exec 3>&-
wait $p
is "$? $(verdict "$tmp/out" AAPL)" "0 fetched 5" "cancel between pieces: others go on"
is "$(sed -n '/"cancel"/,$p' "$tmp/out" | grep -c -e CNCL -e gone)" 1 "nothing is written after it"
hasnt "$tmp/out" '"fetched".*CNCL' "it is not called fetched"
[ "$(requests cutlate CNCL)" -le $((asked + 8)) ]
ok $? "and nothing more is asked"
has "$tmp/err" 'cancelled job_id=gone tasks=1$' "it counts as one task"

"$fetch" -j 3 -u "$cutlate" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
p=$!
started+=("$p")
exec 3>"$tmp/in"
sim_hold 3 "$cutlate"
long j TERM1 >&3
await "$tmp/out" '"bar"'
start=$(now_ms)
kill -TERM $p
sim_go "$cutlate"
wait $p
is $? 143 "SIGTERM between chunks: exit 143"
[ $(($(now_ms) - start)) -lt $((1000 * patience)) ]
ok $? "as soon as what was in flight is done"
is "$(grep -c -e '"fetched"' -e '"failed"' "$tmp/out")" 0 "a task of which a piece is missing has no verdict"
is "$(grep '"bar"' "$tmp/out" | sort | uniq -d | wc -l)" 0 "and no bar twice"
has "$tmp/err" 'warning: stopped with 1 tasks left' "it is counted"
exec 3>&-

{ long large L1; long large L2; long large L3; } >"$tmp/larges"
timeout 20 "$fetch" -j 2 -u "$cutlate" <"$tmp/in" >"$tmp/out" 2>/dev/null &
p=$!
exec 3>"$tmp/in"
sim_hold 3 "$cutlate"
cat "$tmp/larges" >&3
await "$tmp/out" '"bar"'
: >"$tmp/cutlate.log"
week small S1 >&3
exec 3>&-
sim_go "$cutlate"
await "$tmp/out" '"fetched".*"S1"'
[ "$(grep -n /S1/ "$tmp/cutlate.log" | cut -d : -f 1)" -le 5 ]
ok $? "a small job waits for no more than a turn of pieces"
wait $p
is "$(grep -c '"fetched"' "$tmp/out")" 4 "and all are done"
{ long a SAME; task a SAME 1min 2025-01-06T14:30:00Z 2025-02-06T14:30:00Z; long b SAME; } |
	timeout 20 "$fetch" -u "$cutlate" >"$tmp/out" 2>/dev/null
perl -ne '$open++ if /"loading"/; $open-- if /"fetched"/; $bad = 1 if $open > 1; $n++ if /"fetched"/;
	END { exit($bad || $n != 3 ? 1 : 0) }' "$tmp/out"
ok $? "never two tasks of one symbol and timeframe at once, in pieces neither"

wait $Q5EV_pid
is $? 1 "pieces that fail for ever: exit 1"
has "$tmp/Q5EV.out" '"failed".*HTTP 500: internal server error (6 tries)"}$' "after 6 tries of one"
is "$(grep -c '"type":"failed"' "$tmp/Q5EV.out")" 1 "their task fails once"
[ "$(requests cut Q5EV)" -le 49 ]
ok $? "and is not spread any further"
wait $QEND_pid
is "$? $(verdict "$tmp/QEND.out" QEND)" "1 failed three pages in a row brought nothing new" "chunks without end"

# --- faults that heal, faults that do not --------------------------------------------------------

healing="H500 H502 HERR HHTM HCUJ HGAR HCUT HRES HOTK HOAD HWCN HUNS HNAN"
healing_pids=
for s in $healing R503 SLOW; do
	week j "$s" | timeout 30 "$fetch" -u "$main" >"$tmp/$s.out" 2>"$tmp/$s.err" &
	healing_pids="$healing_pids $!"
done
status=0
for p in $healing_pids; do
	wait "$p" || status=1
done
is $status 0 "faults that heal: exit 0"
for s in $healing R503 SLOW; do cat "$tmp/$s.out"; done >"$tmp/out"
for s in $healing R503 SLOW; do cat "$tmp/$s.err"; done >"$tmp/err"
week j XXXX | timeout 20 "$fetch" -u "$main" >"$tmp/good" 2>/dev/null
for s in $healing R503 SLOW; do
	is "$(verdict "$tmp/out" "$s") $(bars "$tmp/out" "$s" | wc -l)" "fetched 5 5" "$s is retried until it heals"
done
for s in $healing; do
	is "$(requests main "$s")" 3 "$s: two retries"
done
is "$(grep -c ': warning: retry ' "$tmp/err")" $((2 * 13 + 1)) "each retry is logged"
hasnt "$tmp/err" 'callback' "what went wrong is told in our own terms"
has "$tmp/err" '^ts-fetch: warning: retry symbol=H500 timeframe=day http=500 try=2 more=0 wait=[0-9.]*s HTTP 500: internal server error request_id=5e1f$' "in the documented form"

{ for s in PLAN ENTL FORB NOTF BADR NAUT NFND HUGE; do week j $s; done; week j FINE; } |
	timeout 20 "$fetch" -u "$main" >"$tmp/out" 2>"$tmp/err"
is $? 1 "failures for good: exit 1"
is "$(verdict "$tmp/out" PLAN)" "failed HTTP 403: Your plan doesn't include this data timeframe. Please upgrade your plan at https://massive.com/pricing" "403: the API's own words"
is "$(verdict "$tmp/out" ENTL)" "failed HTTP 403: You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing" "403: not entitled"
is "$(verdict "$tmp/out" FORB)" "failed HTTP 403: forbidden" "403: forbidden"
is "$(verdict "$tmp/out" NOTF)" "failed HTTP 404: Data not found." "404"
is "$(verdict "$tmp/out" BADR)" "failed HTTP 400: Could not parse the time parameter: 'from'. Use YYYY-MM-DD or Unix MS Timestamps" "400"
is "$(verdict "$tmp/out" NAUT)" "failed HTTP 200: status NOT_AUTHORIZED: You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing" "not authorized, with a 200"
is "$(verdict "$tmp/out" NFND)" "failed HTTP 200: status NOT_FOUND: Data not found." "not found, with a 200"
is "$(verdict "$tmp/out" HUGE)" "failed the reply is over 32 MiB" "a reply without end"
for s in PLAN ENTL FORB NOTF BADR NAUT NFND HUGE; do
	is "$(requests main $s)" 1 "$s is asked once"
done
is "$(verdict "$tmp/out" FINE)" "fetched 5" "the others go on"
has "$tmp/out" '^{"type":"failed","job_id":"j","symbol":"FORB","timeframe":"day","from":"2025-12-15","to":"2025-12-19","stage":"fetch","error":"HTTP 403: forbidden"}$' "failed holds all that its task held"

{ week j DELA; week j DUPL; week j BIGN; } | timeout 20 "$fetch" -u "$main" >"$tmp/out" 2>"$tmp/err"
is "$(verdict "$tmp/out" DELA)" "fetched 5" "DELAYED is success"
is "$(verdict "$tmp/out" DUPL) $(bars "$tmp/out" DUPL | wc -l)" "fetched 6 6" "a row twice passes twice"
is "$(verdict "$tmp/out" BIGN)" "fetched 5" "prices with exponents"
bars "$tmp/out" BIGN | grep -q '"open":[0-9.]*e+[0-9]*,'
ok $? "prices with exponents keep their digits"

{ for s in BHL BNOC BNUL BNEG BSTR BNAS BHUG BHGV; do week j $s; done; } |
	timeout 20 "$fetch" -u "$main" >"$tmp/out" 2>"$tmp/err"
is $? 0 "bad rows are ts-store's to reject: exit 0"
for s in BHL BNOC BNUL BNEG BSTR BNAS BHUG BHGV; do
	is "$(verdict "$tmp/out" $s) $(bars "$tmp/out" $s | wc -l)" "fetched 5 5" "$s: the bar is there"
done
for s in BNOC BNUL BSTR BNAS BHGV; do
	is "$(bars "$tmp/out" $s | grep -c :null)" 1 "$s: with one null"
done
for s in BHL BNEG BHUG; do
	is "$(bars "$tmp/out" $s | grep -c :null)" 0 "$s: as it came"
done
has "$tmp/err" '^ts-fetch: warning: bad bar symbol=BNOC timeframe=day date=2025-12-17 close is missing$' "a missing price is logged"
has "$tmp/err" 'symbol=BNUL timeframe=day date=2025-12-17 open is null$' "a null price is logged"
has "$tmp/err" 'symbol=BSTR timeframe=day date=2025-12-17 close is not a number$' "a price in quotes is logged"
has "$tmp/err" 'symbol=BHGV timeframe=day date=2025-12-17 volume is out of range$' "a volume beyond all bounds is logged"

# --- the key -------------------------------------------------------------------------------------

before=$(wc -l <"$tmp/main.log")
{ for i in $(seq 60); do week j "K$i"; done; } >"$tmp/keys.in"
MASSIVE_API_KEY=wrong-key-42 timeout 20 "$fetch" -j 4 -u "$main" <"$tmp/keys.in" >"$tmp/out" 2>"$tmp/err"
is $? 1 "a wrong key: exit 1"
is "$(grep -c '"type":"failed".*"error":"HTTP 401: Unknown API Key"' "$tmp/out")" 60 "all queued tasks fail with the API's words"
is "$(grep -c '"type":"failed"' "$tmp/out")" 60 "each once"
is "$(grep -c ': error: ' "$tmp/err")" 1 "it is logged once"
[ "$(tail -n +$((before + 1)) "$tmp/main.log" | grep -c ' 401 ')" -le 4 ]
ok $? "and nothing more is asked"
! grep -q wrong-key-42 "$tmp/out" "$tmp/err" "$tmp/main.log"
ok $? "the key is in no record and no log"
MASSIVE_API_KEY=wrong-key-42 timeout 20 "$fetch" -u "$main" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
p=$!
exec 3>"$tmp/in"
week j K1 >&3
await "$tmp/out" failed
week j K2 >&3
exec 3>&-
wait $p
is "$?$(verdict "$tmp/out" K2)" "1failed HTTP 401: Unknown API Key" "tasks that come later fail as well"
env -u MASSIVE_API_KEY timeout 20 "$fetch" -u "$main" <"$tmp/keys.in" >"$tmp/out" 2>"$tmp/err"
has "$tmp/err" 'warning: neither MASSIVE_API_KEY nor MASSIVE_API_KEY_FILE is set' "no key: a warning"
has "$tmp/out" 'HTTP 401: API Key was not provided' "no key: the API's words"
printf '%s\n' "$MASSIVE_API_KEY" >"$tmp/key"
week j AAPL | env -u MASSIVE_API_KEY MASSIVE_API_KEY_FILE="$tmp/key" timeout 20 "$fetch" -u "$main" >"$tmp/out" 2>"$tmp/err"
is "$(verdict "$tmp/out" AAPL)" "fetched 5" "the key from a file"
! grep -q -F "$MASSIVE_API_KEY" "$tmp/err" "$tmp/out" "$tmp/main.log"
ok $? "and it is told to nobody"
env -u MASSIVE_API_KEY MASSIVE_API_KEY_FILE="$tmp/nowhere" "$fetch" -u "$main" </dev/null 2>"$tmp/err"
is $? 100 "a key file that is not there: exit 100"
MASSIVE_API_KEY=$(printf 'a\nX-Other: b') "$fetch" -u "$main" </dev/null 2>"$tmp/err"
is $? 100 "a key with a newline: exit 100"
hasnt "$tmp/err" 'X-Other' "and it is not repeated"
for k in ' plain' 'plain ' '"plain"' "'plain'" 'pl ain' $'\ufeffplain' $'plain\u00a0'; do
	MASSIVE_API_KEY=$k "$fetch" -u "$main" </dev/null 2>"$tmp/err"
	is $? 100 "a key with something around it: exit 100"
	has "$tmp/err" 'error: the API key cannot be used: it holds a .*: set it to the key alone$' "and a sentence"
	hasnt "$tmp/err" 'lain' "without the key"
done

# An API that repeats what it was sent. Its address is in $url.
# shellcheck disable=SC2016 # perl's
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5) or die;
	open P, ">", "$ARGV[0].new"; print P $s->sockport; close P; rename "$ARGV[0].new", $ARGV[0];
	while ($c = $s->accept) {
		my $key = "";
		while (<$c>) { $key = $1 if /^Authorization: (.*?)\r/; last if $_ eq "\r\n" }
		my $b = qq({"status":"ERROR","request_id":"$key","error":"$key is not welcome, nor is $key"});
		print $c "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: ", length $b, "\r\n\r\n$b";
		close $c;
	}' "$tmp/echo.port" &
started+=($!)
await "$tmp/echo.port" .
week j AAPL | timeout 20 "$fetch" -v -u "http://127.0.0.1:$(cat "$tmp/echo.port")" >"$tmp/out" 2>"$tmp/err"
is "$(verdict "$tmp/out" AAPL)" "failed HTTP 403: Bearer *** is not welcome, nor is Bearer ***" "an API that repeats the key: all of it is left out"
has "$tmp/err" 'failed symbol=AAPL .* request_id=Bearer \*\*\*$' "in the log too"

# --- fair turns ----------------------------------------------------------------------------------

{ for i in $(seq 100); do week large "S$i"; done; week small S50; } |
	timeout 20 "$fetch" -j 2 -u "$plain" >"$tmp/out" 2>/dev/null
at=$(grep '"loading"' "$tmp/out" | grep -n '"small"' | cut -d: -f1)
[ "${at:-99}" -le 2 ]
ok $? "a small job read together with a large one is the second to start"
timeout 20 "$fetch" -j 2 -u "$late" <"$tmp/in" >"$tmp/out" 2>/dev/null &
p=$!
exec 3>"$tmp/in"
sim_hold 8 "$late"
for i in $(seq 60); do week large "S$i"; done >&3
await "$tmp/out" '"loading".*"S9"'
before=$(grep -c '"large".*"S[0-9]*"' <(grep '"loading"' "$tmp/out"))
week small S3 >&3
sim_go "$late"
exec 3>&-
wait $p
at=$(grep '"loading"' "$tmp/out" | grep -n '"small"' | cut -d: -f1)
[ "${at:-99}" -le $((before + 4)) ]
ok $? "a small job that comes later starts within one request"
is "$(grep -c '"type":"fetched"' "$tmp/out")" 61 "and all tasks are done"
{ task a AAPL day 2025-12-01 2025-12-05; task a AAPL day 2025-12-08 2025-12-12; task b AAPL day 2025-12-15 2025-12-19; } |
	timeout 20 "$fetch" -u "$late" >"$tmp/out" 2>/dev/null
perl -ne '$open++ if /"loading"/; $open-- if /"fetched"/; $bad = 1 if $open > 1; $n++ if /"fetched"/;
	END { exit($bad || $n != 3 ? 1 : 0) }' "$tmp/out"
ok $? "never two tasks of one symbol and timeframe at once"

# --- cancel --------------------------------------------------------------------------------------

timeout 20 "$fetch" -j 2 -u "$late" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
p=$!
exec 3>"$tmp/in"
sim_hold 4 "$late"
for i in $(seq 50); do week gone "C$i"; done >&3
for i in $(seq 8); do week stays "D$i"; done >&3
await "$tmp/out" fetched
echo '{"type":"cancel","job_id":"gone"}' >&3
await "$tmp/out" cancel
asked=$(grep -c '/ticker/C' "$tmp/late.log")
sim_go "$late"
exec 3>&-
wait $p
is $? 0 "cancel: exit 0"
[ "$(grep -c '/ticker/C' "$tmp/late.log")" -le $((asked + 2)) ]
ok $? "cancel: no request starts any more"
is "$(grep -c '"type":"fetched".*"stays"' "$tmp/out")" 8 "other jobs go on"
[ "$asked" -lt 50 ]
ok $? "cancel: the job was in the middle"
is "$(sed -n '/"cancel"/,$p' "$tmp/out" | grep -c '"gone"')" 1 "the cancel passes through, and after it nothing is written for the job"
has "$tmp/err" 'cancelled job_id=gone tasks=4[0-9]' "cancelled tasks are counted"

# --- pacing --------------------------------------------------------------------------------------

sim paced
{ for i in $(seq 25); do week j "R$i"; done; } | timeout 20 "$fetch" -r 10/s -u "$url" >"$tmp/out" 2>"$tmp/err"
is "$(grep -c '"type":"fetched"' "$tmp/out")" 25 "-r: all tasks are done"
# What is late on a busy machine comes closer to what follows: that is left to some.
perl -ane 'push @t, $F[0]; END { $bad = 0; for (10 .. $#t) { $bad++ if $t[$_] - $t[$_ - 10] < 950 } exit($bad > 5) }' \
	<(sort -n "$tmp/paced.log")
ok $? "-r: not more than 10 requests in a second"
perl -ane 'push @t, $F[0]; END { exit($t[-1] - $t[0] >= 2500 * '"$patience"') }' <(sort -n "$tmp/paced.log")
ok $? "-r: and hardly fewer"

# --- stopping ------------------------------------------------------------------------------------

: >"$tmp/out"
"$fetch" -u "$plain" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
p=$!
exec 3>"$tmp/in"
week j AAPL >&3
await "$tmp/out" fetched
start=$(now_ms)
kill -TERM $p
wait $p
is "$?" 0 "SIGTERM while idle: exit 0"
[ $(($(now_ms) - start)) -lt $((1000 * patience)) ]
ok $? "within a second"
is "$(verdict "$tmp/out" AAPL)" "fetched 5" "what was done is written"
exec 3>&-

for sig in TERM INT; do
	: >"$tmp/out"
	"$fetch" -j 3 -u "$late" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
	p=$!
	started+=("$p")
	exec 3>"$tmp/in"
	sim_hold 5 "$late"
	for i in $(seq 50); do week j "T$i"; done >&3
	await "$tmp/out" fetched
	start=$(now_ms)
	# A shell's background job ignores SIGINT: then it must go on.
	kill -$sig $p
	if [ $sig = INT ]; then
		sleep 0.2
		kill -0 $p
		ok $? "an ignored SIGINT stays ignored"
		kill -TERM $p
	fi
	sim_go "$late"
	wait $p
	is $? 143 "SIG$sig in the middle: exit 143"
	[ $(($(now_ms) - start)) -lt $((1500 * patience)) ]
	ok $? "as soon as what was in flight is done"
	is "$(grep -c '"type":"loading"' "$tmp/out")" "$(grep -c '"type":"fetched"' "$tmp/out")" "each task that began has its verdict"
	is "$(grep -c '"type":"bar"' "$tmp/out")" "$((5 * $(grep -c '"type":"fetched"' "$tmp/out")))" "and all its bars"
	hasnt "$tmp/out" '"failed"' "none is called failed"
	has "$tmp/err" 'warning: stopped with [0-9]* tasks left' "the rest is counted"
	exec 3>&-
done

# --- output that cannot be written ---------------------------------------------------------------

week j AAPL | timeout 20 "$fetch" -u "$plain" >/dev/full 2>"$tmp/err"
is "${PIPESTATUS[1]}" 111 "/dev/full: exit 111"
has "$tmp/err" 'error: writing stdout: No space left on device' "and the reason"
week j AAPL | timeout 20 "$fetch" -u "$plain" >&- 2>"$tmp/err"
is "${PIPESTATUS[1]}" 111 "closed stdout: exit 111"
"$fetch" -V >/dev/full 2>/dev/null
is $? 111 "-V to /dev/full: exit 111"
timeout 20 "$fetch" -u "$plain" <&- >/dev/null 2>"$tmp/err"
is $? 111 "closed stdin: exit 111"
{ for i in $(seq 20); do session j "G$i"; done; } >"$tmp/busy.in"
timeout 20 "$fetch" -u "$plain" <"$tmp/busy.in" 2>"$tmp/err" | head -1 >/dev/null
is "${PIPESTATUS[0]}" 141 "the reader goes away while there is work: exit 141"
hasnt "$tmp/err" 'error' "quietly"
mkfifo "$tmp/outp"
timeout 20 "$fetch" -u "$plain" <"$tmp/in" >"$tmp/outp" 2>"$tmp/err" &
p=$!
exec 3>"$tmp/in" 4<"$tmp/outp"
await "$tmp/err" start
sleep 0.1
start=$(now_ms)
exec 4<&-
wait $p
is $? 141 "the reader goes away while nothing happens: exit 141"
[ $(($(now_ms) - start)) -lt $((1000 * patience)) ]
ok $? "within a second"
exec 3>&-

# --- input that cannot be used -------------------------------------------------------------------

{ week j AAPL; printf '{"type":"task"'; } | timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
is $? 1 "a cut last line: exit 1"
is "$(verdict "$tmp/out" AAPL)" "fetched 5" "a cut last line: the others are done"
has "$tmp/err" 'warning: line 2: the last line is cut' "a cut last line is named"
{ printf '{"type":"x","p":"'; head -c 2097152 /dev/zero | tr '\0' x; printf '"}\n'; week j AAPL; } |
	timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
is $? 1 "a line of 2 MiB: exit 1"
has "$tmp/err" 'warning: line 1: the line is over 1 MiB' "a line of 2 MiB is named"
is "$(verdict "$tmp/out" AAPL)" "fetched 5" "a line of 2 MiB: the others are done"
{
	printf '{"type":"x\0y"}\n'
	printf '{"type":"\377"}\n'
	printf '{"type":"task","type":"task"}\n'
	printf 'no JSON\n'
	printf '[]\n'
	printf '\n'
	printf '{"type":"cancel"}\n'
	printf '{"type":"task","symbol":"AAPL"}\n'
	week j AAPL | sed 's/$/\r/'
	printf '{"type":"unheard of", "x" : 1e5 }\r\n'
} | timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
is $? 1 "lines that are none: exit 1"
for i in 1 2 3 4 5 6 7 8; do
	has "$tmp/err" "^ts-fetch: warning: line $i: " "line $i is named"
done
is "$(verdict "$tmp/out" AAPL)" "fetched 5" "CRLF does no harm"
is "$(grep 'unheard of' "$tmp/out")" "$(printf '{"type":"unheard of", "x" : 1e5 }\r')" "a foreign line passes byte for byte"
{
	task j AAPL 5min 2025-12-15 2025-12-19
	task j AAPL day 2025-12-32 2025-12-19
	task j AAPL day 2025-12-15 tomorrow
	task j AAPL day 2025-12-19 2025-12-15
	task j AAPL 1min 2025-12-15 2025-12-19
	task j AAPL hour 2025-12-22T14:00:00Z 2025-12-22T14:00:00Z
	task j '../AAPL' day 2025-12-15 2025-12-19
	printf '{"type":"task","job_id":"j","symbol":"AAPL","timeframe":"day","from":"2025-12-15"}\n'
	week j GOOD
} | timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
is $? 1 "tasks that cannot be done: exit 1"
verdict "$tmp/out" '.*' >"$tmp/verdicts"
is "$(grep failed "$tmp/verdicts" | tr '\n' ';')" "failed unknown timeframe: want 1min, hour, day, week or month; a view over them makes others, see ts-cookbook(7);failed from is not a date;failed to is not a date;failed from is not before to;failed from is not a UTC instant;failed from is not before to;failed the symbol is not one that the API could know;failed to is missing;" "each fails by name, with its reason"
is "$(verdict "$tmp/out" GOOD)" "fetched 5" "the others are done"
{ yes garbage | head -n 300; for i in {1..300}; do task j "S$i" 5min 2025-12-15 2025-12-19; done; } 2>/dev/null |
	timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
is "$?/$(grep -c 'warning: line ' "$tmp/err")/$(grep -c 'further ones are only counted' "$tmp/err")" 1/200/2 \
	"of lines that are refused a hundred are told, and of tasks as many"
is "$(grep -c '"failed"' "$tmp/out")/$(grep -c ' failed=300 .* refused=300 ' "$tmp/err")" 300/1 "all of them are counted, each task by name"
{ week j I:SPX; session j I:SPX; } | timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
is "$?/$(bars "$tmp/out" I:SPX | grep -c '"volume":null}$')/$(grep -c warning "$tmp/err")" 0/395/0 "an index has no volume by nature: that is told to nobody"
is "$(ts-store -n <"$tmp/out" 2>&1 | grep -o 'bars=395 rejected=0')" 'bars=395 rejected=0' "and its bars are sound"
is "$(timeout 20 "$fetch" -u "$plain" </dev/null 2>"$tmp/err"; echo $?)" 0 "no input: exit 0"
# Lines, and none of them a task.
job='{"job_id":"j","symbols":["AAPL"],"timeframes":["day"],"years":1}'
for line in "$job" '{"symbol":"AAPL","timeframe":"day","date":"2025-12-15","open":1,"high":1,"low":1,"close":1,"volume":1}' \
	'{"type":"fetched","job_id":"j","symbol":"AAPL","timeframe":"day","from":"2025-12-15","to":"2025-12-15","bars":0}'; do
	timeout 20 "$fetch" -u "$plain" <<<"$line" >"$tmp/out" 2>"$tmp/err"
	is "$?/$(cat "$tmp/out")" "1/$line" "a line that is not a task passes, and it exits 1"
	has "$tmp/err" 'warning: not one task among 1 lines; the first is ' "with a sentence"
	{ echo "$line"; week j AAPL; } | timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
	is $? 0 "with a task among them it exits 0"
done
{
	echo '{"type":"job","job_id":"j","symbols":1,"timeframes":["day"],"tasks":1}'
	echo '{"type":"failed","job_id":"j","symbol":"A B","timeframe":"day","stage":"expand","error":"x"}'
	echo '{"type":"cancel","job_id":"j"}'
	echo '{"type":"gap","from":"2025-12-22T14:30:00Z","to":"2025-12-22T14:30:01Z"}'
	echo '{"type":"loading","job_id":"j","symbol":"A","timeframe":"day"}'
} | timeout 20 "$fetch" -u "$plain" >"$tmp/out" 2>"$tmp/err"
is "$?/$(wc -l <"$tmp/out")" 0/5 "what rightly only passes through is no ground for it"

# --- options -------------------------------------------------------------------------------------

is "$("$fetch" -V)" "ts-fetch $(cat "$here/../../VERSION")" "-V"
"$fetch" -h >"$tmp/out" 2>"$tmp/err"
is "$? $(wc -c <"$tmp/err")" "0 0" "-h: exit 0, nothing on stderr"
has "$tmp/out" '^usage: ts-fetch ' "-h: the usage"
for o in -z "-j 0" "-j 65" "-j x" "-r 5" "-r 0/m" "-r 5/d" "-u ftp://x" "-u http://u:secret@h" "-u http://h/?q" "-u http://h:0" "-u http://h:65536" "-u http://h:x" -w "-w 0" "-w 10081" -j operand; do
	# shellcheck disable=SC2086 # words on purpose
	"$fetch" $o </dev/null >"$tmp/out" 2>"$tmp/err"
	is "$? $(wc -c <"$tmp/out") $(sed -n 2p "$tmp/err" | cut -c 1-6)" "100 0 usage:" "$o: exit 100 and the usage"
done
"$fetch" -u http://u:secret@h </dev/null 2>"$tmp/err"
hasnt "$tmp/err" secret "a password in -u is not repeated"
MASSIVE_URL=ftp://x "$fetch" </dev/null 2>"$tmp/err"
has "$tmp/err" '^ts-fetch: error: MASSIVE_URL: it is neither http:// nor https://$' "a wrong MASSIVE_URL is named"
week j AAPL | MASSIVE_URL=$plain/ timeout 20 "$fetch" >"$tmp/out" 2>"$tmp/err"
is "$(verdict "$tmp/out" AAPL)" "fetched 5" "the address from MASSIVE_URL"

# --- recorded replies ----------------------------------------------------------------------------

# Prices digit by digit, volumes rounded, as the files have them.
expected() {
	perl -0ne 'while (/\{([^{}]*"t"[^{}]*)\}/g) { my $r = $1; my %f;
		$f{$1} = $2 while $r =~ /"(\w+)"\s*:\s*([^\s,]+)/g;
		printf "\"open\":%s,\"high\":%s,\"low\":%s,\"close\":%s,\"volume\":%.0f}\n", @f{qw(o h l c v)} }' "$1"
}
# recorded FILE OPTION TIMEFRAME FROM TO
recorded() {
	task j AAPL "$3" "$4" "$5" | timeout 20 "$fetch" "$2" -u "$url" 2>/dev/null |
		sed -n 's/^{"type":"bar".*"\(open":.*\)$/"\1/p' >"$tmp/got"
	expected "$shared/fixtures/massive/$1" >"$tmp/expected"
	cmp -s "$tmp/got" "$tmp/expected" && [ -s "$tmp/got" ]
	ok $? "recorded: $1"
}
if [ -d "$shared/fixtures/massive" ]; then
	sim recorded -r "$shared/fixtures/massive"
	recorded aapl_day_2019-01-01_2019-02-01_exponent.json -x day 2019-01-01 2019-02-01
	recorded aapl_day_2023-01-01_2023-01-10_exponent.json -x day 2023-01-01 2023-01-10
	recorded aapl_day_2020-08-25_split_vw_unadjusted.json -x day 2020-08-25 2020-09-08
	recorded aapl_week_2021-06-27_2021-07-18.json -x week 2021-06-27 2021-07-24
	recorded aapl_hour_2024-03-25_delayed.json -x hour 2024-03-25T08:00:00Z 2024-03-26T00:00:00Z
	recorded aapl_minute_2023-07-31_limit10_next_url.json -x 1min 2023-07-31T08:00:00Z 2023-07-31T08:18:00Z
else
	skip "no recorded replies here"
fi

# --- what has been running since the beginning ---------------------------------------------------

for s in R429 S429 E429 D429; do
	eval "wait \$${s}_pid"
	is "$? $(verdict "$tmp/$s.out" $s) $(verdict "$tmp/$s.out" "O$s")" "0 fetched 5 fetched 5" "$s: waits and comes through"
	is "$(requests main $s)" 2 "$s: asked twice"
done
has "$tmp/S429.err" "http=429 .*HTTP 429: You've exceeded the maximum requests per minute" "429: the API's words in the log"
gap() { grep "/ticker/$1/" "$tmp/main.log" | sort -n | perl -ane 'push @t, $F[0]; END { print $t[1] - $t[0] }'; }
[ "$(gap R429)" -ge 1000 ] && [ "$(gap R429)" -lt $((2000 * patience)) ]
ok $? "429: Retry-After in seconds is honoured"
# The simulator names a moment 3 s ahead.
[ "$(gap D429)" -ge 2900 ] && [ "$(gap D429)" -lt $((4500 * patience)) ]
ok $? "429: Retry-After as a date is honoured"
[ "$(gap S429)" -ge 250 ] && [ "$(gap S429)" -lt $((1500 * patience)) ]
ok $? "429: a quarter of a second without Retry-After"
wait $L429_pid
is $? 1 "429 for ever: exit 1"
has "$tmp/L429.out" '"symbol":"L429".*"error":"the API refuses to go on: HTTP 429: You.ve exceeded .*"}$' "429 for ever: ends with the patience, in the API's words"
is "$(grep -c '"type":"fetched"' "$tmp/L429.out")" 4 "429 for ever: the others are done"

wait $endless_pid
is "$? $(verdict "$tmp/endless.out" ENDL)" "1 failed three pages in a row brought nothing new" "pages without end"

# What was away at the start came back after more than 6 tries would have lasted.
wait $away_pid
status=$?
is "$(cat "$tmp/early")" 0 "while the API is unreachable no task has a verdict"
is "$status $(grep -c '"fetched"' "$tmp/absent.out")" "0 3" "no connection for 10 s: all come through when there is one"
wait $gateway_pid
is "$? $(grep -c '"fetched"' "$tmp/gateway.out")" "0 20" "a gateway without an API for 10 s: so do they"
for name in absent gateway; do
	is "$(grep -c 'warning: the API is unreachable: ' "$tmp/$name.err")/$(grep -c ': the API is back after ' "$tmp/$name.err")/$(grep -c ' error: ' "$tmp/$name.err")" \
		1/1/0 "$name: told once when it is unreachable, once when it is back"
done
has "$tmp/absent.out" '^{"type":"waiting","reason":"the API has been unreachable since 20[0-9T:-]*Z: transfer failed: Failed to connect to .*","until":"20[0-9T:-]*Z"}$' "and a record tells it downstream"
is "$(grep -c 'warning: retry' "$tmp/absent.err")" 0 "no connection: that is no page's affair"
[ "$(head -n 60 "$tmp/gateway.log" | grep -c ' 502 ')" -le 16 ]
ok $? "an API that is unreachable is not stormed"
wait $hasty_pid
is $? 1 "an API that stays away: exit 1"
is "$(verdict "$tmp/hasty.out" 'GUP.' | sed 's/127.*//' | sort | uniq -c | sed 's/^ *//')" \
	"3 failed the API is unreachable: transfer failed: Failed to connect to " "all that is pending fails by name"
is "$(grep -c 'warning: the API is unreachable' "$tmp/hasty.err")/$(grep -c 'error: the API is unreachable: .*: all pending tasks have failed' "$tmp/hasty.err")" \
	1/2 "and what comes later waits anew, which is told once a minute"

wait $last_pid
is "$?/$(grep -c '"fetched"' "$tmp/last.out")/$(verdict "$tmp/last.out" 'B.' | grep -c '(6 tries)$')" 1/20/6 \
	"the last pages of a job fail by themselves"
hasnt "$tmp/last.err" unreachable "and are not taken for an outage"

status=
for p in $always_pids; do
	wait "$p"
	status=$status$?
done
is $status 11111111111111 "faults for ever: exit 1"
for s in $always; do cat "$tmp/$s.out"; done >"$tmp/always.out"
for s in $always; do
	is "$(requests main "$s") $(bars "$tmp/always.out" "$s" | wc -l)" "6 0" "$s: 6 tries, no bar"
done
verdict "$tmp/always.out" '.*' | sort >"$tmp/verdicts"
is "$(grep -c '(6 tries)$' "$tmp/verdicts")" 14 "each fails by name"
for words in 'HTTP 500: internal server error (6 tries)' 'HTTP 502: ."<html>.*" (6 tries)' \
	'HTTP 200: status ERROR: internal server error (6 tries)' 'HTTP 200: bad page: it is not a JSON object: ."<html>.*" (6 tries)' \
	'another ticker (6 tries)' 'its adjusted is not what was asked for (6 tries)' 'resultsCount is not the number of its rows (6 tries)' \
	'it starts before the row in front of it (6 tries)' 'transfer failed: ' 'HTTP 302 to http'; do
	has "$tmp/verdicts" "$words" "with the reason: $words"
done

wait $stuck_pid
status=$?
took=$(($(now_ms) - stuck_start))
exec 5>&-
is $status 143 "SIGTERM while the reader takes nothing: exit 143"
[ $took -ge 9500 ]
ok $? "but not before 10 s"
has "$tmp/stuck.err" 'output is incomplete' "and it says so"

wait $stall_pid
is "$? $(verdict "$tmp/stall.out" STAL)" "0 fetched 5" "a transfer that stalls is given up and retried"
has "$tmp/stall.err" 'retry symbol=STAL .* no byte for 30 s' "with the reason"

done_testing
