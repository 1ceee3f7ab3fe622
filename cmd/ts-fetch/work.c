/* One task in progress: how it begins, how it ends, and the records that say so. */
#include "fetch.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>

/* For a slice behind "%.*s". */
#define TEXT(s) (int)(s).n, (s).n == 0 ? "" : (s).p

void
work_take(struct fetch *f, struct task *t)
{
	struct series series = {t->symbol, t->tf, t->start, t->end, f->options.adjusted};
	struct work *w = f->work;

	while (w->task != NULL)
		w++;
	*w = (struct work){.task = t};
	bars_init(&w->bars, f->calendar, &series, f->options.extended);
	cut_init(&w->cut, f->calendar);
	t->work = w;
	(void)piece_take(f, w, t->start, t->end);
}

void
work_forget(struct fetch *f, struct work *w)
{
	for (unsigned i = 0; i < f->pieces && w->pieces > 0; i++) {
		if (f->piece[i].work == w)
			piece_free(f, &f->piece[i]);
	}
	queue_end(f->queue, w->task);
	w->task = NULL;
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
work_begun(struct fetch *f, struct work *w)
{
	struct record loading = work_record(w->task, RECORD_LOADING);

	if (!w->begun)
		write_record(f, &loading);
	w->begun = true;
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
