/* Records: both roads of reading a bar, faults by name, and writing what was read. */
#include "check.h"

#include "record.h"

#include <stdio.h>

enum { ALL = ~0 };

static struct record_parser *parser;

static int
set_up(void **state)
{
	(void)state;
	parser = record_parser_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	record_parser_free(parser);
	return 0;
}

static struct record
parse(const char *line)
{
	struct record r;
	const char *why = record_parse(parser, slice_of(line), (unsigned)ALL, &r);

	if (why != NULL)
		fail_msg("%s: %s", line, why);
	return r;
}

/* Every record that is whole comes out as it went in. */
static void
round_trip(void **state)
{
	static const char *const lines[] = {
		"{\"type\":\"job\",\"job_id\":\"e\\\"3\",\"source\":\"DIA\",\"symbols\":3,"
		"\"timeframes\":[\"1min\",\"x\"],\"tasks\":6,\"received_at\":\"2025-12-23T17:15:"
		"13Z\"}",
		"{\"type\":\"task\",\"job_id\":\"e\",\"symbol\":\"AAPL\",\"timeframe\":\"day\","
		"\"from\":\"2025-12-16\",\"to\":\"2025-12-22\"}",
		"{\"type\":\"loading\",\"job_id\":\"e\",\"symbol\":\"AAPL\",\"timeframe\":\"day\"}",
		"{\"type\":\"bar\",\"symbol\":\"AAPL\",\"timeframe\":\"1min\",\"timestamp\":\"2025-"
		"12-22T14:30:00Z\",\"open\":272.86,\"high\":273.88,\"low\":272.5,\"close\":273.1,"
		"\"volume\":1203441}",
		"{\"type\":\"bar\",\"symbol\":\"AAPL\",\"timeframe\":\"day\",\"date\":\"2025-12-"
		"22\",\"open\":2.7e2,\"high\":273.88,\"low\":270.51,\"close\":270.970,\"volume\":"
		"36571800}",
		"{\"type\":\"fetched\",\"job_id\":\"e\",\"symbol\":\"AAPL\",\"timeframe\":\"day\","
		"\"from\":\"2025-12-16\",\"to\":\"2025-12-22\",\"bars\":5,\"first\":\"2025-12-16\","
		"\"last\":\"2025-12-22\"}",
		"{\"type\":\"fetched\",\"job_id\":\"e\",\"symbol\":\"AAPL\",\"timeframe\":\"day\","
		"\"from\":\"2025-12-16\",\"to\":\"2025-12-22\",\"bars\":0}",
		"{\"type\":\"stored\",\"job_id\":\"e\",\"symbol\":\"AAPL\",\"timeframe\":\"day\","
		"\"from\":\"2025-12-16\",\"to\":\"2025-12-22\",\"bars\":5,\"first\":\"2025-12-16\","
		"\"last\":\"2025-12-22\",\"inserted\":1,\"updated\":2,\"unchanged\":1,\"rejected\":"
		"1,\"reason\":\"high is below low\"}",
		"{\"type\":\"failed\",\"job_id\":\"e\",\"stage\":\"expand\",\"error\":\"no symbols "
		"in the job\"}",
		"{\"type\":\"failed\",\"job_id\":\"e\",\"symbol\":\"A\",\"timeframe\":\"day\","
		"\"from\":\"2025-12-16\",\"to\":\"2025-12-22\",\"stage\":\"fetch\",\"error\":"
		"\"HTTP 403\"}",
		"{\"type\":\"cancel\",\"job_id\":\"e\"}",
		"{\"type\":\"gap\",\"from\":\"2025-12-23T17:15:13Z\",\"to\":\"2025-12-23T17:16:"
		"13Z\"}",
		"{\"type\":\"done\",\"job_id\":\"e\",\"status\":\"completed\",\"tasks\":5,"
		"\"stored\":5,\"failed\":0,\"empty\":1,\"bars\":9,\"seconds\":3}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct buffer b = {0};
		struct record r = parse(lines[i]);

		assert_null(r.fault);
		record_write(&b, &r);
		b.len--;
		assert_string_equal(buffer_cstr(&b), lines[i]);
		buffer_release(&b);
	}
}

