/*
 * What is written into a status hash, and when it is verified. In place of a connection there is a
 * list of requests, which the test answers.
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
	int words;
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
	c->words = n;
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

/* What the hash holds, for HMGET; NULL for nil. */
static const char *submitted_at;

/* Answers all requests: HMGET with these, NULL for nil; anything else with a number or an error. */
static void
answer(const char *status, const char *stamp, const char *error)
{
	const char *const values[] = {status, stamp, submitted_at};
	redisReply texts[3], *items[3];
	redisReply list = {.type = REDIS_REPLY_ARRAY, .elements = 3, .element = items};
	redisReply other = {.type = error == NULL ? REDIS_REPLY_INTEGER : REDIS_REPLY_ERROR};
	char room[4][64];

	for (int i = 0; i < 3; i++) {
		(void)snprintf(room[i], sizeof room[i], "%s", values[i] == NULL ? "" : values[i]);
		texts[i] = (redisReply){
			.type = values[i] == NULL ? REDIS_REPLY_NIL : REDIS_REPLY_STRING,
			.str = room[i],
			.len = strlen(room[i])};
		items[i] = &texts[i];
	}
	(void)snprintf(room[3], sizeof room[3], "%s", error == NULL ? "" : error);
	other.str = room[3];
	other.len = strlen(room[3]);
	for (size_t i = 0, n = ncalls; i < n; i++) {
		bool read = strncmp(buffer_cstr(&calls[i].text), "HMGET", 5) == 0;

		if (calls[i].fn != NULL)
			calls[i].fn(calls[i].data, (const void *)(read ? &list : &other));
		/* What was asked for meanwhile stays. */
		if (i + 1 == n) {
			for (size_t k = n; k < ncalls; k++) {
				struct call t = calls[k - n];

				calls[k - n] = calls[k];
				calls[k] = t;
			}
			ncalls -= n;
		}
	}
}

static struct calendar *calendar;
static struct status_shared shared;
static struct progress progress;
static struct record_parser *parser;
static struct status_hash *hash;

/* Feeds a line; the job's hash is told of it. */
static void
feed(const char *line)
{
	struct record r;
	struct arrival a = {.r = &r, .now = {.wall = clock_wall(), .mono = clock_mono_ms()}};
	enum taken taken;

	assert_null(record_parse(parser, slice_of(line), ~0u, &r));
	taken = progress_take(&progress, &a);
	if (hash == NULL)
		hash = status_hash_new(&shared, a.job);
	if (taken == TAKEN_STARTED)
		status_hash_start(hash, a.job, a.now.mono);
	if (r.type == RECORD_FAILED)
		failed_list_add(&hash->failures, slice_of(line));
	hash->dirty = true;
}

static int
begin(void **state)
{
	(void)state;
	shared = (struct status_shared){.partial = "completed_with_errors"};
	progress = (struct progress){.calendar = calendar};
	parser = record_parser_new();
	feed("{\"type\":\"job\",\"job_id\":\"j\",\"source\":\"t\",\"symbols\":1,\"timeframes\":["
	     "\"day\",\"hour\"],"
	     "\"tasks\":2,\"received_at\":\"2025-12-23T17:15:13Z\"}");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	status_hash_free(hash);
	hash = NULL;
	progress_release(&progress);
	record_parser_free(parser);
	fields_release(&shared.fields);
	submitted_at = NULL;
	ncalls = 0;
	return 0;
}

static void
verdict(const char *timeframe)
{
	char line[200];

	(void)snprintf(line, sizeof line,
		"{\"type\":\"stored\",\"job_id\":\"j\",\"symbol\":\"A\",\"timeframe\":\"%s\","
		"\"from\":\"2025-12-22\",\"to\":\"2025-12-22\",\"bars\":2}",
		timeframe);
	feed(line);
}

/* Writes what is to be written, and has it answered. */
static void
write_it(void)
{
	status_hash_serve(hash, clock_mono_ms());
	assert_non_null(sent("HSET tickstock.jobs.status:j"));
	answer("submitted", "x", NULL);
	assert_true(status_hash_written(hash));
	ncalls = 0;
}

static void
test_first(void **state)
{
	(void)state;
	assert_true(status_hash_due(hash) <= clock_mono_ms());
	status_hash_serve(hash, clock_mono_ms());
	assert_non_null(sent("HMGET tickstock.jobs.status:j status timestamp submitted_at"));
	assert_non_null(sent("HDEL tickstock.jobs.status:j completed_at"));
	assert_non_null(sent(
		"HSET tickstock.jobs.status:j status running progress 0 message Started: 2 tasks"));
	assert_non_null(sent("HSETNX tickstock.jobs.status:j submitted_at 2025-12-23T"));
	assert_non_null(sent("EXPIRE tickstock.jobs.status:j 86400"));
	/* Nothing is written over a write that is not answered. */
	assert_false(status_hash_written(hash));
	assert_true(status_hash_due(hash) == INT64_MAX);
	answer(NULL, NULL, NULL);
	assert_true(status_hash_written(hash));
}

