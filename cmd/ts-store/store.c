/*
 * From lines to batches, and from what became of a batch to verdicts. A verdict is written only
 * when all bars of its task are committed.
 */
#include "store.h"

#include "log.h"

#include <stdlib.h>
#include <string.h>

enum { REJECTS_TOLD = 100 };

void
store_init(struct store *s, struct worker *worker, struct writer *out, size_t batch_rows)
{
	*s = (struct store){.worker = worker, .out = out, .parser = record_parser_new()};
	for (int i = 0; i < 2; i++)
		batch_init(&s->round[i].batch, batch_rows);
	s->filling = &s->round[0];
}

void
store_release(struct store *s)
{
	record_parser_free(s->parser);
	for (int i = 0; i < 2; i++) {
		batch_release(&s->round[i].batch);
		free(s->round[i].task);
		buffer_release(&s->round[i].text);
	}
	series_release(&s->series);
}

bool
store_waiting(const struct store *s)
{
	return s->filling->batch.rows > 0;
}

/*
 * Every bar that is not stored comes through here: with its line where it was refused at sight, and
 * one made again where Postgres refused it later.
 */
static void
reject(struct store *s, uint64_t lineno, struct slice line, const struct record *r, const char *why)
{
	struct slice key = r->timestamp.p != NULL ? r->timestamp : r->date;

	(void)line;
	if (s->n.rejects_told++ >= REJECTS_TOLD) {
		if (s->n.rejects_told == REJECTS_TOLD + 1)
			log_warning("more than %d bars are rejected: further ones are only counted",
				REJECTS_TOLD);
		return;
	}
	log_warning("line %llu: %.*s %.*s %.*s: %.300s: rejected", (unsigned long long)lineno,
		r->symbol.n > SYMBOL_MAX ? SYMBOL_MAX : (int)r->symbol.n, r->symbol.p,
		r->timeframe.n > 20 ? 20 : (int)r->timeframe.n, r->timeframe.p,
		key.n > 40 ? 40 : (int)key.n, key.p == NULL ? "" : key.p, why);
}

void
store_refuse(struct store *s, uint64_t lineno, const char *why)
{
	s->n.refused++;
	log_warning("line %llu: %s", (unsigned long long)lineno, why);
}

/* A task whose record is told by r failed: so says a record of the same names. */
static void
write_failed(struct store *s, struct record *r, const char *why)
{
	r->type = RECORD_FAILED;
	r->stage = slice_of("store");
	r->error = slice_of(why);
	s->n.failed++;
	record_write(writer_room(s->out), r);
	writer_done(s->out);
}

static void
write_stored(struct store *s, struct record *r, const struct series *of)
{
	struct buffer keys = {0};
	size_t first = 0;

	r->type = RECORD_STORED;
	r->bars = of->n.received;
	r->inserted = of->n.inserted;
	r->updated = of->n.updated;
	r->unchanged = of->n.unchanged;
	r->rejected = of->n.rejected;
	r->first = r->last = (struct slice){0};
	if (of->first <= of->last) {
		bar_write_key(of->tf, of->first, &keys);
		first = keys.len;
		bar_write_key(of->tf, of->last, &keys);
		r->first = (struct slice){keys.p, first};
		r->last = (struct slice){keys.p + first, keys.len - first};
	}
	s->n.stored++;
	record_write(writer_room(s->out), r);
	writer_done(s->out);
	buffer_release(&keys);
}

/* The verdict on a task whose bars all have their fate; r is its fetched record. */
static void
conclude(struct store *s, struct record *r, struct series *of)
{
	if (r->bars != of->n.received)
		log_warning("%s %s: %llu bars arrived, its fetched record says %llu", of->symbol,
			timeframe_name(of->tf), (unsigned long long)of->n.received,
			(unsigned long long)r->bars);
	if (of->fault != NULL)
		write_failed(s, r, of->fault);
	else
		write_stored(s, r, of);
	series_reset(of);
}

/* Keeps a fetched record until the bars in hand are committed. */
static void
await(struct round *in, const struct record *r, struct series *of)
{
	const struct slice text[3] = {r->job_id, r->from, r->to};

	if (in->tasks == in->task_cap) {
		in->task_cap = in->task_cap == 0 ? 64 : in->task_cap * 2;
		in->task = memory_grow(in->task, in->task_cap, sizeof *in->task);
	}
	in->task[in->tasks++] = (struct task){of, r->bars, in->text.len};
	for (int i = 0; i < 3; i++) {
		buffer_add(&in->text, text[i].p, text[i].n);
		buffer_byte(&in->text, '\0');
	}
	of->awaited = true;
}

static void
conclude_awaited(struct store *s, struct round *in)
{
	for (size_t i = 0; i < in->tasks; i++) {
		struct task *t = &in->task[i];
		const char *at = in->text.p + t->text;
		struct record r = {.tf = t->series->tf, .bars = t->bars};
		struct slice *const text[3] = {&r.job_id, &r.from, &r.to};

		for (int j = 0; j < 3; j++) {
			*text[j] = slice_of(at);
			at += text[j]->n + 1;
		}
		r.symbol = slice_of(t->series->symbol);
		r.timeframe = slice_of(timeframe_name(r.tf));
		conclude(s, &r, t->series);
	}
	in->tasks = 0;
	in->text.len = 0;
}

