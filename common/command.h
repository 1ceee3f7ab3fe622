#ifndef TS_COMMAND_H
#define TS_COMMAND_H

#include <stddef.h>
#include <stdint.h>

/*
 * What all commands begin with. Misuse ends the process here, so a command checks all that it was
 * told before it holds anything that must be given back.
 */

/* One option. Its value goes into the command's struct of options, offset bytes into it. */
struct command_option {
	char letter;
	const char *argument; /* what it is called in the usage; NULL for a flag */
	const char *help;     /* what -h says of it */
	size_t offset; /* of a bool for a flag, a uint64_t for a number, else of a const char * */
	uint64_t least, most; /* of a number; most 0: it is a text */
};

#define COMMAND_FLAG(letter, member, help)                                                         \
	{                                                                                          \
		(letter), NULL, (help), offsetof(struct options, member), 0, 0                     \
	}
#define COMMAND_TEXT(letter, argument, member, help)                                               \
	{                                                                                          \
		(letter), (argument), (help), offsetof(struct options, member), 0, 0               \
	}
#define COMMAND_NUMBER(letter, argument, member, least, most, help)                                \
	{                                                                                          \
		(letter), (argument), (help), offsetof(struct options, member), (least), (most)    \
	}

struct command {
	const char *name;
	const char *operands; /* as the usage shows them; NULL where none are taken */
	const struct command_option
		*options;    /* without -h, -V, -v and -q; the last one has letter 0 */
	const char *secrets; /* its own variables that hold secrets, or NULL */
};

/*
 * Called first in main. Reads the options into values, the command's struct, and names the command
 * to log.h; -h, -V, --help and --version are answered, and end the process. What values holds
 * before is what holds without the option. The operands begin at optind of getopt(3); an option
 * behind one of them is misuse, except behind "--".
 *
 * From here on no core file is written, which would hold what is secret in memory, and the secrets
 * of other commands are gone from the environment.
 */
void command_options(const struct command *, int argc, char **argv, void *values);

/* Says what is wrong with about, an option or variable, or NULL; and the usage. STATUS_USAGE. */
_Noreturn void command_misuse(const struct command *, const char *about, const char *what);

/* Signals are taken as signals_init() says, or the process ends with STATUS_SERVICE. */
void command_signals(int grace_s);

#endif
