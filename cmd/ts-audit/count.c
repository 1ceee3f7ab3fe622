/*
 * Counting in the database: one pass over the rows of many symbols gives a row for each symbol and
 * session. No time zone is asked for a row: the calendar's bounds go along, and each row finds its
 * place among them.
 */
#include "count.h"

#include "timestamp.h"

#include <stdlib.h>

static void
add_key(struct buffer *b, enum timeframe tf, int64_t key)
{
	char text[TIMESTAMP_SIZE];

	buffer_str(b, timeframe_intraday(tf) ? timestamp_format(text, key)
					     : date_format(text, (int32_t)key));
}

/* The bounds of all periods as an array. */
static void
add_bounds(struct buffer *b, const struct schedule *s)
{
	buffer_byte(b, '{');
	for (size_t i = 0; i < s->count; i++) {
		if (i > 0)
			buffer_byte(b, ',');
		add_key(b, s->tf, s->period[i].start);
		buffer_byte(b, ',');
		add_key(b, s->tf, s->period[i].end);
	}
	buffer_byte(b, '}');
}

/* The symbols as an array. */
static void
add_symbols(struct buffer *b, struct series *const *series, size_t n)
{
	buffer_byte(b, '{');
	for (size_t i = 0; i < n; i++) {
		struct slice s = series[i]->symbol;

		buffer_str(b, i == 0 ? "\"" : ",\"");
		for (size_t k = 0; k < s.n; k++) {
			if (s.p[k] == '"' || s.p[k] == '\\')
				buffer_byte(b, '\\');
			buffer_byte(b, s.p[k]);
		}
		buffer_byte(b, '"');
	}
	buffer_byte(b, '}');
}

static void
add_all(struct buffer *b, const char *const *words)
{
	for (; *words != NULL; words++)
		buffer_str(b, *words);
}

#define ADD(b, ...) add_all(b, (const char *const[]){__VA_ARGS__, NULL})

static void
add_query(struct buffer *b, const struct pg_table *t, bool bounds)
{
	bool intraday = timeframe_intraday(t->tf);
	const char *type = intraday ? "timestamptz" : "date";
	/* Keys as numbers, so that nothing here needs to read dates. */
	const char *open = intraday ? "extract(epoch FROM " : "(";
	const char *close = intraday ? ")::int8" : " - date '1970-01-01')";

	ADD(b, "SELECT symbol::text, bin, bars, nulls, crossed, ", open, "first", close, ", ", open,
		"last", close, " FROM (SELECT symbol, ");
	if (bounds)
		ADD(b, "width_bucket(", t->key, ", $4::", type, "[])");
	else
		buffer_str(b, "0");
	buffer_str(b,
		" AS bin, count(*) AS bars, count(*) FILTER (WHERE open IS NULL OR high IS NULL"
		" OR low IS NULL OR close IS NULL OR volume IS NULL) AS nulls,"
		" count(*) FILTER (WHERE high < low) AS crossed");
	ADD(b, ", min(", t->key, ") AS first, max(", t->key, ") AS last FROM ", t->name);
	ADD(b, " WHERE symbol = ANY ($1::text[]::", t->symbol_type, "[]) AND ", t->key,
		" >= $2::", type, " AND ", t->key, " < $3::", type, " GROUP BY 1, 2) x");
}

/* The series that are counted, found by symbol, and how. */
struct counting {
	struct series *const *series;
	size_t n;
	const char *sql;
	struct pg_values values;
};

static int
compare(const void *symbol, const void *series)
{
	return slice_cmp(*(const struct slice *)symbol, (*(struct series *const *)series)->symbol);
}

static uint64_t
number(const PGresult *res, int row, int column)
{
	uint64_t v = 0;

	(void)slice_count(slice_of(PQgetvalue(res, row, column)), &v);
	return v;
}

/* A key before 1970 has a sign. */
static int64_t
key_number(const PGresult *res, int row, int column)
{
	const char *text = PQgetvalue(res, row, column);
	uint64_t v = 0;

	(void)slice_count(slice_of(text + (text[0] == '-')), &v);
	return text[0] == '-' ? -(int64_t)v : (int64_t)v;
}

static void
take_count(void *data, const PGresult *res, int row)
{
	struct counting *c = data;
	struct slice symbol = slice_of(PQgetvalue(res, row, 0));
	struct series *const *at =
		bsearch(&symbol, c->series, c->n, sizeof(struct series *), compare);
	struct tally t = {.bars = number(res, row, 2),
		.nulls = number(res, row, 3),
		.crossed = number(res, row, 4),
		.first = key_number(res, row, 5),
		.last = key_number(res, row, 6)};

	/* A bar with a NULL can be crossed as well: its count is more than is needed, never less.
	 */
	t.faulty = t.nulls + t.crossed;
	if (at != NULL)
		series_count(*at, number(res, row, 1), &t);
}

/* Counts from zero, also when it is done again. */
static enum outcome
count(struct pg *pg, void *data)
{
	struct counting *c = data;
	const struct pg_sink sink = {take_count, c};
	enum outcome o = pg_begin(pg);

	for (size_t i = 0; i < c->n; i++)
		series_reset(c->series[i]);
	if (o == PG_OK)
		o = pg_stream(pg, c->sql, &c->values, &sink);
	return o == PG_OK ? pg_commit(pg) : o;
}

enum outcome
count_series(const struct pg_table *t, struct pg *pg, struct series *const *series, size_t n)
{
	const struct schedule *s = series[0]->schedule;
	struct counting c = {.series = series, .n = n};
	struct buffer sql = {0}, values[4] = {0};
	enum outcome o;

	add_query(&sql, t, s->count > 0);
	add_symbols(&values[0], series, n);
	add_key(&values[1], s->tf, s->from);
	/* A bar belongs to a task when it ends at or before its to. */
	add_key(&values[2], s->tf,
		timeframe_intraday(s->tf) ? s->to - timeframe_seconds(s->tf) + 1 : s->to + 1);
	add_bounds(&values[3], s);
	c.sql = buffer_cstr(&sql);
	c.values.n = s->count > 0 ? 4 : 3;
	for (int i = 0; i < c.values.n; i++)
		c.values.value[i] = buffer_cstr(&values[i]);
	o = pg_patiently(pg, count, &c);
	buffer_release(&sql);
	for (int i = 0; i < 4; i++)
		buffer_release(&values[i]);
	return o;
}
