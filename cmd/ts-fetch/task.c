/*
 * How a task begins, goes on and ends, and the records that say so. It begins as one chunk; where
 * its first page shows that the range is long, the rest is split into chunks as their turns come.
 */
#include "task.h"

#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROW_WARNINGS = 10, /* per page */
	STALE_PAGES = 3,
};

const char *
tasks_init(struct tasks *ts, const struct task_options *options, struct transfer *transfer,
	struct writer *out)
{
	const char *why;

	*ts = (struct tasks){.options = *options,
		.transfer = transfer,
		.out = out,
		.chunks = options->parallel * TASKS_CHUNKS};
	ts->calendar = calendar_new(&why);
	ts->queue = queue_new(TASKS_QUEUE);
	ts->active = memory_grow(NULL, ts->chunks, sizeof *ts->active);
	memset(ts->active, 0, ts->chunks * sizeof *ts->active);
	ts->chunk = memory_grow(NULL, ts->chunks, sizeof *ts->chunk);
	memset(ts->chunk, 0, ts->chunks * sizeof *ts->chunk);
	return why;
}

void
tasks_release(struct tasks *ts)
{
	for (unsigned i = 0; i < ts->chunks; i++) {
		if (ts->active[i].task != NULL)
			(void)tasks_drop(ts, &ts->active[i]);
	}
	for (unsigned i = 0; i < ts->chunks; i++)
		chunk_release(&ts->chunk[i]);
	(void)derive_end_waiting(ts, (struct slice){0}, (struct slice){0});
	derive_release(&ts->derive);
	free(ts->active);
	free(ts->chunk);
	queue_free(ts->queue);
	calendar_free(ts->calendar);
	buffer_release(&ts->dead);
}

bool
tasks_idle(const struct tasks *ts)
{
	return ts->busy == 0 && queue_waiting(ts->queue) == 0 && ts->derive.waiting == NULL;
}

/* Beginning. */

void
tasks_push(struct tasks *ts, const struct record *r, const struct task *t)
{
	if (ts->dead.len > 0)
		announce_failed(ts, *r, buffer_slice(&ts->dead));
	else
		queue_push(ts->queue, r->job_id, t);
}

/* A free chunk takes on a range of a task's. There must be one. */
static struct chunk *
chunk_take(struct tasks *ts, struct active *a, int64_t start, int64_t end)
{
	struct chunk *c = ts->chunk;

	while (c->state != CHUNK_FREE)
		c++;
	c->active = a;
	chunk_range(c, a->bars.series, start, end);
	a->chunks++;
	ts->busy++;
	return c;
}

/* Gives up its request if it has one. */
static void
chunk_free(struct tasks *ts, struct chunk *c)
{
	if (c->state == CHUNK_IN_FLIGHT)
		transfer_abort(ts->transfer, c);
	c->state = CHUNK_FREE;
	c->active->chunks--;
	c->active = NULL;
	ts->busy--;
}

struct slice
tasks_symbol(const struct active *a)
{
	return a->bars.series.symbol.n > 0 ? a->bars.series.symbol : slice_of("*");
}

static struct active *
begin_task(struct tasks *ts, struct task *t)
{
	struct active *a = ts->active;
	struct series series;
	int64_t start, end;

	while (a->task != NULL)
		a++;
	*a = (struct active){0};
	t = a->task = derive_begin(ts, t, &a->riders, &start, &end);
	series = (struct series){t->symbol, t->tf, t->start, t->end, ts->options.adjusted};
	bars_init(&a->bars, ts->calendar, &series, ts->options.extended);
	if (t->written > 0)
		bars_resume(&a->bars, t->written, t->first, t->last);
	split_init(&a->split, ts->calendar);
	t->active = a;
	(void)grouped_begin(ts, a, chunk_take(ts, a, start, end));
	return a;
}

/* The earliest chunk of a task in that state except one; NULL when there is none. */
static struct chunk *
find_chunk(struct tasks *ts, const struct active *a, enum chunk_state state,
	const struct chunk *except)
{
	struct chunk *first = NULL;

	for (unsigned i = 0; i < ts->chunks; i++) {
		struct chunk *c = &ts->chunk[i];

		if (c->state == state && c->active == a && c != except &&
			(first == NULL || c->start < first->start))
			first = c;
	}
	return first;
}

