/* A group of tasks from its first date to its verdicts. */
#include "grouped.h"

#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <stdlib.h>

enum { LOOK = 32 }; /* tasks of a job for each that would be grouped: its timeframes at most */

struct group {
	ARRAY(struct active *) members;
	ARRAY(struct active *) samples;
	struct active *by_symbol;
	struct chunk *chunk;
	int64_t start, end; /* dates */
	int32_t date;	    /* that is asked for */
	uint64_t look;	    /* number of the page that is checked */
	unsigned dates;	    /* that were asked for */
	unsigned pages;	    /* that have come */
	size_t asked;	    /* samples that have come; all: dates are asked for */
	struct buffer body; /* of the first page that has members, until the samples have come */
};

static bool
task_belongs(const struct task *t, const struct task *first)
{
	return t->tf == TF_DAY && !t->direct && !t->alone && t->start == first->start &&
	       t->end == first->end;
}

/* Whether so many tasks wait for the days of one. If not, they are not looked at again. */
static bool
enough_tasks(const struct task *first, int sessions)
{
	struct task *t = queue_first(first);
	int n = 1, looked = 0;

	for (; t != NULL && n <= sessions && looked < LOOK * (sessions + 1); t = t->next) {
		n += task_belongs(t, first);
		looked++;
	}
	return n > sessions;
}

static void
add_member(struct group *g, struct active *m)
{
	*array_add(&g->members) = m;
	HASH_ADD_KEYPTR(hh, g->by_symbol, m->task->symbol.p, m->task->symbol.n, m);
	g->start = m->start < g->start ? m->start : g->start;
	g->end = m->end > g->end ? m->end : g->end;
}

/* Takes all that wait for the days of one. */
static void
take_members(struct tasks *ts, struct group *g, const struct task *first)
{
	struct task *t = queue_first(first), *next;

	for (; t != NULL; t = next) {
		if (task_belongs(t, first) && queue_may_begin(&ts->queue, t)) {
			add_member(g, derive_begin(ts, t));
			next = t->next;
			(void)queue_begin(&ts->queue, t);
		} else {
			next = t->next;
		}
	}
}

bool
grouped_dates(const struct group *g)
{
	return g->asked == g->samples.n;
}

/* What is asked for next: a sample over all dates, or a date. */
static void
ask_next(struct tasks *ts, struct group *g)
{
	const struct series day = {.tf = TF_DAY, .adjusted = !ts->options->as_traded};

	if (grouped_dates(g)) {
		chunk_range(g->chunk, day, g->date, g->date);
		g->dates++;
	} else {
		chunk_range(g->chunk, g->samples.p[g->asked]->bars.series, g->start, g->end);
	}
}

void
grouped_begin(struct tasks *ts, struct active *a, struct chunk *c)
{
	int32_t today = calendar_date(ts->calendar, clock_wall());
	int sessions = calendar_sessions(ts->calendar, (int32_t)a->start, (int32_t)a->end);
	struct group *g;

	if (!ts->options->grouped || ts->derive.ungrouped || !task_belongs(a->task, a->task) ||
		sessions == 0 || !enough_tasks(a->task, sessions))
		return;
	g = a->group = memory_grow(NULL, 1, sizeof *g);
	*g = (struct group){.chunk = c, .start = a->start, .end = a->end};
	add_member(g, a);
	take_members(ts, g, a->task);
	g->end = g->end < today ? g->end : today;
	g->date = calendar_session_after(ts->calendar, (int32_t)g->start);
	ask_next(ts, g);
}

void
grouped_loading(struct tasks *ts, struct group *g)
{
	for (size_t i = 0; i < g->members.n && g->pages == 0; i++)
		active_loading(ts, g->members.p[i]);
}

static void
finish_member(struct tasks *ts, struct active *a, struct active *m)
{
	const struct group *g = a->group;
	uint64_t bytes = a->bars.bytes;

	/* What was downloaded for all is counted once. */
	a->bars.bytes = 0;
	m->bars.bytes = bytes;
	m->pages = grouped_dates(g) ? 1 : g->pages;
	active_fetched(ts, m);
}

/*
 * It begins anew, to be asked for by itself, and so do those that ride on it. Bars that are written
 * stay: they had been compared.
 */
static void
give_member_back(struct tasks *ts, const struct group *g, struct active *m)
{
	struct task *t = m->task;

	t->alone = true;
	if (m->bars.count > 0) {
		t->written = (uint32_t)m->bars.count;
		t->first = calendar_date(ts->calendar, m->bars.first);
		t->last = calendar_date(ts->calendar, m->bars.last);
		t->start = g->date;
	}
	active_return(ts, m);
}

