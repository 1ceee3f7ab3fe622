/* What is made of a response, by its status and by what the page says. */
#include "response.h"

#include "grouped.h"
#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	REQUEST_ID = 64, /* bytes of it that are logged */
	RETRY_LINES = 2, /* logged in QUOTA_MS */
	OUTAGES = 1,	 /* logged in it, when they begin and when they end */
	QUOTA_MS = 60 * 1000,
	UNPROCESSED = 10, /* times in a row that count as nothing */
	AMONG_MS = 1000,  /* so long ago a success may be to show that others get through */
	HTTP_OK = 200,
	HTTP_REDIRECT = 300,
	HTTP_MOVED = 301,
	HTTP_TEMPORARY = 307,
	HTTP_PERMANENT = 308,
	HTTP_REFUSED = 400,
	HTTP_UNAUTHORIZED = 401,
	HTTP_PROXY_AUTH = 407,
	HTTP_TIMEOUT = 408,
	HTTP_TOO_MANY = 429,
	HTTP_SERVER = 500,
	HTTP_UNAVAILABLE = 503,
};

void
responses_init(struct responses *rs, struct sched *sched, struct slice key)
{
	*rs = (struct responses){.sched = sched, .tasks = sched->tasks, .error.secret = key};
	rs->reader = page_reader_new(sched->base);
}

void
responses_release(struct responses *rs)
{
	page_reader_free(rs->reader);
	buffer_release(&rs->error.text);
	buffer_release(&rs->tail);
}

/* The end of a log line about a response: the number by which the API's support would find it. */
static const char *
log_tail(struct responses *rs)
{
	rs->tail.len = 0;
	buffer_str(&rs->tail, rs->request_id.n > 0 ? " request_id=" : "");
	sanitize_add(&rs->tail, rs->request_id, REQUEST_ID, rs->error.secret);
	return buffer_cstr(&rs->tail);
}

static void
fail_task(struct responses *rs, struct chunk *c)
{
	struct slice text = buffer_slice(&rs->error.text);

	tasks_fail(rs->tasks, c, text, log_tail(rs));
}

/* Nothing of what is pending will be fetched; tasks that are read later are tried anew. */
static void
fail_pending(struct responses *rs, const char *head)
{
	struct buffer text = {0};

	buffer_printf(&text, "%s%s", head, buffer_cstr(&rs->error.text));
	log_error("%s: all pending tasks have failed", buffer_cstr(&text));
	(void)tasks_end(rs->tasks, (struct slice){0}, buffer_slice(&text));
	buffer_release(&text);
	outage_over(&rs->sched->outage);
}

/* What no wait mends. */
static void
fail_settings(struct responses *rs)
{
	rs->misset = true;
	fail_pending(rs, "");
}

bool
responses_misset(const struct responses *rs)
{
	return rs->misset && rs->succeeded_at == 0;
}

/* With this key nothing will be fetched any more. */
static void
refuse_all(struct responses *rs)
{
	struct buffer *dead = &rs->tasks->dead;

	buffer_set(dead, buffer_slice(&rs->error.text));
	log_error("the API refuses the key, so nothing can be fetched: %.*s",
		SLICE(buffer_slice(dead)));
	(void)tasks_end(rs->tasks, (struct slice){0}, buffer_slice(dead));
}

/* The API has answered as it should. */
static void
note_success(struct responses *rs, const struct response *r)
{
	struct outage *o = &rs->sched->outage;
	int64_t now = clock_mono_ms();

	if (o->announced)
		log_info("the API is back after %" PRId64 " s", (now - o->since) / 1000);
	outage_over(o);
	limiter_answered(&rs->sched->limiter, r->started);
	rs->succeeded_at = now;
}

