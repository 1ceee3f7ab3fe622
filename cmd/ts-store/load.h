#ifndef TS_LOAD_H
#define TS_LOAD_H

#include "batch.h"
#include "calendar.h"
#include "pg/table.h"

#include <pthread.h>

/* What all loaders share. */
struct load_shared {
	struct pg_shared pg;
	pthread_mutex_t lock;
	const struct calendar *calendar;
	char logged[TF_COUNT][500]; /* the faults of tables that the log has; under the lock */
	atomic_bool rounding_logged[TF_COUNT][4], notes_logged[TF_COUNT], altered_logged[TF_COUNT];
};

/* Whether a batch may be committed: the earlier ones that have bars of the same series are. */
enum turn {
	TURN_COME,
	TURN_LATE,  /* not yet */
	TURN_NEVER, /* one of them will not be */
};

/* A slot that has no neighbours in the batch, with its key to sort by. */
struct scattered {
	int64_t key;
	size_t slot;
};

/*
 * The loader: a connection, what it knows of the tables, and the memory that it keeps between
 * batches.
 */
struct load {
	struct pg *pg;
	struct load_shared *shared;
	struct pg_table table[TF_COUNT];
	enum turn (*turn)(void *of, int patience_ms); /* waits for it; given with each batch */
	void *turn_of;
	struct buffer wire;	/* rows on their way to COPY */
	struct buffer array[8]; /* parameters of a statement */
	ARRAY(struct scattered) scattered;
	uint64_t transactions;
	size_t most;		     /* slots of a range, since more took too long */
	enum timeframe at;	     /* the table in hand when one failed */
	unsigned failures[TF_COUNT]; /* of each table in this batch */
};

/* Slots of a batch, from first on, up to but not including end. */
struct range {
	size_t first, end;
};

/* The slots of a range that belong to one group. */
struct run {
	const struct pg_table *table; /* NULL: of any */
	struct group *group;
	size_t first, end;
};

/*
 * Goes to the next run of a range whose group is not given up, or to the first, where the run has
 * none; false behind the last.
 */
bool load_next(const struct batch *, struct range, struct run *);

/* Sees to it that a table is known, be it by its fault, which is told. As load_batch(). */
enum outcome load_table(struct load *, enum timeframe);

/* url as for pg_options. The first loader's connection must be had, an extra one's need not. */
void load_init(struct load *, const char *url, struct load_shared *, bool extra);
void load_release(struct load *);

/*
 * Stores a closed batch and notes the status of its rows and groups in it: whatever cannot be
 * stored is refused row by row, or its group has a fault; all else is committed. PG_OK; or PG_LOST
 * or PG_CONFIG when Postgres was not to be had (then the rest of the batch has no status); PG_STOP
 * when its turn has not come, before anything of it is committed: to be called again when it has.
 */
enum outcome load_batch(struct load *, struct batch *);

#endif
