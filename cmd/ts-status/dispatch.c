/* Between the lines and the jobs: records are read, jobs told of them, and `done` is written. */
#include "dispatch.h"

#include "gaps.h"
#include "log.h"
#include "signals.h"
#include "summary.h"
#include "timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	OWNED = RECORD_BIT(RECORD_JOB) | RECORD_BIT(RECORD_LOADING) | RECORD_BIT(RECORD_STORED) |
		RECORD_BIT(RECORD_FAILED) | RECORD_BIT(RECORD_CANCEL) | RECORD_BIT(RECORD_GAP) |
		RECORD_BIT(RECORD_WAITING),
	QUIET_MS = 5000, /* how long a cancelled job waits for verdicts on their way */
};

static struct moment
now_both(void)
{
	return (struct moment){.wall = clock_wall(), .mono = clock_mono_ms()};
}

/* What comes from outside, as the log shows it, for "%.*s". */
#define SHOWN(s) SLICE(slice_cut((s), 100))

static void
tell_done(struct dispatch *d, struct job *j)
{
	struct record r;
	void (*tell)(const char *, ...) __attribute__((format(printf, 1, 2))) = log_warning;

	if (j->status == JOB_COMPLETED || j->status == JOB_CANCELLED)
		tell = log_info;
	if (j->done_written)
		return;
	j->done_written = true;
	d->jobs++;
	summary_done(j, d->partial, &r);
	record_send(d->out, &r);
	tell("job %s id=%.*s: %s", summary_status(j->status, d->partial),
		SHOWN(buffer_slice(&j->id)), buffer_cstr(&j->message));
}

static void
tell_start(const struct job *j)
{
	log_run("job start id=%.*s source=%.*s symbols=%" PRIu64 " tasks=%" PRIu64,
		SHOWN(buffer_slice(&j->id)), SHOWN(buffer_slice(&j->source)), j->symbols, j->total);
}

/* A job is another than before. */
static void
job_changed(struct dispatch *d, struct job *j, bool started)
{
	publish_job(j);
	if (started && j->header)
		tell_start(j);
	if (j->status == JOB_RUNNING)
		return;
	if (j->status != JOB_CANCELLED || job_missing(j) == 0)
		tell_done(d, j);
}

static void
count_record(struct dispatch *d, const struct record *r)
{
	d->stored += r->type == RECORD_STORED;
	d->failed += r->type == RECORD_FAILED;
	d->rejected += r->rejected;
}

static void
take_gap(struct dispatch *d, const struct record *r)
{
	int64_t from = GAP_BEGINNING, to;

	if ((r->from.p == NULL || timestamp_parse(r->from, &from) == 0) &&
		timestamp_parse(r->to, &to) == 0)
		gaps_add(&d->publish->gaps, from, to, clock_mono_ms());
	log_warning("gap from=%.*s to=%.*s: jobs published meanwhile were not heard",
		SHOWN(r->from.p == NULL ? slice_of("?") : r->from), SHOWN(r->to));
}

/* It is of no job: all that run are waiting. */
static void
take_waiting(struct dispatch *d, const struct record *r)
{
	int64_t until;

	if (timestamp_parse(r->until, &until) != 0)
		return;
	for (struct job *j = d->progress->jobs; j != NULL; j = j->hh.next) {
		if (j->status != JOB_RUNNING)
			continue;
		job_waiting(j, r->reason, r->until);
		publish_job(j);
	}
}

static void
log_unknown(struct dispatch *d, const struct record *r, uint64_t lineno)
{
	char text[200];

	if (r->type == RECORD_LOADING)
		return;
	if (r->type == RECORD_CANCEL) {
		log_info("cancel for a job that is not known: id=%.*s", SHOWN(r->job_id));
		return;
	}
	(void)snprintf(text, sizeof text,
		"a verdict for a job that is over is not counted: id=%.*s", SHOWN(r->job_id));
	refused_line(&d->late, lineno, text, NULL);
}

/* A verdict is noted before anybody hears of it, so that no restart counts it anew. */
static void
note_verdict(struct dispatch *d, const struct job *j, const struct record *r, struct slice line)
{
	if (!j->kept || r->symbol.p == NULL ||
		(r->type != RECORD_STORED && r->type != RECORD_FAILED))
		return;
	if (spool_note(d->spool, r->job_id, line) != SPOOL_OK) {
		if (d->unnoted++ > 0)
			return;
		log_error("spool: %s: verdicts cannot be noted; after a crash their tasks would be "
			  "done again",
			strerror(errno));
	} else if (d->unnoted > 0) {
		log_info("spool: verdicts are noted again; %" PRIu64 " were not", d->unnoted);
		d->unnoted = 0;
	}
}

static void
resume_note(void *data, struct slice line)
{
	struct dispatch *d = data;
	struct record r;
	struct arrival a = {.r = &r, .now = now_both()};

	/* A line that a crash cut is not a verdict. */
	if (record_parse(d->notes, line, RECORD_BIT(RECORD_STORED) | RECORD_BIT(RECORD_FAILED),
		    &r) == NULL &&
		r.fault == NULL && (r.type == RECORD_STORED || r.type == RECORD_FAILED) &&
		progress_take(d->progress, &a) == TAKEN_CHANGED && r.type == RECORD_FAILED)
		publish_failed(a.job, line);
}

