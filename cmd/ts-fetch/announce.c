/* The records about tasks: that one has begun, and how it ended. */
#include "announce.h"

#include "log.h"
#include "task.h"
#include "timestamp.h"

#include <inttypes.h>

struct record
announce_about(const struct task *t, enum record_type type)
{
	return (struct record){.type = type,
		.job_id = task_job_id(t),
		.symbol = t->symbol,
		.timeframe = slice_of(timeframe_name(t->tf)),
		.tf = t->tf,
		.from = t->from,
		.to = t->to};
}

void
announce_failed(struct tasks *ts, struct record r, struct slice error)
{
	r.type = RECORD_FAILED;
	r.stage = slice_of("fetch");
	r.error = error;
	record_send(ts->out, &r);
	ts->count.failed++;
}

void
announce_fetched(struct tasks *ts, const struct task *t, const struct bars *bars)
{
	struct record r = announce_about(t, RECORD_FETCHED);
	char first[TIMESTAMP_SIZE], last[TIMESTAMP_SIZE];

	r.bars = bars->count;
	r.bytes = bars->bytes;
	if (ts->options.extended && timeframe_intraday(r.tf))
		r.hours = slice_of("extended");
	if (bars->count > 0) {
		r.first = slice_of(bars_key(bars, bars->first, first));
		r.last = slice_of(bars_key(bars, bars->last, last));
	}
	record_send(ts->out, &r);
	ts->count.fetched++;
	log_debug("fetched symbol=%.*s timeframe=%s bars=%" PRIu64, SLICE(r.symbol),
		timeframe_name(r.tf), r.bars);
}

void
announce_loading(struct tasks *ts, struct task *t)
{
	struct record loading = announce_about(t, RECORD_LOADING);

	if (!t->announced)
		record_send(ts->out, &loading);
	t->announced = true;
}
