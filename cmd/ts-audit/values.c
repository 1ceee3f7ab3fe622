/*
 * Rows are grouped by hash, so the first open and the last close of a group are found as the least
 * and the largest of numbers made of minute (or date) and price: time * 10^11 + price * 10^4. NULL
 * where a price has more than seven digits before its point.
 */
#include "values.h"

#include "checks.h"

#include <math.h>

#define TEN_11 "100000000000"
#define STAMPED(price) "(CASE WHEN " price " < 10000000 THEN " price " * 10000 END)::int8"
#define UNSTAMPED(column) "((" column " % " TEN_11 ") / 1e4::float8)"

/* A number in millionths, so that no text of a double needs to be read; NaN becomes very large. */
#define MILLIONTHS(x) "(least(greatest((" x ")::float8, -1e9), 1e9) * 1e6)::int8"

enum { SYMBOL, BIN, DAY, RATIO, RANGE, SHARE, PARTS, PRICE, VOLUME, LOST };

/* "m AS (...)": a table's rows in odd bins, by symbol, bin and so many units of time, rolled up. */
static void
add_rolled(struct buffer *b, const struct pg_table *t, const char *bounds, const char *group)
{
	bool intraday = timeframe_intraday(t->tf);

	SQL(b, "m AS (SELECT symbol, bin, ", group,
		" AS h, min(t * " TEN_11 " + o) AS o, max(high) AS hi,",
		" min(low) AS lo, max(t * " TEN_11 " + c) AS c, sum(volume) AS v, count(*) AS n",
		intraday ? "" : ", min(t) AS first, max(t) AS last",
		" FROM (SELECT symbol, width_bucket(", t->key, ", ", bounds, ") AS bin, ",
		intraday ? "date_part('epoch', " : "(", t->key,
		intraday ? ")::int8 / 60" : " - date '1970-01-01')::int8",
		" AS t, " STAMPED("open") " AS o, " STAMPED(
			"close") " AS c, high, low, volume FROM ",
		t->name, " WHERE ");
	sql_where(b, t, 2);
	/* A row of a weekend makes no week. */
	if (!intraday)
		SQL(b, " AND extract(isodow FROM ", t->key, ") < 6");
	buffer_str(b, " OFFSET 0) x WHERE bin % 2 = 1 GROUP BY 1, 2, 3)");
}

/* The largest difference of the four prices of two rows, one of them rolled up. */
#define PRICES(row, m)                                                                             \
	"greatest(abs(" row                                                                        \
	".open::float8 - " UNSTAMPED(m ".o") "), abs(" row ".high - " m ".hi),"                    \
					     " abs(" row ".low - " m ".lo), abs(" row              \
					     ".close::float8 - " UNSTAMPED(m ".c") "))"

/* "j AS (...)": the hours that lie wholly inside regular hours beside what their minutes make. */
static void
add_hours(struct buffer *b, const struct pg_table *hours)
{
	SQL(b, ", g AS (SELECT symbol, width_bucket(", hours->key, ", $4::timestamptz[]) AS bin,",
		" date_part('epoch', ", hours->key,
		")::int8 / 60 / 60 AS h, open, high, low, close, volume", " FROM ", hours->name,
		" WHERE ");
	sql_where(b, hours, 2);
	buffer_str(b, "), j AS (SELECT symbol, bin, max(" PRICES("g",
			      "m") ") AS price,"
				   " max(abs(g.volume - m.v) - (m.n + 1) / 2.0) AS volume,"
				   " count(*) FILTER (WHERE m.n IS NULL OR g.h IS NULL) AS lost"
				   " FROM (SELECT symbol, bin, h, o, hi, lo, c, v, n FROM m) m"
				   " FULL JOIN (SELECT *, h AS gh FROM g) g USING (symbol, bin, h)"
				   " WHERE bin % 2 = 1 AND h * 3600 >= date_part('epoch', "
				   "($4::timestamptz[])[bin])"
				   " AND h * 3600 + 3600 <= least(date_part('epoch', "
				   "($4::timestamptz[])[bin + 1]),"
				   " date_part('epoch', $6::timestamptz)) GROUP BY 1, 2 HAVING "
				   "count(gh) > 0)");
}

