/* Rows and their order. No descriptor, no clock: values in, values out. */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

/* So many queries, of a millisecond or so each, are a transaction's worth of time. */
enum { LOOKS_MAX = 256 };

/* What prices mostly are, in bytes a row. */
enum { PRICES_PER_ROW = 72 };

/*
 * Memory that is there, not only promised: a machine that has too little says so at the start, not
 * in the middle of a load. Zeros might be optimized into a promise.
 */
static void *
memory_taken(size_t n, size_t size)
{
	return memset(memory_grow(NULL, n, size), 1, n * size);
}

void
batch_init(struct batch *b, size_t limit)
{
	*b = (struct batch){.limit = limit};
	b->row = memory_taken(limit, sizeof *b->row);
	b->slot = memory_taken(limit, sizeof *b->slot);
	b->status = memory_taken(limit, 1);
	/* Growing step by step would leave holes of twice the size behind. */
	b->prices.p = memory_taken(limit, PRICES_PER_ROW);
	b->prices.cap = limit * PRICES_PER_ROW;
}

void
batch_release(struct batch *b)
{
	batch_clear(b);
	free(b->row);
	free(b->slot);
	free(b->spare);
	free(b->status);
	free(b->groups.p);
	free(b->refusals.p);
	buffer_release(&b->prices);
	buffer_release(&b->text);
	*b = (struct batch){0};
}

bool
batch_empty(const struct batch *b)
{
	return b->groups.n == 0 && b->ask == 0;
}

bool
batch_full(const struct batch *b)
{
	return b->rows >= b->limit || b->looks >= LOOKS_MAX;
}

bool
batch_ripe(const struct batch *b, const struct series *s)
{
	return s->group == 0 && b->rows >= b->limit - b->limit / 4;
}

static struct group *
group_of(struct batch *b, struct series *s)
{
	if (s->group == 0) {
		*array_add(&b->groups) =
			(struct group){.series = s, .latest = INT64_MIN, .ascending = true};
		s->group = (uint32_t)b->groups.n;
		s->batches++;
	}
	return &b->groups.p[s->group - 1];
}

void
batch_add(struct batch *b, struct series *s, const struct bar *bar, uint64_t lineno)
{
	struct group *g = group_of(b, s);

	if (b->rows == 0)
		b->first_line = lineno;
	b->row[b->rows++] = (struct row){bar->key, bar->volume, (uint32_t)(lineno - b->first_line),
		s->group - 1, (uint32_t)b->prices.len, (uint16_t)bar->length, bar->flags};
	b->flagged = b->flagged || bar->flags != 0;
	buffer_add(&b->prices, bar->prices, bar->length);
	if (bar->key <= g->latest)
		g->ascending = false;
	g->latest = bar->key;
	g->added++;
}

void
batch_look(struct batch *b, struct series *s)
{
	group_of(b, s)->look = true;
	b->looks++;
}

static int
by_table_and_symbol(const void *a, const void *b)
{
	const struct series *x = ((const struct group *)a)->series;
	const struct series *y = ((const struct group *)b)->series;

	if (x->tf != y->tf)
		return x->tf < y->tf ? -1 : 1;
	return slice_cmp(
		(struct slice){x->symbol, x->length}, (struct slice){y->symbol, y->length});
}

/* Sorts the groups and lets the rows find them again; the series forget theirs. */
static void
sort_groups(struct batch *b)
{
	/* Until here the group that a row names is the one whose series names it too. */
	uint32_t *moved = memory_grow(NULL, b->groups.n, sizeof *moved);

	if (b->groups.n > 0)
		qsort(b->groups.p, b->groups.n, sizeof *b->groups.p, by_table_and_symbol);
	for (size_t i = 0; i < b->groups.n; i++) {
		moved[b->groups.p[i].series->group - 1] = (uint32_t)i;
		b->groups.p[i].series->group = 0;
	}
	for (size_t i = 0; i < b->rows; i++)
		b->row[i].group = moved[b->row[i].group];
	free(moved);
}

/* Merges two sorted runs of from into to; equal keys keep their order. */
static void
merge_runs(const struct slot *from, struct slot *to, size_t left, size_t mid, size_t right)
{
	size_t i = left, j = mid;

	for (size_t k = left; k < right; k++)
		to[k] = i < mid && (j >= right || from[i].key <= from[j].key) ? from[i++]
									      : from[j++];
}

