/* ts-fetch: tasks in, bars out. Options, set-up, and the loop that waits for everything at once. */
#include "fetch.h"
#include "key.h"
#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { GRACE_S = 10, PARALLEL = 8 };

static const char usage[] =
	"usage: ts-fetch [-hVvax] [-u base-url] [-j parallel] [-r rate]\n"
	"  -a  bars as traded, not adjusted for splits\n"
	"  -h  print this and exit\n"
	"  -j  requests at once, 1 to 64 (8)\n"
	"  -r  requests per second, minute or hour: 50/s, 5/m, 1000/h (no limit)\n"
	"  -u  address of the API ($MASSIVE_URL, else https://api.massive.com)\n"
	"  -V  print the version and exit\n"
	"  -v  say more on stderr\n"
	"  -x  keep the bars of extended hours too\n";

/* What to do: OPTIONS_RUN, or leave at once with what has been written and said. */
enum options { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_BAD };

struct settings {
	struct fetch_options fetch;
	const char *url;
	const char *rate;
	bool verbose;
};

static enum options
bad(const char *what, const char *value, const char *why)
{
	log_error("%s%s%s%s", what, value, why[0] == '\0' ? "" : ": ", why);
	if (write(STDERR_FILENO, usage, sizeof usage - 1) < 0)
		return OPTIONS_BAD;
	return OPTIONS_BAD;
}

static enum options
read_parallel(struct settings *s, const char *value)
{
	uint64_t n;

	if (slice_count(slice_of(value), &n) != 0 || n < 1 || n > TRANSFER_MAX)
		return bad("bad value for -j: ", value, "1 to 64");
	s->fetch.parallel = (unsigned)n;
	return OPTIONS_RUN;
}

static enum options
read_url(struct settings *s)
{
	const char *why;

	if (s->url == NULL || s->url[0] == '\0')
		s->url = getenv("MASSIVE_URL");
	if (s->url == NULL || s->url[0] == '\0')
		s->url = "https://api.massive.com";
	s->fetch.base = slice_of(s->url);
	why = url_base(&s->fetch.base);
	/* It is not repeated: it may hold a password. */
	return why == NULL ? OPTIONS_RUN : bad("bad URL of the API", "", why);
}

static enum options
read_options(int argc, char **argv, struct settings *s, struct writer *out)
{
	enum options next = OPTIONS_RUN;
	int c;

	opterr = 0;
	while (next == OPTIONS_RUN && (c = getopt(argc, argv, ":hVvaxu:j:r:")) != -1) {
		if (c == 'h' || c == 'V') {
			writer_line(out, c == 'V' ? slice_of("ts-fetch " TS_VERSION)
						  : (struct slice){usage, sizeof usage - 2});
			return OPTIONS_DONE;
		}
		if (c == 'v')
			s->verbose = true;
		else if (c == 'a')
			s->fetch.adjusted = false;
		else if (c == 'x')
			s->fetch.extended = true;
		else if (c == 'u')
			s->url = optarg;
		else if (c == 'j')
			next = read_parallel(s, optarg);
		else if (c == 'r' && rate_parse(s->rate = optarg, &s->fetch.rate) != 0)
			next = bad("bad value for -r: ", optarg, "such as 50/s, 5/m, 1000/h");
		else if (c == ':' || c == '?')
			next = bad(c == ':' ? "missing value for -" : "unknown option -",
				(char[]){(char)optopt, '\0'}, "");
	}
	if (next == OPTIONS_RUN && optind < argc)
		next = bad("unexpected operand: ", argv[optind], "");
	return next == OPTIONS_RUN ? read_url(s) : next;
}

/* Takes what has been read so far; false at the end of input. */
static bool
take_lines(struct fetch *f, struct reader *in)
{
	struct slice line;

	while (!queue_full(f->queue) && f->out->error == 0) {
		enum line kind = reader_next(in, &line);

		switch (kind) {
		case LINE_OK:
			intake_line(f, line, in->lineno);
			break;
		case LINE_CUT:
		case LINE_LONG:
			log_warning("line %" PRIu64 ": %s", in->lineno, line_reason(kind));
			f->count.refused++;
			break;
		case LINE_NONE:
			return true;
		default:
			return false;
		}
	}
	return true;
}

/*
 * Waits for input, for replies, for a signal, and for stdout to be given up, until the monotonic
 * clock shows that time.
 */
