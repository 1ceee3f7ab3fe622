/*
 * The road for rows that may be there already: slower than COPY, but right whoever else writes. The
 * counts come from what the statements return, not from what was read before.
 */
#include "stage.h"

#include "copy.h"
#include "log.h"
#include "wire.h"

#include <string.h>

/* All that was staged is taken to be the same until a statement says that it changed it. */
static void
reset_fates(struct batch *b, const struct table *t, struct part part)
{
	struct share s = {0};

	while (part_next(b, part, &s)) {
		if (s.group->series->tf != t->tf || s.group->fault != NULL)
			continue;
		for (size_t i = s.first; i < s.end; i++) {
			if (b->fate[i] == FATE_CHANGED)
				b->fate[i] = FATE_SAME;
		}
	}
}

static enum outcome
update(struct load *l, struct batch *b, const struct table *t, struct part part, uint64_t *rows)
{
	PGresult *res;
	enum outcome o = session_query(l->session, t->update, 0, NULL, true, &res);

	*rows = 0;
	for (int i = 0; o == PG_OK && i < PQntuples(res); i++) {
		size_t place = wire_get32((const unsigned char *)PQgetvalue(res, i, 0));

		if (place >= part.first && place < part.end) {
			b->fate[place] = FATE_CHANGED;
			++*rows;
		}
	}
	PQclear(res);
	return o;
}

static bool
is_place(const struct batch *b, const struct table *t, size_t place, const PGresult *res, int row)
{
	const struct series *s = batch_group_at(b, place)->series;

	return s->tf == t->tf && PQgetlength(res, row, 0) == s->length &&
	       memcmp(PQgetvalue(res, row, 0), s->symbol, s->length) == 0 &&
	       copy_key_of(t->tf, PQgetvalue(res, row, 1)) == b->place[place].key;
}

/* The rows come back in the order of their places. */
static enum outcome
insert(struct load *l, struct batch *b, const struct table *t, struct part part)
{
	PGresult *res;
	enum outcome o = session_query(l->session, t->insert, 0, NULL, true, &res);
	size_t place = part.first;

	for (int i = 0; o == PG_OK && i < PQntuples(res) && place < part.end; i++) {
		while (place < part.end && !is_place(b, t, place, res, i))
			place++;
		if (place < part.end)
			b->fate[place++] = FATE_NEW;
	}
	PQclear(res);
	return o;
}

enum outcome
stage_rows(struct load *l, struct batch *b, const struct table *t, struct part part,
	bool insert_first)
{
	uint64_t staged, updated;
	enum outcome o = session_exec(l->session, t->stage);

	if (o == PG_OK)
		o = copy_rows(l, b, t, part, FATE_CHANGED, true, t->stage_copy, &staged);
	if (o != PG_OK)
		return o;
	reset_fates(b, t, part);
	if (insert_first && (o = insert(l, b, t, part)) != PG_OK)
		return o;
	o = update(l, b, t, part, &updated);
	/* A row that was there when it was read has gone, or became the same. */
	if (o == PG_OK && !insert_first && updated < staged)
		o = insert(l, b, t, part);
	return o;
}
