#ifndef TS_JOB_STATE_H
#define TS_JOB_STATE_H

#include "buffer.h"
#include "calendar.h"
#include "hash.h"
#include "names.h"
#include "record.h"

#include <stdbool.h>
#include <stdint.h>

/* The two clocks at one moment: the wall's seconds (UTC) and clock_mono_ms(). */
struct moment {
	int64_t wall;
	int64_t mono;
};

enum job_status {
	JOB_RUNNING,
	JOB_COMPLETED,
	JOB_ERRORS, /* some tasks failed, or bars were rejected */
	JOB_FAILED, /* nothing was loaded, and not because there was nothing */
	JOB_CANCELLED,
};

/* Some names for the last message; text holds those that found room, count tells how many there
 * are. */
struct listing {
	struct buffer text;
	uint64_t count;
	uint64_t shown;
};

/* What of a job is named in its last message, in this order; the words are summary.c's. */
enum list {
	LIST_FAILED,
	LIST_EMPTY,
	LIST_LATE,
	LIST_REJECTED,
	LIST_ROUNDED,
	LIST_EXTRA,
	LIST_RESTATED,
	LISTS,
};

/*
 * A job and what became of its tasks so far. Memory is about proportional to the tasks that have a
 * verdict. The fields are to be read; only this module and summary.c write them.
 */
struct job {
	struct buffer id, source, received_at, timestamp;
	bool header;	/* its `job` record was seen: total and symbols are known */
	uint64_t total; /* tasks */
	uint64_t symbols;
	uint64_t per_symbol; /* tasks of each symbol, 0 when unknown */

	enum job_status status;
	bool broken;		  /* it failed as a whole */
	bool done_written;	  /* the caller's: its `done` has been written */
	bool kept;		  /* the caller's: the spool has it */
	struct status_hash *hash; /* the caller's */
	bool turned_away;	  /* it was one too many: nothing more is counted */
	UT_hash_handle hh;	  /* of the table of jobs */

	uint64_t stored, failed, empty, bars, rejected;
	uint64_t bytes;		  /* downloaded */
	uint64_t extra, restated; /* rows that the API does not have; restated ones */
	/*
	 * Of tasks with a verdict, and of all: the bars of a session, about in proportion to which
	 * they take time, since all timeframes of a job cover the same days. What has less than one
	 * a day costs a request all the same.
	 */
	uint64_t weight, weight_total;
	uint64_t processed; /* symbols all of whose tasks have a verdict */
	struct names tasks; /* those that have a verdict */
	struct names seen;  /* their symbols; failed: of it, or stored with bars rejected */
	uint64_t nseen;

	struct listing list[LISTS];
	struct buffer errors; /* the inside of a JSON array */
	int nerrors;
	struct buffer symbol, timeframe, message;
	struct buffer waiting; /* why nothing is fetched or stored; empty when something is */

	struct moment started;
	struct moment ended; /* valid unless JOB_RUNNING */
	int64_t changed;     /* monotonic: when the last record of it came */
};

struct job *job_new(struct slice id, struct moment now);
void job_free(struct job *);

/* Takes the `job` record that goes before the tasks. */
void job_header(struct job *, const struct record *, struct moment now);

/* A task's first request has begun. */
void job_loading(struct job *, const struct record *, struct moment now);

/* Nothing can be fetched or stored until then, a UTC instant, and why: the next record of a task
 * ends it. */
void job_waiting(struct job *, struct slice reason, struct slice until);

/*
 * A task's `stored` or `failed`; false when that task had its verdict before. The last one ends the
 * job. The calendar tells how many sessions a series begins late.
 */
bool job_verdict(struct job *, const struct record *, const struct calendar *, struct moment now);

/* The job as a whole failed, and why. */
void job_failed(struct job *, struct slice error, struct moment now);

/* It was cancelled: verdicts that still come are counted. False if it had ended before. */
bool job_cancel(struct job *, struct moment now);

/*
 * No more records will come. A job that is kept stays running, and says so; any other ends with
 * what was counted, as cancelled where the run was interrupted before its last verdict.
 */
void job_stop(struct job *, bool interrupted, struct moment now);

/* Tasks that have no verdict; 0 when their number is unknown. */
uint64_t job_missing(const struct job *);

#endif
