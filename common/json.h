#ifndef TS_JSON_H
#define TS_JSON_H

#include "buffer.h"

#include <stddef.h>

/*
 * JSON as RFC 8259 has it, and nothing looser: jsmn gives the tokens, and what it lets through is
 * refused by a check of them. Text is UTF-8; anything else is refused. Keys are unique in each
 * object, whichever way they are spelled. Values nest JSON_DEPTH deep at most.
 */
enum { JSON_MEMBERS = 256, JSON_DEPTH = 32 };

enum json_type {
	JSON_NONE,
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_NULL,
	JSON_OBJECT,
	JSON_ARRAY
};

/* A parser that keeps its memory from one text to the next. */
struct json;

struct json *json_new(void);
void json_free(struct json *);

/*
 * Reads one object with nothing but white space around it. The text must stay as long as the tokens
 * are used. NULL; or a reason, valid until the next call.
 */
const char *json_parse(struct json *, struct slice text);

/*
 * Moves *at behind the JSON value that starts there, white space before it skipped, whatever stands
 * behind it. NULL; or a reason why no value begins there, valid until the next call. What was
 * parsed before is forgotten.
 */
const char *json_end(struct json *, struct slice text, size_t *at);

/* The offset of the first byte from at on that is not JSON white space. */
size_t json_skip(struct slice text, size_t at);

/* Behind the white space at p. */
static inline const char *
json_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* Behind the digits at p. */
static inline const char *
json_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Behind the number that starts at p, by JSON's grammar and before end; NULL if there is none.
 * Inline: a bar has five. */
static inline const char *
json_number(const char *p, const char *end)
{
	const char *start;

	if (p < end && *p == '-')
		p++;
	start = p;
	p = json_digits(p, end);
	if (p == start || (*start == '0' && p - start > 1))
		return NULL;
	if (p < end && *p == '.') {
		start = ++p;
		p = json_digits(p, end);
		if (p == start)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		start = p;
		p = json_digits(p, end);
		if (p == start)
			return NULL;
	}
	return p;
}

/* A value in the text last parsed; 0 is the object itself, -1 none. */
typedef int json_at;

/* The value of a member of an object, or -1. */
json_at json_find(struct json *, json_at object, const char *key);

/* The first member's key or array element, and the one after it; -1 when there is none. */
json_at json_first(const struct json *, json_at container);
json_at json_next(const struct json *, json_at);

/* The value that belongs to a key that json_first() or json_next() gave. */
json_at json_value(json_at key);

enum json_type json_type(const struct json *, json_at);

/* The text of a value as it stands, strings without their quotes. Absent for -1. */
struct slice json_raw(const struct json *, json_at);

/*
 * The string with its escapes decoded; absent if it is not one, or if it holds a NUL (no string of
 * ours does, and Postgres takes none). A string without escapes points into the text; a decoded one
 * into *scratch, to which it is appended: valid until that grows. Decoding never lengthens, so who
 * wants several strings of one text makes room for the length of the text first.
 */
struct slice json_decode(const struct json *, json_at, struct buffer *scratch);

#endif
