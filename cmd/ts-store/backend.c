/*
 * The process of the server at the other end. Where only the wire between is cut, it still waits for
 * the rest of a transaction, with the rows that it has and their locks, and in COPY no timeout of the
 * server ends that: the same rows could not be stored again before it is gone.
 */
#include "session_impl.h"

#include "log.h"

#include <stdio.h>

/* Copies one field of a result's only row. */
static void
keep_field(char *to, size_t size, const PGresult *res, int column)
{
	(void)snprintf(to, size, "%s", PQntuples(res) == 1 ? PQgetvalue(res, 0, column) : "");
}

enum outcome
backend_identify(struct session *s)
{
	PGresult *res;
	enum outcome o = session_query(s,
		"SELECT pid, backend_start FROM pg_catalog.pg_stat_activity"
		" WHERE pid = pg_catalog.pg_backend_pid()",
		0, NULL, false, &res);

	s->backend = (struct backend){0};
	if (o == PG_OK) {
		keep_field(s->backend.pid, sizeof s->backend.pid, res, 0);
		keep_field(s->backend.started, sizeof s->backend.started, res, 1);
	}
	PQclear(res);
	return o == PG_LOST ? o : PG_OK;
}

enum outcome
backend_end_behind(struct session *s)
{
	const char *const values[] = {s->behind.pid, s->behind.started};
	PGresult *res;
	enum outcome o;

	if (s->behind.started[0] == '\0')
		return PG_OK;
	o = session_query(s,
		"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
		" WHERE pid = $1 AND backend_start = $2 AND pid <> pg_catalog.pg_backend_pid()",
		2, values, false, &res);
	if (o == PG_OK && PQntuples(res) > 0)
		log_debug("ended the server's end of the connection that was silent");
	PQclear(res);
	if (o != PG_LOST)
		s->behind = (struct backend){0};
	return o == PG_LOST ? o : PG_OK;
}
