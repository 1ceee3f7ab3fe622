#ifndef TS_REDIS_WIRE_H
#define TS_REDIS_WIRE_H

#include "buffer.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Bytes to and from a server: over a unix socket, over TCP to an address or a name that is looked
 * up first, with TLS or without. Nothing blocks. Functions that give -1 leave the reason in why,
 * and in denied whether trying again cannot mend it. Fields are to be read only.
 */
struct redis_wire {
	int fd; /* of the lookup, then of the socket; -1 while closed */
	bool looking_up;
	bool use_tls;
	char *host; /* NULL for a unix socket */
	int port;
	struct ssl_st *ssl; /* of OpenSSL; NULL without TLS */
	bool wants_read;    /* what is unsent waits for the socket to be readable */
	struct buffer out;  /* to be sent, but for the first sent bytes */
	size_t sent;
	bool denied;
	bool hung_up; /* by the other side */
	char why[160];
};

/* Closes it and frees what it holds; it can be opened again. */
void redis_wire_close(struct redis_wire *);

/* Begin to connect: to a socket's path, or to a host. Only while closed. 0 or -1. */
int redis_wire_open_path(struct redis_wire *, const char *path);
int redis_wire_open(struct redis_wire *, const char *host, int port, bool tls);

/* While it is looking_up: to be called when fd is readable; then the connection is on its way. 0 or
 * -1. */
int redis_wire_found(struct redis_wire *);

/* How many bytes were read; 0 when there are none for now; -1. */
ssize_t redis_wire_read(struct redis_wire *, char *, size_t);

/* Where to add what is to be sent; whether some is left; sends what it can: 0 or -1. */
struct buffer *redis_wire_room(struct redis_wire *);
bool redis_wire_unsent(const struct redis_wire *);
int redis_wire_write(struct redis_wire *);

struct pollfd redis_wire_pollfd(const struct redis_wire *);

#endif
