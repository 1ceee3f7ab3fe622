/* ts-store -i and -n: the tables as their owner's schema has them, and as they are. */
#include "create.h"

#include "log.h"

#include <stdio.h>

/* Any number will do that no other program is likely to lock: "tstore" in ASCII. */
static const char lock_sql[] = "SELECT pg_advisory_xact_lock(128040171827813)";

static const char missing_sql[] =
	"SELECT 1 FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL";

static const char timescale_sql[] = "SELECT quote_ident(n.nspname) || '.create_hypertable'"
				    " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
				    " WHERE p.proname = 'create_hypertable' LIMIT 1";

static enum outcome
make_hypertable(struct pg *pg, const char *function, enum timeframe tf)
{
	struct pg_table t = {.tf = tf};
	PGresult *res = NULL;
	char chunk[16], sql[400];
	enum outcome o = pg_table_read(&t, pg);
	const struct pg_values v = {.n = 3, .value = {timeframe_table(tf), t.key_name, chunk}};

	/* TimescaleDB's own seven days make 1,192 chunks of 22 years of daily bars. */
	(void)snprintf(chunk, sizeof chunk, "%d days", timeframe_chunk_days(tf));
	/* The primary key is all the index that anybody here reads. */
	(void)snprintf(sql, sizeof sql,
		"SELECT %s($1::text::regclass, $2::name, chunk_time_interval => $3::interval,"
		" create_default_indexes => false, if_not_exists => true, migrate_data => true)",
		function);
	/* A table that cannot be used is left alone. */
	if (o == PG_OK && t.fault[0] == '\0')
		o = pg_query(pg, sql, &v, &res);
	PQclear(res);
	pg_table_release(&t);
	return o;
}

/* Where nothing is missing, the right to create is not needed. */
static enum outcome
create_tables(struct pg *pg, const char *schema)
{
	struct pg_values v = {.n = 1};
	struct buffer names = {0};
	PGresult *res = NULL;
	enum outcome o;
	bool missing;

	for (int tf = 0; tf < TF_COUNT; tf++)
		buffer_printf(&names, "%c%s", tf == 0 ? '{' : ',', timeframe_table(tf));
	buffer_byte(&names, '}');
	v.value[0] = buffer_cstr(&names);
	o = pg_query(pg, missing_sql, &v, &res);
	missing = o == PG_OK && PQntuples(res) > 0;
	buffer_release(&names);
	PQclear(res);
	return missing ? pg_exec(pg, schema) : o;
}

static enum outcome
create_schema(struct pg *pg, void *schema)
{
	PGresult *res = NULL;
	enum outcome o = pg_begin(pg);

	if (o == PG_OK)
		o = pg_exec(pg, lock_sql);
	if (o == PG_OK)
		o = create_tables(pg, *(const char **)schema);
	if (o == PG_OK)
		o = pg_query(pg, timescale_sql, NULL, &res);
	for (int tf = 0; tf < TF_COUNT && o == PG_OK && PQntuples(res) > 0; tf++)
		o = make_hypertable(pg, PQgetvalue(res, 0, 0), (enum timeframe)tf);
	PQclear(res);
	return o == PG_OK ? pg_commit(pg) : o;
}

enum outcome
create_all(struct pg *pg, const char *schema)
{
	enum outcome o = pg_patiently(pg, create_schema, &schema);

	if (o == PG_OK || o == PG_LOST)
		return o;
	log_error("creating the tables: %s", pg_why(pg));
	return PG_CONFIG;
}

static enum outcome
tell_table(struct pg *pg, void *table)
{
	struct pg_table *t = table;
	enum outcome o = pg_begin(pg);

	if (o == PG_OK)
		o = pg_table_read(t, pg);
	if (o == PG_OK)
		o = pg_commit(pg);
	if (o != PG_OK)
		return o;
	if (t->fault[0] != '\0')
		log_warning("%s", t->fault);
	else
		log_info("table %s: %s", timeframe_table(t->tf), t->about);
	return PG_OK;
}

enum outcome
create_tell(struct pg *pg)
{
	enum outcome o = PG_OK;

	for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++) {
		struct pg_table t = {.tf = tf};

		o = pg_patiently(pg, tell_table, &t);
		if (o == PG_TABLE) {
			log_warning("table %s: %s", timeframe_table(t.tf), pg_why(pg));
			o = PG_OK;
		}
		pg_table_release(&t);
	}
	if (o == PG_OK || o == PG_LOST)
		return o;
	log_error("looking at the tables: %s", pg_why(pg));
	return PG_CONFIG;
}
