/* Jobs, their notes and cancels, each in a file of its own; how a file outlives a crash is file.c's affair. */
#include "spool.h"

#include "file.h"
#include "hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PREFIX_MAX = 48, NAME_SIZE = PREFIX_MAX + 1 + 16 + sizeof ".cancel" };

struct spool {
	int dir;
	int lock;
	struct buffer text; /* a file read or about to be written */
};

/* A kept job and when it came. */
struct kept {
	char *name;
	struct timespec at;
};

static const char job_suffix[] = ".job";
static const char notes_suffix[] = ".notes";
static const char cancel_suffix[] = ".cancel";

/*
 * What is harmless of the job_id, for people, and a hash of all of it (FNV-1a, 64 bits) to tell one
 * from another. A collision is found by spool_keep() and taken for the same job.
 */
static void
name_of(char name[NAME_SIZE], struct slice job_id, const char *suffix)
{
	uint64_t hash = hash_slice(job_id);
	size_t n = 0;

	for (size_t i = 0; i < job_id.n; i++) {
		unsigned char c = (unsigned char)job_id.p[i];
		bool harmless = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z') || c == '-' || c == '_';

		if (n < PREFIX_MAX)
			name[n++] = harmless ? (char)c : '_';
	}
	(void)snprintf(name + n, NAME_SIZE - n, ".%016llx%s", (unsigned long long)hash, suffix);
}

static bool
ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && name[0] != '.' && strcmp(name + n - m, suffix) == 0;
}

static int
lock_file(int dir, const char *role)
{
	char name[32];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	(void)snprintf(name, sizeof name, ".%s.lock", role);
	fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && fcntl(fd, F_SETLK, &lock) != 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved == EACCES ? EAGAIN : saved;
		fd = -1;
	}
	return fd;
}

struct spool *
spool_open(const char *path, const char *role, const char **why)
{
	struct spool *s = memory_grow(NULL, 1, sizeof *s);

	*s = (struct spool){.dir = -1, .lock = -1};
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir >= 0)
		s->lock = lock_file(s->dir, role);
	if (s->lock >= 0)
		return s;
	*why = s->dir >= 0 && errno == EAGAIN ? "another pipeline works on it" : strerror(errno);
	spool_close(s);
	return NULL;
}

void
spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->lock >= 0)
		(void)close(s->lock);
	if (s->dir >= 0)
		(void)close(s->dir);
	buffer_release(&s->text);
	free(s);
}

static enum spool_result
keep_line(struct spool *s, const char *name, struct slice line)
{
	s->text.len = 0;
	buffer_add(&s->text, line.p, line.n);
	buffer_byte(&s->text, '\n');
	return file_replace(s->dir, name, buffer_slice(&s->text)) == 0 ? SPOOL_OK : SPOOL_ERROR;
}

static bool
has(const struct spool *s, struct slice job_id, const char *suffix)
{
	char name[NAME_SIZE];

	name_of(name, job_id, suffix);
	return faccessat(s->dir, name, F_OK, 0) == 0;
}

bool
spool_has(struct spool *s, struct slice job_id)
{
	return has(s, job_id, job_suffix);
}

bool
spool_cancelled(struct spool *s, struct slice job_id)
{
	return has(s, job_id, cancel_suffix);
}

static enum spool_result
remove_file(struct spool *s, struct slice job_id, const char *suffix)
{
	char name[NAME_SIZE];

	name_of(name, job_id, suffix);
	return file_remove(s->dir, name) == 0 ? SPOOL_OK : SPOOL_ERROR;
}

enum spool_result
spool_keep(struct spool *s, struct slice job_id, struct slice line)
{
	struct timespec now[2];
	char name[NAME_SIZE];

	if (spool_has(s, job_id))
		return SPOOL_EXISTS;
	/* Nothing of an earlier job of this id may speak for this one. */
	if (remove_file(s, job_id, notes_suffix) != SPOOL_OK ||
		remove_file(s, job_id, cancel_suffix) != SPOOL_OK)
		return SPOOL_ERROR;
	name_of(name, job_id, job_suffix);
	if (keep_line(s, name, line) != SPOOL_OK)
		return SPOOL_ERROR;
	/* The kernel's own stamps are the same for all files of some milliseconds. */
	if (clock_gettime(CLOCK_REALTIME, &now[0]) == 0) {
		now[1] = now[0];
		(void)utimensat(s->dir, name, now, 0);
	}
	return SPOOL_OK;
}

enum spool_result
spool_cancel(struct spool *s, struct slice job_id, struct slice record)
{
	char name[NAME_SIZE];
	enum spool_result kept;

	if (!spool_has(s, job_id))
		return SPOOL_OK;
	name_of(name, job_id, cancel_suffix);
	kept = keep_line(s, name, record);
	/* The job may have been removed meanwhile: its cancel must not be the next one's of its id. */
	if (kept == SPOOL_OK && !spool_has(s, job_id) && file_remove(s->dir, name) != 0)
		return SPOOL_ERROR;
	return kept;
}

enum spool_result
spool_note(struct spool *s, struct slice job_id, struct slice record)
{
	char name[NAME_SIZE];

	name_of(name, job_id, job_suffix);
	if (faccessat(s->dir, name, F_OK, 0) != 0)
		return errno == ENOENT ? SPOOL_OK : SPOOL_ERROR;
	name_of(name, job_id, notes_suffix);
	/* The newline in front ends a line that a crash cut; empty lines mean nothing. */
	s->text.len = 0;
	buffer_byte(&s->text, '\n');
	buffer_add(&s->text, record.p, record.n);
	buffer_byte(&s->text, '\n');
	return file_append(s->dir, name, buffer_slice(&s->text)) == 0 ? SPOOL_OK : SPOOL_ERROR;
}

