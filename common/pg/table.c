/* One question to the catalogue, whose answer is what can be done with the table. */
#include "table.h"

#include "log.h"
#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns of the answer. */
enum { FAULT, NAME, KEY, KEY_NAME, SYMBOL_TYPE, VOLUME, COPY, RANGE, PAIRS, INSERT, UPDATE, SCALE };

/* The arrays that INSERT and UPDATE take; $4 of the catalogue's query is the type of the key. */
#define UNNEST                                                                                     \
	"unnest($1::int4[], $2::text[], $3::%3$s[], $4::numeric[], $5::numeric[], $6::numeric[],"  \
	" $7::numeric[], $8::int8[]) u(slot, symbol, key, %5$s)"

/*
 * $1 is the table's name, $2 the key's type, as a number, $3 as the catalogue and $4 as SQL calls
 * it. Of all unique keys over symbol and one other column the best is taken: the right type, the
 * primary key. The decimals of NUMERIC(p, s) are those of make_numeric_typmod() in numeric.c.
 */
static const char catalogue_sql[] =
	"WITH rel AS ("
	" SELECT oid, relkind, format('%s.%I', relnamespace::regnamespace, relname) AS name"
	" FROM pg_class WHERE oid = to_regclass($1)),"
	"col AS ("
	" SELECT a.attnum AS num, a.attname AS name, b.oid::int8 AS type, format('%s.%I', "
	"b.typnamespace::regnamespace, b.typname) AS bare,"
	" format_type(a.atttypid, a.atttypmod) AS said, format_type(b.oid, m.mod) AS base,"
	" a.attgenerated <> '' AS fixed, a.attnotnull AND NOT (a.atthasdef OR a.attidentity <> '') "
	"AS needed,"
	" CASE WHEN m.mod >= 4 THEN (((m.mod - 4) & 2047) # 1024) - 1024 END AS scale"
	" FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid AND a.attnum > 0 AND NOT "
	"a.attisdropped"
	" JOIN pg_type t ON t.oid = a.atttypid"
	" JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END,"
	" LATERAL (SELECT CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END) m(mod)),"
	"key AS ("
	" SELECT k.* FROM rel JOIN pg_index i ON i.indrelid = rel.oid"
	" JOIN col s ON s.name = 'symbol' AND s.num IN (i.indkey[0], i.indkey[1])"
	" JOIN col k ON k.num <> s.num AND k.num IN (i.indkey[0], i.indkey[1])"
	" WHERE indisunique AND indisvalid AND indimmediate AND indpred IS NULL AND indexprs IS "
	"NULL"
	" AND indnkeyatts = 2 ORDER BY k.type = $2 DESC, indisprimary DESC, indexrelid LIMIT 1),"
	"want(ord, name, types, text) AS (VALUES"
	" (1, 'symbol', '{25,1043,1042}'::int8[], 'text'), (2, 'open', '{1700}', 'numeric'),"
	" (3, 'high', '{1700}', 'numeric'), (4, 'low', '{1700}', 'numeric'), (5, 'close', "
	"'{1700}', 'numeric'),"
	" (6, 'volume', '{20,23,1700}', 'bigint, integer or numeric')),"
	"has AS ("
	" SELECT array_agg(c.base ORDER BY ord) AS base, array_agg(c.scale ORDER BY ord) AS scale,"
	" array_agg(c.type ORDER BY ord) AS type, min(c.bare) FILTER (WHERE ord = 1) AS symbol"
	" FROM want w LEFT JOIN col c ON c.name = w.name)"
	/* A missing table and a missing column are told before a missing key. */
	"SELECT COALESCE("
	" CASE WHEN key.type <> $2 THEN format('its key column %s is %s, not %s', key.name, "
	"key.said, $3::text) END,"
	" CASE WHEN rel.relkind NOT IN ('r', 'p') THEN 'is not a table' END,"
	" (SELECT CASE"
	" WHEN w.name IS NULL THEN format('column %s must not be null, and has no default', c.name)"
	" WHEN c.fixed THEN format('column %s is generated', c.name)"
	" ELSE format('column %s is %s, not %s', c.name, c.said, w.text) END"
	" FROM col c LEFT JOIN want w ON w.name = c.name"
	" WHERE CASE WHEN w.name IS NULL THEN c.needed AND c.num <> key.num"
	" ELSE c.fixed OR c.type <> ALL (w.types) END ORDER BY c.num LIMIT 1),"
	" (SELECT format('has no column %s', w.name) FROM want w"
	" WHERE NOT EXISTS (SELECT FROM col c WHERE c.name = w.name) ORDER BY w.ord LIMIT 1),"
	" CASE WHEN key.num IS NULL THEN"
	" format('has no primary key or unique constraint over symbol and one %s column', "
	"$3::text) END),"
	" rel.name, quote_ident(key.name), key.name, has.symbol, has.type[6],"
	" format('COPY %1$s (symbol, %2$s, %5$s) FROM STDIN (FORMAT binary)', VARIADIC f.a),"
	" format('SELECT %2$s, %5$s FROM %1$s"
	" WHERE symbol = $1::%4$s AND %2$s >= $2::%3$s AND %2$s <= $3::%3$s', VARIADIC f.a),"
	/* The cast to the column's own type lets the index be used. */
	" format('SELECT k.slot, %5$s FROM unnest($1::int4[], $2::text[], $3::%3$s[]) k(slot, "
	"symbol, key)"
	" JOIN %1$s t ON t.symbol = k.symbol::%4$s AND t.%2$s = k.key', VARIADIC f.a),"
	/* In the order of the slots, so that two writers of the same bars never lock crosswise. */
	" format('INSERT INTO %1$s (symbol, %2$s, %5$s) SELECT symbol, key, %5$s FROM " UNNEST
	" ORDER BY slot ON CONFLICT (symbol, %2$s) DO NOTHING RETURNING symbol::text, %2$s', "
	"VARIADIC f.a),"
	" format('UPDATE %1$s t SET (%5$s) = ROW(s.o, s.h, s.l, s.c, s.v) FROM (SELECT slot, "
	"symbol::%4$s,"
	" key, open::%6$s, high::%7$s, low::%8$s, close::%9$s, volume::%10$s FROM " UNNEST
	") s(slot, symbol, key, o, h, l, c, v) WHERE t.symbol = s.symbol AND t.%2$s = s.key"
	" AND (%5$s) IS DISTINCT FROM (s.o, s.h, s.l, s.c, s.v) RETURNING s.slot', VARIADIC f.a),"
	" has.scale[2], has.scale[3], has.scale[4], has.scale[5]"
	" FROM rel LEFT JOIN key ON true, has, LATERAL (SELECT ARRAY[rel.name, "
	"quote_ident(key.name), $4,"
	" has.symbol, 'open, high, low, close, volume'] || has.base[2:6] AS a) f";

