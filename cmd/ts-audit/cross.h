#ifndef TS_CROSS_H
#define TS_CROSS_H

#include "count.h"

/* The series of an audit checked by each other: what is found is marked in those that it may be due
 * to. */
struct cross {
	struct series **order; /* all, by timeframe, window and symbol */
	size_t count;
	struct pg_table
		*table; /* TF_COUNT of them, read where there is a series; others are read here */
	struct pg *pg;
	const struct calendar *calendar;
};

/* The series from i on that have one window and each another symbol. */
struct group cross_group(struct series *const *order, size_t count, size_t i);

/* Reads the catalogue's word on a table, unless that is done. PG_OK also when it is absent or
 * unusable. */
enum outcome cross_table(struct pg_table *, struct pg *);

/*
 * Counts a group as count_series(), and compares it when it is of 1min or hour. What it is compared
 * with is to be counted before, since marks are left there.
 */
enum outcome cross_count(const struct cross *, const struct group *);

/* Compares the weeks and months, and says whom a difference is laid to, when all are counted.
 * PG_OK, or why it cannot go on. */
enum outcome cross_check(const struct cross *);

#endif
