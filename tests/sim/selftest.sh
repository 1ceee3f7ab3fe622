#!/bin/sh
# The simulator's own test: TAP on stdout. Needs curl and jq. TS_SIM and TS_SIM_CAL name the binary and
# the calendar. Nothing here knows how the simulator makes its data; the times are written out in UTC.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
sim=${TS_SIM:-${TS_BUILD:-$here/../../build}/ts-sim}
cal=${TS_SIM_CAL:-$here/calendar.tsv}
tmp=$(mktemp -d) || exit 1
pids=
count=0
failed=0

cleanup() {
	for p in $pids; do
		kill "$p" 2>/dev/null && wait "$p" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# is NAME GOT WANTED
is() {
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		failed=$((failed + 1))
		echo "not ok $count - $1"
		printf '%s\n' "$2" | cut -c 1-300 | sed 's/^/# got    /'
		printf '%s\n' "$3" | cut -c 1-300 | sed 's/^/# wanted /'
	fi
}

# start OPTION...: a simulator, its address in $url, its process in $pid, its log in $tmp/log
start() {
	rm -f "$tmp/port" "$tmp/log"
	"$sim" -c "$cal" -P "$tmp/port" -l "$tmp/log" "$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	pids="$pids $pid"
	n=0
	while [ ! -s "$tmp/port" ]; do
		n=$((n + 1))
		if [ "$n" -gt 500 ] || ! kill -0 "$pid" 2>/dev/null; then
			echo "Bail out! the simulator does not start: $(cat "$tmp/err")"
			exit 1
		fi
		sleep 0.02
	done
	url=http://127.0.0.1:$(cat "$tmp/port")
}

# stop: end it; a sanitizer that has found something changes the exit status
stop() {
	kill "$pid"
	wait "$pid"
	is "SIGTERM ends it with 0" "$?" 0
	pids=
}

aggs() {
	curl -s -m 20 "$url/v2/aggs/ticker/$1"
}

# code PATH: the status and the body
code() {
	curl -s -m 20 -w '%{http_code} ' -o "$tmp/body" "$url$1"
	cat "$tmp/body"
}

# The rows of a page as they are, one a line.
rows() {
	sed 's/.*"results":\[//; s/\],"status":.*//; s/},{/}\
{/g' | grep '^{"v"'
}

# pages PATH: the rows of all pages
pages() {
	next=/v2/aggs/ticker/$1
	n=0
	: >"$tmp/pages"
	while [ -n "$next" ] && [ "$n" -lt 100 ]; do
		n=$((n + 1))
		curl -s -m 20 "$url$next" >"$tmp/page"
		rows <"$tmp/page" >>"$tmp/pages"
		next=$(jq -r '.next_url // "" | sub("^https?://[^/]*"; "")' "$tmp/page")
	done
	cat "$tmp/pages"
}

# between FROM TO: how many of the rows on stdin start there; UTC, the end is not included
between() {
	jq -s --arg a "$1" --arg b "$2" \
		'map(select(.t >= ($a | fromdate * 1000) and .t < ($b | fromdate * 1000))) | length'
}

minutes() {
	aggs "$1/range/1/minute/$2/$2?limit=50000" | rows | between "$3" "$4"
}

starts() {
	jq -r '.results[].t / 1000 | todate'
}

# fault LINE...: the fault file, and a new simulator
fault() {
	printf '%s\n' "$@" >"$tmp/faults"
}

day=AAPL/range/1/day/2025-12-01/2025-12-12

start -N 2025-12-23T17:15:13Z -b 50000
is "the port is on stdout too" "$(cat "$tmp/out")" "$(cat "$tmp/port")"
is "health" "$(code /sim/health)" "200 ok"
is "one more is answered" "$(code /sim/hold/1) $(aggs "$day" | jq .resultsCount)" "200 ok 10"
curl -s -m 0.3 "$url/v2/aggs/ticker/$day" >/dev/null
is "the next one waits" $? 28
is "until it may go" "$(code /sim/go) $(aggs "$day" | jq .resultsCount)" "200 ok 10"

# Sessions
is "a full day in winter" "$(minutes AAPL 2025-12-22 2025-12-22T14:30:00Z 2025-12-22T21:00:00Z)" 390
is "a full day in summer" "$(minutes AAPL 2025-07-22 2025-07-22T13:30:00Z 2025-07-22T20:00:00Z)" 390
is "a half day in winter" "$(minutes AAPL 2025-11-28 2025-11-28T14:30:00Z 2025-11-28T18:00:00Z)" 210
is "a half day in summer" "$(minutes AAPL 2025-07-03 2025-07-03T13:30:00Z 2025-07-03T17:00:00Z)" 210
aggs AAPL/range/1/minute/2025-12-22/2025-12-22?limit=50000 | rows >"$tmp/full"
is "the day before summer time ends" \
	"$(minutes AAPL 2025-10-31 2025-10-31T13:30:00Z 2025-10-31T20:00:00Z)" 390
is "the first day after it" \
	"$(minutes AAPL 2025-11-03 2025-11-03T14:30:00Z 2025-11-03T21:00:00Z)" 390
is "extended hours are there and sparse" \
	"$([ "$(wc -l <"$tmp/full")" -gt 420 ] && [ "$(wc -l <"$tmp/full")" -lt 900 ] && echo yes)" yes
is "and within 04:00 to 20:00" "$(between 2025-12-22T09:00:00Z 2025-12-23T01:01:00Z <"$tmp/full")" \
	"$(wc -l <"$tmp/full" | tr -d ' ')"
is "a half day's regular hours end at 13:00" "$([ \
	"$(minutes AAPL 2025-11-28 2025-11-28T18:00:00Z 2025-11-28T21:00:00Z)" -lt 170 ] && echo yes)" yes
is "after a half day's 17:00 nothing but the bar at 17:00" \
	"$(minutes AAPL 2025-11-28 2025-11-28T22:01:00Z 2025-11-29T09:00:00Z)" 0
for d in 2025-12-20 2025-12-21 2025-11-27 2025-01-09 2024-06-19; do
	is "no bars on $d" "$(aggs "AAPL/range/1/minute/$d/$d" | jq -c '[.resultsCount, has("results")]')" \
		'[0,false]'
done
is "some session has a bar at 20:00" "$(pages 'AAPL/range/1/minute/2025-08-01/2025-10-31?limit=50000' |
	jq -s 'map(select(.t / 1000 | gmtime | .[3] == 0 and .[4] == 0)) | length > 0')" true

