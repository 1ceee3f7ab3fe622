/* ts-status: verdicts in, a status hash per job in Redis, one `done` a job out. See ts-status(1).
 */
#include "calendar.h"
#include "command.h"
#include "dispatch.h"
#include "lines.h"
#include "log.h"
#include "meter.h"
#include "progress.h"
#include "publish.h"
#include "redis.h"
#include "signals.h"
#include "timestamp.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FINISH_MS = 30000, /* for the final states, after the end of input, while Redis is away */
	LOOK_MS = 50,
	NOW_MS = 5000, /* the same after a signal, or when the reader of stdout has gone */
};

struct options {
	const char *partial;
	const char *url;   /* of -u, NULL without */
	const char *spool; /* of -s, NULL without */
};

static const struct command_option letters[] = {
	COMMAND_TEXT('C', "status", partial,
		"of a job of which a part failed: completed_with_errors, completed or failed"),
	COMMAND_TEXT('u', "redis-url", url,
		"the Redis server ($REDIS_URL, else redis://127.0.0.1:6379/0); none: no Redis"),
	COMMAND_TEXT('s', "spool", spool, "the folder in which jobs outlive a crash"),
	{0},
};

static const struct command self = {"ts-status", NULL, letters, "REDIS_URL"};

/* What a job that failed in parts may be called. */
static bool
known_status(const char *s)
{
	return strcmp(s, "completed_with_errors") == 0 || strcmp(s, "completed") == 0 ||
	       strcmp(s, "failed") == 0;
}

/* The zone of the page that compares the times in the hash with its own. */
static void
set_zone(void)
{
	const char *page = getenv("TS_PAGE_TZ"), *name = "TZ";

	if (page != NULL && page[0] != '\0') {
		name = "TS_PAGE_TZ";
		if (setenv("TZ", page, 1) != 0)
			memory_out();
	}
	if (timestamp_zone() != 0) {
		log_error("%s: the time zone %s does not exist", name, getenv("TZ"));
		exit(STATUS_USAGE);
	}
}

/*
 * One wait for all there is, until at most the moment given; then Redis is served. Returns what
 * poll said of stdin.
 */
static short
wait_and_serve(struct dispatch *d, int in, int64_t until)
{
	int64_t now = clock_mono_ms();
	/* A signal changes how long the end may take, so it is waited for, but once only. */
	struct pollfd fds[4] = {publish_pollfd(d->publish), {.fd = in, .events = POLLIN},
		{.fd = d->out->fd}, {.fd = signals_stop() ? -1 : signals_fd(), .events = POLLIN}};

	until = clock_sooner(until, publish_deadline(d->publish, now));
	if (poll(fds, 4, until == INT64_MAX ? -1 : clock_wait_ms(until, now)) < 0)
		fds[0].revents = fds[1].revents = fds[2].revents = 0;
	writer_watch(d->out, fds[2].revents);
	publish_serve(d->publish, fds[0].revents, clock_mono_ms());
	return fds[1].revents;
}

/* Takes all lines that are there. LINE_NONE, LINE_END or LINE_ERROR: what stands behind them. */
static enum line
take_lines(struct dispatch *d, struct reader *in)
{
	struct slice line;
	enum line kind;

	while ((kind = reader_next(in, &line)) != LINE_NONE && kind != LINE_END &&
		kind != LINE_ERROR)
		dispatch_line(d, kind, line, in->lineno);
	return kind;
}

/* Until the end of input; the exit status, as far as it is reading's. */
static int
run_loop(struct dispatch *d, struct meter *meter, struct reader *in)
{
	while (take_lines(d, in) == LINE_NONE) {
		int64_t now = clock_mono_ms(), due = dispatch_serve(d, now);

		publish_serve(d->publish, 0, now);
		/* Records may go to the same terminal. */
		if (d->out->buf.len > 0)
			meter_hide(meter);
		if (d->publish->link.denied || writer_flush(d->out) != 0)
			break;
		meter_show(meter, d->progress, now);
		if (wait_and_serve(d, publish_crowded(d->publish) ? -1 : in->fd,
			    clock_sooner(due, meter_deadline(meter, d->progress))) != 0)
			(void)reader_fill(in);
		if (d->out->error != 0)
			break;
	}
	return reader_end(in, STATUS_DONE);
}

