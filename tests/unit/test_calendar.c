/*
 * The calendar against a list of holidays made by somebody else, and against facts known by heart.
 */
#include "check.h"
#include "check_calendar.h"

#include "calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int32_t
day(const char *text)
{
	int32_t date;

	assert_int_equal(date_parse(slice_of(text), &date), 0);
	return date;
}

static int64_t
instant(const char *text)
{
	int64_t t;

	assert_int_equal(timestamp_parse(slice_of(text), &t), 0);
	return t;
}

/* The years that a list covers, all of them from the first to the last it names. */
struct years {
	int first;
	int last;
};

/* Reads the list into kinds, one per day from the first date of the calendar on. */
static struct years
read_list(FILE *f, enum session *kind, int32_t days)
{
	char line[200];
	struct years y = {0};
	int n = 0;

	while (fgets(line, sizeof line, f) != NULL) {
		int32_t date;

		if (strlen(line) < 12 || date_parse((struct slice){line, 10}, &date) != 0)
			continue;
		date -= CALENDAR_FIRST;
		if (date < 0 || date >= days)
			continue;
		kind[date] = strncmp(line + 11, "early", 5) == 0 ? SESSION_HALF : SESSION_NONE;
		y.last = date_civil(CALENDAR_FIRST + date).year;
		if (n++ == 0)
			y.first = y.last;
	}
	assert_true(n > 200);
	return y;
}

static void
agrees_with_the_list(void **state)
{
	int32_t days = CALENDAR_LAST - CALENDAR_FIRST + 1;
	struct years y;
	enum session *kind;
	FILE *f;

	(void)state;
	/* An independent list lies beside the project, where somebody has it; the simulator's
	 * covers fewer years. */
	f = fopen(SOURCES "/../shared/nyse-calendar.tsv", "r");
	if (f == NULL)
		f = fopen(SOURCES "/tests/sim/calendar.tsv", "r");
	if (f == NULL)
		fail_msg("there is no list of holidays");
	kind = malloc((size_t)days * sizeof *kind);
	assert_non_null(kind);
	for (int32_t i = 0; i < days; i++) {
		int weekday = date_weekday(CALENDAR_FIRST + i);

		kind[i] = weekday == 0 || weekday == 6 ? SESSION_NONE : SESSION_FULL;
	}
	y = read_list(f, kind, days);
	(void)fclose(f);
	for (int32_t i = 0; i < days; i++) {
		char text[DATE_SIZE];
		int year = date_civil(CALENDAR_FIRST + i).year;

		if (year >= y.first && year <= y.last &&
			calendar_session(calendar, CALENDAR_FIRST + i) != kind[i])
			fail_msg("%s: is %d, want %d", date_format(text, CALENDAR_FIRST + i),
				(int)calendar_session(calendar, CALENDAR_FIRST + i), (int)kind[i]);
	}
	free(kind);
}

static void
known_days(void **state)
{
	(void)state;
	assert_int_equal(calendar_session(calendar, day("2001-09-11")), SESSION_NONE);
	assert_int_equal(calendar_session(calendar, day("2012-10-30")), SESSION_NONE);
	assert_int_equal(calendar_session(calendar, day("2025-01-09")), SESSION_NONE);
	assert_int_equal(calendar_session(calendar, day("2021-06-18")), SESSION_FULL);
	assert_int_equal(calendar_session(calendar, day("2022-06-20")), SESSION_NONE);
	assert_int_equal(calendar_session(calendar, day("2021-12-31")), SESSION_FULL);
	assert_int_equal(calendar_session(calendar, day("2025-11-28")), SESSION_HALF);
	assert_int_equal(calendar_session(calendar, day("2035-12-24")), SESSION_HALF);
	/* Before its years every weekday counts as one, behind them none. */
	assert_int_equal(calendar_session(calendar, day("1999-12-24")), SESSION_FULL);
	assert_int_equal(calendar_session(calendar, day("1999-12-25")), SESSION_NONE);
	assert_int_equal(calendar_session(calendar, day("1999-12-26")), SESSION_NONE);
	assert_int_equal(CALENDAR_FIRST, day("2000-01-01"));
	assert_int_equal(CALENDAR_LAST, day("2035-12-31"));
	assert_int_equal(calendar_session(calendar, day("2035-12-31")), SESSION_FULL);
	assert_int_equal(calendar_session(calendar, day("2036-01-01")), SESSION_NONE);
	assert_int_equal(calendar_session(calendar, day("2036-01-02")), SESSION_NONE);
	assert_int_equal(calendar_session(calendar, day("1999-12-30")), SESSION_FULL);
	assert_int_equal(calendar_sessions(calendar, day("2024-01-01"), day("2024-12-31")), 252);
	assert_int_equal(calendar_sessions(calendar, day("2025-01-01"), day("2025-12-31")), 250);
	assert_int_equal(calendar_session_before(calendar, day("2025-12-25")), day("2025-12-24"));
	assert_int_equal(calendar_session_after(calendar, day("2025-12-25")), day("2025-12-26"));
	assert_int_equal(calendar_regular_close(calendar, day("2025-11-28")), 780);
	assert_int_equal(calendar_extended_close(calendar, day("2025-11-28")), 1020);
	assert_int_equal(calendar_regular_close(calendar, day("2025-12-01")), 960);
}

