#ifndef TS_SESSION_H
#define TS_SESSION_H

#include <libpq-fe.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One connection to Postgres that never waits without a deadline: libpq runs non-blocking, and
 * every wait is a poll(2) of this module. What goes wrong is sorted by what can be done about it.
 */
enum outcome {
	PG_OK,
	PG_DUPLICATE, /* a unique key exists already */
	PG_DATA,      /* it is the data's fault: some row is refused */
	PG_TABLE,     /* it is the table's fault: it cannot be used as it is */
	PG_BUSY,      /* the server cannot now; the connection lives, its transaction does not */
	PG_LOST,      /* the connection is gone */
	PG_CONFIG,    /* it will never let us in like this */
};

enum {
	SESSION_PATIENCE_MS = 75000, /* without a sign of life; statement_timeout comes first */
	SESSION_CONNECT_MS = 10000,
	SESSION_FIRST_MS = 30000,  /* how long the first connection is tried for */
	SESSION_BUDGET_MS = 600000, /* and how long one trouble may last afterwards */
};

struct session;

/* What sessions to one server share, so that its troubles are told once. {0} to begin with. */
struct mood {
	atomic_int troubled; /* how many of them are in trouble */
	_Atomic int64_t broke; /* when a connection was lost last and that was told, 0 for never */
	atomic_bool durability_told; /* what the server does to make a COMMIT last */
};

/*
 * url is what libpq takes for a database: a URI, a conninfo string or a name; NULL for libpq's own
 * PG* variables alone. It and the mood must outlive the session. One that is not needed, because
 * there is another, does not wait for its first connection: it tries once each time it is asked.
 */
struct session *session_new(const char *url, struct mood *, bool extra);
void session_free(struct session *);

/*
 * Sees to it that there is a connection, with patience: PG_OK; PG_CONFIG for a reason that waiting
 * does not mend; PG_LOST when the time for trying is over. Says what it does on stderr, and at the
 * end why.
 */
enum outcome session_ready(struct session *);

/* Whether there ever was a connection. */
bool session_ever(const struct session *);

/* A number that is another one for each connection: what was prepared in an older one is gone. */
unsigned session_number(const struct session *);

/*
 * After PG_BUSY or PG_LOST: says so once, waits a little longer each time, connects again where
 * needed. PG_OK: try again; else as session_ready().
 */
enum outcome session_recover(struct session *);

/* Something was committed: trouble is over, and says so if it had been told. */
void session_well(struct session *);

/*
 * What went wrong last: the SQLSTATE ("" where the server gave none), and the server's words with
 * it, on one line.
 */
const char *session_state(const struct session *);
const char *session_why(const struct session *);

/* For libpq's functions that need no waiting: quoting, the names of database and user. */
PGconn *session_conn(struct session *);

/* Runs commands without parameters and forgets what they answer. */
enum outcome session_exec(struct session *, const char *sql);

/*
 * Runs one query with text parameters; *result, text or binary, is the caller's to clear, and NULL
 * unless PG_OK.
 */
enum outcome session_query(struct session *, const char *sql, int n, const char *const *values,
	bool binary, PGresult **result);

/* Prepares a statement. */
enum outcome session_prepare(struct session *, const char *name, const char *sql, int n,
	const Oid *types);

/*
 * Between session_pipeline() and session_unpipe() libpq's PQsend functions queue requests.
 * session_sync() ends a run of them and sends all; then session_next() gives the result of each in
 * turn. After an error the rest of the run gives the same error, and the pipeline stays usable.
 */
enum outcome session_pipeline(struct session *);
enum outcome session_sync(struct session *);
enum outcome session_next(struct session *, PGresult **result);
enum outcome session_synced(struct session *);
enum outcome session_unpipe(struct session *);

/* Whether a PQsend function worked. */
enum outcome session_sent(struct session *, int ok);

/* COPY ... FROM STDIN: begin, data in any portions, end; *rows are those that were taken. */
enum outcome session_copy(struct session *, const char *sql);
enum outcome session_put(struct session *, const void *, size_t);
enum outcome session_copied(struct session *, uint64_t *rows);

/* After any failure: brings the connection back to where a transaction can begin, or closes it. */
void session_rollback(struct session *);

#endif
