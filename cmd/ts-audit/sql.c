/* Values on their way to Postgres and back. */
#include "sql.h"

#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>

void
sql_words(struct buffer *b, const char *const *words)
{
	for (; *words != NULL; words++)
		buffer_str(b, *words);
}

void
sql_where(struct buffer *b, const struct pg_table *t, int first)
{
	const char *type = timeframe_intraday(t->tf) ? "timestamptz" : "date";
	char range[200];

	(void)snprintf(range, sizeof range, ">= $%d::%s AND", first, type);
	SQL(b, "symbol = ANY ($1::text[]::", t->symbol_type, "[]) AND ", t->key, " ", range);
	(void)snprintf(range, sizeof range, "< $%d::%s", first + 1, type);
	SQL(b, " ", t->key, " ", range);
}

void
sql_values(struct buffer *b, const struct pg_table *t)
{
	static const char *const names[PG_TABLE_VALUES] = {
		"open", "high", "low", "close", "volume"};
	int volume = PG_TABLE_VALUES - 1;
	bool real = false;

	for (int i = 0; i < volume; i++)
		real |= t->type[i] == PG_FLOAT4;
	for (int i = 0; i < volume; i++)
		SQL(b, names[i], real ? "::real AS " : "", real ? names[i] : "", ", ");
	/* REAL would lose whole shares of a sum. */
	SQL(b, names[volume], t->type[volume] == PG_FLOAT4 ? "::float8 AS volume" : "");
}

void
sql_rows(struct buffer *b, const struct pg_table *t, const char *bounds)
{
	bool intraday = timeframe_intraday(t->tf);

	if (intraday)
		buffer_printf(b,
			"(SELECT symbol, bin, e, floor(e / %d)::int8 AS t, open, high, low, close,"
			" volume FROM ",
			timeframe_seconds(t->tf));
	SQL(b, "(SELECT symbol::text AS symbol, ");
	if (bounds != NULL)
		SQL(b, "width_bucket(", t->key, ", ", bounds, ")");
	else
		buffer_str(b, "0");
	SQL(b, " AS bin, ", intraday ? "date_part('epoch', " : "(", t->key,
		intraday ? ") AS e, " : " - date '1970-01-01') AS t, ");
	sql_values(b, t);
	SQL(b, " FROM ", t->name, " WHERE ");
	sql_where(b, t, 2);
	buffer_str(b, intraday ? " OFFSET 0) y OFFSET 0) x" : " OFFSET 0) x");
}

void
sql_key(struct buffer *b, enum timeframe tf, int64_t key)
{
	char text[TIMESTAMP_SIZE];

	buffer_str(b, timeframe_write(text, tf, key));
}

void
sql_comma(struct buffer *b, size_t i)
{
	buffer_byte(b, i == 0 ? '{' : ',');
}

void
sql_symbols(struct buffer *b, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct slice s = g->series[i]->symbol;

		sql_comma(b, i);
		buffer_byte(b, '"');
		for (size_t k = 0; k < s.n; k++) {
			if (s.p[k] == '"' || s.p[k] == '\\')
				buffer_byte(b, '\\');
			buffer_byte(b, s.p[k]);
		}
		buffer_byte(b, '"');
	}
	buffer_byte(b, '}');
}

int64_t
sql_number(const PGresult *res, int row, int column)
{
	const char *text = PQgetvalue(res, row, column);
	uint64_t v = 0;

	(void)slice_count(slice_of(text + (text[0] == '-')), &v);
	return text[0] == '-' ? -(int64_t)v : (int64_t)v;
}

static int
compare_symbol(const void *symbol, const void *series)
{
	return slice_cmp(*(const struct slice *)symbol, (*(struct series *const *)series)->symbol);
}

struct series *
sql_series(const struct group *g, const char *symbol)
{
	struct slice key = slice_of(symbol);
	struct series *const *at =
		bsearch(&key, g->series, g->n, sizeof(struct series *), compare_symbol);

	return at == NULL ? NULL : *at;
}

static enum outcome
run_query(struct pg *pg, void *data)
{
	struct query *q = data;
	struct pg_values values = {.n = q->n};
	enum outcome o = pg_begin(pg);

	for (int i = 0; i < q->n; i++)
		values.value[i] = buffer_cstr(&q->value[i]);
	if (q->begin != NULL)
		q->begin(q->sink.data);
	if (o == PG_OK)
		o = pg_stream(pg, buffer_cstr(&q->text), &values, &q->sink);
	return o == PG_OK ? pg_commit(pg) : o;
}

enum outcome
sql_run(struct pg *pg, struct query *q)
{
	enum outcome o = pg_patiently(pg, run_query, q);

	buffer_release(&q->text);
	for (int i = 0; i < SQL_PARAMETERS; i++)
		buffer_release(&q->value[i]);
	return o;
}
