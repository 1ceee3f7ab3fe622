#ifndef TS_NUMBER_H
#define TS_NUMBER_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Decimal numbers: read from text, compared, rounded, written as text and as Postgres' binary
 * NUMERIC, never through a double, unless that is what a column holds. Up to 64 digits before the
 * point and 64 behind it.
 */
enum {
	NUMBER_POINT = 16,		  /* groups of four digits before the point, */
	NUMBER_GROUPS = 2 * NUMBER_POINT, /* and as many behind it */
	NUMBER_DIGITS = 4 * NUMBER_POINT,
	NUMBER_TEXT = 400,		      /* bytes of the longest text, zeros included */
	NUMBER_BYTES = 8 + 2 * NUMBER_GROUPS, /* of the longest in binary */
};

struct number {
	bool negative;	    /* zero is not, however it is written */
	uint8_t first, end; /* the groups from the first to the last that is not 0; zero has none,
			       and both are NUMBER_GROUPS */
	uint8_t scale; /* decimals as written, the exponent applied: 272.50 has 2, 1.2e+06 has 0 */
	uint16_t group[NUMBER_GROUPS]; /* base 10000; only those from first to end hold anything */
};

/*
 * Reads a number by JSON's grammar. 0; or -1 if it is not one, has more than NUMBER_TEXT bytes, an
 * exponent beyond +-400 or digits beyond the limits.
 */
int number_parse(struct slice, struct number *);

struct number number_of_int(int64_t);

/* -1, 0 or 1: the sign. */
static inline int
number_sign(const struct number *d)
{
	return d->negative ? -1 : d->first < d->end;
}

/* Numeric order: <0, 0 or >0. 272.5 equals 272.50 and 2.725e2. */
int number_cmp(const struct number *, const struct number *);

/*
 * Rounds half away from zero, as Postgres does for a column of NUMERIC(p, scale); it has that scale
 * then, as far as it shows (0 where tens and more are rounded away). -1 if a digit too many is
 * carried.
 */
int number_round(struct number *, int scale);

/* The value times 10^places as an integer, rounded half away from zero. 0; or -1 if it does not
 * fit. */
int number_to_int(const struct number *, int places, int64_t *);

/* The nearest binary number, as Postgres' casts find it; beyond their range infinite or 0. */
double number_to_double(const struct number *);
float number_to_float(const struct number *);

/*
 * Postgres' binary NUMERIC, as numeric_send() and numeric_recv() of its utils/adt/numeric.c have
 * it: four 16-bit words (how many groups follow, weight of the first, sign, decimals to show) and
 * the groups, all in network order. number_binary() writes at most NUMBER_BYTES and returns how
 * many; number_of_binary() reads what it wrote.
 */
size_t number_binary(const struct number *, unsigned char *out);
struct number number_of_binary(struct slice);

/* Whether two binary numbers are equal: 272.5 and 272.50 are; NaN is equal to NaN alone. */
bool number_same(struct slice, struct slice);

/* Appends the number as text, with the decimals that it shows. */
void number_write(const struct number *, struct buffer *);

#endif