/* The page's "submitted" that comes behind the first write is put right after a second, not by the
 * pulse. */
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
	assert_non_null(sent("HMGET tickstock.jobs.status:j status timestamp submitted_at"));
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

/* The page's "submitted" that comes between two writes is put right by a third: the second says
 * what changed. */
static void
test_submitted_between(void **state)
{
	(void)state;
	status_hash_serve(hash, clock_mono_ms());
	answer(NULL, NULL, NULL);
	verdict("day");
	status_hash_serve(hash, hash->wrote + 100);
	assert_null(strstr(buffer_cstr(&sent("HSET")->text), "status running"));
	answer("submitted", "x", NULL);
	assert_false(status_hash_written(hash));
	status_hash_serve(hash, hash->wrote + 100);
	assert_non_null(sent("HSET tickstock.jobs.status:j status running"));
	answer("running", "x", NULL);
	assert_true(status_hash_written(hash));
	/* So is one that the early look finds while there is news. */
	hash->verified = false;
	status_hash_serve(hash, hash->first + 1000);
	verdict("hour");
	answer("submitted", "x", NULL);
	status_hash_serve(hash, hash->wrote + 1000);
	assert_non_null(sent("HSET tickstock.jobs.status:j status completed progress 100 message"));
	assert_non_null(strstr(buffer_cstr(&sent("HSET tick")->text), "total_tasks"));
}

/* Only what has changed is written, the lists of symbols at most with the pulse. */
static void
test_changed_only(void **state)
{
	const char *text;

	(void)state;
	write_it();
	hash->listed = clock_mono_ms();
	verdict("day");
	status_hash_serve(hash, hash->wrote + 100);
	text = buffer_cstr(&sent("HSET")->text);
	assert_non_null(strstr(text, " progress 50 message Loaded day for A (1/2) timestamp "));
	assert_non_null(strstr(text, " stored_tasks 1 bars_loaded 2"));
	assert_null(strstr(text, "total_tasks"));
	assert_null(strstr(text, "successful_symbols"));
	assert_null(strstr(text, "errors"));
	answer("running", hash->stamp, NULL);
	/* A write that failed is made up for by all of it. */
	verdict("hour");
	status_hash_serve(hash, hash->wrote + 100);
	text = buffer_cstr(&sent("HSET")->text);
	assert_non_null(strstr(text, "successful_symbols [\"A\"]"));
	assert_null(strstr(text, "total_tasks"));
	answer("running", hash->stamp, "ERR what");
	status_hash_serve(hash, status_hash_due(hash));
	assert_non_null(strstr(buffer_cstr(&sent("HSET tick")->text), "total_tasks 2"));
}

static void
failure(int n)
{
	char line[200];

	(void)snprintf(line, sizeof line,
		"{\"type\":\"failed\",\"job_id\":\"j\",\"symbol\":\"B%d\","
		"\"timeframe\":\"day\",\"from\":\"f\",\"to\":\"t\",\"stage\":\"fetch\",\"error\":"
		"\"no\"}",
		n);
	feed(line);
}

/* Redis has forgotten the hash in the middle of a job: all of it is written again. */
static void
test_forgotten(void **state)
{
	(void)state;
	submitted_at = "2025-12-23T11:00:00.5";
	write_it();
	verdict("day");
	status_hash_serve(hash, hash->wrote + 100);
	assert_null(strstr(buffer_cstr(&sent("HSET tick")->text), "total_tasks"));
	submitted_at = NULL;
	answer(NULL, NULL, NULL);
	ncalls = 0;
	status_hash_serve(hash, hash->wrote + 100);
	assert_non_null(strstr(buffer_cstr(&sent("HSET tick")->text), "total_tasks 2"));
	assert_non_null(sent("HSETNX tickstock.jobs.status:j submitted_at 2025-12-23T11:00:00.5"));
}

/* All failed tasks stand in the list, in pieces, and again when Redis may have lost it. */
static void
test_failed_list(void **state)
{
	(void)state;
	status_hash_serve(hash, clock_mono_ms());
	assert_non_null(sent("DEL tickstock.jobs.failed:j"));
	assert_null(sent("RPUSH"));
	answer(NULL, NULL, NULL);
	for (int i = 0; i < 150; i++)
		failure(i);
	assert_false(status_hash_written(hash));
	status_hash_serve(hash, clock_mono_ms());
	assert_int_equal(sent("RPUSH tickstock.jobs.failed:j "
			      "{\"type\":\"failed\",\"job_id\":\"j\",\"symbol\":\"B0\"")
				 ->words,
		102);
	assert_non_null(sent("EXPIRE tickstock.jobs.failed:j 86400"));
	answer(NULL, NULL, NULL);
	ncalls = 0;
	status_hash_serve(hash, clock_mono_ms());
	assert_int_equal(sent("RPUSH")->words, 52);
	answer(NULL, NULL, NULL);
	assert_true(failed_list_written(&hash->failures));
	status_hash_reconnected(hash);
	assert_false(status_hash_written(hash));
	ncalls = 0;
	status_hash_serve(hash, clock_mono_ms() + 200);
	assert_non_null(sent("DEL tickstock.jobs.failed:j"));
	assert_int_equal(sent("RPUSH")->words, 102);
}

