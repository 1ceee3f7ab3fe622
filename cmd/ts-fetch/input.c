/* Lines of input: tasks into the queue, cancels carried out, all others copied through. */
#include "fetch.h"

#include "log.h"

#include <inttypes.h>

enum {
	TASK_BYTES = 1 << 16, /* of a task's line: its `failed` has to fit a line as well */
};

/* What the record asks for, in t; or why it cannot be done. */
static const char *
read_task(const struct record *r, struct task *t)
{
	const char *why;

	*t = (struct task){.symbol = r->symbol, .from = r->from, .to = r->to, .tf = r->tf};
	why = record_check_task(r, &t->start, &t->end);
	if (why == NULL && timeframe_intraday(r->tf) && t->start < 0)
		why = "from lies before 1970";
	return why;
}

static void
take_task(struct fetch *f, const struct record *r, struct slice line, uint64_t lineno)
{
	struct task t;
	const char *why = read_task(r, &t);

	if (line.n > TASK_BYTES) {
		refused_line(&f->refused, lineno, "the task is over 64 KiB", NULL);
	} else if (why == NULL) {
		f->tasks.count.tasks++;
		tasks_push(&f->tasks, r, &t);
	} else if (r->job_id.p == NULL || r->symbol.p == NULL) {
		refused_line(&f->refused, lineno, why, NULL);
	} else {
		f->tasks.count.tasks++;
		refused_line(&f->failed, lineno, why, NULL);
		announce_failed(&f->tasks, *r, slice_of(why));
	}
}

/* From now on nothing more is written for the job; ts-status counts what was not. */
static void
cancel_job(struct fetch *f, struct slice job_id)
{
	uint64_t n = tasks_end(&f->tasks, job_id, (struct slice){0});

	f->tasks.count.cancelled += n;
	log_info("cancelled job_id=%.*s tasks=%" PRIu64, SLICE(slice_cut(job_id, 100)), n);
}

void
fetch_line(struct fetch *f, struct slice line, uint64_t lineno)
{
	struct record r;
	const char *why = record_parse(
		f->parser, line, RECORD_BIT(RECORD_TASK) | RECORD_BIT(RECORD_CANCEL), &r);

	if (why != NULL) {
		refused_line(&f->refused, lineno, why, r.hint);
		return;
	}
	kinds_add(&f->kinds, r.type);
	if (r.type == RECORD_TASK) {
		take_task(f, &r, line, lineno);
	} else if (r.type == RECORD_CANCEL && r.fault != NULL) {
		refused_line(&f->refused, lineno, r.fault, NULL);
	} else {
		if (r.type == RECORD_CANCEL)
			cancel_job(f, r.job_id);
		writer_line(f->tasks.out, line);
	}
}
