/* The connection to Redis, the heartbeat, and the hashes of all jobs; a hash is status_hash.c's affair. */
#include "publish.h"

#include "gaps.h"
#include "log.h"
#include "summary.h"
#include "timestamp.h"
#include "status_hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEARTBEAT_MS = 10000,
	LINGER_MS = 2000, /* at the end of input, for a "submitted" that was not seen yet */
	LATE_MS = 600000, /* for verdicts of a cancelled job that are still on their way */
	CROWD = PROGRESS_JOBS / 4 * 3, /* from so many jobs on, those that are over are not verified */
};

struct publish {
	const struct redis_url *url;
	struct progress *progress;
	struct spool *spool;
	struct gaps *gaps;
	struct status_shared shared;
	struct backoff backoff; /* of connecting */
	bool ever;     /* was connected */
	bool away;     /* is not, and that was said */
	bool denied;
	int64_t heartbeat;
};

static const char key_heartbeat[] = "tickstockpl:heartbeat";

struct publish *
publish_new(const struct redis_url *url, struct progress *progress, struct meter *meter,
	struct spool *spool, bool plain)
{
	struct publish *p = memory_grow(NULL, 1, sizeof *p);

	*p = (struct publish){.url = url, .progress = progress, .spool = spool,
		.shared = {.meter = meter, .plain = plain}};
	p->gaps = gaps_new(progress);
	if (url != NULL)
		p->shared.redis = redis_new(url, NULL, NULL);
	return p;
}

void
publish_free(struct publish *p)
{
	redis_free(p->shared.redis);
	for (struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j))
		status_hash_free(j->user);
	fields_release(&p->shared.fields);
	gaps_free(p->gaps);
	free(p);
}

void
publish_job(struct publish *p, struct job *j, bool started, int64_t now)
{
	struct status_hash *h = j->user;

	if (p->shared.redis == NULL)
		return;
	if (h == NULL)
		j->user = h = status_hash_new(&p->shared, j);
	status_hash_changed(h, j, started, now);
}

static void
write_heartbeat(struct publish *p, int64_t now)
{
	char time[TIMESTAMP_SIZE];
	struct slice words[] = {slice_of("SET"), slice_of(key_heartbeat),
		slice_of(timestamp_local(time, clock_wall())), slice_of("EX"), slice_of("30")};

	(void)redis_call(p->shared.redis, NULL, NULL, words, 5);
	p->heartbeat = now + HEARTBEAT_MS;
}

/* Whether nothing more will come of a job that has ended. */
static bool
hash_over(const struct publish *p, const struct job *j, int64_t now)
{
	const struct status_hash *h = j->user;

	bool crowd = progress_count(p->progress) > CROWD;

	if (j->status == JOB_RUNNING || !j->done_written)
		return false;
	if (!crowd && j->status == JOB_CANCELLED && job_missing(j) > 0 && now - j->changed < LATE_MS)
		return false;
	return p->shared.redis == NULL || h == NULL ||
	       (status_hash_written(h) && !h->verifying && (crowd || status_hash_quiet(h)));
}

/* Its end stands in Redis: a restart need not know of it any more. */
static void
release(struct publish *p, struct job *j)
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
			release(p, j);
		if (hash_over(p, j, now)) {
			status_hash_free(j->user);
			j->user = NULL;
			progress_drop(p->progress, j);
		}
	}
}

/* Redis may have come back without what it held: all that is known is written again. */
static void
on_ready(struct publish *p, int64_t now)
{
	if (p->away) {
		meter_hide(p->shared.meter);
		log_info("Redis is %s", p->ever ? "back" : "there now");
	}
	p->away = false;
	p->ever = true;
	backoff_succeeded(&p->backoff, now);
	write_heartbeat(p, now);
	for (const struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j)) {
		struct status_hash *h = j->user;

		if (h != NULL)
			h->dirty = true;
	}
}

static void
on_lost(struct publish *p, bool denied, int64_t now)
{
	p->denied = denied && !p->ever;
	if (!p->away && !p->denied) {
		meter_hide(p->shared.meter);
		log_warning("%s Redis: %s; counting goes on, trying again until it answers",
			p->ever ? "lost" : "cannot connect to", redis_why(p->shared.redis));
	} else {
		log_debug("Redis: %s", redis_why(p->shared.redis));
	}
	p->away = true;
	backoff_failed(&p->backoff, now);
}

void
publish_serve(struct publish *p, short revents, int64_t now)
{
	enum redis_event event;

	if (p->shared.redis != NULL) {
		event = redis_serve(p->shared.redis, revents, now);
		if (event == REDIS_EVENT_READY)
			on_ready(p, now);
		else if (event != REDIS_EVENT_NONE)
			on_lost(p, event == REDIS_EVENT_DENIED, now);
		if (redis_down(p->shared.redis) && now >= p->backoff.due && !p->denied)
			redis_connect(p->shared.redis, now);
		if (redis_ready(p->shared.redis) && now >= p->heartbeat)
			write_heartbeat(p, now);
	}
	serve_jobs(p, now);
	if (p->shared.redis != NULL)
		gaps_serve(p->gaps, p->shared.redis, now);
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
	int64_t due = INT64_MAX;

	if (p->shared.redis == NULL)
		return due;
	if (redis_down(p->shared.redis))
		return p->backoff.due;
	due = redis_deadline(p->shared.redis);
	if (!redis_ready(p->shared.redis))
		return due;
	due = p->heartbeat < due ? p->heartbeat : due;
	due = gaps_deadline(p->gaps) < due ? gaps_deadline(p->gaps) : due;
	/* Where there is no room for requests, answers come first, and they are heard. */
	for (const struct job *j = progress_first(p->progress); j != NULL; j = progress_next(j)) {
		const struct status_hash *h = j->user;
		int64_t at = h == NULL || redis_room(p->shared.redis) < STATUS_HASH_REQUESTS ? INT64_MAX
										 : status_hash_due(h);

		if (hash_over(p, j, now))
			at = now;
		due = at < due ? at : due;
	}
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
	if (p->shared.redis != NULL && !p->ever && !p->away && !p->denied)
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
	if (p->shared.redis == NULL || !redis_ready(p->shared.redis) || progress_count(p->progress) <= CROWD)
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
	return p->denied;
}

const char *
publish_why(const struct publish *p)
{
	return redis_why(p->shared.redis);
}
