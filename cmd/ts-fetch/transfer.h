#ifndef TS_FETCH_TRANSFER_H
#define TS_FETCH_TRANSFER_H

#include "buffer.h"
#include "easy.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Requests in flight: with easy the only code that knows libcurl. It knows nothing of
 * tasks: whoever starts a request gets the response back with the owner it named.
 */
struct transfer;
struct slot;

enum { TRANSFER_MAX = 64 };

struct response {
	void *owner;
	int http;	       /* status; 0 when there is none */
	enum trouble trouble;  /* none when the response is whole */
	struct slice error;    /* why the transfer failed */
	struct slice location; /* where a redirect leads; absent if it names nothing */
	bool sent;	       /* there was a connection for the request */
	bool too_long;	       /* the body exceeds TRANSFER_BODY_MAX */
	bool alone;	       /* no other request was in flight at any time with it */
	int64_t started;       /* monotonic ms */
	int64_t retry_after;   /* ms that the server asked to wait; -1 if it did not */
	uint64_t bytes;	       /* received, before they were inflated */
	struct slice body;
	struct slot *slot; /* the module's own */
};

/* The largest body, inflated. A full page has 5 MB. */
enum { TRANSFER_BODY_MAX = 32 << 20 };

/*
 * At most parallel requests at once. key is sent as a bearer token with each of them, or NULL. NULL
 * with a static reason in *why; transfer_free() aborts what is in flight.
 */
struct transfer *transfer_new(
	unsigned parallel, const char *key, const char *agent, const char **why);
void transfer_free(struct transfer *);

/* How many requests are in flight, from transfer_start() to transfer_done(). */
unsigned transfer_active(const struct transfer *);

/*
 * Starts a GET; one more than parallel must not be asked for. 0, or -1 if libcurl refuses the URL.
 */
int transfer_start(struct transfer *, const char *url, void *owner);

/* Gives up the request of an owner; there will be no response. */
void transfer_abort(struct transfer *, const void *owner);

/*
 * Waits until something happens to a request or one of the descriptors, or the time is over, and
 * works on what has come. revents of the descriptors is set as by poll(2).
 */
void transfer_wait(struct transfer *, struct pollfd *, unsigned n, int timeout_ms);

/*
 * Names one request after another that has been sent since the last call, by its owner, and when
 * (monotonic ms); false when there is none left.
 */
bool transfer_sent(struct transfer *, void **owner, int64_t *at);

/*
 * The next response that is ready. It and its slices are valid until transfer_done(), which must
 * follow.
 */
bool transfer_next(struct transfer *, struct response *);
void transfer_done(struct transfer *, const struct response *);

#endif
