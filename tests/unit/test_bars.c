/* Which bars belong to a task, and how they are written. */
#include "check.h"
#include "check_calendar.h"

#include "bars.h"

#include <string.h>

static int64_t
date(const char *text)
{
	int32_t d = 0;

	assert_int_equal(date_parse(slice_of(text), &d), 0);
	return d;
}

static struct bars
intraday(enum timeframe tf, const char *from, const char *to, bool extended)
{
	struct series s = {slice_of("AAPL"), tf, at(from), at(to), true};
	struct bars b;

	bars_init(&b, calendar, &s, extended);
	return b;
}

static struct bars
dated(enum timeframe tf, const char *from, const char *to)
{
	struct series s = {slice_of("AAPL"), tf, date(from), date(to), true};
	struct bars b;

	bars_init(&b, calendar, &s, false);
	return b;
}

/* How many bars of the series' length belong, of all that start in [from, to]. */
static int
count(struct bars *b, const char *from, const char *to)
{
	int n = 0;

	for (int64_t t = at(from); t <= at(to); t += timeframe_seconds(b->series.tf))
		n += bars_belong(b, t);
	return n;
}

static void
test_minutes(void **state)
{
	struct bars b = intraday(TF_1MIN, "2025-11-26T05:00:00Z", "2025-12-01T05:00:00Z", false);

	(void)state;
	/* The Wednesday before Thanksgiving, the holiday, the half day, the weekend. */
	assert_int_equal(count(&b, "2025-11-26T05:00:00Z", "2025-11-27T04:59:00Z"), 390);
	assert_int_equal(count(&b, "2025-11-27T05:00:00Z", "2025-11-28T04:59:00Z"), 0);
	assert_int_equal(count(&b, "2025-11-28T05:00:00Z", "2025-11-29T04:59:00Z"), 210);
	assert_int_equal(count(&b, "2025-11-29T05:00:00Z", "2025-12-01T05:00:00Z"), 0);
	assert_false(bars_belong(&b, at("2025-11-26T14:29:00Z")));
	assert_true(bars_belong(&b, at("2025-11-26T14:30:00Z")));
	assert_true(bars_belong(&b, at("2025-11-26T20:59:00Z")));
	assert_false(bars_belong(&b, at("2025-11-26T21:00:00Z")));
	assert_true(bars_belong(&b, at("2025-11-28T17:59:00Z")));
	assert_false(bars_belong(&b, at("2025-11-28T18:00:00Z")));
}

/* The clocks change between two sessions; UTC moves by an hour. */
static void
test_minutes_over_a_clock_change(void **state)
{
	struct bars b = intraday(TF_1MIN, "2025-03-07T05:00:00Z", "2025-03-11T05:00:00Z", false);

	(void)state;
	assert_true(bars_belong(&b, at("2025-03-07T14:30:00Z")));
	assert_false(bars_belong(&b, at("2025-03-07T13:30:00Z")));
	assert_true(bars_belong(&b, at("2025-03-10T13:30:00Z")));
	assert_false(bars_belong(&b, at("2025-03-10T20:00:00Z")));
	/* And back to a day looked at before. */
	assert_true(bars_belong(&b, at("2025-03-07T14:30:00Z")));
	assert_int_equal(count(&b, "2025-03-07T05:00:00Z", "2025-03-11T04:59:00Z"), 780);
}

static void
test_hours(void **state)
{
	struct bars b = intraday(TF_HOUR, "2025-11-26T05:00:00Z", "2025-12-01T05:00:00Z", false);

	(void)state;
	assert_int_equal(count(&b, "2025-11-26T05:00:00Z", "2025-11-27T04:00:00Z"), 7);
	assert_int_equal(count(&b, "2025-11-27T05:00:00Z", "2025-11-28T04:00:00Z"), 0);
	assert_int_equal(count(&b, "2025-11-28T05:00:00Z", "2025-11-29T04:00:00Z"), 4);
	assert_false(bars_belong(&b, at("2025-11-26T13:00:00Z")));
	assert_true(bars_belong(&b, at("2025-11-26T14:00:00Z")));
	assert_true(bars_belong(&b, at("2025-11-26T20:00:00Z")));
	assert_false(bars_belong(&b, at("2025-11-26T21:00:00Z")));
}

/* A bar belongs when it starts at or after from and ends at or before to. */
static void
test_bounds(void **state)
{
	struct bars b = intraday(TF_1MIN, "2025-11-26T15:00:30Z", "2025-11-26T15:05:30Z", false);

	(void)state;
	assert_int_equal(count(&b, "2025-11-26T14:30:00Z", "2025-11-26T20:59:00Z"), 4);
	assert_false(bars_belong(&b, at("2025-11-26T15:00:00Z")));
	assert_true(bars_belong(&b, at("2025-11-26T15:01:00Z")));
	assert_true(bars_belong(&b, at("2025-11-26T15:04:00Z")));
	assert_false(bars_belong(&b, at("2025-11-26T15:05:00Z")));
	b = intraday(TF_HOUR, "2025-11-26T14:30:00Z", "2025-11-26T16:00:00Z", false);
	assert_false(bars_belong(&b, at("2025-11-26T14:00:00Z")));
	assert_true(bars_belong(&b, at("2025-11-26T15:00:00Z")));
	assert_false(bars_belong(&b, at("2025-11-26T16:00:00Z")));
}

