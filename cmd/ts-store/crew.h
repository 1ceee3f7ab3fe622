#ifndef TS_CREW_H
#define TS_CREW_H

#include "load.h"

#include <stdbool.h>

/*
 * Threads that store batches, each with a connection of its own, so that the next batch is read and
 * checked while Postgres works on others. A worker has one batch at a time; until that is done the
 * batch, the worker's loader and its session are the thread's alone. The first connection must be
 * had; one more is made when there is a batch for it, and where it cannot be had its batch goes to
 * another worker.
 */
struct crew;

enum { CREW_MAX = 8 };

/* Of 1 to CREW_MAX workers. url as for session_new(). */
struct crew *crew_new(const char *url, int workers);

/* Ends the threads, of which none may be busy, and closes the connections; NULL is fine. */
void crew_free(struct crew *);

int crew_workers(const struct crew *);

/* The first connection, to be used by the caller before crew_start(). */
struct session *crew_session(struct crew *);

/* Starts the threads. 0, or -1 with errno. */
int crew_start(struct crew *);

/* Readable when a batch is done. */
int crew_fd(const struct crew *);

/* Whether there is a worker for one more batch. */
bool crew_idle(const struct crew *);

/* How many batches are under way. */
int crew_busy(const struct crew *);

/* Whether a closed batch has a bar that is under way already: it must wait, for the last one wins. */
bool crew_conflict(const struct crew *, const struct batch *);

/* Hands it a closed batch without such a bar. There is an idle worker. */
void crew_begin(struct crew *, struct batch *);

/* Waits until a batch is done, and tells how that ended. At least one must be under way. */
struct batch *crew_end(struct crew *, enum outcome *);

#endif
