/* A lookup that can be waited for and given up. */
#include "resolve.h"

#include "buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The thread's own; nothing else is shared. */
struct lookup {
	int out;
	char host[];
};

/* IPv4 first, as hiredis has it. */
static struct addrinfo *
find_address(const char *host)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct addrinfo *list;

	for (int i = 0; i < 2; i++) {
		struct addrinfo hints = {.ai_family = families[i], .ai_socktype = SOCK_STREAM};

		if (getaddrinfo(host, NULL, &hints, &list) == 0)
			return list;
	}
	return NULL;
}

static void *
look_up(void *data)
{
	struct lookup *l = data;
	struct addrinfo *list = find_address(l->host);
	char text[RESOLVE_SIZE] = "";

	if (list != NULL) {
		(void)getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0,
			NI_NUMERICHOST);
		freeaddrinfo(list);
	}
	/* Fits into an empty pipe; SIGPIPE is ignored. */
	if (write(l->out, text, strlen(text)) < 0)
		text[0] = '\0';
	(void)close(l->out);
	free(l);
	return NULL;
}

int
resolve_start(const char *host)
{
	struct lookup *l;
	pthread_attr_t attr;
	pthread_t thread;
	int fd[2], error;

	if (pipe(fd) != 0)
		return -1;
	(void)fcntl(fd[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd[1], F_SETFD, FD_CLOEXEC);
	l = memory_grow(NULL, 1, sizeof *l + strlen(host) + 1);
	l->out = fd[1];
	memcpy(l->host, host, strlen(host) + 1);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &attr, look_up, l);
	(void)pthread_attr_destroy(&attr);
	if (error == 0)
		return fd[0];
	(void)close(fd[0]);
	(void)close(fd[1]);
	free(l);
	errno = error;
	return -1;
}

int
resolve_read(int fd, char address[RESOLVE_SIZE])
{
	ssize_t n;

	do
		n = read(fd, address, RESOLVE_SIZE - 1);
	while (n < 0 && errno == EINTR);
	address[n < 0 ? 0 : n] = '\0';
	return n > 0 ? 0 : -1;
}
