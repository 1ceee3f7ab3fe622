#ifndef TS_DECIMAL_H
#define TS_DECIMAL_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Decimal numbers as text: read, compared and rounded digit by digit, never through a double.
 */
enum { DECIMAL_TEXT = 400, DECIMAL_EXPONENT = 400 };

/*
 * A number as it was written. The slices borrow from the text; decimal_digit() reads a digit by its
 * worth.
 */
struct decimal {
	struct slice whole; /* the digits before the point */
	struct slice part;  /* the digits behind it */
	int exponent;
	int top;   /* power of ten of the first digit that is not 0; INT_MIN for zero */
	int scale; /* decimals as written, the exponent applied: 272.50 has 2, 1.2e+06 has 0 */
	bool negative;
};

/*
 * Reads a number by JSON's grammar. 0; or -1 if it is none, has more than DECIMAL_TEXT bytes or an
 * exponent beyond +-DECIMAL_EXPONENT. The text must outlive the decimal.
 */
int decimal_parse(struct slice, struct decimal *);

/* The digit worth 10^power, 0-9; 0 outside of what is written. */
int decimal_digit(const struct decimal *, int power);

/* -1, 0 or 1: the sign. Zero has none, however it is written. */
int decimal_sign(const struct decimal *);

/* Numeric order: <0, 0 or >0. 272.5 equals 272.50 and 2.725e2. */
int decimal_cmp(const struct decimal *, const struct decimal *);

/*
 * The value times 10^places as an integer, rounded half away from zero. 0; or -1 if it does not fit.
 */
int decimal_round(const struct decimal *, int places, int64_t *);

#endif
