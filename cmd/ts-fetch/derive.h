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

/* A task whose bars are made of another's. */
struct rider {
	struct rider *prev, *next;
	struct task *task;
	struct bars bars;
	struct rollup rollup;
	int64_t earliest; /* start of the first bar that came, whether it belongs or not */
	unsigned pages;	  /* that its bars came on */
};

/* What is known of a timeframe. */
enum proof { PROOF_NONE, PROOF_GIVEN, PROOF_REFUTED };

struct derive_timeframe {
	enum proof proof;
	const struct rider *first; /* the series that is to be the first sample, in progress */
	const struct task *sample; /* that is asked for as well; NULL: none is */
	struct rollup rollup;	   /* what it is compared with */
	unsigned since;		   /* series derived since the last sample */
};

struct derive {
	struct derive_timeframe of[TF_COUNT];
	struct rider *waiting; /* made, but not written before a sample is compared */
	size_t waits;	       /* bars of theirs, and they */
	struct buffer text;
	bool ungrouped; /* grouped days are not to be trusted */
	/* Series; requests that were not made. */
	uint64_t derived, grouped, sampled, differing, saved;
};

/*
 * A task whose turn it is begins. Returns the task to ask for: t, or the one that it can be made
 * of; *riders are those that are made of it, and start and end its range, widened for them.
 */
struct task *derive_begin(
	struct tasks *, struct task *t, struct rider **riders, int64_t *start, int64_t *end);

/* The rows of a task's page, into what is made of them; a sample is compared. */
void derive_page(struct tasks *, const struct chunk *, const struct page *);

/* A row of what riders are made of; before is the start of the one in front of it. */
void derive_row(struct rider *, const struct page *, const struct row *, int64_t before);

/* All that riders are made of has come, on so many pages. */
void derive_ready(struct tasks *, struct rider **, unsigned pages);

/* A rider that was taken out of its list begins anew. */
void derive_return(struct tasks *, struct rider *);

/* Whether no trade can add to the bar that starts then. */
bool derive_ended(const struct calendar *, enum timeframe, int64_t t);

/* All of a task has come: what was made of it waits for derive_settle(); a sample is judged. */
void derive_fetched(struct tasks *, struct active *);

/* Writes what may be written, and gives back to the queue what is to be asked for. */
void derive_settle(struct tasks *);

/* Ends the riders of a list, failed with that error, or without a record where it is absent. */
uint64_t derive_end(struct tasks *, struct rider **, struct slice error);

/* The record `failed` of a task, and of those that ride on it, which end. */
void derive_fail(struct tasks *, const struct task *, struct rider **, struct slice error);

/* Ends those that wait, of one job or, where it is absent, of all. */
uint64_t derive_end_waiting(struct tasks *, struct slice job_id, struct slice error);

/* A task ends, whichever way: if it is a sample there will be another. */
void derive_forget(struct derive *, const struct task *);

void derive_release(struct derive *);

#endif
