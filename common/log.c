/* One line, one write: concurrent stages share stderr, and their lines must not mix. */
#include "log.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1000 };

static const char *command = "ts";
static bool debug;
static bool quiet;
static bool terminal; /* it obeys escapes */

bool
log_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) == 1 && term != NULL && term[0] != '\0' &&
	       strcmp(term, "dumb") != 0;
}

void
log_init(const char *name, bool verbose, bool silent)
{
	command = name;
	debug = verbose;
	quiet = silent;
	terminal = log_terminal();
}

bool
log_is_quiet(void)
{
	return quiet;
}

static void __attribute__((format(printf, 2, 0)))
write_line(const char *level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES + 4]; /* so that it is never cut but by utf8_escape() */
	char line[LINE_MAX_BYTES];
	int head;
	size_t n;

	/* The meter of another stage may stand there; it is drawn again below this line. */
	head = snprintf(line, sizeof line, "%s%s: %s", terminal ? LOG_WIPE : "", command, level);
	if (head < 0 || vsnprintf(text, sizeof text, fmt, ap) < 0)
		return;
	n = (size_t)head;
	n += utf8_escape(line + n, sizeof line - n - 1, text, strlen(text));
	line[n++] = '\n';
	/* Nothing is left to be told where stderr is gone. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

#define LOG_FUNCTION(name, level, unwanted)                                                        \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list ap;                                                                        \
		if (unwanted)                                                                      \
			return;                                                                    \
		va_start(ap, fmt);                                                                 \
		write_line(level, fmt, ap);                                                        \
		va_end(ap);                                                                        \
	}

LOG_FUNCTION(log_debug, "debug: ", !debug)
LOG_FUNCTION(log_info, "", quiet)
LOG_FUNCTION(log_run, "", quiet || !(debug || getenv("TS_SERVICE") != NULL))
LOG_FUNCTION(log_warning, "warning: ", false)
LOG_FUNCTION(log_error, "error: ", false)

void
log_bug(const char *what)
{
	log_error("a bug in this program, please report it: %s", what);
	_exit(STATUS_BUG);
}

void
log_end(void (*say)(const char *fmt, ...), const char *end, const struct log_count *c, int64_t ms)
{
	char text[LINE_MAX_BYTES];
	size_t n = 0;

	for (text[0] = '\0'; c->name != NULL && n < sizeof text; c++)
		n += (size_t)snprintf(text + n, sizeof text - n, " %s=%" PRIu64, c->name, c->n);
	say("%s%s seconds=%" PRId64 ".%" PRId64, end, text, ms / 1000, ms / 100 % 10);
}
