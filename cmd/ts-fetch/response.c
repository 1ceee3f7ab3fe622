/* What is made of a response, by its status and by what the page says. */
#include "fetch.h"

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
};

static unsigned
by_chance(struct fetch *f)
{
	return (unsigned)chance_upto(&f->chance, 1023);
}

/* The page of the chunk is asked for again, at that time at the earliest. */
static void
ask_again(struct chunk *c, int64_t due)
{
	c->state = CHUNK_WAITING;
	c->due = due;
}

/* A page that has come is the probe from now on. */
static void
keep_probe(struct fetch *f, const struct chunk *c)
{
	struct probe *p = &f->probe;

	chunk_follow(&p->chunk, buffer_slice(&c->path));
	buffer_set(&p->symbol, c->series.symbol);
	p->chunk.series = c->series;
	p->chunk.series.symbol = buffer_slice(&p->symbol);
}

/* The end of a log line about a response: the number by which the API's support would find it. */
static const char *
log_tail(struct fetch *f)
{
	f->tail.len = 0;
	buffer_str(&f->tail, f->request_id.n > 0 ? " request_id=" : "");
	sanitize_add(&f->tail, f->request_id, REQUEST_ID, f->error.secret);
	return buffer_cstr(&f->tail);
}

static void
fail_task(struct fetch *f, struct chunk *c)
{
	struct slice text = buffer_slice(&f->error.text);

	tasks_fail(&f->tasks, c, text, log_tail(f));
}

/* Nothing of what is pending will be fetched; tasks that are read later are tried anew. */
static void
fail_pending(struct fetch *f, const char *head)
{
	struct buffer text = {0};

	buffer_printf(&text, "%s%s", head, buffer_cstr(&f->error.text));
	log_error("%s: all pending tasks have failed", buffer_cstr(&text));
	(void)tasks_end(&f->tasks, (struct slice){0}, buffer_slice(&text));
	buffer_release(&text);
	outage_over(&f->outage);
}

/* What no wait mends. */
static void
fail_settings(struct fetch *f)
{
	f->misset = true;
	fail_pending(f, "");
}

/* With this key nothing will be fetched any more. */
static void
refuse_all(struct fetch *f)
{
	struct buffer *dead = &f->tasks.dead;

	buffer_set(dead, buffer_slice(&f->error.text));
	log_error("the API refuses the key, so nothing can be fetched: %.*s",
		SLICE(buffer_slice(dead)));
	(void)tasks_end(&f->tasks, (struct slice){0}, buffer_slice(dead));
}

