/* ts-work: both ends of a pipeline that works on what ts-share hands out. See ts-work(1). */
#include "command.h"
#include "hand.h"
#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
	PARALLEL = 8,
	LEASE_S = 60,
	TRIES = 4,
	HANG_MIN = 60,
	GRACE_MS = 10000, /* for the command, once it was told to stop */
	LAST_MS = 5000,	  /* after each further word; for the server, once the command has ended */
	MINUTE_MS = 60000,
};

struct options {
	const char *url; /* of -u, NULL without */
	uint64_t parallel, lease, tries, minutes;
};

static const struct command_option letters[] = {
	COMMAND_NUMBER('j', "parallel", parallel, 1, 64,
		"as the command's: twice as many tasks are held (8)"),
	COMMAND_NUMBER('l', "seconds", lease, 1, 3600,
		"of silence, after which others take this host's tasks (60)"),
	COMMAND_NUMBER('p', "deliveries", tries, 2, 100,
		"after which a task that ends its hosts is failed (4)"),
	COMMAND_TEXT('u', "redis-url", url,
		"the Redis server ($REDIS_URL, else redis://127.0.0.1:6379/0)"),
	COMMAND_NUMBER('w', "minutes", minutes, 1, 10080,
		"how long to wait for a verdict before the command is stopped (60)"),
	{0},
};

static const struct command self = {"ts-work", "command", letters,
	"REDIS_URL MASSIVE_API_KEY MASSIVE_API_KEY_FILE DATABASE_URL PGPASSWORD"};

struct work {
	struct share share;
	struct child child;
	struct hand hand;
	int64_t hang; /* ms without a verdict */
	int64_t due;  /* when the command is told the next of the words; 0: none was told */
	size_t told;  /* how many of them */
	bool ended;   /* its stdout has */
	int code;     /* its exit status then; see child_wait() */
	int64_t end;  /* when the wait for the server is over */
	bool misset;  /* it can never give a verdict */
	bool hung;
};

static void
take_lines(struct work *w)
{
	struct slice line;
	enum line kind;

	while ((kind = reader_next(&w->child.out, &line)) == LINE_OK || kind == LINE_LONG) {
		if (kind == LINE_OK && hand_line(&w->hand, line) != 0)
			w->misset = true;
	}
	w->ended = kind != LINE_NONE;
}

/*
 * What the command is told to end, one after the other. The second SIGTERM ends a stage at once
 * that waits for a database or a network; what outlives even its death holds our pipe no longer.
 */
static const int words[] = {SIGTERM, SIGTERM, SIGKILL, 0};
enum { LAST_WORD = sizeof words / sizeof words[0] - 1 };

static void
tell_child(struct work *w, int64_t now)
{
	if (w->told > 0)
		log_warning("the command has not ended: %s", w->told == 1	   ? "told again"
							     : w->told < LAST_WORD ? "killed"
										   : "given up");
	child_stop(&w->child, words[w->told]);
	w->due = now + (w->told == 0 ? GRACE_MS : LAST_MS);
	w->ended = w->ended || w->told == LAST_WORD;
	w->told++;
}

/* It is to end: what it has is given back. Its last verdicts may still be the first. */
static void
stop_child(struct work *w, int64_t now, bool innocent)
{
	hand_give_back(&w->hand, innocent);
	tell_child(w, now);
}

/* Whether the command will end like that each time it is started. */
static bool
is_misset(const struct work *w)
{
	return w->misset || w->code == STATUS_USAGE || w->code == 126 || w->code == 127;
}

static void
look_after_child(struct work *w, int64_t now)
{
	bool busy = hand_size(&w->hand) > hand_verdicts(&w->hand);

	if (busy && w->told == 0 && now >= w->hand.spoke + w->hang) {
		log_error("no verdict for %" PRId64 " minutes: the command hangs",
			w->hang / MINUTE_MS);
		w->hung = true;
		stop_child(w, now, false);
	}
	if (w->told > 0 && now >= w->due && !w->ended)
		tell_child(w, now);
	if (w->ended && w->end == 0) {
		w->end = now + LAST_MS;
		w->code = child_wait(&w->child);
	}
	/* A task that ends its host is told apart from a host that cannot do any. */
	if (w->told == 0 && (signals_stop() || w->share.refused || w->misset || w->ended))
		stop_child(w, now, !w->ended || is_misset(w));
}

