#ifndef TS_FETCH_LIMITER_H
#define TS_FETCH_LIMITER_H

#include "rate.h"

#include <stddef.h>
#include <stdint.h>

/*
 * When the next request may start. Pure: the monotonic clock, in milliseconds, and chance are
 * passed in.
 */

struct limiter {
	struct rate rate;
	int64_t *ring; /* when the last rate.n requests started, or were sent */
	size_t at;     /* the oldest of them */
	unsigned parallel;
	unsigned allowed;  /* how many may be in flight: parallel, fewer after a refusal */
	int64_t gap_us;	   /* learnt: how far apart requests are to start; 0: as they like */
	int64_t next_us;   /* when the next one may start for that */
	unsigned refusals; /* in a row: how far the backoff has come */
	int64_t paused_until;
	int64_t refused_at;		  /* when the refusal came that counted last */
	unsigned answers, answers_before; /* since the last refusal, and between the two before */
	int64_t pausing_ms, paused_ms[2]; /* for the refusals in a row, and those before */
	int64_t unpaced_until; /* until then requests have no gap: a long one has not helped */
};

/* At most parallel requests in flight. limiter_release() frees what it holds. */
void limiter_init(struct limiter *, struct rate, unsigned parallel);
void limiter_release(struct limiter *);

/*
 * How many milliseconds from now the next request may start, with so many in flight: 0 at once; -1
 * not before one of those has ended.
 */
int64_t limiter_wait(const struct limiter *, int64_t now, unsigned in_flight);

/*
 * A request starts now; limiter_wait() has said that it may. Returns a number for limiter_sent(),
 * which says that this request was sent later, once a connection stood: it counts from then.
 */
size_t limiter_start(struct limiter *, int64_t now);
void limiter_sent(struct limiter *, size_t request, int64_t now);

/*
 * The API said that a request that had started at that time was one too many. The whole process
 * pauses: for as long as it was told to (retry_after in ms, -1 if it was not told; 1 s at least,
 * LIMITER_RETRY_MAX at most), else for a minute if requests are paced by the minute, else for 0.25,
 * 0.5, 1, 2 ... 32, 60, 60 ... s, up to an eighth longer by chance (0-1023). Then one lone request
 * tries whether it is over. From then on requests start further apart, and a little closer with
 * each answer. Where they are a second apart and are refused all the same, at once as after a long
 * pause, the pace does not matter: for five minutes many in a row are wanted before all pause.
 */
enum { LIMITER_RETRY_MAX = 120 * 1000 };
void limiter_refused(
	struct limiter *, int64_t now, int64_t started, int64_t retry_after, unsigned chance);

/*
 * A request that had started at that time found no API. The whole process pauses for 1, 2, 4, 8,
 * 16, 30, 30 ... s, up to an eighth longer by chance; then one lone request tries.
 */
void limiter_down(struct limiter *, int64_t now, int64_t started, unsigned chance);

/*
 * The API answered a request that had started at that time, and did not refuse it: twice as many
 * may be in flight, up to parallel.
 */
void limiter_answered(struct limiter *, int64_t started);

/*
 * How long to wait before try number try + 1 of a page: by chance (0-1023) between 0 and the
 * smaller of 30 s and 0.5 s doubled try - 1 times; or retry_after, if not -1, as in
 * limiter_refused(), up to an eighth longer.
 */
int64_t retry_wait(unsigned try, int64_t retry_after, unsigned chance);

#endif
