/*
 * Redis over hiredis' non-blocking context. hiredis' own waits swallow EINTR and would sleep through
 * a signal, so none is used: this module formats, parses and keeps the order, poll(2) is the owner's.
 */
#include "redis.h"

#include "resolve.h"
#include "timestamp.h"

#include <hiredis/hiredis.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum state { DOWN, LOOKUP, LOGIN, READY };

struct request {
	redis_fn *fn;
	void *data;
};

struct redis {
	const struct redis_url *url;
	redis_fn *push;
	void *push_data;
	redisContext *c;
	enum state state;
	struct resolve resolve;
	struct request queue[REDIS_REQUESTS]; /* a ring */
	size_t head, waiting;
	size_t logins; /* requests of the login that are not yet answered */
	bool unsent;
	bool failed; /* set by whatever finds out first; redis_serve() acts on it */
	bool denied;
	bool patient; /* silence is left to the owner */
	int64_t heard;
	int64_t since; /* the oldest moment from which an answer may be awaited */
	char why[160];
};

struct redis *
redis_new(const struct redis_url *url, redis_fn *push, void *data)
{
	struct redis *r = memory_grow(NULL, 1, sizeof *r);

	memset(r, 0, sizeof *r);
	r->url = url;
	r->push = push;
	r->push_data = data;
	r->resolve.fd = -1;
	return r;
}

static void
hang_up(struct redis *r)
{
	resolve_stop(&r->resolve);
	if (r->c != NULL)
		redisFree(r->c);
	r->c = NULL;
	r->state = DOWN;
	r->unsent = false;
}

void
redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	hang_up(r);
	free(r);
}

/* The first reason stays: what follows from it tells less. */
static void
fail(struct redis *r, const char *why)
{
	if (!r->failed)
		(void)snprintf(r->why, sizeof r->why, "%s", why);
	r->failed = true;
}

/* Errors that a server gives to whoever it will never let in as they are. */
static bool
is_denial(const struct redis_reply *reply)
{
	static const char *const words[] = {"WRONGPASS", "NOAUTH", "NOPERM", "DENIED",
		"ERR invalid password", "ERR AUTH", "ERR Client sent AUTH",
		"ERR wrong number of arguments for 'auth'", "ERR DB index", "ERR invalid DB index",
		"ERR SELECT"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (redis_is_error(reply, words[i]))
			return true;
	}
	return false;
}

static void
on_login(void *data, const struct redis_reply *reply)
{
	struct redis *r = data;

	r->logins--;
	if (reply == NULL || r->failed)
		return;
	/* Only the right to PING may be missing: nothing that matters depends on it. */
	if (redis_kind(reply) == REDIS_KIND_ERROR &&
		!(r->logins == 0 && redis_is_error(reply, "NOPERM"))) {
		const char *password = r->url->password, *why = redis_text(reply).p;

		r->denied = is_denial(reply);
		/* A server that does not know AUTH would quote what follows it. */
		fail(r, password != NULL && strstr(why, password) != NULL ? "AUTH was refused"
									  : why);
	}
}

static int
enqueue(struct redis *r, redis_fn *fn, void *data, const struct slice *words, int n)
{
	const char *argv[64];
	size_t len[64];

	if (r->c == NULL || r->failed || r->waiting == REDIS_REQUESTS || n > 64)
		return -1;
	for (int i = 0; i < n; i++) {
		argv[i] = words[i].p;
		len[i] = words[i].n;
	}
	if (redisAppendCommandArgv(r->c, n, argv, len) != REDIS_OK) {
		fail(r, r->c->errstr);
		return -1;
	}
	if (r->waiting == 0)
		r->since = clock_mono_ms();
	r->queue[(r->head + r->waiting++) % REDIS_REQUESTS] = (struct request){fn, data};
	r->unsent = true;
	return 0;
}

static void
log_in(struct redis *r)
{
	const struct redis_url *u = r->url;
	struct buffer db = {0};
	struct slice auth[3] = {slice_of("AUTH")}, pick[2] = {slice_of("SELECT")};
	struct slice ping = slice_of("PING");
	int n = 1;

	r->logins = 0;
	if (u->user != NULL)
		auth[n++] = slice_of(u->user);
	if (u->user != NULL || u->password != NULL)
		auth[n++] = slice_of(u->password == NULL ? "" : u->password);
	if (n > 1 && enqueue(r, on_login, r, auth, n) == 0)
		r->logins++;
	buffer_uint(&db, (uint64_t)u->db);
	pick[1] = buffer_slice(&db);
	if (u->db != 0 && enqueue(r, on_login, r, pick, 2) == 0)
		r->logins++;
	/* An answer of any kind shows that the server is there and will talk to us. */
	if (enqueue(r, on_login, r, &ping, 1) == 0)
		r->logins++;
	buffer_release(&db);
}

