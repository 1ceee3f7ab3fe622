/*
 * Reading what is there. A run of neighbouring keys is read as a range; single bars and scattered
 * keys are asked for one by one, but many in one request: so neither a shuffled file nor one bar
 * each of ten thousand symbols reads whole tables or waits for the server ten thousand times.
 */
#include "compare.h"

#include "wire.h"
#include "write.h"

#include <string.h>

enum {
	READ_ROWS = 512, /* slots covered by one read, so that a result stays small */
	PIPELINE = 128,	 /* requests under way at once */
	FEW = 8,	 /* slots that are not worth a range */
	SPARSE = 12,	 /* a range so many times as wide as its keys are many is not read */
};

/* What was asked, to go with the answers. */
struct request {
	const struct pg_table *table; /* NULL for the begin of the transaction */
	struct range range;	      /* {0, 0} for pairs */
};

struct reading {
	struct load *load;
	struct batch *batch;
	struct request request[PIPELINE];
	int n;
	const char *parsed; /* the statement that requests are for */
	size_t pairs;	    /* gathered */
};

static struct slice
field(const PGresult *res, int row, int column)
{
	return (struct slice){PQgetvalue(res, row, column), (size_t)PQgetlength(res, row, column)};
}

/* Whether a row of the table holds what the batch has; NULL is never the same. */
static bool
same_values(
	const struct batch *b, const struct pg_table *t, size_t slot, const PGresult *res, int row)
{
	const struct row *r = batch_row(b, slot);
	const unsigned char *prices = batch_prices(b, r);
	unsigned char tmp[NUMBER_BYTES];
	size_t n;

	for (int i = 0; i < 4; i++) {
		struct slice mine = bar_price(&prices), theirs = field(res, row, 1 + i);

		if (t->scale[i] != INT32_MAX) {
			struct number rounded = number_of_binary(mine);

			if (number_round(&rounded, t->scale[i]) != 0)
				return false;
			mine = (struct slice){(char *)tmp, number_binary(&rounded, tmp)};
		}
		if (!number_same(mine, theirs))
			return false;
	}
	if (r->volume < 0 || PQgetisnull(res, row, 5))
		return r->volume < 0 && PQgetisnull(res, row, 5);
	n = write_volume(t->volume, r->volume, tmp);
	if (t->volume == VOLUME_NUMERIC)
		return number_same((struct slice){(char *)tmp, n}, field(res, row, 5));
	return slice_eq((struct slice){(char *)tmp, n}, field(res, row, 5));
}

/*
 * The slot of a key, looked for from *next on first: rows come in the order of their keys as a
 * rule.
 */
