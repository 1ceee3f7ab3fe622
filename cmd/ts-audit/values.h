#ifndef TS_VALUES_H
#define TS_VALUES_H

#include "sql.h"

/*
 * The timeframes checked by each other, in the database: a query gives one row for each symbol and
 * session, week or month, which says how it stands to the others. No bar leaves the server.
 */
struct values {
	const struct pg_table *hours, *days; /* what minutes or hours are compared with; or NULL */
	/* Takes what was compared: of a series and one of its periods. */
	void (*take)(void *data, struct series *, size_t period, const struct comparison *);
	void *data;
};

/*
 * Prices and volume of a group of rows x. They are grouped by hash, so the first open and the last
 * close are found as the least and the largest of numbers made of time and price: t * 10^11 + price
 * * 10^4. NULL where a price has more than seven digits before its point.
 */
#define VALUES_ROLLED                                                                              \
	"min(t * 100000000000 + (CASE WHEN open < 10000000 THEN open * 10000 END)::int8) AS o,"    \
	" max(high) AS hi, min(low) AS lo,"                                                        \
	" max(t * 100000000000 + (CASE WHEN close < 10000000 THEN close * 10000 END)::int8) AS c," \
	" sum(volume) AS v"

/*
 * Ends a query that begins with "WITH m AS (...)": the bars of a table counted and rolled up by
 * symbol, bin of the bounds in parameter 4, and hour. The answer has the columns of m without hour
 * and roll-up, then those of a comparison.
 */
void values_sessions(struct buffer *, const struct pg_table *, const struct values *);

/* The comparison of a row, whose columns begin with number first. */
struct comparison values_comparison(const PGresult *, int row, int first);

/* Fills in the parameters behind the fourth. */
void values_parameters(struct query *, const struct schedule *);

/* Compares weeks or months with their days. */
enum outcome values_roll_up(const struct pg_table *, const struct values *, struct pg *,
	const struct group *, const struct calendar *);

#endif
