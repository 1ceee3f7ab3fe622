/* For tests that need a batch: it is there from set_up() to tear_down(), and what fills it. */
#ifndef TS_CHECK_BATCH_H
#define TS_CHECK_BATCH_H

#include "check.h"

#include "batch.h"

#include <stdlib.h>

struct fixture {
	struct batch batch;
	struct series_set set;
	struct counts total;
};

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	batch_init(&f->batch, 1000);
	*state = f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	batch_release(&f->batch);
	series_release(&f->set);
	free(f);
	return 0;
}

static inline struct series *
series(struct fixture *f, const char *symbol, enum timeframe tf)
{
	return series_get(&f->set, slice_of(symbol), tf, true);
}

/* Adds a bar of a day; its volume tells it apart. */
static inline void
add(struct fixture *f, const char *symbol, enum timeframe tf, int64_t key, int64_t volume)
{
	static struct bar b;
	struct record r = {.symbol = slice_of(symbol),
		.tf = TF_DAY,
		.date = slice_of("2025-12-22"),
		.open = slice_of("1.5"),
		.high = slice_of("2"),
		.low = slice_of("1"),
		.close = slice_of("1.25"),
		.volume = slice_of("0")};

	assert_null(bar_read(&r, &b));
	b.key = key;
	b.volume = volume;
	batch_add(&f->batch, series(f, symbol, tf), &b, 1);
	series(f, symbol, tf)->n.received++;
}

#endif
