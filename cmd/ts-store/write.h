#ifndef TS_WRITE_H
#define TS_WRITE_H

#include "load.h"

/*
 * Writes the slots of a range that lie in one table: those of ROW_NEW by COPY, those of ROW_CHANGED
 * by statements for rows that may be there already, which show what became of each. blind: nothing
 * is known of them, they may be missing as well as different.
 */
enum outcome write_table(
	struct load *, struct batch *, struct pg_table *, struct range, bool blind);

/*
 * How far the keys of one statement may lie apart where a table has parts: some few of these, and
 * no more than TimescaleDB decompresses for one statement.
 */
int64_t write_width(const struct pg_table *);

#endif
