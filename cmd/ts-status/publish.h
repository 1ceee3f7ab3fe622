#ifndef TS_PUBLISH_H
#define TS_PUBLISH_H

#include "progress.h"
#include "redis.h"
#include "spool.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Keeps one Redis hash per job in step with what is known about it, and the heartbeat. Times are
 * clock_mono_ms(); nothing here blocks.
 */
struct publish;

/*
 * The spool may be NULL; a job that it has is removed from it when its end is told and written.
 * url NULL: no Redis, and everything below is quickly done. partial: see summary_status(). All
 * pointers stay the caller's. The jobs' user pointers are this module's.
 */
struct publish *publish_new(
	const struct redis_url *url, struct progress *, struct spool *, const char *partial);

/* Call it before progress_free(). */
void publish_free(struct publish *);

/*
 * A job begins, or begins anew: before anything else is told of it. It has changed. A `failed`
 * record of one of its tasks has come.
 */
void publish_start(struct publish *, struct job *, int64_t now);
void publish_job(struct job *);
void publish_failed(struct job *, struct slice record);

/* Nobody listened from one instant to another (seconds); and: no more jobs will come. */
void publish_gap(struct publish *, int64_t from, int64_t to, int64_t now);
void publish_search_now(struct publish *);

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

/* Redis refuses us for good, before it ever let us in. publish_why() has the reason. */
bool publish_denied(const struct publish *);
const char *publish_why(const struct publish *);

#endif
