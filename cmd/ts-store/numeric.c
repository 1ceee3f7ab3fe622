/* Decimal text to Postgres' binary NUMERIC and back, digit by digit. */
#include "numeric.h"

#include <string.h>

enum { HEADER = 8, GROUP = 10000, NEGATIVE = 0x4000 };

static void
put16(unsigned char *out, unsigned v)
{
	out[0] = (unsigned char)(v >> 8);
	out[1] = (unsigned char)v;
}

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static int
get_signed(const unsigned char *p)
{
	unsigned v = get16(p);

	return v < 0x8000 ? (int)v : (int)v - 0x10000;
}

/*
 * Finishes a number whose groups stand behind the header, the first of the given weight: strips
 * zeros, writes the header.
 */
static size_t
finish(unsigned char *out, int n, int weight, bool negative, int scale)
{
	unsigned char *groups = out + HEADER;
	int zeros = 0;

	while (n > 0 && get16(groups + 2 * (n - 1)) == 0)
		n--;
	while (zeros < n && get16(groups + 2 * zeros) == 0)
		zeros++;
	if (zeros > 0)
		memmove(groups, groups + 2 * zeros, 2 * (size_t)(n - zeros));
	n -= zeros;
	weight -= zeros;
	put16(out, (unsigned)n);
	put16(out + 2, n == 0 ? 0 : (unsigned)weight & 0xffff);
	put16(out + 4, negative && n > 0 ? NEGATIVE : 0);
	put16(out + 6, (unsigned)scale);
	return HEADER + 2 * (size_t)n;
}

/* Reads digits from s[*at] on; how many there were. More than fit are counted, not read. */
static size_t
read_digits(struct slice s, size_t *at, uint64_t *v)
{
	size_t start = *at;

	*v = 0;
	for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9'; (*at)++)
		*v = *v * 10 + (uint64_t)(s.p[*at] - '0');
	return *at - start;
}

bool
plain_read(struct slice s, struct plain *p)
{
	static const uint64_t pad[17] = {1, 1000000000000000, 100000000000000, 10000000000000,
		1000000000000, 100000000000, 10000000000, 1000000000, 100000000, 10000000, 1000000,
		100000, 10000, 1000, 100, 10, 1};
	size_t at = 0, n;

	if (s.p == NULL)
		return false;
	n = read_digits(s, &at, &p->whole);
	if (n == 0 || n > 15)
		return false;
	p->part = 0;
	p->scale = 0;
	if (at == s.n)
		return true;
	if (s.p[at++] != '.')
		return false;
	n = read_digits(s, &at, &p->part);
	if (n == 0 || n > 16 || at != s.n)
		return false;
	p->part *= pad[n];
	p->scale = (unsigned)n;
	return true;
}

int
plain_cmp(const struct plain *a, const struct plain *b)
{
	if (a->whole != b->whole)
		return a->whole < b->whole ? -1 : 1;
	return (a->part > b->part) - (a->part < b->part);
}

/* Writes v as groups that end before *end; moves it to the first. How many they were. */
static int
put_groups(unsigned char **end, uint64_t v, int at_least)
{
	int n = 0;

	for (; v > 0 || n < at_least; n++, v /= GROUP) {
		*end -= 2;
		put16(*end, (unsigned)(v % GROUP));
	}
	return n;
}

size_t
numeric_of_plain(const struct plain *p, unsigned char *out)
{
	unsigned char tmp[HEADER + 2 * (4 + 4)], *at = tmp + sizeof tmp;
	uint64_t part = p->part;
	int decimals = 4, whole, n;

	while (decimals > 0 && part % GROUP == 0) {
		part /= GROUP;
		decimals--;
	}
	n = put_groups(&at, part, decimals);
	whole = put_groups(&at, p->whole, 0);
	n += whole;
	memcpy(out + HEADER, at, 2 * (size_t)n);
	return finish(out, n, whole - 1, false, (int)p->scale);
}