/* Tells of the bars and series of the batch that Postgres refused. */
static void
report_refusals(struct store *s, const struct batch *b)
{
	struct buffer line = {0}, key = {0};

	for (size_t i = 0; i < b->refusals; i++) {
		const struct row *row = &b->row[b->refusal[i].row];
		const struct series *of = b->group[row->group].series;
		struct record r = {.symbol = {of->symbol, of->length},
			.timeframe = slice_of(timeframe_name(of->tf))};

		line.len = key.len = 0;
		bar_write(r.symbol, of->tf, row->key, row->volume, batch_prices(b, row), &line);
		bar_write_key(of->tf, row->key, &key);
		r.timestamp = buffer_slice(&key);
		reject(s, row->lineno, buffer_slice(&line), &r, b->text.p + b->refusal[i].why);
	}
	for (size_t i = 0; i < b->groups; i++) {
		const struct group *g = &b->group[i];

		if (batch_given_up(g))
			log_warning("%s %s: given up, Postgres refuses bar after bar: %s",
				g->series->symbol, timeframe_name(g->series->tf), g->fault);
	}
	buffer_release(&line);
	buffer_release(&key);
}

void
store_settle(struct store *s)
{
	struct round *done = &s->round[s->filling == &s->round[0]];
	size_t forgotten;

	if (s->trouble != PG_OK || s->worker == NULL || !worker_busy(s->worker))
		return;
	s->trouble = worker_end(s->worker);
	if (s->trouble != PG_OK)
		return;
	s->n.batches++;
	report_refusals(s, &done->batch);
	batch_settle(&done->batch, &s->n.bars);
	batch_clear(&done->batch);
	conclude_awaited(s, done);
	if (!store_waiting(s))
		conclude_awaited(s, s->filling);
	/* Whoever waits for a verdict waits no longer than this. */
	(void)writer_flush(s->out);
	forgotten = series_prune(&s->series);
	if (forgotten > 0)
		log_warning("too many series without a fetched record: forgot the counts of %llu",
			(unsigned long long)forgotten);
}

void
store_commit(struct store *s)
{
	struct round *full = s->filling;

	if (!store_waiting(s))
		return;
	store_settle(s);
	if (s->trouble != PG_OK)
		return;
	batch_close(&full->batch);
	s->filling = &s->round[full == &s->round[0]];
	worker_begin(s->worker, &full->batch);
}

/* The series of a record, if its names can stand in the database. */
static struct series *
series_of(struct store *s, const struct record *r)
{
	if (r->tf == TF_NONE || bar_symbol_fault(r->symbol) != NULL)
		return NULL;
	return series_get(&s->series, r->symbol, r->tf, true);
}

static void
settle_all(struct store *s)
{
	store_commit(s);
	store_settle(s);
}

static void
take_bar(struct store *s, struct slice line, const struct record *r, uint64_t lineno)
{
	const char *why = r->fault != NULL ? r->fault : bar_read(r, &s->bar);
	struct series *of = s->worker == NULL ? NULL : series_of(s, r);

	/* The bars behind a fetched record belong to another task. */
	if (of != NULL && of->awaited)
		settle_all(s);
	s->n.bars.received++;
	if (of != NULL)
		of->n.received++;
	if (why != NULL) {
		s->n.bars.rejected++;
		if (of != NULL)
			of->n.rejected++;
		reject(s, lineno, line, r, why);
	} else if (of == NULL) {
		return;
	} else if (of->fault != NULL) {
		s->n.bars.dropped++;
		of->n.dropped++;
	} else {
		batch_add(&s->filling->batch, of, &s->bar, lineno);
		if (batch_full(&s->filling->batch))
			store_commit(s);
	}
}

static void
take_fetched(struct store *s, struct record *r, uint64_t lineno)
{
	const char *why = r->fault;
	struct series *of;

	if (r->job_id.p == NULL || r->symbol.p == NULL || r->timeframe.p == NULL) {
		store_refuse(s, lineno, why);
		return;
	}
	if (why == NULL)
		why = bar_symbol_fault(r->symbol);
	if (why == NULL && r->tf == TF_NONE)
		why = "timeframe is none of 1min, hour, day, week, month";
	if (why != NULL) {
		log_warning("line %llu: fetched: %s", (unsigned long long)lineno, why);
		write_failed(s, r, why);
		return;
	}
	of = series_get(&s->series, r->symbol, r->tf, true);
	if (of->awaited)
		settle_all(s);
	if (of->batches != 0)
		await(s->filling, r, of);
	else if (s->trouble == PG_OK)
		conclude(s, r, of);
}

/* The task of this series ended elsewhere: what came of it counts for no other. */
static void
take_failed(struct store *s, const struct record *r)
{
	struct series *of = NULL;

	if (s->worker != NULL && r->symbol.p != NULL && r->symbol.n <= SYMBOL_MAX &&
		r->tf != TF_NONE)
		of = series_get(&s->series, r->symbol, r->tf, false);
	if (of == NULL)
		return;
	if (of->batches != 0 || of->awaited)
		settle_all(s);
	if (of->batches == 0)
		series_reset(of);
}

void
store_line(struct store *s, struct slice line, uint64_t lineno)
{
	static const unsigned owned = RECORD_BIT(RECORD_BAR) | RECORD_BIT(RECORD_FETCHED) |
				      RECORD_BIT(RECORD_FAILED);
	struct record r;
	const char *why;

	if (s->trouble != PG_OK)
		return;
	if (record_parse(s->parser, line, owned, &r, &why) != 0) {
		store_refuse(s, lineno, why);
	} else if (r.type == RECORD_BAR) {
		take_bar(s, line, &r, lineno);
	} else if (r.type == RECORD_FETCHED) {
		/* Without a database nothing may claim to be stored. */
		if (s->worker != NULL)
			take_fetched(s, &r, lineno);
	} else {
		if (r.type == RECORD_FAILED)
			take_failed(s, &r);
		writer_line(s->out, line);
	}
}
