/* What a job will cost in bars, requests and time, as a table. */
#include "plan.h"

#include "log.h"
#include "record.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/*
 * Of a row in a gzipped page and of a reply besides its rows, by recorded replies; of a row in the
 * tables with its index, measured with PostgreSQL 15 (minutes 116, days 118).
 */
enum { ROW_BYTES = 25, REPLY_BYTES = 600, DISK_BYTES = 118, FREE_YEARS = 2 };

/* About how many stocks have a day of trading. */
enum { MARKET_ROWS = 11000 };

/*
 * Whole bars of that length in some hours, as far as these lie in a span. Bars stand on multiples
 * of their length; one that these hours begin within counts.
 */
static uint64_t
bars_within(struct span hours, struct span s, int seconds)
{
	int64_t open = hours.from - hours.from % seconds;
	int64_t first = ((open > s.from ? open : s.from) + seconds - 1) / seconds;
	int64_t end = (hours.to < s.to ? hours.to : s.to) / seconds;

	return end > first ? (uint64_t)(end - first) : 0;
}

/* ts-fetch keeps the bars of regular hours; what it asks for has the extended ones. */
static struct plan_task
plan_intraday(const struct calendar *c, enum timeframe tf, struct span s)
{
	int32_t last = calendar_date(c, s.to - 1);
	struct plan_task t = {0};

	for (int32_t d = calendar_date(c, s.from); d <= last; d++) {
		struct span regular, extended;

		if (calendar_session(c, d) == SESSION_NONE)
			continue;
		regular.from = calendar_instant(c, d, REGULAR_OPEN);
		regular.to = calendar_instant(c, d, calendar_regular_close(c, d));
		extended.from = calendar_instant(c, d, EXTENDED_OPEN);
		extended.to = calendar_instant(c, d, calendar_extended_close(c, d));
		t.units++;
		t.bars += bars_within(regular, s, timeframe_seconds(tf));
		t.minutes += bars_within(extended, s, 60);
	}
	return t;
}

struct plan_task
plan_task(const struct window *w, enum timeframe tf, struct span s)
{
	struct plan_task t = {0};
	int32_t last;

	if (timeframe_intraday(tf))
		return plan_intraday(w->calendar, tf, s);
	for (int32_t d = (int32_t)s.from; d <= s.to; d = last + 1) {
		last = timeframe_last(tf, d);
		t.units += calendar_sessions(w->calendar, d, last) > 0;
	}
	t.bars = t.units;
	return t;
}

uint64_t
plan_requests(const struct plan_task *t, uint64_t tasks)
{
	const uint64_t page = (uint64_t)PLAN_PAGE_MINUTES * PLAN_SESSION_MINUTES;
	uint64_t sum = 0, steps = 0;

	for (uint64_t traded = PLAN_TRADED_LEAST; traded <= PLAN_TRADED_MOST; traded++) {
		uint64_t pages = (t->minutes * traded + page - 1) / page;

		/* A page holds 50000 days, too: more than there are. */
		sum += pages > 0 ? pages : 1;
		steps++;
	}
	return (tasks * sum + steps / 2) / steps;
}

void
plan_time(struct buffer *b, uint64_t requests, const struct rate *r)
{
	uint64_t seconds = (requests * (uint64_t)(r->period_ms / 1000) + r->n - 1) / r->n;
	uint64_t minutes = (seconds + 59) / 60;

	if (seconds < 90)
		buffer_printf(b, "%" PRIu64 " s", seconds);
	else if (minutes < 120)
		buffer_printf(b, "%" PRIu64 " min", minutes);
	else
		buffer_printf(b, "%" PRIu64 " h %" PRIu64 " min", minutes / 60, minutes % 60);
}

