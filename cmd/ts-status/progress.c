/* The jobs at hand, found by id. What happens within one is job.c's affair. */
#include "progress.h"

#include <stdlib.h>
#include <string.h>

/* How many ids of jobs that are over are remembered. */
enum { FORGOTTEN = 1024 };

struct entry {
	uint64_t hash;
	struct job *job;
};

struct progress {
	const struct calendar *calendar;
	struct entry *entry; /* in order of arrival */
	size_t count, cap;
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

void
progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		job_free(p->entry[i].job);
	free(p->entry);
	free(p);
}

static uint64_t
hash_of(struct slice id)
{
	return names_hash(id, (struct slice){0});
}

static struct entry *
find(const struct progress *p, struct slice id)
{
	uint64_t hash = hash_of(id);

	for (size_t i = 0; i < p->count; i++) {
		if (p->entry[i].hash == hash && slice_eq(buffer_slice(&p->entry[i].job->id), id))
			return &p->entry[i];
	}
	return NULL;
}

bool
progress_knows(const struct progress *p, struct slice id)
{
	return find(p, id) != NULL;
}

static bool
is_forgotten(const struct progress *p, struct slice id)
{
	uint64_t hash = hash_of(id);

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
	if (p->count == PROGRESS_JOBS)
		return NULL;
	if (p->count == p->cap) {
		p->cap = p->cap == 0 ? 8 : p->cap * 2;
		p->entry = memory_grow(p->entry, p->cap, sizeof *p->entry);
	}
	p->entry[p->count] = (struct entry){hash_of(id), job_new(id, now)};
	return p->entry[p->count++].job;
}

static enum taken
refuse(const char **why, const char *reason)
{
	*why = reason;
	return TAKEN_REFUSED;
}

/* In the place of a job that has ended, a new one of the same id. */
static struct job *
renew(struct progress *p, struct entry *e, struct slice id, struct moment now)
{
	struct job *j = job_new(id, now);

	j->user = e->job->user;
	if (p->current == e->job)
		p->current = NULL;
	job_free(e->job);
	e->job = j;
	return j;
}

static enum taken
take_header(struct progress *p, struct entry *e, const struct record *r, struct moment now,
	struct job **job, const char **why)
{
	if (e != NULL && (e->job->status == JOB_RUNNING || !e->job->done_written)) {
		*job = e->job;
		if (e->job->header)
			return refuse(why, "a job of this id is in progress");
		job_header(e->job, r, now);
		return TAKEN_CHANGED;
	}
	*job = e != NULL ? renew(p, e, r->job_id, now) : add(p, r->job_id, now);
	if (*job == NULL)
		return refuse(why, "too many jobs at once");
	job_header(*job, r, now);
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
		return refuse(why, "a job of this id is in progress");
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
	struct entry *e = find(p, r->job_id);
	bool whole = r->type == RECORD_FAILED && r->symbol.p == NULL;
	enum taken taken;

	*job = NULL;
	if (r->type == RECORD_JOB)
		return take_header(p, e, r, now, job, why);
	if (r->type == RECORD_CANCEL) {
		if (e == NULL)
			return TAKEN_UNKNOWN;
		*job = e->job;
		return job_cancel(*job, now) ? TAKEN_CHANGED : TAKEN_REPEATED;
	}
	if (e == NULL && !whole && is_forgotten(p, r->job_id))
		return TAKEN_UNKNOWN;
	/* A stream that was filtered may have lost the header. */
	*job = e != NULL ? e->job : add(p, r->job_id, now);
	if (*job == NULL)
		return refuse(why, "too many jobs at once");
	taken = take(p, *job, e == NULL, r, now, why);
	return e == NULL && taken == TAKEN_CHANGED ? TAKEN_STARTED : taken;
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
progress_at(const struct progress *p, size_t i)
{
	return p->entry[i].job;
}

size_t
progress_count(const struct progress *p)
{
	return p->count;
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

	for (size_t i = 0; i < p->count; i++)
		n += p->entry[i].job->status == JOB_RUNNING;
	return n;
}

void
progress_drop(struct progress *p, struct job *j)
{
	size_t i = 0;

	while (i < p->count && p->entry[i].job != j)
		i++;
	if (i == p->count)
		return;
	p->forgotten[p->oldest] = p->entry[i].hash;
	p->oldest = (p->oldest + 1) % FORGOTTEN;
	memmove(p->entry + i, p->entry + i + 1, (p->count - i - 1) * sizeof *p->entry);
	p->count--;
	if (p->current == j)
		p->current = NULL;
	job_free(j);
}
