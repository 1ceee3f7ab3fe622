/*
 * Which tasks are made of which, what comes of them, and whether it can be trusted. What their bars
 * are is rollup's affair.
 */
#include "derive.h"

#include "log.h"
#include "task.h"
#include "timestamp.h"

#include <stdlib.h>
#include <utlist.h>

enum { WAITING_MAX = 400000 }; /* bars that wait for a sample: some 20 MB */

/* Whether all that t needs comes with the base; the days' range is widened for it. */
static bool
rider_fits(const struct derive *d, const struct task *base, const struct task *t)
{
	if (t->direct || base->direct || d->of[t->tf].proof == PROOF_REFUTED)
		return false;
	return !timeframe_intraday(t->tf) || (base->start <= t->start && t->end <= base->end);
}

static void
rider_add(struct tasks *ts, struct rider **riders, struct task *t)
{
	struct derive_timeframe *of = &ts->derive.of[t->tf];
	struct series series = {t->symbol, t->tf, t->start, t->end, ts->options.adjusted};
	struct rider *r = memory_grow(NULL, 1, sizeof *r);

	*r = (struct rider){.task = t, .earliest = INT64_MAX};
	bars_init(&r->bars, ts->calendar, &series, ts->options.extended);
	rollup_init(&r->rollup);
	if (of->proof == PROOF_NONE && of->first == NULL && of->sample == NULL)
		of->first = r;
	DL_APPEND(*riders, r);
}

struct task *
derive_begin(struct tasks *ts, struct task *t, struct rider **riders, int64_t *start, int64_t *end)
{
	const struct derive *d = &ts->derive;
	struct task *base = t;
	struct rider *r;

	*riders = NULL;
	if (ts->options.derive > 0 && timeframe_base(t->tf) != TF_NONE) {
		base = queue_beside(t, timeframe_base(t->tf));
		if (base == NULL || !rider_fits(d, base, t) || !queue_begin(ts->queue, base))
			base = t;
		else
			rider_add(ts, riders, t);
	}
	for (int tf = 0; tf < TF_COUNT && ts->options.derive > 0; tf++) {
		struct task *other = timeframe_base((enum timeframe)tf) == base->tf
					     ? queue_beside(base, (enum timeframe)tf)
					     : NULL;

		if (other != NULL && tf != (int)t->tf && rider_fits(d, base, other) &&
			queue_begin(ts->queue, other))
			rider_add(ts, riders, other);
	}
	*start = base->start;
	*end = base->end;
	DL_FOREACH(*riders, r)
	{
		*start = r->task->start < *start ? r->task->start : *start;
		*end = r->task->end > *end ? r->task->end : *end;
	}
	return base;
}

/* Start of the bar that a shorter one belongs to. */
static int64_t
bar_start(const struct calendar *c, enum timeframe tf, int64_t t)
{
	if (timeframe_intraday(tf))
		return t - t % timeframe_seconds(tf);
	return calendar_instant(c, timeframe_first(tf, calendar_date(c, t)), 0);
}

bool
derive_ended(const struct calendar *c, enum timeframe tf, int64_t t)
{
	if (timeframe_intraday(tf))
		return t + timeframe_seconds(tf) <= clock_wall();
	return timeframe_last(tf, calendar_date(c, t)) < calendar_date(c, clock_wall());
}

void
derive_row(struct rider *riders, const struct page *page, const struct row *row, int64_t before)
{
	struct rider *r;

	DL_FOREACH(riders, r)
	{
		int64_t t = bar_start(r->bars.calendar, r->task->tf, row->t);

		r->earliest = row->t < r->earliest ? row->t : r->earliest;
		if (row->t == before)
			r->rollup.unfit = true;
		if (bars_belong(&r->bars, t))
			rollup_add(&r->rollup, t, page, row);
	}
}

