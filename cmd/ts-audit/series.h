#ifndef TS_SERIES_H
#define TS_SERIES_H

#include "buffer.h"
#include "schedule.h"

/*
 * One task under audit: what the database has of a symbol in a timeframe, period by period, and
 * the verdict. Pure.
 */
enum verdict { VERDICT_COMPLETE, VERDICT_HOLES, VERDICT_EMPTY, VERDICT_COUNT };

/* What there is of a period. */
struct cell {
	uint32_t bars;
	uint32_t faulty; /* of them, with a NULL or high below low; then series_judge()'s mark */
	int64_t last;    /* key of the last bar, if any */
};

struct series {
	struct slice job_id, symbol; /* the caller's */
	const struct schedule *schedule; /* the caller's */
	struct cell *cell; /* one for each period */
	uint64_t bars;     /* within periods */
	uint64_t outside;  /* bars that belong to no period */
	uint64_t nulls, crossed; /* bars with a NULL, with high below low; anywhere */
	int64_t first, last; /* keys of the first and last bar within periods; first > last: none */

	/* From here on series_judge() fills in. */
	enum verdict verdict;
	size_t present; /* periods that are due and not missing */
	uint64_t due_bars; /* bars in periods that are due */
};

/* The slices are copied; series_release() frees them and the cells. */
void series_init(struct series *, struct slice job_id, struct slice symbol, const struct schedule *);
void series_release(struct series *);

/* Forgets what was counted, so that counting can begin again. */
void series_reset(struct series *);

/* Some bars between two keys, which lie all in one period or all in none. */
struct tally {
	uint64_t bars, nulls, crossed;
	uint64_t faulty; /* nulls and crossed, each bar once */
	int64_t first, last;
};

/*
 * Counts bars. bin is the number of bounds at or below their keys, where the bounds are start and
 * end of all periods in turn: odd within a period, even between two.
 */
void series_count(struct series *, uint64_t bin, const struct tally *);

/*
 * Reaches the verdict. A period that is due is missing when it has no bar; when one of its bars is
 * faulty, so that it will be loaded again; when it has less than least per cent of its bars (0: any
 * will do); and, for 1min and hour, when its bars break off before its end.
 */
void series_judge(struct series *, unsigned least);

/* Whether a period is missing; after series_judge(). */
bool series_missing(const struct series *, size_t period);

/*
 * The next run of missing periods from *first on: true, and *first and *last are its ends.
 */
bool series_run(const struct series *, size_t *first, size_t *last);

#endif
