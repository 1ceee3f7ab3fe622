/* What a job will cost: sessions, bars and requests of one task, and the time at a rate. */
#include "check.h"
#include "check_calendar.h"

#include "plan.h"

static void
expect(const char *now, int days, enum timeframe tf, uint64_t units, uint64_t bars,
	uint64_t requests)
{
	struct window w;
	struct plan_task t;
	int64_t at;

	assert_int_equal(timestamp_parse(slice_of(now), &at), 0);
	assert_int_equal(window_init(&w, calendar, at, days, false), 0);
	t = plan_task(&w, tf, window_span(&w, tf));
	assert_int_equal(t.units, units);
	assert_int_equal(t.bars, bars);
	/* Of ten tasks: one for each, or a mean. */
	assert_int_equal(plan_requests(&t, 10), requests);
	assert_int_equal(plan_requests(&t, 0), 0);
}

static void
tasks(void **state)
{
	static const char night[] = "2025-12-23T05:00:00Z";

	(void)state;
	expect(night, 1, TF_DAY, 1, 1, 10);
	expect(night, 1, TF_1MIN, 1, 390, 10);
	expect(night, 1, TF_HOUR, 1, 7, 10);
	/* 2025-11-24..28 without Thanksgiving, the 28th being a half day. */
	expect("2025-11-29T05:00:00Z", 5, TF_1MIN, 4, 3 * 390 + 210, 10);
	expect("2025-11-29T05:00:00Z", 5, TF_HOUR, 4, 3 * 7 + 4, 10);
	expect("2025-11-29T05:00:00Z", 5, TF_DAY, 4, 4, 10);
	expect(night, 365, TF_1MIN, 250, 247 * 390 + 3 * 210, 36);
	expect(night, 365, TF_WEEK, 52, 52, 10);
	expect(night, 365, TF_MONTH, 12, 12, 10);
	expect(night, 5 * 365, TF_DAY, 1254, 1254, 10);
	expect(night, 5 * 365, TF_1MIN, 1254, 1244 * 390 + 10 * 210, 160);
	/* At 12:15:13 there are 165 minutes and the hours up to 12:00 of the session under way. */
	expect("2025-12-23T17:15:13Z", 1, TF_1MIN, 2, 390 + 165, 10);
	expect("2025-12-23T17:15:13Z", 1, TF_HOUR, 2, 7 + 3, 10);
}

/* Requests of that many tasks of each timeframe, a year or a night, with and without -d and -g. */
static void
expect_rows(int days, bool derive, bool grouped, uint64_t tasks, const uint64_t requests[TF_COUNT])
{
	const struct plan p = {.derive = derive, .grouped = grouped};
	struct plan_row rows[TF_COUNT] = {0};
	struct window w;
	int64_t at;

	assert_int_equal(timestamp_parse(slice_of("2025-12-23T05:00:00Z"), &at), 0);
	assert_int_equal(window_init(&w, calendar, at, days, false), 0);
	for (int i = 0; i < TF_COUNT; i++) {
		enum timeframe tf = (enum timeframe)i;
		struct span s = window_span(&w, tf);

		if (requests[i] > 0)
			rows[i] = (struct plan_row){tasks, s, plan_task(&w, tf, s), 0, 0};
	}
	plan_rows(&p, &w, rows);
	for (int i = 0; i < TF_COUNT; i++)
		assert_int_equal(rows[i].requests, requests[i]);
}

static void
derived_and_grouped(void **state)
{
	(void)state;
	expect_rows(365, false, false, 100, (const uint64_t[]){357, 357, 100, 100, 100});
	expect_rows(365, true, false, 100, (const uint64_t[]){357, 4, 100, 1, 1});
	expect_rows(365, true, false, 101, (const uint64_t[]){360, 7, 101, 2, 2});
	/* Without what they are made of. */
	expect_rows(365, true, false, 100, (const uint64_t[]){0, 357, 0, 100, 0});
	/* No more tasks than sessions; one more; those of whole weeks and months. */
	expect_rows(365, false, true, 250, (const uint64_t[]){0, 0, 250, 0, 0});
	expect_rows(365, false, true, 251, (const uint64_t[]){0, 0, 253, 0, 0});
	expect_rows(1, true, true, 500, (const uint64_t[]){0, 0, 1 + 5, 0, 0});
	expect_rows(1, true, true, 500, (const uint64_t[]){0, 0, 35 + 5, 5, 5});
}

static void
expect_time(uint64_t requests, const char *rate, const char *text)
{
	struct rate r;
	struct buffer b = {0};

	assert_int_equal(rate_parse(slice_of(rate), &r), 0);
	plan_time(&b, requests, &r);
	assert_string_equal(buffer_cstr(&b), text);
	buffer_release(&b);
}

static void
times(void **state)
{
	(void)state;
	expect_time(390, "5/m", "78 min");
	expect_time(391, "5/m", "79 min");
	expect_time(0, "5/m", "0 s");
	expect_time(7, "5/m", "84 s");
	expect_time(390, "50/s", "8 s");
	expect_time(1000, "5/m", "3 h 20 min");
	expect_time(10, "5/h", "2 h 0 min");
}

static void
rates(void **state)
{
	static const char *const wrong[] = {
		"", "5", "/m", "0/m", "5/", "5/d", "5/min", "-5/m", "1.5/s", "100001/s", " 5/m"};
	struct rate r;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(rate_parse(slice_of(wrong[i]), &r), -1);
	assert_int_equal(rate_parse(slice_of("100000/h"), &r), 0);
	assert_int_equal(r.n, 100000);
	assert_int_equal(r.period_ms, 3600000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks),
		cmocka_unit_test(derived_and_grouped),
		cmocka_unit_test(times),
		cmocka_unit_test(rates),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
