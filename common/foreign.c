/* ticker for symbol, Open for open, seconds for times, pages for lines. */
#include "foreign.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char page_hint[] =
	"a page of the API becomes bars through jq -c '.ticker as $s | .results[] | {symbol: $s, "
	"timeframe: \"day\", date: (.t / 1000 | strftime(\"%Y-%m-%d\")), open: .o, high: .h, low: "
	".l, "
	"close: .c, volume: .v}'; see ts-cookbook(7)";
static const char names_hint[] =
	"jq -c '{symbol: .ticker, timeframe: \"day\", date, open, high, low, close, volume}' gives "
	"members the names that they have in ts-records(5)";
static const char epoch_hint[] = "seconds since 1970 become a time through jq -c '.timestamp |= "
				 "todate', milliseconds through "
				 "jq -c '.timestamp |= (. / 1000 | todate)'";

/* What people's files call the members of a bar, beside the same name in other letters. */
static const struct {
	const char *member;
	const char *names[4];
} other_names[] = {
	{"symbol", {"ticker", "sym", "T", "S"}},
	{"timestamp", {"t", "time", "datetime"}},
	{"open", {"o"}},
	{"high", {"h"}},
	{"low", {"l"}},
	{"close", {"c"}},
	{"volume", {"v", "vol"}},
};

static bool
is_other_name(const char *member, struct slice key)
{
	if (key.n == strlen(member) && strncasecmp(key.p, member, key.n) == 0)
		return true;
	for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++) {
		for (int k = 0; strcmp(other_names[i].member, member) == 0 && k < 4; k++) {
			if (other_names[i].names[k] != NULL &&
				slice_is(key, other_names[i].names[k]))
				return true;
		}
	}
	return false;
}

/* The key of what is meant as this member, by its own name or another; or absent. */
static struct slice
meant_as(const struct json *j, const char *member)
{
	for (json_at at = json_first(j, 0); at >= 0; at = json_next(j, at)) {
		if (is_other_name(member, json_raw(j, at)))
			return json_raw(j, at);
	}
	return (struct slice){0};
}

bool
foreign_bar(struct json *j)
{
	static const char *const prices[] = {"open", "high", "low", "close"};
	int found = 0;

	if (json_type(j, json_find(j, 0, "results")) == JSON_ARRAY)
		return json_find(j, 0, "ticker") >= 0 || json_find(j, 0, "resultsCount") >= 0;
	for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++)
		found += meant_as(j, prices[i]).p != NULL;
	return found >= 2;
}

/* Whether the member stands there under another name, which is told. */
static bool
is_misspelt(struct json *j, const char *member, char *why, size_t size)
{
	struct slice name;

	if (json_find(j, 0, member) >= 0)
		return false;
	name = slice_cut(meant_as(j, member), 40);
	if (name.n == 0)
		return false;
	(void)snprintf(
		why, size, "%s is missing: it is called \"%.*s\"", member, (int)name.n, name.p);
	return true;
}

const char *
foreign_fault(struct json *j, char *why, size_t size)
{
	static const char *const wanted[] = {"symbol", "timeframe", "open", "high", "low", "close",
		"volume", "date", "timestamp"};
	/* One of the last two is enough. */
	size_t n = sizeof wanted / sizeof wanted[0];

	if (json_find(j, 0, "timestamp") >= 0 || json_find(j, 0, "date") >= 0)
		n -= 2;
	if (json_type(j, json_find(j, 0, "results")) == JSON_ARRAY) {
		(void)snprintf(why, size, "a page of the API is not a bar");
		return page_hint;
	}
	if (json_type(j, json_find(j, 0, "timestamp")) == JSON_NUMBER) {
		(void)snprintf(why, size, "timestamp is a number");
		return epoch_hint;
	}
	for (size_t i = 0; i < n; i++) {
		if (is_misspelt(j, wanted[i], why, size))
			return names_hint;
	}
	return NULL;
}

/* How many bytes of a value that other programs write and JSON has not stand there: 0 for none. */
static size_t
not_finite(struct slice line, size_t at)
{
	static const char *const words[] = {
		"NaN", "nan", "-NaN", "Infinity", "-Infinity", "inf", "-inf"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (slice_starts(slice_after(line, at), words[i]))
			return strlen(words[i]);
	}
	return 0;
}

bool
foreign_nan(struct slice line, struct buffer *out)
{
	bool string = false, found = false;

	out->len = 0;
	for (size_t i = 0; i < line.n;) {
		size_t n = string ? 0 : not_finite(line, i);

		if (n > 0) {
			buffer_str(out, "null");
			found = true;
			i += n;
			continue;
		}
		if (line.p[i] == '"')
			string = !string;
		if (string && line.p[i] == '\\' && i + 1 < line.n)
			buffer_byte(out, line.p[i++]);
		buffer_byte(out, line.p[i++]);
	}
	return found;
}

const char *
foreign_hint(struct slice line)
{
	if (slice_starts(line, "\xef\xbb\xbf"))
		return "a byte order mark is taken away by sed '1s/^\\xef\\xbb\\xbf//'";
	line = slice_trim(line);
	if (line.n == 0)
		return NULL;
	if (line.p[0] == '[' && line.n > 1)
		return "an array becomes lines through jq -c '.[]'";
	if (line.p[0] != '{' && memchr(line.p, ',', line.n) != NULL &&
		memchr(line.p, ':', line.n) == NULL)
		return "CSV becomes bars through mlr: see ts-cookbook(7)";
	if (strchr("{}[]\"", line.p[0]) != NULL)
		return "JSON typed over several lines goes through jq -c .";
	return NULL;
}
