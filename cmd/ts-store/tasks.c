/*
 * From lines to batches, and from what became of a batch to verdicts. A verdict is written only
 * when all bars of its task are committed.
 */
#include "tasks.h"

#include "log.h"
#include "stored.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { REJECTS_TOLD = 100 };

void
tasks_init(struct tasks *s, struct pool *pool, struct rejects *rejects, struct writer *out,
	size_t batch_rows)
{
	*s = (struct tasks){
		.pool = pool, .rejects = rejects, .out = out, .parser = record_parser_new()};
	s->n.kinds = (struct kinds){
		.own = RECORD_BIT(RECORD_BAR) | RECORD_BIT(RECORD_FETCHED), .word = "bar"};
	s->batches = pool == NULL ? 0 : (size_t)pool_workers(pool) + 1;
	for (size_t i = 0; i < s->batches; i++)
		batch_init(&s->batch[i], batch_rows);
	s->filling = &s->batch[0];
}

void
tasks_release(struct tasks *s)
{
	record_parser_free(s->parser);
	for (size_t i = 0; i < s->batches; i++)
		batch_release(&s->batch[i]);
	for (size_t i = 0; i < s->waiting.n; i++)
		free(s->waiting.p[i].text);
	free(s->waiting.p);
	series_release(&s->series);
}

bool
tasks_ok(const struct tasks *s)
{
	return s->trouble == PG_OK && !s->unkept;
}

bool
tasks_free(const struct tasks *s)
{
	return pool_busy(s->pool) < pool_workers(s->pool);
}

bool
tasks_waiting(const struct tasks *s)
{
	return !batch_empty(s->filling);
}

/* Before a verdict counts them, the bars that were not stored must be in their file. */
static bool
flush_kept(struct tasks *s)
{
	if (rejects_flush(s->rejects) != 0)
		s->unkept = true;
	return !s->unkept;
}

/* What a bar lacks is not named: no two blanks in a row. */
static void
add_name(char *name, size_t size, struct slice part, size_t max)
{
	size_t n = strlen(name);

	if (part.n > 0)
		(void)snprintf(
			name + n, size - n, " %.*s", (int)(part.n > max ? max : part.n), part.p);
}

void
tasks_reject(struct tasks *s, uint64_t lineno, struct slice line, const struct record *r,
	const char *why)
{
	struct slice key = r->timestamp.p != NULL ? r->timestamp : r->date;
	char name[SYMBOL_MAX + 64];

	rejects_add(s->rejects, line, r, why);
	if (s->n.rejects_logged++ >= REJECTS_TOLD) {
		if (s->n.rejects_logged == REJECTS_TOLD + 1)
			log_warning("more than %d bars are rejected: further ones are only counted",
				REJECTS_TOLD);
		return;
	}
	name[0] = '\0';
	add_name(name, sizeof(name), r->symbol, SYMBOL_MAX);
	add_name(name, sizeof(name), r->timeframe, 20);
	add_name(name, sizeof(name), key, 40);
	log_warning("line %" PRIu64 ":%s%s %s: rejected", lineno, name, name[0] != '\0' ? ":" : "",
		why);
}

void
tasks_fail(struct tasks *s, struct record *r, const char *why)
{
	r->type = RECORD_FAILED;
	r->stage = slice_of("store");
	r->error = slice_of(why);
	s->n.failed++;
	record_send(s->out, r);
}

static void
write_stored(struct tasks *s, struct record *r, const struct series *of)
{
	s->n.stored++;
	stored_write(writer_room(s->out), r, of);
	writer_done(s->out);
}

/*
 * The verdict on a task whose bars all have their status; r is its fetched record. Without the file
 * of rejects there is none.
 */
static void
conclude_task(struct tasks *s, struct record *r, struct series *of)
{
	if (!flush_kept(s))
		return;
	if (r->bars != of->n.received)
		log_warning("%s %s: %" PRIu64 " bars arrived, its fetched record says %" PRIu64,
			of->symbol, timeframe_name(of->tf), of->n.received, r->bars);
	/* A bar that was refused makes room for another row in the count. */
	if (of->n.rejected > 0 && of->image.deleted == 0)
		of->image.extra = 0;
	stored_tell(of);
	s->n.stated.odd += of->n.odd;
	s->n.stated.rounded += of->n.rounded;
	s->n.stated.restated += of->n.restated;
	s->n.bars.extra += of->image.extra;
	s->n.bars.deleted += of->image.deleted;
	if (of->fault != NULL)
		tasks_fail(s, r, of->fault);
	else if (of->reason != NULL && of->first > of->last)
		/* Not one of its bars went in. */
		tasks_fail(s, r, of->reason);
	else
		write_stored(s, r, of);
	series_reset(of);
}

