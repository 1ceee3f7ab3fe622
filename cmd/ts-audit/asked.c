/* A small file, so that what the API does not have is not asked for all night. */
#include "asked.h"

#include "file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
	char symbol[24]; /* no longer than one that the API could know */
	struct range range;
	int64_t at; /* seconds */
};

struct asked {
	const char *path;
	ARRAY(struct entry) all;
	size_t old; /* of all: what was in the file, sorted */
};

static int
compare_asked(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = strcmp(a->symbol, b->symbol);

	return order != 0 ? order : (int)a->range.tf - (int)b->range.tf;
}

static int
read_number(struct slice f, int64_t *v)
{
	uint64_t n = 0;
	bool negative = f.n > 0 && f.p[0] == '-';

	if (slice_count(slice_after(f, negative), &n) != 0 || n > INT64_MAX)
		return -1;
	*v = negative ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* A line that cannot be read counts as forgotten. */
static void
take_line(void *data, struct slice line)
{
	struct asked *a = data;
	struct slice symbol = slice_part(&line, "\t"), tf = slice_part(&line, "\t");
	struct entry e = {.range.tf = timeframe_parse(tf)};

	if (symbol.n == 0 || symbol.n >= sizeof e.symbol || e.range.tf == TF_NONE ||
		read_number(slice_part(&line, "\t"), &e.range.from) != 0 ||
		read_number(slice_part(&line, "\t"), &e.range.to) != 0 ||
		read_number(slice_part(&line, "\t"), &e.at) != 0)
		return;
	memcpy(e.symbol, symbol.p, symbol.n);
	*array_add(&a->all) = e;
}

struct asked *
asked_new(const char *path, const char **why)
{
	struct asked *a;
	struct buffer text = {0};

	*why = NULL;
	if (access(path, F_OK) == 0)
		*why = file_read(AT_FDCWD, path, ASKED_BYTES, &text);
	if (*why != NULL) {
		buffer_release(&text);
		return NULL;
	}
	a = memory_grow(NULL, 1, sizeof *a);
	*a = (struct asked){.path = path};
	file_lines(buffer_slice(&text), take_line, a);
	buffer_release(&text);
	a->old = a->all.n;
	if (a->old > 0)
		qsort(a->all.p, a->old, sizeof *a->all.p, compare_asked);
	return a;
}

void
asked_free(struct asked *a)
{
	if (a != NULL)
		free(a->all.p);
	free(a);
}

bool
asked_lately(const struct asked *a, struct slice symbol, const struct range *r, int64_t now)
{
	struct entry key = {.range = *r};
	const struct entry *e;

	if (symbol.n >= sizeof key.symbol || a->old == 0)
		return false;
	memcpy(key.symbol, symbol.p, symbol.n);
	e = bsearch(&key, a->all.p, a->old, sizeof key, compare_asked);
	while (e != NULL && e > a->all.p && compare_asked(e - 1, &key) == 0)
		e--;
	for (; e != NULL && e < a->all.p + a->old && compare_asked(e, &key) == 0; e++) {
		if (e->range.from <= r->from && e->range.to >= r->to && e->at <= now &&
			now - e->at < ASKED_SECONDS)
			return true;
	}
	return false;
}

void
asked_note(struct asked *a, struct slice symbol, const struct range *r, int64_t now)
{
	struct entry e = {.range = *r, .at = now};

	if (symbol.n >= sizeof e.symbol)
		return;
	memcpy(e.symbol, symbol.p, symbol.n);
	*array_add(&a->all) = e;
}

int
asked_save(struct asked *a)
{
	struct buffer text = {0};
	const char *slash = strrchr(a->path, '/');
	char *path;
	int dir, rc;

	if (a->all.n == a->old)
		return 0;
	for (size_t i = 0; i < a->all.n; i++) {
		const struct entry *e = &a->all.p[i];

		if (i >= a->old || a->all.p[a->all.n - 1].at - e->at < ASKED_SECONDS)
			buffer_printf(&text, "%s\t%s\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n",
				e->symbol, timeframe_name(e->range.tf), e->range.from, e->range.to,
				e->at);
	}
	path = slice_copy(slice_of(a->path));
	dir = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? -1
		     : file_replace(dir, slash == NULL ? a->path : slash + 1, buffer_slice(&text));
	if (dir >= 0)
		(void)close(dir);
	free(path);
	buffer_release(&text);
	return rc;
}
