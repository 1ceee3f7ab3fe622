/* Bodies as gzip, made by zlib: whole, in members, cut, lying, and too long. */
#include "check.h"

#include "inflate.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX = 1 << 20 };

/* Appends text as a gzip member. */
static void
pack(struct buffer *b, const char *text, size_t n)
{
	z_stream z = {0};
	unsigned char *copy = memory_grow(NULL, n + 1, 1);

	memcpy(copy, text, n);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = copy;
	z.avail_in = (unsigned)n;
	z.avail_out = (unsigned)deflateBound(&z, n) + 64;
	z.next_out = (unsigned char *)buffer_room(b, z.avail_out);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b->len += z.total_out;
	(void)deflateEnd(&z);
	free(copy);
}

static void
check(struct libdeflate_decompressor *i, const struct buffer *packed, struct slice want)
{
	struct buffer got = {0};

	assert_int_equal(inflate_gzip(i, buffer_slice(packed), MAX, &got), INFLATE_OK);
	assert_int_equal(got.len, want.n);
	assert_memory_equal(got.p, want.p, want.n);
	buffer_release(&got);
}

static void
check_fails(struct libdeflate_decompressor *i, const struct buffer *packed, enum inflated how)
{
	struct buffer got = {0};

	assert_int_equal(inflate_gzip(i, buffer_slice(packed), MAX, &got), how);
	buffer_release(&got);
}

static void
test_members(void **state)
{
	struct libdeflate_decompressor *i = libdeflate_alloc_decompressor();
	struct buffer packed = {0};

	(void)state;
	pack(&packed, "", 0);
	check(i, &packed, slice_of(""));
	packed.len = 0;
	pack(&packed, "{\"a\":1}", 7);
	check(i, &packed, slice_of("{\"a\":1}"));
	/* What the end says is the length of the last member only. */
	pack(&packed, "", 0);
	pack(&packed, " and more", 9);
	pack(&packed, ".", 1);
	check(i, &packed, slice_of("{\"a\":1} and more."));
	/* Zeros with which it was filled up. */
	for (int n = 0; n < 40; n++) {
		buffer_byte(&packed, '\0');
		check(i, &packed, slice_of("{\"a\":1} and more."));
	}
	buffer_byte(&packed, 'x');
	check_fails(i, &packed, INFLATE_BAD);
	buffer_release(&packed);
	libdeflate_free_decompressor(i);
}

static void
test_long(void **state)
{
	struct libdeflate_decompressor *i = libdeflate_alloc_decompressor();
	struct buffer packed = {0};
	char *text = memory_grow(NULL, MAX + 1, 1);

	(void)state;
	for (size_t at = 0; at <= MAX; at++)
		text[at] = (char)('a' + at * at % 7);
	pack(&packed, text, MAX);
	check(i, &packed, (struct slice){text, MAX});
	packed.len = 0;
	pack(&packed, text, MAX + 1);
	check_fails(i, &packed, INFLATE_LONG);
	/* Together they are too long. */
	packed.len = 0;
	pack(&packed, text, MAX - 5);
	pack(&packed, text + MAX - 5, 5);
	check(i, &packed, (struct slice){text, MAX});
	pack(&packed, text, 1);
	check_fails(i, &packed, INFLATE_LONG);
	free(text);
	buffer_release(&packed);
	libdeflate_free_decompressor(i);
}

static void
test_bad(void **state)
{
	struct libdeflate_decompressor *i = libdeflate_alloc_decompressor();
	struct buffer packed = {0};
	size_t whole;

	(void)state;
	check_fails(i, &packed, INFLATE_BAD);
	pack(&packed, "a text that is long enough to be packed, packed, packed", 55);
	whole = packed.len;
	for (packed.len = 1; packed.len < whole; packed.len++)
		check_fails(i, &packed, INFLATE_BAD);
	packed.len = whole;
	for (size_t at = 0; at < whole; at++) {
		struct buffer got = {0};

		/* The header's flag of text, time and system may be anything; all else is covered
		 * by the sum. */
		if (at >= 3 && at < 10)
			continue;
		packed.p[at] ^= 1;
		assert_int_not_equal(inflate_gzip(i, buffer_slice(&packed), MAX, &got), INFLATE_OK);
		buffer_release(&got);
		packed.p[at] ^= 1;
	}
	buffer_byte(&packed, 'x');
	check_fails(i, &packed, INFLATE_BAD);
	buffer_release(&packed);
	libdeflate_free_decompressor(i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
