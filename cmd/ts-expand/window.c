/* From a number of years to exact first and last bars. */
#include "window.h"

#include "number.h"
#include "timestamp.h"

enum { DAYS_A_YEAR = 365, MAX_YEARS = 50, DAYS_A_WEEK = 7 };

int
window_days(struct slice years, int *days)
{
	const int64_t million = 1000000;
	struct number d;
	int64_t millionths;

	if (number_parse(years, &d) != 0 || number_sign(&d) <= 0 ||
		number_to_int(&d, 6, &millionths) != 0 || millionths > MAX_YEARS * million)
		return -1;
	*days = (int)((millionths * DAYS_A_YEAR + million / 2) / million);
	if (*days < 1)
		*days = 1;
	return 0;
}

static bool
is_final(const struct calendar *c, int32_t session, int64_t now)
{
	return calendar_instant(c, session, calendar_extended_close(c, session)) <= now;
}

int
window_init(struct window *w, const struct calendar *c, int64_t now, int days, bool unfinished)
{
	int32_t today = calendar_date(c, now);

	*w = (struct window){.calendar = c, .now = now, .unfinished = unfinished};
	/* In the last week of the calendar nobody knows which session ends the week. */
	if (today < CALENDAR_FIRST || today > CALENDAR_LAST - DAYS_A_WEEK)
		return -1;
	w->anchor = calendar_session_before(c, today);
	if (!is_final(c, w->anchor, now)) {
		if (calendar_instant(c, w->anchor, EXTENDED_OPEN) <= now)
			w->running = w->anchor;
		w->anchor = calendar_session_before(c, w->anchor - 1);
	}
	w->first = w->anchor - days + 1;
	return 0;
}

static int
range_date(int32_t today, struct slice s, int32_t *date)
{
	bool yesterday = slice_is(s, "yesterday");

	if (!yesterday && !slice_is(s, "today"))
		return date_parse(s, date);
	*date = today - yesterday;
	return 0;
}

const char *
window_range(struct window *w, struct slice from, struct slice to)
{
	int32_t today = calendar_date(w->calendar, w->now), last = today;

	if (range_date(today, from, &w->first) != 0)
		return "from is not a date such as 2025-12-23, today or yesterday";
	if (to.p != NULL && range_date(today, to, &last) != 0)
		return "to is not a date such as 2025-12-23, today or yesterday";
	if (w->first < CALENDAR_FIRST)
		return "from lies before the exchange calendar, which begins in 2000";
	if (w->first > today)
		return "from lies in the future";
	if (last < w->first)
		return "to lies before from";
	if (calendar_session_after(w->calendar, w->first) > last)
		return "no session in the range";
	if (last < today)
		w->unfinished = false;
	if (w->running > last)
		w->running = 0;
	if (last < w->anchor)
		w->anchor = calendar_session_before(w->calendar, last);
	w->range = true;
	return NULL;
}

static struct span
day_span(const struct window *w)
{
	struct span s = {calendar_session_after(w->calendar, w->first), w->anchor};

	if (w->unfinished && w->running != 0)
		s.to = w->running;
	return s;
}

/* The session on which the week or month that holds a date closes. */
static int32_t
period_close(const struct window *w, enum timeframe tf, int32_t date)
{
	return calendar_session_before(w->calendar, timeframe_last(tf, date));
}

static struct span
period_span(const struct window *w, enum timeframe tf)
{
	int32_t latest = w->anchor;
	int32_t earliest = w->first;
	struct span s;

	if (period_close(w, tf, latest) > w->anchor)
		latest = timeframe_first(tf, latest) - 1;
	if (period_close(w, tf, earliest) < w->first)
		earliest = timeframe_last(tf, earliest) + 1;
	if (earliest > latest && !w->range)
		earliest = latest;
	s.from = timeframe_first(tf, earliest);
	s.to = timeframe_last(tf, latest);
	if (w->unfinished)
		s.to = timeframe_last(tf, w->running != 0 ? w->running : w->anchor);
	return s;
}

static struct span
intraday_span(const struct window *w, enum timeframe tf)
{
	const struct calendar *c = w->calendar;
	int32_t first = calendar_session_after(c, w->first);
	struct span s;
	int64_t ended;

	s.from = calendar_instant(c, first, EXTENDED_OPEN);
	s.to = calendar_instant(c, w->anchor, calendar_extended_close(c, w->anchor));
	if (w->running != 0) {
		/* The last minute or hour that has ended; UTC and New York share their full hours.
		 */
		ended = w->now - w->now % timeframe_seconds(tf);
		if (ended > calendar_instant(c, w->running, EXTENDED_OPEN))
			s.to = ended;
	}
	return s;
}

struct span
window_span(const struct window *w, enum timeframe tf)
{
	if (timeframe_intraday(tf))
		return intraday_span(w, tf);
	return tf == TF_DAY ? day_span(w) : period_span(w, tf);
}
