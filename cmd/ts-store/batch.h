#ifndef TS_BATCH_H
#define TS_BATCH_H

#include "buffer.h"
#include "bar.h"
#include "series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bars on their way into the database. They are added as they come; batch_close() brings them into
 * the order in which they are stored: by table, symbol and key, the last one of a key only. What
 * is done with them is noted here and told to the series by batch_settle(). Between two batches
 * the memory is kept.
 */
enum row_status {
	ROW_NONE,    /* not yet known */
	ROW_SAME,    /* the table has it already */
	ROW_NEW,     /* the table has no such key */
	ROW_CHANGED, /* the table has other values */
	ROW_REFUSED, /* Postgres refused it */
	ROW_DOUBTED, /* sent, and no statement has shown what became of it */
	ROW_STORED,  /* the transaction is committed, and it is counted */
};

struct row {
	int64_t key;
	int64_t volume;
	uint32_t line; /* of input, counted from that of the batch's first row */
	uint32_t group;
	uint32_t prices; /* where in the batch's prices they start */
	uint16_t length; /* and how many bytes they are */
	uint8_t flags;	 /* of enum bar_flag */
};

/* A slot in the order: the row, and its key to sort by. */
struct slot {
	int64_t key;
	uint32_t row;
};

/* The rows of one series. After batch_close() they are the slots first to first + count. */
struct group {
	struct series *series;
	size_t first, count;
	size_t added;	 /* rows before duplicates were taken out */
	int64_t latest;	 /* key of the row added last */
	bool ascending;	 /* each key so far was above the one before it */
	size_t refusals; /* bars that Postgres refused, */
	size_t doubles;	 /* and that were replaced by such */
	struct counts n; /* what was committed */
	struct restatement restated;
	int64_t before;	  /* the greatest key of the series in batches closed before */
	struct span seen; /* as in the series: the first of this transaction */
	bool look; /* its series is to be looked at, see image_look(): a group may be for that alone
		    */
	char *fault; /* why the rest of the group is not stored; NULL normally */
};

/* A bar that Postgres refused and what it said, an offset in the batch's text. */
struct refusal {
	uint32_t row;
	size_t why;
};

struct batch {
	size_t limit; /* rows it takes */
	struct row *row;
	size_t rows;
	uint64_t first_line;
	struct buffer prices;
	ARRAY(struct group) groups; /* in order of table and symbol after batch_close() */
	struct slot *slot;
	struct slot *spare;    /* to sort with; NULL until the first unsorted group */
	bool flagged;	       /* some row has flags */
	bool closed;	       /* nothing can be added */
	unsigned char *status; /* of each slot, an enum row_status */
	size_t slots;
	ARRAY(struct refusal) refusals;
	size_t looks; /* groups to be looked at when all rows are stored, */
	bool looked;  /* which is done */
	bool apart;   /* it went wrong, or all went wrong with it: next time by itself */
	unsigned ask; /* a bit for each timeframe whose table is to be looked at by itself */
	struct buffer text;
};

/* A batch of at most so many rows; takes the memory for all of them. */
void batch_init(struct batch *, size_t limit);
void batch_release(struct batch *);

/* Whether there is nothing to do; whether it must be done before the next bar. */
bool batch_empty(const struct batch *);
bool batch_full(const struct batch *);

/* Whether it is better done before the bars of a series that begins: it is nearly full, and a batch
 * that has no series in common with the next one need not be waited for. */
bool batch_ripe(const struct batch *, const struct series *);

/* Adds a bar of a series that is not given up; there is room. */
void batch_add(struct batch *, struct series *, const struct bar *, uint64_t lineno);

/*
 * Adds a series to be looked at when its bars are stored, those of batches before this one, too. No
 * bar of it follows before that is done.
 */
void batch_look(struct batch *, struct series *);

/*
 * Sorts and removes duplicates. Once, before the batch is stored: no bar can be added behind it,
 * and another batch may take bars of the same series.
 */
void batch_close(struct batch *);

/*
 * Whether two closed batches hold a bar of the same key. Either may be in the hands of another
 * thread: only what does not change there is looked at.
 */
bool batch_overlaps(const struct batch *, const struct batch *);

/* The same, whether they have a series in common. */
bool batch_akin(const struct batch *, const struct batch *);

/* The group that a slot belongs to. */
struct group *batch_group_at(const struct batch *, size_t slot);

/* The row at a slot. */
static inline const struct row *
batch_row(const struct batch *b, size_t slot)
{
	return &b->row[b->slot[slot].row];
}

/* The line of input that a row came in. */
static inline uint64_t
batch_lineno(const struct batch *b, const struct row *r)
{
	return b->first_line + r->line;
}

/* The prices of a row. */
static inline const unsigned char *
batch_prices(const struct batch *b, const struct row *r)
{
	return (const unsigned char *)b->prices.p + r->prices;
}

/* Empties it. */
void batch_clear(struct batch *);

/* ---- settle.c */

/* The column will not hold all digits of this bar. */
void batch_round(struct batch *, size_t slot);

/*
 * Postgres refused this bar: it is out, and batch_settle() will count it. When it refuses many of a
 * group, the group is given up.
 */
void batch_refuse(struct batch *, size_t slot, const char *why);

/* The same of a bar that is sent already: the group goes on, for its other bars are, too. */
void batch_drop(struct batch *, size_t slot, const char *why);

/* What stood in the batch for the key of a bar that is refused now is refused with it: the last one
 * won. Once, before the refusals are told. */
void batch_refuse_doubles(struct batch *);

/* Whether it was given up for that. */
bool batch_given_up(const struct group *);

/*
 * Adds the statuses of the slots to their groups, and what was seen to their series: the
 * transaction they stood in is committed, behind all earlier ones with bars of these series.
 */
void batch_commit(struct batch *, size_t from, size_t to);

/* Whether the bar at a slot is not stored because its group is given up; when all is done. */
bool batch_dropped(const struct batch *, size_t slot);

/* The group is given up: its bars without a status are dropped. The first reason stays. */
void batch_fail(struct group *, const char *why);

/*
 * Tells the series what became of their bars and adds it to total. A bar that a later one of the
 * same key replaced counts as unchanged. Once, before batch_clear().
 */
void batch_settle(struct batch *, struct counts *total);

#endif
