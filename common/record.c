/* The table of record types and fields: ts-records(5) in code. */
#include "record.h"

#include "foreign.h"
#include "json.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	TEXT,	/* a string, not empty */
	NUMBER, /* the text of a number, or absent */
	COUNT,	/* a whole number, 0 when absent */
	ARRAY,	/* an array as it stands */
};

/* UNLESS_0: a count that is not written when it is 0. */
enum { REQUIRED = 1, UNLESS_0 };

/* A field of a type: reading and writing go by it. */
struct field {
	const char *key; /* NULL closes a list */
	unsigned short at;
	unsigned char kind;
	unsigned char how;
};

#define FIELD(kind, member, how)                                                                   \
	{                                                                                          \
#member, offsetof(struct record, member), kind, how                                \
	}

/* clang-format off */
#define TASK_FIELDS                                                                                \
	FIELD(TEXT, job_id, REQUIRED), FIELD(TEXT, symbol, REQUIRED),                              \
		FIELD(TEXT, timeframe, REQUIRED), FIELD(TEXT, from, REQUIRED),                     \
		FIELD(TEXT, to, REQUIRED)

/* Every type with its fields, in the order in which they are written. */
static const struct {
	const char *name;
	struct field field[23];
} types[RECORD_TYPES] = {
	[RECORD_OTHER] = {"", {{0}}},
	[RECORD_MESSAGE] = {"", {FIELD(TEXT, job_id, 0), FIELD(TEXT, received_at, 0)}},
	[RECORD_JOB] = {"job", {FIELD(TEXT, job_id, REQUIRED), FIELD(TEXT, source, 0),
		FIELD(COUNT, symbols, REQUIRED), FIELD(ARRAY, timeframes, 0),
		FIELD(COUNT, tasks, REQUIRED), FIELD(TEXT, received_at, 0),
		FIELD(TEXT, timestamp, 0), FIELD(TEXT, run, 0)}},
	[RECORD_TASK] = {"task", {TASK_FIELDS}},
	[RECORD_LOADING] = {"loading", {FIELD(TEXT, job_id, REQUIRED),
		FIELD(TEXT, symbol, REQUIRED), FIELD(TEXT, timeframe, REQUIRED)}},
	[RECORD_BAR] = {"bar", {FIELD(TEXT, symbol, REQUIRED), FIELD(TEXT, timeframe, REQUIRED),
		FIELD(TEXT, timestamp, 0), FIELD(TEXT, date, 0), FIELD(NUMBER, open, 0),
		FIELD(NUMBER, high, 0), FIELD(NUMBER, low, 0), FIELD(NUMBER, close, 0),
		FIELD(NUMBER, volume, 0)}},
	[RECORD_FETCHED] = {"fetched", {TASK_FIELDS, FIELD(COUNT, bars, REQUIRED),
		FIELD(TEXT, first, 0), FIELD(TEXT, last, 0), FIELD(TEXT, hours, 0),
		FIELD(COUNT, bytes, UNLESS_0)}},
	[RECORD_STORED] = {"stored", {TASK_FIELDS, FIELD(COUNT, bars, REQUIRED),
		FIELD(TEXT, first, 0), FIELD(TEXT, last, 0), FIELD(COUNT, inserted, 0),
		FIELD(COUNT, updated, 0), FIELD(COUNT, unchanged, 0), FIELD(COUNT, rejected, 0),
		FIELD(TEXT, reason, 0), FIELD(COUNT, rounded, UNLESS_0),
		FIELD(COUNT, odd, UNLESS_0), FIELD(COUNT, extra, UNLESS_0),
		FIELD(COUNT, deleted, UNLESS_0), FIELD(COUNT, older, UNLESS_0),
		FIELD(COUNT, restated, UNLESS_0), FIELD(NUMBER, factor, 0),
		FIELD(COUNT, bytes, UNLESS_0)}},
	[RECORD_FAILED] = {"failed", {FIELD(TEXT, job_id, REQUIRED), FIELD(TEXT, symbol, 0),
		FIELD(TEXT, timeframe, 0), FIELD(TEXT, from, 0), FIELD(TEXT, to, 0),
		FIELD(TEXT, stage, REQUIRED), FIELD(TEXT, error, REQUIRED)}},
	[RECORD_CANCEL] = {"cancel", {FIELD(TEXT, job_id, REQUIRED)}},
	[RECORD_GAP] = {"gap", {FIELD(TEXT, from, 0), FIELD(TEXT, to, REQUIRED)}},
	[RECORD_DONE] = {"done", {FIELD(TEXT, job_id, REQUIRED), FIELD(TEXT, status, REQUIRED),
		FIELD(COUNT, tasks, REQUIRED), FIELD(COUNT, stored, REQUIRED),
		FIELD(COUNT, failed, REQUIRED), FIELD(COUNT, empty, REQUIRED),
		FIELD(COUNT, bars, REQUIRED), FIELD(COUNT, seconds, REQUIRED)}},
	[RECORD_WAITING] = {"waiting", {FIELD(TEXT, reason, REQUIRED),
		FIELD(TEXT, until, REQUIRED)}},
};
/* clang-format on */

