/* A strict reader of JSON. */
#include "json.h"

#include "utf8.h"

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
	size_t at;	      /* how far the check has come */
	struct buffer key[2]; /* what decoded keys are compared in */
	char why[120];
};

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
	buffer_release(&j->key[0]);
	buffer_release(&j->key[1]);
	free(j->tok);
	free(j);
}

static bool
refuse_text(struct json *j, const char *reason, size_t where)
{
	(void)snprintf(j->why, sizeof j->why, "not JSON: %s at byte %zu", reason, where + 1);
	return false;
}

size_t
json_skip(struct slice text, size_t at)
{
	if (at == text.n)
		return at;
	return (size_t)(json_blanks(text.p + at, text.p + text.n) - text.p);
}

/* The value of the four hex digits at p. */
static unsigned
hex4(const char *p)
{
	const char text[5] = {p[0], p[1], p[2], p[3], '\0'};

	return (unsigned)strtoul(text, NULL, 16);
}

/* How long the character is that the escape at s[i] stands for; 0: half a surrogate pair. */
static size_t
escape_length(struct slice s, size_t i)
{
	unsigned v;

	if (s.p[i + 1] != 'u')
		return 2;
	v = hex4(s.p + i + 2);
	if (v < 0xd800 || v > 0xdfff)
		return 6;
	if (v > 0xdbff || s.n - i < 12 || s.p[i + 6] != '\\' || s.p[i + 7] != 'u')
		return 0;
	v = hex4(s.p + i + 8);
	return v >= 0xdc00 && v <= 0xdfff ? 12 : 0;
}

/* What jsmn has not looked at: control characters, UTF-8 and surrogates. */
static bool
check_string(struct json *j, const jsmntok_t *t)
{
	struct slice s = {j->text.p + t->start, (size_t)(t->end - t->start)};
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		n = s.p[i] == '\\' ? escape_length(s, i) : utf8_length(s.p + i, s.n - i);
		if (n == 0)
			return refuse_text(j,
				s.p[i] == '\\' ? "half a surrogate pair" : "not UTF-8",
				(size_t)t->start + i);
		if ((unsigned char)s.p[i] < 0x20)
			return refuse_text(
				j, "a control character in a string", (size_t)t->start + i);
	}
	j->at = (size_t)t->end + 1;
	return true;
}

static bool
check_primitive(struct json *j, const jsmntok_t *t)
{
	const char *p = j->text.p + t->start, *end = j->text.p + t->end;
	struct slice s = {p, (size_t)(end - p)};

	if (json_number(p, end) != end && !slice_is(s, "true") && !slice_is(s, "false") &&
		!slice_is(s, "null"))
		return refuse_text(j, "not a JSON value", (size_t)t->start);
	j->at = (size_t)t->end;
	return true;
}

/* Whether c comes next, white space aside. */
static bool
take_char(struct json *j, char c)
{
	j->at = json_skip(j->text, j->at);
	if (j->at == j->text.n || j->text.p[j->at] != c)
		return false;
	j->at++;
	return true;
}

/* Whether the token is what comes next. */
static bool
token_stands(struct json *j, int i)
{
	int quote = j->tok[i].type == JSMN_STRING;

	j->at = json_skip(j->text, j->at);
	return j->at == (size_t)(j->tok[i].start - quote);
}

/* A key without its escapes; valid until the next with the same scratch. */
static struct slice
key_text(const struct json *j, json_at at, struct buffer *scratch)
{
	struct slice raw = json_raw(j, at);

	if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL)
		return raw;
	scratch->len = 0;
	return json_decode(j, at, scratch);
}

static bool
keys_unique(struct json *j, json_at object)
{
	if (j->tok[object].size > JSON_MEMBERS) {
		(void)snprintf(j->why, sizeof j->why, "an object of over %d members", JSON_MEMBERS);
		return false;
	}
	for (json_at a = json_first(j, object); a >= 0; a = json_next(j, a)) {
		struct slice key = key_text(j, a, &j->key[0]);

		for (json_at b = json_next(j, a); b >= 0; b = json_next(j, b)) {
			if (slice_eq(key, key_text(j, b, &j->key[1]))) {
				key = slice_cut(key, 40);
				(void)snprintf(j->why, sizeof j->why,
					"the key \"%.*s\" stands twice", (int)key.n, key.p);
				return false;
			}
		}
	}
	return true;
}