static void
wait_for_all(struct fetch *f, struct reader *in, bool open, int64_t until)
{
	bool told = signals_stop();
	int64_t wait = until - clock_mono_ms();
	struct pollfd fds[3] = {{.fd = f->out->fd}};
	unsigned n = 1, input = 0;

	if (!told)
		fds[n++] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
	if (open && !told && !queue_full(f->queue)) {
		input = n;
		fds[n++] = (struct pollfd){.fd = in->fd, .events = POLLIN};
	}
	transfer_wait(f->transfer, fds, n, wait > 0 ? (int)wait : 0);
	if ((fds[0].revents & (POLLERR | POLLHUP)) != 0 && f->out->error == 0)
		f->out->error = EPIPE;
	if (input > 0 && fds[input].revents != 0)
		(void)reader_fill(in);
}

/*
 * Until the work is done, a signal has come and what was in flight has ended, or the reader is
 * gone.
 */
static void
run(struct fetch *f, struct reader *in)
{
	bool open = true;

	while (f->out->error == 0) {
		int64_t until;

		if (open && !signals_stop())
			open = take_lines(f, in);
		until = fetch_begin(f, clock_mono_ms());
		if (signals_stop() ? transfer_active(f->transfer) == 0 || signals_grace_over()
				 : !open && fetch_idle(f))
			break;
		if (writer_flush(f->out) != 0)
			break;
		wait_for_all(f, in, open, until);
		fetch_replies(f);
	}
}

static void
log_start(const struct settings *s, const char *key)
{
	log_info("start version=%s url=%.*s key=%s parallel=%u rate=%s hours=%s adjusted=%s",
		TS_VERSION, (int)s->fetch.base.n, s->fetch.base.p, key, s->fetch.parallel,
		s->rate == NULL ? "none" : s->rate, s->fetch.extended ? "extended" : "regular",
		s->fetch.adjusted ? "true" : "false");
	if (s->fetch.key.n == 0)
		log_warning("neither MASSIVE_API_KEY nor MASSIVE_API_KEY_FILE is set: asking "
			    "without a key");
}

static void
log_end(const struct fetch *f, int64_t ms)
{
	const struct fetch_counts *c = &f->count;
	uint64_t left = c->tasks - c->fetched - c->failed - c->cancelled;

	if (left > 0)
		log_warning("stopped with %" PRIu64 " tasks left", left);
	log_info("end tasks=%" PRIu64 " fetched=%" PRIu64 " failed=%" PRIu64 " cancelled=%" PRIu64
		 " refused=%" PRIu64 " bars=%" PRIu64 " requests=%" PRIu64 " retries=%" PRIu64
		 " bytes=%" PRIu64 " seconds=%" PRId64 ".%" PRId64,
		c->tasks, c->fetched, c->failed, c->cancelled, c->refused, c->bars, c->requests,
		c->retries, c->bytes, ms / 1000, ms / 100 % 10);
}

static int
status_of(const struct fetch *f, const struct reader *in)
{
	if (in->error != 0 && !signals_stop()) {
		log_error("reading stdin: %s", strerror(in->error));
		return STATUS_SERVICE;
	}
	if (signals_stop() || (f->count.failed == 0 && f->count.refused == 0))
		return STATUS_DONE;
	return STATUS_REFUSED;
}

static int
work(struct settings *s, struct writer *out)
{
	const struct rlimit no_core = {0, 0};
	int64_t start = clock_mono_ms();
	int status = STATUS_USAGE;
	struct buffer key = {0};
	const char *where, *why;
	struct reader in;
	struct fetch f;

	/* The key is in memory: it must not get into a core file. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (key_read(&key, &where) == 0) {
		s->fetch.key = buffer_slice(&key);
		log_start(s, where);
		if (fetch_init(&f, &s->fetch, out, &why) == 0) {
			reader_init(&in, STDIN_FILENO);
			run(&f, &in);
			status = status_of(&f, &in);
			log_end(&f, clock_mono_ms() - start);
			reader_release(&in);
		} else {
			log_error("%s", why);
		}
		fetch_release(&f);
	}
	buffer_release(&key);
	return status;
}

int
main(int argc, char **argv)
{
	struct settings s = {.fetch = {.parallel = PARALLEL, .adjusted = true}};
	struct writer out;
	int status = STATUS_DONE;

	lines_init();
	log_init("ts-fetch", false);
	writer_init(&out, STDOUT_FILENO);
	switch (read_options(argc, argv, &s, &out)) {
	case OPTIONS_RUN:
		log_init("ts-fetch", s.verbose);
		if (signals_init(GRACE_S) != 0) {
			log_error("cannot catch signals: %s", strerror(errno));
			status = STATUS_SERVICE;
		} else {
			status = work(&s, &out);
		}
		break;
	case OPTIONS_BAD:
		status = STATUS_USAGE;
		break;
	default:
		break;
	}
	status = writer_end(&out, status);
	writer_release(&out);
	return status;
}
