#ifndef TS_COMMAND_H
#define TS_COMMAND_H

#include <stdbool.h>

/*
 * What all command lines have in common. The functions give the exit status (log.h) to end with, or
 * -1 to go on.
 */
struct command {
	const char *name;
	const char *usage; /* with its newline */
};

/*
 * A letter of getopt(3) that is no option of the command's own: -h, -V and -v, or one that getopt
 * has complained about.
 */
int command_option(const struct command *, int letter, bool *verbose);

/* Says what is wrong with about, an option or variable, or NULL; and the usage. */
int command_misuse(const struct command *, const char *about, const char *what);

/* From here on there is no core file, which would hold what is secret in memory. */
void command_no_core(void);

/* Signals are taken as signals_init() says. */
int command_signals(int grace_s);

#endif
