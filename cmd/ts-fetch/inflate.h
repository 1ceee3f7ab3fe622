#ifndef TS_FETCH_INFLATE_H
#define TS_FETCH_INFLATE_H

#include "buffer.h"

/*
 * Bodies that came as gzip (RFC 1952), inflated when they are complete: so what waits is small, and
 * one buffer does for all transfers.
 */
struct inflate;

struct inflate *inflate_new(void);
void inflate_free(struct inflate *);

/*
 * The inflated body, of max bytes at most, in *body: valid until the next call. Else false, with a
 * static reason in *why, which is NULL if it is longer than max.
 */
bool inflate_gzip(
	struct inflate *, struct slice packed, size_t max, struct slice *body, const char **why);

#endif
