/* The request line of the aggregates endpoint and its cursors. */
#include "query.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nycal.h"

#define PREFIX "/v2/aggs/ticker/"
#define RANGE "/range/1/"
#define GROUPED "/v2/aggs/grouped/locale/us/market/stocks/"

static const char *const names[SPANS] = {"minute", "hour", "day", "week", "month"};
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *
span_name(enum span span)
{
	return names[span];
}

enum span
span_named(const char *s, size_t len)
{
	unsigned i;

	for (i = 0; i < SPANS; i++)
		if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0)
			break;
	return (enum span)i;
}

/* Copy s[0..len) to the string buf. */
static int
copy(char *buf, size_t size, const char *s, size_t len)
{
	if (len >= size)
		return -1;
	memcpy(buf, s, len);
	buf[len] = '\0';
	return 0;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Percent-decode a ticker in place. One that would need escaping in JSON exists nowhere. */
static int
decode_ticker(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++, to++) {
		*to = *s;
		if (*s == '%') {
			if (hex(s[1]) < 0 || hex(s[2]) < 0)
				return -1;
			*to = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
		}
		if (*to <= ' ' || *to > '~' || *to == '"' || *to == '\\')
			return -1;
	}
	*to = '\0';
	return 0;
}

static int
parse_number(const char *s, size_t len, int64_t max, int64_t *n)
{
	size_t i;

	if (len == 0 || len > 17)
		return -1;
	for (i = 0, *n = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -1;
		*n = *n * 10 + (s[i] - '0');
	}
	return *n > max ? -1 : 0;
}

/* Milliseconds or a New York date; end asks for the last millisecond of that day. */
static int
parse_time(const char *s, size_t len, bool end, int64_t *ms)
{
	int32_t day;

	if (ny_parse_date(s, len, &day) == 0) {
		*ms = end ? ny_midnight(day + 1) - 1 : ny_midnight(day);
		return 0;
	}
	return parse_number(s, len, INT64_MAX, ms);
}

static int
decode_base64(const char *s, size_t len, char *buf, size_t size)
{
	const char *digit;
	unsigned acc = 0;
	size_t n = 0, i;
	int bits = 0;

	for (i = 0; i < len && s[i] != '='; i++) {
		if (s[i] == '\0' || (digit = strchr(base64, s[i])) == NULL || n + 1 >= size)
			return -1;
		acc = acc << 6 | (unsigned)(digit - base64);
		if ((bits += 6) >= 8) {
			bits -= 8;
			buf[n++] = (char)(acc >> bits & 255);
		}
	}
	buf[n] = '\0';
	return 0;
}

static void
encode_base64(const char *s, char *buf)
{
	unsigned acc = 0;
	int bits = 0;

	for (; *s != '\0'; s++) {
		acc = acc << 8 | (unsigned char)*s;
		for (bits += 8; bits >= 6; bits -= 6)
			*buf++ = base64[acc >> (bits - 6) & 63];
	}
	if (bits > 0)
		*buf++ = base64[acc << (6 - bits) & 63];
	*buf = '\0';
}

static enum query_error parse_parameters(const char *, long, struct query *);

static enum query_error
parse_parameter(const char *name, size_t name_len, const char *s, size_t len, long max_limit,
	struct query *q)
{
	char buf[128], key[16];
	int64_t n;

	if (copy(key, sizeof key, name, name_len) != 0)
		return QUERY_OK;
	if (strcmp(key, "adjusted") == 0) {
		if ((len != 4 || memcmp(s, "true", 4) != 0) &&
			(len != 5 || memcmp(s, "false", 5) != 0))
			return QUERY_PARAMETER;
		q->adjusted = len == 4;
	} else if (strcmp(key, "sort") == 0) {
		return len == 3 && memcmp(s, "asc", 3) == 0 ? QUERY_OK : QUERY_PARAMETER;
	} else if (strcmp(key, "limit") == 0) {
		if (parse_number(s, len, INT32_MAX, &n) != 0 || n < 1)
			return QUERY_PARAMETER;
		q->limit = n > max_limit ? max_limit : (long)n;
	} else if (strcmp(key, "n") == 0 && parse_number(s, len, INT32_MAX, &n) == 0) {
		q->turn = (unsigned long)n;
	} else if (strcmp(key, "skip") == 0) {
		q->skipped = true;
	} else if (strcmp(key, "cursor") == 0) {
		if (q->paged || decode_base64(s, len, buf, sizeof buf) != 0)
			return QUERY_PARAMETER;
		q->paged = true;
		return parse_parameters(buf, max_limit, q);
	}
	return QUERY_OK;
}

