#ifndef TS_NAMES_H
#define TS_NAMES_H

#include "hash.h"

/* A name of a set: made of two parts with a NUL between them, which no part holds. */
struct name {
	UT_hash_handle hh;	   /* hh.next: in the order in which they came */
	uint32_t finished, failed; /* the owner's counts, from 0 */
	char text[];
};

/* A set of names, found by hash. {0} is empty. */
struct names {
	struct name *first;
	struct buffer key; /* of the one that is looked for */
};

/* The name of these parts, of which one may be absent; NULL if there is none. Or it is added. */
struct name *names_find(struct names *, struct slice a, struct slice b);
struct name *names_add(struct names *, struct slice a, struct slice b);

/* Frees what it holds; it is an empty set again. */
void names_release(struct names *);

#endif
