/* How a reply goes out: compressed or not, whole, cut, slowly, or not at all. */
#include "send.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <zlib.h>

#define HUGE_BODY ((size_t)40 << 20)
#define GZIP_FROM 1024

/* What the reader of a body that is not sent in the ordinary way needs. */
struct drip {
	struct text body;
	size_t size;
	enum send_fault how;
	int fd, stop;
};

void
reply_set(struct reply *r, int status, const char *body)
{
	r->status = status;
	r->type = body[0] == '<' ? "text/html" : TYPE_JSON;
	text_str(&r->body, body);
}

bool
send_wait(int stop, long ms)
{
	struct pollfd p = {.fd = stop, .events = POLLIN};

	return ms > 0 && poll(&p, 1, (int)ms) > 0;
}

static void
compress_body(struct reply *r)
{
	struct text out = {0};
	z_stream z;
	size_t bound;

	memset(&z, 0, sizeof z);
	if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	bound = deflateBound(&z, r->body.len - r->body.off);
	z.next_out = (unsigned char *)text_room(&out, bound);
	z.avail_out = (unsigned)bound;
	z.next_in = (unsigned char *)r->body.p + r->body.off;
	z.avail_in = (unsigned)(r->body.len - r->body.off);
	r->gzip = deflate(&z, Z_FINISH) == Z_STREAM_END;
	out.len = z.total_out;
	deflateEnd(&z);
	if (r->gzip) {
		text_free(&r->body);
		r->body = out;
	} else {
		text_free(&out);
	}
}

bool
wants_gzip(struct MHD_Connection *con)
{
	const char *h =
		MHD_lookup_connection_value(con, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);

	return h != NULL && strstr(h, "gzip") != NULL;
}

static size_t
length(const struct reply *r)
{
	return r->how == SEND_HUGE    ? HUGE_BODY
	       : r->how == SEND_RESET ? 0
				      : r->body.len - r->body.off;
}

size_t
reply_encode(struct reply *r, struct MHD_Connection *con)
{
	if (!r->kept && wants_gzip(con) && r->how != SEND_HUGE &&
		r->body.len - r->body.off > GZIP_FROM)
		compress_body(r);
	return length(r);
}

static bool
client_left(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	return poll(&p, 1, 0) > 0 && ((p.revents & (POLLHUP | POLLERR)) != 0 ||
					     recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0);
}

/* Hand over the next bytes of a body that is sent in an odd way. */
static ssize_t
drip_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct drip *d = cls;
	size_t at = (size_t)pos, len = d->body.len - d->body.off, end = len, n;

	if (d->how == SEND_CUT || d->how == SEND_STALL)
		end = len / 2;
	if (d->how == SEND_SLOW) {
		if (send_wait(d->stop, 50))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		end = at + len / 40 + 1 < len ? at + len / 40 + 1 : len;
	}
	if (d->how == SEND_HUGE && at >= len) {
		n = max < d->size - at ? max : d->size - at;
		memset(buf, ' ', n);
		return (ssize_t)n;
	}
	if (at >= end) {
		while (d->how == SEND_STALL && !client_left(d->fd) && !send_wait(d->stop, 50))
			;
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	n = max < end - at ? max : end - at;
	memcpy(buf, d->body.p + d->body.off + at, n);
	return (ssize_t)n;
}

static void
drip_free(void *cls)
{
	struct drip *d = cls;

	text_free(&d->body);
	free(d);
}

static struct MHD_Response *
odd_response(struct reply *r, struct MHD_Connection *con, int stop)
{
	struct drip *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->stop = stop;
	d->body = r->body;
	d->how = r->how;
	d->size = length(r);
	d->fd = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	return MHD_create_response_from_callback(d->size, 65536, drip_read, d, drip_free);
}

static void
add_headers(struct MHD_Response *res, const struct reply *r)
{
	char retry[64];
	time_t t;
	struct tm tm;

	MHD_add_response_header(res, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
	if (r->gzip)
		MHD_add_response_header(res, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	if (r->status == 302)
		MHD_add_response_header(
			res, MHD_HTTP_HEADER_LOCATION, "http://127.0.0.1:1/elsewhere");
	if (r->retry == RETRY_DATE) {
		t = time(NULL) + 3;
		gmtime_r(&t, &tm);
		strftime(retry, sizeof retry, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		MHD_add_response_header(res, MHD_HTTP_HEADER_RETRY_AFTER, retry);
	} else if (r->retry >= 0) {
		snprintf(retry, sizeof retry, "%ld", r->retry);
		MHD_add_response_header(res, MHD_HTTP_HEADER_RETRY_AFTER, retry);
	}
}

/* Cut the connection with a reset: no reply at all. */
static void
arm_reset(struct MHD_Connection *con)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	int fd = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

enum MHD_Result
reply_send(struct reply *r, struct MHD_Connection *con, int stop)
{
	struct MHD_Response *res;
	enum MHD_Result rc;
	static char none[1];

	if (r->how == SEND_RESET) {
		text_free(&r->body);
		arm_reset(con);
		return MHD_NO;
	}
	if (r->kept)
		res = MHD_create_response_from_buffer(
			length(r), r->body.p + r->body.off, MHD_RESPMEM_PERSISTENT);
	else if (r->how == SEND_PLAIN)
		res = MHD_create_response_from_buffer_with_free_callback_cls(length(r),
			r->body.p == NULL ? none : r->body.p + r->body.off, free, r->body.p);
	else
		res = odd_response(r, con, stop);
	if (res == NULL) {
		text_free(&r->body);
		return MHD_NO;
	}
	add_headers(res, r);
	rc = MHD_queue_response(con, (unsigned)r->status, res);
	MHD_destroy_response(res);
	return rc;
}
