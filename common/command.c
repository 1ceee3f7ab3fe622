/* The options that every command has, and how it says that it was misused. */
#include "command.h"

#include "log.h"
#include "signals.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static int
print(const char *a, const char *b)
{
	return fputs(a, stdout) < 0 || fputs(b, stdout) < 0 || fflush(stdout) != 0 ? STATUS_SERVICE
										   : STATUS_DONE;
}

int
command_option(const struct command *c, int letter, bool *verbose)
{
	switch (letter) {
	case 'h':
		return print(c->usage, "");
	case 'V':
		return print(c->name, " " TS_VERSION "\n");
	case 'v':
		*verbose = true;
		return -1;
	default:
		(void)fputs(c->usage, stderr);
		return STATUS_USAGE;
	}
}

int
command_misuse(const struct command *c, const char *about, const char *what)
{
	log_error("%s%s%s", about == NULL ? "" : about, about == NULL ? "" : ": ", what);
	(void)fputs(c->usage, stderr);
	return STATUS_USAGE;
}

void
command_no_core(void)
{
	static const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
}

int
command_signals(int grace_s)
{
	if (signals_init(grace_s) == 0)
		return -1;
	log_error("signals: %s", strerror(errno));
	return STATUS_SERVICE;
}