# Bar starts
is "hours of a full day" "$(aggs AAPL/range/1/hour/2025-12-22/2025-12-22 | starts |
	sed -n '/T1[4-9]\|T20/p' | tr '\n' ' ')" "2025-12-22T14:00:00Z 2025-12-22T15:00:00Z \
2025-12-22T16:00:00Z 2025-12-22T17:00:00Z 2025-12-22T18:00:00Z 2025-12-22T19:00:00Z \
2025-12-22T20:00:00Z "
is "hours of a half day in summer" "$(aggs AAPL/range/1/hour/2025-07-03/2025-07-03 | starts |
	sed -n '/T1[3-6]/p' | tr '\n' ' ')" "2025-07-03T13:00:00Z 2025-07-03T14:00:00Z \
2025-07-03T15:00:00Z 2025-07-03T16:00:00Z "
is "days start at midnight in New York" "$(aggs AAPL/range/1/day/2025-10-31/2025-11-03 | starts |
	tr '\n' ' ')" "2025-10-31T04:00:00Z 2025-11-03T05:00:00Z "
is "weeks start on Sunday" "$(aggs AAPL/range/1/week/2025-10-29/2025-11-10 | starts | tr '\n' ' ')" \
	"2025-10-26T04:00:00Z 2025-11-02T04:00:00Z 2025-11-09T05:00:00Z "
is "months start on the 1st, also on a weekend" "$(aggs AAPL/range/1/month/2025-02-10/2025-06-10 |
	starts | tr '\n' ' ')" "2025-02-01T05:00:00Z 2025-03-01T05:00:00Z 2025-04-01T04:00:00Z \
2025-05-01T04:00:00Z 2025-06-01T04:00:00Z "
is "sessions of ten years" "$(aggs 'AAPL/range/1/day/2015-01-01/2024-12-31' | jq .resultsCount)" 2516
is "an hour is made of its minutes" "$(aggs AAPL/range/1/hour/2025-12-22/2025-12-22 |
	jq -c '.results[] | select(.t == 1766415600000) | [.o, .h, .l, .c, .v]')" \
	"$(jq -c -s 'map(select(.t >= 1766415600000 and .t < 1766419200000)) |
	[.[0].o, (map(.h) | max), (map(.l) | min), .[-1].c, (map(.v) | add)]' "$tmp/full")"
is "milliseconds snap outward" "$(aggs AAPL/range/1/hour/1766417000000/1766419300000 | starts |
	tr '\n' ' ')" "2025-12-22T15:00:00Z 2025-12-22T16:00:00Z "
is "to is inclusive" "$(aggs AAPL/range/1/minute/1766417400000/1766417520000 | jq .resultsCount)" 3

# Now
is "nothing starts after now" "$(pages 'AAPL/range/1/minute/2025-12-23/2026-01-31?limit=50000' |
	jq -s '.[-1].t / 1000 | todate')" '"2025-12-23T17:15:00Z"'
for span in minute hour day week month; do
	aggs "AAPL/range/1/$span/2025-12-23/2025-12-24?limit=50000" | rows | tail -n 1
done >"$tmp/now1"
aggs 'AAPL/range/1/day/2025-01-01/2025-12-22' | rows | cksum >"$tmp/old1"
stop
start -N 1766510150
for span in minute hour day week month; do
	aggs "AAPL/range/1/$span/2025-12-23/2025-12-24?limit=50000" | rows | tail -n 1
done >"$tmp/now2"
is "the same unfinished bars half a minute later" "$(jq -c .t "$tmp/now1")" "$(jq -c .t "$tmp/now2")"
is "have grown" "$(jq -s -c 'map(.v)' "$tmp/now1" "$tmp/now2" |
	jq -c '[range(5) as $i | .[$i] < .[$i + 5]] | all')" true
is "and finished ones have not" "$(aggs AAPL/range/1/day/2025-01-01/2025-12-22 | rows | cksum)" \
	"$(cat "$tmp/old1")"
stop

