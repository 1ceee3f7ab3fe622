/* What a reply means: a page, another try, or the end of a task or of everything. */
#include "fetch.h"

#include "clean.h"
#include "log.h"
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
fail_loudly(struct fetch *f, struct piece *p, struct slice request_id)
{
	struct slice text = buffer_slice(&f->text);

	log_warning("failed symbol=%.*s timeframe=%s %.*s%s", TEXT(p->work->task->symbol),
		timeframe_name(p->work->task->tf), TEXT(text), log_tail(f, request_id));
	work_fail(f, p->work, text);
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

/* Nothing of what is in progress or waits will be fetched. */
static void
fail_all(struct fetch *f, struct slice text)
{
	struct task *t;

	while ((t = queue_any(f->queue)) != NULL) {
		if (t->work != NULL) {
			work_fail(f, t->work, text);
			continue;
		}
		intake_failed(f, work_record(t, RECORD_FAILED), text);
		queue_end(f->queue, t);
	}
	for (unsigned i = 0; i < f->pieces; i++) {
		if (f->work[i].task != NULL)
			work_fail(f, &f->work[i], text);
	}
}

/* Waiting has an end; tasks that are read later may wait anew. */
static void
give_up(struct fetch *f)
{
	struct buffer text = {0};

	buffer_str(&text, "the API is away: ");
	buffer_add(&text, f->text.p, f->text.len);
	log_error("%s: all tasks at hand have failed", buffer_cstr(&text));
	fail_all(f, buffer_slice(&text));
	buffer_release(&text);
	f->outage = (struct outage){0};
}

/* Whether the page, and nothing else, is to blame for the reply. */
static bool
own_fault(const struct reply *r)
{
	/* A 429 only if no other request can have caused it. */
	return r->http == HTTP_TOO_MANY ? r->alone : r->sent;
}

static void
tell_retry(struct fetch *f, const struct piece *p, const struct reply *r, int64_t wait,
	struct slice id)
{
	log_warning("retry symbol=%.*s timeframe=%s http=%d try=%u wait=%" PRId64 ".%" PRId64
		    "s %.*s%s",
		TEXT(p->work->task->symbol), timeframe_name(p->work->task->tf), r->http, p->tries,
		wait / 1000, wait / 100 % 10, TEXT(buffer_slice(&f->text)), log_tail(f, id));
}

/* The page is to be asked for once more; the text is why. */
static void
again(struct fetch *f, struct piece *p, const struct reply *r, int64_t wait,
	struct slice request_id)
{
	bool away = outage_blames(f, p, r);

	p->tries += own_fault(r);
	if (p->tries >= FETCH_TRIES) {
		buffer_str(&f->text, " (");
		buffer_uint(&f->text, p->tries);
		buffer_str(&f->text, " tries)");
		fail_loudly(f, p, request_id);
		return;
	}
	if (outage_lasts(f)) {
		give_up(f);
		return;
	}
	if (!away)
		tell_retry(f, p, r, wait, request_id);
	if (signals_stop()) {
		work_forget(f, p->work);
		return;
	}
	p->state = PIECE_WAITING;
	/* Where all pause, the limiter alone says when. */
	p->due = clock_mono_ms() + (away || r->http == HTTP_TOO_MANY ? 0 : wait);
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
	struct slice text;

	f->dead.len = 0;
	buffer_add(&f->dead, f->text.p, f->text.len);
	text = buffer_slice(&f->dead);
	log_error("the API refuses the key, so nothing can be fetched: %.*s", TEXT(text));
	fail_all(f, text);
}

/* A reply that is no page. */
static void
refused(struct fetch *f, struct piece *p, const struct reply *r)
{
	struct slice words, request_id;

	massive_words(f->massive, r->body, &words, &request_id);
	say_http(f, r->http, words);
	if (r->http == HTTP_UNAUTHORIZED)
		kill_all(f);
	else if (r->http == HTTP_TOO_MANY)
		again(f, p, r, pause_all(f, r), request_id);
	else if (r->http >= HTTP_SERVER || r->http == HTTP_TIMEOUT)
		again(f, p, r, retry_wait(p->tries + 1, r->retry_after, fetch_chance(f)),
			request_id);
	else
		fail_loudly(f, p, request_id);
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
is_loop(const struct piece *p, struct slice path)
{
	uint64_t h = hash(path);

	for (size_t i = 0; i < p->seen_n; i++) {
		if (p->seen[i] == h)
			return true;
	}
	return false;
}

/* Counts a page that has come, and remembers where it leads. */
static void
count_page(struct piece *p, struct slice next)
{
	if (p->seen_n == p->seen_cap) {
		p->seen_cap = p->seen_cap * 2 + 16;
		p->seen = memory_grow(p->seen, p->seen_cap, sizeof *p->seen);
	}
	p->work->pages++;
	p->seen[p->seen_n++] = next.p == NULL ? 0 : hash(next);
}

/*
 * Where what is left of the piece begins, if it is to be asked for by its own range; its start if
 * by the address that the page named. Where requests go one by one, nothing is gained by ranges.
 */
static int64_t
seam_of(struct fetch *f, const struct piece *p, const struct massive_page *page)
{
	if (f->options.parallel == 1 || page->rows == 0 || !timeframe_intraday(p->work->task->tf))
		return p->start;
	return cut_full(&p->work->cut, p->start, p->end, page->row[page->rows - 1].t, page->base);
}

/* There are more pages: writes the rows of this one and lines up for the next. */
static void
go_on(struct fetch *f, struct piece *p, const struct massive_page *page)
{
	int64_t seam = seam_of(f, p, page);

	piece_rows(f, p, page, seam > p->start ? seam : p->end);
	if (p->work->pages >= FETCH_PAGES) {
		say(f, "more than 10000 pages");
		fail_loudly(f, p, page->request_id);
		return;
	}
	if (signals_stop()) {
		work_forget(f, p->work);
		return;
	}
	if (seam > p->start)
		piece_range(f, p, seam, p->end);
	else
		piece_next(f, p, page->next);
}

/* All of the piece has come; with the last piece the task is done. */
static void
end(struct fetch *f, struct piece *p, const struct massive_page *page)
{
	struct work *w = p->work;

	piece_rows(f, p, page, p->end);
	if (timeframe_intraday(w->task->tf) && p->seen_n == 1)
		cut_whole(&w->cut, p->start, p->end, page->base);
	if (w->pieces > 1)
		piece_free(f, p);
	else
		work_finish(f, w);
}

/* A reply of 200. Nothing of it is written before all of it has been checked. */
static void
read_page(struct fetch *f, struct piece *p, const struct reply *r)
{
	struct massive_page page;
	struct slice why;
	enum massive_verdict verdict =
		massive_page(f->massive, r->body, &p->work->bars.series, p->after, &page, &why);

	if (page.next.p != NULL && is_loop(p, page.next)) {
		say(f, "page loop: the same next_url twice");
		fail_loudly(f, p, page.request_id);
		return;
	}
	if (verdict != MASSIVE_OK) {
		say_http(f, r->http, why);
		if (verdict == MASSIVE_FAIL)
			fail_loudly(f, p, page.request_id);
		else
			again(f, p, r, retry_wait(p->tries + 1, -1, fetch_chance(f)),
				page.request_id);
		return;
	}
	count_page(p, page.next);
	if (page.next.p != NULL)
		go_on(f, p, &page);
	else
		end(f, p, &page);
}

void
answer_read(struct fetch *f, struct piece *p, const struct reply *r)
{
	p->state = PIECE_ANSWERED;
	f->count.bytes += r->bytes;
	if (r->too_long) {
		say(f, "the reply is over 32 MiB");
		fail_loudly(f, p, (struct slice){0});
		return;
	}
	if (r->error.p != NULL) {
		say(f, "transfer failed: ");
		quote(f, r->error);
		again(f, p, r, retry_wait(p->tries + 1, -1, fetch_chance(f)), (struct slice){0});
		return;
	}
	if (r->http != HTTP_TOO_MANY && r->http < HTTP_SERVER)
		limiter_answered(&f->limiter, r->started);
	if (r->http <= HTTP_SERVER)
		outage_over(f);
	if (r->http == HTTP_OK)
		read_page(f, p, r);
	else
		refused(f, p, r);
}
