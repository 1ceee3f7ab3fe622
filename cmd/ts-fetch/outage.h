#ifndef TS_FETCH_OUTAGE_H
#define TS_FETCH_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether it is the service that fails and not a page. Pure: the monotonic clock, in milliseconds,
 * is passed in.
 *
 * A service that is unreachable would otherwise cost every page in progress its tries, one after
 * the other, and each its task. A request that found no connection says so by itself. A response
 * that failed otherwise may be the page's own fault, so several in a row, of several tasks, are
 * wanted. A service that refuses everything, as at the end of a quota, is waited for in the same
 * way.
 */
struct outage {
	int64_t patience;  /* ms: how long it may last */
	unsigned failures; /* without a success between them */
	unsigned enough;   /* so many are wanted: more after each time that it was none, */
	unsigned most;	   /* up to so many */
	bool several;	   /* they are of more than one task */
	bool unreachable;  /* that is what it is taken for */
	bool certain;	   /* what succeeded before fails as well */
	bool announced;	   /* to the log */
	bool refused;	   /* refusals, and no success since */
	const void *first; /* whose failure was the first; only to compare with */
	int64_t since;	   /* the first failure or refusal */
};

enum { OUTAGE_MINUTE_MS = 60 * 1000 };

/* patience in ms; most is how many pages may be in progress. */
void outage_init(struct outage *, int64_t patience, unsigned most);

/*
 * A request that started then failed in a way that may be the service's; task is whose it
 * was; connected: there was a connection for it. True if it is the service:
 * then all requests pause, and one at a time asks whether it is back.
 */
bool outage_failed(struct outage *, const void *task, bool connected, int64_t started);

/* A request that started then was one too many for the service. */
void outage_refused(struct outage *, int64_t started);

/* Whether it lasts for so long that waiting has an end. */
bool outage_lasts(const struct outage *, int64_t now);

/*
 * The service has brought something, or is not waited for any more. If it was not certain, pages
 * have failed by themselves: from then on it takes twice as many.
 */
void outage_over(struct outage *);

#endif
