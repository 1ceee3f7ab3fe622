/*
 * How a task begins and goes on, and how all end. It begins as one chunk; where its first page
 * shows that the range is long, the rest is split into chunks as their turns come.
 */
#include "task.h"

#include "grouped.h"
#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
	ROW_WARNINGS = 10, /* per page */
	STALE_PAGES = 3,
};

const char *
tasks_init(struct tasks *ts, const struct options *options, struct transfer *transfer,
	struct writer *out)
{
	const char *why;

	*ts = (struct tasks){.options = options,
		.transfer = transfer,
		.out = out,
		.chunks = (unsigned)options->parallel * TASKS_CHUNKS};
	ts->calendar = calendar_new(&why);
	ts->chunk = memory_grow(NULL, ts->chunks, sizeof *ts->chunk);
	memset(ts->chunk, 0, ts->chunks * sizeof *ts->chunk);
	return why;
}

void
tasks_release(struct tasks *ts)
{
	(void)tasks_end(ts, (struct slice){0}, (struct slice){0});
	for (unsigned i = 0; i < ts->chunks; i++)
		chunk_release(&ts->chunk[i]);
	for (int tf = 0; tf < TF_COUNT; tf++)
		rollup_release(&ts->derive.of[tf].rollup);
	buffer_release(&ts->derive.text);
	free(ts->chunk);
	queue_release(&ts->queue);
	calendar_free(ts->calendar);
	buffer_release(&ts->dead);
}

bool
tasks_idle(const struct tasks *ts)
{
	return ts->busy == 0 && ts->queue.waiting == 0 && ts->derive.waiting == NULL;
}

bool
tasks_full(const struct tasks *ts)
{
	return ts->queue.waiting >= TASKS_QUEUE;
}

void
tasks_push(struct tasks *ts, const struct record *r, const struct task *t)
{
	if (ts->dead.len > 0)
		announce_failed(ts, *r, buffer_slice(&ts->dead));
	else
		queue_push(&ts->queue, r->job_id, t);
}

/* It is another page that it asks for. */
static void
chunk_anew(struct chunk *c)
{
	c->tries = c->refusals = 0;
	c->refused_at = c->failed_at = 0;
	c->state = CHUNK_READY;
}

void
chunk_range(struct chunk *c, struct series series, int64_t start, int64_t end)
{
	c->series = series;
	c->series.start = start;
	c->series.end = end;
	c->after = INT64_MIN;
	c->seen.n = 0;
	c->stale = 0;
	c->path.len = 0;
	url_path(&c->path, &c->series);
	chunk_anew(c);
}

void
chunk_follow(struct chunk *c, struct slice path)
{
	buffer_set(&c->path, path);
	chunk_anew(c);
}

bool
chunk_loops(const struct chunk *c, struct slice next)
{
	uint64_t h = hash_slice(next);

	for (size_t i = 0; i < c->seen.n; i++) {
		if (c->seen.p[i] == h)
			return true;
	}
	return false;
}

struct slice
chunk_symbol(const struct chunk *c)
{
	return c->series.symbol.n > 0 ? c->series.symbol : slice_of("*");
}

void
chunk_release(struct chunk *c)
{
	buffer_release(&c->path);
	free(c->seen.p);
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

static struct active *
begin_task(struct tasks *ts, struct task *t)
{
	struct active *a = derive_begin(ts, t);

	DL_APPEND(ts->active, a);
	grouped_begin(ts, a, chunk_take(ts, a, a->start, a->end));
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
			(first == NULL || c->series.start < first->series.start))
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
			? c->series.end
			: split_first(&a->split, c->series.start, c->series.end);
	if (point < c->series.end) {
		rest = c;
		c = chunk_take(ts, a, rest->series.start, point);
		chunk_range(rest, a->bars.series, point, rest->series.end);
	}
	if (find_chunk(ts, a, CHUNK_READY, c) != NULL)
		queue_again(&ts->queue, a->task);
	return c;
}

struct chunk *
tasks_next(struct tasks *ts)
{
	struct chunk *c = NULL;

	while (c == NULL) {
		struct task *t = queue_take(&ts->queue, !ts->held && ts->busy < ts->chunks);

		if (t == NULL)
			return NULL;
		c = next_of(ts, t->active == NULL ? begin_task(ts, t) : t->active);
	}
	return c;
}

