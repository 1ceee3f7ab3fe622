/*
 * The page writes its "submitted" after it has published, and a job that was heard just after the
 * gap may still be on its way through the pipe, so the search begins some seconds after the gap's
 * record.
 */
#include "gaps.h"

#include "log.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 2000, AGAIN_MS = 1000, SLACK_S = 1, DEAD_S = 60 };

enum { PREFIX = sizeof "tickstock.jobs.status:" - 1 };

/* A hash that is being looked at. */
struct check {
	struct gaps *gaps;
	struct buffer key;
};

static void
look_soon(struct gaps *g, int64_t now)
{
	g->again = g->redis != NULL;
	g->pending = true;
	g->due = now + WAIT_MS;
}

void
gaps_add(struct gaps *g, int64_t from, int64_t to, int64_t now)
{
	if (!g->any || from - SLACK_S < g->from)
		g->from = from - SLACK_S;
	if (!g->any || to + SLACK_S > g->to)
		g->to = to + SLACK_S;
	g->any = true;
	look_soon(g, now);
}

void
gaps_sweep(struct gaps *g, int64_t now)
{
	g->sweep = true;
	look_soon(g, now);
}

int64_t
gaps_deadline(const struct gaps *g)
{
	return g->pending && g->redis == NULL ? g->due : INT64_MAX;
}

static void search_hashes(struct gaps *);

/* All answers of one round are there: on to the next, or to the end. */
static void
round_over(struct gaps *g)
{
	int64_t now = clock_mono_ms();

	if (g->checks > 0)
		return;
	if (!g->broken && !slice_is(buffer_slice(&g->cursor), "0")) {
		search_hashes(g);
		return;
	}
	g->redis = NULL;
	g->due = now + AGAIN_MS;
	if (!g->refused && (g->broken || g->again))
		return;
	g->pending = g->sweep = g->any = false;
	if (g->failed > 0)
		log_warning("%" PRIu64 " jobs were published while no listener ran: set to failed",
			g->failed);
	if (g->interrupted > 0)
		log_warning("%" PRIu64
			    " jobs were interrupted by the death of their loader: set to failed",
			g->interrupted);
	g->failed = g->interrupted = 0;
}

static void
fail_job(struct check *c, const char *message)
{
	char now[TIMESTAMP_SIZE];
	struct slice time = slice_of(timestamp_local(now, clock_wall()));
	struct slice key = buffer_slice(&c->key);

	(void)REDIS_CALL(c->gaps->redis, NULL, NULL, slice_of("HSET"), key, slice_of("status"),
		slice_of("failed"), slice_of("message"), slice_of(message),
		slice_of("completed_at"), time, slice_of("timestamp"), time);
	(void)REDIS_CALL(c->gaps->redis, NULL, NULL, slice_of("EXPIRE"), key, slice_of("86400"));
}

/* A number of the hash; 0 where it has none. */
static uint64_t
number_at(const struct redis_reply *reply, size_t i)
{
	uint64_t n;

	return slice_count(redis_text(redis_item(reply, i)), &n) == 0 ? n : 0;
}

/* Whether a local time lies between two instants. An autumn night has some local times twice. */
static bool
lies_in(const struct redis_reply *time, int64_t from, int64_t to)
{
	int64_t at[2];

	if (timestamp_parse_local(redis_text(time), at) != 0)
		return false;
	return (at[0] >= from && at[0] <= to) || (at[1] >= from && at[1] <= to);
}

/* The fields that are looked at, in this order. */
enum { STATUS, SUBMITTED, STAMP, LOADER, TOTAL, STORED, FAILED, FIELDS };

static void
judge_hash(struct check *c, const struct redis_reply *reply)
{
	struct gaps *g = c->gaps;
	struct slice status = redis_text(redis_item(reply, STATUS));
	int64_t dead = clock_wall() - DEAD_S;
	char text[120];

	if (slice_is(status, "submitted")) {
		const struct redis_reply *at = redis_item(reply, SUBMITTED);

		if (!(g->any && lies_in(at, g->from, g->to)) &&
			!(g->sweep && lies_in(at, INT64_MIN, dead)))
			return;
		fail_job(c, "published while no listener ran");
		g->failed++;
	} else if (slice_is(status, "running") && g->sweep &&
		   redis_text(redis_item(reply, LOADER)).p != NULL &&
		   lies_in(redis_item(reply, STAMP), INT64_MIN, dead)) {
		(void)snprintf(text, sizeof text,
			"interrupted at %" PRIu64 " of %" PRIu64 " tasks: publish it again",
			(number_at(reply, STORED) + number_at(reply, FAILED)),
			number_at(reply, TOTAL));
		fail_job(c, text);
		g->interrupted++;
	}
}

static void
on_check(void *data, const struct redis_reply *reply)
{
	struct check *c = data;
	struct gaps *g = c->gaps;
	struct slice id = {c->key.p + PREFIX, c->key.len - PREFIX};

	if (reply == NULL)
		g->broken = true;
	else if (redis_kind(reply) == REDIS_KIND_ARRAY && !progress_knows(g->progress, id) &&
		 (g->spool == NULL || !spool_has(g->spool, id)))
		judge_hash(c, reply);
	buffer_release(&c->key);
	free(c);
	g->checks--;
	round_over(g);
}

static void
check_hash(struct gaps *g, struct slice key)
{
	struct check *c = memory_grow(NULL, 1, sizeof *c);
	struct slice words[2 + FIELDS] = {slice_of("HMGET"), key, slice_of("status"),
		slice_of("submitted_at"), slice_of("timestamp"), slice_of("loader"),
		slice_of("total_tasks"), slice_of("stored_tasks"), slice_of("failed_tasks")};

	*c = (struct check){.gaps = g};
	buffer_add(&c->key, key.p, key.n);
	if (redis_call(g->redis, on_check, c, words, 2 + FIELDS) == 0) {
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
	const struct redis_reply *cursor = redis_item(reply, 0);
	const struct redis_reply *keys = redis_item(reply, 1);
	const struct redis_reply *key;

	g->checks--;
	if (cursor == NULL || keys == NULL) {
		g->broken = true;
		g->refused = redis_is_error(reply, "NOPERM");
		if (g->refused)
			log_error("abandoned jobs cannot be looked for: %s", redis_text(reply).p);
		round_over(g);
		return;
	}
	buffer_set(&g->cursor, redis_text(cursor));
	for (size_t i = 0; (key = redis_item(keys, i)) != NULL; i++) {
		if (redis_text(key).n > PREFIX)
			check_hash(g, redis_text(key));
	}
	round_over(g);
}

static void
search_hashes(struct gaps *g)
{
	if (REDIS_CALL(g->redis, on_scan, g, slice_of("SCAN"), buffer_slice(&g->cursor),
		    slice_of("MATCH"), slice_of("tickstock.jobs.status:*"), slice_of("COUNT"),
		    slice_of("100")) == 0) {
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
	buffer_set(&g->cursor, slice_of("0"));
	search_hashes(g);
}
