/* Sockets, names and TLS, so that redis.c has the protocol alone. */
#include "redis_wire.h"

#include "redis_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ADDRESS_SIZE = 64 };

void
redis_wire_close(struct redis_wire *w)
{
	redis_tls_free(w);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w->host);
	w->fd = -1;
	w->host = NULL;
	w->looking_up = false;
	w->sent = 0;
	buffer_release(&w->out);
}

static int
fail_wire(struct redis_wire *w, const char *why)
{
	(void)snprintf(w->why, sizeof w->why, "%s", why);
	return -1;
}

/* A socket that is on its way to the address. -1 with errno. */
static int
open_socket(const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		return -1;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (address->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
		(connect(fd, address, size) == 0 || errno == EINPROGRESS))
		return fd;
	one = errno;
	(void)close(fd);
	errno = one;
	return -1;
}

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
	char text[ADDRESS_SIZE] = "";

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

/*
 * Starts a lookup by a thread, because getaddrinfo(3) can block for half a minute and can neither
 * be polled nor interrupted: a pipe that becomes readable when it is over, and is closed by whoever
 * no longer wants it. -1 with errno.
 */
static int
start_lookup(const char *host)
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

/* The numeric address that a lookup has found: 0, or -1 when there is none. */
static int
read_address(int fd, char address[ADDRESS_SIZE])
{
	ssize_t n;

	do
		n = read(fd, address, ADDRESS_SIZE - 1);
	while (n < 0 && errno == EINTR);
	address[n < 0 ? 0 : n] = '\0';
	return n > 0 ? 0 : -1;
}

/* The address of a numeric host; NULL where it is a name. */
static struct addrinfo *
numeric_address(const char *host, int port)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	char text[16];

	(void)snprintf(text, sizeof text, "%d", port);
	return getaddrinfo(host, text, &hints, &list) == 0 ? list : NULL;
}

/* The connection is on its way. */
static int
start_wire(struct redis_wire *w, int fd)
{
	w->fd = fd;
	if (fd < 0)
		return fail_wire(w, strerror(errno));
	return w->use_tls ? redis_tls_start(w) : 0;
}

static int
start_at(struct redis_wire *w, struct addrinfo *list)
{
	int result = start_wire(w, open_socket(list->ai_addr, list->ai_addrlen));

	freeaddrinfo(list);
	return result;
}

int
redis_wire_open_path(struct redis_wire *w, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	w->use_tls = w->denied = w->hung_up = false;
	if (strlen(path) >= sizeof address.sun_path)
		return fail_wire(w, "the path of the socket is too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	return start_wire(w, open_socket((struct sockaddr *)&address, sizeof address));
}

int
redis_wire_open(struct redis_wire *w, const char *host, int port, bool tls)
{
	struct addrinfo *list = numeric_address(host, port);

	w->use_tls = tls;
	w->denied = w->hung_up = false;
	w->port = port;
	w->host = slice_copy(slice_of(host));
	if (list != NULL)
		return start_at(w, list);
	w->looking_up = true;
	w->fd = start_lookup(host);
	return w->fd < 0 ? fail_wire(w, strerror(errno)) : 0;
}

int
redis_wire_found(struct redis_wire *w)
{
	char address[ADDRESS_SIZE];
	struct addrinfo *list =
		read_address(w->fd, address) == 0 ? numeric_address(address, w->port) : NULL;

	(void)close(w->fd);
	w->fd = -1;
	w->looking_up = false;
	return list == NULL ? fail_wire(w, "the host name has no address") : start_at(w, list);
}

ssize_t
redis_wire_read(struct redis_wire *w, char *p, size_t n)
{
	ssize_t got;

	if (w->ssl != NULL)
		return redis_tls_read(w, p, n);
	got = read(w->fd, p, n);
	w->hung_up = got == 0 || (got < 0 && errno == ECONNRESET);
	if (got == 0)
		return fail_wire(w, "the server closed the connection");
	if (got < 0 && errno != EAGAIN && errno != EINTR)
		return fail_wire(w, strerror(errno));
	return got < 0 ? 0 : got;
}

struct buffer *
redis_wire_room(struct redis_wire *w)
{
	if (w->sent > 0 && w->sent == w->out.len)
		w->out.len = w->sent = 0;
	return &w->out;
}

bool
redis_wire_unsent(const struct redis_wire *w)
{
	return w->sent < w->out.len;
}

int
redis_wire_write(struct redis_wire *w)
{
	const char *p = w->out.p + w->sent;
	size_t n = w->out.len - w->sent;
	ssize_t put;

	if (w->ssl != NULL) {
		put = redis_tls_write(w, p, n);
		if (put < 0)
			return -1;
	} else {
		put = send(w->fd, p, n, MSG_NOSIGNAL);
		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return fail_wire(w, strerror(errno));
	}
	w->sent += put > 0 ? (size_t)put : 0;
	return 0;
}

struct pollfd
redis_wire_pollfd(const struct redis_wire *w)
{
	bool write = !w->looking_up && redis_wire_unsent(w) && !w->wants_read;

	return (struct pollfd){.fd = w->fd, .events = (short)(POLLIN | (write ? POLLOUT : 0))};
}
