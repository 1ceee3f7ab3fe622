/* Tasks gathered, counted by table and window, judged one by one. */
#include "audit.h"

#include "checks.h"
#include "count.h"
#include "log.h"
#include "timestamp.h"

#include <stdlib.h>

static void
forget_series(struct audit *a)
{
	for (size_t i = 0; i < a->series.n; i++)
		series_release(&a->series.p[i]);
	for (size_t i = 0; i < a->schedules.n; i++) {
		schedule_release(a->schedules.p[i]);
		free(a->schedules.p[i]);
	}
	a->series.n = a->cells = a->schedules.n = 0;
}

void
audit_release(struct audit *a)
{
	forget_series(a);
	free(a->series.p);
	free(a->schedules.p);
	free(a->cross.order);
	for (int tf = 0; tf < TF_COUNT; tf++)
		pg_table_release(&a->cross.tables.table[tf]);
	free(a->answers.all.p);
	report_release(&a->report);
	fill_release(&a->fill);
}

/* The schedule of a window; tasks that follow each other mostly share some few. */
static struct schedule *
schedule_of(struct audit *a, enum timeframe tf, int64_t from, int64_t to)
{
	struct schedule *s;

	for (size_t i = a->schedules.n; i > 0; i--) {
		s = a->schedules.p[i - 1];
		if (s->tf == tf && s->from == from && s->to == to)
			return s;
	}
	s = memory_grow(NULL, 1, sizeof *s);
	schedule_init(s, a->calendar, tf, from, to);
	*array_add(&a->schedules) = s;
	return s;
}

const char *
audit_task(struct audit *a, const struct record *r)
{
	int64_t from, to;
	struct schedule *d;
	const char *why = record_check_task(r, &from, &to);

	if (why != NULL)
		return why;
	d = schedule_of(a, r->tf, from, to);
	series_init(array_add(&a->series), r->job_id, r->symbol, d);
	a->cells += d->count + 1;
	return NULL;
}

/* By table, the coarse ones first, window and symbol. */
static int
compare_series(const void *x, const void *y)
{
	const struct series *a = *(struct series *const *)x, *b = *(struct series *const *)y;
	const struct schedule *s = a->schedule, *t = b->schedule;

	if (s->tf != t->tf)
		return s->tf > t->tf ? -1 : 1;
	if (s->from != t->from)
		return s->from < t->from ? -1 : 1;
	if (s->to != t->to)
		return s->to < t->to ? -1 : 1;
	return slice_cmp(a->symbol, b->symbol);
}

/*
 * A session that all symbols of a group lack, though all of those that have bars have later ones:
 * the exchange may have been closed.
 */
static void
mark_closed(const struct group *g)
{
	const struct schedule *d = g->series[0]->schedule;
	size_t held = 0;

	for (size_t k = 0; k < g->n; k++)
		held += g->series[k]->bars > 0;
	if (held < CHECK_CLOSED_SYMBOLS)
		return;
	for (size_t i = 0; i < d->count; i++) {
		size_t lack = 0;

		for (size_t k = 0; k < g->n; k++) {
			const struct series *s = g->series[k];

			lack += s->bars > 0 && s->cell[i].bars == 0 && s->last >= d->period[i].end;
		}
		for (size_t k = 0; k < g->n && lack == held && d->period[i].due; k++)
			g->series[k]->cell[i].found |= FOUND_CLOSED;
	}
}

