#ifndef TS_BUFFER_H
#define TS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes, borrowed and owned. A slice borrows: it is valid as long as what it points into, and
 * is not terminated by a NUL. A slice whose p is NULL stands for "absent".
 */
struct slice {
	const char *p;
	size_t n;
};

/* A growing array of bytes. {0} is a valid empty buffer; buffer_release() frees it. */
struct buffer {
	char *p;
	size_t len;
	size_t cap;
};

/*
 * Growing arrays of anything: ARRAY(struct bar) bars; {0} is a valid empty one, p[0] to p[n - 1]
 * are its elements, n may be lowered at will and free(p) releases it. Elements move as it grows.
 */
#define ARRAY(type)                                                                                \
	struct {                                                                                   \
		type *p;                                                                           \
		size_t n, cap;                                                                     \
	}

/* Adds one element, uninitialised: its address. The argument is evaluated more than once. */
#define array_add(a)                                                                               \
	((a)->p = array_room((a)->p, (a)->n + 1, &(a)->cap, sizeof *(a)->p), &(a)->p[(a)->n++])

/* What the macro stands on: p, moved where need be so that n elements of that size fit. */
void *array_room(void *p, size_t n, size_t *cap, size_t size);

/*
 * Memory for nmemb things of size bytes, as realloc(3) gives it. Never returns NULL: when there
 * is none left the process says so and exits 111, since a filter without memory can do nothing
 * better than be started again.
 */
void *memory_grow(void *, size_t nmemb, size_t size);

/* That end, for those who ask elsewhere for memory. */
_Noreturn void memory_out(void);

/* The slice of a NUL-terminated string. */
struct slice slice_of(const char *);

/* A copy with a NUL behind it, which the caller frees; NULL if it is absent. */
char *slice_copy(struct slice);

/* Whether both hold the same bytes. Two absent slices are equal. */
bool slice_eq(struct slice, struct slice);

/* Whether the slice holds exactly the bytes of the NUL-terminated string. */
bool slice_is(struct slice, const char *);

/* memcmp order, a prefix first: <0, 0 or >0. */
int slice_cmp(struct slice, struct slice);

/* What it has behind its first n bytes. Whether it starts with the bytes of the string. */
struct slice slice_after(struct slice, size_t n);
bool slice_starts(struct slice, const char *);

/* The offset of the first of any of these characters, or its length. */
size_t slice_until(struct slice, const char *any);

/*
 * The part before the first of these characters, all of it where there is none; *rest is what
 * follows that character then.
 */
struct slice slice_part(struct slice *rest, const char *any);

/* Without the white space around it. */
struct slice slice_trim(struct slice);

/* For "%.*s"; the argument is evaluated more than once. An absent slice is printed as empty. */
#define SLICE(s) (int)(s).n, (s).n == 0 ? "" : (s).p

/* The longest start of valid UTF-8 that has at most max bytes and ends between two characters. */
struct slice slice_cut(struct slice, size_t max);

/* The byte that the two hex digits at s.p[at] stand for; -1 where there are not two. */
int slice_hex(struct slice s, size_t at);

/* Reads a plain decimal count, digits only: 0, or -1 if it is not one or exceeds UINT64_MAX. */
int slice_count(struct slice, uint64_t *);

/* Makes room for n more bytes and returns where they go; the caller adds to len what it used. */
char *buffer_room(struct buffer *, size_t n);

/* Puts the bytes in the place of what it holds. */
void buffer_set(struct buffer *, struct slice);

/* Appends what others called something, of which a terminal obeys nothing: see utf8_escape(). */
void buffer_shown(struct buffer *, struct slice);

/* Append bytes, a string, a byte, a character, a decimal number, a double-quoted JSON string. */
void buffer_add(struct buffer *, const void *, size_t);
void buffer_str(struct buffer *, const char *);
void buffer_byte(struct buffer *, char);
void buffer_utf8(struct buffer *, unsigned character);
void buffer_uint(struct buffer *, uint64_t);
void buffer_int(struct buffer *, int64_t);
void buffer_bytes(struct buffer *, uint64_t); /* 512 B, 1.2 MB, 34 GB */
void buffer_json(struct buffer *, struct slice);

/* Appends what printf(3) makes of it; nothing that it is given may lie in the buffer. */
void buffer_printf(struct buffer *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The bytes held, as a slice that is valid until the next append. */
struct slice buffer_slice(const struct buffer *);

/* The bytes held, with a NUL behind them that does not count. */
const char *buffer_cstr(struct buffer *);

/* Frees what it holds; it is an empty buffer again. */
void buffer_release(struct buffer *);

#endif
