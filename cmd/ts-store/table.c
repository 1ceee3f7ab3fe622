/* The tables as they are, not as they should be: columns and keys come from the catalogue. */
#include "table.h"

#include "buffer.h"
#include "log.h"
#include "timestamp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECHECK_MS = 5000 };

/* Types, by the Oids that Postgres has fixed (catalog/pg_type.dat). */
enum {
	TYPE_INT8 = 20, TYPE_INT4 = 23, TYPE_TEXT = 25, TYPE_INT4S = 1007, TYPE_TEXTS = 1009,
	TYPE_BPCHAR = 1042, TYPE_VARCHAR = 1043, TYPE_DATE = 1082, TYPE_DATES = 1182,
	TYPE_TIMESTAMPTZ = 1184, TYPE_TIMESTAMPTZS = 1185, TYPE_NUMERIC = 1700,
};

/* In the order of the columns in all statements. */
enum { SYMBOL, OPEN, VOLUME = OPEN + 4, VALUES };

static const char *const column_name[VALUES] = {"symbol", "open", "high", "low", "close", "volume"};

/* What one reading of the catalogue gathers. */
struct reading {
	char table[300]; /* qualified and quoted */
	Oid type[VALUES];
	int modifier[VALUES];
	char declared[VALUES][64]; /* the type with its modifier, as SQL */
};

static const char columns_sql[] =
	"SELECT a.attname, a.atttypid::int8, a.atttypmod, format_type(a.atttypid, a.atttypmod),"
	" a.attnotnull AND NOT (a.atthasdef OR a.attidentity <> ''), a.attgenerated <> '', "
	"c.relkind,"
	" quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
	" WHERE c.oid = to_regclass($1) ORDER BY a.attnum";

/* Of all unique keys over symbol and one other column the best: the right type, the primary key. */
static const char key_sql[] =
	"SELECT a.attname, quote_ident(a.attname), a.atttypid::int8,"
	" format_type(a.atttypid, a.atttypmod)"
	" FROM pg_index i"
	" JOIN pg_attribute s ON s.attrelid = i.indrelid AND s.attname = 'symbol'"
	" JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum <> s.attnum"
	" WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate"
	" AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = 2"
	" AND s.attnum IN (i.indkey[0], i.indkey[1]) AND a.attnum IN (i.indkey[0], i.indkey[1])"
	" ORDER BY a.atttypid = $2::int8 DESC, i.indisprimary DESC, i.indexrelid LIMIT 1";

static void __attribute__((format(printf, 2, 3)))
refuse(struct table *t, const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	table_fail(t, why);
}

void
table_fail(struct table *t, const char *why)
{
	/* The first fault is told; the rest will be when it is mended. */
	if (t->fault[0] == '\0')
		(void)snprintf(t->fault, sizeof t->fault, "table %s: %s", timeframe_table(t->tf),
			why);
}

Oid
table_key_type(const struct table *t)
{
	return timeframe_intraday(t->tf) ? TYPE_TIMESTAMPTZ : TYPE_DATE;
}

static bool
yes(const PGresult *res, int row, int column)
{
	return PQgetvalue(res, row, column)[0] == 't';
}

/* A number in a result: an Oid, or a modifier, of which -1 is the only negative one. */
static int
number(const PGresult *res, int row, int column)
{
	uint64_t v = 0;

	if (slice_count(slice_of(PQgetvalue(res, row, column)), &v) != 0 || v > INT32_MAX)
		return -1;
	return (int)v;
}

static void
set(char **to, const struct buffer *b)
{
	free(*to);
	*to = memory_grow(NULL, b->len + 1, 1);
	memcpy(*to, buffer_slice(b).p, b->len);
	(*to)[b->len] = '\0';
}

static void
add(struct buffer *b, const char *const *words)
{
	for (; *words != NULL; words++)
		buffer_str(b, *words);
}

#define ADD(b, ...) add(b, (const char *const[]){__VA_ARGS__, NULL})

static bool
type_fits(int column, Oid type)
{
	if (column == SYMBOL)
		return type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_BPCHAR;
	if (column == VOLUME)
		return type == TYPE_INT8 || type == TYPE_INT4 || type == TYPE_NUMERIC;
	return type == TYPE_NUMERIC;
}

static void
read_column(struct table *t, struct reading *r, const PGresult *res, int row)
{
	static const char *const wanted[VALUES] = {
		"text", "numeric", "numeric", "numeric", "numeric", "bigint, integer or numeric"};
	const char *name = PQgetvalue(res, row, 0), *declared = PQgetvalue(res, row, 3);
	int i = 0;

	while (i < VALUES && strcmp(name, column_name[i]) != 0)
		i++;
	if (i == VALUES) {
		/* Without a key that is what is told. */
		if (yes(res, row, 4) && t->key_name[0] != '\0' && strcmp(name, t->key_name) != 0)
			refuse(t, "column %.64s must not be null, and has no default", name);
		return;
	}
	r->type[i] = (Oid)number(res, row, 1);
	r->modifier[i] = number(res, row, 2);
	(void)snprintf(r->declared[i], sizeof r->declared[i], "%s", declared);
	if (yes(res, row, 5))
		refuse(t, "column %s is generated", name);
	else if (!type_fits(i, r->type[i]))
		refuse(t, "column %s is %.64s, not %s", name, declared, wanted[i]);
}

