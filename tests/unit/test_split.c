/* Where long ranges are cut: at midnights of New York, into pieces of about a page. */
#include "check.h"
#include "check_calendar.h"

#include "split.h"

static struct split
known(int sessions)
{
	struct split c = {.calendar = calendar};

	c.sessions = sessions;
	c.full = sessions == 0 ? 0 : 50000;
	return c;
}

/* Until a page has shown how much one holds, a range is asked for as a whole. */
static void
test_nothing_known(void **state)
{
	struct split c = known(0);
	int64_t end = at("2025-12-20T01:00:00Z");

	(void)state;
	assert_int_equal(split_first(&c, at("2000-01-03T14:30:00Z"), end), end);
	split_whole(&c, at("2025-01-01T05:00:00Z"), end, 50000);
	assert_int_equal(c.sessions, 0);
}

static void
check_seam(const char *start, const char *last, const char *seam, int sessions)
{
	struct split c = known(0);
	int64_t end = at("2025-12-20T01:00:00Z");

	assert_int_equal(split_full(&c, at(start), end, at(last), 50000), at(seam));
	assert_int_equal(c.sessions, sessions);
	assert_int_equal(c.full, sessions > 0 ? 50000 : 0);
}

static void
test_seams(void **state)
{
	(void)state;
	/* Wednesday to the Monday after Thanksgiving and its half day; the Monday is not whole. */
	check_seam("2024-11-27T14:30:00Z", "2024-12-02T20:59:00Z", "2024-12-02T05:00:00Z", 2);
	/* The clocks change between the two. */
	check_seam("2025-03-07T14:30:00Z", "2025-03-10T13:30:00Z", "2025-03-10T04:00:00Z", 1);
	check_seam("2025-10-31T13:30:00Z", "2025-11-03T14:30:00Z", "2025-11-03T05:00:00Z", 1);
	/* In the last hour of a day, in the first: 20:00 in New York is the next day in UTC. */
	check_seam("2025-12-15T14:30:00Z", "2025-12-17T01:00:00Z", "2025-12-16T05:00:00Z", 1);
	check_seam("2025-12-15T14:30:00Z", "2025-12-17T05:00:00Z", "2025-12-17T05:00:00Z", 2);
}

/* Where no session would be gained the range stays as it is, and nothing is learnt. */
static void
test_no_seam(void **state)
{
	(void)state;
	check_seam("2025-12-15T14:30:00Z", "2025-12-15T20:59:00Z", "2025-12-15T14:30:00Z", 0);
	check_seam("2025-12-13T05:00:00Z", "2025-12-15T14:30:00Z", "2025-12-13T05:00:00Z", 0);
	/* Rows that lie beyond the range or in front of it. */
	check_seam("2025-12-15T14:30:00Z", "2025-12-22T20:59:00Z", "2025-12-15T14:30:00Z", 0);
	check_seam("2025-12-15T14:30:00Z", "2025-12-01T20:59:00Z", "2025-12-15T14:30:00Z", 0);
	/* After 2035 no session is known. */
	check_seam("2036-02-01T14:30:00Z", "2036-02-20T20:59:00Z", "2036-02-01T14:30:00Z", 0);
}

/*
 * The pieces of a range: each begins where the one before ends, at midnight in New York; none has
 * more sessions than a page; they are as even and as few as can be.
 */
static void
check_pieces(const char *from, const char *to, int page, int expected)
{
	struct split c = known(page);
	int64_t start = at(from), end = at(to), next;
	int pieces = 0, least = 1 << 30, most = 0;

	for (; start < end; start = next, pieces++) {
		int n;

		next = split_first(&c, start, end);
		assert_true(next > start && next <= end);
		if (next < end)
			assert_int_equal(calendar_minute(calendar, next), 0);
		n = calendar_sessions(calendar, calendar_date(calendar, start),
			calendar_date(calendar, next - 1));
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	assert_int_equal(pieces, expected);
	assert_true(most <= page && most - least <= 1);
}

static void
test_pieces(void **state)
{
	(void)state;
	/* 1255 sessions, on both sides of ten changes of the clocks. */
	check_pieces("2020-12-23T09:00:00Z", "2025-12-23T01:00:00Z", 64, 21);
	check_pieces("2020-12-23T14:30:00Z", "2025-12-22T21:00:00Z", 64, 21);
	check_pieces("2020-12-23T09:00:00Z", "2025-12-23T01:00:00Z", 1, 1255);
	/* What fits a page is a piece: 31 sessions and a margin of none, 62 and one of 2. */
	check_pieces("2025-11-03T09:00:00Z", "2025-12-17T01:00:00Z", 31, 1);
	check_pieces("2025-11-03T09:00:00Z", "2025-12-18T01:00:00Z", 31, 2);
	check_pieces("2025-09-22T04:00:00Z", "2025-12-19T05:00:00Z", 64, 2);
	check_pieces("2025-09-22T04:00:00Z", "2025-12-18T05:00:00Z", 64, 1);
	/* Nothing but a weekend. */
	check_pieces("2025-12-13T05:00:00Z", "2025-12-15T05:00:00Z", 1, 1);
	/* Sessions by the thousand. */
	check_pieces("1990-01-01T05:00:00Z", "2035-12-31T05:00:00Z", 3000, 5);
}

/* A piece that holds less than a page tells that the next ones may be longer; or shorter. */
static void
test_learning(void **state)
{
	struct split c = known(20);
	int64_t start = at("2025-11-03T05:00:00Z"), end = at("2025-12-02T05:00:00Z");

	(void)state;
	/* 20 sessions, half a page. */
	split_whole(&c, start, end, 25000);
	assert_int_equal(c.sessions, 40);
	split_whole(&c, start, end, 50000);
	assert_int_equal(c.sessions, 20);
	/* Hardly filled, or with what cannot be: nothing is learnt. */
	split_whole(&c, start, end, 24999);
	split_whole(&c, start, end, 0);
	split_whole(&c, start, end, 50001);
	assert_int_equal(c.sessions, 20);
	assert_int_equal(split_full(&c, start, at("2025-12-20T01:00:00Z"), end, 48000), end);
	assert_int_equal(c.full, 48000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_seams),
		cmocka_unit_test(test_no_seam),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_learning),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
