/*
 * The life of a task, from its line to its verdict, with a clock and responses of our own: what is
 * asked for when, what counts as a try, and when it is the service that fails.
 */
#include "check.h"

#include "fetch.h"

#include <stdio.h>
#include <string.h>

/* The linker puts this in the place of clock_mono_ms(). Each reading may move it on. */
int64_t __wrap_clock_mono_ms(void);
static int64_t now, step;

int64_t
__wrap_clock_mono_ms(void)
{
	now += step;
	return now;
}

/* And these in the place of the log: what is said is kept. */
static char said[1 << 16];
static size_t said_n;
static unsigned said_lines;
void __wrap_log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void __wrap_log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void __wrap_log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define KEEP(fmt)                                                                                  \
	do {                                                                                       \
		va_list ap;                                                                        \
		va_start(ap, fmt);                                                                 \
		said_n += (size_t)vsnprintf(said + said_n, sizeof said - said_n, fmt, ap);         \
		said_lines++;                                                                      \
		va_end(ap);                                                                        \
		assert_true(said_n < sizeof said);                                                 \
	} while (0)

void
__wrap_log_info(const char *fmt, ...)
{
	KEEP(fmt);
}

void
__wrap_log_warning(const char *fmt, ...)
{
	KEEP(fmt);
}

void
__wrap_log_error(const char *fmt, ...)
{
	KEEP(fmt);
}

struct given {
	struct fetch f;
	struct writer out;
};

#define KEY "secret-42"

enum { LATER = 200 * 1000 }; /* longer than any pause or wait */

static void
begin(struct given *g, unsigned parallel, const char *rate)
{
	static struct options o;

	o = (struct options){.base = slice_of("http://127.0.0.1:1"),
		.patience = 15,
		.every = 100,
		.key = KEY,
		.parallel = parallel};
	now = 1000 * 1000;
	said_n = 0;
	said_lines = 0;
	step = 0;
	if (rate != NULL)
		assert_int_equal(rate_parse(slice_of(rate), &o.rate), 0);
	writer_init(&g->out, -1);
	assert_null(fetch_init(&g->f, &o, &g->out));
}

static void
end(struct given *g)
{
	fetch_release(&g->f);
	writer_release(&g->out);
}

/* A task for a day of that symbol. */
static void
ask(struct given *g, const char *symbol)
{
	char line[200];

	(void)snprintf(line, sizeof line,
		"{\"type\":\"task\",\"job_id\":\"j\",\"symbol\":\"%s\",\"timeframe\":\"day\","
		"\"from\":\"2025-12-15\",\"to\":\"2025-12-15\"}",
		symbol);
	fetch_line(&g->f, slice_of(line), 1);
}

/* The request of that symbol that is in flight, or NULL. */
static struct chunk *
asked(struct given *g, const char *symbol)
{
	for (unsigned i = 0; i < g->f.tasks.chunks; i++) {
		struct chunk *c = &g->f.tasks.chunk[i];

		if (c->state == CHUNK_IN_FLIGHT && slice_is(c->active->task->symbol, symbol))
			return c;
	}
	return NULL;
}

/* The response to the request of that symbol, which must be in flight. */
static void
respond(struct given *g, const char *symbol, struct response r)
{
	struct chunk *c = asked(g, symbol);

	assert_non_null(c);
	transfer_abort(g->f.transfer, c);
	r.owner = c;
	r.started = now - 1;
	if (r.retry_after == 0)
		r.retry_after = -1;
	fetch_response(&g->f, c, &r);
}

static struct response
page(const char *symbol)
{
	static char body[300];

	(void)snprintf(body, sizeof body,
		"{\"ticker\":\"%s\",\"adjusted\":true,\"results\":[{\"t\":1765774800000,\"o\":2,"
		"\"h\":4,"
		"\"l\":1,\"c\":3,\"v\":5}],\"status\":\"OK\"}",
		symbol);
	return (struct response){.http = 200, .sent = true, .body = slice_of(body)};
}

static bool
written(struct given *g, const char *text)
{
	return strstr(buffer_cstr(&g->out.buf), text) != NULL;
}

static bool
told(struct given *g, const char *text)
{
	return written(g, text) || strstr(said, text) != NULL;
}

