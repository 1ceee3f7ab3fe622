#ifndef TS_FETCH_DERIVE_H
#define TS_FETCH_DERIVE_H

#include "bars.h"
#include "queue.h"
#include "rollup.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Hours made of the minutes, weeks and months of the days that are fetched anyway. A task whose
 * bars come so rides on the task whose pages they are made of. That the API makes them in the same
 * way is not taken for granted: the first series of each timeframe, and one in so many after it, is
 * then asked for as well and compared; until the first is, the others wait, and once one differs,
 * all of the timeframe are asked for.
 */
struct tasks;
struct active;
struct chunk;

/* What is known of a timeframe. */
enum proof { PROOF_NONE, PROOF_GIVEN, PROOF_REFUTED };

struct derive_timeframe {
	enum proof proof;
	const struct task *first;  /* the series that is to be the first sample, in progress */
	const struct task *sample; /* that is asked for as well; NULL: none is */
	struct rollup rollup;	   /* what it is compared with */
	unsigned since;		   /* series derived since the last sample */
};

struct derive {
	struct derive_timeframe of[TF_COUNT];
	struct active *waiting; /* riders: made, but not written before a sample is compared */
	struct buffer text;
	bool ungrouped; /* grouped days are not to be trusted */
	/* Series; requests that were not made. */
	uint64_t derived, grouped, sampled, differing, saved;
};

/*
 * A task whose turn it is begins: it, or the one that it can be made of, with those that are made
 * of that.
 */
struct active *derive_begin(struct tasks *, struct task *);

/* The rows of a task's page, into what is made of them; a sample is compared. */
void derive_page(struct tasks *, const struct chunk *, const struct page *);

/* A row of what riders are made of; before is the start of the one in front of it. */
void derive_row(struct active *riders, const struct page *, const struct row *, int64_t before);

/* All of a task has come: what was made of it waits for derive_settle(); a sample is judged. */
void derive_fetched(struct tasks *, struct active *);

/* Whether no trade can add to the bar that starts then. */
bool derive_ended(const struct calendar *, enum timeframe, int64_t t);

/* Of the bars are kept those to which no trade can add. */
void derive_trim(struct rollup *, const struct calendar *, enum timeframe);

/* Writes what may be written, and gives back to the queue what is to be asked for. */
void derive_settle(struct tasks *);

/* A task ends or begins anew: if it is a sample there will be another. */
void derive_forget(struct derive *, const struct task *);

#endif
