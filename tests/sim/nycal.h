#ifndef SIM_NYCAL_H
#define SIM_NYCAL_H

#include <stddef.h>
#include <stdint.h>

/* All instants are milliseconds since 1970-01-01T00:00:00Z; a day is a civil day in New York,
 * counted from 1970-01-01. */

#define MINUTE_MS ((int64_t)60000)
#define HOUR_MS ((int64_t)3600000)

/* A trading session. Extended hours begin at 04:00 New York, regular hours at 09:30. */
struct session {
	int64_t midnight; /* 00:00 New York of its day */
	int32_t day;
	int16_t minutes; /* extended hours: 960 (to 20:00), on a half day 780 (to 17:00) */
	int16_t regular; /* regular hours: 390, on a half day 210 */
};

struct nycal {
	struct session *v; /* ascending */
	size_t n;
};

/* The first minute of a session's extended and regular hours, in minutes after midnight and after
 * the opening. */
#define SESSION_OPEN 240
#define SESSION_REGULAR 330

/**
 * nycal_load(cal, path):
 * Read the holidays and half days in ${path} (lines "date TAB kind TAB name", kind holiday or
 * early) and fill ${cal} with every session from 1 January of the first year named there to 31
 * December of the last. Sets TZ. Return 0, or -1 with a sentence on stderr. The caller calls
 * nycal_release.
 */
int nycal_load(struct nycal *, const char *);

void nycal_release(struct nycal *);

/**
 * nycal_lower(cal, day):
 * Return the index of the first session on or after ${day}; cal->n when there is none.
 */
size_t nycal_lower(const struct nycal *, int32_t);

/**
 * ny_midnight(day), ny_day(ms):
 * 00:00 New York of a day, and the day an instant lies in. Days outside 1970..2099 are taken for
 * the nearest one inside. Valid after nycal_load.
 */
int64_t ny_midnight(int32_t);
int32_t ny_day(int64_t);

/**
 * ny_sunday(day), ny_month(day, k):
 * The Sunday on or before a day; the first of the month that lies ${k} months after the day's own.
 */
int32_t ny_sunday(int32_t);
int32_t ny_month(int32_t, int);

/**
 * ny_parse_date(s, len, day):
 * Parse exactly "YYYY-MM-DD", a date that exists. Return 0 or -1.
 */
int ny_parse_date(const char *, size_t, int32_t *);

/* ny_parse_instant(s, ms): seconds since the epoch or 2025-12-23T17:15:13Z. 0 or -1. */
int ny_parse_instant(const char *, int64_t *);

#endif
