#!/usr/bin/env bash
# The service: jobs over Redis, side by side, cancelled, bad; and how it is stopped.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

now=2025-12-16T17:00:30Z
servers -d 50 || exit 1
serve || { cat pipeline.log >&2; exit 1; }

all='["1min","hour","day","week","month"]'

# A small job behind a large one.
publish "$(job large "$(jq -nc '[range(504) | "S\(.)"]')" "$all" 0.003)"
sleep 1
publish "$(job small '["AAPL"]' '["day"]' 0.02)"
wait_for 5 over small
is "$(hash small status)/$(hash large status)" completed/running \
	"a one-symbol job is completed while one of 504 symbols x 5 runs"
like "$(hash large progress)" '^[0-9]?[0-9]$' "the large one tells its progress"
like "$(hash large message)" '^(Loaded|Loading) (1min|hour|day|week|month) for S[0-9]+' "and what it is at"

# Cancelled in the middle.
at=$(wc -l <"$sim_log")
[ "$at" -lt 2500 ]
ok $? "the large job is far from its end"
redis publish tickstock.jobs.control '{"job_id":"large","action":"cancel"}' >/dev/null
wait_for 2 hash_is large status cancelled
sleep 1
before=$(wc -l <"$sim_log")
sleep 0.5
is "$(wc -l <"$sim_log")" "$before" "a second after the cancel no request is made"
is "$(hash large status)" cancelled "the status says cancelled"
is "$(hash large bars_loaded)" \
	"$(sql "SELECT sum(n) FROM (SELECT count(*) n FROM ohlcv_1min WHERE symbol LIKE 'S%' UNION ALL SELECT count(*) FROM ohlcv_hourly WHERE symbol LIKE 'S%' UNION ALL SELECT count(*) FROM ohlcv_daily WHERE symbol LIKE 'S%' UNION ALL SELECT count(*) FROM ohlcv_weekly WHERE symbol LIKE 'S%' UNION ALL SELECT count(*) FROM ohlcv_monthly WHERE symbol LIKE 'S%') t")" \
	"its count of bars is that of the rows"

# What cannot be done is told in the status.
publish '{"job_id":"csv","job_type":"csv_universe_load","csv_file":"dow.csv","years":1}'
publish "$(job part '["AAPL","NONE1","A B"]' '["day","2min"]' 0.02)"
redis publish tickstock.jobs.data_load 'this is no job' >/dev/null
redis publish tickstock.jobs.data_load '{"event_type":"something else"}' >/dev/null
wait_for 5 over part
wait_for 5 over csv
is "$(hash csv status)/$(hash csv message)" "failed/no symbols in the job" "a job without symbols fails with its reason"
is "$(hash part status)/$(hash part total_tasks)/$(hash part stored_tasks)/$(hash part failed_tasks)/$(hash part empty_tasks)" \
	completed_with_errors/6/2/4/1 "stored, failed and empty add up"
like "$(hash part message)" 'NONE1' "the last message names the empty symbol"
like "$(hash part errors)" 'A B.*not a symbol' "the errors name the impossible one"
like "$(grep 'no job' pipeline.log; grep -c warning pipeline.log)" '[1-9]' "what is no job is logged"

# The page's own fields stay, its late "submitted" does not.
is "$(hash small job_type)" csv_universe_load "fields of others are kept"
[ "$(redis ttl tickstock.jobs.status:small)" -gt 86000 ]
ok $? "the status lives a day"
redis hset tickstock.jobs.status:part status submitted progress 0 >/dev/null
wait_for 5 hash_is part status completed_with_errors
ok $? "a late submitted is put right"

# Stopped in the middle of a job: what is in flight is finished, the rest is left.
publish "$(job stopped "$(jq -nc '[range(504) | "T\(.)"]')" "$all" 0.003)"
wait_for 5 hash_is stopped status running
sleep 0.3
begun=$SECONDS
serve_end
is $? 0 "told to stop, it exits 0"
[ $((SECONDS - begun)) -le $((12 * patience)) ]
ok $? "within 12 seconds"
like "$(hash stopped message)" 'stopped: [0-9]+ of 2520 tasks have no verdict' "and says what is left"
is "$(hash stopped bars_loaded)" \
	"$(sql "SELECT sum(n) FROM (SELECT count(*) n FROM ohlcv_1min WHERE symbol LIKE 'T%' UNION ALL SELECT count(*) FROM ohlcv_hourly WHERE symbol LIKE 'T%' UNION ALL SELECT count(*) FROM ohlcv_daily WHERE symbol LIKE 'T%' UNION ALL SELECT count(*) FROM ohlcv_weekly WHERE symbol LIKE 'T%' UNION ALL SELECT count(*) FROM ohlcv_monthly WHERE symbol LIKE 'T%') t")" \
	"its count of bars is that of the rows"

# A stage that dies takes the service down with a status that says why.
serve
pkill -KILL -P "$service_pid" -x ts-store
wait "$service_pid"
is $? 137 "a stage that is killed ends the service with its status"
like "$(tail -n 1 pipeline.log)" 'ts-store=137' "and the log names it"
is "$(pgrep -P "$service_pid" -l)" "" "no stage stays behind"
done_testing
