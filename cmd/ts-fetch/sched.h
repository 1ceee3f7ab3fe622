#ifndef TS_FETCH_SCHED_H
#define TS_FETCH_SCHED_H

#include "backoff.h"
#include "limiter.h"
#include "outage.h"
#include "pace.h"
#include "task.h"
#include "transfer.h"

#include <stdint.h>

/*
 * The page that succeeded last. While the API is taken to be unreachable it is asked for once more,
 * in turn with the pages that have failed: if it comes, the API is well and they are their own
 * trouble.
 */
struct probe {
	struct chunk chunk; /* of no task; without a path there is none */
	struct buffer symbol;
	bool due; /* the last request was another page's */
};

struct sched_options {
	struct slice base; /* the API's address */
	struct rate rate;
	unsigned patience; /* minutes: how long an outage may last */
};

/*
 * What is asked for next, and when: retries that are due first, then the jobs in turn, as the
 * limiter allows. While the API is taken to be unreachable every other request is the probe's.
 */
struct sched {
	struct tasks *tasks;
	struct transfer *transfer;
	struct slice base; /* the API's address */
	struct limiter limiter;
	struct pace *pace; /* of a rate that is shared; may be NULL */
	struct outage outage;
	struct probe probe;
	struct chance chance;
	struct buffer url;
	struct buffer reason; /* of the pause, as far as it is not the rate's */
	int64_t waiting;      /* until when `waiting` was written last, monotonic ms; 0: not */
	uint64_t requests, retries;
};

/* tasks, transfer and what the options point to must outlive it. */
void sched_init(struct sched *, struct tasks *, struct transfer *, const struct sched_options *);
void sched_release(struct sched *);

/*
 * Starts as many requests as may start now. Returns until when there is nothing to do but wait for
 * responses, input and signals. Both by one reading of the monotonic clock, in milliseconds: what
 * may start a moment later than now is waited for, never overlooked.
 */
int64_t sched_start(struct sched *, int64_t now);

/* Tells the limiter when requests have really been sent. */
void sched_sent(struct sched *);

/* The page of the chunk is asked for again, at that time at the earliest. */
void sched_retry(struct sched *, struct chunk *, int64_t due);

/* The request of the chunk came to nobody's eyes: it is sent once more, and nothing is counted. */
void sched_repeat(struct sched *, struct chunk *);

/* Why all pause: for the record `waiting`. */
void sched_says(struct sched *, struct slice reason);

/* Keeps a page that a chunk has asked for, as the probe; whether there is one. */
void sched_keep(struct sched *, const struct chunk *);
bool sched_probes(const struct sched *);

/* A number by chance, 0-1023. */
unsigned sched_chance(struct sched *);

#endif