void
tasks_request(struct tasks *ts, struct chunk *c)
{
	if (c->active->group != NULL)
		grouped_loading(ts, c->active->group);
	else
		active_loading(ts, c->active);
	c->state = CHUNK_IN_FLIGHT;
}

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
	uint64_t bad = 0;

	derive_page(ts, c, page);
	for (size_t i = 0; i < page->rows && ts->out->error == 0; i++) {
		const struct row *row = &page->row[i];
		const char *why;

		/* A bar at a split point is one chunk's, whatever the API makes of the bounds. */
		if (intraday && (row->t < c->series.start || row->t >= end))
			continue;
		if (!bars_belong(&a->bars, row->t))
			continue;
		why = active_bar(ts, a, page, row);
		if (why != NULL && ++bad <= ROW_WARNINGS)
			warn_row(a, row->t, why);
	}
	if (bad > ROW_WARNINGS)
		log_warning("%" PRIu64 " more bad bars on this page symbol=%.*s timeframe=%s",
			bad - ROW_WARNINGS, SLICE(a->task->symbol), timeframe_name(a->task->tf));
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

	if (ts->options->parallel == 1 || ts->options->derive || page->rows == 0 ||
		!timeframe_intraday(a->task->tf))
		return c->series.start;
	return split_full(
		&a->split, c->series.start, c->series.end, page->row[page->rows - 1].t, page->base);
}

/* There are more pages: writes the bars of this one and lines up for the next. */
static const char *
go_on_chunk(struct tasks *ts, struct chunk *c, const struct page *page)
{
	int64_t rest = rest_of(ts, c, page);

	write_bars(ts, c, page, rest > c->series.start ? rest : c->series.end);
	if (c->active->pages >= TASKS_PAGES)
		return "more than 10000 pages";
	if (c->stale >= STALE_PAGES)
		return "three pages in a row brought nothing new";
	if (signals_stop()) {
		(void)tasks_drop(ts, c->active, (struct slice){0});
		return NULL;
	}
	if (rest > c->series.start)
		chunk_range(c, c->active->bars.series, rest, c->series.end);
	else
		chunk_follow(c, page->next);
	queue_again(&ts->queue, c->active->task);
	return NULL;
}

/* All of the chunk has come; with the last one the task is done. */
static void
finish_chunk(struct tasks *ts, struct chunk *c, const struct page *page)
{
	struct active *a = c->active;

	write_bars(ts, c, page, c->series.end);
	if (timeframe_intraday(a->task->tf) && c->seen.n == 1)
		split_whole(&a->split, c->series.start, c->series.end, page->base);
	if (a->chunks > 1) {
		chunk_free(ts, c);
		return;
	}
	active_fetched(ts, a);
	(void)tasks_drop(ts, a, (struct slice){0});
}

const char *
tasks_page(struct tasks *ts, struct chunk *c, const struct page *page)
{
	*array_add(&c->seen) = page->next.p == NULL ? 0 : hash_slice(page->next);
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

void
active_leave(struct tasks *ts, struct active *a)
{
	for (unsigned i = 0; i < ts->chunks && a->chunks > 0; i++) {
		if (ts->chunk[i].active == a)
			chunk_free(ts, &ts->chunk[i]);
	}
	DL_DELETE(ts->active, a);
}

uint64_t
tasks_drop(struct tasks *ts, struct active *a, struct slice error)
{
	active_leave(ts, a);
	return a->group != NULL ? grouped_end(ts, a->group, error) : active_end(ts, a, error);
}

void
tasks_fail(struct tasks *ts, struct chunk *c, struct slice error, const char *tail)
{
	struct active *a = c->active;

	if (a->group == NULL || !grouped_dates(a->group))
		log_warning("failed symbol=%.*s timeframe=%s %.*s%s", SLICE(chunk_symbol(c)),
			timeframe_name(c->series.tf), SLICE(error), tail);
	if (a->group != NULL)
		grouped_give_up(ts, a, error, tail);
	else
		(void)tasks_drop(ts, a, error);
}

uint64_t
tasks_end(struct tasks *ts, struct slice job_id, struct slice error)
{
	struct task *t = queue_cancel(&ts->queue, job_id), *after;
	struct active *a, *next;
	uint64_t n = 0;

	for (; t != NULL; t = after) {
		after = t->next;
		if (t->active == NULL)
			n += active_end(ts, active_new(ts, t), error);
	}
	DL_FOREACH_SAFE(ts->active, a, next)
	{
		if (job_id.p == NULL || slice_eq(task_job_id(a->task), job_id))
			n += tasks_drop(ts, a, error);
	}
	DL_FOREACH_SAFE(ts->derive.waiting, a, next)
	{
		if (job_id.p == NULL || slice_eq(task_job_id(a->task), job_id)) {
			DL_DELETE(ts->derive.waiting, a);
			n += active_end(ts, a, error);
		}
	}
	return n;
}
