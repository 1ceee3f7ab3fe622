#ifndef TS_REDIS_TLS_H
#define TS_REDIS_TLS_H

#include "redis_wire.h"

/*
 * TLS over the socket of a wire. The certificate must be one of its host's (a name or an address)
 * by the CA of REDIS_CA_FILE, or else by the system's; REDIS_CERT_FILE and REDIS_KEY_FILE are ours,
 * if set. Errors are as in redis_wire.h.
 */

/* Begins on a socket that is on its way. 0 or -1. */
int redis_tls_start(struct redis_wire *);
void redis_tls_free(struct redis_wire *);

/* How many bytes were read or written; 0 where the socket must be waited for; -1. */
ssize_t redis_tls_read(struct redis_wire *, char *, size_t);
ssize_t redis_tls_write(struct redis_wire *, const char *, size_t);

/* Whether bytes were decrypted that poll(2) knows nothing of. */
bool redis_tls_pending(const struct redis_wire *);

#endif