Oid
pg_table_key_type(enum timeframe tf)
{
	return timeframe_intraday(tf) ? PG_TIMESTAMPTZ : PG_DATE;
}

void
pg_table_fail(struct pg_table *t, const char *why)
{
	if (t->fault[0] == '\0')
		(void)snprintf(
			t->fault, sizeof t->fault, "table %s: %s", timeframe_table(t->tf), why);
}

/* A small number; the modifiers' may be negative. */
static int
number(const PGresult *res, int column)
{
	return (int)strtol(PQgetvalue(res, 0, column), NULL, 10);
}

/* A column that is called for the end of the period must not get its start. */
static void
check_key_name(struct pg_table *t)
{
	static const char *const ends[] = {"_end", "_ending"};
	size_t n = strlen(t->key_name);
	char why[300];

	for (int i = 0; i < 2; i++) {
		size_t m = strlen(ends[i]);

		if (n < m || strcmp(t->key_name + n - m, ends[i]) != 0)
			continue;
		(void)snprintf(why, sizeof why,
			"its key column %s is called for the end of the period, but keys are its "
			"start",
			t->key_name);
		pg_table_fail(t, why);
	}
}

static void
take_row(struct pg_table *t, PGresult *res)
{
	const char **const text[] = {[NAME] = &t->name,
		[KEY] = &t->key,
		[KEY_NAME] = &t->key_name,
		[SYMBOL_TYPE] = &t->symbol_type,
		[COPY] = &t->copy,
		[RANGE] = &t->range,
		[PAIRS] = &t->pairs,
		[INSERT] = &t->insert,
		[UPDATE] = &t->update};
	int volume = number(res, VOLUME);

	t->row = res;
	if (!PQgetisnull(res, 0, FAULT))
		pg_table_fail(t, PQgetvalue(res, 0, FAULT));
	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
		if (text[i] != NULL)
			*text[i] = PQgetvalue(res, 0, (int)i);
	}
	check_key_name(t);
	t->volume = volume == PG_INT8	? VOLUME_INT8
		    : volume == PG_INT4 ? VOLUME_INT4
					: VOLUME_NUMERIC;
	for (int i = 0; i < 4; i++)
		t->scale[i] = PQgetisnull(res, 0, SCALE + i) ? INT32_MAX : number(res, SCALE + i);
}

enum outcome
pg_table_read(struct pg_table *t, struct pg *p)
{
	bool intraday = timeframe_intraday(t->tf);
	const struct pg_values v = {.n = 4,
		.value = {timeframe_table(t->tf), intraday ? "1184" : "1082",
			intraday ? "timestamp with time zone" : "date",
			intraday ? "timestamptz" : "date"}};
	PGresult *res;
	enum outcome o;

	pg_table_release(t);
	o = pg_query(p, catalogue_sql, &v, &res);
	if (o != PG_OK)
		return o;
	t->known = true;
	t->read_at = clock_mono_ms();
	t->absent = PQntuples(res) == 0;
	if (!t->absent) {
		take_row(t, res);
		return PG_OK;
	}
	PQclear(res);
	pg_table_fail(t, "does not exist; create it, or run ts-store -i");
	return PG_OK;
}

void
pg_table_release(struct pg_table *t)
{
	PQclear(t->row);
	*t = (struct pg_table){.tf = t->tf};
}
