/*
 * The window at the moments that matter, and its promises at every hour of some years: never empty,
 * never a bar that is not final.
 */
#include "check.h"
#include "check_calendar.h"

#include "window.h"

static struct window
window(const char *now, const char *years, bool unfinished)
{
	struct window w;
	int64_t t;
	int days;

	assert_int_equal(timestamp_parse(slice_of(now), &t), 0);
	assert_int_equal(window_days(slice_of(years), &days), 0);
	assert_int_equal(window_init(&w, calendar, t, days, unfinished), 0);
	return w;
}

static void
expect(const struct window *w, enum timeframe tf, const char *from, const char *to)
{
	struct span s = window_span(w, tf);
	char a[TIMESTAMP_SIZE], b[TIMESTAMP_SIZE];

	assert_string_equal(timeframe_write(a, tf, s.from), from);
	assert_string_equal(timeframe_write(b, tf, s.to), to);
}

static void
days_of_years(void **state)
{
	static const struct {
		const char *years;
		int days;
	} cases[] = {{"0.003", 1}, {"0.0027", 1}, {"0.0192", 7}, {"0.02", 7}, {"1", 365},
		{"1e-9", 1}, {"50", 18250}, {"0.5", 183}, {"2.0", 730}, {"1e1", 3650}};
	static const char *const bad[] = {"0", "-1", "50.1", "1e9", "x", "", "0.0e5"};
	int days;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(window_days(slice_of(cases[i].years), &days), 0);
		assert_int_equal(days, cases[i].days);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(window_days(slice_of(bad[i]), &days), -1);
}

static void
tuesday_noon(void **state)
{
	struct window w = window("2025-12-16T17:00:30Z", "0.02", false);

	(void)state;
	expect(&w, TF_DAY, "2025-12-09", "2025-12-15");
	expect(&w, TF_WEEK, "2025-12-07", "2025-12-13");
	expect(&w, TF_MONTH, "2025-11-01", "2025-11-30");
	expect(&w, TF_1MIN, "2025-12-09T09:00:00Z", "2025-12-16T17:00:00Z");
	expect(&w, TF_HOUR, "2025-12-09T09:00:00Z", "2025-12-16T17:00:00Z");
	w = window("2025-12-16T17:00:30Z", "0.02", true);
	expect(&w, TF_DAY, "2025-12-09", "2025-12-16");
	expect(&w, TF_WEEK, "2025-12-07", "2025-12-20");
	expect(&w, TF_MONTH, "2025-11-01", "2025-12-31");
	expect(&w, TF_1MIN, "2025-12-09T09:00:00Z", "2025-12-16T17:00:00Z");
}

static void
tuesday_evening(void **state)
{
	/* 19:59 New York: not final yet; 20:00: it is. */
	struct window w = window("2025-12-17T00:59:59Z", "0.003", false);

	(void)state;
	expect(&w, TF_DAY, "2025-12-15", "2025-12-15");
	expect(&w, TF_1MIN, "2025-12-15T09:00:00Z", "2025-12-17T00:59:00Z");
	expect(&w, TF_HOUR, "2025-12-15T09:00:00Z", "2025-12-17T00:00:00Z");
	w = window("2025-12-17T01:00:00Z", "0.003", false);
	expect(&w, TF_DAY, "2025-12-16", "2025-12-16");
	expect(&w, TF_1MIN, "2025-12-16T09:00:00Z", "2025-12-17T01:00:00Z");
	w = window("2025-12-17T01:00:00Z", "0.003", true);
	expect(&w, TF_DAY, "2025-12-16", "2025-12-16");
	expect(&w, TF_WEEK, "2025-12-07", "2025-12-20");
}

static void
weekend_and_monday_morning(void **state)
{
	static const char *const moments[] = {
		"2025-12-13T17:00:00Z", "2025-12-14T17:00:00Z", "2025-12-15T08:59:59Z"};

	(void)state;
	for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
		struct window w = window(moments[i], "0.02", i == 0);

		expect(&w, TF_DAY, "2025-12-08", "2025-12-12");
		expect(&w, TF_WEEK, "2025-12-07", "2025-12-13");
		expect(&w, TF_1MIN, "2025-12-08T09:00:00Z", "2025-12-13T01:00:00Z");
		expect(&w, TF_HOUR, "2025-12-08T09:00:00Z", "2025-12-13T01:00:00Z");
	}
}

static void
friday_after_thanksgiving(void **state)
{
	/* 14:00 New York: the half day's trading is over, its extended hours are not. */
	struct window w = window("2025-11-28T19:00:00Z", "0.02", false);

	(void)state;
	expect(&w, TF_DAY, "2025-11-20", "2025-11-26");
	expect(&w, TF_WEEK, "2025-11-16", "2025-11-22");
	expect(&w, TF_MONTH, "2025-10-01", "2025-10-31");
	expect(&w, TF_1MIN, "2025-11-20T09:00:00Z", "2025-11-28T19:00:00Z");
	/* 17:00 New York: final, and so are the week and, two days before its end, the month. */
	w = window("2025-11-28T22:00:00Z", "0.02", false);
	expect(&w, TF_DAY, "2025-11-24", "2025-11-28");
	expect(&w, TF_WEEK, "2025-11-23", "2025-11-29");
	expect(&w, TF_MONTH, "2025-11-01", "2025-11-30");
	expect(&w, TF_1MIN, "2025-11-24T09:00:00Z", "2025-11-28T22:00:00Z");
}

