/*
 * New York time and NYSE sessions. The rules are those of NYSE Rule 7.2 and the exchange's notices
 * of special closures; the rules of summer time are the system's.
 */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "calendar.h"

#include "buffer.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ZONE_FIRST_YEAR = 1969, /* a window of 50 years that ends in 2000 reaches no further */
	ZONE_LAST_YEAR = 2037,
	CHANGES = 2 * (ZONE_LAST_YEAR - ZONE_FIRST_YEAR + 1) + 8,
	DAY = 86400,
	CLOSURES_BYTES = 1 << 20,
};

/* From at on, New York is offset seconds ahead of UTC. */
struct change {
	int64_t at;
	int offset;
};

struct calendar {
	struct change change[CHANGES];
	int changes;
	unsigned char session[CALENDAR_LAST - CALENDAR_FIRST + 1];
};

/* Days on which the exchange stayed closed for a reason of its own. */
static const struct civil closed[] = {
	{2001, 9, 11}, {2001, 9, 12}, {2001, 9, 13}, {2001, 9, 14}, /* attacks */
	{2004, 6, 11},						    /* mourning for R. Reagan */
	{2007, 1, 2},						    /* for G. Ford */
	{2012, 10, 29}, {2012, 10, 30},				    /* hurricane Sandy */
	{2018, 12, 5},						    /* for G. H. W. Bush */
	{2025, 1, 9},						    /* for J. Carter */
};

/* A half day that no rule gives. */
static const struct civil half[] = {
	{2003, 12, 26}, /* the day after Christmas, a Friday */
};

static int
offset_at(int64_t instant)
{
	time_t t = (time_t)instant;
	struct tm tm;
	int64_t local;

	if (localtime_r(&t, &tm) == NULL)
		return 0;
	local = (int64_t)date_of((struct civil){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday}) *
			DAY +
		tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
	return (int)(local - instant);
}

/* The first instant in (low, high] that has the offset of high. */
static int64_t
find_change(int64_t low, int64_t high)
{
	int offset = offset_at(high);

	while (high - low > 1) {
		int64_t mid = low + (high - low) / 2;

		if (offset_at(mid) == offset)
			high = mid;
		else
			low = mid;
	}
	return high;
}

static void
find_changes(struct calendar *c)
{
	int64_t at = (int64_t)date_of((struct civil){ZONE_FIRST_YEAR, 1, 1}) * DAY;
	int64_t end = (int64_t)date_of((struct civil){ZONE_LAST_YEAR, 12, 31}) * DAY;
	int64_t step = 14 * DAY;

	c->change[c->changes++] = (struct change){INT64_MIN, offset_at(at)};
	for (; at < end && c->changes < CHANGES; at += step) {
		int offset = offset_at(at + step);

		if (offset != c->change[c->changes - 1].offset)
			c->change[c->changes++] =
				(struct change){find_change(at, at + step), offset};
	}
}

/*
 * The C library knows one zone at a time: read New York's offsets out of it, then put TZ back. It
 * says nothing when it lacks the memory for them, but for errno.
 */
static void
read_zone(struct calendar *c)
{
	char *saved = slice_copy(slice_of(getenv("TZ")));

	if (setenv("TZ", "America/New_York", 1) != 0)
		memory_out();
	errno = 0;
	tzset();
	if (errno == ENOMEM)
		memory_out();
	find_changes(c);
	if (saved != NULL ? setenv("TZ", saved, 1) != 0 : unsetenv("TZ") != 0)
		memory_out();
	tzset();
	if (errno == ENOMEM)
		memory_out();
	free(saved);
}

/* Noon on 1 January and 1 July 2020 tell New York from the UTC that stands for a missing file. */
static bool
is_new_york(const struct calendar *c)
{
	int64_t winter = (int64_t)date_of((struct civil){2020, 1, 1}) * DAY + 17 * 3600;
	int64_t summer = (int64_t)date_of((struct civil){2020, 7, 1}) * DAY + 16 * 3600;

	return calendar_minute(c, winter) == 720 && calendar_minute(c, summer) == 720;
}

static void
set_session(struct calendar *c, int32_t date, enum session s)
{
	if (date >= CALENDAR_FIRST && date <= CALENDAR_LAST)
		c->session[date - CALENDAR_FIRST] = (unsigned char)s;
}

