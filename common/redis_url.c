/* Redis URLs. What is wrong with one is said without quoting it, for it may hold a password. */
#include "redis_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

enum { DB_MAX = 1 << 20, PORT_MAX = 65535 };

/* A decoded copy; NULL for a bad escape or a NUL, which no part of a URL may hold. */
static char *
decode_text(struct slice s)
{
	char *out = memory_grow(NULL, s.n + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int byte = (unsigned char)s.p[i];

		if (byte == '%') {
			byte = slice_hex(s, i + 1);
			i += 2;
		}
		if (byte <= 0) {
			free(out);
			return NULL;
		}
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return out;
}

static bool
read_number(struct slice s, int max, int *out)
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

	while (at > 0 && rest->p[at - 1] != '@')
		at--;
	if (at == 0)
		return NULL;
	password = (struct slice){rest->p, at - 1};
	*rest = slice_after(*rest, at);
	user = slice_part(&password, ":");
	if (password.n > 0 && (u->password = decode_text(password)) == NULL)
		return "bad percent escape in the password";
	if (user.n > 0 && (u->user = decode_text(user)) == NULL)
		return "bad percent escape in the user";
	return NULL;
}

/* Takes "host[:port]". */
static const char *
take_host(struct slice s, int port, struct redis_url *u)
{
	struct redis_host *h = &u->host[u->hosts];
	size_t end = slice_until(s, ":");

	if (u->hosts == REDIS_SENTINELS)
		return "more than 16 hosts";
	h->port = port;
	if (s.n > 0 && s.p[0] == '[') {
		end = slice_until(s, "]");
		if (end == s.n)
			return "a bracket is missing after the host";
		h->name = decode_text((struct slice){s.p + 1, end++ - 1});
	} else {
		h->name = decode_text((struct slice){s.p, end});
	}
	u->hosts++;
	if (h->name == NULL || h->name[0] == '\0')
		return "the host is missing";
	s = slice_after(s, end);
	if (s.n > 0 && (s.p[0] != ':' || !read_number(slice_after(s, 1), PORT_MAX, &h->port) ||
			       h->port == 0))
		return "bad port";
	return NULL;
}

/* Takes "host[:port][/db]", or of sentinels "host[:port],.../NAME[/db]". */
static const char *
parse_hosts(struct slice rest, bool sentinel, struct redis_url *u)
{
	struct slice hosts = slice_part(&rest, "/"), master;
	const char *why = NULL;

	if (sentinel) {
		master = slice_part(&rest, "/");
		if (master.n == 0 || (u->master = decode_text(master)) == NULL)
			return "the name of the master is missing: want "
			       "redis+sentinel://host:port,host:port/NAME";
	}
	if (rest.n > 0 && !read_number(rest, DB_MAX, &u->db))
		return sentinel ? "bad database number: want "
				  "redis+sentinel://host:port,host:port/NAME/0"
				: "bad database number: want redis://host:port/0";
	while (why == NULL) {
		size_t n = sentinel ? slice_until(hosts, ",") : hosts.n;

		why = take_host(
			(struct slice){hosts.p, n}, sentinel ? REDIS_SENTINEL_PORT : REDIS_PORT, u);
		if (n == hosts.n)
			break;
		hosts = slice_after(hosts, n + 1);
	}
	return why;
}

static const char *
parse_unix(struct slice rest, struct redis_url *u)
{
	size_t query = slice_until(rest, "?");
	struct slice db = slice_after(rest, query);

	if (rest.n == 0 || rest.p[0] != '/')
		return "the path of the socket is missing: want unix:///path";
	u->path = decode_text((struct slice){rest.p, query});
	if (u->path == NULL)
		return "bad percent escape in the path";
	if (strlen(u->path) >= sizeof((struct sockaddr_un *)0)->sun_path)
		return "the path of the socket is too long";
	if (db.n > 0 &&
		(!slice_starts(db, "?db=") || !read_number(slice_after(db, 4), DB_MAX, &u->db)))
		return "bad query: want unix:///path?db=0";
	return NULL;
}

const char *
redis_url_parse(const char *text, struct redis_url *u)
{
	static const struct {
		const char *name;
		bool tls, sentinel;
	} schemes[] = {{"redis://", false, false}, {"rediss://", true, false},
		{"redis+sentinel://", false, true}, {"rediss+sentinel://", true, true},
		{"unix://", false, false}};
	struct slice rest = slice_of(text);
	const char *why;

	*u = (struct redis_url){0};
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t n = strlen(schemes[i].name);

		if (strncasecmp(text, schemes[i].name, n) != 0)
			continue;
		rest = slice_after(rest, n);
		u->tls = schemes[i].tls;
		why = take_user(&rest, slice_until(rest, "/"), u);
		if (why != NULL)
			return why;
		return text[0] == 'u' || text[0] == 'U' ? parse_unix(rest, u)
							: parse_hosts(rest, schemes[i].sentinel, u);
	}
	return "want redis://host:port/db, rediss://..., redis+sentinel://host:port,.../NAME or "
	       "unix:///path";
}

void
redis_url_release(struct redis_url *u)
{
	for (size_t i = 0; i < u->hosts; i++)
		free(u->host[i].name);
	free(u->master);
	free(u->path);
	free(u->user);
	free(u->password);
	*u = (struct redis_url){0};
}

static void
show_hosts(const struct redis_url *u, struct buffer *b)
{
	for (size_t i = 0; i < u->hosts; i++) {
		bool colons = strchr(u->host[i].name, ':') != NULL;

		buffer_printf(b, colons ? "%s[%s]:%d" : "%s%s:%d", i > 0 ? "," : "",
			u->host[i].name, u->host[i].port);
	}
	if (u->master != NULL)
		buffer_printf(b, "/%s", u->master);
	buffer_printf(b, "/%d", u->db);
}

void
redis_url_show(const struct redis_url *u, struct buffer *b)
{
	buffer_printf(b, "%s%s://",
		u->path != NULL ? "unix"
		: u->tls	? "rediss"
				: "redis",
		u->master != NULL ? "+sentinel" : "");
	if (u->user != NULL && u->password != NULL)
		buffer_printf(b, "%s@", u->user);
	if (u->path == NULL) {
		show_hosts(u, b);
		return;
	}
	buffer_str(b, u->path);
	if (u->db != 0)
		buffer_printf(b, "?db=%d", u->db);
}

void
redis_url_choose(const struct command *c, const char *option, struct redis_url *url)
{
	const char *text = option != NULL ? option : getenv("REDIS_URL");
	const char *why;

	if (text == NULL || text[0] == '\0')
		text = "redis://127.0.0.1:6379/0";
	why = redis_url_parse(text, url);
	if (why == NULL && option != NULL && (url->password != NULL || url->user != NULL))
		why = "everybody can see a password in an argument: put it in REDIS_URL";
	if (why == NULL)
		return;
	redis_url_release(url);
	command_misuse(c, option != NULL ? "-u" : "REDIS_URL", why);
}
