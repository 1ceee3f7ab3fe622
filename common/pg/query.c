/* Requests and answers: every wait is for the socket, and has an end. */
#include "impl.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { FLUSH_AT = 1 << 17 };

/* The first prefix that fits decides; what fits none is taken for the data's fault. */
static const struct {
	const char *prefix;
	enum outcome outcome;
} outcomes[] = {
	{"23505", PG_DUPLICATE},
	{"25006", PG_LOST},  /* read-only: a new connection may find the server that is not */
	{"57P01", PG_LOST},  /* admin shutdown */
	{"57P02", PG_LOST},  /* crash shutdown */
	{"57P03", PG_LOST},  /* cannot connect now */
	{"57P04", PG_LOST},  /* database dropped */
	{"57P05", PG_LOST},  /* idle session timeout */
	{"25P03", PG_LOST},  /* idle in transaction timeout */
	{"25P04", PG_SLOW},  /* transaction timeout, which ends the connection, too */
	{"08", PG_LOST},     /* connection exception, and protocol violation */
	{"57014", PG_SLOW},  /* statement timeout */
	{"40", PG_BUSY},     /* serialization failure, deadlock */
	{"53400", PG_LARGE}, /* TimescaleDB's limit of decompression */
	{"53", PG_BUSY},     /* disk full, out of memory, too many connections */
	{"55006", PG_BUSY},  /* object in use */
	{"55P03", PG_BUSY},  /* lock timeout */
	{"57", PG_BUSY},     /* operator intervention */
	{"58", PG_BUSY},     /* I/O error */
	{"0A", PG_TABLE},    /* feature not supported: row security, a view */
	{"3F", PG_TABLE},    /* no such schema */
	{"42", PG_TABLE},    /* no such table or column, no permission, wrong type */
	{"55", PG_TABLE},    /* object not in the state needed */
	{"XX", PG_TABLE},    /* internal error, corruption */
};

/* Sorts by PostgreSQL's documentation, appendix A, "Error Codes". */
static enum outcome
outcome_of(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
		if (strncmp(sqlstate, outcomes[i].prefix, strlen(outcomes[i].prefix)) == 0)
			return outcomes[i].outcome;
	}
	return PG_DATA;
}

enum outcome
pg_fail(struct pg *p, enum outcome o, const char *why)
{
	/* Records take nothing but whole characters. */
	struct slice cut = slice_cut(slice_of(why), sizeof p->why - 1);
	size_t n = cut.n;

	for (size_t i = 0; i < n; i++)
		p->why[i] = why[i] == '\n' || why[i] == '\t' ? ' ' : why[i];
	while (n > 0 && p->why[n - 1] == ' ')
		n--;
	p->why[n] = '\0';
	return o;
}

enum outcome
pg_lost(struct pg *p, const char *why)
{
	if (why == NULL)
		why = p->conn == NULL ? "" : PQerrorMessage(p->conn);
	(void)pg_fail(p, PG_LOST, why[0] == '\0' ? "the connection is gone" : why);
	p->busy = false;
	pg_hang_up(p);
	return PG_LOST;
}

/*
 * Whether a failure is about a row: what a trigger raises is, and so is what a policy says of a new
 * one. Messages may be in any language: a trigger's has a context that does not begin with COPY's.
 */
static bool
is_of_row(const PGresult *res)
{
	const char *context = PQresultErrorField(res, PG_DIAG_CONTEXT);
	const char *source = PQresultErrorField(res, PG_DIAG_SOURCE_FUNCTION);

	return (context != NULL && strncmp(context, "COPY ", 5) != 0) ||
	       (source != NULL && strcmp(source, "ExecWithCheckOptions") == 0);
}

/* Sorts a failed result. */
static enum outcome
failed_outcome(struct pg *p, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY), *hint;
	char why[2 * sizeof p->why];
	enum outcome o;

	if (state == NULL || strlen(state) != 5)
		return pg_lost(p, NULL);
	o = outcome_of(state);
	/* One who only reads asks for no less; what writes is a function of the table's. */
	if (!p->o.writes && (o == PG_LARGE || strcmp(state, "25006") == 0))
		o = PG_TABLE;
	if (o == PG_TABLE && is_of_row(res))
		o = PG_DATA;
	/* It says what to do. */
	hint = o == PG_TABLE || o == PG_LARGE ? PQresultErrorField(res, PG_DIAG_MESSAGE_HINT)
					      : NULL;
	(void)snprintf(why, sizeof why, "%s: %s%s%s", state, text == NULL ? "" : text,
		hint == NULL ? "" : ": ", hint == NULL ? "" : hint);
	/* PgBouncer's words. */
	if (o == PG_LOST && strstr(why, "statement pooling mode") != NULL) {
		pg_hang_up(p);
		return pg_fail(p, PG_CONFIG,
			"the pooler is in statement mode, which has no transactions: use "
			"transaction or session mode");
	}
	if (o == PG_LOST)
		return pg_lost(p, why);
	p->busy = o == PG_BUSY || o == PG_SLOW;
	return pg_fail(p, o, why);
}