/* Whether another line may be logged now: so many in QUOTA_MS. Those that may not are counted. */
static bool
quota_take(struct log_quota *q, unsigned most, int64_t now)
{
	if (q->lines == 0 || now - q->since >= QUOTA_MS)
		*q = (struct log_quota){.since = now};
	if (q->lines == most) {
		q->more++;
		return false;
	}
	q->lines++;
	return true;
}

static void
log_retry(struct responses *rs, const struct chunk *c, const struct response *r, int64_t wait)
{
	unsigned more = rs->retries.more; /* not told in the minute before */

	if (!quota_take(&rs->retries, RETRY_LINES, clock_mono_ms()))
		return;
	more -= rs->retries.more;
	log_warning("retry symbol=%.*s timeframe=%s http=%d try=%u more=%u wait=%" PRId64
		    ".%" PRId64 "s %.*s%s",
		SLICE(chunk_symbol(c)), timeframe_name(c->series.tf), r->http,
		c->tries, more, wait / 1000, wait / 100 % 10, SLICE(buffer_slice(&rs->error.text)),
		log_tail(rs));
}

/* Whether it has lasted for so long that nothing pending is waited for any more. */
static bool
outage_ends(struct responses *rs, int64_t now)
{
	const struct outage *o = &rs->sched->outage;

	if (!outage_lasts(o, now))
		return false;
	fail_pending(
		rs, o->unreachable ? "the API is unreachable: " : "the API refuses to go on: ");
	return true;
}

/* One more try has failed, if counts; the text is why. The page is to be asked for after wait. */
static void
try_again(
	struct responses *rs, struct chunk *c, const struct response *r, bool counts, int64_t wait)
{
	int64_t now = clock_mono_ms();

	c->tries += counts;
	if (c->tries >= RESPONSE_TRIES || c->refusals >= RESPONSE_REFUSALS) {
		buffer_printf(&rs->error.text, " (%u tries)", c->tries + c->refusals);
		fail_task(rs, c);
		return;
	}
	if (outage_ends(rs, now))
		return;
	if (!rs->sched->outage.unreachable)
		log_retry(rs, c, r, wait);
	if (signals_stop())
		(void)tasks_drop(rs->tasks, c->active, (struct slice){0});
	else
		sched_retry(rs->sched, c, now + wait);
}

/* All pause: how long. One moment more, so that it is not the same page that asks whether it is
 * over. */
static int64_t
pause_ms(struct responses *rs, int64_t now)
{
	int64_t wait = limiter_wait(&rs->sched->limiter, now, 0);

	sched_says(rs->sched, buffer_slice(&rs->error.text));
	return (wait < 0 ? 0 : wait) + 1;
}

/* The request was one too many. That is the page's own fault only where others get through. */
static void
one_too_many(struct responses *rs, struct chunk *c, const struct response *r)
{
	int64_t now = clock_mono_ms();

	c->refusals += r->alone && c->refused_at != 0 && rs->succeeded_at > c->refused_at;
	limiter_refused(
		&rs->sched->limiter, now, r->started, r->retry_after, sched_chance(rs->sched));
	outage_refused(&rs->sched->outage, r->started);
	if (rs->sched->pace != NULL)
		pace_hold(rs->sched->pace, limiter_wait(&rs->sched->limiter, now, 0));
	c->refused_at = now;
	try_again(rs, c, r, false, pause_ms(rs, now));
}

/*
 * The API is, or is taken to be, unreachable: all pause, and one asks whether it is back. Returns
 * for how long.
 */
static int64_t
note_outage(struct responses *rs, const struct response *r, int64_t now, bool certain)
{
	struct outage *o = &rs->sched->outage;

	/* One that comes and goes is told when it has been there for longer. */
	if (certain && !o->announced && quota_take(&rs->outages, OUTAGES, now)) {
		o->announced = true;
		log_warning("the API is unreachable: %.*s; asking again until it is back, for "
			    "%" PRId64 " minutes at most",
			SLICE(buffer_slice(&rs->error.text)), o->patience / OUTAGE_MINUTE_MS);
	}
	o->certain = o->certain || certain;
	limiter_down(&rs->sched->limiter, now, r->started, sched_chance(rs->sched));
	return pause_ms(rs, now);
}

