/*
 * How a long range is divided. A chunk that holds little costs a request for little, one that holds
 * a bit more than a page costs another request: so chunks are made a little smaller than a page.
 */
#include "split.h"

enum {
	MARGIN = 32,	      /* a chunk is made so much smaller than a page: one part of 32 */
	SESSIONS_MAX = 20000, /* of a page: more than there are */
};

static int
sessions_of(const struct split *c, int64_t start, int64_t end)
{
	return calendar_sessions(c->calendar, calendar_date(c->calendar, start),
		calendar_date(c->calendar, end - 1));
}

int64_t
split_full(struct split *c, int64_t start, int64_t end, int64_t last, uint64_t base)
{
	int32_t date = calendar_date(c->calendar, last);
	int64_t split = calendar_instant(c->calendar, date, 0);
	int sessions;

	if (split <= start || split >= end)
		return start;
	sessions = calendar_sessions(c->calendar, calendar_date(c->calendar, start), date - 1);
	if (sessions == 0)
		return start;
	c->sessions = sessions;
	c->full = base;
	return split;
}

void
split_whole(struct split *c, int64_t start, int64_t end, uint64_t base)
{
	uint64_t sessions;

	/* Of a page that is hardly filled not much can be told. */
	if (c->sessions == 0 || base == 0 || base > c->full || base < c->full / 2)
		return;
	sessions = (uint64_t)sessions_of(c, start, end);
	sessions = sessions * c->full / base;
	if (sessions > 0 && sessions <= SESSIONS_MAX)
		c->sessions = (int)sessions;
}

int64_t
split_first(const struct split *c, int64_t start, int64_t end)
{
	int32_t date = calendar_date(c->calendar, start);
	int fit = c->sessions - c->sessions / MARGIN;
	int all, chunks, share;

	if (c->sessions == 0)
		return end;
	all = sessions_of(c, start, end);
	chunks = (all + fit - 1) / fit;
	if (chunks <= 1)
		return end;
	share = (all + chunks - 1) / chunks;
	for (; share > 0; date++)
		share -= calendar_session(c->calendar, date) != SESSION_NONE;
	return calendar_instant(c->calendar, date, 0);
}
