#ifndef TS_COUNT_H
#define TS_COUNT_H

#include "values.h"

/*
 * Counts the bars of n series that have the same schedule, each with another symbol, in ascending
 * order of the symbols, and compares them by the same pass over the table. As pg_patiently().
 * Without values nothing is compared, and nobody looks whether open and close lie between low and
 * high.
 */
enum outcome count_series(const struct pg_table *, struct pg *, struct series *const *, size_t n,
	const struct values *);

/* The first key of each such series, in first and last; first > last where there is none. */
enum outcome count_first(const struct pg_table *, struct pg *, struct series *const *, size_t n);

#endif