/* Sorts by key; what came later stays later. */
static void
sort_slots(struct slot *p, struct slot *spare, size_t n)
{
	struct slot *from = p, *to = spare;

	for (size_t width = 1; width < n; width *= 2) {
		struct slot *swap = from;

		for (size_t at = 0; at < n; at += 2 * width) {
			size_t mid = at + width < n ? at + width : n;

			merge_runs(from, to, at, mid, mid + width < n ? mid + width : n);
		}
		from = to;
		to = swap;
	}
	if (from != p)
		memcpy(p, from, n * sizeof *p);
}

/* Sorts a group's slots and leaves the last of each key; how many are left. */
static size_t
sort_group(struct batch *b, const struct group *g)
{
	struct slot *p = b->slot + g->first;
	size_t n = 0;

	if (g->ascending)
		return g->added;
	if (b->spare == NULL)
		b->spare = memory_grow(NULL, b->limit, sizeof *b->spare);
	sort_slots(p, b->spare, g->added);
	for (size_t i = 0; i < g->added; i++) {
		if (i + 1 == g->added || p[i + 1].key != p[i].key)
			p[n++] = p[i];
	}
	return n;
}

void
batch_close(struct batch *b)
{
	size_t at = 0;

	b->closed = true;
	sort_groups(b);
	for (size_t i = 0; i < b->groups.n; i++) {
		b->groups.p[i].first = at;
		b->groups.p[i].count = 0;
		at += b->groups.p[i].added;
	}
	for (size_t i = 0; i < b->rows; i++) {
		struct group *g = &b->groups.p[b->row[i].group];

		b->slot[g->first + g->count++] = (struct slot){b->row[i].key, (uint32_t)i};
	}
	/* Duplicates leave gaps, which the next group closes. */
	at = 0;
	for (size_t i = 0; i < b->groups.n; i++) {
		struct group *g = &b->groups.p[i];

		g->count = sort_group(b, g);
		if (at != g->first)
			memmove(b->slot + at, b->slot + g->first, g->count * sizeof *b->slot);
		g->first = at;
		at += g->count;
		g->before = g->series->latest;
		if (g->count > 0 && b->slot[at - 1].key > g->before)
			g->series->latest = b->slot[at - 1].key;
	}
	b->slots = at;
	memset(b->status, ROW_NONE, at);
}

/* Whether two groups of one series have a key in common. */
static bool
share_key(
	const struct batch *a, const struct group *x, const struct batch *b, const struct group *y)
{
	size_t i = x->first, j = y->first;

	while (i < x->first + x->count && j < y->first + y->count) {
		if (a->slot[i].key == b->slot[j].key)
			return true;
		if (a->slot[i].key < b->slot[j].key)
			i++;
		else
			j++;
	}
	return false;
}

/* Whether their keys lie between each other, so that a closer look is needed. */
static bool
are_apart(
	const struct batch *a, const struct group *x, const struct batch *b, const struct group *y)
{
	return x->count == 0 || y->count == 0 ||
	       a->slot[x->first + x->count - 1].key < b->slot[y->first].key ||
	       b->slot[y->first + y->count - 1].key < a->slot[x->first].key;
}

/* Whether they have a series in common, or a key of one. */
static bool
have_common(const struct batch *a, const struct batch *b, bool key)
{
	size_t i = 0, j = 0;

	while (i < a->groups.n && j < b->groups.n) {
		const struct group *x = &a->groups.p[i], *y = &b->groups.p[j];
		int order = by_table_and_symbol(x, y);

		if (order == 0 && (!key || (!are_apart(a, x, b, y) && share_key(a, x, b, y))))
			return true;
		i += order <= 0;
		j += order >= 0;
	}
	return false;
}

bool
batch_overlaps(const struct batch *a, const struct batch *b)
{
	return have_common(a, b, true);
}

bool
batch_akin(const struct batch *a, const struct batch *b)
{
	return have_common(a, b, false);
}

struct group *
batch_group_at(const struct batch *b, size_t slot)
{
	return &b->groups.p[batch_row(b, slot)->group];
}

void
batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->groups.n; i++)
		free(b->groups.p[i].fault);
	b->groups.n = b->rows = b->slots = b->refusals.n = b->looks = 0;
	b->prices.len = b->text.len = 0;
	b->flagged = b->looked = b->apart = b->closed = false;
	b->ask = 0;
}
