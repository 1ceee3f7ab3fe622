/* ts-expand: jobs in, tasks out. See ts-expand(1). */
#include "calendar.h"
#include "drain.h"
#include "expand.h"
#include "job.h"
#include "lines.h"
#include "log.h"
#include "record.h"
#include "window.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
	bool verbose;
	bool unfinished;
	const char *now;
	const char *years;
	const char *timeframes;
	char **symbols;
	int nsymbols;
};

struct counts {
	uint64_t jobs;
	uint64_t failed;
	uint64_t refused;
};

static const char usage[] =
	"usage: ts-expand [-hVvp] [-N now] [-y years] [-t timeframes] [symbol ...]\n";

static int
misuse(const char *what, const char *value)
{
	log_error("%s%s%s", what, value[0] == '\0' ? "" : ": ", value);
	(void)fputs(usage, stderr);
	return STATUS_USAGE;
}

/* -1 to go on, else the exit status. */
static int
parse_options(int argc, char **argv, struct options *o)
{
	int c;

	log_init("ts-expand", false);
	while ((c = getopt(argc, argv, "hVvpN:y:t:")) != -1) {
		switch (c) {
		case 'h':
			return fputs(usage, stdout) < 0 || fflush(stdout) != 0 ? STATUS_SERVICE
									       : STATUS_DONE;
		case 'V':
			return puts("ts-expand " TS_VERSION) < 0 || fflush(stdout) != 0
				       ? STATUS_SERVICE
				       : STATUS_DONE;
		case 'v':
			o->verbose = true;
			break;
		case 'p':
			o->unfinished = true;
			break;
		case 'N':
			o->now = optarg;
			break;
		case 'y':
			o->years = optarg;
			break;
		case 't':
			o->timeframes = optarg;
			break;
		default:
			(void)fputs(usage, stderr);
			return STATUS_USAGE;
		}
	}
	o->symbols = argv + optind;
	o->nsymbols = argc - optind;
	log_init("ts-expand", o->verbose);
	return -1;
}

/* Splits -t at its commas; 0, or -1 where a name is unknown. */
static int
default_timeframes(const char *list, struct job *defaults)
{
	while (list != NULL) {
		const char *comma = strchr(list, ',');
		struct slice s = {list, comma == NULL ? strlen(list) : (size_t)(comma - list)};

		if (timeframe_parse(s) == TF_NONE)
			return -1;
		job_add_timeframe(defaults, s);
		list = comma == NULL ? NULL : comma + 1;
	}
	return 0;
}

static int
setup(const struct options *o, struct expand *e, struct job *defaults)
{
	struct slice now = slice_of(o->now == NULL ? "now" : o->now);
	int days;

	e->years = slice_of(o->years);
	e->unfinished = o->unfinished;
	e->fixed = o->now != NULL;
	e->defaults = defaults;
	e->now = clock_wall();
	if (!slice_is(now, "now") && timestamp_parse(now, &e->now) != 0)
		return misuse("-N wants \"now\" or a UTC time such as 2025-12-23T17:15:13Z", o->now);
	if (o->years != NULL && window_days(e->years, &days) != 0)
		return misuse("-y wants a number above 0 and at most 50", o->years);
	if (default_timeframes(o->timeframes == NULL ? "day" : o->timeframes, defaults) != 0)
		return misuse("-t wants names of 1min,hour,day,week,month", o->timeframes);
	return -1;
}

/* The job made of the operands: one year unless -y says otherwise. */
static void
expand_operands(const struct options *o, const struct expand *e, struct job *j, struct writer *out,
	struct counts *n)
{
	char id[sizeof "cli-" + TIMESTAMP_SIZE] = "cli-";

	job_reset(j);
	(void)timestamp_format(id + 4, e->now);
	j->job_id = slice_of(id);
	j->source = slice_of("command line");
	j->years = e->years.p != NULL ? e->years : slice_of("1");
	for (int i = 0; i < o->nsymbols; i++)
		job_add_symbol(j, slice_of(o->symbols[i]));
	job_sort(j);
	n->jobs++;
	n->failed += expand_job(e, j, NULL, out);
}