/* The date that a task of minutes or hours is about; 0: it is about several, or part of one. */
static int32_t
only_date(const struct record *r)
{
	enum { HOUR = 3600, DAY = 24 * HOUR };
	int64_t start, end;
	int32_t from, to;

	if (date_parse(r->from, &from) == 0)
		return date_parse(r->to, &to) == 0 && to == from ? from : 0;
	/* From 04:00 in New York to 17:00 at least, when a half day's bars are final. */
	if (timestamp_parse(r->from, &start) != 0 || timestamp_parse(r->to, &end) != 0 ||
		start % DAY > 9 * HOUR || end - start < 13 * HOUR || end - start > 16 * HOUR)
		return 0;
	return (int32_t)(start / DAY);
}

/* What is asked about the range in the table. */
static void
ask_range(const struct tasks *s, const struct record *r, struct series *of)
{
	struct image *m = &of->image;

	m->extended = slice_is(r->hours, "extended");
	m->remove = s->remove;
	/* Dates, or instants, of which the date will do: rows of the first day are never older. */
	if (date_parse((struct slice){r->from.p, r->from.n < 10 ? r->from.n : 10}, &m->from) != 0)
		m->from = NO_DATE;
	if (s->remove && timeframe_intraday(of->tf) && r->bars == 0)
		m->only = only_date(r);
}

/*
 * Whether to look at the range of a task. If some of its bars were refused, or were taken out or
 * cut off on the way here, nobody knows what else the API sent.
 */
static bool
wants_look(const struct series *of, uint64_t bars)
{
	return of->fault == NULL && of->n.rejected == 0 && of->n.received == bars && !of->keyless &&
	       (bars > 0 || of->image.only != 0);
}

void
tasks_await(struct tasks *s, struct record *r, struct series *of)
{
	const struct slice text[3] = {r->job_id, r->from, r->to};
	struct buffer b = {0};
	bool looked;

	/* Nothing is deleted unless all other bars of the task went in. */
	while (s->remove && of->batches > (of->group != 0) && tasks_ok(s))
		tasks_settle(s);
	if (!tasks_ok(s))
		return;
	ask_range(s, r, of);
	looked = of->group != 0 || of->batches == 0;
	if (looked && wants_look(of, r->bars)) {
		batch_look(s->filling, of);
	} else if (of->batches == 0) {
		conclude_task(s, r, of);
		return;
	}
	for (int i = 0; i < 3; i++) {
		buffer_add(&b, text[i].p, text[i].n);
		buffer_byte(&b, '\0');
	}
	*array_add(&s->waiting) = (struct task){of, r->bars, r->bytes, b.p, looked};
	of->awaited = true;
	if (batch_full(s->filling))
		tasks_commit(s);
}

/* The fetched record of a task that waited. */
static struct record
recall_fetched(const struct task *t)
{
	struct record r = {.tf = t->series->tf,
		.bars = t->bars,
		.bytes = t->bytes,
		.job_id = slice_of(t->text)};

	r.from = slice_of(t->text + r.job_id.n + 1);
	r.to = slice_of(r.from.p + r.from.n + 1);
	r.symbol = slice_of(t->series->symbol);
	r.timeframe = slice_of(timeframe_name(r.tf));
	return r;
}

/* Gives the tasks their verdict whose bars are all committed; the others go on waiting. */
static void
conclude_awaited(struct tasks *s)
{
	size_t left = 0;

	for (size_t i = 0; i < s->waiting.n; i++) {
		struct task *t = &s->waiting.p[i];
		bool done = t->series->batches == 0;

		/* Among the bars of others before that its turn would be theirs. */
		if (done && !t->looked && wants_look(t->series, t->bars)) {
			done = false;
			t->looked = !s->filling->closed;
			if (t->looked)
				batch_look(s->filling, t->series);
		}
		if (done) {
			struct record r = recall_fetched(t);

			conclude_task(s, &r, t->series);
			free(t->text);
		} else {
			s->waiting.p[left++] = *t;
		}
	}
	s->waiting.n = left;
}

