/*
 * What is written into a status hash, and when it is verified. In place of a connection there is a list of
 * requests, which the test answers.
 */
#include "check.h"

#include "calendar.h"
#include "log.h"
#include "progress.h"
#include "redis.h"
#include "status_hash.h"
#include "timestamp.h"

#include <hiredis/hiredis.h>

#include <stdio.h>
#include <string.h>

enum { CALLS = 64 };

/* A request: its words with blanks between them, and who waits for the answer. */
static struct call {
	struct buffer text;
	redis_fn *fn;
	void *data;
} calls[CALLS];
static size_t ncalls;

int
redis_call(struct redis *r, redis_fn *fn, void *data, const struct slice *words, int n)
{
	struct call *c = &calls[ncalls++];

	(void)r;
	assert_true(ncalls <= CALLS);
	c->fn = fn;
	c->data = data;
	c->text.len = 0;
	for (int i = 0; i < n; i++) {
		buffer_str(&c->text, i == 0 ? "" : " ");
		buffer_add(&c->text, words[i].p, words[i].n);
	}
	return 0;
}

size_t
redis_room(const struct redis *r)
{
	(void)r;
	return CALLS - ncalls;
}

/* The request that starts so, which there is once. */
static struct call *
sent(const char *head)
{
	struct call *found = NULL;

	for (size_t i = 0; i < ncalls; i++) {
		if (strncmp(buffer_cstr(&calls[i].text), head, strlen(head)) == 0) {
			assert_null(found);
			found = &calls[i];
		}
	}
	return found;
}

/* Answers all requests: HMGET with these two, NULL for nil; anything else with a number or an error. */
static void
answer(const char *status, const char *stamp, const char *error)
{
	redisReply texts[2] = {{.type = status == NULL ? REDIS_REPLY_NIL : REDIS_REPLY_STRING},
		{.type = stamp == NULL ? REDIS_REPLY_NIL : REDIS_REPLY_STRING}};
	redisReply *pair[2] = {&texts[0], &texts[1]};
	redisReply list = {.type = REDIS_REPLY_ARRAY, .elements = 2, .element = pair};
	redisReply other = {.type = error == NULL ? REDIS_REPLY_INTEGER : REDIS_REPLY_ERROR};
	char room[3][64];

	(void)snprintf(room[0], sizeof room[0], "%s", status == NULL ? "" : status);
	(void)snprintf(room[1], sizeof room[1], "%s", stamp == NULL ? "" : stamp);
	(void)snprintf(room[2], sizeof room[2], "%s", error == NULL ? "" : error);
	texts[0].str = room[0];
	texts[0].len = strlen(room[0]);
	texts[1].str = room[1];
	texts[1].len = strlen(room[1]);
	other.str = room[2];
	other.len = strlen(room[2]);
	for (size_t i = 0, n = ncalls; i < n; i++) {
		bool read = strncmp(buffer_cstr(&calls[i].text), "HMGET", 5) == 0;

		if (calls[i].fn != NULL)
			calls[i].fn(calls[i].data, (const void *)(read ? &list : &other));
	}
	ncalls = 0;
}

static struct calendar *calendar;
static struct meter meter;
static struct status_shared shared;
static struct progress *progress;
static struct record_parser *parser;
static struct status_hash *hash;

/* Feeds a line; the job's hash is told of it. */
static void
feed(const char *line)
{
	struct moment now = {.wall = clock_wall(), .mono = clock_mono_ms()};
	struct record r;
	struct job *j;
	const char *why;
	enum taken taken;

	assert_int_equal(record_parse(parser, slice_of(line), ~0u, &r, &why), 0);
	taken = progress_take(progress, &r, now, &j, &why);
	if (hash == NULL)
		hash = status_hash_new(&shared, j);
	status_hash_changed(hash, j, taken == TAKEN_STARTED, now.mono);
}

static int
begin(void **state)
{
	(void)state;
	meter_init(&meter, true);
	shared = (struct status_shared){.meter = &meter};
	progress = progress_new(calendar);
	parser = record_parser_new();
	feed("{\"type\":\"job\",\"job_id\":\"j\",\"source\":\"t\",\"symbols\":1,\"timeframes\":[\"day\",\"hour\"],"
	     "\"tasks\":2,\"received_at\":\"2025-12-23T17:15:13Z\"}");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	status_hash_free(hash);
	hash = NULL;
	progress_free(progress);
	record_parser_free(parser);
	fields_release(&shared.fields);
	ncalls = 0;
	return 0;
}

static void
verdict(const char *timeframe)
{
	char line[200];

	(void)snprintf(line, sizeof line, "{\"type\":\"stored\",\"job_id\":\"j\",\"symbol\":\"A\",\"timeframe\":\"%s\","
		"\"from\":\"2025-12-22\",\"to\":\"2025-12-22\",\"bars\":2}", timeframe);
	feed(line);
}

/* Writes what is to be written, and has it answered. */
static void
write_it(void)
{
	status_hash_serve(hash, clock_mono_ms());
	assert_non_null(sent("HSET tickstock.jobs.status:j status"));
	answer("submitted", "x", NULL);
	assert_true(status_hash_written(hash));
}

