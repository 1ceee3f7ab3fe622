#ifndef TS_KINDS_H
#define TS_KINDS_H

#include "record.h"

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

/* Counts a line. What rightly only passes through (job, cancel, gap, verdicts) counts as neither.
 */
void kinds_add(struct kinds *, enum record_type);

/*
 * At the end of input: says so and gives STATUS_REFUSED where lines came and none was of its own
 * kind, else the status that is given.
 */
int kinds_status(const struct kinds *, int status);

#endif
