#ifndef TS_FETCH_CHUNK_H
#define TS_FETCH_CHUNK_H

#include "buffer.h"
#include "url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct active;

enum chunk_state {
	CHUNK_FREE,
	CHUNK_READY,	 /* its task waits in the queue for its turn to ask for another page */
	CHUNK_WAITING,	 /* until due, to ask for the same page again */
	CHUNK_IN_FLIGHT, /* a request for it is on its way */
	CHUNK_ANSWERED,	 /* its response is being looked at */
};

/* A part of a task's range, or all of it: fetched page by page. */
struct chunk {
	enum chunk_state state;
	struct active *active; /* the task that it is a part of */
	int64_t start, end;    /* as in a series */
	struct buffer path;    /* path and query of the page to ask for */
	int64_t due;	       /* monotonic ms */
	int64_t after;	       /* t of the last row so far */
	size_t request;	       /* its number in the limiter */
	unsigned tries;	       /* of this page that have failed */
	unsigned refusals;     /* of this page though others got through */
	unsigned unprocessed;  /* requests in a row that nobody looked at */
	unsigned stale;	       /* pages in a row that brought no later row */
	int64_t failed_at;     /* when this page failed first; 0: it has not */
	int64_t refused_at; /* when the service last said that this page was one too many; 0: not */
	ARRAY(uint64_t) seen; /* hash of where each page led; none: its range was not asked for */
};

/* Gives it another range of the series, which has not been asked for yet. */
void chunk_range(struct chunk *, struct series, int64_t start, int64_t end);

/* Its next page is the one behind that path. */
void chunk_follow(struct chunk *, struct slice path);

/* Whether the path of a next page has been met before. */
bool chunk_loops(const struct chunk *, struct slice next);

/* Counts a page that has come, and remembers where it leads; next is absent on the last one. */
void chunk_count(struct chunk *, struct slice next);

void chunk_release(struct chunk *);

#endif
