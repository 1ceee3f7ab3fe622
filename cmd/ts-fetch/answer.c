/* What a reply means: a page, another try, or the end of a task or of everything. */
#include "fetch.h"

#include "clean.h"
#include "drain.h"
#include "log.h"
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
};

/* For a slice behind "%.*s". */
#define TEXT(s) (int)(s).n, (s).n == 0 ? "" : (s).p

/* The end of a log line about a reply: the number by which the API's support would find it. */
static const char *
log_tail(struct fetch *f, struct slice request_id)
{
	f->tail.len = 0;
	if (request_id.n > 0) {
		buffer_str(&f->tail, " request_id=");
		clean_add(&f->tail, request_id, REQUEST_ID, f->options.key);
	}
	return buffer_cstr(&f->tail);
}

static void
fail_loudly(struct fetch *f, struct work *w, struct slice request_id)
{
	struct slice text = buffer_slice(&f->text);

	log_warning("failed symbol=%.*s timeframe=%s %.*s%s", TEXT(w->task->symbol),
		timeframe_name(w->task->tf), TEXT(text), log_tail(f, request_id));
	work_fail(f, w, text);
}

/* Starts an error text over: what we say ourselves. */
static void
say(struct fetch *f, const char *text)
{
	f->text.len = 0;
	buffer_str(&f->text, text);
}

/*
 * Goes on with what others say, as far as there is room, some kept for again(); the key is nowhere
 * repeated.
 */
static void
quote(struct fetch *f, struct slice words)
{
	clean_add(&f->text, words, FETCH_ERROR - TRIES_TEXT - f->text.len, f->options.key);
}

static void
say_http(struct fetch *f, int http, struct slice words)
{
	char head[32];

	(void)snprintf(head, sizeof head, "HTTP %d%s", http, words.n > 0 ? ": " : "");
	say(f, head);
	quote(f, words);
}

/* The page is to be asked for once more; the text is why. */
static void
again(struct fetch *f, struct work *w, const struct reply *r, int64_t wait, struct slice request_id)
{
	struct slice text = buffer_slice(&f->text);

	/* A 429 is the page's own fault only if no other request can have caused it. */
	if (r->http != HTTP_TOO_MANY || r->alone)
		w->tries++;
	if (w->tries >= FETCH_TRIES) {
		buffer_str(&f->text, " (");
		buffer_uint(&f->text, w->tries);
		buffer_str(&f->text, " tries)");
		fail_loudly(f, w, request_id);
		return;
	}
	log_warning("retry symbol=%.*s timeframe=%s http=%d try=%u wait=%" PRId64 ".%" PRId64
		    "s %.*s%s",
		TEXT(w->task->symbol), timeframe_name(w->task->tf), r->http, w->tries, wait / 1000,
		wait / 100 % 10, TEXT(text), log_tail(f, request_id));
	if (drain_told()) {
		work_forget(f, w);
		return;
	}
	w->state = WORK_WAITING;
	/* After a 429 the limiter alone says when. */
	w->due = clock_mono_ms() + (r->http == HTTP_TOO_MANY ? 0 : wait);
	f->count.retries++;
}

/* The pause is for the whole process: returns how long it is. */
static int64_t
pause_all(struct fetch *f, const struct reply *r)
{
	int64_t now = clock_mono_ms();
	int64_t wait;

	limiter_refused(&f->limiter, now, r->started, r->retry_after, fetch_chance(f));
	wait = limiter_wait(&f->limiter, now, 0);
	return wait < 0 ? 0 : wait;
}

/* With this key nothing will be fetched any more. */
static void
kill_all(struct fetch *f)
{
	struct task *t;
	struct slice text;

	f->dead.len = 0;
	buffer_add(&f->dead, f->text.p, f->text.len);
	text = buffer_slice(&f->dead);
	log_error("the API refuses the key, so nothing can be fetched: %.*s", TEXT(text));
	while ((t = queue_any(f->queue)) != NULL) {
		if (t->work != NULL) {
			work_fail(f, t->work, text);
			continue;
		}
		intake_failed(f, work_record(t, RECORD_FAILED), text);
		queue_end(f->queue, t);
	}
	for (unsigned i = 0; i < f->works; i++) {
		if (f->work[i].state != WORK_FREE)
			work_fail(f, &f->work[i], text);
	}
}