/* Counts a group of series, or marks them as unusable. */
static enum outcome
count_group(struct audit *a, const struct group *g)
{
	enum timeframe tf = g->series[0]->schedule->tf;
	struct tables *d = &a->cross.tables;
	struct pg_table *t = &d->table[tf];
	const struct pg_table *usable;
	int64_t start = clock_mono_ms();
	bool known = t->known, logged = t->fault[0] != '\0', bad;
	enum outcome o = count_table(d, tf, &usable);

	if (o == PG_OK && !known && t->absent)
		log_warning("table %s does not exist: all of it is missing", timeframe_table(tf));
	if (!known && usable != NULL)
		log_run("table %s: %s", timeframe_table(tf), t->about);
	if (usable != NULL)
		o = a->presence ? count_series(d, g, false) : cross_count(&a->cross, g);
	if (o == PG_TABLE || o == PG_DATA) {
		pg_table_fail(t, pg_why(d->pg));
		o = PG_OK;
	}
	bad = t->fault[0] != '\0' && !t->absent;
	if (bad && !logged)
		log_error("%s", t->fault);
	for (size_t i = 0; i < g->n; i++)
		g->series[i]->unusable = bad;
	if (o == PG_OK)
		mark_closed(g);
	log_debug("counted timeframe=%s symbols=%zu seconds=%.2f", timeframe_name(tf), g->n,
		(double)(clock_mono_ms() - start) / 1000);
	return o;
}

static void
sort_series(struct audit *a)
{
	struct cross *c = &a->cross;

	c->count = a->series.n;
	c->order = memory_grow(c->order, c->count, sizeof(struct series *));
	for (size_t i = 0; i < c->count; i++)
		c->order[i] = &a->series.p[i];
	qsort(c->order, c->count, sizeof(struct series *), compare_series);
}

/* Until one fails. */
static enum outcome
each_group(struct audit *a, enum outcome (*visit)(struct audit *, const struct group *))
{
	enum outcome o = PG_OK;
	struct group g;

	for (size_t i = 0; i < a->cross.count && o == PG_OK; i += g.n) {
		g = cross_group(&a->cross, i);
		o = visit(a, &g);
	}
	return o;
}

/* The first key of each symbol of a group. */
static enum outcome
look_back(struct audit *a, const struct group *g)
{
	const struct pg_table *t;
	enum outcome o = count_table(&a->cross.tables, g->series[0]->schedule->tf, &t);

	if (o != PG_OK || t == NULL)
		return o;
	o = count_first(&a->cross.tables, g);
	/* Who may not read it is told when its rows are counted. */
	return o == PG_TABLE || o == PG_DATA ? PG_OK : o;
}

/* Begins a task's window where the table does, if that lies before it. */
static void
widen_window(struct audit *a, struct series *s)
{
	const struct schedule *d = s->schedule;
	struct series old = *s;
	int64_t from;

	if (s->first > s->last || (from = schedule_aligned(d, s->first)) >= d->from)
		return;
	series_init(s, old.job_id, old.symbol, schedule_of(a, d->tf, from, d->to));
	series_release(&old);
}

static void
tell_series(struct audit *a, struct series *s)
{
	/* With -m it is the fill that counts what is not asked for again. */
	bool ask = a->report.mode == MODE_TASKS;

	s->answer = answers_of(&a->answers, s->symbol, s->schedule->tf);
	series_judge(s, a->least, ask ? NULL : fill_answered, &a->fill);
	report_series(&a->report, s);
	if (ask)
		fill_series(&a->fill, s);
}

enum outcome
audit_run(struct audit *a)
{
	enum outcome o = PG_OK;

	if (a->series.n == 0)
		return PG_OK;
	sort_series(a);
	if (a->back) {
		o = each_group(a, look_back);
		for (size_t i = 0; i < a->series.n && o == PG_OK; i++)
			widen_window(a, &a->series.p[i]);
		sort_series(a);
	}
	/* A refresh asks whatever is there. */
	if (o == PG_OK && (a->report.mode != MODE_TASKS || a->fill.missing)) {
		o = each_group(a, count_group);
		if (o == PG_OK && !a->presence)
			o = cross_check(&a->cross);
	}
	for (size_t i = 0; i < a->series.n && o == PG_OK && a->report.out->error == 0; i++)
		tell_series(a, &a->series.p[i]);
	forget_series(a);
	return o;
}
