/*
 * curl_multi with a fixed number of easy handles, each with a body buffer of its own that is kept
 * from one request to the next.
 *
 * A transfer has failed that brings no byte for 30 s, or hardly any, or takes 5 minutes in all.
 * These times are counted on a clock that stands still while we ourselves are busy elsewhere, above
 * all blocked in a write to stdout: a stopped neighbour is not the server's fault.
 */
#include "transfer.h"

#include "inflate.h"
#include "timestamp.h"

#include <curl/curl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	CONNECT_MS = 10 * 1000,
	STALL_MS = 30 * 1000,
	LEAST_SPEED = 1000, /* bytes a second over that time */
	PAGE_MS = 300 * 1000,
	RECEIVE_BYTES = 1 << 16,
	BODY_STEP = 1 << 18, /* by which a body grows */
	BODY_KEEP = 2 << 20, /* a larger buffer is not kept */
	EXTRA_FDS = 4,
};

struct slot {
	struct transfer *of;
	CURL *easy;
	struct buffer body;
	void *owner;
	int64_t started;
	int64_t asked; /* on the clock of waiting, as the next two: when it started, */
	int64_t heard; /* when the last byte came, */
	int64_t since; /* and since when the bytes are counted that have come; 0: none has */
	size_t got;
	bool headed; /* its headers are complete */
	bool active;
	bool alone;
	int64_t sent; /* when the request was, monotonic ms; 0: not yet */
	bool sent_taken;
	bool stalled;
	bool too_long;
	struct buffer words; /* why it failed */
	char error[CURL_ERROR_SIZE];
};

struct transfer {
	CURLM *multi;
	struct curl_slist *headers;
	struct libdeflate_decompressor *inflate;
	struct buffer inflated;
	int64_t waited; /* ms spent in transfer_wait(): the clock of waiting */
	unsigned active;
	unsigned n;
	struct slot slot[];
};

static void
note_bytes(struct slot *s, size_t n)
{
	s->heard = s->of->waited;
	if (s->since == 0)
		s->since = s->heard;
	s->got += n;
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;

	(void)size;
	note_bytes(s, n);
	if (s->body.len + n > TRANSFER_BODY_MAX) {
		s->too_long = true;
		return 0;
	}
	/* In small steps: a body may have megabytes, and eight of them are held at once. */
	if (s->body.cap - s->body.len < n) {
		s->body.cap = (s->body.len + n + BODY_STEP) / BODY_STEP * BODY_STEP;
		s->body.p = memory_grow(s->body.p, s->body.cap, 1);
	}
	buffer_add(&s->body, p, n);
	return n;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;

	(void)size;
	note_bytes(s, n);
	s->headed = p[0] == '\r' || p[0] == '\n';
	return n;
}

/*
 * Where the server has closed a connection that was kept before it looked at the request (a
 * keep-alive that is over, a GOAWAY of HTTP/2), libcurl sends the request once more. It counts as
 * one, from when it was sent last.
 */
static int
on_request(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct slot *s = arg;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	s->sent = clock_mono_ms();
	s->sent_taken = false;
	return CURL_PREREQFUNC_OK;
}

static int
set_options(struct slot *s, const char *agent)
{
	const long http2 = CURL_HTTP_VERSION_2TLS;
	CURLcode e = easy_authorities(s->easy);

#define SET(option, value) e = e != CURLE_OK ? e : curl_easy_setopt(s->easy, option, value)
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PRIVATE, (void *)s);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, http2);
	SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(CURLOPT_USERAGENT, agent);
	SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(CURLOPT_HTTPHEADER, s->of->headers);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
	SET(CURLOPT_ERRORBUFFER, s->error);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, (void *)s);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, (void *)s);
	SET(CURLOPT_PREREQFUNCTION, on_request);
	SET(CURLOPT_PREREQDATA, (void *)s);
#undef SET
	return e == CURLE_OK ? 0 : -1;
}

struct transfer *
transfer_new(unsigned parallel, const char *key, const char *agent, const char **why)
{
	struct transfer *t;
	size_t size = sizeof *t + parallel * sizeof t->slot[0];
	bool fine;

	*why = "libcurl cannot be used";
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	t = memory_grow(NULL, size, 1);
	memset(t, 0, size);
	t->n = parallel;
	t->multi = curl_multi_init();
	t->inflate = libdeflate_alloc_decompressor();
	t->headers = easy_headers(key);
	fine = t->multi != NULL && t->inflate != NULL && t->headers != NULL;
	for (unsigned i = 0; i < t->n && fine; i++) {
		t->slot[i].of = t;
		t->slot[i].easy = curl_easy_init();
		fine = t->slot[i].easy != NULL && set_options(&t->slot[i], agent) == 0;
	}
	if (fine)
		return t;
	transfer_free(t);
	return NULL;
}

