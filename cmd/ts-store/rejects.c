/* What was not stored is kept for whoever can mend it. */
#include "rejects.h"

#include "log.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 65536 };

/* A line that was cut when its writer died must not swallow the next one. */
static int
end_last_line(int fd)
{
	struct stat st;
	char last = '\n';

	if (fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	if (pread(fd, &last, 1, st.st_size - 1) < 0)
		return -1;
	return last == '\n' || write(fd, "\n", 1) == 1 ? 0 : -1;
}

int
rejects_open(struct rejects *rj, const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return -1;
	if (end_last_line(fd) != 0) {
		int error = errno;

		(void)close(fd);
		errno = error;
		return -1;
	}
	*rj = (struct rejects){.path = path, .json = json_new()};
	writer_init(&rj->out, fd);
	return 0;
}

void
rejects_release(struct rejects *rj)
{
	(void)close(rj->out.fd);
	writer_release(&rj->out);
	json_free(rj->json);
	buffer_release(&rj->text);
	buffer_release(&rj->scratch);
}

static void
add_error(struct buffer *b, const char *why)
{
	buffer_str(b, ",\"error\":");
	buffer_json(b, slice_of(why));
	buffer_byte(b, '}');
}

/* Appends the object's members but "error": the reason why it was refused before. */
static void
add_others(struct rejects *rj, struct buffer *b)
{
	const char *before = "{";

	for (json_at key = json_first(rj->json, 0); key >= 0; key = json_next(rj->json, key)) {
		struct slice name = json_raw(rj->json, key);
		struct slice value = json_raw(rj->json, json_value(key));
		bool text = json_type(rj->json, json_value(key)) == JSON_STRING;

		rj->scratch.len = 0;
		if (slice_is(json_decode(rj->json, key, &rj->scratch), "error"))
			continue;
		buffer_str(b, before);
		before = ",";
		buffer_byte(b, '"');
		buffer_add(b, name.p, name.n);
		buffer_str(b, text ? "\":\"" : "\":");
		buffer_add(b, value.p, value.n);
		if (text)
			buffer_byte(b, '"');
	}
}

/* Makes the line; false if that could not be read again. */
static bool
make_line(struct rejects *rj, struct slice line, const char *why)
{
	struct buffer *b = &rj->text;

	b->len = 0;
	if (json_parse(rj->json, line) != NULL)
		return false;
	if (json_find(rj->json, 0, "error") >= 0) {
		add_others(rj, b);
	} else {
		size_t n = line.n;

		while (n > 0 && line.p[n - 1] != '}')
			n--;
		buffer_add(b, line.p, n - 1);
	}
	add_error(b, why);
	return b->len + 1 < LINES_MAX && json_parse(rj->json, buffer_slice(b)) == NULL;
}

void
rejects_add(struct rejects *rj, struct slice line, const struct record *r, const char *why)
{
	if (rj == NULL)
		return;
	if (line.n == 0 || !make_line(rj, line, why)) {
		rj->text.len = 0;
		record_write(&rj->text, r);
		rj->text.len -= strlen("}\n");
		add_error(&rj->text, why);
	}
	writer_line(&rj->out, buffer_slice(&rj->text));
}

void
rejects_add_text(struct rejects *rj, struct slice line, const char *why)
{
	struct slice text = slice_cut(line, TEXT_MAX);

	if (rj == NULL)
		return;
	for (size_t i = 0, n; i < text.n; i += n) {
		if ((n = utf8_length(text.p + i, text.n - i)) == 0)
			return;
	}
	rj->text.len = 0;
	buffer_str(&rj->text, "{\"line\":");
	buffer_json(&rj->text, text);
	add_error(&rj->text, why);
	writer_line(&rj->out, buffer_slice(&rj->text));
}

int
rejects_flush(struct rejects *rj)
{
	bool logged = rj != NULL && rj->out.error != 0;

	if (rj == NULL || writer_flush(&rj->out) == 0)
		return 0;
	if (!logged)
		log_error("writing %s: %s", rj->path, strerror(rj->out.error));
	return -1;
}
