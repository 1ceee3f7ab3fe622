/* Batches: their order, the last one of a key, statuses and counts; bars in and out of their form.
 */
#include "check_batch.h"

#include "batch.h"
#include "timestamp.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Gives all slots from first to end the same status and commits them. */
static void
commit(struct batch *b, size_t first, size_t end, enum row_status status)
{
	for (size_t i = first; i < end; i++) {
		if (b->status[i] != ROW_REFUSED)
			b->status[i] = (unsigned char)status;
	}
	batch_commit(b, first, end);
}

static void
order(void **state)
{
	static const struct {
		const char *symbol;
		enum timeframe tf;
		int64_t key;
	} want[] = {{"A", TF_1MIN, 5}, {"B", TF_1MIN, 3}, {"A", TF_DAY, 1}, {"A", TF_DAY, 2},
		{"AA", TF_DAY, 1}, {"B", TF_DAY, 7}, {"B", TF_DAY, 8}, {"B", TF_DAY, 9}};
	struct fixture *f = *state;
	struct batch *b = &f->batch;

	add(f, "B", TF_DAY, 9, 1);
	add(f, "A", TF_DAY, 1, 1);
	add(f, "B", TF_1MIN, 3, 1);
	add(f, "A", TF_1MIN, 5, 1);
	add(f, "A", TF_DAY, 2, 1);
	add(f, "B", TF_DAY, 7, 1);
	add(f, "AA", TF_DAY, 1, 1);
	add(f, "B", TF_DAY, 8, 1);
	batch_close(b);
	assert_int_equal(b->slots, 8);
	for (size_t i = 0; i < b->slots; i++) {
		const struct series *s = batch_group_at(b, i)->series;

		assert_string_equal(s->symbol, want[i].symbol);
		assert_int_equal(s->tf, want[i].tf);
		assert_int_equal(b->slot[i].key, want[i].key);
		assert_int_equal(batch_row(b, i)->key, want[i].key);
	}
}

static void
last_of_a_key_wins(void **state)
{
	struct fixture *f = *state;
	struct batch *b = &f->batch;
	struct series *s = series(f, "A", TF_DAY);

	for (int i = 0; i < 300; i++)
		add(f, "A", TF_DAY, 100 + i * 7 % 100, i);
	add(f, "B", TF_DAY, 1, 1);
	batch_close(b);
	assert_int_equal(b->slots, 101);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(b->slot[i].key, 100 + (int)i);
		assert_int_equal(batch_row(b, i)->key, 100 + (int)i);
		assert_true(batch_row(b, i)->volume >= 200);
	}
	commit(b, 0, b->slots, ROW_NEW);
	batch_settle(b, &f->total);
	assert_int_equal(s->n.inserted, 100);
	assert_int_equal(s->n.unchanged, 200);
	assert_int_equal(f->total.inserted, 101);
	assert_int_equal(s->first, 100);
	assert_int_equal(s->last, 199);
}

/* However the bars end, they are all counted. */
static void
counts_add_up(void **state)
{
	struct fixture *f = *state;
	struct batch *b = &f->batch;
	struct series *s = series(f, "A", TF_DAY);

	for (int i = 0; i < 10; i++)
		add(f, "A", TF_DAY, i, i);
	add(f, "A", TF_DAY, 9, 99);
	batch_close(b);
	batch_refuse(b, 0, "23514: no");
	batch_refuse(b, 9, "23514: never");
	/* What an attempt that failed wrote does not count. */
	memset(b->status + 1, ROW_NEW, 8);
	commit(b, 0, 4, ROW_SAME);
	commit(b, 4, 5, ROW_CHANGED);
	commit(b, 5, 10, ROW_NEW);
	batch_settle(b, &f->total);
	assert_int_equal(s->n.rejected, 2);
	assert_int_equal(s->n.unchanged, 3 + 1);
	assert_int_equal(s->n.updated, 1);
	assert_int_equal(s->n.inserted, 4);
	assert_int_equal(s->n.dropped, 0);
	assert_int_equal(s->n.received, 11);
	/* Refused bars are not part of what the task reached. */
	assert_int_equal(s->first, 1);
	assert_int_equal(s->last, 8);
	assert_string_equal(b->text.p + b->refusals.p[0].why, "23514: no");
	assert_string_equal(b->text.p + b->refusals.p[1].why, "23514: never");
	assert_int_equal(b->row[b->refusals.p[1].row].volume, 99);
}

