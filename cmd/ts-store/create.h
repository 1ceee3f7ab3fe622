#ifndef TS_CREATE_H
#define TS_CREATE_H

#include "pg/table.h"

/*
 * Creates the tables that are missing, and makes them hypertables where TimescaleDB is there.
 * schema is SQL that harms nothing when it is run again. Any number of processes may do this at
 * once.
 */
enum outcome create_all(struct pg *, const char *schema);

/* Says of each of the five tables what it is, or why it cannot be used. */
enum outcome create_tell(struct pg *);

#endif
