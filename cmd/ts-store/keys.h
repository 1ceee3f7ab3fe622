#ifndef TS_KEYS_H
#define TS_KEYS_H

#include "buffer.h"
#include "timeframe.h"

#include <stdbool.h>
#include <stdint.h>

/* Keys that follow each other by one step of their timeframe: bars come in such runs. */
struct key_run {
	int64_t first;
	int64_t n;
};

/* The keys of a task's bars, sixteen bytes a run. {0} is a valid empty set. */
struct keys {
	ARRAY(struct key_run) runs;
};

/* For qsort(3): the order of what begins with a key. */
int keys_order(const void *, const void *);

/* How far the keys of neighbouring bars lie apart where no session ends between them. */
int64_t keys_step(enum timeframe);

void keys_add(struct keys *, enum timeframe, int64_t key);

/*
 * Sorts them and makes each key count once; how many there are. To be done before keys_last() (of
 * a set that is not empty), keys_have() and keys_within().
 */
int64_t keys_tidy(struct keys *, enum timeframe);
int64_t keys_last(const struct keys *, enum timeframe);
bool keys_have(const struct keys *, enum timeframe, int64_t key);

/* How many lie from low to high. */
int64_t keys_within(const struct keys *, enum timeframe, int64_t low, int64_t high);

void keys_release(struct keys *);

#endif
