#ifndef TS_FETCH_BARS_H
#define TS_FETCH_BARS_H

#include "calendar.h"
#include "page.h"
#include "timestamp.h"
#include "url.h"

#include <stdbool.h>
#include <stdint.h>

/* The bars of one task: which rows belong to it, and how they are written. */
struct bars {
	const struct calendar *calendar;
	struct series series;
	bool extended;
	bool index;	      /* it has no volume */
	int64_t day, day_end; /* the New York day last looked at: [day, day_end) */
	int64_t open, close;  /* its regular hours; both 0 when it has none */
	uint64_t bytes;	      /* downloaded for them; the owner's */
	uint64_t count;	      /* bars written */
	int64_t first, last;  /* start of the first and last of them, if there are any */
};

/*
 * The calendar and the symbol must outlive it. extended: bars outside regular hours belong too. The
 * symbol is one that record_symbol_ok() accepts.
 */
void bars_init(struct bars *, const struct calendar *, const struct series *, bool extended);

/* So many bars of days were written before, the first and the last of these dates. */
void bars_resume(struct bars *, uint64_t count, int32_t first, int32_t last);

/*
 * Whether a bar that starts then belongs to the task: it starts at or after the series' start and
 * ends at or before its end. Without extended, bars of 1min and hour must touch the regular hours
 * of a session.
 */
bool bars_belong(struct bars *, int64_t t);

/*
 * Appends a row as a bar record. A price or volume that is missing or no number is written as null,
 * so that ts-store rejects the bar by name; then the reason, static, is returned, else NULL. An
 * index (I:SPX) has no volume by nature.
 */
const char *bars_add(struct bars *, const struct page *, const struct row *, struct buffer *);

/* The key of a bar that starts then: an instant or a New York date, as text; returns out. */
char *bars_key(const struct bars *, int64_t t, char out[TIMESTAMP_SIZE]);

#endif
