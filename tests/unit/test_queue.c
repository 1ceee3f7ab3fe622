/* Whose turn it is: fair turns, one task per symbol and timeframe, cancel. */
#include "check.h"

#include "queue.h"

#include <stdio.h>
#include <string.h>

static void
push(struct queue *q, const char *job, const char *symbol, enum timeframe tf)
{
	struct task t = {.symbol = slice_of(symbol),
		.tf = tf,
		.from = slice_of("2025-12-15"),
		.to = slice_of("2025-12-19"),
		.start = 20437,
		.end = 20441};

	queue_push(q, slice_of(job), &t);
}

static size_t
cancel(struct queue *q, const char *job)
{
	size_t n = 0;

	for (struct task *t = queue_cancel(q, slice_of(job)), *next; t != NULL; t = next) {
		next = t->next;
		assert_true(job == NULL || slice_is(task_job_id(t), job));
		queue_end(q, t);
		n++;
	}
	return n;
}

/* All that still waits ends, and the queue with it. */
static void
end(struct queue *q)
{
	(void)cancel(q, NULL);
	queue_release(q);
}

/* Takes a task and checks whose it is. */
static struct task *
expect(struct queue *q, const char *job, const char *symbol)
{
	struct task *t = queue_take(q, true);

	assert_non_null(t);
	assert_true(slice_is(task_job_id(t), job));
	assert_true(slice_is(t->symbol, symbol));
	return t;
}

static void
test_copies(void **state)
{
	struct queue queue = {0}, *q = &queue;
	char job[] = "job", symbol[] = "AAPL";
	struct task *t;

	(void)state;
	push(q, job, symbol, TF_WEEK);
	memset(job, 'x', 3);
	memset(symbol, 'x', 4);
	t = expect(q, "job", "AAPL");
	assert_true(slice_is(t->from, "2025-12-15"));
	assert_true(slice_is(t->to, "2025-12-19"));
	assert_int_equal(t->start, 20437);
	assert_int_equal(t->end, 20441);
	assert_int_equal(t->tf, TF_WEEK);
	assert_null(t->active);
	queue_end(q, t);
	assert_null(queue_take(q, true));
	end(q);
}

static void
test_in_order_within_a_job(void **state)
{
	struct queue queue = {0}, *q = &queue;

	(void)state;
	push(q, "a", "S1", TF_DAY);
	push(q, "a", "S2", TF_DAY);
	push(q, "a", "S3", TF_DAY);
	queue_end(q, expect(q, "a", "S1"));
	queue_end(q, expect(q, "a", "S2"));
	queue_end(q, expect(q, "a", "S3"));
	end(q);
}

static void
test_small_job_behind_a_large_one(void **state)
{
	struct queue queue = {0}, *q = &queue;
	char symbol[16];

	(void)state;
	for (int i = 0; i < 500; i++) {
		(void)snprintf(symbol, sizeof symbol, "S%d", i);
		push(q, "large", symbol, TF_DAY);
	}
	queue_end(q, expect(q, "large", "S0"));
	push(q, "small", "S400", TF_DAY);
	queue_end(q, expect(q, "large", "S1"));
	queue_end(q, expect(q, "small", "S400"));
	queue_end(q, expect(q, "large", "S2"));
	queue_end(q, expect(q, "large", "S3"));
	end(q);
}

static void
test_turns_of_three(void **state)
{
	struct queue queue = {0}, *q = &queue;
	static const char *const turn[] = {"a", "b", "c", "a", "b", "c", "a", "b"};
	struct task *t;

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const char *const symbol[] = {"X", "Y", "Z"};

		push(q, "a", symbol[i], TF_DAY);
		push(q, "b", symbol[i], TF_HOUR);
		if (i < 2)
			push(q, "c", symbol[i], TF_WEEK);
	}
	for (size_t i = 0; i < sizeof turn / sizeof turn[0]; i++) {
		t = queue_take(q, true);
		assert_non_null(t);
		assert_true(slice_is(task_job_id(t), turn[i]));
		queue_end(q, t);
	}
	assert_null(queue_take(q, true));
	end(q);
}

/* Pages take turns too: a job of long series does not keep a small one waiting. */
static void
test_pages_take_turns(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct active *const begun = (struct active *)(void *)q;
	struct task *a, *b;

	(void)state;
	push(q, "a", "A1", TF_1MIN);
	push(q, "a", "A2", TF_1MIN);
	push(q, "b", "B1", TF_1MIN);
	a = expect(q, "a", "A1");
	a->active = begun;
	queue_again(q, a);
	b = expect(q, "b", "B1");
	b->active = begun;
	queue_again(q, b);
	/* Within its job the page comes before the next task. */
	assert_ptr_equal(expect(q, "a", "A1"), a);
	assert_ptr_equal(expect(q, "b", "B1"), b);
	queue_end(q, b);
	queue_end(q, a);
	queue_end(q, expect(q, "a", "A2"));
	end(q);
}

