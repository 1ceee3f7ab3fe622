#ifndef TS_NAMES_H
#define TS_NAMES_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of names, 4 GB of them at most, in the order in which they came, found by hash. {0} is
 * empty. */
struct names {
	struct buffer text;
	struct name *name;
	size_t count, cap;
	uint32_t *slot; /* 1 + the name's number, 0 where free */
	size_t slots;
};

/*
 * The number, from 0, of the name made of a and b (which may be absent); *fresh tells whether it
 * was added by this call.
 */
size_t names_add(struct names *, struct slice a, struct slice b, bool *fresh);

/* The a of a name that was added without b. Valid until the next names_add(). */
struct slice names_at(const struct names *, size_t);

void names_release(struct names *);

#endif
