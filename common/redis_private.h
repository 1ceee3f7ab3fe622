#ifndef TS_REDIS_PRIVATE_H
#define TS_REDIS_PRIVATE_H

#include "redis.h"
#include "redis_wire.h"

#include <hiredis/hiredis.h>

/* What redis.c and redis_login.c share, and nobody else sees. */

enum { WORD = 24, REFUSALS = 16 };

enum state { DOWN, LOGIN, READY };

struct request {
	redis_fn *fn;
	void *data;
	char word[WORD]; /* the command */
};

struct redis {
	const struct redis_url *url;
	redis_fn *push;
	void *push_data;

	enum state state;
	struct redis_wire wire;
	redisReader *reader;
	struct redis_host server; /* the one dialled now; the name is NULL for a unix socket */

	size_t sentinel; /* which one is asked next */
	size_t unasked;	 /* how many have not been asked in this round */
	bool asking;	 /* a sentinel is dialled, and not the server */
	bool found;	 /* it has named the server */

	struct request queue[REDIS_REQUESTS]; /* a ring */
	size_t head, waiting;
	size_t logins; /* requests of the login that are not yet answered */
	char refused[REFUSALS][WORD];
	size_t refusals;

	bool failed; /* set by whatever finds out first; redis_serve() acts on it */
	bool denied;
	bool patient; /* silence is left to the owner */
	int64_t heard;
	int64_t since; /* the oldest moment from which an answer may be awaited */
	char why[320];
};

/* As redis_call(), at any time while there is a connection. */
int redis_enqueue(struct redis *, redis_fn *, void *data, const struct slice *words, int n);

/* The connection must end. The first reason counts. */
void redis_fail(struct redis *, const char *why);

/* What is asked first: of a server, to let us in; of a sentinel, where the master is. */
void redis_log_in(struct redis *);
void redis_ask_master(struct redis *);

/* Whom to dial next; name is absent for a unix socket. */
void redis_set_server(struct redis *, struct slice name, int port);

/* Errors that a server gives to whoever it will never let in as they are. */
bool redis_is_denial(const struct redis_reply *);

#endif
