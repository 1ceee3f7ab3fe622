/* A group of tasks from its first date to its verdicts. */
#include "grouped.h"

#include "group.h"
#include "log.h"
#include "signals.h"
#include "task.h"
#include "timestamp.h"

#include <stdlib.h>
#include <utlist.h>

enum { LOOK = 32 }; /* tasks of a job for each that would be grouped: its timeframes at most */

/* Begin. */

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
add_member(struct tasks *ts, struct group *g, struct task *t, struct rider *riders)
{
	struct series series = {t->symbol, TF_DAY, t->start, t->end, ts->options.adjusted};
	struct member *m = array_add(&g->members);

	*m = (struct member){.task = t, .riders = riders};
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

		if (!task_belongs(t, first) || !queue_may_begin(ts->queue, t)) {
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

	if (ts->options.grouped == 0 || ts->derive.ungrouped || !task_belongs(a->task, a->task) ||
		sessions == 0 || !enough_tasks(a->task, sessions))
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
announce_member(struct tasks *ts, struct member *m)
{
	announce_loading(ts, m->task);
	for (struct rider *r = m->riders; r != NULL; r = r->next)
		announce_loading(ts, r->task);
}

void
grouped_announce(struct tasks *ts, struct group *g)
{
	for (size_t i = 0; i < g->members.n && g->pages == 0; i++)
		announce_member(ts, &g->members.p[i]);
}

/* Verdicts. */

void
group_finish_member(struct tasks *ts, struct active *a, struct member *m)
{
	struct group *g = a->group;

	/* What was downloaded for all is counted once. */
	m->bars.bytes = a->bars.bytes;
	a->bars.bytes = 0;
	announce_fetched(ts, m->task, &m->bars);
	derive_ready(ts, &m->riders, g->asked < g->samples.n ? g->pages : 1);
	m->done = true;
}

/*
 * It begins anew, to be asked for by itself, and so do those that ride on it. Bars that are written
 * stay: they had been compared.
 */
static void
give_member_back(struct tasks *ts, struct group *g, struct member *m)
{
	struct task *t = m->task;
	struct rider *r;

	while ((r = m->riders) != NULL) {
		DL_DELETE(m->riders, r);
		derive_return(ts, r);
	}
	t->alone = true;
	if (m->bars.count > 0) {
		t->written = (uint32_t)m->bars.count;
		t->first = calendar_date(ts->calendar, m->bars.first);
		t->last = calendar_date(ts->calendar, m->bars.last);
		t->start = g->date;
	}
	queue_return(ts->queue, t);
	m->task = NULL;
}

void
group_finish(struct tasks *ts, struct active *a, bool good)
{
	struct group *g = a->group;
	uint64_t written = 0;

	/* The last goes back first, so that they stand in their order again. */
	for (size_t i = g->members.n; i-- > 0;) {
		struct member *m = &g->members.p[i];

		if (m->done)
			continue;
		if (good && m->bars.count > 0) {
			group_finish_member(ts, a, m);
			written++;
		} else {
			give_member_back(ts, g, m);
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
			return "bad page: a ticker occurs twice";
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

void
group_add_day(struct tasks *ts, struct member *m, const struct page *page, const struct row *row,
	int64_t before)
{
	derive_row(m->riders, page, row, before);
	if (!bars_belong(&m->bars, row->t))
		return;
	(void)bars_add(&m->bars, page, row, writer_room(ts->out));
	writer_done(ts->out);
	ts->count.bars++;
}

static void
write_date(struct tasks *ts, struct group *g, const struct page *page)
{
	for (size_t i = 0; i < g->members.n && ts->out->error == 0; i++) {
		struct member *m = &g->members.p[i];
		struct row row;

		if (m->look != g->look || m->sample)
			continue;
		row = group_day_of(ts, g, page, m);
		group_add_day(ts, m, page, &row, INT64_MIN);
	}
}

void
group_go_on(struct tasks *ts, struct active *a)
{
	struct group *g = a->group;

	if (g->asked == g->samples.n) {
		int32_t date = calendar_session_after(ts->calendar, g->date + 1);

		if (date <= g->date || date > g->end) {
			group_finish(ts, a, sample_proven(ts, g));
			return;
		}
		g->date = date;
	}
	ask_next(ts, a);
	queue_again(ts->queue, a->task);
}

void
group_date(struct tasks *ts, struct active *a, const struct page *page)
{
	sample_compare(ts, a->group, page);
	if (sample_proven(ts, a->group)) {
		write_date(ts, a->group, page);
		group_go_on(ts, a);
	} else {
		group_finish(ts, a, false);
	}
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
	} else {
		group_date(ts, a, page);
	}
}

bool
grouped_give_up(struct tasks *ts, struct active *a, struct slice error, const char *tail)
{
	const struct group *g = a->group;
	char date[DATE_SIZE];

	if (g->asked < g->samples.n)
		return false;
	log_warning("grouped day %s: %.*s; the days of %zu symbols are asked for one by one%s",
		date_format(date, g->date), SLICE(error), g->members.n, tail);
	group_finish(ts, a, false);
	return true;
}

void
grouped_fail(struct tasks *ts, struct group *g, struct slice error)
{
	for (size_t i = 0; i < g->members.n; i++) {
		struct member *m = &g->members.p[i];

		if (!m->done)
			derive_fail(ts, m->task, &m->riders, error);
		m->done = true;
	}
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
	for (size_t i = 0; i < g->samples.n; i++)
		rollup_release(&g->samples.p[i].own);
	free(g->samples.p);
	free(g->members.p);
	free(g->rows.p);
	buffer_release(&g->body);
	free(g);
	a->group = NULL;
	return n;
}
