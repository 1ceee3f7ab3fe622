#ifndef TS_WINDOW_H
#define TS_WINDOW_H

#include "calendar.h"
#include "timeframe.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Which stretch of time "so many years" means: see "The window" in ts-expand(1). Pure: the moment
 * comes in as a number.
 *
 * The anchor is the last session whose bars were final at that moment. The window is the calendar
 * days that end on the anchor's date. A task covers the final bars that close inside it, and never
 * none.
 */
struct window {
	const struct calendar *calendar; /* borrowed */
	int64_t now;
	int32_t first;	 /* first date of the window */
	int32_t anchor;	 /* last date of the window */
	int32_t running; /* the session under way, not final yet; 0 when there is none */
	bool unfinished;
	bool range; /* of dates: a span may be empty */
};

/* From and to, both inclusive: UTC seconds for 1min and hour, New York dates for the others. */
struct span {
	int64_t from;
	int64_t to;
};

/*
 * The days that a number of years stands for, by its text: max(1, round(years x 365)). 0; or -1
 * when it is not a number above 0 and at most 50.
 */
int window_days(struct slice years, int *days);

/*
 * The window of so many days at a moment. With unfinished, the running day, week and month belong
 * to it. 0; or -1 when the moment lies outside of the calendar (2000 to the end of 2035 less a
 * week).
 */
int window_init(struct window *, const struct calendar *, int64_t now, int days, bool unfinished);

/*
 * Makes it the window of a range of dates, both inclusive: YYYY-MM-DD, today or yesterday in New
 * York; to is absent for the last final bar. The weeks and months are those that close inside it.
 * NULL, or a static sentence.
 */
const char *window_range(struct window *, struct slice from, struct slice to);

/* What a task of that timeframe covers; from is after to where no bar of a range is final. */
struct span window_span(const struct window *, enum timeframe);

#endif
