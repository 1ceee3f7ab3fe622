/* What the calendar promises of a task, what is missing of a series, and the tasks that fill it. */
#include "check.h"
#include "check_calendar.h"

#include "schedule.h"
#include "verdict.h"
#include "timestamp.h"

#include <stdlib.h>

static int64_t
key(enum timeframe tf, const char *text)
{
	int64_t t;
	int32_t d;

	if (timeframe_intraday(tf)) {
		assert_int_equal(timestamp_parse(slice_of(text), &t), 0);
		return t;
	}
	assert_int_equal(date_parse(slice_of(text), &d), 0);
	return d;
}

static struct schedule
schedule(enum timeframe tf, const char *from, const char *to)
{
	struct schedule s;

	schedule_init(&s, calendar, tf, key(tf, from), key(tf, to));
	return s;
}

static void
expect(enum timeframe tf, const char *from, const char *to, size_t due, uint64_t bars)
{
	struct schedule s = schedule(tf, from, to);

	assert_int_equal(s.due, due);
	assert_int_equal(s.due_bars, bars);
	schedule_release(&s);
}

static void
expectations(void **state)
{
	(void)state;
	expect(TF_DAY, "2025-07-03", "2025-07-07", 2, 2);
	expect(TF_DAY, "2025-07-04", "2025-07-06", 0, 0);
	expect(TF_WEEK, "2025-06-29", "2025-07-12", 2, 2);
	expect(TF_WEEK, "2025-06-30", "2025-07-11", 0, 0);
	expect(TF_MONTH, "2025-11-01", "2026-01-30", 2, 2);
	/* A half day and a full one. */
	expect(TF_1MIN, "2025-07-03T08:00:00Z", "2025-07-08T00:00:00Z", 2, 210 + 390);
	expect(TF_HOUR, "2025-07-03T08:00:00Z", "2025-07-08T00:00:00Z", 2, 4 + 7);
	/* The session under way: 9:30 is 14:30 UTC. */
	expect(TF_1MIN, "2025-12-22T09:00:00Z", "2025-12-23T14:59:00Z", 1, 390);
	expect(TF_1MIN, "2025-12-22T09:00:00Z", "2025-12-23T15:00:00Z", 2, 390 + 30);
	expect(TF_HOUR, "2025-12-22T09:00:00Z", "2025-12-23T14:00:00Z", 1, 7);
	expect(TF_HOUR, "2025-12-22T09:00:00Z", "2025-12-23T15:00:00Z", 2, 7 + 1);
	/* The last half hour of a session, and less of it. */
	expect(TF_1MIN, "2025-12-22T20:30:00Z", "2025-12-23T01:00:00Z", 1, 30);
	expect(TF_1MIN, "2025-12-22T20:31:00Z", "2025-12-23T01:00:00Z", 0, 0);
	/* The clocks are set on 2025-11-02. */
	expect(TF_1MIN, "2025-10-31T08:00:00Z", "2025-11-04T01:00:00Z", 2, 780);
}

/* Counts bars of period i, the last of which starts so many bars before its end. */
static void
put(struct series *s, size_t i, uint64_t bars, int64_t before_end)
{
	const struct schedule *d = s->schedule;
	int seconds = timeframe_intraday(d->tf) ? timeframe_seconds(d->tf) : 1;
	struct tally t = {.bars = bars,
		.first = d->period[i].start,
		.last = d->period[i].end - seconds * (before_end + 1),
		.filled = UINT64_MAX};

	series_count(s, SCHEDULE_BOUNDS * i + 2, &t);
}

