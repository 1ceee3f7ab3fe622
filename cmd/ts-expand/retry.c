/* The failures of a recorded run, in an order that makes jobs of them. */
#include "retry.h"

#include "buffer.h"

#include <stdlib.h>
#include <string.h>

/* A verdict or a job's header. Its texts lie in the arena, by offset: the arena moves as it grows.
 */
struct note {
	enum record_type type;
	size_t order; /* in the recording */
	struct text {
		size_t at;
		size_t n; /* SIZE_MAX: absent */
	} job_id, symbol, timeframe, from, to, error, source, received_at;
};

struct retry {
	struct buffer arena;
	ARRAY(struct note) notes;
};

struct retry *
retry_new(void)
{
	struct retry *r = memory_grow(NULL, 1, sizeof *r);

	*r = (struct retry){0};
	return r;
}

void
retry_free(struct retry *r)
{
	if (r == NULL)
		return;
	buffer_release(&r->arena);
	free(r->notes.p);
	free(r);
}

static struct text
keep_text(struct retry *r, struct slice s)
{
	struct text t = {r->arena.len, s.p == NULL ? SIZE_MAX : s.n};

	if (s.p != NULL)
		buffer_add(&r->arena, s.p, s.n);
	return t;
}

static struct slice
kept_text(const struct retry *r, struct text t)
{
	if (t.n == SIZE_MAX)
		return (struct slice){0};
	return (struct slice){r->arena.p == NULL ? "" : r->arena.p + t.at, t.n};
}

void
retry_read(struct retry *r, const struct record *rec)
{
	struct note *note;

	if (rec->type != RECORD_JOB && rec->type != RECORD_STORED && rec->type != RECORD_FAILED)
		return;
	note = array_add(&r->notes);
	*note = (struct note){.type = rec->type, .order = r->notes.n};
	note->job_id = keep_text(r, rec->job_id);
	note->symbol = keep_text(r, rec->symbol);
	note->timeframe = keep_text(r, rec->timeframe);
	note->from = keep_text(r, rec->from);
	note->to = keep_text(r, rec->to);
	note->error = keep_text(r, rec->error);
	note->source = keep_text(r, rec->source);
	note->received_at = keep_text(r, rec->received_at);
}

/* What qsort(3) compares: a note and its texts, which it cannot reach by offset alone. */
struct view {
	struct slice job_id, symbol, timeframe;
	const struct note *note;
};

static int
compare_views(const void *a, const void *b)
{
	const struct view *x = a, *y = b;
	int c = slice_cmp(x->job_id, y->job_id);

	if (c == 0)
		c = slice_cmp(x->symbol, y->symbol);
	if (c == 0)
		c = slice_cmp(x->timeframe, y->timeframe);
	return c != 0 ? c : (x->note->order > y->note->order) - (x->note->order < y->note->order);
}

static bool
same_task(const struct view *a, const struct view *b)
{
	return slice_eq(a->job_id, b->job_id) && slice_eq(a->symbol, b->symbol) &&
	       slice_eq(a->timeframe, b->timeframe);
}

/* Puts together the record that a failure becomes. */
static struct record
task_again(const struct retry *r, const struct view *v, struct slice job_id)
{
	struct record rec = {.type = RECORD_TASK,
		.job_id = job_id,
		.symbol = v->symbol,
		.timeframe = v->timeframe,
		.from = kept_text(r, v->note->from),
		.to = kept_text(r, v->note->to)};

	if (rec.from.p == NULL || rec.to.p == NULL || timeframe_parse(rec.timeframe) == TF_NONE ||
		!record_symbol_ok(rec.symbol)) {
		rec.type = RECORD_FAILED;
		rec.stage = slice_of("expand");
		rec.error = kept_text(r, v->note->error);
	}
	return rec;
}

static void
add_timeframe(struct buffer *list, struct slice timeframe)
{
	struct buffer name = {0};

	buffer_json(&name, timeframe);
	if (strstr(buffer_cstr(list), buffer_cstr(&name)) == NULL) {
		buffer_byte(list, list->len == 0 ? '[' : ',');
		buffer_add(list, name.p, name.len);
	}
	buffer_release(&name);
}

/* What is left of one job's verdicts: all failed, in order; and its header, where it was recorded.
 */
struct rest {
	const struct view *v;
	size_t n;
	const struct note *header;
};

/* The header of the new job. */
static void
write_header(
	const struct retry *r, const struct rest *rest, struct slice job_id, struct writer *out)
{
	struct buffer list = {0};
	struct record rec = {.type = RECORD_JOB, .job_id = job_id, .tasks = rest->n};
	const struct view *v = rest->v;

	if (v[0].symbol.p == NULL)
		return;
	for (size_t i = 0; i < rest->n; i++) {
		rec.symbols += i == 0 || !slice_eq(v[i].symbol, v[i - 1].symbol);
		if (v[i].timeframe.p != NULL)
			add_timeframe(&list, v[i].timeframe);
	}
	buffer_str(&list, list.len == 0 ? "[]" : "]");
	rec.timeframes = buffer_slice(&list);
	if (rest->header != NULL) {
		rec.source = kept_text(r, rest->header->source);
		rec.received_at = kept_text(r, rest->header->received_at);
	}
	record_send(out, &rec);
	buffer_release(&list);
}

static uint64_t
write_job(const struct retry *r, const struct rest *rest, struct writer *out)
{
	struct buffer id = {0};
	uint64_t failed = 0;

	buffer_printf(&id, "%.*s.retry", SLICE(rest->v[0].job_id));
	write_header(r, rest, buffer_slice(&id), out);
	for (size_t i = 0; i < rest->n && out->error == 0; i++) {
		struct record rec = task_again(r, &rest->v[i], buffer_slice(&id));

		failed += rec.type == RECORD_FAILED;
		record_send(out, &rec);
	}
	buffer_release(&id);
	return failed;
}

/* Keeps of v[0..n), sorted and of one job, each task's last verdict if it failed; returns how many.
 */
static size_t
last_failures(struct view *v, size_t n, const struct note **header)
{
	size_t left = 0;

	*header = NULL;
	for (size_t i = 0; i < n; i++) {
		if (v[i].note->type == RECORD_JOB) {
			*header = v[i].note;
			continue;
		}
		if (v[i].note->type == RECORD_FAILED &&
			(i + 1 == n || !same_task(&v[i], &v[i + 1])))
			v[left++] = v[i];
	}
	return left;
}

uint64_t
retry_write(struct retry *r, struct writer *out, uint64_t *jobs)
{
	struct view *v = memory_grow(NULL, r->notes.n, sizeof *v);
	uint64_t failed = 0;
	size_t end;

	for (size_t i = 0; i < r->notes.n; i++)
		v[i] = (struct view){kept_text(r, r->notes.p[i].job_id),
			kept_text(r, r->notes.p[i].symbol), kept_text(r, r->notes.p[i].timeframe),
			&r->notes.p[i]};
	if (r->notes.n > 0)
		qsort(v, r->notes.n, sizeof *v, compare_views);
	for (size_t start = 0; start < r->notes.n; start = end) {
		struct rest rest = {.v = v + start};

		for (end = start + 1; end < r->notes.n && slice_eq(v[end].job_id, v[start].job_id);)
			end++;
		rest.n = last_failures(v + start, end - start, &rest.header);
		if (rest.n > 0) {
			failed += write_job(r, &rest, out);
			++*jobs;
		}
	}
	free(v);
	return failed;
}
