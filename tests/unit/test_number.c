/*
 * Numbers: what is taken, their order and rounding; the binary NUMERIC against what Postgres itself
 * gives for some texts, and random ones there and back.
 */
#include "check.h"

#include "number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct number
number(const char *text)
{
	struct number d;

	if (number_parse(slice_of(text), &d) != 0)
		fail_msg("%s is refused", text);
	return d;
}

static struct slice
encoded(const char *text, unsigned char *out)
{
	struct number d = number(text);

	return (struct slice){(char *)out, number_binary(&d, out)};
}

static const char *
hex(struct slice s)
{
	static char out[2 * NUMBER_BYTES + 1];

	for (size_t i = 0; i < s.n; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", (unsigned char)s.p[i]);
	return out;
}

static const char *
text_of(const struct number *d)
{
	static char out[2 * NUMBER_TEXT];
	struct buffer b = {0};

	number_write(d, &b);
	(void)snprintf(out, sizeof out, "%s", buffer_cstr(&b));
	buffer_release(&b);
	return out;
}

static void
refuses(void **state)
{
	static const char *const bad[] = {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1e401",
		"0x10", "1.2.3", " 1", "1 ", "NaN", "Infinity", "1e-999999999999999999999", "--1",
		"1,5", "1e64", "1e-65",
		"0.00000000000000000000000000000000000000000000000000000000000000000"};
	struct number d;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (number_parse(slice_of(bad[i]), &d) == 0)
			fail_msg("%s is taken", bad[i]);
	}
	assert_int_equal(number_parse((struct slice){0}, &d), -1);
}

static void
scales(void **state)
{
	(void)state;
	assert_int_equal(number("-272.50").scale, 2);
	assert_int_equal(number("1.12117471e+08").scale, 0);
	assert_int_equal(number("5E-3").scale, 3);
	assert_int_equal(number("1e-64").scale, 64);
	assert_false(number("-0.00e5").negative);
}

static int
cmp(const char *a, const char *b)
{
	struct number x = number(a), y = number(b);
	int c = number_cmp(&x, &y);

	assert_int_equal((number_cmp(&y, &x) > 0) - (number_cmp(&y, &x) < 0), (c < 0) - (c > 0));
	return (c > 0) - (c < 0);
}

static void
order(void **state)
{
	(void)state;
	assert_int_equal(cmp("272.5", "272.50"), 0);
	assert_int_equal(cmp("272.5", "2.725e2"), 0);
	assert_int_equal(cmp("0", "-0.000"), 0);
	assert_int_equal(cmp("9.99", "10"), -1);
	assert_int_equal(cmp("-9.99", "-10"), 1);
	assert_int_equal(cmp("-9999", "-10000"), 1);
	assert_int_equal(cmp("-0.0001", "-1"), 1);
	assert_int_equal(cmp("-1", "0"), -1);
	assert_int_equal(cmp("1e-64", "0"), 1);
	assert_int_equal(cmp("1e63", "9e62"), 1);
	assert_int_equal(cmp("10000.0001", "10000"), 1);
	assert_int_equal(cmp("0.1", "0.09999999999999999999999"), 1);
}

static void
integers(void **state)
{
	static const struct {
		const char *text;
		int places;
		int64_t want;
	} cases[] = {
		{"1.12117471e+08", 0, 112117471},
		{"7.0661926525697e+07", 0, 70661927},
		{"642646396.0", 0, 642646396},
		{"0.5", 0, 1},
		{"0.49999999999999999999999", 0, 0},
		{"2.5", 0, 3},
		{"-2.5", 0, -3},
		{"9999.5", 0, 10000},
		{"1e18", 0, 1000000000000000000},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775806.5", 0, INT64_MAX},
		{"0", 0, 0},
		{"0.003", 6, 3000},
		{"0.0192", 6, 19200},
		{"0.00000049", 6, 0},
		{"1e-64", 0, 0},
		{"0.05", 0, 0},
	};
	static const char *const beyond[] = {
		"9223372036854775808", "9223372036854775807.5", "1e63"};
	struct number d;
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		d = number(cases[i].text);
		assert_int_equal(number_to_int(&d, cases[i].places, &v), 0);
		if (v != cases[i].want)
			fail_msg("%s gives %lld", cases[i].text, (long long)v);
	}
	for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
		d = number(beyond[i]);
		assert_int_equal(number_to_int(&d, 0, &v), -1);
	}
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
	unsigned char out[NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		assert_string_equal(hex(encoded(known[i][0], out)), known[i][1]);
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

/* There and back, and in the order of their doubles where those differ clearly. */
static void
random_numbers(void **state)
{
	unsigned char bytes[NUMBER_BYTES];
	char a[40], b[40];

	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		random_plain(a, sizeof a);
		random_plain(b, sizeof b);
		struct number x = number(a), y = number(b),
			      back = number_of_binary(encoded(a, bytes));
		double diff = strtod(a, NULL) - strtod(b, NULL);
		int order = number_cmp(&x, &y);

		assert_string_equal(text_of(&x), a);
		assert_string_equal(text_of(&back), a);
		assert_int_equal(number_cmp(&x, &back), 0);
		if (diff > 1e-9 * strtod(a, NULL) || -diff > 1e-9 * strtod(a, NULL))
			assert_true((diff > 0) == (order > 0) && (diff < 0) == (order < 0));
	}
}

