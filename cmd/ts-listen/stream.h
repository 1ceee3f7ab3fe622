#ifndef TS_STREAM_H
#define TS_STREAM_H

#include "buffer.h"
#include "redis_link.h"

#include <stdbool.h>

enum { STREAM_ID_SIZE = 48 };

/* An entry that was delivered and is not acknowledged. */
struct stream_entry {
	char id[STREAM_ID_SIZE];
	bool kept; /* it need not be delivered again */
	bool sent; /* its XACK is under way */
};

/*
 * Jobs in a Redis stream: they wait there until they are taken, for the group `listen`, and are
 * delivered again after each start until they were acknowledged. That happens in the next
 * stream_serve(), so the caller writes his output between two of them.
 */
struct stream {
	struct redis_link link;
	const char *key;
	/* The field `job` of an entry. Whether the entry need not be delivered again. */
	bool (*take)(void *, struct slice text);
	void *ctx;

	ARRAY(struct stream_entry) held;
	bool ready; /* the group is there */
	bool asked; /* for entries */
	bool fresh; /* all that was delivered before was seen: new ones are asked for */
	char last[STREAM_ID_SIZE];
};

/* The caller fills in link.redis, link.meanwhile, key, take and ctx; what is his stays his, but for
 * link.redis. */
void stream_release(struct stream *);

/* Acknowledges, asks for entries, takes them. After each poll. */
void stream_serve(struct stream *, short revents, int64_t now);

/* When it must be called though nothing is heard. */
int64_t stream_deadline(const struct stream *);

#endif
