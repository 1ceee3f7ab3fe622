#ifndef TS_REDIS_TLS_H
#define TS_REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * TLS over a socket that does not block. The certificate must be one of HOST's (a name or an
 * address) by the CA of REDIS_CA_FILE, or else by the system's; REDIS_CERT_FILE and REDIS_KEY_FILE
 * are ours, if set.
 */
struct redis_tls;

/* The socket stays the caller's. NULL with the reason in why. */
struct redis_tls *redis_tls_new(int fd, const char *host, char *why, size_t size);
void redis_tls_free(struct redis_tls *);

/*
 * How many bytes were read or written; 0 where the socket must be waited for; -1 with the reason in
 * why, *denied telling whether trying again can mend it not.
 */
ssize_t redis_tls_read(struct redis_tls *, char *, size_t, char *why, size_t size, bool *denied);
ssize_t redis_tls_write(
	struct redis_tls *, const char *, size_t, char *why, size_t size, bool *denied);

/* Whether the last write waits for the socket to be readable. */
bool redis_tls_wants_read(const struct redis_tls *);

/* Whether bytes were decrypted that poll(2) knows nothing of. */
bool redis_tls_pending(const struct redis_tls *);

#endif
