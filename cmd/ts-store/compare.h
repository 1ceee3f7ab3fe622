#ifndef TS_COMPARE_H
#define TS_COMPARE_H

#include "load.h"

/*
 * Begins a transaction and reads what the tables have already of a range's slots, all of which have
 * ROW_NEW; those that are there get ROW_SAME or ROW_CHANGED.
 */
enum outcome compare_range(struct load *, struct batch *, struct range);

/*
 * Looks again, in the same transaction, at those of n gathered slots that are ROW_DOUBTED: ROW_SAME
 * where the table has them as they are. The loader's first three arrays are slots, symbols and
 * keys, which lie between low and high.
 */
enum outcome compare_doubted(struct load *, struct batch *, const struct pg_table *, size_t n,
	int64_t low, int64_t high);

#endif
