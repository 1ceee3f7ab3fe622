/* Threads at the ends of pipes: what is done can be waited for with poll(2) like anything else. */
#include "pool.h"

#include "log.h"
#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* How long a connection that could not be had is not asked for again. */
enum { DISABLED_MS = 60000 };

struct worker {
	struct pool *pool;
	struct load load;
	pthread_mutex_t lock; /* of the loader: the first one's serves those without a connection */
	struct batch *batch;  /* written before its byte is sent, so the thread sees it */
	unsigned after; /* a bit for each worker whose batch must be stored before this one, */
	bool never;	/* which one of them was not */
	bool ended;	/* the batch has its outcome */
	enum outcome outcome;
	int order[2]; /* a byte for each batch, end of file for the end */
	bool running;
	int64_t disabled_until;
	pthread_t thread;
};

struct pool {
	struct load_shared shared;
	pthread_mutex_t order; /* of what comes after what, and how it ended */
	pthread_cond_t stored; /* some of that changed */
	struct buffer why;     /* a worker pauses, under order; empty once that was asked for */
	int64_t until;
	int done[2]; /* the number of each worker that is done; POOL_MAX: one pauses */
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
carrier_of(struct worker *w)
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

/* Whether all earlier batches that a worker's must come after are stored. The lock is held. */
static enum turn
turn_of(const struct worker *w)
{
	return w->never ? TURN_NEVER : w->after != 0 ? TURN_LATE : TURN_COME;
}

/* For as long as it takes where the patience is below 0. */
static enum turn
await_turn(void *worker, int patience_ms)
{
	struct worker *w = worker;
	struct timespec until;
	enum turn t;
	bool late = false;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += patience_ms % 1000 * 1000000L;
	until.tv_sec += patience_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_mutex_lock(&w->pool->order);
	while ((t = turn_of(w)) == TURN_LATE && patience_ms != 0 && !late) {
		if (patience_ms < 0)
			(void)pthread_cond_wait(&w->pool->stored, &w->pool->order);
		else
			late = pthread_cond_timedwait(&w->pool->stored, &w->pool->order, &until) ==
			       ETIMEDOUT;
	}
	(void)pthread_mutex_unlock(&w->pool->order);
	return t;
}

/*
 * Stores the batch. While its turn has not come it holds neither a transaction nor the first
 * worker's lock, which an earlier batch may wait for.
 */
static enum outcome
store_batch(struct worker *w)
{
	struct worker *by = carrier_of(w);
	enum outcome o = PG_STOP;

	if (by != w && await_turn(w, -1) == TURN_NEVER)
		return PG_LOST;
	while (o == PG_STOP) {
		(void)pthread_mutex_lock(&by->lock);
		by->load.turn_of = w;
		o = load_batch(&by->load, w->batch);
		(void)pthread_mutex_unlock(&by->lock);
		if (o != PG_STOP)
			break;
		log_debug("batch rows=%zu waits for an earlier batch", w->batch->slots);
		if (await_turn(w, -1) == TURN_NEVER)
			o = PG_LOST;
	}
	return o;
}

static void *
run_worker(void *arg)
{
	struct worker *w = arg;
	unsigned bit = 1U << (w - w->pool->worker);
	unsigned char c;

	while (take_byte(w->order[0], &c)) {
		enum outcome o = store_batch(w);

		(void)pthread_mutex_lock(&w->pool->order);
		w->outcome = o;
		w->ended = true;
		for (int i = 0; i < w->pool->workers; i++) {
			struct worker *later = &w->pool->worker[i];

			later->never = later->never || ((later->after & bit) != 0 && o != PG_OK);
			later->after &= ~bit;
		}
		(void)pthread_cond_broadcast(&w->pool->stored);
		(void)pthread_mutex_unlock(&w->pool->order);
		give_byte(w->pool->done[1], (unsigned char)(w - w->pool->worker));
	}
	return NULL;
}

/* One that ends later than the one told last is news. */
static void
note_wait(void *pool, const char *why, int64_t until)
{
	struct pool *p = pool;
	bool first;

	(void)pthread_mutex_lock(&p->order);
	first = p->why.len == 0 && until > p->until && p->done[1] >= 0;
	if (first) {
		buffer_printf(&p->why, "Postgres: %s", why);
		p->until = until;
	}
	(void)pthread_mutex_unlock(&p->order);
	if (first)
		give_byte(p->done[1], POOL_MAX);
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
	error = pthread_create(&w->thread, NULL, run_worker, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	w->running = error == 0;
	return error == 0 ? 0 : -1;
}

struct pool *
pool_new(const char *url, int workers, const struct calendar *calendar)
{
	struct pool *p = memory_grow(NULL, 1, sizeof *p);
	pthread_condattr_t monotonic;

	*p = (struct pool){.done = {-1, -1}, .workers = workers};
	(void)pthread_mutex_init(&p->shared.lock, NULL);
	(void)pthread_mutex_init(&p->order, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->stored, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	p->shared.calendar = calendar;
	p->shared.pg.waits = note_wait;
	p->shared.pg.data = p;
	for (int i = 0; i < workers; i++) {
		struct worker *w = &p->worker[i];

		*w = (struct worker){.pool = p, .order = {-1, -1}};
		(void)pthread_mutex_init(&w->lock, NULL);
		load_init(&w->load, url, &p->shared, i > 0);
		w->load.turn = await_turn;
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
	for (int tf = 0; tf < TF_COUNT; tf++)
		pg_table_release(&p->shared.table[tf]);
	(void)pthread_mutex_destroy(&p->shared.lock);
	(void)pthread_mutex_destroy(&p->order);
	(void)pthread_cond_destroy(&p->stored);
	close_pipe(p->done);
	buffer_release(&p->why);
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
	(void)pthread_mutex_lock(&p->order);
	w->after = 0;
	w->never = w->ended = false;
	for (int i = 0; i < p->workers; i++) {
		const struct worker *earlier = &p->worker[i];

		if (earlier->batch == NULL || !batch_akin(earlier->batch, b))
			continue;
		w->never = w->never || (earlier->ended && earlier->outcome != PG_OK);
		w->after |= earlier->ended ? 0 : 1U << i;
	}
	(void)pthread_mutex_unlock(&p->order);
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
	if (number == POOL_MAX)
		return NULL;
	w = &p->worker[number];
	b = w->batch;
	w->batch = NULL;
	*outcome = w->outcome;
	return b;
}

int64_t
pool_wait(struct pool *p, struct buffer *why)
{
	int64_t until;

	(void)pthread_mutex_lock(&p->order);
	buffer_set(why, buffer_slice(&p->why));
	p->why.len = 0;
	until = p->until;
	(void)pthread_mutex_unlock(&p->order);
	return until;
}
