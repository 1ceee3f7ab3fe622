/* What became of a batch's rows, and how their series hear of it. */
#include "batch.h"

#include "log.h"

#include <string.h>

/* A series of which Postgres refuses more bars than this in one batch is given up. */
enum { REFUSALS_MAX = 8 };

void
batch_round(struct batch *b, size_t slot)
{
	b->row[b->slot[slot].row].flags |= BAR_ROUNDED;
	b->flagged = true;
}

void
batch_drop(struct batch *b, size_t slot, const char *why)
{
	*array_add(&b->refusals) = (struct refusal){b->slot[slot].row, b->text.len};
	buffer_add(&b->text, why, strlen(why) + 1);
	b->status[slot] = ROW_REFUSED;
	batch_group_at(b, slot)->n.rejected++;
}

void
batch_refuse(struct batch *b, size_t slot, const char *why)
{
	struct group *g = batch_group_at(b, slot);

	batch_drop(b, slot, why);
	if (++g->refusals > REFUSALS_MAX)
		batch_fail(g, why);
}

void
batch_refuse_doubles(struct batch *b)
{
	size_t n = b->refusals.n;

	for (size_t i = 0; i < n; i++) {
		struct refusal last = b->refusals.p[i];
		struct group *g = &b->groups.p[b->row[last.row].group];

		for (uint32_t at = 0; at < last.row && g->added > g->count; at++) {
			if (b->row[at].group != b->row[last.row].group ||
				b->row[at].key != b->row[last.row].key)
				continue;
			*array_add(&b->refusals) = (struct refusal){at, last.why};
			g->n.rejected++;
			g->doubles++;
		}
	}
}

bool
batch_given_up(const struct group *g)
{
	return g->refusals > REFUSALS_MAX;
}

void
batch_commit(struct batch *b, size_t from, size_t to)
{
	for (size_t i = from; i < to;) {
		struct group *g = batch_group_at(b, i);
		size_t end = g->first + g->count < to ? g->first + g->count : to;
		size_t n[ROW_STORED + 1] = {0};

		/* A group with a fault was left out, whatever statuses an earlier try gave it. */
		for (; i < end; i++) {
			n[g->fault == NULL ? b->status[i] : ROW_NONE]++;
			g->n.restated += g->fault == NULL && b->status[i] == ROW_CHANGED &&
					 (batch_row(b, i)->flags & BAR_RESTATED) != 0;
			if (g->fault == NULL && b->status[i] != ROW_REFUSED)
				b->status[i] = ROW_STORED;
		}
		g->n.unchanged += n[ROW_SAME];
		g->n.inserted += n[ROW_NEW];
		g->n.updated += n[ROW_CHANGED];
		/* What an earlier try saw of a group that was given up is not its. */
		if (g->fault == NULL)
			spans_add(&g->series->seen, g->seen);
		g->seen = (struct span){0};
	}
}

bool
batch_dropped(const struct batch *b, size_t slot)
{
	return b->status[slot] != ROW_STORED && b->status[slot] != ROW_REFUSED;
}

void
batch_fail(struct group *g, const char *why)
{
	if (g->fault == NULL)
		g->fault = slice_copy(slice_of(why));
}

static void
add_counts(struct counts *to, const struct counts *n)
{
	to->inserted += n->inserted;
	to->updated += n->updated;
	to->unchanged += n->unchanged;
	to->rejected += n->rejected;
	to->dropped += n->dropped;
	to->rounded += n->rounded;
	to->odd += n->odd;
	to->restated += n->restated;
}

/* Tells the series the first and last key that was not refused. */
static void
note_span(const struct batch *b, const struct group *g)
{
	size_t first = g->first, end = g->first + g->count;

	while (first < end && b->status[first] == ROW_REFUSED)
		first++;
	while (first < end && b->status[end - 1] == ROW_REFUSED)
		end--;
	if (first < end) {
		series_span(g->series, b->slot[first].key);
		series_span(g->series, b->slot[end - 1].key);
	}
}

/* Counts what is to be told of the bars that went in. */
static void
count_flags(const struct batch *b, struct group *g)
{
	for (size_t i = g->first; i < g->first + g->count; i++) {
		if (b->status[i] != ROW_STORED)
			continue;
		g->n.odd += (batch_row(b, i)->flags & BAR_ODD) != 0;
		g->n.rounded += (batch_row(b, i)->flags & BAR_ROUNDED) != 0;
	}
}

void
batch_settle(struct batch *b, struct counts *total)
{
	for (size_t i = 0; i < b->groups.n; i++) {
		struct group *g = &b->groups.p[i];
		struct counts *n = &g->n;

		n->unchanged += g->added - g->count - g->doubles;
		if (n->unchanged + n->inserted + n->updated + n->rejected > g->added)
			log_bug("a bar is counted twice");
		if (g->series->batches == 0)
			log_bug("a batch is given back twice");
		n->dropped = g->added - n->unchanged - n->inserted - n->updated - n->rejected;
		note_span(b, g);
		if (b->flagged)
			count_flags(b, g);
		g->series->batches--;
		series_restated(&g->series->restated, &g->restated);
		add_counts(&g->series->n, n);
		add_counts(total, n);
		if (g->fault != NULL && g->added > 0)
			series_fail(g->series, g->fault);
	}
}
