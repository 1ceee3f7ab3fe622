/* A pipe to it and one back. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 5000, LOOK_MS = 10, NOT_FOUND = 127 };

static _Noreturn void
become_command(const char *command, int in, int out)
{
	(void)setpgid(0, 0);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0) {
		/* Debian's sh tells the status of the last stage alone. */
		(void)execl("/bin/bash", "bash", "-o", "pipefail", "-c", command, (char *)NULL);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	}
	_exit(NOT_FOUND);
}

int
child_start(struct child *c, const char *command)
{
	int in[2], out[2];

	*c = (struct child){.pid = -1, .in = -1};
	reader_init(&c->out, -1);
	if (pipe(in) != 0)
		return -1;
	if (pipe(out) != 0) {
		(void)close(in[0]);
		(void)close(in[1]);
		return -1;
	}
	(void)fcntl(in[1], F_SETFD, FD_CLOEXEC);
	(void)fcntl(out[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(in[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(out[1], F_SETFD, FD_CLOEXEC);
	/* It may be busy writing while we have something to say. */
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
	c->pid = fork();
	if (c->pid == 0)
		become_command(command, in[0], out[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	c->in = in[1];
	c->out.fd = out[0];
	if (c->pid > 0)
		(void)setpgid(c->pid, c->pid);
	return c->pid < 0 ? -1 : 0;
}

void
child_release(struct child *c)
{
	child_stop(c, 0);
	if (c->out.fd >= 0)
		(void)close(c->out.fd);
	reader_release(&c->out);
	buffer_release(&c->unsent);
}

void
child_line(struct child *c, struct slice line)
{
	if (c->in < 0)
		return;
	buffer_add(&c->unsent, line.p, line.n);
	buffer_byte(&c->unsent, '\n');
}

void
child_flush(struct child *c)
{
	size_t done = 0;

	while (c->in >= 0 && done < c->unsent.len) {
		ssize_t n = write(c->in, c->unsent.p + done, c->unsent.len - done);

		if (n >= 0) {
			done += (size_t)n;
		} else if (errno != EINTR) {
			/* That it reads no more shows in the end of its output. */
			if (errno != EAGAIN)
				child_stop(c, 0);
			break;
		}
	}
	c->unsent.len -= done;
	if (done > 0)
		memmove(c->unsent.p, c->unsent.p + done, c->unsent.len);
}

void
child_stop(struct child *c, int sig)
{
	if (c->in >= 0)
		(void)close(c->in);
	c->in = -1;
	c->unsent.len = 0;
	if (sig != 0 && c->pid > 0)
		(void)kill(-c->pid, sig);
}

int
child_wait(struct child *c)
{
	int status = 0;

	for (int i = 0; waitpid(c->pid, &status, WNOHANG) == 0; i++) {
		if (i == WAIT_MS / LOOK_MS)
			(void)kill(-c->pid, SIGKILL);
		(void)poll(NULL, 0, LOOK_MS);
	}
	c->pid = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