/*
 * Hands all that is queued to the kernel; reads meanwhile, so that the server never waits for us.
 */
static enum outcome
flush_requests(struct pg *p)
{
	int more;

	while (p->conn != NULL && (more = PQflush(p->conn)) > 0) {
		short events = POLLIN | POLLOUT;
		enum outcome o = pg_wait_answer(p, &events);

		if (o != PG_OK)
			return o;
		if ((events & ~POLLOUT) != 0 && PQconsumeInput(p->conn) == 0)
			return pg_lost(p, NULL);
	}
	return p->conn == NULL ? PG_LOST : more < 0 ? pg_lost(p, NULL) : PG_OK;
}

/* The next result, NULL between the results of two requests. */
static enum outcome
fetch_result(struct pg *p, PGresult **res)
{
	*res = NULL;
	if (p->conn == NULL)
		return PG_LOST;
	while (PQisBusy(p->conn)) {
		short events = POLLIN;
		enum outcome o = pg_wait_answer(p, &events);

		if (o != PG_OK)
			return o;
		if (PQconsumeInput(p->conn) == 0)
			return pg_lost(p, NULL);
	}
	*res = PQgetResult(p->conn);
	return PG_OK;
}

static bool
is_good(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
	       status == PGRES_EMPTY_QUERY || status == PGRES_SINGLE_TUPLE;
}

/* Whether a function of libpq's worked, none of which does without a connection. */
static enum outcome
sent_outcome(struct pg *p, int ok)
{
	return p->conn == NULL ? PG_LOST : ok == 1 ? PG_OK : pg_lost(p, NULL);
}

/* Reads all results of one request: its rows go to the sink, or the last good one to *keep. */
static enum outcome
finish_request(struct pg *p, PGresult **keep, const struct pg_sink *sink)
{
	enum outcome first = PG_OK, o = flush_requests(p);
	PGresult *res;

	while (o == PG_OK && (o = fetch_result(p, &res)) == PG_OK && res != NULL) {
		if (!is_good(res) && first == PG_OK)
			first = failed_outcome(p, res);
		if (sink != NULL && PQresultStatus(res) == PGRES_SINGLE_TUPLE)
			sink->row(sink->data, res, 0);
		if (is_good(res) && keep != NULL) {
			PQclear(*keep);
			*keep = res;
		} else {
			PQclear(res);
		}
		/* failed_outcome() hangs up where it finds the connection dead. */
		if (p->conn == NULL)
			o = first;
	}
	/* Who was too slow may be hung up on, too. */
	if (o == PG_OK || first == PG_SLOW)
		o = first;
	if (o != PG_OK && keep != NULL) {
		PQclear(*keep);
		*keep = NULL;
	}
	return o;
}

enum outcome
pg_exec(struct pg *p, const char *sql)
{
	enum outcome o = sent_outcome(p, PQsendQuery(p->conn, sql));

	return o == PG_OK ? finish_request(p, NULL, NULL) : o;
}

