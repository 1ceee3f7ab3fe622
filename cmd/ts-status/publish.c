/* The connection to Redis and the hashes of all jobs; a hash is status_hash.c's affair. */
#include "publish.h"

#include "log.h"
#include "timestamp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	OVER_MS = 3600 *
		  1000, /* for so long the state of a job that is over is kept for another Redis */
	OVERS = 1000,	/* and of so many */
	LINGER_MS = 2000, /* at the end of input, for a "submitted" that was not seen yet */
	LATE_MS = 600000, /* for verdicts of a cancelled job that are still on their way */
	CROWD = PROGRESS_JOBS / 4 *
		3, /* from so many jobs on, those that are over are not verified */
	BEAT_MS = 10000,
	LIVING_MS = 12000, /* within it a living loader has beaten again */
	ASK_MS = 1000,
};

void
publish_init(struct publish *p, const struct redis_url *url, struct progress *progress,
	struct spool *spool, const char *partial)
{
	*p = (struct publish){.progress = progress, .spool = spool, .shared = {.partial = partial}};
	p->gaps = (struct gaps){.progress = progress, .spool = spool};
	if (url != NULL)
		p->shared.redis = redis_new(url, NULL, NULL);
	p->link = (struct redis_link){.redis = p->shared.redis, .meanwhile = "counting goes on, "};
}

static void
drop_hash(struct publish *p, struct status_hash *h)
{
	HASH_DEL(p->hashes, h);
	status_hash_free(h);
}

void
publish_release(struct publish *p)
{
	redis_free(p->shared.redis);
	while (p->hashes != NULL)
		drop_hash(p, p->hashes);
	fields_release(&p->shared.fields);
	buffer_release(&p->gaps.cursor);
}

void
publish_start(struct publish *p, struct job *j, int64_t now)
{
	struct status_hash *h;

	if (p->shared.redis == NULL)
		return;
	HASH_FIND(hh, p->hashes, j->id.p, j->id.len, h);
	if (h == NULL) {
		h = status_hash_new(&p->shared, j);
		HASH_ADD_KEYPTR(hh, p->hashes, h->id.p, h->id.n, h);
	}
	j->hash = h;
	status_hash_start(h, j, now);
}

void
publish_job(struct job *j)
{
	/* Verdicts without a job are counted till the end; a card that runs is not for them. */
	if (j->hash != NULL && (j->header || j->status != JOB_RUNNING))
		j->hash->dirty = true;
}

void
publish_failed(struct job *j, struct slice record)
{
	if (j->hash != NULL)
		failed_list_add(&j->hash->failures, record);
}

/* Whether nothing more will come of a job that has ended. */
static bool
hash_over(const struct publish *p, const struct job *j, int64_t now)
{
	const struct status_hash *h = j->hash;
	bool crowd = HASH_COUNT(p->progress->jobs) > CROWD;

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
	if (j->status == JOB_RUNNING || (j->hash != NULL && !status_hash_written(j->hash)))
		return;
	if (spool_remove(p->spool, buffer_slice(&j->id)) == SPOOL_OK)
		j->kept = false;
	else
		log_error("spool: %s: the job cannot be removed", strerror(errno));
}

/* The job goes; its hash stays for a while, behind those that stay already. */
static void
drop_job(struct publish *p, struct job *j, int64_t now)
{
	struct status_hash *h = j->hash;

	if (h != NULL && !h->written) {
		drop_hash(p, h);
	} else if (h != NULL) {
		status_hash_end(h, now);
		HASH_DEL(p->hashes, h);
		HASH_ADD_KEYPTR(hh, p->hashes, h->id.p, h->id.n, h);
	}
	progress_drop(p->progress, j);
}

static void
serve_jobs(struct publish *p, int64_t now)
{
	for (struct job *j = p->progress->jobs, *next; j != NULL; j = next) {
		next = j->hh.next;
		if (j->hash != NULL)
			status_hash_serve(j->hash, now);
		if (j->kept && (j->done_written || j->status == JOB_CANCELLED))
			release_job(p, j);
		if (hash_over(p, j, now))
			drop_job(p, j, now);
	}
}

static void
serve_over(struct publish *p, int64_t now)
{
	size_t n = HASH_COUNT(p->hashes) - HASH_COUNT(p->progress->jobs);

	for (struct status_hash *h = p->hashes, *next; h != NULL; h = next) {
		next = h->hh.next;
		if (h->job != NULL)
			continue;
		if ((now >= h->over + OVER_MS || n > OVERS) && status_hash_retire(h)) {
			drop_hash(p, h);
			n--;
		} else {
			status_hash_serve(h, now);
		}
	}
}

