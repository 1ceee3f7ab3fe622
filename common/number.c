/* Groups of four digits, as Postgres has them: all the arithmetic that prices need. */
#include "number.h"

#include "wire.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of the binary form: where the scale stands, and where the header ends. */
enum { SCALE = 6, HEADER = 8 };
enum { NEGATIVE = 0x4000, GROUP = 10000, EXPONENT_MAX = 400, INT_DIGITS = 16 };

static const uint16_t worth[4] = {1, 10, 100, 1000};

/* Reads digits on behind a value, which is right as far as it fits: the first that is none. */
static const char *
read_digits(const char *p, const char *end, uint64_t *value)
{
	uint64_t v = *value;

	for (; p < end && (unsigned)(*p - '0') <= 9; p++)
		v = v * 10 + (unsigned)(*p - '0');
	*value = v;
	return p;
}

/* The group that holds the digit worth 10^power. */
static int
index_of(int power)
{
	return NUMBER_GROUPS - 1 - (power + NUMBER_DIGITS) / 4;
}

static void
set_zero(struct number *d)
{
	d->first = d->end = NUMBER_GROUPS;
	d->negative = false;
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
		set_zero(d);
}

/* Adds to the group at i. */
static void
add_group(struct number *d, int i, unsigned v)
{
	d->group[i] = (uint16_t)(d->group[i] + v);
	if (i < d->first)
		d->first = (uint8_t)i;
	if (i >= d->end)
		d->end = (uint8_t)(i + 1);
}

/* Takes an integer, the last four digits of which are the n-th group behind the point. */
static void
set_groups(struct number *d, int n, uint64_t v)
{
	int i = NUMBER_POINT + n;

	d->end = (uint8_t)i;
	for (; v != 0; v /= GROUP)
		d->group[--i] = (uint16_t)(v % GROUP);
	d->first = (uint8_t)i;
	trim_zeros(d);
}

/* Adds digits, the first of them worth 10^power, one by one; -1 where one has no place. */
static int
add_digits(struct number *d, const char *p, const char *end, int power)
{
	for (; p < end; p++, power--) {
		if (*p == '0')
			continue;
		if (power >= NUMBER_DIGITS || power < -NUMBER_DIGITS)
			return -1;
		add_group(d, index_of(power), (unsigned)(*p - '0') * worth[power & 3]);
	}
	return 0;
}

static int
parse_exponent(const char *p, const char *end, int *exponent)
{
	bool negative = p < end && *p == '-';
	uint64_t v = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	while (p + 1 < end && *p == '0')
		p++;
	if (p == end || read_digits(p, end, &v) != end || end - p > INT_DIGITS || v > EXPONENT_MAX)
		return -1;
	*exponent = negative ? -(int)v : (int)v;
	return 0;
}

int
number_parse(struct slice s, struct number *d)
{
	const char *end, *whole, *point, *part, *rest;
	uint64_t v = 0;
	int exponent = 0, scale;

	if (s.n == 0 || s.n > NUMBER_TEXT)
		return -1;
	d->negative = s.p[0] == '-';
	whole = s.p + d->negative;
	end = s.p + s.n;
	part = rest = point = read_digits(whole, end, &v);
	if (point == whole || (point - whole > 1 && *whole == '0'))
		return -1;
	if (point < end && *point == '.') {
		rest = read_digits(++part, end, &v);
		if (rest == part)
			return -1;
	}
	if (rest < end &&
		((*rest != 'e' && *rest != 'E') || parse_exponent(rest + 1, end, &exponent) != 0))
		return -1;
	scale = (int)(rest - part) - exponent;
	if (scale > NUMBER_DIGITS)
		return -1;
	d->scale = (uint8_t)(scale < 0 ? 0 : scale);
	if (exponent == 0 && point - whole + scale <= INT_DIGITS) {
		set_groups(d, (scale + 3) / 4, v * worth[-scale & 3]);
		return 0;
	}
	memset(d->group, 0, sizeof d->group);
	d->first = NUMBER_GROUPS;
	d->end = 0;
	if (add_digits(d, whole, point, (int)(point - whole) - 1 + exponent) != 0 ||
		add_digits(d, part, rest, exponent - 1) != 0)
		return -1;
	if (d->end == 0)
		set_zero(d);
	return 0;
}

struct number
number_of_int(int64_t v)
{
	struct number d = {.negative = v < 0};

	set_groups(&d, 0, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
	return d;
}

int
number_cmp(const struct number *a, const struct number *b)
{
	int sign = a->negative ? -1 : 1;

	if (a->negative != b->negative)
		return sign;
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
		set_zero(d);
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

	d.first = (uint8_t)(n == 0 ? NUMBER_GROUPS : NUMBER_POINT - 1 - (int16_t)wire_get16(p + 2));
	d.end = (uint8_t)(d.first + n);
	for (unsigned i = 0; i < n; i++)
		d.group[d.first + i] = wire_get16(p + HEADER + 2 * i);
	return d;
}

bool
number_same(struct slice a, struct slice b)
{
	/* All but the word that says how many decimals to show. */
	return a.n == b.n && a.n >= HEADER && memcmp(a.p, b.p, SCALE) == 0 &&
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
