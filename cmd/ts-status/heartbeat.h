#ifndef TS_HEARTBEAT_H
#define TS_HEARTBEAT_H

#include "redis.h"
#include "timestamp.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The key by which the page shows "Connected", and by which one loader finds out whether another
 * one lives on this Redis: before it is written first it is watched, if it is there, for longer
 * than a living one would leave it alone. {0} is a fresh one.
 */
struct heartbeat {
	struct redis *redis;
	bool decided; /* whether there is another loader */
	bool alone;   /* and there is none */
	bool asking;
	int64_t due;
	int64_t until; /* if it stands there unchanged till then, nobody renews it */
	char seen[2 * TIMESTAMP_SIZE];
};

/* A connection is there, the first or another one: beats at once, if it may. */
void heartbeat_connected(struct heartbeat *, struct redis *, int64_t now);

/* Asks or beats, if that is due; when that is. Only while redis_ready(). */
void heartbeat_serve(struct heartbeat *, int64_t now);
int64_t heartbeat_due(const struct heartbeat *);

#endif
