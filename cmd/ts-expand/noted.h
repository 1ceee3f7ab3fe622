#ifndef TS_NOTED_H
#define TS_NOTED_H

#include "buffer.h"
#include "spool.h"

#include <stdbool.h>

/*
 * The tasks of a job that have their verdict from an earlier run, by the notes in the spool.
 */
struct noted;

/* Without a spool (NULL) nothing is ever noted. The spool stays the caller's. */
struct noted *noted_new(struct spool *);
void noted_free(struct noted *);

/* Reads the notes of a job in place of the last one's. 0, or -1 with errno. */
int noted_load(struct noted *, struct slice job_id);

/* Tells this time that the job was accepted from any other; absent when it is not in the spool. */
struct slice noted_run(struct noted *, struct slice job_id);

bool noted_has(const struct noted *, struct slice symbol, struct slice timeframe);

#endif
