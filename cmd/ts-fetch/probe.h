#ifndef TS_FETCH_PROBE_H
#define TS_FETCH_PROBE_H

#include "chunk.h"

/*
 * The page that succeeded last. While the API is taken to be unreachable it is asked for once more,
 * in turn with the pages that have failed: if it comes, the API is well and they are their own
 * trouble.
 */
struct probe {
	struct chunk chunk; /* of no task; without a path there is none */
	struct series series;
	struct buffer symbol;
	bool due; /* the last request was another page's */
};

/* Keeps the page that a chunk has asked for. */
void probe_keep(struct probe *, const struct chunk *, const struct series *);
void probe_release(struct probe *);

/* Whether there is one. */
bool probe_known(const struct probe *);

#endif
