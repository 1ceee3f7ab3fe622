/* The one table that turns Postgres' errors into decisions. */
#include "outcome.h"

#include <string.h>

/* The first prefix that fits decides; what fits none is taken for the data's fault. */
static const struct {
	const char *prefix;
	enum outcome outcome;
} table[] = {
	{"23505", PG_DUPLICATE},
	{"25006", PG_LOST},  /* read-only: a new connection may find the server that is not */
	{"57P01", PG_LOST},  /* admin shutdown */
	{"57P02", PG_LOST},  /* crash shutdown */
	{"57P03", PG_LOST},  /* cannot connect now */
	{"57P04", PG_LOST},  /* database dropped */
	{"57P05", PG_LOST},  /* idle session timeout */
	{"25P03", PG_LOST},  /* idle in transaction timeout */
	{"08", PG_LOST},     /* connection exception, and protocol violation */
	{"40", PG_BUSY},     /* serialization failure, deadlock */
	{"53", PG_BUSY},     /* disk full, out of memory, too many connections */
	{"55006", PG_BUSY},  /* object in use */
	{"55P03", PG_BUSY},  /* lock timeout */
	{"57", PG_BUSY},     /* statement timeout, query canceled */
	{"58", PG_BUSY},     /* I/O error */
	{"0A", PG_TABLE},    /* feature not supported: row security, a view */
	{"3F", PG_TABLE},    /* no such schema */
	{"42", PG_TABLE},    /* no such table or column, no permission, wrong type */
	{"55", PG_TABLE},    /* object not in the state needed */
	{"XX", PG_TABLE},    /* internal error, corruption */
};

enum outcome
outcome_of(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0)
			return table[i].outcome;
	}
	return PG_DATA;
}
