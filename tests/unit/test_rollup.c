/* Bars made of shorter ones: exact, whatever form the numbers have, and never of what is no bar. */
#include "check.h"

#include "rollup.h"

#include <stdio.h>
#include <string.h>

static struct rollup r;
static struct buffer text;

static int
begin(void **state)
{
	(void)state;
	rollup_init(&r);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	rollup_release(&r);
	buffer_release(&text);
	text = (struct buffer){0};
	return 0;
}

/* A row of these cells, "open high low close volume"; a minus stands for a missing one. */
static void
row_of(const char *cells, int64_t t, struct page *page, struct row *row)
{
	*row = (struct row){.t = t};
	*page = (struct page){.body = slice_of(cells), .row = row, .rows = 1};
	for (int i = 0, at = 0; i < COLUMNS; i++) {
		int n = (int)strcspn(cells + at, " ");

		row->at[i] = (uint32_t)at;
		row->n[i] = cells[at] == '-' && n == 1 ? 0 : (uint16_t)n;
		at += n + 1;
	}
}

static void
add(int64_t t, const char *cells)
{
	struct page page;
	struct row row;

	row_of(cells, t, &page, &row);
	rollup_add(&r, t, &page, &row);
}

/* The n-th bar, as row_of() would read it. */
static const char *
bar(size_t n)
{
	static char line[200];
	struct page page;
	struct row row;
	int len = 0;

	assert_true(n < r.bars.n);
	rollup_row(&r.bars.p[n], &text, &page, &row);
	for (int i = 0; i < COLUMNS; i++)
		len += snprintf(line + len, sizeof line - (size_t)len, "%s%.*s", i == 0 ? "" : " ",
			(int)row.n[i], page.body.p + row.at[i]);
	return line;
}

static void
test_sums_are_exact(void **state)
{
	(void)state;
	add(0, "1.95e+02 195.5 194.0001 195 0.4");
	add(0, "195 196.12345678 194.0002 195.25 1.12117471e+08");
	add(0, "195.25 195.3 193 194.7500 7.0661926525697e+07");
	add(3600, "1 1 1 1 0");
	assert_false(r.unfit);
	assert_string_equal(bar(0), "195 196.12345678 193 194.75 182779397.925697");
	assert_string_equal(bar(1), "1 1 1 1 0");
}

static void
test_what_does_not_fit(void **state)
{
	static const char *const odd[] = {"1 2 1 - 1", "1 2 3 1 1", "1 2 0 1 1", "1 2 1 1 -1",
		"1 1.123456789 1 1 1", "1 1 1 1 0.1234567", "1 1e30 1 1 1", "x 1 1 1 1"};

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		rollup_release(&r);
		rollup_init(&r);
		add(0, odd[i]);
		assert_true(r.unfit);
	}
	rollup_release(&r);
	rollup_init(&r);
	for (int i = 0; i < 10; i++)
		add(0, "1 1 1 1 1e+12");
	assert_true(r.unfit);
	rollup_release(&r);
	rollup_init(&r);
	add(3600, "1 1 1 1 1");
	add(0, "1 1 1 1 1");
	assert_true(r.unfit);
}

static int64_t
compared(const char *const own[], size_t n)
{
	struct page page;
	struct row row;

	for (size_t i = 0; i < n; i++) {
		if (own[i] == NULL)
			continue;
		row_of(own[i], (int64_t)i * 3600, &page, &row);
		rollup_compare(&r, &page, &row);
	}
	rollup_compared(&r);
	return r.differs;
}

static void
test_comparison(void **state)
{
	static const char *const same[] = {"1 2 1 2.0 10", "2 3 2 3 2e+01", "3 4 3 4 30"};
	static const struct {
		const char *own[4];
		int64_t differs;
	} cases[] = {{{"1 2 1 2 10", "2 3 2 3 21", "3 4 3 3.5 30"}, 3600},
		{{"1 2 1 2 10", NULL, "3 4 3 4 30"}, 3600},
		{{"1 2 1 2 10", "2 3 2 3 20", "3 4 3 4 30", "4 5 4 5 1"}, 10800},
		{{"1 2.5 1 2 10", NULL, NULL}, 0}};

	for (size_t i = 0; i <= sizeof cases / sizeof cases[0]; i++) {
		rollup_release(&r);
		(void)begin(state);
		add(0, "1 2 1 2 9.6");
		add(3600, "2 3 2 3 20.4");
		add(7200, "3 4 3 4 29.5");
		if (i == 0)
			assert_int_equal(compared(same, 3), INT64_MAX);
		else
			assert_int_equal(compared(cases[i - 1].own, 4), cases[i - 1].differs);
	}
	rollup_release(&r);
	(void)begin(state);
	add(3600, "1 2 1 2 1");
	rollup_lacks(&r, 0);
	assert_int_equal(r.differs, INT64_MAX);
	rollup_lacks(&r, 3600);
	assert_int_equal(r.differs, 3600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sums_are_exact, begin, end),
		cmocka_unit_test_setup_teardown(test_what_does_not_fit, begin, end),
		cmocka_unit_test_setup_teardown(test_comparison, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
