/* The words and numbers in which a job is told to people and to the admin page. */
#include "summary.h"

#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ERRORS_MAX = 10, ERROR_TEXT = 300, NOTE_TEXT = 120, NAME_TEXT = 40 };

/* How much room the names of a list get in the last message. */
enum { FAILURES_ROOM = 340, NAMES_ROOM = 80 };

static void
add_cut(struct buffer *b, struct slice s, size_t n)
{
	struct slice cut = slice_cut(s, n);

	buffer_add(b, cut.p, cut.n);
	if (cut.n < s.n)
		buffer_str(b, "...");
}

char *
summary_count(char out[COUNT_SIZE], uint64_t v)
{
	char digits[COUNT_SIZE], *p = out;
	int n = snprintf(digits, sizeof digits, "%" PRIu64, v);

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return out;
}

const char *
summary_status(enum job_status s, const char *partial)
{
	static const char *const words[] = {[JOB_RUNNING] = "running",
		[JOB_COMPLETED] = "completed",
		[JOB_FAILED] = "failed",
		[JOB_CANCELLED] = "cancelled"};

	return s == JOB_ERRORS ? partial : words[s];
}

int
summary_percent(const struct job *j)
{
	uint64_t finished = j->stored + j->failed;

	if (!j->header)
		return j->status == JOB_RUNNING || finished == 0 ? 0 : 100;
	if (j->total == 0)
		return 0;
	return finished >= j->total ? 100 : (int)(finished * 100 / j->total);
}

/* "AAPL 1min", each part cut. */
static void
add_task(struct buffer *b, const struct record *r)
{
	add_cut(b, r->symbol, NAME_TEXT);
	if (r->timeframe.p != NULL) {
		buffer_byte(b, ' ');
		add_cut(b, r->timeframe, NAME_TEXT);
	}
}

void
summary_listing(struct job *j, enum list list, const struct record *r, struct slice note)
{
	struct listing *l = &j->list[list];
	size_t start = l->text.len, room = list == LIST_FAILED ? FAILURES_ROOM : NAMES_ROOM;

	l->count++;
	/* Once one name found no room, none does: the rest is a number. */
	if (l->shown + 1 < l->count)
		return;
	if (l->shown > 0)
		buffer_str(&l->text, ", ");
	add_task(&l->text, r);
	if (note.p != NULL) {
		buffer_str(&l->text, " (");
		add_cut(&l->text, note, NOTE_TEXT);
		buffer_byte(&l->text, ')');
	}
	if (l->shown > 0 && l->text.len > room)
		l->text.len = start;
	else
		l->shown++;
}

void
summary_error(struct job *j, const struct record *r, struct slice why)
{
	struct buffer text = {0};

	if (j->nerrors == ERRORS_MAX)
		return;
	if (r->symbol.p != NULL) {
		add_task(&text, r);
		buffer_str(&text, ": ");
	}
	add_cut(&text, why, ERROR_TEXT);
	if (j->nerrors++ > 0)
		buffer_byte(&j->errors, ',');
	buffer_json(&j->errors, buffer_slice(&text));
	buffer_release(&text);
}

void
summary_task(struct job *j, const char *verb, const struct record *r, bool counted)
{
	struct buffer *b = &j->message;

	b->len = 0;
	buffer_printf(b, "%s ", verb);
	add_cut(b, r->timeframe, NAME_TEXT);
	buffer_str(b, " for ");
	add_cut(b, r->symbol, NAME_TEXT);
	if (counted && j->header)
		buffer_printf(b, " (%" PRIu64 "/%" PRIu64 ")", j->stored + j->failed, j->total);
	else if (counted)
		buffer_printf(b, " (%" PRIu64 ")", j->stored + j->failed);
}

static void
add_listing(struct buffer *b, const struct job *j, enum list list)
{
	static const char *const words[LISTS][2] = {[LIST_FAILED] = {" failed: ", " failed: "},
		[LIST_EMPTY] = {" empty: ", " empty: "},
		[LIST_LATE] = {" task begins more than 5 sessions after asked: ",
			" tasks begin more than 5 sessions after asked: "},
		[LIST_REJECTED] = {" task lost bars: ", " tasks lost bars: "},
		[LIST_ROUNDED] = {" task has rounded bars: ", " tasks have rounded bars: "},
		[LIST_EXTRA] = {" task has rows that the API does not have: ",
			" tasks have rows that the API does not have: "},
		[LIST_RESTATED] = {" task has restated rows: ", " tasks have restated rows: "}};
	const struct listing *l = &j->list[list];
	char count[COUNT_SIZE];

	if (l->count == 0)
		return;
	buffer_printf(b, "; %s%s", summary_count(count, l->count), words[list][l->count != 1]);
	buffer_add(b, l->text.p, l->text.len);
	if (l->shown < l->count)
		buffer_printf(b, " and %s more", summary_count(count, l->count - l->shown));
}

