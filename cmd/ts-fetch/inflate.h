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

/* INFLATE_OK: the inflated body is in *body, valid until the next call. */
enum inflated {
	INFLATE_OK,
	INFLATE_BAD,  /* it is not gzip, or not whole */
	INFLATE_LONG, /* it has more than max bytes */
};
enum inflated inflate_gzip(struct inflate *, struct slice packed, size_t max, struct slice *body);

#endif