static enum query_error
parse_parameters(const char *s, long max_limit, struct query *q)
{
	enum query_error err = QUERY_OK;
	size_t len, name;

	for (; *s != '\0' && err == QUERY_OK; s += len + (s[len] == '&')) {
		len = strcspn(s, "&");
		name = strcspn(s, "=&");
		if (name < len)
			err = parse_parameter(s, name, s + name + 1, len - name - 1, max_limit, q);
	}
	return err;
}

/* The day of the whole market. */
static enum query_error
parse_grouped(const char *s, long max_limit, struct query *q)
{
	size_t n = strcspn(s, "?");
	int32_t day;

	if (ny_parse_date(s, n, &day) != 0)
		return QUERY_FROM;
	q->grouped = true;
	q->span = SPAN_DAY;
	snprintf(q->ticker, sizeof q->ticker, "GROUPED");
	q->from = q->to = ny_midnight(day);
	return s[n] == '?' ? parse_parameters(s + n + 1, max_limit, q) : QUERY_OK;
}

enum query_error
query_parse(const char *uri, long max_limit, struct query *q)
{
	const char *s = uri + strlen(PREFIX), *from, *to;
	size_t n, from_len;

	memset(q, 0, sizeof *q);
	q->adjusted = true;
	q->limit = max_limit < 5000 ? max_limit : 5000;
	if (strncmp(uri, GROUPED, strlen(GROUPED)) == 0)
		return parse_grouped(uri + strlen(GROUPED), max_limit, q);
	if (strncmp(uri, PREFIX, strlen(PREFIX)) != 0)
		return QUERY_NOT_FOUND;
	n = strcspn(s, "/?");
	if (n == 0 || copy(q->ticker_raw, sizeof q->ticker_raw, s, n) != 0 ||
		copy(q->ticker, sizeof q->ticker, s, n) != 0 || decode_ticker(q->ticker) != 0 ||
		strncmp(s += n, RANGE, strlen(RANGE)) != 0)
		return QUERY_NOT_FOUND;
	s += strlen(RANGE);
	n = strcspn(s, "/?");
	if ((q->span = span_named(s, n)) == SPANS || s[n] != '/')
		return QUERY_NOT_FOUND;
	from = s + n + 1;
	from_len = strcspn(from, "/?");
	if (from[from_len] != '/')
		return QUERY_NOT_FOUND;
	to = from + from_len + 1;
	n = strcspn(to, "?");
	if (parse_time(from, from_len, false, &q->from) != 0)
		return QUERY_FROM;
	if (copy(q->to_raw, sizeof q->to_raw, to, n) != 0 || parse_time(to, n, true, &q->to) != 0)
		return QUERY_TO;
	if (q->to < q->from)
		return QUERY_ORDER;
	return to[n] == '?' ? parse_parameters(to + n + 1, max_limit, q) : QUERY_OK;
}

void
query_next(const struct query *q, int64_t from, char *buf, size_t size)
{
	char plain[96], cursor[160], turn[32] = "";

	if (q->turn > 0)
		snprintf(turn, sizeof turn, "&n=%lu", q->turn);
	snprintf(plain, sizeof plain, "limit=%ld&sort=asc%s%s%s", q->limit,
		q->adjusted ? "" : "&adjusted=false", q->skipped ? "&skip=1" : "", turn);
	encode_base64(plain, cursor);
	snprintf(buf, size, PREFIX "%s" RANGE "%s/%lld/%s?cursor=%s", q->ticker_raw, names[q->span],
		(long long)from, q->to_raw, cursor);
}
