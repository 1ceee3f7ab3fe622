#ifndef TS_STATUS_HASH_H
#define TS_STATUS_HASH_H

#include "job_state.h"
#include "meter.h"
#include "redis.h"
#include "summary.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One job's status hash: what was written, whether it still stands, and when to write or verify next.
 * The admin page publishes a job first and writes "submitted" into the hash afterwards, so what is
 * written here can be overwritten: after the last write the hash is verified for some seconds and put
 * right.
 */

/* What all hashes share. */
struct status_shared {
	struct redis *redis; /* NULL without Redis */
	struct meter *meter;
	bool plain;          /* completed for completed_with_errors */
	bool refusing;       /* Redis answers writes with errors, and that was said */
	struct backoff hold; /* of writes that Redis refuses */
	struct fields fields;
};

/* What is known about one job's hash. */
struct status_hash {
	struct status_shared *shared;
	struct job *job;
	bool dirty;     /* the job is another than what was written */
	bool writing;   /* a write waits for its answer */
	bool verifying; /* its answer is awaited */
	bool written;   /* a write succeeded */
	bool submitted; /* the page's "submitted" was seen: it will not come any more */
	bool verified;  /* once, while it runs */
	int64_t first, wrote; /* when the first and the last write succeeded */
	int verify;     /* the next of verify_ms[] */
	int restores;
	enum job_status status; /* what the last write said */
	char stamp[TIMESTAMP_SIZE];
	struct buffer key;
};

enum { STATUS_HASH_REQUESTS = 6 /* at most, at one time */ };

/* The shared state stays the caller's. status_hash_free() takes NULL. */
struct status_hash *status_hash_new(struct status_shared *, struct job *);
void status_hash_free(struct status_hash *);

/* The job has changed; started: it is new, or new again, in which case *job may be another one. */
void status_hash_changed(struct status_hash *, struct job *, bool started, int64_t now);

/* When status_hash_serve() must be called next; INT64_MAX for never. */
int64_t status_hash_due(const struct status_hash *);

/* Writes or verifies, if that is due and Redis has room for it. */
void status_hash_serve(struct status_hash *, int64_t now);

/* Whether the last state stands in Redis; and whether it will not be verified again. */
bool status_hash_written(const struct status_hash *);
bool status_hash_quiet(const struct status_hash *);

#endif
