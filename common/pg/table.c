/* One question to the catalogue, whose answer is what can be done with the table. */
#include "table.h"

#include "catalogue.h"
#include "impl.h"
#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>

/* The columns of the answer: the texts, and behind them these. */
enum {
	TEXTS = sizeof((struct pg_table *)0)->text / sizeof(char *),
	FAULT = TEXTS,
	ABSENT,
	PARTS,
	PACKED,
	TYPE,
	SCALE = TYPE + PG_TABLE_VALUES
};

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
number_at(const PGresult *res, int column)
{
	return (int)strtol(PQgetvalue(res, 0, column), NULL, 10);
}

static void
take_row(struct pg_table *t, PGresult *res)
{
	t->known = true;
	t->row = res;
	t->absent = PQgetvalue(res, 0, ABSENT)[0] == 't';
	t->parts = PQgetvalue(res, 0, PARTS)[0] == 't';
	t->packed = PQgetvalue(res, 0, PACKED)[0] == 't';
	if (!PQgetisnull(res, 0, FAULT))
		pg_table_fail(t, PQgetvalue(res, 0, FAULT));
	for (int i = 0; i < TEXTS; i++)
		t->text[i] = PQgetvalue(res, 0, i);
	for (int i = 0; i < PG_TABLE_VALUES; i++) {
		t->type[i] = number_at(res, TYPE + i);
		t->scale[i] =
			PQgetisnull(res, 0, SCALE + i) ? INT32_MAX : number_at(res, SCALE + i);
		t->binary = t->binary || (i < 4 && t->type[i] != PG_NUMERIC);
	}
}

enum outcome
pg_table_read(struct pg_table *t, struct pg *p)
{
	bool intraday = timeframe_intraday(t->tf);
	const struct pg_values v = {.n = 5,
		.value = {timeframe_table(t->tf), intraday ? "1184" : "1082",
			intraday ? "timestamp with time zone" : "date",
			intraday ? "timestamptz" : "date", p->o.writes ? "t" : "f"}};
	int64_t now = clock_mono_ms(), before = t->read_at;
	PGresult *res;
	enum outcome o;

	pg_table_release(t);
	t->read_at = before;
	o = pg_query(p, catalogue_sql, &v, &res);
	if (o == PG_DATA || o == PG_LARGE)
		return PG_TABLE;
	if (o != PG_OK)
		return o;
	t->read_at = now;
	take_row(t, res);
	return PG_OK;
}

void
pg_table_copy(struct pg_table *to, const struct pg_table *from)
{
	PGresult *row = PQcopyResult(from->row, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);

	if (row == NULL)
		memory_out();
	pg_table_release(to);
	*to = (struct pg_table){.tf = from->tf, .read_at = from->read_at};
	take_row(to, row);
}

void
pg_table_release(struct pg_table *t)
{
	PQclear(t->row);
	*t = (struct pg_table){.tf = t->tf};
}
