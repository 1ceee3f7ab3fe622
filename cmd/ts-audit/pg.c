/* A connection with deadlines, and patience when it is lost. Nothing here knows about bars. */
#include "pg.h"

#include "buffer.h"
#include "log.h"
#include "signals.h"
#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pg {
	const char *url;
	PGconn *conn;
	int out;
	uint32_t chance;
	char why[500];
};

struct pg *
pg_new(const char *url, int out)
{
	struct pg *p = memory_grow(NULL, 1, sizeof *p);

	*p = (struct pg){.url = url, .out = out,
		.chance = ((uint32_t)clock_mono_ms() * 2654435761u ^ (uint32_t)getpid()) | 1};
	return p;
}

static void
hang_up(struct pg *p)
{
	PQfinish(p->conn);
	p->conn = NULL;
}

void
pg_free(struct pg *p)
{
	if (p == NULL)
		return;
	hang_up(p);
	free(p);
}

const char *
pg_why(const struct pg *p)
{
	return p->why;
}

const PGconn *
pg_conn(const struct pg *p)
{
	return p->conn;
}

/* Keeps a message as one line. */
static enum outcome
fail(struct pg *p, enum outcome o, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < sizeof p->why; text++)
		p->why[n++] = *text == '\n' || *text == '\t' ? ' ' : *text;
	while (n > 0 && p->why[n - 1] == ' ')
		n--;
	p->why[n] = '\0';
	return o;
}

static enum outcome
lost(struct pg *p)
{
	const char *why = PQerrorMessage(p->conn);

	return fail(p, PG_LOST, why[0] == '\0' ? "the connection is gone" : why);
}

/* Waits for the socket, if it is not -1, until the time is over. */
static enum outcome
wait_for(struct pg *p, int fd, short events, int64_t until)
{
	for (;;) {
		struct pollfd fds[3] = {{.fd = fd, .events = events},
			{.fd = signals_fd(), .events = POLLIN}, {.fd = p->out}};
		int64_t left = until - clock_mono_ms();
		int n = poll(fds, 3, left < 0 ? 0 : (int)left);

		if (n > 0 && (fds[1].revents != 0 || (fds[2].revents & POLLERR) != 0))
			return fail(p, PG_STOP, "told to stop");
		if (n > 0)
			return PG_OK;
		if ((n < 0 && errno != EINTR) || left <= 0)
			return fail(p, PG_LOST, "the server does not answer");
	}
}

static void
ignore_notice(void *data, const PGresult *res)
{
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	(void)data;
	log_debug("Postgres says: %s", text == NULL ? "" : text);
}

/* libpq gives a failed login no SQLSTATE, but verbose messages have it: "FATAL:  28P01: ...". */
static enum outcome
login_failed(struct pg *p)
{
	static const char *const never[] = {":  28", ":  3D000", "invalid ", "could not match ",
		"definition of service ", "sslmode value ", "missing "};
	const char *text = PQerrorMessage(p->conn);
	enum outcome o = PQconnectionNeedsPassword(p->conn) ? PG_CONFIG : PG_LOST;
	char first[sizeof p->why];

	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
		const char *at = strstr(text, never[i]);

		if (at != NULL && (never[i][0] == ':' || at == text))
			o = PG_CONFIG;
	}
	/* A server under an older name would put where its source failed on a second line. */
	(void)snprintf(first, sizeof first, "%.*s", (int)strcspn(text, "\n"), text);
	return fail(p, o, first);
}

static enum outcome
log_in(struct pg *p)
{
	int64_t until = clock_mono_ms() + PG_CONNECT_MS;
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
		enum outcome o = wait_for(p, PQsocket(p->conn),
			next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until);

		if (o != PG_OK)
			return o;
		/* This looks a host up, which may block; the second signal ends that, too. */
		next = PQconnectPoll(p->conn);
	}
	if (next == PGRES_POLLING_FAILED)
		return login_failed(p);
	(void)fcntl(PQsocket(p->conn), F_SETFD, FD_CLOEXEC);
	PQsetErrorVerbosity(p->conn, PQERRORS_DEFAULT);
	PQsetNoticeReceiver(p->conn, ignore_notice, NULL);
	return PQsetnonblocking(p->conn, 1) == 0 ? PG_OK : lost(p);
}

static enum outcome
dial(struct pg *p)
{
	/* What the URL says comes last and holds. */
	static const char *const keys[] = {"connect_timeout", "keepalives", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"fallback_application_name", "dbname", NULL};
	const char *values[] = {"10", "1", "30", "10", "3", "30000", "ts-audit", p->url, NULL};

	hang_up(p);
	p->conn = PQconnectStartParams(keys, values, 1);
	if (p->conn == NULL)
		return fail(p, PG_LOST, "out of memory");
	if (PQstatus(p->conn) == CONNECTION_BAD)
		return login_failed(p);
	PQsetErrorVerbosity(p->conn, PQERRORS_VERBOSE);
	return log_in(p);
}

/* Sorts a failed result by what can be done about it. */
static enum outcome
refused(struct pg *p, const PGresult *res)
{
	/* Admin shutdown, crash, statement timeout; connection; deadlock; resources; I/O. */
	static const char *const passing[] = {"57", "08", "40", "53", "55P03", "58"};
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	char why[sizeof p->why];

	if (state == NULL)
		return lost(p);
	(void)snprintf(why, sizeof why, "%s: %s", state, text == NULL ? "" : text);
	for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
		if (strncmp(state, passing[i], strlen(passing[i])) == 0)
			return fail(p, PG_LOST, why);
	}
	return fail(p, PG_REFUSED, why);
}