static void
verdicts(void **state)
{
	struct schedule d = schedule(TF_DAY, "2025-12-15", "2025-12-22");
	struct series s;
	struct tally bad = {.bars = 1, .nulls = 1};
	size_t first = 0, last = 0;

	(void)state;
	assert_int_equal(d.count, 6);
	series_init(&s, slice_of("j"), slice_of("A"), &d);
	series_judge(&s, 0, NULL, NULL);
	assert_int_equal(s.verdict, VERDICT_EMPTY);
	assert_true(series_run(&s, FOUND_MISSING, &first, &last));
	assert_int_equal(first, 0);
	assert_int_equal(last, 5);
	series_reset(&s);
	for (size_t i = 0; i < 6; i++)
		put(&s, i, 1, 0);
	series_judge(&s, 100, NULL, NULL);
	assert_int_equal(s.verdict, VERDICT_COMPLETE);
	assert_false(series_run(&s, FOUND_MISSING, &(size_t){0}, &last));
	series_reset(&s);
	put(&s, 0, 1, 0);
	put(&s, 3, 1, 0);
	put(&s, 5, 1, 0);
	series_count(&s, 4 * SCHEDULE_BOUNDS + 2, &bad);
	series_count(&s, 2 * SCHEDULE_BOUNDS, &(struct tally){.bars = 7});
	series_judge(&s, 0, NULL, NULL);
	assert_int_equal(s.verdict, VERDICT_HOLES);
	assert_int_equal(s.present, 3);
	assert_int_equal(s.outside, 7);
	assert_int_equal(s.nulls, 1);
	first = 0;
	assert_true(series_run(&s, FOUND_MISSING, &first, &last));
	assert_int_equal(first, 1);
	assert_int_equal(last, 2);
	first = last + 1;
	assert_true(series_run(&s, FOUND_MISSING, &first, &last));
	assert_int_equal(first, 4);
	assert_int_equal(last, 4);
	series_release(&s);
	schedule_release(&d);
}

/* Of 60 sessions the last has so many bars and stops so many before its end; the others, full, have
 * others. */
static bool
broken_off(enum timeframe tf, uint64_t others, uint64_t bars, int64_t silent)
{
	struct schedule d = schedule(tf, "2025-08-01T08:00:00Z", "2025-10-25T00:00:00Z");
	struct series s;
	bool missing;

	assert_int_equal(d.count, 60);
	series_init(&s, slice_of("j"), slice_of("A"), &d);
	for (size_t i = 0; i + 1 < d.count; i++)
		put(&s, i, others, 0);
	put(&s, d.count - 1, bars, silent);
	series_judge(&s, 0, NULL, NULL);
	missing = series_found(&s, d.count - 1, FOUND_MISSING);
	series_release(&s);
	schedule_release(&d);
	return missing;
}

static void
broken_ends(void **state)
{
	(void)state;
	assert_true(broken_off(TF_1MIN, 390, 165, 225));
	assert_true(broken_off(TF_1MIN, 386, 380, 10));
	assert_false(broken_off(TF_1MIN, 386, 389, 1));
	assert_false(broken_off(TF_1MIN, 386, 386, 0));
	assert_true(broken_off(TF_HOUR, 7, 3, 4));
	assert_false(broken_off(TF_HOUR, 7, 6, 1));
	/* Thin: one minute in 13 has a trade. */
	assert_false(broken_off(TF_1MIN, 30, 20, 120));
	assert_true(broken_off(TF_1MIN, 30, 10, 250));
	assert_false(broken_off(TF_1MIN, 1, 1, 380));
}

static void
ranges(void **state)
{
	struct schedule d = schedule(TF_1MIN, "2025-07-01T08:00:00Z", "2025-07-08T15:15:00Z");
	struct schedule w = schedule(TF_WEEK, "2025-06-29", "2025-07-19");
	struct range r;

	(void)state;
	assert_int_equal(d.count, 5);
	r = schedule_range(&d, 2, 3);
	assert_int_equal(r.from, key(TF_1MIN, "2025-07-03T08:00:00Z"));
	assert_int_equal(r.to, key(TF_1MIN, "2025-07-08T00:00:00Z"));
	assert_int_equal(schedule_range(&d, 2, 2).to, key(TF_1MIN, "2025-07-03T21:00:00Z"));
	/* All of it is the task as it came. */
	r = schedule_range(&d, 0, 4);
	assert_int_equal(r.from, d.from);
	assert_int_equal(r.to, d.to);
	r = schedule_range(&w, 1, 2);
	assert_int_equal(r.from, key(TF_WEEK, "2025-07-06"));
	assert_int_equal(r.to, key(TF_WEEK, "2025-07-19"));
	schedule_release(&d);
	schedule_release(&w);
}