static enum session
get_session(const struct calendar *c, int32_t date)
{
	return (enum session)c->session[date - CALENDAR_FIRST];
}

/* The nth weekday (0 is Sunday) of a month; n -1 is the last. */
static int32_t
nth_weekday(int year, int month, int weekday, int n)
{
	int32_t date;

	if (n < 0) {
		date = date_of((struct civil){year, month + 1, 1}) - 1;
		return date - (date_weekday(date) - weekday + 7) % 7;
	}
	date = date_of((struct civil){year, month, 1});
	return date + (weekday - date_weekday(date) + 7) % 7 + 7 * (n - 1);
}

/* Easter Sunday, by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, ch. 8). */
static int32_t
easter_sunday(int year)
{
	int a = year % 19, b = year / 100, c = year % 100;
	int h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
	int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
	int m = (a + 11 * h + 22 * l) / 451;
	int k = h + l - 7 * m + 114;

	return date_of((struct civil){year, k / 31, k % 31 + 1});
}

/*
 * A holiday of fixed date: on a Sunday it is kept on Monday, on a Saturday on the Friday before,
 * but for New Year's Day, whose Friday belongs to the old year's books (Rule 7.2).
 */
static void
close_fixed(struct calendar *c, int year, int month, int day)
{
	int32_t date = date_of((struct civil){year, month, day});
	int weekday = date_weekday(date);

	if (weekday == 0)
		date++;
	else if (weekday == 6 && month == 1)
		return;
	else if (weekday == 6)
		date--;
	set_session(c, date, SESSION_NONE);
}

/* A half day only where there is a session to halve. */
static void
halve_session(struct calendar *c, int32_t date)
{
	if (date >= CALENDAR_FIRST && date <= CALENDAR_LAST && get_session(c, date) == SESSION_FULL)
		set_session(c, date, SESSION_HALF);
}

static void
keep_holidays(struct calendar *c, int year)
{
	int32_t independence = date_of((struct civil){year, 7, 4});
	int32_t thanksgiving = nth_weekday(year, 11, 4, 4);
	int weekday = date_weekday(independence);

	close_fixed(c, year, 1, 1);
	set_session(c, nth_weekday(year, 1, 1, 3), SESSION_NONE);  /* Martin Luther King, Jr. Day */
	set_session(c, nth_weekday(year, 2, 1, 3), SESSION_NONE);  /* Washington's Birthday */
	set_session(c, easter_sunday(year) - 2, SESSION_NONE);	   /* Good Friday */
	set_session(c, nth_weekday(year, 5, 1, -1), SESSION_NONE); /* Memorial Day */
	if (year >= 2022)
		close_fixed(c, year, 6, 19); /* Juneteenth */
	close_fixed(c, year, 7, 4);
	set_session(c, nth_weekday(year, 9, 1, 1), SESSION_NONE); /* Labor Day */
	set_session(c, thanksgiving, SESSION_NONE);
	close_fixed(c, year, 12, 25);

	halve_session(c, thanksgiving + 1);
	halve_session(c, date_of((struct civil){year, 12, 24}));
	/* The day before Independence Day; until 2012 the Friday behind it where that is a
	 * Thursday. */
	if (weekday >= 2 && weekday <= 5)
		halve_session(c, weekday == 4 && year < 2013 ? independence + 1 : independence - 1);
}

static void
find_sessions(struct calendar *c)
{
	for (int32_t date = CALENDAR_FIRST; date <= CALENDAR_LAST; date++) {
		int weekday = date_weekday(date);

		set_session(c, date, weekday == 0 || weekday == 6 ? SESSION_NONE : SESSION_FULL);
	}
	for (int year = date_civil(CALENDAR_FIRST).year; year <= date_civil(CALENDAR_LAST).year;
		year++)
		keep_holidays(c, year);
	for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
		set_session(c, date_of(closed[i]), SESSION_NONE);
	for (size_t i = 0; i < sizeof half / sizeof half[0]; i++)
		halve_session(c, date_of(half[i]));
}

/* NULL, or what is wrong with the line. */
static const char *
take_closure(struct calendar *c, struct slice line)
{
	int32_t date;

	if (line.n == 0 || line.p[0] == '#')
		return NULL;
	if (date_parse(slice_part(&line, " \t"), &date) != 0)
		return "does not begin with a date such as 2026-03-11";
	if (date_weekday(date) == 0 || date_weekday(date) == 6)
		return "is a day of a weekend";
	line = slice_trim(line);
	if (!slice_is(line, "closed") && !slice_is(line, "13:00"))
		return "says neither closed nor 13:00";
	set_session(c, date, line.p[0] == '1' ? SESSION_HALF : SESSION_NONE);
	return NULL;
}