static void
refuse(const struct reader *in, const char *why, struct counts *n)
{
	bool hint = strncmp(why, "not JSON", 8) == 0;

	n->refused++;
	log_warning("line %llu: %s%s", (unsigned long long)in->lineno, why,
		hint ? " (a job typed over several lines goes through: jq -c .)" : "");
}

static void
expand_line(const struct expand *e, struct record_parser *parser, struct job *j, struct slice line,
	const struct reader *in, struct writer *out, struct counts *n)
{
	struct record r;
	const char *why;

	if (record_parse(parser, line, 0, &r, &why) != 0) {
		refuse(in, why, n);
		return;
	}
	if (r.type != RECORD_MESSAGE) {
		writer_line(out, line);
		return;
	}
	why = job_read(j, line);
	if (j->job_id.p == NULL) {
		refuse(in, why, n);
		return;
	}
	n->jobs++;
	n->failed += expand_job(e, j, why, out);
}

/* Reads jobs until the end of input or a signal; 0, or -1 when reading failed. */
static int
expand_input(struct expand *e, struct job *j, struct writer *out, struct counts *n)
{
	struct record_parser *parser = record_parser_new();
	struct reader in;
	struct slice line;
	enum line kind;

	reader_init(&in, STDIN_FILENO);
	while ((kind = lines_read(&in, out, &line)) != LINE_END && kind != LINE_STOP &&
		kind != LINE_ERROR) {
		if (!e->fixed)
			e->now = clock_wall();
		if (kind == LINE_OK)
			expand_line(e, parser, j, line, &in, out, n);
		else
			refuse(&in, line_reason(kind), n);
	}
	if (kind == LINE_ERROR)
		log_error("reading stdin: %s", strerror(errno));
	reader_release(&in);
	record_parser_free(parser);
	return kind == LINE_ERROR ? -1 : 0;
}

static int
run(const struct options *o, struct expand *e, struct job *defaults)
{
	int64_t start = clock_mono_ms();
	struct counts n = {0};
	struct job job;
	struct writer out;
	int status = STATUS_DONE;

	job_init(&job);
	writer_init(&out, STDOUT_FILENO);
	log_debug("start version=%s years=%s unfinished=%d", TS_VERSION,
		o->years == NULL ? "-" : o->years, o->unfinished);
	if (o->nsymbols > 0)
		expand_operands(o, e, &job, &out, &n);
	else if (expand_input(e, &job, &out, &n) != 0)
		status = STATUS_SERVICE;
	if (status == STATUS_DONE && n.failed + n.refused > 0 && !drain_told())
		status = STATUS_REFUSED;
	status = writer_end(&out, status);
	log_debug("end jobs=%llu failed=%llu refused=%llu seconds=%.1f", (unsigned long long)n.jobs,
		(unsigned long long)n.failed, (unsigned long long)n.refused,
		(double)(clock_mono_ms() - start) / 1000);
	writer_release(&out);
	job_release(&job);
	job_release(defaults);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	struct expand e = {0};
	struct job defaults;
	struct calendar *calendar;
	const char *why;
	int status;

	lines_init();
	status = parse_options(argc, argv, &o);
	if (status >= 0)
		return status;
	job_init(&defaults);
	status = setup(&o, &e, &defaults);
	if (status >= 0) {
		job_release(&defaults);
		return status;
	}
	calendar = calendar_new(&why);
	if (calendar == NULL || drain_init(0) != 0) {
		log_error("%s", calendar == NULL ? why : strerror(errno));
		job_release(&defaults);
		calendar_free(calendar);
		return STATUS_USAGE;
	}
	e.calendar = calendar;
	status = run(&o, &e, &defaults);
	calendar_free(calendar);
	return status;
}
