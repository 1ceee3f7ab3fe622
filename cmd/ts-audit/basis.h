#ifndef TS_BASIS_H
#define TS_BASIS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Which sessions stand on another basis than their days: before a split that one table knows and
 * the other does not, in another currency, of another security. Pure.
 *
 * ratio[i] is that of session i to its day, above 0. off[i] becomes true for those that are not on
 * the days' basis.
 */
void basis_find(const float *ratio, bool *off, size_t n);

/* The middle of n values, one at least, which are put in order. */
float basis_median(float *, size_t n);

#endif
