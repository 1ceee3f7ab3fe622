/* The one place where an array grows. */
#include "array.h"

#include "buffer.h"

enum { FIRST = 16 };

void *
array_room(void *p, size_t n, size_t *cap, size_t size)
{
	if (n <= *cap && p != NULL)
		return p;
	if (*cap < FIRST)
		*cap = FIRST;
	while (*cap < n)
		*cap *= 2;
	return memory_grow(p, *cap, size);
}
