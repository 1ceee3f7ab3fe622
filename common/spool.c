/* Jobs, their notes and cancels, each in a file of its own. file.c makes it outlive a crash. */
#include "spool.h"

#include "buffer.h"
#include "file.h"
#include "hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	PREFIX_MAX = 48,
	NAME_SIZE = SPOOL_NAME_SIZE,
	JOB_MAX = (1 << 20) + 1, /* a line of 1 MiB and its newline */
};

struct spool {
	char *path;
	int dir;
	int lock;
	const char *given;  /* the file whose line is being given */
	struct buffer text; /* a file read or about to be written */
};

/* A kept job and when it came, in nanoseconds since 1970. */
struct kept {
	char *name;
	int64_t at;
};
struct kept_list {
	struct kept *p;
	size_t n, cap;
};

static const char job_suffix[] = ".job";
static const char notes_suffix[] = ".notes";
static const char cancel_suffix[] = ".cancel";
static const char alive[] = ".listening";

/*
 * What is harmless of the job_id, for people, and a hash of all of it (FNV-1a, 64 bits) to tell one
 * from another. A collision is found by spool_keep() and taken for the same job.
 */
void
spool_name(char name[SPOOL_NAME_SIZE], struct slice job_id, const char *suffix)
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
	(void)snprintf(name + n, NAME_SIZE - n, ".%016" PRIx64 "%s", hash, suffix);
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
	int fd, saved;

	(void)snprintf(name, sizeof name, ".%s.lock", role);
	fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) == 0)
		return fd;
	saved = errno == EACCES ? EAGAIN : errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/* Why the folder must not be used, or NULL. */
