#ifndef TS_PG_IMPL_H
#define TS_PG_IMPL_H

/* What pg.c (waiting, patience), login.c (connecting) and query.c (requests, answers) share; for no
 * one else. */
#include "backoff.h"
#include "pg.h"

/* One process of the server: its number, which may come again, and when it began. As text. */
struct backend {
	char pid[16], started[48];
};

struct pg {
	struct pg_options o;
	PGconn *conn;
	bool ever;		/* was there ever a connection? */
	int64_t made;		/* when the last one was made */
	struct backend backend; /* of this connection; "" behind a pooler */
	struct backend behind;	/* of one that was given up for its silence */
	bool busy;		/* the last failure left the connection alive */
	int64_t limit;		/* ms that its settings give a statement, */
	int64_t raised;		/* and what it gets instead; 0 for that */
	size_t unflushed;	/* bytes of COPY that libpq may still hold */
	int64_t since;		/* since when nothing was committed for trouble; 0: all is well */
	bool announced;
	struct backoff backoff;
	char settings[4096];
	char why[400];
};

/* What makes the settings of its next transaction. */
const char *pg_settings(struct pg *);

/* Connects once: PG_OK, PG_LOST, PG_CONFIG for what will not pass, or PG_STOP. */
enum outcome pg_connect(struct pg *);

/* Closes the connection, if there is one. */
void pg_hang_up(struct pg *);

/* Keeps the reason, as one line, and gives the outcome back. */
enum outcome pg_fail(struct pg *, enum outcome, const char *why);

/* Closes the connection for this reason, or for libpq's where it is NULL; PG_LOST. */
enum outcome pg_lost(struct pg *, const char *why);

/* Waits for the socket until then: PG_OK and poll(2)'s events, PG_LOST when the time is over,
 * PG_STOP. */
enum outcome pg_wait(struct pg *, short *events, int64_t until);

/* The same for at most the silence that is allowed; the connection is closed if that is over. */
enum outcome pg_wait_answer(struct pg *, short *events);

#endif