static void
test_first(void **state)
{
	(void)state;
	assert_true(status_hash_due(hash) <= clock_mono_ms());
	status_hash_serve(hash, clock_mono_ms());
	assert_non_null(sent("HMGET tickstock.jobs.status:j status timestamp"));
	assert_non_null(sent("HDEL tickstock.jobs.status:j completed_at"));
	assert_non_null(sent("HSET tickstock.jobs.status:j status running progress 0 message Started: 2 tasks"));
	assert_non_null(sent("HSETNX tickstock.jobs.status:j submitted_at 2025-12-23T"));
	assert_non_null(sent("EXPIRE tickstock.jobs.status:j 86400"));
	/* Nothing is written over a write that is not answered. */
	assert_false(status_hash_written(hash));
	assert_true(status_hash_due(hash) == INT64_MAX);
	answer(NULL, NULL, NULL);
	assert_true(status_hash_written(hash));
}

/* The page's "submitted" that comes behind the first write is put right after a second, not by the pulse. */
static void
test_early_verify(void **state)
{
	int64_t before, after;

	(void)state;
	status_hash_serve(hash, clock_mono_ms());
	before = clock_mono_ms();
	answer(NULL, NULL, NULL);
	after = clock_mono_ms();
	assert_in_range(status_hash_due(hash), before + 1000, after + 1000);
	status_hash_serve(hash, after + 999);
	if (after == before)
		assert_int_equal(ncalls, 0);
	status_hash_serve(hash, after + 1000);
	assert_int_equal(ncalls, 1);
	assert_non_null(sent("HMGET tickstock.jobs.status:j status timestamp"));
	answer("submitted", "2025-12-23T12:15:13.634000", NULL);
	assert_false(status_hash_written(hash));
	status_hash_serve(hash, after + 1000);
	assert_non_null(sent("HSET tickstock.jobs.status:j status running"));
	answer("submitted", "x", NULL);
	/* Once is enough: from now on the pulse does it. */
	assert_true(status_hash_due(hash) > clock_mono_ms() + 4000);
}

static void
test_pulse(void **state)
{
	int64_t due;

	(void)state;
	write_it();
	status_hash_serve(hash, clock_mono_ms() + 1000);
	answer("running", hash->stamp, NULL);
	due = status_hash_due(hash);
	assert_in_range(due, hash->wrote + 5000, hash->wrote + 5000);
	status_hash_serve(hash, due - 1);
	assert_int_equal(ncalls, 0);
	status_hash_serve(hash, due);
	assert_non_null(sent("HSET tickstock.jobs.status:j"));
}

static void
test_merged(void **state)
{
	(void)state;
	write_it();
	verdict("day");
	assert_in_range(status_hash_due(hash), hash->wrote + 100, hash->wrote + 100);
	status_hash_serve(hash, hash->wrote + 99);
	assert_int_equal(ncalls, 0);
	/* The end does not wait. */
	verdict("hour");
	assert_true(status_hash_due(hash) <= hash->wrote);
	status_hash_serve(hash, hash->wrote);
	assert_non_null(sent("HSET tickstock.jobs.status:j status completed progress 100"));
}

/* The end is verified for five seconds, and put back as often as somebody writes over it, up to a limit. */
static void
test_end_verified(void **state)
{
	int restored = 0;

	(void)state;
	verdict("day");
	verdict("hour");
	write_it();
	for (int i = 0; !status_hash_quiet(hash); i++) {
		int64_t due = status_hash_due(hash);

		assert_true(i < 10);
		assert_true(due <= hash->wrote + 5000);
		status_hash_serve(hash, due);
		assert_non_null(sent("HMGET"));
		answer("completed", hash->stamp, NULL);
	}
	assert_true(status_hash_due(hash) == INT64_MAX);
	status_hash_changed(hash, hash->job, false, clock_mono_ms());
	write_it();
	while (restored < 20) {
		status_hash_serve(hash, status_hash_due(hash));
		answer("submitted", "x", NULL);
		if (status_hash_written(hash))
			break;
		write_it();
		restored++;
	}
	assert_int_equal(restored, 10);
}

static void
test_refused(void **state)
{
	(void)state;
	status_hash_serve(hash, clock_mono_ms());
	answer(NULL, NULL, "OOM command not allowed");
	assert_true(shared.refusing);
	assert_false(status_hash_written(hash));
	assert_true(status_hash_due(hash) > clock_mono_ms() + 50);
	status_hash_serve(hash, status_hash_due(hash));
	answer(NULL, NULL, NULL);
	assert_false(shared.refusing);
	assert_true(status_hash_written(hash));
}

static void
test_wrong_type(void **state)
{
	(void)state;
	status_hash_serve(hash, clock_mono_ms());
	answer(NULL, NULL, "WRONGTYPE Operation against a key");
	/* answer() has forgotten the DEL; the hash is written again. */
	assert_false(status_hash_written(hash));
	write_it();
}

#define hash_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		hash_test(test_first),
		hash_test(test_early_verify),
		hash_test(test_pulse),
		hash_test(test_merged),
		hash_test(test_end_verified),
		hash_test(test_refused),
		hash_test(test_wrong_type),
	};
	const char *why;
	int failed;

	log_init("test", false);
	calendar = calendar_new(&why);
	if (calendar == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("status hash", tests, NULL, NULL);
	calendar_free(calendar);
	for (size_t i = 0; i < CALLS; i++)
		buffer_release(&calls[i].text);
	return failed != 0;
}
