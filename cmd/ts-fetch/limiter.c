/*
 * Pacing by start times, not by a bucket that fills: a bucket that holds N tokens and fills at N a
 * period lets nearly 2 N requests start within one period, and the API counts.
 */
#include "limiter.h"

#include "buffer.h"
#include "timestamp.h"

#include <stdlib.h>

/* No request has ever started: long before any now. */
#define NEVER (INT64_MIN / 4)

enum {
	SECOND = 1000,
	MINUTE = 60 * 1000,
	JITTER_MS = 20, /* by which requests may come closer together on their way to the API */
	BACKOFF_BASE = 250,
	BRIEF = 25,    /* the wait where nothing is gained by one, */
	IN_A_ROW = 10, /* for so many refusals in a row, */
	UNPACED_MS = 5 * MINUTE,
	GAP_FIRST_US = 50 * 1000,
	GAP_MIN_US = 1000,
	GAP_LONG_US = 1000 * 1000, /* what is longer must be of use */
	GAP_MAX_US = 15 * 1000 * 1000,
	GAP_GROWS = 3, /* refusals in a row that make it grow: those that follow tell of a pause */
	GAP_ANSWERS = 3,  /* answers between refusals that are many */
	GAP_SHRINKS = 64, /* by one part of so many with each answer */
	DOWN_BASE = 1000,
	RETRY_BASE = 500,
	RETRY_CAP = 30 * 1000,
};

void
limiter_init(struct limiter *l, struct rate rate, unsigned parallel)
{
	*l = (struct limiter){.rate = rate,
		.parallel = parallel,
		.allowed = parallel,
		.paused_until = NEVER,
		.unpaced_until = NEVER,
		.refused_at = NEVER};
	l->ring = memory_grow(NULL, rate.n, sizeof *l->ring);
	for (size_t i = 0; i < rate.n; i++)
		l->ring[i] = NEVER;
}

void
limiter_release(struct limiter *l)
{
	free(l->ring);
	l->ring = NULL;
}

int64_t
limiter_wait(const struct limiter *l, int64_t now, unsigned in_flight)
{
	int64_t at = l->paused_until;

	if (in_flight >= l->allowed)
		return -1;
	if (l->rate.n > 0) {
		/* Half a percent longer, for clocks that do not run alike. */
		int64_t period = l->rate.period_ms + l->rate.period_ms / 200 + JITTER_MS;

		if (l->ring[l->at] + period > at)
			at = l->ring[l->at] + period;
	}
	if (l->gap_us > 0 && (l->next_us + 999) / 1000 > at)
		at = (l->next_us + 999) / 1000;
	return at > now ? at - now : 0;
}

size_t
limiter_start(struct limiter *l, int64_t now)
{
	size_t request = l->at;

	/* Who is a little late may be early the next time, by one gap at most. */
	l->next_us = l->next_us > (now * 1000) - l->gap_us ? l->next_us : now * 1000 - l->gap_us;
	l->next_us += l->gap_us;
	if (l->rate.n == 0)
		return 0;
	l->ring[l->at] = now;
	l->at = (l->at + 1) % l->rate.n;
	return request;
}

void
limiter_sent(struct limiter *l, size_t request, int64_t now)
{
	/* Should its place be another's by now, that one counts a little late: no harm. */
	if (request < l->rate.n && l->ring[request] < now)
		l->ring[request] = now;
}

/* base for the first of n in a row, twice as much for each after it, cap at most. */
static int64_t
doubled(int64_t base, unsigned n, int64_t cap)
{
	return n < 1 || n > 16 ? cap : clock_sooner(base << (n - 1), cap);
}

/* The wait of an API that names none. */
static int64_t
backoff_ms(const struct limiter *l, int64_t now)
{
	if (l->rate.n > 0 && l->rate.period_ms >= MINUTE)
		return MINUTE;
	return now < l->unpaced_until ? BRIEF : doubled(BACKOFF_BASE, l->refusals, MINUTE);
}

