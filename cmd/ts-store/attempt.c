/*
 * One transaction: read what is there, compare, COPY what is missing, stage what differs. Postgres is
 * the bottleneck, so it is given nothing to do that can be done here.
 */
#include "attempt.h"

#include "copy.h"
#include "log.h"
#include "stage.h"
#include "timestamp.h"
#include "wire.h"

#include <string.h>

enum {
	READ_ROWS = 4096,  /* places covered by one read, so that a result stays small */
	READ_RUN = 128,    /* reads under way at once */
	SPARSE = 12,       /* a range this many times as wide as its keys are many is not read whole */
};

bool
part_next(const struct batch *b, struct part part, struct share *s)
{
	size_t at = s->group == NULL ? part.first : s->end;

	if (at >= part.end)
		return false;
	s->group = batch_group_at(b, at);
	s->first = at;
	s->end = s->group->first + s->group->count;
	if (s->end > part.end)
		s->end = part.end;
	return true;
}

/* Sees to it that each table of the part was read in this connection; groups of bad ones get its fault. */
static enum outcome
read_tables(struct load *l, struct batch *b, struct part part)
{
	struct share s = {0};

	while (part_next(b, part, &s)) {
		struct table *t = &l->table[s.group->series->tf];
		enum outcome o;

		if (s.group->fault != NULL)
			continue;
		if (table_stale(t, l->session, clock_mono_ms())) {
			l->at = t->tf;
			if ((o = table_read(t, l->session)) != PG_OK)
				return o;
		}
		if (t->fault[0] != '\0')
			batch_fail(s.group, t->fault);
	}
	return PG_OK;
}

/*
 * Gives all open places the same fate to begin with, whatever an attempt before made of them; a
 * volume that the column cannot hold is refused at once. False if no place is open.
 */
static bool
prepare_fates(const struct load *l, struct batch *b, struct part part, enum fate fate)
{
	struct share s = {0};
	bool any = false;

	while (part_next(b, part, &s)) {
		const struct table *t = &l->table[s.group->series->tf];

		if (s.group->fault != NULL)
			continue;
		for (size_t i = s.first; i < s.end; i++) {
			if (b->fate[i] == FATE_REFUSED)
				continue;
			b->fate[i] = (unsigned char)fate;
			if (t->volume == VOLUME_INT4 && batch_row(b, i)->volume > INT32_MAX)
				batch_refuse(b, i, "22003: volume is out of range for integer");
			else
				any = true;
		}
	}
	return any;
}

/* How far two neighbouring keys of a full table lie apart. */
static int64_t
step_of(enum timeframe tf)
{
	static const int64_t step[TF_COUNT] = {60000000, 3600000000, 1, 7, 28};

	return step[tf];
}

static int
send_read(struct load *l, const struct batch *b, const struct table *t, const struct series *s,
	struct part at)
{
	int64_t first = b->place[at.first].key, last = b->place[at.end - 1].key;
	unsigned char low[8], high[8];
	const char *values[3] = {s->symbol, (const char *)low, (const char *)high};
	int lengths[3] = {s->length, (int)copy_key(t->tf, first, low), (int)copy_key(t->tf, last, high)};
	static const int formats[3] = {1, 1, 1};
	PGconn *conn = session_conn(l->session);
	unsigned char *out;

	if ((last - first) / step_of(t->tf) <= (int64_t)(at.end - at.first) * SPARSE)
		return PQsendQueryPrepared(conn, t->range, 3, values, lengths, formats, 1);
	/* An array: one dimension, no nulls, type of the elements, how many, from 1 on; then each. */
	l->array.len = 0;
	out = (unsigned char *)buffer_room(&l->array, 20 + 12 * (at.end - at.first));
	wire_put32(out, 1);
	wire_put32(out + 4, 0);
	wire_put32(out + 8, table_key_type(t));
	wire_put32(out + 12, (uint32_t)(at.end - at.first));
	wire_put32(out + 16, 1);
	out += 20;
	for (size_t i = at.first; i < at.end; i++) {
		size_t n = copy_key(t->tf, b->place[i].key, out + 4);

		wire_put32(out, (uint32_t)n);
		out += 4 + n;
	}
	values[1] = l->array.p;
	lengths[1] = (int)(out - (unsigned char *)l->array.p);
	return PQsendQueryPrepared(conn, t->keys, 2, values, lengths, formats, 1);
}

static struct slice
field(const PGresult *res, int row, int column)
{
	return (struct slice){PQgetvalue(res, row, column), (size_t)PQgetlength(res, row, column)};
}

/* Whether a row of the table holds what the batch has; NULL is never the same. */
static bool
same_values(const struct batch *b, const struct table *t, size_t place, const PGresult *res, int row)
{
	const struct row *r = batch_row(b, place);
	const unsigned char *prices = batch_prices(b, r);
	unsigned char tmp[NUMERIC_MAX];
	size_t n;

	for (int i = 0; i < 4; i++) {
		struct slice mine = bar_price(&prices), theirs = field(res, row, 1 + i);

		if (!t->exact && t->scale[i] != INT32_MAX)
			mine = (struct slice){
				(char *)tmp, numeric_round(mine, t->scale[i], tmp)};
		if (!numeric_equal(mine, theirs))
			return false;
	}
	n = copy_volume(t->volume, r->volume, tmp);
	if (t->volume == VOLUME_NUMERIC)
		return numeric_equal((struct slice){(char *)tmp, n}, field(res, row, 5));
	return (size_t)PQgetlength(res, row, 5) == n && memcmp(PQgetvalue(res, row, 5), tmp, n) == 0;
}

