#ifndef TS_COUNT_H
#define TS_COUNT_H

#include "pg/table.h"
#include "series.h"

/*
 * Counts the bars of n series that have the same schedule, each with another symbol, in ascending
 * order of the symbols, by one query. As pg_patiently().
 */
enum outcome count_series(const struct pg_table *, struct pg *, struct series *const *, size_t n);

#endif
