/*
 * The subscription. Redis forgets what is published while nobody listens, so its health is watched
 * closely (a PING every 5 seconds finds a half-open connection), and each time without it is told
 * with start and end. It begins when the last PING was sent that was answered: only that answer
 * proves that all before it has come, for a server that hangs up on a slow reader throws away what
 * it has not read.
 *
 * Silence alone does not end a subscription: a server that hangs goes on to serve it when it wakes,
 * with all that was published meanwhile, and would forget that if we had hung up. So the silent
 * connection is kept while another is tried. When the other one is answered, the server is awake:
 * what still says nothing then is a connection without a server at its end.
 */
#include "listen.h"

#include "log.h"
#include "record.h"
#include "timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { PING_MS = 5000, GRACE_MS = 1000, CHANNELS = 2, LOGGED = 100, MINUTE_MS = 60000 };

static void
drop_message(struct listen *l, const char *what, const char *why)
{
	int64_t now = clock_mono_ms();

	l->dropped++;
	if (now >= l->minute) {
		l->minute = now + MINUTE_MS;
		l->logged = 0;
	}
	if (l->logged++ < LOGGED)
		log_warning("%s dropped: %s", what, why);
	else if (l->logged == LOGGED + 1)
		log_warning(
			"more than %d messages dropped: those of the next minute are only counted",
			LOGGED);
}

/*
 * A job that will be processed stands at the end of the output, from start on. It is kept for good
 * before anybody downstream can see it. Whether it was not lost, should we die now.
 */
static bool
emit_job(struct listen *l, struct slice id, size_t start)
{
	struct buffer *out = writer_room(l->out);
	struct slice line = {out->p + start, out->len - start - 1};
	enum spool_result kept = l->spool == NULL ? SPOOL_OK : spool_keep(l->spool, id, line);

	if (kept == SPOOL_EXISTS) {
		out->len = start;
		drop_message(l, "job", "a job with this id is in progress");
		return true;
	}
	if (kept == SPOOL_ERROR)
		log_error("spool: %s: job_id=%.*s goes on, but would not survive a crash",
			strerror(errno), (int)(id.n < 100 ? id.n : 100), id.p);
	l->jobs++;
	writer_done(l->out);
	passed_add(&l->passed, id);
	return kept == SPOOL_OK;
}

/* A cancel that stands there as a job does in emit_job(), and is kept as long as its job. */
static void
emit_cancel(struct listen *l, struct slice id, size_t start)
{
	struct buffer *out = writer_room(l->out);
	struct slice line = {out->p + start, out->len - start - 1};

	if (l->spool != NULL && spool_cancel(l->spool, id, line) != SPOOL_OK)
		log_error("spool: %s: the cancel goes on, but would not survive a crash",
			strerror(errno));
	l->cancels++;
	writer_done(l->out);
	passed_drop(&l->passed, id);
}

/* One cancel for each job that may not be over; with a spool it is known which are. */
static void
cancel_all(struct listen *l)
{
	struct record r = {.type = RECORD_CANCEL};
	struct buffer id = {0};
	uint64_t n = 0;

	while (passed_take(&l->passed, &id) == 0) {
		struct buffer *out = writer_room(l->out);
		size_t start = out->len;

		r.job_id = buffer_slice(&id);
		if (l->spool != NULL && !spool_has(l->spool, r.job_id))
			continue;
		record_write(out, &r);
		emit_cancel(l, r.job_id, start);
		n++;
	}
	buffer_release(&id);
	log_info("cancelled all jobs: %" PRIu64, n);
}

/* A message of the job channel or the control channel. Whether it is of no use any more. */
static bool
take_message(struct listen *l, bool job, struct slice text)
{
	struct buffer *out = writer_room(l->out);
	size_t start = out->len;
	enum message m;

	if (l->out->error != 0)
		return false;
	m = message_read(&l->messages, job, text, clock_wall(), out);
	if (m == MESSAGE_BAD) {
		drop_message(l, job ? "job" : "control message", l->messages.why);
	} else if (m == MESSAGE_ALL) {
		cancel_all(l);
	} else if (m == MESSAGE_FOREIGN) {
		l->ignored++;
		log_debug("ignored a message of another kind on %s", job ? l->channel : l->control);
	} else if (job) {
		return emit_job(l, l->messages.id, start);
	} else {
		emit_cancel(l, l->messages.id, start);
	}
	return true;
}

