/* ts-audit: what of the tasks is in the database, by the exchange calendar. See ts-audit(1). */
#include "audit.h"
#include "calendar.h"
#include "command.h"
#include "database_url.h"
#include "lines.h"
#include "log.h"
#include "record.h"
#include "refused.h"
#include "signals.h"
#include "timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
	PAUSE_MS = 250, /* input that brings nothing for so long is taken to rest: what was gathered
			   is audited */
	SILENCE_MS = 605000, /* from Postgres; statement_timeout comes first */
	BUDGET_MS = 60000,   /* how long a trouble with it may last */
};

/*
 * Few groups of very many rows: hashed, not sorted (which the planner, who cannot know how few,
 * would do on disk), and not compiled.
 */
static const char settings_sql[] =
	"SELECT set_config('statement_timeout', '600s', true), set_config('lock_timeout', '30s', "
	"true),"
	" set_config('enable_sort', 'off', true), set_config('jit', 'off', true),"
	" set_config('work_mem', '64MB', true)";

struct options {
	bool records, tasks, presence, refresh, back; /* -J, -m, -p, -r, -b */
	uint64_t sessions;
	const char *asked; /* the file of -k */
	enum mode mode;
	uint64_t least;
	const char *url; /* of -u or DATABASE_URL; NULL: libpq's own variables */
};

/* What one run reads and counts. */
struct input {
	struct record_parser *parser;
	struct reader reader;
	struct writer out;
	struct refused refused;
};

static const struct command_option letters[] = {
	COMMAND_FLAG('J', records, "write one audit record a series"),
	COMMAND_FLAG('m', tasks, "write the tasks that load what is missing"),
	COMMAND_FLAG('b', back, "back to the first bar that the table holds"),
	COMMAND_FLAG('r', refresh,
		"write the tasks that ask again for days, weeks, months and the last sessions"),
	COMMAND_NUMBER(
		'n', "sessions", sessions, 1, 10000, "of minutes and hours that -r asks for (3)"),
	COMMAND_TEXT('k', "file", asked, "where -m and -r keep what was asked for lately"),
	COMMAND_FLAG('p', presence, "look at presence only, not at values"),
	COMMAND_NUMBER('l', "percent", least, 0, 100, "of its bars that a session must have (0)"),
	COMMAND_TEXT(
		'u', "database-url", url, "the database ($DATABASE_URL, else libpq's variables)"),
	{0},
};

static const struct command self = {"ts-audit", NULL, letters, "DATABASE_URL PGPASSWORD"};

static void
read_options(int argc, char **argv, struct options *o)
{
	command_options(&self, argc, argv, o);
	if (o->records && (o->tasks || o->refresh))
		command_misuse(&self, NULL, "-J writes audits, -m and -r tasks: choose one");
	o->mode = o->records ? MODE_RECORDS : o->tasks || o->refresh ? MODE_TASKS : MODE_TABLE;
	o->url = database_url(&self, o->url);
}

/* Does what a line says; lines that are not for an audit go on where records are written. */
static enum outcome
take_line(struct audit *a, struct input *in, struct slice line)
{
	const unsigned owned = RECORD_BIT(RECORD_JOB) | RECORD_BIT(RECORD_TASK) |
			       RECORD_BIT(RECORD_STORED) | RECORD_BIT(RECORD_FAILED);
	enum mode mode = a->report.mode;
	enum outcome o = PG_OK;
	struct record r;
	const char *why = record_parse(in->parser, line, owned, &r);

	if (why == NULL && r.type == RECORD_TASK)
		why = audit_task(a, &r);
	else if (why == NULL && r.type != RECORD_OTHER)
		why = r.fault;
	if (why != NULL) {
		refused_line(&in->refused, in->reader.lineno, why, r.hint);
		return PG_OK;
	}
	if (r.type == RECORD_TASK)
		return a->series.n < AUDIT_TASKS && a->cells < AUDIT_CELLS ? PG_OK : audit_run(a);
	if (r.type == RECORD_FAILED) {
		/* It is not complete either. */
		report_failed(&a->report, &r, line);
		if (mode == MODE_TASKS)
			fill_failed(&a->fill, &r, line);
		return PG_OK;
	}
	if (r.type == RECORD_STORED)
		answers_take(&a->answers, &r);
	if (r.type == RECORD_JOB && mode == MODE_TASKS) {
		/* The tasks before it belong to another job. */
		o = audit_run(a);
		if (o == PG_OK)
			fill_header(&a->fill, line);
		return o;
	}
	if (r.type == RECORD_JOB)
		fill_moment(&a->fill, &r);
	if (mode != MODE_TABLE)
		writer_line(&in->out, line);
	return PG_OK;
}

/* Waits for input; audits what was gathered when there is none. */
static enum outcome
wait_for_input(struct audit *a, struct input *in)
{
	struct pollfd fds[3] = {{.fd = in->reader.fd, .events = POLLIN},
		{.fd = signals_fd(), .events = POLLIN}, {.fd = in->out.fd}};
	int n;

	if (writer_flush(&in->out) != 0)
		return PG_STOP;
	/* With nothing in hand only input, a signal or the reader's going away can happen. */
	n = poll(fds, 3, a->series.n > 0 ? PAUSE_MS : -1);
	if (n == 0)
		return audit_run(a);
	if (n < 0)
		return PG_OK;
	writer_watch(&in->out, fds[2].revents);
	if (fds[0].revents != 0)
		(void)reader_fill(&in->reader);
	return PG_OK;
}

