/*
 * Counting in the database: one pass over the rows of many symbols gives a row for each symbol and
 * session. No time zone is asked for a row: the calendar's bounds go along, and each row finds its
 * place among them.
 */
#include "count.h"

/*
 * Comparing groups by the hour, which takes some 600 bytes each: of so many symbols at once that
 * they stay in memory.
 */
enum { GROUPS = 100000, GROUPS_A_SESSION = 7 };

/* Columns of the answer; those of values follow. */
enum { SYMBOL, BIN, BARS, NULLS, CROSSED, ODD, OFF, FILLED, FIRST, LAST, COLUMNS };

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

/* The columns that only bars of sessions have: off the grid, and the slices with a bar. */
static void
add_intraday(struct buffer *b, enum timeframe tf)
{
	int seconds = timeframe_seconds(tf);

	buffer_printf(b,
		" count(*) FILTER (WHERE e <> t * %d) AS off,"
		" bit_or(CASE WHEN bin %% %d = 2 THEN 1::int8 <<"
		" ((t * %d %% 86400 - %d) / %d)::int4 END) AS filled,",
		seconds, SCHEDULE_BOUNDS, seconds, schedule_slice_start(tf),
		schedule_slice_seconds(tf));
}

/* One query counts; of many symbols and sessions, where it also rolls up, by the hour. */
static void
add_query(struct buffer *b, const struct pg_table *t, bool bounds, const struct values *v)
{
	bool intraday = timeframe_intraday(t->tf), rolled = intraday && bounds && v != NULL;

	SQL(b, rolled ? "WITH m AS (" : "", "SELECT symbol, bin,");
	if (rolled)
		buffer_printf(b, " t / %d AS h,", 3600 / timeframe_seconds(t->tf));
	buffer_str(b, " count(*) AS bars, count(*) FILTER (WHERE open IS NULL OR high IS NULL OR"
		      " low IS NULL OR close IS NULL OR"
		      /* An index has no volume. */
		      " (volume IS NULL AND left(symbol, 2) <> 'I:')) AS nulls,"
		      " count(*) FILTER (WHERE high < low) AS crossed,");
	buffer_str(b, v == NULL ? " 0 AS odd,"
				: " count(*) FILTER (WHERE high >= low AND (open > high OR"
				  " open < low OR close > high OR close < low)) AS odd,");
	if (intraday)
		add_intraday(b, t->tf);
	else
		buffer_str(b, " 0 AS off, 0 AS filled,");
	SQL(b, " min(t) AS first, max(t) AS last", rolled ? ", " VALUES_ROLLED : "", " FROM ");
	sql_rows(b, t, bounds ? intraday ? "$4::timestamptz[]" : "$4::date[]" : NULL);
	SQL(b, " GROUP BY 1, 2", rolled ? ", 3)" : "");
	if (rolled)
		values_sessions(b, t, v);
}

struct counting {
	struct group group;
	int seconds; /* of a bar; 1: keys are dates */
	const struct values *values;
};

static void
reset_group(void *data)
{
	struct counting *c = data;

	for (size_t i = 0; i < c->group.n; i++)
		series_reset(c->group.series[i]);
}

static void
take_count(void *data, const PGresult *res, int row)
{
	struct counting *c = data;
	struct series *s = sql_series(&c->group, PQgetvalue(res, row, SYMBOL));
	uint64_t bin = (uint64_t)sql_number(res, row, BIN);
	struct tally t = {.bars = (uint64_t)sql_number(res, row, BARS),
		.nulls = (uint64_t)sql_number(res, row, NULLS),
		.crossed = (uint64_t)sql_number(res, row, CROSSED),
		.odd = (uint64_t)sql_number(res, row, ODD),
		.off = (uint64_t)sql_number(res, row, OFF),
		.first = sql_number(res, row, FIRST) * c->seconds,
		.last = sql_number(res, row, LAST) * c->seconds,
		.filled = (uint64_t)sql_number(res, row, FILLED)};

	if (s == NULL)
		return;
	series_count(s, bin, &t);
	if (bin % SCHEDULE_BOUNDS == 2 && PQnfields(res) > COLUMNS) {
		struct comparison x = values_comparison(res, row, COLUMNS);

		c->values->take(c->values->data, s, bin / SCHEDULE_BOUNDS, &x);
	}
}

static enum outcome
count_some(const struct pg_table *t, struct pg *pg, struct counting *c)
{
	const struct schedule *s = c->group.series[0]->schedule;
	struct query q = {.n = 3, .begin = reset_group, .sink = {take_count, c}};
	bool bounds = s->count > 0;

	add_query(&q.text, t, bounds, c->values);
	sql_symbols(&q.value[0], &c->group);
	sql_key(&q.value[1], s->tf, s->from);
	sql_key(&q.value[2], s->tf, schedule_end(s));
	if (bounds)
		add_bounds(&q.value[q.n++], s);
	if (bounds && c->values != NULL && timeframe_intraday(s->tf))
		values_parameters(&q, s);
	return sql_run(pg, &q);
}

enum outcome
count_series(const struct pg_table *t, struct pg *pg, const struct group *g, const struct values *v)
{
	bool intraday = timeframe_intraday(t->tf);
	struct counting c = {.seconds = intraday ? timeframe_seconds(t->tf) : 1, .values = v};
	enum outcome o = PG_OK;
	size_t most = g->n;

	if (v != NULL && intraday)
		most = 1 + GROUPS / (GROUPS_A_SESSION * (g->series[0]->schedule->count + 1));
	for (size_t i = 0; i < g->n && o == PG_OK; i += c.group.n) {
		c.group.series = g->series + i;
		c.group.n = g->n - i < most ? g->n - i : most;
		o = count_some(t, pg, &c);
	}
	return o;
}

static void
take_first(void *data, const PGresult *res, int row)
{
	struct counting *c = data;
	struct series *s = sql_series(&c->group, PQgetvalue(res, row, 0));

	if (s != NULL && !PQgetisnull(res, row, 1))
		s->first = s->last = sql_number(res, row, 1);
}

enum outcome
count_first(const struct pg_table *t, struct pg *pg, const struct group *g)
{
	bool intraday = timeframe_intraday(t->tf);
	struct counting c = {.group = *g};
	struct query q = {.n = 1, .begin = reset_group, .sink = {take_first, &c}};

	SQL(&q.text, "SELECT s, floor(",
		intraday ? "date_part('epoch', key)" : "key - date '1970-01-01'",
		")::int8 FROM (SELECT s, (SELECT min(", t->key, ") FROM ", t->name,
		" WHERE symbol = s::", t->symbol_type, ") AS key FROM unnest($1::text[]) s) x");
	sql_symbols(&q.value[0], g);
	return sql_run(pg, &q);
}
