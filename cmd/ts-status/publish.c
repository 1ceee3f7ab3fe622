/* The connection to Redis and the hashes of all jobs; a hash is status_hash.c's affair. */
#include "publish.h"

#include "gaps.h"
#include "heartbeat.h"
#include "log.h"
#include "redis_link.h"
#include "status_hash.h"
#include "timestamp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	OVER_MS = 3600 *
		  1000, /* for so long the state of a job that is over is kept for another Redis */
	OVERS = 1000,	/* and of so many */
	LINGER_MS = 2000, /* at the end of input, for a "submitted" that was not seen yet */
	LATE_MS = 600000, /* for verdicts of a cancelled job that are still on their way */
	CROWD = PROGRESS_JOBS / 4 *
		3, /* from so many jobs on, those that are over are not verified */
};

struct publish {
	const struct redis_url *url;
	struct progress *progress;
	struct spool *spool;
	struct gaps *gaps;
	struct heartbeat heartbeat;
	bool swept;		  /* the hashes of dead loaders were asked for, or must not be */
	struct status_hash *over; /* of jobs that are over, by key, oldest first */
	struct status_shared shared;
	struct redis_link link; /* its redis is the shared one */
};

struct publish *
publish_new(const struct redis_url *url, struct progress *progress, struct spool *spool,
	const char *partial)
{
	struct publish *p = memory_grow(NULL, 1, sizeof *p);

	*p = (struct publish){
		.url = url, .progress = progress, .spool = spool, .shared = {.partial = partial}};
	p->gaps = gaps_new(progress, spool);
	if (url != NULL)
		p->shared.redis = redis_new(url, NULL, NULL);
	p->link = (struct redis_link){.redis = p->shared.redis, .meanwhile = "counting goes on, "};
	return p;
}

static void
drop_over(struct publish *p, struct status_hash *h)
{
	HASH_DEL(p->over, h);
	status_hash_free(h);
}

void
publish_free(struct publish *p)
{
	redis_free(p->shared.redis);
	for (struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j))
		status_hash_free(j->user);
	while (p->over != NULL)
		drop_over(p, p->over);
	fields_release(&p->shared.fields);
	gaps_free(p->gaps);
	free(p);
}

void
publish_start(struct publish *p, struct job *j, int64_t now)
{
	struct status_hash *h = j->user, *old;

	if (p->shared.redis == NULL)
		return;
	if (h == NULL)
		j->user = h = status_hash_new(&p->shared, j);
	HASH_FIND(hh, p->over, h->key.p, h->key.len, old);
	if (old != NULL && status_hash_retire(old))
		drop_over(p, old);
	status_hash_start(h, j, now);
}

void
publish_job(struct job *j)
{
	/* Verdicts without a job are counted till the end; a card that runs is not for them. */
	if (j->user != NULL && (j->header || j->status != JOB_RUNNING))
		status_hash_changed(j->user);
}

void
publish_failed(struct job *j, struct slice record)
{
	struct status_hash *h = j->user;

	if (h != NULL)
		failed_list_add(&h->failures, record);
}

/* The job goes, its hash stays for a while. */
static void
keep_over(struct publish *p, struct job *j, int64_t now)
{
	struct status_hash *h = j->user, *same;

	j->user = NULL;
	if (h == NULL)
		return;
	HASH_FIND(hh, p->over, h->key.p, h->key.len, same);
	if (same != NULL || !h->written) {
		status_hash_free(h);
		return;
	}
	status_hash_end(h, now);
	HASH_ADD_KEYPTR(hh, p->over, h->key.p, h->key.len, h);
}

static void
serve_over(struct publish *p, int64_t now)
{
	for (struct status_hash *h = p->over, *next; h != NULL; h = next) {
		bool old = now >= h->over + OVER_MS || HASH_COUNT(p->over) > OVERS;

		next = h->hh.next;
		if (old && status_hash_retire(h))
			drop_over(p, h);
		else
			status_hash_serve(h, now);
	}
}

/* Whether nothing more will come of a job that has ended. */
static bool
hash_over(const struct publish *p, const struct job *j, int64_t now)
{
	const struct status_hash *h = j->user;

	bool crowd = progress_count(p->progress) > CROWD;

	if (j->status == JOB_RUNNING || !j->done_written)
		return false;
	if (!crowd && j->status == JOB_CANCELLED && job_missing(j) > 0 &&
		now - j->changed < LATE_MS)
		return false;
	return p->shared.redis == NULL || h == NULL ||
	       (status_hash_written(h) && !h->verifying && (crowd || status_hash_quiet(h)));
}