/* A day's minutes with a gap in the middle, by the pieces of 8 minutes that have a bar. */
static bool
gap(size_t sessions, uint64_t bars, int first, int pieces)
{
	struct schedule d =
		schedule(TF_1MIN, sessions == 1 ? "2025-10-24T08:00:00Z" : "2025-08-01T08:00:00Z",
			"2025-10-25T00:00:00Z");
	struct period *p = &d.period[d.count - 1];
	struct tally t = {
		.bars = bars, .first = p->start, .last = p->end - 60, .filled = UINT64_MAX};
	struct series s;
	bool missing;

	series_init(&s, slice_of("j"), slice_of("A"), &d);
	for (size_t i = 0; i + 1 < d.count; i++)
		put(&s, i, bars, 0);
	for (int i = 0; i < pieces; i++)
		t.filled &= ~(UINT64_C(1) << (first + i));
	series_count(&s, SCHEDULE_BOUNDS * (d.count - 1) + 2, &t);
	series_judge(&s, 0, NULL, NULL);
	missing = series_found(&s, d.count - 1, FOUND_MISSING);
	series_release(&s);
	schedule_release(&d);
	return missing;
}

static void
middles(void **state)
{
	(void)state;
	assert_false(gap(60, 390, 0, 0));
	assert_true(gap(60, 388, 20, 1));
	assert_false(gap(60, 100, 20, 4));
	assert_true(gap(60, 100, 20, 8));
	assert_false(gap(60, 20, 20, 20));
	/* One session alone. */
	assert_true(gap(1, 320, 20, 8));
	assert_true(gap(1, 97, 20, 9));
	assert_false(gap(1, 30, 20, 15));
	assert_false(gap(1, 1, 0, 0));
}

/* Of n sessions, those from a on, so many, have this ratio; all others 1. How many are found. */
static void
on_basis(size_t n, size_t a, size_t many, float ratio, size_t want)
{
	struct schedule d = schedule(TF_1MIN, "2025-01-02T08:00:00Z", "2025-12-20T01:00:00Z");
	struct series s;
	size_t found = 0;

	series_init(&s, slice_of("j"), slice_of("A"), &d);
	for (size_t i = 0; i < n; i++)
		s.cell[i].ratio = i >= a && i < a + many ? ratio : i % 2 == 0 ? 1.0001f : 0.9999f;
	series_basis(&s);
	for (size_t i = 0; i < d.count; i++) {
		found += series_found(&s, i, FOUND_BASIS);
		assert_true(!series_found(&s, i, FOUND_BASIS) || (i >= a && i < a + many));
	}
	assert_int_equal(found, want);
	series_release(&s);
	schedule_release(&d);
}

/* The factor of so many sessions. */
static double
factor(const float *ratio, size_t n)
{
	struct schedule d = schedule(TF_1MIN, "2025-12-01T08:00:00Z", "2025-12-20T01:00:00Z");
	struct series s;
	double f;

	series_init(&s, slice_of("j"), slice_of("A"), &d);
	for (size_t i = 0; i < n; i++)
		s.cell[i].ratio = ratio[i];
	f = series_factor(&s, 0, n - 1);
	series_release(&s);
	schedule_release(&d);
	return f;
}

static void
bases(void **state)
{
	(void)state;
	on_basis(100, 0, 0, 1, 0);
	on_basis(100, 0, 40, 4, 40);
	on_basis(100, 60, 40, 0.1f, 40);
	on_basis(100, 0, 37, 1.5f, 37);
	on_basis(100, 20, 33, 1.05f, 33);
	on_basis(100, 20, 12, 1.005f, 12);
	on_basis(100, 20, 6, 1.006f, 6);
	on_basis(100, 20, 1, 1.031f, 1);
	/* A session that is odd by itself, and too few to tell. */
	on_basis(100, 20, 1, 1.029f, 0);
	on_basis(100, 20, 2, 0.98f, 0);
	on_basis(1, 0, 1, 1.02f, 0);
	on_basis(1, 0, 1, 1.04f, 1);
	on_basis(0, 0, 0, 1, 0);
	assert_true(factor((float[]){3, 1, 2}, 3) == 2);
	assert_true(factor((float[]){4, 1, 2, 3}, 4) == 2.5);
}

