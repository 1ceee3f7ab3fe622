/* ts-fetch: tasks in, bars out. Options, set-up, and the loop that waits for everything at once. */
#include "command.h"
#include "fetch.h"
#include "file.h"
#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	GRACE_S = 10,
	PARALLEL = 8,
	PATIENCE = 15,
	PATIENCE_MAX = 7 * 24 * 60,
	EVERY = 100,
	EVERY_MAX = 1000000,
	KEY_BYTES = 4096
};

/*
 * Tasks that belong together are read together: with -d or -g none begins before the input has
 * paused for so long, or for longer than that has not.
 */
enum { PAUSE_MS = 250, GATHER_MS = 5000 };

static const struct command_option letters[] = {
	COMMAND_FLAG('a', as_traded, "bars as traded, not adjusted for splits"),
	COMMAND_FLAG('d', derive, "make hours of minutes, weeks and months of days"),
	COMMAND_FLAG('g', grouped, "ask for the whole market's days where that is fewer requests"),
	COMMAND_NUMBER('e', "series", every, 1, EVERY_MAX,
		"with -d, -g: ask for one series in so many as well, and compare (100)"),
	COMMAND_FLAG('x', extended, "keep the bars of extended hours too"),
	COMMAND_TEXT(
		'u', "base-url", url, "of the API ($MASSIVE_URL, else https://api.massive.com)"),
	COMMAND_NUMBER('j', "parallel", parallel, 1, TRANSFER_MAX, "requests at once (8)"),
	COMMAND_TEXT('r', "rate", rate_text,
		"requests per second, minute or hour: 50/s, 5/m, 1000/h (no limit); 50/s@NAME: of "
		"all hosts together"),
	COMMAND_NUMBER('w', "minutes", patience, 1, PATIENCE_MAX,
		"how long to wait for an API that is unreachable or refuses everything (15)"),
	{0},
};

static const struct command self = {
	"ts-fetch", NULL, letters, "MASSIVE_API_KEY MASSIVE_API_KEY_FILE REDIS_URL"};

static void
read_options(int argc, char **argv, struct options *o)
{
	const char *why, *from = "-u";

	command_options(&self, argc, argv, o);
	if (o->rate_text != NULL && pace_parse(o->rate_text, &o->rate, &o->name) != 0)
		command_misuse(&self, "-r", "wants a rate such as 50/s, 5/m, 1000/h, or 50/s@NAME");
	if (o->name != NULL)
		redis_url_choose(&self, NULL, &o->redis);
	if (o->url == NULL || o->url[0] == '\0') {
		o->url = getenv("MASSIVE_URL");
		from = "MASSIVE_URL";
	}
	if (o->url == NULL || o->url[0] == '\0')
		o->url = "https://api.massive.com";
	o->base = slice_of(o->url);
	/* It is not repeated: it may hold a password. */
	if ((why = url_base(&o->base)) != NULL)
		command_misuse(&self, from, why);
}

/*
 * The key comes by the environment or a file, never by an argument, which every user of a machine
 * sees. Without its newline.
 */
static const char *
read_key_file(struct buffer *key, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why = fd < 0 ? strerror(errno) : file_take(fd, KEY_BYTES, key);

	if (fd >= 0)
		(void)close(fd);
	while (key->len > 0 && strchr("\r\n", key->p[key->len - 1]) != NULL)
		key->len--;
	return why;
}

/*
 * It goes into a header line as it is. What a paste, a shell or an editor leaves around a key is
 * not cut off but told: the API would only say that it does not know the key.
 */
static const char *
key_fault(struct slice key)
{
	if (key.n >= KEY_BYTES)
		return "it is too long";
	for (size_t i = 0; i < key.n; i++) {
		unsigned char c = (unsigned char)key.p[i];

		if (c < 0x20 || c == 0x7f)
			return "it holds a control character";
		if (c == ' ' || c == '"' || c == '\'')
			return "it holds a blank or a quote: set it to the key alone";
		if (c > 0x7f)
			return "it holds a character beyond ASCII, such as a byte order mark: set "
			       "it to "
			       "the key alone";
	}
	return NULL;
}

