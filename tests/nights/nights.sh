# shellcheck shell=bash disable=SC2034
# What the nights share: five tables, the same ones in the schema fresh, and how the two differ.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

PATH=$top:$PATH
export TS_SYNC_STATE=$tmp/state/asked
frames='["1min","hour","day","week","month"]'

tables_start() {
	# shellcheck disable=SC2119
	pg_start || exit 1
	ts-store -i </dev/null 2>/dev/null
	sql "CREATE SCHEMA fresh; $(for t in $tables; do echo "CREATE TABLE fresh.$t (LIKE public.$t INCLUDING ALL);"; done)"
	fresh=$DATABASE_URL'&options=-csearch_path%3Dfresh'
}
# job SYMBOLS YEARS: symbols as a list of JSON.
job() {
	printf '{"job_id":"j","source":"x","symbols":%s,"timeframes":%s,"years":%s}\n' "$1" "$frames" "$2"
}
# fresh_load NOW YEARS: what a load that is made now gives, of the symbols in job.json.
fresh_load() {
	sql "$(for t in $tables; do echo "TRUNCATE fresh.$t;"; done)"
	jq -c ".years = $2" job.json | ts-expand -N "$1" | ts-fetch 2>/dev/null | DATABASE_URL=$fresh ts-store >/dev/null 2>&1
}
# image: how many rows differ from the fresh load; of what is older than the first bar, none is asked.
image() {
	local t key
	for t in $tables; do
		key="date"
		[[ $t =~ 1min|hourly ]] && key=timestamp
		echo "SELECT count(*) FROM (SELECT symbol, $key, open, high, low, close, volume FROM public.$t EXCEPT
			SELECT symbol, $key, open, high, low, close, volume FROM fresh.$t) x;
			SELECT count(*) FROM (SELECT f.symbol, $key, open, high, low, close, volume FROM fresh.$t f
				JOIN (SELECT symbol, min($key) AS first FROM public.$t GROUP BY 1) m
				ON m.symbol = f.symbol AND $key >= first EXCEPT
			SELECT symbol, $key, open, high, low, close, volume FROM public.$t) x;"
	done | psql -X -q -A -t | awk '{ n += $1 } END { print n }'
}
certificate() {
	ts-expand -N "$1" <job.json | ts-audit -b 2>/dev/null | tail -n 1
}
