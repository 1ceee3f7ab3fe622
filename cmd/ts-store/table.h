#ifndef TS_TABLE_H
#define TS_TABLE_H

#include "session.h"
#include "timeframe.h"

#include <libpq-fe.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the catalogue says about a timeframe's table, and the statements made of it. All names in
 * them are qualified and quoted. A table that cannot be used has a fault, a sentence that begins
 * "table ohlcv_1min: ".
 */
enum volume_type { VOLUME_INT8, VOLUME_INT4, VOLUME_NUMERIC };

struct table {
	enum timeframe tf;
	bool known;      /* was it read in this connection? */
	unsigned number; /* of the connection, and */
	int64_t read_at; /* when; clock_mono_ms() */
	char fault[500]; /* "" when it can be used */
	char *key;       /* name of the key column, quoted */
	char *key_name;  /* the same, not quoted */
	Oid symbol_type;
	enum volume_type volume;
	int scale[4];     /* decimals to which open, high, low, close are rounded; INT32_MAX: all */
	char *copy;       /* COPY of symbol, key, open, high, low, close, volume into it */
	char *stage;      /* CREATE the temporary table: the same columns and a place */
	char *stage_copy; /* COPY of these seven and the place into that */
	char *insert;     /* from there, what is missing; gives symbols and keys, in order */
	char *update;     /* from there, rows that differ; gives their places */
	char range[40];   /* prepared: symbol, first and last key: gives key, prices, volume */
	char pairs[40];   /* prepared: arrays of places, symbols and keys: place, prices, volume */
	unsigned reads;   /* makes the names of what belongs to one reading its own */
};

/*
 * Reads the catalogue and prepares the statements, outside of a transaction. PG_OK even if the
 * table has a fault; anything else is an outcome of the session's.
 */
enum outcome table_read(struct table *, struct session *);

/* Only what the catalogue says, which no connection needs to remember. */
enum outcome table_look(struct table *, struct session *);

/*
 * Whether what is known of it is worth nothing any more: another connection, or a fault of long
 * ago.
 */
bool table_stale(const struct table *, const struct session *, int64_t now);

/* The type of its key column: timestamptz or date. */
Oid table_key_type(const struct table *);

/* Sets the fault from what Postgres said. */
void table_fail(struct table *, const char *why);

void table_release(struct table *);

/*
 * Creates the tables that are missing, and makes them hypertables where TimescaleDB is there.
 * schema is SQL that harms nothing when it is run again. Any number of processes may do this at
 * once.
 */
enum outcome table_create_all(struct session *, const char *schema);

#endif
