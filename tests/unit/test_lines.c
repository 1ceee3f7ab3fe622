/* The reader and writer over real pipes. */
#include "check.h"

#include "lines.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that holds these bytes, opened for reading at its start. */
static int
file_of(const void *p, size_t n)
{
	char name[] = "/tmp/test_linesXXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static enum line
next(struct reader *r, struct slice *line)
{
	enum line kind;

	while ((kind = reader_next(r, line)) == LINE_NONE)
		(void)reader_fill(r);
	return kind;
}

static void
whole_and_cut(void **state)
{
	static const char text[] = "one\n\ntwo\r\nthr\0ee\nfour";
	int fd = file_of(text, sizeof text - 1);
	struct reader r;
	struct slice line;

	(void)state;
	reader_init(&r, fd);
	assert_int_equal(next(&r, &line), LINE_OK);
	assert_true(slice_is(line, "one"));
	assert_int_equal(next(&r, &line), LINE_OK);
	assert_int_equal(line.n, 0);
	assert_int_equal(next(&r, &line), LINE_OK);
	assert_true(slice_is(line, "two\r"));
	assert_int_equal(next(&r, &line), LINE_OK);
	assert_int_equal(line.n, 6);
	assert_int_equal(next(&r, &line), LINE_CUT);
	assert_true(slice_is(line, "four"));
	assert_int_equal(r.lineno, 5);
	assert_int_equal(next(&r, &line), LINE_END);
	assert_int_equal(next(&r, &line), LINE_END);
	reader_release(&r);
	(void)close(fd);
}

static void
too_long(void **state)
{
	size_t n = 2 * LINES_MAX;
	char *text = malloc(n + 16);
	struct reader r;
	struct slice line;
	int fd;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text + n, "\nnext\n", 6);
	text[LINES_MAX - 2] = '\n'; /* the longest line that is taken, then one of over 1 MiB */
	fd = file_of(text, n + 6);
	reader_init(&r, fd);
	assert_int_equal(next(&r, &line), LINE_OK);
	assert_int_equal(line.n, LINES_MAX - 2);
	assert_int_equal(next(&r, &line), LINE_LONG);
	assert_int_equal(r.lineno, 2);
	assert_int_equal(next(&r, &line), LINE_OK);
	assert_true(slice_is(line, "next"));
	assert_int_equal(next(&r, &line), LINE_END);
	assert_true(r.cap <= 2 * LINES_MAX);
	reader_release(&r);
	(void)close(fd);
	free(text);
}

static void
read_error(void **state)
{
	struct reader r;
	struct slice line;
	int fd = open("/", O_RDONLY);

	(void)state;
	reader_init(&r, fd);
	assert_int_equal(next(&r, &line), LINE_ERROR);
	assert_int_equal(errno, EISDIR);
	reader_release(&r);
	(void)close(fd);
}

static void
full_disk(void **state)
{
	struct writer w;

	(void)state;
	writer_init(&w, open("/dev/full", O_WRONLY));
	writer_line(&w, slice_of("lost"));
	assert_int_equal(writer_flush(&w), -1);
	assert_int_equal(w.error, ENOSPC);
	writer_line(&w, slice_of("nothing happens"));
	assert_int_equal(w.buf.len, 0);
	(void)close(w.fd);
	writer_release(&w);
}

static void
reader_gone(void **state)
{
	struct writer w;
	int fd[2];

	(void)state;
	assert_int_equal(signals_init(0), 0);
	assert_int_equal(pipe(fd), 0);
	(void)close(fd[0]);
	writer_init(&w, fd[1]);
	writer_line(&w, slice_of("nobody reads"));
	assert_int_equal(writer_end(&w, 0), 141);
	(void)close(fd[1]);
	writer_release(&w);
}

static void
writes(void **state)
{
	struct writer w;
	struct reader r;
	struct slice line;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	writer_init(&w, fd[1]);
	writer_line(&w, slice_of("a"));
	writer_line(&w, slice_of("b"));
	assert_int_equal(writer_end(&w, 1), 1);
	reader_init(&r, fd[0]);
	assert_int_equal(next(&r, &line), LINE_OK);
	assert_true(slice_is(line, "a"));
	assert_int_equal(next(&r, &line), LINE_OK);
	assert_int_equal(next(&r, &line), LINE_END);
	reader_release(&r);
	writer_release(&w);
	(void)close(fd[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_and_cut),
		cmocka_unit_test(too_long),
		cmocka_unit_test(read_error),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(reader_gone),
		cmocka_unit_test(writes),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