enum spool_result
spool_remove(struct spool *s, struct slice job_id)
{
	/*
	 * The job first: notes and a cancel without a job mean nothing, a job without them would be
	 * done again.
	 */
	if (remove_file(s, job_id, job_suffix) != SPOOL_OK || fsync(s->dir) != 0 ||
		remove_file(s, job_id, notes_suffix) != SPOOL_OK)
		return SPOOL_ERROR;
	return remove_file(s, job_id, cancel_suffix);
}

static const char alive[] = ".listening";

void
spool_touch(struct spool *s, int64_t until)
{
	const struct timespec t[2] = {{.tv_sec = (time_t)until}, {.tv_sec = (time_t)until}};
	int fd;

	if (utimensat(s->dir, alive, t, 0) == 0)
		return;
	fd = openat(s->dir, alive, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	(void)futimens(fd, t);
	(void)close(fd);
}

int64_t
spool_touched(struct spool *s)
{
	struct stat st;

	return fstatat(s->dir, alive, &st, 0) == 0 ? (int64_t)st.st_mtim.tv_sec : -1;
}

enum spool_result
spool_notes(struct spool *s, struct slice job_id, void (*each)(void *, struct slice), void *ctx)
{
	char name[NAME_SIZE];

	name_of(name, job_id, notes_suffix);
	if (file_read(s->dir, name, &s->text) != 0)
		return errno == ENOENT ? SPOOL_OK : SPOOL_ERROR;
	file_lines(buffer_slice(&s->text), each, ctx);
	return SPOOL_OK;
}

static int
by_age(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->at.tv_sec != y->at.tv_sec)
		return x->at.tv_sec < y->at.tv_sec ? -1 : 1;
	if (x->at.tv_nsec != y->at.tv_nsec)
		return x->at.tv_nsec < y->at.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The name of another file of the same job; false where it would be no name of ours. */
static bool
sibling(char out[NAME_SIZE], const char *name, const char *suffix, const char *other)
{
	size_t n = strlen(name) - strlen(suffix);

	if (n + strlen(other) >= NAME_SIZE)
		return false;
	(void)snprintf(out, NAME_SIZE, "%.*s%s", (int)n, name, other);
	return true;
}

/* Notes or a cancel whose job is gone: a crash came between the removals. */
static void
drop_orphan(struct spool *s, const char *name, const char *suffix)
{
	char job[NAME_SIZE];

	if (ends_in(name, suffix) && sibling(job, name, suffix, job_suffix) &&
		faccessat(s->dir, job, F_OK, 0) != 0 && errno == ENOENT)
		(void)file_remove(s->dir, name);
}

/* Lists the kept jobs, oldest first; the caller frees names and list. -1 with errno. */
static int
list(struct spool *s, struct kept **out, size_t *count)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	size_t cap = 0;

	*out = NULL;
	*count = 0;
	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		struct stat st;

		drop_orphan(s, e->d_name, notes_suffix);
		drop_orphan(s, e->d_name, cancel_suffix);
		if (!ends_in(e->d_name, job_suffix) || fstatat(s->dir, e->d_name, &st, 0) != 0)
			continue;
		if (*count == cap) {
			cap = cap == 0 ? 16 : 2 * cap;
			*out = memory_grow(*out, cap, sizeof **out);
		}
		(*out)[*count].at = st.st_mtim;
		(*out)[*count].name = memory_grow(NULL, strlen(e->d_name) + 1, 1);
		memcpy((*out)[*count].name, e->d_name, strlen(e->d_name) + 1);
		(*count)++;
	}
	(void)closedir(d);
	if (*count > 0)
		qsort(*out, *count, sizeof **out, by_age);
	return 0;
}

/* Whom the lines of a file are given to. */
struct taker {
	void (*each)(void *, struct slice, bool cancel);
	void *ctx;
	bool cancel;
};

static void
give(void *data, struct slice line)
{
	const struct taker *t = data;

	t->each(t->ctx, line, t->cancel);
}

/* Gives a kept job, and its cancel. -1 with errno. */
static int
give_job(struct spool *s, const char *name, struct taker *t)
{
	char cancel[NAME_SIZE];

	if (file_read(s->dir, name, &s->text) != 0)
		return -1;
	t->cancel = false;
	file_lines(buffer_slice(&s->text), give, t);
	if (!sibling(cancel, name, job_suffix, cancel_suffix))
		return 0;
	if (file_read(s->dir, cancel, &s->text) != 0)
		return errno == ENOENT ? 0 : -1;
	t->cancel = true;
	file_lines(buffer_slice(&s->text), give, t);
	return 0;
}

enum spool_result
spool_jobs(struct spool *s, void (*each)(void *, struct slice, bool cancel), void *ctx)
{
	struct taker t = {.each = each, .ctx = ctx};
	struct kept *kept;
	size_t n;
	enum spool_result result = SPOOL_OK;

	/* What a crash left half written was never kept. */
	if (file_remove(s->dir, FILE_UNFINISHED) != 0 || list(s, &kept, &n) != 0)
		return SPOOL_ERROR;
	for (size_t i = 0; i < n; i++) {
		if (give_job(s, kept[i].name, &t) != 0)
			result = SPOOL_ERROR;
		free(kept[i].name);
	}
	free(kept);
	return result;
}
