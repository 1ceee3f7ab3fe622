/*
 * Pieces of tasks: a part of a task's range, fetched page by page. A task begins as one piece;
 * where its first page shows that the range is long, the rest is cut into pieces as their turns
 * come.
 */
#include "fetch.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>

enum { ROW_WARNINGS = 10 }; /* per page */

/* For a slice behind "%.*s". */
#define TEXT(s) (int)(s).n, (s).n == 0 ? "" : (s).p

/* Gives a piece a range that has not been asked for yet. */
static void
set_range(struct piece *p, int64_t start, int64_t end)
{
	struct series series = p->work->bars.series;

	series.start = p->start = start;
	series.end = p->end = end;
	p->state = PIECE_READY;
	p->after = INT64_MIN;
	p->tries = 0;
	p->seen_n = 0;
	p->path.len = 0;
	url_path(&p->path, &series);
}

struct piece *
piece_take(struct fetch *f, struct work *w, int64_t start, int64_t end)
{
	struct piece *p = f->piece;

	while (p->state != PIECE_FREE)
		p++;
	p->work = w;
	set_range(p, start, end);
	w->pieces++;
	f->busy++;
	return p;
}

void
piece_free(struct fetch *f, struct piece *p)
{
	if (p->state == PIECE_ACTIVE)
		transfer_abort(f->transfer, p);
	p->state = PIECE_FREE;
	p->work->pieces--;
	p->work = NULL;
	f->busy--;
}

void
piece_range(struct fetch *f, struct piece *p, int64_t start, int64_t end)
{
	set_range(p, start, end);
	queue_again(f->queue, p->work->task);
}

void
piece_next(struct fetch *f, struct piece *p, struct slice path)
{
	p->path.len = 0;
	buffer_add(&p->path, path.p, path.n);
	p->tries = 0;
	p->state = PIECE_READY;
	queue_again(f->queue, p->work->task);
}

/* The earliest piece of a task in that state but for one; NULL when there is none. */
static struct piece *
find(struct fetch *f, const struct work *w, enum piece_state state, const struct piece *but)
{
	struct piece *first = NULL;

	for (unsigned i = 0; i < f->pieces; i++) {
		struct piece *p = &f->piece[i];

		if (p->state == state && p->work == w && p != but &&
			(first == NULL || p->start < first->start))
			first = p;
	}
	return first;
}

struct piece *
piece_turn(struct fetch *f, struct work *w)
{
	struct piece *p = find(f, w, PIECE_READY, NULL), *rest;
	int64_t cut;

	if (p == NULL)
		return NULL;
	/* A task whose pages fail is not spread any further. */
	cut = p->seen_n > 0 || f->busy == f->pieces || find(f, w, PIECE_WAITING, NULL) != NULL
		      ? p->end
		      : cut_first(&w->cut, p->start, p->end);
	if (cut < p->end) {
		rest = p;
		p = piece_take(f, w, rest->start, cut);
		set_range(rest, cut, rest->end);
	}
	if (find(f, w, PIECE_READY, p) != NULL)
		queue_again(f->queue, w->task);
	return p;
}

void
piece_start(struct fetch *f, struct piece *p, int64_t now)
{
	work_begun(f, p->work);
	f->url.len = 0;
	buffer_add(&f->url, f->options.base.p, f->options.base.n);
	buffer_add(&f->url, p->path.p, p->path.len);
	if (transfer_start(f->transfer, buffer_cstr(&f->url), p) != 0) {
		work_fail(f, p->work, slice_of("the request cannot be made"));
		return;
	}
	p->state = PIECE_ACTIVE;
	p->request = limiter_start(&f->limiter, now);
	f->count.requests++;
}

static void
warn_row(const struct work *w, int64_t t, const char *why)
{
	char key[TIMESTAMP_SIZE];

	log_warning("bad bar symbol=%.*s timeframe=%s %s=%s %s", TEXT(w->task->symbol),
		timeframe_name(w->task->tf), timeframe_intraday(w->task->tf) ? "timestamp" : "date",
		bars_key(&w->bars, t, key), why);
}

void
piece_rows(struct fetch *f, struct piece *p, const struct massive_page *page, int64_t end)
{
	struct work *w = p->work;
	bool intraday = timeframe_intraday(w->task->tf);
	uint64_t before = w->bars.count, bad = 0;

	for (size_t i = 0; i < page->rows && f->out->error == 0; i++) {
		const struct massive_row *row = &page->row[i];
		const char *why;

		/* A bar at a seam is one piece's, whatever the API makes of the bounds. */
		if (intraday && (row->t < p->start || row->t >= end))
			continue;
		if (!bars_belong(&w->bars, row->t))
			continue;
		why = bars_add(&w->bars, page, row, writer_room(f->out));
		writer_done(f->out);
		if (why != NULL && ++bad <= ROW_WARNINGS)
			warn_row(w, row->t, why);
	}
	if (bad > ROW_WARNINGS)
		log_warning("%" PRIu64 " more bad bars on this page symbol=%.*s timeframe=%s",
			bad - ROW_WARNINGS, TEXT(w->task->symbol), timeframe_name(w->task->tf));
	f->count.bars += w->bars.count - before;
	if (page->rows > 0)
		p->after = page->row[page->rows - 1].t;
}
