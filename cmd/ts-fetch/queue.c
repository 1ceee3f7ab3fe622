/*
 * Fair turns among jobs. Each job has two lists: tasks with another page to ask for, and new ones.
 * Jobs that have something to give stand in a line; whoever gave a task goes to its end.
 *
 * A lock stands for a symbol and timeframe in progress. A task that finds it taken waits there, out
 * of its job's list, so that nobody looks at it again before the lock is released: a thousand tasks
 * of one symbol cost no more than a thousand of different ones. Then the first one that waits goes
 * back to the head of its job's list. So a lock that is not taken but has waiting tasks has one of
 * its tasks in some job's list, which will take it and release it again.
 */
#include "queue.h"

#include "hash.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct job {
	UT_hash_handle hh;
	struct job *prev, *next; /* in the line of those that have something to give */
	struct task *pages;	 /* begun, with another page to ask for */
	struct task *fresh;
	size_t tasks; /* all that have not ended, wherever they are */
	bool lined;
	size_t n;
	char id[];
};

struct lock {
	UT_hash_handle hh;
	struct task *waiting;
	bool taken;
	char key[]; /* the timeframe's number, then the symbol */
};

void
queue_release(struct queue *q)
{
	buffer_release(&q->key);
}

struct slice
task_job_id(const struct task *t)
{
	return (struct slice){t->job->id, t->job->n};
}

static struct job *
job_get(struct queue *q, struct slice id)
{
	struct job *job;

	HASH_FIND(hh, q->jobs, id.p, id.n, job);
	if (job != NULL)
		return job;
	job = memory_grow(NULL, 1, sizeof *job + id.n);
	*job = (struct job){.n = id.n};
	memcpy(job->id, id.p, id.n);
	HASH_ADD_KEYPTR(hh, q->jobs, job->id, job->n, job);
	return job;
}

/* To the end of the line, or out of it, by whether there is something to give. */
static void
job_line_up(struct queue *q, struct job *job)
{
	bool idle = job->pages == NULL && job->fresh == NULL;

	if (job->lined && idle)
		DL_DELETE(q->line, job);
	else if (!job->lined && !idle)
		DL_APPEND(q->line, job);
	job->lined = !idle;
}

static struct job *
line_pop(struct queue *q)
{
	struct job *job = q->line;

	DL_DELETE(q->line, job);
	job->lined = false;
	return job;
}

static struct lock *
lock_find(struct queue *q, const struct task *t)
{
	struct lock *l;

	q->key.len = 0;
	buffer_byte(&q->key, (char)t->tf);
	buffer_add(&q->key, t->symbol.p, t->symbol.n);
	HASH_FIND(hh, q->locks, q->key.p, q->key.len, l);
	return l;
}

static struct lock *
lock_get(struct queue *q, const struct task *t)
{
	struct lock *l = lock_find(q, t);

	if (l == NULL) {
		l = memory_grow(NULL, 1, sizeof *l + q->key.len);
		*l = (struct lock){0};
		memcpy(l->key, q->key.p, q->key.len);
		HASH_ADD_KEYPTR(hh, q->locks, l->key, q->key.len, l);
	}
	return l;
}

/* Calls the first that waits back, or goes away when there is none. */
static void
lock_release(struct queue *q, struct lock *l)
{
	struct task *t = l->waiting;

	l->taken = false;
	if (t != NULL) {
		DL_DELETE(l->waiting, t);
		DL_PREPEND(t->job->fresh, t);
		job_line_up(q, t->job);
		return;
	}
	HASH_DEL(q->locks, l);
	free(l);
}

static struct slice
copy_text(char **at, struct slice s)
{
	struct slice c = {*at, s.n};

	memcpy(*at, s.p, s.n);
	*at += s.n;
	return c;
}

void
queue_push(struct queue *q, struct slice job_id, const struct task *what)
{
	struct task *t =
		memory_grow(NULL, 1, sizeof *t + what->symbol.n + what->from.n + what->to.n);
	char *at = (char *)(t + 1);

	*t = (struct task){.symbol = copy_text(&at, what->symbol),
		.from = copy_text(&at, what->from),
		.to = copy_text(&at, what->to),
		.start = what->start,
		.end = what->end,
		.tf = what->tf,
		.job = job_get(q, job_id)};
	t->job->tasks++;
	DL_APPEND(t->job->fresh, t);
	job_line_up(q, t->job);
	q->waiting++;
}