static const char *
check_folder(int dir)
{
	struct stat st;

	if (dir < 0 || fstat(dir, &st) != 0)
		return strerror(errno);
	return (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "others may write to it: chmod go-w it"
						       : NULL;
}

struct spool *
spool_open(const char *path, const char *role, const char **why)
{
	struct spool *s = memory_grow(NULL, 1, sizeof *s);

	*s = (struct spool){.dir = -1, .lock = -1};
	s->path = slice_copy(slice_of(path));
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*why = check_folder(s->dir);
	if (*why == NULL) {
		s->lock = lock_file(s->dir, role);
		if (s->lock >= 0)
			return s;
		*why = errno == EAGAIN ? "another pipeline works on it" : strerror(errno);
	}
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
	free(s->path);
	free(s);
}

bool
spool_gone(const struct spool *s)
{
	struct stat ours, there;

	return fstat(s->dir, &ours) == 0 &&
	       (stat(s->path, &there) != 0 || there.st_ino != ours.st_ino ||
		       there.st_dev != ours.st_dev);
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
has_file(const struct spool *s, struct slice job_id, const char *suffix)
{
	char name[NAME_SIZE];

	spool_name(name, job_id, suffix);
	return faccessat(s->dir, name, F_OK, 0) == 0;
}

bool
spool_has(struct spool *s, struct slice job_id)
{
	return has_file(s, job_id, job_suffix);
}

/* When a file was written, in nanoseconds since 1970; -1 where it is not there. */
static int64_t
file_time(const struct spool *s, const char *name)
{
	struct stat st;

	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

int64_t
spool_accepted(struct spool *s, struct slice job_id)
{
	char name[NAME_SIZE];

	spool_name(name, job_id, job_suffix);
	return file_time(s, name);
}

bool
spool_cancelled(struct spool *s, struct slice job_id)
{
	return has_file(s, job_id, cancel_suffix);
}

static int
remove_file(struct spool *s, struct slice job_id, const char *suffix)
{
	char name[NAME_SIZE];

	spool_name(name, job_id, suffix);
	return file_remove(s->dir, name);
}

enum spool_result
spool_keep(struct spool *s, struct slice job_id, struct slice line)
{
	struct timespec now[2];
	char name[NAME_SIZE];

	if (spool_has(s, job_id))
		return SPOOL_EXISTS;
	spool_name(name, job_id, job_suffix);
	/* Nothing of an earlier job of this id may speak for this one. */
	if (remove_file(s, job_id, notes_suffix) != 0 ||
		remove_file(s, job_id, cancel_suffix) != 0 || keep_line(s, name, line) != SPOOL_OK)
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
	spool_name(name, job_id, cancel_suffix);
	kept = keep_line(s, name, record);
	/* The job may have been removed meanwhile: its cancel must not be the next one's of its id.
	 */
	if (kept == SPOOL_OK && !spool_has(s, job_id) && file_remove(s->dir, name) != 0)
		return SPOOL_ERROR;
	return kept;
}

enum spool_result
spool_note(struct spool *s, struct slice job_id, struct slice record)
{
	char name[NAME_SIZE];

	if (!spool_has(s, job_id))
		return errno == ENOENT ? SPOOL_OK : SPOOL_ERROR;
	spool_name(name, job_id, notes_suffix);
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
	bool removed = remove_file(s, job_id, job_suffix) == 0 && fsync(s->dir) == 0 &&
		       remove_file(s, job_id, notes_suffix) == 0 &&
		       remove_file(s, job_id, cancel_suffix) == 0;

	return removed ? SPOOL_OK : SPOOL_ERROR;
}

void
spool_touch(struct spool *s, int64_t until)
{
	const struct timespec t[2] = {{.tv_sec = (time_t)until}, {.tv_sec = (time_t)until}};
	int fd;

	if (utimensat(s->dir, alive, t, 0) == 0)
		return;
	fd = openat(s->dir, alive, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
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

	spool_name(name, job_id, notes_suffix);
	if (file_read(s->dir, name, SIZE_MAX, &s->text) != NULL)
		return errno == ENOENT ? SPOOL_OK : SPOOL_ERROR;
	file_lines(buffer_slice(&s->text), each, ctx);
	return SPOOL_OK;
}

static int
by_age(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The name of another file of the same job; false where it would be no name of ours. */
static bool
sibling_name(char out[NAME_SIZE], const char *name, const char *suffix, const char *other)
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

	if (ends_in(name, suffix) && sibling_name(job, name, suffix, job_suffix) &&
		faccessat(s->dir, job, F_OK, 0) != 0 && errno == ENOENT)
		(void)file_remove(s->dir, name);
}

/* Lists the kept jobs, oldest first; the caller frees names and list. -1 with errno. */
static int
list_jobs(struct spool *s, struct kept_list *out)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		int64_t at = ends_in(e->d_name, job_suffix) ? file_time(s, e->d_name) : -1;

		drop_orphan(s, e->d_name, notes_suffix);
		drop_orphan(s, e->d_name, cancel_suffix);
		if (at >= 0)
			*array_add(out) = (struct kept){slice_copy(slice_of(e->d_name)), at};
	}
	(void)closedir(d);
	if (out->n > 0)
		qsort(out->p, out->n, sizeof *out->p, by_age);
	return 0;
}

/* Gives the line of a file. NULL, or why not, with errno: 0 for what will never be of use. */
static const char *
give_line(struct spool *s, const char *name, const struct spool_reader *reader, bool cancel)
{
	const char *why = file_read(s->dir, name, JOB_MAX, &s->text);
	struct slice line = buffer_slice(&s->text);
	size_t n = slice_until(line, "\n");

	if (why != NULL)
		return why;
	s->given = name;
	why = n == 0 || n == line.n ? "holds no line"
				    : reader->job(reader->ctx, (struct slice){line.p, n}, cancel);
	s->given = NULL;
	errno = 0;
	return why;
}

/* Leaves a file out, and sets it aside if it will never be of use. */
static void
leave_out(struct spool *s, const char *name, const char *why, const struct spool_reader *reader)
{
	struct buffer bad = {0};
	bool aside = errno == 0;

	buffer_printf(&bad, "%.*s.bad", (int)(strrchr(name, '.') - name), name);
	aside = aside && renameat(s->dir, name, s->dir, buffer_cstr(&bad)) == 0;
	reader->left_out(reader->ctx, name, why, aside);
	buffer_release(&bad);
}

/* Gives a kept job, and its cancel. */
static void
give_job(struct spool *s, const char *name, const struct spool_reader *reader)
{
	char cancel[NAME_SIZE];
	const char *why = give_line(s, name, reader, false);

	if (why != NULL) {
		leave_out(s, name, why, reader);
		return;
	}
	if (!sibling_name(cancel, name, job_suffix, cancel_suffix))
		return;
	why = give_line(s, cancel, reader, true);
	if (why != NULL && errno != ENOENT)
		leave_out(s, cancel, why, reader);
}

enum spool_result
spool_jobs(struct spool *s, const struct spool_reader *reader)
{
	struct kept_list kept = {0};

	/* What a crash left half written was never kept. */
	if (file_remove(s->dir, FILE_UNFINISHED) != 0)
		reader->left_out(reader->ctx, FILE_UNFINISHED, strerror(errno), false);
	if (list_jobs(s, &kept) != 0)
		return SPOOL_ERROR;
	for (size_t i = 0; i < kept.n; i++) {
		give_job(s, kept.p[i].name, reader);
		free(kept.p[i].name);
	}
	free(kept.p);
	return SPOOL_OK;
}

bool
spool_given(const struct spool *s, struct slice job_id)
{
	char name[NAME_SIZE];

	spool_name(name, job_id, "");
	return s->given != NULL && strncmp(s->given, name, strlen(name)) == 0 &&
	       s->given[strlen(name)] == '.';
}
