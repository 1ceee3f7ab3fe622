/* What the API is asked and what its answers are taken for. */
#include "check.h"

#include "error_text.h"
#include "page.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct series day = {{"AAPL", 4}, TF_DAY, 20437, 20441, true};

/* A page of AAPL's days with these rows and whatever else. */
#define PAGE(rows, more)                                                                           \
	"{\"ticker\":\"AAPL\",\"adjusted\":true,\"results\":[" rows "],\"status\":\"OK\"," more    \
	"\"request_id\":\"7b7e\"}"
#define ROW(t) "{\"v\":1.2e+06,\"vw\":1,\"o\":2,\"c\":3.50,\"h\":4,\"l\":1.5,\"t\":" #t ",\"n\":7}"
#define NEXT "\"next_url\":\"https://api.massive.com/v2/aggs/ticker/AAPL/range/1/day/"

static void
test_base(void **state)
{
	static const char *const good[][2] = {
		{"https://api.massive.com", "https://api.massive.com"},
		{"https://api.massive.com/", "https://api.massive.com"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"http://[::1]:8080/a/b//", "http://[::1]:8080/a/b"},
		{"http://[::1]", "http://[::1]"},
		{"HTTPS://api.massive.com/", "HTTPS://api.massive.com"},
		{"Http://h:65535", "Http://h:65535"}};
	static const char *const wrong[] = {"", "api.massive.com", "ftp://x", "file:///etc/passwd",
		"https://", "http:///x", "https://user@host", "https://user:word@host/",
		"https://host?x=1", "https://host/?", "https://ho st", "https://host\n",
		"https://host/#x", "https://:80", "http://h:0", "http://h:65536",
		"http://h:", "http://h:x", "HTTPS//x", "https://h\303\266st"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct slice s = slice_of(good[i][0]);

		assert_null(url_base(&s));
		assert_true(slice_is(s, good[i][1]));
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct slice s = slice_of(wrong[i]);

		assert_non_null(url_base(&s));
	}
}

static void
check_path(const struct series *s, const char *expected)
{
	struct buffer b = {0};

	url_path(&b, s);
	assert_string_equal(buffer_cstr(&b), expected);
	buffer_release(&b);
}

static void
test_path(void **state)
{
	struct series s = day;

	(void)state;
	check_path(&s,
		"/v2/aggs/ticker/AAPL/range/1/day/2025-12-15/2025-12-19?adjusted=true&sort=asc"
		"&limit=50000");
	s.adjusted = false;
	s.tf = TF_WEEK;
	s.symbol = slice_of("X:BTC/USD");
	check_path(&s,
		"/v2/aggs/ticker/X:BTC%2FUSD/range/1/week/2025-12-15/2025-12-19?adjusted=false"
		"&sort=asc&limit=50000");
	s = (struct series){slice_of("BRK.B-c_d e"), TF_1MIN, 1766413800, 1766437200, true};
	check_path(&s, "/v2/aggs/ticker/BRK.B-c_d%20e/range/1/minute/1766413800000/1766437199999"
		       "?adjusted=true&sort=asc&limit=50000");
	s.tf = TF_HOUR;
	s.symbol = slice_of("a?b&c%#\303\266");
	check_path(&s,
		"/v2/aggs/ticker/a%3Fb%26c%25%23%C3%B6/range/1/hour/1766413800000/1766437199999"
		"?adjusted=true&sort=asc&limit=50000");
}

static void
check_next(const char *base, const struct series *s, const char *next, const char *expected)
{
	struct buffer b = {0};
	const char *why = url_next(&b, slice_of(next), slice_of(base), s);

	if (expected == NULL) {
		assert_non_null(why);
	} else {
		assert_null(why);
		assert_string_equal(buffer_cstr(&b), expected);
	}
	buffer_release(&b);
}

#define AAPL "/v2/aggs/ticker/AAPL/range/1/day/1690791480000/2023-07-31"

