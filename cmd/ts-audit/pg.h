#ifndef TS_PG_H
#define TS_PG_H

#include <libpq-fe.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * One connection to Postgres that only reads, and never waits without a deadline: libpq runs
 * non-blocking, and every wait is a poll(2) that also sees signals and stdout's reader going away.
 */
enum outcome {
	PG_OK,
	PG_REFUSED, /* the server will not do this: the same again would fail the same way */
	PG_LOST,    /* the connection is gone, or the server cannot now */
	PG_CONFIG,  /* it will never let us in like this */
	PG_STOP,    /* a signal told us to stop, or nobody reads what we write */
};

enum {
	PG_CONNECT_MS = 10000,
	PG_STATEMENT_MS = 600000, /* what one query may take, and then the server ends it */
	PG_BUDGET_MS = 60000,     /* how long one trouble may last */
};

struct pg;

/*
 * url is what libpq takes for a database; NULL for libpq's own PG* variables alone. It must outlive
 * the connection. out is the descriptor whose reader is watched.
 */
struct pg *pg_new(const char *url, int out);
void pg_free(struct pg *);

/* Takes one row of a result; begin is called before the first, also when the query is done again. */
struct pg_sink {
	void (*begin)(void *data);
	void (*row)(void *data, const PGresult *, int row);
	void *data;
};

/*
 * Runs one query with text parameters, connecting first where needed, and gives its rows in text
 * form. After PG_LOST it tries again, for PG_BUDGET_MS; then, and after all else, says why on
 * stderr, but for PG_REFUSED and PG_STOP.
 */
enum outcome pg_query(struct pg *, const char *sql, int n, const char *const *values,
	const struct pg_sink *);

/* What went wrong last, in the server's words, on one line. */
const char *pg_why(const struct pg *);

/* Connected to what, for the log; NULL while it is not. */
const PGconn *pg_conn(const struct pg *);

#endif
