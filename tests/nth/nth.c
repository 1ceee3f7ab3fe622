/*
 * Preloaded into a command: makes the Nth call of one kind fail, once, as a machine that is short
 * of something does. NTH_CALL names the kind: malloc, write, fsync, rename or read. NTH is which
 * call, 0 for none. NTH_FROM=program counts the calls of the program's own code alone, not those of
 * its libraries. NTH_COUNT names a file that gets the number of such calls at exit. NTH_FAILED
 * names one that is made when the call has failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

enum call { CALL_NONE, CALL_MALLOC, CALL_WRITE, CALL_FSYNC, CALL_RENAME, CALL_READ };
static const char *const call_names[] = {"none", "malloc", "write", "fsync", "rename", "read"};

static enum call wanted;
static long nth;
static atomic_long calls;
static uintptr_t text_start, text_end;

static int
find_text(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type == PT_LOAD && (h->p_flags & PF_X)) {
			text_start = info->dlpi_addr + h->p_vaddr;
			text_end = text_start + h->p_memsz;
		}
	}
	/* The program comes first. */
	return 1;
}

__attribute__((constructor)) static void
set_up(void)
{
	const char *call = getenv("NTH_CALL"), *from = getenv("NTH_FROM"), *n = getenv("NTH");

	if (from != NULL && strcmp(from, "program") == 0)
		(void)dl_iterate_phdr(find_text, NULL);
	nth = n == NULL ? 0 : strtol(n, NULL, 10);
	for (size_t i = 0; call != NULL && i < sizeof call_names / sizeof *call_names; i++) {
		if (strcmp(call, call_names[i]) == 0)
			wanted = (enum call)i;
	}
}

static void
put(const char *path, long n)
{
	char text[32];
	int len = snprintf(text, sizeof text, "%ld\n", n);
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd >= 0) {
		(void)syscall(SYS_write, fd, text, (size_t)len);
		(void)close(fd);
	}
}

__attribute__((destructor)) static void
tell_count(void)
{
	put(getenv("NTH_COUNT"), calls);
}

static int
fails(enum call call, const void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	if (call != wanted || (text_end != 0 && (at < text_start || at >= text_end)))
		return 0;
	if (atomic_fetch_add(&calls, 1) + 1 != nth)
		return 0;
	wanted = CALL_NONE;
	put(getenv("NTH_FAILED"), nth);
	return 1;
}
/* A pipe between the threads of a program, or from its signal handler to itself, takes a byte
 * always. */
static int
own_pipe(int fd)
{
	struct stat st;

	return fd > STDERR_FILENO && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

#define FAILS(call) fails(call, __builtin_return_address(0))

void *
malloc(size_t n)
{
	if (FAILS(CALL_MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	if (FAILS(CALL_MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	if (FAILS(CALL_MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, n);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	if (!own_pipe(fd) && FAILS(CALL_WRITE)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_write, fd, p, n);
}

ssize_t
read(int fd, void *p, size_t n)
{
	if (!own_pipe(fd) && FAILS(CALL_READ)) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_read, fd, p, n);
}

int
fsync(int fd)
{
	if (FAILS(CALL_FSYNC)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int
rename(const char *from, const char *to)
{
	if (FAILS(CALL_RENAME)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_rename, from, to);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	if (FAILS(CALL_RENAME)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}
