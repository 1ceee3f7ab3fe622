/*
 * A batch, whatever stands in its way: bad tables, bad rows, a server that goes away. One
 * transaction reads what is there, compares, copies what is missing and corrects what differs; what
 * is refused is narrowed down by halves until it has a name. Postgres is the bottleneck, so it is
 * given nothing to do that can be done here.
 */
#include "load.h"

#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	SILENCE_MS = 75000, /* statement_timeout comes first */
	FIRST_MS = 30000,
	BUDGET_MS = 600000,
	RECHECK_MS = 5000,   /* a table is looked at again after this: mended, or its key gone */
	TURN_MS = 1000,	     /* an earlier batch may wait for locks that this one holds, */
	CHUNK_TURN_MS = 200, /* which it does where both make chunks */
	/* Times what a range took: less than the limit, more rows will do; one row gets so much. */
	MORE_ROWS = 3,
	MORE_TIME = 4,
};

/* What holds in each transaction. */
static const char settings_sql[] =
	/* A shorter time of the role's or database's own holds. */
	"SELECT set_config('statement_timeout', (1000 * extract(epoch FROM LEAST(NULLIF("
	"current_setting('statement_timeout')::interval, '0'), '60s')))::int::text, true),"
	" set_config('lock_timeout', '30s', "
	"true),"
	" set_config('idle_in_transaction_session_timeout', '60s', true),"
	/* What is told as stored is to survive a crash; a standby's share in it is left alone. */
	" set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' "
	"THEN 'on'"
	"  ELSE current_setting('synchronous_commit') END, true),"
	/* In COPY no timeout ends a server whose client's machine is gone: only this does. */
	" set_config('tcp_keepalives_idle', '30', true), set_config('tcp_keepalives_interval', "
	"'10', true),"
	" set_config('tcp_keepalives_count', '3', true),"
	/*
	 * Reads go by the key's index, whatever the table's statistics say, which may have been
	 * made when it was empty.
	 */
	" set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', "
	"'off', true),"
	" set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
	" set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),"
	" set_config('max_parallel_workers_per_gather', '0', true)";

void
load_init(struct load *l, const char *url, struct load_shared *shared, bool extra)
{
	const struct pg_options o = {.url = url,
		.program = "ts-store",
		.begin = "BEGIN",
		.settings = settings_sql,
		.writes = true,
		.extra = extra,
		.silence_ms = SILENCE_MS,
		.first_ms = FIRST_MS,
		.budget_ms = BUDGET_MS,
		.stop_fd = -1,
		.quit_fd = signals_fd(),
		.out_fd = -1,
		.shared = &shared->pg};

	*l = (struct load){.pg = pg_new(&o), .shared = shared, .most = SIZE_MAX};
	for (int tf = 0; tf < TF_COUNT; tf++)
		l->table[tf].tf = (enum timeframe)tf;
}

void
load_release(struct load *l)
{
	pg_free(l->pg);
	for (int tf = 0; tf < TF_COUNT; tf++)
		pg_table_release(&l->table[tf]);
	buffer_release(&l->wire);
	for (int i = 0; i < 8; i++)
		buffer_release(&l->array[i]);
	free(l->scattered.p);
}

bool
load_next(const struct batch *b, struct range range, struct run *run)
{
	for (size_t at = run->group == NULL ? range.first : run->end; at < range.end;
		at = run->end) {
		run->group = batch_group_at(b, at);
		run->first = at;
		run->end = run->group->first + run->group->count;
		if (run->end > range.end)
			run->end = range.end;
		if (run->group->fault == NULL &&
			(run->table == NULL || run->table->tf == run->group->series->tf))
			return true;
	}
	return false;
}

/* Says what keeps a table from being used, once for all loaders, and again when that changes. */
static void
tell_fault(struct load *l, const struct pg_table *t)
{
	char *logged = l->shared->logged[t->tf];

	(void)pthread_mutex_lock(&l->shared->lock);
	if (strcmp(t->fault, logged) != 0 && t->fault[0] != '\0')
		log_error("%s", t->fault);
	memcpy(logged, t->fault, sizeof l->shared->logged[0]);
	(void)pthread_mutex_unlock(&l->shared->lock);
}

/* Says once what a person should know of a table that can be used. */
static void
tell_notes(struct load *l, const struct pg_table *t)
{
	if (t->notes[0] != '\0' && t->fault[0] == '\0' &&
		!atomic_exchange(&l->shared->notes_logged[t->tf], true))
		log_warning("table %s: %s", timeframe_table(t->tf), t->notes);
}

/* Takes what another loader has read since; whether there was any. */
static bool
take_shared(struct load *l, struct pg_table *t)
{
	const struct pg_table *shared = &l->shared->table[t->tf];
	bool newer;

	(void)pthread_mutex_lock(&l->shared->lock);
	newer = shared->read_at > t->read_at && clock_mono_ms() - shared->read_at < RECHECK_MS;
	if (newer)
		pg_table_copy(t, shared);
	(void)pthread_mutex_unlock(&l->shared->lock);
	if (newer)
		tell_fault(l, t);
	return newer;
}

