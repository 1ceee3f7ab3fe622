#ifndef TS_VALUES_H
#define TS_VALUES_H

#include "sql.h"

/*
 * The timeframes checked by each other, in the database: a query gives one row for each symbol and
 * session, week or month, which says how it stands to the others. No bar leaves the server.
 */

/* Takes what was compared: of a series and one of its periods. */
struct values_sink {
	void (*take)(void *data, struct series *, size_t period, const struct comparison *);
	void *data;
};

/*
 * Compares n series of 1min or hour that have the same schedule, in ascending order of their
 * symbols, with their days, and those of 1min with the hours, too. days and hours may be NULL,
 * where there are none.
 */
enum outcome values_sessions(const struct pg_table *fine, const struct pg_table *hours,
	const struct pg_table *days, struct pg *, struct series *const *, size_t n,
	const struct values_sink *);

/* Compares n such series of weeks or months with their days. */
enum outcome values_roll_up(const struct pg_table *, const struct pg_table *days, struct pg *,
	struct series *const *, size_t n, const struct calendar *, const struct values_sink *);

#endif
