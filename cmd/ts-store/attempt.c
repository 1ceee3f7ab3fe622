/*
 * One transaction: read what is there, compare, COPY what is missing, stage what differs. Postgres
 * is the bottleneck, so it is given nothing to do that can be done here.
 */
#include "attempt.h"

#include "copy.h"
#include "existing.h"
#include "log.h"
#include "stage.h"
#include "timestamp.h"

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

/*
 * Sees to it that each table of the part was read in this connection; groups of bad ones get its
 * fault.
 */
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
	o = staged ? session_exec(l->session, "BEGIN") : existing_read(l, b, part);
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
