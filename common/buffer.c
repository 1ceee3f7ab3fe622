/* Slices, growing buffers and arrays, and the one place that allocates. */
#include "buffer.h"

#include "log.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PRINTF_ROOM = 64, /* of the first try */
	ARRAY_FIRST = 16,
};

void *
memory_grow(void *old, size_t nmemb, size_t size)
{
	void *p = size != 0 && nmemb > SIZE_MAX / size ? NULL : realloc(old, nmemb * size + 1);

	if (p == NULL)
		memory_out();
	return p;
}

void
memory_out(void)
{
	log_error("out of memory");
	exit(STATUS_SERVICE);
}

void *
array_room(void *p, size_t n, size_t *cap, size_t size)
{
	if (n <= *cap && p != NULL)
		return p;
	if (*cap < ARRAY_FIRST)
		*cap = ARRAY_FIRST;
	while (*cap < n)
		*cap *= 2;
	return memory_grow(p, *cap, size);
}

struct slice
slice_of(const char *s)
{
	return (struct slice){s, s == NULL ? 0 : strlen(s)};
}

char *
slice_copy(struct slice s)
{
	char *copy = s.p == NULL ? NULL : memory_grow(NULL, s.n + 1, 1);

	if (copy != NULL) {
		memcpy(copy, s.p, s.n);
		copy[s.n] = '\0';
	}
	return copy;
}

bool
slice_eq(struct slice a, struct slice b)
{
	return (a.p == NULL) == (b.p == NULL) && a.n == b.n &&
	       (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
slice_is(struct slice a, const char *s)
{
	return a.p != NULL && slice_eq(a, slice_of(s));
}

int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

struct slice
slice_after(struct slice s, size_t n)
{
	return n == 0 ? s : (struct slice){s.p + n, s.n - n};
}

bool
slice_starts(struct slice s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

size_t
slice_until(struct slice s, const char *any)
{
	size_t i = 0;

	while (i < s.n && (s.p[i] == '\0' || strchr(any, s.p[i]) == NULL))
		i++;
	return i;
}

struct slice
slice_part(struct slice *rest, const char *any)
{
	struct slice part = {rest->p, slice_until(*rest, any)};

	*rest = slice_after(*rest, part.n < rest->n ? part.n + 1 : part.n);
	return part;
}

struct slice
slice_trim(struct slice s)
{
	static const char white[] = {' ', '\t', '\n', '\v', '\f', '\r'};

	while (s.n > 0 && memchr(white, s.p[0], sizeof white) != NULL)
		s = slice_after(s, 1);
	while (s.n > 0 && memchr(white, s.p[s.n - 1], sizeof white) != NULL)
		s.n--;
	return s;
}

struct slice
slice_cut(struct slice s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max > 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80)
		max--;
	return (struct slice){s.p, max};
}

int
slice_count(struct slice s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.p == NULL || s.n == 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(s.p[i] - '0');

		/* Nineteen digits always fit. */
		if (digit > 9 || (i >= 19 && v > (UINT64_MAX - digit) / 10))
			return -1;
		v = v * 10 + digit;
	}
	*out = v;
	return 0;
}

int
slice_hex(struct slice s, size_t at)
{
	const char text[] = {at < s.n ? s.p[at] : '\0', at + 1 < s.n ? s.p[at + 1] : '\0', '\0'};

	return strspn(text, "0123456789abcdefABCDEF") == 2 ? (int)strtol(text, NULL, 16) : -1;
}

char *
buffer_room(struct buffer *b, size_t n)
{
	if (b->p == NULL || b->cap - b->len < n) {
		size_t cap = b->cap < 32 ? 32 : b->cap;

		while (cap - b->len < n)
			cap += cap / 2;
		b->p = memory_grow(b->p, cap, 1);
		b->cap = cap;
	}
	return b->p + b->len;
}

void
buffer_add(struct buffer *b, const void *p, size_t n)
{
	if (n > 0)
		memcpy(buffer_room(b, n), p, n);
	b->len += n;
}

void
buffer_set(struct buffer *b, struct slice s)
{
	b->len = 0;
	buffer_add(b, s.p, s.n);
}

void
buffer_str(struct buffer *b, const char *s)
{
	buffer_add(b, s, strlen(s));
}

void
buffer_byte(struct buffer *b, char c)
{
	*buffer_room(b, 1) = c;
	b->len++;
}

void
buffer_shown(struct buffer *b, struct slice s)
{
	size_t room = UTF8_ESCAPED * s.n;

	b->len += utf8_escape(buffer_room(b, room), room, s.p, s.n);
}

void
buffer_utf8(struct buffer *b, unsigned c)
{
	if (c < 0x80) {
		buffer_byte(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buffer_byte(b, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buffer_byte(b, (char)(0xe0 | c >> 12));
		buffer_byte(b, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buffer_byte(b, (char)(0xf0 | c >> 18));
		buffer_byte(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buffer_byte(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buffer_byte(b, (char)(0x80 | (c & 0x3f)));
}

void
buffer_uint(struct buffer *b, uint64_t v)
{
	char tmp[20];
	size_t i = sizeof tmp;

	do
		tmp[--i] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	buffer_add(b, tmp + i, sizeof tmp - i);
}

void
buffer_int(struct buffer *b, int64_t v)
{
	if (v < 0)
		buffer_byte(b, '-');
	buffer_uint(b, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

void
buffer_bytes(struct buffer *b, uint64_t v)
{
	static const char units[] = "BkMGTPE";
	uint64_t tenths = v * 10;
	size_t i = 0;

	for (; tenths >= 10000; i++)
		tenths /= 1000;
	buffer_uint(b, tenths / 10);
	if (i > 0 && tenths < 100) {
		buffer_byte(b, '.');
		buffer_uint(b, tenths % 10);
	}
	buffer_byte(b, ' ');
	if (i > 0)
		buffer_byte(b, units[i]);
	buffer_byte(b, 'B');
}

void
buffer_json(struct buffer *b, struct slice s)
{
	static const char hex[] = "0123456789abcdef";

	buffer_byte(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\') {
			buffer_byte(b, '\\');
			buffer_byte(b, (char)c);
		} else if (c == '\n') {
			buffer_str(b, "\\n");
		} else if (c == '\t') {
			buffer_str(b, "\\t");
		} else if (c < 0x20 || c == 0x7f) {
			buffer_str(b, "\\u00");
			buffer_byte(b, hex[c >> 4]);
			buffer_byte(b, hex[c & 15]);
		} else {
			buffer_byte(b, (char)c);
		}
	}
	buffer_byte(b, '"');
}

void
buffer_printf(struct buffer *b, const char *fmt, ...)
{
	size_t room = PRINTF_ROOM;
	va_list ap;
	int n;

	for (;;) {
		va_start(ap, fmt);
		n = vsnprintf(buffer_room(b, room), room, fmt, ap);
		va_end(ap);
		if (n < 0)
			log_bug("printf");
		if ((size_t)n < room)
			break;
		room = (size_t)n + 1;
	}
	b->len += (size_t)n;
}

struct slice
buffer_slice(const struct buffer *b)
{
	return (struct slice){b->p == NULL ? "" : b->p, b->len};
}

const char *
buffer_cstr(struct buffer *b)
{
	*buffer_room(b, 1) = '\0';
	return b->p;
}

void
buffer_release(struct buffer *b)
{
	free(b->p);
	*b = (struct buffer){0};
}
