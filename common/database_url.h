#ifndef TS_DATABASE_URL_H
#define TS_DATABASE_URL_H

#include "command.h"

/*
 * Which database is meant: by -u, if not NULL, or by DATABASE_URL. What libpq takes, a URI, a
 * conninfo string or a name, or NULL for its own PG* variables alone. What it cannot read is
 * misuse, and so are a password in an argument and a name that has an '@' or '=' in it.
 */
const char *database_url(const struct command *, const char *option);

#endif