/* The page failed, or the service: if others fail as well, all requests pause. */
static void
page_failed(struct responses *rs, struct chunk *c, const struct response *r)
{
	struct outage *o = &rs->sched->outage;
	int64_t now = clock_mono_ms();

	/* A page that fails while others come is not a sign of an outage. */
	bool own =
		r->sent && !o->unreachable && c->failed_at != 0 && rs->succeeded_at > c->failed_at;

	if (c->failed_at == 0)
		c->failed_at = now;
	if (own || !outage_failed(o, c->active->task, r->sent, r->started)) {
		try_again(rs, c, r, r->sent,
			retry_wait(c->tries + 1, r->retry_after, sched_chance(rs->sched)));
		return;
	}
	try_again(rs, c, r, false, note_outage(rs, r, now, !r->sent || !sched_probes(rs->sched)));
}

/* Whether a status is one by which the API says that it does not give what was asked. */
static bool
api_word(const struct response *r)
{
	return r->http >= HTTP_REFUSED && r->http < HTTP_SERVER && r->http != HTTP_TOO_MANY &&
	       r->http != HTTP_TIMEOUT;
}

/* Whether what came is a page, or else the API's own word on it. */
static bool
is_answer(struct responses *rs, const struct response *r)
{
	struct page page;
	struct slice words, ignored;

	if (r->trouble != TROUBLE_NONE || r->too_long)
		return false;
	if (r->http == HTTP_OK)
		return page_read(rs->reader, r->body, &rs->sched->probe.chunk.series, INT64_MIN, &page) ==
		       PAGE_OK;
	page_words(rs->reader, r->body, &words, &ignored);
	return words.p != NULL && api_word(r);
}

/* The page that succeeded last was asked for again. */
static void
read_probe(struct responses *rs, const struct response *r)
{
	int64_t now = clock_mono_ms();

	if (is_answer(rs, r)) {
		note_success(rs, r);
		return;
	}
	if (r->trouble == TROUBLE_NONE)
		error_text_http(&rs->error, r->http, (struct slice){0});
	else
		error_text_trouble(&rs->error, r->error);
	(void)note_outage(rs, r, now, true);
	(void)outage_ends(rs, now);
}

/* A response that leads elsewhere. */
static void
read_redirect(struct responses *rs, struct chunk *c, const struct response *r)
{
	bool moved =
		r->http == HTTP_MOVED || r->http == HTTP_TEMPORARY || r->http == HTTP_PERMANENT;

	error_text_redirect(&rs->error, r, moved);
	if (moved && rs->succeeded_at == 0)
		fail_settings(rs);
	else
		page_failed(rs, c, r);
}

/* A refusal that the API did not write: of a proxy, a gateway, another server at its address. */
static void
read_gateway(struct responses *rs, struct chunk *c, const struct response *r)
{
	if (r->http == HTTP_PROXY_AUTH)
		buffer_str(&rs->error.text, ": the proxy wants a user and a password");
	else if (r->http == HTTP_UNAUTHORIZED)
		buffer_str(&rs->error.text,
			": this is not the API's word but that of a proxy or gateway");
	if (r->http == HTTP_PROXY_AUTH || r->http == HTTP_UNAUTHORIZED || rs->succeeded_at == 0)
		fail_settings(rs);
	else
		fail_task(rs, c);
}

