#ifndef TS_AUDIT_H
#define TS_AUDIT_H

#include "cross.h"
#include "fill.h"
#include "report.h"

/* What to write of what was found. */
enum mode { MODE_TABLE, MODE_RECORDS, MODE_TASKS };

/*
 * Tasks in, verdicts out. Tasks are gathered, so that one query counts for many symbols, up to
 * AUDIT_TASKS tasks or AUDIT_CELLS periods of tasks (32 bytes each).
 */
enum { AUDIT_TASKS = 10000, AUDIT_CELLS = 2000000 };

struct audit {
	enum mode mode;
	bool back;	/* to the first bar that the table holds */
	bool presence;	/* alone: values are not looked at; the caller's, as least is */
	unsigned least; /* per cent of a period's bars; 0: any will do */
	const struct calendar *calendar; /* borrowed */
	struct pg *pg;			 /* borrowed */
	struct answers answers;		 /* of ts-store's verdicts, which stand before the tasks */
	struct report report;
	struct fill fill;
	struct pg_table table[TF_COUNT];
	struct series *series; /* the tasks gathered, in the order in which they came */
	size_t count, cap;
	size_t cells;
	struct schedule **schedule; /* each window once */
	size_t schedules, schedule_cap;
	struct series **order; /* for the queries */
};

void audit_init(struct audit *, enum mode, const struct calendar *, struct pg *, struct writer *);
void audit_release(struct audit *);

/* Gathers a task; NULL, or why it cannot be: a static sentence or the record's. */
const char *audit_task(struct audit *, const struct record *);

/* Whether so many tasks are gathered that audit_run() is due; whether there are any. */
bool audit_full(const struct audit *);
bool audit_waiting(const struct audit *);

/*
 * Audits what was gathered. A table that cannot be used is told on stderr and costs its own series
 * alone. What was gathered is forgotten.
 */
enum outcome audit_run(struct audit *);

#endif