/* Whether nothing more is to be done: all that is known was told to the server, or it is away. */
static bool
is_over(const struct work *w, int64_t now)
{
	if (!w->ended)
		return false;
	return now >= w->end || w->share.refused ||
	       (share_ready(&w->share) && redis_waiting(w->share.link.redis) == 0 &&
		       hand_verdicts(&w->hand) == 0);
}

static int64_t
work_deadline(const struct work *w, int64_t now)
{
	int64_t due = clock_sooner(redis_link_deadline(&w->share.link), hand_deadline(&w->hand));

	if (w->ended || w->told > 0)
		due = clock_sooner(due, w->ended ? w->end : w->due);
	return clock_sooner(due, now + MINUTE_MS);
}

static void
run_loop(struct work *w)
{
	int64_t now = clock_mono_ms();

	for (; !is_over(w, now); now = clock_mono_ms()) {
		struct pollfd fds[4] = {redis_pollfd(w->share.link.redis),
			{.fd = w->ended ? -1 : w->child.out.fd, .events = POLLIN},
			{.fd = w->child.unsent.len > 0 ? w->child.in : -1, .events = POLLOUT},
			{.fd = w->told == 0 ? signals_fd() : -1, .events = POLLIN}};

		if (poll(fds, 4, clock_wait_ms(work_deadline(w, now), now)) < 0)
			fds[0].revents = fds[1].revents = 0;
		now = clock_mono_ms();
		switch (share_serve(&w->share, fds[0].revents, now)) {
		case REDIS_EVENT_READY:
			hand_ready(&w->hand);
			break;
		case REDIS_EVENT_LOST:
			hand_lost(&w->hand, now);
			break;
		default:
			break;
		}
		if (fds[1].revents != 0 && reader_fill(&w->child.out))
			take_lines(w);
		hand_serve(&w->hand, now);
		child_flush(&w->child);
		look_after_child(w, now);
	}
}

static int
status_of(const struct work *w)
{
	if (w->share.refused) {
		log_error("Redis: %s", w->share.refusal);
		return STATUS_USAGE;
	}
	if (w->misset)
		return STATUS_USAGE;
	if (signals_stop() && !w->hung)
		return share_ready(&w->share) ? STATUS_DONE : STATUS_SERVICE;
	log_error("the command ended with %d", w->code);
	return is_misset(w) ? STATUS_USAGE : STATUS_SERVICE;
}

static int
run_work(const struct options *o, const struct redis_url *url, const char *command)
{
	int64_t start = clock_mono_ms();
	struct work w = {.hang = (int64_t)o->minutes * MINUTE_MS};
	const struct hand *h = &w.hand;
	int status = STATUS_SERVICE;

	share_init(&w.share, url);
	w.hand = (struct hand){.share = &w.share,
		.child = &w.child,
		.parallel = o->parallel,
		.lease = (int64_t)o->lease * 1000,
		.tries = o->tries};
	hand_init(&w.hand);
	if (child_start(&w.child, command) == 0) {
		run_loop(&w);
		status = status_of(&w);
	} else {
		log_error("the command cannot be started: %s", strerror(errno));
	}
	log_end(log_run, "end",
		(const struct log_count[]){{"taken", h->taken}, {"verdicts", h->accepted},
			{"dropped", h->dropped}, {"cancelled", h->cancelled},
			{"poison", h->poisoned}, {0}},
		clock_mono_ms() - start);
	hand_release(&w.hand);
	child_release(&w.child);
	redis_free(w.share.link.redis);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o = {
		.parallel = PARALLEL, .lease = LEASE_S, .tries = TRIES, .minutes = HANG_MIN};
	struct redis_url url = {0};
	struct buffer shown = {0};
	int status;

	command_options(&self, argc, argv, &o);
	if (optind + 1 != argc)
		command_misuse(&self, NULL, "one command is wanted, such as 'ts-fetch | ts-store'");
	redis_url_choose(&self, o.url, &url);
	command_signals(0);
	redis_url_show(&url, &shown);
	log_run("start version=%s redis=%s parallel=%" PRIu64 " lease=%" PRIu64 "s", TS_VERSION,
		buffer_cstr(&shown), o.parallel, o.lease);
	buffer_release(&shown);
	status = run_work(&o, &url, argv[optind]);
	redis_url_release(&url);
	return status;
}