static void
give_shared(struct load *l, const struct pg_table *t)
{
	(void)pthread_mutex_lock(&l->shared->lock);
	pg_table_copy(&l->shared->table[t->tf], t);
	(void)pthread_mutex_unlock(&l->shared->lock);
}

static enum outcome
read_table(struct load *l, struct pg_table *t)
{
	enum outcome o;

	if (take_shared(l, t))
		return PG_OK;
	o = pg_begin(l->pg);
	if (o == PG_OK)
		o = pg_table_read(t, l->pg);
	if (o == PG_OK)
		o = pg_commit(l->pg);
	if (o == PG_OK) {
		give_shared(l, t);
		tell_fault(l, t);
		tell_notes(l, t);
	}
	return o;
}

/* What is known of a table is in doubt; what is read from now on is not. */
static void
doubt_table(struct pg_table *t)
{
	t->known = false;
	t->read_at = clock_mono_ms();
}

enum outcome
load_table(struct load *l, enum timeframe tf)
{
	struct pg_table *t = &l->table[tf];
	bool again = clock_mono_ms() - t->read_at >= RECHECK_MS;

	l->at = tf;
	return !t->known || again ? read_table(l, t) : PG_OK;
}

/* Sees to it that each table of the range is known; groups of bad ones get its fault. */
static enum outcome
read_tables(struct load *l, struct batch *b, struct range range)
{
	struct run run = {0};

	while (load_next(b, range, &run)) {
		struct pg_table *t = &l->table[run.group->series->tf];
		enum outcome o = load_table(l, t->tf);

		if (o != PG_OK)
			return o;
		if (t->fault[0] != '\0')
			batch_fail(run.group, t->fault);
	}
	return PG_OK;
}

static bool
is_turn(struct load *l, int patience_ms)
{
	return l->turn(l->turn_of, patience_ms) == TURN_COME;
}

static bool
has_parts(const struct load *l, const struct batch *b, struct range range)
{
	struct run run = {0};
	bool parts = false;

	while (load_next(b, range, &run))
		parts = parts || l->table[run.group->series->tf].parts;
	return parts;
}

/*
 * Whether a task's last bars, and what is counted and deleted for it, go in one transaction. What
 * is deleted must; what is only counted may cost no bar, and has to see what others stored before:
 * not every isolation shows what came since the transaction began.
 */
static bool
looks_inside(struct load *l, const struct batch *b, struct range range)
{
	bool removes = false;

	if (b->looks == 0 || range.end - range.first != b->slots)
		return false;
	for (size_t i = 0; i < b->groups.n; i++)
		removes = removes || (b->groups.p[i].look && b->groups.p[i].series->image.remove);
	return removes || (!b->apart && is_turn(l, 0));
}

/* One transaction; blind: nothing is read, all is taken for different. */
static enum outcome
run_transaction(struct load *l, struct batch *b, struct range range, bool blind)
{
	enum outcome o = read_tables(l, b, range);
	bool look = looks_inside(l, b, range);

	if (o == PG_OK)
		o = prepare_symbols(l, b, range);
	if (o == PG_OK && look)
		o = image_tables(l, b);
	b->looked = false;
	b->apart = b->apart || (look && o != PG_OK);
	/* Without anything to store there is nothing to go wrong. */
	if (o != PG_OK || !prepare_range(l, b, range, blind ? ROW_CHANGED : ROW_NEW))
		return o;
	l->transactions++;
	o = blind ? pg_begin(l->pg) : compare_range(l, b, range);
	for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++) {
		l->at = (enum timeframe)tf;
		o = write_table(l, b, &l->table[tf], range, blind);
	}
	/* What waits for a lock that this transaction holds must not be waited for: for one,
	 * whoever makes a chunk has it to himself. */
	if (o == PG_OK && !is_turn(l, has_parts(l, b, range) ? CHUNK_TURN_MS : TURN_MS))
		o = PG_STOP;
	if (o == PG_OK && look)
		o = image_look(l, b);
	if (o == PG_OK)
		o = pg_commit(l->pg);
	b->looked = look && o == PG_OK;
	b->apart = b->apart || (look && o != PG_OK);
	return o;
}

struct transaction {
	struct load *load;
	struct batch *batch;
	struct range range;
};

/* As many rows at once, and as much time, as a table needs that was too slow. */
static void
adapt(struct load *l, size_t rows, int64_t took_ms)
{
	int64_t limit = pg_allowed(l->pg);

	if (l->most <= SIZE_MAX / 2 && (MORE_ROWS * took_ms < limit || limit == 0))
		l->most *= 2;
	/* What one row takes may be what any number takes. */
	if (rows == 1 || MORE_TIME * took_ms < limit / MORE_TIME)
		pg_allow(l->pg, MORE_TIME * took_ms);
}

