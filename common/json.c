/* A strict reader of small JSON texts. Large ones (an API page) are walked by their grammar alone.
 */
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

static int
fail(struct json *j, const char **why, const char *reason, size_t where)
{
	(void)snprintf(j->why, sizeof j->why, "not JSON: %s at byte %zu", reason, where + 1);
	*why = j->why;
	j->count = 0;
	return -1;
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
keys_unique(struct json *j, json_at object, struct slice *twice)
{
	int n = j->tok[object].size;

	if (n > JSON_MEMBERS)
		return false;
	for (json_at a = json_first(j, object); a >= 0; a = json_next(j, a)) {
		struct slice key = key_text(j, a, &j->key[0]);

		for (json_at b = json_next(j, a); b >= 0; b = json_next(j, b)) {
			if (slice_eq(key, key_text(j, b, &j->key[1]))) {
				*twice = key;
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
	v = (unsigned)json_hex4(s.p + i + 1, 4);
	i += 5;
	if (v >= 0xd800 && v <= 0xdbff) {
		v = 0x10000 + ((v - 0xd800) << 10) + ((unsigned)json_hex4(s.p + i + 2, 4) - 0xdc00);
		i += 6;
	}
	utf8_add(b, v);
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
