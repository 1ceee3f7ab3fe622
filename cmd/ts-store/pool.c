/* Threads at the ends of pipes: what is done can be waited for with poll(2) like anything else. */
#include "pool.h"

#include "image.h"
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
enum { DISABLED_MS = 60000 };

struct worker {
	struct pool *pool;
	struct load load;
	pthread_mutex_t lock; /* of the loader: the first one's serves those without a connection */
	struct batch *batch;  /* written before its byte is sent, so the thread sees it */
	enum outcome outcome;
	int order[2]; /* a byte for each batch, end of file for the end */
	bool running;
	int64_t disabled_until;
	pthread_t thread;
};

struct pool {
	struct load_shared shared;
	int done[2]; /* the number of each worker that is done */
	int workers;
	struct worker worker[POOL_MAX];
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

/* The worker whose connection serves this one's batch. */
static struct worker *
carrier(struct worker *w)
{
	struct worker *first = &w->pool->worker[0];
	struct pg *pg = w->load.pg;

	if (w == first || pg_ever(pg))
		return w;
	if (clock_mono_ms() < w->disabled_until)
		return first;
	if (pg_ready(pg) == PG_OK)
		return w;
	if (w->disabled_until == 0)
		log_warning("connection %d of %d: %s: going on without it", (int)(w - first) + 1,
			w->pool->workers, pg_why(pg));
	w->disabled_until = clock_mono_ms() + DISABLED_MS;
	return first;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	unsigned char c;

	while (take_byte(w->order[0], &c)) {
		struct worker *by = carrier(w);

		(void)pthread_mutex_lock(&by->lock);
		w->outcome = load_batch(&by->load, w->batch);
		for (size_t i = 0; i < w->batch->looks.n && w->outcome == PG_OK; i++)
			w->outcome = image_look(&by->load, w->batch->looks.p[i]);
		(void)pthread_mutex_unlock(&by->lock);
		give_byte(w->pool->done[1], (unsigned char)(w - w->pool->worker));
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

struct pool *
pool_new(const char *url, int workers, const struct calendar *calendar)
{
	struct pool *p = memory_grow(NULL, 1, sizeof *p);

	*p = (struct pool){.done = {-1, -1}, .workers = workers};
	(void)pthread_mutex_init(&p->shared.lock, NULL);
	p->shared.calendar = calendar;
	for (int i = 0; i < workers; i++) {
		struct worker *w = &p->worker[i];

		*w = (struct worker){.pool = p, .order = {-1, -1}};
		(void)pthread_mutex_init(&w->lock, NULL);
		load_init(&w->load, url, &p->shared, i > 0);
	}
	return p;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	for (int i = 0; i < p->workers; i++) {
		struct worker *w = &p->worker[i];

		if (w->order[1] >= 0)
			(void)close(w->order[1]);
		w->order[1] = -1;
		if (w->running)
			(void)pthread_join(w->thread, NULL);
		close_pipe(w->order);
	}
	for (int i = 0; i < p->workers; i++) {
		load_release(&p->worker[i].load);
		(void)pthread_mutex_destroy(&p->worker[i].lock);
	}
	(void)pthread_mutex_destroy(&p->shared.lock);
	close_pipe(p->done);
	free(p);
}

struct pg *
pool_pg(struct pool *p)
{
	return p->worker[0].load.pg;
}

int
pool_start(struct pool *p)
{
	if (open_pipe(p->done) != 0)
		return -1;
	for (int i = 0; i < p->workers; i++) {
		if (open_pipe(p->worker[i].order) != 0 || start_thread(&p->worker[i]) != 0)
			return -1;
	}
	return 0;
}

int
pool_fd(const struct pool *p)
{
	return p->done[0];
}

int
pool_workers(const struct pool *p)
{
	return p->workers;
}

int
pool_busy(const struct pool *p)
{
	int n = 0;

	for (int i = 0; i < p->workers; i++)
		n += p->worker[i].batch != NULL;
	return n;
}

bool
pool_conflict(const struct pool *p, const struct batch *b)
{
	for (int i = 0; i < p->workers; i++) {
		if (p->worker[i].batch != NULL && batch_overlaps(b, p->worker[i].batch))
			return true;
	}
	return false;
}

void
pool_begin(struct pool *p, struct batch *b)
{
	struct worker *w = p->worker;

	/* The first that is free: small loads need no second connection. */
	while (w->batch != NULL)
		w++;
	w->batch = b;
	give_byte(w->order[1], 0);
}

struct batch *
pool_end(struct pool *p, enum outcome *outcome)
{
	unsigned char number = 0;
	struct worker *w;
	struct batch *b;

	(void)take_byte(p->done[0], &number);
	w = &p->worker[number];
	b = w->batch;
	w->batch = NULL;
	*outcome = w->outcome;
	return b;
}
