/*
 * Counting in the database: one pass over the rows of many symbols gives a row for each symbol and
 * session. No time zone is asked for a row: the calendar's bounds go along, and each row finds its
 * place among them.
 */
#include "count.h"

#include "log.h"

#include <stdlib.h>

/*
 * Comparing groups by the hour, which takes some 600 bytes each: of so many symbols at once that
 * they stay in memory.
 */
enum { GROUPS = 100000, GROUPS_A_SESSION = 7 };

/* A query about a group, its parameters as text, and who takes its rows. */
enum { PARAMETERS = 8 };
struct query {
	const struct pg_table *table;
	struct group group;
	struct buffer text, value[PARAMETERS];
	bool counts; /* so counting begins again when the query does */
	void (*take)(void *query, const PGresult *, int row);
	double level;
	struct buffer other; /* the first symbol that came as none of the group */
};

static int
compare_symbol(const void *symbol, const void *series)
{
	return slice_cmp(*(const struct slice *)symbol, (*(struct series *const *)series)->symbol);
}

struct series *
group_find(const struct group *g, struct slice symbol)
{
	struct series *const *at =
		bsearch(&symbol, g->series, g->n, sizeof(struct series *), compare_symbol);

	return at == NULL ? NULL : *at;
}

static enum outcome
read_table(struct pg *pg, void *table)
{
	enum outcome o = pg_begin(pg);

	if (o == PG_OK)
		o = pg_table_read(table, pg);
	return o == PG_OK ? pg_commit(pg) : o;
}

enum outcome
count_table(struct tables *d, enum timeframe tf, const struct pg_table **found)
{
	struct pg_table *t = &d->table[tf];
	enum outcome o;

	t->tf = tf;
	o = t->known ? PG_OK : pg_patiently(d->pg, read_table, t);
	if (o == PG_TABLE) {
		pg_table_fail(t, pg_why(d->pg));
		t->known = true;
		o = PG_OK;
	}
	*found = o == PG_OK && !t->absent && t->fault[0] == '\0' ? t : NULL;
	return o;
}

