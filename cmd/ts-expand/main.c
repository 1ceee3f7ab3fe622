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

struct counts {
	uint64_t jobs;
	uint64_t failed;
	struct refused refused;
	struct kinds kinds;
	struct plan *plan; /* -n, else NULL */
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

/* Splits -t at its commas. */
static void
default_timeframes(const char *list, struct job *defaults)
{
	while (list != NULL) {
		size_t n = strcspn(list, ",");
		struct slice s = {list, n};
		char name[32];

		if (timeframe_parse(s) == TF_NONE) {
			job_release(defaults);
			(void)snprintf(name, sizeof name, "%.*s", (int)n, list);
			command_misuse(&self, n == 0 ? "-t" : name, timeframe_advice(s));
		}
		job_add_timeframe(defaults, s);
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
read_options(const struct options *o, struct expand *e, struct job *defaults, struct plan *plan)
{
	struct slice now = slice_of(o->now == NULL ? "now" : o->now);
	int days;

	*e = (struct expand){.years = slice_of(o->years),
		.from = slice_of(o->from),
		.to = slice_of(o->to),
		.unfinished = o->unfinished,
		.fixed = o->now != NULL,
		.defaults = defaults,
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
	job_init(defaults);
	default_timeframes(o->timeframes == NULL ? "day" : o->timeframes, defaults);
}

static void
take_job(const struct expand *e, const struct job *j, const char *why, struct writer *out,
	struct counts *n)
{
	n->jobs++;
	n->failed +=
		n->plan != NULL ? plan_job(n->plan, e, j, why, out) : expand_job(e, j, why, out);
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

/* The job made of the operands and of -l: one year unless the options say otherwise. */
static int
expand_operands(const struct options *o, const struct expand *e, struct job *j, struct writer *out,
	struct counts *n)
{
	struct buffer id = {0}, text = {0}, source = {0};
	char now[TIMESTAMP_SIZE];
	int status = STATUS_DONE;

	job_reset(j);
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
		status = STATUS_USAGE;
	} else {
		job_sort(j);
		operand_source(j, o->list, &source);
		j->source = buffer_slice(&source);
		name_impossible(j);
		take_job(e, j, j->symbols.n == 0 ? "no symbols in the job" : NULL, out, n);
		status = n->failed > 0 ? STATUS_REFUSED : STATUS_DONE;
	}
	buffer_release(&source);
	buffer_release(&text);
	buffer_release(&id);
	return status;
}

static void
refuse_line(const struct reader *in, const char *why, const char *hint, struct counts *n)
{
	refused_line(&n->refused, in->lineno, why, hint);
}

/* What reads a line needs: the parser, and the job or the recorded run that lines go into. */
struct input {
	struct record_parser *parser;
	struct job *job;
	struct retry *retry; /* -f, else NULL */
	struct reader reader;
};

static void
expand_line(const struct expand *e, struct input *in, struct slice line, struct writer *out,
	struct counts *n)
{
	struct job *j = in->job;
	struct record r;
	const char *why = record_parse(in->parser, line, n->kinds.own, &r);

	if (why != NULL) {
		refuse_line(&in->reader, why, r.hint, n);
		return;
	}
	kinds_add(&n->kinds, r.type);
	if (in->retry != NULL) {
		if (r.fault != NULL)
			refuse_line(&in->reader, r.fault, NULL, n);
		else
			retry_read(in->retry, &r);
		return;
	}
	if (r.type != RECORD_MESSAGE) {
		if (n->plan == NULL)
			writer_line(out, line);
		return;
	}
	why = job_read(j, line);
	if (j->job_id.p == NULL) {
		refuse_line(&in->reader, why, NULL, n);
		return;
	}
	take_job(e, j, why, out, n);
}

/* What the end of the input means for the exit status, and what has to be said of it. */
static int
input_status(const struct input *in, enum line kind, const struct counts *n)
{
	if (kind == LINE_ERROR)
		return reader_end(&in->reader, STATUS_SERVICE);
	if (kind == LINE_STOP)
		return reader_waiting(&in->reader) ? signals_status(STATUS_DONE) : STATUS_DONE;
	/* A service that nobody has asked for anything is done. */
	if (in->reader.lineno == 0 && in->retry == NULL && getenv("TS_SERVICE") == NULL) {
		log_warning("no job came");
		return STATUS_REFUSED;
	}
	return kinds_status(&n->kinds, n->failed + n->refused.n > 0 ? STATUS_REFUSED : STATUS_DONE);
}

/* Reads jobs until the end of input or a signal; the exit status. */
static int
expand_input(const struct options *o, struct expand *e, struct job *j, struct writer *out,
	struct counts *n)
{
	struct input in = {
		.parser = record_parser_new(), .job = j, .retry = o->retry ? retry_new() : NULL};
	struct slice line;
	enum line kind;
	int status;

	n->kinds = o->retry ? (struct kinds){.own = RECORD_BIT(RECORD_JOB) |
						    RECORD_BIT(RECORD_STORED) |
						    RECORD_BIT(RECORD_FAILED),
				      .word = "verdict"}
			    : (struct kinds){.own = RECORD_BIT(RECORD_MESSAGE), .word = "job"};
	reader_init(&in.reader, STDIN_FILENO);
	while ((kind = lines_read(&in.reader, out, &line)) != LINE_END && kind != LINE_STOP &&
		kind != LINE_ERROR) {
		if (!e->fixed)
			e->now = clock_wall();
		if (kind == LINE_OK)
			expand_line(e, &in, line, out, n);
		else
			refuse_line(&in.reader, line_reason(kind), NULL, n);
	}
	if (kind == LINE_END && in.retry != NULL)
		n->failed += retry_write(in.retry, out, &n->jobs);
	status = input_status(&in, kind, n);
	reader_release(&in.reader);
	retry_free(in.retry);
	record_parser_free(in.parser);
	return status;
}

static int
run_expand(const struct options *o, struct expand *e, struct plan *plan)
{
	int64_t start = clock_mono_ms();
	struct counts n = {.plan = o->dry ? plan : NULL};
	struct job job;
	struct writer out;
	int status;

	job_init(&job);
	writer_init(&out, STDOUT_FILENO);
	log_run("start version=%s years=%s unfinished=%d", TS_VERSION,
		o->years == NULL ? "-" : o->years, o->unfinished);
	if (o->nsymbols > 0 || o->list != NULL) {
		status = expand_operands(o, e, &job, &out, &n);
	} else {
		status = expand_input(o, e, &job, &out, &n);
	}
	if (o->dry && !signals_stop())
		plan_end(plan, &out);
	status = writer_end(&out, status);
	log_end(log_run, "end",
		(const struct log_count[]){
			{"jobs", n.jobs}, {"failed", n.failed}, {"refused", n.refused.n}, {0}},
		clock_mono_ms() - start);
	writer_release(&out);
	job_release(&job);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	struct expand e;
	struct plan plan = {0};
	struct job defaults;
	struct calendar *calendar;
	struct spool *spool = NULL;
	const char *why;
	int status;

	command_options(&self, argc, argv, &o);
	o.symbols = argv + optind;
	o.nsymbols = argc - optind;
	read_options(&o, &e, &defaults, &plan);
	command_signals(0);
	if ((e.calendar = calendar = calendar_new(&why)) == NULL) {
		log_error("%s", why);
		status = STATUS_USAGE;
	} else if (o.spool != NULL && (spool = spool_open(o.spool, "expand", &why)) == NULL) {
		log_error("spool %s: %s", o.spool, why);
		status = STATUS_SERVICE;
	} else {
		e.done_tasks = done_tasks_new(spool);
		status = run_expand(&o, &e, &plan);
		done_tasks_free(e.done_tasks);
	}
	spool_close(spool);
	calendar_free(calendar);
	job_release(&defaults);
	return status;
}
