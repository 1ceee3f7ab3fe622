/* The pending jobs, found by id. What happens within one is job_state.c's affair. */
#include "progress.h"

#include "hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	FORGOTTEN = 1024, /* how many ids of jobs that are over are remembered */
	REFUSED = 1000, /* how many jobs that were too many may wait for their end to be written */
};

struct progress {
	const struct calendar *calendar;
	struct job *jobs;	       /* a hash table, in order of arrival */
	uint64_t forgotten[FORGOTTEN]; /* a ring of hashes */
	size_t oldest;
	struct job *current;
};

struct progress *
progress_new(const struct calendar *c)
{
	struct progress *p = memory_grow(NULL, 1, sizeof *p);

	memset(p, 0, sizeof *p);
	p->calendar = c;
	return p;
}

static void
take_out(struct progress *p, struct job *j)
{
	HASH_DEL(p->jobs, j);
	if (p->current == j)
		p->current = NULL;
	job_free(j);
}

void
progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	while (p->jobs != NULL)
		take_out(p, p->jobs);
	free(p);
}

static struct job *
find(const struct progress *p, struct slice id)
{
	struct job *j;

	HASH_FIND(hh, p->jobs, id.p, id.n, j);
	return j;
}

bool
progress_knows(const struct progress *p, struct slice id)
{
	return find(p, id) != NULL;
}

static bool
is_forgotten(const struct progress *p, struct slice id)
{
	uint64_t hash = hash_slice(id);

	for (size_t i = 0; i < FORGOTTEN; i++) {
		if (p->forgotten[i] == hash)
			return true;
	}
	return false;
}

/* A new job; NULL when there are too many. */
static struct job *
add(struct progress *p, struct slice id, struct moment now)
{
	struct job *j;

	if (HASH_COUNT(p->jobs) >= PROGRESS_JOBS + REFUSED)
		return NULL;
	j = job_new(id, now);
	HASH_ADD_KEYPTR(hh, p->jobs, j->id.p, j->id.len, j);
	return j;
}

static enum taken
refuse(const char **why, const char *reason)
{
	*why = reason;
	return TAKEN_REFUSED;
}

/* In place of a job that has ended, a new one of the same id. */
static struct job *
renew(struct progress *p, struct job *old, struct slice id, struct moment now)
{
	void *user = old->user;
	struct job *j;

	take_out(p, old);
	j = add(p, id, now);
	j->user = user;
	return j;
}

static enum taken
take_header(struct progress *p, struct job *old, const struct record *r, struct moment now,
	struct job **job, const char **why)
{
	bool many = HASH_COUNT(p->jobs) >= PROGRESS_JOBS;

	if (old != NULL && (old->status == JOB_RUNNING || !old->done_written)) {
		*job = old;
		if (old->header)
			return refuse(why, "a job with this id is in progress");
		job_header(old, r, now);
		return TAKEN_CHANGED;
	}
	*job = old != NULL ? renew(p, old, r->job_id, now) : add(p, r->job_id, now);
	if (*job == NULL)
		return refuse(why, "too many jobs at once");
	job_header(*job, r, now);
	if (many && old == NULL) {
		job_failed(*job, slice_of("too many jobs at once: publish it again later"), now);
		(*job)->turned_away = true;
	}
	return TAKEN_STARTED;
}

/* A `failed` without a symbol. */
static enum taken
take_failure(struct job *j, bool fresh, const struct record *r, struct moment now, const char **why)
{
	if (!fresh && j->status != JOB_RUNNING)
		return TAKEN_REPEATED;
	/* ts-expand refuses a job before it writes a header, so this is another of the same id. */
	if (!fresh && j->header && slice_is(r->stage, "expand"))
		return refuse(why, "a job with this id is in progress");
	job_failed(j, r->error, now);
	return TAKEN_CHANGED;
}

static enum taken
take(struct progress *p, struct job *j, bool fresh, const struct record *r, struct moment now,
	const char **why)
{
	if (r->type == RECORD_LOADING)
		job_loading(j, r, now);
	else if (r->type == RECORD_FAILED && r->symbol.p == NULL)
		return take_failure(j, fresh, r, now, why);
	else if (!job_verdict(j, r, p->calendar, now))
		return TAKEN_REPEATED;
	return TAKEN_CHANGED;
}

static enum taken
take_any(struct progress *p, const struct record *r, struct moment now, struct job **job,
	const char **why)
{
	struct job *j = find(p, r->job_id);
	bool whole = r->type == RECORD_FAILED && r->symbol.p == NULL;
	enum taken taken;

	*job = NULL;
	if (r->type == RECORD_JOB)
		return take_header(p, j, r, now, job, why);
	if (j == NULL ? r->type == RECORD_CANCEL || (!whole && is_forgotten(p, r->job_id))
		      : j->turned_away)
		return TAKEN_UNKNOWN;
	if (r->type == RECORD_CANCEL) {
		*job = j;
		return job_cancel(j, now) ? TAKEN_CHANGED : TAKEN_REPEATED;
	}
	/* A stream that was filtered may have lost the header. */
	*job = j != NULL ? j : add(p, r->job_id, now);
	if (*job == NULL)
		return refuse(why, "too many jobs at once");
	taken = take(p, *job, j == NULL, r, now, why);
	return j == NULL && taken == TAKEN_CHANGED ? TAKEN_STARTED : taken;
}

enum taken
progress_take(struct progress *p, const struct record *r, struct moment now, struct job **job,
	const char **why)
{
	enum taken taken = take_any(p, r, now, job, why);

	if (*job != NULL)
		p->current = *job;
	return taken;
}

struct job *
progress_first(const struct progress *p)
{
	return p->jobs;
}

struct job *
progress_next(const struct job *j)
{
	return j->hh.next;
}

size_t
progress_count(const struct progress *p)
{
	return HASH_COUNT(p->jobs);
}

struct job *
progress_current(const struct progress *p)
{
	return p->current;
}

size_t
progress_running(const struct progress *p)
{
	size_t n = 0;

	for (const struct job *j = p->jobs; j != NULL; j = progress_next(j))
		n += j->status == JOB_RUNNING;
	return n;
}

void
progress_drop(struct progress *p, struct job *j)
{
	p->forgotten[p->oldest] = hash_slice(buffer_slice(&j->id));
	p->oldest = (p->oldest + 1) % FORGOTTEN;
	take_out(p, j);
}
