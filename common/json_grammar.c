/* A recognizer: it keeps nothing, so the size of the text does not matter. */
#include "json_grammar.h"

#include "utf8.h"

#include <stdbool.h>
#include <string.h>

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

int
json_hex4(const char *p, size_t n)
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

/* Behind a backslash. A surrogate must have its other half, else it is not a character. */
static bool
escape(struct walk *w)
{
	int c = peek(w);
	int v;

	w->at++;
	if (c >= 0 && strchr("\"\\/bfnrt", c) != NULL && c != 0)
		return true;
	v = c == 'u' ? json_hex4(w->p + w->at, w->n - w->at) : -1;
	if (v < 0)
		return refuse(w, "bad escape in a string");
	w->at += 4;
	if (v >= 0xdc00 && v <= 0xdfff)
		return refuse(w, "half a surrogate pair");
	if (v < 0xd800 || v > 0xdfff)
		return true;
	if (w->n - w->at < 6 || w->p[w->at] != '\\' || w->p[w->at + 1] != 'u')
		return refuse(w, "half a surrogate pair");
	v = json_hex4(w->p + w->at + 2, 4);
	if (v < 0xdc00 || v > 0xdfff)
		return refuse(w, "half a surrogate pair");
	w->at += 6;
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
			size_t len = utf8_length(w->p + w->at, w->n - w->at);

			if (len == 0)
				return refuse(w, "not UTF-8");
			w->at += len;
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
