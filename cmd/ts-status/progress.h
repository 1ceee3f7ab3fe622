#ifndef TS_PROGRESS_H
#define TS_PROGRESS_H

#include "job_state.h"

/*
 * All jobs that are known at the moment. Records in, jobs out: no descriptor, no clock.
 */
struct progress;

enum { PROGRESS_JOBS = 10000 };

/* The calendar stays the caller's. */
struct progress *progress_new(const struct calendar *);
void progress_free(struct progress *);

enum taken {
	TAKEN_CHANGED,	/* the job is another than before; look at its status */
	TAKEN_STARTED,	/* it is new; it may have ended at once */
	TAKEN_REPEATED, /* a verdict that was counted before */
	TAKEN_REFUSED,	/* the record cannot be used; *why tells */
	TAKEN_UNKNOWN,	/* it is about a job that is not known, or no longer */
};

/*
 * Takes a record of type job, loading, stored, failed or cancel. *job is the one concerned, NULL
 * after TAKEN_UNKNOWN. A `job` record for a job that has ended starts it anew: *job is another one
 * with the same user pointer. One that comes when PROGRESS_JOBS are pending is failed at once.
 */
enum taken progress_take(struct progress *, const struct record *, struct moment now,
	struct job **job, const char **why);

/* Whether a job of this id is pending. */
bool progress_knows(const struct progress *, struct slice id);

/* How many jobs there are, and how many of them run. */
size_t progress_count(const struct progress *);
size_t progress_running(const struct progress *);

/* All jobs, in order of arrival; NULL behind the last one. */
struct job *progress_first(const struct progress *);
struct job *progress_next(const struct job *);

/* The job of the last record taken, NULL when it is forgotten. */
struct job *progress_current(const struct progress *);

/* Forgets a job but for its id: verdicts that still come are TAKEN_UNKNOWN and start no new job. */
void progress_drop(struct progress *, struct job *);

#endif
