#ifndef TS_AUDIT_H
#define TS_AUDIT_H

#include "cross.h"
#include "fill.h"
#include "report.h"

/*
 * Tasks in, verdicts out. Tasks are gathered, so that one query counts for many symbols, until
 * there are AUDIT_TASKS tasks or AUDIT_CELLS periods of tasks (32 bytes each).
 */
enum { AUDIT_TASKS = 10000, AUDIT_CELLS = 2000000 };

struct audit {
	bool back;	/* to the first bar that the table holds */
	bool presence;	/* alone: values are not looked at; the caller's, as least is */
	unsigned least; /* per cent of a period's bars; 0: any will do */
	const struct calendar *calendar; /* borrowed */
	struct answers answers;		 /* of ts-store's verdicts, which stand before the tasks */
	struct report report;
	struct fill fill;
	ARRAY(struct series) series; /* the tasks gathered, in the order in which they came */
	size_t cells;
	ARRAY(struct schedule *) schedules; /* each window once */
	struct cross cross;
};

/* What main() does not set begins as {0}. */
void audit_release(struct audit *);

/* Gathers a task; NULL, or why it cannot be: a static sentence or the record's. */
const char *audit_task(struct audit *, const struct record *);

/*
 * Audits what was gathered. A table that cannot be used is told on stderr and costs its own series
 * alone. What was gathered is forgotten.
 */
enum outcome audit_run(struct audit *);

#endif
