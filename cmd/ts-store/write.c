/*
 * Rows in the forms that cost Postgres least to read: COPY BINARY, as "Binary Format" in the page
 * of COPY has it, and arrays, as array_recv() of utils/adt/arrayfuncs.c has them. COPY is quicker;
 * the statements are right whoever else writes, and the counts come from what they return.
 */
#include "write.h"

#include "compare.h"
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
		size_t n = encode_value(t, i, bar_price(&prices), at + 4);

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

/* The next slot from *at on that lies in the table and has the status, and its run. */
static bool
find_slot(const struct batch *b, enum timeframe tf, struct range range, enum row_status status,
	struct run *run, size_t *at)
{
	for (;; *at = run->first) {
		if (run->group != NULL && run->group->series->tf == tf &&
			run->group->fault == NULL) {
			while (*at < run->end && b->status[*at] != status)
				(*at)++;
			if (*at < run->end)
				return true;
		}
		if (!load_next(b, range, run))
			return false;
	}
}

/* COPY straight into the table. */
static enum outcome
copy_new(struct load *l, const struct batch *b, struct pg_table *t, struct range range)
{
	static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	struct run run = {0};
	size_t at = 0;
	uint64_t sent = 0, rows;
	enum outcome o = PG_OK;

	l->wire.len = 0;
	buffer_add(&l->wire, head, 11 + 4 + 4);
	for (; o == PG_OK && find_slot(b, t->tf, range, ROW_NEW, &run, &at); at++) {
		if (sent++ == 0)
			o = pg_copy(l->pg, t->copy);
		add_row(&l->wire, b, at, run.group->series, t);
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
	/* A trigger drops rows. Statements tell which: the transaction is done again with them. */
	t->drops = true;
	return PG_DUPLICATE;
}

/* Slots of one statement. */
struct gathered {
	size_t n;
	const struct group *group; /* of the first */
	int64_t low, high;	   /* the least key and the greatest */
	size_t first, end;	   /* they are among the slots from first up to end */
};

static void
begin_arrays(struct load *l, const struct pg_table *t)
{
	static const uint32_t types[8] = {
		PG_INT4, PG_TEXT, 0, PG_NUMERIC, PG_NUMERIC, PG_NUMERIC, PG_NUMERIC, PG_INT8};

	for (int i = 0; i < 8; i++)
		encode_array(&l->array[i], i == 2 ? pg_table_key_type(t->tf) : types[i]);
}

/* Adds a slot to the arrays of a statement. */
static void
add_slot(struct load *l, const struct batch *b, const struct series *s, size_t slot)
{
	const struct row *r = batch_row(b, slot);
	const unsigned char *prices = batch_prices(b, r);
	unsigned char tmp[8];

	wire_put32(tmp, (uint32_t)slot);
	encode_element(&l->array[0], tmp, 4);
	encode_element(&l->array[1], s->symbol, s->length);
	encode_element(&l->array[2], tmp, encode_key(s->tf, r->key, tmp));
	for (int i = 0; i < 4; i++) {
		struct slice price = bar_price(&prices);

		encode_element(&l->array[3 + i], price.p, price.n);
	}
	wire_put64(tmp, (uint64_t)r->volume);
	encode_element(&l->array[7], r->volume < 0 ? NULL : tmp, 8);
}

/*
 * Gathers slots of ROW_CHANGED from *at on, which are doubted until a statement shows what became
 * of them; with parts, of one symbol and of neighbouring keys.
 */
static struct gathered
gather_rows(struct load *l, struct batch *b, const struct pg_table *t, struct range range,
	struct run *run, size_t *at)
{
	struct gathered g = {.first = *at};

	begin_arrays(l, t);
	for (; g.n < UPSERT_ROWS && find_slot(b, t->tf, range, ROW_CHANGED, run, at);
		g.n++, (*at)++) {
		int64_t key = batch_row(b, *at)->key;

		if (g.n == 0) {
			g.group = run->group;
			g.low = g.high = key;
		} else if (t->parts && (run->group != g.group || key - g.low > write_width(t))) {
			break;
		}
		g.low = key < g.low ? key : g.low;
		g.high = key > g.high ? key : g.high;
		b->status[*at] = ROW_DOUBTED;
		add_slot(l, b, run->group->series, *at);
	}
	g.end = *at;
	return g;
}

/* Gathers again those that are still doubted. */
static void
gather_doubted(struct load *l, const struct batch *b, const struct pg_table *t, struct gathered *g)
{
	begin_arrays(l, t);
	g->n = 0;
	for (size_t slot = g->first; slot < g->end; slot++) {
		const struct series *s = batch_group_at(b, slot)->series;

		if (s->tf != t->tf || b->status[slot] != ROW_DOUBTED)
			continue;
		add_slot(l, b, s, slot);
		g->n++;
	}
}

/* Says once that rows come out otherwise than they went in. */
static void
tell_altered(struct load *l, const struct pg_table *t)
{
	(void)pthread_mutex_lock(&l->shared->lock);
	if (!l->shared->altered_told[t->tf])
		log_warning("table %s: a trigger changes the values of bars: they are not as they "
			    "were loaded",
			timeframe_table(t->tf));
	l->shared->altered_told[t->tf] = true;
	(void)pthread_mutex_unlock(&l->shared->lock);
}

static enum outcome
update_rows(struct load *l, struct batch *b, const struct pg_table *t, const struct gathered *g)
{
	unsigned char low[8], high[8];
	struct pg_values v;
	PGresult *res;
	enum outcome o;

	encode_values(&v, l->array, 8, g->n);
	if (t->parts) {
		v.value[v.n] = g->group->series->symbol;
		v.length[v.n++] = g->group->series->length;
		encode_bound(&v, t->tf, g->low, low);
		encode_bound(&v, t->tf, g->high, high);
	}
	o = pg_query(l->pg, t->update, &v, &res);
	for (int i = 0; o == PG_OK && i < PQntuples(res); i++) {
		size_t slot = wire_get32((const unsigned char *)PQgetvalue(res, i, 0));

		if (PQgetvalue(res, i, 1)[0] != 0)
			tell_altered(l, t);
		if (slot < b->slots && b->status[slot] == ROW_DOUBTED)
			b->status[slot] = ROW_CHANGED;
	}
	PQclear(res);
	return o;
}

static bool
is_slot(const struct batch *b, const struct pg_table *t, size_t slot, const PGresult *res, int row)
{
	const struct series *s = batch_group_at(b, slot)->series;

	return s->tf == t->tf && PQgetlength(res, row, 0) == s->length &&
	       memcmp(PQgetvalue(res, row, 0), s->symbol, s->length) == 0 &&
	       encode_key_of(t->tf, PQgetvalue(res, row, 1)) == b->slot[slot].key;
}

/* The rows come back in the order of their slots. */
static enum outcome
insert_rows(struct load *l, struct batch *b, const struct pg_table *t, struct range range, size_t n)
{
	struct pg_values v;
	PGresult *res;
	enum outcome o;
	size_t slot = range.first;

	encode_values(&v, l->array, 8, n);
	o = pg_query(l->pg, t->insert, &v, &res);
	for (int i = 0; o == PG_OK && i < PQntuples(res) && slot < range.end; i++) {
		while (slot < range.end && !is_slot(b, t, slot, res, i))
			slot++;
		if (slot < range.end)
			b->status[slot++] = ROW_NEW;
	}
	PQclear(res);
	return o;
}

/* Rejects the gathered slots of which no statement has shown that they are there. */
static void
reject_doubted(struct batch *b, const struct pg_table *t, const struct gathered *g)
{
	for (size_t slot = g->first; slot < g->end; slot++) {
		if (batch_group_at(b, slot)->series->tf == t->tf && b->status[slot] == ROW_DOUBTED)
			batch_drop(b, slot, "a trigger or policy of the table dropped it");
	}
}

/*
 * Stores the gathered slots. blind: they are as likely missing as different. Each statement gets
 * only those that the ones before left in doubt: TimescaleDB 2.17 ended an insert at the first row
 * that was there.
 */
static enum outcome
upsert_gathered(struct load *l, struct batch *b, const struct pg_table *t, struct range range,
	struct gathered *g, bool blind)
{
	enum outcome o = PG_OK;

	for (int step = 0; o == PG_OK && step < STEPS && g->n > 0; step++) {
		switch (step % 3) {
		case 0:
			o = blind ? insert_rows(l, b, t, range, g->n) : update_rows(l, b, t, g);
			break;
		case 1:
			/* A row that was there when it was read may have gone. */
			o = blind ? update_rows(l, b, t, g) : insert_rows(l, b, t, range, g->n);
			break;
		default:
			/* Or may have become the same. */
			o = compare_doubted(l, b, t, g->n, g->low, g->high);
		}
		if (o == PG_OK)
			gather_doubted(l, b, t, g);
	}
	if (o == PG_OK)
		reject_doubted(b, t, g);
	return o;
}

static enum outcome
upsert_rows(
	struct load *l, struct batch *b, const struct pg_table *t, struct range range, bool blind)
{
	struct run run = {0};
	size_t at = 0;
	struct gathered g = gather_rows(l, b, t, range, &run, &at);
	bool parts = t->parts && g.n > 0;
	enum outcome o = PG_OK;

	/* By the values given the planner leaves out all other parts. */
	if (parts)
		o = pg_exec(l->pg, "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL "
				   "enable_hashjoin = on");
	for (; o == PG_OK && g.n > 0; g = gather_rows(l, b, t, range, &run, &at))
		o = upsert_gathered(l, b, t, range, &g, blind);
	return o == PG_OK && parts ? pg_exec(l->pg, "SET LOCAL enable_hashjoin = off") : o;
}

enum outcome
write_table(struct load *l, struct batch *b, struct pg_table *t, struct range range, bool blind)
{
	/* Without COPY the new ones go by statements, too. */
	bool by_rows = t->known && (t->copy[0] == '\0' || t->drops);
	struct run run = {0};
	enum outcome o = PG_OK;
	size_t at = 0;

	for (; by_rows && find_slot(b, t->tf, range, ROW_NEW, &run, &at); at++)
		b->status[at] = ROW_CHANGED;
	if (!by_rows)
		o = copy_new(l, b, t, range);
	return o == PG_OK ? upsert_rows(l, b, t, range, blind || by_rows) : o;
}
