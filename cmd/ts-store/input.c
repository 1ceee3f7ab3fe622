/* From lines to what they mean: bars go into the batch, fetched records wait for them. */
#include "input.h"

#include "log.h"

#include <inttypes.h>

void
input_refuse(struct tasks *s, uint64_t lineno, struct slice line, const char *why, const char *hint)
{
	refused_line(&s->n.refused, lineno, why, hint);
	if (line.n > 0)
		rejects_add_text(s->rejects, line, why);
}

static void
take_bar(struct tasks *s, struct slice line, const struct record *r, uint64_t lineno)
{
	const char *symbol = bar_symbol_fault(r->symbol), *why = r->fault;
	struct series *of = NULL;

	if (why == NULL)
		why = symbol != NULL ? symbol : bar_read(r, &s->bar);
	/* Where its names can stand in the database. */
	if (s->pool != NULL && symbol == NULL && r->tf != TF_NONE)
		of = series_get(&s->series, r->symbol, r->tf, true);
	/* The bars behind a fetched record belong to another task. */
	if (of != NULL && of->awaited)
		tasks_finish(s);
	else if (of != NULL && batch_ripe(s->filling, of))
		tasks_commit(s);
	if (!tasks_ok(s))
		return;
	s->n.bars.received++;
	if (of != NULL)
		of->n.received++;
	if (why != NULL) {
		s->n.bars.rejected++;
		if (of != NULL) {
			of->n.rejected++;
			series_rejected(of, why);
		}
		tasks_reject(s, lineno, line, r, why);
		refused_hint(&s->n.refused, r->hint);
	} else if (of == NULL) {
		s->n.bars.odd += (s->bar.flags & BAR_ODD) != 0;
		s->n.bars.rounded += (s->bar.flags & BAR_ROUNDED) != 0;
	} else if (of->fault != NULL) {
		s->n.bars.dropped++;
		of->n.dropped++;
		rejects_add(s->rejects, line, r, of->fault);
	} else {
		series_key(of, s->bar.key);
		batch_add(s->filling, of, &s->bar, lineno);
		if (batch_full(s->filling))
			tasks_commit(s);
	}
}

static void
take_fetched(struct tasks *s, struct slice line, struct record *r, uint64_t lineno)
{
	const char *why = r->fault;
	struct series *of;

	if (r->job_id.p == NULL || r->symbol.p == NULL || r->timeframe.p == NULL) {
		input_refuse(s, lineno, line, why, NULL);
		return;
	}
	if (why == NULL)
		why = bar_symbol_fault(r->symbol);
	if (why == NULL && r->tf == TF_NONE)
		why = timeframe_advice(r->timeframe);
	if (why != NULL) {
		log_warning("line %" PRIu64 ": fetched: %s", lineno, why);
		tasks_fail(s, r, why);
		return;
	}
	of = series_get(&s->series, r->symbol, r->tf, true);
	if (of->awaited)
		tasks_finish(s);
	if (!tasks_ok(s))
		return;
	tasks_await(s, r, of);
}

/* The series of a record, if bars of it came before. */
static struct series *
known_series(struct tasks *s, const struct record *r)
{
	if (s->pool == NULL || r->symbol.p == NULL || r->symbol.n > SYMBOL_MAX || r->tf == TF_NONE)
		return NULL;
	return series_get(&s->series, r->symbol, r->tf, false);
}

/* The task of this series ended elsewhere: what came of it counts for no other. */
static void
take_failed(struct tasks *s, struct series *of)
{
	if (of->batches != 0 || of->awaited)
		tasks_finish(s);
	if (of->batches == 0)
		series_reset(of);
}

/*
 * A task begins. Bars of its series that came before without a fetched record are those of a task
 * that was cancelled. With the first task of a timeframe, what is wrong with its table is told
 * before bars come.
 */
static void
take_loading(struct tasks *s, const struct record *r)
{
	unsigned bit = r->tf == TF_NONE ? 0 : 1U << r->tf;
	struct series *of = known_series(s, r);

	if (of != NULL && !of->awaited && of->n.received > 0)
		take_failed(s, of);
	if (s->pool != NULL)
		s->filling->ask |= bit & ~s->begun;
	s->begun |= bit;
}

void
input_line(struct tasks *s, struct slice line, uint64_t lineno)
{
	static const unsigned owned = RECORD_BIT(RECORD_BAR) | RECORD_BIT(RECORD_FETCHED) |
				      RECORD_BIT(RECORD_FAILED) | RECORD_BIT(RECORD_LOADING);
	struct record r;
	const char *why;

	if (!tasks_ok(s))
		return;
	tasks_prune(s);
	if ((why = record_parse(s->parser, line, owned, &r)) != NULL) {
		input_refuse(s, lineno, line, why, r.hint);
		return;
	}
	kinds_add(&s->n.kinds, r.type);
	if (r.type == RECORD_BAR) {
		take_bar(s, line, &r, lineno);
	} else if (r.type == RECORD_FETCHED) {
		/* Without a database nothing may claim to be stored. */
		if (s->pool != NULL)
			take_fetched(s, line, &r, lineno);
	} else {
		struct series *of = r.type == RECORD_FAILED ? known_series(s, &r) : NULL;

		if (of != NULL)
			take_failed(s, of);
		else if (r.type == RECORD_LOADING)
			take_loading(s, &r);
		writer_line(s->out, line);
	}
}