/* A task with several pages to ask for waits in one place, and gives one request a turn. */
static void
test_waits_once(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct task *a, *b;

	(void)state;
	push(q, "a", "A1", TF_1MIN);
	push(q, "b", "B1", TF_1MIN);
	a = expect(q, "a", "A1");
	b = expect(q, "b", "B1");
	queue_again(q, a);
	queue_again(q, a);
	queue_again(q, b);
	assert_int_equal(q->waiting, 2);
	assert_ptr_equal(expect(q, "a", "A1"), a);
	queue_again(q, a);
	assert_ptr_equal(expect(q, "b", "B1"), b);
	assert_ptr_equal(expect(q, "a", "A1"), a);
	assert_null(queue_take(q, true));
	assert_int_equal(q->waiting, 0);
	queue_end(q, a);
	queue_end(q, b);
	end(q);
}

/* A task can be over while it waits for another turn: one of its requests in flight has failed. */
static void
test_end_while_waiting(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct task *first, *middle, *last;

	(void)state;
	push(q, "a", "A1", TF_1MIN);
	push(q, "a", "A2", TF_1MIN);
	push(q, "a", "A3", TF_1MIN);
	first = expect(q, "a", "A1");
	middle = expect(q, "a", "A2");
	last = expect(q, "a", "A3");
	push(q, "b", "A2", TF_1MIN);
	assert_null(queue_take(q, true));
	queue_again(q, first);
	queue_again(q, middle);
	queue_again(q, last);
	assert_int_equal(q->waiting, 4);
	queue_end(q, middle);
	/* The other task of its series may begin now. */
	assert_int_equal(q->waiting, 3);
	assert_ptr_equal(expect(q, "a", "A1"), first);
	queue_end(q, expect(q, "b", "A2"));
	queue_again(q, first);
	assert_ptr_equal(expect(q, "a", "A3"), last);
	queue_end(q, last);
	/* With the last one its job goes, and is nowhere found. */
	queue_end(q, first);
	assert_int_equal(q->waiting, 0);
	assert_null(queue_take(q, true));
	push(q, "a", "A1", TF_1MIN);
	queue_end(q, expect(q, "a", "A1"));
	end(q);
}

static void
test_no_new_task_when_told(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct task *t;

	(void)state;
	push(q, "a", "A1", TF_DAY);
	push(q, "b", "B1", TF_DAY);
	push(q, "b", "B2", TF_DAY);
	assert_null(queue_take(q, false));
	t = expect(q, "a", "A1");
	t->active = (struct active *)(void *)q;
	queue_again(q, t);
	assert_ptr_equal(queue_take(q, false), t);
	assert_null(queue_take(q, false));
	assert_int_equal(q->waiting, 2);
	queue_end(q, t);
	queue_end(q, expect(q, "b", "B1"));
	queue_end(q, expect(q, "b", "B2"));
	end(q);
}

static void
test_same_series_waits(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct task *first, *other;

	(void)state;
	push(q, "a", "AAPL", TF_DAY);
	push(q, "a", "AAPL", TF_DAY);
	push(q, "b", "AAPL", TF_DAY);
	push(q, "b", "AAPL", TF_HOUR);
	push(q, "a", "MSFT", TF_DAY);
	first = expect(q, "a", "AAPL");
	other = expect(q, "b", "AAPL");
	assert_int_equal(other->tf, TF_HOUR);
	queue_end(q, other);
	queue_end(q, expect(q, "a", "MSFT"));
	assert_null(queue_take(q, true));
	assert_int_equal(q->waiting, 2);
	queue_end(q, first);
	first = queue_take(q, true);
	assert_non_null(first);
	assert_null(queue_take(q, true));
	queue_end(q, first);
	first = queue_take(q, true);
	assert_non_null(first);
	queue_end(q, first);
	assert_null(queue_take(q, true));
	assert_int_equal(q->waiting, 0);
	end(q);
}

static void
test_cancel(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct task *t, *running;

	(void)state;
	push(q, "a", "S1", TF_DAY);
	push(q, "a", "S2", TF_DAY);
	push(q, "b", "S1", TF_DAY);
	push(q, "a", "S3", TF_DAY);
	running = expect(q, "a", "S1");
	/* b's task waits behind the running one. */
	t = expect(q, "a", "S2");
	queue_end(q, t);
	assert_int_equal(cancel(q, "nobody"), 0);
	assert_int_equal(cancel(q, "a"), 1);
	assert_int_equal(q->waiting, 1);
	assert_null(queue_take(q, true));
	queue_end(q, running);
	queue_end(q, expect(q, "b", "S1"));
	assert_int_equal(q->waiting, 0);
	/* The same id may come again. */
	push(q, "a", "S1", TF_DAY);
	queue_end(q, expect(q, "a", "S1"));
	end(q);
}

