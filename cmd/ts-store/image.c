/*
 * A task's range as an image of the API. One count shows as a rule that it holds nothing else; only
 * where it does, keys are read.
 */
#include "load.h"

#include "encode.h"
#include "log.h"
#include "wire.h"

#include <stdlib.h>

enum {
	SECOND = 1000000,
	DELETE_ROWS = 1000, /* of one statement */
	DAYS_BEFORE = 30,
	LEAST_SHARE = 5, /* of a range longer than a session no more than a fifth is deleted */
};

struct look {
	struct load *load;
	const struct calendar *calendar;
	struct series *series;
	struct spans seen; /* as in the series, with what its group saw */
	int64_t rows;	   /* in the task's hours */
	int64_t off;	   /* of the extra ones: keys that no bar of an API has */
	ARRAY(int64_t) extra;
};

static int32_t
date_at(const struct look *k, int64_t key)
{
	return timeframe_intraday(k->series->tf) ? calendar_date(k->calendar, key / SECOND)
						 : (int32_t)key;
}

/* The first key of a date. */
static int64_t
first_key(const struct look *k, int32_t date)
{
	return timeframe_intraday(k->series->tf) ? calendar_instant(k->calendar, date, 0) * SECOND
						 : date;
}

/* Whether a row lies in the hours that the task is about. */
static bool
key_belongs(const struct look *k, int64_t key)
{
	int32_t date = date_at(k, key);
	int minute;

	if (!timeframe_intraday(k->series->tf) || k->series->image.extended)
		return true;
	minute = calendar_minute(k->calendar, key / SECOND);
	/* A day without a session is not a reason for a row either. */
	return minute + timeframe_seconds(k->series->tf) / 60 > REGULAR_OPEN &&
	       minute < calendar_regular_close(k->calendar, date);
}

/* Whether a bar can have this key: a whole minute or hour, a session, a Sunday, a first of month.
 */
static bool
on_grid(const struct look *k, int64_t key)
{
	enum timeframe tf = k->series->tf;

	if (timeframe_intraday(tf))
		return key % (timeframe_seconds(tf) * (int64_t)SECOND) == 0;
	if (tf == TF_DAY)
		return calendar_session(k->calendar, (int32_t)key) != SESSION_NONE;
	return timeframe_first(tf, (int32_t)key) == key;
}

/* Of a statement about the series: its symbol. */
static struct pg_values
values_of(const struct look *k)
{
	struct pg_values v = encode_values(NULL, 0);

	encode_bytes(&v, k->series->symbol, k->series->length);
	return v;
}

/* How many rows the table has from one key to another, and from a third to before a fourth. */
static enum outcome
count_rows(struct look *k, const struct pg_table *t, const int64_t key[4], int64_t n[2])
{
	struct pg_values v = values_of(k);
	PGresult *res;
	enum outcome o;

	for (int i = 0; i < 4; i++)
		encode_bound(&v, t->tf, key[i]);
	o = pg_query(k->load->pg, t->count, &v, &res);
	for (int i = 0; i < 2 && o == PG_OK; i++)
		n[i] = (int64_t)wire_get64((const unsigned char *)PQgetvalue(res, 0, i));
	PQclear(res);
	return o;
}

static void
take_key(void *data, const PGresult *res, int row)
{
	struct look *k = data;
	int64_t key = encode_key_of(k->series->tf, PQgetvalue(res, row, 0));

	if (!key_belongs(k, key))
		return;
	k->rows++;
	if (keys_have(&k->series->keys, k->series->tf, key))
		return;
	k->off += !on_grid(k, key);
	*array_add(&k->extra) = key;
}

static enum outcome
list_extra(struct look *k, const struct pg_table *t, int64_t first, int64_t last)
{
	struct pg_values v = values_of(k);
	const struct pg_sink sink = {take_key, k};

	encode_bound(&v, t->tf, first);
	encode_bound(&v, t->tf, last);
	k->rows = k->off = 0;
	k->extra.n = 0;
	return pg_stream(k->load->pg, t->range, &v, &sink);
}

static enum outcome
delete_some(struct look *k, const struct pg_table *t, size_t at, size_t n)
{
	struct buffer *array = &k->load->array[0];
	unsigned char tmp[8];
	struct pg_values v = values_of(k);
	PGresult *res;
	enum outcome o;

	encode_bound(&v, t->tf, k->extra.p[at]);
	encode_bound(&v, t->tf, k->extra.p[at + n - 1]);
	encode_array(array, pg_table_key_type(t->tf));
	for (size_t i = at; i < at + n; i++)
		encode_element(array, tmp, encode_key(t->tf, k->extra.p[i], tmp));
	encode_bytes(&v, array->p, array->len);
	o = pg_query(k->load->pg, t->remove, &v, &res);
	if (o == PG_OK)
		k->series->image.deleted += (uint64_t)PQntuples(res);
	PQclear(res);
	return o;
}