static void
test_next(void **state)
{
	const char *base = "https://api.massive.com";
	struct series s = day;

	(void)state;
	check_next(base, &s, "https://api.polygon.io" AAPL "?cursor=bGltaXQ9MTAmc29ydD1hc2M",
		AAPL "?cursor=bGltaXQ9MTAmc29ydD1hc2M");
	check_next(base, &s, "http://127.0.0.1:1" AAPL "?cursor=x", AAPL "?cursor=x");
	check_next(base, &s, AAPL "?cursor=x", AAPL "?cursor=x");
	check_next(base, &s, AAPL, AAPL);
	/* No key, wherever it stands. */
	check_next(base, &s, AAPL "?apiKey=secret", AAPL);
	check_next(base, &s, AAPL "?apiKey=secret&cursor=x", AAPL "?cursor=x");
	check_next(base, &s, AAPL "?cursor=x&APIKEY=secret&a=b", AAPL "?cursor=x&a=b");
	/* The base's own path, whether it is named or not. */
	check_next("http://h/api", &s, "http://h/api" AAPL "?cursor=x", AAPL "?cursor=x");
	check_next("http://h/api", &s, "http://h" AAPL "?cursor=x", AAPL "?cursor=x");
	/* Other securities, spans, services. */
	check_next(base, &s, "https://h/v2/aggs/ticker/AAP/range/1/day/1/2", NULL);
	check_next(base, &s, "https://h/v2/aggs/ticker/AAPLX/range/1/day/1/2", NULL);
	check_next(base, &s, "https://h/v2/aggs/ticker/aapl/range/1/day/1/2", NULL);
	check_next(base, &s, "https://h/v2/aggs/ticker/AAPL/range/1/minute/1/2", NULL);
	check_next(base, &s, "https://h/v2/aggs/ticker/AAPL/range/5/day/1/2", NULL);
	check_next(base, &s, "https://h/v3/aggs/ticker/AAPL/range/1/day/1/2", NULL);
	check_next(base, &s, "https://h/v2/aggs/ticker/AAPL/range/1/day/1/2/3", NULL);
	check_next(base, &s, "https://h/v2/aggs/ticker/AAPL/range/1/day/1", NULL);
	check_next(base, &s, "https://h/v2/aggs/ticker/AAPL/range/1/day/../..", NULL);
	check_next(base, &s, "https://h" AAPL " HTTP/1.1", NULL);
	check_next(base, &s, "https://h" AAPL "?x\r\nHost:y", NULL);
	check_next(base, &s, "ftp://h" AAPL, NULL);
	check_next(base, &s, "https://h", NULL);
	check_next(base, &s, "", NULL);
	/* Encoded differently, but the same. */
	s.symbol = slice_of("X:A/B");
	check_next(base, &s, "/v2/aggs/ticker/X%3AA%2fB/range/1/day/1/2?c=d",
		"/v2/aggs/ticker/X%3AA%2fB/range/1/day/1/2?c=d");
	check_next(base, &s, "/v2/aggs/ticker/X:A/B/range/1/day/1/2", NULL);
	check_next(base, &s, "/v2/aggs/ticker/X%3AA%2/range/1/day/1/2", NULL);
}

/* The cursor need not say it, and the API's default is true. */
static void
test_next_unadjusted(void **state)
{
	struct series s = day;

	(void)state;
	s.adjusted = false;
	check_next("http://h", &s, AAPL "?cursor=x", AAPL "?cursor=x&adjusted=false");
	check_next("http://h", &s, AAPL, AAPL "?adjusted=false");
	check_next(
		"http://h", &s, AAPL "?adjusted=false&cursor=x", AAPL "?adjusted=false&cursor=x");
}

struct given {
	struct page_reader *m;
	char *body; /* what page and why point into */
	struct page page;
	enum page_verdict verdict;
};

static int
set_up(void **state)
{
	struct given *g = calloc(1, sizeof *g);

	if (g == NULL)
		return -1;
	g->m = page_reader_new(slice_of("https://api.massive.com"));
	*state = g;
	return 0;
}

static int
tear_down(void **state)
{
	struct given *g = *state;

	page_reader_free(g->m);
	free(g->body);
	free(g);
	return 0;
}

