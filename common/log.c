/* One line, one write: concurrent stages share stderr, and their lines must not mix. */
#include "log.h"

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

/*
 * How many bytes at p must not reach a terminal as they are: a control character (C0, DEL, C1), a
 * line or paragraph separator, or one that turns the direction of writing (Unicode's Bidi_Control).
 * 0 for none. utf8.h knows them too, but stands above this module.
 */
static size_t
unsafe(const unsigned char *p)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return 1;
	if ((p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) || (p[0] == 0xd8 && p[1] == 0x9c))
		return 2;
	if (p[0] == 0xe2 && p[1] == 0x80 &&
		(p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae)))
		return 3;
	return p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9 ? 3 : 0;
}

/* Copies text to out, what is unsafe as \xNN, no character cut, and returns the length used. */
static size_t
escape(char *out, size_t cap, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)text;
	size_t n = 0, end = 0; /* end: where the last whole character ended */

	while (*p != '\0' && n + 4 < cap) {
		size_t k = unsafe(p);

		if ((*p & 0xc0) != 0x80)
			end = n;
		if (k == 0) {
			out[n++] = (char)*p++;
			continue;
		}
		for (; k > 0 && n + 4 < cap; k--, p++) {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex[*p >> 4];
			out[n++] = hex[*p & 15];
		}
		end = n;
	}
	return *p == '\0' || (*p & 0xc0) != 0x80 ? n : end;
}

static void __attribute__((format(printf, 2, 0)))
write_line(const char *level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES + 4]; /* so that it is never cut but by escape() */
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