static void
first_session_of_a_year(void **state)
{
	struct window w = window("2026-01-02T17:00:00Z", "0.003", false);

	(void)state;
	expect(&w, TF_DAY, "2025-12-31", "2025-12-31");
	expect(&w, TF_WEEK, "2025-12-21", "2025-12-27");
	expect(&w, TF_MONTH, "2025-12-01", "2025-12-31");
	expect(&w, TF_HOUR, "2025-12-31T09:00:00Z", "2026-01-02T17:00:00Z");
}

static void
summer_time(void **state)
{
	/* The window begins in winter time and ends in summer time, then the other way round. */
	struct window w = window("2025-03-11T16:00:00Z", "0.02", false);

	(void)state;
	expect(&w, TF_1MIN, "2025-03-04T09:00:00Z", "2025-03-11T16:00:00Z");
	w = window("2025-03-08T16:00:00Z", "0.02", false);
	expect(&w, TF_1MIN, "2025-03-03T09:00:00Z", "2025-03-08T01:00:00Z");
	w = window("2025-11-04T17:00:00Z", "0.02", false);
	expect(&w, TF_1MIN, "2025-10-28T08:00:00Z", "2025-11-04T17:00:00Z");
}

static void
years_back(void **state)
{
	struct window w = window("2025-12-16T17:00:00Z", "1", false);

	(void)state;
	expect(&w, TF_DAY, "2024-12-16", "2025-12-15");
	expect(&w, TF_WEEK, "2024-12-15", "2025-12-13");
	expect(&w, TF_MONTH, "2024-12-01", "2025-11-30");
}

static void
outside_of_the_calendar(void **state)
{
	struct window w;
	int64_t t;

	(void)state;
	assert_int_equal(timestamp_parse(slice_of("2036-01-05T12:00:00Z"), &t), 0);
	assert_int_equal(window_init(&w, calendar, t, 1, false), -1);
	assert_int_equal(timestamp_parse(slice_of("1999-12-31T12:00:00Z"), &t), 0);
	assert_int_equal(window_init(&w, calendar, t, 1, false), -1);
	assert_int_equal(timestamp_parse(slice_of("2000-01-03T12:00:00Z"), &t), 0);
	assert_int_equal(window_init(&w, calendar, t, 1, false), 0);
}

/* The instant at which a date's session is final. */
static int64_t
final(int64_t date)
{
	int32_t d = calendar_session_before(calendar, (int32_t)date);

	return calendar_instant(calendar, d, calendar_extended_close(calendar, d));
}

static void
promises_at_every_hour(void **state)
{
	static const char *const starts[] = {"2001-09-01T00:30:00Z", "2012-10-15T00:30:00Z",
		"2025-02-20T00:30:00Z", "2025-10-20T00:30:00Z", "2027-12-01T00:30:00Z"};
	static const int lengths[] = {1, 7, 30, 365};
	struct window w;
	int64_t t;

	(void)state;
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		assert_int_equal(timestamp_parse(slice_of(starts[i]), &t), 0);
		for (int hour = 0; hour < 24 * 100; hour++, t += 3600) {
			for (size_t k = 0; k < 4; k++) {
				assert_int_equal(
					window_init(&w, calendar, t, lengths[k], false), 0);
				for (enum timeframe tf = TF_DAY; tf <= TF_MONTH; tf++) {
					struct span s = window_span(&w, tf);

					assert_true(s.from <= s.to);
					assert_true(final(s.to) <= t);
				}
				for (enum timeframe tf = TF_1MIN; tf <= TF_HOUR; tf++) {
					struct span s = window_span(&w, tf);

					assert_true(s.from < s.to && s.to <= t);
					assert_int_equal(s.to % timeframe_seconds(tf), 0);
				}
				/* The next session is not final yet: nothing that could be loaded
				 * is left out. */
				assert_true(
					final(calendar_session_after(calendar, w.anchor + 1)) > t);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_of_years),
		cmocka_unit_test(tuesday_noon),
		cmocka_unit_test(tuesday_evening),
		cmocka_unit_test(weekend_and_monday_morning),
		cmocka_unit_test(friday_after_thanksgiving),
		cmocka_unit_test(first_session_of_a_year),
		cmocka_unit_test(summer_time),
		cmocka_unit_test(years_back),
		cmocka_unit_test(outside_of_the_calendar),
		cmocka_unit_test(promises_at_every_hour),
	};

	return cmocka_run_group_tests_name("window", tests, set_up, tear_down);
}
