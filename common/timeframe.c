/* The table of timeframes; see the table of the same name in ts-records(5). */
#include "timeframe.h"

#include <stddef.h>

enum { WORDS = 5, SESSION_SECONDS = 390 * 60 };

#define UNKNOWN "unknown timeframe: want 1min, hour, day, week or month"

/* What a bar's length is counted in. */
enum unit { SECONDS, DAYS, WEEKS, MONTHS };

static const struct {
	const char *words[WORDS]; /* its name, and what else it is called */
	const char *span;	  /* in the API's path */
	const char *table;
	enum unit unit;
	int length;	/* in units */
	int chunk_days; /* of a hypertable: some gigabytes where thousands of symbols are stored */
	enum timeframe base; /* whose bars can be joined to its bars */
} timeframes[TF_COUNT] = {
	[TF_1MIN] = {{"1min", "minute", "1m", "1minute", "min"}, "1/minute", "ohlcv_1min", SECONDS,
		60, 7, TF_NONE},
	[TF_HOUR] = {{"hour", "1hour", "1h", "60min", "hourly"}, "1/hour", "ohlcv_hourly", SECONDS,
		3600, 90, TF_1MIN},
	[TF_DAY] = {{"day", "1day", "1d", "daily"}, "1/day", "ohlcv_daily", DAYS, 1, 1826, TF_NONE},
	[TF_WEEK] = {{"week", "1week", "1w", "weekly"}, "1/week", "ohlcv_weekly", WEEKS, 1, 7305,
		TF_DAY},
	[TF_MONTH] = {{"month", "1month", "1mo", "monthly"}, "1/month", "ohlcv_monthly", MONTHS, 1,
		7305, TF_DAY},
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

const char *
timeframe_advice(struct slice s)
{
	size_t digits = 0;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (digits > 1 || (digits == 1 && s.p[0] != '1'))
		return UNKNOWN "; a view over them makes others, see ts-cookbook(7)";
	/* By the first letter, of which two have the same. */
	switch (s.n > digits ? s.p[digits] | 0x20 : 0) {
	case 'h':
		return UNKNOWN "; the nearest is hour";
	case 'd':
		return UNKNOWN "; the nearest is day";
	case 'w':
		return UNKNOWN "; the nearest is week";
	case 'm':
		if (s.n == digits + 1)
			return UNKNOWN;
		return (s.p[digits + 1] | 0x20) == 'i' ? UNKNOWN "; the nearest is 1min"
						       : UNKNOWN "; the nearest is month";
	default:
		return UNKNOWN;
	}
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

int
timeframe_chunk_days(enum timeframe tf)
{
	return timeframes[tf].chunk_days;
}

int
timeframe_bars(enum timeframe tf)
{
	int length = timeframes[tf].length;

	return timeframe_intraday(tf) ? (SESSION_SECONDS + length - 1) / length : 1;
}

enum timeframe
timeframe_base(enum timeframe tf)
{
	return timeframes[tf].base;
}

bool
timeframe_intraday(enum timeframe tf)
{
	return timeframes[tf].unit == SECONDS;
}

char *
timeframe_write(char out[TIMESTAMP_SIZE], enum timeframe tf, int64_t key)
{
	return timeframe_intraday(tf) ? timestamp_format(out, key) : date_format(out, (int32_t)key);
}

int
timeframe_seconds(enum timeframe tf)
{
	return timeframes[tf].length;
}

int
timeframe_days(enum timeframe tf)
{
	static const int least[] = {[DAYS] = 1, [WEEKS] = 7, [MONTHS] = 28};

	return timeframes[tf].length * least[timeframes[tf].unit];
}

int32_t
timeframe_first(enum timeframe tf, int32_t date)
{
	struct civil c;

	switch (timeframes[tf].unit) {
	case WEEKS:
		return date - date_weekday(date);
	case MONTHS:
		c = date_civil(date);
		c.month -= (c.month - 1) % timeframes[tf].length;
		return date_of((struct civil){c.year, c.month, 1});
	default:
		return date;
	}
}

int32_t
timeframe_last(enum timeframe tf, int32_t date)
{
	int32_t first = timeframe_first(tf, date);

	/* 31 days a month on it is the next one, whichever this is. */
	if (timeframes[tf].unit == MONTHS)
		return timeframe_first(tf, first + 31 * timeframes[tf].length) - 1;
	return first + timeframe_days(tf) - 1;
}