struct record_parser {
	struct json *json;
	struct buffer scratch;
	struct buffer line; /* one whose NaN is taken out */
	char fault[160];
};

struct record_parser *
record_parser_new(void)
{
	struct record_parser *p = memory_grow(NULL, 1, sizeof *p);

	*p = (struct record_parser){.json = json_new()};
	return p;
}

void
record_parser_free(struct record_parser *p)
{
	if (p == NULL)
		return;
	json_free(p->json);
	buffer_release(&p->scratch);
	buffer_release(&p->line);
	free(p);
}

static struct slice *
slice_at(struct record *r, size_t at)
{
	return (struct slice *)(void *)((char *)r + at);
}

static uint64_t *
count_at(struct record *r, size_t at)
{
	return (uint64_t *)(void *)((char *)r + at);
}

/* Keeps the first fault of a record. */
static void
note_fault(struct record_parser *p, struct record *r, const char *key, const char *what)
{
	if (r->fault != NULL)
		return;
	(void)snprintf(p->fault, sizeof p->fault, "%s %s", key, what);
	r->fault = p->fault;
}

static void
read_text(struct record_parser *p, struct record *r, const struct field *f, json_at at)
{
	struct slice s = json_decode(p->json, at, &p->scratch);

	if (s.p == NULL)
		note_fault(p, r, f->key, "is not a string");
	else if (s.n == 0)
		note_fault(p, r, f->key, "is empty");
	else
		*slice_at(r, f->at) = s;
}

static void
read_field(struct record_parser *p, struct record *r, const struct field *f, json_at at)
{
	enum json_type type = json_type(p->json, at);

	switch (f->kind) {
	case TEXT:
		read_text(p, r, f, at);
		break;
	case NUMBER:
		if (type == JSON_NUMBER)
			*slice_at(r, f->at) = json_raw(p->json, at);
		else if (type != JSON_NULL)
			note_fault(p, r, f->key, "is not a number");
		break;
	case COUNT:
		if (type != JSON_NUMBER ||
			slice_count(json_raw(p->json, at), count_at(r, f->at)) != 0)
			note_fault(p, r, f->key, "is not a count");
		break;
	default:
		if (type != JSON_ARRAY)
			note_fault(p, r, f->key, "is not an array");
		else
			*slice_at(r, f->at) = json_raw(p->json, at);
		break;
	}
}

static void
read_fields(struct record_parser *p, struct record *r)
{
	if (r->type == RECORD_BAR)
		r->hint = foreign_fault(p->json, p->fault, sizeof p->fault);
	/* One that is there already stands in the same text: NaN, which is replaced. */
	if (r->hint != NULL)
		r->fault = p->fault;
	for (const struct field *f = types[r->type].field; f->key != NULL; f++) {
		json_at at = json_find(p->json, 0, f->key);
		bool null = json_type(p->json, at) == JSON_NULL;

		if (at >= 0 && !(null && f->how != REQUIRED && f->kind != NUMBER))
			read_field(p, r, f, at);
		else if (f->how == REQUIRED)
			note_fault(p, r, f->key, "is missing");
	}
	if (r->timeframe.p != NULL)
		r->tf = timeframe_parse(r->timeframe);
}

/* What a line is that names no type: see ts-records(5). */
static enum record_type
untyped_type(struct json *j)
{
	if (json_find(j, 0, "symbol") >= 0 && json_find(j, 0, "timeframe") >= 0 &&
		json_find(j, 0, "open") >= 0)
		return RECORD_BAR;
	if (json_find(j, 0, "symbols") >= 0)
		return RECORD_MESSAGE;
	if (json_find(j, 0, "job_id") >= 0 && json_find(j, 0, "event_type") < 0)
		return RECORD_MESSAGE;
	return foreign_bar(j) ? RECORD_BAR : RECORD_OTHER;
}

static enum record_type
type_of(struct record_parser *p)
{
	json_at at = json_find(p->json, 0, "type");
	struct slice name;

	if (at < 0 || json_type(p->json, at) == JSON_NULL)
		return untyped_type(p->json);
	name = json_decode(p->json, at, &p->scratch);
	for (int i = RECORD_JOB; i < RECORD_TYPES; i++) {
		if (slice_is(name, types[i].name))
			return (enum record_type)i;
	}
	return RECORD_OTHER;
}

