#ifndef TS_RESOLVE_H
#define TS_RESOLVE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Host names looked up by a child process, because getaddrinfo(3) can block for half a minute and
 * can neither be polled nor interrupted. {.fd = -1} is a resolver at rest.
 */
struct resolve {
	int fd; /* readable when there is something to hear; -1 at rest */
	pid_t pid;
	size_t len;
	char text[64]; /* the numeric address, NUL-terminated, once found */
};

/* Whether the host is an address already, so that nothing needs to be looked up. */
bool resolve_numeric(const char *host);

/* Starts a lookup. 0, or -1 with errno. */
int resolve_start(struct resolve *, const char *host);

/*
 * Called when fd is readable: 1 when text holds the address, 0 when there is more to come, -1 when
 * the name has none. After 1 and -1 it is at rest.
 */
int resolve_serve(struct resolve *);

/* Ends a lookup in progress; harmless at rest. */
void resolve_stop(struct resolve *);

#endif