/* It is the task's turn: the chunk to ask for, or NULL when none is ready. */
static struct chunk *
next_of(struct tasks *ts, struct active *a)
{
	struct chunk *c = find_chunk(ts, a, CHUNK_READY, NULL), *rest;
	int64_t point;

	if (c == NULL)
		return NULL;
	/* A task whose pages fail is not spread any further. */
	point = c->seen.n > 0 || ts->busy == ts->chunks ||
				find_chunk(ts, a, CHUNK_WAITING, NULL) != NULL
			? c->end
			: split_first(&a->split, c->start, c->end);
	if (point < c->end) {
		rest = c;
		c = chunk_take(ts, a, rest->start, point);
		chunk_range(rest, a->bars.series, point, rest->end);
	}
	if (find_chunk(ts, a, CHUNK_READY, c) != NULL)
		queue_again(ts->queue, a->task);
	return c;
}

struct chunk *
tasks_next(struct tasks *ts)
{
	struct chunk *c = NULL;

	while (c == NULL) {
		struct task *t = queue_take(ts->queue, !ts->held && ts->busy < ts->chunks);

		if (t == NULL)
			return NULL;
		c = next_of(ts, t->active == NULL ? begin_task(ts, t) : t->active);
	}
	return c;
}

void
tasks_request(struct tasks *ts, struct chunk *c)
{
	announce_loading(ts, c->active->task);
	for (struct rider *r = c->active->riders; r != NULL; r = r->next)
		announce_loading(ts, r->task);
	if (c->active->group != NULL)
		grouped_announce(ts, c->active->group);
	c->state = CHUNK_IN_FLIGHT;
}

/* Going on. */

static void
warn_row(const struct active *a, int64_t t, const char *why)
{
	char key[TIMESTAMP_SIZE];

	log_warning("bad bar symbol=%.*s timeframe=%s %s=%s %s", SLICE(a->task->symbol),
		timeframe_name(a->task->tf), timeframe_intraday(a->task->tf) ? "timestamp" : "date",
		bars_key(&a->bars, t, key), why);
}

/* Writes those rows of a page that belong to the chunk and start before end. */
static void
write_bars(struct tasks *ts, struct chunk *c, const struct page *page, int64_t end)
{
	struct active *a = c->active;
	bool intraday = timeframe_intraday(a->task->tf);
	uint64_t before = a->bars.count, bad = 0;

	derive_page(ts, c, page);
	for (size_t i = 0; i < page->rows && ts->out->error == 0; i++) {
		const struct row *row = &page->row[i];
		const char *why;

		/* A bar at a split point is one chunk's, whatever the API makes of the bounds. */
		if (intraday && (row->t < c->start || row->t >= end))
			continue;
		if (!bars_belong(&a->bars, row->t))
			continue;
		why = bars_add(&a->bars, page, row, writer_room(ts->out));
		writer_done(ts->out);
		if (why != NULL && ++bad <= ROW_WARNINGS)
			warn_row(a, row->t, why);
	}
	if (bad > ROW_WARNINGS)
		log_warning("%" PRIu64 " more bad bars on this page symbol=%.*s timeframe=%s",
			bad - ROW_WARNINGS, SLICE(a->task->symbol), timeframe_name(a->task->tf));
	ts->count.bars += a->bars.count - before;
	c->stale = page->rows > 0 && page->row[page->rows - 1].t > c->after ? 0 : c->stale + 1;
	if (page->rows > 0)
		c->after = page->row[page->rows - 1].t;
}

/*
 * Where what is left of the chunk begins, if it is to be asked for by its own range; its start if
 * by the address that the page named. Where requests go one by one, nothing is gained by ranges,
 * and where they are to be few, a range can take one more than it has pages.
 */
static int64_t
rest_of(const struct tasks *ts, const struct chunk *c, const struct page *page)
{
	struct active *a = c->active;

	if (ts->options.parallel == 1 || ts->options.derive > 0 || page->rows == 0 ||
		!timeframe_intraday(a->task->tf))
		return c->start;
	return split_full(&a->split, c->start, c->end, page->row[page->rows - 1].t, page->base);
}

