/* Prices keep the digits they came with; this is all the arithmetic they need. */
#include "decimal.h"

#include <limits.h>

static size_t
span_digits(struct slice s, size_t at)
{
	size_t n = at;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n - at;
}

static int
parse_exponent(struct slice s, size_t at, int *exponent)
{
	bool negative = at < s.n && s.p[at] == '-';
	size_t n;
	int v = 0;

	if (at < s.n && (s.p[at] == '-' || s.p[at] == '+'))
		at++;
	n = span_digits(s, at);
	if (n == 0 || at + n != s.n)
		return -1;
	for (; at < s.n; at++) {
		v = v * 10 + (s.p[at] - '0');
		if (v > DECIMAL_EXPONENT)
			return -1;
	}
	*exponent = negative ? -v : v;
	return 0;
}

/* Splits the text into its parts; whether what it says is within bounds is not asked. */
static int
split(struct slice s, struct decimal *d)
{
	size_t at = 0;

	*d = (struct decimal){.top = INT_MIN};
	if (s.p == NULL || s.n == 0 || s.n > DECIMAL_TEXT)
		return -1;
	if (s.p[0] == '-') {
		d->negative = true;
		at++;
	}
	d->whole = (struct slice){s.p + at, span_digits(s, at)};
	if (d->whole.n == 0 || (d->whole.n > 1 && d->whole.p[0] == '0'))
		return -1;
	at += d->whole.n;
	d->part = (struct slice){s.p + at, 0};
	if (at < s.n && s.p[at] == '.') {
		at++;
		d->part = (struct slice){s.p + at, span_digits(s, at)};
		if (d->part.n == 0)
			return -1;
		at += d->part.n;
	}
	if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E'))
		return parse_exponent(s, at + 1, &d->exponent);
	return at == s.n ? 0 : -1;
}

int
decimal_parse(struct slice s, struct decimal *d)
{
	int low;

	if (split(s, d) != 0)
		return -1;
	d->scale = (int)d->part.n - d->exponent;
	low = -d->scale;
	if (d->scale < 0)
		d->scale = 0;
	for (int power = (int)d->whole.n - 1 + d->exponent; power >= low; power--) {
		if (decimal_digit(d, power) != 0) {
			d->top = power;
			break;
		}
	}
	return 0;
}

int
decimal_digit(const struct decimal *d, int power)
{
	/* The index counted from the point, in the number as written. */
	int written = power - d->exponent;

	if (written >= 0)
		return written < (int)d->whole.n ? d->whole.p[(int)d->whole.n - 1 - written] - '0' : 0;
	return -written <= (int)d->part.n ? d->part.p[-written - 1] - '0' : 0;
}

int
decimal_sign(const struct decimal *d)
{
	return d->top == INT_MIN ? 0 : d->negative ? -1 : 1;
}

int
decimal_cmp(const struct decimal *a, const struct decimal *b)
{
	int sign = decimal_sign(a);
	int low;

	if (sign != decimal_sign(b))
		return sign - decimal_sign(b);
	if (sign == 0)
		return 0;
	if (a->top != b->top)
		return a->top > b->top ? sign : -sign;
	low = a->scale > b->scale ? -a->scale : -b->scale;
	for (int power = a->top; power >= low; power--) {
		int diff = decimal_digit(a, power) - decimal_digit(b, power);

		if (diff != 0)
			return diff > 0 ? sign : -sign;
	}
	return 0;
}

int
decimal_round(const struct decimal *d, int places, int64_t *out)
{
	int64_t v = 0;

	if (decimal_sign(d) != 0) {
		for (int power = d->top; power >= -places; power--) {
			int digit = decimal_digit(d, power);

			if (v > (INT64_MAX - digit) / 10)
				return -1;
			v = v * 10 + digit;
		}
		if (decimal_digit(d, -places - 1) >= 5) {
			if (v == INT64_MAX)
				return -1;
			v++;
		}
	}
	*out = d->negative ? -v : v;
	return 0;
}
