#ifndef TS_TIMEFRAME_H
#define TS_TIMEFRAME_H

#include "timestamp.h"

#include <stdbool.h>
#include <stdint.h>

/* The five timeframes, in the order in which the tables are named everywhere. */
enum timeframe { TF_1MIN, TF_HOUR, TF_DAY, TF_WEEK, TF_MONTH, TF_COUNT, TF_NONE = -1 };

/*
 * By the name that records carry (1min, hour, day, week, month) or another word of the trade for it
 * (1m, minute, 1h, 60min, daily ...). TF_NONE for any other.
 */
enum timeframe timeframe_parse(struct slice);

/* What to say of a name that timeframe_parse() does not know: those that there are, and the
 * nearest. */
const char *timeframe_advice(struct slice);

/* The name in records; what the API's path has, such as 1/minute; the table. Static strings. */
const char *timeframe_name(enum timeframe);
const char *timeframe_span(enum timeframe);
const char *timeframe_table(enum timeframe);

/* How long a chunk of its hypertable is. */
int timeframe_chunk_days(enum timeframe);

/* How many bars of it a session has in regular hours, 1 at least. */
int timeframe_bars(enum timeframe);

/* The one whose bars can be joined to its bars; TF_NONE where there is none. */
enum timeframe timeframe_base(enum timeframe);

/* Whether its bars are keyed by an instant (1min, hour) and not by a date. */
bool timeframe_intraday(enum timeframe);

/* A key, or an end of a window, as text: an instant or a date; returns out. */
char *timeframe_write(char out[TIMESTAMP_SIZE], enum timeframe, int64_t key);

/* Length of an intraday bar in seconds: 60 or 3600. */
int timeframe_seconds(enum timeframe);

/*
 * Of the others (day, week, month): the fewest days that a bar covers, and the first and the last
 * date of the bar that a date belongs to, the first being its key. A week begins on Sunday, as the
 * API has it.
 */
int timeframe_days(enum timeframe);
int32_t timeframe_first(enum timeframe, int32_t date);
int32_t timeframe_last(enum timeframe, int32_t date);

#endif
