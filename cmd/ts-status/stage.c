/* Between the lines and the jobs: records are read, jobs told of them, and `done` is written. */
#include "stage.h"

#include "gaps.h"
#include "log.h"
#include "report.h"
#include "timestamp.h"

#include <errno.h>
#include <string.h>

enum {
	OWNED = RECORD_BIT(RECORD_JOB) | RECORD_BIT(RECORD_LOADING) | RECORD_BIT(RECORD_STORED) |
		RECORD_BIT(RECORD_FAILED) | RECORD_BIT(RECORD_CANCEL) | RECORD_BIT(RECORD_GAP),
	QUIET_MS = 5000, /* how long a cancelled job waits for verdicts on their way */
};

static struct moment
now_both(void)
{
	return (struct moment){.wall = clock_wall(), .mono = clock_mono_ms()};
}

static int
shown(struct slice s)
{
	return (int)(s.n < 100 ? s.n : 100);
}

static void
refuse(struct stage *s, uint64_t lineno, const char *why)
{
	s->refused++;
	meter_hide(s->meter);
	log_warning("line %llu: %s", (unsigned long long)lineno, why);
}

static void
tell_done(struct stage *s, struct job *j)
{
	struct record r;

	if (j->done_written)
		return;
	j->done_written = true;
	s->jobs++;
	report_done(j, s->plain, &r);
	record_write(writer_room(s->out), &r);
	writer_done(s->out);
	meter_hide(s->meter);
	log_info("job %s id=%.*s: %s", report_status(j->status, s->plain),
		shown(buffer_slice(&j->id)), j->id.p, buffer_cstr(&j->message));
}

static void
tell_start(struct stage *s, const struct job *j)
{
	meter_hide(s->meter);
	log_info("job start id=%.*s source=%.*s symbols=%llu tasks=%llu",
		shown(buffer_slice(&j->id)), j->id.p, shown(buffer_slice(&j->source)),
		j->source.len == 0 ? "" : j->source.p, (unsigned long long)j->symbols,
		(unsigned long long)j->total);
}

/* A job is another than before. */
static void
changed(struct stage *s, struct job *j, bool started, int64_t now)
{
	publish_job(s->publish, j, started, now);
	if (started && j->header)
		tell_start(s, j);
	if (j->status == JOB_RUNNING)
		return;
	if (j->status != JOB_CANCELLED || job_missing(j) == 0)
		tell_done(s, j);
}

static void
count(struct stage *s, const struct record *r)
{
	s->stored += r->type == RECORD_STORED;
	s->failed += r->type == RECORD_FAILED;
	s->rejected += r->rejected;
}

static void
take_gap(struct stage *s, const struct record *r)
{
	int64_t from = GAP_BEGINNING, to;

	if ((r->from.p == NULL || timestamp_parse(r->from, &from) == 0) &&
		timestamp_parse(r->to, &to) == 0)
		publish_gap(s->publish, from, to, clock_mono_ms());
	meter_hide(s->meter);
	log_warning("gap from=%.*s to=%.*s: jobs published meanwhile were not heard",
		r->from.p == NULL ? 1 : shown(r->from), r->from.p == NULL ? "?" : r->from.p, shown(r->to),
		r->to.p);
}

static void
log_unknown(struct stage *s, const struct record *r)
{
	if (r->type == RECORD_LOADING)
		return;
	meter_hide(s->meter);
	if (r->type == RECORD_CANCEL)
		log_info("cancel for a job that is not known: id=%.*s", shown(r->job_id),
			r->job_id.p);
	else
		log_warning("a verdict for a job that is over is not counted: id=%.*s",
			shown(r->job_id), r->job_id.p);
}

/* A verdict is noted before anybody hears of it, so that no restart counts it anew. */
static void
note(struct stage *s, const struct job *j, const struct record *r, struct slice line)
{
	if (!j->kept || r->symbol.p == NULL || (r->type != RECORD_STORED && r->type != RECORD_FAILED))
		return;
	if (spool_note(s->spool, r->job_id, line) != SPOOL_OK) {
		if (s->unnoted++ > 0)
			return;
		meter_hide(s->meter);
		log_error("spool: %s: verdicts cannot be noted; after a crash their tasks would be "
			  "done again", strerror(errno));
	} else if (s->unnoted > 0) {
		meter_hide(s->meter);
		log_info("spool: verdicts are noted again; %llu were not",
			(unsigned long long)s->unnoted);
		s->unnoted = 0;
	}
}

static void
resume_note(void *data, struct slice line)
{
	struct stage *s = data;
	struct moment now = now_both();
	struct record r;
	struct job *j;
	const char *why;

	/* A line that a crash cut is no verdict. */
	if (record_parse(s->notes, line, RECORD_BIT(RECORD_STORED) | RECORD_BIT(RECORD_FAILED), &r,
		    &why) == 0 &&
		r.fault == NULL && (r.type == RECORD_STORED || r.type == RECORD_FAILED))
		(void)progress_take(s->progress, &r, now, &j, &why);
}

