/* Restatements are news: after a split the whole history changes by one factor. */
#include "load.h"

#include "wire.h"

#include <math.h>

/* A price that changes by more than half a percent is not a mere correction. */
static const double least = 0.005;

/* Some four groups of four digits, which is what a double holds. */
static double
of_numeric(const unsigned char *p)
{
	int n = wire_get16(p), weight = (int16_t)wire_get16(p + 2);
	double value = 0, unit = 1;

	/* NaN and infinity have a sign of their own. */
	if (n == 0 || p[4] != 0)
		return 0;
	for (int i = weight; i > 0 && i < 16; i--)
		unit *= 10000;
	for (int i = weight; i < 0 && i > -16; i++)
		unit /= 10000;
	for (int i = 0; i < n && i < 5; i++, unit /= 10000)
		value += unit * wire_get16(p + 8 + 2 * i);
	return value;
}

/* One of the five values of a row; 0 where it has none. */
static double
of_field(const struct pg_table *t, int column, const PGresult *res, int row)
{
	const unsigned char *p = (const unsigned char *)PQgetvalue(res, row, 1 + column);
	union {
		uint64_t bits;
		double value;
	} eight;
	union {
		uint32_t bits;
		float value;
	} four;

	if (PQgetisnull(res, row, 1 + column))
		return 0;
	switch (t->type[column]) {
	case PG_INT8:
		return (double)(int64_t)wire_get64(p);
	case PG_INT4:
		return (int32_t)wire_get32(p);
	case PG_FLOAT8:
		eight.bits = wire_get64(p);
		return eight.value;
	case PG_FLOAT4:
		four.bits = wire_get32(p);
		return four.value;
	default:
		return of_numeric(p);
	}
}

void
restate_note(struct batch *b, const struct pg_table *t, size_t slot, const PGresult *res, int row)
{
	struct row *r = &b->row[b->slot[slot].row];
	const unsigned char *prices = batch_prices(b, r);
	struct restatement one = {0, 0, r->key, r->key};
	bool restated = false, wider = true;

	for (int i = 0; i < 4; i++) {
		double now = of_numeric((const unsigned char *)bar_price(&prices).p);
		double before = of_field(t, i, res, row);

		if (!(before > 0) || !(now > 0) || isinf(before))
			continue;
		restated = restated || fabs(now / before - 1) > least;
		wider = wider && (i == 0	  ? now == before
					 : i == 1 ? now >= before
						  : i == 3 || now <= before);
		if (one.high == 0 || before / now > one.high)
			one.high = before / now;
		if (one.low == 0 || before / now < one.low)
			one.low = before / now;
	}
	/* With the same open and more volume it was stored half-grown. */
	restated = restated && !(wider && (double)r->volume > of_field(t, 4, res, row));
	r->flags = (uint8_t)(restated ? r->flags | BAR_RESTATED : r->flags & ~BAR_RESTATED);
	if (restated)
		series_restated(&batch_group_at(b, slot)->restated, &one);
}