static void
test_from_line_to_verdict(void **state)
{
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	ask(&g, "AAPL");
	assert_string_equal(buffer_cstr(&g.out.buf), "");
	(void)fetch_start(&g.f, now);
	respond(&g, "AAPL", page("AAPL"));
	assert_string_equal(buffer_cstr(&g.out.buf),
		"{\"type\":\"loading\",\"job_id\":\"j\",\"symbol\":\"AAPL\",\"timeframe\":\"day\"}"
		"\n"
		"{\"type\":\"bar\",\"symbol\":\"AAPL\",\"timeframe\":\"day\",\"date\":\"2025-12-"
		"15\","
		"\"open\":2,\"high\":4,\"low\":1,\"close\":3,\"volume\":5}\n"
		"{\"type\":\"fetched\",\"job_id\":\"j\",\"symbol\":\"AAPL\",\"timeframe\":\"day\","
		"\"from\":\"2025-12-15\",\"to\":\"2025-12-15\",\"bars\":1,\"first\":\"2025-12-15\","
		"\"last\":\"2025-12-15\"}\n");
	assert_true(tasks_idle(&g.f.tasks));
	end(&g);
}

/* Stdin is left alone while the most tasks wait that may. */
static void
test_maximum(void **state)
{
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	for (int i = 0; i < TASKS_QUEUE; i++) {
		assert_false(tasks_full(&g.f.tasks));
		ask(&g, "AAPL");
	}
	assert_true(tasks_full(&g.f.tasks));
	end(&g);
}

/* Whose fault a 429 is cannot be told where others were asked for at the same time. */
static void
test_refusal_among_others_is_no_try(void **state)
{
	struct response refusal = {.http = 429, .sent = true, .alone = false};
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	ask(&g, "AAPL");
	for (int i = 0; i < RESPONSE_TRIES + 1; i++) {
		(void)fetch_start(&g.f, now);
		respond(&g, "AAPL", refusal);
		now += LATER / 2;
	}
	(void)fetch_start(&g.f, now);
	respond(&g, "AAPL", page("AAPL"));
	assert_true(written(&g, "\"fetched\""));
	end(&g);
}

/* A page that is refused again and again while others get through is the one to blame. */
static void
test_refusal_of_one_page_alone_is_a_try(void **state)
{
	struct response refusal = {.http = 429, .sent = true, .alone = true};
	char symbol[] = "S00";
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	ask(&g, "AAPL");
	for (int i = 0; i <= RESPONSE_REFUSALS; i++) {
		assert_false(written(&g, "\"failed\""));
		(void)fetch_start(&g.f, now);
		respond(&g, "AAPL", refusal);
		now += 1;
		symbol[2] = (char)('A' + i);
		ask(&g, symbol);
		now = g.f.limiter.paused_until;
		(void)fetch_start(&g.f, now);
		/* It is another one that asks whether the pause is over. */
		if (asked(&g, symbol) != NULL)
			respond(&g, symbol, page(symbol));
		now += LATER;
	}
	assert_true(written(&g, "\"error\":\"HTTP 429 (20 tries)\""));
	assert_false(written(&g, "unreachable"));
	end(&g);
}

/* A quota that is gone: nobody gets through, for as long as the patience lasts. */
static void
test_refusal_of_all_ends_with_the_patience(void **state)
{
	struct response refusal = {.http = 429,
		.sent = true,
		.alone = true,
		.body = slice_of("{\"status\":\"ERROR\",\"error\":\"quota\"}")};
	int64_t start;
	int rounds = 0;
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	ask(&g, "AAPL");
	ask(&g, "MSFT");
	for (start = now; !written(&g, "\"failed\""); rounds++) {
		int64_t until = fetch_start(&g.f, now);

		if (asked(&g, "AAPL") != NULL)
			respond(&g, "AAPL", refusal);
		else if (asked(&g, "MSFT") != NULL)
			respond(&g, "MSFT", refusal);
		else
			now = until;
	}
	assert_in_range(now - start, 15 * 60 * 1000, 17 * 60 * 1000);
	assert_true(written(&g, "\"symbol\":\"AAPL\",\"timeframe\":\"day\",\"from\":\"2025-12-15\","
				"\"to\":\"2025-12-15\",\"stage\":\"fetch\",\"error\":\"the API "
				"refuses to go on: HTTP "
				"429: quota\"}"));
	assert_true(
		written(&g, "{\"type\":\"waiting\",\"reason\":\"HTTP 429: quota\",\"until\":\""));
	assert_true(tasks_idle(&g.f.tasks));
	/* Few lines, however long it takes. */
	assert_true(said_lines < 5 * 15);
	end(&g);
}

/* A page that a gateway cannot bring is not the service: the others are not held up. */
static void
test_one_task_alone_is_no_outage(void **state)
{
	struct response gateway = {.http = 502, .sent = true};
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	ask(&g, "AAPL");
	for (int i = 0; i < RESPONSE_TRIES; i++) {
		now += LATER;
		(void)fetch_start(&g.f, now);
		respond(&g, "AAPL", gateway);
		assert_int_equal(limiter_wait(&g.f.limiter, now, 0), 0);
	}
	assert_true(written(&g, "\"error\":\"HTTP 502 (6 tries)\""));
	end(&g);
}

