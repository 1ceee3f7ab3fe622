/* The life of one status hash. */
#include "status_hash.h"

#include "log.h"
#include "timestamp.h"

#include <stdlib.h>

enum {
	MERGE_MS = 100,	 /* a running job is written no more often */
	PULSE_MS = 5000, /* and no less often; its lists of symbols no more often than that */
	RESTORES = 10,	 /* nobody wins a war of writers */
};

static const char prefix[] = "tickstock.jobs.status:";

/* When the hash is verified, after the last write. */
static const int verify_ms[] = {100, 300, 1000, 2000, 3000, 5000};

enum { VERIFIES = sizeof verify_ms / sizeof verify_ms[0] };

struct status_hash *
status_hash_new(struct status_shared *s, struct job *j)
{
	struct status_hash *h = memory_grow(NULL, 1, sizeof *h);

	*h = (struct status_hash){.shared = s, .job = j};
	buffer_printf(&h->key, "%s%.*s", prefix, SLICE(buffer_slice(&j->id)));
	h->id = slice_after(buffer_slice(&h->key), sizeof prefix - 1);
	failed_list_init(&h->failures, s->redis, buffer_slice(&j->id));
	return h;
}

void
status_hash_free(struct status_hash *h)
{
	if (h == NULL)
		return;
	fields_release(&h->sent);
	buffer_release(&h->key);
	buffer_release(&h->submitted_at);
	failed_list_release(&h->failures);
	free(h);
}

void
status_hash_start(struct status_hash *h, struct job *j, int64_t now)
{
	h->job = j;
	h->dirty = h->whole = true;
	h->written = h->submitted = h->verified = h->looked = false;
	h->wrote = now - MERGE_MS;
	h->restores = 0;
	h->submitted_at.len = 0;
	h->failures.text.len = 0;
	failed_list_renew(&h->failures);
}

void
status_hash_end(struct status_hash *h, int64_t now)
{
	h->job = NULL;
	h->over = now;
	h->verified = true;
	h->restores = 0;
}

bool
status_hash_retire(struct status_hash *h)
{
	h->dirty = false;
	h->verified = true;
	h->restores = RESTORES;
	return !h->verifying && !h->writing && h->failures.flying == 0;
}

void
status_hash_reconnected(struct status_hash *h)
{
	h->whole = true;
	if (h->job == NULL) {
		h->verified = false;
		return;
	}
	h->dirty = true;
	failed_list_renew(&h->failures);
}

bool
status_hash_written(const struct status_hash *h)
{
	return !h->dirty && !h->writing && failed_list_written(&h->failures);
}

bool
status_hash_quiet(const struct status_hash *h)
{
	return h->verify == VERIFIES;
}

static bool
job_running(const struct status_hash *h)
{
	return h->job != NULL && h->job->status == JOB_RUNNING;
}

static void
heard_refusal(struct status_shared *s, const struct redis_reply *reply)
{
	backoff_failed(&s->hold, clock_mono_ms());
	if (s->refusing)
		return;
	s->refusing = true;
	log_warning("Redis refuses to write: %s; trying again until it does", redis_text(reply).p);
}

static void
replace_key(struct status_hash *h)
{
	log_info("replaced a key that was not a hash: %s", buffer_cstr(&h->key));
	(void)REDIS_CALL(h->shared->redis, NULL, NULL, slice_of("DEL"), buffer_slice(&h->key));
}

static void
on_written(void *data, const struct redis_reply *reply)
{
	struct status_hash *h = data;
	struct status_shared *s = h->shared;

	h->writing = false;
	if (reply == NULL || redis_kind(reply) == REDIS_KIND_ERROR) {
		h->dirty = h->whole = true;
		if (redis_is_error(reply, "WRONGTYPE"))
			replace_key(h);
		else if (reply != NULL)
			heard_refusal(s, reply);
		return;
	}
	h->wrote = clock_mono_ms();
	/* One that is to be written whole begins anew: that was its last job's. */
	if (!h->written && !h->whole) {
		h->first = h->wrote;
		h->written = true;
	}
	h->verify = 0;
	if (s->refusing)
		log_info("Redis takes writes again");
	s->refusing = false;
	backoff_succeeded(&s->hold, h->wrote);
}

