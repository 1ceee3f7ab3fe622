#ifndef TS_PROGRESS_H
#define TS_PROGRESS_H

#include "job.h"

/*
 * All jobs that are known at the moment. Records in, jobs out: no descriptor, no clock.
 */
struct progress;

enum { PROGRESS_JOBS = 10000 };

/* The calendar stays the caller's. */
struct progress *progress_new(const struct calendar *);
void progress_free(struct progress *);

enum taken {
	TAKEN_CHANGED, /* the job is another than before; look at its status */
	TAKEN_STARTED, /* it is new; it may have ended at once */
	TAKEN_REPEATED, /* a verdict that was counted before */
	TAKEN_REFUSED, /* the record cannot be used; *why tells */
	TAKEN_UNKNOWN, /* it is about a job that is not known, or no longer */
};

/*
 * Takes a record of type job, loading, stored, failed or cancel. *job is the one concerned, NULL after
 * TAKEN_UNKNOWN. A `job` record for a job that has ended starts it anew: *job keeps its place and its
 * user pointer.
 */
enum taken progress_take(struct progress *, const struct record *, struct moment now,
	struct job **job, const char **why);

/* Whether a job of this id is at hand. */
bool progress_knows(const struct progress *, struct slice id);

/* How many jobs there are, how many of them run, and the i-th, in order of arrival. */
size_t progress_count(const struct progress *);
size_t progress_running(const struct progress *);
struct job *progress_at(const struct progress *, size_t i);

/* The job of the last record taken, NULL when it is forgotten. */
struct job *progress_current(const struct progress *);

/* Forgets a job but for its id: verdicts that still come are TAKEN_UNKNOWN and start no new job. */
void progress_drop(struct progress *, struct job *);

#endif
