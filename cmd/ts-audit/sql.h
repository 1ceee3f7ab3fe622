#ifndef TS_SQL_H
#define TS_SQL_H

#include "pg/table.h"
#include "schedule.h"

/*
 * A statement of statements.sql, by its name there: it is put together from parts, since
 * timeframes, types and what there is to compare with differ.
 */
struct statement {
	const struct pg_table *table;	     /* whose rows are counted */
	const struct pg_table *days, *hours; /* what they are compared with; or NULL */
	bool bounds;			     /* rows find their place among bounds */
	bool values;			     /* open and close are looked at, */
	bool compared;			     /* and sessions compared */
};
void sql_statement(struct buffer *, const struct statement *, const char *name);

/* The columns of count, the last of which begin a comparison; so does the third of roll-up. */
enum {
	SQL_SYMBOL,
	SQL_BIN,
	SQL_BARS,
	SQL_NULLS,
	SQL_CROSSED,
	SQL_ODD,
	SQL_OFF,
	SQL_FILLED,
	SQL_FIRST,
	SQL_LAST,
	SQL_COMPARED
};
enum { SQL_DAY, SQL_RATIO, SQL_RANGE, SQL_SHARE, SQL_PARTS, SQL_PRICE, SQL_VOLUME, SQL_LOST };

/* Append an element of an array, which buffer_byte(b, '}') ends; a key as text. */
void sql_symbol(struct buffer *, struct slice symbol);
void sql_element(struct buffer *, enum timeframe, int64_t key);
void sql_key(struct buffer *, enum timeframe, int64_t key);

#endif