static size_t
find_key(const struct batch *b, struct range at, size_t *next, int64_t key)
{
	size_t low = at.first, high = at.end;

	while (*next < at.end && b->slot[*next].key < key)
		(*next)++;
	if (*next < at.end && b->slot[*next].key == key)
		return *next;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->slot[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low < at.end && b->slot[low].key == key ? low : at.end;
}

/* Compares the rows that a request gave with the batch. */
static void
compare(struct batch *b, const struct request *q, const PGresult *res)
{
	bool pairs = q->range.end == 0;
	size_t next = q->range.first, end = pairs ? b->slots : q->range.end;

	for (int row = 0; row < PQntuples(res); row++) {
		const char *first = PQgetvalue(res, row, 0);
		size_t slot =
			pairs ? wire_get32((const unsigned char *)first)
			      : find_key(b, q->range, &next, write_key_of(q->table->tf, first));

		if (slot < end && b->status[slot] == ROW_NEW)
			b->status[slot] =
				same_values(b, q->table, slot, res, row) ? ROW_SAME : ROW_CHANGED;
	}
}

/* Ends the run of requests and compares the answers. */
static enum outcome
finish(struct reading *r)
{
	struct load *l = r->load;
	enum outcome first = pg_sync(l->pg), o;
	PGresult *res;

	for (int i = 0; i < r->n && pg_conn(l->pg) != NULL; i++) {
		const struct request *q = &r->request[i];

		o = pg_next(l->pg, &res);
		if (o == PG_OK && q->table != NULL)
			compare(r->batch, q, res);
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
note(struct reading *r, const struct pg_table *t, struct range range)
{
	enum outcome o = r->n == PIPELINE ? finish(r) : PG_OK;

	if (o == PG_OK)
		r->request[r->n++] = (struct request){t, range};
	return o;
}

/* Sends values to a statement, which is planned once for all that follow each other. */
static enum outcome
request(struct reading *r, const struct pg_table *t, const char *sql, const struct pg_values *v,
	struct range range)
{
	enum outcome o = PG_OK;

	if (r->parsed != sql) {
		o = note(r, t, (struct range){0, 0});
		if (o == PG_OK)
			o = pg_send_parse(r->load->pg, sql);
		r->parsed = sql;
	}
	if (o == PG_OK)
		o = note(r, t, range);
	return o == PG_OK ? pg_send(r->load->pg, v) : o;
}

static enum outcome
request_range(
	struct reading *r, const struct pg_table *t, const struct series *s, struct range range)
{
	const struct slot *slot = r->batch->slot;
	unsigned char low[8], high[8];
	struct pg_values v = {
		.binary = true, .n = 3, .value = {s->symbol, (char *)low, (char *)high}};

	v.length[0] = s->length;
	v.length[1] = (int)write_key(t->tf, slot[range.first].key, low);
	v.length[2] = (int)write_key(t->tf, slot[range.end - 1].key, high);
	return request(r, t, t->range, &v, range);
}

/* Requests the pairs that were gathered. */
static enum outcome
request_pairs(struct reading *r, const struct pg_table *t)
{
	struct pg_values v;

	if (r->pairs == 0)
		return PG_OK;
	write_values(&v, r->load->array, 3, r->pairs);
	r->pairs = 0;
	return request(r, t, t->pairs, &v, (struct range){0, 0});
}

/* Gathers a slot, to be asked for with others. */
static enum outcome
add_pair(struct reading *r, const struct pg_table *t, const struct series *s, size_t slot)
{
	struct buffer *array = r->load->array;
	unsigned char tmp[8];

	if (r->pairs++ == 0) {
		write_array(&array[0], PG_INT4);
		write_array(&array[1], PG_TEXT);
		write_array(&array[2], pg_table_key_type(t->tf));
	}
	wire_put32(tmp, (uint32_t)slot);
	write_element(&array[0], tmp, 4);
	write_element(&array[1], s->symbol, s->length);
	write_element(&array[2], tmp, write_key(t->tf, r->batch->slot[slot].key, tmp));
	return r->pairs == READ_ROWS ? request_pairs(r, t) : PG_OK;
}

/* How far neighbouring keys of a full table lie apart. */
static const int64_t step[TF_COUNT] = {60000000, 3600000000, 1, 7, 28};

/* A week of minutes: over a wider gap a range would read what others have stored in between. */
enum { GAP = 7 * 24 * 60 };

/* Where the neighbours end that stand from a slot on: few enough for one read. */
static size_t
neighbours(const struct batch *b, enum timeframe tf, size_t at, size_t end)
{
	size_t to = at + 1;

	while (to < end && to - at < READ_ROWS &&
		(b->slot[to].key - b->slot[to - 1].key) / step[tf] <= GAP)
		to++;
	return to;
}

/* Whether reading all from the first to the last key would read much that nobody asked for. */
static bool
is_sparse(const struct batch *b, enum timeframe tf, size_t first, size_t end)
{
	int64_t n = (int64_t)(end - first);
	int64_t span = b->slot[end - 1].key - b->slot[first].key;

	return n < FEW || span / step[tf] > n * SPARSE;
}

/* Reads one table: the ranges, or, in a second round, what is asked for by pairs. */
static enum outcome
read_table(struct reading *r, const struct pg_table *t, struct range range, bool pairs)
{
	const struct batch *b = r->batch;
	struct run run = {0};
	enum outcome o = PG_OK;

	while (o == PG_OK && load_next(b, range, &run)) {
		const struct series *s = run.group->series;

		if (s->tf != t->tf || run.group->fault != NULL)
			continue;
		for (size_t at = run.first, to; at < run.end && o == PG_OK; at = to) {
			to = neighbours(b, t->tf, at, run.end);
			if (is_sparse(b, t->tf, at, to) != pairs)
				continue;
			if (!pairs)
				o = request_range(r, t, s, (struct range){at, to});
			for (size_t i = at; pairs && i < to && o == PG_OK; i++)
				o = add_pair(r, t, s, i);
		}
	}
	return o == PG_OK ? request_pairs(r, t) : o;
}

enum outcome
compare_range(struct load *l, struct batch *b, struct range range)
{
	struct reading r = {.load = l, .batch = b};
	enum outcome o = pg_pipeline(l->pg);

	if (o == PG_OK)
		o = pg_send_begin(l->pg);
	/* Its two answers. */
	r.n = 2;
	r.request[0] = r.request[1] = (struct request){0};
	for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++) {
		o = read_table(&r, &l->table[tf], range, false);
		if (o == PG_OK)
			o = read_table(&r, &l->table[tf], range, true);
	}
	if (o == PG_OK)
		o = finish(&r);
	return o == PG_OK ? pg_unpipe(l->pg) : o;
}
