/* Which timeframe is compared with which, and whom a difference is laid to. */
#include "cross.h"

#include "checks.h"
#include "log.h"

struct group
cross_group(struct series *const *order, size_t count, size_t i)
{
	struct group g = {order + i, 1};

	while (i + g.n < count && order[i + g.n]->schedule == order[i]->schedule &&
		!slice_eq(order[i + g.n]->symbol, order[i + g.n - 1]->symbol))
		g.n++;
	return g;
}

static enum outcome
read_table(struct pg *pg, void *table)
{
	enum outcome o = pg_begin(pg);

	if (o == PG_OK)
		o = pg_table_read(table, pg);
	return o == PG_OK ? pg_commit(pg) : o;
}

enum outcome
cross_table(struct pg_table *t, struct pg *pg)
{
	enum outcome o = t->known ? PG_OK : pg_patiently(pg, read_table, t);

	if (o != PG_TABLE)
		return o;
	pg_table_fail(t, pg_why(pg));
	t->known = true;
	return PG_OK;
}

/* A table that can be compared with, or NULL. */
static enum outcome
read_peer(const struct cross *c, enum timeframe tf, const struct pg_table **t)
{
	enum outcome o = cross_table(&c->table[tf], c->pg);

	*t = o == PG_OK && !c->table[tf].absent && c->table[tf].fault[0] == '\0' ? &c->table[tf]
										 : NULL;
	return o;
}

/* Marks the period of a date in all series of a symbol and timeframe; all marks that it then has.
 */
static uint32_t
mark_date(
	const struct cross *c, enum timeframe tf, struct slice symbol, int32_t date, uint32_t bits)
{
	uint32_t marks = 0;
	struct group g;

	for (size_t i = 0; i < c->count; i += g.n) {
		struct series *s;
		size_t period;

		g = cross_group(c->order, c->count, i);
		if (c->order[i]->schedule->tf != tf)
			continue;
		s = sql_series(&g, symbol.p);
		if (s == NULL || (period = series_period(s, date)) == SIZE_MAX)
			continue;
		series_mark(s, period, bits);
		marks |= s->cell[period].found;
		if (s->cell[period].bars == 0)
			marks |= FOUND_BIT(FOUND_ABSENT);
	}
	return marks;
}

static void
take_comparison(void *data, struct series *s, size_t period, const struct comparison *x)
{
	const struct cross *c = data;
	enum timeframe tf = s->schedule->tf;
	const struct period *p = &s->schedule->period[period];

	series_measure(s, period, x);
	series_mark(s, period, series_findings(tf, x));
	if (timeframe_intraday(tf)) {
		if (x->day)
			(void)mark_date(c, TF_DAY, s->symbol, p->first, FOUND_BIT(FOUND_COMPARED));
		if (x->parts)
			(void)mark_date(c, TF_HOUR, s->symbol, p->first, FOUND_BIT(FOUND_COMPARED));
		return;
	}
	for (int32_t d = p->first; x->parts && d <= p->last; d++)
		(void)mark_date(c, TF_DAY, s->symbol, d, FOUND_BIT(FOUND_COMPARED));
}

/*
 * Now that it is known which sessions are on another basis: a volume above the day's is the day's
 * fault, prices outside of it and hours that differ may be either's, except hours on another basis.
 */
static void
lay_to(const struct cross *c, struct series *s)
{
	const uint32_t volume = FOUND_BIT(FOUND_VOLUME), hours = FOUND_BIT(FOUND_HOURS);

	for (size_t i = 0; i < s->schedule->count; i++) {
		int32_t date = s->schedule->period[i].first;
		uint32_t *found = &s->cell[i].found,
			 day = *found & (volume | FOUND_BIT(FOUND_RANGE));

		if ((*found & FOUND_BIT(FOUND_NO_DAY)) != 0 || s->cell[i].bars == 0) {
			if ((mark_date(c, TF_DAY, s->symbol, date, 0) & FOUND_BIT(FOUND_ABSENT)) !=
				0)
				*found |= FOUND_BIT(FOUND_DAY_FIRST);
		}
		if ((*found & hours) != 0 && s->schedule->tf == TF_1MIN) {
			if ((mark_date(c, TF_HOUR, s->symbol, date, 0) & FOUND_BIT(FOUND_BASIS)) !=
				0)
				*found &= ~hours;
			else
				(void)mark_date(c, TF_HOUR, s->symbol, date, hours);
		}
		if (day != 0 && mark_date(c, TF_DAY, s->symbol, date, day) != 0 &&
			(day & volume) != 0)
			*found &= ~day;
	}
}