static void
test_several_tasks_are_an_outage(void **state)
{
	struct response gateway = {.http = 502, .sent = true};
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	ask(&g, "AAPL");
	ask(&g, "MSFT");
	for (int i = 0; i < 2; i++) {
		now += LATER;
		(void)fetch_start(&g.f, now);
		assert_int_equal(limiter_wait(&g.f.limiter, now, 0), 0);
		respond(&g, "AAPL", gateway);
		respond(&g, "MSFT", gateway);
	}
	assert_true(limiter_wait(&g.f.limiter, now, 0) > 0);
	end(&g);
}

/* 503 while others get through is a limit on the rate; without them it is the service. */
static void
test_unavailable_among_others(void **state)
{
	struct response unavailable = {.http = 503, .sent = true};
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	for (char s[] = "S0"; s[1] < '9'; s[1]++)
		ask(&g, s);
	(void)fetch_start(&g.f, now);
	respond(&g, "S0", page("S0"));
	for (char s[] = "S1"; s[1] < '8'; s[1]++)
		respond(&g, s, unavailable);
	assert_null(strstr(said, "unreachable"));
	assert_in_range(limiter_wait(&g.f.limiter, now, 0), 1, 300);
	/* Of seven only two are told, and the number of the others a minute later. */
	assert_int_equal(said_lines, 2);
	end(&g);
	begin(&g, 8, NULL);
	ask(&g, "AAPL");
	ask(&g, "MSFT");
	for (int i = 0; i < 5; i++) {
		const char *symbol;

		(void)fetch_start(&g.f, now);
		symbol = asked(&g, "AAPL") != NULL ? "AAPL" : "MSFT";
		assert_null(strstr(said, "unreachable"));
		unavailable.alone = i > 0;
		respond(&g, symbol, unavailable);
		now += 20 * 1000;
	}
	assert_non_null(strstr(said, "unreachable: HTTP 503"));
	end(&g);
}

/* Whatever all tasks get that is not a page: they wait, and none is burnt. */
static void
test_what_fails_for_all_is_the_service(void **state)
{
	static const struct response bad[] = {{.http = 500, .sent = true},
		{.http = 200, .sent = true, .body = {"<html>log in</html>", 19}},
		{.http = 302, .sent = true, .location = {"http://portal/", 14}},
		{.sent = true,
			.trouble = TROUBLE_SERVICE,
			.error = {"transfer failed: reset", 22}}};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct given g;

		begin(&g, 4, NULL);
		ask(&g, "AAPL");
		ask(&g, "MSFT");
		/* The first four in a row make it an outage; then twelve minutes of asking. */
		for (int64_t start = now; now < start + 12 * 60 * 1000;) {
			int64_t until = fetch_start(&g.f, now);

			if (asked(&g, "AAPL") != NULL)
				respond(&g, "AAPL", bad[i]);
			else if (asked(&g, "MSFT") != NULL)
				respond(&g, "MSFT", bad[i]);
			else
				now = until;
		}
		assert_false(written(&g, "\"failed\""));
		assert_non_null(strstr(said, "unreachable"));
		assert_true(said_lines <= 5);
		now += LATER;
		(void)fetch_start(&g.f, now);
		if (asked(&g, "AAPL") != NULL)
			respond(&g, "AAPL", page("AAPL"));
		else
			respond(&g, "MSFT", page("MSFT"));
		assert_non_null(strstr(said, "the API is back"));
		end(&g);
	}
}

/* A service that brings pages of symbols that begin with G, and fails with 500 for those with B. */
struct service {
	bool down;  /* it brings nothing */
	bool stale; /* nor the page that succeeded last, ever again */
	unsigned probes;
};

/* All that is in flight is responded to, or time goes on. */
static void
serve(struct given *g, struct service *s)
{
	int64_t until = fetch_start(&g->f, now);
	bool any = false;

	fetch_responses(&g->f);
	for (unsigned i = 0; i <= g->f.tasks.chunks; i++) {
		struct chunk *c = i < g->f.tasks.chunks ? &g->f.tasks.chunk[i] : &g->f.probe.chunk;
		/* Whose request is in flight when those of all chunks are responded to. */
		bool probe = i == g->f.tasks.chunks;
		char symbol[8];
		struct response r = {.http = 500, .sent = true};

		if (probe ? transfer_active(g->f.transfer) == 0 : c->state != CHUNK_IN_FLIGHT)
			continue;
		any = true;
		s->probes += probe;
		(void)snprintf(
			symbol, sizeof symbol, "%.*s", (int)c->series.symbol.n, c->series.symbol.p);
		if (symbol[0] == 'G' && !s->down && !(probe && s->stale))
			r = page(symbol);
		r.owner = c;
		r.started = now - 1;
		r.retry_after = -1;
		transfer_abort(g->f.transfer, c);
		fetch_response(&g->f, c, &r);
	}
	now = any ? now + 5 : until;
}

