#ifndef TS_COMPARE_H
#define TS_COMPARE_H

#include "load.h"

/*
 * Begins a transaction and reads what the tables have already of a range's slots, all of which have
 * ROW_NEW; those that are there get ROW_SAME or ROW_CHANGED.
 */
enum outcome compare_range(struct load *, struct batch *, struct range);

/* Whether the table has a bar as the batch does, by a row whose columns from the second on are the
 * five values. */
bool compare_same(
	const struct batch *, const struct pg_table *, size_t slot, const PGresult *, int row);

/*
 * Looks again, in the same transaction, at slots that are ROW_DOUBTED, by values for the table's
 * pairs: ROW_SAME where it has them as they are.
 */
enum outcome compare_doubted(
	struct load *, struct batch *, const struct pg_table *, const struct pg_values *);

#endif
