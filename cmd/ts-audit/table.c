/*
 * Counting in the database: one pass over the rows of many symbols gives a row for each symbol and
 * session. No time zone is asked for a row: the calendar's bounds go along, and each row finds its
 * place among them.
 */
#include "table.h"

#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types, by the Oids that Postgres has fixed (catalog/pg_type.dat). */
#define TYPE_DATE "1082"
#define TYPE_TIMESTAMPTZ "1184"

/* Of all unique keys over symbol and one other column the best: the right type, the primary key. */
static const char catalogue_sql[] =
	"SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), quote_ident(k.attname),"
	" k.atttypid = $2::oid, format_type(s.atttypid, NULL), format_type(k.atttypid, NULL),"
	" (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped"
	"  AND a.attname IN ('open', 'high', 'low', 'close', 'volume'))"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN (pg_index i JOIN pg_attribute s ON s.attrelid = i.indrelid"
	"  AND s.attname = 'symbol' AND i.indisunique AND i.indisvalid AND i.indpred IS NULL"
	"  AND i.indexprs IS NULL AND i.indnkeyatts = 2"
	"  AND s.attnum IN (i.indkey[0], i.indkey[1])"
	" JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum <> s.attnum"
	"  AND k.attnum IN (i.indkey[0], i.indkey[1])) ON i.indrelid = c.oid"
	" WHERE c.oid = to_regclass($1)"
	" ORDER BY k.atttypid = $2::oid DESC NULLS LAST, i.indisprimary DESC, i.indexrelid LIMIT 1";

static void
begin_catalogue(void *data)
{
	struct table *t = data;

	t->absent = true;
	t->fault[0] = '\0';
}

static void
take_catalogue(void *data, const PGresult *res, int row)
{
	struct table *t = data;
	const char *wanted = timeframe_intraday(t->tf) ? "timestamp with time zone" : "date";
	const char *type = PQgetvalue(res, row, 3);

	t->absent = false;
	(void)snprintf(t->name, sizeof t->name, "%s", PQgetvalue(res, row, 0));
	(void)snprintf(t->key, sizeof t->key, "%s", PQgetvalue(res, row, 1));
	(void)snprintf(t->symbol_type, sizeof t->symbol_type, "%s",
		strcmp(type, "character") == 0 ? "bpchar"
		: strcmp(type, "text") == 0    ? "text"
					       : "varchar");
	if (t->key[0] == '\0')
		(void)snprintf(t->fault, sizeof t->fault,
			"has no primary key or unique constraint over symbol and one %s column",
			wanted);
	else if (PQgetvalue(res, row, 2)[0] != 't')
		(void)snprintf(t->fault, sizeof t->fault, "its key column %s is %s, not %s", t->key,
			PQgetvalue(res, row, 4), wanted);
	else if (strcmp(PQgetvalue(res, row, 5), "5") != 0)
		(void)snprintf(t->fault, sizeof t->fault,
			"lacks a column of open, high, low, close, volume");
}

enum outcome
table_read(struct table *t, struct pg *pg)
{
	const char *const values[2] = {timeframe_table(t->tf),
		timeframe_intraday(t->tf) ? TYPE_TIMESTAMPTZ : TYPE_DATE};
	const struct pg_sink sink = {begin_catalogue, take_catalogue, t};
	enum outcome o = PG_OK;

	if (!t->known)
		o = pg_query(pg, catalogue_sql, 2, values, &sink);
	if (o == PG_REFUSED)
		(void)snprintf(t->fault, sizeof t->fault, "%.390s", pg_why(pg));
	if (o != PG_OK)
		return o;
	t->known = true;
	return t->fault[0] == '\0' ? PG_OK : PG_REFUSED;
}

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
add_query(struct buffer *b, const struct table *t, bool bounds)
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
	buffer_str(b, " AS bin, count(*) AS bars, count(*) FILTER (WHERE open IS NULL OR high IS NULL"
		      " OR low IS NULL OR close IS NULL OR volume IS NULL) AS nulls,"
		      " count(*) FILTER (WHERE high < low) AS crossed");
	ADD(b, ", min(", t->key, ") AS first, max(", t->key, ") AS last FROM ", t->name);
	ADD(b, " WHERE symbol = ANY ($1::text[]::", t->symbol_type, "[]) AND ", t->key, " >= $2::",
		type, " AND ", t->key, " < $3::", type, " GROUP BY 1, 2) x");
}

/* The series that are counted, found by symbol. */
struct counting {
	struct series *const *series;
	size_t n;
};

static void
begin_count(void *data)
{
	struct counting *c = data;

	for (size_t i = 0; i < c->n; i++)
		series_reset(c->series[i]);
}

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
	struct series *const *at = bsearch(&symbol, c->series, c->n, sizeof(struct series *), compare);
	struct tally t = {.bars = number(res, row, 2), .nulls = number(res, row, 3),
		.crossed = number(res, row, 4), .first = key_number(res, row, 5),
		.last = key_number(res, row, 6)};

	/* A bar with a NULL can be crossed as well: its count is more than is needed, never less. */
	t.faulty = t.nulls + t.crossed;
	if (at != NULL)
		series_count(*at, number(res, row, 1), &t);
}

enum outcome
table_count(struct table *t, struct pg *pg, struct series *const *series, size_t n)
{
	const struct schedule *s = series[0]->schedule;
	struct counting counting = {series, n};
	const struct pg_sink sink = {begin_count, take_count, &counting};
	struct buffer sql = {0}, symbols = {0}, bounds = {0}, from = {0}, end = {0};
	const char *values[4];
	enum outcome o;

	add_query(&sql, t, s->count > 0);
	add_symbols(&symbols, series, n);
	add_bounds(&bounds, s);
	add_key(&from, s->tf, s->from);
	/* A bar belongs to a task when it ends at or before its to. */
	add_key(&end, s->tf, timeframe_intraday(s->tf) ? s->to - timeframe_seconds(s->tf) + 1 : s->to + 1);
	values[0] = buffer_cstr(&symbols);
	values[1] = buffer_cstr(&from);
	values[2] = buffer_cstr(&end);
	values[3] = buffer_cstr(&bounds);
	o = pg_query(pg, buffer_cstr(&sql), s->count > 0 ? 4 : 3, values, &sink);
	buffer_release(&sql);
	buffer_release(&symbols);
	buffer_release(&bounds);
	buffer_release(&from);
	buffer_release(&end);
	return o;
}
