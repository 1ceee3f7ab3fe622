#ifndef TS_POOL_H
#define TS_POOL_H

#include "load.h"

#include <stdbool.h>

/*
 * Threads that store batches, each with a connection of its own, so that the next batch is read and
 * checked while Postgres works on others. A worker has one batch at a time; until that is done the
 * batch is the thread's alone. The first connection must be had; one more is made when there is a
 * batch for it, and where it cannot be had the first one serves its batches, too.
 */
struct pool;

enum { POOL_MAX = 8 };

/* Of 1 to POOL_MAX workers. url as for pg_options. What is given stays the caller's. */
struct pool *pool_new(const char *url, int workers, const struct calendar *);

/* Ends the threads, of which none may be busy, and closes the connections; NULL is fine. */
void pool_free(struct pool *);

/* The first connection, to be used by the caller before pool_start(). */
struct pg *pool_pg(struct pool *);

/* Starts the threads. 0, or -1 with errno. */
int pool_start(struct pool *);

/* How many workers it has; how many of them have a batch. */
int pool_workers(const struct pool *);
int pool_busy(const struct pool *);

/* Readable when pool_end() has something. */
int pool_fd(const struct pool *);

/* Whether a closed batch has a bar that is under way already: it must wait, for the last one wins.
 */
bool pool_conflict(const struct pool *, const struct batch *);

/* Hands it a closed batch without such a bar. There is a worker that is not busy. */
void pool_begin(struct pool *, struct batch *);

/*
 * Waits until a batch is done, and tells how that ended; NULL when a worker pauses for Postgres
 * instead, with pool_wait() for why. At least one must be under way.
 */
struct batch *pool_end(struct pool *, enum outcome *);

/* Why a worker pauses, into the buffer; until when, clock_mono_ms(). */
int64_t pool_wait(struct pool *, struct buffer *why);

#endif
