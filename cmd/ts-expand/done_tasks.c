/* What need not be done again after a crash. */
#include "done_tasks.h"

#include "buffer.h"
#include "record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct key {
	struct slice symbol;
	struct slice timeframe;
};

struct done_tasks {
	struct spool *spool;
	struct record_parser *parser;
	struct buffer text; /* the notes as they stand; keys point into it or into decoded */
	struct buffer decoded;
	ARRAY(struct key) keys;
	char run[24];
};

struct done_tasks *
done_tasks_new(struct spool *spool)
{
	struct done_tasks *t = memory_grow(NULL, 1, sizeof *t);

	*t = (struct done_tasks){.spool = spool, .parser = record_parser_new()};
	return t;
}

void
done_tasks_free(struct done_tasks *t)
{
	if (t == NULL)
		return;
	record_parser_free(t->parser);
	buffer_release(&t->text);
	buffer_release(&t->decoded);
	free(t->keys.p);
	free(t);
}

static void
keep_line(void *ctx, struct slice line)
{
	struct done_tasks *t = ctx;

	buffer_add(&t->text, line.p, line.n);
	buffer_byte(&t->text, '\n');
}

static struct slice
copy_text(struct buffer *b, struct slice s)
{
	struct slice c = {b->p + b->len, s.n};

	buffer_add(b, s.p, s.n);
	return c;
}

static void
add_key(struct done_tasks *t, struct slice line)
{
	struct record r;

	/* A line that a crash left unreadable notes nothing: its task is done again. */
	if (record_parse(t->parser, line, RECORD_BIT(RECORD_STORED) | RECORD_BIT(RECORD_FAILED),
		    &r) != NULL ||
		r.symbol.p == NULL || r.timeframe.p == NULL)
		return;
	*array_add(&t->keys) =
		(struct key){copy_text(&t->decoded, r.symbol), copy_text(&t->decoded, r.timeframe)};
}

static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int c = slice_cmp(x->symbol, y->symbol);

	return c != 0 ? c : slice_cmp(x->timeframe, y->timeframe);
}

int
done_tasks_load(struct done_tasks *t, struct slice job_id)
{
	size_t start = 0;

	t->keys.n = t->text.len = t->decoded.len = 0;
	if (t->spool == NULL)
		return 0;
	if (spool_notes(t->spool, job_id, keep_line, t) != SPOOL_OK)
		return -1;
	/* Names are never longer than their line, so the buffer has room for all and does not move.
	 */
	(void)buffer_room(&t->decoded, t->text.len);
	for (size_t i = 0; i < t->text.len; i++) {
		if (t->text.p[i] == '\n') {
			add_key(t, (struct slice){t->text.p + start, i - start});
			start = i + 1;
		}
	}
	if (t->keys.n > 0)
		qsort(t->keys.p, t->keys.n, sizeof *t->keys.p, compare_keys);
	return 0;
}

struct slice
done_tasks_run(struct done_tasks *t, struct slice job_id)
{
	int64_t accepted = t->spool == NULL ? -1 : spool_accepted(t->spool, job_id);

	if (accepted < 0)
		return (struct slice){0};
	(void)snprintf(t->run, sizeof t->run, "%" PRId64, accepted);
	return slice_of(t->run);
}

bool
done_tasks_has(const struct done_tasks *t, struct slice symbol, struct slice timeframe)
{
	struct key k = {symbol, timeframe};

	return t->keys.n > 0 &&
	       bsearch(&k, t->keys.p, t->keys.n, sizeof *t->keys.p, compare_keys) != NULL;
}
