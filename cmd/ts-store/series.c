/* A hash table of series that lives as long as the stage and is kept from growing with it. */
#include "series.h"

#include <stdlib.h>
#include <string.h>

bool
series_idle(const struct series *s)
{
	return s->batches == 0 && !s->awaited && s->n.received == 0 && s->fault == NULL;
}

void
series_reset(struct series *s)
{
	free(s->fault);
	free(s->reason);
	s->fault = s->reason = NULL;
	s->awaited = false;
	s->n = (struct counts){0};
	s->first = INT64_MAX;
	s->last = INT64_MIN;
}

void
series_span(struct series *s, int64_t key)
{
	if (key < s->first)
		s->first = key;
	if (key > s->last)
		s->last = key;
}

static void
keep_first(char **to, const char *why)
{
	size_t n = strlen(why) + 1;

	if (*to != NULL)
		return;
	*to = memory_grow(NULL, n, 1);
	memcpy(*to, why, n);
}

void
series_fail(struct series *s, const char *why)
{
	keep_first(&s->fault, why);
}

void
series_rejected(struct series *s, const char *why)
{
	keep_first(&s->reason, why);
}

/* FNV-1a. */
static uint32_t
hash_of(struct slice symbol, enum timeframe tf)
{
	uint32_t h = 2166136261u ^ (uint32_t)tf;

	for (size_t i = 0; i < symbol.n; i++)
		h = (h ^ (unsigned char)symbol.p[i]) * 16777619u;
	return h;
}

static bool
same(const struct series *s, struct slice symbol, enum timeframe tf)
{
	return s->tf == tf && s->length == symbol.n && memcmp(s->symbol, symbol.p, symbol.n) == 0;
}

/* Where a series with this hash stands or would stand. */
static struct series **
find(const struct series_set *set, uint32_t hash, struct slice symbol, enum timeframe tf)
{
	for (size_t i = hash;; i++) {
		struct series **slot = &set->slot[i & (set->slots - 1)];

		if (*slot == NULL || ((*slot)->hash == hash && same(*slot, symbol, tf)))
			return slot;
	}
}

static struct series **
place_of(const struct series_set *set, const struct series *s)
{
	return find(set, s->hash, (struct slice){s->symbol, s->length}, s->tf);
}

static void
resize(struct series_set *set, size_t slots)
{
	struct series_set fresh = {.slots = slots, .used = set->used};

	fresh.slot = memory_grow(NULL, slots, sizeof(struct series *));
	for (size_t i = 0; i < slots; i++)
		fresh.slot[i] = NULL;
	for (size_t i = 0; i < set->slots; i++) {
		if (set->slot[i] != NULL)
			*place_of(&fresh, set->slot[i]) = set->slot[i];
	}
	free(set->slot);
	*set = fresh;
}

struct series *
series_get(struct series_set *set, struct slice symbol, enum timeframe tf, bool make)
{
	uint32_t hash;
	struct series **slot, *s = set->recent;

	/* Bars come in runs. */
	if (s != NULL && same(s, symbol, tf))
		return s;
	hash = hash_of(symbol, tf);
	if (set->slots == 0)
		resize(set, 256);
	slot = find(set, hash, symbol, tf);
	if (*slot == NULL && make) {
		if (set->used * 2 >= set->slots) {
			resize(set, set->slots * 2);
			slot = find(set, hash, symbol, tf);
		}
		s = memory_grow(NULL, 1, sizeof *s);
		memset(s, 0, sizeof *s);
		s->tf = tf;
		s->hash = hash;
		s->length = (unsigned char)symbol.n;
		memcpy(s->symbol, symbol.p, symbol.n);
		series_reset(s);
		*slot = s;
		set->used++;
	}
	if (*slot != NULL)
		set->recent = *slot;
	return *slot;
}

static void
drop(struct series *s)
{
	free(s->fault);
	free(s->reason);
	free(s);
}

size_t
series_prune(struct series_set *set)
{
	bool all = set->used > SERIES_MAX;
	size_t busy = 0;

	if (set->used <= SERIES_IDLE_MAX)
		return 0;
	for (size_t i = 0; i < set->slots; i++) {
		struct series *s = set->slot[i];

		if (s == NULL || (!all && !series_idle(s)) || s->batches != 0 || s->awaited)
			continue;
		busy += !series_idle(s);
		drop(s);
		set->slot[i] = NULL;
		set->used--;
	}
	resize(set, set->slots);
	return busy;
}

void
series_release(struct series_set *set)
{
	for (size_t i = 0; i < set->slots; i++) {
		if (set->slot[i] != NULL)
			drop(set->slot[i]);
	}
	free(set->slot);
	*set = (struct series_set){0};
}
