/*
 * A connection with deadlines: how it is made, and patience when it is lost. Nothing here knows
 * about bars. A signal does not end a wait: ts-store runs to the end of its input, and the second
 * signal ends the process by itself.
 */
#include "session_impl.h"

#include "buffer.h"
#include "log.h"
#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session *
session_new(const char *url, struct mood *mood, bool extra)
{
	struct session *s = memory_grow(NULL, 1, sizeof *s);

	memset(s, 0, sizeof *s);
	s->url = url;
	s->mood = mood;
	s->extra = extra;
	s->chance = (uint32_t)clock_mono_ms() * 2654435761u ^ (uint32_t)getpid() ^
		    (uint32_t)((uintptr_t)s >> 4);
	return s;
}

void
session_hang_up(struct session *s)
{
	PQfinish(s->conn);
	s->conn = NULL;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	session_hang_up(s);
	free(s);
}

bool
session_ever(const struct session *s)
{
	return s->ever;
}

unsigned
session_number(const struct session *s)
{
	return s->number;
}

const char *
session_state(const struct session *s)
{
	return s->state;
}

const char *
session_why(const struct session *s)
{
	return s->why;
}

PGconn *
session_conn(struct session *s)
{
	return s->conn;
}

/* Keeps a message as one line. */
void
session_keep_why(struct session *s, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < sizeof s->why; text++)
		s->why[n++] = *text == '\n' || *text == '\t' ? ' ' : *text;
	/* Records take nothing but whole characters. */
	if (*text != '\0') {
		while (n > 0 && ((unsigned char)s->why[n - 1] & 0xc0) == 0x80)
			n--;
		if (n > 0 && ((unsigned char)s->why[n - 1] & 0x80) != 0)
			n--;
	}
	while (n > 0 && s->why[n - 1] == ' ')
		n--;
	s->why[n] = '\0';
}

enum outcome
session_lost(struct session *s, const char *why)
{
	s->state[0] = '\0';
	s->busy = false;
	session_keep_why(s, why);
	session_hang_up(s);
	return PG_LOST;
}

enum outcome
session_lost_by(struct session *s)
{
	const char *why = s->conn == NULL ? "" : PQerrorMessage(s->conn);
	char text[sizeof s->why];

	(void)snprintf(text, sizeof text, "%s", why[0] == '\0' ? "the connection is gone" : why);
	return session_lost(s, text);
}

enum outcome
session_silent(struct session *s)
{
	s->behind = s->backend;
	return session_lost(s, "the server gives no sign of life");
}

/* Waits for the socket; -1 when the time is over. */
int
session_wait(struct session *s, short events, int64_t until)
{
	for (;;) {
		struct pollfd p = {.fd = PQsocket(s->conn), .events = events};
		int64_t left = until - clock_mono_ms();
		int n = poll(&p, 1, left < 0 ? 0 : (int)left);

		if (n > 0)
			return p.revents;
		if ((n < 0 && errno != EINTR) || left <= 0)
			return -1;
	}
}

/* The settings under which all else was written; see the places that rely on them. */
static const char settings[] =
	"SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET datestyle = 'ISO';"
	"SET statement_timeout = '60s'; SET lock_timeout = '30s';"
	"SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = 'warning';"
	/* In COPY no timeout ends a server whose client's machine is gone: only this does. */
	"SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10;"
	"SET tcp_keepalives_count = 3;"
	/*
	 * Reads go by the key's index, whatever the table's statistics said when they were planned,
	 * which may have been when the table was empty.
	 */
	"SET plan_cache_mode = 'force_generic_plan'; SET enable_seqscan = off;"
	"SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
	"SET max_parallel_workers_per_gather = 0; SET jit = off";

static void
ignore_notice(void *data, const PGresult *res)
{
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	(void)data;
	log_debug("Postgres says: %s", text == NULL ? "" : text);
}

