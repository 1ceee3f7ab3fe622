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
	struct pg_table table[TF_COUNT]; /* as one of them read it last; under the lock, */
	char logged[TF_COUNT][500];	 /* as are the faults of tables that the log has */
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

/* ---- prepare.c */

/*
 * Gives all open slots of a range the same status to begin with, whatever a try before made of
 * them; what the columns cannot hold is refused at once. False if no slot is open.
 */
bool prepare_range(struct load *, struct batch *, struct range, enum row_status);

/*
 * Gives up the groups of a range whose symbol is for their table the same as another one's, as AAPL
 * and aapl are where case is ignored, be that in the table or in the range: their bars would
 * replace each other's. As load_batch().
 */
enum outcome prepare_symbols(struct load *, struct batch *, struct range);

/* ---- compare.c */

/*
 * Begins a transaction and reads what the tables have already of a range's slots, all of which have
 * ROW_NEW; those that are there get ROW_SAME or ROW_CHANGED.
 */
enum outcome compare_range(struct load *, struct batch *, struct range);

/* Whether the table has a bar as the batch does, by a row whose columns from the second on are the
 * five values. */
bool compare_same(
	const struct batch *, const struct pg_table *, size_t slot, const PGresult *, int row);

/*
 * Looks again, in the same transaction, at slots that are ROW_DOUBTED, by values for the table's
 * pairs: ROW_SAME where it has them as they are.
 */
enum outcome compare_doubted(
	struct load *, struct batch *, const struct pg_table *, const struct pg_values *);

/* ---- restate.c */

/*
 * The row of a result (key, then the five values) is going to be corrected by the one at a slot: if
 * a price changes by more than a correction as a rule does, marks the slot and notes in its group
 * how the price before stands to the new one. Approximately: nothing is stored by it.
 */
void restate_note(struct batch *, const struct pg_table *, size_t slot, const PGresult *, int row);

/* ---- write.c */

/*
 * Writes the slots of a range that lie in one table: those of ROW_NEW by COPY, those of ROW_CHANGED
 * by statements for rows that may be there already, which show what became of each. blind: nothing
 * is known of them, they may be missing as well as different.
 */
enum outcome write_table(
	struct load *, struct batch *, struct pg_table *, struct range, bool blind);

/*
 * How far the keys of one statement may lie apart where a table has parts: some few of these, and
 * no more than TimescaleDB decompresses for one statement.
 */
int64_t write_width(const struct pg_table *);

/* ---- image.c */

/*
 * Looks at the series of a batch that are to be looked at and whose bars all went in, in the
 * transaction that is open: counts what the table holds between the first and the last of the bars
 * that the API did not send, and what it holds before them, in the series' image; deletes the
 * former where that is asked for and safe. What goes wrong is told, counts nothing and costs no
 * bar. PG_OK; or PG_BUSY and PG_LOST, after which the transaction is to be done again.
 */
enum outcome image_look(struct load *, struct batch *);

/* The same in a transaction of its own. PG_OK; or as load_batch(). */
enum outcome image_look_after(struct load *, struct batch *);

/* Sees to it that the tables are known that it, or the batch, asks; as load_table(). */
enum outcome image_tables(struct load *, const struct batch *);

#endif
