/* One task in progress: how it begins, what is written for it, how it ends. */
#include "fetch.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>
#include <string.h>

enum { ROW_WARNINGS = 10 }; /* per page */

/* For a slice behind "%.*s". */
#define TEXT(s) (int)(s).n, (s).n == 0 ? "" : (s).p

struct work *
work_take(struct fetch *f, struct task *t)
{
	struct work *w = f->work;
	struct series series = {t->symbol, t->tf, t->start, t->end, f->options.adjusted};

	while (w->state != WORK_FREE)
		w++;
	*w = (struct work){.state = WORK_READY,
		.task = t,
		.path = w->path,
		.seen = w->seen,
		.seen_cap = w->seen_cap,
		.after = INT64_MIN};
	bars_init(&w->bars, f->calendar, &series, f->options.extended);
	w->path.len = 0;
	url_path(&w->path, &series);
	t->work = w;
	f->busy++;
	return w;
}

void
work_forget(struct fetch *f, struct work *w)
{
	if (w->state == WORK_ACTIVE)
		transfer_abort(f->transfer, w);
	queue_end(f->queue, w->task);
	w->task = NULL;
	w->state = WORK_FREE;
	f->busy--;
}

struct record
work_record(const struct task *t, enum record_type type)
{
	return (struct record){.type = type,
		.job_id = task_job_id(t),
		.symbol = t->symbol,
		.timeframe = slice_of(timeframe_name(t->tf)),
		.tf = t->tf,
		.from = t->from,
		.to = t->to};
}

static void
write_record(struct fetch *f, const struct record *r)
{
	record_write(writer_room(f->out), r);
	writer_done(f->out);
}

void
work_fail(struct fetch *f, struct work *w, struct slice text)
{
	intake_failed(f, work_record(w->task, RECORD_FAILED), text);
	work_forget(f, w);
}

void
work_start(struct fetch *f, struct work *w)
{
	struct record loading = work_record(w->task, RECORD_LOADING);

	if (!w->begun)
		write_record(f, &loading);
	w->begun = true;
	f->url.len = 0;
	buffer_add(&f->url, f->options.base.p, f->options.base.n);
	buffer_add(&f->url, w->path.p, w->path.len);
	if (transfer_start(f->transfer, buffer_cstr(&f->url), w) != 0) {
		work_fail(f, w, slice_of("the request cannot be made"));
		return;
	}
	w->state = WORK_ACTIVE;
	w->request = limiter_start(&f->limiter, clock_mono_ms());
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
work_rows(struct fetch *f, struct work *w, const struct massive_page *page)
{
	uint64_t before = w->bars.count, bad = 0;

	for (size_t i = 0; i < page->rows && f->out->error == 0; i++) {
		const struct massive_row *row = &page->row[i];
		const char *why;

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
		w->after = page->row[page->rows - 1].t;
}

void
work_finish(struct fetch *f, struct work *w)
{
	struct record r = work_record(w->task, RECORD_FETCHED);
	char first[TIMESTAMP_SIZE], last[TIMESTAMP_SIZE];

	r.bars = w->bars.count;
	if (r.bars > 0) {
		r.first = slice_of(bars_key(&w->bars, w->bars.first, first));
		r.last = slice_of(bars_key(&w->bars, w->bars.last, last));
	}
	write_record(f, &r);
	f->count.fetched++;
	log_debug("fetched symbol=%.*s timeframe=%s bars=%" PRIu64 " pages=%u", TEXT(r.symbol),
		timeframe_name(r.tf), r.bars, w->pages);
	work_forget(f, w);
}