/* The grammar that jsmn leaves out, of a token and all in it: the token behind it, or 0. */
static int
check_value(struct json *j, int i, int depth)
{
	const jsmntok_t *t = &j->tok[i];
	bool object = t->type == JSMN_OBJECT;
	int next = i + 1;

	if (!token_stands(j, i) || (t->size > 0 && t->type == JSMN_PRIMITIVE))
		return refuse_text(j, "a value is missing", j->at);
	if (t->type == JSMN_PRIMITIVE)
		return check_primitive(j, t) ? next : 0;
	if (t->type == JSMN_STRING)
		return t->size == 0 ? (check_string(j, t) ? next : 0)
				    : refuse_text(j, "a colon does not belong", (size_t)t->end + 1);
	if (depth == JSON_DEPTH)
		return refuse_text(j, "nested too deep", j->at);
	j->at++;
	for (int n = 0; n < t->size; n++) {
		if (n > 0 && !take_char(j, ','))
			return refuse_text(j, "a comma is missing", j->at);
		if (object && (j->tok[next].type != JSMN_STRING || !token_stands(j, next)))
			return refuse_text(j, "a key is missing", j->at);
		if (object && !check_string(j, &j->tok[next]))
			return 0;
		if (object && (j->tok[next].size != 1 || !take_char(j, ':')))
			return refuse_text(j, "a colon or a value is missing", j->at);
		next = check_value(j, next + object, depth + 1);
		if (next == 0)
			return 0;
	}
	if (!take_char(j, object ? '}' : ']'))
		return refuse_text(j, "the closing bracket is missing", j->at);
	return !object || keys_unique(j, i) ? next : 0;
}

static bool
tokenize_text(struct json *j, struct slice text)
{
	jsmn_parser parser;

	jsmn_init(&parser);
	j->text = text;
	j->at = 0;
	while ((j->count = jsmn_parse(&parser, text.p, text.n, j->tok, (unsigned)j->cap)) ==
		JSMN_ERROR_NOMEM) {
		j->cap *= 4;
		j->tok = memory_grow(j->tok, j->cap, sizeof *j->tok);
	}
	if (j->count > 0)
		return true;
	return refuse_text(j,
		j->count == JSMN_ERROR_INVAL ? "a character that does not belong"
					     : "the text ends too early",
		parser.pos);
}

const char *
json_parse(struct json *j, struct slice text)
{
	bool ok = tokenize_text(j, text);

	if (ok && j->tok[0].type != JSMN_OBJECT)
		ok = refuse_text(j, "not an object", 0);
	ok = ok && check_value(j, 0, 0) != 0;
	if (ok && json_skip(text, j->at) != text.n)
		ok = refuse_text(j, "more text after the object", json_skip(text, j->at));
	return ok ? NULL : j->why;
}

/* Where the value that starts at text[at] ends, by its quotes and brackets alone. */
static size_t
value_extent(struct slice text, size_t at)
{
	int depth = 0;

	do {
		char c = text.p[at++];

		if (c == '"') {
			while (at < text.n && text.p[at] != '"')
				at += text.p[at] == '\\' ? 2 : 1;
			at++;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (depth == 0) {
			while (at < text.n && strchr(",]} \t\r\n", text.p[at]) == NULL)
				at++;
		}
	} while (depth > 0 && at < text.n);
	return at < text.n ? at : text.n;
}

const char *
json_end(struct json *j, struct slice text, size_t *at)
{
	size_t start = json_skip(text, *at);
	bool ok;

	*at = start < text.n ? value_extent(text, start) : start;
	text = (struct slice){text.p + start, *at - start};
	/* jsmn takes a primitive only where something follows it. */
	if (text.n > 0 && strchr("{[\"", text.p[0]) == NULL) {
		j->text = text;
		j->tok[0] = (jsmntok_t){.type = JSMN_PRIMITIVE, .end = (int)text.n, .parent = -1};
		j->count = 1;
		ok = check_primitive(j, &j->tok[0]);
	} else {
		ok = tokenize_text(j, text) && check_value(j, 0, 0) != 0 && j->at == text.n;
	}
	return ok ? NULL : j->why;
}

json_at
json_next(const struct json *j, json_at at)
{
	/* Behind a key stands its value; behind either come things nested in it, which start
	 * inside. */
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
json_find(struct json *j, json_at object, const char *key)
{
	for (json_at at = json_first(j, object); at >= 0; at = json_next(j, at)) {
		if (slice_is(key_text(j, at, &j->key[0]), key))
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
	return (struct slice){
		j->text.p + j->tok[at].start, (size_t)(j->tok[at].end - j->tok[at].start)};
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
	v = hex4(s.p + i + 1);
	i += 5;
	if (v >= 0xd800 && v <= 0xdbff) {
		v = 0x10000 + ((v - 0xd800) << 10) + (hex4(s.p + i + 2) - 0xdc00);
		i += 6;
	}
	buffer_utf8(b, v);
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