/* The rows that come for a task: with extended hours, as far as these are traded. */
static uint64_t
rows_downloaded(enum timeframe tf, const struct plan_task *t)
{
	if (tf == TF_1MIN)
		return t->minutes * (PLAN_TRADED_LEAST + PLAN_TRADED_MOST) / 2 /
		       PLAN_SESSION_MINUTES;
	return tf == TF_HOUR ? t->minutes / 60 : t->units;
}

/* The bars of a task that lie further back than the free plan reaches. */
static uint64_t
bars_missed(const struct window *w, enum timeframe tf, struct span s)
{
	struct civil c = date_civil(calendar_date(w->calendar, w->now));
	int32_t reach = date_of((struct civil){c.year - FREE_YEARS, c.month, c.day});
	int64_t end = timeframe_intraday(tf) ? calendar_instant(w->calendar, reach, 0) : reach - 1;

	if (end < s.from)
		return 0;
	s.to = end < s.to ? end : s.to;
	return plan_task(w, tf, s).bars;
}

/* Of so many series that are derived or grouped, those that are asked for as well. */
static uint64_t
count_samples(uint64_t series)
{
	return (series + PLAN_EVERY - 1) / PLAN_EVERY;
}

/* The dates that are asked for in place of the days of each symbol; 0 where that is not less. */
static uint64_t
grouped_dates(const struct plan *p, const struct window *w, const struct plan_row rows[TF_COUNT])
{
	int32_t today = calendar_date(w->calendar, w->now);
	struct span s = rows[TF_DAY].span;

	/* What is made of days widens their range. */
	for (int tf = TF_WEEK; tf < TF_COUNT && p->derive; tf++) {
		const struct plan_row *r = &rows[tf];

		if (r->tasks > 0 && r->span.from < s.from)
			s.from = r->span.from;
		if (r->tasks > 0 && r->span.to > s.to)
			s.to = r->span.to;
	}
	if (!p->grouped || rows[TF_DAY].tasks <= (uint64_t)calendar_sessions(w->calendar,
							 (int32_t)s.from, (int32_t)s.to))
		return 0;
	return (uint64_t)calendar_sessions(
		w->calendar, (int32_t)s.from, s.to < today ? (int32_t)s.to : today);
}

void
plan_rows(const struct plan *p, const struct window *w, struct plan_row rows[TF_COUNT])
{
	for (int tf = 0; tf < TF_COUNT; tf++) {
		enum timeframe base = timeframe_base((enum timeframe)tf);
		struct plan_row *r = &rows[tf];
		uint64_t n = r->tasks, dates;

		if (p->derive && base != TF_NONE) {
			uint64_t made = rows[base].tasks < n ? rows[base].tasks : n;

			n = n - made + count_samples(made);
		} else if (tf == TF_DAY && (dates = grouped_dates(p, w, rows)) > 0) {
			n = count_samples(n);
			r->requests = dates;
			r->rows = dates * MARKET_ROWS;
		}
		r->requests += plan_requests(&r->each, n);
		r->rows += rows_downloaded((enum timeframe)tf, &r->each) * n;
	}
}

static void
add_row(struct plan *p, const struct window *w, enum timeframe tf, const struct plan_row *r,
	struct buffer *b)
{
	const struct calendar *c = w->calendar;
	bool intraday = timeframe_intraday(tf);
	uint64_t tenths = plan_requests(&r->each, 10);
	char from[DATE_SIZE], to[DATE_SIZE];

	(void)date_format(from, intraday ? calendar_date(c, r->span.from) : (int32_t)r->span.from);
	(void)date_format(to, intraday ? calendar_date(c, r->span.to - 1) : (int32_t)r->span.to);
	buffer_printf(b,
		"%-9s %7" PRIu64 "  %s  %s %8" PRIu64 " %11" PRIu64 " %4" PRIu64 ".%" PRIu64
		" %9" PRIu64 "\n",
		timeframe_name(tf), r->tasks, from, to, r->each.units, r->each.bars * r->tasks,
		tenths / 10, tenths % 10, r->requests);
	p->requests += r->requests;
	p->singly += plan_requests(&r->each, r->tasks);
	p->bars += r->each.bars * r->tasks;
	p->bytes += r->rows * ROW_BYTES + r->requests * REPLY_BYTES;
	p->missed += p->free_plan ? bars_missed(w, tf, r->span) * r->tasks : 0;
}