/* A reply that is no page. */
static void
refused(struct fetch *f, struct work *w, const struct reply *r)
{
	struct slice words, request_id;

	massive_words(f->massive, r->body, &words, &request_id);
	say_http(f, r->http, words);
	if (r->http == HTTP_UNAUTHORIZED)
		kill_all(f);
	else if (r->http == HTTP_TOO_MANY)
		again(f, w, r, pause_all(f, r), request_id);
	else if (r->http >= HTTP_SERVER || r->http == HTTP_TIMEOUT)
		again(f, w, r, retry_wait(w->tries + 1, r->retry_after, fetch_chance(f)),
			request_id);
	else
		fail_loudly(f, w, request_id);
}

/* FNV-1a, 64 bits. */
static uint64_t
hash(struct slice s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h;
}

/* Whether the path of a next page has been met before. */
static bool
is_loop(const struct work *w, struct slice path)
{
	uint64_t h = hash(path);

	for (unsigned i = 0; i < w->pages; i++) {
		if (w->seen[i] == h)
			return true;
	}
	return false;
}

/* Counts a page that has come, and remembers where it leads. */
static void
count_page(struct work *w, struct slice next)
{
	if (w->pages == w->seen_cap) {
		w->seen_cap = w->seen_cap * 2 + 16;
		w->seen = memory_grow(w->seen, w->seen_cap, sizeof *w->seen);
	}
	w->seen[w->pages++] = next.p == NULL ? 0 : hash(next);
}

static void
go_on(struct fetch *f, struct work *w, struct slice path, struct slice request_id)
{
	if (w->pages >= FETCH_PAGES) {
		say(f, "more than 10000 pages");
		fail_loudly(f, w, request_id);
		return;
	}
	if (drain_told()) {
		work_forget(f, w);
		return;
	}
	w->path.len = 0;
	buffer_add(&w->path, path.p, path.n);
	w->tries = 0;
	w->state = WORK_READY;
	queue_again(f->queue, w->task);
}

/* A reply of 200. Nothing of it is written before all of it has been checked. */
static void
read_page(struct fetch *f, struct work *w, const struct reply *r)
{
	struct massive_page page;
	struct slice why;
	enum massive_verdict verdict =
		massive_page(f->massive, r->body, &w->bars.series, w->after, &page, &why);

	if (page.next.p != NULL && is_loop(w, page.next)) {
		say(f, "page loop: the same next_url twice");
		fail_loudly(f, w, page.request_id);
		return;
	}
	if (verdict != MASSIVE_OK) {
		say_http(f, r->http, why);
		if (verdict == MASSIVE_FAIL)
			fail_loudly(f, w, page.request_id);
		else
			again(f, w, r, retry_wait(w->tries + 1, -1, fetch_chance(f)),
				page.request_id);
		return;
	}
	count_page(w, page.next);
	work_rows(f, w, &page);
	if (page.next.p != NULL)
		go_on(f, w, page.next, page.request_id);
	else
		work_finish(f, w);
}

void
work_answer(struct fetch *f, struct work *w, const struct reply *r)
{
	w->state = WORK_ANSWERED;
	f->count.bytes += r->bytes;
	if (r->too_long) {
		say(f, "the reply is over 32 MiB");
		fail_loudly(f, w, (struct slice){0});
		return;
	}
	if (r->error.p != NULL) {
		say(f, "transfer failed: ");
		quote(f, r->error);
		again(f, w, r, retry_wait(w->tries + 1, -1, fetch_chance(f)), (struct slice){0});
		return;
	}
	if (r->http != HTTP_TOO_MANY && r->http < HTTP_SERVER)
		limiter_answered(&f->limiter, r->started);
	if (r->http == HTTP_OK)
		read_page(f, w, r);
	else
		refused(f, w, r);
}
