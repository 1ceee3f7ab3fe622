/* Groups of four digits, as Postgres has them: all the arithmetic that prices need. */
#include "number.h"

#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 8, GROUP = 10000, NEGATIVE = 0x4000, EXPONENT_MAX = 400 };

static const uint16_t worth[4] = {1, 10, 100, 1000};

static size_t
span_digits(struct slice s, size_t at)
{
	size_t n = at;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n - at;
}

/* The group that holds the digit worth 10^power. */
static int
index_of(int power)
{
	return NUMBER_POINT - 1 - ((power + NUMBER_DIGITS) / 4 - NUMBER_POINT);
}

/* Leaves out the groups of zeros at both ends. */
static void
trim_zeros(struct number *d)
{
	while (d->end > d->first && d->group[d->end - 1] == 0)
		d->end--;
	while (d->first < d->end && d->group[d->first] == 0)
		d->first++;
	if (d->first == d->end)
		d->negative = false;
}

/* Adds to a group; -1 where it has no such place. */
static int
add_group(struct number *d, int power, unsigned v)
{
	if (v == 0)
		return 0;
	if (power >= NUMBER_DIGITS || power < -NUMBER_DIGITS)
		return -1;
	d->group[index_of(power)] = (uint16_t)(d->group[index_of(power)] + v);
	return 0;
}

/* Adds n digits, the first of them worth 10^power; -1 where one has no place. */
static int
add_digits(struct number *d, const char *p, size_t n, int power)
{
	unsigned v = 0;
	int result = 0;

	for (size_t i = 0; i < n; i++, power--) {
		v = v * 10 + (unsigned)(p[i] - '0');
		/* The last digit of its group. */
		if ((power & 3) == 0) {
			result |= add_group(d, power, v);
			v = 0;
		}
	}
	return result | add_group(d, power, v * worth[(power + 1) & 3]);
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
		if (v > EXPONENT_MAX)
			return -1;
	}
	*exponent = negative ? -v : v;
	return 0;
}

/* All are 0 to begin with, also those that these powers of ten lie in, as far as there are any. */
static void
clear_groups(struct number *d, int top, int low)
{
	top = top >= NUMBER_DIGITS   ? NUMBER_DIGITS - 1
	      : top < -NUMBER_DIGITS ? -NUMBER_DIGITS
				     : top;
	low = low < -NUMBER_DIGITS ? -NUMBER_DIGITS : low > top ? top : low;
	d->first = (uint8_t)index_of(top);
	d->end = (uint8_t)(index_of(low) + 1);
	memset(d->group, 0, sizeof d->group);
}

int
number_parse(struct slice s, struct number *d)
{
	size_t at = 0, whole, part = 0;
	const char *p = s.p;
	int exponent = 0, scale;

	d->negative = s.n > 0 && p[0] == '-';
	at += d->negative;
	whole = span_digits(s, at);
	if (s.n > NUMBER_TEXT || whole == 0 || (whole > 1 && p[at] == '0'))
		return -1;
	p += at;
	at += whole;
	if (at < s.n && s.p[at] == '.') {
		part = span_digits(s, ++at);
		if (part == 0)
			return -1;
		at += part;
	}
	if (at < s.n &&
		((s.p[at] != 'e' && s.p[at] != 'E') || parse_exponent(s, at + 1, &exponent) != 0))
		return -1;
	scale = (int)part - exponent;
	if (scale > NUMBER_DIGITS)
		return -1;
	d->scale = (uint8_t)(scale < 0 ? 0 : scale);
	clear_groups(d, (int)whole - 1 + exponent, -scale);
	if (add_digits(d, p, whole, (int)whole - 1 + exponent) != 0 ||
		add_digits(d, p + whole + 1, part, exponent - 1) != 0)
		return -1;
	trim_zeros(d);
	return 0;
}

struct number
number_of_int(int64_t v)
{
	struct number d = {.negative = v < 0, .first = NUMBER_POINT, .end = NUMBER_POINT};
	uint64_t size = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;

	for (; size > 0; size /= GROUP)
		d.group[--d.first] = (uint16_t)(size % GROUP);
	trim_zeros(&d);
	return d;
}

int
number_sign(const struct number *d)
{
	return d->first == d->end ? 0 : d->negative ? -1 : 1;
}

int
number_cmp(const struct number *a, const struct number *b)
{
	int sign = number_sign(a);

	if (sign != number_sign(b))
		return sign - number_sign(b);
	if (sign == 0)
		return 0;
	if (a->first != b->first)
		return a->first < b->first ? sign : -sign;
	for (int i = a->first; i < a->end && i < b->end; i++) {
		if (a->group[i] != b->group[i])
			return a->group[i] > b->group[i] ? sign : -sign;
	}
	return a->end == b->end ? 0 : a->end > b->end ? sign : -sign;
}

/* The digit worth 10^power. */
static unsigned
digit_at(const struct number *d, int power)
{
	int i;

	if (power >= NUMBER_DIGITS || power < -NUMBER_DIGITS)
		return 0;
	i = index_of(power);
	if (i < d->first || i >= d->end)
		return 0;
	return d->group[i] / worth[(power + NUMBER_DIGITS) % 4] % 10U;
}