/* The place of a key, looked for from *next on first: rows come in the order of their keys as a rule. */
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
compare(struct batch *b, const struct table *t, struct part at, const PGresult *res)
{
	size_t next = at.first;

	for (int row = 0; row < PQntuples(res); row++) {
		size_t place = find_key(b, at, &next, copy_key_of(t->tf, PQgetvalue(res, row, 0)));

		if (place < at.end && b->fate[place] == FATE_NEW)
			b->fate[place] = same_values(b, t, place, res, row) ? FATE_SAME
									    : FATE_CHANGED;
	}
}

/* A run of reads: what was asked, to go with the answers. */
struct run {
	struct part at[READ_RUN];
	struct table *table[READ_RUN];
	int n;
};

/* Ends the run and compares the answers; begun: the first answer is that of BEGIN. */
static enum outcome
finish_run(struct load *l, struct batch *b, struct run *run, bool begun)
{
	enum outcome first = session_sync(l->session), o;
	PGresult *res;

	for (int i = begun ? -1 : 0; i < run->n && first != PG_LOST; i++) {
		o = session_next(l->session, &res);
		if (o == PG_OK && i >= 0)
			compare(b, run->table[i], run->at[i], res);
		PQclear(res);
		if (o == PG_LOST || (first == PG_OK && o != PG_OK)) {
			first = o;
			l->at = i >= 0 ? run->table[i]->tf : l->at;
		}
	}
	run->n = 0;
	if (first == PG_LOST)
		return first;
	o = session_synced(l->session);
	return o == PG_OK ? first : o;
}

/* Adds the reads that one group needs to the run; a full run is ended first. */
static enum outcome
read_group(struct load *l, struct batch *b, struct run *run, const struct share *s, bool *begun)
{
	enum outcome o = PG_OK;

	for (size_t at = s->first; at < s->end && o == PG_OK; at += READ_ROWS) {
		struct table *t = &l->table[s->group->series->tf];
		struct part rows = {at, at + READ_ROWS < s->end ? at + READ_ROWS : s->end};

		if (run->n == READ_RUN) {
			o = finish_run(l, b, run, *begun);
			*begun = false;
		}
		if (o != PG_OK)
			break;
		run->at[run->n] = rows;
		run->table[run->n++] = t;
		o = session_sent(l->session, send_read(l, b, t, s->group->series, rows));
	}
	return o;
}

/* Begins the transaction, reads what the tables have of the part, and compares. */
static enum outcome
read_existing(struct load *l, struct batch *b, struct part part)
{
	struct run run = {.n = 0};
	struct share s = {0};
	bool begun = true;
	enum outcome o = session_pipeline(l->session);

	if (o != PG_OK)
		return o;
	o = session_sent(l->session, PQsendQueryParams(session_conn(l->session), "BEGIN", 0, NULL,
					     NULL, NULL, NULL, 0));
	while (o == PG_OK && part_next(b, part, &s)) {
		if (s.group->fault == NULL)
			o = read_group(l, b, &run, &s, &begun);
	}
	if (o == PG_OK)
		o = finish_run(l, b, &run, begun);
	if (o == PG_LOST)
		return o;
	return session_unpipe(l->session) == PG_OK ? o : PG_LOST;
}

/* How many places of a table have this fate. */
static size_t
count_fate(const struct batch *b, struct part part, enum timeframe tf, enum fate fate)
{
	struct share s = {0};
	size_t n = 0;

	while (part_next(b, part, &s)) {
		if (s.group->series->tf != tf || s.group->fault != NULL)
			continue;
		for (size_t i = s.first; i < s.end; i++)
			n += b->fate[i] == fate;
	}
	return n;
}

/* COPY straight into the table. */
static enum outcome
copy_missing(struct load *l, struct batch *b, const struct table *t, struct part part)
{
	size_t n = count_fate(b, part, t->tf, FATE_NEW);
	uint64_t rows;
	enum outcome o;

	if (n == 0)
		return PG_OK;
	o = copy_rows(l, b, t, part, FATE_NEW, false, t->copy, &rows);
	if (o == PG_OK && rows != n)
		log_warning("table %s: took %llu of %llu rows; has it a trigger?",
			timeframe_table(t->tf), (unsigned long long)rows, (unsigned long long)n);
	return o;
}

/* Changes one table of the part. */
static enum outcome
write_table(struct load *l, struct batch *b, struct table *t, struct part part, bool staged)
{
	enum outcome o = staged ? PG_OK : copy_missing(l, b, t, part);

	if (o == PG_OK && count_fate(b, part, t->tf, FATE_CHANGED) > 0)
		o = stage_rows(l, b, t, part, staged);
	return o;
}

static enum outcome
transact(struct load *l, struct batch *b, struct part part, bool staged)
{
	enum outcome o = read_tables(l, b, part);

	/* Without anything to store there is nothing to go wrong. */
	if (o != PG_OK || !prepare_fates(l, b, part, staged ? FATE_CHANGED : FATE_NEW))
		return o;
	l->attempts++;
	o = staged ? session_exec(l->session, "BEGIN") : read_existing(l, b, part);
	for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++) {
		l->at = (enum timeframe)tf;
		o = write_table(l, b, &l->table[tf], part, staged);
	}
	return o == PG_OK ? session_exec(l->session, "COMMIT") : o;
}

enum outcome
attempt_part(struct load *l, struct batch *b, struct part part)
{
	enum outcome o = transact(l, b, part, false);

	/* Somebody else wrote some of these bars since they were read. */
	if (o == PG_DUPLICATE) {
		session_rollback(l->session);
		o = transact(l, b, part, true);
	}
	if (o == PG_OK) {
		batch_commit(b, part.first, part.end);
		return o;
	}
	session_rollback(l->session);
	/* Another unique key of the table, which is not ours to go round. */
	return o == PG_DUPLICATE ? PG_DATA : o;
}
