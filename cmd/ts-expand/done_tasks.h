#ifndef TS_DONE_TASKS_H
#define TS_DONE_TASKS_H

#include "buffer.h"
#include "spool.h"

#include <stdbool.h>

/*
 * The tasks of a job that have their verdict from an earlier run, by the notes in the spool.
 */
struct done_tasks;

/* Without a spool (NULL) nothing is ever noted. The spool stays the caller's. */
struct done_tasks *done_tasks_new(struct spool *);
void done_tasks_free(struct done_tasks *);

/* Reads the notes of a job in place of the last one's. 0, or -1 with errno. */
int done_tasks_load(struct done_tasks *, struct slice job_id);

/* Tells this time that the job was accepted from any other; absent when it is not in the spool. */
struct slice done_tasks_run(struct done_tasks *, struct slice job_id);

bool done_tasks_has(const struct done_tasks *, struct slice symbol, struct slice timeframe);

#endif
