#ifndef TS_TASKS_H
#define TS_TASKS_H

#include "batch.h"
#include "lines.h"
#include "pool.h"
#include "record.h"
#include "refused.h"
#include "rejects.h"

/* A fetched record that waits for its bars to be committed. */
struct task {
	struct series *series;
	uint64_t bars, bytes; /* as it says */
	char *text;	      /* job_id, from and to, each with a NUL */
	bool looked;	      /* its range is in hand to be looked at, or need not be */
};

struct totals {
	struct counts bars;
	struct counts stated;	/* of these what verdicts say: odd, rounded and restated */
	struct refused refused; /* lines that are not a record, or that cannot be used */
	struct kinds kinds;
	uint64_t stored, failed; /* tasks */
	uint64_t batches;
	uint64_t rejects_logged;
};

/* The stage between input and loader: series, tasks, verdicts. */
struct tasks {
	struct pool *pool;	 /* NULL: check and count only */
	struct rejects *rejects; /* NULL: bars that are not stored are not kept */
	bool remove;		 /* rows that the API did not send are deleted */
	struct writer *out;
	struct batch batch[POOL_MAX + 1];
	size_t batches;	       /* of them: one more than there are workers */
	struct batch *filling; /* one of them; others are with the pool, or empty */
	unsigned begun;	       /* a bit for each timeframe of which a task has begun */
	bool settled;	       /* a batch was, so that series may go */
	ARRAY(struct task)
	waiting; /* in the order in which they came: no more than there are series */
	struct series_set series;
	struct record_parser *parser;
	struct bar bar; /* the one being read */
	struct totals n;
	enum outcome trouble; /* PG_OK, or why it cannot go on */
	bool unkept;	      /* the file of rejects cannot be written: it cannot go on either */
};

/* What is given stays the caller's. */
void tasks_init(
	struct tasks *, struct pool *, struct rejects *, struct writer *, size_t batch_rows);
void tasks_release(struct tasks *);

/* Whether it can go on. If not, nothing more is done. */
bool tasks_ok(const struct tasks *);

/* A bar is not stored: says so and keeps it, its line as for rejects_add(). */
void tasks_reject(
	struct tasks *, uint64_t lineno, struct slice line, const struct record *, const char *why);

/* A task failed whose record has the same names. */
void tasks_fail(struct tasks *, struct record *, const char *why);

/*
 * Keeps a fetched record until the bars of its series are committed and its range was looked at,
 * and gives the verdict; without a reason to wait at once.
 */
void tasks_await(struct tasks *, struct record *, struct series *);

/* Lets series go that nothing is known of, where there are many: between lines, when none is held.
 */
void tasks_prune(struct tasks *);

/* Whether there are bars that no worker has yet. */
bool tasks_waiting(const struct tasks *);

/* Whether a worker is free for them. */
bool tasks_free(const struct tasks *);

/* Hands these bars to a worker, and waits until there is one for them. */
void tasks_commit(struct tasks *);

/* If a worker is busy: waits until one is done or pauses, and writes the verdicts, or `waiting`. */
void tasks_settle(struct tasks *);

/* Hands out what there is, and waits until all workers are done. */
void tasks_finish(struct tasks *);

#endif
