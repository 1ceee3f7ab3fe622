#ifndef TS_SESSION_IMPL_H
#define TS_SESSION_IMPL_H

/*
 * What session.c (connecting, patience) and exchange.c (requests, answers) share; for no one else.
 */
#include "session.h"

/* One process of the server: its number, which may come again, and when it began. As text. */
struct backend {
	char pid[16], started[48];
};

struct session {
	PGconn *conn;
	const char *url;
	struct mood *mood;
	bool extra;       /* not needed before it was there once */
	unsigned number;
	bool ever;        /* was there ever a connection? */
	int64_t made;     /* when the last one was made */
	struct backend backend; /* of this connection */
	struct backend behind;  /* of one that was given up for its silence */
	bool busy;        /* the last failure left the connection alive */
	size_t unflushed; /* bytes of COPY that libpq may still hold */
	int64_t since;    /* since when nothing was committed for trouble; 0: all is well */
	bool told;
	unsigned tries;
	uint32_t chance;
	char state[6];
	char why[400];
};

/* Closes the connection, if there is one. */
void session_hang_up(struct session *);

/* Keeps the reason, as one line. */
void session_keep_why(struct session *, const char *);

/* Closes the connection for this reason, or for libpq's; PG_LOST. */
enum outcome session_lost(struct session *, const char *why);
enum outcome session_lost_by(struct session *);

/* The same, for no answer came. */
enum outcome session_silent(struct session *);

/*
 * Learns which process serves this connection; where the server does not tell, it stays unknown. And
 * ends the one that was left behind, if there is one and it is ours to end. PG_OK or PG_LOST.
 */
enum outcome backend_identify(struct session *);
enum outcome backend_end_behind(struct session *);

/* Waits for the socket until then: poll(2)'s events, or -1 when the time is over. */
int session_wait(struct session *, short events, int64_t until);

#endif
