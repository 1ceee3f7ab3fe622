/* Bytes and numbers by hand: a page has 50000 rows of eight numbers each. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334"
			    "353637383940414243444546474849"
			    "5051525354555657585960616263646566676869707172737475767778798081828384"
			    "858687888990919293949596979899";

char *
text_room(struct text *t, size_t n)
{
	size_t cap = t->cap < 4096 ? 4096 : t->cap;

	if (n <= t->cap - t->len)
		return t->p + t->len;
	while (cap - t->len < n)
		cap *= 2;
	if ((t->p = realloc(t->p, cap)) == NULL) {
		fprintf(stderr, "ts-sim: error: out of memory\n");
		abort();
	}
	t->cap = cap;
	return t->p + t->len;
}

void
text_put(struct text *t, const char *s, size_t n)
{
	if (n > 0)
		memcpy(text_room(t, n), s, n);
	t->len += n;
}

void
text_str(struct text *t, const char *s)
{
	text_put(t, s, strlen(s));
}

void
text_num(struct text *t, uint64_t x)
{
	t->len = (size_t)(fmt_u64(text_room(t, 24), x) - t->p);
}

void
text_front(struct text *t, const char *s, size_t n)
{
	t->off -= n;
	memcpy(t->p + t->off, s, n);
}

void
text_free(struct text *t)
{
	free(t->p);
	memset(t, 0, sizeof *t);
}

/* The digits of x, right-aligned before end; returns where they start. */
static char *
digits(char *end, uint64_t x)
{
	while (x >= 100) {
		end -= 2;
		memcpy(end, pairs + x % 100 * 2, 2);
		x /= 100;
	}
	if (x >= 10) {
		end -= 2;
		memcpy(end, pairs + x * 2, 2);
	} else {
		*--end = (char)('0' + x);
	}
	return end;
}

char *
fmt_u64(char *p, uint64_t x)
{
	char tmp[24], *d = digits(tmp + sizeof tmp, x);
	size_t n = (size_t)(tmp + sizeof tmp - d);

	memcpy(p, d, n);
	return p + n;
}

char *
fmt_fixed(char *p, uint64_t x, int scale)
{
	uint64_t unit = 1, frac;
	int i;

	for (i = 0; i < scale; i++)
		unit *= 10;
	p = fmt_u64(p, x / unit);
	if ((frac = x % unit) == 0)
		return p;
	*p++ = '.';
	for (; frac != 0; frac %= unit) {
		unit /= 10;
		*p++ = (char)('0' + frac / unit);
	}
	return p;
}

char *
fmt_exp(char *p, uint64_t x, int scale)
{
	char tmp[24], *d = digits(tmp + sizeof tmp, x), *end = tmp + sizeof tmp;
	int e = (int)(end - d) - 1 - scale;

	while (end > d + 1 && end[-1] == '0')
		end--;
	*p++ = *d++;
	if (d < end) {
		*p++ = '.';
		memcpy(p, d, (size_t)(end - d));
		p += end - d;
	}
	*p++ = 'e';
	*p++ = e < 0 ? '-' : '+';
	e = e < 0 ? -e : e;
	if (e < 10)
		*p++ = '0';
	return fmt_u64(p, (uint64_t)e);
}
