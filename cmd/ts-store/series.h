#ifndef TS_SERIES_H
#define TS_SERIES_H

#include "buffer.h"
#include "hash.h"
#include "timeframe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYMBOL_MAX = 64 };

/* What became of bars. received is the sum of the others once they are committed. */
struct counts {
	uint64_t received, inserted, updated, unchanged, rejected;
	uint64_t dropped;      /* of a series that was given up */
	uint64_t rounded, odd; /* of those that are in the table: see ts-records(5) */
};

/* The bars of a symbol in a timeframe since its last fetched record. */
struct series {
	enum timeframe tf;
	unsigned char length;
	char symbol[SYMBOL_MAX + 1];
	char key[SYMBOL_MAX + 1]; /* in the set */
	UT_hash_handle hh;
	uint32_t group;	  /* 1 + its group in the batch being filled, 0 when it has none there */
	unsigned batches; /* that hold bars of it and are not settled */
	bool awaited;	  /* its fetched record waits for them */
	struct counts n;
	int64_t first, last; /* keys, of bars that were not rejected; first > last: none */
	char *fault;	     /* why it was given up; NULL while it is stored */
	char *reason;	     /* why its first bar was rejected; NULL while none is */
};

/* All series in hand, by symbol and timeframe. {0} is a valid empty set. */
struct series_set {
	struct series *table;
	struct series *recent;
};

/* How many series are held before the idle are let go, and before others are, too. */
enum { SERIES_IDLE_MAX = 8192, SERIES_MAX = 65536 };

/* Whether nothing is known of it that a later record could ask for. */
bool series_idle(const struct series *);

/* Starts it anew, as after its fetched record. */
void series_reset(struct series *);

/* Notes one bar's key. */
void series_span(struct series *, int64_t key);

/* Gives it up for this reason, or notes why a bar of it was rejected; the first reason stays. */
void series_fail(struct series *, const char *why);
void series_rejected(struct series *, const char *why);

/*
 * Finds it, or makes it when make is true; NULL when there is none. The symbol has at most
 * SYMBOL_MAX bytes. The pointer is valid until series_prune().
 */
struct series *series_get(struct series_set *, struct slice symbol, enum timeframe, bool make);

/*
 * Lets idle series go when there are many, and beyond SERIES_MAX all that no batch holds. How many
 * it let go that were not idle.
 */
size_t series_prune(struct series_set *);

void series_release(struct series_set *);

#endif
