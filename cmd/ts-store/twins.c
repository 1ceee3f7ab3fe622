/* Where a table ignores case, AAPL and aapl are one key: that is told, once it comes to it. */
#include "twins.h"

#include "encode.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

/* Collects the symbols of a table; how many, and between which keys their bars lie. */
static size_t
gather(struct load *l, const struct batch *b, const struct pg_table *t, struct range range,
	int64_t key[2])
{
	struct run run = {0};
	size_t n = 0;

	encode_array(&l->array[0], PG_TEXT);
	while (load_next(b, range, &run)) {
		const struct series *s = run.group->series;
		int64_t first = b->slot[run.first].key, last = b->slot[run.end - 1].key;

		if (s->tf != t->tf || run.group->fault != NULL)
			continue;
		encode_element(&l->array[0], s->symbol, s->length);
		key[0] = n == 0 || first < key[0] ? first : key[0];
		key[1] = n == 0 || last > key[1] ? last : key[1];
		n++;
	}
	return n;
}

static void
fail(struct batch *b, const struct pg_table *t, struct range range, struct slice symbol,
	const char *other)
{
	struct run run = {0};
	char why[300];

	(void)snprintf(why, sizeof why,
		"table %s takes it for the same symbol as %s, whose bars it would replace",
		timeframe_table(t->tf), other);
	while (load_next(b, range, &run)) {
		const struct series *s = run.group->series;

		if (s->tf != t->tf || !slice_eq(symbol, (struct slice){s->symbol, s->length}))
			continue;
		log_warning("%s %s: %s", s->symbol, timeframe_name(s->tf), why);
		batch_fail(run.group, why);
	}
}

static enum outcome
ask(struct load *l, struct batch *b, const struct pg_table *t, struct range range)
{
	unsigned char bound[2][8];
	int64_t key[2] = {0, 0};
	size_t n = gather(l, b, t, range, key);
	struct pg_values v;
	PGresult *res = NULL;
	enum outcome o = n == 0 ? PG_OK : pg_begin(l->pg);

	if (n == 0 || o != PG_OK)
		return o;
	encode_values(&v, l->array, 1, n);
	encode_bound(&v, t->tf, key[0], bound[0]);
	encode_bound(&v, t->tf, key[1], bound[1]);
	o = pg_query(l->pg, t->twins, &v, &res);
	for (int i = 0; o == PG_OK && i < PQntuples(res); i++)
		fail(b, t, range, slice_of(PQgetvalue(res, i, 0)), PQgetvalue(res, i, 1));
	PQclear(res);
	return o == PG_OK ? pg_commit(l->pg) : o;
}

enum outcome
twins_fail(struct load *l, struct batch *b, struct range range)
{
	enum outcome o = PG_OK;

	for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++) {
		const struct pg_table *t = &l->table[tf];

		l->at = (enum timeframe)tf;
		if (t->known && t->fault[0] == '\0' && t->twins[0] != '\0')
			o = ask(l, b, t, range);
	}
	return o;
}
