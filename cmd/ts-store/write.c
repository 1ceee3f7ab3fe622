/*
 * Rows in the forms that cost Postgres least to read: COPY BINARY, as "Binary Format" in the page
 * of COPY has it, and arrays, as array_recv() of utils/adt/arrayfuncs.c has them. COPY is quicker;
 * the statements are right whoever else writes, and the counts come from what they return.
 */
#include "load.h"

#include "encode.h"
#include "log.h"
#include "wire.h"

#include <string.h>

enum {
	STEPS = 6, /* twice three: another writer may come between two statements, but not twice */
	SEND_AT = 1 << 15,
	UPSERT_ROWS = 2000, /* of one statement, so that the arrays stay small */
};

int64_t
write_width(const struct pg_table *t)
{
	static const int64_t day = 86400000000;
	static const int64_t width[TF_COUNT] = {[TF_1MIN] = 7 * day,
		[TF_HOUR] = 90 * day,
		[TF_DAY] = 366,
		[TF_WEEK] = 3653,
		[TF_MONTH] = 3653};

	/* To plan a statement costs more than to look into a chunk that is not compressed. */
	return t->packed ? width[t->tf] : 8 * width[t->tf];
}

/* Appends prices as the table holds them; how many bytes. */
static size_t
put_prices(unsigned char *out, const struct pg_table *t, const struct batch *b, const struct row *r)
{
	const unsigned char *prices = batch_prices(b, r);
	unsigned char *at = out;

	if (!t->binary) {
		/* The batch has them like this. */
		memcpy(out, prices, r->length);
		return r->length;
	}
	for (int i = 0; i < 4; i++) {
		size_t n = encode_value(t, i, number_of_binary(bar_price(&prices)), at + 4);

		wire_put32(at, (uint32_t)n);
		at += 4 + n;
	}
	return (size_t)(at - out);
}

/* Appends one row of COPY. */
static void
add_row(struct buffer *b, const struct batch *batch, size_t slot, const struct series *s,
	const struct pg_table *t)
{
	const struct row *r = batch_row(batch, slot);
	unsigned char *start =
		(unsigned char *)buffer_room(b, PRICES_MAX + SYMBOL_MAX + NUMBER_BYTES + 50);
	unsigned char *at;
	size_t n;

	wire_put16(start, 7);
	wire_put32(start + 2, s->length);
	memcpy(start + 6, s->symbol, s->length);
	at = start + 6 + s->length;
	n = encode_key(s->tf, r->key, at + 4);
	wire_put32(at, (uint32_t)n);
	at += 4 + n;
	at += put_prices(at, t, batch, r);
	n = r->volume < 0 ? 0 : encode_volume(t, r->volume, at + 4);
	wire_put32(at, r->volume < 0 ? UINT32_MAX : (uint32_t)n);
	at += 4 + n;
	b->len += (size_t)(at - start);
}

/* What is written of a table in a transaction, how far that is, and the slots of one statement. */
struct writing {
	struct load *load;
	struct batch *batch;
	struct pg_table *table;
	struct range range;
	struct run run; /* in which the next slot is looked for, */
	size_t at;	/* from here on */
	size_t n;	/* slots of the statement; they are among those */
	size_t first, end;
	const struct series *series; /* of the first */
	int64_t low, high;	     /* the least key and the greatest */
};

/* Goes to the next slot that lies in the table and has the status. */
static bool
find_slot(struct writing *w, enum row_status status)
{
	do {
		for (; w->at < w->run.end; w->at++) {
			if (w->batch->status[w->at] == status)
				return true;
		}
		if (!load_next(w->batch, w->range, &w->run)) {
			/* The last run that was looked at may be another table's. */
			w->at = w->run.end;
			return false;
		}
		w->at = w->run.first;
	} while (true);
}

