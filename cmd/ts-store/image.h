#ifndef TS_IMAGE_H
#define TS_IMAGE_H

#include "load.h"

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