/* Opens the socket. A host is an address here. */
static void
open_socket(struct redis *r, const char *host)
{
	r->c = host == NULL ? redisConnectUnixNonBlock(r->url->path)
			    : redisConnectNonBlock(host, r->url->port);
	r->state = LOGIN;
	if (r->c == NULL) {
		fail(r, "out of memory");
	} else if (r->c->err != 0) {
		fail(r, r->c->errstr);
	} else {
		(void)fcntl(r->c->fd, F_SETFD, FD_CLOEXEC);
		log_in(r);
	}
}

void
redis_connect(struct redis *r, int64_t now)
{
	const struct redis_url *u = r->url;

	if (r->state != DOWN)
		return;
	r->failed = r->denied = r->patient = false;
	r->head = r->waiting = 0;
	r->since = now;
	if (u->host == NULL || resolve_numeric(u->host)) {
		open_socket(r, u->host);
		return;
	}
	r->state = LOOKUP;
	if (resolve_start(&r->resolve, u->host) != 0)
		fail(r, strerror(errno));
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
	return redis_ready(r) ? enqueue(r, fn, data, words, n) : -1;
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
	if (r->state == LOOKUP)
		return (struct pollfd){.fd = r->resolve.fd, .events = POLLIN};
	if (r->c == NULL)
		return (struct pollfd){.fd = -1};
	return (struct pollfd){.fd = r->c->fd,
		.events = (short)(POLLIN | (r->unsent ? POLLOUT : 0))};
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
	const struct redis_reply *word;

	if (r->push == NULL || redis_kind(reply) != REDIS_KIND_ARRAY)
		return false;
	word = redis_item(reply, 0);
	return word != NULL && slice_is(redis_text(word), "message");
}

/* Hands a reply to whoever waits for it. */
static void
dispatch(struct redis *r, const struct redis_reply *reply)
{
	struct request q;

	if (is_push(r, reply)) {
		r->push(r->push_data, reply);
		return;
	}
	if (r->waiting == 0) {
		/* A server that turns us away says so unasked. */
		r->denied = is_denial(reply);
		fail(r, redis_kind(reply) == REDIS_KIND_ERROR ? redis_text(reply).p
							      : "a reply that nobody asked for");
		return;
	}
	q = r->queue[r->head];
	r->head = (r->head + 1) % REDIS_REQUESTS;
	r->waiting--;
	if (q.fn != NULL)
		q.fn(q.data, reply);
}

static void
read_replies(struct redis *r, int64_t now)
{
	void *reply = NULL;
	int got;

	errno = 0;
	got = redisBufferRead(r->c);
	if (got == REDIS_OK && errno != EAGAIN && errno != EINTR)
		r->heard = now;
	/* What came before the end is heard before the end is told. */
	while (!r->failed && redisReaderGetReply(r->c->reader, &reply) == REDIS_OK && reply != NULL) {
		dispatch(r, reply);
		freeReplyObject(reply);
	}
	if (got != REDIS_OK)
		fail(r, r->c->errstr);
	else if (r->c->reader->err != 0)
		fail(r, r->c->reader->errstr);
}

static void
write_requests(struct redis *r)
{
	int done = 0;

	if (redisBufferWrite(r->c, &done) != REDIS_OK)
		fail(r, r->c->errstr);
	r->unsent = done == 0;
}

static void
serve_lookup(struct redis *r, short revents)
{
	int found = revents == 0 ? 0 : resolve_serve(&r->resolve);

	if (found > 0)
		open_socket(r, r->resolve.text);
	else if (found < 0)
		fail(r, "the host name has no address");
}

static void
serve_socket(struct redis *r, short revents, int64_t now)
{
	if ((revents & (POLLIN | POLLERR | POLLHUP)) != 0)
		read_replies(r, now);
	if (!r->failed && r->unsent && (revents & (POLLERR | POLLHUP)) == 0 &&
		(r->state == READY || (revents & POLLOUT) != 0))
		write_requests(r);
}

/* Ends the connection and tells everybody who still waits. */
static enum redis_event
give_up(struct redis *r)
{
	hang_up(r);
	while (r->waiting > 0) {
		struct request q = r->queue[r->head];

		r->head = (r->head + 1) % REDIS_REQUESTS;
		r->waiting--;
		if (q.fn != NULL)
			q.fn(q.data, NULL);
	}
	return r->denied ? REDIS_EVENT_DENIED : REDIS_EVENT_LOST;
}

enum redis_event
redis_serve(struct redis *r, short revents, int64_t now)
{
	if (r->state == DOWN)
		return REDIS_EVENT_NONE;
	if (r->state == LOOKUP && !r->failed)
		serve_lookup(r, revents);
	else if (!r->failed)
		serve_socket(r, revents, now);
	if (!r->failed && now >= redis_deadline(r))
		fail(r, r->state == READY ? "no answer for 5 seconds"
					  : "no connection within 5 seconds");
	if (r->failed)
		return give_up(r);
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
		fail(r, why);
}

const char *
redis_why(const struct redis *r)
{
	return r->why;
}

int64_t
redis_heard(const struct redis *r)
{
	return r->heard;
}
