/* What is made of a response, by its status and by what the page says. */
#include "response.h"

#include "log.h"
#include "sanitize.h"
#include "signals.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	REQUEST_ID = 64, /* bytes of it that are logged */
	TRIES_TEXT = sizeof " (6 tries)" - 1,
	HTTP_OK = 200,
	HTTP_UNAUTHORIZED = 401,
	HTTP_TIMEOUT = 408,
	HTTP_TOO_MANY = 429,
	HTTP_SERVER = 500,
	HTTP_GATEWAY = 502,
	HTTP_GATEWAY_TIMEOUT = 504,
};

/* For a slice behind "%.*s". */
#define TEXT(s) (int)(s).n, (s).n == 0 ? "" : (s).p

void
responses_init(struct responses *rs, struct sched *sched, struct slice base, struct slice key)
{
	*rs = (struct responses){.sched = sched, .tasks = sched->tasks, .key = key};
	rs->reader = page_reader_new(base);
}

void
responses_release(struct responses *rs)
{
	page_reader_free(rs->reader);
	buffer_release(&rs->text);
	buffer_release(&rs->tail);
}

/* The end of a log line about a response: the number by which the API's support would find it. */
static const char *
log_tail(struct responses *rs, struct slice request_id)
{
	rs->tail.len = 0;
	if (request_id.n > 0) {
		buffer_str(&rs->tail, " request_id=");
		sanitize_add(&rs->tail, request_id, REQUEST_ID, rs->key);
	}
	return buffer_cstr(&rs->tail);
}

static void
fail(struct responses *rs, struct chunk *c, struct slice request_id)
{
	struct slice text = buffer_slice(&rs->text);

	log_warning("failed symbol=%.*s timeframe=%s %.*s%s", TEXT(c->active->task->symbol),
		timeframe_name(c->active->task->tf), TEXT(text), log_tail(rs, request_id));
	tasks_fail(rs->tasks, c->active, text);
}

/* Starts an error text over: what we say ourselves. */
static void
say(struct responses *rs, const char *text)
{
	rs->text.len = 0;
	buffer_str(&rs->text, text);
}

/*
 * Goes on with what others say, as far as there is room, some kept for again(); the key is nowhere
 * repeated.
 */
static void
quote(struct responses *rs, struct slice words)
{
	sanitize_add(&rs->text, words, TASKS_ERROR - TRIES_TEXT - rs->text.len, rs->key);
}

static void
say_http(struct responses *rs, int http, struct slice words)
{
	char head[32];

	(void)snprintf(head, sizeof head, "HTTP %d%s", http, words.n > 0 ? ": " : "");
	say(rs, head);
	quote(rs, words);
}

/* Waiting has an end; tasks that are read later may wait anew. */
static void
give_up(struct responses *rs)
{
	struct buffer text = {0};

	buffer_str(&text, "the API is unreachable: ");
	buffer_add(&text, rs->text.p, rs->text.len);
	log_error("%s: all pending tasks have failed", buffer_cstr(&text));
	tasks_fail_all(rs->tasks, buffer_slice(&text));
	buffer_release(&text);
	outage_over(&rs->sched->outage);
}

/* Whether the page, and nothing else, is to blame for the response. */
static bool
own_fault(const struct response *r)
{
	/* A 429 only if no other request can have caused it. */
	return r->http == HTTP_TOO_MANY ? r->alone : r->sent;
}

/* Whether it is the service and not the page: then all requests pause. The text says how it failed.
 */
static bool
service_fails(struct responses *rs, const struct chunk *c, const struct response *r, int64_t now)
{
	struct outage *o = &rs->sched->outage;
	bool known = o->unreachable;

	if (r->error.p == NULL && (r->http < HTTP_GATEWAY || r->http > HTTP_GATEWAY_TIMEOUT))
		return false;
	if (!outage_failed(o, c->active->task, r->sent, r->started))
		return false;
	if (!known)
		log_warning("the API is unreachable: %.*s; asking again until it is back, for %d "
			    "minutes at most",
			TEXT(buffer_slice(&rs->text)), OUTAGE_MS / 60000);
	limiter_down(&rs->sched->limiter, now, r->started, sched_chance(rs->sched));
	return true;
}

static void
service_answers(struct responses *rs, int64_t now)
{
	struct outage *o = &rs->sched->outage;

	if (o->unreachable)
		log_info("the API is back after %" PRId64 " s", (now - o->since) / 1000);
	outage_over(o);
}

static void
log_retry(struct responses *rs, const struct chunk *c, const struct response *r, int64_t wait,
	struct slice request_id)
{
	log_warning("retry symbol=%.*s timeframe=%s http=%d try=%u wait=%" PRId64 ".%" PRId64
		    "s %.*s%s",
		TEXT(c->active->task->symbol), timeframe_name(c->active->task->tf), r->http,
		c->tries, wait / 1000, wait / 100 % 10, TEXT(buffer_slice(&rs->text)),
		log_tail(rs, request_id));
}