/* After the end of input: the final states are written, and verified for a while. 0, or -1. */
static int
finish_hashes(struct dispatch *d)
{
	int64_t start = clock_mono_ms(), now = start;

	dispatch_end(d);
	(void)writer_flush(d->out);
	publish_serve(d->publish, 0, now);
	while (!d->publish->link.denied && !publish_over(d->publish, now)) {
		bool at_once = signals_stop() || d->out->error != 0;
		int64_t until = start + (at_once ? NOW_MS : FINISH_MS);

		if (now >= until || (d->out->error != 0 && publish_written(d->publish)))
			break;
		/* What publish_over() waits for is not a deadline of its own: look often. */
		(void)wait_and_serve(d, -1, clock_sooner(until, now + LOOK_MS));
		now = clock_mono_ms();
	}
	if (publish_written(d->publish) || d->publish->link.denied)
		return 0;
	log_error("Redis: the final state of some jobs could not be written");
	return -1;
}

static int
exit_status(const struct dispatch *d)
{
	if (d->unfinished > 0)
		return signals_status(STATUS_REFUSED);
	return d->failed + d->rejected + d->refused.n > 0 ? STATUS_REFUSED : STATUS_DONE;
}

static int
run_dispatch(struct dispatch *d, struct meter *meter)
{
	int64_t start = clock_mono_ms();
	struct reader in;
	int status;

	reader_init(&in, STDIN_FILENO);
	status = run_loop(d, meter, &in);
	meter_hide(meter);
	if (finish_hashes(d) != 0)
		status = STATUS_SERVICE;
	if (d->publish->link.denied) {
		log_error("Redis refuses: %s", redis_why(d->publish->link.redis));
		status = STATUS_USAGE;
	} else if (status == STATUS_DONE) {
		status = exit_status(d);
	}
	status = writer_end(d->out, status);
	log_end(log_run, "end",
		(const struct log_count[]){{"jobs", d->jobs}, {"stored", d->stored},
			{"failed", d->failed}, {"rejected", d->rejected}, {"refused", d->refused.n},
			{0}},
		clock_mono_ms() - start);
	reader_release(&in);
	return status;
}

static int
run_status(const struct options *o, const struct redis_url *url, struct spool *spool,
	const struct calendar *calendar)
{
	struct meter meter;
	struct writer out;
	struct publish publish;
	struct progress progress = {.calendar = calendar};
	struct buffer shown = {0};
	struct dispatch d = {.out = &out,
		.progress = &progress,
		.publish = &publish,
		.partial = o->partial,
		.parser = record_parser_new(),
		.notes = record_parser_new(),
		.spool = spool};
	int status;

	if (url == NULL)
		buffer_str(&shown, "none");
	else
		redis_url_show(url, &shown);
	log_run("start version=%s redis=%s partial=%s", TS_VERSION, buffer_cstr(&shown),
		o->partial);
	buffer_release(&shown);
	meter_init(&meter, log_is_quiet());
	writer_init(&out, STDOUT_FILENO);
	publish_init(&publish, url, &progress, spool, o->partial);
	status = run_dispatch(&d, &meter);
	publish_release(&publish);
	progress_release(&progress);
	record_parser_free(d.parser);
	record_parser_free(d.notes);
	writer_release(&out);
	meter_release(&meter);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {.partial = "completed_with_errors"};
	struct redis_url url = {0};
	struct calendar *calendar = NULL;
	struct spool *spool = NULL;
	const char *why;
	bool none;
	int status;

	command_options(&self, argc, argv, &o);
	if (!known_status(o.partial))
		command_misuse(&self, "-C", "want completed_with_errors, completed or failed");
	set_zone();
	none = o.url != NULL && strcmp(o.url, "none") == 0;
	if (!none)
		redis_url_choose(&self, o.url, &url);
	command_signals(-1);
	if ((calendar = calendar_new(&why)) == NULL) {
		log_error("%s", why);
		status = STATUS_USAGE;
	} else if (o.spool != NULL && (spool = spool_open(o.spool, "status", &why)) == NULL) {
		log_error("spool %s: %s", o.spool, why);
		status = STATUS_SERVICE;
	} else {
		status = run_status(&o, none ? NULL : &url, spool, calendar);
	}
	spool_close(spool);
	calendar_free(calendar);
	redis_url_release(&url);
	return status;
}