static enum outcome
delete_extra(struct look *k, const struct pg_table *t)
{
	enum outcome o = PG_OK;

	if (k->extra.n > 0)
		qsort(k->extra.p, k->extra.n, sizeof *k->extra.p, keys_order);
	for (size_t at = 0, n; at < k->extra.n && o == PG_OK; at += n) {
		n = k->extra.n - at < DELETE_ROWS ? k->extra.n - at : DELETE_ROWS;
		o = delete_some(k, t, at, n);
	}
	return o;
}

/* The task brought no bar: only what stands in one session that has no day is to go. */
static enum outcome
look_at_empty(struct look *k, const struct pg_table *t)
{
	int32_t date = k->series->image.only;
	const struct pg_table *days = &k->load->table[TF_DAY];
	const int64_t day[4] = {date - DAYS_BEFORE, date, date, date};
	int64_t n[2] = {
		0, 0}; /* the day, and days before it: without these a missing one says nothing */
	enum outcome o = PG_OK;

	if (days->known && days->fault[0] == '\0')
		o = count_rows(k, days, day, n);
	if (o != PG_OK || n[0] > 0 || n[1] == 0)
		return o;
	o = list_extra(k, t, first_key(k, date), first_key(k, date + 1) - 1);
	return o == PG_OK ? delete_extra(k, t) : o;
}

/*
 * How many rows lie from first (0) to end (1) that are no bars of the task, of those that were not
 * seen as its bars were compared; and how many from one key (2) to before another (3), not above
 * first.
 */
static enum outcome
count_others(struct look *k, const struct pg_table *t, const int64_t at[4], int64_t n[2])
{
	const struct span *s = k->seen.p;
	int64_t low = at[0], m[2] = {0, 0};
	bool last = false;
	enum outcome o = PG_OK;

	qsort(k->seen.p, k->seen.n, sizeof *s, keys_order);
	for (size_t i = 0; !last && o == PG_OK; i++) {
		int64_t high = i < k->seen.n && s[i].from <= at[1] ? s[i].from - 1 : at[1];
		const int64_t key[4] = {i == 0 ? at[2] : low, low, high < low ? low - 1 : high,
			i == 0 ? at[3] : low};

		last = high == at[1];
		/* What lies before is counted with the first. */
		if (i == 0 || low <= high) {
			o = count_rows(k, t, key, m);
			m[0] -= keys_within(&k->series->keys, t->tf, low, high);
			n[0] += m[0] > 0 ? m[0] : 0;
			n[1] += m[1];
		}
		if (!last && s[i].to > low)
			low = s[i].to;
	}
	return o;
}

static enum outcome
look_at_range(struct look *k, const struct pg_table *t)
{
	struct series *s = k->series;
	int64_t first = s->keys.runs.p[0].first, last = keys_last(&s->keys, s->tf), n[2] = {0, 0};
	int64_t from = s->image.from == NO_DATE ? first : first_key(k, s->image.from);
	int64_t before = first_key(k, date_at(k, first));
	/* A week or month is there once, whatever day it is keyed by. */
	int64_t end = timeframe_intraday(s->tf) ? last : timeframe_last(s->tf, (int32_t)last);
	const int64_t key[4] = {first, end, from < first ? from : first, before};
	bool session = date_at(k, first) == date_at(k, last);
	enum outcome o = count_others(k, t, key, n);

	s->image.older = (uint64_t)n[1];
	if (o != PG_OK || n[0] == 0)
		return o;
	o = list_extra(k, t, first, end);
	if (o != PG_OK || !s->image.remove || k->extra.n == 0)
		return o;
	s->image.kept = !session && ((int64_t)k->extra.n - k->off) * LEAST_SHARE > k->rows - k->off;
	return s->image.kept ? PG_OK : delete_extra(k, t);
}

static void
forget_image(struct image *m)
{
	m->older = m->extra = m->deleted = 0;
	m->kept = false;
}