/* The page is to be asked for once more; the text is why. */
static void
again(struct responses *rs, struct chunk *c, const struct response *r, int64_t wait,
	struct slice request_id)
{
	int64_t now = clock_mono_ms();
	bool unreachable = service_fails(rs, c, r, now);

	c->tries += own_fault(r);
	if (c->tries >= RESPONSE_TRIES) {
		buffer_str(&rs->text, " (");
		buffer_uint(&rs->text, c->tries);
		buffer_str(&rs->text, " tries)");
		fail(rs, c, request_id);
		return;
	}
	if (outage_lasts(&rs->sched->outage, now)) {
		give_up(rs);
		return;
	}
	if (!unreachable)
		log_retry(rs, c, r, wait, request_id);
	if (signals_stop())
		tasks_drop(rs->tasks, c->active);
	else /* Where all pause, the limiter alone says when. */
		sched_retry(
			rs->sched, c, now + (unreachable || r->http == HTTP_TOO_MANY ? 0 : wait));
}

/* The pause is for the whole process: returns how long it is. */
static int64_t
pause_all(struct responses *rs, const struct response *r)
{
	struct limiter *l = &rs->sched->limiter;
	int64_t now = clock_mono_ms();
	int64_t wait;

	limiter_refused(l, now, r->started, r->retry_after, sched_chance(rs->sched));
	wait = limiter_wait(l, now, 0);
	return wait < 0 ? 0 : wait;
}

/* With this key nothing will be fetched any more. */
static void
refuse_all(struct responses *rs)
{
	struct buffer *dead = &rs->tasks->dead;

	dead->len = 0;
	buffer_add(dead, rs->text.p, rs->text.len);
	log_error("the API refuses the key, so nothing can be fetched: %.*s",
		TEXT(buffer_slice(dead)));
	tasks_fail_all(rs->tasks, buffer_slice(dead));
}

/* How long to wait before the next try of the page. */
static int64_t
page_wait(struct responses *rs, const struct chunk *c, int64_t retry_after)
{
	return retry_wait(c->tries + 1, retry_after, sched_chance(rs->sched));
}

/* A response that is not a page. */
static void
read_refusal(struct responses *rs, struct chunk *c, const struct response *r)
{
	struct slice words, request_id;

	page_words(rs->reader, r->body, &words, &request_id);
	say_http(rs, r->http, words);
	if (r->http == HTTP_UNAUTHORIZED)
		refuse_all(rs);
	else if (r->http == HTTP_TOO_MANY)
		again(rs, c, r, pause_all(rs, r), request_id);
	else if (r->http >= HTTP_SERVER || r->http == HTTP_TIMEOUT)
		again(rs, c, r, page_wait(rs, c, r->retry_after), request_id);
	else
		fail(rs, c, request_id);
}

/* A response of 200. Nothing of it is written before all of it has been checked. */
static void
read_page(struct responses *rs, struct chunk *c, const struct response *r)
{
	struct page page;
	struct slice why;
	const char *reason = NULL;
	enum page_verdict verdict =
		page_read(rs->reader, r->body, &c->active->bars.series, c->after, &page, &why);

	if (page.next.p != NULL && chunk_loops(c, page.next))
		reason = "page loop: the same next_url twice";
	else if (verdict == PAGE_OK)
		reason = tasks_page(rs->tasks, c, &page);
	else
		say_http(rs, r->http, why);
	if (reason != NULL)
		say(rs, reason);
	if (reason != NULL || verdict == PAGE_FAIL)
		fail(rs, c, page.request_id);
	else if (verdict == PAGE_RETRY)
		again(rs, c, r, page_wait(rs, c, -1), page.request_id);
}

void
responses_read(struct responses *rs, struct chunk *c, const struct response *r)
{
	static const struct slice none = {0};

	c->state = CHUNK_ANSWERED;
	rs->bytes += r->bytes;
	if (r->too_long) {
		say(rs, "the reply is over 32 MiB");
		fail(rs, c, none);
		return;
	}
	if (r->error.p != NULL) {
		say(rs, "transfer failed: ");
		quote(rs, r->error);
		again(rs, c, r, page_wait(rs, c, -1), none);
		return;
	}
	if (r->http != HTTP_TOO_MANY && r->http < HTTP_SERVER)
		limiter_answered(&rs->sched->limiter, r->started);
	if (r->http <= HTTP_SERVER)
		service_answers(rs, clock_mono_ms());
	if (r->http == HTTP_OK)
		read_page(rs, c, r);
	else
		read_refusal(rs, c, r);
}