# What is true when
cat >"$tmp/events" <<'EOF'
# a comment
SPLT split 2025-12-10 4:1
RVRS split 2025-12-10 1:10
CORR correct 2025-12-09
WDRN gone 2025-12-05 2025-12-10
* gone 2025-11-12
TWICE reuse 2025-10-01
OLD reach 730
EOF
# closes TICKER [adjusted=false]: of some days
closes() {
	aggs "$1/range/1/day/2025-12-04/2025-12-12?${2-}" | jq -c '[.results[].c]'
}
# sizes TICKER DATE: how many minutes, hours and days
sizes() {
	for s in minute hour day; do
		aggs "$1/range/1/$s/$2/$2"
	done | jq -s -c 'map(.resultsCount)'
}
# tell MOMENT
tell() {
	is "told that it is $1" "$(code "/sim/now/$1")" "200 ok"
}
start -e "$tmp/events" -N 2025-12-09T23:00:00Z -m 10
before=$(closes SPLT)
high=$(aggs CORR/range/1/day/2025-12-09/2025-12-09 | jq '.results[0].h')
is "days before a split" "$before" "$(closes SPLT adjusted=false)"
is "what is withdrawn later is there" "$(sizes WDRN 2025-12-05 | jq '.[2]')" 1
is "a closure" "$(sizes AAPL 2025-11-12)" '[0,0,0]'
tell 2025-12-11T02:00:00Z
is "a split restates all history" "$(closes SPLT | jq -c '.[:4] | map(. * 4)')" "$before"
is "and its day" "$(closes SPLT | jq -c '.[4] / .[3] | . > 0.9 and . < 1.1')" true
is "not what is unadjusted" "$(closes SPLT adjusted=false | jq -c '.[:4]')" "$before"
is "but its day" "$(closes SPLT adjusted=false | jq -c '.[4]')" "$(closes SPLT | jq -c '.[4]')"
is "a reverse split" "$(closes RVRS | jq -c '.[:4] | map(. / 10)')" "$(closes RVRS adjusted=false | jq -c '.[:4]')"
for a in true false; do
	aggs "SPLT/range/1/day/2025-12-04/2025-12-04?adjusted=$a" | jq '.results[0].v'
done >"$tmp/volumes"
is "volumes go the other way" "$(jq -s -c '.[0] / .[1] | . > 3.99 and . < 4.01' "$tmp/volumes")" true
is "a corrected day" "$(aggs CORR/range/1/day/2025-12-09/2025-12-09 |
	jq --argjson h "$high" '.results[0].h * 1.02 < $h')" true
is "what was withdrawn is not there" "$(sizes WDRN 2025-12-05)" '[0,0,0]'
is "another security had the name" "$(aggs TWICE/range/1/day/2025-08-01/2025-10-10 | jq -c '.results |
	map(select(.t < 1757000000000)) as $a | map(select(.t > 1757000000000)) as $b |
	[$a[-1].t, $b[0].t | . / 1000 | todate[:10]], $a[-1].c / $b[0].c > 5' | tr '\n' ' ')" \
	'["2025-08-19","2025-10-01"] true '
is "a reach" "$(for s in day week month; do aggs "OLD/range/1/$s/2023-01-01/2025-12-12" | starts | head -n 1; done |
	cut -c 1-10 | tr '\n' ' ')" "2023-12-11 2023-12-10 2023-12-01 "
tell 2025-12-12T06:00:00Z
is "moves" "$(aggs OLD/range/1/day/2023-01-01/2025-12-12 | starts | head -n 1)" "2023-12-13T05:00:00Z"

# Timeframes agree: over a split, of a symbol that trades seldom, in the middle of a session
tell 2025-12-12T17:30:30Z
# shellcheck disable=SC2016 # jq's variables
agree='def roll: [.[0].o, (map(.h) | max), (map(.l) | min), .[-1].c, (map(.v) | add * 10 | round)];
def bar: [.o, .h, .l, .c, (.v * 10 | round)];
def within($all; $b; $from; $to): $all | map(select(.t >= $b.t + $from and .t < $b.t + $to));
. as [$m, $h, $d, $w] |
[$d[] | . as $b | within($m; $b; 34200000; 57600000) |
	.[0].o == $b.o and (map(.h) | max) <= $b.h and (map(.l) | min) >= $b.l and (map(.v) | add) < $b.v],
[$h[] | . as $b | within($m; $b; 0; 3600000) | roll == ($b | bar)],
[$w[] | . as $b | within($d; $b; 0; 604800000) | roll == ($b | bar)]'
for s in SPLT SPARSE CORR; do
	is "$s: days hold their minutes, hours and weeks are made of theirs" "$(for span in minute hour day week; do
		pages "$s/range/1/$span/2025-12-07/2025-12-12?limit=50000" | jq -s -c .
	done | jq -s -c "$agree" | jq -s -c '[(flatten | all), (.[0] | length), (.[1] | length > 60), (.[2] | length)]')" \
		'[true,5,true,1]'
done
is "SPARSE trades in a quarter of the minutes" "$(minutes SPARSE 2025-12-11 2025-12-11T14:30:00Z 2025-12-11T21:00:00Z |
	awk '{ print ($1 > 70 && $1 < 125) }')" 1
is "a moment that is none" "$(code /sim/now/noon | cut -c 1-3)" 400
stop
echo 'SPLT split 2025-12-10 4' >"$tmp/events"
"$sim" -c "$cal" -e "$tmp/events" >/dev/null 2>&1
is "a wrong event is fatal" "$?" 100

