/* Tasks gathered, counted by table and window, judged one by one. */
#include "audit.h"

#include "checks.h"
#include "count.h"
#include "log.h"
#include "timestamp.h"

#include <stdlib.h>

void
audit_init(struct audit *a, enum mode mode, const struct calendar *c, struct pg *pg,
	struct writer *out)
{
	*a = (struct audit){.mode = mode, .calendar = c, .pg = pg};
	a->report = (struct report){.calendar = c, .out = out};
	a->fill = (struct fill){.calendar = c, .out = out};
	for (int tf = 0; tf < TF_COUNT; tf++)
		a->table[tf].tf = (enum timeframe)tf;
}

static void
forget_series(struct audit *a)
{
	for (size_t i = 0; i < a->count; i++)
		series_release(&a->series[i]);
	for (size_t i = 0; i < a->schedules; i++) {
		schedule_release(a->schedule[i]);
		free(a->schedule[i]);
	}
	a->count = a->cells = a->schedules = 0;
}

void
audit_release(struct audit *a)
{
	forget_series(a);
	free(a->series);
	free(a->schedule);
	free(a->order);
	for (int tf = 0; tf < TF_COUNT; tf++)
		pg_table_release(&a->table[tf]);
	free(a->answers.all.p);
	report_release(&a->report);
	fill_release(&a->fill);
}

/* The schedule of a window; tasks that follow each other mostly share some few. */
static struct schedule *
schedule_of(struct audit *a, enum timeframe tf, int64_t from, int64_t to)
{
	struct schedule *s;

	for (size_t i = a->schedules; i > 0; i--) {
		s = a->schedule[i - 1];
		if (s->tf == tf && s->from == from && s->to == to)
			return s;
	}
	if (a->schedules == a->schedule_cap) {
		a->schedule_cap = a->schedule_cap == 0 ? 16 : a->schedule_cap * 2;
		a->schedule = memory_grow(a->schedule, a->schedule_cap, sizeof(struct schedule *));
	}
	s = memory_grow(NULL, 1, sizeof *s);
	schedule_init(s, a->calendar, tf, from, to);
	a->schedule[a->schedules++] = s;
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
	if (a->count == a->cap) {
		a->cap = a->cap == 0 ? 64 : a->cap * 2;
		a->series = memory_grow(a->series, a->cap, sizeof *a->series);
		a->order = memory_grow(a->order, a->cap, sizeof(struct series *));
	}
	d = schedule_of(a, r->tf, from, to);
	series_init(&a->series[a->count++], r->job_id, r->symbol, d);
	a->cells += d->count + 1;
	return NULL;
}

bool
audit_full(const struct audit *a)
{
	return a->count >= AUDIT_TASKS || a->cells >= AUDIT_CELLS;
}

bool
audit_waiting(const struct audit *a)
{
	return a->count > 0;
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

/* Counts a group of series, or marks them as unusable. */
static enum outcome
count_group(struct audit *a, const struct cross *c, const struct group *g)
{
	struct pg_table *t = &a->table[g->series[0]->schedule->tf];
	int64_t start = clock_mono_ms();
	bool known = t->known, logged = t->fault[0] != '\0';
	enum outcome o = cross_table(t, a->pg);

	if (o == PG_OK && t->absent) {
		if (!known)
			log_warning("table %s does not exist: all of it is missing",
				timeframe_table(t->tf));
		return PG_OK;
	}
	if (o == PG_OK && !known && t->fault[0] == '\0')
		log_run("table %s: %s", timeframe_table(t->tf), t->about);
	if (o == PG_OK && t->fault[0] == '\0')
		o = a->presence ? count_series(t, a->pg, g, NULL) : cross_count(c, g);
	if (o == PG_TABLE || o == PG_DATA) {
		pg_table_fail(t, pg_why(a->pg));
		o = PG_OK;
	}
	if (!logged && t->fault[0] != '\0')
		log_error("%s", t->fault);
	for (size_t i = 0; i < g->n; i++)
		g->series[i]->unusable = t->fault[0] != '\0';
	log_debug("counted timeframe=%s symbols=%zu seconds=%.2f", timeframe_name(t->tf), g->n,
		(double)(clock_mono_ms() - start) / 1000);
	return o;
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
			series_mark(g->series[k], i, FOUND_BIT(FOUND_CLOSED));
	}
}

