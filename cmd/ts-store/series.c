/* A hash table of series that lives as long as the stage and is kept from growing with it. */
#include "series.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 1 << 18 };

/* Whether nothing is known of it that a later record could ask for. */
static bool
is_idle(const struct series *s)
{
	return s->batches == 0 && !s->awaited && s->n.received == 0 && s->fault == NULL;
}

static void
drop_keys(struct series *s)
{
	s->set->runs -= s->runs;
	s->runs = 0;
	keys_release(&s->keys);
}

void
series_key(struct series *s, int64_t key)
{
	size_t before = s->keys.runs.n;

	if (s->keyless)
		return;
	keys_add(&s->keys, s->tf, key);
	s->runs += s->keys.runs.n - before;
	s->set->runs += s->keys.runs.n - before;
	if (s->set->runs > RUNS_MAX) {
		drop_keys(s);
		s->keyless = true;
	}
}

void
series_reset(struct series *s)
{
	free(s->fault);
	free(s->reason);
	s->fault = s->reason = NULL;
	s->awaited = false;
	s->n = (struct counts){0};
	drop_keys(s);
	s->keyless = false;
	s->image = (struct image){0};
	s->restated = (struct restatement){0};
	s->seen.n = 0;
	s->first = INT64_MAX;
	s->last = s->latest = INT64_MIN;
}

void
span_extend(struct span *to, struct span next)
{
	if (to->from == to->to)
		*to = next;
	else if (next.from == to->to)
		to->to = next.to;
}

void
spans_add(struct spans *s, struct span next)
{
	size_t i = 0;

	if (next.from == next.to)
		return;
	while (i < s->n && s->p[i].to != next.from)
		i++;
	if (i == sizeof s->p / sizeof s->p[0])
		return;
	if (i == s->n)
		s->p[s->n++] = next;
	s->p[i].to = next.to;
}

void
series_restated(struct restatement *to, const struct restatement *r)
{
	if (r->high == 0)
		return;
	if (to->high == 0) {
		*to = *r;
		return;
	}
	to->low = r->low < to->low ? r->low : to->low;
	to->high = r->high > to->high ? r->high : to->high;
	to->first = r->first < to->first ? r->first : to->first;
	to->last = r->last > to->last ? r->last : to->last;
}

void
series_span(struct series *s, int64_t key)
{
	if (key < s->first)
		s->first = key;
	if (key > s->last)
		s->last = key;
}

void
series_fail(struct series *s, const char *why)
{
	if (s->fault == NULL)
		s->fault = slice_copy(slice_of(why));
}

void
series_rejected(struct series *s, const char *why)
{
	if (s->reason == NULL)
		s->reason = slice_copy(slice_of(why));
}

/* What tells them apart: the timeframe and the symbol, as bytes. */
static size_t
key_of(struct slice symbol, enum timeframe tf, char key[SYMBOL_MAX + 1])
{
	key[0] = (char)tf;
	memcpy(key + 1, symbol.p, symbol.n);
	return symbol.n + 1;
}

static bool
same_series(const struct series *s, struct slice symbol, enum timeframe tf)
{
	return s->tf == tf && s->length == symbol.n && memcmp(s->symbol, symbol.p, symbol.n) == 0;
}

struct series *
series_get(struct series_set *set, struct slice symbol, enum timeframe tf, bool make)
{
	char key[SYMBOL_MAX + 1];
	struct series *s = set->recent;
	size_t n;

	/* Bars come in runs. */
	if (s != NULL && same_series(s, symbol, tf))
		return s;
	n = key_of(symbol, tf, key);
	HASH_FIND(hh, set->table, key, n, s);
	if (s == NULL && make) {
		s = memory_grow(NULL, 1, sizeof *s);
		memset(s, 0, sizeof *s);
		s->set = set;
		s->tf = tf;
		s->length = (unsigned char)symbol.n;
		(void)key_of(symbol, tf, s->key);
		memcpy(s->symbol, symbol.p, symbol.n);
		series_reset(s);
		HASH_ADD(hh, set->table, key, n, s);
	}
	if (s != NULL)
		set->recent = s;
	return s;
}

static void
drop_series(struct series_set *set, struct series *s)
{
	HASH_DEL(set->table, s);
	series_reset(s);
	free(s);
}

size_t
series_prune(struct series_set *set)
{
	bool all = HASH_COUNT(set->table) > SERIES_MAX;
	struct series *s, *next;
	size_t busy = 0;

	if (HASH_COUNT(set->table) <= SERIES_IDLE_MAX)
		return 0;
	set->recent = NULL;
	HASH_ITER(hh, set->table, s, next)
	{
		if ((!all && !is_idle(s)) || s->batches != 0 || s->awaited)
			continue;
		busy += !is_idle(s);
		drop_series(set, s);
	}
	return busy;
}

void
series_release(struct series_set *set)
{
	struct series *s, *next;

	HASH_ITER(hh, set->table, s, next)
	drop_series(set, s);
	*set = (struct series_set){0};
}
