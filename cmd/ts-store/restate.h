#ifndef TS_RESTATE_H
#define TS_RESTATE_H

#include "batch.h"
#include "pg/pg.h"
#include "pg/table.h"

/*
 * The row of a result (key, then the five values) is going to be corrected by the one at a slot: if
 * a price changes by more than a correction as a rule does, marks the slot and notes in its group
 * how the price before stands to the new one. Approximately: nothing is stored by it.
 */
void restate_note(struct batch *, const struct pg_table *, size_t slot, const PGresult *, int row);

#endif
