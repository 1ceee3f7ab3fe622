/* The small pieces that everything stands on: arrays, hashes, characters, chance. */
#include "check.h"

#include "array.h"
#include "chance.h"
#include "hash.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
array_grows(void **state)
{
	ARRAY(int) a = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		*array_add(&a) = i;
	assert_int_equal(a.n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(a.p[i], i);
	array_reserve(&a, 5000);
	assert_true(a.cap >= 5000);
	assert_int_equal(a.p[999], 999);
	free(a.p);
}

struct entry {
	char key[16];
	int value;
	UT_hash_handle hh;
};

/* The vectors are those of the authors of FNV; a table finds what was put into it by this hash. */
static void
hash_is_fnv(void **state)
{
	struct entry *table = NULL, *e, *next;

	(void)state;
	assert_true(hash_slice(slice_of("")) == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_slice(slice_of("a")) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_slice(slice_of("foobar")) == UINT64_C(0x85944171f73967e8));
	assert_true(hash_add(hash_add(HASH_START, "foo", 3), "bar", 3) ==
		    hash_slice(slice_of("foobar")));
	for (int i = 0; i < 500; i++) {
		e = memory_grow(NULL, 1, sizeof *e);
		(void)snprintf(e->key, sizeof e->key, "key%d", i);
		e->value = i;
		HASH_ADD_STR(table, key, e);
	}
	HASH_FIND_STR(table, "key321", e);
	assert_non_null(e);
	assert_int_equal(e->value, 321);
	assert_true(e->hh.hashv == (unsigned)hash_slice(slice_of("key321")));
	HASH_FIND_STR(table, "key500", e);
	assert_null(e);
	HASH_ITER(hh, table, e, next)
	{
		HASH_DEL(table, e);
		free(e);
	}
}

static void
utf8_knows_characters(void **state)
{
	static const char *const good[] = {"a", "\xc2\x80", "\xc3\xa9", "\xe0\xa0\x80",
		"\xe2\x82\xac", "\xed\x9f\xbf", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3",
		"\xc3(", "\xe2\x82", "\xe2\x82(", "\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(utf8_length(good[i], strlen(good[i])), strlen(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(utf8_length(bad[i], strlen(bad[i])), 0);
	assert_int_equal(utf8_length("\xe2\x82\xac", 2), 0);
	assert_int_equal(utf8_length("", 0), 0);
}

static void
utf8_cuts_between_characters(void **state)
{
	const struct slice s = slice_of("a\xe2\x82\xac\xf0\x9f\x98\x80z");
	static const size_t want[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 9, 9};

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		assert_int_equal(utf8_cut(s, i).n, want[i]);
}

/* From the control pictures' names in UnicodeData.txt and Bidi_Control in PropList.txt. */
static void
utf8_knows_what_a_terminal_obeys(void **state)
{
	static const unsigned bad[] = {0, 0x1f, 0x7f, 0x80, 0x9b, 0x9f, 0x61c, 0x200e, 0x200f,
		0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069};
	static const unsigned good[] = {' ', '~', 0xa0, 0xe9, 0x61b, 0x61d, 0x200d, 0x2010, 0x202f,
		0x2065, 0x206a, 0xfffd, 0x1f600};
	struct buffer b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		b.len = 0;
		utf8_add(&b, bad[i]);
		assert_int_equal(utf8_length(b.p, b.len), b.len);
		assert_true(utf8_control(b.p, b.len));
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		b.len = 0;
		utf8_add(&b, good[i]);
		assert_int_equal(utf8_length(b.p, b.len), b.len);
		assert_false(utf8_control(b.p, b.len));
	}
	buffer_release(&b);
}

static void
chance_stays_within(void **state)
{
	struct chance c = {.state = 1};
	unsigned seen = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t v = chance_upto(&c, 7);

		assert_true(v <= 7);
		seen |= 1u << v;
	}
	assert_int_equal(seen, 0xff);
	assert_int_equal(chance_upto(&c, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(array_grows),
		cmocka_unit_test(hash_is_fnv),
		cmocka_unit_test(utf8_knows_characters),
		cmocka_unit_test(utf8_cuts_between_characters),
		cmocka_unit_test(utf8_knows_what_a_terminal_obeys),
		cmocka_unit_test(chance_stays_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