static enum outcome
flush(struct pg *p, int64_t until)
{
	int more;

	while ((more = PQflush(p->conn)) > 0) {
		enum outcome o = wait_for(p, PQsocket(p->conn), POLLIN | POLLOUT, until);

		if (o != PG_OK)
			return o;
		if (PQconsumeInput(p->conn) == 0)
			return lost(p);
	}
	return more < 0 ? lost(p) : PG_OK;
}

/* The next result of a request, NULL at its end. */
static enum outcome
fetch(struct pg *p, PGresult **res, int64_t until)
{
	*res = NULL;
	while (PQisBusy(p->conn)) {
		enum outcome o = wait_for(p, PQsocket(p->conn), POLLIN, until);

		if (o != PG_OK)
			return o;
		if (PQconsumeInput(p->conn) == 0)
			return lost(p);
	}
	*res = PQgetResult(p->conn);
	return PG_OK;
}

/* One request on a connection that works; any failure but PG_REFUSED leaves it useless. */
static enum outcome
ask(struct pg *p, const char *sql, int n, const char *const *values, const struct pg_sink *sink)
{
	int64_t until = clock_mono_ms() + PG_STATEMENT_MS + 5000;
	enum outcome o, first = PG_OK;
	PGresult *res;
	/* Several commands in one go are the simple protocol's. */
	int sent = n == 0 && sink == NULL
		? PQsendQuery(p->conn, sql)
		: PQsendQueryParams(p->conn, sql, n, NULL, values, NULL, NULL, 0);

	/* Row by row, so that the whole result is never in memory. */
	if (sent != 1 || (sink != NULL && PQsetSingleRowMode(p->conn) != 1))
		return lost(p);
	if (sink != NULL)
		sink->begin(sink->data);
	if ((o = flush(p, until)) != PG_OK)
		return o;
	while ((o = fetch(p, &res, until)) == PG_OK && res != NULL) {
		ExecStatusType status = PQresultStatus(res);

		if (status == PGRES_SINGLE_TUPLE && sink != NULL)
			sink->row(sink->data, res, 0);
		else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && first == PG_OK)
			first = refused(p, res);
		PQclear(res);
	}
	return o == PG_OK ? first : o;
}

/* The settings under which all else was written. */
static enum outcome
settle(struct pg *p)
{
	char sql[400];
	enum outcome o;

	(void)snprintf(sql, sizeof sql,
		"SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET datestyle = 'ISO'; "
		"SET default_transaction_read_only = on; SET statement_timeout = %d; "
		"SET lock_timeout = '30s'; SET client_min_messages = 'warning'; "
		/*
		 * Few groups of very many rows: hashed, not sorted (which the planner, who cannot
		 * know how few, would do on disk), and not compiled.
		 */
		"SET enable_sort = off; SET jit = off; SET work_mem = '64MB'",
		PG_STATEMENT_MS);
	o = ask(p, sql, 0, NULL, NULL);
	if (o == PG_OK)
		log_debug("connected host=%s database=%s user=%s", PQhost(p->conn), PQdb(p->conn),
			PQuser(p->conn));
	return o == PG_REFUSED ? PG_CONFIG : o;
}

static enum outcome
try_query(struct pg *p, const char *sql, int n, const char *const *values, const struct pg_sink *sink)
{
	enum outcome o = PG_OK;

	if (p->conn == NULL && (o = dial(p)) == PG_OK)
		o = settle(p);
	if (o == PG_OK)
		o = ask(p, sql, n, values, sink);
	if (o == PG_STOP && p->conn != NULL) {
		PGcancel *cancel = PQgetCancel(p->conn);
		char text[256];

		/* The server would go on for nobody. */
		if (cancel != NULL)
			(void)PQcancel(cancel, text, sizeof text);
		PQfreeCancel(cancel);
	}
	if (o != PG_OK && o != PG_REFUSED)
		hang_up(p);
	return o;
}

enum outcome
pg_query(struct pg *p, const char *sql, int n, const char *const *values, const struct pg_sink *sink)
{
	int64_t start = clock_mono_ms(), most = 100;
	bool told = false;
	enum outcome o;

	while ((o = try_query(p, sql, n, values, sink)) == PG_LOST &&
		clock_mono_ms() - start < PG_BUDGET_MS) {
		if (!told)
			log_warning("Postgres: %s: trying again", p->why);
		told = true;
		p->chance = p->chance * 1664525u + 1013904223u;
		/* Nothing but time, a signal or the reader's going away ends this wait. */
		if (wait_for(p, -1, 0, clock_mono_ms() + most / 2 + (p->chance >> 8) % (most / 2)) ==
			PG_STOP)
			return PG_STOP;
		most = most < 5000 ? most * 2 : most;
	}
	if (o == PG_LOST)
		log_error("gave up on Postgres after %lld s: %s",
			(long long)(clock_mono_ms() - start) / 1000, p->why);
	else if (o == PG_CONFIG)
		log_error("Postgres: %s", p->why);
	return o;
}