/* A whole number, which may have a sign; 0 for NULL. */
static int64_t
read_number(const PGresult *res, int row, int column)
{
	return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

static enum outcome
ask_once(struct pg *pg, void *data)
{
	struct query *q = data;
	struct pg_values values = {.n = 0};
	enum outcome o = pg_begin(pg);

	for (size_t i = 0; i < q->group.n && q->counts; i++)
		series_reset(q->group.series[i]);
	for (; values.n < PARAMETERS && q->value[values.n].len > 0; values.n++)
		values.value[values.n] = buffer_cstr(&q->value[values.n]);
	if (o == PG_OK)
		o = pg_stream(pg, buffer_cstr(&q->text), &values, &(struct pg_sink){q->take, q});
	return o == PG_OK ? pg_commit(pg) : o;
}

static enum outcome
ask(struct tables *d, struct query *q)
{
	enum outcome o;

	for (size_t i = 0; i < q->group.n; i++)
		sql_symbol(&q->value[0], q->group.series[i]->symbol);
	buffer_byte(&q->value[0], '}');
	o = pg_patiently(d->pg, ask_once, q);
	if (o == PG_OK && q->other.len > 0)
		log_warning("table %s takes %s for the same symbol as one that was asked for: its "
			    "bars are not counted",
			timeframe_table(q->table->tf), buffer_cstr(&q->other));
	buffer_release(&q->other);
	buffer_release(&q->text);
	for (int i = 0; i < PARAMETERS; i++)
		buffer_release(&q->value[i]);
	return o;
}

/* The series of a row; NULL where the table takes its symbol for one of the group, and it is not.
 */
static struct series *
row_series(struct query *q, const PGresult *res, int row)
{
	struct slice symbol = slice_of(PQgetvalue(res, row, SQL_SYMBOL));
	struct series *s = group_find(&q->group, symbol);

	if (s == NULL && q->other.len == 0)
		buffer_add(&q->other, symbol.p, symbol.n);
	return s;
}

static void
add_keys(struct query *q, int64_t from, int64_t end)
{
	sql_key(&q->value[1], q->table->tf, from);
	sql_key(&q->value[2], q->table->tf, end);
}

static struct comparison
read_comparison(const PGresult *res, int row, int first)
{
	int64_t v[SQL_LOST + 1];

	for (int i = 0; i <= SQL_LOST; i++)
		v[i] = read_number(res, row, first + i);
	return (struct comparison){.day = v[SQL_DAY] == 1,
		.parts = v[SQL_PARTS] > 0,
		.ratio = (double)v[SQL_RATIO] / 1e6,
		.range = (double)v[SQL_RANGE] / 1e6,
		.share = (double)v[SQL_SHARE] / 1e6,
		.price = (double)v[SQL_PRICE] / 1e6,
		.volume = (double)v[SQL_VOLUME] / 1e6,
		.lost = v[SQL_LOST] > 0};
}

static void
take_count(void *query, const PGresult *res, int row)
{
	struct query *q = query;
	struct series *s = row_series(q, res, row);
	uint64_t bin = (uint64_t)read_number(res, row, SQL_BIN);
	int seconds = timeframe_intraday(q->table->tf) ? timeframe_seconds(q->table->tf) : 1;
	struct tally t = {.bars = (uint64_t)read_number(res, row, SQL_BARS),
		.nulls = (uint64_t)read_number(res, row, SQL_NULLS),
		.crossed = (uint64_t)read_number(res, row, SQL_CROSSED),
		.odd = (uint64_t)read_number(res, row, SQL_ODD),
		.off = (uint64_t)read_number(res, row, SQL_OFF),
		.first = read_number(res, row, SQL_FIRST) * seconds,
		.last = read_number(res, row, SQL_LAST) * seconds,
		.filled = (uint64_t)read_number(res, row, SQL_FILLED)};

	if (s == NULL)
		return;
	series_count(s, bin, &t);
	if (bin % SCHEDULE_BOUNDS == 2 && PQnfields(res) > SQL_COMPARED) {
		struct comparison x = read_comparison(res, row, SQL_COMPARED);

		series_compare(s, bin / SCHEDULE_BOUNDS, &x);
	}
}

static enum outcome
count_some(struct tables *d, const struct group *g, const struct statement *count)
{
	const struct schedule *s = g->series[0]->schedule;
	struct query q = {.table = count->table, .group = *g, .counts = true, .take = take_count};

	sql_statement(&q.text, count, "@count");
	add_keys(&q, s->from, schedule_end(s));
	for (size_t i = 0; i < s->count; i++) {
		sql_element(&q.value[3], s->tf, s->period[i].early);
		sql_element(&q.value[3], s->tf, s->period[i].start);
		sql_element(&q.value[3], s->tf, s->period[i].end);
		sql_element(&q.value[3], s->tf, s->period[i].late);
		if (count->compared)
			sql_element(&q.value[4], TF_DAY, s->period[i].first);
	}
	if (count->bounds)
		buffer_byte(&q.value[3], '}');
	if (count->compared) {
		buffer_byte(&q.value[4], '}');
		sql_key(&q.value[5], s->tf, s->to);
		sql_key(&q.value[6], TF_DAY, s->period[0].first);
		sql_key(&q.value[7], TF_DAY, s->period[s->count - 1].last + 1);
	}
	return ask(d, &q);
}

enum outcome
count_series(struct tables *d, const struct group *g, bool values)
{
	const struct schedule *s = g->series[0]->schedule;
	bool compared = values && timeframe_intraday(s->tf), bounds = s->count > 0;
	struct statement count = {&d->table[s->tf], NULL, NULL, bounds, values, compared && bounds};
	enum outcome o = compared ? count_table(d, TF_DAY, &count.days) : PG_OK;
	struct group some;
	size_t most = compared ? 1 + GROUPS / (GROUPS_A_SESSION * (s->count + 1)) : g->n;

	if (o == PG_OK && compared && s->tf == TF_1MIN)
		o = count_table(d, TF_HOUR, &count.hours);
	for (size_t i = 0; i < g->n && o == PG_OK; i += some.n) {
		some.series = g->series + i;
		some.n = g->n - i < most ? g->n - i : most;
		o = count_some(d, &some, &count);
	}
	return o;
}

static void
take_first(void *query, const PGresult *res, int row)
{
	struct query *q = query;
	struct series *s = row_series(q, res, row);

	if (s != NULL && !PQgetisnull(res, row, 1))
		s->first = s->last = read_number(res, row, 1);
}

enum outcome
count_first(struct tables *d, const struct group *g)
{
	struct query q = {.table = &d->table[g->series[0]->schedule->tf],
		.group = *g,
		.counts = true,
		.take = take_first};

	sql_statement(&q.text, &(struct statement){.table = q.table}, "@first");
	return ask(d, &q);
}

static void
take_roll_up(void *query, const PGresult *res, int row)
{
	struct query *q = query;
	struct series *s = row_series(q, res, row);
	struct comparison x = read_comparison(res, row, SQL_BIN + 1);

	if (s != NULL)
		series_compare(s, ((size_t)read_number(res, row, SQL_BIN) - 1) / 2, &x);
}

enum outcome
count_roll_up(struct tables *d, const struct group *g)
{
	const struct schedule *s = g->series[0]->schedule;
	struct query q = {.table = &d->table[s->tf], .group = *g, .take = take_roll_up};

	sql_statement(&q.text,
		&(struct statement){.table = q.table, .days = &d->table[TF_DAY], .bounds = true},
		"@roll-up");
	add_keys(&q, s->period[0].first, s->period[s->count - 1].last + 1);
	for (size_t i = 0; i < s->count; i++) {
		const struct period *p = &s->period[i];

		sql_element(&q.value[3], s->tf, p->first);
		sql_element(&q.value[3], s->tf, p->last + 1);
		sql_element(&q.value[4], s->tf, calendar_session_after(s->calendar, p->first));
		sql_element(&q.value[5], s->tf, calendar_session_before(s->calendar, p->last));
	}
	for (int i = 3; i <= 5; i++)
		buffer_byte(&q.value[i], '}');
	return ask(d, &q);
}

static void
take_level(void *query, const PGresult *res, int row)
{
	struct query *q = query;

	q->level = (double)read_number(res, row, 0) / 1000;
}

enum outcome
count_level(struct tables *d, struct series *s, int32_t before, int32_t after, double *ratio)
{
	struct query q = {.table = &d->table[TF_DAY], .group = {&s, 1}, .take = take_level};
	enum outcome o;

	sql_statement(&q.text, &(struct statement){.table = q.table}, "@level");
	add_keys(&q, before, after);
	o = ask(d, &q);
	*ratio = q.level;
	return o;
}
