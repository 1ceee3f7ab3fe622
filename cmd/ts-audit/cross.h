#ifndef TS_CROSS_H
#define TS_CROSS_H

#include "count.h"

/*
 * The series of an audit checked by each other: what is found is marked in those that it may be due
 * to.
 */
struct cross {
	struct tables tables;
	struct series **order; /* all, by timeframe, window and symbol */
	size_t count;
};

/* The series from i on that have one window and each another symbol. */
struct group cross_group(const struct cross *, size_t i);

/* Counts a group as count_series(), and compares it when it is of 1min or hour. */
enum outcome cross_count(struct cross *, const struct group *);

/*
 * Compares the weeks and months, and says whom a difference is laid to, when all are counted.
 * PG_OK, or why it cannot go on.
 */
enum outcome cross_check(struct cross *);

#endif
