/* The one address that ts-store and ts-audit share. */
#include "database_url.h"

#include "buffer.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* Whether it holds a password; -1 where libpq cannot read it. */
static int
has_password(const char *url)
{
	PQconninfoOption *list;
	char *why = NULL;
	int has = 0;

	/* libpq takes anything else for the name of a database. */
	if (strchr(url, '=') == NULL && strstr(url, "://") == NULL)
		return 0;
	/* Its message is not told: it may quote the password. */
	list = PQconninfoParse(url, &why);
	if (list == NULL && (why == NULL || strncmp(why, "out of memory", 13) == 0))
		memory_out();
	PQfreemem(why);
	if (list == NULL)
		return -1;
	for (PQconninfoOption *o = list; o->keyword != NULL; o++) {
		if ((strcmp(o->keyword, "password") == 0 ||
			    strcmp(o->keyword, "sslpassword") == 0) &&
			o->val != NULL && o->val[0] != '\0')
			has = 1;
	}
	PQconninfoFree(list);
	return has;
}

const char *
database_url(const struct command *c, const char *option)
{
	const char *url = option != NULL ? option : getenv("DATABASE_URL");
	int has;

	if (url == NULL || url[0] == '\0')
		return NULL;
	has = has_password(url);
	if (has < 0)
		command_misuse(c, option != NULL ? "-u" : "DATABASE_URL", "libpq cannot read it");
	if (option != NULL && has > 0)
		command_misuse(c, "-u",
			"everybody can see a password in an argument: put it in DATABASE_URL or "
			"in the file that PGPASSFILE names");
	return url;
}
