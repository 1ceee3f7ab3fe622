/* ts-expand: jobs in, tasks out. See ts-expand(1). */
#include "calendar.h"
#include "command.h"
#include "expand.h"
#include "job.h"
#include "lines.h"
#include "log.h"
#include "operands.h"
#include "plan.h"
#include "record.h"
#include "refused.h"
#include "retry.h"
#include "signals.h"
#include "spool.h"
#include "window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	bool unfinished;
	bool retry;
	bool dry; /* -n: the plan */
	bool derive, grouped;
	const char *spool;
	const char *rate;
	const char *plan;
	const char *now;
	const char *years;
	const char *list;
	const char *from;
	const char *to;
	const char *timeframes;
	char **symbols;
	int nsymbols;
};

/* What is told, what that means, and how far it has come. */
struct run {
	struct options o;
	struct expand expand;
	struct job job;
	struct plan plan;   /* of -n */
	struct retry retry; /* of -f */
	struct reader in;
	struct writer out;
	struct kinds kinds;
	uint64_t jobs, failed;
	struct refused refused;
};

static const struct command_option letters[] = {
	COMMAND_FLAG('n', dry, "print the plan of the jobs instead of their tasks"),
	COMMAND_FLAG(
		'd', derive, "with -n: as ts-fetch -d, hours of minutes, weeks and months of days"),
	COMMAND_FLAG('g', grouped, "with -n: as ts-fetch -g, the whole market's days"),
	COMMAND_FLAG('p', unfinished, "add the unfinished day, week and month"),
	COMMAND_FLAG('f', retry, "make jobs of what a recorded run reported as failed"),
	COMMAND_TEXT(
		'N', "now", now, "expand for this UTC time, or \"now\", instead of received_at"),
	COMMAND_TEXT('r', "rate", rate, "with -n: of the API, such as 5/m or 50/s"),
	COMMAND_TEXT('P', "plan", plan, "with -n: of the API; free: 5/m, two years"),
	COMMAND_TEXT('s', "spool", spool,
		"the folder of the service: leave out the tasks that are done"),
	COMMAND_TEXT('y', "years", years, "for jobs that do not say (1 with symbols)"),
	COMMAND_TEXT('l', "file", list, "symbols of this file, - for standard input"),
	COMMAND_TEXT(
		'F', "from", from, "first date, YYYY-MM-DD, today or yesterday; instead of years"),
	COMMAND_TEXT('T', "to", to, "with -F: last date (that of the last final bar)"),
	COMMAND_TEXT('t', "timeframes", timeframes,
		"for jobs that do not say, of 1min,hour,day,week,month (day)"),
	{0},
};

static const struct command self = {"ts-expand", "[symbol ...]", letters, NULL};

/* Those of -t, which has commas between them. */
static void
default_timeframes(const char *list, struct job *j)
{
	while (list != NULL) {
		size_t n = strcspn(list, ",");
		struct slice s = {list, n};
		char name[32];

		if (timeframe_parse(s) == TF_NONE) {
			job_release(j);
			(void)snprintf(name, sizeof name, "%.*s", (int)n, list);
			command_misuse(&self, n == 0 ? "-t" : name, timeframe_advice(s));
		}
		job_add_timeframe(j, s);
		list = list[n] == '\0' ? NULL : list + n + 1;
	}
}

/* What does not go together. */
static void
check_options(const struct options *o)
{
	if (o->retry && (o->nsymbols > 0 || o->list != NULL))
		command_misuse(&self, "-f", "makes jobs of a recorded run and takes no symbols");
	if (o->retry && o->dry)
		command_misuse(
			&self, "-n", "plans jobs and not a recorded run, so -f is not taken");
	for (int i = 0; i < o->nsymbols; i++) {
		if (operand_fault(o->symbols[i]) != NULL)
			command_misuse(&self, o->symbols[i], operand_fault(o->symbols[i]));
	}
	if (o->to != NULL && o->from == NULL)
		command_misuse(&self, "-T", "ends a range, so it needs -F");
	if (o->from != NULL && o->years != NULL)
		command_misuse(&self, "-F", "takes the place of years, so -y is not taken");
	if (o->rate != NULL && !o->dry)
		command_misuse(&self, "-r", "is the rate of a plan, so it needs -n");
	if (o->plan != NULL && (!o->dry || strcmp(o->plan, "free") != 0))
		command_misuse(&self, "-P", "goes with -n, and the only plan known is free");
	if ((o->derive || o->grouped) && !o->dry)
		command_misuse(&self, o->derive ? "-d" : "-g",
			"plans as ts-fetch does with it, so it needs -n");
}