/* Sends a statement, or values to the one that was parsed last. */
static enum outcome
send_values(struct pg *p, const char *sql, const struct pg_values *v)
{
	static const int binary[PG_VALUES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const struct pg_values none;

	if (v == NULL)
		v = &none;
	if (sql == NULL)
		return sent_outcome(p, PQsendQueryPrepared(p->conn, "", v->n, v->value, v->length,
					       v->binary ? binary : NULL, v->binary));
	return sent_outcome(p, PQsendQueryParams(p->conn, sql, v->n, NULL, v->value, v->length,
				       v->binary ? binary : NULL, v->binary));
}

enum outcome
pg_query(struct pg *p, const char *sql, const struct pg_values *v, PGresult **res)
{
	enum outcome o = send_values(p, sql, v);

	*res = NULL;
	return o == PG_OK ? finish_request(p, res, NULL) : o;
}

enum outcome
pg_stream(struct pg *p, const char *sql, const struct pg_values *v, const struct pg_sink *sink)
{
	enum outcome o = send_values(p, sql, v);

	if (o == PG_OK)
		o = sent_outcome(p, PQsetSingleRowMode(p->conn));
	return o == PG_OK ? finish_request(p, NULL, sink) : o;
}

enum outcome
pg_begin(struct pg *p)
{
	char sql[sizeof p->settings];

	(void)snprintf(sql, sizeof sql, "%s; %s", p->o.begin, pg_settings(p));
	return pg_exec(p, sql);
}

enum outcome
pg_commit(struct pg *p)
{
	return pg_exec(p, "COMMIT");
}

enum outcome
pg_pipeline(struct pg *p)
{
	enum outcome o = sent_outcome(p, PQenterPipelineMode(p->conn));

	if (o == PG_OK)
		o = send_values(p, p->o.begin, NULL);
	return o == PG_OK ? send_values(p, pg_settings(p), NULL) : o;
}

enum outcome
pg_send_parse(struct pg *p, const char *sql)
{
	return sent_outcome(p, PQsendPrepare(p->conn, "", sql, 0, NULL));
}

enum outcome
pg_send(struct pg *p, const struct pg_values *v)
{
	return send_values(p, NULL, v);
}

enum outcome
pg_sync(struct pg *p)
{
	enum outcome o = sent_outcome(p, PQpipelineSync(p->conn));

	return o == PG_OK ? flush_requests(p) : o;
}

enum outcome
pg_next(struct pg *p, PGresult **res)
{
	PGresult *end = NULL;
	enum outcome o = fetch_result(p, res), ended;

	if (o != PG_OK)
		return o;
	if (*res == NULL)
		return pg_lost(p, "the server's answers do not match the requests");
	if (!is_good(*res)) {
		/* Requests behind a failed one are not done; the first reason stays. */
		o = PQresultStatus(*res) == PGRES_PIPELINE_ABORTED ? PG_DATA
								   : failed_outcome(p, *res);
		PQclear(*res);
		*res = NULL;
	}
	if (p->conn == NULL)
		return o;
	if ((ended = fetch_result(p, &end)) != PG_OK) {
		PQclear(*res);
		*res = NULL;
		return o == PG_SLOW ? o : ended;
	}
	PQclear(end);
	return o;
}

enum outcome
pg_synced(struct pg *p)
{
	PGresult *res;
	enum outcome o = fetch_result(p, &res);

	if (o == PG_OK && PQresultStatus(res) != PGRES_PIPELINE_SYNC)
		o = pg_lost(p, "the server's answers do not match the requests");
	PQclear(res);
	return o;
}

enum outcome
pg_unpipe(struct pg *p)
{
	return sent_outcome(p, PQexitPipelineMode(p->conn));
}

enum outcome
pg_copy(struct pg *p, const char *sql)
{
	PGresult *res;
	enum outcome o = sent_outcome(p, PQsendQuery(p->conn, sql));

	if (o != PG_OK || (o = flush_requests(p)) != PG_OK || (o = fetch_result(p, &res)) != PG_OK)
		return o;
	if (PQresultStatus(res) != PGRES_COPY_IN)
		o = failed_outcome(p, res);
	PQclear(res);
	return o;
}

enum outcome
pg_put(struct pg *p, const void *bytes, size_t n)
{
	/* libpq makes room in its queue, which is kept from growing without end. */
	enum outcome o = sent_outcome(p, PQputCopyData(p->conn, bytes, (int)n));

	p->unflushed += n;
	if (o != PG_OK || p->unflushed < FLUSH_AT)
		return o;
	p->unflushed = 0;
	return flush_requests(p);
}

enum outcome
pg_copied(struct pg *p, uint64_t *rows)
{
	PGresult *res = NULL;
	enum outcome o = sent_outcome(p, PQputCopyEnd(p->conn, NULL));

	*rows = 0;
	if (o == PG_OK)
		o = finish_request(p, &res, NULL);
	if (o == PG_OK)
		(void)slice_count(slice_of(PQcmdTuples(res)), rows);
	PQclear(res);
	return o;
}

void
pg_rollback(struct pg *p)
{
	PGresult *res;

	if (p->conn == NULL)
		return;
	if (PQtransactionStatus(p->conn) == PQTRANS_ACTIVE &&
		PQputCopyEnd(p->conn, "given up") == -1 && PQstatus(p->conn) == CONNECTION_BAD) {
		pg_hang_up(p);
		return;
	}
	while (flush_requests(p) == PG_OK && fetch_result(p, &res) == PG_OK && res != NULL)
		PQclear(res);
	if (p->conn != NULL && PQpipelineStatus(p->conn) != PQ_PIPELINE_OFF &&
		pg_unpipe(p) != PG_OK)
		pg_hang_up(p);
	if (p->conn != NULL && PQtransactionStatus(p->conn) != PQTRANS_IDLE) {
		char why[sizeof p->why];
		bool busy = p->busy;

		/* What failed is the news, not how it was cleared away. */
		memcpy(why, p->why, sizeof why);
		if (pg_exec(p, "ROLLBACK") != PG_OK)
			pg_hang_up(p);
		memcpy(p->why, why, sizeof why);
		p->busy = busy && p->conn != NULL;
	}
}
