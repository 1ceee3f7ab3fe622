#ifndef TS_REPORT_H
#define TS_REPORT_H

#include "calendar.h"
#include "lines.h"
#include "record.h"
#include "verdict.h"

/* What to write: the table with its certificate, audit records, or neither, since it is tasks. */
enum mode { MODE_TABLE, MODE_RECORDS, MODE_TASKS };

/* A list of series, of which the first ones are named. */
struct listed {
	uint64_t n;
	struct buffer text;
};

/* Counts of all that was audited, and the names of what is not complete. */
struct report {
	enum mode mode;
	const struct calendar *calendar; /* borrowed */
	struct writer *out;		 /* borrowed */
	uint64_t series;		 /* with the tasks that failed before they came here */
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t failed;
	uint64_t answered, older, extra; /* sums of those of the series */
	struct listed incomplete;
	struct listed uncompared; /* complete, but compared with nothing */
	struct buffer closed;	  /* sessions that nobody has, told once */
	struct buffer renamed;	  /* symbols that look like two securities */
	bool headed;
};

/* Counts a series and writes what there is to be written of it. */
void report_series(struct report *, const struct series *);

/* The same of a task that another stage could not even ask for, by the line that says so. */
void report_failed(struct report *, const struct record *, struct slice line);

/* The audit record of a series. */
void report_record(struct report *, const struct series *);

/* The last line of the table: that all is complete, or what is not. */
void report_certificate(struct report *);

void report_release(struct report *);

#endif
