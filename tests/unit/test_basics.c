/* The small pieces that everything stands on: arrays, hashes, characters, lines of log, chance. */
#include "check.h"

#include "buffer.h"
#include "backoff.h"
#include "hash.h"
#include "log.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	assert_int_equal(a.p[999], 999);
	free(a.p);
}

/* Other people's names reach terminals. */
static void
names_are_shown(void **state)
{
	struct buffer b = {0};

	(void)state;
	buffer_str(&b, "job ");
	buffer_shown(&b, slice_of("A\033[2J \302\233K \303\251"));
	assert_string_equal(buffer_cstr(&b), "job A\\x1b[2J \\xc2\\x9bK \303\251");
	buffer_release(&b);
}

/* Texts are taken apart in one way, whatever they are of. */
static void
slices_part(void **state)
{
	struct slice s = slice_of("GET /a b,c\r");

	(void)state;
	assert_true(slice_starts(s, "GET"));
	assert_false(slice_starts(slice_of("GE"), "GET"));
	assert_int_equal(slice_until(s, " ,"), 3);
	assert_int_equal(slice_until(s, "\n"), s.n);
	assert_true(slice_is(slice_part(&s, "/ "), "GET"));
	assert_true(slice_is(slice_part(&s, " "), "/a"));
	assert_true(slice_is(slice_part(&s, "\n"), "b,c\r"));
	assert_int_equal(s.n, 0);
	assert_int_equal(slice_part(&s, "\n").n, 0);
	assert_true(slice_is(slice_trim(slice_of(" \ta b\r\n")), "a b"));
	assert_int_equal(slice_trim(slice_of(" \v")).n, 0);
	assert_int_equal(slice_trim((struct slice){"\0", 1}).n, 1);
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
bytes_are_told_in_units(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} told[] = {{0, "0 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {1234567, "1.2 MB"},
		{34567000000, "34 GB"}, {UINT64_MAX / 10, "1.8 EB"}};
	struct buffer b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
		b.len = 0;
		buffer_bytes(&b, told[i].bytes);
		assert_string_equal(buffer_cstr(&b), told[i].text);
	}
	buffer_release(&b);
}

/* What is printed is never cut, wherever the end of the buffer lies. */
static void
buffer_prints_whole(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof text);
	for (int n = 1; n < (int)sizeof text; n += n < 200 ? 1 : 100) {
		struct buffer b = {0};

		buffer_printf(&b, "<%.*s|%03d>", n, text, n);
		assert_int_equal(b.len, n + 6);
		assert_memory_equal(b.p + b.len - 5, "|", 1);
		buffer_printf(&b, "%.*s.", SLICE(((struct slice){0})));
		assert_string_equal(buffer_cstr(&b) + n + 5, ">.");
		buffer_release(&b);
	}
}

static void
utf8_cuts_between_characters(void **state)
{
	const struct slice s = slice_of("a\xe2\x82\xac\xf0\x9f\x98\x80z");
	static const size_t want[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 9, 9};

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		assert_int_equal(slice_cut(s, i).n, want[i]);
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
		buffer_utf8(&b, bad[i]);
		assert_int_equal(utf8_length(b.p, b.len), b.len);
		assert_true(utf8_control(b.p, b.len));
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		b.len = 0;
		buffer_utf8(&b, good[i]);
		assert_int_equal(utf8_length(b.p, b.len), b.len);
		assert_false(utf8_control(b.p, b.len));
	}
	buffer_release(&b);
}

/* What a warning of that text writes, without its head and its newline. */
static struct slice
logged(const char *text, char out[2000])
{
	static const char head[] = "t: warning: ";
	FILE *file = tmpfile();
	int old = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	log_init("t", false, false);
	log_warning("%s", text);
	assert_true(dup2(old, STDERR_FILENO) >= 0);
	(void)close(old);
	rewind(file);
	n = fread(out, 1, 2000, file);
	(void)fclose(file);
	assert_true(n > sizeof head && n <= 1000 && out[n - 1] == '\n');
	assert_memory_equal(out, head, sizeof head - 1);
	return (struct slice){out + sizeof head - 1, n - sizeof head};
}

/* A line of log has nothing in it that a terminal obeys, and no part of a character at its end. */
static void
log_lines_are_harmless(void **state)
{
	static const unsigned bad[] = {'\n', 0x1b, 0x7f, 0x80, 0x9b, 0x9f, 0x61c, 0x200e, 0x200f,
		0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069};
	struct buffer text = {0};
	char out[2000];
	struct slice line;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		text.len = 0;
		buffer_utf8(&text, bad[i]);
		line = logged(buffer_cstr(&text), out);
		assert_int_equal(line.n, 4 * text.len);
		assert_memory_equal(line.p, "\\x", 2);
	}
	text.len = 0;
	buffer_str(&text, "\u00a0\u00e9\u200d\u2065\u206a\U0001f600");
	assert_true(slice_eq(logged(buffer_cstr(&text), out), buffer_slice(&text)));
	/* Wherever it is cut. */
	for (size_t before = 0; before < 4; before++) {
		text.len = 0;
		buffer_str(&text, &"aaa"[3 - before]);
		for (int i = 0; i < 300; i++)
			buffer_utf8(&text, 0x1f600);
		line = logged(buffer_cstr(&text), out);
		assert_true(line.n > 900 && (line.n - before) % 4 == 0);
	}
	buffer_release(&text);
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
		cmocka_unit_test(names_are_shown),
		cmocka_unit_test(slices_part),
		cmocka_unit_test(hash_is_fnv),
		cmocka_unit_test(utf8_knows_characters),
		cmocka_unit_test(bytes_are_told_in_units),
		cmocka_unit_test(buffer_prints_whole),
		cmocka_unit_test(utf8_cuts_between_characters),
		cmocka_unit_test(utf8_knows_what_a_terminal_obeys),
		cmocka_unit_test(log_lines_are_harmless),
		cmocka_unit_test(chance_stays_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