/* If no other loader lives here, the hashes that dead ones have left are looked for. */
static void
on_heartbeat(void *data, const struct redis_reply *reply)
{
	struct publish *p = data;
	struct heartbeat *h = &p->heartbeat;
	struct slice value = redis_text(reply);
	int64_t now = clock_mono_ms();
	bool other = redis_kind(reply) == REDIS_KIND_ERROR;

	h->due = now + ASK_MS;
	if (reply == NULL)
		return;
	if (value.p != NULL && !other) {
		if (h->seen[0] == '\0')
			(void)snprintf(h->seen, sizeof h->seen, "%.*s", SLICE(value));
		other = !slice_is(value, h->seen);
		if (!other && now < h->until)
			return;
	}
	h->decided = true;
	h->due = 0;
	if (!other)
		gaps_sweep(&p->gaps, now);
}

/*
 * The key by which the page shows "Connected", and by which one loader finds out whether another
 * one lives on this Redis: before it is written first it is watched, if it is there, for longer
 * than a living one would leave it alone.
 */
static void
serve_heartbeat(struct publish *p, int64_t now)
{
	struct heartbeat *h = &p->heartbeat;
	struct slice key = slice_of("tickstockpl:heartbeat");
	char time[TIMESTAMP_SIZE];

	if (now < h->due)
		return;
	if (h->decided) {
		h->due = now + BEAT_MS;
		(void)REDIS_CALL(p->shared.redis, NULL, NULL, slice_of("SET"), key,
			slice_of(timestamp_local(time, clock_wall())), slice_of("EX"),
			slice_of("30"));
		return;
	}
	if (h->until == 0)
		h->until = now + LIVING_MS;
	h->due = REDIS_CALL(p->shared.redis, on_heartbeat, p, slice_of("GET"), key) == 0
			 ? INT64_MAX
			 : now + ASK_MS;
}

/* Redis may have come back without what it held: all that is known is written again. */
static void
on_ready(struct publish *p, int64_t now)
{
	redis_link_recovered(&p->link, now);
	p->heartbeat.due = 0;
	for (struct status_hash *h = p->hashes; h != NULL; h = h->hh.next)
		status_hash_reconnected(h);
}

void
publish_serve(struct publish *p, short revents, int64_t now)
{
	if (p->shared.redis != NULL) {
		if (redis_link_serve(&p->link, revents, now) == REDIS_EVENT_READY)
			on_ready(p, now);
		if (redis_ready(p->shared.redis))
			serve_heartbeat(p, now);
	}
	serve_jobs(p, now);
	if (p->shared.redis != NULL) {
		serve_over(p, now);
		gaps_serve(&p->gaps, p->shared.redis, now);
	}
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
	due = clock_sooner(due, p->heartbeat.due);
	due = clock_sooner(due, gaps_deadline(&p->gaps));
	/* Where requests have no room, answers come first, and they are heard. */
	room = redis_room(p->shared.redis) >= STATUS_HASH_REQUESTS;
	for (const struct status_hash *h = p->hashes; h != NULL; h = h->hh.next) {
		if (h->job != NULL && hash_over(p, h->job, now))
			due = clock_sooner(due, now);
		else if (room)
			due = clock_sooner(due, status_hash_due(h));
	}
	return due;
}

bool
publish_written(const struct publish *p)
{
	for (const struct job *j = p->progress->jobs; j != NULL; j = j->hh.next) {
		if (j->hash != NULL && !status_hash_written(j->hash))
			return false;
	}
	return true;
}

bool
publish_over(const struct publish *p, int64_t now)
{
	if (!publish_written(p))
		return false;
	/* Even with nothing to write, a wrong password is to be told. */
	if (p->shared.redis != NULL && (p->gaps.pending || (!p->link.ever && !p->link.away)))
		return false;
	for (const struct job *j = p->progress->jobs; j != NULL; j = j->hh.next) {
		const struct status_hash *h = j->hash;

		if (h != NULL && !h->submitted && (h->verifying || now < h->wrote + LINGER_MS + 50))
			return false;
	}
	return true;
}

bool
publish_crowded(const struct publish *p)
{
	size_t n = HASH_COUNT(p->progress->jobs);

	return p->shared.redis != NULL && redis_ready(p->shared.redis) && n > CROWD &&
	       progress_running(p->progress) < n;
}
