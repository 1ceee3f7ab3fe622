/* Waits that grow from try to try, and the one random generator. */
#include "backoff.h"

#include "timestamp.h"

#include <unistd.h>

enum { BACKOFF_MIN_MS = 200, BACKOFF_MAX_MS = 5000, LASTING_MS = 5000 };

/* splitmix64 (S. Vigna). */
uint64_t
chance_upto(struct chance *c, uint64_t n)
{
	uint64_t z;

	if (c->state == 0)
		c->state = (uint64_t)clock_mono_ms() << 20 ^ (uint64_t)getpid();
	z = c->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return n == UINT64_MAX ? z : z % (n + 1);
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
	b->due = now + wait / 2 + (int64_t)chance_upto(&b->chance, (uint64_t)wait / 2);
}

void
backoff_succeeded(struct backoff *b, int64_t now)
{
	b->since = now;
}
