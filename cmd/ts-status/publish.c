/*
 * The status hash. The admin page publishes a job first and writes "submitted" into the hash
 * afterwards, so what is written here can be overwritten: after the last write the hash is looked at
 * again for some seconds and put right.
 */
#include "publish.h"

#include "gaps.h"
#include "log.h"
#include "report.h"
#include "timestamp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	MERGE_MS = 100,      /* a running job is written no more often */
	PULSE_MS = 5000,     /* and no less often */
	HEARTBEAT_MS = 10000,
	LINGER_MS = 2000,    /* at the end of input, for a "submitted" that was not seen yet */
	LATE_MS = 600000,    /* for verdicts of a cancelled job that are still on their way */
	RESTORES = 10,       /* nobody wins a war of writers */
	REQUESTS_PER_JOB = 6,
	CROWD = PROGRESS_JOBS / 4 * 3, /* from so many jobs on, those that are over are not watched */
};

/* When the hash is looked at again, after the last write. */
static const int looks[] = {100, 300, 1000, 2000, 3000, 5000};

enum { LOOKS = sizeof looks / sizeof looks[0] };

/* What is known about one job's hash. */
struct watch {
	struct publish *publish;
	struct job *job;
	bool dirty;     /* the job is another than what was written */
	bool writing;   /* a write waits for its answer */
	bool looking;   /* a look waits for its answer */
	bool written;   /* a write succeeded */
	bool submitted; /* the page's "submitted" was seen: it will not come any more */
	bool early;     /* the look while it runs was taken */
	int64_t first, wrote; /* when the first and the last write succeeded */
	int look;       /* the next of looks[] */
	int restores;
	enum job_status status; /* what the last write said */
	char stamp[TIMESTAMP_SIZE];
	struct buffer key;
};

struct publish {
	const struct redis_url *url;
	struct progress *progress;
	struct meter *meter;
	struct spool *spool;
	struct gaps *gaps;
	bool plain;
	struct redis *redis; /* NULL without Redis */
	struct backoff backoff; /* of connecting */
	struct backoff hold;    /* of writes that Redis refuses */
	bool ever;     /* was connected */
	bool away;     /* is not, and that was said */
	bool refusing; /* answers writes with errors, and that was said */
	bool denied;
	int64_t heartbeat;
	struct fields fields;
};

static const char key_prefix[] = "tickstock.jobs.status:";
static const char key_heartbeat[] = "tickstockpl:heartbeat";

struct publish *
publish_new(const struct redis_url *url, struct progress *progress, struct meter *meter,
	struct spool *spool, bool plain)
{
	struct publish *p = memory_grow(NULL, 1, sizeof *p);

	*p = (struct publish){.url = url, .progress = progress, .meter = meter, .spool = spool,
		.plain = plain};
	p->gaps = gaps_new(progress);
	if (url != NULL)
		p->redis = redis_new(url, NULL, NULL);
	return p;
}

static void
watch_free(struct job *j)
{
	struct watch *w = j->user;

	if (w == NULL)
		return;
	buffer_release(&w->key);
	free(w);
	j->user = NULL;
}

void
publish_free(struct publish *p)
{
	redis_free(p->redis);
	for (size_t i = 0; i < progress_count(p->progress); i++)
		watch_free(progress_at(p->progress, i));
	fields_release(&p->fields);
	gaps_free(p->gaps);
	free(p);
}

static struct watch *
watch_new(struct publish *p, struct job *j)
{
	struct watch *w = memory_grow(NULL, 1, sizeof *w);

	*w = (struct watch){.publish = p};
	buffer_str(&w->key, key_prefix);
	buffer_add(&w->key, j->id.p, j->id.len);
	return w;
}

void
publish_job(struct publish *p, struct job *j, bool started, int64_t now)
{
	struct watch *w = j->user;

	if (p->redis == NULL)
		return;
	if (w == NULL)
		j->user = w = watch_new(p, j);
	w->job = j;
	w->dirty = true;
	if (started) {
		w->written = w->submitted = w->early = false;
		w->wrote = now - MERGE_MS;
		w->restores = 0;
	}
}

static bool
running(const struct watch *w)
{
	return w->job->status == JOB_RUNNING;
}

static void
heard_refusal(struct publish *p, const struct redis_reply *reply)
{
	backoff_failed(&p->hold, clock_mono_ms());
	if (p->refusing)
		return;
	p->refusing = true;
	meter_hide(p->meter);
	log_warning("Redis refuses to write: %s; trying again until it does", redis_text(reply).p);
}

static void
replace_key(struct watch *w)
{
	struct slice words[] = {slice_of("DEL"), buffer_slice(&w->key)};

	meter_hide(w->publish->meter);
	log_info("replaced a key that was no hash: %s", buffer_cstr(&w->key));
	(void)redis_call(w->publish->redis, NULL, NULL, words, 2);
	w->dirty = true;
}

