/* ts-share: tasks in, verdicts out; the work between is done by ts-work, on any host. See
 * ts-share(1). */
#include "command.h"
#include "jobs.h"
#include "log.h"
#include "refused.h"
#include "signals.h"
#include "listing.h"
#include "timestamp.h"

#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

enum { TASK_BYTES = 1 << 16 /* of a task's line, as ts-fetch takes it */ };

struct options {
	bool table;
	const char *url; /* of -u, NULL without */
};

static const struct command_option letters[] = {
	COMMAND_FLAG('l', table, "show the jobs that are shared, and who works on them"),
	COMMAND_TEXT('u', "redis-url", url,
		"the Redis server ($REDIS_URL, else redis://127.0.0.1:6379/0)"),
	{0},
};

static const struct command self = {"ts-share", NULL, letters, "REDIS_URL"};

/* What the lines of input go through. */
struct input {
	struct reader in;
	struct record_parser *parser;
	struct kinds kinds;
	struct refused refused;
	struct jobs jobs;
	struct writer *out;
};

static void
take_record(struct input *t, struct slice line)
{
	struct record r;
	const char *why = record_parse(t->parser, line,
		RECORD_BIT(RECORD_TASK) | RECORD_BIT(RECORD_CANCEL) | RECORD_BIT(RECORD_JOB), &r);

	if (why != NULL) {
		refused_line(&t->refused, t->in.lineno, why, r.hint);
		return;
	}
	kinds_add(&t->kinds, r.type);
	if (r.type == RECORD_TASK && r.job_id.p != NULL && r.symbol.p != NULL &&
		line.n <= TASK_BYTES) {
		jobs_task(&t->jobs, &r, line);
	} else if (r.type == RECORD_TASK) {
		refused_line(&t->refused, t->in.lineno,
			line.n > TASK_BYTES ? "the task is over 64 KiB" : r.fault, NULL);
	} else if (r.type == RECORD_CANCEL && r.fault != NULL) {
		refused_line(&t->refused, t->in.lineno, r.fault, NULL);
	} else {
		if (r.type == RECORD_CANCEL)
			jobs_cancel(&t->jobs, r.job_id);
		else if (r.type == RECORD_JOB && r.fault == NULL)
			jobs_header(&t->jobs, &r);
		writer_line(t->out, line);
	}
}

/* Takes what has been read so far; false at the end of input. */
static bool
take_lines(struct input *t)
{
	struct slice line;

	while (!jobs_full(&t->jobs) && t->out->error == 0) {
		enum line kind = reader_next(&t->in, &line);

		if (kind == LINE_OK)
			take_record(t, line);
		else if (kind == LINE_CUT || kind == LINE_LONG)
			refused_line(&t->refused, t->in.lineno, line_reason(kind), NULL);
		else
			return kind == LINE_NONE;
	}
	return true;
}

/* Waits for input, the server, a signal, or the end of the reader. */
static void
wait_for_all(struct input *t, struct share *s, bool open)
{
	int64_t now = clock_mono_ms();
	int64_t due = clock_sooner(redis_link_deadline(&s->link), jobs_deadline(&t->jobs));
	bool wanted = open && !jobs_full(&t->jobs);
	struct pollfd fds[4] = {{.fd = signals_fd(), .events = POLLIN}, redis_pollfd(s->link.redis),
		{.fd = t->out->fd}, {.fd = wanted ? t->in.fd : -1, .events = POLLIN}};

	if (poll(fds, 4, due == INT64_MAX ? -1 : clock_wait_ms(due, now)) < 0)
		fds[1].revents = fds[2].revents = fds[3].revents = 0;
	writer_watch(t->out, fds[2].revents);
	if (fds[3].revents != 0)
		(void)reader_fill(&t->in);
	if (share_serve(s, fds[1].revents, clock_mono_ms()) == REDIS_EVENT_READY)
		jobs_ready(&t->jobs);
}

/* Until all that came in has its verdict. */
static void
run_loop(struct input *t, struct share *s)
{
	bool open = true;

	while (!signals_stop() && !s->refused) {
		if (open)
			open = take_lines(t);
		if (!open && t->jobs.count == 0)
			break;
		jobs_serve(&t->jobs, open, clock_mono_ms());
		if (writer_flush(t->out) != 0)
			break;
		wait_for_all(t, s, open);
	}
}

static int
status_of(const struct input *t, const struct share *s)
{
	int status = t->jobs.failed + t->refused.n > 0 ? STATUS_REFUSED : STATUS_DONE;

	if (s->refused) {
		log_error("Redis: %s", s->refusal);
		return STATUS_USAGE;
	}
	if (reader_end(&t->in, STATUS_DONE) != STATUS_DONE)
		return STATUS_SERVICE;
	if (signals_stop())
		return t->jobs.count > 0 ? signals_status(status) : status;
	return kinds_status(&t->kinds, status);
}

static int
run_share(struct share *s, struct writer *out)
{
	int64_t start = clock_mono_ms();
	struct input t = {.parser = record_parser_new(),
		.kinds = {.own = RECORD_BIT(RECORD_TASK), .word = "task"},
		.out = out};
	const struct jobs *j = &t.jobs;
	int status;

	reader_init(&t.in, STDIN_FILENO);
	jobs_init(&t.jobs, s, out);
	run_loop(&t, s);
	status = status_of(&t, s);
	if (j->held > 0 && !s->refused)
		log_warning("stopped with %" PRIu64
			    " tasks handed out: the same jobs go on from there",
			j->held);
	log_end(log_run, "end",
		(const struct log_count[]){{"tasks", j->tasks}, {"stored", j->stored},
			{"failed", j->failed}, {"cancelled", j->cancelled}, {"resumed", j->resumed},
			{"repeated", j->repeated}, {"refused", t.refused.n}, {0}},
		clock_mono_ms() - start);
	jobs_release(&t.jobs);
	record_parser_free(t.parser);
	reader_release(&t.in);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {0};
	struct redis_url url = {0};
	struct buffer shown = {0};
	struct share share;
	struct writer out;
	int status;

	command_options(&self, argc, argv, &o);
	redis_url_choose(&self, o.url, &url);
	command_signals(0);
	share_init(&share, &url);
	writer_init(&out, STDOUT_FILENO);
	redis_url_show(&url, &shown);
	if (!o.table)
		log_run("start version=%s redis=%s", TS_VERSION, buffer_cstr(&shown));
	buffer_release(&shown);
	status = o.table ? listing_show(&share, &out) : run_share(&share, &out);
	redis_free(share.link.redis);
	status = writer_end(&out, status);
	writer_release(&out);
	redis_url_release(&url);
	return status;
}