# Grouped days: each ticker's own day, stamped with the close in New York
printf '%s\n' MSFT AAPL OTC1 NONE1 GONE1 I:SPX EXPO >"$tmp/market"
grouped() {
	curl -s -m 20 "$url/v2/aggs/grouped/locale/us/market/stocks/$1"
}
# singly DATE TICKER...: a row of each as a grouped day has them, but for the stamp
singly() {
	date=$1
	shift
	for s in "$@"; do
		aggs "$s/range/1/day/$date/$date" | jq -c --arg s "$s" '.results[] | [$s, .o, .h, .l, .c, .v]'
	done
}
together='.results[] | [.T, .o, .h, .l, .c, .v]'
fault "# none"
start -N 2026-06-30T12:00:00Z -g "$tmp/market" -f "$tmp/faults"
for d in "2026-06-26 20" "2025-12-22 21" "2025-11-28 21"; do
	grouped "${d% *}?adjusted=true" >"$tmp/page"
	is "a grouped day: ${d% *}" "$(jq -c "$together" "$tmp/page")" "$(singly "${d% *}" MSFT AAPL EXPO)"
	is "its stamps and counts" "$(jq -c '[.queryCount, .resultsCount, .count, .adjusted, has("ticker"), has("next_url")],
		([.results[].t / 1000 | todate] | unique)' "$tmp/page" | tr '\n' ' ')" \
		"[3,3,3,true,false,false] [\"${d% *}T${d#* }:00:00Z\"] "
done
is "unadjusted" "$(grouped '2020-08-28?adjusted=false' | jq -c '[.adjusted, (.results[] | select(.T == "AAPL").c)]')" \
	"$(aggs 'AAPL/range/1/day/2020-08-28/2020-08-28?adjusted=false' | jq -c '[.adjusted, .results[].c]')"
for d in 2026-06-27 2026-06-19 2026-07-01; do
	is "there is none of $d" "$(grouped $d | jq -c '[.status, .resultsCount, has("results")]')" '["OK",0,false]'
done
is "a date that is none" "$(grouped 2026-02-30 | jq -r '.error // .message' | cut -c 1-30)" "Could not parse the time param"
fault 'GROUPED day dup'
is "dup: a ticker twice" "$(grouped 2026-06-26 | jq -c '[.resultsCount, .results[].T]')" '[4,"MSFT","AAPL","AAPL","EXPO"]'
fault 'GROUPED day otherday'
is "otherday" "$(grouped 2026-06-26 | jq -r '.results[].t / 1000 | todate' | sort -u)" 2026-06-25T20:00:00Z
fault 'GROUPED day otherhour'
is "otherhour: the rows" "$(grouped 2026-06-26 | jq -c "$together")" "$(singly 2026-06-26 MSFT AAPL EXPO)"
is "otherhour: the stamps" "$(grouped 2026-06-26 | starts | tr '\n' ' ')" \
	"2026-06-26T04:00:00Z 2026-06-27T03:59:00Z 2026-06-26T04:00:00Z "
fault 'GROUPED day norows'
is "norows" "$(grouped 2026-06-26 | jq -c '[.status, .resultsCount, has("results")]')" '["OK",0,false]'
is "nothing else is hit" "$(aggs AAPL/range/1/day/2026-06-26/2026-06-26 | jq .resultsCount)" 1
stop

# Rows and numbers
start -N 2026-06-30T12:00:00Z
ok='map(.l <= .o and .l <= .c and .h >= .o and .h >= .c and .l > 0 and .v > 0) | all'
for s in AAPL EXPO BRK.B X:BTCUSD THIN; do
	aggs "$s/range/1/minute/2025-11-01/2026-03-01?limit=50000" | rows >"$tmp/rows"
	is "sound rows of $s" "$(jq -s "$ok and (length > 500)" "$tmp/rows")" true
	is "in order" "$(jq -s 'map(.t) | . == (sort | unique)' "$tmp/rows")" true
	cat "$tmp/rows" >>"$tmp/all"
done
is "an index has prices and no volume" "$(aggs 'I:SPX/range/1/day/2026-01-05/2026-01-09' | jq -c '.results[] | keys' | sort | uniq -c | tr -s ' ')" \
	' 5 ["c","h","l","o","t"]'
aggs 'AAPL/range/1/day/2015-01-01/2026-06-01' | rows >>"$tmp/all"
aggs 'AAPL/range/1/month/2015-01-01/2026-06-01' | rows >>"$tmp/all"
for form in '"v":[0-9]*,' '"v":[0-9]*\.0,' '"v":[0-9.]*e+0[678]' '"v":[0-9]*\.[0-9]*[1-9],' \
	'"c":[0-9]*\.[0-9][0-9],' '"c":[0-9]*,' '"c":[0-9]*\.[0-9]\{4\},' '"c":[0-9.]*e+0[012],' \
	'"l":[0-9.e+]*,"t":[0-9]*}' '{"v":[0-9.e+]*,"o"'; do
	is "there are rows like $form" "$(grep -c "$form" "$tmp/all" | sed 's/^[1-9].*/some/')" some
done
is "vw is outside now and then" "$(jq -s 'map(select(.vw != null and (.vw > .h or .vw < .l))) |
	length as $n | $n > 1000' "$tmp/all")" true
is "key order" "$(grep -vc '^{"v":[^,]*,\("vw":[^,]*,\)\{0,1\}"o":[^,]*,"c":[^,]*,"h":[^,]*,"l":[^,]*,"t":[0-9]*\(,"n":[0-9]*\)\{0,1\}}$' "$tmp/all")" 0
is "keys of a reply" "$(aggs "$day?limit=3" | jq -c keys_unsorted)" \
	'["ticker","queryCount","resultsCount","adjusted","results","status","request_id","count","next_url"]'
is "counts" "$(aggs "$day" | jq -c '[.queryCount, .resultsCount, .count, (.results | length)]')" \
	'[10,10,10,10]'