static void
read_options(struct run *run)
{
	const struct options *o = &run->o;
	struct expand *e = &run->expand;
	struct plan *plan = &run->plan;
	struct slice now = slice_of(o->now == NULL ? "now" : o->now);
	int days;

	*e = (struct expand){.years = slice_of(o->years),
		.from = slice_of(o->from),
		.to = slice_of(o->to),
		.unfinished = o->unfinished,
		.fixed = o->now != NULL,
		.now = clock_wall()};
	check_options(o);
	plan->derive = o->derive;
	plan->grouped = o->grouped;
	plan->free_plan = o->plan != NULL;
	if (plan->free_plan)
		plan->rate = (struct rate){5, 60000};
	if (o->rate != NULL && rate_parse(slice_of(o->rate), &plan->rate) != 0)
		command_misuse(&self, "-r", "wants a rate such as 5/m or 50/s");
	if (!slice_is(now, "now") && timestamp_parse(now, &e->now) != 0)
		command_misuse(
			&self, "-N", "wants now, or a UTC time such as 2025-12-23T17:15:13Z");
	if (o->years != NULL && window_days(e->years, &days) != 0)
		command_misuse(&self, "-y", "wants a number above 0 and at most 50");
	job_init(&run->job);
	default_timeframes(o->timeframes, &run->job);
}

static void
take_job(struct run *run, const char *why)
{
	if (run->job.timeframes.n == 0)
		default_timeframes(run->o.timeframes, &run->job);
	run->jobs++;
	run->failed += run->o.dry ? plan_job(&run->plan, &run->expand, &run->job, why, &run->out)
				  : expand_job(&run->expand, &run->job, why, &run->out);
}

/* A symbol that fails its tasks is told here, too: there may be nobody who reads the records. */
static void
name_impossible(const struct job *j)
{
	for (size_t i = 0; i < j->symbols.n; i++) {
		if (!record_symbol_ok(j->symbols.p[i]))
			log_warning("%.*s is not a symbol that the API could know",
				(int)j->symbols.p[i].n, j->symbols.p[i].p);
	}
}

static int
status_so_far(const struct run *run)
{
	return run->failed + run->refused.n > 0 ? STATUS_REFUSED : STATUS_DONE;
}

/* The job made of the operands and of -l: one year unless the options say otherwise. */
static int
expand_operands(struct run *run)
{
	struct buffer id = {0}, text = {0}, source = {0};
	const struct options *o = &run->o;
	const struct expand *e = &run->expand;
	struct job *j = &run->job;
	char now[TIMESTAMP_SIZE];
	int status = STATUS_USAGE;

	buffer_printf(&id, "cli-%s", timestamp_format(now, e->now));
	/* Several of one second are told apart, but not where the same is to come out again. */
	if (!e->fixed)
		buffer_printf(&id, "-%d", (int)getpid());
	j->job_id = buffer_slice(&id);
	if (e->from.p == NULL)
		j->years = e->years.p != NULL ? e->years : slice_of("1");
	for (int i = 0; i < o->nsymbols; i++)
		operand_symbols(j, o->symbols[i]);
	if (o->list != NULL && operand_file(j, o->list, &text) != 0) {
		log_error("reading %s: %s", o->list, strerror(errno));
	} else {
		job_sort(j);
		operand_source(j, o->list, &source);
		j->source = buffer_slice(&source);
		name_impossible(j);
		take_job(run, j->symbols.n == 0 ? "no symbols in the job" : NULL);
		status = status_so_far(run);
	}
	buffer_release(&source);
	buffer_release(&text);
	buffer_release(&id);
	return status;
}

static void
refuse_line(struct run *run, const char *why, const char *hint)
{
	refused_line(&run->refused, run->in.lineno, why, hint);
}

