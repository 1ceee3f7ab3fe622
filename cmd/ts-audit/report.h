#ifndef TS_REPORT_H
#define TS_REPORT_H

#include "calendar.h"
#include "lines.h"
#include "record.h"
#include "verdict.h"

/* What ts-audit writes: the table with its certificate, audit records, or a table's text for tasks.
 */

/* Counts of all that was audited, and the names of what is not complete. */
struct report {
	const struct calendar *calendar; /* borrowed */
	struct writer *out;		 /* borrowed */
	uint64_t series;		 /* with the tasks that failed before they came here */
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t failed;
	uint64_t answered, older, extra; /* sums of those of the series */
	uint64_t listed;		 /* names in text */
	struct buffer text;
	uint64_t presence; /* complete, but compared with nothing; their names in uncompared */
	struct buffer uncompared;
	struct buffer closed;  /* sessions that nobody has, told once */
	struct buffer renamed; /* symbols that look like two securities */
	bool headed;
};

/* Counts a series and names it, if it is not complete. */
void report_count(struct report *, const struct series *);

/* Counts and names a task that another stage could not even ask for. */
void report_failed(struct report *, const struct record *);

/* A row of the table; the first brings its head. */
void report_row(struct report *, const struct series *);
void report_failed_row(struct report *, const struct record *);

/* An audit record. */
void report_record(struct report *, const struct series *);

/* The last line of the table: that all is complete, or what is not. */
void report_certificate(struct report *);

void report_release(struct report *);

#endif
