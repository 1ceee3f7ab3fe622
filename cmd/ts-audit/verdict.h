#ifndef TS_VERDICT_H
#define TS_VERDICT_H

#include "answers.h"
#include "schedule.h"

/*
 * One task under audit: what the database has of a symbol in a timeframe, period by period, how it
 * stands to the other timeframes, and the verdict. Pure.
 */
enum verdict {
	VERDICT_COMPLETE,
	VERDICT_HOLES,	  /* something is missing */
	VERDICT_DIFFERS,  /* the timeframes contradict each other */
	VERDICT_OUTSIDE,  /* there are rows that can be no bars, or that the API does not have */
	VERDICT_EMPTY,	  /* there is nothing */
	VERDICT_UNUSABLE, /* its table cannot be used */
	VERDICT_COUNT
};

/* "complete", "holes" and so on. */
const char *verdict_name(enum verdict);

/* What was found of a period, a bit each, in the order in which it is told. */
enum finding {
	FOUND_BASIS = 1 << 0,	/* its prices are on another basis than the day's */
	FOUND_ROLL_UP = 1 << 1, /* a week or month is not what its days make */
	FOUND_HOURS = 1 << 2,	/* hours are not what their minutes make */
	FOUND_RANGE = 1 << 3,	/* minutes lie outside the day's low and high */
	FOUND_VOLUME = 1 << 4,	/* the minutes have more volume than the day */
	FOUND_NO_DAY = 1 << 5,	/* days are stored, but not this one */
	FOUND_DIFFERS = (1 << 6) - 1,
	FOUND_ODD = 1 << 6,    /* open or close outside of low and high */
	FOUND_FAULTY = 1 << 7, /* a NULL, or high below low */
	FOUND_MISSING = 1 << 8,
	FOUND_CLOSED = 1 << 9,	  /* missing for all symbols: the exchange may have been closed */
	FOUND_RENAMED = 1 << 10,  /* missing between two securities that had one name */
	FOUND_ANSWERED = 1 << 11, /* missing, and the API does not have it either */
	/* No findings: its day is audited, too, and is not there; an answer of cross_check()'s own;
	 * it was compared with another timeframe; with its hours, or a week or month with its days.
	 */
	FOUND_DAY_FIRST = 1 << 12,
	FOUND_ABSENT = 1 << 13,
	FOUND_COMPARED = 1 << 14,
	FOUND_PARTS = 1 << 15
};

/* What there is of a period. */
struct cell {
	uint64_t filled; /* a bit for each of schedule_slices() with a bar */
	uint32_t bars;
	uint32_t found; /* enum finding, as bits */
	int32_t first,
		last; /* start of the first and last bar, in seconds from the period's start */
	float ratio;  /* to the day's prices; 0: none */
};

/* The largest of what was measured, for those who want to set thresholds. */
struct extremes {
	double ratio[2];      /* the least and the largest basis */
	double range;	      /* by how much of the price minutes leave the day */
	double share;	      /* of the day's volume */
	double price, volume; /* difference to the hours, or of a week or month to its days */
};

struct series {
	struct slice job_id, symbol;	 /* its own */
	const struct schedule *schedule; /* the caller's */
	struct cell *cell;		 /* one for each period */
	uint64_t bars;			 /* within periods */
	uint64_t outside; /* rows that belong to no session, week or month, or off the grid */
	uint64_t nulls, crossed,
		odd;	     /* bars with a NULL, with high below low, FOUND_ODD; anywhere */
	int64_t first, last; /* keys of the first and last bar within periods; first > last: none */
	bool unusable;	     /* the table is */
	struct answer answer; /* rows beside those that the API has; the caller's */
	struct extremes extremes;

	/* From here on series_judge() fills in. */
	enum verdict verdict;
	size_t present;	   /* periods that are due and not missing, */
	size_t answered;   /* and those that are, but not at the API either */
	uint64_t due_bars; /* bars in periods that are due */
	size_t differing;  /* periods with a finding of FOUND_DIFFERS */
	size_t compared;   /* periods that could be */
};

/* The slices are copied; series_release() frees them and the cells. */
void series_init(
	struct series *, struct slice job_id, struct slice symbol, const struct schedule *);
void series_release(struct series *);

/* Forgets what was counted, so that counting can begin again. */
void series_reset(struct series *);

/* Some bars between two keys, which lie all in one period or all in none. */
struct tally {
	uint64_t bars, nulls, crossed, odd;
	uint64_t off; /* keys that are not the start of a minute or hour */
	int64_t first, last;
	uint64_t filled; /* as in a cell */
};

/*
 * Counts bars. bin is the number of bounds at or below their keys, where the bounds are early,
 * start, end and late of all periods in turn.
 */
void series_count(struct series *, uint64_t bin, const struct tally *);

/*
 * How the regular bars of a session stand to its day and to its hours, or a week or month to its
 * days. Numbers mean nothing where there is nothing to compare with.
 */
struct comparison {
	bool day, parts; /* there is a day; there are hours, or days of a week or month */
	double ratio;	 /* middle of the four prices' ratios to the day's; 0: none */
	double range;	 /* by how much of the price they leave low and high */
	double share;	 /* of the day's volume */
	double price,
		volume; /* largest differences to what the parts make; volume beyond rounding */
	bool lost;	/* an hour without a minute, or the other way round */
};

/* Keeps what was measured of a period, and marks it with what that says, apart from the basis. */
void series_compare(struct series *, size_t period, const struct comparison *);

/* Finds the sessions on another basis and those without a day; what else was found of the former
 * goes. */
void series_basis(struct series *);

/* The period that a date lies in; SIZE_MAX for none. */
size_t series_period(const struct series *, int32_t date);

/*
 * Reaches the verdict. A period that is due is missing when it has no bar; when one of its bars is
 * faulty, so that it will be loaded again; when it has less than least per cent of its bars (0: any
 * will do); and, for 1min and hour, when by the share of bars that the series has, chance would
 * leave such a silence at its start, end or in between less than CHECK_SILENCE times. But of what
 * is missing the API has no more where answered says so; answered may be NULL.
 */
void series_judge(struct series *, unsigned least,
	bool (*answered)(void *, const struct series *, size_t period), void *data);

/* Whether it has history on another basis that is older than the API reaches. */
bool series_old_basis(const struct series *);

/* Whether a period has one of these findings. */
bool series_found(const struct series *, size_t period, uint32_t bits);

/*
 * The next run of periods with one of these findings, from *first on: true, and *first and *last
 * are its ends. A run of FOUND_BASIS ends where the factor changes.
 */
bool series_run(const struct series *, uint32_t bits, size_t *first, size_t *last);

/* The factor of a run of FOUND_BASIS. */
double series_factor(const struct series *, size_t first, size_t last);

#endif
