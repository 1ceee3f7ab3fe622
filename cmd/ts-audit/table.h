#ifndef TS_TABLE_H
#define TS_TABLE_H

#include "pg.h"
#include "series.h"

/*
 * The table of a timeframe: what the catalogue says about it, and the one query that counts.
 */
struct table {
	enum timeframe tf;
	bool known;     /* was the catalogue asked? */
	bool absent;    /* there is no such table: nothing is stored in this timeframe */
	char name[300]; /* qualified and quoted; likewise */
	char key[140];
	char symbol_type[20]; /* text, varchar or bpchar */
	char fault[400];      /* why it cannot be used, "" when it can */
};

/* Asks the catalogue, once. PG_REFUSED when the table cannot be used: fault says why. */
enum outcome table_read(struct table *, struct pg *);

/*
 * Counts the bars of n series that have the same schedule, each with another symbol, in ascending
 * order of the symbols.
 */
enum outcome table_count(struct table *, struct pg *, struct series *const *, size_t n);

#endif
