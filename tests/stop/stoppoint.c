/* Deaths at chosen places, and a trace of the calls whose order matters. See stoppoint.h. */
#include "stoppoint.h"

#undef fsync
#undef renameat
#undef unlinkat
#undef write

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int stop_fsync(int fd);
int stop_renameat(int from, const char *old, int to, const char *new);
int stop_unlinkat(int dir, const char *name, int flags);
ssize_t stop_write(int fd, const void *p, size_t n);

void
stop_point(const char *name)
{
	static long passes;
	const char *at = getenv("TS_STOP");
	size_t n = strlen(name);

	/* Only the point that is named counts, so one counter does; threads do not share a point.
	 */
	if (at == NULL || strncmp(at, name, n) != 0 || at[n] != ':')
		return;
	if (++passes == strtol(at + n + 1, NULL, 10))
		(void)kill(getpid(), SIGKILL);
}

static void
trace(const char *call, int fd, const char *name)
{
	const char *path = getenv("TS_STOP_TRACE");
	char line[256];
	struct stat st;
	int out, n;

	if (path == NULL || fstat(fd, &st) != 0)
		return;
	n = snprintf(line, sizeof line, "%s %s %s\n", call,
		S_ISDIR(st.st_mode)   ? "folder"
		: S_ISREG(st.st_mode) ? "file"
				      : "pipe",
		name);
	out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (out < 0 || n < 0 || write(out, line, (size_t)n) != n)
		abort();
	(void)close(out);
}

int
stop_fsync(int fd)
{
	int result = fsync(fd);

	trace("fsync", fd, "");
	return result;
}

int
stop_renameat(int from, const char *old, int to, const char *new)
{
	int result;

	stop_point("before-rename");
	result = renameat(from, old, to, new);
	trace("rename", to, new);
	stop_point("after-rename");
	return result;
}

int
stop_unlinkat(int dir, const char *name, int flags)
{
	int result = unlinkat(dir, name, flags);

	if (result == 0) {
		trace("unlink", dir, name);
		stop_point("after-unlink");
	}
	return result;
}

ssize_t
stop_write(int fd, const void *p, size_t n)
{
	if (fd != STDERR_FILENO)
		trace("write", fd, fd == STDOUT_FILENO ? "out" : "");
	return write(fd, p, n);
}