/* COPY straight into the table. */
static enum outcome
copy_new(struct writing w)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	struct load *l = w.load;
	uint64_t sent = 0, rows;
	enum outcome o = PG_OK;

	l->wire.len = 0;
	buffer_add(&l->wire, head, 11 + 4 + 4);
	for (; o == PG_OK && find_slot(&w, ROW_NEW); w.at++) {
		if (sent++ == 0)
			o = pg_copy(l->pg, w.table->copy);
		add_row(&l->wire, w.batch, w.at, w.run.group->series, w.table);
		if (o == PG_OK && l->wire.len >= SEND_AT) {
			o = pg_put(l->pg, l->wire.p, l->wire.len);
			l->wire.len = 0;
		}
	}
	if (sent == 0 || o != PG_OK)
		return o;
	buffer_add(&l->wire, "\377\377", 2);
	o = pg_put(l->pg, l->wire.p, l->wire.len);
	if (o == PG_OK)
		o = pg_copied(l->pg, &rows);
	if (o != PG_OK || rows == sent)
		return o;
	/* A partition's trigger drops rows. Statements tell which: the transaction is done again.
	 */
	w.table->drops = true;
	return PG_DUPLICATE;
}

/*
 * Takes slots of ROW_CHANGED for a statement, which are doubted until one shows what became of
 * them; with parts, of one symbol and of neighbouring keys.
 */
static void
take_slots(struct writing *w)
{
	const struct pg_table *t = w->table;

	for (w->n = 0; w->n < UPSERT_ROWS && find_slot(w, ROW_CHANGED); w->n++) {
		int64_t key = w->batch->slot[w->at].key;

		if (w->n == 0) {
			w->first = w->at;
			w->series = w->run.group->series;
			w->low = w->high = key;
		} else if (t->parts &&
			   (w->run.group->series != w->series || key - w->low > write_width(t))) {
			break;
		}
		w->low = key < w->low ? key : w->low;
		w->high = key > w->high ? key : w->high;
		w->batch->status[w->at] = ROW_DOUBTED;
		w->end = ++w->at;
	}
}

/* Adds a slot to the arrays of a statement. */
static void
add_slot(struct buffer *array, const struct batch *b, size_t slot)
{
	const struct series *s = batch_group_at(b, slot)->series;
	const struct row *r = batch_row(b, slot);
	const unsigned char *prices = batch_prices(b, r);
	unsigned char tmp[8];

	wire_put32(tmp, (uint32_t)slot);
	encode_element(&array[0], tmp, 4);
	encode_element(&array[1], s->symbol, s->length);
	encode_element(&array[2], tmp, encode_key(s->tf, r->key, tmp));
	for (int i = 0; i < 4; i++) {
		struct slice price = bar_price(&prices);

		encode_element(&array[3 + i], price.p, price.n);
	}
	wire_put64(tmp, (uint64_t)r->volume);
	encode_element(&array[7], r->volume < 0 ? NULL : tmp, 8);
}

/* Fills the arrays with those that are doubted. */
static void
gather_doubted(struct writing *w)
{
	static const uint32_t types[8] = {
		PG_INT4, PG_TEXT, 0, PG_NUMERIC, PG_NUMERIC, PG_NUMERIC, PG_NUMERIC, PG_INT8};

	for (int i = 0; i < 8; i++)
		encode_array(
			&w->load->array[i], i == 2 ? pg_table_key_type(w->table->tf) : types[i]);
	w->n = 0;
	for (size_t slot = w->first; slot < w->end; slot++) {
		if (w->batch->status[slot] != ROW_DOUBTED)
			continue;
		add_slot(w->load->array, w->batch, slot);
		w->n++;
	}
}

/* Says once that rows come out otherwise than they went in. */
static void
tell_altered(struct load *l, const struct pg_table *t)
{
	if (!atomic_exchange(&l->shared->altered_logged[t->tf], true))
		log_warning("table %s: a trigger changes the values of bars: they are not as they "
			    "were loaded",
			timeframe_table(t->tf));
}

static enum outcome
update_rows(struct writing *w)
{
	struct batch *b = w->batch;
	struct pg_values v = encode_values(w->load->array, 8);
	PGresult *res;
	enum outcome o;

	if (w->table->parts) {
		encode_bytes(&v, w->series->symbol, w->series->length);
		encode_bound(&v, w->table->tf, w->low);
		encode_bound(&v, w->table->tf, w->high);
	}
	o = pg_query(w->load->pg, w->table->update, &v, &res);
	for (int i = 0; o == PG_OK && i < PQntuples(res); i++) {
		size_t slot = wire_get32((const unsigned char *)PQgetvalue(res, i, 0));

		if (PQgetvalue(res, i, 1)[0] != 0)
			tell_altered(w->load, w->table);
		if (slot < b->slots && b->status[slot] == ROW_DOUBTED)
			b->status[slot] = ROW_CHANGED;
	}
	PQclear(res);
	return o;
}

