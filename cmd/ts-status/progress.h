#ifndef TS_PROGRESS_H
#define TS_PROGRESS_H

#include "job_state.h"

enum { PROGRESS_JOBS = 10000, PROGRESS_FORGOTTEN = 1024 };

/*
 * All jobs that are known at the moment. Records in, jobs out: no descriptor, no clock. {0} but for
 * the calendar, which stays the caller's.
 */
struct progress {
	const struct calendar *calendar;
	struct job *jobs;    /* a hash table; by hh.next in order of arrival */
	struct job *current; /* of the last record taken, NULL when it is forgotten */
	uint64_t forgotten[PROGRESS_FORGOTTEN]; /* hashes of the last ids that were dropped */
	size_t oldest;				/* of them */
};

void progress_release(struct progress *);

enum taken {
	TAKEN_CHANGED,	/* the job is another than before; look at its status */
	TAKEN_STARTED,	/* it is new; it may have ended at once */
	TAKEN_REPEATED, /* a verdict that was counted before */
	TAKEN_REFUSED,	/* the record cannot be used */
	TAKEN_UNKNOWN,	/* it is about a job that is not known, or no longer */
};

/* A record that comes then, and what becomes of it. */
struct arrival {
	const struct record *r;
	struct moment now;
	struct job *job; /* the one concerned, NULL after TAKEN_UNKNOWN */
	const char *why; /* of TAKEN_REFUSED */
};

/*
 * Takes a record of type job, loading, stored, failed or cancel. A `job` record for a job that has
 * ended starts it anew: it is another one. One that comes when PROGRESS_JOBS are pending is failed
 * at once.
 */
enum taken progress_take(struct progress *, struct arrival *);

/* Whether a job of this id is pending. */
bool progress_knows(const struct progress *, struct slice id);

/* How many jobs run. */
size_t progress_running(const struct progress *);

/* Forgets a job but for its id: verdicts that still come are TAKEN_UNKNOWN and start no new job. */
void progress_drop(struct progress *, struct job *);

#endif
