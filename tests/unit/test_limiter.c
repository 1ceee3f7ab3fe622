/* Pacing, the pause after a 429, and how long a retry waits. */
#include "check.h"

#include "limiter.h"

static void
test_rate_parse(void **state)
{
	static const char *const wrong[] = {"", "5", "/m", "5/", "0/m", "-5/m", "5/d", "5/mm",
		"5 /m", " 5/m", "+5/m", "5.5/m", "100001/s", "99999999999999999999/s", "5/m ",
		"m/5"};
	struct rate r;

	(void)state;
	assert_int_equal(rate_parse(slice_of("5/m"), &r), 0);
	assert_int_equal(r.n, 5);
	assert_int_equal(r.period_ms, 60000);
	assert_int_equal(rate_parse(slice_of("50/s"), &r), 0);
	assert_int_equal(r.n, 50);
	assert_int_equal(r.period_ms, 1000);
	assert_int_equal(rate_parse(slice_of("100000/h"), &r), 0);
	assert_int_equal(r.n, 100000);
	assert_int_equal(r.period_ms, 3600000);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(rate_parse(slice_of(wrong[i]), &r), -1);
}

static void
test_no_rate_no_wait(void **state)
{
	struct limiter l;

	(void)state;
	limiter_init(&l, (struct rate){0}, 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(limiter_wait(&l, 1000, i), 0);
		(void)limiter_start(&l, 1000);
	}
	assert_int_equal(limiter_wait(&l, 1000, 8), -1);
	limiter_release(&l);
}

/* Never more than n starts in any window of one period, however they are asked for. */
static void
check_any_window(unsigned n, int64_t period, unsigned seed)
{
	enum { STARTS = 400 };
	struct limiter l;
	int64_t at[STARTS], now = -5000;

	limiter_init(&l, (struct rate){n, period}, 64);
	for (int i = 0; i < STARTS;) {
		int64_t wait = limiter_wait(&l, now, 0);

		if (wait == 0) {
			(void)limiter_start(&l, now);
			at[i++] = now;
		}
		assert_true(wait >= 0 && wait <= period + period / 100 + 100);
		seed = seed * 1103515245u + 12345u;
		now += (seed >> 16) % 4 == 0 ? (int64_t)(seed >> 18) % period : wait;
	}
	for (int i = (int)n; i < STARTS; i++)
		assert_true(at[i] - at[i - (int)n] > period);
	limiter_release(&l);
}

static void
test_any_window(void **state)
{
	(void)state;
	check_any_window(1, 1000, 1);
	check_any_window(5, 60000, 2);
	check_any_window(50, 1000, 3);
	check_any_window(399, 1000, 4);
}

/* Not slower than asked for either: n at once, and n more a period later. */
static void
test_full_rate(void **state)
{
	struct limiter l;
	int64_t wait;

	(void)state;
	limiter_init(&l, (struct rate){5, 60000}, 8);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(limiter_wait(&l, 0, i), 0);
		(void)limiter_start(&l, 0);
	}
	wait = limiter_wait(&l, 0, 5);
	assert_true(wait > 60000 && wait < 60600);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(limiter_wait(&l, wait, 0), 0);
		(void)limiter_start(&l, wait);
	}
	assert_true(limiter_wait(&l, wait, 0) > 60000);
	limiter_release(&l);
}

/* A request whose connection took its time counts from when it was sent. */
static void
test_sent_later(void **state)
{
	struct limiter l;
	size_t first, second;

	(void)state;
	limiter_init(&l, (struct rate){2, 1000}, 8);
	first = limiter_start(&l, 0);
	second = limiter_start(&l, 10);
	limiter_sent(&l, first, 300);
	limiter_sent(&l, second, 310);
	assert_true(limiter_wait(&l, 1100, 0) > 200);
	assert_int_equal(limiter_wait(&l, 1400, 0), 0);
	(void)limiter_start(&l, 1400);
	/* News of the first, too late to matter: it makes nothing earlier. */
	limiter_sent(&l, first, 1000);
	(void)limiter_start(&l, 1400);
	assert_true(limiter_wait(&l, 2390, 0) > 10);
	limiter_release(&l);
	limiter_init(&l, (struct rate){0}, 8);
	limiter_sent(&l, limiter_start(&l, 0), 5);
	limiter_release(&l);
}

