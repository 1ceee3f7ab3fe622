/* Which timeframe is compared with which, and whom a difference is laid to. */
#include "cross.h"

#include "checks.h"
#include "log.h"

size_t
cross_group(struct series *const *order, size_t count, size_t i)
{
	size_t n = 1;

	while (i + n < count && order[i + n]->schedule == order[i]->schedule &&
		!slice_eq(order[i + n]->symbol, order[i + n - 1]->symbol))
		n++;
	return n;
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
peer(const struct cross *c, enum timeframe tf, const struct pg_table **t)
{
	enum outcome o = cross_table(&c->table[tf], c->pg);

	*t = o == PG_OK && !c->table[tf].absent && c->table[tf].fault[0] == '\0' ? &c->table[tf]
										 : NULL;
	return o;
}

/* Marks the period of a date in all series of a symbol and timeframe; all marks that it then has.
 */
static uint32_t
mark(const struct cross *c, enum timeframe tf, struct slice symbol, int32_t date, uint32_t bits)
{
	uint32_t marks = 0;

	for (size_t i = 0, n; i < c->count; i += n) {
		struct series *s;
		size_t period;

		n = cross_group(c->order, c->count, i);
		if (c->order[i]->schedule->tf != tf)
			continue;
		s = sql_series(c->order + i, n, symbol.p);
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
take(void *data, struct series *s, size_t period, const struct comparison *x)
{
	const struct cross *c = data;
	enum timeframe tf = s->schedule->tf;
	const struct period *p = &s->schedule->period[period];

	series_measure(s, period, x);
	series_mark(s, period, series_findings(tf, x));
	if (timeframe_intraday(tf)) {
		if (x->day)
			(void)mark(c, TF_DAY, s->symbol, p->first, FOUND_BIT(FOUND_COMPARED));
		if (x->parts)
			(void)mark(c, TF_HOUR, s->symbol, p->first, FOUND_BIT(FOUND_COMPARED));
		return;
	}
	for (int32_t d = p->first; x->parts && d <= p->last; d++)
		(void)mark(c, TF_DAY, s->symbol, d, FOUND_BIT(FOUND_COMPARED));
}

/*
 * Now that it is known which sessions are on another basis: a volume above the day's is the day's
 * fault, prices outside of it and hours that differ may be either's, except hours on another basis.
 */
static void
share(const struct cross *c, struct series *s)
{
	const uint32_t volume = FOUND_BIT(FOUND_VOLUME), hours = FOUND_BIT(FOUND_HOURS);

	for (size_t i = 0; i < s->schedule->count; i++) {
		int32_t date = s->schedule->period[i].first;
		uint32_t *found = &s->cell[i].found,
			 day = *found & (volume | FOUND_BIT(FOUND_RANGE));

		if ((*found & FOUND_BIT(FOUND_NO_DAY)) != 0 || s->cell[i].bars == 0) {
			if ((mark(c, TF_DAY, s->symbol, date, 0) & FOUND_BIT(FOUND_ABSENT)) != 0)
				*found |= FOUND_BIT(FOUND_DAY_FIRST);
		}
		if ((*found & hours) != 0 && s->schedule->tf == TF_1MIN) {
			if ((mark(c, TF_HOUR, s->symbol, date, 0) & FOUND_BIT(FOUND_BASIS)) != 0)
				*found &= ~hours;
			else
				(void)mark(c, TF_HOUR, s->symbol, date, hours);
		}
		if (day != 0 && mark(c, TF_DAY, s->symbol, date, day) != 0 && (day & volume) != 0)
			*found &= ~day;
	}
}

/* Presence is known all the same; the certificate tells that nothing was compared. */
static enum outcome
uncompared(const struct cross *c, enum timeframe tf, enum outcome o)
{
	if (o != PG_TABLE && o != PG_DATA)
		return o;
	log_warning("%s cannot be compared: %s", timeframe_table(tf), pg_why(c->pg));
	return PG_OK;
}

enum outcome
cross_count(const struct cross *c, struct series *const *series, size_t n)
{
	enum timeframe tf = series[0]->schedule->tf;
	const struct pg_table *t = &c->table[tf];
	struct values v = {.take = take, .data = (void *)(uintptr_t)c};
	enum outcome o = PG_OK;

	if (timeframe_intraday(tf))
		o = peer(c, TF_DAY, &v.days);
	if (o == PG_OK && tf == TF_1MIN)
		o = peer(c, TF_HOUR, &v.hours);
	if (o == PG_OK)
		o = count_series(t, c->pg, series, n, &v);
	if (timeframe_intraday(tf) && (o == PG_TABLE || o == PG_DATA)) {
		(void)uncompared(c, tf, o);
		o = count_series(t, c->pg, series, n, NULL);
	}
	for (size_t i = 0; i < n && o == PG_OK && v.days != NULL; i++)
		series_basis(series[i]);
	return o;
}

static enum outcome
roll_up(const struct cross *c, struct series *const *series, size_t n)
{
	const struct schedule *d = series[0]->schedule;
	struct values v = {.take = take, .data = (void *)(uintptr_t)c};
	const struct pg_table *t;
	enum outcome o = peer(c, d->tf, &t);

	if (o == PG_OK)
		o = peer(c, TF_DAY, &v.days);
	if (o != PG_OK || t == NULL || v.days == NULL || d->count == 0)
		return o;
	return uncompared(c, d->tf, values_roll_up(t, &v, c->pg, series, n, c->calendar));
}

static void
begin(void *data)
{
	*(double *)data = 0;
}

static void
take_level(void *data, const PGresult *res, int row)
{
	*(double *)data = (double)sql_number(res, row, 0) / 1000;
}

/* How the open of a day stands to the close of an earlier one; 0: not known. */
static enum outcome
level(const struct cross *c, struct series *s, int32_t before, int32_t after, double *ratio)
{
	const struct pg_table *t = &c->table[TF_DAY];
	const struct pg_sink sink = {take_level, ratio};
	struct buffer sql = {0}, value[3] = {0};
	enum outcome o;

	SQL(&sql,
		"SELECT least(b.open::float8 / NULLIF(a.close, 0)::float8 * 1000, 1e9)::int8 FROM ",
		t->name, " a, ", t->name,
		" b WHERE a.symbol = b.symbol AND a.symbol = ANY"
		" ($1::text[]::",
		t->symbol_type, "[]) AND a.", t->key, " = $2::date AND b.", t->key, " = $3::date");
	sql_symbols(&value[0], &s, 1);
	sql_key(&value[1], TF_DAY, before);
	sql_key(&value[2], TF_DAY, after);
	o = sql_run(c->pg, buffer_cstr(&sql), value, 3, begin, &sink);
	buffer_release(&sql);
	return o;
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
			o = level(c, s, p[last].first, p[i].first, &ratio);
			for (int32_t d = p[last].first + 1;
				d < p[i].first && ratio > 0 &&
				(ratio > CHECK_LEVEL || ratio * CHECK_LEVEL < 1);
				d++) {
				for (int tf = 0; tf < TF_COUNT; tf++)
					(void)mark(c, (enum timeframe)tf, s->symbol, d,
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

	for (size_t i = 0, n; i < c->count && o == PG_OK; i += n) {
		enum timeframe tf = c->order[i]->schedule->tf;

		n = cross_group(c->order, c->count, i);
		if (tf == TF_WEEK || tf == TF_MONTH)
			o = roll_up(c, c->order + i, n);
		for (size_t k = i; k < i + n && o == PG_OK && tf == TF_DAY; k++)
			o = uncompared(c, tf, find_renamed(c, c->order[k]));
	}
	for (size_t i = 0; i < c->count && o == PG_OK; i++) {
		if (timeframe_intraday(c->order[i]->schedule->tf))
			share(c, c->order[i]);
	}
	return o;
}
