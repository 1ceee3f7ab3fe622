#ifndef TS_COUNT_H
#define TS_COUNT_H

#include "sql.h"
#include "verdict.h"

/*
 * What is asked of the database: how many bars there are, by period, and how they stand to the
 * other timeframes. All of it as pg_patiently().
 */

/* The tables as the catalogue has them, each read when it is first needed. */
struct tables {
	struct pg *pg; /* borrowed */
	struct pg_table table[TF_COUNT];
};

/* Series of one schedule, each with another symbol, in ascending order of these. */
struct group {
	struct series *const *series;
	size_t n;
};

/* The series of a symbol; NULL if there is none. */
struct series *group_find(const struct group *, struct slice symbol);

/* The table of a timeframe in *t, NULL when it is absent or unusable; that is PG_OK, too. */
enum outcome count_table(struct tables *, enum timeframe, const struct pg_table **t);

/*
 * Counts the bars of a group. With values it is looked whether open and close lie between low and
 * high, and minutes and hours are compared with what there is of hours and days.
 */
enum outcome count_series(struct tables *, const struct group *, bool values);

/* The first key of each series, in first and last; first > last where there is none. */
enum outcome count_first(struct tables *, const struct group *);

/* Compares the weeks or months of a group with their days; both tables are usable. */
enum outcome count_roll_up(struct tables *, const struct group *);

/* How the open of a day stands to the close of an earlier one; 0: not known. */
enum outcome count_level(
	struct tables *, struct series *days, int32_t before, int32_t after, double *ratio);

#endif
