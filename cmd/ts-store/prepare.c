/* What the columns cannot hold, and what the key cannot tell apart, is known before bars are sent.
 */
#include "load.h"

#include "encode.h"
#include "log.h"

#include <float.h>
#include <stdio.h>

static const char *const price_name[4] = {"open", "high", "low", "close"};

/* Says once that a column rounds. */
static void
tell_rounding(struct load *l, const struct pg_table *t, int column)
{
	if (!atomic_exchange(&l->shared->rounding_logged[t->tf][column], true))
		log_warning("table %s: column %s holds %d decimals: prices with more are rounded",
			timeframe_table(t->tf), price_name[column], t->scale[column]);
}

/* Notes that prices of a row will be rounded; why it may not be stored, for one would become 0. */
static const char *
round_prices(struct load *l, struct batch *b, size_t slot, const struct pg_table *t)
{
	static const char *const zero[] = {"open would be rounded to 0 by its column",
		"high would be rounded to 0 by its column",
		"low would be rounded to 0 by its column",
		"close would be rounded to 0 by its column"};
	const unsigned char *prices = batch_prices(b, batch_row(b, slot));

	for (int i = 0; i < 4; i++) {
		struct number exact = number_of_binary(bar_price(&prices)), rounded = exact;
		float real = t->type[i] == PG_FLOAT4 ? number_to_float(&exact) : 1;

		if (real > FLT_MAX)
			return "22003: a price is out of range for real";
		if (!(real > 0))
			return zero[i];
		/* A carry beyond all digits is for Postgres to refuse. */
		if (exact.scale <= t->scale[i] || number_round(&rounded, t->scale[i]) != 0)
			continue;
		if (number_sign(&rounded) == 0)
			return zero[i];
		if (number_cmp(&exact, &rounded) == 0)
			continue;
		batch_round(b, slot);
		tell_rounding(l, t, i);
	}
	return NULL;
}

/* Whether a table may round. */
static bool
table_rounds(const struct pg_table *t)
{
	for (int i = 0; i < 4; i++) {
		if (t->scale[i] != INT32_MAX || t->type[i] == PG_FLOAT4)
			return true;
	}
	return false;
}

bool
prepare_range(struct load *l, struct batch *b, struct range range, enum row_status status)
{
	struct run run = {0};
	bool any = false;

	while (load_next(b, range, &run)) {
		const struct pg_table *t = &l->table[run.group->series->tf];
		bool check = table_rounds(t);

		run.group->seen = (struct span){0};
		for (size_t i = run.first; i < run.end; i++) {
			const char *why = NULL;

			if (b->status[i] == ROW_REFUSED)
				continue;
			b->status[i] = (unsigned char)status;
			if (check)
				why = round_prices(l, b, i, t);
			if (t->type[4] == PG_INT4 && batch_row(b, i)->volume > INT32_MAX)
				why = "22003: volume is out of range for integer";
			if (why != NULL)
				batch_refuse(b, i, why);
			else
				any = true;
		}
	}
	return any;
}

/* Collects the symbols of a table; how many, and between which keys their bars lie. */
static size_t
gather_symbols(struct load *l, const struct batch *b, const struct pg_table *t, struct range range,
	int64_t key[2])
{
	struct run run = {.table = t};
	size_t n = 0;

	encode_array(&l->array[0], PG_TEXT);
	while (load_next(b, range, &run)) {
		const struct series *s = run.group->series;
		int64_t first = b->slot[run.first].key, last = b->slot[run.end - 1].key;

		encode_element(&l->array[0], s->symbol, s->length);
		key[0] = n == 0 || first < key[0] ? first : key[0];
		key[1] = n == 0 || last > key[1] ? last : key[1];
		n++;
	}
	return n;
}

static void
fail_twin(struct batch *b, const struct pg_table *t, struct range range, struct slice symbol,
	const char *other)
{
	struct run run = {.table = t};
	char why[300];

	(void)snprintf(why, sizeof why,
		"table %s takes it for the same symbol as %s, whose bars it would replace",
		timeframe_table(t->tf), other);
	while (load_next(b, range, &run)) {
		const struct series *s = run.group->series;

		if (!slice_eq(symbol, (struct slice){s->symbol, s->length}))
			continue;
		log_warning("%s %s: %s", s->symbol, timeframe_name(s->tf), why);
		batch_fail(run.group, why);
	}
}

static enum outcome
ask_for_twins(struct load *l, struct batch *b, const struct pg_table *t, struct range range)
{
	int64_t key[2] = {0, 0};
	size_t n = gather_symbols(l, b, t, range, key);
	struct pg_values v;
	PGresult *res = NULL;
	enum outcome o = n == 0 ? PG_OK : pg_begin(l->pg);

	if (n == 0 || o != PG_OK)
		return o;
	v = encode_values(l->array, 1);
	encode_bound(&v, t->tf, key[0]);
	encode_bound(&v, t->tf, key[1]);
	o = pg_query(l->pg, t->twins, &v, &res);
	for (int i = 0; o == PG_OK && i < PQntuples(res); i++)
		fail_twin(b, t, range, slice_of(PQgetvalue(res, i, 0)), PQgetvalue(res, i, 1));
	PQclear(res);
	return o == PG_OK ? pg_commit(l->pg) : o;
}

enum outcome
prepare_symbols(struct load *l, struct batch *b, struct range range)
{
	enum outcome o = PG_OK;

	for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++) {
		const struct pg_table *t = &l->table[tf];

		l->at = (enum timeframe)tf;
		if (t->known && t->fault[0] == '\0' && t->twins[0] != '\0')
			o = ask_for_twins(l, b, t, range);
	}
	return o;
}