uint64_t
grouped_end(struct tasks *ts, struct group *g, struct slice error)
{
	uint64_t n = 0;

	HASH_CLEAR(hh, g->by_symbol);
	for (size_t i = 0; i < g->members.n; i++) {
		if (g->members.p[i] != NULL)
			n += active_end(ts, g->members.p[i], error);
	}
	free(g->members.p);
	free(g->samples.p);
	buffer_release(&g->body);
	free(g);
	return n;
}

static void
finish_group(struct tasks *ts, struct active *a, bool good)
{
	struct group *g = a->group;
	uint64_t written = 0;

	active_leave(ts, a);
	HASH_CLEAR(hh, g->by_symbol);
	/* The last goes back first, so that they stand in their order again. */
	for (size_t i = g->members.n; i-- > 0;) {
		struct active *m = g->members.p[i];

		if (!m->done && good && m->bars.count > 0) {
			finish_member(ts, a, m);
			written++;
		}
		if (!m->done) {
			give_member_back(ts, g, m);
			g->members.p[i] = NULL;
		}
	}
	ts->derive.grouped += written;
	ts->derive.saved += written > g->dates ? written - g->dates : 0;
	(void)grouped_end(ts, g, (struct slice){0});
}

const char *
grouped_check(struct tasks *ts, struct active *a, const struct page *page)
{
	struct group *g = a->group;
	int64_t day;

	if (g == NULL || !grouped_dates(g))
		return NULL;
	if (page->rows == 0)
		return "bad page: no bars, but it is a session";
	day = calendar_instant(ts->calendar, g->date, 0);
	g->look++;
	for (size_t i = 0; i < page->rows; i++) {
		const struct row *row = &page->row[i];
		struct active *m;

		if (row->ticker_n == 0)
			return "bad page: a row without T";
		if (calendar_date(ts->calendar, row->t) != g->date)
			return "bad page: a row of another date";
		HASH_FIND(hh, g->by_symbol, page->body.p + row->ticker, row->ticker_n, m);
		if (m == NULL)
			continue;
		if (m->look == g->look)
			return "bad page: a ticker occurs twice";
		m->look = g->look;
		m->day = *row;
		m->day.t = day;
	}
	return NULL;
}

/*
 * A day of a member's: is written, if it belongs, and goes into what is made of it; before is the
 * start of the one in front of it.
 */
static void
add_day(struct tasks *ts, struct active *m, const struct page *page, const struct row *row,
	int64_t before)
{
	derive_row(m->riders, page, row, before);
	if (bars_belong(&m->bars, row->t))
		(void)active_bar(ts, m, page, row);
}

static void
write_date(struct tasks *ts, struct group *g, const struct page *page)
{
	for (size_t i = 0; i < g->members.n && ts->out->error == 0; i++) {
		struct active *m = g->members.p[i];

		if (m->look == g->look && !m->sample)
			add_day(ts, m, page, &m->day, INT64_MIN);
	}
}

static void
say_difference(struct tasks *ts, const struct active *s)
{
	char key[TIMESTAMP_SIZE];

	ts->derive.ungrouped = true;
	ts->derive.differing++;
	log_warning("symbol=%.*s timeframe=day: the API's bar at %s is not that of its grouped "
		    "day; from now on days are not grouped",
		SLICE(s->task->symbol), bars_key(&s->bars, s->rollup.differs, key));
}

/* Whether no sample has been found to differ yet, and there is one; if one does, that is told. */
static bool
samples_prove(struct tasks *ts, const struct group *g)
{
	size_t failed = 0;

	for (size_t i = 0; i < g->samples.n && !ts->derive.ungrouped; i++) {
		failed += g->samples.p[i]->failed;
		if (g->samples.p[i]->rollup.differs != INT64_MAX)
			say_difference(ts, g->samples.p[i]);
	}
	return !ts->derive.ungrouped && failed < g->samples.n;
}

/*
 * Of the members that the page has one in so many is a sample; the page is kept until they have
 * come. None if it has no members.
 */
