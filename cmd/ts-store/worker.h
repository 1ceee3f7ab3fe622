#ifndef TS_WORKER_H
#define TS_WORKER_H

#include "load.h"

#include <stdbool.h>

/*
 * A thread that stores batches, so that the next one is read and checked while Postgres works on
 * this one. It has one batch at a time; until it is done, the batch, the loader and its session
 * are the thread's alone.
 */
struct worker;

/* Starts it. NULL with errno. The loader stays the caller's. */
struct worker *worker_new(struct load *);

/* Ends it; it must not be busy. */
void worker_free(struct worker *);

/* Readable when a batch is done. */
int worker_fd(const struct worker *);

/* Hands it a closed batch. It must not be busy. */
void worker_begin(struct worker *, struct batch *);

bool worker_busy(const struct worker *);

/* Waits until the batch is done, and tells how that ended. It must be busy. */
enum outcome worker_end(struct worker *);

#endif