static void
on_written(void *data, const struct redis_reply *reply)
{
	struct watch *w = data;
	struct publish *p = w->publish;

	w->writing = false;
	if (reply == NULL) {
		w->dirty = true;
	} else if (redis_is_error(reply, "WRONGTYPE")) {
		replace_key(w);
	} else if (redis_kind(reply) == REDIS_KIND_ERROR) {
		w->dirty = true;
		heard_refusal(p, reply);
	} else {
		w->wrote = clock_mono_ms();
		if (!w->written)
			w->first = w->wrote;
		w->written = true;
		w->look = 0;
		if (p->refusing) {
			meter_hide(p->meter);
			log_info("Redis takes writes again");
		}
		p->refusing = false;
		backoff_succeeded(&p->hold, w->wrote);
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
		slice_is(redis_text(status), report_status(w->status, w->publish->plain)))
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

	(void)redis_call(w->publish->redis, fn, w, words, 4);
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
	(void)redis_call(w->publish->redis, NULL, NULL, words, 4);
}

static void
write_job(struct watch *w)
{
	struct publish *p = w->publish;
	int64_t wall = clock_wall();
	struct slice words[2 + 2 * REPORT_FIELDS] = {slice_of("HSET"), buffer_slice(&w->key)};
	struct slice stale[] = {slice_of("HDEL"), words[1], slice_of("completed_at")};
	struct slice expire[] = {slice_of("EXPIRE"), words[1], slice_of("86400")};

	look(w, on_before);
	/* Of an earlier job with this id. */
	if (running(w) && !w->written)
		(void)redis_call(p->redis, NULL, NULL, stale, 3);
	report_fields(w->job, p->plain, wall, &p->fields);
	for (int i = 0; i < p->fields.n; i++)
		words[2 + i] = fields_at(&p->fields, i);
	w->dirty = false;
	w->status = w->job->status;
	(void)timestamp_local(w->stamp, wall);
	if (redis_call(p->redis, on_written, w, words, 2 + p->fields.n) != 0) {
		w->dirty = true;
		return;
	}
	w->writing = true;
	write_submitted(w);
	(void)redis_call(p->redis, NULL, NULL, expire, 3);
}

static void
write_heartbeat(struct publish *p, int64_t now)
{
	char time[TIMESTAMP_SIZE];
	struct slice words[] = {slice_of("SET"), slice_of(key_heartbeat),
		slice_of(timestamp_local(time, clock_wall())), slice_of("EX"), slice_of("30")};

	(void)redis_call(p->redis, NULL, NULL, words, 5);
	p->heartbeat = now + HEARTBEAT_MS;
}

/* When this job's hash is to be written or looked at. */
static int64_t
watch_due(const struct watch *w)
{
	if (w->writing)
		return INT64_MAX;
	if (w->dirty) {
		/* An end is told at once; a running job's news can wait for more of it. */
		int64_t due = running(w) ? w->wrote + MERGE_MS : 0;

		return due > w->publish->hold.due ? due : w->publish->hold.due;
	}
	if (running(w)) {
		if (!w->early && !w->looking)
			return w->first + 1000;
		return w->wrote + PULSE_MS;
	}
	return w->look < LOOKS && !w->looking ? w->wrote + looks[w->look] : INT64_MAX;
}

/* Whether nothing more will come of a job that has ended. */
static bool
watch_over(const struct publish *p, const struct job *j, int64_t now)
{
	const struct watch *w = j->user;

	bool crowd = progress_count(p->progress) > CROWD;

	if (j->status == JOB_RUNNING || !j->told)
		return false;
	if (!crowd && j->status == JOB_CANCELLED && job_missing(j) > 0 && now - j->changed < LATE_MS)
		return false;
	return p->redis == NULL || w == NULL ||
	       (!w->dirty && !w->writing && !w->looking && (crowd || w->look == LOOKS));
}

