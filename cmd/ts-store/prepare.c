/* What the columns cannot hold is known before anything is sent. */
#include "prepare.h"

#include "log.h"

#include <float.h>

static const char *const price_name[4] = {"open", "high", "low", "close"};

/* Says once that a column rounds. */
static void
tell_rounding(struct load *l, const struct pg_table *t, int column)
{
	(void)pthread_mutex_lock(&l->shared->lock);
	if (!l->shared->rounding_told[t->tf][column])
		log_warning("table %s: column %s holds %d decimals: prices with more are rounded",
			timeframe_table(t->tf), price_name[column], t->scale[column]);
	l->shared->rounding_told[t->tf][column] = true;
	(void)pthread_mutex_unlock(&l->shared->lock);
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

		if (run.group->fault != NULL)
			continue;
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