split='AAPL/range/1/day/2020-08-28/2020-08-31'
is "unadjusted prices are 4 times as high before 2020-08-31" "$(aggs "$split?adjusted=false" |
	jq -c '[.adjusted, .results[].c]')" "$(aggs "$split?adjusted=true" |
	jq -c '[false, .results[0].c * 4, .results[1].c]')"
is "names are case-sensitive" "$([ "$(aggs CpS/range/1/day/2025-12-01/2025-12-01)" = \
	"$(aggs CPS/range/1/day/2025-12-01/2025-12-01)" ] || echo differ)" differ
is "percent-encoded names" "$(aggs X%3ABTCUSD/range/1/day/2025-12-01/2025-12-01 | jq -r .ticker)" X:BTCUSD

# Special names
is "NONE" "$(aggs NONE/range/1/day/2025-12-01/2025-12-12 | jq -c '[.ticker, .status, .resultsCount, .count,
	has("results"), has("next_url")]')" '["NONE","OK",0,0,false,false]'
is "NULL" "$(aggs NULLX/range/1/day/2025-12-01/2025-12-12 | jq -c '[has("results"), .results]')" '[true,null]'
is "EMPTYARR" "$(aggs EMPTYARR/range/1/day/2025-12-01/2025-12-12 | jq -c .results)" '[]'
is "LATE" "$(aggs LATE/range/1/day/2015-01-01/2026-06-30 | jq .resultsCount)" 30
is "GONE" "$(aggs GONE/range/1/day/2015-01-01/2026-06-30 |
	jq '.results[-1].t / 1000 | todate')" '"2024-06-28T04:00:00Z"'
thin=$(aggs THIN/range/1/day/2025-01-01/2025-12-31 | jq .resultsCount)
is "THIN has no bar on some days" "$([ "$thin" -gt 150 ] && [ "$thin" -lt 220 ] && echo yes)" yes
is "and minutes on the same days" "$(pages 'THIN/range/1/hour/2025-01-01/2025-12-31?limit=50000' |
	jq -r '(.t / 1000 - 18000 | todate)[:10]' | sort -u | wc -l | tr -d ' ')" "$thin"

# Pages
for p in "minute/2025-11-26/2025-12-02 100" "hour/2025-11-20/2025-12-02 333" "hour/2025-11-28/2025-11-28 7" \
	"day/2025-01-01/2025-12-31 17" "week/2025-01-01/2025-12-31 13" "month/2025-01-01/2025-12-31 50" \
	"minute/1764340200000/1764351000000 10"; do
	path=AAPL/range/1/${p% *}
	aggs "$path?limit=50000" | rows >"$tmp/whole"
	pages "$path?limit=${p#* }" >"$tmp/parts"
	is "pages of $p" "$(cksum <"$tmp/parts")" "$(cksum <"$tmp/whole")"
	is "are several" "$([ "$n" -gt 2 ] && [ -s "$tmp/whole" ] && echo yes)" yes
done
aggs 'AAPL/range/1/day/2019-01-01/2021-01-01?adjusted=false&limit=50000' | rows >"$tmp/whole"
pages 'AAPL/range/1/day/2019-01-01/2021-01-01?adjusted=false&limit=99' >"$tmp/parts"
is "pages keep adjusted=false" "$(cksum <"$tmp/parts")" "$(cksum <"$tmp/whole")"
is "next_url" "$(aggs 'BRK%2EB/range/1/day/2025-12-01/2025-12-12?limit=2&adjusted=true' | jq -r .next_url)" \
	"https://api.massive.com/v2/aggs/ticker/BRK%2EB/range/1/day/1764738000000/2025-12-12?cursor=bGltaXQ9MiZzb3J0PWFzYw"
is "default limit" "$(aggs AAPL/range/1/minute/2025-01-01/2025-12-31 | jq -c '[.queryCount, .resultsCount]')" \
	'[5000,5000]'
is "highest limit" "$(aggs 'AAPL/range/1/minute/2025-01-01/2025-12-31?limit=90000' | jq -c .resultsCount)" 50000
aggs 'AAPL/range/1/hour/2025-01-01/2025-12-31?limit=50000' >"$tmp/page"
is "an hour page holds 50000 minutes" "$(jq -c '[.queryCount, .resultsCount < 1800, has("next_url")]' "$tmp/page")" \
	'[50000,true,true]'
is "the next page begins with the dropped hour" "$(jq -r '.next_url | split("/")[10] | tonumber % 3600000' \
	"$tmp/page")" 0

# gzip
big='AAPL/range/1/minute/2025-12-01/2025-12-12?limit=50000'
is "gzip" "$(curl -s --compressed "$url/v2/aggs/ticker/$big" | cksum)" "$(aggs "$big" | cksum)"
is "gzip only when asked for" "$(curl -s -D - -o /dev/null "$url/v2/aggs/ticker/$big" | grep -ci '^content-encoding')" 0
is "and for more than 1 KB" "$(curl -s --compressed -D - -o /dev/null "$url/v2/aggs/ticker/$day?limit=1" |
	grep -ci '^content-encoding')" 0
is "gzip saves" "$(curl -s --compressed -w '%{size_download}' -o "$tmp/page" "$url/v2/aggs/ticker/$big" |
	awk -v whole="$(aggs "$big" | wc -c)" '{ print ($1 < whole / 2) }')" 1

# Errors
err() {
	code "/v2/aggs/ticker/$1" | jq -r '. as $x | if type == "number" then "\($x)" else .error // .message end' |
		tr '\n' ' '
}
is "bad from" "$(err AAPL/range/1/day/yesterday/2025-12-12)" \
	"400 Could not parse the time parameter: 'from'. Use YYYY-MM-DD or Unix MS Timestamps "
