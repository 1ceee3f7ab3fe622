/* The strict reader: what jsmn alone would let through must be refused. */
#include "check.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

static struct json *json;

static int
set_up(void **state)
{
	(void)state;
	json = json_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	json_free(json);
	return 0;
}

static void
refuses(void **state)
{
	static const char *const bad[] = {"", " ", "{", "}", "{\"a\":1,}", "{\"a\"}", "{\"a\" 1}",
		"{}{}", "{\"a\":1.2.3}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}",
		"{\"a\":1e}", "{\"a\":NaN}", "{\"a\":tru}", "{a:1}", "{'a':1}", "{\"a\":[1,]}",
		"{\"a\":[1 2]}", "{\"a\":[1}", "{\"a\":{\"b\":1]}", "[1]", "1", "\"a\"", "null",
		"{\"a\":1} x", "{\"a\":1}}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
		"{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\t\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xf4\x90\x80\x80\"}", "{\"a\":\"\xe2\x82\"}",
		"{\"a\":1,\"a\":2}", "{\"b\":{\"a\":1,\"a\":2}}", "{\"b\":[{\"a\":1,\"a\":2}]}",
		"{\"a\",:1}", "{\"a\":1:2}", "{\"a\":\"b\" \"c\"}", "{\"a\":{} {}}",
		"{\"a\":1,,\"b\":2}", "{:\"a\"}", "{\"a\":[1:2]}", "{\"a\":[,1]}",
		"{\"a\":[\"b\":1]}", "{\"a\":[{}:1]}", "{,\"a\":1}", "{\"a\":,}", "{\"a\"::1}",
		"{\"a\":\"}", "\xef\xbb\xbf{}", "{1:2}"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (json_parse(json, slice_of(bad[i])) == NULL)
			fail_msg("taken: %s", bad[i]);
	}
}

static void
refuses_nul_and_depth(void **state)
{
	char deep[3 * 64 + 8];
	size_t n = 0;

	(void)state;
	assert_non_null(json_parse(json, (struct slice){"{\"a\":\"\0\"}", 9}));
	assert_non_null(json_parse(json, (struct slice){"{}\0", 3}));
	n += (size_t)snprintf(deep, sizeof deep, "{\"a\":");
	memset(deep + n, '[', 64);
	memset(deep + n + 64, ']', 64);
	deep[n + 128] = '}';
	assert_non_null(strstr(json_parse(json, (struct slice){deep, n + 129}), "deep"));
}

static void
finds(void **state)
{
	static const char text[] =
		" {\"a\": [ {\"x\":[1,2]}, \"two\", -3.50e+1 ],\n"
		"\"b\":\"q\\\"\\u00e9\\ud83d\\ude00\\n\",\"c\":null,\"d\":true,\"e\":{}} ";
	struct buffer scratch = {0};
	json_at a, at;

	(void)state;
	assert_null(json_parse(json, slice_of(text)));
	a = json_find(json, 0, "a");
	assert_int_equal(json_type(json, a), JSON_ARRAY);
	at = json_first(json, a);
	assert_int_equal(json_type(json, at), JSON_OBJECT);
	at = json_next(json, at);
	assert_true(slice_is(json_decode(json, at, &scratch), "two"));
	at = json_next(json, at);
	assert_int_equal(json_type(json, at), JSON_NUMBER);
	assert_true(slice_is(json_raw(json, at), "-3.50e+1"));
	assert_int_equal(json_next(json, at), -1);
	assert_true(slice_is(json_decode(json, json_find(json, 0, "b"), &scratch),
		"q\"\xc3\xa9\xf0\x9f\x98\x80\n"));
	assert_int_equal(json_type(json, json_find(json, 0, "c")), JSON_NULL);
	assert_int_equal(json_type(json, json_find(json, 0, "d")), JSON_BOOL);
	assert_int_equal(json_first(json, json_find(json, 0, "e")), -1);
	assert_int_equal(json_find(json, 0, "x"), -1);
	assert_int_equal(json_type(json, -1), JSON_NONE);
	assert_null(json_parse(json, slice_of("{\"s\":\"a\\u0000b\"}")));
	assert_null(json_decode(json, json_find(json, 0, "s"), &scratch).p);
	buffer_release(&scratch);
}

/* An empty string ends where it starts: what comes behind it must not be lost. */
static void
empty_values(void **state)
{
	(void)state;
	assert_null(
		json_parse(json, slice_of("{\"a\":\"\",\"b\":[\"\",\"\",{}],\"\":\"\",\"c\":1}")));
	assert_true(slice_is(json_raw(json, json_find(json, 0, "c")), "1"));
	assert_int_equal(json_type(json, json_find(json, 0, "b")), JSON_ARRAY);
	assert_non_null(json_parse(json, slice_of("{\"a\":\"\",\"b\":1,\"b\":1}")));
}

static void
many_tokens(void **state)
{
	struct buffer b = {0};
	int n = 0;

	(void)state;
	buffer_str(&b, "{\"symbols\":[\"A\"");
	for (int i = 0; i < 100000; i++)
		buffer_str(&b, ",\"B\"");
	buffer_str(&b, "]}");
	assert_null(json_parse(json, buffer_slice(&b)));
	for (json_at at = json_first(json, json_find(json, 0, "symbols")); at >= 0;
		at = json_next(json, at))
		n++;
	assert_int_equal(n, 100001);
	buffer_release(&b);
}

/* Where the value that starts there ends. */
static size_t
end_of(struct slice s, size_t at)
{
	assert_null(json_end(json, s, &at));
	return at;
}

static void
ends(void **state)
{
	struct slice s = slice_of("  [1,{\"a\":2}] ,3");
	static const char *const none[] = {",3", "", "}", "tru", "1.2.3 ", "\"a", "[1", "[1,]",
		"{\"a\"}", "\"\\ud800\" ", "\"\x01\"", "[{\"a\":1,\"a\":2}]", "\"a\\"};

	(void)state;
	assert_int_equal(end_of(s, 0), 13);
	assert_int_equal(end_of(s, 15), 16);
	assert_int_equal(json_skip(s, 13), 14);
	assert_int_equal(end_of(slice_of("\"}\\\"]\" ,"), 0), 6);
	assert_int_equal(end_of(slice_of("null}"), 0), 4);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		size_t at = 0;

		if (json_end(json, slice_of(none[i]), &at) == NULL)
			fail_msg("taken: %s", none[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_nul_and_depth),
		cmocka_unit_test(finds),
		cmocka_unit_test(empty_values),
		cmocka_unit_test(many_tokens),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests_name("json", tests, set_up, tear_down);
}
