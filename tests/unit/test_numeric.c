/*
 * The binary NUMERIC: what Postgres itself gives for some texts, the quick and the careful road
 * against each other on random ones, rounding, and back to text.
 */
#include "check.h"

#include "numeric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slice
encoded(const char *text, unsigned char *out)
{
	struct decimal d;

	assert_int_equal(decimal_parse(slice_of(text), &d), 0);
	return (struct slice){(char *)out, numeric_of_decimal(&d, out)};
}

static const char *
hex(struct slice s)
{
	static char out[2 * NUMERIC_MAX + 1];

	for (size_t i = 0; i < s.n; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", (unsigned char)s.p[i]);
	return out;
}

static const char *
text_of(struct slice s)
{
	static char out[2 * DECIMAL_TEXT + 2 * DECIMAL_EXPONENT];
	struct buffer b = {0};

	numeric_write(s, &b);
	(void)snprintf(out, sizeof out, "%s", buffer_cstr(&b));
	buffer_release(&b);
	return out;
}

/* Recorded from Postgres 15: select numeric_send('...'::numeric). */
static void
as_postgres_has_it(void **state)
{
	static const char *const known[][2] = {
		{"0", "0000000000000000"},
		{"0.00", "0000000000000002"},
		{"-0.0", "0000000000000001"},
		{"272.86", "000200000000000201102198"},
		{"272.50", "000200000000000201101388"},
		{"-272.86", "000200004000000201102198"},
		{"10000", "00010001000000000001"},
		{"10001", "000200010000000000010001"},
		{"123456789.123456789", "0006000200000009000109291a8504d2162e2328"},
		{"0.0001", "0001ffff000000040001"},
		{"0.00001", "0001fffe0000000503e8"},
		{"0.00000000012", "0001fffd0000000b0078"},
		{"1.2e+06", "00010001000000000078"},
		{"7.0661926525697e+07", "00040001000000061b9a0786148825e4"},
		{"2.5e-3", "0001ffff000000040019"},
	};
	unsigned char out[NUMERIC_MAX];
	struct plain p;

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		assert_string_equal(hex(encoded(known[i][0], out)), known[i][1]);
		if (!plain_read(slice_of(known[i][0]), &p))
			continue;
		assert_string_equal(
			hex((struct slice){(char *)out, numeric_of_plain(&p, out)}), known[i][1]);
	}
}

static void
what_is_plain(void **state)
{
	static const char *const not_plain[] = {"", "-1", "1e3", "1.", ".5", "1.2e+06", "1x", "1.5 ",
		"1234567890123456", "0.12345678901234567", "1..5", "+1"};
	struct plain p;

	(void)state;
	for (size_t i = 0; i < sizeof not_plain / sizeof not_plain[0]; i++)
		assert_false(plain_read(slice_of(not_plain[i]), &p));
	assert_false(plain_read((struct slice){0}, &p));
	assert_true(plain_read(slice_of("999999999999999.9999999999999999"), &p));
	assert_true(p.whole == 999999999999999 && p.part == 9999999999999999 && p.scale == 16);
	assert_true(plain_read(slice_of("7.01"), &p));
	assert_true(p.whole == 7 && p.part == 100000000000000 && p.scale == 2);
}

/* A random number without exponent, most of them short. */
static void
random_plain(char *out, size_t cap)
{
	size_t n = 0, whole = 1 + (size_t)rand() % (rand() % 2 == 0 ? 4 : 15), part = 0;

	if (rand() % 4 != 0)
		part = 1 + (size_t)rand() % (rand() % 2 == 0 ? 4 : 16);
	assert_true(whole + part + 2 < cap);
	for (size_t i = 0; i < whole; i++)
		out[n++] = (char)('0' + (i == 0 && whole > 1 ? 1 + rand() % 9 : rand() % 10));
	/* Runs of zeros make the groups that are stripped. */
	if (whole > 6 && rand() % 2 == 0)
		memset(out + 1, '0', 5);
	if (part > 0)
		out[n++] = '.';
	for (size_t i = 0; i < part; i++)
		out[n++] = (char)(rand() % 3 == 0 ? '0' + rand() % 10 : '0');
	out[n] = '\0';
}

static void
both_roads_agree(void **state)
{
	unsigned char quick[NUMERIC_MAX], slow[NUMERIC_MAX];
	char a[40], b[40];
	struct plain p, q;
	struct decimal d, e;

	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		random_plain(a, sizeof a);
		random_plain(b, sizeof b);
		assert_true(plain_read(slice_of(a), &p) && plain_read(slice_of(b), &q));
		assert_true(decimal_parse(slice_of(a), &d) == 0 &&
			    decimal_parse(slice_of(b), &e) == 0);
		size_t n = numeric_of_plain(&p, quick);
		struct slice s = encoded(a, slow);

		assert_int_equal(n, s.n);
		assert_memory_equal(quick, slow, n);
		assert_string_equal(text_of(s), a);
		int want = decimal_cmp(&d, &e), got = plain_cmp(&p, &q);

		assert_true((want > 0) == (got > 0) && (want < 0) == (got < 0));
	}
}

