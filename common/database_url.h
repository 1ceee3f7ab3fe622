#ifndef TS_DATABASE_URL_H
#define TS_DATABASE_URL_H

#include "command.h"

/*
 * Which database is meant: by -u, if not NULL, or by DATABASE_URL; *url is what libpq takes, a URI,
 * a conninfo string or a name, or NULL for libpq's own PG* variables alone. What libpq cannot read
 * is misuse, and so is a password in an argument. -1 to go on, else the exit status.
 */
int database_url(const struct command *, const char *option, const char **url);

#endif
