#ifndef TS_FETCH_FETCH_H
#define TS_FETCH_FETCH_H

#include "input.h"
#include "response.h"
#include "sched.h"
#include "task.h"
#include "transfer.h"

/* All rooms of ts-fetch together, but for the loop that waits: main.c and tests stand on it. */
struct fetch_options {
	const char *key; /* of the API; NULL: none */
	struct sched_options sched;
	struct task_options task;
};

/* When lines came, monotonic ms. */
struct gathering {
	uint64_t lines;	     /* that had come then */
	int64_t last, since; /* the latest; the first since input has paused */
};

struct fetch {
	struct transfer *transfer;
	struct tasks tasks;
	struct sched sched;
	struct responses responses;
	struct input input;
	struct gathering gathering;
};

/*
 * NULL, or a static reason. out and what the options point to must outlive it. fetch_release() is
 * called in either case.
 */
const char *fetch_init(struct fetch *, const struct fetch_options *, struct writer *out);
void fetch_release(struct fetch *);

/* Looks at what has been sent and at the responses that have come. */
void fetch_responses(struct fetch *);

#endif
