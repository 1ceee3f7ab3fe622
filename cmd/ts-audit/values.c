/* The statements that compare, and their answers. */
#include "values.h"

#include "checks.h"

/* Behind "(" and a first open or last close. */
#define UNSTAMPED " % 100000000000) / 1e4::float8"

/* A number in millionths, so that no text of a double needs to be read; NaN becomes very large. */
#define MILLIONTHS(x) "(least(greatest((" x ")::float8, -1e9), 1e9) * 1e6)::int8"

enum { DAY, RATIO, RANGE, SHARE, PARTS, PRICE, VOLUME, LOST };

/* "x AS (...)": bars of a timeframe with their key, between two parameters. */
static void
add_bars(struct buffer *b, const char *name, const struct pg_table *t, int first)
{
	SQL(b, ", ", name, " AS (SELECT symbol::text AS symbol, ", t->key, " AS key, ");
	sql_values(b, t);
	SQL(b, " FROM ", t->name, " WHERE ");
	sql_where(b, t, first);
	buffer_str(b, ")");
}

static bool
is_real(const struct pg_table *t)
{
	for (int i = 0; i < PG_TABLE_VALUES; i++) {
		if (t->type[i] == PG_FLOAT4)
			return true;
	}
	return false;
}

/* What two numbers of which one at least is REAL may differ by: the rounding of both. */
static void
add_rounding(
	struct buffer *b, const char *value, const struct pg_table *t, const struct pg_table *u)
{
	if (is_real(t) || is_real(u))
		SQL(b, " - ", value, " * 1.2e-7");
}

/*
 * The largest difference of the four prices of a row x of one table and one rolled up of the other,
 * m.
 */
static void
add_difference(struct buffer *b, const struct pg_table *t, const struct pg_table *u)
{
	buffer_str(b, "greatest(abs(x.open::float8 - (m.o" UNSTAMPED "), abs(x.high - m.hi),"
		      " abs(x.low - m.lo), abs(x.close::float8 - (m.c" UNSTAMPED "))");
	add_rounding(b, "x.high", t, u);
}

/* "j AS (...)": the hours that lie wholly inside regular hours beside what their minutes make. */
static void
add_hours(struct buffer *b, const struct pg_table *minutes, const struct pg_table *hours)
{
	add_bars(b, "g", hours, 2);
	buffer_str(b, ", j AS (SELECT symbol, bin, max(");
	add_difference(b, minutes, hours);
	buffer_str(b, ") AS price, max(abs(x.volume - m.v) - (m.bars + 1) / 2.0");
	add_rounding(b, "x.volume", minutes, hours);
	buffer_str(b,
		") AS volume, count(*) FILTER (WHERE m.bars IS NULL OR x.key IS NULL) AS lost FROM "
		"m FULL JOIN"
		" (SELECT *, width_bucket(key, $4::timestamptz[]) AS bin,"
		" date_part('epoch', key)::int8 / 3600 AS h FROM g) x USING (symbol, bin, h)"
		" WHERE bin % 4 = 2 AND h * 3600 >= date_part('epoch', ($4::timestamptz[])[bin])"
		" AND h * 3600 + 3600 <= least(date_part('epoch', ($4::timestamptz[])[bin + 1]),"
		" date_part('epoch', $6::timestamptz)) GROUP BY 1, 2 HAVING count(key) > 0)");
}

/* How the regular bars of a session stand to its day; of four ratios the middle two. */
static void
add_day(struct buffer *b)
{
	SQL(b, " (s.hi + d.high IS NOT NULL)::int, ",
		MILLIONTHS("(SELECT (sum(r) - max(r) - min(r)) / 2 FROM (VALUES (s.o / d.open),"
			   " (s.hi / d.high), (s.lo / d.low), (s.c / d.close)) v(r)"
			   " HAVING count(r) = 4)"),
		", ",
		MILLIONTHS(
			"(greatest(s.hi - d.high, d.low - s.lo) - " CHECK_RANGE_AMOUNT ") / d.low"),
		", ", MILLIONTHS("s.v / d.volume"));
}

void
values_sessions(struct buffer *b, const struct pg_table *t, const struct values *v)
{
	/* The hour in which regular hours begin has bars from before them. */
	const char *regular =
		REGULAR_OPEN * 60 % timeframe_seconds(t->tf) == 0
			? ""
			: " FILTER (WHERE h * 3600 > date_part('epoch', ($4::timestamptz[])[bin]))";

	SQL(b,
		", s AS (SELECT symbol, bin, sum(bars) AS bars, sum(nulls) AS nulls,"
		" sum(crossed) AS crossed, sum(odd) AS odd, sum(off) AS off, bit_or(filled) AS"
		" filled, min(first) AS first, max(last) AS last, (min(o)",
		regular, UNSTAMPED " AS o, (max(hi)", regular, ")::float8 AS hi, (min(lo)", regular,
		")::float8 AS lo, (max(c)", regular, UNSTAMPED " AS c, (sum(v)", regular,
		")::float8 AS v FROM m GROUP BY 1, 2)");
	if (v->hours != NULL)
		add_hours(b, t, v->hours);
	buffer_str(
		b, " SELECT s.symbol, s.bin, bars, nulls, crossed, odd, off, filled, first, last,");
	if (v->days != NULL)
		add_day(b);
	else
		buffer_str(b, " 0, NULL, NULL, NULL");
	if (v->hours != NULL)
		SQL(b, ", (j.bin IS NOT NULL)::int, ", MILLIONTHS("j.price"), ", ",
			MILLIONTHS("j.volume"), ", j.lost FROM s LEFT JOIN j USING (symbol, bin)");
	else
		buffer_str(b, ", 0, NULL, NULL, 0 FROM s");
	if (v->days != NULL) {
		SQL(b, " LEFT JOIN (SELECT symbol::text AS symbol, ", v->days->key,
			" AS key, NULLIF(volume, 0)::float8 AS volume,"
			" NULLIF(open, 0)::float8 AS open, NULLIF(high, 0)::float8 AS high,"
			" NULLIF(low, 0)::float8 AS low, NULLIF(close, 0)::float8 AS close FROM ",
			v->days->name, " WHERE ");
		sql_where(b, v->days, 7);
		buffer_str(b, ") d ON d.symbol = s.symbol AND s.bin % 4 = 2 AND"
			      " d.key = ($5::date[])[s.bin / 4 + 1]");
	}
	/* So that all parameters have a type. */
	buffer_str(b, " WHERE ($5::date[], $6::timestamptz, $7::date, $8::date) IS NOT NULL");
}

