/* The one random generator: splitmix64 (S. Vigna). */
#include "chance.h"

#include "timestamp.h"

#include <unistd.h>

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
