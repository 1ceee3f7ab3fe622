#ifndef TS_PG_TABLE_H
#define TS_PG_TABLE_H

#include "pg.h"
#include "timeframe.h"

/*
 * The table of a timeframe as it is, not as it should be: its columns and key come from the
 * catalogue, and so do the statements, all names in which are qualified and quoted. A table that
 * cannot be used has a fault, a sentence that begins "table ohlcv_1min: ".
 */
enum { PG_TABLE_VALUES = 5 };

struct pg_table {
	enum timeframe tf;
	bool known;	 /* was the catalogue asked? */
	bool absent;	 /* the table does not exist */
	char fault[500]; /* "" when it can be used */
	int64_t read_at; /* clock_mono_ms(): what came later it need not show */
	PGresult *row;	 /* what the catalogue said: the texts below are its own */
	/* Of open, high, low, close, volume: a type, and to how many decimals it rounds. */
	int type[PG_TABLE_VALUES];
	int scale[PG_TABLE_VALUES]; /* INT32_MAX: it does not */
	bool drops;		    /* the caller's: a trigger was seen to drop rows */
	bool binary;		    /* a price is REAL or DOUBLE PRECISION */
	/*
	 * Its rows are in partitions or chunks, of which a statement is to touch no more than it
	 * must: that is planned by the first and last key given, and by the symbol where all is of
	 * one.
	 */
	bool parts;
	bool packed; /* parts of it may be compressed, and are opened for each statement */
	/*
	 * What it is: name, columns, key, and the notes: what a person should know before it is
	 * used, or "". Name, key and the symbol's type, as SQL; the key's name without quotes.
	 *
	 * COPY of symbol, key, open, high, low, close, volume into it, "" where that is not
	 * possible; "" or, where symbols of two spellings can be one key, a query that gives those
	 * of an array (1) which are, and what they are called there, for the table between two keys
	 * (2, 3) or earlier in the array; a query for the keys and the
	 * five values of a symbol (1) from the first (2) to the last (3) key; one that gives slots
	 * and values for arrays of slots, symbols and keys (1 to 3), none of which lies before (4)
	 * or behind (5); and for arrays of slots, symbols, keys and the five values (1 to 8): what
	 * inserts the missing in order and gives key, the five values and symbol, and what corrects
	 * those that differ and gives their slots, and whether the row came out otherwise. With
	 * parts that takes rows of one symbol (9) from the first (10) to the last (11) key. And, of
	 * a symbol (1), how many rows lie from one (3) key to another (4), and from a third (2) to
	 * before a fourth (5); what deletes those of an array (4) between two keys (2, 3) and gives
	 * them.
	 */
	union {
		struct {
			const char *about, *notes, *name, *key, *symbol_type, *key_name;
			const char *copy, *twins, *range, *count, *remove, *pairs, *insert, *update;
		};
		const char *text[14]; /* the same */
	};
};

/*
 * Reads the catalogue, in a transaction. PG_OK even if the table has a fault; else how the query
 * ended, PG_TABLE where it was refused.
 */
enum outcome pg_table_read(struct pg_table *, struct pg *);

/* Makes one what another, which is known, was read to be. */
void pg_table_copy(struct pg_table *to, const struct pg_table *from);

/* Sets the fault from what Postgres said; the first one stays. */
void pg_table_fail(struct pg_table *, const char *why);

/* Types by Postgres' fixed numbers. */
enum {
	PG_INT4 = 23,
	PG_INT8 = 20,
	PG_TEXT = 25,
	PG_NUMERIC = 1700,
	PG_FLOAT4 = 700,
	PG_FLOAT8 = 701,
	PG_DATE = 1082,
	PG_TIMESTAMPTZ = 1184
};
/* Of the key column. */
Oid pg_table_key_type(enum timeframe);

void pg_table_release(struct pg_table *);

#endif
