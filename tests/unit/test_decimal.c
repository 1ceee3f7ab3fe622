/* Decimal arithmetic on text. */
#include "check.h"

#include "decimal.h"

#include <limits.h>
#include <string.h>

static struct decimal
decimal(const char *text)
{
	struct decimal d;

	if (decimal_parse(slice_of(text), &d) != 0)
		fail_msg("%s is refused", text);
	return d;
}

static void
refuses(void **state)
{
	static const char *const bad[] = {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1e401", "0x10",
		"1.2.3", " 1", "1 ", "NaN", "Infinity", "1e-999999999999999999999", "--1", "1,5"};
	struct decimal d;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (decimal_parse(slice_of(bad[i]), &d) == 0)
			fail_msg("%s is taken", bad[i]);
	}
	assert_int_equal(decimal_parse((struct slice){0}, &d), -1);
}

static void
parts(void **state)
{
	struct decimal d = decimal("-272.50");

	(void)state;
	assert_int_equal(decimal_sign(&d), -1);
	assert_int_equal(d.scale, 2);
	assert_int_equal(d.top, 2);
	assert_int_equal(decimal_digit(&d, 2), 2);
	assert_int_equal(decimal_digit(&d, -1), 5);
	assert_int_equal(decimal_digit(&d, -2), 0);
	assert_int_equal(decimal_digit(&d, -3), 0);
	assert_int_equal(decimal_digit(&d, 9), 0);
	d = decimal("1.12117471e+08");
	assert_int_equal(d.scale, 0);
	assert_int_equal(d.top, 8);
	assert_int_equal(decimal_digit(&d, 8), 1);
	assert_int_equal(decimal_digit(&d, 0), 1);
	d = decimal("5E-3");
	assert_int_equal(d.scale, 3);
	assert_int_equal(d.top, -3);
	d = decimal("-0.00e5");
	assert_int_equal(decimal_sign(&d), 0);
	assert_int_equal(d.top, INT_MIN);
}

static int
cmp(const char *a, const char *b)
{
	struct decimal x = decimal(a), y = decimal(b);
	int c = decimal_cmp(&x, &y);

	assert_int_equal((decimal_cmp(&y, &x) > 0) - (decimal_cmp(&y, &x) < 0), (c < 0) - (c > 0));
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
	assert_int_equal(cmp("-1", "0"), -1);
	assert_int_equal(cmp("1e-400", "0"), 1);
	assert_int_equal(cmp("1e400", "9e399"), 1);
	assert_int_equal(cmp("0.1", "0.09999999999999999999999"), 1);
}

static void
rounding(void **state)
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
		{"1e18", 0, 1000000000000000000},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775806.5", 0, INT64_MAX},
		{"0", 0, 0},
		{"0.003", 6, 3000},
		{"0.0192", 6, 19200},
		{"1e-400", 0, 0},
		{"0.05", 0, 0},
	};
	struct decimal d;
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		d = decimal(cases[i].text);
		assert_int_equal(decimal_round(&d, cases[i].places, &v), 0);
		if (v != cases[i].want)
			fail_msg("%s gives %lld", cases[i].text, (long long)v);
	}
	d = decimal("9223372036854775808");
	assert_int_equal(decimal_round(&d, 0, &v), -1);
	d = decimal("9223372036854775807.5");
	assert_int_equal(decimal_round(&d, 0, &v), -1);
	d = decimal("1e400");
	assert_int_equal(decimal_round(&d, 0, &v), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(parts),
		cmocka_unit_test(order),
		cmocka_unit_test(rounding),
	};

	return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
