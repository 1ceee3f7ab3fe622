#ifndef TS_ARRAY_H
#define TS_ARRAY_H

#include <stddef.h>

/*
 * Growing arrays of anything: ARRAY(struct bar) bars; {0} is a valid empty one, p[0] to p[n - 1]
 * are its elements, n may be lowered at will and free(p) releases it. Elements move as it grows.
 */
#define ARRAY(type)                                                                                \
	struct {                                                                                   \
		type *p;                                                                           \
		size_t n, cap;                                                                     \
	}

/* Adds one element, uninitialised, and gives its address. The argument is evaluated more than once.
 */
#define array_add(a)                                                                               \
	((a)->p = array_room((a)->p, (a)->n + 1, &(a)->cap, sizeof *(a)->p), &(a)->p[(a)->n++])

/* Makes room for n elements in all. The argument a is evaluated more than once. */
#define array_reserve(a, count) ((a)->p = array_room((a)->p, (count), &(a)->cap, sizeof *(a)->p))

/* What the macros stand on: p, moved where need be so that n elements of that size fit. */
void *array_room(void *p, size_t n, size_t *cap, size_t size);

#endif
