#ifndef TS_SERIES_H
#define TS_SERIES_H

#include "buffer.h"
#include "hash.h"
#include "keys.h"
#include "timeframe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYMBOL_MAX = 64 };

/* What became of bars. received is the sum of the others once they are committed. */
struct counts {
	uint64_t received, inserted, updated, unchanged, rejected;
	uint64_t dropped;	 /* of a series that was given up */
	uint64_t rounded, odd;	 /* of those that are in the table: see ts-records(5) */
	uint64_t restated;	 /* of updated: a price changed by more than a correction does */
	uint64_t extra, deleted; /* rows that the API does not have; in the totals alone */
};

enum { NO_DATE = INT32_MAX };

/* What is asked about the task's range in the table, and found there: see image_look(). */
struct image {
	bool extended, remove; /* it is about extended hours too; extra rows are deleted */
	int32_t from;	       /* the date from which it was asked for; NO_DATE: unknown */
	int32_t only;	       /* the one date that it is about, where it brought no bar */
	uint64_t older;	       /* rows before the date of its first bar */
	uint64_t extra, deleted;
	bool kept;  /* so many that they were not deleted */
	int64_t at; /* the key of the first such row */
};

/* Keys from one to before another; {0}: none. */
struct span {
	int64_t from, to;
};

/* As many as there are where a task comes in pieces side by side. */
struct spans {
	struct span p[8];
	size_t n;
};

/* How prices before stand to those now, where they were restated: least and greatest; {0}: none. */
struct restatement {
	double low, high;
	int64_t first, last; /* keys */
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
	int64_t latest;	  /* the greatest key of its bars in closed batches */
	bool awaited;	  /* its fetched record waits for them */
	struct counts n;
	int64_t first, last; /* keys, of bars that were not rejected; first > last: none */
	struct keys keys;    /* of all bars that came, unless they were too many to be kept */
	size_t runs;	     /* that the set counts for it: sorting them leaves some out */
	bool keyless;
	struct series_set *set;
	struct image image;
	struct restatement restated;
	struct spans seen; /* where the table was read, and holds nothing but bars of the task */
	char *fault;	   /* why it was given up; NULL while it is stored */
	char *reason;	   /* why its first bar was rejected; NULL while none is */
};

/* All series in hand, by symbol and timeframe. {0} is a valid empty set. */
struct series_set {
	struct series *table;
	struct series *recent;
	size_t runs; /* of keys, of all series */
};

/* How many series are held before the idle are let go, and before others are, too. */
enum { SERIES_IDLE_MAX = 1024, SERIES_MAX = 65536 };

/* Starts it anew, as after its fetched record. */
void series_reset(struct series *);

/* Joins two restatements, of which either may be none. */
void series_restated(struct restatement *, const struct restatement *);

/* Joins what goes on where the first ends, or is the first. */
void span_extend(struct span *, struct span);

/* Adds one where another ends, or by itself if there is room. */
void spans_add(struct spans *, struct span);

/* Keeps a bar's key, of which all series together have no more than four megabytes. */
void series_key(struct series *, int64_t key);

/* Notes the key of a bar that was stored. */
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
