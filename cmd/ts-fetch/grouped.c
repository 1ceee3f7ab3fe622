/* A group of tasks from its first date to its verdicts. */
#include "grouped.h"

#include "group.h"
#include "signals.h"
#include "task.h"
#include "timestamp.h"

#include <stdlib.h>
#include <utlist.h>

enum { LOOK = 32 }; /* tasks of a job for each that would be grouped: its timeframes at most */

/* Begin. */

static bool
belongs(const struct task *t, const struct task *first)
{
	return t->tf == TF_DAY && !t->direct && !t->alone && t->start == first->start &&
	       t->end == first->end;
}

/* Whether so many tasks wait for the days of one. If not, they are not looked at again. */
static bool
enough(const struct task *first, int sessions)
{
	struct task *t = queue_first(first);
	int n = 1, looked = 0;

	for (; t != NULL && n <= sessions && looked < LOOK * (sessions + 1); t = t->next) {
		n += belongs(t, first);
		looked++;
	}
	return n > sessions;
}

static void
add_member(struct tasks *ts, struct group *g, struct task *t, struct rider *riders)
{
	struct series series = {t->symbol, TF_DAY, t->start, t->end, ts->options.adjusted};
	struct member *m = array_add(&g->members);

	*m = (struct member){.task = t, .riders = riders, .earliest = INT64_MAX};
	bars_init(&m->bars, ts->calendar, &series, ts->options.extended);
}

/* Takes all that wait for the days of one. */
static void
take_members(struct tasks *ts, struct group *g, const struct task *first)
{
	struct task *t = queue_first(first), *next;

	for (; t != NULL; t = next) {
		struct rider *riders;
		int64_t from, to;

		if (!belongs(t, first) || !queue_may_begin(ts->queue, t)) {
			next = t->next;
			continue;
		}
		(void)derive_begin(ts, t, &riders, &from, &to);
		next = t->next;
		(void)queue_begin(ts->queue, t);
		add_member(ts, g, t, riders);
		g->start = from < g->start ? from : g->start;
		g->end = to > g->end ? to : g->end;
	}
}

/* What is asked for next: a sample over all dates, or a date. */
static void
ask_next(struct tasks *ts, struct active *a)
{
	struct group *g = a->group;
	struct series *s = &a->bars.series;

	if (g->asked < g->samples.n) {
		*s = g->samples.p[g->asked].member->bars.series;
		chunk_range(g->chunk, *s, g->start, g->end);
	} else {
		*s = (struct series){{0}, TF_DAY, g->date, g->date, ts->options.adjusted};
		chunk_range(g->chunk, *s, g->date, g->date);
		g->dates++;
	}
}

bool
grouped_begin(struct tasks *ts, struct active *a, struct chunk *c)
{
	int32_t today = calendar_date(ts->calendar, clock_wall());
	int sessions = calendar_sessions(ts->calendar, (int32_t)c->start, (int32_t)c->end);
	struct group *g;

	if (ts->options.grouped == 0 || ts->derive.ungrouped || !belongs(a->task, a->task) ||
		sessions == 0 || !enough(a->task, sessions))
		return false;
	g = memory_grow(NULL, 1, sizeof *g);
	*g = (struct group){.chunk = c, .start = c->start, .end = c->end};
	add_member(ts, g, a->task, a->riders);
	a->riders = NULL;
	take_members(ts, g, a->task);
	for (size_t i = 0; i < g->members.n; i++) {
		struct member *m = &g->members.p[i];

		HASH_ADD_KEYPTR(hh, g->by_symbol, m->task->symbol.p, m->task->symbol.n, m);
	}
	g->end = g->end < today ? g->end : today;
	g->date = calendar_session_after(ts->calendar, (int32_t)g->start);
	a->group = g;
	ask_next(ts, a);
	return true;
}

static void
announce(struct tasks *ts, struct member *m)
{
	tasks_announce(ts, m->task);
	for (struct rider *r = m->riders; r != NULL; r = r->next)
		tasks_announce(ts, r->task);
}

void
grouped_announce(struct tasks *ts, struct group *g)
{
	for (size_t i = 0; i < g->members.n && g->pages == 0; i++)
		announce(ts, &g->members.p[i]);
}

/* Verdicts. */

void
group_finish_member(struct tasks *ts, struct group *g, struct member *m)
{
	tasks_fetched(ts, m->task, &m->bars);
	derive_ready(ts, &m->riders, m->earliest, g->asked < g->samples.n ? g->pages : 1);
	m->done = true;
}

/* It begins anew, to be asked for by itself, and so do those that ride on it. */
static void
give_back(struct tasks *ts, struct member *m)
{
	struct rider *r;

	while ((r = m->riders) != NULL) {
		DL_DELETE(m->riders, r);
		derive_return(ts, r);
	}
	m->task->alone = true;
	m->task->written = m->bars.count;
	queue_return(ts->queue, m->task);
}

/* All dates have come, or what came is not to be trusted. */
void
group_finish(struct tasks *ts, struct active *a)
{
	struct group *g = a->group;
	uint64_t written = 0;
	bool good;

	for (size_t i = 0; i < g->samples.n; i++)
		rollup_compared(&g->samples.p[i].own);
	good = sample_proven(ts, g);
	/* The last goes back first, so that they stand in their order again. */
	for (size_t i = g->members.n; i-- > 0;) {
		struct member *m = &g->members.p[i];

		if (m->done)
			continue;
		if (good && m->bars.count > 0) {
			group_finish_member(ts, g, m);
			written++;
		} else {
			give_back(ts, m);
			m->task = NULL;
		}
	}
	ts->derive.grouped += written;
	ts->derive.saved += written > g->dates ? written - g->dates : 0;
	(void)tasks_drop(ts, a);
}

