#ifndef TS_RESOLVE_H
#define TS_RESOLVE_H

/*
 * Host names looked up by a thread, because getaddrinfo(3) can block for half a minute and can
 * neither be polled nor interrupted. The answer comes by a pipe; whoever no longer wants it closes
 * its end.
 */

enum { RESOLVE_SIZE = 64 }; /* of an address, with its NUL */

/* Starts a lookup: a descriptor that becomes readable when it is over; -1 with errno. */
int resolve_start(const char *host);

/* The numeric address, read from that descriptor once it is readable. 0, or -1 when there is none.
 */
int resolve_read(int fd, char address[RESOLVE_SIZE]);

#endif