static void
whole_numbers(void **state)
{
	static const int64_t values[] = {
		0, 1, -1, 9999, 10000, 36571800, INT64_MAX, INT64_MIN, 1000000000000000000};
	unsigned char a[NUMBER_BYTES], b[NUMBER_BYTES];
	char text[30];

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct number d = number_of_int(values[i]);

		(void)snprintf(text, sizeof text, "%lld", (long long)values[i]);
		struct slice want = encoded(text, a);

		assert_int_equal(number_binary(&d, b), want.n);
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
		{"1e60", "1.0e60", true},
		{"1e60", "1e61", false},
	};
	unsigned char a[NUMBER_BYTES], b[NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_true(number_same(encoded(cases[i].a, a), encoded(cases[i].b, b)) ==
			    cases[i].equal);
	/* NaN is nothing but NaN. */
	assert_false(number_same(encoded("0", a), (struct slice){"\0\0\0\0\xc0\0\0\0", 8}));
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
	struct number d, again;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		d = number(cases[i].text);
		assert_int_equal(number_round(&d, cases[i].scale), 0);
		assert_string_equal(text_of(&d), cases[i].want);
		/* As if it had been written that way. */
		again = number(cases[i].want);
		assert_int_equal(number_cmp(&d, &again), 0);
	}
	d = number("9999999999999999999999999999999999999999999999999999999999999999.5");
	assert_int_equal(number_round(&d, 0), -1);
}

/* The longest numbers that are read fit into NUMBER_BYTES, and come back digit by digit. */
static void
extremes(void **state)
{
	unsigned char out[NUMBER_BYTES];
	char text[2 * NUMBER_DIGITS + 2];

	(void)state;
	memset(text, '9', sizeof text);
	text[NUMBER_DIGITS] = '.';
	text[sizeof text - 1] = '\0';
	struct slice s = encoded(text, out);
	struct number d = number_of_binary(s);

	assert_int_equal(s.n, NUMBER_BYTES);
	assert_string_equal(text_of(&d), text);
}

/* Texts of 1 to 19 digits, with and without a point, against the C library's own reading of them.
 */
static void
nearest_binary(void **state)
{
	static const char *const texts[] = {"0", "0.1", "272.86", "16777217", "16777217.5",
		"9007199254740993", "9007199254740992.5", "1e22", "1e23", "1.1e-30",
		"0.3000000000000000444", "1e63", "8388608.5000000001",
		"123456789012345678901234567890.5"};
	uint64_t seed = 1;
	char text[40];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct number d = number(texts[i]);
		double nearest = number_to_double(&d);
		float near = number_to_float(&d);

		assert_true(nearest == strtod(texts[i], NULL));
		assert_true(near == strtof(texts[i], NULL));
	}
	for (int i = 0; i < 20000; i++) {
		struct number d;

		seed = seed * 6364136223846793005U + 1442695040888963407U;
		(void)snprintf(text, sizeof text, "%llu.%0*llu",
			(unsigned long long)(seed >> (20 + i % 40)), 1 + i % 12,
			(unsigned long long)(seed >> 24) % 1000);
		d = number(text);
		if (number_to_double(&d) != strtod(text, NULL) ||
			number_to_float(&d) != strtof(text, NULL))
			fail_msg("%s", text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(scales),
		cmocka_unit_test(order),
		cmocka_unit_test(integers),
		cmocka_unit_test(as_postgres_has_it),
		cmocka_unit_test(random_numbers),
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(equality_is_numeric),
		cmocka_unit_test(rounding),
		cmocka_unit_test(extremes),
		cmocka_unit_test(nearest_binary),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