static void
test_backoff(void **state)
{
	static const int64_t expected[] = {
		250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
	struct limiter l;
	int64_t now = 0;

	(void)state;
	limiter_init(&l, (struct rate){0}, 8);
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		(void)limiter_start(&l, now);
		limiter_refused(&l, now + 10, now, -1, 0);
		assert_int_equal(limiter_wait(&l, now + 10, 0), expected[i]);
		now += 10 + expected[i];
		assert_int_equal(limiter_wait(&l, now - 1, 0), 1);
		assert_int_equal(limiter_wait(&l, now, 0), 0);
	}
	/* An answer ends it: the next refusal starts from the beginning. */
	limiter_answered(&l, now);
	limiter_refused(&l, now + 20, now + 10, -1, 0);
	assert_int_equal(limiter_wait(&l, now + 20, 0), 250);
	limiter_release(&l);
}

static void
test_chance_lengthens_the_pause(void **state)
{
	struct limiter l;

	(void)state;
	limiter_init(&l, (struct rate){0}, 8);
	limiter_refused(&l, 10, 0, -1, 1023);
	assert_in_range(limiter_wait(&l, 10, 0), 270, 281);
	limiter_release(&l);
}

/* Eight in flight and refused together are one refusal. */
static void
test_refused_together(void **state)
{
	struct limiter l;

	(void)state;
	limiter_init(&l, (struct rate){0}, 8);
	for (int i = 0; i < 8; i++)
		limiter_refused(&l, 100 + i, 50, -1, 0);
	assert_int_equal(limiter_wait(&l, 107, 0), 250 - 7);
	/* But one of them may know better. */
	limiter_refused(&l, 108, 50, 10000, 0);
	assert_int_equal(limiter_wait(&l, 108, 0), 10000);
	limiter_refused(&l, 109, 50, 1000, 0);
	assert_int_equal(limiter_wait(&l, 109, 0), 9999);
	limiter_release(&l);
}

/* An API that is away is asked sooner, whatever the rate, and by one request at a time. */
static void
test_down(void **state)
{
	static const int64_t expected[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
	struct limiter l;
	int64_t now = 0;

	(void)state;
	limiter_init(&l, (struct rate){1000, 60000}, 8);
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		(void)limiter_start(&l, now);
		limiter_down(&l, now + 10, now, 0);
		limiter_down(&l, now + 11, now, 1023);
		assert_int_equal(limiter_wait(&l, now + 10, 0), expected[i]);
		assert_int_equal(limiter_wait(&l, now + 10, 1), -1);
		now += 10 + expected[i];
	}
	limiter_answered(&l, now);
	assert_int_equal(limiter_wait(&l, now, 1), 0);
	limiter_down(&l, now + 20, now + 10, 1023);
	assert_in_range(limiter_wait(&l, now + 20, 0), 1100, 1125);
	limiter_release(&l);
}

static void
test_by_the_minute(void **state)
{
	struct limiter l;

	(void)state;
	limiter_init(&l, (struct rate){5, 60000}, 8);
	(void)limiter_start(&l, 0);
	limiter_refused(&l, 10, 0, -1, 0);
	assert_int_equal(limiter_wait(&l, 10, 0), 60000);
	limiter_release(&l);
	/* Paced by the second, the minute of the API is not known. */
	limiter_init(&l, (struct rate){5, 1000}, 8);
	limiter_refused(&l, 10, 0, -1, 0);
	assert_int_equal(limiter_wait(&l, 10, 0), 250);
	limiter_release(&l);
}

static void
test_retry_after(void **state)
{
	struct limiter l;

	(void)state;
	limiter_init(&l, (struct rate){5, 60000}, 8);
	limiter_refused(&l, 10, 0, 3000, 0);
	assert_int_equal(limiter_wait(&l, 10, 0), 3000);
	limiter_refused(&l, 4000, 3500, 0, 0);
	assert_int_equal(limiter_wait(&l, 4000, 0), 1000);
	limiter_refused(&l, 6000, 5500, 7200000, 0);
	assert_int_equal(limiter_wait(&l, 6000, 0), LIMITER_RETRY_MAX);
	limiter_release(&l);
}