static void
keep_submitted(struct status_hash *h, struct slice at)
{
	if (at.p != NULL)
		buffer_set(&h->submitted_at, at);
}

/* What an answer to read_status() says. */
struct standing {
	struct slice status, stamp, submitted_at; /* absent where there is none */
};

static struct standing
read_standing(struct status_hash *h, const struct redis_reply *reply)
{
	struct standing s = {redis_text(redis_item(reply, 0)), redis_text(redis_item(reply, 1)),
		redis_text(redis_item(reply, 2))};

	if (slice_is(s.status, "submitted")) {
		h->submitted = true;
		keep_submitted(h, s.submitted_at);
	}
	return s;
}

static void
read_status(struct status_hash *h, redis_fn *fn)
{
	(void)REDIS_CALL(h->shared->redis, fn, h, slice_of("HMGET"), buffer_slice(&h->key),
		slice_of("status"), slice_of("timestamp"), slice_of("submitted_at"));
}

/* When the job was submitted, if the page has not written it: what the job says, or when it came.
 */
static void
find_submitted(struct status_hash *h)
{
	struct slice published = buffer_slice(&h->job->timestamp);
	char time[TIMESTAMP_SIZE];
	int64_t received, local[2];

	if (timestamp_parse_local(published, local) == 0)
		buffer_add(&h->submitted_at, published.p, published.n);
	else if (timestamp_parse(buffer_slice(&h->job->received_at), &received) == 0)
		buffer_str(&h->submitted_at, timestamp_local(time, received));
}

/* command: HSET to replace that of an earlier job, HSETNX. */
static void
write_submitted(struct status_hash *h, const char *command)
{
	if (h->submitted_at.len == 0 && h->job != NULL)
		find_submitted(h);
	if (h->submitted_at.len > 0)
		(void)REDIS_CALL(h->shared->redis, NULL, NULL, slice_of(command),
			buffer_slice(&h->key), slice_of("submitted_at"),
			buffer_slice(&h->submitted_at));
}

/* What stood there before a write. An end is that of an earlier job with this id, whose page was
 * quick. */
static void
on_before(void *data, const struct redis_reply *reply)
{
	struct status_hash *h = data;
	struct standing s;

	if (reply == NULL)
		return;
	s = read_standing(h, reply);
	if (!h->looked && s.status.p != NULL && !slice_is(s.status, "submitted") &&
		!slice_is(s.status, "running")) {
		write_submitted(h, "HSET");
	} else {
		keep_submitted(h, s.submitted_at);
	}
	/* The page has come between two writes, of which the second need not have said the status.
	 */
	if (h->partial && !slice_is(s.status, summary_status(h->before, h->shared->partial)))
		h->dirty = h->whole = true;
	h->looked = true;
}

/* Whether what stands there is older than ours, of a job that is over: another job is let alone. */
static bool
is_outlived(const struct status_hash *h, const struct standing *s)
{
	if (s->status.p == NULL)
		return true;
	return (slice_is(s->status, "running") || slice_is(s->status, "submitted")) &&
	       s->stamp.p != NULL && slice_cmp(s->stamp, slice_of(h->stamp)) < 0;
}

/* What stands there some time after a write: if it is not ours, ours is put back. */
static void
on_verify(void *data, const struct redis_reply *reply)
{
	struct status_hash *h = data;
	struct standing s;

	h->verifying = false;
	if (reply == NULL)
		return;
	h->verified = true;
	if (redis_kind(reply) != REDIS_KIND_ARRAY)
		return;
	s = read_standing(h, reply);
	if (h->dirty || h->writing) {
		if (h->job != NULL && slice_is(s.status, "submitted"))
			h->dirty = h->whole = true;
		return;
	}
	if (h->job == NULL
			? !is_outlived(h, &s)
			: slice_is(s.stamp, h->stamp) &&
				  slice_is(s.status, summary_status(h->status, h->shared->partial)))
		return;
	if (h->restores++ >= RESTORES)
		return;
	log_debug("put the status back: %s", buffer_cstr(&h->key));
	h->dirty = h->whole = true;
	if (h->job == NULL || s.status.p == NULL)
		failed_list_renew(&h->failures);
}