is "a date that does not exist" "$(err AAPL/range/1/day/2025-12-01/2025-02-30)" \
	"400 Could not parse the time parameter: 'to'. Use YYYY-MM-DD or Unix MS Timestamps "
is "to before from" "$(err AAPL/range/1/day/2025-12-12/2025-12-01)" \
	"400 The parameter 'to' cannot be a time that occurs before 'from' "
is "limit 0" "$(err AAPL/range/1/day/2025-12-01/2025-12-12?limit=0)" "400 Could not parse a query parameter "
is "another span" "$(err AAPL/range/1/year/2025-12-01/2025-12-12)" "404 Data not found. "
is "another path" "$(code /v3/reference/tickers | cut -c 1-3)" 404
stop

# Key and log
start -N 2026-06-30T12:00:00Z -k sesame-4711
is "no key" "$(err $day)" "401 API Key was not provided "
is "wrong key" "$(curl -s -H 'Authorization: Bearer sesame' "$url/v2/aggs/ticker/$day" | jq -r .error)" \
	"Unknown API Key"
is "right key" "$(curl -s -H 'Authorization: Bearer sesame-4711' "$url/v2/aggs/ticker/$day" | jq -r .status)" OK
curl -s "$url/v2/aggs/ticker/$day?apiKey=sesame-4711&limit=3" >"$tmp/page"
is "a key in the query does not count" "$(jq -r .error "$tmp/page")" "API Key was not provided"
is "log lines" "$(grep -c "^[0-9]* [0-9]* [0-9]* [0-9]* /v2/aggs/ticker/AAPL/" "$tmp/log")" 4
is "log statuses" "$(cut -d ' ' -f 3 "$tmp/log" | tr '\n' ' ')" "401 401 200 401 "
is "no key in the log" "$(grep -c sesame "$tmp/log")" 0
is "the parameter in the log" "$(tail -n 1 "$tmp/log" | sed 's/.*?//')" "apiKey=***********&limit=3"
stop

# Quota
start -N 2026-06-30T12:00:00Z -q 3
is "quota" "$(for _ in 1 2 3 4 5; do code "/v2/aggs/ticker/$day" | cut -c 1-4; done | tr -d '\n')" \
	"200 200 200 429 429 "
is "its body" "$(aggs $day | jq -r '.status + " " + .error[:47]')" \
	"ERROR You've exceeded the maximum requests per minute"
is "health is free" "$(code /sim/health)" "200 ok"
stop

# Delay
start -N 2026-06-30T12:00:00Z -d 200
before=$(date +%s)
curl -sS -Z --no-progress-meter --parallel-max 64 -w '%{time_total}\n' -o /dev/null \
	"$url/v2/aggs/ticker/AAPL/range/1/day/2025-12-01/2025-12-[10-31]?limit=[1-3]" >"$tmp/times"
after=$(date +%s)
is "66 delayed replies" "$(wc -l <"$tmp/times" | tr -d ' ')" 66
is "each at least 200 ms late" "$(awk '$1 < 0.2' "$tmp/times" | wc -l | tr -d ' ')" 0
is "all at the same time" "$([ $((after - before)) -lt 4 ] && echo yes)" yes
stop

# Faults
fault '# none yet'
mkdir "$tmp/rec"
start -N 2026-06-30T12:00:00Z -f "$tmp/faults" -r "$tmp/rec"
good=$(aggs $day | rows | cksum)

# reply FAULT STATUS WORDS: status and a word of the body
reply() {
	fault "* * $1"
	is "$1" "$(code "/v2/aggs/ticker/$day" | grep -c "^$2 .*$3")" 1
}
reply 401 401 "Unknown API Key"
reply 403plan 403 "NOT_AUTHORIZED.*Your plan doesn't include this data timeframe"
reply 403entitled 403 "NOT_AUTHORIZED.*You are not entitled to this data"
reply 403forbidden 403 'NOT_AUTHORIZED.*"message":"forbidden"'
reply 404 404 "Data not found"
reply 400 400 "Could not parse"
reply 429 429 "You've exceeded the maximum requests per minute"
reply 500 500 '"status":"ERROR"'
reply 502html 502 "<html>"
reply 200error 200 '"status":"ERROR"'
reply 200notauth 200 '"status":"NOT_AUTHORIZED"'
reply 200notfound 200 '"status":"NOT_FOUND"'
reply html200 200 "<html>"
fault '* * 429empty'
is "429empty" "$(code "/v2/aggs/ticker/$day")" "429 "

header() {
	curl -s -D - -o /dev/null "$url/v2/aggs/ticker/$day" | tr -d '\r' | sed -n "s/^$1: //p"
}
fault '* * 429retry=7'
is "429retry" "$(header Retry-After)" 7
fault '* * 503retry=2'
is "503retry" "$(header Retry-After)" 2
fault '* * 429retryday'
is "429retryday" "$(header Retry-After | grep -c '^[MTWFS][a-z][a-z], [0-3][0-9] [A-Z][a-z][a-z] 20[0-9][0-9] [0-9:]* GMT$')" 1
fault '* * redirect'
is "redirect" "$(header Location)" "http://127.0.0.1:1/elsewhere"

