#ifndef TS_REDIS_URL_H
#define TS_REDIS_URL_H

#include "buffer.h"
#include "command.h"

#include <stdbool.h>

enum { REDIS_PORT = 6379, REDIS_SENTINEL_PORT = 26379, REDIS_SENTINELS = 16 };

struct redis_host {
	char *name;
	int port;
};

/*
 * Where a Redis server is and how to log in:
 *
 *	redis://[[user][:password]@]host[:port][/db]	rediss:// for TLS
 *	redis+sentinel://[[user][:password]@]host[:port],.../NAME[/db]
 *	unix://[[user][:password]@]/path[?db=N]
 *
 * User, password, host, NAME and path are percent-decoded. path is NULL but for a unix socket,
 * master but for sentinels: there the hosts are theirs, user and password the server's. user and
 * password are NULL where the URL has none.
 */
struct redis_url {
	struct redis_host host[REDIS_SENTINELS];
	size_t hosts;
	char *master;
	char *path;
	char *user;
	char *password;
	int db;
	bool tls;
};

/*
 * Reads a URL. NULL; or why not, a static sentence that does not quote it: it may hold a password.
 * Either way redis_url_release() frees what was read.
 */
const char *redis_url_parse(const char *text, struct redis_url *);
void redis_url_release(struct redis_url *);

/*
 * Which Redis is meant: by -u, if not NULL, or by REDIS_URL, else redis://127.0.0.1:6379/0. A
 * secret in an argument is misuse.
 */
void redis_url_choose(const struct command *, const char *option, struct redis_url *);

/*
 * Appends the URL as it may be shown to anybody: without the password, and without a user that has
 * none, which may be a password written in the wrong place.
 */
void redis_url_show(const struct redis_url *, struct buffer *);

#endif