/* Its end stands in Redis: a restart need not know of it any more. */
static void
release_job(struct publish *p, struct job *j)
{
	const struct status_hash *h = j->user;

	if (j->status == JOB_RUNNING || (h != NULL && !status_hash_written(h)))
		return;
	if (spool_remove(p->spool, buffer_slice(&j->id)) == SPOOL_OK)
		j->kept = false;
	else
		log_error("spool: %s: the job cannot be removed", strerror(errno));
}

static void
serve_jobs(struct publish *p, int64_t now)
{
	for (struct job *j = progress_first(p->progress), *next; j != NULL; j = next) {
		next = progress_next(j);
		if (j->user != NULL && p->shared.redis != NULL)
			status_hash_serve(j->user, now);
		if (j->kept && (j->done_written || j->status == JOB_CANCELLED))
			release_job(p, j);
		if (hash_over(p, j, now)) {
			keep_over(p, j, now);
			progress_drop(p->progress, j);
		}
	}
}

/* Redis may have come back without what it held: all that is known is written again. */
static void
on_ready(struct publish *p, int64_t now)
{
	redis_link_recovered(&p->link, now);
	heartbeat_connected(&p->heartbeat, p->shared.redis, now);
	for (struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j)) {
		if (j->user != NULL)
			status_hash_reconnected(j->user);
	}
	for (struct status_hash *h = p->over; h != NULL; h = h->hh.next)
		status_hash_reconnected(h);
}

void
publish_serve(struct publish *p, short revents, int64_t now)
{
	if (p->shared.redis != NULL) {
		if (redis_link_serve(&p->link, revents, now) == REDIS_EVENT_READY)
			on_ready(p, now);
		if (redis_ready(p->shared.redis))
			heartbeat_serve(&p->heartbeat, now);
		if (!p->swept && p->heartbeat.decided) {
			p->swept = true;
			if (p->heartbeat.alone)
				gaps_sweep(p->gaps, now);
		}
	}
	serve_jobs(p, now);
	if (p->shared.redis != NULL) {
		serve_over(p, now);
		gaps_serve(p->gaps, p->shared.redis, now);
	}
}

void
publish_gap(struct publish *p, int64_t from, int64_t to, int64_t now)
{
	if (p->shared.redis != NULL)
		gaps_add(p->gaps, from, to, now);
}

void
publish_search_now(struct publish *p)
{
	gaps_search_now(p->gaps);
}

struct pollfd
publish_pollfd(const struct publish *p)
{
	return p->shared.redis == NULL ? (struct pollfd){.fd = -1} : redis_pollfd(p->shared.redis);
}

int64_t
publish_deadline(const struct publish *p, int64_t now)
{
	int64_t due;
	bool room;

	if (p->shared.redis == NULL)
		return INT64_MAX;
	due = redis_link_deadline(&p->link);
	if (!redis_ready(p->shared.redis))
		return due;
	due = clock_sooner(due, heartbeat_due(&p->heartbeat));
	due = clock_sooner(due, gaps_deadline(p->gaps));
	/* Where requests have no room, answers come first, and they are heard. */
	room = redis_room(p->shared.redis) >= STATUS_HASH_REQUESTS;
	for (const struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j)) {
		const struct status_hash *h = j->user;

		if (hash_over(p, j, now))
			due = clock_sooner(due, now);
		else if (h != NULL && room)
			due = clock_sooner(due, status_hash_due(h));
	}
	for (const struct status_hash *h = p->over; h != NULL && room; h = h->hh.next)
		due = clock_sooner(due, status_hash_due(h));
	return due;
}

bool
publish_written(const struct publish *p)
{
	for (const struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j)) {
		const struct status_hash *h = j->user;

		if (h != NULL && !status_hash_written(h))
			return false;
	}
	return true;
}

bool
publish_over(const struct publish *p, int64_t now)
{
	if (!publish_written(p) || gaps_pending(p->gaps))
		return false;
	/* Even with nothing to write, a wrong password is to be told. */
	if (p->shared.redis != NULL && !p->link.ever && !p->link.away)
		return false;
	for (const struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j)) {
		const struct status_hash *h = j->user;

		if (h != NULL && !h->submitted && (h->verifying || now < h->wrote + LINGER_MS + 50))
			return false;
	}
	return true;
}

bool
publish_crowded(const struct publish *p)
{
	if (p->shared.redis == NULL || !redis_ready(p->shared.redis) ||
		progress_count(p->progress) <= CROWD)
		return false;
	for (const struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j)) {
		if (j->status != JOB_RUNNING)
			return true;
	}
	return false;
}

bool
publish_denied(const struct publish *p)
{
	return p->link.denied;
}

const char *
publish_why(const struct publish *p)
{
	return redis_why(p->shared.redis);
}
