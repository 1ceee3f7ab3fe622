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
store_init(struct store *s, struct crew *crew, struct rejects *rejects, struct writer *out,
	size_t batch_rows)
{
	*s = (struct store){.crew = crew, .rejects = rejects, .out = out,
		.parser = record_parser_new()};
	s->batches = crew == NULL ? 0 : (size_t)crew_workers(crew) + 1;
	for (size_t i = 0; i < s->batches; i++)
		batch_init(&s->batch[i], batch_rows);
	s->filling = &s->batch[0];
}

void
store_release(struct store *s)
{
	record_parser_free(s->parser);
	for (size_t i = 0; i < s->batches; i++)
		batch_release(&s->batch[i]);
	free(s->queue.task);
	buffer_release(&s->queue.text);
	buffer_release(&s->queue.spare);
	series_release(&s->series);
}

bool
store_well(const struct store *s)
{
	return s->trouble == PG_OK && !s->unkept;
}

bool
store_waiting(const struct store *s)
{
	return s->filling->rows > 0;
}

/*
 * Keeps a bar that is not stored: with its line where it was seen at once, and with one made again
 * where that is known only later.
 */
static void
keep(struct store *s, struct slice line, const struct record *r, const char *why)
{
	if (s->rejects != NULL)
		rejects_add(s->rejects, line, r, why);
}

/* Before a verdict counts them, the bars that were not stored must be in their file. */
static bool
flush_kept(struct store *s)
{
	if (s->rejects != NULL && rejects_flush(s->rejects) != 0)
		s->unkept = true;
	return !s->unkept;
}

