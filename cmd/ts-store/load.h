#ifndef TS_LOAD_H
#define TS_LOAD_H

#include "batch.h"
#include "session.h"
#include "table.h"

/*
 * The loader: what it knows of the tables and the memory that it keeps between batches. One
 * belongs to one session; nothing is shared between two.
 */
struct load {
	struct session *session;
	struct table table[TF_COUNT];
	struct buffer wire;     /* rows on their way to COPY */
	struct buffer array[3]; /* parameters of a read: places, symbols, keys */
	uint64_t attempts;      /* transactions begun */
	enum timeframe at;      /* the table in hand when an attempt failed */
	unsigned failures[TF_COUNT]; /* of each table in this batch */
};

void load_init(struct load *, struct session *);
void load_release(struct load *);

/*
 * Stores a closed batch and notes the fate of its rows and groups in it: whatever cannot be stored
 * is refused row by row, or its group has a fault; all else is committed. PG_OK; or PG_LOST or
 * PG_CONFIG when Postgres was not to be had (then the rest of the batch has no fate).
 */
enum outcome load_batch(struct load *, struct batch *);

#endif
