#ifndef TS_REDIS_H
#define TS_REDIS_H

#include "backoff.h"
#include "buffer.h"
#include "redis_reply.h"
#include "redis_url.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A connection to Redis that never blocks: it is served from its owner's poll(2) and tells what
 * became of it. Requests are pipelined and answered in order. Where the URL names sentinels, they
 * are asked for the master each time. A command that the server's ACL refuses is logged, once per
 * connection. Times are clock_mono_ms().
 */
struct redis;

enum {
	REDIS_PATIENCE_MS = 5000, /* for connecting and logging in, and then for each answer */
	REDIS_REQUESTS = 4096,	  /* requests that may wait for their answers */
};

/*
 * Takes a reply; NULL when the connection was lost before it came. It may make new requests, but
 * not connect or free.
 */
typedef void redis_fn(void *data, const struct redis_reply *);

/*
 * The URL stays the caller's and is used for as long as the connection lives. push, which may be
 * NULL, takes the messages of channels subscribed to: arrays of "message", channel and text.
 * redis_free() forgets requests in flight without calling back.
 */
struct redis *redis_new(const struct redis_url *, redis_fn *push, void *data);
void redis_free(struct redis *);

/* Starts to connect; what comes of it is told by redis_serve(). Only without a connection. */
void redis_connect(struct redis *, int64_t now);

/* Whether requests can be made. */
bool redis_ready(const struct redis *);

/* Whether it neither has a connection nor is about to have one. */
bool redis_down(const struct redis *);

/*
 * Asks for something; the words are copied. fn, which may be NULL, is called with the reply. 0; or
 * -1 without a connection, or when too many requests wait already.
 */
int redis_call(struct redis *, redis_fn *, void *data, const struct slice *words, int n);

/* The same with the words, slices, behind data. */
#define REDIS_CALL(redis, fn, data, ...)                                                           \
	redis_call((redis), (fn), (data), (const struct slice[]){__VA_ARGS__},                     \
		(int)(sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice)))

/* How many more requests it would take now. */
size_t redis_room(const struct redis *);

/* How many requests wait for their answers. */
size_t redis_waiting(const struct redis *);

/* What to poll for; fd is -1 when there is nothing. */
struct pollfd redis_pollfd(const struct redis *);

/* When redis_serve() must be called though nothing is heard; INT64_MAX for never. */
int64_t redis_deadline(const struct redis *);

enum redis_event {
	REDIS_EVENT_NONE,
	REDIS_EVENT_READY,  /* connected and logged in */
	REDIS_EVENT_LOST,   /* the connection failed or was lost; redis_why() tells the reason */
	REDIS_EVENT_DENIED, /* the same, for a reason that trying again does not mend */
};

/*
 * From now until the connection ends its owner minds the silence: an answer that is overdue, from
 * the moment that redis_overdue() gives, is only late. INT64_MAX when none is awaited.
 */
void redis_be_patient(struct redis *);
int64_t redis_overdue(const struct redis *);

/* Reads, writes, calls back. Called after each poll with what it said. */
enum redis_event redis_serve(struct redis *, short revents, int64_t now);

/* Gives a connection up: the next redis_serve() tells that it was lost, for the reason given. */
void redis_abandon(struct redis *, const char *why);

/* The reason of the last failure, without secrets. */
const char *redis_why(const struct redis *);

#endif
