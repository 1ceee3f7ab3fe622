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

/* Adds the words of a text up to end. */
static void
add_words(struct job *j, const char *p, const char *end)
{
	while (p < end) {
		size_t n = 0;

		while (p + n < end && strchr(dividers, p[n]) == NULL)
			n++;
		if (n > 0)
			job_add_symbol(j, (struct slice){p, n});
		p += n + 1;
	}
}

void
operand_symbols(struct job *j, const char *operand)
{
	add_words(j, operand, operand + strlen(operand));
}

int
operand_file(struct job *j, const char *path, struct buffer *text)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int result, error;

	if (fd < 0)
		return -1;
	result = file_take(fd, FILE_MOST, text) == NULL ? 0 : -1;
	error = errno;
	if (fd != STDIN_FILENO)
		(void)close(fd);
	errno = error;
	for (const char *p = text->p, *end = p + text->len, *line; result == 0 && p < end;
		p = line + 1) {
		const char *comment;

		line = memchr(p, '\n', (size_t)(end - p));
		if (line == NULL)
			line = end;
		comment = memchr(p, '#', (size_t)(line - p));
		add_words(j, p, comment != NULL ? comment : line);
	}
	return result;
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
