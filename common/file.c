/* Small files that a crash at any point leaves whole. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat() */
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 1 << 16 };

static int
write_all(int fd, struct slice text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text.p += n;
			text.n -= (size_t)n;
		}
	}
	return 0;
}

int
file_replace(int dir, const char *name, struct slice text)
{
	int fd = openat(dir, FILE_UNFINISHED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return -1;
	error = write_all(fd, text) != 0 || fsync(fd) != 0 ? errno : 0;
	if (close(fd) != 0 && error == 0)
		error = errno;
	if (error == 0 && (renameat(dir, FILE_UNFINISHED, dir, name) != 0 || fsync(dir) != 0))
		error = errno;
	/* A disk that is full needs the room. */
	if (error != 0)
		(void)unlinkat(dir, FILE_UNFINISHED, 0);
	errno = error;
	return error == 0 ? 0 : -1;
}

int
file_append(int dir, const char *name, struct slice text)
{
	int fd = openat(dir, name,
		O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return -1;
	error = write_all(fd, text) != 0 ? errno : 0;
	if (close(fd) != 0 && error == 0)
		error = errno;
	errno = error;
	return error == 0 ? 0 : -1;
}

int
file_remove(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? 0 : -1;
}

/* What is wrong with an open file before it is read. errno is 0 where that does not pass. */
static const char *
unfit_reason(int fd, size_t most)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	errno = 0;
	if (!S_ISREG(st.st_mode))
		return "is not a regular file";
	return (uintmax_t)st.st_size > most ? "is too large" : NULL;
}

const char *
file_take(int fd, size_t most, struct buffer *text)
{
	ssize_t n;

	do {
		n = read(fd, buffer_room(text, STEP), STEP);
		if (n > 0)
			text->len += (size_t)n;
		if (text->len > most) {
			errno = EFBIG;
			n = -1;
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 ? NULL : strerror(errno);
}

const char *
file_read(int dir, const char *name, size_t most, struct buffer *text)
{
	/* A fifo would be waited for. */
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), saved;
	const char *why;

	text->len = 0;
	if (fd < 0 && (errno == ELOOP || errno == ENXIO)) {
		errno = 0;
		return "is not a regular file";
	}
	if (fd < 0)
		return strerror(errno);
	why = unfit_reason(fd, most);
	if (why == NULL)
		why = file_take(fd, most, text);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return why;
}

void
file_lines(struct slice text, void (*each)(void *, struct slice), void *ctx)
{
	for (size_t n; (n = slice_until(text, "\n")) < text.n; text = slice_after(text, n + 1)) {
		if (n > 0)
			each(ctx, (struct slice){text.p, n});
	}
}
