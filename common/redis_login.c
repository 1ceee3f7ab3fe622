/* The first words with a server or a sentinel. */
#include "redis_private.h"

#include <string.h>

/* Errors that a server gives to whoever it will never let in as they are. */
bool
redis_is_denial(const struct redis_reply *reply)
{
	static const char *const words[] = {"WRONGPASS", "NOAUTH", "NOPERM", "DENIED",
		"ERR invalid password", "ERR AUTH", "ERR Client sent AUTH",
		"ERR wrong number of arguments for 'auth'", "ERR DB index", "ERR invalid DB index",
		"ERR SELECT"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (redis_is_error(reply, words[i]))
			return true;
	}
	return false;
}

/* Whether an error quotes what must not be shown: a server that does not know AUTH quotes what
 * follows it. */
static bool
quotes_secret(const struct redis *r, const char *why)
{
	const char *const secrets[] = {r->url->password, r->url->user};

	for (size_t i = 0; i < 2; i++) {
		if (secrets[i] != NULL && secrets[i][0] != '\0' && strstr(why, secrets[i]) != NULL)
			return true;
	}
	return false;
}

static void
on_login(void *data, const struct redis_reply *reply)
{
	struct redis *r = data;

	r->logins--;
	if (reply == NULL || r->failed)
		return;
	/* Only the right to PING may be missing: nothing that matters depends on it. */
	if (redis_kind(reply) == REDIS_KIND_ERROR &&
		!(r->logins == 0 && redis_is_error(reply, "NOPERM"))) {
		const char *why = redis_text(reply).p;

		r->denied = redis_is_denial(reply);
		redis_fail(r, quotes_secret(r, why) ? "AUTH was refused" : why);
	}
}

/* The server that sentinels have named must say that it is the master. */
static void
on_role(void *data, const struct redis_reply *reply)
{
	struct redis *r = data;
	const struct redis_reply *role = redis_item(reply, 0);

	r->logins--;
	if (role != NULL && !slice_is(redis_text(role), "master"))
		redis_fail(r, "the server that the sentinels name is not the master yet");
}

void
redis_log_in(struct redis *r)
{
	const struct redis_url *u = r->url;
	struct buffer db = {0};
	struct slice auth[3] = {slice_of("AUTH")}, pick[2] = {slice_of("SELECT")};
	struct slice role = slice_of("ROLE"), ping = slice_of("PING");
	int n = 1;

	r->logins = 0;
	if (u->user != NULL)
		auth[n++] = slice_of(u->user);
	if (u->user != NULL || u->password != NULL)
		auth[n++] = slice_of(u->password == NULL ? "" : u->password);
	if (n > 1 && redis_enqueue(r, on_login, r, auth, n) == 0)
		r->logins++;
	buffer_uint(&db, (uint64_t)u->db);
	pick[1] = buffer_slice(&db);
	if (u->db != 0 && redis_enqueue(r, on_login, r, pick, 2) == 0)
		r->logins++;
	if (u->master != NULL && redis_enqueue(r, on_role, r, &role, 1) == 0)
		r->logins++;
	/* An answer of any kind shows that the server is there and will talk to us. */
	if (redis_enqueue(r, on_login, r, &ping, 1) == 0)
		r->logins++;
	buffer_release(&db);
}

static void
on_master(void *data, const struct redis_reply *reply)
{
	struct redis *r = data;
	const struct redis_reply *name = redis_item(reply, 0);
	const struct redis_reply *port = redis_item(reply, 1);
	uint64_t n;

	r->logins--;
	if (reply == NULL)
		return;
	if (redis_kind(reply) == REDIS_KIND_ERROR) {
		redis_fail(r, redis_text(reply).p);
	} else if (name == NULL || port == NULL || slice_count(redis_text(port), &n) != 0 ||
		   n > 65535) {
		redis_fail(r, "it does not know a master of that name");
	} else {
		redis_set_server(r, redis_text(name), (int)n);
		r->found = true;
	}
}

void
redis_ask_master(struct redis *r)
{
	const struct slice words[] = {slice_of("SENTINEL"), slice_of("GET-MASTER-ADDR-BY-NAME"),
		slice_of(r->url->master)};

	r->logins = redis_enqueue(r, on_master, r, words, 3) == 0;
}
