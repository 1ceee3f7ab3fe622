/* One range that is fetched page by page: which page is next, and which have been. */
#include "chunk.h"

#include "hash.h"

#include <stdlib.h>

void
chunk_range(struct chunk *c, struct series series, int64_t start, int64_t end)
{
	series.start = c->start = start;
	series.end = c->end = end;
	c->after = INT64_MIN;
	c->seen.n = 0;
	c->stale = 0;
	c->path.len = 0;
	url_path(&c->path, &series);
	c->tries = c->refusals = 0;
	c->refused_at = c->failed_at = 0;
	c->state = CHUNK_READY;
}

void
chunk_follow(struct chunk *c, struct slice path)
{
	buffer_set(&c->path, path);
	c->tries = c->refusals = 0;
	c->refused_at = c->failed_at = 0;
	c->state = CHUNK_READY;
}

bool
chunk_loops(const struct chunk *c, struct slice next)
{
	uint64_t h = hash_slice(next);

	for (size_t i = 0; i < c->seen.n; i++) {
		if (c->seen.p[i] == h)
			return true;
	}
	return false;
}

void
chunk_count(struct chunk *c, struct slice next)
{
	*array_add(&c->seen) = next.p == NULL ? 0 : hash_slice(next);
}

void
chunk_release(struct chunk *c)
{
	buffer_release(&c->path);
	free(c->seen.p);
}
