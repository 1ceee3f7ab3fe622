/* One job: its tasks are counted here, each once, and its end is decided. */
#include "job_state.h"

#include "summary.h"
#include "timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* And a reason to wait. */
enum { WAITING_TEXT = 400 };

/* A series that begins more than so many sessions after what was asked for is told. */
enum { LATE_SESSIONS = 5 };

struct job *
job_new(struct slice id, struct moment now)
{
	struct job *j = memory_grow(NULL, 1, sizeof *j);

	*j = (struct job){.started = now, .changed = now.mono};
	buffer_add(&j->id, id.p, id.n);
	return j;
}

void
job_free(struct job *j)
{
	struct buffer *const buffers[] = {&j->id, &j->source, &j->received_at, &j->timestamp,
		&j->errors, &j->symbol, &j->timeframe, &j->message, &j->waiting};

	for (size_t i = 0; i < LISTS; i++)
		buffer_release(&j->list[i].text);
	for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
		buffer_release(buffers[i]);
	names_release(&j->tasks);
	names_release(&j->seen);
	free(j);
}

uint64_t
job_missing(const struct job *j)
{
	uint64_t finished = j->stored + j->failed;

	return j->header && j->total > finished ? j->total - finished : 0;
}

static void
end_job(struct job *j, enum job_status status, struct moment now)
{
	j->status = status;
	j->ended = now;
}

/* What a job comes to whose records are all in. */
static enum job_status
job_outcome(const struct job *j)
{
	bool errors = j->broken || j->failed > 0 || j->rejected > 0;

	if (j->stored == 0 || (errors && j->bars == 0))
		return JOB_FAILED;
	return errors ? JOB_ERRORS : JOB_COMPLETED;
}

/* Ends the job when every task has its verdict; a late verdict changes the end. */
static void
settle_job(struct job *j, struct moment now)
{
	if (j->status == JOB_CANCELLED) {
		j->ended.mono = now.mono;
		summary_end(j, "Cancelled: ");
	} else if (j->status != JOB_RUNNING || (j->header && job_missing(j) == 0)) {
		end_job(j, job_outcome(j), now);
		if (!j->broken)
			summary_end(j, "");
	}
}

/* The weight of all tasks: that of the timeframes, a JSON array as it stands, for each symbol. */
static void
weigh_tasks(struct job *j, struct slice timeframes)
{
	struct buffer text = {0};
	uint64_t sum = 0, n = 0;

	buffer_add(&text, timeframes.p, timeframes.n);
	for (int tf = 0; tf < TF_COUNT; tf++) {
		char name[16];

		(void)snprintf(name, sizeof name, "\"%s\"", timeframe_name((enum timeframe)tf));
		if (strstr(buffer_cstr(&text), name) != NULL) {
			sum += (uint64_t)timeframe_bars((enum timeframe)tf);
			n++;
		}
	}
	/* A job that is made of what failed has not every symbol in every timeframe. */
	j->weight_total = n == 0 ? 0 : j->total * sum / n;
	buffer_release(&text);
}

void
job_header(struct job *j, const struct record *r, struct moment now)
{
	char count[COUNT_SIZE];

	j->header = true;
	j->total = r->tasks;
	j->symbols = r->symbols;
	j->per_symbol = r->symbols > 0 && r->tasks % r->symbols == 0 ? r->tasks / r->symbols : 0;
	j->changed = now.mono;
	weigh_tasks(j, r->timeframes);
	buffer_set(&j->source, slice_cut(r->source, SUMMARY_NAME));
	buffer_set(&j->received_at, r->received_at);
	buffer_set(&j->timestamp, r->timestamp);
	j->message.len = 0;
	buffer_printf(&j->message, "Started: %s tasks", summary_count(count, j->total));
	/* A header that comes behind verdicts (a stream that was put together) may complete the
	 * job. */
	j->processed = 0;
	for (const struct name *n = j->seen.first; n != NULL; n = n->hh.next)
		j->processed += j->per_symbol > 0 && n->finished >= j->per_symbol;
	settle_job(j, now);
}

static void
set_current(struct job *j, const struct record *r, struct moment now)
{
	buffer_set(&j->symbol, slice_cut(r->symbol, SUMMARY_NAME));
	buffer_set(&j->timeframe, slice_cut(r->timeframe, SUMMARY_NAME));
	j->waiting.len = 0;
	j->changed = now.mono;
}

void
job_waiting(struct job *j, struct slice reason, struct slice until)
{
	if (j->status != JOB_RUNNING)
		return;
	buffer_set(&j->waiting, slice_cut(reason, WAITING_TEXT));
	j->message.len = 0;
	buffer_printf(
		&j->message, "Waiting until %.*s: %s", SLICE(until), buffer_cstr(&j->waiting));
}

void
job_loading(struct job *j, const struct record *r, struct moment now)
{
	if (j->status != JOB_RUNNING)
		return;
	set_current(j, r, now);
	summary_task(j, "Loading", r, false);
}

/* Counts a verdict for its symbol. */
static void
count_symbol(struct job *j, const struct record *r)
{
	struct name *n = names_add(&j->seen, r->symbol, (struct slice){0});

	n->failed += r->type == RECORD_FAILED || r->rejected > 0;
	j->nseen += n->finished++ == 0;
	j->processed += n->finished == j->per_symbol;
}

/* New York's date of a start: an instant for 1min and hour, a date for the others. */
static int
start_date(const struct calendar *c, enum timeframe tf, struct slice s, int32_t *date)
{
	int64_t instant;

	if (s.p == NULL || tf == TF_NONE)
		return -1;
	if (!timeframe_intraday(tf))
		return date_parse(s, date);
	if (timestamp_parse(s, &instant) != 0)
		return -1;
	*date = calendar_date(c, instant);
	return 0;
}