/* What is found by a comparison. */
static uint32_t
found(enum timeframe tf, const struct comparison *c)
{
	bool week = tf == TF_WEEK;
	struct schedule d = schedule(tf, week ? "2025-06-29" : "2025-07-01T08:00:00Z",
		week ? "2025-07-12" : "2025-07-02T00:00:00Z");
	struct series s;
	uint32_t bits;

	series_init(&s, slice_of("j"), slice_of("A"), &d);
	series_compare(&s, 0, c);
	bits = s.cell[0].found & FOUND_DIFFERS;
	series_release(&s);
	schedule_release(&d);
	return bits;
}

/* What a comparison says, by the thresholds. */
static void
comparisons(void **state)
{
	const struct comparison fine = {.day = true,
		.parts = true,
		.range = 0.002,
		.share = 1.05,
		.price = 0.0001,
		.volume = 0};
	struct comparison c = fine;

	(void)state;
	assert_int_equal(found(TF_1MIN, &c), 0);
	c.range = 0.0021;
	assert_int_equal(found(TF_1MIN, &c), FOUND_RANGE);
	c = fine;
	c.share = 1.06;
	assert_int_equal(found(TF_1MIN, &c), FOUND_VOLUME);
	c.day = false;
	assert_int_equal(found(TF_1MIN, &c), 0);
	c = fine;
	c.volume = 0.5;
	assert_int_equal(found(TF_1MIN, &c), FOUND_HOURS);
	c.parts = false;
	assert_int_equal(found(TF_1MIN, &c), 0);
	c = fine;
	c.lost = true;
	assert_int_equal(found(TF_1MIN, &c), FOUND_HOURS);
	c = fine;
	c.price = 0.01;
	c.volume = 1e6;
	assert_int_equal(found(TF_1MIN, &c), FOUND_HOURS);
	assert_int_equal(found(TF_WEEK, &c), FOUND_ROLL_UP);
	c.price = 0.0001;
	assert_int_equal(found(TF_WEEK, &c), 0);
}

/* Another basis hides what follows from it; a session between days without a day is told. */
static void
findings(void **state)
{
	struct schedule d = schedule(TF_1MIN, "2025-08-01T08:00:00Z", "2025-10-25T00:00:00Z");
	struct series s;
	size_t first = 0, last;

	(void)state;
	series_init(&s, slice_of("j"), slice_of("A"), &d);
	for (size_t i = 0; i < d.count; i++) {
		struct comparison c = {.day = i != 50,
			.ratio = i < 30	   ? 4
				 : i == 40 ? 1.7
					   : 1,
			.range = i < 30 ? 3 : 0};

		put(&s, i, 390, 0);
		series_compare(&s, i, &c);
	}
	series_basis(&s);
	series_judge(&s, 0, NULL, NULL);
	assert_int_equal(s.verdict, VERDICT_DIFFERS);
	assert_int_equal(s.differing, 32);
	assert_int_equal(s.compared, 59);
	assert_false(series_run(&s, FOUND_RANGE, &(size_t){0}, &last));
	assert_true(series_run(&s, FOUND_BASIS, &first, &last));
	assert_int_equal(last, 29);
	assert_true(series_factor(&s, first, last) == 4);
	assert_true(series_run(&s, FOUND_NO_DAY, &first, &last));
	assert_int_equal(first, 50);
	assert_int_equal(series_period(&s, d.period[7].first), 7);
	assert_true(series_period(&s, d.period[0].first + 1) == SIZE_MAX);
	series_release(&s);
	schedule_release(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expectations),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(broken_ends),
		cmocka_unit_test(middles),
		cmocka_unit_test(bases),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(findings),
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