void
values_parameters(struct query *q, const struct schedule *s)
{
	for (size_t i = 0; i < s->count; i++) {
		sql_comma(&q->value[4], i);
		sql_key(&q->value[4], TF_DAY, s->period[i].first);
	}
	buffer_byte(&q->value[4], '}');
	sql_key(&q->value[5], s->tf, s->to);
	sql_key(&q->value[6], TF_DAY, s->period[0].first);
	sql_key(&q->value[7], TF_DAY, s->period[s->count - 1].last + 1);
	q->n = 8;
}

static double
read_millionths(const PGresult *res, int row, int column)
{
	return (double)sql_number(res, row, column) / 1e6;
}

struct comparison
values_comparison(const PGresult *res, int row, int first)
{
	return (struct comparison){.day = sql_number(res, row, first + DAY) != 0,
		.parts = sql_number(res, row, first + PARTS) != 0,
		.ratio = read_millionths(res, row, first + RATIO),
		.range = read_millionths(res, row, first + RANGE),
		.share = read_millionths(res, row, first + SHARE),
		.price = read_millionths(res, row, first + PRICE),
		.volume = read_millionths(res, row, first + VOLUME),
		.lost = sql_number(res, row, first + LOST) > 0};
}

static void
add_roll_up_query(struct buffer *b, const struct pg_table *t, const struct pg_table *days)
{
	buffer_str(b,
		"WITH m AS (SELECT symbol, bin, min(t) AS first, max(t) AS last, " VALUES_ROLLED
		" FROM ");
	sql_rows(b, days, "$4::date[]");
	/* A row of a weekend makes no week. 1970 began on a Thursday. */
	buffer_str(b, " WHERE bin % 2 = 1 AND (t + 4) % 7 BETWEEN 1 AND 5 GROUP BY 1, 2),"
		      " held AS (SELECT symbol, min(first) AS first, max(last) AS last FROM m "
		      "GROUP BY 1)");
	add_bars(b, "w", t, 2);
	SQL(b, " SELECT m.symbol, m.bin, 0, NULL, NULL, NULL, 1, ", MILLIONTHS("price"), ", ",
		MILLIONTHS("abs(x.volume - m.v)"),
		", 0 FROM m JOIN held USING (symbol) JOIN w x ON"
		" x.symbol = m.symbol AND x.key = ($4::date[])[m.bin], LATERAL (SELECT ");
	add_difference(b, t, days);
	/* Where the days begin or end within it, they do not make it. */
	buffer_str(b, " AS price) p WHERE"
		      " held.first <= ($5::date[])[(m.bin + 1) / 2] - date '1970-01-01' AND"
		      " held.last >= ($6::date[])[(m.bin + 1) / 2] - date '1970-01-01'");
}

struct comparing {
	const struct values *values;
	const struct group *group;
};

static void
take_comparison(void *data, const PGresult *res, int row)
{
	const struct comparing *c = data;
	struct series *s = sql_series(c->group, PQgetvalue(res, row, 0));
	struct comparison x = values_comparison(res, row, 2);

	if (s != NULL)
		c->values->take(c->values->data, s, ((size_t)sql_number(res, row, 1) - 1) / 2, &x);
}

enum outcome
values_roll_up(const struct pg_table *t, const struct values *v, struct pg *pg,
	const struct group *g, const struct calendar *calendar)
{
	const struct schedule *s = g->series[0]->schedule;
	struct comparing c = {v, g};
	struct query q = {.n = 6, .sink = {take_comparison, &c}};

	add_roll_up_query(&q.text, t, v->days);
	sql_symbols(&q.value[0], g);
	sql_key(&q.value[1], s->tf, s->period[0].first);
	sql_key(&q.value[2], s->tf, s->period[s->count - 1].last + 1);
	for (size_t i = 0; i < s->count; i++) {
		const struct period *p = &s->period[i];

		sql_comma(&q.value[3], 2 * i);
		sql_key(&q.value[3], s->tf, p->first);
		buffer_byte(&q.value[3], ',');
		sql_key(&q.value[3], s->tf, p->last + 1);
		sql_comma(&q.value[4], i);
		sql_key(&q.value[4], s->tf, calendar_session_after(calendar, p->first));
		sql_comma(&q.value[5], i);
		sql_key(&q.value[5], s->tf, calendar_session_before(calendar, p->last));
	}
	for (int i = 3; i < q.n; i++)
		buffer_byte(&q.value[i], '}');
	return sql_run(pg, &q);
}
