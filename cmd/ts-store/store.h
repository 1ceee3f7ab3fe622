#ifndef TS_STORE_H
#define TS_STORE_H

#include "batch.h"
#include "lines.h"
#include "record.h"
#include "worker.h"

/* A fetched record that waits for its bars to be committed. */
struct task {
	struct series *series;
	uint64_t bars; /* as it says */
	size_t text;   /* job_id, from and to in the round's text, each with a NUL */
};

struct totals {
	struct counts bars;
	uint64_t refused; /* lines that were none of a record, or that could not be used */
	uint64_t stored, failed; /* tasks */
	uint64_t batches;
	uint64_t rejects_told;
};

/* A batch, and the tasks that are done when it is committed. */
struct round {
	struct batch batch;
	struct task *task;
	size_t tasks, task_cap;
	struct buffer text;
};

/* The stage between input and loader: series, tasks, verdicts. */
struct store {
	struct worker *worker; /* NULL: check and count only */
	struct writer *out;
	struct round round[2];
	struct round *filling; /* one of them; the other is the worker's while it is busy */
	struct series_set series;
	struct record_parser *parser;
	struct bar bar; /* the one being read */
	struct totals n;
	enum outcome trouble; /* PG_OK, or why it cannot go on */
};

/* Both stay the caller's. */
void store_init(struct store *, struct worker *, struct writer *, size_t batch_rows);
void store_release(struct store *);

/*
 * Takes one line. When Postgres is not to be had any more, trouble says so and nothing more is
 * done.
 */
void store_line(struct store *, struct slice line, uint64_t lineno);

/* A line that was not even a line. */
void store_refuse(struct store *, uint64_t lineno, const char *why);

/* Whether there are bars that the worker does not have yet. */
bool store_waiting(const struct store *);

/* Hands these bars to the worker, and waits for it first if it is busy. */
void store_commit(struct store *);

/* If the worker is busy: waits until it is done, and writes the verdicts that follow. */
void store_settle(struct store *);

#endif
