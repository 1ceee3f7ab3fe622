/* The one wrapper around time: text to numbers and back, and the two clocks. */
#include "timestamp.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <time.h>

enum { DAY = 86400, MIN_YEAR = 1900, MAX_YEAR = 2199 };

/* Both conversions: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
int32_t
date_of(struct civil c)
{
	int y = c.month <= 2 ? c.year - 1 : c.year;
	int era = (y >= 0 ? y : y - 399) / 400;
	int yoe = y - era * 400;
	int doy = (153 * (c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + c.day - 1;
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

struct civil
date_civil(int32_t date)
{
	int z = date + 719468;
	int era = (z >= 0 ? z : z - 146096) / 146097;
	int doe = z - era * 146097;
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (5 * doy + 2) / 153;
	int month = mp < 10 ? mp + 3 : mp - 9;

	return (struct civil){yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

int
date_weekday(int32_t date)
{
	int d = (date + 4) % 7;

	return d < 0 ? d + 7 : d;
}

/* Reads exactly n digits at s[*at] and moves on; -1 if they are none. */
static int
read_digits(struct slice s, size_t *at, size_t n)
{
	int v = 0;

	if (s.n - *at < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		char c = s.p[(*at)++];

		if (c < '0' || c > '9')
			return -1;
		v = v * 10 + (c - '0');
	}
	return v;
}

static bool
read_literal(struct slice s, size_t *at, char c)
{
	if (*at >= s.n || s.p[*at] != c)
		return false;
	(*at)++;
	return true;
}

static int
parse_date(struct slice s, size_t *at, int32_t *date)
{
	struct civil c, back;

	c.year = read_digits(s, at, 4);
	if (c.year < MIN_YEAR || c.year > MAX_YEAR || !read_literal(s, at, '-'))
		return -1;
	c.month = read_digits(s, at, 2);
	if (c.month < 1 || c.month > 12 || !read_literal(s, at, '-'))
		return -1;
	c.day = read_digits(s, at, 2);
	if (c.day < 1)
		return -1;
	*date = date_of(c);
	back = date_civil(*date);
	return back.month == c.month && back.day == c.day ? 0 : -1;
}

static int
parse_clock(struct slice s, size_t *at, int *seconds)
{
	int h, m, sec;

	h = read_digits(s, at, 2);
	if (h < 0 || h > 23 || !read_literal(s, at, ':'))
		return -1;
	m = read_digits(s, at, 2);
	if (m < 0 || m > 59 || !read_literal(s, at, ':'))
		return -1;
	sec = read_digits(s, at, 2);
	if (sec < 0 || sec > 59)
		return -1;
	*seconds = h * 3600 + m * 60 + sec;
	return 0;
}

static int
parse_zone(struct slice s, size_t *at, int *offset)
{
	int h, m, sign;

	*offset = 0;
	if (read_literal(s, at, 'Z'))
		return 0;
	sign = read_literal(s, at, '+') ? 1 : read_literal(s, at, '-') ? -1 : 0;
	h = sign == 0 ? -1 : read_digits(s, at, 2);
	if (h < 0 || h > 14)
		return -1;
	(void)read_literal(s, at, ':');
	m = *at == s.n ? 0 : read_digits(s, at, 2);
	if (m < 0 || m > 59)
		return -1;
	*offset = sign * (h * 3600 + m * 60);
	return 0;
}

int
date_parse(struct slice s, int32_t *date)
{
	size_t at = 0;

	return s.p != NULL && parse_date(s, &at, date) == 0 && at == s.n ? 0 : -1;
}

/* Date and time of day; leaves *at behind the seconds. */
static int
parse_moment(struct slice s, size_t *at, int32_t *date, int *clock)
{
	if (s.p == NULL || parse_date(s, at, date) != 0)
		return -1;
	if (!read_literal(s, at, 'T') && !read_literal(s, at, ' '))
		return -1;
	return parse_clock(s, at, clock);
}

