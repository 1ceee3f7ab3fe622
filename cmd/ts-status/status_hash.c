/* The life of one status hash. */
#include "status_hash.h"

#include "log.h"
#include "timestamp.h"

#include <stdlib.h>

enum {
	MERGE_MS = 100, /* a running job is written no more often */
	PULSE_MS = 5000, /* and no less often */
	RESTORES = 10,  /* nobody wins a war of writers */
};

/* When the hash is verified, after the last write. */
static const int verify_ms[] = {100, 300, 1000, 2000, 3000, 5000};

enum { VERIFIES = sizeof verify_ms / sizeof verify_ms[0] };

static const char key_prefix[] = "tickstock.jobs.status:";

struct status_hash *
status_hash_new(struct status_shared *s, struct job *j)
{
	struct status_hash *h = memory_grow(NULL, 1, sizeof *h);

	*h = (struct status_hash){.shared = s, .job = j};
	buffer_str(&h->key, key_prefix);
	buffer_add(&h->key, j->id.p, j->id.len);
	return h;
}

void
status_hash_free(struct status_hash *h)
{
	if (h == NULL)
		return;
	buffer_release(&h->key);
	free(h);
}

void
status_hash_changed(struct status_hash *h, struct job *j, bool started, int64_t now)
{
	h->job = j;
	h->dirty = true;
	if (started) {
		h->written = h->submitted = h->verified = false;
		h->wrote = now - MERGE_MS;
		h->restores = 0;
	}
}

bool
status_hash_written(const struct status_hash *h)
{
	return !h->dirty && !h->writing;
}

bool
status_hash_quiet(const struct status_hash *h)
{
	return h->verify == VERIFIES;
}

static bool
running(const struct status_hash *h)
{
	return h->job->status == JOB_RUNNING;
}

static void
heard_refusal(struct status_shared *s, const struct redis_reply *reply)
{
	backoff_failed(&s->hold, clock_mono_ms());
	if (s->refusing)
		return;
	s->refusing = true;
	meter_hide(s->meter);
	log_warning("Redis refuses to write: %s; trying again until it does", redis_text(reply).p);
}

static void
replace_key(struct status_hash *h)
{
	struct slice words[] = {slice_of("DEL"), buffer_slice(&h->key)};

	meter_hide(h->shared->meter);
	log_info("replaced a key that was no hash: %s", buffer_cstr(&h->key));
	(void)redis_call(h->shared->redis, NULL, NULL, words, 2);
	h->dirty = true;
}

static void
on_written(void *data, const struct redis_reply *reply)
{
	struct status_hash *h = data;
	struct status_shared *s = h->shared;

	h->writing = false;
	if (reply == NULL) {
		h->dirty = true;
	} else if (redis_is_error(reply, "WRONGTYPE")) {
		replace_key(h);
	} else if (redis_kind(reply) == REDIS_KIND_ERROR) {
		h->dirty = true;
		heard_refusal(s, reply);
	} else {
		h->wrote = clock_mono_ms();
		if (!h->written)
			h->first = h->wrote;
		h->written = true;
		h->verify = 0;
		if (s->refusing) {
			meter_hide(s->meter);
			log_info("Redis takes writes again");
		}
		s->refusing = false;
		backoff_succeeded(&s->hold, h->wrote);
	}
}

static bool
says_submitted(const struct redis_reply *reply)
{
	const struct redis_reply *status = reply == NULL ? NULL : redis_item(reply, 0);

	return status != NULL && slice_is(redis_text(status), "submitted");
}

/* What stood there before a write. */
static void
on_before(void *data, const struct redis_reply *reply)
{
	struct status_hash *h = data;

	h->submitted = h->submitted || says_submitted(reply);
}

/* What stands there some time after a write: if it is not ours, ours is put back. */
static void
on_verify(void *data, const struct redis_reply *reply)
{
	struct status_hash *h = data;
	const struct redis_reply *status, *stamp;

	h->verifying = false;
	if (reply == NULL || h->dirty || h->writing)
		return;
	status = redis_item(reply, 0);
	stamp = redis_item(reply, 1);
	h->submitted = h->submitted || says_submitted(reply);
	if (status != NULL && stamp != NULL && slice_is(redis_text(stamp), h->stamp) &&
		slice_is(redis_text(status), summary_status(h->status, h->shared->plain)))
		return;
	if (h->restores++ >= RESTORES)
		return;
	log_debug("put the status back: %s", buffer_cstr(&h->key));
	h->dirty = true;
}

static void
read_status(struct status_hash *h, redis_fn *fn)
{
	struct slice words[] = {slice_of("HMGET"), buffer_slice(&h->key), slice_of("status"),
		slice_of("timestamp")};

	(void)redis_call(h->shared->redis, fn, h, words, 4);
}

/* submitted_at is the page's; where it left none, the time at which the message came. */
static void
write_submitted(struct status_hash *h)
{
	char time[TIMESTAMP_SIZE];
	int64_t received;
	struct slice words[] = {slice_of("HSETNX"), buffer_slice(&h->key), slice_of("submitted_at"),
		{0}};

	if (timestamp_parse(buffer_slice(&h->job->received_at), &received) != 0)
		return;
	words[3] = slice_of(timestamp_local(time, received));
	(void)redis_call(h->shared->redis, NULL, NULL, words, 4);
}

static void
write_job(struct status_hash *h)
{
	struct status_shared *s = h->shared;
	int64_t wall = clock_wall();
	struct slice words[2 + 2 * SUMMARY_FIELDS] = {slice_of("HSET"), buffer_slice(&h->key)};
	struct slice stale[] = {slice_of("HDEL"), words[1], slice_of("completed_at")};
	struct slice expire[] = {slice_of("EXPIRE"), words[1], slice_of("86400")};

	read_status(h, on_before);
	/* Of an earlier job with this id. */
	if (running(h) && !h->written)
		(void)redis_call(s->redis, NULL, NULL, stale, 3);
	summary_fields(h->job, s->plain, wall, &s->fields);
	for (int i = 0; i < s->fields.n; i++)
		words[2 + i] = fields_at(&s->fields, i);
	h->dirty = false;
	h->status = h->job->status;
	(void)timestamp_local(h->stamp, wall);
	if (redis_call(s->redis, on_written, h, words, 2 + s->fields.n) != 0) {
		h->dirty = true;
		return;
	}
	h->writing = true;
	write_submitted(h);
	(void)redis_call(s->redis, NULL, NULL, expire, 3);
}

int64_t
status_hash_due(const struct status_hash *h)
{
	if (h->writing)
		return INT64_MAX;
	if (h->dirty) {
		/* An end is told at once; a running job's news can wait for more of it. */
		int64_t due = running(h) ? h->wrote + MERGE_MS : 0;

		return due > h->shared->hold.due ? due : h->shared->hold.due;
	}
	if (running(h)) {
		if (!h->verified && !h->verifying)
			return h->first + 1000;
		return h->wrote + PULSE_MS;
	}
	return h->verify < VERIFIES && !h->verifying ? h->wrote + verify_ms[h->verify] : INT64_MAX;
}

void
status_hash_serve(struct status_hash *h, int64_t now)
{
	if (redis_room(h->shared->redis) < STATUS_HASH_REQUESTS || now < status_hash_due(h))
		return;
	if (h->dirty || (running(h) && now >= h->wrote + PULSE_MS)) {
		write_job(h);
		return;
	}
	if (running(h))
		h->verified = true;
	else
		h->verify++;
	h->verifying = true;
	read_status(h, on_verify);
}
