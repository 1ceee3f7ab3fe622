/*
 * By libdeflate, which takes a third of the time of zlib since it has the whole body; inflating
 * is most of what ts-fetch does.
 */
#include "inflate.h"

#include <libdeflate.h>

enum {
	KEEP = 8 << 20, /* a larger buffer is not kept */
	SIZE = 4,	/* bytes at the end of a member that tell how long it is */
	MEMBER_MIN = 18,
};

/* What the end of the body says is its length: no more than where to begin. */
static size_t
claimed_length(struct slice packed, size_t max)
{
	const unsigned char *p = (const unsigned char *)packed.p + packed.n - SIZE;
	size_t n = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;

	return n < max ? n : max;
}

/* Room for n more bytes, exactly: a body has megabytes. */
static void
make_room(struct buffer *b, size_t n)
{
	if (b->cap - b->len >= n)
		return;
	b->cap = b->len + n;
	b->p = memory_grow(b->p, b->cap, 1);
}

/* One member of the file, appended to what there is; *packed moves behind it. */
static enum libdeflate_result
inflate_member(
	struct libdeflate_decompressor *lib, struct slice *packed, size_t max, struct buffer *to)
{
	size_t room = claimed_length(*packed, max - to->len), in, out;
	enum libdeflate_result r;

	for (;;) {
		make_room(to, room + 1);
		r = libdeflate_gzip_decompress_ex(
			lib, packed->p, packed->n, to->p + to->len, room, &in, &out);
		if (r != LIBDEFLATE_INSUFFICIENT_SPACE || room == max - to->len)
			break;
		room = room * 2 + 4096 < max - to->len ? room * 2 + 4096 : max - to->len;
	}
	if (r == LIBDEFLATE_SUCCESS) {
		to->len += out;
		*packed = (struct slice){packed->p + in, packed->n - in};
	}
	return r;
}

/* Zeros up to the end, with which tape and block devices, and some servers, fill up. */
static bool
is_padding(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\0')
			return false;
	}
	return true;
}

enum inflated
inflate_gzip(
	struct libdeflate_decompressor *lib, struct slice packed, size_t max, struct buffer *to)
{
	if (to->cap > KEEP)
		buffer_release(to);
	to->len = 0;
	do {
		enum libdeflate_result r = packed.n < MEMBER_MIN
						   ? LIBDEFLATE_BAD_DATA
						   : inflate_member(lib, &packed, max, to);

		if (r != LIBDEFLATE_SUCCESS)
			return r == LIBDEFLATE_INSUFFICIENT_SPACE ? INFLATE_LONG : INFLATE_BAD;
	} while (!is_padding(packed));
	return INFLATE_OK;
}