/* Read from memory of exactly its size, so that the sanitizer sees a byte read beyond. */
static void
read_after(struct given *g, const char *body, int64_t after)
{
	size_t n = strlen(body);

	free(g->body);
	g->body = malloc(n == 0 ? 1 : n);
	assert_non_null(g->body);
	memcpy(g->body, body, n);
	g->verdict = page_read(g->m, (struct slice){g->body, n}, &day, after, &g->page);
}

static void
takes(struct given *g, const char *body, size_t rows)
{
	read_after(g, body, INT64_MIN);
	if (g->verdict != PAGE_OK)
		print_message("%.*s\n", (int)g->page.why.n, g->page.why.p);
	assert_int_equal(g->verdict, PAGE_OK);
	assert_int_equal(g->page.rows, rows);
}

static void
refuse(struct given *g, const char *body, const char *why)
{
	read_after(g, body, INT64_MIN);
	assert_int_equal(g->verdict, PAGE_RETRY);
	if (strstr(g->page.why.p, why) == NULL)
		print_message("\"%s\" does not say \"%s\"\n", g->page.why.p, why);
	assert_non_null(strstr(g->page.why.p, why));
}

static struct slice
cell(const struct given *g, size_t row, enum column c)
{
	return (struct slice){g->page.body.p + g->page.row[row].at[c], g->page.row[row].n[c]};
}

static void
test_rows(void **state)
{
	struct given *g = *state;

	takes(g, PAGE(ROW(1765774800000) "," ROW(1765861200000), "\"resultsCount\":2,"), 2);
	assert_int_equal(g->page.row[0].t, 1765774800);
	assert_int_equal(g->page.row[1].t, 1765861200);
	assert_true(slice_is(cell(g, 1, COLUMN_OPEN), "2"));
	assert_true(slice_is(cell(g, 1, COLUMN_HIGH), "4"));
	assert_true(slice_is(cell(g, 1, COLUMN_LOW), "1.5"));
	assert_true(slice_is(cell(g, 1, COLUMN_CLOSE), "3.50"));
	assert_true(slice_is(cell(g, 1, COLUMN_VOLUME), "1.2e+06"));
	assert_null(g->page.next.p);
	assert_true(slice_is(g->page.request_id, "7b7e"));
}

/* How full a page is: a hint that is taken where it can be true. */
static void
test_base_bars(void **state)
{
	struct given *g = *state;

	takes(g, PAGE(ROW(1765774800000), "\"queryCount\":734,\"resultsCount\":1,"), 1);
	assert_int_equal(g->page.base, 734);
	takes(g, PAGE(ROW(1765774800000), ""), 1);
	assert_int_equal(g->page.base, 1);
	takes(g, PAGE(ROW(1765774800000), "\"queryCount\":0,"), 1);
	assert_int_equal(g->page.base, 1);
	takes(g, PAGE(ROW(1765774800000), "\"queryCount\":100001,"), 1);
	assert_int_equal(g->page.base, 1);
	takes(g, PAGE(ROW(1765774800000), "\"queryCount\":\"5\","), 1);
	assert_int_equal(g->page.base, 1);
	takes(g, PAGE(ROW(1765774800000), "\"queryCount\":-5.5e3,"), 1);
	assert_int_equal(g->page.base, 1);
}

