/* A small file, so that what the API does not have is not asked for all night. */
#include "asked.h"

#include "buffer.h"
#include "file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
	char symbol[24]; /* no longer than one that the API could know */
	enum timeframe tf;
	int64_t from, to, at; /* keys; seconds */
};

struct asked {
	char *path;
	ARRAY(struct entry) old;
	ARRAY(struct entry) new;
};

static int
compare_asked(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = strcmp(a->symbol, b->symbol);

	return order != 0 ? order : (a->tf > b->tf) - (a->tf < b->tf);
}

static struct slice
take_field(struct slice *line)
{
	const char *tab = memchr(line->p, '\t', line->n);
	size_t n = tab == NULL ? line->n : (size_t)(tab - line->p);
	struct slice f = {line->p, n};

	n += tab != NULL;
	*line = (struct slice){line->p + n, line->n - n};
	return f;
}

static int
read_number(struct slice f, int64_t *v)
{
	uint64_t n = 0;
	bool negative = f.n > 0 && f.p[0] == '-';

	if (slice_count((struct slice){f.p + negative, f.n - negative}, &n) != 0 || n > INT64_MAX)
		return -1;
	*v = negative ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* A line that cannot be read counts as forgotten. */
static void
take_line(void *data, struct slice line)
{
	struct asked *a = data;
	struct slice symbol = take_field(&line);
	struct entry e = {.tf = timeframe_parse(take_field(&line))};

	if (symbol.n == 0 || symbol.n >= sizeof e.symbol || e.tf == TF_NONE ||
		read_number(take_field(&line), &e.from) != 0 ||
		read_number(take_field(&line), &e.to) != 0 ||
		read_number(take_field(&line), &e.at) != 0)
		return;
	memcpy(e.symbol, symbol.p, symbol.n);
	*array_add(&a->old) = e;
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
	*a = (struct asked){.path = slice_copy(slice_of(path))};
	file_lines(buffer_slice(&text), take_line, a);
	buffer_release(&text);
	if (a->old.n > 0)
		qsort(a->old.p, a->old.n, sizeof *a->old.p, compare_asked);
	return a;
}

void
asked_free(struct asked *a)
{
	if (a == NULL)
		return;
	free(a->path);
	free(a->old.p);
	free(a->new.p);
	free(a);
}

bool
asked_lately(const struct asked *a, struct slice symbol, enum timeframe tf, int64_t from,
	int64_t to, int64_t now)
{
	size_t lo = 0, hi = a->old.n;
	struct entry key = {.tf = tf};

	if (symbol.n >= sizeof key.symbol)
		return false;
	memcpy(key.symbol, symbol.p, symbol.n);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_asked(&a->old.p[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < a->old.n && compare_asked(&a->old.p[lo], &key) == 0; lo++) {
		const struct entry *e = &a->old.p[lo];

		if (e->from <= from && e->to >= to && e->at <= now && now - e->at < ASKED_SECONDS)
			return true;
	}
	return false;
}

void
asked_note(struct asked *a, struct slice symbol, enum timeframe tf, int64_t from, int64_t to,
	int64_t now)
{
	struct entry e = {.tf = tf, .from = from, .to = to, .at = now};

	if (symbol.n >= sizeof e.symbol)
		return;
	memcpy(e.symbol, symbol.p, symbol.n);
	*array_add(&a->new) = e;
}

static void
add_entry(struct buffer *b, const struct entry *e)
{
	buffer_printf(b, "%s\t%s\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", e->symbol,
		timeframe_name(e->tf), e->from, e->to, e->at);
}

int
asked_save(struct asked *a)
{
	struct buffer text = {0};
	char *name = strrchr(a->path, '/');
	int64_t latest = a->new.n > 0 ? a->new.p[a->new.n - 1].at : 0;
	int dir, rc;

	if (a->new.n == 0)
		return 0;
	for (size_t i = 0; i < a->old.n; i++) {
		if (latest - a->old.p[i].at < ASKED_SECONDS)
			add_entry(&text, &a->old.p[i]);
	}
	for (size_t i = 0; i < a->new.n; i++)
		add_entry(&text, &a->new.p[i]);
	if (name != NULL)
		*name++ = '\0';
	dir = open(name == NULL		? "."
		   : a->path[0] == '\0' ? "/"
					: a->path,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? -1 : file_replace(dir, name == NULL ? a->path : name, buffer_slice(&text));
	if (name != NULL)
		*--name = '/';
	if (dir >= 0)
		(void)close(dir);
	buffer_release(&text);
	return rc;
}
