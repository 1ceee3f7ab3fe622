/* The failures of a recorded run, in an order that makes jobs of them. */
#include "retry.h"

#include "job.h"

#include <stdlib.h>

/* The texts of a note; the first ones name a task. */
enum { JOB_ID, SYMBOL, TIMEFRAME, NAMES, FROM = NAMES, TO, ERROR, SOURCE, RECEIVED_AT, TEXTS };

/* A verdict or a job's header. */
struct note {
	enum record_type type;
	size_t order; /* in the recording */
	char *memory; /* of the texts */
	struct slice text[TEXTS];
};

void
retry_release(struct retry *r)
{
	for (size_t i = 0; i < r->notes.n; i++)
		free(r->notes.p[i].memory);
	free(r->notes.p);
}

void
retry_read(struct retry *r, const struct record *rec)
{
	const struct slice text[TEXTS] = {rec->job_id, rec->symbol, rec->timeframe, rec->from,
		rec->to, rec->error, rec->source, rec->received_at};
	struct buffer memory = {0};
	struct note *note;

	if (rec->type != RECORD_JOB && rec->type != RECORD_STORED && rec->type != RECORD_FAILED)
		return;
	for (size_t i = 0; i < TEXTS; i++)
		buffer_add(&memory, text[i].p, text[i].n);
	note = array_add(&r->notes);
	*note = (struct note){.type = rec->type, .order = r->notes.n, .memory = memory.p};
	for (size_t i = 0, at = 0; i < TEXTS; at += text[i++].n) {
		if (text[i].p != NULL)
			note->text[i] = (struct slice){memory.p + at, text[i].n};
	}
}

static int
compare_names(const struct note *x, const struct note *y)
{
	int c = 0;

	for (size_t i = 0; i < NAMES && c == 0; i++)
		c = slice_cmp(x->text[i], y->text[i]);
	return c;
}

static int
compare_notes(const void *a, const void *b)
{
	const struct note *x = a, *y = b;
	int c = compare_names(x, y);

	return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

/* Puts together the record that a failure becomes. */
static struct record
task_again(const struct note *n, struct slice job_id)
{
	struct record rec = {.type = RECORD_TASK,
		.job_id = job_id,
		.symbol = n->text[SYMBOL],
		.timeframe = n->text[TIMEFRAME],
		.from = n->text[FROM],
		.to = n->text[TO]};

	if (rec.from.p == NULL || rec.to.p == NULL || timeframe_parse(rec.timeframe) == TF_NONE ||
		!record_symbol_ok(rec.symbol)) {
		rec.type = RECORD_FAILED;
		rec.stage = slice_of("expand");
		rec.error = n->text[ERROR];
	}
	return rec;
}

/* What is left of one job: its failures, in order; and its header, where it was recorded. */
struct rest {
	const struct note **failed;
	size_t n;
	const struct note *header;
};

/* The header of the new job. */
static void
write_header(const struct rest *rest, struct slice job_id, struct writer *out)
{
	struct buffer list = {0};
	struct job names = {0};
	struct record rec = {.type = RECORD_JOB, .job_id = job_id, .tasks = rest->n};

	if (rest->failed[0]->text[SYMBOL].p == NULL)
		return;
	for (size_t i = 0; i < rest->n; i++) {
		const struct slice *text = rest->failed[i]->text;

		rec.symbols += i == 0 || !slice_eq(text[SYMBOL], rest->failed[i - 1]->text[SYMBOL]);
		if (text[TIMEFRAME].p != NULL)
			job_add_timeframe(&names, text[TIMEFRAME]);
	}
	job_timeframes(&names, &list);
	rec.timeframes = buffer_slice(&list);
	if (rest->header != NULL) {
		rec.source = rest->header->text[SOURCE];
		rec.received_at = rest->header->text[RECEIVED_AT];
	}
	record_send(out, &rec);
	buffer_release(&list);
	job_release(&names);
}

static uint64_t
write_job(const struct rest *rest, struct writer *out)
{
	struct buffer id = {0};
	uint64_t failed = 0;

	buffer_printf(&id, "%.*s.retry", SLICE(rest->failed[0]->text[JOB_ID]));
	write_header(rest, buffer_slice(&id), out);
	for (size_t i = 0; i < rest->n && out->error == 0; i++) {
		struct record rec = task_again(rest->failed[i], buffer_slice(&id));

		failed += rec.type == RECORD_FAILED;
		record_send(out, &rec);
	}
	buffer_release(&id);
	return failed;
}

uint64_t
retry_write(struct retry *r, struct writer *out, uint64_t *jobs)
{
	const struct note *n = r->notes.p, *end = r->notes.n == 0 ? n : n + r->notes.n;
	struct rest rest = {.failed = memory_grow(NULL, r->notes.n, sizeof *rest.failed)};
	uint64_t failed = 0;

	if (n < end)
		qsort(r->notes.p, r->notes.n, sizeof *n, compare_notes);
	for (; n < end; n++) {
		bool job_over = n + 1 == end || !slice_eq(n->text[JOB_ID], n[1].text[JOB_ID]);

		if (n->type == RECORD_JOB)
			rest.header = n;
		/* Of each task the last verdict counts. */
		else if (n->type == RECORD_FAILED && (n + 1 == end || compare_names(n, n + 1) != 0))
			rest.failed[rest.n++] = n;
		if (job_over && rest.n > 0) {
			failed += write_job(&rest, out);
			++*jobs;
		}
		if (job_over)
			rest = (struct rest){.failed = rest.failed};
	}
	free(rest.failed);
	return failed;
}
