#ifndef TS_PASSED_H
#define TS_PASSED_H

#include "buffer.h"

/* The ids of the last 10,000 jobs that were passed on, so that all can be cancelled. */
struct passed;

/* NULL is an empty set. */
void passed_add(struct passed **, struct slice job_id);
void passed_drop(struct passed **, struct slice job_id);

/* Takes the oldest one out: 0, or -1 when there is none. The caller frees *id. */
int passed_take(struct passed **, struct buffer *id);

#endif
