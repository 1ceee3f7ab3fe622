#ifndef TS_TIMESTAMP_H
#define TS_TIMESTAMP_H

#include "buffer.h"

#include <stdint.h>

/*
 * Instants and dates as numbers and as text. An instant is in seconds since 1970-01-01T00:00:00Z,
 * a date in days since 1970-01-01. New York's dates are the calendar's affair (calendar.h).
 */

enum { TIMESTAMP_SIZE = sizeof "2025-12-22T14:30:00Z", DATE_SIZE = sizeof "2025-12-22" };

/* A date of the proleptic Gregorian calendar; month 1-12, day 1-31. */
struct civil {
	int year;
	int month;
	int day;
};

int32_t date_of(struct civil);
struct civil date_civil(int32_t date);

/* Day of the week of a date: 0 is Sunday. */
int date_weekday(int32_t date);

/*
 * Reads "2025-12-22", years 1900-2199. 0, or -1 if it is not such a date.
 */
int date_parse(struct slice, int32_t *date);

/* Writes "2025-12-22" and a NUL; returns out. */
char *date_format(char out[DATE_SIZE], int32_t date);

/*
 * Reads an instant: date, "T" or a blank, "14:30:00", an optional fraction of zeros, and "Z" or an
 * offset such as "+00:00" or "-05:00". 0, or -1: without a zone a time of day names no instant.
 */
int timestamp_parse(struct slice, int64_t *seconds);

/* Writes "2025-12-22T14:30:00Z" and a NUL; returns out. Years 1900-2199. */
char *timestamp_format(char out[TIMESTAMP_SIZE], int64_t seconds);

/* Takes TZ for the local zone. 0, or -1 where it names none: the C library would take UTC in
 * silence. */
int timestamp_zone(void);

/* An instant in the local zone and without "Z": what the admin page writes and compares. */
char *timestamp_local(char out[TIMESTAMP_SIZE], int64_t seconds);

/*
 * Reads what timestamp_local() writes, an optional fraction cut off. Both instants that it may
 * mean, the same one twice but for an hour of an autumn night. 0, or -1.
 */
int timestamp_parse_local(struct slice, int64_t seconds[2]);

/* The wall clock, in seconds. */
int64_t clock_wall(void);

/* A clock that never jumps, in milliseconds; its zero means nothing. */
int64_t clock_mono_ms(void);

/* The earlier of two moments. */
static inline int64_t
clock_sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How long poll(2) may wait at now for a moment, both of clock_mono_ms(): 0 when it has come. */
int clock_wait_ms(int64_t until, int64_t now);

#endif
