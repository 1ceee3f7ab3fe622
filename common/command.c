/* How every command reads its options, explains them, and says that it was misused. */
#include "command.h"

#include "lines.h"
#include "log.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LETTERS_MAX = 128 };

static const struct command_option common[] = {
	{'h', NULL, "print this and exit", 0, 0, 0},
	{'V', NULL, "print the version and exit", 0, 0, 0},
	{'v', NULL, "say more on standard error", 0, 0, 0},
	{'q', NULL, "say nothing but trouble", 0, 0, 0},
	{0},
};

/* The line that shows all letters. */
static void
add_usage(struct buffer *b, const struct command *c)
{
	buffer_printf(b, "usage: %s [-hVvq", c->name);
	for (const struct command_option *o = c->options; o->letter != 0; o++) {
		if (o->argument == NULL)
			buffer_byte(b, o->letter);
	}
	buffer_byte(b, ']');
	for (const struct command_option *o = c->options; o->letter != 0; o++) {
		if (o->argument != NULL)
			buffer_printf(b, " [-%c %s]", o->letter, o->argument);
	}
	buffer_printf(b, "%s%s\n", c->operands == NULL ? "" : " ",
		c->operands == NULL ? "" : c->operands);
}

/* A line for each option, what they do one below the other. */
static void
add_help(struct buffer *b, const struct command_option *options, size_t width)
{
	for (const struct command_option *o = options; o->letter != 0; o++)
		buffer_printf(b, "  -%c %-*s  %s\n", o->letter, (int)width,
			o->argument == NULL ? "" : o->argument, o->help);
}

/* Ends the process with the text on stdout. */
static _Noreturn void
print_text(struct buffer *text)
{
	struct writer out;
	int status;

	writer_init(&out, STDOUT_FILENO);
	buffer_add(writer_room(&out), text->p, text->len);
	status = writer_end(&out, STATUS_DONE);
	writer_release(&out);
	buffer_release(text);
	exit(status);
}

static _Noreturn void
print_help(const struct command *c)
{
	struct buffer b = {0};
	size_t width = 0;

	for (const struct command_option *o = c->options; o->letter != 0; o++) {
		if (o->argument != NULL && strlen(o->argument) > width)
			width = strlen(o->argument);
	}
	add_usage(&b, c);
	add_help(&b, common, width);
	add_help(&b, c->options, width);
	print_text(&b);
}

static _Noreturn void
print_version(const struct command *c)
{
	struct buffer b = {0};

	buffer_printf(&b, "%s " TS_VERSION "\n", c->name);
	print_text(&b);
}

/* What getopt(3) does not know: a long option, which stands at argv[optind] still, or a letter. */
static _Noreturn void
refuse_unknown(const struct command *c, const char *argument)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	if (optopt == '-' && strcmp(argument, "--help") == 0)
		print_help(c);
	if (optopt == '-' && strcmp(argument, "--version") == 0)
		print_version(c);
	command_misuse(c, optopt == '-' ? argument : letter, "unknown option");
}

static void
take_value(const struct command *c, char letter, void *values)
{
	const struct command_option *o = c->options;
	const char name[] = {'-', letter, '\0'};
	char what[80];
	void *value;

	while (o->letter != letter)
		o++;
	value = (char *)values + o->offset;
	if (o->argument == NULL) {
		*(bool *)value = true;
	} else if (o->most == 0) {
		*(const char **)value = optarg;
	} else if (slice_count(slice_of(optarg), value) != 0 || *(uint64_t *)value < o->least ||
		   *(uint64_t *)value > o->most) {
		(void)snprintf(what, sizeof what, "wants a number from %" PRIu64 " to %" PRIu64,
			o->least, o->most);
		command_misuse(c, name, what);
	}
}

static void
check_operands(const struct command *c, int argc, char **argv)
{
	/* It is not repeated: it may hold a password. */
	if (optind < argc && c->operands == NULL)
		command_misuse(c, NULL, "no operands are taken");
	if (optind == argc || strcmp(argv[optind - 1], "--") == 0)
		return;
	for (int i = optind; i < argc; i++) {
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			command_misuse(c, argv[i], "options come before operands");
	}
}

/* The letters as getopt(3) wants them; the first colon makes it tell a missing argument apart. */
static void
letters_of(const struct command *c, char letters[LETTERS_MAX])
{
	size_t n = 0;

	letters[n++] = ':';
	for (const struct command_option *o = common; o->letter != 0; o++)
		letters[n++] = o->letter;
	for (const struct command_option *o = c->options; o->letter != 0; o++) {
		letters[n++] = o->letter;
		if (o->argument != NULL)
			letters[n++] = ':';
	}
	letters[n] = '\0';
}

static void
drop_secrets(const struct command *c)
{
	static const char *const names[] = {"MASSIVE_API_KEY", "MASSIVE_API_KEY_FILE",
		"DATABASE_URL", "PGPASSWORD", "REDIS_URL"};
	static const struct rlimit no_core = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &no_core);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *value = getenv(names[i]);

		if (value == NULL || (c->secrets != NULL && strstr(c->secrets, names[i]) != NULL))
			continue;
		/* unsetenv(3) alone leaves it where others can read it: in /proc/PID/environ. */
		memset(value, 'x', strlen(value));
		(void)unsetenv(names[i]);
	}
}

void
command_options(const struct command *c, int argc, char **argv, void *values)
{
	char letters[LETTERS_MAX];
	bool verbose = false, quiet = false;
	int letter;

	lines_init();
	log_init(c->name, false, false);
	drop_secrets(c);
	letters_of(c, letters);
	opterr = 0;
	while ((letter = getopt(argc, argv, letters)) != -1) {
		const char name[] = {'-', (char)optopt, '\0'};

		switch (letter) {
		case 'h':
			print_help(c);
		case 'V':
			print_version(c);
		case 'v':
			verbose = true;
			break;
		case 'q':
			quiet = true;
			break;
		case ':':
			command_misuse(c, name, "its argument is missing");
		case '?':
			refuse_unknown(c, argv[optind]);
		default:
			take_value(c, (char)letter, values);
			break;
		}
	}
	log_init(c->name, verbose, quiet);
	check_operands(c, argc, argv);
}

void
command_misuse(const struct command *c, const char *about, const char *what)
{
	struct buffer b = {0};

	log_error("%s%s%s", about == NULL ? "" : about, about == NULL ? "" : ": ", what);
	add_usage(&b, c);
	/* Nothing is left to be told where stderr is gone. */
	if (write(STDERR_FILENO, b.p, b.len) < 0)
		b.len = 0;
	buffer_release(&b);
	exit(STATUS_USAGE);
}

void
command_signals(int grace_s)
{
	if (signals_init(grace_s) == 0)
		return;
	log_error("signals: %s", strerror(errno));
	exit(STATUS_SERVICE);
}
