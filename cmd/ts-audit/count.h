#ifndef TS_COUNT_H
#define TS_COUNT_H

#include "values.h"

/*
 * Counts the bars of a group, and compares them by the same pass over the table. As pg_patiently().
 * Without values nothing is compared, and nobody looks whether open and close lie between low and
 * high.
 */
enum outcome count_series(
	const struct pg_table *, struct pg *, const struct group *, const struct values *);

/* The first key of each such series, in first and last; first > last where there is none. */
enum outcome count_first(const struct pg_table *, struct pg *, const struct group *);

#endif
