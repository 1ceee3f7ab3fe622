#ifndef TS_WATCH_H
#define TS_WATCH_H

#include "job.h"
#include "meter.h"
#include "redis.h"
#include "report.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One job's status hash: what was written, whether it still stands, and when to write or look next.
 * The admin page publishes a job first and writes "submitted" into the hash afterwards, so what is
 * written here can be overwritten: after the last write the hash is looked at again for some seconds
 * and put right.
 */

/* What all hashes have in common. */
struct board {
	struct redis *redis; /* NULL without Redis */
	struct meter *meter;
	bool plain;          /* completed for completed_with_errors */
	bool refusing;       /* Redis answers writes with errors, and that was said */
	struct backoff hold; /* of writes that Redis refuses */
	struct fields fields;
};

/* What is known about one job's hash. */
struct watch {
	struct board *board;
	struct job *job;
	bool dirty;     /* the job is another than what was written */
	bool writing;   /* a write waits for its answer */
	bool looking;   /* a look waits for its answer */
	bool written;   /* a write succeeded */
	bool submitted; /* the page's "submitted" was seen: it will not come any more */
	bool early;     /* the look while it runs was taken */
	int64_t first, wrote; /* when the first and the last write succeeded */
	int look;       /* the next of looks[] */
	int restores;
	enum job_status status; /* what the last write said */
	char stamp[TIMESTAMP_SIZE];
	struct buffer key;
};

enum { WATCH_REQUESTS = 6 /* at most, at one time */ };

/* The board stays the caller's. watch_free() takes NULL. */
struct watch *watch_new(struct board *, struct job *);
void watch_free(struct watch *);

/* The job has changed; started: it is new, or new again, in which case *job may be another one. */
void watch_changed(struct watch *, struct job *, bool started, int64_t now);

/* When watch_serve() must be called next; INT64_MAX for never. */
int64_t watch_due(const struct watch *);

/* Writes or looks, if that is due and Redis has room for it. */
void watch_serve(struct watch *, int64_t now);

/* Whether the last state stands in Redis; and whether no look at it is to come. */
bool watch_written(const struct watch *);
bool watch_quiet(const struct watch *);

#endif
