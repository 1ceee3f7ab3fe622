#ifndef TS_FETCH_INFLATE_H
#define TS_FETCH_INFLATE_H

#include "buffer.h"

/*
 * A body that came as gzip (RFC 1952), inflated when it is complete, in the place of what the
 * buffer holds: so what waits is small, and one buffer does for all transfers.
 */
struct libdeflate_decompressor;

enum inflated {
	INFLATE_OK,
	INFLATE_BAD,  /* it is not gzip, or not whole */
	INFLATE_LONG, /* it has more than max bytes */
};
enum inflated inflate_gzip(
	struct libdeflate_decompressor *, struct slice packed, size_t max, struct buffer *);

#endif