/* The record of a bar in a batch, which lasts as long as that and the text. */
static struct record
bar_again(const struct batch *b, const struct row *row, struct buffer *text)
{
	const struct series *of = b->groups.p[row->group].series;
	struct record r = {.type = RECORD_BAR,
		.symbol = {of->symbol, of->length},
		.timeframe = slice_of(timeframe_name(of->tf)),
		.tf = of->tf};

	bar_write(&r, row->key, row->volume, batch_prices(b, row), text);
	return r;
}

/* Tells of the series of the batch that were given up, and keeps their bars. */
static void
report_given_up(struct tasks *s, const struct batch *b, struct buffer *text)
{
	for (size_t i = 0; i < b->groups.n; i++) {
		const struct group *g = &b->groups.p[i];

		if (batch_given_up(g))
			log_warning("%s %s: given up, Postgres refuses bar after bar: %s",
				g->series->symbol, timeframe_name(g->series->tf), g->fault);
		if (g->fault == NULL || s->rejects == NULL)
			continue;
		for (size_t p = g->first; p < g->first + g->count; p++) {
			struct record r;

			if (!batch_dropped(b, p))
				continue;
			r = bar_again(b, batch_row(b, p), text);
			rejects_add(s->rejects, (struct slice){0}, &r, g->fault);
		}
	}
}

/* Tells of the bars and series of the batch that Postgres refused. */
static void
report_refusals(struct tasks *s, const struct batch *b)
{
	struct buffer text = {0};

	for (size_t i = 0; i < b->refusals.n; i++) {
		const struct row *row = &b->row[b->refusals.p[i].row];
		struct record r = bar_again(b, row, &text);
		const char *why = b->text.p + b->refusals.p[i].why;

		series_rejected(b->groups.p[row->group].series, why);
		tasks_reject(s, batch_lineno(b, row), (struct slice){0}, &r, why);
	}
	report_given_up(s, b, &text);
	buffer_release(&text);
}

/* That nothing can be stored shows in the status of the jobs. */
static void
say_waiting(struct tasks *s)
{
	struct record r = {.type = RECORD_WAITING};
	struct buffer why = {0};
	int64_t seconds = (pool_wait(s->pool, &why) - clock_mono_ms() + 999) / 1000;
	char until[TIMESTAMP_SIZE];

	r.reason = buffer_slice(&why);
	r.until = slice_of(timestamp_format(until, clock_wall() + (seconds > 0 ? seconds : 0)));
	record_send(s->out, &r);
	(void)writer_flush(s->out);
	buffer_release(&why);
}

void
tasks_settle(struct tasks *s)
{
	struct batch *done;
	enum outcome outcome;

	if (s->pool == NULL || pool_busy(s->pool) == 0)
		return;
	done = pool_end(s->pool, &outcome);
	if (done == NULL) {
		say_waiting(s);
		return;
	}
	if (outcome != PG_OK) {
		/* Its series stay without a verdict; what others commit gets one. */
		s->trouble = outcome;
		return;
	}
	s->n.batches++;
	batch_refuse_doubles(done);
	report_refusals(s, done);
	batch_settle(done, &s->n.bars);
	batch_clear(done);
	conclude_awaited(s);
	/* Whoever waits for a verdict waits no longer than this. */
	(void)flush_kept(s);
	(void)writer_flush(s->out);
	s->settled = true;
}

void
tasks_prune(struct tasks *s)
{
	size_t forgotten = s->settled ? series_prune(&s->series) : 0;

	s->settled = false;
	if (forgotten > 0)
		log_warning("too many series without a fetched record: forgot the counts of %zu",
			forgotten);
}

void
tasks_commit(struct tasks *s)
{
	struct batch *full = s->filling;

	if (!tasks_waiting(s) || !tasks_ok(s))
		return;
	batch_close(full);
	while (!tasks_free(s) || pool_conflict(s->pool, full)) {
		tasks_settle(s);
		if (!tasks_ok(s))
			return;
	}
	pool_begin(s->pool, full);
	/* The first that is empty, so that no more are touched than are needed. */
	s->filling = s->batch;
	while (!batch_empty(s->filling))
		s->filling++;
	/* What could not be added to the batch that was closed. */
	conclude_awaited(s);
}

void
tasks_finish(struct tasks *s)
{
	/* What was stored is looked at. */
	do {
		tasks_commit(s);
		while (s->pool != NULL && pool_busy(s->pool) > 0)
			tasks_settle(s);
	} while (tasks_waiting(s) && tasks_ok(s));
}