/* Moves *at behind the literal if the line has it there. */
static bool
expect_text(struct slice line, size_t *at, const char *text, size_t n)
{
	if (line.n - *at < n || memcmp(line.p + *at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

#define EXPECT(text) expect_text(line, &at, text, sizeof(text) - 1)

/* A string without escapes, of printable ASCII, not empty. */
static bool
plain_text(struct slice line, size_t *at, struct slice *out)
{
	const char *start = line.p + *at, *p = start, *end = line.p + line.n;

	for (; p < end && *p != '"'; p++) {
		if (*p < '!' || *p > '~' || *p == '\\')
			return false;
	}
	*out = (struct slice){start, (size_t)(p - start)};
	*at += out->n + 1;
	return p > start && p < end;
}

/* A number as it stands. */
static bool
plain_number(struct slice line, size_t *at, struct slice *out)
{
	const char *p = line.p + *at, *end = json_number(p, line.p + line.n);

	if (end == NULL)
		return false;
	*out = (struct slice){p, (size_t)(end - p)};
	*at += out->n;
	return true;
}

/*
 * A bar exactly as record_write() writes it: most lines by far. False for any other line, which is
 * then read by the general road; both give the same record.
 */
static bool
fast_bar(struct slice line, struct record *r)
{
	size_t at = 0;

	if (!EXPECT("{\"type\":\"bar\",\"symbol\":\"") || !plain_text(line, &at, &r->symbol) ||
		!EXPECT(",\"timeframe\":\"") || !plain_text(line, &at, &r->timeframe))
		return false;
	if (EXPECT(",\"timestamp\":\"")) {
		if (!plain_text(line, &at, &r->timestamp))
			return false;
	} else if (!EXPECT(",\"date\":\"") || !plain_text(line, &at, &r->date)) {
		return false;
	}
	if (!EXPECT(",\"open\":") || !plain_number(line, &at, &r->open) || !EXPECT(",\"high\":") ||
		!plain_number(line, &at, &r->high) || !EXPECT(",\"low\":") ||
		!plain_number(line, &at, &r->low) || !EXPECT(",\"close\":") ||
		!plain_number(line, &at, &r->close) || !EXPECT(",\"volume\":") ||
		!plain_number(line, &at, &r->volume))
		return false;
	r->type = RECORD_BAR;
	r->tf = timeframe_parse(r->timeframe);
	return EXPECT("}") && at == line.n;
}

/* A bar with NaN in it is not JSON, but its symbol and key can be told. */
static bool
nan_bar(struct record_parser *p, struct slice line, struct record *r)
{
	if (!foreign_nan(line, &p->line) || json_parse(p->json, buffer_slice(&p->line)) != NULL)
		return false;
	r->type = type_of(p);
	if (r->type != RECORD_BAR)
		return false;
	note_fault(p, r, "NaN or Infinity", "is not a JSON number");
	return true;
}

/*
 * In pieces, which are some wide stores each: of all at once compilers make a string instruction
 * that takes as long as it does to read two numbers.
 */
static void
clear(struct record *r)
{
	enum { PIECE = 64 };
	char *p = (char *)r, *end = p + sizeof *r / PIECE * PIECE;

	for (; p < end; p += PIECE)
		memset(p, 0, PIECE);
	memset(p, 0, sizeof *r % PIECE);
	r->tf = TF_NONE;
}

const char *
record_parse(struct record_parser *p, struct slice line, unsigned owned, struct record *r)
{
	const char *why;

	clear(r);
	if ((owned & RECORD_BIT(RECORD_BAR)) != 0 && fast_bar(line, r))
		return NULL;
	clear(r);
	/* No decoded string is longer than what it was, so none moves once there is room for all.
	 */
	p->scratch.len = 0;
	(void)buffer_room(&p->scratch, line.n);
	if (json_parse(p->json, line) == NULL) {
		r->type = type_of(p);
	} else if ((owned & RECORD_BIT(RECORD_BAR)) == 0 || !nan_bar(p, line, r)) {
		/* What is wrong with the line as it came. */
		clear(r);
		why = json_parse(p->json, line);
		if (strncmp(why, "not JSON", 8) == 0)
			r->hint = foreign_hint(line);
		return why;
	}
	if ((owned & RECORD_BIT(r->type)) != 0)
		read_fields(p, r);
	else
		r->job_id = json_decode(p->json, json_find(p->json, 0, "job_id"), &p->scratch);
	return NULL;
}

static void
write_key(struct buffer *b, const char *key)
{
	buffer_str(b, ",\"");
	buffer_str(b, key);
	buffer_str(b, "\":");
}

static void
write_field(struct buffer *b, const struct record *r, const struct field *f)
{
	const char *base = (const char *)r + f->at;
	const struct slice *s = (const struct slice *)(const void *)base;

	if (f->kind == COUNT) {
		uint64_t count = *(const uint64_t *)(const void *)base;

		if (count == 0 && f->how == UNLESS_0)
			return;
		write_key(b, f->key);
		buffer_uint(b, count);
	} else if (s->p != NULL) {
		write_key(b, f->key);
		if (f->kind == TEXT)
			buffer_json(b, *s);
		else
			buffer_add(b, s->p, s->n);
	}
}

void
record_write(struct buffer *b, const struct record *r)
{
	buffer_str(b, "{\"type\":\"");
	buffer_str(b, types[r->type].name);
	buffer_byte(b, '"');
	for (const struct field *f = types[r->type].field; f->key != NULL; f++)
		write_field(b, r, f);
	buffer_str(b, "}\n");
}

void
record_send(struct writer *w, const struct record *r)
{
	record_write(writer_room(w), r);
	writer_done(w);
}