static void
leave_slot(struct transfer *t, struct slot *s)
{
	(void)curl_multi_remove_handle(t->multi, s->easy);
	s->active = false;
	s->owner = NULL;
	t->active--;
	if (s->body.cap > BODY_KEEP)
		buffer_release(&s->body);
}

void
transfer_free(struct transfer *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; i < t->n; i++) {
		if (t->slot[i].active)
			leave_slot(t, &t->slot[i]);
		curl_easy_cleanup(t->slot[i].easy);
		buffer_release(&t->slot[i].body);
		buffer_release(&t->slot[i].words);
	}
	if (t->multi != NULL)
		(void)curl_multi_cleanup(t->multi);
	curl_slist_free_all(t->headers);
	if (t->inflate != NULL)
		libdeflate_free_decompressor(t->inflate);
	buffer_release(&t->inflated);
	free(t);
	curl_global_cleanup();
}

unsigned
transfer_active(const struct transfer *t)
{
	return t->active;
}

static struct slot *
free_slot(struct transfer *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		if (!t->slot[i].active)
			return &t->slot[i];
	}
	return NULL;
}

int
transfer_start(struct transfer *t, const char *url, void *owner)
{
	struct slot *s = free_slot(t);

	if (s == NULL || curl_easy_setopt(s->easy, CURLOPT_URL, url) != CURLE_OK)
		return -1;
	/* Only TLS can offer HTTP/2, where a second request need not connect. */
	(void)curl_easy_setopt(
		s->easy, CURLOPT_PIPEWAIT, strncasecmp(url, "https:", 6) == 0 ? 1L : 0L);
	*s = (struct slot){.of = t,
		.easy = s->easy,
		.body = s->body,
		.words = s->words,
		.owner = owner,
		.started = clock_mono_ms(),
		.asked = t->waited,
		.heard = t->waited};
	s->body.len = 0;
	if (curl_multi_add_handle(t->multi, s->easy) != CURLM_OK)
		return -1;
	s->active = true;
	s->alone = t->active++ == 0;
	for (unsigned i = 0; i < t->n && !s->alone; i++)
		t->slot[i].alone = false;
	return 0;
}

void
transfer_abort(struct transfer *t, const void *owner)
{
	for (unsigned i = 0; i < t->n; i++) {
		if (t->slot[i].active && t->slot[i].owner == owner)
			leave_slot(t, &t->slot[i]);
	}
}

/* Why a transfer is to be given up, or NULL. */
static const char *
stall_reason(struct transfer *t, struct slot *s)
{
	if (t->waited - s->heard >= STALL_MS)
		return s->headed ? "no byte for 30 s" : "no whole header for 30 s";
	if (t->waited - s->asked >= PAGE_MS)
		return "not complete after 5 minutes";
	if (s->since == 0 || t->waited - s->since < STALL_MS)
		return NULL;
	if (s->got < (size_t)LEAST_SPEED * STALL_MS / 1000)
		return "less than 1 kB/s for 30 s";
	s->since = t->waited;
	s->got = 0;
	return NULL;
}

static void
find_stalled(struct transfer *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		struct slot *s = &t->slot[i];
		const char *why = s->active && !s->stalled ? stall_reason(t, s) : NULL;

		if (why != NULL) {
			s->stalled = true;
			(void)curl_multi_remove_handle(t->multi, s->easy);
			(void)snprintf(s->error, sizeof s->error, "%s", why);
		}
	}
}

