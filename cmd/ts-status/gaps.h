#ifndef TS_GAPS_H
#define TS_GAPS_H

#include "progress.h"
#include "redis.h"
#include "spool.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Hashes that no job stands behind, and that would stay as they are for ever: "submitted" ones of
 * jobs that were published while nobody listened, and "running" ones of loaders that have died.
 * Finds and fails them. {0} but for progress and spool; the cursor is to be released.
 */
struct gaps {
	/* The caller's; jobs that they know are let alone. The spool may be NULL. */
	const struct progress *progress;
	struct spool *spool;

	struct redis *redis; /* while a search is under way */
	bool pending;	     /* there is a gap that was not looked for to the end */
	bool any;	     /* from and to are of one */
	bool sweep;	     /* all that is dead, too */
	bool again;	     /* another gap came during the search */
	int64_t from, to;    /* all pending gaps, as one */
	int64_t due;
	unsigned checks; /* hashes whose answer is awaited */
	struct buffer cursor;
	bool broken;  /* the connection was lost during the search */
	bool refused; /* the access list forbids it */
	uint64_t failed, interrupted;
};

/* Of a gap that has none: since when nobody has listened is not known. */
#define GAP_BEGINNING (INT64_MIN / 2)

/* Nobody listened from one instant to another (seconds, both included). now is clock_mono_ms(). */
void gaps_add(struct gaps *, int64_t from, int64_t to, int64_t now);

/*
 * No other loader lives on this Redis: every hash that has said "submitted" or, as a loader's,
 * "running" for over a minute is dead.
 */
void gaps_sweep(struct gaps *, int64_t now);

/* Looks, if there is a gap to look for, for as long as it takes. Called after redis_serve(). */
void gaps_serve(struct gaps *, struct redis *, int64_t now);

/* When gaps_serve() must be called next; INT64_MAX for never. */
int64_t gaps_deadline(const struct gaps *);

#endif
