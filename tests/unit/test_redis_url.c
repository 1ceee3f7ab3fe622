/* Redis URLs: what is read, what is refused, and that a password is shown to nobody. */
#include "check.h"

#include "redis_url.h"

static void
check(const char *text, const char *host, int port, const char *path, const char *user,
	const char *password, int db, const char *shown)
{
	struct redis_url u;
	struct buffer b = {0};

	assert_null(redis_url_parse(text, &u));
	assert_string_equal(u.path != NULL ? "-" : u.host[0].name, host == NULL ? "-" : host);
	assert_string_equal(u.path == NULL ? "-" : u.path, path == NULL ? "-" : path);
	assert_string_equal(u.user == NULL ? "-" : u.user, user == NULL ? "-" : user);
	assert_string_equal(
		u.password == NULL ? "-" : u.password, password == NULL ? "-" : password);
	assert_int_equal(u.host[0].port, port);
	assert_int_equal(u.db, db);
	redis_url_show(&u, &b);
	assert_string_equal(buffer_cstr(&b), shown);
	buffer_release(&b);
	redis_url_release(&u);
}

static void
test_good(void **state)
{
	(void)state;
	check("redis://h", "h", 6379, NULL, NULL, NULL, 0, "redis://h:6379/0");
	check("redis://h/", "h", 6379, NULL, NULL, NULL, 0, "redis://h:6379/0");
	check("redis://127.0.0.1:6380/3", "127.0.0.1", 6380, NULL, NULL, NULL, 3,
		"redis://127.0.0.1:6380/3");
	check("redis://:geheim@h:1", "h", 1, NULL, NULL, "geheim", 0, "redis://h:1/0");
	check("redis://:p%40ss%2Fw%3Ard@h", "h", 6379, NULL, NULL, "p@ss/w:rd", 0,
		"redis://h:6379/0");
	check("redis://u:a:b@c@h", "h", 6379, NULL, "u", "a:b@c", 0, "redis://u@h:6379/0");
	check("redis://u@h", "h", 6379, NULL, "u", NULL, 0, "redis://h:6379/0");
	check("redis://[::1]:7/1", "::1", 7, NULL, NULL, NULL, 1, "redis://[::1]:7/1");
	check("unix:///run/a%20b.sock", NULL, 0, "/run/a b.sock", NULL, NULL, 0,
		"unix:///run/a b.sock");
	check("unix://:pw@/s?db=2", NULL, 0, "/s", NULL, "pw", 2, "unix:///s?db=2");
}

static void
test_tls(void **state)
{
	struct redis_url u;

	(void)state;
	check("rediss://:geheim@h/1", "h", 6379, NULL, NULL, "geheim", 1, "rediss://h:6379/1");
	check("REDISS://h", "h", 6379, NULL, NULL, NULL, 0, "rediss://h:6379/0");
	assert_null(redis_url_parse("rediss://h", &u));
	assert_true(u.tls);
	redis_url_release(&u);
}

static void
test_sentinel(void **state)
{
	struct redis_url u;
	struct buffer b = {0};

	(void)state;
	assert_null(redis_url_parse("redis+sentinel://u:geheim@a:1,[::1],b/my%20master/3", &u));
	assert_int_equal(u.hosts, 3);
	assert_string_equal(u.host[0].name, "a");
	assert_int_equal(u.host[0].port, 1);
	assert_string_equal(u.host[1].name, "::1");
	assert_int_equal(u.host[1].port, 26379);
	assert_string_equal(u.host[2].name, "b");
	assert_string_equal(u.master, "my master");
	assert_string_equal(u.user, "u");
	assert_string_equal(u.password, "geheim");
	assert_int_equal(u.db, 3);
	assert_false(u.tls);
	redis_url_show(&u, &b);
	assert_string_equal(
		buffer_cstr(&b), "redis+sentinel://u@a:1,[::1]:26379,b:26379/my master/3");
	buffer_release(&b);
	redis_url_release(&u);
}

static void
test_bad(void **state)
{
	static const char *const bad[] = {"", "h:6379", "http://h", "rediss://", "redis://",
		"redis://:1", "redis://h:0", "redis://h:65536", "redis://h:x",
		"redis://h:", "redis://h/x", "redis://h/-1", "redis://h/1/2", "redis://h/99999999",
		"redis://[::1", "redis://[::1]x", "redis://:%4@h", "redis://:%zz@h",
		"redis://:a%00b@h", "unix://", "unix://s", "redis+sentinel://h",
		"redis+sentinel://h/", "redis+sentinel://h,/n", "redis+sentinel://h:x/n",
		"redis+sentinel:///n", "redis+sentinel://h/n/x", "redis+sentinel://h/n/0/1",
		"unix:///s?db=", "unix:///s?x=1", "unix:///s?db=1&x=2"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct redis_url u;
		const char *why = NULL;

		if ((why = redis_url_parse(bad[i], &u)) == NULL)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
		redis_url_release(&u);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_tls),
		cmocka_unit_test(test_sentinel), cmocka_unit_test(test_bad)};

	return cmocka_run_group_tests_name("redis_url", tests, NULL, NULL);
}
