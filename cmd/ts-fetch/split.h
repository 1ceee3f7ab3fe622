#ifndef TS_FETCH_SPLIT_H
#define TS_FETCH_SPLIT_H

#include "calendar.h"

#include <stdint.h>

/*
 * Where the range of a task is cut, so that its chunks can be asked for side by side. Pure.
 *
 * How many sessions a page holds depends on the symbol, so it is learnt from the pages that come: a
 * range is asked for as a whole until its first page shows that there are more. Cuts are made at
 * midnights of New York: every minute and every hour lies on one side of them.
 */
struct split {
	const struct calendar *calendar; /* which must outlive it */
	int sessions;  /* on a full page, as far as the latest one tells; 0: not known yet */
	uint64_t full; /* base bars on a full page */
};

/*
 * A page of [start, end) came that is not the last one: its last row started at last, and it was
 * made of so many base bars. Returns the midnight up to which the range is done and from which the
 * rest of it can be asked for anew; start if that would gain no session.
 */
int64_t split_full(struct split *, int64_t start, int64_t end, int64_t last, uint64_t base);

/* A page came that was all of [start, end). */
void split_whole(struct split *, int64_t start, int64_t end, uint64_t base);

/*
 * Where the first chunk of [start, end) ends, if it is divided evenly into as few chunks as will
 * hold a page each; end if it is a chunk itself, or nothing is known.
 */
int64_t split_first(const struct split *, int64_t start, int64_t end);

#endif
