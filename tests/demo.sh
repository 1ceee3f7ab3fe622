#!/usr/bin/env bash
# The loader at work: a job published on Redis as the admin page does it, loaded by the service, and
# what is in the tables afterwards. Servers are private and end with it, unless DATABASE_URL and
# REDIS_URL name others; bars come from the simulator, unless MASSIVE_API_KEY is set.
own_database=${DATABASE_URL-} own_redis=${REDIS_URL-} key=${MASSIVE_API_KEY-} api=${MASSIVE_URL-}
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/e2e/lib.sh"

say() {
	printf '\n\033[1m%s\033[0m\n' "$*"
}
die() {
	echo "demo: $*" >&2
	exit 1
}

begun=$(date +%s%N)
say "Servers"
if [ -n "$own_database" ]; then
	export DATABASE_URL=$own_database
	echo "Postgres: as DATABASE_URL says"
else
	pg_start || die "Postgres does not start"
	echo "Postgres: private, in $tmp/pg"
fi
if [ -n "$own_redis" ]; then
	export REDIS_URL=$own_redis
	# redis-cli knows no unix:// URL.
	redis() {
		case $REDIS_URL in
		unix:///*) redis-cli -s "${REDIS_URL#unix://}" "$@" ;;
		*) redis-cli -u "$REDIS_URL" --no-auth-warning "$@" ;;
		esac
	}
	echo "Redis: as REDIS_URL says"
else
	redis_start --loglevel warning || die "Redis does not start"
	echo "Redis: private, $REDIS_URL"
fi
if [ -n "$key" ]; then
	export MASSIVE_API_KEY=$key
	[ -z "$api" ] || export MASSIVE_URL=$api
	echo "Bars: the real API"
else
	sim_start -d 0 || die "the simulator does not start"
	echo "Bars: the simulator, $MASSIVE_URL"
fi
listening() {
	[ "$(redis pubsub numsub tickstock.jobs.data_load | tail -n 1)" -gt 0 ]
}

say "The service: ts-listen | ts-expand | ts-fetch | ts-store | ts-status"
export TS_STORE_FLAGS="-i ${TS_STORE_FLAGS-}"
"$top/pipeline.sh" >done.json &
service_pid=$!
started+=("$service_pid")
wait_for 10 listening || die "the service does not start"

id=$(cat /proc/sys/kernel/random/uuid)
symbols='["AAPL","AMGN","AMZN","AXP","BA","CAT","CRM","CSCO","CVX","DIS","GS","HD","HON","IBM","JNJ","JPM","KO","MCD","MMM","MRK","MSFT","NKE","NVDA","PG","SHW","TRV","UNH","V","VZ","WMT"]'
say "The page publishes a job: 30 symbols of DIA, 5 timeframes, 0.003 years"
published=$(date +%s%N)
publish "{\"job_id\":\"$id\",\"job_type\":\"csv_universe_load\",\"source\":\"DIA\",\"universe_key\":\"DIA\",\"symbols\":$symbols,\"timeframes\":[\"1min\",\"hour\",\"day\",\"week\",\"month\"],\"years\":0.003,\"run_analysis_after_import\":false,\"requested_by\":\"admin\",\"timestamp\":\"$(date +%Y-%m-%dT%H:%M:%S.%6N)\"}"
# The free plan of the real API takes half an hour for 150 requests.
wait_for "$([ -n "$key" ] && echo 3600 || echo 50)" over "$id" || die "the job has no end"
took=$((($(date +%s%N) - published) / 1000000))

say "The tables"
query=
for t in ohlcv_1min:timestamp ohlcv_hourly:timestamp ohlcv_daily:date ohlcv_weekly:date ohlcv_monthly:date; do
	name=${t%:*} at=${t#*:}
	query="$query${query:+ UNION ALL }SELECT '$name' AS \"table\", count(*) AS rows,
		count(DISTINCT symbol) AS symbols, min($at)::text AS first, max($at)::text AS last,
		count(*) FILTER (WHERE num_nulls(open, high, low, close, volume) > 0) AS nulls,
		count(*) - count(DISTINCT (symbol, $at)) AS duplicates FROM $name"
done
psql "$DATABASE_URL" -X -q -P footer=off -c "$query" || die "the tables cannot be read"

say "The status in Redis"
redis hgetall "tickstock.jobs.status:$id" | paste - - | sort | cut -c 1-150

kill -TERM "$service_pid"
wait "$service_pid"
code=$?
say "Done"
cat done.json
echo "published to completed: $took ms; all in all: $((($(date +%s%N) - begun) / 1000000)) ms; the service ended with $code"
[ "$(jq -r 'select(.job_id == "'"$id"'").status' done.json)" = completed ]