/* The task that was to take a free lock is cancelled: those waiting there must not wait for ever.
 */
static void
test_cancel_the_next_of_a_series(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct task *running;

	(void)state;
	push(q, "a", "S1", TF_DAY);
	push(q, "b", "S1", TF_DAY);
	push(q, "c", "S1", TF_DAY);
	push(q, "d", "S1", TF_DAY);
	running = expect(q, "a", "S1");
	assert_null(queue_take(q, true));
	queue_end(q, running);
	assert_int_equal(cancel(q, "b"), 1);
	queue_end(q, expect(q, "c", "S1"));
	queue_end(q, expect(q, "d", "S1"));
	assert_null(queue_take(q, true));
	end(q);
}

static void
test_cancel_takes_waiting_and_pages(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct task *running, *page;

	(void)state;
	push(q, "a", "S1", TF_DAY);
	push(q, "b", "S1", TF_DAY);
	push(q, "b", "S2", TF_DAY);
	push(q, "b", "S3", TF_DAY);
	running = expect(q, "a", "S1");
	page = expect(q, "b", "S2");
	page->active = (struct active *)(void *)q;
	queue_again(q, page);
	assert_int_equal(cancel(q, "b"), 3);
	assert_int_equal(q->waiting, 0);
	queue_end(q, running);
	push(q, "c", "S2", TF_DAY);
	queue_end(q, expect(q, "c", "S2"));
	end(q);
}

static void
test_cancel_all(void **state)
{
	struct queue queue = {0}, *q = &queue;
	struct task *running;

	(void)state;
	push(q, "a", "S1", TF_DAY);
	push(q, "a", "S1", TF_DAY);
	push(q, "b", "S1", TF_DAY);
	push(q, "b", "S2", TF_DAY);
	running = expect(q, "a", "S1");
	queue_end(q, expect(q, "b", "S2"));
	assert_null(queue_take(q, true));
	assert_int_equal(cancel(q, NULL), 2);
	assert_int_equal(q->waiting, 0);
	queue_end(q, running);
	push(q, "c", "S1", TF_DAY);
	queue_end(q, expect(q, "c", "S1"));
	end(q);
}

/*
 * Chance against a plain model: of each symbol one task in progress at most, none is lost, none
 * comes twice, and whenever nothing can be taken all that waits is of symbols in progress.
 */
static void
test_by_chance(void **state)
{
	static const char *const job[] = {"a", "b", "c", "d"};
	static const char *const symbol[] = {"S1", "S2", "S3"};
	struct queue queue = {0}, *q = &queue;
	struct task *running[8] = {0};
	unsigned seed = 1;
	size_t pushed = 0, gone = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		unsigned what, which;

		seed = seed * 1103515245u + 12345u;
		what = seed >> 16 & 7;
		which = seed >> 20 & 7;
		if (what < 3) {
			push(q, job[which & 3], symbol[(seed >> 24) % 3], TF_DAY);
			pushed++;
		} else if (what < 6 && running[which] == NULL) {
			struct task *t = running[which] = queue_take(q, true);

			for (unsigned k = 0; t != NULL && k < 8; k++)
				assert_false(k != which && running[k] != NULL &&
					     slice_eq(running[k]->symbol, t->symbol));
		} else if (what == 6 && running[which] != NULL) {
			queue_end(q, running[which]);
			running[which] = NULL;
			gone++;
		} else if (what == 7 && (seed >> 24) % 64 == 0) {
			gone += cancel(q, job[which & 3]);
		}
	}
	for (unsigned k = 0; k < 8; k++) {
		if (running[k] != NULL) {
			queue_end(q, running[k]);
			gone++;
		}
	}
	for (struct task *t; (t = queue_take(q, true)) != NULL; gone++)
		queue_end(q, t);
	assert_int_equal(q->waiting, 0);
	assert_int_equal(gone, pushed);
	end(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_in_order_within_a_job),
		cmocka_unit_test(test_small_job_behind_a_large_one),
		cmocka_unit_test(test_turns_of_three),
		cmocka_unit_test(test_pages_take_turns),
		cmocka_unit_test(test_waits_once),
		cmocka_unit_test(test_end_while_waiting),
		cmocka_unit_test(test_no_new_task_when_told),
		cmocka_unit_test(test_same_series_waits),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_the_next_of_a_series),
		cmocka_unit_test(test_cancel_takes_waiting_and_pages),
		cmocka_unit_test(test_cancel_all),
		cmocka_unit_test(test_by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