/* Whether there is nothing wrong with the key, which is empty where none is set; *where it is from.
 */
static bool
read_key(struct buffer *key, const char **where)
{
	const char *value = getenv("MASSIVE_API_KEY");
	const char *path = getenv("MASSIVE_API_KEY_FILE");
	const char *why = NULL;

	*where = "none";
	if (value != NULL && value[0] != '\0') {
		*where = "environment";
		buffer_str(key, value);
	} else if (path != NULL && path[0] != '\0') {
		*where = "file";
		if ((why = read_key_file(key, path)) != NULL) {
			log_error("MASSIVE_API_KEY_FILE: %s: %s", path, why);
			return false;
		}
	}
	if (key->len == 0)
		*where = "none";
	if ((why = key_fault(buffer_slice(key))) != NULL)
		log_error("the API key cannot be used: %s", why);
	return why == NULL;
}

/* Takes what has been read so far; false at the end of input. */
static bool
take_lines(struct fetch *f, struct reader *in)
{
	struct slice line;

	while (!tasks_full(&f->tasks) && f->tasks.out->error == 0) {
		enum line kind = reader_next(in, &line);

		if (kind == LINE_OK)
			fetch_line(f, line, in->lineno);
		else if (kind == LINE_CUT || kind == LINE_LONG)
			refused_line(&f->refused, in->lineno, line_reason(kind), NULL);
		else
			return kind == LINE_NONE;
	}
	return true;
}

/*
 * Waits for input, for responses, for a signal, and for stdout to be given up, until the monotonic
 * clock shows that time.
 */
static void
wait_for_all(struct fetch *f, struct reader *in, bool open, int64_t until)
{
	struct share *share = f->options->name == NULL ? NULL : &f->pace.share;
	struct pollfd fds[4] = {{.fd = f->tasks.out->fd}};
	unsigned n = 1, input = 0, redis = 0;
	int64_t wait;

	if (share != NULL) {
		fds[n] = redis_pollfd(share->link.redis);
		redis = fds[n].fd < 0 ? 0 : n++;
		until = clock_sooner(until, redis_link_deadline(&share->link));
	}
	wait = until - clock_mono_ms();

	if (!signals_stop())
		fds[n++] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
	if (open && !signals_stop() && !tasks_full(&f->tasks)) {
		input = n;
		fds[n++] = (struct pollfd){.fd = in->fd, .events = POLLIN};
	}
	transfer_wait(f->transfer, fds, n, wait > 0 ? (int)wait : 0);
	writer_watch(f->tasks.out, fds[0].revents);
	if (share != NULL)
		pace_serve(&f->pace, redis > 0 ? fds[redis].revents : 0, clock_mono_ms());
	if (input > 0 && fds[input].revents != 0)
		(void)reader_fill(in);
}

/* Until when no task begins, since lines may follow that belong to those that came. */
static int64_t
gather_until(struct fetch *f, const struct reader *in, int64_t now)
{
	struct gathering *g = &f->gathering;

	if (in->lineno != g->lines) {
		if (now >= g->last + PAUSE_MS)
			g->since = now;
		g->last = now;
		g->lines = in->lineno;
	}
	return clock_sooner(g->last + PAUSE_MS, g->since + GATHER_MS);
}

/*
 * Until the work is done, a signal has come and what was in flight has ended, or the reader is
 * gone.
 */
