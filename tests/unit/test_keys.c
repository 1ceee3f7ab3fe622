/* Keys as runs: whatever order they come in, each counts once and is found again. */
#include "check.h"

#include "keys.h"

enum { MINUTE = 60000000 };

static void
add(struct keys *k, int64_t first, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		keys_add(k, TF_1MIN, (first + i) * MINUTE);
}

static void
test_runs(void **state)
{
	struct keys k = {0};

	(void)state;
	assert_int_equal(k.runs.n, 0);
	assert_int_equal(keys_tidy(&k, TF_1MIN), 0);
	add(&k, 870, 390);
	add(&k, 2310, 390);
	assert_int_equal(k.runs.n, 2);
	assert_int_equal(keys_tidy(&k, TF_1MIN), 780);
	for (int64_t low = -3; low < 1500; low += 7) {
		int n = 0;

		for (int64_t i = low; i <= low + 400; i++)
			n += keys_have(&k, TF_1MIN, i * MINUTE);
		assert_int_equal(keys_within(&k, TF_1MIN, low * MINUTE, (low + 400) * MINUTE), n);
		assert_int_equal(
			keys_within(&k, TF_1MIN, low * MINUTE - 1, (low + 401) * MINUTE - 1), n);
	}
	assert_int_equal(k.runs.p[0].first, INT64_C(870) * MINUTE);
	assert_int_equal(keys_last(&k, TF_1MIN), INT64_C(2699) * MINUTE);
	for (int64_t i = 800; i < 2800; i++)
		assert_int_equal(keys_have(&k, TF_1MIN, i * MINUTE),
			(i >= 870 && i < 1260) || (i >= 2310 && i < 2700));
	assert_false(keys_have(&k, TF_1MIN, INT64_C(870) * MINUTE + 1));
	keys_release(&k);
}

/* Pieces of a range come in any order, and overlap. */
static void
test_overlaps(void **state)
{
	struct keys k = {0};

	(void)state;
	add(&k, 50, 20);
	add(&k, -10, 30);
	add(&k, 60, 5);
	add(&k, 0, 40);
	add(&k, 65, 10);
	keys_add(&k, TF_1MIN, 200 * (int64_t)MINUTE);
	keys_add(&k, TF_1MIN, 200 * (int64_t)MINUTE);
	assert_int_equal(keys_tidy(&k, TF_1MIN), 50 + 25 + 1);
	assert_int_equal(keys_tidy(&k, TF_1MIN), 50 + 25 + 1);
	for (int64_t i = -20; i < 210; i++)
		assert_int_equal(keys_have(&k, TF_1MIN, i * MINUTE),
			(i >= -10 && i < 40) || (i >= 50 && i < 75) || i == 200);
	keys_release(&k);
}

static void
test_months(void **state)
{
	static const int32_t first[] = {
		20089, 20120, 20148, 20179, 20209}; /* January to May 2025 */
	struct keys k = {0};

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 5; i++)
			keys_add(&k, TF_MONTH, first[i]);
	}
	assert_int_equal(keys_tidy(&k, TF_MONTH), 5);
	assert_int_equal(keys_within(&k, TF_MONTH, first[1], first[3]), 3);
	assert_int_equal(keys_within(&k, TF_MONTH, first[1] + 1, first[3] - 1), 1);
	assert_int_equal(keys_last(&k, TF_MONTH), first[4]);
	for (int32_t date = 20000; date < 20300; date++) {
		bool have = false;

		for (int i = 0; i < 5; i++)
			have = have || first[i] == date;
		assert_int_equal(keys_have(&k, TF_MONTH, date), have);
	}
	keys_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs),
		cmocka_unit_test(test_overlaps), cmocka_unit_test(test_months)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