void
derive_page(struct tasks *ts, const struct chunk *c, const struct page *page)
{
	struct active *a = c->active;
	struct derive_timeframe *of = &ts->derive.of[a->task->tf];
	int64_t before = c->after;

	for (size_t i = 0; i < page->rows; i++) {
		const struct row *row = &page->row[i];

		derive_row(a->riders, page, row, before);
		before = row->t;
		if (of->sample == a->task && bars_belong(&a->bars, row->t) &&
			derive_ended(ts->calendar, a->task->tf, row->t))
			rollup_compare(&of->rollup, page, row);
	}
}

/*
 * Whether the days may have been cut off in the middle of the first week or month: a plan reaches
 * back so many days, but gives weeks and months whole.
 */
static bool
rider_begins_late(const struct rider *r)
{
	const struct calendar *c = r->bars.calendar;
	int32_t date;

	if (timeframe_intraday(r->task->tf) || r->rollup.bars.n == 0)
		return false;
	date = calendar_date(c, r->rollup.bars.p[0].t);
	return calendar_session_after(c, date) < calendar_date(c, r->earliest);
}

void
derive_return(struct tasks *ts, struct rider *r)
{
	if (ts->derive.of[r->task->tf].first == r)
		ts->derive.of[r->task->tf].first = NULL;
	queue_return(ts->queue, r->task);
	rollup_release(&r->rollup);
	free(r);
}

/* It is asked for by itself after all. */
static void
ask_rider(struct tasks *ts, struct rider *r)
{
	r->task->direct = true;
	derive_return(ts, r);
}

/* A sample has come, and what it is compared with: where that is nothing the next one tells. */
static void
judge_sample(struct tasks *ts, struct active *a)
{
	struct derive_timeframe *of = &ts->derive.of[a->task->tf];
	char key[TIMESTAMP_SIZE];

	rollup_compared(&of->rollup);
	if (of->rollup.differs < INT64_MAX)
		of->proof = PROOF_REFUTED;
	else if (of->rollup.bars.n > 0)
		of->proof = PROOF_GIVEN;
	if (of->proof == PROOF_REFUTED) {
		ts->derive.differing++;
		log_warning("symbol=%.*s timeframe=%s: the API's bar at %s is not what its %s "
			    "bars make; from now on this timeframe is not derived",
			SLICE(a->task->symbol), timeframe_name(a->task->tf),
			bars_key(&a->bars, of->rollup.differs, key),
			timeframe_name(timeframe_base(a->task->tf)));
	}
	derive_forget(&ts->derive, a->task);
}

void
derive_ready(struct tasks *ts, struct rider **riders, unsigned pages)
{
	struct derive *d = &ts->derive;
	struct rider *r;

	while ((r = *riders) != NULL) {
		DL_DELETE(*riders, r);
		r->pages = pages;
		if (rider_begins_late(r))
			r->rollup.unfit = true;
		DL_APPEND(d->waiting, r);
		d->waits += r->rollup.bars.n + 1;
	}
}

void
derive_fetched(struct tasks *ts, struct active *a)
{
	if (ts->derive.of[a->task->tf].sample == a->task)
		judge_sample(ts, a);
	derive_ready(ts, &a->riders, a->pages);
}

/* The series is asked for, too, and compared. */
static void
take_sample(struct tasks *ts, struct rider *r)
{
	struct derive_timeframe *of = &ts->derive.of[r->task->tf];
	const struct calendar *c = r->bars.calendar;

	of->first = NULL;
	of->sample = r->task;
	of->since = 0;
	ts->derive.sampled++;
	rollup_release(&of->rollup);
	of->rollup = r->rollup;
	rollup_init(&r->rollup);
	while (of->rollup.bars.n > 0 &&
		!derive_ended(c, r->task->tf, of->rollup.bars.p[of->rollup.bars.n - 1].t))
		of->rollup.bars.n--;
	ask_rider(ts, r);
}

