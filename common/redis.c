/*
 * The Redis protocol over a socket of our own; the parser is hiredis'. hiredis' waits swallow EINTR
 * and would sleep through a signal. Its asynchronous interface (0.14) hands a message that comes
 * between a PING and its PONG to whoever waits for the PONG, and has no TLS, so it is not used
 * either.
 */
#include "redis_private.h"

#include "log.h"
#include "redis_tls.h"
#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct redis *
redis_new(const struct redis_url *url, redis_fn *push, void *data)
{
	struct redis *r = memory_grow(NULL, 1, sizeof *r);

	memset(r, 0, sizeof *r);
	r->url = url;
	r->push = push;
	r->push_data = data;
	r->wire.fd = -1;
	return r;
}

static void
hang_up(struct redis *r)
{
	redis_wire_close(&r->wire);
	if (r->reader != NULL)
		redisReaderFree(r->reader);
	r->reader = NULL;
	r->state = DOWN;
}

void
redis_set_server(struct redis *r, struct slice name, int port)
{
	char *copy = slice_copy(name);

	free(r->server.name);
	r->server = (struct redis_host){copy, port};
}

void
redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	hang_up(r);
	redis_set_server(r, (struct slice){0}, 0);
	free(r);
}

/* What follows from the first reason tells less. */
void
redis_fail(struct redis *r, const char *why)
{
	if (!r->failed)
		(void)snprintf(r->why, sizeof r->why, "%s%s%s%s", r->asking ? "sentinel " : "",
			r->asking ? r->server.name : "", r->asking ? ": " : "", why);
	r->failed = true;
}

/* The same, for a reason that trying again does not mend. */
static void
deny_redis(struct redis *r, const char *why)
{
	r->denied = r->denied || !r->failed;
	redis_fail(r, why);
}

static void
fail_wire(struct redis *r)
{
	char why[240];
	bool mute = r->state == LOGIN && r->wire.hung_up && r->heard == 0;

	(void)snprintf(why, sizeof why, "%s%s", r->wire.why,
		mute ? " before it said a word: is it Redis, and does it want TLS (rediss://)?"
		     : "");
	if (r->wire.denied)
		deny_redis(r, why);
	else
		redis_fail(r, why);
}

static void
add_bulk(struct buffer *b, struct slice word)
{
	buffer_byte(b, '$');
	buffer_uint(b, word.n);
	buffer_str(b, "\r\n");
	buffer_add(b, word.p, word.n);
	buffer_str(b, "\r\n");
}

int
redis_enqueue(struct redis *r, redis_fn *fn, void *data, const struct slice *words, int n)
{
	struct request *q = &r->queue[(r->head + r->waiting) % REDIS_REQUESTS];
	struct buffer *b;

	if (r->state == DOWN || r->failed || r->waiting == REDIS_REQUESTS)
		return -1;
	b = redis_wire_room(&r->wire);
	buffer_byte(b, '*');
	buffer_uint(b, (uint64_t)n);
	buffer_str(b, "\r\n");
	for (int i = 0; i < n; i++)
		add_bulk(b, words[i]);
	if (r->waiting++ == 0)
		r->since = clock_mono_ms();
	*q = (struct request){.fn = fn, .data = data};
	(void)snprintf(q->word, sizeof q->word, "%.*s", (int)words[0].n, words[0].p);
	return 0;
}

/* Begins to connect to r->server; what it is asked first waits until it is connected. */
static void
dial_server(struct redis *r, int64_t now)
{
	const struct redis_url *u = r->url;

	r->failed = r->denied = r->patient = r->found = false;
	r->head = r->waiting = r->refusals = 0;
	r->heard = 0;
	r->since = now;
	r->state = LOGIN;
	r->reader = redisReaderCreate();
	if (r->reader == NULL)
		redis_fail(r, "out of memory");
	else if (r->server.name == NULL
			 ? redis_wire_open_path(&r->wire, u->path) != 0
			 : redis_wire_open(&r->wire, r->server.name, r->server.port, u->tls) != 0)
		fail_wire(r);
	else if (r->asking)
		redis_ask_master(r);
	else
		redis_log_in(r);
}

static void
ask_next(struct redis *r, int64_t now)
{
	const struct redis_host *h = &r->url->host[r->sentinel];

	r->sentinel = (r->sentinel + 1) % r->url->hosts;
	r->unasked--;
	r->asking = true;
	redis_set_server(r, slice_of(h->name), h->port);
	dial_server(r, now);
}

void
redis_connect(struct redis *r, int64_t now)
{
	const struct redis_url *u = r->url;

	if (r->state != DOWN)
		return;
	if (u->master != NULL) {
		r->unasked = u->hosts;
		ask_next(r, now);
		return;
	}
	redis_set_server(r, u->path == NULL ? slice_of(u->host[0].name) : (struct slice){0},
		u->host[0].port);
	dial_server(r, now);
}

bool
redis_ready(const struct redis *r)
{
	return r->state == READY && !r->failed;
}

bool
redis_down(const struct redis *r)
{
	return r->state == DOWN;
}

int
redis_call(struct redis *r, redis_fn *fn, void *data, const struct slice *words, int n)
{
	return redis_ready(r) ? redis_enqueue(r, fn, data, words, n) : -1;
}

size_t
redis_room(const struct redis *r)
{
	return redis_ready(r) ? REDIS_REQUESTS - r->waiting : 0;
}

size_t
redis_waiting(const struct redis *r)
{
	return r->waiting;
}

struct pollfd
redis_pollfd(const struct redis *r)
{
	return redis_wire_pollfd(&r->wire);
}

void
redis_be_patient(struct redis *r)
{
	r->patient = true;
}