static bool
begins_late(const struct calendar *c, const struct record *r)
{
	int32_t from, first;

	if (start_date(c, r->tf, r->from, &from) != 0 ||
		start_date(c, r->tf, r->first, &first) != 0)
		return false;
	return calendar_sessions(c, from, first - 1) > LATE_SESSIONS;
}

static void
count_rejected(struct job *j, const struct record *r)
{
	struct buffer text = {0};

	buffer_printf(
		&text, "%" PRIu64 " %s rejected", r->rejected, r->rejected == 1 ? "bar" : "bars");
	j->rejected += r->rejected;
	summary_listing(j, LIST_REJECTED, r, buffer_slice(&text));
	if (r->reason.p != NULL)
		buffer_printf(&text, ": %.*s", SLICE(r->reason));
	summary_error(j, r, buffer_slice(&text));
	buffer_release(&text);
}

/* Names a task with so many bars or rows, if there are any. */
static void
count_rows(struct job *j, enum list list, const struct record *r, uint64_t rows)
{
	char count[COUNT_SIZE];

	if (rows > 0)
		summary_listing(j, list, r, slice_of(summary_count(count, rows)));
}

/* Names an empty task, with what the API would know if it was meant: AAPL for aapl, BRK.B for
 * BRK-B. */
static void
count_empty(struct job *j, const struct record *r)
{
	struct buffer meant = {0};
	bool other = false;

	for (size_t i = 0; i < r->symbol.n; i++) {
		char c = r->symbol.p[i], want = c;

		if (c >= 'a' && c <= 'z')
			want = (char)(c - 'a' + 'A');
		else if (c == '-' && memchr(r->symbol.p, ':', r->symbol.n) == NULL)
			want = '.';
		other = other || want != c;
		buffer_byte(&meant, want);
	}
	buffer_str(&meant, "?");
	j->empty++;
	summary_listing(j, LIST_EMPTY, r, other ? buffer_slice(&meant) : (struct slice){0});
	buffer_release(&meant);
}

static void
count_stored(struct job *j, const struct record *r, const struct calendar *c)
{
	j->stored++;
	j->bars += r->bars - (r->rejected < r->bars ? r->rejected : r->bars);
	j->bytes += r->bytes;
	j->extra += r->extra;
	j->restated += r->restated;
	if (r->rejected > 0)
		count_rejected(j, r);
	else if (r->bars == 0)
		count_empty(j, r);
	if (begins_late(c, r))
		summary_listing(j, LIST_LATE, r, r->first);
	count_rows(j, LIST_ROUNDED, r, r->rounded);
	count_rows(j, LIST_EXTRA, r, r->extra);
	count_rows(j, LIST_RESTATED, r, r->restated);
}

static void
count_failed(struct job *j, const struct record *r)
{
	j->failed++;
	summary_error(j, r, r->error);
	summary_listing(j, LIST_FAILED, r, r->error);
}

/* Whether a task is new. Several may load ranges of one series, as those of ts-audit -m do. */
static bool
add_task(struct job *j, const struct record *r)
{
	struct buffer rest = {0};
	struct name *n;

	buffer_printf(&rest, "%.*s %.*s", SLICE(r->timeframe), SLICE(r->from));
	n = names_add(&j->tasks, r->symbol, buffer_slice(&rest));
	buffer_release(&rest);
	return n->finished++ == 0;
}

bool
job_verdict(struct job *j, const struct record *r, const struct calendar *c, struct moment now)
{
	j->changed = now.mono;
	if (!add_task(j, r))
		return false;
	j->weight += r->tf == TF_NONE ? 1 : (uint64_t)timeframe_bars(r->tf);
	set_current(j, r, now);
	count_symbol(j, r);
	if (r->type == RECORD_STORED)
		count_stored(j, r, c);
	else
		count_failed(j, r);
	if (j->status == JOB_RUNNING)
		summary_task(j, r->type == RECORD_STORED ? "Loaded" : "Failed", r, true);
	settle_job(j, now);
	return true;
}

void
job_failed(struct job *j, struct slice error, struct moment now)
{
	struct record none = {0};

	j->changed = now.mono;
	summary_error(j, &none, error);
	j->broken = true;
	end_job(j, job_outcome(j), now);
	buffer_set(&j->message, slice_cut(error, 900));
}

bool
job_cancel(struct job *j, struct moment now)
{
	if (j->status != JOB_RUNNING)
		return false;
	j->changed = now.mono;
	end_job(j, JOB_CANCELLED, now);
	settle_job(j, now);
	return true;
}

void
job_stop(struct job *j, bool interrupted, struct moment now)
{
	uint64_t missing = job_missing(j);
	char head[100] = "";

	if (j->kept) {
		j->message.len = 0;
		buffer_printf(&j->message,
			"interrupted: %" PRIu64 " of %" PRIu64 " tasks are left for the next start",
			missing, j->total);
		return;
	}
	interrupted = interrupted && missing > 0;
	end_job(j, interrupted ? JOB_CANCELLED : job_outcome(j), now);
	if (j->header && j->status == JOB_COMPLETED)
		j->status = JOB_ERRORS;
	if (j->header)
		(void)snprintf(head, sizeof head,
			"%s: %" PRIu64 " of %" PRIu64 " tasks have no verdict; ",
			interrupted ? "interrupted" : "stopped", missing, j->total);
	summary_end(j, head);
}
