/*
 * The rows of a page, in one pass: keys and numbers as the API writes them are read by hand, which
 * is twice as fast as the general parser could; all else is json_end()'s.
 */
#include "page.h"

#include "number.h"

#include <stdlib.h>
#include <string.h>

enum {
	TICKER_BYTES = 64,
	ROWS_MAX = 2 * URL_LIMIT, /* a page has no more rows than base bars; some slack */
	T = COLUMNS,		  /* the key t, behind those of enum column */
	TICKER = COLUMNS + 1,	  /* the key T of a grouped page */
};

/* Instants up to the end of 2199: what common/timestamp can write. */
#define T_MAX_MS 7258118399999

/* Which column a key is; *p moves behind it. -1 for any other. */
static int
read_column(const char **p, const char *end)
{
	static const signed char of[128] = {['o'] = COLUMN_OPEN + 1,
		['h'] = COLUMN_HIGH + 1,
		['l'] = COLUMN_LOW + 1,
		['c'] = COLUMN_CLOSE + 1,
		['v'] = COLUMN_VOLUME + 1,
		['t'] = T + 1,
		['T'] = TICKER + 1};
	const char *k = *p;

	if (end - k < 3 || k[0] != '"' || k[2] != '"' || (k[1] & 0x80) != 0 || of[(int)k[1]] == 0)
		return -1;
	*p = k + 3;
	return of[(int)k[1]] - 1;
}

/* Milliseconds as the API writes them, as seconds. */
static bool
read_instant(struct slice s, int64_t *t)
{
	struct number d;
	uint64_t count;
	int64_t ms;

	if (slice_count(s, &count) == 0 && count <= T_MAX_MS)
		ms = (int64_t)count;
	else if (number_parse(s, &d) != 0 || number_to_int(&d, 0, &ms) != 0)
		return false;
	*t = ms / 1000;
	return ms >= 0 && ms <= T_MAX_MS && ms % 1000 == 0;
}

/* Behind the value at p, whatever it is; NULL if there is none. */
static const char *
skip_value(struct rows *r, struct slice body, const char *p)
{
	size_t at = (size_t)(p - body.p);

	r->why = json_end(r->json, body, &at);
	return r->why != NULL ? NULL : body.p + at;
}

/* A member's key, which is skipped if it is not a column's. */
static const char *
read_key(struct rows *r, struct slice body, const char *p, int *c)
{
	const char *end = body.p + body.n, *start = p;

	*c = read_column(&p, end);
	if (*c >= 0)
		return p;
	r->why = "a key is missing";
	if (p == end || *p != '"')
		return NULL;
	do
		p++;
	while (p < end && *p >= 'a' && *p <= 'z');
	if (p < end && *p == '"')
		return p + 1;
	p = skip_value(r, body, start);
	/* It might be a column's all the same; no API writes one so. */
	if (p != NULL && memchr(start, '\\', (size_t)(p - start)) != NULL) {
		r->why = "a key has an escape";
		return NULL;
	}
	return p;
}

/* A member's value, into its column. */
static const char *
read_value(struct rows *r, struct slice body, const char *p, int c, struct row *row)
{
	const char *start = p, *end = body.p + body.n;

	p = json_number(start, end);
	if (p == NULL) {
		p = skip_value(r, body, start);
		if (p != NULL && c >= 0 && c < COLUMNS)
			row->at[c] = *start == 'n' ? CELL_NULL : CELL_NO_NUMBER;
		if (p != NULL && c == TICKER && *start == '"' && p - start <= TICKER_BYTES) {
			row->ticker = (uint32_t)(start + 1 - body.p);
			row->ticker_n = (uint16_t)(p - start - 2);
		}
	} else if (c >= 0 && c < COLUMNS && p - start <= NUMBER_TEXT) {
		row->at[c] = (uint32_t)(start - body.p);
		row->n[c] = (uint16_t)(p - start);
	} else if (c >= 0 && c < COLUMNS) {
		row->at[c] = CELL_TOO_LONG;
	} else if (c == T && read_instant((struct slice){start, (size_t)(p - start)}, &row->t)) {
		return p;
	}
	if (p == NULL || c != T)
		return p;
	r->why = "its t is not an instant";
	return NULL;
}

/* One row: what is behind it, or NULL. */
static const char *
read_row(struct rows *r, struct slice body, const char *p, struct row *row)
{
	const char *end = body.p + body.n;
	unsigned seen = 0;

	for (int i = 0; i < COLUMNS; i++) {
		row->at[i] = CELL_MISSING;
		row->n[i] = 0;
	}
	row->ticker_n = 0;
	r->why = "it is not an object";
	if (p == end || *p != '{')
		return NULL;
	do {
		int c;

		p = read_key(r, body, json_blanks(p + 1, end), &c);
		if (p == NULL)
			return NULL;
		r->why = "a key occurs twice";
		if (c >= 0 && (seen & 1u << c) != 0)
			return NULL;
		seen |= c >= 0 ? 1u << c : 0;
		p = json_blanks(p, end);
		r->why = "a colon is missing";
		if (p == end || *p != ':')
			return NULL;
		p = read_value(r, body, json_blanks(p + 1, end), c, row);
		if (p == NULL)
			return NULL;
		p = json_blanks(p, end);
	} while (p < end && *p == ',');
	r->why = p == end || *p != '}' ? "a comma is missing or it ends too early" : "it has no t";
	return p < end && *p == '}' && (seen & 1u << T) != 0 ? p + 1 : NULL;
}

static struct row *
add_row(struct rows *r)
{
	if (r->n == r->cap) {
		r->cap += r->cap / 2 + 512;
		r->row = memory_grow(r->row, r->cap, sizeof *r->row);
	}
	return &r->row[r->n++];
}

size_t
rows_read(struct rows *r, struct slice body, size_t at)
{
	int64_t after = INT64_MIN;

	r->n = 0;
	at = json_skip(body, at + 1);
	if (at < body.n && body.p[at] == ']')
		return at + 1;
	for (;;) {
		struct row *row = add_row(r);
		const char *p = read_row(r, body, body.p + at, row);

		if (p == NULL)
			return 0;
		at = (size_t)(p - body.p);
		r->why = "it starts before the row in front of it";
		if (row->t < after && !r->any_order)
			return 0;
		after = row->t;
		at = json_skip(body, at);
		if (at < body.n && body.p[at] == ']')
			return at + 1;
		r->why = "after it a comma or the closing bracket is missing";
		if (at == body.n || body.p[at] != ',')
			return 0;
		r->why = "there are more rows than were asked for";
		if (r->n == ROWS_MAX)
			return 0;
		at = json_skip(body, at + 1);
	}
}

void
rows_release(struct rows *r)
{
	free(r->row);
	*r = (struct rows){0};
}
