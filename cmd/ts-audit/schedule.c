/* From a task's window to its sessions, weeks or months. */
#include "schedule.h"

#include "buffer.h"

#include <stdlib.h>

static void
add_period(struct schedule *s, struct period p)
{
	s->period = array_room(s->period, s->count + 1, &s->cap, sizeof p);
	s->period[s->count++] = p;
	s->due += p.due;
	if (p.due)
		s->due_bars += p.bars;
}

/* A session's regular hours, as ts-fetch keeps them: its minutes, and the hours that touch it. */
static struct period
session_of(const struct schedule *s, int32_t date)
{
	const struct calendar *c = s->calendar;
	int seconds = timeframe_seconds(s->tf);
	int64_t open = calendar_instant(c, date, REGULAR_OPEN), from;
	int64_t close = calendar_instant(c, date, calendar_regular_close(c, date)), to;
	struct period p = {.first = date,
		.last = date,
		.start = open - open % seconds,
		.end = close,
		.early = calendar_instant(c, date, EXTENDED_OPEN),
		/* A bar can start at the very end. */
		.late = calendar_instant(c, date, calendar_extended_close(c, date)) + seconds};
	int64_t first, end;

	from = p.start > s->from ? p.start : s->from;
	to = close < s->to ? close : s->to;
	first = (from + seconds - 1) / seconds;
	end = to / seconds;
	p.bars = end > first ? (uint32_t)(end - first) : 0;
	p.due = p.bars > 0 && to - (open > s->from ? open : s->from) >= SCHEDULE_DUE_SECONDS;
	return p;
}

static void
add_sessions(struct schedule *s)
{
	int32_t last = calendar_date(s->calendar, s->to - 1);

	for (int32_t d = calendar_date(s->calendar, s->from); d <= last; d++) {
		if (calendar_session(s->calendar, d) != SESSION_NONE)
			add_period(s, session_of(s, d));
	}
}

/* Due are those that lie in the window as a whole. */
static void
add_periods(struct schedule *s)
{
	int32_t last;

	for (int32_t d = timeframe_first(s->tf, (int32_t)s->from); d <= s->to; d = last + 1) {
		struct period p = {
			.first = d, .start = d, .end = d + 1, .early = d, .late = d + 1, .bars = 1};

		last = p.last = timeframe_last(s->tf, d);
		p.due = d >= s->from && p.last <= s->to;
		if (calendar_sessions(s->calendar, p.first, p.last) > 0)
			add_period(s, p);
	}
}

void
schedule_init(
	struct schedule *s, const struct calendar *c, enum timeframe tf, int64_t from, int64_t to)
{
	*s = (struct schedule){.calendar = c, .tf = tf, .from = from, .to = to};
	if (timeframe_intraday(tf))
		add_sessions(s);
	else
		add_periods(s);
}

int64_t
schedule_aligned(const struct schedule *s, int64_t key)
{
	const struct calendar *c = s->calendar;

	if (timeframe_intraday(s->tf))
		return calendar_instant(c, calendar_date(c, key), EXTENDED_OPEN);
	return timeframe_first(s->tf, (int32_t)key);
}

int64_t
schedule_end(const struct schedule *s)
{
	return timeframe_intraday(s->tf) ? s->to - timeframe_seconds(s->tf) + 1 : s->to + 1;
}

struct slices
schedule_slices(enum timeframe tf)
{
	int seconds = timeframe_seconds(tf);

	return (struct slices){48600 - 48600 % seconds, (450 + seconds - 1) / seconds * seconds};
}

void
schedule_release(struct schedule *s)
{
	free(s->period);
	*s = (struct schedule){0};
}

struct range
schedule_range(const struct schedule *s, size_t first, size_t last)
{
	int32_t a = s->period[first].first, b = s->period[last].last;
	struct range r = {s->tf, a, b};

	if (timeframe_intraday(s->tf)) {
		r.from = calendar_instant(s->calendar, a, EXTENDED_OPEN);
		r.to = calendar_instant(s->calendar, b, calendar_extended_close(s->calendar, b));
	}
	r.from = r.from > s->from ? r.from : s->from;
	r.to = r.to < s->to ? r.to : s->to;
	return r;
}
