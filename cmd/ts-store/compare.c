/*
 * Reading what is there. A run of neighbouring keys is read as a range; single bars and scattered
 * keys are asked for one by one, but many in one request: so neither a shuffled file nor one bar
 * each of ten thousand symbols reads whole tables or waits for the server ten thousand times.
 */
#include "load.h"

#include "encode.h"
#include "keys.h"
#include "wire.h"

#include <stdlib.h>

enum {
	READ_ROWS = 512, /* slots covered by one read, so that a result stays small */
	PIPELINE = 128,	 /* requests under way at once */
	FEW = 8,	 /* slots that are not worth a range */
	SPARSE = 12,	 /* a range so many times as wide as its keys are many is not read, */
	SESSION = 390,	 /* where a gap counts as no more than this: nothing trades for longer */
};

/* What was asked, to go with the answers. */
struct request {
	const struct pg_table *table; /* NULL where nothing was read */
	struct range range;	      /* {0, 0} for pairs */
	struct span span;	      /* of the range */
};

struct reading {
	struct load *load;
	struct batch *batch;
	struct request request[PIPELINE];
	int n;
	const char *parsed; /* the statement that requests are for */
	bool by_values;	    /* statements are planned for the values given */
};

static struct slice
result_field(const PGresult *res, int row, int column)
{
	return (struct slice){PQgetvalue(res, row, column), (size_t)PQgetlength(res, row, column)};
}

/* Whether a column holds what is mine; NULL is never the same. */
static bool
same_field(const struct pg_table *t, int column, struct slice mine, const PGresult *res, int row)
{
	struct slice theirs = result_field(res, row, 1 + column);

	return t->type[column] == PG_NUMERIC ? number_same(mine, theirs) : slice_eq(mine, theirs);
}

bool
compare_same(
	const struct batch *b, const struct pg_table *t, size_t slot, const PGresult *res, int row)
{
	const struct row *r = batch_row(b, slot);
	const unsigned char *prices = batch_prices(b, r);
	unsigned char tmp[NUMBER_BYTES];
	struct slice mine;

	for (int i = 0; i < 4; i++) {
		mine = bar_price(&prices);
		if (t->type[i] != PG_NUMERIC || t->scale[i] != INT32_MAX)
			mine = (struct slice){
				(char *)tmp, encode_value(t, i, number_of_binary(mine), tmp)};
		if (!same_field(t, i, mine, res, row))
			return false;
	}
	if (r->volume < 0 || PQgetisnull(res, row, 5))
		return r->volume < 0 && PQgetisnull(res, row, 5);
	mine = (struct slice){(char *)tmp, encode_volume(t, r->volume, tmp)};
	return same_field(t, 4, mine, res, row);
}

/*
 * The slot of a key, looked for from *next on first: rows come in the order of their keys as a
 * rule.
 */
static size_t
find_key(const struct batch *b, struct range at, size_t *next, int64_t key)
{
	const struct slot want = {.key = key}, *found;

	while (*next < at.end && b->slot[*next].key < key)
		(*next)++;
	if (*next < at.end && b->slot[*next].key == key)
		return *next;
	found = bsearch(&want, b->slot + at.first, at.end - at.first, sizeof want, keys_order);
	return found == NULL ? at.end : (size_t)(found - b->slot);
}

/* Compares the rows that a request gave with the batch, and notes that there were no others. */
static void
compare_rows(struct batch *b, const struct request *q, const PGresult *res)
{
	bool pairs = q->range.end == 0, others = false;
	size_t next = q->range.first, end = pairs ? b->slots : q->range.end;

	for (int row = 0; row < PQntuples(res); row++) {
		const char *first = PQgetvalue(res, row, 0);
		size_t slot =
			pairs ? wire_get32((const unsigned char *)first)
			      : find_key(b, q->range, &next, encode_key_of(q->table->tf, first));

		others = others || slot >= end;
		if (slot >= end || b->status[slot] != ROW_NEW)
			continue;
		b->status[slot] = ROW_SAME;
		if (!compare_same(b, q->table, slot, res, row)) {
			b->status[slot] = ROW_CHANGED;
			restate_note(b, q->table, slot, res, row);
		}
	}
	if (!pairs && !others)
		span_extend(&batch_group_at(b, q->range.first)->seen, q->span);
}

