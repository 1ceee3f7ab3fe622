#ifndef TS_REDIS_LINK_H
#define TS_REDIS_LINK_H

#include "redis.h"

/*
 * A connection that comes back by itself, and says so once each way. {0} but for redis, which the
 * caller makes and frees, and meanwhile.
 */
struct redis_link {
	struct redis *redis;
	const char *meanwhile; /* what is said of the time without it, such as "counting goes on, ";
				  or NULL */
	struct backoff backoff;
	bool ever;   /* it has served */
	bool away;   /* it does not, and that was said */
	bool denied; /* it never has and never will: nothing more is tried */
};

/* As redis_serve(), and connects again. REDIS_EVENT_DENIED once it is denied. */
enum redis_event redis_link_serve(struct redis_link *, short revents, int64_t now);

/* When it must be called though nothing is heard. */
int64_t redis_link_deadline(const struct redis_link *);

/* It serves: whoever asked for more than a login has been answered. */
void redis_link_recovered(struct redis_link *, int64_t now);

/* It does not let us do what we must: for good, if it never did. */
void redis_link_refuse(struct redis_link *, const char *why);

#endif
