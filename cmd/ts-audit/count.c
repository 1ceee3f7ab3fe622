/*
 * Counting in the database: one pass over the rows of many symbols gives a row for each symbol and
 * session. No time zone is asked for a row: the calendar's bounds go along, and each row finds its
 * place among them.
 */
#include "count.h"

#include <stdio.h>

/* Which bound is next, in columns of the answer. */
enum { SYMBOL, BIN, BARS, NULLS, CROSSED, ODD, OFF, FIRST, LAST, FILLED };

static void
add_bounds(struct buffer *b, const struct schedule *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct period *p = &s->period[i];
		const int64_t bound[SCHEDULE_BOUNDS] = {p->early, p->start, p->end, p->late};

		for (size_t k = 0; k < SCHEDULE_BOUNDS; k++) {
			sql_comma(b, i + k);
			sql_key(b, s->tf, bound[k]);
		}
	}
	buffer_byte(b, '}');
}

/* The columns that only bars of sessions need: off the grid, and the slices with a bar. */
static void
add_intraday(struct buffer *b, enum timeframe tf)
{
	char text[200];
	int seconds = timeframe_seconds(tf);

	(void)snprintf(text, sizeof text,
		"count(*) FILTER (WHERE e / %d <> floor(e / %d)) AS off,"
		" COALESCE(bit_or(CASE WHEN bin %% %d = 2 THEN 1::int8 <<"
		" ((e::int8 %% 86400 - %d) / %d)::int4 END), 0) AS filled,",
		seconds, seconds, SCHEDULE_BOUNDS, schedule_slice_start(tf),
		schedule_slice_seconds(tf));
	buffer_str(b, text);
}

static void
add_query(struct buffer *b, const struct pg_table *t, bool bounds, bool values)
{
	bool intraday = timeframe_intraday(t->tf);
	const char *type = intraday ? "timestamptz" : "date";

	buffer_str(b,
		"SELECT symbol::text, bin, bars, nulls, crossed, odd, off, first, last, filled FROM"
		" (SELECT symbol, bin, count(*) AS bars, count(*) FILTER (WHERE open IS NULL OR"
		" high IS NULL OR low IS NULL OR close IS NULL OR"
		/* An index has no volume. */
		" (volume IS NULL AND left(symbol::text, 2) <> 'I:')) AS nulls,"
		" count(*) FILTER (WHERE high < low) AS crossed,");
	buffer_str(
		b, values ? " count(*) FILTER (WHERE high >= low AND (open > high OR open < low OR"
			    " close > high OR close < low)) AS odd,"
			  : " 0 AS odd,");
	if (intraday)
		add_intraday(b, t->tf);
	else
		buffer_str(b, " 0 AS off, 0 AS filled,");
	buffer_str(b,
		" floor(min(e))::int8 AS first, floor(max(e))::int8 AS last FROM (SELECT symbol, ");
	if (bounds)
		SQL(b, "width_bucket(", t->key, ", $4::", type, "[])");
	else
		buffer_str(b, "0");
	/* Keys as numbers, so that nothing here needs to read dates; each computed once. */
	SQL(b, " AS bin, ", intraday ? "date_part('epoch', " : "(", t->key,
		intraday ? ")" : " - date '1970-01-01')",
		" AS e, open, high, low, close, volume FROM ", t->name, " WHERE ");
	sql_where(b, t, 2);
	buffer_str(b, " OFFSET 0) x GROUP BY 1, 2) y");
}

/* The series that are counted, found by symbol. */
struct counting {
	struct series *const *series;
	size_t n;
};

static void
begin(void *data)
{
	struct counting *c = data;

	for (size_t i = 0; i < c->n; i++)
		series_reset(c->series[i]);
}

static void
take_row(void *data, const PGresult *res, int row)
{
	struct counting *c = data;
	struct series *s = sql_series(c->series, c->n, PQgetvalue(res, row, SYMBOL));
	struct tally t = {.bars = (uint64_t)sql_number(res, row, BARS),
		.nulls = (uint64_t)sql_number(res, row, NULLS),
		.crossed = (uint64_t)sql_number(res, row, CROSSED),
		.odd = (uint64_t)sql_number(res, row, ODD),
		.off = (uint64_t)sql_number(res, row, OFF),
		.first = sql_number(res, row, FIRST),
		.last = sql_number(res, row, LAST),
		.filled = (uint64_t)sql_number(res, row, FILLED)};

	if (s != NULL)
		series_count(s, (uint64_t)sql_number(res, row, BIN), &t);
}

enum outcome
count_series(const struct pg_table *t, struct pg *pg, struct series *const *series, size_t n,
	bool values)
{
	const struct schedule *s = series[0]->schedule;
	struct counting c = {series, n};
	const struct pg_sink sink = {take_row, &c};
	struct buffer sql = {0}, value[4] = {0};
	enum outcome o;

	add_query(&sql, t, s->count > 0, values);
	sql_symbols(&value[0], series, n);
	sql_key(&value[1], s->tf, s->from);
	sql_key(&value[2], s->tf, schedule_end(s));
	add_bounds(&value[3], s);
	o = sql_run(pg, buffer_cstr(&sql), value, s->count > 0 ? 4 : 3, begin, &sink);
	buffer_release(&sql);
	buffer_release(&value[3]);
	return o;
}

static void
take_first(void *data, const PGresult *res, int row)
{
	struct counting *c = data;
	struct series *s = sql_series(c->series, c->n, PQgetvalue(res, row, 0));

	if (s != NULL && !PQgetisnull(res, row, 1))
		s->first = s->last = sql_number(res, row, 1);
}

enum outcome
count_first(const struct pg_table *t, struct pg *pg, struct series *const *series, size_t n)
{
	bool intraday = timeframe_intraday(t->tf);
	struct counting c = {series, n};
	const struct pg_sink sink = {take_first, &c};
	struct buffer sql = {0}, symbols = {0};
	enum outcome o;

	SQL(&sql, "SELECT s, floor(",
		intraday ? "date_part('epoch', key)" : "key - date '1970-01-01'",
		")::int8 FROM (SELECT s, (SELECT min(", t->key, ") FROM ", t->name,
		" WHERE symbol = s::", t->symbol_type, ") AS key FROM unnest($1::text[]) s) x");
	sql_symbols(&symbols, series, n);
	o = sql_run(pg, buffer_cstr(&sql), &symbols, 1, begin, &sink);
	buffer_release(&sql);
	return o;
}
