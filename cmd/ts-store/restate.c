/* Restatements are news: after a split the whole history changes by one factor. */
#include "restate.h"

#include "wire.h"

#include <math.h>
#include <string.h>

/* A price that changes by more than half a percent is not a mere correction. */
static const double least = 0.005;

/* Some four groups of four digits, which is what a double holds. */
static double
of_numeric(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
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

static double
of_field(int type, struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	uint64_t bits = type == PG_FLOAT8 ? wire_get64(p) : 0;
	uint32_t half = type == PG_FLOAT4 ? wire_get32(p) : 0;
	double value;
	float real;

	if (type == PG_NUMERIC)
		return of_numeric(s);
	memcpy(&value, &bits, sizeof value);
	memcpy(&real, &half, sizeof real);
	return type == PG_FLOAT4 ? (double)real : value;
}

static double
of_volume(const struct pg_table *t, const PGresult *res, int row)
{
	struct slice s = {PQgetvalue(res, row, 5), (size_t)PQgetlength(res, row, 5)};
	const unsigned char *p = (const unsigned char *)s.p;

	switch (t->type[4]) {
	case PG_INT8:
		return (double)(int64_t)wire_get64(p);
	case PG_INT4:
		return (int32_t)wire_get32(p);
	default:
		return of_field(t->type[4], s);
	}
}

void
restate_note(struct batch *b, const struct pg_table *t, size_t slot, const PGresult *res, int row)
{
	struct row *r = &b->row[b->slot[slot].row];
	const unsigned char *prices = batch_prices(b, r);
	struct restatement one = {0, 0, r->key, r->key};
	bool restated = false, wider = true;
	double volume = PQgetisnull(res, row, 5) ? 0 : of_volume(t, res, row);

	for (int i = 0; i < 4; i++) {
		double now = of_numeric(bar_price(&prices)), before;

		if (PQgetisnull(res, row, 1 + i))
			continue;
		before = of_field(t->type[i], (struct slice){PQgetvalue(res, row, 1 + i),
						      (size_t)PQgetlength(res, row, 1 + i)});
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
	restated = restated && !(wider && (double)r->volume > volume);
	r->flags = (uint8_t)(restated ? r->flags | BAR_RESTATED : r->flags & ~BAR_RESTATED);
	if (restated)
		series_restated(&batch_group_at(b, slot)->restated, &one);
}