static void
run_loop(struct fetch *f, struct reader *in)
{
	bool open = true;

	while (f->tasks.out->error == 0) {
		int64_t until, now, held = 0;

		if (open && !signals_stop())
			open = take_lines(f, in);
		now = clock_mono_ms();
		if (open && (f->options->derive || f->options->grouped))
			held = gather_until(f, in, now);
		f->tasks.held = held > now;
		until = fetch_start(f, now);
		if (f->tasks.held && held < until)
			until = held;
		if (signals_stop() ? transfer_active(f->transfer) == 0 || signals_grace_over()
				   : !open && tasks_idle(&f->tasks))
			break;
		if (writer_flush(f->tasks.out) != 0 || f->pace.share.refused)
			break;
		wait_for_all(f, in, open, until);
		fetch_responses(f);
	}
}

static void
log_start(const struct options *o, const char *key)
{
	log_run("start version=%s url=%.*s key=%s parallel=%" PRIu64
		" rate=%s hours=%s adjusted=%s",
		TS_VERSION, SLICE(o->base), key, o->parallel,
		o->rate_text == NULL ? "none" : o->rate_text, o->extended ? "extended" : "regular",
		o->as_traded ? "false" : "true");
	if (o->key == NULL)
		log_warning("neither MASSIVE_API_KEY nor MASSIVE_API_KEY_FILE is set: asking "
			    "without a key");
}

/* How many tasks have no verdict. */
static uint64_t
tasks_left(const struct fetch *f)
{
	const struct task_counts *c = &f->tasks.count;

	return c->tasks - c->fetched - c->failed - c->cancelled;
}

static void
say_end(const struct fetch *f, int64_t ms)
{
	const struct task_counts *c = &f->tasks.count;
	const struct derive *d = &f->tasks.derive;

	if (tasks_left(f) > 0)
		log_warning("stopped with %" PRIu64 " tasks left", tasks_left(f));
	log_end(log_run, "end",
		(const struct log_count[]){{"tasks", c->tasks}, {"fetched", c->fetched},
			{"failed", c->failed}, {"cancelled", c->cancelled},
			{"refused", f->refused.n}, {"bars", c->bars}, {"requests", f->requests},
			{"retries", f->retries}, {"bytes", f->bytes},
			{(f->options->derive || f->options->grouped) ? "derived" : NULL,
				d->derived},
			{"grouped", d->grouped}, {"sampled", d->sampled},
			{"differing", d->differing}, {"saved", d->saved}, {0}},
		ms);
}

static int
status_of(const struct fetch *f, const struct reader *in)
{
	int status = f->tasks.count.failed > 0 || f->refused.n > 0 ? STATUS_REFUSED : STATUS_DONE;

	if (signals_stop())
		return tasks_left(f) > 0 || reader_waiting(in) ? signals_status(status) : status;
	if (reader_end(in, STATUS_DONE) != STATUS_DONE)
		return STATUS_SERVICE;
	if (f->pace.share.refused) {
		log_error("Redis: %s", f->pace.share.refusal);
		return STATUS_USAGE;
	}
	if (f->misset && f->succeeded_at == 0)
		return STATUS_USAGE;
	return kinds_status(&f->kinds, status);
}

static int
run_fetch(struct options *o)
{
	int64_t start = clock_mono_ms();
	int status = STATUS_USAGE;
	struct buffer key = {0};
	const char *where, *why;
	struct writer out;
	struct reader in;
	struct fetch f;

	writer_init(&out, STDOUT_FILENO);
	if (read_key(&key, &where)) {
		o->key = key.len > 0 ? buffer_cstr(&key) : NULL;
		log_start(o, where);
		if ((why = fetch_init(&f, o, &out)) == NULL) {
			reader_init(&in, STDIN_FILENO);
			run_loop(&f, &in);
			status = status_of(&f, &in);
			say_end(&f, clock_mono_ms() - start);
			reader_release(&in);
		} else {
			log_error("%s", why);
		}
		fetch_release(&f);
	}
	buffer_release(&key);
	status = writer_end(&out, status);
	writer_release(&out);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {.every = EVERY, .parallel = PARALLEL, .patience = PATIENCE};
	int status;

	read_options(argc, argv, &o);
	command_signals(GRACE_S);
	status = run_fetch(&o);
	redis_url_release(&o.redis);
	return status;
}