/*
 * A cancelled job must not come back after a crash, though its last verdicts are still awaited. Where the
 * cancel is kept, it would come back cancelled, so that can wait until its end stands in Redis.
 */
static void
forget(struct stage *s, struct job *j)
{
	struct slice id = buffer_slice(&j->id);

	if (j->kept && !spool_cancelled(s->spool, id) && spool_remove(s->spool, id) == SPOOL_OK)
		j->kept = false;
}

/* A job begins: what an earlier life has noted of it is counted first. */
static void
resume(struct stage *s, struct job *j)
{
	uint64_t had;

	j->kept = s->spool != NULL && spool_has(s->spool, buffer_slice(&j->id));
	if (!j->kept)
		return;
	if (spool_notes(s->spool, buffer_slice(&j->id), resume_note, s) != SPOOL_OK)
		log_error("spool: %s: the notes cannot be read", strerror(errno));
	had = j->stored + j->failed;
	if (had > 0)
		log_info("job resumed id=%.*s: %llu of %llu tasks have their verdict",
			shown(buffer_slice(&j->id)), j->id.p, (unsigned long long)had,
			(unsigned long long)j->total);
}

static void
take(struct stage *s, const struct record *r, struct slice line, uint64_t lineno)
{
	struct moment now = now_both();
	struct job *j;
	const char *why;
	enum taken taken = progress_take(s->progress, r, now, &j, &why);

	switch (taken) {
	case TAKEN_REFUSED:
		s->refused++;
		meter_hide(s->meter);
		log_warning("line %llu: job id=%.*s refused: %s", (unsigned long long)lineno,
			shown(r->job_id), r->job_id.p, why);
		break;
	case TAKEN_UNKNOWN:
		log_unknown(s, r);
		break;
	case TAKEN_REPEATED:
		log_debug("line %llu: counted before", (unsigned long long)lineno);
		break;
	default:
		count(s, r);
		if (taken == TAKEN_STARTED || r->type == RECORD_JOB)
			resume(s, j);
		note(s, j, r, line);
		if (r->type == RECORD_CANCEL)
			forget(s, j);
		changed(s, j, taken == TAKEN_STARTED, now.mono);
		break;
	}
}

void
stage_line(struct stage *s, enum line kind, struct slice line, uint64_t lineno)
{
	struct record r;
	const char *why;

	if (kind != LINE_OK)
		refuse(s, lineno, line_reason(kind));
	else if (record_parse(s->parser, line, OWNED, &r, &why) != 0)
		refuse(s, lineno, why);
	else if ((RECORD_BIT(r.type) & OWNED) == 0)
		writer_line(s->out, line);
	else if (r.fault != NULL)
		refuse(s, lineno, r.fault);
	else if (r.type == RECORD_GAP)
		take_gap(s, &r);
	else
		take(s, &r, line, lineno);
}

static bool
waits(const struct job *j)
{
	return j->status == JOB_CANCELLED && !j->done_written;
}

void
stage_serve(struct stage *s, int64_t now)
{
	for (struct job *j = progress_first(s->progress); j != NULL; j = progress_next(j)) {
		if (waits(j) && now >= j->changed + QUIET_MS)
			tell_done(s, j);
	}
}

int64_t
stage_deadline(const struct stage *s)
{
	int64_t due = INT64_MAX;

	for (const struct job *j = progress_first(s->progress); j != NULL; j = progress_next(j)) {
		if (waits(j) && j->changed + QUIET_MS < due)
			due = j->changed + QUIET_MS;
	}
	return due;
}

void
stage_end(struct stage *s)
{
	struct moment now = now_both();

	publish_search_now(s->publish);
	for (struct job *j = progress_first(s->progress); j != NULL; j = progress_next(j)) {
		uint64_t missing = job_missing(j);

		if (j->status == JOB_RUNNING && j->kept) {
			job_interrupt(j);
			publish_job(s->publish, j, false, now.mono);
			meter_hide(s->meter);
			log_info("job id=%.*s %s", shown(buffer_slice(&j->id)), j->id.p,
				buffer_cstr(&j->message));
			continue;
		}
		if (j->status == JOB_RUNNING) {
			job_stop(j, now);
			publish_job(s->publish, j, false, now.mono);
			s->unfinished += missing > 0;
			if (missing > 0) {
				meter_hide(s->meter);
				log_warning("job id=%.*s stopped: %llu of %llu tasks have no verdict",
					shown(buffer_slice(&j->id)), j->id.p,
					(unsigned long long)missing, (unsigned long long)j->total);
			}
		}
		tell_done(s, j);
	}
}
