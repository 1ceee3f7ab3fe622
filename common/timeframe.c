/* The table of timeframes; see the table of the same name in ts-records(5). */
#include "timeframe.h"

#include <stddef.h>

static const struct {
	const char *name;
	const char *span;
	const char *table;
} timeframes[TF_COUNT] = {
	[TF_1MIN] = {"1min", "minute", "ohlcv_1min"},
	[TF_HOUR] = {"hour", "hour", "ohlcv_hourly"},
	[TF_DAY] = {"day", "day", "ohlcv_daily"},
	[TF_WEEK] = {"week", "week", "ohlcv_weekly"},
	[TF_MONTH] = {"month", "month", "ohlcv_monthly"},
};

enum timeframe
timeframe_parse(struct slice s)
{
	for (int i = 0; i < TF_COUNT; i++) {
		if (slice_is(s, timeframes[i].name))
			return (enum timeframe)i;
	}
	return TF_NONE;
}

enum timeframe
timeframe_of_span(struct slice s)
{
	for (int i = 0; i < TF_COUNT; i++) {
		if (slice_is(s, timeframes[i].span))
			return (enum timeframe)i;
	}
	return TF_NONE;
}

const char *
timeframe_name(enum timeframe tf)
{
	return timeframes[tf].name;
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
