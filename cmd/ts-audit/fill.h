#ifndef TS_FILL_H
#define TS_FILL_H

#include "asked.h"
#include "calendar.h"
#include "lines.h"
#include "record.h"
#include "verdict.h"

/*
 * Tasks for what is missing or differs (-m). A job's header goes before its tasks and counts them,
 * so they are held until the job's last task is audited. Of a job that is complete nothing is
 * written.
 */
enum { FILL_SESSIONS = 52 };

struct fill {
	bool missing;	     /* ask for what is missing or differs (-m) */
	bool refresh;	     /* ask for days, weeks and months as a whole, */
	uint64_t sessions;   /* and for so many of the last sessions of 1min and hour (-r, -n) */
	struct asked *asked; /* what was asked lately is not asked again; NULL: nothing was */
	int64_t now;	     /* when the job was received; 0: not known */
	uint64_t again;	     /* periods that were asked lately and are as they were */
	const struct calendar *calendar; /* borrowed */
	struct writer *out;		 /* borrowed */
	bool header;			 /* a job is being held: */
	struct buffer head;		 /* its header, */
	struct record_parser *parser; /* read by a parser of its own; NULL before the first one */
	struct record job;
	uint64_t left;	      /* tasks of it that are still to come, by its header */
	struct buffer symbol; /* of the last task */
	struct buffer lines;  /* the tasks, and failed records between them */
	uint64_t tasks;	      /* all tasks written */
};

/* A job's header came: the last job is over. Its moment alone: for those who write no tasks. */
void fill_header(struct fill *, struct slice line);
void fill_moment(struct fill *, const struct record *);

/*
 * Whether a period, or the day that it lacks, was asked for lately: the API has no more of it. For
 * series_judge(), with a struct fill.
 */
bool fill_answered(void *, const struct series *, size_t period);

/* A task was audited: takes its runs of missing periods. The last one ends the job. */
void fill_series(struct fill *, const struct series *);

/* A task failed in an earlier stage: the line goes on, and counts. */
void fill_failed(struct fill *, const struct record *, struct slice line);

/* No more tasks will come: writes what is held. */
void fill_end(struct fill *);

void fill_release(struct fill *);

#endif
