/* From a job to its header and tasks. */
#include "expand.h"

#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EXPAND_TASKS = 200000, EXPAND_TIMEFRAMES = 32, TIME_BYTES = 40 };

static uint64_t
fail_job(const struct job *j, const char *why, struct writer *out)
{
	struct record r = {.type = RECORD_FAILED,
		.job_id = j->job_id,
		.stage = slice_of("expand"),
		.error = slice_of(why)};

	record_send(out, &r);
	return 1;
}

static void
write_header(const struct expand *e, const struct job *j, struct slice received, struct writer *out)
{
	int64_t accepted = e->spool == NULL ? -1 : spool_accepted(e->spool, j->job_id);
	struct buffer list = {0};
	char run[24];
	struct record r = {.type = RECORD_JOB,
		.job_id = j->job_id,
		.source = j->source,
		.symbols = j->symbols.n,
		.tasks = j->symbols.n * j->timeframes.n,
		.received_at = received,
		.timestamp = j->timestamp.n <= TIME_BYTES ? j->timestamp : (struct slice){0}};

	job_timeframes(j, &list);
	r.timeframes = buffer_slice(&list);
	(void)snprintf(run, sizeof run, "%" PRId64, accepted);
	if (accepted >= 0)
		r.run = slice_of(run);
	record_send(out, &r);
	buffer_release(&list);
}

/* One symbol in one timeframe: a task, or the reason why there can be none. */
static uint64_t
write_task(const struct window *w, const struct job *j, struct slice symbol, struct slice timeframe,
	struct writer *out)
{
	enum timeframe tf = timeframe_parse(timeframe);
	char from[TIMESTAMP_SIZE], to[TIMESTAMP_SIZE];
	struct record r = {
		.type = RECORD_TASK, .job_id = j->job_id, .symbol = symbol, .timeframe = timeframe};

	if (tf == TF_NONE) {
		r.error = slice_of(timeframe_advice(timeframe));
	} else {
		struct span s = window_span(w, tf);

		r.from = slice_of(timeframe_write(from, tf, s.from));
		r.to = slice_of(timeframe_write(to, tf, s.to));
		if (s.from > s.to) {
			r.error = slice_of("no final bar in the range");
			r.from = r.to = (struct slice){0};
		}
	}
	if (!record_symbol_ok(symbol))
		r.error = slice_of("not a symbol: want [A-Za-z0-9][A-Za-z0-9.:/_-]{0,19}");
	if (r.error.p != NULL) {
		r.type = RECORD_FAILED;
		r.stage = slice_of("expand");
	}
	record_send(out, &r);
	return r.type == RECORD_FAILED;
}

/* Bounds of a job: what is above is a mistake, and would block those behind it. */
static const char *
too_many(const struct job *j)
{
	if (j->timeframes.n > EXPAND_TIMEFRAMES)
		return "more than 32 timeframes in the job";
	if (j->symbols.n * j->timeframes.n > EXPAND_TASKS)
		return "more than 200,000 tasks in the job: make several jobs of it";
	return NULL;
}

const char *
expand_window(const struct expand *e, const struct job *j, struct window *w)
{
	int64_t now = e->now;
	int days = 1;
	struct slice years = j->years.p != NULL ? j->years : e->years;
	struct slice from = j->from, to = j->to;
	const char *why = too_many(j);

	if (why != NULL)
		return why;
	if (from.p == NULL && to.p == NULL && j->years.p == NULL) {
		from = e->from;
		to = e->to;
	}
	if (from.p == NULL && to.p != NULL)
		return "to without from in the job";
	if (from.p == NULL && years.p == NULL)
		return "no years in the job";
	if (from.p == NULL && window_days(years, &days) != 0)
		return "years is not a number above 0 and at most 50";
	if (!e->fixed && j->received_at.p != NULL && timestamp_parse(j->received_at, &now) != 0)
		return "received_at is not a UTC time such as 2025-12-23T17:15:13Z";
	if (window_init(w, e->calendar, now, days, e->unfinished) != 0)
		return "received_at lies outside of the exchange calendar, 2000 to 2035";
	return from.p == NULL ? NULL : window_range(w, from, to);
}

static void
add_note(void *expand, struct slice line)
{
	struct expand *e = expand;
	struct record r;

	/* A line that a crash left unreadable notes nothing: its task is done again. */
	if (record_parse(e->parser, line, RECORD_BIT(RECORD_STORED) | RECORD_BIT(RECORD_FAILED),
		    &r) == NULL &&
		r.symbol.p != NULL && r.timeframe.p != NULL)
		(void)names_add(&e->done, r.symbol, r.timeframe);
}

int
expand_notes(struct expand *e, const struct job *j)
{
	names_release(&e->done);
	if (e->spool == NULL || spool_notes(e->spool, j->job_id, add_note, e) == SPOOL_OK)
		return 0;
	return -1;
}

bool
expand_done(struct expand *e, struct slice symbol, struct slice timeframe)
{
	return names_find(&e->done, symbol, timeframe) != NULL;
}

uint64_t
expand_job(struct expand *e, const struct job *j, const char *why, struct writer *out)
{
	struct window w;
	char received[TIMESTAMP_SIZE];
	uint64_t failed = 0;

	if (why == NULL)
		why = expand_window(e, j, &w);
	if (why != NULL)
		return fail_job(j, why, out);
	if (j->from.p != NULL && j->years.p != NULL)
		log_info("job %.*s: its range of dates is used, not its years",
			(int)slice_cut(j->job_id, 64).n, j->job_id.p);
	if (expand_notes(e, j) != 0)
		log_warning("spool: %s: all tasks of the job are done again", strerror(errno));
	write_header(e, j, slice_of(timestamp_format(received, w.now)), out);
	for (size_t i = 0; i < j->symbols.n && out->error == 0; i++) {
		for (size_t k = 0; k < j->timeframes.n; k++) {
			if (!expand_done(e, j->symbols.p[i], j->timeframes.p[k]))
				failed +=
					write_task(&w, j, j->symbols.p[i], j->timeframes.p[k], out);
		}
	}
	return failed;
}
