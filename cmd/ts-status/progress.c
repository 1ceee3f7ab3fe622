/* The pending jobs, found by id. What happens within one is job_state.c's affair. */
#include "progress.h"

#include "hash.h"

/* How many jobs that were too many may wait for their end to be written. */
enum { REFUSED = 1000 };

static void
take_out(struct progress *p, struct job *j)
{
	HASH_DEL(p->jobs, j);
	if (p->current == j)
		p->current = NULL;
	job_free(j);
}

void
progress_release(struct progress *p)
{
	while (p->jobs != NULL)
		take_out(p, p->jobs);
}

static struct job *
find_job(const struct progress *p, struct slice id)
{
	struct job *j;

	HASH_FIND(hh, p->jobs, id.p, id.n, j);
	return j;
}

bool
progress_knows(const struct progress *p, struct slice id)
{
	return find_job(p, id) != NULL;
}

static bool
is_forgotten(const struct progress *p, struct slice id)
{
	uint64_t hash = hash_slice(id);

	for (size_t i = 0; i < PROGRESS_FORGOTTEN; i++) {
		if (p->forgotten[i] == hash)
			return true;
	}
	return false;
}

/* A new job; NULL when there are too many. */
static struct job *
add_job(struct progress *p, struct slice id, struct moment now)
{
	struct job *j;

	if (HASH_COUNT(p->jobs) >= PROGRESS_JOBS + REFUSED)
		return NULL;
	j = job_new(id, now);
	HASH_ADD_KEYPTR(hh, p->jobs, j->id.p, j->id.len, j);
	return j;
}

static enum taken
refuse_record(struct arrival *a, const char *reason)
{
	a->why = reason;
	return TAKEN_REFUSED;
}

static enum taken
take_header(struct progress *p, struct job *old, struct arrival *a)
{
	bool many = HASH_COUNT(p->jobs) >= PROGRESS_JOBS;
	struct slice id = a->r->job_id;

	if (old != NULL && (old->status == JOB_RUNNING || !old->done_written)) {
		a->job = old;
		if (old->header)
			return refuse_record(a, "a job with this id is in progress");
		job_header(old, a->r, a->now);
		return TAKEN_CHANGED;
	}
	if (old != NULL)
		take_out(p, old);
	if ((a->job = add_job(p, id, a->now)) == NULL)
		return refuse_record(a, "too many jobs at once");
	job_header(a->job, a->r, a->now);
	if (many && old == NULL) {
		job_failed(
			a->job, slice_of("too many jobs at once: publish it again later"), a->now);
		a->job->turned_away = true;
	}
	return TAKEN_STARTED;
}

/* A `failed` without a symbol. */
static enum taken
take_failure(struct arrival *a, bool fresh)
{
	struct job *j = a->job;

	if (!fresh && j->status != JOB_RUNNING)
		return TAKEN_REPEATED;
	/* ts-expand refuses a job before it writes a header, so this is another of the same id. */
	if (!fresh && j->header && slice_is(a->r->stage, "expand"))
		return refuse_record(a, "a job with this id is in progress");
	job_failed(j, a->r->error, a->now);
	return TAKEN_CHANGED;
}

static enum taken
take_verdict(struct progress *p, struct arrival *a, bool fresh)
{
	if (a->r->type == RECORD_LOADING)
		job_loading(a->job, a->r, a->now);
	else if (a->r->type == RECORD_FAILED && a->r->symbol.p == NULL)
		return take_failure(a, fresh);
	else if (!job_verdict(a->job, a->r, p->calendar, a->now))
		return TAKEN_REPEATED;
	return TAKEN_CHANGED;
}

static enum taken
take_record(struct progress *p, struct arrival *a)
{
	const struct record *r = a->r;
	struct job *j = find_job(p, r->job_id);
	bool whole = r->type == RECORD_FAILED && r->symbol.p == NULL;
	enum taken taken;

	if (r->type == RECORD_JOB)
		return take_header(p, j, a);
	if (j == NULL ? r->type == RECORD_CANCEL || (!whole && is_forgotten(p, r->job_id))
		      : j->turned_away)
		return TAKEN_UNKNOWN;
	if (r->type == RECORD_CANCEL) {
		a->job = j;
		return job_cancel(j, a->now) ? TAKEN_CHANGED : TAKEN_REPEATED;
	}
	/* A stream that was filtered may have lost the header. */
	a->job = j != NULL ? j : add_job(p, r->job_id, a->now);
	if (a->job == NULL)
		return refuse_record(a, "too many jobs at once");
	taken = take_verdict(p, a, j == NULL);
	return j == NULL && taken == TAKEN_CHANGED ? TAKEN_STARTED : taken;
}

enum taken
progress_take(struct progress *p, struct arrival *a)
{
	enum taken taken;

	a->job = NULL;
	taken = take_record(p, a);
	if (a->job != NULL)
		p->current = a->job;
	return taken;
}

size_t
progress_running(const struct progress *p)
{
	size_t n = 0;

	for (const struct job *j = p->jobs; j != NULL; j = j->hh.next)
		n += j->status == JOB_RUNNING;
	return n;
}

void
progress_drop(struct progress *p, struct job *j)
{
	p->forgotten[p->oldest] = hash_slice(buffer_slice(&j->id));
	p->oldest = (p->oldest + 1) % PROGRESS_FORGOTTEN;
	take_out(p, j);
}
