/* A lookup that can be waited for and given up, at the price of a short-lived child. */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child whose parent was killed ends by itself. */
enum { LOOKUP_SECONDS = 30 };

/* IPv4 first, as hiredis has it. */
static struct addrinfo *
lookup(const char *host, int flags)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct addrinfo *list;

	for (int i = 0; i < 2; i++) {
		struct addrinfo hints = {.ai_family = families[i], .ai_socktype = SOCK_STREAM,
			.ai_flags = flags};

		if (getaddrinfo(host, NULL, &hints, &list) == 0)
			return list;
	}
	return NULL;
}

bool
resolve_numeric(const char *host)
{
	struct addrinfo *list = lookup(host, AI_NUMERICHOST);

	if (list == NULL)
		return false;
	freeaddrinfo(list);
	return true;
}

static void __attribute__((noreturn))
child(const char *host, int out)
{
	char text[64] = "";
	struct addrinfo *list;

	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(LOOKUP_SECONDS);
	/* Neighbours in the pipe must not wait for this process. */
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	list = lookup(host, 0);
	if (list != NULL)
		(void)getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0,
			NI_NUMERICHOST);
	_exit(write(out, text, strlen(text)) < 0);
}

int
resolve_start(struct resolve *r, const char *host)
{
	int fd[2];
	pid_t pid;

	if (pipe(fd) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		child(host, fd[1]);
	(void)close(fd[1]);
	if (pid < 0) {
		(void)close(fd[0]);
		return -1;
	}
	*r = (struct resolve){.fd = fd[0], .pid = pid};
	return 0;
}

int
resolve_serve(struct resolve *r)
{
	ssize_t n = read(r->fd, r->text + r->len, sizeof r->text - 1 - r->len);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n > 0) {
		r->len += (size_t)n;
		return 0;
	}
	r->text[r->len] = '\0';
	resolve_stop(r);
	return r->len > 0 ? 1 : -1;
}

void
resolve_stop(struct resolve *r)
{
	if (r->fd < 0)
		return;
	(void)close(r->fd);
	r->fd = -1;
	(void)kill(r->pid, SIGKILL);
	while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