static void
write_bars(struct tasks *ts, struct rider *r)
{
	struct page page;
	struct row row;

	for (size_t i = 0; i < r->rollup.bars.n && ts->out->error == 0; i++) {
		rollup_row(&r->rollup.bars.p[i], &ts->derive.text, &page, &row);
		(void)bars_add(&r->bars, &page, &row, writer_room(ts->out));
		writer_done(ts->out);
	}
	ts->count.bars += r->bars.count;
	ts->derive.derived++;
	ts->derive.saved += r->pages;
	ts->derive.of[r->task->tf].since++;
	announce_fetched(ts, r->task, &r->bars);
	queue_end(ts->queue, r->task);
	rollup_release(&r->rollup);
	free(r);
}

/* What becomes of a series that is made; false: nothing yet. */
static bool
settle_rider(struct tasks *ts, struct rider *r)
{
	struct derive *d = &ts->derive;
	struct derive_timeframe *of = &d->of[r->task->tf];
	bool full = d->waits > WAITING_MAX;
	bool due = of->proof == PROOF_NONE ? of->first == NULL || of->first == r
					   : of->since + 1 >= ts->options.derive;

	if (of->proof == PROOF_REFUTED || r->rollup.unfit) {
		ask_rider(ts, r);
	} else if (of->sample == NULL && due) {
		take_sample(ts, r);
	} else if (of->proof == PROOF_GIVEN && (!due || full)) {
		write_bars(ts, r);
	} else if (full) {
		ask_rider(ts, r);
	} else {
		return false;
	}
	return true;
}

void
derive_settle(struct tasks *ts)
{
	struct derive *d = &ts->derive;
	struct rider *list = d->waiting, *r;

	d->waiting = NULL;
	d->waits = 0;
	while ((r = list) != NULL) {
		DL_DELETE(list, r);
		if (!settle_rider(ts, r)) {
			DL_APPEND(d->waiting, r);
			d->waits += r->rollup.bars.n + 1;
		}
	}
}

uint64_t
derive_end(struct tasks *ts, struct rider **riders, struct slice error)
{
	struct rider *r;
	uint64_t n = 0;

	for (; (r = *riders) != NULL; n++) {
		struct derive_timeframe *of = &ts->derive.of[r->task->tf];

		DL_DELETE(*riders, r);
		if (of->first == r)
			of->first = NULL;
		if (error.p != NULL)
			announce_failed(ts, announce_about(r->task, RECORD_FAILED), error);
		queue_end(ts->queue, r->task);
		rollup_release(&r->rollup);
		free(r);
	}
	return n;
}

void
derive_fail(struct tasks *ts, const struct task *t, struct rider **riders, struct slice error)
{
	struct buffer text = {0};

	announce_failed(ts, announce_about(t, RECORD_FAILED), error);
	buffer_printf(&text, "%s failed: %.*s", timeframe_name(t->tf), SLICE(error));
	(void)derive_end(ts, riders, buffer_slice(&text));
	buffer_release(&text);
}

uint64_t
derive_end_waiting(struct tasks *ts, struct slice job_id, struct slice error)
{
	struct derive *d = &ts->derive;
	struct rider *list = NULL, *r, *other;

	DL_FOREACH_SAFE(d->waiting, r, other)
	{
		if (job_id.p == NULL || slice_eq(task_job_id(r->task), job_id)) {
			DL_DELETE(d->waiting, r);
			DL_APPEND(list, r);
		}
	}
	return derive_end(ts, &list, error);
}

void
derive_forget(struct derive *d, const struct task *t)
{
	struct derive_timeframe *of = &d->of[t->tf];

	if (of->sample != t)
		return;
	of->sample = NULL;
	rollup_release(&of->rollup);
	rollup_init(&of->rollup);
}

void
derive_release(struct derive *d)
{
	for (int tf = 0; tf < TF_COUNT; tf++)
		rollup_release(&d->of[tf].rollup);
	buffer_release(&d->text);
}