static void
test_extended(void **state)
{
	struct bars b = intraday(TF_1MIN, "2025-11-26T09:00:00Z", "2025-11-27T01:01:00Z", true);

	(void)state;
	assert_int_equal(count(&b, "2025-11-26T05:00:00Z", "2025-11-27T04:59:00Z"), 961);
	b = intraday(TF_HOUR, "2025-11-26T09:00:00Z", "2025-11-27T01:00:00Z", true);
	assert_int_equal(count(&b, "2025-11-26T05:00:00Z", "2025-11-27T04:00:00Z"), 16);
}

static void
test_days(void **state)
{
	struct bars b = dated(TF_DAY, "2025-12-16", "2025-12-17");

	(void)state;
	assert_false(bars_belong(&b, at("2025-12-15T05:00:00Z")));
	assert_true(bars_belong(&b, at("2025-12-16T05:00:00Z")));
	assert_true(bars_belong(&b, at("2025-12-17T05:00:00Z")));
	assert_false(bars_belong(&b, at("2025-12-18T05:00:00Z")));
}

static void
test_weeks_and_months(void **state)
{
	struct bars b = dated(TF_WEEK, "2025-12-14", "2025-12-20");

	(void)state;
	assert_false(bars_belong(&b, at("2025-12-07T05:00:00Z")));
	assert_true(bars_belong(&b, at("2025-12-14T05:00:00Z")));
	assert_false(bars_belong(&b, at("2025-12-21T05:00:00Z")));
	b = dated(TF_WEEK, "2025-12-14", "2025-12-19");
	assert_false(bars_belong(&b, at("2025-12-14T05:00:00Z")));
	b = dated(TF_MONTH, "2025-11-01", "2025-12-31");
	assert_false(bars_belong(&b, at("2025-10-01T04:00:00Z")));
	assert_true(bars_belong(&b, at("2025-11-01T04:00:00Z")));
	assert_true(bars_belong(&b, at("2025-12-01T05:00:00Z")));
	assert_false(bars_belong(&b, at("2026-01-01T05:00:00Z")));
	b = dated(TF_MONTH, "2025-12-01", "2025-12-30");
	assert_false(bars_belong(&b, at("2025-12-01T05:00:00Z")));
	b = dated(TF_MONTH, "2024-02-01", "2024-02-29");
	assert_true(bars_belong(&b, at("2024-02-01T05:00:00Z")));
}

/* Writes a row made of these texts; a cell that is NULL is absent for that reason. */
static const char *
write_row(struct bars *b, const char *start, const char *const cells[COLUMNS],
	enum cell_fault fault, struct buffer *out)
{
	struct page page = {.rows = 1};
	struct row row = {.t = at(start)};
	struct buffer body = {0};
	const char *why;

	for (int i = 0; i < COLUMNS; i++) {
		row.at[i] = cells[i] == NULL ? (uint32_t)fault : (uint32_t)body.len;
		row.n[i] = cells[i] == NULL ? 0 : (uint16_t)strlen(cells[i]);
		if (cells[i] != NULL)
			buffer_str(&body, cells[i]);
	}
	page.body = buffer_slice(&body);
	page.row = &row;
	why = bars_add(b, &page, &row, out);
	buffer_release(&body);
	return why;
}