/* Ends the run of requests and compares the answers. */
static enum outcome
finish_run(struct reading *r)
{
	struct load *l = r->load;
	enum outcome first = pg_sync(l->pg), o;
	PGresult *res;

	for (int i = 0; i < r->n && pg_conn(l->pg) != NULL; i++) {
		const struct request *q = &r->request[i];

		o = pg_next(l->pg, &res);
		if (o == PG_OK && q->table != NULL)
			compare_rows(r->batch, q, res);
		PQclear(res);
		if (o != PG_OK && q->table != NULL && first == PG_OK)
			l->at = q->table->tf;
		if (first == PG_OK || pg_conn(l->pg) == NULL)
			first = o;
	}
	r->n = 0;
	if (pg_conn(l->pg) == NULL)
		return first;
	o = pg_synced(l->pg);
	return o == PG_OK ? first : o;
}

/* Notes a request that is about to be sent; a full run is ended first. */
static enum outcome
note_request(struct reading *r, struct request q)
{
	enum outcome o = r->n == PIPELINE ? finish_run(r) : PG_OK;

	if (o == PG_OK)
		r->request[r->n++] = q;
	return o;
}

/* Sends values to a statement, which is planned once for all that follow each other. */
static enum outcome
send_request(struct reading *r, struct request q, const char *sql, const struct pg_values *v)
{
	enum outcome o = PG_OK;

	if (r->parsed != sql) {
		o = note_request(r, (struct request){.table = q.table});
		if (o == PG_OK)
			o = pg_send_parse(r->load->pg, sql);
		r->parsed = sql;
	}
	if (o == PG_OK)
		o = note_request(r, q);
	return o == PG_OK ? pg_send(r->load->pg, v) : o;
}

/*
 * Whether a bar's key goes on near the one before it, INT64_MIN for none. A week of minutes: over a
 * wider gap a range would read what others have stored in between.
 */
static bool
goes_on(enum timeframe tf, int64_t before, int64_t key)
{
	enum { GAP = 7 * 24 * 60 };

	return before != INT64_MIN && before < key && (key - before) / keys_step(tf) <= GAP;
}

/* The key before a slot's, in the batch or in those before it; INT64_MIN: none. */
static int64_t
key_before(const struct batch *b, const struct group *g, size_t at)
{
	return at > g->first ? b->slot[at - 1].key : g->before;
}

/* Reads on from where the read before ends, that nothing which lies between goes unseen. */
static enum outcome
request_range(
	struct reading *r, const struct pg_table *t, const struct group *g, struct range range)
{
	const struct slot *slot = r->batch->slot;
	int64_t key = slot[range.first].key, before = key_before(r->batch, g, range.first);
	/* Where that is not known, from behind the minute or hour before. */
	int64_t back = timeframe_intraday(t->tf) ? keys_step(t->tf) - 1 : 0;
	const struct span span = {
		goes_on(t->tf, before, key) ? before + 1 : key - back, slot[range.end - 1].key + 1};
	struct pg_values v = encode_values(NULL, 0);

	encode_bytes(&v, g->series->symbol, g->series->length);
	encode_bound(&v, t->tf, span.from);
	encode_bound(&v, t->tf, span.to - 1);
	return send_request(r, (struct request){t, range, span}, t->range, &v);
}

/* Adds a scattered slot to the pairs. */
static void
add_pair(const struct reading *r, enum timeframe tf, size_t slot)
{
	const struct series *s = batch_group_at(r->batch, slot)->series;
	struct buffer *array = r->load->array;
	unsigned char tmp[8];

	wire_put32(tmp, (uint32_t)slot);
	encode_element(&array[0], tmp, 4);
	encode_element(&array[1], s->symbol, s->length);
	encode_element(&array[2], tmp, encode_key(tf, r->batch->slot[slot].key, tmp));
}

/*
 * Requests scattered slots from *at on; with parts, of a few neighbouring ones. *at moves behind
 * them.
 */
static enum outcome
request_pairs(struct reading *r, const struct pg_table *t, size_t *at)
{
	const struct scattered *p = r->load->scattered.p + *at;
	int64_t low = p->key, high = p->key;
	struct pg_values v;

	encode_array(&r->load->array[0], PG_INT4);
	encode_array(&r->load->array[1], PG_TEXT);
	encode_array(&r->load->array[2], pg_table_key_type(t->tf));
	for (size_t n = 0; n < READ_ROWS && *at < r->load->scattered.n; n++, ++*at) {
		if (t->parts && p[n].key - low > write_width(t))
			break;
		low = p[n].key < low ? p[n].key : low;
		high = p[n].key > high ? p[n].key : high;
		add_pair(r, t->tf, p[n].slot);
	}
	v = encode_values(r->load->array, 3);
	encode_bound(&v, t->tf, low);
	encode_bound(&v, t->tf, high);
	return send_request(r, (struct request){.table = t}, t->pairs, &v);
}

