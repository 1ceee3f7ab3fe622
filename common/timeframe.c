/* The table of timeframes; see the table of the same name in ts-records(5). */
#include "timeframe.h"

#include <stddef.h>

enum { WORDS = 5 };

static const struct {
	const char *words[WORDS]; /* its name, and what else it is called */
	const char *span;
	const char *table;
} timeframes[TF_COUNT] = {
	[TF_1MIN] = {{"1min", "minute", "1m", "1minute", "min"}, "minute", "ohlcv_1min"},
	[TF_HOUR] = {{"hour", "1hour", "1h", "60min", "hourly"}, "hour", "ohlcv_hourly"},
	[TF_DAY] = {{"day", "1day", "1d", "daily"}, "day", "ohlcv_daily"},
	[TF_WEEK] = {{"week", "1week", "1w", "weekly"}, "week", "ohlcv_weekly"},
	[TF_MONTH] = {{"month", "1month", "1mo", "monthly"}, "month", "ohlcv_monthly"},
};

enum timeframe
timeframe_parse(struct slice s)
{
	for (int k = 0; k < WORDS; k++) {
		for (int i = 0; i < TF_COUNT; i++) {
			if (timeframes[i].words[k] != NULL && slice_is(s, timeframes[i].words[k]))
				return (enum timeframe)i;
		}
	}
	return TF_NONE;
}

#define UNKNOWN "unknown timeframe: want 1min, hour, day, week or month"

const char *
timeframe_advice(struct slice s)
{
	static const char *const nearest[TF_COUNT] = {UNKNOWN "; the nearest is 1min",
		UNKNOWN "; the nearest is hour", UNKNOWN "; the nearest is day",
		UNKNOWN "; the nearest is week", UNKNOWN "; the nearest is month"};

	if (s.n > 1 && s.p[0] >= '1' && s.p[0] <= '9')
		return UNKNOWN "; a view over them makes others, see ts-cookbook(7)";
	/* By the letters that no two of them share. */
	for (int i = 0; i < TF_COUNT && s.n > 1; i++) {
		const char *word = timeframes[i].words[i == TF_1MIN ? 1 : 0];

		if ((s.p[0] | 0x20) == word[0] && (s.p[1] | 0x20) == word[1])
			return nearest[i];
	}
	return UNKNOWN;
}

const char *
timeframe_name(enum timeframe tf)
{
	return timeframes[tf].words[0];
}

const char *
timeframe_span(enum timeframe tf)
{
	return timeframes[tf].span;
}

const char *
timeframe_table(enum timeframe tf)
{
	return timeframes[tf].table;
}

bool
timeframe_intraday(enum timeframe tf)
{
	return tf == TF_1MIN || tf == TF_HOUR;
}

int
timeframe_seconds(enum timeframe tf)
{
	return tf == TF_1MIN ? 60 : 3600;
}