static void
on_message(void *data, const struct redis_reply *reply)
{
	struct listen *l = data;
	const struct redis_reply *channel = redis_item(reply, 1), *text = redis_item(reply, 2);

	if (channel != NULL && text != NULL)
		(void)take_message(l, slice_is(redis_text(channel), l->channel), redis_text(text));
}

static bool
on_entry(void *data, struct slice text)
{
	return take_message(data, true, text);
}

void
listen_init(struct listen *l)
{
	l->link.redis = redis_new(l->url, on_message, l);
	if (l->stream != NULL)
		l->entries = (struct stream){.link.redis = redis_new(l->url, NULL, NULL),
			.link.meanwhile = "what is added to the stream waits there, ",
			.key = l->stream,
			.take = on_entry,
			.ctx = l};
	l->messages.json = json_new();
	l->known = clock_wall();
	/* A listener of an earlier life: what was published since it was last seen is lost. */
	if (l->spool != NULL && spool_touched(l->spool) >= 0) {
		l->known = spool_touched(l->spool);
		l->missed = true;
	}
}

static const char *
resume_job(void *data, struct slice line, bool cancel)
{
	struct listen *l = data;
	const char *why = message_id(&l->messages, line);
	struct slice id = l->messages.id;

	if (why != NULL)
		return why;
	if (!spool_given(l->spool, id))
		return "its name does not match its job_id";
	if (cancel)
		passed_drop(&l->passed, id);
	else
		passed_add(&l->passed, id);
	l->kept += !cancel;
	l->cancels += cancel;
	writer_line(l->out, line);
	return NULL;
}

static void
left_out(void *data, const char *name, const char *why, bool bad)
{
	(void)data;
	log_error("spool: %s %s: %s", name, why, bad ? "set aside as *.bad" : "left out");
}

int
listen_resume(struct listen *l)
{
	const struct spool_reader reader = {resume_job, left_out, l};

	if (l->spool != NULL && spool_jobs(l->spool, &reader) != SPOOL_OK)
		return -1;
	if (l->kept > 0)
		log_info("resuming %" PRIu64 " jobs from the spool, %" PRIu64 " of them cancelled",
			l->kept, l->cancels);
	return 0;
}

static void
touch_spool(struct listen *l)
{
	bool gone = l->spool != NULL && spool_gone(l->spool);

	if (gone && !l->unkept)
		log_error("the spool was taken away: jobs are not kept any more; start the service "
			  "again");
	l->unkept = gone;
	if (l->spool != NULL && l->confirmed == CHANNELS)
		spool_touch(l->spool, l->known);
}

void
listen_release(struct listen *l)
{
	struct buffer id = {0};

	touch_spool(l);
	redis_free(l->link.redis);
	redis_free(l->silent);
	stream_release(&l->entries);
	messages_release(&l->messages);
	while (passed_take(&l->passed, &id) == 0)
		continue;
	buffer_release(&id);
}

static void
write_gap(struct listen *l)
{
	char from[TIMESTAMP_SIZE], to[TIMESTAMP_SIZE];
	struct record r = {.type = RECORD_GAP};
	int64_t now = clock_wall();

	r.to = slice_of(timestamp_format(to, now));
	/* A clock that was ahead has left a beginning that is yet to come: it is not known then. */
	if (l->known <= now)
		r.from = slice_of(timestamp_format(from, l->known));
	record_send(l->out, &r);
	l->gaps++;
	log_warning("gap from=%s to=%s: what was published meanwhile is lost",
		r.from.p == NULL ? "?" : from, to);
}

static void
note_listening(struct listen *l, int64_t now)
{
	l->confirmed = CHANNELS;
	touch_spool(l);
	l->ping_due = now + PING_MS;
	/* That it is back was said. */
	l->link.away = false;
	redis_link_recovered(&l->link, now);
}

static void
on_subscribed(void *data, const struct redis_reply *reply)
{
	struct listen *l = data;
	struct buffer shown = {0};

	if (reply == NULL)
		return;
	if (redis_kind(reply) == REDIS_KIND_ERROR) {
		if (redis_is_error(reply, "NOPERM"))
			redis_link_refuse(&l->link, redis_text(reply).p);
		else
			redis_abandon(l->link.redis, redis_text(reply).p);
		return;
	}
	if (++l->confirmed < CHANNELS)
		return;
	redis_url_show(l->url, &shown);
	log_info("listening on %s and %s at %s", l->channel, l->control, buffer_cstr(&shown));
	buffer_release(&shown);
	if (l->link.away || l->missed)
		write_gap(l);
	l->missed = false;
	l->known = l->asked;
	redis_be_patient(l->link.redis);
	note_listening(l, clock_mono_ms());
}

