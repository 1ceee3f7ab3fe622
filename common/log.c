/* One line, one write: concurrent stages share stderr, and their lines must not mix. */
#include "log.h"

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
log_init(const char *name, bool verbose)
{
	command = name;
	debug = verbose;
	terminal = log_terminal();
}

void
log_quiet(void)
{
	quiet = true;
}

bool
log_is_quiet(void)
{
	return quiet;
}

/* Copies text to out, control characters as \xNN, and returns the length used. */
static size_t
escape(char *out, size_t cap, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *text != '\0' && n + 4 < cap; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f) {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		} else {
			out[n++] = (char)c;
		}
	}
	return n;
}

static void __attribute__((format(printf, 2, 0)))
say(const char *level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	char line[LINE_MAX_BYTES];
	int head;
	size_t n;

	/* The meter of another stage may stand there; it is drawn again below this line. */
	head = snprintf(line, sizeof line, "%s%s: %s", terminal ? LOG_WIPE : "", command, level);
	if (head < 0 || vsnprintf(text, sizeof text, fmt, ap) < 0)
		return;
	n = (size_t)head;
	n += escape(line + n, sizeof line - n - 1, text);
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
		say(level, fmt, ap);                                                               \
		va_end(ap);                                                                        \
	}

LOG_FUNCTION(log_debug, "debug: ", !debug)
LOG_FUNCTION(log_info, "", quiet)
LOG_FUNCTION(log_warning, "warning: ", false)
LOG_FUNCTION(log_error, "error: ", false)