/* The tasks that are to be done in each timeframe of a job; how many can never be. */
static uint64_t
count_tasks(struct expand *e, const struct job *j, const struct window *w,
	struct plan_row rows[TF_COUNT])
{
	uint64_t failed = 0;

	for (size_t i = 0; i < j->timeframes.n; i++) {
		enum timeframe tf = timeframe_parse(j->timeframes.p[i]);
		uint64_t n = 0;

		for (size_t k = 0; k < j->symbols.n; k++) {
			if (expand_done(e, j->symbols.p[k], j->timeframes.p[i]))
				continue;
			if (tf != TF_NONE && record_symbol_ok(j->symbols.p[k]))
				n++;
			else
				failed++;
		}
		if (tf == TF_NONE)
			continue;
		rows[tf] = (struct plan_row){.tasks = n, .span = window_span(w, tf)};
		rows[tf].each = plan_task(w, tf, rows[tf].span);
	}
	return failed;
}

uint64_t
plan_job(struct plan *p, struct expand *e, const struct job *j, const char *why, struct writer *out)
{
	struct buffer *b = writer_room(out);
	struct plan_row rows[TF_COUNT] = {0};
	struct window w;
	uint64_t failed;

	if (why == NULL)
		why = expand_window(e, j, &w);
	p->jobs++;
	buffer_str(b, "job ");
	buffer_shown(b, j->job_id);
	if (why != NULL) {
		buffer_printf(b, ": can never be done: %s\n", why);
		writer_done(out);
		return 1;
	}
	buffer_printf(b, ": %zu %s\n", j->symbols.n, j->symbols.n == 1 ? "symbol" : "symbols");
	if (expand_notes(e, j) != 0)
		log_warning("spool: %s: all tasks of the job are planned", strerror(errno));
	buffer_str(b, "timeframe   tasks  from        to         sessions        bars  pages"
		      "  requests\n");
	failed = count_tasks(e, j, &w, rows);
	plan_rows(p, &w, rows);
	for (size_t i = 0; i < j->timeframes.n; i++) {
		enum timeframe tf = timeframe_parse(j->timeframes.p[i]);

		if (tf != TF_NONE)
			add_row(p, &w, tf, &rows[tf], b);
	}
	if (failed > 0)
		buffer_printf(b,
			"%" PRIu64 " tasks that can never be done: unknown timeframe, no symbol, "
			"or no final bar\n",
			failed);
	writer_done(out);
	return failed;
}

void
plan_end(const struct plan *p, struct writer *out)
{
	struct buffer *b = writer_room(out);

	buffer_printf(b, "%" PRIu64 " rows, about ", p->bars);
	buffer_bytes(b, p->bytes);
	buffer_str(b, " to download, ");
	buffer_bytes(b, p->bars * DISK_BYTES);
	buffer_str(b, " of disk\n");
	if (p->missed > 0)
		buffer_printf(b,
			"%" PRIu64 " of the rows are older than the two years of a free plan\n",
			p->missed);
	if (p->derive || p->grouped)
		buffer_printf(b, "%" PRIu64 " of %" PRIu64 " requests are saved by ts-fetch%s%s\n",
			p->singly - p->requests, p->singly, p->derive ? " -d" : "",
			p->grouped ? " -g" : "");
	buffer_printf(b, "%" PRIu64 " %s", p->requests, p->requests == 1 ? "request" : "requests");
	if (p->rate.n > 0) {
		buffer_str(b, ", ");
		plan_time(b, p->requests, &p->rate);
	}
	buffer_byte(b, '\n');
	writer_done(out);
}
