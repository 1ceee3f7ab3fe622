/* Waits that grow from try to try. */
#include "backoff.h"

enum { BACKOFF_MIN_MS = 200, BACKOFF_MAX_MS = 5000, LASTING_MS = 5000 };

void
backoff_failed(struct backoff *b, int64_t now)
{
	int64_t wait;

	if (b->since != 0 && now - b->since >= LASTING_MS)
		b->tries = 0;
	b->since = 0;
	wait = b->tries >= 5 ? BACKOFF_MAX_MS : (int64_t)BACKOFF_MIN_MS << b->tries;
	b->tries++;
	b->due = now + wait / 2 + (int64_t)chance_upto(&b->chance, (uint64_t)wait / 2);
}

void
backoff_succeeded(struct backoff *b, int64_t now)
{
	b->since = now;
}