/* Dates. */

const char *
grouped_check(struct tasks *ts, struct active *a, const struct page *page)
{
	struct group *g = a->group;

	if (g == NULL || g->asked < g->samples.n)
		return NULL;
	if (page->rows == 0)
		return "bad page: no bars, but it is a session";
	g->look++;
	for (size_t i = 0; i < page->rows; i++) {
		const struct row *row = &page->row[i];
		struct member *m;

		if (row->ticker_n == 0)
			return "bad page: a row without T";
		if (calendar_date(ts->calendar, row->t) != g->date)
			return "bad page: a row of another date";
		HASH_FIND(hh, g->by_symbol, page->body.p + row->ticker, row->ticker_n, m);
		if (m == NULL)
			continue;
		if (m->look == g->look)
			return "bad page: a ticker is there twice";
		m->look = g->look;
		m->row = i;
	}
	return NULL;
}

/* A row of a grouped page as the API has it in a series: a day begins at midnight. */
struct row
group_day_of(
	struct tasks *ts, const struct group *g, const struct page *page, const struct member *m)
{
	struct row row = page->row[m->row];

	row.t = calendar_instant(ts->calendar, g->date, 0);
	return row;
}

/* A day of a member's: into out, if it belongs, and into what is made of it. */
void
group_add_day(struct tasks *ts, struct member *m, const struct page *page, const struct row *row,
	struct buffer *out)
{
	derive_rows(m->riders, page, row, 1, INT64_MIN);
	m->earliest = row->t < m->earliest ? row->t : m->earliest;
	if (!bars_belong(&m->bars, row->t))
		return;
	(void)bars_add(&m->bars, page, row, out);
	ts->count.bars++;
}

/* Compares the samples with their rows, then writes those of the others; false: one differs. */
static bool
write_date(struct tasks *ts, struct group *g, const struct page *page)
{
	bool ended = derive_ended(ts->calendar, TF_DAY, calendar_instant(ts->calendar, g->date, 0));

	for (size_t i = 0; i < g->samples.n && ended; i++) {
		struct sample *s = &g->samples.p[i];
		struct row row;

		if (s->member->look != g->look || s->failed)
			continue;
		row = group_day_of(ts, g, page, s->member);
		rollup_compare(&s->own, page, &row);
	}
	if (!sample_proven(ts, g))
		return false;
	for (size_t i = 0; i < g->members.n && ts->out->error == 0; i++) {
		struct member *m = &g->members.p[i];
		struct row row;

		if (m->look != g->look || m->sample)
			continue;
		row = group_day_of(ts, g, page, m);
		group_add_day(ts, m, page, &row, writer_room(ts->out));
		writer_done(ts->out);
	}
	return true;
}

/* The next date, or the end. */
void
group_go_on(struct tasks *ts, struct active *a)
{
	struct group *g = a->group;

	if (g->asked == g->samples.n) {
		int32_t date = calendar_session_after(ts->calendar, g->date + 1);

		if (date <= g->date || date > g->end) {
			group_finish(ts, a);
			return;
		}
		g->date = date;
	}
	ask_next(ts, a);
	queue_again(ts->queue, a->task);
}

void
grouped_page(struct tasks *ts, struct chunk *c, const struct page *page)
{
	struct active *a = c->active;
	struct group *g = a->group;

	g->pages++;
	if (signals_stop()) {
		(void)tasks_drop(ts, a);
	} else if (g->asked < g->samples.n) {
		sample_page(ts, a, page);
	} else if (g->samples.n == 0) {
		sample_take(ts, g, page);
		group_go_on(ts, a);
	} else if (write_date(ts, g, page)) {
		group_go_on(ts, a);
	} else {
		group_finish(ts, a);
	}
}

void
grouped_fail(struct tasks *ts, struct group *g, struct slice error)
{
	struct buffer text = {0};
	char date[DATE_SIZE];

	buffer_printf(&text, "grouped day %s: %.*s", date_format(date, g->date), SLICE(error));
	for (size_t i = 0; i < g->members.n; i++) {
		struct member *m = &g->members.p[i];

		if (!m->done)
			derive_fail(ts, m->task, &m->riders, buffer_slice(&text));
		m->done = true;
	}
	buffer_release(&text);
}

uint64_t
grouped_end(struct tasks *ts, struct active *a)
{
	struct group *g = a->group;
	uint64_t n = 0;

	HASH_CLEAR(hh, g->by_symbol);
	for (size_t i = 0; i < g->members.n; i++) {
		struct member *m = &g->members.p[i];

		if (m->task == NULL)
			continue;
		n += !m->done + derive_end(ts, &m->riders, (struct slice){0});
		queue_end(ts->queue, m->task);
	}
	for (size_t i = 0; i < g->samples.n; i++) {
		rollup_release(&g->samples.p[i].own);
		rollup_release(&g->samples.p[i].first);
	}
	free(g->samples.p);
	free(g->members.p);
	buffer_release(&g->held);
	free(g);
	a->group = NULL;
	return n;
}