static void
serve_watch(struct watch *w, int64_t now)
{
	if (redis_room(w->publish->redis) < REQUESTS_PER_JOB || now < watch_due(w))
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

/* Its end is told and stands in Redis: a restart need not know of it any more. */
static void
release(struct publish *p, struct job *j)
{
	const struct watch *w = j->user;

	if (j->status == JOB_RUNNING || (w != NULL && (w->dirty || w->writing)))
		return;
	if (spool_remove(p->spool, buffer_slice(&j->id)) == SPOOL_OK)
		j->kept = false;
	else
		log_error("spool: %s: the job cannot be removed", strerror(errno));
}

static void
serve_jobs(struct publish *p, int64_t now)
{
	for (size_t i = 0; i < progress_count(p->progress); i++) {
		struct job *j = progress_at(p->progress, i);

		if (j->user != NULL && p->redis != NULL)
			serve_watch(j->user, now);
		if (j->kept && j->told)
			release(p, j);
		if (watch_over(p, j, now)) {
			watch_free(j);
			progress_drop(p->progress, j);
			i--;
		}
	}
}

/* Redis may have come back without what it held: all that is known is written again. */
static void
on_ready(struct publish *p, int64_t now)
{
	if (p->away) {
		meter_hide(p->meter);
		log_info("Redis is %s", p->ever ? "back" : "there now");
	}
	p->away = false;
	p->ever = true;
	backoff_succeeded(&p->backoff, now);
	write_heartbeat(p, now);
	for (size_t i = 0; i < progress_count(p->progress); i++) {
		struct watch *w = progress_at(p->progress, i)->user;

		if (w != NULL)
			w->dirty = true;
	}
}

static void
on_lost(struct publish *p, bool denied, int64_t now)
{
	p->denied = denied && !p->ever;
	if (!p->away && !p->denied) {
		meter_hide(p->meter);
		log_warning("%s Redis: %s; counting goes on, trying again until it answers",
			p->ever ? "lost" : "cannot connect to", redis_why(p->redis));
	} else {
		log_debug("Redis: %s", redis_why(p->redis));
	}
	p->away = true;
	backoff_failed(&p->backoff, now);
}

void
publish_serve(struct publish *p, short revents, int64_t now)
{
	enum redis_event event;

	if (p->redis != NULL) {
		event = redis_serve(p->redis, revents, now);
		if (event == REDIS_EVENT_READY)
			on_ready(p, now);
		else if (event != REDIS_EVENT_NONE)
			on_lost(p, event == REDIS_EVENT_DENIED, now);
		if (redis_down(p->redis) && now >= p->backoff.due && !p->denied)
			redis_connect(p->redis, now);
		if (redis_ready(p->redis) && now >= p->heartbeat)
			write_heartbeat(p, now);
	}
	serve_jobs(p, now);
	if (p->redis != NULL)
		gaps_serve(p->gaps, p->redis, now);
}

void
publish_gap(struct publish *p, int64_t from, int64_t to, int64_t now)
{
	if (p->redis != NULL)
		gaps_add(p->gaps, from, to, now);
}

void
publish_hurry(struct publish *p)
{
	gaps_hurry(p->gaps);
}

struct pollfd
publish_pollfd(const struct publish *p)
{
	return p->redis == NULL ? (struct pollfd){.fd = -1} : redis_pollfd(p->redis);
}

int64_t
publish_deadline(const struct publish *p, int64_t now)
{
	int64_t due = INT64_MAX;

	if (p->redis == NULL)
		return due;
	if (redis_down(p->redis))
		return p->backoff.due;
	due = redis_deadline(p->redis);
	if (!redis_ready(p->redis))
		return due;
	due = p->heartbeat < due ? p->heartbeat : due;
	due = gaps_deadline(p->gaps) < due ? gaps_deadline(p->gaps) : due;
	/* Where there is no room for requests, answers come first, and they are heard. */
	for (size_t i = 0; i < progress_count(p->progress); i++) {
		const struct job *j = progress_at(p->progress, i);
		const struct watch *w = j->user;
		int64_t at = w == NULL || redis_room(p->redis) < REQUESTS_PER_JOB ? INT64_MAX
										 : watch_due(w);

		if (watch_over(p, j, now))
			at = now;
		due = at < due ? at : due;
	}
	return due;
}

bool
publish_written(const struct publish *p)
{
	for (size_t i = 0; i < progress_count(p->progress); i++) {
		const struct watch *w = progress_at(p->progress, i)->user;

		if (w != NULL && (w->dirty || w->writing))
			return false;
	}
	return true;
}

bool
publish_over(const struct publish *p, int64_t now)
{
	if (!publish_written(p) || gaps_pending(p->gaps))
		return false;
	/* Even with nothing to write, a wrong password is to be told. */
	if (p->redis != NULL && !p->ever && !p->away && !p->denied)
		return false;
	for (size_t i = 0; i < progress_count(p->progress); i++) {
		const struct watch *w = progress_at(p->progress, i)->user;

		if (w != NULL && !w->submitted && (w->looking || now < w->wrote + LINGER_MS + 50))
			return false;
	}
	return true;
}

bool
publish_crowded(const struct publish *p)
{
	if (p->redis == NULL || !redis_ready(p->redis) || progress_count(p->progress) <= CROWD)
		return false;
	for (size_t i = 0; i < progress_count(p->progress); i++) {
		if (progress_at(p->progress, i)->status != JOB_RUNNING)
			return true;
	}
	return false;
}

bool
publish_denied(const struct publish *p)
{
	return p->denied;
}

const char *
publish_why(const struct publish *p)
{
	return redis_why(p->redis);
}
