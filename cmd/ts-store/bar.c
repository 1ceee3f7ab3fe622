/* A bar's record made into what the database holds, and back. */
#include "bar.h"

#include <string.h>

enum { SECOND = 1000000 };

const char *
bar_symbol_fault(struct slice s)
{
	if (s.p == NULL || s.n == 0)
		return "symbol is empty";
	if (s.n > 64)
		return "symbol is longer than 64 bytes";
	if (s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return "symbol has a blank at its start or end";
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return "symbol has a control character";
	}
	return NULL;
}

/* Reads two digits; above 99 if they are none. */
static int
two_digits(const char *p)
{
	unsigned tens = (unsigned)(p[0] - '0'), ones = (unsigned)(p[1] - '0');

	return tens > 9 || ones > 9 ? 100 : (int)(tens * 10 + ones);
}

/* An instant on the day read last, in the form that the stages write. False: any other. */
static bool
read_same_day(const struct bar *b, struct slice s, int64_t *seconds)
{
	int hour, minute, second;

	if (s.n != TIMESTAMP_SIZE - 1 || memcmp(s.p, b->day_text, sizeof b->day_text) != 0 ||
		s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' || s.p[19] != 'Z')
		return false;
	hour = two_digits(s.p + 11);
	minute = two_digits(s.p + 14);
	second = two_digits(s.p + 17);
	*seconds = (int64_t)b->day * 86400 + hour * 3600 + minute * 60 + second;
	return hour < 24 && minute < 60 && second < 60;
}

static int
read_instant(struct bar *b, struct slice s, int64_t *seconds)
{
	if (read_same_day(b, s, seconds))
		return 0;
	if (timestamp_parse(s, seconds) != 0)
		return -1;
	if (date_parse((struct slice){s.p, sizeof b->day_text}, &b->day) == 0)
		memcpy(b->day_text, s.p, sizeof b->day_text);
	return 0;
}

static const char *
read_key(const struct record *r, struct bar *b)
{
	int64_t seconds;
	int32_t date;

	if (timeframe_intraday(r->tf)) {
		if (r->timestamp.p == NULL)
			return "timestamp is missing";
		if (read_instant(b, r->timestamp, &seconds) != 0)
			return "timestamp is not an instant such as 2025-12-22T14:30:00Z";
		b->key = seconds * SECOND;
		if (seconds % timeframe_seconds(r->tf) == 0)
			return NULL;
		return r->tf == TF_1MIN ? "timestamp is not on a full minute"
					: "timestamp is not on a full hour";
	}
	if (r->date.p == NULL)
		return "date is missing";
	if (date_parse(r->date, &date) != 0)
		return "date is not a date such as 2025-12-22";
	b->key = date;
	if (timeframe_first(r->tf, date) == date)
		return NULL;
	return r->tf == TF_WEEK ? "date is not a Sunday, on which weeks start"
				: "date is not the first of a month";
}

const char *
bar_read(const struct record *r, struct bar *b)
{
	unsigned char *at = b->prices;
	struct record_values v;
	const char *why = r->tf == TF_NONE ? timeframe_advice(r->timeframe) : read_key(r, b);

	if (why == NULL)
		why = record_check_values(r, &v);
	if (why != NULL)
		return why;
	for (int i = 0; i < 4; i++) {
		size_t n = number_binary(&v.price[i], at + 4);

		wire_put32(at, (uint32_t)n);
		at += 4 + n;
	}
	b->length = (size_t)(at - b->prices);
	b->volume = v.volume;
	b->flags = (unsigned char)((v.odd ? BAR_ODD : 0) | (v.rounded ? BAR_ROUNDED : 0));
	return NULL;
}

const char *
bar_key(char text[TIMESTAMP_SIZE], enum timeframe tf, int64_t key)
{
	if (timeframe_intraday(tf))
		key = key / SECOND - (key % SECOND < 0);
	return timeframe_write(text, tf, key);
}

void
bar_write(struct record *r, int64_t key, int64_t volume, const unsigned char *prices,
	struct buffer *text)
{
	struct slice *const field[4] = {&r->open, &r->high, &r->low, &r->close};
	char tmp[TIMESTAMP_SIZE];
	size_t at;

	text->len = 0;
	/* All of it at once, so that nothing moves. */
	(void)buffer_room(text, sizeof tmp + 4 * NUMBER_TEXT + 24);
	buffer_str(text, bar_key(tmp, r->tf, key));
	*(timeframe_intraday(r->tf) ? &r->timestamp : &r->date) = buffer_slice(text);
	for (int i = 0; i < 4; i++) {
		const struct number price = number_of_binary(bar_price(&prices));

		at = text->len;
		number_write(&price, text);
		*field[i] = (struct slice){text->p + at, text->len - at};
	}
	if (volume >= 0) {
		at = text->len;
		buffer_int(text, volume);
		r->volume = (struct slice){text->p + at, text->len - at};
	}
}