/* The decimals of NUMERIC(p, s); its modifier is that of numeric.c's make_numeric_typmod(). */
static int
scale_of(int modifier)
{
	return modifier < 4 ? INT32_MAX : (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
}

static void
read_columns(struct table *t, struct reading *r, const PGresult *res)
{
	const char *kind = PQntuples(res) == 0 ? "" : PQgetvalue(res, 0, 6);

	if (kind[0] == '\0')
		refuse(t, "does not exist; create it, or run ts-store -i");
	else if (kind[0] != 'r' && kind[0] != 'p')
		refuse(t, "is not a table");
	if (t->fault[0] != '\0')
		return;
	(void)snprintf(r->table, sizeof r->table, "%s", PQgetvalue(res, 0, 7));
	for (int i = 0; i < PQntuples(res); i++)
		read_column(t, r, res, i);
	for (int i = 0; i < VALUES; i++) {
		if (r->type[i] == 0)
			refuse(t, "has no column %s", column_name[i]);
	}
	t->symbol_type = r->type[SYMBOL];
	t->volume = r->type[VOLUME] == TYPE_INT8 ? VOLUME_INT8
		: r->type[VOLUME] == TYPE_INT4	 ? VOLUME_INT4
						 : VOLUME_NUMERIC;
	for (int i = 0; i < 4; i++)
		t->scale[i] = scale_of(r->modifier[OPEN + i]);
}

static void
read_key(struct table *t, const PGresult *res)
{
	const char *wanted = timeframe_intraday(t->tf) ? "timestamp with time zone" : "date";

	set(&t->key_name, &(struct buffer){0});
	if (PQntuples(res) == 0)
		return;
	for (int i = 0; i < 2; i++) {
		struct buffer name = {0};

		buffer_str(&name, PQgetvalue(res, 0, i));
		set(i == 0 ? &t->key_name : &t->key, &name);
		buffer_release(&name);
	}
	if ((Oid)number(res, 0, 2) != table_key_type(t))
		refuse(t, "its key column %.64s is %.64s, not %s", t->key_name,
			PQgetvalue(res, 0, 3), wanted);
}

/* The seven columns, each behind prefix. */
static void
add_columns(struct buffer *b, const struct table *t, const char *prefix)
{
	ADD(b, prefix, "symbol, ", prefix, t->key);
	for (int i = OPEN; i < VALUES; i++)
		ADD(b, ", ", prefix, column_name[i]);
}

static void
add_values(struct buffer *b, const char *prefix)
{
	for (int i = OPEN; i < VALUES; i++)
		ADD(b, i == OPEN ? "" : ", ", prefix, column_name[i]);
}

/* The statements of the staging table, whose own key column is called "key". */
static void
make_staging(struct table *t, const struct reading *r)
{
	struct buffer b = {0};
	char name[60];

	(void)snprintf(
		name, sizeof name, "pg_temp.ts_store_%s_%u", timeframe_name(t->tf), t->reads);
	ADD(&b, "CREATE TEMP TABLE IF NOT EXISTS ", name + strlen("pg_temp."),
		" (place int4, symbol ", r->declared[SYMBOL], ", key ",
		table_key_type(t) == TYPE_DATE ? "date" : "timestamptz");
	for (int i = OPEN; i < VALUES; i++)
		ADD(&b, ", ", column_name[i], " ", r->declared[i]);
	buffer_str(&b, ") ON COMMIT DELETE ROWS");
	set(&t->stage, &b);

	b.len = 0;
	ADD(&b, "COPY ", name, " (symbol, key, ");
	add_values(&b, "");
	buffer_str(&b, ", place) FROM STDIN (FORMAT binary)");
	set(&t->stage_copy, &b);

	/* In the order of the places, so that two writers of the same bars never lock crosswise. */
	b.len = 0;
	ADD(&b, "INSERT INTO ", r->table, " (");
	add_columns(&b, t, "");
	ADD(&b, ") SELECT s.symbol, s.key, ");
	add_values(&b, "s.");
	ADD(&b, " FROM ", name, " s ORDER BY s.place ON CONFLICT (symbol, ", t->key,
		") DO NOTHING RETURNING symbol::text, ", t->key);
	set(&t->insert, &b);

	b.len = 0;
	ADD(&b, "UPDATE ", r->table, " t SET ");
	for (int i = OPEN; i < VALUES; i++)
		ADD(&b, i == OPEN ? "" : ", ", column_name[i], " = s.", column_name[i]);
	ADD(&b, " FROM ", name, " s WHERE t.symbol = s.symbol AND t.", t->key, " = s.key AND (");
	add_values(&b, "t.");
	buffer_str(&b, ") IS DISTINCT FROM (");
	add_values(&b, "s.");
	buffer_str(&b, ") RETURNING s.place");
	set(&t->update, &b);
	buffer_release(&b);
}

static void
make_copy(struct table *t, const struct reading *r)
{
	struct buffer b = {0};

	ADD(&b, "COPY ", r->table, " (");
	add_columns(&b, t, "");
	buffer_str(&b, ") FROM STDIN (FORMAT binary)");
	set(&t->copy, &b);
	buffer_release(&b);
}

static const char *
bare_type(Oid symbol_type)
{
	return symbol_type == TYPE_BPCHAR ? "bpchar"
	       : symbol_type == TYPE_TEXT ? "text"
					  : "varchar";
}

static enum outcome
prepare_range(struct table *t, const struct reading *r, struct session *s)
{
	Oid key = table_key_type(t);
	struct buffer b = {0};
	enum outcome o;

	(void)snprintf(t->range, sizeof t->range, "range_%s_%u", timeframe_name(t->tf), t->reads);
	ADD(&b, "SELECT ", t->key, ", ");
	add_values(&b, "");
	ADD(&b, " FROM ", r->table, " WHERE symbol = $1 AND ", t->key, " >= $2 AND ", t->key,
		" <= $3");
	o = session_prepare(s, t->range, buffer_cstr(&b), 3,
		(const Oid[]){t->symbol_type, key, key});
	buffer_release(&b);
	return o;
}

static enum outcome
prepare_pairs(struct table *t, const struct reading *r, struct session *s)
{
	Oid keys = table_key_type(t) == TYPE_DATE ? TYPE_DATES : TYPE_TIMESTAMPTZS;
	struct buffer b = {0};
	enum outcome o;

	(void)snprintf(t->pairs, sizeof t->pairs, "pairs_%s_%u", timeframe_name(t->tf), t->reads);
	buffer_str(&b, "SELECT k.place, ");
	add_values(&b, "t.");
	/* The cast to the column's own type lets the index be used. */
	ADD(&b, " FROM unnest($1, $2, $3) k (place, symbol, key) JOIN ", r->table,
		" t ON t.symbol = k.symbol::", bare_type(t->symbol_type), " AND t.", t->key,
		" = k.key");
	o = session_prepare(s, t->pairs, buffer_cstr(&b), 3,
		(const Oid[]){TYPE_INT4S, TYPE_TEXTS, keys});
	buffer_release(&b);
	return o;
}

/* Reads key and columns. */
static enum outcome
read_catalogue(struct table *t, struct reading *r, struct session *s)
{
	char type[12];
	const char *const values[2] = {timeframe_table(t->tf), type};
	PGresult *res;
	enum outcome o;

	(void)snprintf(type, sizeof type, "%u", table_key_type(t));
	if ((o = session_query(s, key_sql, 2, values, false, &res)) != PG_OK)
		return o;
	read_key(t, res);
	PQclear(res);
	if ((o = session_query(s, columns_sql, 1, values, false, &res)) != PG_OK)
		return o;
	/* A missing table and a missing column are told before a missing key. */
	read_columns(t, r, res);
	PQclear(res);
	if (t->key_name[0] == '\0')
		refuse(t, "has no primary key or unique constraint over symbol and one %s column",
			timeframe_intraday(t->tf) ? "timestamp with time zone" : "date");
	return PG_OK;
}

enum outcome
table_look(struct table *t, struct session *s)
{
	struct reading r = {0};

	return read_catalogue(t, &r, s);
}

enum outcome
table_read(struct table *t, struct session *s)
{
	struct reading r = {0};
	enum outcome o;

	t->known = false;
	t->fault[0] = '\0';
	t->reads++;
	o = read_catalogue(t, &r, s);
	if (o == PG_OK && t->fault[0] == '\0') {
		make_copy(t, &r);
		make_staging(t, &r);
		o = prepare_range(t, &r, s);
		if (o == PG_OK)
			o = prepare_pairs(t, &r, s);
	}
	/* Such as: the right to read the table is missing. */
	if (o == PG_TABLE || o == PG_DATA) {
		table_fail(t, session_why(s));
		o = PG_OK;
	}
	t->known = o == PG_OK;
	t->number = session_number(s);
	t->read_at = clock_mono_ms();
	return o;
}

bool
table_stale(const struct table *t, const struct session *s, int64_t now)
{
	return !t->known || t->number != session_number(s) ||
	       (t->fault[0] != '\0' && now - t->read_at >= RECHECK_MS);
}

void
table_release(struct table *t)
{
	free(t->key);
	free(t->key_name);
	free(t->copy);
	free(t->stage);
	free(t->stage_copy);
	free(t->insert);
	free(t->update);
	*t = (struct table){0};
}
