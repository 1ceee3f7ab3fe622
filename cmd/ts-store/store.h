#ifndef TS_STORE_H
#define TS_STORE_H

#include "batch.h"
#include "crew.h"
#include "lines.h"
#include "record.h"
#include "rejects.h"

/* A fetched record that waits for its bars to be committed. */
struct task {
	struct series *series;
	uint64_t bars; /* as it says */
	size_t text;   /* job_id, from and to in the queue's text, each with a NUL */
};

/* Those that wait, in the order in which they came: no more than there are series under way. */
struct queue {
	struct task *task;
	size_t tasks, cap;
	struct buffer text, spare;
};

struct totals {
	struct counts bars;
	uint64_t refused; /* lines that were none of a record, or that could not be used */
	uint64_t stored, failed; /* tasks */
	uint64_t batches;
	uint64_t rejects_told;
};

/* The stage between input and loader: series, tasks, verdicts. */
struct store {
	struct crew *crew; /* NULL: check and count only */
	struct rejects *rejects; /* NULL: bars that are not stored are not kept */
	struct writer *out;
	struct batch batch[CREW_MAX + 1];
	size_t batches; /* of them: one more than there are workers */
	struct batch *filling; /* one of them; others are with the crew, or empty */
	struct queue queue;
	struct series_set series;
	struct record_parser *parser;
	struct bar bar; /* the one being read */
	struct totals n;
	enum outcome trouble; /* PG_OK, or why it cannot go on */
	bool unkept;          /* the file of rejects cannot be written: it cannot go on either */
};

/* What is given stays the caller's. */
void store_init(struct store *, struct crew *, struct rejects *, struct writer *,
	size_t batch_rows);
void store_release(struct store *);

/* Whether it can go on. If not, nothing more is done. */
bool store_well(const struct store *);

/* Takes one line. */
void store_line(struct store *, struct slice line, uint64_t lineno);

/* A line that was not even a line. */
void store_refuse(struct store *, uint64_t lineno, const char *why);

/* Whether there are bars that no worker has yet. */
bool store_waiting(const struct store *);

/* Hands these bars to a worker, and waits until there is one for them. */
void store_commit(struct store *);

/* If a worker is busy: waits until one is done, and writes the verdicts that follow. */
void store_settle(struct store *);

/* Hands out what there is, and waits until all workers are done. */
void store_finish(struct store *);

#endif