/* Whatever the general parser is needed for must come to the same. */
static void
test_rows_of_other_shapes(void **state)
{
	struct given *g = *state;
	static const char *const row[] = {
		"{\"t\":1765774800000,\"o\":2,\"h\":4,\"l\":1.5,\"c\":3.50,\"v\":1.2e+06}",
		" { \"t\" : 1765774800000 ,\n\t\"o\":2,\"h\" :4,\"l\": "
		"1.5,\r\n\"c\":3.50,\"v\":1.2e+06 } ",
		"{\"t\":1765774800000,\"o\":2,\"h\":4,\"l\":1.5,\"c\":3.50,\"v\":1.2e+06,\"otc\":"
		"true}",
		"{\"x\":{\"t\":[1,{}]},\"t\":1765774800000,\"o\":2,\"h\":4,\"l\":1.5,\"c\":3.50,"
		"\"v\":1.2e+06}",
		"{\"t\":1.7657748e12,\"o\":2,\"h\":4,\"l\":1.5,\"c\":3.50,\"v\":1.2e+06}",
		"{\"t\":1765774800000.0,\"o\":2,\"h\":4,\"l\":1.5,\"c\":3.50,\"v\":1.2e+06}",
		"{\"vw\":\"none\",\"t\":1765774800000,\"o\":2,\"h\":4,\"l\":1.5,\"c\":3.50,\"v\":1."
		"2e+06}"};
	char body[1000];

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		(void)snprintf(body, sizeof body, PAGE("%s", ""), row[i]);
		takes(g, body, 1);
		assert_int_equal(g->page.row[0].t, 1765774800);
		assert_true(slice_is(cell(g, 0, COLUMN_OPEN), "2"));
		assert_true(slice_is(cell(g, 0, COLUMN_HIGH), "4"));
		assert_true(slice_is(cell(g, 0, COLUMN_LOW), "1.5"));
		assert_true(slice_is(cell(g, 0, COLUMN_CLOSE), "3.50"));
		assert_true(slice_is(cell(g, 0, COLUMN_VOLUME), "1.2e+06"));
	}
}

static void
check_absent(struct given *g, const char *rows, enum column c, enum cell_fault fault)
{
	char body[1000];

	(void)snprintf(body, sizeof body, PAGE("%s", ""), rows);
	takes(g, body, 1);
	for (int i = 0; i < COLUMNS; i++) {
		assert_int_equal(g->page.row[0].n[i] == 0, i == (int)c);
		if (i == (int)c)
			assert_int_equal(g->page.row[0].at[i], fault);
	}
}

static void
test_absent_cells(void **state)
{
	struct given *g = *state;
	char row[700], digits[500];

	check_absent(g, "{\"t\":0,\"o\":2,\"h\":4,\"l\":1,\"v\":5}", COLUMN_CLOSE, CELL_MISSING);
	check_absent(
		g, "{\"t\":0,\"o\":null,\"h\":4,\"l\":1,\"c\":3,\"v\":5}", COLUMN_OPEN, CELL_NULL);
	check_absent(g, "{\"t\":0,\"o\":2,\"h\":\"4\",\"l\":1,\"c\":3,\"v\":5}", COLUMN_HIGH,
		CELL_NO_NUMBER);
	check_absent(g, "{\"t\":0,\"o\":2,\"h\":4,\"l\":[1],\"c\":3,\"v\":5}", COLUMN_LOW,
		CELL_NO_NUMBER);
	check_absent(g, "{\"t\":0,\"o\":2,\"h\":4,\"l\":1,\"c\":3,\"v\":{\"a\":5}}", COLUMN_VOLUME,
		CELL_NO_NUMBER);
	check_absent(g, "{\"t\":0,\"o\":2,\"h\":4,\"l\":1,\"c\":3,\"v\":true}", COLUMN_VOLUME,
		CELL_NO_NUMBER);
	memset(digits, '7', sizeof digits - 1);
	digits[sizeof digits - 1] = '\0';
	(void)snprintf(
		row, sizeof row, "{\"t\":0,\"o\":2,\"h\":4,\"l\":1,\"c\":3,\"v\":%s}", digits);
	check_absent(g, row, COLUMN_VOLUME, CELL_TOO_LONG);
}

static void
test_no_rows(void **state)
{
	struct given *g = *state;

	takes(g, "{\"ticker\":\"AAPL\",\"resultsCount\":0,\"adjusted\":true,\"status\":\"OK\"}", 0);
	takes(g, "{\"ticker\":\"AAPL\",\"adjusted\":true,\"results\":null,\"status\":\"OK\"}", 0);
	takes(g, "{\"ticker\":\"AAPL\",\"adjusted\":true,\"results\":[ ],\"status\":\"OK\"}", 0);
	/* Not that the rows of the page before are still there. */
	takes(g, PAGE(ROW(1000), ""), 1);
	takes(g, "{\"ticker\":\"AAPL\",\"adjusted\":true,\"status\":\"OK\"}", 0);
}

