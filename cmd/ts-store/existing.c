/*
 * Reading what is there. A run of neighbouring keys is read as a range; single bars and scattered
 * keys are asked for one by one, but many in one request: so neither a shuffled file nor one bar
 * each of ten thousand symbols reads whole tables or waits for the server ten thousand times.
 */
#include "existing.h"

#include "copy.h"
#include "wire.h"

#include <string.h>

enum {
	READ_ROWS = 512, /* places covered by one read, so that a result stays small */
	READ_RUN = 128,   /* reads under way at once */
	FEW = 8,          /* places that are not worth a range */
	SPARSE = 12,      /* a range so many times as wide as its keys are many is not read */
};

/* What was asked, to go with the answers. */
struct read {
	struct table *table;
	struct part range; /* {0, 0} for pairs */
};

struct run {
	struct load *load;
	struct batch *batch;
	struct read read[READ_RUN];
	int n;
	bool begun;          /* the answer to BEGIN was read */
	struct table *table; /* of the pairs gathered */
	size_t pairs;
};

static struct slice
field(const PGresult *res, int row, int column)
{
	return (struct slice){PQgetvalue(res, row, column), (size_t)PQgetlength(res, row, column)};
}

/* Whether a row of the table holds what the batch has; NULL is never the same. */
static bool
same_values(
	const struct batch *b, const struct table *t, size_t place, const PGresult *res, int row)
{
	const struct row *r = batch_row(b, place);
	const unsigned char *prices = batch_prices(b, r);
	unsigned char tmp[NUMERIC_MAX];
	size_t n;

	for (int i = 0; i < 4; i++) {
		struct slice mine = bar_price(&prices), theirs = field(res, row, 1 + i);

		if (t->scale[i] != INT32_MAX)
			mine = (struct slice){
				(char *)tmp, numeric_round(mine, t->scale[i], tmp)};
		if (!numeric_equal(mine, theirs))
			return false;
	}
	n = copy_volume(t->volume, r->volume, tmp);
	if (t->volume == VOLUME_NUMERIC)
		return numeric_equal((struct slice){(char *)tmp, n}, field(res, row, 5));
	return (size_t)PQgetlength(res, row, 5) == n &&
	       memcmp(PQgetvalue(res, row, 5), tmp, n) == 0;
}

/*
 * The place of a key, looked for from *next on first: rows come in the order of their keys as a
 * rule.
 */
