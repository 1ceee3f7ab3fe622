/* A file that somebody edits on the day of a hurricane: whatever is not understood is told, so that
 * no closure is passed over in silence. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "closures.h"

#include "file.h"
#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 1 << 20 };

struct reading {
	void (*take)(void *, int32_t date, bool half);
	void *data;
};

/* NULL, or what is wrong with the line. */
static const char *
take_line(const struct reading *r, struct slice line)
{
	int32_t date;

	if (line.n == 0 || line.p[0] == '#')
		return NULL;
	if (date_parse(slice_part(&line, " \t"), &date) != 0)
		return "does not begin with a date such as 2026-03-11";
	if (date_weekday(date) == 0 || date_weekday(date) == 6)
		return "is a day of a weekend";
	line = slice_trim(line);
	if (!slice_is(line, "closed") && !slice_is(line, "13:00"))
		return "says neither closed nor 13:00";
	r->take(r->data, date, line.p[0] == '1');
	return NULL;
}

const char *
closures_read(const char *path, void (*take)(void *, int32_t date, bool half), void *data)
{
	static char reason[300];
	const struct reading r = {take, data};
	struct buffer text = {0};
	char *real = realpath(path, NULL);
	const char *why = real == NULL ? strerror(errno) : file_read(AT_FDCWD, real, BYTES, &text);
	struct slice rest = buffer_slice(&text);
	int line = 0;

	for (; why == NULL && rest.n > 0; line++)
		why = take_line(&r, slice_trim(slice_part(&rest, "\n")));
	if (why != NULL && line > 0)
		(void)snprintf(reason, sizeof reason, "TS_CLOSURES: line %d %s", line, why);
	else if (why != NULL)
		(void)snprintf(reason, sizeof reason, "TS_CLOSURES: %s", why);
	buffer_release(&text);
	free(real);
	return why == NULL ? NULL : reason;
}