/* Whether a row that an insert gives is that of a slot. */
static bool
is_slot(const struct writing *w, size_t slot, const PGresult *res, int row)
{
	const struct series *s = batch_group_at(w->batch, slot)->series;

	return w->batch->slot[slot].key == encode_key_of(s->tf, PQgetvalue(res, row, 0)) &&
	       PQgetlength(res, row, 6) == s->length &&
	       memcmp(PQgetvalue(res, row, 6), s->symbol, s->length) == 0;
}

/* The rows come back in the order of their slots. */
static enum outcome
insert_rows(struct writing *w)
{
	const struct pg_values v = encode_values(w->load->array, 8);
	PGresult *res;
	enum outcome o;
	size_t slot = w->first;

	o = pg_query(w->load->pg, w->table->insert, &v, &res);
	for (int i = 0; o == PG_OK && i < PQntuples(res); i++) {
		while (slot < w->end && !is_slot(w, slot, res, i))
			slot++;
		if (slot == w->end)
			break;
		if (!compare_same(w->batch, w->table, slot, res, i))
			tell_altered(w->load, w->table);
		w->batch->status[slot++] = ROW_NEW;
	}
	PQclear(res);
	return o;
}

/* Looks again at what no statement has touched: it may have become the same. */
static enum outcome
compare_rows(struct writing *w)
{
	struct pg_values v = encode_values(w->load->array, 3);

	encode_bound(&v, w->table->tf, w->low);
	encode_bound(&v, w->table->tf, w->high);
	return compare_doubted(w->load, w->batch, w->table, &v);
}

/*
 * Stores the slots that were taken. blind: they are as likely missing as different; else a row that
 * was there when it was read may have gone. Each statement gets only those that the ones before
 * left in doubt: TimescaleDB 2.17 ended an insert at the first row that was there. Of what is left
 * none has shown that it is there.
 */
static enum outcome
upsert_slots(struct writing *w, bool blind)
{
	enum outcome o = PG_OK;

	gather_doubted(w);
	for (int step = 0; o == PG_OK && step < STEPS && w->n > 0; step++) {
		if (step % 3 == 2)
			o = compare_rows(w);
		else
			o = (step % 3 == 0) == blind ? insert_rows(w) : update_rows(w);
		gather_doubted(w);
	}
	for (size_t slot = w->first; o == PG_OK && slot < w->end; slot++) {
		if (w->batch->status[slot] == ROW_DOUBTED)
			batch_drop(w->batch, slot, "a trigger or policy of the table dropped it");
	}
	return o;
}

static enum outcome
upsert_rows(struct writing w, bool blind)
{
	bool parts = w.table->parts && find_slot(&w, ROW_CHANGED);
	enum outcome o = PG_OK;

	/* By the values given the planner leaves out all other parts. */
	if (parts)
		o = pg_exec(w.load->pg, "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL "
					"enable_hashjoin = on");
	for (take_slots(&w); o == PG_OK && w.n > 0; take_slots(&w))
		o = upsert_slots(&w, blind);
	return o == PG_OK && parts ? pg_exec(w.load->pg, "SET LOCAL enable_hashjoin = off") : o;
}

enum outcome
write_table(struct load *l, struct batch *b, struct pg_table *t, struct range range, bool blind)
{
	/* Without COPY the new ones go by statements, too. */
	bool by_rows = t->known && (t->copy[0] == '\0' || t->drops);
	struct writing w = {.load = l, .batch = b, .table = t, .range = range, .run.table = t};
	struct writing all = w;
	enum outcome o = PG_OK;

	while (by_rows && find_slot(&all, ROW_NEW))
		b->status[all.at++] = ROW_CHANGED;
	if (!by_rows)
		o = copy_new(w);
	return o == PG_OK ? upsert_rows(w, blind || by_rows) : o;
}