/* Adds 1 to the digit worth 10^power, which lies in a group before end. */
static int
carry_one(struct number *d, int power)
{
	unsigned add = worth[(power + NUMBER_DIGITS) % 4];

	for (int i = index_of(power); i >= 0; i--) {
		while (i < d->first)
			d->group[--d->first] = 0;
		d->group[i] = (uint16_t)(d->group[i] + add);
		if (d->group[i] < GROUP)
			return 0;
		d->group[i] = (uint16_t)(d->group[i] - GROUP);
		add = 1;
	}
	return -1;
}

int
number_round(struct number *d, int scale)
{
	bool up = digit_at(d, -scale - 1) >= 5;
	int last, result = 0;

	d->scale = (uint8_t)(scale < 0 ? 0 : scale > NUMBER_DIGITS ? NUMBER_DIGITS : scale);
	if (scale >= NUMBER_DIGITS || d->first == d->end)
		return 0;
	if (-scale >= NUMBER_DIGITS) {
		d->end = d->first;
		trim_zeros(d);
		return up ? -1 : 0;
	}
	/* What lies behind the last digit goes. */
	last = index_of(-scale);
	if (d->first > last)
		d->first = d->end = (uint8_t)(last + 1);
	while (d->end < last + 1)
		d->group[d->end++] = 0;
	d->end = (uint8_t)(last + 1);
	if (d->first <= last)
		d->group[last] = (uint16_t)(d->group[last] -
					    d->group[last] % worth[(-scale + NUMBER_DIGITS) % 4]);
	if (up)
		result = carry_one(d, -scale);
	trim_zeros(d);
	return result;
}

int
number_to_int(const struct number *d, int places, int64_t *out)
{
	struct number r;
	int top = 4 * (NUMBER_POINT - d->first) - 1;
	uint64_t v = 0;

	/* A whole number of up to 16 digits is what volumes are. */
	if (places == 0 && d->end <= NUMBER_POINT && d->first >= NUMBER_POINT - 4) {
		for (int i = d->first; i < NUMBER_POINT; i++)
			v = v * GROUP + (i < d->end ? d->group[i] : 0U);
		*out = d->negative ? -(int64_t)v : (int64_t)v;
		return 0;
	}
	r = *d;
	if (number_round(&r, places) != 0)
		return -1;
	for (int power = r.first == r.end ? -places - 1 : top + 1; power >= -places; power--) {
		if (v > ((uint64_t)INT64_MAX - digit_at(&r, power)) / 10)
			return -1;
		v = v * 10 + digit_at(&r, power);
	}
	*out = r.negative ? -(int64_t)v : (int64_t)v;
	return 0;
}

size_t
number_binary(const struct number *d, unsigned char *out)
{
	int n = d->end - d->first;

	wire_put16(out, (uint16_t)n);
	wire_put16(out + 2, n == 0 ? 0 : (uint16_t)(NUMBER_POINT - 1 - d->first));
	wire_put16(out + 4, d->negative ? NEGATIVE : 0);
	wire_put16(out + 6, d->scale);
	for (int i = 0; i < n; i++)
		wire_put16(out + HEADER + 2 * i, d->group[d->first + i]);
	return HEADER + 2 * (size_t)n;
}

struct number
number_of_binary(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	struct number d = {.negative = wire_get16(p + 4) == NEGATIVE, .scale = p[7]};
	unsigned n = wire_get16(p);

	d.first = (uint8_t)(NUMBER_POINT - 1 - (int16_t)wire_get16(p + 2));
	d.end = (uint8_t)(d.first + n);
	for (unsigned i = 0; i < n; i++)
		d.group[d.first + i] = wire_get16(p + HEADER + 2 * i);
	return d;
}

bool
number_same(struct slice a, struct slice b)
{
	/* All but the word that says how many decimals to show. */
	return a.n == b.n && a.n >= HEADER && memcmp(a.p, b.p, 6) == 0 &&
	       memcmp(a.p + HEADER, b.p + HEADER, a.n - HEADER) == 0;
}

void
number_write(const struct number *d, struct buffer *b)
{
	int top = 4 * (NUMBER_POINT - d->first) - 1;

	if (d->negative)
		buffer_byte(b, '-');
	while (top > 0 && digit_at(d, top) == 0)
		top--;
	for (int power = top < 0 || d->first == d->end ? 0 : top; power >= -d->scale; power--) {
		if (power == -1)
			buffer_byte(b, '.');
		buffer_byte(b, (char)('0' + digit_at(d, power)));
	}
}

/*
 * A whole number and a power of ten that both are exact in binary divide to the nearest one. False:
 * they are not.
 */
static bool
fraction_of(const struct number *d, int64_t most, int places, int64_t *v)
{
	return d->scale <= places && number_to_int(d, d->scale, v) == 0 && *v <= most &&
	       *v >= -most;
}

double
number_to_double(const struct number *d)
{
	static const double ten[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	struct buffer text = {0};
	double value;
	int64_t v;

	if (fraction_of(d, INT64_C(1) << 53, 22, &v))
		return (double)v / ten[d->scale];
	number_write(d, &text);
	value = strtod(buffer_cstr(&text), NULL);
	buffer_release(&text);
	return value;
}

float
number_to_float(const struct number *d)
{
	static const float ten[] = {1, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F, 1e9F, 1e10F};
	struct buffer text = {0};
	float value;
	int64_t v;

	/* By way of a double it would be rounded twice. */
	if (fraction_of(d, INT64_C(1) << 24, 10, &v))
		return (float)v / ten[d->scale];
	number_write(d, &text);
	value = strtof(buffer_cstr(&text), NULL);
	buffer_release(&text);
	return value;
}