int
timestamp_parse(struct slice s, int64_t *seconds)
{
	size_t at = 0;
	int32_t date;
	int clock, offset;

	if (parse_moment(s, &at, &date, &clock) != 0)
		return -1;
	if (read_literal(s, &at, '.')) {
		size_t start = at;

		while (read_literal(s, &at, '0'))
			continue;
		if (at == start)
			return -1;
	}
	if (parse_zone(s, &at, &offset) != 0 || at != s.n)
		return -1;
	*seconds = (int64_t)date * DAY + clock - offset;
	return 0;
}

char *
date_format(char out[DATE_SIZE], int32_t date)
{
	struct civil c = date_civil(date);

	for (int i = 3, y = c.year; i >= 0; i--, y /= 10)
		out[i] = (char)('0' + y % 10);
	out[4] = '-';
	out[5] = (char)('0' + c.month / 10);
	out[6] = (char)('0' + c.month % 10);
	out[7] = '-';
	out[8] = (char)('0' + c.day / 10);
	out[9] = (char)('0' + c.day % 10);
	out[10] = '\0';
	return out;
}

static void
format_clock(char *out, int seconds)
{
	const int part[3] = {seconds / 3600, seconds / 60 % 60, seconds % 60};

	for (int i = 0; i < 3; i++) {
		out[3 * i] = (char)('0' + part[i] / 10);
		out[3 * i + 1] = (char)('0' + part[i] % 10);
		out[3 * i + 2] = ':';
	}
}

char *
timestamp_format(char out[TIMESTAMP_SIZE], int64_t seconds)
{
	int64_t date = seconds / DAY - (seconds % DAY < 0);

	date_format(out, (int32_t)date);
	out[10] = 'T';
	format_clock(out + 11, (int)(seconds - date * DAY));
	out[19] = 'Z';
	out[20] = '\0';
	return out;
}

int
timestamp_zone(void)
{
	errno = 0;
	tzset();
	/* What is not understood leaves the second name empty: a zone without summer time has the
	 * first one twice. */
	if (tzname[1][0] != '\0')
		return 0;
	if (errno == ENOMEM)
		memory_out();
	return -1;
}

char *
timestamp_local(char out[TIMESTAMP_SIZE], int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return timestamp_format(out, seconds);
	date_format(out, date_of((struct civil){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday}));
	out[10] = 'T';
	format_clock(
		out + 11, tm.tm_hour * 3600 + tm.tm_min * 60 + (tm.tm_sec > 59 ? 59 : tm.tm_sec));
	out[19] = '\0';
	return out;
}

/* The instant of a local time, which is summer's (1), winter's (0) or either (-1). -1 where it is
 * not. */
static int
local_instant(const struct tm *local, int summer, int64_t *seconds)
{
	struct tm tm = *local;
	time_t t;

	tm.tm_isdst = summer;
	t = mktime(&tm);
	*seconds = (int64_t)t;
	return t == (time_t)-1 || (summer >= 0 &&
					  (tm.tm_isdst != summer || tm.tm_hour != local->tm_hour))
		       ? -1
		       : 0;
}

int
timestamp_parse_local(struct slice s, int64_t seconds[2])
{
	size_t at = 0;
	int32_t date;
	int clock;
	struct civil c;
	struct tm tm = {0};
	bool summer, winter;

	if (parse_moment(s, &at, &date, &clock) != 0 || (at < s.n && s.p[at] != '.'))
		return -1;
	c = date_civil(date);
	tm.tm_year = c.year - 1900;
	tm.tm_mon = c.month - 1;
	tm.tm_mday = c.day;
	tm.tm_hour = clock / 3600;
	tm.tm_min = clock / 60 % 60;
	tm.tm_sec = clock % 60;
	summer = local_instant(&tm, 1, &seconds[0]) == 0;
	winter = local_instant(&tm, 0, &seconds[1]) == 0;
	if (summer && !winter)
		seconds[1] = seconds[0];
	else if (winter && !summer)
		seconds[0] = seconds[1];
	else if (!summer && (local_instant(&tm, -1, &seconds[0]) != 0 ||
				    local_instant(&tm, -1, &seconds[1]) != 0))
		return -1;
	return 0;
}

int64_t
clock_wall(void)
{
	return (int64_t)time(NULL);
}

int64_t
clock_mono_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
clock_wait_ms(int64_t until, int64_t now)
{
	int64_t ms = until - now;

	if (ms <= 0)
		return 0;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}