/* Reads all tasks; PG_STOP also when stdout is gone, PG_LOST when reading failed. */
static enum outcome
read_lines(struct audit *a, struct input *in)
{
	struct slice line;
	enum outcome o = PG_OK;
	enum line kind = LINE_NONE;

	while (o == PG_OK && kind != LINE_END && kind != LINE_ERROR) {
		if (signals_stop() || in->out.error != 0)
			return PG_STOP;
		kind = reader_next(&in->reader, &line);
		if (kind == LINE_OK)
			o = take_line(a, in, line);
		else if (kind == LINE_NONE)
			o = wait_for_input(a, in);
		else if (kind == LINE_CUT || kind == LINE_LONG)
			refused_line(&in->refused, in->reader.lineno, line_reason(kind), NULL);
	}
	if (kind == LINE_ERROR && reader_end(&in->reader, STATUS_DONE) != STATUS_DONE)
		return PG_LOST;
	return o == PG_OK ? audit_run(a) : o;
}

static int
status_of(const struct audit *a, const struct input *in, enum outcome o)
{
	if (o == PG_CONFIG)
		return STATUS_USAGE;
	if (o != PG_OK && o != PG_STOP)
		return STATUS_SERVICE;
	if (o == PG_STOP && in->out.error == 0)
		log_warning("told to stop: there are tasks that were not audited");
	if (o == PG_OK && a->report.mode == MODE_TABLE && a->report.series == 0) {
		log_warning("no tasks came, so nothing is certified");
		return STATUS_REFUSED;
	}
	if (o == PG_STOP || in->refused.n > 0 || a->report.verdicts[VERDICT_UNUSABLE] > 0)
		return STATUS_REFUSED;
	/* Tasks that were written as they should be are not a failure. */
	if (a->report.mode != MODE_TASKS &&
		a->report.verdicts[VERDICT_COMPLETE] != a->report.series)
		return STATUS_REFUSED;
	return STATUS_DONE;
}

static void
say_end(const struct audit *a, const struct input *in, int64_t start)
{
	struct log_count counts[VERDICT_COUNT + 5] = {{"series", a->report.series}}, *at = counts;

	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		*++at = (struct log_count){verdict_name(v), a->report.verdicts[v]};
	*++at = (struct log_count){"failed", a->report.failed};
	*++at = (struct log_count){"refused", in->refused.n};
	*++at = (struct log_count){"tasks", a->fill.tasks};
	log_end(log_run, "end", counts, clock_mono_ms() - start);
}

/* What follows the last task; the exit status. */
static int
end_audit(const struct options *o, struct audit *a, struct input *in, enum outcome outcome)
{
	struct fill *f = &a->fill;
	int status;

	if (outcome == PG_OK && o->mode == MODE_TASKS) {
		fill_end(f);
		if (f->again > 0)
			log_info("asked again within 20 hours, and still as it was: %" PRIu64
				 " sessions, weeks or months",
				f->again);
	}
	if (outcome == PG_OK && o->mode == MODE_TABLE)
		report_certificate(&a->report);
	status = writer_end(&in->out, status_of(a, in, outcome));
	/* Only what was written has been asked for. */
	if (f->asked != NULL && status < STATUS_USAGE && outcome == PG_OK &&
		asked_save(f->asked) != 0) {
		log_error("writing %s: %s", o->asked, strerror(errno));
		status = STATUS_SERVICE;
	}
	return status;
}

static int
run_audit(const struct options *o, const struct calendar *calendar, struct asked *asked)
{
	int64_t start = clock_mono_ms();
	struct pg_shared shared = {0};
	const struct pg_options options = {.url = o->url,
		.program = self.name,
		.begin = "BEGIN READ ONLY",
		.settings = settings_sql,
		.silence_ms = SILENCE_MS,
		.first_ms = BUDGET_MS,
		.budget_ms = BUDGET_MS,
		.stop_fd = signals_fd(),
		.quit_fd = -1,
		.out_fd = STDOUT_FILENO,
		.shared = &shared};
	struct pg *pg = pg_new(&options);
	struct input in = {.parser = record_parser_new()};
	struct audit a = {.back = o->back,
		.presence = o->presence,
		.least = (unsigned)o->least,
		.calendar = calendar,
		.report = {.mode = o->mode, .calendar = calendar, .out = &in.out},
		.fill = {.missing = o->tasks,
			.refresh = o->refresh,
			.sessions = o->sessions,
			.asked = asked,
			.calendar = calendar,
			.out = &in.out},
		.cross.tables.pg = pg};
	int status;

	log_run("start version=%s least=%u%%", TS_VERSION, a.least);
	writer_init(&in.out, STDOUT_FILENO);
	reader_init(&in.reader, STDIN_FILENO);
	status = end_audit(o, &a, &in, read_lines(&a, &in));
	say_end(&a, &in, start);
	audit_release(&a);
	reader_release(&in.reader);
	record_parser_free(in.parser);
	writer_release(&in.out);
	pg_free(pg);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {.sessions = 3};
	struct calendar *calendar;
	struct asked *asked = NULL;
	const char *why;
	int status;

	read_options(argc, argv, &o);
	command_signals(0);
	calendar = calendar_new(&why);
	if (calendar == NULL) {
		log_error("%s", why);
		return STATUS_USAGE;
	}
	if (o.asked != NULL && (asked = asked_new(o.asked, &why)) == NULL) {
		log_error("%s: %s", o.asked, why);
		calendar_free(calendar);
		return STATUS_SERVICE;
	}
	status = run_audit(&o, calendar, asked);
	asked_free(asked);
	calendar_free(calendar);
	return status;
}
