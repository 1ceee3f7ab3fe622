#ifndef TS_EXPAND_H
#define TS_EXPAND_H

#include "calendar.h"
#include "job.h"
#include "lines.h"
#include "done_tasks.h"
#include "window.h"

#include <stdbool.h>
#include <stdint.h>

/* How jobs are expanded: what the options say. */
struct expand {
	const struct calendar *calendar; /* borrowed */
	struct slice years;		 /* for jobs that have none; absent when not given */
	struct slice from, to;		 /* -F, -T: likewise */
	const struct job *defaults;	 /* timeframes for jobs that have none; borrowed */
	struct done_tasks *done_tasks;	 /* tasks that have their verdict; borrowed */
	bool unfinished;		 /* -p */
	bool fixed;			 /* -N: now serves every job, even one with received_at */
	int64_t now;			 /* UTC seconds; the moment for jobs without received_at */
};

/*
 * Writes the job's header and, but for those noted, one task for each symbol and timeframe, symbols
 * ascending; a symbol or timeframe that cannot be is written as failed at once. why is what
 * job_read() said: a job that cannot be used at all is written as one failed record. Returns how
 * many failed records were written.
 */
uint64_t expand_job(const struct expand *, const struct job *, const char *why, struct writer *);

/* Works out the window of a job; NULL, or a static sentence when there is none. */
const char *expand_window(const struct expand *, const struct job *, struct window *);

#endif