static void
test_any_order_of_keys(void **state)
{
	struct given *g = *state;

	takes(g,
		" {\"status\":\"DELAYED\",\"results\":[" ROW(
			1000) "],\n\"adjusted\" : true , \"x\":[{}],"
			      "\"count\":9,\"resultsCount\": 1,\"ticker\":\"\\u0041APL\"} \n",
		1);
}

static void
test_wrong_pages(void **state)
{
	struct given *g = *state;

	refuse(g, PAGE(ROW(1000), "\"resultsCount\":2,"), "resultsCount");
	refuse(g, PAGE("", "\"resultsCount\":1,"), "resultsCount");
	refuse(g, PAGE(ROW(1000), "\"resultsCount\":\"1\","), "resultsCount");
	refuse(g, "{\"ticker\":\"AAP\",\"adjusted\":true,\"status\":\"OK\"}", "another ticker");
	refuse(g, "{\"ticker\":\"aapl\",\"adjusted\":true,\"status\":\"OK\"}", "another ticker");
	refuse(g, "{\"adjusted\":true,\"status\":\"OK\"}", "another ticker");
	refuse(g, "{\"ticker\":\"AAPL\",\"adjusted\":false,\"status\":\"OK\"}", "adjusted");
	refuse(g, "{\"ticker\":\"AAPL\",\"adjusted\":\"true\",\"status\":\"OK\"}", "adjusted");
	refuse(g, "{\"ticker\":\"AAPL\",\"status\":\"OK\"}", "adjusted");
	refuse(g, "{\"ticker\":\"AAPL\",\"adjusted\":true}", "status missing");
	refuse(g, "{\"ticker\":\"AAPL\",\"adjusted\":true,\"results\":{},\"status\":\"OK\"}",
		"not an array");
	refuse(g, "{\"ticker\":\"AAPL\",\"adjusted\":true,\"results\":7,\"status\":\"OK\"}",
		"not an array");
	refuse(g, PAGE(ROW(1000), "\"results\":[],"), "twice");
	refuse(g, PAGE(ROW(1000), "\"ticker\":\"AAPL\","), "twice");
	refuse(g,
		PAGE(ROW(1000), "\"next_url\":\"https://h/v2/aggs/ticker/MSFT/range/1/day/1/2\","),
		"another series");
	refuse(g, PAGE(ROW(1000), "\"next_url\":5,"), "not a URL");
}

static void
test_wrong_rows(void **state)
{
	struct given *g = *state;

	refuse(g, PAGE("{\"o\":1}", ""), "row 1: it has no t");
	refuse(g, PAGE("{}", ""), "row 1: a key is missing");
	refuse(g, PAGE("{\"t\":1000,\"\\u006f\":1}", ""), "a key has an escape");
	refuse(g, PAGE(ROW(1000) ",{\"t\":\"2000\"}", ""), "row 2: its t");
	refuse(g, PAGE(ROW(null), ""), "its t");
	refuse(g, PAGE(ROW(1500), ""), "its t");
	refuse(g, PAGE(ROW(-1000), ""), "its t");
	refuse(g, PAGE(ROW(7258118400000), ""), "its t");
	refuse(g, PAGE(ROW(1e300), ""), "its t");
	refuse(g, PAGE("[1000]", ""), "row 1: it is not an object");
	refuse(g, PAGE("7", ""), "not an object");
	refuse(g, PAGE("{\"t\":1000,\"t\":1000}", ""), "twice");
	refuse(g, PAGE("{\"t\":1000,\"c\":1,\"c\":2}", ""), "twice");
	refuse(g, PAGE("{\"t\":1000,\"c\":NaN}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000,\"c\":01}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000,\"c\":1.}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000,\"c\":.5}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000,\"c\":1e}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000,\"c\":-}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000,\"c\":1.2.3}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000,}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000 \"c\":1}", ""), "row 1");
	refuse(g, PAGE("{\"t\":1000", ""), "row 1");
	refuse(g, PAGE(ROW(1000) ROW(2000), ""), "comma");
	refuse(g, PAGE(ROW(1000) ",", ""), "row 2");
	refuse(g, PAGE("," ROW(1000), ""), "row 1");
	refuse(g, PAGE(ROW(2000) "," ROW(1000), ""), "row 2: it starts before");
}

