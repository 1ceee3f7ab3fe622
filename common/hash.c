/* One hash for tables, for names of files and for what was seen before. */
#include "hash.h"

uint64_t
hash_add(uint64_t hash, const void *p, size_t n)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ c[i]) * 1099511628211u;
	return hash;
}

uint64_t
hash_slice(struct slice s)
{
	return hash_add(HASH_START, s.p, s.n);
}