static void
add_days(struct buffer *b, const struct pg_table *days)
{
	SQL(b, ", d AS (SELECT symbol, ", days->key,
		" AS key, open, high, low, close, volume FROM ", days->name, " WHERE ");
	sql_where(b, days, 7);
	buffer_str(b, ")");
}

/* Of four ratios the middle two. */
static const char ratio_sql[] = MILLIONTHS(
	"(SELECT (sum(r) - max(r) - min(r)) / 2 FROM (VALUES"
	" (" UNSTAMPED("s.o") " / NULLIF(d.open, 0)), (s.hi / NULLIF(d.high, 0)::float8),"
			      " (s.lo / NULLIF(d.low, 0)::float8), (" UNSTAMPED(
				      "s.c") " / NULLIF(d.close, 0))) v(r)"
					     " HAVING count(r) = 4)");

static void
add_sessions_query(struct buffer *b, const struct pg_table *fine, const struct pg_table *hours,
	const struct pg_table *days)
{
	buffer_str(b, "WITH ");
	add_rolled(b, fine, "$4::timestamptz[]", "t / 60");
	buffer_str(b, ", s AS (SELECT symbol, bin, min(o) AS o, max(hi) AS hi, min(lo) AS lo, "
		      "max(c) AS c,"
		      " sum(v) AS v FROM m GROUP BY 1, 2)");
	if (hours != NULL)
		add_hours(b, hours);
	if (days != NULL)
		add_days(b, days);
	buffer_str(b, " SELECT s.symbol::text, s.bin, ");
	if (days != NULL)
		SQL(b, "(d.high IS NOT NULL)::int, ", ratio_sql,
			", " MILLIONTHS(
				"(greatest(s.hi - d.high, d.low - s.lo) - " CHECK_RANGE_AMOUNT
				") / NULLIF(d.low, 0)"),
			", " MILLIONTHS("s.v / NULLIF(d.volume, 0)::float8"), ", ");
	else
		buffer_str(b, "0, NULL, NULL, NULL, ");
	if (hours != NULL)
		buffer_str(
			b, "(j.bin IS NOT NULL)::int, " MILLIONTHS("j.price") ", " MILLIONTHS(
				   "j.volume") ", j.lost FROM s LEFT JOIN j USING (symbol, bin)");
	else
		buffer_str(b, "0, NULL, NULL, 0 FROM s");
	if (days != NULL)
		buffer_str(b, " LEFT JOIN d ON d.symbol = s.symbol AND d.key = ($5::date[])[(s.bin "
			      "+ 1) / 2]");
	/* So that all parameters have a type. */
	buffer_str(b, " WHERE ($5::date[], $6::timestamptz, $7::date, $8::date) IS NOT NULL");
}

static void
add_roll_up_query(struct buffer *b, const struct pg_table *t, const struct pg_table *days)
{
	buffer_str(b, "WITH ");
	add_rolled(b, days, "$4::date[]", "0");
	SQL(b,
		", held AS (SELECT symbol, min(first) AS first, max(last) AS last FROM m GROUP BY "
		"1),",
		" w AS (SELECT symbol, ", t->key, " AS key, open, high, low, close, volume FROM ",
		t->name, " WHERE ");
	sql_where(b, t, 2);
	buffer_str(b,
		") SELECT m.symbol::text, m.bin, 0, NULL, NULL, NULL, 1, " MILLIONTHS(PRICES("w",
			"m")) ", " MILLIONTHS("abs(w.volume - m.v)") ", 0"
								     " FROM m JOIN held ON "
								     "held.symbol = m.symbol JOIN "
								     "w ON w.symbol = m.symbol"
								     " AND w.key = "
								     "($4::date[])[m.bin] WHERE"
								     /* Where the days begin or end
									within it, they do not make
									it. */
								     " held.first <= "
								     "($5::date[])[(m.bin + 1) / "
								     "2] - date '1970-01-01'"
								     " AND held.last >= "
								     "($6::date[])[(m.bin + 1) / "
								     "2] - date '1970-01-01'");
}

