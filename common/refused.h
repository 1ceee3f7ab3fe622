#ifndef TS_REFUSED_H
#define TS_REFUSED_H

#include "record.h"

#include <stdint.h>

/*
 * Lines of input that cannot be used: each is counted, the first hundred are told, and again a
 * hundred once there were none for ten minutes, since a service reads for months. {0} to begin
 * with.
 */
struct refused {
	uint64_t n;
	unsigned logged;
	int64_t last;	      /* when the last one came, clock_mono_ms() */
	const char *hints[8]; /* those that were given */
};

/* Counts the line and says why; hint is what helps, one text for each kind, or NULL. */
void refused_line(struct refused *, uint64_t lineno, const char *why, const char *hint);

/* Gives a hint, once. */
void refused_hint(struct refused *, const char *hint);

/*
 * Whether a stage was given anything of its kind. Without it two stages in the wrong order, or a
 * job file where bars are wanted, would end as done.
 */
struct kinds {
	unsigned own;	  /* RECORD_BIT() of what the stage works on */
	const char *word; /* how that is called: "task" */
	uint64_t mine;	  /* lines of its own kind */
	uint64_t others; /* lines that wanted another stage before this one, or are of no known type
			  */
	enum record_type other; /* the first of them */
};

/* Counts a line. What rightly passes through (job, cancel, gap, verdicts) counts as neither. */
void kinds_add(struct kinds *, enum record_type);

/*
 * At the end of input: says so and gives STATUS_REFUSED where lines came and none was of its own
 * kind, else the status that is given.
 */
int kinds_status(const struct kinds *, int status);

#endif
