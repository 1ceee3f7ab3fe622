#ifndef TS_RETRY_H
#define TS_RETRY_H

#include "lines.h"
#include "record.h"

#include <stdint.h>

/*
 * Makes a new job of what a recorded run reported as failed. All verdicts of the recording are
 * held, some hundred bytes each, since a later one of the same task overrules an earlier one. {0}
 * holds none.
 */
struct retry {
	ARRAY(struct note) notes;
};

void retry_release(struct retry *);

/* Takes note of a job, stored or failed record; ignores all others. */
void retry_read(struct retry *, const struct record *);

/*
 * Writes, for each job of the recording that has failed tasks, a header with the job_id JOB.retry
 * and these tasks with their window of old. A failure that has no window (an unknown timeframe) or
 * no possible symbol would fail again and is written as failed at once; so is a job that failed as
 * a whole. Adds to *jobs and returns how many failed records were written.
 */
uint64_t retry_write(struct retry *, struct writer *, uint64_t *jobs);

#endif