static void
test_records(void **state)
{
	static const char *const plain[COLUMNS] = {"272.86", "273.88", "272.5", "273.1", "1203441"};
	static const char *const digits[COLUMNS] = {
		"1e2", "273.8800", "0.0001", "2.731E+02", "7.0661926525697e+07"};
	struct bars b = intraday(TF_1MIN, "2025-12-22T14:30:00Z", "2025-12-22T21:00:00Z", false);
	struct buffer out = {0};
	char key[TIMESTAMP_SIZE];

	(void)state;
	assert_null(write_row(&b, "2025-12-22T14:30:00Z", plain, CELL_NULL, &out));
	assert_string_equal(buffer_cstr(&out),
		"{\"type\":\"bar\",\"symbol\":\"AAPL\",\"timeframe\":\"1min\",\"timestamp\":"
		"\"2025-12-22T14:30:00Z\",\"open\":272.86,\"high\":273.88,\"low\":272.5,\"close\":"
		"273.1,"
		"\"volume\":1203441}\n");
	assert_null(write_row(&b, "2025-12-22T14:31:00Z", plain, CELL_NULL, &out));
	assert_int_equal(b.count, 2);
	assert_string_equal(bars_key(&b, b.first, key), "2025-12-22T14:30:00Z");
	assert_string_equal(bars_key(&b, b.last, key), "2025-12-22T14:31:00Z");
	/* Pieces come in any order: the first and the last are the earliest and the latest. */
	assert_null(write_row(&b, "2025-12-22T14:33:00Z", plain, CELL_NULL, &out));
	assert_null(write_row(&b, "2025-12-22T14:29:00Z", plain, CELL_NULL, &out));
	assert_null(write_row(&b, "2025-12-22T14:32:00Z", plain, CELL_NULL, &out));
	assert_int_equal(b.count, 5);
	assert_string_equal(bars_key(&b, b.first, key), "2025-12-22T14:29:00Z");
	assert_string_equal(bars_key(&b, b.last, key), "2025-12-22T14:33:00Z");
	out.len = 0;
	b = dated(TF_DAY, "2025-12-22", "2025-12-22");
	assert_null(write_row(&b, "2025-12-22T05:00:00Z", digits, CELL_NULL, &out));
	assert_string_equal(buffer_cstr(&out), "{\"type\":\"bar\",\"symbol\":\"AAPL\","
					       "\"timeframe\":\"day\",\"date\":\"2025-12-22\","
					       "\"open\":1e2,\"high\":273.8800,\"low\":0.0001,"
					       "\"close\":2.731E+02,\"volume\":70661927}\n");
	assert_string_equal(bars_key(&b, b.first, key), "2025-12-22");
	buffer_release(&out);
}

/* The date is New York's, summer and winter, for Sunday's week as for the first of a month. */
static void
test_dates(void **state)
{
	static const char *const cells[COLUMNS] = {"1", "1", "1", "1", "1"};
	static const char *const given[][2] = {{"2025-12-14T05:00:00Z", "\"2025-12-14\""},
		{"2025-06-01T04:00:00Z", "\"2025-06-01\""},
		{"2025-12-15T04:59:00Z", "\"2025-12-14\""}};
	struct bars b = dated(TF_WEEK, "2025-01-01", "2025-12-31");
	struct buffer out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
		out.len = 0;
		assert_null(write_row(&b, given[i][0], cells, CELL_NULL, &out));
		assert_non_null(strstr(buffer_cstr(&out), given[i][1]));
	}
	buffer_release(&out);
}

static void
check_volume(const char *text, const char *expected, const char *why)
{
	const char *cells[COLUMNS] = {"1", "1", "1", "1", text};
	struct bars b = dated(TF_DAY, "2025-12-22", "2025-12-22");
	struct buffer out = {0};
	const char *said = write_row(&b, "2025-12-22T05:00:00Z", cells, CELL_NULL, &out);
	const char *at_volume = strstr(buffer_cstr(&out), "\"volume\":");

	if (why == NULL)
		assert_null(said);
	else
		assert_string_equal(said, why);
	assert_string_equal(at_volume + strlen("\"volume\":"), expected);
	buffer_release(&out);
}

static void
test_volumes(void **state)
{
	(void)state;
	check_volume("0", "0}\n", NULL);
	check_volume("1.2e+06", "1200000}\n", NULL);
	check_volume("642646396.0", "642646396}\n", NULL);
	check_volume("1.12117471e+08", "112117471}\n", NULL);
	check_volume("0.5", "1}\n", NULL);
	check_volume("0.49", "0}\n", NULL);
	check_volume("-5", "-5}\n", NULL);
	check_volume("-2.5", "-3}\n", NULL);
	check_volume("9223372036854775807", "9223372036854775807}\n", NULL);
	check_volume("9223372036854775808", "null}\n", "volume is out of range");
	check_volume("1e30", "null}\n", "volume is out of range");
	check_volume("1e500", "null}\n", "volume is out of range");
}

static void
test_absent_cells(void **state)
{
	static const char *const none[COLUMNS] = {"1", NULL, "1", NULL, NULL};
	struct bars b = dated(TF_DAY, "2025-12-22", "2025-12-22");
	struct buffer out = {0};

	(void)state;
	assert_string_equal(
		write_row(&b, "2025-12-22T05:00:00Z", none, CELL_MISSING, &out), "high is missing");
	assert_non_null(strstr(buffer_cstr(&out),
		",\"open\":1,\"high\":null,\"low\":1,\"close\":null,\"volume\":null}\n"));
	assert_string_equal(
		write_row(&b, "2025-12-22T05:00:00Z", none, CELL_NULL, &out), "high is null");
	assert_string_equal(write_row(&b, "2025-12-22T05:00:00Z", none, CELL_NO_NUMBER, &out),
		"high is not a number");
	assert_string_equal(write_row(&b, "2025-12-22T05:00:00Z", none, CELL_TOO_LONG, &out),
		"high is too long");
	buffer_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minutes),
		cmocka_unit_test(test_minutes_over_a_clock_change),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_weeks_and_months),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_absent_cells),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