/* The API has answered as it should. */
static void
note_success(struct fetch *f, const struct response *r)
{
	struct outage *o = &f->outage;
	int64_t now = clock_mono_ms();

	if (o->announced)
		log_info("the API is back after %" PRId64 " s", (now - o->since) / 1000);
	outage_over(o);
	limiter_answered(&f->limiter, r->started);
	f->succeeded_at = now;
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
log_retry(struct fetch *f, const struct chunk *c, const struct response *r, int64_t wait)
{
	unsigned more = f->retry_lines.more; /* not told in the minute before */

	if (!quota_take(&f->retry_lines, RETRY_LINES, clock_mono_ms()))
		return;
	more -= f->retry_lines.more;
	log_warning("retry symbol=%.*s timeframe=%s http=%d try=%u more=%u wait=%" PRId64
		    ".%" PRId64 "s %.*s%s",
		SLICE(chunk_symbol(c)), timeframe_name(c->series.tf), r->http, c->tries, more,
		wait / 1000, wait / 100 % 10, SLICE(buffer_slice(&f->error.text)), log_tail(f));
}

/* Whether it has lasted for so long that nothing pending is waited for any more. */
static bool
outage_ends(struct fetch *f, int64_t now)
{
	const struct outage *o = &f->outage;

	if (!outage_lasts(o, now))
		return false;
	fail_pending(f, o->unreachable ? "the API is unreachable: " : "the API refuses to go on: ");
	return true;
}

/* One more try has failed, if counts; the text is why. The page is to be asked for after wait. */
static void
try_again(struct fetch *f, struct chunk *c, const struct response *r, bool counts, int64_t wait)
{
	int64_t now = clock_mono_ms();

	c->tries += counts;
	if (c->tries >= RESPONSE_TRIES || c->refusals >= RESPONSE_REFUSALS) {
		buffer_printf(&f->error.text, " (%u tries)", c->tries + c->refusals);
		fail_task(f, c);
		return;
	}
	if (outage_ends(f, now))
		return;
	if (!f->outage.unreachable)
		log_retry(f, c, r, wait);
	if (signals_stop()) {
		(void)tasks_drop(&f->tasks, c->active, (struct slice){0});
	} else {
		ask_again(c, now + wait);
		f->retries++;
	}
}

/* All pause: how long. One moment more, so that it is not the same page that asks whether it is
 * over. */
static int64_t
pause_ms(struct fetch *f, int64_t now)
{
	int64_t wait = limiter_wait(&f->limiter, now, 0);

	buffer_set(&f->reason, buffer_slice(&f->error.text));
	return (wait < 0 ? 0 : wait) + 1;
}

/* The request was one too many. That is the page's own fault only where others get through. */
static void
one_too_many(struct fetch *f, struct chunk *c, const struct response *r)
{
	int64_t now = clock_mono_ms();

	c->refusals += r->alone && c->refused_at != 0 && f->succeeded_at > c->refused_at;
	limiter_refused(&f->limiter, now, r->started, r->retry_after, by_chance(f));
	outage_refused(&f->outage, r->started);
	if (f->options->name != NULL)
		pace_hold(&f->pace, limiter_wait(&f->limiter, now, 0));
	c->refused_at = now;
	try_again(f, c, r, false, pause_ms(f, now));
}

/*
 * The API is, or is taken to be, unreachable: all pause, and one asks whether it is back. Returns
 * for how long.
 */
static int64_t
note_outage(struct fetch *f, const struct response *r, int64_t now, bool certain)
{
	struct outage *o = &f->outage;

	/* One that comes and goes is told when it has been there for longer. */
	if (certain && !o->announced && quota_take(&f->outage_lines, OUTAGES, now)) {
		o->announced = true;
		log_warning("the API is unreachable: %.*s; asking again until it is back, for "
			    "%" PRId64 " minutes at most",
			SLICE(buffer_slice(&f->error.text)), o->patience / OUTAGE_MINUTE_MS);
	}
	o->certain = o->certain || certain;
	limiter_down(&f->limiter, now, r->started, by_chance(f));
	return pause_ms(f, now);
}

/* The page failed, or the service: if others fail as well, all requests pause. */
static void
page_failed(struct fetch *f, struct chunk *c, const struct response *r)
{
	struct outage *o = &f->outage;
	int64_t now = clock_mono_ms();

	/* A page that fails while others come is not a sign of an outage. */
	bool own =
		r->sent && !o->unreachable && c->failed_at != 0 && f->succeeded_at > c->failed_at;

	if (c->failed_at == 0)
		c->failed_at = now;
	if (own || !outage_failed(o, c->active->task, r->sent, r->started)) {
		try_again(f, c, r, r->sent, retry_wait(c->tries + 1, r->retry_after, by_chance(f)));
		return;
	}
	try_again(f, c, r, false, note_outage(f, r, now, !r->sent || f->probe.chunk.path.len == 0));
}

/* Whether a status is one by which the API says that it does not give what was asked. */
static bool
api_word(const struct response *r)
{
	return r->http >= 400 && r->http < 500 && r->http != 429 && r->http != 408;
}

/* Whether what came is a page, or else the API's own word on it. */
static bool
is_answer(struct fetch *f, const struct response *r)
{
	struct page page;
	struct slice words, ignored;

	if (r->trouble != TROUBLE_NONE || r->too_long)
		return false;
	if (r->http == 200)
		return page_read(f->reader, r->body, &f->probe.chunk.series, INT64_MIN, &page) ==
		       PAGE_OK;
	page_words(f->reader, r->body, &words, &ignored);
	return words.p != NULL && api_word(r);
}

/* The page that succeeded last was asked for again. */
static void
read_probe(struct fetch *f, const struct response *r)
{
	int64_t now = clock_mono_ms();

	if (is_answer(f, r)) {
		note_success(f, r);
		return;
	}
	error_text_set(&f->error, r->trouble == TROUBLE_NONE ? r->http : 0, r->error);
	(void)note_outage(f, r, now, true);
	(void)outage_ends(f, now);
}

/* A response that leads elsewhere. */
static void
read_redirect(struct fetch *f, struct chunk *c, const struct response *r)
{
	bool moved = r->http == 301 || r->http == 307 || r->http == 308;

	error_text_set(&f->error, r->http, (struct slice){0});
	if (r->location.n > 0) {
		buffer_str(&f->error.text, " to ");
		sanitize_add(&f->error.text, r->location, ERROR_TEXT_MAX / 2, f->error.secret);
		if (moved)
			buffer_str(&f->error.text, ": set -u or MASSIVE_URL to where the API is");
	}
	if (moved && f->succeeded_at == 0)
		fail_settings(f);
	else
		page_failed(f, c, r);
}

/* A refusal that the API did not write: of a proxy, a gateway, another server at its address. */
static void
read_gateway(struct fetch *f, struct chunk *c, const struct response *r)
{
	if (r->http == 407)
		buffer_str(&f->error.text, ": the proxy wants a user and a password");
	else if (r->http == 401)
		buffer_str(&f->error.text,
			": this is not the API's word but that of a proxy or gateway");
	if (r->http == 407 || r->http == 401 || f->succeeded_at == 0)
		fail_settings(f);
	else
		fail_task(f, c);
}

/* A response that is not a page. */
static void
read_refusal(struct fetch *f, struct chunk *c, const struct response *r)
{
	struct slice words;
	/* Whether others get through, as far as is known: else the lone request that follows tells.
	 */
	bool among =
		!f->outage.unreachable &&
		(!r->alone || (f->succeeded_at != 0 && f->succeeded_at >= r->started - AMONG_MS));

	page_words(f->reader, r->body, &words, &f->request_id);
	error_text_set(&f->error, r->http, words);
	if (words.p != NULL && api_word(r))
		note_success(f, r);
	if (words.p == NULL)
		error_text_body(&f->error, r->body);
	if (r->http == 429 || (r->http == 503 && among))
		one_too_many(f, c, r);
	else if (r->http < 400 && r->http >= 300)
		read_redirect(f, c, r);
	else if (r->http >= 500 || r->http == 408 || r->http < 300)
		page_failed(f, c, r);
	else if (words.p == NULL)
		read_gateway(f, c, r);
	else if (r->http == 401)
		refuse_all(f);
	else
		fail_task(f, c);
}

/* A response of 200. Nothing of it is written before all of it has been checked. */
static void
read_page(struct fetch *f, struct chunk *c, const struct response *r)
{
	struct page page;
	const char *reason = NULL;
	enum page_verdict verdict = page_read(f->reader, r->body, &c->series, c->after, &page);

	f->request_id = page.request_id;
	if (verdict == PAGE_OK && (reason = grouped_check(&f->tasks, c->active, &page)) != NULL) {
		verdict = PAGE_RETRY;
		page.why = slice_of(reason);
		reason = NULL;
	}
	if (verdict != PAGE_RETRY)
		note_success(f, r);
	if (verdict == PAGE_OK)
		keep_probe(f, c);
	if (page.next.p != NULL && chunk_loops(c, page.next))
		reason = "page loop: the same next_url twice";
	else if (verdict == PAGE_OK)
		reason = tasks_page(&f->tasks, c, &page);
	else
		error_text_set(&f->error, r->http, page.why);
	if (verdict == PAGE_RETRY)
		error_text_body(&f->error, r->body);
	if (reason != NULL)
		buffer_set(&f->error.text, slice_of(reason));
	if (reason != NULL || verdict == PAGE_FAIL)
		fail_task(f, c);
	else if (verdict == PAGE_RETRY && r->body.n > 0 && r->body.p[0] == '{')
		/* The API has answered, though not what was asked: the page's own trouble. */
		try_again(f, c, r, true, retry_wait(c->tries + 1, r->retry_after, by_chance(f)));
	else if (verdict == PAGE_RETRY)
		page_failed(f, c, r);
}

void
fetch_response(struct fetch *f, struct chunk *c, const struct response *r)
{
	f->bytes += r->bytes;
	f->request_id = (struct slice){0};
	if (c == &f->probe.chunk) {
		read_probe(f, r);
		return;
	}
	c->active->bars.bytes += r->bytes;
	c->state = CHUNK_ANSWERED;
	if (r->trouble != TROUBLE_UNPROCESSED)
		c->unprocessed = 0;
	if (r->too_long) {
		buffer_set(&f->error.text, slice_of("the reply is over 32 MiB"));
		fail_task(f, c);
	} else if (r->trouble == TROUBLE_UNPROCESSED && c->unprocessed++ < UNPROCESSED &&
		   !signals_stop()) {
		/* It came to nobody's eyes: it is sent once more, and nothing is counted. */
		ask_again(c, 0);
		f->requests--;
	} else if (r->trouble != TROUBLE_NONE) {
		error_text_set(&f->error, 0, r->error);
		if (r->trouble == TROUBLE_SETTING ||
			(r->trouble == TROUBLE_FIRST_SETTING && f->succeeded_at == 0))
			fail_settings(f);
		else
			page_failed(f, c, r);
	} else if (r->http == 200) {
		read_page(f, c, r);
	} else {
		read_refusal(f, c, r);
	}
}

void
fetch_responses(struct fetch *f)
{
	struct response r;
	void *owner;
	int64_t at;

	while (transfer_sent(f->transfer, &owner, &at))
		limiter_sent(&f->limiter, ((struct chunk *)owner)->request, at);
	while (f->tasks.out->error == 0 && transfer_next(f->transfer, &r)) {
		fetch_response(f, r.owner, &r);
		transfer_done(f->transfer, &r);
	}
}
