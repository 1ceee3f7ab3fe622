#ifndef TS_LOG_H
#define TS_LOG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a command says and how it ends. Every call writes one line of under 1000 bytes to stderr
 * in one write(2), "name: level: text", control characters escaped, no time stamp (svlogd adds
 * it). Callers never pass a secret. On a terminal a line takes the place of what stands in the one
 * under the cursor: a meter, which its owner draws again.
 */

/* Exit statuses, the same for all commands; see ts-pipeline(7). */
enum status {
	STATUS_DONE = 0,
	STATUS_REFUSED = 1,   /* finished, but records failed or were rejected */
	STATUS_USAGE = 100,   /* usage, configuration, schema: do not restart */
	STATUS_BUG = 101,     /* a bug in this program */
	STATUS_SERVICE = 111, /* a service or the disk failed after retries: restart later */
	STATUS_READER = 141,  /* the reader of stdout went away */
};

/* To the start of the line, and clears it. */
#define LOG_WIPE "\r\033[K"

/* Whether stderr is a terminal that obeys such escapes. */
bool log_terminal(void);

/*
 * Names the command; verbose makes log_debug() speak, quiet leaves nothing but warnings and errors,
 * and whatever verbose asks for. Called first, and again once options are read.
 */
void log_init(const char *name, bool verbose, bool quiet);
bool log_is_quiet(void);

/* What can never be: says so and ends the process with STATUS_BUG. */
_Noreturn void log_bug(const char *what);

/*
 * The last line of a command: "end", what it has counted, up to the one whose name is NULL, and how
 * many seconds it took. say is one of the functions below.
 */
struct log_count {
	const char *name;
	uint64_t n;
};
void log_end(
	void (*say)(const char *fmt, ...), const char *end, const struct log_count *, int64_t ms);

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What a run begins and ends with: with -v, and in a service, whose log is read later. */
void log_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