static void
expand_line(struct run *run, struct slice line)
{
	struct record r;
	const char *why = record_parse(run->expand.parser, line, run->kinds.own, &r);

	if (why != NULL) {
		refuse_line(run, why, r.hint);
		return;
	}
	kinds_add(&run->kinds, r.type);
	if (run->o.retry) {
		if (r.fault != NULL)
			refuse_line(run, r.fault, NULL);
		else
			retry_read(&run->retry, &r);
	} else if (r.type != RECORD_MESSAGE) {
		if (!run->o.dry)
			writer_line(&run->out, line);
	} else {
		why = job_read(&run->job, line);
		if (run->job.job_id.p == NULL)
			refuse_line(run, why, NULL);
		else
			take_job(run, why);
	}
}

/* What the end of the input means for the exit status, and what has to be said of it. */
static int
input_status(const struct run *run, enum line kind)
{
	if (kind == LINE_ERROR)
		return reader_end(&run->in, STATUS_SERVICE);
	if (kind == LINE_STOP)
		return reader_waiting(&run->in) ? signals_status(STATUS_DONE) : STATUS_DONE;
	/* A service that nobody has asked for anything is done. */
	if (run->in.lineno == 0 && !run->o.retry && getenv("TS_SERVICE") == NULL) {
		log_warning("no job came");
		return STATUS_REFUSED;
	}
	return kinds_status(&run->kinds, status_so_far(run));
}

/* Reads jobs until the end of input or a signal; the exit status. */
static int
expand_input(struct run *run)
{
	struct slice line;
	enum line kind;

	while ((kind = lines_read(&run->in, &run->out, &line)) != LINE_END && kind != LINE_STOP &&
		kind != LINE_ERROR) {
		if (!run->expand.fixed)
			run->expand.now = clock_wall();
		if (kind == LINE_OK)
			expand_line(run, line);
		else
			refuse_line(run, line_reason(kind), NULL);
	}
	if (kind == LINE_END && run->o.retry)
		run->failed += retry_write(&run->retry, &run->out, &run->jobs);
	return input_status(run, kind);
}

static int
run_expand(struct run *run)
{
	int64_t start = clock_mono_ms();
	const struct options *o = &run->o;
	int status;

	if (o->retry)
		run->kinds =
			(struct kinds){.own = RECORD_BIT(RECORD_JOB) | RECORD_BIT(RECORD_STORED) |
					      RECORD_BIT(RECORD_FAILED),
				.word = "verdict"};
	else
		run->kinds = (struct kinds){.own = RECORD_BIT(RECORD_MESSAGE), .word = "job"};
	run->expand.parser = record_parser_new();
	reader_init(&run->in, STDIN_FILENO);
	writer_init(&run->out, STDOUT_FILENO);
	log_run("start version=%s years=%s unfinished=%d", TS_VERSION,
		o->years == NULL ? "-" : o->years, o->unfinished);
	status = o->nsymbols > 0 || o->list != NULL ? expand_operands(run) : expand_input(run);
	if (o->dry && !signals_stop())
		plan_end(&run->plan, &run->out);
	status = writer_end(&run->out, status);
	log_end(log_run, "end",
		(const struct log_count[]){{"jobs", run->jobs}, {"failed", run->failed},
			{"refused", run->refused.n}, {0}},
		clock_mono_ms() - start);
	writer_release(&run->out);
	reader_release(&run->in);
	retry_release(&run->retry);
	names_release(&run->expand.done);
	record_parser_free(run->expand.parser);
	return status;
}

int
main(int argc, char **argv)
{
	struct run run = {.o = {.timeframes = "day"}};
	struct calendar *calendar;
	struct spool *spool = NULL;
	const char *why;
	int status;

	command_options(&self, argc, argv, &run.o);
	run.o.symbols = argv + optind;
	run.o.nsymbols = argc - optind;
	read_options(&run);
	command_signals(0);
	if ((run.expand.calendar = calendar = calendar_new(&why)) == NULL) {
		log_error("%s", why);
		status = STATUS_USAGE;
	} else if (run.o.spool != NULL &&
		   (spool = spool_open(run.o.spool, "expand", &why)) == NULL) {
		log_error("spool %s: %s", run.o.spool, why);
		status = STATUS_SERVICE;
	} else {
		run.expand.spool = spool;
		status = run_expand(&run);
	}
	spool_close(spool);
	calendar_free(calendar);
	job_release(&run.job);
	return status;
}
