/* Buffered line input and output with nothing lost in silence. */
#include "lines.h"

#include "log.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
lines_init(void)
{
	/* /dev/null opened the wrong way round fails each read and write with EBADF. */
	static const int wrong[3] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", wrong[fd]) < 0)
			exit(STATUS_SERVICE);
	}
}

void
reader_init(struct reader *r, int fd)
{
	*r = (struct reader){.fd = fd, .cap = LINES_BUFFER};
	r->buf = memory_grow(NULL, r->cap, 1);
}

void
reader_release(struct reader *r)
{
	free(r->buf);
	*r = (struct reader){.fd = -1};
}

/* What is left when no newline is in sight. */
static enum line
rest_of_input(struct reader *r, struct slice *line)
{
	size_t n = r->end - r->start;

	if (r->skipping || n >= LINES_MAX) {
		/* Forget the bytes; the line is given, as too long, when it ends. */
		r->skipping = true;
		r->start = r->scanned = r->end;
		n = 0;
	}
	if (r->error != 0) {
		errno = r->error;
		return LINE_ERROR;
	}
	if (!r->eof)
		return LINE_NONE;
	if (n == 0 && !r->skipping)
		return LINE_END;
	*line = (struct slice){r->buf + r->start, n};
	r->start = r->scanned = r->end;
	r->skipping = false;
	r->lineno++;
	return LINE_CUT;
}

enum line
reader_next(struct reader *r, struct slice *line)
{
	char *nl = memchr(r->buf + r->scanned, '\n', r->end - r->scanned);
	size_t at;

	if (nl == NULL) {
		r->scanned = r->end;
		return rest_of_input(r, line);
	}
	at = (size_t)(nl - r->buf);
	*line = (struct slice){r->buf + r->start, at - r->start};
	r->start = r->scanned = at + 1;
	r->lineno++;
	if (r->skipping || line->n >= LINES_MAX) {
		r->skipping = false;
		return LINE_LONG;
	}
	return LINE_OK;
}

bool
reader_fill(struct reader *r)
{
	ssize_t n;

	if (r->eof || r->error != 0)
		return true;
	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->scanned -= r->start;
		r->start = 0;
	}
	if (r->end == r->cap) {
		r->cap *= 2;
		r->buf = memory_grow(r->buf, r->cap, 1);
	}
	n = read(r->fd, r->buf + r->end, r->cap - r->end);
	if (n > 0)
		r->end += (size_t)n;
	else if (n == 0)
		r->eof = true;
	else if (errno != EINTR && errno != EAGAIN)
		r->error = errno;
	return n >= 0 || r->error != 0;
}

bool
reader_waiting(const struct reader *r)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};

	return r->end > r->start ||
	       (!r->eof && r->error == 0 && poll(&p, 1, 0) > 0 && (p.revents & POLLIN) != 0);
}

int
reader_end(const struct reader *r, int status)
{
	if (r->error == 0)
		return status;
	log_error("reading stdin: %s", strerror(r->error));
	return STATUS_SERVICE;
}

const char *
line_reason(enum line kind)
{
	return kind == LINE_CUT ? "the last line is cut: no newline before the end of input"
				: "the line is over 1 MiB";
}

void
writer_init(struct writer *w, int fd)
{
	*w = (struct writer){.fd = fd};
}

void
writer_release(struct writer *w)
{
	buffer_release(&w->buf);
}

int
writer_flush(struct writer *w)
{
	size_t done = 0;

	while (done < w->buf.len && w->error == 0) {
		ssize_t n = write(w->fd, w->buf.p + done, w->buf.len - done);

		if (n >= 0) {
			done += (size_t)n;
		} else if (errno == EAGAIN) {
			/* Somebody made the shared descriptor non-blocking; wait for room, a second
			 * at most. */
			struct pollfd p = {.fd = w->fd, .events = POLLOUT};

			(void)poll(&p, 1, 1000);
		} else if (errno != EINTR) {
			w->error = errno;
		}
		if (done < w->buf.len && signals_grace_over())
			w->error = w->error == 0 ? ECANCELED : w->error;
	}
	w->buf.len = 0;
	return w->error == 0 ? 0 : -1;
}

struct buffer *
writer_room(struct writer *w)
{
	return &w->buf;
}

void
writer_done(struct writer *w)
{
	if (w->buf.len >= LINES_BUFFER)
		(void)writer_flush(w);
}

void
writer_line(struct writer *w, struct slice line)
{
	if (w->error != 0)
		return;
	buffer_add(&w->buf, line.p, line.n);
	buffer_byte(&w->buf, '\n');
	writer_done(w);
}

void
writer_watch(struct writer *w, int revents)
{
	if ((revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 && w->error == 0)
		w->error = EPIPE;
}

int
writer_end(struct writer *w, int status)
{
	/* Some file systems report a full disk only at close(2). */
	if (writer_flush(w) == 0 && close(w->fd) != 0 && errno != EINTR)
		w->error = errno;
	if (w->error == 0)
		return status;
	if (w->error == EPIPE)
		return STATUS_READER;
	if (w->error == ECANCELED) {
		log_warning("told to stop while the reader of stdout took nothing: output is "
			    "incomplete");
		return signals_status(STATUS_SERVICE);
	}
	log_error("writing stdout: %s", strerror(w->error));
	return STATUS_SERVICE;
}

enum line
lines_read(struct reader *r, struct writer *w, struct slice *line)
{
	enum line kind;

	while ((kind = reader_next(r, line)) == LINE_NONE) {
		struct pollfd fds[3] = {{.fd = r->fd, .events = POLLIN},
			{.fd = signals_fd(), .events = POLLIN}, {.fd = w->fd}};

		/* The reader of a stage may wait for us while we wait for more. */
		if (writer_flush(w) != 0)
			return LINE_STOP;
		/* No timeout: nothing can happen here but input, a signal, or the reader going
		 * away. */
		if (poll(fds, 3, -1) < 0 && errno != EINTR) {
			r->error = errno;
			return LINE_ERROR;
		}
		writer_watch(w, fds[2].revents);
		if (w->error != 0 || signals_stop())
			return LINE_STOP;
		if (fds[0].revents != 0)
			(void)reader_fill(r);
	}
	return signals_stop() ? LINE_STOP : kind;
}
