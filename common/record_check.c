/* What a record must have beyond its form: the values of a bar, and what a task asks for. */
#include "record.h"

#include "timestamp.h"

#include <string.h>

/* Bytes of an instant or a date, whatever zeros it has behind its point. */
enum { TIME_BYTES = 40 };

/* Whether a value lies outside of low and high. */
static bool
is_outside(const struct record_values *v, int i)
{
	return number_cmp(&v->price[i], &v->price[1]) > 0 ||
	       number_cmp(&v->price[i], &v->price[2]) < 0;
}

const char *
record_check_values(const struct record *r, struct record_values *v)
{
	static const char *const missing[] = {"open is missing or null", "high is missing or null",
		"low is missing or null", "close is missing or null", "volume is missing or null"};
	static const char *const bad[] = {"open is out of range", "high is out of range",
		"low is out of range", "close is out of range", "volume is out of range"};
	static const char *const sign[] = {"open is not above 0", "high is not above 0",
		"low is not above 0", "close is not above 0", "volume is below 0"};
	const struct slice text[] = {r->open, r->high, r->low, r->close, r->volume};
	bool index = r->symbol.n > 2 && slice_starts(r->symbol, "I:");
	struct number volume = {0};

	for (int i = 0; i < 5; i++) {
		struct number *value = i < 4 ? &v->price[i] : &volume;

		if (i == 4 && text[i].p == NULL && index)
			break;
		if (text[i].p == NULL)
			return missing[i];
		if (number_parse(text[i], value) != 0)
			return bad[i];
		if (number_sign(value) < (i < 4 ? 1 : 0))
			return sign[i];
	}
	v->odd = is_outside(v, 0) || is_outside(v, 3);
	/* What lies between them leaves no question. */
	if (v->odd && number_cmp(&v->price[1], &v->price[2]) < 0)
		return "high is below low";
	v->rounded = volume.end > NUMBER_POINT && number_sign(&volume) != 0;
	v->volume = -1;
	if (text[4].p != NULL && number_to_int(&volume, 0, &v->volume) != 0)
		return bad[4];
	return NULL;
}

bool
record_symbol_ok(struct slice s)
{
	static const char inner[] = ".:/_-";

	if (s.p == NULL || s.n == 0 || s.n > 20)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum =
			(c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (!alnum && (i == 0 || c == '\0' || strchr(inner, c) == NULL))
			return false;
	}
	return true;
}

/* One end of a task's window, as an instant or a date. */
static int
read_time(struct slice s, enum timeframe tf, int64_t *at)
{
	int32_t date;

	if (s.n > TIME_BYTES)
		return -1;
	if (timeframe_intraday(tf))
		return timestamp_parse(s, at);
	if (date_parse(s, &date) != 0)
		return -1;
	*at = date;
	return 0;
}

const char *
record_check_task(const struct record *r, int64_t *from, int64_t *to)
{
	bool intraday = r->tf != TF_NONE && timeframe_intraday(r->tf);

	if (r->fault != NULL)
		return r->fault;
	if (!record_symbol_ok(r->symbol))
		return "the symbol is not one that the API could know";
	if (r->tf == TF_NONE)
		return timeframe_advice(r->timeframe);
	if (read_time(r->from, r->tf, from) != 0)
		return intraday ? "from is not a UTC instant" : "from is not a date";
	if (read_time(r->to, r->tf, to) != 0)
		return intraday ? "to is not a UTC instant" : "to is not a date";
	return *from > *to || (*from == *to && intraday) ? "from is not before to" : NULL;
}