size_t
numeric_of_int(int64_t v, unsigned char *out)
{
	unsigned char tmp[2 * 5], *at = tmp + sizeof tmp;
	uint64_t size = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;
	int n = put_groups(&at, size, 0);

	memcpy(out + HEADER, at, 2 * (size_t)n);
	return finish(out, n, n - 1, v < 0, 0);
}

/* The group worth 10000^power. */
static unsigned
group_of(const struct decimal *d, int power)
{
	unsigned v = 0;

	for (int i = 3; i >= 0; i--)
		v = v * 10 + (unsigned)decimal_digit(d, 4 * power + i);
	return v;
}

/* Division that rounds down, also below zero. */
static int
floor4(int v)
{
	return v >= 0 ? v / 4 : -((3 - v) / 4);
}

size_t
numeric_of_decimal(const struct decimal *d, unsigned char *out)
{
	int weight, n = 0;

	if (decimal_sign(d) == 0)
		return finish(out, 0, 0, false, d->scale);
	weight = floor4(d->top);
	for (int power = weight; power >= floor4(-d->scale) && n < NUMERIC_GROUPS; power--)
		put16(out + HEADER + 2 * n++, group_of(d, power));
	return finish(out, n, weight, d->negative, d->scale);
}

bool
numeric_equal(struct slice a, struct slice b)
{
	/* All but the word that says how many decimals to show. */
	return a.n == b.n && a.n >= HEADER && memcmp(a.p, b.p, 6) == 0 &&
	       memcmp(a.p + HEADER, b.p + HEADER, a.n - HEADER) == 0;
}

static const unsigned char *
bytes_of(struct slice s)
{
	return (const unsigned char *)s.p;
}

/* The digit worth 10^power of a binary number. */
static unsigned
digit_at(const unsigned char *num, int power)
{
	static const unsigned worth[4] = {1, 10, 100, 1000};
	int group = floor4(power);
	int i = get_signed(num + 2) - group;

	if (i < 0 || i >= get_signed(num))
		return 0;
	return get16(num + HEADER + 2 * i) / worth[power - 4 * group] % 10;
}

size_t
numeric_round(struct slice s, int scale, unsigned char *out)
{
	const unsigned char *num = bytes_of(s);
	int n = get_signed(num), weight = get_signed(num + 2);
	unsigned sign = get16(num + 4), carry;
	int low = floor4(-scale), count;

	if (n == 0 || sign > NEGATIVE) {
		memcpy(out, num, s.n);
		return s.n;
	}
	if (low > weight + 1)
		low = weight + 1;
	/* One group more in front, for the carry. */
	count = weight + 1 - low + 1;
	if (count > NUMERIC_GROUPS)
		count = NUMERIC_GROUPS;
	carry = digit_at(num, -scale - 1) >= 5;
	for (int i = count - 1; i >= 0; i--) {
		int power = weight + 1 - i;
		unsigned group = 0;

		for (int j = 3; j >= 0; j--) {
			int at = 4 * power + j;

			group = group * 10 + (at >= -scale ? digit_at(num, at) : 0);
		}
		if (power == low)
			carry *= (unsigned[]){1, 10, 100, 1000}[(-scale - 4 * floor4(-scale)) % 4];
		group += carry;
		carry = group >= GROUP;
		put16(out + HEADER + 2 * i, carry ? group - GROUP : group);
	}
	return finish(out, count, weight + 1, sign == NEGATIVE, scale < 0 ? 0 : scale);
}

void
numeric_write(struct slice s, struct buffer *b)
{
	const unsigned char *num = bytes_of(s);
	int weight = get_signed(num + 2), scale = get_signed(num + 6);
	int top = weight < 0 ? 0 : 4 * weight + 3;

	if (get16(num + 4) == NEGATIVE)
		buffer_byte(b, '-');
	while (top > 0 && digit_at(num, top) == 0)
		top--;
	for (int power = top; power >= 0; power--)
		buffer_byte(b, (char)('0' + digit_at(num, power)));
	if (scale > 0)
		buffer_byte(b, '.');
	for (int power = -1; power >= -scale; power--)
		buffer_byte(b, (char)('0' + digit_at(num, power)));
}
