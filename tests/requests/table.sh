#!/usr/bin/env bash
# Prints the table of requests: jobs of the usual sizes, plain and with -d and -g. 500 symbols for a year take some
# minutes and 1.5 GB of memory; REQUESTS_SMALL=1 leaves them out.
# shellcheck source=tests/requests/requests.sh
. "$(dirname "${BASH_SOURCE[0]}")/requests.sh"

# What is asked for three times is made once.
sim_options=(-m 4000)
# row NAME SYMBOLS YEARS TIMEFRAMES [ABSENT]
row() {
	local flags
	job "${@:2}"
	printf '| %s ' "$1"
	for flags in '' -d '-d -g'; do
		before=$(wc -l <"$sim_log")
		# shellcheck disable=SC2086 # a list of words
		ts-fetch -q $flags <tasks >/dev/null 2>err || exit 1
		printf '| %d ' $(($(wc -l <"$sim_log") - before))
	done
	echo '|'
}
echo '| job | plain | -d | -d -g |'
echo '|---|---|---|---|'
row 'night, 30 symbols, 5 timeframes' 30 0.003 $all
row 'night, 5000 symbols, day, 10 of them in no market day' 5000 0.003 day 10
row 'year, 30 symbols, 5 timeframes' 30 1 $all
[ -n "${REQUESTS_SMALL-}" ] || row 'year, 500 symbols, 5 timeframes' 500 1 $all
