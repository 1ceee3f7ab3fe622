/* From holes to the tasks that fill them. */
#include "fill.h"

#include "timestamp.h"

/* The header's texts, in the order in which they are held. */
enum { JOB_ID, SOURCE, TIMEFRAMES, RECEIVED_AT, TEXTS };

static struct slice *
text(struct record *r, int i)
{
	struct slice *const at[TEXTS] = {
		[JOB_ID] = &r->job_id, [SOURCE] = &r->source, [TIMEFRAMES] = &r->timeframes,
		[RECEIVED_AT] = &r->received_at};

	return at[i];
}

void
fill_header(struct fill *f, const struct record *r)
{
	fill_end(f);
	f->header = true;
	f->job = *r;
	f->job.tasks = f->job.symbols = 0;
	f->left = r->tasks;
	f->head.len = 0;
	for (int i = 0; i < TEXTS; i++) {
		struct slice *s = text(&f->job, i);

		f->at[i] = f->head.len;
		if (s->p != NULL)
			buffer_add(&f->head, s->p, s->n);
	}
	/* Only now do the texts stay where they are. */
	for (int i = 0; i < TEXTS; i++) {
		struct slice *s = text(&f->job, i);

		if (s->p != NULL)
			s->p = f->head.p + f->at[i];
	}
	if (f->left == 0)
		fill_end(f);
}

static bool
is_of_job(const struct fill *f, struct slice job_id)
{
	return f->header && slice_eq(f->job.job_id, job_id);
}

/* One more task of the job has come; the last one ends it. */
static void
came(struct fill *f, struct slice job_id)
{
	if (is_of_job(f, job_id) && --f->left == 0)
		fill_end(f);
	else if (!f->header)
		fill_end(f);
}

static void
count(struct fill *f, struct slice job_id, struct slice symbol)
{
	if (!is_of_job(f, job_id))
		return;
	/* ts-expand writes the tasks of a symbol one after the other. */
	if (f->job.tasks++ == 0 || !slice_eq(buffer_slice(&f->symbol), symbol))
		f->job.symbols++;
	f->symbol.len = 0;
	buffer_add(&f->symbol, symbol.p, symbol.n);
}

void
fill_series(struct fill *f, const struct series *s)
{
	const struct schedule *d = s->schedule;
	struct record r = {.type = RECORD_TASK, .job_id = s->job_id, .symbol = s->symbol,
		.timeframe = slice_of(timeframe_name(d->tf))};
	bool intraday = timeframe_intraday(d->tf);
	char a[TIMESTAMP_SIZE], b[TIMESTAMP_SIZE];
	int64_t from, to;

	for (size_t first = 0, last; series_run(s, &first, &last); first = last + 1) {
		schedule_range(d, f->calendar, first, last, &from, &to);
		r.from = slice_of(intraday ? timestamp_format(a, from) : date_format(a, (int32_t)from));
		r.to = slice_of(intraday ? timestamp_format(b, to) : date_format(b, (int32_t)to));
		record_write(&f->lines, &r);
		count(f, s->job_id, s->symbol);
		f->tasks++;
	}
	came(f, s->job_id);
}

void
fill_failed(struct fill *f, const struct record *r, struct slice line)
{
	buffer_add(&f->lines, line.p, line.n);
	buffer_byte(&f->lines, '\n');
	if (r->symbol.p != NULL)
		count(f, r->job_id, r->symbol);
	came(f, r->job_id);
}

void
fill_end(struct fill *f)
{
	/* A job of which nothing is missing is left out. */
	if (f->header && f->lines.len > 0)
		record_write(writer_room(f->out), &f->job);
	if (f->lines.len > 0)
		buffer_add(writer_room(f->out), f->lines.p, f->lines.len);
	writer_done(f->out);
	f->header = false;
	f->lines.len = 0;
	f->symbol.len = 0;
}

void
fill_release(struct fill *f)
{
	buffer_release(&f->head);
	buffer_release(&f->symbol);
	buffer_release(&f->lines);
}
