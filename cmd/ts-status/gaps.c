/*
 * The page writes its "submitted" after it has published, and a job that was heard just after the gap
 * may still be on its way through the pipe, so the search begins some seconds after the gap's record.
 */
#include "gaps.h"

#include "log.h"
#include "timestamp.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 2000, AGAIN_MS = 1000, SLACK_S = 1 };

enum { PREFIX = sizeof "tickstock.jobs.status:" - 1 };

struct gaps {
	const struct progress *progress;
	struct redis *redis; /* while a search is under way */
	bool pending;
	bool again; /* another gap came during the search */
	int64_t from, to; /* all pending gaps, as one */
	int64_t due;
	unsigned checks; /* hashes whose answer is awaited */
	struct buffer cursor;
	bool broken; /* the connection was lost during the search */
	uint64_t failed;
};

/* A hash that is being looked at. */
struct check {
	struct gaps *gaps;
	struct buffer key;
};

struct gaps *
gaps_new(const struct progress *p)
{
	struct gaps *g = memory_grow(NULL, 1, sizeof *g);

	*g = (struct gaps){.progress = p};
	return g;
}

void
gaps_free(struct gaps *g)
{
	if (g == NULL)
		return;
	buffer_release(&g->cursor);
	free(g);
}

void
gaps_add(struct gaps *g, int64_t from, int64_t to, int64_t now)
{
	if (!g->pending || from - SLACK_S < g->from)
		g->from = from - SLACK_S;
	if (!g->pending || to + SLACK_S > g->to)
		g->to = to + SLACK_S;
	g->again = g->redis != NULL;
	g->pending = true;
	g->due = now + WAIT_MS;
}

void
gaps_search_now(struct gaps *g)
{
	if (g->redis == NULL)
		g->due = 0;
}

bool
gaps_pending(const struct gaps *g)
{
	return g->pending;
}

int64_t
gaps_deadline(const struct gaps *g)
{
	return g->pending && g->redis == NULL ? g->due : INT64_MAX;
}

static void search(struct gaps *);

/* All answers of one round are there: on to the next, or to the end. */
static void
round_over(struct gaps *g)
{
	int64_t now = clock_mono_ms();

	if (g->checks > 0)
		return;
	if (!g->broken && !slice_is(buffer_slice(&g->cursor), "0")) {
		search(g);
		return;
	}
	g->redis = NULL;
	g->due = now + AGAIN_MS;
	if (g->broken || g->again)
		return;
	g->pending = false;
	if (g->failed > 0)
		log_warning("%llu jobs were published while no listener ran: set to failed",
			(unsigned long long)g->failed);
	g->failed = 0;
}

static void
fail(struct check *c)
{
	char now[TIMESTAMP_SIZE];
	struct slice time = slice_of(timestamp_local(now, clock_wall()));
	struct slice words[] = {slice_of("HSET"), buffer_slice(&c->key), slice_of("status"),
		slice_of("failed"), slice_of("message"),
		slice_of("published while no listener ran"), slice_of("completed_at"), time,
		slice_of("timestamp"), time};
	struct slice expire[] = {slice_of("EXPIRE"), words[1], slice_of("86400")};

	(void)redis_call(c->gaps->redis, NULL, NULL, words, 10);
	(void)redis_call(c->gaps->redis, NULL, NULL, expire, 3);
	c->gaps->failed++;
}

static void
on_check(void *data, const struct redis_reply *reply)
{
	struct check *c = data;
	struct gaps *g = c->gaps;
	struct slice id = {c->key.p + PREFIX, c->key.len - PREFIX};
	int64_t at;

	if (reply == NULL) {
		g->broken = true;
	} else if (redis_item(reply, 0) != NULL && redis_item(reply, 1) != NULL &&
		   slice_is(redis_text(redis_item(reply, 0)), "submitted") &&
		   timestamp_parse_local(redis_text(redis_item(reply, 1)), &at) == 0 &&
		   at >= g->from && at <= g->to && !progress_knows(g->progress, id)) {
		fail(c);
	}
	buffer_release(&c->key);
	free(c);
	g->checks--;
	round_over(g);
}

static void
check(struct gaps *g, struct slice key)
{
	struct check *c = memory_grow(NULL, 1, sizeof *c);
	struct slice words[] = {slice_of("HMGET"), key, slice_of("status"), slice_of("submitted_at")};

	*c = (struct check){.gaps = g};
	buffer_add(&c->key, key.p, key.n);
	if (redis_call(g->redis, on_check, c, words, 4) == 0) {
		g->checks++;
		return;
	}
	g->broken = true;
	buffer_release(&c->key);
	free(c);
}

static void
on_scan(void *data, const struct redis_reply *reply)
{
	struct gaps *g = data;
	const struct redis_reply *cursor = reply == NULL ? NULL : redis_item(reply, 0);
	const struct redis_reply *keys = reply == NULL ? NULL : redis_item(reply, 1);
	const struct redis_reply *key;

	g->checks--;
	if (cursor == NULL || keys == NULL) {
		g->broken = true;
		round_over(g);
		return;
	}
	g->cursor.len = 0;
	buffer_add(&g->cursor, redis_text(cursor).p, redis_text(cursor).n);
	for (size_t i = 0; (key = redis_item(keys, i)) != NULL; i++) {
		if (redis_text(key).n > PREFIX)
			check(g, redis_text(key));
	}
	round_over(g);
}

static void
search(struct gaps *g)
{
	struct slice words[] = {slice_of("SCAN"), buffer_slice(&g->cursor), slice_of("MATCH"),
		slice_of("tickstock.jobs.status:*"), slice_of("COUNT"), slice_of("100")};

	if (redis_call(g->redis, on_scan, g, words, 6) == 0) {
		g->checks++;
		return;
	}
	g->broken = true;
	round_over(g);
}

void
gaps_serve(struct gaps *g, struct redis *redis, int64_t now)
{
	if (!g->pending || g->redis != NULL || now < g->due || !redis_ready(redis))
		return;
	g->redis = redis;
	g->broken = g->again = false;
	g->cursor.len = 0;
	buffer_str(&g->cursor, "0");
	search(g);
}
