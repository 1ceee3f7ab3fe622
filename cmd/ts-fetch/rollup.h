#ifndef TS_FETCH_ROLLUP_H
#define TS_FETCH_ROLLUP_H

#include "buffer.h"
#include "page.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Bars made of shorter ones: the open of the first, the highest, the lowest, the close of the last,
 * and the sum of the volumes, all of them exact. Pure.
 */
struct rolled {
	int64_t t;		/* start of the bar, seconds */
	int64_t value[COLUMNS]; /* prices in units of 10^-8, the volume in millionths of a share */
	bool met;		/* the API's own bar has been compared */
};

struct rollup {
	ARRAY(struct rolled) bars;
	bool unfit; /* a row was not a bar, came late or twice, or has more decimals than fit */
	int64_t differs; /* start of the first bar that is not the API's own; INT64_MAX: none */
};

void rollup_init(struct rollup *);
void rollup_release(struct rollup *);

/* A row goes into the bar that starts at t. Rows come in order. */
void rollup_add(struct rollup *, int64_t t, const struct page *, const struct row *);

/* A bar as a row of a page of its own, whose text is put in place of what the buffer holds. */
void rollup_row(const struct rolled *, struct buffer *, struct page *, struct row *);

/* Compares the API's own bar, its volume as a whole number of shares. */
void rollup_compare(struct rollup *, const struct page *, const struct row *);

/* The API's own series has no bar at t. */
void rollup_lacks(struct rollup *, int64_t t);

/* All of the API's own bars have been compared: sees which of these it does not have. */
void rollup_compared(struct rollup *);

#endif