static void
new_york_time(void **state)
{
	(void)state;
	/* Winter, summer, and the two Sundays of change at 02:00. */
	assert_int_equal(
		calendar_date(calendar, instant("2025-12-23T04:59:59Z")), day("2025-12-22"));
	assert_int_equal(
		calendar_date(calendar, instant("2025-12-23T05:00:00Z")), day("2025-12-23"));
	assert_int_equal(
		calendar_date(calendar, instant("2025-07-01T03:59:59Z")), day("2025-06-30"));
	assert_int_equal(calendar_minute(calendar, instant("2025-03-09T06:59:00Z")), 119);
	assert_int_equal(calendar_minute(calendar, instant("2025-03-09T07:00:00Z")), 180);
	assert_int_equal(calendar_minute(calendar, instant("2025-11-02T05:59:00Z")), 119);
	assert_int_equal(calendar_minute(calendar, instant("2025-11-02T06:00:00Z")), 60);
	/* Before 2007 summer time began in April and ended in October. */
	assert_int_equal(calendar_minute(calendar, instant("2006-03-15T14:30:00Z")), 570);
	assert_int_equal(calendar_minute(calendar, instant("2007-03-15T13:30:00Z")), 570);
}

static void
instants_come_back(void **state)
{
	static const int minutes[] = {0, 1, 240, 570, 960, 1200, 1439};

	(void)state;
	for (int32_t date = day("1975-01-01"); date <= day("2035-12-31"); date++) {
		for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
			int64_t t = calendar_instant(calendar, date, minutes[i]);

			assert_int_equal(calendar_date(calendar, t), date);
			assert_int_equal(calendar_minute(calendar, t), minutes[i]);
		}
	}
}

static void
zone_file_missing(void **state)
{
	const char *why = NULL;

	(void)state;
	assert_int_equal(setenv("TZDIR", "/nonexistent", 1), 0);
	assert_null(calendar_new(&why));
	assert_non_null(strstr(why, "America/New_York"));
	assert_int_equal(unsetenv("TZDIR"), 0);
}

static void
leaves_tz_alone(void **state)
{
	struct calendar *c;
	const char *why;
	char text[TIMESTAMP_SIZE];

	(void)state;
	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	c = calendar_new(&why);
	assert_non_null(c);
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	assert_string_equal(
		timestamp_local(text, instant("2025-12-22T14:30:00Z")), "2025-12-22T23:30:00");
	assert_int_equal(calendar_minute(c, instant("2025-12-22T14:30:00Z")), 570);
	calendar_free(c);
	assert_int_equal(unsetenv("TZ"), 0);
}

/* A calendar by a file of that text, or NULL with the reason. */
static struct calendar *
by_file(const char *text, const char **why)
{
	char name[] = "/tmp/ts-closures.XXXXXX";
	int fd = mkstemp(name);
	struct calendar *c;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
	assert_int_equal(setenv("TS_CLOSURES", name, 1), 0);
	c = calendar_new(why);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(unsetenv("TS_CLOSURES"), 0);
	return c;
}

static void
closures_are_read(void **state)
{
	const char *why;
	struct calendar *c = by_file(
		"# mourning\n\n2026-03-11 closed\r\n 2026-07-02\t13:00 \n2026-11-26 13:00", &why);

	(void)state;
	assert_non_null(c);
	assert_int_equal(calendar_session(c, day("2026-03-11")), SESSION_NONE);
	assert_int_equal(calendar_session(c, day("2026-03-12")), SESSION_FULL);
	assert_int_equal(calendar_regular_close(c, day("2026-07-02")), 780);
	/* It overrules the rule, by which this is Thanksgiving; the last line needs no newline. */
	assert_int_equal(calendar_session(c, day("2026-11-26")), SESSION_HALF);
	calendar_free(c);
	c = by_file("", &why);
	assert_non_null(c);
	calendar_free(c);
}

static void
wrong_closures_are_told(void **state)
{
	static const char *const wrong[][2] = {
		{"2026-03-11 closed\nsoon closed\n", "line 2 does not begin with a date"},
		{"2026-3-11 closed\n", "line 1 does not begin with a date"},
		{"2026-03-11\n", "line 1 says neither closed nor 13:00"},
		{"2026-03-11 14:00\n", "line 1 says neither closed nor 13:00"},
		{"2026-03-11 closed all day", "line 1 says neither closed nor 13:00"},
		{"\n2026-03-14 closed\n", "line 2 is a day of a weekend"},
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_null(by_file(wrong[i][0], &why));
		assert_non_null(strstr(why, "TS_CLOSURES: "));
		assert_non_null(strstr(why, wrong[i][1]));
	}
	assert_int_equal(setenv("TS_CLOSURES", "/nonexistent/file", 1), 0);
	assert_null(calendar_new(&why));
	assert_string_equal(why, "TS_CLOSURES: No such file or directory");
	assert_int_equal(unsetenv("TS_CLOSURES"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_list),
		cmocka_unit_test(known_days),
		cmocka_unit_test(new_york_time),
		cmocka_unit_test(instants_come_back),
		cmocka_unit_test(zone_file_missing),
		cmocka_unit_test(leaves_tz_alone),
		cmocka_unit_test(closures_are_read),
		cmocka_unit_test(wrong_closures_are_told),
	};

	return cmocka_run_group_tests_name("calendar", tests, set_up, tear_down);
}