struct comparing {
	struct series *const *series;
	size_t n;
	const struct values_sink *sink;
};

static void
begin(void *data)
{
	(void)data;
}

static double
millionths(const PGresult *res, int row, int column)
{
	return (double)sql_number(res, row, column) / 1e6;
}

static void
take_row(void *data, const PGresult *res, int row)
{
	struct comparing *c = data;
	struct series *s = sql_series(c->series, c->n, PQgetvalue(res, row, SYMBOL));
	size_t period = ((size_t)sql_number(res, row, BIN) - 1) / 2;
	struct comparison x = {.day = sql_number(res, row, DAY) != 0,
		.parts = sql_number(res, row, PARTS) != 0,
		.ratio = millionths(res, row, RATIO),
		.range = millionths(res, row, RANGE),
		.share = millionths(res, row, SHARE),
		.price = millionths(res, row, PRICE),
		.volume = millionths(res, row, VOLUME),
		.lost = sql_number(res, row, LOST) > 0};

	if (s != NULL && period < s->schedule->count)
		c->sink->take(c->sink->data, s, period, &x);
}

static enum outcome
run(struct buffer *sql, struct buffer *value, int n, struct pg *pg, struct comparing *c)
{
	const struct pg_sink sink = {take_row, c};
	enum outcome o = sql_run(pg, buffer_cstr(sql), value, n, begin, &sink);

	buffer_release(sql);
	return o;
}

enum outcome
values_sessions(const struct pg_table *fine, const struct pg_table *hours,
	const struct pg_table *days, struct pg *pg, struct series *const *series, size_t n,
	const struct values_sink *sink)
{
	const struct schedule *s = series[0]->schedule;
	struct comparing c = {series, n, sink};
	struct buffer sql = {0}, value[8] = {0};

	add_sessions_query(&sql, fine, hours, days);
	sql_symbols(&value[0], series, n);
	sql_key(&value[1], s->tf, s->from);
	sql_key(&value[2], s->tf, schedule_end(s));
	for (size_t i = 0; i < s->count; i++) {
		const struct period *p = &s->period[i];

		/* The hour in which regular hours begin has bars from before them. */
		sql_comma(&value[3], 2 * i);
		sql_key(&value[3], s->tf,
			s->tf == TF_HOUR ? p->start + timeframe_seconds(s->tf) : p->start);
		buffer_byte(&value[3], ',');
		sql_key(&value[3], s->tf, p->end);
		sql_comma(&value[4], i);
		sql_key(&value[4], TF_DAY, p->first);
	}
	buffer_byte(&value[3], '}');
	buffer_byte(&value[4], '}');
	sql_key(&value[5], s->tf, s->to);
	sql_key(&value[6], TF_DAY, s->period[0].first);
	sql_key(&value[7], TF_DAY, s->period[s->count - 1].last + 1);
	return run(&sql, value, 8, pg, &c);
}

enum outcome
values_roll_up(const struct pg_table *t, const struct pg_table *days, struct pg *pg,
	struct series *const *series, size_t n, const struct calendar *calendar,
	const struct values_sink *sink)
{
	const struct schedule *s = series[0]->schedule;
	struct comparing c = {series, n, sink};
	struct buffer sql = {0}, value[6] = {0};

	add_roll_up_query(&sql, t, days);
	sql_symbols(&value[0], series, n);
	sql_key(&value[1], s->tf, s->period[0].first);
	sql_key(&value[2], s->tf, s->period[s->count - 1].last + 1);
	for (size_t i = 0; i < s->count; i++) {
		const struct period *p = &s->period[i];

		sql_comma(&value[3], 2 * i);
		sql_key(&value[3], s->tf, p->first);
		buffer_byte(&value[3], ',');
		sql_key(&value[3], s->tf, p->last + 1);
		sql_comma(&value[4], i);
		sql_key(&value[4], s->tf, calendar_session_after(calendar, p->first));
		sql_comma(&value[5], i);
		sql_key(&value[5], s->tf, calendar_session_before(calendar, p->last));
	}
	for (int i = 3; i < 6; i++)
		buffer_byte(&value[i], '}');
	return run(&sql, value, 6, pg, &c);
}