/* ask() for n symbols with that initial. */
static void
ask_for(struct given *g, char initial, int n)
{
	for (int i = 0; i < n; i++) {
		char symbol[8];

		(void)snprintf(symbol, sizeof symbol, "%c%d", initial, i);
		ask(g, symbol);
	}
}

/*
 * The last of a job are pages that fail for ever, of more symbols than make an outage. The page
 * that succeeded last still comes: so it is not the service.
 */
static void
test_the_last_pages_fail_by_themselves(void **state)
{
	for (int bad = 4; bad <= 100; bad += 48) {
		struct service s = {0};
		struct given g;
		int64_t start;

		(void)state;
		begin(&g, 8, NULL);
		ask_for(&g, 'G', 20);
		ask_for(&g, 'B', bad);
		for (start = now; !tasks_idle(&g.f.tasks);)
			serve(&g, &s);
		print_message(
			"%d bad: %d s, %u probes\n", bad, (int)(now - start) / 1000, s.probes);
		assert_int_equal(g.f.tasks.count.fetched, 20);
		assert_int_equal(g.f.tasks.count.failed, bad);
		assert_true(written(&g, "\"error\":\"HTTP 500 (6 tries)\""));
		assert_false(told(&g, "unreachable"));
		assert_true(now - start < 60 * 1000 * (1 + bad / 32));
		assert_in_range(s.probes, 1, 1 + bad / 8);
		end(&g);
	}
}

/* A service that comes and goes, every two seconds for ten minutes: few lines, and no task is lost.
 */
static void
test_comes_and_goes(void **state)
{
	struct service s = {0};
	struct given g;
	int64_t start;
	int asked_for = 0;

	(void)state;
	begin(&g, 8, NULL);
	for (start = now; now < start + 10 * 60 * 1000;) {
		s.down = (now - start) / 2000 % 2 == 1;
		if (g.f.tasks.queue.waiting < 8)
			ask_for(&g, 'G', ++asked_for % 40 + 1);
		serve(&g, &s);
		g.out.buf.len = 0;
	}
	assert_int_equal(g.f.tasks.count.failed, 0);
	assert_true(g.f.tasks.count.fetched > 500);
	assert_non_null(strstr(said, "unreachable: HTTP 500"));
	print_message("%u lines\n", said_lines);
	assert_true(said_lines < 5 * 10);
	end(&g);
}

/* It does not: it is the service, which is told once and costs no task. */
static void
test_the_last_page_fails_as_well(void **state)
{
	struct service s = {.down = true};
	struct given g;

	(void)state;
	begin(&g, 8, NULL);
	ask(&g, "G");
	(void)fetch_start(&g.f, now);
	respond(&g, "G", page("G"));
	ask_for(&g, 'G', 40);
	for (int64_t end = now + 12 * 60 * 1000; now < end;)
		serve(&g, &s);
	assert_true(s.probes > 5);
	s.down = false;
	s.stale = true;
	for (int64_t end = now + 2 * 60 * 1000; now < end && !tasks_idle(&g.f.tasks);)
		serve(&g, &s);
	assert_int_equal(g.f.tasks.count.fetched, 41);
	assert_int_equal(g.f.tasks.count.failed, 0);
	assert_non_null(strstr(said, "the API is unreachable: HTTP 500; asking"));
	assert_non_null(strstr(said, "the API is back after 7"));
	assert_true(said_lines <= 5);
	end(&g);
}

/* A connection that was kept may be closed while the next request is sent; a new one may not. */
static void
test_what_counts_as_nothing(void **state)
{
	(void)state;
	assert_true(easy_unprocessed(CURLE_HTTP2_STREAM, false));
	assert_true(easy_unprocessed(CURLE_SEND_ERROR, true));
	assert_true(easy_unprocessed(CURLE_RECV_ERROR, true));
	assert_false(easy_unprocessed(CURLE_SEND_ERROR, false));
	assert_false(easy_unprocessed(CURLE_RECV_ERROR, false));
	assert_false(easy_unprocessed(CURLE_OPERATION_TIMEDOUT, true));
}

