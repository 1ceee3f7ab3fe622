/* A task in progress, by whichever way its bars come, and the records about it. */
#include "task.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

struct active *
active_new(struct tasks *ts, struct task *t)
{
	struct series series = {t->symbol, t->tf, t->start, t->end, !ts->options->as_traded};
	struct active *a = memory_grow(NULL, 1, sizeof *a);

	*a = (struct active){.task = t,
		.start = t->start,
		.end = t->end,
		.split.calendar = ts->calendar,
		.earliest = INT64_MAX};
	t->active = a;
	bars_init(&a->bars, ts->calendar, &series, ts->options->extended);
	if (t->written > 0)
		bars_resume(&a->bars, t->written, t->first, t->last);
	rollup_init(&a->rollup);
	return a;
}

static void
active_free(struct tasks *ts, struct active *a)
{
	derive_forget(&ts->derive, a->task);
	rollup_release(&a->rollup);
	free(a);
}

static struct active *
take_rider(struct active *a)
{
	struct active *r = a->riders;

	if (r != NULL)
		DL_DELETE(a->riders, r);
	return r;
}

void
active_return(struct tasks *ts, struct active *a)
{
	struct active *r;

	while ((r = take_rider(a)) != NULL)
		active_return(ts, r);
	queue_return(&ts->queue, a->task);
	active_free(ts, a);
}

uint64_t
active_end(struct tasks *ts, struct active *a, struct slice error)
{
	uint64_t n = !a->done;
	struct task *t = a->task;
	struct active *r;

	if (!a->done && error.p != NULL)
		active_failed(ts, a, error);
	while ((r = take_rider(a)) != NULL)
		n += active_end(ts, r, (struct slice){0});
	active_free(ts, a);
	queue_end(&ts->queue, t);
	return n;
}

/* A record of that type about a task, as far as all types have the same fields. */
static struct record
record_about(const struct task *t, enum record_type type)
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
active_loading(struct tasks *ts, struct active *a)
{
	struct record loading = record_about(a->task, RECORD_LOADING);
	struct active *r;

	if (!a->task->announced)
		record_send(ts->out, &loading);
	a->task->announced = true;
	DL_FOREACH(a->riders, r)
	{
		active_loading(ts, r);
	}
}

void
active_fetched(struct tasks *ts, struct active *a)
{
	struct record r = record_about(a->task, RECORD_FETCHED);
	const struct bars *bars = &a->bars;
	char first[TIMESTAMP_SIZE], last[TIMESTAMP_SIZE];

	r.bars = bars->count;
	r.bytes = bars->bytes;
	if (ts->options->extended && timeframe_intraday(r.tf))
		r.hours = slice_of("extended");
	if (bars->count > 0) {
		r.first = slice_of(bars_key(bars, bars->first, first));
		r.last = slice_of(bars_key(bars, bars->last, last));
	}
	record_send(ts->out, &r);
	ts->count.fetched++;
	a->done = true;
	log_debug("fetched symbol=%.*s timeframe=%s bars=%" PRIu64, SLICE(r.symbol),
		timeframe_name(r.tf), r.bars);
	derive_fetched(ts, a);
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
active_failed(struct tasks *ts, struct active *a, struct slice error)
{
	struct buffer text = {0};
	struct active *r;

	announce_failed(ts, record_about(a->task, RECORD_FAILED), error);
	a->done = true;
	buffer_printf(&text, "%s failed: %.*s", timeframe_name(a->task->tf), SLICE(error));
	while ((r = take_rider(a)) != NULL)
		(void)active_end(ts, r, buffer_slice(&text));
	buffer_release(&text);
}