/* A list that the access list forbids is tried again with the next job. */
static void
test_forbidden_list(void **state)
{
	(void)state;
	failure(1);
	status_hash_serve(hash, clock_mono_ms());
	assert_non_null(sent("RPUSH tickstock.jobs.failed:j"));
	answer(NULL, NULL, "NOPERM no");
	assert_true(failed_list_written(&hash->failures));
	status_hash_start(hash, hash->job, clock_mono_ms());
	assert_false(failed_list_written(&hash->failures));
}

/* The end of a job that is over is put back where Redis came back without it, or with what was
 * before. */
static void
test_over(void **state)
{
	static const struct {
		const char *status, *stamp;
		bool restored;
	} cases[] = {{NULL, NULL, true}, {"running", "2001-01-01T00:00:00", true},
		{"running", "2999-01-01T00:00:00", false},
		{"submitted", "2999-01-01T00:00:00", false},
		{"completed", "2001-01-01T00:00:00", false}};

	(void)state;
	verdict("day");
	failure(1);
	while (!status_hash_written(hash)) {
		status_hash_serve(hash, status_hash_due(hash));
		answer("submitted", "x", NULL);
	}
	ncalls = 0;
	status_hash_end(hash, clock_mono_ms());
	assert_true(status_hash_due(hash) == INT64_MAX);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		status_hash_reconnected(hash);
		status_hash_serve(hash, clock_mono_ms());
		assert_non_null(sent("HMGET"));
		answer(cases[i].status, cases[i].stamp, NULL);
		assert_int_equal(!status_hash_written(hash), cases[i].restored);
		status_hash_serve(hash, clock_mono_ms());
		if (!cases[i].restored)
			continue;
		assert_non_null(sent(
			"HSET tickstock.jobs.status:j status completed_with_errors progress 100"));
		assert_non_null(sent("RPUSH tickstock.jobs.failed:j"));
		answer(cases[i].status, cases[i].stamp, NULL);
		assert_true(status_hash_written(hash));
		ncalls = 0;
	}
}

/* submitted_at: the page's, also after Redis has lost it; never that of an earlier job. */
static void
test_submitted_at(void **state)
{
	(void)state;
	submitted_at = "2025-12-23T11:00:00.5";
	write_it();
	submitted_at = NULL;
	status_hash_reconnected(hash);
	status_hash_serve(hash, hash->wrote + 100);
	assert_non_null(sent("HSETNX tickstock.jobs.status:j submitted_at 2025-12-23T11:00:00.5"));
	answer(NULL, NULL, NULL);
	ncalls = 0;
	submitted_at = "2024-01-01T00:00:00";
	status_hash_start(hash, hash->job, clock_mono_ms());
	status_hash_serve(hash, clock_mono_ms());
	answer("completed", "x", NULL);
	assert_non_null(sent("HSET tickstock.jobs.status:j submitted_at 2025-12-23T"));
	assert_true(slice_cmp(buffer_slice(&hash->submitted_at), slice_of("2025")) > 0);
}

/* The end is verified for five seconds, and put back as often as somebody writes over it, up to a
 * limit. */
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
	hash->dirty = true;
	status_hash_serve(hash, clock_mono_ms());
	answer("completed", hash->stamp, NULL);
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
	assert_non_null(sent("DEL tickstock.jobs.status:j"));
	ncalls = 0;
	assert_false(status_hash_written(hash));
	write_it();
}

#define hash_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

/* Another job of its id begins while the last write of this one is under way. */
static void
test_begins_anew(void **state)
{
	(void)state;
	status_hash_serve(hash, clock_mono_ms());
	assert_non_null(sent("HDEL tickstock.jobs.status:j completed_at"));
	status_hash_start(hash, hash->job, clock_mono_ms());
	answer("completed", "x", NULL);
	ncalls = 0;
	status_hash_serve(hash, clock_mono_ms() + 200);
	assert_non_null(sent("HDEL tickstock.jobs.status:j completed_at"));
	answer("running", hash->stamp, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		hash_test(test_first),
		hash_test(test_early_verify),
		hash_test(test_pulse),
		hash_test(test_merged),
		hash_test(test_submitted_between),
		hash_test(test_changed_only),
		hash_test(test_forgotten),
		hash_test(test_failed_list),
		hash_test(test_forbidden_list),
		hash_test(test_over),
		hash_test(test_submitted_at),
		hash_test(test_end_verified),
		hash_test(test_refused),
		hash_test(test_wrong_type),
		hash_test(test_begins_anew),
	};
	const char *why;
	int failed;

	log_init("test", false, false);
	calendar = calendar_new(&why);
	if (calendar == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("status hash", tests, NULL, NULL);
	calendar_free(calendar);
	for (size_t i = 0; i < CALLS; i++)
		buffer_release(&calls[i].text);
	return failed != 0;
}