/* Whether libpq could not even try: the options contradict it or each other. */
static bool
is_misuse(const char *text)
{
	static const char *const starts[] = {"invalid ", "could not match ",
		"definition of service ", "sslmode value ", "missing "};

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		if (strncmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

/* libpq gives a failed login no SQLSTATE, but verbose messages have it: "FATAL:  28P01: ...". */
static enum outcome
login_failed(struct session *s)
{
	const char *text = PQerrorMessage(s->conn), *at = text;
	enum outcome o = PQconnectionNeedsPassword(s->conn) ? PG_CONFIG : PG_LOST;
	char why[sizeof s->why];
	char state[6] = "";

	while ((at = strstr(at, ":  ")) != NULL) {
		at += 3;
		if (strspn(at, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && at[5] == ':') {
			memcpy(state, at, 5);
			break;
		}
	}
	if (strncmp(state, "28", 2) == 0 || strcmp(state, "3D000") == 0 || is_misuse(text))
		o = PG_CONFIG;
	/* A server under an older name would put where its source failed on a second line. */
	(void)snprintf(why, sizeof why, "%.*s", (int)strcspn(text, "\n"), text);
	(void)session_lost(s, why);
	memcpy(s->state, state, sizeof state);
	return o;
}

/*
 * A verdict promises what survives a crash of the server: without a synchronous commit that would be
 * what the server happens to have written. A standby's share in it (local, remote_*) is left alone.
 */
static enum outcome
make_durable(struct session *s)
{
	PGresult *res;
	enum outcome o = session_query(s,
		"SELECT pg_catalog.set_config('synchronous_commit', 'on', false)"
		" WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"
		" UNION ALL SELECT n || '=off' FROM pg_catalog.unnest('{fsync,full_page_writes}'::text[]) n"
		" WHERE pg_catalog.current_setting(n) = 'off'",
		0, NULL, false, &res);

	if (o != PG_OK)
		return session_lost(s, s->why);
	for (int i = 0; i < PQntuples(res) && !s->mood->durability_told; i++) {
		const char *what = PQgetvalue(res, i, 0);

		if (strcmp(what, "on") == 0)
			log_info("synchronous_commit is off for this role or database: taken as on");
		else
			log_warning("the server runs with %s: a crash of its machine can lose what is stored",
				what);
	}
	s->mood->durability_told = true;
	PQclear(res);
	return PG_OK;
}

static enum outcome
log_in(struct session *s)
{
	int64_t until = clock_mono_ms() + SESSION_CONNECT_MS;
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
		if (session_wait(s, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until) < 0)
			return session_lost(s, "the server does not answer");
		/* This looks a host up, which may block; the second signal ends that, too. */
		next = PQconnectPoll(s->conn);
	}
	if (next == PGRES_POLLING_FAILED)
		return login_failed(s);
	(void)fcntl(PQsocket(s->conn), F_SETFD, FD_CLOEXEC);
	PQsetErrorVerbosity(s->conn, PQERRORS_DEFAULT);
	PQsetNoticeReceiver(s->conn, ignore_notice, NULL);
	if (PQsetnonblocking(s->conn, 1) != 0)
		return session_lost_by(s);
	if (session_exec(s, settings) != PG_OK)
		return session_lost(s, s->why);
	if (make_durable(s) != PG_OK)
		return PG_LOST;
	return backend_identify(s) == PG_OK ? backend_end_behind(s) : PG_LOST;
}

static enum outcome
try_connect(struct session *s)
{
	/* What the URL says comes last and holds. */
	static const char *const keys[] = {"connect_timeout", "keepalives", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"fallback_application_name", "dbname", NULL};
	const char *values[] = {
		"10", "1", "30", "10", "3", "30000", "ts-store", s->url, NULL};

	session_hang_up(s);
	s->conn = PQconnectStartParams(keys, values, 1);
	if (s->conn == NULL)
		return session_lost(s, "out of memory");
	if (PQstatus(s->conn) == CONNECTION_BAD)
		return login_failed(s);
	PQsetErrorVerbosity(s->conn, PQERRORS_VERBOSE);
	return log_in(s);
}

/* 0.1 s after the first failure, then twice as long each time up to 10 s, half of it by chance. */
static void
pause_for_a_while(struct session *s)
{
	int64_t most = s->tries > 6 ? 10000 : 100 << s->tries;
	int64_t until;

	s->chance ^= s->chance << 13;
	s->chance ^= s->chance >> 17;
	s->chance ^= s->chance << 5;
	until = clock_mono_ms() + most / 2 + s->chance % (most / 2 + 1);
	s->tries++;
	for (int64_t now; (now = clock_mono_ms()) < until;)
		(void)poll(NULL, 0, (int)(until - now));
}

/*
 * A connection that rested while another one met the trouble and told of it is found dead when all
 * is over: that is no news. If the server cannot be reached now, it is.
 */
static bool
is_old_news(const struct session *s, bool first)
{
	return first && s->conn == NULL && s->made != 0 && s->made < s->mood->broke;
}

/* Notes a failure and says so the first time; whether there is time for another try. */
static bool
in_trouble(struct session *s)
{
	int64_t now = clock_mono_ms();
	bool first = s->since == 0;

	if (first)
		s->since = now;
	if (now - s->since >= (s->ever ? SESSION_BUDGET_MS : SESSION_FIRST_MS)) {
		log_error("gave up on Postgres after %lld s: %s",
			(long long)(now - s->since) / 1000, s->why);
		return false;
	}
	if (is_old_news(s, first)) {
		log_debug("a connection that rested is gone: %s", s->why);
		return true;
	}
	if (s->conn == NULL)
		s->mood->broke = now;
	if (!s->told && atomic_fetch_add(&s->mood->troubled, 1) == 0)
		log_warning("Postgres: %s: trying again", s->why);
	s->told = true;
	return true;
}

enum outcome
session_ready(struct session *s)
{
	while (s->conn == NULL) {
		enum outcome o = try_connect(s);

		if (o == PG_OK) {
			s->number++;
			s->ever = true;
			s->made = clock_mono_ms();
			break;
		}
		if (o == PG_CONFIG && !s->ever && !s->extra) {
			log_error("Postgres: %s", s->why);
			return PG_CONFIG;
		}
		if (s->extra && !s->ever)
			return PG_LOST;
		if (!in_trouble(s))
			return PG_LOST;
		pause_for_a_while(s);
	}
	return PG_OK;
}

enum outcome
session_recover(struct session *s)
{
	bool again = s->since != 0;

	if (!in_trouble(s))
		return PG_LOST;
	/* A connection that was closed while nobody used it is opened again at once. */
	if (s->busy || again)
		pause_for_a_while(s);
	return session_ready(s);
}

void
session_well(struct session *s)
{
	if (s->told && atomic_fetch_sub(&s->mood->troubled, 1) == 1)
		log_info("Postgres is back after %.1f s",
			(double)(clock_mono_ms() - s->since) / 1000);
	s->told = false;
	s->since = 0;
	s->tries = 0;
}
