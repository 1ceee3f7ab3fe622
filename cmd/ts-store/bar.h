#ifndef TS_BAR_H
#define TS_BAR_H

#include "number.h"
#include "record.h"
#include "wire.h"
#include "timestamp.h"

/* Room for four prices, each a 32-bit length and a binary NUMERIC: as COPY BINARY has fields. */
enum { PRICES_MAX = 4 * (4 + NUMBER_BYTES) };

/* What is told of a bar that is stored. */
enum bar_flag { BAR_ODD = 1, BAR_ROUNDED = 2, BAR_RESTATED = 4 };

/* A bar as the database takes it. Starts as {0}; used again, it reads a day once only. */
struct bar {
	int64_t key;	     /* microseconds UTC since 1970 (1min, hour) or days since 1970 */
	int64_t volume;	     /* -1: none */
	unsigned char flags; /* of enum bar_flag */
	size_t length;	     /* of prices */
	unsigned char prices[PRICES_MAX]; /* open, high, low, close */
	char day_text[10];		  /* the day read last, and what it is */
	int32_t day;
};

/*
 * Checks a bar, but for its symbol, and converts it: NULL, or a static reason why it may not be
 * stored. Only the record is looked at: whether the database has a place for it is another
 * question.
 */
const char *bar_read(const struct record *, struct bar *);

/* Whether a symbol can be stored: 1 to 64 bytes, no control characters. NULL or a static reason. */
const char *bar_symbol_fault(struct slice);

/* Writes the key as records have it: an instant or a date. Gives text. */
const char *bar_key(char text[TIMESTAMP_SIZE], enum timeframe, int64_t key);

/* Puts a bar's values back into a record that has its names; they last as long as the text. */
void bar_write(struct record *, int64_t key, int64_t volume, const unsigned char *prices,
	struct buffer *text);

/* The next field of prices, its length skipped; moves on behind it. */
static inline struct slice
bar_price(const unsigned char **prices)
{
	const struct slice s = {(const char *)*prices + 4, wire_get32(*prices)};

	*prices += 4 + s.n;
	return s;
}

#endif
