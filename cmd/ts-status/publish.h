#ifndef TS_PUBLISH_H
#define TS_PUBLISH_H

#include "gaps.h"
#include "redis_link.h"
#include "status_hash.h"
#include "timestamp.h"

#include <poll.h>

/*
 * Keeps one Redis hash per job in step with what is known about it, and the heartbeat. Times are
 * clock_mono_ms(); nothing here blocks.
 */
struct publish {
	struct progress *progress;
	struct spool *spool;
	struct gaps gaps;
	struct heartbeat {
		bool decided;  /* whether another loader lives on this Redis */
		int64_t due;   /* INT64_MAX while an answer is awaited */
		int64_t until; /* if it stands there unchanged till then, nobody renews it */
		char seen[2 * TIMESTAMP_SIZE];
	} heartbeat;
	struct status_hash *hashes; /* by id; those of jobs that are over in the order of that */
	struct status_shared shared;
	struct redis_link link; /* its redis is the shared one; denied: for good, see redis_why() */
};

/*
 * The spool may be NULL; a job that it has is removed from it when its end is told and written.
 * url NULL: no Redis, and everything below is quickly done. partial: see summary_status(). All
 * pointers stay the caller's. The jobs' hashes are this module's.
 */
void publish_init(struct publish *, const struct redis_url *url, struct progress *, struct spool *,
	const char *partial);

/* Call it before progress_release(). */
void publish_release(struct publish *);

/*
 * A job begins, or begins anew: before anything else is told of it. It has changed. A `failed`
 * record of one of its tasks has come.
 */
void publish_start(struct publish *, struct job *, int64_t now);
void publish_job(struct job *);
void publish_failed(struct job *, struct slice record);

/*
 * Reads from and writes to Redis; writes the jobs and the heartbeat that are due, looks whether
 * what was written last still stands, and drops jobs that are over and done with. After each poll.
 */
void publish_serve(struct publish *, short revents, int64_t now);

struct pollfd publish_pollfd(const struct publish *);

/* When publish_serve() must be called though its descriptor is silent. */
int64_t publish_deadline(const struct publish *, int64_t now);

/*
 * Whether there are so many jobs that those which are over should be written and dropped before
 * more is read.
 */
bool publish_crowded(const struct publish *);

/*
 * At the end of input: whether all that was to be written stands in Redis, and the admin page's
 * late "submitted" need no longer be feared.
 */
bool publish_over(const struct publish *, int64_t now);

/* Whether all final states stand in Redis, feared or not. */
bool publish_written(const struct publish *);

#endif
