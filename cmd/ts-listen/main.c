/* ts-listen: messages of a Redis channel in, one line a job out. See ts-listen(1). */
#include "command.h"
#include "lines.h"
#include "listen.h"
#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *url; /* of -u, NULL without */
	const char *channel;
	const char *control;
	const char *spool;  /* -s, NULL without */
	const char *stream; /* -x, the same */
};

static const struct command_option letters[] = {
	COMMAND_TEXT('u', "redis-url", url,
		"the Redis server ($REDIS_URL, else redis://127.0.0.1:6379/0)"),
	COMMAND_TEXT('c', "channel", channel, "of the jobs (tickstock.jobs.data_load)"),
	COMMAND_TEXT('k', "control-channel", control, "of the cancels (tickstock.jobs.control)"),
	COMMAND_TEXT('s', "spool", spool, "the folder in which jobs outlive a crash"),
	COMMAND_TEXT('x', "stream", stream, "a stream whose entries are jobs, too"),
	{0},
};

static const struct command self = {"ts-listen", NULL, letters, "REDIS_URL"};

/* Until a signal, until the reader has gone, or until Redis shows us the door. */
static void
run_loop(struct listen *l)
{
	while (!signals_stop() && listen_denied(l) == NULL) {
		int64_t now = clock_mono_ms();
		/* stdout is watched for errors only: they tell that its reader has gone. */
		struct pollfd fds[2 + LISTEN_FDS] = {
			{.fd = signals_fd(), .events = POLLIN}, {.fd = l->out->fd}};

		listen_pollfds(l, fds + 2);
		if (poll(fds, 2 + LISTEN_FDS, clock_wait_ms(listen_deadline(l), now)) < 0)
			continue;
		writer_watch(l->out, fds[1].revents);
		if (l->out->error != 0)
			break;
		listen_serve(l, fds + 2, clock_mono_ms());
		if (writer_flush(l->out) != 0)
			break;
	}
}

static int
run_listen(const struct options *o, const struct redis_url *url, struct spool *spool)
{
	int64_t start = clock_mono_ms();
	struct writer out;
	struct listen l = {.url = url,
		.channel = o->channel,
		.control = o->control,
		.out = &out,
		.spool = spool,
		.stream = o->stream};
	struct buffer shown = {0};
	int status = STATUS_DONE;

	redis_url_show(url, &shown);
	log_run("start version=%s redis=%s channel=%s control=%s", TS_VERSION, buffer_cstr(&shown),
		o->channel, o->control);
	buffer_release(&shown);
	writer_init(&out, STDOUT_FILENO);
	listen_init(&l);
	if (listen_resume(&l) == 0) {
		run_loop(&l);
	} else {
		log_error("spool %s: %s", o->spool, strerror(errno));
		status = STATUS_SERVICE;
	}
	if (listen_denied(&l) != NULL) {
		log_error("Redis refuses: %s", listen_denied(&l));
		status = STATUS_USAGE;
	}
	status = writer_end(&out, status);
	log_end(log_run, "end",
		(const struct log_count[]){{"resumed", l.kept}, {"jobs", l.jobs},
			{"cancels", l.cancels}, {"ignored", l.ignored}, {"dropped", l.dropped},
			{"gaps", l.gaps}, {0}},
		clock_mono_ms() - start);
	listen_release(&l);
	writer_release(&out);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {
		.channel = "tickstock.jobs.data_load", .control = "tickstock.jobs.control"};
	struct redis_url url = {0};
	struct spool *spool = NULL;
	const char *why;
	int status = STATUS_SERVICE;

	command_options(&self, argc, argv, &o);
	if (o.channel[0] == '\0' || o.control[0] == '\0')
		command_misuse(&self, NULL, "a channel needs a name");
	if (o.stream != NULL && o.stream[0] == '\0')
		command_misuse(&self, NULL, "a stream needs a name");
	if (strcmp(o.channel, o.control) == 0)
		command_misuse(&self, NULL, "-c and -k must name different channels");
	redis_url_choose(&self, o.url, &url);
	command_signals(0);
	if (o.spool != NULL && (spool = spool_open(o.spool, "listen", &why)) == NULL)
		log_error("spool %s: %s", o.spool, why);
	else
		status = run_listen(&o, &url, spool);
	spool_close(spool);
	redis_url_release(&url);
	return status;
}
