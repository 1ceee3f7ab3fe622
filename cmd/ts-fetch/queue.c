/*
 * Fair turns among jobs. Each job has two lists: tasks with another page to ask for, and new ones.
 * Jobs that have something to give stand in a line; whoever gave a task goes to its end.
 *
 * A lane stands for a symbol and timeframe in progress. A task that finds its lane busy is parked
 * there, out of its job's list, so that nobody looks at it again before the lane is free: a
 * thousand tasks of one symbol cost no more than a thousand of different ones. When the lane falls
 * free its first parked task goes back to the head of its job's list. So a lane that is free but
 * has parked tasks has one of its tasks in some job's list, which will take the lane and free it
 * again.
 */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

enum { JOB_BUCKETS = 1024, LANE_BUCKETS = 256 };

struct list {
	struct task *head;
	struct task *tail;
};

struct job {
	struct job *chain; /* in its bucket */
	struct job *next;  /* in the line of those that have something to give */
	struct list pages; /* begun, with another page to ask for */
	struct list fresh;
	size_t tasks; /* all that have not ended, wherever they are */
	bool lined;
	size_t n;
	char id[];
};

struct lane {
	struct lane *chain;
	struct list parked;
	enum timeframe tf;
	bool busy;
	size_t n;
	char symbol[];
};

struct queue {
	size_t max;
	size_t waiting;
	struct job *first, *last;
	size_t line; /* how many jobs stand in it */
	struct job *job[JOB_BUCKETS];
	struct lane *lane[LANE_BUCKETS];
};

/* FNV-1a, 32 bits. */
static uint32_t
hash(struct slice s, uint32_t h)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

static void
append(struct list *l, struct task *t)
{
	t->next = NULL;
	if (l->head == NULL)
		l->head = t;
	else
		l->tail->next = t;
	l->tail = t;
}

static struct task *
pop(struct list *l)
{
	struct task *t = l->head;

	if (t != NULL)
		l->head = t->next;
	return t;
}

static void
prepend(struct list *l, struct task *t)
{
	if (l->head == NULL)
		l->tail = t;
	t->next = l->head;
	l->head = t;
}

struct queue *
queue_new(size_t max)
{
	struct queue *q = memory_grow(NULL, 1, sizeof *q);

	memset(q, 0, sizeof *q);
	q->max = max;
	return q;
}

void
queue_free(struct queue *q)
{
	struct task *t;

	if (q == NULL)
		return;
	while ((t = queue_any(q)) != NULL)
		queue_end(q, t);
	for (int i = 0; i < LANE_BUCKETS; i++) {
		while (q->lane[i] != NULL) {
			struct lane *lane = q->lane[i];

			q->lane[i] = lane->chain;
			free(lane);
		}
	}
	free(q);
}

size_t
queue_waiting(const struct queue *q)
{
	return q->waiting;
}

bool
queue_full(const struct queue *q)
{
	return q->waiting >= q->max;
}

struct slice
task_job_id(const struct task *t)
{
	return (struct slice){t->job->id, t->job->n};
}

/* The job's place in its bucket; *place is NULL if it is not there. */
static struct job **
job_place(struct queue *q, struct slice id)
{
	struct job **place = &q->job[hash(id, 2166136261u) % JOB_BUCKETS];

	while (*place != NULL && !slice_eq((struct slice){(*place)->id, (*place)->n}, id))
		place = &(*place)->chain;
	return place;
}

static struct job *
job_get(struct queue *q, struct slice id)
{
	struct job **place = job_place(q, id);
	struct job *job = *place;

	if (job != NULL)
		return job;
	job = memory_grow(NULL, 1, sizeof *job + id.n);
	*job = (struct job){.n = id.n};
	memcpy(job->id, id.p, id.n);
	*place = job;
	return job;
}

/* The first of the job's tasks in progress that wait for another turn. */
static struct task *
pop_page(struct job *job)
{
	struct task *t = pop(&job->pages);

	if (t != NULL)
		t->queued = false;
	return t;
}

static bool
job_idle(const struct job *job)
{
	return job->pages.head == NULL && job->fresh.head == NULL;
}

/* To the end of the line, unless it stands there already. */
static void
job_line_up(struct queue *q, struct job *job)
{
	if (job->lined)
		return;
	job->lined = true;
	job->next = NULL;
	if (q->first == NULL)
		q->first = job;
	else
		q->last->next = job;
	q->last = job;
	q->line++;
}

static struct job *
line_pop(struct queue *q)
{
	struct job *job = q->first;

	q->first = job->next;
	q->line--;
	job->lined = false;
	return job;
}

static void
line_leave(struct queue *q, struct job *job)
{
	/* Seldom: a job was cancelled, or its last task was parked. */
	for (size_t n = q->line; n > 0; n--) {
		struct job *other = line_pop(q);

		if (other != job)
			job_line_up(q, other);
	}
}

static struct lane **
lane_place(struct queue *q, const struct task *t)
{
	uint32_t h = hash(t->symbol, 2166136261u ^ (uint32_t)t->tf);
	struct lane **place = &q->lane[h % LANE_BUCKETS];

	while (*place != NULL &&
		((*place)->tf != t->tf ||
			!slice_eq((struct slice){(*place)->symbol, (*place)->n}, t->symbol)))
		place = &(*place)->chain;
	return place;
}