static size_t
find_key(const struct batch *b, struct part at, size_t *next, int64_t key)
{
	size_t low = at.first, high = at.end;

	while (*next < at.end && b->place[*next].key < key)
		(*next)++;
	if (*next < at.end && b->place[*next].key == key)
		return *next;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->place[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low < at.end && b->place[low].key == key ? low : at.end;
}

/* Compares the rows that a read gave with the batch. */
static void
compare(struct batch *b, const struct read *read, const PGresult *res)
{
	bool pairs = read->range.end == 0;
	size_t next = read->range.first, end = pairs ? b->places : read->range.end;

	for (int row = 0; row < PQntuples(res); row++) {
		const char *first = PQgetvalue(res, row, 0);
		size_t place = pairs ? wire_get32((const unsigned char *)first)
				     : find_key(b, read->range, &next,
					       copy_key_of(read->table->tf, first));

		if (place < end && b->fate[place] == FATE_NEW)
			b->fate[place] = same_values(b, read->table, place, res, row)
				? FATE_SAME
				: FATE_CHANGED;
	}
}

/* Ends the run of requests and compares the answers. */
static enum outcome
finish_run(struct run *run)
{
	struct load *l = run->load;
	enum outcome first = session_sync(l->session), o;
	PGresult *res;

	for (int i = run->begun ? 0 : -1; i < run->n && first != PG_LOST; i++) {
		o = session_next(l->session, &res);
		if (o == PG_OK && i >= 0)
			compare(run->batch, &run->read[i], res);
		PQclear(res);
		if (o != PG_OK && i >= 0 && first == PG_OK)
			l->at = run->read[i].table->tf;
		if (o == PG_LOST || first == PG_OK)
			first = o;
	}
	run->begun = true;
	run->n = 0;
	if (first == PG_LOST)
		return first;
	o = session_synced(l->session);
	return o == PG_OK ? first : o;
}

/* Notes a read that is about to be requested; a full run is ended first. */
static enum outcome
note_read(struct run *run, struct table *t, struct part range)
{
	enum outcome o = run->n == READ_RUN ? finish_run(run) : PG_OK;

	if (o == PG_OK)
		run->read[run->n++] = (struct read){t, range};
	return o;
}

static enum outcome
request_range(struct run *run, struct table *t, const struct series *s, struct part range)
{
	static const int formats[3] = {1, 1, 1};
	const struct place *place = run->batch->place;
	unsigned char low[8], high[8];
	const char *const values[3] = {s->symbol, (const char *)low, (const char *)high};
	const int lengths[3] = {s->length, (int)copy_key(t->tf, place[range.first].key, low),
		(int)copy_key(t->tf, place[range.end - 1].key, high)};
	enum outcome o = note_read(run, t, range);

	if (o != PG_OK)
		return o;
	return session_sent(run->load->session,
		PQsendQueryPrepared(session_conn(run->load->session), t->range, 3, values, lengths,
			formats, 1));
}

/* Starts an array: one dimension, no nulls, the elements' type, how many, counted from 1. */
static void
array_head(struct buffer *b, Oid type, size_t n)
{
	unsigned char *out = (unsigned char *)b->p;

	wire_put32(out, 1);
	wire_put32(out + 4, 0);
	wire_put32(out + 8, type);
	wire_put32(out + 12, (uint32_t)n);
	wire_put32(out + 16, 1);
}

static void
array_add(struct buffer *b, const void *p, size_t n)
{
	unsigned char *out = (unsigned char *)buffer_room(b, 4 + n);

	wire_put32(out, (uint32_t)n);
	memcpy(out + 4, p, n);
	b->len += 4 + n;
}

/* Requests the pairs that were gathered. */
static enum outcome
request_pairs(struct run *run)
{
	enum { INT4 = 23, TEXT = 25 };
	static const int formats[3] = {1, 1, 1};
	struct load *l = run->load;
	struct table *t = run->table;
	const char *values[3];
	int lengths[3];
	enum outcome o;

	if (run->pairs == 0)
		return PG_OK;
	array_head(&l->array[0], INT4, run->pairs);
	array_head(&l->array[1], TEXT, run->pairs);
	array_head(&l->array[2], table_key_type(t), run->pairs);
	for (int i = 0; i < 3; i++) {
		values[i] = l->array[i].p;
		lengths[i] = (int)l->array[i].len;
	}
	run->pairs = 0;
	if ((o = note_read(run, t, (struct part){0, 0})) != PG_OK)
		return o;
	return session_sent(l->session, PQsendQueryPrepared(session_conn(l->session), t->pairs, 3,
						values, lengths, formats, 1));
}

/* Gathers a place, to be asked for with others. */
static enum outcome
add_pair(struct run *run, struct table *t, const struct series *s, size_t place)
{
	struct buffer *array = run->load->array;
	unsigned char tmp[8];
	enum outcome o = PG_OK;

	if (run->pairs == READ_ROWS || (run->pairs > 0 && run->table != t))
		o = request_pairs(run);
	if (run->pairs == 0) {
		for (int i = 0; i < 3; i++) {
			(void)buffer_room(&array[i], 20);
			array[i].len = 20;
		}
	}
	run->table = t;
	run->pairs++;
	wire_put32(tmp, (uint32_t)place);
	array_add(&array[0], tmp, 4);
	array_add(&array[1], s->symbol, s->length);
	array_add(&array[2], tmp, copy_key(t->tf, run->batch->place[place].key, tmp));
	return o;
}

/* How far neighbouring keys of a full table lie apart. */
static const int64_t step[TF_COUNT] = {60000000, 3600000000, 1, 7, 28};

/* A week of minutes: over a wider gap a range would read what others have stored in between. */
enum { GAP = 7 * 24 * 60 };

/* Where the neighbours end that stand from a place on: few enough for one read. */
static size_t
neighbours(const struct batch *b, enum timeframe tf, size_t at, size_t end)
{
	size_t to = at + 1;

	while (to < end && to - at < READ_ROWS &&
		(b->place[to].key - b->place[to - 1].key) / step[tf] <= GAP)
		to++;
	return to;
}

/* Whether reading all from the first to the last key would read much that nobody asked for. */
static bool
is_sparse(const struct batch *b, enum timeframe tf, size_t first, size_t end)
{
	int64_t n = (int64_t)(end - first);
	int64_t span = b->place[end - 1].key - b->place[first].key;

	return n < FEW || span / step[tf] > n * SPARSE;
}

static enum outcome
read_share(struct run *run, const struct share *s)
{
	const struct series *series = s->group->series;
	struct table *t = &run->load->table[series->tf];
	enum outcome o = PG_OK;

	for (size_t at = s->first, to; at < s->end && o == PG_OK; at = to) {
		to = neighbours(run->batch, series->tf, at, s->end);
		if (!is_sparse(run->batch, series->tf, at, to))
			o = request_range(run, t, series, (struct part){at, to});
		else
			for (; at < to && o == PG_OK; at++)
				o = add_pair(run, t, series, at);
	}
	return o;
}

enum outcome
existing_read(struct load *l, struct batch *b, struct part part)
{
	struct run run = {.load = l, .batch = b};
	struct share s = {0};
	enum outcome o = session_pipeline(l->session);

	if (o != PG_OK)
		return o;
	o = session_sent(l->session, PQsendQueryParams(session_conn(l->session), "BEGIN", 0, NULL,
					     NULL, NULL, NULL, 0));
	while (o == PG_OK && part_next(b, part, &s)) {
		if (s.group->fault == NULL)
			o = read_share(&run, &s);
	}
	if (o == PG_OK)
		o = request_pairs(&run);
	if (o == PG_OK)
		o = finish_run(&run);
	if (o == PG_LOST)
		return o;
	return session_unpipe(l->session) == PG_OK ? o : PG_LOST;
}
