#ifndef TS_PLAN_H
#define TS_PLAN_H

#include "expand.h"
#include "lines.h"
#include "rate.h"
#include "window.h"

#include <stdint.h>

/*
 * What a job will cost, before it is paid for: see "The plan" in ts-expand(1). Pure but for
 * plan_job(), which writes the table.
 */

/* What one task of a timeframe asks for. */
struct plan_task {
	uint64_t units;	  /* sessions; of week and month, weeks and months */
	uint64_t bars;	  /* in regular hours, if every minute and hour has its trade */
	uint64_t minutes; /* of 1min and hour, with extended hours; else 0 */
};

/*
 * A page of the API ends after 50000 base minutes that had a trade, and of the 960 of a session,
 * extended hours included, a stock that trades in all regular ones has some 480 to 760: how many
 * depends on the symbol and is not known before. So requests are counted as the mean over that
 * range.
 */
enum {
	PLAN_PAGE_MINUTES = 50000,
	PLAN_SESSION_MINUTES = 960,
	PLAN_TRADED_LEAST = 480,
	PLAN_TRADED_MOST = 760,
};

/* How many requests so many of these tasks take, each at least one. */
uint64_t plan_requests(const struct plan_task *, uint64_t tasks);

struct plan_task plan_task(const struct window *, enum timeframe, struct span);

/* All tasks of a timeframe in a job. */
struct plan_row {
	uint64_t tasks;
	struct span span; /* of each */
	struct plan_task each;
	uint64_t requests, rows; /* that are made, that come with them */
};

/* Of derived and grouped series one in so many is asked for as well, by ts-fetch -e. */
enum { PLAN_EVERY = 100 };

/* "45 s", "78 min", "3 h 20 min": the time that so many requests take at a rate. */
void plan_time(struct buffer *, uint64_t requests, const struct rate *);

/* What was planned in all jobs so far. */
struct plan {
	struct rate rate;
	bool free_plan;	      /* of the API, which reaches two years back */
	bool derive, grouped; /* as ts-fetch -d, -g */
	uint64_t jobs, requests;
	uint64_t singly;      /* requests without -d and -g */
	uint64_t bars, bytes; /* to be stored, to be downloaded */
	uint64_t missed;      /* of the bars, those that the free plan does not have */
};

/* The requests and the rows that come with them, by the rest of each row. */
void plan_rows(const struct plan *, const struct window *, struct plan_row rows[TF_COUNT]);

/*
 * Appends a job's table in place of its records; why is what job_read() said. Returns how many
 * tasks can never be done, 1 for a job that cannot be used at all.
 */
uint64_t plan_job(
	struct plan *, struct expand *, const struct job *, const char *why, struct writer *);

/* The last line: requests and time of all jobs. */
void plan_end(const struct plan *, struct writer *);

#endif
