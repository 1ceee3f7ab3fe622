/* Recorded replies, served byte for byte. File names say ticker and span:
 * aapl_day_2019-01-01_2019-02-01_note.json. */
#include "recorded.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS "error_bodies.jsonl"

struct reply_file {
	char name[256];
	char ticker[64];
	enum span span;
	int64_t first, last; /* start of its first and last bar */
	struct text body;
};

struct recorded {
	struct reply_file *files;
	size_t n;
	struct text errors;
};

static int
read_whole(const char *dir, const char *name, struct text *out)
{
	char path[1024];
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if ((f = fopen(path, "rb")) == NULL)
		return -1;
	do {
		n = fread(text_room(out, 65536), 1, 65535, f);
		out->len += n;
	} while (n > 0);
	*text_room(out, 1) = '\0';
	fclose(f);
	return 0;
}

/* Ticker and span out of the name. */
static int
parse_name(struct reply_file *file)
{
	size_t n = strcspn(file->name, "_"), i, len;
	const char *span = file->name + n + 1;

	if (n == 0 || n >= sizeof file->ticker || file->name[n] == '\0')
		return -1;
	for (i = 0; i < n; i++)
		file->ticker[i] = (char)toupper((unsigned char)file->name[i]);
	file->ticker[n] = '\0';
	len = strcspn(span, "_.");
	return (file->span = span_named(span, len)) == SPANS ? -1 : 0;
}

static void
find_bars(struct reply_file *file)
{
	const char *s = file->body.p;
	int64_t t;

	file->first = INT64_MAX;
	file->last = -1;
	while ((s = strstr(s, "\"t\"")) != NULL) {
		for (s += 3; *s == ' ' || *s == ':'; s++)
			;
		t = strtoll(s, NULL, 10);
		file->first = t < file->first ? t : file->first;
		file->last = t > file->last ? t : file->last;
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct reply_file *)a)->name, ((const struct reply_file *)b)->name);
}

static int
add_file(struct recorded *r, const char *dir, const char *name)
{
	struct reply_file file, *grown;

	memset(&file, 0, sizeof file);
	snprintf(file.name, sizeof file.name, "%s", name);
	if (parse_name(&file) != 0)
		return 0;
	if ((grown = realloc(r->files, (r->n + 1) * sizeof file)) == NULL)
		return -1;
	r->files = grown;
	if (read_whole(dir, name, &file.body) != 0)
		return -1;
	find_bars(&file);
	r->files[r->n++] = file;
	return 0;
}

struct recorded *
recorded_new(const char *dir)
{
	struct recorded *r = calloc(1, sizeof *r);
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t len;
	int rc = r != NULL && d != NULL ? 0 : -1;

	while (rc == 0 && (e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (len > 5 && strcmp(e->d_name + len - 5, ".json") == 0)
			rc = add_file(r, dir, e->d_name);
		else if (strcmp(e->d_name, ERRORS) == 0)
			rc = read_whole(dir, ERRORS, &r->errors);
	}
	if (d != NULL)
		closedir(d);
	if (rc != 0) {
		fprintf(stderr, "ts-sim: error: cannot read the recorded replies in %s\n", dir);
		recorded_free(r);
		return NULL;
	}
	if (r->n > 0)
		qsort(r->files, r->n, sizeof *r->files, by_name);
	return r;
}

void
recorded_free(struct recorded *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		text_free(&r->files[i].body);
	free(r->files);
	text_free(&r->errors);
	free(r);
}

/* Is this the request that a recorded next_url asks for? */
static bool
follows(const struct reply_file *file, const char *uri)
{
	const char *next = strstr(file->body.p, "\"next_url\""), *path;

	if (next == NULL || (path = strstr(next, "/v2/")) == NULL)
		return false;
	return strncmp(path, uri, strcspn(uri, "?")) == 0;
}

bool
recorded_page(const struct recorded *r, const struct query *q, const char *uri, struct text *out)
{
	const struct reply_file *file;
	size_t i;

	for (i = 0; r != NULL && i < r->n; i++) {
		file = &r->files[i];
		if (file->span != q->span || strcmp(file->ticker, q->ticker) != 0)
			continue;
		if (q->paged && follows(file, uri)) {
			text_str(out, "{\"ticker\":\"");
			text_str(out, q->ticker);
			text_str(out, "\",\"queryCount\":0,\"resultsCount\":0,\"adjusted\":true,"
				      "\"status\":\"OK\","
				      "\"request_id\":\"5e1f\",\"count\":0}");
			return true;
		}
		if (!q->paged && q->from <= file->last && q->to >= file->first) {
			text_put(out, file->body.p, file->body.len);
			return true;
		}
	}
	return false;
}

/* Append the JSON string that begins at s, unescaped. Only ASCII is escaped as \u in these files.
 */
static void
put_unescaped(struct text *out, const char *s)
{
	char hex[5] = "", c;

	for (; *s != '\0' && *s != '"'; s++) {
		c = *s;
		if (c == '\\') {
			c = *++s;
			if (c == 'u' && strlen(s) > 4) {
				memcpy(hex, s + 1, 4);
				c = (char)strtoul(hex, NULL, 16);
				s += 4;
			} else if (c == 'n') {
				c = '\n';
			}
		}
		text_put(out, &c, 1);
	}
}

bool
recorded_error(const struct recorded *r, long k, int *status, struct text *out)
{
	const char *s, *http, *body;

	if (r == NULL || r->errors.p == NULL || k < 1)
		return false;
	for (s = r->errors.p; --k > 0 && s != NULL; s = s == NULL ? NULL : s + 1)
		s = strchr(s, '\n');
	if (s == NULL || (http = strstr(s, "\"http\":")) == NULL ||
		(body = strstr(s, "\"body\":")) == NULL)
		return false;
	*status = (int)strtol(http + 7, NULL, 10);
	if ((s = strchr(body + 7, '"')) == NULL)
		return false;
	put_unescaped(out, s + 1);
	return true;
}
