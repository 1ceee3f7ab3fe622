/* Signals are a property of the process, so this is the one module with state of its own. */
#include "signals.h"

#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t stopped_by; /* the first signal; 0 before */
static int pipe_fd[2] = {-1, -1};
static int grace_s;
static int64_t stop_ms; /* monotonic ms; set when first looked at, 0 before */

static void
on_stop(int sig)
{
	int saved = errno;

	if (stopped_by == 0 && write(pipe_fd[1], "", 1) < 0) {
		/* An empty pipe takes one byte; stopped_by says the rest. */
	}
	stopped_by = sig;
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	alarm(1);
	errno = saved;
}

static void
on_tick(int sig)
{
	(void)sig;
	alarm(1);
}

static int
catch_signal(int sig, void (*handler)(int))
{
	struct sigaction sa = {0};

	if (sigaction(sig, NULL, &sa) != 0)
		return -1;
	if (sa.sa_handler == SIG_IGN && sig != SIGPIPE)
		return 0;
	sa = (struct sigaction){0};
	sa.sa_handler = handler;
	sigemptyset(&sa.sa_mask);
	return sigaction(sig, &sa, NULL);
}

int
signals_init(int grace)
{
	grace_s = grace;
	if (pipe(pipe_fd) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (fcntl(pipe_fd[i], F_SETFD, FD_CLOEXEC) != 0 ||
			fcntl(pipe_fd[i], F_SETFL, O_NONBLOCK) != 0)
			return -1;
	}
	if (catch_signal(SIGPIPE, SIG_IGN) != 0 || catch_signal(SIGALRM, on_tick) != 0 ||
		catch_signal(SIGTERM, on_stop) != 0 || catch_signal(SIGINT, on_stop) != 0)
		return -1;
	return 0;
}

int
signals_fd(void)
{
	return pipe_fd[0];
}

bool
signals_stop(void)
{
	if (stopped_by != 0 && stop_ms == 0)
		stop_ms = clock_mono_ms();
	return stopped_by != 0;
}

bool
signals_grace_over(void)
{
	return signals_stop() && grace_s >= 0 &&
	       clock_mono_ms() - stop_ms >= (int64_t)grace_s * 1000;
}

int
signals_status(int status)
{
	return stopped_by == 0 ? status : 128 + (int)stopped_by;
}
