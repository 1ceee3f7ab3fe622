/* Lines of input: tasks into the queue, cancels carried out, all others copied through. */
#include "fetch.h"

#include "clean.h"
#include "log.h"
#include "timestamp.h"

#include <inttypes.h>

enum {
	TASK_BYTES =
		1 << 16, /* a longer line is no task: its `failed` might not fit a line either */
	TIME_BYTES = 40,
};

void
intake_failed(struct fetch *f, struct record r, struct slice error)
{
	r.type = RECORD_FAILED;
	r.stage = slice_of("fetch");
	r.error = error;
	record_write(writer_room(f->out), &r);
	writer_done(f->out);
	f->count.failed++;
}

static void
refuse(struct fetch *f, uint64_t lineno, const char *why)
{
	log_warning("line %" PRIu64 ": %s", lineno, why);
	f->count.refused++;
}

/* One end of a task's window, as an instant or a date. */
static int
read_time(struct slice s, enum timeframe tf, int64_t *at)
{
	int32_t date;

	if (s.n > TIME_BYTES)
		return -1;
	if (timeframe_intraday(tf))
		return timestamp_parse(s, at);
	if (date_parse(s, &date) != 0)
		return -1;
	*at = date;
	return 0;
}

/* What the record asks for, in t; or why it cannot be done. */
static const char *
read_task(const struct record *r, struct task *t)
{
	if (r->fault != NULL)
		return r->fault;
	if (!record_symbol_ok(r->symbol))
		return "the symbol is none that the API could know";
	if (r->tf == TF_NONE)
		return "unknown timeframe";
	*t = (struct task){.symbol = r->symbol, .from = r->from, .to = r->to, .tf = r->tf};
	if (read_time(r->from, r->tf, &t->start) != 0)
		return timeframe_intraday(r->tf) ? "from is no UTC instant" : "from is no date";
	if (read_time(r->to, r->tf, &t->end) != 0)
		return timeframe_intraday(r->tf) ? "to is no UTC instant" : "to is no date";
	if (t->start > t->end || (t->start == t->end && timeframe_intraday(r->tf)))
		return "from is not before to";
	if (timeframe_intraday(r->tf) && t->start < 0)
		return "from lies before 1970";
	return NULL;
}

static void
take_task(struct fetch *f, const struct record *r, struct slice line, uint64_t lineno)
{
	struct task t;
	const char *why = read_task(r, &t);

	if (line.n > TASK_BYTES) {
		refuse(f, lineno, "the task is over 64 KiB");
		return;
	}
	if (why != NULL && (r->job_id.p == NULL || r->symbol.p == NULL)) {
		refuse(f, lineno, why);
		return;
	}
	f->count.tasks++;
	if (why != NULL) {
		f->text.len = 0;
		clean_add(&f->text, slice_of(why), FETCH_ERROR, (struct slice){0});
		log_warning("line %" PRIu64 ": failed: %s", lineno, why);
		intake_failed(f, *r, buffer_slice(&f->text));
	} else if (f->dead.len > 0) {
		intake_failed(f, *r, buffer_slice(&f->dead));
	} else {
		queue_push(f->queue, r->job_id, &t);
	}
}

/* From now on nothing more is written for the job; ts-status counts what was not. */
static void
cancel(struct fetch *f, struct slice job_id)
{
	uint64_t before = f->count.cancelled;
	struct task *t = queue_cancel(f->queue, job_id);
	struct buffer id = {0};

	while (t != NULL) {
		struct task *after = t->next;

		if (t->work != NULL)
			work_forget(f, t->work);
		else
			queue_end(f->queue, t);
		f->count.cancelled++;
		t = after;
	}
	for (unsigned i = 0; i < f->pieces; i++) {
		struct work *w = &f->work[i];

		if (w->task != NULL && slice_eq(task_job_id(w->task), job_id)) {
			work_forget(f, w);
			f->count.cancelled++;
		}
	}
	clean_add(&id, job_id, 100, (struct slice){0});
	log_info("cancelled job_id=%s tasks=%" PRIu64, buffer_cstr(&id),
		f->count.cancelled - before);
	buffer_release(&id);
}

void
intake_line(struct fetch *f, struct slice line, uint64_t lineno)
{
	struct record r;
	const char *why;

	if (record_parse(f->parser, line, RECORD_BIT(RECORD_TASK) | RECORD_BIT(RECORD_CANCEL), &r,
		    &why) != 0) {
		refuse(f, lineno, why);
	} else if (r.type == RECORD_TASK) {
		take_task(f, &r, line, lineno);
	} else if (r.type == RECORD_CANCEL && r.fault != NULL) {
		refuse(f, lineno, r.fault);
	} else {
		if (r.type == RECORD_CANCEL)
			cancel(f, r.job_id);
		writer_line(f->out, line);
	}
}