/* Every bar that is rejected comes through here. */
static void
reject(struct store *s, uint64_t lineno, struct slice line, const struct record *r, const char *why)
{
	struct slice key = r->timestamp.p != NULL ? r->timestamp : r->date;

	keep(s, line, r, why);
	if (s->n.rejects_told++ >= REJECTS_TOLD) {
		if (s->n.rejects_told == REJECTS_TOLD + 1)
			log_warning("more than %d bars are rejected: further ones are only counted",
				REJECTS_TOLD);
		return;
	}
	log_warning("line %llu: %.*s %.*s %.*s: %s: rejected", (unsigned long long)lineno,
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
	if (of->reason != NULL)
		r->reason = slice_of(of->reason);
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

/*
 * The verdict on a task whose bars all have their fate; r is its fetched record. Without the file of
 * rejects there is none.
 */
static void
conclude(struct store *s, struct record *r, struct series *of)
{
	if (!flush_kept(s))
		return;
	if (r->bars != of->n.received)
		log_warning("%s %s: %llu bars arrived, its fetched record says %llu", of->symbol,
			timeframe_name(of->tf), (unsigned long long)of->n.received,
			(unsigned long long)r->bars);
	if (of->fault != NULL)
		write_failed(s, r, of->fault);
	else if (of->reason != NULL && of->first > of->last)
		/* Not one of its bars went in. */
		write_failed(s, r, of->reason);
	else
		write_stored(s, r, of);
	series_reset(of);
}

/* Keeps a fetched record until the bars of its series are committed. */
static void
await(struct queue *q, const struct record *r, struct series *of)
{
	const struct slice text[3] = {r->job_id, r->from, r->to};

	if (q->tasks == q->cap) {
		q->cap = q->cap == 0 ? 64 : q->cap * 2;
		q->task = memory_grow(q->task, q->cap, sizeof *q->task);
	}
	q->task[q->tasks++] = (struct task){of, r->bars, q->text.len};
	for (int i = 0; i < 3; i++) {
		buffer_add(&q->text, text[i].p, text[i].n);
		buffer_byte(&q->text, '\0');
	}
	of->awaited = true;
}

/* The fetched record of a task that waited; gives back how many bytes of text it had. */
static size_t
recall(const struct queue *q, const struct task *t, struct record *r)
{
	const char *start = q->text.p + t->text, *at = start;
	struct slice *const text[3] = {&r->job_id, &r->from, &r->to};

	*r = (struct record){.tf = t->series->tf, .bars = t->bars};
	for (int i = 0; i < 3; i++) {
		*text[i] = slice_of(at);
		at += text[i]->n + 1;
	}
	r->symbol = slice_of(t->series->symbol);
	r->timeframe = slice_of(timeframe_name(r->tf));
	return (size_t)(at - start);
}

/* Gives the tasks their verdict whose bars are all committed; the others go on waiting. */
static void
conclude_awaited(struct store *s)
{
	struct queue *q = &s->queue;
	struct buffer swap = q->text;
	size_t left = 0;

	q->spare.len = 0;
	for (size_t i = 0; i < q->tasks; i++) {
		struct task t = q->task[i];
		struct record r;
		size_t n = recall(q, &t, &r);

		if (t.series->batches == 0) {
			conclude(s, &r, t.series);
			continue;
		}
		buffer_add(&q->spare, q->text.p + t.text, n);
		t.text = q->spare.len - n;
		q->task[left++] = t;
	}
	q->tasks = left;
	q->text = q->spare;
	q->spare = swap;
}

/* The record of a bar in a batch. Its slices last as long as the batch and the two buffers. */
static struct record
bar_again(const struct batch *b, const struct row *row, struct buffer *line, struct buffer *key)
{
	const struct series *of = b->group[row->group].series;
	struct record r = {.type = RECORD_BAR, .symbol = {of->symbol, of->length},
		.timeframe = slice_of(timeframe_name(of->tf)), .tf = of->tf};

	line->len = key->len = 0;
	bar_write(r.symbol, of->tf, row->key, row->volume, batch_prices(b, row), line);
	bar_write_key(of->tf, row->key, key);
	*(timeframe_intraday(of->tf) ? &r.timestamp : &r.date) = buffer_slice(key);
	return r;
}

/* Tells of the series of the batch that were given up, and keeps their bars. */
static void
report_given_up(struct store *s, const struct batch *b, struct buffer *line, struct buffer *key)
{
	for (size_t i = 0; i < b->groups; i++) {
		const struct group *g = &b->group[i];

		if (batch_given_up(g))
			log_warning("%s %s: given up, Postgres refuses bar after bar: %s",
				g->series->symbol, timeframe_name(g->series->tf), g->fault);
		if (g->fault == NULL || s->rejects == NULL)
			continue;
		for (size_t p = g->first; p < g->first + g->count; p++) {
			struct record r;

			if (!batch_dropped(b, p))
				continue;
			r = bar_again(b, batch_row(b, p), line, key);
			keep(s, buffer_slice(line), &r, g->fault);
		}
	}
}

/* Tells of the bars and series of the batch that Postgres refused. */
static void
report_refusals(struct store *s, const struct batch *b)
{
	struct buffer line = {0}, key = {0};

	for (size_t i = 0; i < b->refusals; i++) {
		const struct row *row = &b->row[b->refusal[i].row];
		struct record r = bar_again(b, row, &line, &key);

		series_rejected(b->group[row->group].series, b->text.p + b->refusal[i].why);
		reject(s, batch_lineno(b, row), buffer_slice(&line), &r,
			b->text.p + b->refusal[i].why);
	}
	report_given_up(s, b, &line, &key);
	buffer_release(&line);
	buffer_release(&key);
}

void
store_settle(struct store *s)
{
	struct batch *done;
	enum outcome outcome;
	size_t forgotten;

	if (s->crew == NULL || crew_busy(s->crew) == 0)
		return;
	done = crew_end(s->crew, &outcome);
	if (outcome != PG_OK) {
		/* Its series stay without a verdict; what others commit gets one. */
		s->trouble = outcome;
		return;
	}
	s->n.batches++;
	report_refusals(s, done);
	batch_settle(done, &s->n.bars);
	batch_clear(done);
	conclude_awaited(s);
	/* Whoever waits for a verdict waits no longer than this. */
	(void)flush_kept(s);
	(void)writer_flush(s->out);
	forgotten = series_prune(&s->series);
	if (forgotten > 0)
		log_warning("too many series without a fetched record: forgot the counts of %llu",
			(unsigned long long)forgotten);
}

void
store_commit(struct store *s)
{
	struct batch *full = s->filling;

	if (!store_waiting(s) || !store_well(s))
		return;
	batch_close(full);
	while (!crew_idle(s->crew) || crew_conflict(s->crew, full)) {
		store_settle(s);
		if (!store_well(s))
			return;
	}
	crew_begin(s->crew, full);
	/* The first that is empty, so that no more are touched than are needed. */
	s->filling = s->batch;
	while (s->filling->rows > 0)
		s->filling++;
}

void
store_finish(struct store *s)
{
	store_commit(s);
	while (s->crew != NULL && crew_busy(s->crew) > 0)
		store_settle(s);
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
take_bar(struct store *s, struct slice line, const struct record *r, uint64_t lineno)
{
	const char *why = r->fault != NULL ? r->fault : bar_read(r, &s->bar);
	struct series *of = s->crew == NULL ? NULL : series_of(s, r);

	/* The bars behind a fetched record belong to another task. */
	if (of != NULL && of->awaited)
		store_finish(s);
	if (!store_well(s))
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
		reject(s, lineno, line, r, why);
	} else if (of == NULL) {
		return;
	} else if (of->fault != NULL) {
		s->n.bars.dropped++;
		of->n.dropped++;
		keep(s, line, r, of->fault);
	} else {
		batch_add(s->filling, of, &s->bar, lineno);
		if (batch_full(s->filling))
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
		store_finish(s);
	if (!store_well(s))
		return;
	if (of->batches != 0)
		await(&s->queue, r, of);
	else
		conclude(s, r, of);
}

/* The task of this series ended elsewhere: what came of it counts for no other. */
static void
take_failed(struct store *s, const struct record *r)
{
	struct series *of = NULL;

	if (s->crew != NULL && r->symbol.p != NULL && r->symbol.n <= SYMBOL_MAX &&
		r->tf != TF_NONE)
		of = series_get(&s->series, r->symbol, r->tf, false);
	if (of == NULL)
		return;
	if (of->batches != 0 || of->awaited)
		store_finish(s);
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

	if (!store_well(s))
		return;
	if (record_parse(s->parser, line, owned, &r, &why) != 0) {
		store_refuse(s, lineno, why);
	} else if (r.type == RECORD_BAR) {
		take_bar(s, line, &r, lineno);
	} else if (r.type == RECORD_FETCHED) {
		/* Without a database nothing may claim to be stored. */
		if (s->crew != NULL)
			take_fetched(s, &r, lineno);
	} else {
		if (r.type == RECORD_FAILED)
			take_failed(s, &r);
		writer_line(s->out, line);
	}
}