static void
subscribe_channels(struct listen *l)
{
	l->confirmed = 0;
	l->asked = clock_wall();
	(void)REDIS_CALL(
		l->link.redis, on_subscribed, l, slice_of("SUBSCRIBE"), slice_of(l->channel));
	(void)REDIS_CALL(
		l->link.redis, on_subscribed, l, slice_of("SUBSCRIBE"), slice_of(l->control));
}

/* The subscription is silent for too long: it is put aside, and another connection is tried. */
static void
put_aside(struct listen *l)
{
	log_warning("Redis does not answer: still waiting, and trying another connection");
	l->link.away = true;
	l->confirmed = 0;
	l->silent = l->link.redis;
	l->link.redis = redis_new(l->url, on_message, l);
}

static void
give_up_silent(struct listen *l)
{
	redis_free(l->silent);
	l->silent = NULL;
	l->silent_until = 0;
}

/* Hears the connection that was put aside: when it speaks, all that was missing comes with it. */
static void
serve_silent(struct listen *l, short revents, int64_t now)
{
	if (redis_serve(l->silent, revents, now) != REDIS_EVENT_NONE) {
		log_debug("the silent connection: %s", redis_why(l->silent));
		give_up_silent(l);
		if (redis_ready(l->link.redis))
			subscribe_channels(l);
	} else if (now < redis_overdue(l->silent)) {
		redis_free(l->link.redis);
		l->link.redis = l->silent;
		l->silent = NULL;
		l->silent_until = 0;
		log_info("Redis answers again on the same connection: nothing was missed");
		note_listening(l, now);
	} else if (l->silent_until != 0 && now >= l->silent_until) {
		give_up_silent(l);
		subscribe_channels(l);
	}
}

static void
on_ready(struct listen *l, int64_t now)
{
	if (l->silent == NULL)
		subscribe_channels(l);
	else
		l->silent_until = now + GRACE_MS;
}

void
listen_pollfds(const struct listen *l, struct pollfd fds[LISTEN_FDS])
{
	fds[0] = redis_pollfd(l->link.redis);
	fds[1] = l->silent == NULL ? (struct pollfd){.fd = -1} : redis_pollfd(l->silent);
	fds[2] =
		l->stream == NULL ? (struct pollfd){.fd = -1} : redis_pollfd(l->entries.link.redis);
}

const char *
listen_denied(const struct listen *l)
{
	if (l->link.denied)
		return redis_why(l->link.redis);
	return l->entries.link.denied ? redis_why(l->entries.link.redis) : NULL;
}

int64_t
listen_deadline(const struct listen *l)
{
	int64_t due = redis_link_deadline(&l->link);

	if (l->confirmed == CHANNELS)
		due = clock_sooner(due, clock_sooner(l->ping_due, redis_overdue(l->link.redis)));
	if (l->silent != NULL)
		due = clock_sooner(due, redis_deadline(l->silent));
	if (l->stream != NULL)
		due = clock_sooner(due, stream_deadline(&l->entries));
	return l->silent_until != 0 ? clock_sooner(due, l->silent_until) : due;
}

static void
on_pong(void *data, const struct redis_reply *reply)
{
	struct listen *l = data;

	if (reply == NULL)
		return;
	l->known = l->asked;
	touch_spool(l);
}

void
listen_serve(struct listen *l, const struct pollfd fds[LISTEN_FDS], int64_t now)
{
	short revents = fds[0].revents;
	enum redis_event event;

	if (l->stream != NULL)
		stream_serve(&l->entries, fds[2].revents, now);
	if (l->silent != NULL) {
		struct redis *other = l->link.redis;

		serve_silent(l, fds[1].revents, now);
		/* What poll(2) said of a connection that is gone says nothing of this one. */
		if (l->link.redis != other)
			revents = 0;
	}
	event = redis_link_serve(&l->link, revents, now);
	if (event == REDIS_EVENT_READY) {
		on_ready(l, now);
	} else if (event != REDIS_EVENT_NONE) {
		l->confirmed = 0;
		l->silent_until = 0;
	}
	if (l->confirmed == CHANNELS && now >= redis_overdue(l->link.redis))
		put_aside(l);
	if (l->confirmed == CHANNELS && now >= l->ping_due) {
		l->ping_due = now + PING_MS;
		if (redis_waiting(l->link.redis) == 0 &&
			REDIS_CALL(l->link.redis, on_pong, l, slice_of("PING")) == 0)
			l->asked = clock_wall();
	}
}
