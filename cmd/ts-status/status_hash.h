#ifndef TS_STATUS_HASH_H
#define TS_STATUS_HASH_H

#include "failed_list.h"
#include "hash.h"
#include "job_state.h"
#include "redis.h"
#include "summary.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One job's status hash: what was written, whether it still stands, and when to write or verify
 * next. The admin page publishes a job first and writes "submitted" into the hash afterwards, so
 * what is written here can be overwritten: after the last write the hash is verified for some
 * seconds and put right. Only what has changed is written. When the job is over, the hash stands
 * for it: Redis may come back without it, or as another server that never had it.
 */

/* What all hashes share. */
struct status_shared {
	struct redis *redis; /* NULL without Redis */
	const char *partial; /* see summary_status() */
	bool refusing;	     /* Redis answers writes with errors, and that was said */
	struct backoff hold; /* of writes that Redis refuses */
	struct fields fields;
};

/* What is known about one job's hash. */
struct status_hash {
	struct status_shared *shared;
	struct job *job; /* NULL when it is over and forgotten */
	bool dirty;	 /* the job is another than what was written */
	bool whole;	 /* nothing of what was written need stand there */
	bool partial;	 /* the last write did not say all */
	bool writing;	 /* a write waits for its answer */
	bool verifying;	 /* its answer is awaited */
	bool written;	 /* a write succeeded */
	bool submitted;	 /* the page's "submitted" was seen: it will not come any more */
	bool verified; /* once, while it runs; or since the last connection, when the job is over */
	bool looked;   /* what stood there before the first write is known */
	int64_t first, wrote; /* when the first and the last write succeeded */
	int64_t listed;	      /* when the lists of symbols were written last */
	int verify;	      /* the next of verify_ms[] */
	int restores;
	enum job_status status;	    /* what the last write said */
	enum job_status before;	    /* and the one before it */
	char stamp[TIMESTAMP_SIZE]; /* and when */
	struct fields sent;	    /* what should stand there */
	struct buffer key;
	struct slice id;	    /* of the job, the end of the key */
	struct buffer submitted_at; /* as it stood there, if it was this job's */
	struct failed_list failures;
	int64_t over;	   /* when the job was over */
	UT_hash_handle hh; /* the owner's */
};

enum { STATUS_HASH_REQUESTS = 7 + FAILED_LIST_REQUESTS /* at most, at one time */ };

/* The shared state stays the caller's. status_hash_free() takes NULL. */
struct status_hash *status_hash_new(struct status_shared *, struct job *);
void status_hash_free(struct status_hash *);

/* The job begins, or another one of its id. */
void status_hash_start(struct status_hash *, struct job *, int64_t now);

/* The job is over, and all of it stands in Redis: the hash goes on without it. */
void status_hash_end(struct status_hash *, int64_t now);

/* Writes nothing any more. Whether it can be freed, no answer being awaited. */
bool status_hash_retire(struct status_hash *);

/* Redis may have come back without what it held. */
void status_hash_reconnected(struct status_hash *);

/* When status_hash_serve() must be called next; INT64_MAX for never. */
int64_t status_hash_due(const struct status_hash *);

/* Writes or verifies, if that is due and Redis has room for it. */
void status_hash_serve(struct status_hash *, int64_t now);

/* Whether the last state stands in Redis; and whether it will not be verified again. */
bool status_hash_written(const struct status_hash *);
bool status_hash_quiet(const struct status_hash *);

#endif