/* What is set wrong is told at once, and no task waits for it. */
static void
test_settings(void **state)
{
	static const struct {
		struct response r;
		const char *words;
	} wrong[] = {
		{{.trouble = TROUBLE_SETTING, .error = {"the certificate of x is not trusted", 35}},
			"the certificate of x is not trusted"},
		{{.trouble = TROUBLE_FIRST_SETTING, .error = {"the name x does not exist", 25}},
			"the name x does not exist"},
		{{.http = 301, .sent = true, .location = {"https://there/v2", 16}},
			"HTTP 301 to https://there/v2: set -u or MASSIVE_URL to where the API is"},
		{{.http = 407, .sent = true}, "HTTP 407: the proxy wants a user and a password"},
		{{.http = 401, .sent = true, .body = {"<html>", 6}},
			"HTTP 401: \\\"<html>\\\": this is not the API's word but that of a proxy "
			"or gateway"},
		{{.http = 404, .sent = true, .body = {"<html>", 6}}, "HTTP 404: \\\"<html>\\\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct given g;

		begin(&g, 1, NULL);
		ask(&g, "AAPL");
		ask(&g, "MSFT");
		(void)fetch_start(&g.f, now);
		respond(&g, "AAPL", wrong[i].r);
		assert_true(tasks_idle(&g.f.tasks));
		assert_int_equal(g.f.tasks.count.failed, 2);
		assert_true(written(&g, wrong[i].words));
		assert_false(told(&g, "refuses the key"));
		assert_true(g.f.misset && g.f.succeeded_at == 0);
		end(&g);
	}
}

/*
 * The clock moves while it is decided what to do: that room came meanwhile is not overlooked. Asked
 * a millisecond before, it is to be looked at again in a millisecond, whatever the clock shows by
 * then.
 */
static void
test_one_reading_of_the_clock(void **state)
{
	struct given g;
	int64_t room;

	(void)state;
	begin(&g, 8, "1/s");
	ask(&g, "AAPL");
	ask(&g, "MSFT");
	(void)fetch_start(&g.f, now);
	assert_non_null(asked(&g, "AAPL"));
	respond(&g, "AAPL", page("AAPL"));
	room = now + limiter_wait(&g.f.limiter, now, 0);
	step = 10;
	assert_int_equal(fetch_start(&g.f, room - 1), room);
	assert_null(asked(&g, "MSFT"));
	(void)fetch_start(&g.f, room);
	assert_non_null(asked(&g, "MSFT"));
	end(&g);
}

/* Wherever the API repeats the key and a text is shortened: not even a part of it is told. */
static void
test_the_key_is_not_repeated(void **state)
{
	static const char *const head[] = {"{\"status\":\"ERROR\",\"error\":\"",
		"{\"status\":\"ERROR\",\"message\":\"", "{\"status\":\""};
	char pad[ERROR_TEXT_MAX], body[1000];

	(void)state;
	memset(pad, 'x', sizeof pad);
	for (size_t i = 0; i < 3 * sizeof pad; i++) {
		int n = snprintf(body, sizeof body, "%s%.*s" KEY "%s\"}", head[i % 3], (int)(i / 3),
			pad, i % 2 == 0 ? "" : KEY " x");
		struct response r = {
			.http = i % 4 < 2 ? 200 : 403, .sent = true, .body = {body, (size_t)n}};
		struct given g;

		begin(&g, 1, NULL);
		ask(&g, "AAPL");
		for (int try = 0; try < RESPONSE_TRIES && !written(&g, "\"failed\""); try++) {
			(void)fetch_start(&g.f, now);
			respond(&g, "AAPL", r);
			now += LATER;
		}
		assert_true(written(&g, "\"failed\""));
		assert_false(told(&g, "secret"));
		assert_false(told(&g, "xs"));
		assert_false(told(&g, "***2"));
		end(&g);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_line_to_verdict),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_refusal_among_others_is_no_try),
		cmocka_unit_test(test_refusal_of_one_page_alone_is_a_try),
		cmocka_unit_test(test_refusal_of_all_ends_with_the_patience),
		cmocka_unit_test(test_one_task_alone_is_no_outage),
		cmocka_unit_test(test_several_tasks_are_an_outage),
		cmocka_unit_test(test_unavailable_among_others),
		cmocka_unit_test(test_what_fails_for_all_is_the_service),
		cmocka_unit_test(test_the_last_pages_fail_by_themselves),
		cmocka_unit_test(test_the_last_page_fails_as_well),
		cmocka_unit_test(test_comes_and_goes),
		cmocka_unit_test(test_what_counts_as_nothing),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_one_reading_of_the_clock),
		cmocka_unit_test(test_the_key_is_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
