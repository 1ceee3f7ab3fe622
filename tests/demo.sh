#!/usr/bin/env bash
# The loader at work: a job published on Redis as the admin page does it, loaded by the service, and
# what is in the tables afterwards. Servers are private and end with it, and bars are the simulator's,
# whatever the caller's environment says. A real run has its own words: DEMO_DATABASE and DEMO_REDIS
# name the servers, and the bars come from the real API by MASSIVE_API_KEY (or MASSIVE_API_KEY_FILE).
database=${DEMO_DATABASE-} server=${DEMO_REDIS-}
key=${MASSIVE_API_KEY-} keyfile=${MASSIVE_API_KEY_FILE-} api=${MASSIVE_URL-}
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/e2e/lib.sh"

say() {
	printf '\n\033[1m%s\033[0m\n' "$*"
}
die() {
	echo "demo: error: $*" >&2
	exit "${code:-1}"
}
# split URL: its password into secret, its user into user, and what is left into bare. A password goes by
# the environment, where no ps shows it.
split() {
	local rest=${1#*://} login
	user='' secret='' bare=$1
	case $rest in *@*) ;; *) return ;; esac
	login=${rest%%@*} bare=${1%%://*}://${rest#*@}
	user=${login%%:*}
	[ "$login" = "$user" ] || secret=${login#*:}
	printf -v secret %b "${secret//%/\\x}"
}
redis_by_url() {
	local args
	split "$server"
	args=(--no-auth-warning ${user:+--user "$user"})
	case $bare in
	unix:*\?db=*) bare=${bare#unix://} args+=(-s "${bare%%\?*}" -n "${bare##*\?db=}") ;;
	unix:*) args+=(-s "${bare#unix://}") ;;
	*) args+=(-u "$bare") ;;
	esac
	(
		[ -z "$secret" ] || export REDISCLI_AUTH=$secret
		exec redis-cli "${args[@]}" "$@"
	)
}
listeners() {
	redis pubsub numsub tickstock.jobs.data_load | tail -n 1
}
listening() {
	[ "$(listeners)" -gt 0 ]
}

real=
if [ -n "$database$server" ]; then
	code=100
	if [ -z "$database" ] || [ -z "$server" ]; then
		die "a real run needs both DEMO_DATABASE and DEMO_REDIS"
	fi
	[ -n "$key$keyfile" ] ||
		die "a real run needs MASSIVE_API_KEY: invented prices go into no database but the demo's own"
	real=1
fi

begun=$(date +%s%N)
say "Servers"
if [ -n "$real" ]; then
	export DATABASE_URL=$database REDIS_URL=$server
	redis() {
		redis_by_url "$@"
	}
	redis ping >/dev/null || die "the Redis of DEMO_REDIS does not answer"
	! listening || die "a loader listens on that Redis already, and would load the job too"
	[ -z "$key" ] || export MASSIVE_API_KEY=$key
	[ -z "$keyfile" ] || export MASSIVE_API_KEY_FILE=$keyfile
	[ -z "$api" ] || export MASSIVE_URL=$api
	echo "Postgres: as DEMO_DATABASE says; missing tables are made"
	echo "Redis: as DEMO_REDIS says"
	echo "Bars: the real API; 150 requests, which take half an hour on a free plan"
	export TS_FETCH_FLAGS=${DEMO_FETCH_FLAGS-}
	code=1
else
	pg_start || die "Postgres does not start"
	echo "Postgres: private, in $tmp/pg"
	redis_start --loglevel warning || die "Redis does not start"
	echo "Redis: private, $REDIS_URL"
	sim_start -d 0 || die "the simulator does not start"
	echo "Bars: invented, by the simulator, $MASSIVE_URL"
fi

say "The service: ts-listen | ts-expand | ts-fetch | ts-store | ts-status"
TS_STORE_FLAGS=-i "$top/pipeline.sh" >done.json &
service_pid=$!
started+=("$service_pid")
wait_for 10 listening || die "the service does not start"

id=$(cat /proc/sys/kernel/random/uuid)
symbols='["AAPL","AMGN","AMZN","AXP","BA","CAT","CRM","CSCO","CVX","DIS","GS","HD","HON","IBM","JNJ","JPM","KO","MCD","MMM","MRK","MSFT","NKE","NVDA","PG","SHW","TRV","UNH","V","VZ","WMT"]'
say "The page publishes a job: 30 symbols of DIA, 5 timeframes, 0.003 years"
published=$(date +%s%N)
publish "{\"job_id\":\"$id\",\"job_type\":\"csv_universe_load\",\"source\":\"DIA\",\"universe_key\":\"DIA\",\"symbols\":$symbols,\"timeframes\":[\"1min\",\"hour\",\"day\",\"week\",\"month\"],\"years\":0.003,\"run_analysis_after_import\":false,\"requested_by\":\"admin\",\"timestamp\":\"$(date +%Y-%m-%dT%H:%M:%S.%6N)\"}"
wait_for "$([ -n "$real" ] && echo 3600 || echo 50)" over "$id" || die "the job has no end"
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
if [ -n "$real" ]; then
	split "$DATABASE_URL"
	export PGPASSWORD=$secret ${user:+PGUSER="$user"}
else
	bare=$DATABASE_URL
fi
psql "$bare" -X -q -P footer=off -c "$query" || die "the tables cannot be read"

say "The status in Redis"
redis hgetall "tickstock.jobs.status:$id" | paste - - | sort | cut -c 1-150

kill -TERM "$service_pid"
wait "$service_pid"
code=$?
say "Done"
cat done.json
echo "published to completed: $took ms; all in all: $((($(date +%s%N) - begun) / 1000000)) ms; the service ended with $code"
[ "$(jq -r 'select(.job_id == "'"$id"'").status' done.json)" = completed ]