void
summary_end(struct job *j, const char *head)
{
	struct buffer *b = &j->message;
	char count[COUNT_SIZE];

	b->len = 0;
	buffer_printf(b, "%s%soaded %s", head, head[0] == '\0' ? "L" : "l",
		summary_count(count, j->stored));
	if (j->header)
		buffer_printf(b, " of %s", summary_count(count, j->total));
	buffer_str(b, j->header || j->stored != 1 ? " tasks, " : " task, ");
	buffer_printf(b, "%s %s", summary_count(count, j->bars), j->bars == 1 ? "bar" : "bars");
	for (int i = 0; i < LISTS; i++)
		add_listing(b, j, (enum list)i);
}

static void
add_part(struct fields *f, struct slice s)
{
	buffer_add(&f->text, s.p, s.n);
	f->end[f->n++] = f->text.len;
}

void
fields_add(struct fields *f, const char *name, struct slice value)
{
	add_part(f, slice_of(name));
	add_part(f, value);
}

static void
add_number(struct fields *f, const char *name, uint64_t value)
{
	add_part(f, slice_of(name));
	buffer_uint(&f->text, value);
	add_part(f, (struct slice){0});
}

/* The symbols of which all tasks are stored whole, or those of which one failed or lost bars. */
static void
add_symbols(struct fields *f, const char *name, const struct job *j, bool failed)
{
	bool first = true;

	add_part(f, slice_of(name));
	buffer_byte(&f->text, '[');
	for (const struct name *n = j->seen.first; n != NULL; n = n->hh.next) {
		bool whole =
			j->per_symbol > 0 ? n->finished >= j->per_symbol : j->status != JOB_RUNNING;

		if (failed ? n->failed == 0 : n->failed > 0 || !whole)
			continue;
		if (!first)
			buffer_byte(&f->text, ',');
		first = false;
		buffer_json(&f->text, slice_cut(slice_of(n->text), SUMMARY_NAME));
	}
	buffer_byte(&f->text, ']');
	add_part(f, (struct slice){0});
}

static void
add_counts(struct fields *f, const struct job *j)
{
	bool ended = j->status != JOB_RUNNING;

	add_number(f, "total_symbols", j->header ? j->symbols : j->nseen);
	add_number(f, "processed_symbols", j->per_symbol > 0 || !ended ? j->processed : j->nseen);
	add_number(f, "total_tasks", j->header ? j->total : j->stored + j->failed);
	add_number(f, "stored_tasks", j->stored);
	add_number(f, "failed_tasks", j->failed);
	add_number(f, "empty_tasks", j->empty);
	add_number(f, "bars_loaded", j->bars);
	add_number(f, "extra", j->extra);
	add_number(f, "restated", j->restated);
}

void
summary_fields(const struct job *j, const char *partial, bool lists, int64_t wall, struct fields *f)
{
	char time[TIMESTAMP_SIZE];

	f->text.len = 0;
	f->n = 0;
	fields_add(f, "status", slice_of(summary_status(j->status, partial)));
	add_number(f, "progress", (uint64_t)summary_percent(j));
	fields_add(f, "message", buffer_slice(&j->message));
	fields_add(f, "started_at", slice_of(timestamp_local(time, j->started.wall)));
	if (j->status != JOB_RUNNING)
		fields_add(f, "completed_at", slice_of(timestamp_local(time, j->ended.wall)));
	fields_add(f, "timestamp", slice_of(timestamp_local(time, wall)));
	fields_add(f, "current_symbol", buffer_slice(&j->symbol));
	fields_add(f, "current_timeframe", buffer_slice(&j->timeframe));
	add_counts(f, j);
	if (lists) {
		add_symbols(f, "successful_symbols", j, false);
		add_symbols(f, "failed_symbols", j, true);
	}
	add_part(f, slice_of("errors"));
	buffer_byte(&f->text, '[');
	buffer_add(&f->text, j->errors.p, j->errors.len);
	buffer_byte(&f->text, ']');
	add_part(f, (struct slice){0});
	/* By this a loader knows which hashes are a loader's. */
	fields_add(f, "loader", slice_of("ts-status " TS_VERSION));
}

struct slice
fields_at(const struct fields *f, int i)
{
	size_t start = i == 0 ? 0 : f->end[i - 1];

	return (struct slice){f->text.p + start, f->end[i] - start};
}

struct slice
fields_find(const struct fields *f, struct slice name)
{
	for (int i = 0; i < f->n; i += 2) {
		if (slice_eq(fields_at(f, i), name))
			return fields_at(f, i + 1);
	}
	return (struct slice){0};
}

void
fields_copy(struct fields *to, const struct fields *from)
{
	buffer_set(&to->text, buffer_slice(&from->text));
	memcpy(to->end, from->end, sizeof to->end);
	to->n = from->n;
}

void
fields_release(struct fields *f)
{
	buffer_release(&f->text);
	f->n = 0;
}

void
summary_done(const struct job *j, const char *partial, struct record *r)
{
	*r = (struct record){.type = RECORD_DONE, .tf = TF_NONE};
	r->job_id = buffer_slice(&j->id);
	r->status = slice_of(summary_status(j->status, partial));
	r->tasks = j->header ? j->total : j->stored + j->failed;
	r->stored = j->stored;
	r->failed = j->failed;
	r->empty = j->empty;
	r->bars = j->bars;
	r->seconds = (uint64_t)(j->ended.mono - j->started.mono) / 1000;
}
