/* Dates and instants as text, against the C library's own arithmetic. */
#include "check.h"

#include "timeframe.h"
#include "timestamp.h"

#include <stdlib.h>
#include <time.h>

static void
agrees_with_gmtime(void **state)
{
	(void)state;
	for (int64_t t = -2000000000; t < 7000000000; t += 1234567) {
		time_t tt = (time_t)t;
		struct tm tm;
		char want[64], got[TIMESTAMP_SIZE];
		int64_t back;

		assert_non_null(gmtime_r(&tt, &tm));
		assert_int_equal(strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm), 20);
		assert_string_equal(timestamp_format(got, t), want);
		assert_int_equal(timestamp_parse(slice_of(got), &back), 0);
		assert_int_equal(back, t);
		assert_int_equal(date_weekday(date_of((struct civil){
					 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday})),
			tm.tm_wday);
	}
}

static void
forms(void **state)
{
	static const char *const same[] = {"2025-12-22T14:30:00Z", "2025-12-22 14:30:00Z",
		"2025-12-22T14:30:00.000Z", "2025-12-22T14:30:00+00:00",
		"2025-12-22T09:30:00-05:00", "2025-12-22 14:30:00+00", "2025-12-22T14:30:00+0000"};
	static const char *const bad[] = {"", "2025-12-22", "2025-12-22T14:30:00",
		"2025-12-22T14:30Z", "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z",
		"2025-12-22T24:00:00Z", "2025-12-22T14:30:60Z", "2025-12-22T14:30:00.5Z",
		"2025-12-22T14:30:00.Z", "2025-12-22T14:30:00Zx", "25-12-22T14:30:00Z",
		"2025-12-22T14:30:00+", "1766413800"};
	int64_t t, want = 1766413800;

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		assert_int_equal(timestamp_parse(slice_of(same[i]), &t), 0);
		assert_int_equal(t, want);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (timestamp_parse(slice_of(bad[i]), &t) == 0)
			fail_msg("taken: %s", bad[i]);
	}
}

static void
dates(void **state)
{
	static const char *const bad[] = {"", "2025-2-01", "2025-02-30", "2100-02-29", "2025-00-01",
		"2025-01-00", "2025/01/01", "20250101", "2025-01-011", "1899-12-31"};
	int32_t d;
	char text[DATE_SIZE];

	(void)state;
	assert_int_equal(date_parse(slice_of("1970-01-01"), &d), 0);
	assert_int_equal(d, 0);
	assert_int_equal(date_parse(slice_of("2000-02-29"), &d), 0);
	assert_string_equal(date_format(text, d), "2000-02-29");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (date_parse(slice_of(bad[i]), &d) == 0)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(date_parse((struct slice){0}, &d), -1);
}

static void
local(void **state)
{
	char text[TIMESTAMP_SIZE];
	int64_t t[2];

	(void)state;
	(void)setenv("TZ", "America/Chicago", 1);
	tzset();
	assert_string_equal(timestamp_local(text, 1766413800), "2025-12-22T08:30:00");
	assert_int_equal(timestamp_parse_local(slice_of("2025-12-22T08:30:00.634000"), t), 0);
	assert_true(t[0] == 1766413800 && t[1] == t[0]);
	assert_int_equal(timestamp_parse_local(slice_of("2025-07-22T08:30:00"), t), 0);
	assert_true(t[0] == 1753191000 && t[1] == t[0]);
	assert_int_equal(timestamp_parse_local(slice_of("2025-12-22T08:30:00Z"), t), -1);
	/* The hour that an autumn night has twice, and the one that a spring night has not. */
	assert_int_equal(timestamp_parse_local(slice_of("2025-11-02T01:30:00"), t), 0);
	assert_true(t[0] == 1762065000 && t[1] == t[0] + 3600);
	assert_int_equal(timestamp_parse_local(slice_of("2025-03-09T02:30:00"), t), 0);
	assert_true(t[0] == t[1]);
}

static void
bars_of_dates(void **state)
{
	static const struct {
		enum timeframe tf;
		const char *date, *first, *last;
	} bars[] = {{TF_DAY, "2025-12-22", "2025-12-22", "2025-12-22"},
		{TF_WEEK, "2025-12-21", "2025-12-21", "2025-12-27"},
		{TF_WEEK, "2025-12-27", "2025-12-21", "2025-12-27"},
		{TF_WEEK, "2026-01-01", "2025-12-28", "2026-01-03"},
		{TF_WEEK, "1969-12-31", "1969-12-28", "1970-01-03"},
		{TF_MONTH, "2025-12-31", "2025-12-01", "2025-12-31"},
		{TF_MONTH, "2025-02-01", "2025-02-01", "2025-02-28"},
		{TF_MONTH, "2024-02-10", "2024-02-01", "2024-02-29"},
		{TF_MONTH, "2025-04-30", "2025-04-01", "2025-04-30"}};
	char text[DATE_SIZE];
	int32_t d;

	(void)state;
	for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++) {
		assert_int_equal(date_parse(slice_of(bars[i].date), &d), 0);
		assert_string_equal(
			date_format(text, timeframe_first(bars[i].tf, d)), bars[i].first);
		assert_string_equal(date_format(text, timeframe_last(bars[i].tf, d)), bars[i].last);
	}
	for (int tf = TF_DAY; tf < TF_COUNT; tf++) {
		for (d = -800; d < 20000; d++) {
			int32_t first = timeframe_first(tf, d), last = timeframe_last(tf, d);

			assert_true(first <= d && d <= last);
			assert_int_equal(timeframe_first(tf, last + 1), last + 1);
			assert_true(last - first + 1 >= timeframe_days(tf));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_gmtime),
		cmocka_unit_test(forms),
		cmocka_unit_test(dates),
		cmocka_unit_test(local),
		cmocka_unit_test(bars_of_dates),
	};

	return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