static void
sort_series(struct audit *a)
{
	for (size_t i = 0; i < a->count; i++)
		a->order[i] = &a->series[i];
	qsort(a->order, a->count, sizeof(struct series *), compare_series);
}

/* Begins a task's window where the table does, if that lies before it. */
static void
widen_window(struct audit *a, struct series *s)
{
	const struct schedule *d = s->schedule;
	int64_t from = schedule_aligned(d->tf, a->calendar, s->first);
	struct series old = *s;

	if (s->first > s->last || from >= d->from)
		return;
	series_init(s, old.job_id, old.symbol, schedule_of(a, d->tf, from, d->to));
	series_release(&old);
}

/* The first key of each symbol of a group. */
static enum outcome
look_back(struct audit *a, const struct group *g)
{
	struct pg_table *t = &a->table[g->series[0]->schedule->tf];
	enum outcome o = cross_table(t, a->pg);

	if (o != PG_OK || t->absent || t->fault[0] != '\0')
		return o;
	o = count_first(t, a->pg, g);
	/* Who may not read it is told when its rows are counted. */
	return o == PG_TABLE || o == PG_DATA ? PG_OK : o;
}

static enum outcome
widen_all(struct audit *a)
{
	enum outcome o = PG_OK;
	struct group g;

	for (size_t i = 0; i < a->count && o == PG_OK; i += g.n) {
		g = cross_group(a->order, a->count, i);
		o = look_back(a, &g);
	}
	for (size_t i = 0; i < a->count && o == PG_OK; i++)
		widen_window(a, &a->series[i]);
	sort_series(a);
	return o;
}

static bool
is_answered(void *data, const struct series *s, size_t period)
{
	return fill_answered(data, s, period);
}

static void
tell_series(struct audit *a, struct series *s)
{
	/* With -m it is the fill that counts what is not asked for again. */
	bool ask = a->mode == MODE_TASKS;

	s->answer = answers_of(&a->answers, s->symbol, s->schedule->tf);
	series_judge(s, a->least, ask ? NULL : is_answered, &a->fill);
	report_count(&a->report, s);
	if (a->mode == MODE_TABLE)
		report_row(&a->report, s);
	else if (a->mode == MODE_RECORDS)
		report_record(&a->report, s);
	else
		fill_series(&a->fill, s);
}

/* Counts and compares all series. */
static enum outcome
look_at_all(struct audit *a)
{
	const struct cross c = {a->order, a->count, a->table, a->pg, a->calendar};
	enum outcome o = PG_OK;
	struct group g;

	for (size_t i = 0; i < a->count && o == PG_OK; i += g.n) {
		g = cross_group(a->order, a->count, i);
		o = count_group(a, &c, &g);
		if (o == PG_OK)
			mark_closed(&g);
	}
	return o == PG_OK && !a->presence ? cross_check(&c) : o;
}

enum outcome
audit_run(struct audit *a)
{
	enum outcome o = PG_OK;

	if (a->count == 0)
		return PG_OK;
	sort_series(a);
	if (a->back)
		o = widen_all(a);
	/* A refresh asks whatever is there. */
	if (o == PG_OK && (a->mode != MODE_TASKS || a->fill.missing))
		o = look_at_all(a);
	for (size_t i = 0; i < a->count && o == PG_OK && a->report.out->error == 0; i++)
		tell_series(a, &a->series[i]);
	forget_series(a);
	return o;
}