# curl's exit status
sent() {
	curl -s -m 3 -o "$tmp/page" "$url/v2/aggs/ticker/$day"
	echo "$? $(wc -c <"$tmp/page" | tr -d ' ')"
}
fault '# none'
whole=$(aggs $day | wc -c)
fault '* * cut'
is "cut" "$(sent)" "18 $((whole / 2))"
fault '* * stall'
is "stall" "$(sent)" "28 $((whole / 2))"
fault '* * slow'
is "slow" "$(sent)" "0 $whole"
rm -f "$tmp/page"
fault '* * reset'
is "reset" "$(: >"$tmp/page"; sent | sed 's/^5[26] /reset /')" "reset 0"
is "reset in the log" "$(tail -n 1 "$tmp/log" | cut -d ' ' -f 3,4)" "0 0"
fault '* * huge'
is "huge" "$(sent)" "0 41943040"
is "huge is JSON" "$(jq -r .status "$tmp/page")" OK
fault '* * cutjson'
is "cutjson" "$(sent)" "0 $((whole / 2))"
is "cutjson is no JSON" "$(jq . "$tmp/page" >/dev/null 2>&1 || echo no)" no
fault '* * garbage'
is "garbage" "$(sent)" "0 $whole"
is "garbage is no JSON" "$(jq . "$tmp/page" >/dev/null 2>&1 || echo no)" no

# page FAULT NAME FILTER WANTED: what jq finds in the page
page() {
	fault "* * $1"
	is "$1: $2" "$(aggs "$day" | jq -c "$3")" "$4"
}
page otherticker "name" .ticker '"ZZZZ"'
is "otherticker: rows" "$(aggs $day | rows | cksum)" \
	"$(fault '# none'; aggs "ZZZZ${day#AAPL}" | rows | cksum)"
page otheradjusted "adjusted" .adjusted false
page delayed "status" '[.status, .resultsCount]' '["DELAYED",10]'
page wrongcount "counts" '[.resultsCount, (.results | length)]' '[11,10]'
page unsorted "order" '[.results[].t] | . == sort, (sort == unique)' 'false
true'
page dup "rows" '[.resultsCount, ([.results[].t] | unique | length), ([.results[] | [.t, .c]] | unique | length)]' \
	'[11,10,11]'
page badrow=hl "low above high" '[.results[] | .h < .l] | map(select(.)) | length' 1
page badrow=noc "c is missing" '[.results[] | has("c") | not] | map(select(.)) | length' 1
page badrow=nullo "o is null" '[.results[] | has("o") and .o == null] | map(select(.)) | length' 1
page badrow=negv "negative volume" '[.results[] | .v < 0] | map(select(.)) | length' 1
page badrow=zerop "price 0" '[.results[] | .l == 0] | map(select(.)) | length' 1
page badrow=strp "price is a string" '[.results[] | .c == "1.0"] | map(select(.)) | length' 1
page badrow=nanstr "NaN as a string" '[.results[] | .c == "NaN"] | map(select(.)) | length' 1
page badrow=hugev "volume of 31 digits" '[.results[] | .v == 1e30] | map(select(.)) | length' 1
fault '* * badrow=huge'
is "badrow=huge" "$(aggs $day | rows | grep -c '"h":1e400,')" 1
fault '* * badrow=nan'
is "badrow=nan" "$(aggs $day | rows | grep -c '"c":NaN,')" 1
is "badrow: the other rows are as ever" "$(fault '* * badrow=nan'; aggs $day | rows | grep -vc NaN)" 9
fault '* * bignum'
is "bignum" "$(aggs $day | rows | grep -c '"o":[0-9.]*e+0[0-9],"c":[0-9.]*e+0[0-9],"h":[0-9.]*e+0')" 10
year='AAPL/range/1/minute/2025-12-01/2025-12-12?limit=50000'
fault '# none'
aggs "$year" | rows >"$tmp/rows"
fault '* * restated'
aggs "$year" | rows >"$tmp/restated"
is "restated: 2 % of the rows" "$(diff "$tmp/rows" "$tmp/restated" | grep -c '^>' |
	awk -v n="$(wc -l <"$tmp/rows")" '{ print ($1 > n * 0.01 && $1 < n * 0.03) }')" 1
is "restated: always the same" "$(aggs "$year" | rows | cksum)" "$(cksum <"$tmp/restated")"
is "restated: sound" "$(jq -s "$ok" "$tmp/restated")" true

# Hours that are not those of all minutes
hours=AAPL/range/1/hour/2025-12-22/2025-12-22
fault '# none'
aggs $hours | rows >"$tmp/rows"
fault '* hour otherhours'
aggs $hours | rows >"$tmp/other"
is "otherhours: none before 09:00" "$(jq -s -r '.[0].t / 1000 | todate' "$tmp/other")" 2025-12-22T14:00:00Z
is "otherhours: that of 09:00 is made of the minutes from 09:30 on" \
	"$(jq -c 'select(.t == 1766412000000) | [.o, .h, .l, .c, .v]' "$tmp/other")" \
	"$(jq -c -s 'map(select(.t >= 1766413800000 and .t < 1766415600000)) |
	[.[0].o, (map(.h) | max), (map(.l) | min), .[-1].c, (map(.v) | add)]' "$tmp/full")"
is "otherhours: not of all of them" "$(grep -c -F -x -f "$tmp/rows" "$tmp/other")" "$(($(wc -l <"$tmp/other") - 1))"
is "otherhours: minutes are as ever" "$(aggs AAPL/range/1/minute/2025-12-22/2025-12-22?limit=50000 | rows | cksum)" \
	"$(cksum <"$tmp/full")"

