/* Symbols as people have them: on the command line, in a list, with commas. */
#include "operands.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MOST = 16 << 20, SOURCE_SYMBOLS = 3 };

static const char dividers[] = ", \t\r\n";

const char *
operand_fault(const char *operand)
{
	size_t n = strlen(operand);

	if (n > 5 && strcmp(operand + n - 5, ".json") == 0)
		return "a job is read from standard input, as in ts-expand <job.json";
	return operand[strspn(operand, dividers)] == '\0' ? "not a symbol" : NULL;
}

static void
add_words(struct job *j, struct slice s)
{
	while (s.n > 0) {
		struct slice word = slice_part(&s, dividers);

		if (word.n > 0)
			job_add_symbol(j, word);
	}
}

void
operand_symbols(struct job *j, const char *operand)
{
	add_words(j, slice_of(operand));
}

int
operand_file(struct job *j, const char *path, struct buffer *text)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	const char *why;
	int error;

	if (fd < 0)
		return -1;
	why = file_take(fd, FILE_MOST, text);
	error = errno;
	if (fd != STDIN_FILENO)
		(void)close(fd);
	errno = error;
	if (why != NULL)
		return -1;
	for (struct slice rest = buffer_slice(text); rest.n > 0;) {
		struct slice line = slice_part(&rest, "\n");

		add_words(j, slice_part(&line, "#"));
	}
	return 0;
}

void
operand_source(const struct job *j, const char *path, struct buffer *b)
{
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	size_t shown = j->symbols.n > SOURCE_SYMBOLS ? SOURCE_SYMBOLS - 1 : j->symbols.n;

	if (path != NULL && strcmp(path, "-") != 0) {
		buffer_str(b, slash == NULL ? path : slash + 1);
		return;
	}
	for (size_t i = 0; i < shown; i++) {
		buffer_str(b, i == 0 ? "" : ", ");
		buffer_add(b, j->symbols.p[i].p, j->symbols.p[i].n);
	}
	if (shown < j->symbols.n)
		buffer_printf(b, " and %zu more", j->symbols.n - shown);
}
