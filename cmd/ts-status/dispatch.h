#ifndef TS_DISPATCH_H
#define TS_DISPATCH_H

#include "lines.h"
#include "progress.h"
#include "publish.h"
#include "record.h"
#include "refused.h"
#include "spool.h"

#include <stdint.h>

/* What one line of input does, and what the end of input does. No waiting: that is main.c's. */
struct dispatch {
	struct writer *out;
	struct progress *progress;
	struct publish *publish;
	struct record_parser *parser;
	struct record_parser *notes; /* its own, since a line and a note are read at one time */
	struct spool *spool;	     /* NULL without */
	uint64_t unnoted;	     /* verdicts in a row that the spool did not take */
	const char *partial;	     /* see summary_status() */

	uint64_t jobs, stored, failed; /* jobs done, verdicts */
	uint64_t rejected;	       /* bars */
	struct refused refused;	       /* lines and records that could not be used */
	struct refused late;	       /* verdicts of jobs that are over */
	uint64_t unfinished; /* jobs that ended without all verdicts, or are left for the next start
			      */
};

/* Takes a line that reader_next() gave as kind, not LINE_NONE or LINE_END. */
void dispatch_line(struct dispatch *, enum line kind, struct slice line, uint64_t lineno);

/* Writes the `done` of cancelled jobs of which nothing more is heard; when to call it next. */
int64_t dispatch_serve(struct dispatch *, int64_t now);

/* No more records will come: every job that runs ends with what was counted. */
void dispatch_end(struct dispatch *);

#endif
