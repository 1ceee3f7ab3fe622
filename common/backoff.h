#ifndef TS_BACKOFF_H
#define TS_BACKOFF_H

#include <stdint.h>

/* Chance, so that those who lost the same server do not come back in step. {0} sows itself from
 * clock and process when first used. */
struct chance {
	uint64_t state;
};

/* A number from 0 to n, n included. */
uint64_t chance_upto(struct chance *, uint64_t n);

/*
 * When to try again: 0.1 s after the first failure up to 5 s, half of it by chance. {0} is fresh.
 * Times are clock_mono_ms().
 */
struct backoff {
	int64_t due;
	int64_t since; /* of the last success, 0 for none */
	unsigned tries;
	struct chance chance;
};

/* A try failed, or what had succeeded is lost: sets due. */
void backoff_failed(struct backoff *, int64_t now);

/* A try succeeded. Only a success that lasts for some seconds makes the next waits short again. */
void backoff_succeeded(struct backoff *, int64_t now);

#endif
