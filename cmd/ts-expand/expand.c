/* From a job to its header and tasks. */
#include "expand.h"

#include "log.h"
#include "record.h"
#include "window.h"

#include <errno.h>
#include <string.h>

static void
write_record(struct writer *out, const struct record *r)
{
	record_write(writer_room(out), r);
	writer_done(out);
}

static uint64_t
fail_job(const struct job *j, const char *why, struct writer *out)
{
	struct record r = {.type = RECORD_FAILED, .job_id = j->job_id, .stage = slice_of("expand"),
		.error = slice_of(why)};

	write_record(out, &r);
	return 1;
}

static void
write_header(const struct job *j, const struct job *names, struct slice received,
	struct writer *out)
{
	struct buffer list = {0};
	struct record r = {.type = RECORD_JOB, .job_id = j->job_id, .source = j->source,
		.symbols = j->symbols.n, .tasks = j->symbols.n * names->timeframes.n,
		.received_at = received};

	for (size_t i = 0; i < names->timeframes.n; i++) {
		buffer_byte(&list, i == 0 ? '[' : ',');
		buffer_json(&list, names->timeframes.p[i]);
	}
	buffer_byte(&list, ']');
	r.timeframes = buffer_slice(&list);
	write_record(out, &r);
	buffer_release(&list);
}

/* One symbol in one timeframe: a task, or the reason why there can be none. */
static uint64_t
write_task(const struct window *w, const struct job *j, struct slice symbol, struct slice timeframe,
	struct writer *out)
{
	enum timeframe tf = timeframe_parse(timeframe);
	char from[TIMESTAMP_SIZE], to[TIMESTAMP_SIZE];
	struct record r = {.type = RECORD_TASK, .job_id = j->job_id, .symbol = symbol,
		.timeframe = timeframe};

	if (tf == TF_NONE) {
		r.error = slice_of("unknown timeframe");
	} else {
		struct span s = window_span(w, tf);

		r.from = slice_of(window_format(from, tf, s.from));
		r.to = slice_of(window_format(to, tf, s.to));
	}
	if (!record_symbol_ok(symbol))
		r.error = slice_of("not a symbol: want [A-Za-z0-9][A-Za-z0-9.:/_-]{0,19}");
	if (r.error.p != NULL) {
		r.type = RECORD_FAILED;
		r.stage = slice_of("expand");
	}
	write_record(out, &r);
	return r.type == RECORD_FAILED;
}

const char *
expand_window(const struct expand *e, const struct job *j, struct window *w)
{
	int64_t now = e->now;
	int days;
	struct slice years = j->years.p != NULL ? j->years : e->years;

	if (years.p == NULL)
		return "no years in the job";
	if (window_days(years, &days) != 0)
		return "years is not a number above 0 and at most 50";
	if (!e->fixed && j->received_at.p != NULL && timestamp_parse(j->received_at, &now) != 0)
		return "received_at is not a UTC time such as 2025-12-23T17:15:13Z";
	if (window_init(w, e->calendar, now, days, e->unfinished) != 0)
		return "received_at lies outside of the exchange calendar, 2000 to 2035";
	return NULL;
}

uint64_t
expand_job(const struct expand *e, const struct job *j, const char *why, struct writer *out)
{
	const struct job *names = j->timeframes.n > 0 ? j : e->defaults;
	struct window w;
	char received[TIMESTAMP_SIZE];
	uint64_t failed = 0;

	if (why == NULL)
		why = expand_window(e, j, &w);
	if (why != NULL)
		return fail_job(j, why, out);
	if (noted_load(e->noted, j->job_id) != 0)
		log_warning("spool: %s: all tasks of the job are done again", strerror(errno));
	write_header(j, names, slice_of(timestamp_format(received, w.now)), out);
	for (size_t i = 0; i < j->symbols.n && out->error == 0; i++) {
		for (size_t k = 0; k < names->timeframes.n; k++) {
			if (!noted_has(e->noted, j->symbols.p[i], names->timeframes.p[k]))
				failed += write_task(&w, j, j->symbols.p[i], names->timeframes.p[k], out);
		}
	}
	return failed;
}