/* Takes a task out of the job's lists: of those in progress one, or else a new one. */
static struct task *
job_pop(struct job *job, bool begin)
{
	struct task *t = job->pages;

	if (t != NULL) {
		DL_DELETE(job->pages, t);
		t->queued = false;
	} else if (begin && (t = job->fresh) != NULL) {
		DL_DELETE(job->fresh, t);
	}
	return t;
}

/* A task of this job, now in progress, or NULL. Those whose lock is taken wait there from now on.
 */
static struct task *
job_take(struct queue *q, struct job *job, bool begin)
{
	struct task *t;

	while ((t = job_pop(job, begin)) != NULL && !t->locks) {
		struct lock *l = lock_get(q, t);

		if (!l->taken) {
			l->taken = t->locks = true;
			break;
		}
		DL_APPEND(l->waiting, t);
	}
	return t;
}

struct task *
queue_take(struct queue *q, bool begin)
{
	struct job *last = q->line == NULL ? NULL : q->line->prev, *job = NULL;
	struct task *t = NULL;

	while (t == NULL && job != last) {
		job = line_pop(q);
		t = job_take(q, job, begin);
		job_line_up(q, job);
	}
	if (t != NULL)
		q->waiting--;
	return t;
}

struct task *
queue_first(const struct task *t)
{
	return t->job->fresh;
}

struct task *
queue_beside(const struct task *t, enum timeframe tf)
{
	struct task *o = t->locks ? t->job->fresh : t->next;

	for (; o != NULL && slice_eq(o->symbol, t->symbol); o = o->next) {
		if (o->tf == tf)
			return o;
	}
	/* The first one's prev is the last one. */
	for (o = t->prev; !t->locks && o->next != NULL && slice_eq(o->symbol, t->symbol);
		o = o->prev) {
		if (o->tf == tf)
			return o;
	}
	return NULL;
}

bool
queue_may_begin(struct queue *q, const struct task *t)
{
	const struct lock *l = lock_find(q, t);

	return l == NULL || !l->taken;
}

bool
queue_begin(struct queue *q, struct task *t)
{
	struct lock *l = lock_get(q, t);

	if (l->taken)
		return false;
	l->taken = t->locks = true;
	DL_DELETE(t->job->fresh, t);
	job_line_up(q, t->job);
	q->waiting--;
	return true;
}

void
queue_return(struct queue *q, struct task *t)
{
	lock_release(q, lock_find(q, t));
	t->locks = false;
	t->active = NULL;
	DL_PREPEND(t->job->fresh, t);
	job_line_up(q, t->job);
	q->waiting++;
}

void
queue_again(struct queue *q, struct task *t)
{
	if (t->queued)
		return;
	t->queued = true;
	DL_APPEND(t->job->pages, t);
	job_line_up(q, t->job);
	q->waiting++;
}

void
queue_end(struct queue *q, struct task *t)
{
	struct job *job = t->job;

	if (t->queued) {
		DL_DELETE(job->pages, t);
		job_line_up(q, job);
		q->waiting--;
	}
	if (t->locks)
		lock_release(q, lock_find(q, t));
	if (--job->tasks == 0) {
		HASH_DEL(q->jobs, job);
		free(job);
	}
	free(t);
}

static bool
job_meant(const struct job *job, struct slice id)
{
	return id.p == NULL || slice_eq((struct slice){job->id, job->n}, id);
}

struct task *
queue_cancel(struct queue *q, struct slice job_id)
{
	struct task *out = NULL, *t, *after;
	struct job *job, *next;
	struct lock *l, *other;

	HASH_ITER(hh, q->jobs, job, next)
	{
		if (!job_meant(job, job_id))
			continue;
		DL_CONCAT(out, job->pages);
		DL_CONCAT(out, job->fresh);
		job->pages = job->fresh = NULL;
		job_line_up(q, job);
	}
	HASH_ITER(hh, q->locks, l, other)
	{
		DL_FOREACH_SAFE(l->waiting, t, after)
		{
			if (job_meant(t->job, job_id)) {
				DL_DELETE(l->waiting, t);
				DL_APPEND(out, t);
			}
		}
		/* The task that was to take it may just have been cancelled. */
		if (!l->taken)
			lock_release(q, l);
	}
	DL_FOREACH(out, t)
	{
		t->queued = false;
		q->waiting--;
	}
	return out;
}
