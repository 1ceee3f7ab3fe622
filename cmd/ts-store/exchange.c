/* Requests and answers: every wait is for the socket, and has an end. */
#include "session_impl.h"

#include "buffer.h"
#include "outcome.h"
#include "timestamp.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { FLUSH_AT = 1 << 17 };

/* Sorts a failed result. */
static enum outcome
failed(struct session *s, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	char why[2 * sizeof s->why];
	enum outcome o;

	if (state == NULL || strlen(state) != 5)
		return session_lost_by(s);
	o = outcome_of(state);
	(void)snprintf(why, sizeof why, "%s: %s", state, text == NULL ? "" : text);
	if (o == PG_LOST)
		(void)session_lost(s, why);
	s->busy = o == PG_BUSY;
	memcpy(s->state, state, sizeof s->state);
	session_keep_why(s, why);
	return o;
}

/*
 * Hands all that is queued to the kernel; reads meanwhile, so that the server never waits for us.
 */
static enum outcome
flush(struct session *s)
{
	int more;

	if (s->conn == NULL)
		return PG_LOST;
	while ((more = PQflush(s->conn)) > 0) {
		int got = session_wait(s, POLLIN | POLLOUT, clock_mono_ms() + SESSION_PATIENCE_MS);

		if (got < 0)
			return session_silent(s);
		if ((got & ~POLLOUT) != 0 && PQconsumeInput(s->conn) == 0)
			return session_lost_by(s);
	}
	return more < 0 ? session_lost_by(s) : PG_OK;
}

/* The next result, NULL between the results of two requests. */
static enum outcome
fetch(struct session *s, PGresult **res)
{
	*res = NULL;
	if (s->conn == NULL)
		return PG_LOST;
	while (PQisBusy(s->conn)) {
		if (session_wait(s, POLLIN, clock_mono_ms() + SESSION_PATIENCE_MS) < 0)
			return session_silent(s);
		if (PQconsumeInput(s->conn) == 0)
			return session_lost_by(s);
	}
	*res = PQgetResult(s->conn);
	return PG_OK;
}

static bool
good(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
	       status == PGRES_EMPTY_QUERY;
}

enum outcome
session_sent(struct session *s, int ok)
{
	if (s->conn == NULL)
		return PG_LOST;
	return ok == 1 ? PG_OK : session_lost_by(s);
}

/* Reads all results of one request; the last good one goes to *keep, if not NULL. */
static enum outcome
finish(struct session *s, PGresult **keep)
{
	enum outcome first = PG_OK, o = flush(s);
	PGresult *res;

	while (o == PG_OK && (o = fetch(s, &res)) == PG_OK && res != NULL) {
		if (!good(res) && first == PG_OK)
			first = failed(s, res);
		if (good(res) && keep != NULL) {
			PQclear(*keep);
			*keep = res;
		} else {
			PQclear(res);
		}
		/* failed() hangs up where it finds the connection dead. */
		if (s->conn == NULL)
			o = PG_LOST;
	}
	if (o == PG_OK)
		o = first;
	if (o != PG_OK && keep != NULL) {
		PQclear(*keep);
		*keep = NULL;
	}
	return o;
}

enum outcome
session_exec(struct session *s, const char *sql)
{
	if (s->conn == NULL)
		return PG_LOST;
	if (PQsendQuery(s->conn, sql) != 1)
		return session_lost_by(s);
	return finish(s, NULL);
}

enum outcome
session_query(struct session *s, const char *sql, int n, const char *const *values, bool binary,
	PGresult **res)
{
	*res = NULL;
	if (s->conn == NULL)
		return PG_LOST;
	if (PQsendQueryParams(s->conn, sql, n, NULL, values, NULL, NULL, binary) != 1)
		return session_lost_by(s);
	return finish(s, res);
}

enum outcome
session_prepare(struct session *s, const char *name, const char *sql, int n, const Oid *types)
{
	if (s->conn == NULL)
		return PG_LOST;
	if (PQsendPrepare(s->conn, name, sql, n, types) != 1)
		return session_lost_by(s);
	return finish(s, NULL);
}

enum outcome
session_pipeline(struct session *s)
{
	if (s->conn == NULL)
		return PG_LOST;
	return session_sent(s, PQenterPipelineMode(s->conn));
}

