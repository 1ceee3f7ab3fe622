/* ts-sim: imitates the bars API for tests and benchmarks. Options, and waiting for the signal to
 * stop; README has the rest. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "fault.h"
#include "memo.h"
#include "nycal.h"
#include "recorded.h"
#include "serve.h"

#define EXIT_USAGE 100
#define EXIT_TEMPORARY 111

struct options {
	struct server_options server;
	const char *calendar, *portfile, *logfile, *eventfile, *faultfile, *recorded, *tickers;
	long port, memo;
};

static void
usage(FILE *f)
{
	fprintf(f, "usage: ts-sim -c calendar.tsv [-h] [-p port] [-P portfile] [-N now] [-k key] "
		   "[-l logfile] [-e eventfile]\n"
		   "              [-f faultfile] [-g tickerfile] [-r recorded-dir] [-d latency_ms] "
		   "[-q "
		   "requests-per-minute] [-b "
		   "max_base_limit] [-m megabytes]\n");
}

static int
parse_long(const char *s, long min, long max, long *n)
{
	char *end;

	errno = 0;
	*n = strtol(s, &end, 10);
	return errno != 0 || end == s || *end != '\0' || *n < min || *n > max ? -1 : 0;
}

static int
parse_option(int c, const char *arg, struct options *o)
{
	switch (c) {
	case 'p':
		return parse_long(arg, 0, 65535, &o->port);
	case 'P':
		o->portfile = arg;
		return 0;
	case 'c':
		o->calendar = arg;
		return 0;
	case 'N':
		return ny_parse_instant(arg, &o->server.now);
	case 'k':
		o->server.key = arg;
		return 0;
	case 'l':
		o->logfile = arg;
		return 0;
	case 'e':
		o->eventfile = arg;
		return 0;
	case 'f':
		o->faultfile = arg;
		return 0;
	case 'g':
		o->tickers = arg;
		return 0;
	case 'r':
		o->recorded = arg;
		return 0;
	case 'd':
		return parse_long(arg, 0, 600000, &o->server.latency);
	case 'q':
		return parse_long(arg, 0, 1000000, &o->server.quota);
	case 'm':
		return parse_long(arg, 1, 100000, &o->memo);
	case 'b':
		return parse_long(arg, 1, 10000000, &o->server.max_limit);
	default:
		return -1;
	}
}

/* Return 0, or with *status set -1. */
static int
parse_options(int argc, char *argv[], struct options *o, int *status)
{
	int c;

	memset(o, 0, sizeof *o);
	o->server.now = -1;
	o->server.max_limit = 50000;
	o->server.log = -1;
	*status = EXIT_USAGE;
	while ((c = getopt(argc, argv, "hp:P:c:N:k:l:e:f:g:r:d:q:b:m:")) != -1) {
		if (c == 'h') {
			usage(stdout);
			*status = 0;
			return -1;
		}
		if (parse_option(c, optarg, o) != 0) {
			if (c != '?')
				fprintf(stderr, "ts-sim: error: -%c %s is not valid\n", c, optarg);
			usage(stderr);
			return -1;
		}
	}
	if (o->calendar != NULL && optind == argc)
		return 0;
	usage(stderr);
	return -1;
}

/* Announce the port: on stdout, and in a file that is there whole or not at all. */
static int
tell_port(const char *path, unsigned port)
{
	char tmp[1024];
	FILE *f;
	int rc;

	if (path != NULL) {
		if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= (int)sizeof tmp ||
			(f = fopen(tmp, "w")) == NULL)
			return -1;
		rc = fprintf(f, "%u\n", port) < 0;
		if (fclose(f) != 0 || rc != 0 || rename(tmp, path) != 0)
			return -1;
	}
	printf("%u\n", port);
	return fflush(stdout) == 0 ? 0 : -1;
}

/* Serve until SIGTERM or SIGINT. Only this thread takes them: the others start with them blocked.
 */
static int
run(const struct options *o)
{
	uint16_t port = (uint16_t)o->port;
	struct server *srv;
	sigset_t stop;
	int sig, rc;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	if ((srv = server_start(&o->server, &port)) == NULL) {
		fprintf(stderr, "ts-sim: error: cannot listen on port %ld\n", o->port);
		return EXIT_TEMPORARY;
	}
	if ((rc = tell_port(o->portfile, port)) != 0)
		fprintf(stderr, "ts-sim: error: cannot announce the port: %s\n", strerror(errno));
	else
		sigwait(&stop, &sig);
	server_stop(srv);
	return rc == 0 ? 0 : EXIT_TEMPORARY;
}

int
main(int argc, char *argv[])
{
	struct nycal cal = {NULL, 0};
	struct events events = {NULL, 0};
	struct universe universe = {NULL, 0};
	struct options o;
	int status;

	if (parse_options(argc, argv, &o, &status) != 0)
		return status;
	status = EXIT_USAGE;
	o.server.cal = &cal;
	o.server.events = &events;
	o.server.universe = &universe;
	if (nycal_load(&cal, o.calendar) != 0)
		goto out;
	if (o.eventfile != NULL && events_load(&events, o.eventfile) != 0)
		goto out;
	if (o.tickers != NULL && universe_load(&universe, o.tickers) != 0)
		goto out;
	if (o.memo > 0 && (o.server.memo = memo_new((size_t)o.memo << 20)) == NULL)
		goto out;
	if (o.faultfile != NULL && (o.server.faults = faults_new(o.faultfile)) == NULL)
		goto out;
	if (o.recorded != NULL && (o.server.recorded = recorded_new(o.recorded)) == NULL)
		goto out;
	if (o.logfile != NULL && (o.server.log = open(o.logfile,
					  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) < 0) {
		fprintf(stderr, "ts-sim: error: cannot open the log %s: %s\n", o.logfile,
			strerror(errno));
		goto out;
	}
	status = run(&o);
out:
	if (o.server.log >= 0)
		close(o.server.log);
	memo_free(o.server.memo);
	recorded_free(o.server.recorded);
	faults_free(o.server.faults);
	events_release(&events);
	free(universe.v);
	nycal_release(&cal);
	return status;
}