/* Looks, within a savepoint, and notes what it found. */
static enum outcome
look_at_table(struct look *k)
{
	struct image *m = &k->series->image;
	const struct pg_table *t = &k->load->table[k->series->tf];
	enum outcome o = pg_exec(k->load->pg, "SAVEPOINT look");

	forget_image(m);
	k->extra.n = 0;
	/* By the values given the planner leaves out all other parts. */
	if (o == PG_OK && t->parts)
		o = pg_exec(k->load->pg, "SET LOCAL plan_cache_mode = force_custom_plan");
	(void)keys_tidy(&k->series->keys, t->tf);
	if (o == PG_OK)
		o = k->series->keys.runs.n == 0 ? look_at_empty(k, t) : look_at_range(k, t);
	if (o != PG_OK)
		m->older = m->deleted = 0;
	m->extra = o == PG_OK ? k->extra.n - m->deleted : 0;
	m->at = k->extra.n == 0 ? 0 : k->extra.p[0];
	return o == PG_OK ? pg_exec(k->load->pg, "RELEASE look") : o;
}

/* Whether the transaction can go on from the savepoint. */
static bool
was_refused(enum outcome o)
{
	return o == PG_DUPLICATE || o == PG_DATA || o == PG_LARGE || o == PG_TABLE || o == PG_SLOW;
}

static void
tell_trouble(const struct load *l, const struct series *s)
{
	log_warning("%s %s: rows that the API did not send cannot be %s: %s", s->symbol,
		timeframe_name(s->tf), s->image.remove ? "deleted" : "counted", pg_why(l->pg));
}

static enum outcome
look_twice(struct look *k)
{
	struct image *m = &k->series->image;
	enum outcome o = look_at_table(k);

	while (was_refused(o)) {
		tell_trouble(k->load, k->series);
		o = pg_exec(k->load->pg, "ROLLBACK TO look");
		if (o != PG_OK || !m->remove)
			return o;
		m->remove = false;
		o = look_at_table(k);
	}
	return o;
}

/* Whether a group's bars all went in, and its series is to be looked at. */
static bool
is_looked_at(const struct load *l, const struct group *g)
{
	return g->look && g->fault == NULL && g->n.rejected == 0 &&
	       l->table[g->series->tf].fault[0] == '\0';
}

enum outcome
image_look(struct load *l, struct batch *b)
{
	enum outcome o = PG_OK;

	for (size_t i = 0; i < b->groups.n && o == PG_OK; i++) {
		struct look k = {.load = l,
			.calendar = l->shared->calendar,
			.series = b->groups.p[i].series};

		k.seen = k.series->seen;
		spans_add(&k.seen, b->groups.p[i].seen);
		if (is_looked_at(l, &b->groups.p[i]))
			o = look_twice(&k);
		else if (b->groups.p[i].look)
			/* An earlier look was rolled back. */
			forget_image(&k.series->image);
		free(k.extra.p);
	}
	return o;
}

enum outcome
image_tables(struct load *l, const struct batch *b)
{
	enum outcome o = PG_OK;

	for (size_t i = 0; i < b->groups.n && o == PG_OK; i++) {
		const struct group *g = &b->groups.p[i];

		if (!g->look || g->fault != NULL)
			continue;
		o = load_table(l, g->series->tf);
		/* It may be the first that is asked about the days. */
		if (o == PG_OK && g->series->keys.runs.n == 0)
			o = load_table(l, TF_DAY);
	}
	for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++) {
		if ((b->ask >> tf & 1) != 0)
			o = load_table(l, (enum timeframe)tf);
	}
	return o;
}

/* The transaction was refused: tells why; whether it may do if nothing is deleted. */
static bool
forget_removal(const struct load *l, struct batch *b)
{
	bool removes = false;

	for (size_t i = 0; i < b->groups.n; i++) {
		struct image *m = &b->groups.p[i].series->image;

		if (!is_looked_at(l, &b->groups.p[i]))
			continue;
		tell_trouble(l, b->groups.p[i].series);
		removes = removes || m->remove;
		m->remove = false;
		forget_image(m);
	}
	return removes;
}

struct work {
	struct load *load;
	struct batch *batch;
};

static enum outcome
look_after(struct pg *pg, void *data)
{
	struct work *w = data;
	enum outcome o = image_tables(w->load, w->batch);

	if (o == PG_OK)
		o = pg_begin(pg);
	if (o == PG_OK)
		o = image_look(w->load, w->batch);
	if (o == PG_OK)
		o = pg_commit(pg);
	return o;
}

enum outcome
image_look_after(struct load *l, struct batch *b)
{
	struct work w = {l, b};
	enum outcome o;

	do
		o = pg_patiently(l->pg, look_after, &w);
	while (o != PG_OK && o != PG_LOST && o != PG_CONFIG && forget_removal(l, b));
	return o == PG_LOST || o == PG_CONFIG ? o : PG_OK;
}