static void
types_without_type(void **state)
{
	struct record r;

	(void)state;
	r = parse("{\"symbol\":\"A\",\"timeframe\":\"day\",\"open\":1,\"x\":2,\"date\":\"2025-12-"
		  "22\"}");
	assert_int_equal(r.type, RECORD_BAR);
	assert_int_equal(r.tf, TF_DAY);
	assert_null(r.fault);
	assert_null(r.high.p);
	r = parse("{\"type\":null,\"symbol\":\"A\",\"timeframe\":\"day\",\"open\":1}");
	assert_int_equal(r.type, RECORD_BAR);
	assert_int_equal(parse("{\"symbols\":[]}").type, RECORD_MESSAGE);
	assert_int_equal(parse("{\"job_id\":\"x\",\"csv_file\":\"y\"}").type, RECORD_MESSAGE);
	assert_int_equal(parse("{\"job_id\":\"x\",\"event_type\":\"y\"}").type, RECORD_OTHER);
	assert_int_equal(parse("{\"hello\":1}").type, RECORD_OTHER);
	assert_int_equal(parse("{\"type\":\"new\"}").type, RECORD_OTHER);
	assert_int_equal(parse("{\"type\":7}").type, RECORD_OTHER);
}

static void
faults(void **state)
{
	static const struct {
		const char *line;
		const char *want;
	} cases[] = {
		{"{\"type\":\"task\",\"job_id\":\"e\"}", "symbol is missing"},
		{"{\"type\":\"task\",\"job_id\":7,\"symbol\":\"A\"}", "job_id is not a string"},
		{"{\"type\":\"cancel\",\"job_id\":\"\"}", "job_id is empty"},
		{"{\"type\":\"cancel\",\"job_id\":null}", "job_id is not a string"},
		{"{\"type\":\"gap\",\"from\":\"a\\u0000\",\"to\":\"b\"}", "from is not a string"},
		{"{\"type\":\"bar\",\"symbol\":\"A\",\"timeframe\":\"day\",\"close\":\"1\"}",
			"close is not a number"},
		{"{\"type\":\"job\",\"job_id\":\"e\",\"symbols\":-1,\"tasks\":1}",
			"symbols is not a count"},
		{"{\"type\":\"job\",\"job_id\":\"e\",\"symbols\":1,\"tasks\":1,\"timeframes\":1}",
			"timeframes is not an array"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct record r = parse(cases[i].line);

		assert_non_null(r.fault);
		assert_string_equal(r.fault, cases[i].want);
	}
}

static void
not_owned_is_not_read(void **state)
{
	static const char line[] = "{\"type\":\"failed\",\"job_id\":\"j\",\"stage\":7}";
	struct record r;

	(void)state;
	assert_null(record_parse(parser, slice_of(line), 0, &r));
	assert_int_equal(r.type, RECORD_FAILED);
	assert_null(r.fault);
	assert_true(slice_is(r.job_id, "j"));
	assert_non_null(record_parse(parser, slice_of("{\"type\":\"failed\""), 0, &r));
}

static void
several_escaped_strings(void **state)
{
	struct record r = parse("{\"type\":\"failed\",\"job_id\":\"\\u0041b\",\"stage\":"
				"\"\\u0043\",\"error\":\"\\n\"}");

	(void)state;
	assert_true(slice_is(r.job_id, "Ab"));
	assert_true(slice_is(r.stage, "C"));
	assert_true(slice_is(r.error, "\n"));
}

static const char *
prices(const char *open, const char *high, const char *low, const char *close, const char *volume)
{
	static char line[2000];

	(void)snprintf(line, sizeof line,
		"{\"type\":\"bar\",\"symbol\":\"A\",\"timeframe\":\"day\",\"date\":\"2025-12-22\","
		"\"open\":%s,\"high\":%s,\"low\":%s,\"close\":%s,\"volume\":%s}",
		open, high, low, close, volume);
	return line;
}

static void
checks(void **state)
{
	struct record_values values;
	struct record r;

	(void)state;
	r = parse(prices("1", "2", "0.5", "1.5", "0"));
	assert_null(record_check_values(&r, &values));
	r = parse(prices("1", "2.0", "2", "1.5", "1.2e+06"));
	assert_null(record_check_values(&r, &values));
	r = parse(prices("1", "1.99", "2", "1.5", "1"));
	assert_string_equal(record_check_values(&r, &values), "high is below low");
	r = parse(prices("0", "2", "1", "1.5", "1"));
	assert_string_equal(record_check_values(&r, &values), "open is not above 0");
	r = parse(prices("1", "2", "-1", "1.5", "1"));
	assert_string_equal(record_check_values(&r, &values), "low is not above 0");
	r = parse(prices("1", "2", "1", "1.5", "-1"));
	assert_string_equal(record_check_values(&r, &values), "volume is below 0");
	r = parse(prices("1", "2", "1", "null", "1"));
	assert_string_equal(record_check_values(&r, &values), "close is missing or null");
	r = parse(prices("1", "2", "1", "1e999", "1"));
	assert_string_equal(record_check_values(&r, &values), "close is out of range");
	r = parse(prices("1", "2", "1", "1", "1e30"));
	assert_string_equal(record_check_values(&r, &values), "volume is out of range");
}

/* The scanner and the general reader must agree on every line that the scanner takes. */
static void
roads_agree(void **state)
{
	static const char *const numbers[] = {"1", "0.5", "272.50", "0", "00", "1.", ".5", "-1",
		"1e2", "1E-2", "null", "\"1\"", "", "12345678901234567890", "+1", "0.0.1"};
	char spaced[2100];

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		const char *line = prices("1", "2", "1", numbers[i], "7");
		struct record fast, slow;
		bool a, b;

		/* A blank behind the brace is all it takes to leave the fast road. */
		(void)snprintf(spaced, sizeof spaced, "{ %s", line + 1);
		a = record_parse(parser, slice_of(line), (unsigned)ALL, &fast) == NULL;
		if (a)
			assert_int_equal(fast.type, RECORD_BAR);
		b = record_parse(parser, slice_of(spaced), (unsigned)ALL, &slow) == NULL;
		assert_int_equal(a, b);
		if (a) {
			assert_true(slice_eq(fast.close, slow.close));
			assert_true(slice_eq(fast.volume, slow.volume));
			assert_true(slice_eq(fast.date, slow.date));
			assert_int_equal(fast.tf, slow.tf);
			assert_int_equal(fast.fault == NULL, slow.fault == NULL);
		}
	}
}

static void
symbols(void **state)
{
	(void)state;
	assert_true(record_symbol_ok(slice_of("AAPL")));
	assert_true(record_symbol_ok(slice_of("BRK.B")));
	assert_true(record_symbol_ok(slice_of("X:BTCUSD")));
	assert_true(record_symbol_ok(slice_of("CpS")));
	assert_true(record_symbol_ok(slice_of("12345678901234567890")));
	assert_false(record_symbol_ok(slice_of("123456789012345678901")));
	assert_false(record_symbol_ok(slice_of("")));
	assert_false(record_symbol_ok(slice_of(".A")));
	assert_false(record_symbol_ok(slice_of("A B")));
	assert_false(record_symbol_ok(slice_of("A\xc3\xa9")));
	assert_false(record_symbol_ok((struct slice){"A\0", 2}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(types_without_type),
		cmocka_unit_test(faults),
		cmocka_unit_test(not_owned_is_not_read),
		cmocka_unit_test(several_escaped_strings),
		cmocka_unit_test(checks),
		cmocka_unit_test(roads_agree),
		cmocka_unit_test(symbols),
	};

	return cmocka_run_group_tests_name("record", tests, set_up, tear_down);
}
