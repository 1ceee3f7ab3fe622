/* Waits that grow from try to try. */
#include "backoff.h"

#include <unistd.h>

enum { BACKOFF_MIN_MS = 200, BACKOFF_MAX_MS = 5000, LASTING_MS = 5000 };

/* Two processes that lost the same server must not come back in step. */
static uint32_t
chance(struct backoff *b, int64_t now)
{
	if (b->chance == 0)
		b->chance = (uint32_t)now * 2654435761u ^ (uint32_t)getpid() * 40503u ^ 1u;
	b->chance = b->chance * 1664525u + 1013904223u;
	return b->chance >> 16;
}

void
backoff_failed(struct backoff *b, int64_t now)
{
	int64_t wait;

	if (b->since != 0 && now - b->since >= LASTING_MS)
		b->tries = 0;
	b->since = 0;
	wait = b->tries >= 5 ? BACKOFF_MAX_MS : (int64_t)BACKOFF_MIN_MS << b->tries;
	b->tries++;
	b->due = now + wait / 2 + chance(b, now) % (uint32_t)(wait / 2 + 1);
}

void
backoff_succeeded(struct backoff *b, int64_t now)
{
	b->since = now;
}