/* After a refusal a lone probe, then 2, 4, 8 at once. */
static void
test_single_file(void **state)
{
	struct limiter l;

	(void)state;
	limiter_init(&l, (struct rate){0}, 7);
	assert_int_equal(limiter_wait(&l, 0, 6), 0);
	limiter_refused(&l, 100, 0, -1, 0);
	assert_int_equal(limiter_wait(&l, 5000, 0), 0);
	assert_int_equal(limiter_wait(&l, 5000, 1), -1);
	/* An answer to what had started before the refusal says nothing. */
	limiter_answered(&l, 0);
	assert_int_equal(limiter_wait(&l, 5000, 1), -1);
	limiter_answered(&l, 5000);
	assert_int_equal(limiter_wait(&l, 6000, 1), 0);
	assert_int_equal(limiter_wait(&l, 6000, 2), -1);
	limiter_answered(&l, 6000);
	assert_int_equal(limiter_wait(&l, 7000, 3), 0);
	assert_int_equal(limiter_wait(&l, 7000, 4), -1);
	limiter_answered(&l, 7000);
	assert_int_equal(limiter_wait(&l, 8000, 6), 0);
	assert_int_equal(limiter_wait(&l, 8000, 7), -1);
	limiter_release(&l);
}

/*
 * A plan of 5 requests a minute, no -r, 8 at once, 40 pages to fetch: the API is played here.
 */
static void
test_free_plan_without_rate(void **state)
{
	enum { PAGES = 40 };
	struct limiter l;
	int64_t now = 0, granted[PAGES + 5];
	int done = 0, queue[PAGES], head = 0, grants = 0;

	(void)state;
	for (int i = 0; i < PAGES; i++)
		queue[i] = i;
	limiter_init(&l, (struct rate){0}, 8);
	while (done < PAGES) {
		int flight[8];
		unsigned n = 0;
		int64_t started, wait = limiter_wait(&l, now, 0);

		now += wait;
		started = now;
		while (n < 8 && head + (int)n < PAGES && limiter_wait(&l, now, n) == 0) {
			flight[n] = queue[head + (int)n];
			n++;
		}
		now += 5;
		for (unsigned i = 0; i < n; i++) {
			bool full = grants >= 5 && granted[grants - 5] > now - 60000;

			if (full) {
				limiter_refused(&l, now, started, -1, 0);
				continue;
			}
			granted[grants++] = now;
			limiter_answered(&l, started);
			done++;
			for (int k = head; k < PAGES; k++) {
				/* Those still to come keep their order. */
				if (queue[k] == flight[i]) {
					for (; k > head; k--)
						queue[k] = queue[k - 1];
					head++;
					break;
				}
			}
		}
	}
	/* 8 minutes' worth of requests take hardly longer than that. */
	assert_in_range(now, 7 * 60000, 11 * 60000);
	limiter_release(&l);
}

/*
 * A limit of 20 a second with a burst of 4, which the limiter is not told; requests take 10 ms. 150
 * take 7.5 s at best.
 */
static void
test_learns_the_rate(void **state)
{
	enum { FLIGHT = 8, MS = 10 };
	struct limiter l;
	int64_t now = 0, started[FLIGHT] = {0};
	double tokens = 4;
	int done = 0, refused = 0, flight = 0;

	(void)state;
	limiter_init(&l, (struct rate){0}, FLIGHT);
	for (; done < 150; now++) {
		tokens = tokens + 0.02 > 4 ? 4 : tokens + 0.02;
		while (flight > 0 && started[0] + MS <= now) {
			int64_t at = started[0];

			flight--;
			for (int i = 0; i < flight; i++)
				started[i] = started[i + 1];
			if (tokens >= 1) {
				tokens--;
				done++;
				limiter_answered(&l, at);
			} else {
				refused++;
				limiter_refused(&l, now, at, -1, 512);
			}
		}
		while (limiter_wait(&l, now, (unsigned)flight) == 0) {
			(void)limiter_start(&l, now);
			started[flight++] = now;
		}
	}
	print_message("150 in %d ms, %d refused\n", (int)now, refused);
	assert_in_range(now, 7000, 11000);
	assert_in_range(refused, 1, 20);
	/* Where the limit is gone, so is the pace. */
	for (int i = 0; i < 400; i++) {
		now += limiter_wait(&l, now, 0);
		(void)limiter_start(&l, now);
		limiter_answered(&l, now);
	}
	assert_int_equal(limiter_wait(&l, now, 0), 0);
	limiter_release(&l);
}