/* What the process ends with that settles the batch. */
static int
settled(struct batch *b, struct counts *total)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void)close(STDERR_FILENO);
		batch_settle(b, total);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What can never be ends the program, before a verdict is made of it. */
static void
a_bug_is_no_verdict(void **state)
{
	struct fixture *f = *state;
	struct batch *b = &f->batch;

	add(f, "A", TF_DAY, 1, 1);
	batch_close(b);
	commit(b, 0, 1, ROW_NEW);
	assert_int_equal(settled(b, &f->total), 0);
	b->groups.p[0].n.inserted++;
	assert_int_equal(settled(b, &f->total), 101);
	b->groups.p[0].n.inserted--;
	b->groups.p[0].series->batches = 0;
	assert_int_equal(settled(b, &f->total), 101);
	b->groups.p[0].series->batches = 1;
	batch_settle(b, &f->total);
}

static void
a_series_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct batch *b = &f->batch;
	struct series *s = series(f, "A", TF_DAY);

	for (int i = 0; i < 20; i++)
		add(f, "A", TF_DAY, i, i);
	add(f, "B", TF_DAY, 1, 1);
	batch_close(b);
	for (size_t i = 0; i < 8; i++)
		batch_refuse(b, i, "22001: too long");
	assert_false(batch_given_up(&b->groups.p[0]));
	commit(b, 8, 10, ROW_NEW);
	batch_refuse(b, 10, "22001: too long");
	assert_true(batch_given_up(&b->groups.p[0]));
	/* What comes after that is dropped, whatever its status seemed to be. */
	commit(b, 11, b->slots, ROW_NEW);
	for (size_t i = 0; i < b->slots; i++)
		assert_int_equal(batch_dropped(b, i), i >= 11 && i < 20);
	batch_settle(b, &f->total);
	assert_string_equal(s->fault, "22001: too long");
	assert_int_equal(s->n.rejected, 9);
	assert_int_equal(s->n.inserted, 2);
	assert_int_equal(s->n.dropped, 9);
	assert_int_equal(f->total.inserted, 3);
	assert_null(series(f, "B", TF_DAY)->fault);
	series_reset(s);
	assert_null(s->fault);
	assert_int_equal(s->n.dropped, 0);
}

static void
two_batches_of_a_series(void **state)
{
	struct fixture *f = *state;
	struct series *s = series(f, "A", TF_DAY);
	struct batch second;

	batch_init(&second, 10);
	add(f, "A", TF_DAY, 1, 1);
	batch_close(&f->batch);
	assert_int_equal(s->group, 0);
	struct bar bar = {.key = 2};
	batch_add(&second, s, &bar, 1);
	batch_close(&second);
	assert_int_equal(s->batches, 2);
	commit(&f->batch, 0, 1, ROW_NEW);
	batch_settle(&f->batch, &f->total);
	batch_clear(&f->batch);
	assert_int_equal(s->batches, 1);
	assert_int_equal(s->n.inserted, 1);
	batch_settle(&second, &f->total);
	assert_int_equal(s->batches, 0);
	batch_release(&second);
	/* A batch that was cleared takes bars as if it were new. */
	add(f, "A", TF_DAY, 3, 1);
	assert_int_equal(f->batch.rows, 1);
	batch_close(&f->batch);
	assert_int_equal(f->batch.slots, 1);
	assert_int_equal(f->batch.status[0], ROW_NONE);
}

static void
overlaps(void **state)
{
	static const struct {
		const char *symbol;
		int64_t first, step;
		bool overlaps;
	} cases[] = {{"B", 100, 1, true}, {"B", 109, 1, true}, {"B", 110, 1, false},
		{"B", 90, 1, false}, {"B", 91, 1, true}, {"B", 99, 11, false}, {"B", 98, 11, true},
		{"C", 100, 1, false}, {"A", 100, 1, false}, {"D", 0, 1, true}};
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		add(f, "B", TF_DAY, 109 - i, i);
	add(f, "D", TF_DAY, 5, 1);
	add(f, "B", TF_1MIN, 5, 1);
	batch_close(&f->batch);
	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		struct batch other;
		struct bar bar = {.volume = 1};

		batch_init(&other, 100);
		for (int i = 0; i < 10; i++) {
			bar.key = cases[c].first + i * cases[c].step;
			batch_add(&other, series(f, cases[c].symbol, TF_DAY), &bar, 1);
			batch_add(&other, series(f, "E", TF_DAY), &bar, 1);
		}
		batch_close(&other);
		assert_int_equal(batch_overlaps(&other, &f->batch), cases[c].overlaps);
		assert_int_equal(batch_overlaps(&f->batch, &other), cases[c].overlaps);
		assert_true(batch_overlaps(&other, &other));
		batch_settle(&other, &f->total);
		batch_release(&other);
	}
}

