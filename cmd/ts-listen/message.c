/* From a message on a channel to a line for the pipe. Only what every stage must rely on is
 * checked: whether the job makes sense is for ts-expand to say, by name. */
#include "message.h"

#include "json.h"
#include "lines.h"
#include "record.h"
#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct messages {
	struct json *json;
	struct buffer scratch;
	char why[200];
};

struct messages *
messages_new(void)
{
	struct messages *m = memory_grow(NULL, 1, sizeof *m);

	*m = (struct messages){.json = json_new()};
	return m;
}

void
messages_free(struct messages *m)
{
	if (m == NULL)
		return;
	json_free(m->json);
	buffer_release(&m->scratch);
	free(m);
}

static bool
has_member(const struct messages *m, const char *key)
{
	return json_find(m->json, 0, key) >= 0;
}

/* The decoded job_id, or why there is none. */
static const char *
read_id(struct messages *m, struct slice *id)
{
	json_at at = json_find(m->json, 0, "job_id");

	if (at < 0)
		return "job_id is missing";
	*id = json_decode(m->json, at, &m->scratch);
	if (id->p == NULL)
		return "job_id is not a string";
	if (id->n == 0)
		return "job_id is empty";
	return id->n > MESSAGE_ID_MAX ? "job_id is over 300 bytes" : NULL;
}

/* Why a message cannot be read at all, or NULL. */
static const char *
parse_text(struct messages *m, struct slice text)
{
	m->scratch.len = 0;
	if (text.n >= LINES_MAX)
		return "over 1 MiB";
	(void)buffer_room(&m->scratch, text.n);
	return json_parse(m->json, text);
}

/* Why a message that names or means a job cannot be passed on, or NULL. */
static const char *
check_job(struct messages *m, struct slice *id)
{
	const char *why = read_id(m, id);

	if (why != NULL)
		return why;
	/* The stages would take it for a record of their own. */
	if (has_member(m, "type") || (!has_member(m, "symbols") && has_member(m, "symbol") &&
					     has_member(m, "timeframe") && has_member(m, "open"))) {
		(void)snprintf(m->why, sizeof m->why, "job_id=%.*s looks like a record, not a job",
			(int)(id->n < 100 ? id->n : 100), id->p);
		return m->why;
	}
	return NULL;
}

/* The text without its last brace and what follows it, on one line. */
static void
add_open(struct buffer *out, struct slice text)
{
	size_t n = text.n;
	char *at = buffer_room(out, n);

	while (text.p[n - 1] != '}')
		n--;
	memcpy(at, text.p, n - 1);
	/* Within strings JSON has no such bytes, so these stand between members. */
	for (size_t i = 0; i < n - 1; i++) {
		if (at[i] == '\n' || at[i] == '\r' || at[i] == '\t')
			at[i] = ' ';
	}
	out->len += n - 1;
}

enum message
message_job(struct messages *m, struct slice text, int64_t received, struct buffer *out,
	struct meant *meant)
{
	size_t start = out->len;
	char stamp[TIMESTAMP_SIZE];

	meant->why = parse_text(m, text);
	if (meant->why != NULL)
		return MESSAGE_BAD;
	if (has_member(m, "event_type") || (!has_member(m, "job_id") && !has_member(m, "symbols")))
		return MESSAGE_FOREIGN;
	meant->why = check_job(m, &meant->id);
	if (meant->why != NULL)
		return MESSAGE_BAD;
	add_open(out, text);
	if (!has_member(m, "received_at"))
		buffer_printf(out, ",\"received_at\":\"%s\"", timestamp_format(stamp, received));
	buffer_str(out, "}\n");
	if (out->len - start <= LINES_MAX)
		return MESSAGE_GOOD;
	out->len = start;
	meant->why = "over 1 MiB";
	return MESSAGE_BAD;
}

const char *
message_id(struct messages *m, struct slice line, struct slice *id)
{
	const char *why = parse_text(m, line);

	return why != NULL ? why : read_id(m, id);
}

/* What is to be done, by either name; absent where it is said by neither. */
static struct slice
read_action(struct messages *m)
{
	const char *name = has_member(m, "action") ? "action" : "command";

	return json_decode(m->json, json_find(m->json, 0, name), &m->scratch);
}

enum message
message_control(struct messages *m, struct slice text, struct buffer *out, struct meant *meant)
{
	struct record r = {.type = RECORD_CANCEL};
	struct slice what;

	meant->why = parse_text(m, text);
	if (meant->why != NULL)
		return MESSAGE_BAD;
	if (has_member(m, "event_type"))
		return MESSAGE_FOREIGN;
	what = read_action(m);
	if (slice_is(what, "cancel_all") && !has_member(m, "job_id"))
		return MESSAGE_ALL;
	meant->why = read_id(m, &r.job_id);
	if (meant->why != NULL)
		return MESSAGE_BAD;
	if (!slice_is(what, "cancel")) {
		(void)snprintf(m->why, sizeof m->why, "job_id=%.*s action is not \"cancel\"",
			(int)(r.job_id.n < 100 ? r.job_id.n : 100), r.job_id.p);
		meant->why = m->why;
		return MESSAGE_BAD;
	}
	meant->id = r.job_id;
	record_write(out, &r);
	return MESSAGE_GOOD;
}
