/* Redis URLs. What is wrong with one is said without quoting it, for it may hold a password. */
#include "redis_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { DB_MAX = 1 << 20, PORT_MAX = 65535 };

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A decoded copy; NULL for a bad escape or a NUL, which no part of a URL may hold. */
static char *
decode(struct slice s)
{
	char *out = memory_grow(NULL, s.n + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int high, low;

		out[n] = s.p[i];
		if (s.p[i] == '%') {
			high = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
			low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
			if (high < 0 || low < 0 || high + low == 0) {
				free(out);
				return NULL;
			}
			out[n] = (char)(high * 16 + low);
			i += 2;
		}
		n++;
	}
	out[n] = '\0';
	return out;
}

/* The offset of c in s, or s.n. */
static size_t
find(struct slice s, char c)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

static struct slice
after(struct slice s, size_t n)
{
	return (struct slice){s.p + n, s.n - n};
}

static bool
number(struct slice s, int max, int *out)
{
	uint64_t v;

	if (slice_count(s, &v) != 0 || v > (uint64_t)max)
		return false;
	*out = (int)v;
	return true;
}

/* Takes "[user][:password]@" off the front of *rest, whose authority is n bytes long. */
static const char *
take_user(struct slice *rest, size_t n, struct redis_url *u)
{
	size_t at = n;
	struct slice user, password;
	size_t colon;

	while (at > 0 && rest->p[at - 1] != '@')
		at--;
	if (at == 0)
		return NULL;
	user = (struct slice){rest->p, at - 1};
	*rest = after(*rest, at);
	colon = find(user, ':');
	if (colon < user.n) {
		password = after(user, colon + 1);
		user.n = colon;
		if (password.n > 0 && (u->password = decode(password)) == NULL)
			return "bad percent escape in the password";
	}
	if (user.n > 0 && (u->user = decode(user)) == NULL)
		return "bad percent escape in the user";
	return NULL;
}

static const char *
parse_tcp(struct slice rest, struct redis_url *u)
{
	struct slice host = {rest.p, find(rest, '/')};
	struct slice db = after(rest, host.n);

	if (host.n > 0 && host.p[0] == '[') {
		size_t end = find(host, ']');

		if (end == host.n)
			return "a bracket is missing behind the host";
		u->host = decode((struct slice){host.p + 1, end - 1});
		host = after(host, end + 1);
	} else {
		size_t colon = find(host, ':');

		u->host = decode((struct slice){host.p, colon});
		host = after(host, colon);
	}
	if (u->host == NULL || u->host[0] == '\0')
		return "the host is missing";
	u->port = REDIS_PORT;
	if (host.n > 0 && (host.p[0] != ':' || !number(after(host, 1), PORT_MAX, &u->port) ||
				  u->port == 0))
		return "bad port";
	if (db.n > 1 && !number(after(db, 1), DB_MAX, &u->db))
		return "bad database number: want redis://host:port/0";
	return NULL;
}

static const char *
parse_unix(struct slice rest, struct redis_url *u)
{
	size_t query = find(rest, '?');
	struct slice db = after(rest, query);

	if (rest.n == 0 || rest.p[0] != '/')
		return "the path of the socket is missing: want unix:///path";
	u->path = decode((struct slice){rest.p, query});
	if (u->path == NULL)
		return "bad percent escape in the path";
	if (strlen(u->path) >= sizeof((struct sockaddr_un *)0)->sun_path)
		return "the path of the socket is too long";
	if (db.n > 0 && (db.n < 5 || memcmp(db.p, "?db=", 4) != 0 ||
				!number(after(db, 4), DB_MAX, &u->db)))
		return "bad query: want unix:///path?db=0";
	return NULL;
}

int
redis_url_parse(const char *text, struct redis_url *u, const char **why)
{
	static const char tcp[] = "redis://", local[] = "unix://";
	struct slice rest = slice_of(text);
	bool is_tcp = strncmp(text, tcp, sizeof tcp - 1) == 0;

	*u = (struct redis_url){0};
	if (strncmp(text, "rediss://", 9) == 0) {
		*why = "TLS (rediss://) is not supported: use a tunnel or a unix socket";
		return -1;
	}
	if (!is_tcp && strncmp(text, local, sizeof local - 1) != 0) {
		*why = "want redis://host:port/db or unix:///path";
		return -1;
	}
	rest = after(rest, is_tcp ? sizeof tcp - 1 : sizeof local - 1);
	*why = take_user(&rest, find(rest, '/'), u);
	if (*why == NULL)
		*why = is_tcp ? parse_tcp(rest, u) : parse_unix(rest, u);
	return *why == NULL ? 0 : -1;
}

void
redis_url_release(struct redis_url *u)
{
	free(u->host);
	free(u->path);
	free(u->user);
	free(u->password);
	*u = (struct redis_url){0};
}

void
redis_url_show(const struct redis_url *u, struct buffer *b)
{
	buffer_str(b, u->host != NULL ? "redis://" : "unix://");
	if (u->user != NULL) {
		buffer_str(b, u->user);
		buffer_byte(b, '@');
	}
	if (u->host == NULL) {
		buffer_str(b, u->path);
		if (u->db != 0) {
			buffer_str(b, "?db=");
			buffer_uint(b, (uint64_t)u->db);
		}
		return;
	}
	buffer_str(b, strchr(u->host, ':') != NULL ? "[" : "");
	buffer_str(b, u->host);
	buffer_str(b, strchr(u->host, ':') != NULL ? "]:" : ":");
	buffer_uint(b, (uint64_t)u->port);
	buffer_byte(b, '/');
	buffer_uint(b, (uint64_t)u->db);
}

int
redis_url_choose(const struct command *c, const char *option, struct redis_url *url)
{
	const char *text = option != NULL ? option : getenv("REDIS_URL");
	const char *why;

	if (text == NULL || text[0] == '\0')
		text = "redis://127.0.0.1:6379/0";
	if (redis_url_parse(text, url, &why) != 0)
		return command_misuse(c, option != NULL ? "-u" : "REDIS_URL", why);
	if (option != NULL && url->password != NULL)
		return command_misuse(c, "-u",
			"everybody can see a password in an argument: put it in REDIS_URL");
	return -1;
}