# Faults of the paging
fault '* * loop'
aggs $day | jq -r .next_url >"$tmp/next1"
is "loop" "$(curl -s "$url$(sed 's,^https://[^/]*,,' "$tmp/next1")" | jq -r .next_url)" "$(cat "$tmp/next1")"
fault '* * endless'
pages "$day" >/dev/null
is "endless: still going after 100 pages" "$n" 100
is "endless: never the same" "$(grep -c cursor "$tmp/log")" "$(grep cursor "$tmp/log" | cut -d ' ' -f 5 | sort -u | wc -l | tr -d ' ')"
is "endless: the rows" "$(cksum <"$tmp/pages")" "$good"
fault '* * otherhost'
is "otherhost" "$(aggs $day | jq -r '.next_url | .[:22]')" "http://127.0.0.1:1/v2/"
is "otherhost: the rows" "$(pages $day | cksum)" "$good"
fault '* * emptypage'
is "emptypage" "$(aggs $day | jq -c '[has("results"), .resultsCount, has("next_url")]')" '[false,0,true]'
is "emptypage: the rows" "$(pages $day | cksum)" "$good"
fault '* * page2-500'
is "page2-: the first page is fine" "$(code "/v2/aggs/ticker/$day" | cut -c 1-3)" 200
is "page2-: and is not the last" "$(aggs $day | jq -c '[.resultsCount, has("next_url")]')" '[5,true]'
next=$(aggs $day | jq -r '.next_url | sub("https://[^/]*"; "")')
is "page2-: the second is not fine" "$(code "$next" | cut -c 1-3)" 500
fault '* * page2-emptypage 1'
pages $day >/dev/null
is "page2-emptypage" "$n $(cksum <"$tmp/pages")" "3 $good"

# Counting
codes() {
	for p in "$@"; do
		code "/v2/aggs/ticker/$p/2025-12-01/2025-12-12" | cut -c 1-4
	done | tr -d '\n'
}
d=AAPL/range/1/day
fault '* * 500 2'
is "a count is for each ticker and span" "$(codes $d $d $d MSFT/range/1/day AAPL/range/1/week)" \
	"500 500 200 500 500 "
echo 'AAPL day 404 1' >>"$tmp/faults"
is "a line added; the old line's count is kept" "$(codes $d $d MSFT/range/1/day)" "404 200 500 "
fault '* * 500 =2'
is "a count over all" "$(codes $d MSFT/range/1/day $d)" "500 500 200 "
fault 'MSFT * 500' '* 1min 404' 'AAPL day 429 1' 'AAPL * 403plan 1'
is "ticker and span are matched, in the order of the file" \
	"$(codes MSFT/range/1/hour IBM/range/1/day IBM/range/1/minute $d $d $d)" "500 200 404 429 403 200 "
fault '* * nosuchfault' '* * 500'
is "a wrong line is skipped" "$(codes $d)" "500 "
is "and reported" "$(grep -c 'line 1' "$tmp/err")" 1
fault '* * stall'
curl -s -m 20 -o /dev/null "$url/v2/aggs/ticker/$day" &
waiting=$!
sleep 0.3
stop # while a reply stalls
wait $waiting
fault '* * nosuchfault'
"$sim" -c "$cal" -f "$tmp/faults" >/dev/null 2>&1
is "a wrong line at the start is fatal" "$?" 100
"$sim" >/dev/null 2>&1
is "the calendar is needed" "$?" 100
is "-h" "$("$sim" -h | head -n 1 | cut -c 1-13)" "usage: ts-sim"

# Recorded replies
fault 'ERR1 * recorded=1' 'ERR2 * recorded=2' 'ERR3 * recorded=3'
cat >"$tmp/rec/aapl_minute_2023-07-31_note.json" <<'EOF'
{ "ticker": "AAPL", "results": [
 {"t": 1690790400000, "o": 1}, {"t":1690790460000} ], "next_url":
 "https://api.example.org/v2/aggs/ticker/AAPL/range/1/minute/1690790520000/2023-07-31?cursor=bGltaXQ9MQ" }
EOF
cat >"$tmp/rec/error_bodies.jsonl" <<'EOF'
{"http": 418, "body": "{\"error\":\"I'm a \u0074eapot\"}"}
{"http": 429, "body": ""}
EOF
start -N 2026-06-30T12:00:00Z -f "$tmp/faults" -r "$tmp/rec"
is "recorded bytes" "$(aggs AAPL/range/1/minute/2023-07-31/2023-07-31 | cksum)" \
	"$(cksum <"$tmp/rec/aapl_minute_2023-07-31_note.json")"
is "the page after it" "$(aggs \
	'AAPL/range/1/minute/1690790520000/2023-07-31?cursor=bGltaXQ9MQ' | jq -c '[.resultsCount, has("next_url")]')" '[0,false]'
is "another range is simulated" "$(aggs AAPL/range/1/minute/2023-08-01/2023-08-01 | jq '.resultsCount > 390')" true
is "another span is simulated" "$(aggs AAPL/range/1/day/2023-07-31/2023-07-31 | jq .resultsCount)" 1
is "recorded body" "$(code "/v2/aggs/ticker/ERR1${day#AAPL}")" "418 {\"error\":\"I'm a teapot\"}"
is "recorded empty body" "$(code "/v2/aggs/ticker/ERR2${day#AAPL}")" "429 "
is "no such recorded body" "$(code "/v2/aggs/ticker/ERR3${day#AAPL}" | cut -c 1-3)" 500
stop

echo "1..$count"
[ "$failed" -eq 0 ]
