#ifndef TS_NUMERIC_H
#define TS_NUMERIC_H

#include "buffer.h"
#include "decimal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Postgres' binary NUMERIC, as numeric_send() and numeric_recv() of its utils/adt/numeric.c have
 * it: four 16-bit words (how many digits follow, weight of the first, sign, decimals to show) and
 * the digits in base 10000, grouped outward from the decimal point, groups of zeros stripped at
 * both ends. All in network order.
 */
enum {
	NUMERIC_GROUPS = 2 * (DECIMAL_TEXT + DECIMAL_EXPONENT) / 4 + 4,
	NUMERIC_MAX = 8 + 2 * NUMERIC_GROUPS, /* bytes of the longest that is ever made */
};

/* A number above or equal to 0 in its commonest form: digits, perhaps a point and digits. */
struct plain {
	uint64_t whole;
	uint64_t part;  /* the decimals as 16 digits: .86 is 8600000000000000 */
	unsigned scale; /* how many of them were written */
};

/*
 * Reads a plain number of up to 15 digits before the point and 16 behind it. False for any other,
 * which decimal_parse() may still take.
 */
bool plain_read(struct slice, struct plain *);

/* Numeric order: <0, 0 or >0. */
int plain_cmp(const struct plain *, const struct plain *);

/* Write the number to out, which has room for NUMERIC_MAX bytes; return how many were used. */
size_t numeric_of_plain(const struct plain *, unsigned char *out);
size_t numeric_of_decimal(const struct decimal *, unsigned char *out);
size_t numeric_of_int(int64_t, unsigned char *out);

/* Whether two numbers that Postgres or this module made are equal: 272.5 and 272.50 are. */
bool numeric_equal(struct slice, struct slice);

/*
 * Rounds as Postgres does for a column of NUMERIC(p, scale), half away from zero: writes to out, as
 * above, what such a column would hold. NaN and infinities stay what they are.
 */
size_t numeric_round(struct slice, int scale, unsigned char *out);

/* Appends the number as text, with the decimals that it shows. */
void numeric_write(struct slice, struct buffer *);

#endif
