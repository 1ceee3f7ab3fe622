#ifndef TS_LISTEN_H
#define TS_LISTEN_H

#include "lines.h"
#include "message.h"
#include "passed.h"
#include "spool.h"
#include "stream.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* A subscription that is kept up for as long as the process lives, and what came of it. */
struct listen {
	const struct redis_url *url;
	const char *channel; /* of jobs */
	const char *control;
	struct writer *out;
	struct spool *spool; /* where jobs are kept before they are passed on; may be NULL */
	const char *stream;  /* of jobs, too; may be NULL */

	struct redis_link link; /* of the subscription */
	struct redis *silent; /* the subscription that does not answer, if it may yet; else NULL */
	int64_t silent_until; /* when that is over, once another connection answers; else 0 */
	struct stream entries;
	struct messages messages;
	struct passed *passed; /* jobs that may not be over yet */
	int confirmed;	       /* channels subscribed to, of 2 */
	bool missed;	       /* nobody listened before this process did */
	bool unkept;	       /* the spool was taken away, and that was said */
	int64_t ping_due;
	int64_t asked; /* wall clock, as the next two: when the last PING or SUBSCRIBE was sent */
	int64_t known; /* all that was published until then was heard; at first, the start */

	int64_t minute; /* until when drops are counted in logged: of one minute a hundred are told
			 */
	uint64_t logged;

	uint64_t kept; /* jobs of an earlier life */
	uint64_t jobs, cancels, ignored, dropped, gaps;
};

/* The caller fills in the first six members. */
void listen_init(struct listen *);
void listen_release(struct listen *);

/* Passes on the jobs that the spool has kept from an earlier life. 0, or -1 with errno. */
int listen_resume(struct listen *);

/* Why Redis will never let us in, or NULL. */
const char *listen_denied(const struct listen *);

/* What to poll for: the connection, the one that is silent, that of the stream. */
enum { LISTEN_FDS = 3 };
void listen_pollfds(const struct listen *, struct pollfd[LISTEN_FDS]);

/* When listen_serve() must be called though its descriptors are silent. clock_mono_ms(). */
int64_t listen_deadline(const struct listen *);

/* Connects, subscribes, takes messages, writes lines. Called after each poll with its answers. */
void listen_serve(struct listen *, const struct pollfd[LISTEN_FDS], int64_t now);

#endif
