#ifndef TS_EXPAND_H
#define TS_EXPAND_H

#include "calendar.h"
#include "job.h"
#include "lines.h"
#include "names.h"
#include "record.h"
#include "spool.h"
#include "window.h"

#include <stdbool.h>
#include <stdint.h>

/* How jobs are expanded: what the options say. */
struct expand {
	const struct calendar *calendar; /* borrowed */
	struct slice years;		 /* for jobs that have none; absent when not given */
	struct slice from, to;		 /* -F, -T: likewise */
	struct spool *spool;		 /* NULL without; borrowed */
	struct record_parser *parser;	 /* of its notes; borrowed */
	struct names done; /* symbol and timeframe of tasks that have a verdict; to be released */
	bool unfinished;   /* -p */
	bool fixed;	   /* -N: now serves every job, even one with received_at */
	int64_t now;	   /* UTC seconds; the moment for jobs without received_at */
};

/*
 * Writes the header of a job, which has timeframes, and, but for those noted, one task for each
 * symbol and timeframe, symbols ascending; a symbol or timeframe that cannot be is written as
 * failed at once. why is what job_read() said: a job that cannot be used at all is written as one
 * failed record. Returns how many failed records were written.
 */
uint64_t expand_job(struct expand *, const struct job *, const char *why, struct writer *);

/*
 * Reads the notes of a job in the spool in place of the last one's: 0, or -1 with errno; whether
 * they have a verdict of a task.
 */
int expand_notes(struct expand *, const struct job *);
bool expand_done(struct expand *, struct slice symbol, struct slice timeframe);

/* Works out the window of a job; NULL, or a static sentence when there is none. */
const char *expand_window(const struct expand *, const struct job *, struct window *);

#endif