static enum outcome
request_scattered(struct reading *r, const struct pg_table *t)
{
	enum outcome o = PG_OK;
	size_t at = 0;

	/* As they stand they follow the key's index; where there are parts, these come first. */
	if (t->parts && r->load->scattered.n > 0)
		qsort(r->load->scattered.p, r->load->scattered.n, sizeof(struct scattered),
			keys_order);
	while (o == PG_OK && at < r->load->scattered.n)
		o = request_pairs(r, t, &at);
	return o;
}

/* Where the neighbours end that stand from a slot on: few enough for one read. */
static size_t
neighbours_end(const struct batch *b, enum timeframe tf, size_t at, size_t end)
{
	size_t to = at + 1;

	while (to < end && to - at < READ_ROWS && goes_on(tf, b->slot[to - 1].key, b->slot[to].key))
		to++;
	return to;
}

/* Whether reading all from the first to the last key would read much that nobody asked for. */
static bool
is_sparse(const struct batch *b, const struct group *g, size_t first, size_t end)
{
	enum timeframe tf = g->series->tf;
	/* The last of a run may be few: there the read before them goes on. */
	bool on = goes_on(tf, key_before(b, g, first), b->slot[first].key);
	int64_t n = on ? READ_ROWS : (int64_t)(end - first), steps = 0;

	for (size_t i = first + 1; i < end; i++) {
		int64_t gap = (b->slot[i].key - b->slot[i - 1].key) / keys_step(tf);

		steps += gap < SESSION ? gap : SESSION;
	}
	return (end - first < FEW && (first == g->first || !on)) || steps > n * SPARSE;
}

/* Whether the values given are planned with, from here on. */
static enum outcome
plan_by_values(struct reading *r, bool by_values)
{
	static const char *const sql[] = {
		"SELECT set_config('plan_cache_mode', 'force_generic_plan', true)",
		"SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"};

	if (r->by_values == by_values)
		return PG_OK;
	r->by_values = by_values;
	return send_request(r, (struct request){0}, sql[by_values], NULL);
}

/* Reads one table: what lies together by ranges, then what is scattered. */
static enum outcome
read_table(struct reading *r, const struct pg_table *t, struct range range)
{
	const struct batch *b = r->batch;
	struct run run = {.table = t};
	enum outcome o = PG_OK;

	r->load->scattered.n = 0;
	while (o == PG_OK && load_next(b, range, &run)) {
		o = plan_by_values(r, t->parts);
		for (size_t at = run.first, to; at < run.end && o == PG_OK; at = to) {
			to = neighbours_end(b, t->tf, at, run.end);
			if (!is_sparse(b, run.group, at, to))
				o = request_range(r, t, run.group, (struct range){at, to});
			else
				for (size_t i = at; i < to; i++)
					*array_add(&r->load->scattered) =
						(struct scattered){b->slot[i].key, i};
		}
	}
	return o == PG_OK ? request_scattered(r, t) : o;
}

enum outcome
compare_range(struct load *l, struct batch *b, struct range range)
{
	struct reading r = {.load = l, .batch = b};
	enum outcome o = pg_pipeline(l->pg);

	/* Its two answers. */
	r.n = 2;
	r.request[0] = r.request[1] = (struct request){0};
	for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++)
		o = read_table(&r, &l->table[tf], range);
	if (o == PG_OK)
		o = finish_run(&r);
	return o == PG_OK ? pg_unpipe(l->pg) : o;
}

enum outcome
compare_doubted(
	struct load *l, struct batch *b, const struct pg_table *t, const struct pg_values *v)
{
	PGresult *res;
	enum outcome o = pg_query(l->pg, t->pairs, v, &res);

	for (int row = 0; o == PG_OK && row < PQntuples(res); row++) {
		size_t slot = wire_get32((const unsigned char *)PQgetvalue(res, row, 0));

		if (slot < b->slots && b->status[slot] == ROW_DOUBTED &&
			compare_same(b, t, slot, res, row))
			b->status[slot] = ROW_SAME;
	}
	PQclear(res);
	return o;
}