int64_t
redis_overdue(const struct redis *r)
{
	int64_t from = r->heard > r->since && r->state == READY ? r->heard : r->since;

	if (r->state == DOWN || (r->state == READY && r->waiting == 0))
		return INT64_MAX;
	return from + REDIS_PATIENCE_MS;
}

int64_t
redis_deadline(const struct redis *r)
{
	if (r->failed)
		return 0;
	return r->patient ? INT64_MAX : redis_overdue(r);
}

static bool
is_push(const struct redis *r, const struct redis_reply *reply)
{
	return r->push != NULL && slice_is(redis_text(redis_item(reply, 0)), "message");
}

/* Whoever waits for the answer may mend what follows from it; that there is a refusal is told here.
 */
static void
tell_refusal(struct redis *r, const struct request *q, const struct redis_reply *reply)
{
	for (size_t i = 0; i < r->refusals; i++) {
		if (strcmp(r->refused[i], q->word) == 0)
			return;
	}
	if (r->refusals < REFUSALS)
		memcpy(r->refused[r->refusals++], q->word, WORD);
	log_warning("Redis refuses %s: %s", q->word, redis_text(reply).p);
}

/* Hands a reply to whoever waits for it. */
static void
dispatch_reply(struct redis *r, const struct redis_reply *reply)
{
	bool error = redis_kind(reply) == REDIS_KIND_ERROR;
	struct request q;

	if (is_push(r, reply)) {
		r->push(r->push_data, reply);
		return;
	}
	if (r->waiting == 0) {
		/* A server that turns us away says so unasked. */
		r->denied = redis_is_denial(reply);
		redis_fail(r, error ? redis_text(reply).p : "a reply that nobody asked for");
		return;
	}
	q = r->queue[r->head];
	r->head = (r->head + 1) % REDIS_REQUESTS;
	r->waiting--;
	if (error && r->state == READY && redis_is_error(reply, "NOPERM"))
		tell_refusal(r, &q, reply);
	if (q.fn != NULL)
		q.fn(q.data, reply);
	/* The master has changed. */
	if (error && r->url->master != NULL && redis_is_error(reply, "READONLY"))
		redis_fail(r, "the server is a replica now");
}

/* Bytes that are not a reply: who has sent them? */
static void
fail_protocol(struct redis *r, char first)
{
	if (r->state == READY || r->reader->err == REDIS_ERR_OOM)
		redis_fail(r, r->reader->errstr);
	else if (first == 0x15 || first == 0x16)
		deny_redis(r, "the server speaks TLS: use rediss://");
	else
		deny_redis(r, "what listens at this port is not Redis");
}

static void
read_replies(struct redis *r, int64_t now)
{
	char bytes[1 << 16];
	void *reply = NULL;
	ssize_t n;

	do {
		n = redis_wire_read(&r->wire, bytes, sizeof bytes);
		if (n < 0)
			fail_wire(r);
		if (n <= 0)
			return;
		r->heard = now;
		if (redisReaderFeed(r->reader, bytes, (size_t)n) != REDIS_OK)
			redis_fail(r, "out of memory");
		while (!r->failed && redisReaderGetReply(r->reader, &reply) == REDIS_OK &&
			reply != NULL) {
			dispatch_reply(r, reply);
			freeReplyObject(reply);
		}
		if (!r->failed && r->reader->err != 0)
			fail_protocol(r, bytes[0]);
	} while (!r->failed && redis_tls_pending(&r->wire));
}

static void
serve_wire(struct redis *r, short revents, int64_t now)
{
	bool broken = (revents & (POLLERR | POLLHUP)) != 0;

	if (r->wire.looking_up) {
		if (revents != 0 && redis_wire_found(&r->wire) != 0)
			fail_wire(r);
		return;
	}
	if ((revents & POLLIN) != 0 || broken)
		read_replies(r, now);
	if (!r->failed && !broken && redis_wire_unsent(&r->wire) &&
		(r->state == READY || revents != 0) && redis_wire_write(&r->wire) != 0)
		fail_wire(r);
}

/* Ends the connection and tells everybody who still waits. */
static enum redis_event
give_up(struct redis *r, int64_t now)
{
	hang_up(r);
	while (r->waiting > 0) {
		struct request q = r->queue[r->head];

		r->head = (r->head + 1) % REDIS_REQUESTS;
		r->waiting--;
		if (q.fn != NULL)
			q.fn(q.data, NULL);
	}
	if (r->asking && r->unasked > 0) {
		ask_next(r, now);
		return REDIS_EVENT_NONE;
	}
	r->asking = false;
	return r->denied ? REDIS_EVENT_DENIED : REDIS_EVENT_LOST;
}

enum redis_event
redis_serve(struct redis *r, short revents, int64_t now)
{
	if (r->state == DOWN)
		return REDIS_EVENT_NONE;
	if (!r->failed)
		serve_wire(r, revents, now);
	if (!r->failed && now >= redis_deadline(r))
		redis_fail(r, r->state == READY ? "no answer for 5 seconds"
			      : r->url->tls
				      ? "no connection within 5 seconds: does the server speak TLS?"
				      : "no connection within 5 seconds");
	if (r->failed)
		return give_up(r, now);
	if (r->found) {
		hang_up(r);
		r->asking = false;
		dial_server(r, now);
		return REDIS_EVENT_NONE;
	}
	if (r->state == LOGIN && r->logins == 0) {
		r->state = READY;
		r->heard = now;
		return REDIS_EVENT_READY;
	}
	return REDIS_EVENT_NONE;
}

void
redis_abandon(struct redis *r, const char *why)
{
	if (r->state != DOWN)
		redis_fail(r, why);
}

const char *
redis_why(const struct redis *r)
{
	return r->why;
}