static void
test_order_across_pages(void **state)
{
	struct given *g = *state;

	takes(g, PAGE(ROW(2000) "," ROW(2000), ""), 2);
	read_after(g, PAGE(ROW(2000), ""), 2);
	assert_int_equal(g->verdict, PAGE_OK);
	/* Where it leads is known all the same, so that a loop is found out. */
	read_after(g, PAGE(ROW(2000), NEXT "2/3\","), 3);
	assert_int_equal(g->verdict, PAGE_RETRY);
	assert_true(slice_is(g->page.next, "/v2/aggs/ticker/AAPL/range/1/day/2/3"));
}

/* However early a page ends it is refused, and nothing is read behind it. */
static void
test_cut_anywhere(void **state)
{
	struct given *g = *state;
	char body[] =
		PAGE(ROW(1000) ",{\"t\":2000,\"x\":null}", "\"resultsCount\":2," NEXT "2/3\",");

	takes(g, body, 2);
	for (size_t n = sizeof body - 2; n > 0; n--) {
		body[n] = '\0';
		read_after(g, body, INT64_MIN);
		assert_int_equal(g->verdict, PAGE_RETRY);
		assert_true(g->page.why.n > 0);
	}
	refuse(g, "", "empty");
	refuse(g, "<html><head><title>502 Bad Gateway</title></head></html>", "not a JSON object");
	refuse(g, "[]", "not a JSON object");
	refuse(g, PAGE(ROW(1000), "") "{}", "more text");
}

static void
test_changed_anywhere(void **state)
{
	struct given *g = *state;
	char body[] = PAGE(ROW(1000), "\"resultsCount\":1," NEXT "2/3\",");

	/*
	 * Whatever one byte becomes: no crash, no byte read beyond, and never more rows than one.
	 */
	for (size_t i = 0; i < sizeof body - 1; i++) {
		static const char with[] = "\"{}[],:x0-. \\\001\377";
		char was = body[i];

		for (size_t k = 0; k < sizeof with - 1; k++) {
			body[i] = with[k];
			read_after(g, body, INT64_MIN);
			assert_true(g->verdict != PAGE_OK || g->page.rows <= 1);
		}
		body[i] = was;
	}
}

static void
test_next_url(void **state)
{
	struct given *g = *state;

	takes(g, PAGE(ROW(1000), NEXT "2/2025-12-19?cursor=abc\","), 1);
	assert_true(
		slice_is(g->page.next, "/v2/aggs/ticker/AAPL/range/1/day/2/2025-12-19?cursor=abc"));
	/* As an encoder for HTML writes it. */
	takes(g, PAGE("", NEXT "2/2025-12-19?cursor=abc\\u0026x=y\","), 0);
	assert_true(slice_is(
		g->page.next, "/v2/aggs/ticker/AAPL/range/1/day/2/2025-12-19?cursor=abc&x=y"));
	takes(g, PAGE(ROW(1000), "\"next_url\":null,"), 1);
	assert_null(g->page.next.p);
	takes(g, PAGE(ROW(1000), "\"next_url\":\"\","), 1);
	assert_null(g->page.next.p);
}