/* What should stand there, into the shared fields. */
static void
render_fields(struct status_hash *h, bool lists, int64_t wall)
{
	static const char *const names[] = {"successful_symbols", "failed_symbols"};
	struct fields *f = &h->shared->fields;

	summary_fields(h->job, h->shared->partial, lists, wall, f);
	for (int i = 0; i < 2 && !lists; i++)
		fields_add(f, names[i], fields_find(&h->sent, slice_of(names[i])));
	h->status = h->job->status;
	(void)timestamp_local(h->stamp, wall);
}

/* Asks for the fields that have changed, or for all. */
static int
send_fields(struct status_hash *h)
{
	struct slice words[2 + 2 * SUMMARY_FIELDS] = {slice_of("HSET"), buffer_slice(&h->key)};
	const struct fields *f = h->job == NULL ? &h->sent : &h->shared->fields;
	int n = 2;

	for (int i = 0; i < f->n; i += 2) {
		struct slice name = fields_at(f, i), value = fields_at(f, i + 1);

		/* Always one: without it the write would say nothing. */
		if (h->whole || slice_is(name, "timestamp") ||
			!slice_eq(value, fields_find(&h->sent, name))) {
			words[n++] = name;
			words[n++] = value;
		}
	}
	return redis_call(h->shared->redis, on_written, h, words, n);
}

static void
write_hash(struct status_hash *h, int64_t now)
{
	struct redis *redis = h->shared->redis;
	bool lists = !job_running(h) || h->whole || now >= h->listed + PULSE_MS;
	struct slice key = buffer_slice(&h->key), list = buffer_slice(&h->failures.key);

	h->before = h->status;
	h->partial = !h->whole;
	read_status(h, on_before);
	/* Of an earlier job with this id. */
	if (job_running(h) && !h->written)
		(void)REDIS_CALL(
			redis, NULL, NULL, slice_of("HDEL"), key, slice_of("completed_at"));
	if (h->job != NULL)
		render_fields(h, lists, clock_wall());
	if (send_fields(h) != 0)
		return;
	h->dirty = false;
	h->writing = true;
	if (h->whole)
		write_submitted(h, "HSETNX");
	h->whole = false;
	if (lists)
		h->listed = now;
	if (h->job != NULL)
		fields_copy(&h->sent, &h->shared->fields);
	(void)REDIS_CALL(redis, NULL, NULL, slice_of("EXPIRE"), key, slice_of("86400"));
	if (h->failures.pushed > 0)
		(void)REDIS_CALL(redis, NULL, NULL, slice_of("EXPIRE"), list, slice_of("86400"));
}

int64_t
status_hash_due(const struct status_hash *h)
{
	int64_t due;

	/* A job whose header is missing is told of when it ends. */
	if (job_running(h) && !h->job->header)
		return INT64_MAX;
	if (failed_list_due(&h->failures))
		return h->shared->hold.due;
	if (h->writing)
		return INT64_MAX;
	if (h->dirty) {
		/* An end is told at once; a running job's news can wait for more of it. */
		due = job_running(h) ? h->wrote + MERGE_MS : 0;
		return due > h->shared->hold.due ? due : h->shared->hold.due;
	}
	if (h->verifying && !job_running(h))
		return INT64_MAX;
	if (h->job == NULL)
		return h->verified ? INT64_MAX : 0;
	if (job_running(h))
		return h->verified || h->verifying ? h->wrote + PULSE_MS : h->first + 1000;
	return h->verify < VERIFIES ? h->wrote + verify_ms[h->verify] : INT64_MAX;
}

void
status_hash_serve(struct status_hash *h, int64_t now)
{
	if (redis_room(h->shared->redis) < STATUS_HASH_REQUESTS || now < status_hash_due(h))
		return;
	failed_list_serve(&h->failures);
	if (now < status_hash_due(h))
		return;
	if (h->dirty || (job_running(h) && now >= h->wrote + PULSE_MS)) {
		write_hash(h, now);
		return;
	}
	if (job_running(h))
		h->verified = true;
	else
		h->verify += h->verify < VERIFIES;
	h->verifying = true;
	read_status(h, on_verify);
}
