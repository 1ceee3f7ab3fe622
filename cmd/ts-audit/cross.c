/* Which timeframe is compared with which, and whom a difference is laid to. */
#include "cross.h"

#include "checks.h"
#include "log.h"

struct group
cross_group(const struct cross *c, size_t i)
{
	struct group g = {c->order + i, 1};

	while (i + g.n < c->count && c->order[i + g.n]->schedule == c->order[i]->schedule &&
		!slice_eq(c->order[i + g.n]->symbol, c->order[i + g.n - 1]->symbol))
		g.n++;
	return g;
}

/*
 * Marks the period of a date in all series of a symbol and timeframe; all marks that it then has.
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

		g = cross_group(c, i);
		if (c->order[i]->schedule->tf != tf)
			continue;
		s = group_find(&g, symbol);
		if (s == NULL || (period = series_period(s, date)) == SIZE_MAX)
			continue;
		s->cell[period].found |= bits;
		marks |= s->cell[period].found;
		if (s->cell[period].bars == 0)
			marks |= FOUND_ABSENT;
	}
	return marks;
}

/*
 * Now that it is known which sessions are on another basis: a volume above the day's is the day's
 * fault, prices outside of it and hours that differ may be either's, except hours on another basis.
 */
static void
lay_session(const struct cross *c, struct series *s, size_t i)
{
	int32_t date = s->schedule->period[i].first;
	struct cell *cell = &s->cell[i];
	uint32_t *found = &cell->found, day = *found & (FOUND_VOLUME | FOUND_RANGE);

	if (cell->ratio > 0)
		day |= FOUND_COMPARED;
	if (((*found & FOUND_NO_DAY) != 0 || cell->bars == 0) &&
		(mark_date(c, TF_DAY, s->symbol, date, 0) & FOUND_ABSENT) != 0)
		*found |= FOUND_DAY_FIRST;
	if ((*found & FOUND_PARTS) != 0)
		(void)mark_date(c, TF_HOUR, s->symbol, date, FOUND_COMPARED);
	if ((*found & FOUND_HOURS) != 0) {
		if ((mark_date(c, TF_HOUR, s->symbol, date, 0) & FOUND_BASIS) != 0)
			*found &= ~(uint32_t)FOUND_HOURS;
		else
			(void)mark_date(c, TF_HOUR, s->symbol, date, FOUND_HOURS);
	}
	if (day != 0 && mark_date(c, TF_DAY, s->symbol, date, day) != 0 &&
		(day & FOUND_VOLUME) != 0)
		*found &= ~(day & FOUND_DIFFERS);
}

/* A week or month was compared with its days. */
static void
mark_days(const struct cross *c, const struct series *s, size_t i)
{
	const struct period *p = &s->schedule->period[i];

	if (!series_found(s, i, FOUND_PARTS))
		return;
	for (int32_t d = p->first; d <= p->last; d++)
		(void)mark_date(c, TF_DAY, s->symbol, d, FOUND_COMPARED);
}

/* Presence is known all the same; the certificate tells that nothing was compared. */
static enum outcome
note_uncompared(const struct cross *c, enum timeframe tf, enum outcome o)
{
	if (o != PG_TABLE && o != PG_DATA)
		return o;
	log_warning("%s cannot be compared: %s", timeframe_table(tf), pg_why(c->tables.pg));
	return PG_OK;
}

enum outcome
cross_count(struct cross *c, const struct group *g)
{
	enum timeframe tf = g->series[0]->schedule->tf;
	enum outcome o = count_series(&c->tables, g, true);

	if (timeframe_intraday(tf) && (o == PG_TABLE || o == PG_DATA)) {
		(void)note_uncompared(c, tf, o);
		o = count_series(&c->tables, g, false);
	}
	for (size_t i = 0; i < g->n && o == PG_OK && timeframe_intraday(tf); i++)
		series_basis(g->series[i]);
	return o;
}

static enum outcome
roll_up_group(struct cross *c, const struct group *g)
{
	const struct schedule *d = g->series[0]->schedule;
	const struct pg_table *t, *days;
	enum outcome o = count_table(&c->tables, d->tf, &t);

	if (o == PG_OK)
		o = count_table(&c->tables, TF_DAY, &days);
	if (o != PG_OK || t == NULL || days == NULL || d->count == 0)
		return o;
	return note_uncompared(c, d->tf, count_roll_up(&c->tables, g));
}

/* Days without bars between two securities are not missing, in no timeframe. */
static enum outcome
find_renamed(struct cross *c, struct series *s)
{
	const struct period *p = s->schedule->period;
	size_t last = SIZE_MAX;
	enum outcome o = PG_OK;
	double ratio = 0;

	for (size_t i = 0; i < s->schedule->count && o == PG_OK; i++) {
		if (s->cell[i].bars == 0)
			continue;
		if (last != SIZE_MAX && i - last > CHECK_GAP + 1) {
			o = count_level(&c->tables, s, p[last].first, p[i].first, &ratio);
			/* On one level it is one security. */
			if (ratio <= CHECK_LEVEL && ratio * CHECK_LEVEL >= 1)
				ratio = 0;
			for (int32_t d = p[last].first + 1; d < p[i].first && ratio > 0; d++) {
				for (enum timeframe tf = 0; tf < TF_COUNT; tf++)
					(void)mark_date(c, tf, s->symbol, d, FOUND_RENAMED);
			}
		}
		last = i;
	}
	return o;
}

enum outcome
cross_check(struct cross *c)
{
	enum outcome o = PG_OK;
	struct group g;

	for (size_t i = 0; i < c->count && o == PG_OK; i += g.n) {
		enum timeframe tf = c->order[i]->schedule->tf;

		g = cross_group(c, i);
		if (tf == TF_WEEK || tf == TF_MONTH)
			o = roll_up_group(c, &g);
		for (size_t k = 0; k < g.n && o == PG_OK && tf == TF_DAY; k++)
			o = note_uncompared(c, tf, find_renamed(c, g.series[k]));
	}
	for (size_t k = 0; k < c->count && o == PG_OK; k++) {
		struct series *s = c->order[k];

		for (size_t i = 0; i < s->schedule->count; i++) {
			if (timeframe_intraday(s->schedule->tf))
				lay_session(c, s, i);
			else
				mark_days(c, s, i);
		}
	}
	return o;
}
