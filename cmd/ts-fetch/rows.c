/*
 * The rows of a page, read twice as fast as the general parser could: a hand scanner takes a row
 * that is made of the documented fields and numbers; whatever it does not know goes to the general
 * parser.
 */
#include "rows.h"

#include "number.h"

#include <stdlib.h>

enum {
	ROWS_MAX = 2 * URL_LIMIT, /* a page has no more rows than base bars; some slack */
	ROW_BYTES = 1 << 14,	  /* of a row that the general parser reads */
	T = COLUMNS,
	IGNORED,
};

/* Instants up to the end of 2199: what common/timestamp can write. */
#define T_MAX_MS 7258118399999

static const char *
blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static const char *
digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Behind the number that starts at p, by JSON's grammar; NULL if there is none. */
static const char *
number(const char *p, const char *end)
{
	const char *start;

	if (p < end && *p == '-')
		p++;
	start = p;
	p = digits(p, end);
	if (p == start || (*start == '0' && p - start > 1))
		return NULL;
	if (p < end && *p == '.') {
		start = ++p;
		p = digits(p, end);
		if (p == start)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		start = p;
		p = digits(p, end);
		if (p == start)
			return NULL;
	}
	return p;
}

/* Which column a key is, its closing quote behind it; *p moves behind that. -1 for any other. */
static int
column(const char **p, const char *end)
{
	const char *k = *p;

	if (end - k < 5 || k[0] != '"')
		return -1;
	*p = k + 3;
	if (k[2] == '"') {
		switch (k[1]) {
		case 'o':
			return COLUMN_OPEN;
		case 'h':
			return COLUMN_HIGH;
		case 'l':
			return COLUMN_LOW;
		case 'c':
			return COLUMN_CLOSE;
		case 'v':
			return COLUMN_VOLUME;
		case 't':
			return T;
		case 'n':
			return IGNORED;
		default:
			return -1;
		}
	}
	*p = k + 4;
	return k[1] == 'v' && k[2] == 'w' && k[3] == '"' ? IGNORED + 1 : -1;
}

/* Milliseconds as the API writes them, as seconds. */
static bool
instant(struct slice s, int64_t *t)
{
	struct number d;
	uint64_t plain;
	int64_t ms;

	if (slice_count(s, &plain) == 0 && plain <= T_MAX_MS)
		ms = (int64_t)plain;
	else if (number_parse(s, &d) != 0 || number_to_int(&d, 0, &ms) != 0)
		return false;
	*t = ms / 1000;
	return ms >= 0 && ms <= T_MAX_MS && ms % 1000 == 0;
}

static void
absent(struct row *row)
{
	for (int i = 0; i < COLUMNS; i++) {
		row->at[i] = CELL_MISSING;
		row->n[i] = 0;
	}
}

static bool
cell(struct row *row, int i, const char *body, const char *from, const char *to)
{
	if (to - from > NUMBER_TEXT)
		return false;
	row->at[i] = (uint32_t)(from - body);
	row->n[i] = (uint16_t)(to - from);
	return true;
}

/* A row of known keys and numbers, each at most once. Behind it, or NULL. */
static const char *
plain_row(const char *body, const char *p, const char *end, struct row *row)
{
	unsigned seen = 0;

	absent(row);
	if (p == end || *p != '{')
		return NULL;
	do {
		const char *value;
		int c;

		p = blank(p + 1, end);
		c = column(&p, end);
		if (c < 0 || (seen & 1u << c) != 0)
			return NULL;
		seen |= 1u << c;
		p = blank(p, end);
		if (p == end || *p != ':')
			return NULL;
		value = blank(p + 1, end);
		p = number(value, end);
		if (p == NULL)
			return NULL;
		if (c < COLUMNS && !cell(row, c, body, value, p))
			return NULL;
		if (c == T && !instant((struct slice){value, (size_t)(p - value)}, &row->t))
			return NULL;
		p = blank(p, end);
		if (p == end)
			return NULL;
	} while (*p == ',');
	return *p == '}' && (seen & 1u << T) != 0 ? p + 1 : NULL;
}

static void
read_cell(struct row *row, int i, const char *body, const struct json *j, json_at at)
{
	struct slice s = json_raw(j, at);
	enum json_type type = json_type(j, at);

	if (type == JSON_NULL)
		row->at[i] = CELL_NULL;
	else if (type != JSON_NUMBER && type != JSON_NONE)
		row->at[i] = CELL_NO_NUMBER;
	else if (type == JSON_NUMBER && !cell(row, i, body, s.p, s.p + s.n))
		row->at[i] = CELL_TOO_LONG;
}

/* Any row, by the general parser. The offset behind it, or 0. */
static size_t
any_row(struct slice body, size_t at, struct row *row, struct json *j, const char **why)
{
	static const char *const key[COLUMNS] = {"o", "h", "l", "c", "v"};
	size_t end = json_end(body, at, why, NULL);
	json_at t;

	if (end == 0)
		return 0;
	*why = "it is too long";
	if (end - at > ROW_BYTES || json_parse(j, (struct slice){body.p + at, end - at}, why) != 0)
		return 0;
	t = json_find(j, 0, "t");
	if (json_type(j, t) != JSON_NUMBER || !instant(json_raw(j, t), &row->t)) {
		*why = "its t is no instant";
		return 0;
	}
	absent(row);
	for (int i = 0; i < COLUMNS; i++)
		read_cell(row, i, body.p, j, json_find(j, 0, key[i]));
	return end;
}

static struct row *
another(struct rows *r)
{
	if (r->n == r->cap) {
		r->cap += r->cap / 2 + 512;
		r->row = memory_grow(r->row, r->cap, sizeof *r->row);
	}
	return &r->row[r->n++];
}

size_t
rows_read(struct rows *r, struct slice body, size_t at, struct json *j, const char **why)
{
	const char *end = body.p + body.n;
	int64_t after = INT64_MIN;

	r->n = 0;
	at = json_skip(body, at + 1);
	if (at < body.n && body.p[at] == ']')
		return at + 1;
	for (;;) {
		struct row *row = another(r);
		const char *p = plain_row(body.p, body.p + at, end, row);

		at = p != NULL ? (size_t)(p - body.p) : any_row(body, at, row, j, why);
		if (at == 0)
			return 0;
		*why = "it starts before the row in front of it";
		if (row->t < after)
			return 0;
		after = row->t;
		at = json_skip(body, at);
		if (at < body.n && body.p[at] == ']')
			return at + 1;
		*why = "behind it a comma or the closing bracket is missing";
		if (at == body.n || body.p[at] != ',')
			return 0;
		*why = "there are more rows than were asked for";
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
