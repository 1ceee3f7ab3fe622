#ifndef TS_SCHEDULE_H
#define TS_SCHEDULE_H

#include "calendar.h"
#include "timeframe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the exchange calendar promises between two moments: the sessions, weeks or months that a
 * task covers, and which bars may lie in each. Pure.
 *
 * A key is what the table's key column holds: UTC seconds for 1min and hour, else a date. Of a week
 * the key is its Sunday, of a month the 1st.
 */
struct period {
	int32_t first, last; /* dates, both included: the same for a session */
	int64_t start, end;  /* keys in [start, end) belong to it */
	int64_t early, late; /* keys in [early, late) do, if extended hours are taken with it */
	uint32_t bars;	     /* how many there can be, those outside of from and to not counted */
	bool due;	     /* at least one is expected */
};

struct schedule {
	const struct calendar *calendar; /* borrowed */
	enum timeframe tf;
	int64_t from, to;      /* as in the task */
	struct period *period; /* ascending */
	size_t count, cap;
	size_t due;	   /* how many of them are due, */
	uint64_t due_bars; /* and their bars */
};

/* The bounds of a period, in ascending order: early, start, end, late. */
enum { SCHEDULE_BOUNDS = 4 };

/*
 * Regular hours, from 13:30 to 21:00 UTC whether it is summer or not, in slices of whole bars,
 * of 7.5 minutes at least, so that there are less than 64: the second of the day at which the first
 * one begins, and how long they are.
 */
struct slices {
	int start, seconds;
};
struct slices schedule_slices(enum timeframe);

/* A session is due when so much of its regular hours lies between from and to. */
enum { SCHEDULE_DUE_SECONDS = 1800 };

/*
 * Works out the periods of a task; schedule_release() frees them. from and to are as in task
 * records: both inclusive, instants for 1min and hour, else dates.
 */
void schedule_init(
	struct schedule *, const struct calendar *, enum timeframe, int64_t from, int64_t to);
void schedule_release(struct schedule *);

/* Where the window must begin to take in a key: its week or month, or 04:00 New York of its date.
 */
int64_t schedule_aligned(const struct schedule *, int64_t key);

/* The first key behind the window: a bar belongs to a task when it ends at or before its to. */
int64_t schedule_end(const struct schedule *);

/* What a task asks for: from and to as in its record. */
struct range {
	enum timeframe tf;
	int64_t from, to;
};

/*
 * Of a task that loads the periods from one to another, both included, and nothing outside of the
 * schedule's own from and to.
 */
struct range schedule_range(const struct schedule *, size_t first, size_t last);

#endif