/* There are more pages: writes the bars of this one and lines up for the next. */
static const char *
go_on_chunk(struct tasks *ts, struct chunk *c, const struct page *page)
{
	int64_t rest = rest_of(ts, c, page);

	write_bars(ts, c, page, rest > c->start ? rest : c->end);
	if (c->active->pages >= TASKS_PAGES)
		return "more than 10000 pages";
	if (c->stale >= STALE_PAGES)
		return "three pages in a row brought nothing new";
	if (signals_stop()) {
		(void)tasks_drop(ts, c->active);
		return NULL;
	}
	if (rest > c->start)
		chunk_range(c, c->active->bars.series, rest, c->end);
	else
		chunk_follow(c, page->next);
	queue_again(ts->queue, c->active->task);
	return NULL;
}

/* All of the chunk has come; with the last one the task is done. */
static void
finish_chunk(struct tasks *ts, struct chunk *c, const struct page *page)
{
	struct active *a = c->active;

	write_bars(ts, c, page, c->end);
	if (timeframe_intraday(a->task->tf) && c->seen.n == 1)
		split_whole(&a->split, c->start, c->end, page->base);
	if (a->chunks > 1) {
		chunk_free(ts, c);
		return;
	}
	announce_fetched(ts, a->task, &a->bars);
	derive_fetched(ts, a);
	(void)tasks_drop(ts, a);
}

const char *
tasks_page(struct tasks *ts, struct chunk *c, const struct page *page)
{
	chunk_count(c, page->next);
	c->active->pages++;
	if (c->active->group != NULL) {
		grouped_page(ts, c, page);
		return NULL;
	}
	if (page->next.p != NULL)
		return go_on_chunk(ts, c, page);
	finish_chunk(ts, c, page);
	return NULL;
}

/* Ending. */

/* Takes a task that is not in progress out of everything. */
static void
forget_task(struct tasks *ts, struct task *t)
{
	derive_forget(&ts->derive, t);
	queue_end(ts->queue, t);
}

uint64_t
tasks_drop(struct tasks *ts, struct active *a)
{
	uint64_t n;

	for (unsigned i = 0; i < ts->chunks && a->chunks > 0; i++) {
		if (ts->chunk[i].active == a)
			chunk_free(ts, &ts->chunk[i]);
	}
	if (a->group != NULL) {
		n = grouped_end(ts, a);
	} else {
		forget_task(ts, a->task);
		n = 1 + derive_end(ts, &a->riders, (struct slice){0});
	}
	a->task = NULL;
	return n;
}

/* All of it fails, a group as a whole. */
static void
fail_active(struct tasks *ts, struct active *a, struct slice error)
{
	if (a->group != NULL)
		grouped_fail(ts, a->group, error);
	else
		derive_fail(ts, a->task, &a->riders, error);
	(void)tasks_drop(ts, a);
}

void
tasks_fail(struct tasks *ts, struct active *a, struct slice error, const char *tail)
{
	if (a->group != NULL && grouped_give_up(ts, a, error, tail))
		return;
	log_warning("failed symbol=%.*s timeframe=%s %.*s%s", SLICE(tasks_symbol(a)),
		timeframe_name(a->task->tf), SLICE(error), tail);
	if (a->group != NULL)
		grouped_fail_sample(ts, a, error);
	else
		fail_active(ts, a, error);
}

void
tasks_fail_all(struct tasks *ts, struct slice error)
{
	struct task *t;

	while ((t = queue_any(ts->queue)) != NULL) {
		if (t->active != NULL) {
			fail_active(ts, t->active, error);
			continue;
		}
		announce_failed(ts, announce_about(t, RECORD_FAILED), error);
		forget_task(ts, t);
	}
	for (unsigned i = 0; i < ts->chunks; i++) {
		if (ts->active[i].task != NULL)
			fail_active(ts, &ts->active[i], error);
	}
	(void)derive_end_waiting(ts, (struct slice){0}, error);
}

uint64_t
tasks_cancel(struct tasks *ts, struct slice job_id)
{
	struct task *t = queue_cancel(ts->queue, job_id);
	uint64_t n = 0;

	while (t != NULL) {
		struct task *after = t->next;

		if (t->active != NULL) {
			n += tasks_drop(ts, t->active);
		} else {
			forget_task(ts, t);
			n++;
		}
		t = after;
	}
	for (unsigned i = 0; i < ts->chunks; i++) {
		struct active *a = &ts->active[i];

		if (a->task != NULL && slice_eq(task_job_id(a->task), job_id))
			n += tasks_drop(ts, a);
	}
	n += derive_end_waiting(ts, job_id, (struct slice){0});
	ts->count.cancelled += n;
	return n;
}