enum outcome
session_sync(struct session *s)
{
	if (s->conn == NULL)
		return PG_LOST;
	if (PQpipelineSync(s->conn) != 1)
		return session_lost_by(s);
	return flush(s);
}

enum outcome
session_next(struct session *s, PGresult **res)
{
	PGresult *end = NULL;
	enum outcome o = fetch(s, res);

	if (o != PG_OK)
		return o;
	if (*res == NULL)
		return session_lost(s, "the server's answers do not match the requests");
	if (!good(*res)) {
		/* Requests behind a failed one are not done; the first reason stays. */
		o = PQresultStatus(*res) == PGRES_PIPELINE_ABORTED ? PG_DATA : failed(s, *res);
		PQclear(*res);
		*res = NULL;
	}
	if (s->conn == NULL)
		return PG_LOST;
	if (fetch(s, &end) != PG_OK) {
		PQclear(*res);
		*res = NULL;
		return PG_LOST;
	}
	PQclear(end);
	return o;
}

enum outcome
session_synced(struct session *s)
{
	PGresult *res;
	enum outcome o = fetch(s, &res);

	if (o == PG_OK && PQresultStatus(res) != PGRES_PIPELINE_SYNC)
		o = session_lost(s, "the server's answers do not match the requests");
	PQclear(res);
	return o;
}

enum outcome
session_unpipe(struct session *s)
{
	if (s->conn == NULL)
		return PG_LOST;
	return session_sent(s, PQexitPipelineMode(s->conn));
}

enum outcome
session_copy(struct session *s, const char *sql)
{
	PGresult *res;
	enum outcome o;

	if (s->conn == NULL)
		return PG_LOST;
	if (PQsendQuery(s->conn, sql) != 1)
		return session_lost_by(s);
	if ((o = flush(s)) != PG_OK || (o = fetch(s, &res)) != PG_OK)
		return o;
	if (PQresultStatus(res) != PGRES_COPY_IN)
		o = failed(s, res);
	PQclear(res);
	return o;
}

enum outcome
session_put(struct session *s, const void *p, size_t n)
{
	if (s->conn == NULL)
		return PG_LOST;
	/* libpq makes room in its queue, which is kept from growing without end. */
	if (PQputCopyData(s->conn, p, (int)n) != 1)
		return session_lost_by(s);
	s->unflushed += n;
	if (s->unflushed < FLUSH_AT)
		return PG_OK;
	s->unflushed = 0;
	return flush(s);
}

enum outcome
session_copied(struct session *s, uint64_t *rows)
{
	PGresult *res = NULL;
	enum outcome o;

	if (s->conn == NULL)
		return PG_LOST;
	if (PQputCopyEnd(s->conn, NULL) != 1)
		return session_lost_by(s);
	o = finish(s, &res);
	*rows = 0;
	if (o == PG_OK)
		(void)slice_count(slice_of(PQcmdTuples(res)), rows);
	PQclear(res);
	return o;
}

void
session_rollback(struct session *s)
{
	PGresult *res;

	if (s->conn == NULL)
		return;
	if (PQtransactionStatus(s->conn) == PQTRANS_ACTIVE &&
		PQputCopyEnd(s->conn, "given up") == -1 && PQstatus(s->conn) == CONNECTION_BAD) {
		session_hang_up(s);
		return;
	}
	while (flush(s) == PG_OK && fetch(s, &res) == PG_OK && res != NULL)
		PQclear(res);
	if (s->conn != NULL && PQpipelineStatus(s->conn) != PQ_PIPELINE_OFF &&
		PQexitPipelineMode(s->conn) != 1)
		session_hang_up(s);
	if (s->conn != NULL && PQtransactionStatus(s->conn) != PQTRANS_IDLE) {
		char state[sizeof s->state], why[sizeof s->why];
		bool busy = s->busy;

		/* What failed is the news, not how it was cleared away. */
		memcpy(state, s->state, sizeof state);
		memcpy(why, s->why, sizeof why);
		if (session_exec(s, "ROLLBACK") != PG_OK)
			session_hang_up(s);
		memcpy(s->state, state, sizeof state);
		memcpy(s->why, why, sizeof why);
		s->busy = busy && s->conn != NULL;
	}
}