/*
 * Notes a refusal. Those that were in flight together are refused together: that is one refusal,
 * not eight, and false for the others.
 */
static bool
count_refusal(struct limiter *l, int64_t now, int64_t started)
{
	if (started <= l->refused_at)
		return false;
	l->refusals++;
	l->refused_at = now;
	l->allowed = 1;
	return true;
}

static void
hold_requests(struct limiter *l, int64_t now, int64_t wait, unsigned chance)
{
	wait += wait / 8 * (int64_t)chance / 1024;
	l->pausing_ms += wait;
	if (now + wait > l->paused_until)
		l->paused_until = now + wait;
}

/*
 * Whether it is the pace for which requests are refused: then hardly any are, or it takes a pause
 * of a quarter of the gap until one gets through, twice in succession. Where neither holds it does
 * not matter.
 */
static bool
pace_matters(const struct limiter *l)
{
	return clock_sooner(l->answers, l->answers_before) >= GAP_ANSWERS ||
	       clock_sooner(l->paused_ms[0], l->paused_ms[1]) >= l->gap_us / 4000;
}

/* Too fast by a half, as far as one refusal can tell. */
static void
slow_down(struct limiter *l, int64_t now)
{
	/* So many by chance are less likely than a limit below one a second. */
	if (l->refusals > IN_A_ROW && now < l->unpaced_until) {
		l->unpaced_until = now;
		l->gap_us = GAP_LONG_US;
		l->refusals = 1;
		l->paused_ms[0] = l->paused_ms[1] = INT64_MAX;
		return;
	}
	if (l->refusals > GAP_GROWS || now < l->unpaced_until)
		return;
	l->gap_us = l->gap_us == 0 ? GAP_FIRST_US : l->gap_us + l->gap_us / 2;
	l->next_us = now * 1000;
	if (l->gap_us > GAP_LONG_US && !pace_matters(l)) {
		l->gap_us = 0;
		l->unpaced_until = now + UNPACED_MS;
	}
	if (l->gap_us > GAP_MAX_US)
		l->gap_us = GAP_MAX_US;
}

void
limiter_refused(
	struct limiter *l, int64_t now, int64_t started, int64_t retry_after, unsigned chance)
{
	unsigned half = l->allowed > 1 ? l->allowed / 2 : 1;
	bool again = count_refusal(l, now, started);

	if (again && now < l->unpaced_until)
		l->allowed = half;
	if (again)
		slow_down(l, now);
	if (retry_after >= 0)
		hold_requests(l, now,
			clock_sooner(
				retry_after > SECOND ? retry_after : SECOND, LIMITER_RETRY_MAX),
			chance);
	else if (again)
		hold_requests(l, now, backoff_ms(l, now), chance);
}

void
limiter_down(struct limiter *l, int64_t now, int64_t started, unsigned chance)
{
	if (count_refusal(l, now, started))
		hold_requests(l, now, doubled(DOWN_BASE, l->refusals, RETRY_CAP), chance);
}

void
limiter_answered(struct limiter *l, int64_t started)
{
	if (started <= l->refused_at)
		return;
	if (l->refusals > 0) {
		l->paused_ms[1] = l->paused_ms[0];
		l->paused_ms[0] = l->pausing_ms;
		l->answers_before = l->answers;
		l->answers = 0;
	}
	l->refusals = 0;
	l->pausing_ms = 0;
	l->answers++;
	l->gap_us -= l->gap_us / GAP_SHRINKS;
	if (l->gap_us < GAP_MIN_US)
		l->gap_us = 0;
	l->allowed = l->allowed * 2 < l->parallel ? l->allowed * 2 : l->parallel;
}

int64_t
retry_wait(unsigned try, int64_t retry_after, unsigned chance)
{
	int64_t wait = clock_sooner(retry_after, LIMITER_RETRY_MAX);

	if (retry_after >= 0)
		return wait + wait / 8 * (int64_t)chance / 1024;
	return doubled(RETRY_BASE, try, RETRY_CAP) * (int64_t)chance / 1024;
}
