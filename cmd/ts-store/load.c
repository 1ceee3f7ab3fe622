/*
 * A batch, whatever stands in its way: bad tables, bad rows, a server that goes away. What is
 * refused is narrowed down by halves until it has a name.
 */
#include "load.h"

#include "attempt.h"
#include "log.h"

#include <string.h>

void
load_init(struct load *l, struct session *session)
{
	*l = (struct load){.session = session};
	for (int tf = 0; tf < TF_COUNT; tf++)
		l->table[tf].tf = (enum timeframe)tf;
}

void
load_release(struct load *l)
{
	for (int tf = 0; tf < TF_COUNT; tf++)
		table_release(&l->table[tf]);
	buffer_release(&l->wire);
	for (int i = 0; i < 3; i++)
		buffer_release(&l->array[i]);
}

/* All groups of a table in the batch are given up. */
static void
fail_groups(struct batch *b, enum timeframe tf, const char *why)
{
	for (size_t i = 0; i < b->groups; i++) {
		if (b->group[i].series->tf == tf)
			batch_fail(&b->group[i], why);
	}
}

/*
 * A table failed. Perhaps it was made anew since its catalogue was read, so it is read again; the
 * second time its groups are given up. False the third time: then it is not the table.
 */
static bool
fail_table(struct load *l, struct batch *b)
{
	struct table *t = &l->table[l->at];

	switch (l->failures[l->at]++) {
	case 0:
		t->known = false;
		return true;
	case 1:
		table_fail(t, session_why(l->session));
		fail_groups(b, l->at, t->fault);
		return true;
	default:
		return false;
	}
}

/* Tries until the part is stored or refused, or until there is no Postgres. */
static enum outcome
attempt_patiently(struct load *l, struct batch *b, struct part part)
{
	enum outcome o = session_ready(l->session);

	while (o == PG_OK) {
		o = attempt_part(l, b, part);
		if (o == PG_TABLE)
			o = fail_table(l, b) ? session_ready(l->session) : PG_DATA;
		else if (o == PG_BUSY || o == PG_LOST)
			o = session_recover(l->session);
		else
			break;
		if (o == PG_DATA)
			break;
	}
	if (o == PG_OK || o == PG_DATA)
		session_well(l->session);
	return o;
}

/* Where to cut a part in two: between groups as long as there are several. */
static size_t
middle(const struct batch *b, struct part p)
{
	size_t mid = p.first + (p.end - p.first) / 2;
	const struct group *g = batch_group_at(b, mid);

	if (batch_group_at(b, p.first) == batch_group_at(b, p.end - 1))
		return mid;
	return g->first > p.first ? g->first : g->first + g->count;
}

/*
 * Stores a part. refused: Postgres refuses it as a whole, so that need not be tried again. *clean
 * tells whether all of it went in.
 */
static enum outcome
load_part(struct load *l, struct batch *b, struct part part, bool refused, bool *clean)
{
	enum outcome o;
	size_t mid;

	if (!refused || part.end - part.first == 1) {
		o = attempt_patiently(l, b, part);
		*clean = o == PG_OK;
		if (o != PG_DATA)
			return o;
		if (part.end - part.first == 1) {
			batch_refuse(b, part.first, session_why(l->session));
			return PG_OK;
		}
	}
	mid = middle(b, part);
	o = load_part(l, b, (struct part){part.first, mid}, false, clean);
	/* If the first half went in, the offence is in the second. */
	if (o == PG_OK)
		o = load_part(l, b, (struct part){mid, part.end}, *clean, clean);
	*clean = false;
	return o;
}

enum outcome
load_batch(struct load *l, struct batch *b)
{
	uint64_t before = l->attempts;
	enum outcome o;
	bool clean;

	memset(l->failures, 0, sizeof l->failures);
	if (b->places == 0)
		return PG_OK;
	o = load_part(l, b, (struct part){0, b->places}, false, &clean);
	log_debug("batch rows=%llu series=%llu transactions=%llu", (unsigned long long)b->places,
		(unsigned long long)b->groups, (unsigned long long)(l->attempts - before));
	return o;
}
