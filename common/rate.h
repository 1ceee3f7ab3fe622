#ifndef TS_RATE_H
#define TS_RATE_H

#include "buffer.h"

#include <stdint.h>

/* At most n requests in any period; n 0: as many as one likes. */
struct rate {
	unsigned n;
	int64_t period_ms;
};

/* Reads "50/s", "5/m", "1000/h"; n from 1 to 100,000. 0, or -1. */
int rate_parse(struct slice, struct rate *);

#endif
