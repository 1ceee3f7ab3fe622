/* From a message on a channel to a line for the pipe. Only what every stage must rely on is
 * checked: whether the job makes sense is for ts-expand to say, by name. */
#include "message.h"

#include "lines.h"
#include "record.h"
#include "timestamp.h"

#include <stdio.h>
#include <string.h>

void
messages_release(struct messages *m)
{
	json_free(m->json);
	buffer_release(&m->scratch);
}

static bool
has_member(const struct messages *m, const char *key)
{
	return json_find(m->json, 0, key) >= 0;
}

/* Reads the job_id; or why there is none. */
static const char *
read_id(struct messages *m)
{
	json_at at = json_find(m->json, 0, "job_id");

	if (at < 0)
		return "job_id is missing";
	m->id = json_decode(m->json, at, &m->scratch);
	if (m->id.p == NULL)
		return "job_id is not a string";
	if (m->id.n == 0)
		return "job_id is empty";
	return m->id.n > MESSAGE_ID_MAX ? "job_id is over 300 bytes" : NULL;
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

/* Says of the job what is wrong with it. */
static const char *
blame_job(struct messages *m, const char *what)
{
	(void)snprintf(m->text, sizeof m->text, "job_id=%.*s %s",
		(int)(m->id.n < 100 ? m->id.n : 100), m->id.p, what);
	return m->text;
}

/* Why a message that names or means a job cannot be passed on, or NULL. */
static const char *
check_job(struct messages *m)
{
	const char *why = read_id(m);

	if (why != NULL)
		return why;
	/* The stages would take it for a record of their own. */
	return has_member(m, "type") || (!has_member(m, "symbols") && has_member(m, "symbol") &&
						has_member(m, "timeframe") && has_member(m, "open"))
		       ? blame_job(m, "looks like a record, not a job")
		       : NULL;
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

static enum message
read_job(struct messages *m, struct slice text, int64_t received, struct buffer *out)
{
	size_t start = out->len;
	char stamp[TIMESTAMP_SIZE];

	if (!has_member(m, "job_id") && !has_member(m, "symbols"))
		return MESSAGE_FOREIGN;
	m->why = check_job(m);
	if (m->why != NULL)
		return MESSAGE_BAD;
	add_open(out, text);
	if (!has_member(m, "received_at"))
		buffer_printf(out, ",\"received_at\":\"%s\"", timestamp_format(stamp, received));
	buffer_str(out, "}\n");
	if (out->len - start <= LINES_MAX)
		return MESSAGE_GOOD;
	out->len = start;
	m->why = "over 1 MiB";
	return MESSAGE_BAD;
}

static enum message
read_control(struct messages *m, struct buffer *out)
{
	/* What is to be done, by either name; absent where it is said by neither. */
	const char *name = has_member(m, "action") ? "action" : "command";
	struct slice what = json_decode(m->json, json_find(m->json, 0, name), &m->scratch);

	if (slice_is(what, "cancel_all") && !has_member(m, "job_id"))
		return MESSAGE_ALL;
	m->why = read_id(m);
	if (m->why == NULL && !slice_is(what, "cancel"))
		m->why = blame_job(m, "action is not \"cancel\"");
	if (m->why != NULL)
		return MESSAGE_BAD;
	record_write(out, &(struct record){.type = RECORD_CANCEL, .job_id = m->id});
	return MESSAGE_GOOD;
}

enum message
message_read(struct messages *m, bool job, struct slice text, int64_t received, struct buffer *out)
{
	m->why = parse_text(m, text);
	if (m->why != NULL)
		return MESSAGE_BAD;
	if (has_member(m, "event_type"))
		return MESSAGE_FOREIGN;
	return job ? read_job(m, text, received, out) : read_control(m, out);
}

const char *
message_id(struct messages *m, struct slice line)
{
	const char *why = parse_text(m, line);

	return why != NULL ? why : read_id(m);
}