/*
 * A cancelled job must not come back after a crash, though its last verdicts are still awaited.
 * Where the cancel is kept, it would come back cancelled, so that can wait until its end stands in
 * Redis.
 */
static void
forget_job(struct dispatch *d, struct job *j)
{
	struct slice id = buffer_slice(&j->id);

	if (j->kept && !spool_cancelled(d->spool, id) && spool_remove(d->spool, id) == SPOOL_OK)
		j->kept = false;
}

/* A job begins: what an earlier life has noted of it is counted first. */
static void
resume_job(struct dispatch *d, struct job *j)
{
	uint64_t had;

	j->kept = d->spool != NULL && spool_has(d->spool, buffer_slice(&j->id));
	if (!j->kept)
		return;
	if (spool_notes(d->spool, buffer_slice(&j->id), resume_note, d) != SPOOL_OK)
		log_error("spool: %s: the notes cannot be read", strerror(errno));
	had = j->stored + j->failed;
	if (had > 0)
		log_info("job resumed id=%.*s: %" PRIu64 " of %" PRIu64 " tasks have their verdict",
			SHOWN(buffer_slice(&j->id)), had, j->total);
}

static void
take_record(struct dispatch *d, const struct record *r, struct slice line, uint64_t lineno)
{
	struct arrival a = {.r = r, .now = now_both()};
	char text[300];
	enum taken taken = progress_take(d->progress, &a);
	struct job *j = a.job;

	switch (taken) {
	case TAKEN_REFUSED:
		(void)snprintf(
			text, sizeof text, "job id=%.*s refused: %s", SHOWN(r->job_id), a.why);
		refused_line(&d->refused, lineno, text, NULL);
		break;
	case TAKEN_UNKNOWN:
		log_unknown(d, r, lineno);
		break;
	case TAKEN_REPEATED:
		log_debug("line %" PRIu64 ": counted before", lineno);
		break;
	default:
		count_record(d, r);
		if (taken == TAKEN_STARTED)
			publish_start(d->publish, j, a.now.mono);
		if (taken == TAKEN_STARTED || r->type == RECORD_JOB)
			resume_job(d, j);
		note_verdict(d, j, r, line);
		if (r->type == RECORD_CANCEL)
			forget_job(d, j);
		if (r->type == RECORD_FAILED && r->symbol.p != NULL)
			publish_failed(j, line);
		job_changed(d, j, taken == TAKEN_STARTED);
		break;
	}
}

void
dispatch_line(struct dispatch *d, enum line kind, struct slice line, uint64_t lineno)
{
	struct record r;
	const char *why;

	if (kind != LINE_OK)
		refused_line(&d->refused, lineno, line_reason(kind), NULL);
	else if ((why = record_parse(d->parser, line, OWNED, &r)) != NULL)
		refused_line(&d->refused, lineno, why, r.hint);
	else if ((RECORD_BIT(r.type) & OWNED) == 0)
		writer_line(d->out, line);
	else if (r.fault != NULL)
		refused_line(&d->refused, lineno, r.fault, NULL);
	else if (r.type == RECORD_GAP)
		take_gap(d, &r);
	else if (r.type == RECORD_WAITING)
		take_waiting(d, &r);
	else
		take_record(d, &r, line, lineno);
}

int64_t
dispatch_serve(struct dispatch *d, int64_t now)
{
	int64_t due = INT64_MAX;

	for (struct job *j = d->progress->jobs; j != NULL; j = j->hh.next) {
		if (j->status != JOB_CANCELLED || j->done_written)
			continue;
		if (now >= j->changed + QUIET_MS)
			tell_done(d, j);
		else
			due = clock_sooner(due, j->changed + QUIET_MS);
	}
	return due;
}

/* A job that runs at the end of input. */
static void
end_running(struct dispatch *d, struct job *j)
{
	uint64_t missing = job_missing(j);

	d->unfinished += missing > 0 && (!j->kept || signals_stop());
	job_stop(j, signals_stop(), now_both());
	publish_job(j);
	if (j->kept)
		log_info("job id=%.*s %s", SHOWN(buffer_slice(&j->id)), buffer_cstr(&j->message));
	else if (missing > 0)
		log_warning("job id=%.*s %s: %" PRIu64 " of %" PRIu64 " tasks have no verdict",
			SHOWN(buffer_slice(&j->id)),
			j->status == JOB_CANCELLED ? "interrupted" : "stopped", missing, j->total);
}

void
dispatch_end(struct dispatch *d)
{
	/* No more jobs will come that could stand behind an abandoned hash. */
	if (d->publish->gaps.redis == NULL)
		d->publish->gaps.due = 0;
	for (struct job *j = d->progress->jobs; j != NULL; j = j->hh.next) {
		if (j->status == JOB_RUNNING)
			end_running(d, j);
		if (j->status != JOB_RUNNING)
			tell_done(d, j);
	}
}