/* NULL, or why the file cannot be used, with its line: good until the next call. */
static const char *
read_closures(struct calendar *c, const char *path)
{
	static char reason[300];
	struct buffer text = {0};
	char *real = realpath(path, NULL);
	const char *why =
		real == NULL ? strerror(errno) : file_read(AT_FDCWD, real, CLOSURES_BYTES, &text);
	struct slice rest = buffer_slice(&text);
	int line = 0;

	for (; why == NULL && rest.n > 0; line++)
		why = take_closure(c, slice_trim(slice_part(&rest, "\n")));
	if (why != NULL && line > 0)
		(void)snprintf(reason, sizeof reason, "TS_CLOSURES: line %d %s", line, why);
	else if (why != NULL)
		(void)snprintf(reason, sizeof reason, "TS_CLOSURES: %s", why);
	buffer_release(&text);
	free(real);
	return why == NULL ? NULL : reason;
}

struct calendar *
calendar_new(const char **why)
{
	const char *closures = getenv("TS_CLOSURES");

	struct calendar *c = memory_grow(NULL, 1, sizeof *c);

	memset(c, 0, sizeof *c);
	read_zone(c);
	if (!is_new_york(c)) {
		*why = "no time zone data for America/New_York: install tzdata, or set TZDIR to "
		       "where it is";
		calendar_free(c);
		return NULL;
	}
	find_sessions(c);
	*why = NULL;
	if (closures != NULL && closures[0] != '\0')
		*why = read_closures(c, closures);
	if (*why != NULL) {
		calendar_free(c);
		return NULL;
	}
	return c;
}

void
calendar_free(struct calendar *c)
{
	free(c);
}

enum session
calendar_session(const struct calendar *c, int32_t date)
{
	int weekday = date_weekday(date);

	if (date > CALENDAR_LAST)
		return SESSION_NONE;
	if (date < CALENDAR_FIRST)
		return weekday == 0 || weekday == 6 ? SESSION_NONE : SESSION_FULL;
	return get_session(c, date);
}

int32_t
calendar_session_before(const struct calendar *c, int32_t date)
{
	while (date <= CALENDAR_LAST && calendar_session(c, date) == SESSION_NONE)
		date--;
	return date;
}

int32_t
calendar_session_after(const struct calendar *c, int32_t date)
{
	while (date <= CALENDAR_LAST && calendar_session(c, date) == SESSION_NONE)
		date++;
	return date;
}

int
calendar_sessions(const struct calendar *c, int32_t from, int32_t to)
{
	int n = 0;

	for (int32_t date = from; date <= to && date <= CALENDAR_LAST; date++)
		n += calendar_session(c, date) != SESSION_NONE;
	return n;
}

int
calendar_regular_close(const struct calendar *c, int32_t date)
{
	return calendar_session(c, date) == SESSION_HALF ? 13 * 60 : 16 * 60;
}

int
calendar_extended_close(const struct calendar *c, int32_t date)
{
	return calendar_session(c, date) == SESSION_HALF ? 17 * 60 : 20 * 60;
}

static int
offset_of(const struct calendar *c, int64_t instant)
{
	int low = 0, high = c->changes;

	while (high - low > 1) {
		int mid = (low + high) / 2;

		if (c->change[mid].at <= instant)
			low = mid;
		else
			high = mid;
	}
	return c->change[low].offset;
}

int32_t
calendar_date(const struct calendar *c, int64_t instant)
{
	int64_t local = instant + offset_of(c, instant);

	return (int32_t)(local / DAY - (local % DAY < 0));
}

int
calendar_minute(const struct calendar *c, int64_t instant)
{
	int64_t local = instant + offset_of(c, instant);

	return (int)((local % DAY + DAY) % DAY / 60);
}

int64_t
calendar_instant(const struct calendar *c, int32_t date, int minute)
{
	int64_t local = (int64_t)date * DAY + (int64_t)minute * 60;

	/* New York is 4 or 5 hours behind: the guess lies within an hour of the answer. */
	return local - offset_of(c, local - offset_of(c, local + 5 * 3600));
}
