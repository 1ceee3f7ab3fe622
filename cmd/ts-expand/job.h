#ifndef TS_JOB_H
#define TS_JOB_H

#include "buffer.h"

/*
 * A job as its message tells it. The memory is kept from one job to the next; slices are valid
 * until the next job_read() or the text changes.
 */
struct job {
	struct slice job_id;
	struct slice source;
	struct slice received_at;
	struct slice
		timestamp;     /* when the page published it, by its clock; absent if it says not */
	struct slice years;    /* JSON text of the number; absent when the job has none */
	struct slice from, to; /* of a range of dates; absent when the job has none */
	ARRAY(struct slice) symbols;	/* ascending, each once */
	ARRAY(struct slice) timeframes; /* in the job's order, each once */
	struct buffer scratch;
	struct json *json;
};

void job_init(struct job *);
void job_release(struct job *);

/*
 * Of a job that is put together: add one symbol, white space around it cut off; one timeframe, by
 * any of its names. The text must stay. Names too long to be any are cut to 64 bytes: enough to be
 * recognized in the failure that follows.
 */
void job_add_symbol(struct job *, struct slice);
void job_add_timeframe(struct job *, struct slice);

/* Appends the timeframes as a JSON array. */
void job_timeframes(const struct job *, struct buffer *);

/* Puts the symbols in order and drops those that are there twice. */
void job_sort(struct job *);

/*
 * Reads a job message that is known to be a JSON object. NULL when it can be used; else a static
 * sentence. Without a job_id in job->job_id the failure cannot even be reported to anybody but the
 * log.
 */
const char *job_read(struct job *, struct slice text);

#endif
