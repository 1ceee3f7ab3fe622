/* ts-store -i: the tables as their owner's schema has them. */
#include "table.h"

#include "buffer.h"
#include "log.h"

/* Any number will do that no other program is likely to lock: "tstore" in ASCII. */
static const char begin_sql[] = "BEGIN; SELECT pg_advisory_xact_lock(128040171827813)";

static const char missing_sql[] =
	"SELECT 1 FROM "
	"unnest('{ohlcv_1min,ohlcv_hourly,ohlcv_daily,ohlcv_weekly,ohlcv_monthly}'::text[])"
	" AS name WHERE to_regclass(name) IS NULL";

static const char timescale_sql[] =
	"SELECT quote_ident(n.nspname) || '.create_hypertable'"
	" FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
	" WHERE p.proname = 'create_hypertable' LIMIT 1";

/*
 * How long a chunk is: some gigabytes where thousands of symbols are stored. TimescaleDB's own seven
 * days make 1,192 chunks of 22 years of daily bars.
 */
static const char *const chunk[TF_COUNT] = {
	[TF_1MIN] = "7 days", [TF_HOUR] = "90 days", [TF_DAY] = "1826 days", [TF_WEEK] = "7305 days",
	[TF_MONTH] = "7305 days"};

static enum outcome
make_hypertable(struct session *s, const char *function, enum timeframe tf)
{
	struct table t = {.tf = tf};
	struct buffer b = {0};
	PGresult *res = NULL;
	enum outcome o = table_look(&t, s);

	/* A table that cannot be used is left alone. */
	if (o == PG_OK && t.fault[0] == '\0') {
		const char *const values[3] = {timeframe_table(tf), t.key_name, chunk[tf]};

		buffer_str(&b, "SELECT ");
		buffer_str(&b, function);
		buffer_str(&b,
			/* The primary key is all the index that anybody here reads. */
			"($1::regclass, $2::name, chunk_time_interval => $3::interval,"
			" create_default_indexes => false, if_not_exists => true, migrate_data => true)");
		o = session_query(s, buffer_cstr(&b), 3, values, false, &res);
	}
	PQclear(res);
	buffer_release(&b);
	table_release(&t);
	return o;
}

/* Where nothing is missing, the right to create is not needed. */
static enum outcome
create_tables(struct session *s, const char *schema)
{
	PGresult *res = NULL;
	enum outcome o = session_query(s, missing_sql, 0, NULL, false, &res);
	bool missing = o == PG_OK && PQntuples(res) > 0;

	PQclear(res);
	return missing ? session_exec(s, schema) : o;
}

static enum outcome
create(struct session *s, const char *schema)
{
	PGresult *res = NULL;
	enum outcome o;

	if ((o = session_exec(s, begin_sql)) != PG_OK ||
		(o = create_tables(s, schema)) != PG_OK)
		return o;
	o = session_query(s, timescale_sql, 0, NULL, false, &res);
	if (o == PG_OK && PQntuples(res) > 0) {
		for (int tf = 0; tf < TF_COUNT && o == PG_OK; tf++)
			o = make_hypertable(s, PQgetvalue(res, 0, 0), (enum timeframe)tf);
	}
	PQclear(res);
	return o == PG_OK ? session_exec(s, "COMMIT") : o;
}

enum outcome
table_create_all(struct session *s, const char *schema)
{
	enum outcome o = session_ready(s);

	while (o == PG_OK && (o = create(s, schema)) != PG_OK) {
		session_rollback(s);
		if (o != PG_BUSY && o != PG_LOST) {
			log_error("creating the tables: %s", session_why(s));
			return PG_CONFIG;
		}
		o = session_recover(s);
	}
	if (o == PG_OK)
		session_well(s);
	return o;
}