static void
integers(void **state)
{
	static const int64_t values[] = {0, 1, -1, 9999, 10000, 36571800, INT64_MAX, INT64_MIN,
		1000000000000000000};
	unsigned char a[NUMERIC_MAX], b[NUMERIC_MAX];
	char text[30];

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		(void)snprintf(text, sizeof text, "%lld", (long long)values[i]);
		struct slice want = encoded(text, a);

		assert_int_equal(numeric_of_int(values[i], b), want.n);
		assert_memory_equal(b, a, want.n);
	}
}

static void
equality_is_numeric(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"272.5", "272.50", true},
		{"272.5", "2.725e2", true},
		{"0", "0.000", true},
		{"0", "-0", true},
		{"272.5", "272.51", false},
		{"272.5", "-272.5", false},
		{"1", "10000", false},
		{"1", "1.0001", false},
		{"1e300", "1.0e300", true},
		{"1e300", "1e301", false},
	};
	unsigned char a[NUMERIC_MAX], b[NUMERIC_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_true(numeric_equal(encoded(cases[i].a, a), encoded(cases[i].b, b)) ==
			    cases[i].equal);
	/* NaN is nothing but NaN. */
	assert_false(numeric_equal(encoded("0", a),
		(struct slice){"\0\0\0\0\xc0\0\0\0", 8}));
}

static void
rounding(void **state)
{
	static const struct {
		const char *text;
		int scale;
		const char *want;
	} cases[] = {
		{"272.86", 2, "272.86"},
		{"272.8650", 2, "272.87"},
		{"272.8649999", 2, "272.86"},
		{"-272.865", 2, "-272.87"},
		{"272.5", 2, "272.50"},
		{"999.995", 2, "1000.00"},
		{"9999.99995", 4, "10000.0000"},
		{"9999.5", 0, "10000"},
		{"0.00005", 4, "0.0001"},
		{"0.00004", 4, "0.0000"},
		{"0.4", 0, "0"},
		{"0.5", 0, "1"},
		{"12345.6789012", 5, "12345.67890"},
		{"15", -1, "20"},
		{"14999", -4, "10000"},
		{"5000", -4, "10000"},
		{"4999", -4, "0"},
		{"4999", -9, "0"},
		{"1e10", 2, "10000000000.00"},
	};
	unsigned char a[NUMERIC_MAX], b[NUMERIC_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = numeric_round(encoded(cases[i].text, a), cases[i].scale, b);

		assert_string_equal(text_of((struct slice){(char *)b, n}), cases[i].want);
		/* As if it had been written that way. */
		assert_true(numeric_equal(
			(struct slice){(char *)b, n}, encoded(cases[i].want, a)));
	}
	assert_int_equal(numeric_round((struct slice){"\0\0\0\0\xc0\0\0\0", 8}, 2, b), 8);
}

/* The longest numbers that are read fit into NUMERIC_MAX, and come back digit by digit. */
static void
extremes(void **state)
{
	unsigned char out[NUMERIC_MAX], again[NUMERIC_MAX];
	char text[DECIMAL_TEXT + 1];
	static const char *const exponents[] = {"e400", "e-400", "", "e7"};

	(void)state;
	for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
		size_t n = DECIMAL_TEXT - strlen(exponents[i]);

		for (int point = 0; point < 2; point++) {
			memset(text, '9', n);
			if (point)
				text[1] = '.';
			memcpy(text + n, exponents[i], strlen(exponents[i]) + 1);
			struct slice s = encoded(text, out);
			struct decimal d;

			assert_true(s.n <= NUMERIC_MAX);
			/* More than DECIMAL_TEXT digits cannot be read back in one piece. */
			if (strlen(text_of(s)) > DECIMAL_TEXT)
				continue;
			assert_int_equal(decimal_parse(slice_of(text_of(s)), &d), 0);
			assert_int_equal(numeric_of_decimal(&d, again), s.n);
			assert_memory_equal(again, out, s.n);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_postgres_has_it),
		cmocka_unit_test(what_is_plain),
		cmocka_unit_test(both_roads_agree),
		cmocka_unit_test(integers),
		cmocka_unit_test(equality_is_numeric),
		cmocka_unit_test(rounding),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests_name("numeric", tests, NULL, NULL);
}
