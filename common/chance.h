#ifndef TS_CHANCE_H
#define TS_CHANCE_H

#include <stdint.h>

/* Chance for jitter, so that those who lost the same server do not come back in step. */

/* A generator; {0} sows itself from clock and process when first used. */
struct chance {
	uint64_t state;
};

/* A number from 0 to n, n included. */
uint64_t chance_upto(struct chance *, uint64_t n);

#endif
