#ifndef TS_LINES_H
#define TS_LINES_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Lines in, lines out. A line is at most LINES_MAX bytes with its newline.
 */
enum { LINES_MAX = 1 << 20, LINES_BUFFER = 1 << 16 };

/*
 * Called before anything is opened: a standard descriptor that was closed is replaced by one that
 * answers EBADF, so that no socket or file is taken for stdin or stdout.
 */
void lines_init(void);

enum line {
	LINE_OK,    /* a whole line, without its newline */
	LINE_NONE,  /* no whole line yet: fill first */
	LINE_END,   /* end of input, after a whole line */
	LINE_CUT,   /* end of input within a line: reported, never processed; LINE_END follows */
	LINE_LONG,  /* a line over LINES_MAX was skipped; given once, at its end */
	LINE_STOP,  /* lines_read() only: a signal told the process to stop */
	LINE_ERROR, /* reading failed; errno says why */
};

struct reader {
	int fd;
	char *buf;
	size_t cap;
	size_t start;	 /* first byte not yet given out */
	size_t scanned;	 /* no newline in [start, scanned) */
	size_t end;	 /* end of what was read */
	uint64_t lineno; /* of the line last given out, from 1 */
	bool eof;
	bool skipping; /* inside a line that is too long */
	int error;     /* errno of a failed read, 0 */
};

/* Reads from fd, which stays the caller's. */
void reader_init(struct reader *, int fd);
void reader_release(struct reader *);

/*
 * The next line of what was read so far. The slice points into the reader and is valid until the
 * next reader_fill(). Bytes of a cut line are given, so that they can be described.
 */
enum line reader_next(struct reader *, struct slice *);

/* One read(2), which blocks if there is nothing. True if there may be more to give out or the end.
 */
bool reader_fill(struct reader *);

/* Whether there is input that was not given out: bytes that were read, or that could be. */
bool reader_waiting(const struct reader *);

/*
 * Says on stderr what went wrong with stdin, if anything, and returns the exit status that follows:
 * status, or 111.
 */
int reader_end(const struct reader *, int status);

/* How a stage names the reason why a line was not even looked at (LINE_CUT, LINE_LONG). */
const char *line_reason(enum line);

struct writer {
	int fd;
	struct buffer buf;
	int error; /* sticky errno; ECANCELED when given up after signals_grace_over() */
};

/* Writes to fd, which stays the caller's. */
void writer_init(struct writer *, int fd);
void writer_release(struct writer *);

/*
 * Appends; hands on to the kernel when LINES_BUFFER bytes have come together. After an error it
 * does nothing. writer_line() adds a newline. writer_room() gives the buffer to append a record to
 * directly; writer_done() says that this has been done.
 */
void writer_line(struct writer *, struct slice);
struct buffer *writer_room(struct writer *);
void writer_done(struct writer *);

/* Hands on all that is held. 0, or -1: see error. Called before anything that blocks. */
int writer_flush(struct writer *);

/*
 * What poll(2) said of the writer's descriptor, asked with no events: an error means that the
 * reader of a pipe went away, which a stage that has nothing to write would never learn.
 */
void writer_watch(struct writer *, int revents);

/*
 * Flushes, says on stderr what went wrong with stdout, if anything, and returns the exit status
 * that follows: status when all was written, else 141 for a reader that went away, 130 or 143 when
 * a signal ended the wait for a reader that takes nothing, 111 for any other error. Called once, at
 * the end.
 */
int writer_end(struct writer *, int status);

/*
 * The next line for a stage that waits for nothing but its input: flushes out before it blocks, and
 * answers LINE_STOP when a signal came.
 */
enum line lines_read(struct reader *, struct writer *, struct slice *);

#endif