/* Half of all replies are a 429, whatever the pace: of each page the first one, or by chance. */
static bool
half_refused(bool chance, bool *first, uint32_t *state)
{
	if (chance) {
		*state = *state * 1664525u + 1013904223u;
		return *state >> 31;
	}
	*first = !*first;
	return *first;
}

/* How many ms 300 pages take then; *requests is how many requests. */
static int64_t
pages_take(struct rate rate, unsigned most, bool chance, int *requests)
{
	enum { PAGES = 300, FLIGHT = 8, MS = 10 };
	int64_t now = 0, started[FLIGHT], due[PAGES];
	int page[FLIGHT], flight = 0, fresh = 0, done = 0;
	bool first[PAGES] = {0};
	uint32_t state = 1;
	struct limiter l;

	limiter_init(&l, rate, most);
	for (*requests = 0; done < PAGES; now++) {
		while (flight > 0 && started[0] + MS <= now) {
			int64_t at = started[0];
			int of = page[0];

			flight--;
			for (int i = 0; i < flight; i++) {
				started[i] = started[i + 1];
				page[i] = page[i + 1];
			}
			if (half_refused(chance, &first[of], &state)) {
				limiter_refused(&l, now, at, -1, 512);
				due[of] = now + limiter_wait(&l, now, 0) + 1;
			} else {
				limiter_answered(&l, at);
				done++;
			}
		}
		while (limiter_wait(&l, now, (unsigned)flight) == 0) {
			int of = 0;

			while (of < fresh && due[of] > now)
				of++;
			if (of == PAGES)
				break;
			fresh += of == fresh;
			due[of] = INT64_MAX;
			page[flight] = of;
			(void)limiter_start(&l, now);
			started[flight++] = now;
			++*requests;
		}
	}
	limiter_release(&l);
	return now;
}

/*
 * Then the pace does not matter, and that is found out. With a rate of 20 a second, which the
 * limiter is told, it takes no longer than half as much again as so many requests take.
 */
static void
test_slower_does_not_help(void **state)
{
	static const struct rate none = {0}, rate = {20, 1000};

	(void)state;
	for (int i = 0; i < 8; i++) {
		int requests;
		int64_t ms =
			pages_take(i & 1 ? rate : none, i & 2 ? 1 : 8, (i & 4) != 0, &requests);

		print_message("-j %d, %s, half refused %s: 300 pages by %d requests in %d ms\n",
			i & 2 ? 1 : 8, i & 1 ? "20/s" : "no rate", i & 4 ? "by chance" : "in turn",
			requests, (int)ms);
		assert_true(ms < requests * 50 * 3 / 2);
	}
}

static void
test_retry_wait(void **state)
{
	static const int64_t most[] = {500, 1000, 2000, 4000, 8000, 16000, 30000};

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(retry_wait(i + 1, -1, 0), 0);
		assert_int_equal(retry_wait(i + 1, -1, 512), most[i] / 2);
		assert_in_range(retry_wait(i + 1, -1, 1023), most[i] * 99 / 100, most[i]);
	}
	assert_int_equal(retry_wait(1, 5000, 0), 5000);
	assert_in_range(retry_wait(1, 5000, 1023), 5600, 5625);
	assert_int_equal(retry_wait(1, 500000, 0), LIMITER_RETRY_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_parse),
		cmocka_unit_test(test_no_rate_no_wait),
		cmocka_unit_test(test_any_window),
		cmocka_unit_test(test_full_rate),
		cmocka_unit_test(test_sent_later),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_chance_lengthens_the_pause),
		cmocka_unit_test(test_refused_together),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_by_the_minute),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_single_file),
		cmocka_unit_test(test_free_plan_without_rate),
		cmocka_unit_test(test_learns_the_rate),
		cmocka_unit_test(test_slower_does_not_help),
		cmocka_unit_test(test_retry_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