static void
fullness(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1000; i++) {
		assert_false(batch_full(&f->batch));
		add(f, "A", TF_DAY, i, 1);
	}
	assert_true(batch_full(&f->batch));
}

/* Three quarters are enough where the next series is one that the batch has nothing of. */
static void
ripeness(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 750; i++) {
		assert_false(batch_ripe(&f->batch, series(f, "B", TF_DAY)));
		add(f, "A", TF_DAY, i, 1);
	}
	assert_true(batch_ripe(&f->batch, series(f, "B", TF_DAY)));
	assert_false(batch_ripe(&f->batch, series(f, "A", TF_DAY)));
}

/* What is counted of a task's keys is taken off with it, also where its bars came twice. */
static void
runs_are_given_back(void **state)
{
	struct fixture *f = *state;
	struct series *s = series(f, "A", TF_DAY);

	for (int i = 0; i < 10; i++)
		series_key(s, i % 2 * 10);
	assert_int_equal(f->set.runs, 10);
	assert_int_equal(keys_tidy(&s->keys, TF_DAY), 2);
	series_reset(s);
	assert_int_equal(f->set.runs, 0);
}

/* Series come and go without number; those in use stay. */
static void
series_are_let_go(void **state)
{
	struct fixture *f = *state;
	struct series *used = series(f, "USED", TF_DAY), *idle;
	char symbol[] = "S00000";

	used->n.received = 7;
	for (int i = 0; i < 10000; i++) {
		for (int j = 5, v = i; j > 0; j--, v /= 10)
			symbol[j] = (char)('0' + v % 10);
		idle = series(f, symbol, TF_DAY);
		assert_ptr_equal(series(f, symbol, TF_DAY), idle);
		assert_ptr_not_equal(series(f, symbol, TF_WEEK), idle);
	}
	assert_int_equal(series_prune(&f->set), 0);
	assert_int_equal(HASH_COUNT(f->set.table), 1);
	assert_ptr_equal(series(f, "USED", TF_DAY), used);
	assert_null(series_get(&f->set, slice_of("S00001"), TF_DAY, false));
}

static void
bars_and_their_lines(void **state)
{
	static const char *const lines[] = {
		"{\"type\":\"bar\",\"symbol\":\"AAPL\",\"timeframe\":\"1min\","
		"\"timestamp\":\"2025-12-22T14:30:00Z\",\"open\":272.86,\"high\":273.880,\"low\":0."
		"5,"
		"\"close\":273,\"volume\":1203441}\n",
		"{\"type\":\"bar\",\"symbol\":\"BRK.B\",\"timeframe\":\"week\",\"date\":\"1969-12-"
		"28\","
		"\"open\":0.0001,\"high\":100000,\"low\":0.00010,\"close\":12345.6789,\"volume\":0}"
		"\n",
	};
	struct record_parser *parser = record_parser_new();
	static struct bar b;
	struct buffer out = {0}, text = {0};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct slice line = {lines[i], strlen(lines[i]) - 1};
		struct record r, again = {.type = RECORD_BAR};

		assert_null(record_parse(parser, line, RECORD_BIT(RECORD_BAR), &r));
		assert_null(bar_read(&r, &b));
		again.symbol = r.symbol;
		again.timeframe = r.timeframe;
		again.tf = r.tf;
		bar_write(&again, b.key, b.volume, b.prices, &text);
		out.len = 0;
		record_write(&out, &again);
		assert_string_equal(buffer_cstr(&out), lines[i]);
	}
	buffer_release(&out);
	buffer_release(&text);
	record_parser_free(parser);
}

