/*
 * One consumer, whose name never changes: what was delivered to an earlier life and not
 * acknowledged is found under it. While a read waits in the server nothing behind it is answered,
 * so it is asked last, and not for long.
 */
#include "stream.h"

#include "log.h"
#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries that may be in hand; with so many that could not be kept no more are taken. */
enum { HELD_MAX = 1000 };
#define PAGE "100"
#define BLOCK_MS "2000" /* less than REDIS_PATIENCE_MS */

void
stream_release(struct stream *s)
{
	redis_free(s->link.redis);
	free(s->held.p);
}

static void
on_group(void *data, const struct redis_reply *reply)
{
	struct stream *s = data;

	if (reply == NULL)
		return;
	if (redis_kind(reply) == REDIS_KIND_ERROR && !redis_is_error(reply, "BUSYGROUP")) {
		/* NOPERM, WRONGTYPE, no streams. */
		redis_link_refuse(&s->link, redis_text(reply).p);
		return;
	}
	if (!s->link.ever)
		log_info("taking jobs of the stream %s", s->key);
	s->ready = true;
	redis_link_recovered(&s->link, clock_mono_ms());
}

static void
make_group(struct stream *s)
{
	s->ready = s->asked = s->fresh = false;
	(void)snprintf(s->last, sizeof s->last, "0");
	for (size_t i = 0; i < s->held.n; i++)
		s->held.p[i].sent = false;
	(void)REDIS_CALL(s->link.redis, on_group, s, slice_of("XGROUP"), slice_of("CREATE"),
		slice_of(s->key), slice_of("listen"), slice_of("0"), slice_of("MKSTREAM"));
}

static void
on_acknowledged(void *data, const struct redis_reply *reply)
{
	struct stream *s = data;
	size_t i = 0;

	if (reply == NULL)
		return;
	if (redis_kind(reply) == REDIS_KIND_ERROR) {
		redis_abandon(s->link.redis, redis_text(reply).p);
		return;
	}
	/* Answers come in the order of the questions. */
	while (!s->held.p[i].sent)
		i++;
	s->held.n--;
	memmove(&s->held.p[i], &s->held.p[i + 1], (s->held.n - i) * sizeof s->held.p[0]);
}

static void
acknowledge_entries(struct stream *s)
{
	for (size_t i = 0; i < s->held.n; i++) {
		struct stream_entry *e = &s->held.p[i];

		if (!e->kept || e->sent)
			continue;
		e->sent = true;
		(void)REDIS_CALL(s->link.redis, on_acknowledged, s, slice_of("XACK"),
			slice_of(s->key), slice_of("listen"), slice_of(e->id));
	}
}

static bool
is_held(const struct stream *s, const char *id)
{
	for (size_t i = 0; i < s->held.n; i++) {
		if (strcmp(s->held.p[i].id, id) == 0)
			return true;
	}
	return false;
}

/* The field `job`; absent where there is none, or the entry is not there any more. */
static struct slice
job_of(const struct redis_reply *fields)
{
	const struct redis_reply *name;

	for (size_t i = 0; (name = redis_item(fields, i)) != NULL; i += 2) {
		if (slice_is(redis_text(name), "job"))
			return redis_text(redis_item(fields, i + 1));
	}
	return (struct slice){0};
}

static void
take_entry(struct stream *s, const struct redis_reply *entry)
{
	const struct redis_reply *id = redis_item(entry, 0);
	struct slice text = job_of(redis_item(entry, 1));
	struct stream_entry *e;

	(void)snprintf(s->last, sizeof s->last, "%s", redis_text(id).p);
	if (is_held(s, s->last))
		return;
	e = array_add(&s->held);
	*e = (struct stream_entry){.kept = true};
	memcpy(e->id, s->last, sizeof e->id);
	if (text.p == NULL)
		log_warning("stream entry %s dropped: it has no field job", s->last);
	else
		e->kept = s->take(s->ctx, text);
}

static void
on_entries(void *data, const struct redis_reply *reply)
{
	struct stream *s = data;
	const struct redis_reply *entry;
	size_t n = 0;

	s->asked = false;
	if (reply == NULL)
		return;
	if (redis_is_error(reply, "NOGROUP") || redis_is_error(reply, "UNBLOCKED")) {
		/* Somebody has removed the stream. */
		make_group(s);
		return;
	}
	if (redis_kind(reply) == REDIS_KIND_ERROR) {
		redis_abandon(s->link.redis, redis_text(reply).p);
		return;
	}
	for (; (entry = redis_stream_entry(reply, n)) != NULL; n++)
		take_entry(s, entry);
	s->fresh = s->fresh || n == 0;
}

static void
ask_entries(struct stream *s)
{
	s->asked = true;
	(void)REDIS_CALL(s->link.redis, on_entries, s, slice_of("XREADGROUP"), slice_of("GROUP"),
		slice_of("listen"), slice_of("listen"), slice_of("COUNT"), slice_of(PAGE),
		slice_of("BLOCK"), slice_of(BLOCK_MS), slice_of("STREAMS"), slice_of(s->key),
		slice_of(s->fresh ? ">" : s->last));
}

/* Whether there is something to acknowledge, or more to ask for. */
static bool
is_due(const struct stream *s)
{
	bool some = s->held.n < HELD_MAX;

	for (size_t i = 0; i < s->held.n && !some; i++)
		some = s->held.p[i].kept && !s->held.p[i].sent;
	return some && s->ready && !s->asked && redis_ready(s->link.redis);
}

void
stream_serve(struct stream *s, short revents, int64_t now)
{
	enum redis_event event;

	if (is_due(s)) {
		acknowledge_entries(s);
		if (s->held.n < HELD_MAX)
			ask_entries(s);
	}
	event = redis_link_serve(&s->link, revents, now);
	if (event == REDIS_EVENT_READY)
		make_group(s);
	else if (event != REDIS_EVENT_NONE)
		s->ready = s->asked = false;
}

int64_t
stream_deadline(const struct stream *s)
{
	return is_due(s) ? 0 : redis_link_deadline(&s->link);
}
