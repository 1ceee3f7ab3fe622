/*
 * Which tasks are made of which, what comes of them, and whether it can be trusted. What their bars
 * are is rollup's affair.
 */
#include "derive.h"

#include "log.h"
#include "task.h"
#include "timestamp.h"

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
rider_add(struct tasks *ts, struct active *base, struct task *t)
{
	struct derive_timeframe *of = &ts->derive.of[t->tf];
	struct active *r = active_new(ts, t);

	if (of->proof == PROOF_NONE && of->first == NULL && of->sample == NULL)
		of->first = t;
	DL_APPEND(base->riders, r);
	base->start = t->start < base->start ? t->start : base->start;
	base->end = t->end > base->end ? t->end : base->end;
}

struct active *
derive_begin(struct tasks *ts, struct task *t)
{
	const struct derive *d = &ts->derive;
	struct task *base = NULL, *other;
	struct active *a;

	if (ts->options->derive && timeframe_base(t->tf) != TF_NONE)
		base = queue_beside(t, timeframe_base(t->tf));
	if (base != NULL && (!rider_fits(d, base, t) || !queue_begin(&ts->queue, base)))
		base = NULL;
	a = active_new(ts, base == NULL ? t : base);
	if (base != NULL)
		rider_add(ts, a, t);
	for (enum timeframe tf = 0; tf < TF_COUNT && ts->options->derive; tf++) {
		if (tf == t->tf || timeframe_base(tf) != a->task->tf)
			continue;
		other = queue_beside(a->task, tf);
		if (other != NULL && rider_fits(d, a->task, other) &&
			queue_begin(&ts->queue, other))
			rider_add(ts, a, other);
	}
	return a;
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
derive_row(struct active *riders, const struct page *page, const struct row *row, int64_t before)
{
	struct active *r;

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
derive_trim(struct rollup *r, const struct calendar *c, enum timeframe tf)
{
	while (r->bars.n > 0 && !derive_ended(c, tf, r->bars.p[r->bars.n - 1].t))
		r->bars.n--;
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
rider_begins_late(const struct active *r)
{
	const struct calendar *c = r->bars.calendar;
	int32_t date;

	if (timeframe_intraday(r->task->tf) || r->rollup.bars.n == 0)
		return false;
	date = calendar_date(c, r->rollup.bars.p[0].t);
	return calendar_session_after(c, date) < calendar_date(c, r->earliest);
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
derive_fetched(struct tasks *ts, struct active *a)
{
	struct active *r;

	if (ts->derive.of[a->task->tf].sample == a->task)
		judge_sample(ts, a);
	DL_FOREACH(a->riders, r)
	{
		r->pages = a->pages;
		if (rider_begins_late(r))
			r->rollup.unfit = true;
	}
	DL_CONCAT(ts->derive.waiting, a->riders);
	a->riders = NULL;
}

/* It is asked for by itself after all. */
static void
ask_rider(struct tasks *ts, struct active *r)
{
	r->task->direct = true;
	active_return(ts, r);
}

/* The series is asked for, too, and compared. */
static void
take_sample(struct tasks *ts, struct active *r)
{
	struct derive_timeframe *of = &ts->derive.of[r->task->tf];
	const struct task *t = r->task;

	rollup_release(&of->rollup);
	of->rollup = r->rollup;
	rollup_init(&r->rollup);
	derive_trim(&of->rollup, ts->calendar, t->tf);
	ask_rider(ts, r);
	of->sample = t;
	of->since = 0;
	ts->derive.sampled++;
}

static void
write_bars(struct tasks *ts, struct active *r)
{
	struct page page;
	struct row row;

	for (size_t i = 0; i < r->rollup.bars.n && ts->out->error == 0; i++) {
		rollup_row(&r->rollup.bars.p[i], &ts->derive.text, &page, &row);
		(void)active_bar(ts, r, &page, &row);
	}
	ts->derive.derived++;
	ts->derive.saved += r->pages;
	ts->derive.of[r->task->tf].since++;
	active_fetched(ts, r);
	(void)active_end(ts, r, (struct slice){0});
}

/* What becomes of a series that is made; false: nothing yet. full: too many wait. */
static bool
settle_rider(struct tasks *ts, struct active *r, bool full)
{
	struct derive_timeframe *of = &ts->derive.of[r->task->tf];
	bool due = of->proof == PROOF_NONE ? of->first == NULL || of->first == r->task
					   : of->since + 1 >= ts->options->every;

	if (of->proof == PROOF_REFUTED || r->rollup.unfit)
		ask_rider(ts, r);
	else if (of->sample == NULL && due)
		take_sample(ts, r);
	else if (of->proof == PROOF_GIVEN && (!due || full))
		write_bars(ts, r);
	else if (full)
		ask_rider(ts, r);
	else
		return false;
	return true;
}

void
derive_settle(struct tasks *ts)
{
	struct active *list = ts->derive.waiting, *r;
	size_t waits = 0; /* bars of theirs, and they */

	ts->derive.waiting = NULL;
	while ((r = list) != NULL) {
		DL_DELETE(list, r);
		if (!settle_rider(ts, r, waits > WAITING_MAX)) {
			DL_APPEND(ts->derive.waiting, r);
			waits += r->rollup.bars.n + 1;
		}
	}
}

void
derive_forget(struct derive *d, const struct task *t)
{
	struct derive_timeframe *of = &d->of[t->tf];

	if (of->first == t)
		of->first = NULL;
	if (of->sample != t)
		return;
	of->sample = NULL;
	rollup_release(&of->rollup);
	rollup_init(&of->rollup);
}
