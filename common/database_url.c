/* The one address that ts-store and ts-audit share. */
#include "database_url.h"

#include "buffer.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/*
 * A name that was meant as an address, as "postgres:word@host/db" is: the server would be asked for
 * a database of that name, and its answer repeats it, with the password in it.
 */
static bool
is_address(const char *name)
{
	return name != NULL && strpbrk(name, "@=") != NULL;
}

/* What is wrong with it, or NULL; and whether it holds a password. */
static const char *
examine_url(const char *url, bool *password)
{
	PQconninfoOption *list;
	const char *wrong = NULL;
	char *why = NULL;

	*password = false;
	/* libpq takes anything else for the name of a database. */
	if (strchr(url, '=') == NULL && strstr(url, "://") == NULL)
		return is_address(url) ? "want postgresql://user@host/database" : NULL;
	/* Its message is not told: it may quote the password. */
	list = PQconninfoParse(url, &why);
	if (list == NULL && (why == NULL || strncmp(why, "out of memory", 13) == 0))
		memory_out();
	PQfreemem(why);
	if (list == NULL)
		return "libpq cannot read it";
	for (PQconninfoOption *o = list; o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		if (strcmp(o->keyword, "password") == 0 || strcmp(o->keyword, "sslpassword") == 0)
			*password |= o->val[0] != '\0';
		if (strcmp(o->keyword, "dbname") == 0 && is_address(o->val))
			wrong = "the name of the database in it is an address";
	}
	PQconninfoFree(list);
	return wrong;
}

const char *
database_url(const struct command *c, const char *option)
{
	const char *url = option != NULL ? option : getenv("DATABASE_URL");
	const char *wrong;
	bool password;

	if (is_address(getenv("PGDATABASE")))
		command_misuse(
			c, "PGDATABASE", "an address, where the name of a database is wanted");
	if (url == NULL || url[0] == '\0')
		return NULL;
	wrong = examine_url(url, &password);
	if (wrong != NULL)
		command_misuse(c, option != NULL ? "-u" : "DATABASE_URL", wrong);
	if (option != NULL && password)
		command_misuse(c, "-u",
			"everybody can see a password in an argument: put it in DATABASE_URL or "
			"in the file that PGPASSFILE names");
	return url;
}