/* A response that is not a page. */
static void
read_refusal(struct responses *rs, struct chunk *c, const struct response *r)
{
	struct slice words;
	/* Whether others get through, as far as is known: else the lone request that follows tells.
	 */
	bool among =
		!rs->sched->outage.unreachable &&
		(!r->alone || (rs->succeeded_at != 0 && rs->succeeded_at >= r->started - AMONG_MS));

	page_words(rs->reader, r->body, &words, &rs->request_id);
	error_text_http(&rs->error, r->http, words);
	if (words.p != NULL && api_word(r))
		note_success(rs, r);
	if (words.p == NULL && (r->body.n == 0 || r->body.p[0] != '{'))
		error_text_body(&rs->error, r->body);
	if (r->http == HTTP_TOO_MANY || (r->http == HTTP_UNAVAILABLE && among))
		one_too_many(rs, c, r);
	else if (r->http < HTTP_REFUSED && r->http >= HTTP_REDIRECT)
		read_redirect(rs, c, r);
	else if (r->http >= HTTP_SERVER || r->http == HTTP_TIMEOUT || r->http < HTTP_REDIRECT)
		page_failed(rs, c, r);
	else if (words.p == NULL)
		read_gateway(rs, c, r);
	else if (r->http == HTTP_UNAUTHORIZED)
		refuse_all(rs);
	else
		fail_task(rs, c);
}

/* A response of 200. Nothing of it is written before all of it has been checked. */
static void
read_page(struct responses *rs, struct chunk *c, const struct response *r)
{
	struct page page;
	const char *reason = NULL;
	enum page_verdict verdict =
		page_read(rs->reader, r->body, &c->series, c->after, &page);

	rs->request_id = page.request_id;
	if (verdict == PAGE_OK && (reason = grouped_check(rs->tasks, c->active, &page)) != NULL) {
		verdict = PAGE_RETRY;
		page.why = slice_of(reason);
		reason = NULL;
	}
	if (verdict != PAGE_RETRY)
		note_success(rs, r);
	if (verdict == PAGE_OK)
		sched_keep(rs->sched, c);
	if (page.next.p != NULL && chunk_loops(c, page.next))
		reason = "page loop: the same next_url twice";
	else if (verdict == PAGE_OK)
		reason = tasks_page(rs->tasks, c, &page);
	else
		error_text_http(&rs->error, r->http, page.why);
	if (verdict == PAGE_RETRY && (r->body.n == 0 || r->body.p[0] != '{'))
		error_text_body(&rs->error, r->body);
	if (reason != NULL)
		error_text_say(&rs->error, reason);
	if (reason != NULL || verdict == PAGE_FAIL)
		fail_task(rs, c);
	else if (verdict == PAGE_RETRY && r->body.n > 0 && r->body.p[0] == '{')
		/* The API has answered, though not what was asked: the page's own trouble. */
		try_again(rs, c, r, true,
			retry_wait(c->tries + 1, r->retry_after, sched_chance(rs->sched)));
	else if (verdict == PAGE_RETRY)
		page_failed(rs, c, r);
}

void
responses_read(struct responses *rs, struct chunk *c, const struct response *r)
{
	rs->bytes += r->bytes;
	rs->request_id = (struct slice){0};
	if (c == &rs->sched->probe.chunk) {
		read_probe(rs, r);
		return;
	}
	c->active->bars.bytes += r->bytes;
	c->state = CHUNK_ANSWERED;
	if (r->trouble != TROUBLE_UNPROCESSED)
		c->unprocessed = 0;
	if (r->too_long) {
		error_text_say(&rs->error, "the reply is over 32 MiB");
		fail_task(rs, c);
	} else if (r->trouble == TROUBLE_UNPROCESSED && c->unprocessed++ < UNPROCESSED &&
		   !signals_stop()) {
		sched_repeat(rs->sched, c);
	} else if (r->trouble != TROUBLE_NONE) {
		error_text_trouble(&rs->error, r->error);
		if (r->trouble == TROUBLE_SETTING ||
			(r->trouble == TROUBLE_FIRST_SETTING && rs->succeeded_at == 0))
			fail_settings(rs);
		else
			page_failed(rs, c, r);
	} else if (r->http == HTTP_OK) {
		read_page(rs, c, r);
	} else {
		read_refusal(rs, c, r);
	}
}