/* Presence is known all the same; the certificate tells that nothing was compared. */
static enum outcome
note_uncompared(const struct cross *c, enum timeframe tf, enum outcome o)
{
	if (o != PG_TABLE && o != PG_DATA)
		return o;
	log_warning("%s cannot be compared: %s", timeframe_table(tf), pg_why(c->pg));
	return PG_OK;
}

enum outcome
cross_count(const struct cross *c, const struct group *g)
{
	enum timeframe tf = g->series[0]->schedule->tf;
	const struct pg_table *t = &c->table[tf];
	struct values v = {.take = take_comparison, .data = (void *)(uintptr_t)c};
	enum outcome o = PG_OK;

	if (timeframe_intraday(tf))
		o = read_peer(c, TF_DAY, &v.days);
	if (o == PG_OK && tf == TF_1MIN)
		o = read_peer(c, TF_HOUR, &v.hours);
	if (o == PG_OK)
		o = count_series(t, c->pg, g, &v);
	if (timeframe_intraday(tf) && (o == PG_TABLE || o == PG_DATA)) {
		(void)note_uncompared(c, tf, o);
		o = count_series(t, c->pg, g, NULL);
	}
	for (size_t i = 0; i < g->n && o == PG_OK && v.days != NULL; i++)
		series_basis(g->series[i]);
	return o;
}

static enum outcome
roll_up_group(const struct cross *c, const struct group *g)
{
	const struct schedule *d = g->series[0]->schedule;
	struct values v = {.take = take_comparison, .data = (void *)(uintptr_t)c};
	const struct pg_table *t;
	enum outcome o = read_peer(c, d->tf, &t);

	if (o == PG_OK)
		o = read_peer(c, TF_DAY, &v.days);
	if (o != PG_OK || t == NULL || v.days == NULL || d->count == 0)
		return o;
	return note_uncompared(c, d->tf, values_roll_up(t, &v, c->pg, g, c->calendar));
}

static void
take_level(void *data, const PGresult *res, int row)
{
	*(double *)data = (double)sql_number(res, row, 0) / 1000;
}

/* How the open of a day stands to the close of an earlier one; 0: not known. */
static enum outcome
read_level(const struct cross *c, struct series *s, int32_t before, int32_t after, double *ratio)
{
	const struct pg_table *t = &c->table[TF_DAY];
	struct query q = {.n = 3, .sink = {take_level, ratio}};

	*ratio = 0;
	SQL(&q.text,
		"SELECT least(b.open::float8 / NULLIF(a.close, 0)::float8 * 1000, 1e9)::int8 FROM ",
		t->name, " a, ", t->name,
		" b WHERE a.symbol = b.symbol AND a.symbol = ANY"
		" ($1::text[]::",
		t->symbol_type, "[]) AND a.", t->key, " = $2::date AND b.", t->key, " = $3::date");
	sql_symbols(&q.value[0], &(struct group){&s, 1});
	sql_key(&q.value[1], TF_DAY, before);
	sql_key(&q.value[2], TF_DAY, after);
	return sql_run(c->pg, &q);
}

/* Days without bars between two securities are not missing, in no timeframe. */
static enum outcome
find_renamed(const struct cross *c, struct series *s)
{
	const struct period *p = s->schedule->period;
	size_t last = SIZE_MAX;
	enum outcome o = PG_OK;
	double ratio = 0;

	for (size_t i = 0; i < s->schedule->count && o == PG_OK; i++) {
		if (s->cell[i].bars == 0)
			continue;
		if (last != SIZE_MAX && i - last > CHECK_GAP + 1) {
			o = read_level(c, s, p[last].first, p[i].first, &ratio);
			for (int32_t d = p[last].first + 1;
				d < p[i].first && ratio > 0 &&
				(ratio > CHECK_LEVEL || ratio * CHECK_LEVEL < 1);
				d++) {
				for (int tf = 0; tf < TF_COUNT; tf++)
					(void)mark_date(c, (enum timeframe)tf, s->symbol, d,
						FOUND_BIT(FOUND_RENAMED));
			}
		}
		last = i;
	}
	return o;
}

enum outcome
cross_check(const struct cross *c)
{
	enum outcome o = PG_OK;
	struct group g;

	for (size_t i = 0; i < c->count && o == PG_OK; i += g.n) {
		enum timeframe tf = c->order[i]->schedule->tf;

		g = cross_group(c->order, c->count, i);
		if (tf == TF_WEEK || tf == TF_MONTH)
			o = roll_up_group(c, &g);
		for (size_t k = 0; k < g.n && o == PG_OK && tf == TF_DAY; k++)
			o = note_uncompared(c, tf, find_renamed(c, g.series[k]));
	}
	for (size_t i = 0; i < c->count && o == PG_OK; i++) {
		if (timeframe_intraday(c->order[i]->schedule->tf))
			lay_to(c, c->order[i]);
	}
	return o;
}
