/* A strict reader of small JSON texts. Large ones (an API page) are walked with json_end(). */
#include "json.h"

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json {
	struct slice text;
	jsmntok_t *tok;
	size_t cap;
	int count;
	char why[120];
};

/* The walk of json_end(): where it is, and what it has to say. */
struct walk {
	const char *p;
	size_t n;
	size_t at;
	const char *why;
};

static bool
refuse(struct walk *w, const char *why)
{
	if (w->why == NULL)
		w->why = why;
	return false;
}

static int
peek(const struct walk *w)
{
	return w->at < w->n ? (unsigned char)w->p[w->at] : -1;
}

static void
blank(struct walk *w)
{
	while (w->at < w->n && (w->p[w->at] == ' ' || w->p[w->at] == '\t' || w->p[w->at] == '\n' ||
				       w->p[w->at] == '\r'))
		w->at++;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
some_digits(struct walk *w)
{
	if (!is_digit(peek(w)))
		return refuse(w, "not a number");
	while (is_digit(peek(w)))
		w->at++;
	return true;
}

static bool
number(struct walk *w)
{
	if (peek(w) == '-')
		w->at++;
	if (peek(w) == '0')
		w->at++;
	else if (!some_digits(w))
		return false;
	if (peek(w) == '.') {
		w->at++;
		if (!some_digits(w))
			return false;
	}
	if (peek(w) == 'e' || peek(w) == 'E') {
		w->at++;
		if (peek(w) == '+' || peek(w) == '-')
			w->at++;
		if (!some_digits(w))
			return false;
	}
	return true;
}

static int
hex_digit(int c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at p, or -1. */
static int
hex4(const char *p, size_t n)
{
	int v = 0;

	if (n < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit((unsigned char)p[i]);

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* Behind a backslash. A surrogate must have its other half, else it is no character. */
static bool
escape(struct walk *w)
{
	int c = peek(w);
	int v;

	w->at++;
	if (c >= 0 && strchr("\"\\/bfnrt", c) != NULL && c != 0)
		return true;
	v = c == 'u' ? hex4(w->p + w->at, w->n - w->at) : -1;
	if (v < 0)
		return refuse(w, "bad escape in a string");
	w->at += 4;
	if (v >= 0xdc00 && v <= 0xdfff)
		return refuse(w, "half a surrogate pair");
	if (v < 0xd800 || v > 0xdfff)
		return true;
	if (w->n - w->at < 6 || w->p[w->at] != '\\' || w->p[w->at + 1] != 'u')
		return refuse(w, "half a surrogate pair");
	v = hex4(w->p + w->at + 2, 4);
	if (v < 0xdc00 || v > 0xdfff)
		return refuse(w, "half a surrogate pair");
	w->at += 6;
	return true;
}

/* One UTF-8 sequence of more than one byte, shortest form, no surrogates (RFC 3629). */
static bool
utf8(struct walk *w)
{
	const unsigned char *s = (const unsigned char *)w->p + w->at;
	size_t left = w->n - w->at;
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	unsigned low = 0x80, high = 0xbf;

	if (s[0] < 0xc2 || s[0] > 0xf4 || left < len)
		return refuse(w, "not UTF-8");
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return refuse(w, "not UTF-8");
	for (size_t i = 2; i < len; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return refuse(w, "not UTF-8");
	}
	w->at += len;
	return true;
}

static bool
string(struct walk *w)
{
	w->at++;
	for (;;) {
		int c = peek(w);

		if (c < 0)
			return refuse(w, "a string without end");
		if (c < 0x20)
			return refuse(w, "a control character in a string");
		if (c >= 0x80) {
			if (!utf8(w))
				return false;
			continue;
		}
		w->at++;
		if (c == '"')
			return true;
		if (c == '\\' && !escape(w))
			return false;
	}
}

static bool
word(struct walk *w, const char *s)
{
	size_t n = strlen(s);

	if (w->n - w->at < n || memcmp(w->p + w->at, s, n) != 0)
		return refuse(w, "not a JSON value");
	w->at += n;
	return true;
}

static bool value(struct walk *w, int depth);

/* An object or an array, by what closes it. */
static bool
container(struct walk *w, int depth, char close)
{
	if (depth >= JSON_DEPTH)
		return refuse(w, "nested too deep");
	w->at++;
	blank(w);
	if (peek(w) == close) {
		w->at++;
		return true;
	}
	for (;;) {
		blank(w);
		if (close == '}') {
			if (peek(w) != '"')
				return refuse(w, "a key is missing");
			if (!string(w))
				return false;
			blank(w);
			if (peek(w) != ':')
				return refuse(w, "a colon is missing");
			w->at++;
		}
		if (!value(w, depth + 1))
			return false;
		blank(w);
		if (peek(w) == close) {
			w->at++;
			return true;
		}
		if (peek(w) != ',')
			return refuse(w, "a comma or the closing bracket is missing");
		w->at++;
	}
}

static bool
value(struct walk *w, int depth)
{
	blank(w);
	switch (peek(w)) {
	case -1:
		return refuse(w, "the text ends too early");
	case '{':
		return container(w, depth, '}');
	case '[':
		return container(w, depth, ']');
	case '"':
		return string(w);
	case 't':
		return word(w, "true");
	case 'f':
		return word(w, "false");
	case 'n':
		return word(w, "null");
	default:
		if (peek(w) != '-' && !is_digit(peek(w)))
			return refuse(w, "not a JSON value");
		return number(w);
	}
}

size_t
json_end(struct slice text, size_t at, const char **why, size_t *where)
{
	struct walk w = {.p = text.p, .n = text.n, .at = at};

	if (value(&w, 0))
		return w.at;
	if (why != NULL)
		*why = w.why;
	if (where != NULL)
		*where = w.at;
	return 0;
}

size_t
json_skip(struct slice text, size_t at)
{
	struct walk w = {.p = text.p, .n = text.n, .at = at};

	blank(&w);
	return w.at;
}

struct json *
json_new(void)
{
	struct json *j = memory_grow(NULL, 1, sizeof *j);

	*j = (struct json){.cap = 64};
	j->tok = memory_grow(NULL, j->cap, sizeof *j->tok);
	return j;
}

void
json_free(struct json *j)
{
	if (j == NULL)
		return;
	free(j->tok);
	free(j);
}

static int
fail(struct json *j, const char **why, const char *reason, size_t where)
{
	(void)snprintf(j->why, sizeof j->why, "not JSON: %s at byte %zu", reason, where + 1);
	*why = j->why;
	j->count = 0;
	return -1;
}

/* Keys are compared as they stand: two spellings of one key are not worth a decoder here. */
static bool
keys_unique(const struct json *j, json_at object, struct slice *twice)
{
	int n = j->tok[object].size;

	if (n > JSON_MEMBERS)
		return false;
	for (json_at a = json_first(j, object); a >= 0; a = json_next(j, a)) {
		for (json_at b = json_next(j, a); b >= 0; b = json_next(j, b)) {
			if (slice_eq(json_raw(j, a), json_raw(j, b))) {
				*twice = json_raw(j, b);
				return false;
			}
		}
	}
	return true;
}

static int
check_keys(struct json *j, const char **why)
{
	for (int i = 0; i < j->count; i++) {
		struct slice twice = {0};

		if (j->tok[i].type != JSMN_OBJECT || keys_unique(j, i, &twice))
			continue;
		if (twice.p == NULL)
			(void)snprintf(j->why, sizeof j->why, "an object of over %d members",
				JSON_MEMBERS);
		else
			(void)snprintf(j->why, sizeof j->why, "the key \"%.*s\" stands twice",
				(int)(twice.n < 40 ? twice.n : 40), twice.p);
		*why = j->why;
		j->count = 0;
		return -1;
	}
	return 0;
}

int
json_parse(struct json *j, struct slice text, const char **why)
{
	const char *reason = "";
	size_t where = 0;
	size_t end = json_end(text, 0, &reason, &where);

	j->text = text;
	if (end == 0)
		return fail(j, why, reason, where);
	if (text.p[json_skip(text, 0)] != '{')
		return fail(j, why, "not an object", 0);
	where = json_skip(text, end);
	if (where != text.n)
		return fail(j, why, "more text behind the object", where);
	for (;;) {
		jsmn_parser parser;

		jsmn_init(&parser);
		j->count = jsmn_parse(&parser, text.p, text.n, j->tok, (unsigned)j->cap);
		if (j->count != JSMN_ERROR_NOMEM)
			break;
		j->cap *= 4;
		j->tok = memory_grow(j->tok, j->cap, sizeof *j->tok);
	}
	if (j->count < 1)
		return fail(j, why, "no tokens", 0);
	return check_keys(j, why);
}

json_at
json_next(const struct json *j, json_at at)
{
	/* Behind a key stands its value; behind either come things nested in it, which start inside. */
	bool key = j->tok[at].size == 1 && j->tok[at].type == JSMN_STRING;
	int end = j->tok[key ? at + 1 : at].end;
	int parent = j->tok[at].parent;
	json_at next = key ? at + 2 : at + 1;

	while (next < j->count && j->tok[next].start < end)
		next++;
	return next < j->count && j->tok[next].parent == parent ? next : -1;
}

json_at
json_first(const struct json *j, json_at container)
{
	return container >= 0 && j->tok[container].size > 0 ? container + 1 : -1;
}

json_at
json_value(json_at key)
{
	return key + 1;
}

json_at
json_find(const struct json *j, json_at object, const char *key)
{
	for (json_at at = json_first(j, object); at >= 0; at = json_next(j, at)) {
		if (slice_is(json_raw(j, at), key))
			return json_value(at);
	}
	return -1;
}

enum json_type
json_type(const struct json *j, json_at at)
{
	if (at < 0)
		return JSON_NONE;
	switch (j->tok[at].type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return JSON_STRING;
	default:
		break;
	}
	switch (j->text.p[j->tok[at].start]) {
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

struct slice
json_raw(const struct json *j, json_at at)
{
	if (at < 0)
		return (struct slice){0};
	return (struct slice){j->text.p + j->tok[at].start,
		(size_t)(j->tok[at].end - j->tok[at].start)};
}

static void
add_utf8(struct buffer *b, unsigned v)
{
	if (v < 0x80) {
		buffer_byte(b, (char)v);
		return;
	}
	if (v < 0x800) {
		buffer_byte(b, (char)(0xc0 | v >> 6));
	} else if (v < 0x10000) {
		buffer_byte(b, (char)(0xe0 | v >> 12));
		buffer_byte(b, (char)(0x80 | (v >> 6 & 0x3f)));
	} else {
		buffer_byte(b, (char)(0xf0 | v >> 18));
		buffer_byte(b, (char)(0x80 | (v >> 12 & 0x3f)));
		buffer_byte(b, (char)(0x80 | (v >> 6 & 0x3f)));
	}
	buffer_byte(b, (char)(0x80 | (v & 0x3f)));
}

/* Decodes the escape behind the backslash at p[i] and returns the offset behind it. */
static size_t
decode_escape(struct buffer *b, struct slice s, size_t i)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *known;
	unsigned v;

	if (s.p[i] != 'u') {
		known = strchr(from, s.p[i]);
		buffer_byte(b, known != NULL ? to[known - from] : s.p[i]);
		return i + 1;
	}
	v = (unsigned)hex4(s.p + i + 1, 4);
	i += 5;
	if (v >= 0xd800 && v <= 0xdbff) {
		v = 0x10000 + ((v - 0xd800) << 10) + ((unsigned)hex4(s.p + i + 2, 4) - 0xdc00);
		i += 6;
	}
	add_utf8(b, v);
	return i;
}

struct slice
json_decode(const struct json *j, json_at at, struct buffer *scratch)
{
	struct slice s = json_raw(j, at);
	size_t start = scratch->len;

	if (json_type(j, at) != JSON_STRING)
		return (struct slice){0};
	if (s.n == 0 || memchr(s.p, '\\', s.n) == NULL)
		return s;
	for (size_t i = 0; i < s.n;) {
		if (s.p[i] == '\\')
			i = decode_escape(scratch, s, i + 1);
		else
			buffer_byte(scratch, s.p[i++]);
	}
	s = (struct slice){scratch->p + start, scratch->len - start};
	return memchr(s.p, '\0', s.n) != NULL ? (struct slice){0} : s;
}
