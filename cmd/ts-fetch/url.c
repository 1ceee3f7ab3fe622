/*
 * What is asked: the API's address, the path of a series' first page, and the way to the next one,
 * which the API names but which is not trusted.
 */
#include "url.h"

#include "timestamp.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* How long the scheme of a URL is with its "://", in any case; 0 if it is neither http nor https.
 */
static size_t
scheme_length(struct slice s)
{
	if (s.n >= 7 && strncasecmp(s.p, "http://", 7) == 0)
		return 7;
	return s.n >= 8 && strncasecmp(s.p, "https://", 8) == 0 ? 8 : 0;
}

/* Whether a text may stand in a request as it is: no blank, no control character, plain ASCII. */
static bool
url_safe(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"<>\\^`{|}#", s.p[i]) != NULL)
			return false;
	}
	return true;
}

/* Whether what follows the host's name, if there is anything, is a port. */
static bool
port_ok(struct slice host)
{
	uint64_t port = 1;
	size_t at = host.n;

	while (at > 0 && host.p[at - 1] != ':' && host.p[at - 1] != ']')
		at--;
	if (at == 0 || host.p[at - 1] == ']')
		return at == host.n || at == 0;
	return slice_count(slice_after(host, at), &port) == 0 && port >= 1 && port <= 65535;
}

const char *
url_base(struct slice *base)
{
	struct slice rest;
	size_t host;

	if (!url_safe(*base))
		return "it holds a character that a URL cannot have";
	if (scheme_length(*base) == 0)
		return "it is neither http:// nor https://";
	rest = slice_after(*base, scheme_length(*base));
	host = slice_until(rest, "/?");
	if (memchr(rest.p, '@', rest.n) != NULL)
		return "it names a user";
	if (memchr(rest.p, '?', rest.n) != NULL)
		return "it has a query";
	if (host == 0 || rest.p[0] == ':')
		return "it names no host";
	if (!port_ok((struct slice){rest.p, host}))
		return "its port is not a number from 1 to 65535";
	while (base->p[base->n - 1] == '/')
		base->n--;
	return NULL;
}

static void
add_escaped(struct buffer *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool unreserved = (c >= '0' && c <= '9') ||
				  ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
				  (c != 0 && strchr(".:_-", c) != NULL);

		buffer_printf(b, unreserved ? "%c" : "%%%02X", c);
	}
}

void
url_path(struct buffer *b, const struct series *s)
{
	const char *adjusted = s->adjusted ? "true" : "false";
	char from[DATE_SIZE], to[DATE_SIZE];

	if (s->symbol.n == 0) {
		buffer_printf(b, "/v2/aggs/grouped/locale/us/market/stocks/%s?adjusted=%s",
			date_format(from, (int32_t)s->start), adjusted);
		return;
	}
	buffer_str(b, "/v2/aggs/ticker/");
	add_escaped(b, s->symbol);
	buffer_printf(b, "/range/%s/", timeframe_span(s->tf));
	/* The API includes its to; end is where the last bar ends. */
	if (timeframe_intraday(s->tf))
		buffer_printf(b, "%" PRId64 "/%" PRId64, s->start * 1000, s->end * 1000 - 1);
	else
		buffer_printf(b, "%s/%s", date_format(from, (int32_t)s->start),
			date_format(to, (int32_t)s->end));
	buffer_printf(b, "?adjusted=%s&sort=asc&limit=%d", adjusted, URL_LIMIT);
}

/* Whether a text stands for another, percent-encoded. */
static bool
stands_for(struct slice encoded, struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < encoded.n; i++, n++) {
		int c = (unsigned char)encoded.p[i];

		if (c == '%') {
			c = slice_hex(encoded, i + 1);
			i += 2;
		}
		if (n >= text.n || (unsigned char)text.p[n] != c)
			return false;
	}
	return n == text.n;
}

/* Moves *s behind the next part of a path, up to a slash or the query. */
static struct slice
take_part(struct slice *s)
{
	struct slice p = {s->p, slice_until(*s, "/?")};

	*s = slice_after(*s, p.n < s->n && s->p[p.n] == '/' ? p.n + 1 : p.n);
	return p;
}

static bool
is_time(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '-')
			return false;
	}
	return s.n > 0;
}

/*
 * Whether a path without the base's own is that of a page of the series; *query is what follows it.
 */
static bool
same_series(struct slice path, const struct series *s, struct slice *query)
{
	static const char head[] = "/v2/aggs/ticker/";
	const char *span = timeframe_span(s->tf);

	if (!slice_starts(path, head))
		return false;
	path = slice_after(path, sizeof head - 1);
	if (!stands_for(take_part(&path), s->symbol) || !slice_is(take_part(&path), "range") ||
		!slice_starts(path, span))
		return false;
	path = slice_after(path, strlen(span));
	if (take_part(&path).n != 0 || !is_time(take_part(&path)) || !is_time(take_part(&path)))
		return false;
	*query = path;
	return path.n == 0 || path.p[0] == '?';
}

/* Appends the query without a key, should there be one: ours goes into a header, not into logs. */
static void
add_query(struct buffer *b, struct slice query, bool adjusted)
{
	char mark = '?';
	bool said = adjusted;

	while (query.n > 0) {
		struct slice rest = slice_after(query, 1);
		struct slice one = {rest.p, slice_until(rest, "&")};
		static const char key[] = "apikey=";
		size_t i = 0;

		query = slice_after(rest, one.n);
		while (i < one.n && i < sizeof key - 1 && (one.p[i] | 0x20) == (key[i] | 0x20))
			i++;
		if (one.n == 0 || i == sizeof key - 1)
			continue;
		said = said || slice_starts(one, "adjusted=");
		buffer_printf(b, "%c%.*s", mark, SLICE(one));
		mark = '&';
	}
	/* The cursor need not carry it, and true is the API's default. */
	if (!said)
		buffer_printf(b, "%cadjusted=false", mark);
}

/* What a URL has behind its host; all of it where it names none. */
static struct slice
url_rest(struct slice url)
{
	if (scheme_length(url) == 0)
		return url;
	url = slice_after(url, scheme_length(url));
	return slice_after(url, slice_until(url, "/?"));
}

/* Path and query of a URL, without the path that the base has of its own. */
static struct slice
local_path(struct slice url, struct slice base)
{
	struct slice own = url_rest(base);

	url = url_rest(url);
	if (own.n > 0 && url.n > own.n && memcmp(url.p, own.p, own.n) == 0)
		url = slice_after(url, own.n);
	return url;
}

const char *
url_next(struct buffer *b, struct slice next, struct slice base, const struct series *s)
{
	struct slice query = {0};

	if (!url_safe(next))
		return "next_url is not a URL";
	next = local_path(next, base);
	if (!same_series(next, s, &query))
		return "next_url leads to another series";
	buffer_add(b, next.p, next.n - query.n);
	add_query(b, query, s->adjusted);
	return NULL;
}