/* The day that is remembered changes nothing. */
static void
instants(void **state)
{
	static const char *const texts[] = {"2025-12-22T14:30:00Z", "2025-12-22T14:31:00Z",
		"2025-12-22T24:00:00Z", "2025-12-22T14:60:00Z", "2025-12-22T14:30:60Z",
		"2025-12-22T1x:30:00Z", "2025-12-22T14:30:00z", "2025-12-22 14:32:00Z",
		"2025-12-22T23:59:59Z", "2025-12-22T23:30:00-05:00", "2025-12-23T00:00:00Z",
		"2025-12-22T00:00:00Z", "2025-02-30T00:00:00Z", "1969-12-31T23:59:59Z"};
	struct record r = {.symbol = slice_of("A"),
		.tf = TF_1MIN,
		.open = slice_of("1"),
		.high = slice_of("1"),
		.low = slice_of("1"),
		.close = slice_of("1"),
		.volume = slice_of("1")};
	static struct bar b;
	int64_t want;

	(void)state;
	for (size_t i = 0; i < 3 * sizeof texts / sizeof texts[0]; i++) {
		r.timestamp = slice_of(texts[i * 5 % (sizeof texts / sizeof texts[0])]);
		if (timestamp_parse(r.timestamp, &want) != 0 || want % 60 != 0) {
			assert_non_null(bar_read(&r, &b));
			continue;
		}
		assert_null(bar_read(&r, &b));
		assert_int_equal(b.key, want * 1000000);
	}
}

static void
bad_bars(void **state)
{
	const struct record good = {.symbol = slice_of("A"),
		.tf = TF_1MIN,
		.timestamp = slice_of("2025-12-22T14:30:00Z"),
		.open = slice_of("1.5"),
		.high = slice_of("2"),
		.low = slice_of("1"),
		.close = slice_of("1.25"),
		.volume = slice_of("10")};
	static struct bar b, c;
	struct record r = good;
	char symbol[66];

	(void)state;
	assert_null(bar_read(&r, &b));
	assert_int_equal(b.volume, 10);
	assert_int_equal(b.key, 1766413800000000);
#define BAD(field, value, why)                                                                     \
	do {                                                                                       \
		r = good;                                                                          \
		r.field = value;                                                                   \
		assert_string_equal(bar_read(&r, &b), why);                                        \
	} while (0)
	assert_string_equal(bar_symbol_fault(slice_of("")), "symbol is empty");
	assert_string_equal(bar_symbol_fault(slice_of("A\tB")), "symbol has a control character");
	memset(symbol, 'A', 65);
	symbol[65] = '\0';
	assert_string_equal(bar_symbol_fault(slice_of(symbol)), "symbol is longer than 64 bytes");
	BAD(tf, TF_NONE, "unknown timeframe: want 1min, hour, day, week or month");
	BAD(tf, TF_DAY, "date is missing");
	BAD(timestamp, (struct slice){0}, "timestamp is missing");
	BAD(timestamp, slice_of("2025-12-22"),
		"timestamp is not an instant such as 2025-12-22T14:30:00Z");
	BAD(open, slice_of("0"), "open is not above 0");
	BAD(open, slice_of("0.00"), "open is not above 0");
	BAD(low, slice_of("-1"), "low is not above 0");
	BAD(close, (struct slice){0}, "close is missing or null");
	BAD(high, slice_of("0.5"), "high is below low");
	BAD(high, slice_of("1e999"), "high is out of range");
	BAD(volume, slice_of("-1"), "volume is below 0");
	BAD(volume, slice_of("1e30"), "volume is out of range");
	/* The careful road gives what the quick one gives. */
	r = good;
	r.open = slice_of("15e-1");
	r.volume = slice_of("9.5");
	assert_null(bar_read(&r, &c));
	r = good;
	assert_null(bar_read(&r, &b));
	assert_int_equal(c.volume, 10);
	assert_int_equal(c.length, b.length);
	assert_memory_equal(c.prices, b.prices, b.length);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(last_of_a_key_wins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counts_add_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bug_is_no_verdict, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_series_is_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_batches_of_a_series, set_up, tear_down),
		cmocka_unit_test_setup_teardown(overlaps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fullness, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ripeness, set_up, tear_down),
		cmocka_unit_test_setup_teardown(runs_are_given_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(series_are_let_go, set_up, tear_down),
		cmocka_unit_test(bars_and_their_lines),
		cmocka_unit_test(instants),
		cmocka_unit_test(bad_bars),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