void
transfer_wait(struct transfer *t, struct pollfd *fds, unsigned n, int timeout_ms)
{
	struct curl_waitfd extra[EXTRA_FDS];
	int64_t start = clock_mono_ms();
	int running = 0;

	for (unsigned i = 0; i < n && i < EXTRA_FDS; i++)
		extra[i] = (struct curl_waitfd){.fd = fds[i].fd,
			.events =
				(short)(((fds[i].events & POLLIN) != 0 ? CURL_WAIT_POLLIN : 0) |
					((fds[i].events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0))};
	(void)curl_multi_perform(t->multi, &running);
	/* What ended just now is not worth a wait. */
	if (running < (int)t->active)
		timeout_ms = 0;
	(void)curl_multi_poll(t->multi, extra, n, timeout_ms, NULL);
	(void)curl_multi_perform(t->multi, &running);
	/* libcurl mixes errors up with readiness. */
	if (poll(fds, n, 0) < 0) {
		for (unsigned i = 0; i < n; i++)
			fds[i].revents = 0;
	}
	t->waited += clock_mono_ms() - start;
	find_stalled(t);
}

bool
transfer_sent(struct transfer *t, void **owner, int64_t *at)
{
	for (unsigned i = 0; i < t->n; i++) {
		struct slot *s = &t->slot[i];

		if (s->active && s->sent != 0 && !s->sent_taken) {
			s->sent_taken = true;
			*owner = s->owner;
			*at = s->sent;
			return true;
		}
	}
	return false;
}

/* The body as it is meant; a reason in r->error if it cannot be had. */
static void
unpack_body(struct slot *s, struct response *r)
{
	const char *encoding = easy_header(s->easy, "Content-Encoding"), *why = "bad gzip";
	enum inflated got = INFLATE_BAD;

	r->body = buffer_slice(&s->body);
	if (encoding == NULL || strcasecmp(encoding, "identity") == 0 || s->body.len == 0)
		return;
	if (strcasecmp(encoding, "gzip") != 0 && strcasecmp(encoding, "x-gzip") != 0)
		why = "a content encoding that was not asked for";
	else
		got = inflate_gzip(s->of->inflate, r->body, TRANSFER_BODY_MAX, &s->of->inflated);
	r->body = got == INFLATE_OK ? buffer_slice(&s->of->inflated) : (struct slice){0};
	if (got == INFLATE_OK)
		return;
	r->too_long = got == INFLATE_LONG;
	if (r->too_long)
		return;
	r->trouble = TROUBLE_SERVICE;
	s->words.len = 0;
	buffer_printf(&s->words, "transfer failed: %s", why);
	r->error = buffer_slice(&s->words);
}

/* Why it failed, by what libcurl says or what we have found ourselves. */
static void
explain_failure(struct slot *s, CURLcode code, struct response *r)
{
	const char *detail = s->error[0] != '\0' ? s->error : curl_easy_strerror(code);
	char *url = NULL;
	long connects = 1;
	struct buffer host = {0};
	const char *at;

	(void)curl_easy_getinfo(s->easy, CURLINFO_EFFECTIVE_URL, &url);
	at = url == NULL ? NULL : strstr(url, "://");
	if (at != NULL)
		buffer_add(&host, at + 3, strcspn(at + 3, "/?"));
	s->words.len = 0;
	r->trouble = easy_trouble(s->easy, code, detail, buffer_cstr(&host), &s->words);
	(void)curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &connects);
	if (s->since == 0 && easy_unprocessed(code, connects == 0))
		r->trouble = TROUBLE_UNPROCESSED;
	r->error = buffer_slice(&s->words);
	buffer_release(&host);
}

static void
describe_response(struct slot *s, CURLcode code, struct response *r)
{
	long http = 0;
	curl_off_t bytes = 0;

	(void)curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &http);
	(void)curl_easy_getinfo(s->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	*r = (struct response){.owner = s->owner,
		.http = (int)http,
		.slot = s,
		.alone = s->alone,
		.sent = s->sent != 0,
		.too_long = s->too_long,
		.started = s->started,
		.bytes = (uint64_t)bytes,
		.location = slice_of(easy_header(s->easy, "Location")),
		.retry_after = easy_retry_after(s->easy)};
	if (s->stalled || (code != CURLE_OK && !s->too_long))
		explain_failure(s, code, r);
	else if (code == CURLE_OK)
		unpack_body(s, r);
}

bool
transfer_next(struct transfer *t, struct response *r)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(t->multi, &left)) != NULL) {
		CURLcode code = msg->data.result;
		void *s = NULL;

		if (msg->msg != CURLMSG_DONE || curl_easy_getinfo(msg->easy_handle,
							CURLINFO_PRIVATE, (char **)&s) != CURLE_OK)
			continue;
		describe_response(s, code, r);
		return true;
	}
	for (unsigned i = 0; i < t->n; i++) {
		if (t->slot[i].active && t->slot[i].stalled) {
			describe_response(&t->slot[i], CURLE_OPERATION_TIMEDOUT, r);
			return true;
		}
	}
	return false;
}

void
transfer_done(struct transfer *t, const struct response *r)
{
	leave_slot(t, r->slot);
}
