/* A thread at the end of a pipe: what is done can be waited for with poll(2) like anything else. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct worker {
	struct load *load;
	struct batch *batch; /* written before its byte is sent, so the thread sees it */
	enum outcome outcome;
	int order[2]; /* a byte for each batch, end of file for the end */
	int done[2];
	bool busy;
	pthread_t thread;
};

/* One byte; false at end of file. */
static bool
take_byte(int fd)
{
	char c;
	ssize_t n;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static void
give_byte(int fd)
{
	while (write(fd, "", 1) < 0 && errno == EINTR)
		continue;
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	while (take_byte(w->order[0])) {
		w->outcome = load_batch(w->load, w->batch);
		give_byte(w->done[1]);
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
	return error == 0 ? 0 : -1;
}

struct worker *
worker_new(struct load *load)
{
	struct worker *w = memory_grow(NULL, 1, sizeof *w);

	*w = (struct worker){.load = load, .order = {-1, -1}, .done = {-1, -1}};
	if (open_pipe(w->order) != 0 || open_pipe(w->done) != 0 || start_thread(w) != 0) {
		close_pipe(w->order);
		close_pipe(w->done);
		free(w);
		return NULL;
	}
	return w;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	(void)close(w->order[1]);
	w->order[1] = -1;
	(void)pthread_join(w->thread, NULL);
	close_pipe(w->order);
	close_pipe(w->done);
	free(w);
}

int
worker_fd(const struct worker *w)
{
	return w->done[0];
}

void
worker_begin(struct worker *w, struct batch *b)
{
	w->batch = b;
	w->busy = true;
	give_byte(w->order[1]);
}

bool
worker_busy(const struct worker *w)
{
	return w->busy;
}

enum outcome
worker_end(struct worker *w)
{
	(void)take_byte(w->done[0]);
	w->busy = false;
	return w->outcome;
}
