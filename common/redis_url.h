#ifndef TS_REDIS_URL_H
#define TS_REDIS_URL_H

#include "buffer.h"
#include "command.h"

#include <stdbool.h>

enum { REDIS_PORT = 6379 };

/*
 * Where a Redis server is and how to log in:
 *
 *	redis://[user][:password]@host[:port][/db]
 *	unix://[user][:password]@/path[?db=N]
 *
 * User, password, host and path are percent-decoded. host is NULL for a unix socket, path for TCP.
 * user and password are NULL where the URL has none.
 */
struct redis_url {
	char *host;
	int port;
	char *path;
	char *user;
	char *password;
	int db;
};

/*
 * Reads a URL. 0; or -1 with a static sentence in *why, which does not quote the URL: it may hold a
 * password. Either way redis_url_release() frees what was read.
 */
int redis_url_parse(const char *text, struct redis_url *, const char **why);
void redis_url_release(struct redis_url *);

/*
 * Which Redis is meant: by -u, if not NULL, or by REDIS_URL, else redis://127.0.0.1:6379/0. A password in
 * an argument is misuse. -1 to go on, else the exit status.
 */
int redis_url_choose(const struct command *, const char *option, struct redis_url *);

/* Appends the URL as it may be shown to anybody: without the password. */
void redis_url_show(const struct redis_url *, struct buffer *);

#endif