static void
take_samples(struct tasks *ts, struct group *g, const struct page *page)
{
	size_t n = 0;

	for (size_t i = 0; i < g->members.n; i++) {
		struct active *m = g->members.p[i];

		if (m->look != g->look || n++ % ts->options->every != 0)
			continue;
		*array_add(&g->samples) = m;
		ts->derive.sampled++;
		m->sample = true;
	}
	if (n > 0)
		buffer_add(&g->body, page->body.p, page->body.n);
}

/* Compares the samples with their rows of the page that was checked last. */
static void
compare_samples(struct tasks *ts, const struct group *g, const struct page *page)
{
	int64_t day = calendar_instant(ts->calendar, g->date, 0);

	for (size_t i = 0; i < g->samples.n && derive_ended(ts->calendar, TF_DAY, day); i++) {
		struct active *s = g->samples.p[i];

		if (s->look == g->look && !s->failed)
			rollup_compare(&s->rollup, page, &s->day);
		else if (!s->failed)
			rollup_lacks(&s->rollup, day);
	}
}

/* Of its days are compared those that end, with the dates for which there was nothing as yet. */
static void
compare_dates_before(struct tasks *ts, const struct group *g, struct active *s)
{
	derive_trim(&s->rollup, ts->calendar, TF_DAY);
	for (size_t i = 0; i < s->rollup.bars.n; i++) {
		int64_t t = s->rollup.bars.p[i].t;
		int32_t date = calendar_date(ts->calendar, t);

		if (date < g->date || calendar_session(ts->calendar, date) == SESSION_NONE)
			rollup_lacks(&s->rollup, t);
	}
}

/* The next date or sample, or the end. */
static void
go_on(struct tasks *ts, struct active *a)
{
	struct group *g = a->group;

	if (grouped_dates(g)) {
		int32_t date = calendar_session_after(ts->calendar, g->date + 1);

		if (date <= g->date || date > g->end) {
			finish_group(ts, a, samples_prove(ts, g));
			return;
		}
		g->date = date;
	}
	ask_next(ts, g);
	queue_again(&ts->queue, a->task);
}

/* The page of a date that was checked last. */
static void
take_date(struct tasks *ts, struct active *a, const struct page *page)
{
	compare_samples(ts, a->group, page);
	if (samples_prove(ts, a->group)) {
		write_date(ts, a->group, page);
		go_on(ts, a);
	} else {
		finish_group(ts, a, false);
	}
}

/* A sample is over, its days have come or not; with the last one the page that was kept is read. */
static void
end_sample(struct tasks *ts, struct active *a)
{
	struct group *g = a->group;
	struct page kept = {.body = buffer_slice(&g->body)};

	g->asked++;
	if (grouped_dates(g))
		take_date(ts, a, &kept);
	else
		go_on(ts, a);
}

/* A page of the member that is asked for singly. */
static void
take_page(struct tasks *ts, struct active *a, const struct page *page)
{
	struct group *g = a->group;
	struct active *s = g->samples.p[g->asked];

	for (size_t i = 0; i < page->rows && ts->out->error == 0; i++) {
		const struct row *row = &page->row[i];

		rollup_add(&s->rollup, row->t, page, row);
		add_day(ts, s, page, row, g->chunk->after);
		g->chunk->after = row->t;
	}
	if (page->next.p != NULL) {
		chunk_follow(g->chunk, page->next);
		queue_again(&ts->queue, a->task);
		return;
	}
	finish_member(ts, a, s);
	compare_dates_before(ts, g, s);
	end_sample(ts, a);
}

void
grouped_page(struct tasks *ts, struct chunk *c, const struct page *page)
{
	struct active *a = c->active;
	struct group *g = a->group;

	g->pages++;
	if (signals_stop()) {
		(void)tasks_drop(ts, a, (struct slice){0});
	} else if (!grouped_dates(g)) {
		take_page(ts, a, page);
	} else if (g->samples.n == 0) {
		take_samples(ts, g, page);
		go_on(ts, a);
	} else {
		take_date(ts, a, page);
	}
}

void
grouped_give_up(struct tasks *ts, struct active *a, struct slice error, const char *tail)
{
	const struct group *g = a->group;
	struct active *s;
	char date[DATE_SIZE];

	if (grouped_dates(g)) {
		log_warning("grouped day %s: %.*s; the days of %zu symbols are asked for one by "
			    "one%s",
			date_format(date, g->date), SLICE(error), g->members.n, tail);
		finish_group(ts, a, false);
		return;
	}
	s = g->samples.p[g->asked];
	active_failed(ts, s, error);
	s->failed = true;
	s->rollup.bars.n = 0;
	end_sample(ts, a);
}
