#ifndef TS_PG_H
#define TS_PG_H

#include "buffer.h"

#include <libpq-fe.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One connection to Postgres that never waits without a deadline: libpq runs non-blocking, and
 * every wait is a poll(2) of this module. What goes wrong is sorted by what can be done about it.
 *
 * All work is done in transactions, and a connection keeps nothing beyond one, neither settings nor
 * prepared statements: between two of them a pooler may hand it to somebody else.
 */
enum outcome {
	PG_OK,
	PG_DUPLICATE, /* a unique key exists already */
	PG_DATA,      /* it is the data's fault: some row is refused */
	PG_LARGE,     /* it is more than the server does at once: less of it may pass */
	PG_TABLE,     /* it is the table's fault: it cannot be used as it is */
	PG_BUSY,      /* the server cannot now; the connection lives, its transaction does not */
	PG_SLOW,      /* a statement took too long: less at once may do, or more time */
	PG_LOST,      /* the connection is gone */
	PG_CONFIG,    /* it will never let us in like this */
	PG_STOP,      /* a descriptor that ends all waits did so */
};

enum { PG_CONNECT_MS = 10000 };

/* What connections to one server share, so that its troubles are told once. {0} to begin with. */
struct pg_shared {
	atomic_int troubled;   /* how many of them are in trouble */
	_Atomic int64_t broke; /* when a connection was lost last and that was told, 0 for never */
	atomic_bool durability_logged, end_logged;
	/*
	 * Told of each pause in a trouble that lasts for over a second, by the thread that pauses:
	 * why, and until when, clock_mono_ms(). NULL: nobody is.
	 */
	void (*waits)(void *data, const char *why, int64_t until);
	void *data;
};

struct pg_options {
	/* What libpq takes for a database: a URI, a conninfo string, a name; NULL: PG* variables
	 * alone. */
	const char *url;
	const char *program;
	const char *begin;    /* the statement that begins a transaction, and one */
	const char *settings; /* that makes its settings (set_config with is_local) */
	bool writes;	      /* it is to write: a server that is read-only will not do */
	bool extra;	      /* there is another: it does not wait for its first connection */
	int silence_ms;	      /* without a sign of life; the server's own timeouts come first, and
				 where these are raised it is longer, too */
	int first_ms;	      /* how long the first connection is tried for, */
	int budget_ms;	      /* and how long one trouble may last afterwards */
	int stop_fd;	      /* readable: stop; -1 for none */
	int quit_fd;	      /* readable: no trouble is waited out any more; -1 for none */
	int out_fd;	      /* its reader is gone: stop; -1 for none */
	struct pg_shared *shared;
};

struct pg;

/* What is given must outlive the connection. Nothing is connected yet. */
struct pg *pg_new(const struct pg_options *);
void pg_free(struct pg *);

/*
 * Sees to it that there is a connection, with patience: PG_OK; PG_CONFIG for a reason that waiting
 * does not mend; PG_LOST when the time for trying is over; PG_STOP. Says what it does on stderr,
 * and at the end why.
 */
enum outcome pg_ready(struct pg *);

/* Whether there ever was a connection. */
bool pg_ever(const struct pg *);

/* A transaction came to its end: trouble is over, and says so if it had been told. */
void pg_recovered(struct pg *);

/*
 * Does work, which is a transaction of its own or several, with a connection: again after PG_BUSY
 * and PG_LOST for as long as there is patience, and after each failure the connection is brought
 * back. After PG_SLOW statements get twice the time, up to ten minutes; when these do not do either
 * it is PG_LARGE, or PG_TABLE for one who only reads. Gives back how work ended, or as pg_ready().
 */
enum outcome pg_patiently(struct pg *, enum outcome (*work)(struct pg *, void *data), void *data);

/* How long a statement may take now, in milliseconds. Where that was raised: it need not be longer.
 */
int64_t pg_allowed(const struct pg *);
void pg_allow(struct pg *, int64_t ms);

/* What went wrong last, the SQLSTATE and the server's words, on one line. */
const char *pg_why(const struct pg *);

/* For the names of host, database and user; NULL while it is not connected. */
const PGconn *pg_conn(const struct pg *);

/*
 * Values of a statement, of whose parameters the types stand in the statement itself. Binary values
 * make for a binary result.
 */
enum { PG_VALUES = 12 };
struct pg_values {
	bool binary;
	int n;
	const char *value[PG_VALUES];
	int length[PG_VALUES];	 /* of binary ones */
	char room[PG_VALUES][8]; /* of small ones that are kept here: a copy would not have them */
};

/* Takes each row of a result as it comes. */
struct pg_sink {
	void (*row)(void *data, const PGresult *, int row);
	void *data;
};

/* Begins a transaction, with its settings; ends it. */
enum outcome pg_begin(struct pg *);
enum outcome pg_commit(struct pg *);

/* Runs commands without parameters and forgets what they answer. */
enum outcome pg_exec(struct pg *, const char *sql);

/* Runs one query; *result is the caller's to clear, and NULL unless PG_OK. NULL for no values. */
enum outcome pg_query(struct pg *, const char *sql, const struct pg_values *, PGresult **result);

/* The same, row by row, so that the whole result is never in memory. */
enum outcome pg_stream(
	struct pg *, const char *sql, const struct pg_values *, const struct pg_sink *);

/*
 * A pipeline: requests are queued between pg_pipeline(), which begins a transaction (two answers),
 * and pg_unpipe(). pg_send_parse() takes the statement for all pg_send() until the next
 * one. pg_sync() ends a run of requests and sends all; then pg_next() gives the answer to each in
 * turn, and pg_synced() closes the run. After an error the rest of the run gives the same error,
 * and the pipeline stays usable.
 */
enum outcome pg_pipeline(struct pg *);
enum outcome pg_send_parse(struct pg *, const char *sql);
enum outcome pg_send(struct pg *, const struct pg_values *);
enum outcome pg_sync(struct pg *);
enum outcome pg_next(struct pg *, PGresult **result);
enum outcome pg_synced(struct pg *);
enum outcome pg_unpipe(struct pg *);

/* COPY ... FROM STDIN: begin, data in any portions, end; *rows are those that were taken. */
enum outcome pg_copy(struct pg *, const char *sql);
enum outcome pg_put(struct pg *, const void *, size_t);
enum outcome pg_copied(struct pg *, uint64_t *rows);

/* After any failure: brings the connection back to where a transaction can begin, or closes it. */
void pg_rollback(struct pg *);

#endif