/* Tries once to store the range: on PG_OK it is committed, and what became of its rows is noted. */
static enum outcome
try_transaction(struct pg *pg, void *data)
{
	struct transaction *a = data;
	struct load *l = a->load;
	size_t rows = a->range.end - a->range.first;
	int64_t start = clock_mono_ms();
	enum outcome o = run_transaction(l, a->batch, a->range, false);

	/* Somebody else wrote some of these bars since they were read. */
	if (o == PG_DUPLICATE) {
		pg_rollback(pg);
		o = run_transaction(l, a->batch, a->range, true);
	}
	if (o == PG_OK) {
		batch_commit(a->batch, a->range.first, a->range.end);
		adapt(l, rows, clock_mono_ms() - start);
	}
	/* A range that takes too long is halved, like one that is refused; a row gets more time. */
	if (o == PG_SLOW && rows > 1) {
		l->most = (rows + 1) / 2;
		log_debug("%s: goes on with %zu rows at once", pg_why(pg), l->most);
		return PG_LARGE;
	}
	/* The next connection may find another server. */
	for (int tf = 0; tf < TF_COUNT && o == PG_LOST; tf++)
		doubt_table(&l->table[tf]);
	/* Another unique key of the table, which is not ours to go round. */
	return o == PG_DUPLICATE ? PG_DATA : o;
}

/* All groups of a table in the batch are given up. */
static void
fail_groups(struct batch *b, enum timeframe tf, const char *why)
{
	for (size_t i = 0; i < b->groups.n; i++) {
		if (b->groups.p[i].series->tf == tf)
			batch_fail(&b->groups.p[i], why);
	}
}

/*
 * A table failed. Perhaps it was made anew since its catalogue was read, so it is read again; the
 * second time its groups are given up. False the third time: then it is not the table.
 */
static bool
fail_table(struct load *l, struct batch *b)
{
	struct pg_table *t = &l->table[l->at];

	switch (l->failures[l->at]++) {
	case 0:
		doubt_table(t);
		return true;
	case 1:
		pg_table_fail(t, pg_why(l->pg));
		tell_fault(l, t);
		fail_groups(b, l->at, t->fault);
		return true;
	default:
		return false;
	}
}

/* Tries until the range is stored or refused, or Postgres is gone. */
static enum outcome
transact_patiently(struct load *l, struct batch *b, struct range range)
{
	struct transaction a = {l, b, range};
	enum outcome o = pg_patiently(l->pg, try_transaction, &a);

	while (o == PG_TABLE)
		o = fail_table(l, b) ? pg_patiently(l->pg, try_transaction, &a) : PG_DATA;
	return o;
}

/* Where to cut a range in two: between groups as long as there are several. */
static size_t
middle_slot(const struct batch *b, struct range r)
{
	size_t mid = r.first + (r.end - r.first) / 2;
	const struct group *g = batch_group_at(b, mid);

	if (batch_group_at(b, r.first) == batch_group_at(b, r.end - 1))
		return mid;
	return g->first > r.first ? g->first : g->first + g->count;
}

/* A single bar did not go in. */
static void
give_up(struct load *l, struct batch *b, size_t slot, enum outcome o)
{
	if (o == PG_DATA)
		batch_refuse(b, slot, pg_why(l->pg));
	else
		batch_fail(batch_group_at(b, slot), pg_why(l->pg));
}

/*
 * Stores a range. refused: Postgres refuses it as a whole, so that need not be tried again. *clean
 * tells whether all of it went in.
 */
static enum outcome
load_range(struct load *l, struct batch *b, struct range range, bool refused, bool *clean)
{
	bool large = range.end - range.first > l->most, rest = false;
	enum outcome o = large ? PG_LARGE : PG_DATA;
	size_t mid;

	if ((!refused && !large) || range.end - range.first == 1) {
		o = transact_patiently(l, b, range);
		*clean = o == PG_OK;
		if (o != PG_DATA && o != PG_LARGE)
			return o;
		if (range.end - range.first == 1) {
			give_up(l, b, range.first, o);
			return PG_OK;
		}
	}
	/* If the first half goes in, an offence is in the second; what was too much is not. */
	refused = o == PG_DATA;
	mid = middle_slot(b, range);
	o = load_range(l, b, (struct range){range.first, mid}, false, clean);
	if (o == PG_OK)
		o = load_range(l, b, (struct range){mid, range.end}, refused && *clean, &rest);
	*clean = *clean && rest;
	return o;
}

/* After the COMMIT, what else the tables hold. */
static enum outcome
look_at_series(struct load *l, struct batch *b)
{
	if ((b->looks == 0 && b->ask == 0) || b->looked)
		return PG_OK;
	return is_turn(l, TURN_MS) ? image_look_after(l, b) : PG_STOP;
}

enum outcome
load_batch(struct load *l, struct batch *b)
{
	uint64_t before = l->transactions;
	enum outcome o;
	bool clean;

	memset(l->failures, 0, sizeof l->failures);
	if (b->slots == 0)
		return look_at_series(l, b);
	o = load_range(l, b, (struct range){0, b->slots}, false, &clean);
	log_debug("batch rows=%zu series=%zu transactions=%" PRIu64, b->slots, b->groups.n,
		l->transactions - before);
	return o == PG_OK ? look_at_series(l, b) : o;
}
