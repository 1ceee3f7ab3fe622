/* The life of one status hash. */
#include "watch.h"

#include "log.h"
#include "timestamp.h"

#include <stdlib.h>

enum {
	MERGE_MS = 100, /* a running job is written no more often */
	PULSE_MS = 5000, /* and no less often */
	RESTORES = 10,  /* nobody wins a war of writers */
};

/* When the hash is looked at again, after the last write. */
static const int looks[] = {100, 300, 1000, 2000, 3000, 5000};

enum { LOOKS = sizeof looks / sizeof looks[0] };

static const char key_prefix[] = "tickstock.jobs.status:";

struct watch *
watch_new(struct board *b, struct job *j)
{
	struct watch *w = memory_grow(NULL, 1, sizeof *w);

	*w = (struct watch){.board = b, .job = j};
	buffer_str(&w->key, key_prefix);
	buffer_add(&w->key, j->id.p, j->id.len);
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	buffer_release(&w->key);
	free(w);
}

void
watch_changed(struct watch *w, struct job *j, bool started, int64_t now)
{
	w->job = j;
	w->dirty = true;
	if (started) {
		w->written = w->submitted = w->early = false;
		w->wrote = now - MERGE_MS;
		w->restores = 0;
	}
}

bool
watch_written(const struct watch *w)
{
	return !w->dirty && !w->writing;
}

bool
watch_quiet(const struct watch *w)
{
	return w->look == LOOKS;
}

static bool
running(const struct watch *w)
{
	return w->job->status == JOB_RUNNING;
}

static void
heard_refusal(struct board *b, const struct redis_reply *reply)
{
	backoff_failed(&b->hold, clock_mono_ms());
	if (b->refusing)
		return;
	b->refusing = true;
	meter_hide(b->meter);
	log_warning("Redis refuses to write: %s; trying again until it does", redis_text(reply).p);
}

static void
replace_key(struct watch *w)
{
	struct slice words[] = {slice_of("DEL"), buffer_slice(&w->key)};

	meter_hide(w->board->meter);
	log_info("replaced a key that was no hash: %s", buffer_cstr(&w->key));
	(void)redis_call(w->board->redis, NULL, NULL, words, 2);
	w->dirty = true;
}

static void
on_written(void *data, const struct redis_reply *reply)
{
	struct watch *w = data;
	struct board *b = w->board;

	w->writing = false;
	if (reply == NULL) {
		w->dirty = true;
	} else if (redis_is_error(reply, "WRONGTYPE")) {
		replace_key(w);
	} else if (redis_kind(reply) == REDIS_KIND_ERROR) {
		w->dirty = true;
		heard_refusal(b, reply);
	} else {
		w->wrote = clock_mono_ms();
		if (!w->written)
			w->first = w->wrote;
		w->written = true;
		w->look = 0;
		if (b->refusing) {
			meter_hide(b->meter);
			log_info("Redis takes writes again");
		}
		b->refusing = false;
		backoff_succeeded(&b->hold, w->wrote);
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
	struct watch *w = data;

	w->submitted = w->submitted || says_submitted(reply);
}

/* What stands there some time after a write: if it is not ours, ours is put back. */
static void
on_look(void *data, const struct redis_reply *reply)
{
	struct watch *w = data;
	const struct redis_reply *status, *stamp;

	w->looking = false;
	if (reply == NULL || w->dirty || w->writing)
		return;
	status = redis_item(reply, 0);
	stamp = redis_item(reply, 1);
	w->submitted = w->submitted || says_submitted(reply);
	if (status != NULL && stamp != NULL && slice_is(redis_text(stamp), w->stamp) &&
		slice_is(redis_text(status), report_status(w->status, w->board->plain)))
		return;
	if (w->restores++ >= RESTORES)
		return;
	log_debug("put the status back: %s", buffer_cstr(&w->key));
	w->dirty = true;
}

static void
look(struct watch *w, redis_fn *fn)
{
	struct slice words[] = {slice_of("HMGET"), buffer_slice(&w->key), slice_of("status"),
		slice_of("timestamp")};

	(void)redis_call(w->board->redis, fn, w, words, 4);
}

/* submitted_at is the page's; where it left none, the time at which the message came. */
static void
write_submitted(struct watch *w)
{
	char time[TIMESTAMP_SIZE];
	int64_t received;
	struct slice words[] = {slice_of("HSETNX"), buffer_slice(&w->key), slice_of("submitted_at"),
		{0}};

	if (timestamp_parse(buffer_slice(&w->job->received_at), &received) != 0)
		return;
	words[3] = slice_of(timestamp_local(time, received));
	(void)redis_call(w->board->redis, NULL, NULL, words, 4);
}

static void
write_job(struct watch *w)
{
	struct board *b = w->board;
	int64_t wall = clock_wall();
	struct slice words[2 + 2 * REPORT_FIELDS] = {slice_of("HSET"), buffer_slice(&w->key)};
	struct slice stale[] = {slice_of("HDEL"), words[1], slice_of("completed_at")};
	struct slice expire[] = {slice_of("EXPIRE"), words[1], slice_of("86400")};

	look(w, on_before);
	/* Of an earlier job with this id. */
	if (running(w) && !w->written)
		(void)redis_call(b->redis, NULL, NULL, stale, 3);
	report_fields(w->job, b->plain, wall, &b->fields);
	for (int i = 0; i < b->fields.n; i++)
		words[2 + i] = fields_at(&b->fields, i);
	w->dirty = false;
	w->status = w->job->status;
	(void)timestamp_local(w->stamp, wall);
	if (redis_call(b->redis, on_written, w, words, 2 + b->fields.n) != 0) {
		w->dirty = true;
		return;
	}
	w->writing = true;
	write_submitted(w);
	(void)redis_call(b->redis, NULL, NULL, expire, 3);
}

int64_t
watch_due(const struct watch *w)
{
	if (w->writing)
		return INT64_MAX;
	if (w->dirty) {
		/* An end is told at once; a running job's news can wait for more of it. */
		int64_t due = running(w) ? w->wrote + MERGE_MS : 0;

		return due > w->board->hold.due ? due : w->board->hold.due;
	}
	if (running(w)) {
		if (!w->early && !w->looking)
			return w->first + 1000;
		return w->wrote + PULSE_MS;
	}
	return w->look < LOOKS && !w->looking ? w->wrote + looks[w->look] : INT64_MAX;
}

void
watch_serve(struct watch *w, int64_t now)
{
	if (redis_room(w->board->redis) < WATCH_REQUESTS || now < watch_due(w))
		return;
	if (w->dirty || (running(w) && now >= w->wrote + PULSE_MS)) {
		write_job(w);
		return;
	}
	if (running(w))
		w->early = true;
	else
		w->look++;
	w->looking = true;
	look(w, on_look);
}