static struct lane *
lane_get(struct queue *q, const struct task *t)
{
	struct lane **place = lane_place(q, t);
	struct lane *lane = *place;

	if (lane != NULL)
		return lane;
	lane = memory_grow(NULL, 1, sizeof *lane + t->symbol.n);
	*lane = (struct lane){.tf = t->tf, .n = t->symbol.n};
	memcpy(lane->symbol, t->symbol.p, t->symbol.n);
	*place = lane;
	return lane;
}

/* A free lane calls its first parked task back, or goes away when there is none: then false. */
static bool
lane_freed(struct queue *q, struct lane **place)
{
	struct lane *lane = *place;
	struct task *t = pop(&lane->parked);

	if (t != NULL) {
		prepend(&t->job->fresh, t);
		job_line_up(q, t->job);
		return true;
	}
	*place = lane->chain;
	free(lane);
	return false;
}

static struct slice
copy(char **at, struct slice s)
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

	*t = *what;
	t->work = NULL;
	t->holds = t->queued = false;
	t->symbol = copy(&at, what->symbol);
	t->from = copy(&at, what->from);
	t->to = copy(&at, what->to);
	t->job = job_get(q, job_id);
	t->job->tasks++;
	append(&t->job->fresh, t);
	job_line_up(q, t->job);
	q->waiting++;
}

/* A task of this job, now in progress, or NULL. Those whose lane is busy are parked on the way. */
static struct task *
job_take(struct queue *q, struct job *job, bool begin)
{
	struct task *t = pop_page(job);

	if (t != NULL)
		return t;
	while (begin && (t = pop(&job->fresh)) != NULL) {
		struct lane *lane = lane_get(q, t);

		if (!lane->busy) {
			lane->busy = true;
			t->holds = true;
			return t;
		}
		append(&lane->parked, t);
	}
	return NULL;
}

struct task *
queue_take(struct queue *q, bool begin)
{
	struct task *t = NULL;

	for (size_t n = q->line; n > 0 && t == NULL; n--) {
		struct job *job = line_pop(q);

		t = job_take(q, job, begin);
		if (!job_idle(job))
			job_line_up(q, job);
	}
	if (t != NULL)
		q->waiting--;
	return t;
}

void
queue_again(struct queue *q, struct task *t)
{
	if (t->queued)
		return;
	t->queued = true;
	append(&t->job->pages, t);
	job_line_up(q, t->job);
	q->waiting++;
}

/* The other way round. */
static void
forget_page(struct queue *q, struct task *t)
{
	struct list rest = {0};
	struct task *other;

	while ((other = pop_page(t->job)) != NULL) {
		if (other != t)
			append(&rest, other);
	}
	for (other = rest.head; other != NULL; other = other->next)
		other->queued = true;
	t->job->pages = rest;
	q->waiting--;
	if (job_idle(t->job))
		line_leave(q, t->job);
}

void
queue_end(struct queue *q, struct task *t)
{
	struct job *job = t->job;

	if (t->queued)
		forget_page(q, t);
	if (t->holds) {
		struct lane **place = lane_place(q, t);

		(*place)->busy = false;
		(void)lane_freed(q, place);
	}
	if (--job->tasks == 0) {
		*job_place(q, task_job_id(t)) = job->chain;
		free(job);
	}
	free(t);
}

/* Moves a list's tasks of a job, or of any job for NULL, over to another list. */
static void
move(struct list *from, struct list *to, const struct job *job)
{
	struct list rest = {0};
	struct task *t;

	while ((t = pop(from)) != NULL)
		append(job == NULL || t->job == job ? to : &rest, t);
	*from = rest;
}

struct task *
queue_cancel(struct queue *q, struct slice job_id)
{
	struct job *job = *job_place(q, job_id);
	struct list out = {0};

	if (job == NULL)
		return NULL;
	move(&job->pages, &out, NULL);
	move(&job->fresh, &out, NULL);
	if (job->lined)
		line_leave(q, job);
	for (int i = 0; i < LANE_BUCKETS; i++) {
		struct lane **place = &q->lane[i];

		while (*place != NULL) {
			move(&(*place)->parked, &out, job);
			/* The task that a free lane waits for may just have been cancelled. */
			if ((*place)->busy || lane_freed(q, place))
				place = &(*place)->chain;
		}
	}
	for (struct task *t = out.head; t != NULL; t = t->next) {
		t->queued = false;
		q->waiting--;
	}
	return out.head;
}

struct task *
queue_any(struct queue *q)
{
	struct task *t = NULL;

	while (t == NULL && q->line > 0) {
		struct job *job = line_pop(q);

		t = pop_page(job);
		if (t == NULL)
			t = pop(&job->fresh);
		if (!job_idle(job))
			job_line_up(q, job);
	}
	for (int i = 0; i < LANE_BUCKETS && t == NULL; i++) {
		for (struct lane *l = q->lane[i]; l != NULL && t == NULL; l = l->chain)
			t = pop(&l->parked);
	}
	if (t != NULL)
		q->waiting--;
	return t;
}