/* Errors that come with a 200. */
static void
test_status(void **state)
{
	struct given *g = *state;

	refuse(g,
		"{\"status\":\"ERROR\",\"request_id\":\"5e1f\",\"error\":\"internal server "
		"error\"}",
		"status ERROR: internal server error");
	assert_true(slice_is(g->page.request_id, "5e1f"));
	read_after(g, "{\"status\":\"NOT_AUTHORIZED\",\"message\":\"You are not entitled\"}",
		INT64_MIN);
	assert_int_equal(g->verdict, PAGE_FAIL);
	assert_string_equal(g->page.why.p, "status NOT_AUTHORIZED: You are not entitled");
	read_after(g, "{\"status\":\"NOT_FOUND\",\"message\":\"Data not found.\"}", INT64_MIN);
	assert_int_equal(g->verdict, PAGE_FAIL);
}

static void
check_words(struct given *g, const char *body, const char *words, const char *id)
{
	struct slice w, i;

	page_words(g->m, slice_of(body), &w, &i);
	assert_true(slice_eq(w, slice_of(words)));
	assert_true(slice_eq(i, slice_of(id)));
}

static void
test_words(void **state)
{
	struct given *g = *state;

	check_words(g,
		"{\"status\":\"ERROR\",\"request_id\":\"5e1f\",\"error\":\"Unknown API Key\"}",
		"Unknown API Key", "5e1f");
	check_words(g,
		"{\"status\":\"NOT_AUTHORIZED\",\"request_id\":\"\",\"message\":\"a "
		"\\\"plan\\\"\"}",
		"a \"plan\"", NULL);
	check_words(g, "", NULL, NULL);
	check_words(g, "<html></html>", NULL, NULL);
	check_words(g, "{\"error\":{\"a\":1}}", NULL, NULL);
	check_words(g, "{\"error\":\"a\"", NULL, NULL);
}

/* A page of 50,000 rows, and one of more than can be. */
static void
test_many_rows(void **state)
{
	struct given *g = *state;
	struct buffer b = {0};

	for (int n = 50000; n <= 100001; n += 50001) {
		b.len = 0;
		buffer_str(&b, "{\"ticker\":\"AAPL\",\"adjusted\":true,\"results\":[" ROW(1000));
		for (int i = 1; i < n; i++)
			buffer_str(&b, "," ROW(1000));
		buffer_str(&b, "],\"status\":\"OK\"}");
		if (n == 50000)
			takes(g, buffer_cstr(&b), 50000);
		else
			refuse(g, buffer_cstr(&b), "more rows than were asked for");
	}
	buffer_release(&b);
}

static void
check_sanitize(const char *text, size_t max, const char *secret, const char *expected)
{
	struct buffer b = {0};

	sanitize_add(&b, slice_of(text), max, slice_of(secret));
	assert_string_equal(buffer_cstr(&b), expected);
	buffer_release(&b);
}

static void
test_sanitize(void **state)
{
	(void)state;
	check_sanitize("plain", 300, NULL, "plain");
	check_sanitize("a\nb\tc\033[31m\177\302\205z", 300, NULL, "a b c [31m  z");
	check_sanitize("gr\303\274n \342\202\254 \360\237\230\200", 300, NULL,
		"gr\303\274n \342\202\254 \360\237\230\200");
	check_sanitize("\377a\303", 300, NULL, " a ");
	check_sanitize("\355\240\200", 300, NULL, "   ");
	/* Never half a character. */
	check_sanitize("ab\342\202\254", 4, NULL, "ab");
	check_sanitize("abc", 2, NULL, "ab");
	check_sanitize("abc", 0, NULL, "");
	check_sanitize("key SECRET here", 300, "SECRET", "key *** here");
	check_sanitize("SECRETSECRET", 300, "SECRET", "******");
	check_sanitize("x SECRET", 4, "SECRET", "x ");
	check_sanitize("SECRE", 300, "SECRET", "SECRE");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_next_unadjusted),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_base_bars),
		cmocka_unit_test(test_rows_of_other_shapes),
		cmocka_unit_test(test_absent_cells),
		cmocka_unit_test(test_no_rows),
		cmocka_unit_test(test_any_order_of_keys),
		cmocka_unit_test(test_wrong_pages),
		cmocka_unit_test(test_wrong_rows),
		cmocka_unit_test(test_order_across_pages),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_changed_anywhere),
		cmocka_unit_test(test_next_url),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_sanitize),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
