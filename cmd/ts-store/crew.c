/* Threads at the ends of pipes: what is done can be waited for with poll(2) like anything else. */
#include "crew.h"

#include "log.h"
#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a connection that could not be had is not asked for again. */
enum { REST_MS = 60000 };

struct worker {
	struct crew *crew;
	struct session *session;
	struct load load;
	struct batch *batch; /* written before its byte is sent, so the thread sees it */
	enum outcome outcome;
	int order[2]; /* a byte for each batch, end of file for the end */
	bool running;
	int64_t rests_until;
	pthread_t thread;
};

struct crew {
	struct mood mood;
	int done[2]; /* the number of each worker that is done */
	int workers;
	struct worker worker[CREW_MAX];
	struct batch *parked[CREW_MAX]; /* taken back from workers without a connection */
	int n_parked;
	char told[TF_COUNT][500]; /* the faults of tables that the log has */
};

/* One byte; false at end of file. */
static bool
take_byte(int fd, unsigned char *c)
{
	ssize_t n;

	do
		n = read(fd, c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static void
give_byte(int fd, unsigned char c)
{
	while (write(fd, &c, 1) < 0 && errno == EINTR)
		continue;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	unsigned char c;

	while (take_byte(w->order[0], &c)) {
		w->outcome = load_batch(&w->load, w->batch);
		give_byte(w->crew->done[1], (unsigned char)(w - w->crew->worker));
	}
	return NULL;
}

static void
close_pipe(int fd[2])
{
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			(void)close(fd[i]);
	}
}

static int
open_pipe(int fd[2])
{
	if (pipe(fd) != 0) {
		fd[0] = fd[1] = -1;
		return -1;
	}
	return fcntl(fd[0], F_SETFD, FD_CLOEXEC) | fcntl(fd[1], F_SETFD, FD_CLOEXEC);
}

/* Signals are for the thread that reads input. */
static int
start_thread(struct worker *w)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&w->thread, NULL, work, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	w->running = error == 0;
	return error == 0 ? 0 : -1;
}

struct crew *
crew_new(const char *url, int workers)
{
	struct crew *c = memory_grow(NULL, 1, sizeof *c);

	*c = (struct crew){.done = {-1, -1}, .workers = workers};
	for (int i = 0; i < workers; i++) {
		struct worker *w = &c->worker[i];

		*w = (struct worker){.crew = c, .order = {-1, -1}};
		w->session = session_new(url, &c->mood, i > 0);
		load_init(&w->load, w->session);
	}
	return c;
}

void
crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < c->workers; i++) {
		struct worker *w = &c->worker[i];

		if (w->order[1] >= 0)
			(void)close(w->order[1]);
		w->order[1] = -1;
		if (w->running)
			(void)pthread_join(w->thread, NULL);
		close_pipe(w->order);
		load_release(&w->load);
		session_free(w->session);
	}
	close_pipe(c->done);
	free(c);
}

int
crew_workers(const struct crew *c)
{
	return c->workers;
}

struct session *
crew_session(struct crew *c)
{
	return c->worker[0].session;
}

int
crew_start(struct crew *c)
{
	if (open_pipe(c->done) != 0)
		return -1;
	for (int i = 0; i < c->workers; i++) {
		if (open_pipe(c->worker[i].order) != 0 || start_thread(&c->worker[i]) != 0)
			return -1;
	}
	return 0;
}

int
crew_fd(const struct crew *c)
{
	return c->done[0];
}

/* The first of those that could take a batch now: small loads need no second connection. */
static int
idle_worker(const struct crew *c)
{
	for (int i = 0; i < c->workers; i++) {
		const struct worker *w = &c->worker[i];

		if (w->batch == NULL &&
			(w->rests_until == 0 || clock_mono_ms() >= w->rests_until))
			return i;
	}
	return -1;
}

bool
crew_idle(const struct crew *c)
{
	return c->n_parked == 0 && idle_worker(c) >= 0;
}

int
crew_busy(const struct crew *c)
{
	int n = c->n_parked;

	for (int i = 0; i < c->workers; i++)
		n += c->worker[i].batch != NULL;
	return n;
}

bool
crew_conflict(const struct crew *c, const struct batch *b)
{
	for (int i = 0; i < c->workers; i++) {
		if (c->worker[i].batch != NULL && batch_overlaps(b, c->worker[i].batch))
			return true;
	}
	for (int i = 0; i < c->n_parked; i++) {
		if (batch_overlaps(b, c->parked[i]))
			return true;
	}
	return false;
}

static void
begin(struct worker *w, struct batch *b)
{
	w->batch = b;
	give_byte(w->order[1], 0);
}

void
crew_begin(struct crew *c, struct batch *b)
{
	begin(&c->worker[idle_worker(c)], b);
}

/* Whether a worker did nothing because its connection, which is one more, could not be had. */
static bool
is_without_connection(const struct worker *w)
{
	return w != &w->crew->worker[0] && !session_ever(w->session) &&
	       (w->outcome == PG_LOST || w->outcome == PG_CONFIG);
}

/* Puts its batch aside, for a worker that has a connection. */
static void
park(struct crew *c, struct worker *w)
{
	if (w->rests_until == 0)
		log_warning("connection %d of %d: %s: goes on without it",
			(int)(w - c->worker) + 1, c->workers, session_why(w->session));
	w->rests_until = clock_mono_ms() + REST_MS;
	c->parked[c->n_parked++] = w->batch;
	w->batch = NULL;
}

/* Hands out what was put aside. The first worker never rests, so none stays there. */
static void
unpark(struct crew *c)
{
	int i;

	while (c->n_parked > 0 && (i = idle_worker(c)) >= 0)
		begin(&c->worker[i], c->parked[--c->n_parked]);
}

/* Says once what keeps a table from being used, and again when that changes. */
static void
tell_faults(struct crew *c, const struct load *l)
{
	for (int tf = 0; tf < TF_COUNT; tf++) {
		const struct table *t = &l->table[tf];

		if (!t->known || strcmp(t->fault, c->told[tf]) == 0)
			continue;
		if (t->fault[0] != '\0')
			log_error("%s", t->fault);
		memcpy(c->told[tf], t->fault, sizeof c->told[tf]);
	}
}

struct batch *
crew_end(struct crew *c, enum outcome *outcome)
{
	unsigned char number = 0;
	struct worker *w;
	struct batch *b;

	for (;;) {
		(void)take_byte(c->done[0], &number);
		w = &c->worker[number];
		if (!is_without_connection(w))
			break;
		park(c, w);
		unpark(c);
	}
	b = w->batch;
	w->batch = NULL;
	*outcome = w->outcome;
	tell_faults(c, &w->load);
	if (w->outcome == PG_OK)
		w->rests_until = 0;
	unpark(c);
	return b;
}
