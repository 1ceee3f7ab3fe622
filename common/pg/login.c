/* How a connection is made, which failures of that will not pass, and what server it has reached.
 */
#include "impl.h"

#include "log.h"
#include "timestamp.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
ignore_notice(void *data, const PGresult *res)
{
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	(void)data;
	log_debug("Postgres says: %s", text == NULL ? "" : text);
}

/* Whether a login failed for a reason that will not pass. */
static bool
is_final(const char *text)
{
	/* libpq gives no SQLSTATE, but verbose messages have it: "FATAL:  28P01: ...". */
	static const char *const anywhere[] = {":  28",
		":  3D000:", ":  42501:", "statement pooling mode", "server does not support SSL",
		"certificate file", "private key file", ":  55000:", "certificate verify failed",
		"does not match host name"};
	/* It could not even try: the options contradict it or each other. */
	static const char *const starts[] = {"invalid ", "could not match ",
		"definition of service ", "sslmode value ", "missing "};

	for (size_t i = 0; i < sizeof anywhere / sizeof anywhere[0]; i++) {
		if (strstr(text, anywhere[i]) != NULL)
			return true;
	}
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		if (strncmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

static enum outcome
login_failed(struct pg *p)
{
	static const char detail[] = "\nDETAIL:  ";
	const char *text = PQerrorMessage(p->conn), *more = strstr(text, detail);
	bool final = PQconnectionNeedsPassword(p->conn) || is_final(text);
	char why[sizeof p->why];

	/* Other lines say where in the server's source it failed. */
	more = more == NULL ? "" : more + strlen(detail);
	(void)snprintf(why, sizeof why, "%.*s%s%.*s", (int)strcspn(text, "\n"), text,
		more[0] == '\0' ? "" : ": ", (int)strcspn(more, "\n"), more);
	(void)pg_lost(p, why);
	return final ? PG_CONFIG : PG_LOST;
}

/*
 * A verdict promises what survives a crash of the server: that is said where it takes a setting or
 * is not so.
 */
static void
tell_durability(const PGresult *res)
{
	static const char *const names[] = {"fsync", "full_page_writes"};

	if (strcmp(PQgetvalue(res, 0, 3), "off") == 0)
		log_info("synchronous_commit is off for this role or database: taken as on");
	for (int i = 0; i < 2; i++) {
		if (strcmp(PQgetvalue(res, 0, 4 + i), "off") == 0)
			log_warning("the server runs with %s=off: a crash of its machine can lose "
				    "what is stored",
				names[i]);
	}
}

/* Takes what the server says about itself. */
static enum outcome
take_server(struct pg *p, const PGresult *res)
{
	bool direct;

	if (PQntuples(res) != 1)
		return PG_OK;
	/* Behind a pooler the process is one of many, and another's the next moment. */
	direct = strtol(PQgetvalue(res, 0, 0), NULL, 10) == PQbackendPID(p->conn);
	p->backend = (struct backend){0};
	p->limit = strtol(PQgetvalue(res, 0, 6), NULL, 10);
	if (direct) {
		(void)snprintf(p->backend.pid, sizeof p->backend.pid, "%s", PQgetvalue(res, 0, 0));
		(void)snprintf(
			p->backend.started, sizeof p->backend.started, "%s", PQgetvalue(res, 0, 1));
	}
	if (!p->o.writes)
		return PG_OK;
	if (PQgetvalue(res, 0, 2)[0] == 't') {
		/* Another server may take its place in a minute; at the start it is the wrong one.
		 */
		(void)pg_lost(p, "the server is read-only: name the primary, or put "
				 "target_session_attrs=read-write into the URL");
		return p->ever ? PG_LOST : PG_CONFIG;
	}
	if (!atomic_exchange(&p->o.shared->durability_logged, true))
		tell_durability(res);
	return PG_OK;
}

/*
 * Ends the process of the connection that was given up for its silence. Where only the wire between
 * is cut, it still waits for the rest of a transaction, with the rows that it has and their locks,
 * and in COPY no timeout of the server ends that.
 */
static enum outcome
end_behind(struct pg *p)
{
	const struct pg_values v = {.n = 2, .value = {p->behind.pid, p->behind.started}};
	PGresult *res;
	enum outcome o;

	if (p->behind.pid[0] == '\0')
		return PG_OK;
	o = pg_query(p,
		"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
		" WHERE pid = $1::int4 AND backend_start = $2::timestamptz",
		&v, &res);
	if (o == PG_OK && PQntuples(res) > 0)
		log_debug("ended the server process of the silent connection");
	PQclear(res);
	if (o != PG_LOST)
		p->behind = (struct backend){0};
	return o == PG_LOST || o == PG_STOP ? o : PG_OK;
}

/* The first transaction: it proves that there can be some, and asks what server this is. */
static enum outcome
check_server(struct pg *p)
{
	PGresult *res = NULL;
	enum outcome o = pg_begin(p);

	if (o == PG_OK)
		o = pg_query(p,
			"SELECT pg_catalog.pg_backend_pid(), a.backend_start,"
			" pg_catalog.current_setting('transaction_read_only') = 'on', s.reset_val,"
			" pg_catalog.current_setting('fsync'), "
			"pg_catalog.current_setting('full_page_writes'),"
			" (1000 * extract(epoch FROM pg_catalog.current_setting("
			"'statement_timeout')::interval))::int8"
			" FROM pg_catalog.pg_settings s LEFT JOIN pg_catalog.pg_stat_activity a"
			" ON a.pid = pg_catalog.pg_backend_pid() WHERE s.name = "
			"'synchronous_commit'",
			NULL, &res);
	if (o == PG_OK)
		o = pg_commit(p);
	if (o == PG_OK)
		o = take_server(p, res);
	if (o == PG_OK)
		o = end_behind(p);
	PQclear(res);
	if (o == PG_OK || o == PG_CONFIG || o == PG_STOP)
		return o;
	return p->conn == NULL ? PG_LOST : pg_lost(p, p->why);
}

static enum outcome
log_in(struct pg *p)
{
	int64_t until = clock_mono_ms() + PG_CONNECT_MS;
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
		short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		enum outcome o = pg_wait(p, &events, until);

		if (o != PG_OK)
			return o == PG_STOP ? o : pg_lost(p, "the server does not answer");
		/* This looks a host up, which may block; the second signal ends that, too. */
		next = PQconnectPoll(p->conn);
	}
	if (next == PGRES_POLLING_FAILED)
		return login_failed(p);
	(void)fcntl(PQsocket(p->conn), F_SETFD, FD_CLOEXEC);
	PQsetErrorVerbosity(p->conn, PQERRORS_DEFAULT);
	PQsetNoticeReceiver(p->conn, ignore_notice, NULL);
	if (PQsetnonblocking(p->conn, 1) != 0)
		return pg_lost(p, NULL);
	return check_server(p);
}

enum outcome
pg_connect(struct pg *p)
{
	/* What the URL says comes after and holds, but for the encoding. */
	static const char *const keys[] = {"connect_timeout", "keepalives", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"fallback_application_name", "dbname", "client_encoding", NULL};
	const char *values[] = {
		"10", "1", "30", "10", "3", "30000", p->o.program, p->o.url, "UTF8", NULL};
	enum outcome o;

	pg_hang_up(p);
	p->conn = PQconnectStartParams(keys, values, 1);
	if (p->conn == NULL)
		return pg_lost(p, "out of memory");
	if (PQstatus(p->conn) == CONNECTION_BAD)
		return login_failed(p);
	PQsetErrorVerbosity(p->conn, PQERRORS_VERBOSE);
	o = log_in(p);
	if (o != PG_OK)
		return o;
	p->ever = true;
	p->made = clock_mono_ms();
	log_debug("connected host=%s database=%s user=%s", PQhost(p->conn), PQdb(p->conn),
		PQuser(p->conn));
	return o;
}
