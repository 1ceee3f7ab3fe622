/* From holes to the tasks that fill them. */
#include "fill.h"

#include "log.h"
#include "timestamp.h"

#include <stdlib.h>

/* A refresh before the day is final gets what was final before. */
static void
tell_unfinished(const struct fill *f)
{
	int32_t today = calendar_date(f->calendar, f->now);
	int minute = calendar_minute(f->calendar, f->now);
	char text[DATE_SIZE];

	if (f->now != 0 && calendar_session(f->calendar, today) != SESSION_NONE &&
		minute >= EXTENDED_OPEN && minute < calendar_extended_close(f->calendar, today))
		log_info("the session of %s is not final before %d:00 in New York: its day, and "
			 "what it adds"
			 " to week and month, come with the next run",
			date_format(text, today), calendar_extended_close(f->calendar, today) / 60);
}

void
fill_moment(struct fill *f, const struct record *r)
{
	if (r->received_at.p == NULL || timestamp_parse(r->received_at, &f->now) != 0)
		f->now = 0;
}

void
fill_header(struct fill *f, struct slice line)
{
	fill_end(f);
	if (f->parser == NULL)
		f->parser = record_parser_new();
	buffer_set(&f->head, line);
	(void)record_parse(f->parser, buffer_slice(&f->head), RECORD_BIT(RECORD_JOB), &f->job);
	f->left = f->job.tasks;
	f->job.tasks = f->job.symbols = 0;
	f->header = true;
	fill_moment(f, &f->job);
	if (f->refresh)
		tell_unfinished(f);
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
task_came(struct fill *f, struct slice job_id)
{
	if (is_of_job(f, job_id) && --f->left == 0)
		fill_end(f);
	else if (!f->header)
		fill_end(f);
}

static void
count_task(struct fill *f, struct slice job_id, struct slice symbol)
{
	if (!is_of_job(f, job_id))
		return;
	/* ts-expand writes the tasks of a symbol one after the other. */
	if (f->job.tasks++ == 0 || !slice_eq(buffer_slice(&f->symbol), symbol))
		f->job.symbols++;
	buffer_set(&f->symbol, symbol);
}

/* What is asked again: what is missing, and what may be wrong. */
enum { WANTED = FOUND_DIFFERS | FOUND_ODD | FOUND_FAULTY | FOUND_MISSING | FOUND_CLOSED };

static int64_t
now_of(struct fill *f)
{
	if (f->now == 0)
		f->now = clock_wall();
	return f->now;
}

/* Whether all of a period, or of the day of a session, was asked for lately. */
static bool
was_asked(struct fill *f, const struct series *s, size_t i, enum timeframe tf)
{
	const struct period *p = &s->schedule->period[i];
	struct range r = {tf, p->first, p->last};

	if (timeframe_intraday(tf))
		r = schedule_range(s->schedule, i, i);
	return f->asked != NULL && asked_lately(f->asked, s->symbol, &r, now_of(f));
}

bool
fill_answered(void *fill, const struct series *s, size_t i)
{
	return was_asked(fill, s, i, s->schedule->tf) ||
	       (series_found(s, i, FOUND_DAY_FIRST) && was_asked(fill, s, i, TF_DAY));
}

static bool
is_wanted(struct fill *f, const struct series *s, size_t i)
{
	uint32_t found = s->cell[i].found & WANTED;
	bool first = series_found(s, i, FOUND_DAY_FIRST);

	if (f->refresh &&
		(!timeframe_intraday(s->schedule->tf) || i + f->sessions >= s->schedule->count))
		return true;
	if (!f->missing || found == 0)
		return false;
	/* Without a day nothing was traded, unless the day was lost, too: that is asked first. */
	if (first && found == FOUND_NO_DAY && !was_asked(f, s, i, TF_DAY))
		return false;
	if (!was_asked(f, s, i, s->schedule->tf) &&
		!(first && found == FOUND_MISSING && was_asked(f, s, i, TF_DAY)))
		return true;
	f->again++;
	return false;
}

/*
 * Which periods of a series are to be asked for. Before sessions that are missing stands one that
 * may have lost its end with them, a load that was killed: it is asked with them.
 */
static bool *
wanted_of(struct fill *f, const struct series *s)
{
	size_t n = s->schedule->count;
	bool *ask = memory_grow(NULL, n + 1, sizeof *ask);

	for (size_t i = n; i-- > 0;) {
		ask[i] = !s->unusable && is_wanted(f, s, i);
		if (timeframe_intraday(s->schedule->tf) && s->cell[i].bars > 0 && i + 1 < n &&
			series_found(s, i + 1, FOUND_MISSING))
			ask[i] |= ask[i + 1];
	}
	return ask;
}

/*
 * The next range to ask for. A request brings 52 sessions of minutes (50,000 of them, with extended
 * hours) and any number of days, so what the same request can bring is one range. None of them is
 * asked for twice, so there are no more than the whole window would take.
 */
static bool
next_range(const struct schedule *d, const bool *ask, size_t *first, size_t *last)
{
	size_t i = *first;

	while (i < d->count && !ask[i])
		i++;
	if (i == d->count)
		return false;
	*first = *last = i;
	while (++i < d->count) {
		if (timeframe_intraday(d->tf) && i > *last + 1 &&
			(i - *first) / FILL_SESSIONS > (*last - *first) / FILL_SESSIONS)
			break;
		if (ask[i])
			*last = i;
	}
	return true;
}

static void
write_task(struct fill *f, const struct series *s, size_t first, size_t last)
{
	struct range r = schedule_range(s->schedule, first, last);
	char from[TIMESTAMP_SIZE], to[TIMESTAMP_SIZE];
	const struct record task = {.type = RECORD_TASK,
		.job_id = s->job_id,
		.symbol = s->symbol,
		.timeframe = slice_of(timeframe_name(r.tf)),
		.from = slice_of(timeframe_write(from, r.tf, r.from)),
		.to = slice_of(timeframe_write(to, r.tf, r.to))};

	record_write(&f->lines, &task);
	count_task(f, s->job_id, s->symbol);
	f->tasks++;
	if (f->asked != NULL)
		asked_note(f->asked, s->symbol, &r, now_of(f));
}

void
fill_series(struct fill *f, const struct series *s)
{
	bool *ask = wanted_of(f, s);

	for (size_t first = 0, last; next_range(s->schedule, ask, &first, &last); first = last + 1)
		write_task(f, s, first, last);
	free(ask);
	task_came(f, s->job_id);
}

void
fill_failed(struct fill *f, const struct record *r, struct slice line)
{
	buffer_add(&f->lines, line.p, line.n);
	buffer_byte(&f->lines, '\n');
	if (r->symbol.p != NULL)
		count_task(f, r->job_id, r->symbol);
	task_came(f, r->job_id);
}

void
fill_end(struct fill *f)
{
	/* A job of which nothing is missing is left out. */
	if (f->header && f->lines.len > 0)
		record_send(f->out, &f->job);
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
	record_parser_free(f->parser);
	buffer_release(&f->head);
	buffer_release(&f->symbol);
	buffer_release(&f->lines);
}
